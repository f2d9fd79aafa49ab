//! What became of a message.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value as Json, json};

use super::definition::Queue;
use super::handle::Refused;
use crate::dmf::behaviour::{Behaviour, JobStates, MessageStates};
use crate::dmf::records;
use crate::http::json_reply;
use crate::server::App;
use crate::store::{MessageState, StoreError};

/// The value of `GetMessageStatus`, in the spelling that is set.
pub(crate) fn message_status(state: MessageState, spelling: MessageStates) -> &'static str {
    match (state, spelling) {
        (MessageState::PreProcessing, MessageStates::Documented) => "Preprocessing",
        (MessageState::PostProcessingError, MessageStates::Documented) => "PostProcessingFailed",
        (state, _) => state.name(),
    }
}

/// The answer to `jobstatus`.
pub(super) fn job_status(app: &App, queue: &Queue, id: &str) -> Result<Response, Refused> {
    let (message, behaviour, log, details) = app.store.with(|db| -> Result<_, Refused> {
        let message = db.message(id)?.filter(|found| found.activity == queue.activity_id);
        let message = message.ok_or_else(|| Refused::missing(format!("The job '{id}' does not exist.")))?;
        let logs = db.logs(&message.execution, None)?;
        let failures: Vec<(String, &'static str)> =
            logs.iter().map(|entry| (entry.entity.clone(), entry.step)).collect();
        let log = logs.iter().map(|entry| entry.message.trim()).collect::<Vec<_>>().join("\r\n");
        let details = details(db, &message.execution, &message.company, &failures)?;
        Ok((message, Behaviour::read(db)?, log, details))
    })?;
    let (number, name) = job_state(message.state);
    let state = match behaviour.job_states {
        JobStates::Numbers => json!(number),
        JobStates::Names => json!(name),
    };
    let or_null = |text: &str| if text.is_empty() { Json::Null } else { json!(text) };
    let body = json!({
        "DataJobStatus": {
            "DataProject": queue.project,
            "DataJobIdentifier": message.id,
            "ExternalIdentifier": or_null(&message.external),
            "ExecutionIdentifier": or_null(&message.execution),
            "DataJobStartedDateTime": or_null(&message.started),
            "DataJobCompletedDateTime": or_null(&message.completed),
            "DataJobState": state,
        },
        "ExecutionLog": log,
        "ExecutionDetail": details,
    });
    Ok(json_reply(StatusCode::OK, body.to_string()))
}

fn details(
    db: &crate::store::Db<'_>,
    execution: &str,
    company: &str,
    failures: &[(String, &'static str)],
) -> Result<Vec<Json>, StoreError> {
    let columns = [
        "EntityName",
        "StagingRecordsCreatedCount",
        "StagingStatus",
        "TargetRecordsCreatedCount",
        "TargetRecordsUpdatedCount",
        "TargetStatus",
        "StagingStartDateTime",
        "TargetEndDateTime",
    ];
    let rows = records::details(db, execution, columns)?;
    let list = rows.into_iter().map(|[label, staged, staging, created, updated, target, start, end]| {
        let number = |text: &str| text.parse::<u64>().unwrap_or(0);
        let errors = |step: &str| failures.iter().filter(|(of, at)| *of == label && *at == step).count();
        json!({
            "EntityName": label,
            "Company": company,
            "StagingRecords": number(&staged),
            "StagingStatus": staging,
            "StagingErrorCount": errors("staging"),
            "TargetRecords": number(&created) + number(&updated),
            "TargetStatus": target,
            "TargetErrorCount": errors("target"),
            "ExecutionStartedDateTime": start,
            "ExecutionCompletedDateTime": end,
        })
    });
    Ok(list.collect())
}

/// Members of the enum of job states; preprocessing has none of its own and counts as in process.
fn job_state(state: MessageState) -> (u8, &'static str) {
    match state {
        MessageState::Enqueued => (0, "Enqueued"),
        MessageState::Dequeued => (1, "Dequeued"),
        MessageState::Downloaded => (2, "Downloaded"),
        MessageState::Acked => (3, "Acked"),
        MessageState::PreProcessing | MessageState::Processing => (4, "InProcess"),
        MessageState::Processed => (5, "Processed"),
        MessageState::ProcessedWithErrors => (6, "ProcessedWithErrors"),
        MessageState::PostProcessingError => (7, "PostProcessError"),
        MessageState::PreProcessingError => (8, "PreProcessError"),
    }
}
