//! Many operations in one request.
//!
//! What belongs here: which operations stand together, the multipart body, the reading of a multipart answer, and the conversation
//! that carries a list of operations through as many batches as it takes. What does not: the single requests and the meaning of
//! their answers (`shape`).
//!
//! Choices where the documentation is silent: reads stand outside of change sets; a write that is not part of an atomic batch is a
//! change set of its own, the one form that working clients are known to use; the service is taken to stop at the first failure
//! unless it is asked to go on, as the standard has it (unverified for this service).

mod group;
mod multipart;
mod read;
mod write;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use self::group::{Group, batches};
use super::call::Call;
use super::service::Service;
use super::shape::{Answer, OperationSpec, Shaped};
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Failure, Input, Machine, Polled, Repeat, Request, Response, Session, Step, Timestamp};

pub use group::{BatchOptions, MOST_OPERATIONS};
pub use multipart::{Multipart, Part, boundary_of};

/// What came of one operation of a batch.
pub type BatchResult = Result<BatchAnswer>;

/// The answer to one operation of a batch.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BatchAnswer {
    /// Its HTTP status.
    pub status: u16,
    /// What it means. A record that is not there is an answer.
    pub value: Answer,
}

/// Operations on their way, batch after batch; yields one result for each, in their order.
///
/// It fails as a whole only where nothing came of it: before anything was sent, with the first batch, or given up. What happens to a
/// later batch is told of its operations.
#[derive(Debug)]
pub struct Batch {
    service: Service,
    session: Session,
    operations: Vec<Shaped>,
    continue_on_error: bool,
    waiting: VecDeque<Vec<Group>>,
    sent: Option<(Vec<Group>, Call)>,
    results: Vec<Option<BatchResult>>,
    /// Whether any batch has been answered.
    answered: bool,
    given_up: bool,
}

impl Batch {
    /// Operations that have not left yet.
    ///
    /// # Errors
    /// As for the single operations, with the 1-based number of the operation as line; `INVALID_ARGUMENT` for an atomic batch of more
    /// than 5,000 operations and for a size out of 1 to 5,000.
    pub fn new(service: &Service, operations: &[OperationSpec], options: BatchOptions) -> Result<Self> {
        let operations = shaped(service, operations)?;
        let waiting = batches(&operations, options)?.into();
        Ok(Self {
            service: service.clone(),
            session: service.session(),
            results: operations.iter().map(|_| None).collect(),
            operations,
            continue_on_error: options.continue_on_error,
            waiting,
            sent: None,
            answered: false,
            given_up: false,
        })
    }

    fn send(&mut self, groups: Vec<Group>) {
        let request = write::request(&self.service, &groups, &self.operations, self.continue_on_error);
        // Every group with a write is a change set.
        let repeat = match groups.iter().any(|group| group.change_set) {
            true => Repeat::IfUnprocessed,
            false => Repeat::Always,
        };
        self.sent = Some((groups, Call::new(&self.service, request, repeat)));
    }

    fn answered(&mut self, groups: &[Group], response: &Response) -> Result<()> {
        let found = read::outcomes(groups, &self.operations, response, self.continue_on_error)?;
        if found.failed && !self.continue_on_error {
            self.waiting.clear();
        }
        for (index, result) in found.results {
            self.put(index, result);
        }
        self.answered = true;
        Ok(())
    }

    /// A batch without an answer, or with one that can't be read. The results of those before it are worth more than one error.
    fn lost(&mut self, groups: &[Group], failure: Failure) -> Option<Error> {
        let Failure { mut error, maybe_processed, .. } = failure;
        let writes = groups.iter().any(|group| group.change_set);
        if !self.answered || error.code == ErrorCode::Aborted {
            if maybe_processed && writes {
                error.hint = Some(LOOK.to_owned());
            }
            return Some(error);
        }
        self.waiting.clear();
        for index in groups.iter().flat_map(|group| &group.operations) {
            let Some(operation) = self.operations.get(*index) else { continue };
            let open = maybe_processed && operation.repeat == Repeat::IfUnprocessed;
            let mut why = if open { read::without_answer(operation) } else { error.clone() };
            why.status = error.status;
            self.put(*index, Err(why));
        }
        None
    }

