//! Rows of an entity's file, batch by batch: inflate → decode → split, a piece at a time.

use std::ops::Range;

use serde::Serialize;

use crate::error::{Error, ErrorCode, Result};
use crate::table::{
    BatchBuilder, ColumnBatch, ColumnBuilder, Decoder, Encoding, MemberInfo, RecordSink, RowBatch,
};

use super::data_package::PackageEntity;
use super::limits::Limits;
use super::parser::Parser;
use super::pull::Pull;
use super::zip::EntryReader;

/// Reads the rows of an entity forwards. Memory stays at one batch and one piece of the file; a workbook is held as a whole, up
/// to its limit.
///
/// The encoding is told by the bytes, not by the format's name: byte order marks, UTF-16 by its NULs, UTF-8 where the whole
/// file is valid UTF-8, else Windows-1252. For a CSV file without a mark that goes beyond ASCII the file is read twice, unless
/// its first such piece settles it.
pub struct RowReader {
    entity: String,
    file: String,
    entry: EntryReader,
    /// Reads ahead through the whole file while its encoding is not known.
    scout: Option<Scout>,
    /// As the manifest maps them, for a file without any row.
    mapped: Vec<String>,
    nested: bool,
    parser: Parser,
    raw: Vec<u8>,
    columns: Option<Vec<String>>,
    /// Rows that had to be read to know the columns.
    ahead: Option<RowBatch>,
    batch: Option<BatchBuilder>,
    column_batch: Option<ColumnBuilder>,
    state: State,
}

enum State {
    Reading,
    Done,
    Failed(Box<Error>),
}

impl RowReader {
    pub(super) fn new(
        entry: EntryReader,
        entity: &PackageEntity,
        nested: bool,
        limits: &Limits,
    ) -> Result<Self> {
        let mapped = entity.columns.clone();
        let parser = Parser::new(&entity.format, &mapped, &entity.sheet, nested, limits)?;
        Ok(Self {
            entity: entity.entity.clone(),
            file: entity.file_name.clone(),
            entry,
            scout: None,
            mapped,
            nested,
            parser,
            raw: Vec::new(),
            columns: None,
            ahead: None,
            batch: None,
            column_batch: None,
            state: State::Reading,
        })
    }

    /// The bytes of the package that are wanted, after a [`Pull::Want`].
    #[must_use]
    pub fn want(&self) -> Option<Range<u64>> {
        self.scout.as_ref().map_or_else(|| self.entry.want(), |scout| scout.entry.want())
    }

    /// Takes exactly the bytes that were wanted.
    ///
    /// # Errors
    /// `PACKAGE_CORRUPT` for bytes of another number, and where the file's header contradicts the zip's directory.
    pub fn give(&mut self, bytes: Vec<u8>) -> Result<()> {
        match &mut self.scout {
            Some(scout) => scout.entry.give(bytes),
            None => self.entry.give(bytes),
        }
    }

    /// Reads the header alone; false where bytes are wanted first. [`next`](Self::next) does it by itself.
    ///
    /// # Errors
    /// Those of [`next`](Self::next).
    pub fn begin(&mut self) -> Result<bool> {
        self.guard(Self::header)
    }

