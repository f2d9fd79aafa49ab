//! Cells of a chunk that counts in UTF-16, as JavaScript does, over text that is stored as UTF-8.

/// Walks the cells of one chunk in order, in one pass over the text.
pub struct Cells<'a> {
    text: &'a str,
    ascii: bool,
    ends: std::slice::Iter<'a, u32>,
    unit: usize,
    byte: usize,
}

/// The field ends do not fit the text.
#[derive(Debug, PartialEq, Eq)]
pub struct BadEnd;

impl<'a> Cells<'a> {
    pub fn new(text: &'a str, ends: &'a [u32]) -> Self {
        Self { text, ascii: text.is_ascii(), ends: ends.iter(), unit: 0, byte: 0 }
    }

    /// Whether all text was used; true only after the last cell.
    pub fn at_end(&self) -> bool {
        self.byte == self.text.len()
    }

    /// The byte at which the UTF-16 offset `end` lies; none inside a surrogate pair, beyond the text or backwards.
    fn byte_of(&self, end: usize) -> Option<usize> {
        if end < self.unit {
            return None;
        }
        if self.ascii {
            return (end <= self.text.len()).then_some(end);
        }
        let (mut unit, mut byte) = (self.unit, self.byte);
        let bytes = self.text.as_bytes();
        while unit < end {
            // Lead bytes tell both lengths: a character of four bytes is a surrogate pair.
            let (bytes, units) = match bytes.get(byte)? {
                0..=0x7f => (1, 1),
                0x80..=0xdf => (2, 1),
                0xe0..=0xef => (3, 1),
                0xf0..=0xff => (4, 2),
            };
            byte += bytes;
            unit += units;
        }
        (unit == end).then_some(byte)
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = Result<&'a str, BadEnd>;

    fn next(&mut self) -> Option<Self::Item> {
        let end = *self.ends.next()? as usize;
        let cell = self.byte_of(end).and_then(|byte| Some((byte, self.text.get(self.byte..byte)?)));
        Some(match cell {
            Some((byte, cell)) => {
                self.byte = byte;
                self.unit = end;
                Ok(cell)
            }
            None => Err(BadEnd),
        })
    }
}

/// Length in UTF-16 code units.
pub fn utf16_len(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    // Every byte but a continuation begins a character; one of four bytes is a surrogate pair.
    text.bytes().map(|b| usize::from(b & 0xc0 != 0x80) + usize::from(b >= 0xf0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells<'a>(text: &'a str, ends: &'a [u32]) -> Result<Vec<&'a str>, BadEnd> {
        Cells::new(text, ends).collect()
    }

    #[test]
    fn ends_count_utf16_units() {
        assert_eq!(cells("abc", &[1, 1, 3]).unwrap(), ["a", "", "bc"]);
        assert_eq!(cells("aäλ😀z", &[1, 2, 3, 5, 6]).unwrap(), ["a", "ä", "λ", "😀", "z"]);
    }

    #[test]
    fn ends_that_do_not_fit_are_refused() {
        assert_eq!(cells("abc", &[2, 1]), Err(BadEnd), "backwards");
        assert_eq!(cells("abc", &[4]), Err(BadEnd), "beyond the text");
        assert_eq!(cells("ä", &[2]), Err(BadEnd), "beyond the text, where bytes would do");
        assert_eq!(cells("😀", &[1]), Err(BadEnd), "inside a surrogate pair");
    }

    #[test]
    fn lengths_are_those_of_javascript() {
        assert_eq!(utf16_len("abc"), 3);
        assert_eq!(utf16_len("aäλ😀"), 5);
    }
}
