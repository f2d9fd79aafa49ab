//! The zip container, as far as data packages need it: stored and deflated entries, ZIP64.
//!
//! What belongs here: bytes ⇄ entries, and the defence against hostile archives. What does not: which entries a package has
//! and what they mean. Out of scope, with an error each: encryption, other methods than deflate, archives in several
//! volumes. The directory at the end is the truth; a local header that disagrees is damage.

mod deflate;
mod directory;
mod entry;
mod names;
mod records;
mod writer;

pub use deflate::{Block, BlockDeflater};

pub(super) use directory::{Directory, DirectoryReader, Entry};
pub(super) use entry::EntryReader;
pub(super) use names::unsafe_reason;
pub(super) use writer::{RawEntry, ZipWriter};

use crate::error::{Error, ErrorCode};

/// Method 0: bytes as they are.
const STORED: u16 = 0;
/// Method 8.
const DEFLATED: u16 = 8;
/// General-purpose flag: encrypted.
const FLAG_ENCRYPTED: u16 = 0x0001;
/// General-purpose flag: sizes and checksum follow the data.
const FLAG_DESCRIPTOR: u16 = 0x0008;
/// General-purpose flag: the name is UTF-8.
const FLAG_UTF8: u16 = 0x0800;

/// The checksum of a zip's entries. flate2's own, whose tables are in the program anyway.
#[cfg(feature = "full")]
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// `PACKAGE_CORRUPT`.
pub(super) fn corrupt(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::PackageCorrupt, message)
        .hint("The file is damaged or incomplete: fetch it again, or have the package written again.")
}

/// Small archives for tests, written by other code than the writer's.
#[cfg(test)]
pub(super) mod testing {
    use super::{Directory, DirectoryReader, Entry};
    use crate::error::Result;
    use crate::package::pull::Pull;
    use crate::package::{Limits, ReadAt as _};

    /// An archive in memory, read through the machines.
    #[derive(Debug)]
    pub(crate) struct Archive {
        bytes: Vec<u8>,
        pub(crate) directory: Directory,
    }

    impl Archive {
        pub(crate) fn open(bytes: Vec<u8>, limits: &Limits) -> Result<Self> {
            let mut reader = DirectoryReader::new(bytes.len() as u64, limits);
            while let Some(range) = reader.want() {
                let mut piece = vec![0; (range.end - range.start) as usize];
                bytes.read_at(range.start, &mut piece).unwrap();
                reader.give(piece)?;
            }
            let directory = reader.directory_read().cloned();
            let directory = directory.ok_or_else(|| super::corrupt("no zip"))?;
            Ok(Self { bytes, directory })
        }

        pub(crate) fn entries(&self) -> &[Entry] {
            self.directory.entries()
        }

        pub(crate) fn find(&self, name: &str) -> Option<&Entry> {
            self.directory.find(name)
        }

        /// Where the entry's compressed data lies.
        pub(crate) fn raw_range(&self, entry: &Entry) -> std::ops::Range<usize> {
            let local = super::records::Local::read(&self.bytes, entry.offset as usize).unwrap();
            let start = entry.offset as usize + local.length;
            start..start + entry.compressed as usize
        }

        pub(crate) fn read(&self, entry: &Entry) -> Result<Vec<u8>> {
            let mut reader = self.directory.reader(entry)?;
            let mut out = Vec::new();
            loop {
                match reader.read(&mut out)? {
                    Pull::Have(()) => {}
                    Pull::End => return Ok(out),
                    Pull::Want => {
                        let range = reader.want().unwrap();
                        let mut piece = vec![0; (range.end - range.start) as usize];
                        self.bytes.read_at(range.start, &mut piece).unwrap();
                        reader.give(piece)?;
                    }
                }
            }
        }
    }

    /// One entry as it will stand in the archive, so that a test can falsify any part of it.
    pub(crate) struct Raw {
        pub(crate) name: Vec<u8>,
        pub(crate) data: Vec<u8>,
        pub(crate) flags: u16,
        pub(crate) method: u16,
        pub(crate) crc: u32,
        pub(crate) size: u32,
        pub(crate) local_name: Vec<u8>,
        pub(crate) central_extra: Vec<u8>,
        pub(crate) central_compressed: Option<u32>,
    }

    impl Raw {
        pub(crate) fn stored(name: &str, data: &[u8]) -> Self {
            Self {
                name: name.into(),
                data: data.into(),
                flags: 0,
                method: 0,
                crc: crc32(data),
                size: data.len() as u32,
                local_name: name.into(),
                central_extra: Vec::new(),
                central_compressed: None,
            }
        }
    }

    /// Bit by bit, unlike the table-driven crate that the code uses.
    pub(crate) fn crc32(data: &[u8]) -> u32 {
        !data.iter().fold(!0u32, |crc, byte| {
            (0..8)
                .fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
        })
    }

    pub(crate) fn archive(entries: &[Raw]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut directory = Vec::new();
        for e in entries {
            let offset = out.len() as u32;
            let compressed = e.data.len() as u32;
            out.extend(b"PK\x03\x04\x14\0");
            for field in [e.flags, e.method, 0, 0x21] {
                out.extend(field.to_le_bytes());
            }
            for field in [e.crc, compressed, e.size] {
                out.extend(field.to_le_bytes());
            }
            out.extend((e.local_name.len() as u16).to_le_bytes());
            out.extend([0, 0]);
            out.extend(&e.local_name);
            out.extend(&e.data);
            directory.extend(b"PK\x01\x02\x14\0\x14\0");
            for field in [e.flags, e.method, 0, 0x21] {
                directory.extend(field.to_le_bytes());
            }
            for field in [e.crc, e.central_compressed.unwrap_or(compressed), e.size] {
                directory.extend(field.to_le_bytes());
            }
            directory.extend((e.name.len() as u16).to_le_bytes());
            directory.extend((e.central_extra.len() as u16).to_le_bytes());
            directory.extend([0; 10]);
            directory.extend(offset.to_le_bytes());
            directory.extend(&e.name);
            directory.extend(&e.central_extra);
        }
        let (offset, size) = (out.len() as u32, directory.len() as u32);
        out.extend(directory);
        out.extend(b"PK\x05\x06\0\0\0\0");
        for _ in 0..2 {
            out.extend((entries.len() as u16).to_le_bytes());
        }
        out.extend(size.to_le_bytes());
        out.extend(offset.to_le_bytes());
        out.extend([0, 0]);
        out
    }
}
