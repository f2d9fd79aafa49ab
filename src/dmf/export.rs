//! The export: have a package made, watch it, fetch it, and believe it only after a look inside.

use std::time::Duration;

use serde_json::Value;

use super::actions::{self, ExportCall};
use super::checkpoint::{Checkpoint, Kind, Stage};
use super::download::{Download, Fetched};
use super::execution::RunOutcome;
use super::import::{aborted, check_execution_id};
use super::lease::{Lease, Parallel};
use super::poll::{Polling, Schedule};
use super::project::check_project_name;
use super::run::{Run, RunStep, Watch};
use super::storage::BlobUrl;
use crate::error::{Error, ErrorCode, Result};
use crate::fields::{Fields, FromValue, deserialize};
use crate::http::{Event, Input, Machine, Polled, Progress, Repeat, Save, Session, Step, Timestamp, Unit};
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
    /// At most this many records of each entity; the marker of changed records does not move then (unverified).
    pub preview: Option<u64>,
    /// Which calls this one waits for. Default: all import and export calls of the environment.
    pub parallel: Parallel,
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
            parallel: of.read("parallel").unwrap_or_default(),
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
    download: Download,
    downloads: u32,
    /// URLs that gave nothing, one after another.
    renewals: u32,
    lease: Lease,
    cancelled: bool,
}

