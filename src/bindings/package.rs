//! Packages on both sides of the boundary. What reads asks for ranges of the package's bytes; what it has found is looked at in
//! the module's memory, so that a chunk is copied once. Reading calls answer 0: bytes are wanted, 1: there is something, 2: the end.

use std::sync::Arc;

use js_sys::Uint8Array;
use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::doctor::PackageDoctor;
use super::parse::parse;
use super::thrown::throw;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::fields::{Fields, FromValue};
use crate::package::{
    Block, BlockDeflater, ColumnBatch, ColumnText, DataPackage, FileReader, Limits, Opener, PackageSpec,
    PackageWriter as Writer, Pull, Rewriter, RowBatch, RowReader,
};
use d365_clm_text::encoding::push_units;

/// Compresses one block, in a worker.
#[wasm_bindgen(js_name = deflateBlock)]
pub fn deflate_block(level: u8, last: bool, dictionary: &[u8], data: &[u8]) -> Result<Uint8Array, JsValue> {
    let mut out = Vec::new();
    BlockDeflater::new(level).deflate(dictionary, data, last, &mut out).map_err(throw)?;
    Ok(Uint8Array::from(out.as_slice()))
}

/// Builds a package.
#[wasm_bindgen]
pub struct PackageWriter {
    writer: Option<Writer>,
    /// Where JavaScript puts the text of rows.
    room: Vec<u8>,
    /// The end of a finished package.
    rest: Vec<u8>,
}

#[wasm_bindgen]
impl PackageWriter {
    /// `spec` as JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(spec: &str) -> Result<Self, JsValue> {
        let spec: PackageSpec = parse(spec, "package").map_err(throw)?;
        let writer = Writer::new(spec).map_err(throw)?;
        Ok(Self { writer: Some(writer), room: Vec::new(), rest: Vec::new() })
    }

    /// Begins the entity with these columns.
    #[wasm_bindgen(js_name = beginEntity)]
    pub fn begin_entity(&mut self, index: usize, columns: Vec<String>) -> Result<(), JsValue> {
        self.writer()?.begin_entity(index, &columns).map_err(throw)
    }

    /// Makes room for the text of rows; where it lies in memory.
    pub fn reserve(&mut self, bytes: usize) -> usize {
        if self.room.len() < bytes {
            self.room.resize(bytes, 0);
        }
        self.room.as_ptr() as usize
    }

    /// Whole rows in the reserved room.
    #[wasm_bindgen(js_name = writeJoined)]
    pub fn write_joined(&mut self, bytes: usize, cells: usize) -> Result<bool, JsValue> {
        let text = self.room.get(..bytes).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| throw(Error::argument("the text of the rows is no UTF-8")))?;
        self.writer.as_mut().ok_or_else(finished)?.write_joined(text, cells).map_err(throw)
    }

    /// Whole rows.
    #[wasm_bindgen(js_name = writeRows)]
    pub fn write_rows(&mut self, text: &str, ends: &[u32], kinds: &[u8]) -> Result<(), JsValue> {
        self.writer()?.write_rows(text, ends, kinds).map_err(throw)
    }

    /// Whole records of a composite.
    #[wasm_bindgen(js_name = writeRecords)]
    pub fn write_records(
        &mut self,
        text: &str,
        ends: &[u32],
        kinds: &[u8],
        members: &[u8],
    ) -> Result<(), JsValue> {
        self.writer()?.write_records(text, ends, kinds, members).map_err(throw)
    }

    /// What the module for workbooks has to know, as JSON.
    pub fn workbook(&mut self, index: usize, columns: Vec<String>) -> Result<String, JsValue> {
        let plan = self.writer()?.workbook(index, &columns).map_err(throw)?;
        serde_json::to_string(&plan).map_err(|error| throw(Error::argument(error.to_string())))
    }

    /// A file in its format already, or a further file.
    #[wasm_bindgen(js_name = writeData)]
    pub fn write_data(&mut self, bytes: &[u8]) -> Result<(), JsValue> {
        self.writer()?.write_data(bytes).map_err(throw)
    }

    /// Ends the entity.
    #[wasm_bindgen(js_name = endEntity)]
    pub fn end_entity(&mut self) -> Result<(), JsValue> {
        self.writer()?.end_entity().map_err(throw)
    }

    /// Begins a further file.
    #[wasm_bindgen(js_name = beginFile)]
    pub fn begin_file(&mut self, name: &str) -> Result<(), JsValue> {
        self.writer()?.begin_file(name).map_err(throw)
    }

    /// Ends it.
    #[wasm_bindgen(js_name = endFile)]
    pub fn end_file(&mut self) -> Result<(), JsValue> {
        self.writer()?.end_file().map_err(throw)
    }

    /// The bytes since the last call.
    pub fn take(&mut self) -> Uint8Array {
        let bytes = match &mut self.writer {
            Some(writer) => writer.take(),
            None => std::mem::take(&mut self.rest),
        };
        Uint8Array::from(bytes.as_slice())
    }

    /// Completes the package; the rest can be taken.
    pub fn finish(&mut self) -> Result<(), JsValue> {
        let writer = self.writer.take().ok_or_else(finished)?;
        self.rest = writer.finish().map_err(throw)?;
        Ok(())
    }

    /// From now on blocks are compressed elsewhere.
    pub fn external(&mut self) -> Result<(), JsValue> {
        self.writer()?.deflate_elsewhere();
        Ok(())
    }

    /// The next of them.
    #[wasm_bindgen(js_name = takeBlock)]
    pub fn take_block(&mut self) -> Option<WireBlock> {
        self.writer.as_mut().and_then(Writer::take_block).map(WireBlock)
    }

    /// A compressed block.
    #[wasm_bindgen(js_name = giveBlock)]
    pub fn give_block(&mut self, id: f64, bytes: Vec<u8>) -> Result<(), JsValue> {
        self.writer()?.give_block(id as u64, bytes).map_err(throw)
    }

    /// Blocks that have not come back.
    #[wasm_bindgen(getter)]
    pub fn pending(&self) -> f64 {
        self.writer.as_ref().map_or(0.0, |writer| writer.pending() as f64)
    }

    fn writer(&mut self) -> Result<&mut Writer, JsValue> {
        self.writer.as_mut().ok_or_else(finished)
    }
}

