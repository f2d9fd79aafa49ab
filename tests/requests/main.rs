//! Every request shape, readable as HTTP in `snapshots/`; and the two ways to the service, which must send the same.
//!
//! The snapshots were written by hand from the service's documentation. After a change that is meant, `UPDATE_SNAPSHOTS=1` writes
//! them anew; read the difference before it is committed.
// A test that can't go on has failed.
#![allow(clippy::unwrap_used, clippy::string_slice)]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use d365_clm::ErrorCode;
use d365_clm::catalog::Catalog;
use d365_clm::http::{Input, Machine, Request, Response, Step, Timestamp};
use d365_clm::odata::{
    self, Answer, Batch, BatchOptions, Operation, OperationSpec, Pager, Service, batch_request, read_answer,
    request_json,
};

const VENDOR: &str = r#"{"VendorAccountNumber":"1001"}"#;
const LINE: &str = r#"{"PurchaseAgreementId":"000026","LineNumber":1}"#;

fn service() -> Service {
    Service::new("https://contoso.operations.dynamics.com", Some("usmf")).unwrap()
}

/// Name of the snapshot, and the operation.
fn operations() -> Vec<(&'static str, String)> {
    let vendors = r#""entity":"VendorsV2""#;
    let lines = r#""entity":"CLMIntegrationPurchaseAgreementLines""#;
    let filter = r#"{"op":"eq","p":"VendorGroupId","v":{"t":"s","v":"R&D 'x'"}}"#;
    vec![
        (
            "list",
            format!(
                r#"{{"op":"get",{vendors},"query":{{"filter":{filter},"select":["VendorAccountNumber"],"orderBy":"VendorAccountNumber desc","top":5,"count":true}}}}"#
            ),
        ),
        ("list-of-a-shared-entity", r#"{"op":"get","entity":"Currencies"}"#.to_owned()),
        ("list-of-all-companies", format!(r#"{{"op":"get",{vendors},"query":{{"crossCompany":true}}}}"#)),
        ("count", format!(r#"{{"op":"count",{vendors},"query":{{"company":"demf"}}}}"#)),
        ("get", format!(r#"{{"op":"get",{vendors},"key":{VENDOR},"query":{{"select":["VendorGroupId"]}}}}"#)),
        (
            "get-of-another-company",
            format!(r#"{{"op":"get",{vendors},"key":{{"dataAreaId":"demf","VendorAccountNumber":"A/1'"}}}}"#),
        ),
        (
            "get-by-a-key-of-one-part",
            r#"{"op":"get","entity":"LegalEntities","key":{"LegalEntityId":"USMF"}}"#.to_owned(),
        ),
        (
            "create",
            format!(
                r#"{{"op":"create",{lines},"value":{{"PurchaseAgreementId":"000026","LineNumber":"1.5","ItemNumber":"1000","IsPriceAndDiscountFixed":true,"ReceivingSiteId":null}}}}"#
            ),
        ),
        (
            "create-of-a-shared-entity",
            r#"{"op":"create","entity":"Currencies","value":{"CurrencyCode":"EUR"}}"#.to_owned(),
        ),
        ("update", format!(r#"{{"op":"update",{lines},"key":{LINE},"value":{{"CommittedQuantity":12.5}}}}"#)),
        (
            "update-if-match",
            format!(
                r#"{{"op":"update",{vendors},"key":{VENDOR},"value":{{"VendorGroupId":"20"}},"ifMatch":"W/\"JzEsNSc=\""}}"#
            ),
        ),
        ("delete", format!(r#"{{"op":"delete",{lines},"key":{LINE}}}"#)),
        ("delete-if-match", format!(r#"{{"op":"delete",{vendors},"key":{VENDOR},"ifMatch":"*"}}"#)),
        (
            "action-of-a-collection",
            format!(
                r#"{{"op":"action",{vendors},"name":"GenerateVendorDetailFormURL","parameters":{{"_vendAccount":"1001","_companyId":"usmf"}}}}"#
            ),
        ),
        (
            "action-of-a-record",
            r#"{"op":"action","entity":"TenantEntities","name":"Close","key":{"Id":"7"}}"#.to_owned(),
        ),
    ]
}

fn spec(json: &str) -> OperationSpec {
    serde_json::from_str(json).unwrap_or_else(|e| panic!("{json}: {e}"))
}

/// Reads, a change, an action and a create, which show every kind of part.
fn mixed() -> Vec<OperationSpec> {
    let chosen = [
        "get",
        "update-if-match",
        "create-of-a-shared-entity",
        "action-of-a-collection",
        "delete",
        "list-of-a-shared-entity",
    ];
    let all = operations();
    chosen.iter().map(|name| spec(&all.iter().find(|(known, _)| known == name).unwrap().1)).collect()
}

fn batches() -> [(&'static str, BatchOptions); 2] {
    let mut atomic = BatchOptions::default();
    atomic.atomic = true;
    let mut go_on = BatchOptions::default();
    go_on.continue_on_error = true;
    [("batch-atomic", atomic), ("batch", go_on)]
}

#[test]
fn every_shape_is_as_the_snapshot_shows() {
    let mut differing = Vec::new();
    let mut compare = |name: &str, request: &Request| {
        let file =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/requests/snapshots/{name}.http"));
        let found = http(request);
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&file, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
        if expected != found {
            differing.push(format!("--- {name}, expected\n{expected}\n--- {name}, found\n{found}"));
        }
    };
    for (name, json) in operations() {
        compare(name, spec(&json).shape(&service()).unwrap().request());
    }
    for (name, options) in batches() {
        compare(name, &batch_request(&service(), &mixed(), options).unwrap());
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// As HTTP/1.1 shows it, with line feeds. What makes a boundary unique is left out.
fn http(request: &Request) -> String {
    let mut out = format!("{} {}\n", request.method.as_str(), request.url);
    for (name, value) in &request.headers {
        writeln!(out, "{name}: {value}").unwrap();
    }
    if !request.body.is_empty() {
        let body = String::from_utf8(request.body.clone()).unwrap();
        write!(out, "\n{}", body.replace("\r\n", "\n")).unwrap();
        if !body.ends_with('\n') {
            out.push('\n');
        }
    }
    match out.find("boundary=batch_") {
        Some(at) => {
            let id = out[at + 15..at + 31].to_owned();
            out.replace(&id, "ID")
        }
        None => out,
    }
}

#[test]
fn a_batch_has_no_bare_line_feed() {
    for (_, options) in batches() {
        let body = batch_request(&service(), &mixed(), options).unwrap().body;
        let bare = body.windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r');
        assert!(!bare && body.ends_with(b"--\r\n"));
    }
}

/// The first request that a conversation sends.
fn sent<M: Machine>(mut machine: M) -> Request {
    let now = Timestamp::from_millis(0);
    loop {
        match machine.next(now) {
            Step::Send(request) => return request,
            Step::Token(_) => machine.handle(Input::TokenRenewed { expires: None }, now),
            _ => panic!("it sends nothing"),
        }
    }
}

#[test]
fn what_is_sent_is_what_is_shaped() {
    let service = service();
    for (name, json) in operations() {
        let spec = spec(&json);
        let shaped = spec.shape(&service).unwrap();
        let (entity, key) = (spec.entity.as_str(), spec.key.as_deref());
        let value = spec.value.as_deref().unwrap_or_default();
        let etag = spec.if_match.as_deref();
        let request = match name.split('-').next().unwrap() {
            "list" => sent(Pager::new(&service, entity, &spec.query).unwrap().page().unwrap()),
            "count" => sent(odata::count(&service, entity, &spec.query).unwrap()),
            "get" => sent(odata::get(&service, entity, key.unwrap(), &spec.query).unwrap()),
            "create" => sent(odata::create(&service, entity, value).unwrap()),
            "update" => sent(odata::update(&service, entity, key.unwrap(), value, etag).unwrap()),
            "delete" => sent(odata::delete(&service, entity, key.unwrap(), etag).unwrap()),
            "action" => {
                let parameters = spec.parameters.as_deref().unwrap_or("{}");
                sent(odata::action(&service, entity, &spec.name, parameters, key).unwrap())
            }
            other => panic!("{other} is not compared"),
        };
        assert_eq!(http(&request), http(shaped.request()), "{name}");
        assert_eq!(sent(Operation::of(&service, shaped.clone())), *shaped.request(), "{name}");
    }
    for (_, options) in batches() {
        let shaped = batch_request(&service, &mixed(), options).unwrap();
        assert_eq!(http(&sent(Batch::new(&service, &mixed(), options).unwrap())), http(&shaped));
    }
}

#[test]
fn an_answer_is_read_by_the_request_alone() {
    let service = service();
    let vendor = r#"{"VendorAccountNumber":"1001"}"#;
    for (name, json) in operations() {
        let shaped = spec(&json).shape(&service).unwrap();
        // Method and URL are all that a host needs to have kept.
        let kept = Request::new(shaped.request().method, shaped.request().url.clone());
        let read = |status: u16, body: &str| {
            read_answer(&service, &kept, &Response::new(status, body)).unwrap().into_json(&service).unwrap()
        };
        let page = format!(r#"{{"@odata.count":7,"value":[{vendor}]}}"#);
        match name.split('-').next().unwrap() {
            "list" => assert_eq!(
                read(200, &page).unwrap(),
                format!(r#"{{"items":[{vendor}],"count":7}}"#),
                "{name}"
            ),
            "count" => assert_eq!(read(200, "\u{feff}42").as_deref(), Some("42")),
            "get" => {
                assert_eq!(read(200, vendor).as_deref(), Some(vendor), "{name}");
                assert_eq!(read(404, ""), None, "{name}");
            }
            "create" => assert_eq!(read(201, vendor).as_deref(), Some(vendor), "{name}"),
            "update" | "delete" => assert_eq!(read(204, ""), None, "{name}"),
            "action" => assert_eq!(read(200, r#"{"value":"https://x"}"#).as_deref(), Some(r#""https://x""#)),
            other => panic!("{other} is not read"),
        }
        let refused = read_answer(&service, &kept, &Response::new(403, "")).unwrap_err();
        assert_eq!((refused.code, refused.status), (ErrorCode::Forbidden, Some(403)), "{name}");
        let sign_in = Response::new(200, "<html>").with_header("content-type", "text/html");
        assert_eq!(
            read_answer(&service, &kept, &sign_in).unwrap_err().code,
            ErrorCode::AuthRejected,
            "{name}"
        );
    }
    let strange = Request::new(d365_clm::http::Method::Get, "https://contoso.operations.dynamics.com/api/x");
    let error = read_answer(&service, &strange, &Response::new(200, "{}")).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidArgument);
}

#[test]
fn a_key_with_an_enum_is_a_condition_and_its_answer_one_record() {
    let schema = r#"{"entities":[{"collection":"TenantLinks","aot":"TenantLinkEntity","label":"Tenant links",
        "direction":"scmToClm","keys":["LinkKind"],"properties":[{"name":"LinkKind","type":"TenantKind"}]}],
        "enums":{"TenantKind":["View","Edit"]}}"#;
    let service = service().with_catalog(Arc::new(Catalog::from_json(schema).unwrap()));
    let shaped =
        spec(r#"{"op":"get","entity":"TenantLinks","key":{"LinkKind":"View"}}"#).shape(&service).unwrap();
    let url = "https://contoso.operations.dynamics.com/data/TenantLinks\
               ?$top=1&$filter=LinkKind%20eq%20Microsoft.Dynamics.DataEntities.TenantKind'View'";
    assert_eq!(shaped.request().url, url);
    let read = |body: &str| read_answer(&service, shaped.request(), &Response::new(200, body)).unwrap();
    assert_eq!(
        read(r#"{"value":[{"LinkKind":"View"}]}"#),
        Answer::Record(Some(r#"{"LinkKind":"View"}"#.to_owned()))
    );
    assert_eq!(read(r#"{"value":[]}"#), Answer::Record(None));
}

#[test]
fn the_next_page_is_a_request_to_the_same_host_and_none_where_top_is_reached() {
    let service = service();
    let list = spec(r#"{"op":"get","entity":"Currencies","query":{"top":2}}"#).shape(&service).unwrap();
    let page = |link: &str, rows: &str| {
        let body = format!(r#"{{"value":[{rows}],"@odata.nextLink":"{link}"}}"#);
        read_answer(&service, list.request(), &Response::new(200, body)).unwrap()
    };
    let link = "https://contoso.operations.dynamics.com/data/Currencies?$skiptoken=x";
    let Answer::Page(first) = page(link, "{}") else { panic!("no page") };
    let next = Answer::Page(first).into_json(&service).unwrap().unwrap();
    assert_eq!(
        next,
        format!(
            r#"{{"items":[{{}}],"next":{{"method":"GET","url":"{link}","headers":{{"accept":"application/json","odata-version":"4.0","odata-maxversion":"4.0"}}}}}}"#
        )
    );
    assert_eq!(page(link, "{},{},{}").into_json(&service).unwrap().unwrap(), r#"{"items":[{},{}]}"#);
    let error =
        page("https://evil.example/data/Currencies?$skiptoken=x", "{}").into_json(&service).unwrap_err();
    assert_eq!(error.code, ErrorCode::ServiceError);
    assert_eq!(
        request_json(list.request())["url"],
        "https://contoso.operations.dynamics.com/data/Currencies?$top=2"
    );
}
