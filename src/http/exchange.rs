//! One request, carried through token, throttling and repetition to its final answer.

use std::ops::Range;
use std::time::Duration;

use super::machine::{Event, Input, Store, TokenReason};
use super::message::{Request, Response, TransportError, TransportKind};
use super::redact::{redact_text, redact_url};
use super::retry::{self, Repeat, Verdict};
use super::session::Session;
use super::time::{Timestamp, millis};
use crate::error::{Error, ErrorCode};

/// A request on its way. A part of a machine: it shares the machine's [`Session`].
#[derive(Debug)]
pub struct Exchange {
    request: Request,
    repeat: Repeat,
    state: State,
    attempts: u32,
    waited: Duration,
    /// The service refused the token once already.
    renewed: bool,
    /// The host was asked for a token that lasts longer.
    hurried: bool,
}

#[derive(Debug)]
enum State {
    /// Is a token wanted first?
    Token,
    /// A token was asked for.
    AwaitToken,
    Send,
    AwaitAnswer,
    /// A pause was decided and not yet told.
    Tell {
        until: Timestamp,
        event: Event,
    },
    Pause {
        until: Timestamp,
    },
    Ready(Result<Response, Failure>),
    /// The head of the answer was handed over, its body is on its way.
    Body,
    Over,
}

/// What the machine passes on to its driver.
#[derive(Debug)]
#[non_exhaustive]
pub enum Io {
    /// As [`Step::Send`](super::Step::Send).
    Send(Request),
    /// As [`Step::Token`](super::Step::Token).
    Token(TokenReason),
    /// As [`Step::Wait`](super::Step::Wait).
    Wait(Timestamp),
    /// As [`Step::Emit`](super::Step::Emit).
    Emit(Event),
    /// As [`Step::SendAll`](super::Step::SendAll).
    SendAll(Vec<Request>),
    /// As [`Step::Load`](super::Step::Load).
    Load(String),
    /// As [`Step::Store`](super::Step::Store).
    Store(Store),
    /// As [`Step::Read`](super::Step::Read).
    Read(Range<u64>),
}

impl<T> From<Io> for super::Step<T> {
    fn from(io: Io) -> Self {
        match io {
            Io::Send(request) => Self::Send(request),
            Io::Token(reason) => Self::Token(reason),
            Io::Wait(until) => Self::Wait(until),
            Io::Emit(event) => Self::Emit(event),
            Io::SendAll(requests) => Self::SendAll(requests),
            Io::Load(key) => Self::Load(key),
            Io::Store(store) => Self::Store(store),
            Io::Read(range) => Self::Read(range),
        }
    }
}

/// Where a part of a conversation stands.
#[derive(Debug)]
#[non_exhaustive]
pub enum Polled<T> {
    /// The driver has something to do first.
    Io(Io),
    /// It is over.
    Ready(T),
}

/// No final answer came.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// Why.
    pub error: Error,
    /// Whether the service may have acted on the request all the same.
    pub maybe_processed: bool,
}

impl Failure {
    /// The service surely did not act.
    #[must_use]
    pub const fn unprocessed(error: Error) -> Self {
        Self { error, maybe_processed: false }
    }
}

impl Exchange {
    /// A request that has not left yet.
    #[must_use]
    pub const fn new(request: Request, repeat: Repeat) -> Self {
        Self {
            request,
            repeat,
            state: State::Token,
            attempts: 0,
            waited: Duration::ZERO,
            renewed: false,
            hurried: false,
        }
    }

