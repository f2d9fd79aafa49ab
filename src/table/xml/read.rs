//! XML → records, in pieces.

use std::collections::HashSet;

use quick_xml::errors::{Error as XmlError, IllFormedError, SyntaxError};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::error::{Error, ErrorCode, Result};

use super::super::encoding::Encoding;
use super::super::markup;
use super::attributes::{each_attribute, is_space};
use super::record::{MemberInfo, Members, RecordSink, Row, invalid, too_large};
use super::source::Source;
use super::{MAX_RECORD_BYTES, ROOT, XmlStyle};

/// How a file is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct XmlOptions {
    /// Columns of the file in the order in which they are wanted; empty: those of the first record. A field beyond them is
    /// an error, one that a record lacks an empty cell.
    pub(crate) mapped: Vec<String>,
    /// The file is that of a composite entity: `mapped` are the fields of all its members together, and each member has
    /// the columns of its first record. Nesting is found without this too; the outermost member then has all of `mapped`.
    pub(crate) composite: bool,
    /// Elements that are known to hold records: where one of them is empty it is no field.
    pub(crate) records: HashSet<String>,
    /// Name that the outermost records must have; not told apart by case, since a setting of the environment decides it.
    pub(crate) record: Option<String>,
    /// Elements nested in each other, the root element counted.
    pub(crate) max_depth: u32,
    /// A record that lacks a column is an error, as is an `encoding=` that contradicts the bytes.
    pub(crate) strict: bool,
    /// Later records of a composite's members may have fields that their first record lacks: rows before them are shorter. For
    /// who looks at the fields and not at the rows.
    pub(crate) loose: bool,
}

/// What a pull came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The sink is full.
    Full,
    /// All bytes so far are used, more are needed.
    Hungry,
    /// The file is read.
    Done,
}

/// Reads a file forwards: bytes in, records out, each before the records that it contains.
///
/// - In XML-Attribute every element below a record is a record, its attributes are fields.
/// - In XML-Element an element below a record is a field, unless it contains elements: then it is a record, whose fields
///   must stand before the records in it. An empty one is a record where that is known from other records, from
///   [`XmlOptions::records`], or by not being [`XmlOptions::mapped`].
/// - A record within another that has no field at all only says that the member exists: it makes no row.
/// - The encoding is told by the byte order mark, UTF-8 without one. Entities are not expanded, `<!DOCTYPE` is refused.
///
/// Memory: one record (16 MiB at most) and the pieces that were pushed and not yet pulled.
pub(crate) struct XmlReader {
    source: Source,
    body: Body,
    /// The last element was incomplete: it is not worth another try before `rest` has that many bytes.
    retry_at: usize,
    failed: Option<Box<Error>>,
}

impl XmlReader {
    pub(crate) fn new(style: XmlStyle, options: XmlOptions) -> Self {
        Self { source: Source::new(), body: Body::new(style, options), retry_at: 0, failed: None }
    }

