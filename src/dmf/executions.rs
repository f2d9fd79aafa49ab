//! Runs of data projects, whoever started them: what there was, how it ended, what went wrong, and where its files are.
//!
//! All of it is reading, and may be repeated, but for [`delete`]. The service keeps runs for about 7 days; then their errors are
//! an empty list and their status is "not found".

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use super::actions;
use super::dialogue::{Dialogue, Then, all_rows};
use super::execution::{DETAIL_COLUMNS, Detail, EntityOutcome, ExecutionStatus, RowError, row_errors};
use super::file::RemoteFile;
use super::import::check_execution_id;
use super::storage::BlobUrl;
use crate::error::{Error, ErrorCode, Result};
use crate::fields::{FromValue, word};
use crate::http::{Method, Repeat, Request, Response};
use crate::odata::{Service, inner_text, list_request, quote};

const DETAILS: &str = "DataManagementExecutionJobDetails";
/// First pause while the service writes an error file; grows by half each time.
const FILE_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause while the service writes an error file.
const FILE_PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long an error file may take.
const FILE_GRACE: Duration = Duration::from_secs(600);
/// What the service says where a message has no run yet.
const NO_RUN: &str = "00000000-0000-0000-0000-000000000000";

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Execution {
    /// Its id.
    pub execution_id: String,
    /// The data project that ran.
    pub project: String,
    /// When the first of its entities began, as the service writes it; none where none has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
    /// Per entity.
    pub entities: Vec<EntityOutcome>,
}

/// Which rows an error file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorFile {
    /// Rows that did not reach staging.
    Staging,
    /// Keys of the rows that reached staging and not the target.
    Target,
}

impl FromValue for ErrorFile {
    fn from_value(value: Value) -> Result<Self, String> {
        word(&value, &[("staging", Self::Staging), ("target", Self::Target)])
    }
}

/// The runs of a project, or of all, newest first; those that have not begun before all others.
///
/// The service keeps no time of a run, only of its entities, so all rows of the history are read (10,000 a page, about 7 days of
/// it), and ordered here.
///
/// # Errors
/// `INVALID_ARGUMENT` for a name that no project can have; from the conversation what the request met.
pub fn list(service: &Service, project: Option<&str>) -> Result<Dialogue<Vec<Execution>>> {
    let columns =
        format!("DefinitionGroupId,JobId,{DETAIL_COLUMNS},StagingStartDateTime,TargetStartDateTime");
    let request = match project {
        Some(name) => {
            super::project::check_stored_name(name)?;
            list_request(service, DETAILS, &format!("DefinitionGroupId eq {}", quote(name)), &columns)
        }
        None => service.request(Method::Get, &format!("{DETAILS}?$select={columns}")),
    };
    let then = all_rows(service, request, |rows| Ok(Then::Done(runs_of(rows)?)));
    Ok(Dialogue::new(service, then))
}

/// Where the run stands.
///
/// # Errors
/// `INVALID_ARGUMENT` for an empty id; from the conversation `NOT_FOUND` where the service does not know the run, either not yet
/// (the record appears some seconds after the submission) or not any more.
pub fn status(service: &Service, execution_id: &str) -> Result<Dialogue<ExecutionStatus>> {
    let request = of_run(service, "GetExecutionSummaryStatus", execution_id)?;
    let id = execution_id.to_owned();
    let then = Then::ask(service, request, Repeat::Always, move |outcome| match outcome {
        Ok(response) => Ok(Then::Done(ExecutionStatus::parse(&text_of(&response)?))),
        // The text is translated, so the status alone counts.
        Err(failure) if failure.error.status == Some(400) => {
            let mut error = failure.error;
            error.code = ErrorCode::NotFound;
            error.message = format!("the service does not know the run {id}");
            error.hint = Some(
                "Right after the start: ask again in some seconds. Runs are forgotten after about 7 days."
                    .to_owned(),
            );
            Err(error)
        }
        Err(failure) => Err(failure.error),
    });
    Ok(Dialogue::new(service, then))
}

