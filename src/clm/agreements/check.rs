//! Asking the service's validation entities, and what they say.
//!
//! They come in two generations. Newer environments have one entity for lines that are to be made and one for changes and deletions,
//! and refuse; older ones have one for all three, which refuses or tells in the field `ValidationResult`. Which of them an environment
//! has is read from its service document.

use serde_json::{Map, Value, json};

use super::plan::Change;
use super::{HEADERS, NOT_HERE};
use crate::clm::talk::{Next, is_refusal, text};
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Repeat};
use crate::odata::dialogue::Then;
use crate::odata::{Answer, BatchOptions, Op, OperationSpec, Service, batch_request, read_answer};

const OF_HEADER: &str = "CLMIntegrationValidationPurchaseAgreements";
const OF_INSERT: &str = "CLMIntegrationValidateInsertPurchaseAgreementLines";
const OF_CHANGE: &str = "CLMIntegrationValidateUpdateDeletePurchaseAgreementLines";
const OLDER: &str = "CLMIntegrationValidationPurchaseAgreementLines";
/// Operations of one batch.
const AT_ONCE: usize = 100;

/// What was found.
#[derive(Clone, Default)]
pub(super) struct Validation {
    unchecked: Vec<&'static str>,
    findings: Vec<Value>,
}

impl Validation {
    pub(super) fn good() -> Self {
        Self::default()
    }

    pub(super) fn nothing_checked() -> Self {
        Self { unchecked: vec!["header", "lines"], findings: Vec::new() }
    }

    pub(super) fn refuses(&self) -> bool {
        !self.findings.is_empty()
    }

    pub(super) fn json(&self) -> Value {
        let valid = self.findings.is_empty() && self.unchecked.is_empty();
        json!({ "valid": valid, "unchecked": self.unchecked, "findings": self.findings })
    }

    fn miss(&mut self, what: &'static str) {
        if !self.unchecked.contains(&what) {
            self.unchecked.push(what);
        }
    }

    /// Each reason of the service's words.
    fn note(&mut self, words: &str, line: Option<u64>, spec: Option<&OperationSpec>) {
        let names = spec.map(sent_by).unwrap_or_default();
        for reason in words.split(';').map(str::trim).filter(|reason| !reason.is_empty()) {
            let mut finding = Map::new();
            finding.extend(line.map(|line| ("line".to_owned(), line.into())));
            finding.extend(field_of(reason, &names).map(|name| ("field".to_owned(), name.into())));
            let ended = reason.ends_with(['.', '!', '?']);
            finding.insert(
                "message".to_owned(),
                if ended { reason.into() } else { format!("{reason}.").into() },
            );
            self.findings.push(Value::Object(finding));
        }
    }
}

/// A refusal that came from writing, not from validation.
pub(super) fn refused(error: &Error, line: Option<u64>, spec: Option<&OperationSpec>) -> Validation {
    let mut validation = Validation::good();
    validation.note(&reasons(error), line, spec);
    validation
}

/// The service's own words.
fn reasons(error: &Error) -> String {
    error.service.as_deref().and_then(|words| words.message.as_ref()).unwrap_or(&error.message).clone()
}

/// The one of the properties that the words name best: by its whole name, or by two or more words of it in a row. Where two are named
/// alike, none.
fn field_of(message: &str, names: &[String]) -> Option<String> {
    let message = message.to_ascii_lowercase();
    let mut best: (usize, Option<&String>) = (0, None);
    for name in names {
        let words = words_of(name);
        let runs = (1..=words.len()).rev().find(|size| {
            let enough = *size > 1 || words.len() == 1;
            enough && words.windows(*size).any(|run| message.contains(&run.join(" ")))
        });
        let whole = message.contains(&name.to_ascii_lowercase()).then_some(words.len());
        let matched = runs.max(whole).unwrap_or(0);
        if matched > best.0 {
            best = (matched, Some(name));
        } else if matched == best.0 {
            best.1 = None;
        }
    }
    best.1.cloned()
}

/// `ItemNumber` as `item`, `number`.
fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_ascii_uppercase() => word.push(letter),
            _ => words.push(letter.to_ascii_lowercase().to_string()),
        }
    }
    words
}

/// The properties that an operation sends.
fn sent_by(spec: &OperationSpec) -> Vec<String> {
    let value = spec.value.as_deref().unwrap_or("{}");
    serde_json::from_str::<Map<String, Value>>(value).unwrap_or_default().keys().cloned().collect()
}

