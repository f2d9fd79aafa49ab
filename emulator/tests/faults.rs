//! Fault plans, and several environments in one process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::time::{Duration, Instant};

use common::{Sandbox, answer, package};
use serde_json::{Value, json};

async fn plan(s: &Sandbox, plan: Value) {
    let done = s.control("faults", plan.to_string()).await;
    assert_eq!(done.status, 200, "{}", done.text);
}

async fn counts(s: &Sandbox) -> Vec<(i64, i64)> {
    let request = s.client.get(format!("{}/faults", s.text("controlUrl")));
    let report = answer(request.header("x-sandbox-key", s.text("controlKey"))).await.json();
    let number = |value: &Value| value.as_i64().unwrap();
    report
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (number(&line["matched"]), number(&line["injected"])))
        .collect()
}

fn create(s: &Sandbox, code: &str) -> reqwest::RequestBuilder {
    let body = json!({ "CurrencyCode": code }).to_string();
    s.client
        .post(format!("{}/data/Currencies", s.text("baseUrl")))
        .bearer_auth(&s.token)
        .header("content-type", "application/json")
        .body(body)
}

async fn codes(s: &Sandbox) -> Vec<String> {
    s.names("Currencies", &[("$orderby", "CurrencyCode")], "CurrencyCode").await
}

#[tokio::test]
async fn connections_drop_before_and_after_the_work() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    plan(
        &s,
        json!([
            {"match": {"method": "POST", "path": "/data/Currencies"}, "nth": 1, "fault": "drop-before"},
            {"match": {"method": "POST", "path": "/data/Currencies"}, "nth": 2, "fault": "drop-after"},
        ]),
    )
    .await;
    for code in ["AAA", "BBB"] {
        let error = create(&s, code).send().await.unwrap_err();
        assert!(error.is_request() && error.status().is_none(), "{error:?}");
    }
    assert_eq!(create(&s, "CCC").send().await.unwrap().status(), 201);
    assert_eq!(codes(&s).await, ["BBB", "CCC"]);
    assert_eq!(counts(&s).await, [(3, 1), (3, 1)]);
}

