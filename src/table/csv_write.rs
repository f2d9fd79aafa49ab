//! Rows → CSV bytes.

use serde::Serialize;

use crate::error::{Error, Result};

use super::cell::{self, CellKind, Target};
use super::cells::Cells;
use super::encoding::Encoding;
use super::joined;

/// Bytes of text gathered before they are encoded and handed on.
const PIECE: usize = 64 << 10;

/// A column of a file that is being written.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Column {
    /// As the caller calls it, for messages.
    pub(crate) name: String,
    /// As the file's header calls it.
    pub(crate) header: String,
    pub(crate) target: Target,
}

/// Writes header and rows of one file: comma, CRLF, RFC 4180 quotes only where needed.
pub(crate) struct CsvWriter {
    encoding: Encoding,
    columns: Vec<Column>,
    rows: u64,
    text: String,
    bytes: Vec<u8>,
    scratch: String,
}

impl CsvWriter {
    /// The header goes out with the first rows; UTF-16 begins with its byte order mark.
    pub(crate) fn new(encoding: Encoding, columns: Vec<Column>) -> Result<Self> {
        let mut text = String::new();
        if encoding == Encoding::Utf16Le {
            text.push('\u{feff}');
        }
        for (i, column) in columns.iter().enumerate() {
            if let Some(c) = encoding.lacks(&column.header) {
                return Err(Error::argument(format!("column \"{}\": {}", column.name, lacks(encoding, c)))
                    .at_column(&column.name)
                    .hint(USE_UNICODE));
            }
            push_cell(&mut text, &column.header, i, columns.len());
        }
        Ok(Self { encoding, columns, rows: 0, text, bytes: Vec::new(), scratch: String::new() })
    }

    /// Rows written so far.
    pub(crate) fn rows_written(&self) -> u64 {
        self.rows
    }

    /// Writes whole rows; `emit` gets the bytes in pieces. An error names the 1-based row and the column.
    pub(crate) fn write(
        &mut self,
        text: &str,
        ends: &[u32],
        kinds: &[u8],
        emit: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let width = self.columns.len();
        if ends.len() != kinds.len() || width == 0 || !ends.len().is_multiple_of(width) {
            return Err(Error::argument(format!(
                "{} cell ends and {} cell kinds are no whole rows of {width} columns",
                ends.len(),
                kinds.len()
            )));
        }
        let mut cells = Cells::new(text, ends);
        for row in kinds.chunks_exact(width) {
            self.rows += 1;
            for (i, kind) in row.iter().enumerate() {
                let Some(Ok(cell)) = cells.next() else {
                    let name = self.columns.get(i).map_or("", |column| &column.name);
                    return Err(at_cell(self.rows, name, "the cell's end does not fit the text"));
                };
                self.cell(i, *kind, cell)?;
            }
            if self.text.len() >= PIECE {
                self.flush(emit)?;
            }
        }
        if !cells.at_end() {
            return Err(Error::argument("there is text after the last cell's end"));
        }
        Ok(())
    }

    /// Writes whole rows given as one text, in which each cell is followed by the character that tells its kind. False, and
    /// nothing is written, where there are not `cells` of these characters: a cell then holds one itself.
    pub(crate) fn write_joined(
        &mut self,
        text: &str,
        cells: usize,
        emit: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<bool> {
        let width = self.columns.len();
        if width == 0 || !cells.is_multiple_of(width) {
            return Err(Error::argument(format!("{cells} cells are no whole rows of {width} columns")));
        }
        if joined::count(text) != cells {
            return Ok(false);
        }
        let (mut at, mut index) = (0, 0);
        loop {
            let found = if self.encoding == Encoding::Windows1252 {
                joined::scan(text.as_bytes().get(at..).unwrap_or_default())
            } else {
                // What needs no conversion and no quotes is most of it.
                let Self { rows, text: out, .. } = self;
                joined::copy_plain(text, &mut at, &mut index, rows, width, PIECE, out)
            };
            let Some(found) = found else { break };
            if index == 0 && self.text.len() >= PIECE {
                self.flush(emit)?;
                continue;
            }
            if index == 0 {
                self.rows += 1;
            }
            self.cell(index, found.kind, text.get(at..at + found.length).unwrap_or_default())?;
            at += found.length + 1;
            index += 1;
            if index == width {
                index = 0;
            }
        }
        if self.text.len() >= PIECE {
            self.flush(emit)?;
        }
        if at != text.len() {
            return Err(Error::argument("there is text after the last cell's end"));
        }
        Ok(true)
    }

    /// Appends one cell of the current row.
    fn cell(&mut self, index: usize, kind: u8, cell: &str) -> Result<()> {
        let Some(column) = self.columns.get(index) else { return Ok(()) };
        let fault = |message: &str| at_cell(self.rows, &column.name, message);
        let kind = CellKind::from_u8(kind).ok_or_else(|| fault(&format!("there is no cell kind {kind}")))?;
        let cell = cell::convert(kind, cell, column.target, &mut self.scratch)
            .map_err(|e| fault(&e.message).hint(e.hint))?;
        if let Some(c) = self.encoding.lacks(cell) {
            return Err(fault(&lacks(self.encoding, c)).hint(USE_UNICODE));
        }
        push_cell(&mut self.text, cell, index, self.columns.len());
        Ok(())
    }

    /// Hands on what is still held. To be called at the end of the file.
    pub(crate) fn flush(&mut self, emit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.bytes.clear();
        self.encoding
            .encode(&self.text, &mut self.bytes)
            .map_err(|c| Error::argument(lacks(self.encoding, c)))?;
        self.text.clear();
        emit(&self.bytes)
    }
}

/// Appends the cell, and the comma or line end after it.
fn push_cell(out: &mut String, cell: &str, index: usize, width: usize) {
    // A row of one empty cell would be a blank line, which the service refuses.
    let quote =
        cell.bytes().any(|b| matches!(b, b',' | b'"' | b'\r' | b'\n')) || (width == 1 && cell.is_empty());
    if quote {
        out.push('"');
        let mut parts = cell.split('"');
        out.push_str(parts.next().unwrap_or_default());
        for part in parts {
            out.push_str("\"\"");
            out.push_str(part);
        }
        out.push('"');
    } else {
        out.push_str(cell);
    }
    out.push_str(if index + 1 == width { "\r\n" } else { "," });
}

const USE_UNICODE: &str = "Use the format CSV-Unicode, which holds every character.";

fn lacks(encoding: Encoding, c: char) -> String {
    format!("{} has no character {c:?}", encoding.name())
}

fn at_cell(row: u64, column: &str, message: &str) -> Error {
    Error::argument(format!("row {row}, column \"{column}\": {message}")).at_line(row).at_column(column)
}

#[cfg(test)]
mod tests {
    use super::super::csv_read::Tokenizer;
    use super::super::rows::BatchBuilder;
    use super::*;
    use crate::error::ErrorCode;
    use proptest::prelude::*;

