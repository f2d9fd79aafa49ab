//! Packages with workbooks, and kinds of mutations of them. A workbook is a zip of a few XML files, written as text.

use crate::kinds::Outcome::{Refused, Taken};
use crate::kinds::{Kind, TRIES, is_key};
use crate::package::{Column, Entity, Package, Schema, ZipForm, edited, zipped};
use crate::random::Random;

/// How the rows become a workbook.
#[derive(Clone)]
pub(crate) struct BookForm {
    /// Name of the sheet with the rows.
    pub(crate) sheet: String,
    /// Further sheets, which stand before it.
    before: Vec<String>,
    /// Texts in a table of their own, as Excel writes them, rather than in the cells.
    shared: bool,
    /// Numbers and dates as Excel has them, rather than as texts.
    typed: bool,
    /// Row of the sheet that the header stands in.
    first_row: usize,
    /// Rows of that index and later stand one row lower.
    gap: Option<usize>,
    /// Empty cells in rows after the last.
    tail: bool,
    /// Names of parts that are left out.
    without: Vec<&'static str>,
    /// Text of the sheet is replaced last.
    edits: Vec<(&'static str, &'static str)>,
    /// The file.
    whole: Option<Vec<u8>>,
    /// Bytes that are missing at the end of the file.
    cut: bool,
}

