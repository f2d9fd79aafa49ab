//! Values by type: how each is written in a URL and in a JSON body.
//!
//! The rules are those of "Open Data Protocol (OData)" of the service's documentation and of its metadata: enums by symbol,
//! dates without time at noon UTC, 1900-01-01 for "no date", Int64 and Decimal never through a float.

use serde_json::Value;

use super::moment::Moment;
use super::uri::quote;
use crate::catalog::{Catalog, EdmType, NAMESPACE, Property, nearest};
use crate::error::Error;
use crate::fields::{Fields, FromValue, deserialize};

/// What stands for "no date" where null is not allowed (field report).
pub(super) const NO_DATE: &str = "1900-01-01T00:00:00Z";

/// Doubles that are no number.
const ENDLESS: [&str; 3] = ["INF", "-INF", "NaN"];

/// A value as a caller gave it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Scalar {
    /// Text.
    Text(String),
    /// A number, by its text.
    Number(String),
    /// A moment, as ISO 8601; a date alone is kept by the service at noon UTC.
    Date(String),
    /// A GUID. A caller may give it as text too, where the property tells its type.
    Guid(String),
    /// Bytes, as base64 with the letters for URLs. No filter takes them.
    Binary(String),
    /// A time of day, `23:59:00`. No property of this service has the type.
    TimeOfDay(String),
    /// A duration, `P1DT12H`. No property of this service has the type.
    Duration(String),
    /// True or false.
    Bool(bool),
    /// Nothing.
    Null,
    /// A member of a named enum type.
    Enum {
        /// Short name of the type; empty where the property tells it.
        name: String,
        /// Symbol of the member.
        member: String,
    },
}

deserialize!(Scalar);

/// The spelling of the boundary: `{"t":"s","v":"…"}`.
impl FromValue for Scalar {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let tag = of.required("t", Fields::text);
        let text = match of.value("v") {
            Some(Value::String(text)) => text,
            None => String::new(),
            Some(other) => other.to_string(),
        };
        let name = of.not_null("enum").text("enum").unwrap_or_default();
        of.finish_open(match tag.as_str() {
            "n" => Self::Number(text),
            "d" => Self::Date(text),
            "g" => Self::Guid(text),
            "b" => Self::Bool(text == "true"),
            "z" => Self::Null,
            "e" => Self::Enum { name, member: text },
            _ => Self::Text(text),
        })
    }
}

impl Scalar {
    /// As it stands in a URL, not yet percent-encoded, where no property tells the type; [`Scalar::parse`] reads it again.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a text that is none of the number, date or GUID that it claims to be, and for an enum member without
    /// its type.
    pub fn to_literal(&self) -> Result<String, Error> {
        Typed::untyped(self).and_then(|typed| typed.uri()).map_err(Error::argument)
    }

    /// A value of a JSON body; objects and lists are none.
    pub(super) fn of_json(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(_) | Value::Object(_) => return None,
        })
    }
}

/// A value that fits its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Typed {
    Text(String),
    /// A literal of digits.
    Number(String),
    Bool(bool),
    Date(String),
    Guid(String),
    /// Of a type that no property has, as it stands in a URL.
    Prefixed(String),
    Enum {
        name: Option<String>,
        member: String,
    },
    Null,
}

impl Typed {
    /// Fits the value to the type of the property; `Err` says why it does not.
    pub(super) fn of(property: &Property, value: &Scalar, catalog: &Catalog) -> Result<Self, String> {
        let fit = fit(&property.edm, value, catalog, &property.members)?;
        match (&fit, &property.edm) {
            (Self::Null, EdmType::DateTimeOffset) if property.nullable == Some(false) => {
                Ok(Self::Date(NO_DATE.to_owned()))
            }
            (Self::Null, _) if property.nullable == Some(false) => Err("it can't be null".to_owned()),
            _ => Ok(fit),
        }
    }

