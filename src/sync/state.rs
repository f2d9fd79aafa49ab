//! How far a line is, as the store keeps it.

use serde_json::{Map, Value, json};

use crate::error::{Error, ErrorCode, Result};
use crate::fields::{Fields, FromValue, word};
use crate::http::Timestamp;

/// The version that this code writes.
const VERSION: u64 = 1;

/// How far a line is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The data project for changes was made, or has run, for this state: its marker is this line's own.
    pub(super) marker: bool,
    /// A run that is not wholly delivered and committed.
    pub(super) run: Option<Run>,
    /// The run whose last batch was committed last.
    pub(super) last_applied: Option<String>,
    /// Start of the last run that was applied whole, in milliseconds since 1970.
    pub(super) last_run: Option<u64>,
    /// The same of the last one with all records.
    pub(super) last_full: Option<u64>,
    /// When keys were scanned last.
    pub(super) last_reconciled: Option<u64>,
    /// Why all records are wanted next.
    pub(super) needs_full: Option<String>,
    /// Rows committed so far.
    pub(super) rows: u64,
    /// Highest value of the property that tells of changes.
    pub(super) high: Option<String>,
    /// Kept rows are all that was handed over since the last full set.
    pub(super) kept: bool,
    /// Where kept rows are.
    pub(super) chunks: Vec<Chunk>,
}

/// A run in the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) execution_id: String,
    pub(super) project: String,
    pub(super) mode: Mode,
    /// When it was planned: the service starts it no earlier.
    pub(super) started_at: u64,
    pub(super) batch_size: u32,
    /// Index of the first batch that is not committed.
    pub(super) next: u64,
    pub(super) phase: Phase,
    /// The checkpoint of the export, once there is one.
    pub(super) job: Option<Value>,
}

/// Where kept rows are: a place of the store, and the version that was written there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) slot: u32,
    pub(super) version: String,
}

/// What the rows of a run are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// All records.
    Full,
    /// Those that changed, and perhaps others.
    Incremental,
    /// None, but keys of records that are gone.
    Reconcile,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Planned,
    Running,
    Delivering,
}

impl Mode {
    const WORDS: [(&'static str, Self); 3] =
        [("full", Self::Full), ("incremental", Self::Incremental), ("reconcile", Self::Reconcile)];

    /// The word of the public API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
            Self::Reconcile => "reconcile",
        }
    }
}

impl Phase {
    const WORDS: [(&'static str, Self); 3] =
        [("planned", Self::Planned), ("running", Self::Running), ("delivering", Self::Delivering)];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Delivering => "delivering",
        }
    }
}

impl State {
    /// Where the line is: `idle`, or the phase of its run.
    pub(super) const fn phase(&self) -> &'static str {
        match &self.run {
            None => "idle",
            Some(run) => run.phase.as_str(),
        }
    }

    pub(super) fn to_json(&self, by_odata: bool) -> String {
        let mut of = Map::new();
        let mut set = |name: &str, value: Value| {
            of.insert(name.to_owned(), value);
        };
        set("version", VERSION.into());
        set("transport", if by_odata { "odata" } else { "package" }.into());
        set("phase", self.phase().into());
        if self.marker {
            set("marker", true.into());
        }
        if let Some(run) = &self.run {
            set("run", run.to_value());
        }
        let texts =
            [("lastApplied", &self.last_applied), ("needsFull", &self.needs_full), ("high", &self.high)];
        for (name, text) in texts {
            if let Some(text) = text {
                set(name, text.clone().into());
            }
        }
        let times = [
            ("lastRun", self.last_run),
            ("lastFull", self.last_full),
            ("lastReconciled", self.last_reconciled),
        ];
        for (name, time) in times {
            if let Some(time) = time {
                set(name, time.into());
            }
        }
        set("rows", self.rows.into());
        if self.kept {
            set("kept", true.into());
        }
        if !self.chunks.is_empty() {
            let chunks =
                self.chunks.iter().map(|chunk| json!({ "slot": chunk.slot, "version": chunk.version }));
            set("chunks", chunks.collect());
        }
        Value::Object(of).to_string()
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    pub(super) fn parse(key: &str, text: &str) -> Result<Self> {
        let invalid = |why: String| {
            Error::new(
                ErrorCode::CheckpointInvalid,
                format!("the state of the sync under \"{key}\" can't be read: {why}"),
            )
            .hint("Something else writes to that key. Delete it there, and the line begins with all records.")
        };
        let value: Value = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
        match value.get("version").and_then(Value::as_u64) {
            Some(VERSION) => {}
            Some(newer) if newer > VERSION => {
                return Err(invalid(format!("it has version {newer}, this library reads up to {VERSION}"))
                    .hint("A newer version of the library wrote it: go on with that one."));
            }
            _ => return Err(invalid("it has no version".to_owned())),
        }
        Self::from_value(value).map_err(invalid)
    }
}

