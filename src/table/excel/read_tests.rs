use super::super::super::rows::BatchBuilder;
use super::super::container::ContainerWriter;
use super::*;

const RELS: &str = "<Relationships><Relationship Id='rId1' Type='x/officeDocument' Target='xl/workbook.xml'/></Relationships>";
const BOOK: &str =
    "<workbook><sheets><sheet name='First' r:id='a'/><sheet name='Vendors_V2' r:id='b'/></sheets></workbook>";
const BOOK_RELS: &str = "<Relationships><Relationship Id='a' Type='x/worksheet' Target='worksheets/sheet1.xml'/>\
    <Relationship Id='b' Type='x/worksheet' Target='/xl/worksheets/sheet2.xml'/>\
    <Relationship Id='c' Type='x/sharedStrings' Target='sharedStrings.xml'/>\
    <Relationship Id='d' Type='x/styles' Target='styles.xml'/></Relationships>";
const STYLES: &str = "<styleSheet><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/></cellXfs></styleSheet>";
const STRINGS: &str = "<sst><si><t>CODE</t></si><si><t>DATE</t></si></sst>";

fn two_sheets(first: &str, second: &str) -> Vec<u8> {
    let sheet = |rows: &str| format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    ContainerWriter::new()
        .add("_rels/.rels", RELS)
        .and_then(|zip| zip.add("xl/workbook.xml", BOOK))
        .and_then(|zip| zip.add("xl/_rels/workbook.xml.rels", BOOK_RELS))
        .and_then(|zip| zip.add("xl/sharedStrings.xml", STRINGS))
        .and_then(|zip| zip.add("xl/styles.xml", STYLES))
        .and_then(|zip| zip.add("xl/worksheets/sheet1.xml", &sheet(first)))
        .and_then(|zip| zip.add("xl/worksheets/sheet2.xml", &sheet(second)))
        .and_then(ContainerWriter::finish)
        .unwrap()
}

fn options(sheet: Option<&str>) -> WorkbookOptions {
    WorkbookOptions { sheet: sheet.map(str::to_owned), mapped: vec!["MAPPED".into()], limit: 1 << 20 }
}

fn read(bytes: Vec<u8>, sheet: Option<&str>) -> Result<(Vec<String>, Vec<String>)> {
    let mut reader = WorkbookReader::new(bytes, &options(sheet))?;
    let mut cells = Vec::new();
    loop {
        let mut sink = BatchBuilder::new(2);
        let more = reader.read(&mut sink)?;
        cells.extend(sink.into_batch().iter().flat_map(RowBatchCells::texts));
        if !more {
            return Ok((reader.columns().to_vec(), cells));
        }
    }
}

trait RowBatchCells {
    fn texts(&self) -> Vec<String>;
}

impl RowBatchCells for crate::table::RowBatch {
    fn texts(&self) -> Vec<String> {
        self.cells().map(str::to_owned).collect()
    }
}

const HEADER: &str = "<row r='1'><c t='s'><v>0</v></c><c t='s'><v>1</v></c></row>";

#[test]
fn typed_cells_become_texts() {
    let rows = format!(
        "{HEADER}<row r='2'><c><v>1E3</v></c><c s='1'><v>46053.5</v></c></row>\
         <row r='4'><c t='b'><v>1</v></c></row><row r='5'/><row r='9'><c/></row>"
    );
    let (columns, cells) = read(two_sheets(&rows, ""), None).unwrap();
    assert_eq!(columns, ["CODE", "DATE"]);
    assert_eq!(
        cells,
        ["1000", "2026-01-31T12:00:00", "", "", "Yes", ""],
        "row 3 is empty, those after 4 are none"
    );
}

