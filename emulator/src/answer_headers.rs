//! What every call to the service goes through: throttling on its way in, the headers for support on its way out.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use crate::meta::is_metadata;
use crate::odata::behaviour::Behaviour;
use crate::server::App;

/// Middleware; it minds `/data` and `/Metadata` only.
pub(crate) async fn add(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path != "/data" && !path.starts_with("/data/") && !is_metadata(path) {
        return next.run(request).await;
    }
    let begin = Instant::now();
    let echoed = request.headers().get(CLIENT_REQUEST_ID).cloned();
    let mut response = match app.throttle.admit(request.uri().path(), begin) {
        Ok(_admitted) => next.run(request).await,
        Err(refused) => *refused,
    };
    let of_worker = app.clone();
    let behaviour = tokio::task::spawn_blocking(move || of_worker.store.with(Behaviour::read)).await;
    let headers = response.headers_mut();
    if let Some(id) = echoed {
        headers.insert(CLIENT_REQUEST_ID, id);
    }
    if let (Ok(Ok(behaviour)), Ok(id)) = (behaviour, HeaderValue::from_str(&Uuid::new_v4().to_string())) {
        for name in behaviour.support_id_headers {
            if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
                headers.insert(name, id.clone());
            }
        }
    }
    let milliseconds = begin.elapsed().as_secs_f64() * 1000.0;
    if let Ok(timing) = HeaderValue::from_str(&format!("dur={milliseconds:.3}")) {
        headers.insert("server-timing", timing);
    }
    response
}

const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");
