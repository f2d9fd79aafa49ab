//! The connection doctor. The one place where a token's own words are looked at.

use serde_json::Value;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

use super::client::Client;
use super::driver::{NoExtras, drive, now};
use crate::connection::{Diagnosis, Finding, Token};

#[wasm_bindgen]
impl Client {
    /// The findings, as a JSON list.
    pub async fn diagnose(&self, signal: Option<AbortSignal>) -> Result<String, JsValue> {
        let mut diagnosis = Diagnosis::new(&self.service);
        let seen = drive(&mut diagnosis, &self.host, &NoExtras, signal).await?;
        let held = self.host.held();
        let token = Token::of(held.as_ref().map(|held| held.bearer.as_str()));
        let findings = seen.report(&token, now()).iter().map(Finding::to_json).collect();
        Ok(Value::Array(findings).to_string())
    }
}