#[derive(Debug)]
enum State {
    Plan,
    Planning,
    /// The right to call is wanted.
    Turn,
    Mark,
    Marking,
    Submit,
    Resume,
    /// The service has the run, and others may call: worth a checkpoint.
    Accepted(Box<Run>),
    Run(Box<Run>),
    WaitUrl(RunOutcome),
    AskUrl(RunOutcome, Box<Call>),
    Download(RunOutcome),
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
        Ok(Self::with(service, options, checkpoint, State::Plan))
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
        let state = if checkpoint.stage == Stage::Planned { State::Turn } else { State::Resume };
        Ok(Self::with(service, options, checkpoint, state))
    }

    fn with(service: &Service, options: ExportOptions, checkpoint: Checkpoint, state: State) -> Self {
        let schedule = Schedule::new(options.poll, Timestamp::default());
        let lease = Lease::new(service, options.parallel, &checkpoint.project, &checkpoint.execution_id);
        Self {
            service: service.clone(),
            session: service.session(),
            options,
            checkpoint,
            state,
            schedule,
            url_until: None,
            download: Download::new(service),
            downloads: 0,
            renewals: 0,
            lease,
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
            State::Plan => "plan",
            State::Planning => "planning",
            State::Turn => self.lease.place(),
            State::Mark => "mark",
            State::Marking => "marking",
            State::Submit => "marked",
            State::Resume => "resume",
            State::Accepted(run) | State::Run(run) => run.place(),
            State::WaitUrl(_) => "wait for url",
            State::AskUrl(..) => "ask url",
            State::Download(_) => "download",
            State::Failed(_) => "failed",
        }
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
                self.download.set_url(url);
                State::Download(outcome)
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

    /// Ends the job, but not before others may call again.
    fn fail(&mut self, error: Box<Error>) -> State {
        self.lease.give_back();
        State::Failed(error)
    }

    /// Only a package that opens, has every file and the rows that the run counted is handed over.
    fn downloaded(&mut self, run: RunOutcome, bytes: Vec<u8>) -> Step<Exported> {
        let damage = match verify(&run, bytes) {
            Ok(bytes) => return Step::Done(Exported { run, bytes }),
            Err(error) => error,
        };
        self.downloads += 1;
        if self.downloads < DOWNLOADS {
            self.download = Download::new(&self.service);
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
                State::Plan => {
                    self.state = State::Planning;
                    return self.save(Stage::Planned);
                }
                State::Turn => {
                    self.lease.want();
                    match self.lease.next(now) {
                        Polled::Io(io) => {
                            self.state = State::Turn;
                            return io.into();
                        }
                        Polled::Ready(Ok(())) => self.state = State::Mark,
                        Polled::Ready(Err(error)) => self.state = self.fail(error),
                    }
                }
                State::Mark => {
                    self.state = State::Marking;
                    self.checkpoint.submitted_at = Some(now.as_millis());
                    return self.save(Stage::Submitting);
                }
                // Whoever slept since may have lost the right to call.
                State::Submit if !self.lease.is_good(now) => self.state = State::Turn,
                State::Submit => {
                    let id = &self.checkpoint.execution_id;
                    let call = ExportCall {
                        project: &self.checkpoint.project,
                        package_name: self.checkpoint.package_name.as_deref().unwrap_or(id),
                        execution_id: id,
                        company: &self.checkpoint.company,
                        preview: self.options.preview,
                    };
                    let request = actions::export_to_package(&self.service, &call);
                    let run = Run::submit(&self.service, id, request, self.watch(), now);
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
                    RunStep::Ended(outcome) => {
                        self.schedule = Schedule::new(self.options.poll, now);
                        self.url_until = Some(now.plus(URL_GRACE));
                        self.state = State::WaitUrl(outcome);
                    }
                    RunStep::Failed(error) => self.state = self.fail(Box::new(error)),
                },
                State::WaitUrl(outcome) => {
                    if now < self.schedule.due() {
                        self.state = State::WaitUrl(outcome);
                        return Step::Wait(self.schedule.due());
                    }
                    let request =
                        actions::of_execution(&self.service, "GetExportedPackageUrl", &outcome.execution_id);
                    let call = Call::new(&self.service, request, Repeat::Always);
                    self.state = State::AskUrl(outcome, Box::new(call));
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
                State::Download(outcome) => match self.download.next(&self.session, now) {
                    Fetched::Io(io) => {
                        self.state = State::Download(outcome);
                        return io.into();
                    }
                    Fetched::Progress { done, total } => {
                        self.renewals = 0;
                        self.state = State::Download(outcome);
                        let progress = Some(Progress::new(done, total, Unit::Bytes));
                        return Step::Emit(Event::Job { stage: "download", status: None, progress });
                    }
                    // The URL is short-lived, the package is not.
                    Fetched::NeedUrl if self.renewals < DOWNLOADS => {
                        self.renewals += 1;
                        self.state = State::WaitUrl(outcome);
                    }
                    Fetched::NeedUrl => return Step::Failed(Box::new(no_url_works(&outcome))),
                    Fetched::Whole(bytes) => return self.downloaded(outcome, bytes),
                    Fetched::Failed(error) => return Step::Failed(error),
                },
                State::Failed(error) => return Step::Failed(error),
                state @ (State::Planning | State::Marking) => {
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
            (State::Planning, Input::Saved) => State::Turn,
            (State::Turn, input) => {
                self.lease.handle(input, now);
                State::Turn
            }
            (State::Marking, Input::Saved) => State::Submit,
            (State::Planning | State::Marking, Input::SaveRefused(error)) => self.fail(error),
            (State::Run(mut run), input) => {
                run.handle(input, &mut self.session, now);
                State::Run(run)
            }
            (State::AskUrl(outcome, mut call), input) => {
                call.handle(input, &mut self.session, now);
                State::AskUrl(outcome, call)
            }
            (State::Download(outcome), input) => {
                self.download.handle(input, &mut self.session, now);
                State::Download(outcome)
            }
            (state, _) => state,
        };
    }
}

impl Export {
    fn has_call(&self) -> bool {
        if self.lease.is_leaving() {
            return false;
        }
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
    if options.preview == Some(0) {
        return Err(Error::argument("a preview of 0 records would be all of them")
            .hint("Leave out `preview` to export everything."));
    }
    Ok(())
}

fn no_url_works(run: &RunOutcome) -> Error {
    Error::new(
        ErrorCode::Forbidden,
        format!("the package of the run {} could not be fetched by {DOWNLOADS} URLs one after another", run.execution_id),
    )
    .hint("The signature runs out too early, or something on the way changes the request. Resume the job to try again.")
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
