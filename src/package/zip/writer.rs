//! Writes an archive in memory, in the form that is closest to what the service writes itself: deflate, no flags (the UTF-8
//! flag only for names that need it), no extra fields, no data descriptors, no folders, one fixed date.

use flate2::{Compress, Compression, FlushCompress, Status};

use crate::error::{Error, ErrorCode, Result};

use super::{DEFLATED, FLAG_UTF8, corrupt};

/// 1 January 1980, the first day of the format: the same input gives the same bytes whenever it is written.
const DATE: u16 = (1 << 5) | 1;
const VERSION: u16 = 20;
/// The compressor always gets this much at a time, so its output does not depend on how the input was cut.
const BLOCK: usize = 64 << 10;

/// An archive that grows entry by entry.
pub(crate) struct ZipWriter {
    out: Vec<u8>,
    directory: Vec<u8>,
    entries: u16,
    level: Compression,
    open: Option<Open>,
    scratch: Box<[u8]>,
}

struct Open {
    name: String,
    offset: u32,
    data_at: usize,
    deflate: Compress,
    crc: crc32fast::Hasher,
    size: u64,
    block: Vec<u8>,
}

impl ZipWriter {
    /// `level` is 0 (no compression) to 9 (smallest).
    pub(crate) fn new(level: u8) -> Self {
        Self {
            out: Vec::new(),
            directory: Vec::new(),
            entries: 0,
            level: Compression::new(level.into()),
            open: None,
            scratch: vec![0; BLOCK].into_boxed_slice(),
        }
    }

    /// Begins the next entry; the one before must have been ended. The name is taken as it is.
    pub(crate) fn begin(&mut self, name: &str) -> Result<()> {
        if self.open.is_some() {
            return Err(corrupt("an entry of the zip was not ended before the next began"));
        }
        let offset = u32::try_from(self.out.len()).map_err(|_| too_large(name))?;
        self.out.extend_from_slice(b"PK\x03\x04");
        let header = EntryHeader { name, crc: 0, compressed: 0, size: 0 };
        header.append(&mut self.out)?;
        self.out.extend_from_slice(&[0, 0]);
        self.out.extend_from_slice(name.as_bytes());
        self.open = Some(Open {
            name: name.to_owned(),
            offset,
            data_at: self.out.len(),
            deflate: Compress::new(self.level, false),
            crc: crc32fast::Hasher::new(),
            size: 0,
            block: Vec::with_capacity(BLOCK),
        });
        Ok(())
    }

    /// Adds content to the entry.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(open) = &mut self.open else { return Err(corrupt("there is no open entry in the zip")) };
        open.crc.update(bytes);
        open.size += bytes.len() as u64;
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = BLOCK - open.block.len();
            let (head, tail) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            open.block.extend_from_slice(head);
            rest = tail;
            if open.block.len() == BLOCK {
                deflate(open, FlushCompress::None, &mut self.scratch, &mut self.out)?;
            }
        }
        Ok(())
    }

    /// Ends the entry.
    pub(crate) fn end(&mut self) -> Result<()> {
        let Some(mut open) = self.open.take() else {
            return Err(corrupt("there is no open entry in the zip"));
        };
        deflate(&mut open, FlushCompress::Finish, &mut self.scratch, &mut self.out)?;
        let compressed = u32::try_from(self.out.len() - open.data_at).map_err(|_| too_large(&open.name))?;
        let size = u32::try_from(open.size).map_err(|_| too_large(&open.name))?;
        let header = EntryHeader { name: &open.name, crc: open.crc.finalize(), compressed, size };
        self.patch(open.offset, &header);
        self.directory.extend_from_slice(b"PK\x01\x02");
        self.directory.extend_from_slice(&VERSION.to_le_bytes());
        header.append(&mut self.directory)?;
        // No extra field, comment, volume and attributes.
        self.directory.extend_from_slice(&[0; 2 + 2 + 2 + 2 + 4]);
        self.directory.extend_from_slice(&open.offset.to_le_bytes());
        self.directory.extend_from_slice(open.name.as_bytes());
        self.entries =
            self.entries.checked_add(1).filter(|&n| n < u16::MAX).ok_or_else(|| {
                Error::new(ErrorCode::PackageLimit, "the package has more than 65534 entries")
            })?;
        Ok(())
    }

    /// One whole entry.
    pub(crate) fn add(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.begin(name)?;
        self.write(bytes)?;
        self.end()
    }

    /// Writes the directory and hands over the archive.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>> {
        if self.open.is_some() {
            return Err(corrupt("the last entry of the zip was not ended"));
        }
        let offset = u32::try_from(self.out.len()).map_err(|_| too_large("the directory"))?;
        let size = u32::try_from(self.directory.len()).map_err(|_| too_large("the directory"))?;
        self.out.append(&mut self.directory);
        self.out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        for _ in 0..2 {
            self.out.extend_from_slice(&self.entries.to_le_bytes());
        }
        self.out.extend_from_slice(&size.to_le_bytes());
        self.out.extend_from_slice(&offset.to_le_bytes());
        self.out.extend_from_slice(&[0, 0]);
        Ok(self.out)
    }

    /// Puts checksum and sizes, now known, into the header before the data.
    fn patch(&mut self, offset: u32, header: &EntryHeader<'_>) {
        const CRC_AT: usize = 14;
        let at = offset as usize + CRC_AT;
        if let Some(place) = self.out.get_mut(at..at + 12) {
            place.copy_from_slice(&header.sums());
        }
    }
}

