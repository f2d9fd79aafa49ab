//! Rows as JavaScript hands them over: cells in one text, each followed by the character that tells its kind.

use crate::cells::utf16_len;

/// Ends a cell of text; the five characters before it end cells of the kinds 1 to 5.
pub const TEXT_END: u8 = 0x1f;
/// Ends a cell of the last kind.
const LAST_END: u8 = 0x1a;

/// The next cell of a joined text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scanned {
    /// Bytes of the cell.
    pub length: usize,
    /// Its kind, 0 for text.
    pub kind: u8,
    /// Whether there is a character that needs quotes in CSV, or may not be there.
    pub special: bool,
}

/// How many cells end in the text.
#[inline(never)]
#[must_use]
pub fn count(text: &str) -> usize {
    text.as_bytes()
        .chunks(255)
        .map(|part| usize::from(part.iter().map(|&b| u8::from(is_end(b))).sum::<u8>()))
        .sum()
}

/// Finds the end of the first cell.
#[must_use]
pub fn scan(bytes: &[u8]) -> Option<Scanned> {
    let mut special = false;
    for (length, &byte) in bytes.iter().enumerate() {
        // All that matters lies here; letters, digits and most signs do not.
        if byte <= b',' {
            if is_end(byte) {
                return Some(Scanned { length, kind: TEXT_END - byte, special });
            }
            special |= matches!(byte, b',' | b'"' | b'\r' | b'\n' | 0);
        }
    }
    None
}

/// Appends cells of text that need no quotes as CSV, up to the first other one or until `out` has `enough` bytes after a row.
/// `at` is where the next cell begins, `index` the number of its column of `width`; `rows` counts begun rows.
#[inline(never)]
#[must_use]
pub fn copy_plain(
    text: &str,
    at: &mut usize,
    index: &mut usize,
    rows: &mut u64,
    width: usize,
    enough: usize,
    out: &mut String,
) -> Option<Scanned> {
    while let Some(found) = scan(text.as_bytes().get(*at..).unwrap_or_default()) {
        // A row of one empty cell would be a blank line.
        if found.kind != 0 || found.special || (width == 1 && found.length == 0) {
            return Some(found);
        }
        if *index == 0 {
            if out.len() >= enough {
                return Some(found);
            }
            *rows += 1;
        }
        out.push_str(text.get(*at..*at + found.length).unwrap_or_default());
        *at += found.length + 1;
        *index += 1;
        if *index == width {
            *index = 0;
            out.push_str("\r\n");
        } else {
            out.push(',');
        }
    }
    None
}

/// A joined text as text, ends in UTF-16 code units and kinds; none where its cells are not `cells` in number.
#[must_use]
pub fn split(text: &str, cells: usize) -> Option<(String, Vec<u32>, Vec<u8>)> {
    if count(text) != cells {
        return None;
    }
    let (mut plain, mut ends, mut kinds) = (String::with_capacity(text.len()), Vec::new(), Vec::new());
    let (mut at, mut unit) = (0, 0);
    while let Some(found) = scan(text.as_bytes().get(at..).unwrap_or_default()) {
        let cell = text.get(at..at + found.length).unwrap_or_default();
        at += found.length + 1;
        unit += utf16_len(cell);
        plain.push_str(cell);
        ends.push(u32::try_from(unit).unwrap_or(u32::MAX));
        kinds.push(found.kind);
    }
    Some((plain, ends, kinds))
}

fn is_end(byte: u8) -> bool {
    (LAST_END..=TEXT_END).contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_counted_and_split_by_kind() {
        let text = "a\u{1f}12\u{1e}\u{1a}Zoë\u{1f}";
        assert_eq!(count(text), 4);
        let split = split(text, 4).unwrap();
        assert_eq!(split, ("a12Zoë".to_owned(), vec![1, 3, 3, 6], vec![0, 1, 5, 0]));
        assert_eq!(super::split(text, 3), None);
        let long = "x\u{1f}".repeat(1000);
        assert_eq!(count(&long), 1000);
    }

    #[test]
    fn plain_cells_are_copied_up_to_the_first_other_one() {
        let text = "a\u{1f}b\u{1f}c,\u{1f}d\u{1f}";
        let (mut at, mut index, mut rows, mut out) = (0, 0, 0, String::new());
        let found = copy_plain(text, &mut at, &mut index, &mut rows, 2, usize::MAX, &mut out).unwrap();
        assert_eq!(found, Scanned { length: 2, kind: 0, special: true });
        assert_eq!((at, index, rows, out.as_str()), (4, 0, 1, "a,b\r\n"));
    }
}
