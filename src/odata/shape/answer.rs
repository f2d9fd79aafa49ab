//! What an answer means, by the request alone: method and shape of the URL. So a host that keeps, logs or rebuilds the request
//! as plain data loses nothing.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;

use crate::catalog::{EdmType, NAMESPACE};
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Request, Response};
use crate::odata::batch::{self, BatchResult};
use crate::odata::body::action_value;
use crate::odata::exact::Shape;
use crate::odata::fault::failure_of;
use crate::odata::page::{Page, read_first, read_page};
use crate::odata::service::Service;
use crate::odata::uri::same_origin;

/// Begins the options of a record that is looked for by condition. No list begins so: there `$top` comes behind `$filter`.
pub(super) const FIRST: &str = "?$top=1&";

/// What an answer of the service means.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// Rows of a list.
    Page(Page),
    /// The record as JSON, or nothing where there is none.
    Record(Option<String>),
    /// Number of rows.
    Count(u64),
    /// The value of an action as JSON, or nothing where it has none.
    Value(Option<String>),
    /// Changed or deleted.
    Done,
    /// One result for each operation.
    Batch(Vec<BatchResult>),
}

/// Reads the answer to a request that was shaped by this library, and perhaps sent by somebody else.
///
/// # Errors
/// What the service refuses, by status and words; `INVALID_ARGUMENT` for a request of another shape; `SERVICE_ERROR` for an
/// answer that can't be read.
pub fn read_answer(service: &Service, request: &Request, response: &Response) -> Result<Answer> {
    let reading = Reading::of(service, request.method, &request.url)?;
    if matches!(reading.kind, Kind::Batch) && response.is_success() && !response.is_sign_in() {
        return batch::read(service, request, response).map(Answer::Batch);
    }
    reading.read(request, response)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    List {
        top: Option<u64>,
    },
    /// A record that was looked for by condition.
    First,
    Record,
    Created,
    Count,
    Action,
    Silent,
    Batch,
}

/// How the answer to a request is read.
#[derive(Debug, Clone)]
pub(in crate::odata) struct Reading {
    kind: Kind,
    shape: Shape,
    /// Of an action's value that is no record.
    edm: Option<EdmType>,
}

impl Reading {
    pub(in crate::odata) fn of(service: &Service, method: Method, url: &str) -> Result<Self> {
        let resource = url.split_once("://").and_then(|(_, rest)| rest.split_once("/data/"));
        let (path, options) = resource
            .map(|(_, resource)| resource.split_once('?').unwrap_or((resource, "")))
            .unwrap_or_default();
        let kind = kind(method, path, options).ok_or_else(|| {
            Error::argument("this is no request whose answer could be read")
                .hint("Hand over method and URL as `requests` made them.")
        })?;
        let collection = path.split(['(', '/']).next().unwrap_or_default();
        let entity = service.catalog().collection(collection).map(Arc::as_ref);
        let (shape, edm) = match kind {
            Kind::Action => {
                let name = path.rsplit('.').next().unwrap_or_default();
                Shape::returned(service, entity.and_then(|entity| entity.action(name)))
            }
            _ => (Shape::of(service, entity), None),
        };
        Ok(Self { kind, shape, edm })
    }

    /// A missing record is an answer here.
    pub(in crate::odata) const fn may_be_absent(&self) -> bool {
        matches!(self.kind, Kind::Record)
    }

    pub(in crate::odata) fn read(&self, request: &Request, response: &Response) -> Result<Answer> {
        if !response.is_success() || response.is_sign_in() {
            let error = failure_of(response, request);
            if error.code == ErrorCode::NotFound && self.may_be_absent() {
                return Ok(Answer::Record(None));
            }
            return Err(error);
        }
        let text = response.text().unwrap_or_default();
        let shape = self.shape.clone();
        Ok(match self.kind {
            Kind::List { top } => {
                let mut page = read_page(response, shape.page(top))?;
                if top.is_some_and(|top| page.rows >= top) {
                    page.next = None;
                }
                Answer::Page(page)
            }
            Kind::First => Answer::Record(read_first(response, shape)?),
            Kind::Record | Kind::Created => Answer::Record(Some(shape.value(text, None)?)),
            Kind::Count => Answer::Count(number(text)?),
            Kind::Action => {
                let value = action_value(text)?;
                Answer::Value(value.map(|value| shape.value(&value, self.edm.as_ref())).transpose()?)
            }
            Kind::Silent => Answer::Done,
            Kind::Batch => {
                return Err(Error::argument("a batch stands in no batch, and is read with its request"));
            }
        })
    }
}

fn kind(method: Method, path: &str, options: &str) -> Option<Kind> {
    let last = path.rsplit('/').next().unwrap_or_default();
    if path.is_empty() {
        return None;
    }
    Some(match method {
        Method::Post if path == "$batch" => Kind::Batch,
        Method::Post if last.strip_prefix(NAMESPACE).is_some_and(|name| name.starts_with('.')) => {
            Kind::Action
        }
        Method::Post if last == path => Kind::Created,
        Method::Patch | Method::Delete if last == path => Kind::Silent,
        Method::Get if last == "$count" && last != path => Kind::Count,
        Method::Get if last != path => return None,
        Method::Get if path.ends_with(')') => Kind::Record,
        Method::Get if options.starts_with(FIRST.trim_start_matches('?')) => Kind::First,
        Method::Get => Kind::List {
            top: options.split('&').find_map(|option| option.strip_prefix("$top=")?.parse().ok()),
        },
        _ => return None,
    })
}

fn number(text: &str) -> Result<u64> {
    let digits = text.trim();
    digits.parse().map_err(|_| Error::new(ErrorCode::ServiceError, "the answer to a count is no number"))
}

impl Answer {
    /// As JSON; none where there is nothing to tell. A page is `{"items":[…],"count":n,"next":{…}}`, where `next` is the request
    /// for the page behind it.
    ///
    /// # Errors
    /// `SERVICE_ERROR` where the next page is of another host.
    pub fn into_json(self, service: &Service) -> Result<Option<String>> {
        Ok(match self {
            Self::Page(page) => Some(page_json(service, &page)?),
            Self::Record(text) | Self::Value(text) => text,
            Self::Count(count) => Some(count.to_string()),
            Self::Done => None,
            Self::Batch(results) => Some(batch::results_json(service, results)),
        })
    }
}

fn page_json(service: &Service, page: &Page) -> Result<String> {
    let mut out = format!("{{\"items\":{}", page.items);
    if let Some(count) = page.count {
        let _ = write!(out, ",\"count\":{count}");
    }
    if let Some(link) = &page.next {
        if !same_origin(link, service.base()) {
            return Err(Error::new(
                ErrorCode::ServiceError,
                "the link to the next page leads to another host; the token must not be sent there",
            ));
        }
        let mut request = service.request(Method::Get, "");
        request.url.clone_from(link);
        let _ = write!(out, ",\"next\":{}", request_json(&request));
    }
    out.push('}');
    Ok(out)
}

/// A request as plain data: `{"method":…,"url":…,"headers":{…},"body":"…"}`; without `body` where there is none.
#[must_use]
pub fn request_json(request: &Request) -> Value {
    let headers = request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into()));
    let mut out = serde_json::Map::new();
    out.insert("method".to_owned(), request.method.as_str().into());
    out.insert("url".to_owned(), request.url.clone().into());
    out.insert("headers".to_owned(), Value::Object(headers.collect()));
    if !request.body.is_empty() {
        out.insert("body".to_owned(), String::from_utf8_lossy(&request.body).into());
    }
    Value::Object(out)
}
