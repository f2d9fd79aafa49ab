//! Text encodings of data files, chunk by chunk.

/// How the text of a file is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    /// As .NET reads code page 1252: the five unassigned bytes are the control characters of the same number.
    Windows1252,
}

/// What a file's first bytes say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sniffed {
    /// None: no mark and no NUL, so UTF-8 or Windows-1252.
    pub encoding: Option<Encoding>,
    /// Length of the byte order mark.
    pub mark: usize,
}

impl Encoding {
    /// Reads the byte order mark, or without one recognises UTF-16 by the NUL beside the first letter: text of any other
    /// encoding has no NUL among its first two bytes. `head` needs four bytes at most, fewer only where the file is shorter.
    pub fn sniff(head: &[u8]) -> Sniffed {
        let (encoding, mark) = match head {
            [0xef, 0xbb, 0xbf, ..] => (Some(Self::Utf8), 3),
            [0xff, 0xfe, ..] => (Some(Self::Utf16Le), 2),
            [0xfe, 0xff, ..] => (Some(Self::Utf16Be), 2),
            [1..=0x7f, 0, ..] => (Some(Self::Utf16Le), 0),
            [0, 1..=0x7f, ..] => (Some(Self::Utf16Be), 0),
            _ => (None, 0),
        };
        Sniffed { encoding, mark }
    }

    /// Name for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1252 => "Windows-1252",
        }
    }

    /// The first character that this encoding lacks.
    pub fn lacks(self, text: &str) -> Option<char> {
        if self != Self::Windows1252 || text.is_ascii() {
            return None;
        }
        text.chars().find(|&c| to_1252(c).is_none())
    }

    /// Appends `text` without a byte order mark; the first character that the encoding lacks is the error.
    #[inline(never)]
    pub fn encode(self, text: &str, out: &mut Vec<u8>) -> Result<(), char> {
        match self {
            Self::Utf8 => out.extend_from_slice(text.as_bytes()),
            Self::Utf16Le => encode_utf16(text, out, u16::to_le_bytes),
            Self::Utf16Be => encode_utf16(text, out, u16::to_be_bytes),
            Self::Windows1252 => {
                out.reserve(text.len());
                for c in text.chars() {
                    out.push(to_1252(c).ok_or(c)?);
                }
            }
        }
        Ok(())
    }
}

fn encode_utf16(text: &str, out: &mut Vec<u8>, bytes: impl Fn(u16) -> [u8; 2] + Copy) {
    out.reserve(text.len() * 2);
    let mut rest = text;
    while !rest.is_empty() {
        let (head, tail) = rest.split_at_checked(ascii_length(rest.as_bytes())).unwrap_or((rest, ""));
        let at = out.len();
        out.resize(at + head.len() * 2, 0);
        let pairs = out.get_mut(at..).unwrap_or_default().as_chunks_mut::<2>().0;
        for (pair, &b) in pairs.iter_mut().zip(head.as_bytes()) {
            *pair = bytes(u16::from(b));
        }
        let other = tail.bytes().position(|b| b.is_ascii()).unwrap_or(tail.len());
        let (head, tail) = tail.split_at_checked(other).unwrap_or((tail, ""));
        out.extend(head.encode_utf16().flat_map(bytes));
        rest = tail;
    }
}

/// Appends the text in UTF-16 code units.
#[inline(never)]
pub fn push_units(text: &str, out: &mut Vec<u16>) {
    out.reserve(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (head, tail) = rest.split_at_checked(ascii_length(rest.as_bytes())).unwrap_or((rest, ""));
        out.extend(head.bytes().map(u16::from));
        let other = tail.bytes().position(|b| b.is_ascii()).unwrap_or(tail.len());
        let (head, tail) = tail.split_at_checked(other).unwrap_or((tail, ""));
        out.extend(head.encode_utf16());
        rest = tail;
    }
}

/// How many bytes at the start are ASCII: whole blocks first, since those are looked at many at a time.
fn ascii_length(bytes: &[u8]) -> usize {
    const BLOCK: usize = 64;
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let plain = blocks.iter().take_while(|block| block.is_ascii()).count() * BLOCK;
    let rest = bytes.get(plain..).unwrap_or_default();
    plain + rest.iter().position(|b| !b.is_ascii()).unwrap_or(rest.len())
}

/// The bytes do not form text of the encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undecodable(pub Encoding);

