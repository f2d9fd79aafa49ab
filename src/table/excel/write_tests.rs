use std::io::Cursor;

use calamine::{Data, Reader};

use super::super::super::cell::Target;
use super::super::super::rows::BatchBuilder;
use super::super::container::Container;
use super::super::read::{WorkbookOptions, WorkbookReader};
use super::*;
use proptest::prelude::*;

fn columns(headers: &[&str]) -> Vec<Column> {
    headers
        .iter()
        .map(|h| Column { name: h.to_lowercase(), header: (*h).to_owned(), target: Target::Unknown })
        .collect()
}

fn chunk(cells: &[&str]) -> (String, Vec<u32>, Vec<u8>) {
    let mut text = String::new();
    let mut ends = Vec::new();
    for cell in cells {
        text.push_str(cell);
        ends.push(u32::try_from(text.encode_utf16().count()).unwrap());
    }
    (text, ends, vec![0; cells.len()])
}

fn workbook(sheet: &str, headers: &[&str], cells: &[&str]) -> Result<Vec<u8>> {
    let mut writer = WorkbookWriter::new(sheet, columns(headers))?;
    let (text, ends, kinds) = chunk(cells);
    writer.write(&text, &ends, &kinds)?;
    assert_eq!(writer.rows_written(), (cells.len() / headers.len()) as u64);
    writer.finish()
}

fn part(bytes: Vec<u8>, name: &str) -> String {
    String::from_utf8(Container::open(bytes, 1 << 20).unwrap().part(name).unwrap().unwrap()).unwrap()
}

#[test]
fn parts_written_by_hand() {
    let bytes = workbook("Vendors_V2", &["ACCOUNT", "NAME"], &["V-1", " <a> ", "", "_x000D_\r\n"]).unwrap();
    assert_eq!(
        part(bytes.clone(), "xl/worksheets/sheet1.xml"),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>\
         <row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>ACCOUNT</t></is></c>\
         <c r=\"B1\" t=\"inlineStr\"><is><t>NAME</t></is></c></row>\
         <row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>V-1</t></is></c>\
         <c r=\"B2\" t=\"inlineStr\"><is><t xml:space=\"preserve\"> &lt;a&gt; </t></is></c></row>\
         <row r=\"3\"><c r=\"B3\" t=\"inlineStr\"><is><t xml:space=\"preserve\">_x005F_x000D_&#xD;\n</t></is></c></row>\
         </sheetData></worksheet>"
    );
    let book = part(bytes, "xl/workbook.xml");
    assert!(book.contains("<sheet name=\"Vendors_V2\" sheetId=\"1\" r:id=\"rId1\"/>"), "{book}");
    assert!(book.contains("<definedName name=\"Vendors_V2\">'Vendors_V2'!$A$1:$B$1</definedName>"), "{book}");
    // A name that would be a cell names no range, and what XML needs is escaped.
    let book = part(workbook("A&B\"1", &["A"], &[]).unwrap(), "xl/workbook.xml");
    assert!(book.contains("<sheet name=\"A&amp;B&quot;1\"") && !book.contains("definedName"), "{book}");
}

#[test]
fn an_independent_reader_reads_the_workbook() {
    let bytes = workbook("Vendors_V2", &["ACCOUNT", "NAME"], &["V-1", " ä😀<&> ", "12.50", "x\ny"]).unwrap();
    let mut book = calamine::Xlsx::new(Cursor::new(bytes)).unwrap();
    assert_eq!(book.sheet_names(), ["Vendors_V2"]);
    assert_eq!(book.defined_names(), [("Vendors_V2".to_owned(), "'Vendors_V2'!$A$1:$B$1".to_owned())]);
    let range = book.worksheet_range("Vendors_V2").unwrap();
    let rows: Vec<Vec<Data>> = range.rows().map(<[Data]>::to_vec).collect();
    let text = |text: &str| Data::String(text.to_owned());
    assert_eq!(
        rows,
        [
            [text("ACCOUNT"), text("NAME")],
            [text("V-1"), text(" ä😀<&> ")],
            // A number stays text: nothing is lost on the way.
            [text("12.50"), text("x\ny")],
        ]
    );
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let whole = workbook("S", &["A", "B"], &["1", "2", "3", "4"]).unwrap();
    let mut writer = WorkbookWriter::new("S", columns(&["A", "B"])).unwrap();
    for row in [["1", "2"], ["3", "4"]] {
        let (text, ends, kinds) = chunk(&row);
        writer.write(&text, &ends, &kinds).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), whole);
}

