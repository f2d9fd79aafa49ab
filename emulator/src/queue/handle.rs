//! The calls under `/api/connector`.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::RngCore;
use serde_json::{Value as Json, json};

use super::definition::{Direction, Mode, Queue, find};
use super::{inbound, status};
use crate::auth::authorize;
use crate::dmf::behaviour::{Behaviour, DequeueForm, DownloadScheme, EnqueueAnswer};
use crate::http::{decode_form, empty, json_reply};
use crate::odata::default_company;
use crate::server::App;
use crate::storage::keep;
use crate::store::{Message, MessageState, StoreError};

/// Largest content of a message, in bytes.
pub(crate) const MAX_BODY: usize = 256 * 1024 * 1024;

/// `/api/connector/{call}/{activity}`
pub(crate) async fn handle(
    State(app): State<App>,
    Path((call, activity)): Path<(String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(&app, &call, &activity, &method, &uri, &headers, body).await.unwrap_or_else(Refused::into_response)
}

/// `/{locale}/api/connector/{call}/{activity}`
pub(crate) async fn handle_with_locale(
    State(app): State<App>,
    Path((_, call, activity)): Path<(String, String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(&app, &call, &activity, &method, &uri, &headers, body).await.unwrap_or_else(Refused::into_response)
}

/// A call that is refused: the words are ours.
pub(super) enum Refused {
    Because(StatusCode, String),
    Answered(Box<Response>),
}

impl Refused {
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::Because(StatusCode::BAD_REQUEST, text.into())
    }

    pub(super) fn missing(text: impl Into<String>) -> Self {
        Self::Because(StatusCode::NOT_FOUND, text.into())
    }

    fn into_response(self) -> Response {
        match self {
            Self::Because(status, text) => json_reply(status, json!({ "Message": text }).to_string()),
            Self::Answered(response) => *response,
        }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Because(StatusCode::INTERNAL_SERVER_ERROR, format!("Sandbox fault: {error}."))
    }
}

async fn answer(
    app: &App,
    call: &str,
    activity: &str,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let caller = authorize(app, headers).map_err(Refused::Answered)?;
    caller.must_be_registered().map_err(Refused::Answered)?;
    let (wanted, direction) = match call {
        "enqueue" => (Method::POST, Some(Direction::Import)),
        "dequeue" | "download" => (Method::GET, Some(Direction::Export)),
        "ack" => (Method::POST, Some(Direction::Export)),
        "jobstatus" => (Method::GET, None),
        _ => {
            return Err(Refused::missing(format!(
                "No HTTP resource was found that matches '{}'.",
                uri.path()
            )));
        }
    };
    if *method != wanted {
        let text = format!("The requested resource does not support http method '{method}'.");
        return Err(Refused::Because(StatusCode::METHOD_NOT_ALLOWED, text));
    }
    let queue = app.store.with(|db| find(db, activity))?;
    let queue = queue.ok_or_else(|| {
        Refused::missing(format!("The recurring data job with the activity id {activity} does not exist."))
    })?;
    // Whoever got here is the registered application.
    if queue
        .client_ids
        .as_ref()
        .is_some_and(|ids| !ids.iter().any(|id| id.eq_ignore_ascii_case(&app.directory.registered.id)))
    {
        let text = "The application is not in the authorization policy of the recurring data job.";
        return Err(Refused::Because(StatusCode::FORBIDDEN, text.to_owned()));
    }
    if direction.is_some_and(|direction| direction != queue.direction) {
        return Err(Refused::bad(format!("The recurring data job does not support {call}.")));
    }
    let query = decode_form(uri.query().unwrap_or_default().as_bytes());
    let query =
        |name: &str| query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    match call {
        "enqueue" => enqueue(app, queue, (query("entity"), query("company")), headers, body).await,
        "dequeue" => dequeue(app, &queue),
        "download" => download(app, &queue, query("correlation-id"), query("blob")).await,
        "ack" => acknowledge(app, &queue, &body),
        _ => status::job_status(app, &queue, query("jobId")),
    }
}

async fn enqueue(
    app: &App,
    queue: Queue,
    (entity, company): (&str, &str),
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    if body.is_empty() {
        return Err(Refused::bad("The message has no content."));
    }
    if queue.mode == Mode::File {
        if entity.is_empty() {
            return Err(Refused::bad("The parameter entity must have a value."));
        }
        if app.catalog.label(entity).is_none() || queue.entity.as_ref().is_some_and(|only| only != entity) {
            return Err(Refused::bad(format!("The entity {entity} is not one of the recurring data job.")));
        }
    }
    let company = match (company, &queue.company) {
        ("", Some(company)) => company.clone(),
        ("", None) => app.store.with(default_company)?,
        (company, _) => company.to_owned(),
    };
    let external =
        headers.get("x-ms-dyn-externalidentifier").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let id = uuid::Uuid::new_v4().to_string();
    let blob = uuid::Uuid::new_v4().to_string();
    keep(app, &blob, "application/octet-stream", body)
        .await
        .map_err(|error| Refused::Because(StatusCode::INTERNAL_SERVER_ERROR, error))?;
    let message = Message {
        id: id.clone(),
        activity: queue.activity_id.clone(),
        state: MessageState::Enqueued,
        execution: String::new(),
        blob,
        external: external.to_owned(),
        company,
        entity: entity.to_owned(),
        offer: String::new(),
        offered: 0,
        started: String::new(),
        completed: String::new(),
    };
    let form = app.store.with(|db| {
        db.add_message(&message)?;
        Behaviour::read(db)
    })?;
    tokio::spawn(inbound::work(app.clone(), queue));
    let body = match form.enqueue_answer {
        EnqueueAnswer::Text => Json::String(id),
        EnqueueAnswer::Object => json!({ "value": id }),
    };
    Ok(json_reply(StatusCode::OK, body.to_string()))
}

fn dequeue(app: &App, queue: &Queue) -> Result<Response, Refused> {
    let now = app.clock.milliseconds();
    let offer = app.store.with(|db| -> Result<_, StoreError> {
        let behaviour = Behaviour::read(db)?;
        let limit = now - i64::from(behaviour.redelivery_seconds) * 1000;
        let Some(mut message) = db.next_offer(&queue.activity_id, limit)? else { return Ok(None) };
        let exists = app.storage.lives(db, &message.blob, now)?;
        message.offer = offer(app, &message, &behaviour, exists).to_string();
        message.state = MessageState::Dequeued;
        message.offered = now;
        db.set_message(&message)?;
        Ok(Some(message.offer))
    })?;
    Ok(match offer {
        Some(offer) => json_reply(StatusCode::OK, offer),
        None => empty(StatusCode::NO_CONTENT),
    })
}

fn offer(app: &App, message: &Message, behaviour: &Behaviour, exists: bool) -> Json {
    let mut receipt = [0_u8; 24];
    rand::rngs::OsRng.fill_bytes(&mut receipt);
    let authority = app.base_url.strip_prefix("http://").unwrap_or(&app.base_url);
    let scheme = match behaviour.download_scheme {
        DownloadScheme::Http => "http",
        DownloadScheme::Https => "https",
    };
    let location = format!(
        "{scheme}://{authority}/api/connector/download/{}?correlation-id={}&blob={}",
        message.activity,
        message.id,
        utf8_percent_encode(&message.blob, NON_ALPHANUMERIC),
    );
    let mut offer = json!({
        "CorrelationId": message.id, "PopReceipt": STANDARD.encode(receipt), "DownloadLocation": location,
    });
    if let (DequeueForm::Current, Some(members)) = (behaviour.dequeue_form, offer.as_object_mut()) {
        let error = if exists { Json::Null } else { json!("The file does not exist any more.") };
        // The first time there was none before.
        let before = time::OffsetDateTime::from_unix_timestamp(message.offered / 1000)
            .ok()
            .filter(|_| message.offered > 0)
            .map(crate::clock::stamp);
        members.insert("IsDownLoadFileExist".to_owned(), Json::Bool(exists));
        members.insert("FileDownLoadErrorMessage".to_owned(), error);
        members.insert("LastDequeueDateTime".to_owned(), before.map_or(Json::Null, Json::String));
    }
    offer
}

async fn download(app: &App, queue: &Queue, id: &str, blob: &str) -> Result<Response, Refused> {
    let now = app.clock.milliseconds();
    let message = app.store.with(|db| -> Result<_, StoreError> {
        let message =
            db.message(id)?.filter(|found| found.activity == queue.activity_id && found.blob == blob);
        Ok(if app.storage.lives(db, blob, now)? { message } else { None })
    })?;
    let gone = || Refused::missing("The file of the message does not exist.");
    // What was never offered has no address.
    let mut message = message.filter(|found| found.state != MessageState::Enqueued).ok_or_else(gone)?;
    let mut response = app.storage.open(&message.blob).await.map_err(|_| gone())?;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    if message.state == MessageState::Dequeued {
        message.state = MessageState::Downloaded;
        app.store.with(|db| db.set_message(&message))?;
    }
    Ok(response)
}

/// The body must be what dequeue answered last. A second time is no error: the first answer may have been lost.
fn acknowledge(app: &App, queue: &Queue, body: &[u8]) -> Result<Response, Refused> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let given: Json = serde_json::from_slice(body)
        .map_err(|error| Refused::bad(format!("The body is not the message that was dequeued: {error}.")))?;
    let id = given.get("CorrelationId").and_then(Json::as_str).unwrap_or_default();
    app.store.with(|db| -> Result<_, Refused> {
        let message = db.message(id)?.filter(|found| found.activity == queue.activity_id);
        let mut message =
            message.ok_or_else(|| Refused::missing(format!("The message '{id}' does not exist.")))?;
        if serde_json::from_str::<Json>(&message.offer).ok() != Some(given.clone()) {
            return Err(Refused::bad("The body is not the message that was dequeued last."));
        }
        message.state = MessageState::Acked;
        message.completed = app.clock.stamp();
        db.set_message(&message)?;
        Ok(empty(StatusCode::OK))
    })
}
