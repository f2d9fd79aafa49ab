//! A data file that somebody else wrote: is it what the service takes, and what are its columns?

use crate::error::{Error, ErrorCode, Result};

use super::csv_read::{CsvFault, RowSink, Tokenizer};
use super::encoding::{Decoder, Encoding, Undecodable};

/// What a checked file has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: u64,
}

/// Looks at a file chunk by chunk and refuses what the service would refuse or misread: another encoding than the format's,
/// lines that end with LF alone, a missing header, blank lines, rows of another length than the header.
pub(crate) struct CsvChecker {
    encoding: Encoding,
    /// The first bytes, until there are enough to judge the encoding by.
    head: Vec<u8>,
    decoder: Option<Decoder>,
    tokenizer: Tokenizer,
    sink: HeaderSink,
    text: String,
}

impl CsvChecker {
    /// `encoding` is that of the format.
    pub(crate) fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            head: Vec::new(),
            decoder: None,
            tokenizer: Tokenizer::new(),
            sink: HeaderSink::default(),
            text: String::new(),
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        if self.decoder.is_some() {
            return self.check(bytes);
        }
        self.head.extend_from_slice(bytes);
        if self.head.len() >= 4 { self.begin() } else { Ok(()) }
    }

    pub(crate) fn finish(mut self) -> Result<Checked> {
        if self.decoder.is_none() {
            self.begin()?;
        }
        let decoded = self.decoder.as_ref().map_or(Ok(()), Decoder::finish);
        let ended = match decoded {
            Ok(()) => self.tokenizer.finish(&mut self.sink).map_err(csv_error),
            Err(error) => Err(undecodable(error, self.tokenizer.line())),
        };
        self.check_line_ends()?;
        ended?;
        if self.sink.columns.is_empty() {
            return Err(invalid("the file has no header row")
                .hint("The first row must be the names of the fields, upper case (FF004)."));
        }
        check_header(&self.sink.columns)?;
        // The header is the first row of the sink.
        let rows = self.sink.rows.saturating_sub(1);
        if rows == 0 {
            return Err(invalid("the file has no data row").hint(
                "The service refuses a file without data (DMF2053): leave the entity out of the package.",
            ));
        }
        Ok(Checked { columns: self.sink.columns, rows })
    }

    fn begin(&mut self) -> Result<()> {
        let head = std::mem::take(&mut self.head);
        let sniffed = Encoding::sniff(&head);
        if self.encoding == Encoding::Utf16Le {
            expect_unicode(sniffed.encoding, sniffed.mark)?;
        } else {
            expect_unmarked(sniffed.encoding)?;
        }
        self.decoder = Some(Decoder::new(self.encoding));
        self.check(head.get(sniffed.mark..).unwrap_or_default())
    }

    fn check(&mut self, bytes: &[u8]) -> Result<()> {
        // In pieces, so that the text of a large chunk never stands in memory as a whole.
        for piece in bytes.chunks(64 << 10) {
            let Some(decoder) = &mut self.decoder else { return Ok(()) };
            self.text.clear();
            let decoded = decoder.push(piece, &mut self.text);
            let fed = self.tokenizer.feed(&self.text, &mut self.sink).map_err(csv_error);
            let line = self.tokenizer.line();
            // The first fault of the file is reported, however the file is cut into chunks.
            self.check_line_ends()?;
            fed?;
            decoded.map_err(|error| undecodable(error, line))?;
        }
        Ok(())
    }

    fn check_line_ends(&self) -> Result<()> {
        match self.tokenizer.bare_feed() {
            Some(line) => Err(invalid(format!("line {line} ends with LF alone")).at_line(line).hint(
                "End every line with CR LF: the service refuses the package otherwise, with the misleading words \
                 \"mapping is incorrect\".",
            )),
            None => Ok(()),
        }
    }
}

/// Header names must be there and differ.
pub(crate) fn check_header(columns: &[String]) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for (i, column) in columns.iter().enumerate() {
        if column.is_empty() {
            return Err(invalid(format!("column {} of the header has no name", i + 1))
                .at_line(1)
                .hint("Every column needs the name of a field, without a comma after the last one."));
        }
        if !seen.insert(column.as_str()) {
            return Err(invalid(format!("the header has the column \"{column}\" twice"))
                .at_line(1)
                .at_column(column)
                .hint("Give every column a name of its own."));
        }
    }
    Ok(())
}

/// `DATA_INVALID` for a fault of the text.
pub(crate) fn csv_error(fault: CsvFault) -> Error {
    invalid(fault.to_string()).at_line(fault.line()).hint(fault.hint())
}

/// `DATA_INVALID` for bytes that are no text.
pub(crate) fn undecodable(Undecodable(encoding): Undecodable, line: u64) -> Error {
    invalid(format!("line {line}: the bytes are no {} text", encoding.name()))
        .at_line(line)
        .hint("The file is damaged, or was put together from parts in different encodings.")
}

fn expect_unicode(found: Option<Encoding>, mark: usize) -> Result<()> {
    let what = match found {
        Some(Encoding::Utf16Le) if mark == 2 => return Ok(()),
        Some(Encoding::Utf16Le) => "UTF-16LE without byte order mark",
        Some(Encoding::Utf16Be) => "UTF-16BE",
        _ => "no UTF-16 text",
    };
    Err(invalid(format!(
        "the file is {what}, but CSV-Unicode is UTF-16LE with byte order mark (\"Selected file is not Unicode\")"
    ))
    .hint("Write the file as UTF-16LE with byte order mark and CR LF, or hand over rows instead."))
}

