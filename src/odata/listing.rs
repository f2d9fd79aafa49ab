//! Lists that one request can't give: exact comparisons, which the service does not know, and filters too long for a URL.
//!
//! The rows of several [`Pager`]s are put together here, left out where they don't fit, ordered and counted off.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::filter::{Filter, Order, Row, halves, order_of};
use super::operation::Operation;
use super::page::{Page, Pager};
use super::query::{FilterInput, Query, URL_LIMIT, too_long, url_length};
use super::service::Service;
use crate::catalog::{EdmType, Entity};
use crate::error::{Error, ErrorCode, Result};

/// Most requests that one list is divided into.
pub const MAX_PARTS: usize = 100;

/// The rows of a list by the page, however many requests it takes.
///
/// A plain list is that of a [`Pager`]. With an exact `eq` of a text with `*` the pattern is sent and the rows are compared here;
/// `top` and `skip` count what is left. A filter too long for a URL is sent in parts, by the values of an `anyOf` that every row
/// must fit: no row comes twice. Then `count` is the sum of the parts, and with `orderBy` the parts are merged.
#[derive(Debug)]
pub struct Listing {
    service: Service,
    entity: Option<Arc<Entity>>,
    streams: Vec<Stream>,
    work: Option<Work>,
}

/// One request and its pages.
#[derive(Debug)]
struct Stream {
    pager: Pager,
    begun: bool,
    done: bool,
    held: VecDeque<Held>,
    last: Option<Vec<String>>,
}

/// A row that waits for its turn.
#[derive(Debug)]
struct Held {
    json: String,
    /// JSON of what it is ordered by.
    key: Vec<String>,
}

/// What is done to rows here.
#[derive(Debug)]
struct Work {
    residue: Option<Filter>,
    order: Vec<Order>,
    /// Properties that were fetched for this only.
    extra: Vec<String>,
    skip: u64,
    left: Option<u64>,
    /// The sum so far, where a count was asked for and is not given yet.
    count: Option<u64>,
}

impl Listing {
    /// The collection's rows that fit the query.
    ///
    /// # Errors
    /// Those of [`Pager::new`]. `UNSUPPORTED_QUERY` for `count` with an exact comparison, for a filter that is too long and can't
    /// be divided into at most [`MAX_PARTS`] requests, and for an order that a divided list can't keep. All before anything is
    /// sent.
    pub fn new(service: &Service, collection: &str, query: &Query) -> Result<Self> {
        let entity = service.entity(collection)?;
        let known = entity.as_deref();
        let mut sent = query.clone();
        sent.select = query.selected(known)?;
        let mut work = Work {
            residue: None,
            order: Vec::new(),
            extra: Vec::new(),
            skip: query.skip.unwrap_or(0),
            left: query.top,
            count: query.count.then_some(0),
        };
        let tree = query.tree()?;
        if let Some(tree) = tree.as_ref().filter(|tree| tree.has_exact()) {
            if query.count {
                return Err(Error::new(
                    ErrorCode::UnsupportedQuery,
                    "the service can't count the rows of an exact comparison of a text with *",
                )
                .hint("List without count, and count the rows."));
            }
            // For the faults in what is not sent.
            tree.patterns().render(known, service.catalog())?;
            sent.filter =
                Some(tree.superset()).filter(|all| *all != Filter::Always(true)).map(FilterInput::Tree);
            (sent.top, sent.skip) = (None, None);
            let residue = tree.residue();
            for name in residue.properties() {
                work.fetch(&mut sent, name);
            }
            work.residue = Some(residue);
        } else {
            sent.filter = tree.map(FilterInput::Tree);
        }
        let mut parts = divided(service, known, &sent)?;
        if parts.len() > 1 {
            work.order = query.order(known)?;
            for order in work.order.clone() {
                sortable(&order, known)?;
                work.fetch(&mut sent, &order.name);
            }
            sent.skip = None;
            sent.top = sent.top.map(|top| top.saturating_add(work.skip));
            // Again, since what was added makes each longer.
            parts = divided(service, known, &sent)?;
        }
        let plain = parts.len() == 1 && work.residue.is_none();
        let streams = parts
            .iter()
            .map(|part| Ok(Stream::new(Pager::new(service, collection, part)?)))
            .collect::<Result<Vec<Stream>>>()?;
        Ok(Self { service: service.clone(), entity, streams, work: (!plain).then_some(work) })
    }

    /// The one [`Pager`] that gives all of it as it is, where nothing is left to be done here; else the listing again.
    ///
    /// # Errors
    /// The listing itself.
    pub fn into_plain(mut self) -> std::result::Result<Pager, Box<Self>> {
        match (self.work.is_none(), self.streams.pop()) {
            (true, Some(stream)) => Ok(stream.pager),
            (_, stream) => {
                self.streams.extend(stream);
                Err(Box::new(self))
            }
        }
    }

