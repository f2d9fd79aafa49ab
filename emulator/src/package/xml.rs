//! A small tree of XML elements, and the way a .NET data contract reads it.

use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

/// Namespace of everything in the two files.
pub(crate) const NAMESPACE: &str = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement";

const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// An element.
#[derive(Debug, Default)]
pub(crate) struct Element {
    /// Without prefix.
    pub(crate) name: String,
    /// Whether it is in the namespace of data packages.
    pub(crate) known: bool,
    /// Whether it is in no namespace.
    pub(crate) plain: bool,
    pub(crate) nil: bool,
    pub(crate) text: String,
    /// Attributes without those that declare namespaces; the names as they are written.
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    /// 1-based line of the start tag.
    pub(crate) line: usize,
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// First child of this name, in any namespace.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// Parses a whole document; the error is a sentence.
pub(crate) fn parse(text: &str) -> Result<Element, String> {
    let mut children = Vec::new();
    let mut root = each_child(text, &mut |_, child| {
        children.push(child);
        Ok(())
    })?;
    root.children = children;
    Ok(root)
}

/// Parses a whole document, handing over each child of the root once it is complete, so that a long document is
/// never in memory as a tree. Returns the root without its children. Strict where .NET's reader is: characters,
/// declarations, namespaces, document types.
pub(crate) fn each_child(
    text: &str,
    visit: &mut dyn FnMut(&Element, Element) -> Result<(), String>,
) -> Result<Element, String> {
    check_characters(text)?;
    let mut reader = NsReader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut lines = Lines { text, at: 0, line: 1 };
    let mut close = |element: Element, open: &mut Vec<Element>| {
        match open.as_mut_slice() {
            [] if root.is_none() => root = Some(element),
            [] => return Err("There are multiple root elements.".to_owned()),
            [parent] => visit(parent, element)?,
            [.., parent] => parent.children.push(element),
        }
        Ok(())
    };
    let mut begun = false;
    loop {
        let start_of_event = reader.buffer_position();
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let line = lines.upto(start_of_event);
        match event {
            Event::Start(start) => {
                if open.len() == MAX_DEPTH {
                    return Err(format!("The elements are nested too deeply. Line {line}."));
                }
                open.push(element(&reader, &start, line)?);
            }
            Event::Empty(start) => {
                let element = element(&reader, &start, line)?;
                close(element, &mut open)?;
            }
            Event::End(_) => {
                let element = open.pop().ok_or("an end tag without its start tag")?;
                close(element, &mut open)?;
            }
            Event::Text(part) => {
                let content = part.xml_content(XmlVersion::Implicit1_0);
                if content.contains("]]>") {
                    return Err(format!("']]>' is not allowed in character data. Line {line}."));
                }
                append(&mut open, &content, line)?;
            }
            Event::CData(part) => append(&mut open, &part.xml_content(XmlVersion::Implicit1_0), line)?,
            Event::GeneralRef(reference) => {
                if let Some(c) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
                    if !is_legal(c) {
                        return Err(invalid_character(c, line));
                    }
                    append(&mut open, c.encode_utf8(&mut [0; 4]), line)?;
                } else {
                    let name = reference.xml_content(XmlVersion::Implicit1_0);
                    let value = resolve_predefined_entity(&name)
                        .ok_or(format!("Reference to undeclared entity '{name}'. Line {line}."))?;
                    append(&mut open, value, line)?;
                }
            }
            Event::DocType(_) => {
                return Err("For security reasons DTD is prohibited in this XML document.".to_owned());
            }
            Event::Eof => break,
            Event::Decl(_) if begun => {
                return Err(format!(
                    "Unexpected XML declaration. It must be the first node in the document. Line {line}."
                ));
            }
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
        begun = true;
    }
    match root {
        Some(root) if open.is_empty() => Ok(root),
        _ => Err("Root element is missing, or there is an unexpected end of file.".to_owned()),
    }
}

/// Counts lines up to positions that only grow.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn upto(&mut self, position: u64) -> usize {
        let to = usize::try_from(position).unwrap_or(usize::MAX).min(self.text.len());
        let passed = self.text.as_bytes().get(self.at..to).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.at = self.at.max(to);
        self.line
    }
}

