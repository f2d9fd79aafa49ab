//! The line at work: what is known of it, rows on their way to the host, and what a commit changes.

use std::collections::VecDeque;
use std::time::Duration;

use super::batch::{Batch, content_id};
use super::machine::{Stage, Then};
use super::options::Line;
use super::rows::{Row, Shape};
use super::source::PackageRows;
use super::state::{Mode, State};
use super::table::{Changes, Table};
use crate::error::{Error, ErrorCode};
use crate::http::Timestamp;
use crate::odata::Pager;

/// End of the names of data projects that export all records.
const FULL: &str = "-Full";

/// The line at work.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) line: Line,
    pub(super) key: String,
    pub(super) shape: Shape,
    pub(super) state: State,
    pub(super) version: Option<String>,
    pub(super) table: Table,
    pub(super) delivery: Option<Delivery>,
    /// A run began in this pass.
    pub(super) began: bool,
    /// … and is applied.
    pub(super) fresh: bool,
    pub(super) gaps: u32,
    /// What is kept of rows begins anew with the next batch.
    pub(super) replace: bool,
    pub(super) reconciled: bool,
    /// Keys of records that are gone.
    pub(super) gone: VecDeque<String>,
}

/// Rows on their way to the host.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) source: Source,
    pub(super) rows: VecDeque<Row>,
    pub(super) ended: bool,
    /// Rows that were committed before.
    pub(super) skip: u64,
    pub(super) mode: Mode,
    pub(super) batch_size: usize,
    pub(super) started_at: u64,
    /// OData only: whether all rows are read.
    pub(super) whole: bool,
    pub(super) high: Option<String>,
    /// Something was handed over.
    pub(super) handed: bool,
}

#[derive(Debug)]
pub(super) enum Source {
    Package(Option<Box<PackageRows>>),
    Pages(Box<Pager>),
}

/// What becomes of the line when the host commits, or when there is nothing to hand over.
#[derive(Debug)]
pub(super) struct Out {
    pub(super) batch: Option<Batch>,
    pub(super) next: State,
    pub(super) changes: Changes,
    /// The changes replace all that was kept before.
    pub(super) replace: bool,
    pub(super) last: bool,
    pub(super) deliveries: u32,
}

impl Work {
    /// The open run is of no use: all records are wanted instead. A failure is told where that was tried already.
    pub(super) fn gap(&mut self, why: String, error: Option<Box<Error>>) -> Stage {
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
    pub(super) fn damaged(&mut self, error: Error) -> Stage {
        let error = error.in_entity(self.line.label.clone());
        if error.code == ErrorCode::PackageLimit {
            return Stage::Failed(Box::new(error));
        }
        self.gap(format!("its package can't be read: {}", error.message), Some(Box::new(error)))
    }

    /// The export ended without a package.
    pub(super) fn export_failed(&mut self, error: Box<Error>) -> Stage {
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
    pub(super) fn begin_to_compare(&mut self) {
        if self.line.compare && (self.state.needs_full.is_some() || !self.state.kept) {
            self.table = Table::default();
            self.replace = true;
        }
    }

    pub(super) fn is_due(&self, now: Timestamp, every: Duration) -> bool {
        let since = self.state.last_reconciled.map(|last| now.since(Timestamp::from_millis(last)));
        self.line.reconcile && self.state.kept && !self.reconciled && since.is_none_or(|since| since >= every)
    }

    /// The next batch of the delivery, with what its commit changes.
    pub(super) fn hand_out(&mut self) -> Stage {
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
    /// Takes rows that the host has not got yet.
    pub(super) fn take(&mut self, rows: VecDeque<Row>, line: &Line, table: &Table) {
        for row in rows {
            if self.skip > 0 {
                self.skip -= 1;
            } else if !(line.compare && table.has(&row.key, row.hash)) {
                self.rows.push_back(row);
            }
        }
    }

    /// The run of the line is applied.
    pub(super) fn finish(&self, next: &mut State, line: &Line) {
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
