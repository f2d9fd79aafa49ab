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

/// Text of an XML data file: by its byte order mark, else as its declaration says, else UTF-8. A declared UTF-16
/// without the mark is not believed.
pub(crate) fn decode_xml_data(bytes: &[u8]) -> Option<String> {
    let declared = declared_encoding(bytes)
        .and_then(|name| encoding_rs::Encoding::for_label(name.as_bytes()))
        .filter(|encoding| *encoding != UTF_16LE && *encoding != UTF_16BE && *encoding != encoding_rs::UTF_8);
    match declared {
        Some(encoding) => encoding
            .decode_without_bom_handling_and_without_replacement(bytes)
            .map(std::borrow::Cow::into_owned),
        None => decode_xml(bytes),
    }
}

/// The encoding that an XML declaration in ASCII names.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head = bytes.strip_prefix(b"<?xml")?;
    let end = head.windows(2).take(200).position(|two| two == b"?>")?;
    let declaration = std::str::from_utf8(head.get(..end)?).ok()?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value.split(quote).nth(1).map(str::to_owned)
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
        let declared = b"<?xml version='1.0' encoding=\"windows-1252\"?><a>\x80</a>";
        assert!(decode_xml_data(declared).unwrap().ends_with("<a>\u{20ac}</a>"));
        let lying = "<?xml version='1.0' encoding='utf-16'?><a>\u{20ac}</a>";
        assert_eq!(decode_xml_data(lying.as_bytes()).as_deref(), Some(lying));
        assert_eq!(decode_xml_data(&encode_unicode(lying)).as_deref(), Some(lying));
        assert_eq!(decode_xml_data(b"<a>\x80</a>"), None);
    }
}
