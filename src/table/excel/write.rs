//! Rows → a workbook.

use crate::error::{Error, Result};

use super::super::cell::{self, CellKind};
use super::super::cells::{Cells, utf16_len};
use super::super::csv_write::Column;
use super::super::markup::{find_illegal, push_text};
use super::container::{ContainerWriter, PartWriter};
use super::names::{column_name, is_range_name, is_sheet_name};
use super::{MAX_CELL_UNITS, MAX_COLUMNS, MAX_ROWS};

/// Bytes of text gathered before they are deflated.
const PIECE: usize = 64 << 10;

/// Writes a workbook of one sheet as the service writes its own: inline strings, field names in the first row, a name for the
/// range of the header.
pub(crate) struct WorkbookWriter {
    columns: Vec<Column>,
    /// Letters of each column.
    letters: Vec<String>,
    part: PartWriter,
    rows: u64,
    text: String,
    scratch: String,
}

impl WorkbookWriter {
    /// `sheet` is the name without `$`.
    pub(crate) fn new(sheet: &str, columns: Vec<Column>) -> Result<Self> {
        if !is_sheet_name(sheet) {
            return Err(Error::argument(format!("{sheet:?} can't be the name of a sheet")).hint(
                "Names of sheets have 1 to 31 characters, none of []:*?/\\ and no apostrophe at either end.",
            ));
        }
        if columns.is_empty() || columns.len() > MAX_COLUMNS {
            return Err(Error::argument(format!(
                "the sheet has {} columns, the service takes 1 to {MAX_COLUMNS} (DMF2009)",
                columns.len()
            ))
            .hint("Leave out columns, or use CSV-Unicode."));
        }
        let letters: Vec<String> = (0..columns.len()).map(column_name).collect();
        let last = letters.last().map_or("A", String::as_str);
        let part = ContainerWriter::new()
            .add("[Content_Types].xml", CONTENT_TYPES)?
            .add("_rels/.rels", ROOT_RELATIONS)?
            .add("xl/workbook.xml", &workbook_part(sheet, last))?
            .add("xl/_rels/workbook.xml.rels", WORKBOOK_RELATIONS)?
            .begin("xl/worksheets/sheet1.xml");
        let mut writer = Self {
            columns,
            letters,
            part,
            rows: 0,
            text: format!("{DECLARATION}<worksheet xmlns=\"{MAIN}\"><sheetData>"),
            scratch: String::new(),
        };
        writer.begin_row();
        for i in 0..writer.columns.len() {
            let name = writer.columns.get(i).map_or_else(String::new, |column| column.header.clone());
            check_text(&name).map_err(|message| Error::argument(format!("column {name:?}: {message}")))?;
            writer.push_cell(i, &name);
        }
        writer.text.push_str("</row>");
        Ok(writer)
    }

    /// Rows written so far, the header not counted.
    pub(crate) fn rows_written(&self) -> u64 {
        self.rows
    }

    /// Writes whole rows. An error names the 1-based row and the column.
    pub(crate) fn write(&mut self, text: &str, ends: &[u32], kinds: &[u8]) -> Result<()> {
        let width = self.columns.len();
        if ends.len() != kinds.len() || !ends.len().is_multiple_of(width) {
            return Err(Error::argument(format!(
                "{} cell ends and {} cell kinds are no whole rows of {width} columns",
                ends.len(),
                kinds.len()
            )));
        }
        let mut cells = Cells::new(text, ends);
        for kinds in kinds.chunks_exact(width) {
            self.rows += 1;
            if self.rows >= MAX_ROWS {
                return Err(Error::argument(format!(
                    "a sheet has {MAX_ROWS} rows at most, the header counted"
                ))
                .at_line(self.rows)
                .hint("Use CSV-Unicode for that many rows."));
            }
            self.begin_row();
            for (i, kind) in kinds.iter().enumerate() {
                self.write_cell(i, *kind, cells.next().and_then(Result::ok))?;
            }
            self.text.push_str("</row>");
            if self.text.len() >= PIECE {
                self.part.write(self.text.as_bytes())?;
                self.text.clear();
            }
        }
        if !cells.at_end() {
            return Err(Error::argument("there is text after the last cell's end"));
        }
        Ok(())
    }

