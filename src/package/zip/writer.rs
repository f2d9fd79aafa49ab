//! Writes an archive piece by piece, in the form that is closest to what the service writes itself: deflate, no flags (the
//! UTF-8 flag only for names that need it), no extra fields, no folders, one fixed date.
//!
//! A compressed entry of up to 4 MiB is held back until its sizes are known, so that its header has them and needs no flag.
//! A larger one goes out as it grows and tells its sizes behind the data, so that memory does not grow with it. ZIP64 records
//! stand only where a number needs them.

use flate2::Crc;

use crate::error::{Error, Result};

use super::deflate::{Block, Blocks};
use super::{DEFLATED, FLAG_DESCRIPTOR, FLAG_UTF8, corrupt};

/// 1 January 1980, the first day of the format: the same input gives the same bytes whenever it is written.
const DATE: u16 = (1 << 5) | 1;
const VERSION: u16 = 20;
const VERSION_64: u16 = 45;
/// Compressed bytes of an entry that are held back at most.
const HOLD: usize = 4 << 20;
/// From here on a number stands in a ZIP64 record.
const MAX_32: u64 = u32::MAX as u64;

/// An archive that grows entry by entry.
pub(crate) struct ZipWriter {
    /// Output that was not taken yet, and how much was.
    out: Vec<u8>,
    taken: u64,
    directory: Vec<u8>,
    entries: u64,
    blocks: Blocks,
    open: Option<Open>,
}

struct Open {
    header: EntryHeader,
    crc: Crc,
    /// Compressed content until the header goes out; nothing afterwards.
    held: Vec<u8>,
    /// Where the header stands, once it went out.
    offset: Option<u64>,
    content: Content,
}

enum Content {
    /// Compressed here.
    Deflated,
    /// Compressed here, and all of it has come.
    Complete,
    /// Comes compressed; so many bytes are still missing.
    Raw(u64),
}

/// What the directory of another archive says of an entry that is copied as it is.
pub(crate) struct RawEntry {
    pub(crate) name: Vec<u8>,
    pub(crate) utf8: bool,
    pub(crate) method: u16,
    pub(crate) time: u16,
    pub(crate) date: u16,
    pub(crate) crc: u32,
    pub(crate) compressed: u64,
    pub(crate) size: u64,
}

impl ZipWriter {
    /// `level` is 0 (no compression) to 9 (smallest).
    pub(crate) fn new(level: u8) -> Self {
        Self {
            out: Vec::new(),
            taken: 0,
            directory: Vec::new(),
            entries: 0,
            blocks: Blocks::new(level),
            open: None,
        }
    }

    /// From now on blocks are compressed elsewhere: [`take_block`](Self::take_block), [`give_block`](Self::give_block).
    pub(crate) fn deflate_elsewhere(&mut self) {
        self.blocks.elsewhere();
    }

    /// From now on they are compressed here again; none may be pending.
    pub(crate) fn deflate_here(&mut self) -> Result<()> {
        self.blocks.here()
    }

    pub(crate) fn take_block(&mut self) -> Option<Block> {
        self.blocks.take()
    }

    pub(crate) fn give_block(&mut self, id: u64, bytes: Vec<u8>) -> Result<()> {
        self.deflated(|blocks, out| blocks.give(id, bytes, out))
    }

    /// Blocks that are compressed elsewhere and have not come back. An entry is complete only when there are none.
    pub(crate) fn pending(&self) -> u64 {
        self.blocks.pending()
    }

    /// Bytes of output that were not taken yet.
    pub(crate) fn waiting(&self) -> usize {
        self.out.len()
    }

