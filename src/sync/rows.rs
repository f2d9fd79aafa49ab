//! Rows in the one form that both transports share.
//!
//! | type | from a package | by OData | in a batch |
//! |---|---|---|---|
//! | text | as it is, empty too | null counts as empty | text |
//! | Int32, Double | digits | number | number |
//! | Int64, Decimal | digits, perhaps `.500000` | number or text | text: plain digits, no zeros at the ends |
//! | date, date-time | no zone, or a date alone | with zone | `2026-04-01T12:00:00Z`; a date alone is noon |
//! | no date (1900-01-01), of any type nothing | | | null |
//! | enum | symbol in any case, or number | symbol | symbol |
//! | GUID | any case, braces | | lower case with hyphens |
//!
//! What can't be read as its type stays the text that it was. `dataAreaId` is the company in lower case.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use crate::catalog::{Catalog, EdmType, Entity, Property};

/// How the rows of a line look.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    entity: Option<Arc<Entity>>,
    kinds: Vec<Kind>,
    company: Option<String>,
    select: Vec<String>,
}

#[derive(Debug, Clone)]
enum Kind {
    Text,
    Int32,
    Exact,
    Double,
    Date,
    Guid,
    Symbol(Vec<String>),
    Untouched,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// As JSON.
    pub(super) json: String,
    /// Its key as a JSON object; where no key is known, a mark of the whole row.
    pub(super) key: String,
    /// Of all its values.
    pub(super) hash: u64,
}

/// A column of a package: a property with its kind, or a name that the catalogue lacks.
pub(super) type Columns = Vec<(String, Option<usize>)>;

impl Shape {
    pub(super) fn new(
        catalog: &Catalog,
        entity: Option<Arc<Entity>>,
        company: Option<&str>,
        select: &[String],
    ) -> Self {
        let kinds = entity.as_ref().map_or_else(Vec::new, |entity| {
            entity.properties.iter().map(|property| Kind::of(property, catalog)).collect()
        });
        Self { entity, kinds, company: company.map(str::to_ascii_lowercase), select: select.to_vec() }
    }

    /// What the columns of a package's file stand for; `fields` maps columns to staging fields.
    pub(super) fn columns(&self, names: &[String], fields: &BTreeMap<String, String>) -> Columns {
        let property = |name: &String| {
            let field = fields.get(name).unwrap_or(name);
            let properties = &self.entity.as_ref()?.properties;
            properties.iter().position(|property| property.name.eq_ignore_ascii_case(field))
        };
        names
            .iter()
            .map(|name| match property(name) {
                Some(index) => (self.name_of(index, name), Some(index)),
                None => (name.clone(), None),
            })
            .collect()
    }

    fn name_of(&self, index: usize, otherwise: &str) -> String {
        let property = self.entity.as_ref().and_then(|entity| entity.properties.get(index));
        property.map_or_else(|| otherwise.to_owned(), |property| property.name.clone())
    }

    /// A row of a package.
    pub(super) fn of_cells<'a>(&self, columns: &Columns, cells: impl Iterator<Item = &'a str>) -> Row {
        let mut values = Map::new();
        for ((name, index), cell) in columns.iter().zip(cells) {
            if self.wants(name) {
                values.insert(name.clone(), self.kind(*index).of_text(cell));
            }
        }
        self.row(values)
    }

    /// A record as OData gave it.
    pub(super) fn of_record(&self, record: Map<String, Value>) -> Row {
        let mut values = Map::new();
        for (name, value) in record {
            if name.contains('@') || !self.wants(&name) {
                continue;
            }
            let index = self
                .entity
                .as_ref()
                .and_then(|entity| entity.properties.iter().position(|property| property.name == name));
            let value = self.kind(index).of_json(value);
            values.insert(name, value);
        }
        self.row(values)
    }

    fn kind(&self, index: Option<usize>) -> &Kind {
        index.and_then(|index| self.kinds.get(index)).unwrap_or(&Kind::Untouched)
    }

    fn wants(&self, name: &String) -> bool {
        self.select.is_empty()
            || self.select.contains(name)
            || self.entity.as_ref().is_some_and(|entity| entity.keys.contains(name))
    }

    fn row(&self, mut values: Map<String, Value>) -> Row {
        if let Some(company) = &self.company {
            let own = match values.get("dataAreaId").and_then(Value::as_str) {
                Some(own) if !own.is_empty() => own.to_ascii_lowercase(),
                _ => company.clone(),
            };
            values.insert("dataAreaId".to_owned(), own.into());
        }
        // The order of members must not matter: transports differ in it.
        let hash = values.iter().fold(0_u64, |sum, (name, value)| {
            sum.wrapping_add(fnv(&[name.as_bytes(), b"\0", value.to_string().as_bytes()]))
        });
        let keys = self.entity.as_ref().map_or(&[][..], |entity| &entity.keys);
        let key = if keys.is_empty() {
            format!("\"{hash:016x}\"")
        } else {
            let part = |name: &String| (name.clone(), values.get(name).cloned().unwrap_or(Value::Null));
            Value::Object(keys.iter().map(part).collect()).to_string()
        };
        Row { json: Value::Object(values).to_string(), key, hash }
    }
}

