//! The caller's `AbortSignal` as a future, and waiting for the first of two things.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

/// Fires once when the caller gives up. One listener for the whole conversation, removed at its end.
pub(super) struct Cancel {
    signal: Option<AbortSignal>,
    listener: Option<js_sys::Function>,
    fired: Option<JsFuture>,
}

impl Cancel {
    pub(super) fn new(signal: Option<AbortSignal>) -> Self {
        let Some(signal) = signal else {
            return Self { signal: None, listener: None, fired: None };
        };
        let mut listener = None;
        // The promise's own `resolve` is the listener: no closure to keep alive.
        let promise = Promise::new(&mut |resolve, _| {
            if signal.aborted() {
                let _ = resolve.call0(&JsValue::UNDEFINED);
            } else {
                let function: js_sys::Function = resolve.unchecked_into();
                let _ = signal.add_event_listener_with_callback("abort", &function);
                listener = Some(function);
            }
        });
        Self { signal: Some(signal), listener, fired: Some(JsFuture::from(promise)) }
    }

    /// What the caller gave as reason.
    pub(super) fn reason(&self) -> Option<JsValue> {
        self.signal.as_ref().map(AbortSignal::reason)
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.signal.as_ref().is_some_and(AbortSignal::aborted)
    }

    /// The future's output, or nothing when the caller gave up first. After that it never fires again.
    pub(super) async fn race<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = std::pin::pin!(future);
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            if self.fired.as_mut().is_some_and(|fired| Pin::new(fired).poll(context).is_ready()) {
                self.fired = None;
                return Poll::Ready(None);
            }
            Poll::Pending
        })
        .await
    }
}

impl Drop for Cancel {
    fn drop(&mut self) {
        if let (Some(signal), Some(listener)) = (&self.signal, &self.listener) {
            let _ = signal.remove_event_listener_with_callback("abort", listener);
        }
    }
}
