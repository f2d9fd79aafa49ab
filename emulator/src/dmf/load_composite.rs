//! Source → staging for composite entities: one document, its records nested.

use std::collections::HashSet;

use super::definitions::{Composite, Part};
use super::formats::Format;
use super::load_file::{
    Context, Staged, StagedRow, duplicate, no_field, not_mapped, row_key, stage_row, staging_field,
};
use super::source::{NO_ROWS, add_field, attributes, check_root, decode, not_xml};
use crate::catalog::Property;
use crate::package::ManifestEntity;
use crate::package::xml::{Element, each_child};
use crate::value::Row;

/// Reads the file of `line`. An error concerns the whole file: nothing is staged.
pub(crate) fn stage_composite(
    line: &ManifestEntity,
    data: &[u8],
    composite: &Composite,
    context: Context<'_>,
) -> Result<Staged, String> {
    let Some(format) = Format::parse(&line.format).filter(|format| format.is_xml()) else {
        return Err(format!("DMF1963: The composite entity {} takes XML files only.", line.label));
    };
    let parts = composite.parts(context.catalog)?;
    let text = decode(data)?;
    let mut load = Load {
        line,
        format,
        states: parts.iter().map(|_| State::default()).collect(),
        parts,
        context,
        staged: Staged::default(),
        seen: HashSet::new(),
        columns: HashSet::new(),
    };
    for (_, field) in &line.maps {
        if load.parts.iter().all(|part| staging_field(part.entity, field).is_none()) {
            return Err(format!(
                "The mapping is incorrect: the field {field} does not exist in the staging tables of {}.",
                line.label
            ));
        }
    }
    let root = each_child(&text, &mut |_, element| {
        if !element.plain || load.parts.first().is_none_or(|part| element_name(part) != element.name) {
            load.staged.total += 1;
            return Ok(());
        }
        load.record(element, 0, Parent::None)
    })
    .map_err(|error| not_xml(&error))?;
    check_root(&root)?;
    load.finish()
}

struct Load<'a> {
    line: &'a ManifestEntity,
    format: Format,
    parts: Vec<Part<'a>>,
    states: Vec<State>,
    context: Context<'a>,
    staged: Staged,
    seen: HashSet<(usize, (String, String))>,
    columns: HashSet<String>,
}

/// How far a member was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum State {
    #[default]
    Absent,
    /// Elements without any value: they stand for the member, but are no rows.
    Empty,
    Rows,
}

/// What a record is nested in.
#[derive(Clone, Copy)]
enum Parent {
    None,
    Staged(usize),
    Rejected,
}

impl Load<'_> {
    fn record(&mut self, element: Element, at: usize, parent: Parent) -> Result<(), String> {
        let (line, name) = (element.line, element.name.clone());
        let (fields, nested) = self.split(element, at)?;
        let Some(part) = self.parts.get(at).copied() else { return Ok(()) };
        let empty = nested.is_empty() && fields.iter().all(|(_, value)| value.is_empty());
        if let Some(state) = self.states.get_mut(at) {
            *state = (*state).max(if empty { State::Empty } else { State::Rows });
        }
        let mut values: Vec<(&Property, &str)> = Vec::new();
        for (column, value) in &fields {
            values.push((self.property(column, &part)?, value));
            self.columns.insert(column.clone());
        }
        if empty {
            return Ok(());
        }
        self.staged.total += 1;
        let above = match parent {
            Parent::Staged(above) => self.staged.rows.get(above).map(|above| &above.row),
            _ => None,
        };
        let joined: Row = part
            .join
            .iter()
            .filter_map(|(own, of_parent)| Some((own.clone(), above?.get(of_parent)?.clone())))
            .collect();
        // An empty value gives way to the parent's.
        values.retain(|(property, value)| !(value.is_empty() && joined.contains_key(&property.name)));
        let staged = stage_row(values.into_iter(), line, part.entity, joined, self.context);
        let own = match (staged, parent) {
            (Err(rejected), _) => {
                self.staged.rejected.push(rejected);
                Parent::Rejected
            }
            (Ok((key, _)), Parent::Rejected) => {
                let message =
                    format!("The record {name} in line {line} is nested in one that was not staged.");
                self.staged.rejected.push(super::load_file::Rejected { key, field: String::new(), message });
                Parent::Rejected
            }
            (Ok((key, row)), _) => {
                if !self.seen.insert((at, row_key(part.entity, &row))) {
                    return Err(duplicate(&key, line));
                }
                let parent = if let Parent::Staged(above) = parent { Some(above) } else { None };
                self.staged.rows.push(StagedRow { aot: part.entity.aot.clone(), key, row, parent });
                Parent::Staged(self.staged.rows.len() - 1)
            }
        };
        nested.into_iter().try_for_each(|(child, element)| self.record(element, child, own))
    }

    /// Tells the values of a record from the records in it.
    fn split(&self, mut element: Element, at: usize) -> Result<(Fields, Vec<(usize, Element)>), String> {
        let line = element.line;
        let mut fields = Vec::new();
        let mut nested = Vec::new();
        for child in std::mem::take(&mut element.children) {
            let member = self
                .parts
                .iter()
                .position(|part| part.parent == Some(at) && child.plain && element_name(part) == child.name);
            if let Some(member) = member {
                nested.push((member, child));
            } else if self.format == Format::XmlElement && child.children.is_empty() && child.plain {
                add_field(&mut fields, child, line)?;
            } else {
                return Err(format!(
                    "DMF1830: The element {} in line {} is not expected in {}.",
                    child.name, child.line, element.name
                ));
            }
        }
        if self.format == Format::XmlAttribute {
            fields = attributes(element);
        }
        Ok((fields, nested))
    }

    /// The property that a column of a record is mapped to.
    fn property<'p>(&self, column: &str, part: &Part<'p>) -> Result<&'p Property, String> {
        let mut fields = self.line.maps.iter().filter(|(mapped, _)| mapped == column).peekable();
        if fields.peek().is_none() {
            return Err(not_mapped(column, self.line));
        }
        fields
            .find_map(|(_, field)| staging_field(part.entity, field))
            .ok_or_else(|| no_field(column, part.entity))
    }

    fn finish(self) -> Result<Staged, String> {
        if let Some((part, _)) =
            self.parts.iter().zip(&self.states).find(|(_, state)| **state == State::Absent)
        {
            return Err(if self.staged.total == 0 && part.parent.is_none() {
                NO_ROWS.to_owned()
            } else {
                format!(
                    "DMF1830 MAP011: The file {} has no element {} for the entity {}.",
                    self.line.file,
                    element_name(part),
                    part.entity.label
                )
            });
        }
        if self.staged.total == 0 {
            return Err(NO_ROWS.to_owned());
        }
        // A field of members without any row needs not occur.
        let needed = |field: &str| {
            let owners = self.parts.iter().zip(&self.states);
            owners
                .filter(|(part, _)| staging_field(part.entity, field).is_some())
                .any(|(_, state)| *state == State::Rows)
        };
        let missing =
            self.line.maps.iter().find(|(column, field)| !self.columns.contains(column) && needed(field));
        match missing {
            Some((column, _)) => Err(format!(
                "HRESULT 0xC0010009: DMF1830: The mapped field {column} does not exist in the file {}.",
                self.line.file
            )),
            None => Ok(self.staged),
        }
    }
}

type Fields = Vec<(String, String)>;

fn element_name(part: &Part<'_>) -> String {
    part.entity.aot.to_uppercase()
}
