//! A manifest that can be changed: what is not touched keeps its bytes.

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::package::MANIFEST_FILE;
use crate::package::xml::{
    Correction, Document, Element, ManifestIssue, Shape, Source, correct, issues, items, member,
};

use super::read::{Values, manifest, map};
use super::{
    ENTITY, ENTITY_LIST, ENTITY_MEMBERS, MANIFEST_MEMBERS, MANIFEST_SHAPE, MAP, MAP_LIST, MAP_MEMBERS,
    Manifest, Map, ROOT, TEMPLATE_ROOT,
};

/// The document of a manifest. Entities are named by their index in [`ManifestDoc::manifest`], as it is at that moment.
#[derive(Debug, Clone)]
pub(crate) struct ManifestDoc(Document);

impl ManifestDoc {
    /// Understands every manifest of a data package that is well-formed, in UTF-8 or UTF-16; see [`ManifestDoc::issues`].
    ///
    /// # Errors
    /// `MANIFEST_INVALID` for what is not well-formed, has a document type, is a data template or has another root.
    /// `PACKAGE_LIMIT` for more than `max_depth` elements in each other (at most 256), and for more than 1,000,000
    /// elements.
    pub(crate) fn parse(bytes: &[u8], max_depth: u32) -> Result<Self> {
        let document = Document::parse(bytes, MANIFEST_FILE, max_depth)?;
        let root = document.root.name(&document.source);
        if root == TEMPLATE_ROOT {
            return Err(document
                .invalid(&document.root, "the package is a data template")
                .hint("Export a data project instead: templates hold no data."));
        }
        if root != ROOT {
            return Err(document
                .invalid(&document.root, format_args!("the root element is <{root}>"))
                .hint(format!("It must be <{ROOT}>.")));
        }
        Ok(Self(document))
    }

    /// What it says. Values are taken wherever they stand, the first one where there are several, 0, false or an empty text
    /// where there is none or none of the type.
    pub(crate) fn manifest(&self) -> Manifest {
        manifest(&self.0.root, &self.0.source)
    }

    /// What the service would misread, in the order of the document, with the places it was parsed from.
    pub(crate) fn issues(&self) -> Vec<ManifestIssue> {
        issues(&self.0, ROOT, &MANIFEST_SHAPE, ENTITY)
    }

    /// The bytes, which are those it was parsed from but for what was changed since.
    pub(crate) fn write(&self) -> Result<Vec<u8>> {
        self.0.write()
    }

    /// Text of a member of the root, by the element's name; none where it is missing or has no value.
    pub(crate) fn root_text(&self, name: &str) -> Option<String> {
        Values { element: &self.0.root, source: &self.0.source }.given(name)
    }

    /// Text of a member of that entity, by the element's name; none where it is missing or has no value.
    pub(crate) fn entity_text(&self, index: usize, name: &str) -> Option<String> {
        let source = &self.0.source;
        let list = member(&self.0.root, source, ENTITY_LIST);
        let element = items(list, source, ENTITY).nth(index)?;
        Values { element, source }.given(name)
    }

    /// Keeps the entities of these indices, in the order in which they are, and everything else.
    pub(crate) fn keep_entities(&mut self, indices: &[usize]) {
        let wanted: HashSet<usize> = indices.iter().copied().collect();
        let Document { source, root, .. } = &mut self.0;
        let Some(list) = root.member_mut(source, ENTITY_LIST) else { return };
        let mut next = 0;
        list.retain(source, |_, source, child| {
            if child.name(source) != ENTITY {
                return true;
            }
            next += 1;
            wanted.contains(&(next - 1))
        });
    }

    /// Sets a member of the root, `Description` for example; one that is missing is put where it belongs.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a name that is none of its texts, and for characters that XML can't hold.
    pub(crate) fn set_root_text(&mut self, name: &str, value: &str) -> Result<()> {
        let Document { source, root, .. } = &mut self.0;
        root.set_member(source, MANIFEST_MEMBERS, name, value)
    }

