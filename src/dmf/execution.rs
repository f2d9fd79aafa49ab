//! What the service tells of a run: status, counts per entity, errors per row.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fields::{Fields, FromValue};
use crate::http::redact_text;

/// Where a run stands (`DMFExecutionSummaryStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ExecutionStatus {
    /// Not classified yet, or a word that this version does not know.
    Unknown,
    /// Queued.
    NotRun,
    /// Running.
    Executing,
    /// Ended well.
    Succeeded,
    /// Some records failed.
    PartiallySucceeded,
    /// Ended as failed.
    Failed,
    /// Cancelled in the service.
    Canceled,
}

impl ExecutionStatus {
    const ALL: [Self; 7] = [
        Self::Unknown,
        Self::NotRun,
        Self::Executing,
        Self::Succeeded,
        Self::PartiallySucceeded,
        Self::Failed,
        Self::Canceled,
    ];

    /// Reads the symbol, or the enum's integer (unverified). Any other word is no end of the run.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if let Some(status) = text.parse::<usize>().ok().and_then(|index| Self::ALL.get(index)) {
            return *status;
        }
        Self::ALL.into_iter().find(|status| status.as_str() == text).unwrap_or(Self::Unknown)
    }

    /// The service's symbol.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::NotRun => "NotRun",
            Self::Executing => "Executing",
            Self::Succeeded => "Succeeded",
            Self::PartiallySucceeded => "PartiallySucceeded",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
        }
    }

    /// Whether the run has ended.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::PartiallySucceeded | Self::Failed | Self::Canceled)
    }
}

/// What a run did to one entity, read from `DataManagementExecutionJobDetails`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EntityOutcome {
    /// Label of the entity.
    pub entity: String,
    /// The service's word: of the target step, for an export of the staging step.
    pub status: String,
    /// Records created in the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<u64>,
    /// Records updated in the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<u64>,
    /// Records that did not arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<u64>,
    /// Rows that reached staging: for an export the rows of the package.
    #[serde(skip)]
    pub staged: Option<u64>,
}

/// One row's failure, as `GetExecutionErrors` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RowError {
    /// Label of the entity; empty where more than one had failures, for the service does not say which.
    pub entity: String,
    /// Text of the record's key.
    pub record_id: String,
    /// Field, often empty.
    pub field: String,
    /// The reason.
    pub message: String,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RunOutcome {
    /// The run.
    pub execution_id: String,
    /// Its end.
    pub status: ExecutionStatus,
    /// Per entity.
    pub entities: Vec<EntityOutcome>,
    /// Rows that did not arrive, over all entities.
    pub rejected_count: u64,
    /// The service's reasons, where it gave any.
    pub errors: Vec<RowError>,
}

/// Columns asked for; few, for the set is wide.
pub(super) const DETAIL_COLUMNS: &str = "EntityName,StagingStatus,TargetStatus,StagingRecordsToBeProcessedCount,\
                                         StagingRecordsCreatedCount,TargetRecordsCreatedCount,TargetRecordsUpdatedCount";

#[derive(Debug, Clone)]
pub(super) struct Detail {
    pub(super) entity_name: String,
    staging_status: Option<String>,
    target_status: Option<String>,
    staging_records_to_be_processed_count: u64,
    staging_records_created_count: u64,
    target_records_created_count: u64,
    target_records_updated_count: u64,
}

impl FromValue for Detail {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let mut count = |name| of.not_null(name).number(name).unwrap_or_default();
        let [waiting, staged, created, updated] = [
            "StagingRecordsToBeProcessedCount",
            "StagingRecordsCreatedCount",
            "TargetRecordsCreatedCount",
            "TargetRecordsUpdatedCount",
        ]
        .map(&mut count);
        let detail = Self {
            entity_name: of.required("EntityName", Fields::text),
            staging_status: of.text("StagingStatus"),
            target_status: of.text("TargetStatus"),
            staging_records_to_be_processed_count: waiting,
            staging_records_created_count: staged,
            target_records_created_count: created,
            target_records_updated_count: updated,
        };
        of.finish_open(detail)
    }
}

impl Detail {
    /// All rows counted so far: grows while the run makes progress.
    pub(super) const fn progress(&self) -> u64 {
        self.staging_records_created_count
            .saturating_add(self.target_records_created_count)
            .saturating_add(self.target_records_updated_count)
    }

    pub(super) fn into_import(self) -> EntityOutcome {
        let meant = self.staging_records_to_be_processed_count.max(self.staging_records_created_count);
        let arrived = self.target_records_created_count.saturating_add(self.target_records_updated_count);
        let status = self.target_status.filter(|word| word != "NotStarted").or(self.staging_status);
        EntityOutcome {
            entity: self.entity_name,
            status: status.unwrap_or_default(),
            created: Some(self.target_records_created_count),
            updated: Some(self.target_records_updated_count),
            errors: Some(meant.saturating_sub(arrived)),
            staged: Some(self.staging_records_created_count),
        }
    }

