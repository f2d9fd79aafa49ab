//! The model, the faults, and the scheduler.

use std::collections::BTreeMap;
use std::time::Duration;

use d365_clm::Error;
use d365_clm::http::{
    Input, Machine, Method, Request, Response, Step, Store, Stored, Timestamp, TransportError, TransportKind,
};
use d365_clm::odata::Service;
use serde_json::{Value, json};

pub(crate) const START: Timestamp = Timestamp::from_millis(1_772_446_507_000);

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// It never arrives.
    LostBefore,
    /// It is carried out, and the answer is lost.
    LostAfter,
    /// It is not carried out: the service is busy.
    Busy,
    /// It is not carried out: the token is refused.
    Refused,
    /// It is carried out, and a gateway answers in the service's place.
    Gateway,
    /// It is not carried out, and a gateway says so.
    Down,
}

/// How a conversation ended.
#[derive(Debug)]
pub(crate) enum Ending<T> {
    Done(T),
    Failed(Error),
    /// The process died at the step that was asked for.
    Killed,
}

#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) submissions: u32,
    /// Times that its rows were taken.
    pub(crate) executed: u32,
    pub(crate) company: String,
    pub(crate) export: bool,
    born: u64,
}

/// The service, and the disk of the host.
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) runs: BTreeMap<String, Run>,
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    pub(crate) projects: BTreeMap<String, Value>,
    pub(crate) lines: Vec<Value>,
    pub(crate) tracking: BTreeMap<String, String>,
    /// Checkpoints in the order in which they became durable.
    pub(crate) saved: Vec<String>,
    /// What other processes can see too.
    pub(crate) store: BTreeMap<String, Stored>,
    pub(crate) versions: u64,
    /// Only the first worker that saves may save.
    pub(crate) exclusive: bool,
    moved_by: Option<usize>,
    /// URLs live long after this many.
    pub(crate) long_after: u32,
    urls: std::cell::Cell<u32>,
    pub(crate) source: Vec<u8>,
    /// Blocks that are not committed, by path and id.
    pub(crate) blocks: BTreeMap<(String, String), Vec<u8>>,
    pub(crate) package: Vec<u8>,
    pub(crate) rows: u64,
    /// Status at the end of each run.
    pub(crate) end: &'static str,
    pub(crate) errors: String,
    /// Faults of the next requests; none when used up.
    pub(crate) faults: Vec<Fault>,
    /// The process dies at this step.
    pub(crate) kill_at: Option<usize>,
    pub(crate) steps: usize,
    pub(crate) requests: Vec<String>,
    /// URLs of blobs live this long.
    pub(crate) url_life: Duration,
    /// How often the URL of a package is empty first.
    pub(crate) empty_urls: u32,
    /// How many of the next writes to lines meet an update conflict.
    pub(crate) conflicts: u32,
    /// Entities whose staging can't be skipped.
    pub(crate) staged_only: Vec<String>,
    /// The record of a run appears so many milliseconds after its submission.
    pub(crate) record_after: u64,
    /// So many later the run ends.
    pub(crate) run_takes: u64,
    /// So many milliseconds after its submission a run is forgotten.
    pub(crate) purged_after: Option<u64>,
    /// What becomes of a submission under an id that there was.
    pub(crate) repeated: Repeated,
    /// The next status is as old as this, in milliseconds.
    pub(crate) lag: u64,
    /// The next status is the last one again.
    pub(crate) again: bool,
    last_status: Option<(String, Response)>,
    /// A download comes in pieces of at most this many bytes; 0: whole.
    pub(crate) piece: usize,
    /// URLs tell when they end.
    pub(crate) tells_end: bool,
    /// Each URL to upload to is of another blob.
    pub(crate) other_blobs: bool,
    /// Requests that the storage refused because their URL had run out.
    pub(crate) expired: u64,
    tokens: u32,
}

/// What the service does with an execution id that it knows; which of them the real one does is unverified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeated {
    Refused,
    RunAgain,
    Ignored,
}

/// The secrets of the model: none of them may be seen in a checkpoint or an error.
pub(crate) const SECRETS: [&str; 2] = ["SIGNATURE", "eyJ0b2tlbiI6InRoYXQgbm9ib2R5IG1heSBzZWUgYW55d2hlcmUifQ"];

