//! Targets for what the service, or whatever stands before it, may answer.

use d365_clm::http::{Method, Request, Response};
use d365_clm::odata::batch::{Multipart, Part};
use d365_clm::odata::{Answer, BatchOptions, OperationSpec, Service, batch_request, failure_of, read_answer};

/// One byte for the size of pieces, then a multipart body with the boundary `b`: read in pieces it has the parts of the whole; and as
/// the answer to a batch it gives a result for each operation, or an error.
pub fn multipart(bytes: &[u8]) {
    let Some((size, body)) = bytes.split_first() else { return };
    let whole = parts(body, body.len().max(1));
    let pieces = parts(body, usize::from(*size).max(1));
    assert_eq!(whole, pieces);

    let service = Service::new("https://c.example", None).expect("a base URL");
    let operations: Vec<OperationSpec> = [
        r#"{"op":"get","entity":"Currencies"}"#,
        r#"{"op":"create","entity":"Currencies","value":{"CurrencyCode":"EUR"}}"#,
        r#"{"op":"delete","entity":"Currencies","key":{"CurrencyCode":"EUR"}}"#,
    ]
    .into_iter()
    .map(operation)
    .collect();
    let mut options = BatchOptions::default();
    options.atomic = size % 2 == 0;
    let request = batch_request(&service, &operations, options).expect("operations as documented");
    let response = Response::new(200, body).with_header("content-type", "multipart/mixed; boundary=b");
    if let Ok(answer) = read_answer(&service, &request, &response) {
        let Answer::Batch(results) = &answer else { panic!("another kind of answer") };
        assert_eq!(results.len(), operations.len());
        answer.into_json(&service).expect("results are told");
    }
}

/// One byte for the status, one for verb and type of content, then the body: every refusal becomes an error that can be shown.
pub fn fault(bytes: &[u8]) {
    let [status, kind, body @ ..] = bytes else { return };
    let status = 400 + u16::from(*status) % 200;
    let method = if kind & 1 == 0 { Method::Get } else { Method::Post };
    let content_type = if kind & 2 == 0 { "application/json" } else { "text/html" };
    let request = Request::new(method, "https://c.example/data/VendorsV2?$filter=secret");
    let response = Response::new(status, body).with_header("content-type", content_type);
    let error = failure_of(&response, &request);
    assert_eq!(error.status, Some(status));
    assert!(!error.message.is_empty() && error.message.chars().count() <= 2_100);
    let words = error.service.as_deref().expect("the words of the service");
    assert!(words.inner.as_deref().unwrap_or_default().chars().count() <= 2_100);
}

fn operation(json: &str) -> OperationSpec {
    OperationSpec::from_json(json).expect("an operation")
}

fn parts(body: &[u8], size: usize) -> Option<(Vec<Part>, bool)> {
    let mut parser = Multipart::new("b");
    let mut parts = Vec::new();
    for piece in body.chunks(size) {
        parts.extend(parser.push(piece).ok()?);
    }
    let (last, whole) = parser.finish().ok()?;
    parts.extend(last);
    Some((parts, whole))
}