pub(crate) const KINDS: &[Kind] = &[
    ("a workbook", Taken, |r, s| book(r, s, |_, _, _| {})),
    ("a workbook as Excel writes it", Taken, |r, s| book(r, s, |_, _, b| (b.shared, b.typed) = (true, true))),
    ("a workbook with numbers and dates", Taken, |r, s| book(r, s, |_, _, b| b.typed = true)),
    ("a workbook with other sheets", Taken, |r, s| {
        book(r, s, |r, e, b| {
            b.before = vec!["Notes".into(), "Sheet1".into()];
            b.before.truncate(1 + r.below(2));
            e.set("ExcelSheetName", &format!("{}$", b.sheet));
        })
    }),
    ("a workbook whose sheet differs by case", Taken, |r, s| {
        book(r, s, |_, e, b| e.set("ExcelSheetName", &format!("{}$", b.sheet.to_ascii_uppercase())))
    }),
    ("a workbook whose sheet is not named", Taken, |r, s| {
        book(r, s, |r, e, b| {
            e.set("ExcelSheetName", "");
            b.sheet = r.word(&["Sheet1", "Tabelle 1", "Ä & <B>"]).to_owned();
        })
    }),
    ("a workbook with empty rows at the end", Taken, |r, s| book(r, s, |_, _, b| b.tail = true)),
    ("a workbook with columns in another order", Taken, |r, s| {
        book(r, s, |_, e, _| {
            e.columns.reverse();
            e.rows.iter_mut().for_each(|row| row.reverse());
        })
    }),
    ("no workbook", Refused("PKG-EXCEL-UNREADABLE"), |r, s| {
        book(r, s, |r, _, b| {
            let old_excel = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0\0\0\0\0".to_vec();
            let some = [b"CURRENCYCODE,NAME\r\nEUR,Euro\r\n".to_vec(), vec![], old_excel];
            b.whole = Some(r.pick(&some).clone());
        })
    }),
    ("a workbook that is cut off", Refused("PKG-EXCEL-UNREADABLE"), |r, s| {
        book(r, s, |_, _, b| b.cut = true)
    }),
    ("a workbook without one of its parts", Refused("PKG-EXCEL-UNREADABLE"), |r, s| {
        book(r, s, |r, _, b| {
            b.without.push(r.word(&[
                "xl/workbook.xml",
                "xl/_rels/workbook.xml.rels",
                "xl/worksheets/sheet1.xml",
            ]))
        })
    }),
    ("a sheet that is not well-formed", Refused("PKG-EXCEL-UNREADABLE"), |r, s| {
        book(r, s, |r, _, b| {
            b.edits.push(*r.pick(&[("</row>", ""), ("<sheetData>", "<sheetData><a>"), ("</c>", "</d>")]))
        })
    }),
    ("a cell with an error", Refused("PKG-EXCEL-UNREADABLE"), |r, s| {
        book(r, s, |r, _, b| {
            let error = *r.pick(&["<c t=\"e\"><v>#N/A</v></c></row>", "<c t=\"s\"><v>9999</v></c></row>"]);
            b.edits.push(("</row>", error));
        })
    }),
    ("another sheet than the named one", Refused("PKG-EXCEL-SHEET"), |r, s| {
        book(r, s, |r, e, b| {
            if r.chance(50) {
                b.before.push("Notes".into());
            }
            e.set("ExcelSheetName", r.word(&["Elsewhere$", "Sheet$", "Sheet1 $"]));
            b.sheet = "Sheet1".into();
        })
    }),
    ("a sheet without the dollar sign", Refused("PKG-EXCEL-SHEET"), |r, s| {
        book(r, s, |r, e, b| {
            if r.chance(50) {
                b.before.push("Notes".into());
            }
            e.set("ExcelSheetName", &b.sheet);
        })
    }),
    ("a workbook of too many columns", Refused("PKG-EXCEL-COLUMNS"), |r, s| {
        book(r, s, |r, e, _| {
            let wanted = 256 + r.below(10);
            for number in e.columns.len()..wanted {
                let name = format!("FURTHER{number}");
                e.maps.push((name.clone(), name.clone()));
                e.columns.push(Column { name, edm: "Edm.String".into(), members: vec![], max_length: None });
                e.rows.iter_mut().for_each(|row| row.push("1".into()));
            }
        })
    }),
    ("a workbook without data", Refused("PKG-NO-ROW"), |r, s| book(r, s, |_, e, _| e.rows.clear())),
    ("an empty sheet", Refused("PKG-CSV-NO-HEADER"), |r, s| {
        book(r, s, |_, e, b| {
            e.rows.clear();
            b.edits.push(("<row r=\"1\">", "</sheetData><!-- <row> "));
            b.edits.push(("</sheetData></worksheet>", "--></worksheet>"));
        })
    }),
    ("a header that is not in the first row", Refused("PKG-CSV-NO-HEADER"), |r, s| {
        book(r, s, |r, _, b| b.first_row = 2 + r.below(3))
    }),
    ("an empty row in a workbook", Refused("PKG-KEY-EMPTY"), |r, s| {
        book_if(
            r,
            s,
            |e| {
                let mut keys = e.columns.iter().enumerate().filter(|(at, _)| is_key(e, *at));
                keys.all(|(_, column)| column.edm == "Edm.String")
            },
            |r, e, b| b.gap = Some(r.below(e.rows.len())),
        )
    }),
    ("a row of a workbook twice", Refused("PKG-KEY-DUPLICATE"), |r, s| {
        book(r, s, |r, e, b| {
            b.typed = r.chance(50);
            let again = r.pick(&e.rows).clone();
            e.rows.push(again);
        })
    }),
    ("a column of a workbook without name", Refused("PKG-COLUMN-UNNAMED"), |r, s| {
        book(r, s, |r, e, _| {
            // A name and a value behind it, for empty cells at the end are none.
            let (first, key) = (e.columns[0].clone(), e.rows[0][0].clone());
            e.columns.push(first);
            e.rows.iter_mut().for_each(|row| row.push(key.clone() + "x"));
            let at = r.below(e.columns.len() - 1);
            e.columns[at].name.clear();
        })
    }),
    ("a column of a workbook twice", Refused("PKG-COLUMN-TWICE"), |r, s| {
        book(r, s, |_, e, _| {
            let again = e.columns[0].clone();
            e.columns.push(again);
            e.rows.iter_mut().for_each(|row| row.push(row[0].clone()));
        })
    }),
    ("a mapped column that a workbook lacks", Refused("PKG-COLUMN-MISSING"), |r, s| {
        book(r, s, |_, e, _| e.maps.push(("ELSEWHERE".into(), "ELSEWHERE".into())))
    }),
    ("a column of a workbook without map", Refused("PKG-COLUMN-UNMAPPED"), |r, s| {
        book_if(r, s, |e| e.columns.len() > 1, |r, e, _| drop(e.maps.remove(r.below(e.maps.len()))))
    }),
    ("a bad value in a workbook", Refused("PKG-VALUE-TYPE"), |r, s| {
        let number =
            |column: &Column| matches!(column.edm.as_str(), "Edm.Int32" | "Edm.Int64" | "Edm.Decimal");
        for _ in 0..TRIES {
            let mut package = book(r, s, |_, _, _| {});
            let entity = package.entities.iter_mut().find(|entity| entity.form.book.is_some()).unwrap();
            if let Some(at) = entity.columns.iter().position(number) {
                let row = r.below(entity.rows.len());
                entity.rows[row][at] = r.word(&["one", "1,5", "1.2.3", "0x10"]).to_owned();
                return package;
            }
        }
        panic!("{TRIES} packages, and none that fits")
    }),
];

