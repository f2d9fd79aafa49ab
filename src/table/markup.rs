//! What XML 1.0 allows, and how the rest is written: of data files in XML, and of the parts of a workbook.

/// Whether XML can hold the character, as such or by reference.
pub(super) fn is_legal(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// The first character that XML can't hold, and its byte offset.
pub(super) fn find_illegal(text: &str) -> Option<(usize, char)> {
    // Control characters are single bytes, the two others are looked for as substrings: both much faster than by character.
    let control = text.bytes().position(|b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r'));
    let other = if text.is_ascii() {
        None
    } else {
        [text.find("\u{fffe}"), text.find("\u{ffff}")].into_iter().flatten().min()
    };
    let at = [control, other].into_iter().flatten().min()?;
    let c = text.get(at..)?.chars().next()?;
    Some((at, c))
}

/// Whether the text is a name of an element or attribute. A colon would make it a prefix, and names that begin with "xml"
/// are reserved.
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    let reserved = text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("xml"));
    chars.next().is_some_and(starts_name) && chars.all(continues_name) && !reserved
}

fn starts_name(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'a'..='z' | '_' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}' | '\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

fn continues_name(c: char) -> bool {
    starts_name(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}' | '\u{2040}')
}

/// Appends the value of an element. A carriage return as such would be read as a line feed.
pub(super) fn push_text(out: &mut String, value: &str) {
    push_escaped(out, value, |b| match b {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    });
}

/// Appends the value of an attribute, in which line breaks and tabs as such would be read as spaces.
pub(super) fn push_attribute(out: &mut String, value: &str) {
    push_escaped(out, value, |b| match b {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\t' => Some("&#x9;"),
        b'\n' => Some("&#xA;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    });
}

fn push_escaped(out: &mut String, value: &str, escape: impl Fn(u8) -> Option<&'static str>) {
    let mut done = 0;
    for (at, byte) in value.bytes().enumerate() {
        if let Some(escaped) = escape(byte) {
            out.push_str(value.get(done..at).unwrap_or_default());
            out.push_str(escaped);
            done = at + 1;
        }
    }
    out.push_str(value.get(done..).unwrap_or_default());
}

/// The character of a reference, given without `&` and `;`. Only the five that XML itself defines have names.
pub(super) fn resolve(reference: &str) -> Option<char> {
    let number = match reference {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => reference.strip_prefix('#')?,
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
    // from_str_radix takes a sign, XML does not.
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).filter(|&c| is_legal(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_xml() {
        for name in ["CURRENCYCODE", "_A", "A-1.2", "Größe", "名"] {
            assert!(is_name(name), "{name}");
        }
        for name in
            ["", "1A", "-A", "A B", "A/B", "A:B", "A&", "xmlns", "XMLFIELD", "A\u{d7}", "\u{feff}\u{fffe}"]
        {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn illegal_characters_are_found_with_their_place() {
        assert_eq!(find_illegal("a\tb\r\n\u{7f}\u{85}\u{fffd}😀"), None);
        assert_eq!(find_illegal("ä\u{1f}\0"), Some((2, '\u{1f}')));
        assert_eq!(find_illegal("ä\u{ffff}\u{fffe}\u{b}"), Some((2, '\u{ffff}')));
        for c in (0..=0x1f).filter_map(char::from_u32) {
            assert_eq!(is_legal(c), matches!(c, '\t' | '\n' | '\r'), "{c:?}");
            assert_eq!(find_illegal(&c.to_string()).is_none(), is_legal(c), "{c:?}");
        }
    }

    #[test]
    fn values_are_escaped_only_where_needed() {
        let (mut text, mut attribute) = (String::new(), String::new());
        push_text(&mut text, "a<b>&\"'\t\r\n😀");
        push_attribute(&mut attribute, "a<b>&\"'\t\r\n😀");
        assert_eq!(text, "a&lt;b&gt;&amp;\"'\t&#xD;\n😀");
        assert_eq!(attribute, "a&lt;b&gt;&amp;&quot;'&#x9;&#xD;&#xA;😀");
    }

    #[test]
    fn references_are_resolved_or_refused() {
        for (reference, c) in [("amp", '&'), ("apos", '\''), ("#65", 'A'), ("#x1F600", '😀'), ("#x0041", 'A')]
        {
            assert_eq!(resolve(reference), Some(c), "{reference}");
        }
        for reference in
            ["", "nbsp", "#", "#x", "#0", "#x1F", "#xD800", "#xFFFF", "#x110000", "#+65", "#-1", "#X41"]
        {
            assert_eq!(resolve(reference), None, "{reference}");
        }
    }
}
