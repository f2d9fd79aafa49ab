//! Data projects as imports and exports use them.

use crate::catalog::Catalog;
use crate::package::ManifestEntity;
use crate::store::{Db, Key, StoreError};
use crate::value::{Row, Value};

const PROJECT: &str = "DataManagementDefinitionGroupEntity";
const LINE: &str = "DataManagementDefinitionGroupDetailEntity";

/// A data project.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) operation: String,
    pub(crate) description: String,
    pub(crate) category: String,
    /// Lines in the order in which they run.
    pub(crate) lines: Vec<Line>,
}

/// A line of a data project.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) format: String,
    pub(crate) incremental: bool,
    pub(crate) mapped: bool,
    pub(crate) disabled: bool,
    pub(crate) logic: bool,
    pub(crate) validation: bool,
    pub(crate) order: (i32, i32, i32),
}

/// Reads a project with its lines.
pub(crate) fn read(db: &Db<'_>, name: &str) -> Result<Option<Project>, StoreError> {
    let Some(project) = db.get(PROJECT, &shared(name.to_owned()))? else { return Ok(None) };
    let text =
        |row: &Row, name: &str| row.get(name).map(|value| value.as_text().to_owned()).unwrap_or_default();
    let mut lines = Vec::new();
    db.scan(LINE, None, 0, |stored| -> Result<(), StoreError> {
        let row = &stored.row;
        if text(row, "DefinitionGroupId") == name {
            let number = |name: &str| text(row, name).parse().unwrap_or(1);
            lines.push(Line {
                label: text(row, "EntityName"),
                format: text(row, "SourceFormat"),
                incremental: text(row, "DefaultRefreshType") == "IncrementalPush",
                mapped: text(row, "ValidationStatus") == "Yes",
                disabled: text(row, "Disable") == "Yes",
                logic: text(row, "RunBusinessLogic") != "No",
                validation: text(row, "RunBusinessValidation") != "No",
                order: (number("ExecutionUnit"), number("LevelInExecutionUnit"), number("SequenceInLevel")),
            });
        }
        Ok(())
    })?;
    lines.sort_by_key(|line| line.order);
    // An operation that was never set reads as the first member.
    let operation = match text(&project.row, "OperationType") {
        empty if empty.is_empty() => "Export".to_owned(),
        operation => operation,
    };
    Ok(Some(Project {
        operation,
        description: text(&project.row, "Description"),
        category: text(&project.row, "ProjectCategory"),
        lines,
    }))
}

/// Makes the project what a manifest says: creates it, or replaces its lines. Without `overwrite` an existing project
/// must already hold the same entities in the same formats. `operation` is `Import` or `Export`.
pub(crate) fn define(
    catalog: &Catalog,
    db: &Db<'_>,
    (name, operation): (&str, &str),
    description: &str,
    overwrite: bool,
    entities: &[ManifestEntity],
) -> Result<Result<(), String>, StoreError> {
    let existing = read(db, name)?;
    if let Some(project) = &existing {
        if project.operation != operation {
            return Ok(Err(format!(
                "DMF1855: The data project '{name}' has the operation type {} and cannot be used for an {}.",
                project.operation,
                operation.to_ascii_lowercase()
            )));
        }
        let same = project.lines.len() == entities.len()
            && entities.iter().all(|entity| {
                project.lines.iter().any(|line| line.label == entity.label && line.format == entity.format)
            });
        if !overwrite {
            return Ok(if same {
                Ok(())
            } else {
                Err(format!("The data project '{name}' exists and overwrite has not been specified."))
            });
        }
        for line in &project.lines {
            db.remove(LINE, &shared(format!("{name}\u{1f}{}", line.label)))?;
        }
    } else {
        let values = [("Name", name), ("OperationType", operation), ("Description", description)];
        db.put(PROJECT, &shared(name.to_owned()), &texts(&values))?;
    }
    for entity in entities {
        let yes = |flag: bool| if flag { "Yes" } else { "No" };
        let known = ["FullPush", "IncrementalPush"].contains(&entity.refresh.as_str());
        let refresh = if known { entity.refresh.as_str() } else { "FullPush" };
        let mut row = texts(&[
            ("DefinitionGroupId", name),
            ("EntityName", &entity.label),
            ("SourceFormat", &entity.format),
            ("InputFilePath", &entity.file),
            ("DefaultRefreshType", refresh),
            ("Disable", yes(entity.disable)),
            ("RunBusinessLogic", yes(entity.logic)),
            ("RunBusinessValidation", yes(entity.validation)),
            ("SkipStaging", yes(entity.skip_staging)),
            ("FailLevelOnError", yes(entity.fail_level)),
            ("FailExecutionUnitOnError", yes(entity.fail_unit)),
            ("ValidationStatus", "Yes"),
        ]);
        let numbers = [
            ("ExecutionUnit", entity.unit),
            ("LevelInExecutionUnit", entity.level),
            ("SequenceInLevel", entity.sequence),
        ];
        row.extend(numbers.map(|(name, value)| (name.to_owned(), Value::number(value))));
        if let Some(listed) = catalog.label(&entity.label) {
            row.insert("EntityXMLName".to_owned(), Value::text(listed.aot.to_uppercase()));
        }
        db.put(LINE, &shared(format!("{name}\u{1f}{}", entity.label)), &row)?;
    }
    Ok(Ok(()))
}

fn shared(key: String) -> Key {
    Key { company: String::new(), key }
}

fn texts(values: &[(&str, &str)]) -> Row {
    values.iter().map(|(name, value)| ((*name).to_owned(), Value::text(*value))).collect()
}
