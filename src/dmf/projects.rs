//! Data projects as the service has them: listed, read, deleted, their markers reset. What makes or corrects one is `ensure`.
//!
//! Neither of the two sets belongs to a company; all companies see a project.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::actions;
use super::dialogue::{Dialogue, Then, all_rows};
use super::project::check_stored_name;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Repeat, Request, Response};
use crate::odata::{Service, action_value, encode_segment, list_request, quote};

pub(super) const PROJECTS: &str = "DataManagementDefinitionGroups";
pub(super) const LINES: &str = "DataManagementDefinitionGroupDetails";
/// Columns of a line that are read: without the packed filter, which may be long.
const COLUMNS: &str = "DefinitionGroupId,EntityName,SourceFormat,ExecutionUnit,LevelInExecutionUnit,SequenceInLevel,\
                       DefaultRefreshType,FailLevelOnError,FailExecutionUnitOnError,RunBusinessLogic,RunBusinessValidation,\
                       SkipStaging,Disable,ExcelSheetName";
/// What the source of change tracking is called: a guess from a wrapper of the action (unverified).
const SOURCE: &str = "AX";

/// All projects with their lines, each in the spelling of [`DataProject`](super::DataProject): what comes out can go into
/// [`Ensure`](super::Ensure) and changes nothing. Projects made by hand may have words that `DataProject` does not know
/// (operation `All` or `Company`, category `CDS`).
///
/// Both sets are read whole, 10,000 rows a page.
#[must_use]
pub fn list(service: &Service) -> Dialogue<Vec<Value>> {
    let first = service.request(Method::Get, PROJECTS);
    let owned = service.clone();
    let then = all_rows(service, first, move |projects| {
        let lines = owned.request(Method::Get, &format!("{LINES}?$select={COLUMNS}"));
        Ok(all_rows(&owned, lines, move |lines| Ok(Then::Done(joined(&projects, &lines)))))
    });
    Dialogue::new(service, then)
}

/// One project, as [`list`] tells it, or none.
///
/// # Errors
/// `INVALID_ARGUMENT` for a name that no project can have; from the conversation what the request met.
pub fn get(service: &Service, name: &str) -> Result<Dialogue<Option<Value>>> {
    check_stored_name(name)?;
    let lines = list_request(service, LINES, &format!("DefinitionGroupId eq {}", quote(name)), COLUMNS);
    let owned = service.clone();
    let then = Then::ask(service, by_name(service, Method::Get, name), Repeat::Always, move |outcome| {
        let response = match outcome {
            Err(failure) if is_absent(failure.error.status) => return Ok(Then::Done(None)),
            outcome => outcome.map_err(|failure| failure.error)?,
        };
        let project = record(&response)?;
        Ok(all_rows(&owned, lines, move |lines| Ok(Then::Done(joined(&[project], &lines).pop()))))
    });
    Ok(Dialogue::new(service, then))
}

/// Deletes the project with its lines, mappings and filters; its runs stay. One that is not there counts as deleted, so the call
/// may be repeated, also after the process died on the way.
///
/// # Errors
/// `INVALID_ARGUMENT` for a name that no project can have; from the conversation what the service says where the project is still
/// there.
pub fn delete(service: &Service, name: &str) -> Result<Dialogue<()>> {
    check_stored_name(name)?;
    let look = by_name(service, Method::Get, name);
    let owned = service.clone();
    let then = Then::ask(service, by_name(service, Method::Delete, name), Repeat::Always, move |outcome| {
        let refused = match outcome {
            Ok(_) => return Ok(Then::Done(())),
            Err(failure) if failure.error.status == Some(404) => return Ok(Then::Done(())),
            // 400 is "not there" too, or a refusal with a reason; a lost answer may be either.
            Err(failure) if failure.maybe_processed || failure.error.status == Some(400) => failure.error,
            Err(failure) => return Err(failure.error),
        };
        Ok(Then::ask(&owned, look, Repeat::Always, |outcome| match outcome {
            Err(failure) if is_absent(failure.error.status) => Ok(Then::Done(())),
            _ => Err(refused),
        }))
    });
    Ok(Dialogue::new(service, then))
}