impl World {
    pub(crate) fn new() -> Self {
        Self {
            now: START,
            runs: BTreeMap::new(),
            blobs: BTreeMap::new(),
            projects: BTreeMap::new(),
            lines: Vec::new(),
            tracking: BTreeMap::new(),
            saved: Vec::new(),
            store: BTreeMap::new(),
            versions: 0,
            exclusive: false,
            moved_by: None,
            long_after: u32::MAX,
            urls: std::cell::Cell::new(0),
            blocks: BTreeMap::new(),
            source: b"PK\x03\x04 the package".to_vec(),
            package: Vec::new(),
            rows: 0,
            end: "Succeeded",
            errors: "[]".to_owned(),
            faults: Vec::new(),
            kill_at: None,
            steps: 0,
            requests: Vec::new(),
            url_life: Duration::from_secs(35 * 60),
            empty_urls: 0,
            conflicts: 0,
            staged_only: Vec::new(),
            record_after: 4_000,
            run_takes: 56_000,
            purged_after: None,
            repeated: Repeated::RunAgain,
            lag: 0,
            again: false,
            last_status: None,
            piece: 0,
            tells_end: false,
            other_blobs: false,
            expired: 0,
            tokens: 0,
        }
    }

    pub(crate) fn service() -> Service {
        Service::new("https://contoso.operations.dynamics.com", Some("usmf")).unwrap()
    }

    pub(crate) fn submissions(&self, execution_id: &str) -> u32 {
        self.runs.get(execution_id).map_or(0, |run| run.submissions)
    }

    /// Carries out steps until the end, or until the process dies.
    pub(crate) fn hold<M: Machine>(&mut self, machine: &mut M) -> Ending<M::Output> {
        let mut without_waiting = 0;
        loop {
            if self.kill_at == Some(self.steps) {
                self.kill_at = None;
                return Ending::Killed;
            }
            self.steps += 1;
            without_waiting += 1;
            assert!(without_waiting < 200, "the conversation goes round without waiting");
            match machine.next(self.now) {
                Step::Send(request) => {
                    let answer = self.answer(&request);
                    // Dying between the service's answer and its handling is a place of its own.
                    if self.kill_at == Some(self.steps) {
                        self.kill_at = None;
                        return Ending::Killed;
                    }
                    self.steps += 1;
                    machine.handle(answer, self.now);
                }
                Step::Token(_) => {
                    self.tokens += 1;
                    let expires = Some(self.now.plus(Duration::from_secs(3_600)));
                    machine.handle(Input::TokenRenewed { expires }, self.now);
                }
                Step::Save(save) => {
                    for secret in SECRETS {
                        assert!(!save.state.contains(secret), "a checkpoint holds a secret: {}", save.state);
                    }
                    if self.exclusive {
                        // Another worker has moved the checkpoint since this one read it.
                        if self.moved_by.get_or_insert(std::ptr::from_ref(machine).addr())
                            != &std::ptr::from_ref(machine).addr()
                        {
                            let error = Error::new(
                                d365_clm::ErrorCode::CheckpointConflict,
                                "another worker was first",
                            );
                            machine.handle(Input::SaveRefused(Box::new(error)), self.now);
                            continue;
                        }
                    }
                    self.saved.push(save.state);
                    machine.handle(Input::Saved, self.now);
                }
                Step::SendAll(requests) => {
                    let answers = requests.iter().map(|request| self.answer(request)).collect();
                    if self.kill_at == Some(self.steps) {
                        self.kill_at = None;
                        return Ending::Killed;
                    }
                    self.steps += 1;
                    machine.handle(Input::Answers(answers), self.now);
                }
                Step::Load(key) => machine.handle(Input::Loaded(self.store.get(&key).cloned()), self.now),
                Step::Store(store) => {
                    let answer = self.keep(store);
                    machine.handle(answer, self.now);
                }
                Step::Read(range) => machine.handle(Input::Bytes(self.read(range)), self.now),
                Step::Wait(until) => {
                    assert!(until > self.now, "a pause that is over already");
                    self.now = until;
                    without_waiting = 0;
                }
                Step::Emit(_) => {}
                Step::Done(output) => return Ending::Done(output),
                Step::Failed(error) => {
                    for secret in SECRETS {
                        assert!(!format!("{error:?}").contains(secret), "an error holds a secret: {error:?}");
                    }
                    return Ending::Failed(*error);
                }
                step => panic!("an unknown step: {:?}", std::mem::discriminant(&step)),
            }
        }
    }

    /// Bytes of the source, fewer at its end.
    pub(crate) fn read(&self, range: std::ops::Range<u64>) -> Vec<u8> {
        let at = |place: u64| usize::try_from(place).unwrap().min(self.source.len());
        self.source[at(range.start)..at(range.end)].to_vec()
    }

