//! What the sandbox knows of entities: the embedded catalogue file, parsed once into types.
//!
//! Names that the catalogue lacks are completed here and nowhere else: an entity type without a known name is called
//! after its AOT name, an enum without a known type name after its property. Both are guesses (a real environment
//! tells the names in `$metadata`).

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

/// Namespace of every type, enum and action of the service.
pub(crate) const NAMESPACE: &str = "Microsoft.Dynamics.DataEntities";

/// All entities and enums.
#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) entities: Vec<Entity>,
    pub(crate) enums: BTreeMap<String, Vec<String>>,
    /// Integers of the members, where they are not those of the order above.
    values: HashMap<String, HashMap<String, i64>>,
    by_collection: HashMap<String, usize>,
    by_label: HashMap<String, usize>,
}

/// One data entity.
#[derive(Debug)]
pub(crate) struct Entity {
    /// AOT name; identifies the entity in the store.
    pub(crate) aot: String,
    /// Name in data projects and packages.
    pub(crate) label: String,
    /// Which way rows go between the systems: `setup`, `clmToScm` or `scmToClm`.
    pub(crate) direction: String,
    /// Public collection; without it the entity is reachable by packages only.
    pub(crate) collection: Option<String>,
    /// OData entity type name.
    pub(crate) type_name: String,
    /// Whether rows belong to a company (`dataAreaId`).
    pub(crate) company: bool,
    /// Key properties in order.
    pub(crate) keys: Vec<String>,
    pub(crate) properties: Vec<Property>,
    pub(crate) navigation: Vec<Navigation>,
    pub(crate) actions: Vec<Action>,
    index: HashMap<String, usize>,
    fields: HashMap<String, usize>,
}

/// One property.
#[derive(Debug)]
pub(crate) struct Property {
    pub(crate) name: String,
    /// Staging field name: the property in upper case.
    pub(crate) field: String,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
}

/// Type of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Int32,
    Int64,
    Decimal,
    DateTime,
    Guid,
    Binary,
    Enum(String),
}

/// A navigation property.
#[derive(Debug, Deserialize)]
pub(crate) struct Navigation {
    pub(crate) name: String,
    pub(crate) target: String,
    pub(crate) many: bool,
}

/// An action bound to the collection.
#[derive(Debug, Deserialize)]
pub(crate) struct Action {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) parameters: Vec<Parameter>,
    #[serde(default)]
    pub(crate) returns: Option<String>,
}

/// A parameter of an action.
#[derive(Debug, Deserialize)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

impl Catalog {
    /// Parses the embedded file. Fails only where the file was damaged before the build.
    pub(crate) fn embedded() -> Result<Self, serde_json::Error> {
        let file: File = serde_json::from_str(EMBEDDED)?;
        let mut enums = file.enums;
        // The one enum that only an action's result uses.
        let status =
            ["Unknown", "NotRun", "Executing", "Succeeded", "PartiallySucceeded", "Failed", "Canceled"];
        enums
            .entry("DMFExecutionSummaryStatus".to_owned())
            .or_insert_with(|| status.map(str::to_owned).to_vec());
        let mut entities = Vec::with_capacity(file.entities.len());
        for raw in file.entities {
            entities.push(raw.complete(&mut enums));
        }
        let mut by_collection = HashMap::new();
        let mut by_label = HashMap::new();
        for (at, entity) in entities.iter().enumerate() {
            if let Some(name) = &entity.collection {
                by_collection.insert(name.clone(), at);
            }
            by_label.insert(entity.label.clone(), at);
        }
        let values = serde_json::from_str(VALUES)?;
        Ok(Self { entities, enums, values, by_collection, by_label })
    }

    /// The entity behind an OData collection; names are case-sensitive.
    pub(crate) fn collection(&self, name: &str) -> Option<&Entity> {
        self.by_collection.get(name).and_then(|at| self.entities.get(*at))
    }

    /// The entity with this label, exactly.
    pub(crate) fn label(&self, name: &str) -> Option<&Entity> {
        self.by_label.get(name).and_then(|at| self.entities.get(*at))
    }

    /// Members of an enum in the order of the catalogue.
    pub(crate) fn members(&self, name: &str) -> &[String] {
        self.enums.get(name).map_or(&[], Vec::as_slice)
    }

    /// The integer of an enum's member: its place unless another is known.
    pub(crate) fn value(&self, name: &str, member: &str) -> Option<i64> {
        if let Some(values) = self.values.get(name) {
            return values.get(member).copied();
        }
        let at = self.members(name).iter().position(|found| found == member)?;
        i64::try_from(at).ok()
    }
}

impl Entity {
    pub(crate) fn property(&self, name: &str) -> Option<&Property> {
        self.index.get(name).and_then(|at| self.properties.get(*at))
    }

    /// The property behind an upper-case staging field.
    pub(crate) fn field(&self, name: &str) -> Option<&Property> {
        self.fields.get(name).and_then(|at| self.properties.get(*at))
    }

    /// Key properties without the company.
    pub(crate) fn own_keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str).filter(|key| *key != COMPANY)
    }
}

/// The property that holds the company of a row.
pub(crate) const COMPANY: &str = "dataAreaId";

