//! Sees that a data project is there as the host wants it, and touches nothing else of it.
//!
//! # If the process dies
//!
//! Nothing is kept between two calls: each looks first, then does what is missing. So after any step the same call again ends at the
//! same project.
//!
//! | after | what the next call finds and does |
//! |---|---|
//! | the looks (change tracking, project, lines) | nothing has changed |
//! | the creation, answered or not | a project without lines: the lines are made |
//! | the correction of the project | the lines are looked at |
//! | one line was made or corrected | the others |
//! | one further line was deleted (`exact`) | the others |
//!
//! A half-made project exports or imports what it has; so run it after `ensure` has returned. What `changed` tells is what this call
//! did, not the one that died.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::project::{DataProject, Refresh};
use super::projects::{LINES, PROJECTS, by_name, is_absent, line_by_key, record};
use super::sequence::places;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{
    Failure, Input, Machine, Method, Polled, Repeat, Request, Response, Session, Step, Timestamp,
};
use crate::odata::{Call, Service, items_of, list_request, quote};

/// Adding lines makes them collide in the service now and then (field report).
const CONFLICT_PAUSE: Duration = Duration::from_secs(5);
const CONFLICTS: u32 = 3;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Ensured {
    /// Whether the project was not there before.
    pub created: bool,
    /// What was changed: `project`, `description`, `projectcategory`, `Vendors V2` (made), `Vendors V2.DefaultRefreshType`,
    /// `Sites V2 (deleted)`.
    pub changed: Vec<String>,
}

/// The conversation. Each of its requests may be repeated by a new conversation: it looks first, then changes.
#[derive(Debug)]
pub struct Ensure {
    service: Service,
    session: Session,
    project: DataProject,
    state: State,
    done: Ensured,
    /// Line at work.
    line: usize,
    known: Vec<Map<String, Value>>,
    /// A line was written since `known` was listed.
    stale: bool,
    conflicts: u32,
    /// The service refused to skip staging for this line.
    keep_staging: bool,
    /// Further lines are deleted.
    exact: bool,
    /// The answer to the creation of the project, or of this line, was lost.
    lost: bool,
    cancelled: bool,
}

#[derive(Debug)]
enum State {
    /// Is change tracking on for the next incremental line?
    Tracking(usize),
    AskTracking(usize, Call),
    Look,
    Looking(Call),
    Create,
    Creating(Call),
    Correct(Map<String, Value>),
    Correcting(Vec<String>, Call),
    ListLines,
    ListingLines(Call),
    Line,
    WritingLine(Vec<String>, Call),
    Deleting(String, Call),
    /// Then the project is looked at again, or its lines are.
    Pause(Timestamp, bool),
    Check,
    Checking(Call),
    Failed(Box<Error>),
}

impl Ensure {
    /// A conversation about this project.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a project that the service can't run. From the conversation: `CONFLICT` where a project of that name has
    /// the other operation type, or where the service reports an update conflict 4 times, 5 s apart; `UNKNOWN_ENTITY` and
    /// `VALIDATION_FAILED` for an incremental line whose entity is not there or not tracked, before anything is made;
    /// `VALIDATION_FAILED` for a line without a valid mapping.
    pub fn new(service: &Service, project: DataProject, exact: bool) -> Result<Self> {
        project.check()?;
        Ok(Self {
            service: service.clone(),
            session: service.session(),
            project,
            state: State::Tracking(0),
            done: Ensured::default(),
            line: 0,
            known: Vec::new(),
            stale: false,
            conflicts: 0,
            keep_staging: false,
            exact,
            lost: false,
            cancelled: false,
        })
    }

    fn call(&self, request: Request, repeat: Repeat) -> Call {
        Call::new(&self.service, request, repeat)
    }

    fn label(&self, index: usize) -> String {
        self.project
            .entities
            .get(index)
            .map_or_else(String::new, |line| line.label(self.service.catalog()).to_owned())
    }

    /// The line as the service listed it.
    fn stored(&self, label: &str) -> Option<&Map<String, Value>> {
        self.known.iter().find(|row| row.get("EntityName").and_then(Value::as_str) == Some(label))
    }

    fn tracking(&self, from: usize) -> State {
        let next = self
            .project
            .entities
            .iter()
            .enumerate()
            .skip(from)
            .find(|(_, line)| line.refresh == Some(Refresh::IncrementalPush));
        let Some((index, _)) = next else { return State::Look };
        let filter = format!("EntityName eq {}", quote(&self.label(index)));
        let request =
            list_request(&self.service, "DataManagementEntities", &filter, "EntityName,ChangeTrackingType");
        State::AskTracking(index, self.call(request, Repeat::Always))
    }

