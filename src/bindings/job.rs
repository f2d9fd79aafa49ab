//! Jobs on their way through the driver: hooks, turns, results.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use super::driver::{Extras, Saving, drive, slice};
use super::host::Host;
use super::thrown::Thrown;
use crate::dmf::{Exported, Import};
use crate::error::{Error, ErrorCode, Result};

#[wasm_bindgen]
extern "C" {
    /// The functions that a job reports to.
    pub type JobHooks;

    #[wasm_bindgen(method, catch, js_name = onCheckpoint)]
    fn on_checkpoint(this: &JobHooks, state: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = onEvent)]
    fn on_event(this: &JobHooks, event: &str) -> Result<JsValue, JsValue>;
}

impl JobHooks {
    pub(super) fn extras(self, source: Option<Uint8Array>) -> JobExtras {
        JobExtras { hooks: self, source }
    }
}

/// A job's source and listener.
pub(super) struct JobExtras {
    hooks: JobHooks,
    source: Option<Uint8Array>,
}

impl Extras for JobExtras {
    fn read(&self, range: std::ops::Range<u64>) -> Vec<u8> {
        self.source.as_ref().map(|source| slice(source, range)).unwrap_or_default()
    }

    fn save(&self, state: String) -> Saving<'_> {
        Box::pin(async move {
            let answer = self.hooks.on_checkpoint(&state)?;
            JsFuture::from(Promise::resolve(&answer)).await.map(|_| ())
        })
    }

    fn moved(&self, event: &serde_json::Value) {
        // A listener that throws must not change what happens.
        let _ = self.hooks.on_event(&event.to_string());
    }
}

/// The right to run a job: one at a time.
pub(super) struct JobTurn(Rc<Cell<bool>>);

impl JobTurn {
    pub(super) fn take(busy: &Rc<Cell<bool>>) -> Result<Self> {
        if busy.replace(true) {
            return Err(Error::new(
                ErrorCode::Conflict,
                "another import or export of this client is running",
            )
            .hint(
                "Await its done() first: such calls must not overlap (\"Data management package REST API\").",
            ));
        }
        Ok(Self(busy.clone()))
    }
}

impl Drop for JobTurn {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

pub(super) async fn run_import(
    job: &mut Import,
    host: &Host,
    source: Option<Uint8Array>,
    hooks: JobHooks,
    signal: Option<AbortSignal>,
) -> Result<String, JsValue> {
    let outcome = drive(job, host, &hooks.extras(source), signal).await?;
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
