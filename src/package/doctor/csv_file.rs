//! One CSV file from its bytes: encoding, header, rows.

use crate::table::{Decoder, Encoding, SourceFormat};

use super::codes::{Code, Repair};
use super::columns::check_header;
use super::csv::{Fault, Row, Rows, Walker};
use super::keys::Next;
use super::report::{Diagnostic, Report, shown};
use super::rows::RowCheck;
use super::subject::Subject;

/// How the text of a file is to be rewritten, as far as that is safe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CsvFacts {
    /// Columns of the header; none where there is no header.
    pub(super) header: Option<Vec<String>>,
    /// What the bytes are; none where that can't be told or they are no text of it.
    pub(super) encoding: Option<Encoding>,
    /// Length of the byte order mark.
    pub(super) mark: usize,
    /// Whether anything that is repairable was found in the text.
    pub(super) rewrite: bool,
}

/// Examines a file that is pushed in pieces, perhaps several times.
#[derive(Debug)]
pub(super) struct CsvFile {
    text: TextReader,
    walker: Walker,
    seen: Seen,
    scratch: String,
    stopped: bool,
}

/// What was learned of the rows.
#[derive(Debug, Default)]
struct Seen {
    check: Option<RowCheck>,
    facts: CsvFacts,
    /// Whether this is a pass after the first, which looks at keys only.
    further_pass: bool,
    /// Whether this pass has met the header.
    past_header: bool,
}

impl CsvFile {
    pub(super) fn new(format: &SourceFormat) -> Self {
        Self {
            text: TextReader::new(*format == SourceFormat::CsvUnicode),
            walker: Walker::new(),
            seen: Seen::default(),
            scratch: String::new(),
            stopped: false,
        }
    }

    /// The next bytes; false once the rest is not worth reading.
    pub(super) fn push(&mut self, bytes: &[u8], subject: &Subject, report: &mut Report) -> bool {
        for piece in bytes.chunks(64 << 10) {
            if self.stopped {
                return false;
            }
            self.scratch.clear();
            let decoded = self.text.push(piece, &mut self.scratch);
            self.feed(decoded, subject, report);
        }
        !self.stopped
    }

    /// The file was read to its end, or as far as it is worth reading.
    pub(super) fn end_of_file(&mut self, subject: &Subject, report: &mut Report) -> Next {
        if !self.stopped {
            self.scratch.clear();
            let decoded = self.text.finish(&mut self.scratch);
            self.feed(decoded, subject, report);
        }
        if !self.stopped {
            self.walker.finish(&mut Sink { seen: &mut self.seen, subject, report });
        }
        let next = match &mut self.seen.check {
            // A file that can't be read to its end has no keys to compare, nor a number of rows.
            _ if self.stopped => Next::Done,
            Some(check) => check.end_of_file(subject, report),
            None => {
                let message = format!("{} has no header row", shown(&subject.file));
                add(Diagnostic::new(Code::NoHeader, message), subject, report);
                Next::Done
            }
        };
        if !self.seen.further_pass {
            self.tell_encoding(subject, report);
            if self.stopped {
                self.seen.facts.rewrite = false;
                report.forget_repairs(&subject.file, false);
            }
        }
        if next == Next::Again {
            self.seen.further_pass = true;
            self.seen.past_header = false;
            self.text = self.text.again();
            self.walker = Walker::new();
        }
        next
    }

    pub(super) fn into_facts(self) -> CsvFacts {
        self.seen.facts
    }

    /// Takes what was decoded, and whether what came after it could be.
    fn feed(&mut self, decoded: Result<(), Broken>, subject: &Subject, report: &mut Report) {
        let going = self.walker.feed(&self.scratch, &mut Sink { seen: &mut self.seen, subject, report });
        self.stopped |= !going;
        if decoded.is_ok() || self.stopped {
            return;
        }
        self.stopped = true;
        if self.seen.further_pass {
            return;
        }
        // Without any mark the text of another code page is as likely as damage.
        let (code, what) = match self.text.found {
            Some(found) => (Code::Undecodable, format!("bytes that are no {} text", found.name())),
            None => (Code::AnsiInUnicode, "text of a code page, not UTF-16".to_owned()),
        };
        let message = format!("{} has {what}", shown(&subject.file));
        add(Diagnostic::new(code, message).line(self.walker.line()), subject, report);
    }

