//! The process: start, data that is kept, and how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::Sandbox;
use serde_json::json;

fn address(url: &str) -> SocketAddr {
    url.strip_prefix("http://").unwrap().split('/').next().unwrap().parse().unwrap()
}

fn gone(address: SocketAddr) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(15) {
        if TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

#[tokio::test]
async fn azurite_dies_with_a_killed_sandbox() {
    let Some(mut s) = Sandbox::start(&[]).await else { return };
    let storage = address(s.text("azuriteUrl"));
    assert!(TcpStream::connect(storage).is_ok());
    // SIGKILL on Unix: the sandbox cannot clean up.
    s.child.kill().unwrap();
    s.child.wait().unwrap();
    assert!(gone(storage), "Azurite outlived the sandbox");
}

#[tokio::test]
async fn both_end_with_stdin() {
    let Some(mut s) = Sandbox::start(&[]).await else { return };
    let (service, storage) = (address(s.text("baseUrl")), address(s.text("azuriteUrl")));
    drop(s.stdin.take());
    assert!(s.child.wait().unwrap().success());
    assert!(gone(service) && gone(storage));
}

#[cfg(unix)]
#[tokio::test]
async fn both_end_on_sigterm() {
    let Some(mut s) = Sandbox::start(&[]).await else { return };
    let storage = address(s.text("azuriteUrl"));
    let sent = Command::new("kill").args(["-TERM", &s.child.id().to_string()]).status().unwrap();
    assert!(sent.success() && s.child.wait().unwrap().success());
    assert!(gone(storage));
}

#[tokio::test]
async fn a_missing_azurite_is_a_clear_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_d365-sandbox"))
        .args(["serve", "--azurite", "no/such/main.js"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && text.contains("npm install azurite"), "{text}");
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn a_database_file_is_kept_and_a_directory_seeds() {
    let folder = std::env::temp_dir().join(format!("sandbox-test-{}", uuid::Uuid::new_v4()));
    let seed = folder.join("seed");
    std::fs::create_dir_all(&seed).unwrap();
    std::fs::write(
        seed.join("UnitsOfMeasure.ndjson"),
        "{\"UnitSymbol\":\"ea\"}\n\n{\"UnitSymbol\":\"kg\"}\n",
    )
    .unwrap();
    std::fs::write(
        seed.join("settings.json"),
        "{\"changeTracking\":{\"Units\":\"ALL\"},\"defaultCompany\":\"DEMF\"}",
    )
    .unwrap();
    let file = folder.join("data.sqlite");
    let arguments = ["--db", file.to_str().unwrap(), "--seed", seed.to_str().unwrap()];
    if let Some(s) = Sandbox::start(&arguments).await {
        assert_eq!(s.names("UnitsOfMeasure", &[], "UnitSymbol").await, ["ea", "kg"]);
        assert_eq!(
            s.names("DataManagementEntities", &[("$filter", "EntityName eq 'Units'")], "ChangeTrackingType")
                .await,
            ["ALL"]
        );
        assert_eq!(s.post("/data/Currencies", &json!({"CurrencyCode": "EUR"})).await.status, 201);
        drop(s);
    }
    if let Some(s) = Sandbox::start(&["--db", file.to_str().unwrap()]).await {
        assert_eq!(s.names("Currencies", &[], "CurrencyCode").await, ["EUR"]);
        assert_eq!(s.names("UnitsOfMeasure", &[], "UnitSymbol").await, ["ea", "kg"]);
        // A bad line of a load stores nothing and names its place.
        let refused =
            s.control("load/Currencies", "{\"CurrencyCode\":\"USD\"}\n{\"Nope\":1}\n".to_owned()).await;
        assert_eq!(
            (refused.status.as_u16(), refused.json()["error"].as_str().unwrap()),
            (400, "Currencies, line 2: 'Currencies' has no property 'Nope'")
        );
        assert_eq!(s.names("Currencies", &[], "CurrencyCode").await, ["EUR"]);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
