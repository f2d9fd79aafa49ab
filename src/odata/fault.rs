//! What the service says when it refuses, and which error that is.
//!
//! Shapes met: OData with `innererror`, OData with a code of its own, the web layer's `{"Message":…}`, plain text, HTML of a
//! gateway or of the sign-in page, nothing at all.

use serde_json::Value;

use crate::error::{Error, ErrorCode, ServiceWords};
use crate::fields::{Fields, FromValue};
use crate::http::{Method, Request, Response, redact_text, redact_url};

/// Longest text of the service that is kept, in characters: a stack trace helps nobody.
const KEPT: usize = 2_000;

/// What the service said, in its own words without noise.
#[must_use]
pub fn words_of(response: &Response) -> ServiceWords {
    let mut words = ServiceWords {
        request_id: response.header("x-ms-request-id").map(str::to_owned),
        activity_id: response.header("ms-dyn-aid").map(str::to_owned),
        ..ServiceWords::default()
    };
    let text = response.text().unwrap_or_default().trim();
    if let Some(payload) = serde_json::from_str(text).ok().and_then(|tree| Payload::from_value(tree).ok()) {
        let error = payload.error.unwrap_or_default();
        words.code = error.code.filter(|code| !code.is_empty());
        let inner = error.inner.and_then(|inner| inner.message).filter(|message| !message.trim().is_empty());
        let said = inner.clone().or(error.message).or(payload.message);
        words.inner = inner.map(|inner| cut(&redact_text(&inner)));
        words.message = said.map(|said| cut(&redact_text(&without_noise(&said))));
    } else if text.starts_with('<') {
        words.message = azure_message(text).or_else(|| title(text)).map(|said| cut(&redact_text(&said)));
    } else if !text.is_empty() {
        words.message = Some(cut(&redact_text(text)));
    }
    words
}

/// The error for an answer that is no success.
#[must_use]
pub fn failure_of(response: &Response, request: &Request) -> Error {
    let words = words_of(response);
    let said = words.message.clone().unwrap_or_default();
    let (code, hint) = classify(response, request, &said);
    let what = format!("{} {}", request.method.as_str(), redact_url(&request.url));
    let message = match (code, said.is_empty()) {
        (ErrorCode::AuthRejected, _) => {
            format!("{what}: the service does not accept the token (HTTP {})", response.status)
        }
        (_, true) => format!("{what}: HTTP {}", response.status),
        (_, false) => said,
    };
    let mut error = Error::new(code, message);
    error.status = Some(response.status);
    error.retry_after = response
        .header("retry-after")
        .and_then(|value| value.trim().parse::<u64>().ok())
        .map(|seconds| seconds.saturating_mul(1_000));
    error.hint = hint.map(str::to_owned);
    error.service = Some(Box::new(words));
    error
}

#[derive(Default)]
struct Payload {
    error: Option<Inner>,
    message: Option<String>,
}

impl FromValue for Payload {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let payload = Self { error: of.read("error"), message: of.text("Message") };
        of.finish_open(payload)
    }
}

#[derive(Default)]
struct Inner {
    code: Option<String>,
    message: Option<String>,
    inner: Option<Box<Inner>>,
}

impl FromValue for Inner {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let inner = Self {
            code: of.text("code"),
            message: of.text("message"),
            inner: of.read("innererror").map(Box::new),
        };
        of.finish_open(inner)
    }
}

fn classify(response: &Response, request: &Request, said: &str) -> (ErrorCode, Option<&'static str>) {
    if request.bearer && response.is_sign_in() {
        return (
            ErrorCode::AuthRejected,
            Some(
                "The token must be for this environment (its audience is the environment's root, lower case, without a \
                 trailing slash), come from the environment's own tenant, and not be expired. Check the base URL too.",
            ),
        );
    }
    if !request.bearer {
        return classify_storage(response);
    }
    let exists = said.contains("already exists");
    let conflict = said.contains("update conflict");
    match response.status {
        403 => (
            ErrorCode::Forbidden,
            Some("Give the service user a role that grants this entity, such as CLM integration role."),
        ),
        404 => (
            ErrorCode::NotFound,
            Some(
                "No such record or entity set: check the key, the company, and that the entity is in this version.",
            ),
        ),
        409 => (ErrorCode::Conflict, None),
        412 => (
            ErrorCode::PreconditionFailed,
            Some("The record changed since it was read: read it again and repeat."),
        ),
        429 => (
            ErrorCode::Throttled,
            Some("The service is busy. Wait, or lower the number of simultaneous calls."),
        ),
        400 | 500 if exists => (ErrorCode::Conflict, None),
        400 | 500 if conflict => {
            (ErrorCode::Conflict, Some("Another process changed the record: read it again and repeat."))
        }
        400 if said.contains("does not exist.") && said.contains("Data project") => {
            (ErrorCode::NotFound, Some("Create the data project first (`projects.ensure`)."))
        }
        400 if request.method == Method::Get => (ErrorCode::UnsupportedQuery, None),
        400 => (ErrorCode::ValidationFailed, None),
        500.. if said.contains("Infolog") => (ErrorCode::ValidationFailed, None),
        _ => (ErrorCode::ServiceError, None),
    }
}

/// Blob storage answers for itself: no token is involved, the URL carries the right.
fn classify_storage(response: &Response) -> (ErrorCode, Option<&'static str>) {
    match response.status {
        401 | 403 => (
            ErrorCode::Forbidden,
            Some(
                "The URL of the blob has probably expired (write URLs live about 35 minutes); ask for a new one.",
            ),
        ),
        404 => (ErrorCode::NotFound, Some("Packages are kept for 7 days; this one is gone.")),
        412 => (ErrorCode::PreconditionFailed, None),
        429 => (ErrorCode::Throttled, None),
        _ => (ErrorCode::ServiceError, None),
    }
}

