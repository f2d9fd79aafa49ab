//! One package, asked about without a server: what the sandbox says to it at submission, and what becomes of each row.
//!
//! The way of a package is the one that `ImportFromPackage` takes; only the network, the waiting and the storage are
//! left out.
//!
//! ```
//! use d365_sandbox::check::{Checker, Settings};
//!
//! let checker = Checker::new(Settings::default())?;
//! let verdict = checker.check(b"no package".to_vec(), "usmf");
//! assert!(verdict.refused.is_some_and(|words| words.contains("PackageHeader.xml")));
//! # Ok::<(), String>(())
//! ```

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::catalog::Catalog;
use crate::control::{change_settings, load_rows};
use crate::dmf::Submission;
use crate::dmf::definitions::Definitions;
use crate::dmf::rows_in;
use crate::environment::Environment;
use crate::odata::REFERENCES;
use crate::store::{Store, StoreError};

/// What is in the environment before a package comes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Companies that exist. Default: `usmf` and `demf`.
    pub companies: Vec<String>,
    /// (collection or label, rows as NDJSON of OData property names), stored without business logic. Default: none.
    pub rows: Vec<(String, String)>,
    /// Settings as the control path takes them (`composites`, `maxLengths`, …). Default: `{}`.
    pub settings: String,
    /// The argument `overwrite` of the call; composite entities must have `false`. The data project is new for each
    /// package, so that it makes no difference otherwise. Default: `false`.
    pub overwrite: bool,
    /// Name of the data project. Default: `Check`.
    pub project: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            companies: vec!["usmf".to_owned(), "demf".to_owned()],
            rows: Vec::new(),
            settings: "{}".to_owned(),
            overwrite: false,
            project: "Check".to_owned(),
        }
    }
}

/// An environment in memory that takes packages one after another and forgets each.
pub struct Checker {
    environment: Environment,
    settings: Settings,
    /// One package at a time.
    turn: Mutex<()>,
}

/// What became of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Why the submission was refused; then nothing else is filled.
    pub refused: Option<String>,
    /// Status of the run: `Succeeded`, `PartiallySucceeded` or `Failed`.
    pub status: String,
    /// The entities that the manifest registers, in the order in which they ran.
    pub entities: Vec<EntityVerdict>,
    /// Files with rows that the manifest names and no registered entity reads: `(name, rows)`.
    pub unread: Vec<(String, usize)>,
    /// Elements of header and manifest that are there and were silently skipped: too late, a second time, in another
    /// namespace, or foreign in a list.
    pub skipped: Vec<String>,
    /// What the run logged.
    pub messages: Vec<Message>,
}

/// What became of the rows of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntityVerdict {
    /// Label.
    pub label: String,
    /// Data file.
    pub file: String,
    /// Whether the manifest disables the entity, so that it does not run.
    pub disabled: bool,
    /// Rows in the file, those included that are not recognised as rows; 0 where the whole file was refused.
    pub rows: usize,
    /// Rows that were staged.
    pub staged: usize,
    /// Rows that could not be staged.
    pub rejected: usize,
    /// Rows that were created in the target.
    pub created: usize,
    /// Rows that were updated in the target.
    pub updated: usize,
    /// Rows that the target refused.
    pub failed: usize,
}

/// A message of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Label; empty where it concerns the run.
    pub entity: String,
    /// `staging` or `target`.
    pub step: String,
    /// Key of the row as text; empty where it concerns the whole file.
    pub record: String,
    /// Staging field where one is to blame.
    pub field: String,
    /// The words, with codes as the service has them.
    pub text: String,
}

/// A property whose value must fit rows that the environment has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// Label of the entity.
    pub label: &'static str,
    /// OData name of the property.
    pub property: &'static str,
    /// Label of the entity that has the rows.
    pub of: &'static str,
}

impl Verdict {
    /// Whether everything in the package arrived: it was taken, it registers an entity, nothing was skipped or left
    /// unread, and each row of each file was written.
    pub fn whole(&self) -> bool {
        self.refused.is_none()
            && !self.entities.is_empty()
            && self.status == "Succeeded"
            && self.unread.is_empty()
            && self.skipped.is_empty()
            && self.messages.is_empty()
            && self.entities.iter().all(|entity| {
                entity.disabled || (entity.rows > 0 && entity.rows == entity.created + entity.updated)
            })
    }
}

