//! `$metadata` (CSDL in XML), read forwards.

use quick_xml::errors::{Error as XmlError, IllFormedError, SyntaxError};
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::document::{Enum, Item, Link, Metadata, Operation, Set, Tables, Type, short};
use crate::error::{Error, ErrorCode, Result};
use crate::table::{Decoder, Encoding};

/// Elements nested in each other; a document of the service has seven.
const DEEPEST: usize = 64;
/// Bytes of one name or type.
const LONGEST_NAME: usize = 1024;
/// Bytes of one tag, comment or CDATA section.
const LONGEST_TAG: usize = 1 << 20;
/// Properties, members, parameters and all else together; 30 MB have some 400,000.
const MOST_RECORDS: usize = 8_000_000;

/// Reads a `$metadata` document in pieces of any size.
///
/// Kept are entity types with keys, properties, navigation and base types, enums with their members, bound actions, and
/// collections; complex types, functions and annotations are passed over. UTF-8 or UTF-16, told by the byte order mark.
/// Entities of the document are not expanded, and a document type is refused. Memory: some 20 bytes for each property, every
/// name once, and the piece at hand. Limits: 64 elements in each other, 1,024 bytes a name, 1 MiB a tag, 8,000,000 records.
#[derive(Debug)]
pub struct MetadataReader {
    /// The first bytes, until there are enough to tell the encoding by.
    head: Vec<u8>,
    decoder: Option<Decoder>,
    text: String,
    /// 1-based line of the first byte of `text`.
    line: u64,
    /// The last tag was incomplete: it is not worth another try before `text` has that many bytes.
    retry_at: usize,
    body: Body,
    collections: Option<Vec<String>>,
}

impl MetadataReader {
    /// For these collections, or for all.
    #[must_use]
    pub fn new(collections: Option<Vec<String>>) -> Self {
        Self {
            head: Vec::new(),
            decoder: None,
            text: String::new(),
            line: 1,
            retry_at: 0,
            body: Body::new(),
            collections,
        }
    }

    /// The next bytes of the document. After an error the reader is of no use.
    ///
    /// # Errors
    /// `SERVICE_ERROR` with the line, where the document is no `$metadata`, is not well-formed or exceeds a limit.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        if self.decoder.is_some() {
            return self.decode(bytes);
        }
        self.head.extend_from_slice(bytes);
        if self.head.len() >= 4 { self.begin() } else { Ok(()) }
    }

    /// What the document says.
    ///
    /// # Errors
    /// As for [`push`](Self::push); `UNKNOWN_ENTITY` for a collection that neither the document nor the catalogue has.
    pub fn finish(mut self) -> Result<Metadata> {
        if self.decoder.is_none() {
            self.begin()?;
        }
        self.read(true)?;
        if self.decoder.as_ref().is_some_and(|decoder| decoder.finish().is_err()) {
            return Err(located(broken("a character is cut"), self.line));
        }
        if !self.body.open.is_empty() || !self.body.seen_root {
            return Err(located(broken("the document ends too early"), self.line_of(self.text.len())));
        }
        Metadata::of_tables(self.body.tables, self.collections)
    }

    /// Bytes in memory.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.text.capacity() + self.head.capacity() + self.body.tables.held()
    }

    fn begin(&mut self) -> Result<()> {
        let head = std::mem::take(&mut self.head);
        let sniffed = Encoding::sniff(&head);
        self.decoder = Some(Decoder::new(sniffed.encoding.unwrap_or(Encoding::Utf8)));
        self.decode(head.get(sniffed.mark..).unwrap_or_default())
    }

    fn decode(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        if let Err(error) = decoder.push(bytes, &mut self.text) {
            let line = self.line_of(self.text.len());
            return Err(located(broken(&format!("these bytes are no text: {error:?}")), line));
        }
        self.read(false)
    }

    fn line_of(&self, offset: usize) -> u64 {
        self.line + feeds(self.text.as_bytes().get(..offset).unwrap_or_default())
    }

    fn read(&mut self, is_final: bool) -> Result<()> {
        if !is_final && self.text.len() < self.retry_at {
            return Ok(());
        }
        let mut used = 0;
        let mut incomplete = false;
        {
            let text = self.text.as_str();
            // The parser takes a byte order mark at its beginning away, but here it is in the middle of the document.
            if text.starts_with('\u{feff}') {
                return Err(located(broken("a byte order mark is in the document"), self.line));
            }
            let mut parser = Reader::from_str(text);
            let config = parser.config_mut();
            config.check_end_names = false;
            config.allow_unmatched_ends = true;
            loop {
                let event = parser.read_event();
                let end = usize::try_from(parser.buffer_position()).unwrap_or(usize::MAX);
                let mut blank = 0;
                let read = match event {
                    Ok(Event::Eof) => break,
                    Ok(Event::Empty(tag)) => self.body.open(&tag).map(|()| self.body.close()),
                    Ok(Event::Start(tag)) => self.body.open(&tag),
                    Ok(Event::End(tag)) => self.body.end(tag.name().as_ref()),
                    Ok(Event::Text(text)) => {
                        let text = text.into_inner();
                        // Where a text begins depends on how the document is cut.
                        blank = text.len() - text.trim_start().len();
                        self.body.text(&text)
                    }
                    Ok(Event::GeneralRef(reference)) => {
                        let known = resolve_predefined_entity(&reference.xml10_content()).is_some()
                            || matches!(reference.resolve_char_ref(), Ok(Some(_)));
                        if known { self.body.text("x") } else { Err(broken("a reference is not defined")) }
                    }
                    Ok(Event::CData(_)) => self.body.text("x"),
                    Ok(Event::DocType(_)) => Err(broken("it has a document type definition")),
                    Ok(Event::Decl(_) | Event::Comment(_) | Event::PI(_)) => Ok(()),
                    Err(error) => {
                        let left = text.get(used..).unwrap_or_default();
                        if !is_final && may_be_cut(&error, left) {
                            if left.len() > LONGEST_TAG {
                                let error = beyond(&format!("a tag is longer than {LONGEST_TAG} bytes"));
                                return Err(located(error, self.line_of(used)));
                            }
                            incomplete = true;
                            break;
                        }
                        Err(broken(&error.to_string()))
                    }
                };
                read.map_err(|error| located(error, self.line_of(used + blank)))?;
                used = end;
            }
        }
        let left = self.text.len() - used.min(self.text.len());
        // A long tag is tried again only after it has grown by a quarter, so that all tries together take linear time.
        self.retry_at = if incomplete && left > 4096 { left + left / 4 } else { 0 };
        self.line += feeds(self.text.as_bytes().get(..used).unwrap_or_default());
        self.text.drain(..used.min(self.text.len()));
        Ok(())
    }
}

