//! The proxy before Azurite: what the old storage version refuses, is refused here; the rest is streamed through.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;

use super::access::BLOB;
use super::sas::{Denied, OLD_VERSION};
use super::{BlobError, Storage};
use crate::clock::stamp;
use crate::dmf::behaviour::{Behaviour, NewerStorageVersion};
use crate::fault::{Place, around};
use crate::http::{decode_form, reply};
use crate::server::App;

/// The environments by the names of their accounts.
#[derive(Clone)]
pub(crate) struct Proxy(Arc<HashMap<String, App>>);

impl Proxy {
    pub(crate) fn new(apps: &[App]) -> Self {
        Self(Arc::new(apps.iter().map(|app| (app.storage.account.clone(), app.clone())).collect()))
    }
}

/// Handler of every request.
pub(crate) async fn forward(State(proxy): State<Proxy>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let (account, path) = path.split_once('/').unwrap_or((&path, ""));
    let Some(app) = proxy.0.get(account) else {
        return Refusal::new(StatusCode::BAD_REQUEST, "InvalidUri", "The account does not exist.").into();
    };
    let (app, path) = (app.clone(), path.to_owned());
    let of_faults = app.clone();
    around(&of_faults, Place::Storage, request, move |request| {
        let (app, path) = (app.clone(), path.clone());
        async move { pass(&app, &path, request).await.unwrap_or_else(Response::from) }
    })
    .await
}

/// An error of the storage account.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, code, message } = refusal;
        let id = uuid::Uuid::new_v4();
        let message = message.replace('&', "&amp;").replace('<', "&lt;");
        let body = format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}\nRequestId:{id}</Message></Error>"
        );
        let mut response = reply(status, "application/xml", body);
        response.headers_mut().insert("x-ms-error-code", HeaderValue::from_static(code));
        response.headers_mut().insert("x-ms-version", HeaderValue::from_static(OLD_VERSION));
        response
    }
}

impl From<BlobError> for Refusal {
    fn from(error: BlobError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServerBusy", error.to_string())
    }
}

async fn pass(app: &App, path: &str, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let permission = match parts.method {
        Method::GET | Method::HEAD => 'r',
        Method::PUT => 'w',
        Method::DELETE => 'd',
        Method::OPTIONS => {
            let text = "CORS not enabled or no matching rule found for this request.";
            return Err(Refusal::new(StatusCode::FORBIDDEN, "CorsPreflightFailure", text));
        }
        _ => {
            let text = "The resource doesn't support the specified Http Verb.";
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "UnsupportedHttpVerb", text));
        }
    };
    let missing = || {
        let text = "The specified resource does not exist.";
        Refusal::new(StatusCode::NOT_FOUND, "ResourceNotFound", text)
    };
    let blob = Storage::blob_of(path).ok_or_else(missing)?;
    let query = decode_form(parts.uri.query().unwrap_or_default().as_bytes());
    let behaviour = app.store.with(Behaviour::read).map_err(|error| fault(&error.to_string()))?;
    let verdict = (|| {
        if parts.headers.contains_key(header::AUTHORIZATION) {
            return Err(unauthenticated("The request has a signature and an Authorization header."));
        }
        authenticate(app, &blob, &query, permission)?;
        let version = version(&parts.headers, behaviour.newer_storage_version)?;
        if parts.method == Method::PUT { check_size(&parts.headers, &query, version) } else { Ok(()) }
    })();
    if let Err(refusal) = verdict {
        drain(body).await;
        return Err(refusal);
    }
    let now = app.clock.milliseconds();
    let lives =
        app.store.with(|db| app.storage.lives(db, &blob, now)).map_err(|error| fault(&error.to_string()))?;
    if permission == 'r' && !lives {
        let text = "The specified blob does not exist.";
        return Err(Refusal::new(StatusCode::NOT_FOUND, "BlobNotFound", text));
    }

    let operation: Vec<&str> =
        parts.uri.query().unwrap_or_default().split('&').filter(|part| is_operation(part)).collect();
    let mut onward = Request::new(body);
    *onward.method_mut() = parts.method.clone();
    let permissions = if permission == 'r' { "r" } else { "rw" };
    let uri = app.storage.inner_uri(&blob, permissions, &operation.join("&"));
    *onward.uri_mut() = uri.parse().map_err(|_| missing())?;
    *onward.headers_mut() = onward_headers(&parts.headers);
    if operation.iter().any(|part| part.starts_with("comp=")) {
        // The query decides what is done; Azurite would rather go by this header.
        onward.headers_mut().remove("x-ms-blob-type");
    }
    let mut response = app.storage.send(Ok(onward)).await?;
    response.headers_mut().remove(header::CONNECTION);
    response.headers_mut().remove("keep-alive");
    response.headers_mut().insert("x-ms-version", HeaderValue::from_static(OLD_VERSION));
    let stores = !operation.contains(&"comp=block");
    if parts.method == Method::PUT && response.status() == StatusCode::CREATED && stores {
        app.store.with(|db| db.set_moment(BLOB, &blob, now)).map_err(|error| fault(&error.to_string()))?;
    }
    Ok(response)
}

