//! The record that is being read, and what is known of the members of the file.

use std::collections::{HashMap, HashSet};

use crate::error::{Error, ErrorCode, Result};

use super::super::csv_read::RowSink;
use super::super::markup;
use super::super::rows::{BatchBuilder, ColumnBuilder};
use super::{MAX_COLUMNS, MAX_MEMBERS, MAX_RECORD_BYTES};

/// Where records go that are read.
pub(crate) trait RecordSink: RowSink {
    /// The row that ends next is of this member of the file; 0 is the outermost, the only one of a flat file.
    fn member(&mut self, _index: u8) {}
}

impl RecordSink for BatchBuilder {
    fn member(&mut self, index: u8) {
        self.set_member(index);
    }
}

impl RecordSink for ColumnBuilder {}

/// A kind of record in a file, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MemberInfo {
    /// Name of the record's element.
    pub(crate) element: String,
    /// Index of the member whose records contain these; none for the outermost.
    pub(crate) parent: Option<usize>,
    /// Names of the fields, in the order of the cells. Empty until a record with fields was read.
    pub(crate) columns: Vec<String>,
    /// Records read so far.
    pub(crate) rows: u64,
}

/// All members that the file had so far.
#[derive(Default)]
pub(super) struct Members {
    /// All fields that the file may have; empty: any.
    mapped: HashSet<String>,
    /// Columns that were not fixed beforehand may grow with every record.
    loose: bool,
    infos: Vec<MemberInfo>,
    index: Vec<Index>,
}

#[derive(Default)]
struct Index {
    of_column: HashMap<String, usize>,
    /// The columns are known: a further one is an error.
    fixed: bool,
}

impl Members {
    pub(super) fn new(mapped: &[String], loose: bool) -> Self {
        Self { mapped: mapped.iter().cloned().collect(), loose, ..Self::default() }
    }

    /// Whether it is known that no field has that name.
    pub(super) fn is_unmapped(&self, name: &str) -> bool {
        !self.mapped.is_empty() && !self.mapped.contains(name)
    }

    pub(super) fn infos(&self) -> &[MemberInfo] {
        &self.infos
    }

    /// The member of that element within records of `parent`.
    pub(super) fn find(&self, element: &str, parent: Option<usize>) -> Option<usize> {
        self.infos.iter().position(|member| member.element == element && member.parent == parent)
    }

    pub(super) fn find_or_add(&mut self, element: &str, parent: Option<usize>) -> Result<usize> {
        if let Some(index) = self.find(element, parent) {
            return Ok(index);
        }
        check_name(element)?;
        if self.infos.len() >= MAX_MEMBERS {
            return Err(invalid(format!(
                "<{element}> is one kind of record too many, the limit is {MAX_MEMBERS}"
            ))
            .hint("Composite entities have a few members only: is the file of another kind?"));
        }
        if let Some(above) = parent.and_then(|parent| self.index.get(parent).map(|index| (parent, index)))
            && above.1.of_column.contains_key(element)
        {
            let parent = self.element(above.0);
            return Err(invalid(format!("<{element}> holds a record, but is a field of other <{parent}>"))
                .at_column(element)
                .hint("An element is either always a field or always a record."));
        }
        self.infos.push(MemberInfo { element: element.to_owned(), parent, columns: Vec::new(), rows: 0 });
        self.index.push(Index::default());
        Ok(self.infos.len() - 1)
    }

    /// Fixes the columns of a member before its first record.
    pub(super) fn fix(&mut self, member: usize, columns: &[String]) {
        if let (Some(info), Some(index)) = (self.infos.get_mut(member), self.index.get_mut(member)) {
            info.columns = columns.to_vec();
            index.of_column = columns.iter().cloned().zip(0..).collect();
            index.fixed = true;
        }
    }

    pub(super) fn element(&self, member: usize) -> &str {
        self.infos.get(member).map_or("", |info| &info.element)
    }

    fn columns(&self, member: usize) -> &[String] {
        self.infos.get(member).map_or(&[], |info| &info.columns)
    }

