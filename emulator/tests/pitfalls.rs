//! The rules of the package format and its pitfall list (numbers in comments), one by one, without a server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::io::{Cursor, Write as _};

use common::{entity, header, manifest, maps, package, package_of, unicode, zip};
use d365_sandbox::check::{Checker, Settings, Verdict};
use zip::write::SimpleFileOptions;

const COLUMNS: [&str; 2] = ["CURRENCYCODE", "NAME"];
const GOOD: &str = "CURRENCYCODE,NAME\r\nEUR,Euro\r\nUSD,Dollar\r\n";

fn check(bytes: Vec<u8>) -> Verdict {
    Checker::new(Settings::default()).unwrap().check(bytes, "usmf")
}

fn with(settings: &str, bytes: Vec<u8>) -> Verdict {
    let settings = Settings { settings: settings.to_owned(), ..Settings::default() };
    Checker::new(settings).unwrap().check(bytes, "usmf")
}

/// A package of these parts; the data in `data.csv`.
fn parts(data: &[u8], manifest: &str, header: &str) -> Vec<u8> {
    zip(&[
        ("data.csv", data),
        ("Manifest.xml", manifest.as_bytes()),
        ("PackageHeader.xml", header.as_bytes()),
    ])
}

fn block(inner: &str) -> String {
    manifest(&format!("<DataManagementPackageEntityData>{inner}</DataManagementPackageEntityData>"))
}

fn currencies() -> String {
    manifest(&entity("Currencies", "data.csv", "CSV-Unicode", &maps(&COLUMNS), 1))
}

#[track_caller]
fn whole(name: &str, verdict: &Verdict, rows: usize) {
    assert!(verdict.whole(), "{name}: {verdict:?}");
    assert_eq!(verdict.entities.iter().map(|entity| entity.created).sum::<usize>(), rows, "{name}");
}

#[track_caller]
fn refused(name: &str, verdict: &Verdict, words: &str) {
    let found = verdict.refused.as_deref().unwrap_or_default();
    assert!(found.contains(words), "{name}: {verdict:?}");
    assert!(!verdict.whole(), "{name}");
}

/// The whole file is refused in the run, with these words, and nothing arrives.
#[track_caller]
fn failed(name: &str, verdict: &Verdict, words: &str) {
    assert_eq!(verdict.refused, None, "{name}");
    assert_eq!(verdict.status, "Failed", "{name}: {verdict:?}");
    assert!(verdict.messages[0].text.contains(words), "{name}: {verdict:?}");
    assert_eq!((verdict.entities[0].staged, verdict.entities[0].created), (0, 0), "{name}");
    assert!(!verdict.whole(), "{name}");
}

#[test]
fn a_good_package_arrives_whole_and_each_is_forgotten() {
    let checker = Checker::new(Settings::default()).unwrap();
    for _ in 0..3 {
        let verdict = checker.check(package("Currencies", &COLUMNS, GOOD), "USMF");
        whole("good", &verdict, 2);
        let entity = &verdict.entities[0];
        assert_eq!(
            (entity.label.as_str(), entity.rows, entity.staged, entity.updated),
            ("Currencies", 2, 2, 0)
        );
    }
    refused(
        "company",
        &checker.check(package("Currencies", &COLUMNS, GOOD), "xxxx"),
        "Target legal entity is not valid",
    );
}

// 1
#[test]
fn without_maps_nothing_is_read_and_nothing_said() {
    let rest = "<EntityName>Currencies</EntityName><InputFilePath>data.csv</InputFilePath><SourceFormat>CSV-Unicode</SourceFormat>";
    for maps in ["", "<EntityMapList />", "<EntityMapList i:nil=\"true\" />"] {
        let verdict = check(parts(&unicode(GOOD), &block(&format!("{maps}{rest}")), &header()));
        assert_eq!((verdict.status.as_str(), verdict.entities.len()), ("Succeeded", 0), "{maps}");
        assert!(verdict.messages.is_empty());
        // Only the file tells: two rows that nobody read.
        assert_eq!(verdict.unread, [("data.csv".to_owned(), 2)], "{maps}");
        assert!(!verdict.whole());
    }
}

// 2
#[test]
fn labels_are_labels() {
    for label in ["Currency", "CurrencyEntity", "CURRENCIES", "Currencies "] {
        refused(
            label,
            &check(package(label, &COLUMNS, GOOD)),
            &format!("Entity {label} does not exist in the target environment"),
        );
    }
    let twice = entity("Currencies", "data.csv", "CSV-Unicode", &maps(&COLUMNS), 1);
    let twice = parts(&unicode(GOOD), &manifest(&format!("{twice}{twice}")), &header());
    refused("one label twice", &check(twice), "DMF1966");
}

