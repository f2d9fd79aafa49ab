//! Bytes ⇄ text.

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Text of an XML file: by its byte order mark, else UTF-8. What the declaration says is ignored.
pub(crate) fn decode_xml(bytes: &[u8]) -> Option<String> {
    let (encoding, rest) = match bytes {
        [0xFF, 0xFE, rest @ ..] => (UTF_16LE, rest),
        [0xFE, 0xFF, rest @ ..] => (UTF_16BE, rest),
        [0xEF, 0xBB, 0xBF, rest @ ..] => (encoding_rs::UTF_8, rest),
        rest => (encoding_rs::UTF_8, rest),
    };
    encoding.decode_without_bom_handling_and_without_replacement(rest).map(std::borrow::Cow::into_owned)
}

/// Text of a CSV-Unicode file; `None` where it is not UTF-16LE with a byte order mark.
pub(crate) fn decode_unicode(bytes: &[u8]) -> Option<String> {
    let rest = bytes.strip_prefix(&[0xFF, 0xFE])?;
    UTF_16LE.decode_without_bom_handling_and_without_replacement(rest).map(std::borrow::Cow::into_owned)
}

/// Text of a file in the ANSI code page, Windows-1252; every byte means something there.
pub(crate) fn decode_ansi(bytes: &[u8]) -> String {
    WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
}

/// UTF-16LE with byte order mark.
pub(crate) fn encode_unicode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(2 + text.len() * 2);
    bytes.extend_from_slice(&[0xFF, 0xFE]);
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unicode_needs_its_mark() {
        assert_eq!(decode_unicode(b"\xff\xfeA\0\xe9\0").as_deref(), Some("Aé"));
        assert_eq!(decode_unicode(b"A\0"), None);
        assert_eq!(decode_unicode("NAME\r\n".as_bytes()), None);
        assert_eq!(decode_unicode(b"\xff\xfeA"), None);
        assert_eq!(encode_unicode("é😀"), b"\xff\xfe\xe9\0\x3d\xd8\0\xde");
        assert_eq!(decode_ansi(b"\x80\xe9"), "€é");
    }

    #[test]
    fn xml_is_sniffed() {
        assert_eq!(decode_xml(b"\xfe\xff\0<").as_deref(), Some("<"));
        assert_eq!(decode_xml(b"\xef\xbb\xbf<").as_deref(), Some("<"));
        assert_eq!(decode_xml(b"\xff\xfe<\0").as_deref(), Some("<"));
        assert_eq!(decode_xml(b"<a>\xff</a>"), None);
    }
}
