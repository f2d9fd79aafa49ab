//! The header of a file against the maps and the schema.

use std::collections::{HashMap, HashSet};

use crate::catalog::nearest;
use crate::table::Accepts;

use super::codes::{Code, Severity};
use super::report::{Diagnostic, Report, shown};
use super::subject::{COMPANY, Subject};

/// What is asked of the cells of one column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) accepts: Accepts,
    pub(super) max_length: Option<u32>,
}

/// The columns of a file in its own order.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) all: Vec<Column>,
    /// Where the key fields are; none where the key is unknown or a part of it is missing.
    pub(super) keys: Option<Vec<usize>>,
}

/// Compares a header with what the manifest and the schema say, and tells what the cells below it must be.
pub(super) fn check_header(header: &[String], subject: &Subject, report: &mut Report) -> Columns {
    let at = |finding: Diagnostic| finding.file(&subject.file).entity(&subject.label);
    let mut seen = HashSet::new();
    for (i, name) in header.iter().enumerate() {
        if name.is_empty() {
            let message = format!("column {} of the header has no name", i + 1);
            report.add(at(Diagnostic::new(Code::ColumnUnnamed, message)).line(1));
        } else if !seen.insert(name.as_str()) {
            let message = format!("the header has the column {} twice", shown(name));
            report.add(at(Diagnostic::new(Code::ColumnTwice, message)).line(1).column(name));
        }
    }
    let fields = fields_of(header, subject, report);
    check_fields(header, &fields, subject, report)
}

/// The field of each column. Without maps, which is a finding of its own, columns are taken for fields.
fn fields_of<'a>(header: &'a [String], subject: &'a Subject, report: &mut Report) -> Vec<Option<&'a str>> {
    if subject.maps.is_empty() {
        return header.iter().map(|name| Some(name.as_str())).collect();
    }
    let at = |finding: Diagnostic| finding.file(&subject.file).entity(&subject.label);
    let maps: HashMap<&str, &str> =
        subject.maps.iter().rev().map(|map| (map.column.as_str(), map.field.as_str())).collect();
    let names: HashSet<&str> = header.iter().map(String::as_str).collect();
    // A map whose column differs by case only, where neither side has a better partner.
    let free: HashMap<String, &str> = subject
        .maps
        .iter()
        .map(|map| map.column.as_str())
        .filter(|column| !names.contains(column))
        .map(|column| (column.to_lowercase(), column))
        .collect();
    let mut matched = HashSet::new();
    let fields = header
        .iter()
        .map(|name| {
            if let Some(field) = maps.get(name.as_str()) {
                return Some(*field);
            }
            let twin = free.get(&name.to_lowercase()).copied().filter(|twin| matched.insert(*twin));
            let Some(twin) = twin else {
                if !name.is_empty() {
                    let message = format!("the column {} has no map", shown(name));
                    report.add(at(Diagnostic::new(Code::ColumnUnmapped, message)).line(1).column(name));
                }
                return None;
            };
            let message = format!("the file has the column {}, the map {}", shown(name), shown(twin));
            report.add(at(Diagnostic::new(Code::ColumnCase, message)).line(1).column(name));
            maps.get(twin).copied()
        })
        .collect();
    let mut told = HashSet::new();
    for map in &subject.maps {
        let column = &map.column;
        let there = names.contains(column.as_str()) || matched.contains(column.as_str());
        if column.is_empty() || map.filled || there || !told.insert(column.as_str()) {
            continue;
        }
        let message = format!("the mapped column {} is not in the file", shown(column));
        let finding = at(Diagnostic::new(Code::ColumnMissing, message)).column(column);
        report.add(match nearest(column, header.iter().map(String::as_str)) {
            Some(near) => finding.hint(format!("The file has {}: did the map mean it?", shown(near))),
            None => finding,
        });
    }
    fields
}

fn check_fields(
    header: &[String],
    fields: &[Option<&str>],
    subject: &Subject,
    report: &mut Report,
) -> Columns {
    let at = |finding: Diagnostic| finding.file(&subject.file).entity(&subject.label);
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut all = Vec::with_capacity(header.len());
    for (i, (name, field)) in header.iter().zip(fields).enumerate() {
        let mut column = Column { name: name.clone(), accepts: Accepts::Anything, max_length: None };
        let field = field.map(str::to_uppercase).unwrap_or_default();
        if !field.is_empty() {
            if places.contains_key(&field) {
                let message = format!("the field {} is mapped more than once", shown(&field));
                report.add(at(Diagnostic::new(Code::MapFieldTwice, message)).column(name));
            } else {
                places.insert(field.clone(), i);
            }
        }
        if let Some(rules) = subject.rules.as_deref().filter(|_| !field.is_empty()) {
            if rules.company && field == COMPANY {
                let message = format!("the column {} holds the company", shown(name));
                report.add(at(Diagnostic::new(Code::CompanyColumn, message)).line(1).column(name));
            } else if let Some(rule) = rules.fields.get(&field) {
                column.accepts = rule.accepts.clone();
                column.max_length = rule.max_length;
            } else {
                report.add(at(unknown_field(&field, subject, rules.fields.keys())).line(1).column(name));
            }
        }
        all.push(column);
    }
    let keys = key_places(&places, subject, report);
    Columns { all, keys }
}

fn unknown_field<'a>(field: &str, subject: &Subject, known: impl Iterator<Item = &'a String>) -> Diagnostic {
    let severity = if subject.whole_schema { Severity::Error } else { Severity::Warning };
    let message = format!("{} has no field {}", shown(&subject.label), shown(field));
    let finding = Diagnostic::new(Code::FieldUnknown, message).severity(severity);
    let mut known: Vec<&str> = known.map(String::as_str).collect();
    known.sort_unstable();
    match nearest(field, known) {
        Some(near) => finding.hint(format!("Did you mean {near}?")),
        None => finding,
    }
}

fn key_places(places: &HashMap<String, usize>, subject: &Subject, report: &mut Report) -> Option<Vec<usize>> {
    let rules = subject.rules.as_deref().filter(|rules| !rules.keys.is_empty())?;
    let mut keys = Vec::new();
    for key in &rules.keys {
        let filled = || subject.maps.iter().any(|map| map.filled && map.field.eq_ignore_ascii_case(key));
        if let Some(place) = places.get(key) {
            keys.push(*place);
        } else if !filled() {
            let message = format!("the key field {key} of {} has no column", shown(&subject.label));
            report.add(
                Diagnostic::new(Code::KeyMissing, message)
                    .file(&subject.file)
                    .entity(&subject.label)
                    .column(key.as_str()),
            );
        }
    }
    (keys.len() == rules.keys.len()).then_some(keys)
}
