//! The package doctor and the sandbox are asked about the same packages, good ones and ones with one fault each, and must agree:
//! what the sandbox refuses or reads short has an error of the doctor, what it takes as a whole has none. Both were written from
//! the same description, with no code in common.
//!
//! `cargo test -p d365-sandbox --test differential -- --nocapture` prints the counts; DIFFERENTIAL_KIND=text runs the kinds whose name has it,
//! DIFFERENTIAL_TRACE=1 tells each kind when it begins.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "a test"
)]

mod composites;
mod kinds;
mod large;
mod package;
mod random;
mod workbooks;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use d365_clm::catalog::Catalog;
use d365_clm::package::{Code, Diagnostic, Limits, LocalPackage, Severity, refusal};
use d365_sandbox::check::{Checker, Settings, Verdict};

use kinds::{Outcome, all};
use package::{Package, Schema};
use random::Random;

/// Packages of each kind that is refused, and of each that is taken.
const EACH: usize = 50;
const EACH_TAKEN: usize = 40;
const SEED: u64 = 0x5ca1_ab1e;

const LENGTHS: &str = r#"{"Currencies": {"Symbol": 5}, "Units": {"UnitDescription": 10}, "CLM integration contract types": {"Description": 60}}"#;

struct Judges {
    checker: Checker,
    /// The same environment with a data project whose name has an apostrophe.
    apostrophe: Checker,
    schema: Schema,
    catalog: Arc<Catalog>,
}

