//! What is written comes back, whatever it is; and no damage goes unnoticed.

use d365_clm::package::{
    EntitySpec, Limits, LocalPackage, PackageSpec, PackageWriter, RefreshType, SourceFormat,
};
use d365_clm::{Error, ErrorCode};
use proptest::prelude::*;

const FORMATS: [SourceFormat; 5] = [
    SourceFormat::CsvUnicode,
    SourceFormat::Csv,
    SourceFormat::XmlElement,
    SourceFormat::XmlAttribute,
    SourceFormat::Excel,
];

fn spec(format: &SourceFormat) -> PackageSpec {
    let mut spec = PackageSpec::new("Project & <more>");
    spec.description = Some("ä 😀 \"quoted\"".into());
    let mut entity = EntitySpec::new("Records of a test");
    entity.format = Some(format.clone());
    entity.target_entity = Some("TestRecordEntity".into());
    entity.execution_unit = Some(2);
    entity.level = Some(3);
    entity.sequence = Some(4);
    entity.fail_level_on_error = Some(true);
    entity.run_business_validation = Some(false);
    entity.skip_staging = Some(true);
    entity.disabled = Some(true);
    entity.refresh = Some(RefreshType::IncrementalPush);
    entity.fields = Some([("B".to_owned(), "FIELDOFB".to_owned())].into());
    spec.entities.push(entity);
    spec
}

fn write(format: &SourceFormat, rows: &[[String; 2]], per_call: usize) -> Result<Vec<u8>, Error> {
    let mut writer = PackageWriter::new(spec(format))?;
    writer.begin_entity(0, &["A".into(), "B".into()])?;
    for rows in rows.chunks(per_call) {
        let (mut text, mut ends, mut end) = (String::new(), Vec::new(), 0);
        for cell in rows.iter().flatten() {
            text.push_str(cell);
            end += cell.encode_utf16().count() as u32;
            ends.push(end);
        }
        writer.write_rows(&text, &ends, &vec![0; ends.len()])?;
    }
    writer.end_entity()?;
    writer.finish()
}

fn read(package: &LocalPackage<Vec<u8>>, per_batch: usize) -> Result<Vec<String>, Error> {
    let mut rows = package.rows(0)?;
    let mut cells = rows.columns().to_vec();
    while let Some(batch) = rows.next(per_batch)? {
        cells.extend(batch.cells().map(str::to_owned));
    }
    Ok(cells)
}

fn open(bytes: Vec<u8>) -> Result<LocalPackage<Vec<u8>>, Error> {
    LocalPackage::open(bytes, Limits::default())
}

fn cells(rows: &[[String; 2]]) -> Vec<String> {
    ["A", "B"].map(str::to_owned).into_iter().chain(rows.iter().flatten().cloned()).collect()
}

/// Text that every format can hold: printable, with what each has to escape. No cell is empty, so that no row is either. No letter has a
/// byte 80 to BF in Windows-1252: text with such letters after capitals may happen to be valid UTF-8, and is then read as that.
fn cell() -> impl Strategy<Value = String> {
    proptest::string::string_regex("([ -~éÜß]|\r\n|\n|\t|_x000D_|&amp;|\"\"|]]>|<a/>){1,12}").unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn rows_and_flags_come_back_from_every_format(
        rows in proptest::collection::vec([cell(), cell()], 1..20),
        per_call in 1usize..8,
        per_batch in 1usize..8,
    ) {
        for format in &FORMATS {
            let bytes = write(format, &rows, per_call).unwrap();
            prop_assert_eq!(&bytes, &write(format, &rows, per_call).unwrap(), "the same rows give the same bytes");
            let package = open(bytes).unwrap();
            prop_assert_eq!(package.name(), "Project & <more>");
            prop_assert_eq!(package.description(), "ä 😀 \"quoted\"");
            let entity = &package.entities()[0];
            prop_assert_eq!(&entity.entity, "Records of a test");
            prop_assert_eq!(&entity.format, format);
            prop_assert_eq!(&entity.columns, &["A", "B"]);
            prop_assert_eq!((&*entity.fields["A"], &*entity.fields["B"]), ("A", "FIELDOFB"));
            prop_assert_eq!((entity.execution_unit, entity.level, entity.sequence), (2, 3, 4));
            prop_assert!(entity.fail_level_on_error && !entity.fail_execution_unit_on_error);
            prop_assert!(entity.run_business_logic && !entity.run_business_validation);
            prop_assert!(entity.skip_staging && entity.disabled);
            prop_assert_eq!(entity.refresh.as_deref(), Some("IncrementalPush"));
            prop_assert_eq!(read(&package, per_batch).unwrap(), cells(&rows), "{}", format);
        }
    }
}

