//! The actions, by name.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value as Json, json};

use super::errors::{execution_errors, file_url, generate_target_keys};
use super::export::{self, Extent};
use super::import::{self, Cause};
use super::projects;
use super::records;
use super::{behaviour::Behaviour, summary};
use crate::http::empty;
use crate::odata::error::ODataError;
use crate::odata::{Parameters, default_company, value_reply};
use crate::queue::message_status;
use crate::server::App;
use crate::storage::{read_url, write_url};
use crate::store::{Run, StoreError};

/// Carries out an action of `DataManagementDefinitionGroups` or `DataManagementEntities`.
pub(crate) async fn action(app: &App, name: &str, parameters: &Parameters) -> Result<Response, ODataError> {
    let failed = |cause: Cause| ODataError::action(name, &cause.0);
    let execution = parameters.text("executionId");
    let label = parameters.text("entityName");
    let text = match name {
        "GetAzureWriteUrl" => azure_write_url(app, parameters.text("uniqueFileName")).map_err(failed)?,
        "ImportFromPackage" | "ImportFromPackageAsync" => {
            import::submit(app, parameters).await.map_err(failed)?
        }
        "ExportToPackage" | "ExportToPackageAsync" => {
            export::submit(app, parameters, Extent::Everything).map_err(failed)?
        }
        "ExportFromPackage" => export::submit_template(app, parameters).await.map_err(failed)?,
        "ExportToPackagePreview" | "ExportToPackagePreviewAsync" => {
            let count = parameters.text("exportPreviewCount").parse().unwrap_or(0);
            export::submit(app, parameters, Extent::Preview(count)).map_err(failed)?
        }
        "GetExecutionSummaryStatus" => {
            let run = visible_run(app, execution).map_err(failed)?;
            let kind = "Microsoft.Dynamics.DataEntities.DMFExecutionSummaryStatus";
            return Ok(value_reply(app, kind, &Json::String(run.state.name().to_owned())));
        }
        "GetExportedPackageUrl" => {
            let run = visible_run(app, execution).map_err(failed)?;
            if run.blob.is_empty() { String::new() } else { read_url(app, &run.blob)? }
        }
        "GetExecutionErrors" => execution_errors(app, execution)?,
        "GetExecutionSummaryPageUrl" => {
            visible_run(app, execution).map_err(failed)?;
            let company = app.store.with(default_company)?;
            format!("{}/?cmp={company}&mi=DMFExecutionHistoryWorkspace&q={execution}", app.base_url)
        }
        "GetImportStagingErrorFileUrl" => file_url(app, execution, label, "staging")?,
        "GetImportTargetErrorKeysFileUrl" => file_url(app, execution, label, "target")?,
        "GenerateImportTargetErrorKeysFile" => {
            let exist = generate_target_keys(app, execution, label)?;
            return Ok(value_reply(app, "Edm.Boolean", &Json::Bool(exist)));
        }
        "DeleteExecutionHistoryJob" => {
            visible_run(app, execution).map_err(failed)?;
            app.store.with(|db| {
                records::forget(db, execution)?;
                db.clear_moment(records::ENDED, execution)?;
                db.remove_run(execution)
            })?;
            String::new()
        }
        "ResetVersionToken" => {
            let project = parameters.text("definitionGroupId");
            let done = reset_marker(app, project, label).map_err(failed)?;
            return Ok(value_reply(app, "Edm.Boolean", &Json::Bool(done)));
        }
        "InitializeDataManagement" | "InitializeDataManagementAsync" => {
            return Ok(empty(StatusCode::NO_CONTENT));
        }
        "GetMessageStatus" => {
            let id = parameters.text("messageId");
            let (message, behaviour) =
                app.store.with(|db| Ok::<_, StoreError>((db.message(id)?, Behaviour::read(db)?)))?;
            let message = message.ok_or_else(|| failed(no_message(id)))?;
            message_status(message.state, behaviour.message_states).to_owned()
        }
        "GetExecutionIdByMessageId" => {
            let id = parameters.text("_messageId");
            let message = app.store.with(|db| db.message(id))?.ok_or_else(|| failed(no_message(id)))?;
            if message.execution.is_empty() { uuid::Uuid::nil().to_string() } else { message.execution }
        }
        "GetEntityExecutionSummaryStatusList" => {
            visible_run(app, execution).map_err(failed)?;
            let list = summary::of_entities(app, execution)?;
            return Ok(value_reply(app, "Collection(Edm.String)", &list.into()));
        }
        "GetEntitySequence" => {
            summary::sequence(app, parameters.text("listOfDataEntities")).map_err(failed)?
        }
        // Invented version numbers of the right shape.
        "GetApplicationVersion" => "10.0.2177.26".to_owned(),
        "GetApplicationBuildVersion" => "10.0.2177.26".to_owned(),
        "GetPlatformBuildVersion" => "7.0.7521.30".to_owned(),
        _ => return Err(ODataError::not_here(&format!("The action {name}"))),
    };
    Ok(value_reply(app, "Edm.String", &Json::String(text)))
}

/// JSON in a string, as the service answers.
fn azure_write_url(app: &App, name: &str) -> Result<String, Cause> {
    if name.is_empty()
        || name.len() > 200
        || name.contains(['/', '\\', '?', '#'])
        || name.chars().any(char::is_control)
    {
        return Err(Cause("The parameter uniqueFileName must be a file name.".to_owned()));
    }
    let id = uuid::Uuid::new_v4().to_string().to_uppercase();
    Ok(json!({ "BlobId": format!("{{{id}}}"), "BlobUrl": write_url(app, name)? }).to_string())
}

fn no_message(id: &str) -> Cause {
    Cause(format!("The message {id} does not exist."))
}

/// The run, once its record can be seen.
fn visible_run(app: &App, execution: &str) -> Result<Run, Cause> {
    let run = app.store.with(|db| db.run(execution))?;
    run.filter(|run| run.visible)
        .ok_or_else(|| Cause(format!("Execution details were not found for execution id: {execution}")))
}

fn reset_marker(app: &App, project: &str, label: &str) -> Result<bool, Cause> {
    app.store.with(|db| {
        let known = projects::read(db, project)?
            .is_some_and(|found| found.lines.iter().any(|line| line.label == label));
        if !known {
            return Err(Cause(format!("Data project {project} does not exist.")));
        }
        db.clear_markers(Some(project), Some(label))?;
        Ok(true)
    })
}
