//! The OData endpoint `/data`: what a URL means, queries, reads and writes of entities, payloads and errors. Business
//! logic of single entities is in `rules`; actions of data management are in the folder `dmf`.

pub(crate) mod error;
mod filter;
mod lexer;
mod list;
mod metadata;
mod page;
mod payload;
mod rules;
mod url;
mod write;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;

pub(crate) use metadata::csdl;
pub(crate) use payload::{Parameters, canonical_row};
pub(crate) use rules::{REFERENCES, company_exists};
pub(crate) use write::{Outcome, default_company, key_of, upsert};

use crate::auth::authorize;
use crate::catalog::Entity;
use crate::http::{odata_reply, reply};
use crate::server::App;
use error::ODataError;
use url::{Options, Target};

/// Largest request body, in bytes.
pub(crate) const MAX_BODY: usize = 16 * 1024 * 1024;

/// One request to `/data`.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path and query as sent.
    pub(crate) uri: Uri,
    pub(crate) options: Options,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Handler of everything under `/data`.
pub(crate) async fn handle(
    State(app): State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let caller = match authorize(&app, &headers) {
        Ok(caller) => caller,
        Err(response) => return *response,
    };
    let target = match url::target(uri.path()) {
        Ok(target) => target,
        Err(error) => return error.into_response(),
    };
    // The two documents answer for any valid token; they prove no access.
    match &target {
        Target::Service if method == Method::GET => return metadata::service_document(&app),
        Target::Metadata if method == Method::GET => {
            return reply(StatusCode::OK, "application/xml", app.metadata.as_ref().clone());
        }
        _ => {}
    }
    if let Err(response) = caller.must_be_registered() {
        return *response;
    }
    let call = match Options::parse(uri.query().unwrap_or_default()) {
        Ok(options) => Call { method, uri, options, headers, body },
        Err(error) => return error.into_response(),
    };
    if let Target::Action { set, key, name } = target {
        return action(&app, &call, &set, key.is_some(), &name)
            .await
            .unwrap_or_else(ODataError::into_response);
    }
    let worker = tokio::task::spawn_blocking(move || dispatch(&app, &call, target));
    match worker.await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => error.into_response(),
        Err(_) => ODataError::internal("the request handler stopped").into_response(),
    }
}

fn dispatch(app: &App, call: &Call, target: Target) -> Result<Response, ODataError> {
    let get = call.method == Method::GET;
    match target {
        Target::Collection(set) if get => list::list(app, call, entity(app, &set)?),
        Target::Collection(set) if call.method == Method::POST => {
            write::create(app, call, entity(app, &set)?)
        }
        Target::Count(set) if get => {
            let count = list::count(app, call, entity(app, &set)?)?;
            // The field has seen a byte order mark here; clients must strip it.
            Ok(reply(StatusCode::OK, "text/plain", format!("\u{feff}{count}")))
        }
        Target::Entity(set, key) => {
            let entity = entity(app, &set)?;
            match call.method.as_str() {
                "GET" => list::read(app, call, entity, &key),
                "PATCH" => write::update(app, call, entity, &key),
                "DELETE" => write::delete(app, call, entity, &key),
                _ => Err(not_allowed(call)),
            }
        }
        Target::Property(set, key, name) if get => {
            list::read_property(app, call, entity(app, &set)?, &key, &name)
        }
        Target::Batch => Err(ODataError::not_here("$batch")),
        Target::Unknown => Err(ODataError::no_resource(&call.uri)),
        _ => Err(not_allowed(call)),
    }
}

/// Finds the entity behind a collection.
pub(crate) fn entity<'a>(app: &'a App, set: &str) -> Result<&'a Entity, ODataError> {
    app.catalog.collection(set).ok_or_else(|| {
        ODataError::new(StatusCode::NOT_FOUND, format!("Resource not found for the segment '{set}'."))
    })
}

async fn action(app: &App, call: &Call, set: &str, keyed: bool, name: &str) -> Result<Response, ODataError> {
    let entity = entity(app, set)?;
    let known = entity.actions.iter().find(|action| action.name == name);
    let Some(known) = known.filter(|_| !keyed) else { return Err(ODataError::no_resource(&call.uri)) };
    if call.method != Method::POST {
        return Err(not_allowed(call));
    }
    let parameters = payload::parameters(call, known)?;
    if set == "DataManagementDefinitionGroups" || set == "DataManagementEntities" {
        return crate::dmf::action(app, name, &parameters).await;
    }
    let (of_worker, name) = (app.clone(), name.to_owned());
    let worker = tokio::task::spawn_blocking(move || page::deep_link(&of_worker, &name, &parameters));
    let link = worker.await.map_err(|_| ODataError::internal("the request handler stopped"))??;
    Ok(value_reply(app, "Edm.String", &serde_json::Value::String(link)))
}

impl Call {
    /// Whether numbers may come in quotes.
    fn quoted_numbers(&self) -> bool {
        self.headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.to_ascii_lowercase().contains("ieee754compatible=true"))
    }
}

/// The envelope of an action's answer.
pub(crate) fn value_reply(app: &App, kind: &str, value: &serde_json::Value) -> Response {
    let body = serde_json::json!({ "@odata.context": format!("{}/data/$metadata#{kind}", app.base_url), "value": value });
    odata_reply(StatusCode::OK, body.to_string())
}

fn not_allowed(call: &Call) -> ODataError {
    ODataError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("The requested resource does not support http method '{}'.", call.method),
    )
}
