//! Runs: repeated execution ids, late records, retention, and what is told of entities.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::time::{Duration, Instant};

use common::{Sandbox, entity, header, manifest, maps, package, utf16, zip};
use serde_json::{Value, json};

fn currency(code: &str, name: &str) -> Vec<u8> {
    package("Currencies", &["CURRENCYCODE", "NAME"], &format!("CURRENCYCODE,NAME\r\n{code},{name}\r\n"))
}

async fn settings(s: &Sandbox, document: Value) {
    let done = s.control("settings", json!({ "dataManagement": document }).to_string()).await;
    assert_eq!(done.status, 200, "{}", done.text);
}

async fn submissions(s: &Sandbox, execution: &str) -> i64 {
    let runs = s.runs().await;
    let run = runs.as_array().unwrap().iter().find(|run| run["executionId"] == execution).unwrap();
    run["submissions"].as_i64().unwrap()
}

#[tokio::test]
async fn a_repeated_execution_id_is_refused_ignored_or_runs_again() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    s.project("out", "Currencies", json!({})).await;
    let names = async || s.names("Currencies", &[("$orderby", "CurrencyCode")], "Name").await;
    assert_eq!(s.imported(currency("EUR", "first"), "in").await, "Succeeded");
    let export = async || {
        let body = json!({"definitionGroupId": "out", "packageName": "p", "executionId": "out-1", "reExecute": false, "legalEntityId": "USMF"});
        s.action("ExportToPackage", body).await
    };
    assert_eq!(export().await.status, 200);
    assert_eq!(s.wait("out-1").await, "Succeeded");
    s.download("out-1").await;

    let second = s.import(currency("EUR", "refused"), "project", "in", json!({})).await;
    assert_eq!(second.status, 400);
    assert!(second.error().ends_with("The execution id in already exists."), "{}", second.error());
    assert_eq!(export().await.status, 400);

    settings(&s, json!({"repeatedExecutionId": "ignored"})).await;
    let second = s.import(currency("EUR", "ignored"), "project", "in", json!({})).await;
    assert_eq!((second.status.as_u16(), second.json()["value"].as_str()), (200, Some("in")));
    assert_eq!(export().await.json()["value"], "out-1");
    // Longer than a run takes.
    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert_eq!(names().await, ["first"]);
    assert_ne!(s.value("GetExportedPackageUrl", json!({"executionId": "out-1"})).await, "");

    settings(&s, json!({"repeatedExecutionId": "runAgain"})).await;
    let second = s.import(currency("USD", "again"), "project", "in", json!({})).await;
    assert_eq!((second.status.as_u16(), second.json()["value"].as_str()), (200, Some("in")));
    let status = s.value("GetExecutionSummaryStatus", json!({"executionId": "in"})).await;
    assert_ne!(status, "Succeeded", "it begins anew");
    assert_eq!(s.wait("in").await, "Succeeded");
    assert_eq!(names().await, ["first", "again"]);
    assert_eq!(export().await.status, 200);
    assert_eq!(s.value("GetExportedPackageUrl", json!({"executionId": "out-1"})).await, "");
    assert_eq!(s.wait("out-1").await, "Succeeded");
    assert_eq!((submissions(&s, "in").await, submissions(&s, "out-1").await), (4, 4));
}

#[tokio::test]
async fn the_record_of_a_run_can_be_late() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    settings(&s, json!({"recordDelayMs": 600_000})).await;
    assert_eq!(s.import(currency("EUR", "x"), "p", "late", json!({})).await.status, 200);
    let status = async || s.action("GetExecutionSummaryStatus", json!({"executionId": "late"})).await;
    // Longer than the steps take.
    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert!(status().await.error().contains("Execution details were not found for execution id: late"));
    assert!(s.names("DataManagementExecutionJobDetails", &[], "EntityName").await.is_empty());
    assert_eq!(s.control("clock", json!({"seconds": 540}).to_string()).await.status, 200);
    assert_eq!(status().await.status, 400);
    let begin = Instant::now();
    assert_eq!(s.control("clock", json!({"seconds": 61}).to_string()).await.status, 200);
    assert_eq!(s.wait("late").await, "Succeeded");
    assert!(begin.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_purged_run_leaves_nothing() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let bad = || package("Currencies", &["CURRENCYCODE", "NAME"], "CURRENCYCODE,NAME\r\n,x\r\n");
    for execution in ["one", "two"] {
        assert_eq!(s.imported(bad(), execution).await, "Failed");
    }
    let body = |execution: &str| json!({"executionId": execution, "entityName": "Currencies"});
    let file = async |execution: &str| s.value("GetImportStagingErrorFileUrl", body(execution)).await;
    assert_ne!(s.errors("one").await, "[]");
    assert_ne!(file("one").await, "");
    let details = [("$filter", "JobId eq 'one'")];
    assert_eq!(s.names("DataManagementExecutionJobDetails", &details, "EntityName").await, ["Currencies"]);

    let purged = s.control("purge", json!({"executionId": "one"}).to_string()).await;
    assert_eq!(purged.json(), json!({"purged": ["one"]}));
    let status = s.action("GetExecutionSummaryStatus", json!({"executionId": "one"})).await;
    assert_eq!(status.status, 400);
    assert_eq!(
        status.error(),
        "Exception occurred while executing action GetExecutionSummaryStatus on Entity DataManagementDefinitionGroup: Execution details were not found for execution id: one"
    );
    assert_eq!(s.errors("one").await, "[]");
    assert_eq!(file("one").await, "");
    assert!(s.names("DataManagementExecutionJobDetails", &details, "EntityName").await.is_empty());
    assert_eq!(s.control("purge", json!({"executionId": "one"}).to_string()).await.status, 400);
    // The other is there until its seven days are over.
    assert_ne!(s.errors("two").await, "[]");
    let advance =
        async |seconds: u64| s.control("clock", json!({ "seconds": seconds }).to_string()).await.json();
    assert_eq!(advance(7 * 24 * 3600 - 120).await["purged"], json!([]));
    assert_eq!(advance(121).await["purged"], json!(["two"]));
    assert_eq!(s.errors("two").await, "[]");
    // Nobody remembers the id.
    assert_eq!(s.import(currency("EUR", "x"), "project of one", "one", json!({})).await.status, 200);
    assert_eq!(s.wait("one").await, "Succeeded");
}

