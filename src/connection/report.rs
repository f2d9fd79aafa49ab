//! What was seen, and what it means together with the token's claims.

use serde_json::{Map, Value};

use super::asks::INSTANCES;
use super::claims::{Claims, SKEW, Token};
use super::codes::Code;
use super::finding::Finding;
use crate::http::{Response, Timestamp};
use crate::odata::{Service, items_of};

/// What the questions brought to light.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Seen {
    pub(super) service: Option<Service>,
    pub(super) findings: Vec<Finding>,
    /// Where the service sends callers without a token.
    tenant: Option<String>,
    /// The service does not take the token.
    pub(super) rejected: bool,
    pub(super) readable: usize,
    pub(super) refused: Vec<&'static str>,
    pub(super) missing: Vec<&'static str>,
    pub(super) projects: Vec<Map<String, Value>>,
    pub(super) lines: Vec<Map<String, Value>>,
    skew: bool,
}

impl Seen {
    /// What the address alone tells.
    pub(super) fn of(service: &Service) -> Self {
        let mut seen = Self { service: Some(service.clone()), ..Self::default() };
        let base = service.base();
        let (host, path) = base
            .split_once("://")
            .map(|(_, rest)| rest.split_once('/').unwrap_or((rest, "")))
            .unwrap_or_default();
        // …crm.dynamics.com, …crm4.dynamics.com, …api.crm.dynamics.com.
        let labels = host.strip_suffix(".dynamics.com").unwrap_or_default();
        let area = labels.rsplit('.').next().unwrap_or_default();
        if area.strip_prefix("crm").is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit())) {
            let message = format!("{host} is a Dataverse host, not one of Supply Chain Management");
            seen.findings.push(Finding::new(Code::HostDataverse, message));
        } else if !path.is_empty() && !path.to_ascii_lowercase().starts_with("namespaces/") {
            let message = format!("the base URL has the path /{path}");
            seen.findings.push(Finding::new(Code::Path, message));
        }
        seen
    }

    /// The findings, with what the token says of itself.
    #[must_use]
    pub fn report(self, token: &Token, now: Timestamp) -> Vec<Finding> {
        let Self { service, mut findings, tenant, rejected, readable, refused, missing, skew, .. } = self;
        let accepted = !rejected && readable + refused.len() + missing.len() > 0;
        let claims = token.claims();
        let mut of_token = match (&service, token) {
            (Some(service), Token::Read(claims)) => {
                claims.findings(service, tenant.as_deref(), accepted, now)
            }
            (_, Token::Unreadable) => {
                vec![Finding::new(Code::TokenUnreadable, "the token is no readable JWT")]
            }
            _ => Vec::new(),
        };
        if rejected {
            let message = match (token, &tenant) {
                (Token::Absent, _) => "no token was sent, and the service wants one".to_owned(),
                (_, Some(tenant)) => {
                    format!("the service does not take the token; it sends callers to the tenant {tenant}")
                }
                _ => "the service does not take the token".to_owned(),
            };
            of_token.push(Finding::new(Code::TokenRejected, message));
        }
        findings.extend(of_token);
        if readable == 0 && !refused.is_empty() && missing.is_empty() {
            findings.push(not_registered(claims));
        } else {
            findings.extend(refused.into_iter().map(|collection| {
                let message = format!("{collection} is refused (HTTP 403)");
                Finding::new(Code::Role, message).entity(collection)
            }));
        }
        findings.extend(absent(&missing));
        if skew {
            findings.push(Finding::new(
                Code::Clock,
                "this machine's clock and the service's differ by more than 5 minutes",
            ));
        }
        findings
    }

    pub(super) fn clock(&mut self, response: &Response, now: Timestamp) {
        if let Some(theirs) = response.header("date").and_then(Timestamp::parse_http_date) {
            let apart = theirs.since(now).max(now.since(theirs));
            self.skew |= apart.as_secs() > SKEW;
        }
    }

    /// `…/{tenant}/oauth2/authorize`, in the header of the redirect or of the challenge.
    pub(super) fn sign_in(&mut self, response: &Response) {
        let told = response.header("location").or_else(|| response.header("www-authenticate"));
        let before = told.and_then(|told| told.split("/oauth2/").next().filter(|part| *part != told));
        let tenant = before.and_then(|before| before.rsplit('/').next());
        // A name like "common" says nothing.
        self.tenant = tenant.filter(|tenant| tenant.len() == 36).map(str::to_owned);
    }

    pub(super) fn instance(&mut self, response: &Response) {
        let rows = items_of(response).unwrap_or_default();
        let first = rows.first();
        let status = |name: &str| {
            first
                .and_then(|row: &Map<String, Value>| row.get(name))
                .and_then(Value::as_str)
                .unwrap_or("NotStarted")
        };
        let (established, configured) = (status("EstablishmentStatus"), status("ConfigurationStatus"));
        if established != "Success" || configured != "Success" {
            let message = match first {
                Some(_) => format!("establishment: {established}, configuration: {configured}"),
                None => "there is no service instance yet".to_owned(),
            };
            self.findings.push(Finding::new(Code::NotEstablished, message));
        }
    }
}

fn not_registered(claims: Option<&Claims>) -> Finding {
    let id = claims
        .and_then(|claims| claims.application.as_deref())
        .unwrap_or("the application (client) id of the registration in Microsoft Entra");
    let mut finding = Finding::new(
        Code::AppNotRegistered,
        "the token is valid, but the environment knows no user for this application",
    );
    finding.hint.push_str(&format!(
        " Client ID: {id}. Name: any, for example the product's. User ID: a user made for the integration, with the role \
         CLM integration role."
    ));
    finding
}

/// All of them missing is another matter than one.
fn absent(missing: &[&'static str]) -> Vec<Finding> {
    let is_clm = |name: &&str| name.starts_with("CLMIntegration");
    let off = missing.contains(&INSTANCES);
    let mut found = Vec::new();
    if off {
        found.push(Finding::new(
            Code::FeatureOff,
            format!("{INSTANCES} and {} further CLM entities are not there (HTTP 404)", {
                missing.iter().filter(|name| is_clm(name)).count() - 1
            }),
        ));
    }
    found.extend(missing.iter().filter(|name| !(off && is_clm(name))).map(|name| {
        Finding::new(Code::EntityMissing, format!("{name} is not there (HTTP 404)")).entity(*name)
    }));
    found
}
