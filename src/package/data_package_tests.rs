//! Opening packages that other tools wrote, and what is wrong with some.

use super::*;
use crate::package::zip::testing::{Raw, archive};
use crate::package::{EntitySpec, LocalPackage, PackageSpec, PackageWriter};
use proptest::prelude::*;

const NS: &str = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement";
const HEADER: &str =
    "<DataManagementPackageHeader xmlns=\"http://schemas.microsoft.com/dynamics/2015/01/DataManagement\"/>";

fn manifest(format: &str, columns: &[&str]) -> String {
    let maps: String = columns
        .iter()
        .map(|c| format!("<EntityMap><EntityField>{c}</EntityField><XMLField>{c}</XMLField></EntityMap>"))
        .collect();
    format!(
        "<DataManagementPackageManifest xmlns=\"{NS}\"><DefinitionGroupName>P</DefinitionGroupName><PackageEntityList>\
         <DataManagementPackageEntityData><EntityMapList>{maps}</EntityMapList><EntityName>Currencies</EntityName>\
         <InputFilePath>c.csv</InputFilePath><SourceFormat>{format}</SourceFormat></DataManagementPackageEntityData>\
         </PackageEntityList></DataManagementPackageManifest>"
    )
}

fn package(data: &[u8]) -> LocalPackage<Vec<u8>> {
    open(&[
        ("c.csv", data),
        ("Manifest.xml", manifest("CSV", &["B", "A"]).as_bytes()),
        ("PackageHeader.xml", HEADER.as_bytes()),
    ])
    .unwrap()
}

fn open(entries: &[(&str, &[u8])]) -> Result<LocalPackage<Vec<u8>>> {
    let raw: Vec<Raw> = entries.iter().map(|(name, data)| Raw::stored(name, data)).collect();
    LocalPackage::open(archive(&raw), Limits::default())
}

fn rows(package: &LocalPackage<Vec<u8>>) -> Result<(Vec<String>, Vec<String>)> {
    let mut reader = package.rows(0)?;
    let mut cells = Vec::new();
    while let Some(batch) = reader.next(2)? {
        assert!(batch.rows <= 2);
        assert_eq!(batch.ends.len(), batch.rows * reader.columns().len());
        cells.extend(batch.cells().map(str::to_owned));
    }
    assert_eq!(reader.next(2).unwrap(), None, "the end stays the end");
    Ok((reader.columns().to_vec(), cells))
}

