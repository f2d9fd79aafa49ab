//! What the service says when it refuses, and which error that is.
//!
//! Shapes met: OData with `innererror`, OData with a code of its own, the web layer's `{"Message":…}`, plain text, HTML of a
//! gateway or of the sign-in page, nothing at all.

use serde_json::Value;

use crate::error::{Error, ErrorCode, ServiceWords};
use crate::fields::{Fields, FromValue};
use crate::http::{Method, Request, Response, Timestamp, redact_text, redact_url};

/// Longest text of the service that is kept, in characters: a stack trace helps nobody.
const KEPT: usize = 2_000;

/// What the service said, in its own words without noise.
#[must_use]
pub fn words_of(response: &Response) -> ServiceWords {
    let mut words = ServiceWords {
        request_id: first(response, &["x-ms-request-id", "request-id", "x-ms-client-request-id"]),
        activity_id: first(response, &["ms-dyn-aid", "x-ms-activity-id"]),
        ..ServiceWords::default()
    };
    let text = response.text().unwrap_or_default().trim();
    if let Some(payload) = serde_json::from_str(text).ok().and_then(|tree| Payload::from_value(tree).ok()) {
        let error = payload.error.unwrap_or_default();
        words.code = error.code.filter(|code| !code.is_empty());
        let inner = error.inner.and_then(|inner| inner.words());
        let said = inner.clone().or(error.message).or(payload.message).filter(|said| !said.trim().is_empty());
        words.inner = inner.map(|inner| cut(&redact_text(&inner)));
        words.message = said.map(|said| cut(&redact_text(&without_noise(&said))));
    } else if text.starts_with('<') {
        let said = azure_message(text).or_else(|| title(text));
        words.message = said.map(|said| cut(&redact_text(&without_noise(&said))));
    } else if !text.is_empty() {
        words.message = Some(cut(&redact_text(&without_noise(text))));
    }
    words
}

/// The error for an answer that is no success.
#[must_use]
pub fn failure_of(response: &Response, request: &Request) -> Error {
    let words = words_of(response);
    let said = words.message.clone().unwrap_or_default();
    let (code, hint) = classify(response, request, &words);
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
    error.retry_after = retry_after(response);
    error.hint = hint.map(str::to_owned);
    error.service = Some(Box::new(words));
    error
}

/// Milliseconds. A date counts from the answer's own: there is no clock here.
fn retry_after(response: &Response) -> Option<u64> {
    let value = response.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(seconds.saturating_mul(1_000));
    }
    let answered = Timestamp::parse_http_date(response.header("date")?)?;
    let wait = Timestamp::parse_http_date(value)?.since(answered);
    u64::try_from(wait.as_millis()).ok()
}

/// Which of the names an environment uses is not documented.
fn first(response: &Response, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| response.header(name)).map(str::to_owned)
}

#[derive(Default)]
struct Payload {
    error: Option<Inner>,
    message: Option<String>,
}

impl FromValue for Payload {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        // Some layers write the error as a text, and the message in lower case.
        let error = of.value("error");
        let message = of.text("Message").or_else(|| of.text("message"));
        let payload = match error {
            Some(Value::String(text)) => {
                let message = message.or_else(|| of.text("error_description")).or(Some(text));
                Self { error: None, message }
            }
            Some(error) => Self { error: Some(Inner::from_value(error)?), message },
            None => Self { error: None, message },
        };
        of.finish_open(payload)
    }
}

#[derive(Default)]
struct Inner {
    code: Option<String>,
    message: Option<String>,
    inner: Option<Box<Inner>>,
}

impl Inner {
    /// The outermost words: what is inside of them repeats them, or tells of the program.
    fn words(self) -> Option<String> {
        let own = self.message.filter(|message| !message.trim().is_empty());
        own.or_else(|| self.inner.and_then(|inner| inner.words()))
    }
}

impl FromValue for Inner {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let inner = Self {
            code: of.text("code"),
            message: of.text("message"),
            inner: of.read("innererror").or_else(|| of.read("internalexception")).map(Box::new),
        };
        of.finish_open(inner)
    }
}

