//! The zip of a package.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

/// Most entries that are looked at.
const MAX_ENTRIES: usize = 10_000;

/// Largest entry that is inflated, in bytes.
const MAX_ENTRY: u64 = 1 << 30;

/// An opened zip.
pub(crate) struct Archive {
    zip: ZipArchive<Cursor<Vec<u8>>>,
}

/// Why an entry cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    /// The bytes are no zip.
    #[error("the file is not a zip archive")]
    NotAZip,
    /// No entry of this name at the root.
    #[error("no such entry")]
    Missing,
    /// Damaged, encrypted, or compressed in a way that is not read.
    #[error("{0}")]
    Damaged(String),
    /// Over a limit.
    #[error("the package is over the limit of 10,000 entries of 1 GiB")]
    TooLarge,
}

impl Archive {
    pub(crate) fn open(bytes: Vec<u8>) -> Result<Self, ArchiveError> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|_| ArchiveError::NotAZip)?;
        if zip.len() > MAX_ENTRIES {
            return Err(ArchiveError::TooLarge);
        }
        Ok(Self { zip })
    }

    /// Entry names as they are written.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.zip.file_names()
    }

    /// Inflates one entry. The size that the directory states is not believed.
    pub(crate) fn read(&mut self, name: &str) -> Result<Vec<u8>, ArchiveError> {
        let entry = self.zip.by_name(name).map_err(|error| match error {
            ZipError::FileNotFound => ArchiveError::Missing,
            other => ArchiveError::Damaged(other.to_string()),
        })?;
        let mut bytes = Vec::new();
        let mut limited = entry.take(MAX_ENTRY + 1);
        limited.read_to_end(&mut bytes).map_err(|error| ArchiveError::Damaged(error.to_string()))?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_ENTRY) {
            return Err(ArchiveError::TooLarge);
        }
        Ok(bytes)
    }
}
