//! What the host brings: its fetch, its token, its listener.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use serde_json::json;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

use super::turn::{Line, Turn};
use crate::error::{Error, Result};
use crate::http::{Gate, Timestamp, TokenReason, redact_url};
use crate::odata::refuse_relay;

/// The functions of the host, and the one token of the client.
#[derive(Clone)]
pub(super) struct Host {
    inner: Rc<Inner>,
}

struct Inner {
    fetch: Option<Function>,
    get_token: Option<Function>,
    rewrite_url: Option<Function>,
    on_event: Option<Function>,
    resource: String,
    page_origin: Option<String>,
    relay_origins: Vec<String>,
    token: RefCell<Option<Held>>,
    renewing: RefCell<Option<Renewal>>,
    generation: Cell<u64>,
    requests: Cell<u64>,
    line: Line,
}

/// The host is asked for a token, on behalf of some conversations.
struct Renewal {
    promise: Promise,
    controller: Option<AbortController>,
    waiting: u32,
}

/// One of those who wait. When the last has given up, the host is told by the signal.
struct Waiting<'a> {
    inner: &'a Inner,
    promise: Promise,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut renewing = self.inner.renewing.borrow_mut();
        let Some(renewal) = renewing.as_mut().filter(|renewal| Object::is(&renewal.promise, &self.promise))
        else {
            return;
        };
        renewal.waiting -= 1;
        if renewal.waiting == 0 {
            let given_up = renewing.take();
            drop(renewing);
            if let Some(controller) = given_up.and_then(|renewal| renewal.controller) {
                controller.abort();
            }
        }
    }
}

/// A token lives here and nowhere else.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) bearer: String,
    pub(super) expires: Option<Timestamp>,
    /// Counts the renewals, so that a conversation whose token was refused takes one that another has renewed since.
    pub(super) generation: u64,
}

impl Host {
    pub(super) fn new(
        functions: &Object,
        resource: String,
        gate: Gate,
        page_origin: Option<String>,
        relay_origins: Vec<String>,
    ) -> Self {
        let function = |name: &str| {
            Reflect::get(functions, &name.into()).ok().and_then(|value| value.dyn_into::<Function>().ok())
        };
        Self {
            inner: Rc::new(Inner {
                fetch: function("fetch"),
                get_token: function("getToken"),
                rewrite_url: function("rewriteUrl"),
                on_event: function("onEvent"),
                resource,
                page_origin,
                relay_origins,
                token: RefCell::new(None),
                renewing: RefCell::new(None),
                generation: Cell::new(0),
                requests: Cell::new(0),
                line: Line::new(gate),
            }),
        }
    }

    pub(super) fn fetch(&self) -> Option<&Function> {
        self.inner.fetch.as_ref()
    }

    /// A place in the line of requests that wait to be sent.
    pub(super) fn turn(&self) -> Turn {
        self.inner.line.join()
    }

    pub(super) fn page_origin(&self) -> Option<&str> {
        self.inner.page_origin.as_deref()
    }

    pub(super) fn next_request(&self) -> u64 {
        let id = self.inner.requests.get() + 1;
        self.inner.requests.set(id);
        id
    }

    /// Where the request is really sent.
    pub(super) fn rewrite(&self, url: &str) -> Result<(String, bool)> {
        let Some(rewrite) = &self.inner.rewrite_url else { return Ok((url.to_owned(), false)) };
        let refuse = |why: &str| Error::argument(format!("rewriteUrl of {}: {why}", redact_url(url)));
        let rewritten = rewrite.call1(&JsValue::UNDEFINED, &url.into()).map_err(|_| refuse("it threw"))?;
        let rewritten = rewritten.as_string().ok_or_else(|| refuse("it returned no string"))?;
        let changed = rewritten != url;
        let own = self.inner.page_origin.iter().chain(&self.inner.relay_origins).map(String::as_str);
        if let Some(why) = if changed { refuse_relay(&rewritten, own) } else { None } {
            return Err(refuse(why));
        }
        Ok((rewritten, changed))
    }

    pub(super) fn emit(&self, event: &serde_json::Value) {
        if let Some(listener) = &self.inner.on_event {
            // A listener that throws must not change what happens.
            let _ = listener.call1(&JsValue::UNDEFINED, &event.to_string().into());
        }
    }

    pub(super) fn held(&self) -> Option<Held> {
        self.inner.token.borrow().clone()
    }

    /// A token at hand: the held one where the reason allows, else the host is asked, once for all who wait.
    ///
    /// `used` is the generation that the asking conversation has sent last.
    pub(super) async fn token(
        &self,
        reason: TokenReason,
        used: Option<u64>,
    ) -> Result<Option<Timestamp>, JsValue> {
        let Some(get_token) = self.inner.get_token.clone() else { return Ok(None) };
        if let Some(held) = self.held() {
            let newer = used.is_some_and(|used| held.generation > used);
            if reason == TokenReason::First || newer {
                return Ok(held.expires);
            }
        }
        let pending = self.inner.renewing.borrow_mut().as_mut().map(|renewal| {
            renewal.waiting += 1;
            renewal.promise.clone()
        });
        let promise = match pending {
            Some(promise) => promise,
            None => {
                self.emit(&json!({ "type": "token", "id": self.inner.generation.get() + 1 }));
                let request = Object::new();
                let set = |name: &str, value: &JsValue| Reflect::set(&request, &name.into(), value);
                set("resource", &self.inner.resource.as_str().into())?;
                set("scope", &format!("{}/.default", self.inner.resource).into())?;
                set("reason", &reason_word(reason).into())?;
                let controller = AbortController::new().ok();
                if let Some(controller) = &controller {
                    set("signal", &controller.signal())?;
                }
                let answer = get_token.call1(&JsValue::UNDEFINED, &request)?;
                let promise = Promise::resolve(&answer);
                let renewal = Renewal { promise: promise.clone(), controller, waiting: 1 };
                *self.inner.renewing.borrow_mut() = Some(renewal);
                promise
            }
        };
        let waiting = Waiting { inner: &self.inner, promise: promise.clone() };
        let outcome = JsFuture::from(promise.clone()).await;
        let first = {
            let mut renewing = self.inner.renewing.borrow_mut();
            let mine = renewing.as_ref().is_some_and(|renewal| Object::is(&renewal.promise, &promise));
            if mine {
                *renewing = None;
            }
            mine
        };
        drop(waiting);
        let answer = outcome?;
        if first {
            let held = self.read(&answer)?;
            *self.inner.token.borrow_mut() = Some(held);
        }
        Ok(self.held().and_then(|held| held.expires))
    }

    fn read(&self, answer: &JsValue) -> Result<Held, JsValue> {
        let get =
            |name: &str| if answer.is_object() { Reflect::get(answer, &name.into()).ok() } else { None };
        let bearer = get("token")
            .and_then(|token| token.as_string())
            .filter(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()));
        let Some(bearer) = bearer else {
            return Err(js_sys::Error::new("getToken gave no token").into());
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let expires = get("expiresOn")
            .and_then(|value| value.as_f64())
            .filter(|millis| millis.is_finite() && *millis >= 0.0)
            .map(|millis| Timestamp::from_millis(millis as u64));
        let generation = self.inner.generation.get() + 1;
        self.inner.generation.set(generation);
        Ok(Held { bearer, expires, generation })
    }
}

const fn reason_word(reason: TokenReason) -> &'static str {
    match reason {
        TokenReason::First => "first",
        TokenReason::Expiring => "expiring",
        TokenReason::Rejected => "rejected",
    }
}
