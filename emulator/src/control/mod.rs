//! The control path `/_sandbox/…`: not part of the service. Loads rows without business logic, changes settings, and
//! shows what was submitted. Every call needs the header `x-sandbox-key`.

mod load;
mod orders;
mod settings;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

pub(crate) use load::{LoadError, load_rows, seed};
pub(crate) use orders::{advance, expire, faults, purge, queue_run, set_faults};
pub(crate) use settings::change as change_settings;

use crate::auth::same_secret;
use crate::http::json_reply;
use crate::server::App;

/// Largest body of a load, in bytes.
pub(crate) const MAX_BODY: usize = 1 << 30;

/// `POST /_sandbox/load/{collection-or-label}`
pub(crate) async fn load(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    run(app, headers, move |app| {
        let rows = load_rows(app, &name, &body).map_err(|error| error.to_string())?;
        Ok(json!({ "rows": rows }))
    })
    .await
}

/// `POST /_sandbox/settings`
pub(crate) async fn settings(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    run(app, headers, move |app| {
        settings::change(app, &body).map_err(|error| error.to_string())?;
        Ok(json!({}))
    })
    .await
}

/// `POST /_sandbox/throttle`
pub(crate) async fn throttle(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    run(app, headers, move |app| {
        app.throttle.set(&body).map_err(|error| error.to_string())?;
        Ok(json!({}))
    })
    .await
}

/// `GET /_sandbox/runs`
pub(crate) async fn runs(State(app): State<App>, headers: HeaderMap) -> Response {
    run(app, headers, |app| {
        let runs = app.store.with(|db| db.runs()).map_err(|error| error.to_string())?;
        let list = runs.iter().map(|run| {
            json!({
                "projectname": run.project, "executionId": run.execution, "company": run.company,
                "operation": run.operation, "status": run.state.name(), "submissions": run.submissions,
            })
        });
        Ok(list.collect())
    })
    .await
}

async fn run(
    app: App,
    headers: HeaderMap,
    work: impl FnOnce(&App) -> Result<serde_json::Value, String> + Send + 'static,
) -> Response {
    if let Some(refused) = refused(&app, &headers) {
        return refused;
    }
    match tokio::task::spawn_blocking(move || work(&app)).await {
        Ok(Ok(value)) => json_reply(StatusCode::OK, value.to_string()),
        Ok(Err(error)) => json_reply(StatusCode::BAD_REQUEST, json!({ "error": error }).to_string()),
        Err(_) => json_reply(
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({ "error": "the worker stopped" }).to_string(),
        ),
    }
}

/// The answer to a call without the control key.
fn refused(app: &App, headers: &HeaderMap) -> Option<Response> {
    let key = headers.get("x-sandbox-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if same_secret(key, &app.control_key) {
        return None;
    }
    let body = json!({ "error": "the header x-sandbox-key must hold the control key" });
    Some(json_reply(StatusCode::UNAUTHORIZED, body.to_string()))
}
