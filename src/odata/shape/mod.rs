//! Requests as they will be sent, and what their answers mean.
//!
//! What belongs here: one function for each kind of call, which checks what the caller gave and makes the request; the reading of
//! answers, which goes by the request alone. What does not: sending (`operation`, `create`, `batch`), the grammar of filters and
//! keys, the writing of values.
//!
//! Both ways to the service are made of these functions, the one that sends and the one for hosts that bring their own HTTP
//! stack, so that both send the same bytes.

mod answer;
mod spec;

pub(super) use answer::Reading;
pub use answer::{Answer, read_answer, request_json};
pub use spec::{Op, OperationSpec};

use serde_json::{Map, Value};

use super::body::{parameters, record};
use super::key::{Key, object};
use super::query::{FilterInput, Query};
use super::service::Service;
use crate::catalog::{Binding, Entity, NAMESPACE, nearest};
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Repeat, Request, Response};

/// A request that was checked, and how its answer is read.
#[derive(Debug, Clone)]
pub struct Shaped {
    pub(super) request: Request,
    pub(super) repeat: Repeat,
    pub(super) reading: Reading,
}

impl Shaped {
    fn new(service: &Service, request: Request, repeat: Repeat) -> Result<Self> {
        let reading = Reading::of(service, request.method, &request.url)?;
        Ok(Self { request, repeat, reading })
    }

    /// The request.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// Whether the request may be sent again although the service may have acted on it.
    #[must_use]
    pub const fn repeat(&self) -> Repeat {
        self.repeat
    }

    /// What the answer means.
    ///
    /// # Errors
    /// What the service refuses, by status and words; `SERVICE_ERROR` for an answer that can't be read.
    pub fn read(&self, response: &Response) -> Result<Answer> {
        self.reading.read(&self.request, response)
    }
}

pub(super) fn list(service: &Service, collection: &str, query: &Query) -> Result<Shaped> {
    let shared = service.entity(collection)?;
    as_it_stands(query)?;
    let url = format!("{collection}{}", query.render(service, shared.as_deref())?);
    Shaped::new(service, service.request(Method::Get, &url), Repeat::Always)
}

/// One request gives what the service compares, and no more.
fn as_it_stands(query: &Query) -> Result<()> {
    if query.tree()?.is_some_and(|tree| tree.has_exact()) {
        return Err(Error::new(
            ErrorCode::UnsupportedQuery,
            "one request can't compare a text with * exactly: the service takes the * for a wildcard",
        )
        .hint("List by the entity set, which compares here; or use like, and compare the rows."));
    }
    Ok(())
}

pub(super) fn count(service: &Service, collection: &str, query: &Query) -> Result<Shaped> {
    let shared = service.entity(collection)?;
    as_it_stands(query)?;
    let url = format!("{collection}/$count{}", query.render(service, shared.as_deref())?);
    let mut request = service.request(Method::Get, &url);
    for header in &mut request.headers {
        if header.0 == "accept" {
            "text/plain, application/json".clone_into(&mut header.1);
        }
    }
    Shaped::new(service, request, Repeat::Always)
}

pub(super) fn get(service: &Service, collection: &str, key: &str, query: &Query) -> Result<Shaped> {
    let shared = service.entity(collection)?;
    let entity = shared.as_deref();
    query.check_company_of_key(key, service)?;
    let key = Key::read(service, entity, key)?;
    if query.filter.is_some()
        || query.top.is_some()
        || query.skip.is_some()
        || query.count
        || query.company.is_some()
    {
        return Err(Error::argument("a record is read by its key: only select and expand go with it"));
    }
    let mut selected =
        Query { select: query.select.clone(), expand: query.expand.clone(), ..Query::default() };
    selected.cross_company = crosses(entity);
    let url = if key.has_enum {
        // A key with an enum may answer 404 although the record is there (field report): it is looked for by condition.
        selected.filter = Some(FilterInput::Text(key.filter));
        let options = selected.render(service, entity)?;
        format!("{collection}{}{}", answer::FIRST, options.trim_start_matches('?'))
    } else {
        format!("{collection}{}{}", key.path, selected.render(service, entity)?)
    };
    Shaped::new(service, service.request(Method::Get, &url), Repeat::Always)
}