fn finished() -> JsValue {
    throw(Error::new(crate::ErrorCode::Disposed, "the package is finished already"))
}

/// A block to be compressed elsewhere.
#[wasm_bindgen]
pub struct WireBlock(Block);

#[wasm_bindgen]
impl WireBlock {
    /// Tells what comes back.
    #[wasm_bindgen(getter)]
    pub fn id(&self) -> f64 {
        self.0.id as f64
    }

    /// Deflate level.
    #[wasm_bindgen(getter)]
    pub fn level(&self) -> u8 {
        self.0.level
    }

    /// Whether the stream ends with it.
    #[wasm_bindgen(getter)]
    pub fn last(&self) -> bool {
        self.0.last
    }

    /// What precedes it.
    #[wasm_bindgen(getter)]
    pub fn dictionary(&self) -> Uint8Array {
        Uint8Array::from(self.0.dictionary.as_slice())
    }

    /// Its content.
    #[wasm_bindgen(getter)]
    pub fn data(&self) -> Uint8Array {
        Uint8Array::from(self.0.data.as_slice())
    }
}

struct OpenOptions {
    limits: Limits,
    /// The tenant's own, in the form of the catalogue.
    schema: Option<Value>,
    /// For the package doctor alone.
    lenient: bool,
}

impl FromValue for OpenOptions {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let options = Self {
            limits: of.not_null("limits").read("limits").unwrap_or_default(),
            schema: of.value("schema"),
            lenient: of.not_null("lenient").flag("lenient").unwrap_or_default(),
        };
        of.finish(options)
    }
}

/// Opens a package.
#[wasm_bindgen]
pub struct PackageOpener(Option<Opener>);

#[wasm_bindgen]
impl PackageOpener {
    /// For so many bytes; `options` as JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(size: f64, options: &str) -> Result<Self, JsValue> {
        let options: OpenOptions = parse(options, "options").map_err(throw)?;
        let mut opener = Opener::new(size as u64, options.limits);
        if options.lenient {
            opener = opener.lenient();
        }
        if let Some(schema) = options.schema {
            opener = opener.schema(Arc::new(Catalog::from_value(schema).map_err(throw)?));
        }
        Ok(Self(Some(opener)))
    }

    /// The range of bytes that is wanted.
    pub fn want(&self) -> Option<Vec<f64>> {
        self.0.as_ref().and_then(|opener| range(opener.want()))
    }

    /// These bytes.
    pub fn give(&mut self, bytes: Vec<u8>) -> Result<(), JsValue> {
        self.0.as_mut().ok_or_else(opened)?.give(bytes).map_err(throw)
    }

    /// The package, once nothing is wanted.
    pub fn finish(&mut self) -> Result<PackageReader, JsValue> {
        self.0.take().ok_or_else(opened)?.finish().map(PackageReader).map_err(throw)
    }
}

