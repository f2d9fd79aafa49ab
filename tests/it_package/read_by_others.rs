//! Our packages under `unzip`, and under Python's zip, XML and CSV readers.

use std::process::Command;

use d365_clm::package::{EntitySpec, PackageSpec, PackageWriter, SourceFormat};

use crate::tools::{Folder, has, python, run};

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

#[test]
fn unzip_finds_no_fault() {
    if !has("unzip", "-v") {
        return;
    }
    let folder = Folder::new();
    let file = folder.file("package.zip", &package());
    let said = run(Command::new("unzip").arg("-t").arg(&file));
    assert!(said.contains("No errors detected"), "{said}");
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
