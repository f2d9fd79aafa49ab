//! The two XML files of a package as lossless documents: what was read can be written again byte for byte, and a change
//! alters the bytes of the changed element only.
//!
//! What belongs here: bytes ⇄ tree, changes of the tree, and the rules by which the service's serializer takes the members
//! of an element (`shape`). What does not: what the members mean (`manifest`, `header`) and data files in XML (`table`).

mod document;
mod edit;
mod issue;
mod parse;
mod repair;
mod shape;
mod write;

pub(super) use document::{Document, Element, Source};
pub(super) use issue::{IssueKind, ManifestIssue};
pub(super) use repair::{Correction, correct};
pub(super) use shape::{Members, Shape, flag, issues, items, member, number};
pub(super) use write::XmlWriter;
