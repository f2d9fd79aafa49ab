//! Packages on both sides of the boundary: rows cross it a chunk at a time.

use js_sys::Uint8Array;
use serde::Deserialize;
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::parse::parse;
use super::thrown::throw;
use crate::error::Error;
use crate::package::{DataPackage, Limits, PackageSpec, PackageWriter as Writer, RowBatch, RowReader};

/// Builds a package.
#[wasm_bindgen]
pub struct PackageWriter(Option<Writer>);

#[wasm_bindgen]
impl PackageWriter {
    /// `spec` as JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(spec: &str) -> Result<Self, JsValue> {
        let spec: PackageSpec = parse(spec, "package").map_err(throw)?;
        Writer::new(spec).map(|writer| Self(Some(writer))).map_err(throw)
    }

    /// Begins the entity with these columns.
    #[wasm_bindgen(js_name = beginEntity)]
    pub fn begin_entity(&mut self, index: usize, columns: Vec<String>) -> Result<(), JsValue> {
        self.writer()?.begin_entity(index, &columns).map_err(throw)
    }

    /// Whole rows.
    #[wasm_bindgen(js_name = writeRows)]
    pub fn write_rows(&mut self, text: &str, ends: &[u32], kinds: &[u8]) -> Result<(), JsValue> {
        self.writer()?.write_rows(text, ends, kinds).map_err(throw)
    }

    /// A file in its format already.
    #[wasm_bindgen(js_name = writeData)]
    pub fn write_data(&mut self, bytes: &[u8]) -> Result<(), JsValue> {
        self.writer()?.write_data(bytes).map_err(throw)
    }

    /// Ends the entity.
    #[wasm_bindgen(js_name = endEntity)]
    pub fn end_entity(&mut self) -> Result<(), JsValue> {
        self.writer()?.end_entity().map_err(throw)
    }

    /// A further entry.
    #[wasm_bindgen(js_name = addFile)]
    pub fn add_file(&mut self, name: &str, bytes: &[u8]) -> Result<(), JsValue> {
        self.writer()?.add_file(name, bytes).map_err(throw)
    }

    /// The package.
    pub fn finish(&mut self) -> Result<Uint8Array, JsValue> {
        let writer = self.0.take().ok_or_else(finished)?;
        let bytes = writer.finish().map_err(throw)?;
        Ok(Uint8Array::from(bytes.as_slice()))
    }

    fn writer(&mut self) -> Result<&mut Writer, JsValue> {
        self.0.as_mut().ok_or_else(finished)
    }
}

fn finished() -> JsValue {
    throw(Error::new(crate::ErrorCode::Disposed, "the package is finished already"))
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct OpenOptions {
    limits: Limits,
}

/// Reads a package.
#[wasm_bindgen]
pub struct PackageReader(DataPackage);

#[wasm_bindgen]
impl PackageReader {
    /// `options` as JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: Vec<u8>, options: &str) -> Result<Self, JsValue> {
        let options: OpenOptions = parse(options, "options").map_err(throw)?;
        DataPackage::open(bytes, options.limits).map(Self).map_err(throw)
    }

    /// What is in it, as JSON.
    pub fn describe(&self) -> String {
        let entities: Vec<_> = self
            .0
            .entities()
            .iter()
            .map(|entity| {
                json!({
                    "entity": entity.entity,
                    "collection": entity.collection,
                    "format": entity.format,
                    "fileName": entity.file_name,
                    "columns": entity.columns,
                    "fields": entity.fields,
                })
            })
            .collect();
        let files: Vec<_> = self
            .0
            .files()
            .map(|file| json!({ "name": file.name, "size": file.size, "compressedSize": file.compressed_size }))
            .collect();
        json!({ "name": self.0.name(), "description": self.0.description(), "entities": entities, "files": files })
            .to_string()
    }

    /// An entry of the zip.
    pub fn file(&self, name: &str) -> Result<Uint8Array, JsValue> {
        let bytes = self.0.read_file(name).map_err(throw)?;
        Ok(Uint8Array::from(bytes.as_slice()))
    }

    /// The rows of an entity.
    pub fn rows(&self, entity: usize) -> Result<RowCursor, JsValue> {
        self.0.rows(entity).map(RowCursor).map_err(throw)
    }
}

/// Rows, a chunk at a time.
#[wasm_bindgen]
pub struct RowCursor(RowReader);

#[wasm_bindgen]
impl RowCursor {
    /// Columns in the order of the file, which need not be that of the maps.
    pub fn columns(&self) -> Vec<String> {
        self.0.columns().to_vec()
    }

    /// Up to `max` rows, or nothing at the end.
    pub fn next(&mut self, max: usize) -> Result<Option<Rows>, JsValue> {
        self.0.next(max).map(|batch| batch.map(Rows)).map_err(throw)
    }
}

/// A chunk of rows.
#[wasm_bindgen]
pub struct Rows(RowBatch);

#[wasm_bindgen]
impl Rows {
    /// How many.
    #[wasm_bindgen(getter)]
    pub fn rows(&self) -> usize {
        self.0.rows
    }

    /// All cells, one after another.
    #[wasm_bindgen(getter)]
    pub fn text(&self) -> String {
        self.0.text.clone()
    }

    /// Where each cell ends, in UTF-16 code units.
    #[wasm_bindgen(getter)]
    pub fn ends(&self) -> Vec<u32> {
        self.0.ends.clone()
    }
}
