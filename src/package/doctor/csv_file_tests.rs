use std::sync::Arc;

use super::super::codes::Severity;
use super::super::subject::{ColumnMap, EntityRules, Schema};
use super::*;

fn subject(label: &str, columns: &[&str], format: SourceFormat) -> Subject {
    let schema = Schema::default();
    let rules = schema.catalog().label(label).map(|it| Arc::new(EntityRules::of(it, schema.catalog())));
    Subject {
        label: label.into(),
        file: format!("{label}.csv"),
        format,
        sheet: String::new(),
        maps: columns
            .iter()
            .map(|name| ColumnMap {
                column: (*name).to_owned(),
                field: (*name).to_owned(),
                filled: false,
                plain: true,
            })
            .collect(),
        rules,
        whole_schema: false,
        composite: false,
    }
}

fn examine(subject: &Subject, bytes: &[u8]) -> (Vec<Diagnostic>, CsvFacts) {
    let run = |size: usize| {
        let mut report = Report::default();
        let mut file = CsvFile::new(&subject.format);
        loop {
            for piece in bytes.chunks(size) {
                if !file.push(piece, subject, &mut report) {
                    break;
                }
            }
            if file.end_of_file(subject, &mut report) == Next::Done {
                return (report.finish(), file.into_facts());
            }
        }
    };
    let whole = run(bytes.len().max(1));
    assert_eq!(run(1), whole, "byte by byte");
    assert_eq!(run(3), whole, "three at a time");
    whole
}

fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn found(bytes: &[u8]) -> Vec<(&'static str, Option<u64>)> {
    let subject = subject("Currencies", &["CURRENCYCODE", "NAME"], SourceFormat::CsvUnicode);
    examine(&subject, bytes).0.iter().map(|it| (it.code.as_str(), it.line)).collect()
}

fn found_csv(bytes: &[u8]) -> Vec<(&'static str, bool)> {
    let subject = subject("Currencies", &["CURRENCYCODE", "NAME"], SourceFormat::Csv);
    examine(&subject, bytes).0.iter().map(|it| (it.code.as_str(), it.repairable)).collect()
}

const GOOD: &str = "CURRENCYCODE,NAME\r\nEUR,Euro\r\nUSD,\"Dollar, US\"\r\n";

#[test]
fn a_good_file_has_no_findings() {
    assert_eq!(found(&utf16(GOOD)), []);
    assert_eq!(found(&utf16("NAME,CURRENCYCODE\r\nEuro,EUR\r\n\r\n")), [], "blank lines at the end");
    assert_eq!(found_csv(b"CURRENCYCODE,NAME\r\nEUR,Euro \x80\r\n"), []);
}

// Kills mutants in the table of encodings.
#[test]
fn encodings_are_told_apart() {
    let swapped: Vec<u8> = utf16(GOOD).as_chunks::<2>().0.iter().flat_map(|[a, b]| [*b, *a]).collect();
    assert_eq!(found(GOOD.as_bytes()), [("PKG-UTF8-IN-UNICODE", None)]);
    assert_eq!(found(format!("\u{feff}{GOOD}").as_bytes()), [("PKG-UTF8-IN-UNICODE", None)]);
    assert_eq!(found(&utf16(GOOD)[2..]), [("PKG-UNICODE-NO-BOM", None)]);
    assert_eq!(found(&swapped), [("PKG-UTF16BE-IN-UNICODE", None)]);
    assert_eq!(found(b"CURRENCYCODE,NAME\r\nEUR,Z\xeb\r\n")[0], ("PKG-ANSI-IN-UNICODE", Some(2)));
    let mut cut = utf16(GOOD);
    cut.extend([0, 0xdc]);
    assert_eq!(found(&cut)[0], ("PKG-UNDECODABLE", Some(4)));
    assert_eq!(found_csv("CURRENCYCODE,NAME\r\nEUR,Zoë\r\n".as_bytes()), [("PKG-CSV-UTF8", false)]);
    assert_eq!(found_csv(format!("\u{feff}{GOOD}").as_bytes()), [("PKG-CSV-UTF8-BOM", true)]);
    assert_eq!(
        found_csv("\u{feff}CURRENCYCODE,NAME\r\nPLN,Złoty\r\n".as_bytes()),
        [("PKG-CSV-UTF8-BOM", false)]
    );
    assert_eq!(found_csv(&utf16(GOOD)), [("PKG-CSV-UTF16", true)]);
}