fn opened() -> JsValue {
    throw(Error::new(crate::ErrorCode::Disposed, "the package is open already"))
}

/// An open package, without its bytes.
#[wasm_bindgen]
pub struct PackageReader(DataPackage);

#[wasm_bindgen]
impl PackageReader {
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
                    "sheet": entity.sheet,
                    "composite": entity.composite,
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

    /// A package with only these entities, a JSON array of labels or collections.
    pub fn subset(&self, entities: &str) -> Result<PackageRewriter, JsValue> {
        let entities: Vec<String> = parse(entities, "entities").map_err(throw)?;
        let rewriter = self.0.subset(&entities).map_err(throw)?;
        Ok(PackageRewriter { rewriter, piece: Vec::new() })
    }

    /// The package doctor.
    pub fn diagnose(&self) -> PackageDoctor {
        PackageDoctor::diagnose(&self.0)
    }

    /// The package with what can be corrected safely corrected.
    pub fn repair(&self) -> PackageDoctor {
        PackageDoctor::repair(&self.0)
    }

    /// An entry of the zip.
    pub fn file(&self, name: &str) -> Result<FileCursor, JsValue> {
        let reader = self.0.file(name).map_err(throw)?;
        Ok(FileCursor { reader, piece: Vec::new() })
    }

    /// The rows of an entity, or its columns; the records of one that is composite, or is said to be.
    pub fn rows(&self, entity: usize, columnar: bool, nested: Option<bool>) -> Result<RowCursor, JsValue> {
        let composite = self.0.entities().get(entity).is_some_and(|entity| entity.composite);
        let nested = nested.unwrap_or(composite && !columnar);
        let reader = if nested { self.0.records(entity) } else { self.0.rows(entity) }.map_err(throw)?;
        Ok(RowCursor {
            reader,
            columnar,
            batch: RowBatch::default(),
            columns: ColumnBatch::default(),
            column: None,
            units: Vec::new(),
        })
    }
}

/// Another package out of an open one.
#[wasm_bindgen]
pub struct PackageRewriter {
    rewriter: Rewriter,
    piece: Vec<u8>,
}

#[wasm_bindgen]
impl PackageRewriter {
    /// The range of the source package's bytes that is wanted.
    pub fn want(&self) -> Option<Vec<f64>> {
        range(self.rewriter.want())
    }

    /// These bytes.
    pub fn give(&mut self, bytes: Vec<u8>) -> Result<(), JsValue> {
        self.rewriter.give(bytes).map_err(throw)
    }

    /// The next piece.
    pub fn step(&mut self) -> Result<u8, JsValue> {
        answer(self.rewriter.read(), |piece| self.piece = piece)
    }

    /// The piece.
    pub fn take(&mut self) -> Uint8Array {
        Uint8Array::from(std::mem::take(&mut self.piece).as_slice())
    }
}

/// The content of a file, piece by piece.
#[wasm_bindgen]
pub struct FileCursor {
    reader: FileReader,
    piece: Vec<u8>,
}

#[wasm_bindgen]
impl FileCursor {
    /// The range of the package's bytes that is wanted.
    pub fn want(&self) -> Option<Vec<f64>> {
        range(self.reader.want())
    }

    /// These bytes.
    pub fn give(&mut self, bytes: Vec<u8>) -> Result<(), JsValue> {
        self.reader.give(bytes).map_err(throw)
    }

    /// The next piece, of `least` bytes or a little more where they can be had without further bytes of the package.
    pub fn next(&mut self, least: usize) -> Result<u8, JsValue> {
        self.piece.clear();
        loop {
            let pull = self.reader.read(&mut self.piece).map_err(throw)?;
            match pull {
                Pull::Have(()) if self.piece.len() < least => {}
                Pull::Have(()) => return Ok(HAVE),
                Pull::Want | Pull::End if !self.piece.is_empty() => return Ok(HAVE),
                Pull::Want => return Ok(WANT),
                Pull::End => return Ok(END),
            }
        }
    }

    /// Where the piece lies in memory, until the next call.
    #[wasm_bindgen(getter)]
    pub fn ptr(&self) -> usize {
        self.piece.as_ptr() as usize
    }

    /// Bytes of the piece.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.piece.len()
    }
}

