//! The directory of an archive: which entries there are, and where.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, ErrorCode, Result};
use crate::order::order_of;
use crate::package::Limits;
use crate::package::pull::Wanted;

use super::entry::EntryReader;
use super::records::{Central, End, Fields, LOCAL_SIZE, RECORD_64, TAIL};
use super::{DEFLATED, FLAG_ENCRYPTED, FLAG_UTF8, RawEntry, STORED, corrupt, names};

/// An entry as the directory describes it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) compressed: u64,
    pub(super) raw_name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) time: u16,
    pub(super) date: u16,
    pub(super) offset: u64,
    /// Where the next entry or the directory begins: this one must end before.
    pub(super) limit: u64,
}

impl Entry {
    /// Whether it needs a password.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.flags & FLAG_ENCRYPTED != 0
    }

    /// Whether it is stored or deflated.
    pub(crate) fn has_known_method(&self) -> bool {
        matches!(self.method, STORED | DEFLATED)
    }

    /// What a copy of it in another archive needs.
    pub(crate) fn to_raw(&self) -> RawEntry {
        RawEntry {
            name: self.raw_name.clone(),
            utf8: self.flags & FLAG_UTF8 != 0,
            method: self.method,
            time: self.time,
            date: self.date,
            crc: self.crc,
            compressed: self.compressed,
            size: self.size,
        }
    }
}

/// A directory that was read and found sound.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    entries: Arc<Vec<Entry>>,
    by_name: Arc<HashMap<String, usize>>,
}

impl Directory {
    /// All entries in the order of the directory, folders included.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of exactly that name.
    pub(crate) fn find(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(name).and_then(|&index| self.entries.get(index))
    }

    /// Begins to read an entry.
    pub(crate) fn reader(&self, entry: &Entry) -> Result<EntryReader> {
        EntryReader::new(entry)
    }
}

/// Finds the directory of an archive and reads it. `PACKAGE_CORRUPT` where it contradicts itself or the file,
/// `PACKAGE_LIMIT` where it promises more than the limits allow; nothing is inflated here.
pub(crate) struct DirectoryReader {
    size: u64,
    limits: Limits,
    wanted: Wanted,
    state: State,
    /// The end of the archive, kept since the directory mostly lies in it.
    tail: Vec<u8>,
}

enum State {
    Tail,
    Record64 {
        end: End,
    },
    Directory {
        end: End,
    },
    Done(Directory),
    /// No zip; the first bytes tell what it is instead.
    Foreign,
    Failed,
}

impl DirectoryReader {
    pub(crate) fn new(size: u64, limits: &Limits) -> Self {
        let mut wanted = Wanted::default();
        wanted.ask(size.saturating_sub(TAIL)..size);
        Self { size, limits: *limits, wanted, state: State::Tail, tail: Vec::new() }
    }

    pub(crate) fn want(&self) -> Option<Range<u64>> {
        self.wanted.range()
    }

