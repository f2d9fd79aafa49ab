//! Writes: create, update and delete over OData, and the upsert that imports use.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::behaviour::IfMatch;
use super::error::ODataError;
use super::payload::{context, etag, row as read_row, selected, write_entity};
use super::rules::{self, Log, Operation};
use super::url::Options;
use super::{Call, list};
use crate::catalog::{COMPANY, Entity, Kind};
use crate::environment::Environment;
use crate::http::{empty, odata_reply};
use crate::server::App;
use crate::store::{Db, Key, StoreError, Stored};
use crate::value::{Decimal, Row, Value, default_value};

/// The company of the service user: what is read and written where a request names none.
pub(crate) fn default_company(db: &Db<'_>) -> Result<String, StoreError> {
    Ok(db.setting("defaultCompany")?.unwrap_or_else(|| "usmf".to_owned()))
}

/// The key of a row; the first key property that has no value where it is incomplete.
pub(crate) fn key_of<'a>(entity: &'a Entity, row: &Row) -> Result<Key, &'a str> {
    let mut parts = Vec::new();
    let mut company = String::new();
    for name in &entity.keys {
        let Some(value) = row.get(name) else { return Err(name) };
        let Some(property) = entity.property(name) else { return Err(name) };
        let text = value.as_text();
        if name == COMPANY {
            if text.is_empty() {
                return Err(name);
            }
            company = text.to_ascii_lowercase();
            continue;
        }
        parts.push(match &property.kind {
            Kind::Int32 | Kind::Int64 | Kind::Decimal => {
                Decimal::parse(text).map_or_else(|| text.to_owned(), |number| number.to_text())
            }
            _ => text.to_owned(),
        });
    }
    if parts.iter().all(String::is_empty) {
        return Err(entity.own_keys().next().unwrap_or_default());
    }
    Ok(Key { company, key: super::url::join_key(entity, &parts) })
}

/// `POST /data/<Set>`
pub(crate) fn create(app: &App, db: &Db<'_>, call: &Call, entity: &Entity) -> Result<Response, ODataError> {
    let mut row = read_row(call, entity, &app.catalog)?;
    complete_key(app, db, entity, &mut row)?;
    let key = key_of(entity, &row).map_err(|name| {
        ODataError::write(format!(
            "Write failed for table row of type '{}'. Infolog: Warning: Field '{name}' must be filled in.; Warning: validateWrite failed on data source '{0}'.",
            entity.aot
        ))
    })?;
    if db.exists(&entity.aot, &key)? {
        return Err(ODataError::write(format!(
            "Write failed for table row of type '{}'. Infolog: Error: Cannot create a record in {} ({}). The record already exists.",
            entity.aot,
            entity.label,
            key.key.replace('\u{1f}', ", ")
        )));
    }
    match rules::apply(app, db, entity, Operation::Insert, &key, &mut row) {
        Err(Log::Messages(messages)) if rules::tells_in_field(entity) => {
            row.insert("ValidationResult".to_owned(), Value::Text(messages.join("; ")));
        }
        outcome => outcome.map_err(|log| log.into_error(entity))?,
    }
    let stored = if rules::is_dry_run(entity) {
        Stored { id: 0, version: 0, row }
    } else {
        db.put(&entity.aot, &key, &row)?
    };
    let mut out = String::new();
    let context = context(&app.base_url, entity, &[], true);
    let properties = selected(entity, &Options::default())?;
    write_entity(&mut out, entity, &stored, &properties, &[], Some(&context), &app.catalog);
    let mut response = odata_reply(StatusCode::CREATED, out);
    let address = format!("{}/data/{}", app.base_url, super::url::address(entity, &stored.row));
    for (name, text) in [(header::ETAG, etag(&stored)), (header::LOCATION, address)] {
        if let Ok(text) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(name, text);
        }
    }
    Ok(response)
}

