//! Bodies that are written, and single values that are read.

use serde_json::Value;
use serde_json::value::RawValue;

use super::key::object;
use super::literal::{Scalar, Typed};
use super::service::Service;
use crate::catalog::{Action, Entity, nearest};
use crate::error::{Error, ErrorCode, Result};

/// The JSON of a record to be written. Only what the caller set is sent: the service takes an empty string for a value, not
/// for a wish to have the default.
pub(super) fn record(service: &Service, entity: Option<&Entity>, text: &str, what: &str) -> Result<String> {
    let given = object(text, what)?;
    let Some(entity) = entity else { return Ok(text.to_owned()) };
    let mut out = String::from("{");
    for (name, value) in &given {
        if name.starts_with('@') {
            continue;
        }
        let property = entity.require(name)?;
        let misfit = |why: String| Error::argument(format!("\"{name}\": {why}")).at_column(name.as_str());
        let scalar =
            Scalar::of_json(value).ok_or_else(|| misfit("an object or list is no value".to_owned()))?;
        let typed = Typed::of(property, &scalar, service.catalog()).map_err(misfit)?;
        push(&mut out, name, &typed.json());
    }
    out.push('}');
    Ok(out)
}

/// The JSON of an action's parameters, checked where the action is known. A void list still needs `{}`.
pub(super) fn parameters(service: &Service, action: Option<&Action>, text: &str) -> Result<String> {
    let given = object(text, "parameters")?;
    let Some(action) = action else { return Ok(text.to_owned()) };
    let mut out = String::from("{");
    for (name, value) in &given {
        let Some(parameter) = action.parameters.iter().find(|known| known.name == *name) else {
            let known = action.parameters.iter().map(|known| known.name.as_str());
            let error = Error::argument(format!("{} has no parameter \"{name}\"", action.name))
                .at_column(name.as_str());
            return Err(match nearest(name, known) {
                Some(near) => error.hint(format!("Did you mean \"{near}\"? Names are case-sensitive.")),
                None => error,
            });
        };
        let written = match Scalar::of_json(value) {
            Some(scalar) => Typed::of_type(&parameter.edm, &scalar, service.catalog())
                .map_err(|why| Error::argument(format!("\"{name}\": {why}")).at_column(name.as_str()))?
                .json(),
            None => value.to_string(),
        };
        push(&mut out, name, &written);
    }
    out.push('}');
    Ok(out)
}

fn push(out: &mut String, name: &str, value: &str) {
    if out.len() > 1 {
        out.push(',');
    }
    out.push_str(&Value::String(name.to_owned()).to_string());
    out.push(':');
    out.push_str(value);
}

/// The `value` of an action's answer as JSON text: bare, or wrapped once more as some pages of the documentation print it.
pub(crate) fn action_value(text: &str) -> Result<Option<String>> {
    #[derive(serde::Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        value: Option<&'a RawValue>,
    }
    if text.trim().is_empty() {
        return Ok(None);
    }
    let unreadable = || {
        Error::new(ErrorCode::ServiceError, "the answer of the action is no JSON object with a value")
            .hint("A proxy on the way may have answered in place of the service.")
    };
    let outer: Envelope<'_> = serde_json::from_str(text).map_err(|_| unreadable())?;
    let Some(value) = outer.value else { return Ok(Some(text.to_owned())) };
    match serde_json::from_str::<Envelope<'_>>(value.get()) {
        Ok(Envelope { value: Some(inner) }) if value.get().starts_with('{') => {
            Ok(Some(inner.get().to_owned()))
        }
        _ => Ok(Some(value.get().to_owned())),
    }
}

/// The text of an action that returns a string.
pub(crate) fn inner_text(text: &str) -> Result<String> {
    let value = action_value(text)?.unwrap_or_else(|| "\"\"".to_owned());
    serde_json::from_str::<Option<String>>(&value).map(Option::unwrap_or_default).map_err(|_| {
        Error::new(ErrorCode::ServiceError, "the action answered with something else than a text")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    fn write(collection: &str, json: &str) -> Result<String> {
        let service = Service::new("https://c.example", None).unwrap();
        record(&service, builtin().find(collection), json, "record")
    }

    #[test]
    fn values_are_written_by_type_and_unset_ones_not_at_all() {
        let json = r#"{"dataAreaId":"usmf","PurchaseAgreementId":"000026","LineNumber":"1.0000000000000000001",
            "CommitmentType":"ProductQuantity","IsPriceAndDiscountFixed":true,"EffectiveDate":"2026-04-01"}"#;
        assert_eq!(
            write("CLMIntegrationPurchaseAgreementLines", json).unwrap(),
            r#"{"dataAreaId":"usmf","PurchaseAgreementId":"000026","LineNumber":1.0000000000000000001,"CommitmentType":"ProductQuantity","IsPriceAndDiscountFixed":"Yes","EffectiveDate":"2026-04-01T12:00:00Z"}"#
        );
    }

    #[test]
    fn a_misspelt_property_or_a_wrong_value_is_named() {
        let error = write("Currencies", r#"{"CurrencyCod":"EUR"}"#).unwrap_err();
        assert_eq!(error.code, ErrorCode::UnknownProperty);
        let error = write("Currencies", r#"{"DecimalsCount_MX":1.5}"#).unwrap_err();
        assert_eq!(error.at.as_deref().unwrap().column.as_deref(), Some("DecimalsCount_MX"));
        assert!(write("Currencies", "[]").is_err());
    }

    #[test]
    fn answers_of_actions_are_read_in_both_shapes() {
        assert_eq!(inner_text(r#"{"@odata.context":"x","value":"a\"b"}"#).unwrap(), "a\"b");
        assert_eq!(inner_text(r#"{"@odata.context":"x","value":{"value":"abc"}}"#).unwrap(), "abc");
        assert_eq!(inner_text("").unwrap(), "");
        assert_eq!(action_value(r#"{"value":["a"]}"#).unwrap().unwrap(), r#"["a"]"#);
        assert!(inner_text("<html>").is_err());
    }
}
