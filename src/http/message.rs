//! Requests and answers as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::redact::redact_url;

/// The verbs that the service takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Method {
    /// Read.
    Get,
    /// Create, or call an action.
    Post,
    /// Change some properties.
    Patch,
    /// Put a blob.
    Put,
    /// Delete.
    Delete,
}

impl Method {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// A request that a driver is asked to send. Redirects are never followed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// Verb.
    pub method: Method,
    /// Absolute URL. May hold a SAS signature: print it with [`redact_url`] only.
    pub url: String,
    /// Headers by lower-case name.
    pub headers: Vec<(&'static str, String)>,
    /// Body; empty for none.
    pub body: Vec<u8>,
    /// Whether the driver adds the bearer token. Decided on this URL, before any rewriting.
    pub bearer: bool,
    /// How long to wait for the whole answer; for a streamed one, for its head and then for each piece.
    pub timeout: Duration,
    /// Whether a driver may hand over the head of a success as the [`Response`], and its body by and by.
    pub stream: bool,
}

impl Request {
    /// A request without headers and body, with the bearer token, waiting 100 s.
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            bearer: true,
            timeout: Duration::from_secs(100),
            stream: false,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", "application/json")
    }
}

// By hand, so that neither a SAS signature nor a body is ever printed.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method.as_str(), redact_url(&self.url), self.body.len())
    }
}

/// An answer, whatever its status.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// HTTP status; 302 for a redirect that a page may not look at.
    pub status: u16,
    /// Headers by lower-case name.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer without headers.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// Adds a header; names are lower case.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// The first header of that lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the status says success.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// Whether the body may follow by and by: of a success, where the request allows it.
    #[must_use]
    pub fn is_head_for(&self, request: &Request) -> bool {
        request.stream && self.is_success() && !self.is_sign_in()
    }

    /// The body as text without a byte order mark (the service sends one at times); `None` where it is no UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.body).ok().map(|text| text.trim_start_matches('\u{feff}'))
    }

    /// A missing or expired token shows as 401, as a redirect to the sign-in page, or as that page with status 200.
    #[must_use]
    pub fn is_sign_in(&self) -> bool {
        let html = self.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        self.status == 401 || (300..400).contains(&self.status) || (self.is_success() && html)
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.status, self.body.len())
    }
}

/// No answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportError {
    /// What is known of the request.
    pub kind: TransportKind,
    /// What the host's transport said; redacted before it is shown.
    pub message: String,
}

impl TransportError {
    /// Of that kind, with the words of the transport.
    #[must_use]
    pub fn new(kind: TransportKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// What is known of a request without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportKind {
    /// It surely did not leave.
    NotSent,
    /// It may have arrived.
    NoAnswer,
    /// It may have arrived, in a page of another origin: CORS and network failures look alike there.
    NoAnswerCrossOrigin,
    /// It may have arrived; no answer came in time.
    Timeout,
}
