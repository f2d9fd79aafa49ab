//! What the conversations of this folder share: records by condition, creation that may be repeated, keys as the metadata has them.

use serde_json::{Map, Value};

use crate::catalog::{EdmType, Property};
use crate::error::{Error, ErrorCode, Result};
use crate::fields::{Fields, FromValue, deserialize};
use crate::http::{Failure, Method};
use crate::odata::dialogue::{Row, Then, all_records};
use crate::odata::{
    Answer, Dialogue, Numbers, Op, OperationSpec, Query, Service, Shaped, encode_query, leaves_open, quote,
};

/// A conversation that ends with JSON, or with nothing.
pub type Told = Dialogue<Option<String>>;

pub(super) type Next = Then<Option<String>>;
/// What follows on a value.
pub(super) type After<T> = Box<dyn FnOnce(T) -> Result<Next>>;

/// Said where an entity set of the integration is missing.
pub(super) const NOT_HERE: &str = "The environment has no such entity set: the integration needs Supply Chain Management 10.0.42 or later, and in \
     feature management \"(Preview) Integrate with external contract lifecycle management systems\".";
const AGAIN: &str = "Make the same call again: it looks for what is there first, and goes on from that. Nothing is made twice.";

/// One record of a company, by its own number or by the id that the contract system gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordRef {
    /// The number or id.
    pub id: String,
    /// Whether it is the contract system's id (`ExternalContractId`).
    pub external: bool,
    /// Company of the record; default: the client's.
    pub company: Option<String>,
    /// What the number is of, where the caller said so.
    of: Option<&'static str>,
}

deserialize!(RecordRef);

/// `{"contractId":…}`, `{"agreementId":…}` or `{"externalContractId":…}`, each with `company` or without.
impl FromValue for RecordRef {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let contract = of.text("contractId").map(|id| (id, Some("ContractId")));
        let agreement = of.text("agreementId").map(|id| (id, Some("PurchaseAgreementId")));
        let external = of.text("externalContractId").map(|id| (id, None));
        let company = of.text("company");
        let mut given = [contract, agreement, external].into_iter().flatten();
        let (Some((id, own)), None) = (given.next(), given.next()) else {
            return Err("one of `contractId`, `agreementId` and `externalContractId` is needed".to_owned());
        };
        of.finish(Self { id, external: own.is_none(), company, of: own })
    }
}

impl RecordRef {
    /// By the number of the contract or agreement.
    #[must_use]
    pub fn number(id: impl Into<String>) -> Self {
        Self { id: id.into(), external: false, company: None, of: None }
    }

    /// By `ExternalContractId`.
    #[must_use]
    pub fn external(id: impl Into<String>) -> Self {
        Self { id: id.into(), external: true, company: None, of: None }
    }

    /// In that company.
    #[must_use]
    pub fn in_company(mut self, company: impl Into<String>) -> Self {
        self.company = Some(company.into());
        self
    }

    /// The property that the id is of, where the record's own is called `own`.
    pub(super) fn property(&self, own: &'static str) -> Result<&'static str> {
        if self.id.trim().is_empty() {
            return Err(Error::argument("the id is empty"));
        }
        if let Some(other) = self.of.filter(|other| *other != own) {
            return Err(Error::argument(format!("a {other} is given where a {own} is needed")));
        }
        Ok(if self.external { EXTERNAL } else { own })
    }
}

pub(super) const EXTERNAL: &str = "ExternalContractId";
pub(super) const COMPANY: &str = "dataAreaId";

/// The company of a call.
pub(super) fn company(service: &Service, given: Option<&str>) -> Result<String> {
    let company = given.filter(|company| !company.is_empty()).or(service.company.as_deref());
    company.map(str::to_owned).ok_or_else(|| {
        Error::argument("a company is needed").hint("Name it in the call, or set `company` of the client.")
    })
}

/// For what is compared here: numbers of any length arrive as text.
pub(super) fn exact(service: &Service) -> Service {
    let mut service = service.clone();
    service.numbers = Numbers::String;
    service
}

/// All rows of a collection that fit the condition.
pub(super) fn rows(
    service: &Service,
    collection: &'static str,
    options: &str,
    then: After<Vec<Row>>,
) -> Next {
    let separator = if options.is_empty() { "" } else { "?" };
    let first = service.request(Method::Get, &format!("{collection}{separator}{options}"));
    all_records(service, collection, first).and_then(then)
}

/// The options of a list of one company's rows, `wanted` being names and texts.
pub(super) fn condition(company: &str, wanted: &[(&str, &str)]) -> String {
    let mut filter = format!("{COMPANY} eq {}", quote(company));
    for (name, value) in wanted {
        filter.push_str(&format!(" and {name} eq {}", quote(value)));
    }
    format!("$filter={}&cross-company=true", encode_query(&filter))
}

/// The record whose property has that text. A `*` in it is a wildcard to the service, so what comes is compared here.
pub(super) fn find(
    service: &Service,
    collection: &'static str,
    company: &str,
    name: &'static str,
    wanted: &str,
    then: After<Option<Row>>,
) -> Next {
    let options = condition(company, &[(name, wanted)]);
    let wanted = wanted.to_owned();
    let fits = move |row: &Row| same_text(text(row, name), &wanted);
    rows(service, collection, &options, Box::new(move |rows| then(rows.into_iter().find(fits))))
}

/// One operation that was shaped: its request and the meaning of its answer.
pub(super) fn ask(service: &Service, shaped: Shaped, then: After<Result<Answer, Failure>>) -> Next {
    let (request, repeat) = (shaped.request().clone(), shaped.repeat());
    Then::ask(service, request, repeat, move |outcome| {
        let read =
            |response| shaped.read(&response).map_err(|error| Failure { error, maybe_processed: true });
        then(outcome.and_then(read))
    })
}

/// The same, where nothing but success goes on.
pub(super) fn tell(service: &Service, shaped: Shaped, then: impl FnOnce() -> Result<Next> + 'static) -> Next {
    ask(service, shaped, Box::new(|outcome| outcome.map_err(|failure| failure.error).and_then(|_| then())))
}

/// Creates a record that may be there already. A refusal of any wording, and a lost answer, are followed by `look`: the record that
/// is there then is the one that was wanted.
pub(super) fn make(
    service: &Service,
    shaped: Shaped,
    look: Box<dyn FnOnce(After<Option<Row>>) -> Next>,
    then: After<Row>,
) -> Next {
    ask(
        service,
        shaped,
        Box::new(move |outcome| {
            let failure = match outcome {
                Ok(Answer::Record(Some(record))) => {
                    let mut record = parsed(&record)?;
                    // What a list would not give either.
                    record.shift_remove("@odata.context");
                    return then(record);
                }
                Ok(_) => {
                    return Err(Error::new(ErrorCode::ServiceError, "the answer to a create is no record"));
                }
                Err(failure) => failure,
            };
            let lost = failure.maybe_processed && leaves_open(&failure.error);
            if !lost && !is_refusal(&failure.error) {
                return Err(failure.error);
            }
            Ok(look(Box::new(move |found| match found {
                Some(record) => then(record),
                None if lost => Err(unknown(&failure.error)),
                None => Err(failure.error),
            })))
        }),
    )
}

/// Whether it could not be found out what became of a write.
pub(super) fn unknown(lost: &Error) -> Error {
    let message = format!("{lost}; right after, the service did not show what was sent");
    let mut error = Error::new(ErrorCode::OutcomeUnknown, message).hint(AGAIN);
    error.status = lost.status;
    error.service.clone_from(&lost.service);
    error
}

/// Whether the service's rules refused the data.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(error.code, ErrorCode::ValidationFailed | ErrorCode::Conflict)
}