impl Kind {
    fn of(property: &Property, catalog: &Catalog) -> Self {
        let no_yes = || vec!["No".to_owned(), "Yes".to_owned()];
        match &property.edm {
            EdmType::String | EdmType::Binary => Self::Text,
            EdmType::Int32 => Self::Int32,
            EdmType::Int64 | EdmType::Decimal => Self::Exact,
            EdmType::Double => Self::Double,
            EdmType::DateTimeOffset => Self::Date,
            EdmType::Guid => Self::Guid,
            EdmType::Boolean => Self::Symbol(no_yes()),
            EdmType::Enum(name) => match catalog.enum_members(name) {
                Some(members) => Self::Symbol(members.to_vec()),
                None if name == "NoYes" => Self::Symbol(no_yes()),
                None => Self::Symbol(Vec::new()),
            },
            EdmType::UnnamedEnum => Self::Symbol(property.members.clone()),
            EdmType::Other(_) => Self::Untouched,
        }
    }

    fn of_text(&self, text: &str) -> Value {
        let plain = || Value::String(text.to_owned());
        if text.is_empty() {
            return match self {
                Self::Text | Self::Untouched => plain(),
                _ => Value::Null,
            };
        }
        match self {
            Self::Text | Self::Untouched => plain(),
            Self::Int32 => text.trim().parse::<i64>().map_or_else(|_| plain(), Value::from),
            Self::Exact => digits(text.trim()).map_or_else(plain, Value::String),
            Self::Double => {
                let number = text.trim().parse::<f64>().ok().and_then(Number::from_f64);
                number.map_or_else(plain, Value::Number)
            }
            Self::Date => match crate::table::utc_text(text.trim()) {
                Some(time) if time.starts_with("1900-01-01T") => Value::Null,
                Some(time) => Value::String(time),
                None => plain(),
            },
            Self::Guid => guid(text).map_or_else(plain, Value::String),
            Self::Symbol(members) => {
                let by_number = text.parse::<usize>().ok().and_then(|number| members.get(number));
                let found = by_number.or_else(|| members.iter().find(|name| name.eq_ignore_ascii_case(text)));
                found.map_or_else(plain, |name| Value::String(name.clone()))
            }
        }
    }

    fn of_json(&self, value: Value) -> Value {
        match (self, value) {
            (Self::Text, Value::Null) => Value::String(String::new()),
            (Self::Untouched, value) => value,
            (_, Value::String(text)) => self.of_text(&text),
            (Self::Exact | Self::Double | Self::Int32, Value::Number(number)) => {
                self.of_text(&number.to_string())
            }
            (Self::Symbol(_), Value::Bool(flag)) => Value::String(if flag { "Yes" } else { "No" }.to_owned()),
            (_, value) => value,
        }
    }
}

/// Plain digits without zeros that say nothing.
fn digits(text: &str) -> Option<String> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let all = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all(whole) || !all(fraction) {
        return None;
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let mut out = String::new();
    if negative && !(whole.is_empty() && fraction.is_empty()) {
        out.push('-');
    }
    out.push_str(if whole.is_empty() { "0" } else { whole });
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    Some(out)
}

fn guid(text: &str) -> Option<String> {
    let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
    let bare: String = inner.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    if bare.len() != 32 || !bare.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut out = String::with_capacity(36);
    for (index, c) in bare.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(c);
    }
    Some(out)
}

