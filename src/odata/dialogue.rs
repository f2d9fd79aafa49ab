//! Conversations of a few requests, written as what follows on what: a question, the reading of its outcome, the next question.
//!
//! For calls that can simply be made again. What needs a checkpoint is a machine of its own (`dmf::Import`, `dmf::Export`).

use std::time::Duration;

use serde_json::{Map, Value};

use super::call::Call;
use super::exact::Shape;
use super::page::read_page;
use super::service::{Numbers, Service};
use super::uri::same_origin;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{
    Failure, Input, Machine, Method, Polled, Repeat, Request, Response, Session, Step, Timestamp,
};

/// A conversation of one request or a few.
pub struct Dialogue<T> {
    session: Session,
    state: State<T>,
}

/// What comes next.
pub(crate) enum Then<T> {
    Done(T),
    Ask(Box<Call>, Reader<T>),
    Later(Duration, Box<dyn FnOnce() -> Result<Then<T>>>),
}

type Reader<T> = Box<dyn FnOnce(Result<Response, Failure>) -> Result<Then<T>>>;

enum State<T> {
    At(Then<T>),
    Asking(Box<Call>, Reader<T>),
    Pause(Timestamp, Box<dyn FnOnce() -> Result<Then<T>>>),
    Failed(Box<Error>),
    Over,
}

impl<T: 'static> Dialogue<T> {
    pub(crate) fn new(service: &Service, first: Then<T>) -> Self {
        Self { session: service.session(), state: State::At(first) }
    }

    /// The same conversation with another output.
    #[must_use]
    pub fn map<U: 'static>(self, map: impl FnOnce(T) -> U + 'static) -> Dialogue<U> {
        let map: Follow<T, U> = Box::new(|output| Ok(Then::Done(map(output))));
        let state = match self.state {
            State::At(then) => State::At(then.and_then(map)),
            State::Asking(call, read) => State::At(Then::Ask(call, read).and_then(map)),
            State::Pause(until, go) => State::Pause(until, Box::new(move || Ok(go()?.and_then(map)))),
            State::Failed(error) => State::Failed(error),
            State::Over => State::Over,
        };
        Dialogue { session: self.session, state }
    }
}

impl<T: 'static> Then<T> {
    /// A question whose refusals are read too.
    pub(crate) fn ask(
        service: &Service,
        request: Request,
        repeat: Repeat,
        read: impl FnOnce(Result<Response, Failure>) -> Result<Self> + 'static,
    ) -> Self {
        Self::Ask(Box::new(Call::new(service, request, repeat)), Box::new(read))
    }

    /// A question whose refusal ends the conversation.
    pub(crate) fn answer(
        service: &Service,
        request: Request,
        repeat: Repeat,
        read: impl FnOnce(Response) -> Result<T> + 'static,
    ) -> Self {
        Self::ask(service, request, repeat, |outcome| {
            read(outcome.map_err(|failure| failure.error)?).map(Self::Done)
        })
    }

    pub(crate) fn later(pause: Duration, go: impl FnOnce() -> Result<Self> + 'static) -> Self {
        Self::Later(pause, Box::new(go))
    }

    /// What follows on the output.
    pub(crate) fn and_then<U: 'static>(self, then: Follow<T, U>) -> Then<U> {
        match self {
            Self::Done(output) => Then::Later(Duration::ZERO, Box::new(move || then(output))),
            Self::Ask(call, read) => {
                Then::Ask(call, Box::new(move |outcome| Ok(read(outcome)?.and_then(then))))
            }
            Self::Later(pause, go) => Then::Later(pause, Box::new(move || Ok(go()?.and_then(then)))),
        }
    }
}

/// What follows on an output.
pub(crate) type Follow<T, U> = Box<dyn FnOnce(T) -> Result<Then<U>>>;

/// All rows of a list of data management's own, page after page.
pub(crate) fn all_rows<T: 'static>(
    service: &Service,
    first: Request,
    then: impl FnOnce(Vec<Row>) -> Result<Then<T>> + 'static,
) -> Then<T> {
    let shape = Shape::flat(None, Numbers::String);
    more_rows(service.clone(), shape, first, Vec::new()).and_then(Box::new(then))
}

/// All rows of a collection, page after page; Int64 and Decimal as the service's setting says.
pub(crate) fn all_records(service: &Service, collection: &str, first: Request) -> Then<Vec<Row>> {
    let shape = Shape::of(service, service.catalog().collection(collection).map(AsRef::as_ref));
    more_rows(service.clone(), shape, first, Vec::new())
}

/// A row of a list.
pub(crate) type Row = Map<String, Value>;

/// For one type of output only, because of its size.
fn more_rows(service: Service, shape: Shape, request: Request, mut rows: Vec<Row>) -> Then<Vec<Row>> {
    let url = request.url.clone();
    let owned = service.clone();
    Then::ask(&owned, request, Repeat::Always, move |outcome| {
        let response = outcome.map_err(|failure| failure.error)?;
        let page = read_page(&response, shape.clone().page(None))?;
        rows.extend(serde_json::from_str::<Vec<Row>>(&page.items).map_err(|why| {
            Error::new(ErrorCode::ServiceError, format!("the answer can't be read: {why}"))
                .hint("A proxy on the way may have changed the answer or cut it short.")
        })?);
        let Some(next) = page.next else { return Ok(Then::Done(rows)) };
        // The token goes to the environment alone, and a page that leads to itself would never end.
        if next == url || !same_origin(&next, service.base()) {
            return Err(Error::new(
                ErrorCode::ServiceError,
                "the link to the next page leads back, or to another host; it is not followed",
            )
            .hint(
                "Check the base URL: a load balancer or proxy may publish the service under another name.",
            ));
        }
        let mut request = service.request(Method::Get, "");
        request.url = next;
        Ok(more_rows(service, shape, request, rows))
    })
}

