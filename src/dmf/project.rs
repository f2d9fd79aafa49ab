//! A data project (definition group) as a host describes it, and as the service stores it.

use serde_json::{Map, Value};

use super::sequence::Place;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::fields::{Fields, FromValue, deserialize, word};

/// Longest description that the service keeps without complaint, in characters (field report).
const DESCRIPTION: usize = 60;

/// A data project. Global: all companies see it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DataProject {
    /// Its name, which is its key.
    pub name: String,
    /// Which way its rows travel.
    pub operation: OperationType,
    /// Free text of at most 60 characters.
    pub description: Option<String>,
    /// Default `Project`.
    pub category: Option<Category>,
    /// Its lines, one for each entity.
    pub entities: Vec<Line>,
}

/// Which way the rows of a project travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperationType {
    /// Into Supply Chain Management.
    Import,
    /// Out of it.
    Export,
}

impl OperationType {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Import => "Import",
            Self::Export => "Export",
        }
    }
}

/// What a project is filed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Category {
    /// The ordinary one.
    Project,
    /// Configuration data.
    Configuration,
    /// Integrations.
    Integration,
    /// Anything else.
    Other,
}

impl Category {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Project => "Project",
            Self::Configuration => "Configuration",
            Self::Integration => "Integration",
            Self::Other => "Other",
        }
    }
}

/// Which records an export takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refresh {
    /// All.
    FullPush,
    /// Those created or changed since the last run; needs change tracking.
    IncrementalPush,
}

impl Refresh {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::FullPush => "FullPush",
            Self::IncrementalPush => "IncrementalPush",
        }
    }
}

/// One entity of a data project.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Line {
    /// Label of the entity, or the collection of a catalogued one.
    pub entity: String,
    /// Source data format. Default `CSV-Unicode`.
    pub format: Option<String>,
    /// Units run side by side. Default 1; of an import the unit of what the entity's rows refer to.
    pub execution_unit: Option<u32>,
    /// Levels of a unit run one after another. Default 1; of an import one below what the entity's rows refer to: contract types,
    /// contracts, agreements, lines.
    pub level: Option<u32>,
    /// Order in the level. Default: behind the lines before it.
    pub sequence: Option<u32>,
    /// Whether a failure of this entity ends its level.
    pub fail_level_on_error: Option<bool>,
    /// Whether a failure of this entity ends its unit.
    pub fail_execution_unit_on_error: Option<bool>,
    /// Whether insert and update methods run. Default true.
    pub run_business_logic: Option<bool>,
    /// Whether `validateWrite` runs. Default true.
    pub run_business_validation: Option<bool>,
    /// Whether rows go to the target without staging. Default false.
    pub skip_staging: Option<bool>,
    /// Whether the line is left out of runs. Default false.
    pub disabled: Option<bool>,
    /// Which records an export takes. Default all.
    pub refresh: Option<Refresh>,
    /// Sheet of a workbook.
    pub sheet: Option<String>,
    /// The service maps all fields of a line by itself: neither of these can be set.
    columns: Option<Value>,
    fields: Option<Value>,
    /// Means something in a package only.
    file_name: Option<String>,
    target_entity: Option<String>,
}

deserialize!(DataProject, OperationType, Category, Refresh, Line);

impl FromValue for DataProject {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let project = Self {
            name: of.required("name", Fields::text),
            operation: of.must("operation", OperationType::Import),
            description: of.text("description"),
            category: of.read("category"),
            entities: of.required("entities", Fields::list),
        };
        of.finish(project)
    }
}

impl FromValue for OperationType {
    fn from_value(value: Value) -> Result<Self, String> {
        let all = [Self::Import, Self::Export];
        word(&value, &all.map(|operation| (operation.as_str(), operation)))
    }
}

impl FromValue for Category {
    fn from_value(value: Value) -> Result<Self, String> {
        let all = [Self::Project, Self::Configuration, Self::Integration, Self::Other];
        word(&value, &all.map(|category| (category.as_str(), category)))
    }
}

impl FromValue for Refresh {
    fn from_value(value: Value) -> Result<Self, String> {
        let all = [Self::FullPush, Self::IncrementalPush];
        word(&value, &all.map(|refresh| (refresh.as_str(), refresh)))
    }
}

impl FromValue for Line {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let line = Self {
            entity: of.required("entity", Fields::text),
            format: of.text("format"),
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
            sheet: of.text("sheet"),
            columns: of.value("columns"),
            fields: of.value("fields"),
            file_name: of.text("fileName"),
            target_entity: of.text("targetEntity"),
        };
        of.finish(line)
    }
}