fn expect_unmarked(found: Option<Encoding>) -> Result<()> {
    let what = match found {
        None | Some(Encoding::Windows1252) => return Ok(()),
        // Under an ANSI code page the mark becomes part of the first column's name; under 65001 that is not ruled out.
        Some(Encoding::Utf8) => "begins with a UTF-8 byte order mark",
        Some(Encoding::Utf16Le | Encoding::Utf16Be) => "is UTF-16",
    };
    Err(invalid(format!("the file {what}, but CSV is text of the format's code page without mark"))
        .hint("Take the mark away, use the format CSV-Unicode with UTF-16LE, or hand over rows instead."))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::DataInvalid, message)
}

/// Keeps the first row and counts the others.
#[derive(Default)]
struct HeaderSink {
    columns: Vec<String>,
    cell: String,
    rows: u64,
}

impl RowSink for HeaderSink {
    fn text(&mut self, part: &str) {
        if self.rows == 0 {
            self.cell.push_str(part);
        }
    }

    fn end_cell(&mut self) {
        if self.rows == 0 {
            self.columns.push(std::mem::take(&mut self.cell));
        }
    }

    fn end_row(&mut self) {
        self.rows += 1;
    }

    fn is_full(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    }

    fn check(encoding: Encoding, bytes: &[u8]) -> Result<Checked> {
        let check_in = |size: usize| {
            let mut checker = CsvChecker::new(encoding);
            for chunk in bytes.chunks(size) {
                checker.push(chunk)?;
            }
            checker.finish()
        };
        let whole = check_in(bytes.len().max(1));
        assert_eq!(check_in(1), whole, "byte by byte");
        whole
    }

    fn unicode(bytes: &[u8]) -> Error {
        let error = check(Encoding::Utf16Le, bytes).unwrap_err();
        assert_eq!(error.code, ErrorCode::DataInvalid);
        assert!(error.hint.is_some());
        error
    }

    #[test]
    fn a_good_file_gives_columns_and_rows() {
        let checked = check(Encoding::Utf16Le, &utf16("A,B\r\n1,\"x\ny\"\r\n2,3\r\n")).unwrap();
        assert_eq!(checked, Checked { columns: vec!["A".into(), "B".into()], rows: 2 });
        let checked = check(Encoding::Windows1252, b"NAME\r\nZo\xeb\r\n").unwrap();
        assert_eq!(checked, Checked { columns: vec!["NAME".into()], rows: 1 });
    }

    #[test]
    fn other_encodings_than_the_formats_are_refused() {
        assert!(unicode(b"A\r\n1\r\n").message.contains("not Unicode"));
        assert!(unicode(b"\xef\xbb\xbfA\r\n1\r\n").message.contains("not Unicode"));
        assert!(unicode(b"A\0\r\0\n\x001\0").message.contains("without byte order mark"));
        assert!(unicode(b"\xfe\xff\0A\0\r\0\n\x001").message.contains("UTF-16BE"));
        for bytes in [&utf16("A\r\n1\r\n")[..], b"\xef\xbb\xbfA\r\n1\r\n"] {
            let error = check(Encoding::Windows1252, bytes).unwrap_err();
            assert_eq!(error.code, ErrorCode::DataInvalid);
        }
    }

    #[test]
    fn utf8_has_no_mark_and_no_other_bytes() {
        let checked = check(Encoding::Utf8, "NAME\r\nZoë łódź 😀\r\n".as_bytes()).unwrap();
        assert_eq!(checked, Checked { columns: vec!["NAME".into()], rows: 1 });
        let refused = |bytes: &[u8]| check(Encoding::Utf8, bytes).unwrap_err().message.clone();
        assert!(refused(b"NAME\r\nA\r\nZo\xeb\r\n").contains("line 3: the bytes are no UTF-8 text"));
        assert!(refused(b"\xef\xbb\xbfNAME\r\nA\r\n").contains("UTF-8 byte order mark"));
        assert!(refused(&utf16("NAME\r\nA\r\n")).contains("UTF-16"));
    }

    #[test]
    fn line_feeds_alone_are_refused_with_their_line() {
        let error = unicode(&utf16("A\r\n1\r\n2\n3\r\n"));
        assert_eq!(error.at.as_deref().unwrap().line, Some(3));
        unicode(&utf16("A\n1\n"));
    }

    #[test]
    fn the_first_fault_is_told_in_any_chunks() {
        assert!(unicode(&utf16("A,B\r\n1,2\n3\r\n")).message.contains("LF alone"));
    }

    #[test]
    fn files_without_header_or_rows_are_refused() {
        assert!(unicode(&utf16("")).message.contains("header"));
        assert!(unicode(&utf16("A,B\r\n")).message.contains("no data row"));
        assert!(unicode(&utf16("\r\nA\r\n1\r\n")).message.contains("blank line"));
        assert!(unicode(&utf16("A,A\r\n1,2\r\n")).message.contains("twice"));
        assert!(unicode(&utf16("A,\r\n1,2\r\n")).message.contains("no name"));
    }

    #[test]
    fn damage_is_refused_with_its_line() {
        let mut bytes = utf16("A\r\n1\r\n");
        bytes.extend([0x00, 0xdc]);
        assert_eq!(unicode(&bytes).at.as_deref().unwrap().line, Some(3));
        bytes.truncate(bytes.len() - 1);
        assert!(unicode(&bytes).message.contains("no UTF-16LE text"));
    }
}
