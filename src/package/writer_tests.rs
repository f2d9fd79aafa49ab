//! What the writer produces and what it refuses. The bytes of zip, header and manifest have their own tests.

use super::*;
use crate::error::ErrorCode;
use crate::package::zip::testing::crc32;
use crate::package::{CodePage, EntitySpec, Limits, LocalPackage, MemberSpec};
use crate::table::SourceFormat;

fn spec(entities: &[&str]) -> PackageSpec {
    let mut spec = PackageSpec::new("P");
    spec.entities = entities.iter().map(|name| EntitySpec::new(*name)).collect();
    spec
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn write(writer: &mut PackageWriter, cells: &[(&str, u8)]) -> Result<()> {
    let text: String = cells.iter().map(|(text, _)| *text).collect();
    let mut end = 0;
    let ends: Vec<u32> = cells
        .iter()
        .map(|(text, _)| {
            end += text.encode_utf16().count() as u32;
            end
        })
        .collect();
    let kinds: Vec<u8> = cells.iter().map(|(_, kind)| *kind).collect();
    writer.write_rows(&text, &ends, &kinds)
}

fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn refused(spec: PackageSpec) -> Error {
    let error = PackageWriter::new(spec).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidArgument, "{error}");
    error
}

fn open(bytes: Vec<u8>) -> LocalPackage<Vec<u8>> {
    LocalPackage::open(bytes, Limits::default()).unwrap()
}

#[test]
fn a_whole_package() {
    let mut spec = spec(&["CLMIntegrationContracts", "Our own entity"]);
    spec.description = Some("About".into());
    spec.entities[1].format = Some(SourceFormat::Csv);
    spec.entities[1].level = Some(2);
    spec.entities[1].run_business_logic = Some(false);
    let mut writer = PackageWriter::new(spec).unwrap();
    writer.begin_entity(1, &strings(&["Name"])).unwrap();
    write(&mut writer, &[("Zoë", 0)]).unwrap();
    writer.end_entity().unwrap();
    writer.add_file("Resources/note.txt", b"hello").unwrap();
    writer
        .begin_entity(0, &strings(&["ContractId", "EffectiveDate", "AmendmentInProcess", "Extra"]))
        .unwrap();
    let date = "2026-04-01T00:00:00.000Z";
    write(&mut writer, &[("C-1", 0), (date, 4), ("true", 3), ("1e+21", 1)]).unwrap();
    write(&mut writer, &[("C,2", 0), ("", 5), ("false", 3), ("7", 2)]).unwrap();
    writer.end_entity().unwrap();
    let package = open(writer.finish().unwrap());

    assert_eq!((package.name(), package.description()), ("P", "About"));
    let names: Vec<String> = package.files().map(|file| file.name).collect();
    assert_eq!(
        names,
        [
            "Our own entity.csv",
            "Resources/note.txt",
            "CLM integration contract.csv",
            "Manifest.xml",
            "PackageHeader.xml"
        ]
    );
    assert_eq!(
        package.read_file("CLM integration contract.csv").unwrap(),
        utf16(
            "CONTRACTID,EFFECTIVEDATE,AMENDMENTINPROCESS,EXTRA\r\nC-1,2026-04-01,Yes,1000000000000000000000\r\n\
             \"C,2\",,No,7\r\n"
        )
    );
    assert_eq!(package.read_file("Our own entity.csv").unwrap(), b"NAME\r\nZo\xeb\r\n");
    assert_eq!(package.read_file("Resources/note.txt").unwrap(), b"hello");
    let [contracts, own] = package.entities() else { panic!("two entities") };
    assert_eq!(contracts.entity, "CLM integration contract");
    assert_eq!(contracts.collection.as_deref(), Some("CLMIntegrationContracts"));
    assert_eq!(contracts.target_entity.as_deref(), Some("CLMIntegrationContractEntity"));
    assert_eq!((contracts.execution_unit, contracts.level, contracts.sequence), (1, 1, 1));
    assert!(contracts.run_business_logic && contracts.run_business_validation && !contracts.disabled);
    assert_eq!((own.level, own.run_business_logic, own.run_business_validation), (2, false, true));
    assert_eq!((own.format.as_str(), own.target_entity.as_deref()), ("CSV", None));
    assert_eq!(own.columns, ["NAME"]);
}

