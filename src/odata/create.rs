//! Creating a record, and finding out what became of it when the answer was lost.
//!
//! Sent twice, a create makes two records, or meets its own first one. So it is sent once; where no answer came and the caller
//! gave the whole key, a read by that key settles it.

use serde_json::{Map, Value};

use super::call::Call;
use super::query::Query;
use super::service::Service;
use super::shape::{self, Answer, Shaped};
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Failure, Input, Machine, Polled, Repeat, Request, Session, Step, Timestamp};

/// Creates a record from JSON; yields it as the service stored it.
///
/// # Errors
/// `UNKNOWN_ENTITY`, `UNKNOWN_PROPERTY`, `INVALID_ARGUMENT` for a value that does not fit; all before anything is sent.
pub fn create(service: &Service, collection: &str, value: &str) -> Result<Create> {
    let (shaped, given) = shape::create(service, collection, value)?;
    let entity = service.catalog().collection(collection);
    let mut key = Map::new();
    for name in entity.iter().flat_map(|entity| &entity.keys) {
        if let Some(part) = given.get(name).filter(|part| !part.is_null()) {
            key.insert(name.clone(), part.clone());
        }
    }
    // A key that is not complete, or not addressable, is refused here: then nothing can settle it.
    let read = match key.is_empty() {
        true => None,
        false => shape::get(service, collection, &Value::Object(key).to_string(), &Query::default()).ok(),
    };
    let call = Call::new(service, shaped.request.clone(), shaped.repeat);
    Ok(Create {
        session: service.session(),
        service: service.clone(),
        shaped,
        read,
        state: State::Sent(call),
    })
}

/// A record on its way to the service.
#[derive(Debug)]
pub struct Create {
    session: Session,
    service: Service,
    shaped: Shaped,
    /// Reads the record by its key, where all of it is known.
    read: Option<Shaped>,
    state: State,
}

#[derive(Debug)]
enum State {
    Sent(Call),
    /// No answer came: is the record there?
    Settling(Call, Error),
}

impl Create {
    /// The request as it will be sent.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.shaped.request
    }

    /// Sends it again after a lost answer, at the risk of a second record. Default: never.
    #[must_use]
    pub fn allow_repeat(mut self, allow: bool) -> Self {
        if allow {
            self.shaped.repeat = Repeat::Always;
            self.state = State::Sent(Call::new(&self.service, self.shaped.request.clone(), Repeat::Always));
        }
        self
    }

    fn lost(&mut self, failure: Failure) -> Option<Error> {
        let Failure { mut error, maybe_processed, .. } = failure;
        if !maybe_processed || !leaves_open(&error) {
            return Some(error);
        }
        match &self.read {
            Some(read) => {
                let call = Call::new(&self.service, read.request.clone(), read.repeat);
                self.state = State::Settling(call, error);
                None
            }
            None => {
                error.hint = Some(LOOK.to_owned());
                Some(error)
            }
        }
    }
}

const LOOK: &str = "The record may have been created all the same: look for it before you create it again.";

/// No answer, or one of a gateway that knows of none. Where the service itself answers, its transaction is over.
pub(crate) fn leaves_open(error: &Error) -> bool {
    matches!(error.code, ErrorCode::Network | ErrorCode::CorsOrNetwork | ErrorCode::Timeout)
        || matches!(error.status, Some(502..=504))
}

impl Machine for Create {
    type Output = String;

    fn next(&mut self, now: Timestamp) -> Step<String> {
        loop {
            let call = match &mut self.state {
                State::Sent(call) | State::Settling(call, _) => call,
            };
            let outcome = match call.next(&self.session, now) {
                Polled::Io(io) => return io.into(),
                Polled::Ready(outcome) => outcome,
            };
            if let State::Settling(_, lost) = &self.state {
                let found = match (&self.read, outcome) {
                    (Some(read), Ok(response)) => read.read(&response),
                    (_, Err(failure)) if failure.error.code == ErrorCode::NotFound => {
                        Ok(Answer::Record(None))
                    }
                    (_, Err(failure)) => Err(failure.error),
                    (None, Ok(_)) => Ok(Answer::Record(None)),
                };
                return match settle(&self.shaped.request.body, found) {
                    Ok(record) => Step::Done(record),
                    Err(why) => Step::Failed(Box::new(unknown(lost, &why))),
                };
            }
            match outcome {
                Ok(response) => {
                    return match self.shaped.read(&response) {
                        Ok(Answer::Record(Some(record))) => Step::Done(record),
                        Ok(_) => Step::Failed(Box::new(Error::new(
                            ErrorCode::ServiceError,
                            "the answer to a create is no record",
                        ))),
                        Err(error) => Step::Failed(Box::new(error)),
                    };
                }
                Err(failure) => {
                    if let Some(error) = self.lost(failure) {
                        return Step::Failed(Box::new(error));
                    }
                }
            }
        }
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        let (State::Sent(call) | State::Settling(call, _)) = &mut self.state;
        call.handle(input, &mut self.session, now);
    }
}