    fn columns(headers: &[&str]) -> Vec<Column> {
        headers
            .iter()
            .map(|h| Column { name: h.to_lowercase(), header: (*h).to_owned(), target: Target::Unknown })
            .collect()
    }

    fn chunk(cells: &[&str]) -> (String, Vec<u32>, Vec<u8>) {
        let mut text = String::new();
        let mut ends = Vec::new();
        for cell in cells {
            text.push_str(cell);
            ends.push(text.encode_utf16().count() as u32);
        }
        (text, ends, vec![0; cells.len()])
    }

    fn file(encoding: Encoding, headers: &[&str], cells: &[&str]) -> Result<Vec<u8>> {
        let mut writer = CsvWriter::new(encoding, columns(headers))?;
        let mut out = Vec::new();
        let mut emit = |bytes: &[u8]| {
            out.extend_from_slice(bytes);
            Ok(())
        };
        let (text, ends, kinds) = chunk(cells);
        writer.write(&text, &ends, &kinds, &mut emit)?;
        writer.flush(&mut emit)?;
        Ok(out)
    }

    #[test]
    fn bytes_of_both_formats() {
        assert_eq!(file(Encoding::Utf16Le, &["A"], &["ü"]).unwrap(), b"\xff\xfeA\0\r\0\n\0\xfc\0\r\0\n\0");
        assert_eq!(file(Encoding::Windows1252, &["A", "B"], &["ü", ""]).unwrap(), b"A,B\r\n\xfc,\r\n");
    }

    #[test]
    fn quotes_stand_only_where_needed() {
        let bytes =
            file(Encoding::Windows1252, &["A", "B"], &["a,b", "say \"hi\"", "1\r\n2", "x\ny", " a ", "'"])
                .unwrap();
        assert_eq!(bytes, b"A,B\r\n\"a,b\",\"say \"\"hi\"\"\"\r\n\"1\r\n2\",\"x\ny\"\r\n a ,'\r\n");
        assert_eq!(file(Encoding::Windows1252, &["A"], &["", "x"]).unwrap(), b"A\r\n\"\"\r\nx\r\n");
    }

    #[test]
    fn a_bad_cell_names_row_and_column() {
        let error = file(Encoding::Windows1252, &["A", "B"], &["1", "2", "3", "ł"]).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument);
        let at = error.at.as_deref().unwrap();
        assert_eq!((at.line, at.column.as_deref()), (Some(2), Some("b")));
        assert!(error.hint.as_deref().unwrap().contains("CSV-Unicode"));
    }

    #[test]
    fn chunks_that_are_no_whole_rows_are_refused() {
        let mut writer = CsvWriter::new(Encoding::Utf16Le, columns(&["A", "B"])).unwrap();
        let mut emit = |_: &[u8]| Ok(());
        for (text, ends, kinds) in [
            ("ab", &[1u32][..], &[0u8][..]),
            ("ab", &[1, 2], &[0]),
            ("abc", &[1, 2], &[0, 0]),
            ("a", &[1, 2], &[0, 0]),
            ("ab", &[1, 2], &[0, 9]),
        ] {
            let error = writer.write(text, ends, kinds, &mut emit).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidArgument, "{text} {ends:?} {kinds:?}");
        }
    }

    proptest! {
        // Kills mutants in quoting, in the reader's states, and in the counting of UTF-16 units.
        #[test]
        fn any_cells_come_back(
            width in 1usize..5,
            cells in proptest::collection::vec("([^\0]|[,\"\r\n é😀]){0,8}", 0..40),
        ) {
            let whole = cells.len() / width * width;
            let cells: Vec<&str> = cells.iter().take(whole).map(String::as_str).collect();
            let headers: Vec<String> = (0..width).map(|i| format!("C{i}")).collect();
            let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
            let bytes = file(Encoding::Utf16Le, &headers, &cells).unwrap();
            let units: Vec<u16> = bytes[2..].chunks(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
            let text = String::from_utf16(&units).unwrap();
            let mut tokenizer = Tokenizer::new();
            let mut sink = BatchBuilder::new(usize::MAX);
            tokenizer.feed(&text, &mut sink).unwrap();
            tokenizer.finish(&mut sink).unwrap();
            let batch = sink.into_batch().unwrap();
            prop_assert_eq!(batch.rows, 1 + cells.len() / width);
            let read: Vec<&str> = batch.cells().skip(width).collect();
            prop_assert_eq!(read, cells);
        }
    }
}
