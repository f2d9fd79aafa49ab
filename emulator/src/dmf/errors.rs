//! Errors of runs as the service hands them out.

use serde_json::Value as Json;

use super::records::error_file_setting;
use crate::package::{csv, text};
use crate::server::App;
use crate::storage::{keep, read_url};
use crate::store::{EntityLog, StoreError};

/// The answer of `GetExecutionErrors`: a list in a string.
///
/// As measured in the field the list may be invalid JSON: quotes inside of messages are not escaped. It is `[]` for
/// runs that left no messages, and for ids that nobody knows.
pub(crate) fn execution_errors(app: &App, execution: &str) -> Result<String, StoreError> {
    let logs = app.store.with(|db| db.logs(execution, None))?;
    let items: Vec<String> = logs
        .iter()
        .map(|entry| {
            format!(
                "{{\"RecordId\":{},\"Field\":{},\"ErrorMessage\":\"{}\"}}",
                Json::String(entry.record.clone()),
                Json::String(entry.field.clone()),
                loosely_escaped(&entry.message)
            )
        })
        .collect();
    Ok(format!("[{}]", items.join(",")))
}

fn loosely_escaped(message: &str) -> String {
    message.replace('\\', "\\\\").replace('\r', "\\r").replace('\n', "\\n").replace('\t', "\\t")
}

/// `GetImportStagingErrorFileUrl` and `GetImportTargetErrorKeysFileUrl`: a URL, or nothing while or where there is no
/// file.
pub(crate) fn file_url(app: &App, execution: &str, label: &str, step: &str) -> Result<String, StoreError> {
    let blob = app.store.with(|db| db.setting(&error_file_setting(execution, label, step)))?;
    blob.map_or_else(|| Ok(String::new()), |blob| read_url(app, &blob))
}

/// `GenerateImportTargetErrorKeysFile`: whether there are errors; where there are, the file is made in the background.
/// Its layout (a CSV with the key as one text) is a guess: no source shows one.
pub(crate) fn generate_target_keys(app: &App, execution: &str, label: &str) -> Result<bool, StoreError> {
    let logs = app.store.with(|db| db.logs(execution, Some(label)))?;
    let failed: Vec<EntityLog> = logs.into_iter().filter(|entry| entry.step == "target").collect();
    if failed.is_empty() {
        return Ok(false);
    }
    let mut out = String::new();
    csv::write_record(&mut out, ["RECORDID", "ERRORMESSAGE"]);
    for entry in &failed {
        csv::write_record(&mut out, [entry.record.as_str(), entry.message.trim()]);
    }
    let (app, setting) = (app.clone(), error_file_setting(execution, label, "target"));
    tokio::spawn(async move {
        app.clock.sleep(app.step).await;
        let blob = format!("{}-target-errors.csv", uuid::Uuid::new_v4());
        let stored = keep(&app, &blob, "text/csv", text::encode_unicode(&out).into()).await;
        if stored.is_ok() && app.store.with(|db| db.set_setting(&setting, &blob)).is_err() {
            eprintln!("an error file could not be recorded");
        }
    });
    Ok(true)
}
