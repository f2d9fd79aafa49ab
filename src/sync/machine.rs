//! The conversation: line after line, run after run, batch after batch.

use serde_json::Value;

use super::batch::Batch;
use super::check::Check;
use super::options::{Line, SyncOptions};
use super::reconcile::Reconcile;
use super::state::Phase;
use super::table::{Keep, slot_key};
use super::work::{Out, Work};
use crate::dmf::{Ensure, Export};
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Input, Machine, Polled, Session, Step, Store, Timestamp};
use crate::odata::{Operation, Page, Service};

/// A host that never commits is told so after as many deliveries of one batch.
const DELIVERIES: u32 = 10;

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
    pub(super) service: Service,
    pub(super) session: Session,
    pub(super) options: SyncOptions,
    pub(super) lines: Vec<Line>,
    /// Line at work.
    pub(super) at: usize,
    pub(super) work: Option<Box<Work>>,
    pub(super) stage: Stage,
    pub(super) committed: Option<String>,
    /// Of a line that could not be finished while others could.
    pub(super) failed: Option<Box<Error>>,
    /// The store refused a commit, which can be tried again.
    pub(super) refused: Option<Box<Error>>,
    pub(super) cancelled: bool,
}

/// One turn of a [`Sync`] as a conversation.
#[derive(Debug)]
pub struct Turn<'a> {
    sync: &'a mut Sync,
    ask: Ask,
}

#[derive(Debug)]
pub(super) enum Stage {
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
pub(super) enum Then {
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