// 3, and section 5.1
#[test]
fn csv_unicode_is_utf_16_with_mark_and_crlf() {
    let raw = |data: &[u8]| check(package_of("Currencies", "CSV-Unicode", &COLUMNS, data));
    failed("UTF-8", &raw(GOOD.as_bytes()), "Selected file is not Unicode");
    failed(
        "UTF-8 with mark",
        &raw(&[b"\xEF\xBB\xBF", GOOD.as_bytes()].concat()),
        "Selected file is not Unicode",
    );
    failed("no mark", &raw(&unicode(GOOD)[2..]), "Selected file is not Unicode");
    let big: Vec<u8> = unicode(GOOD).chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    failed("big endian", &raw(&big), "Selected file is not Unicode");
    failed("odd length", &raw(&[unicode(GOOD), vec![0x41]].concat()), "Selected file is not Unicode");
    let lf = GOOD.replace("\r\n", "\n");
    refused(
        "LF",
        &check(package("Currencies", &COLUMNS, &lf)),
        "the mapping is incorrect for entity Currencies and field {",
    );
    failed("CR", &check(package("Currencies", &COLUMNS, &GOOD.replace("\r\n", "\r"))), "DMF2022");
    whole(
        "line break in quotes",
        &check(package("Currencies", &COLUMNS, "CURRENCYCODE,NAME\r\nEUR,\"a\nb\"\r\n")),
        1,
    );
    whole("no end of the last line", &check(package("Currencies", &COLUMNS, GOOD.trim_end())), 2);
}

// Section 5: CSV in the ANSI code page
#[test]
fn csv_is_ansi() {
    let raw = |data: &[u8]| check(package_of("Currencies", "CSV", &COLUMNS, data));
    whole("Windows-1252", &raw(b"CURRENCYCODE,NAME\r\nEUR,\x80\r\n"), 1);
    failed("UTF-8 with mark", &raw(&[b"\xEF\xBB\xBF", GOOD.as_bytes()].concat()), "DMF2022");
    // Between carriage return and line feed is a zero byte, so that no line ends.
    refused("UTF-16", &raw(&unicode(GOOD)), "the mapping is incorrect");
    for name in ["CSV-UTF8", "csv", ""] {
        failed(
            name,
            &check(package_of("Currencies", name, &COLUMNS, GOOD.as_bytes())),
            "does not exist in this environment",
        );
    }
}

// 4
#[test]
fn a_wrong_namespace_is_not_recognised() {
    let wrong = |text: &str| text.replace("dynamics/2015", "dynamics/2016");
    for (manifest, header) in [(wrong(&currencies()), header()), (currencies(), wrong(&header()))] {
        let verdict = check(parts(&unicode(GOOD), &manifest, &header));
        assert_eq!((verdict.status.as_str(), verdict.entities.len()), ("Succeeded", 0));
        assert_eq!(verdict.unread, [("data.csv".to_owned(), 2)]);
        assert!(!verdict.whole());
    }
}

// 5
#[test]
fn elements_out_of_order_are_lost() {
    let m = maps(&COLUMNS);
    let (name, file, format) = (
        "<EntityName>Currencies</EntityName>",
        "<InputFilePath>data.csv</InputFilePath>",
        "<SourceFormat>CSV-Unicode</SourceFormat>",
    );
    let run = |inner: String| check(parts(&unicode(GOOD), &block(&inner), &header()));
    let maps_late = run(format!("{name}{m}{file}{format}"));
    assert_eq!((maps_late.entities.len(), maps_late.skipped.clone()), (0, vec!["EntityMapList".to_owned()]));
    assert_eq!(maps_late.unread, [("data.csv".to_owned(), 2)]);
    refused("name late", &run(format!("{m}{file}{name}{format}")), "Entity  does not exist");
    refused("file late", &run(format!("{m}{name}{format}{file}")), "Could not find file");
    failed(
        "format late",
        &run(format!("{m}{name}{file}<TargetEntity />{format}")),
        "does not exist in this environment",
    );
    // The rows arrive, but not as the manifest says: it is known that something was skipped.
    let late = run(format!("{m}{name}{file}{format}<RunBusinessLogic>true</RunBusinessLogic>"));
    assert_eq!((late.entities[0].created, late.skipped.clone()), (2, vec!["RunBusinessLogic".to_owned()]));
    assert!(!late.whole());
    let unknown = run(format!("<Abc />{m}{name}{file}<Other>x</Other>{format}"));
    whole("unknown elements", &unknown, 2);
    let map = "<EntityMapList><EntityMap><XMLField>CURRENCYCODE</XMLField><EntityField>CURRENCYCODE</EntityField></EntityMap></EntityMapList>";
    let data = unicode("CURRENCYCODE\r\nEUR\r\n");
    failed(
        "map",
        &check(parts(&data, &block(&format!("{map}{name}{file}{format}")), &header())),
        "The mapping is incorrect",
    );
}

