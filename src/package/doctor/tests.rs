//! Whole packages: each pitfall has its code, and a repair leaves nothing that was repairable.

use proptest::prelude::*;

use crate::package::zip::testing::{Raw, archive};
use crate::package::{Limits, LocalPackage};

use super::*;

mod workbooks;

const HEADER: &str = "<DataManagementPackageHeader xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" \
    xmlns=\"http://schemas.microsoft.com/dynamics/2015/01/DataManagement\"><Description>P</Description><ManifestType>\
    Microsoft.Dynamics.AX.Framework.Tools.DataManagement.Serialization.DataManagementPackageManifest</ManifestType>\
    <PackageType>DefinitionGroup</PackageType><PackageVersion>2</PackageVersion></DataManagementPackageHeader>";

fn map(name: &str) -> String {
    format!("<EntityMap><EntityField>{name}</EntityField><XMLField>{name}</XMLField></EntityMap>")
}

fn entity(label: &str, file: &str, columns: &[&str], level: u8) -> String {
    let maps: String = columns.iter().map(|name| map(name)).collect();
    format!(
        "<DataManagementPackageEntityData><Disable>false</Disable><EntityMapList>{maps}</EntityMapList><EntityName>\
         {label}</EntityName><ExecutionUnit>1</ExecutionUnit><InputFilePath>{file}</InputFilePath>\
         <LevelInExecutionUnit>{level}</LevelInExecutionUnit><SequenceInLevel>1</SequenceInLevel><SourceFormat>\
         CSV-Unicode</SourceFormat></DataManagementPackageEntityData>"
    )
}

fn manifest(entities: &str) -> String {
    format!(
        "<DataManagementPackageManifest xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns=\"http://schemas.microsoft.com/dynamics/2015/01/DataManagement\"><DefinitionGroupName>P\
         </DefinitionGroupName><Description /><PackageEntityList>{entities}</PackageEntityList>\
         </DataManagementPackageManifest>"
    )
}

pub(super) fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[derive(Clone)]
pub(super) struct Package(Vec<(String, Vec<u8>)>);

const LABEL: &str = "CLM integration contract types";
pub(super) const FILE: &str = "Types.csv";
const ROWS: &str = "NAME,DESCRIPTION\r\nNDA,\"Secret, mostly\"\r\nMSA,\r\n";

impl Package {
    pub(super) fn good() -> Self {
        let list = entity(LABEL, FILE, &["NAME", "DESCRIPTION"], 1);
        Self(vec![
            (FILE.into(), utf16(ROWS)),
            ("Manifest.xml".into(), utf16(&manifest(&list))),
            ("PackageHeader.xml".into(), utf16(HEADER)),
        ])
    }

    fn rename(mut self, from: &str, to: &str) -> Self {
        self.0.iter_mut().filter(|(name, _)| name == from).for_each(|(name, _)| *name = to.into());
        self
    }

    pub(super) fn set(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.0.retain(|(there, _)| there != name);
        self.0.push((name.into(), bytes));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.0.retain(|(there, _)| there != name);
        self
    }

    /// Changes the text of an XML file.
    fn edit(self, name: &str, from: &str, to: &str) -> Self {
        let text = self.text(name);
        assert!(text.contains(from), "{from} in {text}");
        self.set(name, utf16(&text.replace(from, to)))
    }

    pub(super) fn manifest(self, from: &str, to: &str) -> Self {
        self.edit("Manifest.xml", from, to)
    }

    fn header(self, from: &str, to: &str) -> Self {
        self.edit("PackageHeader.xml", from, to)
    }

    fn bytes_of(&self, name: &str) -> &[u8] {
        &self.0.iter().find(|(there, _)| there == name).unwrap_or_else(|| panic!("no {name}")).1
    }

    fn text(&self, name: &str) -> String {
        let units: Vec<u16> = self
            .bytes_of(name)
            .as_chunks::<2>()
            .0
            .iter()
            .skip(1)
            .map(|pair| u16::from_le_bytes(*pair))
            .collect();
        String::from_utf16(&units).unwrap()
    }