    /// The output since the last call.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.taken += self.out.len() as u64;
        std::mem::take(&mut self.out)
    }

    /// Begins the next entry; the one before must have been ended. The name is taken as it is.
    pub(crate) fn begin(&mut self, name: &str) -> Result<()> {
        self.begin_with(
            EntryHeader {
                flags: if name.is_ascii() { 0 } else { FLAG_UTF8 },
                name: name.as_bytes().to_vec(),
                method: DEFLATED,
                time: 0,
                date: DATE,
                crc: 0,
                compressed: 0,
                size: 0,
            },
            Content::Deflated,
        )
    }

    /// Adds content to the entry.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(Open { content: Content::Deflated, crc, header, .. }) = &mut self.open else {
            return Err(not_open());
        };
        crc.update(bytes);
        header.size += bytes.len() as u64;
        self.deflated(|blocks, out| blocks.write(bytes, out))
    }

    /// Ends the entry.
    pub(crate) fn end(&mut self) -> Result<()> {
        match &mut self.open {
            Some(open) if matches!(open.content, Content::Deflated) => {
                open.content = Content::Complete;
                self.deflated(Blocks::end)
            }
            _ => Err(not_open()),
        }
    }

    /// One whole entry.
    pub(crate) fn add(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.begin(name)?;
        self.write(bytes)?;
        self.end()
    }

    /// Begins an entry whose content comes compressed as it stands in another archive.
    pub(crate) fn begin_raw(&mut self, entry: RawEntry) -> Result<()> {
        let left = entry.compressed;
        self.begin_with(
            EntryHeader {
                name: entry.name,
                flags: if entry.utf8 { FLAG_UTF8 } else { 0 },
                method: entry.method,
                time: entry.time,
                date: entry.date,
                crc: entry.crc,
                compressed: entry.compressed,
                size: entry.size,
            },
            Content::Raw(left),
        )?;
        self.header_out()
    }

    /// Adds to it; the entry ends by itself when all of it has come.
    pub(crate) fn write_raw(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(Open { content: Content::Raw(left), .. }) = &mut self.open else { return Err(not_open()) };
        *left = left
            .checked_sub(bytes.len() as u64)
            .ok_or_else(|| corrupt("an entry that is copied has more bytes than its directory says"))?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes the directory; what is left of the output can then be taken.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.close()?;
        let offset = self.position();
        let size = self.directory.len() as u64;
        self.out.append(&mut self.directory);
        if self.entries >= u64::from(u16::MAX) || size >= MAX_32 || offset >= MAX_32 {
            self.end_64(offset, size);
        }
        self.out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        for _ in 0..2 {
            self.out.extend_from_slice(&u16::try_from(self.entries).unwrap_or(u16::MAX).to_le_bytes());
        }
        self.out.extend_from_slice(&short(size).to_le_bytes());
        self.out.extend_from_slice(&short(offset).to_le_bytes());
        self.out.extend_from_slice(&[0, 0]);
        Ok(())
    }

    fn end_64(&mut self, offset: u64, size: u64) {
        let at = self.position();
        self.out.extend_from_slice(b"PK\x06\x06");
        // The length of what follows.
        self.out.extend_from_slice(&44_u64.to_le_bytes());
        for _ in 0..2 {
            self.out.extend_from_slice(&VERSION_64.to_le_bytes());
        }
        self.out.extend_from_slice(&[0; 8]);
        for field in [self.entries, self.entries, size, offset] {
            self.out.extend_from_slice(&field.to_le_bytes());
        }
        self.out.extend_from_slice(b"PK\x06\x07\0\0\0\0");
        self.out.extend_from_slice(&at.to_le_bytes());
        self.out.extend_from_slice(&1_u32.to_le_bytes());
    }

    fn begin_with(&mut self, header: EntryHeader, content: Content) -> Result<()> {
        self.close()?;
        if u16::try_from(header.name.len()).is_err() {
            return Err(Error::argument("the name of an entry is longer than 65535 bytes"));
        }
        self.open = Some(Open { header, crc: Crc::new(), held: Vec::new(), offset: None, content });
        Ok(())
    }

    /// Runs a step that may compress, and moves what it made to where it belongs.
    fn deflated(&mut self, step: impl FnOnce(&mut Blocks, &mut Vec<u8>) -> Result<()>) -> Result<()> {
        let Some(open) = &mut self.open else { return Err(not_open()) };
        let to = if open.offset.is_some() { &mut self.out } else { &mut open.held };
        let before = to.len();
        step(&mut self.blocks, to)?;
        open.header.compressed += (to.len() - before) as u64;
        if open.offset.is_none() && open.held.len() > HOLD {
            open.header.flags |= FLAG_DESCRIPTOR;
            self.header_out()?;
        }
        Ok(())
    }

    /// Lets the header go out, and what was held back behind it.
    fn header_out(&mut self) -> Result<()> {
        let offset = self.position();
        let Some(open) = &mut self.open else { return Err(not_open()) };
        open.offset = Some(offset);
        open.header.local(&mut self.out);
        self.out.append(&mut open.held);
        Ok(())
    }

    /// Completes the entry that was ended.
    fn close(&mut self) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        match open.content {
            Content::Raw(0) => {}
            Content::Raw(_) => return Err(corrupt("an entry that is copied was cut short")),
            Content::Complete if self.blocks.pending() == 0 => {
                open.header.crc = open.crc.sum();
            }
            Content::Complete => {
                return Err(Error::argument("blocks of the entry before are still being compressed"));
            }
            Content::Deflated => {
                return Err(Error::argument("an entry of the zip was not ended before the next began"));
            }
        }
        if open.offset.is_none() {
            self.header_out()?;
        }
        let Some(open) = self.open.take() else { return Err(not_open()) };
        if open.header.flags & FLAG_DESCRIPTOR != 0 {
            open.header.descriptor(&mut self.out);
        }
        open.header.central(open.offset.unwrap_or_default(), &mut self.directory);
        self.entries += 1;
        Ok(())
    }

    fn position(&self) -> u64 {
        self.taken + self.out.len() as u64
    }
}

