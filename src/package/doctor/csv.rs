//! CSV text → rows and faults, in pieces of any size: unlike `table`'s strict reader it goes on after a fault.
//!
//! How it goes on: LF ends a row as CR LF does, a carriage return alone is part of the value, text after a closing quote
//! continues the cell without quotes, a blank line is no row.

/// A row may have this many bytes; beyond, a quote was most likely left open.
const MAX_ROW_BYTES: usize = 16 << 20;

/// What is wrong with the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    LineFeed,
    LoneReturn,
    BlankLine,
    AfterQuote,
    OpenQuote,
    Nul,
    RowSize,
    FinalLineEnd,
}

/// Takes what the walker finds.
pub(super) trait Rows {
    fn row(&mut self, line: u64, row: &Row);
    fn fault(&mut self, fault: Fault, line: u64);
}

/// The cells of one row.
#[derive(Debug, Default)]
pub(super) struct Row {
    text: String,
    ends: Vec<usize>,
}

impl Row {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn cell(&self, i: usize) -> &str {
        let start = i.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let range = start.zip(self.ends.get(i).copied()).map(|(start, end)| start..end);
        range.and_then(|range| self.text.get(range)).unwrap_or_default()
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|i| self.cell(i))
    }

    pub(super) fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len());
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Unquoted,
    Quoted,
    /// After a quote in a quoted cell.
    Quote,
    /// After a carriage return outside of quotes.
    Return {
        after_quote: bool,
    },
}

/// Walks through a text.
#[derive(Debug)]
pub(super) struct Walker {
    state: State,
    line: u64,
    row_line: u64,
    quote_line: u64,
    row: Row,
    quoted: bool,
    any_row: bool,
    /// First of the blank lines since the last row.
    blank: Option<u64>,
    stopped: bool,
}

impl Walker {
    pub(super) fn new() -> Self {
        Self {
            state: State::Start,
            line: 1,
            row_line: 1,
            quote_line: 1,
            row: Row::default(),
            quoted: false,
            any_row: false,
            blank: None,
            stopped: false,
        }
    }

