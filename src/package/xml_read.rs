//! Reads the package's two XML files as the service's serializer understands them: members by name, in alphabetical order.
//!
//! That serializer silently skips an element that comes too late and one of another namespace, which is how packages lose
//! settings without an error. Here both are errors with their line. Elements that it does not know it skips, and so do we.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

use crate::error::{Error, ErrorCode, Result};
use crate::table::{Decoder, Encoding};

use super::xml_write::{NAMESPACE, SCHEMA_INSTANCE};

/// Decodes a document by its byte order mark, UTF-8 without one; an `encoding=` that contradicts the bytes is ignored.
pub(super) fn decode(bytes: &[u8], file: &str) -> Result<String> {
    let sniffed = Encoding::sniff(bytes);
    let encoding = sniffed.encoding.unwrap_or(Encoding::Utf8);
    let mut decoder = Decoder::new(encoding);
    let mut text = String::new();
    let decoded = decoder.push(bytes.get(sniffed.mark..).unwrap_or_default(), &mut text);
    decoded.and_then(|()| decoder.finish()).map_err(|_| {
        let line = 1 + text.bytes().filter(|&b| b == b'\n').count() as u64;
        invalid(file, line, format!("the bytes are no {} text", encoding.name()))
            .hint("Write the file as UTF-16LE with byte order mark, or as UTF-8.")
    })?;
    Ok(text)
}

/// A document that is read forwards.
pub(super) struct XmlReader<'a> {
    reader: NsReader<&'a [u8]>,
    text: &'a str,
    file: &'a str,
    depth: u32,
    max_depth: u32,
    /// Line of the byte `line_at`, counted on demand.
    line: u64,
    line_at: usize,
}

/// An element that was just entered.
pub(super) struct Element {
    pub(super) name: String,
    pub(super) line: u64,
    pub(super) nil: bool,
    in_namespace: bool,
}

enum Item {
    Open(Element),
    Text(String),
    Close,
    End,
}

