//! Values of properties: how they are held, compared, and written as JSON.
//!
//! Numbers are kept as the text that came in, so that an Int64 beyond 2^53 and a Decimal come back exactly as given.
//! Where a value comes from (JSON, CSV, a URL) is decided elsewhere; here it becomes canonical or is refused.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::catalog::{Catalog, Kind, Property};

/// A value in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// The digits as given.
    Number(String),
    Text(String),
}

/// Property name → value. Properties that were never set are absent and read as the default of their type.
pub(crate) type Row = BTreeMap<String, Value>;

/// "No date" of the service.
pub(crate) const NO_DATE: &str = "1900-01-01T00:00:00Z";

impl Value {
    pub(crate) fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    pub(crate) fn number(value: impl ToString) -> Self {
        Self::Number(value.to_string())
    }

    /// The text of a string, enum, date, or the digits of a number; empty for null.
    pub(crate) fn as_text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Null => "",
        }
    }

    /// Appends the value as JSON.
    pub(crate) fn write_json(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(digits) => out.push_str(digits),
            Self::Text(text) => write_json_string(text, out),
        }
    }
}

/// Appends `text` as a JSON string.
pub(crate) fn write_json_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::String(text.to_owned()).to_string());
}

/// A row as a JSON object, as it is stored.
pub(crate) fn row_to_json(row: &Row) -> String {
    let mut out = String::from("{");
    for (at, (name, value)) in row.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_json_string(name, &mut out);
        out.push(':');
        value.write_json(&mut out);
    }
    out.push('}');
    out
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let raw = <&RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'"') => serde_json::from_str(text).map(Self::Text).map_err(D::Error::custom),
            Some(b't') => Ok(Self::Bool(true)),
            Some(b'f') => Ok(Self::Bool(false)),
            Some(b'n') => Ok(Self::Null),
            Some(b'[' | b'{') => Err(D::Error::custom("a value must not be an array or an object")),
            _ => Ok(Self::Number(text.to_owned())),
        }
    }
}

/// What a property that was never set reads as.
pub(crate) fn default_value(property: &Property, catalog: &Catalog) -> Value {
    match &property.kind {
        Kind::String | Kind::Binary => Value::Text(String::new()),
        Kind::Int32 | Kind::Int64 | Kind::Decimal => Value::Number("0".to_owned()),
        Kind::DateTime => Value::text(NO_DATE),
        Kind::Guid => Value::text("00000000-0000-0000-0000-000000000000"),
        Kind::Enum(name) => Value::text(catalog.members(name).first().cloned().unwrap_or_default()),
    }
}

/// Makes a JSON value canonical for `property`. `quoted_numbers` follows `IEEE754Compatible=true` of the request.
pub(crate) fn from_wire(
    property: &Property,
    value: Value,
    quoted_numbers: bool,
    catalog: &Catalog,
) -> Result<Value, String> {
    let wrong = |found: &str| {
        format!(
            "Cannot convert the literal '{found}' to the expected type '{}' of property '{}'.",
            property.kind.edm(),
            property.name
        )
    };
    match (&property.kind, value) {
        (_, Value::Null) if property.nullable => Ok(default_value(property, catalog)),
        (_, Value::Null) => Err(format!(
            "A null value was found for the property named '{}', which has the expected type '{}[Nullable=False]'. The expected type '{0}[Nullable=False]' does not allow null values.",
            property.name,
            property.kind.edm()
        )),
        (Kind::String, Value::Text(text)) => Ok(Value::Text(text)),
        (Kind::Int32 | Kind::Int64 | Kind::Decimal, Value::Number(digits)) => {
            number(&property.kind, &digits).ok_or_else(|| wrong(&digits))
        }
        (Kind::Int64 | Kind::Decimal, Value::Text(digits)) if quoted_numbers => {
            number(&property.kind, &digits).ok_or_else(|| wrong(&digits))
        }
        (Kind::DateTime, Value::Text(text)) => date_time(&text).map(Value::Text).ok_or_else(|| wrong(&text)),
        (Kind::Enum(name), Value::Text(text)) => {
            if catalog.members(name).contains(&text) {
                Ok(Value::Text(text))
            } else {
                Err(format!(
                    "The value '{text}' is not a member of the type '{NAMESPACE}.{name}'.",
                    NAMESPACE = crate::catalog::NAMESPACE
                ))
            }
        }
        (Kind::Guid, Value::Text(text)) => {
            uuid::Uuid::parse_str(&text).map(|id| Value::Text(id.to_string())).map_err(|_| wrong(&text))
        }
        (Kind::Binary, Value::Text(text)) => Ok(Value::Text(text)),
        (_, other) => Err(wrong(other.as_text())),
    }
}

/// Makes the text of a CSV cell canonical for `property`; `None` where it cannot be read as its type.
pub(crate) fn from_cell(property: &Property, text: &str, catalog: &Catalog) -> Option<Value> {
    match &property.kind {
        Kind::String | Kind::Binary => Some(Value::text(text)),
        _ if text.is_empty() => Some(default_value(property, catalog)),
        kind @ (Kind::Int32 | Kind::Int64 | Kind::Decimal) => number(kind, text.trim()),
        Kind::DateTime => cell_date(text.trim()).map(Value::Text),
        Kind::Guid => uuid::Uuid::parse_str(text).ok().map(|id| Value::Text(id.to_string())),
        Kind::Enum(name) => {
            let members = catalog.members(name);
            if let Some(member) = members.iter().find(|member| member.eq_ignore_ascii_case(text)) {
                return Some(Value::text(member.as_str()));
            }
            text.parse::<usize>()
                .ok()
                .and_then(|at| members.get(at))
                .map(|member| Value::text(member.as_str()))
        }
    }
}

