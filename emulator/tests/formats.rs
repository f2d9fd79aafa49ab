//! Every data format through the service: exported, and imported again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use common::{Sandbox, entries, entry, utf16};
use serde_json::{Value, json};

/// Exports a project of one line and returns the package.
async fn exported(s: &Sandbox, label: &str, format: &str, id: &str) -> Vec<u8> {
    s.project(id, label, json!({"SourceFormat": format})).await;
    let body = json!({"definitionGroupId": id, "packageName": "p", "executionId": id, "reExecute": false, "legalEntityId": "usmf"});
    assert_eq!(s.value("ExportToPackage", body).await, id);
    assert_eq!(s.wait(id).await, "Succeeded", "{}", s.errors(id).await);
    s.download(id).await
}

async fn remove(s: &Sandbox, path: &str) {
    assert_eq!(s.send(reqwest::Method::DELETE, path, Some(&s.token), None).await.status, 204, "{path}");
}

#[tokio::test]
async fn what_is_exported_can_be_imported() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let name = "a, \"b\" <c> & 'd'\r\ne\tf \u{20ac}\u{1F600}";
    let files = [("CSV-Unicode", "csv"), ("XML-Element", "xml"), ("XML-Attribute", "xml"), ("EXCEL", "xlsx")];
    for (format, extension) in files {
        s.load("Currencies", &[json!({"CurrencyCode": "EUR", "Name": name, "GeneralRoundingRule": 0.25, "ReferenceCurrencyForTriangulation": "Yes"}), json!({"CurrencyCode": "USD"})]).await;
        let package = exported(&s, "Currencies", format, format).await;
        assert_eq!(
            entries(&package),
            [format!("Currencies.{extension}").as_str(), "Manifest.xml", "PackageHeader.xml"]
        );
        let before = s.get("/data/Currencies('EUR')").await.json();
        for code in ["EUR", "USD"] {
            remove(&s, &format!("/data/Currencies('{code}')")).await;
        }
        assert_eq!(s.imported(package.clone(), &format!("back-{format}")).await, "Succeeded", "{format}");
        let after = s.get("/data/Currencies('EUR')").await.json();
        assert_eq!(after["Name"], name, "{format}");
        for property in ["GeneralRoundingRule", "ReferenceCurrencyForTriangulation"] {
            assert_eq!(after[property], before[property], "{format}");
        }
        assert_eq!(s.get("/data/Currencies/$count").await.text, "\u{feff}2", "{format}");
        let manifest = utf16(&entry(&package, "Manifest.xml"));
        assert!(manifest.contains(&format!("<SourceFormat>{format}</SourceFormat>")));
        assert!(manifest.contains("<ExcelSheetName>Currencies$</ExcelSheetName>"));
    }
    // The code page has no such characters.
    s.project("ansi", "Currencies", json!({"SourceFormat": "CSV"})).await;
    let body = json!({"definitionGroupId": "ansi", "packageName": "p", "executionId": "ansi", "reExecute": false, "legalEntityId": "usmf"});
    s.value("ExportToPackage", body).await;
    assert_eq!(s.wait("ansi").await, "Failed");
    assert!(s.errors("ansi").await.contains("DMF1957"));
}

#[tokio::test]
async fn rejected_rows_come_back_in_their_format() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let body = "<Document><CURRENCYENTITY CURRENCYCODE='EUR' GENERALROUNDINGRULE='1' /><CURRENCYENTITY CURRENCYCODE='USD' GENERALROUNDINGRULE='one' /></Document>";
    let package = common::package_of(
        "Currencies",
        "XML-Attribute",
        &["CURRENCYCODE", "GENERALROUNDINGRULE"],
        body.as_bytes(),
    );
    assert_eq!(s.imported(package, "rejects").await, "PartiallySucceeded");
    let url = s
        .value("GetImportStagingErrorFileUrl", json!({"executionId": "rejects", "entityName": "Currencies"}))
        .await;
    let file = s.client.get(url.as_str().unwrap()).send().await.unwrap().text().await.unwrap();
    assert_eq!(
        file.trim_start_matches('\u{feff}'),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Document><CURRENCYENTITY CURRENCYCODE=\"USD\" GENERALROUNDINGRULE=\"one\" /></Document>"
    );
}

#[tokio::test]
async fn composite_entities_are_a_setting() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let label = "Agreements composite";
    let lines = json!({"entity": "CLM integration purchase agreement lines", "join": {"PurchaseAgreementId": "PurchaseAgreementId"}});
    let settings = json!({"composites": [{"label": label, "root": {"entity": "CLM integration purchase agreements", "children": [lines]}}]});
    assert_eq!(s.control("settings", settings.to_string()).await.status, 200);
    let bad = json!({"composites": [{"label": "Currencies", "root": {"entity": "Currencies"}}]});
    assert_eq!(s.control("settings", bad.to_string()).await.status, 400);
    s.load(
        "CLMIntegrationPurchaseAgreements",
        &[json!({"PurchaseAgreementId": "A-1"}), json!({"PurchaseAgreementId": "A-2"})],
    )
    .await;
    let line = |agreement: &str, number: i32| json!({"PurchaseAgreementId": agreement, "LineNumber": number, "CommitmentType": "ProductCategory"});
    s.load("CLMIntegrationPurchaseAgreementLines", &[line("A-1", 1), line("A-1", 2), line("A-2", 1)]).await;
    for (format, id) in [("XML-Element", "element"), ("XML-Attribute", "attribute")] {
        let package = exported(&s, label, format, id).await;
        assert_eq!(entries(&package)[0], "Agreements composite.xml");
        let text = String::from_utf8(entry(&package, "Agreements composite.xml")).unwrap();
        assert_eq!(text.matches("<CLMINTEGRATIONPURCHASEAGREEMENTHEADERENTITY").count(), 2, "{text}");
        for at in ["A-1',LineNumber=1", "A-1',LineNumber=2", "A-2',LineNumber=1"] {
            remove(
                &s,
                &format!(
                    "/data/CLMIntegrationPurchaseAgreementLines(dataAreaId='usmf',PurchaseAgreementId='{at})"
                ),
            )
            .await;
        }
        for id in ["A-1", "A-2"] {
            remove(
                &s,
                &format!(
                    "/data/CLMIntegrationPurchaseAgreements(dataAreaId='usmf',PurchaseAgreementId='{id}')"
                ),
            )
            .await;
        }
        let import = format!("back-{id}");
        let refused = s.import(package.clone(), &import, &format!("refused-{id}"), json!({})).await;
        assert!(refused.error().contains("overwrite must be false"), "{}", refused.text);
        let sent = s.import(package, &import, &import, json!({"overwrite": false})).await;
        assert_eq!(sent.status, 200, "{}", sent.text);
        assert_eq!(s.wait(&import).await, "Succeeded", "{}", s.errors(&import).await);
        assert_eq!(s.get("/data/CLMIntegrationPurchaseAgreements/$count").await.text, "\u{feff}2");
        assert_eq!(s.get("/data/CLMIntegrationPurchaseAgreementLines/$count").await.text, "\u{feff}3");
        let detail: Value = s
            .get(&format!("/data/DataManagementExecutionJobDetails?$filter=JobId%20eq%20'{import}'"))
            .await
            .json();
        assert_eq!(
            (&detail["value"][0]["EntityName"], &detail["value"][0]["TargetRecordsCreatedCount"]),
            (&json!(label), &json!(5))
        );
    }
}
