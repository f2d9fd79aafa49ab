//! Reads: lists with paging, counts, single entities, related ones.

use std::cmp::Ordering;

use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::Response;

use super::behaviour::TextCase;
use super::error::ODataError;
use super::filter::{Filter, Sort, compare, unknown_property};
use super::navigation::{Expansion, Link};
use super::payload::{context, selected, write_entity};
use super::write::default_company;
use super::{Call, url};
use crate::catalog::{Catalog, Entity, Kind, Property};
use crate::http::{empty, odata_reply};
use crate::server::App;
use crate::store::{Db, Key, Stored};
use crate::value::{default_value, write_json_string};

/// `GET /data/<Set>`
pub(crate) fn list(app: &App, call: &Call, entity: &Entity) -> Result<Response, ODataError> {
    list_of(app, call, entity, &Extent::Everything)
}

/// `GET /data/<Set>(<key>)/<Navigation property>`
fn list_related(
    app: &App,
    call: &Call,
    entity: &Entity,
    stored: &Stored,
    link: &Link<'_>,
) -> Result<Response, ODataError> {
    let extent = link.from(entity, &stored.row).map_or(Extent::Nothing, |key| Extent::Related(link, key));
    if link.many {
        return list_of(app, call, link.target, &extent);
    }
    let mut found = Vec::new();
    visit(app, call, link.target, &extent, |stored| found.push(stored))?;
    match found.first() {
        Some(stored) => one(app, call, link.target, stored),
        // "No such related row", in the standard's way (unverified).
        None => Ok(empty(StatusCode::NO_CONTENT)),
    }
}

/// Which rows of an entity an answer is about.
enum Extent<'a> {
    Everything,
    Related(&'a Link<'a>, String),
    Nothing,
}

fn list_of(app: &App, call: &Call, entity: &Entity, extent: &Extent<'_>) -> Result<Response, ODataError> {
    let options = &call.options;
    let properties = selected(entity, options)?;
    let links = links(app, call, entity)?;
    let order = options.order_by.as_deref().map(|text| Order::parse(text, entity)).transpose()?;
    let preferred = call.preferred_page_size();
    // Rows still to be delivered after what $top asks for and earlier pages gave.
    let wanted = options.top.map_or(usize::MAX, |top| top.saturating_sub(options.delivered));
    let page = wanted.min(app.page_size).min(preferred.unwrap_or(usize::MAX));
    let first = options.skip.saturating_add(options.delivered);

    let mut total = 0_usize;
    let mut rows: Vec<Stored> = Vec::new();
    visit(app, call, entity, extent, |stored| {
        if order.is_some() || (total >= first && rows.len() < page) {
            rows.push(stored);
        }
        total += 1;
    })?;
    if let Some(order) = &order {
        rows.sort_by(|a, b| order.compare(a, b, &app.catalog, call.behaviour.text_case));
        rows = rows.into_iter().skip(first).take(page).collect();
    }
    let expansions = expansions(app, call, entity, links, &rows)?;

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
        write_entity(&mut out, entity, stored, &properties, &expansions, None, &app.catalog);
    }
    out.push(']');
    if rows.len() == page && wanted > page && total > first.saturating_add(page) {
        out.push_str(",\"@odata.nextLink\":");
        write_json_string(&next_link(app, &call.uri, options.delivered + page), &mut out);
    }
    out.push('}');
    let mut response = odata_reply(StatusCode::OK, out);
    if let Some(size) = preferred
        && let Ok(applied) = HeaderValue::from_str(&format!("odata.maxpagesize={size}"))
    {
        response.headers_mut().insert("preference-applied", applied);
    }
    Ok(response)
}

fn links<'a>(app: &'a App, call: &Call, entity: &'a Entity) -> Result<Vec<Link<'a>>, ODataError> {
    let case = call.behaviour.text_case;
    call.options.expand.iter().map(|name| Link::find(&app.catalog, entity, name, case)).collect()
}

fn expansions<'a>(
    app: &App,
    call: &Call,
    entity: &Entity,
    links: Vec<Link<'a>>,
    rows: &[Stored],
) -> Result<Vec<Expansion<'a>>, ODataError> {
    links.into_iter().map(|link| Expansion::read(app, call, entity, link, rows)).collect()
}

