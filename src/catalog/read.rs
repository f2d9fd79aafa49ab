//! The data file of this folder, read.
//!
//! By hand over the tree of its JSON: what serde derives for these types is a tenth of the module for packages.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::schema::index;
use super::{
    Action, Binding, Catalog, Direction, EdmType, Entity, NAMESPACE, Navigation, Parameter, Property, Schema,
};

type Object = Map<String, Value>;

/// Nothing where the text is not as `cargo xtask catalog` makes it.
pub(super) fn text(text: &str) -> Option<Catalog> {
    catalog(serde_json::from_str(text).ok()?, false)
}

/// The same of a tree; `tenant` where an environment says so of itself.
pub(super) fn catalog(value: Value, tenant: bool) -> Option<Catalog> {
    let mut file = object(value)?;
    let enums = enums(file.remove("enums")?).ok()?.into_iter().collect();
    let mut entities: Vec<Entity> = list(file.remove("entities")?, |value| entity(object(value)?))?;
    for entity in &mut entities {
        entity.of_tenant = tenant;
    }
    let entities: Vec<_> = entities.into_iter().map(Arc::new).collect();
    let by_name = index(&entities);
    let formats = optional_list(&mut file, "formats", string)?;
    Some(Catalog { entities, enums, by_name, formats, whole: false })
}

/// Whether it is in the form of the catalogue and not in that of a schema.
pub(super) fn is_catalog(value: &Value) -> bool {
    let entities = value.get("entities").and_then(Value::as_array);
    entities.is_some_and(|entities| {
        entities.iter().any(|entity| entity.get("direction").is_some())
            || (entities.is_empty() && value.get("formats").is_some())
    })
}

/// A schema, or what can't be read.
pub(super) fn schema(value: Value) -> Result<Schema, String> {
    let mut file = object(value).ok_or("it must be an object")?;
    let Some(Value::Array(values)) = file.remove("entities") else {
        return Err("entities must be a list".to_owned());
    };
    let mut entities = Vec::with_capacity(values.len());
    for (at, value) in values.into_iter().enumerate() {
        let name = value.get("collection").and_then(Value::as_str).unwrap_or_default();
        let place = format!("entities[{at}] \"{}\"", name.chars().take(80).collect::<String>());
        entities.push(object(value).and_then(tenant_entity).ok_or(place)?);
    }
    Ok(Schema {
        entities,
        enums: enums(file.remove("enums").ok_or("enums is missing")?)?,
        collections: optional(&mut file, "collections", |value| list(value, string)).ok_or("collections")?,
        formats: optional_list(&mut file, "formats", string).ok_or("formats")?,
    })
}

fn enums(value: Value) -> Result<Vec<(String, Vec<String>)>, String> {
    let named = object(value).ok_or("enums must be an object")?;
    named
        .into_iter()
        .map(|(name, members)| match list(members, string) {
            Some(members) => Ok((name, members)),
            None => Err(format!("enums.{name}")),
        })
        .collect()
}

fn entity(mut of: Object) -> Option<Entity> {
    let direction = match of.get("direction")?.as_str()? {
        "clmToScm" => Direction::ClmToScm,
        "scmToClm" => Direction::ScmToClm,
        "setup" => Direction::Setup,
        _ => return None,
    };
    Some(Entity {
        aot: string(of.remove("aot")?)?,
        label: string(of.remove("label")?)?,
        direction,
        ..described(of, |value| property(object(value)?))?
    })
}

fn tenant_entity(mut of: Object) -> Option<Entity> {
    let name = |of: &mut Object, name| optional(of, name, string).map(Option::unwrap_or_default);
    let entity = Entity {
        aot: name(&mut of, "aot")?,
        label: name(&mut of, "label")?,
        of_tenant: true,
        ..described(of, |value| tenant_property(object(value)?))?
    };
    entity.collection.is_some().then_some(entity)
}

/// What both forms have.
fn described(mut of: Object, property: fn(Value) -> Option<Property>) -> Option<Entity> {
    Some(Entity {
        collection: optional(&mut of, "collection", string)?,
        type_name: optional(&mut of, "type", string)?,
        aot: String::new(),
        label: String::new(),
        company: optional(&mut of, "company", |value| value.as_bool())?,
        direction: Direction::Unknown,
        keys: list(of.remove("keys")?, string)?,
        properties: list(of.remove("properties")?, property)?,
        navigation: optional_list(&mut of, "navigation", |value| navigation(object(value)?))?,
        actions: optional_list(&mut of, "actions", |value| action(object(value)?))?,
        of_tenant: false,
    })
}

fn property(mut of: Object) -> Option<Property> {
    let edm = match optional(&mut of, "enum", string)? {
        Some(name) => EdmType::Enum(name),
        None => EdmType::parse(of.get("type")?.as_str()?),
    };
    Some(Property {
        name: string(of.remove("name")?)?,
        edm,
        nullable: optional(&mut of, "nullable", |value| value.as_bool())?,
        members: optional_list(&mut of, "members", string)?,
        max_length: optional(&mut of, "maxLength", |value| u32::try_from(value.as_u64()?).ok())?,
    })
}

