//! The steps of a line: what it needs next, from its state in the store to the commit of a batch.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::batch::{Batch, content_id};
use super::check::Check;
use super::machine::{Stage, Sync, Then};
use super::reconcile::Reconcile;
use super::rows::Shape;
use super::source::{PackageRows, overlapped, pager, records};
use super::state::{Mode, Phase, Run, State};
use super::table::{Keep, Table, conflict};
use super::work::{Delivery, Out, Source, Work};
use crate::dmf::{
    Checkpoint, DataProject, Ensure, Ensured, ExecutionStatus, Export, ExportOptions, Exported,
};
use crate::error::{Error, ErrorCode, Result};
use crate::fields::FromValue;
use crate::http::{Input, Store, Stored, Timestamp};
use crate::odata::Page;

const DAY: Duration = Duration::from_secs(86_400);
/// A package lives this long in the service.
const PACKAGE_LIFE: Duration = Duration::from_secs(7 * 86_400);
/// A marker that did not move for longer may be worth nothing: all records are exported after the changes.
const TRUST: Duration = Duration::from_secs(6 * 86_400);

impl Sync {
    /// Gives up the line for now; others may go on where its failure is its own.
    pub(super) fn give_up(&mut self, error: Box<Error>) -> Option<Box<Error>> {
        self.work = None;
        self.stage = Stage::NextLine;
        if !is_of_the_line(error.code) {
            return Some(error);
        }
        self.failed.get_or_insert(error);
        self.at += 1;
        None
    }

    pub(super) fn begin(&mut self) -> Stage {
        if self.lines.iter().all(|line| line.by_odata) {
            return Stage::NextLine;
        }
        Stage::Check(Box::new(Check::new(&self.service, &self.lines)))
    }

    pub(super) fn next_line(&mut self) -> Stage {
        let Some(line) = self.lines.get(self.at).cloned() else {
            return match self.failed.take() {
                Some(error) => Stage::Ending(error),
                None => Stage::Over,
            };
        };
        let shape =
            Shape::new(self.service.catalog(), line.entity.clone(), line.company.as_deref(), &line.select);
        self.work = Some(Box::new(Work {
            key: line.key(&self.options.name),
            shape,
            line,
            state: State::default(),
            version: None,
            table: Table::default(),
            delivery: None,
            began: false,
            fresh: false,
            gaps: 0,
            replace: false,
            reconciled: false,
            gone: VecDeque::new(),
        }));
        Stage::Load
    }

    /// What the line needs next.
    pub(super) fn decide(&mut self, now: Timestamp) -> Result<Stage> {
        let Some(work) = &mut self.work else { return Ok(Stage::NextLine) };
        if let Some(run) = &work.state.run {
            if now.since(run.started()) > PACKAGE_LIFE {
                let why =
                    format!("the run {} is older than the packages that the service keeps", run.execution_id);
                return Ok(work.gap(why, None));
            }
            let job = run.job.as_ref().map(Value::to_string);
            return if job.is_some() { self.export(job) } else { self.ensure() };
        }
        if work.fresh && work.state.needs_full.is_none() {
            if work.is_due(now, self.options.reconcile_every) {
                work.reconciled = true;
                let keys = work.table.keys().cloned().collect();
                let scan = Reconcile::new(&self.service, &work.line, keys, self.options.max_deletes)?;
                return Ok(Stage::Reconcile(Box::new(scan)));
            }
            self.at += 1;
            return Ok(Stage::NextLine);
        }
        if work.line.by_odata {
            return self.read(now);
        }
        Ok(self.plan(now))
    }

    /// Plans a run, and makes its id durable before anything is sent.
    pub(super) fn plan(&mut self, now: Timestamp) -> Stage {
        let random = (u64::from(self.session.random()) << 32) | u64::from(self.session.random());
        let Some(work) = &mut self.work else { return Stage::NextLine };
        let state = &mut work.state;
        if work.line.reconcile && state.last_run.is_some() && !state.kept {
            state.needs_full.get_or_insert_with(|| "keys are kept from now on".to_owned());
        }
        work.began = true;
        let full = !work.line.tracked || state.needs_full.is_some();
        let idle = state.last_run.map(|last| now.since(Timestamp::from_millis(last)));
        if !full && idle.is_some_and(|idle| idle > TRUST) {
            // The changes come first, so that their marker is new when all records are exported after them.
            state.needs_full =
                Some("no run for more than 6 days: change tracking may have forgotten".to_owned());
        }
        let project = work.line.project(&self.options.project_prefix, full);
        state.run = Some(Run {
            execution_id: format!("{project}-{}-{random:016x}", now.as_millis()),
            project,
            mode: if full || !state.marker { Mode::Full } else { Mode::Incremental },
            started_at: now.as_millis(),
            batch_size: self.options.batch_size,
            next: 0,
            phase: Phase::Planned,
            job: None,
        });
        Stage::Store(Then::Ensure)
    }

