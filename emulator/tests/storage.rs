//! The storage account as callers see it: limits of the old version, SAS, retention.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{Answer, Sandbox, answer, package};
use reqwest::Method;
use serde_json::{Value, json};

const MIB: usize = 1 << 20;

async fn write_url(s: &Sandbox, name: &str) -> String {
    let target = s.value("GetAzureWriteUrl", json!({ "uniqueFileName": name })).await;
    let target: Value = serde_json::from_str(target.as_str().unwrap()).unwrap();
    target["BlobUrl"].as_str().unwrap().to_owned()
}

async fn put(s: &Sandbox, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    let mut request = s.client.put(url).header("x-ms-blob-type", "BlockBlob");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request.body(body)).await
}

/// Status and the code of the error, where it is one in the form of the storage account.
fn verdict(answer: &Answer) -> (u16, String) {
    let code = answer.text.split("<Code>").nth(1).and_then(|rest| rest.split("</Code>").next());
    (answer.status.as_u16(), code.unwrap_or_default().to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

async fn settings(s: &Sandbox, document: Value) {
    let done = s.control("settings", json!({ "dataManagement": document }).to_string()).await;
    assert_eq!(done.status, 200, "{}", done.text);
}

async fn advance(s: &Sandbox, seconds: u64) -> Value {
    let done = s.control("clock", json!({ "seconds": seconds }).to_string()).await;
    assert_eq!(done.status, 200, "{}", done.text);
    done.json()
}

fn block(number: u8) -> String {
    common::encode(&STANDARD.encode([number; 8]))
}

#[tokio::test]
async fn blocks_ranges_and_checksums_go_through() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let url = write_url(&s, "big name.zip").await;
    let content: Vec<u8> = (0..9 * MIB as u32).map(|at| (at * 7 + at / 4096) as u8).collect();
    for (number, piece) in content.chunks(4 * MIB).enumerate() {
        let to = format!("{url}&comp=block&blockid={}", block(number as u8));
        assert_eq!(put(&s, &to, &[], piece.to_vec()).await.status, 201);
    }
    // What is staged is listed, so that an upload can go on; it is no blob yet.
    let list = answer(s.client.get(format!("{url}&comp=blocklist&blocklisttype=uncommitted"))).await;
    assert_eq!(list.status, 200, "{}", list.text);
    assert_eq!(list.text.matches("<Size>4194304</Size>").count(), 2);
    assert_eq!(list.text.matches("<Size>1048576</Size>").count(), 1);
    assert_eq!(answer(s.client.get(&url)).await.status, 404);
    let ids: String = (0..3_u8).map(|n| format!("<Latest>{}</Latest>", STANDARD.encode([n; 8]))).collect();
    let body = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{ids}</BlockList>");
    assert_eq!(put(&s, &format!("{url}&comp=blocklist"), &[], body.into_bytes()).await.status, 201);

    let whole = s.client.get(&url).send().await.unwrap();
    assert_eq!(whole.headers()["content-length"].to_str().unwrap(), (9 * MIB).to_string());
    assert_eq!(whole.headers()["x-ms-version"], "2014-02-14");
    assert!(whole.bytes().await.unwrap() == content);
    let part = s.client.get(&url).header("range", "bytes=4194300-4194309").send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(
        part.headers()["content-range"].to_str().unwrap(),
        format!("bytes 4194300-4194309/{}", 9 * MIB)
    );
    assert_eq!(part.bytes().await.unwrap(), content[4_194_300..4_194_310]);

    // Base64 of the MD5 of "abc", and of nothing.
    let small = write_url(&s, "small").await;
    let block_url = format!("{small}&comp=block&blockid={}", block(1));
    for to in [&small, &block_url] {
        let good = put(&s, to, &[("content-md5", "kAFQmDzST7DWlj99KOF/cg==")], b"abc".to_vec()).await;
        assert_eq!(good.status, 201, "{}", good.text);
        let bad = put(&s, to, &[("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")], b"abc".to_vec()).await;
        assert_eq!(verdict(&bad), refused(400, "Md5Mismatch"), "{}", bad.text);
    }
}

#[tokio::test]
async fn the_old_version_has_its_limits() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let url = write_url(&s, "limits").await;
    let block_url = format!("{url}&comp=block&blockid={}", block(1));
    let too_large = refused(413, "RequestBodyTooLarge");
    assert_eq!(put(&s, &block_url, &[], vec![0; 4 * MIB]).await.status, 201);
    assert_eq!(verdict(&put(&s, &block_url, &[], vec![0; 4 * MIB + 1]).await), too_large);
    assert_eq!(put(&s, &url, &[], vec![0; 64 * MIB]).await.status, 201);
    assert_eq!(verdict(&put(&s, &url, &[], vec![0; 64 * MIB + 1]).await), too_large);
    for (version, expected) in [
        ("2014-02-14", (201, String::new())),
        ("2013-08-15", (201, String::new())),
        ("2014-02-15", refused(400, "InvalidHeaderValue")),
        ("2020-04-08", refused(400, "InvalidHeaderValue")),
        ("latest", refused(400, "InvalidHeaderValue")),
    ] {
        let sent = put(&s, &url, &[("x-ms-version", version)], b"x".to_vec()).await;
        assert_eq!(verdict(&sent), expected, "{version}");
    }
    settings(&s, json!({"newerStorageVersion": "accepted"})).await;
    let newer = [("x-ms-version", "2020-04-08")];
    assert_eq!(put(&s, &block_url, &newer, vec![0; 4 * MIB + 1]).await.status, 201);
    assert_eq!(verdict(&put(&s, &block_url, &[], vec![0; 4 * MIB + 1]).await), too_large);
}

