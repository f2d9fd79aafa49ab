//! The import: upload a package, have it imported, watch it to its end.

use std::time::Duration;

use serde_json::Value;

use super::actions::{self, ImportCall};
use super::checkpoint::{Checkpoint, Kind, SourceMark, Stage};
use super::execution::RunOutcome;
use super::poll::Polling;
use super::project::check_project_name;
use super::run::{Run, RunStep, Watch};
use super::storage::BlobUrl;
use crate::error::{Error, ErrorCode, Result};
use crate::fields::{Fields, FromValue, deserialize};
use crate::http::{Event, Input, Machine, Polled, Progress, Repeat, Save, Session, Step, Timestamp, Unit};
use crate::odata::{Call, Service, inner_text};
use crate::package::crc32;

/// Expired upload URLs are replaced this often before the job gives up.
const URLS: u32 = 3;
/// The service reads the blob while it handles the submission: the URL must live at least this much longer.
const URL_MARGIN: Duration = Duration::from_secs(120);

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
    /// Not available yet.
    pub resubmit: bool,
    /// Not available yet but for `environment`.
    pub parallel: Option<String>,
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
            parallel: of.text("parallel"),
        };
        of.finish(options)
    }
}

/// An import as a conversation. Its source is read through [`Step::Read`].
#[derive(Debug)]
pub struct Import {
    service: Service,
    session: Session,
    options: ImportOptions,
    checkpoint: Checkpoint,
    source: Option<SourceMark>,
    state: State,
    urls: u32,
    cancelled: bool,
}

#[derive(Debug)]
enum State {
    /// The first checkpoint.
    Plan,
    Planning,
    AskUrl(Call),
    Read(BlobUrl),
    Reading(BlobUrl),
    Put(BlobUrl, Call),
    Mark(BlobUrl),
    Marking(BlobUrl),
    Submit(BlobUrl),
    /// Resumed: the submission may have left before.
    Resume,
    Run(Box<Run>),
    Failed(Box<Error>),
}

impl Import {
    /// A job that has not begun.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for options that can't be meant or are not available yet.
    pub fn new(service: &Service, options: ImportOptions, source: SourceMark) -> Result<Self> {
        check(&options)?;
        let company = options.company.clone().or_else(|| service.company.clone()).ok_or_else(|| {
            Error::argument("an import needs a company").hint("Set `company` of the import or of the client.")
        })?;
        let mut checkpoint =
            Checkpoint::new(service, Kind::Import, &options.execution_id, &options.project, &company);
        checkpoint.execute = Some(options.execute);
        checkpoint.overwrite = Some(options.overwrite);
        checkpoint.source = Some(source);
        Ok(Self::with(service, options, checkpoint, Some(source), State::Plan))
    }

    /// A job that goes on where the checkpoint says. Before the submission it needs the same source again.
    ///
    /// # Errors
    /// `CHECKPOINT_INVALID`, `SOURCE_REQUIRED`, `SOURCE_CHANGED`.
    pub fn resume(
        service: &Service,
        checkpoint: Checkpoint,
        mut options: ImportOptions,
        source: Option<SourceMark>,
    ) -> Result<Self> {
        checkpoint.expect(Kind::Import)?;
        options.project.clone_from(&checkpoint.project);
        options.execution_id.clone_from(&checkpoint.execution_id);
        check(&options)?;
        let state = match checkpoint.stage {
            Stage::Planned => match (source, checkpoint.source) {
                (None, _) => {
                    return Err(Error::new(ErrorCode::SourceRequired, "the package was not submitted yet")
                        .hint("Hand over the same source again: resume(checkpoint, { source })."));
                }
                (Some(now), Some(then)) if now != then => {
                    return Err(Error::new(
                        ErrorCode::SourceChanged,
                        format!(
                            "the job began with {} bytes, now there are {} or other ones",
                            then.bytes, now.bytes
                        ),
                    )
                    .hint("Hand over the package as it was, or start a new job."));
                }
                _ => State::Plan,
            },
            Stage::Submitting | Stage::Running => State::Resume,
        };
        Ok(Self::with(service, options, checkpoint, source, state))
    }

    fn with(
        service: &Service,
        options: ImportOptions,
        checkpoint: Checkpoint,
        source: Option<SourceMark>,
        state: State,
    ) -> Self {
        let session = service.session();
        Self {
            service: service.clone(),
            session,
            options,
            checkpoint,
            source,
            state,
            urls: 0,
            cancelled: false,
        }
    }

    /// The state as a checkpoint.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    fn ask_url(&mut self) -> State {
        self.urls += 1;
        let request = actions::azure_write_url(&self.service, &blob_name(&self.checkpoint.execution_id));
        State::AskUrl(Call::new(&self.service, request, Repeat::Always))
    }

    fn watch(&self) -> Watch {
        let options = &self.options;
        Watch::new(options.poll, options.outcome_grace, Kind::Import, options.errors)
    }

    fn save(&mut self, stage: Stage) -> Step<RunOutcome> {
        self.checkpoint.stage = stage;
        Step::Save(Save::new(self.checkpoint.to_json()))
    }

    fn put_answered(
        &mut self,
        url: BlobUrl,
        outcome: Result<crate::http::Response, crate::http::Failure>,
    ) -> State {
        match outcome {
            Ok(_) => State::Mark(url),
            // The signature ran out during the upload: nothing refers to the blob yet, so it is simply put again.
            Err(failure) if failure.error.code == ErrorCode::Forbidden && self.urls < URLS => self.ask_url(),
            Err(failure) => State::Failed(Box::new(failure.error)),
        }
    }
}