#[test]
fn sheets_are_found_by_name() {
    let second = "<row r='1'><c t='str'><v>SECOND</v></c></row>";
    let columns = |sheet| read(two_sheets(HEADER, second), sheet).map(|(columns, _)| columns);
    for sheet in [Some("Vendors_V2"), Some("Vendors_V2$"), Some("vendors_v2$"), Some("'Vendors_V2$'")] {
        assert_eq!(columns(sheet).unwrap(), ["SECOND"]);
    }
    for sheet in [None, Some(""), Some("First")] {
        assert_eq!(columns(sheet).unwrap(), ["CODE", "DATE"]);
    }
    let error = columns(Some("Other$")).unwrap_err();
    assert_eq!(error.code, ErrorCode::DataInvalid);
    assert!(error.message.contains("no sheet \"Other\", only First, Vendors_V2"), "{}", error.message);
}

#[test]
fn a_sheet_without_header_has_the_mapped_columns() {
    assert_eq!(read(two_sheets("", ""), None).unwrap(), (vec!["MAPPED".to_owned()], vec![]));
}

#[test]
fn headers_and_rows_that_do_not_fit_are_refused() {
    for (rows, part) in [
        ("<row r='3'><c r='B3' t='str'><v>B</v></c></row>".to_owned(), "column 1 of the header has no name"),
        ("<row><c t='str'><v>B</v></c><c t='str'><v>B</v></c></row>".to_owned(), "\"B\" twice"),
        (format!("{HEADER}<row r='7'><c r='D7'><v>1</v></c></row>"), "cell D7 has a value"),
        (
            format!("{HEADER}<row r='2'><c t='e'><v>#REF!</v></c></row>"),
            "cell A2: the cell has the error #REF!",
        ),
    ] {
        let error = read(two_sheets(&rows, ""), None).unwrap_err();
        assert_eq!(error.code, ErrorCode::DataInvalid);
        assert!(error.message.contains(part), "{}", error.message);
        assert!(error.hint.is_some() && error.at.as_deref().unwrap().line.is_some());
    }
}

#[test]
fn an_error_is_repeated() {
    let bytes = two_sheets(&format!("{HEADER}<row r='2'><c t='e'><v>#REF!</v></c></row>"), "");
    let mut reader = WorkbookReader::new(bytes, &options(None)).unwrap();
    let first = reader.read(&mut BatchBuilder::new(1)).unwrap_err();
    assert_eq!(reader.read(&mut BatchBuilder::new(1)).unwrap_err(), first);
}

#[test]
fn a_row_that_shared_texts_blow_up_is_stopped() {
    // One text of 1 MiB, referred to by every cell of a row.
    let strings = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(1 << 20));
    let row = format!("<worksheet><row>{}</row></worksheet>", "<c t='s'><v>0</v></c>".repeat(100));
    let bytes = ContainerWriter::new()
        .add("_rels/.rels", RELS)
        .and_then(|zip| zip.add("xl/workbook.xml", BOOK))
        .and_then(|zip| zip.add("xl/_rels/workbook.xml.rels", BOOK_RELS))
        .and_then(|zip| zip.add("xl/sharedStrings.xml", &strings))
        .and_then(|zip| zip.add("xl/worksheets/sheet1.xml", &row))
        .and_then(ContainerWriter::finish)
        .unwrap();
    let error =
        WorkbookReader::new(bytes, &WorkbookOptions { limit: 4 << 20, ..options(None) }).err().unwrap();
    assert!(error.message.contains("larger than 16777216 bytes"), "{}", error.message);
}

#[test]
fn what_is_no_workbook_is_refused() {
    let zip = ContainerWriter::new().add("Manifest.xml", "<a/>").and_then(ContainerWriter::finish).unwrap();
    for bytes in [b"A,B\r\n".to_vec(), zip] {
        let error = read(bytes, None).unwrap_err();
        assert!(error.message.contains("no workbook"), "{}", error.message);
        assert!(error.hint.is_some());
    }
    // Every part is needed.
    let bytes = ContainerWriter::new()
        .add("_rels/.rels", RELS)
        .and_then(|zip| zip.add("xl/workbook.xml", BOOK))
        .and_then(|zip| zip.add("xl/_rels/workbook.xml.rels", BOOK_RELS))
        .and_then(ContainerWriter::finish)
        .unwrap();
    assert!(
        read(bytes, None)
            .unwrap_err()
            .message
            .contains("sheet1.xml of the workbook is damaged: it is missing")
    );
}