    /// Sees that the project of the open run is there.
    pub(super) fn ensure(&self) -> Result<Stage> {
        let Some((work, run)) = self.open_run() else { return Ok(Stage::Decide) };
        let delta = run.project == work.line.project(&self.options.project_prefix, false);
        let project = json!({
            "name": run.project,
            "operation": "Export",
            "entities": [{
                "entity": work.line.label,
                "refresh": if delta { "IncrementalPush" } else { "FullPush" },
                "skipStaging": false,
            }],
        });
        let project = DataProject::from_value(project).map_err(Error::argument)?;
        Ok(Stage::Ensure(Box::new(Ensure::new(&self.service, project, false)?)))
    }

    pub(super) fn ensured(&mut self, done: &Ensured) -> Result<Stage> {
        let prefix = &self.options.project_prefix;
        let Some(work) = &mut self.work else { return Ok(Stage::NextLine) };
        let delta = work.line.project(prefix, false);
        let is_delta = work.state.run.as_ref().is_some_and(|run| run.project == delta);
        if is_delta && !work.state.marker {
            if !done.created {
                // Its marker may have moved for somebody else: what it exports may be less than all.
                work.state.run = None;
                work.state.marker = true;
                work.state.needs_full = Some("the data project was there before".to_owned());
                return Ok(Stage::Decide);
            }
            work.state.marker = true;
        }
        self.export(None)
    }

    /// The export of the open run, from its checkpoint where there is one.
    pub(super) fn export(&self, checkpoint: Option<String>) -> Result<Stage> {
        let Some((work, run)) = self.open_run() else { return Ok(Stage::Decide) };
        let company =
            work.line.company.as_ref().or(self.service.company.as_ref()).or(self.options.companies.first());
        let options = json!({
            "project": run.project, "executionId": run.execution_id, "company": company,
        });
        let mut options = ExportOptions::from_value(options).map_err(Error::argument)?;
        options.poll = self.options.poll;
        options.outcome_grace = self.options.outcome_grace;
        options.parallel = self.options.parallel;
        let job = match checkpoint {
            Some(text) => Export::resume(&self.service, Checkpoint::parse(&self.service, &text)?, options)?,
            None => Export::new(&self.service, options)?,
        };
        Ok(Stage::Export { job: Box::new(job), saving: false, conflict: false })
    }

    pub(super) fn open_run(&self) -> Option<(&Work, &Run)> {
        let work = self.work.as_deref()?;
        Some((work, work.state.run.as_ref()?))
    }

    /// The package is there, whole and counted.
    pub(super) fn exported(&mut self, exported: Exported) -> Result<Stage> {
        let Some(work) = &mut self.work else { return Ok(Stage::NextLine) };
        if exported.run.status != ExecutionStatus::Succeeded {
            let why = format!("the run {} was {}", exported.run.execution_id, exported.run.status.as_str());
            let error = Error::new(ErrorCode::JobFailed, why.clone()).in_entity(work.line.label.clone()).hint(
                "Data management > Job history > this execution id shows the log. Not all of its records were exported.",
            );
            return Ok(work.gap(why, Some(Box::new(error))));
        }
        let rows = match PackageRows::open(exported.bytes, &work.line.label) {
            Ok(rows) => rows,
            Err(error) => return Ok(work.damaged(error)),
        };
        work.begin_to_compare();
        let Some(run) = &mut work.state.run else { return Ok(Stage::Decide) };
        run.phase = Phase::Delivering;
        // Rows that are compared tell by themselves which were committed.
        let skip = if work.line.compare { 0 } else { run.next.saturating_mul(u64::from(run.batch_size)) };
        work.delivery = Some(Delivery {
            source: Source::Package(rows.map(Box::new)),
            rows: VecDeque::new(),
            ended: false,
            skip,
            mode: run.mode,
            batch_size: usize::try_from(run.batch_size).unwrap_or(1).max(1),
            started_at: run.started_at,
            whole: true,
            high: None,
            handed: run.next > 0,
        });
        Ok(Stage::Store(Then::Deliver))
    }

