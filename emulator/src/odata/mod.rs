//! The OData endpoint `/data`: what a URL means, queries, reads and writes of entities, payloads and errors. Business
//! logic of single entities is in `rules`; actions of data management are in the folder `dmf`.

mod batch;
pub(crate) mod behaviour;
pub(crate) mod error;
mod filter;
pub(crate) mod lexer;
mod list;
mod metadata;
mod navigation;
mod page;
mod payload;
mod rules;
pub(crate) mod url;
mod write;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;

pub(crate) use payload::{Parameters, canonical_row};
pub(crate) use rules::{REFERENCES, company_exists};
pub(crate) use write::{Outcome, default_company, key_of, upsert};

use crate::auth::authorize;
use crate::catalog::{Action, Entity};
use crate::dmf::definitions::Definitions;
use crate::http::{odata_reply, reply};
use crate::server::App;
use crate::store::Db;
use behaviour::{Behaviour, MaxPageSize};
use error::ODataError;
use url::{Options, Target};

/// Largest request body, in bytes.
pub(crate) const MAX_BODY: usize = 16 * 1024 * 1024;

/// One request to `/data`, or in a batch.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path and query as sent.
    pub(crate) uri: Uri,
    pub(crate) options: Options,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) behaviour: Behaviour,
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
    let document = method == Method::GET && matches!(target, Target::Service | Target::Metadata);
    if !document && let Err(response) = caller.must_be_registered() {
        return *response;
    }
    let (options, of_worker) = (Options::parse(uri.query().unwrap_or_default()), app.clone());
    let behaviour = tokio::task::spawn_blocking(move || of_worker.store.with(Behaviour::read)).await;
    let call = match (options, behaviour) {
        (Ok(options), Ok(Ok(behaviour))) => Call { method, uri, options, headers, body, behaviour },
        (Err(error), _) => return error.into_response(),
        (_, Ok(Err(error))) => return ODataError::from(error).into_response(),
        (_, Err(_)) => return stopped().into_response(),
    };
    let answered = match target {
        Target::Batch if call.method == Method::POST => batch::batch(&app, &call).await,
        target => answer(&app, call, target).await,
    };
    answered.unwrap_or_else(ODataError::into_response)
}

/// Answers one request, alone or in a batch outside of a change set.
async fn answer(app: &App, call: Call, target: Target) -> Result<Response, ODataError> {
    if let Target::Action { set, key: None, name } = &target
        && call.method == Method::POST
        && is_asynchronous(set)
    {
        return data_management(app, &call, set, name).await;
    }
    let of_worker = app.clone();
    let worker = tokio::task::spawn_blocking(move || {
        if call.method == Method::GET {
            read(&of_worker, &call, target)
        } else {
            of_worker.store.with(|db| write_in(&of_worker, db, &call, target))
        }
    });
    worker.await.map_err(|_| stopped())?
}

fn read(app: &App, call: &Call, target: Target) -> Result<Response, ODataError> {
    not_hidden(call, &target)?;
    match target {
        Target::Service => Ok(metadata::service_document(app, &call.behaviour)),
        Target::Metadata => {
            let definitions = app.store.with(Definitions::read)?;
            let document = metadata::csdl(&app.catalog, &definitions);
            Ok(reply(StatusCode::OK, "application/xml", document))
        }
        Target::Collection(set) => list::list(app, call, entity(app, &set)?),
        Target::Count(set) => {
            let count = list::count(app, call, entity(app, &set)?)?;
            // The field has seen a byte order mark here; clients must strip it.
            Ok(reply(StatusCode::OK, "text/plain", format!("\u{feff}{count}")))
        }
        Target::Entity(set, key) => list::read(app, call, entity(app, &set)?, &key),
        Target::Property(set, key, name) => list::read_property(app, call, entity(app, &set)?, &key, &name),
        Target::Unknown => Err(ODataError::no_resource(&call.uri)),
        Target::Action { .. } | Target::Batch => Err(not_allowed(call)),
    }
}

