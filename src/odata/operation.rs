//! Conversations of one request: read, count, update, delete, action.

use std::fmt;

use super::call::Call;
use super::query::Query;
use super::service::Service;
use super::shape::{self, Answer, Shaped};
use super::uri::encode_query;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Input, Machine, Method, Polled, Repeat, Request, Response, Session, Step, Timestamp};

/// One request and the reading of its answer.
pub struct Operation<T> {
    session: Session,
    call: Call,
    read: Option<Reader<T>>,
    /// A 404 is an answer: there is no such record.
    absent: Option<fn(Answer) -> Option<T>>,
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

impl Operation<Answer> {
    /// Sends a request that was shaped before.
    #[must_use]
    pub fn of(service: &Service, shaped: Shaped) -> Self {
        Self::typed(service, shaped, Some)
    }
}

impl<T: 'static> Operation<T> {
    /// `value` takes the answer apart; it gets those of the request's kind only.
    fn typed(service: &Service, shaped: Shaped, value: fn(Answer) -> Option<T>) -> Self {
        let Shaped { request, repeat, reading } = shaped;
        let kept = request.clone();
        let absent = reading.may_be_absent();
        let read = move |response: Response| {
            value(reading.read(&kept, &response)?)
                .ok_or_else(|| Error::new(ErrorCode::ServiceError, "the answer is of another kind"))
        };
        let mut operation = Self::new(service, request, repeat, read);
        operation.absent = absent.then_some(value);
        operation
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
                let absent = self.absent.filter(|_| failure.error.code == ErrorCode::NotFound);
                return match absent.and_then(|value| value(Answer::Record(None))) {
                    Some(absent) => Step::Done(absent),
                    None => Step::Failed(Box::new(failure.error)),
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
    let shaped = shape::get(service, collection, key, query)?;
    Ok(Operation::typed(service, shaped, |answer| match answer {
        Answer::Record(record) => Some(record),
        _ => None,
    }))
}

/// Counts the rows that fit.
///
/// # Errors
/// As for a list, before anything is sent.
pub fn count(service: &Service, collection: &str, query: &Query) -> Result<Operation<u64>> {
    let shaped = shape::count(service, collection, query)?;
    Ok(Operation::typed(service, shaped, |answer| match answer {
        Answer::Count(count) => Some(count),
        _ => None,
    }))
}

/// Changes the properties that the patch names.
///
/// # Errors
/// As for [`create`](super::create) and [`get`], before anything is sent.
pub fn update(
    service: &Service,
    collection: &str,
    key: &str,
    patch: &str,
    if_match: Option<&str>,
) -> Result<Operation<()>> {
    Ok(Operation::typed(service, shape::update(service, collection, key, patch, if_match)?, |_| Some(())))
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
    Ok(Operation::typed(service, shape::delete(service, collection, key, if_match)?, |_| Some(())))
}

/// Calls an action of the collection, or of one record; yields the JSON of its value.
///
/// # Errors
/// `UNKNOWN_ENTITY`, `INVALID_ARGUMENT` for parameters or a binding that the action does not have, where it is known.
pub fn action(
    service: &Service,
    collection: &str,
    name: &str,
    parameters: &str,
    key: Option<&str>,
) -> Result<Operation<Option<String>>> {
    let shaped = shape::action(service, collection, name, parameters, key)?;
    Ok(Operation::typed(service, shaped, |answer| match answer {
        Answer::Value(value) => Some(value),
        _ => None,
    }))
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
    use crate::odata::create;

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
        let created =
            super::super::create(&service(), "CLMIntegrationContracts", r#"{"ContractId":"C1"}"#).unwrap();
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
    fn a_record_of_another_company_is_not_looked_for_within_ones_own() {
        let read = |key: &str, query: &str| {
            let query: Query = serde_json::from_str(query).unwrap();
            get(&service(), "VendorsV2", key, &query).map(|_| ()).map_err(|error| error.code)
        };
        let (own, other) = (
            r#"{"dataAreaId":"USMF","VendorAccountNumber":"1"}"#,
            r#"{"dataAreaId":"demf","VendorAccountNumber":"1"}"#,
        );
        assert_eq!(read(own, r#"{"crossCompany":false}"#), Ok(()));
        assert_eq!(read(other, "{}"), Ok(()));
        assert_eq!(read(other, r#"{"crossCompany":false}"#), Err(ErrorCode::InvalidArgument));
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
    fn keys_do_not_change_and_parameters_are_checked() {
        let error =
            update(&service(), "Currencies", r#"{"CurrencyCode":"EUR"}"#, r#"{"CurrencyCode":"X"}"#, None);
        assert_eq!(error.unwrap_err().code, ErrorCode::InvalidArgument);
        let wrong =
            action(&service(), "VendorsV2", "GenerateVendorDetailFormURL", r#"{"vendAccount":"1"}"#, None);
        assert!(wrong.unwrap_err().hint.as_deref().unwrap().contains("_vendAccount"));
    }
}