#[test]
fn what_a_sheet_cannot_hold_is_refused() {
    let many: Vec<String> = (0..256).map(|i| format!("C{i}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(workbook("S", &many[..255], &[]).is_ok());
    assert!(workbook("S", &many, &[]).unwrap_err().message.contains("DMF2009"));
    assert!(workbook("S", &[], &[]).is_err());
    assert!(workbook("a/b", &["A"], &[]).is_err());
    assert!(workbook("S", &["A\u{1}"], &[]).is_err());
    for cell in ["\u{1}", "\u{ffff}", &"x".repeat(32_768)] {
        let error = workbook("S", &["A", "B"], &["1", "2", "3", cell]).unwrap_err();
        let at = error.at.as_deref().unwrap();
        assert_eq!((at.line, at.column.as_deref()), (Some(2), Some("b")));
        assert!(error.hint.is_some());
    }
    assert!(workbook("S", &["A"], &[&"x".repeat(32_767)]).is_ok());
    let mut writer = WorkbookWriter::new("S", columns(&["A", "B"])).unwrap();
    for (text, ends, kinds) in [
        ("ab", &[1u32][..], &[0u8][..]),
        ("ab", &[1, 2], &[0]),
        ("abc", &[1, 2], &[0, 0]),
        ("ab", &[1, 2], &[0, 9]),
    ] {
        assert!(writer.write(text, ends, kinds).is_err(), "{ends:?} {kinds:?}");
    }
}

#[test]
fn a_sheet_is_full_at_1048575_records() {
    let mut writer = WorkbookWriter::new("S", columns(&["A"])).unwrap();
    let (text, ends, kinds) = (String::new(), vec![0; 1_048_575], vec![0; 1_048_575]);
    writer.write(&text, &ends, &kinds).unwrap();
    let error = writer.write("", &[0], &[0]).unwrap_err();
    assert_eq!(error.at.as_deref().unwrap().line, Some(1_048_576));
}

fn value() -> impl Strategy<Value = String> {
    proptest::string::string_regex("([a-zäλ😀 <>&\"',;#\t\r\n\u{feff}]|_x|_x000D_|_|]]>|&amp;){0,12}")
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn rows_come_back(rows in proptest::collection::vec((value(), value()), 1..6), batch in 1usize..4) {
        let cells: Vec<&str> = rows.iter().flat_map(|(a, b)| [a.as_str(), b.as_str()]).collect();
        let bytes = workbook("Sheet", &["A", "B"], &cells).unwrap();
        let options = WorkbookOptions { sheet: Some("Sheet$".into()), limit: 1 << 20, ..WorkbookOptions::default() };
        let mut reader = WorkbookReader::new(bytes, &options).unwrap();
        prop_assert_eq!(reader.columns(), ["A", "B"]);
        let mut back = Vec::new();
        loop {
            let mut sink = BatchBuilder::new(batch);
            let more = reader.read(&mut sink).unwrap();
            if let Some(rows) = sink.into_batch() {
                prop_assert!(rows.rows <= batch);
                back.extend(rows.cells().map(str::to_owned));
            }
            if !more { break; }
        }
        // Empty rows at the end are no rows.
        let last = rows.iter().rposition(|(a, b)| !a.is_empty() || !b.is_empty()).map_or(0, |last| last + 1);
        prop_assert_eq!(&back, &cells[..last * 2]);
    }
}
