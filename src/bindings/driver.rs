//! The one loop that carries out steps. It decides nothing.

use std::future::Future;
use std::pin::Pin;

use gloo_timers::future::TimeoutFuture;
use serde_json::json;
use wasm_bindgen::JsValue;

use super::cancel::Cancel;
use super::host::Host;
use super::send::{Body, send};
use super::thrown::Thrown;
use super::words::{text_of, words_of};
use crate::error::{Error, ErrorCode};
use crate::http::{Event, Input, Machine, Passage, Request, Step, Store, Stored, Timestamp};

/// Longest single timer: browsers take no more than 31 bits of milliseconds.
const LONGEST_SLEEP: u64 = 1 << 30;

/// Something that the host does in its own time.
pub(super) type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, JsValue>> + 'a>>;

/// What the driver needs beside the host: source, store and listener.
pub(super) trait Extras {
    /// Bytes of the source.
    fn read(&self, _: std::ops::Range<u64>) -> Later<'_, Vec<u8>> {
        nothing()
    }
    /// Makes the checkpoint durable.
    fn save(&self, _: String) -> Later<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
    /// What the store has.
    fn load(&self, _: String) -> Later<'_, Option<Stored>> {
        nothing()
    }
    /// Makes a value durable in the store; its version.
    fn store(&self, _: Store) -> Later<'_, String> {
        nothing()
    }
    /// The body of a streamed answer, of which the machine has the head.
    fn body(&self, _: Body) {}
    /// A job has moved.
    fn moved(&self, _: &serde_json::Value) {}
}

fn nothing<T: 'static>() -> Later<'static, T> {
    Box::pin(std::future::ready(Err(
        js_sys::Error::new("this conversation has nothing to read or keep").into()
    )))
}

/// For conversations without source, store and checkpoints.
pub(super) struct NoExtras;

impl Extras for NoExtras {}

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
            Step::SendAll(requests) => Step::SendAll(requests),
            Step::Save(save) => Step::Save(save),
            Step::Load(key) => Step::Load(key),
            Step::Store(store) => Step::Store(store),
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
    let mut cancel = Cancel::new(signal.clone());
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
            Step::SendAll(requests) => {
                let held = host.held();
                used = held.as_ref().map(|held| held.generation).or(used);
                send_all(host, requests, held.as_ref().map(|held| held.bearer.as_str()), signal.as_ref())
                    .await
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
                    let what = "the checkpoint could not be kept, so nothing more was sent";
                    let error = keep(thrown, what, &mut cause);
                    Input::SaveRefused(Box::new(error))
                }
                None => Input::Cancelled,
            },
            Step::Load(key) => match extras.load(key).await {
                Ok(stored) => Input::Loaded(stored),
                Err(thrown) => {
                    Input::StoreFailed(Box::new(keep(thrown, "the store could not be read", &mut cause)))
                }
            },
            // Not raced against the signal: whether it was kept must be known before anything else happens.
            Step::Store(store) => match extras.store(store).await {
                Ok(version) => Input::Stored(version),
                Err(thrown) if text_of(&thrown, "code").as_deref() == Some("CHECKPOINT_CONFLICT") => {
                    Input::StoreConflict
                }
                Err(thrown) => {
                    Input::StoreFailed(Box::new(keep(thrown, "the store could not be written", &mut cause)))
                }
            },
            Step::Read(range) => match cancel.race(extras.read(range)).await {
                Some(Ok(bytes)) => Input::Bytes(bytes),
                Some(Err(thrown)) => Input::ReadFailed(Box::new(keep(
                    thrown,
                    "the source of the job could not be read",
                    &mut cause,
                ))),
                None => Input::Cancelled,
            },
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

/// The error of what the host threw: with its code where it is one of ours, and with itself as cause.
fn keep(thrown: JsValue, what: &str, cause: &mut Option<JsValue>) -> Error {
    let known = text_of(&thrown, "code").and_then(|code| ErrorCode::parse(&code));
    let error = Error::new(known.unwrap_or(ErrorCode::Aborted), format!("{what}: {}", words_of(&thrown)))
        .hint(
            text_of(&thrown, "hint")
                .unwrap_or_else(|| "A function of the host rejected; see the cause.".to_owned()),
        );
    *cause = Some(thrown);
    error
}

/// All of them at once; each hears of the signal for itself.
async fn send_all(
    host: &Host,
    requests: Vec<Request>,
    bearer: Option<&str>,
    signal: Option<&web_sys::AbortSignal>,
) -> Input {
    let one = |request: Request| async move {
        let mut cancel = Cancel::new(signal.cloned());
        let bearer = bearer.filter(|_| request.bearer);
        send(host, request, bearer, &mut cancel).await.0
    };
    let mut open: Vec<_> = requests.into_iter().map(|request| Some(Box::pin(one(request)))).collect();
    let mut answers: Vec<Option<Input>> = open.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, answer) in open.iter_mut().zip(&mut answers) {
            if let Some(pending) = future
                && let std::task::Poll::Ready(input) = pending.as_mut().poll(context)
            {
                *answer = Some(input);
                *future = None;
            }
        }
        if open.iter().all(Option::is_none) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    let answers: Vec<Input> = answers.into_iter().flatten().collect();
    if answers.iter().any(|answer| matches!(answer, Input::Cancelled)) {
        return Input::Cancelled;
    }
    Input::Answers(answers)
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

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn now() -> Timestamp {
    Timestamp::from_millis(js_sys::Date::now().max(0.0) as u64)
}
