//! Conversations of a few requests, written as what follows on what: a question, the reading of its outcome, the next question.
//!
//! For calls that can simply be made again. What needs a checkpoint is a machine of its own (`run`, `import`, `export`).

use std::time::Duration;

use serde_json::{Map, Value};

use super::import::aborted;
use crate::error::{Error, ErrorCode, Result};
use crate::fields::Fields;
use crate::http::{
    Failure, Input, Machine, Method, Polled, Repeat, Request, Response, Session, Step, Timestamp,
};
use crate::odata::{Call, Service, same_origin};

/// A conversation of one request or a few.
pub struct Dialogue<T> {
    session: Session,
    state: State<T>,
}

/// What comes next.
pub(super) enum Then<T> {
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
    pub(super) fn new(service: &Service, first: Then<T>) -> Self {
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
    pub(super) fn ask(
        service: &Service,
        request: Request,
        repeat: Repeat,
        read: impl FnOnce(Result<Response, Failure>) -> Result<Self> + 'static,
    ) -> Self {
        Self::Ask(Box::new(Call::new(service, request, repeat)), Box::new(read))
    }

    /// A question whose refusal ends the conversation.
    pub(super) fn answer(
        service: &Service,
        request: Request,
        repeat: Repeat,
        read: impl FnOnce(Response) -> Result<T> + 'static,
    ) -> Self {
        Self::ask(service, request, repeat, |outcome| {
            read(outcome.map_err(|failure| failure.error)?).map(Self::Done)
        })
    }

    pub(super) fn later(pause: Duration, go: impl FnOnce() -> Result<Self> + 'static) -> Self {
        Self::Later(pause, Box::new(go))
    }

    /// What follows on the output.
    pub(super) fn and_then<U: 'static>(self, then: Follow<T, U>) -> Then<U> {
        match self {
            Self::Done(output) => Then::Later(Duration::ZERO, Box::new(move || then(output))),
            Self::Ask(call, read) => {
                Then::Ask(call, Box::new(move |outcome| Ok(read(outcome)?.and_then(then))))
            }
            Self::Later(pause, go) => Then::Later(pause, Box::new(move || Ok(go()?.and_then(then)))),
        }
    }
}

type Follow<T, U> = Box<dyn FnOnce(T) -> Result<Then<U>>>;

/// All rows of a list, page after page.
pub(super) fn all_rows<T: 'static>(
    service: &Service,
    first: Request,
    then: impl FnOnce(Vec<Row>) -> Result<Then<T>> + 'static,
) -> Then<T> {
    more_rows(service.clone(), first, Vec::new()).and_then(Box::new(then))
}

type Row = Map<String, Value>;

/// For one type of output only, because of its size.
fn more_rows(service: Service, request: Request, mut rows: Vec<Row>) -> Then<Vec<Row>> {
    let url = request.url.clone();
    let owned = service.clone();
    Then::ask(&owned, request, Repeat::Always, move |outcome| {
        let response = outcome.map_err(|failure| failure.error)?;
        let unreadable = |why: &dyn std::fmt::Display| {
            Error::new(ErrorCode::ServiceError, format!("the answer can't be read: {why}"))
                .hint("A proxy on the way may have changed the answer or cut it short.")
        };
        let tree = serde_json::from_str(response.text().unwrap_or_default()).map_err(|e| unreadable(&e))?;
        let mut of = Fields::of(tree);
        let page: Vec<Row> = of.required("value", Fields::list);
        let next = of.text("@odata.nextLink");
        rows.extend(of.finish_open(page).map_err(|why| unreadable(&why))?);
        let Some(next) = next else { return Ok(Then::Done(rows)) };
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
        Ok(more_rows(service, request, rows))
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
                self.state = State::Failed(Box::new(aborted()));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
pub(super) mod bench {
    //! Holds a conversation against answers that are written down.

    use super::*;
    use crate::http::{TransportError, TransportKind};

    pub(in crate::dmf) fn lost() -> Input {
        Input::TransportError(TransportError::new(TransportKind::NoAnswer, "reset"))
    }

    pub(in crate::dmf) fn says(status: u16, body: impl Into<Vec<u8>>) -> Input {
        Input::Response(Response::new(status, body))
    }

    /// What was asked, how long it waited in all, and the end.
    pub(in crate::dmf) struct Held<T> {
        pub(in crate::dmf) asked: Vec<Request>,
        pub(in crate::dmf) waited: Duration,
        pub(in crate::dmf) end: Result<T>,
    }

    pub(in crate::dmf) fn hold<T: 'static>(mut dialogue: Dialogue<T>, answers: Vec<Input>) -> Held<T> {
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