    /// The next bytes of the file. To be pulled before the next push, or all of them stay in memory.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.source.push(bytes);
    }

    /// No more bytes come.
    pub(crate) fn end(&mut self) {
        self.source.end();
    }

    /// The members that the file had so far; grows while it is read. Empty before the first record.
    pub(crate) fn members(&self) -> &[MemberInfo] {
        self.body.members.infos()
    }

    /// 1-based line up to which the file was read. Cheap when asked after every record.
    pub(crate) fn line(&mut self) -> u64 {
        self.source.line()
    }

    /// Reads on until the sink is full, the bytes are used up, or the file ends. After an error every call repeats it.
    pub(crate) fn pull(&mut self, sink: &mut dyn RecordSink) -> Result<Progress> {
        if let Some(error) = &self.failed {
            return Err((**error).clone());
        }
        self.read(sink).inspect_err(|error| self.failed = Some(Box::new(error.clone())))
    }

    fn read(&mut self, sink: &mut dyn RecordSink) -> Result<Progress> {
        let Self { source, body, retry_at, .. } = self;
        let is_final = source.is_final();
        let rest = source.rest();
        if !is_final && rest.len() < *retry_at {
            return Ok(Progress::Hungry);
        }
        let at_start = source.is_at_start();
        let mut used = 0;
        let mut full = false;
        // The parser takes a byte order mark at its beginning away, but here it is in the middle of the file.
        while let Some(after) = rest.get(used..).and_then(|rest| rest.strip_prefix('\u{feff}')) {
            body.text("\u{feff}").map_err(|error| located(error, source.line_of(used)))?;
            used = rest.len() - after.len();
        }
        let window = rest.get(used..).unwrap_or_default();
        let first = used;
        let mut parser = Reader::from_str(window);
        let config = parser.config_mut();
        // The parser sees a window only; the names are compared in `Body`.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        let mut incomplete = false;
        while !full {
            let start = used;
            let event = parser.read_event();
            let end = first + usize::try_from(parser.buffer_position()).unwrap_or(usize::MAX);
            let at = |error| located(error, source.line_of(start));
            match event {
                Ok(Event::Eof) => break,
                Ok(Event::Text(text)) => {
                    let text = text.into_inner();
                    let mut text = &*text;
                    let length = text.len();
                    if end == rest.len() && !is_final {
                        // "]]>" must not be overlooked because it is cut.
                        text = text.trim_end_matches(']');
                    }
                    used = end - (length - text.len());
                    // Where a text begins depends on how the file is cut, so faults are told at their own place.
                    let within = |offset: usize| source.line_of(start + offset);
                    let broken = text.find("]]>");
                    let text = broken.and_then(|offset| text.get(..offset)).unwrap_or(text);
                    let blank = text.len() - text.trim_start_matches(is_space).len();
                    body.text(text).map_err(|error| located(error, within(blank)))?;
                    if let Some(offset) = broken {
                        return Err(located(not_well_formed("]]> stands in a text"), within(offset)));
                    }
                    if used < end {
                        break;
                    }
                    continue;
                }
                Ok(Event::CData(text)) => body.text(&text.into_inner()).map_err(at)?,
                Ok(Event::GeneralRef(reference)) => {
                    let reference = reference.into_inner();
                    let c = markup::resolve(&reference).ok_or_else(|| {
                        let shown: String = reference.chars().take(20).collect();
                        at(not_well_formed(&format!("the reference &{shown}; is not defined")))
                    })?;
                    body.text(c.encode_utf8(&mut [0; 4])).map_err(at)?;
                }
                Ok(Event::Start(tag)) => body.open(&tag, sink).map_err(at)?,
                Ok(Event::Empty(tag)) => {
                    body.open(&tag, sink).and_then(|()| body.close(tag.name().as_ref(), sink)).map_err(at)?;
                }
                Ok(Event::End(tag)) => body.close(tag.name().as_ref(), sink).map_err(at)?,
                Ok(Event::Decl(tag)) => {
                    if !at_start || start > 0 {
                        return Err(at(not_well_formed("the XML declaration is not at the beginning")));
                    }
                    if body.options.strict {
                        let declared = tag.encoding().and_then(Result::ok);
                        check_declared(declared.as_deref(), source.encoding()).map_err(at)?;
                    }
                }
                Ok(Event::DocType(_)) => {
                    return Err(at(invalid("the XML has a document type definition")
                        .hint("Remove <!DOCTYPE …>: data files have none, and entities are not expanded.")));
                }
                Ok(Event::Comment(_) | Event::PI(_)) => {}
                Err(error) => {
                    let broken = rest.get(start..).unwrap_or_default();
                    let cut = may_be_cut(&error, broken);
                    if is_final && cut {
                        source.fault()?;
                    }
                    if is_final || !cut {
                        return Err(at(not_well_formed(&error.to_string())));
                    }
                    if broken.len() > MAX_RECORD_BYTES {
                        return Err(at(too_large()));
                    }
                    incomplete = true;
                    break;
                }
            }
            used = end;
            full = sink.is_full();
        }
        let left = rest.len() - used;
        // Every new byte could complete a short element; a long one is tried again only after it has grown by a quarter, so
        // that all tries together take linear time.
        *retry_at = if incomplete && left > 4096 { left + left / 4 } else { 0 };
        source.advance(used);
        if full {
            return Ok(Progress::Full);
        }
        if !is_final {
            return Ok(Progress::Hungry);
        }
        source.fault()?;
        body.finish().map_err(|error| located(error, source.line_of(0)))?;
        Ok(Progress::Done)
    }
}

