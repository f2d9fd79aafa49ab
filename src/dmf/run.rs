//! A run in the service: from the submission to the summary. A part of both jobs.

use std::time::Duration;

use super::actions;
use super::checkpoint::{Checkpoint, Kind, Stage};
use super::execution::{DETAIL_COLUMNS, Detail, EntityOutcome, ExecutionStatus, RunOutcome, row_errors};
use super::poll::{Polling, Schedule};
use crate::error::{Error, ErrorCode};
use crate::http::{
    Event, Failure, Input, Io, Polled, Progress, Repeat, Request, Response, Session, Timestamp, Unit,
};
use crate::odata::{Call, Service, inner_text, items_of, list_request, quote};

/// How long a run may stay unknown before it counts as lost, by default.
const OUTCOME_GRACE: Duration = Duration::from_secs(900);
/// A resumed job looks at least this long.
const LEAST_GRACE: Duration = Duration::from_secs(60);
/// The action itself threw (HTTP 500 with its reason): the run is looked for no longer than this.
const REFUSAL_GRACE: Duration = Duration::from_secs(60);

/// What the job does next for its run.
#[derive(Debug)]
pub(super) enum RunStep {
    Io(Io),
    /// The service has the run: worth a checkpoint.
    Accepted,
    Ended(RunOutcome),
    Failed(Error),
}

/// How a run is watched, and what is wanted of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    pub(super) polling: Polling,
    /// How long a run may stay unknown.
    pub(super) grace: Duration,
    pub(super) kind: Kind,
    /// Whether the reasons of failed rows are fetched.
    pub(super) wants_errors: bool,
}

impl Watch {
    /// `grace` in milliseconds; default 900,000.
    pub(super) fn new(polling: Polling, grace: Option<u64>, kind: Kind, wants_errors: bool) -> Self {
        let grace = grace.map_or(OUTCOME_GRACE, Duration::from_millis);
        Self { polling, grace, kind, wants_errors }
    }
}

/// One run under one execution id.
#[derive(Debug)]
pub(super) struct Run {
    service: Service,
    execution_id: String,
    watch: Watch,
    state: State,
    schedule: Schedule,
    since: Timestamp,
    seen: bool,
    status: ExecutionStatus,
    progress: u64,
    details: Vec<Detail>,
    told: Option<Event>,
}

#[derive(Debug)]
enum State {
    Submit(Call),
    /// The answer was lost: the run is looked for, by status and by its details in turn.
    Search {
        reason: Option<Error>,
        until: Timestamp,
        by_details: bool,
    },
    Searching {
        reason: Option<Error>,
        until: Timestamp,
        by_details: bool,
        call: Call,
    },
    Accepted,
    /// The checkpoint that says so is on its way.
    Noting,
    Wait,
    Status(Call),
    Details(Call),
    Errors(Call),
    Over,
}

impl Run {
    /// Submits. Called only right after the checkpoint that says so is durable.
    pub(super) fn submit(
        service: &Service,
        execution_id: &str,
        request: Request,
        watch: Watch,
        now: Timestamp,
    ) -> Self {
        let call = Call::new(service, request, Repeat::IfUnprocessed);
        Self::new(service, execution_id, State::Submit(call), watch, now)
    }

    /// Goes on where the checkpoint says: watches the run, or looks for it where the submission may have arrived.
    pub(super) fn resume(service: &Service, checkpoint: &Checkpoint, watch: Watch, now: Timestamp) -> Self {
        let state = match checkpoint.stage {
            Stage::Running => State::Wait,
            _ => {
                // The grace began with the submission; a record may appear a minute after a clock that jumped says that it is over.
                let began = checkpoint.submitted_at.map_or(now, Timestamp::from_millis).min(now);
                let until = began.plus(watch.grace).max(now.plus(LEAST_GRACE.min(watch.grace)));
                State::Search { reason: None, until, by_details: false }
            }
        };
        Self::new(service, &checkpoint.execution_id, state, watch, now)
    }

    fn new(service: &Service, execution_id: &str, state: State, watch: Watch, now: Timestamp) -> Self {
        Self {
            service: service.clone(),
            execution_id: execution_id.to_owned(),
            watch,
            state,
            schedule: Schedule::new(watch.polling, now),
            since: now,
            seen: false,
            status: ExecutionStatus::Unknown,
            progress: 0,
            details: Vec::new(),
            told: None,
        }
    }

