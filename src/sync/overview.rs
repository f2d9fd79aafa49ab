//! How far the lines are, and how they begin anew.

use std::time::Duration;

use serde_json::{Map, Value};

use super::options::{Line, SyncOptions};
use super::state::State;
use super::table::conflict;
use crate::error::{Error, Result};
use crate::http::{Input, Machine, Step, Store, Stored, Timestamp};
use crate::odata::Service;
use crate::table::utc_of_millis;

/// A line that was not run for longer is told so.
const STALE: Duration = Duration::from_secs(2 * 86_400);

/// Reads the states of all lines: JSON of `SyncStatus[]`.
#[derive(Debug)]
pub struct Status {
    name: String,
    lines: Vec<Line>,
    at: usize,
    found: Vec<Value>,
    failed: Option<Box<Error>>,
}

impl Status {
    /// A look that has not begun.
    ///
    /// # Errors
    /// Those of [`Sync::new`](super::Sync::new).
    pub fn new(service: &Service, options: &SyncOptions) -> Result<Self> {
        let lines = options.lines(service)?;
        Ok(Self { name: options.name.clone(), lines, at: 0, found: Vec::new(), failed: None })
    }
}

impl Machine for Status {
    type Output = String;

    fn next(&mut self, _: Timestamp) -> Step<String> {
        if let Some(error) = self.failed.take() {
            return Step::Failed(error);
        }
        match self.lines.get(self.at) {
            Some(line) => Step::Load(line.key(&self.name)),
            None => Step::Done(Value::Array(std::mem::take(&mut self.found)).to_string()),
        }
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        let Some(line) = self.lines.get(self.at) else { return };
        match input {
            Input::Loaded(found) => match state_of(&line.key(&self.name), found.as_ref()) {
                Ok(state) => {
                    self.found.push(describe(line, &state, now));
                    self.at += 1;
                }
                Err(error) => self.failed = Some(Box::new(error)),
            },
            Input::StoreFailed(error) => self.failed = Some(error),
            Input::Cancelled => {
                self.failed = Some(Box::new(Error::new(crate::ErrorCode::Aborted, "the caller gave up")))
            }
            _ => {}
        }
    }
}

fn state_of(key: &str, found: Option<&Stored>) -> Result<State> {
    found.map_or_else(|| Ok(State::default()), |found| State::parse(key, &found.value))
}

fn describe(line: &Line, state: &State, now: Timestamp) -> Value {
    let mut of = Map::new();
    let mut set = |name: &str, value: Value| {
        of.insert(name.to_owned(), value);
    };
    set("entity", line.label.clone().into());
    if let Some(company) = &line.company {
        set("company", company.clone().into());
    }
    set("transport", if line.by_odata { "odata" } else { "package" }.into());
    set("phase", state.phase().into());
    if let Some(last) = state.last_run {
        set("lastRun", utc_of_millis(last).into());
        if now.since(Timestamp::from_millis(last)) > STALE {
            set("stale", true.into());
        }
    }
    set("rows", state.rows.into());
    set("pending", (state.run.is_some() || state.needs_full.is_some()).into());
    if let Some(run) = &state.run {
        set("executionId", run.execution_id.clone().into());
    }
    if let Some(why) = &state.needs_full {
        set("needsFull", why.clone().into());
    }
    Value::Object(of)
}

/// Has lines begin anew, with all records.
#[derive(Debug)]
pub struct Reset {
    name: String,
    lines: Vec<Line>,
    at: usize,
    state: At,
}

#[derive(Debug)]
enum At {
    Look,
    Write(Box<Store>),
    Failed(Box<Error>),
}

impl Reset {
    /// `entity`: label or collection; none for all.
    ///
    /// # Errors
    /// Those of [`Sync::new`](super::Sync::new); `INVALID_ARGUMENT` for an entity that the sync does not have.
    pub fn new(service: &Service, options: &SyncOptions, entity: Option<&str>) -> Result<Self> {
        let mut lines = options.lines(service)?;
        if let Some(name) = entity {
            lines.retain(|line| line.label == name || line.collection() == Some(name));
            if lines.is_empty() {
                return Err(Error::argument(format!("the sync has no entity \"{name}\"")).in_entity(name));
            }
        }
        Ok(Self { name: options.name.clone(), lines, at: 0, state: At::Look })
    }
}

impl Machine for Reset {
    type Output = ();

    fn next(&mut self, _: Timestamp) -> Step<()> {
        let Some(line) = self.lines.get(self.at) else { return Step::Done(()) };
        match &self.state {
            At::Look => Step::Load(line.key(&self.name)),
            At::Write(store) => Step::Store((**store).clone()),
            At::Failed(error) => Step::Failed(error.clone()),
        }
    }

    fn handle(&mut self, input: Input, _: Timestamp) {
        let Some(line) = self.lines.get(self.at) else { return };
        let key = line.key(&self.name);
        self.state = match input {
            Input::Loaded(None) => {
                self.at += 1;
                At::Look
            }
            Input::Loaded(Some(found)) => {
                // An open run is dropped: all records follow it. The places of kept rows stay known, to be used again.
                let old = State::parse(&key, &found.value).unwrap_or_default();
                let state = State {
                    marker: old.marker,
                    needs_full: Some("it was reset".to_owned()),
                    chunks: old.chunks,
                    ..State::default()
                };
                At::Write(Box::new(Store::new(key, state.to_json(line.by_odata), Some(found.version))))
            }
            Input::Stored(_) => {
                self.at += 1;
                At::Look
            }
            Input::StoreConflict => At::Failed(Box::new(conflict(&key))),
            Input::StoreFailed(error) => At::Failed(error),
            _ => At::Failed(Box::new(Error::new(crate::ErrorCode::Aborted, "the caller gave up"))),
        };
    }
}
