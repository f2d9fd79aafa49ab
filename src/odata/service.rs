//! The environment that requests go to.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::uri::{is_loopback, origin};
use crate::catalog::{self, Catalog, Entity};
use crate::error::{Error, Result};
use crate::fields::{FromValue, deserialize, word};
use crate::http::{Method, Patience, Request, RetryPolicy, Session};

/// One environment of the service, and how it is spoken to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Service {
    base: String,
    /// Company of rows and runs where a call names none.
    pub company: Option<String>,
    /// How failed requests are repeated.
    pub policy: RetryPolicy,
    /// For ordinary calls. Default 100 s.
    pub timeout: Duration,
    /// For import and export calls, which answer late. Default 600 s.
    pub submit_timeout: Duration,
    /// How Int64 and Decimal come back.
    pub numbers: Numbers,
    /// What all conversations with this service share, those of its clones too.
    pub patience: Patience,
    catalog: Option<Arc<Catalog>>,
}

/// How Int64 and Decimal come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Numbers {
    /// As text, nothing lost.
    #[default]
    String,
    /// As JSON numbers: a reader that knows floats only loses digits.
    Number,
    /// Int64 as `{"$int64":"…"}`, of which JavaScript makes a `BigInt`; Decimal as text.
    BigInt,
}

deserialize!(Numbers);

impl FromValue for Numbers {
    fn from_value(value: Value) -> Result<Self, String> {
        word(&value, &[("string", Self::String), ("number", Self::Number), ("bigint", Self::BigInt)])
    }
}

impl Service {
    /// `https://contoso.operations.dynamics.com`, or on-premises `https://host/namespaces/AXSF`; plain `http` for loopback
    /// only. A trailing slash and a trailing `/data` are taken off.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for any other URL.
    pub fn new(base_url: &str, company: Option<&str>) -> Result<Self> {
        let company = company.filter(|company| !company.is_empty()).map(str::to_owned);
        Ok(Self {
            base: parse_base(base_url)?,
            company,
            policy: RetryPolicy::default(),
            timeout: Duration::from_secs(100),
            submit_timeout: Duration::from_secs(600),
            numbers: Numbers::default(),
            patience: Patience::new(0x9E37_79B9_7F4A_7C15),
            catalog: None,
        })
    }

    /// The root without trailing slash.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What a token must be for: the root's origin, lower case, no trailing slash ("Troubleshoot service authentication").
    #[must_use]
    pub fn resource(&self) -> String {
        origin(&self.base).unwrap_or_default()
    }

    /// A fresh session for one conversation.
    #[must_use]
    pub fn session(&self) -> Session {
        Session::new(self.policy, self.patience.clone())
    }

    /// Knows the entities of this catalogue in place of the built-in one.
    #[must_use]
    pub fn with_catalog(mut self, catalog: Arc<Catalog>) -> Self {
        self.catalog = Some(catalog);
        self
    }

    /// The catalogue in force.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        self.catalog.as_deref().unwrap_or_else(|| catalog::builtin())
    }

    pub(super) fn entity(&self, collection: &str) -> Result<Option<Arc<Entity>>> {
        let valid = collection.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if valid && !collection.is_empty() {
            return Ok(self.catalog().collection(collection).cloned());
        }
        let error =
            Error::new(crate::ErrorCode::UnknownEntity, format!("\"{collection}\" is no OData collection"));
        Err(match self.catalog().find(collection).and_then(|entity| entity.collection.as_deref()) {
            Some(name) => error.hint(format!("That is a label; its collection is \"{name}\".")),
            None => error.hint("An entity set has a name of letters and digits, for example VendorsV2."),
        })
    }

    pub(crate) fn request(&self, method: Method, path_and_query: &str) -> Request {
        let mut request = Request::new(method, format!("{}/data/{path_and_query}", self.base))
            .header("accept", "application/json")
            .header("odata-version", "4.0")
            .header("odata-maxversion", "4.0");
        request.timeout = self.timeout;
        request
    }
}

fn parse_base(url: &str) -> Result<String> {
    let refuse = |why: &str| {
        Error::argument(format!("the base URL is not usable: {why}"))
            .hint("It looks like https://contoso.operations.dynamics.com, without path; on-premises https://host/namespaces/AXSF.")
    };
    let url = url.trim();
    let Some(origin) = origin(url) else {
        return Err(refuse("it needs http or https, a host, and no user name"));
    };
    let (_, rest) = url.split_once("://").ok_or_else(|| refuse("it has no scheme"))?;
    if rest.contains(['?', '#']) {
        return Err(refuse("it has a query"));
    }
    if origin.starts_with("http://") && !is_loopback(&origin) {
        return Err(refuse("plain http is for loopback only"));
    }
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default().trim_end_matches('/');
    let path = path.strip_suffix("/data").unwrap_or(path).trim_end_matches('/');
    Ok(format!("{origin}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;

    #[test]
    fn the_base_is_the_root_without_trailing_slash() {
        let base = |url| Service::new(url, None).map(|service| service.base().to_owned());
        assert_eq!(
            base("https://Contoso.operations.dynamics.com/").unwrap(),
            "https://contoso.operations.dynamics.com"
        );
        assert_eq!(base("https://c.example:443/data/").unwrap(), "https://c.example");
        assert_eq!(base("https://h/namespaces/AXSF/").unwrap(), "https://h/namespaces/AXSF");
        assert_eq!(base("http://127.0.0.1:8080").unwrap(), "http://127.0.0.1:8080");
        assert_eq!(base("http://[::1]:8080").unwrap(), "http://[::1]:8080");
        for url in
            ["http://c.example", "c.example", "https://", "https://u@c.example", "https://c.example?x=1"]
        {
            assert_eq!(base(url).unwrap_err().code, ErrorCode::InvalidArgument, "{url}");
        }
    }

    #[test]
    fn a_token_is_for_the_origin_alone() {
        let service = Service::new("https://H.example:443/namespaces/AXSF", None).unwrap();
        assert_eq!(service.resource(), "https://h.example");
    }

    #[test]
    fn a_label_in_place_of_a_collection_is_told() {
        let service = Service::new("https://c.example", None).unwrap();
        let error = service.entity("Vendors V2").unwrap_err();
        assert_eq!(error.code, ErrorCode::UnknownEntity);
        assert!(error.hint.as_deref().unwrap().contains("VendorsV2"));
        assert!(service.entity("SomethingElse").unwrap().is_none());
    }
}
