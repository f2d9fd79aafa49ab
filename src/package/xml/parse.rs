//! Bytes → document. Refused is what the service could not read either, and what is only there to do harm: document types
//! with their entities, deep nesting, a flood of elements.

use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace as Name, NamespaceError, ResolveResult};
use quick_xml::reader::NsReader;

use crate::error::{Error, ErrorCode, Result};
use crate::table::{Decoder, Encoding};

use super::document::{Document, Element, Source, Span, WHITE, invalid, line_of};
use super::write::{NAMESPACE, SCHEMA_INSTANCE};

/// The tree is walked by recursion, so a higher limit of the caller is not granted.
const DEEPEST: u32 = 256;
/// The manifest of some 3,000 entities with 35 maps each has as many.
const MOST_ELEMENTS: usize = 1_000_000;

impl Document {
    /// Parses one of the two files. A byte order mark decides of the encoding, then the NUL beside the first `<` of UTF-16,
    /// else it is UTF-8; an `encoding=` that contradicts the bytes is ignored.
    ///
    /// # Errors
    /// `MANIFEST_INVALID` for bytes that are no text, XML that is not well-formed, and a document type. `PACKAGE_LIMIT` for
    /// more than `max_depth` elements in each other (at most 256) and for more than 1,000,000 elements.
    pub(crate) fn parse(bytes: &[u8], file: &'static str, max_depth: u32) -> Result<Self> {
        let sniffed = Encoding::sniff(bytes);
        let encoding = sniffed.encoding.unwrap_or(Encoding::Utf8);
        let text = decode(bytes.get(sniffed.mark..).unwrap_or_default(), encoding, file)?;
        let mut reader = NsReader::from_str(&text);
        reader.config_mut().check_comments = true;
        let max_depth = max_depth.min(DEEPEST);
        let mut parser = Parser {
            reader,
            text: &text,
            file,
            max_depth: max_depth as usize,
            count: 0,
            open: Vec::new(),
            root: None,
            recognised: false,
            from: 0,
        };
        parser.run()?;
        let Parser { root, recognised, from, .. } = parser;
        let Some(root) = root else {
            return Err(invalid(file, line_of(&text, text.len()), "there is no root element")
                .hint("Export the package again, or write the file as well-formed XML."));
        };
        let end = Span { start: from, end: text.len() };
        let marked = sniffed.mark > 0;
        Ok(Self { file, encoding, marked, max_depth, source: Source(text), root, end, recognised })
    }
}

/// The character that a reference stands for; none for an entity that XML does not define itself.
pub(super) fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Some(character),
        Ok(None) => {
            resolve_predefined_entity(&reference.xml10_content()).and_then(|text| text.chars().next())
        }
        Err(_) => None,
    }
}

#[derive(PartialEq)]
enum Namespace {
    /// That of data packages.
    Packages,
    /// Another one or none, by the first bytes of its name: a longer name would be copied and compared at every element.
    Other(Vec<u8>),
}

impl Namespace {
    fn other(name: &str) -> Self {
        Self::Other(name.bytes().take(256).collect())
    }
}

