//! Data management with packages that are built by hand: what the pitfall list of packages says, one by one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::time::Duration;

use common::{
    Sandbox, entity, entries, entry, header, manifest, maps, package, package_of, unicode, utf16, zip,
};
use serde_json::{Value, json};

const COLUMNS: [&str; 2] = ["CURRENCYCODE", "NAME"];
const GOOD: &str = "CURRENCYCODE,NAME\r\nEUR,\"Euro, \"\"€\"\"\r\nof the union\"\r\n";

#[tokio::test]
async fn a_package_is_imported_and_its_run_shows_late() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let sent = s.import(package("Currencies", &COLUMNS, GOOD), "P", "run-1", json!({})).await;
    assert_eq!((sent.status.as_u16(), sent.json()["value"].clone()), (200, json!("run-1")));
    let mut seen: Vec<String> = Vec::new();
    loop {
        let status = s.action("GetExecutionSummaryStatus", json!({"executionId": "run-1"})).await;
        let now = match status.status.as_u16() {
            200 => status.json()["value"].as_str().unwrap().to_owned(),
            code => format!("{code} {}", status.error()),
        };
        if seen.last() != Some(&now) {
            seen.push(now.clone());
        }
        if now == "Succeeded" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let late = "400 Exception occurred while executing action GetExecutionSummaryStatus on Entity DataManagementDefinitionGroup: Execution details were not found for execution id: run-1";
    assert_eq!(seen, [late, "NotRun", "Executing", "Succeeded"]);
    assert_eq!(s.get("/data/Currencies('EUR')").await.json()["Name"], "Euro, \"€\"\r\nof the union");
    let details = s.get("/data/DataManagementExecutionJobDetails?$filter=JobId%20eq%20'run-1'").await.json();
    let detail = &details["value"][0];
    assert_eq!(
        (&detail["EntityName"], &detail["StagingStatus"], &detail["TargetStatus"]),
        (&json!("Currencies"), &json!("Finished"), &json!("Finished"))
    );
    assert_eq!(
        (
            &detail["StagingRecordsCreatedCount"],
            &detail["TargetRecordsCreatedCount"],
            &detail["TargetRecordsUpdatedCount"]
        ),
        (&json!(1), &json!(1), &json!(0))
    );
    assert_eq!(s.errors("run-1").await, "[]");
    // The project was made from the manifest.
    assert_eq!(s.get("/data/DataManagementDefinitionGroups('P')").await.json()["OperationType"], "Import");

    // The same id again is refused and counted.
    let again = s.import(package("Currencies", &COLUMNS, GOOD), "P", "run-1", json!({})).await;
    assert_eq!(again.status, 400);
    let runs = s.runs().await;
    assert_eq!(
        (&runs[0]["executionId"], &runs[0]["submissions"], &runs[0]["status"], &runs[0]["company"]),
        (&json!("run-1"), &json!(2), &json!("Succeeded"), &json!("USMF"))
    );
    // A second import updates.
    assert_eq!(
        s.imported(package("Currencies", &COLUMNS, "CURRENCYCODE,NAME\r\nEUR,Euro\r\n"), "run-2").await,
        "Succeeded"
    );
    let detail = s.get("/data/DataManagementExecutionJobDetails(DefinitionGroupId='project%20of%20run-2',JobId='run-2',EntityName='Currencies')").await.json();
    assert_eq!(
        (&detail["TargetRecordsCreatedCount"], &detail["TargetRecordsUpdatedCount"]),
        (&json!(0), &json!(1))
    );
    // Staging only.
    let staged = s
        .import(
            package("Currencies", &COLUMNS, "CURRENCYCODE,NAME\r\nUSD,Dollar\r\n"),
            "P",
            "run-3",
            json!({"execute": false}),
        )
        .await;
    assert_eq!((staged.status.as_u16(), s.wait("run-3").await), (200, "Succeeded".to_owned()));
    assert_eq!(s.get("/data/Currencies('USD')").await.status, 404);
}

