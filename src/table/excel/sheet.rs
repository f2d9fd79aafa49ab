//! The rows of one sheet.

use quick_xml::events::BytesStart;

use crate::error::{Error, ErrorCode, Result};

use super::super::cell::{self, Stored};
use super::names::{column_name, parse_cell};
use super::parts::{NumberFormat, OpenElements, SharedStrings, XmlEvent, attribute, damaged, each_event};
use super::{MAX_ROW_BYTES, MAX_ROWS, SHEET_COLUMNS};

/// Reads a sheet forwards, row by row.
pub(super) struct Sheet {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) part: String,
    pub(super) shared: SharedStrings,
    pub(super) formats: Vec<NumberFormat>,
    pub(super) from_1904: bool,
    /// How much of `text` is read.
    pub(super) at: usize,
    /// The elements that are open there.
    pub(super) open: OpenElements,
    /// The last row read.
    pub(super) row: u64,
}

/// A row that has any text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SheetRow {
    /// 1-based.
    pub(super) number: u64,
    /// Text of each column that has one.
    pub(super) cells: Vec<(usize, String)>,
}

impl Sheet {
    /// The next row with any text in it; none after the last.
    pub(super) fn next(&mut self) -> Result<Option<SheetRow>> {
        let Self { text, part, shared, formats, from_1904, at, row, open, .. } = self;
        let mut found = SheetRow::default();
        let mut in_row = false;
        let mut bytes = 0;
        let mut cell: Option<Cell> = None;
        let rest = text.get(*at..).unwrap_or_default();
        let used = each_event(rest, part, open, &mut |event| {
            match event {
                XmlEvent::Open(tag) => match (tag.local_name().as_ref(), &mut cell) {
                    ("row", None) if in_row => return Err(damaged(part, "it has a row in a row")),
                    ("row", None) => {
                        in_row = true;
                        let number =
                            attribute(tag, "r", part)?.and_then(|r| r.parse().ok()).unwrap_or(*row + 1);
                        check_row(number, *row)?;
                        *row = number;
                        found.number = number;
                        found.cells.clear();
                        bytes = 0;
                    }
                    ("c", None) if in_row => {
                        let after = found.cells.last().map_or(0, |(column, _)| column + 1);
                        cell = Some(Cell::open(tag, part, *row, after)?);
                    }
                    ("v" | "t", Some(cell)) => cell.in_value = true,
                    ("rPh", Some(cell)) => cell.phonetic = true,
                    _ => {}
                },
                XmlEvent::Text(text) => {
                    if let Some(cell) = cell.as_mut().filter(|cell| cell.in_value && !cell.phonetic) {
                        cell.value.push_str(text);
                    }
                }
                XmlEvent::Close("v" | "t") => {
                    if let Some(cell) = &mut cell {
                        cell.in_value = false;
                    }
                }
                XmlEvent::Close("rPh") => {
                    if let Some(cell) = &mut cell {
                        cell.phonetic = false;
                    }
                }
                XmlEvent::Close("c") => {
                    if let Some(cell) = cell.take() {
                        let column = cell.column;
                        if found.cells.last().is_some_and(|(last, _)| *last >= column) {
                            return Err(invalid(
                                *row,
                                column,
                                "the cell comes after one that is right of it",
                            ));
                        }
                        let text = cell.text(shared, formats, *from_1904)?;
                        // Many cells can refer to one long text.
                        bytes += text.len();
                        if bytes > MAX_ROW_BYTES {
                            return Err(invalid(
                                *row,
                                column,
                                &format!("the row is larger than {MAX_ROW_BYTES} bytes"),
                            ));
                        }
                        // Empty cells are kept until the end of the row: they tell where a cell without place stands.
                        found.cells.push((column, text));
                    }
                }
                XmlEvent::Close("row") => {
                    in_row = false;
                    found.cells.retain(|(_, text)| !text.is_empty());
                    return Ok(found.cells.is_empty());
                }
                XmlEvent::Close(_) => {}
            }
            Ok(true)
        })?;
        *at += used;
        if in_row {
            return Err(damaged(part, "it ends within a row"));
        }
        Ok((!found.cells.is_empty()).then_some(found))
    }
}