    pub(super) fn of_type(edm: &EdmType, value: &Scalar, catalog: &Catalog) -> Result<Self, String> {
        fit(edm, value, catalog, &[])
    }

    /// Without knowledge of the property the value speaks for itself.
    pub(super) fn untyped(value: &Scalar) -> Result<Self, String> {
        Ok(match value {
            Scalar::Text(text) => Self::Text(text.clone()),
            Scalar::Number(text) if ENDLESS.contains(&text.as_str()) => Self::Number(text.clone()),
            Scalar::Number(text) => Self::Number(decimal(text)?),
            Scalar::Bool(flag) => Self::Bool(*flag),
            Scalar::Date(text) => Self::Date(date(text)?),
            Scalar::Guid(text) => Self::Guid(guid(text)?),
            Scalar::Binary(text) => Self::Prefixed(format!("binary'{text}'")),
            Scalar::TimeOfDay(text) => Self::Prefixed(text.clone()),
            Scalar::Duration(text) => Self::Prefixed(format!("duration'{text}'")),
            Scalar::Null => Self::Null,
            Scalar::Enum { name, .. }
                if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.".contains(&b)) =>
            {
                return Err(format!("\"{name}\" is no name of an enum"));
            }
            Scalar::Enum { name, member } if !name.is_empty() => {
                Self::Enum { name: Some(name.clone()), member: member.clone() }
            }
            Scalar::Enum { .. } => return Err("the enum type must be named for an unknown entity".to_owned()),
        })
    }

    /// As it stands in `$filter` and in a key.
    pub(super) fn uri(&self) -> Result<String, String> {
        Ok(match self {
            Self::Text(text) => quote(text),
            Self::Number(text) | Self::Date(text) | Self::Guid(text) | Self::Prefixed(text) => text.clone(),
            // Of another namespace than the service's own.
            Self::Enum { name: Some(name), member } if name.contains('.') => {
                format!("{name}{}", quote(member))
            }
            Self::Bool(flag) => flag.to_string(),
            Self::Enum { name: Some(name), member } => format!("{NAMESPACE}.{name}{}", quote(member)),
            Self::Enum { name: None, .. } => {
                return Err(
                    "the name of its enum type is not published; list the collection and compare".to_owned()
                );
            }
            Self::Null => "null".to_owned(),
        })
    }

    /// As it stands in a JSON body.
    pub(super) fn json(&self) -> String {
        match self {
            Self::Text(text)
            | Self::Date(text)
            | Self::Guid(text)
            | Self::Prefixed(text)
            | Self::Enum { member: text, .. } => Value::String(text.clone()).to_string(),
            Self::Number(text) => text.clone(),
            Self::Bool(flag) => flag.to_string(),
            Self::Null => "null".to_owned(),
        }
    }
}