    pub(super) fn zip(&self) -> Vec<u8> {
        archive(&self.0.iter().map(|(name, bytes)| Raw::stored(name, bytes)).collect::<Vec<_>>())
    }

    fn diagnose(&self) -> Vec<Diagnostic> {
        match LocalPackage::open_leniently(self.zip(), Limits::default(), None) {
            Ok(package) => package.diagnose().unwrap(),
            Err(error) => vec![refusal(&error)],
        }
    }

    /// Errors and warnings by code.
    fn codes(&self) -> Vec<&'static str> {
        let found = self.diagnose();
        let told = found.iter().filter(|it| it.severity != Severity::Info);
        told.map(|it| it.code.as_str()).collect()
    }

    fn repair(&self) -> (Self, Vec<Diagnostic>) {
        let package = LocalPackage::open_leniently(self.zip(), Limits::default(), None).unwrap();
        let mut out = Vec::new();
        let changes = package
            .repair(|bytes| {
                out.extend_from_slice(bytes);
                Ok(())
            })
            .unwrap();
        let package = LocalPackage::open_leniently(out, Limits::default(), None).unwrap();
        let files = package.files().map(|file| (file.name.clone(), package.read_file(&file.name).unwrap()));
        (Self(files.collect()), changes)
    }
}

#[test]
fn a_good_package_is_good_and_stays_as_it_is() {
    let good = Package::good();
    let found = good.diagnose();
    let seen: Vec<_> = found.iter().map(|it| (it.code, it.severity)).collect();
    assert_eq!(seen, [(Code::SharedEntity, Severity::Info)]);
    let (repaired, changes) = good.repair();
    assert_eq!(changes, []);
    assert_eq!(repaired.0, good.0);
}

#[test]
fn rows_of_all_companies_are_a_risk_where_the_file_names_a_company() {
    let of = |column: &str, field: &str| {
        let map =
            format!("<EntityMap><EntityField>{field}</EntityField><XMLField>{column}</XMLField></EntityMap>");
        let package = Package::good().manifest("</EntityMapList>", &format!("{map}</EntityMapList>"));
        let found = package.diagnose();
        let shared = found.iter().filter(|it| it.code == Code::SharedEntity);
        shared.map(|it| (it.severity, it.column.clone())).collect::<Vec<_>>()
    };
    let risk = |column: &str| vec![(Severity::Warning, Some(column.to_owned()))];
    assert_eq!(of("COMPANY", "DATAAREAID"), risk("COMPANY"));
    assert_eq!(of("dataAreaId", "CODE"), risk("dataAreaId"));
    assert_eq!(of("", "dataAreaId"), risk("dataAreaId"));
    assert_eq!(of("COMPANY", "COMPANY"), [(Severity::Info, None)]);
}