    /// Reads the page that is needed next, or nothing after the last. What it yields goes to [`take`](Self::take).
    #[must_use]
    pub fn page(&self) -> Option<Operation<Page>> {
        self.wanted().and_then(|stream| stream.pager.page())
    }

    /// Moves on behind the page, and gives the rows that can be handed out, if there are any yet.
    ///
    /// # Errors
    /// `SERVICE_ERROR` for a link to another host, and rows that can't be read. `UNSUPPORTED_QUERY` where the parts of a divided
    /// list come in an order that can't be kept here.
    pub fn take(&mut self, page: Page) -> Result<Option<Page>> {
        let Some(at) = self.wanted_at() else { return Ok(None) };
        let (entity, service) = (self.entity.as_deref(), &self.service);
        let Some(stream) = self.streams.get_mut(at) else { return Ok(None) };
        let Some(work) = &mut self.work else {
            stream.pager.advance(&page)?;
            return Ok(Some(page));
        };
        // Nothing is kept before all of it is known to be good, so that after a failure the same page can be asked for again.
        let rows = stream.fitting(&page.items, work, entity, service)?;
        stream.pager.advance(&page)?;
        if let (false, Some(count)) = (stream.begun, &mut work.count) {
            *count += page.count.unwrap_or(0);
        }
        stream.keep(rows);
        let (items, rows) = self.ready()?;
        let count = self
            .work
            .as_mut()
            .and_then(|work| if work.primed(&self.streams) { work.count.take() } else { None });
        if rows == 0 && count.is_none() {
            return Ok(None);
        }
        let mut page = page;
        (page.items, page.rows, page.count) = (items, rows, count);
        Ok(Some(page))
    }

    fn wanted(&self) -> Option<&Stream> {
        self.streams.get(self.wanted_at()?)
    }

    /// The stream whose next page is needed.
    fn wanted_at(&self) -> Option<usize> {
        let Some(work) = &self.work else { return Some(0) };
        if work.left == Some(0) && work.count.is_none() {
            return None;
        }
        let all = |wants: fn(&Stream) -> bool| self.streams.iter().position(wants);
        let unbegun = if work.count.is_some() || !work.order.is_empty() { all(|s| !s.begun) } else { None };
        unbegun.or_else(|| if work.left == Some(0) { None } else { all(|s| !s.done && s.held.is_empty()) })
    }

    /// The rows whose turn has come, as a JSON list, and their number.
    fn ready(&mut self) -> Result<(String, u64)> {
        let (mut items, mut rows) = (String::from("["), 0);
        while let Some(at) = self.turn()? {
            let (Some(stream), Some(work)) = (self.streams.get_mut(at), &mut self.work) else { break };
            let Some(held) = stream.held.pop_front() else { break };
            if work.skip > 0 {
                work.skip -= 1;
                continue;
            }
            work.left = work.left.map(|left| left.saturating_sub(1));
            if rows > 0 {
                items.push(',');
            }
            items.push_str(&held.json);
            rows += 1;
        }
        items.push(']');
        Ok((items, rows))
    }

    /// The stream whose first row comes next; nothing as long as that is not known.
    fn turn(&self) -> Result<Option<usize>> {
        let Some(work) = self.work.as_ref().filter(|work| work.left != Some(0)) else { return Ok(None) };
        if !work.primed(&self.streams) {
            return Ok(None);
        }
        if work.order.is_empty() {
            // One after the other.
            let first = self.streams.iter().position(|stream| !stream.done || !stream.held.is_empty());
            return Ok(first.filter(|at| self.streams.get(*at).is_some_and(|s| !s.held.is_empty())));
        }
        let mut best: Option<(usize, &Held)> = None;
        for (at, stream) in self.streams.iter().enumerate() {
            match (stream.held.front(), best) {
                (None, _) if stream.done => {}
                (None, _) => return Ok(None),
                (Some(held), None) => best = Some((at, held)),
                (Some(held), Some((_, found))) => {
                    if work.order(&held.key, &found.key, self.entity.as_deref(), &self.service)?
                        == Ordering::Less
                    {
                        best = Some((at, held));
                    }
                }
            }
        }
        Ok(best.map(|(at, _)| at))
    }
}

impl Stream {
    fn new(pager: Pager) -> Self {
        let done = pager.page().is_none();
        Self { pager, begun: done, done, held: VecDeque::new(), last: None }
    }