/// The record that is sent, completed by the client's company, beside the request.
pub(super) fn create(
    service: &Service,
    collection: &str,
    value: &str,
) -> Result<(Shaped, Map<String, Value>)> {
    let shared = service.entity(collection)?;
    let entity = shared.as_deref();
    let company = entity.is_some_and(Entity::is_company_specific);
    let mut given = object(value, "record")?;
    if company
        && !given.contains_key("dataAreaId")
        && let Some(own) = &service.company
    {
        given.insert("dataAreaId".to_owned(), own.clone().into());
    }
    let body = record(service, entity, &Value::Object(given.clone()).to_string(), "record")?;
    let option = if company { CROSS_COMPANY } else { "" };
    let request = service.request(Method::Post, &format!("{collection}{option}")).json(body);
    Ok((Shaped::new(service, request, Repeat::IfUnprocessed)?, given))
}

pub(super) fn update(
    service: &Service,
    collection: &str,
    key: &str,
    patch: &str,
    if_match: Option<&str>,
) -> Result<Shaped> {
    let shared = service.entity(collection)?;
    let entity = shared.as_deref();
    let key = addressable(Key::read(service, entity, key)?)?;
    if let Some(entity) = entity {
        for name in object(patch, "patch")?.keys() {
            if entity.keys.contains(name) {
                return Err(Error::argument(format!("\"{name}\" is part of the key and can't be changed"))
                    .at_column(name.as_str()));
            }
        }
    }
    let body = record(service, entity, patch, "patch")?;
    let url = format!("{collection}{}{}", key.path, cross_company(entity));
    let request = with_match(service.request(Method::Patch, &url).json(body), if_match)?;
    // The same change again is the same change; under a condition the second try would meet the first one's result.
    let repeat = if if_match.is_none() { Repeat::Always } else { Repeat::IfUnprocessed };
    Shaped::new(service, request, repeat)
}

pub(super) fn delete(
    service: &Service,
    collection: &str,
    key: &str,
    if_match: Option<&str>,
) -> Result<Shaped> {
    let shared = service.entity(collection)?;
    let entity = shared.as_deref();
    let key = addressable(Key::read(service, entity, key)?)?;
    let url = format!("{collection}{}{}", key.path, cross_company(entity));
    let request = with_match(service.request(Method::Delete, &url), if_match)?;
    Shaped::new(service, request, Repeat::IfUnprocessed)
}

pub(super) fn action(
    service: &Service,
    collection: &str,
    name: &str,
    parameters_json: &str,
    key: Option<&str>,
) -> Result<Shaped> {
    let shared = service.entity(collection)?;
    let entity = shared.as_deref();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        let error = Error::argument(format!("\"{name}\" is no action"));
        let known = entity
            .map(|entity| entity.actions.iter().map(|action| action.name.as_str()))
            .into_iter()
            .flatten();
        return Err(match nearest(name, known) {
            Some(near) => error.hint(format!("Did you mean \"{near}\"?")),
            None => error.hint("The name goes without its namespace."),
        });
    }
    let known = entity.and_then(|entity| entity.action(name));
    match known.map(|action| action.binding) {
        Some(Binding::Collection) if key.is_some() => {
            return Err(Error::argument(format!("{name} belongs to the collection: it takes no key")));
        }
        Some(Binding::Entity) if key.is_none() => {
            return Err(Error::argument(format!("{name} belongs to a record: it needs a key")));
        }
        _ => {}
    }
    let body = parameters(service, known, parameters_json)?;
    let path = match key {
        Some(key) => Key::read(service, entity, key)?.path,
        None => String::new(),
    };
    let option = if key.is_some() { cross_company(entity) } else { "" };
    let url = format!("{collection}{path}/{NAMESPACE}.{name}{option}");
    Shaped::new(service, service.request(Method::Post, &url).json(body), Repeat::IfUnprocessed)
}

pub(super) const CROSS_COMPANY: &str = "?cross-company=true";

/// Without it a record of any other company than the user's default one is "not found".
fn cross_company(entity: Option<&Entity>) -> &'static str {
    if crosses(entity) { CROSS_COMPANY } else { "" }
}

fn crosses(entity: Option<&Entity>) -> bool {
    entity.is_none_or(Entity::is_company_specific)
}

fn addressable(key: Key) -> Result<Key> {
    if key.has_enum {
        return Err(Error::new(
            ErrorCode::UnsupportedQuery,
            "a record whose key holds an enum can't be addressed reliably",
        )
        .hint("The service answers 404 for such keys although the record is there (field report)."));
    }
    Ok(key)
}

fn with_match(request: Request, if_match: Option<&str>) -> Result<Request> {
    let Some(etag) = if_match else { return Ok(request) };
    // In a batch a line break in it would begin a header, or a request, of its own.
    if etag.is_empty() || !etag.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
        return Err(Error::argument("ifMatch is no etag")
            .hint("Hand over the `@odata.etag` of the row as it was read, or \"*\"."));
    }
    Ok(request.header("if-match", etag))
}
