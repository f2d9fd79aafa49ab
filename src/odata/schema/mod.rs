//! What an environment says of its own entities: `$metadata` and the metadata service, read into a [`Schema`](crate::catalog::Schema), compared
//! with the catalogue, and written as TypeScript.
//!
//! What belongs here: the two sources and what is made of them. What does not: the types themselves, which packages need too
//! (`catalog`), and the check of a request against them (the rest of `odata`).
//!
//! `$metadata` has tens of megabytes, of which only names and flags count. It is read forwards in pieces of any size into
//! tables of numbers (some bytes for each property), because the types come before the collections that tell which of them are
//! wanted. Entities are unfolded from there one by one.

mod csdl;
#[cfg(test)]
mod csdl_tests;
mod document;
mod drift;
mod json;
mod names;
mod public;
mod read;
#[cfg(test)]
mod read_tests;
mod typescript;

pub use csdl::MetadataReader;
pub use document::Metadata;
pub use drift::{Change, Drift, drift};
pub use json::schema_json;
pub use read::{MetadataOptions, ReadMetadata};
pub use typescript::typescript;
