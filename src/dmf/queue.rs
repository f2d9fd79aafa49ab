//! Queues of recurring data jobs ("Recurring integrations"): files and packages in, files and packages out. Not on-premises.
//!
//! Scheduling is the service's own: an administrator makes the recurring job, and hands over its activity id.
//!
//! # If the process dies while a queue is drained
//!
//! | after | what becomes of the message |
//! |---|---|
//! | [`dequeue`] was sent or answered | not acknowledged: offered again after 30 minutes, with [`Message::last_dequeued`] set |
//! | the download, or a part of it | the same |
//! | the handler, before [`Message::acknowledge`] was carried out | the same: the handler gets it a second time |
//! | the acknowledgement was carried out, answered or not | it is done, and does not come again |
//!
//! So no message is lost, and any may come twice; a handler that keeps the ids it has handled can tell. While a message waits for
//! its 30 minutes the queue looks empty, or gives the next one. The files live for 7 days.

use std::time::Duration;

use serde_json::Value;

use super::actions;
use super::dialogue::{Dialogue, Then};
use super::file::RemoteFile;
use crate::error::{Error, ErrorCode, Result};
use crate::fields::Fields;
use crate::http::{Failure, Method, Repeat, Request, Response};
use crate::odata::{Service, encode_query, inner_text};

/// An acknowledgement whose answer is lost, or that meets a breakdown, is sent so often in all.
const ACK_TRIES: u32 = 5;
/// Pause before the second try; doubled each time.
const ACK_PAUSE: Duration = Duration::from_secs(2);

/// A message that the queue has handed out.
#[derive(Clone)]
#[non_exhaustive]
pub struct Message {
    service: Service,
    activity: String,
    /// The answer as it came: the acknowledgement sends it back unchanged.
    body: String,
    /// Its correlation id, the same when it comes again.
    pub id: String,
    /// When it was handed out before, as the service writes it; none the first time.
    pub last_dequeued: Option<String>,
    location: Option<String>,
    problem: Option<String>,
}

/// Puts a file or package into the queue; yields the id of the message.
///
/// `entity` (label or collection) is needed for single files and left out for packages; `company` may be left out. Sent once: where
/// no answer comes, the message may be there or not.
///
/// # Errors
/// `INVALID_ARGUMENT` for an id that can't be one, and for an empty file; from the conversation `OUTCOME_UNKNOWN` after a lost
/// answer, `NOT_FOUND` and `FORBIDDEN` where the job or the right to use it is missing.
pub fn enqueue(
    service: &Service,
    activity_id: &str,
    bytes: Vec<u8>,
    entity: Option<&str>,
    company: Option<&str>,
    external_id: Option<&str>,
) -> Result<Dialogue<String>> {
    let activity = activity(activity_id)?;
    if bytes.is_empty() {
        return Err(Error::argument("an empty file would be no message"));
    }
    let mut options = Vec::new();
    if let Some(entity) = entity {
        let label = service.catalog().find(entity).map_or(entity, |entity| entity.label.as_str());
        options.push(format!("entity={}", encode_query(label)));
    }
    if let Some(company) = company.or(service.company.as_deref()) {
        options.push(format!("company={}", encode_query(company)));
    }
    let mark = if options.is_empty() { "" } else { "?" };
    let path = format!("enqueue/{activity}{mark}{}", options.join("&"));
    let mut request =
        connector(service, Method::Post, &path).header("content-type", "application/octet-stream");
    if let Some(id) = external_id {
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            return Err(Error::argument(
                "the external id is empty or has characters that no header can carry",
            ));
        }
        request = request.header("x-ms-dyn-externalidentifier", id);
    }
    request.timeout = service.submit_timeout;
    request.body = bytes;
    let then = Then::ask(service, request, Repeat::IfUnprocessed, |outcome| match outcome {
        Ok(response) => message_id(&response).map(Then::Done),
        Err(failure) if failure.maybe_processed && failure.error.status != Some(500) => {
            let mut error = failure.error;
            error.code = ErrorCode::OutcomeUnknown;
            error.message =
                format!("the message may have been put into the queue, or not: {}", error.message);
            error.hint = Some(
                "Look under Data management > Manage messages. Putting it in again may make a second message; an external id \
                 shows the pair."
                    .to_owned(),
            );
            Err(error)
        }
        Err(failure) => Err(of_queue(failure)),
    });
    Ok(Dialogue::new(service, then))
}

