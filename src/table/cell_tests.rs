use super::*;
use crate::catalog::builtin;

fn written(kind: CellKind, text: &str, target: Target) -> Result<String, CellFault> {
    convert(kind, text, target, &mut String::new()).map(str::to_owned)
}

fn refused(kind: CellKind, text: &str, target: Target) -> String {
    written(kind, text, target).unwrap_err().message
}

#[test]
fn texts_pass_as_they_are() {
    for target in [Target::Text, Target::NoYes, Target::Int32, Target::Date, Target::Unknown] {
        assert_eq!(written(CellKind::Text, " tru\te\u{1}", target).unwrap(), " tru\te\u{1}");
    }
    assert!(refused(CellKind::Text, "a\0b", Target::Text).contains("NUL"));
}

#[test]
fn booleans_are_yes_and_no() {
    assert_eq!(written(CellKind::Boolean, "true", Target::NoYes).unwrap(), "Yes");
    assert_eq!(written(CellKind::Boolean, "false", Target::Unknown).unwrap(), "No");
    for target in [Target::Text, Target::Enum, Target::Int32, Target::Real, Target::Date, Target::TextOnly] {
        assert!(refused(CellKind::Boolean, "true", target).contains("true or false"));
    }
    refused(CellKind::Boolean, "yes", Target::NoYes);
}

#[test]
fn numbers_are_plain_digits_within_the_range_of_the_field() {
    assert_eq!(written(CellKind::Number, "1e+21", Target::Real).unwrap(), "1000000000000000000000");
    assert_eq!(written(CellKind::Number, "12.5", Target::Text).unwrap(), "12.5");
    assert_eq!(written(CellKind::Number, "2147483647", Target::Int32).unwrap(), "2147483647");
    assert!(refused(CellKind::Number, "2147483648", Target::Int32).contains("out of range"));
    assert!(refused(CellKind::Number, "1.5", Target::Int32).contains("whole"));
    assert_eq!(written(CellKind::Number, "9007199254740992", Target::Int64).unwrap(), "9007199254740992");
    assert!(refused(CellKind::Number, "9007199254740994", Target::Int64).contains("exactly"));
    assert_eq!(written(CellKind::Number, "1", Target::NoYes).unwrap(), "1");
    refused(CellKind::Number, "2", Target::NoYes);
    refused(CellKind::Number, "-1", Target::Enum);
    assert_eq!(written(CellKind::Number, "13", Target::Enum).unwrap(), "13");
    for text in ["NaN", "Infinity", "-Infinity"] {
        assert!(refused(CellKind::Number, text, Target::Real).contains("finite"));
    }
    assert!(refused(CellKind::Number, "45000", Target::Date).contains("a date"));
}

#[test]
fn bigints_keep_every_digit() {
    assert_eq!(
        written(CellKind::Bigint, "9223372036854775807", Target::Int64).unwrap(),
        "9223372036854775807"
    );
    assert!(refused(CellKind::Bigint, "9223372036854775808", Target::Int64).contains("out of range"));
    assert_eq!(
        written(CellKind::Bigint, "-12345678901234567890", Target::Real).unwrap(),
        "-12345678901234567890"
    );
    refused(CellKind::Bigint, "1.0", Target::Real);
    refused(CellKind::Bigint, "-", Target::Real);
}

#[test]
fn dates_lose_neither_day_nor_time() {
    let date = |text: &str| written(CellKind::Date, text, Target::Date);
    assert_eq!(date("2026-01-31T00:00:00.000Z").unwrap(), "2026-01-31");
    assert_eq!(date("2026-01-31T12:00:00.000Z").unwrap(), "2026-01-31T12:00:00");
    assert_eq!(date("2026-01-31T23:59:59.999Z").unwrap(), "2026-01-31T23:59:59");
    assert_eq!(date("2026-01-31T00:00:00.001Z").unwrap(), "2026-01-31T00:00:00");
    for text in [
        "+010000-01-01T00:00:00.000Z",
        "-000001-01-01T00:00:00.000Z",
        "0000-01-01T00:00:00.000Z",
        "2026-01-31",
        "",
    ] {
        refused(CellKind::Date, text, Target::Date);
    }
    refused(CellKind::Date, "2026-01-31T00:00:00.000Z", Target::Text);
}

