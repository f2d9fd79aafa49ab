use std::sync::Arc;

use super::super::codes::Severity;
use super::super::report::Diagnostic;
use super::super::subject::{ColumnMap, EntityRules, Schema};
use super::*;
use crate::package::zip::testing::{Raw, archive};
use crate::table::SourceFormat;

const RELATIONS: &str =
    "<Relationships><Relationship Id='r' Type='x/officeDocument' Target='xl/workbook.xml'/></Relationships>";

/// Sheets by name, with the XML of their rows.
fn book(sheets: &[(&str, &str)]) -> Vec<u8> {
    let mut parts = vec![("_rels/.rels".to_owned(), RELATIONS.to_owned())];
    let (mut list, mut relations) = (String::new(), String::new());
    for (at, (name, rows)) in sheets.iter().enumerate() {
        list += &format!("<sheet name='{name}' r:id='s{at}'/>");
        relations += &format!("<Relationship Id='s{at}' Type='x/worksheet' Target='s{at}.xml'/>");
        let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
        parts.push((format!("xl/s{at}.xml"), sheet));
    }
    parts.push(("xl/workbook.xml".into(), format!("<workbook><sheets>{list}</sheets></workbook>")));
    parts.push(("xl/_rels/workbook.xml.rels".into(), format!("<Relationships>{relations}</Relationships>")));
    archive(&parts.iter().map(|(name, text)| Raw::stored(name, text.as_bytes())).collect::<Vec<_>>())
}

fn row(cells: &[&str]) -> String {
    let cells: String =
        cells.iter().map(|cell| format!("<c t='inlineStr'><is><t>{cell}</t></is></c>")).collect();
    format!("<row>{cells}</row>")
}

const COLUMNS: [&str; 3] = ["CURRENCYCODE", "NAME", "GENERALROUNDINGRULE"];

fn subject(sheet: &str) -> Subject {
    let schema = Schema::default();
    let entity = schema.catalog().label("Currencies").unwrap();
    Subject {
        label: "Currencies".into(),
        file: "Currencies.xlsx".into(),
        format: SourceFormat::Excel,
        sheet: sheet.into(),
        maps: maps(&COLUMNS),
        rules: Some(Arc::new(EntityRules::of(entity, schema.catalog()))),
        whole_schema: false,
        composite: false,
    }
}

fn maps(columns: &[&str]) -> Vec<ColumnMap> {
    let map =
        |name: &&str| ColumnMap { column: (*name).into(), field: (*name).into(), filled: false, plain: true };
    columns.iter().map(map).collect()
}

fn examine(subject: &Subject, bytes: &[u8]) -> Vec<Diagnostic> {
    let mut report = Report::default();
    let mut file = WorkbookFile::here(1 << 20);
    for piece in bytes.chunks(100) {
        assert!(file.push(piece));
    }
    assert_eq!(file.end_of_file(subject, &mut report), Next::Done);
    let found = report.finish();
    for max in [1, 2, 1000] {
        assert_eq!(examine_elsewhere(subject, bytes, max), found, "by {max} rows");
    }
    for it in &found {
        assert_eq!(it.file.as_deref(), Some("Currencies.xlsx"), "{it:?}");
        assert_eq!(it.entity.as_deref(), Some("Currencies"), "{it:?}");
    }
    found
}

/// The caller reads the rows, in chunks of so many.
fn examine_elsewhere(subject: &Subject, bytes: &[u8], max: usize) -> Vec<Diagnostic> {
    let mut report = Report::default();
    let mut file = WorkbookFile::elsewhere(1 << 20);
    assert!(file.push(bytes));
    assert_eq!(file.reading(), Reading::Elsewhere);
    assert_eq!(file.end_of_file(subject, &mut report), Next::Rows);
    assert_eq!(file.reading(), Reading::Wanted);
    let mut exam = WorkbookExam { file: &mut file, subject, report: &mut report };
    let taken = exam.take_bytes();
    assert_eq!(taken, bytes);
    if let Err(error) = read_elsewhere(&mut exam, &taken, max) {
        exam.refuse(&error);
    }
    assert_eq!(file.reading(), Reading::Over);
    report.finish()
}

fn read_elsewhere(exam: &mut WorkbookExam<'_>, bytes: &[u8], max: usize) -> Result<()> {
    let sheet = Some(exam.sheet().to_owned()).filter(|name| !name.is_empty());
    let options = WorkbookOptions { sheet, mapped: vec![], limit: 1 << 20 };
    loop {
        let mut reader = WorkbookReader::new(bytes.to_vec(), &options)?;
        if !exam.begin(reader.sheet_name(), reader.header_row(), reader.columns()) {
            return Ok(());
        }
        while let Some(batch) = reader.batch(max)? {
            exam.rows(&batch.text, &batch.ends)?;
        }
        if !exam.end() {
            return Ok(());
        }
    }
}