/// Turns chunks of bytes into text; a character may be cut anywhere.
#[derive(Debug)]
pub struct Decoder {
    encoding: Encoding,
    /// The beginning of a character whose rest has not come yet.
    carry: Vec<u8>,
}

impl Decoder {
    /// For bytes after the byte order mark.
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, carry: Vec::with_capacity(4) }
    }

    /// Appends the text of the next bytes. On an error `out` has all text before the bad bytes.
    #[inline(never)]
    pub fn push(&mut self, bytes: &[u8], out: &mut String) -> Result<(), Undecodable> {
        if self.encoding == Encoding::Windows1252 {
            out.extend(bytes.iter().map(|&b| from_1252(b)));
            return Ok(());
        }
        let mut bytes = bytes;
        // Complete the cut character byte by byte: at most three are missing.
        while !self.carry.is_empty() {
            let Some((&next, rest)) = bytes.split_first() else { return Ok(()) };
            self.carry.push(next);
            bytes = rest;
            let carry = std::mem::take(&mut self.carry);
            let left = self.decode(&carry, out)?;
            self.carry.extend_from_slice(carry.get(carry.len() - left..).unwrap_or_default());
        }
        let left = self.decode(bytes, out)?;
        self.carry.extend_from_slice(bytes.get(bytes.len() - left..).unwrap_or_default());
        Ok(())
    }

    /// To be called after the last chunk: a character may not stay incomplete.
    pub fn finish(&self) -> Result<(), Undecodable> {
        if self.carry.is_empty() { Ok(()) } else { Err(Undecodable(self.encoding)) }
    }

    /// Decodes whole characters and returns how many bytes at the end are left for the next call.
    fn decode(&self, bytes: &[u8], out: &mut String) -> Result<usize, Undecodable> {
        match self.encoding {
            Encoding::Utf16Le => decode_utf16(bytes, out, u16::from_le_bytes),
            Encoding::Utf16Be => decode_utf16(bytes, out, u16::from_be_bytes),
            Encoding::Utf8 | Encoding::Windows1252 => decode_utf8(bytes, out),
        }
        .ok_or(Undecodable(self.encoding))
    }
}

fn decode_utf8(bytes: &[u8], out: &mut String) -> Option<usize> {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            out.push_str(text);
            Some(0)
        }
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            out.push_str(std::str::from_utf8(valid).unwrap_or_default());
            error.error_len().is_none().then_some(bytes.len() - valid.len())
        }
    }
}

fn decode_utf16(bytes: &[u8], out: &mut String, unit: impl Fn([u8; 2]) -> u16 + Copy) -> Option<usize> {
    const BLOCK: usize = 64;
    out.reserve(bytes.len() / 2);
    let mut rest = bytes;
    'blocks: loop {
        // Mostly ASCII: 64 characters at a time.
        while let Some((block, tail)) = rest.split_first_chunk::<{ BLOCK * 2 }>() {
            let mut ascii = [0u8; BLOCK];
            let mut all = 0u16;
            for (pair, slot) in block.as_chunks::<2>().0.iter().zip(&mut ascii) {
                let value = unit(*pair);
                all |= value;
                *slot = (value & 0x7f) as u8;
            }
            if all > 0x7f {
                break;
            }
            out.push_str(std::str::from_utf8(&ascii).ok()?);
            rest = tail;
        }
        // One block's worth of whatever it is, then try the fast way again.
        for _ in 0..BLOCK {
            let Some((pair, tail)) = rest.split_first_chunk::<2>() else { break 'blocks };
            let first = unit(*pair);
            if !(0xd800..0xe000).contains(&first) {
                out.push(char::from_u32(u32::from(first))?);
                rest = tail;
                continue;
            }
            let Some((pair, tail)) = tail.split_first_chunk::<2>() else {
                // A high surrogate may wait for its other half; a low one alone is damage.
                return (first < 0xdc00).then_some(rest.len());
            };
            out.push(char::decode_utf16([first, unit(*pair)]).next()?.ok()?);
            rest = tail;
        }
    }
    Some(rest.len())
}

/// Code page 1252, bytes 0x80 to 0x9f.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', //
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

fn from_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or('\u{fffd}'),
        _ => char::from(byte),
    }
}