fn utf16(text: &str, mark: bool) -> Vec<u8> {
    mark.then_some(0xfeff).into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn rows_come_in_the_order_of_the_file_not_of_the_maps() {
    let package = package(b"A,B\r\n1,2\r\n3,4\r\n5,6\r\n");
    let (columns, cells) = rows(&package).unwrap();
    assert_eq!(columns, ["A", "B"]);
    assert_eq!(cells, ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(package.entities()[0].columns, ["B", "A"]);
    assert_eq!(package.count_rows(0).unwrap(), 3);
}

// Kills mutants in the choice of the encoding.
#[test]
fn every_encoding_is_told_by_its_bytes() {
    let text = "A,B\r\nä,€\r\n";
    for data in [
        utf16(text, true),
        utf16(text, false),
        [&[0xfe, 0xff][..], &text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>()].concat(),
        text.as_bytes().to_vec(),
        format!("\u{feff}{text}").into_bytes(),
        b"A,B\r\n\xe4,\x80\r\n".to_vec(),
        b"A,B\n\xe4,\x80".to_vec(),
    ] {
        let (columns, cells) = rows(&package(&data)).unwrap();
        assert_eq!(columns, ["A", "B"], "{data:?}");
        assert_eq!(cells, ["ä", "€"], "{data:?}");
    }
}

#[test]
fn a_file_is_windows_1252_even_if_that_shows_late() {
    let mut data = b"A\r\n".to_vec();
    data.extend("ü\r\n".repeat(50_000).as_bytes());
    data.extend(b"\xe4\r\n");
    let (_, cells) = rows(&package(&data)).unwrap();
    assert_eq!(cells.len(), 50_001);
    assert_eq!((cells[0].as_str(), cells[50_000].as_str()), ("Ã¼", "ä"));
}

#[test]
fn an_export_without_records_has_no_rows() {
    for data in [&b"A,B\r\n"[..], b"A,B", b"", b"\xff\xfe"] {
        let package = package(data);
        assert_eq!(rows(&package).unwrap().1, Vec::<String>::new());
        assert_eq!(package.count_rows(0).unwrap(), 0);
    }
    assert_eq!(package(b"").rows(0).unwrap().columns(), ["B", "A"], "without a header, those of the maps");
}

#[test]
fn bad_data_names_entity_file_and_line() {
    for (data, line, words) in [
        (&b"A,B\r\n1,2\r\n3\r\n"[..], 3, "1 cell, the header has 2"),
        (b"A,B\r\n\"1\r\n2\",3,4\r\n", 2, "3 cells"),
        (b"A,A\r\n1,2\r\n", 1, "twice"),
        (b"A,\r\n1,2\r\n", 1, "no name"),
        (b"A,B\r\n1,\"2\r\n", 2, "never closed"),
        (b"A,B\r\n1,2\r\n\r\n3,4\r\n", 3, "blank line"),
        (b"\xff\xfeA\0\r\0\n\0\x00\xdc", 2, "no UTF-16LE"),
        (b"\xff\xfeA\0\r\0\n\0x", 2, "no UTF-16LE"),
        (b"\xef\xbb\xbfA\r\n\xff", 2, "no UTF-8"),
    ] {
        let error = rows(&package(data)).unwrap_err();
        assert_eq!(error.code, ErrorCode::DataInvalid, "{error}");
        assert!(error.message.contains(words), "{error}");
        assert!(error.hint.is_some(), "{error}");
        let at = error.at.as_deref().unwrap();
        assert_eq!((at.entity.as_deref(), at.file.as_deref()), (Some("Currencies"), Some("c.csv")));
        assert_eq!(at.line, Some(line), "{words}");
    }
}

#[test]
fn an_error_is_repeated() {
    let package = package(b"A,B\r\n1,2\r\n3\r\n");
    let mut reader = package.rows(0).unwrap();
    assert_eq!(reader.next(1).unwrap().unwrap().rows, 1);
    let error = reader.next(1).unwrap_err();
    assert_eq!(reader.next(1).unwrap_err(), error);
    assert_eq!(package.count_rows(0).unwrap_err(), error);
    assert_eq!(package.rows(0).unwrap().next(0).unwrap_err().code, ErrorCode::InvalidArgument);
}

#[test]
fn damage_of_a_data_file_shows_at_its_end() {
    let mut data = Raw::stored("c.csv", b"A\r\n1\r\n");
    data.crc ^= 1;
    let manifest = manifest("CSV", &["A"]);
    let bytes = archive(&[
        data,
        Raw::stored("Manifest.xml", manifest.as_bytes()),
        Raw::stored("PackageHeader.xml", HEADER.as_bytes()),
    ]);
    let package = LocalPackage::open(bytes, Limits::default()).unwrap();
    assert_eq!(package.read_file("c.csv").unwrap_err().code, ErrorCode::PackageCorrupt);
    let error = rows(&package).unwrap_err();
    assert_eq!(error.code, ErrorCode::PackageCorrupt);
    assert!(error.message.contains("checksum"));
}

#[test]
fn unknown_formats_open_and_list_but_have_no_rows_here() {
    let manifest = manifest("Pipe-Unicode", &["A"]);
    let package = open(&[
        ("c.csv", b"<Document/>"),
        ("Manifest.xml", manifest.as_bytes()),
        ("PackageHeader.xml", HEADER.as_bytes()),
    ])
    .unwrap();
    assert_eq!(package.entities()[0].format, SourceFormat::from("Pipe-Unicode"));
    let error = package.rows(0).unwrap_err();
    assert_eq!(error.code, ErrorCode::DataInvalid);
    assert!(error.message.contains("\"Pipe-Unicode\""));
    assert_eq!(package.read_file("c.csv").unwrap(), b"<Document/>");
}

#[test]
fn a_missing_data_file_is_told_when_its_rows_are_read() {
    let manifest = manifest("CSV", &[]);
    let package = open(&[
        ("data/c.csv", b""),
        ("Manifest.xml", manifest.as_bytes()),
        ("PackageHeader.xml", HEADER.as_bytes()),
    ])
    .unwrap();
    assert_eq!(package.entities()[0].entity, "Currencies");
    let error = package.rows(0).unwrap_err();
    assert_eq!(error.code, ErrorCode::DataInvalid);
    assert!(error.hint.as_deref().unwrap().contains("data/c.csv"));
    assert_eq!(package.rows(1).unwrap_err().code, ErrorCode::InvalidArgument);
    let error = package.read_file("manifest.xml").unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidArgument);
    assert!(error.hint.as_deref().unwrap().contains("Manifest.xml"));
}

#[test]
fn a_missing_manifest_is_named() {
    for (found, words) in
        [("Manifest.XML", "Manifest.XML"), ("x/Manifest.xml", "x/Manifest.xml"), ("a", "no Manifest.xml")]
    {
        let error = open(&[(found, b""), ("PackageHeader.xml", HEADER.as_bytes())]).unwrap_err();
        assert_eq!(error.code, ErrorCode::ManifestInvalid);
        assert!(error.message.contains(words), "{error}");
        assert_eq!(error.at.as_deref().unwrap().file.as_deref(), Some("Manifest.xml"));
        assert!(error.hint.is_some());
    }
}

#[test]
fn an_oversized_manifest_is_not_inflated() {
    let manifest = manifest("CSV", &["A"]);
    let raw = [
        Raw::stored("Manifest.xml", manifest.as_bytes()),
        Raw::stored("PackageHeader.xml", HEADER.as_bytes()),
    ];
    let limits = Limits { spool: 100, ..Limits::default() };
    let error = LocalPackage::open(archive(&raw), limits).unwrap_err();
    assert_eq!(error.code, ErrorCode::PackageLimit);
    assert!(error.message.contains("100"));
}

#[test]
fn a_large_file_comes_in_batches_of_bounded_size() {
    let mut spec = PackageSpec::new("P");
    spec.entities.push(EntitySpec::new("E"));
    let mut writer = PackageWriter::new(spec).unwrap();
    writer.begin_entity(0, &["A".to_owned()]).unwrap();
    let cell = "x".repeat(1000);
    let text = cell.repeat(100);
    let ends: Vec<u32> = (1..=100).map(|i| i * 1000).collect();
    for _ in 0..50 {
        writer.write_rows(&text, &ends, &[0; 100]).unwrap();
    }
    writer.end_entity().unwrap();
    let package = LocalPackage::open(writer.finish().unwrap(), Limits::default()).unwrap();
    let mut reader = package.rows(0).unwrap();
    let mut total = 0;
    while let Some(batch) = reader.next(usize::MAX).unwrap() {
        assert!(batch.text.len() < (1 << 20) + 1000);
        total += batch.rows;
    }
    assert_eq!(total, 5000);
}

proptest! {
    // Kills mutants anywhere between cells and bytes: what was written comes back, in any chunks and batches.
    #[test]
    fn rows_survive_build_and_open(
        width in 1usize..4,
        cells in proptest::collection::vec("([^\0]|[,\"\r\n é😀]){0,8}", 1..60),
        per_call in 1usize..10,
        per_batch in 1usize..10,
        unicode in any::<bool>(),
    ) {
        let rows = cells.len() / width;
        prop_assume!(rows > 0);
        let mut cells: Vec<String> = cells.into_iter().take(rows * width).collect();
        if !unicode {
            for cell in &mut cells {
                cell.retain(|c| c.is_ascii() || ('\u{a0}'..='\u{ff}').contains(&c));
            }
        }
        let mut spec = PackageSpec::new("P");
        let mut entity = EntitySpec::new("E");
        entity.format = Some(if unicode { SourceFormat::CsvUnicode } else { SourceFormat::Csv });
        spec.entities.push(entity);
        let mut writer = PackageWriter::new(spec).unwrap();
        let columns: Vec<String> = (0..width).map(|i| format!("C{i}")).collect();
        writer.begin_entity(0, &columns).unwrap();
        for chunk in cells.chunks(width * per_call) {
            let text = chunk.concat();
            let mut end = 0;
            let ends: Vec<u32> = chunk.iter().map(|c| { end += c.encode_utf16().count() as u32; end }).collect();
            writer.write_rows(&text, &ends, &vec![0; chunk.len()]).unwrap();
        }
        writer.end_entity().unwrap();
        let package = LocalPackage::open(writer.finish().unwrap(), Limits::default()).unwrap();
        let mut reader = package.rows(0).unwrap();
        prop_assert_eq!(reader.columns(), &columns[..]);
        let mut read = Vec::new();
        while let Some(batch) = reader.next(per_batch).unwrap() {
            read.extend(batch.cells().map(str::to_owned));
        }
        // A CSV file of bytes that happen to be valid UTF-8 is read as UTF-8: the format has no mark.
        let ambiguous = !unicode && {
            let bytes = package.read_file("E.csv").unwrap();
            !bytes.is_ascii() && std::str::from_utf8(&bytes).is_ok()
        };
        if !ambiguous {
            prop_assert_eq!(read, cells);
        }
    }

    #[test]
    fn any_data_file_is_read_or_refused(data in proptest::collection::vec(
        prop_oneof![Just(b','), Just(b'"'), Just(b'\r'), Just(b'\n'), Just(b'A'), Just(0u8), any::<u8>()], 0..60)) {
        let _ = rows(&package(&data));
    }
}

/// Two entities with a file each, a resource, and elements that nobody knows.
fn two() -> Vec<u8> {
    let entity = |label: &str, file: &str| {
        format!(
            "\r\n  <DataManagementPackageEntityData><EntityName>{label}</EntityName><InputFilePath>{file}</InputFilePath>\
             <SourceFormat>CSV</SourceFormat><X a='1'/></DataManagementPackageEntityData>"
        )
    };
    let manifest = format!(
        "<?xml version=\"1.0\"?><!-- kept --><DataManagementPackageManifest xmlns=\"{NS}\"><PackageEntityList>{}{}\r\n\
         </PackageEntityList><New/></DataManagementPackageManifest>",
        entity("Currencies", "c.csv"),
        entity("Vendors V2", "v.csv")
    );
    let files: [(&str, &[u8]); 5] = [
        ("c.csv", b"C\r\n1\r\n"),
        ("Resources/a.xslt", b"<x/>"),
        ("v.csv", b"V\r\n2\r\n"),
        ("PackageHeader.xml", HEADER.as_bytes()),
        ("Manifest.xml", manifest.as_bytes()),
    ];
    archive(&files.map(|(name, data)| Raw::stored(name, data)))
}

// Kills mutants in which files go, and in which bytes of the manifest stay.
#[test]
fn a_subset_has_its_entities_and_everything_else_as_it_was() {
    let whole = LocalPackage::open(two(), Limits::default()).unwrap();
    let part = LocalPackage::open(whole.subset(&["VendorsV2"]).unwrap(), Limits::default()).unwrap();
    let names: Vec<String> = part.files().map(|file| file.name).collect();
    assert_eq!(names, ["Resources/a.xslt", "v.csv", "PackageHeader.xml", "Manifest.xml"]);
    let before = String::from_utf8(whole.read_file("Manifest.xml").unwrap()).unwrap();
    let from = before.find("\r\n  <DataManagementPackageEntityData><EntityName>Currencies").unwrap();
    let to = before.find("\r\n  <DataManagementPackageEntityData><EntityName>Vendors").unwrap();
    let (before_it, after_it) = (before.split_at(from).0, before.split_at(to).1);
    let expected = [before_it, after_it].concat();
    assert_eq!(String::from_utf8(part.read_file("Manifest.xml").unwrap()).unwrap(), expected);
    assert_eq!(part.count_rows(0).unwrap(), 1);
}

#[test]
fn a_subset_of_all_is_the_same() {
    let whole = LocalPackage::open(two(), Limits::default()).unwrap();
    let all =
        LocalPackage::open(whole.subset(&["Vendors V2", "Currencies"]).unwrap(), Limits::default()).unwrap();
    for file in whole.files() {
        assert_eq!(all.read_file(&file.name).unwrap(), whole.read_file(&file.name).unwrap(), "{}", file.name);
    }
    assert_eq!(
        whole.subset(&["Vendor V2"]).unwrap_err().hint.as_deref().unwrap(),
        "Did you mean \"Vendors V2\"?"
    );
    assert_eq!(whole.subset(&[] as &[&str]).unwrap_err().code, ErrorCode::InvalidArgument);
}
