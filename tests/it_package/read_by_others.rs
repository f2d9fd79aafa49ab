//! Our packages under `unzip`, 7-Zip, `bsdtar`, Java's `jar`, and under Python's zip, XML and CSV readers.

use std::process::Command;

use d365_clm::ErrorCode;
use d365_clm::package::{EntitySpec, Limits, LocalPackage, PackageSpec, PackageWriter, SourceFormat};

use crate::tools::{Folder, command, has, python, run, seven_zip};

fn package() -> Vec<u8> {
    let mut spec = PackageSpec::new("Contracts & more");
    spec.description = Some("<ü>".into());
    let mut contracts = EntitySpec::new("CLMIntegrationContracts");
    contracts.level = Some(2);
    let mut types = EntitySpec::new("CLMIntegrationContractTypes");
    types.format = Some(SourceFormat::Csv);
    types.file_name = Some("Verträge.csv".into());
    spec.entities = vec![types, contracts];
    let mut writer = PackageWriter::new(spec).unwrap();
    writer.begin_entity(0, &["Name".into()]).unwrap();
    writer.write_rows("Lizenzverträge", &[14], &[0]).unwrap();
    writer.end_entity().unwrap();
    writer.begin_entity(1, &["ContractId".into(), "ContractName".into(), "EffectiveDate".into()]).unwrap();
    let (name, date) = ("say \"hi\",\r\n日本 😀", "2026-04-01T00:00:00.000Z");
    let name_end = 3 + name.encode_utf16().count() as u32;
    let ends = [3, name_end, name_end + date.len() as u32];
    writer.write_rows(&format!("C-1{name}{date}"), &ends, &[0, 0, 4]).unwrap();
    let many: String = (10_000..40_000).map(|i| format!("{i}x")).collect();
    let ends: Vec<u32> = (0..30_000).flat_map(|i| [i * 6 + 5, i * 6 + 6, i * 6 + 6]).collect();
    writer.write_rows(&many, &ends, &[0, 0, 5].repeat(30_000)).unwrap();
    writer.end_entity().unwrap();
    writer.add_file("Resources/a.txt", b"").unwrap();
    writer.finish().unwrap()
}

/// More than 4 MiB compressed, so that its sizes follow its data.
fn large() -> Vec<u8> {
    let mut spec = PackageSpec::new("Large");
    spec.entities.push(EntitySpec::new("CLMIntegrationContracts"));
    let mut writer = PackageWriter::new(spec).unwrap();
    writer.begin_entity(0, &["ContractId".into()]).unwrap();
    writer.write_rows("C-1", &[3], &[0]).unwrap();
    writer.end_entity().unwrap();
    // Noise, which no deflate makes smaller.
    let mut state = 1u64;
    let noise: Vec<u8> = (0..5 << 20)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    writer.add_file("noise.bin", &noise).unwrap();
    let bytes = writer.finish().unwrap();
    let at = bytes.windows(9).position(|window| window == b"noise.bin").unwrap() - 30;
    assert_eq!(bytes[at + 6], 8, "the flag of a data descriptor");
    bytes
}

/// More entries than an end record without ZIP64 can count.
fn many() -> Vec<u8> {
    let mut spec = PackageSpec::new("Many");
    spec.entities.push(EntitySpec::new("CLMIntegrationContracts"));
    let mut writer = PackageWriter::new(spec).unwrap();
    writer.begin_entity(0, &["ContractId".into()]).unwrap();
    writer.write_rows("C-1", &[3], &[0]).unwrap();
    writer.end_entity().unwrap();
    for i in 0..MANY - 3 {
        writer.add_file(&format!("{i}"), b"").unwrap();
    }
    let bytes = writer.finish().unwrap();
    assert!(bytes.windows(4).any(|window| window == b"PK\x06\x06"), "a ZIP64 record");
    bytes
}

const MANY: usize = 65_537;

fn shapes() -> Vec<(&'static str, Vec<u8>)> {
    let whole = package();
    let subset = LocalPackage::open(whole.clone(), Limits::default()).unwrap();
    let subset = subset.subset(&["CLM integration contract types"]).unwrap();
    let large_subset = LocalPackage::open(large(), Limits::default()).unwrap();
    let large_subset = large_subset.subset(&["CLM integration contract"]).unwrap();
    vec![("whole", whole), ("subset", subset), ("large", large()), ("large-subset", large_subset)]
}

