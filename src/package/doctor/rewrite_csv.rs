//! A CSV file as the service wants it: encoding, line ends, no blank lines. Cells stay as they are.

use crate::error::Result;
use crate::package::rewriter::Change;
use crate::table::{Decoder, Encoding, SourceFormat};

use super::csv_file::CsvFacts;

/// Rewrites a file that was examined and found to be text of a known encoding.
#[derive(Debug)]
pub(super) struct CsvRewrite {
    skip: usize,
    decoder: Decoder,
    to: Encoding,
    text: String,
    /// Raw text of the current row, with its quotes.
    row: String,
    state: State,
    begun: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Unquoted,
    Quoted,
    Quote,
}

impl CsvRewrite {
    /// None where nothing can be done: the encoding is not known.
    pub(super) fn new(facts: &CsvFacts, format: &SourceFormat) -> Option<Self> {
        Some(Self {
            skip: facts.mark,
            decoder: Decoder::new(facts.encoding?),
            to: match format {
                SourceFormat::CsvUnicode => Encoding::Utf16Le,
                SourceFormat::Csv => Encoding::Windows1252,
                _ => return None,
            },
            text: String::new(),
            row: String::new(),
            state: State::Start,
            begun: false,
        })
    }

    fn take(&mut self, text: &str, out: &mut Vec<u8>) -> Result<()> {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let run = match self.state {
                State::Unquoted => run(rest, &[',', '\n']),
                State::Quoted => run(rest, &['"']),
                State::Start | State::Quote => 0,
            };
            if run > 0 {
                let (head, tail) = rest.split_at_checked(run).unwrap_or((rest, ""));
                self.row.push_str(head);
                rest = tail;
                continue;
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            if c == '\n' && self.state != State::Quoted {
                self.end_row(out)?;
                continue;
            }
            self.state = match (self.state, c) {
                (State::Start, '"') | (State::Quote, '"') => State::Quoted,
                (State::Quoted, '"') => State::Quote,
                (State::Quoted, _) => State::Quoted,
                (_, ',') => State::Start,
                _ => State::Unquoted,
            };
            self.row.push(c);
        }
        Ok(())
    }

    fn end_row(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.state = State::Start;
        if self.row.ends_with('\r') {
            self.row.pop();
        }
        if self.row.is_empty() { Ok(()) } else { self.emit(out, "\r\n") }
    }

    fn emit(&mut self, out: &mut Vec<u8>, end: &str) -> Result<()> {
        if !std::mem::replace(&mut self.begun, true) && self.to == Encoding::Utf16Le {
            out.extend_from_slice(&[0xff, 0xfe]);
        }
        self.row.push_str(end);
        let encoded = self.to.encode(&self.row, out);
        self.row.clear();
        encoded.map_err(|_| changed())
    }
}

impl Change for CsvRewrite {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        self.text.clear();
        let rest = bytes.get(skipped..).unwrap_or_default();
        self.decoder.push(rest, &mut self.text).map_err(|_| changed())?;
        let text = std::mem::take(&mut self.text);
        let done = self.take(&text, out);
        self.text = text;
        done
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.row.is_empty() || self.state == State::Quoted {
            // A quote that is never closed takes the end of the file along: a line end would become part of the value.
            self.emit(out, "")
        } else {
            self.emit(out, "\r\n")
        }
    }
}

/// Length of the text before the first of the characters, all of which are ASCII.
fn run(text: &str, stops: &[char]) -> usize {
    text.find(stops).unwrap_or(text.len())
}

/// What was examined a moment ago was found to be writable.
fn changed() -> crate::error::Error {
    crate::package::zip::corrupt("a data file changed while the package was repaired")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewrite(text: &str) -> String {
        let facts = CsvFacts { encoding: Some(Encoding::Utf8), ..CsvFacts::default() };
        let run = |size: usize| {
            let mut it = CsvRewrite::new(&facts, &SourceFormat::CsvUnicode).unwrap();
            let mut out = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                it.push(piece, &mut out).unwrap();
            }
            it.finish(&mut out).unwrap();
            out
        };
        let whole = run(text.len().max(1));
        assert_eq!(run(1), whole, "byte by byte");
        let units: Vec<u16> = whole.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
        String::from_utf16(&units).unwrap()
    }

    // Kills mutants in what is kept and what is changed.
    #[test]
    fn only_line_ends_and_blank_lines_change() {
        let cases = [
            ("A,B\r\n1,2\r\n", "A,B\r\n1,2\r\n"),
            ("A,B\n1,2\n", "A,B\r\n1,2\r\n"),
            ("\r\n\nA\r\n\r\n1", "A\r\n1\r\n"),
            ("A\n\"x\ny\"\"\n\"\n", "A\r\n\"x\ny\"\"\n\"\r\n"),
            ("A\r\n\"\"\r\n", "A\r\n\"\"\r\n"),
            ("A\r\n1\r2\r\n", "A\r\n1\r2\r\n"),
            ("A\r\na\"b\n\"c\"d\n\"e\"\n", "A\r\na\"b\r\n\"c\"d\r\n\"e\"\r\n"),
            ("A\r\n\"open\n", "A\r\n\"open\n"),
            ("é,😀\nü", "é,😀\r\nü\r\n"),
        ];
        for (from, to) in cases {
            assert_eq!(rewrite(from), format!("\u{feff}{to}"), "{from:?}");
        }
    }

    #[test]
    fn encodings_become_that_of_the_format() {
        let facts = CsvFacts { encoding: Some(Encoding::Utf16Be), mark: 2, ..CsvFacts::default() };
        let mut it = CsvRewrite::new(&facts, &SourceFormat::Csv).unwrap();
        let mut out = Vec::new();
        it.push(&[0xfe, 0xff, 0, b'A', 0, b'\n', 0x20, 0xac], &mut out).unwrap();
        it.finish(&mut out).unwrap();
        assert_eq!(out, b"A\r\n\x80\r\n");
        assert!(CsvRewrite::new(&CsvFacts::default(), &SourceFormat::Csv).is_none());
        assert!(CsvRewrite::new(&facts, &SourceFormat::Excel).is_none());
    }
}
