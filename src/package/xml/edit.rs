//! Changes of single elements. Each alters the spans of the element that it is made on, and of nothing else.

use crate::error::{Error, Result};

use super::document::{Element, Source, Span, WHITE, split_indent};
use super::shape::{Members, find};
use super::write::{NAMESPACE, SCHEMA_INSTANCE, escape};

impl Element {
    /// A new element with that text, in the namespace of its parent by the parent's prefix.
    pub(crate) fn with_text(source: &mut Source, prefix: &str, name: &str, text: &str) -> Result<Self> {
        let mut element = Self::blank(source, prefix, name);
        element.set_text(source, text)?;
        Ok(element)
    }

    /// A new element without any value: `<X i:nil="true" />`, where `nil` is `i:nil` or as the prefix is in the document.
    pub(crate) fn without_value(source: &mut Source, prefix: &str, name: &str, nil: &str) -> Self {
        let open = source.add(&format!("<{prefix}{name} {nil}=\"true\" />"));
        Self { open, nil: true, ..Self::blank(source, prefix, name) }
    }

    /// A new element with nothing in it: `<X />`.
    pub(crate) fn blank(source: &mut Source, prefix: &str, name: &str) -> Self {
        Self {
            lead: Span::default(),
            open: source.add(&format!("<{prefix}{name} />")),
            children: Vec::new(),
            tail: Span::default(),
            close: Span::default(),
            ours: true,
            nil: false,
        }
    }

    /// The member of that name whose value counts; it may be without value.
    pub(crate) fn member_mut(&mut self, source: &Source, name: &str) -> Option<&mut Self> {
        find(self, source, name).and_then(|index| self.children.get_mut(index))
    }

    /// Replaces what is in the element. Of its start tag everything stays but a `nil`.
    pub(crate) fn set_text(&mut self, source: &mut Source, text: &str) -> Result<()> {
        let mut escaped = String::new();
        escape(self.name(source), text, &mut escaped)?;
        if escaped.is_empty() {
            self.fold(source);
        } else {
            self.unfold(source);
        }
        self.children.clear();
        self.tail = source.add(&escaped);
        Ok(())
    }

    /// Replaces the children.
    pub(crate) fn fill(&mut self, source: &mut Source, children: Vec<Self>) {
        if children.is_empty() {
            self.tail = Span::default();
            self.fold(source);
        } else {
            self.unfold(source);
        }
        self.children = children;
    }

    /// Sets a text, flag or number among the members; one that is missing is put where it belongs.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a name that is none of them, a value not of the type, and characters that XML can't hold.
    pub(crate) fn set_member(
        &mut self,
        source: &mut Source,
        members: Members,
        name: &str,
        value: &str,
    ) -> Result<()> {
        let Some((name, shape)) = members.iter().find(|(known, _)| *known == name) else {
            return Err(Error::argument(format!("<{}> has no <{name}>", self.name(source))));
        };
        if !shape.takes(value) {
            return Err(Error::argument(format!("<{name}> can't be {value:?}")));
        }
        if let Some(found) = self.member_mut(source, name) {
            return found.set_text(source, value);
        }
        let prefix = self.prefix(source).to_owned();
        let member = Self::with_text(source, &prefix, name, value)?;
        self.insert_member(source, members, member);
        Ok(())
    }

    /// Puts a new member where the service expects it, with the white space of its neighbour before it.
    pub(crate) fn insert_member(&mut self, source: &mut Source, members: Members, mut member: Self) {
        self.unfold(source);
        let place = self.place_of(source, members, &member);
        let neighbour = self.children.get(place).or_else(|| self.children.last());
        let indent = neighbour.map_or_else(String::new, |neighbour| neighbour.indent(source).to_owned());
        member.lead = source.add(&indent);
        self.children.insert(place, member);
    }

    /// Before the first member that has to come later, and before the unknown elements there that are later by name.
    pub(super) fn place_of(&self, source: &Source, members: Members, member: &Self) -> usize {
        let name = member.name(source);
        let known = |child: &Self| members.iter().any(|(known, _)| *known == child.name(source));
        let later = |child: &Self| child.name(source) > name;
        let first = self.children.iter().position(|child| later(child) && known(child));
        let mut place = first.unwrap_or(self.children.len());
        while let Some(before) = place.checked_sub(1) {
            if !self.children.get(before).is_some_and(|child| later(child) && !known(child)) {
                break;
            }
            place = before;
        }
        place
    }

    /// Keeps the children for whose index `keep` says so. With a child goes the white space before it; comments stay.
    pub(crate) fn retain(
        &mut self,
        source: &mut Source,
        mut keep: impl FnMut(usize, &Source, &Self) -> bool,
    ) {
        let mut left = String::new();
        let mut kept = Vec::new();
        for (index, mut child) in std::mem::take(&mut self.children).into_iter().enumerate() {
            if keep(index, source, &child) {
                child.lead = prepend(source, &mut left, child.lead);
                kept.push(child);
            } else {
                left.push_str(split_indent(source.get(child.lead)).0);
            }
        }
        self.tail = prepend(source, &mut left, self.tail);
        self.children = kept;
    }

