//! Imports: the submission, and the run.

use super::execute::{Finished, drive};
use super::load_file::stage;
use super::prepare::{Prepared, prepare};
use super::projects;
use super::records::Detail;
use crate::odata::{Outcome, Parameters, company_exists, upsert};
use crate::package::ManifestEntity;
use crate::server::App;
use crate::store::{EntityLog, RunState, StoreError};

/// Why a submission is not taken: the cause of the error answer.
#[derive(Debug)]
pub(crate) struct Cause(pub(crate) String);

impl From<StoreError> for Cause {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

/// `ImportFromPackage` and `ImportFromPackageAsync`: returns the execution id once the package is unpacked.
pub(crate) async fn submit(app: &App, parameters: &Parameters) -> Result<String, Cause> {
    let project = parameters.text("definitionGroupId").to_owned();
    let company = parameters.text("legalEntityId").to_owned();
    let execute = parameters.flag("execute");
    let overwrite = parameters.flag("overwrite");
    let execution = match parameters.text("executionId") {
        "" => format!("ImportPackage-{}", uuid::Uuid::new_v4()),
        id => id.to_owned(),
    };
    if project.is_empty() {
        return Err(Cause("The parameter definitionGroupId must have a value.".to_owned()));
    }
    refuse_second_submission(app, &execution)?;
    check_company(app, &company)?;

    let bytes = app
        .storage
        .fetch(parameters.text("packageUrl"))
        .await
        .map_err(|error| Cause(format!("The package could not be downloaded: {error}.")))?;
    let catalog = app.catalog.clone();
    let prepared = tokio::task::spawn_blocking(move || prepare(bytes, &catalog))
        .await
        .map_err(|_| Cause("The package could not be unpacked.".to_owned()))?
        .map_err(Cause)?;

    let lines: Vec<ManifestEntity> = prepared.entities.iter().map(|(entity, _)| entity.clone()).collect();
    app.store.with(|db| {
        projects::define(app, db, &project, &prepared.description, overwrite, &lines)?.map_err(Cause)?;
        db.add_run(&execution, &project, &company, "Import").map_err(Cause::from)
    })?;
    let details =
        lines.iter().filter(|line| !line.disable).map(|line| detail(&project, &execution, line)).collect();
    let job = Job {
        project: project.clone(),
        execution: execution.clone(),
        company: company.to_ascii_lowercase(),
        execute,
    };
    tokio::spawn(drive(app.clone(), execution.clone(), project, details, move |app| job.run(app, prepared)));
    Ok(execution)
}

/// An execution id is taken once. A further submission is counted, so that tests can see it, and refused.
pub(crate) fn refuse_second_submission(app: &App, execution: &str) -> Result<(), Cause> {
    if app.store.with(|db| db.count_submission(execution))? {
        return Err(Cause(format!("The execution id {execution} already exists.")));
    }
    Ok(())
}

/// A company must be a row of `LegalEntities`; `dat` exists always.
pub(crate) fn check_company(app: &App, company: &str) -> Result<(), Cause> {
    let known = company.eq_ignore_ascii_case("dat") || app.store.with(|db| company_exists(db, company))?;
    if known { Ok(()) } else { Err(Cause("Target legal entity is not valid".to_owned())) }
}

fn detail(project: &str, execution: &str, line: &ManifestEntity) -> Detail {
    let mut detail = Detail::new(project, execution, &line.label, (line.unit, line.level, line.sequence));
    detail.format.clone_from(&line.format);
    detail.file.clone_from(&line.file);
    detail
}

/// Rows written in one transaction; in between, other requests are answered.
const CHUNK: usize = 250;

struct Job {
    project: String,
    execution: String,
    /// Lower case.
    company: String,
    execute: bool,
}

#[derive(Default)]
struct Tally {
    good: usize,
    bad: usize,
    error_files: Vec<(String, String)>,
}

impl Job {
    fn run(&self, app: &App, prepared: Prepared) -> Result<Finished, StoreError> {
        let mut tally = Tally::default();
        if self.project.contains('\'') {
            self.log(
                app,
                "",
                "staging",
                "",
                "",
                "The SSIS package could not be executed: the name of the data project holds an apostrophe.",
            )?;
            return Ok(Finished { state: Some(RunState::Failed), package: None, error_files: Vec::new() });
        }
        let mut stopped: Vec<(i32, Option<i32>)> = Vec::new();
        for (line, data) in prepared.entities {
            if line.disable {
                continue;
            }
            let mut detail = detail(&self.project, &self.execution, &line);
            let halted = stopped
                .iter()
                .any(|(unit, level)| *unit == line.unit && level.is_none_or(|level| level == line.level));
            if halted {
                detail.staging = "NotRun";
                detail.target = "NotRun";
                app.store.with(|db| detail.save(db))?;
                continue;
            }
            let before = tally.bad;
            self.entity(app, &line, &data, &mut detail, &mut tally)?;
            if tally.bad > before && line.fail_unit {
                stopped.push((line.unit, None));
            } else if tally.bad > before && line.fail_level {
                stopped.push((line.unit, Some(line.level)));
            }
        }
        let state = match (tally.good, tally.bad) {
            (_, 0) => RunState::Succeeded,
            (0, _) => RunState::Failed,
            _ => RunState::PartiallySucceeded,
        };
        Ok(Finished { state: Some(state), package: None, error_files: tally.error_files })
    }