/// What the program extracts is what we read ourselves.
fn extracted_is_equal(program: &str, arguments: &[&str]) {
    for (shape, bytes) in shapes() {
        let folder = Folder::new();
        let file = folder.file("package.zip", &bytes);
        run(command(program, &folder.path("")).args(arguments).arg(&file));
        let package = LocalPackage::open(bytes, Limits::default()).unwrap();
        assert!(package.files().count() >= 3);
        for info in package.files() {
            let found = std::fs::read(folder.path(&info.name));
            let found = found.unwrap_or_else(|error| panic!("{program} {shape} {}: {error}", info.name));
            assert!(found == package.read_file(&info.name).unwrap(), "{program} {shape} {}", info.name);
        }
    }
}

/// What the program says of a package with very many entries.
fn of_many(program: &str, arguments: &[&str]) -> String {
    let folder = Folder::new();
    let file = folder.file("package.zip", &many());
    run(command(program, &folder.path("")).args(arguments).arg(&file))
}

#[test]
fn unzip_finds_no_fault() {
    if !has("unzip", "-v") {
        return;
    }
    let folder = Folder::new();
    for (shape, bytes) in shapes() {
        let file = folder.file("package.zip", &bytes);
        let said = run(Command::new("unzip").arg("-t").arg(&file));
        assert!(said.contains("No errors detected"), "{shape}: {said}");
    }
    assert!(of_many("unzip", &["-tq"]).contains("No errors detected"));
}

#[test]
fn seven_zip_finds_no_fault() {
    let Some(program) = seven_zip() else { return };
    let folder = Folder::new();
    for (shape, bytes) in shapes() {
        let file = folder.file("package.zip", &bytes);
        let said = run(Command::new(program).arg("t").arg(&file));
        assert!(said.contains("Everything is Ok") && !said.contains("Warning"), "{shape}: {said}");
    }
    extracted_is_equal(program, &["x"]);
    let said = of_many(program, &["t"]);
    assert!(said.contains("Everything is Ok") && said.contains(&format!("Files: {MANY}")), "{said}");
}

#[test]
fn bsdtar_reads_all() {
    if !has("bsdtar", "--version") {
        return;
    }
    extracted_is_equal("bsdtar", &["-xf"]);
    assert_eq!(of_many("bsdtar", &["-tf"]).lines().count(), MANY);
}

#[test]
fn jar_reads_all() {
    if !has("jar", "--version") {
        return;
    }
    extracted_is_equal("jar", &["-xf"]);
    assert_eq!(of_many("jar", &["-tf"]).lines().count(), MANY);
}

#[test]
fn python_counts_all() {
    if !has("python3", "--version") {
        return;
    }
    let folder = Folder::new();
    let script = "import sys, zipfile; a = zipfile.ZipFile(sys.argv[1]); assert a.testzip() is None; print(len(a.namelist()))";
    for (shape, bytes) in shapes() {
        let package = LocalPackage::open(bytes.clone(), Limits::default()).unwrap();
        let said = python(script, &[&folder.file("package.zip", &bytes)]);
        assert_eq!(said.trim(), package.files().count().to_string(), "{shape}");
    }
    let said = python(script, &[&folder.file("package.zip", &many())]);
    assert_eq!(said.trim(), MANY.to_string());
}

#[test]
fn we_read_as_many_entries_as_we_are_let() {
    let mut limits = Limits::default();
    limits.entries = MANY as u64;
    assert_eq!(LocalPackage::open(many(), limits).unwrap().files().count(), MANY);
    limits.entries -= 1;
    let error = LocalPackage::open(many(), limits).unwrap_err();
    assert_eq!(error.code, ErrorCode::PackageLimit);
    assert!(error.message.contains("65537 entries") && error.message.contains("65536"), "{error}");
}

#[test]
fn python_reads_zip_xml_and_rows() {
    if !has("python3", "--version") {
        return;
    }
    let folder = Folder::new();
    let file = folder.file("package.zip", &package());
    let said = python(include_str!("check.py"), &[&file]);
    assert_eq!(said.trim(), "all is well");
}