impl DataProject {
    /// The export project that is kept for a list of entities, each a name or a line. The same lines in any order have the same
    /// project: `CLM-Export-` and 16 hexadecimal digits.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an empty list and for what is no line.
    pub fn ad_hoc(lines: &str) -> Result<Self> {
        let wrong = |why: String| Error::argument(format!("the list of entities can't be understood: {why}"));
        let mut lines: Vec<Value> = serde_json::from_str(lines).map_err(|e| wrong(e.to_string()))?;
        for line in &mut lines {
            if line.is_string() {
                let mut whole = Map::new();
                whole.insert("entity".to_owned(), line.take());
                *line = Value::Object(whole);
            }
        }
        let mut texts: Vec<String> = lines.iter().map(Value::to_string).collect();
        crate::order::sort_by(&mut texts, Ord::cmp);
        let digest = md5::compute(texts.join("\n"));
        let name =
            digest.0.iter().take(8).fold("CLM-Export-".to_owned(), |name, byte| format!("{name}{byte:02x}"));
        let entities = lines.into_iter().map(Line::from_value).collect::<Result<_, _>>().map_err(wrong)?;
        let description = Some("Kept for exports of a list of entities".to_owned());
        let project = Self { name, operation: OperationType::Export, description, category: None, entities };
        project.check()?;
        Ok(project)
    }

    /// Checks what the service would refuse or choke on.
    pub(super) fn check(&self) -> Result<()> {
        check_project_name(&self.name)?;
        if let Some(description) = &self.description {
            let length = description.chars().count();
            if length > DESCRIPTION {
                return Err(Error::argument(format!(
                    "the description has {length} characters, the service keeps {DESCRIPTION} (field report)"
                )));
            }
        }
        if self.entities.is_empty() {
            return Err(Error::argument(format!("the data project {} names no entity", self.name)));
        }
        for (index, line) in self.entities.iter().enumerate() {
            if line.columns.is_some() || line.fields.is_some() {
                return Err(Error::argument(
                    "a line of a data project has the maps that the service generates",
                )
                .in_entity(line.entity.clone())
                .hint("Leave out columns and fields here; they belong to a package."));
            }
            if line.file_name.is_some() || line.target_entity.is_some() {
                return Err(Error::argument(
                    "fileName and targetEntity belong to a package, not to a data project",
                )
                .in_entity(line.entity.clone()));
            }
            if self.entities.iter().take(index).any(|other| other.entity == line.entity) {
                return Err(Error::argument("the entity is named twice").in_entity(line.entity.clone()));
            }
            if line.refresh == Some(Refresh::IncrementalPush) && self.operation == OperationType::Import {
                return Err(
                    Error::argument("IncrementalPush is for export projects").in_entity(line.entity.clone())
                );
            }
        }
        Ok(())
    }
}

impl Line {
    /// What data management calls the entity.
    pub(super) fn label<'a>(&'a self, catalog: &'a Catalog) -> &'a str {
        catalog.find(&self.entity).map_or(self.entity.as_str(), |entity| entity.label.as_str())
    }

    /// What the host named, as columns of `DataManagementDefinitionGroupDetails`.
    pub(super) fn named(&self) -> Map<String, Value> {
        let mut columns = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                columns.insert(name.to_owned(), value);
            }
        };
        let flag = |flag: Option<bool>| flag.map(|flag| Value::from(if flag { "Yes" } else { "No" }));
        set("SourceFormat", self.format.clone().map(Value::from));
        set("ExecutionUnit", self.execution_unit.map(Value::from));
        set("LevelInExecutionUnit", self.level.map(Value::from));
        set("SequenceInLevel", self.sequence.map(Value::from));
        set("DefaultRefreshType", self.refresh.map(|refresh| Value::from(refresh.as_str())));
        set("FailLevelOnError", flag(self.fail_level_on_error));
        set("FailExecutionUnitOnError", flag(self.fail_execution_unit_on_error));
        set("RunBusinessLogic", flag(self.run_business_logic));
        set("RunBusinessValidation", flag(self.run_business_validation));
        set("SkipStaging", flag(self.skip_staging));
        set("Disable", flag(self.disabled));
        set("ExcelSheetName", self.sheet.clone().map(Value::from));
        columns
    }

    /// A whole new line: what the host named, and the defaults. Without `AutoGenerateMapping` the line would have no map, and an
    /// export would stay `Executing` for ever (field report).
    pub(super) fn created(&self, project: &str, label: &str, place: Place) -> Map<String, Value> {
        let mut columns = Map::new();
        columns.insert("DefinitionGroupId".to_owned(), project.into());
        columns.insert("EntityName".to_owned(), label.into());
        for (name, default) in [
            ("SourceFormat", Value::from("CSV-Unicode")),
            ("ExecutionUnit", place.unit.into()),
            ("LevelInExecutionUnit", place.level.into()),
            ("SequenceInLevel", place.sequence.into()),
            ("DefaultRefreshType", "FullPush".into()),
            ("SkipStaging", "No".into()),
            ("RunBusinessLogic", "Yes".into()),
            ("RunBusinessValidation", "Yes".into()),
            ("RunValidateField", "Yes".into()),
            ("FailLevelOnError", "No".into()),
            ("FailExecutionUnitOnError", "No".into()),
            ("IsTransformed", "No".into()),
            ("Disable", "No".into()),
            ("AutoGenerateMapping", "Yes".into()),
        ] {
            columns.insert(name.to_owned(), default);
        }
        columns.extend(self.named());
        columns
    }
}

