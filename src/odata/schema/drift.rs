//! What an environment lacks or adds, compared with the catalogue.

use serde::Serialize;

use crate::catalog::{EdmType, Entity, Schema, builtin};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Drift {
    /// Where.
    pub collection: String,
    /// The property; none where it is the whole collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// In which way.
    pub change: Change,
}

/// In which way an environment differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Change {
    /// The catalogue has it, the environment does not.
    Missing,
    /// The environment has it, the catalogue does not.
    Added,
    /// Both have it, with different types.
    Type,
}

/// Every difference, in the order of the catalogue, then what the environment has beyond. Where the schema is of some collections
/// only, the others are not looked at. Members of enums are not compared.
#[must_use]
pub fn drift(schema: &Schema) -> Vec<Drift> {
    let mut found = Vec::new();
    let asked = |name: &String| schema.collections.as_ref().is_none_or(|asked| asked.contains(name));
    for known in builtin().entities() {
        let Some(collection) = known.collection.as_ref().filter(|name| asked(name)) else { continue };
        match schema.entity(collection) {
            Some(own) => compare(collection, known, own, &mut found),
            None => found.push(Drift::of(collection, None, Change::Missing)),
        }
    }
    for own in &schema.entities {
        let name = own.collection.as_deref().unwrap_or_default();
        if builtin().collection(name).is_none() {
            found.push(Drift::of(name, None, Change::Added));
        }
    }
    found
}

fn compare(collection: &str, known: &Entity, own: &Entity, found: &mut Vec<Drift>) {
    for property in &known.properties {
        let change = match own.property(&property.name) {
            None => Change::Missing,
            Some(other) if !same(&property.edm, &other.edm) => Change::Type,
            Some(_) => continue,
        };
        found.push(Drift::of(collection, Some(&property.name), change));
    }
    for property in own.properties.iter().filter(|it| known.property(&it.name).is_none()) {
        found.push(Drift::of(collection, Some(&property.name), Change::Added));
    }
}

/// The documentation does not name every enum.
fn same(known: &EdmType, own: &EdmType) -> bool {
    known == own || (*known == EdmType::UnnamedEnum && matches!(own, EdmType::Enum(_)))
}

impl Drift {
    fn of(collection: &str, property: Option<&str>, change: Change) -> Self {
        Self { collection: collection.to_owned(), property: property.map(str::to_owned), change }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schema of an environment that has just what the catalogue has of these collections.
    fn same_as_catalogue(collections: &[&str]) -> Schema {
        let mut schema = Schema::default();
        for name in collections {
            schema.entities.push(Entity::clone(builtin().collection(name).unwrap()));
        }
        schema.collections = Some(collections.iter().map(|&name| name.to_owned()).collect());
        schema
    }

    fn told(schema: &Schema) -> Vec<String> {
        let line =
            |it: Drift| format!("{} {} {:?}", it.collection, it.property.unwrap_or_default(), it.change);
        drift(schema).into_iter().map(line).collect()
    }

    #[test]
    fn the_same_has_no_drift_and_what_was_not_asked_is_not_missing() {
        assert_eq!(told(&same_as_catalogue(&["Currencies", "VendorsV2"])), [""; 0]);
        let whole = Schema { collections: None, ..same_as_catalogue(&["Currencies", "VendorsV2"]) };
        let collections = builtin().entities().iter().filter(|it| it.collection.is_some()).count();
        assert_eq!(told(&whole).len(), collections - 2);
    }

    #[test]
    fn every_kind_of_difference_is_told() {
        let mut schema = same_as_catalogue(&["Currencies", "CLMIntegrationExternalNavigationLinks"]);
        if let Some(asked) = &mut schema.collections {
            asked.push("VendorsV2".into());
        }
        let currencies = &mut schema.entities[0];
        let at = currencies.properties.iter().position(|it| it.name == "DecimalsCount_MX").unwrap();
        currencies.properties[at].edm = EdmType::Int64;
        let mut own = currencies.properties[at].clone();
        currencies.properties.retain(|it| it.name != "Symbol");
        own.name = "ContosoCode".into();
        currencies.properties.push(own);
        let kind = schema.entities[1].properties.iter_mut().find(|it| it.name == "NavigationType").unwrap();
        assert_eq!(kind.edm, EdmType::UnnamedEnum);
        kind.edm = EdmType::Enum("CLMIntegrationNavigationType".into());
        let mut things = schema.entities[0].clone();
        things.collection = Some("ContosoThings".into());
        schema.entities.push(things);
        let mut told = told(&schema);
        told.sort();
        assert_eq!(
            told,
            [
                "ContosoThings  Added",
                "Currencies ContosoCode Added",
                "Currencies DecimalsCount_MX Type",
                "Currencies Symbol Missing",
                "VendorsV2  Missing",
            ]
        );
    }
}