/// The record that was found, if it is the one that was sent.
fn settle(sent: &[u8], found: Result<Answer>) -> Result<String, String> {
    match found {
        Ok(Answer::Record(Some(record))) => {
            let sent = serde_json::from_slice(sent).unwrap_or_default();
            let stored = serde_json::from_str(&record).unwrap_or_default();
            match differing(&sent, &stored) {
                None => Ok(record),
                Some(name) => {
                    Err(format!("a record with its key is there, but \"{name}\" differs from what was sent"))
                }
            }
        }
        Ok(_) => Err("no record with its key was there right after".to_owned()),
        Err(error) => Err(format!("the record could not be read: {error}")),
    }
}

fn unknown(lost: &Error, why: &str) -> Error {
    let mut error = Error::new(ErrorCode::OutcomeUnknown, format!("{lost}; {why}")).hint(LOOK);
    error.status = lost.status;
    error.service.clone_from(&lost.service);
    error
}

/// The first property that was sent and is stored otherwise. Properties that the service filled in do not matter.
fn differing<'a>(sent: &'a Map<String, Value>, stored: &Map<String, Value>) -> Option<&'a str> {
    let differs =
        |(name, sent): &(&String, &Value)| !stored.get(*name).is_some_and(|stored| same(sent, stored));
    sent.iter().find(differs).map(|(name, _)| name.as_str())
}

/// As the service compares: text without regard to case (here of ASCII letters) and trailing blanks, its own stand-ins for null,
/// numbers by value (Int64 and Decimal may come as text). The tables for all letters, and for text as floats, would be a tenth of
/// this crate's data; what they would tell to be equal is unknown now, which is safe.
fn same(sent: &Value, stored: &Value) -> bool {
    const NO_DATE: &str = "1900-01-01T00:00:00Z";
    match (sent, stored) {
        (Value::Null, Value::String(text)) => text.is_empty() || text == NO_DATE,
        (Value::String(a), Value::String(b)) => a.trim_end().eq_ignore_ascii_case(b.trim_end()),
        (Value::Number(a), Value::String(b)) => plain(&a.to_string()) == plain(b),
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => sent == stored,
    }
}