fn book(r: &mut Random, s: &Schema, change: fn(&mut Random, &mut Entity, &mut BookForm)) -> Package {
    book_if(r, s, |_| true, change)
}

/// One of the entities becomes a workbook, and is changed.
fn book_if(
    random: &mut Random,
    schema: &Schema,
    fits: fn(&Entity) -> bool,
    change: fn(&mut Random, &mut Entity, &mut BookForm),
) -> Package {
    for _ in 0..TRIES {
        let mut package = Package::good(random, schema);
        let at = random.below(package.entities.len());
        let entity = &mut package.entities[at];
        if entity.rows.is_empty() || !fits(entity) {
            continue;
        }
        entity.excel();
        let mut form = entity.form.book.clone().unwrap();
        change(random, entity, &mut form);
        entity.form.book = Some(form);
        return package;
    }
    panic!("{TRIES} packages, and none that fits")
}

impl Entity {
    /// The same rows in a workbook.
    pub(crate) fn excel(&mut self) {
        self.set("SourceFormat", "EXCEL");
        self.file = self.file.replace(".csv", ".xlsx");
        let file = self.file.clone();
        self.set("InputFilePath", &file);
        let sheet: String = self.label.replace(' ', "_").chars().take(30).collect();
        let at = self.members.iter().position(|(name, _)| name == "EntityName").unwrap();
        self.members.insert(at + 1, ("ExcelSheetName".into(), format!("{sheet}$")));
        self.form.book = Some(BookForm::new(sheet));
    }
}

impl BookForm {
    fn new(sheet: String) -> Self {
        Self {
            sheet,
            before: vec![],
            shared: false,
            typed: false,
            first_row: 1,
            gap: None,
            tail: false,
            without: vec![],
            edits: vec![],
            whole: None,
            cut: false,
        }
    }

    pub(crate) fn bytes(&self, columns: &[Column], rows: &[Vec<String>]) -> Vec<u8> {
        if let Some(whole) = &self.whole {
            return whole.clone();
        }
        let mut strings = Vec::new();
        let sheet = self.sheet_text(columns, rows, &mut strings);
        let edits: Vec<(String, String)> =
            self.edits.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        let mut parts = self.frame();
        parts.push(("xl/worksheets/sheet1.xml".to_owned(), edited(sheet, &edits)));
        for number in 0..self.before.len() {
            let note = "<c r=\"A1\" t=\"inlineStr\"><is><t>note</t></is></c>";
            let text = format!(
                "<worksheet xmlns=\"{MAIN}\"><sheetData><row r=\"1\">{note}</row></sheetData></worksheet>"
            );
            parts.push((format!("xl/worksheets/other{number}.xml"), text));
        }
        if self.shared {
            let items: String = strings
                .iter()
                .map(|text| format!("<si><t xml:space=\"preserve\">{}</t></si>", escaped(text)))
                .collect();
            parts.push(("xl/sharedStrings.xml".to_owned(), format!("<sst xmlns=\"{MAIN}\">{items}</sst>")));
        }
        parts.retain(|(name, _)| !self.without.contains(&name.as_str()));
        let parts: Vec<(String, Vec<u8>)> =
            parts.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
        let mut bytes = zipped(&parts, ZipForm::Deflated);
        if self.cut {
            bytes.truncate(bytes.len() * 2 / 3);
        }
        bytes
    }

    fn sheet_text(&self, columns: &[Column], rows: &[Vec<String>], strings: &mut Vec<String>) -> String {
        let header: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let mut text = format!("<worksheet xmlns=\"{MAIN}\"><sheetData>");
        let mut number = self.first_row;
        text += &self.row(number, columns, &header, false, strings);
        for (at, row) in rows.iter().enumerate() {
            number += if self.gap == Some(at) { 2 } else { 1 };
            text += &self.row(number, columns, row, self.typed, strings);
        }
        if self.tail {
            text += &format!("<row r=\"{}\"/><row r=\"{}\"><c r=\"A{1}\"/></row>", number + 1, number + 3);
        }
        text + "</sheetData></worksheet>"
    }