    /// Begins to read the collection.
    pub(super) fn read(&mut self, now: Timestamp) -> Result<Stage> {
        let Some(work) = &mut self.work else { return Ok(Stage::NextLine) };
        let recent = work.state.last_full.is_some_and(|full| now.since(Timestamp::from_millis(full)) < DAY);
        let since = work
            .state
            .high
            .as_deref()
            .filter(|_| recent && work.state.needs_full.is_none() && work.state.kept);
        let since = since.filter(|_| work.line.modified_by.is_some()).and_then(overlapped);
        work.began = true;
        let first = work.state.last_run.is_none() || work.state.needs_full.is_some();
        work.begin_to_compare();
        work.delivery = Some(Delivery {
            source: Source::Pages(Box::new(pager(&self.service, &work.line, since.as_deref())?)),
            rows: VecDeque::new(),
            ended: false,
            skip: 0,
            mode: if first { Mode::Full } else { Mode::Incremental },
            batch_size: usize::try_from(self.options.batch_size).unwrap_or(1).max(1),
            started_at: now.as_millis(),
            whole: since.is_none(),
            high: work.state.high.clone(),
            handed: false,
        });
        Ok(Stage::Deliver)
    }

    /// Fills the next batch.
    pub(super) fn deliver(&mut self) -> Result<Stage> {
        let Some(work) = &mut self.work else { return Ok(Stage::NextLine) };
        let Some(delivery) = &mut work.delivery else { return Ok(Stage::Decide) };
        // One row more tells whether the batch is the last.
        while delivery.rows.len() <= delivery.batch_size && !delivery.ended {
            match &mut delivery.source {
                Source::Package(None) => delivery.ended = true,
                Source::Package(Some(rows)) => {
                    let mut some = VecDeque::new();
                    match rows.pull(&work.shape, &mut some) {
                        Ok(true) => delivery.take(some, &work.line, &work.table),
                        Ok(false) => delivery.ended = true,
                        Err(error) => return Ok(work.damaged(error)),
                    }
                }
                Source::Pages(pager) => match pager.page() {
                    Some(operation) => return Ok(Stage::Reading(Box::new(operation))),
                    None => delivery.ended = true,
                },
            }
        }
        Ok(work.hand_out())
    }

    pub(super) fn page_came(&mut self, page: &Page) -> Result<Stage> {
        let Some(work) = &mut self.work else { return Ok(Stage::NextLine) };
        let Some(delivery) = &mut work.delivery else { return Ok(Stage::Decide) };
        let mut rows = VecDeque::new();
        for record in records(page)? {
            if let Some(time) = work.line.modified_by.as_ref().and_then(|name| record.get(name)?.as_str())
                && delivery.high.as_deref().is_none_or(|high| high < time)
            {
                delivery.high = Some(time.to_owned());
            }
            rows.push_back(work.shape.of_record(record));
        }
        delivery.take(rows, &work.line, &work.table);
        if let Source::Pages(pager) = &mut delivery.source {
            pager.advance(page)?;
        }
        Ok(Stage::Deliver)
    }

    /// Hands out keys of records that are gone.
    pub(super) fn gone(&mut self, now: Timestamp) -> Stage {
        let Some(work) = &mut self.work else { return Stage::NextLine };
        let size = usize::try_from(self.options.batch_size).unwrap_or(1).max(1);
        let some: Vec<String> = work.gone.drain(..work.gone.len().min(size)).collect();
        let last = work.gone.is_empty();
        let mut next = work.state.clone();
        if last {
            next.last_reconciled = Some(now.as_millis());
        }
        let changes = some.iter().map(|key| (key.clone(), None)).collect();
        let batch = (!some.is_empty()).then(|| Batch {
            id: content_id(&work.key, work.state.rows, &[], &some),
            execution_id: None,
            entity: work.line.label.clone(),
            company: work.line.company.clone(),
            mode: Mode::Reconcile,
            rows: Vec::new(),
            deleted_keys: some,
            last,
        });
        Stage::Out(Box::new(Out { batch, next, changes, replace: false, last, deliveries: 0 }))
    }

