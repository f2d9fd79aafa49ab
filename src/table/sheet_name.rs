//! The name of the sheet that holds an entity's rows; known to packages too, which name it in the manifest.

/// UTF-16 units of a sheet's name; Excel itself allows 31.
const LONGEST: usize = 30;

/// The sheet of an entity: its label with `_` for spaces, cut to 30 characters. In the manifest a `$` follows.
///
/// Characters that Excel forbids in names of sheets are left out, as the service leaves out those that Windows forbids in
/// names of files; that it does so for sheets too is *unverified*.
pub(crate) fn sheet_name(label: &str) -> String {
    let mut name = String::new();
    let mut units = 0;
    for c in label.chars().filter(|&c| !is_forbidden(c)) {
        let c = if c == ' ' { '_' } else { c };
        units += c.len_utf16();
        if units > LONGEST {
            break;
        }
        name.push(c);
    }
    // An apostrophe at either end is forbidden too, and the name "History" is taken by Excel.
    let name = name.trim_matches('\'');
    match name {
        "" => "Sheet1".to_owned(),
        _ if name.eq_ignore_ascii_case("history") => format!("{name}_"),
        _ => name.to_owned(),
    }
}

/// Characters that no sheet's name can have.
pub(super) fn is_forbidden(c: char) -> bool {
    matches!(c, '[' | ']' | ':' | '*' | '?' | '/' | '\\' | '\u{fffe}' | '\u{ffff}') || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_are_named_after_labels() {
        assert_eq!(sheet_name("Vendors V2"), "Vendors_V2");
        assert_eq!(sheet_name("Country/regions"), "Countryregions");
        assert_eq!(sheet_name("Fixed asset major type and then some"), "Fixed_asset_major_type_and_the");
        assert_eq!(sheet_name("[a]:*?\\b"), "ab");
        assert_eq!(sheet_name("'x'"), "x");
        assert_eq!(sheet_name("History"), "History_");
        assert_eq!(sheet_name("?"), "Sheet1");
        assert_eq!(sheet_name(&"😀".repeat(20)).encode_utf16().count(), 30);
    }
}
