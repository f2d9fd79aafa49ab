//! CSV text → rows: RFC 4180 with `,` and `"`, in pieces of any size.
//!
//! Stricter than most readers, because a guess here is a wrong value in somebody's contract: a row with another number of
//! cells than the header, text after a closing quote, a lone carriage return, a NUL and a blank line between rows are errors
//! with their line. More lenient than the service in one point: LF ends a row too (packages from other tools). A quote
//! inside an unquoted cell is an ordinary character.

/// A row may have this many bytes of text and cells; beyond, a quote was most likely left open.
const MAX_ROW_BYTES: usize = 16 << 20;

/// Takes the rows of a [`Tokenizer`].
pub trait RowSink {
    /// More text of the current cell.
    fn text(&mut self, part: &str);
    fn end_cell(&mut self);
    fn end_row(&mut self);
    /// Asked after each row: whether to stop here for now.
    fn is_full(&self) -> bool;

    /// Splits text into this sink, see [`Tokenizer::feed`]. A sink of this crate does it here, where it is fast.
    ///
    /// # Errors
    /// The first fault of the text.
    fn feed_from(&mut self, tokenizer: &mut Tokenizer, text: &str) -> Result<usize, CsvFault>
    where
        Self: Sized,
    {
        tokenizer.feed(text, self)
    }
}

/// What is wrong with a CSV text, and on which 1-based line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CsvFault {
    #[error("line {line}: the row has {found} {}, the header has {expected}", cells(*.found))]
    Ragged { line: u64, found: usize, expected: usize },
    #[error("line {line}: there is text after the closing quote of a cell")]
    AfterQuote { line: u64 },
    #[error("line {line}: the quote that opens here is never closed")]
    OpenQuote { line: u64 },
    #[error("line {line}: a carriage return without line feed stands outside of quotes")]
    LoneReturn { line: u64 },
    #[error("line {line}: a blank line stands before the header or between rows")]
    BlankLine { line: u64 },
    #[error("line {line}: the text has a NUL character")]
    Nul { line: u64 },
    #[error("line {line}: the row is larger than {} bytes", MAX_ROW_BYTES)]
    RowTooLarge { line: u64 },
}

fn cells(count: usize) -> &'static str {
    if count == 1 { "cell" } else { "cells" }
}

impl CsvFault {
    pub fn line(self) -> u64 {
        match self {
            Self::Ragged { line, .. }
            | Self::AfterQuote { line }
            | Self::OpenQuote { line }
            | Self::LoneReturn { line }
            | Self::BlankLine { line }
            | Self::Nul { line }
            | Self::RowTooLarge { line } => line,
        }
    }

    /// What the person can do.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Ragged { .. } => {
                "Put values with commas, quotes or line breaks into double quotes, and write empty cells as nothing \
                 between commas."
            }
            Self::AfterQuote { .. } => {
                "Double the quotes inside a quoted cell (\"\"), and begin a quoted cell right after the comma."
            }
            Self::OpenQuote { .. } | Self::RowTooLarge { .. } => {
                "Look for a cell that begins with a double quote and does not end with one."
            }
            Self::LoneReturn { .. } => {
                "End lines with CR LF, and put values with line breaks into double quotes."
            }
            Self::BlankLine { .. } => {
                "Remove the line: the service refuses it (FF004, DMF2050). An empty value in a file of one column is \
                 written as \"\"."
            }
            Self::Nul { .. } => {
                "The file is damaged, or in another encoding than it seems: UTF-16 needs its byte order mark."
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the start of a cell.
    Start,
    Unquoted,
    Quoted,
    /// After a quote in a quoted cell: its end, or the first half of a doubled one.
    Quote,
    /// After a carriage return outside of quotes.
    Return,
}

/// Splits text into cells and rows. The first row is the header: it fixes how many cells every other row has.
#[derive(Debug)]
pub struct Tokenizer {
    state: State,
    /// 1-based line of the next character, of the row's begin, and of the last opening quote.
    line: u64,
    row_line: u64,
    quote_line: u64,
    /// Of the current row.
    cells: usize,
    bytes: usize,
    quoted: bool,
    expected: Option<usize>,
    blank: Option<u64>,
    bare_feed: Option<u64>,
}

