//! Two rows of one key in a file of any size: exact, in bounded memory, by further passes where the file is large.
//!
//! A pass collects the 64-bit hashes of one range of hashes, which narrows while they are too many. Hashes that occur twice
//! are candidates; a further pass compares their keys themselves. A file without candidates needs one pass for every
//! 1,000,000 rows or so.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};

use crate::order::sort_by;

/// Hashes that are held at a time: 8 MB. In tests a file of some thousand rows is a large one.
pub(super) const MAX_HASHES: usize = if cfg!(test) { 100 } else { 1_000_000 };
/// Bytes of keys that are held at a time, with what each costs beside its text.
const MAX_KEYS: usize = if cfg!(test) { 2 << 10 } else { 8 << 20 };
const KEY_COST: usize = 112;
/// Duplicates that are told.
const TOLD: usize = 20;

/// A row whose key stands in an earlier row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Duplicate {
    pub(super) key: String,
    pub(super) line: u64,
    pub(super) first: u64,
}

/// What to do with the file next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Read it again from the start.
    Again,
    /// The caller reads its rows.
    Rows,
    Done,
}

/// Finds duplicate keys.
#[derive(Debug)]
pub(super) struct DuplicateKeys {
    limit_hashes: usize,
    limit_keys: usize,
    pass: Pass,
    /// First hash of the current range, and the first after it; none: to the end.
    low: u64,
    high: Option<u64>,
    hashes: Vec<u64>,
    candidates: Vec<u64>,
    held: BTreeMap<u64, Vec<(String, u64)>>,
    held_bytes: usize,
    found: Vec<Duplicate>,
    count: u64,
    partly: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    Collect,
    Compare,
    Over,
}

impl DuplicateKeys {
    pub(super) fn new() -> Self {
        Self::with_limits(MAX_HASHES, MAX_KEYS)
    }

    fn with_limits(limit_hashes: usize, limit_keys: usize) -> Self {
        Self {
            limit_hashes: limit_hashes.max(4),
            limit_keys,
            pass: Pass::Collect,
            low: 0,
            high: None,
            hashes: Vec::new(),
            candidates: Vec::new(),
            held: BTreeMap::new(),
            held_bytes: 0,
            found: Vec::new(),
            count: 0,
            partly: false,
        }
    }

    /// The key of the next row.
    pub(super) fn add(&mut self, key: &str, line: u64) {
        let mut hasher = DefaultHasher::new();
        hasher.write(key.as_bytes());
        self.add_hashed(hasher.finish(), key, line);
    }

    fn add_hashed(&mut self, hash: u64, key: &str, line: u64) {
        if hash < self.low || self.high.is_some_and(|high| hash >= high) {
            return;
        }
        match self.pass {
            Pass::Collect => {
                self.hashes.push(hash);
                if self.hashes.len() > self.limit_hashes {
                    self.narrow();
                }
            }
            Pass::Compare if self.candidates.binary_search(&hash).is_ok() => self.compare(hash, key, line),
            Pass::Compare | Pass::Over => {}
        }
    }

    /// The file was read to its end.
    pub(super) fn end_of_file(&mut self) -> Next {
        match self.pass {
            Pass::Collect => {
                // In place, for these are most of the memory there is.
                let mut hashes = std::mem::take(&mut self.hashes);
                hashes.sort_unstable();
                retain_nth(&mut hashes, |nth| nth == 2);
                hashes.shrink_to_fit();
                self.candidates = hashes;
                if !self.candidates.is_empty() {
                    self.pass = Pass::Compare;
                    return Next::Again;
                }
                self.next_range()
            }
            Pass::Compare => {
                let more = self.high.is_some();
                self.held.clear();
                self.held_bytes = 0;
                if self.count > 0 {
                    self.partly = more;
                    self.pass = Pass::Over;
                    return Next::Done;
                }
                self.pass = Pass::Collect;
                self.next_range()
            }
            Pass::Over => Next::Done,
        }
    }

    /// The first twenty duplicates by line, their number, and whether there may be more.
    pub(super) fn into_found(mut self) -> (Vec<Duplicate>, u64, bool) {
        sort_by(&mut self.found, |a, b| a.line.cmp(&b.line));
        self.found.truncate(TOLD);
        (self.found, self.count, self.partly)
    }

    fn next_range(&mut self) -> Next {
        let Some(high) = self.high else {
            self.pass = Pass::Over;
            return Next::Done;
        };
        self.low = high;
        self.high = None;
        Next::Again
    }

    /// Makes room: equal hashes need to be held twice only, and half of the range may wait for another pass.
    fn narrow(&mut self) {
        let limit = self.limit_hashes;
        let hashes = &mut self.hashes;
        hashes.sort_unstable();
        retain_nth(hashes, |nth| nth <= 2);
        if hashes.len() > limit / 2 {
            let middle = hashes.get(hashes.len() / 2).copied().unwrap_or_default();
            // The range must not become empty: its first hash may be its middle one too.
            let high = if hashes.first() == Some(&middle) { middle.saturating_add(1) } else { middle };
            hashes.truncate(hashes.partition_point(|&hash| hash < high));
            self.high = Some(high);
        }
    }