#[test]
fn damaged_workbooks_never_panic() {
    let good = two_sheets(&format!("{HEADER}<row r='2'><c><v>1</v></c></row>"), "");
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x55;
        let _ = read(bytes, None);
        let _ = read(good[..at].to_vec(), None);
    }
}

#[test]
fn a_workbook_is_checked_for_what_the_service_refuses() {
    let check = |rows: &str| WorkbookReader::new(two_sheets(rows, ""), &options(None)).unwrap().check();
    let checked = check(&format!("{HEADER}<row r='3'><c><v>1</v></c></row>")).unwrap();
    assert_eq!(checked, Checked { columns: vec!["CODE".into(), "DATE".into()], rows: 2 });
    assert!(check(HEADER).unwrap_err().message.contains("no row"));
    let wide: String = (0..256).map(|i| format!("<c t='str'><v>C{i}</v></c>")).collect();
    let row = "<row><c><v>1</v></c></row>";
    assert!(check(&format!("<row>{wide}</row>{row}")).unwrap_err().message.contains("DMF2009"));
    assert!(check(&format!("{HEADER}<row><c t='e'><v>#N/A</v></c></row>")).is_err());
}

// Kills mutants of the stack of open elements, at the first row and beyond it, where the rows before are good.
#[test]
fn a_sheet_that_is_not_well_formed_is_refused() {
    let row = "<row><c><v>1</v></c></row>";
    let cases = [
        ("<a>".to_owned() + HEADER + row, "</sheetData> closes nothing"),
        (format!("{HEADER}<row><c><v>1</c></v></row>"), "</c> closes nothing"),
        (format!("{HEADER}<row><c><v>1</v></x:c></row>"), "</x:c> closes nothing"),
        (format!("{HEADER}{row}</sheetData></worksheet><worksheet><sheetData>"), "second root"),
        (format!("{HEADER}{row}</sheetData></worksheet></a>"), "</a> closes nothing"),
        (format!("{HEADER}<row><c><v>1</v></c>{row}</row>"), "a row in a row"),
        (format!("{HEADER}{row}<sheetData><!-- "), "not well-formed"),
    ];
    for (rows, words) in cases {
        let error = read(two_sheets(&rows, ""), None).unwrap_err();
        assert!(error.message.contains(words), "{rows}: {}", error.message);
    }
    read(two_sheets(&format!("{HEADER}{row}<x:a xmlns:x='urn:x'><b/></x:a><!-- <row> -->"), ""), None)
        .unwrap();
}

// Of the row that the error is in, no cell is handed on: its last column would look like the end of a row.
#[test]
fn a_batch_ends_before_the_row_that_is_refused() {
    let rows = "<row r='1'><c t='s'><v>0</v></c></row><row r='2'><c><v>1</v></c></row><row r='3'><c><v>2</v></c></row>";
    let bad = "<row r='4'><c><v>3</v></c><c><v>4</v></c></row>";
    let batches = |bytes: Vec<u8>, max| {
        let mut reader = WorkbookReader::new(bytes, &options(None)).unwrap();
        let mut all = Vec::new();
        loop {
            match reader.batch(max) {
                Ok(Some(batch)) => all.push((batch.rows, batch.ends.clone())),
                Ok(None) => return (all, None, reader.batch(max).unwrap().is_none()),
                Err(error) => return (all, Some(error.message.clone()), reader.batch(max).is_err()),
            }
        }
    };
    let message = Some("cell B4 has a value, but its column has no name".to_owned());
    assert_eq!(
        batches(two_sheets(&format!("{rows}{bad}"), ""), 9),
        (vec![(2, vec![1, 2])], message.clone(), true)
    );
    assert_eq!(
        batches(two_sheets(&format!("{rows}{bad}"), ""), 1),
        (vec![(1, vec![1]), (1, vec![1])], message, true)
    );
    assert_eq!(batches(two_sheets(rows, ""), 2), (vec![(2, vec![1, 2])], None, true));
    assert_eq!(batches(two_sheets(rows, ""), 9), (vec![(2, vec![1, 2])], None, true));
}
