//! Data files as columns and rows of text, whatever their format.

use super::formats::{Format, unknown_format};
use crate::catalog::Entity;
use crate::package::csv::Reader;
use crate::package::workbook::{MAX_COLUMNS, read_sheet};
use crate::package::xml::{Element, each_child};
use crate::package::{ManifestEntity, text};

/// An opened data file.
pub(crate) struct Source {
    pub(crate) columns: Vec<String>,
    content: Content,
}

enum Content {
    Csv(String),
    Xml { text: String, record: String, style: Style },
    Sheet(Vec<(usize, Vec<String>)>),
}

/// Where an XML file has its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Element,
    Attribute,
}

/// Takes a row: its line in the file and a cell for each column.
type Visit<'a> = &'a mut dyn FnMut(usize, Vec<String>) -> Result<(), String>;

impl Source {
    /// Decodes the file of `line` and finds its columns.
    pub(crate) fn open(line: &ManifestEntity, data: &[u8], entity: &Entity) -> Result<Self, String> {
        match Format::parse(&line.format) {
            Some(Format::CsvUnicode) => {
                csv(text::decode_unicode(data).ok_or("Selected file is not Unicode")?)
            }
            Some(Format::Csv) => csv(text::decode_ansi(data)),
            Some(Format::XmlElement) => xml(data, entity, Style::Element),
            Some(Format::XmlAttribute) => xml(data, entity, Style::Attribute),
            Some(Format::Excel) => sheet(read_sheet(data.to_vec(), &line.sheet)?),
            None => Err(unknown_format(&line.format)),
        }
    }

    /// What the service says where a mapped column is not in the file.
    pub(crate) fn missing(&self, column: &str, file: &str) -> String {
        match self.content {
            Content::Xml { .. } => format!(
                "HRESULT 0xC0010009: DMF1830: The mapped field {column} does not exist in the file {file}."
            ),
            _ => format!("DMF2022: The mapped field {column} does not exist in the file {file}."),
        }
    }

    /// Hands over each row; returns how many rows the file has, those included that are not recognised as rows.
    pub(crate) fn each(&self, visit: Visit<'_>) -> Result<usize, String> {
        match &self.content {
            Content::Csv(text) => each_record(text, self.columns.len(), visit),
            Content::Xml { text, record, style } => {
                let mut total = 0;
                each_child(text, &mut |_, element| {
                    total += 1;
                    if !is_record(&element, record) {
                        return Ok(());
                    }
                    let mut cells = vec![String::new(); self.columns.len()];
                    let line = element.line;
                    for (name, value) in fields(element, *style)? {
                        let place = self.columns.iter().position(|column| *column == name);
                        if let Some(cell) = place.and_then(|at| cells.get_mut(at)) {
                            *cell = value;
                        }
                    }
                    visit(line, cells)
                })?;
                Ok(total)
            }
            Content::Sheet(rows) => {
                for (number, cells) in rows {
                    let mut cells = cells.clone();
                    if cells.len() > self.columns.len() {
                        return Err(format!(
                            "DMF1999: Row {number} has {} columns, the header row has {}.",
                            cells.len(),
                            self.columns.len()
                        ));
                    }
                    cells.resize(self.columns.len(), String::new());
                    visit(*number, cells)?;
                }
                Ok(rows.len())
            }
        }
    }
}

/// How many rows a file seems to have, whatever the manifest says: by its extension.
pub(crate) fn rows_in(name: &str, data: &[u8]) -> usize {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("xml") => {
            let mut rows = 0;
            let count = &mut |_: &Element, _| {
                rows += 1;
                Ok(())
            };
            let read = decode(data).and_then(|text| each_child(&text, count));
            read.map(|_| rows).unwrap_or_default()
        }
        Some("xlsx") => read_sheet(data.to_vec(), "").map(|rows| rows.len().saturating_sub(1)).unwrap_or(0),
        _ => {
            let text = match data {
                [0xFF, 0xFE, ..] => text::decode_unicode(data).unwrap_or_default(),
                _ => text::decode_ansi(data),
            };
            text.lines().filter(|line| !line.is_empty()).count().saturating_sub(1)
        }
    }
}

fn csv(text: String) -> Result<Source, String> {
    let header = Reader::new(&text).next().transpose().map_err(|error| format!("DMF1999: {error}."))?;
    let columns = match header {
        Some(header) if !header.blank => header.fields,
        Some(_) => return Err("FF004: The file has a blank line before the header row.".to_owned()),
        None => return Err("DMF2050: The file has no header row.".to_owned()),
    };
    Ok(Source { columns, content: Content::Csv(text) })
}

