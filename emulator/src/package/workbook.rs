//! Workbooks (xlsx): one sheet as rows of text, and a sheet as the service writes it.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use quick_xml::escape::escape;
use time::{Date, Duration, Month};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::archive::Archive;
use super::text::decode_xml;
use super::xml::{Element, parse};

/// Most columns of a sheet that data management takes.
pub(crate) const MAX_COLUMNS: usize = 255;

/// Most characters of an exported cell.
const MAX_CELL: usize = 255;

/// Reads a sheet: rows with their 1-based number and cells, from the first row on; blank rows at the end are left out.
/// `sheet` is the name with its `$`; empty takes the first one.
pub(crate) fn read_sheet(bytes: Vec<u8>, sheet: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
    let mut archive = Archive::open(bytes).map_err(|_| "The file is not a workbook.".to_owned())?;
    let book = part(&mut archive, "xl/workbook.xml")?;
    let sheets = book.child("sheets").map(|list| list.children.as_slice()).unwrap_or_default();
    let found = match sheet.strip_suffix('$') {
        None if sheet.is_empty() => sheets.first(),
        // Without the `$` a range of that name is meant, and the service's own covers the header row alone.
        None => None,
        Some(name) => {
            sheets.iter().find(|found| found.attribute("name").is_some_and(|n| n.eq_ignore_ascii_case(name)))
        }
    };
    let relation = found.and_then(|found| found.attribute("r:id")).ok_or_else(|| {
        format!("DMF040: The database engine could not find the object '{sheet}' in the workbook.")
    })?;
    let relations = part(&mut archive, "xl/_rels/workbook.xml.rels")?;
    let target = relations
        .children
        .iter()
        .find(|found| found.attribute("Id") == Some(relation))
        .and_then(|found| found.attribute("Target"))
        .ok_or("The workbook does not say where its sheet is.")?;
    let path = target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned);
    let shared = match archive.read("xl/sharedStrings.xml") {
        Ok(bytes) => xml(&bytes)?.children.iter().map(rich_text).collect(),
        Err(_) => Vec::new(),
    };
    let dates = match archive.read("xl/styles.xml") {
        Ok(bytes) => date_styles(&xml(&bytes)?),
        Err(_) => Vec::new(),
    };
    let sheet = part(&mut archive, &path)?;
    let data = sheet.child("sheetData").map(|data| data.children.as_slice()).unwrap_or_default();
    let mut rows = Vec::new();
    for row in data {
        let number = row.attribute("r").and_then(|text| text.parse().ok());
        let mut cells = Vec::new();
        for cell in &row.children {
            let column = cell.attribute("r").and_then(column_of).unwrap_or(cells.len());
            // Excel itself ends at 16,384 columns.
            if column >= 16_384 {
                return Err(format!("The cell {} is out of range.", cell.attribute("r").unwrap_or_default()));
            }
            if cells.len() <= column {
                cells.resize(column + 1, String::new());
            }
            if let Some(place) = cells.get_mut(column) {
                *place = cell_text(cell, &shared, &dates)?;
            }
        }
        let next = rows.last().map_or(1, |(last, _): &(usize, _)| last + 1);
        let number = number.unwrap_or(next);
        if number < next || number > 1_048_576 {
            return Err(format!("The row {number} of the sheet is out of order or out of range."));
        }
        // Rows that are not written are blank ones.
        rows.extend((next..number).map(|blank| (blank, Vec::new())));
        rows.push((number, cells));
    }
    while rows.last().is_some_and(|(_, cells)| cells.iter().all(String::is_empty)) {
        rows.pop();
    }
    Ok(rows)
}

fn xml(bytes: &[u8]) -> Result<Element, String> {
    parse(&decode_xml(bytes).ok_or("The workbook is damaged.")?)
}

fn part(archive: &mut Archive, name: &str) -> Result<Element, String> {
    xml(&archive.read(name).map_err(|error| format!("The workbook is damaged: {name}: {error}."))?)
}

/// `BC12` → 54.
fn column_of(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_uppercase);
    let number = letters.take(4).fold(0, |sum, letter| sum * 26 + usize::from(letter - b'A') + 1);
    number.checked_sub(1)
}

/// Text of an `is` or `si`: its own, or that of its runs.
fn rich_text(element: &Element) -> String {
    let mut out = String::new();
    for child in &element.children {
        match child.name.as_str() {
            "t" => out.push_str(&child.text),
            "r" => out.push_str(&rich_text(child)),
            _ => {}
        }
    }
    out
}

