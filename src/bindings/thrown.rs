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