fn number(kind: &Kind, digits: &str) -> Option<Value> {
    match kind {
        Kind::Int32 => digits.parse::<i32>().ok().map(Value::number),
        Kind::Int64 => digits.parse::<i64>().ok().map(Value::number),
        _ => {
            let decimal = Decimal::parse(digits)?;
            // JSON has no number that begins with a point or a plus sign, so those are written out.
            let plain = digits.bytes().next().is_some_and(|first| first.is_ascii_digit())
                && digits.bytes().last().is_some_and(|last| last.is_ascii_digit())
                && !has_leading_zero(digits);
            Some(Value::Number(if plain { digits.to_owned() } else { decimal.to_text() }))
        }
    }
}

fn has_leading_zero(digits: &str) -> bool {
    let mut bytes = digits.bytes();
    bytes.next() == Some(b'0') && bytes.next().is_some_and(|second| second.is_ascii_digit())
}

/// ISO 8601 with an offset → UTC text with `Z`; fractions are kept only where they are not zero.
pub(crate) fn date_time(text: &str) -> Option<String> {
    let parsed = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    parsed.to_offset(UtcOffset::UTC).format(&Rfc3339).ok()
}

/// Dates in files: a date, a date with time, or the full form; without an offset it is UTC. A date alone is noon UTC,
/// as date columns are exposed.
fn cell_date(text: &str) -> Option<String> {
    if text.len() == 10 {
        let day = date_time(&format!("{text}T12:00:00Z"))?;
        return Some(if text == "1900-01-01" { NO_DATE.to_owned() } else { day });
    }
    let text = text.replacen(' ', "T", 1);
    date_time(&text).or_else(|| date_time(&format!("{text}Z")))
}

/// An exact decimal number for comparing, never for computing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    /// Digits before the point without leading zeros.
    whole: String,
    /// Digits after the point without trailing zeros.
    fraction: String,
}

impl Decimal {
    /// Plain or exponent notation; exponents beyond ±64 are refused.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty())
            || !digits_only(whole)
            || !digits_only(fraction)
            || exponent.abs() > 64
            || mantissa.len() > 64
        {
            return None;
        }
        let mut whole = whole.to_owned();
        let mut fraction = fraction.to_owned();
        for _ in 0..exponent {
            whole.push(if fraction.is_empty() { '0' } else { fraction.remove(0) });
        }
        for _ in exponent..0 {
            fraction.insert(0, whole.pop().unwrap_or('0'));
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let negative = negative && !(whole.is_empty() && fraction.is_empty());
        Some(Self { negative, whole, fraction })
    }

    /// Canonical text: equal numbers have equal text.
    pub(crate) fn to_text(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let whole = if self.whole.is_empty() { "0" } else { &self.whole };
        let point = if self.fraction.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{}", self.fraction)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = self
            .whole
            .len()
            .cmp(&other.whole.len())
            .then_with(|| self.whole.cmp(&other.whole))
            .then_with(|| self.fraction.cmp(&other.fraction));
        match (self.negative, other.negative) {
            (false, false) => size,
            (true, true) => size.reverse(),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_compare_by_value() {
        let decimal = |text| Decimal::parse(text).unwrap();
        assert_eq!(decimal("1.50"), decimal("1.5"));
        assert_eq!(decimal("-0"), decimal("0.00"));
        assert_eq!(decimal("12e2"), decimal("1200"));
        assert_eq!(decimal("5e-3"), decimal(".005"));
        assert!(decimal("-2") < decimal("-1.5"));
        assert!(decimal("9007199254740993") > decimal("9007199254740992"));
        assert_eq!(decimal(".000000").to_text(), "0");
        for bad in ["", "-", "1,5", "1.2.3", "e5", "1e99", "NaN"] {
            assert!(Decimal::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn cells_are_read_by_type() {
        let catalog = Catalog::embedded().unwrap();
        let contract = catalog.label("CLM integration contract").unwrap();
        let status = contract.property("ContractStatus").unwrap();
        assert_eq!(from_cell(status, "Executed", &catalog), Some(Value::text("Executed")));
        assert_eq!(from_cell(status, "2", &catalog), Some(Value::text("Approved")));
        assert_eq!(from_cell(status, "Signed", &catalog), None);
        let date = contract.property("EffectiveDate").unwrap();
        assert_eq!(from_cell(date, "2026-04-01", &catalog), Some(Value::text("2026-04-01T12:00:00Z")));
        assert_eq!(
            from_cell(date, "2026-04-01 08:30:00", &catalog),
            Some(Value::text("2026-04-01T08:30:00Z"))
        );
        assert_eq!(
            from_cell(date, "2026-04-01T02:00:00+02:00", &catalog),
            Some(Value::text("2026-04-01T00:00:00Z"))
        );
        assert_eq!(from_cell(date, "", &catalog), Some(Value::text(NO_DATE)));
        assert_eq!(from_cell(date, "01.04.2026", &catalog), None);
    }

    #[test]
    fn numbers_stay_as_given() {
        let row: Row =
            serde_json::from_str(r#"{"a":9007199254740993,"b":1.50,"c":"x\u00e9","d":null}"#).unwrap();
        assert_eq!(row_to_json(&row), r#"{"a":9007199254740993,"b":1.50,"c":"xé","d":null}"#);
    }
}