/// Whether more bytes could turn the error into an event.
fn may_be_cut(error: &XmlError, rest: &str) -> bool {
    match error {
        // "<!" may become a comment or "<![CDATA[", for which nine characters are needed.
        XmlError::Syntax(SyntaxError::InvalidBangMarkup) => rest.len() < 9,
        XmlError::Syntax(_) => true,
        // A reference without end.
        XmlError::IllFormed(IllFormedError::UnclosedReference) => {
            rest.len() < 32 && !rest.bytes().skip(1).any(|b| matches!(b, b'&' | b'<' | b';'))
        }
        _ => false,
    }
}

fn check_declared(declared: Option<&str>, found: Encoding) -> Result<()> {
    let Some(declared) = declared else { return Ok(()) };
    let agrees = match found {
        Encoding::Utf16Le | Encoding::Utf16Be => ["utf-16", "utf-16le", "utf-16be", "unicode"]
            .iter()
            .any(|name| declared.eq_ignore_ascii_case(name)),
        Encoding::Utf8 | Encoding::Windows1252 => {
            ["utf-8", "us-ascii", "ascii"].iter().any(|name| declared.eq_ignore_ascii_case(name))
        }
    };
    if agrees {
        return Ok(());
    }
    let shown: String = declared.chars().take(40).collect();
    Err(invalid(format!("the file says encoding=\"{shown}\", but its bytes are {}", found.name()))
        .hint("Write the file as UTF-8 with encoding=\"utf-8\"."))
}

/// What is open, from the root element inwards.
enum Frame {
    Root,
    Record {
        member: usize,
        /// Its row was handed on: its fields are complete.
        emitted: bool,
    },
    /// An element in a record of XML-Element, whose content will tell what it is.
    Pending,
}

struct Body {
    style: XmlStyle,
    options: XmlOptions,
    members: Members,
    stack: Vec<Frame>,
    row: Row,
    /// Name and text of the pending element, which is always the innermost.
    name: String,
    value: String,
    root_closed: bool,
}

impl Body {
    fn new(style: XmlStyle, options: XmlOptions) -> Self {
        Self {
            style,
            members: Members::new(&options.mapped, options.loose),
            options,
            stack: Vec::new(),
            row: Row::default(),
            name: String::new(),
            value: String::new(),
            root_closed: false,
        }
    }

    fn text(&mut self, text: &str) -> Result<()> {
        if matches!(self.stack.last(), Some(Frame::Pending)) {
            self.row.check_room(self.value.len() + text.len())?;
            self.value.push_str(text);
            return Ok(());
        }
        if text.chars().all(is_space) {
            return Ok(());
        }
        let place = match self.stack.last() {
            None => "outside of the root element",
            Some(Frame::Root) => "between records",
            Some(_) => "in a record, outside of its fields",
        };
        Err(invalid(format!("there is text {place}")).hint(match self.style {
            XmlStyle::Element => "In XML-Element every value is the text of an element named like its field.",
            XmlStyle::Attribute => {
                "In XML-Attribute values are attributes; for values in elements use XML-Element."
            }
        }))
    }

    fn open(&mut self, tag: &BytesStart<'_>, sink: &mut dyn RecordSink) -> Result<()> {
        let name = tag.name();
        let name = name.as_ref();
        let depth = self.stack.len() + 1;
        if depth > self.options.max_depth as usize {
            return Err(Error::new(
                ErrorCode::PackageLimit,
                format!("the XML is nested {depth} deep, the limit is {}", self.options.max_depth),
            )
            .hint("Raise the limit xmlDepth if the file is one that you trust."));
        }
        match self.stack.last() {
            None => self.open_root(name),
            Some(Frame::Root) => self.open_record(name, None, tag.attributes_raw(), sink),
            Some(&Frame::Record { member, .. }) if self.style == XmlStyle::Attribute => {
                self.open_record(name, Some(member), tag.attributes_raw(), sink)
            }
            Some(Frame::Record { .. }) => self.open_pending(name, tag.attributes_raw()),
            Some(Frame::Pending) => {
                self.pending_is_record(sink)?;
                self.open_pending(name, tag.attributes_raw())
            }
        }
    }