/// Carries out a write in the transaction of the caller.
fn write_in(app: &App, db: &Db<'_>, call: &Call, target: Target) -> Result<Response, ODataError> {
    not_hidden(call, &target)?;
    match (call.method.as_str(), target) {
        ("POST", Target::Collection(set)) => write::create(app, db, call, entity(app, &set)?),
        ("PATCH", Target::Entity(set, key)) => write::update(app, db, call, entity(app, &set)?, &key),
        ("DELETE", Target::Entity(set, key)) => write::delete(app, db, call, entity(app, &set)?, &key),
        ("POST", Target::Action { set, key: None, name }) if set == NOTIFICATIONS => {
            modules(app, call, &name)
        }
        ("POST", Target::Action { set, key: None, name }) => {
            if is_asynchronous(&set) {
                return Err(ODataError::not_here(&format!("The action {name} in a change set")));
            }
            let parameters = payload::parameters(call, known_action(app, call, &set, &name)?)?;
            let link = page::deep_link(app, db, &name, &parameters)?;
            Ok(value_reply(app, "Edm.String", &serde_json::Value::String(link)))
        }
        ("PUT", Target::Entity(..)) => Err(ODataError::not_here("PUT")),
        ("POST", Target::Property(..)) => Err(ODataError::not_here("Creating by a navigation property")),
        (_, Target::Unknown | Target::Action { key: Some(_), .. }) => Err(ODataError::no_resource(&call.uri)),
        _ => Err(not_allowed(call)),
    }
}

/// Collections that this generation of the service lacks.
fn not_hidden(call: &Call, target: &Target) -> Result<(), ODataError> {
    match target {
        Target::Collection(set)
        | Target::Count(set)
        | Target::Entity(set, _)
        | Target::Property(set, ..)
        | Target::Action { set, .. }
            if call.behaviour.validation.hides(set) =>
        {
            Err(no_collection(set))
        }
        _ => Ok(()),
    }
}

/// Finds the entity behind a collection.
pub(crate) fn entity<'a>(app: &'a App, set: &str) -> Result<&'a Entity, ODataError> {
    app.catalog.collection(set).ok_or_else(|| no_collection(set))
}

fn no_collection(set: &str) -> ODataError {
    ODataError::new(StatusCode::NOT_FOUND, format!("Resource not found for the segment '{set}'."))
}

/// Entities whose actions begin runs in the background.
fn is_asynchronous(set: &str) -> bool {
    set == "DataManagementDefinitionGroups" || set == "DataManagementEntities"
}

async fn data_management(app: &App, call: &Call, set: &str, name: &str) -> Result<Response, ODataError> {
    let parameters = payload::parameters(call, known_action(app, call, set, name)?)?;
    crate::dmf::action(app, name, &parameters).await
}

fn known_action<'a>(app: &'a App, call: &Call, set: &str, name: &str) -> Result<&'a Action, ODataError> {
    let known = entity(app, set)?.actions.iter().find(|action| action.name == name);
    known.ok_or_else(|| ODataError::no_resource(&call.uri))
}

/// The one entity outside of the catalogue of which an action is here.
const NOTIFICATIONS: &str = "SystemNotifications";

/// `GetInstalledModules`: lines of the public shape with invented figures.
fn modules(app: &App, call: &Call, name: &str) -> Result<Response, ODataError> {
    if name != "GetInstalledModules" {
        return Err(ODataError::no_resource(&call.uri));
    }
    let action = Action { name: name.to_owned(), parameters: Vec::new(), returns: None };
    payload::parameters(call, &action)?;
    let modules = ["ApplicationPlatform", "ApplicationSuite", "ContractLifecycleManagementIntegration"];
    let line = |name| {
        format!(
            "Name: {name} | Version: 10.0.2177.26 | Module: {name} | Publisher: Microsoft Corporation | DisplayName: {name}"
        )
    };
    Ok(value_reply(app, "Collection(Edm.String)", &modules.map(line).to_vec().into()))
}

fn stopped() -> ODataError {
    ODataError::internal("the request handler stopped")
}

impl Call {
    /// Rows that the caller wants per page, where the service minds.
    fn preferred_page_size(&self) -> Option<usize> {
        if self.behaviour.max_page_size == MaxPageSize::Ignored {
            return None;
        }
        let preferences = self.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        let sizes = preferences.flat_map(|text| text.split(',')).filter_map(|preference| {
            let (name, size) = preference.split_once('=')?;
            let name = name.trim().to_ascii_lowercase();
            let size = size.trim().parse().ok().filter(|size| *size > 0)?;
            matches!(name.as_str(), "odata.maxpagesize" | "maxpagesize").then_some(size)
        });
        sizes.into_iter().next()
    }

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