fn cell_text(cell: &Element, shared: &[String], dates: &[bool]) -> Result<String, String> {
    let place = cell.attribute("r").unwrap_or("?");
    let value = cell.child("v").map(|v| v.text.as_str()).unwrap_or_default();
    Ok(match cell.attribute("t").unwrap_or("n") {
        "inlineStr" => cell.child("is").map(rich_text).unwrap_or_default(),
        "s" => value
            .trim()
            .parse::<usize>()
            .ok()
            .and_then(|at| shared.get(at))
            .cloned()
            .ok_or_else(|| format!("The cell {place} refers to a string that is not there."))?,
        "b" => if value.trim() == "1" { "1" } else { "0" }.to_owned(),
        "e" => return Err(format!("The cell {place} holds the error {value}.")),
        "n" if value.is_empty() => String::new(),
        "n" => {
            let style = cell.attribute("s").and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
            let number: f64 =
                value.trim().parse().map_err(|_| format!("The cell {place} is no number: '{value}'."))?;
            if dates.get(style) == Some(&true) {
                serial_date(number).ok_or_else(|| format!("The cell {place} is no date: '{value}'."))?
            } else {
                // Written as an integer or plain decimal; Rust writes no exponent.
                number.to_string()
            }
        }
        _ => value.to_owned(),
    })
}

/// Days since the end of 1899, as Excel counts them from March 1900 on.
fn serial_date(number: f64) -> Option<String> {
    if !(0.0..3_000_000.0).contains(&number) {
        return None;
    }
    let start = Date::from_calendar_date(1899, Month::December, 30).ok()?.midnight();
    let day = start.checked_add(Duration::seconds_f64((number * 86_400.0).round()))?;
    let (hour, minute, second) = day.as_hms();
    Some(if (hour, minute, second) == (0, 0, 0) {
        day.date().to_string()
    } else {
        format!("{}T{hour:02}:{minute:02}:{second:02}", day.date())
    })
}

/// For each cell style, whether it shows numbers as dates.
fn date_styles(styles: &Element) -> Vec<bool> {
    let list = |name: &str| styles.child(name).map(|list| list.children.as_slice()).unwrap_or_default();
    let custom: Vec<&str> = list("numFmts")
        .iter()
        .filter(|format| {
            let code = format.attribute("formatCode").unwrap_or_default();
            let mut quoted = false;
            code.chars().any(|c| {
                quoted ^= c == '"';
                !quoted && matches!(c, 'y' | 'm' | 'd' | 'h' | 's' | 'Y' | 'D')
            })
        })
        .filter_map(|format| format.attribute("numFmtId"))
        .collect();
    let is_date = |id: &str| matches!(id.parse(), Ok(14..=22 | 45..=47_u32)) || custom.contains(&id);
    list("cellXfs").iter().map(|style| style.attribute("numFmtId").is_some_and(is_date)).collect()
}