/// Without zeros at the end of a fraction.
fn plain(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Response, TransportError, TransportKind};

    const RATE: &str = r#"{"CurrencyCode":"EUR","Name":"Euro"}"#;

    /// Answers one request after another; yields what was sent, too.
    fn run(create: Result<Create>, answers: Vec<Input>) -> (Result<String>, Vec<String>) {
        let mut create = create.unwrap();
        let (mut now, mut sent, mut answers) = (Timestamp::from_millis(0), Vec::new(), answers.into_iter());
        for _ in 0..60 {
            match create.next(now) {
                Step::Send(request) => {
                    sent.push(format!(
                        "{} {}",
                        request.method.as_str(),
                        request.url.replace("https://c.example/data/", "")
                    ));
                    create.handle(answers.next().expect("no more requests than answers"), now);
                }
                Step::Token(_) => create.handle(Input::TokenRenewed { expires: None }, now),
                Step::Wait(until) => now = until,
                Step::Done(record) => return (Ok(record), sent),
                Step::Failed(error) => return (Err(*error), sent),
                _ => {}
            }
        }
        panic!("never ended");
    }

    fn currency() -> Result<Create> {
        create(&Service::new("https://c.example", None).unwrap(), "Currencies", RATE)
    }
    fn answer(status: u16, body: &str) -> Input {
        Input::Response(Response::new(status, body))
    }
    fn lost() -> Input {
        Input::TransportError(TransportError::new(TransportKind::NoAnswer, "reset"))
    }

    #[test]
    fn an_answer_is_all_that_is_needed() {
        let (outcome, sent) = run(currency(), vec![answer(201, RATE)]);
        assert_eq!((outcome.unwrap().as_str(), sent), (RATE, vec!["POST Currencies".to_owned()]));
        let (outcome, sent) = run(currency(), vec![answer(400, "no")]);
        assert_eq!((outcome.unwrap_err().code, sent.len()), (ErrorCode::ValidationFailed, 1));
        let (outcome, sent) = run(currency(), vec![answer(500, r#"{"Message":"threw"}"#)]);
        assert_eq!((outcome.unwrap_err().code, sent.len()), (ErrorCode::ServiceError, 1));
    }

    #[test]
    fn after_a_lost_answer_the_record_is_looked_for_and_never_sent_again() {
        let stored = r#"{"@odata.etag":"W/\"x\"","CurrencyCode":"eur","Name":"Euro ","Symbol":""}"#;
        for gone in
            [lost(), answer(502, ""), answer(503, ""), answer(504, "<html><title>Gateway</title></html>")]
        {
            let (outcome, sent) = run(currency(), vec![gone, answer(200, stored)]);
            assert_eq!(outcome.unwrap(), stored);
            assert_eq!(sent, ["POST Currencies", "GET Currencies('EUR')"]);
        }
    }

    #[test]
    fn what_is_not_certain_is_said_to_be_unknown() {
        let other = answer(200, r#"{"CurrencyCode":"EUR","Name":"Another"}"#);
        for (answers, words) in [
            (vec![lost(), other], "\"Name\" differs"),
            (vec![lost(), answer(404, "")], "no record with its key"),
            (vec![lost(), answer(403, ""), answer(200, r#"{"value":[]}"#)], "could not be read"),
            (vec![lost(), answer(200, r#"{"CurrencyCode":"EUR"}"#)], "\"Name\" differs"),
        ] {
            let (outcome, sent) = run(currency(), answers);
            let error = outcome.unwrap_err();
            assert_eq!(error.code, ErrorCode::OutcomeUnknown, "{words}");
            assert!(error.message.contains(words), "{error}");
            assert_eq!(sent.iter().filter(|request| request.starts_with("POST")).count(), 1);
        }
    }

    #[test]
    fn the_read_that_settles_is_repeated_and_the_create_is_not() {
        let (outcome, sent) = run(currency(), vec![lost(), lost(), answer(503, ""), answer(200, RATE)]);
        assert_eq!(outcome.unwrap(), RATE);
        assert_eq!(sent.iter().filter(|request| request.starts_with("POST")).count(), 1);
        assert_eq!(sent.len(), 4);
    }

    #[test]
    fn without_the_whole_key_nothing_settles_it() {
        let service = Service::new("https://c.example", Some("usmf")).unwrap();
        let (outcome, sent) = run(create(&service, "VendorsV2", r#"{"VendorGroupId":"10"}"#), vec![lost()]);
        let error = outcome.unwrap_err();
        assert_eq!((error.code, sent.len()), (ErrorCode::Network, 1));
        assert!(error.hint.as_deref().unwrap().contains("look for it"));
        let (outcome, _) = run(create(&service, "Unknown", r#"{"Id":"10"}"#), vec![lost()]);
        assert_eq!(outcome.unwrap_err().code, ErrorCode::Network);
    }

    #[test]
    fn a_request_that_never_left_is_repeated_and_one_that_may_be_too_where_the_caller_says_so() {
        let unsent = Input::TransportError(TransportError::new(TransportKind::NotSent, "refused"));
        let (outcome, sent) = run(currency(), vec![unsent, answer(201, RATE)]);
        assert_eq!((outcome.is_ok(), sent.len()), (true, 2));
        let (outcome, sent) = run(currency().map(|c| c.allow_repeat(true)), vec![lost(), answer(201, RATE)]);
        assert_eq!((outcome.is_ok(), sent.iter().filter(|sent| sent.starts_with("POST")).count()), (true, 2));
    }

    #[test]
    fn giving_up_asks_nothing_more() {
        let mut create = currency().unwrap();
        let now = Timestamp::from_millis(0);
        assert!(matches!(create.next(now), Step::Token(_)));
        create.handle(Input::TokenRenewed { expires: None }, now);
        assert!(matches!(create.next(now), Step::Send(_)));
        create.handle(Input::Cancelled, now);
        let Step::Failed(error) = create.next(now) else { panic!("it goes on") };
        assert_eq!(error.code, ErrorCode::Aborted);
    }

    #[test]
    fn values_are_compared_as_the_service_does() {
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        for (sent, stored) in [
            ("1.10", "1.1"),
            ("1", "\"1.000\""),
            ("null", "\"\""),
            ("\"USMF\"", "\"usmf\""),
            ("null", "null"),
        ] {
            assert!(same(&value(sent), &value(stored)), "{sent} {stored}");
        }
        for (sent, stored) in
            [("1", "2"), ("1", "\"x\""), ("\"\"", "null"), ("null", "0"), ("\"a\"", "\"b\"")]
        {
            assert!(!same(&value(sent), &value(stored)), "{sent} {stored}");
        }
    }
}
