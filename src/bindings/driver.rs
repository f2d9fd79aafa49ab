//! The one loop that carries out steps. It decides nothing.

use std::future::Future;
use std::pin::Pin;

use gloo_timers::future::TimeoutFuture;
use js_sys::Uint8Array;
use serde_json::json;
use wasm_bindgen::JsValue;

use super::cancel::Cancel;
use super::host::Host;
use super::send::{Body, send};
use super::thrown::Thrown;
use super::words::words_of;
use crate::error::{Error, ErrorCode};
use crate::http::{Event, Input, Machine, Passage, Step, Timestamp};

/// Longest single timer: browsers take no more than 31 bits of milliseconds.
const LONGEST_SLEEP: u64 = 1 << 30;

/// A checkpoint on its way to where it is durable.
pub(super) type Saving<'a> = Pin<Box<dyn Future<Output = Result<(), JsValue>> + 'a>>;

/// What the driver needs beside the host: the job's source and its listener.
pub(super) trait Extras {
    /// Bytes of the source.
    fn read(&self, range: std::ops::Range<u64>) -> Vec<u8>;
    /// Makes the checkpoint durable.
    fn save(&self, state: String) -> Saving<'_>;
    /// The body of a streamed answer, of which the machine has the head.
    fn body(&self, _: Body) {}
    /// A job has moved.
    fn moved(&self, event: &serde_json::Value);
}

/// For conversations without source and checkpoints.
pub(super) struct NoExtras;

impl Extras for NoExtras {
    fn read(&self, _: std::ops::Range<u64>) -> Vec<u8> {
        Vec::new()
    }
    fn save(&self, _: String) -> Saving<'_> {
        Box::pin(std::future::ready(Ok(())))
    }
    fn moved(&self, _: &serde_json::Value) {}
}

/// Holds the conversation to its end.
pub(super) async fn drive<M: Machine>(
    machine: &mut M,
    host: &Host,
    extras: &dyn Extras,
    signal: Option<web_sys::AbortSignal>,
) -> Result<M::Output, Thrown> {
    let mut conversation = Conversation { machine, output: None };
    // The loop is compiled once and not into each of the exports, of whose code it would be most.
    let held: Pin<Box<dyn Future<Output = Result<(), Thrown>> + '_>> =
        Box::pin(hold(&mut conversation, host, extras, signal));
    held.await?;
    conversation
        .output
        .ok_or_else(|| Error::new(ErrorCode::InternalPanic, "a conversation ended without an outcome").into())
}

/// A machine that keeps its output to itself, so that all look alike.
struct Conversation<'a, M: Machine> {
    machine: &'a mut M,
    output: Option<M::Output>,
}

impl<M: Machine> Machine for Conversation<'_, M> {
    type Output = ();

    fn next(&mut self, now: Timestamp) -> Step<()> {
        match self.machine.next(now) {
            Step::Done(output) => {
                self.output = Some(output);
                Step::Done(())
            }
            Step::Send(request) => Step::Send(request),
            Step::Token(reason) => Step::Token(reason),
            Step::Save(save) => Step::Save(save),
            Step::Read(range) => Step::Read(range),
            Step::Wait(until) => Step::Wait(until),
            Step::Emit(event) => Step::Emit(event),
            Step::Failed(error) => Step::Failed(error),
        }
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        self.machine.handle(input, now);
    }
}

