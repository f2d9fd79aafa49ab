//! Errors on their way to JavaScript: plain objects, from which `errors.ts` makes a `ClmError`.

use js_sys::{JSON, Object, Reflect};
use wasm_bindgen::JsValue;

use crate::error::Error;

/// An error and, where JavaScript began it, what was thrown there.
#[derive(Debug)]
pub(super) struct Thrown {
    pub(super) error: Error,
    pub(super) cause: Option<JsValue>,
}

impl From<Error> for Thrown {
    fn from(error: Error) -> Self {
        Self { error, cause: None }
    }
}

impl From<Thrown> for JsValue {
    fn from(thrown: Thrown) -> Self {
        let text = serde_json::to_string(&thrown.error).unwrap_or_else(|_| "{}".to_owned());
        let object = JSON::parse(&text).unwrap_or_else(|_| Object::new().into());
        let set = |name: &str, value: &Self| {
            // A fresh plain object takes any property.
            let _ = Reflect::set(&object, &name.into(), value);
        };
        set("wire", &Self::TRUE);
        if let Some(cause) = &thrown.cause {
            set("cause", cause);
        }
        object
    }
}

/// For calls that need no driver.
pub(super) fn throw(error: Error) -> JsValue {
    Thrown::from(error).into()
}

/// The words of something thrown in JavaScript: `name: message`, and the code of its cause, where Node hides the reason.
pub(super) fn words_of(thrown: &JsValue) -> String {
    let text = |value: &JsValue, name: &str| {
        Reflect::get(value, &name.into()).ok().and_then(|value| value.as_string())
    };
    if !thrown.is_object() {
        return thrown.as_string().unwrap_or_else(|| "something without a message was thrown".to_owned());
    }
    let mut words = text(thrown, "message").unwrap_or_else(|| "an error without a message".to_owned());
    if let Some(code) = cause_code(thrown) {
        words.push_str(" (");
        words.push_str(&code);
        words.push(')');
    }
    words
}

/// `error.cause.code` or `error.code`, for example `ECONNREFUSED`.
pub(super) fn cause_code(thrown: &JsValue) -> Option<String> {
    let get = |value: &JsValue, name: &str| Reflect::get(value, &name.into()).ok();
    let of = |value: &JsValue| get(value, "code").and_then(|code| code.as_string());
    if !thrown.is_object() {
        return None;
    }
    let cause = get(thrown, "cause").filter(JsValue::is_object);
    cause.as_ref().and_then(of).or_else(|| of(thrown))
}