/// An answer that holds one row.
fn one(app: &App, call: &Call, entity: &Entity, stored: &Stored) -> Result<Response, ODataError> {
    let properties = selected(entity, &call.options)?;
    let expansions = expansions(app, call, entity, links(app, call, entity)?, std::slice::from_ref(stored))?;
    let context = context(&app.base_url, entity, &call.options.select, true);
    let mut out = String::new();
    write_entity(&mut out, entity, stored, &properties, &expansions, Some(&context), &app.catalog);
    Ok(odata_reply(StatusCode::OK, out))
}

/// `GET /data/<Set>/$count`
pub(crate) fn count(app: &App, call: &Call, entity: &Entity) -> Result<usize, ODataError> {
    let mut total = 0;
    visit(app, call, entity, &Extent::Everything, |_| total += 1)?;
    Ok(total)
}

/// `GET /data/<Set>(<key>)`
pub(crate) fn read(app: &App, call: &Call, entity: &Entity, key: &str) -> Result<Response, ODataError> {
    let stored = app.store.with(|db| find(app, db, call, entity, key).map(|(_, stored)| stored))?;
    one(app, call, entity, &stored)
}

/// `GET /data/<Set>(<key>)/<Property>`, also of navigation properties.
pub(crate) fn read_property(
    app: &App,
    call: &Call,
    entity: &Entity,
    key: &str,
    name: &str,
) -> Result<Response, ODataError> {
    if entity.navigation.iter().any(|navigation| navigation.name == name) {
        let link = Link::find(&app.catalog, entity, name, call.behaviour.text_case)?;
        let stored = app.store.with(|db| find(app, db, call, entity, key).map(|(_, stored)| stored))?;
        return list_related(app, call, entity, &stored, &link);
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
    let key = url::key(key, entity, call.behaviour.enum_keys)?.ok_or_else(missing)?;
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

fn visit(
    app: &App,
    call: &Call,
    entity: &Entity,
    extent: &Extent<'_>,
    mut accept: impl FnMut(Stored),
) -> Result<(), ODataError> {
    let parse = |text| Filter::parse(text, entity, &app.catalog, &call.behaviour);
    let filter = call.options.filter.as_deref().map(parse).transpose()?;
    let mut accept = |stored: Stored| -> Result<(), ODataError> {
        let within = match extent {
            Extent::Everything => true,
            Extent::Related(link, key) => link.to(&stored.row) == *key,
            Extent::Nothing => false,
        };
        if within && filter.as_ref().map_or(Ok(true), |filter| filter.matches(&stored.row))? {
            accept(stored);
        }
        Ok(())
    };
    app.store.with(|db| {
        if let Some(rows) = crate::dmf::virtual_rows(app, db, entity)? {
            return rows.into_iter().try_for_each(accept);
        }
        let company =
            if entity.company && !call.options.cross_company { Some(default_company(db)?) } else { None };
        db.scan(&entity.aot, company.as_deref(), 0, &mut accept)
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

    fn compare(&self, a: &Stored, b: &Stored, catalog: &Catalog, case: TextCase) -> Ordering {
        for (property, descending) in &self.0 {
            let text = |stored: &Stored| {
                let default = || default_value(property, catalog);
                stored.row.get(&property.name).cloned().unwrap_or_else(default)
            };
            let (a, b) = (text(a), text(b));
            let (a, b) = (a.as_text(), b.as_text());
            let order = match &property.kind {
                Kind::Int32 | Kind::Int64 | Kind::Decimal => compare(a, b, Sort::Number),
                Kind::DateTime => compare(a, b, Sort::Date),
                Kind::Enum(name) => Some(catalog.value(name, a).cmp(&catalog.value(name, b))),
                Kind::String => compare(a, b, Sort::Text(case)),
                Kind::Guid | Kind::Binary => Some(a.cmp(b)),
            };
            let order = order.unwrap_or(Ordering::Equal);
            let order = if *descending { order.reverse() } else { order };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }
}
