//! The metadata service `/Metadata`: entities, enumerations and labels as lists of objects, read-only. What the objects
//! say is in `objects`, what a query asks of them in `query`. Nothing here reads rows.

mod objects;
mod query;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json, json};

use crate::auth::authorize;
use crate::http::{empty, odata_reply};
use crate::odata::behaviour::Behaviour;
use crate::odata::error::ODataError;
use crate::odata::lexer::{Literal, Token, tokens};
use crate::odata::url::Options;
use crate::server::App;

/// Whether a path is the metadata service's; its case does not matter.
pub(crate) fn is_metadata(path: &str) -> bool {
    path.split('/').nth(1).is_some_and(|segment| segment.eq_ignore_ascii_case("metadata"))
}

/// Handler of every path that no other route takes.
pub(crate) async fn handle(State(app): State<App>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if !is_metadata(uri.path()) {
        return empty(StatusCode::NOT_FOUND);
    }
    match authorize(&app, &headers).and_then(crate::auth::Caller::must_be_registered) {
        Ok(()) => {}
        Err(response) => return *response,
    }
    if method != Method::GET {
        let words = format!("The requested resource does not support http method '{method}'.");
        return ODataError::new(StatusCode::METHOD_NOT_ALLOWED, words).into_response();
    }
    let worker = tokio::task::spawn_blocking(move || answer(&app, &uri));
    let answered = worker.await.unwrap_or_else(|_| Err(ODataError::internal("the request handler stopped")));
    answered.unwrap_or_else(ODataError::into_response)
}

const SETS: [&str; 4] = ["DataEntities", "PublicEntities", "PublicEnumerations", "Labels"];

fn answer(app: &App, uri: &Uri) -> Result<Response, ODataError> {
    let path = percent_decode_str(uri.path())
        .decode_utf8()
        .map_err(|_| ODataError::bad_request("Bad request: the URL is not UTF-8."))?;
    let missing = || ODataError::no_resource(uri);
    let context = format!("{}/metadata/$metadata", app.base_url);
    let rest =
        path.trim_start_matches('/').split_once('/').map_or("", |(_, rest)| rest).trim_end_matches('/');
    if rest.is_empty() {
        let sets = SETS.map(|name| json!({ "name": name, "kind": "EntitySet", "url": name }));
        return Ok(odata_reply(
            StatusCode::OK,
            json!({ "@odata.context": context, "value": sets }).to_string(),
        ));
    }
    if rest.eq_ignore_ascii_case("$metadata") {
        return Err(ODataError::not_here("The document of the metadata service itself"));
    }
    let (name, key) = match rest.split_once('(') {
        Some((name, key)) => (name, Some(key.strip_suffix(')').ok_or_else(missing)?)),
        None => (rest, None),
    };
    let set = *SETS.iter().find(|set| set.eq_ignore_ascii_case(name)).ok_or_else(missing)?;
    let options = Options::parse(uri.query().unwrap_or_default())?;
    if options.order_by.is_some() || !options.expand.is_empty() {
        return Err(ODataError::bad_request(
            "$orderby and $expand are not supported by the metadata service.",
        ));
    }
    let context = format!("{context}#{set}");
    let key = key.map(read_key).transpose()?;
    if set == "Labels" {
        let behaviour = app.store.with(Behaviour::read)?;
        return label(app, key, &options, &behaviour, missing, &context);
    }
    let objects = match set {
        "DataEntities" => objects::data_entities(&app.catalog),
        "PublicEntities" => objects::public_entities(&app.catalog),
        _ => objects::public_enumerations(&app.catalog),
    };
    match key {
        Some(key) => {
            let [(name, value)] = key.as_slice() else { return Err(bad_key()) };
            if !name.is_empty() && name != "Name" {
                return Err(bad_key());
            }
            let found = objects.into_iter().find(|object| object.get("Name") == Some(&json!(value)));
            one(found.ok_or_else(missing)?, &options, &context)
        }
        None => query::list(objects, &options, &context),
    }
}

fn label(
    app: &App,
    key: Option<Vec<(String, String)>>,
    options: &Options,
    behaviour: &Behaviour,
    missing: impl Fn() -> ODataError,
    context: &str,
) -> Result<Response, ODataError> {
    let Some(key) = key.filter(|_| options.filter.is_none()) else {
        return Err(ODataError::bad_request(
            "Labels are read one at a time, by Id and Language; filters are not supported.",
        ));
    };
    let part = |name: &str| key.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    let (Some(id), Some(language), 2) = (part("Id"), part("Language"), key.len()) else {
        return Err(bad_key());
    };
    let text = match behaviour.labels.get(id) {
        Some(texts) => texts.get(language).cloned(),
        None => objects::label(&app.catalog, id),
    };
    let found = json!({ "Id": id, "Language": language, "Value": text.ok_or_else(missing)? });
    one(found.as_object().cloned().unwrap_or_default(), options, context)
}

fn one(object: Map<String, Json>, options: &Options, context: &str) -> Result<Response, ODataError> {
    let mut shown = Map::new();
    shown.insert("@odata.context".to_owned(), json!(format!("{context}/$entity")));
    shown.extend(query::selected(object, &options.select)?);
    Ok(odata_reply(StatusCode::OK, Json::Object(shown).to_string()))
}

/// Names and texts of a key; the name is empty where only the value is given.
fn read_key(text: &str) -> Result<Vec<(String, String)>, ODataError> {
    let tokens = tokens(text)?;
    if let [Token::Literal(Literal::Text(value))] = tokens.as_slice() {
        return Ok(vec![(String::new(), value.clone())]);
    }
    let parts = tokens.split(|token| *token == Token::Comma).map(|part| match part {
        [Token::Word(name), Token::Equals, Token::Literal(Literal::Text(value))] => {
            Ok((name.clone(), value.clone()))
        }
        _ => Err(bad_key()),
    });
    parts.collect()
}

fn bad_key() -> ODataError {
    ODataError::bad_request("Bad request - Error in query syntax: that is no key of this collection.")
}