    fn row(
        &self,
        number: usize,
        columns: &[Column],
        cells: &[String],
        typed: bool,
        strings: &mut Vec<String>,
    ) -> String {
        let mut text = format!("<row r=\"{number}\">");
        for (at, (cell, column)) in cells.iter().zip(columns).enumerate() {
            let place = format!("{}{number}", letters(at));
            if cell.is_empty() {
                continue;
            }
            if let Some(days) = DATES.iter().find(|(date, _)| typed && date == cell).map(|(_, days)| days) {
                text += &format!("<c r=\"{place}\" s=\"1\"><v>{days}</v></c>");
            } else if typed && column.edm != "Edm.String" && cell.parse::<f64>().is_ok_and(f64::is_finite) {
                text += &format!("<c r=\"{place}\"><v>{cell}</v></c>");
            } else if self.shared {
                text += &format!("<c r=\"{place}\" t=\"s\"><v>{}</v></c>", strings.len());
                strings.push(cell.clone());
            } else {
                let cell = escaped(cell);
                text += &format!(
                    "<c r=\"{place}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{cell}</t></is></c>"
                );
            }
        }
        text + "</row>"
    }

    /// Everything but rows and texts.
    fn frame(&self) -> Vec<(String, String)> {
        let mut sheets = String::new();
        let mut relations = String::new();
        let mut types = String::new();
        let others = self.before.iter().enumerate().map(|(at, name)| (name, format!("other{at}")));
        for (number, (name, file)) in others.chain([(&self.sheet, "sheet1".to_owned())]).enumerate() {
            let name = escaped(name);
            sheets += &format!("<sheet name=\"{name}\" sheetId=\"{}\" r:id=\"rId{0}\"/>", number + 1);
            relations += &format!(
                "<Relationship Id=\"rId{}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/{file}.xml\"/>",
                number + 1
            );
            types += &format!(
                "<Override PartName=\"/xl/worksheets/{file}.xml\" ContentType=\"{SPREADSHEET}.worksheet+xml\"/>"
            );
        }
        relations += &format!("<Relationship Id=\"rId98\" Type=\"{OFFICE}/styles\" Target=\"styles.xml\"/>");
        if self.shared {
            relations += &format!(
                "<Relationship Id=\"rId99\" Type=\"{OFFICE}/sharedStrings\" Target=\"sharedStrings.xml\"/>"
            );
            types += &format!(
                "<Override PartName=\"/xl/sharedStrings.xml\" ContentType=\"{SPREADSHEET}.sharedStrings+xml\"/>"
            );
        }
        let part = |name: &str, text: String| (name.to_owned(), text);
        vec![
            part(
                "[Content_Types].xml",
                format!(
                    "<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override PartName=\"/xl/workbook.xml\" ContentType=\"{SPREADSHEET}.sheet.main+xml\"/><Override PartName=\"/xl/styles.xml\" ContentType=\"{SPREADSHEET}.styles+xml\"/>{types}</Types>"
                ),
            ),
            part(
                "_rels/.rels",
                format!(
                    "<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
                ),
            ),
            part(
                "xl/workbook.xml",
                format!(
                    "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>{sheets}</sheets></workbook>"
                ),
            ),
            part(
                "xl/_rels/workbook.xml.rels",
                format!("<Relationships xmlns=\"{PACKAGE}/relationships\">{relations}</Relationships>"),
            ),
            part(
                "xl/styles.xml",
                format!(
                    "<styleSheet xmlns=\"{MAIN}\"><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"
                ),
            ),
        ]
    }
}

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const SPREADSHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/// Dates and their numbers in Excel.
const DATES: [(&str, &str); 4] = [
    ("2026-01-31", "46053"),
    ("2024-02-29", "45351"),
    ("2026-12-24 18:00:00", "46380.75"),
    ("2026-01-31T00:00:00Z", "46053"),
];

/// 27 → `AB`.
fn letters(at: usize) -> String {
    let last = char::from(b'A' + (at % 26) as u8).to_string();
    if at < 26 { last } else { letters(at / 26 - 1) + &last }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