/// Writes a workbook with one sheet: inline strings, header in row 1, a defined name over it. Cells are cut as the
/// service cuts them.
pub(crate) fn write_sheet<'a>(
    sheet: &str,
    rows: impl Iterator<Item = &'a [String]>,
) -> Result<Vec<u8>, ZipError> {
    let name = escape(sheet);
    let mut width = 0;
    let mut data = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>",
    );
    for (number, cells) in (1..).zip(rows) {
        width = width.max(cells.len());
        let _ = write!(data, "<row r=\"{number}\">");
        for (at, cell) in cells.iter().enumerate() {
            let cut: String = cell.chars().take(MAX_CELL).collect();
            let _ = write!(
                data,
                "<c r=\"{}{number}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{}</t></is></c>",
                column_name(at),
                escape(&cut)
            );
        }
        data.push_str("</row>");
    }
    data.push_str("</sheetData></worksheet>");
    let last = column_name(width.saturating_sub(1));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    let parts = [
        (
            "[Content_Types].xml",
            format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?><Types xmlns=\"{package}/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override PartName=\"/xl/workbook.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/><Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?><Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"rId1\" Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?><workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"{office}\"><sheets><sheet name=\"{name}\" sheetId=\"1\" r:id=\"rId1\"/></sheets><definedNames><definedName name=\"{name}\">'{name}'!$A$1:${last}$1</definedName></definedNames></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?><Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"rId1\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        ("xl/worksheets/sheet1.xml", data),
    ];
    for (name, text) in parts {
        zip.start_file(name, options)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

/// 54 → `BC`.
fn column_name(at: usize) -> String {
    let mut out = String::new();
    let mut rest = at + 1;
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or_default();
        out.insert(0, char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(sheet: &str, styles: &str, shared: &str) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let workbook = "<workbook xmlns:r='urn:r'><sheets><sheet name='Other' r:id='r2'/><sheet name='Data' r:id='r1'/></sheets></workbook>";
        let relations = "<Relationships><Relationship Id='r1' Target='/xl/s.xml'/><Relationship Id='r2' Target='other.xml'/></Relationships>";
        let other = "<worksheet><sheetData><row><c t='str'><v>first</v></c></row></sheetData></worksheet>";
        let sheet = format!("<worksheet><sheetData>{sheet}</sheetData></worksheet>");
        for (name, text) in [
            ("xl/workbook.xml", workbook),
            ("xl/_rels/workbook.xml.rels", relations),
            ("xl/s.xml", sheet.as_str()),
            ("xl/other.xml", other),
            ("xl/styles.xml", styles),
            ("xl/sharedStrings.xml", shared),
        ] {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn cells_of_every_type() {
        let styles = "<styleSheet><numFmts><numFmt numFmtId='170' formatCode='yyyy-mm-dd'/><numFmt numFmtId='171' formatCode='0.0 \"days\"'/></numFmts><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/><xf numFmtId='170'/><xf numFmtId='171'/></cellXfs></styleSheet>";
        let shared = "<sst><si><t>one</t></si><si><r><t>t</t></r><r><t>wo</t></r></si></sst>";
        let sheet = "<row r='1'><c r='A1' t='s'><v>0</v></c><c r='C1' t='s'><v>1</v></c></row><row r='3'><c r='A3'><v>1.50</v></c><c r='B3' s='1'><v>46113</v></c><c r='C3' s='2'><v>46113.25</v></c><c r='D3' t='b'><v>1</v></c><c r='E3' t='inlineStr'><is><t> x&amp;y </t></is></c><c r='F3' s='3'><v>2</v></c><c r='G3'><v>1E3</v></c></row><row r='9'><c r='A9'/></row>";
        let rows = read_sheet(book(sheet, styles, shared), "Data$").unwrap();
        assert_eq!(rows[0], (1, vec!["one".to_owned(), String::new(), "two".to_owned()]));
        assert_eq!(rows[1], (2, vec![]));
        assert_eq!(rows[2].1, ["1.5", "2026-04-01", "2026-04-01T06:00:00", "1", " x&y ", "2", "1000"]);
        assert_eq!(rows.len(), 3);
        assert_eq!(column_of("BC12"), Some(54));
        assert_eq!(column_name(54), "BC");
        assert_eq!((column_name(0), column_name(25), column_name(26)), ("A".into(), "Z".into(), "AA".into()));
    }

    #[test]
    fn the_sheet_is_found_by_its_name_with_the_sign() {
        let book = || book("<row><c t='str'><v>data</v></c></row>", "<styleSheet/>", "<sst/>");
        let first = |sheet: &str| read_sheet(book(), sheet).map(|rows| rows[0].1[0].clone());
        assert_eq!(first("Data$").as_deref(), Ok("data"));
        assert_eq!(first("data$").as_deref(), Ok("data"));
        assert_eq!(first("").as_deref(), Ok("first"));
        assert!(first("Data").unwrap_err().contains("DMF040"));
        assert!(first("Missing$").unwrap_err().contains("could not find the object 'Missing$'"));
        assert!(read_sheet(b"CURRENCYCODE".to_vec(), "").is_err());
        assert!(read_sheet(super::super::write::package("p", "", 0, &[]).unwrap(), "").is_err());
    }

    #[test]
    fn a_sheet_as_the_service_writes_it() {
        let rows = [
            vec!["CODE".to_owned(), "NAME".to_owned()],
            vec!["EUR".to_owned(), format!("<&\"{}", "x".repeat(300))],
        ];
        let bytes = write_sheet("A_b", rows.iter().map(Vec::as_slice)).unwrap();
        let mut archive = Archive::open(bytes.clone()).unwrap();
        let text =
            |archive: &mut Archive, name: &str| String::from_utf8(archive.read(name).unwrap()).unwrap();
        assert!(
            text(&mut archive, "xl/workbook.xml")
                .contains("<definedName name=\"A_b\">'A_b'!$A$1:$B$1</definedName>")
        );
        assert!(
            text(&mut archive, "xl/worksheets/sheet1.xml")
                .contains("<c r=\"A1\" t=\"inlineStr\"><is><t xml:space=\"preserve\">CODE</t></is></c>")
        );
        assert!(archive.read("xl/sharedStrings.xml").is_err());
        let back = read_sheet(bytes, "A_b$").unwrap();
        // Pitfall 14: cut at 255 characters.
        assert_eq!(back[1].1[1], format!("<&\"{}", "x".repeat(252)));
    }
}