#[test]
fn columns_map_to_their_fields() {
    let mut spec = spec(&["Currencies"]);
    spec.entities[0].columns = Some(strings(&["Code", "name"]));
    spec.entities[0].fields = Some([("Code".to_owned(), "CURRENCYCODE".to_owned())].into());
    let mut writer = PackageWriter::new(spec).unwrap();
    writer.begin_entity(0, &[]).unwrap();
    write(&mut writer, &[("EUR", 0), ("Euro", 0)]).unwrap();
    writer.end_entity().unwrap();
    let package = open(writer.finish().unwrap());
    let entity = &package.entities()[0];
    assert_eq!(entity.columns, ["CODE", "NAME"]);
    assert_eq!(entity.fields["CODE"], "CURRENCYCODE");
    assert_eq!(entity.fields["NAME"], "NAME");
}

#[test]
fn a_file_goes_in_as_it_is() {
    let file = utf16("CURRENCYCODE,Name\r\nEUR,\"Eu\r\nro\"\r\n");
    let mut writer = PackageWriter::new(spec(&["Currencies"])).unwrap();
    writer.begin_entity(0, &[]).unwrap();
    for chunk in file.chunks(3) {
        writer.write_data(chunk).unwrap();
    }
    writer.end_entity().unwrap();
    let package = open(writer.finish().unwrap());
    assert_eq!(package.read_file("Currencies.csv").unwrap(), file);
    assert_eq!(package.entities()[0].columns, ["CURRENCYCODE", "Name"]);
    assert_eq!(package.entities()[0].fields["Name"], "NAME");
}

#[test]
fn a_file_that_the_service_would_refuse_is_refused() {
    for (bytes, words) in [
        (b"CURRENCYCODE\r\nEUR\r\n".to_vec(), "not Unicode"),
        (utf16("CURRENCYCODE\nEUR\n"), "LF alone"),
        (utf16("CURRENCYCODE\r\n"), "no data row"),
        (utf16(""), "no header"),
        (utf16("A,B\r\n1\r\n"), "the header has 2"),
    ] {
        let mut writer = PackageWriter::new(spec(&["Currencies"])).unwrap();
        writer.begin_entity(0, &[]).unwrap();
        let error = writer.write_data(&bytes).and_then(|()| writer.end_entity()).unwrap_err();
        assert_eq!(error.code, ErrorCode::DataInvalid);
        assert!(error.message.contains(words), "{error}");
        let at = error.at.as_deref().unwrap();
        assert_eq!((at.entity.as_deref(), at.file.as_deref()), (Some("Currencies"), Some("Currencies.csv")));
        assert!(error.hint.is_some());
    }
}

#[test]
fn a_file_must_have_the_columns_that_were_named() {
    let mut writer = PackageWriter::new(spec(&["Currencies"])).unwrap();
    writer.begin_entity(0, &strings(&["CurrencyCode", "Name"])).unwrap();
    writer.write_data(&utf16("NAME,CURRENCYCODE\r\nEuro,EUR\r\n")).unwrap();
    let error = writer.end_entity().unwrap_err();
    assert!(error.message.contains("NAME, CURRENCYCODE"), "{error}");
}

#[test]
fn specifications_that_can_not_be_meant() {
    let with = |set: fn(&mut PackageSpec)| {
        let mut spec = spec(&["Currencies", "Vendors V2"]);
        set(&mut spec);
        refused(spec).message.clone()
    };
    assert!(with(|s| s.name = "Bob's".into()).contains("apostrophe"));
    assert!(with(|s| s.name = String::new()).contains("no name"));
    assert!(with(|s| s.level = Some(10)).contains("highest is 9"));
    assert!(with(|s| s.entities.clear()).contains("no entities"));
    assert!(with(|s| s.entities[0].entity = " ".into()).contains("no name"));
    assert!(with(|s| s.entities[0].entity = "VendorsV2".into()).contains("\"Vendors V2\" is there twice"));
    assert!(with(|s| s.entities[0].file_name = Some("VENDORS v2.csv".into())).contains("two files"));
    assert!(with(|s| s.entities[0].file_name = Some("a/b.csv".into())).contains("'/'"));
    assert!(with(|s| s.entities[0].file_name = Some("manifest.xml".into())).contains("own file"));
    assert!(with(|s| s.entities[0].encoding = Some(CodePage::Utf8)).contains("encoding"));
    fn composite() -> Option<MemberSpec> {
        Some(MemberSpec::new("A", strings(&["B"])))
    }
    assert!(with(|s| s.entities[0].composite = composite()).contains("CSV-Unicode"));
    assert!(
        with(|s| {
            for entity in &mut s.entities {
                entity.format = Some(SourceFormat::XmlElement);
                entity.composite = composite();
            }
        })
        .contains("two composite")
    );
    assert!(with(|s| s.entities[0].format = Some(SourceFormat::from("CSV-UTF8"))).contains("\"CSV-UTF8\""));
    assert!(with(|s| s.entities[0].sheet = Some("S".into())).contains("sheet"));
    assert!(with(|s| s.entities[0].sequence = Some(u32::MAX)).contains("sequence"));
}

