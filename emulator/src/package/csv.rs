//! Comma-separated text with CRLF between records, quoted as RFC 4180 says.

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) fields: Vec<String>,
    /// 1-based line where the record begins.
    pub(crate) line: usize,
    /// Nothing between two line ends.
    pub(crate) blank: bool,
    /// A line feed without carriage return was found outside of quotes: it does not end the record.
    pub(crate) bare_line_feed: bool,
}

/// Text that is no CSV.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub(crate) struct CsvError {
    pub(crate) line: usize,
    pub(crate) reason: &'static str,
}

/// Reads records one after another.
pub(crate) struct Reader<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { chars: text.chars().peekable(), line: 1 }
    }

    fn record(&mut self) -> Result<Record, CsvError> {
        let mut record = Record { fields: Vec::new(), line: self.line, blank: false, bare_line_feed: false };
        let mut field = String::new();
        let mut empty = true;
        loop {
            match self.chars.next() {
                None => break,
                Some('\r') if self.chars.next_if_eq(&'\n').is_some() => {
                    self.line += 1;
                    record.blank = empty;
                    break;
                }
                Some(',') => record.fields.push(std::mem::take(&mut field)),
                Some('"') if field.is_empty() => self.quoted(&mut field)?,
                Some(c) => {
                    if c == '\n' {
                        record.bare_line_feed = true;
                        self.line += 1;
                    }
                    field.push(c);
                }
            }
            empty = false;
        }
        record.fields.push(field);
        Ok(record)
    }

    /// Reads up to the closing quote, which a comma, a line end or the end of the text must follow.
    fn quoted(&mut self, field: &mut String) -> Result<(), CsvError> {
        let line = self.line;
        loop {
            match self.chars.next() {
                None => return Err(CsvError { line, reason: "the text qualifier is not closed" }),
                Some('"') if self.chars.next_if_eq(&'"').is_some() => field.push('"'),
                Some('"') => break,
                Some(c) => {
                    if c == '\n' {
                        self.line += 1;
                    }
                    field.push(c);
                }
            }
        }
        match self.chars.peek() {
            None | Some(',' | '\r' | '\n') => Ok(()),
            Some(_) => Err(CsvError { line, reason: "text follows the closing text qualifier" }),
        }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Record, CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.chars.peek()?;
        let record = self.record();
        if record.is_err() {
            self.chars = "".chars().peekable();
        }
        Some(record)
    }
}

/// Appends a record; quotes only what must be quoted.
pub(crate) fn write_record<'a>(out: &mut String, fields: impl IntoIterator<Item = &'a str>) {
    for (at, field) in fields.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if field.contains([',', '"', '\r', '\n']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(field);
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Vec<String>> {
        Reader::new(text).map(|record| record.unwrap().fields).collect()
    }

    #[test]
    fn quoting_and_line_breaks() {
        assert_eq!(
            read("A,B\r\n\"x,\"\"y\"\"\",\"l1\r\nl2\nl3\"\r\n"),
            [["A", "B"], ["x,\"y\"", "l1\r\nl2\nl3"]]
        );
        assert_eq!(read("A\r\nlast"), [["A"], ["last"]]);
        assert_eq!(read("a\"b,c\r\n"), [["a\"b", "c"]]);
    }

    #[test]
    fn lines_are_counted_and_blank_ones_known() {
        let records: Vec<Record> = Reader::new("A\r\n\"x\r\ny\"\r\n\r\nz").map(Result::unwrap).collect();
        let seen: Vec<(usize, bool)> = records.iter().map(|record| (record.line, record.blank)).collect();
        assert_eq!(seen, [(1, false), (2, false), (4, true), (5, false)]);
    }

    #[test]
    fn line_feeds_alone_do_not_end_a_record() {
        let records: Vec<Record> = Reader::new("A,B\n1,2\n").map(Result::unwrap).collect();
        assert_eq!(records.len(), 1);
        assert!(records[0].bare_line_feed);
        let quoted: Vec<Record> = Reader::new("\"A\"\n\"1\"\n").map(Result::unwrap).collect();
        assert!(quoted[0].bare_line_feed);
    }

    #[test]
    fn bad_quoting_is_an_error_with_its_line() {
        let error = |text| Reader::new(text).find_map(Result::err).unwrap();
        assert_eq!(error("A\r\n\"x"), CsvError { line: 2, reason: "the text qualifier is not closed" });
        assert_eq!(error("A\r\n\"x\"y\r\n").reason, "text follows the closing text qualifier");
    }

    #[test]
    fn writing_quotes_what_it_must() {
        let mut out = String::new();
        write_record(&mut out, ["a b", "c,d", "e\"f", "g\nh", ""]);
        assert_eq!(out, "a b,\"c,d\",\"e\"\"f\",\"g\nh\",\r\n");
    }
}
