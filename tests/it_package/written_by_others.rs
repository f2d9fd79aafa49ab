//! Packages that Python wrote, in every shape that it can write a zip in.

use d365_clm::ErrorCode;
use d365_clm::package::{Limits, LocalPackage};

use crate::tools::{Folder, has, python};

#[test]
fn every_shape_of_pythons_zip_is_read() {
    if !has("python3", "--version") {
        return;
    }
    let folder = Folder::new();
    python(include_str!("write.py"), &[&folder.path("")]);
    for shape in ["stored", "deflated", "descriptors", "zip64", "zip64-descriptors", "comment", "folders"] {
        let bytes = std::fs::read(folder.path(&format!("{shape}.zip"))).unwrap();
        let package = LocalPackage::open(bytes, Limits::default()).unwrap_or_else(|e| panic!("{shape}: {e}"));
        assert_eq!(package.name(), "Verträge", "{shape}");
        assert_eq!(package.count_rows(0).unwrap(), 20_000, "{shape}");
        let mut rows = package.rows(0).unwrap();
        assert_eq!(rows.columns(), ["ID", "NAME"]);
        let first = rows.next(1).unwrap().unwrap();
        assert_eq!(first.cells().collect::<Vec<_>>(), ["0", "naïve, \"quoted\"\nvalue 😀"], "{shape}");
        assert_eq!(package.files().count(), 3, "{shape}: folders are no files");
    }
}

#[test]
fn what_the_service_could_not_read_is_refused() {
    if !has("python3", "--version") {
        return;
    }
    let folder = Folder::new();
    python(include_str!("write.py"), &[&folder.path("")]);
    for (shape, code) in [
        ("bzip2", ErrorCode::PackageCorrupt),
        ("sub-folder", ErrorCode::NotAPackage),
        ("twice", ErrorCode::PackageCorrupt),
        ("truncated", ErrorCode::PackageCorrupt),
    ] {
        let bytes = std::fs::read(folder.path(&format!("{shape}.zip"))).unwrap();
        let error = LocalPackage::open(bytes, Limits::default()).unwrap_err();
        assert_eq!(error.code, code, "{shape}: {error}");
        assert!(error.hint.is_some(), "{shape}: {error}");
    }
}
