//! What is known of the entities before anyone is asked: names, keys, types, direction, actions.
//!
//! A tenant has thousands of entities; here are those that a contract lifecycle needs. The data file beside this module is
//! generated (`cargo xtask catalog`) from entity metadata of a real environment and from the public documentation. Nothing
//! in this folder decides how a value is written: that is `odata::literal` for requests and `table::cell` for files.

mod edm;
mod read;
mod schema;
mod suggest;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::error::{Error, ErrorCode, Result};
pub use edm::EdmType;
pub use schema::Schema;
pub use suggest::nearest;

/// The namespace of every type, enum and action of the service.
pub const NAMESPACE: &str = "Microsoft.Dynamics.DataEntities";

/// The entities that this version knows.
#[must_use]
pub fn builtin() -> &'static Catalog {
    static BUILTIN: OnceLock<Catalog> = OnceLock::new();
    // The text is part of the program: a test proves that it parses, so the empty catalogue is never met.
    BUILTIN.get_or_init(|| read::text(include_str!("catalog.json")).unwrap_or_default())
}

/// A set of entities, found by any of their names.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Catalog {
    entities: Vec<Arc<Entity>>,
    enums: HashMap<String, Vec<String>>,
    by_name: HashMap<String, usize>,
    formats: Vec<String>,
    whole: bool,
}

/// One data entity under its four names.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Entity {
    /// OData collection (`VendorsV2`); none for an entity that travels in packages only.
    pub collection: Option<String>,
    /// OData entity type, where a source shows it.
    pub type_name: Option<String>,
    /// Name in the application object tree (`VendVendorV2Entity`); empty where no source says.
    pub aot: String,
    /// Label in data management (`Vendors V2`): what a manifest and a data project call it; empty where no source says.
    pub label: String,
    /// Whether rows belong to a company; none where the documentation does not say.
    pub company: Option<bool>,
    /// Which way the rows flow.
    pub direction: Direction,
    /// Key properties in the order of the service.
    pub keys: Vec<String>,
    /// Properties in the order of the service.
    pub properties: Vec<Property>,
    /// Navigation to other catalogued entities.
    pub navigation: Vec<Navigation>,
    /// Bound actions.
    pub actions: Vec<Action>,
    /// Whether an environment said so itself: a property that is not here does not exist there.
    pub of_tenant: bool,
}

/// Which way the rows of an entity flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Direction {
    /// The contract system writes, Supply Chain Management reads.
    ClmToScm,
    /// Supply Chain Management is the master.
    ScmToClm,
    /// Entities of data management itself.
    Setup,
    /// No source says.
    Unknown,
}

/// One property of an entity.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Property {
    /// OData name; its upper-case form is the name of the staging field.
    pub name: String,
    /// Type on the wire.
    pub edm: EdmType,
    /// Whether null is allowed; none where no source says.
    pub nullable: Option<bool>,
    /// Members of an enum whose type name is not known.
    pub members: Vec<String>,
    /// Longest text in UTF-16 code units, where a schema says; the built-in catalogue has none.
    pub max_length: Option<u32>,
}

/// A navigation property.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Navigation {
    /// Name to expand.
    pub name: String,
    /// Collection that it leads to.
    pub target: String,
    /// Whether it leads to many records.
    pub many: bool,
}

/// A bound action.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Action {
    /// Name without namespace.
    pub name: String,
    /// What it is bound to.
    pub binding: Binding,
    /// Parameters by name.
    pub parameters: Vec<Parameter>,
    /// Type of the result.
    pub returns: Option<String>,
}

/// What an action is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Binding {
    /// The collection.
    Collection,
    /// One record.
    Entity,
}

/// A parameter of an action.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Parameter {
    /// Name, case-sensitive.
    pub name: String,
    /// Type on the wire.
    pub edm: EdmType,
}

impl Catalog {
    /// Reads a [`Schema`] and takes its entities in place of the built-in ones ([`of_tenant`](Self::of_tenant)).
    ///
    /// The form of the built-in catalogue is read too: its entities have `aot`, `label` and `direction`; then nothing but these
    /// entities is known. It will be refused in a later version.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` where the text is neither.
    pub fn from_json(text: &str) -> Result<Self> {
        let value = serde_json::from_str(text)
            .map_err(|error| schema::unusable(&format!("it is no JSON: {error}")))?;
        Self::from_value(value)
    }

    /// The same of a tree.
    pub(crate) fn from_value(value: serde_json::Value) -> Result<Self> {
        if !read::is_catalog(&value) {
            return Schema::from_value(value).map(Self::of_tenant);
        }
        let catalog = read::catalog(value, true)
            .ok_or_else(|| schema::unusable("it is in the form of the catalogue, and incomplete"))?;
        Ok(Self { whole: true, ..catalog })
    }

