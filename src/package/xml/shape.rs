//! What the service's serializer expects in an element, and how it takes what it finds: members by name, in alphabetical
//! order, each once; one that comes too late, again or in another namespace it ignores without a word.

use crate::order::sort_by;

use super::document::{Document, Element, Source, WHITE};
use super::issue::{IssueKind, ManifestIssue};

/// What is expected in an element.
#[derive(Debug)]
pub(crate) enum Shape {
    Text,
    /// This text.
    Fixed(&'static str),
    /// `true` or `false`.
    Flag,
    /// A whole number of 32 bits.
    Number,
    /// Anything: it is kept, not looked into.
    Opaque,
    /// Elements of one name.
    List(&'static str, &'static Shape),
    /// Elements by name, in the order in which the service writes them, which is the ordinal one.
    Members(Members),
}

/// Names and shapes of an element's members.
pub(crate) type Members = &'static [(&'static str, Shape)];

impl Shape {
    /// Whether the service understands this as the text of such an element; white space around a value is allowed.
    pub(crate) fn takes(&self, text: &str) -> bool {
        match self {
            Self::Text => true,
            Self::Fixed(expected) => text.trim_matches(WHITE) == *expected,
            Self::Flag => flag(text).is_some(),
            Self::Number => number(text).is_some(),
            Self::Opaque | Self::List(..) | Self::Members(_) => false,
        }
    }
}

/// The member of that name, unless it has no value: the first one, be it late or not, and only where there is none else one
/// of another namespace.
pub(crate) fn member<'e>(parent: &'e Element, source: &Source, name: &str) -> Option<&'e Element> {
    find(parent, source, name).and_then(|index| parent.children.get(index)).filter(|found| !found.nil)
}

/// Index of that member among the children; it may have no value.
pub(super) fn find(parent: &Element, source: &Source, name: &str) -> Option<usize> {
    let named = |ours: bool| {
        parent.children.iter().position(|child| child.ours == ours && child.name(source) == name)
    };
    named(true).or_else(|| named(false))
}

/// The elements of a list; those of other names are skipped, as the service does.
pub(crate) fn items<'e>(
    list: Option<&'e Element>,
    source: &'e Source,
    name: &'static str,
) -> impl Iterator<Item = &'e Element> {
    list.into_iter().flat_map(|list| &list.children).filter(move |item| item.name(source) == name)
}

/// Everything in the document that the service would misread, in the order of the document. `entities` is the name of the
/// elements whose index the issues bear.
pub(crate) fn issues(
    document: &Document,
    name: &'static str,
    shape: &'static Shape,
    entities: &str,
) -> Vec<ManifestIssue> {
    let mut check = Check { document, entities, entity: None, next_entity: 0, found: Vec::new() };
    if !document.recognised {
        check.add(&document.root, name, IssueKind::WrongRootNamespace);
    }
    check.element(&document.root, name, shape);
    check.into_issues()
}

/// What [`survey`] says of a known member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Foreign,
    Late(&'static str),
    Twice,
}

/// A parent's members.
pub(super) struct Survey {
    /// For each member of the shape the index of the child whose value counts.
    pub(super) chosen: Vec<Option<usize>>,
    /// Child, member and what is wrong with it, in the order of the children.
    pub(super) faults: Vec<(usize, &'static str, Fault)>,
}

pub(super) fn survey(parent: &Element, source: &Source, members: Members) -> Survey {
    let mut chosen = vec![None; members.len()];
    let mut foreign = chosen.clone();
    let mut faults = Vec::new();
    let mut last = None;
    for (index, child) in parent.children.iter().enumerate() {
        let name = child.name(source);
        let Some((place, (name, _))) = members.iter().enumerate().find(|(_, (known, _))| *known == name)
        else {
            continue;
        };
        let slots = if child.ours { &mut chosen } else { &mut foreign };
        let Some(slot) = slots.get_mut(place) else { continue };
        if !child.ours {
            slot.get_or_insert(index);
            faults.push((index, *name, Fault::Foreign));
        } else if slot.is_some() {
            faults.push((index, *name, Fault::Twice));
        } else {
            *slot = Some(index);
            match last {
                Some((at, after)) if place < at => faults.push((index, *name, Fault::Late(after))),
                _ => last = Some((place, *name)),
            }
        }
    }
    for (slot, other) in chosen.iter_mut().zip(foreign) {
        *slot = slot.or(other);
    }
    Survey { chosen, faults }
}

struct Check<'d> {
    document: &'d Document,
    entities: &'d str,
    entity: Option<usize>,
    next_entity: usize,
    /// With the byte where the element begins.
    found: Vec<(usize, ManifestIssue)>,
}