/// A package with a fault, its codes, and those that are left after a repair.
fn faults() -> Vec<(Package, Vec<&'static str>, Vec<&'static str>)> {
    let good = Package::good;
    let data = |text: &str| good().set(FILE, utf16(text));
    let ns = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement";
    let map_list = |list: &str| {
        let text = good().text("Manifest.xml");
        let (before, rest) = text.split_once("<EntityMapList>").unwrap();
        let (_, after) = rest.split_once("</EntityMapList>").unwrap();
        good().set("Manifest.xml", utf16(&format!("{before}{list}{after}")))
    };
    let moved = {
        let text = good().text("Manifest.xml");
        let name = format!("<EntityName>{LABEL}</EntityName>");
        let late = text
            .replace(&name, "")
            .replace("<ExecutionUnit>", &format!("<ExecutionUnit>1</ExecutionUnit>{name}<!--"));
        let late = late.replace("<!--1</ExecutionUnit>", "");
        good().set("Manifest.xml", utf16(&late))
    };
    let list = entity(LABEL, FILE, &["NAME", "DESCRIPTION"], 1);
    let twice = good()
        .set("Manifest.xml", utf16(&manifest(&(list.clone() + &list.replace(FILE, "B.csv")))))
        .set("B.csv", utf16(ROWS));
    vec![
        // The zip.
        (Package(vec![("a.csv".into(), b"A\r\n".to_vec())]), vec!["PKG-NOT-A-PACKAGE"], vec![]),
        (good().rename(FILE, "data/Types.csv"), vec!["PKG-FILE-MISSING", "PKG-ZIP-FOLDER"], vec![]),
        (
            good()
                .rename(FILE, "x/Types.csv")
                .rename("Manifest.xml", "x/Manifest.xml")
                .rename("PackageHeader.xml", "x/PackageHeader.xml"),
            vec!["PKG-FILE-MISSING", "PKG-ZIP-FOLDER", "PKG-ZIP-FOLDER", "PKG-ZIP-FOLDER"],
            vec![],
        ),
        (
            good().rename(FILE, "data/Types.csv").manifest(FILE, "data/Types.csv"),
            vec!["PKG-ZIP-FOLDER"],
            vec![],
        ),
        (good().set("types.CSV", vec![]), vec!["PKG-ZIP-DUPLICATE-NAME"], vec!["PKG-ZIP-DUPLICATE-NAME"]),
        (good().set("../a.txt", vec![]), vec!["PKG-ZIP-UNSAFE-NAME"], vec![]),
        (good().set("a?.txt", vec![]), vec!["PKG-ZIP-UNSAFE-NAME"], vec!["PKG-ZIP-UNSAFE-NAME"]),
        // The header.
        (good().without("PackageHeader.xml"), vec!["PKG-HEADER-MISSING"], vec![]),
        (good().rename("PackageHeader.xml", "packageheader.xml"), vec!["PKG-HEADER-NAME"], vec![]),
        (good().set("PackageHeader.xml", b"<oops".to_vec()), vec!["PKG-HEADER-UNREADABLE"], vec![]),
        (good().header(ns, "urn:other"), vec!["PKG-HEADER-NAMESPACE"], vec![]),
        (good().header("<PackageType>DefinitionGroup</PackageType>", ""), vec!["PKG-HEADER-ELEMENT"], vec![]),
        (
            good().header(
                "<PackageType>DefinitionGroup</PackageType><PackageVersion>2</PackageVersion>",
                "<PackageVersion>2</PackageVersion><PackageType>DefinitionGroup</PackageType>",
            ),
            vec!["PKG-HEADER-ELEMENT"],
            vec![],
        ),
        (good().header("DefinitionGroup", "Group"), vec!["PKG-HEADER-TYPE"], vec![]),
        (good().header("<PackageVersion>2", "<PackageVersion>7"), vec!["PKG-HEADER-VERSION"], vec![]),
        (good().header("<PackageVersion>2", "<PackageVersion>two"), vec!["PKG-HEADER-VERSION"], vec![]),
        // The manifest.
        (good().without("Manifest.xml"), vec!["PKG-MANIFEST-MISSING"], vec![]),
        (good().rename("Manifest.xml", "manifest.xml"), vec!["PKG-MANIFEST-NAME"], vec![]),
        (good().set("Manifest.xml", b"<oops".to_vec()), vec!["PKG-MANIFEST-UNREADABLE"], vec![]),
        (good().manifest("PackageManifest", "TemplatePackageManifest"), vec!["PKG-TEMPLATE"], vec![]),
        (good().manifest(ns, "urn:other"), vec!["PKG-MANIFEST-NAMESPACE"], vec![]),
        (moved, vec!["PKG-MANIFEST-ORDER"], vec![]),
        (good().manifest("<EntityName>", "<EntityName xmlns=\"\">"), vec!["PKG-MANIFEST-FOREIGN"], vec![]),
        (
            good().manifest("<Disable>false</Disable>", "<Disable>false</Disable><Disable>true</Disable>"),
            vec!["PKG-MANIFEST-TWICE"],
            vec![],
        ),
        (
            good().manifest("<Disable>false", "<Disable>no"),
            vec!["PKG-MANIFEST-VALUE"],
            vec!["PKG-MANIFEST-VALUE"],
        ),
        (
            good().manifest(
                "</PackageEntityList>",
                "</PackageEntityList><ProjectCategory>Integration</ProjectCategory>",
            ),
            vec!["PKG-MANIFEST-VALUE"],
            vec!["PKG-MANIFEST-VALUE"],
        ),
        (good().set("Manifest.xml", utf16(&manifest(""))), vec!["PKG-NO-ENTITIES"], vec!["PKG-NO-ENTITIES"]),
        (good().manifest(">P<", "><"), vec!["PKG-PROJECT-NAME"], vec!["PKG-PROJECT-NAME"]),
        (good().manifest(">P<", ">Bob's<"), vec!["PKG-PROJECT-APOSTROPHE"], vec!["PKG-PROJECT-APOSTROPHE"]),
        (good().manifest(LABEL, ""), vec!["PKG-LABEL-MISSING"], vec!["PKG-LABEL-MISSING"]),
        (good().manifest(LABEL, "CLMIntegrationContractTypes"), vec!["PKG-LABEL-ODATA"], vec![]),
        (good().manifest(LABEL, "CLMIntegrationContractTypeEntity"), vec!["PKG-LABEL-AOT"], vec![]),
        (
            good().manifest(LABEL, "CLM integration contract typs"),
            vec!["PKG-LABEL-UNKNOWN"],
            vec!["PKG-LABEL-UNKNOWN"],
        ),
        (twice, vec!["PKG-LABEL-TWICE"], vec!["PKG-LABEL-TWICE"]),
        (good().manifest("CSV-Unicode", ""), vec!["PKG-FORMAT-MISSING"], vec!["PKG-FORMAT-MISSING"]),
        (good().manifest("CSV-Unicode", "CSV-UTF8"), vec!["PKG-FORMAT-UNKNOWN"], vec!["PKG-FORMAT-UNKNOWN"]),
        (good().manifest(FILE, ""), vec!["PKG-FILE-UNNAMED"], vec!["PKG-FILE-UNNAMED"]),
        (good().manifest(FILE, "types.CSV"), vec!["PKG-FILE-MISSING"], vec![]),
        (good().manifest(FILE, "Other.csv"), vec!["PKG-FILE-MISSING"], vec!["PKG-FILE-MISSING"]),
        // Maps and columns.
        (map_list(""), vec!["PKG-MAP-MISSING"], vec![]),
        (map_list("<EntityMapList />"), vec!["PKG-MAP-MISSING"], vec![]),
        (map_list("<EntityMapList i:nil=\"true\" />"), vec!["PKG-MAP-MISSING"], vec![]),
        (good().manifest("<XMLField>NAME", "<XMLField>Name"), vec!["PKG-COLUMN-CASE"], vec![]),
        (
            good().manifest("<EntityField>NAME", "<EntityField>DESCRIPTION"),
            vec!["PKG-MAP-FIELD-TWICE", "PKG-KEY-MISSING"],
            vec!["PKG-MAP-FIELD-TWICE", "PKG-KEY-MISSING"],
        ),
        (good().manifest(&map("DESCRIPTION"), ""), vec!["PKG-COLUMN-UNMAPPED"], vec!["PKG-COLUMN-UNMAPPED"]),
        // Text.
        (good().set(FILE, ROWS.as_bytes().to_vec()), vec!["PKG-UTF8-IN-UNICODE"], vec![]),
        (
            good().set(FILE, ROWS.replace("\r\n", "\n").into_bytes()),
            vec!["PKG-CSV-LINE-FEED", "PKG-CSV-LINE-FEED", "PKG-CSV-LINE-FEED", "PKG-UTF8-IN-UNICODE"],
            vec![],
        ),
        (
            data("NAME,DESCRIPTION\n\nNDA,x"),
            vec!["PKG-CSV-LINE-FEED", "PKG-CSV-LINE-FEED", "PKG-CSV-BLANK-LINE"],
            vec![],
        ),
        (data("NAME,DESCRIPTION\r\n"), vec!["PKG-NO-ROW"], vec!["PKG-NO-ROW"]),
        (
            data("NAME,DESCRIPTION\n\"NDA,x\n"),
            vec!["PKG-CSV-LINE-FEED", "PKG-CSV-QUOTING", "PKG-CSV-RAGGED"],
            vec!["PKG-CSV-QUOTING", "PKG-CSV-RAGGED"],
        ),
        (
            good().set(FILE, {
                let mut bytes = utf16("NAME,DESCRIPTION\nNDA,x\n");
                bytes.extend([0, 0xdc]);
                bytes
            }),
            vec!["PKG-CSV-LINE-FEED", "PKG-CSV-LINE-FEED", "PKG-UNDECODABLE"],
            vec!["PKG-CSV-LINE-FEED", "PKG-CSV-LINE-FEED", "PKG-UNDECODABLE"],
        ),
        (
            data("NAME,DESCRIPTION\r\nNDA,x\r\nnda,y\r\n"),
            vec!["PKG-KEY-DUPLICATE"],
            vec!["PKG-KEY-DUPLICATE"],
        ),
    ]
}

