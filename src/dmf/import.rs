//! The import: upload a package, have it imported, watch it to its end.

use std::time::Duration;

use serde_json::Value;

use super::actions::{self, ImportCall};
use super::checkpoint::{Checkpoint, Kind, Stage};
use super::execution::RunOutcome;
use super::lease::{Lease, Parallel};
use super::poll::Polling;
use super::project::check_project_name;
use super::run::{Run, RunStep, Watch};
use super::storage::BlobUrl;
use super::upload::{Upload, UploadStep};
use crate::error::{Error, ErrorCode, Result};
use crate::fields::{Fields, FromValue, deserialize};
use crate::http::{Event, Failure, Input, Machine, Polled, Repeat, Response, Save, Session, Step, Timestamp};
use crate::odata::{Call, Service, inner_text};
use crate::package::crc32;

/// URLs that the storage refuses one after another before the job gives up.
const URLS: u32 = 3;
/// The service reads the blob while it handles the submission: the URL must live at least this much longer.
const URL_MARGIN: Duration = Duration::from_secs(15 * 60);

/// What an import is asked for; the spelling of the public API.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ImportOptions {
    /// Data project that runs; created or overwritten from the manifest.
    pub project: String,
    /// Company of the rows; default: the client's.
    pub company: Option<String>,
    /// Unique id of the run.
    pub execution_id: String,
    /// Whether staging goes on to the target. Default true.
    pub execute: bool,
    /// Whether the project is overwritten from the manifest; false for composite entities. Default true.
    pub overwrite: bool,
    /// How the run is watched.
    pub poll: Polling,
    /// Milliseconds to look for a run whose submission got no answer. Default 900,000.
    pub outcome_grace: Option<u64>,
    /// Whether reasons of failed rows are fetched. Default true.
    pub errors: bool,
    /// After `outcome_grace` without a trace of the run: submit once more, at the risk of a second run. Default false.
    pub resubmit: bool,
    /// Which calls this one waits for. Default: all import and export calls of the environment.
    pub parallel: Parallel,
    /// Bytes of a block of the upload, at most and by default 4 MiB; smaller ones are for tests.
    #[doc(hidden)]
    pub block: u64,
}

deserialize!(ImportOptions);

impl FromValue for ImportOptions {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let options = Self {
            project: of.required("project", Fields::text),
            company: of.text("company"),
            execution_id: of.required("executionId", Fields::text),
            execute: of.not_null("execute").flag("execute").unwrap_or(true),
            overwrite: of.not_null("overwrite").flag("overwrite").unwrap_or(true),
            poll: of.not_null("poll").read("poll").unwrap_or_default(),
            outcome_grace: of.number("outcomeGrace"),
            errors: of.not_null("errors").flag("errors").unwrap_or(true),
            resubmit: of.not_null("resubmit").flag("resubmit").unwrap_or_default(),
            parallel: of.read("parallel").unwrap_or_default(),
            block: 0,
        };
        of.finish(options)
    }
}

/// An import as a conversation. Its source is read through [`Step::Read`] from its beginning, in blocks of 4 MiB; it may be asked
/// for its beginning again.
#[derive(Debug)]
pub struct Import {
    service: Service,
    session: Session,
    options: ImportOptions,
    checkpoint: Checkpoint,
    has_source: bool,
    upload: Upload,
    lease: Lease,
    state: State,
    /// URLs asked for one after another without any progress.
    urls: u32,
    /// How often a URL was asked for because the one in hand ended too soon.
    freshened: u32,
    resubmitted: bool,
    cancelled: bool,
}

#[derive(Debug)]
enum State {
    Upload,
    Plan,
    Planning,
    AskUrl(Call),
    /// The package is there: the right to call is wanted.
    Turn,
    /// A URL that lives long enough is wanted.
    Fresh,
    AskFresh(Call),
    Mark(BlobUrl),
    Marking(BlobUrl),
    Submit(BlobUrl),
    /// Resumed: the submission may have left before.
    Resume,
    /// The service has the run, and others may call: worth a checkpoint.
    Accepted(Box<Run>),
    Run(Box<Run>),
    Failed(Box<Error>),
}

impl Import {
    /// A job that has not begun. `bytes` is the length of the source where it is known, for progress alone.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for options that can't be meant.
    pub fn new(service: &Service, options: ImportOptions, bytes: Option<u64>) -> Result<Self> {
        check(&options)?;
        let company = options.company.clone().or_else(|| service.company.clone()).ok_or_else(|| {
            Error::argument("an import needs a company").hint("Set `company` of the import or of the client.")
        })?;
        let mut checkpoint =
            Checkpoint::new(service, Kind::Import, &options.execution_id, &options.project, &company);
        checkpoint.execute = Some(options.execute);
        checkpoint.overwrite = Some(options.overwrite);
        let upload = Upload::new(service, None, false).with_total(bytes).with_blocks_of(options.block);
        Ok(Self::with(service, options, checkpoint, true, upload, State::Upload))
    }

