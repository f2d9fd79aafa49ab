//! Rows of one entity's file, batch by batch: inflate → decode → split, a piece at a time.

use crate::error::{Error, Result};
use crate::table::{
    BatchBuilder, CountSink, Decoder, Encoding, RowBatch, RowSink, Tokenizer, Undecodable, check_header,
    csv_error, undecodable,
};

use super::zip::{Archive, Entry, EntryReader};

/// Reads the rows of an entity forwards; owns what it needs, so the package may be dropped before.
///
/// The encoding is told by the bytes, not by the format's name: byte order marks, UTF-16 by its NULs, UTF-8 where the whole
/// file is valid UTF-8, else Windows-1252. Memory stays at one batch and one piece of the file.
pub struct RowReader {
    entity: String,
    file: String,
    entry: EntryReader,
    decoder: Decoder,
    tokenizer: Tokenizer,
    columns: Vec<String>,
    raw: Vec<u8>,
    text: String,
    /// How much of `text` is used.
    at: usize,
    /// What is wrong after `text`.
    broken: Option<Undecodable>,
    state: State,
}

enum State {
    Reading,
    /// The file ended, the last row may be without line end.
    Ending,
    Done,
    Failed(Box<Error>),
}

impl RowReader {
    pub(super) fn new(archive: &Archive, file: &Entry, entity: &str, mapped: &[String]) -> Result<Self> {
        let mut entry = archive.reader(file)?;
        let mut raw = Vec::new();
        while raw.len() < 4 && entry.read(&mut raw)? {}
        let sniffed = Encoding::sniff(&raw);
        let encoding = match sniffed.encoding {
            Some(encoding) => encoding,
            None => unmarked(archive.reader(file)?)?,
        };
        raw.drain(..sniffed.mark);
        let mut reader = Self {
            entity: entity.to_owned(),
            file: file.name.clone(),
            entry,
            decoder: Decoder::new(encoding),
            tokenizer: Tokenizer::new(),
            columns: Vec::new(),
            raw,
            text: String::new(),
            at: 0,
            broken: None,
            state: State::Reading,
        };
        reader.decode();
        let mut header = BatchBuilder::new(1);
        reader.pull(&mut header)?;
        match header.into_batch() {
            Some(header) => {
                reader.columns = header.cells().map(str::to_owned).collect();
                check_header(&reader.columns)?;
            }
            // An export without any record may come without a header: zero rows, columns as mapped.
            None => reader.columns = mapped.to_vec(),
        }
        Ok(reader)
    }

    /// Names of the columns, from the file's header, in the order of the cells.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The next rows: at most `max_rows`, and fewer where the batch's text reaches 1 MiB. None after the last row.
    ///
    /// Size and checksum of the file are compared after its last byte, so damage may show only after most rows were read.
    ///
    /// # Errors
    /// `DATA_INVALID` with file, entity and line: a row of another length than the header, text after a closing quote, a
    /// quote never closed, a blank line between rows, NUL, bytes that are no text, a row above 16 MiB.
    /// `PACKAGE_CORRUPT` for damage. `INVALID_ARGUMENT` for `max_rows` 0. After an error every call repeats it.
    pub fn next(&mut self, max_rows: usize) -> Result<Option<RowBatch>> {
        if max_rows == 0 {
            return Err(Error::argument("a batch has at least one row"));
        }
        let mut batch = BatchBuilder::new(max_rows);
        self.pull(&mut batch)?;
        Ok(batch.into_batch())
    }

    pub(super) fn count(&mut self) -> Result<u64> {
        let mut sink = CountSink::default();
        self.pull(&mut sink)?;
        Ok(sink.rows)
    }

    /// Reads until the sink is full or the file ends.
    fn pull(&mut self, sink: &mut impl RowSink) -> Result<()> {
        match self.try_pull(sink) {
            Ok(()) => Ok(()),
            Err(error) => {
                let error = error.in_file(&self.file).in_entity(&self.entity);
                self.state = State::Failed(Box::new(error.clone()));
                Err(error)
            }
        }
    }

    fn try_pull(&mut self, sink: &mut impl RowSink) -> Result<()> {
        loop {
            match &self.state {
                State::Failed(error) => return Err((**error).clone()),
                State::Done => return Ok(()),
                State::Reading | State::Ending => {}
            }
            let rest = self.text.get(self.at..).unwrap_or_default();
            self.at += self.tokenizer.feed(rest, sink).map_err(csv_error)?;
            if sink.is_full() {
                return Ok(());
            }
            if let Some(broken) = self.broken {
                return Err(undecodable(broken, self.tokenizer.line()));
            }
            if matches!(self.state, State::Ending) {
                self.tokenizer.finish(sink).map_err(csv_error)?;
                self.state = State::Done;
                return Ok(());
            }
            self.raw.clear();
            if self.entry.read(&mut self.raw)? {
                self.decode();
            } else {
                self.text.clear();
                self.at = 0;
                self.broken = self.decoder.finish().err();
                self.state = State::Ending;
            }
        }
    }

    fn decode(&mut self) {
        self.text.clear();
        self.at = 0;
        self.broken = self.decoder.push(&self.raw, &mut self.text).err();
    }
}

/// The encoding of a file without any mark: UTF-8 if all of it is, so all of it is looked at.
fn unmarked(mut entry: EntryReader) -> Result<Encoding> {
    let mut decoder = Decoder::new(Encoding::Utf8);
    let (mut raw, mut text) = (Vec::new(), String::new());
    loop {
        raw.clear();
        text.clear();
        if !entry.read(&mut raw)? {
            let whole = decoder.finish().is_ok();
            return Ok(if whole { Encoding::Utf8 } else { Encoding::Windows1252 });
        }
        if decoder.push(&raw, &mut text).is_err() {
            return Ok(Encoding::Windows1252);
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
