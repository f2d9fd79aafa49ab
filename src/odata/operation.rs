//! Conversations of one request: read, count, create, update, delete, action.

use std::fmt;

use super::body::{action_value, parameters, record};
use super::call::Call;
use super::exact::Shape;
use super::key::Key;
use super::page::{read_first, read_record};
use super::query::Query;
use super::service::Service;
use super::uri::encode_query;
use crate::catalog::{Binding, NAMESPACE, nearest};
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Input, Machine, Method, Polled, Repeat, Request, Response, Session, Step, Timestamp};

/// One request and the reading of its answer.
pub struct Operation<T> {
    session: Session,
    call: Call,
    read: Option<Reader<T>>,
    /// A 404 is an answer: there is no such record.
    absent: Option<fn() -> T>,
}

type Reader<T> = Box<dyn FnOnce(Response) -> Result<T>>;

impl<T> Operation<T> {
    pub(super) fn new(
        service: &Service,
        request: Request,
        repeat: Repeat,
        read: impl FnOnce(Response) -> Result<T> + 'static,
    ) -> Self {
        let call = Call::new(service, request, repeat);
        Self { session: service.session(), call, read: Some(Box::new(read)), absent: None }
    }

    /// The request as it will be sent.
    #[must_use]
    pub const fn request(&self) -> &Request {
        self.call.request()
    }
}

impl<T> fmt::Debug for Operation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Operation").field(self.call.request()).finish()
    }
}

impl<T> Machine for Operation<T> {
    type Output = T;

    fn next(&mut self, now: Timestamp) -> Step<T> {
        let response = match self.call.next(&self.session, now) {
            Polled::Io(io) => return io.into(),
            Polled::Ready(Ok(response)) => response,
            Polled::Ready(Err(failure)) => {
                return match self.absent {
                    Some(absent) if failure.error.code == ErrorCode::NotFound => Step::Done(absent()),
                    _ => Step::Failed(Box::new(failure.error)),
                };
            }
        };
        let Some(read) = self.read.take() else {
            return Step::Failed(Box::new(Error::argument("the driver called next after the end")));
        };
        match read(response) {
            Ok(output) => Step::Done(output),
            Err(error) => Step::Failed(Box::new(error)),
        }
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        self.call.handle(input, &mut self.session, now);
    }
}

/// Reads one record: JSON, or nothing where there is none.
///
/// # Errors
/// `UNKNOWN_ENTITY`, `UNKNOWN_PROPERTY`, `INVALID_ARGUMENT` for a key that is not complete; all before anything is sent.
pub fn get(
    service: &Service,
    collection: &str,
    key: &str,
    query: &Query,
) -> Result<Operation<Option<String>>> {
    let shared = service.entity(collection)?;
    let entity = shared.as_deref();
    let key = Key::read(service, entity, key)?;
    let numbers = service.numbers;
    if query.filter.is_some()
        || query.top.is_some()
        || query.skip.is_some()
        || query.count
        || query.company.is_some()
    {
        return Err(Error::argument("a record is read by its key: only select goes with it"));
    }
    let company = entity.is_none_or(crate::catalog::Entity::is_company_specific);
    let mut selected =
        Query { select: query.select.clone(), expand: query.expand.clone(), ..Query::default() };
    selected.cross_company = company;
    if key.has_enum {
        // A key with an enum may answer 404 although the record is there (field report).
        selected.filter = Some(super::FilterInput::Text(key.filter));
        selected.top = Some(1);
        let url = format!("{collection}{}", selected.render(service, entity)?);
        let read = move |response: Response| {
            read_first(response.text().unwrap_or_default(), shared.as_deref(), numbers)
        };
        return Ok(Operation::new(service, service.request(Method::Get, &url), Repeat::Always, read));
    }
    let url = format!("{collection}{}{}", key.path, selected.render(service, entity)?);
    let shape = Shape::of(service, entity);
    let read = move |response: Response| shape.value(response.text().unwrap_or_default(), None).map(Some);
    let mut operation = Operation::new(service, service.request(Method::Get, &url), Repeat::Always, read);
    operation.absent = Some(|| None);
    Ok(operation)
}