// Kills mutants of nearly every rule: the codes are those that the fault has, in this order, and no others.
#[test]
fn every_fault_has_its_codes_and_a_repair_leaves_what_is_not_safe() {
    for (package, mut codes, left) in faults() {
        let mut found = package.codes();
        found.sort_unstable();
        codes.sort_unstable();
        assert_eq!(found, codes, "{:#?}", package.diagnose());
        // What does not even open leniently can't be repaired.
        if LocalPackage::open_leniently(package.zip(), Limits::default(), None).is_err() {
            assert!(left.is_empty());
            continue;
        }
        let repairable: Vec<_> = package.diagnose().into_iter().filter(|it| it.repairable).collect();
        let (repaired, changes) = package.repair();
        assert_eq!(repaired.codes(), left, "{codes:?}: {:#?}", repaired.diagnose());
        let gone = |all: &[Diagnostic]| all.iter().map(|it| (it.code, it.line)).collect::<Vec<_>>();
        assert_eq!(gone(&changes), gone(&repairable), "{codes:?}");
        assert!(changes.iter().all(|it| it.severity == Severity::Info));
        if left.is_empty() {
            assert_eq!(repaired.text(FILE).lines().next(), Some("NAME,DESCRIPTION"), "{codes:?}");
            assert!(!repaired.diagnose().iter().any(|it| it.severity == Severity::Error));
        }
    }
}

