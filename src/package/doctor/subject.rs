//! What the rows of one file are held against: the maps of the manifest and the entity of the schema.

use std::collections::HashMap;
use std::sync::Arc;

use crate::catalog::{Catalog, Entity, builtin};
use crate::table::{Accepts, SourceFormat, upper};

/// The schema that packages are held against.
#[derive(Debug, Clone, Default)]
pub(super) struct Schema(Option<Arc<Catalog>>);

impl Schema {
    /// A tenant's own, or the built-in catalogue, which knows only a part.
    pub(super) fn new(tenant: Option<Arc<Catalog>>) -> Self {
        Self(tenant)
    }

    /// Whether what it lacks does not exist.
    pub(super) fn is_whole(&self) -> bool {
        self.0.as_ref().is_some_and(|tenant| tenant.is_whole())
    }

    pub(super) fn catalog(&self) -> &Catalog {
        match &self.0 {
            Some(tenant) => tenant,
            None => builtin(),
        }
    }
}

/// One entity of a package with its file.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) label: String,
    pub(super) file: String,
    pub(super) format: SourceFormat,
    /// Sheet of a workbook, as the manifest names it.
    pub(super) sheet: String,
    /// In the order of the manifest.
    pub(super) maps: Vec<ColumnMap>,
    pub(super) rules: Option<Arc<EntityRules>>,
    pub(super) whole_schema: bool,
    pub(super) composite: bool,
}

/// Column → field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnMap {
    pub(super) column: String,
    pub(super) field: String,
    /// The service fills the field, so the file may lack the column.
    pub(super) filled: bool,
    /// Nothing else is said of the column, so that the map can be written anew.
    pub(super) plain: bool,
}

/// What the schema says of an entity, by upper-case field.
#[derive(Debug)]
pub(super) struct EntityRules {
    pub(super) aot: String,
    pub(super) company: bool,
    /// Key fields without the company.
    pub(super) keys: Vec<String>,
    pub(super) fields: HashMap<String, FieldRule>,
}

/// What a field takes.
#[derive(Debug, Clone)]
pub(super) struct FieldRule {
    pub(super) accepts: Accepts,
    pub(super) max_length: Option<u32>,
}

/// Field of the company in staging tables and keys.
pub(super) const COMPANY: &str = "DATAAREAID";

impl EntityRules {
    pub(super) fn of(entity: &Entity, catalog: &Catalog) -> Self {
        let fields = entity.properties.iter().map(|property| {
            let rule = FieldRule { accepts: Accepts::of(property, catalog), max_length: property.max_length };
            (upper(&property.name), rule)
        });
        Self {
            aot: entity.aot.clone(),
            company: entity.is_company_specific(),
            keys: entity.keys.iter().map(|key| upper(key)).filter(|key| key != COMPANY).collect(),
            fields: fields.collect(),
        }
    }
}
