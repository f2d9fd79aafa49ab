//! An export run becomes messages: one for the package, or one for each data file.

use serde_json::{Value as Json, json};

use super::definition::{Direction, Mode, Queue, find, read};
use super::inbound::take_up;
use crate::dmf::{ExportRequest, Extent, begin_export, records};
use crate::odata::default_company;
use crate::package::Archive;
use crate::server::App;
use crate::storage::keep;
use crate::store::{Message, MessageState, RunState, StoreError};

/// Runs the export of a queue and waits for its end: what became of it.
pub(crate) async fn run_export(app: &App, activity: &str) -> Result<Json, String> {
    let queue = app.store.with(|db| find(db, activity)).map_err(|error| error.to_string())?;
    let queue = queue
        .filter(|queue| queue.direction == Direction::Export)
        .ok_or_else(|| format!("'{activity}' is not the activity id of an export"))?;
    let turn = app.turns.of(&queue.activity_id);
    let _held = turn.lock().await;
    run(app, &queue).await
}

/// Takes up imports that wait, and runs the exports that recur, for as long as the sandbox does.
pub(crate) async fn recur(app: App) -> std::convert::Infallible {
    let imports = app.store.with(read).map(|mut queues| {
        queues.retain(|queue| queue.direction == Direction::Import);
        queues
    });
    if let Err(error) = imports.and_then(|queues| take_up(&app, &queues)) {
        eprintln!("queues: {error}");
    }
    let mut steps: u32 = 0;
    loop {
        app.clock.sleep(app.step.max(std::time::Duration::from_millis(20))).await;
        steps = steps.wrapping_add(1);
        let Ok(queues) = app.store.with(read) else { continue };
        let due = |queue: &Queue| queue.every_steps.is_some_and(|every| steps.is_multiple_of(every));
        for queue in queues.into_iter().filter(due) {
            let app = app.clone();
            tokio::spawn(async move {
                // One that is still running is not joined by another.
                let turn = app.turns.of(&queue.activity_id);
                let Ok(_held) = turn.try_lock() else { return };
                if let Err(error) = run(&app, &queue).await {
                    eprintln!("queue {}: {error}", queue.activity_id);
                }
            });
        }
    }
}

async fn run(app: &App, queue: &Queue) -> Result<Json, String> {
    let text = |error: StoreError| error.to_string();
    let execution = uuid::Uuid::new_v4().to_string();
    let company = match &queue.company {
        Some(company) => company.clone(),
        None => app.store.with(default_company).map_err(text)?,
    };
    let request = ExportRequest {
        project: queue.project.clone(),
        package: execution.clone(),
        execution: execution.clone(),
        again: false,
        company: company.clone(),
        entities: queue.entity.iter().cloned().collect(),
        extent: Extent::Everything,
    };
    if let Some(work) = begin_export(app, request).map_err(|cause| cause.0)? {
        work.await;
    }
    let run = app.store.with(|db| db.run(&execution)).map_err(text)?;
    let run = run.ok_or("the run is gone")?;
    let rows: u64 = app
        .store
        .with(|db| records::details(db, &execution, ["StagingRecordsCreatedCount"]))
        .map_err(text)?
        .iter()
        .map(|[count]| count.parse::<u64>().unwrap_or(0))
        .sum();
    let sent = matches!(run.state, RunState::Succeeded | RunState::PartiallySucceeded)
        && !(queue.skip_empty && rows == 0);
    let blobs = match queue.mode {
        _ if !sent => Vec::new(),
        Mode::Package => vec![(String::new(), run.blob.clone())],
        Mode::File => files(app, &run.blob).await?,
    };
    for (entity, blob) in &blobs {
        let message = Message {
            id: uuid::Uuid::new_v4().to_string(),
            activity: queue.activity_id.clone(),
            state: MessageState::Enqueued,
            execution: execution.clone(),
            blob: blob.clone(),
            external: String::new(),
            company: company.clone(),
            entity: entity.clone(),
            offer: String::new(),
            offered: 0,
            started: app.clock.stamp(),
            completed: String::new(),
        };
        app.store.with(|db| db.add_message(&message)).map_err(text)?;
    }
    Ok(json!({ "executionId": execution, "status": run.state.name(), "rows": rows, "messages": blobs.len() }))
}

/// The data files of a package, each in a blob of its own: (name of the file, blob).
async fn files(app: &App, package: &str) -> Result<Vec<(String, String)>, String> {
    let bytes = app.storage.read(package).await.map_err(|error| error.to_string())?;
    let mut archive = Archive::open(bytes).map_err(|error| error.to_string())?;
    let names: Vec<String> = archive.files().map(str::to_owned).collect();
    let mut blobs = Vec::new();
    for name in names.iter().filter(|name| !["Manifest.xml", "PackageHeader.xml"].contains(&name.as_str())) {
        let data = archive.read(name).map_err(|error| error.to_string())?;
        let blob = uuid::Uuid::new_v4().to_string();
        keep(app, &blob, "application/octet-stream", data.into()).await?;
        blobs.push((name.clone(), blob));
    }
    Ok(blobs)
}