#[test]
fn what_a_repair_writes() {
    let broken = Package::good()
        .set(FILE, "\nNAME,DESCRIPTION\nNDA,\"a\nb\"\n\nMSA,é".as_bytes().to_vec())
        .manifest(LABEL, "CLMIntegrationContractTypes")
        .manifest("<XMLField>NAME", "<XMLField>name")
        .without("PackageHeader.xml");
    let (repaired, _) = broken.repair();
    assert_eq!(repaired.text(FILE), "NAME,DESCRIPTION\r\nNDA,\"a\nb\"\r\nMSA,é\r\n");
    let text = repaired.text("Manifest.xml");
    assert!(text.contains("<EntityName>CLM integration contract types</EntityName>"));
    assert!(text.contains("<XMLField>NAME</XMLField>"));
    assert!(repaired.text("PackageHeader.xml").contains("<PackageType>DefinitionGroup</PackageType>"));
    let names: Vec<&str> = repaired.0.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Types.csv", "Manifest.xml", "PackageHeader.xml"]);
}

#[test]
fn damage_in_a_data_file_is_a_finding_and_no_error() {
    let zip = Package::good();
    let mut entries: Vec<Raw> = zip.0.iter().map(|(name, bytes)| Raw::stored(name, bytes)).collect();
    entries[0].crc ^= 1;
    let package = LocalPackage::open_leniently(archive(&entries), Limits::default(), None).unwrap();
    let found = package.diagnose().unwrap();
    assert!(found.iter().any(|it| it.code == Code::Corrupt && it.file.as_deref() == Some(FILE)), "{found:?}");
    let mut entries: Vec<Raw> = zip.0.iter().map(|(name, bytes)| Raw::stored(name, bytes)).collect();
    entries[0].flags = 1;
    let package = LocalPackage::open_leniently(archive(&entries), Limits::default(), None).unwrap();
    assert!(package.diagnose().unwrap().iter().any(|it| it.code == Code::ZipEncrypted));
}