/// Counts the rows that fit.
///
/// # Errors
/// As for a list, before anything is sent.
pub fn count(service: &Service, collection: &str, query: &Query) -> Result<Operation<u64>> {
    let shared = service.entity(collection)?;
    let entity = shared.as_deref();
    let url = format!("{collection}/$count{}", query.render(service, entity)?);
    let mut request = service.request(Method::Get, &url);
    for header in &mut request.headers {
        if header.0 == "accept" {
            "text/plain, application/json".clone_into(&mut header.1);
        }
    }
    Ok(Operation::new(service, request, Repeat::Always, |response| {
        let text = response.text().unwrap_or_default().trim();
        text.parse().map_err(|_| Error::new(ErrorCode::ServiceError, "the answer to a count is no number"))
    }))
}

/// Creates a record from JSON; yields it as the service stored it.
///
/// # Errors
/// `UNKNOWN_ENTITY`, `UNKNOWN_PROPERTY`, `INVALID_ARGUMENT` for a value that does not fit; all before anything is sent.
pub fn create(service: &Service, collection: &str, value: &str) -> Result<Operation<String>> {
    let shared = service.entity(collection)?;
    let entity = shared.as_deref();
    let company = entity.is_some_and(crate::catalog::Entity::is_company_specific);
    let mut given = super::key::object(value, "record")?;
    if company
        && !given.contains_key("dataAreaId")
        && let Some(own) = &service.company
    {
        given.insert("dataAreaId".to_owned(), own.clone().into());
    }
    let body = record(service, entity, &serde_json::Value::Object(given).to_string(), "record")?;
    let option = if company { "?cross-company=true" } else { "" };
    let request = service.request(Method::Post, &format!("{collection}{option}")).json(body);
    let numbers = service.numbers;
    let read = move |response: Response| {
        read_record(response.text().unwrap_or_default(), shared.as_deref(), numbers)
    };
    Ok(Operation::new(service, request, Repeat::IfUnprocessed, read))
}

/// Changes the properties that the patch names.
///
/// # Errors
/// As for [`create`] and [`get`], before anything is sent.
pub fn update(
    service: &Service,
    collection: &str,
    key: &str,
    patch: &str,
    if_match: Option<&str>,
) -> Result<Operation<()>> {
    let shared = service.entity(collection)?;
    let entity = shared.as_deref();
    let key = addressable(Key::read(service, entity, key)?)?;
    if let Some(entity) = entity {
        for name in super::key::object(patch, "patch")?.keys() {
            if entity.keys.contains(name) {
                return Err(Error::argument(format!("\"{name}\" is part of the key and can't be changed"))
                    .at_column(name.as_str()));
            }
        }
    }
    let body = record(service, entity, patch, "patch")?;
    let url = format!("{collection}{}{}", key.path, cross_company(entity));
    let request = with_match(service.request(Method::Patch, &url).json(body), if_match);
    // The same change again is the same change; under a condition the second try would meet the first one's result.
    let repeat = if if_match.is_none() { Repeat::Always } else { Repeat::IfUnprocessed };
    Ok(Operation::new(service, request, repeat, |_| Ok(())))
}

/// Deletes a record.
///
/// # Errors
/// As for [`get`], before anything is sent.
pub fn delete(
    service: &Service,
    collection: &str,
    key: &str,
    if_match: Option<&str>,
) -> Result<Operation<()>> {
    let shared = service.entity(collection)?;
    let entity = shared.as_deref();
    let key = addressable(Key::read(service, entity, key)?)?;
    let url = format!("{collection}{}{}", key.path, cross_company(entity));
    let request = with_match(service.request(Method::Delete, &url), if_match);
    Ok(Operation::new(service, request, Repeat::IfUnprocessed, |_| Ok(())))
}

/// Calls an action of the collection, or of one record; yields the JSON of its value.
///
/// # Errors
/// `UNKNOWN_ENTITY`, `INVALID_ARGUMENT` for parameters or a binding that the action does not have, where it is known.
pub fn action(
    service: &Service,
    collection: &str,
    name: &str,
    parameters_json: &str,
    key: Option<&str>,
) -> Result<Operation<Option<String>>> {
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
    let request =
        service.request(Method::Post, &format!("{collection}{path}/{NAMESPACE}.{name}{option}")).json(body);
    let (shape, edm) = Shape::returned(service, known);
    Ok(Operation::new(service, request, Repeat::IfUnprocessed, move |response| {
        let value = action_value(response.text().unwrap_or_default())?;
        value.map(|value| shape.value(&value, edm.as_ref())).transpose()
    }))
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

fn cross_company(entity: Option<&crate::catalog::Entity>) -> &'static str {
    // Without it a record of any other company than the user's default one is "not found".
    if entity.is_none_or(crate::catalog::Entity::is_company_specific) { "?cross-company=true" } else { "" }
}