fn feeds(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Whether more bytes could turn the error into an event.
fn may_be_cut(error: &XmlError, rest: &str) -> bool {
    match error {
        XmlError::Syntax(SyntaxError::InvalidBangMarkup) => rest.len() < 9,
        XmlError::Syntax(_) => true,
        XmlError::IllFormed(IllFormedError::UnclosedReference) => {
            rest.len() < 32 && !rest.bytes().skip(1).any(|b| matches!(b, b'&' | b'<' | b';'))
        }
        _ => false,
    }
}

/// As much of a name as is shown.
fn cut(name: &str) -> String {
    name.chars().take(40).collect()
}

fn broken(why: &str) -> Error {
    Error::new(ErrorCode::ServiceError, format!("$metadata can't be read: {why}"))
        .hint("Something on the way may have cut or replaced the answer: ask again, or save the document and look at the line.")
}

fn beyond(why: &str) -> Error {
    Error::new(ErrorCode::ServiceError, format!("$metadata exceeds a limit: {why}"))
}

fn located(mut error: Error, line: u64) -> Error {
    error.message = format!("line {line}: {}", error.message);
    error.at_line(line)
}

/// What an element is, by its name and that of its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Edmx,
    Services,
    Schema,
    EntityType,
    Key,
    EnumType,
    Action,
    Container,
    EntitySet,
    /// What counts of it is in its attributes, or nothing does.
    Other,
}

#[derive(Debug)]
struct Body {
    tables: Tables,
    open: Vec<(Kind, usize)>,
    /// Names of the open elements, one after another; `open` has where each begins.
    tags: String,
    seen_root: bool,
    /// The action that is open has no binding parameter yet.
    unbound: bool,
}

