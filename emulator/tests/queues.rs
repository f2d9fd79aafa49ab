//! Recurring queues, over the wire.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::time::{Duration, Instant};

use common::{Answer, PATIENCE, Sandbox, answer, entries, package, unicode, utf16};
use reqwest::Method;
use serde_json::{Value, json};

const INBOX: &str = "11111111-2222-4333-8444-555555555501";
const FILES: &str = "11111111-2222-4333-8444-555555555502";
const OUTBOX: &str = "11111111-2222-4333-8444-555555555503";
const SINGLE: &str = "11111111-2222-4333-8444-555555555504";
const CLOSED: &str = "11111111-2222-4333-8444-555555555505";

const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

async fn with_queues(queues: Value) -> Option<Sandbox> {
    let s = Sandbox::start(&[]).await?;
    settings(&s, json!({ "queues": queues })).await;
    Some(s)
}

async fn settings(s: &Sandbox, document: Value) {
    let done = s.control("settings", document.to_string()).await;
    assert_eq!(done.status, 200, "{}", done.text);
}

async fn call(s: &Sandbox, method: Method, path: &str, body: Vec<u8>) -> Answer {
    let url = format!("{}{path}", s.text("baseUrl"));
    answer(s.client.request(method, url).bearer_auth(&s.token).body(body)).await
}

async fn enqueue(s: &Sandbox, queue: &str, query: &str, body: Vec<u8>) -> String {
    let sent = call(s, Method::POST, &format!("/api/connector/enqueue/{queue}{query}"), body).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    sent.json().as_str().unwrap().to_owned()
}

async fn dequeue(s: &Sandbox, queue: &str) -> Option<Value> {
    let sent = call(s, Method::GET, &format!("/api/connector/dequeue/{queue}"), Vec::new()).await;
    match sent.status.as_u16() {
        200 => Some(sent.json()),
        204 if sent.text.is_empty() => None,
        other => panic!("{other}: {}", sent.text),
    }
}

async fn ack(s: &Sandbox, queue: &str, body: &str) -> u16 {
    call(s, Method::POST, &format!("/api/connector/ack/{queue}"), body.into()).await.status.as_u16()
}

async fn run(s: &Sandbox, queue: &str) -> Value {
    let done = s.control(&format!("queues/{queue}/run"), String::new()).await;
    assert_eq!(done.status, 200, "{}", done.text);
    done.json()
}

async fn status(s: &Sandbox, id: &str) -> String {
    s.value("GetMessageStatus", json!({ "messageId": id })).await.as_str().unwrap().to_owned()
}

