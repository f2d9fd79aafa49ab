//! `docs/diagnostics.md` and `docs/connection.md` are made of the doctors' tables of codes. `cargo xtask diagnostics` writes them anew.
#![allow(clippy::unwrap_used, reason = "an error here is the failure of a test")]

use std::fmt::Write as _;

use d365_clm::connection;
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

const CONNECTION: &str = "\
# What the connection doctor finds

<!-- Made by `cargo xtask diagnostics` from src/connection/codes.rs: change it there. -->

`scm.diagnose()` and `npx d365-clm check --url URL --token-command CMD` ask an environment what an integration will ask of it, and
return findings: the code, what was met, and where in Supply Chain Management it is put right. Nothing is changed there. Codes are
stable: they are never renamed and never used for anything else.

| severity | meaning |
|---|---|
| error | the integration, or a part of it, can't work |
| warning | it works, but perhaps not all of it, or not as it is meant |
| info | worth knowing |

The questions come in this order, and what makes the next ones pointless ends them: the address without a token (is anybody there,
and of which tenant), one row of each entity of the integration, data projects and the list of data entities, the storage. The token
itself is looked at where the host keeps it: its claims are compared with the environment, shown in findings (audience, tenant,
application id), and sent to nobody. *Field report* and *experience* mean that somebody observed it, a title in italics is a page of
the vendor's documentation, *unverified* means that no source was found.

";

fn connection_markdown() -> String {
    let mut out = CONNECTION.to_owned();
    out.push_str("| code | severity | |\n|---|---|---|\n");
    for code in connection::Code::ALL {
        let info = code.info();
        let (anchor, severity) = (info.code.to_lowercase(), info.severity.as_str());
        writeln!(out, "| [`{}`](#{anchor}) | {severity} | {} |", info.code, info.title).unwrap();
    }
    for code in connection::Code::ALL {
        let info = code.info();
        writeln!(out, "\n## {}\n\n**{}** ({})\n", info.code, info.title, info.severity.as_str()).unwrap();
        writeln!(out, "{}\n\n*What to do:* {}", info.paragraph, info.hint).unwrap();
    }
    out
}

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
fn the_pages_are_those_of_the_source() {
    for (name, made) in [("diagnostics", markdown()), ("connection", connection_markdown())] {
        let path = format!("{}/docs/{name}.md", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("D365_CLM_WRITE_DIAGNOSTICS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there.replace("\r\n", "\n") == made,
            "docs/{name}.md is out of date: run `cargo xtask diagnostics`"
        );
    }
}

#[test]
fn every_code_of_the_connection_says_what_to_do() {
    for code in connection::Code::ALL {
        let info = code.info();
        for text in [info.title, info.paragraph, info.hint] {
            assert!(text.len() > 5 && !text.contains('\n'), "{code}");
        }
        assert!(info.code.starts_with("CONN-"), "{code}");
        assert!(info.paragraph.ends_with('.') && info.hint.ends_with('.'), "{code}");
        assert!(!info.title.ends_with('.'), "{code}");
    }
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