#[test]
fn columns_that_can_not_be_meant() {
    let with = |entity: &str, columns: &[&str]| {
        let mut writer = PackageWriter::new(spec(&[entity])).unwrap();
        writer.begin_entity(0, &strings(columns)).unwrap();
        let cells: Vec<(&str, u8)> = columns.iter().map(|_| ("x", 0)).collect();
        let error = write(&mut writer, &cells).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument);
        assert!(error.at.as_ref().unwrap().entity.is_some());
        error
    };
    assert!(with("Currencies", &[]).message.contains("rows need columns"));
    assert!(with("Currencies", &["Name", "NAME"]).message.contains("two columns"));
    assert!(with("Currencies", &["Name", ""]).message.contains("can't be the name"));
    assert!(with("Currencies", &[" Name"]).message.contains("can't be the name"));
    let company = with("VendorsV2", &["dataAreaId", "VendorAccountNumber"]);
    assert_eq!(company.at.as_deref().unwrap().column.as_deref(), Some("dataAreaId"));
    assert!(company.hint.as_deref().unwrap().contains("company"));

    let mut spec = spec(&["Currencies"]);
    spec.entities[0].fields = Some([("Nmae".to_owned(), "NAME".to_owned())].into());
    let mut writer = PackageWriter::new(spec).unwrap();
    writer.begin_entity(0, &strings(&["Name"])).unwrap();
    assert!(write(&mut writer, &[("x", 0)]).unwrap_err().message.contains("\"Nmae\""));
}

#[test]
fn a_bad_cell_names_row_column_entity_and_file() {
    let mut writer = PackageWriter::new(spec(&["CLMIntegrationContracts"])).unwrap();
    writer.begin_entity(0, &strings(&["ContractId", "EffectiveDate"])).unwrap();
    write(&mut writer, &[("1", 0), ("", 5)]).unwrap();
    let error = write(&mut writer, &[("2", 0), ("", 5), ("3", 0), ("45000", 1)]).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidArgument);
    assert!(error.message.starts_with("row 3, column \"EffectiveDate\": "), "{error}");
    let at = error.at.as_deref().unwrap();
    assert_eq!(
        (at.line, at.column.as_deref()),
        (Some(3), Some("EffectiveDate")),
        "rows count over all calls"
    );
    assert_eq!(at.entity.as_deref(), Some("CLM integration contract"));
    assert_eq!(at.file.as_deref(), Some("CLM integration contract.csv"));
}

// Kills the mutant that lets a half-written package be finished.
#[test]
fn after_an_error_nothing_can_be_finished() {
    let mut writer = PackageWriter::new(spec(&["Currencies"])).unwrap();
    writer.begin_entity(0, &strings(&["Name"])).unwrap();
    write(&mut writer, &[("x", 0)]).unwrap();
    write(&mut writer, &[("a\0b", 0)]).unwrap_err();
    assert!(writer.end_entity().unwrap_err().message.contains("earlier call"));
    assert!(writer.finish().unwrap_err().message.contains("earlier call"));
}

