//! The data file of this folder, read.
//!
//! By hand over the tree of its JSON: what serde derives for these types is a tenth of the module for packages.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Action, Binding, Catalog, Direction, EdmType, Entity, Navigation, Parameter, Property};

type Object = Map<String, Value>;

/// Nothing where the text is not as `cargo xtask catalog` makes it.
pub(super) fn text(text: &str) -> Option<Catalog> {
    catalog(serde_json::from_str(text).ok()?)
}

/// The same of a tree.
pub(super) fn catalog(value: Value) -> Option<Catalog> {
    let mut file = object(value)?;
    let mut enums = HashMap::new();
    for (name, members) in object(file.remove("enums")?)? {
        enums.insert(name, list(members, string)?);
    }
    let entities = list(file.remove("entities")?, |value| entity(object(value)?).map(Arc::new))?;
    let mut by_name = HashMap::new();
    for (index, entity) in entities.iter().enumerate() {
        for name in entity.collection.iter().chain([&entity.label, &entity.aot]) {
            by_name.entry(name.clone()).or_insert(index);
        }
    }
    let formats = optional_list(&mut file, "formats", string)?;
    Some(Catalog { entities, enums, by_name, formats })
}

fn entity(mut of: Object) -> Option<Entity> {
    Some(Entity {
        collection: optional(&mut of, "collection", string)?,
        type_name: optional(&mut of, "type", string)?,
        aot: string(of.remove("aot")?)?,
        label: string(of.remove("label")?)?,
        company: optional(&mut of, "company", |value| value.as_bool())?,
        direction: match of.get("direction")?.as_str()? {
            "clmToScm" => Direction::ClmToScm,
            "scmToClm" => Direction::ScmToClm,
            "setup" => Direction::Setup,
            _ => return None,
        },
        keys: list(of.remove("keys")?, string)?,
        properties: list(of.remove("properties")?, |value| property(object(value)?))?,
        navigation: optional_list(&mut of, "navigation", |value| navigation(object(value)?))?,
        actions: optional_list(&mut of, "actions", |value| action(object(value)?))?,
    })
}

fn property(mut of: Object) -> Option<Property> {
    Some(Property {
        name: string(of.remove("name")?)?,
        edm: EdmType::parse(of.get("type")?.as_str()?),
        nullable: optional(&mut of, "nullable", |value| value.as_bool())?,
        members: optional_list(&mut of, "members", string)?,
        max_length: optional(&mut of, "maxLength", |value| u32::try_from(value.as_u64()?).ok())?,
    })
}

fn navigation(mut of: Object) -> Option<Navigation> {
    Some(Navigation {
        name: string(of.remove("name")?)?,
        target: string(of.remove("target")?)?,
        many: of.get("many")?.as_bool()?,
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
