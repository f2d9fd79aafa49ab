//! Imports: the submission, and the run.

use std::collections::HashSet;

use super::behaviour::{Behaviour, RepeatedExecutionId};
use super::definitions::Definitions;
use super::execute::{ErrorFile, Finished, drive};
use super::formats::Format;
use super::load_composite::stage_composite;
use super::load_file::{Context, Staged, StagedRow, stage};
use super::prepare::{Prepared, prepare};
use super::projects;
use super::records::{self, Detail};
use crate::environment::Environment;
use crate::odata::{Outcome, Parameters, company_exists, upsert};
use crate::package::ManifestEntity;
use crate::server::App;
use crate::store::{Db, EntityLog, RunState, StoreError};

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
    let submission = Submission {
        project: parameters.text("definitionGroupId").to_owned(),
        execution: match parameters.text("executionId") {
            "" => format!("ImportPackage-{}", uuid::Uuid::new_v4()),
            id => id.to_owned(),
        },
        company: parameters.text("legalEntityId").to_owned(),
        execute: parameters.flag("execute"),
        overwrite: parameters.flag("overwrite"),
    };
    if submission.check(app)? == Turn::Ignored {
        return Ok(submission.execution);
    }
    let bytes = app
        .storage
        .fetch(parameters.text("packageUrl"), app.clock.now())
        .await
        .map_err(|error| Cause(format!("The package could not be downloaded: {error}.")))?;
    let environment = app.environment.clone();
    let (job, prepared) = tokio::task::spawn_blocking(move || submission.accept(&environment, bytes))
        .await
        .map_err(|_| Cause("The package could not be unpacked.".to_owned()))??;
    let execution = job.execution.clone();
    let details = job.details(&prepared);
    tokio::spawn(drive(app.clone(), execution.clone(), job.project.clone(), details, move |app| {
        job.run(app, prepared)
    }));
    Ok(execution)
}

/// What a call of `ImportFromPackage` asks for.
pub(crate) struct Submission {
    pub(crate) project: String,
    pub(crate) execution: String,
    pub(crate) company: String,
    pub(crate) execute: bool,
    pub(crate) overwrite: bool,
}

impl Submission {
    /// What is looked at before the package is fetched.
    pub(crate) fn check(&self, environment: &Environment) -> Result<Turn, Cause> {
        if self.project.is_empty() {
            return Err(Cause("The parameter definitionGroupId must have a value.".to_owned()));
        }
        let turn = admit(environment, &self.execution)?;
        check_company(environment, &self.company)?;
        Ok(turn)
    }

    /// Unpacks the package, makes the data project what the manifest says, and registers the run.
    pub(crate) fn accept(self, environment: &Environment, bytes: Vec<u8>) -> Result<(Job, Prepared), Cause> {
        let definitions = environment.store.with(Definitions::read)?;
        let prepared = prepare(bytes, self.overwrite, &environment.catalog, &definitions).map_err(Cause)?;
        let lines: Vec<ManifestEntity> = prepared.entities.iter().map(|(line, _)| line.clone()).collect();
        let description = &prepared.description;
        environment.store.with(|db| {
            projects::define(
                &environment.catalog,
                db,
                (&self.project, "Import"),
                description,
                self.overwrite,
                &lines,
            )?
            .map_err(Cause)?;
            register(db, &self.execution, &self.project, &self.company, "Import").map_err(Cause::from)
        })?;
        Ok((self.job(definitions), prepared))
    }

    /// Registers the run of what is prepared already, in a data project that is left as it is.
    pub(crate) fn accept_prepared(self, environment: &Environment) -> Result<Job, StoreError> {
        let definitions = environment.store.with(Definitions::read)?;
        environment.store.with(|db| register(db, &self.execution, &self.project, &self.company, "Import"))?;
        Ok(self.job(definitions))
    }

    fn job(self, definitions: Definitions) -> Job {
        Job {
            project: self.project,
            execution: self.execution,
            company: self.company.to_ascii_lowercase(),
            execute: self.execute,
            definitions,
        }
    }
}

