//! A small model of the service, written from its documentation: entity sets with keys, lists by condition, batches, and validation
//! entities that store nothing.

use d365_clm::ErrorCode;
use d365_clm::clm::Told;
use d365_clm::http::{
    Input, Machine, Method, Request, Response, Step, Timestamp, TransportError, TransportKind,
};
use d365_clm::odata::Service;
use serde_json::{Map, Value, json};

pub(crate) type Row = Map<String, Value>;

const KEYS: [(&str, &[&str]); 7] = [
    ("CLMIntegrationContracts", &["dataAreaId", "ContractId"]),
    ("CLMIntegrationContractTypes", &["Name"]),
    ("CLMIntegrationPurchaseAgreements", &["dataAreaId", "PurchaseAgreementId"]),
    ("CLMIntegrationPurchaseAgreementLines", &["dataAreaId", "PurchaseAgreementId", "LineNumber"]),
    ("CLMIntegrationServiceInstances", &["ID"]),
    ("CLMIntegrationExternalNavigationLinks", &["NavigationType"]),
    ("CLMIntegrationExternalNavigationLinkKeyValues", &["NavigationType", "KeyValueType", "Key"]),
];
const NEWER: [(&str, &str); 3] = [
    ("CLMIntegrationValidationPurchaseAgreements", "CLMIntegrationPurchaseAgreements"),
    ("CLMIntegrationValidateInsertPurchaseAgreementLines", "CLMIntegrationPurchaseAgreementLines"),
    ("CLMIntegrationValidateUpdateDeletePurchaseAgreementLines", "CLMIntegrationPurchaseAgreementLines"),
];
const OLDER: [(&str, &str); 2] = [
    ("CLMIntegrationValidationPurchaseAgreements", "CLMIntegrationPurchaseAgreements"),
    ("CLMIntegrationValidationPurchaseAgreementLines", "CLMIntegrationPurchaseAgreementLines"),
];

/// How it ends, from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Lives,
    /// The process dies when the service has carried out so many requests.
    DiesAfter(usize),
    /// The answer to that request is lost, and the process lives.
    Loses(usize),
}

type Meanwhile = Box<dyn FnOnce(&mut World)>;

pub(crate) struct World {
    pub(crate) sets: Vec<(&'static str, Vec<Row>)>,
    /// Has the older generation of validation entities.
    pub(crate) older: bool,
    /// Rows are found by keys with enums.
    pub(crate) enum_keys: bool,
    sequence: u32,
    /// What another process does before the first write arrives.
    pub(crate) meanwhile: Option<Meanwhile>,
    /// `POST CLMIntegrationContracts`, all of them.
    pub(crate) log: Vec<String>,
}

pub(crate) fn service() -> Service {
    Service::new("https://c.example", Some("usmf")).unwrap()
}

pub(crate) fn row(value: Value) -> Row {
    value.as_object().unwrap().clone()
}

impl World {
    pub(crate) fn new() -> Self {
        let sets = KEYS.iter().map(|(name, _)| (*name, Vec::new())).collect();
        Self { sets, older: false, enum_keys: false, sequence: 0, meanwhile: None, log: Vec::new() }
    }

    pub(crate) fn rows(&mut self, set: &str) -> &mut Vec<Row> {
        &mut self.sets.iter_mut().find(|(name, _)| *name == set).unwrap().1
    }

    /// What is stored, for comparisons.
    pub(crate) fn state(&self) -> String {
        serde_json::to_string(&self.sets).unwrap()
    }

    /// Writes that were sent since the beginning, reads left out.
    pub(crate) fn writes(&self) -> Vec<&str> {
        self.log.iter().map(String::as_str).filter(|line| !line.starts_with("GET")).collect()
    }

    /// Holds the conversation; nothing where the process died.
    pub(crate) fn hold(&mut self, mut told: Told, fate: Fate) -> Option<Result<Value, d365_clm::Error>> {
        let mut now = Timestamp::from_millis(1_772_446_507_000);
        let mut count = 0;
        for _ in 0..1_000 {
            match told.next(now) {
                Step::Send(request) => {
                    let response = self.answer(&request);
                    count += 1;
                    if fate == Fate::DiesAfter(count) {
                        return None;
                    }
                    let lost = fate == Fate::Loses(count);
                    told.handle(
                        if lost {
                            Input::TransportError(TransportError::new(TransportKind::NoAnswer, "reset"))
                        } else {
                            Input::Response(response)
                        },
                        now,
                    );
                }
                Step::Token(_) => told.handle(Input::TokenRenewed { expires: None }, now),
                Step::Wait(until) => now = until,
                Step::Emit(_) => {}
                Step::Done(output) => {
                    return Some(Ok(output.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())));
                }
                Step::Failed(error) => return Some(Err(*error)),
                _ => panic!("not a step of these conversations"),
            }
        }
        panic!("it never ended");
    }

