//! Which names sheets and ranges can have, and names of columns.

use super::super::sheet_name::is_forbidden;

/// Whether a workbook can have a sheet of that name.
pub(super) fn is_sheet_name(name: &str) -> bool {
    !name.is_empty()
        && name.encode_utf16().count() <= 31
        && !name.chars().any(is_forbidden)
        && !name.starts_with('\'')
        && !name.ends_with('\'')
        && !name.eq_ignore_ascii_case("history")
}

/// Whether a range can have that name: a word that can't be taken for a cell. With any other, Excel calls the workbook damaged.
pub(super) fn is_range_name(name: &str) -> bool {
    let mut chars = name.chars();
    let word = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    word && !looks_like_cell(name)
}

/// `A1` to `XFD1048576` and beyond, `R`, `C`, `R1C1`.
fn looks_like_cell(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let digits_only = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let letters = upper.bytes().take_while(u8::is_ascii_alphabetic).count();
    let by_letters =
        (1..=3).contains(&letters) && letters < upper.len() && upper.get(letters..).is_some_and(digits_only);
    let by_numbers = upper.strip_prefix('R').is_some_and(|rest| {
        rest.split_once('C')
            .map_or_else(|| digits_only(rest), |(row, column)| digits_only(row) && digits_only(column))
    });
    by_letters || by_numbers || upper.strip_prefix('C').is_some_and(digits_only)
}

/// `A` for 0, `Z` for 25, `AA` for 26.
pub(super) fn column_name(index: usize) -> String {
    let mut name = Vec::new();
    let mut rest = index + 1;
    while rest > 0 {
        rest -= 1;
        name.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or_default()));
        rest /= 26;
    }
    name.into_iter().rev().collect()
}

/// 0-based column and 1-based row of a reference such as `B12`.
pub(super) fn parse_cell(reference: &str) -> Option<(usize, u64)> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (column, row) = reference.split_at_checked(letters)?;
    if !(1..=3).contains(&letters) || !row.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number =
        column.bytes().fold(0, |number, b| number * 26 + usize::from(b.to_ascii_uppercase() - b'A') + 1);
    Some((number - 1, row.parse().ok().filter(|&row| row > 0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sheets() {
        assert!(is_sheet_name("Vendors_V2") && is_sheet_name("A$") && is_sheet_name(&"x".repeat(31)));
        for name in ["", "a/b", "'a", "a'", &"x".repeat(32), "HISTORY", "a\u{1}"] {
            assert!(!is_sheet_name(name), "{name}");
        }
    }

    #[test]
    fn names_of_ranges_are_no_cells() {
        for name in ["Vendors_V2", "_a", "Größe", "ABCD1", "A1B"] {
            assert!(is_range_name(name), "{name}");
        }
        for name in
            ["", "A1", "TAX2024", "XFD1048576", "R", "C", "R1C1", "r2", "c3", "RC", "1a", "a-b", "a b", "a$"]
        {
            assert!(!is_range_name(name), "{name}");
        }
    }

    #[test]
    fn columns_have_letters() {
        for (index, name) in
            [(0, "A"), (25, "Z"), (26, "AA"), (254, "IU"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")]
        {
            assert_eq!(column_name(index), name);
            assert_eq!(parse_cell(&format!("{name}7")), Some((index, 7)));
        }
        assert_eq!(parse_cell("b12"), Some((1, 12)));
        for reference in ["", "A", "1", "A0", "A-1", "$A$1", "AAAA1", "A1B", "Ä1"] {
            assert_eq!(parse_cell(reference), None, "{reference}");
        }
    }
}
