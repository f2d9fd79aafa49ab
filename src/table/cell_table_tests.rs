//! Every type of the catalogue × every kind of cell, one line each: what is written, written down by hand.

use std::collections::BTreeSet;

use super::cell::{CellKind, Target, convert};
use crate::catalog::{EdmType, builtin};

/// In the order of [`KINDS`]; none where the cell is refused.
type Line = [Option<&'static str>; 6];

/// Text, number, bigint, boolean, date, empty.
const KINDS: [(CellKind, &str); 6] = [
    (CellKind::Text, "abc"),
    (CellKind::Number, "1"),
    (CellKind::Bigint, "1"),
    (CellKind::Boolean, "true"),
    (CellKind::Date, "2026-01-31T00:00:00.000Z"),
    (CellKind::Empty, ""),
];

const ANY: Line = [Some("abc"), Some("1"), Some("1"), Some("Yes"), Some("2026-01-31"), Some("")];
const NUMBERS: Line = [Some("abc"), Some("1"), Some("1"), None, None, Some("")];
const TRUTH: Line = [Some("abc"), Some("1"), Some("1"), Some("Yes"), None, Some("")];
const DATES: Line = [Some("abc"), None, None, None, Some("2026-01-31"), Some("")];
const TEXT_ONLY: Line = [Some("abc"), None, None, None, None, Some("")];

/// No wildcard: a new type does not compile until its line is decided.
fn expected(edm: &EdmType) -> Line {
    match edm {
        EdmType::String => NUMBERS,
        EdmType::Boolean => TRUTH,
        EdmType::Int32 | EdmType::Int64 | EdmType::Decimal | EdmType::Double => NUMBERS,
        EdmType::DateTimeOffset => DATES,
        EdmType::Guid | EdmType::Binary => TEXT_ONLY,
        EdmType::Enum(name) if name == "NoYes" => TRUTH,
        EdmType::Enum(_) | EdmType::UnnamedEnum => NUMBERS,
        EdmType::Other(_) => ANY,
    }
}

fn check(edm: &EdmType) {
    let target = Target::of(edm, builtin());
    for ((kind, text), expected) in KINDS.into_iter().zip(expected(edm)) {
        let written = convert(kind, text, target, &mut String::new()).map(str::to_owned);
        match expected {
            Some(expected) => assert_eq!(written.as_deref(), Ok(expected), "{edm:?} ← {kind:?}"),
            None => {
                let fault = written.expect_err(&format!("{edm:?} ← {kind:?} must be refused"));
                assert!(!fault.message.is_empty() && !fault.hint.is_empty());
            }
        }
    }
}

#[test]
fn every_type_takes_what_its_line_says() {
    for name in [
        "Edm.String",
        "Edm.Boolean",
        "Edm.Int32",
        "Edm.Int64",
        "Edm.Decimal",
        "Edm.Double",
        "Edm.DateTimeOffset",
        "Edm.Guid",
        "Edm.Binary",
        "Microsoft.Dynamics.DataEntities.NoYes",
        "Microsoft.Dynamics.DataEntities.CLMContractStatus",
        "Enum",
        "Edm.Stream",
    ] {
        check(&EdmType::parse(name));
    }
}

#[test]
fn every_property_of_the_catalogue_has_a_type_with_a_line() {
    let mut seen = BTreeSet::new();
    for entity in builtin().entities() {
        for property in entity.properties.iter() {
            if seen.insert(format!("{:?}", property.edm)) {
                check(&property.edm);
            }
        }
    }
    assert!(seen.len() > 20, "all entities were looked at: {}", seen.len());
}

/// What differs within a type: bounds, fractions, exponents.
#[test]
fn numbers_have_the_bounds_of_their_type() {
    let int32 = ["2147483647", "-2147483648"];
    let int64 = ["9223372036854775807", "-9223372036854775808"];
    for (name, kind, text, fits) in [
        ("Edm.Int32", CellKind::Bigint, int32[0], true),
        ("Edm.Int32", CellKind::Bigint, int32[1], true),
        ("Edm.Int32", CellKind::Bigint, "2147483648", false),
        ("Edm.Int32", CellKind::Bigint, "-2147483649", false),
        ("Edm.Int64", CellKind::Bigint, int64[0], true),
        ("Edm.Int64", CellKind::Bigint, int64[1], true),
        ("Edm.Int64", CellKind::Bigint, "9223372036854775808", false),
        ("Edm.Int64", CellKind::Number, "9007199254740993", false),
        ("Edm.Int32", CellKind::Number, "0.5", false),
        ("Edm.Decimal", CellKind::Number, "0.5", true),
        ("Edm.Double", CellKind::Number, "-0.5", true),
        ("Edm.Boolean", CellKind::Number, "2", false),
        ("NoYes", CellKind::Bigint, "-1", false),
        ("Enum", CellKind::Number, "-1", false),
        ("Enum", CellKind::Bigint, "2147483648", false),
    ] {
        let target = Target::of(&EdmType::parse(name), builtin());
        let written = convert(kind, text, target, &mut String::new()).map(str::to_owned);
        assert_eq!(written.is_ok(), fits, "{name} ← {text}: {written:?}");
        if fits {
            assert_eq!(written.as_deref(), Ok(text));
        }
    }
}
