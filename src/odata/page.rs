//! Lists, page by page.

use std::fmt;

use d365_clm_text::json_rows::Scanner;
use serde_json::Value;

use super::call::Call;
use super::exact::{Shape, text_of, unreadable};
use super::operation::Operation;
use super::query::Query;
use super::service::Service;
use super::stream::PageStream;
use super::uri::same_origin;
use crate::error::{Error, ErrorCode, Result};
use crate::fields::{Fields, FromValue};
use crate::http::{Method, Repeat, Request, Response};

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
    shape: Shape,
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
        let shape = Shape::of(service, entity.as_deref());
        Ok(Self { service: service.clone(), shape, next, left: query.top })
    }

    /// Reads the next page, or nothing after the last. What it yields goes to [`advance`](Self::advance).
    #[must_use]
    pub fn page(&self) -> Option<Operation<Page>> {
        let request = self.next.clone()?;
        let scanner = self.shape.clone().page(self.left);
        let read = move |response: Response| read_page(&response, scanner);
        Some(Operation::new(&self.service, request, Repeat::Always, read))
    }

    /// The same page, read while it arrives; what its [`finish`](PageStream::finish) gives goes to [`advance`](Self::advance).
    #[must_use]
    pub fn open(&self) -> Option<PageStream> {
        let mut request = self.next.clone()?;
        request.stream = true;
        let call = Call::new(&self.service, request, Repeat::Always);
        Some(PageStream::new(self.service.session(), call, self.shape.clone().page(self.left)))
    }

    /// Whether there is a page to be read.
    #[must_use]
    pub const fn has_next(&self) -> bool {
        self.next.is_some()
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

/// Reads a whole page.
pub(super) fn read_page(response: &Response, mut scanner: Scanner) -> Result<Page> {
    scanner.push(&response.body).and_then(|()| scanner.finish()).map_err(unreadable)?;
    let mut page = end_of(&scanner)?;
    page.items = joined(&mut scanner)?;
    Ok(page)
}

/// What a page says beside its records, which were read.
pub(super) fn end_of(scanner: &Scanner) -> Result<Page> {
    let cut = || {
        Error::new(
            ErrorCode::ServiceError,
            "the answer can't be read: its link or its count is of another type",
        )
    };
    let next = scanner.next_link().map(serde_json::from_slice).transpose().map_err(|_| cut())?;
    let count = scanner.count().map(serde_json::from_slice).transpose().map_err(|_| cut())?;
    Ok(Page { items: String::new(), rows: scanner.rows(), count, next })
}

fn joined(scanner: &mut Scanner) -> Result<String> {
    let mut items = Vec::new();
    while let Some(mut piece) = scanner.take() {
        // One list of several: "[a]" and "[b]" become "[a,b]".
        if items.is_empty() {
            items = piece;
        } else if let Some(first) = piece.first_mut() {
            *first = b',';
            items.pop();
            items.append(&mut piece);
        }
    }
    if items.is_empty() { Ok("[]".to_owned()) } else { text_of(items) }
}

/// The first record of a list answer, if there is one.
pub(super) fn read_first(response: &Response, shape: Shape) -> Result<Option<String>> {
    let page = read_page(response, shape.page(Some(1)))?;
    Ok((page.rows > 0).then(|| page.items.trim_start_matches('[').trim_end_matches(']').to_owned()))
}

/// The records of a list answer, parsed.
pub(crate) fn items_of<T: FromValue>(response: &Response) -> Result<Vec<T>> {
    let tree: Value = serde_json::from_str(response.text().unwrap_or_default()).map_err(|e| no_list(&e))?;
    let mut of = Fields::of(tree);
    let items = of.required("value", Fields::list);
    of.finish_open(items).map_err(|why| no_list(&why))
}

fn no_list(error: &dyn fmt::Display) -> Error {
    Error::new(ErrorCode::ServiceError, format!("the answer can't be read: {error}"))
        .hint("A proxy on the way may have changed the answer or cut it short.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::service::Numbers;
    use super::*;
    use crate::catalog::builtin;

    fn page(body: &str, left: Option<u64>) -> Result<Page> {
        let lines = builtin().find("CLMIntegrationPurchaseAgreementLines");
        read_page(&Response::new(200, body), Shape::flat(lines, Numbers::String).page(left))
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

    /// Any value, with whole numbers of every size.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-9_007_199_254_740_993_i64..9_007_199_254_740_994).prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            ".{0,40}".prop_map(Value::from),
            "[\\\\\"{}\\[\\],:]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-z\"]{1,8}", inner), 0..4)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    /// What the rules say of a record, by another road: over the tree.
    fn expected(value: &Value, name: &str) -> Value {
        match value {
            Value::Array(list) => list.iter().map(|item| expected(item, "")).collect(),
            Value::Object(members) => {
                members.iter().map(|(name, value)| (name.clone(), expected(value, ""))).collect()
            }
            Value::Number(number) if name == "LineNumber" => number.to_string().into(),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(n), _) if n.unsigned_abs() < 1 << 53 => value.clone(),
                (_, Some(n)) if n < 1 << 53 => value.clone(),
                _ => number.to_string().into(),
            },
            _ => value.clone(),
        }
    }

    proptest! {
        #[test]
        fn any_records_in_any_chunks_come_out_as_the_rules_say(
            records in prop::collection::vec(prop::collection::vec(
                (prop_oneof![Just("LineNumber".to_owned()), Just("T".to_owned()), ".{1,6}"], value()), 0..6), 0..8),
            pretty in any::<bool>(),
            chunks in prop::collection::vec(1usize..50, 1..20),
        ) {
            let records: Vec<Value> = records.into_iter().map(|members| members.into_iter().collect()).collect();
            let tree = serde_json::json!({ "@odata.context": "x", "value": records, "@odata.nextLink": "https://c.example/\"" });
            let body = if pretty { serde_json::to_string_pretty(&tree) } else { serde_json::to_string(&tree) }.unwrap();
            let lines = builtin().find("CLMIntegrationPurchaseAgreementLines");
            let mut scanner = Shape::flat(lines, Numbers::String).page(None);
            let mut left = body.as_bytes();
            for size in chunks.iter().cycle() {
                if left.is_empty() {
                    break;
                }
                let (now, later) = left.split_at(left.len().min(*size));
                scanner.push(now).unwrap();
                left = later;
            }
            scanner.finish().unwrap();
            let page = end_of(&scanner).unwrap();
            let items: Value = serde_json::from_str(&joined(&mut scanner).unwrap()).unwrap();
            let wanted: Value = records
                .iter()
                .map(|record| -> Value {
                    let members = record.as_object().unwrap();
                    members.iter().map(|(name, value)| (name.clone(), expected(value, name))).collect()
                })
                .collect();
            prop_assert_eq!(items, wanted);
            prop_assert_eq!(page.rows, records.len() as u64);
            prop_assert_eq!(page.next.as_deref(), Some("https://c.example/\""));
        }
    }
}