/// What is told of an entry: before its data, behind it, and in the directory.
struct EntryHeader {
    name: Vec<u8>,
    flags: u16,
    method: u16,
    time: u16,
    date: u16,
    crc: u32,
    compressed: u64,
    size: u64,
}

impl EntryHeader {
    fn local(&self, out: &mut Vec<u8>) {
        // What is told behind the data is not known yet.
        let known = self.flags & FLAG_DESCRIPTOR == 0;
        let (crc, compressed, size) = if known { (self.crc, self.compressed, self.size) } else { (0, 0, 0) };
        let large = compressed >= MAX_32 || size >= MAX_32;
        // Before the data both sizes are large, or none.
        let shown = |value: u64| if large { u32::MAX } else { short(value) };
        let extra = if large { zip64(&[size, compressed]) } else { Vec::new() };
        out.extend_from_slice(b"PK\x03\x04");
        self.common(large, [crc, shown(compressed), shown(size)], &extra, out);
        out.extend_from_slice(&self.name);
        out.extend_from_slice(&extra);
    }

    fn descriptor(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"PK\x07\x08");
        out.extend_from_slice(&self.crc.to_le_bytes());
        for size in [self.compressed, self.size] {
            if self.compressed >= MAX_32 || self.size >= MAX_32 {
                out.extend_from_slice(&size.to_le_bytes());
            } else {
                out.extend_from_slice(&short(size).to_le_bytes());
            }
        }
    }

    fn central(&self, offset: u64, out: &mut Vec<u8>) {
        let large: Vec<u64> =
            [self.size, self.compressed, offset].into_iter().filter(|&value| value >= MAX_32).collect();
        let extra = if large.is_empty() { Vec::new() } else { zip64(&large) };
        let version = if large.is_empty() { VERSION } else { VERSION_64 };
        out.extend_from_slice(b"PK\x01\x02");
        out.extend_from_slice(&version.to_le_bytes());
        let sums = [self.crc, short(self.compressed), short(self.size)];
        self.common(!large.is_empty(), sums, &extra, out);
        // No comment, volume and attributes.
        out.extend_from_slice(&[0; 2 + 2 + 2 + 4]);
        out.extend_from_slice(&short(offset).to_le_bytes());
        out.extend_from_slice(&self.name);
        out.extend_from_slice(&extra);
    }

    /// From the version to the length of the extra field.
    fn common(&self, large: bool, sums: [u32; 3], extra: &[u8], out: &mut Vec<u8>) {
        let version = if large { VERSION_64 } else { VERSION };
        for field in [version, self.flags, self.method, self.time, self.date] {
            out.extend_from_slice(&field.to_le_bytes());
        }
        for field in sums {
            out.extend_from_slice(&field.to_le_bytes());
        }
        for length in [self.name.len(), extra.len()] {
            // Names were checked, extra fields have 28 bytes at most.
            out.extend_from_slice(&u16::try_from(length).unwrap_or_default().to_le_bytes());
        }
    }
}

/// The extra field with these values.
fn zip64(values: &[u64]) -> Vec<u8> {
    let mut extra = vec![1, 0, u8::try_from(values.len() * 8).unwrap_or_default(), 0];
    extra.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    extra
}

