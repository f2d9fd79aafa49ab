//! Exports of composite entities: one document, its records nested.

use super::data_file::{XML_END, XML_START, close_record, open_record, xml_bytes};
use super::definitions::{Composite, Part};
use super::export::cell;
use super::formats::Format;
use crate::catalog::{COMPANY, Property};
use crate::server::App;
use crate::store::{Db, StoreError, Stored};
use crate::value::{Row, Value};

/// What was exported.
pub(super) struct Exported {
    pub(super) data: Vec<u8>,
    /// Fields of all members, each once.
    pub(super) fields: Vec<String>,
    pub(super) rows: usize,
}

/// Writes the rows of a company, `limit` roots at most. The inner error is a sentence.
pub(super) fn export_composite(
    app: &App,
    db: &Db<'_>,
    composite: &Composite,
    format: Format,
    company: &str,
    limit: usize,
) -> Result<Result<Exported, String>, StoreError> {
    if !format.is_xml() {
        return Ok(Err(format!(
            "DMF1963: The composite entity {} is exported to XML files only.",
            composite.label
        )));
    }
    let parts = match composite.parts(&app.catalog) {
        Ok(parts) => parts,
        Err(reason) => return Ok(Err(reason)),
    };
    let mut members = Vec::new();
    let mut fields: Vec<String> = Vec::new();
    for part in parts {
        let company = if part.entity.company { company } else { "" };
        let mut rows = Vec::new();
        db.scan(&part.entity.aot, Some(company), 0, |stored| -> Result<(), StoreError> {
            rows.push(stored);
            Ok(())
        })?;
        let is_company = |property: &&Property| part.entity.company && property.name == COMPANY;
        let properties: Vec<&Property> =
            part.entity.properties.iter().filter(|property| !is_company(property)).collect();
        let columns: Vec<String> = properties.iter().map(|property| property.field.clone()).collect();
        let new = columns.iter().filter(|field| !fields.contains(field)).cloned().collect::<Vec<_>>();
        fields.extend(new);
        members.push(Member { part, rows, properties, columns });
    }
    let mut out = String::from(XML_START);
    let mut rows = 0;
    for root in members.first().map(|root| root.rows.iter().take(limit)).into_iter().flatten() {
        rows += write(app, &members, 0, root, format, &mut out);
    }
    out.push_str(XML_END);
    Ok(xml_bytes(&out, &composite.label).map(|data| Exported { data, fields, rows }))
}

struct Member<'a> {
    part: Part<'a>,
    rows: Vec<Stored>,
    properties: Vec<&'a Property>,
    columns: Vec<String>,
}

/// Writes a record with what is nested in it; returns how many records that were.
fn write(
    app: &App,
    members: &[Member<'_>],
    at: usize,
    stored: &Stored,
    format: Format,
    out: &mut String,
) -> usize {
    let Some(member) = members.get(at) else { return 0 };
    let record = member.part.entity.aot.to_uppercase();
    let cells: Vec<String> =
        member.properties.iter().map(|property| cell(app, property, stored, format)).collect();
    open_record(out, &record, format, member.columns.iter().zip(&cells));
    let mut written = 0;
    for (below, child) in members.iter().enumerate().filter(|(_, child)| child.part.parent == Some(at)) {
        for nested in child.rows.iter().filter(|nested| belongs(&child.part, &nested.row, &stored.row)) {
            if written == 0 && format == Format::XmlAttribute {
                out.push('>');
            }
            written += write(app, members, below, nested, format, out);
        }
    }
    close_record(out, &record, format, written > 0);
    written + 1
}

fn belongs(part: &Part<'_>, row: &Row, above: &Row) -> bool {
    let text = |row: &Row, name: &str| row.get(name).map_or("", Value::as_text).to_owned();
    part.join.iter().all(|(own, of_parent)| text(row, own) == text(above, of_parent))
}