impl Kind {
    /// Type name in `$metadata` and error texts.
    pub(crate) fn edm(&self) -> String {
        match self {
            Self::String => "Edm.String".to_owned(),
            Self::Int32 => "Edm.Int32".to_owned(),
            Self::Int64 => "Edm.Int64".to_owned(),
            Self::Decimal => "Edm.Decimal".to_owned(),
            Self::DateTime => "Edm.DateTimeOffset".to_owned(),
            Self::Guid => "Edm.Guid".to_owned(),
            Self::Binary => "Edm.Binary".to_owned(),
            Self::Enum(name) => format!("{NAMESPACE}.{name}"),
        }
    }
}

/// The embedded file with the lengths that `length` knows by label and property.
pub(crate) fn schema(length: &dyn Fn(&str, &str) -> Option<usize>) -> String {
    let mut file: serde_json::Value = serde_json::from_str(EMBEDDED).unwrap_or_default();
    let entities = file.get_mut("entities").and_then(serde_json::Value::as_array_mut);
    for entity in entities.into_iter().flatten() {
        let label = entity.get("label").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let properties = entity.get_mut("properties").and_then(serde_json::Value::as_array_mut);
        for property in properties.into_iter().flatten().filter_map(serde_json::Value::as_object_mut) {
            let name = property.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
            if let Some(most) = length(&label, name) {
                property.insert("maxLength".to_owned(), most.into());
            }
        }
    }
    file.to_string()
}

const EMBEDDED: &str = include_str!("../data/catalog.json");

const VALUES: &str = include_str!("../data/enum-values.json");

#[derive(Deserialize)]
struct File {
    enums: BTreeMap<String, Vec<String>>,
    entities: Vec<RawEntity>,
}

#[derive(Deserialize)]
struct RawEntity {
    aot: String,
    label: String,
    direction: String,
    collection: Option<String>,
    #[serde(rename = "type")]
    type_name: Option<String>,
    #[serde(default)]
    company: bool,
    keys: Vec<String>,
    properties: Vec<RawProperty>,
    #[serde(default)]
    navigation: Option<Vec<Navigation>>,
    #[serde(default)]
    actions: Option<Vec<Action>>,
}

#[derive(Deserialize)]
struct RawProperty {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    nullable: Option<bool>,
    members: Option<Vec<String>>,
}

impl RawEntity {
    fn complete(self, enums: &mut BTreeMap<String, Vec<String>>) -> Entity {
        let type_name =
            self.type_name.unwrap_or_else(|| self.aot.strip_suffix("Entity").unwrap_or(&self.aot).to_owned());
        let mut keys = self.keys;
        if keys.is_empty() {
            // The one entity whose key is unknown: its name is taken for it (a guess).
            keys.extend(self.properties.iter().find(|p| p.name.ends_with("Name")).map(|p| p.name.clone()));
        }
        let mut index = HashMap::new();
        let mut fields = HashMap::new();
        let mut properties = Vec::with_capacity(self.properties.len());
        for raw in self.properties {
            let kind = match raw.kind.as_str() {
                "Edm.String" => Kind::String,
                "Edm.Int32" => Kind::Int32,
                "Edm.Int64" => Kind::Int64,
                "Edm.Decimal" => Kind::Decimal,
                "Edm.DateTimeOffset" => Kind::DateTime,
                "Edm.Guid" => Kind::Guid,
                "Edm.Binary" => Kind::Binary,
                "Enum" => {
                    let name = format!("CLMIntegration{}", raw.name);
                    enums.entry(name.clone()).or_insert(raw.members.unwrap_or_default());
                    Kind::Enum(name)
                }
                name => Kind::Enum(name.to_owned()),
            };
            let field = raw.name.to_uppercase();
            index.insert(raw.name.clone(), properties.len());
            fields.insert(field.clone(), properties.len());
            properties.push(Property { name: raw.name, field, kind, nullable: raw.nullable.unwrap_or(true) });
        }
        Entity {
            aot: self.aot,
            label: self.label,
            direction: self.direction,
            collection: self.collection,
            type_name,
            company: self.company,
            keys,
            properties,
            navigation: self.navigation.unwrap_or_default(),
            actions: self.actions.unwrap_or_default(),
            index,
            fields,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_catalogue_is_complete() {
        let catalog = Catalog::embedded().unwrap();
        let vendors = catalog.collection("VendorsV2").unwrap();
        assert_eq!(vendors.label, "Vendors V2");
        assert_eq!(vendors.own_keys().collect::<Vec<_>>(), ["VendorAccountNumber"]);
        assert!(vendors.company);
        assert_eq!(vendors.field("VENDORACCOUNTNUMBER").unwrap().name, "VendorAccountNumber");
        assert!(catalog.label("Purchase agreement classification").unwrap().collection.is_none());
        for entity in &catalog.entities {
            for key in &entity.keys {
                assert!(entity.property(key).is_some(), "{} lacks its key {key}", entity.label);
            }
            for property in &entity.properties {
                if let Kind::Enum(name) = &property.kind {
                    assert!(!catalog.members(name).is_empty(), "{name} has no members");
                    for member in catalog.members(name) {
                        assert!(catalog.value(name, member).is_some(), "{name}.{member} has no value");
                    }
                }
            }
        }
    }
}