struct Cell {
    row: u64,
    column: usize,
    kind: String,
    style: usize,
    value: String,
    in_value: bool,
    phonetic: bool,
}

impl Cell {
    fn open(tag: &BytesStart<'_>, part: &str, row: u64, after: usize) -> Result<Self> {
        let place = attribute(tag, "r", part)?;
        let column = match &place {
            None => after,
            Some(reference) => match parse_cell(reference) {
                Some((column, of_row)) if of_row == row => column,
                _ => {
                    let shown: String = reference.chars().take(20).collect();
                    return Err(Error::new(
                        ErrorCode::DataInvalid,
                        format!("row {row} has a cell with the place {shown:?}"),
                    )
                    .at_line(row)
                    .hint("Open the workbook in Excel and save it again."));
                }
            },
        };
        if column >= SHEET_COLUMNS {
            return Err(invalid(row, column, &format!("a sheet has {SHEET_COLUMNS} columns at most")));
        }
        Ok(Self {
            row,
            column,
            kind: attribute(tag, "t", part)?.unwrap_or_default(),
            style: attribute(tag, "s", part)?.and_then(|s| s.parse().ok()).unwrap_or(0),
            value: String::new(),
            in_value: false,
            phonetic: false,
        })
    }

    fn text(self, shared: &SharedStrings, formats: &[NumberFormat], from_1904: bool) -> Result<String> {
        let refuse = |message: &str| invalid(self.row, self.column, message);
        let stored = |stored: Stored<'_>| {
            cell::stored(stored).map_err(|fault| refuse(&fault.message).hint(fault.hint))
        };
        let value = self.value.trim();
        match &*self.kind {
            "s" => {
                if value.is_empty() {
                    return Ok(String::new());
                }
                let text = value.parse().ok().and_then(|index| shared.get(index));
                text.map(unescape).ok_or_else(|| refuse("the cell refers to a shared text that is not there"))
            }
            "inlineStr" | "str" => Ok(unescape(&self.value)),
            "d" => Ok(value.to_owned()),
            _ if value.is_empty() => Ok(String::new()),
            "b" => match value {
                "1" | "true" => stored(Stored::Boolean(true)),
                "0" | "false" => stored(Stored::Boolean(false)),
                _ => Err(refuse("the cell is neither true nor false")),
            },
            "e" => {
                let shown: String = value.chars().take(20).collect();
                Err(refuse(&format!("the cell has the error {shown}"))
                    .hint("Correct the formula of the cell, or replace it by a value."))
            }
            "" | "n" if formats.get(self.style) == Some(&NumberFormat::Date) => {
                stored(Stored::Days { number: value, from_1904 })
            }
            "" | "n" => stored(Stored::Number(value)),
            _ => Err(refuse("the cell is of an unknown kind")),
        }
    }
}

fn check_row(number: u64, last: u64) -> Result<()> {
    let message = if number <= last {
        format!("row {number} comes after row {last}")
    } else if number > MAX_ROWS {
        format!("there is a row {number}, but a sheet has {MAX_ROWS} at most")
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorCode::DataInvalid, message)
        .at_line(number)
        .hint("Open the workbook in Excel and save it again."))
}