struct Parser<'a> {
    reader: NsReader<&'a [u8]>,
    text: &'a str,
    file: &'static str,
    max_depth: usize,
    /// Elements so far.
    count: usize,
    /// The elements entered and not yet left.
    open: Vec<(Element, Namespace)>,
    root: Option<Element>,
    /// Whether the root is in the namespace of data packages.
    recognised: bool,
    /// End of the last tag.
    from: usize,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<()> {
        // A second byte order mark, which the reader would skip.
        if self.text.starts_with('\u{feff}') {
            return Err(self.outside(0));
        }
        loop {
            let start = self.position();
            let event = self.reader.read_event();
            let end = self.position();
            match event.map_err(|error| self.malformed(&error))? {
                Event::Start(tag) => {
                    let entered = self.element(&tag, start, end)?;
                    self.open.push(entered);
                    self.from = end;
                }
                Event::Empty(tag) => {
                    let (element, _) = self.element(&tag, start, end)?;
                    self.from = end;
                    self.leave(element);
                }
                Event::End(_) => {
                    let Some((mut element, _)) = self.open.pop() else {
                        return Err(self.invalid(start, "an element ends that never began"));
                    };
                    element.tail = Span { start: self.from, end: start };
                    element.close = Span { start, end };
                    self.from = end;
                    self.leave(element);
                }
                Event::Text(_) => self.check_text(start, end)?,
                Event::CData(_) if self.open.is_empty() => return Err(self.outside(start)),
                Event::GeneralRef(reference) => self.check_reference(&reference, start)?,
                Event::DocType(_) => {
                    return Err(self
                        .invalid(start, "the XML has a document type definition")
                        .hint("Remove <!DOCTYPE …>: packages have none, and entities are not expanded."));
                }
                Event::Decl(_) if start > 0 => {
                    return Err(self.invalid(start, "the XML declaration is not at the start of the file"));
                }
                Event::CData(_) | Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
                Event::Eof if self.open.is_empty() => return Ok(()),
                Event::Eof => {
                    return Err(self.invalid(start, "the XML ends before its root element does"));
                }
            }
        }
    }

    fn element(&mut self, tag: &BytesStart<'_>, start: usize, end: usize) -> Result<(Element, Namespace)> {
        self.check_limits()?;
        if self.open.is_empty() && self.root.is_some() {
            return Err(self.outside(start));
        }
        let name = tag.name();
        self.check_name(name.as_ref(), start)?;
        let (namespace, _) = self.reader.resolver().resolve_element(name);
        let namespace = match namespace {
            ResolveResult::Bound(Name(NAMESPACE)) => Namespace::Packages,
            ResolveResult::Bound(Name(other)) => Namespace::other(other),
            ResolveResult::Unbound => Namespace::other(""),
            ResolveResult::Unknown(prefix) => {
                return Err(self.invalid(start, format!("the prefix {prefix:?} is bound to no namespace")));
            }
        };
        let ours = match self.open.last() {
            Some((_, around)) => namespace == Namespace::Packages || namespace == *around,
            None => {
                self.recognised = namespace == Namespace::Packages;
                true
            }
        };
        let element = Element {
            lead: Span { start: self.from, end: start },
            open: Span { start, end },
            children: Vec::new(),
            tail: Span { start: end, end },
            close: Span { start: end, end },
            ours,
            nil: self.is_nil(tag, start)?,
        };
        Ok((element, namespace))
    }

    fn leave(&mut self, element: Element) {
        match self.open.last_mut() {
            Some((parent, _)) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    /// Checks the attributes on the way.
    fn is_nil(&self, tag: &BytesStart<'_>, start: usize) -> Result<bool> {
        let mut nil = false;
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| {
                self.invalid(start, format!("the XML has a malformed attribute: {error}"))
            })?;
            self.check_name(attribute.key.as_ref(), start)?;
            let value = unescape(&attribute.value)
                .ok()
                .filter(|value| !attribute.value.contains('<') && value.chars().all(is_character));
            let Some(value) = value else {
                let message =
                    format!("the XML has a malformed value of the attribute {}", attribute.key.as_ref());
                return Err(self.invalid(start, message));
            };
            let (namespace, name) = self.reader.resolver().resolve_attribute(attribute.key);
            match namespace {
                ResolveResult::Bound(Name(SCHEMA_INSTANCE)) if name.as_ref() == "nil" => {
                    nil = matches!(value.trim_matches(WHITE), "true" | "1");
                }
                ResolveResult::Unknown(prefix) => {
                    return Err(
                        self.invalid(start, format!("the prefix {prefix:?} is bound to no namespace"))
                    );
                }
                _ => {}
            }
        }
        Ok(nil)
    }

    fn check_limits(&mut self) -> Result<()> {
        self.count += 1;
        let depth = self.open.len() + 1;
        let message = if depth > self.max_depth {
            format!("the XML is nested {depth} deep, the limit is {}", self.max_depth)
        } else if self.count > MOST_ELEMENTS {
            format!("{} has more than {MOST_ELEMENTS} elements", self.file)
        } else {
            return Ok(());
        };
        Err(limit(self.file, message))
    }

    fn check_text(&self, start: usize, end: usize) -> Result<()> {
        let raw = self.text.get(start..end).unwrap_or_default();
        if self.open.is_empty() && !raw.trim_matches(WHITE).is_empty() {
            return Err(self.outside(start));
        }
        match raw.find("]]>") {
            Some(at) => Err(self.invalid(start + at, "the XML has ]]> in a text")),
            None => Ok(()),
        }
    }

    fn check_reference(&self, reference: &BytesRef<'_>, start: usize) -> Result<()> {
        if self.open.is_empty() {
            return Err(self.outside(start));
        }
        match resolve(reference) {
            Some(c) if is_character(c) => Ok(()),
            None if !reference.is_char_ref() => {
                Err(self.invalid(start, "the XML refers to an entity that is not defined"))
            }
            _ => Err(self.invalid(start, "the XML has a malformed character reference")),
        }
    }

    fn check_name(&self, name: &str, start: usize) -> Result<()> {
        let mut parts = name.splitn(2, ':');
        if parts.all(is_name) {
            return Ok(());
        }
        let shown: String = name.chars().take(40).collect();
        Err(self.invalid(start, format!("the XML is not well-formed: {shown:?} is no name")))
    }

    /// Something beside the root element.
    fn outside(&self, at: usize) -> Error {
        let rest = self.text.get(at..).unwrap_or_default();
        let blank = rest.len() - rest.trim_start_matches(WHITE).len();
        let message = match self.root {
            None => "there is text before the root element",
            Some(_) => "there is something after the root element",
        };
        self.invalid(at + blank, message)
    }

    fn malformed(&self, error: &quick_xml::Error) -> Error {
        if let quick_xml::Error::Namespace(NamespaceError::TooManyBindings(most)) = error {
            return limit(self.file, format!("the XML has more than {most} namespaces in scope"));
        }
        let at = usize::try_from(self.reader.error_position()).unwrap_or_default();
        self.invalid(at, format!("the XML is not well-formed: {error}"))
    }

    fn invalid(&self, at: usize, message: impl std::fmt::Display) -> Error {
        invalid(self.file, line_of(self.text, at), message)
            .hint("Export the package again, or write the file as well-formed XML.")
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(self.text.len())
    }
}

fn limit(file: &str, message: String) -> Error {
    Error::new(ErrorCode::PackageLimit, message)
        .in_file(file)
        .hint("No package of the service is like that: look at where this one comes from.")
}

fn decode(bytes: &[u8], encoding: Encoding, file: &str) -> Result<String> {
    let mut decoder = Decoder::new(encoding);
    let mut text = String::new();
    let decoded = decoder.push(bytes, &mut text).and_then(|()| decoder.finish());
    if decoded.is_err() {
        let message = format!("the bytes are no {} text", encoding.name());
        return Err(invalid(file, line_of(&text, text.len()), message)
            .hint("Write the file as UTF-16LE with byte order mark, or as UTF-8."));
    }
    if let Some((at, c)) = text.char_indices().find(|&(_, c)| !is_character(c)) {
        return Err(invalid(file, line_of(&text, at), format!("the character {c:?} can't be in XML"))
            .hint("Remove control characters."));
    }
    Ok(text)
}

/// Whether XML 1.0 can hold it.
fn is_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// One part of a name; beyond ASCII any character is taken.
fn is_name(part: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    part.starts_with(letter)
        && part.chars().all(|c| letter(c) || c.is_ascii_digit() || matches!(c, '-' | '.'))
}