impl Tokenizer {
    pub fn new() -> Self {
        Self {
            state: State::Start,
            line: 1,
            row_line: 1,
            quote_line: 1,
            cells: 0,
            bytes: 0,
            quoted: false,
            expected: None,
            blank: None,
            bare_feed: None,
        }
    }

    /// 1-based line of the next character.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The first line that ended without a carriage return, quoted line breaks aside.
    pub fn bare_feed(&self) -> Option<u64> {
        self.bare_feed
    }

    /// Whether the next character begins a row.
    pub fn is_between_rows(&self) -> bool {
        matches!(self.state, State::Start) && self.cells == 0
    }

    /// Reads until the text is used up or the sink is full after a row; returns the bytes used.
    pub fn feed(&mut self, text: &str, sink: &mut impl RowSink) -> Result<usize, CsvFault> {
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.state {
                State::Start if byte == b'"' => {
                    self.state = State::Quoted;
                    self.quoted = true;
                    self.quote_line = self.line;
                    at += 1;
                }
                State::Start | State::Unquoted => {
                    let length = unquoted_run(bytes.get(at..).unwrap_or_default());
                    self.take(text, at, length, sink)?;
                    at += length;
                    self.state = State::Unquoted;
                    match bytes.get(at) {
                        None => {}
                        Some(0) => return Err(CsvFault::Nul { line: self.line }),
                        Some(_) => {
                            at += 1;
                            if self.after_cell(bytes.get(at - 1).copied(), sink)? {
                                return Ok(at);
                            }
                        }
                    }
                }
                State::Quoted => {
                    let length = quoted_run(bytes.get(at..).unwrap_or_default());
                    self.take(text, at, length, sink)?;
                    at += length;
                    match bytes.get(at) {
                        None => {}
                        Some(b'\n') => {
                            self.take(text, at, 1, sink)?;
                            self.line += 1;
                            at += 1;
                        }
                        Some(b'"') => {
                            self.state = State::Quote;
                            at += 1;
                        }
                        Some(_) => return Err(CsvFault::Nul { line: self.line }),
                    }
                }
                State::Quote if byte == b'"' => {
                    self.take(text, at, 1, sink)?;
                    self.state = State::Quoted;
                    at += 1;
                }
                State::Quote => {
                    at += 1;
                    if self.after_cell(Some(byte), sink)? {
                        return Ok(at);
                    }
                }
                State::Return if byte == b'\n' => {
                    at += 1;
                    self.end_row(sink)?;
                    self.line += 1;
                    self.row_line = self.line;
                    if sink.is_full() {
                        return Ok(at);
                    }
                }
                State::Return => return Err(CsvFault::LoneReturn { line: self.line }),
            }
        }
        Ok(at)
    }

    /// To be called after the last piece: ends a last row that has no line end.
    pub fn finish(&mut self, sink: &mut impl RowSink) -> Result<(), CsvFault> {
        match self.state {
            State::Start if self.cells == 0 => Ok(()),
            State::Quoted => Err(CsvFault::OpenQuote { line: self.quote_line }),
            State::Return => Err(CsvFault::LoneReturn { line: self.line }),
            State::Start | State::Unquoted | State::Quote => self.end_row(sink),
        }
    }

    fn take(
        &mut self,
        text: &str,
        from: usize,
        length: usize,
        sink: &mut impl RowSink,
    ) -> Result<(), CsvFault> {
        if length > 0 {
            self.grow(length)?;
            sink.text(text.get(from..from + length).unwrap_or_default());
        }
        Ok(())
    }

    fn grow(&mut self, bytes: usize) -> Result<(), CsvFault> {
        self.bytes += bytes;
        if self.bytes > MAX_ROW_BYTES {
            return Err(CsvFault::RowTooLarge { line: self.row_line });
        }
        Ok(())
    }

    /// What follows a cell; true where a row ended and the sink is full.
    fn after_cell(&mut self, byte: Option<u8>, sink: &mut impl RowSink) -> Result<bool, CsvFault> {
        match byte {
            Some(b',') => {
                self.end_cell(sink)?;
                Ok(false)
            }
            Some(b'\r') => {
                self.state = State::Return;
                Ok(false)
            }
            Some(b'\n') => {
                self.bare_feed.get_or_insert(self.line);
                self.end_row(sink)?;
                self.line += 1;
                self.row_line = self.line;
                Ok(sink.is_full())
            }
            Some(0) => Err(CsvFault::Nul { line: self.line }),
            _ => Err(CsvFault::AfterQuote { line: self.line }),
        }
    }

    fn end_cell(&mut self, sink: &mut impl RowSink) -> Result<(), CsvFault> {
        self.cells += 1;
        self.grow(1)?;
        self.state = State::Start;
        sink.end_cell();
        Ok(())
    }

    fn end_row(&mut self, sink: &mut impl RowSink) -> Result<(), CsvFault> {
        let blank = self.cells == 0 && self.bytes == 0 && !self.quoted;
        if let Some(line) = self.blank.filter(|_| !blank) {
            return Err(CsvFault::BlankLine { line });
        }
        if blank {
            // Blank lines after the last row are nobody's data; any row after one makes it an error.
            if self.expected.is_none() {
                return Err(CsvFault::BlankLine { line: self.row_line });
            }
            self.blank.get_or_insert(self.row_line);
        } else {
            self.end_cell(sink)?;
            let expected = *self.expected.get_or_insert(self.cells);
            if self.cells != expected {
                return Err(CsvFault::Ragged { line: self.row_line, found: self.cells, expected });
            }
            sink.end_row();
        }
        self.state = State::Start;
        self.cells = 0;
        self.bytes = 0;
        self.quoted = false;
        Ok(())
    }
}