    /// A job that goes on where the checkpoint says. Before the submission it needs the same source again; a different one ends
    /// in `SOURCE_CHANGED` as soon as that shows.
    ///
    /// # Errors
    /// `CHECKPOINT_INVALID`, `SOURCE_REQUIRED`.
    pub fn resume(
        service: &Service,
        checkpoint: Checkpoint,
        mut options: ImportOptions,
        has_source: bool,
    ) -> Result<Self> {
        checkpoint.expect(Kind::Import)?;
        options.project.clone_from(&checkpoint.project);
        options.execution_id.clone_from(&checkpoint.execution_id);
        check(&options)?;
        let state = match checkpoint.stage {
            Stage::Planned if !has_source => return Err(source_required()),
            Stage::Planned => State::Upload,
            Stage::Submitting | Stage::Running => State::Resume,
        };
        let upload = again(service, &checkpoint, options.block);
        Ok(Self::with(service, options, checkpoint, has_source, upload, state))
    }

    fn with(
        service: &Service,
        options: ImportOptions,
        checkpoint: Checkpoint,
        has_source: bool,
        upload: Upload,
        state: State,
    ) -> Self {
        let lease = Lease::new(service, options.parallel, &checkpoint.project, &checkpoint.execution_id);
        Self {
            service: service.clone(),
            session: service.session(),
            options,
            checkpoint,
            has_source,
            upload,
            lease,
            state,
            urls: 0,
            freshened: 0,
            resubmitted: false,
            cancelled: false,
        }
    }

    /// The state as a checkpoint.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The name of the step that it stands at, as the simulation counts them.
    #[doc(hidden)]
    #[must_use]
    pub const fn place(&self) -> &'static str {
        if self.lease.is_leaving() {
            return "give back";
        }
        match &self.state {
            State::Upload => self.upload.place(),
            State::Plan => "plan",
            State::Planning => "planning",
            State::AskUrl(_) => "ask url",
            State::Turn => self.lease.place(),
            State::Fresh => "fresh",
            State::AskFresh(_) => "ask fresh url",
            State::Mark(_) => "mark",
            State::Marking(_) => "marking",
            State::Submit(_) => "marked",
            State::Resume => "resume",
            State::Accepted(run) | State::Run(run) => run.place(),
            State::Failed(_) => "failed",
        }
    }

    fn ask_url(&mut self) -> std::result::Result<Call, Box<Error>> {
        self.urls = if self.upload.has_progressed() { 1 } else { self.urls + 1 };
        if self.urls > URLS {
            let error = Error::new(
                ErrorCode::Forbidden,
                format!("the storage refused {URLS} URLs one after another that the service had handed out"),
            );
            return Err(Box::new(error.hint(
                "The signature runs out too early, or something on the way changes the request. Check the clock of the \
                 relay or proxy.",
            )));
        }
        let request = actions::azure_write_url(&self.service, &blob_name(&self.checkpoint.execution_id));
        Ok(Call::new(&self.service, request, Repeat::Always))
    }

    fn watch(&self) -> Watch {
        let options = &self.options;
        Watch::new(options.poll, options.outcome_grace, Kind::Import, options.errors)
    }

    fn save(&mut self, stage: Stage) -> Step<RunOutcome> {
        self.checkpoint.stage = stage;
        Step::Save(Save::new(self.checkpoint.to_json()))
    }

    fn note_source(&mut self) {
        let (mark, ends) = self.upload.mark();
        self.checkpoint.source = Some(mark);
        self.checkpoint.source_ends = Some(ends);
    }

    /// Ends the job, but not before others may call again.
    fn fail(&mut self, error: Box<Error>) -> State {
        self.lease.give_back();
        State::Failed(error)
    }

    /// The service does not know the run, and the caller takes the risk of a second one.
    fn resubmit(&mut self) -> State {
        self.resubmitted = true;
        self.urls = 0;
        if self.upload.is_done() {
            return State::Turn;
        }
        if !self.has_source {
            return State::Failed(Box::new(source_required()));
        }
        self.upload = again(&self.service, &self.checkpoint, self.options.block);
        State::Upload
    }
}

impl Machine for Import {
    type Output = RunOutcome;

