//! The questions, one after another. Each is asked only where the ones before leave sense in it.

use std::collections::VecDeque;
use std::time::Duration;

use super::codes::Code;
use super::finding::Finding;
use super::management::{ENTITIES, LINES, PROJECTS, entity_filter, judge};
use super::report::Seen;
use crate::dmf::{azure_write_url, look_at_blob};
use crate::error::{Error, ErrorCode};
use crate::http::{
    Exchange, Failure, Input, Machine, Method, Polled, Repeat, Request, Response, Session, Step, Timestamp,
    redact_url,
};
use crate::odata::{Service, failure_of, inner_text, items_of};

/// A doctor does not wait for long.
const ATTEMPTS: u32 = 2;
const BUDGET: Duration = Duration::from_secs(30);

/// The entities of the integration. The first two decide whether there is anybody at all.
const COLLECTIONS: [&str; 23] = [
    "LegalEntities",
    "CLMIntegrationServiceInstances",
    "CLMIntegrationContractTypes",
    "CLMIntegrationContracts",
    "CLMIntegrationPurchaseAgreements",
    "CLMIntegrationPurchaseAgreementLines",
    "CLMIntegrationReleasedProducts",
    "CLMIntegrationAddressCountryRegions",
    "VendorsV2",
    "ContactPersons",
    "OperationalSitesV2",
    "Warehouses",
    "ProcurementProductCategories",
    "ReleasedProductVariantsV2",
    "UnitsOfMeasure",
    "PaymentTerms",
    "Currencies",
    "VendorPaymentMethods",
    "PaymentSchedules",
    "DeliveryTerms",
    "Projects",
    "CashDiscounts",
    "CLMIntegrationExternalNavigationLinks",
];
const COMPANIES: &str = "LegalEntities";
pub(super) const INSTANCES: &str = "CLMIntegrationServiceInstances";

/// The conversation. It changes nothing in the environment.
#[derive(Debug)]
pub struct Diagnosis {
    service: Service,
    session: Session,
    to_do: VecDeque<Question>,
    asking: Option<(Question, Exchange)>,
    seen: Seen,
}

#[derive(Debug, Clone)]
enum Question {
    /// Without a token: is anybody there, and of which tenant?
    Front,
    Read(&'static str),
    /// A read was answered 401: is it the token, or the missing row?
    Document,
    Projects,
    Lines,
    Entities,
    WriteUrl,
    Blob(Request),
}

impl Diagnosis {
    /// A conversation of about 30 small requests, none of which waits for more than 30 s in all.
    #[must_use]
    pub fn new(service: &Service) -> Self {
        let mut session = service.session();
        session.policy.attempts = session.policy.attempts.min(ATTEMPTS);
        session.policy.budget = session.policy.budget.min(BUDGET);
        let seen = Seen::of(service);
        let mut to_do = VecDeque::new();
        // Of the wrong product's host everything else follows.
        if seen.findings.iter().all(|finding| finding.code != Code::HostDataverse) {
            to_do.push_back(Question::Front);
            to_do.extend(COLLECTIONS.into_iter().map(Question::Read));
            to_do.extend([Question::Projects, Question::Lines, Question::Entities, Question::WriteUrl]);
        }
        Self { service: service.clone(), session, to_do, asking: None, seen }
    }

    fn request(&self, question: &Question) -> Request {
        let get = |url: &str| self.service.request(Method::Get, url);
        match question {
            Question::Front | Question::Document => {
                let mut request = get("");
                request.url.truncate(request.url.trim_end_matches('/').len());
                request.bearer = matches!(question, Question::Document);
                request
            }
            Question::Read(collection) => get(&format!("{collection}?$top=1&cross-company=true")),
            Question::Projects => get(PROJECTS),
            Question::Lines => get(&format!("{LINES}&$filter={}", entity_filter())),
            Question::Entities => get(&format!("{ENTITIES}&$filter={}", entity_filter())),
            Question::WriteUrl => azure_write_url(&self.service, "d365-clm-check.zip"),
            Question::Blob(request) => request.clone(),
        }
    }