/// Lets the next incremental export of the entity start over; false where the service had nothing to reset. May be repeated.
///
/// Known by its name and parameters only, not from any documentation (unverified): after it treat the next package as a full or a
/// partial one. A project with full exports is the surer way.
///
/// # Errors
/// `INVALID_ARGUMENT` for a name that no project can have, or an empty entity; from the conversation `NOT_FOUND` where the project
/// is not there.
pub fn reset_tracking(service: &Service, name: &str, entity: &str) -> Result<Dialogue<bool>> {
    check_stored_name(name)?;
    if entity.trim().is_empty() {
        return Err(Error::argument("change tracking belongs to an entity: name it"));
    }
    let label = service.catalog().find(entity).map_or(entity, |entity| entity.label.as_str());
    let request = actions::reset_version_token(service, name, label, SOURCE);
    Ok(Dialogue::new(service, Then::answer(service, request, Repeat::Always, |response| flag_of(&response))))
}

/// The project by its key.
pub(super) fn by_name(service: &Service, method: Method, name: &str) -> Request {
    service.request(method, &format!("{PROJECTS}({})", encode_segment(&quote(name))))
}

/// A line by its key.
pub(super) fn line_by_key(service: &Service, method: Method, project: &str, label: &str) -> Request {
    let key = format!("DefinitionGroupId={},EntityName={}", quote(project), quote(label));
    service.request(method, &format!("{LINES}({})", encode_segment(&key)))
}

/// The service says 400 too where there is no such project (field report).
pub(super) const fn is_absent(status: Option<u16>) -> bool {
    matches!(status, Some(400 | 404))
}

/// The record of an answer.
pub(super) fn record(response: &Response) -> Result<Map<String, Value>> {
    serde_json::from_str(response.text().unwrap_or_default())
        .map_err(|_| Error::new(ErrorCode::ServiceError, "the data project can't be read"))
}

/// The value of an action that says yes or no.
pub(super) fn flag_of(response: &Response) -> Result<bool> {
    let value = action_value(response.text().unwrap_or_default())?.unwrap_or_default();
    match value.trim_matches('"') {
        "true" | "True" => Ok(true),
        "false" | "False" => Ok(false),
        _ => Err(Error::new(
            ErrorCode::ServiceError,
            "the action answered with something else than true or false",
        )),
    }
}

fn joined(projects: &[Map<String, Value>], lines: &[Map<String, Value>]) -> Vec<Value> {
    let mut of_project: HashMap<&str, Vec<Value>> = HashMap::new();
    for line in lines {
        of_project.entry(text(line, "DefinitionGroupId")).or_default().push(line_of(line));
    }
    projects
        .iter()
        .map(|project| {
            let name = text(project, "Name");
            let mut told = json!({ "name": name, "operation": text(project, "OperationType") });
            if let Some(told) = told.as_object_mut() {
                for (ours, theirs) in [("description", "Description"), ("category", "ProjectCategory")] {
                    let text = text(project, theirs);
                    if !text.is_empty() {
                        told.insert(ours.to_owned(), text.into());
                    }
                }
                told.insert("entities".to_owned(), of_project.remove(name).unwrap_or_default().into());
            }
            told
        })
        .collect()
}

fn line_of(line: &Map<String, Value>) -> Value {
    const NAMES: [(&str, &str); 13] = [
        ("entity", "EntityName"),
        ("format", "SourceFormat"),
        ("executionUnit", "ExecutionUnit"),
        ("level", "LevelInExecutionUnit"),
        ("sequence", "SequenceInLevel"),
        ("refresh", "DefaultRefreshType"),
        ("failLevelOnError", "FailLevelOnError"),
        ("failExecutionUnitOnError", "FailExecutionUnitOnError"),
        ("runBusinessLogic", "RunBusinessLogic"),
        ("runBusinessValidation", "RunBusinessValidation"),
        ("skipStaging", "SkipStaging"),
        ("disabled", "Disable"),
        ("sheet", "ExcelSheetName"),
    ];
    let mut told = Map::new();
    for (ours, theirs) in NAMES {
        let value = match line.get(theirs) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) if text.is_empty() => continue,
            // Flags are words of the enum NoYes; no other column has them as values that matter.
            Some(Value::String(text)) if text == "Yes" && !matches!(ours, "entity" | "sheet") => true.into(),
            Some(Value::String(text)) if text == "No" && !matches!(ours, "entity" | "sheet") => false.into(),
            Some(value) => value.clone(),
        };
        told.insert(ours.to_owned(), value);
    }
    Value::Object(told)
}