    /// 1-based line of the next character.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Reads all of the text; false once the rest of the file is not worth reading.
    pub(super) fn feed(&mut self, text: &str, sink: &mut impl Rows) -> bool {
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.stopped {
                return false;
            }
            match self.state {
                State::Start if byte == b'"' => {
                    self.state = State::Quoted;
                    self.quoted = true;
                    self.quote_line = self.line;
                    at += 1;
                }
                State::Start | State::Unquoted => {
                    self.state = State::Unquoted;
                    at += self.run(text, at, |b| matches!(b, b',' | b'\r' | b'\n' | 0), sink);
                    if let Some(&byte) = bytes.get(at) {
                        at += 1;
                        self.after_cell(byte, sink);
                    }
                }
                State::Quoted => {
                    at += self.run(text, at, |b| matches!(b, b'"' | b'\n' | 0), sink);
                    match bytes.get(at) {
                        None => {}
                        Some(b'"') => self.state = State::Quote,
                        Some(b'\n') => {
                            self.row.text.push('\n');
                            self.line += 1;
                        }
                        Some(_) => self.nul(sink),
                    }
                    at += 1;
                }
                State::Quote if byte == b'"' => {
                    self.row.text.push('"');
                    self.state = State::Quoted;
                    at += 1;
                }
                State::Quote => {
                    if matches!(byte, b',' | b'\r' | b'\n') {
                        at += 1;
                        self.after_cell(byte, sink);
                        if let State::Return { after_quote } = &mut self.state {
                            *after_quote = true;
                        }
                    } else {
                        sink.fault(Fault::AfterQuote, self.line);
                        self.state = State::Unquoted;
                    }
                }
                State::Return { .. } if byte == b'\n' => {
                    at += 1;
                    self.end_row(true, sink);
                }
                State::Return { .. } => self.lone_return(sink),
            }
        }
        !self.stopped
    }

    /// To be called after the last piece.
    pub(super) fn finish(&mut self, sink: &mut impl Rows) {
        if self.stopped {
            return;
        }
        let open = self.state == State::Quoted;
        match self.state {
            State::Quoted => sink.fault(Fault::OpenQuote, self.quote_line),
            State::Return { .. } => self.lone_return(sink),
            State::Start | State::Unquoted | State::Quote => {}
        }
        if self.state == State::Start && self.row.ends.is_empty() {
            return;
        }
        let line = self.line;
        self.end_row(false, sink);
        // A line end after an open quote would only become part of the value.
        if !open {
            sink.fault(Fault::FinalLineEnd, line);
        }
    }

    /// Takes text up to a byte that `stops`; returns its length.
    fn run(&mut self, text: &str, at: usize, stops: impl Fn(u8) -> bool, sink: &mut impl Rows) -> usize {
        let rest = text.get(at..).unwrap_or_default();
        let length = rest.bytes().position(stops).unwrap_or(rest.len());
        self.row.text.push_str(rest.get(..length).unwrap_or_default());
        if self.row.text.len() + self.row.ends.len() * 8 > MAX_ROW_BYTES {
            sink.fault(Fault::RowSize, self.row_line);
            self.stopped = true;
        }
        length
    }

    fn nul(&mut self, sink: &mut impl Rows) {
        sink.fault(Fault::Nul, self.line);
        self.row.text.push('\0');
    }

    fn after_cell(&mut self, byte: u8, sink: &mut impl Rows) {
        match byte {
            b',' => {
                self.row.ends.push(self.row.text.len());
                self.state = State::Start;
            }
            b'\r' => self.state = State::Return { after_quote: false },
            b'\n' => {
                sink.fault(Fault::LineFeed, self.line);
                self.end_row(true, sink);
            }
            _ => self.nul(sink),
        }
    }

    fn lone_return(&mut self, sink: &mut impl Rows) {
        sink.fault(Fault::LoneReturn, self.line);
        self.row.text.push('\r');
        self.state = State::Unquoted;
    }

    fn end_row(&mut self, line_end: bool, sink: &mut impl Rows) {
        self.row.ends.push(self.row.text.len());
        let blank = self.row.text.is_empty() && self.row.ends.len() == 1 && !self.quoted;
        if blank {
            self.blank.get_or_insert(self.row_line);
        } else {
            if let Some(line) = self.blank.take() {
                sink.fault(Fault::BlankLine, line);
            }
            sink.row(self.row_line, &self.row);
            self.any_row = true;
        }
        self.row.clear();
        self.quoted = false;
        self.state = State::Start;
        self.line += u64::from(line_end);
        self.row_line = self.line;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Debug, PartialEq)]
    struct Seen {
        rows: Vec<(u64, Vec<String>)>,
        faults: Vec<(Fault, u64)>,
    }

    impl Rows for Seen {
        fn row(&mut self, line: u64, row: &Row) {
            self.rows.push((line, row.cells().map(str::to_owned).collect()));
        }

        fn fault(&mut self, fault: Fault, line: u64) {
            self.faults.push((fault, line));
        }
    }

    fn walk(text: &str) -> Seen {
        let in_pieces = |size: usize| {
            let (mut walker, mut seen) = (Walker::new(), Seen::default());
            let mut rest = text;
            while !rest.is_empty() {
                let mut cut = size.min(rest.len());
                while !rest.is_char_boundary(cut) {
                    cut += 1;
                }
                let (piece, tail) = rest.split_at(cut);
                walker.feed(piece, &mut seen);
                rest = tail;
            }
            walker.finish(&mut seen);
            seen
        };
        let whole = in_pieces(usize::MAX);
        for size in 1..4 {
            assert_eq!(in_pieces(size), whole, "pieces of {size}");
        }
        whole
    }

    fn rows(text: &str) -> Vec<Vec<String>> {
        walk(text).rows.into_iter().map(|(_, cells)| cells).collect()
    }

    #[test]
    fn good_text_has_rows_and_no_faults() {
        let seen = walk("A,B\r\n\"x,\"\"y\"\"\",\"1\r\n2\n3\"\r\n,é\r\n\"\"\r\n");
        assert_eq!(seen.faults, []);
        assert_eq!(
            seen.rows,
            [
                (1, vec!["A".to_owned(), "B".into()]),
                (2, vec!["x,\"y\"".into(), "1\r\n2\n3".into()]),
                (5, vec![String::new(), "é".into()]),
                (6, vec![String::new()]),
            ]
        );
    }

    // Kills mutants in states, lines and in how the walk goes on.
    #[test]
    fn faults_have_their_lines_and_do_not_end_the_walk() {
        use Fault::*;
        type Case = (&'static str, &'static [(Fault, u64)], usize);
        let cases: [Case; 10] = [
            ("A\n1\n2\r\n", &[(LineFeed, 1), (LineFeed, 2)], 3),
            ("\r\nA\r\n1\r\n", &[(BlankLine, 1)], 2),
            ("A\r\n1\r\n\r\n\r\n2\r\n\r\n", &[(BlankLine, 3)], 3),
            ("A\r\n\"x\"y\r\n2\r\n", &[(AfterQuote, 2)], 3),
            ("A\r\n\"x\r\n2\r\n", &[(OpenQuote, 2)], 2),
            ("A\r\n1\r2\r\n", &[(LoneReturn, 2)], 2),
            ("A\r\n1\r", &[(LoneReturn, 2), (FinalLineEnd, 2)], 2),
            ("A\r\n1\u{0}2\r\n\"\0\"\r\n", &[(Nul, 2), (Nul, 3)], 3),
            ("A\r\n1", &[(FinalLineEnd, 2)], 2),
            ("", &[], 0),
        ];
        for (text, faults, count) in cases {
            let seen = walk(text);
            assert_eq!(seen.faults, faults, "{text:?}");
            assert_eq!(seen.rows.len(), count, "{text:?}");
        }
        assert_eq!(rows("A\r\n\"x\"y,z\r\n")[1], ["xy", "z"]);
        assert_eq!(rows("A\r\n\"x\"\ry\r\n")[1], ["x\ry"]);
    }

    #[test]
    fn a_row_without_end_stops_the_walk() {
        let (mut walker, mut seen) = (Walker::new(), Seen::default());
        let piece = "x".repeat(1 << 20);
        walker.feed("A\r\n\"", &mut seen);
        assert!((0..17).any(|_| !walker.feed(&piece, &mut seen)));
        walker.finish(&mut seen);
        assert_eq!(seen.faults, [(Fault::RowSize, 2)]);
    }
}