    /// Sets a member of that entity, `InputFilePath` for example; one that is missing is put where it belongs.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an entity that there is not, a name that is none of its texts, flags and numbers, and for
    /// characters that XML can't hold.
    pub(crate) fn set_entity_text(&mut self, index: usize, name: &str, value: &str) -> Result<()> {
        let Document { source, root, .. } = &mut self.0;
        entity_mut(root, source, index)?.set_member(source, ENTITY_MEMBERS, name, value)
    }

    /// Makes these the maps of that entity, in this order. A map that is there already, by column and field, is kept as it
    /// is; of the others only column and field count.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an entity that there is not, and for characters that XML can't hold.
    pub(crate) fn set_maps(&mut self, index: usize, maps: &[Map]) -> Result<()> {
        let Document { source, root, .. } = &mut self.0;
        let nil = root.nil_attribute(source);
        let entity = entity_mut(root, source, index)?;
        if entity.member_mut(source, MAP_LIST).is_none() {
            let prefix = entity.prefix(source).to_owned();
            let list = Element::blank(source, &prefix, MAP_LIST);
            entity.insert_member(source, ENTITY_MEMBERS, list);
        }
        let around = entity.indent(source).to_owned();
        match entity.member_mut(source, MAP_LIST) {
            Some(list) => fill(list, source, maps, nil.as_deref(), &around),
            None => Ok(()),
        }
    }

    /// Corrects namespaces, order and repetitions, so that the service takes what [`ManifestDoc::manifest`] says. Bad values
    /// stay.
    ///
    /// # Errors
    /// `MANIFEST_INVALID` where a namespace can't be corrected, for example because there are too many prefixes.
    pub(crate) fn correct(&mut self) -> Result<Correction> {
        correct(&mut self.0, &MANIFEST_SHAPE)
    }
}

fn entity_mut<'e>(root: &'e mut Element, source: &Source, index: usize) -> Result<&'e mut Element> {
    let list = root.member_mut(source, ENTITY_LIST).filter(|list| !list.nil);
    let mut entities =
        list.into_iter().flat_map(|list| &mut list.children).filter(|child| child.name(source) == ENTITY);
    entities.nth(index).ok_or_else(|| Error::argument(format!("the manifest has no entity {index}")))
}

/// Replaces the maps of a list whose parent is indented by `around`.
fn fill(
    list: &mut Element,
    source: &mut Source,
    maps: &[Map],
    nil: Option<&str>,
    around: &str,
) -> Result<()> {
    let prefix = list.prefix(source).to_owned();
    let (old, mut children): (Vec<_>, Vec<_>) =
        std::mem::take(&mut list.children).into_iter().partition(|child| child.name(source) == MAP);
    let own = list.indent(source).to_owned();
    let indent = match old.first() {
        Some(first) => first.indent(source).to_owned(),
        None => {
            list.set_tail(source, &own);
            format!("{own}{}", own.strip_prefix(around).unwrap_or_default())
        }
    };
    let mut kept = HashMap::new();
    for element in old {
        let Map { column, field, .. } = map(Values { element: &element, source });
        kept.entry((column, field)).or_insert(element);
    }
    for map in maps {
        let element = match kept.remove(&(map.column.clone(), map.field.clone())) {
            Some(element) => element,
            None => {
                let mut element = new_map(source, &prefix, map, nil)?;
                element.set_indent(source, &indent);
                element
            }
        };
        children.push(element);
    }
    list.fill(source, children);
    Ok(())
}

/// As the service writes it. Where no prefix is declared for `nil`, the list of conversions is left out, which says the same.
fn new_map(source: &mut Source, prefix: &str, map: &Map, nil: Option<&str>) -> Result<Element> {
    let mut children = Vec::with_capacity(MAP_MEMBERS.len());
    for (name, shape) in MAP_MEMBERS {
        let text = match shape {
            Shape::Flag => "false",
            Shape::Number => "0",
            Shape::Text if *name == "EntityField" => &map.field,
            Shape::Text => &map.column,
            Shape::Fixed(_) | Shape::Opaque | Shape::List(..) | Shape::Members(_) => {
                children.extend(nil.map(|nil| Element::without_value(source, prefix, name, nil)));
                continue;
            }
        };
        children.push(Element::with_text(source, prefix, name, text)?);
    }
    let mut element = Element::blank(source, prefix, MAP);
    element.fill(source, children);
    Ok(element)
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