#[test]
fn empty_is_nothing_for_every_type() {
    for target in [Target::Text, Target::Int32, Target::Date, Target::NoYes] {
        assert_eq!(written(CellKind::Empty, "", target).unwrap(), "");
    }
    refused(CellKind::Empty, "x", Target::Text);
}

#[test]
fn targets_come_from_the_catalogue() {
    let target = |entity: &str, property: &str| {
        Target::of(&builtin().find(entity).unwrap().property(property).unwrap().edm, builtin())
    };
    assert_eq!(target("CLMIntegrationContracts", "AmendmentInProcess"), Target::NoYes);
    assert_eq!(target("CLMIntegrationContracts", "ContractStatus"), Target::Enum);
    assert_eq!(target("CLMIntegrationContracts", "EffectiveDate"), Target::Date);
    assert_eq!(target("CLMIntegrationPurchaseAgreementLines", "LineNumber"), Target::Real);
    assert_eq!(target("CLMIntegrationExternalNavigationLinks", "NavigationType"), Target::Enum);
}

#[test]
fn long_values_are_shown_cut() {
    let message = refused(CellKind::Number, &"9".repeat(200).replace('9', "x"), Target::Real);
    assert!(message.len() < 100 && message.contains('…'));
}

#[test]
fn numbers_of_the_boundary() {
    let kinds = [
        CellKind::Text,
        CellKind::Number,
        CellKind::Bigint,
        CellKind::Boolean,
        CellKind::Date,
        CellKind::Empty,
    ];
    for (number, kind) in (0u8..).zip(kinds) {
        assert_eq!(CellKind::from_u8(number), Some(kind));
    }
    assert_eq!(CellKind::from_u8(6), None);
}

#[test]
fn typed_cells_of_workbooks_become_texts() {
    let number = |text| stored(Stored::Number(text)).unwrap();
    assert_eq!(number("12.50"), "12.5");
    assert_eq!(number("1.1000000000000001"), "1.1");
    assert_eq!(number("1E+21"), "1000000000000000000000");
    assert_eq!(number("1.5E-7"), "0.00000015");
    assert_eq!(number("9223372036854775807"), "9223372036854775807", "every digit is kept");
    assert_eq!(number("-0.0"), "0");
    for text in ["", "x", "NaN", "inf", "1,5", "1e999"] {
        stored(Stored::Number(text)).unwrap_err();
    }
    assert_eq!(stored(Stored::Boolean(true)).unwrap(), "Yes");
    assert_eq!(stored(Stored::Boolean(false)).unwrap(), "No");
}

#[test]
fn dates_of_workbooks_are_counted_in_days() {
    let date = |number| stored(Stored::Days { number, from_1904: false });
    for (number, text) in [
        ("1", "1900-01-01"),
        ("59", "1900-02-28"),
        ("61", "1900-03-01"),
        ("25569", "1970-01-01"),
        ("36585", "2000-02-29"),
        ("46053", "2026-01-31"),
        ("46053.5", "2026-01-31T12:00:00"),
        ("46053.999988425923", "2026-01-31T23:59:59"),
        ("46053.9999999", "2026-02-01"),
        ("2958465", "9999-12-31"),
        ("0.75", "18:00:00"),
        ("0", "00:00:00"),
    ] {
        assert_eq!(date(number).as_deref(), Ok(text), "{number}");
    }
    for number in ["60", "-1", "2958466", "1e300", "NaN", "x"] {
        assert!(date(number).is_err(), "{number}");
    }
    let date = |number| stored(Stored::Days { number, from_1904: true }).unwrap();
    assert_eq!(date("0"), "1904-01-01");
    assert_eq!(date("44591"), "2026-01-31");
}

#[test]
fn what_is_read_from_a_workbook_can_be_written_again() {
    // The forms of reading are those of writing: as text, they pass for the type that they came from.
    for (cell, kind, given) in [
        (Stored::Number("1E3"), CellKind::Number, "1000"),
        (Stored::Boolean(true), CellKind::Boolean, "true"),
        (Stored::Days { number: "46053", from_1904: false }, CellKind::Date, "2026-01-31T00:00:00.000Z"),
        (Stored::Days { number: "46053.5", from_1904: false }, CellKind::Date, "2026-01-31T12:00:00.000Z"),
    ] {
        assert_eq!(stored(cell).unwrap(), written(kind, given, Target::Unknown).unwrap());
    }
}
