//! The background part of a run: what a caller sees when.
//!
//! After the submission the record of the run is not there for one step, or longer where a setting says so; then it is `NotRun`, then `Executing`, each
//! for at least one step, then the result. The address of an exported package appears one step after that.

use std::time::Duration;

use super::behaviour::Behaviour;
use super::formats::Format;
use super::records::{self, Detail, error_file_setting, save_job};
use crate::server::App;
use crate::storage::keep;
use crate::store::{RunState, StoreError};

/// What a run came to.
#[derive(Default)]
pub(crate) struct Finished {
    /// `None`: the run never ends, as in the service when an export line has no mapping.
    pub(crate) state: Option<RunState>,
    /// The exported package.
    pub(crate) package: Option<Vec<u8>>,
    pub(crate) error_files: Vec<ErrorFile>,
    /// What became of each entity.
    pub(crate) details: Vec<Detail>,
}

/// The rejected rows of an entity.
pub(crate) struct ErrorFile {
    pub(crate) label: String,
    pub(crate) format: Format,
    pub(crate) bytes: Vec<u8>,
}

/// Carries a submitted run through its states. `details` are shown before `work` begins.
pub(crate) async fn drive(
    app: App,
    execution: String,
    project: String,
    details: Vec<Detail>,
    work: impl FnOnce(&App) -> Result<Finished, StoreError> + Send + 'static,
) {
    let result = run(&app, &execution, &project, details, work).await;
    if let Err(error) = result {
        eprintln!("run {execution}: {error}");
        // Nothing is left to do where this fails too: the database is gone.
        let _ = app.store.with(|db| db.set_run(&execution, RunState::Failed, true));
    }
}

async fn run(
    app: &App,
    execution: &str,
    project: &str,
    details: Vec<Detail>,
    work: impl FnOnce(&App) -> Result<Finished, StoreError> + Send + 'static,
) -> Result<(), String> {
    let text = |error: StoreError| error.to_string();
    let delay = app.store.with(Behaviour::read).map_err(text)?.record_delay_ms;
    app.clock.sleep(app.step.max(Duration::from_millis(delay))).await;
    app.store
        .with(|db| {
            db.set_run(execution, RunState::NotRun, true)?;
            save_job(db, project, execution)?;
            details.iter().try_for_each(|detail| detail.save(db))
        })
        .map_err(text)?;
    app.clock.sleep(app.step).await;
    app.store.with(|db| db.set_run(execution, RunState::Executing, true)).map_err(text)?;

    let of_worker = app.clone();
    let worker = tokio::task::spawn_blocking(move || work(&of_worker));
    let (finished, ()) = tokio::join!(worker, app.clock.sleep(app.step));
    // A panic in the worker fails its run and nothing else.
    let finished = finished.map_err(|_| "the worker stopped".to_owned())?.map_err(text)?;

    for file in finished.error_files {
        let (extension, media_type) = file.format.file_type();
        let blob = format!("{execution}-{}-staging-errors.{extension}", uuid::Uuid::new_v4().simple());
        keep(app, &blob, media_type, file.bytes.into()).await?;
        app.store
            .with(|db| db.set_setting(&error_file_setting(execution, &file.label, "staging"), &blob))
            .map_err(text)?;
    }
    let mut blob = None;
    if let Some(package) = finished.package {
        let name = format!("{}.zip", uuid::Uuid::new_v4());
        keep(app, &name, "application/zip", package.into()).await?;
        blob = Some(name);
    }
    let Some(state) = finished.state else { return Ok(()) };
    app.store
        .with(|db| {
            db.set_run(execution, state, true)?;
            db.set_moment(records::ENDED, execution, app.clock.milliseconds())
        })
        .map_err(text)?;
    if let Some(blob) = blob {
        app.clock.sleep(app.step.min(Duration::from_secs(2))).await;
        app.store.with(|db| db.set_run_blob(execution, &blob)).map_err(text)?;
    }
    Ok(())
}