/// Every status that a message was seen in, until one that ends.
async fn processed(s: &Sandbox, id: &str) -> Vec<String> {
    let begin = Instant::now();
    let mut seen: Vec<String> = Vec::new();
    loop {
        let now = status(s, id).await;
        if seen.last() != Some(&now) {
            seen.push(now.clone());
        }
        if ["Processed", "ProcessedWithErrors", "PreProcessingError"].contains(&now.as_str()) {
            return seen;
        }
        assert!(begin.elapsed() < PATIENCE, "{seen:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn execution(s: &Sandbox, id: &str) -> String {
    s.value("GetExecutionIdByMessageId", json!({ "_messageId": id })).await.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_enqueued_package_is_imported() {
    let queues = json!([{"activityId": INBOX, "direction": "import", "project": "Inbox"}]);
    let Some(s) = with_queues(queues).await else { return };
    let good = package("Currencies", &["CURRENCYCODE", "NAME"], "CURRENCYCODE,NAME\r\nEUR,Euro\r\n");
    let braced = format!("%7B{}%7D", INBOX.to_uppercase());
    let url = format!("{}/en/api/connector/enqueue/{braced}?company=DEMF", s.text("baseUrl"));
    let request = s.client.post(url).bearer_auth(&s.token).header("x-ms-dyn-externalidentifier", "mine-1");
    let sent = answer(request.body(good.clone())).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    let id = sent.json().as_str().unwrap().to_owned();
    assert_eq!(execution(&s, &id).await, NOBODY, "the queue has not started it");
    let seen = processed(&s, &id).await;
    assert_eq!(seen, ["Enqueued", "Preprocessing", "Processing", "Processed"]);
    assert_eq!(s.names("Currencies", &[], "CurrencyCode").await, ["EUR"]);

    let job =
        call(&s, Method::GET, &format!("/api/connector/jobstatus/{INBOX}?jobId={id}"), Vec::new()).await;
    assert_eq!(job.status, 200, "{}", job.text);
    let job = job.json();
    let ran = execution(&s, &id).await;
    assert_ne!(ran, NOBODY);
    let state = &job["DataJobStatus"];
    assert_eq!(
        (&state["DataProject"], &state["DataJobIdentifier"], &state["ExternalIdentifier"]),
        (&json!("Inbox"), &json!(id), &json!("mine-1"))
    );
    assert_eq!((&state["ExecutionIdentifier"], &state["DataJobState"]), (&json!(ran), &json!(5)));
    let detail = &job["ExecutionDetail"][0];
    assert_eq!(
        [&detail["EntityName"], &detail["Company"], &detail["TargetStatus"]],
        [&json!("Currencies"), &json!("DEMF"), &json!("Finished")]
    );
    assert_eq!(
        [&detail["StagingRecords"], &detail["TargetRecords"], &detail["TargetErrorCount"]],
        [&json!(1), &json!(1), &json!(0)]
    );

    // What is no package is an error before processing, with its reason among the errors of its execution.
    let other = json!({"dataManagement": {"enqueueAnswer": "object", "messageStates": "field", "jobStates": "names"}});
    settings(&s, other).await;
    let sent = call(&s, Method::POST, &format!("/api/connector/enqueue/{INBOX}"), b"no zip".to_vec()).await;
    let bad = sent.json()["value"].as_str().unwrap().to_owned();
    assert_eq!(processed(&s, &bad).await, ["Enqueued", "PreProcessing", "PreProcessingError"]);
    let errors = s.errors(&execution(&s, &bad).await).await;
    assert!(errors.contains("PackageHeader.xml"), "{errors}");
    let job =
        call(&s, Method::GET, &format!("/api/connector/jobstatus/{INBOX}?jobId={bad}"), Vec::new()).await;
    assert_eq!(job.json()["DataJobStatus"]["DataJobState"], "PreProcessError");
}

#[tokio::test]
async fn single_files_go_by_their_project_and_in_their_order() {
    let queues = json!([
        {"activityId": FILES, "direction": "import", "mode": "file", "project": "Files", "inOrder": true},
        {"activityId": INBOX, "direction": "import", "mode": "file", "project": "None"},
    ]);
    let Some(s) = with_queues(queues).await else { return };
    let made = s
        .post("/data/DataManagementDefinitionGroups", &json!({"Name": "Files", "OperationType": "Import"}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let line = json!({"DefinitionGroupId": "Files", "EntityName": "Currencies", "SourceFormat": "CSV-Unicode", "AutoGenerateMapping": "Yes", "RunBusinessLogic": "Yes"});
    assert_eq!(s.post("/data/DataManagementDefinitionGroupDetails", &line).await.status, 201);
    let file = |name: &str| unicode(&format!("CURRENCYCODE,NAME\r\nEUR,{name}\r\n"));

    for (query, status) in [("", 400), ("?entity=Nothing", 400)] {
        let path = format!("/api/connector/enqueue/{FILES}{query}");
        assert_eq!(call(&s, Method::POST, &path, file("x")).await.status, status, "{query}");
    }
    let mut ids = Vec::new();
    for name in ["first", "second", "third"] {
        ids.push(enqueue(&s, FILES, "?entity=Currencies", file(name)).await);
    }
    // While the first is not through, the others wait.
    let begin = Instant::now();
    loop {
        let mut states = Vec::new();
        for id in ids.iter().rev() {
            states.push(status(&s, id).await);
        }
        // Read last to first, so that a later one cannot have moved on in between.
        let moved: Vec<bool> = states.iter().map(|state| state != "Enqueued").collect();
        assert!(!(moved[0] && states[1] != "Processed"), "{states:?}");
        assert!(!(moved[1] && states[2] != "Processed"), "{states:?}");
        if states.iter().all(|state| state == "Processed") {
            break;
        }
        assert!(begin.elapsed() < PATIENCE, "{states:?}");
    }
    assert_eq!(s.names("Currencies", &[], "Name").await, ["third"]);

    let bad = enqueue(&s, FILES, "?entity=Currencies", unicode("CURRENCYCODE,NOPE\r\nEUR,x\r\n")).await;
    assert_eq!(processed(&s, &bad).await.last().unwrap(), "ProcessedWithErrors");
    let lost = enqueue(&s, INBOX, "?entity=Currencies", file("x")).await;
    assert_eq!(processed(&s, &lost).await.last().unwrap(), "PreProcessingError");
    assert!(s.errors(&execution(&s, &lost).await).await.contains("Data project None does not exist."));
}

#[tokio::test]
async fn an_export_is_offered_until_it_is_acknowledged() {
    let queues = json!([
        {"activityId": OUTBOX, "direction": "export", "project": "Out", "company": "USMF"},
        {"activityId": CLOSED, "direction": "export", "project": "Out", "clientIds": ["66666666-7777-4888-9999-000000000000"]},
    ]);
    let Some(s) = with_queues(queues).await else { return };
    s.load("Currencies", &[json!({"CurrencyCode": "EUR", "Name": "Euro"})]).await;
    s.project("Out", "Currencies", json!({})).await;
    assert_eq!(dequeue(&s, OUTBOX).await, None);
    let ran = run(&s, OUTBOX).await;
    assert_eq!((&ran["status"], &ran["rows"], &ran["messages"]), (&json!("Succeeded"), &json!(1), &json!(1)));
    let first = dequeue(&s, OUTBOX).await.unwrap();
    let names: Vec<&String> = first.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "CorrelationId",
            "PopReceipt",
            "DownloadLocation",
            "IsDownLoadFileExist",
            "FileDownLoadErrorMessage",
            "LastDequeueDateTime"
        ]
    );
    assert_eq!(
        (&first["IsDownLoadFileExist"], &first["FileDownLoadErrorMessage"], &first["LastDequeueDateTime"]),
        (&json!(true), &Value::Null, &Value::Null)
    );
    // While it is out, nobody else gets it.
    assert_eq!(dequeue(&s, OUTBOX).await, None);
    let id = first["CorrelationId"].as_str().unwrap();
    assert_eq!(status(&s, id).await, "Dequeued");
    let location = first["DownloadLocation"].as_str().unwrap();
    assert!(location.starts_with(&format!(
        "{}/api/connector/download/{OUTBOX}?correlation-id={id}&blob=",
        s.text("baseUrl")
    )));
    assert_eq!(answer(s.client.get(location)).await.status, 302, "the token is needed");
    let got = s.client.get(location).bearer_auth(&s.token).send().await.unwrap();
    assert_eq!(got.status(), 200);
    let bytes = got.bytes().await.unwrap();
    assert_eq!(entries(&bytes), ["Currencies.csv", "Manifest.xml", "PackageHeader.xml"]);
    assert_eq!(status(&s, id).await, "Downloaded");

    // 29 minutes later it is still out, after 30 it is offered again and says since when.
    let advance = async |seconds: u64| {
        assert_eq!(s.control("clock", json!({ "seconds": seconds }).to_string()).await.status, 200);
    };
    advance(29 * 60).await;
    assert_eq!(dequeue(&s, OUTBOX).await, None);
    advance(61).await;
    let again = dequeue(&s, OUTBOX).await.unwrap();
    assert_eq!(again["CorrelationId"], first["CorrelationId"]);
    assert!(again["LastDequeueDateTime"].as_str().unwrap().ends_with('Z'));

    // Only what was dequeued last, unchanged, acknowledges.
    let mut changed = again.clone();
    changed["PopReceipt"] = json!("AAAA");
    for (body, status) in [
        (changed.to_string(), 400),
        (first.to_string(), 400),
        (json!({"messageId": id, "status": "ok"}).to_string(), 404),
        ("nothing".to_owned(), 400),
    ] {
        assert_eq!(ack(&s, OUTBOX, &body).await, status, "{body}");
    }
    assert_eq!(ack(&s, OUTBOX, &again.to_string()).await, 200);
    assert_eq!(ack(&s, OUTBOX, &again.to_string()).await, 200, "the first answer may have been lost");
    assert_eq!(status(&s, id).await, "Acked");
    advance(3600).await;
    assert_eq!(dequeue(&s, OUTBOX).await, None);

    // The older form, https, and a message whose file is over.
    settings(&s, json!({"dataManagement": {"dequeueForm": "older", "downloadScheme": "https", "redeliverySeconds": 60}})).await;
    run(&s, OUTBOX).await;
    let older = dequeue(&s, OUTBOX).await.unwrap();
    let names: Vec<&String> = older.as_object().unwrap().keys().collect();
    assert_eq!(names, ["CorrelationId", "PopReceipt", "DownloadLocation"]);
    assert!(older["DownloadLocation"].as_str().unwrap().starts_with("https://127.0.0.1:"));
    settings(&s, json!({"dataManagement": {"dequeueForm": "current", "downloadScheme": "http"}})).await;
    advance(7 * 24 * 3600).await;
    let over = dequeue(&s, OUTBOX).await.unwrap();
    assert_eq!(over["IsDownLoadFileExist"], json!(false));
    assert!(over["FileDownLoadErrorMessage"].is_string());
    let gone = s.client.get(over["DownloadLocation"].as_str().unwrap()).bearer_auth(&s.token);
    assert_eq!(answer(gone).await.status, 404);

    // Who may call what.
    for (method, path, status) in [
        (Method::GET, format!("/api/connector/dequeue/{CLOSED}"), 403),
        (Method::GET, format!("/api/connector/dequeue/{NOBODY}"), 404),
        (Method::POST, format!("/api/connector/enqueue/{OUTBOX}"), 400),
        (Method::POST, format!("/api/connector/dequeue/{OUTBOX}"), 405),
        (Method::GET, format!("/api/connector/peek/{OUTBOX}"), 404),
    ] {
        assert_eq!(call(&s, method, &path, b"x".to_vec()).await.status, status, "{path}");
    }
    let unknown = s.action("GetMessageStatus", json!({"messageId": NOBODY})).await;
    assert_eq!(unknown.status, 400);
}

#[tokio::test]
async fn exports_of_single_files_recur_and_empty_ones_are_left_out() {
    let queues = json!([
        {"activityId": SINGLE, "direction": "export", "mode": "file", "project": "Changes", "entity": "Currencies", "skipEmpty": true, "everySteps": 2},
    ]);
    let Some(s) = Sandbox::start(&[]).await else { return };
    settings(&s, json!({"changeTracking": {"Currencies": "ALL"}})).await;
    s.load("Currencies", &[json!({"CurrencyCode": "EUR", "Name": "Euro"})]).await;
    s.project("Changes", "Currencies", json!({"DefaultRefreshType": "IncrementalPush"})).await;
    settings(&s, json!({ "queues": queues })).await;
    let begin = Instant::now();
    let message = loop {
        if let Some(message) = dequeue(&s, SINGLE).await {
            break message;
        }
        assert!(begin.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let got = s.client.get(message["DownloadLocation"].as_str().unwrap()).bearer_auth(&s.token);
    let text = utf16(&got.send().await.unwrap().bytes().await.unwrap());
    assert!(text.starts_with("CURRENCYCODE,") && text.contains("EUR"), "{text}");
    assert_eq!(ack(&s, SINGLE, &message.to_string()).await, 200);
    // Nothing changed: runs, but no further message.
    let before = s.runs().await.as_array().unwrap().len();
    while s.runs().await.as_array().unwrap().len() < before + 2 {
        assert!(begin.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(dequeue(&s, SINGLE).await, None);
}

#[tokio::test]
async fn definitions_that_cannot_be_meant_are_refused() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let cases = [
        (json!({"activityId": "x", "direction": "import", "project": "p"}), "must be a GUID"),
        (json!({"activityId": INBOX, "direction": "import", "project": ""}), "the project is missing"),
        (
            json!({"activityId": INBOX, "direction": "import", "project": "p", "inOrder": true}),
            "single files",
        ),
        (
            json!({"activityId": INBOX, "direction": "import", "project": "p", "skipEmpty": true}),
            "for exports",
        ),
        (json!({"activityId": INBOX, "direction": "export", "project": "p", "everySteps": 0}), "1 or more"),
        (json!({"activityId": INBOX, "direction": "export", "project": "p", "entity": "Nope"}), "'Nope'"),
    ];
    for (queue, why) in cases {
        let refused = s.control("settings", json!({ "queues": [queue] }).to_string()).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        assert!(refused.text.contains(why), "{}", refused.text);
    }
}
