//! What a run leaves behind in `DataManagementExecutionJobs` and `DataManagementExecutionJobDetails`.

use crate::clock::Clock;
use crate::store::{Db, Key, StoreError};
use crate::value::{NO_DATE, Row, Value};

/// Kind of the moments at which runs were purged.
pub(crate) const PURGED: &str = "purged";

/// Kind of the moments at which runs ended.
pub(crate) const ENDED: &str = "run ended";

const JOB: &str = "DataManagementExecutionJobEntity";
const DETAIL: &str = "DataManagementExecutionJobDetailEntity";

/// The row of one entity of a run.
#[derive(Debug, Clone)]
pub(crate) struct Detail {
    pub(crate) project: String,
    pub(crate) execution: String,
    pub(crate) label: String,
    pub(crate) format: String,
    pub(crate) file: String,
    pub(crate) unit: i32,
    pub(crate) level: i32,
    pub(crate) sequence: i32,
    /// Member of DMFBatchJobStatus.
    pub(crate) staging: &'static str,
    /// Member of DMFBatchJobStatus.
    pub(crate) target: &'static str,
    pub(crate) to_stage: usize,
    pub(crate) staged: usize,
    pub(crate) created: usize,
    pub(crate) updated: usize,
    /// Rows that could not be staged.
    pub(crate) rejected: usize,
    /// Rows that the target refused.
    pub(crate) failed: usize,
    staging_start: Option<String>,
    staging_end: Option<String>,
    target_start: Option<String>,
    target_end: Option<String>,
}

impl Detail {
    /// A row before anything happened.
    pub(crate) fn new(project: &str, execution: &str, label: &str, order: (i32, i32, i32)) -> Self {
        Self {
            project: project.to_owned(),
            execution: execution.to_owned(),
            label: label.to_owned(),
            format: String::new(),
            file: String::new(),
            unit: order.0,
            level: order.1,
            sequence: order.2,
            staging: "NotStarted",
            target: "NotStarted",
            to_stage: 0,
            staged: 0,
            created: 0,
            updated: 0,
            rejected: 0,
            failed: 0,
            staging_start: None,
            staging_end: None,
            target_start: None,
            target_end: None,
        }
    }

    pub(crate) fn start_staging(&mut self, clock: &Clock) {
        self.staging = "Executing";
        self.staging_start = Some(clock.stamp());
    }

    pub(crate) fn end_staging(&mut self, clock: &Clock, status: &'static str) {
        self.staging = status;
        self.staging_end = Some(clock.stamp());
    }

    pub(crate) fn start_target(&mut self, clock: &Clock) {
        self.target = "Executing";
        self.target_start = Some(clock.stamp());
    }

    pub(crate) fn end_target(&mut self, clock: &Clock, status: &'static str) {
        self.target = status;
        self.target_end = Some(clock.stamp());
    }

    pub(crate) fn save(&self, db: &Db<'_>) -> Result<(), StoreError> {
        let text = |value: &str| Value::text(value);
        let date = |value: &Option<String>| Value::text(value.as_deref().unwrap_or(NO_DATE));
        let row = [
            ("DefinitionGroupId", text(&self.project)),
            ("JobId", text(&self.execution)),
            ("EntityName", text(&self.label)),
            ("SourceFormat", text(&self.format)),
            ("FilePath", text(&self.file)),
            ("ExecutionUnit", Value::number(self.unit)),
            ("LevelInExecutionUnit", Value::number(self.level)),
            ("SequenceInLevel", Value::number(self.sequence)),
            ("StagingStatus", text(self.staging)),
            ("TargetStatus", text(self.target)),
            ("StagingRecordsToBeProcessedCount", Value::number(self.to_stage)),
            ("StagingRecordsCreatedCount", Value::number(self.staged)),
            ("TargetRecordsCreatedCount", Value::number(self.created)),
            ("TargetRecordsUpdatedCount", Value::number(self.updated)),
            ("StagingStartDateTime", date(&self.staging_start)),
            ("StagingEndDateTime", date(&self.staging_end)),
            ("TargetStartDateTime", date(&self.target_start)),
            ("TargetEndDateTime", date(&self.target_end)),
            ("FirstRowIsHeader", text("Yes")),
        ];
        let key = [self.project.as_str(), self.execution.as_str(), self.label.as_str()].join("\u{1f}");
        db.put(DETAIL, &shared(key), &named(row))?;
        Ok(())
    }
}

/// Makes the job of a run visible.
pub(crate) fn save_job(db: &Db<'_>, project: &str, execution: &str) -> Result<(), StoreError> {
    let row = [("JobId", Value::text(execution)), ("Description", Value::text(project))];
    db.put(JOB, &shared(execution.to_owned()), &named(row))?;
    Ok(())
}

/// Texts of the details of a run: for each entity the values of the named columns.
pub(crate) fn details<const N: usize>(
    db: &Db<'_>,
    execution: &str,
    columns: [&str; N],
) -> Result<Vec<[String; N]>, StoreError> {
    let mut rows = Vec::new();
    db.scan(DETAIL, None, 0, |stored| -> Result<(), StoreError> {
        let text = |name: &str| stored.row.get(name).map_or("", Value::as_text).to_owned();
        if text("JobId") == execution {
            rows.push(columns.map(text));
        }
        Ok(())
    })?;
    Ok(rows)
}

/// What retention does to a run: its record, details, staging, messages and error files are gone, and its id is unknown
/// to the service's own calls.
pub(crate) fn purge(db: &Db<'_>, execution: &str, now: i64) -> Result<(), StoreError> {
    forget(db, execution)?;
    db.hide_run(execution)?;
    db.clear_moment(ENDED, execution)?;
    db.set_moment(PURGED, execution, now)
}

/// Removes all that a run left behind, itself excepted.
pub(crate) fn forget(db: &Db<'_>, execution: &str) -> Result<(), StoreError> {
    remove(db, execution)?;
    db.clear_logs(execution)?;
    for step in ["staging", "target"] {
        db.remove_settings(&error_file_setting(execution, "", step))?;
    }
    Ok(())
}

/// Where the blob name of an error file is kept.
pub(crate) fn error_file_setting(execution: &str, label: &str, step: &str) -> String {
    format!("errors:{step}:{execution}:{label}")
}

/// Removes the job and its details.
fn remove(db: &Db<'_>, execution: &str) -> Result<(), StoreError> {
    let mut keys = Vec::new();
    db.scan(DETAIL, None, 0, |stored| -> Result<(), StoreError> {
        let text = |name: &str| stored.row.get(name).map_or("", Value::as_text);
        if text("JobId") == execution {
            keys.push([text("DefinitionGroupId"), execution, text("EntityName")].join("\u{1f}"));
        }
        Ok(())
    })?;
    for key in keys {
        db.remove(DETAIL, &shared(key))?;
    }
    db.remove(JOB, &shared(execution.to_owned()))?;
    Ok(())
}

fn shared(key: String) -> Key {
    Key { company: String::new(), key }
}

fn named<const N: usize>(values: [(&str, Value); N]) -> Row {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