type Seen = Vec<(&'static str, Option<u64>)>;

fn seen(found: &[Diagnostic]) -> Seen {
    found.iter().map(|it| (it.code.as_str(), it.line)).collect()
}

/// What is said of a sheet with these rows below its header.
fn of_rows(rows: &str) -> Seen {
    let rows = row(&COLUMNS) + rows;
    seen(&examine(&subject("Currencies$"), &book(&[("Currencies", &rows)])))
}

fn eur() -> String {
    row(&["EUR", "Euro", "0.01"])
}

// Kills mutants of the comparison of names: exact, any case, with quotes, without the sign, the only sheet.
#[test]
fn the_sheet_is_the_one_that_the_manifest_names() {
    let rows = row(&COLUMNS) + &eur();
    let one = book(&[("Currencies", &rows)]);
    let two = book(&[("Notes", "<row><c><v>1</v></c></row>"), ("Currencies", &rows)]);
    for good in ["Currencies$", "currencies$", "'Currencies$'"] {
        assert_eq!(examine(&subject(good), &one), [], "{good}");
        assert_eq!(examine(&subject(good), &two), [], "{good}");
    }
    assert_eq!(examine(&subject(""), &one), [], "the first sheet");
    for (bad, words) in [
        ("Sheet1$", "no sheet \"Sheet1\""),
        ("Currency$", "no sheet \"Currency\""),
        ("Currencies", "\"Currencies\" names a range"),
        ("$", "no sheet \"\""),
    ] {
        for book in [&one, &two] {
            let found = examine(&subject(bad), book);
            assert_eq!(seen(&found), [("PKG-EXCEL-SHEET", None)], "{bad}");
            assert_eq!(found[0].severity, Severity::Error);
            assert!(!found[0].repairable);
        }
        let message = &examine(&subject(bad), &one)[0].message;
        assert!(message.contains(words), "{bad}: {message}");
    }
}

#[test]
fn more_than_255_columns_are_too_many() {
    let of = |count: usize| {
        let names: Vec<String> = (0..count).map(|at| format!("C{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let rows = row(&names) + &row(&vec!["x"; count]);
        let subject = Subject { maps: maps(&names), rules: None, ..subject("") };
        examine(&subject, &book(&[("S", &rows)]))
    };
    assert_eq!(of(255), []);
    let found = of(256);
    assert_eq!(seen(&found), [("PKG-EXCEL-COLUMNS", None)]);
    assert!(found[0].message.contains("256"), "{}", found[0].message);
}

// Exports cut at 255 characters, which are not bytes.
#[test]
fn a_cell_of_255_characters_may_have_been_cut() {
    let of = |length: usize, letter: &str| of_rows(&(eur() + &row(&["USD", &letter.repeat(length), "1"])));
    for letter in ["x", "é"] {
        assert_eq!(of(254, letter), []);
        assert_eq!(of(255, letter), [("PKG-EXCEL-CUT", Some(3))]);
        assert_eq!(of(256, letter), []);
    }
    assert_eq!(of(128, "é"), [], "255 bytes and one");
    let rows = row(&COLUMNS) + &row(&["EUR", &"x".repeat(255), "1"]);
    let found = examine(&subject(""), &book(&[("S", &rows)]));
    assert_eq!(found[0].severity, Severity::Warning);
}

#[test]
fn what_is_no_workbook_can_not_be_read() {
    let good = book(&[("Currencies", &(row(&COLUMNS) + &eur()))]);
    let mut changed = good.clone();
    // Within the first entry's content, so that its checksum is wrong.
    changed[30 + "_rels/.rels".len() + 20] ^= 1;
    let old = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1].repeat(10);
    let no_part = archive(&[Raw::stored("_rels/.rels", RELATIONS.as_bytes())]);
    let cases: [(&str, &[u8]); 7] = [
        ("nothing", b""),
        ("CSV", b"CURRENCYCODE,NAME\r\nEUR,Euro\r\n"),
        ("cut off", &good[..good.len() - 30]),
        ("a changed byte", &changed),
        ("an .xls", &old),
        ("a zip of something else", &archive(&[Raw::stored("a.txt", b"hello")])),
        ("a part is missing", &no_part),
    ];
    for (name, bytes) in cases {
        let found = examine(&subject(""), bytes);
        assert_eq!(seen(&found), [("PKG-EXCEL-UNREADABLE", None)], "{name}: {found:?}");
        assert_eq!(found[0].severity, Severity::Error);
    }
    // Cells that are no values have their row.
    assert_eq!(of_rows("<row><c t='e'><v>#N/A</v></c></row>"), [("PKG-EXCEL-UNREADABLE", Some(2))]);
    assert_eq!(of_rows("<row><c t='s'><v>7</v></c></row>"), [("PKG-EXCEL-UNREADABLE", Some(2))]);
}

#[test]
fn a_workbook_beyond_the_limit_is_not_kept() {
    let bytes = book(&[("Currencies", &(row(&COLUMNS) + &eur()))]);
    let examined = |limit: usize| {
        let mut report = Report::default();
        let mut file = WorkbookFile::here(limit as u64);
        let taken = file.push(&bytes);
        file.end_of_file(&subject(""), &mut report);
        (taken, seen(&report.finish()))
    };
    assert_eq!(examined(bytes.len()), (true, vec![]));
    assert_eq!(examined(bytes.len() - 1), (false, vec![("PKG-LIMIT", None)]));
}

#[test]
fn the_header_is_the_first_row() {
    let of = |rows: &str| {
        let found = examine(&subject(""), &book(&[("S", rows)]));
        (seen(&found), found.first().map(|it| it.message.clone()).unwrap_or_default())
    };
    let (found, message) = of("");
    assert_eq!(found, [("PKG-CSV-NO-HEADER", Some(1))]);
    assert!(message.contains("no header row"), "{message}");
    let (found, message) = of(&format!("<row/><row/>{}{}", row(&COLUMNS), eur()));
    assert_eq!(found, [("PKG-CSV-NO-HEADER", Some(1))]);
    assert!(message.contains("row 3"), "{message}");
    assert_eq!(of(&row(&COLUMNS)).0, [("PKG-NO-ROW", None)]);
    assert_eq!(of(&(row(&["CURRENCYCODE", "", "NAME"]) + &eur())).0, [("PKG-COLUMN-UNNAMED", Some(1))]);
    assert_eq!(of(&(row(&["CURRENCYCODE", "CURRENCYCODE"]) + &eur())).0, [("PKG-COLUMN-TWICE", Some(1))]);
}

// The rules of rows are those of the other formats; here it is that they are asked, with the right row.
#[test]
fn rows_are_held_against_maps_and_schema() {
    let cases: [(String, Seen); 9] = [
        (eur(), vec![]),
        (eur() + "<row/><row/>", vec![]),
        (eur() + &row(&["USD", "Dollar", "0,01"]), vec![("PKG-VALUE-TYPE", Some(3))]),
        (eur() + &row(&["GBP"]) + &row(&["eur"]), vec![("PKG-KEY-DUPLICATE", Some(4))]),
        (eur() + &row(&["", "Nobody"]), vec![("PKG-KEY-EMPTY", Some(3))]),
        (eur() + "<row/>" + &row(&["USD"]), vec![("PKG-KEY-EMPTY", Some(3))]),
        (eur() + &row(&["USD", "Dollar", "1", "more"]), vec![("PKG-COLUMN-UNNAMED", Some(3))]),
        // What is wrong above the cell that ends the reading is told; of its row nothing else is.
        (
            row(&["EUR", "Euro", "x"]) + &row(&["USD", "Dollar", "x", "more"]),
            vec![("PKG-VALUE-TYPE", Some(2)), ("PKG-COLUMN-UNNAMED", Some(3))],
        ),
        // Beyond ASCII, ends are not those of bytes.
        (
            row(&["EUR", "Ε𝄞ρώ", "0.01"]) + &row(&["EUR", "ü", "x"]),
            vec![("PKG-VALUE-TYPE", Some(3)), ("PKG-KEY-DUPLICATE", Some(3))],
        ),
    ];
    for (rows, expected) in cases {
        assert_eq!(of_rows(&rows), expected, "{rows}");
    }
    let rows = row(&["CURRENCYCODE", "SYMBOL"]) + &row(&["EUR", "e"]);
    let found =
        examine(&Subject { maps: maps(&["CURRENCYCODE", "NAME"]), ..subject("") }, &book(&[("S", &rows)]));
    assert_eq!(seen(&found), [("PKG-COLUMN-UNMAPPED", Some(1)), ("PKG-COLUMN-MISSING", None)]);
}

#[test]
fn maps_can_be_made_of_the_header() {
    let mut report = Report::default();
    let mut file = WorkbookFile::here(1 << 20);
    file.push(&book(&[("S", &(row(&["CURRENCYCODE", "NAME"]) + &row(&["EUR", "Euro"])))]));
    file.end_of_file(&Subject { maps: vec![], ..subject("") }, &mut report);
    assert_eq!(report.finish(), []);
    assert_eq!(file.into_header().unwrap(), ["CURRENCYCODE", "NAME"]);
}