    fn next(&mut self, now: Timestamp) -> Step<RunOutcome> {
        loop {
            if self.lease.is_leaving()
                && let Polled::Io(io) = self.lease.next(now)
            {
                return io.into();
            }
            if self.cancelled {
                self.cancelled = false;
                self.state = self.fail(Box::new(aborted()));
                continue;
            }
            let over = State::Failed(Box::new(Error::argument("the driver called next out of turn")));
            match std::mem::replace(&mut self.state, over) {
                State::Upload => match self.upload.next(&self.session, now) {
                    UploadStep::Io(io) => {
                        self.state = State::Upload;
                        return io.into();
                    }
                    UploadStep::NeedUrl if self.checkpoint.source.is_none() => self.state = State::Plan,
                    UploadStep::NeedUrl => match self.ask_url() {
                        Ok(call) => self.state = State::AskUrl(call),
                        Err(error) => self.state = State::Failed(error),
                    },
                    UploadStep::Mark => self.state = State::Plan,
                    UploadStep::Done => {
                        self.note_source();
                        self.urls = 0;
                        self.state = State::Turn;
                    }
                    UploadStep::Failed(error) => self.state = State::Failed(error),
                },
                State::Plan => {
                    self.note_source();
                    self.state = State::Planning;
                    return self.save(Stage::Planned);
                }
                State::AskUrl(mut call) => match call.next(&self.session, now) {
                    Polled::Io(io) => {
                        self.state = State::AskUrl(call);
                        return io.into();
                    }
                    Polled::Ready(outcome) => match write_url(&self.service, outcome) {
                        Ok(url) => {
                            self.upload.set_url(url);
                            self.state = State::Upload;
                        }
                        Err(error) => self.state = State::Failed(error),
                    },
                },
                State::Turn => {
                    self.lease.want();
                    match self.lease.next(now) {
                        Polled::Io(io) => {
                            self.state = State::Turn;
                            return io.into();
                        }
                        Polled::Ready(Ok(())) => self.state = State::Fresh,
                        Polled::Ready(Err(error)) => self.state = self.fail(error),
                    }
                }
                State::Fresh => {
                    // A URL that is short-lived from the start, or by a clock that is wrong, is as good as it gets.
                    let least =
                        if self.freshened < URLS { now.plus(URL_MARGIN) } else { Timestamp::default() };
                    match self.upload.fresh_url(least) {
                        Some(url) => self.state = State::Mark(url),
                        None => {
                            self.freshened += 1;
                            match self.ask_url() {
                                Ok(call) => self.state = State::AskFresh(call),
                                Err(error) => self.state = self.fail(error),
                            }
                        }
                    }
                }
                State::AskFresh(mut call) => match call.next(&self.session, now) {
                    Polled::Io(io) => {
                        self.state = State::AskFresh(call);
                        return io.into();
                    }
                    Polled::Ready(outcome) => match write_url(&self.service, outcome) {
                        Ok(url) if self.upload.renew_url(&url) => self.state = State::Fresh,
                        // Another blob: it has to be filled first, and others may call meanwhile.
                        Ok(url) => {
                            self.lease.give_back();
                            self.upload.set_url(url);
                            self.state = State::Upload;
                        }
                        Err(error) => self.state = self.fail(error),
                    },
                },
                State::Mark(url) => {
                    self.state = State::Marking(url);
                    self.checkpoint.submitted_at = Some(now.as_millis());
                    return self.save(Stage::Submitting);
                }
                // Whoever slept since may have lost the right to call.
                State::Submit(_) if !self.lease.is_good(now) => self.state = State::Turn,
                State::Submit(url) => {
                    let call = ImportCall {
                        package_url: url.as_str(),
                        project: &self.checkpoint.project,
                        execution_id: &self.checkpoint.execution_id,
                        execute: self.checkpoint.execute.unwrap_or(true),
                        overwrite: self.checkpoint.overwrite.unwrap_or(true),
                        company: &self.checkpoint.company,
                    };
                    let request = actions::import_from_package(&self.service, &call);
                    let run =
                        Run::submit(&self.service, &self.checkpoint.execution_id, request, self.watch(), now);
                    self.state = State::Run(Box::new(run));
                    return Step::Emit(Event::Job { stage: "submit", status: None, progress: None });
                }
                State::Resume => {
                    let run = Run::resume(&self.service, &self.checkpoint, self.watch(), now);
                    self.state = State::Run(Box::new(run));
                }
                State::Accepted(run) => {
                    self.state = State::Run(run);
                    return self.save(Stage::Running);
                }
                State::Run(run) if self.lease.is_held() && !run.is_submitting() => {
                    self.lease.called();
                    self.lease.give_back();
                    self.state = State::Run(run);
                }
                State::Run(mut run) => match run.next(&self.session, now) {
                    RunStep::Io(io) => {
                        self.state = State::Run(run);
                        return io.into();
                    }
                    RunStep::Accepted => {
                        // Before the checkpoint: whoever resumes from it need not know of the lease.
                        if self.lease.is_held() {
                            self.lease.called();
                            self.lease.give_back();
                        }
                        self.state = State::Accepted(run);
                    }
                    RunStep::Ended(outcome) => return Step::Done(outcome),
                    RunStep::Failed(error) => {
                        let unknown = error.code == ErrorCode::OutcomeUnknown && !run.was_seen();
                        self.state = if unknown && self.options.resubmit && !self.resubmitted {
                            self.resubmit()
                        } else {
                            self.fail(Box::new(error))
                        };
                    }
                },
                State::Failed(error) => return Step::Failed(error),
                state @ (State::Planning | State::Marking(_)) => {
                    self.state = state;
                    let error = Error::argument("the driver called next before it handed over the outcome");
                    return Step::Failed(Box::new(error));
                }
            }
        }
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        if matches!(input, Input::Cancelled) && !self.has_call() {
            self.cancelled = true;
            return;
        }
        if self.lease.is_leaving() {
            self.lease.handle(input, now);
            return;
        }
        let over = State::Failed(Box::new(Error::argument("the driver handed over something unasked for")));
        self.state = match (std::mem::replace(&mut self.state, over), input) {
            (State::Upload, input) => {
                self.upload.handle(input, &mut self.session, now);
                State::Upload
            }
            // The plan is durable: from here on the execution id is known, whatever dies.
            (State::Planning, Input::Saved) => State::Upload,
            (State::Marking(url), Input::Saved) => State::Submit(url),
            (State::Planning | State::Marking(_), Input::SaveRefused(error)) => self.fail(error),
            (State::Turn, input) => {
                self.lease.handle(input, now);
                State::Turn
            }
            (State::AskUrl(mut call), input) => {
                call.handle(input, &mut self.session, now);
                State::AskUrl(call)
            }
            (State::AskFresh(mut call), input) => {
                call.handle(input, &mut self.session, now);
                State::AskFresh(call)
            }
            (State::Run(mut run), input) => {
                run.handle(input, &mut self.session, now);
                State::Run(run)
            }
            (state, _) => state,
        };
    }
}

