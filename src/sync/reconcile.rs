//! Which records are gone: change tracking tells of no deletion, so keys are compared.
//!
//! A scan that is wrong looks like a mass deletion: a company taken from the user, a page that came empty, a list cut short. So
//! the scan must count as many keys as the service says there are, no more may be missing than allowed, and each one that is
//! missing is asked for by its key before it counts as gone.

use std::collections::BTreeSet;

use super::options::{Line, MaxDeletes};
use super::rows::Shape;
use super::source::{key_pager, records};
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Input, Machine, Step, Timestamp};
use crate::odata::{self, Operation, Page, Pager, Query, Service};

/// A scan of the keys as a conversation; it yields the keys of records that are gone.
#[derive(Debug)]
pub(super) struct Reconcile {
    service: Service,
    line: Line,
    shape: Shape,
    limit: MaxDeletes,
    known: u64,
    /// Keys that were not met yet.
    left: BTreeSet<String>,
    met: u64,
    /// How many rows there are, as the service says.
    told: Option<u64>,
    pager: Pager,
    state: At,
    gone: Vec<String>,
    cancelled: bool,
}

#[derive(Debug)]
enum At {
    Page,
    Reading(Box<Operation<Page>>),
    Judge,
    Ask,
    Asking(String, Box<Operation<Option<String>>>),
}

impl Reconcile {
    pub(super) fn new(
        service: &Service,
        line: &Line,
        keys: BTreeSet<String>,
        limit: MaxDeletes,
    ) -> Result<Self> {
        let shape = Shape::new(service.catalog(), line.entity.clone(), line.company.as_deref(), line.keys());
        Ok(Self {
            service: service.clone(),
            shape,
            limit,
            known: keys.len() as u64,
            left: keys,
            met: 0,
            told: None,
            pager: key_pager(service, line)?,
            line: line.clone(),
            state: At::Page,
            gone: Vec::new(),
            cancelled: false,
        })
    }

    fn refused(&self, why: &str) -> Error {
        let (missing, limit) = (self.left.len() as u64, self.limit.of(self.known));
        Error::new(
            ErrorCode::ReconcileRefused,
            format!(
                "{missing} of {} records of {} would be gone, {limit} are allowed: {why}",
                self.known, self.line.label
            ),
        )
        .in_entity(self.line.label.clone())
        .hint(
            "Nothing was told to be deleted. Check that the service user still sees the company and all its records; where so \
             many are really gone, raise `maxDeletes` for one run.",
        )
        .with_result(serde_json::json!({
            "missing": missing, "allowed": limit, "known": self.known, "scanned": self.met, "told": self.told,
        }))
    }

    /// What no second try with the same right will change counts as a refusal; the network's failures are its own.
    fn scan_failed(&self, error: Box<Error>) -> Box<Error> {
        match error.code {
            ErrorCode::Forbidden
            | ErrorCode::NotFound
            | ErrorCode::ServiceError
            | ErrorCode::UnsupportedQuery
            | ErrorCode::ValidationFailed
            | ErrorCode::InvalidArgument => {
                Box::new(self.refused(&format!("the scan of the keys failed ({})", error.message)))
            }
            _ => error,
        }
    }

    fn page_came(&mut self, page: &Page) -> Result<()> {
        self.told = self.told.or(page.count);
        for record in records(page)? {
            self.met += 1;
            self.left.remove(&self.shape.of_record(record).key);
        }
        self.pager.advance(page)
    }

    fn judge(&self) -> Result<()> {
        if let Some(told) = self.told
            && self.met < told
        {
            return Err(self.refused(&format!("the scan met {} keys of {told}", self.met)));
        }
        if self.met == 0 && self.known > 0 {
            return Err(self.refused("the scan met no key at all"));
        }
        if self.left.len() as u64 > self.limit.of(self.known) {
            return Err(self.refused("that is more than `maxDeletes`"));
        }
        Ok(())
    }
}

impl Machine for Reconcile {
    type Output = Vec<String>;

    fn next(&mut self, now: Timestamp) -> Step<Vec<String>> {
        loop {
            if self.cancelled {
                return Step::Failed(Box::new(Error::new(ErrorCode::Aborted, "the caller gave up")));
            }
            match std::mem::replace(&mut self.state, At::Page) {
                At::Page => match self.pager.page() {
                    Some(operation) => self.state = At::Reading(Box::new(operation)),
                    None => self.state = At::Judge,
                },
                At::Reading(mut operation) => match operation.next(now) {
                    Step::Done(page) => {
                        if let Err(error) = self.page_came(&page) {
                            return Step::Failed(self.scan_failed(Box::new(error)));
                        }
                    }
                    Step::Failed(error) => return Step::Failed(self.scan_failed(error)),
                    step => {
                        self.state = At::Reading(operation);
                        return super::machine::cast(step);
                    }
                },
                At::Judge => match self.judge() {
                    Ok(()) => self.state = At::Ask,
                    Err(error) => return Step::Failed(Box::new(error)),
                },
                At::Ask => {
                    let Some(key) = self.left.pop_first() else {
                        return Step::Done(std::mem::take(&mut self.gone));
                    };
                    let collection = self.line.collection().unwrap_or_default();
                    let query = Query { select: self.line.keys().to_vec(), ..Query::default() };
                    match odata::get(&self.service, collection, &key, &query) {
                        Ok(operation) => self.state = At::Asking(key, Box::new(operation)),
                        Err(error) => {
                            self.left.insert(key);
                            return Step::Failed(self.scan_failed(Box::new(error)));
                        }
                    }
                }
                At::Asking(key, mut operation) => match operation.next(now) {
                    Step::Done(found) => {
                        // Whoever answers to the key is there: the scan passed it by while pages moved.
                        if found.is_none() {
                            self.gone.push(key);
                        }
                        self.state = At::Ask;
                    }
                    Step::Failed(error) => return Step::Failed(self.scan_failed(error)),
                    step => {
                        self.state = At::Asking(key, operation);
                        return super::machine::cast(step);
                    }
                },
            }
        }
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        match &mut self.state {
            At::Reading(operation) => operation.handle(input, now),
            At::Asking(_, operation) => operation.handle(input, now),
            _ => self.cancelled |= matches!(input, Input::Cancelled),
        }
    }
}