/// Whether XML 1.0 has the character.
pub(crate) fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

fn check_characters(text: &str) -> Result<(), String> {
    match text.char_indices().find(|(_, c)| !is_legal(*c)) {
        None => Ok(()),
        Some((at, c)) => {
            let before = text.as_bytes().get(..at).unwrap_or_default();
            Err(invalid_character(c, 1 + before.iter().filter(|byte| **byte == b'\n').count()))
        }
    }
}

fn invalid_character(c: char, line: usize) -> String {
    format!("hexadecimal value 0x{:02X}, is an invalid character. Line {line}.", u32::from(c))
}

fn element(reader: &NsReader<&[u8]>, start: &BytesStart<'_>, line: usize) -> Result<Element, String> {
    let is = |found: &ResolveResult<'_>, wanted: &str| matches!(found, ResolveResult::Bound(Namespace(name)) if *name == wanted);
    let undeclared = |found: &ResolveResult<'_>| match found {
        ResolveResult::Unknown(prefix) => Err(format!("'{prefix}' is an undeclared prefix. Line {line}.")),
        _ => Ok(()),
    };
    let (namespace, local) = reader.resolver().resolve_element(start.name());
    undeclared(&namespace)?;
    let mut element = Element {
        name: local.as_ref().to_owned(),
        known: is(&namespace, NAMESPACE),
        plain: matches!(namespace, ResolveResult::Unbound),
        line,
        ..Element::default()
    };
    check_name(start.name().as_ref(), line)?;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        check_name(attribute.key.as_ref(), line)?;
        if attribute.value.contains('<') {
            return Err(format!("'<' is an invalid attribute character. Line {line}."));
        }
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
        undeclared(&namespace)?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| format!("{error}. Line {line}."))?;
        if let Some(c) = value.chars().find(|c| !is_legal(*c)) {
            return Err(invalid_character(c, line));
        }
        if is(&namespace, INSTANCE) && local.as_ref() == "nil" {
            element.nil = matches!(value.trim(), "true" | "1");
        }
        element.attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(element)
}

/// Names begin with a letter or an underscore and hold nothing of punctuation but `.`, `-`, `_` and one colon.
fn check_name(name: &str, line: usize) -> Result<(), String> {
    let starts = |c: char| c.is_alphabetic() || c == '_';
    let good = name.split(':').all(|part| {
        part.starts_with(starts)
            && part.chars().all(|c| {
                starts(c)
                    || c.is_numeric()
                    || matches!(c, '.' | '-' | '\u{B7}')
                    || ('\u{300}'..='\u{36F}').contains(&c)
            })
    });
    if good && name.matches(':').count() <= 1 {
        Ok(())
    } else {
        Err(format!("'{name}' is not a valid name. Line {line}."))
    }
}

fn append(open: &mut [Element], text: &str, line: usize) -> Result<(), String> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim_matches([' ', '\t', '\r', '\n', '\u{FEFF}']).is_empty() => {}
        None => return Err(format!("Data at the root level is invalid. Line {line}.")),
    }
    Ok(())
}

/// The members of an element, as a data contract takes them: `order` lists all of them as they are written. A child
/// that comes later than its place, is unknown, or is in another namespace is skipped without a word.
pub(crate) struct Members<'a> {
    found: Vec<(&'static str, &'a Element)>,
    /// Members that are there and were skipped: too late, a second time, or in another namespace.
    pub(crate) skipped: Vec<&'a str>,
}