const COMPOSITE: &str = "<Document><O ID='1'><L NO='1' /></O></Document>";

/// Packages with composite entities of these labels, in one format.
fn composites(labels: &[&str], format: &str) -> Package {
    let mut package = Package::good().without(FILE);
    let mut list = String::new();
    for (at, label) in labels.iter().enumerate() {
        let file = format!("{at}.xml");
        list += &entity(label, &file, &["ID", "NO"], 1).replace("CSV-Unicode", format);
        package = package.set(&file, COMPOSITE.into());
    }
    package.set("Manifest.xml", utf16(&manifest(&list)))
}

#[test]
fn a_package_has_one_composite_in_xml() {
    let known = "PKG-LABEL-UNKNOWN";
    assert_eq!(composites(&["Orders composite V4"], "XML-Attribute").codes(), [known]);
    let two = composites(&["Orders composite V4", "Quotes Composite"], "XML-Attribute");
    assert_eq!(two.codes(), [known, known, "PKG-COMPOSITE-TWO"]);
    let second = two.diagnose().into_iter().find(|it| it.code == Code::CompositeTwo).unwrap();
    assert_eq!(second.entity.as_deref(), Some("Quotes Composite"));
    let three = composites(&["A composite", "B composite", "C composite"], "XML-Attribute");
    let told = three.codes().iter().filter(|code| **code == "PKG-COMPOSITE-TWO").count();
    assert_eq!(told, 1, "once for the package");
    // Beside an entity of the catalogue one is allowed.
    let list = entity(LABEL, FILE, &["NAME", "DESCRIPTION"], 1)
        + &entity("A composite", "a.xml", &["ID", "NO"], 1).replace("CSV-Unicode", "XML-Attribute");
    let mixed = Package::good().set("a.xml", COMPOSITE.into()).set("Manifest.xml", utf16(&manifest(&list)));
    assert_eq!(mixed.codes(), [known]);
    for format in ["CSV-Unicode", "CSV", "EXCEL"] {
        let codes = composites(&["A composite"], format).codes();
        assert!(codes.contains(&"PKG-COMPOSITE-CSV"), "{format}: {codes:?}");
    }
    assert!(!composites(&["A composite"], "XML-Attribute").codes().contains(&"PKG-COMPOSITE-CSV"));
}