#[tokio::test]
async fn entities_have_results_and_an_order() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let mixed = package("Currencies", &["CURRENCYCODE", "NAME"], "CURRENCYCODE,NAME\r\nEUR,Euro\r\n,x\r\n");
    assert_eq!(s.imported(mixed, "mixed").await, "PartiallySucceeded");
    let list = s.value("GetEntityExecutionSummaryStatusList", json!({"executionId": "mixed"})).await;
    assert_eq!(list, json!(["Currencies: PartiallySucceeded"]));
    let unknown = s.action("GetEntityExecutionSummaryStatusList", json!({"executionId": "none"})).await;
    assert_eq!(unknown.status, 400);
    let given = "CLM integration purchase agreement lines,CLM integration purchase agreements,Currencies,CLM integration contract";
    let sequence = s.value("GetEntitySequence", json!({ "listOfDataEntities": given })).await;
    assert_eq!(
        sequence,
        "Currencies,CLM integration contract,CLM integration purchase agreements,CLM integration purchase agreement lines"
    );
    let unknown = s.action("GetEntitySequence", json!({"listOfDataEntities": "Nope"})).await;
    assert!(unknown.error().ends_with("Entity Nope does not exist."));
}

#[tokio::test]
async fn a_package_can_say_what_to_export() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    s.load("Currencies", &[json!({"CurrencyCode": "EUR", "Name": "Euro"})]).await;
    let wanted = |label: &str| {
        let manifest = manifest(&entity(label, "Currencies.csv", "CSV-Unicode", &maps(&["CURRENCYCODE"]), 1));
        zip(&[("Manifest.xml", manifest.as_bytes()), ("PackageHeader.xml", header().as_bytes())])
    };
    let submit = async |package: Vec<u8>, execution: &str, execute: bool| {
        let target = s.value("GetAzureWriteUrl", json!({ "uniqueFileName": execution })).await;
        let target: Value = serde_json::from_str(target.as_str().unwrap()).unwrap();
        let url = target["BlobUrl"].as_str().unwrap();
        let put = s.client.put(url).header("x-ms-blob-type", "BlockBlob").body(package).send().await.unwrap();
        assert_eq!(put.status(), 201);
        let body = json!({
            "packageUrl": url, "definitionGroupId": "wanted", "executionId": execution, "execute": execute,
            "overwrite": true, "legalEntityId": "USMF",
        });
        s.action("ExportFromPackage", body).await
    };
    let unknown = submit(wanted("Nope"), "e-0", true).await;
    assert!(
        unknown.error().ends_with("Entity Nope does not exist in the target environment"),
        "{}",
        unknown.text
    );
    assert_eq!(submit(wanted("Currencies"), "e-0", false).await.status, 400);
    let sent = submit(wanted("Currencies"), "e-1", true).await;
    assert_eq!((sent.status.as_u16(), sent.json()["value"].as_str()), (200, Some("e-1")));
    assert_eq!(s.wait("e-1").await, "Succeeded");
    let text = utf16(&common::entry(&s.download("e-1").await, "Currencies.csv"));
    assert!(text.lines().nth(1).unwrap().contains("EUR"), "{text}");
    let operations =
        s.names("DataManagementDefinitionGroups", &[("$filter", "Name eq 'wanted'")], "OperationType");
    assert_eq!(operations.await, ["Export"]);
}
