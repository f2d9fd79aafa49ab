//! Puts a document into the form in which the service takes every value that we took: what `issues` says of namespaces,
//! order and repetition is gone afterwards, and what was read before is read again.

use crate::error::Result;

use super::document::{Document, Element, Source};
use super::shape::{Fault, Shape, survey};

/// What was changed, as numbers of elements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Correction {
    /// Got the namespace of data packages.
    pub(crate) namespaces: usize,
    /// Were moved to their place in the alphabetical order.
    pub(crate) moved: usize,
    /// Were removed, since the service ignores them anyway: repeated ones, and those of another namespace beside one of ours.
    pub(crate) removed: usize,
    /// Got the only value that the service takes there.
    pub(crate) values: usize,
}

/// Corrects the document; values stay as they are, bad ones too.
///
/// # Errors
/// `MANIFEST_INVALID` where a namespace can't be corrected without leaving the limits of the parser.
pub(crate) fn correct(document: &mut Document, shape: &'static Shape) -> Result<Correction> {
    let namespaces = correct_namespaces(document, shape)?;
    let Document { source, root, .. } = document;
    let moved = sort(root, source, shape);
    let removed = remove(root, source, shape);
    Ok(Correction { namespaces, moved, removed, values: 0 })
}

/// From outside inwards: an element that is bound may bring what is in it along, so the document is looked at anew. There are
/// as many rounds as levels in the shape.
fn correct_namespaces(document: &mut Document, shape: &'static Shape) -> Result<usize> {
    let mut total = 0;
    loop {
        let Document { source, root, recognised, .. } = document;
        let bound = if *recognised {
            bind(root, source, shape)
        } else {
            root.bind(source);
            1
        };
        if bound == 0 {
            return Ok(total);
        }
        total += bound;
        *document = Document::parse(&document.write()?, document.file, document.max_depth)?;
    }
}

fn bind(element: &mut Element, source: &mut Source, shape: &'static Shape) -> usize {
    inner(element, source, shape, &mut |child, source, shape| {
        if child.ours {
            return bind(child, source, shape);
        }
        child.bind(source);
        1
    })
}

fn sort(element: &mut Element, source: &mut Source, shape: &'static Shape) -> usize {
    let mut moved = 0;
    if let Shape::Members(members) = shape {
        let mut late = survey(element, source, members).faults;
        late.retain(|(_, _, fault)| matches!(fault, Fault::Late(_)));
        moved = late.len();
        let mut late = late.into_iter().map(|(index, ..)| index).peekable();
        let (moving, staying): (Vec<_>, Vec<_>) = std::mem::take(&mut element.children)
            .into_iter()
            .enumerate()
            .partition(|(index, _)| late.next_if_eq(index).is_some());
        element.children = staying.into_iter().map(|(_, child)| child).collect();
        for (_, child) in moving {
            let place = element.place_of(source, members, &child);
            element.children.insert(place, child);
        }
    }
    moved + inner(element, source, shape, &mut sort)
}

fn remove(element: &mut Element, source: &mut Source, shape: &'static Shape) -> usize {
    let mut removed = 0;
    if let Shape::Members(members) = shape {
        // Those of another namespace that count are bound by now, and late ones moved.
        let surplus = survey(element, source, members).faults;
        removed = surplus.len();
        let mut surplus = surplus.into_iter().map(|(index, ..)| index).peekable();
        if removed > 0 {
            element.retain(source, |index, _, _| surplus.next_if_eq(&index).is_none());
        }
    }
    removed + inner(element, source, shape, &mut remove)
}

/// Does something with every child that counts and has children of its own; the sum.
fn inner(
    element: &mut Element,
    source: &mut Source,
    shape: &'static Shape,
    visit: &mut dyn FnMut(&mut Element, &mut Source, &'static Shape) -> usize,
) -> usize {
    let mut total = 0;
    match shape {
        _ if element.nil => {}
        Shape::List(name, shape) => {
            for child in &mut element.children {
                if child.name(source) == *name {
                    total += visit(child, source, shape);
                }
            }
        }
        Shape::Members(members) => {
            let chosen = survey(element, source, members).chosen;
            for (index, (_, shape)) in chosen.into_iter().zip(*members) {
                if let Some(child) = index.and_then(|index| element.children.get_mut(index)) {
                    total += visit(child, source, shape);
                }
            }
        }
        Shape::Text | Shape::Fixed(_) | Shape::Flag | Shape::Number | Shape::Opaque => {}
    }
    total
}
