//! What was thrown in JavaScript, in words.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

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

/// The text of a property of what was thrown.
pub(super) fn text_of(thrown: &JsValue, name: &str) -> Option<String> {
    if !thrown.is_object() {
        return None;
    }
    Reflect::get(thrown, &name.into()).ok().and_then(|value| value.as_string())
}
