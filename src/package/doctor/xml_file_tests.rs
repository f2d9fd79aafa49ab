use std::sync::Arc;

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

fn composite(format: SourceFormat, columns: &[&str]) -> Subject {
    let map = |name: &&str| ColumnMap {
        column: (*name).into(),
        field: (*name).into(),
        filled: *name == "NUMBERED",
        plain: true,
    };
    Subject {
        label: "Orders composite".into(),
        maps: columns.iter().map(map).collect(),
        rules: None,
        composite: true,
        ..subject(format)
    }
}

type Found = Vec<(&'static str, Severity, Option<String>)>;

fn of_composite(format: SourceFormat, columns: &[&str], body: &str) -> Found {
    let found = examine(&composite(format, columns), format!("<Document>{body}</Document>").as_bytes());
    found.iter().map(|it| (it.code.as_str(), it.severity, it.column.clone())).collect()
}

const ORDER: [&str; 3] = ["ID", "NO", "ITEM"];

// Kills mutants of what counts as an element of a member, as a row of it, and as a field of the file.
#[test]
fn a_composite_has_every_member_and_every_mapped_field() {
    let missing = |column: &str| ("PKG-COMPOSITE-MEMBER", Severity::Error, Some(column.to_owned()));
    let alone = ("PKG-COMPOSITE-MEMBER", Severity::Warning, None);
    let no_row = ("PKG-NO-ROW", Severity::Error, None);
    let cases: [(&str, &[&str], Found); 13] = [
        ("<O ID='1'><L NO='1' ITEM='a'/></O>", &ORDER, vec![]),
        // A later record has what the first one lacks.
        ("<O ID='1'><L NO='1'/></O><O ID='2'><L NO='1' ITEM='a'/></O>", &ORDER, vec![]),
        // Three levels.
        ("<O ID='1'><L NO='1'><C ITEM='a'/></L></O>", &ORDER, vec![]),
        // An empty element stands for the member, with or without its fields.
        ("<O ID='1'><L/></O>", &ORDER, vec![]),
        ("<O ID='1'><L NO=''/></O>", &ORDER, vec![]),
        // No element of the member.
        ("<O ID='1'/>", &ORDER, vec![missing("NO"), missing("ITEM")]),
        ("<O ID='1'/><O ID='2'/>", &["ID"], vec![alone.clone()]),
        // The member has rows, but not the field.
        ("<O ID='1'><L NO='1'/></O>", &ORDER, vec![missing("ITEM")]),
        ("<O ID='1'><L NO=''><C ITEM='a'/></L></O>", &["ID", "NO", "ITEM", "X"], vec![missing("X")]),
        ("<O ID='1'><L NO='1' ITEM='a'/></O>", &["ID", "NO", "ITEM", "X", "X"], vec![missing("X")]),
        // What the service fills may lack.
        ("<O ID='1'><L NO='1' ITEM='a'/></O>", &["ID", "NO", "ITEM", "NUMBERED"], vec![]),
        ("", &ORDER, vec![no_row.clone()]),
        ("<O ID=''/>", &ORDER, vec![no_row]),
    ];
    for (body, columns, expected) in cases {
        assert_eq!(of_composite(SourceFormat::XmlAttribute, columns, body), expected, "{body}");
    }
    let elements = "<O><ID>1</ID><L><NO>1</NO></L><L><NO>2</NO><ITEM>a</ITEM></L></O>";
    assert_eq!(of_composite(SourceFormat::XmlElement, &ORDER, elements), []);
    assert_eq!(of_composite(SourceFormat::XmlElement, &["ID"], "<O><ID>1</ID></O>"), [alone]);
    assert_eq!(of_composite(SourceFormat::XmlElement, &ORDER, "<O><ID>1</ID><L/></O>"), []);
}

#[test]
fn nesting_of_a_composite_that_makes_no_sense() {
    let code = |format, body: &str| {
        let found = of_composite(format, &ORDER, body);
        assert_eq!(found.len(), 1, "{body}: {found:?}");
        assert_eq!(found[0].1, Severity::Error);
        found[0].0
    };
    use SourceFormat::{XmlAttribute, XmlElement};
    let line = "<L><NO>1</NO><ITEM>a</ITEM></L>";
    assert_eq!(code(XmlAttribute, "<O ID='1'><L NO='1' QTY='2'/></O>"), "PKG-COLUMN-UNMAPPED");
    assert_eq!(code(XmlElement, &format!("<O><ID>1</ID><QTY>2</QTY>{line}</O>")), "PKG-COLUMN-UNMAPPED");
    assert_eq!(
        code(XmlElement, &format!("<O>{line}<ID>1</ID></O>")),
        "PKG-XML-RECORD",
        "the fields come first"
    );
    assert_eq!(code(XmlElement, &format!("<O><ID>1</ID><ID>2</ID>{line}</O>")), "PKG-COLUMN-TWICE");
    // Another element at the root is no record.
    assert_eq!(code(XmlAttribute, "<O ID='1'><L NO='1' ITEM='a'/></O><P ID='2'/>"), "PKG-XML-RECORD");
    assert_eq!(code(XmlAttribute, "<O ID='1'><L NO='1'></O></L>"), "PKG-XML-MALFORMED");
    // An entity that is none of the composites has no records in records.
    let flat = Subject { composite: false, ..composite(XmlElement, &ORDER) };
    let found = examine(&flat, format!("<Document><O><ID>1</ID>{line}</O></Document>").as_bytes());
    let codes: Vec<Code> = found.iter().map(|it| it.code).collect();
    assert_eq!(codes, [Code::XmlFieldMissing, Code::XmlRecord]);
}
