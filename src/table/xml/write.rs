//! Records → XML.

use std::collections::HashSet;

use crate::error::{Error, Result};

use super::super::cell::{self, CellKind};
use super::super::cells::Cells;
use super::super::csv_write::Column;
use super::super::markup;
use super::{MAX_MEMBERS, ROOT, XmlStyle};

/// Bytes of text gathered before they are handed on.
const PIECE: usize = 64 << 10;

/// A kind of record in a file that is being written.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// Name of the record's element: by default the upper-case AOT name of the entity.
    pub(crate) element: String,
    pub(crate) columns: Vec<Column>,
    /// Index of the member in whose records these stand; none for the first, and for it alone.
    pub(crate) parent: Option<usize>,
}

/// Writes the records of one file: UTF-8 with declaration, one record a line, every column in every record.
pub(crate) struct XmlFileWriter {
    style: XmlStyle,
    members: Vec<State>,
    /// Members of the records that are open, from the outermost.
    open: Vec<usize>,
    rows: u64,
    text: String,
    scratch: String,
}

struct State {
    member: Member,
    children: Vec<usize>,
    /// The file has an element of it.
    occurred: bool,
}

impl XmlFileWriter {
    /// A flat file. `record` is the name of the records' element.
    pub(crate) fn new(style: XmlStyle, record: impl Into<String>, columns: Vec<Column>) -> Result<Self> {
        Self::composite(style, vec![Member { element: record.into(), columns, parent: None }])
    }

    /// The file of a composite entity: at least one member, the outermost first, each after the one that contains it.
    pub(crate) fn composite(style: XmlStyle, members: Vec<Member>) -> Result<Self> {
        if members.len() > MAX_MEMBERS {
            return Err(Error::argument(format!(
                "{} members are too many, the limit is {MAX_MEMBERS}",
                members.len()
            )));
        }
        let mut states: Vec<State> = Vec::with_capacity(members.len());
        for (index, member) in members.into_iter().enumerate() {
            check_member(&member)?;
            match member.parent {
                None if index == 0 => {}
                Some(parent) if parent < index => {
                    let above = states.get_mut(parent).map(|state| {
                        state.children.push(index);
                        &state.member
                    });
                    check_nesting(style, &member, above)?;
                }
                _ => {
                    return Err(Error::argument(format!(
                        "the member <{}> is not within a member before it",
                        member.element
                    ))
                    .hint("The first member of a composite is the outermost, every other names one before it as parent."));
                }
            }
            states.push(State { member, children: Vec::new(), occurred: false });
        }
        check_siblings(&states)?;
        if states.is_empty() {
            return Err(Error::argument("the file has no member"));
        }
        let text = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<{ROOT}>\n");
        Ok(Self { style, members: states, open: Vec::new(), rows: 0, text, scratch: String::new() })
    }

    /// Records written so far, of all members.
    pub(crate) fn rows_written(&self) -> u64 {
        self.rows
    }

    /// Writes whole records of a flat file; `emit` gets the bytes in pieces. An error names the 1-based row and the column.
    pub(crate) fn write(
        &mut self,
        text: &str,
        ends: &[u32],
        kinds: &[u8],
        emit: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let [only] = &*self.members else {
            return Err(Error::argument("the records of a composite need their members"));
        };
        let width = only.member.columns.len();
        if width == 0 || !ends.len().is_multiple_of(width) {
            return Err(no_whole_rows(ends, kinds));
        }
        let members = vec![0; ends.len() / width];
        self.write_records(text, ends, kinds, &members, emit)
    }

    /// Writes records, each before those in it: `members` has the member of each record, and a record has a cell for each
    /// column of its member. An error names the 1-based record and the column.
    pub(crate) fn write_records(
        &mut self,
        text: &str,
        ends: &[u32],
        kinds: &[u8],
        members: &[u8],
        emit: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut cells = Cells::new(text, ends);
        let mut left = kinds;
        if ends.len() != kinds.len() {
            return Err(no_whole_rows(ends, kinds));
        }
        for &index in members {
            self.rows += 1;
            let index = usize::from(index);
            let Some(state) = self.members.get(index) else {
                return Err(Error::argument(format!("row {}: there is no member {index}", self.rows))
                    .at_line(self.rows));
            };
            let Some((kinds, rest)) = left.split_at_checked(state.member.columns.len()) else {
                return Err(no_whole_rows(ends, kinds));
            };
            left = rest;
            self.begin_record(index)?;
            self.fields(index, kinds, &mut cells)?;
            if self.text.len() >= PIECE {
                self.flush(emit)?;
            }
        }
        if !left.is_empty() || !cells.at_end() {
            return Err(Error::argument("there are cells or text after the last record's"));
        }
        Ok(())
    }