    /// Takes the bytes that were wanted.
    pub(crate) fn give(&mut self, bytes: Vec<u8>) -> Result<()> {
        let range = self.wanted.take(&bytes)?;
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Tail => {
                self.tail = bytes;
                match End::find(&self.tail, range.start) {
                    None => self.state = State::Foreign,
                    Some(end) => match end.record_64 {
                        None => self.directory(end)?,
                        Some(at) => match self.in_tail(at..at.saturating_add(RECORD_64)) {
                            Some(record) => {
                                let end = End::read_64(record, at).unwrap_or(end);
                                self.directory(end)?;
                            }
                            None => {
                                self.wanted.ask(at..at.saturating_add(RECORD_64));
                                self.state = State::Record64 { end };
                            }
                        },
                    },
                }
            }
            State::Record64 { end } => {
                self.directory(End::read_64(&bytes, range.start).unwrap_or(end))?;
            }
            State::Directory { end } => self.entries(&bytes, &end)?,
            State::Done(_) | State::Foreign | State::Failed => {
                return Err(Error::argument("no bytes of the package are wanted now"));
            }
        }
        Ok(())
    }

    /// Bytes of the archive.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The directory, once nothing is wanted any more; none where the file is no zip.
    pub(crate) fn directory_read(&self) -> Option<&Directory> {
        match &self.state {
            State::Done(directory) => Some(directory),
            _ => None,
        }
    }

    /// These bytes, if they lie in the part at the end that was read first.
    pub(crate) fn in_tail(&self, range: Range<u64>) -> Option<&[u8]> {
        let base = self.size - self.tail.len() as u64;
        let from = usize::try_from(range.start.checked_sub(base)?).ok()?;
        let to = usize::try_from(range.end.checked_sub(base)?).ok()?;
        self.tail.get(from..to)
    }

    fn directory(&mut self, end: End) -> Result<()> {
        if !end.one_volume {
            return Err(corrupt("the zip is one of several volumes"));
        }
        if end.entries > self.limits.entries {
            return Err(limit("entries", end.entries, self.limits.entries));
        }
        if end.directory_size > self.limits.spool {
            return Err(limit("bytes in its directory", end.directory_size, self.limits.spool));
        }
        let stop = end.directory_offset.checked_add(end.directory_size).filter(|&stop| stop <= end.position);
        let stop =
            stop.ok_or_else(|| corrupt("the zip's directory does not lie where the end of the file says"))?;
        let range = end.directory_offset..stop;
        if let Some(bytes) = self.in_tail(range.clone()) {
            let bytes = bytes.to_vec();
            return self.entries(&bytes, &end);
        }
        self.wanted.ask(range);
        self.state = State::Directory { end };
        Ok(())
    }

    fn entries(&mut self, bytes: &[u8], end: &End) -> Result<()> {
        let mut entries = read_entries(bytes, end, &self.limits)?;
        check_overlap(&mut entries, end.directory_offset)?;
        let mut by_name = HashMap::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            if by_name.insert(entry.name.clone(), index).is_some() {
                return Err(corrupt(format!("the zip has two entries named \"{}\"", entry.name)));
            }
        }
        self.state = State::Done(Directory { entries: Arc::new(entries), by_name: Arc::new(by_name) });
        Ok(())
    }
}

fn read_entries(directory: &[u8], end: &End, limits: &Limits) -> Result<Vec<Entry>> {
    let mut fields = Fields::at(directory, 0).ok_or_else(|| corrupt("the zip's directory can't be read"))?;
    let mut entries = Vec::new();
    let mut total = 0u64;
    for number in 1..=end.entries {
        let central = Central::read(&mut fields).ok_or_else(|| {
            corrupt(format!("entry {number} of {} in the zip's directory is damaged", end.entries))
        })?;
        let entry = to_entry(&central)?;
        total = total.saturating_add(entry.size);
        check_limits(&entry, total, limits)?;
        entries.push(entry);
    }
    // Whoever reads to the end of the directory, as the service does, would see other entries than whoever counts.
    if !fields.is_empty() {
        return Err(corrupt(format!(
            "the zip's directory has more than the {} entries that it should",
            end.entries
        )));
    }
    Ok(entries)
}

fn to_entry(central: &Central<'_>) -> Result<Entry> {
    let name = names::decode(central.name, central.flags & FLAG_UTF8 != 0)
        .ok_or_else(|| corrupt("the name of an entry is marked as UTF-8 and is not"))?;
    if let Some(reason) = names::unsafe_reason(&name) {
        return Err(corrupt(format!("the zip has an entry named {name:?}: {reason}")));
    }
    if central.method == STORED && central.size != central.compressed {
        return Err(corrupt(format!(
            "\"{name}\" is stored, but its sizes differ: {} and {}",
            central.compressed, central.size
        )));
    }
    Ok(Entry {
        name,
        size: central.size,
        compressed: central.compressed,
        raw_name: central.name.to_vec(),
        flags: central.flags,
        method: central.method,
        crc: central.crc,
        time: central.time,
        date: central.date,
        offset: central.offset,
        limit: 0,
    })
}

fn check_limits(entry: &Entry, total: u64, limits: &Limits) -> Result<()> {
    if entry.size > limits.entry_bytes {
        return Err(limit("bytes in one entry", entry.size, limits.entry_bytes).in_file(&entry.name));
    }
    if total > limits.total_bytes {
        return Err(limit("bytes in all entries", total, limits.total_bytes));
    }
    // Deflate itself can't do better than 1,032 to 1, so the default refuses only what lies.
    if entry.method == DEFLATED && entry.size > limits.ratio.saturating_mul(entry.compressed) {
        let ratio = entry.size / entry.compressed.max(1);
        return Err(limit("times its compressed size", ratio, limits.ratio).in_file(&entry.name));
    }
    Ok(())
}