    pub(crate) fn keep(&mut self, store: Store) -> Input {
        for secret in SECRETS {
            assert!(!store.value.contains(secret), "the store holds a secret: {}", store.value);
        }
        if self.store.get(&store.key).map(|stored| stored.version.clone()) != store.if_version {
            return Input::StoreConflict;
        }
        self.versions += 1;
        let version = self.versions.to_string();
        self.store.insert(store.key, Stored::new(store.value, version.clone()));
        Input::Stored(version)
    }

    /// The answer to one request, for tests that hold the conversation by hand.
    pub(crate) fn answer(&mut self, request: &Request) -> Input {
        assert_eq!(
            request.bearer,
            !request.url.contains("blob.core.windows.net"),
            "the token goes to the environment, and nowhere else"
        );
        self.now = self.now.plus(Duration::from_millis(80));
        let fault = if self.faults.is_empty() { Fault::None } else { self.faults.remove(0) };
        let lost = || Input::TransportError(TransportError::new(TransportKind::NoAnswer, "connection reset"));
        match fault {
            Fault::None => Input::Response(self.carry_out(request)),
            Fault::LostBefore => lost(),
            Fault::LostAfter => {
                self.carry_out(request);
                lost()
            }
            Fault::Busy => Input::Response(Response::new(429, "").with_header("Retry-After", "3")),
            Fault::Refused if request.bearer => Input::Response(Response::new(401, "")),
            Fault::Refused => lost(),
            Fault::Gateway => {
                self.carry_out(request);
                Input::Response(Response::new(504, "<html><title>Gateway Timeout</title></html>"))
            }
            Fault::Down => Input::Response(Response::new(503, "")),
        }
    }