    fn tracking_came(&self, index: usize, outcome: Result<Response, Failure>) -> Result<State> {
        let label = self.label(index);
        let rows: Vec<Map<String, Value>> = items_of(&outcome.map_err(|failure| failure.error)?)?;
        let Some(row) = rows.first() else {
            return Err(Error::new(
                ErrorCode::UnknownEntity,
                format!("data management knows no entity \"{label}\""),
            )
            .in_entity(label)
            .hint(
                "The label is meant, in the language of the service user. Refresh the entity list under Data management > \
                 Framework parameters > Entity settings.",
            ));
        };
        let kind = row.get("ChangeTrackingType").and_then(Value::as_str);
        if kind.is_none_or(|kind| kind == "None" || kind.is_empty()) {
            return Err(Error::new(
                ErrorCode::ValidationFailed,
                format!("change tracking is off for \"{label}\": every export of it would be a full one"),
            )
            .in_entity(label)
            .hint(
                "Switch it on under Data management > Data entities > Change tracking (Enable primary table or Enable \
                 entire entity), or use FullPush.",
            ));
        }
        Ok(State::Tracking(index + 1))
    }

    fn project_came(&mut self, outcome: Result<Response, Failure>) -> Result<State> {
        let response = match outcome {
            Ok(response) => response,
            Err(failure) if is_absent(failure.error.status) => return Ok(State::Create),
            Err(failure) => return Err(failure.error),
        };
        let stored = record(&response)?;
        let text = |name: &str| stored.get(name).and_then(Value::as_str).unwrap_or_default();
        let (is, wanted) = (text("OperationType"), self.project.operation.as_str());
        if is != wanted {
            return Err(Error::new(
                ErrorCode::Conflict,
                format!(
                    "the data project {} exists already, for {is} and not for {wanted}",
                    self.project.name
                ),
            )
            .hint("Choose another name, or delete the project under Data management."));
        }
        if self.lost {
            // It was not there before our own try.
            self.created_now();
        }
        let mut wrong = Map::new();
        if let Some(description) = &self.project.description
            && text("Description") != description
        {
            wrong.insert("Description".to_owned(), description.clone().into());
        }
        if let Some(category) = self.project.category
            && text("ProjectCategory") != category.as_str()
        {
            wrong.insert("ProjectCategory".to_owned(), category.as_str().into());
        }
        Ok(if wrong.is_empty() { State::ListLines } else { State::Correct(wrong) })
    }

    fn create_request(&self) -> Request {
        let mut body = json!({
            "Name": self.project.name,
            "OperationType": self.project.operation.as_str(),
            "ProjectCategory": self.project.category.map_or("Project", super::project::Category::as_str),
            "GenerateDataPackage": "No",
            "TruncateEntityData": "No",
        });
        if let (Some(description), Some(body)) = (&self.project.description, body.as_object_mut()) {
            body.insert("Description".to_owned(), description.clone().into());
        }
        self.service.request(Method::Post, PROJECTS).json(body.to_string())
    }

    fn created(&mut self, outcome: Result<Response, Failure>, now: Timestamp) -> Result<State> {
        match outcome {
            Ok(_) => {
                self.created_now();
                Ok(State::ListLines)
            }
            // Somebody else made it, or our own first try did and its answer was lost: look again.
            Err(failure) => {
                self.lost |= failure.maybe_processed;
                self.again(failure, now, true)
            }
        }
    }

    fn created_now(&mut self) {
        self.lost = false;
        self.done.created = true;
        self.done.changed.push("project".to_owned());
    }

    /// A pause and another look after a conflict or a lost answer, unless there were too many.
    fn again(&mut self, failure: Failure, now: Timestamp, project: bool) -> Result<State> {
        let worth = failure.maybe_processed || failure.error.code == ErrorCode::Conflict;
        if !worth || failure.error.code == ErrorCode::Aborted || self.conflicts >= CONFLICTS {
            return Err(failure.error);
        }
        self.conflicts += 1;
        Ok(State::Pause(now.plus(CONFLICT_PAUSE), project))
    }

    fn lines_request(&self) -> Request {
        list_request(&self.service, LINES, &format!("DefinitionGroupId eq {}", quote(&self.project.name)), "")
    }