/// What the header before the data and the line in the directory have in common.
struct EntryHeader<'a> {
    name: &'a str,
    crc: u32,
    compressed: u32,
    size: u32,
}

impl EntryHeader<'_> {
    fn append(&self, out: &mut Vec<u8>) -> Result<()> {
        let length = u16::try_from(self.name.len())
            .map_err(|_| Error::argument("the name of an entry is longer than 65535 bytes"))?;
        let flags = if self.name.is_ascii() { 0 } else { FLAG_UTF8 };
        for field in [VERSION, flags, DEFLATED, 0, DATE] {
            out.extend_from_slice(&field.to_le_bytes());
        }
        out.extend_from_slice(&self.sums());
        out.extend_from_slice(&length.to_le_bytes());
        Ok(())
    }

    fn sums(&self) -> [u8; 12] {
        let mut sums = [0; 12];
        let values = [self.crc, self.compressed, self.size];
        for (slot, value) in sums.as_chunks_mut::<4>().0.iter_mut().zip(values) {
            *slot = value.to_le_bytes();
        }
        sums
    }
}

/// Compresses the gathered block and empties it.
fn deflate(open: &mut Open, flush: FlushCompress, scratch: &mut [u8], out: &mut Vec<u8>) -> Result<()> {
    let mut rest = open.block.as_slice();
    loop {
        let (in_before, out_before) = (open.deflate.total_in(), open.deflate.total_out());
        let status = open.deflate.compress(rest, scratch, flush);
        let used = usize::try_from(open.deflate.total_in() - in_before).unwrap_or(rest.len());
        let made = usize::try_from(open.deflate.total_out() - out_before).unwrap_or(0);
        rest = rest.get(used..).unwrap_or_default();
        out.extend_from_slice(scratch.get(..made).unwrap_or_default());
        match status {
            Ok(Status::StreamEnd) => break,
            Ok(_) if flush == FlushCompress::None && rest.is_empty() && made < scratch.len() => break,
            Ok(_) if used > 0 || made > 0 => {}
            _ => return Err(corrupt(format!("\"{}\" could not be compressed", open.name))),
        }
    }
    open.block.clear();
    Ok(())
}

fn too_large(name: &str) -> Error {
    Error::new(
        ErrorCode::PackageLimit,
        format!("{name}: the package grows beyond 4294967295 bytes, the limit without ZIP64"),
    )
    .hint("Split the rows over several packages.")
}

#[cfg(test)]
mod tests {
    use super::super::reader::Archive;
    use super::super::testing::crc32;
    use super::*;
    use crate::package::Limits;

    // Kills mutants in any field of the three records.
    #[test]
    fn bytes_by_hand() {
        let mut zip = ZipWriter::new(0);
        zip.add("a", b"hi").unwrap();
        let bytes = zip.finish().unwrap();
        let crc = crc32(b"hi").to_le_bytes();
        let data = b"\x01\x02\0\xfd\xffhi";
        let mut expected = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\x21\0".to_vec();
        expected.extend(crc);
        expected.extend(b"\x07\0\0\0\x02\0\0\0\x01\0\0\0a");
        expected.extend(data);
        let directory_at = expected.len() as u32;
        expected.extend(b"PK\x01\x02\x14\0\x14\0\0\0\x08\0\0\0\x21\0");
        expected.extend(crc);
        expected.extend(b"\x07\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a");
        let directory_size = expected.len() as u32 - directory_at;
        expected.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        expected.extend(directory_size.to_le_bytes());
        expected.extend(directory_at.to_le_bytes());
        expected.extend([0, 0]);
        assert_eq!(bytes, expected);
    }

    #[test]
    fn only_names_beyond_ascii_get_the_utf8_flag() {
        let mut zip = ZipWriter::new(5);
        zip.add("Währung", b"").unwrap();
        let bytes = zip.finish().unwrap();
        assert_eq!(bytes[6..8], [0, 8]);
    }

    #[test]
    fn the_cut_of_the_input_does_not_show_in_the_output() {
        let data: Vec<u8> =
            (0..300_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 27) as u8 + b'a').collect();
        for level in 0..=9 {
            let write = |size: usize| {
                let mut zip = ZipWriter::new(level);
                zip.begin("a").unwrap();
                for chunk in data.chunks(size) {
                    zip.write(chunk).unwrap();
                }
                zip.end().unwrap();
                zip.finish().unwrap()
            };
            let whole = write(data.len());
            assert!(write(1000) == whole && write(70_001) == whole, "level {level}");
            let archive = Archive::open(whole, &Limits::default()).unwrap();
            assert!(archive.read(archive.find("a").unwrap()).unwrap() == data, "level {level}");
        }
    }
}