fn classify(
    response: &Response,
    request: &Request,
    words: &ServiceWords,
) -> (ErrorCode, Option<&'static str>) {
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
    let said = words.message.as_deref().unwrap_or_default();
    // English only: with another language of the service user these stay VALIDATION_FAILED, with the words.
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
        409 => (ErrorCode::Conflict, Some("The record was created or changed meanwhile: read it again.")),
        412 => (
            ErrorCode::PreconditionFailed,
            Some("The record changed since it was read: read it again and repeat."),
        ),
        414 => (ErrorCode::UnsupportedQuery, Some("The URL is too long: ask for fewer values at a time.")),
        429 => (
            ErrorCode::Throttled,
            Some("The service is busy. Wait, or lower the number of simultaneous calls."),
        ),
        400 | 500 if exists => (
            ErrorCode::Conflict,
            Some("Read the record that is there, and change it in place of creating it."),
        ),
        400 | 500 if conflict => {
            (ErrorCode::Conflict, Some("Another process changed the record: read it again and repeat."))
        }
        400 if said.contains("does not exist.") && said.contains("Data project") => {
            (ErrorCode::NotFound, Some("Create the data project first (`projects.ensure`)."))
        }
        400 if request.method == Method::Get && by_key(&request.url) => (
            ErrorCode::UnsupportedQuery,
            Some(
                "Some entities answer so where there is no such record; a list with a filter on the key tells for certain.",
            ),
        ),
        400 if request.method == Method::Get || words.code.as_deref() == Some("BadQuery") => (
            ErrorCode::UnsupportedQuery,
            Some("Check the names (their case counts) and what the service supports in a query."),
        ),
        400 => (ErrorCode::ValidationFailed, Some(RULES)),
        500 if words.inner.as_deref().is_some_and(|inner| inner.contains("Infolog:")) => {
            (ErrorCode::ValidationFailed, Some(RULES))
        }
        502..=504 => (
            ErrorCode::ServiceError,
            Some("The environment may be restarting or in maintenance: the first calls after that are slow."),
        ),
        _ => (
            ErrorCode::ServiceError,
            Some("If it stays so, hand the activity id and the time of the call to the vendor's support."),
        ),
    }
}

const RULES: &str = "The rules of Supply Chain Management refused the data: correct what the message names, or the setup behind it.";

