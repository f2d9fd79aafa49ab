//! Conditions on rows: as trees, as the text of `$filter`, and as a question about a row at hand.
//!
//! What belongs here: the tree ([`Filter`]), its reading from text by the grammar of OData ([`Filter::parse`]), its checking and
//! writing for an entity ([`Filter::render`]), our model of what the service answers ([`Filter::matches`]), what is sent in
//! place of a filter that the service can't apply, the parts of one that is too long, and the smaller texts of a request that
//! share the grammar (`$orderby`, `$select`, `$expand`, keys, literals). What does not: companies and URLs (`query`), and the
//! reading of pages (`listing`).
//!
//! Whatever the grammar allows is recognised. What the service is not known to support is refused by name with
//! `UNSUPPORTED_QUERY` and what to use in its place; what is no expression at all is `INVALID_ARGUMENT` with the character.

mod cursor;
mod eval;
mod exact;
mod grammar;
mod json;
mod literals;
mod member;
mod options;
mod ratio;
mod render;
mod row;
mod split;
mod tree;

#[cfg(test)]
mod eval_tests;
#[cfg(test)]
mod parse_tests;
#[cfg(test)]
mod render_tests;

pub use options::{Order, parse_expand, parse_key, parse_orderby, parse_select};
pub use row::Row;
pub use tree::{Arithmetic, Compare, Filter, Operand};

pub(super) use eval::order_of;
pub(super) use split::halves;

/// Deepest nesting of parentheses, `not` and signs in a text.
pub const MAX_DEPTH: usize = 64;
/// Longest text of a filter, in bytes, that is read.
pub const MAX_TEXT: usize = 1_000_000;
/// Arithmetic operators of one text.
pub const MAX_ARITHMETIC: usize = 64;
