//! Broken and hostile packages, made by `make.py`: each opens, or is refused with the code that the script names, and takes no
//! more memory than it may.
//!
//! A program of its own with a single test, because memory is counted for the whole process.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "an error here is the failure of a test")]

use std::process::Command;

use d365_clm::Error;
use d365_clm::package::{Limits, LocalPackage, Pull};
use peak_alloc::PeakAlloc;
use serde::Deserialize;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

#[derive(Deserialize)]
struct Case {
    name: String,
    file: String,
    when: String,
    code: String,
}

/// Bytes that a case may take beyond its own.
const MOST: usize = 8 << 20;
/// For those with something that is held as a whole, near or above its own limit: a workbook (64 MiB), an XML file of the
/// package (a million elements), a row (16 MiB).
const MOST_OF_LARGE: usize = 160 << 20;

#[test]
fn every_case_opens_or_is_refused_as_it_should() {
    if Command::new("python3").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "python3 is missing");
        println!("skipped: python3 is missing");
        return;
    }
    let folder = std::env::temp_dir().join(format!("d365-clm-corpus-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/make.py");
    let made = Command::new("python3").arg(script).arg(&folder).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let cases: Vec<Case> =
        serde_json::from_slice(&std::fs::read(folder.join("cases.json")).unwrap()).unwrap();
    assert!(cases.len() > 200, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let bytes = std::fs::read(folder.join(&case.file)).unwrap();
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        let (when, error) = run(&bytes);

        let taken = MEMORY.peak_usage().saturating_sub(before);
        let code = error.as_ref().map_or("", |error| error.code.as_str());
        if (when, code) != (&case.when, &case.code) {
            wrong.push(format!(
                "{}: expected {} {}, got {when} {code} {error:?}",
                case.name, case.when, case.code
            ));
        } else if error.is_some_and(|error| error.hint.is_none()) {
            wrong.push(format!("{}: the error has no hint", case.name));
        }
        let large = ["workbook", "xml", "bomb"].iter().any(|part| case.name.contains(part));
        if taken > if large { MOST_OF_LARGE } else { MOST } {
            wrong.push(format!("{}: took {} MiB", case.name, taken >> 20));
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Opens it and reads all that there is: when it was refused, and why.
fn run(bytes: &[u8]) -> (&'static str, Option<Error>) {
    let package = match LocalPackage::open(bytes, Limits::default()) {
        Ok(package) => package,
        Err(error) => return ("open", Some(error)),
    };
    match read(&package, bytes) {
        Ok(()) => ("never", None),
        Err(error) => ("read", Some(error)),
    }
}

fn read(package: &LocalPackage<&[u8]>, bytes: &[u8]) -> Result<(), Error> {
    for index in 0..package.entities().len() {
        package.count_rows(index)?;
    }
    let mut piece = Vec::new();
    for file in package.files() {
        let mut reader = package.package().file(&file.name)?;
        loop {
            piece.clear();
            match reader.read(&mut piece)? {
                Pull::End => break,
                Pull::Have(()) => {}
                Pull::Want => {
                    let range = reader.want().unwrap();
                    reader.give(bytes[range.start as usize..range.end as usize].to_vec())?;
                }
            }
        }
    }
    Ok(())
}
