//! The contract between a conversation and whoever carries it out.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::message::{Request, Response, TransportError};
use super::time::Timestamp;
use crate::error::Error;

/// A conversation with the service as a value.
///
/// The driver calls [`next`](Machine::next) and carries out the step. After `Send`, `SendAll`, `Token`, `Save`, `Load`, `Store` and `Read` it hands the
/// outcome to [`handle`](Machine::handle) before it calls `next` again; after `Wait` (when the time has come, or earlier)
/// and `Emit` it just calls `next`. After `Done` and `Failed` the conversation is over.
pub trait Machine {
    /// What the conversation is held for.
    type Output;

    /// What to do now.
    fn next(&mut self, now: Timestamp) -> Step<Self::Output>;

    /// What came of it.
    fn handle(&mut self, input: Input, now: Timestamp);
}

/// What the driver is asked to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step<T> {
    /// Send this, and hand over the answer or the transport's failure.
    Send(Request),
    /// See that a token is at hand, a new one where the reason says so.
    Token(TokenReason),
    /// Send all of these, as many at a time as the transport likes, and hand over `Answers` when each has its outcome.
    SendAll(Vec<Request>),
    /// Make this durable, then hand over `Saved`.
    Save(Save),
    /// Hand over what the store has under this key: `Loaded`.
    Load(String),
    /// Make this durable under a key of the store, then hand over `Stored` or `StoreConflict`.
    Store(Store),
    /// Hand over these bytes of the source; fewer only where it ends.
    Read(Range<u64>),
    /// Come back then.
    Wait(Timestamp),
    /// Tell the host.
    Emit(Event),
    /// The conversation has ended well.
    Done(T),
    /// The conversation has failed.
    Failed(Box<Error>),
}

/// A checkpoint to be made durable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Save {
    /// The state as JSON, without secrets.
    pub state: String,
}

impl Save {
    pub(crate) const fn new(state: String) -> Self {
        Self { state }
    }
}

/// A value for a key of the store, kept only where nobody else was first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Store {
    /// Key, of texts joined by `/`.
    pub key: String,
    /// JSON, without secrets.
    pub value: String,
    /// The version that it replaces; none: nothing must be there.
    pub if_version: Option<String>,
}

impl Store {
    pub(crate) const fn new(key: String, value: String, if_version: Option<String>) -> Self {
        Self { key, value, if_version }
    }
}

/// A value of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// The value.
    pub value: String,
    /// Its version, which no other value of the key has.
    pub version: String,
}

impl Stored {
    /// A value and its version.
    #[must_use]
    pub fn new(value: impl Into<String>, version: impl Into<String>) -> Self {
        Self { value: value.into(), version: version.into() }
    }
}

/// What came of a step.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input {
    /// The answer to `Send`.
    Response(Response),
    /// No answer to `Send`.
    TransportError(TransportError),
    /// The outcomes of `SendAll` in its order, each a `Response` or a `TransportError`.
    Answers(Vec<Input>),
    /// A token is at hand; `expires` where the host knows it, none also where requests go without one.
    TokenRenewed {
        /// End of the token's life.
        expires: Option<Timestamp>,
    },
    /// The host could not give a token.
    TokenFailed {
        /// What the host said; redacted before it is shown.
        message: String,
    },
    /// The checkpoint is durable.
    Saved,
    /// The checkpoint could not be made durable.
    SaveRefused(Box<Error>),
    /// What the store has; none where there is nothing.
    Loaded(Option<Stored>),
    /// The value is durable, and this is its version.
    Stored(String),
    /// Something else is under the key; nothing was changed.
    StoreConflict,
    /// The store could not be read or written.
    StoreFailed(Box<Error>),
    /// The bytes asked for.
    Bytes(Vec<u8>),
    /// The source could not be read.
    ReadFailed(Box<Error>),
    /// The caller has given up.
    Cancelled,
}

/// Why a token is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TokenReason {
    /// Any valid one will do.
    First,
    /// The one at hand ends in less than five minutes.
    Expiring,
    /// The service refused the one at hand.
    Rejected,
}

/// Something that the host may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A request will be repeated.
    Retry {
        /// Number of the try that failed, from 1.
        attempt: u32,
        /// Milliseconds until the next.
        delay: u64,
        /// Status of the answer, where there was one.
        status: Option<u16>,
        /// Whether the service said that it is busy.
        throttled: bool,
    },
    /// A job has moved.
    Job {
        /// Where the job stands: `project`, `upload`, `submit`, `running`, `errors`, `download` or `done`.
        stage: &'static str,
        /// What the service says of the run.
        status: Option<&'static str>,
        /// How far.
        progress: Option<Progress>,
    },
}

/// How far something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// Done so far.
    pub done: u64,
    /// All of it, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What is counted.
    pub unit: Unit,
}

impl Progress {
    pub(crate) const fn new(done: u64, total: Option<u64>, unit: Unit) -> Self {
        Self { done, total, unit }
    }
}

/// What a progress counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Rows.
    Rows,
    /// Entities.
    Entities,
    /// Questions for the status.
    Polls,
}