/// `PATCH /data/<Set>(<key>)`. Key properties in the body are ignored (what the service does is unverified).
pub(crate) fn update(
    app: &App,
    db: &Db<'_>,
    call: &Call,
    entity: &Entity,
    key: &str,
) -> Result<Response, ODataError> {
    let patch = read_row(call, entity, &app.catalog)?;
    let (key, stored) = find_for_write(app, db, call, entity, key)?;
    let mut row = stored.row;
    row.extend(patch.into_iter().filter(|(name, _)| !entity.keys.contains(name)));
    rules::apply(app, db, entity, Operation::Update, &key, &mut row).map_err(|log| log.into_error(entity))?;
    if !rules::is_dry_run(entity) {
        db.put(&entity.aot, &key, &row)?;
    }
    Ok(empty(StatusCode::NO_CONTENT))
}

/// `DELETE /data/<Set>(<key>)`
pub(crate) fn delete(
    app: &App,
    db: &Db<'_>,
    call: &Call,
    entity: &Entity,
    key: &str,
) -> Result<Response, ODataError> {
    let (key, stored) = find_for_write(app, db, call, entity, key)?;
    let mut row = stored.row;
    rules::apply(app, db, entity, Operation::Delete, &key, &mut row).map_err(|log| log.into_error(entity))?;
    if !rules::is_dry_run(entity) {
        db.remove(&entity.aot, &key)?;
    }
    Ok(empty(StatusCode::NO_CONTENT))
}

/// What an upsert did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Created,
    Updated,
}

/// Creates or updates a row of an import. `row` holds the mapped properties, the company included; with `logic`
/// business rules are asked, and what they say is the error.
pub(crate) fn upsert(
    environment: &Environment,
    db: &Db<'_>,
    entity: &Entity,
    row: Row,
    logic: bool,
) -> Result<Result<Outcome, String>, StoreError> {
    let key = match key_of(entity, &row) {
        Ok(key) => key,
        Err(name) => return Ok(Err(format!("Field '{name}' must be filled in."))),
    };
    let existing = db.get(&entity.aot, &key)?;
    let (operation, outcome) = match existing {
        Some(_) => (Operation::Update, Outcome::Updated),
        None => (Operation::Insert, Outcome::Created),
    };
    let mut merged = existing.map(|stored| stored.row).unwrap_or_default();
    merged.extend(row);
    if logic && let Err(log) = rules::apply(environment, db, entity, operation, &key, &mut merged) {
        return log.into_text().map(Err);
    }
    db.put(&entity.aot, &key, &merged)?;
    Ok(Ok(outcome))
}

fn find_for_write(
    app: &App,
    db: &Db<'_>,
    call: &Call,
    entity: &Entity,
    key: &str,
) -> Result<(Key, Stored), ODataError> {
    let (key, stored) = match rules::dry_run_of(app, entity) {
        // Validation entities check changes of the real ones.
        Some(real) => list::find(app, db, call, real, key)?,
        None => list::find(app, db, call, entity, key)?,
    };
    // A mismatch answers 412 as the OData standard says; that the service does so is unverified.
    let expected = call.headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    let tag = etag(&stored);
    let fits = |tags: &str| tags.split(',').map(str::trim).any(|found| found == "*" || found == tag);
    if call.behaviour.if_match == IfMatch::Enforce && expected.is_some_and(|tags| !fits(tags)) {
        return Err(ODataError::new(
            StatusCode::PRECONDITION_FAILED,
            "The request has been rejected: the entity was changed by another user (ETag mismatch).",
        ));
    }
    Ok((key, stored))
}

/// Fills what the service fills: the company, the number of an agreement, and enum keys that were not sent.
fn complete_key(app: &App, db: &Db<'_>, entity: &Entity, row: &mut Row) -> Result<(), ODataError> {
    if entity.company {
        let company = match row.get(COMPANY) {
            Some(value) if !value.as_text().is_empty() => value.as_text().to_ascii_lowercase(),
            _ => default_company(db)?,
        };
        row.insert(COMPANY.to_owned(), Value::Text(company));
    }
    rules::number_sequence(db, entity, row)?;
    for name in entity.own_keys() {
        if let Some(property) = entity.property(name)
            && matches!(property.kind, Kind::Enum(_))
        {
            row.entry(name.to_owned()).or_insert_with(|| default_value(property, &app.catalog));
        }
    }
    Ok(())
}