impl Body {
    fn new() -> Self {
        Self {
            tables: Tables::new(),
            open: Vec::new(),
            tags: String::new(),
            seen_root: false,
            unbound: false,
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>) -> Result<()> {
        let name = tag.name();
        let name: &str = name.as_ref();
        let local = name.rsplit_once(':').map_or(name, |(_, local)| local);
        let parent = self.open.last().map(|(kind, _)| *kind);
        let kind = match (parent, local) {
            (None, "Edmx") if !self.seen_root => {
                self.seen_root = true;
                Kind::Edmx
            }
            (None, _) => {
                return Err(broken(&format!("<{}> stands where one <Edmx> is expected", cut(name))));
            }
            (Some(Kind::Edmx), "DataServices") => Kind::Services,
            (Some(Kind::Services), "Schema") => Kind::Schema,
            (Some(Kind::EntityType), "Property") => {
                self.property(tag)?;
                Kind::Other
            }
            (Some(Kind::EntityType), "NavigationProperty") => {
                self.navigation(tag)?;
                Kind::Other
            }
            (Some(Kind::EntityType), "Key") => Kind::Key,
            (Some(Kind::Key), "PropertyRef") => {
                let [key] = self.attributes(tag, ["Name"])?;
                self.tables.keys.push(key);
                Kind::Other
            }
            (Some(Kind::EnumType), "Member") => {
                let [member] = self.attributes(tag, ["Name"])?;
                self.tables.members.push(member);
                Kind::Other
            }
            (Some(Kind::Action), "Parameter") => {
                self.parameter(tag)?;
                Kind::Other
            }
            (Some(Kind::Action), "ReturnType") => {
                let [kind] = self.attributes(tag, ["Type"])?;
                if let Some(action) = self.tables.actions.last_mut() {
                    action.returns = kind;
                }
                Kind::Other
            }
            (Some(Kind::EntitySet), "NavigationPropertyBinding") => {
                let [path, target] = self.attributes(tag, ["Path", "Target"])?;
                self.tables.bindings.push((path, target));
                Kind::Other
            }
            (Some(Kind::Schema), "EntityType") => self.entity_type(tag)?,
            (Some(Kind::Schema), "EnumType") => {
                let [name] = self.attributes(tag, ["Name"])?;
                let members_end = self.tables.members.len();
                self.tables.enums.push(Enum { name, members_end });
                Kind::EnumType
            }
            (Some(Kind::Schema), "Action") => self.action(tag)?,
            (Some(Kind::Schema), "EntityContainer") => Kind::Container,
            (Some(Kind::Container), "EntitySet") => {
                let [name, kind] = self.attributes(tag, ["Name", "EntityType"])?;
                let kind = self.short(kind)?;
                let bindings_end = self.tables.bindings.len();
                self.tables.sets.push(Set { name, kind, bindings_end });
                Kind::EntitySet
            }
            _ => Kind::Other,
        };
        if self.open.len() >= DEEPEST {
            return Err(beyond(&format!("more than {DEEPEST} elements in each other")));
        }
        if self.tables.len() > MOST_RECORDS {
            return Err(beyond(&format!("more than {MOST_RECORDS} properties, members and parameters")));
        }
        self.open.push((kind, self.tags.len()));
        self.tags.push_str(name);
        Ok(())
    }

    /// The end of an element as the document has it.
    fn end(&mut self, name: &str) -> Result<()> {
        let start = self.open.last().map_or(0, |(_, start)| *start);
        if self.open.is_empty() || self.tags.get(start..) != Some(name) {
            return Err(broken(&format!("</{}> ends what it did not begin", cut(name))));
        }
        self.close();
        Ok(())
    }

    fn close(&mut self) {
        let Some((kind, start)) = self.open.pop() else { return };
        self.tags.truncate(start);
        let tables = &mut self.tables;
        match kind {
            Kind::EntityType => {
                if let Some(it) = tables.types.last_mut() {
                    it.keys_end = tables.keys.len();
                    it.properties_end = tables.properties.len();
                    it.navigation_end = tables.navigation.len();
                }
            }
            Kind::EnumType => {
                if let Some(it) = tables.enums.last_mut() {
                    it.members_end = tables.members.len();
                }
            }
            Kind::Action => {
                if let Some(it) = tables.actions.last_mut() {
                    it.parameters_end = tables.parameters.len();
                }
            }
            Kind::EntitySet => {
                if let Some(it) = tables.sets.last_mut() {
                    it.bindings_end = tables.bindings.len();
                }
            }
            _ => {}
        }
    }

    fn text(&self, text: &str) -> Result<()> {
        if self.open.is_empty() && !text.trim().is_empty() {
            return Err(broken("a text stands outside of the document"));
        }
        Ok(())
    }

    fn entity_type(&mut self, tag: &BytesStart<'_>) -> Result<Kind> {
        let [name, base] = self.attributes(tag, ["Name", "BaseType"])?;
        let base = self.short(base)?;
        self.tables.types.push(Type { name, base, ..Type::default() });
        Ok(Kind::EntityType)
    }

    fn property(&mut self, tag: &BytesStart<'_>) -> Result<()> {
        let (mut nullable, mut max_length) = (true, u32::MAX);
        let [name, kind] = self.some(tag, ["Name", "Type"], &mut |name, value| match name {
            "Nullable" => nullable = value != "false",
            // "max" is as good as none.
            "MaxLength" => max_length = value.parse().unwrap_or(u32::MAX),
            _ => {}
        })?;
        self.tables.properties.push(Item { name, kind, max_length, nullable });
        Ok(())
    }

    fn navigation(&mut self, tag: &BytesStart<'_>) -> Result<()> {
        let [name, kind] = self.attributes(tag, ["Name", "Type"])?;
        let (kind, many) = self.target(kind)?;
        self.tables.navigation.push(Link { name, kind, many });
        Ok(())
    }

    fn action(&mut self, tag: &BytesStart<'_>) -> Result<Kind> {
        let mut bound = false;
        let [name] = self.some(tag, ["Name"], &mut |name, value| {
            bound |= name == "IsBound" && value == "true";
        })?;
        if !bound {
            return Ok(Kind::Other);
        }
        self.unbound = true;
        self.tables.actions.push(Operation { name, ..Operation::default() });
        Ok(Kind::Action)
    }

    /// The first one says what the action is bound to.
    fn parameter(&mut self, tag: &BytesStart<'_>) -> Result<()> {
        let [name, kind] = self.attributes(tag, ["Name", "Type"])?;
        if !std::mem::take(&mut self.unbound) {
            self.tables.parameters.push((name, kind));
            return Ok(());
        }
        let (on, many) = self.target(kind)?;
        if let Some(action) = self.tables.actions.last_mut() {
            (action.on, action.many) = (on, many);
        }
        Ok(())
    }

    /// Numbers of the values of these attributes; 0 for one that is missing.
    fn attributes<const N: usize>(&mut self, tag: &BytesStart<'_>, wanted: [&str; N]) -> Result<[u32; N]> {
        self.some(tag, wanted, &mut |_, _| {})
    }

    /// The same, and `other` gets the rest.
    fn some<const N: usize>(
        &mut self,
        tag: &BytesStart<'_>,
        wanted: [&str; N],
        other: &mut dyn FnMut(&str, &str),
    ) -> Result<[u32; N]> {
        let mut found = [0; N];
        self.each(tag, &wanted, &mut found, other)?;
        Ok(found)
    }

    fn each(
        &mut self,
        tag: &BytesStart<'_>,
        wanted: &[&str],
        found: &mut [u32],
        other: &mut dyn FnMut(&str, &str),
    ) -> Result<()> {
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| broken(&error.to_string()))?;
            let key: &str = attribute.key.as_ref();
            let raw: &str = &attribute.value;
            let text = if raw.contains('&') {
                unescape(raw).map_err(|error| broken(&error.to_string()))?
            } else {
                raw.into()
            };
            match wanted.iter().zip(found.iter_mut()).find(|(name, _)| **name == key) {
                Some((_, number)) => *number = self.number(&text)?,
                None => other(key, &text),
            }
        }
        if found.first() == Some(&0) {
            let first = wanted.first().copied().unwrap_or_default();
            let tag = tag.name();
            let tag: &str = tag.as_ref();
            return Err(broken(&format!("<{}> has no {first}", cut(tag))));
        }
        Ok(())
    }

    fn number(&mut self, name: &str) -> Result<u32> {
        if name.len() > LONGEST_NAME {
            return Err(beyond(&format!("a name is longer than {LONGEST_NAME} bytes")));
        }
        self.tables.names.add(name).ok_or_else(|| beyond("too many names"))
    }

    /// Without namespace.
    fn short(&mut self, kind: u32) -> Result<u32> {
        Ok(self.target(kind)?.0)
    }

    /// Short name of a type, and whether it is a collection of them.
    fn target(&mut self, kind: u32) -> Result<(u32, bool)> {
        let full = self.tables.names.get(kind);
        let inner = full.strip_prefix("Collection(").and_then(|inner| inner.strip_suffix(')'));
        let many = inner.is_some();
        let name = short(inner.unwrap_or(full)).to_owned();
        Ok((self.number(&name)?, many))
    }
}