    /// Binds the element's prefix, or its lack of one, to the namespace of data packages.
    pub(super) fn bind(&mut self, source: &mut Source) {
        let prefix = self.prefix(source);
        let attribute = match prefix.strip_suffix(':') {
            Some(prefix) => format!("xmlns:{prefix}"),
            None => "xmlns".to_owned(),
        };
        let tag = source.get(self.open);
        let (start, end, new) = match attributes(tag).into_iter().find(|found| found.name == attribute) {
            Some(found) => (found.value.start, found.value.end, NAMESPACE.to_owned()),
            None => {
                let at = 1 + self.qualified(source).len();
                (at, at, format!(" {attribute}=\"{NAMESPACE}\""))
            }
        };
        let before = tag.get(..start).unwrap_or_default();
        let after = tag.get(end..).unwrap_or_default();
        let tag = format!("{before}{new}{after}");
        self.open = source.add(&tag);
        self.ours = true;
    }

    /// Name of the attribute `nil`, where the element declares a prefix for it.
    pub(crate) fn nil_attribute(&self, source: &Source) -> Option<String> {
        let tag = source.get(self.open);
        attributes(tag).into_iter().find_map(|found| {
            let value = tag.get(found.value.start..found.value.end)?;
            let prefix = found.name.strip_prefix("xmlns:")?;
            (value == SCHEMA_INSTANCE).then(|| format!("{prefix}:nil"))
        })
    }

    /// Changes the white space before the element, but not the comments there.
    pub(crate) fn set_indent(&mut self, source: &mut Source, indent: &str) {
        let lead = format!("{}{indent}", split_indent(source.get(self.lead)).0);
        self.lead = source.add(&lead);
    }

    /// What stands before the end tag.
    pub(crate) fn set_tail(&mut self, source: &mut Source, tail: &str) {
        self.tail = source.add(tail);
    }

    /// Gives it a start and an end tag, and a value.
    fn unfold(&mut self, source: &mut Source) {
        if self.close.is_empty() {
            let head = self.head(source);
            self.open = source.add(&format!("{head}>"));
            self.close = source.add(&format!("</{}>", self.qualified(source).to_owned()));
        } else if self.nil {
            let head = self.head(source);
            self.open = source.add(&format!("{head}>"));
        }
        self.nil = false;
    }

    /// Makes `<X />` of it.
    fn fold(&mut self, source: &mut Source) {
        if !self.close.is_empty() || self.nil {
            let head = self.head(source);
            self.open = source.add(&format!("{head} />"));
        }
        self.close = Span::default();
        self.nil = false;
    }

    /// The start tag without its end and without `nil`.
    fn head(&self, source: &Source) -> String {
        let tag = source.get(self.open);
        let nil = attributes(tag).into_iter().find(|found| self.nil && found.name.ends_with(":nil"));
        let tag = match nil {
            Some(nil) => {
                let before = tag.get(..nil.start).unwrap_or_default();
                let after = tag.get(nil.value.end + 1..).unwrap_or_default();
                format!("{before}{after}")
            }
            None => tag.to_owned(),
        };
        let tag = tag.strip_suffix('>').unwrap_or(&tag);
        tag.strip_suffix('/').unwrap_or(tag).trim_end_matches(WHITE).to_owned()
    }
}

/// `left`, which it empties, and the span behind it as one.
fn prepend(source: &mut Source, left: &mut String, span: Span) -> Span {
    if left.is_empty() {
        return span;
    }
    let joined = format!("{left}{}", source.get(span));
    left.clear();
    source.add(&joined)
}

/// An attribute of a start tag.
struct Attribute<'t> {
    name: &'t str,
    /// Where the white space before it begins.
    start: usize,
    /// Between the quotes.
    value: Span,
}

/// The attributes of a tag that was found well-formed.
fn attributes(tag: &str) -> Vec<Attribute<'_>> {
    let mut found = Vec::new();
    let mut at = tag.find(WHITE).unwrap_or(tag.len());
    while let Some(attribute) = attribute(tag, at) {
        at = attribute.value.end + 1;
        found.push(attribute);
    }
    found
}

fn attribute(tag: &str, start: usize) -> Option<Attribute<'_>> {
    let rest = tag.get(start..)?;
    let begin = tag.len() - rest.trim_start_matches(WHITE).len();
    let (name, after) = tag.get(begin..)?.split_once('=')?;
    let value = after.trim_start_matches(WHITE);
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let from = tag.len() - value.len() + 1;
    let length = tag.get(from..)?.find(quote)?;
    Some(Attribute {
        name: name.trim_end_matches(WHITE),
        start,
        value: Span { start: from, end: from + length },
    })
}
