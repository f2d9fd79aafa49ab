//! `$batch`: the multipart message is taken apart in `multipart`, its operations are carried out here. A change set is
//! one transaction of the database. Answers follow in the order of the requests.

mod multipart;
mod reply;

use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;

use super::behaviour::Behaviour;
use super::error::ODataError;
use super::url::{Options, Target, target};
use super::{Call, answer, write_in};
use crate::server::App;
use multipart::{Item, Operation, boundary, items};
use reply::{Answer, Reply};

/// Most operations in a batch.
const MAX_OPERATIONS: usize = 5_000;

/// `POST /data/$batch`
pub(crate) async fn batch(app: &App, call: &Call) -> Result<Response, ODataError> {
    let content_type = header_text(&call.headers, header::CONTENT_TYPE.as_str());
    let boundary = boundary(content_type).map_err(ODataError::bad_request)?;
    let items = items(&call.body, &boundary).map_err(ODataError::bad_request)?;
    if items.iter().map(Item::len).sum::<usize>() > MAX_OPERATIONS {
        return Err(ODataError::bad_request(format!(
            "The current change set contains too many operations. A maximum number of '{MAX_OPERATIONS}' operations are allowed in a change set."
        )));
    }
    let go_on = header_text(&call.headers, "prefer").split(',').any(|preference| {
        let preference = preference.trim().to_ascii_lowercase();
        let name = preference.strip_prefix("odata.").unwrap_or(&preference);
        name == "continue-on-error" || name == "continue-on-error=true"
    });
    let mut replies = Vec::with_capacity(items.len());
    for item in items {
        let reply = match item {
            Item::Single(operation) => single(app, call, operation).await,
            Item::ChangeSet(operations) => change_set(app, call, operations).await,
        };
        let failed = reply.failed();
        replies.push(reply);
        if failed && !go_on {
            break;
        }
    }
    reply::message(replies).await
}

async fn single(app: &App, outer: &Call, operation: Operation) -> Reply {
    let id = operation.id.clone();
    let response = match read(app, outer, operation, &HashMap::new()) {
        Ok((call, target)) => answer(app, call, target).await,
        Err(error) => Err(error),
    };
    Reply::Single(Answer { id, response: response.unwrap_or_else(ODataError::into_response) })
}

async fn change_set(app: &App, outer: &Call, operations: Vec<Operation>) -> Reply {
    let outer = Call { body: axum::body::Bytes::new(), ..outer.clone() };
    let of_worker = app.clone();
    let worker = tokio::task::spawn_blocking(move || all_or_none(&of_worker, &outer, operations));
    let failed = match worker.await {
        Ok(Ok(answers)) => return Reply::ChangeSet(answers),
        Ok(Err(failed)) => failed,
        Err(_) => Failed { id: None, error: ODataError::internal("the request handler stopped") },
    };
    // One answer stands for the whole change set.
    Reply::Single(Answer { id: failed.id, response: failed.error.into_response() })
}

/// The operation that undid its change set.
struct Failed {
    id: Option<String>,
    error: ODataError,
}

impl From<crate::store::StoreError> for Failed {
    fn from(error: crate::store::StoreError) -> Self {
        Self { id: None, error: error.into() }
    }
}

fn all_or_none(app: &App, outer: &Call, operations: Vec<Operation>) -> Result<Vec<Answer>, Failed> {
    app.store.with(|db| {
        // Content-ID → where its entity is.
        let mut known = HashMap::new();
        let mut answers = Vec::with_capacity(operations.len());
        for operation in operations {
            let id = operation.id.clone();
            let done = read(app, outer, operation, &known).and_then(|(call, target)| {
                let response = write_in(app, db, &call, target)?;
                Ok((call, response))
            });
            let (call, response) = done.map_err(|error| Failed { id: id.clone(), error })?;
            if let Some(id) = &id {
                let made = header_text(response.headers(), header::LOCATION.as_str());
                let address = if made.is_empty() { call.uri.path() } else { made };
                known.insert(id.clone(), address.to_owned());
            }
            answers.push(Answer { id, response });
        }
        Ok(answers)
    })
}

/// An operation as a request of its own. `known` are the entities that `$<Content-ID>` may name.
fn read(
    app: &App,
    outer: &Call,
    operation: Operation,
    known: &HashMap<String, String>,
) -> Result<(Call, Target), ODataError> {
    let bad =
        |why: &str| ODataError::bad_request(format!("The request of a batch operation is not valid: {why}"));
    let method = Method::from_bytes(operation.method.as_bytes()).map_err(|_| bad("its method is none."))?;
    let address = resolve(app, outer, &operation.url, known)?;
    let uri: Uri = address.parse().map_err(|_| bad(&format!("'{}' is no URL.", operation.url)))?;
    let mut headers = HeaderMap::new();
    for (name, value) in &operation.headers {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => headers.insert(name, value),
            _ => return Err(bad(&format!("the header '{name}' cannot be read."))),
        };
    }
    let target = target(uri.path())?;
    if target == Target::Batch {
        return Err(bad("a batch cannot contain another."));
    }
    let options = Options::parse(uri.query().unwrap_or_default())?;
    let behaviour: Behaviour = outer.behaviour.clone();
    Ok((Call { method, uri, options, headers, body: operation.body.into(), behaviour }, target))
}

/// Path and query of an operation: from an absolute URL of this environment, an absolute path, one relative to `/data/`,
/// or `$<Content-ID>` and what follows it.
fn resolve(
    app: &App,
    outer: &Call,
    url: &str,
    known: &HashMap<String, String>,
) -> Result<String, ODataError> {
    if let Some(rest) = url.strip_prefix('$') {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (id, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if let Some(address) = known.get(id) {
            let path = address.strip_prefix(&app.base_url).unwrap_or(address);
            return Ok(format!("{path}{rest}"));
        }
        if !id.eq_ignore_ascii_case("metadata") {
            return Err(ODataError::bad_request(format!(
                "The reference '${id}' names no earlier operation of the same change set."
            )));
        }
    }
    if let Some((scheme, rest)) = url.split_once("://") {
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at_checked(at).unwrap_or((rest, "")),
            None => (rest, "/"),
        };
        let origin = format!("{scheme}://{authority}");
        let host = header_text(&outer.headers, header::HOST.as_str());
        if !origin.eq_ignore_ascii_case(&app.base_url)
            && !origin.eq_ignore_ascii_case(&format!("http://{host}"))
        {
            return Err(ODataError::bad_request(format!(
                "The request URI '{url}' of a batch operation is not of this environment, whose address is '{}'.",
                app.base_url
            )));
        }
        return within(path);
    }
    if url.starts_with('/') { within(url) } else { Ok(format!("/data/{url}")) }
}

fn within(path: &str) -> Result<String, ODataError> {
    if path == "/data" || path.starts_with("/data/") || path.starts_with("/data?") {
        return Ok(path.to_owned());
    }
    Err(ODataError::new(
        StatusCode::NOT_FOUND,
        format!("No HTTP resource was found that matches the request URI '{path}'."),
    ))
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