    fn put(&mut self, index: usize, result: BatchResult) {
        if let Some(slot) = self.results.get_mut(index) {
            *slot = Some(result);
        }
    }
}

const LOOK: &str =
    "The service may have carried the batch out all the same: read the records before you send it again.";

impl Machine for Batch {
    type Output = Vec<BatchResult>;

    fn next(&mut self, now: Timestamp) -> Step<Self::Output> {
        loop {
            let Some((groups, mut call)) = self.sent.take() else {
                if self.given_up {
                    return Step::Failed(Box::new(Error::new(ErrorCode::Aborted, "the caller gave up")));
                }
                let Some(groups) = self.waiting.pop_front() else {
                    let results = std::mem::take(&mut self.results).into_iter();
                    return Step::Done(
                        results
                            .map(|result| result.unwrap_or_else(|| Err(read::not_carried_out())))
                            .collect(),
                    );
                };
                self.send(groups);
                continue;
            };
            let failure = match call.next(&self.session, now) {
                Polled::Io(io) => {
                    self.sent = Some((groups, call));
                    return io.into();
                }
                Polled::Ready(Ok(response)) => match self.answered(&groups, &response) {
                    Ok(()) => continue,
                    Err(error) => Failure { error, maybe_processed: true },
                },
                Polled::Ready(Err(failure)) => failure,
            };
            if let Some(error) = self.lost(&groups, failure) {
                return Step::Failed(Box::new(error));
            }
        }
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        match &mut self.sent {
            Some((_, call)) => call.handle(input, &mut self.session, now),
            // Given up between two batches, or before the first.
            None => self.given_up |= matches!(input, Input::Cancelled),
        }
    }
}

/// The one request for all the operations, for hosts that send it themselves.
///
/// # Errors
/// As for [`Batch::new`]; `INVALID_ARGUMENT` also for more operations than one batch has, and for none.
pub fn batch_request(
    service: &Service,
    operations: &[OperationSpec],
    options: BatchOptions,
) -> Result<Request> {
    let operations = shaped(service, operations)?;
    // One request is what is asked for: the size is the service's.
    let options = BatchOptions { size: Some(options.size.unwrap_or(MOST_OPERATIONS)), ..options };
    match batches(&operations, options)?.as_slice() {
        [groups] => Ok(write::request(service, groups, &operations, options.continue_on_error)),
        [] => Err(Error::argument("a batch needs operations")),
        several => Err(Error::argument(format!(
            "{} operations make {} batches; this is for one",
            operations.len(),
            several.len()
        ))),
    }
}

/// The results of a batch that somebody else sent.
pub(super) fn read(service: &Service, request: &Request, response: &Response) -> Result<Vec<BatchResult>> {
    let (groups, operations) = read::operations(service, request)?;
    let goes_on = request
        .headers
        .iter()
        .any(|(name, value)| *name == "prefer" && value.contains("odata.continue-on-error"));
    let found = read::outcomes(&groups, &operations, response, goes_on)?;
    Ok(found.results.into_iter().map(|(_, result)| result).collect())
}

/// `[{"ok":true,"status":201,"value":…},{"ok":false,"error":{…}}]`.
#[must_use]
pub fn results_json(service: &Service, results: Vec<BatchResult>) -> String {
    let one = |result: BatchResult| {
        let written = result.and_then(|answer| Ok((answer.status, answer.value.into_json(service)?)));
        match written {
            Ok((status, Some(value))) => format!("{{\"ok\":true,\"status\":{status},\"value\":{value}}}"),
            Ok((status, None)) => format!("{{\"ok\":true,\"status\":{status}}}"),
            Err(error) => {
                format!("{{\"ok\":false,\"error\":{}}}", serde_json::to_string(&error).unwrap_or_default())
            }
        }
    };
    format!("[{}]", results.into_iter().map(one).collect::<Vec<_>>().join(","))
}

fn shaped(service: &Service, operations: &[OperationSpec]) -> Result<Vec<Shaped>> {
    let number = |(index, operation): (usize, &OperationSpec)| {
        operation.shape(service).map_err(|error| error.at_line(index as u64 + 1))
    };
    operations.iter().enumerate().map(number).collect()
}
