//! Rows that the service refused, found again among those that were sent.
//!
//! The service names a record by the text of its key alone. How it joins the parts of a key is not documented (unverified), so
//! parts count and what is between them does not: `usmf, C-1` and `USMF|C-1` are one key. What fits two rows is decided by neither.

use serde_json::{Map, Value};

use crate::catalog::Catalog;
use crate::fields::{Fields, FromValue, deserialize};

/// A question about some rows of one entity.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RejectedQuery {
    /// Label or collection of the entity.
    pub entity: String,
    /// Columns of the file.
    pub columns: Vec<String>,
    /// Key cells of the rows one after another, as many a row as there are key columns.
    pub cells: Vec<String>,
    /// Texts by which the service named records.
    pub keys: Vec<String>,
}

deserialize!(RejectedQuery);

impl FromValue for RejectedQuery {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let query = Self {
            entity: of.required("entity", Fields::text),
            columns: of.texts("columns").unwrap_or_default(),
            cells: of.texts("cells").unwrap_or_default(),
            keys: of.texts("keys").unwrap_or_default(),
        };
        of.finish(query)
    }
}

impl RejectedQuery {
    /// Columns that make the key, the company left out, for the run has it; none where the entity is unknown or one is missing.
    #[must_use]
    pub fn key_columns(&self, catalog: &Catalog) -> Vec<usize> {
        let Some(entity) = catalog.find(&self.entity) else { return Vec::new() };
        let keys = entity.keys.iter().filter(|key| !key.eq_ignore_ascii_case("dataAreaId"));
        let place = |key: &String| self.columns.iter().position(|column| column.eq_ignore_ascii_case(key));
        keys.map(place).collect::<Option<_>>().unwrap_or_default()
    }

    /// Pairs of row and key that belong together.
    #[must_use]
    pub fn matches(&self, width: usize) -> Vec<(usize, usize)> {
        let mut keys: Vec<(String, usize)> =
            self.keys.iter().enumerate().map(|(index, key)| (folded(key), index)).collect();
        crate::order::sort_by(&mut keys, |a, b| a.0.cmp(&b.0));
        let mut found = Vec::new();
        for (row, cells) in self.cells.chunks(width.max(1)).enumerate() {
            let key = folded(&cells.join(","));
            let first = keys.partition_point(|(other, _)| *other < key);
            let equal = keys.iter().skip(first).take_while(|(other, _)| *other == key && !key.is_empty());
            found.extend(equal.map(|(_, index)| (row, *index)));
        }
        found
    }

    /// `{"columns":[…],"recordId":…,"message":…,"found":[row, key, …]}`: the key columns, and in a file of keys its own columns,
    /// by the only names that were ever seen (unverified).
    #[must_use]
    pub fn answer(&self, catalog: &Catalog) -> String {
        let named = |name| self.columns.iter().position(|column| column.eq_ignore_ascii_case(name));
        let columns = self.key_columns(catalog);
        let found = self.matches(columns.len()).into_iter().flat_map(|(row, key)| [row, key]);
        let mut answer = Map::new();
        answer.insert("found".to_owned(), found.collect());
        answer.insert("columns".to_owned(), columns.into_iter().collect());
        for (name, place) in [("recordId", named("RECORDID")), ("message", named("ERRORMESSAGE"))] {
            if let Some(place) = place {
                answer.insert(name.to_owned(), place.into());
            }
        }
        Value::Object(answer).to_string()
    }
}

/// Letters in one case, and one mark for whatever is between the parts.
fn folded(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    let mut gap = false;
    for c in key.chars() {
        if c.is_ascii() && !c.is_ascii_alphanumeric() {
            gap = true;
            continue;
        }
        if gap && !text.is_empty() {
            text.push('\u{1}');
        }
        gap = false;
        text.push(c.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(entity: &str, columns: &[&str], cells: &[&str], keys: &[&str]) -> RejectedQuery {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        RejectedQuery {
            entity: entity.to_owned(),
            columns: owned(columns),
            cells: owned(cells),
            keys: owned(keys),
        }
    }

    #[test]
    fn keys_are_found_whatever_joins_their_parts() {
        let rows = ["C-1", "1", "C-1", "2", "c-2", "1", "", ""];
        let keys = ["C-1, 2", " C-2|1 ", "C-3, 1", "C-1", ""];
        let found = query("x", &[], &rows, &keys).matches(2);
        assert_eq!(found, [(1, 0), (2, 1)]);
    }

    #[test]
    fn one_record_may_have_two_reasons_and_one_key_two_rows() {
        let found = query("x", &[], &["a", "b", "A"], &["a", "a"]).matches(1);
        assert_eq!(found, [(0, 0), (0, 1), (2, 0), (2, 1)]);
    }

    #[test]
    fn the_key_columns_are_the_catalogues_without_the_company() {
        let catalog = crate::catalog::builtin();
        let of = |entity: &str, columns: &[&str]| query(entity, columns, &[], &[]).key_columns(catalog);
        assert_eq!(of("Vendors V2", &["VENDORGROUPID", "VENDORACCOUNTNUMBER"]), [1]);
        assert_eq!(of("VendorsV2", &["VendorAccountNumber"]), [0]);
        assert_eq!(of("VendorsV2", &["VENDORGROUPID"]), Vec::<usize>::new());
        assert_eq!(of("Nobody knows it", &["A"]), Vec::<usize>::new());
    }

    #[test]
    fn a_file_of_keys_is_known_by_its_columns() {
        let of = |columns: &[&str]| query("x", columns, &[], &[]).answer(crate::catalog::builtin());
        assert_eq!(
            of(&["RECORDID", "ERRORMESSAGE"]),
            r#"{"found":[],"columns":[],"recordId":0,"message":1}"#
        );
        assert_eq!(of(&["Something"]), r#"{"found":[],"columns":[]}"#);
    }
}
