//! Rows of text as a data file of a format, as exports and error files have them.

use super::formats::Format;
use crate::package::workbook::{MAX_COLUMNS, write_sheet};
use crate::package::xml::is_legal;
use crate::package::{csv, sheet_name, text};

/// A data file under way.
pub(crate) struct DataFile {
    format: Format,
    /// Upper-case AOT name.
    record: String,
    sheet: String,
    columns: Vec<String>,
    text: String,
    /// Rows of a workbook; other formats are written at once.
    rows: Vec<Vec<String>>,
}

impl DataFile {
    pub(crate) fn new(format: Format, aot: &str, label: &str, columns: Vec<String>) -> Self {
        let mut file = Self {
            format,
            record: aot.to_uppercase(),
            sheet: sheet_name(label),
            columns,
            text: String::new(),
            rows: Vec::new(),
        };
        match format {
            Format::Csv | Format::CsvUnicode => {
                csv::write_record(&mut file.text, file.columns.iter().map(String::as_str));
            }
            Format::XmlElement | Format::XmlAttribute => file.text.push_str(XML_START),
            Format::Excel => file.rows.push(file.columns.clone()),
        }
        file
    }

    pub(crate) fn push(&mut self, cells: Vec<String>) {
        match self.format {
            Format::Csv | Format::CsvUnicode => {
                csv::write_record(&mut self.text, cells.iter().map(String::as_str));
            }
            Format::XmlElement | Format::XmlAttribute => {
                let style = self.format;
                open_record(&mut self.text, &self.record, style, self.columns.iter().zip(&cells));
                close_record(&mut self.text, &self.record, style, false);
            }
            Format::Excel => self.rows.push(cells),
        }
    }

    /// The bytes of the file; the error is a sentence with its code.
    pub(crate) fn finish(mut self, label: &str) -> Result<Vec<u8>, String> {
        match self.format {
            Format::CsvUnicode => Ok(text::encode_unicode(&self.text)),
            Format::Csv if self.text.is_ascii() => Ok(self.text.into_bytes()),
            Format::Csv => Err(format!(
                "DMF1957: The data of {label} holds characters that the code page of the source data format does not have."
            )),
            Format::XmlElement | Format::XmlAttribute => {
                self.text.push_str(XML_END);
                xml_bytes(&self.text, label)
            }
            Format::Excel if self.columns.len() > MAX_COLUMNS => {
                Err(format!("DMF2009: {label} has more than {MAX_COLUMNS} columns."))
            }
            Format::Excel => write_sheet(&self.sheet, self.rows.iter().map(Vec::as_slice))
                .map_err(|error| format!("The workbook of {label} cannot be written: {error}.")),
        }
    }
}

pub(crate) const XML_START: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Document>";
pub(crate) const XML_END: &str = "</Document>";

/// UTF-8 with byte order mark.
pub(crate) fn xml_bytes(text: &str, label: &str) -> Result<Vec<u8>, String> {
    if let Some(c) = text.chars().find(|c| !is_legal(*c)) {
        return Err(format!(
            "The data of {label} holds the character 0x{:02X}, which XML does not have.",
            u32::from(c)
        ));
    }
    Ok([b"\xEF\xBB\xBF", text.as_bytes()].concat())
}

/// Writes a record up to the place of its nested records.
pub(crate) fn open_record<'a>(
    out: &mut String,
    record: &str,
    format: Format,
    fields: impl Iterator<Item = (&'a String, &'a String)>,
) {
    out.push('<');
    out.push_str(record);
    let attributes = format == Format::XmlAttribute;
    if !attributes {
        out.push('>');
    }
    for (name, value) in fields {
        let value = escaped(value, attributes);
        if attributes {
            out.extend([" ", name, "=\"", &value, "\""]);
        } else if value.is_empty() {
            out.extend(["<", name, " />"]);
        } else {
            out.extend(["<", name, ">", &value, "</", name, ">"]);
        }
    }
}

fn escaped(value: &str, attribute: bool) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // As they are, a reader would make other line ends of them, or blanks.
            '\r' => out.push_str("&#xD;"),
            '\n' if attribute => out.push_str("&#xA;"),
            '\t' if attribute => out.push_str("&#x9;"),
            c => out.push(c),
        }
    }
    out
}

/// Ends a record; `nested`: whether records were written in it.
pub(crate) fn close_record(out: &mut String, record: &str, format: Format, nested: bool) {
    if format == Format::XmlAttribute && !nested {
        out.push_str(" />");
    } else {
        out.extend(["</", record, ">"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(format: Format) -> Result<Vec<u8>, String> {
        let columns = vec!["CODE".to_owned(), "NAME".to_owned()];
        let mut file = DataFile::new(format, "CurrencyEntity", "Currencies", columns);
        file.push(vec!["EUR".to_owned(), "<a>\r\n\"b\"".to_owned()]);
        file.push(vec!["USD".to_owned(), String::new()]);
        file.finish("Currencies")
    }

    #[test]
    fn each_format_has_its_layout() {
        let text = |format| String::from_utf8(file(format).unwrap()).unwrap();
        assert_eq!(text(Format::Csv), "CODE,NAME\r\nEUR,\"<a>\r\n\"\"b\"\"\"\r\nUSD,\r\n");
        assert_eq!(
            text(Format::XmlElement),
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Document><CURRENCYENTITY><CODE>EUR</CODE><NAME>&lt;a&gt;&#xD;\n&quot;b&quot;</NAME></CURRENCYENTITY><CURRENCYENTITY><CODE>USD</CODE><NAME /></CURRENCYENTITY></Document>"
        );
        assert_eq!(
            text(Format::XmlAttribute),
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Document><CURRENCYENTITY CODE=\"EUR\" NAME=\"&lt;a&gt;&#xD;&#xA;&quot;b&quot;\" /><CURRENCYENTITY CODE=\"USD\" NAME=\"\" /></Document>"
        );
        assert_eq!(&file(Format::CsvUnicode).unwrap()[..4], b"\xff\xfeC\0");
        let sheet =
            crate::package::workbook::read_sheet(file(Format::Excel).unwrap(), "Currencies$").unwrap();
        assert_eq!((sheet[1].1[1].as_str(), sheet.len()), ("<a>\r\n\"b\"", 3));
    }

    #[test]
    fn what_a_format_has_not_is_an_error() {
        let one = |format, cell: &str| {
            let mut file = DataFile::new(format, "CurrencyEntity", "Currencies", vec!["CODE".to_owned()]);
            file.push(vec![cell.to_owned()]);
            file.finish("Currencies")
        };
        assert!(one(Format::Csv, "\u{e9}").unwrap_err().starts_with("DMF1957"));
        assert!(one(Format::XmlElement, "\u{1}").unwrap_err().contains("0x01"));
        let wide: Vec<String> = (0..256).map(|at| format!("C{at}")).collect();
        let wide = DataFile::new(Format::Excel, "CurrencyEntity", "Currencies", wide).finish("Currencies");
        assert!(wide.unwrap_err().starts_with("DMF2009"));
    }
}