/// What becomes of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Runs,
    /// The execution id is answered, and nothing runs.
    Ignored,
}

/// Whether an execution id is taken. A further submission is counted, so that tests can see it; what becomes of it is a
/// setting. A run that was purged is not known any more.
pub(crate) fn admit(environment: &Environment, execution: &str) -> Result<Turn, Cause> {
    environment.store.with(|db| -> Result<_, StoreError> {
        if !db.count_submission(execution)? || db.moment(records::PURGED, execution)?.is_some() {
            return Ok(Ok(Turn::Runs));
        }
        Ok(match Behaviour::read(db)?.repeated_execution_id {
            RepeatedExecutionId::Refused => {
                Err(Cause(format!("The execution id {execution} already exists.")))
            }
            RepeatedExecutionId::RunAgain => Ok(Turn::Runs),
            RepeatedExecutionId::Ignored => Ok(Turn::Ignored),
        })
    })?
}

/// Makes the run of a submission, or begins it anew.
pub(super) fn register(
    db: &Db<'_>,
    execution: &str,
    project: &str,
    company: &str,
    operation: &str,
) -> Result<(), StoreError> {
    if db.run(execution)?.is_none() {
        return db.add_run(execution, project, company, operation);
    }
    records::forget(db, execution)?;
    db.clear_moment(records::PURGED, execution)?;
    db.restart_run(execution, project, company, operation)
}

