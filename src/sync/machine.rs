//! The conversation: line after line, run after run, batch after batch.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::batch::{Batch, content_id};
use super::check::Check;
use super::options::{Line, SyncOptions};
use super::reconcile::Reconcile;
use super::rows::{Row, Shape};
use super::source::{PackageRows, overlapped, pager, records};
use super::state::{Mode, Phase, Run, State};
use super::table::{Changes, Keep, Table, conflict, slot_key};
use crate::dmf::{
    Checkpoint, DataProject, Ensure, Ensured, ExecutionStatus, Export, ExportOptions, Exported,
};
use crate::error::{Error, ErrorCode, Result};
use crate::fields::FromValue;
use crate::http::{Input, Machine, Polled, Session, Step, Store, Stored, Timestamp};
use crate::odata::{Operation, Page, Pager, Service};

const DAY: Duration = Duration::from_secs(86_400);
/// A package lives this long in the service.
const PACKAGE_LIFE: Duration = Duration::from_secs(7 * 86_400);
/// A marker that did not move for longer may be worth nothing: all records are exported after the changes.
const TRUST: Duration = Duration::from_secs(6 * 86_400);
/// A host that never commits is told so after as many deliveries of one batch.
const DELIVERIES: u32 = 10;
/// End of the names of data projects that export all records.
const FULL: &str = "-Full";

/// What a turn is for.
#[derive(Debug)]
enum Ask {
    Batch,
    Commit(String),
}

/// What came of a turn.
#[derive(Debug)]
#[non_exhaustive]
pub enum Turned {
    /// The next batch, or the last one again while it is not committed.
    Batch(Box<Batch>),
    /// Every line is up to date.
    End,
    /// The batch is committed.
    Committed,
}

/// One pass through all lines. It is held turn by turn: [`batch`](Self::batch), [`commit`](Self::commit), and so on.
#[derive(Debug)]
pub struct Sync {
    service: Service,
    session: Session,
    options: SyncOptions,
    lines: Vec<Line>,
    /// Line at work.
    at: usize,
    work: Option<Box<Work>>,
    stage: Stage,
    committed: Option<String>,
    /// Of a line that could not be finished while others could.
    failed: Option<Box<Error>>,
    /// The store refused a commit, which can be tried again.
    refused: Option<Box<Error>>,
    cancelled: bool,
}

/// One turn of a [`Sync`] as a conversation.
#[derive(Debug)]
pub struct Turn<'a> {
    sync: &'a mut Sync,
    ask: Ask,
}

/// The line at work.
#[derive(Debug)]
struct Work {
    line: Line,
    key: String,
    shape: Shape,
    state: State,
    version: Option<String>,
    table: Table,
    delivery: Option<Delivery>,
    /// A run began in this pass.
    began: bool,
    /// … and is applied.
    fresh: bool,
    gaps: u32,
    /// What is kept of rows begins anew with the next batch.
    replace: bool,
    reconciled: bool,
    /// Keys of records that are gone.
    gone: VecDeque<String>,
}

/// Rows on their way to the host.
#[derive(Debug)]
struct Delivery {
    source: Source,
    rows: VecDeque<Row>,
    ended: bool,
    /// Rows that were committed before.
    skip: u64,
    mode: Mode,
    batch_size: usize,
    started_at: u64,
    /// OData only: whether all rows are read.
    whole: bool,
    high: Option<String>,
    /// Something was handed over.
    handed: bool,
}

#[derive(Debug)]
enum Source {
    Package(Option<Box<PackageRows>>),
    Pages(Box<Pager>),
}

/// What becomes of the line when the host commits, or when there is nothing to hand over.
#[derive(Debug)]
struct Out {
    batch: Option<Batch>,
    next: State,
    changes: Changes,
    /// The changes replace all that was kept before.
    replace: bool,
    last: bool,
    deliveries: u32,
}

#[derive(Debug)]
enum Stage {
    Begin,
    Check(Box<Check>),
    NextLine,
    Load,
    Loading,
    LoadPiece(usize),
    LoadingPiece(usize),
    Decide,
    Store(Then),
    Storing(Then),
    Ensure(Box<Ensure>),
    Export {
        job: Box<Export>,
        saving: bool,
        conflict: bool,
    },
    Deliver,
    Reading(Box<Operation<Page>>),
    Reconcile(Box<Reconcile>),
    Gone,
    Out(Box<Out>),
    Keeping(Box<Out>, Box<Keep>),
    Commit(Box<Out>),
    Committing(Box<Out>),
    /// The line is given up.
    Failed(Box<Error>),
    /// The pass is over, and a line was given up.
    Ending(Box<Error>),
    Over,
}