/// Rows, a batch at a time.
#[wasm_bindgen]
pub struct RowCursor {
    reader: RowReader,
    columnar: bool,
    batch: RowBatch,
    columns: ColumnBatch,
    /// The column that is looked at.
    column: Option<usize>,
    /// The text that is looked at, where it goes beyond ASCII: JavaScript makes strings of this much faster than of UTF-8.
    units: Vec<u16>,
}

#[wasm_bindgen]
impl RowCursor {
    /// The range of the package's bytes that is wanted.
    pub fn want(&self) -> Option<Vec<f64>> {
        range(self.reader.want())
    }

    /// These bytes.
    pub fn give(&mut self, bytes: Vec<u8>) -> Result<(), JsValue> {
        self.reader.give(bytes).map_err(throw)
    }

    /// Up to `max` rows.
    pub fn next(&mut self, max: usize) -> Result<u8, JsValue> {
        self.column = None;
        if self.columnar {
            answer(self.reader.next_columns(max), |batch| self.columns = batch)
        } else {
            let answer = answer(self.reader.next(max), |batch| self.batch = batch)?;
            self.look();
            Ok(answer)
        }
    }

    /// Columns in the order of the file, which need not be that of the maps; there after the first answer that wants no bytes.
    pub fn columns(&self) -> Vec<String> {
        self.reader.columns().to_vec()
    }

    /// Rows of the batch.
    #[wasm_bindgen(getter)]
    pub fn rows(&self) -> usize {
        if self.columnar { self.columns.rows } else { self.batch.rows }
    }

    /// The column that the following are of.
    pub fn column(&mut self, index: usize) {
        self.column = Some(index);
        self.look();
    }

    /// Where the text lies in memory, until the next call: ASCII, or UTF-16.
    #[wasm_bindgen(getter, js_name = textPtr)]
    pub fn text_ptr(&self) -> usize {
        if self.ascii() { self.text().as_ptr() as usize } else { self.units.as_ptr() as usize }
    }

    /// Length of the text in bytes.
    #[wasm_bindgen(getter, js_name = textLength)]
    pub fn text_length(&self) -> usize {
        if self.ascii() { self.text().len() } else { self.units.len() * 2 }
    }

    /// Whether all of the text is ASCII.
    #[wasm_bindgen(getter)]
    pub fn ascii(&self) -> bool {
        self.units.is_empty()
    }

    fn look(&mut self) {
        let mut units = std::mem::take(&mut self.units);
        units.clear();
        let text = self.text();
        if !text.is_ascii() {
            push_units(text, &mut units);
        }
        self.units = units;
    }

    /// Where the cells' ends lie in memory, until the next call.
    #[wasm_bindgen(getter, js_name = endsPtr)]
    pub fn ends_ptr(&self) -> usize {
        self.ends().as_ptr() as usize
    }

    /// How many there are.
    #[wasm_bindgen(getter, js_name = endsLength)]
    pub fn ends_length(&self) -> usize {
        self.ends().len()
    }

    /// Where the members of a composite's records lie in memory, until the next call.
    #[wasm_bindgen(getter, js_name = membersPtr)]
    pub fn members_ptr(&self) -> usize {
        self.batch.members.as_ptr() as usize
    }

    /// How many there are.
    #[wasm_bindgen(getter, js_name = membersLength)]
    pub fn members_length(&self) -> usize {
        self.batch.members.len()
    }

    /// The members that were met so far, as JSON.
    pub fn members(&self) -> String {
        serde_json::to_string(&self.reader.members()).unwrap_or_default()
    }

    fn text(&self) -> &str {
        if self.columnar { self.current().map_or("", |column| &column.text) } else { &self.batch.text }
    }

    fn ends(&self) -> &[u32] {
        if self.columnar {
            self.current().map_or(&[], |column| column.ends.as_slice())
        } else {
            &self.batch.ends
        }
    }

    fn current(&self) -> Option<&ColumnText> {
        self.column.and_then(|index| self.columns.columns.get(index))
    }
}

const WANT: u8 = 0;
pub(super) const HAVE: u8 = 1;
const END: u8 = 2;

pub(super) fn answer<T>(pull: Result<Pull<T>>, keep: impl FnOnce(T)) -> Result<u8, JsValue> {
    Ok(match pull.map_err(throw)? {
        Pull::Want => WANT,
        Pull::Have(value) => {
            keep(value);
            HAVE
        }
        Pull::End => END,
    })
}

/// Offsets of a package are below 2⁵³: no file is larger.
pub(super) fn range(range: Option<std::ops::Range<u64>>) -> Option<Vec<f64>> {
    range.map(|range| vec![range.start as f64, range.end as f64])
}