impl Judges {
    fn new() -> Self {
        let settings = Settings {
            settings: format!(r#"{{"maxLengths": {LENGTHS}, "composites": {}}}"#, composites::DEFINITIONS),
            ..Settings::default()
        };
        let apostrophe = Settings { project: "Bob's".to_owned(), ..settings.clone() };
        let checker = Checker::new(settings).unwrap();
        let text = checker.schema();
        let catalog = Arc::new(Catalog::from_json(&text).unwrap());
        let all: serde_json::Value = serde_json::from_str(&text).unwrap();
        let references: HashSet<(String, String)> =
            Checker::references().iter().map(|it| (it.label.to_owned(), it.property.to_owned())).collect();
        let closed = checker.not_for_import();
        let fits = |entity: &&serde_json::Value| {
            let label = entity["label"].as_str().unwrap();
            let keys = entity["keys"].as_array().unwrap();
            let refers = |key: &serde_json::Value| {
                references.contains(&(label.to_owned(), key.as_str().unwrap_or_default().to_owned()))
            };
            !closed.iter().any(|it| it == label)
                && label != "Legal entities"
                && label != "CLM integration purchase agreement lines"
                && !keys.is_empty()
                && !keys.iter().any(refers)
        };
        let entities = all["entities"].as_array().unwrap().iter().filter(fits).cloned().collect();
        let schema = Schema { entities, all, references };
        Self { checker, apostrophe: Checker::new(apostrophe).unwrap(), schema, catalog }
    }

    fn sandbox(&self, package: &Package, bytes: Vec<u8>) -> Verdict {
        let checker = if package.project.contains('\'') { &self.apostrophe } else { &self.checker };
        checker.check(bytes, package.company)
    }

    fn doctor(&self, bytes: &[u8]) -> Vec<Diagnostic> {
        match LocalPackage::open_leniently(bytes, Limits::default(), Some(Arc::clone(&self.catalog))) {
            Ok(package) => package.diagnose().unwrap(),
            Err(error) => vec![refusal(&error)],
        }
    }

    fn repair(&self, bytes: &[u8]) -> Vec<u8> {
        let package =
            LocalPackage::open_leniently(bytes, Limits::default(), Some(Arc::clone(&self.catalog))).unwrap();
        let mut out = Vec::new();
        package
            .repair(|piece| {
                out.extend_from_slice(piece);
                Ok(())
            })
            .unwrap();
        out
    }
}

#[test]
fn every_code_of_an_error_has_a_kind() {
    // Errors against a whole schema only, or for some values only.
    let warnings = [
        "PKG-HEADER-VERSION",
        "PKG-LABEL-UNKNOWN",
        "PKG-FORMAT-UNKNOWN",
        "PKG-FIELD-UNKNOWN",
        "PKG-VALUE-ENUM",
    ];
    let of_kinds: HashSet<&str> = all()
        .filter_map(|(_, outcome, _)| match outcome {
            Outcome::Refused(code) => Some(*code),
            Outcome::Taken => None,
        })
        .collect();
    for code in Code::ALL {
        let info = code.info();
        let wanted = info.severity == Severity::Error || warnings.contains(&info.code);
        assert!(!wanted || of_kinds.contains(info.code), "{code} has no kind");
    }
}

#[derive(Default)]
struct Counts {
    taken: usize,
    refused: usize,
    repaired: usize,
}

#[test]
fn doctor_and_sandbox_agree() {
    let judges = Judges::new();
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut disagreements: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (number, (name, outcome, make)) in all().enumerate() {
        if let Ok(only) = std::env::var("DIFFERENTIAL_KIND")
            && !name.contains(&only)
        {
            continue;
        }
        if std::env::var_os("DIFFERENTIAL_TRACE").is_some() {
            eprintln!("{name}");
        }
        let cases = if *outcome == Outcome::Taken { EACH_TAKEN } else { EACH };
        for case in 0..cases {
            let mut random = Random::new(SEED + (number * 10_000 + case) as u64);
            let package = make(&mut random, &judges.schema);
            let bytes = package.bytes(&mut random);
            let counts = counts.entry(name).or_default();
            if let Err(reason) = judge(&judges, *outcome, &package, bytes, counts) {
                disagreements.entry(name).or_default().push(format!("case {case}: {reason}"));
            }
        }
    }
    let sum = |of: fn(&Counts) -> usize| counts.values().map(of).sum::<usize>();
    println!("{:<46} {:>6} {:>8} {:>9}", "kind", "taken", "refused", "repaired");
    for (name, _, _) in all() {
        let Some(count) = counts.get(name) else { continue };
        println!("{name:<46} {:>6} {:>8} {:>9}", count.taken, count.refused, count.repaired);
    }
    println!(
        "differential: {} packages of {} kinds, {} taken, {} refused or read short, {} taken after repair, {} disagreements",
        sum(|it| it.taken + it.refused),
        all().count(),
        sum(|it| it.taken),
        sum(|it| it.refused),
        sum(|it| it.repaired),
        disagreements.values().map(Vec::len).sum::<usize>()
    );
    for (name, reasons) in &disagreements {
        println!("\n{name}: {} of them, for example\n  {}", reasons.len(), reasons[0]);
    }
    let whole = std::env::var_os("DIFFERENTIAL_KIND").is_none();
    assert!(!whole || (sum(|it| it.taken) >= 1_000 && sum(|it| it.taken + it.refused) >= 5_000));
    assert!(disagreements.is_empty(), "{} kinds disagree", disagreements.len());
}

fn judge(
    judges: &Judges,
    outcome: Outcome,
    package: &Package,
    bytes: Vec<u8>,
    counts: &mut Counts,
) -> Result<(), String> {
    let found = judges.doctor(&bytes);
    let verdict = judges.sandbox(package, bytes.clone());
    let errors: Vec<&Diagnostic> = found.iter().filter(|it| it.severity == Severity::Error).collect();
    let told =
        || errors.iter().map(|it| format!("{}: {}", it.code, it.message)).collect::<Vec<_>>().join("; ");
    let taken = verdict.whole();
    if taken {
        counts.taken += 1
    } else {
        counts.refused += 1
    }
    if taken != errors.is_empty() {
        return Err(format!("the doctor says [{}], the sandbox {verdict:?}", told()));
    }
    match outcome {
        Outcome::Taken if !taken => return Err(format!("should be taken, but [{}], {verdict:?}", told())),
        Outcome::Refused(_) if taken => return Err("should be refused".to_owned()),
        Outcome::Refused(code) if !errors.iter().any(|it| it.code.as_str() == code) => {
            return Err(format!("no {code} among [{}]", told()));
        }
        _ => {}
    }
    if taken || errors.iter().any(|it| !it.repairable) {
        return Ok(());
    }
    let repaired = judges.sandbox(package, judges.repair(&bytes));
    let arrived: usize = repaired.entities.iter().map(|it| it.created + it.updated).sum();
    let expected = package.rows() + package.entities.iter().map(|it| it.further_rows()).sum::<usize>();
    if !repaired.whole() || arrived != expected {
        return Err(format!("repaired, of {expected} rows {arrived} arrived: [{}], {repaired:?}", told()));
    }
    counts.repaired += 1;
    Ok(())
}