    pub(super) fn next(&mut self, session: &Session, now: Timestamp) -> RunStep {
        loop {
            if let Some(event) = self.told.take() {
                return RunStep::Io(Io::Emit(event));
            }
            match std::mem::replace(&mut self.state, State::Over) {
                State::Submit(mut call) => match call.next(session, now) {
                    Polled::Io(io) => {
                        self.state = State::Submit(call);
                        return RunStep::Io(io);
                    }
                    Polled::Ready(Ok(response)) => self.submitted(&response),
                    Polled::Ready(Err(failure)) if failure.maybe_processed => self.lost(failure, now),
                    Polled::Ready(Err(failure)) => return RunStep::Failed(failure.error),
                },
                State::Search { reason, until, by_details } => {
                    if now < self.schedule.due() {
                        self.state = State::Search { reason, until, by_details };
                        return RunStep::Io(Io::Wait(self.schedule.due()));
                    }
                    let request = if by_details { self.details_request() } else { self.status_request() };
                    let call = Call::new(&self.service, request, Repeat::Always);
                    self.state = State::Searching { reason, until, by_details, call };
                }
                State::Searching { reason, until, by_details, mut call } => match call.next(session, now) {
                    Polled::Io(io) => {
                        self.state = State::Searching { reason, until, by_details, call };
                        return RunStep::Io(io);
                    }
                    Polled::Ready(Err(failure)) if failure.error.code == ErrorCode::Aborted => {
                        return RunStep::Failed(failure.error);
                    }
                    Polled::Ready(Err(failure)) if is_refusal_of_access(&failure.error) => {
                        return RunStep::Failed(failure.error);
                    }
                    Polled::Ready(outcome) => {
                        let found = self.found(outcome, by_details);
                        if matches!(found, Ok(true)) {
                            self.state = State::Accepted;
                            continue;
                        }
                        self.schedule.asked(now);
                        if now >= until {
                            // Only the service can say that it does not know the run; a network that is down says nothing.
                            return RunStep::Failed(found.err().unwrap_or_else(|| self.never_found(reason)));
                        }
                        self.state = State::Search { reason, until, by_details: !by_details };
                    }
                },
                State::Accepted => {
                    self.state = State::Noting;
                    self.since = now;
                    self.schedule = Schedule::new(self.watch.polling, now);
                    self.tell();
                    return RunStep::Accepted;
                }
                State::Wait => {
                    if now < self.schedule.due() {
                        self.state = State::Wait;
                        return RunStep::Io(Io::Wait(self.schedule.due()));
                    }
                    self.state =
                        State::Status(Call::new(&self.service, self.status_request(), Repeat::Always));
                }
                State::Status(mut call) => match call.next(session, now) {
                    Polled::Io(io) => {
                        self.state = State::Status(call);
                        return RunStep::Io(io);
                    }
                    Polled::Ready(outcome) => {
                        if let Err(error) = self.status_came(outcome, now) {
                            return RunStep::Failed(error);
                        }
                    }
                },
                State::Details(mut call) => match call.next(session, now) {
                    Polled::Io(io) => {
                        self.state = State::Details(call);
                        return RunStep::Io(io);
                    }
                    Polled::Ready(outcome) => {
                        if let Err(error) = self.details_came(outcome, now) {
                            return RunStep::Failed(error);
                        }
                        if matches!(self.state, State::Over) {
                            return self.ended(Vec::new());
                        }
                    }
                },
                State::Errors(mut call) => match call.next(session, now) {
                    Polled::Io(io) => {
                        self.state = State::Errors(call);
                        return RunStep::Io(io);
                    }
                    // Without its reasons a failed run is still a failed run.
                    Polled::Ready(outcome) => {
                        let text = outcome
                            .ok()
                            .and_then(|response| inner_text(response.text().unwrap_or_default()).ok());
                        return self.ended(row_errors(&text.unwrap_or_default()));
                    }
                },
                State::Noting | State::Over => {
                    return RunStep::Failed(Error::argument("the driver called next out of turn"));
                }
            }
        }
    }

    pub(super) fn handle(&mut self, input: Input, session: &mut Session, now: Timestamp) {
        match &mut self.state {
            State::Submit(call)
            | State::Searching { call, .. }
            | State::Status(call)
            | State::Details(call)
            | State::Errors(call) => call.handle(input, session, now),
            // Refused or not: the service runs it already, and a checkpoint that is one step old still finds it.
            State::Noting if matches!(input, Input::Saved | Input::SaveRefused(_)) => {
                self.state = State::Wait
            }
            State::Search { .. } | State::Accepted | State::Noting | State::Wait | State::Over => {}
        }
    }

