//! Data packages, read and written with code of the sandbox's own: the zip, the two XML files, CSV, XML and workbooks
//! in both directions, and their encodings. What a package means for entities and projects is decided in the folder
//! `dmf`.

mod archive;
pub(crate) mod csv;
mod manifest;
pub(crate) mod text;
pub(crate) mod workbook;
mod write;
pub(crate) mod xml;

pub(crate) use archive::{Archive, ArchiveError};
pub(crate) use manifest::{Manifest, ManifestEntity, named_files, read_header, read_manifest};
pub(crate) use write::{OutEntity, file_name, package, sheet_name};
