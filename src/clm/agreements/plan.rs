//! What differs between a draft and an agreement, as operations that can be validated and sent.

use serde_json::{Map, Value};

use super::{HEADERS, ID, LINES};
use crate::clm::talk::{holds, key, number, same_text, spec, text};
use crate::error::{Error, Result};
use crate::odata::dialogue::Row;
use crate::odata::{Op, OperationSpec, Service};

const NUMBER: &str = "LineNumber";
const LINE_ID: &str = "ExternalContractLineId";

/// Where the agreement is.
pub(super) struct Place<'a> {
    pub(super) service: &'a Service,
    pub(super) company: &'a str,
    pub(super) id: &'a str,
}

/// One operation.
pub(super) struct Change {
    /// 1-based number in the draft; none for the header and for lines that the draft lacks.
    pub(super) line: Option<u64>,
    pub(super) spec: OperationSpec,
    /// What it changes, for a person.
    pub(super) changed: Vec<String>,
}

/// The number of each line of the draft.
pub(super) fn numbered(lines: &[Map<String, Value>], there: &[Row]) -> Result<Vec<String>> {
    let mut numbers: Vec<String> = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let known = |row: &&Row| {
            !text(line, LINE_ID).is_empty() && same_text(text(row, LINE_ID), text(line, LINE_ID))
        };
        let number = match number(line, NUMBER) {
            given if !given.is_empty() => given,
            _ => there.iter().find(known).map_or_else(|| (at + 1).to_string(), |row| number(row, NUMBER)),
        };
        if numbers.contains(&number) {
            return Err(Error::argument(format!("two lines have the number {number}"))
                .at_line(at as u64 + 1)
                .at_column(NUMBER)
                .hint("A line without LineNumber gets its place in the list, from 1."));
        }
        numbers.push(number);
    }
    Ok(numbers)
}

/// At most one: the properties of the header that differ.
pub(super) fn header_changes(
    place: &Place<'_>,
    wanted: &Map<String, Value>,
    there: &Row,
) -> Result<Vec<Change>> {
    let given = text(wanted, ID);
    if !given.is_empty() && !there.is_empty() && !same_text(given, place.id) {
        return Err(Error::argument(format!("the draft is of the agreement {given}, not of {}", place.id))
            .at_column(ID));
    }
    let key = key(place.service, HEADERS, place.company, &[(ID, place.id.into())]);
    let patch = differing(place.service, HEADERS, &key, wanted, there);
    if patch.is_empty() {
        return Ok(Vec::new());
    }
    let changed = patch.keys().map(|name| format!("header.{name}")).collect();
    let spec = spec(Op::Update, HEADERS, Some(key), Some(patch));
    spec.shape(place.service)?;
    Ok(vec![Change { line: None, spec, changed }])
}

/// Lines that are new, that differ, and with `delete` those that the draft lacks.
pub(super) fn line_changes(
    place: &Place<'_>,
    lines: &[Map<String, Value>],
    numbers: &[String],
    there: &[Row],
    delete: bool,
) -> Result<Vec<Change>> {
    let key_of = |number: &str| {
        key(place.service, LINES, place.company, &[(ID, place.id.into()), (NUMBER, Value::from(number))])
    };
    let mut changes = Vec::new();
    for (at, (line, own)) in lines.iter().zip(numbers).enumerate() {
        let given = text(line, ID);
        let line_number = Some(at as u64 + 1);
        if !given.is_empty() && place.id != "0" && !same_text(given, place.id) {
            return Err(Error::argument(format!(
                "the line is of the agreement {given}, not of {}",
                place.id
            ))
            .at_line(at as u64 + 1)
            .at_column(ID));
        }
        let key = key_of(own);
        let (spec, changed) = match there.iter().find(|row| number(row, NUMBER) == *own) {
            None => {
                let mut value = line.clone();
                value.extend(key);
                (spec(Op::Create, LINES, None, Some(value)), vec![format!("line {own} (new)")])
            }
            Some(row) => {
                let patch = differing(place.service, LINES, &key, line, row);
                if patch.is_empty() {
                    continue;
                }
                let changed = patch.keys().map(|name| format!("line {own}.{name}")).collect();
                (spec(Op::Update, LINES, Some(key), Some(patch)), changed)
            }
        };
        spec.shape(place.service).map_err(|error| error.at_line(at as u64 + 1))?;
        changes.push(Change { line: line_number, spec, changed });
    }
    for row in there.iter().filter(|_| delete) {
        let own = number(row, NUMBER);
        if !numbers.contains(&own) {
            let spec = spec(Op::Delete, LINES, Some(key_of(&own)), None);
            changes.push(Change { line: None, spec, changed: vec![format!("line {own} (deleted)")] });
        }
    }
    Ok(changes)
}

/// The given properties that the row does not hold. The key is no change.
fn differing(
    service: &Service,
    collection: &str,
    key: &Map<String, Value>,
    wanted: &Map<String, Value>,
    there: &Row,
) -> Map<String, Value> {
    let entity = service.catalog().collection(collection);
    // As the body of a request has them: dates in full, flags as members.
    let normal = spec(Op::Create, collection, None, Some(wanted.clone()))
        .shape(service)
        .ok()
        .and_then(|shaped| serde_json::from_slice::<Row>(&shaped.request().body).ok())
        .unwrap_or_default();
    let mut patch = Map::new();
    for (name, value) in wanted {
        let property = entity.and_then(|entity| entity.property(name));
        let as_text = matches!(normal.get(name), Some(Value::String(_)));
        let compared = if as_text { normal.get(name).unwrap_or(value) } else { value };
        let fixed = key.contains_key(name) || name == ID || name == "dataAreaId";
        if !fixed && !holds(property, compared, there.get(name)) {
            patch.insert(name.clone(), value.clone());
        }
    }
    patch
}