pub(super) fn spec(
    op: Op,
    entity: &str,
    key: Option<Map<String, Value>>,
    value: Option<Map<String, Value>>,
) -> OperationSpec {
    let json = |map: Map<String, Value>| Value::Object(map).to_string();
    OperationSpec {
        op,
        entity: entity.to_owned(),
        key: key.map(json),
        value: value.map(json),
        query: Query::default(),
        name: String::new(),
        parameters: None,
        if_match: None,
        allow_repeat: false,
    }
}

/// The key of a record: documentation and metadata disagree on its properties, so it is made of those that the schema in force names.
pub(super) fn key(
    service: &Service,
    collection: &str,
    company: &str,
    parts: &[(&str, Value)],
) -> Map<String, Value> {
    let mut key = Map::new();
    for name in
        service.catalog().collection(collection).map(|entity| entity.keys.as_slice()).unwrap_or_default()
    {
        let part = parts.iter().find(|(part, _)| part == name).map(|(_, value)| value.clone());
        let company = || (name == COMPANY || name.ends_with("LegalEntityId")).then(|| Value::from(company));
        if let Some(value) = part.or_else(company) {
            key.insert(name.clone(), value);
        }
    }
    key
}

/// Whether a property has the value already.
pub(super) fn holds(property: Option<&Property>, sent: &Value, stored: Option<&Value>) -> bool {
    const NO_DATE: &str = "1900-01-01T00:00:00Z";
    let stored = match stored {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let sent = match sent {
        Value::Null => return stored.is_empty() || stored == NO_DATE,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match property.map(|property| &property.edm) {
        Some(EdmType::Decimal | EdmType::Double | EdmType::Int32 | EdmType::Int64) => {
            plain(&sent) == plain(&stored)
        }
        // To the letter: a change of case is a change.
        _ => sent.trim_end() == stored.trim_end(),
    }
}

/// Without zeros at the end of a fraction.
pub(super) fn plain(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

/// As keys compare in the service.
pub(super) fn same_text(a: &str, b: &str) -> bool {
    a.trim_end().eq_ignore_ascii_case(b.trim_end())
}

pub(super) fn text<'a>(row: &'a Row, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The text of a value that may be a number.
pub(super) fn number(row: &Row, name: &str) -> String {
    match row.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => plain(text).to_owned(),
        Some(other) => plain(&other.to_string()).to_owned(),
    }
}

pub(super) fn parsed(record: &str) -> Result<Row> {
    serde_json::from_str(record)
        .map_err(|why| Error::new(ErrorCode::ServiceError, format!("the answer can't be read: {why}")))
}

/// The end: an object.
pub(super) fn done(value: Value) -> Next {
    Then::Done(Some(value.to_string()))
}

/// Nothing that travelled with a row, but is no property of it.
pub(super) fn without_notes(row: Map<String, Value>) -> Map<String, Value> {
    row.into_iter().filter(|(name, _)| !name.starts_with('@')).collect()
}

pub(super) fn not_found(what: &str, id: &str, company: &str) -> Error {
    Error::new(ErrorCode::NotFound, format!("there is no {what} \"{id}\" in the company {company}"))
}