impl Check<'_> {
    fn element(&mut self, element: &Element, name: &'static str, shape: &'static Shape) {
        match shape {
            Shape::Opaque => {}
            Shape::Text | Shape::Fixed(_) if element.nil => {}
            Shape::Text => self.value(element, name, shape, "a text"),
            Shape::Fixed(expected) => self.value(element, name, shape, expected),
            Shape::Flag => self.value(element, name, shape, "true or false"),
            Shape::Number => self.value(element, name, shape, "a whole number"),
            Shape::List(..) | Shape::Members(_) if element.nil => {}
            Shape::List(item, shape) => self.list(element, item, shape),
            Shape::Members(members) => self.members(element, members),
        }
    }

    fn members(&mut self, parent: &Element, members: Members) {
        let Survey { chosen, faults } = survey(parent, &self.document.source, members);
        for (index, name, fault) in faults {
            let kind = match fault {
                Fault::Foreign => IssueKind::ForeignNamespace,
                Fault::Late(after) => IssueKind::Late { after },
                Fault::Twice => IssueKind::Twice,
            };
            if let Some(child) = parent.children.get(index) {
                self.add(child, name, kind);
            }
        }
        for ((name, shape), index) in members.iter().zip(chosen) {
            if let Some(child) = index.and_then(|index| parent.children.get(index)) {
                self.element(child, name, shape);
            }
        }
    }

    fn list(&mut self, list: &Element, name: &'static str, shape: &'static Shape) {
        for item in items(Some(list), &self.document.source, name) {
            if name == self.entities {
                self.entity = Some(self.next_entity);
                self.next_entity += 1;
            }
            if !item.ours {
                self.add(item, name, IssueKind::ForeignNamespace);
            }
            self.element(item, name, shape);
            if name == self.entities {
                self.entity = None;
            }
        }
    }

    fn value(&mut self, element: &Element, name: &'static str, shape: &Shape, expected: &'static str) {
        let source = &self.document.source;
        let found = match element.text(source) {
            _ if element.nil => "i:nil".to_owned(),
            Some(text) if shape.takes(&text) => return,
            Some(text) => text.chars().take(SHOWN).collect(),
            None => {
                element.children.iter().take(1).map(|child| format!("<{}>", child.name(source))).collect()
            }
        };
        self.add(element, name, IssueKind::BadValue { found, expected });
    }

    fn add(&mut self, at: &Element, element: &'static str, kind: IssueKind) {
        let (file, entity) = (self.document.file, self.entity);
        self.found.push((at.open.start, ManifestIssue { file, kind, element, entity, line: 0, column: 0 }));
    }

    /// Lines are counted once from start to end, however many issues there are.
    fn into_issues(mut self) -> Vec<ManifestIssue> {
        sort_by(&mut self.found, |(a, _), (b, _)| a.cmp(b));
        let mut characters = self.document.source.0.char_indices().peekable();
        let (mut line, mut column) = (1, 1);
        let place = |(at, issue): (usize, ManifestIssue)| {
            while let Some((_, c)) = characters.next_if(|(index, _)| *index < at) {
                (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
            ManifestIssue { line, column, ..issue }
        };
        self.found.into_iter().map(place).collect()
    }
}

/// Characters of a bad value that are shown.
const SHOWN: usize = 40;

/// As the service reads it; white space around it is allowed.
pub(crate) fn flag(text: &str) -> Option<bool> {
    match text.trim_matches(WHITE) {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// As the service reads it; white space around it is allowed.
pub(crate) fn number(text: &str) -> Option<i32> {
    text.trim_matches(WHITE).parse().ok()
}
