//! What a test orders: faults, another time, the end of runs and blobs, an export of a queue.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{refused, run};
use crate::dmf::records::{self, ENDED};
use crate::http::json_reply;
use crate::server::App;
use crate::storage::BLOB;
use crate::store::{Db, StoreError};

/// `POST /_sandbox/faults`
pub(crate) async fn set_faults(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    run(app, headers, move |app| app.faults.set(&body).map(|()| json!({}))).await
}

/// `GET /_sandbox/faults`
pub(crate) async fn faults(State(app): State<App>, headers: HeaderMap) -> Response {
    run(app, headers, |app| Ok(app.faults.report())).await
}

/// Life of runs in milliseconds: 7 days after their end.
const RUN_LIFE: i64 = 7 * 24 * 3_600_000;

/// Furthest that the clock is put ahead by one call: 400 days.
const FURTHEST: u64 = 400 * 24 * 3600;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u64,
}

/// `POST /_sandbox/clock`: puts the clock ahead, and carries out the retention that is due then.
pub(crate) async fn advance(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    run(app, headers, move |app| {
        let Advance { seconds } = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        if seconds > FURTHEST {
            return Err(format!("seconds must be 0 to {FURTHEST}"));
        }
        app.clock.advance(Duration::from_secs(seconds));
        let now = app.clock.milliseconds();
        let purged = app.store.with(|db| {
            let due = db.before(ENDED, now - RUN_LIFE)?;
            due.iter().try_for_each(|execution| records::purge(db, execution, now))?;
            Ok::<_, StoreError>(due)
        });
        Ok(json!({ "now": app.clock.stamp(), "purged": purged.map_err(|error| error.to_string())? }))
    })
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Purge {
    /// Without it, every run that ended.
    execution_id: Option<String>,
}

/// `POST /_sandbox/purge`: the clean-up of the execution history.
pub(crate) async fn purge(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    run(app, headers, move |app| {
        let Purge { execution_id } = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        let now = app.clock.milliseconds();
        let purged = app.store.with(|db| -> Result<_, StoreError> {
            let ended = db.before(ENDED, i64::MAX)?;
            let purged: Vec<String> = ended
                .into_iter()
                .filter(|id| execution_id.as_ref().is_none_or(|wanted| wanted == id))
                .collect();
            purged.iter().try_for_each(|execution| records::purge(db, execution, now))?;
            Ok(purged)
        });
        let purged = purged.map_err(|error| error.to_string())?;
        match execution_id {
            Some(id) if purged.is_empty() => Err(format!("no run with the execution id '{id}' has ended")),
            _ => Ok(json!({ "purged": purged })),
        }
    })
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Expire {
    execution_id: Option<String>,
    blob: Option<String>,
}

/// `POST /_sandbox/expire`: the end of a blob, of the package of an export, or of all blobs.
pub(crate) async fn expire(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    run(app, headers, move |app| {
        let expire: Expire = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        let expired = app.store.with(|db| expired(db, expire)).map_err(|error| error.to_string())?;
        if expired.is_empty() {
            Err("there is no such blob".to_owned())
        } else {
            Ok(json!({ "expired": expired }))
        }
    })
    .await
}

fn expired(db: &Db<'_>, expire: Expire) -> Result<Vec<String>, StoreError> {
    let mut blobs = db.before(BLOB, i64::MAX)?;
    if let Some(id) = expire.execution_id {
        let of_run = db.run(&id)?.map(|run| run.blob).unwrap_or_default();
        blobs.retain(|blob| *blob == of_run);
    }
    if let Some(wanted) = expire.blob {
        blobs.retain(|blob| *blob == wanted);
    }
    blobs.iter().try_for_each(|blob| db.set_moment(BLOB, blob, 0))?;
    Ok(blobs)
}

/// `POST /_sandbox/queues/{activity}/run`: runs the export of a queue and answers at its end.
pub(crate) async fn queue_run(
    State(app): State<App>,
    Path(activity): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = refused(&app, &headers) {
        return refused;
    }
    let done: Result<Json, String> = crate::queue::run_export(&app, &activity).await;
    match done {
        Ok(value) => json_reply(StatusCode::OK, value.to_string()),
        Err(error) => json_reply(StatusCode::BAD_REQUEST, json!({ "error": error }).to_string()),
    }
}
