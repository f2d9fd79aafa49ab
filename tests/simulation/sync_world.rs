//! A service whose markers move when an export runs, the host's store and database, and a process that may die at any step.

use std::collections::BTreeMap;
use std::time::Duration;

use d365_clm::Error;
use d365_clm::http::{
    Input, Machine, Method, Request, Response, Step, Store, Stored, Timestamp, TransportError, TransportKind,
};
use d365_clm::odata::Service;
use d365_clm::package::{EntitySpec, PackageSpec, PackageWriter};
use d365_clm::sync::{Batch, Mode, Sync, SyncOptions, Turned};
use serde_json::{Value, json};

use crate::world::{Ending, Fault, START};

pub(crate) const DAY: u64 = 86_400_000;
/// The service shows a run as ended after this many milliseconds.
const RUN: u64 = 20_000;
/// Rows of a page.
const PAGE: usize = 3;

/// A run, with its package: made when it ran.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) project: String,
    pub(crate) rows: usize,
    pub(crate) end: &'static str,
    pub(crate) submissions: u32,
    born: u64,
    package: Vec<u8>,
}

/// Vendors of companies, by company and number: name, and the version of the last change.
pub(crate) type Vendors = BTreeMap<(String, String), (String, u64)>;

/// A time of March 2026, as OData writes it.
pub(crate) fn written(time: Timestamp) -> String {
    let seconds = time.since(START).as_secs() + (10 * 60 + 15) * 60 + 7;
    let (day, hour, minute) = (2 + seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    format!("2026-03-{day:02}T{hour:02}:{minute:02}:{:02}Z", seconds % 60)
}

pub(crate) struct SyncWorld {
    pub(crate) now: Timestamp,
    pub(crate) vendors: Vendors,
    version: u64,
    /// When each was changed, by version.
    modified: BTreeMap<u64, String>,
    /// Rows that were read by OData.
    pub(crate) read: std::cell::Cell<usize>,
    /// Projects with their refresh type.
    pub(crate) projects: BTreeMap<String, Option<String>>,
    pub(crate) markers: BTreeMap<String, u64>,
    pub(crate) runs: BTreeMap<String, Run>,
    /// In the order of their submission.
    pub(crate) order: Vec<String>,
    pub(crate) tracking: &'static str,
    /// How the next runs end.
    pub(crate) ends: Vec<&'static str>,
    pub(crate) store: BTreeMap<String, Stored>,
    versions: u64,
    /// The host's database.
    pub(crate) database: BTreeMap<(String, String), String>,
    /// Ids that were committed, in order.
    pub(crate) committed: Vec<String>,
    /// Every batch that was handed over.
    pub(crate) seen: BTreeMap<String, Vec<String>>,
    pub(crate) batches: Vec<(Mode, usize, usize, bool)>,
    /// Runs whose last batch is committed.
    pub(crate) closed: Vec<String>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) kill_at: Option<usize>,
    pub(crate) steps: usize,
    pub(crate) requests: Vec<String>,
    /// How the scan of keys is broken.
    pub(crate) scan: Scan,
    /// The host commits before it handles: what must not be done.
    pub(crate) hasty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scan {
    Whole,
    /// The company was taken from the user.
    Revoked,
    /// The second page is empty and the last.
    EmptyPage,
    /// The second page is cut in its middle.
    Cut,
    /// One row is passed by, though it is there, and the service counts it not.
    PassedBy,
    /// Refused.
    Forbidden,
}

impl SyncWorld {
    pub(crate) fn new(vendors: usize) -> Self {
        let mut world = Self {
            now: START,
            vendors: BTreeMap::new(),
            version: 0,
            modified: BTreeMap::new(),
            read: std::cell::Cell::new(0),
            projects: BTreeMap::new(),
            markers: BTreeMap::new(),
            runs: BTreeMap::new(),
            order: Vec::new(),
            tracking: "ALL",
            ends: Vec::new(),
            store: BTreeMap::new(),
            versions: 0,
            database: BTreeMap::new(),
            committed: Vec::new(),
            seen: BTreeMap::new(),
            batches: Vec::new(),
            closed: Vec::new(),
            faults: Vec::new(),
            kill_at: None,
            steps: 0,
            requests: Vec::new(),
            scan: Scan::Whole,
            hasty: false,
        };
        for number in 0..vendors {
            world.put("usmf", number, "first");
        }
        world
    }

    pub(crate) fn put(&mut self, company: &str, number: usize, name: &str) {
        self.version += 1;
        self.modified.insert(self.version, written(self.now));
        let key = (company.to_owned(), format!("V{number:03}"));
        self.vendors.insert(key, (format!("{name} {number}"), self.version));
    }

    pub(crate) fn remove(&mut self, company: &str, number: usize) {
        self.vendors.remove(&(company.to_owned(), format!("V{number:03}")));
    }

    pub(crate) fn service() -> Service {
        Service::new("https://contoso.operations.dynamics.com", Some("usmf")).unwrap()
    }

    pub(crate) fn sync(options: &Value) -> Sync {
        let mut whole = json!({ "name": "n", "entities": ["VendorsV2"], "batchSize": 2 });
        for (name, value) in options.as_object().unwrap() {
            whole[name] = value.clone();
        }
        let options: SyncOptions = serde_json::from_value(whole).unwrap();
        Sync::new(&Self::service(), options).unwrap()
    }

    /// The source as the database should have it.
    pub(crate) fn expected(&self) -> BTreeMap<(String, String), String> {
        self.vendors.iter().map(|(key, (name, _))| (key.clone(), name.clone())).collect()
    }

    /// One pass of a fresh process.
    pub(crate) fn pass(&mut self, options: &Value) -> Ending<()> {
        self.hold_pass(&mut Self::sync(options))
    }

    pub(crate) fn hold_pass(&mut self, sync: &mut Sync) -> Ending<()> {
        loop {
            match self.turn(sync) {
                Ending::Done(true) => {}
                Ending::Done(false) => return Ending::Done(()),
                Ending::Failed(error) => return Ending::Failed(error),
                Ending::Killed => return Ending::Killed,
            }
        }
    }

    /// One batch, handled and committed; false at the end.
    pub(crate) fn turn(&mut self, sync: &mut Sync) -> Ending<bool> {
        let batch = match self.hold(&mut sync.batch()) {
            Ending::Done(Turned::Batch(batch)) => batch,
            Ending::Done(_) => return Ending::Done(false),
            Ending::Failed(error) => return Ending::Failed(error),
            Ending::Killed => return Ending::Killed,
        };
        if !self.hasty {
            self.apply(&batch);
        }
        match self.hold(&mut sync.commit(&batch.id)) {
            Ending::Done(_) => {}
            Ending::Failed(error) => return Ending::Failed(error),
            Ending::Killed => return Ending::Killed,
        }
        if self.dies() {
            return Ending::Killed;
        }
        if self.hasty {
            self.apply(&batch);
        }
        self.committed.push(batch.id.clone());
        Ending::Done(true)
    }

    /// The host's handler: an upsert. The same id must always mean the same rows.
    pub(crate) fn apply(&mut self, batch: &Batch) {
        let rows = batch.rows.iter().chain(&batch.deleted_keys).cloned().collect::<Vec<_>>();
        let before = self.seen.insert(batch.id.clone(), rows.clone());
        assert!(before.is_none_or(|before| before == rows), "the batch {} has other rows now", batch.id);
        self.batches.push((batch.mode, batch.rows.len(), batch.deleted_keys.len(), batch.last));
        let key = |row: &Value| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            (text("dataAreaId"), text("VendorAccountNumber"))
        };
        for row in &batch.rows {
            let row: Value = serde_json::from_str(row).unwrap();
            self.database.insert(key(&row), row["VendorOrganizationName"].as_str().unwrap().to_owned());
        }
        for row in &batch.deleted_keys {
            self.database.remove(&key(&serde_json::from_str(row).unwrap()));
        }
    }

    fn dies(&mut self) -> bool {
        let dies = self.kill_at == Some(self.steps);
        if dies {
            self.kill_at = None;
        }
        self.steps += 1;
        dies
    }

    /// Carries out steps until the end, or until the process dies.
    pub(crate) fn hold<M: Machine>(&mut self, machine: &mut M) -> Ending<M::Output> {
        let mut without_waiting = 0;
        loop {
            if self.dies() {
                return Ending::Killed;
            }
            without_waiting += 1;
            assert!(without_waiting < 500, "the conversation goes round without waiting");
            match machine.next(self.now) {
                Step::Send(request) => {
                    let answer = self.answer(&request);
                    if self.dies() {
                        return Ending::Killed;
                    }
                    machine.handle(answer, self.now);
                }
                Step::Token(_) => {
                    let expires = Some(self.now.plus(Duration::from_secs(3_600)));
                    machine.handle(Input::TokenRenewed { expires }, self.now);
                }
                Step::Load(key) => machine.handle(Input::Loaded(self.store.get(&key).cloned()), self.now),
                Step::Store(store) => {
                    let answer = self.keep(store);
                    if self.dies() {
                        return Ending::Killed;
                    }
                    machine.handle(answer, self.now);
                }
                Step::Wait(until) => {
                    assert!(until > self.now, "a pause that is over already");
                    self.now = until;
                    without_waiting = 0;
                }
                Step::Emit(_) => {}
                Step::Done(output) => return Ending::Done(output),
                Step::Failed(error) => {
                    assert!(
                        !format!("{error:?}").contains("SIGNATURE"),
                        "an error holds a secret: {error:?}"
                    );
                    return Ending::Failed(*error);
                }
                step => panic!("no step of a sync: {:?}", std::mem::discriminant(&step)),
            }
        }
    }

    fn keep(&mut self, store: Store) -> Input {
        assert!(!store.value.contains("SIGNATURE"), "the store holds a secret: {}", store.value);
        assert!(store.value.len() <= 1_000_000);
        if self.store.get(&store.key).map(|stored| stored.version.clone()) != store.if_version {
            return Input::StoreConflict;
        }
        if let Some(old) = self.store.get(&store.key)
            && store.key.matches('/').count() == 3
        {
            // The run that was open is closed by what replaces it.
            let id = |text: &str| {
                serde_json::from_str::<Value>(text).unwrap()["run"]["executionId"].as_str().map(str::to_owned)
            };
            if let (Some(before), None) = (id(&old.value), id(&store.value)) {
                self.closed.push(before);
            }
        }
        self.versions += 1;
        let version = self.versions.to_string();
        self.store.insert(store.key, Stored::new(store.value, version.clone()));
        Input::Stored(version)
    }

    fn answer(&mut self, request: &Request) -> Input {
        assert_eq!(request.bearer, !request.url.contains("blob.core.windows.net"));
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

    fn carry_out(&mut self, request: &Request) -> Response {
        let (path, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
        let query = query.replace("%20", " ").replace("%27", "'").replace("%24", "$");
        if path.contains("blob.core.windows.net") {
            self.requests.push("blob".to_owned());
            let id = path.rsplit('/').next().unwrap().trim_end_matches(".zip").replace("%20", " ");
            let now = self.now.as_millis();
            return match self.runs.get(&id) {
                Some(run) if now - run.born <= 7 * DAY => Response::new(200, run.package.clone()),
                _ => Response::new(404, "<Error><Code>BlobNotFound</Code></Error>"),
            };
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        if let Some((_, rest)) = path.split_once("/data/DataManagementDefinitionGroups/") {
            let action = rest.rsplit('.').next().unwrap().to_owned();
            self.requests.push(action.clone());
            return self.action(&action, &body);
        }
        let set = path.split("/data/").nth(1).unwrap();
        let (set, key) = set.split_once('(').unwrap_or((set, ""));
        self.requests.push(set.to_owned());
        let key = key.replace("%20", " ").replace("%27", "'");
        match set {
            "VendorsV2" => self.vendors_of(&query, &key),
            "LegalEntities" => list(&[]),
            _ => self.management(set, request.method, &query, &key, &body),
        }
    }

    fn action(&mut self, action: &str, body: &Value) -> Response {
        let value = |value: &str| Response::new(200, json!({ "value": value }).to_string());
        let id = body["executionId"].as_str().unwrap_or_default().to_owned();
        match action {
            "ExportToPackage" => {
                let project = body["definitionGroupId"].as_str().unwrap().to_owned();
                self.run(&id, &project, body["legalEntityId"].as_str().unwrap());
                value(&id)
            }
            "GetExecutionSummaryStatus" => match self.age(&id) {
                Some(2_000..RUN) => value("Executing"),
                Some(RUN..) => value(self.runs[&id].end),
                _ => Response::new(
                    400,
                    json!({ "error": { "message": "Execution details were not found" } }).to_string(),
                ),
            },
            "GetExecutionErrors" => value("[]"),
            "GetExportedPackageUrl" => {
                value(&format!("https://acct.blob.core.windows.net/dmf/{id}.zip?sig=SIGNATURE"))
            }
            other => panic!("the model knows no action {other}"),
        }
    }

    /// The export runs: its rows are taken and its marker moves, now.
    fn run(&mut self, id: &str, project: &str, company: &str) {
        if let Some(run) = self.runs.get_mut(id) {
            run.submissions += 1;
            return;
        }
        let refresh = self.projects[project].clone().expect("the project has a line");
        let base = project.trim_end_matches("-Full");
        // No run of the line may begin while one is open.
        let open = self.order.iter().filter(|id| self.runs[*id].project.trim_end_matches("-Full") == base);
        for open in open {
            assert!(self.closed.contains(open), "{id} began while {open} was not wholly committed");
        }
        let tracked = refresh == "IncrementalPush" && self.tracking != "None";
        let marker = if tracked { self.markers.get(project).copied().unwrap_or(0) } else { 0 };
        let company = company.to_ascii_lowercase();
        let rows: Vec<(String, String)> = (self.vendors.iter())
            .filter(|((area, _), (_, version))| *area == company && *version > marker)
            .map(|((_, number), (name, _))| (number.clone(), name.clone()))
            .collect();
        if tracked {
            self.markers.insert(project.to_owned(), self.version);
        }
        let end = if self.ends.is_empty() { "Succeeded" } else { self.ends.remove(0) };
        let run = Run {
            project: project.to_owned(),
            rows: rows.len(),
            end,
            submissions: 1,
            born: self.now.as_millis(),
            package: package(project, &rows),
        };
        self.runs.insert(id.to_owned(), run);
        self.order.push(id.to_owned());
    }

    fn age(&self, id: &str) -> Option<u64> {
        // Runs are forgotten with their packages.
        self.runs.get(id).map(|run| self.now.as_millis() - run.born).filter(|age| *age <= 7 * DAY)
    }

    fn management(&mut self, set: &str, method: Method, query: &str, key: &str, body: &Value) -> Response {
        let quoted = query.split('\'').nth(1).unwrap_or_default();
        let named = key.split('\'').nth(1).unwrap_or_default();
        let line = |project: &str, refresh: &str| {
            json!({
                "DefinitionGroupId": project, "EntityName": "Vendors V2", "DefaultRefreshType": refresh, "ValidationStatus": "Yes",
                "SkipStaging": "No",
            })
        };
        match (set, method) {
            ("DataManagementEntities", _) => list(&[
                json!({ "EntityName": "Vendors V2", "ChangeTrackingType": self.tracking, "IsShared": "No" }),
            ]),
            ("DataManagementExecutionJobDetails", _) => match self.age(quoted) {
                Some(2_000..) => list(&[
                    json!({ "EntityName": "Vendors V2", "StagingStatus": "Finished", "TargetStatus": "Finished",
                    "StagingRecordsToBeProcessedCount": self.runs[quoted].rows, "StagingRecordsCreatedCount": self.runs[quoted].rows,
                    "TargetRecordsCreatedCount": self.runs[quoted].rows, "TargetRecordsUpdatedCount": 0 }),
                ]),
                _ => list(&[]),
            },
            ("DataManagementDefinitionGroups", Method::Get) => match self.projects.contains_key(named) {
                true => Response::new(200, json!({ "Name": named, "OperationType": "Export" }).to_string()),
                false => Response::new(404, ""),
            },
            ("DataManagementDefinitionGroups", Method::Post) => {
                self.projects.entry(body["Name"].as_str().unwrap().to_owned()).or_insert(None);
                Response::new(201, body.to_string())
            }
            ("DataManagementDefinitionGroupDetails", Method::Get) => match &self.projects[quoted] {
                Some(refresh) => list(&[line(quoted, refresh)]),
                None => list(&[]),
            },
            ("DataManagementDefinitionGroupDetails", Method::Post) => {
                let project = body["DefinitionGroupId"].as_str().unwrap().to_owned();
                let refresh = body["DefaultRefreshType"].as_str().unwrap().to_owned();
                self.projects.insert(project, Some(refresh));
                Response::new(201, body.to_string())
            }
            (set, method) => panic!("the model knows no {method:?} of {set}"),
        }
    }

    fn vendors_of(&self, query: &str, key: &str) -> Response {
        let row = |(area, number): &(String, String), (name, version): &(String, u64)| {
            json!({
                "@odata.etag": "W/1", "dataAreaId": area, "VendorAccountNumber": number, "VendorOrganizationName": name,
                "SSIValidityDate": self.modified[version],
            })
        };
        let since =
            query.split("SSIValidityDate ge ").nth(1).and_then(|rest| rest.get(..20)).unwrap_or_default();
        let scans = query.contains("$count=true") || query.contains("scan=1");
        let revoked = self.scan == Scan::Revoked;
        if !key.is_empty() {
            let (area, number) = (key.split('\'').nth(1).unwrap(), key.split('\'').nth(3).unwrap());
            let key = (area.to_owned(), number.to_owned());
            return match self.vendors.get(&key).filter(|_| !revoked) {
                Some(vendor) => Response::new(200, row(&key, vendor).to_string()),
                None => Response::new(404, ""),
            };
        }
        if scans && self.scan == Scan::Forbidden {
            return Response::new(403, "");
        }
        let company =
            query.split("dataAreaId eq '").nth(1).map_or("usmf", |rest| rest.split('\'').next().unwrap());
        let mut rows: Vec<Value> = (self.vendors.iter())
            .filter(|((area, _), _)| area.eq_ignore_ascii_case(company) && !revoked)
            .filter(|(_, (_, version))| self.modified[version].as_str() >= since)
            .map(|(key, vendor)| row(key, vendor))
            .collect();
        if scans && self.scan == Scan::PassedBy {
            rows.remove(1);
        }
        let from: usize =
            query.split("skip=").nth(1).map_or(0, |rest| rest.split('&').next().unwrap().parse().unwrap());
        let mut answer = json!({});
        if from == 0 && query.contains("$count=true") {
            answer["@odata.count"] = rows.len().into();
        }
        let mut page: Vec<Value> = rows.iter().skip(from).take(PAGE).cloned().collect();
        let mut more = from + PAGE < rows.len();
        if scans && self.scan == Scan::EmptyPage && from > 0 {
            (page, more) = (Vec::new(), false);
        }
        self.read.set(self.read.get() + page.len());
        answer["value"] = page.into();
        if more {
            let scan = if scans { "&scan=1" } else { "" };
            let since =
                if since.is_empty() { String::new() } else { format!(" and SSIValidityDate ge {since}") };
            answer["@odata.nextLink"] = format!(
                "https://contoso.operations.dynamics.com/data/VendorsV2?$filter=dataAreaId eq '{company}'{since}&skip={}{scan}",
                from + PAGE
            )
            .into();
        }
        let text = answer.to_string();
        if scans && self.scan == Scan::Cut && from > 0 {
            return Response::new(200, text[..text.len() / 2].to_owned());
        }
        Response::new(200, text)
    }
}

fn list(rows: &[Value]) -> Response {
    Response::new(200, json!({ "value": rows }).to_string())
}

fn package(project: &str, rows: &[(String, String)]) -> Vec<u8> {
    let mut spec = PackageSpec::new(project);
    // The writer makes no empty files: a package without the entity stands for one without its rows.
    let label = if rows.is_empty() { "Currencies" } else { "Vendors V2" };
    spec.entities.push(EntitySpec::new(label));
    let mut writer = PackageWriter::new(spec).unwrap();
    if rows.is_empty() {
        writer.begin_entity(0, &["CurrencyCode".into()]).unwrap();
        writer.write_rows("EUR", &[3], &[0]).unwrap();
        writer.end_entity().unwrap();
        return writer.finish().unwrap();
    }
    writer.begin_entity(0, &["VendorAccountNumber".into(), "VendorOrganizationName".into()]).unwrap();
    for (number, name) in rows {
        let (a, b) =
            (u32::try_from(number.len()).unwrap(), u32::try_from(number.len() + name.len()).unwrap());
        writer.write_rows(&format!("{number}{name}"), &[a, b], &[0, 0]).unwrap();
    }
    writer.end_entity().unwrap();
    writer.finish().unwrap()
}

/// The error of an ending.
pub(crate) fn failed<T: std::fmt::Debug>(ending: Ending<T>) -> Error {
    match ending {
        Ending::Failed(error) => error,
        other => panic!("it did not fail: {other:?}"),
    }
}