/// What the run did to each entity; empty where the service does not know the run.
///
/// # Errors
/// `INVALID_ARGUMENT` for an empty id; from the conversation what the request met.
pub fn summary(service: &Service, execution_id: &str) -> Result<Dialogue<Vec<EntityOutcome>>> {
    check_execution_id(execution_id)?;
    let request =
        list_request(service, DETAILS, &format!("JobId eq {}", quote(execution_id)), DETAIL_COLUMNS);
    let then = all_rows(service, request, |rows| {
        Ok(Then::Done(rows.into_iter().map(outcome_of).collect::<Result<_>>()?))
    });
    Ok(Dialogue::new(service, then))
}

/// The service's reasons, row by row. Empty also for a failed run whose rows were cleaned up, or where nothing was staged.
///
/// # Errors
/// `INVALID_ARGUMENT` for an empty id; from the conversation what the request met.
pub fn errors(service: &Service, execution_id: &str) -> Result<Dialogue<Vec<RowError>>> {
    let request = of_run(service, "GetExecutionErrors", execution_id)?;
    let then =
        Then::answer(service, request, Repeat::Always, |response| Ok(row_errors(&text_of(&response)?)));
    Ok(Dialogue::new(service, then))
}

/// The file of the rows of one entity that failed; none where there are none. For `Target` the service is told to write it, and
/// asked for it until it is there: after 1 s, pauses growing by half up to 30 s, for at most 10 minutes.
///
/// If the process dies meanwhile the same call begins anew: a file that was written already is written again.
///
/// # Errors
/// `INVALID_ARGUMENT` for an empty id or entity; from the conversation `JOB_STALLED` where the file does not appear.
pub fn error_file(
    service: &Service,
    execution_id: &str,
    entity: &str,
    kind: ErrorFile,
) -> Result<Dialogue<Option<RemoteFile>>> {
    check_execution_id(execution_id)?;
    if entity.trim().is_empty() {
        return Err(Error::argument("an error file belongs to an entity: name it"));
    }
    let label = service.catalog().find(entity).map_or(entity, |entity| entity.label.as_str());
    let ask = |name| actions::of_entity(service, name, execution_id, label);
    let then = match kind {
        ErrorFile::Staging => {
            let request = ask("GetImportStagingErrorFileUrl");
            let owned = service.clone();
            Then::answer(service, request.clone(), Repeat::Always, move |response| {
                file_of(&owned, &response, request)
            })
        }
        ErrorFile::Target => {
            let (owned, url) = (service.clone(), ask("GetImportTargetErrorKeysFileUrl"));
            Then::ask(service, ask("GenerateImportTargetErrorKeysFile"), Repeat::Always, move |outcome| {
                // Where there are no errors the URL would stay empty for ever.
                if !super::projects::flag_of(&outcome.map_err(|failure| failure.error)?)? {
                    return Ok(Then::Done(None));
                }
                Ok(await_file(owned, url, FILE_PAUSE, Duration::ZERO))
            })
        }
    };
    Ok(Dialogue::new(service, then))
}

/// The URL of an exported package. It carries its own right (a signature), so it is a secret, and it is short-lived: ask again
/// instead of keeping it.
///
/// # Errors
/// `INVALID_ARGUMENT` for an empty id; from the conversation `NOT_FOUND` while there is no package.
pub fn package_url(service: &Service, execution_id: &str) -> Result<Dialogue<String>> {
    let request = of_run(service, "GetExportedPackageUrl", execution_id)?;
    let (owned, id) = (service.clone(), execution_id.to_owned());
    let then = Then::answer(service, request, Repeat::Always, move |response| {
        let url = BlobUrl::of_read_answer(&owned, text_of(&response)?)?;
        url.map(|url| url.as_str().to_owned()).ok_or_else(|| {
            let mut error = Error::new(ErrorCode::NotFound, format!("the run {id} has no package, or not yet"))
                .hint("Only exports have one; it may appear a little after the run has ended. Ask again in some seconds.");
            error.retry_after = Some(5_000);
            error
        })
    });
    Ok(Dialogue::new(service, then))
}

/// The address of the run's page in Supply Chain Management.
///
/// # Errors
/// `INVALID_ARGUMENT` for an empty id; from the conversation what the request met.
pub fn page_url(service: &Service, execution_id: &str) -> Result<Dialogue<String>> {
    let request = of_run(service, "GetExecutionSummaryPageUrl", execution_id)?;
    let then = Then::answer(service, request, Repeat::Always, |response| text_of(&response));
    Ok(Dialogue::new(service, then))
}