    /// Whether an entity that is not here does not exist.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.whole
    }

    /// All entities, data management's own first.
    #[must_use]
    pub fn entities(&self) -> &[Arc<Entity>] {
        &self.entities
    }

    /// The entity of that collection, label or AOT name; names are case-sensitive, as in the service.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Entity> {
        self.shared(name).map(Arc::as_ref)
    }

    fn shared(&self, name: &str) -> Option<&Arc<Entity>> {
        self.by_name.get(name).and_then(|&index| self.entities.get(index))
    }

    /// The entity of that OData collection.
    #[must_use]
    pub fn collection(&self, name: &str) -> Option<&Arc<Entity>> {
        self.shared(name).filter(|entity| entity.collection.as_deref() == Some(name))
    }

    /// The entity of that label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&Entity> {
        self.entities.iter().map(Arc::as_ref).find(|entity| !name.is_empty() && entity.label == name)
    }

    /// Names of source data formats beyond the built-in ones.
    #[must_use]
    pub fn formats(&self) -> &[String] {
        &self.formats
    }

    /// Members of an enum type in the order of the service.
    #[must_use]
    pub fn enum_members(&self, name: &str) -> Option<&[String]> {
        self.enums.get(name).map(Vec::as_slice)
    }
}

impl Entity {
    /// Whether rows belong to a company: said by the documentation, else read off the key.
    #[must_use]
    pub fn is_company_specific(&self) -> bool {
        self.company.unwrap_or_else(|| self.keys.iter().any(|key| key == "dataAreaId"))
    }

    /// The property of that name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// The property behind a staging field (`VENDORACCOUNTNUMBER`).
    #[must_use]
    pub fn property_of_field(&self, field: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name.eq_ignore_ascii_case(field))
    }

    /// The property of that name, or `UNKNOWN_PROPERTY` with the nearest one.
    pub fn require(&self, name: &str) -> Result<&Property> {
        self.property(name).ok_or_else(|| {
            let known = self.properties.iter().map(|property| property.name.as_str());
            let entity = self.collection.as_deref().unwrap_or(&self.label);
            let error =
                Error::new(ErrorCode::UnknownProperty, format!("{entity} has no property \"{name}\""));
            match nearest(name, known) {
                Some(near) => error.hint(format!("Did you mean \"{near}\"? Names are case-sensitive.")),
                None => {
                    error.hint("Names are case-sensitive; see the entity catalogue for those of this entity.")
                }
            }
        })
    }

    /// The bound action of that name.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_file_parses_and_names_every_master_data_entity() {
        let catalog = read::text(include_str!("catalog.json")).unwrap();
        assert_eq!(catalog.entities().len(), 34);
        let vendors = catalog.find("Vendors V2").unwrap();
        assert_eq!(vendors.collection.as_deref(), Some("VendorsV2"));
        assert_eq!(vendors.aot, "VendVendorV2Entity");
        assert_eq!(vendors.keys, ["dataAreaId", "VendorAccountNumber"]);
        assert!(vendors.is_company_specific());
        assert!(catalog.collection("Vendors V2").is_none(), "a label is no collection");
    }

    #[test]
    fn an_entity_that_travels_by_package_only_has_no_collection() {
        let entity = builtin().find("Purchase agreement classification").unwrap();
        assert_eq!(entity.collection, None);
    }

    #[test]
    fn types_are_those_of_the_metadata() {
        let lines = builtin().find("CLMIntegrationPurchaseAgreementLines").unwrap();
        assert_eq!(lines.property("LineNumber").unwrap().edm, EdmType::Decimal);
        let contracts = builtin().find("CLMIntegrationContracts").unwrap();
        assert_eq!(
            contracts.property("ContractStatus").unwrap().edm,
            EdmType::Enum("CLMIntegrationContractStatus".into())
        );
        assert!(
            builtin().enum_members("CLMIntegrationContractStatus").unwrap().contains(&"Executed".to_owned())
        );
        let links = builtin().find("CLMIntegrationExternalNavigationLinks").unwrap();
        assert_eq!(links.property("NavigationType").unwrap().edm, EdmType::UnnamedEnum);
    }

    #[test]
    fn a_misspelt_property_is_answered_with_the_nearest_one() {
        let error = builtin().find("VendorsV2").unwrap().require("VendorAcountNumber").unwrap_err();
        assert_eq!(error.code, ErrorCode::UnknownProperty);
        assert!(error.hint.as_deref().unwrap().contains("\"VendorAccountNumber\""));
    }
}
