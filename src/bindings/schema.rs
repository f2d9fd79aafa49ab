//! What an environment has: asked for, read from a document, compared, written as TypeScript.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

use super::client::Client;
use super::parse::parse;
use super::thrown::throw;
use crate::catalog::Schema;
use crate::error::Error;
use crate::odata::{self, MetadataOptions, ReadMetadata};

#[wasm_bindgen]
impl Client {
    /// The schema as JSON; `options` as JSON.
    pub async fn metadata(&self, options: &str, signal: Option<AbortSignal>) -> Result<String, JsValue> {
        let options: MetadataOptions = parse(options, "options").map_err(throw)?;
        let found = self.drive(ReadMetadata::new(&self.service, options), signal).await?;
        Ok(found.json())
    }
}

/// Reads a `$metadata` document in pieces.
#[wasm_bindgen]
pub struct MetadataReader(Option<odata::MetadataReader>);

#[wasm_bindgen]
impl MetadataReader {
    /// For these collections, or for all.
    #[wasm_bindgen(constructor)]
    pub fn new(collections: Option<Vec<String>>) -> Self {
        Self(Some(odata::MetadataReader::new(collections)))
    }

    /// The next bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), JsValue> {
        self.0.as_mut().ok_or_else(over)?.push(bytes).map_err(throw)
    }

    /// The schema as JSON.
    pub fn finish(&mut self) -> Result<String, JsValue> {
        let reader = self.0.take().ok_or_else(over)?;
        reader.finish().map(|found| found.json()).map_err(throw)
    }
}

fn over() -> JsValue {
    throw(Error::new(crate::ErrorCode::Disposed, "the document is read already"))
}

/// Differences from the catalogue as JSON.
#[wasm_bindgen(js_name = schemaDrift)]
pub fn schema_drift(schema: &str) -> Result<String, JsValue> {
    let schema = Schema::from_json(schema).map_err(throw)?;
    Ok(serde_json::to_string(&odata::drift(&schema)).unwrap_or_default())
}

/// Declarations of the schema's entities.
#[wasm_bindgen(js_name = schemaTypes)]
pub fn schema_types(schema: &str, collections: Option<Vec<String>>) -> Result<String, JsValue> {
    let schema = Schema::from_json(schema).map_err(throw)?;
    odata::typescript(&schema, collections.as_deref()).map_err(throw)
}
