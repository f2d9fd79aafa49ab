//! The export: have a package made, watch it, fetch it, and believe it only after a look inside.

use std::time::Duration;

use serde_json::Value;

use super::actions;
use super::checkpoint::{Checkpoint, Kind, Stage};
use super::execution::RunOutcome;
use super::import::{aborted, check_execution_id, check_parallel};
use super::poll::{Polling, Schedule};
use super::project::check_project_name;
use super::run::{Run, RunStep, Watch};
use super::storage::BlobUrl;
use crate::error::{Error, ErrorCode, Result};
use crate::fields::{Fields, FromValue, deserialize};
use crate::http::{Event, Input, Machine, Polled, Repeat, Save, Session, Step, Timestamp};
use crate::odata::{Call, Service, inner_text};
use crate::package::{Limits, LocalPackage};

/// A package that can't be read, or a URL that expired, is fetched anew this often.
const DOWNLOADS: u32 = 3;
/// How long a run that ended well may keep back the URL of its package.
const URL_GRACE: Duration = Duration::from_secs(600);

/// What an export is asked for; the spelling of the public API.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ExportOptions {
    /// Data project that runs.
    pub project: String,
    /// Company of the rows; default: the client's.
    pub company: Option<String>,
    /// Unique id of the run.
    pub execution_id: String,
    /// Name of the package; default: the execution id.
    pub package_name: Option<String>,
    /// How the run is watched.
    pub poll: Polling,
    /// Milliseconds to look for a run whose submission got no answer. Default 900,000.
    pub outcome_grace: Option<u64>,
    /// Not available yet.
    pub preview: Option<u64>,
    /// Not available yet but for `environment`.
    pub parallel: Option<String>,
}

deserialize!(ExportOptions);

impl FromValue for ExportOptions {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let options = Self {
            project: of.required("project", Fields::text),
            company: of.text("company"),
            execution_id: of.required("executionId", Fields::text),
            package_name: of.text("packageName"),
            poll: of.not_null("poll").read("poll").unwrap_or_default(),
            outcome_grace: of.number("outcomeGrace"),
            preview: of.number("preview"),
            parallel: of.text("parallel"),
        };
        of.finish(options)
    }
}

/// A package that was fetched whole and counted.
#[derive(Debug)]
#[non_exhaustive]
pub struct Exported {
    /// How the run ended.
    pub run: RunOutcome,
    /// The package as it came.
    pub bytes: Vec<u8>,
}

/// An export as a conversation.
#[derive(Debug)]
pub struct Export {
    service: Service,
    session: Session,
    options: ExportOptions,
    checkpoint: Checkpoint,
    state: State,
    schedule: Schedule,
    url_until: Option<Timestamp>,
    downloads: u32,
    cancelled: bool,
}

#[derive(Debug)]
enum State {
    Mark,
    Marking,
    Submit,
    Resume,
    Run(Box<Run>),
    WaitUrl(RunOutcome),
    AskUrl(RunOutcome, Call),
    Download(RunOutcome, Call),
    Failed(Box<Error>),
}

impl Export {
    /// A job that has not begun.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for options that can't be meant or are not available yet.
    pub fn new(service: &Service, options: ExportOptions) -> Result<Self> {
        check(&options)?;
        let company = options.company.clone().or_else(|| service.company.clone()).ok_or_else(|| {
            Error::argument("an export needs a company").hint(
                "Set `company` of the export or of the client; for shared entities any company will do.",
            )
        })?;
        let mut checkpoint =
            Checkpoint::new(service, Kind::Export, &options.execution_id, &options.project, &company);
        checkpoint.package_name =
            Some(options.package_name.clone().unwrap_or_else(|| options.execution_id.clone()));
        Ok(Self::with(service, options, checkpoint, State::Mark))
    }