    /// The name of the state.
    pub(super) const fn place(&self) -> &'static str {
        match &self.state {
            State::Submit(_) => "submit",
            State::Search { .. } => "search",
            State::Searching { .. } => "searching",
            State::Accepted => "accepted",
            State::Noting => "noting",
            State::Wait => "wait for run",
            State::Status(_) => "status",
            State::Details(_) => "details",
            State::Errors(_) => "errors",
            State::Over => "over",
        }
    }

    /// Whether the submission is still under way.
    pub(super) const fn is_submitting(&self) -> bool {
        matches!(self.state, State::Submit(_))
    }

    /// Whether the service knew the run at any time.
    pub(super) const fn was_seen(&self) -> bool {
        self.seen
    }

    /// Whether giving up can be left to the request under way.
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.state, State::Search { .. } | State::Accepted | State::Noting | State::Wait)
    }

    fn submitted(&mut self, response: &Response) {
        // The service answers with the id that it was given; should it choose another one, that is the run.
        if let Ok(id) = inner_text(response.text().unwrap_or_default())
            && !id.trim().is_empty()
        {
            self.execution_id = id;
        }
        self.state = State::Accepted;
    }

    fn lost(&mut self, failure: Failure, now: Timestamp) {
        let threw = failure.error.service.as_ref().is_some_and(|words| words.inner.is_some());
        let grace = if threw { self.watch.grace.min(REFUSAL_GRACE) } else { self.watch.grace };
        let reason = threw.then_some(failure.error);
        self.schedule = Schedule::new(self.watch.polling, now);
        self.state = State::Search { reason, until: now.plus(grace), by_details: false };
    }

    /// An answer proves that the run exists; a refusal proves nothing, for its record appears late. An error is no answer at all.
    fn found(&mut self, outcome: Result<Response, Failure>, by_details: bool) -> Result<bool, Error> {
        let response = match outcome {
            Ok(response) => response,
            Err(Failure { error, .. }) => {
                let refused = error.status.is_some_and(|status| status < 500 && status != 429);
                return if refused { Ok(false) } else { Err(error) };
            }
        };
        if by_details {
            return Ok(!items_of::<Detail>(&response)?.is_empty());
        }
        let status = ExecutionStatus::parse(&inner_text(response.text().unwrap_or_default())?);
        self.seen = status != ExecutionStatus::Unknown;
        Ok(self.seen)
    }

    fn never_found(&self, reason: Option<Error>) -> Error {
        reason.unwrap_or_else(|| {
            Error::new(
                ErrorCode::OutcomeUnknown,
                format!(
                    "no answer to the submission of {} came, and the service does not know the run after {} s",
                    self.execution_id,
                    self.watch.grace.as_secs()
                ),
            )
            .hint(
                "Look for the execution id in Data management > Job history. Only when it is not there, start a new job: \
                 the library never submits a second time by itself.",
            )
        })
    }

    fn status_came(&mut self, outcome: Result<Response, Failure>, now: Timestamp) -> Result<(), Error> {
        self.schedule.asked(now);
        let status = match outcome {
            Ok(response) => ExecutionStatus::parse(&inner_text(response.text().unwrap_or_default())?),
            // "Not found" right after the start means "not yet"; the text is translated, so the status alone counts.
            Err(failure) if failure.error.status == Some(400) => {
                if self.seen {
                    return Err(Error::new(
                        ErrorCode::OutcomeUnknown,
                        format!("the service has forgotten the run {}", self.execution_id),
                    )
                    .hint("Runs are cleaned up after about 7 days, or by an administrator."));
                }
                if now.since(self.since) > self.watch.grace {
                    return Err(self.never_found(None));
                }
                self.state = State::Wait;
                self.tell();
                return Ok(());
            }
            Err(failure) => return Err(failure.error),
        };
        self.seen |= status != ExecutionStatus::Unknown;
        if status != self.status {
            (self.status, self.since) = (status, now);
        }
        self.tell();
        // Counts are read at the end, and when a long silence asks whether rows still move.
        let silent = now.since(self.since) > self.watch.polling.stalled_after;
        self.state = if status.is_terminal() || silent {
            State::Details(Call::new(&self.service, self.details_request(), Repeat::Always))
        } else {
            State::Wait
        };
        Ok(())
    }

    fn details_came(&mut self, outcome: Result<Response, Failure>, now: Timestamp) -> Result<(), Error> {
        self.details = match outcome {
            Ok(response) => items_of(&response)?,
            Err(failure) => return Err(failure.error),
        };
        if !self.status.is_terminal() {
            let progress = self.details.iter().map(Detail::progress).sum();
            if progress <= self.progress {
                return Err(self.stalled());
            }
            (self.progress, self.since) = (progress, now);
            self.state = State::Wait;
            return Ok(());
        }
        let reasons = matches!(self.status, ExecutionStatus::PartiallySucceeded | ExecutionStatus::Failed);
        if reasons && self.watch.wants_errors {
            let request = actions::of_execution(&self.service, "GetExecutionErrors", &self.execution_id);
            self.state = State::Errors(Call::new(&self.service, request, Repeat::Always));
        }
        Ok(())
    }

    fn stalled(&self) -> Error {
        Error::new(
            ErrorCode::JobStalled,
            format!(
                "the run {} has been {} for {} s without any progress",
                self.execution_id,
                self.status.as_str(),
                self.watch.polling.stalled_after.as_secs()
            ),
        )
        .hint(
            "Check that the batch service runs, and that every entity of the data project has a mapping: an export line \
             without one stays Executing for ever.",
        )
    }

    fn ended(&mut self, mut errors: Vec<super::RowError>) -> RunStep {
        let into = match self.watch.kind {
            Kind::Export => Detail::into_export,
            Kind::Import => Detail::into_import,
        };
        let entities: Vec<EntityOutcome> = std::mem::take(&mut self.details).into_iter().map(into).collect();
        let mut failed_entities =
            entities.iter().filter(|entity| entity.errors.is_some_and(|errors| errors > 0));
        if let (Some(only), None) = (failed_entities.next(), failed_entities.next()) {
            for error in &mut errors {
                error.entity.clone_from(&only.entity);
            }
        }
        let rejected_count = entities.iter().filter_map(|entity| entity.errors).sum();
        let outcome = RunOutcome {
            execution_id: self.execution_id.clone(),
            status: self.status,
            entities,
            rejected_count,
            errors,
        };
        match self.status {
            ExecutionStatus::Failed => RunStep::Failed(failed(ErrorCode::JobFailed, &outcome)),
            ExecutionStatus::Canceled => RunStep::Failed(failed(ErrorCode::JobCanceled, &outcome)),
            _ => RunStep::Ended(outcome),
        }
    }

    fn tell(&mut self) {
        self.told = Some(Event::Job {
            stage: "running",
            status: Some(self.status.as_str()),
            progress: Some(Progress::new(self.schedule.asked, None, Unit::Polls)),
        });
    }

    fn status_request(&self) -> Request {
        actions::of_execution(&self.service, "GetExecutionSummaryStatus", &self.execution_id)
    }

    fn details_request(&self) -> Request {
        let filter = format!("JobId eq {}", quote(&self.execution_id));
        list_request(&self.service, "DataManagementExecutionJobDetails", &filter, DETAIL_COLUMNS)
    }
}

/// No amount of searching helps against a missing right.
fn is_refusal_of_access(error: &Error) -> bool {
    matches!(error.code, ErrorCode::AuthRejected | ErrorCode::AppNotRegistered | ErrorCode::Forbidden)
}

fn failed(code: ErrorCode, outcome: &RunOutcome) -> Error {
    let reason = outcome.errors.first().map(|error| match error.record_id.as_str() {
        "" => error.message.clone(),
        id => format!("{id}: {}", error.message),
    });
    let entities: Vec<&str> =
        outcome.entities.iter().filter(|e| e.errors != Some(0)).map(|e| e.entity.as_str()).collect();
    let message = match (code, reason) {
        (ErrorCode::JobCanceled, _) => {
            format!("the run {} was cancelled in the service", outcome.execution_id)
        }
        (_, Some(reason)) => format!("the run {} failed: {reason}", outcome.execution_id),
        (_, None) => format!("the run {} failed ({})", outcome.execution_id, entities.join(", ")),
    };
    let mut error = Error::new(code, message)
        .hint("Data management > Job history > this execution id shows the log of each entity.");
    // A struct of texts and numbers always becomes JSON.
    error.result = serde_json::to_value(outcome).ok().map(Box::new);
    error
}