    /// Names of the columns in the order of the cells: those of the file's header, which need not be that of the maps. Empty
    /// until the header was read.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        self.columns.as_deref().unwrap_or_default()
    }

    /// The members of a composite entity that were met so far: element, index of the parent, columns.
    #[must_use]
    pub fn members(&self) -> Vec<RecordMember> {
        let member = |info: &MemberInfo| RecordMember {
            element: info.element.clone(),
            parent: info.parent,
            columns: info.columns.clone(),
        };
        self.parser.members().iter().map(member).collect()
    }

    /// The next rows: at most `max_rows`, and fewer where the batch's text reaches 64 KiB.
    ///
    /// Size and checksum of the file are compared after its last byte, so damage may show only after most rows were read.
    ///
    /// # Errors
    /// `DATA_INVALID` with file, entity and line: a header with a column that is unnamed or there twice; in CSV a row of another
    /// length than the header, text after a closing quote, a quote never closed, a blank line between rows, NUL, bytes that
    /// are no text; in XML what is not well-formed, a field that is no column, records within records where rows are asked for;
    /// a row above 16 MiB. `PACKAGE_CORRUPT` for damage. `PACKAGE_LIMIT` for a workbook above its limit and XML nested too
    /// deeply. `INVALID_ARGUMENT` for `max_rows` 0. After an error every call repeats it.
    pub fn next(&mut self, max_rows: usize) -> Result<Pull<RowBatch>> {
        if max_rows == 0 {
            return Err(Error::argument("a batch has at least one row"));
        }
        self.guard(|reader| {
            if !reader.header()? {
                return Ok(Pull::Want);
            }
            if let Some(batch) = reader.ahead.take() {
                return Ok(Pull::Have(batch));
            }
            let mut batch = reader.batch.take().unwrap_or_else(|| builder(max_rows, reader.nested));
            let complete = reader.pull(&mut batch)?;
            if !complete {
                reader.batch = Some(batch);
                return Ok(Pull::Want);
            }
            reader.check_flat()?;
            Ok(batch.into_batch().map_or(Pull::End, Pull::Have))
        })
    }

    /// The next rows, column by column: at most `max_rows`, and fewer where their text reaches 512 KiB. Rows and errors are those
    /// of [`next`](Self::next); the two may not be mixed.
    ///
    /// # Errors
    /// Those of [`next`](Self::next), and `INVALID_ARGUMENT` for the records of a composite entity.
    pub fn next_columns(&mut self, max_rows: usize) -> Result<Pull<ColumnBatch>> {
        if max_rows == 0 {
            return Err(Error::argument("a batch has at least one row"));
        }
        if self.nested {
            return Err(Error::argument("records within records have no common columns"));
        }
        self.guard(|reader| {
            if !reader.header()? {
                return Ok(Pull::Want);
            }
            let width = reader.columns().len();
            let mut batch = reader.column_batch.take().unwrap_or_else(|| ColumnBuilder::new(max_rows, width));
            if let Some(ahead) = reader.ahead.take() {
                batch.take_rows(&ahead);
            }
            let complete = reader.pull(&mut batch)?;
            if !complete {
                reader.column_batch = Some(batch);
                return Ok(Pull::Want);
            }
            reader.check_flat()?;
            Ok(batch.into_batch().map_or(Pull::End, Pull::Have))
        })
    }

    /// Sees to it that the columns are known; false where bytes are wanted first.
    fn header(&mut self) -> Result<bool> {
        if self.columns.is_some() {
            return Ok(true);
        }
        if self.batch.is_none() {
            self.columns = self.parser.columns(&self.mapped);
            if self.columns.is_some() {
                return Ok(true);
            }
        }
        let mut first = self.batch.take().unwrap_or_else(|| builder(1, self.nested));
        if !self.pull(&mut first)? {
            self.batch = Some(first);
            return Ok(false);
        }
        self.check_flat()?;
        let first = first.into_batch();
        if !self.parser.has_header_row() {
            let told = self.parser.columns(&self.mapped);
            let own = || self.parser.members().first().map(|member| member.columns.clone());
            self.columns = Some(told.or_else(own).unwrap_or_else(|| self.mapped.clone()));
            self.ahead = first;
            return Ok(true);
        }
        self.columns = Some(match first {
            Some(header) => {
                let columns: Vec<String> = header.cells().map(str::to_owned).collect();
                crate::table::check_header(&columns)?;
                columns
            }
            // An export without any record may come without a header: zero rows, columns as mapped.
            None => self.mapped.clone(),
        });
        Ok(true)
    }

    fn check_flat(&self) -> Result<()> {
        if self.nested || self.parser.members().len() < 2 {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::DataInvalid,
            "the file has records within records: the entity is composite",
        )
        .hint("Read it by records instead of rows."))
    }

    /// Reads until the sink is full or the file has ended (true), or bytes are wanted (false).
    fn pull(&mut self, sink: &mut impl RecordSink) -> Result<bool> {
        if matches!(self.state, State::Done) {
            return Ok(true);
        }
        loop {
            if self.parser.is_undecided() {
                let scout = self.scout.get_or_insert_with(|| Scout::new(&self.entry));
                let Some(encoding) = scout.look()? else { return Ok(false) };
                self.scout = None;
                self.parser.decide(encoding);
            }
            if self.parser.pull(sink)? {
                return Ok(true);
            }
            self.raw.clear();
            match self.entry.read(&mut self.raw)? {
                Pull::Want => return Ok(false),
                Pull::Have(()) => self.parser.push(&self.raw)?,
                Pull::End => {
                    if self.parser.finish(sink)? {
                        self.state = State::Done;
                    }
                    return Ok(true);
                }
            }
        }
    }

    fn guard<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if let State::Failed(error) = &self.state {
            return Err((**error).clone());
        }
        step(self).map_err(|error| {
            let error = error.in_file(&self.file).in_entity(&self.entity);
            self.state = State::Failed(Box::new(error.clone()));
            error
        })
    }
}

fn builder(max_rows: usize, nested: bool) -> BatchBuilder {
    if nested { BatchBuilder::nested(max_rows) } else { BatchBuilder::new(max_rows) }
}

/// A member of a composite entity, as it was found in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordMember {
    /// Name of the element.
    pub element: String,
    /// Index of the member whose records contain these; none for the outermost.
    pub parent: Option<usize>,
    /// Fields, in the order of the cells.
    pub columns: Vec<String>,
}

/// Looks at a whole file: is all of it UTF-8?
struct Scout {
    entry: EntryReader,
    decoder: Decoder,
    raw: Vec<u8>,
    text: String,
}

impl Scout {
    fn new(entry: &EntryReader) -> Self {
        Self {
            entry: entry.again(),
            decoder: Decoder::new(Encoding::Utf8),
            raw: Vec::new(),
            text: String::new(),
        }
    }

    /// None where bytes are wanted first.
    fn look(&mut self) -> Result<Option<Encoding>> {
        loop {
            self.raw.clear();
            self.text.clear();
            match self.entry.read(&mut self.raw)? {
                Pull::Want => return Ok(None),
                Pull::Have(()) if self.decoder.push(&self.raw, &mut self.text).is_ok() => {}
                Pull::End if self.decoder.finish().is_ok() => return Ok(Some(Encoding::Utf8)),
                Pull::Have(()) | Pull::End => return Ok(Some(Encoding::Windows1252)),
            }
        }
    }
}

impl std::fmt::Debug for RowReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowReader")
            .field("file", &self.file)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}