/// Here an enum is always named as such: the namespace has complex types besides.
fn tenant_property(of: Object) -> Option<Property> {
    let kind = of.get("type").and_then(Value::as_str).unwrap_or_default();
    let other = kind.starts_with(NAMESPACE) && !of.contains_key("enum");
    let other = other.then(|| EdmType::Other(kind.to_owned()));
    let mut property = property(of)?;
    if let Some(other) = other {
        property.edm = other;
    }
    Some(property)
}

fn navigation(mut of: Object) -> Option<Navigation> {
    Some(Navigation {
        name: string(of.remove("name")?)?,
        target: string(of.remove("target")?)?,
        many: optional(&mut of, "many", |value| value.as_bool())?.unwrap_or_default(),
    })
}

fn action(mut of: Object) -> Option<Action> {
    Some(Action {
        name: string(of.remove("name")?)?,
        binding: match of.get("binding")?.as_str()? {
            "collection" => Binding::Collection,
            "entity" => Binding::Entity,
            _ => return None,
        },
        parameters: list(of.remove("parameters")?, |value| parameter(object(value)?))?,
        returns: optional(&mut of, "returns", string)?,
    })
}

fn parameter(mut of: Object) -> Option<Parameter> {
    Some(Parameter { name: string(of.remove("name")?)?, edm: EdmType::parse(of.get("type")?.as_str()?) })
}

fn object(value: Value) -> Option<Object> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

fn string(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn list<T>(value: Value, read: fn(Value) -> Option<T>) -> Option<Vec<T>> {
    match value {
        Value::Array(values) => values.into_iter().map(read).collect(),
        _ => None,
    }
}

fn optional_list<T>(of: &mut Object, name: &str, read: fn(Value) -> Option<T>) -> Option<Vec<T>> {
    match of.remove(name) {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(value) => list(value, read),
    }
}

/// The outer nothing is an error, the inner one a member that is missing or null.
fn optional<T>(of: &mut Object, name: &str, read: fn(Value) -> Option<T>) -> Option<Option<T>> {
    match of.remove(name) {
        None | Some(Value::Null) => Some(None),
        Some(value) => read(value).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"enums":{"Colour":["Red","Blue"]},"entities":[{"collection":"Things","type":"Thing","aot":"ThingEntity",
        "label":"Things V2","company":true,"direction":"setup","keys":["Id"],
        "properties":[{"name":"Id","type":"Edm.String","nullable":false},{"name":"Kind","type":"Enum","members":["A","B"],"maxLength":7}],
        "navigation":[{"name":"Self","target":"Things","many":true}],
        "actions":[{"name":"go","binding":"entity","parameters":[{"name":"p","type":"Edm.Int32"}],"returns":null}]}]}"#;

    #[test]
    fn every_member_of_the_file_arrives() {
        let catalog = text(GOOD).unwrap();
        assert_eq!(catalog.enum_members("Colour").unwrap(), ["Red", "Blue"]);
        let things = catalog.find("Things V2").unwrap();
        assert_eq!(things.collection.as_deref(), Some("Things"));
        assert_eq!(things.type_name.as_deref(), Some("Thing"));
        assert_eq!((things.company, things.direction), (Some(true), Direction::Setup));
        assert_eq!(things.keys, ["Id"]);
        let [id, kind] = things.properties.as_slice() else { panic!("two properties") };
        assert_eq!((id.name.as_str(), &id.edm, id.nullable), ("Id", &EdmType::String, Some(false)));
        assert_eq!(
            (&kind.edm, kind.nullable, kind.members.as_slice()),
            (&EdmType::UnnamedEnum, None, ["A".to_owned(), "B".to_owned()].as_slice())
        );
        assert_eq!((id.max_length, kind.max_length), (None, Some(7)));
        assert!(catalog.formats().is_empty());
        let [navigation] = things.navigation.as_slice() else { panic!("one navigation") };
        assert_eq!(
            (navigation.name.as_str(), navigation.target.as_str(), navigation.many),
            ("Self", "Things", true)
        );
        let action = things.action("go").unwrap();
        assert_eq!((action.binding, action.returns.as_deref()), (Binding::Entity, None));
        assert_eq!((action.parameters[0].name.as_str(), &action.parameters[0].edm), ("p", &EdmType::Int32));
    }

    #[test]
    fn what_is_missing_or_of_another_kind_is_no_catalogue() {
        let broken = [
            ("\"direction\":\"setup\"", "\"direction\":\"up\""),
            ("\"company\":true", "\"company\":1"),
            ("\"keys\":[\"Id\"],", ""),
            ("\"many\":true", "\"many\":\"true\""),
            ("\"binding\":\"entity\"", "\"binding\":\"row\""),
            ("\"aot\":\"ThingEntity\"", "\"aot\":null"),
            ("[\"Red\",\"Blue\"]", "[\"Red\",2]"),
        ];
        for (good, bad) in broken {
            assert!(GOOD.contains(good), "{good}");
            assert!(text(&GOOD.replace(good, bad)).is_none(), "{bad}");
        }
    }
}