#[tokio::test]
async fn answers_are_errors_late_slow_cut_or_the_second_ones() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    plan(&s, json!([{"match": {"path": "/data/Currencies"}, "every": 2, "fault": {"status": {"code": 429, "retryAfter": "7"}}}])).await;
    assert_eq!(create(&s, "AAA").send().await.unwrap().status(), 201);
    let busy = create(&s, "BBB").send().await.unwrap();
    assert_eq!((busy.status().as_u16(), busy.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    plan(
        &s,
        json!([{"match": {"method": "POST", "path": "/data/Currencies"}, "nth": 1, "fault": "duplicate"}]),
    )
    .await;
    let twice = answer(create(&s, "DDD")).await;
    assert_eq!(twice.status, 400, "the second finds what the first made: {}", twice.text);
    assert_eq!(codes(&s).await, ["AAA", "DDD"]);

    plan(&s, json!([{"match": {"action": "GetExecutionErrors"}, "fault": {"delay": 400}}])).await;
    let begin = Instant::now();
    assert_eq!(s.errors("x").await, "[]");
    assert!(begin.elapsed() >= Duration::from_millis(400));

    let metadata = || s.client.get(format!("{}/data/$metadata", s.text("baseUrl"))).bearer_auth(&s.token);
    let whole = metadata().send().await.unwrap().bytes().await.unwrap();
    assert!(whole.len() > 64 * 1024);
    plan(&s, json!([{"match": {"path": "$metadata"}, "fault": {"slow-body": 50}}])).await;
    let begin = Instant::now();
    assert_eq!(metadata().send().await.unwrap().bytes().await.unwrap(), whole);
    assert!(begin.elapsed() >= Duration::from_millis(200));
    plan(&s, json!([{"match": {"path": "$metadata"}, "fault": {"truncate": 20_000}}])).await;
    let mut cut = metadata().send().await.unwrap();
    assert_eq!(cut.headers()["content-length"].to_str().unwrap(), whole.len().to_string());
    let mut got = Vec::new();
    let error = loop {
        match cut.chunk().await {
            Ok(Some(chunk)) => got.extend_from_slice(&chunk),
            Ok(None) => panic!("the body ends as if it were whole"),
            Err(error) => break error,
        }
    };
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    assert!(got.len() <= 20_000 && whole.starts_with(&got));

    let refused = s.control("faults", json!([{"fault": "explode"}]).to_string()).await;
    assert_eq!(refused.status, 400);
    assert_eq!(counts(&s).await, [(1, 1)], "what is refused changes nothing");
    plan(&s, json!([])).await;
    assert_eq!(metadata().send().await.unwrap().bytes().await.unwrap(), whole);
}

#[tokio::test]
async fn storage_and_queues_have_faults_too_and_a_file_can_hold_the_plan() {
    let file = std::env::temp_dir().join(format!("sandbox-faults-{}.json", uuid::Uuid::new_v4()));
    let lines = json!([
        {"match": {"place": "storage", "method": "PUT"}, "nth": 1, "fault": {"status": {"code": 503}}},
        {"match": {"place": "storage", "method": "PUT"}, "nth": 2, "fault": "drop-after"},
        {"match": {"path": "/api/connector/dequeue/"}, "nth": 1, "fault": "drop-before"},
    ]);
    std::fs::write(&file, lines.to_string()).unwrap();
    let started = Sandbox::start(&["--faults", file.to_str().unwrap()]).await;
    std::fs::remove_file(&file).unwrap();
    let Some(s) = started else { return };
    let target = s.value("GetAzureWriteUrl", json!({"uniqueFileName": "x"})).await;
    let target: Value = serde_json::from_str(target.as_str().unwrap()).unwrap();
    let url = target["BlobUrl"].as_str().unwrap();
    let put = || s.client.put(url).header("x-ms-blob-type", "BlockBlob").body("content").send();
    assert_eq!(put().await.unwrap().status(), 503);
    assert_eq!(answer(s.client.get(url)).await.status, 404);
    assert!(put().await.is_err());
    assert_eq!(answer(s.client.get(url)).await.text, "content");
    assert_eq!(put().await.unwrap().status(), 201);
    let queue = format!("{}/api/connector/dequeue/11111111-2222-4333-8444-555555555501", s.text("baseUrl"));
    assert!(s.client.get(&queue).bearer_auth(&s.token).send().await.is_err());
    assert_eq!(s.client.get(&queue).bearer_auth(&s.token).send().await.unwrap().status(), 404);
    assert_eq!(counts(&s).await, [(3, 1), (3, 1), (2, 1)]);
}

#[tokio::test]
async fn one_process_serves_many_environments() {
    let Some(mut s) = Sandbox::start(&["--tenants", "3"]).await else { return };
    let all = s.ready["environments"].as_array().unwrap().clone();
    assert_eq!(all.len(), 3);
    assert_eq!(all[0]["baseUrl"], s.ready["baseUrl"]);
    assert_eq!(
        s.imported(package("Currencies", &["CURRENCYCODE"], "CURRENCYCODE\r\nEUR\r\n"), "same id").await,
        "Succeeded"
    );
    assert_eq!(s.control("clock", json!({"seconds": 3600}).to_string()).await.status, 200);
    let first = s.token.clone();
    let urls: std::collections::HashSet<_> = all.iter().map(|one| one["baseUrl"].as_str().unwrap()).collect();
    let accounts: std::collections::HashSet<_> =
        all.iter().map(|one| one["storageUrl"].as_str().unwrap()).collect();
    assert_eq!((urls.len(), accounts.len()), (3, 3));

    s.ready = all[1].clone();
    // A token is for one environment.
    assert_eq!(s.get("/data/Currencies").await.status, 401);
    s.token = s.token_of("clientId", "clientSecret").await;
    assert_ne!(s.token, first);
    assert!(codes(&s).await.is_empty());
    assert_eq!(s.runs().await, json!([]));
    s.load("LegalEntities", &[json!({"LegalEntityId": "USMF", "Name": "n"})]).await;
    assert_eq!(
        s.imported(package("Currencies", &["CURRENCYCODE"], "CURRENCYCODE\r\nUSD\r\n"), "same id").await,
        "Succeeded"
    );
    assert_eq!(codes(&s).await, ["USD"]);
}