/// A company must be a row of `LegalEntities`; `dat` exists always.
pub(crate) fn check_company(environment: &Environment, company: &str) -> Result<(), Cause> {
    let known =
        company.eq_ignore_ascii_case("dat") || environment.store.with(|db| company_exists(db, company))?;
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

/// A run that was accepted.
pub(crate) struct Job {
    project: String,
    execution: String,
    /// Lower case.
    company: String,
    execute: bool,
    definitions: Definitions,
}

#[derive(Default)]
struct Tally {
    good: usize,
    bad: usize,
    error_files: Vec<ErrorFile>,
    details: Vec<Detail>,
}

impl Job {
    /// The entities that will run, before anything happened.
    pub(crate) fn details(&self, prepared: &Prepared) -> Vec<Detail> {
        let lines = prepared.entities.iter().map(|(line, _)| line).filter(|line| !line.disable);
        lines.map(|line| detail(&self.project, &self.execution, line)).collect()
    }

    pub(crate) fn run(&self, environment: &Environment, prepared: Prepared) -> Result<Finished, StoreError> {
        let mut tally = Tally::default();
        if self.project.contains('\'') {
            let message =
                "The SSIS package could not be executed: the name of the data project holds an apostrophe.";
            self.log(environment, "", message)?;
            return Ok(Finished { state: Some(RunState::Failed), ..Finished::default() });
        }
        // One run at a time works with workbooks; another's fail meanwhile.
        let needed =
            prepared.entities.iter().any(|(line, _)| Format::parse(&line.format) == Some(Format::Excel));
        let workbooks = if needed { environment.workbooks.try_lock().ok() } else { None };
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
                environment.store.with(|db| detail.save(db))?;
                tally.details.push(detail);
                continue;
            }
            let before = tally.bad;
            detail.start_staging(&environment.clock);
            environment.store.with(|db| detail.save(db))?;
            let staged = if Format::parse(&line.format) == Some(Format::Excel) && workbooks.is_none() {
                Err("DMF2039: Another import or export of workbooks is running.".to_owned())
            } else {
                self.stage(environment, &line, &data)
            };
            match staged {
                Ok(staged) => self.entity(environment, &line, staged, &mut detail, &mut tally)?,
                Err(reason) => {
                    tally.bad += 1;
                    detail.end_staging(&environment.clock, "Error");
                    detail.target = "NotRun";
                    self.log(environment, &line.label, &reason)?;
                }
            }
            environment.store.with(|db| detail.save(db))?;
            tally.details.push(detail);
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
        Ok(Finished {
            state: Some(state),
            package: None,
            error_files: tally.error_files,
            details: tally.details,
        })
    }

    fn stage(&self, environment: &Environment, line: &ManifestEntity, data: &[u8]) -> Result<Staged, String> {
        if let Some(what) = line.beyond {
            return Err(format!("{what} is not implemented by this sandbox."));
        }
        let context =
            Context { company: &self.company, catalog: &environment.catalog, definitions: &self.definitions };
        match (self.definitions.composite(&line.label), environment.catalog.label(&line.label)) {
            (Some(composite), _) => stage_composite(line, data, composite, context),
            (None, Some(entity)) => stage(line, data, entity, context),
            (None, None) => Err(format!("Entity {} does not exist.", line.label)),
        }
    }

    /// What was staged goes to the target, where the call asked for it.
    fn entity(
        &self,
        environment: &Environment,
        line: &ManifestEntity,
        staged: Staged,
        detail: &mut Detail,
        tally: &mut Tally,
    ) -> Result<(), StoreError> {
        detail.to_stage = staged.total;
        detail.staged = staged.rows.len();
        detail.rejected = staged.rejected.len();
        detail.end_staging(&environment.clock, if staged.rejected.is_empty() { "Finished" } else { "Error" });
        tally.bad += staged.rejected.len();
        environment.store.with(|db| {
            staged.rejected.iter().try_for_each(|rejected| {
                let entry = entry(&line.label, "staging", &rejected.key, &rejected.field, &rejected.message);
                db.log(&self.execution, &entry)
            })
        })?;
        if let (Some(bytes), Some(format)) = (staged.error_file, Format::parse(&line.format)) {
            tally.error_files.push(ErrorFile { label: line.label.clone(), format, bytes });
        }
        if !self.execute {
            tally.good += staged.rows.len();
            detail.target = "NotRun";
            return Ok(());
        }
        detail.start_target(&environment.clock);
        environment.store.with(|db| detail.save(db))?;
        self.target(environment, line, staged.rows, detail)?;
        tally.good += detail.created + detail.updated;
        tally.bad += detail.failed;
        detail.end_target(&environment.clock, if detail.failed == 0 { "Finished" } else { "Error" });
        Ok(())
    }

    fn target(
        &self,
        environment: &Environment,
        line: &ManifestEntity,
        rows: Vec<StagedRow>,
        detail: &mut Detail,
    ) -> Result<(), StoreError> {
        let by_aot = |aot: &str| environment.catalog.entities.iter().find(|entity| entity.aot == aot);
        let mut failed: HashSet<usize> = HashSet::new();
        let mut rows = rows.into_iter().enumerate().peekable();
        while rows.peek().is_some() {
            environment.store.with(|db| {
                for (at, staged) in rows.by_ref().take(CHUNK) {
                    let Some(entity) = by_aot(&staged.aot) else { continue };
                    let outcome = if staged.parent.is_some_and(|parent| failed.contains(&parent)) {
                        Err("The record that it is nested in could not be written.".to_owned())
                    } else {
                        upsert(environment, db, entity, staged.row, line.logic || line.validation)?
                    };
                    match outcome {
                        Ok(Outcome::Created) => detail.created += 1,
                        Ok(Outcome::Updated) => detail.updated += 1,
                        Err(reason) => {
                            failed.insert(at);
                            let message =
                                format!("\n {reason}\r\n Validations failed while writing entity record\r\n");
                            db.log(
                                &self.execution,
                                &entry(&line.label, "target", &staged.key, "", &message),
                            )?;
                        }
                    }
                }
                Ok::<_, StoreError>(())
            })?;
        }
        detail.failed = failed.len();
        Ok(())
    }

    /// Logs a message about a whole entity, or about the whole run.
    fn log(&self, environment: &Environment, label: &str, message: &str) -> Result<(), StoreError> {
        environment.store.with(|db| db.log(&self.execution, &entry(label, "staging", "", "", message)))
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
