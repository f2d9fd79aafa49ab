//! Conversations over HTTP as values: what to send, when to repeat it, when to ask for a token. Nothing here opens a
//! connection or reads a clock.
//!
//! What belongs here: requests and answers as data, the rules of retry and throttling, the token's life, redaction, and the
//! contract between a conversation and its driver ([`Machine`]). What does not: URLs and payloads of the service (`odata`),
//! jobs (`dmf`), and the loop that really sends (`bindings`, or a native caller).
//!
//! # A blocking driver
//!
//! A native caller carries out the steps of a machine one by one and decides nothing:
//!
//! ```
//! use d365_clm::http::{Input, Machine, Request, Response, Step, Timestamp};
//!
//! fn drive<M: Machine>(
//!     machine: &mut M,
//!     mut now: impl FnMut() -> Timestamp,
//!     mut send: impl FnMut(&Request) -> Input,
//!     token_expires: Option<Timestamp>,
//! ) -> d365_clm::error::Result<M::Output> {
//!     loop {
//!         match machine.next(now()) {
//!             Step::Send(request) => {
//!                 let answer = send(&request); // adds the bearer token where `request.bearer` says so
//!                 machine.handle(answer, now());
//!             }
//!             Step::Token(_) => machine.handle(Input::TokenRenewed { expires: token_expires }, now()),
//!             Step::Wait(until) => std::thread::sleep(until.since(now())),
//!             Step::Save(_) => machine.handle(Input::Saved, now()), // durable before it says so
//!             Step::Read(_) => machine.handle(Input::Bytes(Vec::new()), now()),
//!             Step::Load(_) => machine.handle(Input::Loaded(None), now()), // see `Store` for what a store promises
//!             Step::Store(_) => machine.handle(Input::Stored("1".to_owned()), now()),
//!             Step::Emit(_) => {}
//!             Step::Done(output) => return Ok(output),
//!             Step::Failed(error) => return Err(*error),
//!             _ => unreachable!("steps of a newer version"),
//!         }
//!     }
//! }
//! # use d365_clm::odata::{count, Query, Service};
//! # let service = Service::new("http://localhost:1", None).unwrap();
//! # let mut counting = count(&service, "Currencies", &Query::default()).unwrap();
//! # let answer = |_: &Request| Input::Response(Response::new(200, "\u{feff}3"));
//! # let found = drive(&mut counting, || Timestamp::from_millis(0), answer, None).unwrap();
//! # assert_eq!(found, 3);
//! ```

mod exchange;
mod gate;
mod machine;
mod message;
mod patience;
mod redact;
mod retry;
mod session;
mod time;

pub use exchange::{Exchange, Failure, Io, Polled};
pub use gate::{DEFAULT_IN_FLIGHT, Gate, MOST_IN_FLIGHT, Pass, Passage, Ticket};
pub use machine::{Event, Input, Machine, Progress, Save, Step, Store, Stored, TokenReason, Unit};
pub use message::{Method, Request, Response, TransportError, TransportKind};
pub use patience::Patience;
pub use redact::{redact_text, redact_url};
pub(crate) use retry::backoff;
pub use retry::{Repeat, RetryPolicy, throttled_for};
pub use session::{Session, TOKEN_MARGIN};
pub use time::Timestamp;
