//! Writes the package's two XML files in the form in which the service writes them itself: UTF-16LE with byte order mark, no
//! declaration, no white space between elements, `xmlns:i` before `xmlns`.
//!
//! The service also takes UTF-8 with a declaration. Its own form is preferred because every package that it exports is in
//! it and is imported again in ordinary use, so no other form can be better supported.

use crate::error::{Error, Result};
use crate::table::Encoding;

/// Default namespace of both files.
pub(crate) const NAMESPACE: &str = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement";
/// Namespace of `nil`.
pub(crate) const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Text of a document that grows element by element.
pub(crate) struct XmlWriter {
    text: String,
}

impl XmlWriter {
    pub(crate) fn new() -> Self {
        Self { text: String::from('\u{feff}') }
    }

    /// The root element with both namespaces, around what `inside` writes.
    pub(crate) fn root(&mut self, name: &str, inside: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let attributes = format!("{name} xmlns:i=\"{SCHEMA_INSTANCE}\" xmlns=\"{NAMESPACE}\"");
        self.around(&attributes, name, inside)
    }

    /// An element around what `inside` writes.
    pub(crate) fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.around(name, name, inside)
    }

    /// An element with text; `<X />` for an empty one.
    pub(crate) fn text(&mut self, name: &str, value: &str) -> Result<()> {
        if value.is_empty() {
            self.push(&["<", name, " />"]);
            return Ok(());
        }
        self.push(&["<", name, ">"]);
        escape(name, value, &mut self.text)?;
        self.push(&["</", name, ">"]);
        Ok(())
    }

    pub(crate) fn bool(&mut self, name: &str, value: bool) -> Result<()> {
        self.text(name, if value { "true" } else { "false" })
    }

    pub(crate) fn int(&mut self, name: &str, value: impl std::fmt::Display) -> Result<()> {
        self.text(name, &value.to_string())
    }

    /// An element that says that there is no value.
    pub(crate) fn nil(&mut self, name: &str) {
        self.push(&["<", name, " i:nil=\"true\" />"]);
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // UTF-16 has every character.
        Encoding::Utf16Le.encode(&self.text, &mut bytes).map_err(|c| Error::argument(format!("no {c:?}")))?;
        Ok(bytes)
    }

    fn around(&mut self, start: &str, end: &str, inside: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.push(&["<", start, ">"]);
        inside(self)?;
        self.push(&["</", end, ">"]);
        Ok(())
    }

    fn push(&mut self, parts: &[&str]) {
        self.text.extend(parts.iter().copied());
    }
}

/// Appends a text as it stands between tags. The error names the element that it is for.
pub(crate) fn escape(name: &str, value: &str, out: &mut String) -> Result<()> {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A carriage return as such would be read as a line feed.
            '\r' => out.push_str("&#xD;"),
            '\t' | '\n' => out.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                return Err(Error::argument(format!("{name} has the character {c:?}, which XML can't hold"))
                    .hint("Remove control characters from names and descriptions."));
            }
            _ => out.push(c),
        }
    }
    Ok(())
}
