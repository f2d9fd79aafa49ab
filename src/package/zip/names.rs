//! Names of entries: how they are stored, and which of them are a danger to whoever writes them to a disk.

/// Code page 437, bytes 0x80 to 0xff: what a name without the UTF-8 flag is in by the zip specification.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
                     αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The name as text; none where it claims to be UTF-8 and is not. Without the flag valid UTF-8 is taken as such, because
/// many tools write it so.
pub(super) fn decode(name: &[u8], utf8: bool) -> Option<String> {
    match std::str::from_utf8(name) {
        Ok(text) => Some(text.to_owned()),
        Err(_) if utf8 => None,
        Err(_) => Some(name.iter().map(|&b| from_cp437(b)).collect()),
    }
}

fn from_cp437(byte: u8) -> char {
    match byte.checked_sub(0x80) {
        None => char::from(byte),
        Some(index) => CP437.chars().nth(index.into()).unwrap_or('\u{fffd}'),
    }
}

/// Why the name may not be in a package: it would leave the folder that the entries are unpacked into, or hide something.
pub(crate) fn unsafe_reason(name: &str) -> Option<&'static str> {
    let mut segments = name.split(['/', '\\']);
    if name.is_empty() {
        Some("it is empty")
    } else if name.contains('\0') {
        Some("it has a NUL character")
    } else if name.starts_with(['/', '\\']) || name.as_bytes().get(1) == Some(&b':') {
        Some("it is an absolute path")
    } else if segments.any(|segment| segment == "..") {
        Some("it leads out of the package's folder")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_the_flag() {
        assert_eq!(CP437.chars().count(), 128);
        assert_eq!(decode(b"W\x84hrung.csv", false).unwrap(), "Währung.csv");
        assert_eq!(decode("Währung.csv".as_bytes(), false).unwrap(), "Währung.csv");
        assert_eq!(decode(b"W\x84hrung.csv", true), None);
    }

    #[test]
    fn dangerous_names() {
        for name in ["", "../a", "a/../b", "a\\..\\b", "..", "/a", "\\a", "C:\\a", "c:a", "a\0b"] {
            assert!(unsafe_reason(name).is_some(), "{name:?}");
        }
        for name in ["a", "Resources/a.xslt", "a..b", "..a/b"] {
            assert_eq!(unsafe_reason(name), None, "{name:?}");
        }
    }
}