fn unquoted_run(bytes: &[u8]) -> usize {
    // One comparison for most characters.
    bytes.iter().position(|&b| b <= b',' && matches!(b, b',' | b'\r' | b'\n' | 0)).unwrap_or(bytes.len())
}

fn quoted_run(bytes: &[u8]) -> usize {
    bytes.iter().position(|b| matches!(b, b'"' | b'\n' | 0)).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::super::rows::{BatchBuilder, CountSink};
    use super::*;
    use proptest::prelude::*;

    fn read_in(text: &str, pieces: usize) -> Result<Vec<String>, CsvFault> {
        let mut sink = BatchBuilder::new(usize::MAX);
        let mut tokenizer = Tokenizer::new();
        let mut rest = text;
        while !rest.is_empty() {
            let mut cut = pieces.min(rest.len());
            while !rest.is_char_boundary(cut) {
                cut += 1;
            }
            let used = tokenizer.feed(rest.split_at(cut).0, &mut sink)?;
            rest = rest.split_at(used).1;
        }
        tokenizer.finish(&mut sink)?;
        Ok(sink.into_batch().map_or_else(Vec::new, |b| b.cells().map(str::to_owned).collect()))
    }

    fn read(text: &str) -> Result<Vec<String>, CsvFault> {
        let whole = read_in(text, usize::MAX);
        assert_eq!(read_in(text, 1), whole, "read letter by letter");
        whole
    }

    #[test]
    fn cells_and_rows() {
        assert_eq!(read("A,B\r\n1,2\r\n").unwrap(), ["A", "B", "1", "2"]);
        assert_eq!(read("A,B\n1,2").unwrap(), ["A", "B", "1", "2"], "LF, and no line end at the end");
        assert_eq!(read("A,B\r\n,\r\n").unwrap(), ["A", "B", "", ""]);
        assert_eq!(read("A\r\n\"\"\r\n").unwrap(), ["A", ""]);
        assert_eq!(read("A,B\r\n1,").unwrap(), ["A", "B", "1", ""], "an empty last cell without line end");
        assert_eq!(read("").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn quotes_hold_commas_quotes_and_line_breaks() {
        assert_eq!(
            read("A,B\r\n\"x,\"\"y\"\"\",\"1\r\n2\n3\r4\"\r\n").unwrap(),
            ["A", "B", "x,\"y\"", "1\r\n2\n3\r4"]
        );
        assert_eq!(read("A\r\n5\" pipe\r\n").unwrap(), ["A", "5\" pipe"], "a quote inside an unquoted cell");
    }

    #[test]
    fn faults_name_their_line() {
        assert_eq!(read("A,B\r\n1\r\n"), Err(CsvFault::Ragged { line: 2, found: 1, expected: 2 }));
        assert_eq!(
            read("A,B\r\n\"a\nb\",1\r\n1,2,3\r\n"),
            Err(CsvFault::Ragged { line: 4, found: 3, expected: 2 }),
            "lines inside quotes count"
        );
        assert_eq!(read("A\r\n\"x\"y\r\n"), Err(CsvFault::AfterQuote { line: 2 }));
        assert_eq!(read("A\r\n1\r\n\"x\r\n2\r\n"), Err(CsvFault::OpenQuote { line: 3 }));
        assert_eq!(read("A\r1"), Err(CsvFault::LoneReturn { line: 1 }));
        assert_eq!(read("A\r\n1\r"), Err(CsvFault::LoneReturn { line: 2 }));
        assert_eq!(read("A\r\nx\0"), Err(CsvFault::Nul { line: 2 }));
        assert_eq!(read("A\r\n\"x\0\""), Err(CsvFault::Nul { line: 2 }));
    }

    #[test]
    fn blank_lines_are_refused_except_at_the_end() {
        assert_eq!(read("\r\nA\r\n1\r\n"), Err(CsvFault::BlankLine { line: 1 }));
        assert_eq!(read("A\r\n1\r\n\r\n2\r\n"), Err(CsvFault::BlankLine { line: 3 }));
        assert_eq!(read("A,B\r\n1,2\r\n\r\n3,4\r\n"), Err(CsvFault::BlankLine { line: 3 }));
        assert_eq!(read("A\r\n1\r\n\r\n\r\n").unwrap(), ["A", "1"]);
    }

    #[test]
    fn an_endless_row_is_stopped() {
        let mut tokenizer = Tokenizer::new();
        let mut sink = CountSink::default();
        tokenizer.feed("A\r\n\"", &mut sink).unwrap();
        let piece = "x".repeat(1 << 20);
        let fed = (0..20).map(|_| tokenizer.feed(&piece, &mut sink)).find_map(Result::err);
        assert_eq!(fed, Some(CsvFault::RowTooLarge { line: 2 }));
        let mut tokenizer = Tokenizer::new();
        let commas = ",".repeat(1 << 20);
        let fed = (0..20).map(|_| tokenizer.feed(&commas, &mut sink)).find_map(Result::err);
        assert_eq!(fed, Some(CsvFault::RowTooLarge { line: 1 }), "cells count too");
    }

    #[test]
    fn a_full_sink_stops_after_its_row() {
        let mut tokenizer = Tokenizer::new();
        let mut sink = BatchBuilder::new(1);
        assert_eq!(tokenizer.feed("A,B\r\n1,2\r\n", &mut sink), Ok("A,B\r\n".len()));
    }

    #[test]
    fn line_feeds_alone_are_noticed_outside_of_quotes_only() {
        let mut tokenizer = Tokenizer::new();
        tokenizer.feed("A\r\n\"1\n2\"\r\n", &mut CountSink::default()).unwrap();
        assert_eq!(tokenizer.bare_feed(), None);
        tokenizer.feed("3\n4\n", &mut CountSink::default()).unwrap();
        assert_eq!(tokenizer.bare_feed(), Some(4));
    }

    proptest! {
        #[test]
        fn any_text_reads_the_same_in_any_pieces(text in "[a,\"\r\n\0é]{0,40}", pieces in 1usize..9) {
            prop_assert_eq!(read_in(&text, pieces), read_in(&text, usize::MAX));
        }
    }
}
