//! The entity catalogue: `entities.json` of the reference, reduced to what the library and the sandbox need. Both read the same
//! text, each from its own folder, because neither may depend on the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::say;
use crate::workspace::Workspace;

/// Where the text goes.
const FILES: [&str; 2] = ["src/catalog/catalog.json", "emulator/data/catalog.json"];

pub(crate) fn write(workspace: &Workspace, from: &str) -> anyhow::Result<()> {
    let text = read(Path::new(from))?;
    for file in FILES {
        std::fs::write(workspace.path(file), &text)
            .with_context(|| format!("{file} could not be written"))?;
        say!("{file}: {} bytes", text.len());
    }
    Ok(())
}

/// Compares only; an error names the files that differ.
pub(crate) fn check(workspace: &Workspace, from: &str) -> anyhow::Result<()> {
    let text = read(Path::new(from))?;
    let differing: Vec<_> = FILES
        .into_iter()
        .filter(|file| std::fs::read_to_string(workspace.path(file)).ok().as_deref() != Some(text.as_str()))
        .collect();
    if !differing.is_empty() {
        bail!("not as `cargo xtask catalog --from {from}` makes it: {}", differing.join(", "));
    }
    say!("{} are up to date", FILES.join(" and "));
    Ok(())
}

fn read(from: &Path) -> anyhow::Result<String> {
    let text =
        std::fs::read_to_string(from).with_context(|| format!("{} could not be read", from.display()))?;
    let reference: Reference = serde_json::from_str(&text)
        .with_context(|| format!("{} is no entities.json of the reference", from.display()))?;
    catalog(reference)
}