    pub(crate) fn carry_out(&mut self, request: &Request) -> Response {
        let (path, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
        let name = path.rsplit('/').next().unwrap().rsplit('.').next().unwrap().to_owned();
        if path.contains("blob.core.windows.net") {
            let part = query.split('&').find_map(|o| o.strip_prefix("comp=")).unwrap_or("blob");
            self.requests.push(format!("{} {part}", request.method.as_str()));
            let answer = self.blob(request.method, path, query, &request.body);
            return match request.headers.iter().find(|(name, _)| *name == "x-ms-range") {
                Some((_, range)) if self.piece > 0 && answer.status == 200 => self.piece_of(&answer, range),
                _ => answer,
            };
        }
        self.requests.push(name.clone());
        if let Some((_, rest)) = path.split_once("/data/DataManagementDefinitionGroups/") {
            let action = rest.rsplit('.').next().unwrap();
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            return self.action(action, &body);
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let filter = query.replace("%20", " ");
        self.odata(request.method, path, &filter, &body)
    }

    fn piece_of(&self, answer: &Response, range: &str) -> Response {
        let from: usize = range.strip_prefix("bytes=").unwrap().split('-').next().unwrap().parse().unwrap();
        let all = answer.body.len();
        if from >= all {
            return Response::new(416, "");
        }
        let until = all.min(from + self.piece);
        Response::new(206, &answer.body[from..until])
            .with_header("content-range", &format!("bytes {from}-{}/{all}", until - 1))
            .with_header("etag", "\"1\"")
    }

    fn blob(&mut self, method: Method, path: &str, query: &str, body: &[u8]) -> Response {
        let end: u64 = query.split('&').find_map(|o| o.strip_prefix("life=")).unwrap().parse().unwrap();
        if self.now.as_millis() > end {
            self.expired += 1;
            return Response::new(
                403,
                "<Error><Code>AuthenticationFailed</Code><Message>expired</Message></Error>",
            );
        }
        let option = |name: &str| query.split('&').find_map(|o| o.strip_prefix(name)).map(str::to_owned);
        match (method, option("comp=").as_deref()) {
            (Method::Put, Some("block")) => {
                assert!(body.len() <= 4 << 20, "a block of {} bytes", body.len());
                let id = option("blockid=").unwrap().replace("%3D", "=");
                self.blocks.insert((path.to_owned(), id), body.to_vec());
                Response::new(201, "")
            }
            (Method::Put, Some("blocklist")) => {
                let list = String::from_utf8(body.to_vec()).unwrap();
                let ids =
                    list.split("<Latest>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned());
                let blocks: Option<Vec<Vec<u8>>> =
                    ids.map(|id| self.blocks.get(&(path.to_owned(), id)).cloned()).collect();
                let Some(blocks) = blocks else { return Response::new(400, "InvalidBlockList") };
                self.blobs.insert(path.to_owned(), blocks.concat());
                Response::new(201, "")
            }
            (Method::Get, Some("blocklist")) => {
                let ids: Vec<String> = (self.blocks.keys())
                    .filter(|(blob, _)| blob == path)
                    .map(|(_, id)| format!("<Block><Name>{id}</Name><Size>1</Size></Block>"))
                    .collect();
                match ids.is_empty() {
                    true => Response::new(404, ""),
                    false => Response::new(200, format!("<BlockList>{}</BlockList>", ids.concat())),
                }
            }
            (Method::Put, _) => {
                self.blobs.insert(path.to_owned(), body.to_vec());
                Response::new(201, "")
            }
            _ => Response::new(200, self.package.clone()),
        }
    }

    fn url(&self, name: &str) -> String {
        self.urls.set(self.urls.get() + 1);
        let long = self.urls.get() > self.long_after;
        let life = if long { Duration::from_secs(2_100) } else { self.url_life };
        let life = self.now.plus(life).as_millis();
        let blob = if self.other_blobs { format!("{}-", self.urls.get()) } else { String::new() };
        let end = if self.tells_end { format!("&se={}", iso(life)) } else { String::new() };
        let name = format!("{blob}{name}");
        format!("https://acct.blob.core.windows.net/dmf/{name}?sv=2014-02-14&life={life}{end}&sig=SIGNATURE")
    }

    fn action(&mut self, action: &str, body: &Value) -> Response {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let value = |value: &str| Response::new(200, json!({ "value": value }).to_string());
        let id = text("executionId");
        match action {
            "GetAzureWriteUrl" => {
                let url = self.url(&text("uniqueFileName"));
                value(&json!({ "BlobId": "{1}", "BlobUrl": url }).to_string())
            }
            "ImportFromPackage" | "ExportToPackage" => {
                if action == "ImportFromPackage" {
                    let url = text("packageUrl");
                    let path = url.split('?').next().unwrap();
                    assert_eq!(
                        self.blobs.get(path),
                        Some(&self.source),
                        "an import of a blob that was not put"
                    );
                }
                let now = self.now.as_millis();
                let run = self.runs.entry(id.clone()).or_default();
                run.submissions += 1;
                if run.submissions > 1 {
                    run.executed += u32::from(self.repeated == Repeated::RunAgain);
                    return match self.repeated {
                        Repeated::Refused => Response::new(
                            400,
                            json!({ "Message": "The execution id is in use." }).to_string(),
                        ),
                        Repeated::RunAgain | Repeated::Ignored => value(&id),
                    };
                }
                run.executed = 1;
                run.company = text("legalEntityId");
                run.export = action == "ExportToPackage";
                run.born = now;
                value(&id)
            }
            "GetExecutionSummaryStatus" => {
                if std::mem::take(&mut self.again)
                    && let Some((of, last)) = &self.last_status
                    && *of == id
                {
                    return last.clone();
                }
                let lag = std::mem::take(&mut self.lag);
                let (born, end) = (self.record_after, self.record_after + self.run_takes);
                let answer = match self.age(&id) {
                    Some(age) if age >= born => match age.saturating_sub(lag).max(born) {
                        age if age < born + 5_000 => value("NotRun"),
                        age if age < end => value("Executing"),
                        _ => value(self.end),
                    },
                    // The record appears late.
                    _ => return Response::new(
                        400,
                        json!({ "error": { "code": "", "message": "An error has occurred.", "innererror": { "message":
                            format!("Exception occurred while executing action GetExecutionSummaryStatus on Entity DataManagementDefinitionGroup: Execution details were not found for execution id: {id}") } } })
                        .to_string(),
                    ),
                };
                self.last_status = Some((id, answer.clone()));
                answer
            }
            "GetExecutionErrors" => value(&self.errors.clone()),
            "GetExportedPackageUrl" => {
                if self.empty_urls > 0 {
                    self.empty_urls -= 1;
                    return value("");
                }
                value(&self.url("export.zip"))
            }
            other => panic!("the model knows no action {other}"),
        }
    }

    fn age(&self, id: &str) -> Option<u64> {
        let age = self.runs.get(id).map(|run| self.now.as_millis() - run.born);
        age.filter(|age| self.purged_after.is_none_or(|end| *age < end))
    }

    fn odata(&mut self, method: Method, path: &str, filter: &str, body: &Value) -> Response {
        let list = |rows: Vec<Value>| Response::new(200, json!({ "value": rows }).to_string());
        let set = path.rsplit('/').next().unwrap();
        let (set, key) = set.split_once('(').unwrap_or((set, ""));
        let quoted = filter.split('\'').nth(1).unwrap_or_default();
        let refused = |why: &str| Response::new(400, json!({ "Message": why }).to_string());
        if set == "DataManagementDefinitionGroupDetails" && method != Method::Get {
            if self.conflicts > 0 {
                self.conflicts -= 1;
                return refused("Cannot edit a record (update conflict).");
            }
            let label = body["EntityName"].as_str().map(str::to_owned).unwrap_or_else(|| label_of(key));
            if body["SkipStaging"] == "Yes" && self.staged_only.contains(&label) {
                return refused("Staging cannot be skipped for this entity.");
            }
        }
        match (set, method) {
            ("DataManagementExecutionJobDetails", Method::Get) => match self.age(quoted) {
                Some(age) if age >= self.record_after => {
                    let failed = if self.end == "Succeeded" { 0 } else { 1 };
                    list(vec![
                        json!({ "EntityName": "Vendors V2", "StagingStatus": "Finished", "TargetStatus": "Finished",
                        "StagingRecordsToBeProcessedCount": self.rows, "StagingRecordsCreatedCount": self.rows,
                        "TargetRecordsCreatedCount": self.rows.saturating_sub(failed), "TargetRecordsUpdatedCount": 0 }),
                    ])
                }
                _ => list(vec![]),
            },
            ("DataManagementEntities", Method::Get) => list(
                self.tracking
                    .get(quoted)
                    .map(|kind| json!({ "EntityName": quoted, "ChangeTrackingType": kind }))
                    .into_iter()
                    .collect(),
            ),
            ("DataManagementDefinitionGroups", Method::Get) => {
                let name = key.split('\'').nth(1).unwrap();
                match self.projects.get(name) {
                    Some(project) => Response::new(200, project.to_string()),
                    None => Response::new(404, ""),
                }
            }
            ("DataManagementDefinitionGroups", Method::Post) => {
                let name = body["Name"].as_str().unwrap().to_owned();
                if self.projects.contains_key(&name) {
                    return Response::new(
                        400,
                        json!({ "Message": "The record already exists." }).to_string(),
                    );
                }
                self.projects.insert(name, body.clone());
                Response::new(201, body.to_string())
            }
            ("DataManagementDefinitionGroups", Method::Patch) => {
                let name = key.split('\'').nth(1).unwrap();
                merge(self.projects.get_mut(name).unwrap(), body);
                Response::new(204, "")
            }
            ("DataManagementDefinitionGroupDetails", Method::Get) => {
                list(self.lines.iter().filter(|line| line["DefinitionGroupId"] == quoted).cloned().collect())
            }
            ("DataManagementDefinitionGroupDetails", Method::Post) => {
                let same = |line: &&Value| {
                    line["DefinitionGroupId"] == body["DefinitionGroupId"]
                        && line["EntityName"] == body["EntityName"]
                };
                if self.lines.iter().any(|line| same(&line)) {
                    return Response::new(
                        400,
                        json!({ "Message": "The record already exists." }).to_string(),
                    );
                }
                let mut line = body.clone();
                let mapped = line["AutoGenerateMapping"] == "Yes";
                line["AutoGenerateMapping"] = "No".into();
                line["ValidationStatus"] = if mapped { "Yes" } else { "No" }.into();
                self.lines.push(line.clone());
                Response::new(201, line.to_string())
            }
            ("DataManagementDefinitionGroupDetails", Method::Patch) => {
                let label = label_of(key);
                let line = self.lines.iter_mut().find(|line| line["EntityName"] == label.as_str()).unwrap();
                merge(line, body);
                Response::new(204, "")
            }
            ("DataManagementDefinitionGroupDetails", Method::Delete) => {
                let label = label_of(key);
                let before = self.lines.len();
                self.lines.retain(|line| line["EntityName"] != label.as_str());
                Response::new(if self.lines.len() < before { 204 } else { 404 }, "")
            }
            (set, method) => panic!("the model knows no {method:?} of {set}"),
        }
    }
}

/// The entity in the key of a line.
fn label_of(key: &str) -> String {
    key.split('\'').nth(3).unwrap_or_default().replace("%20", " ")
}

fn merge(target: &mut Value, patch: &Value) {
    for (name, value) in patch.as_object().unwrap() {
        target[name] = value.clone();
    }
}

/// A time as the signature of a URL tells it.
fn iso(millis: u64) -> String {
    // The days of the years before, by the rules of the calendar.
    let (mut days, seconds) = (millis / 86_400_000, millis / 1_000 % 86_400);
    let mut year = 1970;
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 0;
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year}-{:02}-{:02}T{hour:02}%3A{minute:02}%3A{second:02}Z", month + 1, days + 1)
}