/// Takes the next message, or none. It stays in the queue until it is acknowledged. A repeat after a lost answer takes the next
/// one, and the first comes again after 30 minutes.
///
/// # Errors
/// `INVALID_ARGUMENT` for an id that can't be one; from the conversation `NOT_FOUND` and `FORBIDDEN` where the job or the right to
/// use it is missing, `SERVICE_ERROR` for an answer that can't be read.
pub fn dequeue(service: &Service, activity_id: &str) -> Result<Dialogue<Option<Message>>> {
    let activity = activity(activity_id)?;
    let request =
        connector(service, Method::Get, &format!("dequeue/{activity}")).header("accept", "application/json");
    let owned = service.clone();
    let then = Then::ask(service, request, Repeat::Always, |outcome| {
        Message::read(owned, activity, &outcome.map_err(of_queue)?).map(Then::Done)
    });
    Ok(Dialogue::new(service, then))
}

/// Where a message stands: `Enqueued`, `Dequeued`, `Downloaded`, `Acked`, `Preprocessing`, `Processing`, `Processed`,
/// `ProcessedWithErrors`, `PreProcessingError`, `PostProcessingFailed`. The service's sources spell some of them in two ways, and
/// its enum may come as an integer (unverified): those are made one; a word that is none of them is handed over as it came.
/// `Processed`, `ProcessedWithErrors`, `PreProcessingError` and `PostProcessingFailed` are final.
///
/// # Errors
/// `INVALID_ARGUMENT` for an empty id; from the conversation what the request met.
pub fn status(service: &Service, message_id: &str) -> Result<Dialogue<String>> {
    check_message_id(message_id)?;
    let request = actions::of_message(service, "GetMessageStatus", "messageId", message_id);
    let then = Then::answer(service, request, Repeat::Always, |response| {
        Ok(normal(&inner_text(response.text().unwrap_or_default())?))
    });
    Ok(Dialogue::new(service, then))
}

impl Message {
    fn read(service: Service, activity: String, response: &Response) -> Result<Option<Self>> {
        let body = response.text().unwrap_or_default();
        if response.status == 204 || matches!(body.trim(), "" | "null") {
            return Ok(None);
        }
        let unreadable = |why: &dyn std::fmt::Display| {
            Error::new(ErrorCode::ServiceError, format!("the message of the queue can't be read: {why}"))
                .hint("It was not acknowledged, and comes again after 30 minutes.")
        };
        let mut of = Fields::of(serde_json::from_str(body).map_err(|e| unreadable(&e))?);
        let there = of.flag("IsDownLoadFileExist") != Some(false);
        let told = of.text("FileDownLoadErrorMessage").filter(|text| !text.is_empty());
        let message = Self {
            service,
            activity,
            body: body.to_owned(),
            id: of.required("CorrelationId", Fields::text),
            last_dequeued: of
                .text("LastDequeueDateTime")
                .filter(|time| !time.is_empty() && !time.starts_with("0001-")),
            location: of.text("DownloadLocation").filter(|url| !url.is_empty()),
            problem: told.or_else(|| (!there).then(|| "there is no file".to_owned())),
        };
        of.finish_open(Some(message)).map_err(|why| unreadable(&why))
    }

    /// Its file. The bearer token goes along to the environment only.
    ///
    /// # Errors
    /// `SERVICE_ERROR` where the service has none: the message should not be acknowledged then.
    pub fn file(&self) -> Result<RemoteFile> {
        let location = match (&self.problem, &self.location) {
            (Some(problem), _) => Err(problem.as_str()),
            (None, None) => Err("the message has no address of it"),
            (None, Some(location)) => secure(&self.service, location).ok_or("its address is no web address"),
        };
        let location = location.map_err(|why| {
            let why = crate::http::redact_text(why);
            Error::new(ErrorCode::ServiceError, format!("the file of the message {} can't be had: {why}", self.id)).hint(
                "Look under Data management > Manage messages. The message was not acknowledged, and comes again after 30 minutes.",
            )
        })?;
        Ok(RemoteFile::new(self.service.clone(), location, None))
    }