/// What follows when the state is durable.
#[derive(Debug)]
enum Then {
    Ensure,
    Deliver,
    Decide,
    Fail(Box<Error>),
}

impl Sync {
    /// A pass that has not begun.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` and `UNKNOWN_PROPERTY` for options that can't be meant.
    pub fn new(service: &Service, options: SyncOptions) -> Result<Self> {
        let lines = options.lines(service)?;
        Ok(Self {
            service: service.clone(),
            session: service.session(),
            options,
            lines,
            at: 0,
            work: None,
            stage: Stage::Begin,
            committed: None,
            failed: None,
            refused: None,
            cancelled: false,
        })
    }

    /// The next batch.
    ///
    /// Errors of the conversation: `CHECKPOINT_CONFLICT` where another process moved the line; `CHECKPOINT_INVALID`;
    /// `VALIDATION_FAILED` where change tracking is off; `RECONCILE_REFUSED`, those of an export and those of a request. A line
    /// that fails by itself does not stop the others: its error comes when they are done.
    pub fn batch(&mut self) -> Turn<'_> {
        Turn { sync: self, ask: Ask::Batch }
    }

    /// Commits the batch that was handed over last. Again with the same id it does nothing.
    ///
    /// Errors of the conversation: `CHECKPOINT_CONFLICT` where another process moved the line: the batch comes again there;
    /// `INVALID_ARGUMENT` for another batch than the last one.
    pub fn commit(&mut self, id: &str) -> Turn<'_> {
        Turn { sync: self, ask: Ask::Commit(id.to_owned()) }
    }

    /// Gives up the line for now; others may go on where its failure is its own.
    fn give_up(&mut self, error: Box<Error>) -> Option<Box<Error>> {
        self.work = None;
        self.stage = Stage::NextLine;
        if !is_of_the_line(error.code) {
            return Some(error);
        }
        self.failed.get_or_insert(error);
        self.at += 1;
        None
    }

    fn begin(&mut self) -> Stage {
        if self.lines.iter().all(|line| line.by_odata) {
            return Stage::NextLine;
        }
        Stage::Check(Box::new(Check::new(&self.service, &self.lines)))
    }

    fn next_line(&mut self) -> Stage {
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
    fn decide(&mut self, now: Timestamp) -> Result<Stage> {
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
    fn plan(&mut self, now: Timestamp) -> Stage {
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
    fn ensure(&self) -> Result<Stage> {
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

    fn ensured(&mut self, done: &Ensured) -> Result<Stage> {
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
    fn export(&self, checkpoint: Option<String>) -> Result<Stage> {
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

    fn open_run(&self) -> Option<(&Work, &Run)> {
        let work = self.work.as_deref()?;
        Some((work, work.state.run.as_ref()?))
    }

    /// The package is there, whole and counted.
    fn exported(&mut self, exported: Exported) -> Result<Stage> {
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
    fn read(&mut self, now: Timestamp) -> Result<Stage> {
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
    fn deliver(&mut self) -> Result<Stage> {
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

    fn page_came(&mut self, page: &Page) -> Result<Stage> {
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
    fn gone(&mut self, now: Timestamp) -> Stage {
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
    fn settled(&mut self, out: Out, version: String) -> Stage {
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
    fn loaded(&mut self, found: Option<Stored>) -> Result<Stage> {
        let Some(work) = &mut self.work else { return Ok(Stage::NextLine) };
        if let Some(found) = found {
            work.state = State::parse(&work.key, &found.value)?;
            work.version = Some(found.version);
        }
        Ok(if work.line.keeps_rows() { Stage::LoadPiece(0) } else { Stage::Decide })
    }

    fn piece_loaded(&mut self, index: usize, found: Option<&Stored>) -> Stage {
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
    fn store_state(&self) -> Option<Store> {
        let work = self.work.as_deref()?;
        let value = work.state.to_json(work.line.by_odata);
        Some(Store::new(work.key.clone(), value, work.version.clone()))
    }
}

impl Delivery {
    /// Takes rows that the host has not got yet.
    fn take(&mut self, rows: VecDeque<Row>, line: &Line, table: &Table) {
        for row in rows {
            if self.skip > 0 {
                self.skip -= 1;
            } else if !(line.compare && table.has(&row.key, row.hash)) {
                self.rows.push_back(row);
            }
        }
    }
}

impl Work {
    /// The open run is of no use: all records are wanted instead. A failure is told where that was tried already.
    fn gap(&mut self, why: String, error: Option<Box<Error>>) -> Stage {
        let of_all = self.state.run.as_ref().is_some_and(|run| run.project.ends_with(FULL));
        self.delivery = None;
        self.gaps += 1;
        self.state.run = None;
        self.state.needs_full = Some(why);
        match error {
            Some(error) if (of_all && self.began) || self.gaps > 1 => Stage::Store(Then::Fail(error)),
            _ => Stage::Store(Then::Decide),
        }
    }

    /// The package can't be read, and fetching it again would not change that.
    fn damaged(&mut self, error: Error) -> Stage {
        let error = error.in_entity(self.line.label.clone());
        if error.code == ErrorCode::PackageLimit {
            return Stage::Failed(Box::new(error));
        }
        self.gap(format!("its package can't be read: {}", error.message), Some(Box::new(error)))
    }

    /// The export ended without a package.
    fn export_failed(&mut self, error: Box<Error>) -> Stage {
        let why = match error.code {
            ErrorCode::JobFailed => "a run failed",
            ErrorCode::JobCanceled => "a run was cancelled",
            ErrorCode::OutcomeUnknown => "the service does not know a run, or no more",
            ErrorCode::NotFound => "a package is gone",
            ErrorCode::PackageCorrupt
            | ErrorCode::NotAPackage
            | ErrorCode::ManifestInvalid
            | ErrorCode::DataInvalid => "a package is damaged",
            _ => return Stage::Failed(error),
        };
        let id = self.state.run.as_ref().map_or("", |run| run.execution_id.as_str());
        let why = format!("{why} ({id})");
        self.gap(why, Some(error))
    }

    /// Where nothing that could be compared with is known, all rows are handed over.
    fn begin_to_compare(&mut self) {
        if self.line.compare && (self.state.needs_full.is_some() || !self.state.kept) {
            self.table = Table::default();
            self.replace = true;
        }
    }

    fn is_due(&self, now: Timestamp, every: Duration) -> bool {
        let since = self.state.last_reconciled.map(|last| now.since(Timestamp::from_millis(last)));
        self.line.reconcile && self.state.kept && !self.reconciled && since.is_none_or(|since| since >= every)
    }

    /// The next batch of the delivery, with what its commit changes.
    fn hand_out(&mut self) -> Stage {
        let Some(delivery) = &mut self.delivery else { return Stage::Decide };
        let some = delivery.rows.len().min(delivery.batch_size);
        let rows: Vec<Row> = delivery.rows.drain(..some).collect();
        let last = delivery.ended && delivery.rows.is_empty();
        let mut next = self.state.clone();
        next.rows = next.rows.saturating_add(rows.len() as u64);
        let changes = if self.line.keeps_rows() {
            rows.iter()
                .map(|row| (row.key.clone(), Some(if self.line.compare { row.hash } else { 0 })))
                .collect()
        } else {
            Changes::new()
        };
        // An empty set of all records is something to know; an empty set of changes is not.
        let tells = !rows.is_empty() || (delivery.mode == Mode::Full && !delivery.handed);
        let batch = tells.then(|| {
            let run = self.state.run.as_ref();
            let id = match run {
                Some(run) if !self.line.compare => {
                    let company = self.line.company.as_deref().unwrap_or("-");
                    format!(
                        "{}/{}/{company}/{}/{}",
                        run.execution_id, self.line.label, run.next, run.batch_size
                    )
                }
                _ => content_id(&self.key, self.state.rows, &rows, &[]),
            };
            Batch {
                id,
                execution_id: run.map(|run| run.execution_id.clone()),
                entity: self.line.label.clone(),
                company: self.line.company.clone(),
                mode: delivery.mode,
                rows: rows.into_iter().map(|row| row.json).collect(),
                deleted_keys: Vec::new(),
                last,
            }
        });
        if let Some(run) = &mut next.run {
            run.next += 1;
        }
        if self.line.compare {
            next.kept = true;
            next.needs_full = None;
        }
        if last {
            delivery.finish(&mut next, &self.line);
        }
        let replace = self.replace;
        Stage::Out(Box::new(Out { batch, next, changes, replace, last, deliveries: 0 }))
    }
}

impl Delivery {
    /// The run of the line is applied.
    fn finish(&self, next: &mut State, line: &Line) {
        let of_all = match next.run.take() {
            Some(run) => {
                let of_all = run.project.ends_with(FULL);
                next.last_applied = Some(run.execution_id);
                of_all
            }
            None => self.whole,
        };
        next.last_run = Some(self.started_at);
        next.high.clone_from(&self.high);
        if of_all {
            next.needs_full = None;
        }
        if of_all || self.mode == Mode::Full {
            next.last_full = Some(self.started_at);
            next.kept = line.keeps_rows();
        }
        next.kept &= line.keeps_rows();
    }
}

impl Machine for Turn<'_> {
    type Output = Turned;

    fn next(&mut self, now: Timestamp) -> Step<Turned> {
        let sync = &mut *self.sync;
        if std::mem::take(&mut sync.cancelled) {
            return Step::Failed(Box::new(Error::new(ErrorCode::Aborted, "the caller gave up")));
        }
        if let Some(error) = sync.refused.take() {
            return Step::Failed(error);
        }
        if let Ask::Commit(id) = &self.ask
            && !matches!(
                sync.stage,
                Stage::Out(_)
                    | Stage::Keeping(..)
                    | Stage::Commit(_)
                    | Stage::Committing(_)
                    | Stage::Failed(_)
            )
        {
            if sync.committed.as_ref() == Some(id) {
                return Step::Done(Turned::Committed);
            }
            return Step::Failed(Box::new(not_out(id)));
        }
        loop {
            let stage = std::mem::replace(&mut sync.stage, Stage::NextLine);
            let next: Result<Stage, Box<Error>> = match stage {
                Stage::Begin => Ok(sync.begin()),
                Stage::Check(mut check) => match check.next(now) {
                    Step::Done(checked) => {
                        match checked.apply(&mut sync.lines, sync.options.without_tracking) {
                            Ok(()) => Ok(Stage::NextLine),
                            Err(error) => {
                                sync.stage = Stage::Begin;
                                return Step::Failed(Box::new(error));
                            }
                        }
                    }
                    Step::Failed(error) => {
                        sync.stage = Stage::Begin;
                        return Step::Failed(error);
                    }
                    step => {
                        sync.stage = Stage::Check(check);
                        return cast(step);
                    }
                },
                Stage::NextLine => Ok(sync.next_line()),
                Stage::Load => {
                    sync.stage = Stage::Loading;
                    return Step::Load(sync.work.as_ref().map(|work| work.key.clone()).unwrap_or_default());
                }
                Stage::LoadPiece(index) => {
                    let work = sync.work.as_ref();
                    match work.and_then(|work| Some(slot_key(&work.key, work.state.chunks.get(index)?.slot)))
                    {
                        Some(key) => {
                            sync.stage = Stage::LoadingPiece(index);
                            return Step::Load(key);
                        }
                        None => Ok(Stage::Decide),
                    }
                }
                Stage::Decide => sync.decide(now).map_err(Box::new),
                Stage::Store(then) => match sync.store_state() {
                    Some(store) => {
                        sync.stage = Stage::Storing(then);
                        return Step::Store(store);
                    }
                    None => Ok(Stage::NextLine),
                },
                Stage::Ensure(mut ensure) => match ensure.next(now) {
                    Step::Done(done) => sync.ensured(&done).map_err(Box::new),
                    Step::Failed(error) => Err(error),
                    step => {
                        sync.stage = Stage::Ensure(ensure);
                        return cast(step);
                    }
                },
                Stage::Export { mut job, conflict, .. } => match job.next(now) {
                    Step::Done(_) | Step::Failed(_) | Step::Wait(_) if conflict => {
                        Err(Box::new(sync.conflict()))
                    }
                    Step::Done(exported) => sync.exported(exported).map_err(Box::new),
                    Step::Failed(error) => match &mut sync.work {
                        Some(work) => Ok(work.export_failed(error)),
                        None => Err(error),
                    },
                    Step::Save(save) => {
                        if let Some(run) = sync.work.as_mut().and_then(|work| work.state.run.as_mut()) {
                            run.job = serde_json::from_str::<Value>(&save.state).ok();
                            run.phase = Phase::Running;
                        }
                        sync.stage = Stage::Export { job, saving: true, conflict };
                        match sync.store_state() {
                            Some(store) => return Step::Store(store),
                            None => Ok(Stage::NextLine),
                        }
                    }
                    step => {
                        sync.stage = Stage::Export { job, saving: false, conflict };
                        return cast(step);
                    }
                },
                Stage::Deliver => sync.deliver().map_err(Box::new),
                Stage::Reading(mut operation) => match operation.next(now) {
                    Step::Done(page) => sync.page_came(&page).map_err(Box::new),
                    Step::Failed(error) => Err(error),
                    step => {
                        sync.stage = Stage::Reading(operation);
                        return cast(step);
                    }
                },
                Stage::Reconcile(mut scan) => match scan.next(now) {
                    Step::Done(gone) => {
                        if let Some(work) = &mut sync.work {
                            work.gone = gone.into();
                        }
                        Ok(Stage::Gone)
                    }
                    Step::Failed(error) => Err(error),
                    step => {
                        sync.stage = Stage::Reconcile(scan);
                        return cast(step);
                    }
                },
                Stage::Gone => Ok(sync.gone(now)),
                Stage::Out(mut out) => match (&self.ask, &out.batch) {
                    (_, None) => Ok(sync.keep(out)),
                    (Ask::Commit(id), Some(batch)) if *id == batch.id => Ok(sync.keep(out)),
                    (Ask::Commit(id), Some(_)) => {
                        let again = sync.committed.as_ref() == Some(id);
                        let error = not_out(id);
                        sync.stage = Stage::Out(out);
                        return if again {
                            Step::Done(Turned::Committed)
                        } else {
                            Step::Failed(Box::new(error))
                        };
                    }
                    (Ask::Batch, Some(batch)) => {
                        let batch = Box::new(batch.clone());
                        out.deliveries += 1;
                        let often = out.deliveries > DELIVERIES;
                        sync.stage = Stage::Out(out);
                        if often {
                            return Step::Failed(Box::new(never_committed(&batch.id)));
                        }
                        return Step::Done(Turned::Batch(batch));
                    }
                },
                Stage::Keeping(mut out, mut keep) => match keep.next() {
                    Polled::Io(io) => {
                        sync.stage = Stage::Keeping(out, keep);
                        return io.into();
                    }
                    Polled::Ready(Ok(written)) => {
                        if keep.replaces {
                            out.next.chunks.clear();
                        }
                        out.next.chunks.extend(written);
                        Ok(Stage::Commit(out))
                    }
                    Polled::Ready(Err(error)) if error.code == ErrorCode::CheckpointConflict => Err(error),
                    Polled::Ready(Err(error)) => {
                        sync.stage = sync.put_back(out);
                        return Step::Failed(error);
                    }
                },
                Stage::Commit(out) => match &sync.work {
                    Some(work) => {
                        let value = out.next.to_json(work.line.by_odata);
                        let store = Store::new(work.key.clone(), value, work.version.clone());
                        sync.stage = Stage::Committing(out);
                        return Step::Store(store);
                    }
                    None => Ok(Stage::NextLine),
                },
                Stage::Failed(error) => Err(error),
                Stage::Ending(error) => {
                    sync.stage = Stage::Over;
                    return Step::Failed(error);
                }
                Stage::Over => {
                    sync.stage = Stage::Over;
                    return Step::Done(Turned::End);
                }
                Stage::Loading | Stage::LoadingPiece(_) | Stage::Storing(_) | Stage::Committing(_) => {
                    Err(Box::new(Error::argument("the driver called next before it handed over the outcome")))
                }
            };
            match next {
                Ok(stage) => sync.stage = stage,
                Err(error) => {
                    if let Some(error) = sync.give_up(error) {
                        return Step::Failed(error);
                    }
                    if let Ask::Commit(id) = &self.ask {
                        return Step::Failed(Box::new(not_out(id)));
                    }
                }
            }
            if let (Ask::Commit(id), Some(done)) = (&self.ask, &sync.committed)
                && id == done
                && !matches!(sync.stage, Stage::Keeping(..) | Stage::Commit(_))
            {
                return Step::Done(Turned::Committed);
            }
        }
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        let sync = &mut *self.sync;
        let stage = std::mem::replace(&mut sync.stage, Stage::NextLine);
        sync.stage = match (stage, input) {
            (Stage::Check(mut check), input) => {
                check.handle(input, now);
                Stage::Check(check)
            }
            (Stage::Ensure(mut ensure), input) => {
                ensure.handle(input, now);
                Stage::Ensure(ensure)
            }
            (Stage::Reading(mut operation), input) => {
                operation.handle(input, now);
                Stage::Reading(operation)
            }
            (Stage::Reconcile(mut scan), input) => {
                scan.handle(input, now);
                Stage::Reconcile(scan)
            }
            (Stage::Export { mut job, saving, mut conflict }, input) => {
                let input = if saving { sync.saved(input, &mut conflict) } else { input };
                job.handle(input, now);
                Stage::Export { job, saving: false, conflict }
            }
            (Stage::Loading, Input::Loaded(found)) => match sync.loaded(found) {
                Ok(stage) => stage,
                Err(error) => Stage::Failed(Box::new(error)),
            },
            (Stage::LoadingPiece(index), Input::Loaded(found)) => sync.piece_loaded(index, found.as_ref()),
            (Stage::Storing(then), Input::Stored(version)) => {
                if let Some(work) = &mut sync.work {
                    work.version = Some(version);
                }
                match then {
                    Then::Ensure => sync.ensure().unwrap_or_else(|error| Stage::Failed(Box::new(error))),
                    Then::Deliver => Stage::Deliver,
                    Then::Decide => Stage::Decide,
                    Then::Fail(error) => Stage::Failed(error),
                }
            }
            (Stage::Keeping(out, mut keep), input) => {
                keep.handle(input);
                Stage::Keeping(out, keep)
            }
            (Stage::Committing(out), Input::Stored(version)) => sync.settled(*out, version),
            (Stage::Storing(_) | Stage::Committing(_), Input::StoreConflict) => {
                Stage::Failed(Box::new(sync.conflict()))
            }
            // Whether it was kept is not known: the batch stays with the host until a commit succeeds.
            (Stage::Committing(out), Input::StoreFailed(error)) => match out.batch {
                Some(_) => {
                    sync.stage = sync.put_back(out);
                    sync.refused = Some(error);
                    return;
                }
                None => Stage::Failed(error),
            },
            (Stage::Loading | Stage::LoadingPiece(_) | Stage::Storing(_), Input::StoreFailed(error)) => {
                Stage::Failed(error)
            }
            (stage, Input::Cancelled) => {
                sync.cancelled = true;
                stage
            }
            (stage, _) => stage,
        };
    }
}

impl Sync {
    fn conflict(&self) -> Error {
        conflict(self.work.as_ref().map_or("", |work| work.key.as_str()))
    }

    /// What the store did with a checkpoint of the export.
    fn saved(&mut self, input: Input, conflicts: &mut bool) -> Input {
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
    fn keep(&self, out: Box<Out>) -> Stage {
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
    fn put_back(&self, mut out: Box<Out>) -> Stage {
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

fn not_out(id: &str) -> Error {
    Error::argument(format!("the batch {id} is not the one that was handed over last")).hint(
        "Commit a batch before the next one is asked for. After an error of the sync its batch comes again.",
    )
}

fn never_committed(id: &str) -> Error {
    Error::argument(format!("the batch {id} was handed over {DELIVERIES} times and never committed"))
        .hint("Await commit() of a batch once its rows are safe: until then it comes again.")
}

/// A step of a part, as a step of the whole.
pub(super) fn cast<T, U>(step: Step<T>) -> Step<U> {
    match step {
        Step::Send(request) => Step::Send(request),
        Step::Token(reason) => Step::Token(reason),
        Step::SendAll(requests) => Step::SendAll(requests),
        Step::Save(save) => Step::Save(save),
        Step::Load(key) => Step::Load(key),
        Step::Store(store) => Step::Store(store),
        Step::Read(range) => Step::Read(range),
        Step::Wait(until) => Step::Wait(until),
        Step::Emit(event) => Step::Emit(event),
        Step::Failed(error) => Step::Failed(error),
        Step::Done(_) => Step::Failed(Box::new(Error::argument("a part of the conversation ended twice"))),
    }
}
