//! What a caller wants in a package, as it comes: names and flags, no rows.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::fields::{Fields, FromValue, deserialize, word};
use crate::table::{CodePage, SourceFormat};

/// A package to be written. Rows are handed to the writer, not put in here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackageSpec {
    /// Name of the data project (definition group) that the manifest carries; no apostrophe.
    pub name: String,
    /// Free text of the manifest.
    pub description: Option<String>,
    /// Deflate level 0–9; default 5.
    pub level: Option<u8>,
    /// The entities, at least one, each at most once.
    pub entities: Vec<EntitySpec>,
}

impl PackageSpec {
    /// A package of that data project, without entities yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Reads the JSON form: the names of these fields in camelCase. `INVALID_ARGUMENT` for anything else, also for a field
    /// that does not exist.
    pub fn from_json(json: &str) -> Result<Self> {
        serde_json::from_str(json).map_err(|error| {
            Error::argument(format!("the package specification can't be read: {error}"))
                .hint("Check the spelling of the fields of PackageSpec and EntityData.")
        })
    }
}

/// One entity of a package, or one line of a data project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EntitySpec {
    /// Label of the data entity (`Vendors V2`), or the OData collection or AOT name of a catalogued one.
    pub entity: String,
    /// Default CSV-Unicode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<SourceFormat>,
    /// Header order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Column → staging field; default: the upper-case column name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<BTreeMap<String, String>>,
    /// Name of the data file in the zip; default: the label without the characters that Windows forbids, and `.csv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// Code page of the format CSV; default Windows-1252. For CSV only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<CodePage>,
    /// The members of a composite entity, header and lines; for the XML formats only, and one such entity per package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub composite: Option<MemberSpec>,
    /// Sheet of a workbook; EXCEL only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// AOT name of the entity; default: that of the catalogue, else left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_entity: Option<String>,
    /// Default 1. Different units run in parallel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_unit: Option<u32>,
    /// Level in the execution unit, default 1. Levels of one unit run one after another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<u32>,
    /// Sequence in the level, default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u32>,
    /// Stop the level when this entity fails; default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_level_on_error: Option<bool>,
    /// Stop the execution unit when this entity fails; default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_execution_unit_on_error: Option<bool>,
    /// Call the target's insert and update methods; default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_business_logic: Option<bool>,
    /// Call the target's validation; default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_business_validation: Option<bool>,
    /// Write to the target without staging; default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_staging: Option<bool>,
    /// Keep the line, but do not run it; default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// What an export of the line gives; default `FullPush`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<RefreshType>,
}

impl EntitySpec {
    /// That entity with all defaults.
    #[must_use]
    pub fn new(entity: impl Into<String>) -> Self {
        Self { entity: entity.into(), ..Self::default() }
    }
}

/// A member of a composite entity: an element of the file, its columns, and the members whose records stand in its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MemberSpec {
    /// Name of the element: by default of the service the upper-case AOT name of the member entity.
    pub element: String,
    /// Columns in the order in which records have their cells.
    pub columns: Vec<String>,
    /// Members below it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<MemberSpec>,
}

impl MemberSpec {
    /// A member without members below it.
    #[must_use]
    pub fn new(element: impl Into<String>, columns: Vec<String>) -> Self {
        Self { element: element.into(), columns, children: Vec::new() }
    }
}

/// What an export of an entity gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub enum RefreshType {
    /// Every record.
    #[default]
    FullPush,
    /// Every record the first time, then those that changed since.
    IncrementalPush,
}

impl RefreshType {
    /// The name in manifests and of the OData enum `DMFRefreshType`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FullPush => "FullPush",
            Self::IncrementalPush => "IncrementalPush",
        }
    }
}

deserialize!(PackageSpec, EntitySpec, MemberSpec, RefreshType, CodePage);

impl FromValue for PackageSpec {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let spec = Self {
            name: of.required("name", Fields::text),
            description: of.text("description"),
            level: of.read("level"),
            entities: of.required("entities", Fields::list),
        };
        of.finish(spec)
    }
}

impl FromValue for EntitySpec {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let spec = Self {
            entity: of.required("entity", Fields::text),
            format: of.text("format").map(|name| name.as_str().into()),
            columns: of.texts("columns"),
            fields: of.read("fields"),
            file_name: of.text("fileName"),
            encoding: of.read("encoding"),
            composite: of.read("composite"),
            sheet: of.text("sheet"),
            target_entity: of.text("targetEntity"),
            execution_unit: of.small("executionUnit"),
            level: of.small("level"),
            sequence: of.small("sequence"),
            fail_level_on_error: of.flag("failLevelOnError"),
            fail_execution_unit_on_error: of.flag("failExecutionUnitOnError"),
            run_business_logic: of.flag("runBusinessLogic"),
            run_business_validation: of.flag("runBusinessValidation"),
            skip_staging: of.flag("skipStaging"),
            disabled: of.flag("disabled"),
            refresh: of.read("refresh"),
        };
        of.finish(spec)
    }
}

impl FromValue for MemberSpec {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let spec = Self {
            element: of.required("element", Fields::text),
            columns: of.required("columns", Fields::texts),
            children: of.list("children").unwrap_or_default(),
        };
        of.finish(spec)
    }
}

impl FromValue for RefreshType {
    fn from_value(value: Value) -> Result<Self, String> {
        let all = [Self::FullPush, Self::IncrementalPush];
        word(&value, &all.map(|refresh| (refresh.as_str(), refresh)))
    }
}

impl FromValue for CodePage {
    fn from_value(value: Value) -> Result<Self, String> {
        word(&value, &[("windows-1252", Self::Windows1252), ("utf-8", Self::Utf8)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn the_json_form_has_the_public_names() {
        let spec = PackageSpec::from_json(
            r#"{"name":"P","level":9,"entities":[{"entity":"Currencies","format":"CSV","fileName":"c.csv",
            "fields":{"Code":"CURRENCYCODE"},"failLevelOnError":true,"refresh":"IncrementalPush"}]}"#,
        )
        .unwrap();
        let entity = &spec.entities[0];
        assert_eq!(spec.level, Some(9));
        assert_eq!(entity.format, Some(SourceFormat::Csv));
        assert_eq!(entity.file_name.as_deref(), Some("c.csv"));
        assert_eq!(entity.fields.as_ref().unwrap()["Code"], "CURRENCYCODE");
        assert_eq!(entity.fail_level_on_error, Some(true));
        assert_eq!(entity.refresh, Some(RefreshType::IncrementalPush));
    }

    #[test]
    fn unknown_fields_are_named() {
        for (json, named) in [
            (r#"{"name":"P","entities":[{"entity":"A","filename":"x"}]}"#, "`filename`"),
            (r#"{"name":"P","entities":[],"Level":1}"#, "`Level`"),
            (r#"{"name":"P"}"#, "`entities`"),
            (r#"{"name":"P","entities":[{"entity":"A","refresh":"Full"}]}"#, "`Full`"),
        ] {
            let error = PackageSpec::from_json(json).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidArgument);
            assert!(error.message.contains(named), "{}", error.message);
        }
    }
}
