//! Purchase agreements: a header and its lines, which the contract system writes and Supply Chain Management carries out.
//!
//! A header that is to be made can't be validated other than by making it. So [`create`] makes it on hold, where it has no effect, has
//! the lines validated against it, makes all of them in one change set, and then sets it effective. `AgreementStatus` of the draft, if
//! it has one, is what the header ends with in place of `Effective`.
//!
//! # If the process dies
//!
//! | call | after | the same call again |
//! |---|---|---|
//! | `create` | the look | nothing has happened: begins |
//! | | the header, answered or not | finds it by company and `ExternalContractId`, on hold; corrects what differs from the draft |
//! | | the validation | validates again: nothing was stored |
//! | | the lines, answered or not | finds them by number: all are there or none; sends what is missing |
//! | | the last change | finds a header that is not on hold: it is ready, and nothing is sent |
//! | `amend` | the validation | nothing has happened |
//! | | the change set, answered or not | all of it is there or nothing: sends what still differs |
//! | `close` | the change | the same change once more |
//!
//! Refused at any step, the header stays on hold without lines, or with those that it had, and the findings are the output.

mod check;
mod plan;

use std::rc::Rc;

use serde_json::{Map, Value, json};

use self::check::{Validation, check, refused};
use self::plan::{Change, Place, header_changes, line_changes, numbered};
use super::talk::{
    After, COMPANY, EXTERNAL, NOT_HERE, Next, RecordRef, Told, company, condition, done, exact, find,
    is_refusal, key, make, not_found, rows, spec, tell, text, unknown, without_notes,
};
use crate::error::{Error, ErrorCode, Result};
use crate::fields::{Fields, FromValue, deserialize};
use crate::http::Repeat;
use crate::odata::dialogue::{Row, Then};
use crate::odata::{
    Answer, BatchOptions, Dialogue, Op, OperationSpec, Service, batch_request, leaves_open, read_answer,
};

pub(super) const HEADERS: &str = "CLMIntegrationPurchaseAgreements";
pub(super) const LINES: &str = "CLMIntegrationPurchaseAgreementLines";
pub(super) const ID: &str = "PurchaseAgreementId";
const STATUS: &str = "AgreementStatus";
const OWNERSHIP: &str = "AgreementOwnership";

/// A purchase agreement as it is wanted. Of the header only the named properties count; the lines are all that it is to have.
///
/// A line is known by its `LineNumber`, else by its `ExternalContractLineId` where a line has it already, else its number is its place
/// in the list, from 1.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Draft {
    /// Properties of the header.
    pub header: Map<String, Value>,
    /// Properties of each line.
    pub lines: Vec<Map<String, Value>>,
}

deserialize!(Draft);

impl FromValue for Draft {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let header: Map<String, Value> = of.required("header", Fields::read);
        let lines: Vec<Map<String, Value>> = of.required("lines", Fields::list);
        let lines = lines.into_iter().map(without_notes).collect();
        of.finish(Self { header: without_notes(header), lines })
    }
}

/// What a call knows from its beginning.
struct Job {
    service: Service,
    company: String,
    draft: Draft,
}

impl Job {
    fn new(service: &Service, given: Option<&str>, draft: Draft) -> Result<Rc<Self>> {
        let own = Some(text(&draft.header, COMPANY)).filter(|own| !own.is_empty());
        let company = company(service, given.or(own))?;
        if own.is_some_and(|own| !own.eq_ignore_ascii_case(&company)) {
            return Err(
                Error::argument(format!("the draft is of another company than {company}")).at_column(COMPANY)
            );
        }
        let job = Self { service: exact(service), company, draft };
        // What can't be meant is told before anything is sent.
        let place = job.place("0");
        let numbers = numbered(&job.draft.lines, &[])?;
        header_changes(&place, &job.draft.header, &Row::new())?;
        line_changes(&place, &job.draft.lines, &numbers, &[], false)?;
        Ok(Rc::new(job))
    }

    fn place<'a>(&'a self, id: &'a str) -> Place<'a> {
        Place { service: &self.service, company: &self.company, id }
    }