    /// The cell of that field; `guess` is where it is if the fields come in order.
    fn column(&mut self, member: usize, name: &str, guess: usize) -> Result<usize> {
        let (Some(info), Some(index)) = (self.infos.get_mut(member), self.index.get_mut(member)) else {
            return Err(invalid("the record is of no known kind"));
        };
        if info.columns.get(guess).is_some_and(|column| column == name) {
            return Ok(guess);
        }
        if let Some(&at) = index.of_column.get(name) {
            return Ok(at);
        }
        check_name(name)?;
        if !self.mapped.is_empty() && !self.mapped.contains(name) {
            return Err(invalid(format!("the field \"{name}\" is not among the mapped columns"))
                .at_column(name)
                .hint("Add a map for it to the manifest, or leave it out of the file (DMF2025)."));
        }
        if index.fixed {
            let element = &info.element;
            return Err(invalid(format!(
                "<{element}> has the field \"{name}\", which is not among its columns"
            ))
            .at_column(name)
            .hint(
                "Every record must have the same fields, and each of them a map in the manifest (DMF2025).",
            ));
        }
        if info.columns.len() >= MAX_COLUMNS {
            return Err(invalid(format!("the record has more than {MAX_COLUMNS} fields"))
                .at_column(name)
                .hint("Entities have some hundred fields at most: is the file of another kind?"));
        }
        info.columns.push(name.to_owned());
        index.of_column.insert(name.to_owned(), info.columns.len() - 1);
        Ok(info.columns.len() - 1)
    }
}

/// The cells of the innermost record that is open. The room for them is used again and again.
#[derive(Default)]
pub(super) struct Row {
    cells: Vec<Cell>,
    /// Where the next field is if they come in order.
    next: usize,
    any: bool,
    bytes: usize,
}

#[derive(Default)]
struct Cell {
    text: String,
    filled: bool,
}

impl Row {
    pub(super) fn clear(&mut self) {
        for cell in &mut self.cells {
            cell.text.clear();
            cell.filled = false;
        }
        self.next = 0;
        self.any = false;
        self.bytes = 0;
    }

    /// Whether the record has any field.
    pub(super) fn has_fields(&self) -> bool {
        self.any
    }

    pub(super) fn set(
        &mut self,
        members: &mut Members,
        member: usize,
        name: &str,
        value: &str,
    ) -> Result<()> {
        self.grow(name.len() + value.len())?;
        let at = members.column(member, name, self.next)?;
        if self.cells.len() <= at {
            self.cells.resize_with(at + 1, Cell::default);
        }
        if let Some(cell) = self.cells.get_mut(at) {
            if cell.filled {
                return Err(invalid(format!("the record has the field \"{name}\" twice"))
                    .at_column(name)
                    .hint("Give every field of a record once."));
            }
            cell.text.push_str(value);
            cell.filled = true;
        }
        self.next = at + 1;
        self.any = true;
        Ok(())
    }

    /// Counts what the record takes.
    fn grow(&mut self, bytes: usize) -> Result<()> {
        // One for the cell itself, which takes room even if it is empty.
        self.bytes += bytes + 1;
        if self.bytes > MAX_RECORD_BYTES { Err(too_large()) } else { Ok(()) }
    }

    /// Whether the record would be too large with that value.
    pub(super) fn check_room(&self, value: usize) -> Result<()> {
        if self.bytes + value > MAX_RECORD_BYTES { Err(too_large()) } else { Ok(()) }
    }

    /// Hands the record on. `complete`: every column must be there, else a missing one is empty.
    pub(super) fn emit(
        &mut self,
        members: &mut Members,
        member: usize,
        complete: bool,
        sink: &mut dyn RecordSink,
    ) -> Result<()> {
        for (i, column) in members.columns(member).iter().enumerate() {
            match self.cells.get(i).filter(|cell| cell.filled) {
                Some(cell) => sink.text(&cell.text),
                None if complete => {
                    return Err(invalid(format!(
                        "the record <{}> that ends here lacks the field \"{column}\"",
                        members.element(member)
                    ))
                    .at_column(column)
                    .hint(
                        "Write every mapped field in every record, empty where it has no value (DMF1830).",
                    ));
                }
                None => {}
            }
            sink.end_cell();
        }
        sink.member(u8::try_from(member).unwrap_or(u8::MAX));
        sink.end_row();
        self.clear();
        let loose = members.loose;
        if let (Some(info), Some(index)) = (members.infos.get_mut(member), members.index.get_mut(member)) {
            info.rows += 1;
            index.fixed |= !loose;
        }
        Ok(())
    }
}

pub(super) fn check_name(name: &str) -> Result<()> {
    if markup::is_name(name) {
        return Ok(());
    }
    let shown: String = name.chars().take(40).collect();
    Err(invalid(format!("{shown:?} can't be the name of an element or attribute of a data file")).hint(
        "Names have no prefix, begin with a letter or _, and go on with letters, digits, '.', '-' and '_'.",
    ))
}

pub(super) fn too_large() -> Error {
    invalid(format!("the record is larger than {MAX_RECORD_BYTES} bytes"))
        .hint("Look for an element or a quote that is never closed.")
}

/// `DATA_INVALID`; the reader adds the line.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::DataInvalid, message)
}
