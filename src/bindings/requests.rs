//! Requests for hosts that bring their own HTTP stack: shaped and read, never sent.

use std::sync::Arc;

use serde_json::Value;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::parse::parse;
use super::thrown::throw;
use crate::catalog::Catalog;
use crate::error::Result;
use crate::fields::{Fields, FromValue, mismatch};
use crate::http::{Method, Request, Response};
use crate::odata::{BatchOptions, Numbers, OperationSpec, Service, batch_request, read_answer, request_json};

/// The request for `operation`, or of a batch for `operations`, as JSON.
#[wasm_bindgen(js_name = shapeRequest)]
pub fn shape_request(wanted: &str) -> Result<String, JsValue> {
    let wanted: Wanted = parse(wanted, "request").map_err(throw)?;
    shape(wanted).map_err(throw)
}

/// What the answer to such a request means, as JSON. `answer` has the request, and status and headers of the response.
#[wasm_bindgen(js_name = readAnswer)]
pub fn read(answer: &str, body: Vec<u8>) -> Result<Option<String>, JsValue> {
    let answered: Answered = parse(answer, "request or response").map_err(throw)?;
    let service = service(answered.service).map_err(throw)?;
    let mut response = Response::new(answered.status, body);
    response.headers = answered.headers;
    read_answer(&service, &answered.request, &response)
        .and_then(|answer| answer.into_json(&service))
        .map_err(throw)
}

fn shape(wanted: Wanted) -> Result<String> {
    let service = service(wanted.service)?;
    let request = match &wanted.operation {
        Some(operation) => operation.shape(&service)?.request().clone(),
        None => batch_request(&service, &wanted.batch.operations, wanted.batch.options)?,
    };
    Ok(request_json(&request).to_string())
}

fn service(of: Environment) -> Result<Service> {
    let mut service = Service::new(&of.base_url, of.company.as_deref())?;
    service.numbers = of.numbers;
    Ok(match of.schema {
        Some(schema) => service.with_catalog(Arc::new(Catalog::from_value(schema)?)),
        None => service,
    })
}

/// `{"operations":[…],"atomic":…,"continueOnError":…,"size":…}`.
#[derive(Default)]
pub(super) struct WireBatch {
    pub(super) operations: Vec<OperationSpec>,
    pub(super) options: BatchOptions,
}

impl WireBatch {
    fn of(of: &mut Fields) -> Result<Self, String> {
        let mut operations = Vec::new();
        let given = match of.value("operations") {
            None => Vec::new(),
            Some(Value::Array(given)) => given,
            Some(other) => return Err(mismatch(&other, "a list of operations")),
        };
        for (index, value) in given.into_iter().enumerate() {
            let named = |why| format!("operation {}: {why}", index + 1);
            operations.push(OperationSpec::from_value(value).map_err(named)?);
        }
        let options = BatchOptions {
            atomic: of.flag("atomic").unwrap_or_default(),
            continue_on_error: of.flag("continueOnError").unwrap_or_default(),
            size: of.small("size").map(|size| size as usize),
        };
        Ok(Self { operations, options })
    }
}

impl FromValue for WireBatch {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let batch = Self::of(&mut of)?;
        of.finish(batch)
    }
}

struct Environment {
    base_url: String,
    company: Option<String>,
    numbers: Numbers,
    schema: Option<Value>,
}

impl Environment {
    fn of(of: &mut Fields) -> Self {
        Self {
            base_url: of.text("baseUrl").unwrap_or_default(),
            company: of.text("company"),
            numbers: of.not_null("numbers").read("numbers").unwrap_or_default(),
            schema: of.value("schema"),
        }
    }
}

struct Wanted {
    service: Environment,
    operation: Option<OperationSpec>,
    batch: WireBatch,
}

impl FromValue for Wanted {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let service = Environment::of(&mut of);
        let operation = of.read("operation");
        let batch = WireBatch::of(&mut of)?;
        of.finish(Self { service, operation, batch })
    }
}

struct Answered {
    service: Environment,
    request: Request,
    status: u16,
    headers: Vec<(String, String)>,
}

impl FromValue for Answered {
    fn from_value(value: Value) -> Result<Self, String> {
        const METHODS: [(&str, Method); 4] = [
            ("GET", Method::Get),
            ("POST", Method::Post),
            ("PATCH", Method::Patch),
            ("DELETE", Method::Delete),
        ];
        let mut of = Fields::of(value);
        let mut service = Environment::of(&mut of);
        let method = crate::fields::word(&of.value("method").unwrap_or_default(), &METHODS)?;
        let url = of.required("url", Fields::text);
        // The host kept nothing but the request: it tells of which environment it is.
        if let Some((base, _)) = url.split_once("/data/") {
            base.clone_into(&mut service.base_url);
        }
        let mut request = Request::new(method, url);
        for (name, value) in pairs(of.value("sent")) {
            request.headers.extend(
                ["content-type", "prefer"]
                    .into_iter()
                    .find(|known| *known == name)
                    .map(|known| (known, value)),
            );
        }
        request.body = of.text("body").unwrap_or_default().into_bytes();
        let status = of.number("status").and_then(|status| u16::try_from(status).ok());
        let status = status.ok_or("the response has no status")?;
        let headers = pairs(of.value("headers"));
        of.finish(Self { service, request, status, headers })
    }
}

/// Headers by lower-case name; what is no text is left out.
fn pairs(headers: Option<Value>) -> Vec<(String, String)> {
    let Some(Value::Object(headers)) = headers else { return Vec::new() };
    let text = |(name, value): (String, Value)| Some((name.to_ascii_lowercase(), value.as_str()?.to_owned()));
    headers.into_iter().filter_map(text).collect()
}
