//! What can be written can be read, and the reverse, in every format; what can't has a recorded decision.
//!
//! The record is the table in `docs/decisions/0005-formats.md`. A new [`SourceFormat`] or [`CodePage`] does not compile until
//! it has its place here, and fails until the record says what it can do. What it can do is tried, not looked up.

use std::collections::BTreeMap;

use super::cell::Target;
use super::check::{Checked, CsvChecker};
use super::csv_file::CsvReader;
use super::csv_write::{Column, CsvWriter};
use super::excel::{WorkbookOptions, WorkbookReader, WorkbookWriter};
use super::format::{CodePage, SourceFormat};
use super::rows::BatchBuilder;
use super::xml::{XmlChecker, XmlFileWriter, XmlOptions, XmlReader, XmlStyle};

/// Commas, quotes, a line break, markup, and nothing; characters that every format has.
const CELLS: [&str; 6] = ["V-1", "a,\"b\"", "", "x\r\ny", "<&>", "Zoë"];
const HEADERS: [&str; 2] = ["CODE", "NAME"];

/// A format as far as it makes a difference for the bytes.
#[derive(Debug, Clone, PartialEq)]
struct Variant {
    format: SourceFormat,
    page: CodePage,
}

fn first() -> Variant {
    Variant { format: SourceFormat::CsvUnicode, page: CodePage::Windows1252 }
}

/// Walks through all variants. Without wildcards: whoever adds one has to give it a place.
fn after(variant: &Variant) -> Option<Variant> {
    let plain = |format| Some(Variant { format, page: CodePage::Windows1252 });
    match (&variant.format, variant.page) {
        (SourceFormat::CsvUnicode, _) => plain(SourceFormat::Csv),
        (SourceFormat::Csv, CodePage::Windows1252) => {
            Some(Variant { format: SourceFormat::Csv, page: CodePage::Utf8 })
        }
        (SourceFormat::Csv, CodePage::Utf8) => plain(SourceFormat::XmlElement),
        (SourceFormat::XmlElement, _) => plain(SourceFormat::XmlAttribute),
        (SourceFormat::XmlAttribute, _) => plain(SourceFormat::Excel),
        (SourceFormat::Excel, _) => plain(SourceFormat::Other("Tab-Delimited".to_owned())),
        (SourceFormat::Other(_), _) => None,
    }
}

fn label(variant: &Variant) -> String {
    match (&variant.format, variant.page) {
        (SourceFormat::Csv, CodePage::Utf8) => "CSV, utf-8".to_owned(),
        (SourceFormat::Csv, CodePage::Windows1252) => "CSV, windows-1252".to_owned(),
        (SourceFormat::Other(_), _) => "any other name".to_owned(),
        (format, _) => format.as_str().to_owned(),
    }
}

fn write(variant: &Variant) -> Option<Vec<u8>> {
    let columns = HEADERS.map(|header| Column {
        name: header.to_owned(),
        header: header.to_owned(),
        target: Target::Unknown,
    });
    let (mut text, mut ends) = (String::new(), Vec::new());
    for cell in CELLS {
        text.push_str(cell);
        ends.push(u32::try_from(text.encode_utf16().count()).unwrap());
    }
    let kinds = [0; CELLS.len()];
    let mut out = Vec::new();
    let mut emit = |bytes: &[u8]| {
        out.extend_from_slice(bytes);
        Ok(())
    };
    let xml = |style| XmlFileWriter::new(style, "VENDORENTITY", columns.to_vec()).unwrap();
    match &variant.format {
        SourceFormat::CsvUnicode | SourceFormat::Csv => {
            let mut writer = CsvWriter::new(encoding(variant)?, columns.to_vec()).unwrap();
            writer.write(&text, &ends, &kinds, &mut emit).unwrap();
            writer.flush(&mut emit).unwrap();
        }
        SourceFormat::XmlElement | SourceFormat::XmlAttribute => {
            let mut writer = xml(style(variant)?);
            writer.write(&text, &ends, &kinds, &mut emit).unwrap();
            writer.finish(&mut emit).unwrap();
        }
        SourceFormat::Excel => {
            let mut writer = WorkbookWriter::new("Vendors", columns.to_vec()).unwrap();
            writer.write(&text, &ends, &kinds).unwrap();
            return Some(writer.finish().unwrap());
        }
        SourceFormat::Other(_) => return None,
    }
    Some(out)
}

