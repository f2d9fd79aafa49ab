//! Reads: lists with paging, counts, single entities.

use std::cmp::Ordering;

use axum::http::{StatusCode, Uri};
use axum::response::Response;

use super::error::ODataError;
use super::filter::{Filter, compare_dates, unknown_property};
use super::payload::{context, selected, write_row};
use super::write::default_company;
use super::{Call, url};
use crate::catalog::{Catalog, Entity, Kind, Property};
use crate::http::odata_reply;
use crate::server::App;
use crate::store::{Db, Key, Stored};
use crate::value::{Decimal, default_value, write_json_string};

/// `GET /data/<Set>`
pub(crate) fn list(app: &App, call: &Call, entity: &Entity) -> Result<Response, ODataError> {
    let options = &call.options;
    let properties = selected(entity, &options.select)?;
    let order = options.order_by.as_deref().map(|text| Order::parse(text, entity)).transpose()?;
    // Rows still to be delivered after what $top asks for and earlier pages gave.
    let wanted = options.top.map_or(usize::MAX, |top| top.saturating_sub(options.delivered));
    let page = wanted.min(app.page_size);
    let first = options.skip.saturating_add(options.delivered);

    let mut total = 0_usize;
    let mut rows: Vec<Stored> = Vec::new();
    visit(app, call, entity, |stored| {
        if order.is_some() || (total >= first && rows.len() < page) {
            rows.push(stored);
        }
        total += 1;
    })?;
    if let Some(order) = &order {
        rows.sort_by(|a, b| order.compare(a, b, &app.catalog));
        rows = rows.into_iter().skip(first).take(page).collect();
    }

    let mut out = String::from("{\"@odata.context\":");
    write_json_string(&context(&app.base_url, entity, &options.select, false), &mut out);
    if options.count {
        out.push_str(&format!(",\"@odata.count\":{total}"));
    }
    out.push_str(",\"value\":[");
    for (at, stored) in rows.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_row(&mut out, stored, &properties, None, &app.catalog);
    }
    out.push(']');
    if rows.len() == page && wanted > page && total > first.saturating_add(page) {
        out.push_str(",\"@odata.nextLink\":");
        write_json_string(&next_link(app, &call.uri, options.delivered + page), &mut out);
    }
    out.push('}');
    Ok(odata_reply(StatusCode::OK, out))
}

/// `GET /data/<Set>/$count`
pub(crate) fn count(app: &App, call: &Call, entity: &Entity) -> Result<usize, ODataError> {
    let mut total = 0;
    visit(app, call, entity, |_| total += 1)?;
    Ok(total)
}

/// `GET /data/<Set>(<key>)`
pub(crate) fn read(app: &App, call: &Call, entity: &Entity, key: &str) -> Result<Response, ODataError> {
    let properties = selected(entity, &call.options.select)?;
    let stored = app.store.with(|db| find(app, db, call, entity, key).map(|(_, stored)| stored))?;
    let mut out = String::new();
    let context = context(&app.base_url, entity, &call.options.select, true);
    write_row(&mut out, &stored, &properties, Some(&context), &app.catalog);
    Ok(odata_reply(StatusCode::OK, out))
}

/// `GET /data/<Set>(<key>)/<Property>`
pub(crate) fn read_property(
    app: &App,
    call: &Call,
    entity: &Entity,
    key: &str,
    name: &str,
) -> Result<Response, ODataError> {
    if entity.navigation.iter().any(|navigation| navigation.name == name) {
        return Err(ODataError::not_here("Reading navigation properties"));
    }
    let property = entity.property(name).ok_or_else(|| ODataError::no_resource(&call.uri))?;
    let stored = app.store.with(|db| find(app, db, call, entity, key).map(|(_, stored)| stored))?;
    let mut out = String::from("{\"@odata.context\":");
    let set = entity.collection.as_deref().unwrap_or_default();
    write_json_string(&format!("{}/data/$metadata#{set}({key})/{name}", app.base_url), &mut out);
    out.push_str(",\"value\":");
    let value = stored.row.get(name).cloned().unwrap_or_else(|| default_value(property, &app.catalog));
    value.write_json(&mut out);
    out.push('}');
    Ok(odata_reply(StatusCode::OK, out))
}