    /// The next line that is missing or differs, as a request.
    fn next_line(&mut self) -> State {
        while let Some(line) = self.project.entities.get(self.line) {
            let label = self.label(self.line);
            let Some(stored) = self.stored(&label) else {
                let places = places(&self.project, self.service.catalog(), &|line| {
                    let stored = self.stored(line.label(self.service.catalog()))?;
                    let number = |name: &str| stored.get(name)?.as_u64()?.try_into().ok();
                    Some((number("ExecutionUnit")?, number("LevelInExecutionUnit")?))
                });
                let Some(place) = places.get(self.line) else { break };
                let mut body = line.created(&self.project.name, &label, *place);
                if self.keep_staging {
                    body.insert("SkipStaging".to_owned(), "No".into());
                }
                let request = self.service.request(Method::Post, LINES).json(Value::Object(body).to_string());
                return State::WritingLine(vec![label], self.call(request, Repeat::IfUnprocessed));
            };
            let mut wrong = line.named();
            if self.keep_staging {
                wrong.remove("SkipStaging");
            }
            wrong.retain(|name, value| stored.get(name) != Some(value));
            if std::mem::take(&mut self.lost) {
                // It was not there before our own try.
                self.done.changed.push(label.clone());
            }
            if wrong.is_empty() {
                self.next_one();
                continue;
            }
            let changed = wrong.keys().map(|name| format!("{label}.{name}")).collect();
            let request = line_by_key(&self.service, Method::Patch, &self.project.name, &label)
                .json(Value::Object(wrong).to_string());
            return State::WritingLine(changed, self.call(request, Repeat::Always));
        }
        self.next_further()
    }

    /// The next line that is not wanted, as a request; `known` is what was listed last, without those deleted since.
    fn next_further(&self) -> State {
        if !self.exact {
            return State::Check;
        }
        let wanted: Vec<String> = (0..self.project.entities.len()).map(|index| self.label(index)).collect();
        let listed = self.known.iter().filter_map(|row| row.get("EntityName").and_then(Value::as_str));
        let Some(label) = listed.into_iter().find(|label| !wanted.iter().any(|wanted| wanted == label))
        else {
            return State::Check;
        };
        let request = line_by_key(&self.service, Method::Delete, &self.project.name, label);
        State::Deleting(label.to_owned(), self.call(request, Repeat::Always))
    }

    fn deleted(
        &mut self,
        label: String,
        outcome: Result<Response, Failure>,
        now: Timestamp,
    ) -> Result<State> {
        match outcome {
            Err(failure) if failure.error.code != ErrorCode::NotFound => {
                self.again(failure, now, false).map_err(|error| error.in_entity(label))
            }
            // A 404 to a repeated deletion is the first one's success.
            _ => {
                self.known
                    .retain(|row| row.get("EntityName").and_then(Value::as_str) != Some(label.as_str()));
                self.done.changed.push(format!("{label} (deleted)"));
                self.conflicts = 0;
                Ok(State::Line)
            }
        }
    }

    fn next_one(&mut self) {
        self.line += 1;
        (self.conflicts, self.keep_staging, self.lost) = (0, false, false);
    }

    fn line_written(
        &mut self,
        changed: Vec<String>,
        outcome: Result<Response, Failure>,
        now: Timestamp,
    ) -> Result<State> {
        let label = self.label(self.line);
        match outcome {
            Ok(_) => {
                self.done.changed.extend(changed);
                self.stale = true;
                self.next_one();
                Ok(State::Line)
            }
            Err(failure)
                if failure.error.message.contains("Staging cannot be skipped") && !self.keep_staging =>
            {
                self.keep_staging = true;
                Ok(State::Line)
            }
            Err(failure) => {
                self.lost |= failure.maybe_processed && self.stored(&label).is_none();
                self.again(failure, now, false).map_err(|error| error.in_entity(label))
            }
        }
    }

