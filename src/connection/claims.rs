//! What a token says of itself, for findings alone: the service decides whether it is valid.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::codes::Code;
use super::finding::Finding;
use crate::http::{Timestamp, redact_text};
use crate::odata::Service;
use crate::package::Severity;

/// Seconds that two clocks may differ.
pub(super) const SKEW: u64 = 300;
/// Characters of a claim that a message shows.
const SHOWN: usize = 100;

/// The token that the host keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Token {
    /// None: behind a relay that adds it.
    Absent,
    /// One that is no JWT.
    Unreadable,
    /// What it says.
    Read(Claims),
}

impl Token {
    /// Of what the host holds. The signature is not looked at, and nothing of the text is kept but the claims.
    #[must_use]
    pub fn of(held: Option<&str>) -> Self {
        held.map_or(Self::Absent, |token| Claims::of_token(token).map_or(Self::Unreadable, Self::Read))
    }

    pub(super) const fn claims(&self) -> Option<&Claims> {
        match self {
            Self::Read(claims) => Some(claims),
            _ => None,
        }
    }
}

/// The claims of a token that findings tell of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// What the token is for.
    pub audience: Option<String>,
    /// Tenant that issued it.
    pub tenant: Option<String>,
    /// The application's client id.
    pub application: Option<String>,
    /// Whether the token names a principal of the tenant.
    pub principal: bool,
    /// End of its life, in seconds since 1970.
    pub expires: Option<u64>,
    /// Beginning of its life, in seconds since 1970.
    pub valid_from: Option<u64>,
}

impl Claims {
    /// Reads the middle part of a JWT; none where it is no JWT.
    fn of_token(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let claims: Value = serde_json::from_slice(&bytes).ok()?;
        let claims = claims.as_object()?;
        let text = |name: &str| {
            let value = claims.get(name).and_then(Value::as_str)?;
            Some(redact_text(&value.chars().take(SHOWN).collect::<String>()))
        };
        // Some issuers write times with a fraction.
        let seconds = |name: &str| {
            let text = claims.get(name)?.to_string();
            text.split('.').next()?.parse().ok()
        };
        Some(Self {
            audience: text("aud"),
            tenant: text("tid"),
            application: text("appid").or_else(|| text("azp")),
            principal: claims.contains_key("oid"),
            expires: seconds("exp"),
            valid_from: seconds("nbf"),
        })
    }

    /// What of it can't be right for this environment.
    pub(super) fn findings(
        &self,
        service: &Service,
        tenant: Option<&str>,
        accepted: bool,
        now: Timestamp,
    ) -> Vec<Finding> {
        let mut found = Vec::new();
        let doubtful = if accepted { Severity::Warning } else { Severity::Error };
        let resource = service.resource();
        if let Some(audience) = self.audience.as_ref().filter(|audience| **audience != resource) {
            let message = format!("the token is for \"{audience}\", the environment is \"{resource}\"");
            found.push(Finding::new(Code::TokenAudience, message).severity(doubtful));
        }
        if let (Some(own), Some(theirs)) = (&self.tenant, tenant)
            && !own.eq_ignore_ascii_case(theirs)
            && !accepted
        {
            let message = format!("the token is of the tenant {own}, the environment's is {theirs}");
            found.push(Finding::new(Code::TokenTenant, message));
        }
        let seconds = now.as_millis() / 1_000;
        if let Some(end) = self.expires.filter(|end| *end <= seconds && !accepted) {
            found.push(Finding::new(
                Code::TokenExpired,
                format!("the token's life ended {} s ago", seconds - end),
            ));
        }
        if let Some(start) =
            self.valid_from.filter(|start| *start > seconds.saturating_add(SKEW) && !accepted)
        {
            found.push(Finding::new(
                Code::TokenEarly,
                format!("the token's life begins in {} s", start - seconds),
            ));
        }
        if !self.principal {
            let finding =
                Finding::new(Code::TokenPrincipal, "the token names no principal of the tenant (no oid)");
            found.push(finding.severity(doubtful));
        }
        found
    }
}
