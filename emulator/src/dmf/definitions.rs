//! What is defined in the environment beyond the catalogue: composite entities, and lengths of fields.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::{Catalog, Entity};
use crate::store::{Db, StoreError};

/// All of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Definitions {
    composites: Vec<Composite>,
    lengths: Lengths,
}

/// Entity label → property → most characters, in UTF-16 code units.
pub(crate) type Lengths = BTreeMap<String, BTreeMap<String, usize>>;

/// A composite entity: catalogued entities, nested.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Composite {
    pub(crate) label: String,
    root: Member,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    /// Label or AOT name.
    entity: String,
    /// Property of this entity → property of the parent that it takes its value from where the file gives none.
    #[serde(default)]
    join: BTreeMap<String, String>,
    #[serde(default)]
    children: Vec<Member>,
}

/// A member of a composite entity, resolved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) entity: &'a Entity,
    /// Index of the parent among the parts; parents come first.
    pub(crate) parent: Option<usize>,
    pub(crate) join: &'a BTreeMap<String, String>,
}

impl Definitions {
    pub(crate) fn read(db: &Db<'_>) -> Result<Self, StoreError> {
        let composites = db.setting(COMPOSITES)?.map(|text| serde_json::from_str(&text)).transpose()?;
        let lengths = db.setting(LENGTHS)?.map(|text| serde_json::from_str(&text)).transpose()?;
        Ok(Self { composites: composites.unwrap_or_default(), lengths: lengths.unwrap_or_default() })
    }

    /// The composite entity of exactly this label.
    pub(crate) fn composite(&self, label: &str) -> Option<&Composite> {
        self.composites.iter().find(|composite| composite.label == label)
    }

    /// The length of a field where one is known.
    pub(crate) fn length(&self, label: &str, property: &str) -> Option<usize> {
        self.lengths.get(label)?.get(property).copied()
    }
}

/// Replaces the composite entities; the error says what is wrong with them.
pub(crate) fn set_composites(
    db: &Db<'_>,
    composites: &[Composite],
    catalog: &Catalog,
) -> Result<Result<(), String>, StoreError> {
    for (at, composite) in composites.iter().enumerate() {
        let taken = catalog.label(&composite.label).is_some()
            || composites.iter().take(at).any(|other| other.label == composite.label);
        if taken || composite.label.is_empty() {
            return Ok(Err(format!("'{}' cannot be the label of a composite entity", composite.label)));
        }
        if let Err(reason) = composite.parts(catalog) {
            return Ok(Err(format!("composite entity '{}': {reason}", composite.label)));
        }
    }
    db.set_setting(COMPOSITES, &serde_json::to_string(composites)?)?;
    Ok(Ok(()))
}

/// Replaces the lengths; the error says what is wrong with them.
pub(crate) fn set_lengths(
    db: &Db<'_>,
    lengths: &Lengths,
    catalog: &Catalog,
) -> Result<Result<(), String>, StoreError> {
    for (label, properties) in lengths {
        let Some(entity) = catalog.label(label) else {
            return Ok(Err(format!("'{label}' is not the label of a data entity")));
        };
        if let Some(name) = properties.keys().find(|name| entity.property(name).is_none()) {
            return Ok(Err(format!("'{label}' has no property '{name}'")));
        }
    }
    db.set_setting(LENGTHS, &serde_json::to_string(lengths)?)?;
    Ok(Ok(()))
}

const COMPOSITES: &str = "composites";
const LENGTHS: &str = "maxLengths";

impl Composite {
    /// The members, the root first, each parent before its children.
    pub(crate) fn parts<'a>(&'a self, catalog: &'a Catalog) -> Result<Vec<Part<'a>>, String> {
        let mut parts = Vec::new();
        add(&self.root, None, catalog, &mut parts)?;
        Ok(parts)
    }
}

fn add<'a>(
    member: &'a Member,
    parent: Option<usize>,
    catalog: &'a Catalog,
    parts: &mut Vec<Part<'a>>,
) -> Result<(), String> {
    let entity = catalog
        .label(&member.entity)
        .or_else(|| catalog.entities.iter().find(|entity| entity.aot == member.entity))
        .ok_or_else(|| format!("'{}' is neither the label nor the AOT name of an entity", member.entity))?;
    if parts.iter().any(|part| part.entity.aot == entity.aot) {
        return Err(format!("'{}' is a member twice", entity.label));
    }
    for (own, of_parent) in &member.join {
        let above = parent.and_then(|at| parts.get(at)).map(|part| part.entity);
        if entity.property(own).is_none() || above.and_then(|above| above.property(of_parent)).is_none() {
            return Err(format!(
                "'{own}' and '{of_parent}' are not properties of '{}' and its parent",
                entity.label
            ));
        }
    }
    parts.push(Part { entity, parent, join: &member.join });
    let at = parts.len() - 1;
    member.children.iter().try_for_each(|child| add(child, Some(at), catalog, parts))
}