    /// A job that goes on where the checkpoint says.
    ///
    /// # Errors
    /// `CHECKPOINT_INVALID`.
    pub fn resume(service: &Service, checkpoint: Checkpoint, mut options: ExportOptions) -> Result<Self> {
        checkpoint.expect(Kind::Export)?;
        options.project.clone_from(&checkpoint.project);
        options.execution_id.clone_from(&checkpoint.execution_id);
        check(&options)?;
        let state = if checkpoint.stage == Stage::Planned { State::Mark } else { State::Resume };
        Ok(Self::with(service, options, checkpoint, state))
    }

    fn with(service: &Service, options: ExportOptions, checkpoint: Checkpoint, state: State) -> Self {
        let schedule = Schedule::new(options.poll, Timestamp::default());
        Self {
            service: service.clone(),
            session: service.session(),
            options,
            checkpoint,
            state,
            schedule,
            url_until: None,
            downloads: 0,
            cancelled: false,
        }
    }

    /// The state as a checkpoint.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    fn watch(&self) -> Watch {
        let options = &self.options;
        Watch::new(options.poll, options.outcome_grace, Kind::Export, true)
    }

    fn save(&mut self, stage: Stage) -> Step<Exported> {
        self.checkpoint.stage = stage;
        Step::Save(Save::new(self.checkpoint.to_json()))
    }

    /// The URL came, or not yet.
    fn url_came(&mut self, outcome: RunOutcome, text: Result<String>, now: Timestamp) -> State {
        self.schedule.asked(now);
        match text.and_then(|text| BlobUrl::of_read_answer(&self.service, text)) {
            Err(error) => State::Failed(Box::new(error)),
            Ok(Some(url)) => {
                self.downloads += 1;
                let call = Call::new(&self.service, url.get(&self.service), Repeat::Always);
                State::Download(outcome, call)
            }
            Ok(None) if self.url_until.is_some_and(|until| now > until) => {
                let error = Error::new(
                    ErrorCode::JobStalled,
                    format!("the run {} ended well, but its package does not appear", outcome.execution_id),
                );
                State::Failed(Box::new(
                    error.hint("Look into Data management > Job history, and download it there."),
                ))
            }
            Ok(None) => State::WaitUrl(outcome),
        }
    }

    /// Only a package that opens, has every file and the rows that the run counted is handed over.
    fn downloaded(&mut self, run: RunOutcome, bytes: Vec<u8>) -> Step<Exported> {
        let damage = match verify(&run, bytes) {
            Ok(bytes) => return Step::Done(Exported { run, bytes }),
            Err(error) => error,
        };
        if self.downloads < DOWNLOADS {
            self.state = State::WaitUrl(run);
            return Step::Emit(Event::Job { stage: "download", status: None, progress: None });
        }
        Step::Failed(Box::new(damage))
    }
}

impl Machine for Export {
    type Output = Exported;