    /// The state of the line is durable with what the batch changed.
    pub(super) fn settled(&mut self, out: Out, version: String) -> Stage {
        let Some(work) = &mut self.work else { return Stage::NextLine };
        work.version = Some(version);
        work.state = out.next;
        work.table.apply(&out.changes);
        if let Some(batch) = out.batch {
            self.committed = Some(batch.id);
        }
        let Some(delivery) = &mut work.delivery else {
            return if out.last { Stage::Decide } else { Stage::Gone };
        };
        work.replace = false;
        delivery.handed = true;
        if !out.last {
            return Stage::Deliver;
        }
        work.delivery = None;
        work.fresh |= work.began;
        Stage::Decide
    }

    /// What was kept of the line is there.
    pub(super) fn loaded(&mut self, found: Option<Stored>) -> Result<Stage> {
        let Some(work) = &mut self.work else { return Ok(Stage::NextLine) };
        if let Some(found) = found {
            work.state = State::parse(&work.key, &found.value)?;
            work.version = Some(found.version);
        }
        Ok(if work.line.keeps_rows() { Stage::LoadPiece(0) } else { Stage::Decide })
    }

    pub(super) fn piece_loaded(&mut self, index: usize, found: Option<&Stored>) -> Stage {
        let Some(work) = &mut self.work else { return Stage::NextLine };
        let version = work.state.chunks.get(index).map(|chunk| chunk.version.as_str());
        let good = found
            .is_some_and(|found| Some(found.version.as_str()) == version && work.table.read(&found.value));
        if good {
            return Stage::LoadPiece(index + 1);
        }
        // Somebody else wrote there, or the store lost it: all rows come again.
        work.table = Table::default();
        work.state.kept = false;
        work.state.needs_full.get_or_insert_with(|| "what was kept of its rows is lost".to_owned());
        Stage::Decide
    }

    /// The state of the line as it is in memory, to be made durable.
    pub(super) fn store_state(&self) -> Option<Store> {
        let work = self.work.as_deref()?;
        let value = work.state.to_json(work.line.by_odata);
        Some(Store::new(work.key.clone(), value, work.version.clone()))
    }

    pub(super) fn conflict(&self) -> Error {
        conflict(self.work.as_ref().map_or("", |work| work.key.as_str()))
    }

    /// What the store did with a checkpoint of the export.
    pub(super) fn saved(&mut self, input: Input, conflicts: &mut bool) -> Input {
        match input {
            Input::Stored(version) => {
                if let Some(work) = &mut self.work {
                    work.version = Some(version);
                }
                Input::Saved
            }
            Input::StoreConflict => {
                *conflicts = true;
                Input::SaveRefused(Box::new(self.conflict()))
            }
            Input::StoreFailed(error) => Input::SaveRefused(error),
            input => input,
        }
    }

    /// Makes durable what the batch changes: kept rows first, then the state that names them.
    pub(super) fn keep(&self, out: Box<Out>) -> Stage {
        let Some(work) = &self.work else { return Stage::NextLine };
        let chunks = &work.state.chunks;
        let (pieces, whole) = if out.replace {
            (Table::default().pieces(&out.changes, 0, false).0, true)
        } else {
            work.table.pieces(&out.changes, chunks.len(), out.last)
        };
        let keep = Keep::new(&work.key, pieces, chunks, whole);
        Stage::Keeping(out, Box::new(keep))
    }

    /// The batch is still with the host.
    pub(super) fn put_back(&self, mut out: Box<Out>) -> Stage {
        if let Some(work) = &self.work {
            out.next.chunks.clone_from(&work.state.chunks);
        }
        Stage::Out(out)
    }
}

/// Other lines may well succeed.
const fn is_of_the_line(code: ErrorCode) -> bool {
    !matches!(
        code,
        ErrorCode::Aborted
            | ErrorCode::AuthRejected
            | ErrorCode::AppNotRegistered
            | ErrorCode::Network
            | ErrorCode::CorsOrNetwork
            | ErrorCode::Timeout
            | ErrorCode::Throttled
            | ErrorCode::CheckpointConflict
            | ErrorCode::InvalidArgument
    )
}