#[tokio::test]
async fn packages_that_are_refused_at_once() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let good = manifest(&entity("Currencies", "data.csv", "CSV-Unicode", &maps(&COLUMNS), 1));
    let (good, head, data) = (good.as_bytes(), header(), unicode(GOOD));
    let head = head.as_bytes();
    let cases: [(&str, Vec<u8>, &str); 11] = [
        ("a raw file", data.clone(), "\\PackageHeader.xml'."),
        ("no header", zip(&[("data.csv", &data), ("Manifest.xml", good)]), "\\PackageHeader.xml'."),
        (
            "header in lower case",
            zip(&[("data.csv", &data), ("Manifest.xml", good), ("packageheader.xml", head)]),
            "\\PackageHeader.xml'.",
        ),
        ("no manifest", zip(&[("data.csv", &data), ("PackageHeader.xml", head)]), "\\Manifest.xml'."),
        (
            "all in a folder",
            zip(&[("p/data.csv", &data), ("p/Manifest.xml", good), ("p/PackageHeader.xml", head)]),
            "\\PackageHeader.xml'.",
        ),
        (
            "data in a folder",
            zip(&[("p/data.csv", &data), ("Manifest.xml", good), ("PackageHeader.xml", head)]),
            "\\data.csv'.",
        ),
        ("no data file", zip(&[("Manifest.xml", good), ("PackageHeader.xml", head)]), "\\data.csv'."),
        (
            "broken manifest",
            zip(&[
                ("data.csv", &data),
                ("Manifest.xml", &good[..good.len() - 9]),
                ("PackageHeader.xml", head),
            ]),
            "There was an error deserializing the file Manifest.xml",
        ),
        (
            "OData name for label",
            package("Currency", &COLUMNS, GOOD),
            "Entity Currency does not exist in the target environment",
        ),
        (
            "label in other case",
            package("currencies", &COLUMNS, GOOD),
            "Entity currencies does not exist in the target environment",
        ),
        (
            "line feeds alone",
            package("Currencies", &COLUMNS, "CURRENCYCODE,NAME\nEUR,Euro\n"),
            "the mapping is incorrect for entity Currencies and field {",
        ),
    ];
    for (at, (name, bytes, words)) in cases.into_iter().enumerate() {
        let sent = s.import(bytes, "refused", &format!("refused-{at}"), json!({})).await;
        assert_eq!(sent.status, 400, "{name}: {}", sent.text);
        let start = "Exception occurred while executing action ImportFromPackage on Entity DataManagementDefinitionGroup: ";
        assert!(sent.error().starts_with(start) && sent.error().contains(words), "{name}: {}", sent.error());
        if words.starts_with('\\') {
            assert!(sent.error().contains("Could not find file '"), "{name}");
        }
    }
    // No project came of it, and no run.
    assert_eq!(s.get("/data/DataManagementDefinitionGroups('refused')").await.status, 404);
    assert_eq!(s.runs().await, json!([]));
    // Another GUID on each call.
    let guid = |text: String| text.split('{').nth(1).unwrap().split('}').next().unwrap().to_owned();
    let lf = || package("Currencies", &COLUMNS, "CURRENCYCODE,NAME\nEUR,Euro\n");
    let one = guid(s.import(lf(), "refused", "lf-1", json!({})).await.error());
    let two = guid(s.import(lf(), "refused", "lf-2", json!({})).await.error());
    assert_eq!(one.len(), 36);
    assert_ne!(one, two);
    // Company, foreign URL, overwrite.
    let company = s
        .import(package("Currencies", &COLUMNS, GOOD), "p", "company", json!({"legalEntityId": "XXXX"}))
        .await;
    assert!(company.error().ends_with("Target legal entity is not valid"), "{}", company.error());
    let foreign =
        s.import(vec![1], "p", "foreign", json!({"packageUrl": "http://127.0.0.1:1/x?sig=secret"})).await;
    assert!(foreign.status == 400 && !foreign.text.contains("secret"), "{}", foreign.text);
    assert_eq!(s.import(package("Currencies", &COLUMNS, GOOD), "mine", "first", json!({})).await.status, 200);
    let types = || package("CLM integration contract types", &["NAME"], "NAME\r\nNDA\r\n");
    let kept = s.import(types(), "mine", "second", json!({"overwrite": false})).await;
    assert!(
        kept.error().ends_with("The data project 'mine' exists and overwrite has not been specified."),
        "{}",
        kept.error()
    );
    assert_eq!(s.import(types(), "mine", "third", json!({"overwrite": true})).await.status, 200);
    // Parameter names are case-sensitive.
    assert_eq!(s.action("GetExecutionErrors", json!({"ExecutionId": "x"})).await.status, 400);
}

