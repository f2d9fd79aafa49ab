//! The header of a file against the maps and the schema.

use std::collections::{HashMap, HashSet};

use crate::catalog::nearest;
use crate::order::sort_by;
use crate::table::{Accepts, upper};

use super::codes::{Code, Severity};
use super::report::{Diagnostic, Report, shown};
use super::subject::{COMPANY, ColumnMap, Subject};

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
    let maps: HashMap<&str, &ColumnMap> =
        subject.maps.iter().rev().map(|map| (map.column.as_str(), map)).collect();
    let twins: HashMap<&str, &str> =
        twins(subject.maps.iter().map(|map| map.column.as_str()), header).into_iter().collect();
    let fields = header
        .iter()
        .map(|name| {
            if let Some(map) = maps.get(name.as_str()) {
                return Some(map.field.as_str());
            }
            let Some(map) = twins.get(name.as_str()).and_then(|column| maps.get(column)) else {
                if !name.is_empty() {
                    let message = format!("the column {} has no map", shown(name));
                    report.add(at(Diagnostic::new(Code::ColumnUnmapped, message)).line(1).column(name));
                }
                return None;
            };
            let message = format!("the file has the column {}, the map {}", shown(name), shown(&map.column));
            let finding = at(Diagnostic::new(Code::ColumnCase, message)).line(1).column(name);
            report.add(finding.repairable(map.plain));
            Some(map.field.as_str())
        })
        .collect();
    let there: HashSet<&str> = header.iter().map(String::as_str).chain(twins.into_values()).collect();
    let mut told = HashSet::new();
    for map in &subject.maps {
        let column = map.column.as_str();
        if column.is_empty() || map.filled || there.contains(column) || !told.insert(column) {
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

/// Columns of the header and of the maps that differ by case only, where neither has a partner of its own spelling and no
/// other of another one.
pub(super) fn twins<'a>(
    mapped: impl Iterator<Item = &'a str>,
    header: &'a [String],
) -> Vec<(&'a str, &'a str)> {
    let mapped: Vec<&str> = mapped.collect();
    let names: HashSet<&str> = header.iter().map(String::as_str).collect();
    let known: HashSet<&str> = mapped.iter().copied().collect();
    let lonely = |all: &mut dyn Iterator<Item = &'a str>, others: &HashSet<&str>| {
        let mut lonely: HashMap<String, Option<&'a str>> = HashMap::new();
        for name in all.filter(|name| !others.contains(name)) {
            lonely.entry(name.to_ascii_lowercase()).and_modify(|it| *it = None).or_insert(Some(name));
        }
        lonely
    };
    let of_maps = lonely(&mut mapped.iter().copied(), &names);
    let of_header = lonely(&mut header.iter().map(String::as_str), &known);
    let mut twins: Vec<(&str, &str)> =
        of_header.iter().filter_map(|(lower, name)| Some(((*name)?, (*of_maps.get(lower)?)?))).collect();
    sort_by(&mut twins, Ord::cmp);
    twins
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
        let field = field.map(upper).unwrap_or_default();
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
    sort_by(&mut known, Ord::cmp);
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
