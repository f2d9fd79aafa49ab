//! The text of a file as the parser sees it: decoded, line ends turned into line feeds, in a window that moves forwards.

use crate::error::{Error, ErrorCode, Result};

use super::super::check::undecodable;
use super::super::encoding::{Decoder, Encoding, Undecodable};
use super::super::markup;

/// Takes bytes in pieces of any size, gives text.
pub(super) struct Source {
    /// The first bytes, until there are enough to tell the encoding by.
    head: Vec<u8>,
    decoder: Option<Decoder>,
    encoding: Encoding,
    text: String,
    /// How much of `text` is used.
    at: usize,
    /// 1-based line of the first byte of `text`.
    line: u64,
    /// How far line feeds of `text` were counted, and how many there are.
    counted: (usize, u64),
    /// Whether anything was dropped from the front of `text`.
    moved: bool,
    decoded: String,
    /// A carriage return came last: a line feed right after it is part of the same line end.
    carriage: bool,
    /// What is wrong after `text`.
    fault: Option<Fault>,
    ended: bool,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    Undecodable(Undecodable),
    Illegal(char),
}

impl Source {
    pub(super) fn new() -> Self {
        Self {
            head: Vec::new(),
            decoder: None,
            encoding: Encoding::Utf8,
            text: String::new(),
            at: 0,
            line: 1,
            counted: (0, 0),
            moved: false,
            decoded: String::new(),
            carriage: false,
            fault: None,
            ended: false,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.decoder.is_some() {
            return self.decode(bytes);
        }
        self.head.extend_from_slice(bytes);
        if self.head.len() >= 4 {
            self.begin();
        }
    }

    /// No more bytes come.
    pub(super) fn end(&mut self) {
        if self.decoder.is_none() {
            self.begin();
        }
        let finished = self.decoder.as_ref().map_or(Ok(()), Decoder::finish);
        if let (Err(error), None) = (finished, self.fault) {
            self.fault = Some(Fault::Undecodable(error));
        }
        self.ended = true;
    }

    /// The text that is not used yet.
    pub(super) fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Whether nothing will come after `rest`.
    pub(super) fn is_final(&self) -> bool {
        self.ended || self.fault.is_some()
    }

    /// What is wrong after `rest`.
    pub(super) fn fault(&self) -> Result<()> {
        let line = self.line_of(self.rest().len());
        match self.fault {
            None => Ok(()),
            Some(Fault::Undecodable(error)) => Err(undecodable(error, line)),
            Some(Fault::Illegal(c)) => Err(Error::new(
                ErrorCode::DataInvalid,
                format!("line {line}: the file has the character {c:?}, which XML can't hold"),
            )
            .at_line(line)
            .hint("Remove control characters from the values.")),
        }
    }

    pub(super) fn advance(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.text.len());
    }

    /// 1-based line of the byte `offset` of `rest`.
    pub(super) fn line_of(&self, offset: usize) -> u64 {
        let before = self.text.as_bytes().get(..self.at + offset).unwrap_or_default();
        self.line + feeds(before)
    }

    /// 1-based line of the first byte of `rest`; counts on from the last call.
    pub(super) fn line(&mut self) -> u64 {
        let (from, before) = self.counted;
        let more = feeds(self.text.as_bytes().get(from..self.at).unwrap_or_default());
        self.counted = (self.at.max(from), before + more);
        self.line + before + more
    }