    fn lines(&self, id: &str, then: After<Vec<Row>>) -> Next {
        lines(&self.service, &self.company, id, then)
    }

    fn line_changes(&self, id: &str, there: &[Row], delete: bool) -> Result<Vec<Change>> {
        line_changes(&self.place(id), &self.draft.lines, &numbered(&self.draft.lines, there)?, there, delete)
    }

    fn find(&self, name: &'static str, id: &str, then: After<Option<Row>>) -> Next {
        find(&self.service, HEADERS, &self.company, name, id, then)
    }
}

fn lines(service: &Service, company: &str, id: &str, then: After<Vec<Row>>) -> Next {
    let options = format!("{}&$orderby=LineNumber", condition(company, &[(ID, id)]));
    let id = id.to_owned();
    let own = move |row: &Row| super::talk::same_text(text(row, ID), &id);
    rows(service, LINES, &options, Box::new(move |rows| then(rows.into_iter().filter(own).collect())))
}

/// Validates a draft by the service's validation entities, which store nothing. They need a header that is there: without `on`
/// neither header nor lines can be checked, and both are `unchecked`. With it the draft is compared with what is there, and what
/// differs is validated as [`amend`] would send it.
///
/// Yields `{"valid":…,"unchecked":[…],"findings":[{"line":…,"field":…,"message":…}]}`; `valid` says that all was checked and nothing
/// found. `line` is the 1-based number in the draft; `field` is recognised by the words of the message, where they hold the property's
/// name (English).
///
/// # Errors
/// `UNKNOWN_PROPERTY`, `INVALID_ARGUMENT` with the line, before anything is sent; from the conversation `NOT_FOUND` where there is no
/// agreement `on`, and what is no refusal of the data: `FORBIDDEN`, `THROTTLED`, `SERVICE_ERROR`.
pub fn validate(service: &Service, draft: Draft, on: Option<&RecordRef>) -> Result<Told> {
    let job = Job::new(service, on.and_then(|on| on.company.as_deref()), draft)?;
    let Some(on) = on else {
        return Ok(Dialogue::new(service, done(Validation::nothing_checked().json())));
    };
    let property = on.property(ID)?;
    let id = on.id.clone();
    let owned = job.clone();
    let first = job.find(
        property,
        &on.id,
        Box::new(move |header| {
            let header = header.ok_or_else(|| not_found("purchase agreement", &id, &owned.company))?;
            let id = text(&header, ID).to_owned();
            let job = owned.clone();
            Ok(owned.lines(
                &id.clone(),
                Box::new(move |there| {
                    let mut changes = header_changes(&job.place(&id), &job.draft.header, &header)?;
                    changes.extend(job.line_changes(&id, &there, true)?);
                    Ok(check(&job.service, changes, Box::new(|validation, _| Ok(done(validation.json())))))
                }),
            ))
        }),
    );
    Ok(Dialogue::new(service, first))
}

/// Makes an agreement in four steps (see this folder's head) and yields `{"agreementId":…,"validation":…}`, `validation` as of
/// [`validate`]. Where it has findings the header is still on hold: correct the draft and call again. `AgreementOwnership` becomes
/// `CLM` where the draft does not say it. Lines which a header on hold has beyond the draft stay.
///
/// # Errors
/// `INVALID_ARGUMENT` without `ExternalContractId`, by which a repeat finds the header; `UNKNOWN_PROPERTY`; before anything is sent.
/// From the conversation `VALIDATION_FAILED` where the header itself is refused, `CONFLICT` where an agreement with that id is closed,
/// `OUTCOME_UNKNOWN` where an answer was lost and nothing is to be seen.
pub fn create(service: &Service, draft: Draft) -> Result<Told> {
    let job = Job::new(service, None, draft)?;
    let external = text(&job.draft.header, EXTERNAL).to_owned();
    if external.trim().is_empty() {
        return Err(Error::argument("the header needs an ExternalContractId").at_column(EXTERNAL).hint(
            "It is the agreement's id in the contract system; a repeated call finds the header by it.",
        ));
    }
    if job.last_status() == "Closed" {
        return Err(Error::argument("an agreement is not made closed").at_column(STATUS));
    }
    let made = spec(Op::Create, HEADERS, None, Some(job.first_header())).shape(&job.service)?;
    let owned = job.clone();
    let first = job.find(
        EXTERNAL,
        &external.clone(),
        Box::new(move |found| match found {
            Some(header) => owned.found(header),
            None => {
                let (job, service) = (owned.clone(), owned.service.clone());
                let look = Box::new(move |then: After<Option<Row>>| owned.find(EXTERNAL, &external, then));
                Ok(make(&service, made, look, Box::new(move |header| job.found(header))))
            }
        }),
    );
    Ok(Dialogue::new(service, first))
}

