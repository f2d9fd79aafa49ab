//! The contract between a conversation and whoever carries it out.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::message::{Request, Response, TransportError};
use super::time::Timestamp;
use crate::error::Error;

/// A conversation with the service as a value.
///
/// The driver calls [`next`](Machine::next) and carries out the step. After `Send`, `Token`, `Save` and `Read` it hands the
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
    /// Make this durable, then hand over `Saved`.
    Save(Save),
    /// Hand over these bytes of the source.
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

/// What came of a step.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input {
    /// The answer to `Send`.
    Response(Response),
    /// No answer to `Send`.
    TransportError(TransportError),
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
    /// The bytes asked for.
    Bytes(Vec<u8>),
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
