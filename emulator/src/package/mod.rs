//! Data packages, read and written with code of the sandbox's own: the zip, the two XML files, CSV in both directions
//! and their encodings. What a package means for entities and projects is decided in the folder `dmf`.

mod archive;
pub(crate) mod csv;
mod manifest;
pub(crate) mod text;
mod write;
mod xml;

pub(crate) use archive::{Archive, ArchiveError};
pub(crate) use manifest::{Manifest, ManifestEntity, read_header, read_manifest};
pub(crate) use write::{OutEntity, file_name, package};