/// Takes the reasons out of an Infolog, without the lines that say only that there was one.
fn without_noise(said: &str) -> String {
    const NOISE: [&str; 4] = [
        "validateWrite failed on data source",
        "Write failed for table row",
        "Update has been canceled",
        "Validations failed while writing",
    ];
    let (head, log) = said.split_once("Infolog:").unwrap_or(("", said));
    if head.is_empty() && !said.contains("Infolog:") {
        return said.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let mut reasons: Vec<String> = Vec::new();
    for part in log.split(';') {
        let mut reason = part.trim();
        for prefix in ["Info:", "Warning:", "Error:"] {
            reason = reason.strip_prefix(prefix).map_or(reason, str::trim);
        }
        let reason = reason.trim_end_matches('.').trim();
        let noise = NOISE.iter().any(|noise| reason.starts_with(noise));
        if !reason.is_empty() && !noise && !reasons.iter().any(|known| known == reason) {
            reasons.push(reason.to_owned());
        }
    }
    if reasons.is_empty() { said.trim().to_owned() } else { format!("{}.", reasons.join("; ")) }
}

/// `<Error><Code>AuthenticationFailed</Code><Message>…` of blob storage. `AuthenticationErrorDetail` echoes the string that
/// was signed and is left out.
fn azure_message(text: &str) -> Option<String> {
    let between = |open: &str, close: &str| {
        let (_, rest) = text.split_once(open)?;
        rest.split_once(close).map(|(inner, _)| inner.trim().to_owned())
    };
    let code = between("<Code>", "</Code>")?;
    let message = between("<Message>", "</Message>").unwrap_or_default();
    let first = message.lines().next().unwrap_or_default().trim().to_owned();
    Some(format!("{code}: {first}"))
}

fn title(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let end = lower.get(start..)?.find("</title>")? + start;
    text.get(start..end).map(|title| title.trim().to_owned()).filter(|title| !title.is_empty())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(KEPT) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(method: Method, status: u16, body: &str) -> Error {
        failure_of(&Response::new(status, body), &Request::new(method, "https://c.example/data/X"))
    }

    #[test]
    fn the_reasons_of_an_infolog_are_told_without_noise() {
        let body = r#"{"error":{"code":"","message":"An error has occurred.","innererror":{"message":
            "Write failed for table row of type 'LineEntity'. Infolog: Warning: Item number 1999 was not found.; Warning: Item number 1999 was not found.; Warning: validateWrite failed on data source 'Line (Line)'.",
            "type":"T","stacktrace":"   at Secret.Place()"}}}"#;
        let error = fault(Method::Post, 400, body);
        assert_eq!(error.code, ErrorCode::ValidationFailed);
        assert_eq!(error.message, "Item number 1999 was not found.");
        assert!(!error.service.as_deref().unwrap().inner.as_deref().unwrap().contains("Secret.Place"));
    }

    #[test]
    fn every_shape_is_read() {
        let said = |body: &str| words_of(&Response::new(400, body)).message.unwrap_or_default();
        assert_eq!(said(r#"{"Message":"No HTTP resource was found"}"#), "No HTTP resource was found");
        assert_eq!(said(r#"{"error":{"code":"BadQuery","message":"bad"}}"#), "bad");
        assert_eq!(said("plain words"), "plain words");
        assert_eq!(said("<html><head><title>502 Bad Gateway</title></head></html>"), "502 Bad Gateway");
        assert_eq!(
            said(
                "<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><Message>Server failed.\nRequestId:1</Message></Error>"
            ),
            "AuthenticationFailed: Server failed."
        );
        assert_eq!(said(""), "");
        assert_eq!(said("\u{feff}{\"Message\":\"m\"}"), "m");
    }

    #[test]
    fn codes_follow_status_and_verb() {
        assert_eq!(fault(Method::Get, 400, "").code, ErrorCode::UnsupportedQuery);
        assert_eq!(fault(Method::Post, 400, "").code, ErrorCode::ValidationFailed);
        assert_eq!(
            fault(Method::Post, 400, r#"{"Message":"The record already exists."}"#).code,
            ErrorCode::Conflict
        );
        assert_eq!(fault(Method::Get, 302, "").code, ErrorCode::AuthRejected);
        assert_eq!(fault(Method::Patch, 412, "").code, ErrorCode::PreconditionFailed);
        assert_eq!(fault(Method::Get, 503, "").code, ErrorCode::ServiceError);
        let html = Response::new(200, "<html>").with_header("Content-Type", "text/html; charset=utf-8");
        assert_eq!(
            failure_of(&html, &Request::new(Method::Get, "https://c.example/data/X")).code,
            ErrorCode::AuthRejected
        );
    }

    #[test]
    fn no_secret_of_a_url_or_an_answer_is_told() {
        let mut request = Request::new(Method::Put, "https://b.example/dmf/x.zip?sv=1&sig=SECRET");
        request.bearer = false;
        let body = "<Error><Code>AuthenticationFailed</Code><Message>x\ny</Message>\
                    <AuthenticationErrorDetail>sig=SECRET</AuthenticationErrorDetail></Error>";
        let error = failure_of(&Response::new(403, body), &request);
        assert_eq!(error.code, ErrorCode::Forbidden);
        assert!(!format!("{error:?}").contains("SECRET"));
    }
}