impl Import {
    fn has_call(&self) -> bool {
        if self.lease.is_leaving() {
            return false;
        }
        match &self.state {
            State::AskUrl(_) | State::AskFresh(_) => true,
            State::Upload => self.upload.has_call(),
            State::Run(run) => !run.is_waiting(),
            _ => false,
        }
    }
}

/// An upload that must find the source as the checkpoint says.
fn again(service: &Service, checkpoint: &Checkpoint, block: u64) -> Upload {
    let whole = checkpoint.source_ends == Some(true);
    Upload::new(service, checkpoint.source, whole).with_blocks_of(block)
}

fn write_url(
    service: &Service,
    outcome: Result<Response, Failure>,
) -> std::result::Result<BlobUrl, Box<Error>> {
    let response = outcome.map_err(|failure| Box::new(failure.error))?;
    let text = inner_text(response.text().unwrap_or_default())?;
    Ok(BlobUrl::of_write_answer(service, &text)?)
}

fn source_required() -> Error {
    Error::new(ErrorCode::SourceRequired, "the package was not submitted yet")
        .hint("Hand over the same source again: resume(checkpoint, { source }).")
}

pub(super) fn aborted() -> Error {
    Error::new(ErrorCode::Aborted, "the caller gave up").hint(
        "A run that the service has begun goes on there; resume from the last checkpoint to watch it again.",
    )
}

fn check(options: &ImportOptions) -> Result<()> {
    check_project_name(&options.project)?;
    check_execution_id(&options.execution_id)?;
    Ok(())
}

pub(super) fn check_execution_id(id: &str) -> Result<()> {
    if id.trim().is_empty() || id.chars().any(char::is_control) {
        return Err(Error::argument("the execution id is empty or has control characters")
            .hint("Choose a unique one, for example project + UTC time + a random part."));
    }
    Ok(())
}

/// The blob's name: unique as the execution id is, so that a resumed job puts the same blob again.
fn blob_name(execution_id: &str) -> String {
    let safe: String = execution_id
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' })
        .take(160)
        .collect();
    format!("{safe}-{:08x}.zip", crc32(execution_id.as_bytes()))
}
