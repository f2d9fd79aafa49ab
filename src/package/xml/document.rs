//! The tree: elements that hold spans of the text they were read from.

use quick_xml::events::Event;
use quick_xml::reader::Reader;

use crate::error::{Error, ErrorCode, Result};
use crate::table::Encoding;

/// A part of a [`Source`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// The text of a document as it was read, followed by everything that changes added to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source(pub(super) String);

impl Source {
    pub(crate) fn get(&self, span: Span) -> &str {
        self.0.get(span.start..span.end).unwrap_or_default()
    }

    pub(super) fn add(&mut self, text: &str) -> Span {
        let start = self.0.len();
        self.0.push_str(text);
        Span { start, end: self.0.len() }
    }
}

/// An element. Its four spans and its children, in order, are all that stands between the end of the tag before it and its
/// own end.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    /// From the tag before it: white space, comments; before the root also the declaration.
    pub(super) lead: Span,
    /// `<Name …>` or `<Name … />`.
    pub(super) open: Span,
    pub(crate) children: Vec<Element>,
    /// From the last child, or from `open` where there is none, to `close`: the text of an element without children.
    pub(super) tail: Span,
    /// `</Name>`; empty after `<Name … />`.
    pub(super) close: Span,
    /// The root, and what is in the namespace of data packages or, where its parent is in a wrong one, in that of the parent.
    pub(crate) ours: bool,
    /// Has `i:nil="true"`.
    pub(crate) nil: bool,
}

impl Element {
    /// Name with prefix.
    pub(super) fn qualified<'s>(&self, source: &'s Source) -> &'s str {
        let tag = source.get(self.open);
        let tag = tag.strip_prefix('<').unwrap_or(tag);
        tag.split([' ', '\t', '\r', '\n', '/', '>']).next().unwrap_or_default()
    }

    /// Name without prefix.
    pub(crate) fn name<'s>(&self, source: &'s Source) -> &'s str {
        let name = self.qualified(source);
        name.split_once(':').map_or(name, |(_, local)| local)
    }

    /// Prefix with its colon; empty where there is none.
    pub(crate) fn prefix<'s>(&self, source: &'s Source) -> &'s str {
        let name = self.qualified(source);
        name.split_inclusive(':').next().filter(|prefix| prefix.ends_with(':')).unwrap_or_default()
    }

    /// The text in it; none where it has child elements instead.
    pub(crate) fn text(&self, source: &Source) -> Option<String> {
        self.children.is_empty().then(|| character_data(source.get(self.tail)))
    }

    /// The white space right before it, which a neighbour of it gets too.
    pub(crate) fn indent<'s>(&self, source: &'s Source) -> &'s str {
        split_indent(source.get(self.lead)).1
    }

    fn write(&self, source: &Source, put: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        put(source.get(self.lead))?;
        put(source.get(self.open))?;
        // As deep as the document, which the parser bounds.
        self.children.iter().try_for_each(|child| child.write(source, put))?;
        put(source.get(self.tail))?;
        put(source.get(self.close))
    }
}

/// One of the two XML files. Places in it are those of the bytes it was parsed from, also after changes.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(super) file: &'static str,
    pub(super) encoding: Encoding,
    /// Whether it begins with a byte order mark.
    pub(super) marked: bool,
    /// Limit of its depth.
    pub(super) max_depth: u32,
    pub(crate) source: Source,
    pub(crate) root: Element,
    /// What follows the root.
    pub(super) end: Span,
    /// Whether the root is in the namespace of data packages.
    pub(super) recognised: bool,
}

impl Document {
    /// The bytes: those it was parsed from, but for what was changed.
    pub(crate) fn write(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut put = |text: &str| {
            self.encoding.encode(text, &mut bytes).map_err(|c| {
                Error::argument(format!("{} can't be written with {c:?}", self.file)).in_file(self.file)
            })
        };
        if self.marked {
            put("\u{feff}")?;
        }
        self.root.write(&self.source, &mut put)?;
        put(self.source.get(self.end))?;
        Ok(bytes)
    }

    /// `MANIFEST_INVALID` at that element.
    pub(crate) fn invalid(&self, at: &Element, message: impl std::fmt::Display) -> Error {
        invalid(self.file, line_of(&self.source.0, at.open.start), message)
    }
}

/// `MANIFEST_INVALID` at that line.
pub(super) fn invalid(file: &str, line: u64, message: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::ManifestInvalid, format!("{file}, line {line}: {message}"))
        .in_file(file)
        .at_line(line)
}

/// 1-based line of a byte.
pub(super) fn line_of(text: &str, at: usize) -> u64 {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|&&b| b == b'\n').count() as u64
}

/// What stands before an element, parted into the rest and the white space at its end.
pub(super) fn split_indent(lead: &str) -> (&str, &str) {
    let rest = lead.trim_end_matches(WHITE);
    lead.split_at_checked(rest.len()).unwrap_or((lead, ""))
}

/// White space of XML.
pub(super) const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Text of markup without elements, which was found well-formed before.
fn character_data(raw: &str) -> String {
    if !raw.contains(['<', '&', '\r']) {
        return raw.to_owned();
    }
    let mut out = String::with_capacity(raw.len());
    // The reader would take it for a byte order mark.
    let rest = raw.strip_prefix('\u{feff}').inspect(|_| out.push('\u{feff}')).unwrap_or(raw);
    let mut reader = Reader::from_str(rest);
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Text(text) => out.push_str(&text.xml10_content()),
            Event::CData(text) => out.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => out.extend(super::parse::resolve(&reference)),
            Event::Eof => break,
            _ => {}
        }
    }
    out
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