fn each_record(text: &str, columns: usize, visit: Visit<'_>) -> Result<usize, String> {
    let mut total = 0;
    let mut blank = None;
    for record in Reader::new(text).skip(1) {
        let record = record.map_err(|error| format!("DMF1999: {error}."))?;
        if record.blank {
            blank.get_or_insert(record.line);
            continue;
        }
        if let Some(at) = blank {
            return Err(format!("FF004 DMF2050: The file has a blank line between rows (line {at})."));
        }
        if record.bare_line_feed {
            return Err(format!(
                "DMF1999: Line {} ends with a line feed alone. Check the row delimiter.",
                record.line
            ));
        }
        if record.fields.iter().any(|field| field.contains('\0')) {
            return Err(format!("DMF1999: Line {} has a NUL character.", record.line));
        }
        if record.fields.len() != columns {
            return Err(format!(
                "DMF1999: Line {} has {} columns, the header row has {columns}. Check delimiter and text qualifier.",
                record.line,
                record.fields.len()
            ));
        }
        total += 1;
        visit(record.line, record.fields)?;
    }
    Ok(total)
}

fn xml(data: &[u8], entity: &Entity, style: Style) -> Result<Source, String> {
    let text = decode(data)?;
    let record = entity.aot.to_uppercase();
    let mut columns: Vec<String> = Vec::new();
    let mut found = 0;
    let mut foreign = None;
    let root = each_child(&text, &mut |_, element| {
        if !is_record(&element, &record) {
            foreign.get_or_insert(element.name);
            return Ok(());
        }
        found += 1;
        for (name, _) in fields(element, style)? {
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
        Ok(())
    })
    .map_err(|error| not_xml(&error))?;
    check_root(&root)?;
    match foreign {
        Some(name) if found == 0 => {
            Err(format!("DMF1830: The file has the element {name} where {record} is expected."))
        }
        None if found == 0 => Err(NO_ROWS.to_owned()),
        _ => Ok(Source { columns, content: Content::Xml { text, record, style } }),
    }
}

/// What the service says of a file without rows.
pub(crate) const NO_ROWS: &str = "DMF2053: The file has no data rows.";

/// Text of an XML data file.
pub(crate) fn decode(data: &[u8]) -> Result<String, String> {
    text::decode_xml_data(data).ok_or_else(|| not_xml("There is an invalid byte for the encoding."))
}

/// What is said of a file that is no XML, or a kind that is refused.
pub(crate) fn not_xml(reason: &str) -> String {
    // Errors of the mapping come through the same parser and have their own code.
    if reason.starts_with("DMF") {
        reason.to_owned()
    } else {
        format!("The XML file cannot be read: {reason}")
    }
}

/// The root must be `Document`, in no namespace.
pub(crate) fn check_root(root: &Element) -> Result<(), String> {
    if root.plain && root.name == "Document" {
        Ok(())
    } else {
        Err(format!("DMF1830: The root element of the file is {} where Document is expected.", root.name))
    }
}

fn is_record(element: &Element, record: &str) -> bool {
    element.plain && element.name == record
}

/// The values of a record by name. Namespaces, and the other style's places, are not looked at.
fn fields(element: Element, style: Style) -> Result<Vec<(String, String)>, String> {
    let line = element.line;
    let nested = |child: &Element| {
        format!("DMF1830: The element {} in line {} is nested too deeply.", child.name, child.line)
    };
    match style {
        Style::Attribute => match element.children.first() {
            Some(child) => Err(nested(child)),
            None => Ok(attributes(element)),
        },
        Style::Element => {
            let mut out: Vec<(String, String)> = Vec::new();
            for child in element.children.into_iter().filter(|child| child.plain) {
                if let Some(inner) = child.children.first() {
                    return Err(nested(inner));
                }
                add_field(&mut out, child, line)?;
            }
            Ok(out)
        }
    }
}

/// Attributes as fields; those with a prefix are none.
pub(crate) fn attributes(element: Element) -> Vec<(String, String)> {
    element.attributes.into_iter().filter(|(name, _)| !name.contains(':')).collect()
}

/// A child element as a field, which a record has once.
pub(crate) fn add_field(out: &mut Vec<(String, String)>, child: Element, line: usize) -> Result<(), String> {
    if out.iter().any(|(name, _)| *name == child.name) {
        return Err(format!(
            "DMF1966: The record in line {line} has the field {} more than once.",
            child.name
        ));
    }
    out.push((child.name, child.text));
    Ok(())
}

fn sheet(mut rows: Vec<(usize, Vec<String>)>) -> Result<Source, String> {
    if rows.is_empty() {
        return Err("DMF2050: The file has no header row.".to_owned());
    }
    let (_, columns) = rows.remove(0);
    if columns.iter().all(String::is_empty) {
        return Err("FF004: The file has a blank line before the header row.".to_owned());
    }
    if columns.len() > MAX_COLUMNS {
        return Err(format!("DMF2009: The file has more than {MAX_COLUMNS} columns."));
    }
    Ok(Source { columns, content: Content::Sheet(rows) })
}