    /// The rows of a page that fit, in the order that was asked for.
    fn fitting(
        &self,
        items: &str,
        work: &Work,
        entity: Option<&Entity>,
        service: &Service,
    ) -> Result<Vec<Held>> {
        let unreadable =
            |why: String| Error::new(ErrorCode::ServiceError, format!("a page can't be read: {why}"));
        let records: Vec<&RawValue> = serde_json::from_str(items).map_err(|e| unreadable(e.to_string()))?;
        let mut rows: Vec<Held> = Vec::new();
        for record in records {
            let row = Row::parse(record.get()).map_err(|e| unreadable(e.message.clone()))?;
            if let Some(residue) = &work.residue
                && !residue.matches(&row, entity, service.catalog())?
            {
                continue;
            }
            let value = |order: &Order| row.get(&order.name).unwrap_or("null").to_owned();
            let key: Vec<String> = work.order.iter().map(value).collect();
            // The very first with itself, to see whether it can be ordered at all.
            let last = rows.last().map(|held| &held.key).or(self.last.as_ref()).unwrap_or(&key);
            if work.order(&key, last, entity, service)? == Ordering::Less {
                return Err(unsortable("the service orders these rows in another way than is known here"));
            }
            let json = if work.extra.is_empty() { record.get().to_owned() } else { row.without(&work.extra) };
            rows.push(Held { json, key });
        }
        Ok(rows)
    }

    fn keep(&mut self, rows: Vec<Held>) {
        self.begun = true;
        self.done = self.pager.page().is_none();
        self.last = rows.last().map(|held| held.key.clone()).or(self.last.take());
        self.held.extend(rows);
    }
}

impl Work {
    /// Whether every request that must be answered before the first row can be handed out has been.
    fn primed(&self, streams: &[Stream]) -> bool {
        (self.count.is_none() && self.order.is_empty()) || streams.iter().all(|stream| stream.begun)
    }

    /// Sees that the property comes along, and is taken out again.
    fn fetch(&mut self, query: &mut Query, name: &str) {
        if query.select.is_empty() || query.select.iter().any(|selected| selected == name) {
            return;
        }
        query.select.push(name.to_owned());
        if !self.extra.iter().any(|extra| extra == name) {
            self.extra.push(name.to_owned());
        }
    }

    fn order(
        &self,
        a: &[String],
        b: &[String],
        entity: Option<&Entity>,
        service: &Service,
    ) -> Result<Ordering> {
        for ((order, a), b) in self.order.iter().zip(a).zip(b) {
            let property = entity.and_then(|entity| entity.property(&order.name));
            let found = property
                .and_then(|property| order_of(a, b, property, service.catalog()))
                .ok_or_else(|| unsortable(&format!("values of \"{}\" can't be ordered here", order.name)))?;
            if found != Ordering::Equal {
                return Ok(if order.descending { found.reverse() } else { found });
            }
        }
        Ok(Ordering::Equal)
    }
}

/// The query itself, or several whose rows are those of the query.
fn divided(service: &Service, entity: Option<&Entity>, query: &Query) -> Result<Vec<Query>> {
    let mut open = vec![query.clone()];
    let mut fit = Vec::new();
    while let Some(query) = open.pop() {
        let length = url_length(service, entity, &query.options(service, entity)?);
        if length <= URL_LIMIT {
            fit.push(query);
            continue;
        }
        let Some(FilterInput::Tree(tree)) = &query.filter else { return Err(too_long(length)) };
        let (left, right) = halves(tree).ok_or_else(|| too_long(length))?;
        for half in [right, left] {
            open.push(Query { filter: Some(FilterInput::Tree(half)), ..query.clone() });
        }
        if fit.len() + open.len() > MAX_PARTS {
            return Err(too_long(length).hint(format!(
                "Divided it would take more than {MAX_PARTS} requests; ask for less at a time."
            )));
        }
    }
    Ok(fit)
}

/// Whether rows can be put in this order here as the service does it.
fn sortable(order: &Order, entity: Option<&Entity>) -> Result<()> {
    match entity.and_then(|entity| entity.property(&order.name)).map(|property| &property.edm) {
        None => Err(unsortable("the type of its order is not known")),
        Some(EdmType::Guid | EdmType::Binary | EdmType::UnnamedEnum | EdmType::Other(_)) => {
            Err(unsortable(&format!("how the service orders \"{}\" is not known", order.name)))
        }
        Some(_) => Ok(()),
    }
}

fn unsortable(why: &str) -> Error {
    Error::new(
        ErrorCode::UnsupportedQuery,
        format!("a list that is too long for one request can't be merged: {why}"),
    )
    .hint("Leave out orderBy and order the rows, or ask for less at a time.")
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