/// The row that a key URL names, as far as the caller may see it: without `cross-company=true` rows of other companies
/// than the default one are "not found".
pub(crate) fn find(
    app: &App,
    db: &Db<'_>,
    call: &Call,
    entity: &Entity,
    key: &str,
) -> Result<(Key, Stored), ODataError> {
    let missing = || ODataError::no_resource(&call.uri);
    let key = url::key(key, entity)?.ok_or_else(missing)?;
    if entity.company && !call.options.cross_company && key.company != default_company(db)? {
        return Err(missing());
    }
    let stored = match crate::dmf::virtual_rows(app, db, entity)? {
        Some(rows) => rows
            .into_iter()
            .find(|stored| stored.row.get("EntityName").is_some_and(|name| name.as_text() == key.key)),
        None => db.get(&entity.aot, &key)?,
    };
    stored.map(|stored| (key, stored)).ok_or_else(missing)
}

fn visit(app: &App, call: &Call, entity: &Entity, mut accept: impl FnMut(Stored)) -> Result<(), ODataError> {
    let filter =
        call.options.filter.as_deref().map(|text| Filter::parse(text, entity, &app.catalog)).transpose()?;
    let mut accept = |stored: Stored| {
        if filter.as_ref().is_none_or(|filter| filter.matches(&stored.row)) {
            accept(stored);
        }
    };
    app.store.with(|db| {
        if let Some(rows) = crate::dmf::virtual_rows(app, db, entity)? {
            rows.into_iter().for_each(accept);
            return Ok(());
        }
        let company =
            if entity.company && !call.options.cross_company { Some(default_company(db)?) } else { None };
        db.scan(&entity.aot, company.as_deref(), 0, |stored| {
            accept(stored);
            Ok(())
        })
    })
}

/// The same request, absolute, with the number of rows delivered so far.
fn next_link(app: &App, uri: &Uri, delivered: usize) -> String {
    let mut query: Vec<String> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|part| {
            !part.is_empty() && !part.starts_with("$skiptoken=") && !part.starts_with("%24skiptoken=")
        })
        .map(str::to_owned)
        .collect();
    query.push(format!("$skiptoken={delivered}"));
    format!("{}{}?{}", app.base_url, uri.path(), query.join("&"))
}

struct Order<'a>(Vec<(&'a Property, bool)>);

impl<'a> Order<'a> {
    fn parse(text: &str, entity: &'a Entity) -> Result<Self, ODataError> {
        let mut keys = Vec::new();
        for part in text.split(',') {
            let mut words = part.split_whitespace();
            let name = words.next().unwrap_or_default();
            let descending = match (words.next(), words.next()) {
                (None | Some("asc"), None) => false,
                (Some("desc"), None) => true,
                _ => return Err(ODataError::bad_request(format!("Syntax error in $orderby: '{part}'."))),
            };
            keys.push((entity.property(name).ok_or_else(|| unknown_property(name, entity))?, descending));
        }
        Ok(Self(keys))
    }

    fn compare(&self, a: &Stored, b: &Stored, catalog: &Catalog) -> Ordering {
        for (property, descending) in &self.0 {
            let text = |stored: &Stored| {
                let default = || default_value(property, catalog);
                stored.row.get(&property.name).cloned().unwrap_or_else(default)
            };
            let (a, b) = (text(a), text(b));
            let (a, b) = (a.as_text(), b.as_text());
            let order = match &property.kind {
                Kind::Int32 | Kind::Int64 | Kind::Decimal => Decimal::parse(a).cmp(&Decimal::parse(b)),
                Kind::DateTime => compare_dates(a, b).unwrap_or(Ordering::Equal),
                Kind::Enum(name) => {
                    let at = |member: &str| catalog.members(name).iter().position(|found| found == member);
                    at(a).cmp(&at(b))
                }
                _ => a.cmp(b),
            };
            let order = if *descending { order.reverse() } else { order };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }
}