fn fit(edm: &EdmType, value: &Scalar, catalog: &Catalog, members: &[String]) -> Result<Typed, String> {
    if *value == Scalar::Null {
        return Ok(Typed::Null);
    }
    Ok(match (edm, value) {
        (EdmType::String | EdmType::Binary, Scalar::Text(text)) => Typed::Text(text.clone()),
        (EdmType::Boolean, Scalar::Bool(flag)) => Typed::Bool(*flag),
        (EdmType::Int32, Scalar::Number(text) | Scalar::Text(text)) => {
            let number: i32 = text.parse().map_err(|_| format!("{text} is no Int32"))?;
            Typed::Number(number.to_string())
        }
        (EdmType::Int64, Scalar::Number(text) | Scalar::Text(text)) => {
            let number: i64 = text.parse().map_err(|_| format!("{text} is no Int64"))?;
            Typed::Number(number.to_string())
        }
        (EdmType::Double, Scalar::Number(text)) if ENDLESS.contains(&text.as_str()) => {
            Typed::Number(text.clone())
        }
        (EdmType::Decimal | EdmType::Double, Scalar::Number(text) | Scalar::Text(text)) => {
            Typed::Number(decimal(text)?)
        }
        (EdmType::DateTimeOffset, Scalar::Date(text) | Scalar::Text(text)) => Typed::Date(date(text)?),
        (EdmType::Guid, Scalar::Guid(text) | Scalar::Text(text)) => Typed::Guid(guid(text)?),
        (EdmType::Enum(name), Scalar::Bool(flag)) if name == "NoYes" => {
            let member = if *flag { "Yes" } else { "No" };
            Typed::Enum { name: Some(name.clone()), member: member.to_owned() }
        }
        (EdmType::Enum(name), Scalar::Text(member)) => {
            member_of(member, catalog.enum_members(name).unwrap_or_default())?;
            Typed::Enum { name: Some(name.clone()), member: member.clone() }
        }
        (EdmType::Enum(name), Scalar::Enum { name: given, member }) => {
            if !given.is_empty() && given != name {
                return Err(format!("its type is {name}, not {given}"));
            }
            member_of(member, catalog.enum_members(name).unwrap_or_default())?;
            Typed::Enum { name: Some(name.clone()), member: member.clone() }
        }
        (EdmType::UnnamedEnum, Scalar::Text(member)) => {
            member_of(member, members)?;
            Typed::Enum { name: None, member: member.clone() }
        }
        (EdmType::UnnamedEnum, Scalar::Enum { name, member }) => {
            member_of(member, members)?;
            Typed::Enum { name: Some(name.clone()).filter(|name| !name.is_empty()), member: member.clone() }
        }
        (EdmType::Other(_), value) => Typed::untyped(value)?,
        (edm, value) => return Err(format!("a {} does not fit {}", kind(value), type_name(edm))),
    })
}

fn member_of(member: &str, members: &[String]) -> Result<(), String> {
    if members.is_empty() || members.iter().any(|known| known == member) {
        return Ok(());
    }
    match nearest(member, members.iter().map(String::as_str)) {
        Some(near) => Err(format!("\"{member}\" is no member; did you mean \"{near}\"?")),
        None => Err(format!("\"{member}\" is no member; there are {}", members.join(", "))),
    }
}

/// JSON's number grammar; an exponent is allowed there and by the service's parser.
fn decimal(text: &str) -> Result<String, String> {
    match serde_json::from_str::<&serde_json::value::RawValue>(text) {
        // The parser forgives white space around the number; a URL would not.
        Ok(raw) if raw.get() == text && text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
            Ok(text.to_owned())
        }
        _ => Err(format!("\"{text}\" is no number with a point as decimal separator")),
    }
}

/// A moment, moved to UTC, or a date, which the service keeps at noon UTC.
fn date(text: &str) -> Result<String, String> {
    let Some(moment) = Moment::parse(text) else {
        return Err(format!("\"{text}\" is no date: 2026-03-31 or 2026-03-31T10:15:07Z (UTC) is meant"));
    };
    Ok(if text.ends_with('Z') { text.to_owned() } else { moment.to_utc() })
}

fn guid(text: &str) -> Result<String, String> {
    let dashes = [8, 13, 18, 23];
    let fits = text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(at, b)| if dashes.contains(&at) { b == b'-' } else { b.is_ascii_hexdigit() });
    if fits { Ok(text.to_owned()) } else { Err(format!("\"{text}\" is no GUID")) }
}

const fn kind(value: &Scalar) -> &'static str {
    match value {
        Scalar::Text(_) => "text",
        Scalar::Number(_) => "number",
        Scalar::Date(_) => "date",
        Scalar::Guid(_) => "GUID",
        Scalar::Binary(_) => "binary value",
        Scalar::TimeOfDay(_) => "time of day",
        Scalar::Duration(_) => "duration",
        Scalar::Bool(_) => "boolean",
        Scalar::Null => "null",
        Scalar::Enum { .. } => "enum member",
    }
}