fn limit(what: &str, found: u64, allowed: u64) -> Error {
    Error::new(ErrorCode::PackageLimit, format!("the package has {found} {what}, the limit is {allowed}"))
        .hint("If the package comes from a source that you trust, open it with higher limits.")
}

/// Entries that share bytes are how a small file becomes a huge one. Sets where each entry has to end.
fn check_overlap(entries: &mut [Entry], directory: u64) -> Result<()> {
    let offset = |index: usize| entries.get(index).map_or(0, |entry| entry.offset);
    let order = order_of(entries.len(), &|a, b| offset(a).cmp(&offset(b)));
    let mut limit = directory;
    for &index in order.iter().rev() {
        let Some(entry) = entries.get_mut(index) else { continue };
        let least = LOCAL_SIZE.saturating_add(entry.raw_name.len() as u64).saturating_add(entry.compressed);
        if entry.offset.saturating_add(least) > limit {
            return Err(corrupt(format!("\"{}\" overlaps what follows it in the zip", entry.name)));
        }
        entry.limit = limit;
        limit = entry.offset;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Archive, Raw, archive};
    use super::*;
    use proptest::prelude::*;

    fn open(bytes: Vec<u8>) -> Result<Archive> {
        Archive::open(bytes, &Limits::default())
    }

    fn read_all(bytes: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>> {
        let archive = open(bytes)?;
        archive.entries().iter().map(|e| Ok((e.name.clone(), archive.read(e)?))).collect()
    }

    fn refused(bytes: Vec<u8>) -> Error {
        let error = read_all(bytes).unwrap_err();
        assert_eq!(error.code, ErrorCode::PackageCorrupt, "{error}");
        error
    }

    #[test]
    fn stored_entries_are_read() {
        let bytes = archive(&[Raw::stored("a", b"one"), Raw::stored("b/c", b"")]);
        let all = read_all(bytes).unwrap();
        assert_eq!(all, [("a".to_owned(), b"one".to_vec()), ("b/c".to_owned(), vec![])]);
    }

    #[test]
    fn a_comment_may_follow_even_one_that_looks_like_an_end() {
        let mut bytes = archive(&[Raw::stored("a", b"one")]);
        let comment = b"PK\x05\x06................................";
        let at = bytes.len() - 2;
        bytes[at] = comment.len() as u8;
        bytes.extend(comment);
        assert_eq!(read_all(bytes).unwrap().len(), 1);
    }

    #[test]
    fn sizes_behind_the_data_are_read() {
        let mut raw = Raw::stored("a", b"one");
        raw.flags = super::super::FLAG_DESCRIPTOR;
        let mut bytes = archive(&[raw]);
        // What the local header knows before the data is written: nothing.
        bytes[14..26].fill(0);
        assert_eq!(read_all(bytes).unwrap()[0].1, b"one");
    }

    #[test]
    fn zip64_is_read() {
        let mut raw = Raw::stored("a", b"one");
        raw.central_compressed = Some(u32::MAX);
        raw.central_extra = [&[0xab, 0xcd, 1, 0, 9][..], &[1, 0, 8, 0, 3, 0, 0, 0, 0, 0, 0, 0]].concat();
        let small = archive(&[raw]);
        let end = small.len() - 22;
        let (directory_size, directory_offset) = (&small[end + 12..end + 16], &small[end + 16..end + 20]);
        let mut bytes = small[..end].to_vec();
        bytes.extend(b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0\0\0\0\0\0\0\0\0");
        for _ in 0..2 {
            bytes.extend(1u64.to_le_bytes());
        }
        for field in [directory_size, directory_offset] {
            bytes.extend(field);
            bytes.extend([0; 4]);
        }
        bytes.extend(b"PK\x06\x07\0\0\0\0");
        bytes.extend((end as u64).to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0");
        assert_eq!(read_all(bytes).unwrap(), [("a".to_owned(), b"one".to_vec())]);
    }

    #[test]
    fn a_false_checksum_is_damage() {
        let mut raw = Raw::stored("a", b"one");
        raw.crc ^= 1;
        assert!(refused(archive(&[raw])).message.contains("checksum"));
    }

    #[test]
    fn two_entries_of_one_name_are_refused() {
        let error = refused(archive(&[Raw::stored("a", b"one"), Raw::stored("a", b"two")]));
        assert!(error.message.contains("two entries"));
    }

    #[test]
    fn a_local_header_that_disagrees_is_refused() {
        let mut raw = Raw::stored("a", b"one");
        raw.local_name = b"b".to_vec();
        assert!(refused(archive(&[raw])).message.contains("disagree"));
        let mut bytes = archive(&[Raw::stored("a", b"one")]);
        bytes[8] = 8;
        assert!(refused(bytes).message.contains("disagree"), "method");
        let mut bytes = archive(&[Raw::stored("a", b"one")]);
        bytes[22] = 2;
        assert!(refused(bytes).message.contains("disagree"), "size");
    }

    #[test]
    fn overlapping_entries_are_refused() {
        let mut bytes = archive(&[Raw::stored("a", &[b'x'; 100]), Raw::stored("b", &[b'y'; 100])]);
        // Both lines of the directory point to the first header.
        let second = bytes.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
        bytes[second + 42..second + 46].fill(0);
        let error = open(bytes).unwrap_err();
        assert_eq!(error.code, ErrorCode::PackageCorrupt);
        assert!(error.message.contains("overlaps"), "seen before anything is inflated: {error}");
    }

    #[test]
    fn encrypted_and_foreign_methods_are_named() {
        let mut raw = Raw::stored("a", b"one");
        raw.flags = 1;
        assert!(refused(archive(&[raw])).message.contains("encrypted"));
        let mut raw = Raw::stored("a", b"one");
        raw.method = 93;
        assert!(refused(archive(&[raw])).message.contains("method 93"));
    }

    #[test]
    fn dangerous_names_are_refused() {
        assert!(refused(archive(&[Raw::stored("../a", b"")])).message.contains("leads out"));
    }

    #[test]
    fn limits_are_kept_and_both_numbers_told() {
        let mut big = Raw::stored("big", &[3, 0]);
        big.method = 8;
        big.size = 5000;
        let bytes = archive(&[Raw::stored("a", &[0; 600]), big]);
        let limits = |set: fn(&mut Limits)| {
            let mut limits = Limits::default();
            set(&mut limits);
            let error = Archive::open(bytes.clone(), &limits).unwrap_err();
            assert_eq!(error.code, ErrorCode::PackageLimit);
            error.message.clone()
        };
        let message = limits(|l| l.entries = 1);
        assert!(message.contains("2 entries") && message.contains("limit is 1"), "{message}");
        let message = limits(|l| l.entry_bytes = 500);
        assert!(message.contains("600 bytes") && message.contains("500"), "{message}");
        let message = limits(|l| {
            l.total_bytes = 5500;
            l.ratio = 10_000;
        });
        assert!(message.contains("5600 bytes") && message.contains("5500"), "{message}");
        let message = limits(|_| ());
        assert!(message.contains("2500 times") && message.contains("1032"), "{message}");
    }

    #[test]
    fn an_entry_that_inflates_to_more_than_it_promises_is_stopped() {
        let mut deflated = Vec::new();
        let mut deflate = flate2::Compress::new(flate2::Compression::best(), false);
        deflated.reserve(1000);
        deflate.compress_vec(&[0; 100_000], &mut deflated, flate2::FlushCompress::Finish).unwrap();
        let mut raw = Raw::stored("bomb", &deflated);
        raw.method = 8;
        raw.size = 1000;
        assert!(refused(archive(&[raw])).message.contains("more than the 1000 bytes"));
    }

    #[test]
    fn bytes_hidden_behind_the_compressed_data_are_damage() {
        let mut raw = Raw::stored("a", b"\x03\0hidden");
        raw.method = 8;
        raw.size = 0;
        raw.crc = 0;
        assert!(refused(archive(&[raw])).message.contains("bytes left"));
    }

    #[test]
    fn a_cut_archive_is_damage() {
        let bytes = archive(&[Raw::stored("a", b"one")]);
        for length in 0..bytes.len() {
            refused(bytes[..length].to_vec());
        }
    }

    proptest! {
        // Whatever is changed, the reader answers or refuses; it never panics and never reads beyond an entry.
        #[test]
        fn mutated_archives_never_panic(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut in any::<prop::sample::Index>(),
            shorten in any::<bool>(),
        ) {
            let mut bytes = archive(&[Raw::stored("Manifest.xml", b"<a/>"), Raw::stored("b", &[7; 40])]);
            for (index, value) in changes {
                let at = index.index(bytes.len());
                bytes[at] = value;
            }
            if shorten {
                bytes.truncate(cut.index(bytes.len()));
            }
            let _ = read_all(bytes);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_all(bytes);
        }
    }
}
