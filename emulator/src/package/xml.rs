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
    pub(crate) name: String,
    /// Whether it is in the namespace of data packages.
    pub(crate) known: bool,
    pub(crate) nil: bool,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

/// Parses a whole document; the error is a sentence.
pub(crate) fn parse(text: &str) -> Result<Element, String> {
    let mut reader = NsReader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(start) => {
                if open.len() == MAX_DEPTH || root.is_some() {
                    return Err("the document has more than one root or is nested too deeply".to_owned());
                }
                open.push(element(&reader, &start)?);
            }
            Event::Empty(start) => {
                let element = element(&reader, &start)?;
                close(element, &mut open, &mut root)?;
            }
            Event::End(_) => {
                let element = open.pop().ok_or("an end tag without its start tag")?;
                close(element, &mut open, &mut root)?;
            }
            Event::Text(part) => append(&mut open, &part.xml_content(XmlVersion::Implicit1_0)),
            Event::CData(part) => append(&mut open, &part.xml_content(XmlVersion::Implicit1_0)),
            Event::GeneralRef(reference) => {
                if let Some(c) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
                    append(&mut open, c.encode_utf8(&mut [0; 4]));
                } else {
                    let name = reference.xml_content(XmlVersion::Implicit1_0);
                    let value = resolve_predefined_entity(&name)
                        .ok_or(format!("reference to undeclared entity '{name}'"))?;
                    append(&mut open, value);
                }
            }
            Event::DocType(_) => return Err("a document type is not allowed".to_owned()),
            Event::Eof => break,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
    match root {
        Some(root) if open.is_empty() => Ok(root),
        _ => Err("unexpected end of file, or no root element".to_owned()),
    }
}

fn element(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Element, String> {
    let is = |found: &ResolveResult<'_>, wanted: &str| matches!(found, ResolveResult::Bound(Namespace(name)) if *name == wanted);
    let (namespace, local) = reader.resolver().resolve_element(start.name());
    let mut element =
        Element { name: local.as_ref().to_owned(), known: is(&namespace, NAMESPACE), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
        if is(&namespace, INSTANCE) && local.as_ref() == "nil" {
            element.nil = matches!(attribute.value.as_ref(), "true" | "1");
        }
    }
    Ok(element)
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Result<(), String> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_none() => *root = Some(element),
        None => return Err("the document has more than one root".to_owned()),
    }
    Ok(())
}

/// The members of an element, as a data contract takes them: `order` lists all of them as they are written. A child
/// that comes later than its place, is unknown, or is in another namespace is skipped without a word.
pub(crate) struct Members<'a>(Vec<(&'static str, &'a Element)>);

impl<'a> Members<'a> {
    pub(crate) fn of(element: &'a Element, order: &[&'static str]) -> Self {
        let mut next = 0;
        let mut found = Vec::new();
        for child in element.children.iter().filter(|child| child.known) {
            let place = order.iter().enumerate().skip(next).find(|(_, name)| **name == child.name);
            if let Some((at, name)) = place {
                next = at + 1;
                found.push((*name, child));
            }
        }
        Self(found)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Element> {
        self.0.iter().find(|(found, child)| *found == name && !child.nil).map(|(_, child)| *child)
    }

    /// Text of a member; empty where it is absent or nil.
    pub(crate) fn text(&self, name: &str) -> String {
        self.get(name).map(|child| child.text.clone()).unwrap_or_default()
    }

    /// A Boolean member; false where it is absent.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, String> {
        match self.text(name).trim() {
            "" | "false" | "0" => Ok(false),
            "true" | "1" => Ok(true),
            other => {
                Err(format!("The value '{other}' cannot be parsed as the type 'Boolean' (element '{name}')."))
            }
        }
    }

    /// An integer member; 0 where it is absent.
    pub(crate) fn int(&self, name: &str) -> Result<i32, String> {
        match self.text(name).trim() {
            "" => Ok(0),
            digits => digits.parse().map_err(|_| {
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
    }

    #[test]
    fn broken_documents_are_errors() {
        for bad in ["", "<a>", "<a></b>", "<a/><b/>", "<!DOCTYPE a><a/>", "<a>&x;</a>", &"<a>".repeat(70)] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