    fn entity(
        &self,
        app: &App,
        line: &ManifestEntity,
        data: &[u8],
        detail: &mut Detail,
        tally: &mut Tally,
    ) -> Result<(), StoreError> {
        // The label was found when the package was unpacked, and the catalogue does not change.
        let Some(entity) = app.catalog.label(&line.label) else { return Ok(()) };
        detail.start_staging();
        app.store.with(|db| detail.save(db))?;
        let staged = match stage(line, data, entity, &self.company, &app.catalog) {
            Ok(staged) => staged,
            Err(reason) => {
                tally.bad += 1;
                detail.end_staging("Error");
                detail.target = "NotRun";
                self.log(app, &line.label, "staging", "", "", &reason)?;
                return app.store.with(|db| detail.save(db));
            }
        };
        detail.to_stage = staged.total;
        detail.staged = staged.rows.len();
        detail.end_staging(if staged.rejected.is_empty() { "Finished" } else { "Error" });
        tally.bad += staged.rejected.len();
        for rejected in &staged.rejected {
            self.log(app, &line.label, "staging", &rejected.key, &rejected.field, &rejected.message)?;
        }
        if !staged.error_file.is_empty() {
            tally.error_files.push((line.label.clone(), staged.error_file));
        }
        if !self.execute {
            tally.good += staged.rows.len();
            detail.target = "NotRun";
            return app.store.with(|db| detail.save(db));
        }
        detail.start_target();
        app.store.with(|db| detail.save(db))?;
        let mut failed = 0;
        let mut rows = staged.rows.into_iter().peekable();
        while rows.peek().is_some() {
            app.store.with(|db| {
                for (key, row) in rows.by_ref().take(CHUNK) {
                    match upsert(app, db, entity, row, line.logic || line.validation)? {
                        Ok(Outcome::Created) => detail.created += 1,
                        Ok(Outcome::Updated) => detail.updated += 1,
                        Err(reason) => {
                            failed += 1;
                            let message =
                                format!("\n {reason}\r\n Validations failed while writing entity record\r\n");
                            db.log(&self.execution, &entry(&line.label, "target", &key, "", &message))?;
                        }
                    }
                }
                Ok::<_, StoreError>(())
            })?;
        }
        tally.good += detail.created + detail.updated;
        tally.bad += failed;
        detail.end_target(if failed == 0 { "Finished" } else { "Error" });
        app.store.with(|db| detail.save(db))
    }

    fn log(
        &self,
        app: &App,
        label: &str,
        step: &'static str,
        record: &str,
        field: &str,
        message: &str,
    ) -> Result<(), StoreError> {
        app.store.with(|db| db.log(&self.execution, &entry(label, step, record, field, message)))
    }
}

fn entry(label: &str, step: &'static str, record: &str, field: &str, message: &str) -> EntityLog {
    EntityLog {
        entity: label.to_owned(),
        step,
        record: record.to_owned(),
        field: field.to_owned(),
        message: message.to_owned(),
    }
}