#[tokio::test]
async fn packages_that_succeed_and_do_nothing() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let block = |inner: &str| {
        manifest(&format!("<DataManagementPackageEntityData>{inner}</DataManagementPackageEntityData>"))
    };
    let rest = "<EntityName>Currencies</EntityName><ExecutionUnit>1</ExecutionUnit><InputFilePath>data.csv</InputFilePath><SourceFormat>CSV-Unicode</SourceFormat>";
    let good = manifest(&entity("Currencies", "data.csv", "CSV-Unicode", &maps(&COLUMNS), 1));
    let cases = [
        ("no maps", block(rest), header()),
        ("nil maps", block(&format!("<EntityMapList i:nil=\"true\" />{rest}")), header()),
        ("empty maps", block(&format!("<EntityMapList />{rest}")), header()),
        ("maps too late", block(&format!("{rest}{}", maps(&COLUMNS))), header()),
        ("manifest in a wrong namespace", good.replace("dynamics/2015", "dynamics/2016"), header()),
        ("header in a wrong namespace", good.clone(), header().replace("dynamics/2015", "dynamics/2016")),
    ];
    for (at, (name, manifest, header)) in cases.iter().enumerate() {
        let bytes = zip(&[
            ("data.csv", &unicode(GOOD)),
            ("Manifest.xml", manifest.as_bytes()),
            ("PackageHeader.xml", header.as_bytes()),
        ]);
        let id = format!("nothing-{at}");
        assert_eq!(s.imported(bytes, &id).await, "Succeeded", "{name}");
        assert_eq!(s.errors(&id).await, "[]", "{name}");
        assert_eq!(
            s.get(&format!("/data/DataManagementExecutionJobDetails/$count?$filter=JobId%20eq%20'{id}'"))
                .await
                .text,
            "\u{feff}0",
            "{name}"
        );
    }
    assert_eq!(s.get("/data/Currencies/$count").await.text, "\u{feff}0");
    // Both files in UTF-16 without a declaration, as the service writes them, are read.
    let plain = |text: &str| unicode(text.split("?>").nth(1).unwrap());
    let bytes = zip(&[
        ("data.csv", &unicode(GOOD)),
        ("Manifest.xml", &plain(&good)),
        ("PackageHeader.xml", &plain(&header())),
    ]);
    assert_eq!(s.imported(bytes, "utf-16").await, "Succeeded");
    assert_eq!(s.get("/data/Currencies/$count").await.text, "\u{feff}1");
}