type Checked = Box<dyn FnOnce(Validation, Vec<Change>) -> Result<Next>>;

/// Has the changes validated.
pub(super) fn check(service: &Service, changes: Vec<Change>, then: Checked) -> Next {
    if changes.is_empty() {
        return Then::later(std::time::Duration::ZERO, move || then(Validation::good(), changes));
    }
    let mut document = service.request(Method::Get, "");
    document.url = format!("{}/data", service.base());
    let owned = service.clone();
    Then::ask(service, document, Repeat::Always, move |outcome| {
        let response = outcome.map_err(|failure| failure.error)?;
        let document = response.text().unwrap_or_default();
        let has = |name: &str| document.contains(&format!("\"{name}\""));
        if !has(HEADERS) {
            return Err(
                Error::new(ErrorCode::NotFound, format!("the environment has no {HEADERS}")).hint(NOT_HERE)
            );
        }
        let newer = has(OF_INSERT) && has(OF_CHANGE);
        let mut validation = Validation::good();
        let mut asked = Vec::new();
        for change in &changes {
            let (entity, what) = match (change.spec.entity.as_str(), change.spec.op) {
                (HEADERS, _) => (OF_HEADER, "header"),
                (_, Op::Create) if newer => (OF_INSERT, "lines"),
                _ if newer => (OF_CHANGE, "lines"),
                _ => (OLDER, "lines"),
            };
            if !has(entity) {
                validation.miss(what);
                continue;
            }
            let mut spec = change.spec.clone();
            entity.clone_into(&mut spec.entity);
            asked.push((change.line, spec));
        }
        Checking { service: owned, asked, alone: !newer, validation, changes, then }.from(0)
    })
}

struct Checking {
    service: Service,
    asked: Vec<(Option<u64>, OperationSpec)>,
    /// One by one: only so the older generation's words come back.
    alone: bool,
    validation: Validation,
    changes: Vec<Change>,
    then: Checked,
}

impl Checking {
    fn from(mut self, at: usize) -> Result<Next> {
        let size = if self.alone { 1 } else { AT_ONCE };
        let part: Vec<OperationSpec> =
            self.asked.iter().skip(at).take(size).map(|(_, spec)| spec.clone()).collect();
        let [first, rest @ ..] = part.as_slice() else { return (self.then)(self.validation, self.changes) };
        let service = self.service.clone();
        if rest.is_empty() {
            let shaped = first.shape(&service)?;
            // Nothing is stored, so it may be asked as often as it takes.
            return Ok(Then::ask(&service, shaped.request().clone(), Repeat::Always, move |outcome| {
                let said = outcome
                    .map(|response| words_in(response.text().unwrap_or_default()))
                    .map_err(|failure| failure.error);
                self.judge(at, said)?;
                self.from(at + 1)
            }));
        }
        let options = BatchOptions { continue_on_error: true, ..BatchOptions::default() };
        let request = batch_request(&service, &part, options)?;
        let kept = request.clone();
        Ok(Then::ask(&service, request, Repeat::Always, move |outcome| {
            let response = outcome.map_err(|failure| failure.error)?;
            let Answer::Batch(results) = read_answer(&self.service, &kept, &response)? else {
                return Err(Error::new(ErrorCode::ServiceError, "the answer is no batch"));
            };
            let count = results.len();
            for (number, result) in results.into_iter().enumerate() {
                let said = result.map(|answer| match answer.value {
                    Answer::Record(Some(record)) => words_in(&record),
                    _ => String::new(),
                });
                self.judge(at + number, said)?;
            }
            self.from(at + count.max(1))
        }))
    }

    fn judge(&mut self, at: usize, said: Result<String>) -> Result<()> {
        let Some((line, spec)) = self.asked.get(at) else { return Ok(()) };
        let words = match said {
            Ok(words) => words,
            Err(error) if is_refusal(&error) => reasons(&error),
            Err(error) => return Err(error),
        };
        self.validation.note(&words, *line, Some(spec));
        Ok(())
    }
}

/// What the older generation says where it does not refuse; empty where all is well.
fn words_in(record: &str) -> String {
    serde_json::from_str::<Map<String, Value>>(record)
        .map(|row| text(&row, "ValidationResult").to_owned())
        .unwrap_or_default()
}