fn text<'a>(row: &'a Map<String, Value>, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::dialogue::bench::{hold, lost, says};
    use super::*;
    use crate::dmf::DataProject;

    fn service() -> Service {
        Service::new("https://c.example", Some("usmf")).unwrap()
    }

    const PROJECT: &str = r#"{"@odata.etag":"W/\"x\"","Name":"A/B","OperationType":"Export","ProjectCategory":"Project","Description":""}"#;
    const LINE: &str = r#"{"DefinitionGroupId":"A/B","EntityName":"Vendors V2","SourceFormat":"XML-Element","ExecutionUnit":1,
        "LevelInExecutionUnit":2,"SequenceInLevel":3,"DefaultRefreshType":"IncrementalPush","SkipStaging":"No","Disable":"Yes","ExcelSheetName":""}"#;

    #[test]
    fn a_project_is_told_in_the_spelling_in_which_it_can_be_ensured() {
        let held = hold(
            get(&service(), "A/B").unwrap(),
            vec![says(200, PROJECT), says(200, format!(r#"{{"value":[{LINE}]}}"#))],
        );
        assert_eq!(held.asked[0].url, "https://c.example/data/DataManagementDefinitionGroups('A%2FB')");
        let told = held.end.unwrap().unwrap();
        assert_eq!(
            told,
            json!({ "name": "A/B", "operation": "Export", "category": "Project", "entities": [{
                "entity": "Vendors V2", "format": "XML-Element", "executionUnit": 1, "level": 2, "sequence": 3,
                "refresh": "IncrementalPush", "skipStaging": false, "disabled": true }] })
        );
        let again: DataProject = serde_json::from_value(told).unwrap();
        again.check().unwrap();
    }

    #[test]
    fn not_there_is_said_with_two_statuses() {
        for status in [400, 404] {
            assert_eq!(
                hold(get(&service(), "P").unwrap(), vec![says(status, "")]).end.unwrap(),
                None,
                "{status}"
            );
        }
        assert!(hold(get(&service(), "P").unwrap(), vec![says(409, "")]).end.is_err());
        assert_eq!(get(&service(), " ").unwrap_err().code, ErrorCode::InvalidArgument);
        // The service can't run such a project, but it can be looked at and deleted.
        let held = hold(get(&service(), "Bob's").unwrap(), vec![says(404, "")]);
        assert!(held.asked[0].url.ends_with("('Bob''s')"), "{}", held.asked[0].url);
    }

    #[test]
    fn the_lines_of_all_projects_are_joined() {
        let other = PROJECT.replace("A/B", "C");
        let held = hold(
            list(&service()),
            vec![
                says(200, format!(r#"{{"value":[{other},{PROJECT}]}}"#)),
                says(200, format!(r#"{{"value":[{LINE}]}}"#)),
            ],
        );
        let told = held.end.unwrap();
        assert_eq!(told[0]["entities"], json!([]));
        assert_eq!(told[1]["entities"][0]["entity"], "Vendors V2");
        assert!(
            held.asked.iter().all(|request| !request.url.contains("cross-company")),
            "they belong to no company"
        );
    }

    #[test]
    fn a_deletion_is_over_when_the_project_is_not_there() {
        let ends = |answers| hold(delete(&service(), "P").unwrap(), answers).end;
        ends(vec![says(204, "")]).unwrap();
        ends(vec![says(404, "")]).unwrap();
        ends(vec![says(400, ""), says(400, "")]).unwrap();
        ends(vec![lost(), says(404, "")]).unwrap();
        let used = r#"{"error":{"message":"A recurring job uses the project."}}"#;
        let error = ends(vec![says(400, used), says(200, PROJECT)]).unwrap_err();
        assert_eq!(error.message, "A recurring job uses the project.");
        assert_eq!(ends(vec![says(412, "")]).unwrap_err().code, ErrorCode::PreconditionFailed);
    }

    #[test]
    fn the_marker_is_reset_by_label() {
        let held =
            hold(reset_tracking(&service(), "P", "VendorsV2").unwrap(), vec![says(200, r#"{"value":true}"#)]);
        assert!(held.end.unwrap());
        assert_eq!(
            String::from_utf8(held.asked[0].body.clone()).unwrap(),
            r#"{"definitionGroupId":"P","entityName":"Vendors V2","sourceName":"AX"}"#
        );
        let held = hold(reset_tracking(&service(), "P", "X").unwrap(), vec![says(200, r#"{"value":"x"}"#)]);
        assert_eq!(held.end.unwrap_err().code, ErrorCode::ServiceError);
    }
}
