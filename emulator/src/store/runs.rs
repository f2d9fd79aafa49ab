//! Runs of data projects and what they logged.

use rusqlite::{OptionalExtension, Row as SqlRow, params};

use super::{Db, StoreError};

/// State of a run; the names are those of the service's summary enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunState {
    NotRun,
    Executing,
    Succeeded,
    PartiallySucceeded,
    Failed,
    Canceled,
}

/// One run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) execution: String,
    pub(crate) project: String,
    pub(crate) company: String,
    pub(crate) operation: String,
    pub(crate) state: RunState,
    /// How often this execution id was submitted; more than once is what a client must never do.
    pub(crate) submissions: i64,
    /// Whether the record of the run can be seen by the service's own calls yet.
    pub(crate) visible: bool,
    /// Blob that holds the exported package; empty before there is one.
    pub(crate) blob: String,
}

/// One message about a record, or about an entity as a whole (empty `record`).
#[derive(Debug, Clone)]
pub(crate) struct EntityLog {
    pub(crate) entity: String,
    /// `staging` or `target`.
    pub(crate) step: &'static str,
    pub(crate) record: String,
    pub(crate) field: String,
    pub(crate) message: String,
}

impl RunState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotRun => "NotRun",
            Self::Executing => "Executing",
            Self::Succeeded => "Succeeded",
            Self::PartiallySucceeded => "PartiallySucceeded",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
        }
    }

    pub(crate) fn terminal(self) -> bool {
        !matches!(self, Self::NotRun | Self::Executing)
    }

    fn parse(name: &str) -> Self {
        match name {
            "NotRun" => Self::NotRun,
            "Executing" => Self::Executing,
            "Succeeded" => Self::Succeeded,
            "PartiallySucceeded" => Self::PartiallySucceeded,
            "Canceled" => Self::Canceled,
            _ => Self::Failed,
        }
    }
}

impl Db<'_> {
    pub(crate) fn run(&self, execution: &str) -> Result<Option<Run>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("{SELECT} WHERE execution = ?1"))?
            .query_row(params![execution], read)
            .optional()?)
    }

    /// All runs, oldest first.
    pub(crate) fn runs(&self) -> Result<Vec<Run>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("{SELECT} ORDER BY id"))?;
        let runs = statement.query_map([], read)?.collect::<Result<_, _>>()?;
        Ok(runs)
    }

    pub(crate) fn add_run(
        &self,
        execution: &str,
        project: &str,
        company: &str,
        operation: &str,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO runs(execution, project, company, operation, state, submissions, visible, blob)
                 VALUES(?1, ?2, ?3, ?4, 'NotRun', 1, 0, '')",
            )?
            .execute(params![execution, project, company, operation])?;
        Ok(())
    }

    /// Begins a run anew; whether it can be seen stays as it is.
    pub(crate) fn restart_run(
        &self,
        execution: &str,
        project: &str,
        company: &str,
        operation: &str,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "UPDATE runs SET project = ?2, company = ?3, operation = ?4, state = 'NotRun', blob = '' WHERE execution = ?1",
            )?
            .execute(params![execution, project, company, operation])?;
        Ok(())
    }

    /// Takes a run and its package from the sight of the service's own calls.
    pub(crate) fn hide_run(&self, execution: &str) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("UPDATE runs SET visible = 0, blob = '' WHERE execution = ?1")?
            .execute(params![execution])?;
        Ok(())
    }

    /// Counts a further submission; false where no such run exists.
    pub(crate) fn count_submission(&self, execution: &str) -> Result<bool, StoreError> {
        let count = self
            .connection
            .prepare_cached("UPDATE runs SET submissions = submissions + 1 WHERE execution = ?1")?
            .execute(params![execution])?;
        Ok(count > 0)
    }

    pub(crate) fn set_run(&self, execution: &str, state: RunState, visible: bool) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("UPDATE runs SET state = ?2, visible = ?3 WHERE execution = ?1")?
            .execute(params![execution, state.name(), visible])?;
        Ok(())
    }

    pub(crate) fn set_run_blob(&self, execution: &str, blob: &str) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("UPDATE runs SET blob = ?2 WHERE execution = ?1")?
            .execute(params![execution, blob])?;
        Ok(())
    }

    pub(crate) fn remove_run(&self, execution: &str) -> Result<(), StoreError> {
        self.clear_logs(execution)?;
        self.connection.execute("DELETE FROM runs WHERE execution = ?1", params![execution])?;
        Ok(())
    }

    /// After a restart nobody works on runs that were open.
    pub(crate) fn abandon_open_runs(&self) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE runs SET state = 'Failed', visible = 1 WHERE state IN ('NotRun', 'Executing')",
            [],
        )?;
        Ok(())
    }

    pub(crate) fn log(&self, execution: &str, entry: &EntityLog) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO logs(execution, entity, step, record, field, message) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![execution, entry.entity, entry.step, entry.record, entry.field, entry.message])?;
        Ok(())
    }

    /// What a run logged, oldest first; of one entity where given.
    pub(crate) fn logs(&self, execution: &str, entity: Option<&str>) -> Result<Vec<EntityLog>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT entity, step, record, field, message FROM logs
             WHERE execution = ?1 AND (?2 IS NULL OR entity = ?2) ORDER BY id",
        )?;
        let logs = statement
            .query_map(params![execution, entity], |row| {
                let step: String = row.get(1)?;
                Ok(EntityLog {
                    entity: row.get(0)?,
                    step: if step == "staging" { "staging" } else { "target" },
                    record: row.get(2)?,
                    field: row.get(3)?,
                    message: row.get(4)?,
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(logs)
    }

    pub(crate) fn clear_logs(&self, execution: &str) -> Result<(), StoreError> {
        self.connection.execute("DELETE FROM logs WHERE execution = ?1", params![execution])?;
        Ok(())
    }
}

const SELECT: &str =
    "SELECT execution, project, company, operation, state, submissions, visible, blob FROM runs";

fn read(row: &SqlRow<'_>) -> rusqlite::Result<Run> {
    let state: String = row.get(4)?;
    Ok(Run {
        execution: row.get(0)?,
        project: row.get(1)?,
        company: row.get(2)?,
        operation: row.get(3)?,
        state: RunState::parse(&state),
        submissions: row.get(5)?,
        visible: row.get(6)?,
        blob: row.get(7)?,
    })
}