/// Whether one record was asked for by its key, and nothing that a query could have wrong.
fn by_key(url: &str) -> bool {
    let (path, options) = url.split_once('?').unwrap_or((url, ""));
    path.ends_with(')') && matches!(options, "" | "cross-company=true")
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

    /// Verb and URL, status, content type, body: code, message, whether a hint goes along.
    #[test]
    fn every_answer_of_the_reference_has_its_code_and_words() {
        const SET: &str = "https://c.example/data/VendorsV2?$filter=X";
        const KEY: &str = "https://c.example/data/VendorsV2('1')?cross-company=true";
        const ODATA: &str = r#"{"error":{"code":"","message":"An error has occurred.","innererror":{"message":"INNER","type":"T","stacktrace":"at Secret"}}}"#;
        let inner = |text: &str| ODATA.replace("INNER", text);
        let conflict = "An update conflict occurred due to another user process deleting the record or changing one or more fields in the record.";
        let infolog = "Write failed for table row of type 'E'. Infolog: Error: Menge fehlt.; Warning: validateWrite failed on data source 'E (E)'.";
        let busy = "Number of requests exceeded the limit of 6000 over the time window of 300 seconds.";
        let html = "<html><head><title>Service\n Unavailable</title></head><body>x</body></html>";
        use ErrorCode as C;
        use Method::{Delete, Get, Patch, Post};
        let table: Vec<(Method, &str, u16, &str, String, ErrorCode, &str)> = vec![
            (
                Post,
                SET,
                400,
                "json",
                inner("Item 1 was not found."),
                C::ValidationFailed,
                "Item 1 was not found.",
            ),
            (Post, SET, 400, "json", inner(infolog), C::ValidationFailed, "Menge fehlt."),
            (Post, SET, 500, "json", inner(infolog), C::ValidationFailed, "Menge fehlt."),
            (Post, SET, 500, "json", inner("Division by zero."), C::ServiceError, "Division by zero."),
            (Patch, KEY, 400, "json", inner(conflict), C::Conflict, conflict),
            (Patch, KEY, 500, "json", inner(conflict), C::Conflict, conflict),
            (
                Patch,
                KEY,
                400,
                "json",
                inner("Ein Aktualisierungskonflikt."),
                C::ValidationFailed,
                "Ein Aktualisierungskonflikt.",
            ),
            (
                Patch,
                KEY,
                409,
                "json",
                String::new(),
                C::Conflict,
                "PATCH https://c.example/data/VendorsV2('1')?cross-company=…: HTTP 409",
            ),
            (Delete, KEY, 412, "json", inner(" "), C::PreconditionFailed, "An error has occurred."),
            (
                Get,
                SET,
                400,
                "json",
                r#"{"error":{"code":"BadQuery","message":"Syntax error."}}"#.into(),
                C::UnsupportedQuery,
                "Syntax error.",
            ),
            (
                Post,
                SET,
                400,
                "json",
                r#"{"error":{"code":"BadQuery","message":"Syntax error."}}"#.into(),
                C::UnsupportedQuery,
                "Syntax error.",
            ),
            (
                Get,
                KEY,
                400,
                "json",
                inner("Der Datensatz ist nicht da."),
                C::UnsupportedQuery,
                "Der Datensatz ist nicht da.",
            ),
            (
                Get,
                KEY,
                404,
                "json",
                r#"{"Message":"No HTTP resource was found"}"#.into(),
                C::NotFound,
                "No HTTP resource was found",
            ),
            (Get, SET, 403, "text", "Forbidden".into(), C::Forbidden, "Forbidden"),
            (
                Get,
                SET,
                401,
                "json",
                String::new(),
                C::AuthRejected,
                "GET https://c.example/data/VendorsV2?$filter=…: the service does not accept the token (HTTP 401)",
            ),
            (
                Get,
                SET,
                302,
                "html",
                html.into(),
                C::AuthRejected,
                "GET https://c.example/data/VendorsV2?$filter=…: the service does not accept the token (HTTP 302)",
            ),
            (
                Get,
                SET,
                200,
                "html",
                html.into(),
                C::AuthRejected,
                "GET https://c.example/data/VendorsV2?$filter=…: the service does not accept the token (HTTP 200)",
            ),
            (
                Get,
                SET,
                414,
                "html",
                String::new(),
                C::UnsupportedQuery,
                "GET https://c.example/data/VendorsV2?$filter=…: HTTP 414",
            ),
            (Post, SET, 429, "text", busy.into(), C::Throttled, busy),
            (Get, SET, 503, "html", html.into(), C::ServiceError, "Service Unavailable"),
            (
                Get,
                SET,
                504,
                "text",
                String::new(),
                C::ServiceError,
                "GET https://c.example/data/VendorsV2?$filter=…: HTTP 504",
            ),
            (Get, SET, 500, "json", r#"{"error":"threw"}"#.into(), C::ServiceError, "threw"),
            (
                Get,
                SET,
                500,
                "json",
                r#"{"error":{"message":"","innererror":{"internalexception":{"message":"deep"}}}}"#.into(),
                C::ServiceError,
                "deep",
            ),
        ];
        for (method, url, status, kind, body, code, message) in table {
            let content_type =
                if kind == "json" { "application/json".to_owned() } else { format!("text/{kind}") };
            let response = Response::new(status, body.as_str()).with_header("content-type", &content_type);
            let error = failure_of(&response, &Request::new(method, url));
            assert_eq!(
                (error.code, error.message.as_str(), error.status),
                (code, message, Some(status)),
                "{body}"
            );
            assert!(error.hint.is_some(), "{status} {body}");
            assert!(!format!("{error:?}").contains("Secret"), "{body}");
        }
    }

    #[test]
    fn what_support_asks_for_and_when_to_come_again() {
        let response = Response::new(429, "")
            .with_header("ms-dyn-aid", "A1")
            .with_header("x-ms-client-request-id", "mine")
            .with_header("request-id", "R1")
            .with_header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
            .with_header("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT");
        let error = failure_of(&response, &Request::new(Method::Get, "https://c.example/data/X"));
        let words = error.service.as_deref().unwrap();
        assert_eq!((words.activity_id.as_deref(), words.request_id.as_deref()), (Some("A1"), Some("R1")));
        assert_eq!(error.retry_after, Some(30_000));
        let response = Response::new(429, "").with_header("retry-after", "7");
        let error = failure_of(&response, &Request::new(Method::Get, "https://c.example/data/X"));
        assert_eq!(error.retry_after, Some(7_000));
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
