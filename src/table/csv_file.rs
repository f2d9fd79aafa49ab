//! Bytes of a CSV file → rows: which encoding it is in, decoding, splitting.

use crate::error::Result;

use super::check::{csv_error, undecodable};
use super::csv_read::{RowSink, Tokenizer};
use super::encoding::{Decoder, Encoding, Undecodable};

/// Reads a CSV file of any encoding that occurs. Bytes are pushed in pieces of any size; after each piece rows are pulled until
/// there are no more.
///
/// A file without a mark is Windows-1252 when a byte is found that is no UTF-8. Where there is none in the first piece beyond
/// ASCII, it is undecided, and the caller looks at the rest of the file and decides.
pub(crate) struct CsvReader {
    encoding: Told,
    tokenizer: Tokenizer,
    text: String,
    /// How much of `text` is used.
    at: usize,
    /// What is wrong after `text`.
    broken: Option<Undecodable>,
    ended: bool,
}

enum Told {
    /// Fewer than four bytes have come.
    Head(Vec<u8>),
    /// ASCII alone so far, and perhaps the begin of a character.
    Ascii(Vec<u8>),
    /// Beyond ASCII, and UTF-8 so far.
    Undecided(Vec<u8>),
    Known(Decoder),
}

impl CsvReader {
    pub(crate) fn new() -> Self {
        Self {
            encoding: Told::Head(Vec::new()),
            tokenizer: Tokenizer::new(),
            text: String::new(),
            at: 0,
            broken: None,
            ended: false,
        }
    }

    /// Takes the next piece; to be called when `pull` has used up the one before.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.text.clear();
        self.at = 0;
        match &mut self.encoding {
            Told::Head(head) => {
                head.extend_from_slice(bytes);
                if head.len() >= 4 {
                    self.begin();
                }
            }
            Told::Ascii(_) => self.tell(bytes),
            Told::Undecided(held) => held.extend_from_slice(bytes),
            Told::Known(decoder) => self.broken = decoder.push(bytes, &mut self.text).err(),
        }
    }

    /// Whether the caller has to decide between UTF-8 and Windows-1252 before rows are pulled.
    pub(crate) fn is_undecided(&self) -> bool {
        matches!(self.encoding, Told::Undecided(_))
    }

    pub(crate) fn decide(&mut self, encoding: Encoding) {
        if let Told::Undecided(held) = &mut self.encoding {
            let held = std::mem::take(held);
            self.known(encoding, &held);
        }
    }

    /// Reads rows into the sink; false when the piece is used up.
    pub(crate) fn pull(&mut self, sink: &mut impl RowSink) -> Result<bool> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.is_empty() {
            self.at += sink.feed_from(&mut self.tokenizer, rest).map_err(csv_error)?;
            // A sink may be full by its text in the middle of a row that the next piece goes on with: it waits for the row's end.
            if sink.is_full() && self.tokenizer.is_between_rows() {
                return Ok(true);
            }
        }
        match self.broken {
            Some(broken) => Err(undecodable(broken, self.tokenizer.line())),
            None => Ok(false),
        }
    }

    /// To be called after the last piece; false where the sink was full before all rows were read.
    pub(crate) fn finish(&mut self, sink: &mut impl RowSink) -> Result<bool> {
        if self.ended {
            return Ok(true);
        }
        if matches!(self.encoding, Told::Head(_)) {
            self.begin();
        }
        if let Told::Ascii(carry) = &mut self.encoding {
            let carry = std::mem::take(carry);
            self.known(Encoding::Windows1252, &carry);
        }
        if self.pull(sink)? {
            return Ok(false);
        }
        if let Told::Known(decoder) = &self.encoding {
            decoder.finish().map_err(|broken| undecodable(broken, self.tokenizer.line()))?;
        }
        self.tokenizer.finish(sink).map_err(csv_error)?;
        self.ended = true;
        Ok(true)
    }

    fn begin(&mut self) {
        let Told::Head(head) = &mut self.encoding else { return };
        let head = std::mem::take(head);
        let sniffed = Encoding::sniff(&head);
        let rest = head.get(sniffed.mark..).unwrap_or_default();
        match sniffed.encoding {
            Some(encoding) => self.known(encoding, rest),
            None => {
                self.encoding = Told::Ascii(Vec::new());
                self.tell(rest);
            }
        }
    }

    /// Looks for the first character beyond ASCII.
    fn tell(&mut self, bytes: &[u8]) {
        let Told::Ascii(carry) = &mut self.encoding else { return };
        let mut all = std::mem::take(carry);
        all.extend_from_slice(bytes);
        match std::str::from_utf8(&all) {
            Ok(text) if text.is_ascii() => self.text.push_str(text),
            Err(error) if error.error_len().is_some() => self.known(Encoding::Windows1252, &all),
            Err(error) if all.get(..error.valid_up_to()).is_some_and(<[u8]>::is_ascii) => {
                let (ascii, begun) = all.split_at_checked(error.valid_up_to()).unwrap_or((&all, &[]));
                self.text.push_str(std::str::from_utf8(ascii).unwrap_or_default());
                *carry = begun.to_vec();
            }
            Ok(_) | Err(_) => self.encoding = Told::Undecided(all),
        }
    }

    fn known(&mut self, encoding: Encoding, bytes: &[u8]) {
        let mut decoder = Decoder::new(encoding);
        self.broken = decoder.push(bytes, &mut self.text).err();
        self.encoding = Told::Known(decoder);
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::BatchBuilder;
    use super::*;

    fn read(bytes: &[u8], piece: usize, undecided: Encoding) -> Result<Vec<String>> {
        let mut reader = CsvReader::new();
        let mut sink = BatchBuilder::new(usize::MAX);
        for piece in bytes.chunks(piece) {
            reader.push(piece);
            if reader.is_undecided() {
                reader.decide(undecided);
            }
            reader.pull(&mut sink)?;
        }
        reader.finish(&mut sink)?;
        Ok(sink.into_batch().map_or_else(Vec::new, |batch| batch.cells().map(str::to_owned).collect()))
    }

    #[test]
    fn the_encoding_is_told_by_the_bytes() {
        let utf16: Vec<u8> = "\u{feff}A\r\né".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, expected) in [
            (&utf16[..], "é"),
            (b"\xef\xbb\xbfA\r\n\xc3\xa9", "é"),
            (b"A\r\n\xc3\xa9\r\n", "é"),
            (b"A\r\n\xe9", "é"),
            (b"A\r\n\xe9\r\n", "é"),
            (b"A\r\nx\x80y\r\n", "x€y"),
            (b"A\r\nxyz", "xyz"),
        ] {
            for piece in [1, 2, 3, 5, 100] {
                assert_eq!(
                    read(bytes, piece, Encoding::Utf8).unwrap(),
                    ["A", expected],
                    "{bytes:?} by {piece}"
                );
            }
        }
    }

    #[test]
    fn what_may_be_either_is_for_the_caller_to_decide() {
        let bytes = b"A\r\n\xc3\xa9\r\n\xe9\r\n";
        assert_eq!(read(bytes, 6, Encoding::Windows1252).unwrap(), ["A", "Ã©", "é"]);
        let error = read(bytes, 6, Encoding::Utf8).unwrap_err();
        assert_eq!(error.at.as_deref().unwrap().line, Some(3));
        assert_eq!(read(bytes, 100, Encoding::Utf8).unwrap(), ["A", "Ã©", "é"], "told by the whole piece");
    }
}