impl Job {
    fn last_status(&self) -> &str {
        Some(text(&self.draft.header, STATUS)).filter(|status| !status.is_empty()).unwrap_or("Effective")
    }

    fn first_header(&self) -> Map<String, Value> {
        let mut header = self.draft.header.clone();
        header.insert(STATUS.to_owned(), "OnHold".into());
        for (name, value) in [(COMPANY, self.company.as_str()), (OWNERSHIP, "CLM")] {
            if text(&header, name).is_empty() {
                header.insert(name.to_owned(), value.into());
            }
        }
        header
    }

    /// The header is there: one that is on hold is not ready.
    fn found(self: Rc<Self>, header: Row) -> Result<Next> {
        let id = text(&header, ID).to_owned();
        if id.is_empty() {
            return Err(Error::new(
                ErrorCode::ServiceError,
                "the header that was made has no PurchaseAgreementId",
            ));
        }
        match text(&header, STATUS) {
            "OnHold" => {}
            "Closed" => {
                return Err(Error::new(
                    ErrorCode::Conflict,
                    format!("the agreement {id} with this ExternalContractId is closed"),
                )
                .hint("Give the new agreement an id of its own."));
            }
            _ => return Ok(created(&id, &Validation::good())),
        }
        // What was corrected since an earlier call was refused.
        let mut wanted = self.first_header();
        wanted.remove(ID);
        let changes = header_changes(&self.place(&id), &wanted, &header)?;
        match changes.into_iter().next() {
            None => self.with_lines(id),
            Some(change) => {
                let (job, refused) = (self.clone(), id.clone());
                self.write(change.spec, &refused, Box::new(move || job.with_lines(id)))
            }
        }
    }

    fn with_lines(self: Rc<Self>, id: String) -> Result<Next> {
        let job = self.clone();
        Ok(self.lines(
            &id.clone(),
            Box::new(move |there| {
                let changes = job.line_changes(&id, &there, false)?;
                if changes.is_empty() {
                    return job.last(id, Validation::good());
                }
                let service = job.service.clone();
                Ok(check(
                    &service,
                    changes,
                    Box::new(move |validation, changes| {
                        if validation.refuses() {
                            return Ok(created(&id, &validation));
                        }
                        let job2 = job.clone();
                        let told = id.clone();
                        let left = Box::new({
                            let (job, id) = (job.clone(), id.clone());
                            move |then: After<bool>| {
                                let (of, number) = (job.clone(), id.clone());
                                job.lines(
                                    &id,
                                    Box::new(move |there| {
                                        then(of.line_changes(&number, &there, false)?.is_empty())
                                    }),
                                )
                            }
                        });
                        send_all(
                            &job.service,
                            changes,
                            left,
                            Box::new(move |refusal| match refusal {
                                // The change set is itself a check of what could not be checked before.
                                None => job2.last(id, Validation::good()),
                                Some(found) => Ok(created(&told, &found)),
                            }),
                        )
                    }),
                ))
            }),
        ))
    }

