//! The zip of a package, unpacked as .NET does it on Windows: every entry goes to a folder, so one that cannot go there
//! fails the package, whether or not the manifest names it.

use std::collections::HashSet;
use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

/// Most entries that are looked at.
const MAX_ENTRIES: usize = 10_000;

/// Largest entry that is inflated, in bytes.
const MAX_ENTRY: u64 = 1 << 30;

/// Most bytes that all entries inflate to.
const MAX_TOTAL: u64 = 5_000_000_000;

/// An opened zip.
pub(crate) struct Archive {
    zip: ZipArchive<Cursor<Vec<u8>>>,
    names: Vec<String>,
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
    /// Two entries become the same file.
    #[error("The file '{0}' already exists.")]
    Twice(String),
    /// No file of that name can be made.
    #[error("Illegal characters in path '{0}'.")]
    Name(String),
    /// The name leads out of the folder.
    #[error(
        "Extracting Zip entry would have resulted in a file outside the specified destination directory."
    )]
    Outside,
    /// Over a limit.
    #[error("the package is over the limit of 10,000 entries of 1 GiB, 5 GB in all")]
    TooLarge,
}

impl Archive {
    pub(crate) fn open(bytes: Vec<u8>) -> Result<Self, ArchiveError> {
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|_| ArchiveError::NotAZip)?;
        if zip.len() > MAX_ENTRIES {
            return Err(ArchiveError::TooLarge);
        }
        let start = zip.central_directory_start();
        let names = zip.file_names().map(str::to_owned).collect();
        let bytes = zip.into_inner().into_inner();
        check_twice(&bytes, usize::try_from(start).unwrap_or(usize::MAX))?;
        zip = ZipArchive::new(Cursor::new(bytes)).map_err(|_| ArchiveError::NotAZip)?;
        Ok(Self { zip, names })
    }

    /// Names of the files in it.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str).filter(|name| !name.ends_with(['/', '\\']))
    }

    /// Whether every entry becomes a file: names that Windows takes, inside of the folder, and content that inflates
    /// to what its checksum says.
    pub(crate) fn unpack(&mut self) -> Result<(), ArchiveError> {
        let mut total = 0;
        for at in 0..self.zip.len() {
            let name = self.zip.name_for_index(at).unwrap_or_default().to_owned();
            check_name(&name)?;
            let entry = self.zip.by_index(at).map_err(|error| damaged(&error))?;
            let copied = std::io::copy(&mut entry.take(MAX_ENTRY + 1), &mut std::io::sink())
                .map_err(|error| ArchiveError::Damaged(error.to_string()))?;
            total += copied;
            if copied > MAX_ENTRY || total > MAX_TOTAL {
                return Err(ArchiveError::TooLarge);
            }
        }
        Ok(())
    }

    /// Inflates one entry. The size that the directory states is not believed.
    pub(crate) fn read(&mut self, name: &str) -> Result<Vec<u8>, ArchiveError> {
        let entry = self.zip.by_name(name).map_err(|error| match error {
            ZipError::FileNotFound => ArchiveError::Missing,
            other => damaged(&other),
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

fn damaged(error: &ZipError) -> ArchiveError {
    ArchiveError::Damaged(error.to_string())
}

/// The parts of a path must be names that Windows has, and must not lead upwards.
fn check_name(name: &str) -> Result<(), ArchiveError> {
    if name.starts_with(['/', '\\']) || name.as_bytes().get(1) == Some(&b':') {
        return Err(ArchiveError::Outside);
    }
    let path = name.trim_end_matches(['/', '\\']);
    for part in path.split(['/', '\\']) {
        if part == ".." {
            return Err(ArchiveError::Outside);
        }
        if part.is_empty() || part.chars().any(|c| c.is_control() || ":*?\"<>|".contains(c)) {
            return Err(ArchiveError::Name(name.to_owned()));
        }
    }
    Ok(())
}

/// Walks the directory itself, because the crate keeps one of several entries with the same name. Windows tells no case.
fn check_twice(bytes: &[u8], start: usize) -> Result<(), ArchiveError> {
    const FIXED: usize = 46;
    let mut seen = HashSet::new();
    let mut rest = bytes.get(start..).unwrap_or_default();
    while let Some(fixed) = rest.get(..FIXED).filter(|fixed| fixed.starts_with(b"PK\x01\x02")) {
        let length = |at: usize| match fixed.get(at..at + 2) {
            Some([low, high]) => usize::from(u16::from_le_bytes([*low, *high])),
            _ => 0,
        };
        let (name, extra, comment) = (length(28), length(30), length(32));
        let name_bytes = rest.get(FIXED..FIXED + name).unwrap_or_default();
        if !seen.insert(name_bytes.to_ascii_lowercase()) {
            return Err(ArchiveError::Twice(String::from_utf8_lossy(name_bytes).into_owned()));
        }
        rest = rest.get(FIXED + name + extra + comment..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;

    fn zipped(names: &[&str], options: SimpleFileOptions) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            zip.start_file(*name, options).unwrap();
            zip.write_all(b"content content content").unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn unpacked(bytes: Vec<u8>) -> Result<Vec<u8>, ArchiveError> {
        let mut archive = Archive::open(bytes)?;
        archive.unpack()?;
        archive.read("a.csv")
    }

    #[test]
    fn stored_deflated_zip64_and_data_descriptors_are_read() {
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        for options in [stored, deflated, stored.large_file(true), deflated.large_file(true)] {
            assert_eq!(unpacked(zipped(&["a.csv"], options)).unwrap(), b"content content content");
        }
        let mut zip = ZipWriter::new_stream(Vec::new());
        zip.start_file("a.csv", deflated).unwrap();
        zip.write_all(b"streamed").unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        assert_eq!(bytes[6] & 8, 8, "a data descriptor");
        assert_eq!(unpacked(bytes).unwrap(), b"streamed");
    }

    /// Makes the second of two entries of equal length the namesake of the first.
    fn renamed(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        for at in 0..=bytes.len() - from.len() {
            if &bytes[at..at + from.len()] == from {
                out[at..at + to.len()].copy_from_slice(to);
            }
        }
        out
    }

    #[test]
    fn entries_that_become_one_file_are_refused() {
        let bytes = zipped(&["a.csv", "b.csv"], SimpleFileOptions::default());
        assert!(unpacked(bytes.clone()).is_ok());
        for name in [b"a.csv", b"A.csv"] {
            let error = unpacked(renamed(&bytes, b"b.csv", name)).unwrap_err().to_string();
            assert_eq!(error, format!("The file '{}' already exists.", String::from_utf8_lossy(name)));
        }
    }

    #[test]
    fn names_that_windows_has_not_are_refused() {
        for name in ["ab:c.csv", "a?.csv", "a\tb", "a//b", "a|b"] {
            let bytes = zipped(&["a.csv", name], SimpleFileOptions::default());
            assert!(matches!(unpacked(bytes), Err(ArchiveError::Name(_))), "{name}");
        }
        for name in ["../x.csv", "x/../../y", "/x.csv", "\\x.csv", "C:x.csv", "x\\..\\y"] {
            let bytes = zipped(&["a.csv", name], SimpleFileOptions::default());
            assert!(matches!(unpacked(bytes), Err(ArchiveError::Outside)), "{name}");
        }
    }

    #[test]
    fn damage_anywhere_fails_the_whole() {
        let bytes = zipped(
            &["a.csv", "b.csv"],
            SimpleFileOptions::default().compression_method(CompressionMethod::Stored),
        );
        // A byte of the content of the second entry: its checksum no longer holds.
        let damaged = renamed(&bytes, b"b.csvcontent", b"b.csvCONTENT");
        assert!(matches!(unpacked(damaged), Err(ArchiveError::Damaged(_))));
        // Encrypted, by its flag alone, in both headers.
        let mut encrypted = bytes.clone();
        let central = bytes.windows(4).position(|part| part == b"PK\x01\x02").unwrap();
        encrypted[6] |= 1;
        encrypted[central + 8] |= 1;
        assert!(matches!(unpacked(encrypted), Err(ArchiveError::Damaged(_))));
        // A method that is not read.
        let mut bzip2 = bytes.clone();
        bzip2[8] = 12;
        bzip2[central + 10] = 12;
        assert!(matches!(unpacked(bzip2), Err(ArchiveError::Damaged(_))));
        assert!(matches!(unpacked(b"CURRENCYCODE\r\n".to_vec()), Err(ArchiveError::NotAZip)));
        assert!(matches!(unpacked(bytes[..bytes.len() - 30].to_vec()), Err(ArchiveError::NotAZip)));
    }
}
