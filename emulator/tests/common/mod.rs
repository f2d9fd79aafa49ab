//! A sandbox process for a test, and the calls that tests make.
#![allow(dead_code, unreachable_pub)]

use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Longest wait for a run.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Sandbox {
    pub child: Child,
    pub stdin: Option<ChildStdin>,
    pub ready: Value,
    pub client: reqwest::Client,
    pub token: String,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The text that the service means.
    pub fn error(&self) -> String {
        let json = self.json();
        let inner = &json["error"]["innererror"]["message"];
        inner.as_str().or(json["error"]["message"].as_str()).unwrap_or_default().to_owned()
    }
}

/// False where Node or Azurite is missing: the test is skipped, with `CI=true` it fails.
pub fn equipped() -> bool {
    let folder = std::env::current_dir().unwrap();
    let azurite = folder.ancestors().any(|f| f.join("node_modules/azurite/dist/src/blob/main.js").is_file());
    let node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    if azurite && node {
        return true;
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "node or node_modules/azurite is missing");
    println!("skipped: node or node_modules/azurite is missing");
    false
}

impl Sandbox {
    /// A started sandbox with a token and the companies USMF and DEMF; `None` where it cannot run here.
    pub async fn start(arguments: &[&str]) -> Option<Self> {
        if !equipped() {
            return None;
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_d365-sandbox"))
            .args(["serve", "--exit-with-stdin", "--step-ms", "150"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).expect("the ready line");
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let mut sandbox = Self { child, stdin, ready, client, token: String::new() };
        sandbox.token = sandbox.token_of("clientId", "clientSecret").await;
        sandbox
            .load(
                "LegalEntities",
                &[
                    json!({"LegalEntityId":"USMF","Name":"Contoso US"}),
                    json!({"LegalEntityId":"DEMF","Name":"Contoso DE"}),
                ],
            )
            .await;
        Some(sandbox)
    }

    pub fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap()
    }

    pub async fn token_request(&self, form: &[(&str, &str)], origin: Option<&str>) -> Answer {
        let body = form.iter().map(|(k, v)| format!("{k}={}", encode(v))).collect::<Vec<_>>().join("&");
        let mut request = self
            .client
            .post(self.text("tokenUrl"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        answer(request).await
    }

    pub async fn token_of(&self, id: &str, secret: &str) -> String {
        let scope = format!("{}/.default", self.text("baseUrl"));
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.text(id)),
            ("client_secret", self.text(secret)),
            ("scope", &scope),
        ];
        self.token_request(&form, None).await.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn send(&self, method: Method, path: &str, token: Option<&str>, body: Option<&str>) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.text("baseUrl")));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        answer(request).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Some(&self.token), None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(&self.token), Some(&body.to_string())).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, Some(&self.token), Some(&body.to_string())).await
    }

    /// Names in the `value` list of an answer to a filter.
    pub async fn names(&self, set: &str, query: &[(&str, &str)], property: &str) -> Vec<String> {
        let query = query.iter().map(|(k, v)| format!("{k}={}", encode(v))).collect::<Vec<_>>().join("&");
        let found = self.get(&format!("/data/{set}?{query}")).await;
        assert_eq!(found.status, 200, "{}", found.text);
        let rows = found.json()["value"].as_array().unwrap().clone();
        rows.iter().map(|row| row[property].as_str().unwrap().to_owned()).collect()
    }

    pub async fn control(&self, path: &str, body: String) -> Answer {
        let request = self.client.post(format!("{}/{path}", self.text("controlUrl")));
        answer(request.header("x-sandbox-key", self.text("controlKey")).body(body)).await
    }

    pub async fn load(&self, set: &str, rows: &[Value]) {
        let body: Vec<String> = rows.iter().map(Value::to_string).collect();
        let loaded = self.control(&format!("load/{}", encode(set)), body.join("\n")).await;
        assert_eq!(loaded.status, 200, "{}", loaded.text);
    }

    pub async fn runs(&self) -> Value {
        let request = self.client.get(format!("{}/runs", self.text("controlUrl")));
        answer(request.header("x-sandbox-key", self.text("controlKey"))).await.json()
    }

    pub async fn action(&self, name: &str, body: Value) -> Answer {
        let path = format!("/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.{name}");
        self.post(&path, &body).await
    }

    pub async fn value(&self, name: &str, body: Value) -> Value {
        let done = self.action(name, body).await;
        assert_eq!(done.status, 200, "{name}: {}", done.text);
        done.json()["value"].clone()
    }

    /// Uploads a package and submits it.
    pub async fn import(&self, package: Vec<u8>, project: &str, execution: &str, more: Value) -> Answer {
        let target =
            self.value("GetAzureWriteUrl", json!({"uniqueFileName": format!("{execution}.zip")})).await;
        let target: Value = serde_json::from_str(target.as_str().unwrap()).unwrap();
        let url = target["BlobUrl"].as_str().unwrap();
        let put =
            self.client.put(url).header("x-ms-blob-type", "BlockBlob").body(package).send().await.unwrap();
        assert_eq!(put.status(), 201);
        let mut body = json!({
            "packageUrl": url, "definitionGroupId": project, "executionId": execution,
            "execute": true, "overwrite": true, "legalEntityId": "USMF",
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.action("ImportFromPackage", body).await
    }

    /// Imports and waits: the final status.
    pub async fn imported(&self, package: Vec<u8>, execution: &str) -> String {
        let sent = self.import(package, &format!("project of {execution}"), execution, json!({})).await;
        assert_eq!(sent.status, 200, "{}", sent.text);
        self.wait(execution).await
    }

    pub async fn wait(&self, execution: &str) -> String {
        let begin = Instant::now();
        loop {
            let status = self.action("GetExecutionSummaryStatus", json!({"executionId": execution})).await;
            if status.status == 200 {
                let name = status.json()["value"].as_str().unwrap().to_owned();
                if !["NotRun", "Executing"].contains(&name.as_str()) {
                    return name;
                }
            }
            assert!(begin.elapsed() < PATIENCE, "{execution} does not end: {}", status.text);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn errors(&self, execution: &str) -> String {
        self.value("GetExecutionErrors", json!({"executionId": execution})).await.as_str().unwrap().to_owned()
    }

    /// Exports and downloads: the records of the data file `file`, header first.
    pub async fn exported(&self, project: &str, execution: &str, company: &str, file: &str) -> Vec<String> {
        let body = json!({"definitionGroupId": project, "packageName": "p", "executionId": execution, "reExecute": false, "legalEntityId": company});
        assert_eq!(self.value("ExportToPackage", body).await, execution);
        assert_eq!(self.wait(execution).await, "Succeeded");
        let package = self.download(execution).await;
        let text = utf16(&entry(&package, file));
        text.strip_suffix("\r\n").unwrap().split("\r\n").map(str::to_owned).collect()
    }

    pub async fn download(&self, execution: &str) -> Vec<u8> {
        let begin = Instant::now();
        loop {
            let url = self.value("GetExportedPackageUrl", json!({"executionId": execution})).await;
            let url = url.as_str().unwrap();
            if !url.is_empty() {
                return self.client.get(url).send().await.unwrap().bytes().await.unwrap().to_vec();
            }
            assert!(begin.elapsed() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn project(&self, name: &str, label: &str, more: Value) {
        let made = self
            .post("/data/DataManagementDefinitionGroups", &json!({"Name": name, "OperationType": "Export"}))
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
        let mut line = json!({"DefinitionGroupId": name, "EntityName": label, "SourceFormat": "CSV-Unicode", "AutoGenerateMapping": "Yes"});
        for (name, value) in more.as_object().unwrap() {
            line[name] = value.clone();
        }
        let made = self.post("/data/DataManagementDefinitionGroupDetails", &line).await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(10) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
    }
}

pub async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

pub fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

// ── packages, built by hand ──

pub const NAMESPACE: &str = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement";

pub fn header() -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><DataManagementPackageHeader xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns=\"{NAMESPACE}\"><Description>d</Description><ManifestType>Microsoft.Dynamics.AX.Framework.Tools.DataManagement.Serialization.DataManagementPackageManifest</ManifestType><PackageType>DefinitionGroup</PackageType><PackageVersion>2</PackageVersion></DataManagementPackageHeader>"
    )
}

pub fn manifest(entities: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><DataManagementPackageManifest xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns=\"{NAMESPACE}\"><DefinitionGroupName>g</DefinitionGroupName><Description>d</Description><PackageEntityList>{entities}</PackageEntityList></DataManagementPackageManifest>"
    )
}

pub fn maps(columns: &[&str]) -> String {
    let maps: String = columns
        .iter()
        .map(|c| format!("<EntityMap><ArrayIndex>0</ArrayIndex><EntityField>{c}</EntityField><EntityFieldConversionList i:nil=\"true\" /><XMLField>{c}</XMLField></EntityMap>"))
        .collect();
    format!("<EntityMapList>{maps}</EntityMapList>")
}

pub fn entity(label: &str, file: &str, format: &str, maps: &str, level: i32) -> String {
    format!(
        "<DataManagementPackageEntityData>{maps}<EntityName>{label}</EntityName><ExecutionUnit>1</ExecutionUnit><InputFilePath>{file}</InputFilePath><LevelInExecutionUnit>{level}</LevelInExecutionUnit><RunBusinessLogic>true</RunBusinessLogic><RunBusinessValidation>true</RunBusinessValidation><SequenceInLevel>1</SequenceInLevel><SourceFormat>{format}</SourceFormat></DataManagementPackageEntityData>"
    )
}

pub fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(CompressionMethod::Deflated))
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A package with one entity in one CSV-Unicode file.
pub fn package(label: &str, columns: &[&str], csv: &str) -> Vec<u8> {
    package_of(label, "CSV-Unicode", columns, &unicode(csv))
}

pub fn package_of(label: &str, format: &str, columns: &[&str], data: &[u8]) -> Vec<u8> {
    let manifest = manifest(&entity(label, "data.csv", format, &maps(columns), 1));
    zip(&[
        ("data.csv", data),
        ("Manifest.xml", manifest.as_bytes()),
        ("PackageHeader.xml", header().as_bytes()),
    ])
}

pub fn unicode(text: &str) -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xFE];
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    bytes
}

pub fn utf16(bytes: &[u8]) -> String {
    assert_eq!(&bytes[..2], [0xFF, 0xFE]);
    let units: Vec<u16> = bytes[2..].chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).unwrap()
}

pub fn entries(package: &[u8]) -> Vec<String> {
    let mut zip = ZipArchive::new(Cursor::new(package.to_vec())).unwrap();
    (0..zip.len()).map(|at| zip.by_index(at).unwrap().name().to_owned()).collect()
}

pub fn entry(package: &[u8], name: &str) -> Vec<u8> {
    let mut zip = ZipArchive::new(Cursor::new(package.to_vec())).unwrap();
    let mut bytes = Vec::new();
    zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}