/// Excel writes characters that XML lacks or changes as `_x000D_`, and `_x005F_` before a text that only looks so.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("_x") {
        out.push_str(before);
        let escaped = after.get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let c = escaped.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        match (c, after.get(4..).and_then(|after| after.strip_prefix('_'))) {
            (Some(c), Some(after)) => {
                out.push(c);
                rest = after;
            }
            _ => {
                out.push_str("_x");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn invalid(row: u64, column: usize, message: &str) -> Error {
    let column = column_name(column);
    Error::new(ErrorCode::DataInvalid, format!("cell {column}{row}: {message}"))
        .at_line(row)
        .at_column(column)
        .hint("Correct the cell in Excel.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(data: &str) -> Result<Vec<SheetRow>> {
        use NumberFormat::{Date, Plain};
        let mut sheet = Sheet {
            name: String::new(),
            text: format!("<worksheet><dimension ref='A1:B2'/><sheetData>{data}</sheetData></worksheet>"),
            part: "sheet".into(),
            shared: SharedStrings::read("<sst><si><t>zero</t></si><si><t>one</t></si></sst>", "s").unwrap(),
            formats: vec![Plain, Date],
            from_1904: false,
            at: 0,
            row: 0,
            open: OpenElements::default(),
        };
        std::iter::from_fn(|| sheet.next().transpose()).collect()
    }

    fn cells(data: &str) -> Vec<(usize, String)> {
        rows(&format!("<row r='1'>{data}</row>")).unwrap().remove(0).cells
    }

    fn one(data: &str) -> String {
        cells(data).remove(0).1
    }

    #[test]
    fn cells_of_every_kind() {
        assert_eq!(one("<c t='inlineStr'><is><t> a&amp;b </t></is></c>"), " a&b ");
        assert_eq!(
            one("<c t='inlineStr'><is><r><t>a</t></r><r><t>b</t></r><rPh><t>c</t></rPh></is></c>"),
            "ab"
        );
        assert_eq!(one("<c t='s'><v>1</v></c>"), "one");
        assert_eq!(one("<c t='str'><f>A1&amp;B1</f><v>result</v></c>"), "result");
        assert_eq!(one("<c><v>12.50</v></c>"), "12.5");
        assert_eq!(one("<c t='n' s='0'><f>1+1</f><v>2</v></c>"), "2");
        assert_eq!(one("<c s='1'><v>46053</v></c>"), "2026-01-31");
        assert_eq!(one("<c t='b'><v>1</v></c>"), "Yes");
        assert_eq!(one("<c t='b'><v>0</v></c>"), "No");
        assert_eq!(one("<c t='d'><v>2026-01-31</v></c>"), "2026-01-31");
        assert_eq!(
            one("<c t='str'><v>a_x000D__x005F_x000A_ _x12 _xZZZZ_</v></c>"),
            "a\r_x000A_ _x12 _xZZZZ_"
        );
    }

    #[test]
    fn empty_cells_and_rows_are_left_out_but_keep_their_place() {
        let found = rows(
            "<row/><row r='4'><c/><c t='s'/><c><v>3</v></c><c r='F4'><v>6</v></c></row><row r='5'><c r='A5'/></row>",
        );
        assert_eq!(found.unwrap(), [SheetRow { number: 4, cells: vec![(2, "3".into()), (5, "6".into())] }]);
        assert_eq!(rows("").unwrap(), []);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_cell() {
        for (data, place) in [
            ("<c><v>x</v></c>", "cell A1: "),
            ("<c/><c t='e'><v>#N/A</v></c>", "cell B1: the cell has the error #N/A"),
            ("<c t='s'><v>2</v></c>", "cell A1: "),
            ("<c t='s'><v>-1</v></c>", "cell A1: "),
            ("<c t='b'><v>2</v></c>", "cell A1: "),
            ("<c t='z'><v>2</v></c>", "cell A1: "),
            ("<c s='1'><v>-1</v></c>", "cell A1: "),
            ("<c r='C1'/><c r='B1'/>", "cell B1: "),
            ("<c r='B2'/>", "row 1 has a cell"),
            ("<c r='XFE1'/>", "cell XFE1: "),
            ("<c><v>&x;</v></c>", "the part sheet"),
            ("<c><v", "the part sheet"),
        ] {
            let error = rows(&format!("<row r='1'>{data}</row>")).unwrap_err();
            assert!(error.message.starts_with(place), "{data}: {}", error.message);
            assert!(error.hint.is_some());
        }
        assert!(rows("<row r='2'/><row r='2'/>").is_err());
        assert!(rows("<row r='1048577'/>").is_err());
        assert!(rows("<row r='1048576'/><row/>").is_err());
    }
}
