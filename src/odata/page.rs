//! Lists, page by page.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::operation::Operation;
use super::query::Query;
use super::service::{Numbers, Service};
use super::uri::same_origin;
use crate::catalog::{EdmType, Entity};
use crate::error::{Error, ErrorCode, Result};
use crate::fields::{Fields, FromValue};
use crate::http::{Method, Repeat, Request, Response};

/// Integers beyond this are not exact in a float.
const EXACT: i64 = 9_007_199_254_740_991;

/// One page of records.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// JSON list of the records; Int64 and Decimal as the service's numbers setting says.
    pub items: String,
    /// Records in it.
    pub rows: u64,
    /// Number of all matching records, where it was asked for.
    pub count: Option<u64>,
    pub(super) next: Option<String>,
}

/// The pages of a list, each an [`Operation`] of its own.
#[derive(Debug)]
pub struct Pager {
    service: Service,
    entity: Option<Arc<Entity>>,
    next: Option<Request>,
    /// Rows still wanted.
    left: Option<u64>,
}

impl Pager {
    /// The first page of the collection's rows that fit the query.
    ///
    /// # Errors
    /// `UNKNOWN_ENTITY`, `UNKNOWN_PROPERTY`, `UNSUPPORTED_QUERY`, `INVALID_ARGUMENT`, all before anything is sent.
    pub fn new(service: &Service, collection: &str, query: &Query) -> Result<Self> {
        let entity = service.entity(collection)?;
        let url = format!("{collection}{}", query.render(service, entity.as_deref())?);
        let next = (query.top != Some(0)).then(|| service.request(Method::Get, &url));
        Ok(Self { service: service.clone(), entity, next, left: query.top })
    }

    /// Reads the next page, or nothing after the last. What it yields goes to [`advance`](Self::advance).
    #[must_use]
    pub fn page(&self) -> Option<Operation<Page>> {
        let request = self.next.clone()?;
        let (entity, numbers, left) = (self.entity.clone(), self.service.numbers, self.left);
        let read = move |response: Response| read_page(&response, entity.as_deref(), numbers, left);
        Some(Operation::new(&self.service, request, Repeat::Always, read))
    }

    /// Moves on behind the page.
    ///
    /// # Errors
    /// `SERVICE_ERROR` where the link to the next page leads to another host: the token is not sent there.
    pub fn advance(&mut self, page: &Page) -> Result<()> {
        self.left = self.left.map(|left| left.saturating_sub(page.rows));
        self.next = match &page.next {
            Some(link) if self.left != Some(0) => {
                if !same_origin(link, self.service.base()) {
                    return Err(Error::new(
                        ErrorCode::ServiceError,
                        "the link to the next page leads to another host; the token is not sent there",
                    )
                    .hint("Check the base URL: a load balancer or proxy may publish the service under another name."));
                }
                let mut request = self.service.request(Method::Get, "");
                request.url.clone_from(link);
                Some(request)
            }
            _ => None,
        };
        Ok(())
    }
}

/// The members of a record as they came.
pub(super) struct RawRecord<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for RawRecord<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = RawRecord<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(RawRecord(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl RawRecord<'_> {
    pub(super) fn write(&self, out: &mut String, entity: Option<&Entity>, numbers: Numbers) {
        out.push('{');
        for (index, (name, value)) in self.0.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            out.push_str(&Value::String(name.to_string()).to_string());
            out.push(':');
            let text = value.get();
            let number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
            if number && numbers == Numbers::String && as_text(text, name, entity) {
                out.push('"');
                out.push_str(text);
                out.push('"');
            } else {
                out.push_str(text);
            }
        }
        out.push('}');
    }
}

/// Int64 and Decimal; of unknown properties whole numbers that a float can't hold.
fn as_text(text: &str, name: &str, entity: Option<&Entity>) -> bool {
    match entity.and_then(|entity| entity.property(name)).map(|property| &property.edm) {
        Some(EdmType::Int64 | EdmType::Decimal) => true,
        Some(_) => false,
        None => {
            text.bytes().skip(1).all(|b| b.is_ascii_digit())
                && text.parse::<i64>().map_or(true, |n| n.abs() > EXACT)
        }
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    value: Vec<RawRecord<'a>>,
    #[serde(default, rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(default, rename = "@odata.count")]
    count: Option<u64>,
}

pub(super) fn read_page(
    response: &Response,
    entity: Option<&Entity>,
    numbers: Numbers,
    left: Option<u64>,
) -> Result<Page> {
    let text = response.text().unwrap_or_default();
    let answer: Answer<'_> = serde_json::from_str(text).map_err(|e| unreadable(&e))?;
    let wanted = left.and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX);
    let mut items = String::with_capacity(text.len() + 16);
    items.push('[');
    let mut rows = 0;
    for record in answer.value.iter().take(wanted) {
        if rows > 0 {
            items.push(',');
        }
        record.write(&mut items, entity, numbers);
        rows += 1;
    }
    items.push(']');
    Ok(Page { items, rows, count: answer.count, next: answer.next })
}

