//! The answers of a batch, matched to its operations; and the operations of a batch that a host hands back.

use super::group::Group;
use super::multipart::{Multipart, Part, boundary_of, header};
use super::{BatchAnswer, BatchResult};
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Repeat, Request, Response};
use crate::odata::fault::failure_of;
use crate::odata::service::Service;
use crate::odata::shape::{Reading, Shaped};

/// What one batch came to: a result for each of its operations, and whether the service stopped at one of them.
pub(super) struct Outcomes {
    pub(super) results: Vec<(usize, BatchResult)>,
    pub(super) failed: bool,
}

/// Groups and answers stand in the same order; inside a change set the `Content-ID` counts.
pub(super) fn outcomes(
    groups: &[Group],
    operations: &[Shaped],
    response: &Response,
    continue_on_error: bool,
) -> Result<Outcomes> {
    let mut items = items(response.header("content-type"), &response.body)?.into_iter();
    let mut found = Outcomes { results: Vec::new(), failed: false };
    for group in groups {
        let of = Answered { group, operations };
        let results = match items.next() {
            Some(item) => {
                found.failed |= item.answers.iter().any(|answer| answer.failed());
                of.by(&item)
            }
            None if found.failed && !continue_on_error => of.each(|_, _| not_carried_out()),
            None => of.each(|_, operation| without_answer(operation)),
        };
        found.results.extend(results);
    }
    Ok(found)
}

/// The groups and operations that the body of a batch request holds.
pub(super) fn operations(service: &Service, request: &Request) -> Result<(Vec<Group>, Vec<Shaped>)> {
    let foreign = || {
        Error::argument("this is no batch that could be read")
            .hint("Hand over the request as `requests.batch` made it, with its body.")
    };
    let content_type = request.headers.iter().find(|(name, _)| *name == "content-type");
    let content_type = content_type.map(|(_, value)| value.as_str());
    let (mut groups, mut shaped): (Vec<Group>, Vec<Shaped>) = (Vec::new(), Vec::new());
    for item in items(content_type, &request.body).map_err(|_| foreign())? {
        let mut indexes = Vec::new();
        for said in item.answers {
            let mut words = said.first_line.split(' ');
            let method = words.next().and_then(method).ok_or_else(foreign)?;
            let url = words.next().ok_or_else(foreign)?;
            indexes.push(shaped.len());
            shaped.push(Shaped {
                reading: Reading::of(service, method, url)?,
                request: Request::new(method, url),
                repeat: Repeat::IfUnprocessed,
            });
        }
        groups.push(Group { change_set: item.change_set, operations: indexes });
    }
    if shaped.is_empty() {
        return Err(foreign());
    }
    Ok((groups, shaped))
}

pub(super) fn not_carried_out() -> Error {
    Error::new(ErrorCode::Aborted, "not carried out: the batch ended at an operation before this one")
        .hint("Correct the operation that failed and repeat from there, or set `continueOnError`.")
}

/// For an operation whose request was sent and of which nothing came back.
pub(super) fn without_answer(operation: &Shaped) -> Error {
    if operation.request.method == Method::Get {
        return Error::new(ErrorCode::ServiceError, "the answer to the batch has no part for this operation");
    }
    Error::new(ErrorCode::OutcomeUnknown, "no answer came: whether the service carried it out is not known")
        .hint("Read the record before you send the operation again.")
}

struct Answered<'a> {
    group: &'a Group,
    operations: &'a [Shaped],
}

impl Answered<'_> {
    fn each(&self, error: impl Fn(usize, &Shaped) -> Error) -> Vec<(usize, BatchResult)> {
        let of = |index: &usize| Some((*index, Err(error(*index, self.operations.get(*index)?))));
        self.group.operations.iter().filter_map(of).collect()
    }

    fn by(&self, item: &Item) -> Vec<(usize, BatchResult)> {
        let wanted = &self.group.operations;
        if let Some(failed) = item.answers.iter().find(|answer| answer.failed())
            && self.group.change_set
        {
            return self.rolled_back(failed);
        }
        let mut results: Vec<Option<&Said>> = vec![None; wanted.len()];
        let place = |answer: &Said| wanted.iter().position(|index| answer.id == Some(*index));
        for answer in &item.answers {
            if let Some(slot) = place(answer).and_then(|at| results.get_mut(at)) {
                *slot = Some(answer);
            }
        }
        let mut others = item.answers.iter().filter(|answer| place(answer).is_none());
        let of = |(index, answer): (&usize, Option<&Said>)| {
            let operation = self.operations.get(*index)?;
            Some((
                *index,
                match answer.or_else(|| others.next()) {
                    Some(answer) => answer.result(operation),
                    None => Err(without_answer(operation)),
                },
            ))
        };
        wanted.iter().zip(results).filter_map(of).collect()
    }

    /// A failed change set has one answer for all of it.
    fn rolled_back(&self, answer: &Said) -> Vec<(usize, BatchResult)> {
        let Some(response) = &answer.response else { return self.each(|_, _| no_message()) };
        let wanted = &self.group.operations;
        let guilty = answer.id.filter(|id| wanted.contains(id));
        self.each(|index, operation| {
            let mut error = failure_of(response, &operation.request);
            match guilty {
                _ if wanted.len() == 1 => return error,
                Some(guilty) if guilty == index => return error.at_line(index as u64 + 1),
                Some(guilty) => {
                    error.message =
                        format!("rolled back, because operation {} failed: {}", guilty + 1, error.message);
                    error = error.at_line(guilty as u64 + 1);
                }
                None => {
                    error.message = format!(
                        "rolled back, because an operation of its change set failed: {}",
                        error.message
                    );
                }
            }
            error
        })
    }
}