fn to_1252(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ (0..=0x7f | 0xa0..=0xff) => u8::try_from(code).ok(),
        _ => HIGH.iter().position(|&high| high == c).and_then(|i| u8::try_from(0x80 + i).ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(encoding: Encoding, bytes: &[u8]) -> Result<String, Undecodable> {
        let mut decoder = Decoder::new(encoding);
        let mut out = String::new();
        decoder.push(bytes, &mut out)?;
        decoder.finish()?;
        Ok(out)
    }

    #[test]
    fn first_bytes_tell_the_encoding() {
        let sniffed = |bytes: &[u8]| {
            let s = Encoding::sniff(bytes);
            (s.encoding, s.mark)
        };
        assert_eq!(sniffed(&[0xff, 0xfe, b'A', 0]), (Some(Encoding::Utf16Le), 2));
        assert_eq!(sniffed(&[0xfe, 0xff, 0, b'A']), (Some(Encoding::Utf16Be), 2));
        assert_eq!(sniffed(&[0xef, 0xbb, 0xbf, b'A']), (Some(Encoding::Utf8), 3));
        assert_eq!(sniffed(&[b'A', 0, b'B', 0]), (Some(Encoding::Utf16Le), 0));
        assert_eq!(sniffed(&[0, b'A']), (Some(Encoding::Utf16Be), 0));
        assert_eq!(sniffed(b"AB"), (None, 0));
        assert_eq!(sniffed(b""), (None, 0));
    }

    #[test]
    fn bytes_written_by_hand() {
        let mut out = Vec::new();
        Encoding::Utf16Le.encode("Aä😀", &mut out).unwrap();
        assert_eq!(out, [0x41, 0, 0xe4, 0, 0x3d, 0xd8, 0x00, 0xde]);
        out.clear();
        Encoding::Utf16Be.encode("Aä", &mut out).unwrap();
        assert_eq!(out, [0, 0x41, 0, 0xe4]);
        out.clear();
        Encoding::Windows1252.encode("€ü‰", &mut out).unwrap();
        assert_eq!(out, [0x80, 0xfc, 0x89]);
        assert_eq!(Encoding::Windows1252.encode("ałb", &mut out), Err('ł'));
        assert_eq!(Encoding::Windows1252.lacks("Zoë łódź"), Some('ł'));
        assert_eq!(Encoding::Utf16Le.lacks("łódź"), None);
    }

    #[test]
    fn every_byte_of_windows_1252_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        let text = decode(Encoding::Windows1252, &all).unwrap();
        let mut bytes = Vec::new();
        Encoding::Windows1252.encode(&text, &mut bytes).unwrap();
        assert_eq!(bytes, all);
        assert_eq!(Encoding::Windows1252.lacks("\u{80}"), Some('\u{80}'), "the byte is the euro sign");
    }

    #[test]
    fn damage_is_an_error_and_keeps_what_came_before() {
        for (encoding, bytes) in [
            (Encoding::Utf8, &b"ok\xff"[..]),
            (Encoding::Utf8, &b"ok\xc3"[..]),
            (Encoding::Utf16Le, &b"o\0k\0\x00\xdc"[..]),
            (Encoding::Utf16Le, &b"o\0k\0\x00\xd8a\0"[..]),
            (Encoding::Utf16Le, &b"o\0k\0\x00\xd8"[..]),
            (Encoding::Utf16Le, &b"o\0k\0x"[..]),
        ] {
            let mut out = String::new();
            let mut decoder = Decoder::new(encoding);
            let result = decoder.push(bytes, &mut out).and_then(|()| decoder.finish());
            assert_eq!(result, Err(Undecodable(encoding)), "{bytes:?}");
            assert_eq!(out, "ok");
        }
    }

    proptest! {
        // Kills mutants in the carry between chunks and in the block of 64.
        #[test]
        fn text_survives_any_cut(text in "(\\PC|[a-z]{10,90}|😀){0,20}", cut in 1usize..7) {
            for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be] {
                let mut bytes = Vec::new();
                encoding.encode(&text, &mut bytes).unwrap();
                let mut decoder = Decoder::new(encoding);
                let mut out = String::new();
                for chunk in bytes.chunks(cut) {
                    decoder.push(chunk, &mut out).unwrap();
                }
                decoder.finish().unwrap();
                prop_assert_eq!(&out, &text);
                prop_assert_eq!(&decode(encoding, &bytes).unwrap(), &text);
            }
            let mut units = Vec::new();
            push_units(&text, &mut units);
            prop_assert_eq!(String::from_utf16(&units).unwrap(), text);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be, Encoding::Windows1252] {
                let _ = decode(encoding, &bytes);
            }
        }
    }
}