fn type_name(edm: &EdmType) -> String {
    match edm {
        EdmType::String => "Edm.String".to_owned(),
        EdmType::Boolean => "Edm.Boolean".to_owned(),
        EdmType::Int32 => "Edm.Int32".to_owned(),
        EdmType::Int64 => "Edm.Int64".to_owned(),
        EdmType::Decimal => "Edm.Decimal".to_owned(),
        EdmType::Double => "Edm.Double".to_owned(),
        EdmType::DateTimeOffset => "Edm.DateTimeOffset".to_owned(),
        EdmType::Guid => "Edm.Guid".to_owned(),
        EdmType::Binary => "Edm.Binary".to_owned(),
        EdmType::Enum(name) => format!("the enum {name}"),
        EdmType::UnnamedEnum => "an enum".to_owned(),
        EdmType::Other(name) => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    fn uri(collection: &str, property: &str, value: Scalar) -> Result<String, String> {
        let property = builtin().find(collection).unwrap().property(property).unwrap();
        Typed::of(property, &value, builtin()).and_then(|typed| typed.uri())
    }
    fn text(text: &str) -> Scalar {
        Scalar::Text(text.to_owned())
    }

    #[test]
    fn literals_are_written_by_the_type_of_the_property() {
        assert_eq!(uri("Currencies", "Name", text("O'Neil")).unwrap(), "'O''Neil'");
        assert_eq!(
            uri("CLMIntegrationContracts", "ContractStatus", text("Executed")).unwrap(),
            "Microsoft.Dynamics.DataEntities.CLMIntegrationContractStatus'Executed'"
        );
        assert_eq!(
            uri("CLMIntegrationContracts", "AmendmentInProcess", Scalar::Bool(true)).unwrap(),
            "Microsoft.Dynamics.DataEntities.NoYes'Yes'"
        );
        assert_eq!(
            uri("CLMIntegrationContracts", "EffectiveDate", text("2026-04-01")).unwrap(),
            "2026-04-01T12:00:00Z"
        );
        let line = "CLMIntegrationPurchaseAgreementLines";
        assert_eq!(uri(line, "LineNumber", Scalar::Number("1".into())).unwrap(), "1");
        assert_eq!(
            uri(line, "LineNumber", text("12345678901234567890.1")).unwrap(),
            "12345678901234567890.1",
            "a Decimal never passes through a float"
        );
    }

    #[test]
    fn what_does_not_fit_is_told_with_the_nearest_member() {
        let error = uri("CLMIntegrationContracts", "ContractStatus", text("Excuted")).unwrap_err();
        assert!(error.contains("did you mean \"Executed\"?"), "{error}");
        assert!(uri("Currencies", "Name", Scalar::Number("1".into())).unwrap_err().contains("does not fit"));
        assert!(uri("CLMIntegrationContracts", "EffectiveDate", text("01.04.2026")).is_err());
        let line = "CLMIntegrationPurchaseAgreementLines";
        for bad in ["1,5", "", "NaN", "1 ", "0x1", "\"1\""] {
            assert!(uri(line, "LineNumber", text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_date_is_written_as_the_service_keeps_it() {
        let property = builtin().find("CLMIntegrationContracts").unwrap().property("ExpirationDate").unwrap();
        let typed = Typed::of(property, &Scalar::Null, builtin()).unwrap();
        assert_eq!(typed.json(), "\"1900-01-01T00:00:00Z\"");
    }

    #[test]
    fn an_enum_without_a_published_type_can_be_written_but_not_compared() {
        let links = builtin().find("CLMIntegrationExternalNavigationLinks").unwrap();
        let typed =
            Typed::of(links.property("NavigationType").unwrap(), &text("ViewContract"), builtin()).unwrap();
        assert_eq!(typed.json(), "\"ViewContract\"");
        assert!(typed.uri().is_err());
    }
}
