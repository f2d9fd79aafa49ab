//! Rows of an entity's file, batch by batch: inflate → decode → split, a piece at a time.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::table::{
    BatchBuilder, ColumnBatch, ColumnBuilder, CsvReader, Decoder, Encoding, RowBatch, RowSink,
};

use super::pull::Pull;
use super::zip::EntryReader;

/// Reads the rows of an entity forwards. Memory stays at one batch and one piece of the file.
///
/// The encoding is told by the bytes, not by the format's name: byte order marks, UTF-16 by its NULs, UTF-8 where the whole
/// file is valid UTF-8, else Windows-1252. For a file without a mark that goes beyond ASCII the file is read twice, unless its
/// first such piece settles it.
pub struct RowReader {
    entity: String,
    file: String,
    entry: EntryReader,
    /// Reads ahead through the whole file while its encoding is not known.
    scout: Option<Scout>,
    /// As the manifest maps them, for a file without any row.
    mapped: Vec<String>,
    parser: CsvReader,
    raw: Vec<u8>,
    columns: Option<Vec<String>>,
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
    pub(super) fn new(entry: EntryReader, file: &str, entity: &str, mapped: &[String]) -> Self {
        Self {
            entity: entity.to_owned(),
            file: file.to_owned(),
            entry,
            scout: None,
            mapped: mapped.to_vec(),
            parser: CsvReader::new(),
            raw: Vec::new(),
            columns: None,
            batch: None,
            column_batch: None,
            state: State::Reading,
        }
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

    /// The next rows: at most `max_rows`, and fewer where the batch's text reaches 1 MiB.
    ///
    /// Size and checksum of the file are compared after its last byte, so damage may show only after most rows were read.
    ///
    /// # Errors
    /// `DATA_INVALID` with file, entity and line: a header with a column that is unnamed or there twice, a row of another
    /// length than the header, text after a closing quote, a quote never closed, a blank line between rows, NUL, bytes that
    /// are no text, a row above 16 MiB. `PACKAGE_CORRUPT` for damage. `INVALID_ARGUMENT` for `max_rows` 0. After an error
    /// every call repeats it.
    pub fn next(&mut self, max_rows: usize) -> Result<Pull<RowBatch>> {
        if max_rows == 0 {
            return Err(Error::argument("a batch has at least one row"));
        }
        self.guard(|reader| {
            if !reader.header()? {
                return Ok(Pull::Want);
            }
            let mut batch = reader.batch.take().unwrap_or_else(|| BatchBuilder::new(max_rows));
            let complete = reader.pull(&mut batch)?;
            if !complete {
                reader.batch = Some(batch);
                return Ok(Pull::Want);
            }
            Ok(batch.into_batch().map_or(Pull::End, Pull::Have))
        })
    }

    /// The next rows, column by column: less to copy where the columns are wanted as such. Rows and errors as those of
    /// [`next`](Self::next); the two may not be mixed.
    ///
    /// # Errors
    /// Those of [`next`](Self::next).
    pub fn next_columns(&mut self, max_rows: usize) -> Result<Pull<ColumnBatch>> {
        if max_rows == 0 {
            return Err(Error::argument("a batch has at least one row"));
        }
        self.guard(|reader| {
            if !reader.header()? {
                return Ok(Pull::Want);
            }
            let width = reader.columns().len();
            let mut batch = reader.column_batch.take().unwrap_or_else(|| ColumnBuilder::new(max_rows, width));
            let complete = reader.pull(&mut batch)?;
            if !complete {
                reader.column_batch = Some(batch);
                return Ok(Pull::Want);
            }
            Ok(batch.into_batch().map_or(Pull::End, Pull::Have))
        })
    }

    fn header(&mut self) -> Result<bool> {
        if self.columns.is_some() {
            return Ok(true);
        }
        let mut header = self.batch.take().unwrap_or_else(|| BatchBuilder::new(1));
        if !self.pull(&mut header)? {
            self.batch = Some(header);
            return Ok(false);
        }
        self.columns = Some(match header.into_batch() {
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

    /// Reads until the sink is full or the file has ended (true), or bytes are wanted (false).
    fn pull(&mut self, sink: &mut impl RowSink) -> Result<bool> {
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
                Pull::Have(()) => self.parser.push(&self.raw),
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
