//! The exports as the TypeScript meets them, in Node and in Chromium.
// A test that can't go on has failed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]
#![cfg(all(feature = "wasm", target_arch = "wasm32", target_os = "unknown"))]

mod client;
mod job;
mod package;

use js_sys::Reflect;
use wasm_bindgen::JsValue;

/// A property of something thrown.
fn text(thrown: &JsValue, name: &str) -> String {
    Reflect::get(thrown, &name.into()).ok().and_then(|value| value.as_string()).unwrap_or_default()
}
