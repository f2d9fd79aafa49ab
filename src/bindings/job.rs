//! Jobs on their way through the driver: hooks and results.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use super::driver::{Extras, Later, drive};
use super::host::Host;
use super::thrown::Thrown;
use super::words::text_of;
use crate::dmf::{Exported, Import};
use crate::http::{Store, Stored};

#[wasm_bindgen]
extern "C" {
    /// The functions that a job reports to, and that read and keep for it.
    pub type JobHooks;

    #[wasm_bindgen(method, catch, js_name = onCheckpoint)]
    fn on_checkpoint(this: &JobHooks, state: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = onEvent)]
    fn on_event(this: &JobHooks, event: &str) -> Result<JsValue, JsValue>;

    /// Bytes of the source: a promise of an Uint8Array, shorter only at the end.
    #[wasm_bindgen(method, catch)]
    fn read(this: &JobHooks, start: f64, end: f64) -> Result<JsValue, JsValue>;

    /// A promise of `{ value, version }` or undefined.
    #[wasm_bindgen(method, catch)]
    fn load(this: &JobHooks, key: &str) -> Result<JsValue, JsValue>;

    /// A promise of the new version.
    #[wasm_bindgen(method, catch)]
    fn store(this: &JobHooks, key: &str, value: &str, if_version: Option<String>)
    -> Result<JsValue, JsValue>;
}

async fn settled(answer: Result<JsValue, JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(Promise::resolve(&answer?)).await
}

impl Extras for JobHooks {
    #[allow(clippy::cast_precision_loss)]
    fn read(&self, range: std::ops::Range<u64>) -> Later<'_, Vec<u8>> {
        Box::pin(async move {
            let bytes = settled(Self::read(self, range.start as f64, range.end as f64)).await?;
            Ok(bytes.dyn_into::<Uint8Array>()?.to_vec())
        })
    }

    fn save(&self, state: String) -> Later<'_, ()> {
        Box::pin(async move { settled(self.on_checkpoint(&state)).await.map(|_| ()) })
    }

    fn load(&self, key: String) -> Later<'_, Option<Stored>> {
        Box::pin(async move {
            let found = settled(Self::load(self, &key)).await?;
            if found.is_undefined() || found.is_null() {
                return Ok(None);
            }
            match (text_of(&found, "value"), text_of(&found, "version")) {
                (Some(value), Some(version)) => Ok(Some(Stored::new(value, version))),
                _ => Err(js_sys::TypeError::new("the store gave something without value and version").into()),
            }
        })
    }

    fn store(&self, store: Store) -> Later<'_, String> {
        Box::pin(async move {
            let version = settled(Self::store(self, &store.key, &store.value, store.if_version)).await?;
            version.as_string().ok_or_else(|| js_sys::TypeError::new("the store gave no version").into())
        })
    }

    fn moved(&self, event: &serde_json::Value) {
        // A listener that throws must not change what happens.
        let _ = self.on_event(&event.to_string());
    }
}

pub(super) async fn run_import(
    job: &mut Import,
    host: &Host,
    hooks: &JobHooks,
    signal: Option<AbortSignal>,
) -> Result<String, JsValue> {
    let outcome = drive(job, host, hooks, signal).await?;
    Ok(serde_json::to_string(&outcome).unwrap_or_default())
}

/// A finished export: its result as JSON, and the package.
#[wasm_bindgen]
pub struct WireExport {
    result: String,
    bytes: Vec<u8>,
}

#[wasm_bindgen]
impl WireExport {
    /// The run as JSON.
    #[wasm_bindgen(getter)]
    pub fn result(&self) -> String {
        self.result.clone()
    }

    /// The package; once.
    #[wasm_bindgen(js_name = takeBytes)]
    pub fn take_bytes(&mut self) -> Uint8Array {
        Uint8Array::from(std::mem::take(&mut self.bytes).as_slice())
    }
}

pub(super) fn export_output(outcome: Result<Exported, Thrown>) -> Result<WireExport, JsValue> {
    let Exported { run, bytes } = outcome?;
    Ok(WireExport { result: serde_json::to_string(&run).unwrap_or_default(), bytes })
}