    fn came(&mut self, question: Question, outcome: Result<Response, Failure>, now: Timestamp) {
        if let Ok(response) = &outcome {
            self.seen.clock(response, now);
        }
        match (question, outcome) {
            (Question::Front, outcome) => self.front(outcome),
            (Question::Blob(request), outcome) => self.blob(&request, outcome),
            (_, Err(failure)) => self.broke_off(&failure.error),
            (Question::Read(_), Ok(response)) if response.status == 401 => {
                self.to_do.clear();
                self.to_do.push_back(Question::Document);
            }
            (_, Ok(response)) if response.is_sign_in() => {
                self.seen.rejected = true;
                self.to_do.clear();
            }
            // The document answers for any valid token, entities only for one of a registered application.
            (Question::Document, Ok(_)) => self.seen.refused.push(COMPANIES),
            (Question::Read(collection), Ok(response)) => self.read(collection, &response),
            (Question::WriteUrl, Ok(response)) => self.write_url(&response),
            (question, Ok(response)) => self.management(&question, &response),
        }
    }

    fn front(&mut self, outcome: Result<Response, Failure>) {
        let response = match outcome {
            Ok(response) => response,
            Err(failure) => return self.broke_off(&failure.error),
        };
        self.seen.sign_in(&response);
        if let Some(refused) = relay_code(&response) {
            return self.end(Finding::new(Code::Relay, format!("the relay answers {refused}")));
        }
        match response.status {
            404 => self.end(Finding::new(
                Code::NotFound,
                format!("{}/data: the host answers, and knows nothing there (HTTP 404)", self.service.base()),
            )),
            407 => self.end(Finding::new(Code::Proxy, "a proxy wants a sign-in (HTTP 407)")),
            status @ (429 | 500..) => self.end(unavailable(status)),
            _ => {}
        }
    }

    fn read(&mut self, collection: &'static str, response: &Response) {
        match response.status {
            200 => {
                if collection == INSTANCES {
                    self.seen.instance(response);
                }
                self.seen.readable += 1;
            }
            403 if relay_code(response).is_some() => {
                self.end(Finding::new(
                    Code::Relay,
                    format!("the relay answers {}", relay_code(response).unwrap_or_default()),
                ));
            }
            403 => self.seen.refused.push(collection),
            404 => self.seen.missing.push(collection),
            429 | 502..=504 => return self.end(unavailable(response.status)),
            _ => {
                let error = failure_of(response, &self.request(&Question::Read(collection)));
                let said = format!("{collection} (HTTP {}): {}", response.status, error.message);
                self.seen.findings.push(Finding::new(Code::ReadFailed, said).entity(collection));
            }
        }
        // Whoever may read neither has no user there.
        let first_two = collection == INSTANCES;
        if first_two && self.seen.refused == [COMPANIES, INSTANCES] {
            self.to_do.clear();
        }
    }

    fn management(&mut self, question: &Question, response: &Response) {
        match response.status {
            200 => {
                let rows = items_of(response).unwrap_or_default();
                match question {
                    Question::Projects => self.seen.projects = rows,
                    Question::Lines => self.seen.lines = rows,
                    _ => {
                        let found = judge(&self.seen.projects, &self.seen.lines, &rows);
                        self.seen.findings.extend(found);
                    }
                }
            }
            403 => {
                self.seen.findings.push(Finding::new(
                    Code::DataManagement,
                    "data projects and the list of data entities are refused (HTTP 403)",
                ));
                // The actions are of the same rights.
                self.to_do.clear();
            }
            status => {
                let error = failure_of(response, &self.request(question));
                let said = format!("data management (HTTP {status}): {}", error.message);
                self.seen.findings.push(Finding::new(Code::ReadFailed, said));
            }
        }
    }