/// The run that a queue's message became; none while the queue has not begun it.
///
/// # Errors
/// `INVALID_ARGUMENT` for an empty id; from the conversation what the request met.
pub fn of_message(service: &Service, message_id: &str) -> Result<Dialogue<Option<String>>> {
    super::queue::check_message_id(message_id)?;
    let request = actions::of_message(service, "GetExecutionIdByMessageId", "_messageId", message_id);
    let then = Then::answer(service, request, Repeat::Always, |response| {
        let id = text_of(&response)?;
        let id = id.trim().trim_matches(['{', '}']);
        Ok((!id.is_empty() && id != NO_RUN).then(|| id.to_owned()))
    });
    Ok(Dialogue::new(service, then))
}

/// Deletes the run's history, with its staged rows. Sent once: after a lost answer ask for the status, which is `NOT_FOUND` then.
///
/// # Errors
/// `INVALID_ARGUMENT` for an empty id; from the conversation what the request met.
pub fn delete(service: &Service, execution_id: &str) -> Result<Dialogue<()>> {
    let request = of_run(service, "DeleteExecutionHistoryJob", execution_id)?;
    Ok(Dialogue::new(service, Then::answer(service, request, Repeat::IfUnprocessed, |_| Ok(()))))
}

fn of_run(service: &Service, action: &str, execution_id: &str) -> Result<Request> {
    check_execution_id(execution_id)?;
    Ok(actions::of_execution(service, action, execution_id))
}

fn text_of(response: &Response) -> Result<String> {
    inner_text(response.text().unwrap_or_default())
}

fn file_of(service: &Service, response: &Response, renewal: Request) -> Result<Option<RemoteFile>> {
    let url = BlobUrl::of_read_answer(service, text_of(response)?)?;
    Ok(url.map(|url| RemoteFile::new(service.clone(), url.as_str().to_owned(), Some(renewal))))
}

fn await_file(
    service: Service,
    request: Request,
    pause: Duration,
    waited: Duration,
) -> Then<Option<RemoteFile>> {
    let owned = service.clone();
    Then::ask(&owned, request.clone(), Repeat::Always, move |outcome| {
        let response = outcome.map_err(|failure| failure.error)?;
        if let Some(file) = file_of(&service, &response, request.clone())? {
            return Ok(Then::Done(Some(file)));
        }
        if waited >= FILE_GRACE {
            return Err(Error::new(
                ErrorCode::JobStalled,
                format!(
                    "the service says that there are errors, but wrote no file of them within {} s",
                    FILE_GRACE.as_secs()
                ),
            )
            .hint(
                "Ask again later, or look into Data management > Job history > this run > View staging data.",
            ));
        }
        Ok(Then::later(pause, move || {
            let next = (pause + pause / 2).min(FILE_PAUSE_MAX);
            Ok(await_file(service, request, next, waited + pause))
        }))
    })
}

fn outcome_of(row: Map<String, Value>) -> Result<EntityOutcome> {
    let detail = Detail::from_value(Value::Object(row));
    detail.map(Detail::into_either).map_err(|why| {
        Error::new(ErrorCode::ServiceError, format!("the details of a run can't be read: {why}"))
    })
}

fn runs_of(rows: Vec<Map<String, Value>>) -> Result<Vec<Execution>> {
    let mut runs: Vec<Execution> = Vec::new();
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    for row in rows {
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (project, execution_id) = (text("DefinitionGroupId"), text("JobId"));
        let began = ["StagingStartDateTime", "TargetStartDateTime"]
            .map(text)
            .into_iter()
            .filter(|time| is_time(time))
            .min();
        let place = *places.entry((project.clone(), execution_id.clone())).or_insert(runs.len());
        if place == runs.len() {
            runs.push(Execution { execution_id, project, started: None, entities: Vec::new() });
        }
        let Some(run) = runs.get_mut(place) else { continue };
        run.started = run.started.take().into_iter().chain(began).min();
        run.entities.push(outcome_of(row)?);
    }
    // Texts of the same form and zone order as the times do.
    crate::order::sort_by(&mut runs, |a, b| match (&a.started, &b.started) {
        (Some(a), Some(b)) => b.cmp(a),
        (a, b) => a.is_some().cmp(&b.is_some()),
    });
    Ok(runs)
}