    /// Hands on what is still held.
    pub(crate) fn flush(&mut self, emit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        emit(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }

    /// Ends the file. A member of which there was no record gets an empty element: the service refuses the file of a
    /// composite that lacks one (DMF1830). It stands in the last record of its parent, if that is still open, else in an
    /// empty element of its parent.
    pub(crate) fn finish(&mut self, emit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        while let Some(&index) = self.open.last() {
            self.empty_children(index);
            self.close();
        }
        self.text.push_str("</Document>\n");
        self.flush(emit)
    }

    /// Closes the records that are not around the new one.
    fn begin_record(&mut self, index: usize) -> Result<()> {
        let parent = self.members.get(index).and_then(|state| state.member.parent);
        if let Some(parent) = parent.filter(|parent| !self.open.contains(parent)) {
            let element = |index: usize| self.members.get(index).map_or("", |state| &state.member.element);
            return Err(Error::argument(format!(
                "row {}: a record of <{}> comes before any of <{}>, in which it must stand",
                self.rows,
                element(index),
                element(parent)
            ))
            .at_line(self.rows)
            .hint(
                "Give each record right after the one that contains it, or after others in the same one.",
            ));
        }
        while self.open.last().copied() != parent {
            self.close();
        }
        Ok(())
    }

    /// Writes the start tag and the fields, and the end tag where no record can follow within.
    fn fields(&mut self, index: usize, kinds: &[u8], cells: &mut Cells<'_>) -> Result<()> {
        let Self { style, members, text, scratch, rows, open } = self;
        let Some(state) = members.get_mut(index) else { return Ok(()) };
        state.occurred = true;
        let element = &state.member.element;
        text.extend(["<", element]);
        if *style == XmlStyle::Element {
            text.push('>');
        }
        for (kind, column) in kinds.iter().zip(&state.member.columns) {
            let fault = |message: &str| at_cell(*rows, &column.name, message);
            let Some(Ok(cell)) = cells.next() else {
                return Err(fault("the cell's end does not fit the text"));
            };
            let kind =
                CellKind::from_u8(*kind).ok_or_else(|| fault(&format!("there is no cell kind {kind}")))?;
            let cell = cell::convert(kind, cell, column.target, scratch)
                .map_err(|e| fault(&e.message).hint(e.hint))?;
            if let Some((_, c)) = markup::find_illegal(cell) {
                return Err(fault(&format!("XML can't hold the character {c:?}"))
                    .hint("Remove control characters from the value, or use CSV-Unicode."));
            }
            let header = column.header.as_str();
            match style {
                XmlStyle::Attribute => {
                    text.extend([" ", header, "=\""]);
                    markup::push_attribute(text, cell);
                    text.push('"');
                }
                XmlStyle::Element if cell.is_empty() => text.extend(["<", header, " />"]),
                XmlStyle::Element => {
                    text.extend(["<", header, ">"]);
                    markup::push_text(text, cell);
                    text.extend(["</", header, ">"]);
                }
            }
        }
        match (style, state.children.is_empty()) {
            (XmlStyle::Attribute, true) => text.push_str(" />\n"),
            (XmlStyle::Element, true) => text.extend(["</", element, ">\n"]),
            (style, false) => {
                text.push_str(if *style == XmlStyle::Attribute { ">\n" } else { "\n" });
                open.push(index);
            }
        }
        Ok(())
    }

    fn close(&mut self) {
        if let Some(state) = self.open.pop().and_then(|index| self.members.get(index)) {
            self.text.extend(["</", &state.member.element, ">\n"]);
        }
    }

    /// Writes an empty element for each member below that has none yet.
    fn empty_children(&mut self, index: usize) {
        for child in self.members.get(index).map_or_else(Vec::new, |state| state.children.clone()) {
            if !self.lacks_element(child) {
                continue;
            }
            let Some(state) = self.members.get_mut(child) else { continue };
            state.occurred = true;
            self.text.extend(["<", &state.member.element]);
            let below = state.children.clone();
            if below.into_iter().any(|below| self.lacks_element(below)) {
                self.text.push('>');
                self.open.push(child);
                self.empty_children(child);
                self.close();
            } else {
                self.text.push_str(" />\n");
            }
        }
    }

    /// Whether the member or one below it has no element yet. Members come after their parents, so this ends.
    fn lacks_element(&self, index: usize) -> bool {
        self.members.get(index).is_some_and(|state| {
            !state.occurred || state.children.iter().any(|&child| self.lacks_element(child))
        })
    }
}

fn check_member(member: &Member) -> Result<()> {
    check_name(&member.element, "an element")?;
    if member.columns.is_empty() {
        return Err(Error::argument(format!("<{}> has no columns", member.element)));
    }
    let mut headers = HashSet::new();
    for column in &member.columns {
        check_name(&column.header, "a column").map_err(|error| error.at_column(&column.name))?;
        if !headers.insert(column.header.as_str()) {
            return Err(Error::argument(format!(
                "<{}> has the column \"{}\" twice",
                member.element, column.header
            ))
            .at_column(&column.name));
        }
    }
    Ok(())
}

/// Where fields are elements, one with the name of a record would be taken for the record.
fn check_nesting(style: XmlStyle, member: &Member, above: Option<&Member>) -> Result<()> {
    let columns = above.map_or(&[][..], |above| &above.columns);
    match columns.iter().find(|column| style == XmlStyle::Element && column.header == member.element) {
        Some(column) => Err(Error::argument(format!(
            "<{}> is both a member and a column of the member around it",
            member.element
        ))
        .at_column(&column.name)
        .hint("Use XML-Attribute, where fields and records are told apart.")),
        None => Ok(()),
    }
}

fn check_siblings(members: &[State]) -> Result<()> {
    let mut seen = HashSet::new();
    match members.iter().find(|state| !seen.insert((state.member.parent, &state.member.element))) {
        Some(state) => {
            Err(Error::argument(format!("two members are <{}> within the same one", state.member.element))
                .hint("Every member needs an element of its own."))
        }
        None => Ok(()),
    }
}

fn check_name(name: &str, what: &str) -> Result<()> {
    if markup::is_name(name) {
        return Ok(());
    }
    Err(Error::argument(format!("{name:?} can't be the name of {what} in an XML file")).hint(
        "Names begin with a letter or _, go on with letters, digits, '.', '-' and '_', and do not begin with \"xml\". \
         CSV-Unicode takes any name.",
    ))
}

fn no_whole_rows(ends: &[u32], kinds: &[u8]) -> Error {
    Error::argument(format!("{} cell ends and {} cell kinds are no whole rows", ends.len(), kinds.len()))
}

fn at_cell(row: u64, column: &str, message: &str) -> Error {
    Error::argument(format!("row {row}, column \"{column}\": {message}")).at_line(row).at_column(column)
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