/// One record, with Int64 and Decimal as wanted.
pub(super) fn read_record(text: &str, entity: Option<&Entity>, numbers: Numbers) -> Result<String> {
    let record: RawRecord<'_> = serde_json::from_str(text).map_err(|e| unreadable(&e))?;
    let mut out = String::with_capacity(text.len());
    record.write(&mut out, entity, numbers);
    Ok(out)
}

/// The first record of a list answer, if there is one.
pub(super) fn read_first(text: &str, entity: Option<&Entity>, numbers: Numbers) -> Result<Option<String>> {
    let answer: Answer<'_> = serde_json::from_str(text).map_err(|e| unreadable(&e))?;
    Ok(answer.value.first().map(|record| {
        let mut out = String::new();
        record.write(&mut out, entity, numbers);
        out
    }))
}

/// The records of a list answer, parsed.
pub(crate) fn items_of<T: FromValue>(response: &Response) -> Result<Vec<T>> {
    let tree: Value =
        serde_json::from_str(response.text().unwrap_or_default()).map_err(|e| unreadable(&e))?;
    let mut of = Fields::of(tree);
    let items = of.required("value", Fields::list);
    of.finish_open(items).map_err(|why| unreadable(&why))
}

fn unreadable(error: &dyn fmt::Display) -> Error {
    Error::new(ErrorCode::ServiceError, format!("the answer can't be read: {error}"))
        .hint("A proxy on the way may have changed the answer or cut it short.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    fn page(body: &str, left: Option<u64>) -> Result<Page> {
        let lines = builtin().find("CLMIntegrationPurchaseAgreementLines");
        read_page(&Response::new(200, body), lines, Numbers::String, left)
    }

    #[test]
    fn exact_numbers_come_as_text_and_the_rest_untouched() {
        let body = "\u{feff}{\"@odata.count\":7,\"value\":[{\"@odata.etag\":\"W/\\\"x\\\"\",\"LineNumber\":1.10,\
                    \"Unknown\":9007199254740993,\"Small\":5,\"Real\":1.5,\"Text\":\"1\",\"N\":null}],\
                    \"@odata.nextLink\":\"https://c.example/data/X?$skiptoken=1\"}";
        let page = page(body, None).unwrap();
        assert_eq!(
            page.items,
            "[{\"@odata.etag\":\"W/\\\"x\\\"\",\"LineNumber\":\"1.10\",\"Unknown\":\"9007199254740993\",\"Small\":5,\
             \"Real\":1.5,\"Text\":\"1\",\"N\":null}]"
        );
        assert_eq!((page.rows, page.count), (1, Some(7)));
        assert!(page.next.is_some());
    }

    #[test]
    fn no_more_rows_than_wanted() {
        let page = page(r#"{"value":[{"A":1},{"A":2},{"A":3}]}"#, Some(2)).unwrap();
        assert_eq!((page.rows, page.items.as_str()), (2, r#"[{"A":1},{"A":2}]"#));
    }

    #[test]
    fn a_link_to_another_host_is_not_followed() {
        let service = Service::new("https://c.example", None).unwrap();
        let mut pager = Pager::new(&service, "Currencies", &Query::default()).unwrap();
        let evil =
            Page { items: String::new(), rows: 1, count: None, next: Some("https://evil.example/x".into()) };
        assert_eq!(pager.advance(&evil).unwrap_err().code, ErrorCode::ServiceError);
        let good = Page { next: Some("https://c.example/data/Currencies?$skiptoken=9".into()), ..evil };
        pager.advance(&good).unwrap();
        assert!(pager.page().is_some());
    }

    #[test]
    fn a_cut_answer_is_an_error() {
        assert_eq!(page(r#"{"value":[{"A":1},"#, None).unwrap_err().code, ErrorCode::ServiceError);
    }
}