/// The service writes the year 1900 where there is no time.
fn is_time(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("1900-")
}

#[cfg(test)]
mod tests {
    use super::super::dialogue::bench::{Held, hold, says};
    use super::*;
    use crate::http::Input;

    fn service() -> Service {
        Service::new("https://c.example", None).unwrap()
    }

    fn value(value: impl Into<Value>) -> Input {
        says(200, serde_json::json!({ "value": value.into() }).to_string())
    }

    fn body<T>(held: &Held<T>, index: usize) -> String {
        String::from_utf8(held.asked[index].body.clone()).unwrap()
    }

    #[test]
    fn runs_are_told_newest_first_with_all_their_entities() {
        let row = |project: &str, job: &str, entity: &str, began: &str| {
            format!(
                r#"{{"DefinitionGroupId":"{project}","JobId":"{job}","EntityName":"{entity}","StagingStatus":"Finished","TargetStatus":"NotStarted","StagingStartDateTime":"{began}","TargetStartDateTime":"1900-01-01T00:00:00Z","StagingRecordsToBeProcessedCount":3,"StagingRecordsCreatedCount":3,"TargetRecordsCreatedCount":0,"TargetRecordsUpdatedCount":0}}"#
            )
        };
        let rows = [
            row("A", "1", "Vendors V2", "2026-03-02T10:00:00Z"),
            row("B", "2", "Sites V2", "2026-03-03T10:00:00Z"),
            row("A", "1", "Currencies", "2026-03-02T09:00:00Z"),
            row("A", "3", "Currencies", "1900-01-01T00:00:00Z"),
        ];
        let held = hold(
            list(&service(), None).unwrap(),
            vec![says(200, format!(r#"{{"value":[{}]}}"#, rows.join(",")))],
        );
        assert!(!held.asked[0].url.contains("$filter"));
        let runs = held.end.unwrap();
        let told: Vec<(&str, Option<&str>, usize)> = runs
            .iter()
            .map(|run| (run.execution_id.as_str(), run.started.as_deref(), run.entities.len()))
            .collect();
        assert_eq!(
            told,
            [("3", None, 1), ("2", Some("2026-03-03T10:00:00Z"), 1), ("1", Some("2026-03-02T09:00:00Z"), 2)]
        );
        // The target never ran: nothing was refused there.
        assert_eq!((runs[0].entities[0].created, runs[0].entities[0].errors), (None, Some(0)));
        let held = hold(list(&service(), Some("A b")).unwrap(), vec![says(200, r#"{"value":[]}"#)]);
        assert!(
            held.asked[0].url.contains("$filter=DefinitionGroupId%20eq%20'A%20b'&$select="),
            "{}",
            held.asked[0].url
        );
    }

    #[test]
    fn an_unknown_run_is_not_found_and_any_other_refusal_is_told() {
        let held = hold(status(&service(), "E").unwrap(), vec![value("PartiallySucceeded")]);
        assert_eq!(held.end.unwrap(), ExecutionStatus::PartiallySucceeded);
        let held =
            hold(status(&service(), "E").unwrap(), vec![says(400, r#"{"error":{"message":"unbekannt"}}"#)]);
        assert_eq!(held.end.unwrap_err().code, ErrorCode::NotFound);
        let held = hold(status(&service(), "E").unwrap(), vec![says(412, "")]);
        assert_eq!(held.end.unwrap_err().code, ErrorCode::PreconditionFailed);
        assert_eq!(status(&service(), " ").unwrap_err().code, ErrorCode::InvalidArgument);
    }

    #[test]
    fn the_keys_file_is_generated_and_awaited() {
        let target = || error_file(&service(), "E", "VendorsV2", ErrorFile::Target).unwrap();
        let url = "https://acct.blob.core.windows.net/dmf/k.csv?sig=S";
        let held = hold(target(), vec![value(true), value(""), value(""), value(url)]);
        assert!(held.asked[0].url.ends_with(".GenerateImportTargetErrorKeysFile"));
        assert!(held.asked[3].url.ends_with(".GetImportTargetErrorKeysFileUrl"));
        assert_eq!(body(&held, 3), r#"{"executionId":"E","entityName":"Vendors V2"}"#);
        assert_eq!(held.waited, Duration::from_millis(2_500));
        assert!(held.end.unwrap().is_some());
        let held = hold(target(), vec![value(false)]);
        assert!(held.end.unwrap().is_none(), "without errors nobody waits for their file");
        let mut answers = vec![value(true)];
        // 600 s in pauses of 1, 1.5, 2.25 … 30 s are 27 of them.
        answers.extend((0..28).map(|_| value("")));
        let held = hold(target(), answers);
        assert_eq!(held.end.unwrap_err().code, ErrorCode::JobStalled);
    }

    #[test]
    fn a_staging_file_is_there_or_not() {
        let staging = || error_file(&service(), "E", "Sites V2", ErrorFile::Staging).unwrap();
        assert!(hold(staging(), vec![value("")]).end.unwrap().is_none());
        let held = hold(staging(), vec![value("https://acct.blob.core.windows.net/dmf/k.csv?sig=S")]);
        assert!(held.asked[0].url.ends_with(".GetImportStagingErrorFileUrl"));
        assert!(held.end.unwrap().is_some());
        assert_eq!(
            hold(staging(), vec![value("http://evil.example/x")]).end.unwrap_err().code,
            ErrorCode::ServiceError
        );
    }

    #[test]
    fn the_zero_id_is_no_run() {
        let ask = |answer: &str| {
            let held = hold(of_message(&service(), "M").unwrap(), vec![value(answer)]);
            assert_eq!(body(&held, 0), r#"{"_messageId":"M"}"#);
            held.end.unwrap()
        };
        assert_eq!(ask(NO_RUN), None);
        assert_eq!(ask(""), None);
        assert_eq!(ask("5f1c").as_deref(), Some("5f1c"));
    }

    #[test]
    fn addresses_come_once_they_are_there_and_a_deletion_is_sent_once() {
        let url = "https://acct.blob.core.windows.net/dmf/p.zip?sig=S";
        assert_eq!(hold(package_url(&service(), "E").unwrap(), vec![value(url)]).end.unwrap(), url);
        let error = hold(package_url(&service(), "E").unwrap(), vec![value("")]).end.unwrap_err();
        assert_eq!((error.code, error.retry_after), (ErrorCode::NotFound, Some(5_000)));
        let wrapped = says(200, r#"{"value":{"value":"https://c.example/?mi=X"}}"#);
        assert_eq!(
            hold(page_url(&service(), "E").unwrap(), vec![wrapped]).end.unwrap(),
            "https://c.example/?mi=X"
        );
        hold(delete(&service(), "E").unwrap(), vec![says(204, "")]).end.unwrap();
        assert!(hold(delete(&service(), "E").unwrap(), vec![says(503, "")]).end.is_err());
    }

    #[test]
    fn what_a_run_did_is_told_for_both_directions() {
        let row = |target: &str, created: u32| {
            says(
                200,
                format!(
                    r#"{{"value":[{{"EntityName":"E","StagingStatus":"Finished","TargetStatus":"{target}","StagingRecordsToBeProcessedCount":5,"StagingRecordsCreatedCount":4,"TargetRecordsCreatedCount":{created},"TargetRecordsUpdatedCount":0}}]}}"#
                ),
            )
        };
        let told = |answer| {
            let outcome = hold(summary(&service(), "E").unwrap(), vec![answer]).end.unwrap().remove(0);
            (outcome.status, outcome.created, outcome.errors)
        };
        assert_eq!(told(row("Error", 1)), ("Error".to_owned(), Some(1), Some(4)));
        assert_eq!(told(row("NotRun", 0)), ("Finished".to_owned(), None, Some(1)));
        let held = hold(
            errors(&service(), "E").unwrap(),
            vec![value(r#"[{"RecordId":"1","Field":"","ErrorMessage":"a "b""}]"#)],
        );
        assert_eq!(held.end.unwrap()[0].message, "a \"b\"");
    }
}