#[tokio::test]
async fn a_url_is_for_its_blob_and_its_time() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let url = write_url(&s, "mine").await;
    assert!(url.contains("/dmf/mine?sv=2014-02-14&sr=b&st=") && url.contains("&sp=rw&sig="), "{url}");
    assert_eq!(put(&s, &url, &[], b"x".to_vec()).await.status, 201);
    let failed = refused(403, "AuthenticationFailed");
    let (bare, query) = url.split_once('?').unwrap();
    assert_eq!(verdict(&answer(s.client.get(bare)).await), refused(404, "ResourceNotFound"));
    let other = format!("{}?{query}", bare.replace("/mine", "/other"));
    assert_eq!(verdict(&put(&s, &other, &[], b"x".to_vec()).await), failed);
    // A bearer token has no place here.
    assert_eq!(verdict(&answer(s.client.get(&url).bearer_auth(&s.token)).await), failed);
    let deleted = answer(s.client.request(Method::DELETE, &url)).await;
    assert_eq!(verdict(&deleted), refused(403, "AuthorizationPermissionMismatch"));

    advance(&s, 34 * 60).await;
    assert_eq!(answer(s.client.get(&url)).await.status, 200);
    advance(&s, 61).await;
    let late = put(&s, &url, &[], b"y".to_vec()).await;
    assert_eq!(verdict(&late), failed);
    assert!(late.text.contains("Signature not valid in the specified time frame"), "{}", late.text);
    // The service reads by the same URL.
    let body = json!({"packageUrl": url, "definitionGroupId": "p", "executionId": "late", "execute": true, "overwrite": true, "legalEntityId": "USMF"});
    let sent = s.action("ImportFromPackage", body).await;
    assert_eq!(sent.status, 400);
    assert!(sent.error().contains("could not be downloaded"), "{}", sent.error());

    // The same name is the same blob, or another one.
    let again = write_url(&s, "mine").await;
    assert_eq!(again.split('?').next(), Some(bare));
    assert_eq!(answer(s.client.get(&again)).await.text, "x");
    settings(&s, json!({"repeatedFileName": "anotherBlob", "writeUrlSeconds": 2})).await;
    let (one, two) = (write_url(&s, "mine").await, write_url(&s, "mine").await);
    assert_ne!(one.split('?').next(), two.split('?').next());
    assert!(two.split('?').next().unwrap().ends_with("-mine"));
    assert_eq!(put(&s, &two, &[], b"z".to_vec()).await.status, 201);
    advance(&s, 3).await;
    assert_eq!(verdict(&answer(s.client.get(&two)).await), failed);
}

#[tokio::test]
async fn packages_last_seven_days_and_read_urls_ten_minutes() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    s.load("Currencies", &[json!({"CurrencyCode": "EUR"})]).await;
    s.project("out", "Currencies", json!({})).await;
    s.exported("out", "x-1", "USMF", "Currencies.csv").await;
    let ask = async || {
        s.value("GetExportedPackageUrl", json!({"executionId": "x-1"})).await.as_str().unwrap().to_owned()
    };
    let url = ask().await;
    assert!(url.contains("&sp=r&sig="), "{url}");
    assert_eq!(answer(s.client.head(&url)).await.status, 200);
    assert_eq!(
        verdict(&put(&s, &url, &[], b"x".to_vec()).await),
        refused(403, "AuthorizationPermissionMismatch")
    );
    advance(&s, 9 * 60).await;
    assert_eq!(answer(s.client.head(&url)).await.status, 200);
    advance(&s, 61).await;
    assert_eq!(answer(s.client.head(&url)).await.status, 403);
    settings(&s, json!({"readUrlSeconds": 604_800})).await;
    let fresh = ask().await;
    advance(&s, 6 * 24 * 3600).await;
    assert_eq!(answer(s.client.head(&fresh)).await.status, 200);
    // The URL is good for longer than the blob: one is handed out at the last minute.
    let last = ask().await;
    advance(&s, 24 * 3600).await;
    assert_eq!(verdict(&answer(s.client.get(&last)).await), refused(404, "BlobNotFound"));

    // By order, without waiting.
    s.project("out2", "Currencies", json!({})).await;
    s.exported("out2", "x-2", "USMF", "Currencies.csv").await;
    let body = json!({"executionId": "x-2"});
    let url = s.value("GetExportedPackageUrl", body.clone()).await.as_str().unwrap().to_owned();
    assert_eq!(s.control("expire", body.to_string()).await.json()["expired"].as_array().unwrap().len(), 1);
    assert_eq!(verdict(&answer(s.client.get(&url)).await), refused(404, "BlobNotFound"));
    assert_eq!(s.value("GetExportedPackageUrl", body).await, "");
    assert_eq!(s.control("expire", json!({"blob": "none"}).to_string()).await.status, 400);

    let good = package("Currencies", &["CURRENCYCODE"], "CURRENCYCODE\r\nUSD\r\n");
    assert_eq!(s.imported(good, "after").await, "Succeeded");
}
