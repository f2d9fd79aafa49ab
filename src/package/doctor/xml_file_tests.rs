use std::sync::Arc;

use super::super::codes::Severity;
use super::super::subject::{ColumnMap, EntityRules, Schema};
use super::*;

fn subject(format: SourceFormat) -> Subject {
    let schema = Schema::default();
    let entity = schema.catalog().label("Currencies").unwrap();
    let map = |name: &str| ColumnMap { column: name.into(), field: name.into(), filled: false, plain: true };
    Subject {
        label: "Currencies".into(),
        file: "Currencies.xml".into(),
        format,
        sheet: String::new(),
        maps: vec![map("CURRENCYCODE"), map("NAME"), map("GENERALROUNDINGRULE")],
        rules: Some(Arc::new(EntityRules::of(entity, schema.catalog()))),
        whole_schema: false,
        composite: false,
    }
}

fn examine(subject: &Subject, bytes: &[u8]) -> Vec<Diagnostic> {
    let run = |size: usize| {
        let mut report = Report::default();
        let mut file = XmlFile::new(subject);
        loop {
            for piece in bytes.chunks(size) {
                if !file.push(piece, subject, &mut report) {
                    break;
                }
            }
            if file.end_of_file(subject, &mut report) == Next::Done {
                return report.finish();
            }
        }
    };
    let whole = run(bytes.len().max(1));
    assert_eq!(run(1), whole, "byte by byte");
    whole
}

fn found(text: &str) -> Vec<(&'static str, Option<u64>)> {
    let found = examine(&subject(SourceFormat::XmlElement), text.as_bytes());
    found.iter().map(|it| (it.code.as_str(), it.line)).collect()
}

fn currency(fields: &str) -> String {
    format!("<CURRENCYENTITY>{fields}</CURRENCYENTITY>")
}

const EUR: &str =
    "<CURRENCYCODE>EUR</CURRENCYCODE><NAME>Euro</NAME><GENERALROUNDINGRULE>0.01</GENERALROUNDINGRULE>";

fn document(records: &[String]) -> String {
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Document>\n{}\n</Document>\n", records.join("\n"))
}

#[test]
fn good_files_have_no_findings() {
    assert_eq!(found(&document(&[currency(EUR), currency(&EUR.replace("EUR", "USD"))])), []);
    let attributes =
        "<Document><CURRENCYENTITY CURRENCYCODE=\"EUR\" NAME=\"\" GENERALROUNDINGRULE=\"1\"/></Document>";
    assert_eq!(examine(&subject(SourceFormat::XmlAttribute), attributes.as_bytes()), []);
}

// Kills mutants in the table of codes, and in what is told of each record.
#[test]
fn every_fault_has_its_code_and_line() {
    let eur = || currency(EUR);
    type Case = (String, &'static [(&'static str, Option<u64>)]);
    let cases: [Case; 14] = [
        (document(&[]), &[("PKG-NO-ROW", None)]),
        ("<Document>".into(), &[("PKG-XML-MALFORMED", Some(1))]),
        (
            document(&[eur(), "<CURRENCYENTITY><NAME>x</CURRENCYENTITY>".into()]),
            &[("PKG-XML-MALFORMED", Some(4))],
        ),
        (format!("<!DOCTYPE a>{}", "<Document/>"), &[("PKG-XML-DOCTYPE", Some(1))]),
        (document(&[currency(&EUR.replace("Euro", "a\u{1}"))]), &[("PKG-XML-CHARACTER", Some(3))]),
        (format!("<Root>{}</Root>", eur()), &[("PKG-XML-RECORD", Some(1))]),
        (document(&[eur().replace("CURRENCYENTITY", "CURRENCY")]), &[("PKG-XML-RECORD", Some(3))]),
        (
            document(&[eur(), currency("<CURRENCYCODE>USD</CURRENCYCODE><NAME/>")]),
            &[("PKG-XML-FIELD-MISSING", Some(4))],
        ),
        (
            document(&[currency("<CURRENCYCODE>USD</CURRENCYCODE><NAME/>")]),
            &[("PKG-XML-FIELD-MISSING", Some(3)), ("PKG-COLUMN-MISSING", None)],
        ),
        (document(&[currency(&format!("{EUR}<SYMBOL>e</SYMBOL>"))]), &[("PKG-COLUMN-UNMAPPED", Some(3))]),
        (document(&[currency(&EUR.replace("0.01", "0,01"))]), &[("PKG-VALUE-TYPE", Some(3))]),
        (document(&[eur(), eur()]), &[("PKG-KEY-DUPLICATE", Some(4))]),
        (document(&[currency(&EUR.replace("EUR", ""))]), &[("PKG-KEY-EMPTY", Some(3))]),
        (document(&[currency(&format!("{EUR}<LINE><NAME>x</NAME></LINE>"))]), &[("PKG-XML-RECORD", Some(3))]),
    ];
    for (text, expected) in cases {
        assert_eq!(found(&text), expected, "{text}");
    }
    let found = examine(&subject(SourceFormat::XmlElement), b"<Document>\xff</Document>");
    assert_eq!(found[0].code, Code::Undecodable);
    let missing = examine(
        &subject(SourceFormat::XmlElement),
        document(&[currency(EUR), currency("<CURRENCYCODE>USD</CURRENCYCODE><NAME/>")]).as_bytes(),
    );
    assert_eq!(missing[0].severity, Severity::Warning, "the file has the field, only this record lacks it");
}