// 6, and section 1
#[test]
fn the_layout_of_the_zip() {
    let (data, manifest, header) = (unicode(GOOD), currencies(), header());
    let (m, h) = (manifest.as_bytes(), header.as_bytes());
    let missing = "Could not find file '";
    refused("no zip", &check(data.clone()), missing);
    refused(
        "folder",
        &check(zip(&[("p/data.csv", &data), ("p/Manifest.xml", m), ("p/PackageHeader.xml", h)])),
        missing,
    );
    refused(
        "data in a folder",
        &check(zip(&[("p/data.csv", &data), ("Manifest.xml", m), ("PackageHeader.xml", h)])),
        missing,
    );
    for (data_name, manifest_name, header_name) in [
        ("data.csv", "Manifest.xml", "packageheader.xml"),
        ("data.csv", "manifest.xml", "PackageHeader.xml"),
        ("Data.csv", "Manifest.xml", "PackageHeader.xml"),
        ("other.csv", "Manifest.xml", "PackageHeader.xml"),
    ] {
        let bytes = zip(&[(data_name, &data), (manifest_name, m), (header_name, h)]);
        refused("spelling", &check(bytes), missing);
    }
    let more = zip(&[
        ("data.csv", &data),
        ("Manifest.xml", m),
        ("PackageHeader.xml", h),
        ("Resources/a.xslt", b"x"),
        ("notes.csv", b"a\r\nb\r\n"),
    ]);
    whole("further files", &check(more), 2);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_directory("empty/", SimpleFileOptions::default()).unwrap();
    for (name, bytes) in [("data.csv", data.as_slice()), ("Manifest.xml", m), ("PackageHeader.xml", h)] {
        writer.start_file(name, SimpleFileOptions::default().large_file(true)).unwrap();
        writer.write_all(bytes).unwrap();
    }
    whole("a directory entry, ZIP64", &check(writer.finish().unwrap().into_inner()), 2);
    let twice =
        zip(&[("data.csv", &data), ("DATA.csv", &data), ("Manifest.xml", m), ("PackageHeader.xml", h)]);
    refused("twice", &check(twice), "already exists");
    let outside = zip(&[("../x", b""), ("data.csv", &data), ("Manifest.xml", m), ("PackageHeader.xml", h)]);
    refused("outside", &check(outside), "outside the specified destination directory");
}

// 7
#[test]
fn map_and_file_name_the_same_columns() {
    let run = |columns: &[&str], text: &str| check(package("Currencies", columns, text));
    whole("another order", &run(&["NAME", "CURRENCYCODE"], GOOD), 2);
    failed("not in the file", &run(&COLUMNS, "CURRENCYCODE\r\nEUR\r\n"), "DMF2022");
    failed("not mapped", &run(&COLUMNS[..1], GOOD), "DMF2025");
    failed("column twice", &run(&COLUMNS, "CURRENCYCODE,NAME,NAME\r\nEUR,a,b\r\n"), "DMF1966");
    failed("mapped twice", &run(&["CURRENCYCODE", "NAME", "NAME"], GOOD), "DMF1966");
    failed("other case", &run(&COLUMNS, "CurrencyCode,Name\r\nEUR,Euro\r\n"), "DMF2022");
    failed(
        "no such field",
        &run(&["CURRENCYCODE", "NAMES"], "CURRENCYCODE,NAMES\r\nEUR,Euro\r\n"),
        "does not exist in the staging table",
    );
    failed("another delimiter", &run(&COLUMNS, "CURRENCYCODE;NAME\r\nEUR;Euro\r\n"), "DMF2022");
    failed("more cells", &run(&COLUMNS, "CURRENCYCODE,NAME\r\nEUR,Euro,x\r\n"), "DMF1999");
    failed("open quote", &run(&COLUMNS, "CURRENCYCODE,NAME\r\nEUR,\"Euro\r\n"), "DMF1999");
}

// 8
#[test]
fn duplicate_keys_refuse_the_file() {
    failed(
        "same",
        &check(package("Currencies", &COLUMNS, "CURRENCYCODE,NAME\r\nEUR,a\r\nEUR,b\r\n")),
        "DMF1959",
    );
    let columns = ["PURCHASEAGREEMENTID", "LINENUMBER"];
    let lines = |second: &str| format!("PURCHASEAGREEMENTID,LINENUMBER\r\nA,1\r\nA,{second}\r\n");
    let label = "CLM integration purchase agreement lines";
    failed("same number", &check(package(label, &columns, &lines("1.0"))), "DMF1959");
    let other = check(package(label, &columns, &lines("2")));
    assert_eq!(other.entities[0].staged, 2);
}