    fn write_url(&mut self, response: &Response) {
        let looked = match response.status {
            200 => inner_text(response.text().unwrap_or_default())
                .and_then(|text| look_at_blob(&self.service, &text)),
            403 => {
                return self
                    .seen
                    .findings
                    .push(Finding::new(Code::DataManagement, "the package actions are refused (HTTP 403)"));
            }
            _ => Err(failure_of(response, &self.request(&Question::WriteUrl))),
        };
        match looked {
            Ok(request) => self.to_do.push_back(Question::Blob(request)),
            Err(error) => {
                let said = format!("the service hands out no URL of its storage: {}", error.message);
                self.seen.findings.push(Finding::new(Code::StorageRefused, said));
            }
        }
    }

    fn blob(&mut self, request: &Request, outcome: Result<Response, Failure>) {
        let shown = redact_url(&request.url);
        let host = shown.split(['/', '?']).nth(2).unwrap_or_default().to_owned();
        let finding = match outcome {
            Err(failure) => {
                Finding::new(Code::StorageUnreachable, format!("{host}: {}", failure.error.message))
            }
            Ok(response) => match (response.status, relay_code(&response)) {
                (_, Some("RELAY_UNREACHABLE")) => {
                    Finding::new(Code::StorageUnreachable, format!("{host}: the relay got no answer from it"))
                }
                (_, Some(refused)) => {
                    Finding::new(Code::Relay, format!("{host}: the relay answers {refused}"))
                }
                (403, None) => {
                    Finding::new(Code::StorageRefused, format!("{host} refuses a fresh signature (HTTP 403)"))
                }
                (status @ 500.., None) => {
                    Finding::new(Code::StorageUnreachable, format!("{host} answers HTTP {status}"))
                }
                // The blob is not there, as it should be.
                _ => return,
            },
        };
        self.seen.findings.push(finding);
    }

    /// No answer: the rest would meet the same.
    fn broke_off(&mut self, error: &Error) {
        let said = error.message.as_str();
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let code = match error.code {
            ErrorCode::CorsOrNetwork => Code::Cors,
            ErrorCode::Timeout => Code::Timeout,
            ErrorCode::AuthRejected => Code::TokenNone,
            _ if has(&["ENOTFOUND", "EAI_AGAIN"]) => Code::Dns,
            _ if has(&["CERT", "ERR_TLS", "ERR_SSL", "EPROTO", "LEAF_SIGNATURE", "certificate"]) => Code::Tls,
            _ => Code::Unreachable,
        };
        self.end(Finding::new(code, said));
    }

    fn end(&mut self, finding: Finding) {
        self.seen.findings.push(finding);
        self.to_do.clear();
    }
}

fn unavailable(status: u16) -> Finding {
    Finding::new(Code::Unavailable, format!("the service answers HTTP {status}"))
}

/// What the relay refused with; none where the answer is the other side's.
fn relay_code(response: &Response) -> Option<&str> {
    response.header("x-d365-clm-relay").filter(|code| !matches!(*code, "RELAY_REDIRECT" | "RELAY_DOCUMENT"))
}

impl Machine for Diagnosis {
    type Output = Seen;

    fn next(&mut self, now: Timestamp) -> Step<Seen> {
        loop {
            if let Some((question, mut exchange)) = self.asking.take() {
                match exchange.next(&self.session, now) {
                    Polled::Io(io) => {
                        self.asking = Some((question, exchange));
                        return io.into();
                    }
                    Polled::Ready(Err(failure)) if failure.error.code == ErrorCode::Aborted => {
                        self.to_do.clear();
                        return Step::Failed(Box::new(failure.error));
                    }
                    Polled::Ready(outcome) => self.came(question, outcome, now),
                }
            }
            let Some(question) = self.to_do.pop_front() else {
                return Step::Done(std::mem::take(&mut self.seen));
            };
            let repeat = match question {
                Question::WriteUrl => Repeat::IfUnprocessed,
                _ => Repeat::Always,
            };
            self.asking = Some((question.clone(), Exchange::new(self.request(&question), repeat)));
        }
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        if let Some((_, exchange)) = &mut self.asking {
            exchange.handle(input, &mut self.session, now);
        }
    }
}