    /// Tells the queue that the message was handled. Only then it does not come again.
    ///
    /// Sent again after a lost answer or a breakdown (5 times in all, after 2, 4, 8 and 16 s). What is refused after such a loss was
    /// acknowledged by the try before.
    #[must_use]
    pub fn acknowledge(&self) -> Dialogue<()> {
        let request =
            connector(&self.service, Method::Post, &format!("ack/{}", self.activity)).json(self.body.clone());
        Dialogue::new(&self.service, acknowledge(self.service.clone(), request, ACK_TRIES - 1, ACK_PAUSE))
    }
}

// By hand: the body holds the receipt, the location a signature.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "message {}", self.id)
    }
}

fn acknowledge(service: Service, request: Request, left: u32, pause: Duration) -> Then<()> {
    let owned = service.clone();
    Then::ask(&owned, request.clone(), Repeat::IfUnprocessed, move |outcome| match outcome {
        Ok(_) => Ok(Then::Done(())),
        // Only after a try whose outcome is unknown: the receipt is used up.
        Err(failure)
            if left < ACK_TRIES - 1 && matches!(failure.error.status, Some(400 | 404 | 409 | 410)) =>
        {
            Ok(Then::Done(()))
        }
        Err(failure) if failure.maybe_processed && left > 0 => {
            Ok(Then::later(pause, move || Ok(acknowledge(service, request, left - 1, pause * 2))))
        }
        Err(failure) => Err(of_queue(failure)),
    })
}

/// An id that the service gave for a message.
pub(super) fn check_message_id(id: &str) -> Result<()> {
    if id.trim().is_empty() || id.chars().any(char::is_control) {
        return Err(Error::argument("the message id is empty or has control characters"));
    }
    Ok(())
}

/// The activity id, with or without braces.
fn activity(id: &str) -> Result<String> {
    let bare = id.trim().trim_matches(['{', '}']);
    if bare.is_empty() || !bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(Error::argument(format!("\"{id}\" is no activity id"))
            .hint("It is the GUID that Data management > Manage scheduled data jobs shows as ID."));
    }
    Ok(bare.to_owned())
}

fn connector(service: &Service, method: Method, path: &str) -> Request {
    let mut request = Request::new(method, format!("{}/api/connector/{path}", service.base()));
    request.timeout = service.timeout;
    request
}