/// One thing of a batch: a change set, or what stands outside of them.
struct Item {
    change_set: bool,
    answers: Vec<Said>,
}

/// A part of type `application/http`.
struct Said {
    /// Number of the operation, where the part tells it.
    id: Option<usize>,
    first_line: String,
    /// Where it is an answer.
    response: Option<Response>,
}

impl Said {
    fn failed(&self) -> bool {
        self.response.as_ref().is_none_or(|response| !response.is_success())
    }

    fn result(&self, operation: &Shaped) -> BatchResult {
        let response = self.response.as_ref().ok_or_else(no_message)?;
        Ok(BatchAnswer { status: response.status, value: operation.read(response)? })
    }

    fn of(part: Part) -> Self {
        let mut rest = part.body.as_slice();
        let mut next = || {
            let (line, behind) = match rest.iter().position(|byte| *byte == b'\n') {
                Some(end) => (rest.get(..end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default()),
                None => (rest, &b""[..]),
            };
            rest = behind;
            line.strip_suffix(b"\r").unwrap_or(line)
        };
        let first_line = String::from_utf8_lossy(next()).into_owned();
        let mut headers = Vec::new();
        loop {
            let line = next();
            if line.is_empty() {
                break;
            }
            headers.extend(header(line));
        }
        let id = part.header("content-id").map(str::to_owned);
        let id =
            id.or_else(|| headers.iter().find(|(name, _)| name == "content-id").map(|(_, id)| id.clone()));
        let status = first_line.strip_prefix("HTTP/").and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
        let response = status.map(|status| {
            let mut response = Response::new(status, rest);
            response.headers = headers;
            response
        });
        let id = id.and_then(|id| id.trim().parse::<usize>().ok()?.checked_sub(1));
        Self { id, first_line, response }
    }
}

/// The things of a batch that are whole; what was cut off is left out.
fn items(content_type: Option<&str>, body: &[u8]) -> Result<Vec<Item>> {
    let parts = parts(content_type, body)?;
    parts
        .into_iter()
        .map(|part| {
            let kind = part.header("content-type").unwrap_or_default().to_ascii_lowercase();
            if kind.starts_with("multipart/") {
                let inner = self::parts(part.header("content-type"), &part.body)?;
                return Ok(Item { change_set: true, answers: inner.into_iter().map(Said::of).collect() });
            }
            Ok(Item { change_set: false, answers: vec![Said::of(part)] })
        })
        .collect()
}

fn parts(content_type: Option<&str>, body: &[u8]) -> Result<Vec<Part>> {
    let boundary = content_type.and_then(boundary_of).or_else(|| first_boundary(body));
    let boundary = boundary.ok_or_else(|| {
        Error::new(ErrorCode::ServiceError, "the answer to the batch is no multipart message")
            .hint("A proxy on the way may have answered in place of the service.")
    })?;
    let mut parser = Multipart::new(&boundary);
    let mut parts = parser.push(body)?;
    let (last, _) = parser.finish()?;
    parts.extend(last);
    Ok(parts)
}

/// A host may hand over no headers: then the first line tells.
fn first_boundary(body: &[u8]) -> Option<String> {
    let line = body.split(|byte| *byte == b'\n').next()?;
    let boundary = std::str::from_utf8(line.trim_ascii()).ok()?.strip_prefix("--")?;
    (!boundary.is_empty()).then(|| boundary.to_owned())
}

fn method(word: &str) -> Option<Method> {
    [Method::Get, Method::Post, Method::Patch, Method::Delete]
        .into_iter()
        .find(|method| method.as_str() == word)
}

fn no_message() -> Error {
    Error::new(ErrorCode::ServiceError, "the part of the answer to the batch is no HTTP message")
}
