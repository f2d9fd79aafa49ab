//! What was enqueued becomes an import.

use super::definition::{Mode, Queue};
use crate::dmf::{Cause, Job, Prepared, Source, Submission, drive, projects};
use crate::environment::Environment;
use crate::package::ManifestEntity;
use crate::server::App;
use crate::store::{EntityLog, Message, MessageState, RunState, StoreError};

/// Takes up what an earlier process left waiting.
pub(super) fn take_up(app: &App, queues: &[Queue]) -> Result<(), StoreError> {
    for queue in queues {
        for _ in 0..app.store.with(|db| db.waiting(&queue.activity_id))? {
            tokio::spawn(work(app.clone(), queue.clone()));
        }
    }
    Ok(())
}

/// Processes one message of a queue, the oldest that waits. Each message that is enqueued calls this once, so that
/// every one is processed, also where others are faster.
pub(super) async fn work(app: App, queue: Queue) {
    app.clock.sleep(app.step).await;
    let turn = app.turns.of(&queue.activity_id);
    let _held = if queue.in_order { Some(turn.lock().await) } else { None };
    if let Err(error) = next(&app, &queue).await {
        eprintln!("queue {}: {error}", queue.activity_id);
    }
}

async fn next(app: &App, queue: &Queue) -> Result<(), String> {
    let text = |error: StoreError| error.to_string();
    let taken = app
        .store
        .with(|db| -> Result<_, StoreError> {
            let Some(mut message) = db.next_waiting(&queue.activity_id)? else { return Ok(None) };
            message.state = MessageState::PreProcessing;
            message.started = app.clock.stamp();
            db.set_message(&message)?;
            Ok(Some(message))
        })
        .map_err(text)?;
    let Some(mut message) = taken else { return Ok(()) };
    app.clock.sleep(app.step).await;
    message.execution = uuid::Uuid::new_v4().to_string();
    let bytes = match app.storage.read(&message.blob).await {
        Ok(bytes) => bytes,
        Err(error) => {
            let cause = Cause(format!("The content of the message could not be read: {error}."));
            return refuse(app, queue, message, &cause).map_err(text);
        }
    };

    let (environment, of_worker, of_message) = (app.environment.clone(), queue.clone(), message.clone());
    let accepted =
        tokio::task::spawn_blocking(move || accept(&environment, &of_worker, &of_message, bytes)).await;
    let accepted =
        accepted.unwrap_or_else(|_| Err(Cause("The content of the message could not be read.".to_owned())));
    let (job, prepared) = match accepted {
        Ok(accepted) => accepted,
        Err(cause) => return refuse(app, queue, message, &cause).map_err(text),
    };
    message.state = MessageState::Processing;
    app.store.with(|db| db.set_message(&message)).map_err(text)?;
    let (details, execution) = (job.details(&prepared), message.execution.clone());
    drive(app.clone(), execution, queue.project.clone(), details, move |app| job.run(app, prepared)).await;
    app.store
        .with(|db| {
            let state = db.run(&message.execution)?.map(|run| run.state);
            message.state = if state == Some(RunState::Succeeded) {
                MessageState::Processed
            } else {
                MessageState::ProcessedWithErrors
            };
            message.completed = app.clock.stamp();
            db.set_message(&message)
        })
        .map_err(text)
}

fn accept(
    environment: &Environment,
    queue: &Queue,
    message: &Message,
    bytes: Vec<u8>,
) -> Result<(Job, Prepared), Cause> {
    let submission = Submission {
        project: queue.project.clone(),
        execution: message.execution.clone(),
        company: message.company.clone(),
        execute: true,
        overwrite: queue.overwrite,
    };
    submission.check(environment)?;
    match queue.mode {
        Mode::Package => submission.accept(environment, bytes),
        Mode::File => {
            let prepared = file(environment, queue, message, bytes)?;
            Ok((submission.accept_prepared(environment)?, prepared))
        }
    }
}

/// A single file goes to the line of its entity in the project; its columns are the fields of their names.
fn file(
    environment: &Environment,
    queue: &Queue,
    message: &Message,
    bytes: Vec<u8>,
) -> Result<Prepared, Cause> {
    let missing = || Cause(format!("Data project {} does not exist.", queue.project));
    let project = environment.store.with(|db| projects::read(db, &queue.project))?.ok_or_else(missing)?;
    if project.operation != "Import" {
        return Err(Cause(format!(
            "DMF1855: The data project '{}' has the operation type {} and cannot be used for an import.",
            queue.project, project.operation
        )));
    }
    let label = &message.entity;
    let no_entity = || Cause(format!("Entity {label} does not exist in the data project {}.", queue.project));
    let line = project.lines.into_iter().find(|line| line.label == *label).ok_or_else(no_entity)?;
    let entity = environment.catalog.label(label).ok_or_else(no_entity)?;
    let mut entry = ManifestEntity {
        label: label.clone(),
        file: message.blob.clone(),
        format: line.format,
        disable: line.disabled,
        unit: line.order.0,
        level: line.order.1,
        sequence: line.order.2,
        logic: line.logic,
        validation: line.validation,
        ..ManifestEntity::default()
    };
    // A file that cannot be opened fails its entity in the run, with the reason.
    if let Ok(source) = Source::open(&entry, &bytes, entity) {
        entry.maps = source.columns.iter().map(|column| (column.clone(), column.to_uppercase())).collect();
    }
    Ok(Prepared { entities: vec![(entry, bytes)], ..Prepared::default() })
}

/// Before anything ran: the reason is among the errors of the message's execution.
fn refuse(app: &App, queue: &Queue, mut message: Message, cause: &Cause) -> Result<(), StoreError> {
    app.store.with(|db| {
        if db.run(&message.execution)?.is_none() {
            db.add_run(&message.execution, &queue.project, &message.company, "Import")?;
        }
        db.set_run(&message.execution, RunState::Failed, true)?;
        let entry = EntityLog {
            entity: message.entity.clone(),
            step: "staging",
            record: String::new(),
            field: String::new(),
            message: cause.0.clone(),
        };
        db.log(&message.execution, &entry)?;
        message.state = MessageState::PreProcessingError;
        message.completed = app.clock.stamp();
        db.set_message(&message)
    })
}
