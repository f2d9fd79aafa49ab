//! Packages that other programs wrote, in every shape that they can write a zip in.

use d365_clm::ErrorCode;
use d365_clm::package::{Limits, LocalPackage};

use crate::tools::{Folder, command, has, python, run, run_for_bytes, seven_zip};

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

/// Files of a package, in a folder of their own, and what is in them.
fn files(folder: &Folder) -> Vec<(String, Vec<u8>)> {
    python(include_str!("write.py"), &[&folder.path("")]);
    let package =
        LocalPackage::open(std::fs::read(folder.path("stored.zip")).unwrap(), Limits::default()).unwrap();
    let files: Vec<_> =
        package.files().map(|file| (file.name.clone(), package.read_file(&file.name).unwrap())).collect();
    assert_eq!(files.len(), 3);
    std::fs::create_dir_all(folder.path("files")).unwrap();
    for (name, bytes) in &files {
        folder.file(&format!("files/{name}"), bytes);
    }
    files
}

/// Lets the program write a package of the files and reads it. An argument `OUT` stands for its name; without one the package
/// is what the program writes to its standard output.
fn read_what_is_written_by(program: &str, version_argument: &str, ways: &[&str]) {
    if !has(program, version_argument) || !has("python3", "--version") {
        return;
    }
    let folder = Folder::new();
    let files = files(&folder);
    let out = folder.path("out.zip");
    for way in ways {
        let _ = std::fs::remove_file(&out);
        let mut command = command(program, &folder.path("files"));
        for argument in way.split(' ') {
            command.arg(if argument == "OUT" { out.as_os_str() } else { argument.as_ref() });
        }
        command.args(files.iter().map(|(name, _)| name));
        let bytes = if way.contains("OUT") {
            run(&mut command);
            std::fs::read(&out).unwrap()
        } else {
            run_for_bytes(&mut command)
        };
        let package =
            LocalPackage::open(bytes, Limits::default()).unwrap_or_else(|e| panic!("{program} {way}: {e}"));
        assert_eq!(package.count_rows(0).unwrap(), 20_000, "{program} {way}");
        assert_eq!(package.files().count(), 3, "{program} {way}");
        for (name, content) in &files {
            assert!(package.read_file(name).unwrap() == *content, "{program} {way}: {name}");
        }
    }
}

#[test]
fn zip_is_read() {
    // `zip -fz -` is not here: it leaves out the ZIP64 record, and unzip and Python refuse what it writes too.
    read_what_is_written_by("zip", "-v", &["-q OUT", "-q -0 OUT", "-q -", "-q -fd OUT", "-q -fz OUT"]);
}

#[test]
fn seven_zip_is_read() {
    let Some(program) = seven_zip() else { return };
    read_what_is_written_by(
        program,
        "i",
        &["a -tzip OUT", "a -tzip -mm=Copy OUT", "a -tzip -mcu=on OUT", "a -tzip -mx=9 OUT"],
    );
}

#[test]
fn bsdtar_is_read() {
    read_what_is_written_by(
        "bsdtar",
        "--version",
        &[
            "--format zip -cf OUT",
            "--format zip -cf -",
            "--format zip --options zip:compression=store -cf OUT",
            "--format zip --options zip:zip64 -cf OUT",
            "--format zip --options zip:zip64 -cf -",
        ],
    );
}

#[test]
fn jar_is_read() {
    read_what_is_written_by("jar", "--version", &["-cMf OUT", "-c0Mf OUT", "-cM"]);
}
