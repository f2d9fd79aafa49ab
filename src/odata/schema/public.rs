//! Answers of the metadata service.

use serde_json::Value;

use super::document::short;
use crate::catalog::{
    Action, Binding, Direction, EdmType, Entity, NAMESPACE, Navigation, Parameter, Property,
};
use crate::error::{Error, ErrorCode, Result};
use crate::http::Response;

/// One row of `DataEntities`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Listed {
    /// Name in the application.
    pub(super) aot: String,
    /// Its entity type.
    pub(super) kind: String,
    pub(super) collection: String,
    /// `@SYS1234`, or empty.
    pub(super) label: String,
}

/// The rows of `DataEntities`.
pub(super) fn listed(response: &Response) -> Result<Vec<Listed>> {
    let answer = tree(response)?;
    let rows = answer.get("value").and_then(Value::as_array).ok_or_else(unreadable)?;
    let row = |row: &Value| Listed {
        aot: text(row, "Name"),
        kind: text(row, "PublicEntityName"),
        collection: text(row, "PublicCollectionName"),
        label: text(row, "LabelId"),
    };
    Ok(rows.iter().map(row).collect())
}

/// One of `PublicEntities`. Navigation leads to types here, not yet to collections.
pub(super) fn entity(response: &Response, listed: &Listed) -> Result<Entity> {
    let answer = tree(response)?;
    let properties = list(&answer, "Properties");
    if properties.is_empty() || text(&answer, "EntitySetName") != listed.collection {
        return Err(unreadable());
    }
    let keys: Vec<String> =
        properties.iter().filter(|it| flag(it, "IsKey")).map(|it| text(it, "Name")).collect();
    let company = Some(keys.iter().any(|key| key == "dataAreaId"));
    Ok(Entity {
        collection: Some(listed.collection.clone()),
        type_name: Some(listed.kind.clone()),
        aot: listed.aot.clone(),
        label: String::new(),
        company,
        direction: Direction::Unknown,
        keys,
        properties: properties.iter().map(property).collect(),
        navigation: list(&answer, "NavigationProperties").iter().map(navigation).collect(),
        actions: list(&answer, "Actions").iter().filter_map(action).collect(),
        of_tenant: true,
    })
}

/// The service does not say here what may be null, nor how long a text may be.
fn property(it: &Value) -> Property {
    Property {
        name: text(it, "Name"),
        edm: edm(&text(it, "TypeName")),
        nullable: flag(it, "IsKey").then_some(false),
        members: Vec::new(),
        max_length: None,
    }
}

fn navigation(it: &Value) -> Navigation {
    Navigation {
        name: text(it, "Name"),
        target: short(&text(it, "RelatedEntity")).to_owned(),
        many: text(it, "Cardinality") == "Multiple",
    }
}

fn action(it: &Value) -> Option<Action> {
    let binding = match text(it, "BindingKind").as_str() {
        "BoundToEntitySet" => Binding::Collection,
        "BoundToEntity" | "BoundToEntityInstance" => Binding::Entity,
        _ => return None,
    };
    let parameter = |it: &Value| Parameter {
        name: text(it, "Name"),
        edm: EdmType::parse(&kind(it.get("Type").unwrap_or(&Value::Null))),
    };
    Some(Action {
        name: text(it, "Name"),
        binding,
        parameters: list(it, "Parameters").iter().map(parameter).collect(),
        returns: it
            .get("ReturnType")
            .filter(|kind| kind.is_object())
            .map(kind)
            .filter(|kind| !kind.is_empty()),
    })
}

fn kind(it: &Value) -> String {
    let name = text(it, "TypeName");
    if flag(it, "IsCollection") { format!("Collection({name})") } else { name }
}

/// An enum has the namespace of the service or none.
fn edm(name: &str) -> EdmType {
    match EdmType::parse(name) {
        EdmType::Other(full) if full.starts_with(NAMESPACE) => EdmType::Enum(short(&full).to_owned()),
        edm => edm,
    }
}

/// The members of one of `PublicEnumerations`.
pub(super) fn members(response: &Response) -> Result<Vec<String>> {
    let answer = tree(response)?;
    Ok(list(&answer, "Members").iter().map(|it| text(it, "Name")).collect())
}

/// The collection of one of `PublicEntities`.
pub(super) fn set_name(response: &Response) -> Result<String> {
    tree(response).map(|answer| text(&answer, "EntitySetName"))
}

/// The text of one of `Labels`.
pub(super) fn label(response: &Response) -> Result<String> {
    tree(response).map(|answer| text(&answer, "Value"))
}

fn tree(response: &Response) -> Result<Value> {
    let tree = serde_json::from_str(response.text().unwrap_or_default());
    tree.ok().filter(Value::is_object).ok_or_else(unreadable)
}

fn unreadable() -> Error {
    Error::new(ErrorCode::ServiceError, "the answer of the metadata service is not what it is known to give")
        .hint("A proxy on the way may have answered in place of the service.")
}

fn text(of: &Value, name: &str) -> String {
    of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn flag(of: &Value, name: &str) -> bool {
    of.get(name).and_then(Value::as_bool).unwrap_or_default()
}

fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