// 9
#[test]
fn an_apostrophe_in_the_project_fails_the_run() {
    let settings = Settings { project: "Vendor's".to_owned(), ..Settings::default() };
    let verdict = Checker::new(settings).unwrap().check(package("Currencies", &COLUMNS, GOOD), "usmf");
    assert_eq!(verdict.status, "Failed");
    assert!(verdict.messages[0].text.contains("apostrophe") && !verdict.whole());
}

// 10, and section 5.4
#[test]
fn the_company_is_no_column() {
    let shared = check(package(
        "Currencies",
        &["CURRENCYCODE", "DATAAREAID"],
        "CURRENCYCODE,DATAAREAID\r\nEUR,usmf\r\n",
    ));
    failed("shared", &shared, "the field DATAAREAID does not exist");
    let columns = ["VENDORACCOUNTNUMBER", "DATAAREAID"];
    let own = check(package("Vendors V2", &columns, "VENDORACCOUNTNUMBER,DATAAREAID\r\nV1,usmf\r\n"));
    failed("of a company", &own, "the field DATAAREAID does not exist");
}

// 12, and section 2
#[test]
fn encodings_of_the_two_files() {
    let run = |manifest: Vec<u8>, header: Vec<u8>| {
        check(zip(&[
            ("data.csv", &unicode(GOOD)),
            ("Manifest.xml", &manifest),
            ("PackageHeader.xml", &header),
        ]))
    };
    let plain = |text: &str| text.split_once("?>").unwrap().1.to_owned();
    let big = |text: &str| unicode(text).chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect::<Vec<u8>>();
    let utf8 = |text: &str| text.as_bytes().to_vec();
    let marked = |text: &str| [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    let lying = |text: &str| utf8(&text.replace("utf-8", "utf-16"));
    let indented = |text: &str| utf8(&text.replace("><", ">\r\n  <"));
    whole("UTF-16", &run(unicode(&plain(&currencies())), unicode(&plain(&header()))), 2);
    whole(
        "UTF-16 with declaration",
        &run(unicode(&currencies().replace("utf-8", "utf-16")), unicode(&header())),
        2,
    );
    whole("big endian", &run(big(&currencies()), big(&header())), 2);
    whole("UTF-8", &run(utf8(&plain(&currencies())), utf8(&header())), 2);
    whole("UTF-8 with mark", &run(marked(&currencies()), marked(&header())), 2);
    whole("a wrong declaration", &run(lying(&currencies()), lying(&header())), 2);
    whole("indented", &run(indented(&currencies()), indented(&header())), 2);
    refused(
        "bad bytes",
        &run(utf8(&currencies().replace("<Description>d", "<Description>\u{1}")), utf8(&header())),
        "deserializing the file Manifest.xml",
    );
    refused("half", &run(utf8(&currencies()[..300]), utf8(&header())), "deserializing the file Manifest.xml");
    refused(
        "DOCTYPE",
        &run(utf8(&currencies().replace("?>", "?><!DOCTYPE x>")), utf8(&header())),
        "DTD is prohibited",
    );
    refused("a Boolean", &run(utf8(&currencies().replace(">true<", ">True<")), utf8(&header())), "'Boolean'");
    refused(
        "a number",
        &run(utf8(&currencies().replace("<ExecutionUnit>1", "<ExecutionUnit>one")), utf8(&header())),
        "'Int32'",
    );
}

// Section 3
#[test]
fn the_kind_of_package() {
    let run = |from: &str, to: &str| check(parts(&unicode(GOOD), &currencies(), &header().replace(from, to)));
    whole("version 1", &run("<PackageVersion>2", "<PackageVersion>1"), 2);
    refused("package type", &run("DefinitionGroup<", "Group<"), "The package type 'Group' is not supported");
    refused("manifest type", &run("DataManagementPackageManifest<", "Manifest<"), "is not supported");
    refused(
        "template",
        &run("DataManagementPackageManifest<", "DataManagementTemplatePackageManifest<"),
        "data template",
    );
}

// 13
#[test]
fn rows_header_and_blank_lines() {
    let run = |text: &str| check(package("Currencies", &COLUMNS, text));
    failed("no row", &run("CURRENCYCODE,NAME\r\n"), "DMF2053");
    failed("nothing", &run(""), "DMF2050");
    failed("no header", &run("EUR,Euro\r\nUSD,Dollar\r\n"), "DMF2022");
    failed("blank line first", &run("\r\nCURRENCYCODE,NAME\r\nEUR,Euro\r\n"), "FF004");
    failed("blank line between", &run("CURRENCYCODE,NAME\r\nEUR,Euro\r\n\r\nUSD,Dollar\r\n"), "DMF2050");
    whole("blank line at the end", &run("CURRENCYCODE,NAME\r\nEUR,Euro\r\n\r\n"), 1);
}

// Section 5.4
#[test]
fn values_must_be_of_their_type() {
    let columns = ["CONTRACTID", "CONTRACTSTATUS", "EFFECTIVEDATE"];
    let rows = "CONTRACTID,CONTRACTSTATUS,EFFECTIVEDATE\r\nC1,Executed,2026-04-01\r\nC2,7,2026-04-01T10:00:00\r\nC3,Signed,2026-04-01\r\nC4,99,2026-04-01\r\nC5,Draft,2026-02-30\r\nC6,Draft,01.04.2026\r\n,Draft,\r\nC8,,1900-01-01\r\n";
    let verdict = check(package("CLM integration contract", &columns, rows));
    let entity = &verdict.entities[0];
    assert_eq!((entity.rows, entity.staged, entity.rejected, entity.created), (8, 3, 5, 3), "{verdict:?}");
    assert_eq!(verdict.status, "PartiallySucceeded");
    let fields: Vec<(&str, bool)> =
        verdict.messages.iter().map(|m| (m.field.as_str(), m.text.contains("DMF2016"))).collect();
    assert_eq!(
        fields,
        [
            ("CONTRACTSTATUS", true),
            ("CONTRACTSTATUS", true),
            ("EFFECTIVEDATE", true),
            ("EFFECTIVEDATE", true),
            ("CONTRACTID", false)
        ]
    );
    assert!(!verdict.whole());
    // The key column missing altogether.
    let verdict = check(package("Currencies", &["NAME"], "NAME\r\nEuro\r\n"));
    assert_eq!((verdict.entities[0].rejected, verdict.entities[0].staged), (1, 0));
    assert!(verdict.messages[0].text.contains("The key field CURRENCYCODE has no value"));
}

#[test]
fn lengths_count_where_they_are_known() {
    let lengths = r#"{"maxLengths":{"Currencies":{"Name":6}}}"#;
    let rows = |name: &str| package("Currencies", &COLUMNS, &format!("CURRENCYCODE,NAME\r\nEUR,{name}\r\n"));
    whole("fits", &with(lengths, rows("Dollar")), 1);
    whole("unknown", &check(rows(&"x".repeat(5000))), 1);
    let long = with(lengths, rows("Dollars"));
    assert!(long.messages[0].text.contains("DMF2018"), "{long:?}");
    // Two UTF-16 units.
    assert!(with(lengths, rows("Dolla\u{1F600}")).messages[0].text.contains("DMF2018"));
    let settings = Settings { settings: lengths.to_owned(), ..Settings::default() };
    let schema: serde_json::Value = serde_json::from_str(&Checker::new(settings).unwrap().schema()).unwrap();
    let currency =
        schema["entities"].as_array().unwrap().iter().find(|e| e["label"] == "Currencies").unwrap();
    let name = currency["properties"].as_array().unwrap().iter().find(|p| p["name"] == "Name").unwrap();
    assert_eq!(name["maxLength"], 6);
    assert!(
        Checker::new(Settings {
            settings: r#"{"maxLengths":{"Currency":{}}}"#.to_owned(),
            ..Settings::default()
        })
        .is_err()
    );
}

// 5.2
#[test]
fn xml_files() {
    let xml = |format: &str, body: &str| check(package_of("Currencies", format, &COLUMNS, body.as_bytes()));
    let element = |body: &str| xml("XML-Element", body);
    let attribute = |body: &str| xml("XML-Attribute", body);
    let good = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Document>\n <CURRENCYENTITY><CURRENCYCODE>EUR</CURRENCYCODE><NAME>a &amp; <![CDATA[<b>]]></NAME></CURRENCYENTITY>\n <CURRENCYENTITY><NAME /><CURRENCYCODE>USD</CURRENCYCODE></CURRENCYENTITY></Document>";
    whole("elements", &element(good), 2);
    let attributes = "<Document><CURRENCYENTITY CURRENCYCODE=\"EUR\" NAME=\"&#169;\" /><CURRENCYENTITY NAME='' CURRENCYCODE='USD'/></Document>";
    whole("attributes", &attribute(attributes), 2);
    whole("UTF-16", &check(package_of("Currencies", "XML-Element", &COLUMNS, &unicode(good))), 2);
    whole(
        "a field in some records only",
        &element(
            "<Document><CURRENCYENTITY><CURRENCYCODE>EUR</CURRENCYCODE><NAME>a</NAME></CURRENCYENTITY><CURRENCYENTITY><CURRENCYCODE>USD</CURRENCYCODE></CURRENCYENTITY></Document>",
        ),
        2,
    );
    // Mapped and missing, there and not mapped.
    failed(
        "missing",
        &element("<Document><CURRENCYENTITY><CURRENCYCODE>EUR</CURRENCYCODE></CURRENCYENTITY></Document>"),
        "HRESULT 0xC0010009: DMF1830",
    );
    failed("not mapped", &element(&good.replace("<NAME />", "<NAME /><SYMBOL>x</SYMBOL>")), "DMF2025");
    failed("other case", &element(&good.replace("NAME", "Name")), "DMF1830");
    // One style under the other's name.
    failed("attributes as elements", &element(attributes), "DMF1830");
    failed("elements as attributes", &attribute(good), "DMF1830");
    // Names of records and root.
    for name in ["CurrencyEntity", "CURRENCIES", "currencyentity"] {
        failed(name, &element(&good.replace("CURRENCYENTITY", name)), "where CURRENCYENTITY is expected");
    }
    failed("root", &element(&good.replace("Document", "document")), "where Document is expected");
    failed("namespace", &element(&good.replace("<Document>", "<Document xmlns='urn:x'>")), "DMF1830");
    let mixed = element(&good.replacen("CURRENCYENTITY>", "CURRENCY>", 1).replacen(
        "</CURRENCYENTITY>",
        "</CURRENCY>",
        1,
    ));
    assert_eq!(
        (mixed.entities[0].rows, mixed.entities[0].created, mixed.whole()),
        (2, 1, false),
        "{mixed:?}"
    );
    // What is no XML.
    failed(
        "control character",
        &element(&good.replace("<NAME />", "<NAME>\u{1}</NAME>")),
        "0x01, is an invalid character",
    );
    failed(
        "as a reference",
        &element(&good.replace("<NAME />", "<NAME>&#11;</NAME>")),
        "0x0B, is an invalid character",
    );
    failed(
        "DOCTYPE",
        &element(&good.replace("<Document>", "<!DOCTYPE d [<!ENTITY x 'y'>]><Document>")),
        "DTD is prohibited",
    );
    failed("entity", &element(&good.replace("<NAME />", "<NAME>&euro;</NAME>")), "undeclared entity");
    failed("half", &element(&good[..200]), "The XML file cannot be read");
    failed("empty", &element(""), "The XML file cannot be read");
    failed("no record", &element("<Document></Document>"), "DMF2053");
    failed("field twice", &element(&good.replace("<NAME />", "<NAME>a</NAME><NAME>b</NAME>")), "DMF1966");
    failed("duplicate key", &element(&good.replace("USD", "EUR")), "DMF1959");
    failed(
        "bad bytes",
        &check(package_of("Currencies", "XML-Element", &COLUMNS, b"<Document>\xFF</Document>")),
        "The XML file cannot be read",
    );
    let bad = check(package_of("Currencies", "XML-Element", &["CURRENCYCODE", "GENERALROUNDINGRULE"], b"<Document><CURRENCYENTITY><CURRENCYCODE>EUR</CURRENCYCODE><GENERALROUNDINGRULE>one</GENERALROUNDINGRULE></CURRENCYENTITY></Document>"));
    assert!(bad.messages[0].text.contains("DMF2016") && bad.messages[0].text.contains("line 1"));
}

fn workbook(sheet: &str, rows: &[Vec<String>]) -> Vec<u8> {
    let cell = |text: &String| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let rows: String = rows
        .iter()
        .map(|cells| format!("<row>{}</row>", cells.iter().map(cell).collect::<String>()))
        .collect();
    let book = format!(
        "<workbook xmlns:r=\"urn:r\"><sheets><sheet name=\"{sheet}\" r:id=\"a\"/></sheets></workbook>"
    );
    zip(&[
        ("xl/workbook.xml", book.as_bytes()),
        (
            "xl/_rels/workbook.xml.rels",
            b"<Relationships><Relationship Id=\"a\" Target=\"worksheets/sheet1.xml\"/></Relationships>",
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet><sheetData>{rows}</sheetData></worksheet>").as_bytes(),
        ),
    ])
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

// 5.3
#[test]
fn workbooks() {
    let run = |book: &[u8], sheet: &str, columns: &[&str]| {
        let block = entity("Currencies", "data.csv", "EXCEL", &maps(columns), 1)
            .replace("<ExecutionUnit>", &format!("<ExcelSheetName>{sheet}</ExcelSheetName><ExecutionUnit>"));
        check(parts(book, &manifest(&block), &header()))
    };
    let good = workbook("Currencies", &[row(&COLUMNS), row(&["EUR", "Euro"]), row(&["USD"])]);
    whole("by name", &run(&good, "Currencies$", &COLUMNS), 2);
    whole("the first", &run(&good, "", &COLUMNS), 2);
    failed("no such sheet", &run(&good, "Currency$", &COLUMNS), "DMF040");
    failed("without the sign", &run(&good, "Currencies", &COLUMNS), "DMF040");
    failed("not mapped", &run(&good, "Currencies$", &COLUMNS[..1]), "DMF2025");
    failed("no workbook", &run(GOOD.as_bytes(), "", &COLUMNS), "not a workbook");
    failed("no row", &run(&workbook("C", &[row(&COLUMNS)]), "", &COLUMNS), "DMF2053");
    failed("nothing", &run(&workbook("C", &[]), "", &COLUMNS), "DMF2050");
    let wide: Vec<String> = (0..256).map(|at| format!("C{at}")).collect();
    failed("256 columns", &run(&workbook("C", &[wide, row(&["x"])]), "", &COLUMNS), "DMF2009");
    failed(
        "duplicate key",
        &run(&workbook("C", &[row(&COLUMNS), row(&["EUR"]), row(&["EUR"])]), "", &COLUMNS),
        "DMF1959",
    );
}

const COMPOSITES: &str = r#"{"composites":[{"label":"Agreements composite","root":{"entity":"CLM integration purchase agreements","children":[{"entity":"CLMIntegrationPurchaseAgreementLineEntity","join":{"PurchaseAgreementId":"PurchaseAgreementId"}}]}}]}"#;

fn composite(format: &str, columns: &[&str], body: &str) -> Vec<u8> {
    package_of("Agreements composite", format, columns, format!("<Document>{body}</Document>").as_bytes())
}

const HEAD: &str = "CLMINTEGRATIONPURCHASEAGREEMENTHEADERENTITY";
const LINE: &str = "CLMINTEGRATIONPURCHASEAGREEMENTLINEENTITY";

// 15, and section 6
#[test]
fn composite_entities() {
    let columns = ["PURCHASEAGREEMENTID", "LINENUMBER", "COMMITMENTTYPE"];
    let line = |number: &str| format!("<{LINE} LINENUMBER='{number}' COMMITMENTTYPE='ProductCategory' />");
    let good = format!(
        "<{HEAD} PURCHASEAGREEMENTID='A-1'>{}{}</{HEAD}><{HEAD} PURCHASEAGREEMENTID='A-2'>{}</{HEAD}>",
        line("1"),
        line("2"),
        line("1")
    );
    let run = |body: &str| with(COMPOSITES, composite("XML-Attribute", &columns, body));
    whole("attributes", &run(&good), 5);
    let elements = format!(
        "<{HEAD}><PURCHASEAGREEMENTID>A-1</PURCHASEAGREEMENTID><{LINE}><LINENUMBER>1</LINENUMBER><COMMITMENTTYPE>ProductCategory</COMMITMENTTYPE></{LINE}></{HEAD}>"
    );
    whole("elements", &with(COMPOSITES, composite("XML-Element", &columns, &elements)), 2);
    // A member that occurs nowhere; an empty element stands for it.
    failed("no line", &run(&format!("<{HEAD} PURCHASEAGREEMENTID='A-1' />")), "DMF1830 MAP011");
    let empty = run(&format!("<{HEAD} PURCHASEAGREEMENTID='A-1'><{LINE} /></{HEAD}>"));
    whole("an empty line", &empty, 1);
    failed("foreign", &run(&good.replacen(&line("2"), "<OTHER />", 1)), "DMF1830");
    failed("not mapped", &run(&good.replacen("LINENUMBER='2'", "LINENUMBER='2' QUANTITY='1'", 1)), "DMF2025");
    failed("duplicate", &run(&good.replacen("LINENUMBER='2'", "LINENUMBER='1'", 1)), "DMF1959");
    failed("no record", &run(""), "DMF2053");
    let all = ["PURCHASEAGREEMENTID", "LINENUMBER", "COMMITMENTTYPE", "AGREEMENTVENDORACCOUNTNUMBER"];
    failed(
        "missing",
        &with(COMPOSITES, composite("XML-Attribute", &all, &good)),
        "HRESULT 0xC0010009: DMF1830",
    );
    // What is nested in a record that fails, fails with it.
    let vendor = good.replacen("'A-1'", "'A-1' AGREEMENTVENDORACCOUNTNUMBER='none'", 1);
    let verdict = with(COMPOSITES, composite("XML-Attribute", &all, &vendor));
    let entity = &verdict.entities[0];
    assert_eq!((entity.rows, entity.staged, entity.failed, entity.created), (5, 5, 3, 2), "{verdict:?}");
    // At the root, a record of another name is no row.
    let lost = run(&format!("{good}<OTHER />"));
    assert_eq!((lost.entities[0].rows, lost.entities[0].created, lost.whole()), (6, 5, false));
    // CSV, overwrite, two of them, unknown.
    failed("CSV", &with(COMPOSITES, composite("CSV", &columns, &good)), "DMF1963");
    let settings = Settings { settings: COMPOSITES.to_owned(), overwrite: true, ..Settings::default() };
    let overwrite =
        Checker::new(settings).unwrap().check(composite("XML-Attribute", &columns, &good), "usmf");
    refused("overwrite", &overwrite, "overwrite must be false");
    let twice = common::entity("Agreements composite", "data.csv", "XML-Attribute", &maps(&columns), 1);
    let twice = parts(good.as_bytes(), &manifest(&format!("{twice}{twice}")), &header());
    refused("two", &with(COMPOSITES, twice), "one composite entity only");
    refused(
        "not defined",
        &check(composite("XML-Attribute", &columns, &good)),
        "does not exist in the target environment",
    );
}

#[test]
fn composite_definitions_are_checked() {
    for bad in [
        COMPOSITES.replace("Agreements composite", "Currencies"),
        COMPOSITES.replace("CLMIntegrationPurchaseAgreementLineEntity", "NoEntity"),
        COMPOSITES.replace("{\"PurchaseAgreementId\"", "{\"NoProperty\""),
        COMPOSITES
            .replace("CLMIntegrationPurchaseAgreementLineEntity", "CLM integration purchase agreements"),
    ] {
        assert!(Checker::new(Settings { settings: bad.clone(), ..Settings::default() }).is_err(), "{bad}");
    }
}

// Section 4.4: what runs first must be there for what follows.
#[test]
fn levels_out_of_order_leave_lines_without_their_header() {
    let build = |header_level: i32, line_level: i32| {
        let blocks = [
            entity(
                "CLM integration purchase agreement lines",
                "lines.csv",
                "CSV-Unicode",
                &maps(&["PURCHASEAGREEMENTID", "LINENUMBER", "COMMITMENTTYPE"]),
                line_level,
            ),
            entity(
                "CLM integration purchase agreements",
                "headers.csv",
                "CSV-Unicode",
                &maps(&["PURCHASEAGREEMENTID"]),
                header_level,
            ),
        ];
        zip(&[
            (
                "lines.csv",
                &unicode("PURCHASEAGREEMENTID,LINENUMBER,COMMITMENTTYPE\r\nA,1,ProductCategory\r\n"),
            ),
            ("headers.csv", &unicode("PURCHASEAGREEMENTID\r\nA\r\n")),
            ("Manifest.xml", manifest(&blocks.concat()).as_bytes()),
            ("PackageHeader.xml", header().as_bytes()),
        ])
    };
    whole("headers first", &check(build(1, 2)), 2);
    let verdict = check(build(2, 1));
    assert_eq!(verdict.status, "PartiallySucceeded");
    assert_eq!(verdict.entities.iter().map(|e| (e.created, e.failed)).collect::<Vec<_>>(), [(0, 1), (1, 0)]);
    assert!(verdict.messages[0].text.contains("Purchase agreement A was not found."));
}

// Section 4.2
#[test]
fn a_disabled_entity_does_not_run() {
    let disabled = currencies().replace("<EntityMapList>", "<Disable>true</Disable><EntityMapList>");
    let verdict = check(parts(&unicode(GOOD), &disabled, &header()));
    assert!(verdict.entities[0].disabled && verdict.entities[0].created == 0);
    assert!(verdict.whole(), "nothing was meant to arrive: {verdict:?}");
}

// Section 4.5
#[test]
fn what_is_not_implemented_fails() {
    let auto = currencies().replacen("<XMLField>", "<IsAutoGenerated>true</IsAutoGenerated><XMLField>", 1);
    failed(
        "generated",
        &check(parts(&unicode(GOOD), &auto, &header())),
        "is not implemented by this sandbox",
    );
    let xslt = currencies().replace(
        "<ExecutionUnit>",
        "<EntityTransformList><EntityTransform /></EntityTransformList><ExecutionUnit>",
    );
    failed("XSLT", &check(parts(&unicode(GOOD), &xslt, &header())), "is not implemented by this sandbox");
}

#[test]
fn references_name_properties_of_the_schema() {
    let checker = Checker::new(Settings::default()).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&checker.schema()).unwrap();
    let entities = schema["entities"].as_array().unwrap();
    let labels = |label: &str| entities.iter().find(|entity| entity["label"] == label);
    for reference in Checker::references() {
        let properties = labels(reference.label).unwrap()["properties"].as_array().unwrap();
        assert!(properties.iter().any(|p| p["name"] == reference.property), "{reference:?}");
        assert!(labels(reference.of).is_some(), "{reference:?}");
    }
    assert!(checker.not_for_import().contains(&"Data management".to_owned()));
}

#[test]
fn thousands_of_packages_are_checked_in_little_time() {
    let checker = Checker::new(Settings::default()).unwrap();
    let good = package("Currencies", &COLUMNS, GOOD);
    let bad = package("Currencies", &COLUMNS, "CURRENCYCODE,NAME\r\nEUR,a\r\nEUR,b\r\n");
    let whole = (0..1000)
        .filter(|at| checker.check(if at % 2 == 0 { good.clone() } else { bad.clone() }, "usmf").whole())
        .count();
    assert_eq!(whole, 500);
}