/// Fowler, Noll and Vo's hash of 64 bits: for telling changes, not for secrets.
pub(super) fn fnv(parts: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.iter().copied().flatten() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;
    use serde_json::json;

    fn shape(collection: &str, select: &[String]) -> Shape {
        let entity = builtin().collection(collection).cloned();
        Shape::new(builtin(), entity, Some("USMF"), select)
    }

    fn both(collection: &str, cells: &[(&str, &str)], record: Value) -> (Row, Row) {
        let shape = shape(collection, &[]);
        let names: Vec<String> = cells.iter().map(|(name, _)| (*name).to_owned()).collect();
        let columns = shape.columns(&names, &BTreeMap::new());
        let Value::Object(record) = record else { panic!("no record") };
        (shape.of_cells(&columns, cells.iter().map(|(_, cell)| *cell)), shape.of_record(record))
    }

    #[test]
    fn a_row_looks_the_same_by_either_transport() {
        let (package, odata) = both(
            "CLMIntegrationPurchaseAgreementLines",
            &[
                ("LINENUMBER", "1.0000"),
                ("PURCHASEAGREEMENTID", "000026"),
                ("COMMITTEDAMOUNT", ".500000"),
                ("EFFECTIVEDATE", "2026-04-01T12:00:00"),
                ("EXPIRATIONDATE", "1900-01-01T00:00:00"),
                ("ISPRICEANDDISCOUNTFIXED", "yes"),
                ("COMMITMENTTYPE", "2"),
                ("PROJECTID", ""),
            ],
            json!({
                "@odata.etag": "W/1", "dataAreaId": "usmf", "PurchaseAgreementId": "000026", "LineNumber": 1,
                "CommittedAmount": "0.5", "EffectiveDate": "2026-04-01T12:00:00Z", "ExpirationDate": "1900-01-01T00:00:00Z",
                "IsPriceAndDiscountFixed": "Yes", "CommitmentType": "ProductCategory", "ProjectId": null,
            }),
        );
        let expected = json!({
            "dataAreaId": "usmf", "PurchaseAgreementId": "000026", "LineNumber": "1", "CommittedAmount": "0.5",
            "EffectiveDate": "2026-04-01T12:00:00Z", "ExpirationDate": null, "IsPriceAndDiscountFixed": "Yes",
            "CommitmentType": "ProductCategory", "ProjectId": "",
        });
        assert_eq!(serde_json::from_str::<Value>(&package.json).unwrap(), expected);
        assert_eq!(serde_json::from_str::<Value>(&odata.json).unwrap(), expected);
        assert_eq!((package.hash, &package.key), (odata.hash, &odata.key));
        assert_eq!(package.key, r#"{"dataAreaId":"usmf","PurchaseAgreementId":"000026","LineNumber":"1"}"#);
    }

    #[test]
    fn numbers_are_plain_digits() {
        for (text, plain) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("007", "7"),
            (".5", "0.5"),
            ("-.250", "-0.25"),
            ("1000", "1000"),
            ("9223372036854775807", "9223372036854775807"),
            ("+1.10", "1.1"),
            ("5.", "5"),
        ] {
            assert_eq!(digits(text).as_deref(), Some(plain), "{text}");
        }
        for text in ["", ".", "-", "1,5", "1e3", "x"] {
            assert_eq!(digits(text), None, "{text}");
        }
        assert_eq!(
            guid("{0F8FAD5B-D9CB-469F-A165-70867728950E}").as_deref(),
            Some("0f8fad5b-d9cb-469f-a165-70867728950e")
        );
    }

    #[test]
    fn keys_come_with_any_selection_and_another_value_is_another_hash() {
        let row = |name: &str| {
            let shape = shape("VendorsV2", &["VendorOrganizationName".to_owned()]);
            let Value::Object(record) =
                json!({ "VendorAccountNumber": "1", "VendorOrganizationName": name, "VendorGroupId": "x" })
            else {
                panic!("no record")
            };
            shape.of_record(record)
        };
        assert_eq!(
            row("A").json,
            r#"{"VendorAccountNumber":"1","VendorOrganizationName":"A","dataAreaId":"usmf"}"#
        );
        assert_eq!(row("A").key, row("B").key);
        assert_ne!(row("A").hash, row("B").hash);
    }

    #[test]
    fn what_the_catalogue_lacks_passes_as_it_is() {
        let shape = Shape::new(builtin(), None, None, &[]);
        let columns = shape.columns(&["A".to_owned()], &BTreeMap::new());
        let row = shape.of_cells(&columns, ["1.50"].into_iter());
        assert_eq!(row.json, r#"{"A":"1.50"}"#);
        assert!(row.key.starts_with('"') && row.key.len() == 18, "{}", row.key);
    }
}