// No schema lists composites, a tenant's neither.
#[test]
fn a_composite_is_unknown_to_every_schema() {
    let schema = crate::catalog::Catalog::from_json(r#"{"enums":{},"formats":[],"entities":[]}"#).unwrap();
    let schema = std::sync::Arc::new(schema);
    let severity = |label: &str| {
        let zip = composites(&[label], "XML-Attribute").zip();
        let package = LocalPackage::open_leniently(zip, Limits::default(), Some(schema.clone())).unwrap();
        let found = package.diagnose().unwrap();
        found.iter().find(|it| it.code == Code::LabelUnknown).unwrap().severity
    };
    assert_eq!(severity("Orders composite V4"), Severity::Warning);
    assert_eq!(severity("Orders V4"), Severity::Error);
}

#[test]
fn findings_are_written_as_the_api_says() {
    let found = Package::good().set(FILE, utf16("NAME,DESCRIPTION\r\nNDA\r\n")).diagnose();
    let ragged = found.iter().find(|it| it.code == Code::Ragged).unwrap();
    assert_eq!(
        serde_json::to_string(ragged).unwrap(),
        "{\"code\":\"PKG-CSV-RAGGED\",\"severity\":\"error\",\"message\":\"the row has 1 cells, the header 2\",\
         \"hint\":\"Put values with commas, quotes or line breaks into double quotes; write empty cells as nothing \
         between commas.\",\"repairable\":false,\"file\":\"Types.csv\",\"entity\":\"CLM integration contract types\",\
         \"line\":2}"
    );
}

#[test]
fn a_tenants_schema_knows_everything() {
    let schema = r#"{"enums":{},"formats":["My format"],"entities":[{"collection":"Things","type":"Thing","aot":"ThingEntity",
        "label":"Things","company":false,"direction":"clmToScm","keys":["Id"],
        "properties":[{"name":"Id","type":"Edm.String","maxLength":3}]}]}"#;
    let schema = std::sync::Arc::new(crate::catalog::Catalog::from_json(schema).unwrap());
    let errors = |package: &Package| {
        let package =
            LocalPackage::open_leniently(package.zip(), Limits::default(), Some(schema.clone())).unwrap();
        let found = package.diagnose().unwrap();
        let errors = found.iter().filter(|it| it.severity == Severity::Error);
        errors.map(|it| it.code.as_str()).collect::<Vec<_>>()
    };
    let things = |file: &str| {
        let list = entity("Things", FILE, &["ID"], 1);
        Package::good().set("Manifest.xml", utf16(&manifest(&list))).set(FILE, utf16(file))
    };
    assert_eq!(errors(&things("ID\r\nabc\r\n")), Vec::<&str>::new());
    assert_eq!(errors(&things("ID\r\nabcd\r\n")), ["PKG-VALUE-LENGTH"]);
    assert_eq!(errors(&things("ID\r\néèê\r\n")), Vec::<&str>::new());
    assert_eq!(errors(&things("ID\r\na\r\n").manifest("CSV-Unicode", "My format")), Vec::<&str>::new());
    assert_eq!(errors(&things("ID\r\na\r\n").manifest("CSV-Unicode", "No format")), ["PKG-FORMAT-UNKNOWN"]);
    assert_eq!(errors(&things("ID\r\na\r\n").manifest(">Things<", ">Thing<")), ["PKG-LABEL-UNKNOWN"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    // Whatever is wrong at once: what was said to be repairable is gone afterwards.
    #[test]
    fn nothing_repairable_is_left(
        text in "(NAME|Name|name|X|),?(DESCRIPTION|DESCRIPTIOn|)(\r\n|\n|\r)([a-c\"é]{0,3}[,\n\r\"]{0,2}){0,8}",
        encoding in 0u8..6,
        csv in any::<bool>(),
        folder in any::<bool>(),
        label in prop::sample::select(vec![LABEL, "CLMIntegrationContractTypes", "Unknown"]),
        maps in any::<bool>(),
        shuffle in any::<bool>(),
        header in 0u8..4,
    ) {
        let data = match encoding {
            0 => utf16(&text),
            1 => text.clone().into_bytes(),
            2 => format!("\u{feff}{text}").into_bytes(),
            3 => utf16(&text)[2..].to_vec(),
            4 => utf16(&text).as_chunks::<2>().0.iter().flat_map(|[a, b]| [*b, *a]).collect(),
            _ => text.chars().map(|c| u32::from(c) as u8).collect(),
        };
        let columns: &[&str] = if maps { &["NAME", "DESCRIPTION"] } else { &[] };
        let mut list = entity(label, FILE, columns, 1);
        if csv {
            list = list.replace("CSV-Unicode", "CSV");
        }
        if shuffle {
            list = list.replace("<Disable>false</Disable>", "").replace("<SourceFormat>", "<Disable>false</Disable><SourceFormat>");
        }
        let mut package = Package::good().set("Manifest.xml", utf16(&manifest(&list))).set(FILE, data);
        package = match header {
            0 => package,
            1 => package.without("PackageHeader.xml"),
            2 => package.set("PackageHeader.xml", vec![7]),
            _ => package.rename("PackageHeader.xml", "PACKAGEHEADER.XML"),
        };
        if folder {
            package = package.rename(FILE, "a/b/Types.csv");
        }
        let (repaired, _) = package.repair();
        let left: Vec<_> = repaired.diagnose().into_iter().filter(|it| it.repairable).collect();
        prop_assert!(left.is_empty(), "{:#?}", left);
        let (again, changes) = repaired.repair();
        prop_assert!(changes.is_empty());
        prop_assert_eq!(again.0, repaired.0);
    }
}
