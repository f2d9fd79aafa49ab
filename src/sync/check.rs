//! What data management says of the entities, before the first run of any line.

use serde_json::{Map, Value};

use super::options::{Line, WithoutTracking};
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Input, Machine, Polled, Repeat, Session, Step, Timestamp};
use crate::odata::{Call, Service, items_of, list_request, quote};

/// Entities asked for at a time: a URL must not grow long.
const AT_A_TIME: usize = 8;
const COLUMNS: &str = "EntityName,ChangeTrackingType,IsShared";

/// Asks for the change tracking of all entities that travel in packages.
#[derive(Debug)]
pub(super) struct Check {
    service: Service,
    session: Session,
    labels: Vec<String>,
    call: Option<Call>,
    found: Vec<Map<String, Value>>,
    cancelled: bool,
}

/// What data management says of the entities.
#[derive(Debug)]
pub(super) struct Checked(Vec<Map<String, Value>>);

impl Check {
    pub(super) fn new(service: &Service, lines: &[Line]) -> Self {
        let mut labels: Vec<String> =
            lines.iter().filter(|line| !line.by_odata).map(|line| line.label.clone()).collect();
        labels.dedup();
        Self {
            service: service.clone(),
            session: service.session(),
            labels,
            call: None,
            found: Vec::new(),
            cancelled: false,
        }
    }
}

impl Machine for Check {
    type Output = Checked;

    fn next(&mut self, now: Timestamp) -> Step<Checked> {
        loop {
            if self.cancelled {
                return Step::Failed(Box::new(Error::new(ErrorCode::Aborted, "the caller gave up")));
            }
            let Some(call) = &mut self.call else {
                if self.labels.is_empty() {
                    return Step::Done(Checked(std::mem::take(&mut self.found)));
                }
                let some = self.labels.len().min(AT_A_TIME);
                let terms: Vec<String> = self
                    .labels
                    .drain(..some)
                    .map(|label| format!("EntityName eq {}", quote(&label)))
                    .collect();
                let request =
                    list_request(&self.service, "DataManagementEntities", &terms.join(" or "), COLUMNS);
                self.call = Some(Call::new(&self.service, request, Repeat::Always));
                continue;
            };
            match call.next(&self.session, now) {
                Polled::Io(io) => return io.into(),
                Polled::Ready(outcome) => {
                    self.call = None;
                    let rows =
                        outcome.map_err(|failure| failure.error).and_then(|response| items_of(&response));
                    match rows {
                        Ok(rows) => self.found.extend::<Vec<Map<String, Value>>>(rows),
                        Err(error) => return Step::Failed(Box::new(error)),
                    }
                }
            }
        }
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        match &mut self.call {
            Some(call) => call.handle(input, &mut self.session, now),
            None => self.cancelled |= matches!(input, Input::Cancelled),
        }
    }
}

impl Checked {
    fn text(&self, label: &str, name: &str) -> Option<&str> {
        let named = |row: &&Map<String, Value>| row.get("EntityName").and_then(Value::as_str) == Some(label);
        self.0.iter().find(named)?.get(name)?.as_str()
    }

    /// Settles how each line is exported.
    ///
    /// # Errors
    /// `UNKNOWN_ENTITY`; `VALIDATION_FAILED` where change tracking is off, with all such entities.
    pub(super) fn apply(&self, lines: &mut [Line], without: WithoutTracking) -> Result<()> {
        let mut off: Vec<&str> = Vec::new();
        for line in lines.iter_mut().filter(|line| !line.by_odata) {
            let Some(kind) = self.text(&line.label, "ChangeTrackingType") else {
                return Err(Error::new(
                    ErrorCode::UnknownEntity,
                    format!("data management knows no entity \"{}\"", line.label),
                )
                .in_entity(line.label.clone())
                .hint(
                    "The label is meant, in the language of the service user. Refresh the entity list under Data management > \
                     Framework parameters > Entity settings.",
                ));
            };
            let shared = self.text(&line.label, "IsShared") == Some("Yes");
            if line.entity.is_none() && shared != line.company.is_none() {
                let truth = if shared {
                    "its records belong to no company"
                } else {
                    "its records belong to companies"
                };
                return Err(Error::argument(format!("\"{}\": {truth}", line.label))
                    .in_entity(line.label.clone())
                    .hint("Set `shared` of the entity accordingly."));
            }
            line.tracked = !matches!(kind, "None" | "");
            if line.tracked {
                continue;
            }
            match without {
                WithoutTracking::Error => {}
                WithoutTracking::Full => {}
                WithoutTracking::Compare => {
                    line.compare = true;
                    line.by_odata = line.collection().is_some() && !line.keys().is_empty();
                }
            }
        }
        if without == WithoutTracking::Error {
            let untracked = lines.iter().filter(|line| !line.by_odata && !line.tracked);
            off.extend(untracked.map(|line| line.label.as_str()));
            off.dedup();
        }
        let Some(first) = off.first() else { return Ok(()) };
        Err(Error::new(ErrorCode::ValidationFailed, format!("change tracking is off for {}", off.join(", ")))
            .in_entity((*first).to_owned())
            .hint(
                "Switch it on under Data management > Data entities > Change tracking (Enable primary table or Enable entire \
                 entity), or set `withoutTracking` to \"full\" or \"compare\".",
            ))
    }
}
