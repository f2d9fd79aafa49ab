//! Where rows come from: a package at hand, or pages of a collection.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::options::Line;
use super::rows::{Columns, Row, Shape};
use crate::error::{Error, ErrorCode, Result};
use crate::fields::FromValue;
use crate::http::Timestamp;
use crate::odata::{Numbers, Page, Pager, Query, Service};
use crate::package::{Limits, LocalPackage, Pull, RowReader};

/// Changes may become visible this much later than their time says.
const OVERLAP: Duration = Duration::from_secs(600);

/// Rows of one entity of a package at hand.
#[derive(Debug)]
pub(super) struct PackageRows {
    bytes: Vec<u8>,
    reader: RowReader,
    fields: BTreeMap<String, String>,
    columns: Option<Columns>,
}

impl PackageRows {
    /// None where the package lacks the entity: then the run had no rows of it.
    pub(super) fn open(bytes: Vec<u8>, label: &str) -> Result<Option<Self>> {
        let package = LocalPackage::open(bytes, Limits::default())?;
        let Some(index) = package.entities().iter().position(|entity| entity.entity == label) else {
            return Ok(None);
        };
        let fields = package.entities().get(index).map(|entity| entity.fields.clone()).unwrap_or_default();
        let reader = package.package().rows(index)?;
        Ok(Some(Self { bytes: package.into_source(), reader, fields, columns: None }))
    }

    /// Some more rows; false at the end.
    pub(super) fn pull(&mut self, shape: &Shape, into: &mut VecDeque<Row>) -> Result<bool> {
        loop {
            match self.reader.next(1_000)? {
                Pull::Have(batch) => {
                    let columns = self
                        .columns
                        .get_or_insert_with(|| shape.columns(self.reader.columns(), &self.fields));
                    let mut cells = batch.cells();
                    for _ in 0..batch.rows {
                        into.push_back(shape.of_cells(columns, cells.by_ref().take(columns.len())));
                    }
                    return Ok(true);
                }
                Pull::End => return Ok(false),
                Pull::Want => {
                    let Some(range) = self.reader.want() else { continue };
                    let bounds = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
                    let bytes = bounds.and_then(|(from, to)| self.bytes.get(from..to)).ok_or_else(|| {
                        Error::new(ErrorCode::PackageCorrupt, "the package refers to bytes beyond its end")
                    })?;
                    self.reader.give(bytes.to_vec())?;
                }
            }
        }
    }
}

/// The pages of a line's collection, in the order of the key. `since`: only what changed after that time.
pub(super) fn pager(service: &Service, line: &Line, since: Option<&str>) -> Result<Pager> {
    let mut query = json!({ "orderBy": line.keys() });
    if line.modified_by.is_none() && !line.select.is_empty() {
        let more = line.select.iter().filter(|name| !line.keys().contains(name));
        let select: Vec<&String> = line.keys().iter().chain(more).collect();
        set(&mut query, "select", json!(select));
    }
    if let (Some(property), Some(since)) = (&line.modified_by, since) {
        set(&mut query, "filter", format!("{property} ge {since}").into());
    }
    open(service, line, query)
}

/// The keys of a line's collection, with the number of its rows.
pub(super) fn key_pager(service: &Service, line: &Line) -> Result<Pager> {
    open(service, line, json!({ "select": line.keys(), "orderBy": line.keys(), "count": true }))
}

fn open(service: &Service, line: &Line, mut query: Value) -> Result<Pager> {
    if let Some(company) = &line.company {
        set(&mut query, "company", company.clone().into());
        set(&mut query, "crossCompany", true.into());
    }
    let query = Query::from_value(query).map_err(Error::argument)?;
    let mut service = service.clone();
    service.numbers = Numbers::String;
    Pager::new(&service, line.collection().unwrap_or_default(), &query)
}

fn set(query: &mut Value, name: &str, value: Value) {
    if let Some(query) = query.as_object_mut() {
        query.insert(name.to_owned(), value);
    }
}

/// The records of a page.
pub(super) fn records(page: &Page) -> Result<Vec<Map<String, Value>>> {
    let unreadable =
        |why: String| Error::new(ErrorCode::ServiceError, format!("the page can't be read: {why}"));
    let tree: Value = serde_json::from_str(&page.items).map_err(|error| unreadable(error.to_string()))?;
    Vec::from_value(tree).map_err(unreadable)
}

/// From when on changes are asked for, where the highest seen time is `high`.
pub(super) fn overlapped(high: &str) -> Option<String> {
    let high = Timestamp::parse_iso(high)?;
    let overlap = u64::try_from(OVERLAP.as_millis()).unwrap_or(u64::MAX);
    Some(crate::table::utc_of_millis(high.as_millis().saturating_sub(overlap)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_minutes_are_read_again() {
        assert_eq!(overlapped("2026-03-02T00:05:07Z").as_deref(), Some("2026-03-01T23:55:07Z"));
        assert_eq!(overlapped("yesterday"), None);
    }
}