/// All ones where the value stands in a ZIP64 record.
fn short(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn not_open() -> Error {
    Error::argument("there is no open entry in the zip")
}

#[cfg(test)]
mod tests {
    use super::super::deflate::{BLOCK, BlockDeflater};
    use super::super::testing::{Archive, crc32};
    use super::*;
    use crate::package::Limits;

    // Kills mutants in any field of the three records.
    #[test]
    fn bytes_by_hand() {
        let mut zip = ZipWriter::new(0);
        zip.add("a", b"hi").unwrap();
        zip.finish().unwrap();
        let bytes = zip.take();
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
        zip.finish().unwrap();
        let bytes = zip.take();
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
                zip.finish().unwrap();
                zip.take()
            };
            let whole = write(data.len());
            assert!(write(1000) == whole && write(70_001) == whole, "level {level}");
            let archive = Archive::open(whole, &Limits::default()).unwrap();
            assert!(archive.read(archive.find("a").unwrap()).unwrap() == data, "level {level}");
        }
    }

    /// Text that deflate has work with, and that differs from block to block.
    fn text(length: usize) -> Vec<u8> {
        let mut state = 7u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 24
        };
        (0..length).map(|i| if i % 3 == 0 { b'a' + (next() % 23) as u8 } else { b'e' }).collect()
    }

    // Kills mutants in the dictionary, the order of blocks and the choice of the last one.
    #[test]
    fn blocks_that_are_compressed_elsewhere_in_any_order_give_the_same_bytes() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5] {
            let data = text(length);
            let mut here = ZipWriter::new(5);
            here.add("a", &data).unwrap();
            here.finish().unwrap();
            let mut zip = ZipWriter::new(5);
            zip.deflate_elsewhere();
            zip.add("a", &data).unwrap();
            zip.finish().unwrap_err();
            let mut blocks: Vec<_> = std::iter::from_fn(|| zip.take_block()).collect();
            assert_eq!(zip.pending(), blocks.len() as u64);
            blocks.reverse();
            for block in blocks {
                let mut out = Vec::new();
                BlockDeflater::new(block.level)
                    .deflate(&block.dictionary, &block.data, block.last, &mut out)
                    .unwrap();
                zip.give_block(block.id, out.clone()).unwrap();
                zip.give_block(block.id, out).unwrap_err();
            }
            zip.finish().unwrap();
            let bytes = zip.take();
            assert!(bytes == here.take(), "{length}");
            let archive = Archive::open(bytes, &Limits::default()).unwrap();
            assert!(archive.read(archive.find("a").unwrap()).unwrap() == data, "{length}");
        }
    }

    #[test]
    fn an_entry_too_large_to_be_held_tells_its_sizes_behind_its_data() {
        let mut zip = ZipWriter::new(0);
        let data = text(HOLD + BLOCK);
        zip.begin("a").unwrap();
        let mut bytes = Vec::new();
        for chunk in data.chunks(100_000) {
            zip.write(chunk).unwrap();
            bytes.extend(zip.take());
        }
        assert!(!bytes.is_empty(), "goes out while it grows");
        zip.end().unwrap();
        zip.finish().unwrap();
        bytes.extend(zip.take());
        assert_eq!(bytes[6..8], [8, 0], "the flag for sizes behind the data");
        assert_eq!(bytes[14..26], [0; 12]);
        let descriptor = bytes.windows(4).rposition(|w| w == b"PK\x07\x08").unwrap();
        assert_eq!(bytes[descriptor + 4..descriptor + 8], crc32(&data).to_le_bytes());
        assert_eq!(bytes[descriptor + 12..descriptor + 16], (data.len() as u32).to_le_bytes());
        let archive = Archive::open(bytes, &Limits::default()).unwrap();
        assert!(archive.read(archive.find("a").unwrap()).unwrap() == data);
    }

    #[test]
    fn numbers_beyond_32_bits_stand_in_zip64_records() {
        let header = EntryHeader {
            name: b"a".to_vec(),
            flags: FLAG_DESCRIPTOR,
            method: DEFLATED,
            time: 0,
            date: DATE,
            crc: 1,
            compressed: 5,
            size: 0x1_0000_0002,
        };
        let mut out = Vec::new();
        header.central(0x2_0000_0003, &mut out);
        let mut expected =
            b"PK\x01\x02\x2d\0\x2d\0\x08\0\x08\0\0\0\x21\0\x01\0\0\0\x05\0\0\0\xff\xff\xff\xff".to_vec();
        expected.extend(b"\x01\0\x14\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xffa");
        expected.extend(b"\x01\0\x10\0\x02\0\0\0\x01\0\0\0\x03\0\0\0\x02\0\0\0");
        assert_eq!(out, expected);
        out.clear();
        header.descriptor(&mut out);
        assert_eq!(out, b"PK\x07\x08\x01\0\0\0\x05\0\0\0\0\0\0\0\x02\0\0\0\x01\0\0\0");
    }

    #[test]
    fn more_entries_than_16_bits_count_are_written_and_read() {
        let mut zip = ZipWriter::new(0);
        for i in 0..65_536 {
            zip.add(&i.to_string(), b"").unwrap();
        }
        zip.finish().unwrap();
        let limits = Limits { entries: 70_000, ..Limits::default() };
        let archive = Archive::open(zip.take(), &limits).unwrap();
        assert_eq!(archive.entries().len(), 65_536);
        assert_eq!(archive.entries()[65_535].name, "65535");
    }

    #[test]
    fn entries_are_copied_as_they_are() {
        let mut zip = ZipWriter::new(9);
        zip.add("Währung", b"one one one one").unwrap();
        zip.add("b", b"two").unwrap();
        zip.finish().unwrap();
        let bytes = zip.take();
        let archive = Archive::open(bytes.clone(), &Limits::default()).unwrap();
        let mut copy = ZipWriter::new(0);
        for entry in archive.entries() {
            let start = archive.raw_range(entry);
            copy.begin_raw(entry.to_raw()).unwrap();
            copy.write_raw(&bytes[start]).unwrap();
        }
        copy.finish().unwrap();
        assert_eq!(copy.take(), bytes);
        copy.begin_raw(archive.entries()[0].to_raw()).unwrap();
        copy.finish().unwrap_err();
    }
}