#[tokio::test]
async fn files_that_fail_their_entity() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let cases = [
        (
            "UTF-8",
            package_of("Currencies", "CSV-Unicode", &COLUMNS, GOOD.as_bytes()),
            "Selected file is not Unicode",
        ),
        ("mapped field missing", package("Currencies", &COLUMNS, "CURRENCYCODE\r\nEUR\r\n"), "DMF2022"),
        ("column not mapped", package("Currencies", &COLUMNS[..1], GOOD), "DMF2025"),
        ("wrong delimiter", package("Currencies", &COLUMNS, "CURRENCYCODE;NAME\r\nEUR;Euro\r\n"), "DMF2022"),
        (
            "duplicate keys",
            package("Currencies", &COLUMNS, "CURRENCYCODE,NAME\r\nEUR,a\r\nEUR,b\r\n"),
            "DMF1959",
        ),
        ("no rows", package("Currencies", &COLUMNS, "CURRENCYCODE,NAME\r\n"), "DMF2053"),
        (
            "blank line first",
            package("Currencies", &COLUMNS, "\r\nCURRENCYCODE,NAME\r\nEUR,Euro\r\n"),
            "FF004",
        ),
        (
            "blank line between",
            package("Currencies", &COLUMNS, "CURRENCYCODE,NAME\r\nEUR,Euro\r\n\r\nUSD,Dollar\r\n"),
            "DMF2050",
        ),
        (
            "a format that is not here",
            package_of("Currencies", "CSV-UTF8", &COLUMNS, b"x"),
            "does not exist in this environment",
        ),
    ];
    for (at, (name, bytes, words)) in cases.into_iter().enumerate() {
        let id = format!("entity-{at}");
        assert_eq!(s.imported(bytes, &id).await, "Failed", "{name}");
        let errors: Value = serde_json::from_str(&s.errors(&id).await).unwrap();
        assert!(errors[0]["ErrorMessage"].as_str().unwrap().contains(words), "{name}: {errors}");
        let details = s
            .get(&format!("/data/DataManagementExecutionJobDetails?$filter=JobId%20eq%20'{id}'"))
            .await
            .json();
        assert_eq!(
            (&details["value"][0]["StagingStatus"], &details["value"][0]["TargetStatus"]),
            (&json!("Error"), &json!("NotRun")),
            "{name}"
        );
    }
    assert_eq!(s.get("/data/Currencies/$count").await.text, "\u{feff}0");
    // An apostrophe in the name of the project.
    assert_eq!(
        s.import(package("Currencies", &COLUMNS, GOOD), "Tom's", "quote", json!({})).await.status,
        200
    );
    assert_eq!(s.wait("quote").await, "Failed");
}