    /// The bytes of the workbook.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>> {
        self.text.push_str("</sheetData></worksheet>");
        self.part.write(self.text.as_bytes())?;
        self.part.finish()?.finish()
    }

    fn write_cell(&mut self, index: usize, kind: u8, cell: Option<&str>) -> Result<()> {
        let Some(column) = self.columns.get(index) else { return Ok(()) };
        let (row, name) = (self.rows, &column.name);
        let fault = |message: &str| {
            Error::argument(format!("row {row}, column \"{name}\": {message}")).at_line(row).at_column(name)
        };
        let cell = cell.ok_or_else(|| fault("the cell's end does not fit the text"))?;
        let kind = CellKind::from_u8(kind).ok_or_else(|| fault(&format!("there is no cell kind {kind}")))?;
        let mut scratch = std::mem::take(&mut self.scratch);
        let text = cell::convert(kind, cell, column.target, &mut scratch)
            .map_err(|e| fault(&e.message).hint(e.hint))?;
        check_text(text).map_err(|message| {
            fault(&message).hint("Shorten the value or remove the character, or use CSV-Unicode.")
        })?;
        self.push_cell(index, text);
        self.scratch = scratch;
        Ok(())
    }

    fn begin_row(&mut self) {
        let number = (self.rows + 1).to_string();
        self.text.extend(["<row r=\"", &number, "\">"]);
    }

    fn push_cell(&mut self, index: usize, text: &str) {
        let Some(letters) = self.letters.get(index).filter(|_| !text.is_empty()) else { return };
        let number = (self.rows + 1).to_string();
        // Without this, white space at the ends is not read.
        let space = if text.trim().len() == text.len() { "" } else { " xml:space=\"preserve\"" };
        self.text.extend(["<c r=\"", letters, &number, "\" t=\"inlineStr\"><is><t", space, ">"]);
        // What only looks like an escaped character would be read as one.
        let mut parts = text.split("_x");
        push_text(&mut self.text, parts.next().unwrap_or_default());
        for part in parts {
            self.text.push_str("_x005F_x");
            push_text(&mut self.text, part);
        }
        self.text.push_str("</t></is></c>");
    }
}

fn check_text(text: &str) -> Result<(), String> {
    if let Some((_, c)) = find_illegal(text) {
        return Err(format!("a workbook can't hold the character {c:?}"));
    }
    let units = utf16_len(text);
    if units > MAX_CELL_UNITS {
        return Err(format!("the value has {units} characters, a cell of a workbook holds {MAX_CELL_UNITS}"));
    }
    Ok(())
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const CONTENT_TYPES: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
    <Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
    <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
    <Override PartName=\"/xl/workbook.xml\" \
    ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/>\
    <Override PartName=\"/xl/worksheets/sheet1.xml\" \
    ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/></Types>";
const ROOT_RELATIONS: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
    <Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
    <Relationship Id=\"rId1\" \
    Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" \
    Target=\"xl/workbook.xml\"/></Relationships>";
const WORKBOOK_RELATIONS: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
    <Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
    <Relationship Id=\"rId1\" \
    Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" \
    Target=\"worksheets/sheet1.xml\"/></Relationships>";

fn workbook_part(sheet: &str, last_column: &str) -> String {
    let mut name = String::new();
    push_text(&mut name, sheet);
    let name = name.replace('"', "&quot;");
    // A range must have a word as name: a sheet with any other name has no such range.
    let range = if is_range_name(sheet) {
        format!(
            "<definedNames><definedName name=\"{name}\">'{name}'!$A$1:${last_column}$1</definedName></definedNames>"
        )
    } else {
        String::new()
    };
    format!(
        "{DECLARATION}<workbook xmlns=\"{MAIN}\" \
         xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">\
         <sheets><sheet name=\"{name}\" sheetId=\"1\" r:id=\"rId1\"/></sheets>{range}</workbook>"
    )
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