    /// A line without a valid map exports nothing and never ends.
    fn checked(&self) -> Result<()> {
        for index in 0..self.project.entities.len() {
            let label = self.label(index);
            let stored = self.stored(&label);
            let status = stored.and_then(|row| row.get("ValidationStatus")).and_then(Value::as_str);
            match (stored, status) {
                (None, _) => {
                    return Err(Error::new(
                        ErrorCode::ServiceError,
                        format!("the service took the line \"{label}\" and does not list it"),
                    )
                    .in_entity(label));
                }
                (Some(_), Some("No" | "Error")) => {
                    return Err(Error::new(
                        ErrorCode::ValidationFailed,
                        format!("the line \"{label}\" of {} has no valid mapping", self.project.name),
                    )
                    .in_entity(label)
                    .hint(
                        "Open the project under Data management, and choose View map > Generate source mapping for the \
                         entity; or delete the line, and it is made anew with its mapping.",
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Machine for Ensure {
    type Output = Ensured;

    fn next(&mut self, now: Timestamp) -> Step<Ensured> {
        loop {
            if self.cancelled {
                return Step::Failed(Box::new(super::import::aborted()));
            }
            let over = State::Failed(Box::new(Error::argument("the driver called next out of turn")));
            let state = std::mem::replace(&mut self.state, over);
            macro_rules! answer {
                ($call:ident, $again:expr) => {
                    match $call.next(&self.session, now) {
                        Polled::Io(io) => {
                            self.state = $again;
                            return io.into();
                        }
                        Polled::Ready(outcome) => outcome,
                    }
                };
            }
            let next = match state {
                State::Tracking(from) => Ok(self.tracking(from)),
                State::AskTracking(index, mut call) => {
                    let outcome = answer!(call, State::AskTracking(index, call));
                    self.tracking_came(index, outcome)
                }
                State::Look => {
                    let request = by_name(&self.service, Method::Get, &self.project.name);
                    Ok(State::Looking(self.call(request, Repeat::Always)))
                }
                State::Looking(mut call) => {
                    let outcome = answer!(call, State::Looking(call));
                    self.project_came(outcome)
                }
                State::Create => Ok(State::Creating(self.call(self.create_request(), Repeat::IfUnprocessed))),
                State::Creating(mut call) => {
                    let outcome = answer!(call, State::Creating(call));
                    self.created(outcome, now)
                }
                State::Correct(wrong) => {
                    let changed = wrong.keys().map(|name| name.to_ascii_lowercase()).collect();
                    let request = by_name(&self.service, Method::Patch, &self.project.name)
                        .json(Value::Object(wrong).to_string());
                    Ok(State::Correcting(changed, self.call(request, Repeat::Always)))
                }
                State::Correcting(changed, mut call) => match answer!(call, State::Correcting(changed, call))
                {
                    Ok(_) => {
                        self.done.changed.extend(changed);
                        Ok(State::ListLines)
                    }
                    Err(failure) => self.again(failure, now, true),
                },
                State::ListLines => Ok(State::ListingLines(self.call(self.lines_request(), Repeat::Always))),
                State::ListingLines(mut call) => {
                    let outcome = answer!(call, State::ListingLines(call));
                    outcome.map_err(|failure| failure.error).and_then(|response| {
                        self.known = items_of(&response)?;
                        self.stale = false;
                        Ok(State::Line)
                    })
                }
                State::Line => Ok(self.next_line()),
                State::WritingLine(changed, mut call) => {
                    let outcome = answer!(call, State::WritingLine(changed, call));
                    self.line_written(changed, outcome, now)
                }
                State::Deleting(label, mut call) => {
                    let outcome = answer!(call, State::Deleting(label, call));
                    self.deleted(label, outcome, now)
                }
                State::Pause(until, project) if now < until => {
                    self.state = State::Pause(until, project);
                    return Step::Wait(until);
                }
                State::Pause(_, true) => Ok(State::Look),
                State::Pause(_, false) => Ok(State::ListLines),
                State::Check if self.stale => {
                    Ok(State::Checking(self.call(self.lines_request(), Repeat::Always)))
                }
                State::Checking(mut call) => {
                    let outcome = answer!(call, State::Checking(call));
                    outcome.map_err(|failure| failure.error).and_then(|response| {
                        self.known = items_of(&response)?;
                        self.stale = false;
                        Ok(State::Check)
                    })
                }
                State::Check => match self.checked() {
                    Ok(()) => return Step::Done(std::mem::take(&mut self.done)),
                    Err(error) => Err(error),
                },
                State::Failed(error) => return Step::Failed(error),
            };
            self.state = next.unwrap_or_else(|error| State::Failed(Box::new(error)));
        }
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        match &mut self.state {
            State::AskTracking(_, call)
            | State::Looking(call)
            | State::Creating(call)
            | State::Correcting(_, call)
            | State::ListingLines(call)
            | State::WritingLine(_, call)
            | State::Deleting(_, call)
            | State::Checking(call) => call.handle(input, &mut self.session, now),
            _ => self.cancelled |= matches!(input, Input::Cancelled),
        }
    }
}