    fn open_root(&mut self, name: &str) -> Result<()> {
        if self.root_closed {
            return Err(not_well_formed("there is an element after the root element"));
        }
        if name != ROOT {
            let shown: String = name.chars().take(40).collect();
            return Err(invalid(format!("the root element is <{shown}>, not <{ROOT}>"))
                .hint("A data file is <Document> with an element for each record in it."));
        }
        self.stack.push(Frame::Root);
        Ok(())
    }

    fn open_record(
        &mut self,
        name: &str,
        parent: Option<usize>,
        attributes: &str,
        sink: &mut dyn RecordSink,
    ) -> Result<()> {
        let member = match parent {
            None => self.outermost(name)?,
            Some(_) => self.members.find_or_add(name, parent)?,
        };
        self.row.clear();
        self.stack.push(Frame::Record { member, emitted: false });
        let Self { style, members, row, value, .. } = self;
        each_attribute(attributes, value, |name, value| {
            if carries_no_data(name) {
                return Ok(());
            }
            match style {
                XmlStyle::Attribute => row.set(members, member, name, value),
                XmlStyle::Element => Err(attribute_in_element_file(name)),
            }
        })?;
        // Attributes are complete at once, so the row goes out before the records in it.
        if self.style == XmlStyle::Attribute && self.row.has_fields() { self.emit_top(sink) } else { Ok(()) }
    }

    fn outermost(&mut self, name: &str) -> Result<usize> {
        if let Some(first) = self.members.infos().first() {
            if first.element != name {
                let shown: String = name.chars().take(40).collect();
                return Err(invalid(format!(
                    "the record is a <{shown}>, those before are <{}>",
                    first.element
                ))
                .hint("All records of a file are of one entity; those of a composite are nested."));
            }
            return Ok(0);
        }
        if let Some(wanted) = &self.options.record
            && !wanted.eq_ignore_ascii_case(name)
        {
            let shown: String = name.chars().take(40).collect();
            return Err(invalid(format!("the records are named <{shown}>, not <{wanted}>"))
                .hint("The element of a record is the upper-case AOT name of the entity."));
        }
        let member = self.members.find_or_add(name, None)?;
        if !self.options.mapped.is_empty() && !self.options.composite {
            self.members.fix(member, &self.options.mapped);
        }
        Ok(member)
    }

    fn open_pending(&mut self, name: &str, attributes: &str) -> Result<()> {
        each_attribute(attributes, &mut self.value, |name, _| {
            if carries_no_data(name) { Ok(()) } else { Err(attribute_in_element_file(name)) }
        })?;
        self.name.clear();
        self.name.push_str(name);
        self.value.clear();
        self.stack.push(Frame::Pending);
        Ok(())
    }

    /// The pending element contains an element, so it is a record, and the fields of the record around it are complete.
    fn pending_is_record(&mut self, sink: &mut dyn RecordSink) -> Result<()> {
        if !self.value.chars().all(is_space) {
            return Err(invalid(format!("<{}> has both a text and elements in it", self.name))
                .at_column(&self.name)
                .hint("Write < and & in values as &lt; and &amp;."));
        }
        self.stack.pop();
        let Some(&Frame::Record { member: parent, emitted }) = self.stack.last() else {
            return Err(not_well_formed("an element stands outside of a record"));
        };
        if !emitted && self.row.has_fields() {
            self.emit_top(sink)?;
        }
        let member = self.members.find_or_add(&self.name, Some(parent))?;
        self.row.clear();
        self.stack.push(Frame::Record { member, emitted: false });
        Ok(())
    }

