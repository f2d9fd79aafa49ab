//! `docs/diagnostics.md` is made of the doctor's table of codes. `cargo xtask diagnostics` writes it anew.
#![allow(clippy::unwrap_used, reason = "an error here is the failure of a test")]

use std::fmt::Write as _;

use d365_clm::package::{Code, Repair, Severity};

const INTRODUCTION: &str = "\
# What the package doctor finds

<!-- Made by `cargo xtask diagnostics` from src/package/doctor/codes.rs: change it there. -->

`diagnose()` examines a data package and returns findings; `repair()` corrects those that are safe to correct and says what it
did. Codes are stable: they are never renamed and never used for anything else.

| severity | meaning |
|---|---|
| error | the service refuses the package or a part of it, or silently skips some of it |
| warning | the service takes the package, but perhaps not as it is meant |
| info | worth knowing |

The first 20 findings of a code for one file are listed, then their number; 10,000 findings in all. *Field report* means that
somebody observed it in a real environment, a title in italics is a page of the vendor's documentation, *unverified* means that no
source was found. A finding's own severity may be milder or stricter than the one given here where the paragraph says so.

";

fn markdown() -> String {
    let mut out = INTRODUCTION.to_owned();
    out.push_str("| code | severity | repairable | |\n|---|---|---|---|\n");
    for code in Code::ALL {
        let info = code.info();
        let anchor = info.code.to_lowercase();
        let (severity, repair) = (info.severity.as_str(), repair(info.repair));
        writeln!(out, "| [`{}`](#{anchor}) | {severity} | {repair} | {} |", info.code, info.title).unwrap();
    }
    for code in Code::ALL {
        let info = code.info();
        let (severity, repair) = (info.severity.as_str(), repair(info.repair));
        writeln!(out, "\n## {}\n\n**{}** ({severity}, repairable: {repair})\n", info.code, info.title)
            .unwrap();
        writeln!(out, "{}\n\n*What to do:* {}", info.paragraph, info.hint).unwrap();
    }
    out
}

fn repair(repair: Repair) -> &'static str {
    match repair {
        Repair::Yes => "yes",
        Repair::Sometimes => "sometimes",
        _ => "no",
    }
}

#[test]
fn the_page_is_that_of_the_source() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/diagnostics.md");
    let made = markdown();
    if std::env::var_os("D365_CLM_WRITE_DIAGNOSTICS").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        there.replace("\r\n", "\n") == made,
        "docs/diagnostics.md is out of date: run `cargo xtask diagnostics`"
    );
}

#[test]
fn every_code_says_what_to_do() {
    for code in Code::ALL {
        let info = code.info();
        for text in [info.title, info.paragraph, info.hint] {
            assert!(text.len() > 5 && !text.contains('\n'), "{code}");
        }
        assert!(info.paragraph.ends_with('.') && info.hint.ends_with('.'), "{code}");
        assert!(!info.title.ends_with('.'), "{code}");
    }
    assert_eq!(Code::MapMissing.info().severity, Severity::Error);
}