#[test]
fn calls_out_of_order_are_refused() {
    let new = || PackageWriter::new(spec(&["Currencies", "Vendors V2"])).unwrap();
    let says = |result: Result<()>, words: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument);
        assert!(error.message.contains(words), "{error}");
    };
    says(write(&mut new(), &[("x", 0)]), "no entity was begun");
    says(new().write_data(b"x"), "no entity was begun");
    says(new().end_entity(), "no entity was begun");
    says(new().begin_entity(2, &[]), "no entity 2");
    let begun = || {
        let mut writer = new();
        writer.begin_entity(0, &strings(&["Name"])).unwrap();
        writer
    };
    says(begun().begin_entity(1, &[]), "was not ended");
    says(begun().add_file("a", b""), "was not ended");
    says(begun().end_entity(), "has no rows");
    let mut empty = begun();
    write(&mut empty, &[]).unwrap();
    says(empty.end_entity(), "has no rows");
    let mut rows = begun();
    write(&mut rows, &[("x", 0)]).unwrap();
    says(rows.write_data(b"x"), "not both");
    let mut data = begun();
    data.write_data(b"\xff\xfe").unwrap();
    says(write(&mut data, &[("x", 0)]), "not both");
    assert!(begun().finish().unwrap_err().message.contains("not ended"));
    let mut one = begun();
    write(&mut one, &[("x", 0)]).unwrap();
    one.end_entity().unwrap();
    assert!(one.finish().unwrap_err().message.contains("\"Vendors V2\" was not written"));
    let mut twice = begun();
    write(&mut twice, &[("x", 0)]).unwrap();
    twice.end_entity().unwrap();
    says(twice.begin_entity(0, &[]), "written already");
}

#[test]
fn further_files_keep_to_free_names() {
    let new = || PackageWriter::new(spec(&["Currencies"])).unwrap();
    for name in ["currencies.CSV", "Manifest.xml", "../x", "/x", "a\\b", ""] {
        assert_eq!(new().add_file(name, b"").unwrap_err().code, ErrorCode::InvalidArgument, "{name}");
    }
    let mut writer = new();
    writer.add_file("a", b"").unwrap();
    assert!(writer.add_file("A", b"").unwrap_err().message.contains("two files"));
}

// Kills mutants that let time, chunks or hash order into the bytes.
#[test]
fn the_same_rows_in_other_chunks_give_the_same_bytes() {
    let build = |rows_per_call: usize| {
        let mut spec = spec(&["Currencies"]);
        spec.entities[0].fields = Some([("A", "X"), ("B", "Y")].map(|(a, b)| (a.into(), b.into())).into());
        let mut writer = PackageWriter::new(spec).unwrap();
        writer.begin_entity(0, &strings(&["A", "B", "C"])).unwrap();
        let values: Vec<String> =
            (0..60_000u32).map(|i| format!("{:x}", i.wrapping_mul(2_654_435_761))).collect();
        for rows in values.chunks(3 * rows_per_call) {
            let cells: Vec<(&str, u8)> = rows.iter().map(|value| (value.as_str(), 0)).collect();
            write(&mut writer, &cells).unwrap();
        }
        writer.end_entity().unwrap();
        writer.finish().unwrap()
    };
    let whole = build(20_000);
    assert_eq!(crc32(&build(1)), crc32(&whole));
    assert!(build(777) == whole);
}