    /// The last step, which makes it count.
    fn last(self: Rc<Self>, id: String, validation: Validation) -> Result<Next> {
        if self.last_status() == "OnHold" {
            return Ok(created(&id, &validation));
        }
        let status = Map::from_iter([(STATUS.to_owned(), Value::from(self.last_status()))]);
        let key = key(&self.service, HEADERS, &self.company, &[(ID, id.as_str().into())]);
        let update = spec(Op::Update, HEADERS, Some(key), Some(status));
        let told = id.clone();
        self.write(update, &id, Box::new(move || Ok(created(&told, &validation))))
    }

    /// A change of the header. Refused, it is a finding.
    fn write(
        self: Rc<Self>,
        update: OperationSpec,
        id: &str,
        then: Box<dyn FnOnce() -> Result<Next>>,
    ) -> Result<Next> {
        let id = id.to_owned();
        let shaped = update.shape(&self.service)?;
        Ok(super::talk::ask(
            &self.service,
            shaped,
            Box::new(move |outcome| match outcome {
                Ok(_) => then(),
                Err(failure) if is_refusal(&failure.error) => {
                    Ok(created(&id, &refused(&failure.error, None, Some(&update))))
                }
                Err(failure) => Err(failure.error),
            }),
        ))
    }
}

fn created(id: &str, validation: &Validation) -> Next {
    done(json!({ "agreementId": id, "validation": validation.json() }))
}

/// Validates what differs between the draft and the agreement, and sends it in one change set: the draft's header properties, lines
/// that are new or have other values, and deletions of lines that the draft lacks. Nothing is sent where something is found. Yields
/// `{"changed":[…],"validation":…}`: `"header.PaymentTermsName"`, `"line 2.CommittedQuantity"`, `"line 3 (new)"`, `"line 4 (deleted)"`
/// by `LineNumber`; of this call alone.
///
/// # Errors
/// As for [`validate`]; `OUTCOME_UNKNOWN` where the answer was lost and the changes are not to be seen.
pub fn amend(service: &Service, of: &RecordRef, draft: Draft) -> Result<Told> {
    let job = Job::new(service, of.company.as_deref(), draft)?;
    let property = of.property(ID)?;
    let wanted = of.id.clone();
    let owned = job.clone();
    Ok(Dialogue::new(
        service,
        job.find(
            property,
            &of.id,
            Box::new(move |header| {
                let header =
                    header.ok_or_else(|| not_found("purchase agreement", &wanted, &owned.company))?;
                owned.differing(
                    text(&header, ID).to_owned(),
                    header,
                    Box::new(|job, id, changes| job.amended(id, changes)),
                )
            }),
        ),
    ))
}

type Differing = Box<dyn FnOnce(Rc<Job>, String, Vec<Change>) -> Result<Next>>;

impl Job {
    /// All that differs between the draft and what is there.
    fn differing(self: Rc<Self>, id: String, header: Row, then: Differing) -> Result<Next> {
        let job = self.clone();
        Ok(self.lines(
            &id.clone(),
            Box::new(move |there| {
                let mut changes = header_changes(&job.place(&id), &job.draft.header, &header)?;
                changes.extend(job.line_changes(&id, &there, true)?);
                then(job, id, changes)
            }),
        ))
    }

    fn amended(self: Rc<Self>, id: String, changes: Vec<Change>) -> Result<Next> {
        if changes.is_empty() {
            return Ok(amendment(&[], &Validation::good()));
        }
        let service = self.service.clone();
        Ok(check(
            &service,
            changes,
            Box::new(move |validation, changes| {
                if validation.refuses() {
                    return Ok(amendment(&[], &validation));
                }
                let names: Vec<String> = changes.iter().flat_map(|change| change.changed.clone()).collect();
                let job = self.clone();
                let left = Box::new(move |then: After<bool>| {
                    job.clone().find(
                        ID,
                        &id.clone(),
                        Box::new(move |header| match header {
                            None => then(false),
                            Some(header) => job.differing(
                                id,
                                header,
                                Box::new(move |_, _, changes| then(changes.is_empty())),
                            ),
                        }),
                    )
                });
                send_all(
                    &self.service,
                    changes,
                    left,
                    Box::new(move |refusal| {
                        Ok(match refusal {
                            None => amendment(&names, &Validation::good()),
                            Some(found) => amendment(&[], &found),
                        })
                    }),
                )
            }),
        ))
    }
}