    pub(crate) fn ends(&mut self, told: Told) -> Result<Value, d365_clm::Error> {
        self.hold(told, Fate::Lives).unwrap()
    }

    fn answer(&mut self, request: &Request) -> Response {
        let path = request.url.strip_prefix("https://c.example/data").unwrap().trim_start_matches('/');
        if request.method != Method::Get
            && let Some(meanwhile) = self.meanwhile.take()
        {
            meanwhile(self);
        }
        let header =
            |name: &str| request.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value);
        if path == "$batch" {
            self.log.push("POST $batch".to_owned());
            let goes_on = header("prefer").is_some_and(|prefer| prefer.contains("continue-on-error"));
            return self.batch(std::str::from_utf8(&request.body).unwrap(), goes_on);
        }
        // One row is enough for what is tested of etags.
        let current = self.sets.iter().flat_map(|(_, rows)| rows).find_map(|row| row.get("@odata.etag"));
        if header("if-match").is_some_and(|etag| current != Some(&json!(etag))) {
            return Response::new(412, "");
        }
        let (status, body) = self.one(request.method, path, &request.body);
        Response::new(status, body)
    }

    fn one(&mut self, method: Method, path: &str, body: &[u8]) -> (u16, String) {
        let (resource, options) = path.split_once('?').unwrap_or((path, ""));
        let (set, key) = resource.split_once('(').map_or((resource, None), |(set, key)| (set, Some(key)));
        self.log.push(format!("{} {set}", method.as_str()));
        if path.is_empty() {
            let validation: &[(&str, &str)] = if self.older { &OLDER } else { &NEWER };
            let names =
                self.sets.iter().map(|(name, _)| *name).chain(validation.iter().map(|(name, _)| *name));
            let sets: Vec<Value> =
                names.map(|name| json!({ "name": name, "kind": "EntitySet", "url": name })).collect();
            return (200, json!({ "value": sets }).to_string());
        }
        let validation: &[(&str, &str)] = if self.older { &OLDER } else { &NEWER };
        let dry = validation.iter().find(|(name, _)| *name == set).map(|(_, real)| *real);
        let real = dry.unwrap_or(set);
        let Some((_, keys)) = KEYS.iter().find(|(name, _)| *name == real) else {
            return (404, String::new());
        };
        if !self.sets.iter().any(|(name, _)| *name == real) {
            return (404, String::new());
        }
        let given: Row = serde_json::from_slice(body).unwrap_or_default();
        let wanted = |row: &Row, pairs: &[(String, String)]| {
            pairs.iter().all(|(name, value)| fits(&shown(row.get(name)), value))
        };
        match (method, key) {
            (Method::Get, None) => {
                let filter = options.split('&').find_map(|option| option.strip_prefix("$filter="));
                let pairs = filter.map(|filter| pairs(&decoded(filter), " and ", " eq ")).unwrap_or_default();
                let found: Vec<Row> =
                    self.rows(real).iter().filter(|row| wanted(row, &pairs)).cloned().collect();
                (200, json!({ "value": found }).to_string())
            }
            (Method::Post, None) => {
                let mut row = given;
                if real == "CLMIntegrationPurchaseAgreements" && !row.contains_key("PurchaseAgreementId") {
                    self.sequence += 1;
                    row.insert("PurchaseAgreementId".into(), format!("{:06}", self.sequence).into());
                }
                let own: Vec<_> = keys.iter().map(|key| ((*key).to_owned(), shown(row.get(*key)))).collect();
                if self.rows(real).iter().any(|there| wanted(there, &own)) {
                    // In the language of the service user.
                    return (400, refusal("Der Datensatz ist bereits vorhanden."));
                }
                if let Some(why) = judged(&row, dry.is_some()) {
                    return if self.older && dry.is_some() {
                        row.insert("ValidationResult".into(), why.into());
                        (201, json!(row).to_string())
                    } else {
                        (400, refusal(&why))
                    };
                }
                if dry.is_none() {
                    self.rows(real).push(row.clone());
                }
                (201, json!(row).to_string())
            }
            (method, Some(key)) => {
                let key = decoded(key.trim_end_matches(')'));
                if key.contains("DataEntities.") && !self.enum_keys {
                    return (404, String::new());
                }
                let key = if key.contains('=') { key } else { format!("{}={key}", keys[0]) };
                let pairs = pairs(&key, ",", "=");
                let Some(at) = self.rows(real).iter().position(|row| wanted(row, &pairs)) else {
                    return (404, String::new());
                };
                let mut row = self.rows(real)[at].clone();
                row.extend(given);
                if method == Method::Delete {
                    if dry.is_none() {
                        self.rows(real).remove(at);
                    }
                    return (204, String::new());
                }
                if let Some(why) = judged(&row, dry.is_some()) {
                    if self.older && set.ends_with("Lines") && dry.is_some() {
                        return (200, json!({ "ValidationResult": why }).to_string());
                    }
                    return (400, refusal(&why));
                }
                if dry.is_none() {
                    self.rows(real)[at] = row;
                }
                (204, String::new())
            }
            _ => (405, String::new()),
        }
    }

    /// Every change set whole or not at all.
    fn batch(&mut self, body: &str, goes_on: bool) -> Response {
        let mut out = String::new();
        for (number, set) in body.split("Content-Type: multipart/mixed; boundary=").skip(1).enumerate() {
            let before = self.sets.clone();
            let mut parts = String::new();
            let mut failed = None;
            for part in set.split("Content-Type: application/http").skip(1) {
                let id = part.split("Content-ID: ").nth(1).unwrap().split("\r\n").next().unwrap();
                let message = part.split("\r\n\r\n").collect::<Vec<_>>();
                let mut line = message[1].lines().next().unwrap().split(' ');
                let method = match line.next().unwrap() {
                    "POST" => Method::Post,
                    "PATCH" => Method::Patch,
                    _ => Method::Delete,
                };
                let path = line.next().unwrap().strip_prefix("https://c.example/data/").unwrap();
                let json = message.get(2).and_then(|rest| rest.split("\r\n").next()).unwrap_or_default();
                let (status, body) = self.one(method, path, json.as_bytes());
                if status >= 400 {
                    failed = Some((status, id.to_owned(), body));
                    break;
                }
                parts.push_str(&format!(
                    "--c{number}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {id}\r\n\r\nHTTP/1.1 {status} OK\r\nContent-Type: application/json\r\n\r\n{body}\r\n"
                ));
            }
            match failed {
                None => out.push_str(&format!(
                    "--b\r\nContent-Type: multipart/mixed; boundary=c{number}\r\n\r\n{parts}--c{number}--\r\n"
                )),
                Some((status, id, body)) => {
                    self.sets = before;
                    out.push_str(&format!(
                        "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {id}\r\n\r\nHTTP/1.1 {status} Bad Request\r\nContent-Type: application/json\r\n\r\n{body}\r\n"
                    ));
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        out.push_str("--b--\r\n");
        Response::new(200, out).with_header("content-type", "multipart/mixed; boundary=b")
    }
}

/// As `eq` compares: without regard to case, with `*` for any letters at either end.
fn fits(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (text.to_lowercase(), wanted.to_lowercase());
    match wanted.strip_suffix('*') {
        Some(beginning) => text.starts_with(beginning),
        None => text == wanted,
    }
}

/// The business rules of this model.
fn judged(row: &Row, dry: bool) -> Option<String> {
    match (shown(row.get("ItemNumber")).as_str(), shown(row.get("AgreementVendorAccountNumber")).as_str()) {
        // Only noticed when it is stored.
        ("1998", _) if !dry => Some("Item number 1998 is blocked.".to_owned()),
        ("1999", _) => Some("Item number 1999 was not found.".to_owned()),
        (_, "9999") => Some("Vendor account 9999 was not found.".to_owned()),
        _ => (shown(row.get("RelativeURL")) == "bad").then(|| "The relative URL is not valid.".to_owned()),
    }
}

fn refusal(why: &str) -> String {
    let message = format!(
        "Write failed for table row of type 'E'. Infolog: Warning: {why}; Warning: validateWrite failed on data source 'E (E)'."
    );
    json!({ "error": { "code": "", "message": "An error has occurred.", "innererror": { "message": message } } }).to_string()
}

fn pairs(text: &str, between: &str, equals: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once(equals).unwrap();
        let value = value.split_once('\'').map_or(value, |(_, quoted)| quoted.trim_end_matches('\''));
        (name.to_owned(), value.replace("''", "'"))
    };
    text.split(between).map(pair).collect()
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Kills the call after every request, and loses every answer; whatever became of it, the same call again must end as `ends` says, at
/// the state that an undisturbed call gives.
pub(crate) fn killed_everywhere(
    before: fn() -> World,
    call: &dyn Fn() -> Told,
    ends: &dyn Fn(&World, &Value),
) {
    let mut calm = before();
    let done = calm.ends(call()).unwrap();
    ends(&calm, &done);
    let steps = calm.log.iter().filter(|line| !line.is_empty()).count();
    let mut died = 0;
    for fate in (1..=steps).flat_map(|n| [Fate::DiesAfter(n), Fate::Loses(n)]) {
        let mut world = before();
        match world.hold(call(), fate) {
            None => died += 1,
            Some(Err(error)) => {
                let known = matches!(error.code, ErrorCode::Network | ErrorCode::OutcomeUnknown);
                assert!(known, "{fate:?}: {error:?}");
            }
            Some(Ok(_)) => {}
        }
        let done = world.ends(call()).unwrap_or_else(|error| panic!("{fate:?}: {error:?}"));
        ends(&world, &done);
        assert_eq!(world.state(), calm.state(), "{fate:?}");
    }
    assert!(died >= 2, "it has several steps");
}
