//! What the metadata service says of the catalogue. Label ids are the sandbox's own (`@Sandbox:…`): the ids of the
//! service are not public. Categories, read-only flags and X++ types of dates are guesses.

use serde_json::{Map, Value as Json, json};

use crate::catalog::{Catalog, Entity, Kind, NAMESPACE, Property};

type Object = Map<String, Json>;

/// All entities, those without a public collection too.
pub(super) fn data_entities(catalog: &Catalog) -> Vec<Object> {
    let object = |entity: &Entity| {
        let public = entity.collection.is_some();
        json!({
            "Name": entity.aot,
            "PublicEntityName": if public { entity.type_name.as_str() } else { "" },
            "PublicCollectionName": entity.collection.as_deref().unwrap_or_default(),
            "LabelId": format!("{PREFIX}{}", entity.aot),
            "DataServiceEnabled": public,
            "DataManagementEnabled": true,
            "EntityCategory": category(entity),
            "IsReadOnly": is_read_only(entity),
        })
    };
    objects(catalog.entities.iter().map(object))
}

/// Entities with a public collection, in full.
pub(super) fn public_entities(catalog: &Catalog) -> Vec<Object> {
    let object = |entity: &Entity| {
        let properties: Vec<Json> =
            entity.properties.iter().map(|property| describe(entity, property)).collect();
        let navigation: Vec<Json> = entity
            .navigation
            .iter()
            .filter_map(|navigation| {
                let target = catalog.collection(&navigation.target)?;
                let cardinality = if navigation.many { "Multiple" } else { "Single" };
                Some(json!({
                    "Name": navigation.name, "RelatedEntity": target.type_name, "Cardinality": cardinality,
                }))
            })
            .collect();
        let actions: Vec<Json> = entity
            .actions
            .iter()
            .map(|action| {
                let parameters: Vec<Json> = action
                    .parameters
                    .iter()
                    .map(|parameter| json!({ "Name": parameter.name, "Type": kind(&parameter.kind) }))
                    .collect();
                json!({
                    "Name": action.name, "BindingKind": "BoundToEntitySet", "Parameters": parameters,
                    "ReturnType": action.returns.as_deref().map(kind),
                })
            })
            .collect();
        json!({
            "Name": entity.type_name,
            "EntitySetName": entity.collection,
            "LabelId": format!("{PREFIX}{}", entity.aot),
            "IsReadOnly": is_read_only(entity),
            "Properties": properties,
            "NavigationProperties": navigation,
            "Actions": actions,
        })
    };
    objects(catalog.entities.iter().filter(|entity| entity.collection.is_some()).map(object))
}

/// Enums with their members.
pub(super) fn public_enumerations(catalog: &Catalog) -> Vec<Object> {
    let object = |name: &String| {
        let members: Vec<Json> = catalog
            .members(name)
            .iter()
            .map(|member| {
                json!({
                    "Name": member, "Value": catalog.value(name, member),
                    "LabelId": format!("{PREFIX}{name}.{member}"),
                })
            })
            .collect();
        json!({ "Name": name, "LabelId": format!("{PREFIX}{name}"), "Members": members })
    };
    objects(catalog.enums.keys().map(object))
}

/// The text of a label that the sandbox made up.
pub(super) fn label(catalog: &Catalog, id: &str) -> Option<String> {
    let name = id.strip_prefix(PREFIX)?;
    let (owner, part) = name.split_once('.').map_or((name, None), |(owner, part)| (owner, Some(part)));
    if let Some(entity) = catalog.entities.iter().find(|entity| entity.aot == owner) {
        return match part {
            None => Some(entity.label.clone()),
            Some(part) => entity.property(part).map(|property| words(&property.name)),
        };
    }
    let members = catalog.enums.get(owner)?;
    match part {
        None => Some(words(owner)),
        Some(part) => members.iter().find(|member| *member == part).map(|member| words(member)),
    }
}

const PREFIX: &str = "@Sandbox:";

fn objects(values: impl Iterator<Item = Json>) -> Vec<Object> {
    values.filter_map(|value| if let Json::Object(object) = value { Some(object) } else { None }).collect()
}

fn describe(entity: &Entity, property: &Property) -> Json {
    let key = entity.keys.contains(&property.name);
    let editable = !is_read_only(entity);
    let data_type = match &property.kind {
        Kind::String => "String",
        Kind::Int32 => "Int32",
        Kind::Int64 => "Int64",
        Kind::Decimal => "Real",
        Kind::DateTime if property.name.ends_with("Date") => "Date",
        Kind::DateTime => "UtcDateTime",
        Kind::Guid => "Guid",
        Kind::Binary => "Container",
        Kind::Enum(_) => "Enum",
    };
    json!({
        "Name": property.name,
        "TypeName": property.kind.edm(),
        "DataType": data_type,
        "LabelId": format!("{PREFIX}{}.{}", entity.aot, property.name),
        "IsKey": key,
        "IsMandatory": key || !property.nullable,
        "AllowEdit": editable && !key,
        "AllowEditOnCreate": editable,
        "IsDimension": false,
    })
}

fn kind(name: &str) -> Json {
    let inner = name.strip_prefix("Collection(").and_then(|rest| rest.strip_suffix(')'));
    json!({ "TypeName": inner.unwrap_or(name), "IsCollection": inner.is_some() })
}

fn category(entity: &Entity) -> &'static str {
    match entity.direction.as_str() {
        "setup" => "Parameters",
        "clmToScm" => "Transaction",
        _ => "Master",
    }
}

/// Entities whose rows only the service writes.
fn is_read_only(entity: &Entity) -> bool {
    matches!(
        entity.aot.as_str(),
        "DataManagementEntity"
            | "DataManagementExecutionJobEntity"
            | "DataManagementExecutionJobDetailEntity"
    )
}

/// `VendorAccountNumber` → `Vendor account number`.
fn words(name: &str) -> String {
    let name = name.strip_prefix(NAMESPACE).unwrap_or(name);
    let mut text = String::new();
    let mut lower = false;
    for c in name.chars() {
        if c.is_uppercase() && lower {
            text.push(' ');
            text.extend(c.to_lowercase());
        } else {
            text.push(c);
        }
        lower = c.is_lowercase() || c.is_ascii_digit();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_by_the_ids_that_the_objects_name() {
        let catalog = Catalog::embedded().unwrap();
        assert_eq!(label(&catalog, "@Sandbox:VendVendorV2Entity").as_deref(), Some("Vendors V2"));
        assert_eq!(
            label(&catalog, "@Sandbox:VendVendorV2Entity.VendorAccountNumber").as_deref(),
            Some("Vendor account number")
        );
        assert_eq!(label(&catalog, "@Sandbox:NoYes.Yes").as_deref(), Some("Yes"));
        assert_eq!(label(&catalog, "@Sandbox:NoYes.Maybe"), None);
        assert_eq!(label(&catalog, "@SYS1"), None);
        let enums = public_enumerations(&catalog);
        let operation = enums.iter().find(|object| object["Name"] == "DMFOperationType").unwrap();
        assert_eq!(operation["Members"][0]["Name"], "Export");
        assert_eq!(operation["Members"][0]["Value"], 1);
    }
}