    fn tell_encoding(&mut self, subject: &Subject, report: &mut Report) {
        let Some(found) = self.text.judge() else { return };
        let facts = &mut self.seen.facts;
        facts.encoding = (!self.stopped).then_some(found.encoding);
        facts.mark = self.text.mark;
        let Some((code, what)) = found.fault else { return };
        // Text of a code page has been told of already.
        if self.stopped && code == Code::Utf8InUnicode && self.text.found.is_none() {
            return;
        }
        let repairable = code.info().repair != Repair::No && !self.stopped && !found.lossy;
        facts.rewrite |= repairable;
        let message = format!("{} is {what}", shown(&subject.file));
        add(Diagnostic::new(code, message).repairable(repairable), subject, report);
    }
}

struct Sink<'a> {
    seen: &'a mut Seen,
    subject: &'a Subject,
    report: &'a mut Report,
}

impl Rows for Sink<'_> {
    fn row(&mut self, line: u64, row: &Row) {
        let header = !std::mem::replace(&mut self.seen.past_header, true);
        match &mut self.seen.check {
            Some(_) if header => {}
            Some(check) => check.row(line, row, self.subject, self.report),
            None => {
                let names: Vec<String> = row.cells().map(str::to_owned).collect();
                self.seen.check = Some(RowCheck::new(check_header(&names, self.subject, self.report)));
                self.seen.facts.header = Some(names);
            }
        }
    }

    fn fault(&mut self, fault: Fault, line: u64) {
        if self.seen.further_pass {
            return;
        }
        let (code, message) = match fault {
            Fault::LineFeed => (Code::LineFeed, "the line ends with LF alone"),
            Fault::LoneReturn => {
                (Code::LoneReturn, "a carriage return without line feed stands outside of quotes")
            }
            Fault::BlankLine if self.seen.check.is_none() => {
                (Code::BlankLine, "a blank line stands before the header")
            }
            Fault::BlankLine => (Code::BlankLine, "a blank line stands between rows"),
            Fault::AfterQuote => (Code::Quoting, "text follows the closing quote of a cell"),
            Fault::OpenQuote => (Code::Quoting, "the quote that opens here is never closed"),
            Fault::Nul => (Code::Nul, "the text has a NUL character"),
            Fault::RowSize => (Code::RowSize, "the row has more than 16 MiB"),
            Fault::FinalLineEnd => (Code::FinalLineEnd, "the last row has no line end"),
        };
        if !self.report.tells(code, &self.subject.file, &self.subject.label) {
            self.report.count(code, &self.subject.file, &self.subject.label);
            return;
        }
        let finding = Diagnostic::new(code, message).line(line);
        self.seen.facts.rewrite |= finding.repairable;
        add(finding, self.subject, self.report);
    }
}

fn add(finding: Diagnostic, subject: &Subject, report: &mut Report) {
    report.add(finding.file(&subject.file).entity(&subject.label));
}

/// Bytes → text by what the bytes are, with an eye on what the format wants.
#[derive(Debug)]
struct TextReader {
    unicode: bool,
    head: Vec<u8>,
    mark: usize,
    decoder: Option<Decoder>,
    /// What the first bytes say.
    found: Option<Encoding>,
    /// A CSV file without mark may be UTF-8 as well.
    utf8: Option<Decoder>,
    utf8_text: String,
    non_ascii: bool,
    /// Whether Windows-1252 lacks a character of the text.
    lacks: bool,
}

