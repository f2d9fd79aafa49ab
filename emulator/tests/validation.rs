//! Validation entities of purchase agreements in their generations, and keys that hold an enum.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use common::Sandbox;
use reqwest::Method;
use serde_json::{Value, json};

const AGREEMENTS: &str = "/data/CLMIntegrationPurchaseAgreements";
const INSERT: &str = "/data/CLMIntegrationValidateInsertPurchaseAgreementLines";
const CHANGE: &str = "/data/CLMIntegrationValidateUpdateDeletePurchaseAgreementLines";
const OLDER: &str = "/data/CLMIntegrationValidationPurchaseAgreementLines";
const HEADER: &str = "/data/CLMIntegrationValidationPurchaseAgreements";
const LINES: &str = "/data/CLMIntegrationPurchaseAgreementLines";

async fn set(s: &Sandbox, settings: Value) {
    assert_eq!(s.control("settings", settings.to_string()).await.status, 200);
}

#[tokio::test]
async fn validation_comes_in_two_generations_and_stores_nothing() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    s.load("CLMIntegrationReleasedProducts", &[json!({"dataAreaId": "usmf", "ItemNumber": "1000"})]).await;
    let id = s.post(AGREEMENTS, &json!({"dataAreaId": "usmf", "AgreementStatus": "OnHold"})).await.json();
    let id = id["PurchaseAgreementId"].as_str().unwrap().to_owned();
    let line = |number: u32, item: &str| json!({"dataAreaId": "usmf", "PurchaseAgreementId": id, "LineNumber": number, "CommitmentType": "ProductQuantity", "ItemNumber": item});
    assert_eq!(s.post(LINES, &line(1, "1000")).await.status, 201);
    let key = format!("(dataAreaId='usmf',PurchaseAgreementId='{id}',LineNumber=1)");
    let wrong = json!({"ItemNumber": "1999"});

    set(&s, json!({"validation": "newer"})).await;
    assert_eq!(s.post(INSERT, &line(2, "1000")).await.status, 201);
    let refused = s.post(INSERT, &line(2, "1999")).await;
    assert_eq!(refused.status, 400);
    assert!(refused.error().contains("Warning: Item number 1999 was not found."), "{}", refused.error());
    assert_eq!(s.patch(&format!("{CHANGE}{key}"), &wrong).await.status, 400);
    assert_eq!(s.send(Method::DELETE, &format!("{CHANGE}{key}"), Some(&s.token), None).await.status, 204);
    let header = format!("{HEADER}(dataAreaId='usmf',PurchaseAgreementId='{id}')");
    assert_eq!(s.patch(&header, &json!({"AgreementVendorAccountNumber": "9999"})).await.status, 400);
    assert_eq!(s.post(OLDER, &line(2, "1000")).await.status, 404);

    set(&s, json!({"validation": "older"})).await;
    assert_eq!(s.post(INSERT, &line(2, "1000")).await.status, 404);
    assert_eq!(s.patch(&format!("{CHANGE}{key}"), &wrong).await.status, 404);
    assert_eq!(s.post(OLDER, &line(2, "1000")).await.json()["ValidationResult"], "");
    let told = s.post(OLDER, &line(2, "1999")).await;
    assert_eq!(
        (told.status.as_u16(), &told.json()["ValidationResult"]),
        (201, &json!("Item number 1999 was not found."))
    );
    assert_eq!(s.patch(&format!("{OLDER}{key}"), &wrong).await.status, 400);
    assert_eq!(s.send(Method::DELETE, &format!("{OLDER}{key}"), Some(&s.token), None).await.status, 204);
    let sets = s.get("/data").await.text;
    assert!(sets.contains("\"CLMIntegrationValidationPurchaseAgreementLines\""));
    assert!(!sets.contains("\"CLMIntegrationValidateInsertPurchaseAgreementLines\""));

    set(&s, json!({"validation": "absent"})).await;
    assert_eq!(s.patch(&header, &json!({})).await.status, 404);
    assert_eq!(s.post(OLDER, &line(2, "1000")).await.status, 404);
    assert_eq!(s.names("CLMIntegrationPurchaseAgreementLines", &[], "ItemNumber").await, ["1000"]);
}

#[tokio::test]
async fn a_key_with_an_enum_finds_its_row_only_where_it_is_set_so() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let set_name = "/data/CLMIntegrationExternalNavigationLinks";
    let link = json!({"NavigationType": "ViewContract", "RelativeURL": "/a"});
    assert_eq!(s.post(set_name, &link).await.status, 201);
    let key = |kind: &str| {
        format!("{set_name}(NavigationType=Microsoft.Dynamics.DataEntities.{kind}'ViewContract')")
    };
    let own = key("CLMIntegrationNavigationType");
    assert_eq!(s.get(&own).await.status, 404);
    set(&s, json!({"enumKeys": "found"})).await;
    assert_eq!(s.patch(&own, &json!({"RelativeURL": "/b"})).await.status, 204);
    assert_eq!(s.get(&own).await.json()["RelativeURL"], "/b");
    assert_eq!(s.get(&key("Other")).await.status, 400);
}