/// The service hands out http behind its load balancer; only a service on this machine means it.
fn secure(service: &Service, location: &str) -> Option<String> {
    match location.split_once("://") {
        Some(("https", _)) => Some(location.to_owned()),
        Some(("http", _)) if service.base().starts_with("http://") => Some(location.to_owned()),
        Some(("http", rest)) => {
            let (host, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
            Some(format!("https://{}{path}", host.strip_suffix(":80").unwrap_or(host)))
        }
        _ => None,
    }
}

/// `"guid"`, `{"value":"guid"}` or the bare text.
fn message_id(response: &Response) -> Result<String> {
    let text = response.text().unwrap_or_default().trim();
    let id = match serde_json::from_str(text) {
        Ok(Value::String(id)) => id,
        Ok(tree @ Value::Object(_)) => {
            tree.get("value").and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        _ => text.to_owned(),
    };
    let id = id.trim();
    if id.is_empty() || id.len() > 200 || id.contains(['<', '{', '[']) {
        return Err(Error::new(ErrorCode::ServiceError, "the queue took the message and gave no id of it"));
    }
    Ok(id.to_owned())
}

fn of_queue(failure: Failure) -> Error {
    let mut error = failure.error;
    let hint = match error.code {
        ErrorCode::NotFound => {
            "No such queue: the activity id is the ID that Data management > Manage scheduled data jobs shows for the recurring job."
        }
        ErrorCode::Forbidden => {
            "List the application's client id in the authorization policy of the recurring data job, and switch it on there."
        }
        _ => return error,
    };
    error.hint = Some(hint.to_owned());
    error
}

/// The documented spelling; a word that is not known stays.
fn normal(word: &str) -> String {
    /// In the order of the enum, with the spellings of the other sources.
    const WORDS: [(&str, &str); 10] = [
        ("Enqueued", ""),
        ("Dequeued", ""),
        ("Downloaded", ""),
        ("Acked", ""),
        ("Processing", "InProcess"),
        ("Processed", ""),
        ("ProcessedWithErrors", ""),
        ("PostProcessingFailed", "PostProcessingError PostProcessError"),
        ("PreProcessingError", "PreProcessError"),
        ("Preprocessing", ""),
    ];
    let word = word.trim();
    let by_number = word.parse::<usize>().ok().and_then(|index| WORDS.get(index));
    let by_name = || {
        WORDS.iter().find(|(name, others)| {
            name.eq_ignore_ascii_case(word) || others.split(' ').any(|other| other.eq_ignore_ascii_case(word))
        })
    };
    match by_number.or_else(by_name) {
        Some((name, _)) if !word.is_empty() => (*name).to_owned(),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::dialogue::bench::{Held, hold, lost, says};
    use super::*;

    const ACTIVITY: &str = "0e5c1a5d-7f5c-4a52-9a0e-0c5b2f3a7d11";
    const BODY: &str = "{\"CorrelationId\":\"adc1f450\",\"PopReceipt\":\"AgAAAA==\",\"DownloadLocation\":\"http://c.example:80/api/connector/download/0e5c?blob=b1\",\"Extra\":{\"b\":1,\"a\":[]},\"LastDequeueDateTime\":null}";

    fn service() -> Service {
        Service::new("https://c.example", Some("usmf")).unwrap()
    }

    fn put(answer: Vec<crate::http::Input>) -> Held<String> {
        hold(enqueue(&service(), ACTIVITY, b"PK".to_vec(), None, None, None).unwrap(), answer)
    }

    fn message(body: &str) -> Message {
        hold(dequeue(&service(), ACTIVITY).unwrap(), vec![says(200, body)]).end.unwrap().unwrap()
    }

    #[test]
    fn a_file_is_put_in_by_label_and_company() {
        let dialogue = enqueue(
            &service(),
            &format!("{{{ACTIVITY}}}"),
            b"a".to_vec(),
            Some("VendorsV2"),
            Some("de&mf"),
            Some("x 1"),
        );
        let held = hold(dialogue.unwrap(), vec![says(200, "\"guid-1\"")]);
        let request = &held.asked[0];
        assert_eq!(
            request.url,
            format!("https://c.example/api/connector/enqueue/{ACTIVITY}?entity=Vendors%20V2&company=de%26mf")
        );
        assert!(request.headers.contains(&("x-ms-dyn-externalidentifier", "x 1".to_owned())));
        assert_eq!((request.bearer, request.body.as_slice()), (true, b"a".as_slice()));
        assert_eq!(held.end.unwrap(), "guid-1");
    }

    #[test]
    fn the_id_comes_in_three_shapes_and_nothing_else_is_one() {
        for body in ["\"guid-1\"", "{\"value\":\"guid-1\"}", "\u{feff}guid-1\r\n"] {
            assert_eq!(put(vec![says(200, body)]).end.unwrap(), "guid-1", "{body}");
        }
        for body in ["", "{}", "<xml/>"] {
            assert_eq!(put(vec![says(200, body)]).end.unwrap_err().code, ErrorCode::ServiceError, "{body}");
        }
    }

    #[test]
    fn a_lost_answer_to_a_put_is_never_repeated() {
        for answer in [lost(), says(504, "")] {
            assert_eq!(put(vec![answer]).end.unwrap_err().code, ErrorCode::OutcomeUnknown);
        }
        assert_eq!(put(vec![says(500, "")]).end.unwrap_err().code, ErrorCode::ServiceError);
        let error = put(vec![says(404, "")]).end.unwrap_err();
        assert!(error.hint.as_deref().unwrap().contains("Manage scheduled data jobs"));
        for id in ["", "a/b", "{}"] {
            assert_eq!(dequeue(&service(), id).unwrap_err().code, ErrorCode::InvalidArgument, "{id}");
        }
        assert!(enqueue(&service(), ACTIVITY, Vec::new(), None, None, None).is_err());
    }

    #[test]
    fn an_empty_queue_gives_none_and_a_message_is_acknowledged_as_it_came() {
        assert!(hold(dequeue(&service(), ACTIVITY).unwrap(), vec![says(204, "")]).end.unwrap().is_none());
        let message = message(BODY);
        assert_eq!((message.id.as_str(), message.last_dequeued.as_deref()), ("adc1f450", None));
        let held = hold(message.acknowledge(), vec![says(200, "")]);
        assert_eq!(held.asked[0].url, format!("https://c.example/api/connector/ack/{ACTIVITY}"));
        assert_eq!(held.asked[0].body, BODY.as_bytes());
        assert!(!format!("{message:?}").contains("AgAAAA"));
        let again = BODY.replace("null", "\"2026-03-02T10:00:00Z\"");
        assert_eq!(super::tests::message(&again).last_dequeued.as_deref(), Some("2026-03-02T10:00:00Z"));
        let broken = hold(dequeue(&service(), ACTIVITY).unwrap(), vec![says(200, "{\"PopReceipt\":\"x\"}")]);
        assert_eq!(broken.end.unwrap_err().code, ErrorCode::ServiceError);
    }

    #[test]
    fn an_acknowledgement_is_repeated_and_a_used_receipt_after_that_is_none_too_many() {
        let held = hold(message(BODY).acknowledge(), vec![lost(), says(503, ""), says(404, "")]);
        held.end.unwrap();
        assert_eq!(held.waited, Duration::from_secs(6));
        let held = hold(message(BODY).acknowledge(), vec![says(404, "")]);
        assert_eq!(held.end.unwrap_err().code, ErrorCode::NotFound, "the first try was surely looked at");
        let held = hold(message(BODY).acknowledge(), (0..5).map(|_| lost()).collect());
        assert_eq!(held.end.unwrap_err().code, ErrorCode::Network);
        assert_eq!(held.waited, Duration::from_secs(30));
    }

    #[test]
    fn the_token_goes_to_the_environment_and_over_tls() {
        let asked =
            |body: &str| hold(message(body).file().unwrap().read(0..9), vec![says(200, "x")]).asked.remove(0);
        let own = asked(BODY);
        assert_eq!(own.url, "https://c.example/api/connector/download/0e5c?blob=b1");
        assert!(own.bearer);
        let storage = asked(&BODY.replace("http://c.example:80", "https://acct.blob.core.windows.net"));
        assert!(!storage.bearer);
        assert_eq!(secure(&service(), "http://127.0.0.1:9/x").as_deref(), Some("https://127.0.0.1:9/x"));
        let sandbox = Service::new("http://127.0.0.1:9", None).unwrap();
        assert_eq!(secure(&sandbox, "http://127.0.0.1:9/x").as_deref(), Some("http://127.0.0.1:9/x"));
        assert_eq!(secure(&service(), "file:///etc/passwd"), None);
        let gone = BODY.replace("\"Extra\"", "\"IsDownLoadFileExist\":false,\"Extra\"");
        assert_eq!(message(&gone).file().unwrap_err().code, ErrorCode::ServiceError);
    }

    #[test]
    fn words_of_both_sources_are_one() {
        let said = |word: &str| {
            let answer = says(200, format!("{{\"value\":\"{word}\"}}"));
            hold(status(&service(), "M").unwrap(), vec![answer]).end.unwrap()
        };
        for (theirs, ours) in [
            ("PostProcessingError", "PostProcessingFailed"),
            ("PostProcessingFailed", "PostProcessingFailed"),
            ("PreProcessing", "Preprocessing"),
            ("Preprocessing", "Preprocessing"),
            ("InProcess", "Processing"),
            ("PreProcessError", "PreProcessingError"),
            ("8", "PreProcessingError"),
            ("Something", "Something"),
            ("", ""),
        ] {
            assert_eq!(said(theirs), ours, "{theirs}");
        }
        assert!(status(&service(), "").is_err());
    }
}
