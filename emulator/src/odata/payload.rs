//! Bodies that come in, and rows that go out.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Call;
use super::error::ODataError;
use super::filter::unknown_property;
use super::navigation::Expansion;
use super::url::Options;
use crate::catalog::{Action, Catalog, Entity, NAMESPACE, Property};
use crate::store::Stored;
use crate::value::{Row, Value, default_value, from_wire, write_json_string};

/// Parameters of an action, by name.
#[derive(Debug, Default)]
pub(crate) struct Parameters(HashMap<String, Value>);

impl Parameters {
    /// A text parameter; empty where it was left out.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", Value::as_text)
    }

    /// A Boolean parameter; false where it was left out.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }
}

/// Reads the body of an action call. Unknown names and wrong types are refused; names are case-sensitive.
pub(crate) fn parameters(call: &Call, action: &Action) -> Result<Parameters, ODataError> {
    let body = call.body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&call.body);
    if body.is_empty() {
        return Err(ODataError::bad_request(
            "The request must have a JSON body; an action without parameters takes {}.",
        ));
    }
    let given: HashMap<String, Value> = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    for (name, value) in &given {
        let Some(parameter) = action.parameters.iter().find(|parameter| parameter.name == *name) else {
            return Err(ODataError::bad_request(format!(
                "The parameter '{name}' in the request payload is not a valid parameter for the operation '{}'.",
                action.name
            )));
        };
        let fits = match (parameter.kind.as_str(), value) {
            (_, Value::Null) | ("Edm.String", Value::Text(_)) | ("Edm.Boolean", Value::Bool(_)) => true,
            ("Edm.Int32" | "Edm.Int64", Value::Number(digits)) => digits.parse::<i64>().is_ok(),
            _ => false,
        };
        if !fits {
            return Err(ODataError::bad_request(format!(
                "Cannot convert the value of the parameter '{name}' to the expected type '{}'.",
                parameter.kind
            )));
        }
    }
    Ok(Parameters(given))
}

/// Reads the body of a create or update into canonical values.
pub(crate) fn row(call: &Call, entity: &Entity, catalog: &Catalog) -> Result<Row, ODataError> {
    let body = call.body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&call.body);
    let given: serde_json::Map<String, serde_json::Value>;
    let parsed: Row = match serde_json::from_slice(body) {
        Ok(parsed) => parsed,
        Err(error) => {
            // Nested values are told apart from broken JSON.
            given = serde_json::from_slice(body).map_err(|_| unreadable(&error))?;
            let nested = given.iter().find(|(_, value)| value.is_object() || value.is_array());
            let name = nested.map_or("", |(name, _)| name.as_str());
            return Err(ODataError::not_here(&format!("A nested value (property '{name}') in a payload")));
        }
    };
    canonical(parsed, entity, call.quoted_numbers(), catalog).map_err(|(name, why)| match why {
        Some(why) => ODataError::bad_request(why),
        None => unknown_property(&name, entity),
    })
}

/// Fits values to an entity. Annotations are dropped; the error names the property, with the reason unless it is
/// unknown.
pub(crate) fn canonical(
    parsed: Row,
    entity: &Entity,
    quoted_numbers: bool,
    catalog: &Catalog,
) -> Result<Row, (String, Option<String>)> {
    let mut row = Row::new();
    for (name, value) in parsed {
        if name.ends_with("@odata.bind") {
            return Err((
                name.clone(),
                Some(format!("The sandbox does not bind related entities ('{name}').")),
            ));
        }
        if name.contains('@') {
            continue;
        }
        let Some(property) = entity.property(&name) else { return Err((name, None)) };
        let value =
            from_wire(property, value, quoted_numbers, catalog).map_err(|why| (name.clone(), Some(why)))?;
        row.insert(name, value);
    }
    Ok(row)
}

/// As `canonical`, for the load path: the error is a sentence.
pub(crate) fn canonical_row(parsed: Row, entity: &Entity, catalog: &Catalog) -> Result<Row, String> {
    canonical(parsed, entity, true, catalog)
        .map_err(|(name, why)| why.unwrap_or_else(|| format!("'{}' has no property '{name}'", entity.label)))
}

fn unreadable(error: &serde_json::Error) -> ODataError {
    ODataError::bad_request(format!("An unreadable JSON payload was found: {error}."))
}

/// Properties that an answer shows: those selected, or all. Navigation properties may be selected too; they show where
/// they are expanded.
pub(crate) fn selected<'a>(entity: &'a Entity, options: &Options) -> Result<Vec<&'a Property>, ODataError> {
    if options.select.is_empty() {
        return Ok(entity.properties.iter().collect());
    }
    let is_link = |name: &str| entity.navigation.iter().any(|navigation| navigation.name == name);
    let named = options.select.iter().filter(|name| !is_link(name));
    named.map(|name| entity.property(name).ok_or_else(|| unknown_property(name, entity))).collect()
}

/// Weak tag of a row's version, in the form seen in the field.
pub(crate) fn etag(stored: &Stored) -> String {
    format!("W/\"{}\"", STANDARD.encode(format!("'{},{}'", stored.version, stored.id)))
}

/// Appends a row as a JSON object with what is expanded; `context` for answers that hold one entity.
pub(crate) fn write_entity(
    out: &mut String,
    entity: &Entity,
    stored: &Stored,
    properties: &[&Property],
    expansions: &[Expansion<'_>],
    context: Option<&str>,
    catalog: &Catalog,
) {
    out.push('{');
    if let Some(context) = context {
        out.push_str("\"@odata.context\":");
        write_json_string(context, out);
        out.push(',');
    }
    out.push_str("\"@odata.etag\":");
    write_json_string(&etag(stored), out);
    for property in properties {
        out.push(',');
        write_json_string(&property.name, out);
        out.push(':');
        match stored.row.get(&property.name) {
            Some(value) => value.write_json(out),
            None => default_value(property, catalog).write_json(out),
        }
    }
    for expansion in expansions {
        out.push(',');
        write_json_string(expansion.link.name, out);
        out.push(':');
        write_related(out, expansion, expansion.of(entity, &stored.row), catalog);
    }
    out.push('}');
}

/// A list, or one object, or null.
fn write_related(out: &mut String, expansion: &Expansion<'_>, rows: &[Stored], catalog: &Catalog) {
    let target = expansion.link.target;
    let properties: Vec<_> = target.properties.iter().collect();
    let shown = if expansion.link.many { rows.len() } else { 1 };
    if expansion.link.many {
        out.push('[');
    } else if rows.is_empty() {
        out.push_str("null");
    }
    for (at, related) in rows.iter().take(shown).enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_entity(out, target, related, &properties, &[], None, catalog);
    }
    if expansion.link.many {
        out.push(']');
    }
}

/// Context of a collection.
pub(crate) fn context(base_url: &str, entity: &Entity, select: &[String], single: bool) -> String {
    let set = entity.collection.as_deref().unwrap_or(NAMESPACE);
    let columns = if select.is_empty() { String::new() } else { format!("({})", select.join(",")) };
    let suffix = if single { "/$entity" } else { "" };
    format!("{base_url}/data/$metadata#{set}{columns}{suffix}")
}