    fn close(&mut self, name: &str, sink: &mut dyn RecordSink) -> Result<()> {
        let open = match self.stack.last() {
            None => return Err(not_well_formed("an element ends that was not begun")),
            Some(Frame::Root) => ROOT,
            Some(Frame::Record { member, .. }) => self.members.element(*member),
            Some(Frame::Pending) => &self.name,
        };
        if open != name {
            let shown: String = name.chars().take(40).collect();
            return Err(not_well_formed(&format!("<{open}> is ended by </{shown}>")));
        }
        match self.stack.last() {
            Some(Frame::Record { emitted: false, .. }) => {
                // Within a record, one without fields only says that the member exists.
                let outermost = self.stack.len() == 2;
                if self.row.has_fields() || outermost {
                    self.emit_top(sink)?;
                }
            }
            Some(Frame::Pending) => {
                self.stack.pop();
                return self.field();
            }
            _ => {}
        }
        self.stack.pop();
        self.root_closed = self.stack.is_empty();
        Ok(())
    }

    /// The pending element ended without an element in it.
    fn field(&mut self) -> Result<()> {
        let Some(&Frame::Record { member, emitted }) = self.stack.last() else {
            return Err(not_well_formed("a field stands outside of a record"));
        };
        if self.value.is_empty() && self.is_empty_record(member) {
            self.members.find_or_add(&self.name, Some(member))?;
            return Ok(());
        }
        if emitted {
            return Err(invalid(format!(
                "the field \"{}\" stands after the records in its record",
                self.name
            ))
            .at_column(&self.name)
            .hint("Put the fields of a record before the records in it."));
        }
        self.row.set(&mut self.members, member, &self.name, &self.value)
    }

    /// Whether an empty element stands for a member without records rather than for a field without value.
    fn is_empty_record(&self, parent: usize) -> bool {
        self.members.find(&self.name, Some(parent)).is_some()
            || self.options.records.contains(&self.name)
            || self.members.is_unmapped(&self.name)
    }

    /// Hands on the row of the innermost record.
    fn emit_top(&mut self, sink: &mut dyn RecordSink) -> Result<()> {
        if let [.., Frame::Record { member: parent, emitted: false }, Frame::Record { member, .. }] =
            &*self.stack
        {
            return Err(invalid(format!(
                "<{}> has no fields before the <{}> in it",
                self.members.element(*parent),
                self.members.element(*member)
            ))
            .hint("Put the fields of a record before the records in it."));
        }
        let Some(Frame::Record { member, emitted }) = self.stack.last_mut() else { return Ok(()) };
        if !self.row.has_fields()
            && self.members.infos().get(*member).is_some_and(|info| info.columns.is_empty())
        {
            return Err(invalid(format!("the record <{}> has no fields", self.members.element(*member)))
                .hint(match self.style {
                    XmlStyle::Element => "For values in attributes use the format XML-Attribute.",
                    XmlStyle::Attribute => "For values in elements use the format XML-Element.",
                }));
        }
        *emitted = true;
        self.row.emit(&mut self.members, *member, self.options.strict, sink)
    }

    fn finish(&self) -> Result<()> {
        if !self.stack.is_empty() {
            return Err(not_well_formed("the file ends before its root element does"));
        }
        if !self.root_closed {
            return Err(invalid("the file has no root element")
                .hint("A data file is <Document> with an element for each record in it."));
        }
        Ok(())
    }
}

/// Declarations of namespaces, and attributes of other namespaces such as `xsi:nil`.
fn carries_no_data(attribute: &str) -> bool {
    attribute == "xmlns" || attribute.contains(':')
}

fn attribute_in_element_file(name: &str) -> Error {
    let shown: String = name.chars().take(40).collect();
    invalid(format!("the file is XML-Element, but has the attribute \"{shown}\""))
        .at_column(&shown)
        .hint("For values in attributes use the format XML-Attribute.")
}

fn not_well_formed(message: &str) -> Error {
    invalid(format!("the XML is not well-formed: {message}"))
        .hint("Let a library write the XML, it escapes values and closes elements by itself.")
}

fn located(mut error: Error, line: u64) -> Error {
    error.message = format!("line {line}: {}", error.message);
    error.at_line(line)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