    fn compare(&mut self, hash: u64, key: &str, line: u64) {
        let keys = self.held.entry(hash).or_default();
        if let Some((_, first)) = keys.iter().find(|(held, _)| held == key) {
            self.count += 1;
            if self.found.len() < TOLD {
                self.found.push(Duplicate { key: key.to_owned(), line, first: *first });
            }
            return;
        }
        keys.push((key.to_owned(), line));
        self.held_bytes += key.len() + KEY_COST;
        let distinct: usize = self.held.len();
        while self.held_bytes > self.limit_keys && distinct > 1 && self.held.len() > 1 {
            // The upper hashes wait for another pass.
            let Some((hash, keys)) = self.held.pop_last() else { return };
            self.held_bytes -= keys.iter().map(|(key, _)| key.len() + KEY_COST).sum::<usize>();
            self.high = Some(hash);
        }
    }
}

/// Keeps of each run of equal numbers those whose place in it, from 1, is wanted.
fn retain_nth(sorted: &mut Vec<u64>, wanted: impl Fn(u32) -> bool) {
    let mut last = None;
    let mut nth: u32 = 0;
    sorted.retain(|&number| {
        nth = if last == Some(number) { nth.saturating_add(1) } else { 1 };
        last = Some(number);
        wanted(nth)
    });
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Runs all passes; the hash is given, so that collisions can be made.
    fn run(rows: &[(u64, String)], hashes: usize, keys: usize) -> (Vec<Duplicate>, u64, bool, usize) {
        let mut it = DuplicateKeys::with_limits(hashes, keys);
        let mut passes = 0;
        loop {
            passes += 1;
            assert!(passes < 10_000, "it ends");
            for (line, (hash, key)) in (2..).zip(rows) {
                it.add_hashed(*hash, key, line);
                assert!(it.hashes.len() <= hashes.max(4));
            }
            if it.end_of_file() == Next::Done {
                let (found, count, partly) = it.into_found();
                return (found, count, partly, passes);
            }
        }
    }

    fn keys(names: &[&str]) -> Vec<(u64, String)> {
        names
            .iter()
            .map(|name| {
                let mut hasher = DefaultHasher::new();
                hasher.write(name.as_bytes());
                (hasher.finish(), (*name).to_owned())
            })
            .collect()
    }

    #[test]
    fn distinct_keys_need_one_pass() {
        assert_eq!(run(&keys(&["a", "b", "c"]), 100, 1000), (vec![], 0, false, 1));
    }

    #[test]
    fn duplicates_name_both_lines() {
        let (found, count, partly, passes) = run(&keys(&["a", "b", "a", "c", "a"]), 100, 10_000);
        let duplicate = |line| Duplicate { key: "a".into(), line, first: 2 };
        assert_eq!((found, count, partly, passes), (vec![duplicate(4), duplicate(6)], 2, false, 2));
    }

    #[test]
    fn equal_hashes_of_other_keys_are_no_duplicates() {
        let rows: Vec<(u64, String)> = (0..50).map(|i| (i % 5, format!("k{i}"))).collect();
        assert_eq!(run(&rows, 8, 300).1, 0);
        let mut rows = rows;
        rows.push((3, "k3".into()));
        let (found, count, ..) = run(&rows, 8, 300);
        assert_eq!((found, count), (vec![Duplicate { key: "k3".into(), line: 52, first: 5 }], 1));
    }

    #[test]
    fn the_last_hash_of_all_is_looked_at() {
        let rows = [(u64::MAX, "a".to_owned()), (u64::MAX, "a".into()), (0, "b".into())];
        assert_eq!(run(&rows, 100, 1000).1, 1);
    }

    proptest! {
        // Kills mutants in the ranges: whatever the limits, a duplicate is found exactly where there is one.
        #[test]
        fn found_whenever_there_is_one(
            rows in proptest::collection::vec((0u64..40, 0u8..6), 0..120),
            hashes in 4usize..30,
            limit in 100usize..2000,
        ) {
            // Few hashes and few keys for each: collisions and duplicates abound.
            let rows: Vec<(u64, String)> =
                rows.into_iter().map(|(hash, key)| (hash << 58 | hash, format!("{hash}-{key}"))).collect();
            let mut seen = BTreeSet::new();
            let expected = rows.iter().filter(|(_, key)| !seen.insert(key.clone())).count() as u64;
            let (found, count, partly, _) = run(&rows, hashes, limit);
            prop_assert_eq!(count > 0, expected > 0);
            prop_assert!(count <= expected);
            prop_assert!(partly || count == expected || found.len() <= 20);
            for duplicate in found {
                let at = |line: u64| &rows[usize::try_from(line).unwrap() - 2].1;
                prop_assert_eq!(at(duplicate.line), &duplicate.key);
                prop_assert_eq!(at(duplicate.first), &duplicate.key);
                prop_assert!(duplicate.first < duplicate.line);
            }
            if hashes > 200 {
                prop_assert_eq!(count, expected);
            }
        }
    }
}