#[derive(Debug)]
struct Judged {
    encoding: Encoding,
    fault: Option<(Code, &'static str)>,
    lossy: bool,
}

#[derive(Debug)]
struct Broken;

impl TextReader {
    fn new(unicode: bool) -> Self {
        Self {
            unicode,
            head: Vec::new(),
            mark: 0,
            decoder: None,
            found: None,
            utf8: None,
            utf8_text: String::new(),
            non_ascii: false,
            lacks: false,
        }
    }

    fn again(&self) -> Self {
        Self::new(self.unicode)
    }

    fn push(&mut self, bytes: &[u8], out: &mut String) -> Result<(), Broken> {
        if self.decoder.is_some() {
            return self.decode(bytes, out);
        }
        self.head.extend_from_slice(bytes);
        if self.head.len() >= 4 { self.begin(out) } else { Ok(()) }
    }

    fn finish(&mut self, out: &mut String) -> Result<(), Broken> {
        if self.decoder.is_none() {
            self.begin(out)?;
        }
        if self.utf8.as_ref().is_some_and(|utf8| utf8.finish().is_err()) {
            self.utf8 = None;
        }
        self.decoder.as_ref().map_or(Ok(()), Decoder::finish).map_err(|_| Broken)
    }

    fn begin(&mut self, out: &mut String) -> Result<(), Broken> {
        let head = std::mem::take(&mut self.head);
        let sniffed = Encoding::sniff(&head);
        self.found = sniffed.encoding;
        self.mark = sniffed.mark;
        let unmarked = if self.unicode { Encoding::Utf8 } else { Encoding::Windows1252 };
        self.decoder = Some(Decoder::new(sniffed.encoding.unwrap_or(unmarked)));
        self.utf8 = (!self.unicode && sniffed.encoding.is_none()).then(|| Decoder::new(Encoding::Utf8));
        self.decode(head.get(sniffed.mark..).unwrap_or_default(), out)
    }

    fn decode(&mut self, bytes: &[u8], out: &mut String) -> Result<(), Broken> {
        if let Some(utf8) = &mut self.utf8 {
            self.non_ascii |= !bytes.is_ascii();
            self.utf8_text.clear();
            if utf8.push(bytes, &mut self.utf8_text).is_err() {
                self.utf8 = None;
            }
        }
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let decoded = decoder.push(bytes, out);
        if !self.unicode && self.found.is_some() {
            self.lacks |= Encoding::Windows1252.lacks(out).is_some();
        }
        decoded.map_err(|_| Broken)
    }

    /// After the end of the file; none where nothing was read.
    fn judge(&self) -> Option<Judged> {
        self.decoder.as_ref()?;
        let judged = |encoding, fault| Some(Judged { encoding, fault, lossy: !self.unicode && self.lacks });
        match (self.unicode, self.found, self.mark) {
            (true, Some(Encoding::Utf16Le), 2) => judged(Encoding::Utf16Le, None),
            (true, Some(Encoding::Utf16Le), _) => {
                judged(Encoding::Utf16Le, Some((Code::UnicodeNoMark, "UTF-16LE without byte order mark")))
            }
            (true, Some(Encoding::Utf16Be), _) => {
                judged(Encoding::Utf16Be, Some((Code::UnicodeBigEndian, "UTF-16BE")))
            }
            (true, _, _) => judged(Encoding::Utf8, Some((Code::Utf8InUnicode, "UTF-8 or ASCII, not UTF-16"))),
            (false, Some(Encoding::Utf8), _) => {
                judged(Encoding::Utf8, Some((Code::CsvUtf8Mark, "UTF-8 with byte order mark")))
            }
            (false, Some(found), _) => judged(found, Some((Code::CsvUtf16, "UTF-16"))),
            (false, None, _) => {
                let utf8 = self.utf8.is_some() && self.non_ascii;
                judged(Encoding::Windows1252, utf8.then_some((Code::CsvUtf8, "UTF-8, as it seems")))
            }
        }
    }
}

#[cfg(test)]
#[path = "csv_file_tests.rs"]
mod tests;