fn with_match(request: Request, if_match: Option<&str>) -> Request {
    match if_match {
        Some(etag) => request.header("if-match", etag),
        None => request,
    }
}

/// A list request of data management's own entities, which belong to no company.
pub(crate) fn list_request(service: &Service, collection: &str, filter: &str, select: &str) -> Request {
    let mut url = format!("{collection}?$filter={}", encode_query(filter));
    if !select.is_empty() {
        url.push_str("&$select=");
        url.push_str(select);
    }
    service.request(Method::Get, &url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> Service {
        Service::new("https://c.example", Some("usmf")).unwrap()
    }
    fn drive<T>(mut operation: Operation<T>, answers: Vec<Response>) -> Result<T> {
        let mut answers = answers.into_iter();
        let mut now = Timestamp::from_millis(0);
        for _ in 0..50 {
            match operation.next(now) {
                Step::Send(_) => operation.handle(Input::Response(answers.next().unwrap()), now),
                Step::Token(_) => operation.handle(Input::TokenRenewed { expires: None }, now),
                Step::Wait(until) => now = until,
                Step::Done(output) => return Ok(output),
                Step::Failed(error) => return Err(*error),
                _ => {}
            }
        }
        panic!("never ended");
    }

    #[test]
    fn requests_have_the_shape_of_the_service() {
        let url =
            |operation: &Request| operation.url.trim_start_matches("https://c.example/data/").to_owned();
        let get =
            get(&service(), "VendorsV2", r#"{"VendorAccountNumber":"1001"}"#, &Query::default()).unwrap();
        assert_eq!(
            url(get.request()),
            "VendorsV2(dataAreaId='usmf',VendorAccountNumber='1001')?cross-company=true"
        );
        let create = create(&service(), "Currencies", r#"{"CurrencyCode":"EUR"}"#).unwrap();
        assert_eq!(url(create.request()), "Currencies");
        let created = super::create(&service(), "CLMIntegrationContracts", r#"{"ContractId":"C1"}"#).unwrap();
        assert_eq!(url(created.request()), "CLMIntegrationContracts?cross-company=true");
        assert_eq!(created.request().body, br#"{"ContractId":"C1","dataAreaId":"usmf"}"#);
        let link =
            action(&service(), "VendorsV2", "GenerateVendorDetailFormURL", r#"{"_vendAccount":"1"}"#, None);
        assert_eq!(
            url(link.unwrap().request()),
            "VendorsV2/Microsoft.Dynamics.DataEntities.GenerateVendorDetailFormURL"
        );
    }

    #[test]
    fn a_record_that_is_not_there_is_an_answer() {
        let operation =
            get(&service(), "LegalEntities", r#"{"LegalEntityId":"X"}"#, &Query::default()).unwrap();
        assert_eq!(drive(operation, vec![Response::new(404, "")]).unwrap(), None);
    }

    #[test]
    fn an_unregistered_application_is_told_apart_from_a_missing_right() {
        let refused = || vec![Response::new(403, ""), Response::new(403, "")];
        let query = Query::default();
        let error = drive(count(&service(), "Currencies", &query).unwrap(), refused()).unwrap_err();
        assert_eq!(error.code, ErrorCode::AppNotRegistered);
        assert!(error.hint.as_deref().unwrap().contains("Microsoft Entra ID applications"));
        let one_right = vec![Response::new(403, ""), Response::new(200, r#"{"value":[]}"#)];
        let error = drive(count(&service(), "Currencies", &query).unwrap(), one_right).unwrap_err();
        assert_eq!(error.code, ErrorCode::Forbidden);
    }

    #[test]
    fn a_failed_write_is_not_sent_again() {
        let operation = create(&service(), "Currencies", r#"{"CurrencyCode":"EUR"}"#).unwrap();
        let error = drive(operation, vec![Response::new(503, "")]).unwrap_err();
        assert_eq!((error.code, error.status), (ErrorCode::ServiceError, Some(503)));
    }

    #[test]
    fn keys_do_not_change_and_parameters_are_checked() {
        let error =
            update(&service(), "Currencies", r#"{"CurrencyCode":"EUR"}"#, r#"{"CurrencyCode":"X"}"#, None);
        assert_eq!(error.unwrap_err().code, ErrorCode::InvalidArgument);
        let wrong =
            action(&service(), "VendorsV2", "GenerateVendorDetailFormURL", r#"{"vendAccount":"1"}"#, None);
        assert!(wrong.unwrap_err().hint.as_deref().unwrap().contains("_vendAccount"));
    }
}