/// One entity a line, so that a change of the reference is a readable difference.
fn catalog(reference: Reference) -> anyhow::Result<String> {
    let Reference { generated, namespace, enums, entities, package_only } = reference;
    let collections: BTreeSet<String> = entities.iter().map(|entity| entity.collection.clone()).collect();
    let mut used = BTreeSet::new();
    let mut lines_of_entities = Vec::new();
    for entity in entities {
        used.extend(entity.properties.iter().filter_map(SourceProperty::named_enum).map(str::to_owned));
        lines_of_entities.push(serde_json::to_string(&entity.reduced(&collections))?);
    }
    for entity in package_only {
        lines_of_entities.push(serde_json::to_string(&entity.reduced())?);
    }
    let lines_of_enums = enums
        .iter()
        .filter(|(name, _)| used.contains(*name))
        .map(|(name, members)| {
            Ok(format!("{}:{}", serde_json::to_string(name)?, serde_json::to_string(members)?))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;

    let (generated, namespace) = (serde_json::to_string(&generated)?, serde_json::to_string(&namespace)?);
    let mut text = format!("{{\"generated\":{generated},\"namespace\":{namespace},\n\"enums\":{{\n");
    push_lines(&mut text, &lines_of_enums);
    text.push_str("},\n\"entities\":[\n");
    push_lines(&mut text, &lines_of_entities);
    text.push_str("]}\n");
    Ok(text)
}

fn push_lines(text: &mut String, lines: &[String]) {
    text.push_str(&lines.join(",\n"));
    if !lines.is_empty() {
        text.push('\n');
    }
}

// ── the reference, as far as it is read ──

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    generated: String,
    namespace: String,
    /// Enum type → its members, in order.
    enums: BTreeMap<String, Value>,
    entities: Vec<SourceEntity>,
    #[serde(rename = "dmfOnlyEntities")]
    package_only: Vec<SourcePackageEntity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SourceEntity {
    collection: String,
    entity_type: Option<String>,
    aot_name: String,
    dmf_label: String,
    company_specific: Option<bool>,
    direction: String,
    verified: String,
    keys: Vec<String>,
    properties: Vec<SourceProperty>,
    #[serde(default)]
    navigation: Vec<SourceNavigation>,
    #[serde(default)]
    actions: Vec<SourceAction>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SourceProperty {
    name: String,
    r#type: Option<String>,
    /// The name of the enum, where it is known.
    r#enum: Option<String>,
    enum_members: Option<Vec<String>>,
    /// The type as a documentation page names it.
    doc_type: Option<String>,
    nullable: Option<bool>,
}

#[derive(Deserialize)]
struct SourceNavigation {
    name: String,
    target: String,
    collection: bool,
}

#[derive(Deserialize)]
struct SourceAction {
    name: String,
    binding: String,
    parameters: Vec<Parameter>,
    returns: Option<String>,
}

/// An entity that exists in packages and not in OData.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SourcePackageEntity {
    aot_name: String,
    dmf_label: String,
    company_specific: bool,
    direction: String,
    verified: String,
    field_names: Vec<String>,
}

// ── the catalogue; its fields are written in this order ──

#[derive(Serialize)]
struct Entity {
    #[serde(skip_serializing_if = "Option::is_none")]
    collection: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    aot: String,
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<bool>,
    direction: String,
    verified: String,
    keys: Vec<String>,
    properties: Vec<Property>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    navigation: Vec<Navigation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Action>,
}

#[derive(Serialize)]
struct Property {
    name: String,
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nullable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Navigation {
    name: String,
    target: String,
    many: bool,
}

#[derive(Serialize)]
struct Action {
    name: String,
    binding: String,
    parameters: Vec<Parameter>,
    returns: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Parameter {
    name: String,
    r#type: String,
}

impl SourceEntity {
    fn reduced(self, collections: &BTreeSet<String>) -> Entity {
        Entity {
            collection: Some(self.collection),
            r#type: self.entity_type,
            aot: self.aot_name,
            label: self.dmf_label,
            company: self.company_specific,
            direction: self.direction,
            verified: self.verified,
            keys: self.keys,
            properties: self.properties.into_iter().map(SourceProperty::reduced).collect(),
            // Only to entities of the catalogue: the others could not be followed.
            navigation: self
                .navigation
                .into_iter()
                .filter(|navigation| collections.contains(&navigation.target))
                .map(|SourceNavigation { name, target, collection }| Navigation {
                    name,
                    target,
                    many: collection,
                })
                .collect(),
            actions: self
                .actions
                .into_iter()
                .map(|SourceAction { name, binding, parameters, returns }| Action {
                    name,
                    binding,
                    parameters,
                    returns,
                })
                .collect(),
        }
    }
}

impl SourceProperty {
    fn named_enum(&self) -> Option<&str> {
        self.r#enum.as_deref().filter(|name| !name.is_empty())
    }

    fn reduced(self) -> Property {
        let members = self.enum_members.filter(|members| !members.is_empty());
        let is_enum = self.doc_type.as_deref() == Some("Enum") || members.is_some();
        let fallback = if is_enum { "Enum" } else { "Edm.String" };
        let named = self.r#enum.filter(|name| !name.is_empty());
        Property {
            name: self.name,
            r#type: named.or(self.r#type).unwrap_or_else(|| fallback.to_owned()),
            nullable: self.nullable,
            members,
        }
    }
}

impl SourcePackageEntity {
    fn reduced(self) -> Entity {
        let text = |name| Property { name, r#type: "Edm.String".to_owned(), nullable: None, members: None };
        Entity {
            collection: None,
            r#type: None,
            aot: self.aot_name,
            label: self.dmf_label,
            company: Some(self.company_specific),
            direction: self.direction,
            verified: self.verified,
            keys: Vec::new(),
            properties: self.field_names.into_iter().map(text).collect(),
            navigation: Vec::new(),
            actions: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_reference_becomes_this_text() {
        let reference = r#"{
          "generated": "2026-01-02", "namespace": "N", "notes": ["dropped"],
          "enums": {"Unused": ["X"], "Colour": ["Red", "Blau ü"]},
          "entities": [{
            "collection": "Things", "entityType": "Thing", "aotName": "ThingEntity", "dmfLabel": "Things V2",
            "companySpecific": true, "direction": "out", "verified": "yes", "keys": ["dataAreaId", "Id"], "source": ["dropped"],
            "properties": [
              {"name": "Id", "type": "Edm.String", "nullable": false, "key": true},
              {"name": "Colour", "type": "Edm.Int32", "enum": "Colour"},
              {"name": "Kind", "docType": "Enum", "enumMembers": ["A", "B"]},
              {"name": "Odd", "docType": "String"}
            ],
            "navigation": [
              {"name": "Self", "target": "Things", "collection": false},
              {"name": "Other", "target": "NotCatalogued", "collection": true}
            ],
            "actions": [{"name": "go", "binding": "collection", "parameters": [{"name": "p", "type": "Edm.Int32", "note": "dropped"}]}]
          }],
          "dmfOnlyEntities": [{
            "aotName": "PackEntity", "dmfLabel": "Pack", "companySpecific": false, "direction": "in", "verified": "no",
            "fieldNames": ["ONE"]
          }]
        }"#;
        let expected = r#"{"generated":"2026-01-02","namespace":"N",
"enums":{
"Colour":["Red","Blau ü"]
},
"entities":[
{"collection":"Things","type":"Thing","aot":"ThingEntity","label":"Things V2","company":true,"direction":"out","verified":"yes","keys":["dataAreaId","Id"],"properties":[{"name":"Id","type":"Edm.String","nullable":false},{"name":"Colour","type":"Colour"},{"name":"Kind","type":"Enum","members":["A","B"]},{"name":"Odd","type":"Edm.String"}],"navigation":[{"name":"Self","target":"Things","many":false}],"actions":[{"name":"go","binding":"collection","parameters":[{"name":"p","type":"Edm.Int32"}],"returns":null}]},
{"aot":"PackEntity","label":"Pack","company":false,"direction":"in","verified":"no","keys":[],"properties":[{"name":"ONE","type":"Edm.String"}]}
]}
"#;
        assert_eq!(catalog(serde_json::from_str(reference).unwrap()).unwrap(), expected);
    }

    #[test]
    fn the_committed_files_are_the_same_text() {
        let [library, sandbox] = [
            include_str!("../../src/catalog/catalog.json"),
            include_str!("../../emulator/data/catalog.json"),
        ];
        assert!(library == sandbox, "{} differ", FILES.join(" and "));
    }
}