    /// Whether `rest` is all of the text: nothing was used yet.
    pub(super) fn is_at_start(&self) -> bool {
        !self.moved && self.at == 0
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn begin(&mut self) {
        let head = std::mem::take(&mut self.head);
        let sniffed = Encoding::sniff(&head);
        self.encoding = sniffed.encoding.unwrap_or(Encoding::Utf8);
        self.decoder = Some(Decoder::new(self.encoding));
        self.decode(head.get(sniffed.mark..).unwrap_or_default());
    }

    fn decode(&mut self, bytes: &[u8]) {
        if self.fault.is_some() {
            return;
        }
        self.drop_used();
        let Some(decoder) = &mut self.decoder else { return };
        self.decoded.clear();
        let result = decoder.push(bytes, &mut self.decoded);
        let decoded = std::mem::take(&mut self.decoded);
        match markup::find_illegal(&decoded) {
            Some((at, c)) => {
                self.fault = Some(Fault::Illegal(c));
                self.append(decoded.get(..at).unwrap_or_default());
            }
            None => {
                self.fault = result.err().map(Fault::Undecodable);
                self.append(&decoded);
            }
        }
        self.decoded = decoded;
    }

    /// Appends with every line end as one line feed, as XML wants them read.
    fn append(&mut self, mut text: &str) {
        if self.carriage && !text.is_empty() {
            text = text.strip_prefix('\n').unwrap_or(text);
            self.carriage = false;
        }
        while let Some((before, after)) = text.split_once('\r') {
            self.text.push_str(before);
            self.text.push('\n');
            self.carriage = after.is_empty();
            text = after.strip_prefix('\n').unwrap_or(after);
        }
        self.text.push_str(text);
    }

    fn drop_used(&mut self) {
        if self.at > 0 {
            self.line = self.line_of(0);
            self.text.drain(..self.at);
            self.at = 0;
            self.counted = (0, 0);
            self.moved = true;
        }
    }
}

fn feeds(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&b| b == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(bytes: &[u8], size: usize) -> (String, Option<String>) {
        let mut source = Source::new();
        for piece in bytes.chunks(size) {
            source.push(piece);
        }
        source.end();
        (source.rest().to_owned(), source.fault().err().map(|error| error.message.clone()))
    }

    #[test]
    fn line_ends_become_line_feeds_in_any_cut() {
        for size in 1..12 {
            assert_eq!(
                text_of(b"a\r\nb\rc\n\r\n\r\rd\r", size),
                ("a\nb\nc\n\n\n\nd\n".to_owned(), None),
                "{size}"
            );
        }
    }

    #[test]
    fn marks_tell_the_encoding() {
        for size in 1..9 {
            assert_eq!(text_of(b"\xef\xbb\xbf<a\xc3\xa4", size).0, "<aä");
            assert_eq!(text_of(b"\xff\xfe<\0\xe4\0", size).0, "<ä");
            assert_eq!(text_of(b"\xfe\xff\0<\0\xe4", size).0, "<ä");
            assert_eq!(text_of(b"<\0\xe4\0", size).0, "<ä", "UTF-16 without a mark");
        }
        assert_eq!(text_of(b"", 1), (String::new(), None));
    }

    #[test]
    fn faults_keep_the_text_before_and_name_the_line() {
        for size in 1..12 {
            let (text, fault) = text_of(b"ab\r\nc\x01d", size);
            assert_eq!(text, "ab\nc");
            assert!(fault.unwrap().starts_with("line 2: the file has the character '\\u{1}'"));
            let (text, fault) = text_of(b"ab\ncde\xff", size);
            assert_eq!(text, "ab\ncde");
            assert_eq!(fault.unwrap(), "line 2: the bytes are no UTF-8 text");
        }
        let (text, fault) = text_of(b"ab\n\xc3", 2);
        assert_eq!((text.as_str(), fault.is_some()), ("ab\n", true));
    }

    #[test]
    fn lines_are_counted_over_what_was_dropped() {
        let mut source = Source::new();
        source.push(b"a\nb\nc\nd");
        assert!(source.is_at_start());
        source.advance("a\nb".len());
        assert_eq!((source.rest(), source.line_of(0), source.line_of(1)), ("\nc\nd", 2, 3));
        assert_eq!((source.line(), source.line()), (2, 2));
        source.push(b"\ne");
        assert!(!source.is_at_start());
        assert_eq!((source.rest(), source.line_of(0), source.line_of(3)), ("\nc\nd\ne", 2, 4));
        assert_eq!(source.line(), 2);
        source.advance(3);
        assert_eq!(source.line(), 4);
    }
}