fn amendment(changed: &[String], validation: &Validation) -> Next {
    done(json!({ "changed": changed, "validation": validation.json() }))
}

/// All changes in one change set; goes on with what the service found against them. After a lost answer `left` tells whether they are
/// there.
fn send_all(
    service: &Service,
    changes: Vec<Change>,
    left: Box<dyn FnOnce(After<bool>) -> Next>,
    then: After<Option<Validation>>,
) -> Result<Next> {
    let specs: Vec<OperationSpec> = changes.iter().map(|change| change.spec.clone()).collect();
    let options = BatchOptions { atomic: true, ..BatchOptions::default() };
    let request = batch_request(service, &specs, options)?;
    let (owned, kept) = (service.clone(), request.clone());
    Ok(Then::ask(service, request, Repeat::IfUnprocessed, move |outcome| {
        let response = match outcome {
            Ok(response) => response,
            Err(failure) if failure.maybe_processed && leaves_open(&failure.error) => {
                return Ok(left(Box::new(move |there| match there {
                    true => then(None),
                    false => Err(unknown(&failure.error)),
                })));
            }
            Err(failure) => return Err(failure.error),
        };
        let Answer::Batch(results) = read_answer(&owned, &kept, &response)? else {
            return Err(Error::new(ErrorCode::ServiceError, "the answer is no batch"));
        };
        let mut found: Option<Validation> = None;
        for (at, result) in results.into_iter().enumerate() {
            let Err(error) = result else { continue };
            if !is_refusal(&error) {
                return Err(error);
            }
            // All of them fail together. The one at fault names itself, or nobody knows it.
            let own = error.at.as_deref().and_then(|at| at.line).map(|line| line == at as u64 + 1);
            if own != Some(false) && found.is_none() {
                let guilty = changes.get(at).filter(|_| own.is_some() || changes.len() == 1);
                let line = guilty.and_then(|change| change.line);
                found = Some(refused(&error, line, guilty.map(|change| &change.spec)));
            }
        }
        then(found)
    }))
}

/// One agreement as it is stored, `{"header":…,"lines":[…]}` in the order of their numbers, or nothing. It can go into [`amend`], and
/// changes nothing then.
///
/// # Errors
/// `INVALID_ARGUMENT` without id or company; from the conversation `NOT_FOUND` where the environment has no such entity set.
pub fn get(service: &Service, of: &RecordRef) -> Result<Told> {
    let company = company(service, of.company.as_deref())?;
    let owned = service.clone();
    let of_lines = company.clone();
    let first = find(
        service,
        HEADERS,
        &company,
        of.property(ID)?,
        &of.id,
        Box::new(move |header| {
            let Some(header) = header else { return Ok(Then::Done(None)) };
            let id = text(&header, ID).to_owned();
            Ok(lines(
                &owned,
                &of_lines,
                &id,
                Box::new(move |lines| Ok(done(json!({ "header": header, "lines": lines })))),
            ))
        }),
    );
    Ok(Dialogue::new(service, first))
}

/// Closes an agreement, as a contract that was terminated asks for. One that is closed already stays so.
///
/// # Errors
/// `INVALID_ARGUMENT` without id or company; from the conversation `NOT_FOUND`, `VALIDATION_FAILED`.
pub fn close(service: &Service, of: &RecordRef) -> Result<Told> {
    let company = company(service, of.company.as_deref())?;
    of.property(ID)?;
    if of.external {
        return Err(Error::argument("an agreement is closed by its PurchaseAgreementId"));
    }
    let key = key(service, HEADERS, &company, &[(ID, of.id.as_str().into())]);
    let closed = Map::from_iter([(STATUS.to_owned(), Value::from("Closed"))]);
    let shaped = spec(Op::Update, HEADERS, Some(key), Some(closed)).shape(service)?;
    Ok(Dialogue::new(service, tell(service, shaped, || Ok(Then::Done(None)))))
}
