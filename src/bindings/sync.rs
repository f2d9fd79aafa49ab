//! Incremental synchronisation on its way through the driver.

use std::cell::RefCell;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

use super::client::Client;
use super::driver::drive;
use super::host::Host;
use super::job::JobHooks;
use super::parse::parse;
use super::thrown::throw;
use crate::catalog::builtin;
use crate::error::Error;
use crate::sync::{Need, Reset, Status, Sync, SyncOptions, Turned, choose_pattern};

/// One pass of a sync.
#[wasm_bindgen]
pub struct SyncPass {
    host: Host,
    /// Taken out during a turn.
    sync: RefCell<Option<Sync>>,
}

#[wasm_bindgen]
impl Client {
    /// A pass through all lines; nothing is sent yet.
    #[wasm_bindgen(js_name = syncPass)]
    pub fn sync_pass(&self, options: &str) -> Result<SyncPass, JsValue> {
        let options: SyncOptions = parse(options, "sync options").map_err(throw)?;
        let sync = Sync::new(&self.service, options).map_err(throw)?;
        Ok(SyncPass { host: self.host.clone(), sync: RefCell::new(Some(sync)) })
    }

    /// How far the lines are, as JSON.
    #[wasm_bindgen(js_name = syncStatus)]
    pub async fn sync_status(
        &self,
        options: &str,
        hooks: JobHooks,
        signal: Option<AbortSignal>,
    ) -> Result<String, JsValue> {
        let options: SyncOptions = parse(options, "sync options").map_err(throw)?;
        let mut status = Status::new(&self.service, &options).map_err(throw)?;
        Ok(drive(&mut status, &self.host, &hooks, signal).await?)
    }

    /// Has the lines of an entity, or all, begin anew.
    #[wasm_bindgen(js_name = syncReset)]
    pub async fn sync_reset(
        &self,
        options: &str,
        entity: Option<String>,
        hooks: JobHooks,
        signal: Option<AbortSignal>,
    ) -> Result<(), JsValue> {
        let options: SyncOptions = parse(options, "sync options").map_err(throw)?;
        let mut reset = Reset::new(&self.service, &options, entity.as_deref()).map_err(throw)?;
        Ok(drive(&mut reset, &self.host, &hooks, signal).await?)
    }
}

#[wasm_bindgen]
impl SyncPass {
    /// The next batch as JSON, or nothing when all lines are up to date.
    pub async fn next(
        &self,
        hooks: JobHooks,
        signal: Option<AbortSignal>,
    ) -> Result<Option<String>, JsValue> {
        let mut sync = self.take()?;
        let turned = drive(&mut sync.batch(), &self.host, &hooks, signal).await;
        *self.sync.borrow_mut() = Some(sync);
        Ok(match turned? {
            Turned::Batch(batch) => Some(batch.to_json()),
            _ => None,
        })
    }

    /// Commits the batch with that id.
    pub async fn commit(
        &self,
        id: &str,
        hooks: JobHooks,
        signal: Option<AbortSignal>,
    ) -> Result<(), JsValue> {
        let mut sync = self.take()?;
        let turned = drive(&mut sync.commit(id), &self.host, &hooks, signal).await;
        *self.sync.borrow_mut() = Some(sync);
        turned?;
        Ok(())
    }

    fn take(&self) -> Result<Sync, JsValue> {
        self.sync.borrow_mut().take().ok_or_else(|| {
            throw(
                Error::argument("the turn before is still under way")
                    .hint("Await commit() and the next batch one after the other."),
            )
        })
    }
}

/// `{"pattern":"odata","reason":"…"}` for a need as JSON.
#[wasm_bindgen(js_name = choosePattern)]
pub fn choose(need: &str) -> Result<String, JsValue> {
    let need: Need = parse(need, "need").map_err(throw)?;
    let choice = choose_pattern(builtin(), &need).map_err(throw)?;
    Ok(serde_json::to_string(&choice).unwrap_or_default())
}
