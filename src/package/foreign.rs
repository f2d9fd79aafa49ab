//! What somebody handed over instead of a data package, so that the error can say it.

use crate::error::{Error, ErrorCode};

use super::HEADER_FILE;
use super::zip::Directory;

/// The error for bytes that do not end like a zip.
pub(super) fn not_a_zip(bytes: &[u8]) -> Error {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let lower: Vec<u8> = text.iter().take(64).map(u8::to_ascii_lowercase).collect();
    match bytes {
        // A local header at the start: it was a zip once.
        [b'P', b'K', 3, 4, ..] => Error::new(
            ErrorCode::PackageCorrupt,
            "the zip is cut off, or something follows its end: it has no directory there",
        )
        .hint("Fetch the package again, and check that all of it arrived and nothing was added."),
        [] => not("nothing: there are no bytes", "Check that the file was read, and is not empty."),
        [0x1f, 0x8b, ..] => not("gzip data", "Unpack it first, or write a zip."),
        [b'7', b'z', 0xbc, 0xaf, ..] => not("a 7z archive", "Write a zip with the files at its root."),
        [b'R', b'a', b'r', b'!', ..] => not("a RAR archive", "Write a zip with the files at its root."),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => not("an old Office document", PACKAGE_HINT),
        _ if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") => not(
            "an HTML page",
            "Most likely a sign-in or error page came instead of the file: check the address and its access rights.",
        ),
        _ if text.starts_with(b"<") => not("an XML file", PACKAGE_HINT),
        _ if text.starts_with(b"{") || text.starts_with(b"[") => {
            not("JSON", "Most likely an error came instead of the file: look into it, and check the address.")
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => not("a text file, perhaps CSV", PACKAGE_HINT),
        _ if looks_like_text(bytes) => not("a text file, perhaps CSV", PACKAGE_HINT),
        _ => not("neither a zip nor anything else that is known here", PACKAGE_HINT),
    }
}

/// The error for a zip without `PackageHeader.xml`.
pub(super) fn no_header(directory: &Directory) -> Error {
    if let Some(error) = misplaced(directory, HEADER_FILE, ErrorCode::NotAPackage) {
        return error;
    }
    let has = |name: &str| directory.find(name).is_some();
    let what = if has("xl/workbook.xml") || has("xl/workbook.bin") {
        "an Excel workbook"
    } else if has("[Content_Types].xml") {
        "an Office document"
    } else {
        return Error::new(ErrorCode::NotAPackage, format!("the zip has no {HEADER_FILE}"))
            .in_file(HEADER_FILE)
            .hint("A data package has PackageHeader.xml, Manifest.xml and the data files at the root of the zip.");
    };
    not(what, PACKAGE_HINT)
}

/// An error for a required file that is there, but in a folder or in another spelling.
pub(super) fn misplaced(directory: &Directory, name: &str, code: ErrorCode) -> Option<Error> {
    let found = near(directory, name)?;
    Some(
        Error::new(code, format!("the zip has no {name} at its root, but \"{found}\""))
            .in_file(name)
            .hint("All entries must lie at the root of the zip, in exactly this spelling: zip the files, not their folder."),
    )
}

/// The entry of that name in a folder, or in another spelling.
pub(super) fn near<'a>(directory: &'a Directory, name: &str) -> Option<&'a str> {
    let mut names = directory.entries().iter().map(|entry| entry.name.as_str());
    names.find(|found| looks_like(found, name))
}

/// Whether an entry has that name in a folder, or in another spelling.
pub(super) fn looks_like(entry: &str, name: &str) -> bool {
    entry.rsplit(['/', '\\']).next().is_some_and(|last| last.trim().eq_ignore_ascii_case(name))
}

const PACKAGE_HINT: &str = "Put the file into a data package first: a zip with PackageHeader.xml, Manifest.xml and the data \
                            files.";

fn not(what: &str, hint: &str) -> Error {
    Error::new(ErrorCode::NotAPackage, format!("this is no data package, but {what}")).hint(hint)
}

fn looks_like_text(bytes: &[u8]) -> bool {
    let head = bytes.get(..512).unwrap_or(bytes);
    head.iter().all(|&b| b >= 0x20 || matches!(b, b'\t' | b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use super::super::zip::testing::{Raw, archive};
    use super::*;
    use crate::package::{Limits, LocalPackage};

    fn refused(bytes: &[u8]) -> Error {
        LocalPackage::open(bytes.to_vec(), Limits::default()).unwrap_err()
    }

    #[test]
    fn what_is_no_zip_is_named() {
        for (bytes, what) in [
            (&b""[..], "nothing"),
            (b"<!DOCTYPE html><html>", "HTML"),
            (b"\n <html lang=en>", "HTML"),
            (b"<?xml version=\"1.0\"?><Error/>", "XML"),
            (b"{\"error\":{}}", "JSON"),
            (b"CURRENCYCODE,NAME\r\nEUR,Euro\r\n", "CSV"),
            (b"\xff\xfeA\0,\0", "CSV"),
            (b"\x1f\x8b\x08\0", "gzip"),
            (b"\x00\x01\x02\x03", "neither"),
        ] {
            let error = refused(bytes);
            assert_eq!(error.code, ErrorCode::NotAPackage);
            assert!(error.message.contains(what), "{}", error.message);
            assert!(error.hint.is_some());
        }
        assert_eq!(refused(b"PK\x03\x04rest").code, ErrorCode::PackageCorrupt);
    }

    #[test]
    fn zips_that_are_something_else_are_named() {
        let error = refused(&archive(&[
            Raw::stored("[Content_Types].xml", b""),
            Raw::stored("xl/workbook.xml", b""),
        ]));
        assert_eq!(error.code, ErrorCode::NotAPackage);
        assert!(error.message.contains("Excel workbook"));
        let error = refused(&archive(&[Raw::stored("a.csv", b"")]));
        assert_eq!(error.code, ErrorCode::NotAPackage);
        assert!(error.message.contains("PackageHeader.xml"));
        assert_eq!(refused(&archive(&[])).code, ErrorCode::NotAPackage);
    }

    #[test]
    fn a_header_in_a_folder_or_in_another_spelling_is_told() {
        for found in ["export/PackageHeader.xml", "packageheader.xml", "a\\PackageHeader.xml"] {
            let error = refused(&archive(&[Raw::stored(found, b"")]));
            assert_eq!(error.code, ErrorCode::NotAPackage);
            assert!(error.message.contains(found), "{}", error.message);
            assert!(error.hint.as_deref().unwrap().contains("root"));
        }
    }
}