/// Cells larger than a batch and than a piece of the file, so that rows lie across the pieces in every way.
#[test]
fn large_cells_come_back_from_every_format() {
    for format in &FORMATS {
        // 32,767 is what a cell of a workbook can hold.
        let largest = if *format == SourceFormat::Excel { 32_767 } else { 300_000 };
        let rows: Vec<[String; 2]> = (0..40)
            .map(|i| {
                let text = format!("{i},é\"").repeat(largest / 8);
                let short = text.chars().take(largest / (1 + i % 5)).collect();
                [short, i.to_string()]
            })
            .collect();
        let package = open(write(format, &rows, 3).unwrap()).unwrap();
        for per_batch in [1, 7, usize::MAX] {
            assert!(read(&package, per_batch).unwrap() == cells(&rows), "{format}, {per_batch} rows at most");
        }
        let mut reader = package.package().rows(0).unwrap();
        let source = package.clone().into_source();
        let mut columns = [String::new(), String::new()];
        loop {
            use d365_clm::package::Pull;
            match reader.next_columns(usize::MAX).unwrap() {
                Pull::End => break,
                Pull::Have(batch) => {
                    for (whole, column) in columns.iter_mut().zip(&batch.columns) {
                        whole.push_str(&column.text);
                    }
                }
                Pull::Want => {
                    let range = reader.want().unwrap();
                    reader.give(source[range.start as usize..range.end as usize].to_vec()).unwrap();
                }
            }
        }
        for (column, text) in columns.iter().enumerate() {
            let expected: String = rows.iter().map(|row| row[column].as_str()).collect();
            assert!(*text == expected, "{format}, column {column}");
        }
    }
}

#[derive(PartialEq)]
struct Content {
    known: String,
    cells: Vec<String>,
    files: Vec<(String, Vec<u8>)>,
}

/// Everything that a reader can learn of a package.
fn content(bytes: Vec<u8>) -> Result<Content, Error> {
    let package = open(bytes)?;
    let known = format!("{:?} {} {}", package.entities(), package.name(), package.description());
    let mut files = Vec::new();
    for file in package.files() {
        let bytes = package.read_file(&file.name)?;
        files.push((file.name, bytes));
    }
    Ok(Content { known, cells: read(&package, 100)?, files })
}

#[test]
fn a_changed_byte_is_an_error_or_changes_nothing() {
    let rows = [["1".to_owned(), "é \"x\"".to_owned()], ["2".to_owned(), "y".to_owned()]];
    for format in &FORMATS {
        let whole = write(format, &rows, 1).unwrap();
        let expected = content(whole.clone()).unwrap();
        let mut refused = 0;
        for at in 0..whole.len() {
            for change in [1 << (at % 8), 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= change;
                match content(bytes) {
                    Ok(found) => assert!(found == expected, "{format}: byte {at} of {}", whole.len()),
                    Err(error) => {
                        let known = [
                            ErrorCode::PackageCorrupt,
                            ErrorCode::PackageLimit,
                            ErrorCode::NotAPackage,
                            ErrorCode::ManifestInvalid,
                            ErrorCode::DataInvalid,
                        ];
                        assert!(known.contains(&error.code), "{format}: byte {at}: {error:?}");
                        assert!(error.hint.is_some(), "{format}: byte {at}: {error:?}");
                        refused += 1;
                    }
                }
            }
        }
        // Versions, times and attributes are what may change: 14 bytes of a local header at most, 24 in the directory.
        assert!(refused > 2 * (whole.len() - 3 * 38 - 30), "{format}: {refused} of {}", 2 * whole.len());
    }
}
