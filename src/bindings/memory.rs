//! The module's memory, for chunks that are looked at where they lie.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// The memory of this instance. Not called `memory`, as the memory itself is among the module's exports.
#[wasm_bindgen(js_name = wasmMemory)]
#[must_use]
pub fn wasm_memory() -> JsValue {
    wasm_bindgen::memory()
}
