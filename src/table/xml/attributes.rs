//! The attributes of a start tag.

use crate::error::{Error, ErrorCode, Result};

use super::super::markup;

/// Calls `each` with the name and value of every attribute in the part of a start tag after its name.
pub(super) fn each_attribute<'a>(
    mut rest: &'a str,
    value: &mut String,
    mut each: impl FnMut(&'a str, &mut String) -> Result<()>,
) -> Result<()> {
    loop {
        let trimmed = rest.trim_start_matches(is_space);
        if trimmed.is_empty() {
            return Ok(());
        }
        if trimmed.len() == rest.len() {
            return Err(malformed("attributes must have a space before them"));
        }
        let (name, after) = trimmed.split_once('=').ok_or_else(|| malformed("an attribute has no value"))?;
        let name = name.trim_end_matches(is_space);
        let after = after.trim_start_matches(is_space);
        let quote = match after.bytes().next() {
            Some(b'"') => '"',
            Some(b'\'') => '\'',
            _ => return Err(malformed(&format!("the value of the attribute \"{name}\" is not in quotes"))),
        };
        let (raw, after) = after
            .get(1..)
            .and_then(|after| after.split_once(quote))
            .ok_or_else(|| malformed(&format!("the value of the attribute \"{name}\" is never closed")))?;
        value.clear();
        unescape(raw, value).map_err(|message| malformed(&format!("the attribute \"{name}\" {message}")))?;
        each(name, value)?;
        rest = after;
    }
}

fn unescape(raw: &str, out: &mut String) -> Result<(), String> {
    if !raw.bytes().any(|b| matches!(b, b'&' | b'<' | b'\t' | b'\n')) {
        out.push_str(raw);
        return Ok(());
    }
    if raw.contains('<') {
        return Err("has the character '<', which must be written &lt;".to_owned());
    }
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        push_spaced(out, before);
        let (reference, after) = after
            .split_once(';')
            .ok_or_else(|| "has the character '&', which must be written &amp;".to_owned())?;
        out.push(markup::resolve(reference).ok_or_else(|| {
            let shown: String = reference.chars().take(20).collect();
            format!("has the reference &{shown}; which is not defined")
        })?);
        rest = after;
    }
    push_spaced(out, rest);
    Ok(())
}

/// Line breaks and tabs that are not references count as spaces in attributes.
fn push_spaced(out: &mut String, text: &str) {
    out.extend(text.chars().map(|c| if matches!(c, '\t' | '\n') { ' ' } else { c }));
}

/// White space of XML; line ends are line feeds by now.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn malformed(message: &str) -> Error {
    Error::new(ErrorCode::DataInvalid, format!("the XML is not well-formed: {message}"))
        .hint("Let a library write the XML, it escapes values by itself.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Result<Vec<(String, String)>, String> {
        let mut all = Vec::new();
        each_attribute(raw, &mut String::new(), |name, value| {
            all.push((name.to_owned(), value.clone()));
            Ok(())
        })
        .map_err(|error| error.message.clone())?;
        Ok(all)
    }

    #[test]
    fn names_and_values() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read(" A=\"1\" B = 'x \"&amp;\t\n&#xA;' \n C=\"\" ").unwrap(),
            [pair("A", "1"), pair("B", "x \"&  \n"), pair("C", "")]
        );
        assert_eq!(read("  ").unwrap(), []);
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for (raw, part) in [
            (" A=\"1\"B=\"2\"", "a space before"),
            ("A=\"1\"", "a space before"),
            (" A", "no value"),
            (" A=1", "not in quotes"),
            (" A=\"1", "never closed"),
            (" A=\"<\"", "&lt;"),
            (" A=\"& b\"", "&amp;"),
            (" A=\"&nbsp;\"", "&nbsp; which is not defined"),
        ] {
            let message = read(raw).unwrap_err();
            assert!(message.contains(part), "{raw}: {message}");
        }
    }
}