#[test]
fn every_pitfall_of_the_layout_has_its_code_and_line() {
    type Case = (&'static str, &'static [(&'static str, Option<u64>)]);
    let cases: [Case; 14] = [
        ("", &[("PKG-CSV-NO-HEADER", None)]),
        ("CURRENCYCODE,NAME\r\n", &[("PKG-NO-ROW", None)]),
        ("\r\nCURRENCYCODE,NAME\r\nEUR,Euro\r\n", &[("PKG-CSV-BLANK-LINE", Some(1))]),
        ("CURRENCYCODE,NAME\r\nEUR,Euro\r\n\r\nUSD,Dollar\r\n", &[("PKG-CSV-BLANK-LINE", Some(3))]),
        ("CURRENCYCODE,NAME\r\nEUR,Euro\nUSD,Dollar\r\n", &[("PKG-CSV-LINE-FEED", Some(2))]),
        (
            "CURRENCYCODE,NAME\r\nEUR\r\nUSD,Dollar,x\r\n",
            &[("PKG-CSV-RAGGED", Some(2)), ("PKG-CSV-RAGGED", Some(3))],
        ),
        ("CURRENCYCODE,NAME\r\nEUR,\"Eu\"ro\r\n", &[("PKG-CSV-QUOTING", Some(2))]),
        ("CURRENCYCODE,NAME\r\nEUR,Euro", &[("PKG-CSV-FINAL-LINE-END", Some(2))]),
        ("CURRENCYCODE,NAME\r\nEUR,Eu\0ro\r\n", &[("PKG-NUL", Some(2))]),
        ("CURRENCYCODE\r\nEUR\r\n", &[("PKG-COLUMN-MISSING", None)]),
        ("CURRENCYCODE,NAME,SYMBOL\r\nEUR,Euro,E\r\n", &[("PKG-COLUMN-UNMAPPED", Some(1))]),
        ("CurrencyCode,NAME\r\nEUR,Euro\r\n", &[("PKG-COLUMN-CASE", Some(1))]),
        (
            "CURRENCYCODE,NAME,NAME\r\nEUR,Euro,x\r\n",
            &[("PKG-COLUMN-TWICE", Some(1)), ("PKG-MAP-FIELD-TWICE", None)],
        ),
        (
            "CURRENCYCODE,NAME\r\nEUR,Euro\r\n,x\r\neur ,Euro\r\n",
            &[("PKG-KEY-EMPTY", Some(3)), ("PKG-KEY-DUPLICATE", Some(4))],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(found(&utf16(text)), expected, "{text:?}");
    }
}

#[test]
fn values_are_held_against_the_types_of_the_fields() {
    let columns =
        ["CURRENCYCODE", "GENERALROUNDINGRULE", "REFERENCECURRENCYFORTRIANGULATION", "CURRENCYGENDER"];
    let subject = subject("Currencies", &columns, SourceFormat::CsvUnicode);
    let text =
        format!("{}\r\nEUR,0.01,Yes,\r\nUSD,1,5,No,x\r\nGBP,\"1,5\",Perhaps,No\r\n", columns.join(","));
    let (found, facts) = examine(&subject, &utf16(&text));
    let seen: Vec<_> = found.iter().map(|it| (it.code.as_str(), it.line, it.column.as_deref())).collect();
    assert_eq!(seen[0], ("PKG-CSV-RAGGED", Some(3), None));
    assert!(seen.contains(&("PKG-VALUE-TYPE", Some(4), Some("GENERALROUNDINGRULE"))));
    assert!(seen.contains(&("PKG-VALUE-TYPE", Some(4), Some("REFERENCECURRENCYFORTRIANGULATION"))));
    let bad =
        found.iter().find(|it| it.column.as_deref() == Some("GENERALROUNDINGRULE") && it.line == Some(4));
    assert_eq!(bad.unwrap().message, "\"1,5\" is not a decimal number");
    assert_eq!(facts.header.unwrap(), columns);
}

#[test]
fn twenty_of_a_kind_are_told_then_their_number() {
    let subject = subject("Currencies", &["CURRENCYCODE", "GENERALROUNDINGRULE"], SourceFormat::CsvUnicode);
    let mut text = "CURRENCYCODE,GENERALROUNDINGRULE\r\n".to_owned();
    for i in 0..30 {
        text.push_str(&format!("C{i},one{}\r\n", "x".repeat(100)));
    }
    let (found, _) = examine(&subject, &utf16(&text));
    assert_eq!(found.len(), 21);
    assert_eq!(found[19].line, Some(21));
    assert!(found[20].message.starts_with("30 such findings in all"), "{}", found[20].message);
    assert!(found[0].message.len() < 80, "{}", found[0].message);
}

#[test]
fn columns_are_held_against_the_schema() {
    let subject = subject(
        "CLM integration purchase agreement lines",
        &["PURCHASEAGREEMENTID", "LINENUMBR", "DATAAREAID"],
        SourceFormat::CsvUnicode,
    );
    let (found, _) = examine(&subject, &utf16("PURCHASEAGREEMENTID,LINENUMBR,DATAAREAID\r\n1,1,usmf\r\n"));
    let seen: Vec<_> = found.iter().map(|it| (it.code.as_str(), it.column.as_deref(), it.severity)).collect();
    assert_eq!(
        seen,
        [
            ("PKG-FIELD-UNKNOWN", Some("LINENUMBR"), Severity::Warning),
            ("PKG-COMPANY-COLUMN", Some("DATAAREAID"), Severity::Error),
            ("PKG-KEY-MISSING", Some("LINENUMBER"), Severity::Error),
        ]
    );
    assert!(found[0].hint.contains("LINENUMBER"));
    let tenant = Subject { whole_schema: true, ..subject };
    let (found, _) = examine(&tenant, &utf16("PURCHASEAGREEMENTID,LINENUMBR,DATAAREAID\r\n1,1,x\r\n"));
    assert_eq!((found[0].code, found[0].severity), (Code::FieldUnknown, Severity::Error));
}
