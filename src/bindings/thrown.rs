//! Errors on their way to JavaScript: plain objects, from which `errors.ts` makes a `ClmError`.

#[cfg(feature = "full")]
use js_sys::JSON;
use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

use crate::error::{Error, Place, ServiceWords};

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
    fn from(Thrown { error, cause }: Thrown) -> Self {
        let object = Fields::new();
        object.set("wire", Some(Self::TRUE));
        object.text("code", Some(error.code.as_str()));
        object.text("message", Some(&error.message));
        object.set("status", error.status.map(Self::from));
        object.set("service", error.service.as_deref().map(service));
        object.set("retryAfter", error.retry_after.map(|after| Self::from(after as f64)));
        object.set("at", error.at.as_deref().map(place));
        object.text("hint", error.hint.as_deref());
        #[cfg(feature = "full")]
        object.set("result", error.result.as_ref().and_then(|result| JSON::parse(&result.to_string()).ok()));
        object.set("cause", cause);
        object.0.into()
    }
}

fn service(words: &ServiceWords) -> JsValue {
    let object = Fields::new();
    object.text("code", words.code.as_deref());
    object.text("message", words.message.as_deref());
    object.text("inner", words.inner.as_deref());
    object.text("requestId", words.request_id.as_deref());
    object.text("activityId", words.activity_id.as_deref());
    object.0.into()
}

fn place(place: &Place) -> JsValue {
    let object = Fields::new();
    object.text("file", place.file.as_deref());
    object.text("entity", place.entity.as_deref());
    object.set("line", place.line.map(|line| JsValue::from(line as f64)));
    object.text("column", place.column.as_deref());
    object.0.into()
}

/// A plain object that gets what there is.
struct Fields(Object);

impl Fields {
    fn new() -> Self {
        Self(Object::new())
    }

    fn set(&self, name: &str, value: Option<JsValue>) {
        if let Some(value) = value {
            // A fresh plain object takes any property.
            let _ = Reflect::set(&self.0, &name.into(), &value);
        }
    }

    fn text(&self, name: &str, text: Option<&str>) {
        self.set(name, text.map(JsValue::from));
    }
}

/// For calls that need no driver.
pub(super) fn throw(error: Error) -> JsValue {
    Thrown::from(error).into()
}