// Kills mutants in the choice of the format's writer and reader, of sheet, extension and record element.
#[test]
fn every_format_comes_back() {
    for (format, file, sheet) in [
        ("CSV-Unicode", "Currencies.csv", ""),
        ("CSV", "Currencies.csv", ""),
        ("XML-Element", "Currencies.xml", ""),
        ("XML-Attribute", "Currencies.xml", ""),
        #[cfg(feature = "excel")]
        ("EXCEL", "Currencies.xlsx", "Currencies$"),
    ] {
        let mut spec = spec(&["Currencies"]);
        spec.entities[0].format = Some(SourceFormat::from(format));
        let mut writer = PackageWriter::new(spec.clone()).unwrap();
        writer.begin_entity(0, &strings(&["CurrencyCode", "Name"])).unwrap();
        writer.write_rows("EURa, \"b\" <c>USD", &[3, 13, 16, 16], &[0, 0, 0, 5]).unwrap();
        assert!(writer.write_joined("GBP\u{1f}Zoë\u{1f}", 2).unwrap(), "{format}");
        assert!(
            !writer.write_joined("G\u{1f}P\u{1f}Zoë\u{1f}", 2).unwrap(),
            "{format}: a cell has a separator"
        );
        writer.end_entity().unwrap();
        let package = open(writer.finish().unwrap());
        let entity = &package.entities()[0];
        assert_eq!((entity.file_name.as_str(), entity.sheet.as_str()), (file, sheet), "{format}");
        let mut rows = package.rows(0).unwrap();
        assert_eq!(rows.columns(), ["CURRENCYCODE", "NAME"], "{format}");
        let mut cells = Vec::new();
        while let Some(batch) = rows.next(10).unwrap() {
            cells.extend(batch.cells().map(str::to_owned));
        }
        assert_eq!(cells, ["EUR", "a, \"b\" <c>", "USD", "", "GBP", "Zoë"], "{format}");
        assert_eq!(package.count_rows(0).unwrap(), 3, "{format}");

        // The same file handed over ready.
        let data = package.read_file(file).unwrap();
        let mut writer = PackageWriter::new(spec).unwrap();
        writer.begin_entity(0, &[]).unwrap();
        for piece in data.chunks(7) {
            writer.write_data(piece).unwrap();
        }
        writer.end_entity().unwrap();
        assert_eq!(open(writer.finish().unwrap()).read_file(file).unwrap(), data, "{format}");
    }
}

#[test]
fn records_of_xml_are_named_by_the_entity_and_utf8_is_a_choice() {
    let mut spec = spec(&["Currencies", "Made up"]);
    spec.entities[0].format = Some(SourceFormat::XmlAttribute);
    spec.entities[1].format = Some(SourceFormat::Csv);
    spec.entities[1].encoding = Some(CodePage::Utf8);
    let mut writer = PackageWriter::new(spec).unwrap();
    writer.begin_entity(0, &strings(&["Name"])).unwrap();
    write(&mut writer, &[("Euro", 0)]).unwrap();
    writer.end_entity().unwrap();
    writer.begin_entity(1, &strings(&["Name"])).unwrap();
    write(&mut writer, &[("łódź", 0)]).unwrap();
    writer.end_entity().unwrap();
    let package = open(writer.finish().unwrap());
    let xml = String::from_utf8(package.read_file("Currencies.xml").unwrap()).unwrap();
    assert!(xml.contains("<CURRENCYENTITY NAME=\"Euro\""), "{xml}");
    assert_eq!(package.read_file("Made up.csv").unwrap(), "NAME\r\nłódź\r\n".as_bytes());
}

#[test]
fn composites_are_written_and_read_as_records_within_records() {
    for format in [SourceFormat::XmlElement, SourceFormat::XmlAttribute] {
        let mut spec = spec(&["Orders composite"]);
        let mut root = MemberSpec::new("ORDERENTITY", strings(&["Number", "Currency"]));
        root.children.push(MemberSpec::new("ORDERLINEENTITY", strings(&["LineNumber"])));
        spec.entities[0].format = Some(format.clone());
        spec.entities[0].composite = Some(root);
        let mut writer = PackageWriter::new(spec).unwrap();
        writer.begin_entity(0, &[]).unwrap();
        writer.write_records("A-1EUR12A-2USD", &[3, 6, 7, 8, 11, 14], &[0; 6], &[0, 1, 1, 0]).unwrap();
        writer.end_entity().unwrap();
        let package = open(writer.finish().unwrap());
        assert!(package.entities()[0].composite);
        assert_eq!(package.entities()[0].columns, ["NUMBER", "CURRENCY", "LINENUMBER"]);
        let mut records = package.records(0).unwrap();
        let batch = records.next(10).unwrap().unwrap();
        assert_eq!(batch.members, [0, 1, 1, 0], "{format}");
        assert_eq!(batch.cells().collect::<Vec<_>>(), ["A-1", "EUR", "1", "2", "A-2", "USD"]);
        let members = records.members();
        assert_eq!((members[1].element.as_str(), members[1].parent), ("ORDERLINEENTITY", Some(0)));
        assert_eq!(members[1].columns, ["LINENUMBER"]);
        let error = package.rows(0).and_then(|mut rows| rows.next(10)).unwrap_err();
        assert!(error.message.contains("composite"), "{error}");
    }
}