    /// Of a run whose direction is not known: what the target counts is told where it has begun.
    pub(super) fn into_either(self) -> EntityOutcome {
        let idle =
            self.target_status.as_deref().is_none_or(|word| matches!(word, "" | "NotStarted" | "NotRun"));
        if !idle || self.target_records_created_count > 0 || self.target_records_updated_count > 0 {
            return self.into_import();
        }
        let unstaged =
            self.staging_records_to_be_processed_count.saturating_sub(self.staging_records_created_count);
        EntityOutcome { errors: Some(unstaged), ..self.into_export() }
    }

    pub(super) fn into_export(self) -> EntityOutcome {
        EntityOutcome {
            entity: self.entity_name,
            status: self.staging_status.unwrap_or_default(),
            created: None,
            updated: None,
            errors: None,
            staged: Some(self.staging_records_created_count),
        }
    }
}

/// Reads the text of `GetExecutionErrors`. It should be a JSON list, but messages with unescaped quotes and line breaks were
/// measured in the field: then the three members are taken by their place.
pub(super) fn row_errors(text: &str) -> Vec<RowError> {
    if let Ok(list) = serde_json::from_str::<Vec<Value>>(text) {
        let of =
            |item: &Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        return list
            .iter()
            .map(|item| RowError {
                entity: String::new(),
                record_id: of(item, "RecordId"),
                field: of(item, "Field"),
                message: tidy(&of(item, "ErrorMessage")),
            })
            .collect();
    }
    text.split("\"RecordId\":\"").skip(1).map(broken_row_error).collect()
}

fn broken_row_error(part: &str) -> RowError {
    let (record_id, rest) = part.split_once("\",\"Field\":\"").unwrap_or(("", part));
    let (field, rest) = rest.split_once("\",\"ErrorMessage\":\"").unwrap_or(("", rest));
    let message = rest.trim_end().trim_end_matches(['{', ',', ']']).trim_end().trim_end_matches('}');
    let message = message.strip_suffix('"').unwrap_or(message);
    let message = message.replace("\\r", "").replace("\\n", "\n").replace("\\\"", "\"");
    RowError {
        entity: String::new(),
        record_id: record_id.to_owned(),
        field: field.to_owned(),
        message: tidy(&message),
    }
}

/// On one line, and without secrets: the service quotes URLs with their signatures.
fn tidy(message: &str) -> String {
    let lines: Vec<&str> = message.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    redact_text(&lines.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_of_the_status_are_read_and_others_are_no_end() {
        assert_eq!(ExecutionStatus::parse("PartiallySucceeded"), ExecutionStatus::PartiallySucceeded);
        assert_eq!(ExecutionStatus::parse("5"), ExecutionStatus::Failed);
        assert_eq!(ExecutionStatus::parse("Queued"), ExecutionStatus::Unknown);
        assert!(!ExecutionStatus::Unknown.is_terminal());
        assert!(ExecutionStatus::Canceled.is_terminal());
    }

    #[test]
    fn errors_are_read_from_json_and_from_what_only_looks_like_it() {
        let good = r#"[{"RecordId":"C00017","Field":"","ErrorMessage":"\n Contract type NDA2 was not found.\r\n Validations failed while writing entity record\r\n"}]"#;
        let expected = RowError {
            entity: String::new(),
            record_id: "C00017".into(),
            field: String::new(),
            message: "Contract type NDA2 was not found. Validations failed while writing entity record"
                .into(),
        };
        assert_eq!(row_errors(good), std::slice::from_ref(&expected));
        let broken = "[{\"RecordId\":\"C1\",\"Field\":\"Name\",\"ErrorMessage\":\"The value \"x\" is\nwrong\"},{\"RecordId\":\"C2\",\"Field\":\"\",\"ErrorMessage\":\"b\"}]";
        let read = row_errors(broken);
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].message, "The value \"x\" is wrong");
        assert_eq!((read[1].record_id.as_str(), read[1].message.as_str()), ("C2", "b"));
        assert_eq!(row_errors("[]"), []);
        assert_eq!(row_errors(""), []);
    }

    #[test]
    fn rows_that_did_not_arrive_are_counted() {
        let tree = serde_json::from_str(
            r#"{"EntityName":"E","StagingStatus":"Finished","TargetStatus":"Error","StagingRecordsToBeProcessedCount":10,
                "StagingRecordsCreatedCount":10,"TargetRecordsCreatedCount":6,"TargetRecordsUpdatedCount":1}"#,
        )
        .unwrap();
        let outcome = Detail::from_value(tree).unwrap().into_import();
        assert_eq!((outcome.created, outcome.updated, outcome.errors), (Some(6), Some(1), Some(3)));
        assert_eq!(outcome.status, "Error");
    }
}