/// A name that a project can have.
pub(super) fn check_stored_name(name: &str) -> Result<()> {
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(Error::argument("the data project has no name, or one with control characters"));
    }
    Ok(())
}

/// A name that the service can run.
pub(super) fn check_project_name(name: &str) -> Result<()> {
    check_stored_name(name)?;
    if name.contains('\'') {
        return Err(Error::argument(format!("the name of the data project {name} has an apostrophe")).hint(
            "Jobs of such projects fail in the service (\"Data management overview\"): choose another name.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_one_project_whatever_its_order() {
        let name = |lines: &str| DataProject::ad_hoc(lines).unwrap().name;
        let first = name(r#"["VendorsV2",{"entity":"Currencies","refresh":"IncrementalPush"}]"#);
        assert_eq!(
            first,
            name(r#"[{"entity":"Currencies","refresh":"IncrementalPush"},{"entity":"VendorsV2"}]"#)
        );
        assert_ne!(first, name(r#"["VendorsV2","Currencies"]"#));
        assert!(first.starts_with("CLM-Export-") && first.len() == 27, "{first}");
        for wrong in ["[]", "[1]", "{}", r#"["A","A"]"#, r#"[{"entity":"A","format":1}]"#] {
            assert_eq!(
                DataProject::ad_hoc(wrong).unwrap_err().code,
                crate::ErrorCode::InvalidArgument,
                "{wrong}"
            );
        }
    }

    use crate::catalog::builtin;

    fn project(json: &str) -> DataProject {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_new_line_is_whole_and_has_its_map_generated() {
        let project = project(
            r#"{"name":"P","operation":"Export","entities":[{"entity":"VendorsV2","refresh":"IncrementalPush"}]}"#,
        );
        project.check().unwrap();
        let line = &project.entities[0];
        assert_eq!(line.label(builtin()), "Vendors V2");
        let created = line.created("P", "Vendors V2", Place { unit: 1, level: 2, sequence: 3 });
        assert_eq!((&created["LevelInExecutionUnit"], &created["SequenceInLevel"]), (&2.into(), &3.into()));
        for (name, value) in [
            ("AutoGenerateMapping", "Yes"),
            ("DefaultRefreshType", "IncrementalPush"),
            ("SourceFormat", "CSV-Unicode"),
            ("SkipStaging", "No"),
        ] {
            assert_eq!(created.get(name), Some(&Value::from(value)), "{name}");
        }
        assert_eq!(line.named().len(), 1, "only what the host named is corrected later");
    }

    #[test]
    fn what_the_service_can_not_run_is_refused() {
        for json in [
            r#"{"name":"Bob's","operation":"Export","entities":[{"entity":"E"}]}"#,
            r#"{"name":"P","operation":"Export","entities":[]}"#,
            r#"{"name":"P","operation":"Export","entities":[{"entity":"E"},{"entity":"E"}]}"#,
            r#"{"name":"P","operation":"Export","entities":[{"entity":"E","columns":["A"]}]}"#,
            r#"{"name":"P","operation":"Import","entities":[{"entity":"E","refresh":"IncrementalPush"}]}"#,
        ] {
            assert!(project(json).check().is_err(), "{json}");
        }
        let long = format!(
            r#"{{"name":"P","operation":"Export","description":"{}","entities":[{{"entity":"E"}}]}}"#,
            "x".repeat(61)
        );
        assert!(project(&long).check().is_err());
    }
}