impl Machine for Import {
    type Output = RunOutcome;

    fn next(&mut self, now: Timestamp) -> Step<RunOutcome> {
        loop {
            if self.cancelled {
                return Step::Failed(Box::new(aborted()));
            }
            let over = State::Failed(Box::new(Error::argument("the driver called next out of turn")));
            match std::mem::replace(&mut self.state, over) {
                State::Plan => {
                    self.state = State::Planning;
                    return self.save(Stage::Planned);
                }
                State::AskUrl(mut call) => match call.next(&self.session, now) {
                    Polled::Io(io) => {
                        self.state = State::AskUrl(call);
                        return io.into();
                    }
                    Polled::Ready(outcome) => {
                        let url = outcome.map_err(|failure| failure.error).and_then(|response| {
                            let text = inner_text(response.text().unwrap_or_default())?;
                            BlobUrl::of_write_answer(&self.service, &text)
                        });
                        self.state = match url {
                            Ok(url) => State::Read(url),
                            Err(error) => State::Failed(Box::new(error)),
                        };
                    }
                },
                State::Read(url) => {
                    self.state = State::Reading(url);
                    return Step::Read(0..self.source.map_or(0, |source| source.bytes));
                }
                State::Put(url, mut call) => match call.next(&self.session, now) {
                    Polled::Io(io) => {
                        self.state = State::Put(url, call);
                        return io.into();
                    }
                    Polled::Ready(outcome) => {
                        self.state = self.put_answered(url, outcome);
                        let total = self.source.map_or(0, |source| source.bytes);
                        let progress = Progress::new(total, Some(total), Unit::Bytes);
                        if matches!(self.state, State::Mark(_)) {
                            return Step::Emit(Event::Job {
                                stage: "upload",
                                status: None,
                                progress: Some(progress),
                            });
                        }
                    }
                },
                State::Mark(url) => {
                    // An URL that dies while the service unpacks would fail a run that can't be submitted again.
                    let dying = url.expires().is_some_and(|end| end < now.plus(URL_MARGIN));
                    if dying && self.urls < URLS {
                        self.state = self.ask_url();
                        continue;
                    }
                    self.state = State::Marking(url);
                    return self.save(Stage::Submitting);
                }
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
                State::Run(mut run) => match run.next(&self.session, now) {
                    RunStep::Io(io) => {
                        self.state = State::Run(run);
                        return io.into();
                    }
                    RunStep::Accepted => {
                        self.state = State::Run(run);
                        return self.save(Stage::Running);
                    }
                    RunStep::Ended(outcome) => return Step::Done(outcome),
                    RunStep::Failed(error) => return Step::Failed(Box::new(error)),
                },
                State::Failed(error) => return Step::Failed(error),
                state @ (State::Planning | State::Reading(_) | State::Marking(_)) => {
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
        let over = State::Failed(Box::new(Error::argument("the driver handed over something unasked for")));
        self.state = match (std::mem::replace(&mut self.state, over), input) {
            (State::Planning, Input::Saved) => {
                // The plan is durable: from here on the execution id is known, whatever dies.
                self.ask_url()
            }
            (State::Marking(url), Input::Saved) => State::Submit(url),
            (State::Planning | State::Marking(_), Input::SaveRefused(error)) => State::Failed(error),
            (State::Reading(url), Input::Bytes(bytes)) => {
                if Some(SourceMark::of(&bytes)) == self.checkpoint.source {
                    let request = url.put(&self.service, bytes);
                    let call = Call::new(&self.service, request, Repeat::Always);
                    State::Put(url, call)
                } else {
                    State::Failed(Box::new(Error::new(
                        ErrorCode::SourceChanged,
                        "the source is not the one that the job began with",
                    )))
                }
            }
            (State::AskUrl(mut call), input) => {
                call.handle(input, &mut self.session, now);
                State::AskUrl(call)
            }
            (State::Put(url, mut call), input) => {
                call.handle(input, &mut self.session, now);
                State::Put(url, call)
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
        match &self.state {
            State::AskUrl(_) | State::Put(..) => true,
            State::Run(run) => !run.is_waiting(),
            _ => false,
        }
    }
}

pub(super) fn aborted() -> Error {
    Error::new(ErrorCode::Aborted, "the caller gave up").hint(
        "A run that the service has begun goes on there; resume from the last checkpoint to watch it again.",
    )
}

fn check(options: &ImportOptions) -> Result<()> {
    check_project_name(&options.project)?;
    check_execution_id(&options.execution_id)?;
    if options.resubmit {
        return Err(Error::argument("resubmit is not available yet")
            .hint("After OUTCOME_UNKNOWN look into the job history, then start a new job."));
    }
    check_parallel(options.parallel.as_deref())
}

pub(super) fn check_parallel(parallel: Option<&str>) -> Result<()> {
    match parallel {
        None | Some("environment") => Ok(()),
        Some(other) => Err(Error::argument(format!("parallel: \"{other}\" is not available yet"))
            .hint("Import and export calls go one at a time.")),
    }
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