impl<'a> XmlReader<'a> {
    pub(super) fn new(text: &'a str, file: &'a str, max_depth: u32) -> Self {
        let mut reader = NsReader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, text, file, depth: 0, max_depth, line: 1, line_at: 0 }
    }

    /// Enters the root element, which must have one of these names and the package's namespace.
    pub(super) fn root(&mut self, names: &[&str]) -> Result<Element> {
        loop {
            match self.next()? {
                Item::Open(root) => {
                    if !names.contains(&root.name.as_str()) {
                        return Err(self
                            .invalid(root.line, format!("the root element is <{}>", root.name))
                            .hint(format!(
                                "It must be <{}> of namespace {NAMESPACE}.",
                                names.join("> or <")
                            )));
                    }
                    if !root.in_namespace {
                        return Err(self
                            .invalid(root.line, format!("<{}> is not in the namespace of data packages", root.name))
                            .hint(format!(
                                "Set xmlns=\"{NAMESPACE}\"; with another namespace the service recognises nothing."
                            )));
                    }
                    return Ok(root);
                }
                Item::Text(text) if text.trim().is_empty() => {}
                Item::Text(_) => return Err(self.here("there is text before the root element")),
                Item::Close | Item::End => return Err(self.here("there is no root element")),
            }
        }
    }

    /// After the root element nothing may follow.
    pub(super) fn end(&mut self) -> Result<()> {
        loop {
            match self.next()? {
                Item::End => return Ok(()),
                Item::Text(text) if text.trim().is_empty() => {}
                _ => return Err(self.here("there is something after the root element")),
            }
        }
    }

    /// Reads the children of the element just entered, and leaves it. `order` are the known members, in alphabetical order;
    /// `member` gets each of them with its index and must leave it, by one of `text`, `members`, `items` or `skip`.
    pub(super) fn members(
        &mut self,
        order: &[&str],
        member: &mut dyn FnMut(&mut Self, usize, &Element) -> Result<()>,
    ) -> Result<()> {
        let mut next = 0;
        while let Some(element) = self.child()? {
            let Some(index) = order.iter().position(|name| *name == element.name) else {
                self.skip()?;
                continue;
            };
            if !element.in_namespace {
                let message = format!("<{}> is not in the namespace of data packages", element.name);
                return Err(self
                    .invalid(element.line, message)
                    .hint("The service would silently ignore the element: remove its own xmlns or prefix."));
            }
            if index < next {
                let before = order.get(next - 1).copied().unwrap_or_default();
                let message = if index + 1 == next {
                    format!("<{}> stands there twice", element.name)
                } else {
                    format!("<{}> comes too late, after <{before}>", element.name)
                };
                return Err(self.invalid(element.line, message).hint(
                    "The service would silently ignore the element: put the elements into alphabetical order.",
                ));
            }
            next = index + 1;
            member(self, index, &element)?;
        }
        Ok(())
    }

    /// Reads a list: every child of that name; others are skipped, as the service does.
    pub(super) fn items(
        &mut self,
        name: &str,
        item: &mut dyn FnMut(&mut Self, &Element) -> Result<()>,
    ) -> Result<()> {
        while let Some(element) = self.child()? {
            if element.name != name {
                self.skip()?;
            } else if element.in_namespace {
                item(self, &element)?;
            } else {
                let message = format!("<{name}> is not in the namespace of data packages");
                return Err(self
                    .invalid(element.line, message)
                    .hint("The service would silently ignore the element: remove its own xmlns or prefix."));
            }
        }
        Ok(())
    }

    /// The text of the element just entered, which is left.
    pub(super) fn text(&mut self) -> Result<String> {
        let mut out = String::new();
        loop {
            match self.next()? {
                Item::Text(text) => out.push_str(&text),
                Item::Close => return Ok(out),
                Item::Open(inner) => {
                    return Err(
                        self.invalid(inner.line, format!("<{}> stands where only text may be", inner.name))
                    );
                }
                Item::End => return Err(self.cut()),
            }
        }
    }

    pub(super) fn bool(&mut self, element: &Element) -> Result<bool> {
        let text = self.text()?;
        match text.trim() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(self.bad_value(element, &text, "true or false")),
        }
    }

    pub(super) fn int(&mut self, element: &Element) -> Result<i32> {
        let text = self.text()?;
        text.trim().parse().map_err(|_| self.bad_value(element, &text, "a whole number"))
    }

    /// Leaves the element just entered.
    pub(super) fn skip(&mut self) -> Result<()> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if matches!(self.next()?, Item::End) {
                return Err(self.cut());
            }
        }
        Ok(())
    }

    /// `MANIFEST_INVALID` at that line.
    pub(super) fn invalid(&self, line: u64, message: impl Into<String>) -> Error {
        invalid(self.file, line, message.into())
    }

    /// The next child of the current element; none when the element is left. Text between children means nothing.
    fn child(&mut self) -> Result<Option<Element>> {
        loop {
            match self.next()? {
                Item::Open(element) => return Ok(Some(element)),
                Item::Close => return Ok(None),
                Item::Text(_) => {}
                Item::End => return Err(self.cut()),
            }
        }
    }

    fn next(&mut self) -> Result<Item> {
        loop {
            let start = self.position();
            match self.reader.read_event() {
                Err(error) => {
                    let at = usize::try_from(self.reader.error_position()).unwrap_or(start);
                    let line = self.line_of(at);
                    return Err(self.invalid(line, format!("the XML is not well-formed: {error}")));
                }
                Ok(Event::Start(tag)) => {
                    self.depth += 1;
                    if self.depth > self.max_depth {
                        let (depth, max) = (self.depth, self.max_depth);
                        return Err(Error::new(
                            ErrorCode::PackageLimit,
                            format!("the XML is nested {depth} deep, the limit is {max}"),
                        )
                        .in_file(self.file));
                    }
                    return self.open(&tag, start).map(Item::Open);
                }
                Ok(Event::End(_)) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Item::Close);
                }
                Ok(Event::Text(text)) => return Ok(Item::Text(text.xml10_content().into_owned())),
                Ok(Event::CData(text)) => return Ok(Item::Text(text.xml10_content().into_owned())),
                Ok(Event::GeneralRef(reference)) => return self.resolve(&reference, start).map(Item::Text),
                Ok(Event::DocType(_)) => {
                    let line = self.line_of(start);
                    return Err(self
                        .invalid(line, "the XML has a document type definition")
                        .hint("Remove <!DOCTYPE …>: packages have none, and entities are not expanded."));
                }
                Ok(Event::Eof) if self.depth > 0 => return Err(self.cut()),
                Ok(Event::Eof) => return Ok(Item::End),
                Ok(Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_)) => {}
            }
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>, start: usize) -> Result<Element> {
        let line = self.line_of(start);
        let mut nil = false;
        for attribute in tag.attributes() {
            let attribute = attribute
                .map_err(|error| self.invalid(line, format!("the XML has a malformed attribute: {error}")))?;
            let (namespace, name) = self.reader.resolver().resolve_attribute(attribute.key);
            if is(&namespace, SCHEMA_INSTANCE) && name.as_ref() == "nil" {
                nil = matches!(attribute.value.trim(), "true" | "1");
            }
        }
        let (namespace, name) = self.reader.resolver().resolve_element(tag.name());
        if let ResolveResult::Unknown(prefix) = &namespace {
            return Err(self.invalid(line, format!("the prefix \"{prefix}\" is bound to no namespace")));
        }
        Ok(Element { name: name.as_ref().to_owned(), line, nil, in_namespace: is(&namespace, NAMESPACE) })
    }

    fn resolve(&mut self, reference: &BytesRef<'_>, start: usize) -> Result<String> {
        let character = match reference.resolve_char_ref() {
            Ok(character) => character,
            Err(error) => {
                let line = self.line_of(start);
                return Err(
                    self.invalid(line, format!("the XML has a malformed character reference: {error}"))
                );
            }
        };
        let predefined = match reference.xml10_content().as_ref() {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => None,
        };
        match character.or(predefined) {
            Some(c) => Ok(c.to_string()),
            None => {
                let line = self.line_of(start);
                Err(self.invalid(line, "the XML refers to an entity that is not defined"))
            }
        }
    }

    fn bad_value(&self, element: &Element, text: &str, expected: &str) -> Error {
        let shown: String = text.chars().take(40).collect();
        self.invalid(element.line, format!("<{}> is {shown:?}, not {expected}", element.name))
    }

    fn cut(&mut self) -> Error {
        self.here("the XML ends before its root element does")
    }

    fn here(&mut self, message: &str) -> Error {
        let line = self.line_of(self.position());
        self.invalid(line, message)
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(self.text.len())
    }

    /// Positions mostly grow, so lines are counted on from the last one.
    fn line_of(&mut self, at: usize) -> u64 {
        if at < self.line_at {
            (self.line, self.line_at) = (1, 0);
        }
        let between = self.text.as_bytes().get(self.line_at..at).unwrap_or_default();
        self.line += between.iter().filter(|&&b| b == b'\n').count() as u64;
        self.line_at += between.len();
        self.line
    }
}

fn is(namespace: &ResolveResult<'_>, wanted: &str) -> bool {
    matches!(namespace, ResolveResult::Bound(Namespace(name)) if *name == wanted)
}

fn invalid(file: &str, line: u64, message: String) -> Error {
    Error::new(ErrorCode::ManifestInvalid, format!("{file}, line {line}: {message}"))
        .in_file(file)
        .at_line(line)
}