#[tokio::test]
async fn rows_fail_alone_and_levels_run_in_order() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let contracts = "CONTRACTID,CONTRACTTYPE,CONTRACTSTATUS,EFFECTIVEDATE\r\nC1,NDA,Executed,2026-04-01\r\nC2,NDA2,Draft,2026-04-01\r\nC3,NDA,2,2026-04-01\r\nC4,NDA,Draft,01.04.2026\r\nC5,NDA,Signed,\r\nC6,\"a \"\"b\"\"\",Draft,\r\n";
    let columns = ["CONTRACTID", "CONTRACTTYPE", "CONTRACTSTATUS", "EFFECTIVEDATE"];
    // The contracts come first in the manifest, but on a later level.
    let list = entity("CLM integration contract", "c.csv", "CSV-Unicode", &maps(&columns), 2)
        + &entity("CLM integration contract types", "t.csv", "CSV-Unicode", &maps(&["NAME"]), 1);
    let bytes = zip(&[
        ("c.csv", &unicode(contracts)),
        ("t.csv", &unicode("NAME\r\nNDA\r\n")),
        ("Manifest.xml", manifest(&list).as_bytes()),
        ("PackageHeader.xml", header().as_bytes()),
    ]);
    assert_eq!(s.imported(bytes, "mixed").await, "PartiallySucceeded");
    assert_eq!(s.names("CLMIntegrationContracts", &[], "ContractId").await, ["C1", "C3"]);
    let third = s.get("/data/CLMIntegrationContracts(dataAreaId='usmf',ContractId='C3')").await.json();
    assert_eq!(
        (&third["ContractStatus"], &third["EffectiveDate"]),
        (&json!("Approved"), &json!("2026-04-01T12:00:00Z"))
    );
    let errors = s.errors("mixed").await;
    assert!(errors.contains(r#"{"RecordId":"C2","Field":"","ErrorMessage":"\n Contract type NDA2 was not found.\r\n Validations failed while writing entity record\r\n"}"#), "{errors}");
    assert!(
        errors.contains(r#""RecordId":"C4","Field":"EFFECTIVEDATE","ErrorMessage":"DMF2016"#),
        "{errors}"
    );
    assert!(errors.contains(r#""RecordId":"C5","Field":"CONTRACTSTATUS""#), "{errors}");
    // Quotes in messages are not escaped: the list is no JSON then.
    assert!(errors.contains("Contract type a \"b\" was not found."), "{errors}");
    assert!(serde_json::from_str::<Value>(&errors).is_err());
    let filter = "/data/DataManagementExecutionJobDetails?$filter=JobId%20eq%20'mixed'%20and%20EntityName%20eq%20'CLM%20integration%20contract'";
    let detail = s.get(filter).await.json()["value"][0].clone();
    assert_eq!(
        (
            &detail["StagingRecordsToBeProcessedCount"],
            &detail["StagingRecordsCreatedCount"],
            &detail["TargetRecordsCreatedCount"]
        ),
        (&json!(6), &json!(4), &json!(2))
    );
    // Error files: staging at once, target keys after they are generated.
    let of = |label: &str| json!({"executionId": "mixed", "entityName": label});
    let contract = "CLM integration contract";
    let url = s.value("GetImportStagingErrorFileUrl", of(contract)).await;
    let file = s.client.get(url.as_str().unwrap()).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(
        utf16(&file),
        "CONTRACTID,CONTRACTTYPE,CONTRACTSTATUS,EFFECTIVEDATE\r\nC4,NDA,Draft,01.04.2026\r\nC5,NDA,Signed,\r\n"
    );
    assert_eq!(s.value("GetImportTargetErrorKeysFileUrl", of(contract)).await, "");
    assert_eq!(
        s.value("GenerateImportTargetErrorKeysFile", of("CLM integration contract types")).await,
        false
    );
    assert_eq!(s.value("GenerateImportTargetErrorKeysFile", of(contract)).await, true);
    let mut url = json!("");
    for _ in 0..500 {
        url = s.value("GetImportTargetErrorKeysFileUrl", of(contract)).await;
        if url != "" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(url.as_str().unwrap().contains("sp=r&"), "no target error file");
    // All rows failing is a failed run.
    let bad = package(contract, &columns[..2], "CONTRACTID,CONTRACTTYPE\r\nC9,nope\r\n");
    assert_eq!(s.imported(bad, "all-bad").await, "Failed");
    // History can be deleted, and then nothing is known.
    s.value("DeleteExecutionHistoryJob", json!({"executionId": "mixed"})).await;
    assert_eq!(s.errors("mixed").await, "[]");
    assert!(
        s.action("GetExecutionSummaryStatus", json!({"executionId": "mixed"}))
            .await
            .error()
            .contains("were not found")
    );
}

#[tokio::test]
async fn exports_are_packages_as_the_service_writes_them() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    s.load(
        "CLMIntegrationAddressCountryRegions",
        &[json!({"CountryRegionId": "DEU"}), json!({"CountryRegionId": "ÅLA"})],
    )
    .await;
    s.load(
        "PaymentTerms",
        &[json!({"dataAreaId": "usmf", "Name": "N30"}), json!({"dataAreaId": "demf", "Name": "N60"})],
    )
    .await;
    s.project("Countries", "CLM integration country/regions", json!({})).await;
    let lines = s.exported("Countries", "x-1", "usmf", "CLM integration countryregions.csv").await;
    assert_eq!(lines[0].split(',').next().unwrap(), "COUNTRYREGIONID");
    assert_eq!(lines.len(), 3);
    let bytes = s.download("x-1").await;
    assert_eq!(entries(&bytes), ["CLM integration countryregions.csv", "Manifest.xml", "PackageHeader.xml"]);
    let text = utf16(&entry(&bytes, "Manifest.xml"));
    assert!(text.starts_with("<DataManagementPackageManifest xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns=\"http://schemas.microsoft.com/dynamics/2015/01/DataManagement\"><DefinitionGroupName>Countries</DefinitionGroupName>"));
    assert!(
        text.contains("<EntityName>CLM integration country/regions</EntityName>")
            && text.contains("<InputFilePath>CLM integration countryregions.csv</InputFilePath>")
    );
    assert!(utf16(&entry(&bytes, "PackageHeader.xml")).contains("<PackageVersion>2</PackageVersion>"));
    // Company-specific: the company of the job, without a column for it.
    s.project("Terms", "Terms of payment", json!({})).await;
    let lines = s.exported("Terms", "x-2", "DEMF", "Terms of payment.csv").await;
    assert!(!lines[0].contains("DATAAREAID") && lines.len() == 2 && lines[1].contains("N60"), "{lines:?}");
    // Nothing to export: a header alone.
    s.project("Units", "Units", json!({})).await;
    assert_eq!(s.exported("Units", "x-3", "usmf", "Units.csv").await.len(), 1);
    // ANSI has no such characters.
    s.project("Ansi", "CLM integration country/regions", json!({"SourceFormat": "CSV"})).await;
    let body = |project: &str, id: &str| json!({"definitionGroupId": project, "packageName": "", "executionId": id, "reExecute": false, "legalEntityId": "usmf"});
    s.value("ExportToPackage", body("Ansi", "x-4")).await;
    assert_eq!(s.wait("x-4").await, "Failed");
    assert!(s.errors("x-4").await.contains("DMF1957"));
    assert_eq!(s.value("GetExportedPackageUrl", json!({"executionId": "x-4"})).await, "");
    // Refusals.
    assert!(
        s.action("ExportToPackage", body("None such", "x-5"))
            .await
            .error()
            .ends_with("Data project None such does not exist.")
    );
    assert!(s.action("ExportToPackage", body("Units", "x-3")).await.status == 400);
    assert_eq!(s.imported(package("Currencies", &COLUMNS, GOOD), "i-1").await, "Succeeded");
    assert!(
        s.action("ExportToPackage", body("project of i-1", "x-6"))
            .await
            .error()
            .contains("Export to package failed for definition group: project of i-1")
    );
    // No id given: the service makes one.
    let made = s.value("ExportToPackage", body("Units", "")).await;
    assert_eq!(s.wait(made.as_str().unwrap()).await, "Succeeded");
}

#[tokio::test]
async fn lines_have_their_quirks() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let groups = "/data/DataManagementDefinitionGroups";
    let details = "/data/DataManagementDefinitionGroupDetails";
    assert!(
        s.post(details, &json!({"DefinitionGroupId": "Q", "EntityName": "Units", "SourceFormat": "CSV"}))
            .await
            .error()
            .contains("Data project Q does not exist.")
    );
    assert_eq!(s.post(groups, &json!({"Name": "Q", "OperationType": "Export"})).await.status, 201);
    assert!(
        s.post(groups, &json!({"Name": "Q", "OperationType": "Export"}))
            .await
            .error()
            .contains("already exists")
    );
    let staging = json!({"DefinitionGroupId": "Q", "EntityName": "Contacts V2", "SourceFormat": "CSV", "SkipStaging": "Yes"});
    assert!(s.post(details, &staging).await.error().contains("Staging cannot be skipped"));
    let line = s
        .post(
            details,
            &json!({"DefinitionGroupId": "Q", "EntityName": "Units", "SourceFormat": "CSV-Unicode"}),
        )
        .await;
    assert_eq!((line.status.as_u16(), &line.json()["ValidationStatus"]), (201, &json!("No")));
    // Without a mapping: nothing staged, and executing for good.
    let body = json!({"definitionGroupId": "Q", "packageName": "", "executionId": "hang", "reExecute": false, "legalEntityId": "usmf"});
    s.value("ExportToPackage", body).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(s.value("GetExecutionSummaryStatus", json!({"executionId": "hang"})).await, "Executing");
    let detail =
        s.get("/data/DataManagementExecutionJobDetails?$filter=JobId%20eq%20'hang'").await.json()["value"][0]
            .clone();
    assert_eq!(
        (&detail["StagingStatus"], &detail["StagingRecordsCreatedCount"]),
        (&json!("Executing"), &json!(0))
    );
    let key = format!("{details}(DefinitionGroupId='Q',EntityName='Units')");
    assert_eq!(s.patch(&key, &json!({"AutoGenerateMapping": "Yes"})).await.status, 204);
    let now = s.get(&key).await.json();
    assert_eq!((&now["AutoGenerateMapping"], &now["ValidationStatus"]), (&json!("No"), &json!("Yes")));
    assert_eq!(s.exported("Q", "ok", "usmf", "Units.csv").await.len(), 1);
    // Lines go with their project.
    assert_eq!(
        s.send(reqwest::Method::DELETE, &format!("{groups}('Q')"), Some(&s.token), None).await.status,
        204
    );
    assert_eq!(s.get(&format!("{details}/$count")).await.text, "\u{feff}0");
}

#[tokio::test]
async fn incremental_exports_follow_the_marker() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let vendor = |company: &str, id: &str| json!({"dataAreaId": company, "VendorAccountNumber": id});
    s.load("VendorsV2", &[vendor("usmf", "U1"), vendor("usmf", "U2"), vendor("demf", "D1")]).await;
    let incremental = json!({"DefaultRefreshType": "IncrementalPush"});
    s.project("Delta", "Vendors V2", incremental.clone()).await;
    s.project("Other", "Vendors V2", incremental).await;
    let numbers = |lines: Vec<String>| {
        lines[1..].iter().map(|line| line.split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let export = |project: &'static str, id: &'static str, company: &'static str| {
        let s = &s;
        async move { numbers(s.exported(project, id, company, "Vendors V2.csv").await) }
    };
    let tracking = |option: &str| json!({"changeTracking": {"Vendors V2": option}}).to_string();
    // Without tracking: everything, each time.
    assert_eq!(
        s.names("DataManagementEntities", &[("$filter", "EntityName eq 'Vendors V2'")], "ChangeTrackingType")
            .await,
        ["None"]
    );
    assert_eq!(export("Delta", "t1", "usmf").await, ["U1", "U2"]);
    assert_eq!(export("Delta", "t2", "usmf").await, ["U1", "U2"]);
    assert_eq!(s.control("settings", tracking("ALL")).await.status, 200);
    assert_eq!(
        s.names("DataManagementEntities", &[("$filter", "EntityName eq 'Vendors V2'")], "ChangeTrackingType")
            .await,
        ["ALL"]
    );
    // First full, then nothing, then what changed.
    assert_eq!(export("Delta", "t3", "usmf").await, ["U1", "U2"]);
    assert!(export("Delta", "t4", "USMF").await.is_empty());
    let key = "/data/VendorsV2(dataAreaId='usmf',VendorAccountNumber='U2')";
    assert_eq!(s.patch(key, &json!({"VendorOrganizationName": "new"})).await.status, 204);
    assert_eq!(s.post("/data/VendorsV2", &vendor("usmf", "U3")).await.status, 201);
    assert_eq!(export("Delta", "t5", "usmf").await, ["U2", "U3"]);
    assert!(export("Delta", "t6", "usmf").await.is_empty());
    // Each company and each project has its own marker.
    assert_eq!(export("Delta", "t7", "demf").await, ["D1"]);
    assert_eq!(export("Other", "t8", "usmf").await, ["U1", "U2", "U3"]);
    // A run that nobody downloads moves the marker all the same.
    assert_eq!(s.patch(key, &json!({"VendorOrganizationName": "newer"})).await.status, 204);
    let body = json!({"definitionGroupId": "Delta", "packageName": "", "executionId": "lost", "reExecute": false, "legalEntityId": "usmf"});
    s.value("ExportToPackage", body).await;
    assert_eq!(s.wait("lost").await, "Succeeded");
    assert!(export("Delta", "t9", "usmf").await.is_empty());
    // A full line of another project does not touch it.
    s.project("Full", "Vendors V2", json!({"DefaultRefreshType": "FullPush"})).await;
    assert_eq!(s.patch(key, &json!({"VendorOrganizationName": "newest"})).await.status, 204);
    assert_eq!(export("Full", "t10", "usmf").await, ["U1", "U2", "U3"]);
    assert_eq!(export("Delta", "t11", "usmf").await, ["U2"]);
    // Reset, and off and on again: full.
    let reset = json!({"definitionGroupId": "Delta", "entityName": "Vendors V2", "sourceName": "AX"});
    assert_eq!(s.value("ResetVersionToken", reset).await, true);
    assert_eq!(export("Delta", "t12", "usmf").await, ["U1", "U2", "U3"]);
    s.control("settings", tracking("None")).await;
    s.control("settings", tracking("PrimaryTable")).await;
    assert_eq!(export("Delta", "t13", "usmf").await, ["U1", "U2", "U3"]);
    // Deletions never appear.
    assert_eq!(s.send(reqwest::Method::DELETE, key, Some(&s.token), None).await.status, 204);
    assert!(export("Delta", "t14", "usmf").await.is_empty());
}