async fn hold(
    machine: &mut dyn Machine<Output = ()>,
    host: &Host,
    extras: &dyn Extras,
    signal: Option<web_sys::AbortSignal>,
) -> Result<(), Thrown> {
    let mut cancel = Cancel::new(signal);
    let mut cause: Option<JsValue> = None;
    // Which renewal of the token this conversation has sent last.
    let mut used: Option<u64> = None;
    if cancel.is_aborted() {
        machine.handle(Input::Cancelled, now());
    }
    loop {
        let input = match machine.next(now()) {
            Step::Send(request) => {
                // Storage has limits of its own.
                let turn = request.bearer.then(|| host.turn());
                let waited = match &turn {
                    Some(turn) => cancel.race(turn.come()).await,
                    None => Some(()),
                };
                if waited.is_some() {
                    let held = if request.bearer { host.held() } else { None };
                    used = held.as_ref().map(|held| held.generation).or(used);
                    let bearer = held.as_ref().map(|held| held.bearer.as_str());
                    let (input, body) = send(host, request, bearer, &mut cancel).await;
                    if let (Some(turn), Input::Response(response)) = (turn, &input) {
                        turn.over(Passage::of_status(response.status));
                    }
                    if let Some(body) = body {
                        extras.body(body);
                    }
                    input
                } else {
                    Input::Cancelled
                }
            }
            Step::Token(reason) => match cancel.race(host.token(reason, used)).await {
                Some(Ok(expires)) => Input::TokenRenewed { expires },
                Some(Err(thrown)) => {
                    let message = words_of(&thrown);
                    cause = Some(thrown);
                    Input::TokenFailed { message }
                }
                None => Input::Cancelled,
            },
            Step::Save(save) => match cancel.race(extras.save(save.state)).await {
                Some(Ok(())) => Input::Saved,
                Some(Err(thrown)) => {
                    let error = Error::new(
                        ErrorCode::Aborted,
                        format!(
                            "the checkpoint could not be kept, so nothing more was sent: {}",
                            words_of(&thrown)
                        ),
                    )
                    .hint("onCheckpoint rejected; see the cause.");
                    cause = Some(thrown);
                    Input::SaveRefused(Box::new(error))
                }
                None => Input::Cancelled,
            },
            Step::Read(range) => Input::Bytes(extras.read(range)),
            Step::Wait(until) => {
                let pause = until.since(now()).as_millis().min(u128::from(LONGEST_SLEEP));
                match cancel.race(TimeoutFuture::new(u32::try_from(pause).unwrap_or(u32::MAX >> 1))).await {
                    Some(()) => continue,
                    None => Input::Cancelled,
                }
            }
            Step::Emit(event) => {
                tell(host, extras, &event);
                continue;
            }
            Step::Done(()) => return Ok(()),
            Step::Failed(error) => {
                let cause = if error.code == ErrorCode::Aborted && cancel.is_aborted() {
                    cancel.reason()
                } else {
                    cause
                };
                return Err(Thrown { error: *error, cause });
            }
        };
        machine.handle(input, now());
    }
}

fn tell(host: &Host, extras: &dyn Extras, event: &Event) {
    match event {
        Event::Retry { attempt, delay, status, throttled } => {
            let kind = if *throttled { "throttled" } else { "retry" };
            host.emit(
                &json!({ "type": kind, "id": 0, "attempt": attempt, "delay": delay, "status": status }),
            );
        }
        Event::Job { stage, status, progress } => {
            let mut told = json!({ "stage": stage });
            if let (Some(object), Some(status)) = (told.as_object_mut(), status) {
                object.insert("status".to_owned(), (*status).into());
            }
            if let (Some(object), Some(progress)) = (told.as_object_mut(), progress) {
                let mut progress = serde_json::to_value(progress).unwrap_or_default();
                if let Some(progress) = progress.as_object_mut() {
                    progress.insert("stage".to_owned(), (*stage).into());
                }
                object.insert("progress".to_owned(), progress);
            }
            extras.moved(&told);
        }
    }
}

/// Bytes of a JavaScript array.
pub(super) fn slice(source: &Uint8Array, range: std::ops::Range<u64>) -> Vec<u8> {
    let at = |place: u64| u32::try_from(place).unwrap_or(u32::MAX).min(source.length());
    source.subarray(at(range.start), at(range.end)).to_vec()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn now() -> Timestamp {
    Timestamp::from_millis(js_sys::Date::now().max(0.0) as u64)
}