fn read(variant: &Variant, bytes: &[u8]) -> Option<Vec<String>> {
    let mut sink = BatchBuilder::new(usize::MAX);
    match &variant.format {
        SourceFormat::CsvUnicode | SourceFormat::Csv => {
            let mut reader = CsvReader::new();
            reader.push(bytes);
            if reader.is_undecided() {
                reader.decide(encoding(variant)?);
            }
            let mut header = BatchBuilder::new(1);
            reader.pull(&mut header).unwrap();
            reader.pull(&mut sink).unwrap();
            assert!(reader.finish(&mut sink).unwrap());
            assert_eq!(header.into_batch().unwrap().cells().collect::<Vec<_>>(), HEADERS);
        }
        SourceFormat::XmlElement | SourceFormat::XmlAttribute => {
            let mut reader =
                XmlReader::new(style(variant)?, XmlOptions { max_depth: 8, ..XmlOptions::default() });
            reader.push(bytes);
            reader.end();
            reader.pull(&mut sink).unwrap();
            assert_eq!(reader.members()[0].columns, HEADERS);
        }
        SourceFormat::Excel => {
            let options = WorkbookOptions { limit: 1 << 20, ..WorkbookOptions::default() };
            let mut reader = WorkbookReader::new(bytes.to_vec(), &options).unwrap();
            assert!(!reader.read(&mut sink).unwrap());
            assert_eq!(reader.columns(), HEADERS);
        }
        SourceFormat::Other(_) => return None,
    }
    Some(sink.into_batch().unwrap().cells().map(str::to_owned).collect())
}

fn check(variant: &Variant, bytes: &[u8]) -> Option<Checked> {
    match &variant.format {
        SourceFormat::CsvUnicode | SourceFormat::Csv => {
            let mut checker = CsvChecker::new(encoding(variant)?);
            checker.push(bytes).unwrap();
            Some(checker.finish().unwrap())
        }
        SourceFormat::XmlElement | SourceFormat::XmlAttribute => {
            let mut checker = XmlChecker::new(style(variant)?, Some("VENDORENTITY".to_owned()), [], 8);
            checker.push(bytes).unwrap();
            Some(checker.finish().unwrap().flat())
        }
        SourceFormat::Excel => {
            let options = WorkbookOptions { limit: 1 << 20, ..WorkbookOptions::default() };
            Some(WorkbookReader::new(bytes.to_vec(), &options).unwrap().check().unwrap())
        }
        SourceFormat::Other(_) => None,
    }
}

fn encoding(variant: &Variant) -> Option<super::encoding::Encoding> {
    match variant.format {
        SourceFormat::Csv => Some(variant.page.encoding()),
        _ => variant.format.csv_encoding(),
    }
}

fn style(variant: &Variant) -> Option<XmlStyle> {
    match variant.format {
        SourceFormat::XmlElement => Some(XmlStyle::Element),
        SourceFormat::XmlAttribute => Some(XmlStyle::Attribute),
        _ => None,
    }
}

/// Label → what the record says of writing, reading, checking, and why.
fn record() -> BTreeMap<String, ([bool; 3], String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/decisions/0005-formats.md");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("| `")).map(|line| {
        let cells: Vec<&str> = line.trim_end_matches('|').split('|').map(str::trim).collect();
        let [label, write, read, check, why] = cells[..] else { panic!("five columns: {line}") };
        let yes = |cell: &str| match cell {
            "yes" => true,
            "no" => false,
            _ => panic!("yes or no: {line}"),
        };
        (label.trim_end_matches('`').to_owned(), ([yes(write), yes(read), yes(check)], why.to_owned()))
    });
    lines.collect()
}

#[test]
fn every_format_goes_both_ways_or_has_a_decision() {
    let mut record = record();
    let mut variant = Some(first());
    while let Some(current) = variant {
        let label = label(&current);
        let file = write(&current);
        // Without a file to read, any bytes tell whether there is a reader at all.
        let bytes = file.as_deref().unwrap_or(b"CODE\tNAME\r\n");
        let (rows, checked) = (read(&current, bytes), check(&current, bytes));
        let can = [file.is_some(), rows.is_some(), checked.is_some()];
        let (recorded, why) = record.remove(&label).unwrap_or_else(|| panic!("the record lacks {label}"));
        assert_eq!(can, recorded, "{label}: write, read, check");
        assert!(can == [true; 3] || !why.is_empty(), "{label}: one direction only needs a decision");
        if let Some(rows) = rows {
            assert_eq!(rows, CELLS, "{label}");
        }
        if let Some(checked) = checked {
            assert_eq!(checked, Checked { columns: HEADERS.map(str::to_owned).to_vec(), rows: 3 }, "{label}");
        }
        variant = after(&current);
    }
    assert!(record.is_empty(), "the record names what does not exist: {record:?}");
}
