//! Keys: complete, in the service's order, escaped.

use serde_json::{Map, Value};

use super::literal::{Scalar, Typed};
use super::service::Service;
use super::uri::encode_segment;
use crate::catalog::{EdmType, Entity};
use crate::error::{Error, ErrorCode, Result};

/// A record's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// `(dataAreaId='usmf',VendorAccountNumber='1001')`, encoded.
    pub(super) path: String,
    /// The same as a condition, not encoded.
    pub(super) filter: String,
    /// A key with an enum answers 404 although the record is there (field report): it is looked for by condition.
    pub(super) has_enum: bool,
}

impl Key {
    /// Reads a JSON object of key properties; the company is filled in where the key lacks it.
    pub(super) fn read(service: &Service, entity: Option<&Entity>, text: &str) -> Result<Self> {
        let mut given = object(text, "key")?;
        let Some(entity) = entity else { return Self::untyped(&given) };
        if entity.keys.iter().any(|key| key == "dataAreaId") && !given.contains_key("dataAreaId") {
            let company = service.company.clone().ok_or_else(|| {
                Error::argument("the key needs dataAreaId")
                    .hint("Name the company in the key, or set `company` of the client.")
            })?;
            given.insert("dataAreaId".to_owned(), Value::String(company));
        }
        for name in given.keys() {
            entity.require(name)?;
            if !entity.keys.contains(name) {
                return Err(Error::argument(format!("\"{name}\" is no part of the key"))
                    .at_column(name.as_str())
                    .hint(format!("The key is {}.", entity.keys.join(", "))));
            }
        }
        let mut parts = Vec::with_capacity(entity.keys.len());
        let mut has_enum = false;
        for name in &entity.keys {
            let value = given.get(name).ok_or_else(|| {
                Error::argument(format!("the key lacks \"{name}\""))
                    .at_column(name.as_str())
                    .hint(format!("All of {} are needed.", entity.keys.join(", ")))
            })?;
            let property = entity.require(name)?;
            has_enum |= matches!(property.edm, EdmType::Enum(_) | EdmType::UnnamedEnum);
            let misfit =
                |why: String| Error::argument(format!("key \"{name}\": {why}")).at_column(name.as_str());
            let scalar =
                Scalar::of_json(value).ok_or_else(|| misfit("an object or list is no key".to_owned()))?;
            let typed = Typed::of(property, &scalar, service.catalog()).map_err(misfit)?;
            if typed == Typed::Null {
                return Err(misfit("null is no key".to_owned()));
            }
            parts.push((name.clone(), typed.uri().map_err(misfit)?));
        }
        if has_enum && let Some((name, _)) = parts.iter().find(|(_, literal)| literal.contains('*')) {
            return Err(Error::new(
                ErrorCode::UnsupportedQuery,
                format!("key \"{name}\": a record whose key holds an enum is looked for by a filter, which takes * for a wildcard"),
            )
            .at_column(name.as_str())
            .hint("List with like, and compare the rows."));
        }
        Ok(Self::of_parts(&parts, has_enum))
    }

    fn untyped(given: &Map<String, Value>) -> Result<Self> {
        if given.is_empty() {
            return Err(Error::argument("the key is empty"));
        }
        let mut parts = Vec::with_capacity(given.len());
        for (name, value) in given {
            let misfit =
                |why: String| Error::argument(format!("key \"{name}\": {why}")).at_column(name.as_str());
            let scalar =
                Scalar::of_json(value).ok_or_else(|| misfit("an object or list is no key".to_owned()))?;
            parts
                .push((name.clone(), Typed::untyped(&scalar).and_then(|typed| typed.uri()).map_err(misfit)?));
        }
        Ok(Self::of_parts(&parts, false))
    }

    fn of_parts(parts: &[(String, String)], has_enum: bool) -> Self {
        let path = match parts {
            // The short form, as the documentation writes it for entities with one key property.
            [(_, value)] => format!("({})", encode_segment(value)),
            _ => {
                let all: Vec<String> =
                    parts.iter().map(|(name, value)| format!("{name}={}", encode_segment(value))).collect();
                format!("({})", all.join(","))
            }
        };
        let filter: Vec<String> = parts.iter().map(|(name, value)| format!("{name} eq {value}")).collect();
        Self { path, filter: filter.join(" and "), has_enum }
    }
}

/// Parses a JSON object.
pub(super) fn object(text: &str, what: &str) -> Result<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Error::argument(format!("the {what} must be an object"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    fn key(collection: &str, company: Option<&str>, json: &str) -> Result<Key> {
        let service = Service::new("https://c.example", company).unwrap();
        Key::read(&service, builtin().find(collection), json)
    }

    #[test]
    fn keys_are_complete_ordered_and_escaped() {
        let vendor = key("VendorsV2", None, r#"{"VendorAccountNumber":"A/1'","dataAreaId":"usmf"}"#).unwrap();
        assert_eq!(vendor.path, "(dataAreaId='usmf',VendorAccountNumber='A%2F1''')");
        assert_eq!(vendor.filter, "dataAreaId eq 'usmf' and VendorAccountNumber eq 'A/1'''");
        assert_eq!(key("LegalEntities", None, r#"{"LegalEntityId":"USMF"}"#).unwrap().path, "('USMF')");
        let line = r#"{"PurchaseAgreementId":"000026","LineNumber":1}"#;
        assert_eq!(
            key("CLMIntegrationPurchaseAgreementLines", Some("usmf"), line).unwrap().path,
            "(dataAreaId='usmf',PurchaseAgreementId='000026',LineNumber=1)"
        );
    }

    #[test]
    fn a_star_in_a_key_that_is_looked_for_by_filter_is_refused() {
        let schema = r#"{"enums":{"NoYes":["No","Yes"]},"entities":[{"collection":"Flags","aot":"FlagEntity","label":"Flags",
            "direction":"setup","keys":["On","Name"],"properties":[{"name":"On","type":"NoYes"},{"name":"Name","type":"Edm.String"}]}]}"#;
        let catalog = std::sync::Arc::new(crate::catalog::Catalog::from_json(schema).unwrap());
        let service = Service::new("https://c.example", None).unwrap().with_catalog(catalog);
        let key = |name: &str| {
            let json = format!(r#"{{"On":"Yes","Name":"{name}"}}"#);
            Key::read(&service, service.entity("Flags").unwrap().as_deref(), &json)
        };
        let found = key("A").unwrap();
        assert_eq!(found.filter, "On eq Microsoft.Dynamics.DataEntities.NoYes'Yes' and Name eq 'A'");
        assert_eq!(key("A*").unwrap_err().code, ErrorCode::UnsupportedQuery);
    }

    #[test]
    fn a_missing_or_foreign_part_is_named() {
        let error = key("VendorsV2", Some("usmf"), "{}").unwrap_err();
        assert_eq!(error.at.as_deref().unwrap().column.as_deref(), Some("VendorAccountNumber"));
        let error =
            key("VendorsV2", Some("usmf"), r#"{"VendorAccountNumber":"1","VendorGroupId":"2"}"#).unwrap_err();
        assert!(error.message.contains("VendorGroupId"), "{error}");
        assert!(
            key("VendorsV2", None, r#"{"VendorAccountNumber":"1"}"#)
                .unwrap_err()
                .message
                .contains("dataAreaId")
        );
    }
}