impl Checker {
    /// Makes the environment. The error says which settings it cannot take.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let catalog = Catalog::embedded().map_err(|error| error.to_string())?;
        let store = Store::open(None).map_err(|error| error.to_string())?;
        let checker = Self { environment: Environment::new(catalog, store), settings, turn: Mutex::new(()) };
        checker.fill()?;
        Ok(checker)
    }

    /// Imports the package into a fresh environment, in the company `company`, with execution of the target step.
    pub fn check(&self, bytes: Vec<u8>, company: &str) -> Verdict {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = |words: String| Verdict { refused: Some(words), ..Verdict::default() };
        if let Err(error) = self.fill() {
            return refused(error);
        }
        let submission = Submission {
            project: self.settings.project.clone(),
            execution: EXECUTION.to_owned(),
            company: company.to_owned(),
            execute: true,
            overwrite: self.settings.overwrite,
        };
        match submission.check(&self.environment).and_then(|_| submission.accept(&self.environment, bytes)) {
            Err(cause) => refused(cause.0),
            Ok((job, prepared)) => {
                self.run(&job, prepared).unwrap_or_else(|error| refused(error.to_string()))
            }
        }
    }

    fn run(&self, job: &crate::dmf::Job, prepared: crate::dmf::Prepared) -> Result<Verdict, StoreError> {
        let skipped = prepared.skipped.clone();
        let unread = prepared.unread.iter().map(|(name, data)| (name.clone(), rows_in(name, data)));
        let unread = unread.filter(|(_, rows)| *rows > 0).collect();
        let disabled: Vec<EntityVerdict> = prepared
            .entities
            .iter()
            .filter(|(line, _)| line.disable)
            .map(|(line, _)| EntityVerdict {
                label: line.label.clone(),
                file: line.file.clone(),
                disabled: true,
                rows: 0,
                staged: 0,
                rejected: 0,
                created: 0,
                updated: 0,
                failed: 0,
            })
            .collect();
        let finished = job.run(&self.environment, prepared)?;
        let entities = finished.details.into_iter().map(|detail| EntityVerdict {
            label: detail.label,
            file: detail.file,
            disabled: false,
            rows: detail.to_stage,
            staged: detail.staged,
            rejected: detail.rejected,
            created: detail.created,
            updated: detail.updated,
            failed: detail.failed,
        });
        let messages =
            self.environment.store.with(|db| db.logs(EXECUTION, None))?.into_iter().map(|log| Message {
                entity: log.entity,
                step: log.step.to_owned(),
                record: log.record,
                field: log.field,
                text: log.message,
            });
        Ok(Verdict {
            refused: None,
            status: finished.state.map(|state| state.name().to_owned()).unwrap_or_default(),
            entities: entities.chain(disabled).collect(),
            unread,
            skipped,
            messages: messages.collect(),
        })
    }

    /// The entities as JSON: `{"enums": …, "entities": [{"collection", "type", "aot", "label", "company", "direction",
    /// "keys", "properties": [{"name", "type", "nullable", "members", "maxLength"}]}]}`, the lengths of the settings
    /// included. Composite entities are not in it.
    pub fn schema(&self) -> String {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let definitions = self.environment.store.with(Definitions::read).unwrap_or_default();
        crate::catalog::schema(&|label, property| definitions.length(label, property))
    }

    /// The properties whose values must fit rows of the environment.
    pub fn references() -> Vec<Reference> {
        REFERENCES.iter().map(|(label, property, of)| Reference { label, property, of }).collect()
    }

    /// Labels of entities that no import writes: read-only ones, and those that only validate.
    pub fn not_for_import(&self) -> Vec<String> {
        let entities = &self.environment.catalog.entities;
        let closed = entities.iter().filter(|entity| {
            [
                "DataManagementEntity",
                "DataManagementExecutionJobEntity",
                "DataManagementExecutionJobDetailEntity",
            ]
            .contains(&entity.aot.as_str())
                || entity.aot.starts_with("CLMIntegrationValidat")
        });
        closed.map(|entity| entity.label.clone()).collect()
    }

    /// Empties the environment and puts in what the settings say.
    fn fill(&self) -> Result<(), String> {
        let text = |error: StoreError| error.to_string();
        self.environment.store.with(|db| db.clear()).map_err(text)?;
        let companies = self.settings.companies.iter();
        let companies: Vec<String> =
            companies.map(|id| serde_json::json!({ "LegalEntityId": id, "Name": id }).to_string()).collect();
        let rows = [("LegalEntities".to_owned(), companies.join("\n"))];
        for (name, rows) in rows.iter().chain(&self.settings.rows) {
            load_rows(&self.environment, name, rows.as_bytes()).map_err(|error| error.to_string())?;
        }
        change_settings(&self.environment, self.settings.settings.as_bytes())
            .map_err(|error| error.to_string())
    }
}

const EXECUTION: &str = "check";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::workbook::write_sheet;
    use crate::package::{OutEntity, package};

    // Pitfall 14: one import or export of workbooks at a time.
    #[test]
    fn a_second_run_with_workbooks_fails() {
        let rows = [vec!["CURRENCYCODE".to_owned()], vec!["EUR".to_owned()]];
        let entity = |format: &str, data: Vec<u8>| OutEntity {
            label: "Currencies".into(),
            target: "CurrencyEntity".into(),
            file: "Currencies.xlsx".into(),
            format: format.into(),
            refresh: "FullPush".into(),
            fields: vec!["CURRENCYCODE".into()],
            unit: 1,
            level: 1,
            sequence: 1,
            data,
        };
        let book = write_sheet("Currencies", rows.iter().map(Vec::as_slice)).unwrap();
        let book = package("p", "", 0, &[entity("EXCEL", book)]).unwrap();
        let csv = package("p", "", 0, &[entity("CSV", b"CURRENCYCODE\r\nEUR\r\n".to_vec())]).unwrap();
        let checker = Checker::new(Settings::default()).unwrap();
        assert!(checker.check(book.clone(), "usmf").whole());
        let other = checker.environment.workbooks.try_lock().unwrap();
        let verdict = checker.check(book.clone(), "usmf");
        assert_eq!(verdict.status, "Failed");
        assert!(verdict.messages[0].text.starts_with("DMF2039"), "{verdict:?}");
        assert!(checker.check(csv, "usmf").whole(), "other formats do not wait");
        drop(other);
        assert!(checker.check(book, "usmf").whole());
    }
}