fn authenticate(app: &App, blob: &str, query: &[(String, String)], permission: char) -> Result<(), Refusal> {
    let now = app.clock.now();
    app.storage.allows(blob, query, permission, now).map_err(|denied| match denied {
        Denied::Anonymous => {
            let text = "The specified resource does not exist.";
            Refusal::new(StatusCode::NOT_FOUND, "ResourceNotFound", text)
        }
        Denied::Signature => unauthenticated("Signature did not match."),
        Denied::Time { start, expiry } => unauthenticated(&format!(
            "Signature not valid in the specified time frame: Start [{start}] - Expiry [{expiry}] - Current [{}]",
            stamp(now)
        )),
        Denied::Permission => {
            let text = "This request is not authorized to perform this operation using this permission.";
            Refusal::new(StatusCode::FORBIDDEN, "AuthorizationPermissionMismatch", text)
        }
    })
}

fn unauthenticated(detail: &str) -> Refusal {
    let text = "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.";
    Refusal::new(StatusCode::FORBIDDEN, "AuthenticationFailed", format!("{text} {detail}"))
}

fn fault(text: &str) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", text)
}

/// The version in effect: the one of the URL, unless a newer one is asked for and that is allowed.
fn version(headers: &HeaderMap, newer: NewerStorageVersion) -> Result<&str, Refusal> {
    let Some(asked) = headers.get("x-ms-version") else { return Ok(OLD_VERSION) };
    let asked = asked.to_str().unwrap_or_default();
    let dated =
        asked.len() == OLD_VERSION.len() && asked.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    // Dates in this form compare as text.
    if dated && (asked <= OLD_VERSION || newer == NewerStorageVersion::Accepted) {
        return Ok(asked);
    }
    let text = "The value for one of the HTTP headers is not in the correct format: x-ms-version.";
    Err(Refusal::new(StatusCode::BAD_REQUEST, "InvalidHeaderValue", text))
}

const MIB: u64 = 1 << 20;

/// Largest block and largest blob in one request.
fn limits(version: &str) -> (u64, u64) {
    match version {
        version if version >= "2019-12-12" => (4_000 * MIB, 5_000 * MIB),
        version if version >= "2016-05-31" => (100 * MIB, 256 * MIB),
        _ => (4 * MIB, 64 * MIB),
    }
}

fn check_size(headers: &HeaderMap, query: &[(String, String)], version: &str) -> Result<(), Refusal> {
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let Some(length) = length else {
        let text = "The content length header is missing.";
        return Err(Refusal::new(StatusCode::LENGTH_REQUIRED, "MissingContentLengthHeader", text));
    };
    let (block, blob) = limits(version);
    let is_block = query.iter().any(|(name, value)| name == "comp" && value == "block");
    let limit = if is_block { block } else { blob };
    if length > limit {
        let text = format!(
            "The request body is too large and exceeds the maximum permissible limit of {limit} bytes."
        );
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestBodyTooLarge", text));
    }
    Ok(())
}

/// Whether a part of the query says what to do; the others are the signature.
fn is_operation(part: &str) -> bool {
    let name = part.split('=').next().unwrap_or_default();
    !part.is_empty() && !["sv", "sr", "st", "se", "sp", "sig"].contains(&name)
}

fn onward_headers(headers: &HeaderMap) -> HeaderMap {
    let own = [header::HOST, header::CONNECTION, header::ORIGIN, header::EXPECT, header::TRANSFER_ENCODING];
    headers
        .iter()
        .filter(|(name, _)| !own.contains(name) && name.as_str() != "x-ms-version")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Reads a body to its end, so that the caller reads the answer instead of seeing a broken connection.
async fn drain(mut body: Body) {
    while let Some(Ok(_)) = body.frame().await {}
}