impl<T> std::fmt::Debug for Dialogue<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_tuple("Dialogue");
        if let State::At(Then::Ask(call, _)) | State::Asking(call, _) = &self.state {
            shown.field(call.request());
        }
        shown.finish()
    }
}

impl<T: 'static> Machine for Dialogue<T> {
    type Output = T;

    fn next(&mut self, now: Timestamp) -> Step<T> {
        loop {
            let next = match std::mem::replace(&mut self.state, State::Over) {
                State::At(Then::Done(output)) => return Step::Done(output),
                State::At(Then::Ask(call, read)) => {
                    self.state = State::Asking(call, read);
                    continue;
                }
                State::At(Then::Later(pause, go)) => {
                    self.state = State::Pause(now.plus(pause), go);
                    continue;
                }
                State::Asking(mut call, read) => match call.next(&self.session, now) {
                    Polled::Io(io) => {
                        self.state = State::Asking(call, read);
                        return io.into();
                    }
                    Polled::Ready(Err(failure)) if failure.error.code == ErrorCode::Aborted => {
                        Err(failure.error)
                    }
                    Polled::Ready(outcome) => read(outcome),
                },
                State::Pause(until, go) if now < until => {
                    self.state = State::Pause(until, go);
                    return Step::Wait(until);
                }
                State::Pause(_, go) => go(),
                State::Failed(error) => return Step::Failed(error),
                State::Over => Err(Error::argument("the driver called next after the end")),
            };
            self.state = match next {
                Ok(then) => State::At(then),
                Err(error) => State::Failed(Box::new(error)),
            };
        }
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        match (&mut self.state, input) {
            (State::Asking(call, _), input) => call.handle(input, &mut self.session, now),
            (State::At(_) | State::Pause(..), Input::Cancelled) => {
                self.state = State::Failed(Box::new(Error::new(ErrorCode::Aborted, "the caller gave up")));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
pub(crate) mod bench {
    //! Holds a conversation against answers that are written down.

    use super::*;
    use crate::http::{TransportError, TransportKind};

    pub(crate) fn lost() -> Input {
        Input::TransportError(TransportError::new(TransportKind::NoAnswer, "reset"))
    }

    pub(crate) fn says(status: u16, body: impl Into<Vec<u8>>) -> Input {
        Input::Response(Response::new(status, body))
    }

    /// What was asked, how long it waited in all, and the end.
    pub(crate) struct Held<T> {
        pub(crate) asked: Vec<Request>,
        pub(crate) waited: Duration,
        pub(crate) end: Result<T>,
    }

    pub(crate) fn hold<T: 'static>(mut dialogue: Dialogue<T>, answers: Vec<Input>) -> Held<T> {
        let start = Timestamp::from_millis(1_772_446_507_000);
        let (mut now, mut asked) = (start, Vec::new());
        let mut answers = answers.into_iter();
        let end = loop {
            match dialogue.next(now) {
                Step::Send(request) => {
                    asked.push(request);
                    dialogue.handle(answers.next().expect("a question without an answer"), now);
                }
                Step::Token(_) => dialogue.handle(Input::TokenRenewed { expires: None }, now),
                Step::Wait(until) => now = until,
                Step::Emit(_) => {}
                Step::Done(output) => break Ok(output),
                Step::Failed(error) => break Err(*error),
                _ => panic!("a dialogue has neither checkpoint nor source"),
            }
        };
        assert_eq!(answers.count(), 0, "an answer that nobody asked for");
        Held { asked, waited: now.since(start), end }
    }
}

#[cfg(test)]
mod tests {
    use super::bench::{hold, says};
    use super::*;

    fn service() -> Service {
        Service::new("https://c.example", None).unwrap()
    }

    fn rows(answers: Vec<Input>) -> bench::Held<usize> {
        let first = service().request(Method::Get, "X?$select=A");
        let then = all_rows(&service(), first, |rows| Ok(Then::Done(rows.len())));
        hold(Dialogue::new(&service(), then), answers)
    }

    #[test]
    fn all_pages_are_read_and_only_the_environments_own() {
        let held = rows(vec![
            says(
                200,
                r#"{"value":[{"A":1},{"A":2}],"@odata.nextLink":"https://c.example/data/X?$skiptoken=2"}"#,
            ),
            says(200, r#"{"value":[{"A":3}]}"#),
        ]);
        assert_eq!(held.end.unwrap(), 3);
        assert_eq!(held.asked[1].url, "https://c.example/data/X?$skiptoken=2");
        for link in ["https://evil.example/data/X", "https://c.example/data/X?$select=A"] {
            let held = rows(vec![says(200, format!(r#"{{"value":[],"@odata.nextLink":"{link}"}}"#))]);
            assert_eq!(held.end.unwrap_err().code, ErrorCode::ServiceError, "{link}");
        }
        assert_eq!(rows(vec![says(200, r#"{"value":["#)]).end.unwrap_err().code, ErrorCode::ServiceError);
    }

    #[test]
    fn giving_up_ends_a_pause() {
        let pause = Then::<u8>::later(Duration::from_secs(5), || Ok(Then::Done(1)));
        let mut dialogue = Dialogue::new(&service(), pause).map(|one| one + 1);
        let now = Timestamp::from_millis(0);
        assert!(matches!(dialogue.next(now), Step::Wait(_)));
        dialogue.handle(Input::Cancelled, now);
        let Step::Failed(error) = dialogue.next(now) else { panic!("it went on") };
        assert_eq!(error.code, ErrorCode::Aborted);
    }
}