    /// What to do now. `Ready` comes once; an answer of any status is `Ok`.
    pub fn next(&mut self, session: &Session, now: Timestamp) -> Polled<Result<Response, Failure>> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Token => {
                    let wanted = if self.request.bearer { session.token_wanted(now) } else { None };
                    let Some(reason) = wanted else {
                        self.state = State::Send;
                        continue;
                    };
                    self.hurried |= reason != TokenReason::First;
                    self.state = State::AwaitToken;
                    return Polled::Io(Io::Token(reason));
                }
                State::Send => {
                    self.attempts += 1;
                    self.state = State::AwaitAnswer;
                    return Polled::Io(Io::Send(self.request.clone()));
                }
                State::Tell { until, event } => {
                    self.state = State::Pause { until };
                    return Polled::Io(Io::Emit(event));
                }
                State::Pause { until } if now < until => {
                    self.state = State::Pause { until };
                    return Polled::Io(Io::Wait(until));
                }
                State::Pause { .. } => self.state = State::Token,
                State::Ready(outcome) => {
                    if matches!(&outcome, Ok(head) if head.is_head_for(&self.request)) {
                        self.state = State::Body;
                    }
                    return Polled::Ready(outcome);
                }
                // A driver that calls out of turn gets an error, never a second request.
                State::AwaitToken | State::AwaitAnswer | State::Body | State::Over => {
                    let error = Error::argument("the driver called next before it handed over the outcome");
                    return Polled::Ready(Err(Failure { error, maybe_processed: self.attempts > 0 }));
                }
            }
        }
    }

    /// What came of the last step. Inputs that fit no step are ignored.
    pub fn handle(&mut self, input: Input, session: &mut Session, now: Timestamp) {
        match (&self.state, input) {
            (State::AwaitToken, Input::TokenRenewed { expires }) => {
                session.hold_token(expires);
                // What another conversation left may end too soon; what the host gives once more has to do.
                let ends_soon = session.token_wanted(now).is_some() && !self.hurried;
                self.state = if ends_soon { State::Token } else { State::Send };
            }
            (State::AwaitToken, Input::TokenFailed { message }) => {
                let message = format!("the host gave no token: {}", redact_text(&message));
                let error = Error::new(ErrorCode::AuthRejected, message)
                    .hint("The function getToken (or the credential) of the host failed; see the cause.");
                self.state = State::Ready(Err(Failure::unprocessed(error)));
            }
            (State::AwaitAnswer, Input::Response(response)) => self.answered(response, session, now),
            // A body that breaks off is a lost answer too: the request goes out again, as often as any.
            (State::AwaitAnswer | State::Body, Input::TransportError(error)) => {
                self.lost(&error, session, now)
            }
            (State::Over, _) => {}
            (_, Input::Cancelled) => {
                let maybe_processed = matches!(self.state, State::AwaitAnswer | State::Body);
                let error = Error::new(ErrorCode::Aborted, "the caller gave up");
                self.state = State::Ready(Err(Failure { error, maybe_processed }));
            }
            _ => {}
        }
    }

    fn answered(&mut self, response: Response, session: &mut Session, now: Timestamp) {
        if self.request.bearer && response.is_sign_in() && !self.renewed {
            self.renewed = true;
            // Not counted as a try: the service did not look at the request.
            self.attempts -= 1;
            self.state = State::Tell {
                until: now,
                event: Event::Retry {
                    attempt: self.attempts + 1,
                    delay: 0,
                    status: Some(response.status),
                    throttled: false,
                },
            };
            session.reject_token();
            return;
        }
        self.state = match retry::judge_response(&response, self.repeat, now) {
            Verdict::Final => State::Ready(Ok(response)),
            Verdict::Again { delay, throttled } => self
                .pause(delay, Some(response.status), throttled, session, now)
                .unwrap_or(State::Ready(Ok(response))),
        };
    }

    fn lost(&mut self, error: &TransportError, session: &mut Session, now: Timestamp) {
        let again = retry::may_repeat(error, self.repeat);
        let pause = if again { self.pause(None, None, false, session, now) } else { None };
        self.state = pause.unwrap_or_else(|| State::Ready(Err(self.failure(error))));
    }

    /// A pause before the next try, unless tries or patience are used up.
    fn pause(
        &mut self,
        asked: Option<Duration>,
        status: Option<u16>,
        throttled: bool,
        session: &mut Session,
        now: Timestamp,
    ) -> Option<State> {
        let policy = session.policy;
        let own = retry::backoff(&policy, self.attempts, session.patience.random());
        let delay = asked.map_or(own, |asked| asked.max(own.min(Duration::from_secs(1))));
        if self.attempts >= policy.attempts
            || self.waited + delay > policy.budget
            || !session.patience.spend(now, delay, policy.budget)
        {
            return None;
        }
        self.waited += delay;
        let event = Event::Retry { attempt: self.attempts, delay: millis(delay), status, throttled };
        Some(State::Tell { until: now.plus(delay), event })
    }

    fn failure(&self, error: &TransportError) -> Failure {
        let what = format!("{} {}", self.request.method.as_str(), redact_url(&self.request.url));
        let said = redact_text(&error.message);
        let tries = match self.attempts {
            1 => String::new(),
            n => format!(" after {n} tries"),
        };
        let (code, message, hint) = match error.kind {
            TransportKind::Timeout => (
                ErrorCode::Timeout,
                format!("{what}: no answer within {} s{tries}", self.request.timeout.as_secs()),
                "The service may still be working on it. Raise `timeout` (or `submitTimeout` for import and export).",
            ),
            TransportKind::NoAnswerCrossOrigin => (
                ErrorCode::CorsOrNetwork,
                format!("{what}: the page got no answer{tries} ({said})"),
                "The service answers no page of another origin (it sends no CORS headers), and a page can't tell that from a \
                 network failure. Send the calls through a relay on the page's own origin (`rewriteUrl`), or from a server or \
                 an extension with host permission.",
            ),
            TransportKind::NotSent | TransportKind::NoAnswer => (
                ErrorCode::Network,
                format!("{what}: no answer{tries} ({said})"),
                "Check the host name, the network, and any proxy or firewall on the way.",
            ),
        };
        let maybe_processed = error.kind != TransportKind::NotSent;
        Failure { error: Error::new(code, message).hint(hint), maybe_processed }
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Method;
    use super::super::patience::Patience;
    use super::super::retry::RetryPolicy;
    use super::*;

    const T0: Timestamp = Timestamp::from_millis(1_000_000);

    struct Bench {
        session: Session,
        exchange: Exchange,
        now: Timestamp,
        sent: u32,
        asked: Vec<TokenReason>,
    }

    impl Bench {
        fn new(method: Method, repeat: Repeat) -> Self {
            Self {
                session: Session::new(RetryPolicy::default(), Patience::new(7)),
                exchange: Exchange::new(Request::new(method, "https://c.example/data/X?sig=s"), repeat),
                now: T0,
                sent: 0,
                asked: Vec::new(),
            }
        }

        /// Runs against these answers, one for each request.
        fn run(&mut self, answers: Vec<Input>, expires: Option<Timestamp>) -> Result<Response, Failure> {
            let mut answers = answers.into_iter();
            for _ in 0..100 {
                match self.exchange.next(&self.session, self.now) {
                    Polled::Ready(outcome) => return outcome,
                    Polled::Io(Io::Send(_)) => {
                        self.sent += 1;
                        let answer = answers.next().expect("the exchange sent more than the test answers");
                        self.exchange.handle(answer, &mut self.session, self.now);
                    }
                    Polled::Io(Io::Token(reason)) => {
                        self.asked.push(reason);
                        self.exchange.handle(Input::TokenRenewed { expires }, &mut self.session, self.now);
                    }
                    Polled::Io(Io::Wait(until)) => self.now = until,
                    Polled::Io(_) => {}
                }
            }
            panic!("the exchange never ended");
        }
    }

    #[test]
    fn a_token_at_hand_that_ends_soon_is_asked_for_anew_once() {
        let mut bench = Bench::new(Method::Get, Repeat::Always);
        bench.run(vec![answer(200)], Some(T0.plus(Duration::from_secs(299)))).unwrap();
        assert_eq!(bench.asked, [TokenReason::First, TokenReason::Expiring]);
        let mut bench = Bench::new(Method::Get, Repeat::Always);
        bench.run(vec![answer(200)], Some(T0.plus(Duration::from_secs(301)))).unwrap();
        assert_eq!(bench.asked, [TokenReason::First]);
    }

    fn lost() -> Input {
        Input::TransportError(TransportError::new(TransportKind::NoAnswer, "reset"))
    }
    fn answer(status: u16) -> Input {
        Input::Response(Response::new(status, ""))
    }

    #[test]
    fn a_read_survives_failures_and_a_write_is_sent_once() {
        let mut read = Bench::new(Method::Get, Repeat::Always);
        assert_eq!(read.run(vec![lost(), answer(503), answer(200)], None).unwrap().status, 200);
        assert_eq!(read.sent, 3);
        let mut write = Bench::new(Method::Post, Repeat::IfUnprocessed);
        let failure = write.run(vec![lost()], None).unwrap_err();
        assert_eq!((write.sent, failure.maybe_processed), (1, true));
        assert_eq!(failure.error.code, ErrorCode::Network);
        assert!(!failure.error.message.contains("sig"), "{}", failure.error.message);
    }

    #[test]
    fn tries_end_and_the_last_answer_is_handed_over() {
        let mut read = Bench::new(Method::Get, Repeat::Always);
        let outcome = read.run((0..5).map(|_| answer(503)).collect(), None);
        assert_eq!((outcome.unwrap().status, read.sent), (503, 5));
    }

    #[test]
    fn a_busy_service_is_waited_for_within_the_budget() {
        let busy =
            |seconds: &str| Input::Response(Response::new(429, "").with_header("retry-after", seconds));
        let mut write = Bench::new(Method::Post, Repeat::IfUnprocessed);
        assert_eq!(write.run(vec![busy("20"), answer(201)], None).unwrap().status, 201);
        assert_eq!(write.now, T0.plus(Duration::from_secs(20)));
        let mut long = Bench::new(Method::Post, Repeat::IfUnprocessed);
        assert_eq!(long.run(vec![busy("301")], None).unwrap().status, 429);
    }

    #[test]
    fn a_refused_token_is_renewed_once_and_the_write_repeated() {
        let mut write = Bench::new(Method::Post, Repeat::IfUnprocessed);
        assert_eq!(write.run(vec![answer(401), answer(201)], None).unwrap().status, 201);
        assert_eq!(write.asked, [TokenReason::First, TokenReason::Rejected]);
        let mut again = Bench::new(Method::Get, Repeat::Always);
        assert_eq!(again.run(vec![answer(302), answer(401)], None).unwrap().status, 401);
        assert_eq!(again.sent, 2);
    }

    #[test]
    fn a_token_near_its_end_is_renewed_before_and_once_per_request() {
        let soon = T0.plus(Duration::from_secs(299));
        let mut bench = Bench::new(Method::Get, Repeat::Always);
        bench.session.hold_token(Some(soon));
        bench.run(vec![answer(200)], Some(soon)).unwrap();
        assert_eq!(bench.asked, [TokenReason::Expiring]);
        let mut held = Bench::new(Method::Get, Repeat::Always);
        held.session.hold_token(Some(T0.plus(Duration::from_secs(301))));
        held.run(vec![answer(200)], None).unwrap();
        assert_eq!(held.asked, []);
    }

    #[test]
    fn a_blob_request_needs_no_token_and_a_redirect_there_is_an_answer() {
        let mut bench = Bench::new(Method::Put, Repeat::Always);
        bench.exchange.request.bearer = false;
        assert_eq!(bench.run(vec![answer(307)], None).unwrap().status, 307);
        assert_eq!(bench.asked, []);
    }

    #[test]
    fn giving_up_ends_it_without_another_request() {
        let mut bench = Bench::new(Method::Get, Repeat::Always);
        bench.exchange.handle(Input::Cancelled, &mut bench.session, T0);
        let failure = bench.run(vec![], None).unwrap_err();
        assert_eq!((failure.error.code, bench.sent), (ErrorCode::Aborted, 0));
    }
}
