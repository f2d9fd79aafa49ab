//! Workbooks, in a module of their own: written by a plan of the package's writer, read as a whole.

use d365_clm_text::encoding::push_units;
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::thrown::throw;
use crate::error::Error;
use crate::table::{
    RowBatch, WorkbookOptions, WorkbookPlan, WorkbookReader as Reader, WorkbookWriter as Writer,
};

/// Writes a workbook.
#[wasm_bindgen]
pub struct WorkbookWriter(Option<Writer>);

#[wasm_bindgen]
impl WorkbookWriter {
    /// By a plan of the package's writer: of each column its name, its header and its target.
    #[wasm_bindgen(constructor)]
    pub fn new(sheet: &str, columns: Vec<String>) -> Result<Self, JsValue> {
        let plan = WorkbookPlan::new(sheet, &columns).map_err(throw)?;
        Writer::new(&plan.sheet, plan.columns).map(|writer| Self(Some(writer))).map_err(throw)
    }

    /// Whole rows.
    #[wasm_bindgen(js_name = writeRows)]
    pub fn write_rows(&mut self, text: &str, ends: &[u32], kinds: &[u8]) -> Result<(), JsValue> {
        self.0.as_mut().ok_or_else(finished)?.write(text, ends, kinds).map_err(throw)
    }

    /// The workbook.
    pub fn finish(&mut self) -> Result<Uint8Array, JsValue> {
        let bytes = self.0.take().ok_or_else(finished)?.finish().map_err(throw)?;
        Ok(Uint8Array::from(bytes.as_slice()))
    }
}

fn finished() -> JsValue {
    throw(Error::new(crate::ErrorCode::Disposed, "the workbook is finished already"))
}

/// Reads the rows of a workbook's sheet.
#[wasm_bindgen]
pub struct WorkbookReader {
    reader: Reader,
    batch: RowBatch,
    units: Vec<u16>,
}

#[wasm_bindgen]
impl WorkbookReader {
    /// Of the sheet of that name or the first, in the order of the mapped columns; of `limit` bytes unpacked at most.
    #[wasm_bindgen(constructor)]
    pub fn new(
        bytes: Vec<u8>,
        sheet: Option<String>,
        limit: f64,
        mapped: Vec<String>,
    ) -> Result<Self, JsValue> {
        let sheet = sheet.filter(|name| !name.is_empty());
        let options = WorkbookOptions { sheet, mapped, limit: limit as u64 };
        let reader = Reader::new(bytes, &options).map_err(throw)?;
        Ok(Self { reader, batch: RowBatch::default(), units: Vec::new() })
    }

    /// Columns in the order of the sheet.
    pub fn columns(&self) -> Vec<String> {
        self.reader.columns().to_vec()
    }

    /// Name of the sheet.
    pub fn sheet(&self) -> String {
        self.reader.sheet_name().to_owned()
    }

    /// 1-based row of the header; 0 for none.
    #[wasm_bindgen(js_name = headerRow)]
    pub fn header_row(&self) -> f64 {
        self.reader.header_row() as f64
    }

    /// Up to `max` rows: 1, or 2 at the end. An error comes after the rows before it.
    pub fn next(&mut self, max: usize) -> Result<u8, JsValue> {
        self.units.clear();
        let Some(batch) = self.reader.batch(max).map_err(throw)? else { return Ok(2) };
        if !batch.text.is_ascii() {
            push_units(&batch.text, &mut self.units);
        }
        self.batch = batch;
        Ok(1)
    }

    /// Rows of the batch.
    #[wasm_bindgen(getter)]
    pub fn rows(&self) -> usize {
        self.batch.rows
    }

    /// Where the text lies in memory, until the next call: ASCII, or UTF-16.
    #[wasm_bindgen(getter, js_name = textPtr)]
    pub fn text_ptr(&self) -> usize {
        if self.ascii() { self.batch.text.as_ptr() as usize } else { self.units.as_ptr() as usize }
    }

    /// Length of the text in bytes.
    #[wasm_bindgen(getter, js_name = textLength)]
    pub fn text_length(&self) -> usize {
        if self.ascii() { self.batch.text.len() } else { self.units.len() * 2 }
    }

    /// Whether all of the text is ASCII.
    #[wasm_bindgen(getter)]
    pub fn ascii(&self) -> bool {
        self.units.is_empty()
    }

    /// Where the cells' ends lie in memory, until the next call.
    #[wasm_bindgen(getter, js_name = endsPtr)]
    pub fn ends_ptr(&self) -> usize {
        self.batch.ends.as_ptr() as usize
    }

    /// How many there are.
    #[wasm_bindgen(getter, js_name = endsLength)]
    pub fn ends_length(&self) -> usize {
        self.batch.ends.len()
    }
}
