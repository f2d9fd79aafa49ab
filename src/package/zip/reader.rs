//! The directory of an archive.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Error, ErrorCode, Result};
use crate::package::Limits;

use super::entry::EntryReader;
use super::records::{Central, End, Fields, LOCAL_SIZE};
use super::{DEFLATED, FLAG_UTF8, STORED, corrupt, names};

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
    pub(super) offset: u64,
    /// Where the next entry or the directory begins: this one must end before.
    pub(super) limit: u64,
}

/// An archive in memory whose directory was read and found sound.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    bytes: Arc<Vec<u8>>,
    entries: Arc<Vec<Entry>>,
    by_name: Arc<HashMap<String, usize>>,
}

impl Archive {
    /// Whether the bytes end like a zip.
    pub(crate) fn is_zip(bytes: &[u8]) -> bool {
        End::find(bytes).is_some()
    }

    /// Reads the directory. `PACKAGE_CORRUPT` where it contradicts itself or the file, `PACKAGE_LIMIT` where it promises
    /// more than `limits` allow; nothing is inflated here.
    pub(crate) fn open(bytes: Vec<u8>, limits: &Limits) -> Result<Self> {
        let end = End::find(&bytes).ok_or_else(|| corrupt("the zip has no directory at its end"))?;
        if !end.one_volume {
            return Err(corrupt("the zip is one of several volumes"));
        }
        let mut entries = read_directory(&bytes, &end, limits)?;
        check_overlap(&mut entries, end.directory_offset)?;
        let mut by_name = HashMap::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            if by_name.insert(entry.name.clone(), index).is_some() {
                return Err(corrupt(format!("the zip has two entries named \"{}\"", entry.name)));
            }
        }
        Ok(Self { bytes: Arc::new(bytes), entries: Arc::new(entries), by_name: Arc::new(by_name) })
    }

    /// The bytes that it was opened from; a copy only while a reader of an entry is still about.
    #[cfg(feature = "full")]
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        Arc::unwrap_or_clone(self.bytes)
    }

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
        EntryReader::new(Arc::clone(&self.bytes), entry)
    }

    /// The whole content of an entry, checked.
    pub(crate) fn read(&self, entry: &Entry) -> Result<Vec<u8>> {
        let mut reader = self.reader(entry)?;
        let mut out = Vec::new();
        while reader.read(&mut out)? {}
        Ok(out)
    }
}

fn read_directory(bytes: &[u8], end: &End, limits: &Limits) -> Result<Vec<Entry>> {
    if end.entries > limits.entries {
        return Err(limit("entries", end.entries, limits.entries));
    }
    let stop = end.directory_offset.checked_add(end.directory_size).filter(|&stop| stop <= end.position);
    let directory = stop
        .and_then(|stop| bytes.get(usize::try_from(end.directory_offset).ok()?..usize::try_from(stop).ok()?));
    let directory = directory
        .ok_or_else(|| corrupt("the zip's directory does not lie where the end of the file says"))?;
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
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&index| entries.get(index).map_or(0, |entry| entry.offset));
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
    use super::super::testing::{Raw, archive};
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
            error.message
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