    fn next(&mut self, now: Timestamp) -> Step<Exported> {
        loop {
            if self.cancelled {
                return Step::Failed(Box::new(aborted()));
            }
            let over = State::Failed(Box::new(Error::argument("the driver called next out of turn")));
            match std::mem::replace(&mut self.state, over) {
                State::Mark => {
                    self.state = State::Marking;
                    return self.save(Stage::Submitting);
                }
                State::Submit => {
                    let (id, project) = (&self.checkpoint.execution_id, &self.checkpoint.project);
                    let name = self.checkpoint.package_name.as_deref().unwrap_or(id);
                    let request = actions::export_to_package(
                        &self.service,
                        project,
                        name,
                        id,
                        &self.checkpoint.company,
                    );
                    let run = Run::submit(&self.service, id, request, self.watch(), now);
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
                    RunStep::Ended(outcome) => {
                        self.schedule = Schedule::new(self.options.poll, now);
                        self.url_until = Some(now.plus(URL_GRACE));
                        self.state = State::WaitUrl(outcome);
                    }
                    RunStep::Failed(error) => return Step::Failed(Box::new(error)),
                },
                State::WaitUrl(outcome) => {
                    if now < self.schedule.due() {
                        self.state = State::WaitUrl(outcome);
                        return Step::Wait(self.schedule.due());
                    }
                    let request =
                        actions::of_execution(&self.service, "GetExportedPackageUrl", &outcome.execution_id);
                    let call = Call::new(&self.service, request, Repeat::Always);
                    self.state = State::AskUrl(outcome, call);
                }
                State::AskUrl(outcome, mut call) => match call.next(&self.session, now) {
                    Polled::Io(io) => {
                        self.state = State::AskUrl(outcome, call);
                        return io.into();
                    }
                    Polled::Ready(answer) => {
                        let text = answer
                            .map_err(|failure| failure.error)
                            .and_then(|response| inner_text(response.text().unwrap_or_default()));
                        self.state = self.url_came(outcome, text, now);
                    }
                },
                State::Download(outcome, mut call) => match call.next(&self.session, now) {
                    Polled::Io(io) => {
                        self.state = State::Download(outcome, call);
                        return io.into();
                    }
                    Polled::Ready(Ok(response)) => return self.downloaded(outcome, response.body),
                    // The signature ran out: the URL is short-lived, the package is not.
                    Polled::Ready(Err(failure))
                        if failure.error.code == ErrorCode::Forbidden && self.downloads < DOWNLOADS =>
                    {
                        self.state = State::WaitUrl(outcome);
                    }
                    Polled::Ready(Err(failure)) => return Step::Failed(Box::new(failure.error)),
                },
                State::Failed(error) => return Step::Failed(error),
                state @ State::Marking => {
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
            (State::Marking, Input::Saved) => State::Submit,
            (State::Marking, Input::SaveRefused(error)) => State::Failed(error),
            (State::Run(mut run), input) => {
                run.handle(input, &mut self.session, now);
                State::Run(run)
            }
            (State::AskUrl(outcome, mut call), input) => {
                call.handle(input, &mut self.session, now);
                State::AskUrl(outcome, call)
            }
            (State::Download(outcome, mut call), input) => {
                call.handle(input, &mut self.session, now);
                State::Download(outcome, call)
            }
            (state, _) => state,
        };
    }
}

impl Export {
    fn has_call(&self) -> bool {
        match &self.state {
            State::AskUrl(..) | State::Download(..) => true,
            State::Run(run) => !run.is_waiting(),
            _ => false,
        }
    }
}

fn check(options: &ExportOptions) -> Result<()> {
    check_project_name(&options.project)?;
    check_execution_id(&options.execution_id)?;
    if options.preview.is_some() {
        return Err(Error::argument("preview is not available yet"));
    }
    check_parallel(options.parallel.as_deref())
}

/// Hands the bytes back when the package holds what the run counted.
fn verify(run: &RunOutcome, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let package = LocalPackage::open(bytes, Limits::default())?;
    for (index, entity) in package.entities().iter().enumerate() {
        let counted = run.entities.iter().find(|outcome| outcome.entity == entity.entity);
        let Some(expected) = counted.and_then(|outcome| outcome.staged) else { continue };
        // A format that this version can't read is handed over uncounted.
        let Ok(rows) = package.count_rows(index) else { continue };
        if rows != expected {
            return Err(Error::new(
                ErrorCode::PackageCorrupt,
                format!("the run counted {expected} rows of {}, the package holds {rows}", entity.entity),
            )
            .in_entity(entity.entity.clone())
            .hint("The download may be incomplete. Resume the job from its checkpoint to fetch it again."));
        }
    }
    for outcome in &run.entities {
        let there = package.entities().iter().any(|entity| entity.entity == outcome.entity);
        if !there && outcome.staged.is_some_and(|rows| rows > 0) {
            return Err(Error::new(
                ErrorCode::PackageCorrupt,
                format!("the run counted rows of {}, the package does not have it", outcome.entity),
            )
            .in_entity(outcome.entity.clone()));
        }
    }
    Ok(package.into_source())
}