impl Run {
    fn to_value(&self) -> Value {
        let mut value = json!({
            "executionId": self.execution_id,
            "project": self.project,
            "mode": self.mode.as_str(),
            "startedAt": self.started_at,
            "batchSize": self.batch_size,
            "next": self.next,
            "phase": self.phase.as_str(),
        });
        if let (Some(object), Some(job)) = (value.as_object_mut(), &self.job) {
            object.insert("job".to_owned(), job.clone());
        }
        value
    }

    pub(super) const fn started(&self) -> Timestamp {
        Timestamp::from_millis(self.started_at)
    }
}

impl FromValue for State {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let state = Self {
            marker: of.flag("marker").unwrap_or_default(),
            run: of.read("run"),
            last_applied: of.text("lastApplied"),
            last_run: of.number("lastRun"),
            last_full: of.number("lastFull"),
            last_reconciled: of.number("lastReconciled"),
            needs_full: of.text("needsFull"),
            rows: of.number("rows").unwrap_or_default(),
            high: of.text("high"),
            kept: of.flag("kept").unwrap_or_default(),
            chunks: of.list("chunks").unwrap_or_default(),
        };
        of.finish_open(state)
    }
}

impl FromValue for Run {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let run = Self {
            execution_id: of.required("executionId", Fields::text),
            project: of.required("project", Fields::text),
            mode: of.must("mode", Mode::Full),
            started_at: of.required("startedAt", Fields::number),
            batch_size: of.required("batchSize", Fields::small),
            next: of.required("next", Fields::number),
            phase: of.must("phase", Phase::Planned),
            job: of.value("job"),
        };
        of.finish_open(run)
    }
}

impl FromValue for Chunk {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let chunk =
            Self { slot: of.required("slot", Fields::small), version: of.required("version", Fields::text) };
        of.finish_open(chunk)
    }
}

impl FromValue for Mode {
    fn from_value(value: Value) -> Result<Self, String> {
        word(&value, &Self::WORDS)
    }
}

impl FromValue for Phase {
    fn from_value(value: Value) -> Result<Self, String> {
        word(&value, &Self::WORDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_as_it_was_written() {
        let state = State {
            marker: true,
            run: Some(Run {
                execution_id: "E".into(),
                project: "P".into(),
                mode: Mode::Incremental,
                started_at: 5,
                batch_size: 10,
                next: 3,
                phase: Phase::Delivering,
                job: Some(json!({ "version": 2 })),
            }),
            last_applied: Some("D".into()),
            last_run: Some(4),
            rows: 7,
            kept: true,
            chunks: vec![Chunk { slot: 1, version: "v".into() }],
            ..State::default()
        };
        let text = state.to_json(false);
        assert_eq!(
            text,
            r#"{"version":1,"transport":"package","phase":"delivering","marker":true,"run":{"executionId":"E","project":"P","mode":"incremental","startedAt":5,"batchSize":10,"next":3,"phase":"delivering","job":{"version":2}},"lastApplied":"D","lastRun":4,"rows":7,"kept":true,"chunks":[{"slot":1,"version":"v"}]}"#
        );
        assert_eq!(State::parse("k", &text).unwrap(), state);
    }

    #[test]
    fn foreign_and_newer_ones_are_refused() {
        for text in ["", "{}", "[]", r#"{"version":2}"#, r#"{"version":1,"run":{"mode":"x"}}"#] {
            assert_eq!(State::parse("k", text).unwrap_err().code, ErrorCode::CheckpointInvalid, "{text}");
        }
    }
}
