//! Names that the service puts conditions on: data projects and files.

use crate::error::{Error, Result};

use super::zip::unsafe_reason;
use super::{HEADER_FILE, MANIFEST_FILE};

/// Longest name of a file that Windows takes, in UTF-16 code units.
const LONGEST_FILE_NAME: usize = 255;

/// The file name that the service itself derives from a label: forbidden characters are deleted, not replaced.
pub(super) fn file_name_of(label: &str, extension: &str) -> String {
    let stem: String = label.chars().filter(|&c| !is_forbidden(c)).collect();
    format!("{stem}.{extension}")
}

/// A data file lies at the root of the zip, since the service finds it by its name alone.
pub(super) fn check_data_file(name: &str) -> Result<()> {
    if let Some(c) = name.chars().find(|&c| is_forbidden(c)) {
        return Err(Error::argument(format!("the file name {name:?} has the character {c:?}"))
            .hint("Leave out \\ / : * ? \" < > | and control characters; data files lie at the root of the package."));
    }
    check_entry(name)
}

/// Any further entry; folders are allowed.
pub(super) fn check_entry(name: &str) -> Result<()> {
    let refuse =
        |reason: &str| Err(Error::argument(format!("the file name {name:?} can't be used: {reason}")));
    if let Some(reason) = unsafe_reason(name) {
        return refuse(reason);
    }
    if name.contains('\\') || name.ends_with('/') {
        return refuse("folders are separated by /, and entries for folders alone are not written");
    }
    if name.split('/').any(|part| part.encode_utf16().count() > LONGEST_FILE_NAME) {
        return refuse("it is longer than 255 characters");
    }
    if [HEADER_FILE, MANIFEST_FILE].iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
        return refuse("the package's own file has that name");
    }
    Ok(())
}

/// A data project: an apostrophe in its name makes jobs of the service fail.
pub(super) fn check_project(name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return Err(Error::argument("the package has no name").hint("Give the name of the data project."));
    }
    if name.contains('\'') {
        return Err(Error::argument(format!("the data project name {name:?} has an apostrophe"))
            .hint("Use a name without apostrophe: the service's jobs fail on it."));
    }
    Ok(())
}

fn is_forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\\' | '/' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_characters_are_deleted() {
        assert_eq!(file_name_of("Country/regions", "csv"), "Countryregions.csv");
        assert_eq!(file_name_of("Vendors V2", "csv"), "Vendors V2.csv");
        assert_eq!(file_name_of("a\\b:c*d?e\"f<g>h|i\u{7}j", "csv"), "abcdefghij.csv");
    }

    #[test]
    fn names_that_are_refused() {
        for name in ["", "a/b.csv", "a\\b.csv", "..", "a:b", "manifest.XML", "PackageHeader.xml", "a\u{1}"] {
            check_data_file(name).unwrap_err();
        }
        for name in ["", "/a", "a/../b", "a\\b", "a/", "Manifest.xml", &"x".repeat(256)] {
            check_entry(name).unwrap_err();
        }
        check_entry("Resources/a.xslt").unwrap();
        check_data_file("Währung (neu).csv").unwrap();
        for name in ["", " ", "Bob's project"] {
            check_project(name).unwrap_err();
        }
    }
}