impl<'a> Members<'a> {
    pub(crate) fn of(element: &'a Element, order: &[&'static str]) -> Self {
        let mut next = 0;
        let mut members = Self { found: Vec::new(), skipped: Vec::new() };
        for child in &element.children {
            let place = order.iter().enumerate().skip(next).find(|(_, name)| **name == child.name);
            match place {
                Some((at, name)) if child.known => {
                    next = at + 1;
                    members.found.push((*name, child));
                }
                _ if order.contains(&child.name.as_str()) => members.skipped.push(&child.name),
                _ => {}
            }
        }
        members
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Element> {
        self.found.iter().find(|(found, child)| *found == name && !child.nil).map(|(_, child)| *child)
    }

    /// Text of a member; empty where it is absent or nil.
    pub(crate) fn text(&self, name: &str) -> String {
        self.get(name).map(|child| child.text.clone()).unwrap_or_default()
    }

    /// A Boolean member; false where it is absent.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, String> {
        match self.get(name).map(|child| child.text.trim()) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(other) => {
                Err(format!("The value '{other}' cannot be parsed as the type 'Boolean' (element '{name}')."))
            }
        }
    }

    /// An integer member; 0 where it is absent.
    pub(crate) fn int(&self, name: &str) -> Result<i32, String> {
        match self.get(name).map(|child| child.text.trim()) {
            None => Ok(0),
            Some(digits) => digits.parse().map_err(|_| {
                format!("The value '{digits}' cannot be parsed as the type 'Int32' (element '{name}').")
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_and_foreign_members_are_skipped() {
        let text = format!(
            "<r xmlns='{NAMESPACE}' xmlns:i='{INSTANCE}'><B>2</B><A>1</A><X/><C xmlns=''>3</C><D i:nil='true'/><E>a&amp;b&#233;</E></r>"
        );
        let root = parse(&text).unwrap();
        let members = Members::of(&root, &["A", "B", "C", "D", "E"]);
        assert_eq!(members.text("A"), "");
        assert_eq!(members.text("B"), "2");
        assert_eq!(members.text("C"), "");
        assert!(members.get("D").is_none());
        assert_eq!(members.text("E"), "a&bé");
        assert_eq!(members.skipped, ["A", "C"]);
        let empty = parse(&format!("<r xmlns='{NAMESPACE}'><A/><B>True</B></r>")).unwrap();
        let members = Members::of(&empty, &["A", "B", "C"]);
        assert!(members.flag("A").is_err() && members.flag("B").is_err() && members.int("A").is_err());
        assert_eq!((members.flag("C"), members.int("C")), (Ok(false), Ok(0)));
    }

    #[test]
    fn broken_documents_are_errors() {
        let deep = "<a>".repeat(70);
        let bad = [
            "",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<!DOCTYPE a><a/>",
            "<a>&x;</a>",
            deep.as_str(),
            "x<a/>",
            "<a/>x",
            "<a/> <?xml version='1.0'?>",
            "<p:a/>",
            "<a p:b='1'/>",
            "<a b='1' b='2'/>",
            "<a b='<'/>",
            "<a b=1/>",
            "<a>]]></a>",
            "<a>\u{1}</a>",
            "<a>&#1;</a>",
            "<a b='&#0;'/>",
            "<a b='&#x1F;'/>",
            "<1a/>",
            "<a$/>",
            "<a><!-- -- --></a>",
            "<a>\u{FFFE}</a>",
        ];
        for bad in bad {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse("<a>\t\r\n\u{20}\u{FFFD}\u{10FFFF}&#9;</a>").is_ok());
    }

    #[test]
    fn attributes_and_lines() {
        let root = parse("<?xml version='1.0'?>\n<a>\n <b X='1&amp;2' Y='p&#10;q\nr'/>\n<c/></a>").unwrap();
        let b = &root.children[0];
        assert_eq!((b.attribute("X"), b.attribute("Y"), b.line), (Some("1&2"), Some("p\nq r"), 3));
        assert_eq!((root.line, root.child("c").unwrap().line), (2, 5));
    }
}
