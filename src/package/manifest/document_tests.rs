//! Manifests that are read, changed and written again. Every expectation is made by hand from the text that was read.

use super::super::mutation::mutated;
use super::super::samples::{INDENTED, V1, utf16, v2, v2_entity};
use super::*;
use crate::error::ErrorCode;
use crate::package::xml::IssueKind;
use proptest::prelude::*;

fn doc(text: &str) -> ManifestDoc {
    ManifestDoc::parse(text.as_bytes(), 64).unwrap()
}

/// Reads the text as UTF-8 and as UTF-16LE, changes it, and compares.
fn changed(before: &str, after: &str, change: impl Fn(&mut ManifestDoc)) {
    let mut utf8 = doc(before);
    change(&mut utf8);
    assert_eq!(String::from_utf8(utf8.write().unwrap()).unwrap(), after);
    let mut wide = ManifestDoc::parse(&utf16(before), 64).unwrap();
    change(&mut wide);
    assert!(wide.write().unwrap() == utf16(after));
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to)
}

fn column(column: &str, field: &str) -> Map {
    Map { column: column.into(), field: field.into(), ..Map::default() }
}

/// Lines 10 to 12, for example.
fn without_lines(text: &str, first: usize, last: usize) -> String {
    let lines = text.split_inclusive('\n').enumerate();
    lines.filter(|(index, _)| !(first..=last).contains(&(index + 1))).map(|(_, line)| line).collect()
}

#[test]
fn what_is_not_changed_is_written_as_it_was() {
    for text in [V1, &v2(), INDENTED] {
        changed(text, text, |_| {});
        let marked = format!("\u{feff}{text}").into_bytes();
        assert!(ManifestDoc::parse(&marked, 64).unwrap().write().unwrap() == marked);
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        let big: Vec<u8> = units.flat_map(u16::to_be_bytes).collect();
        assert!(ManifestDoc::parse(&big, 64).unwrap().write().unwrap() == big);
        let bare: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(ManifestDoc::parse(&bare, 64).unwrap().write().unwrap() == bare);
    }
}

#[test]
fn a_changed_text_alters_its_element_only() {
    let after = replaced(V1, ">Types &amp; more<", ">a &lt; b\nc<");
    changed(V1, &after, |doc| doc.set_root_text("Description", "a < b\nc").unwrap());
    let after = replaced(V1, "<ExcelSheetName />", "<ExcelSheetName>Vehicle_type$</ExcelSheetName>");
    changed(V1, &after, |doc| doc.set_entity_text(0, "ExcelSheetName", "Vehicle_type$").unwrap());
    let after = replaced(V1, ">Vehicle type.xlsx<", ">Fahrzeugart.xlsx<");
    changed(V1, &after, |doc| doc.set_entity_text(0, "InputFilePath", "Fahrzeugart.xlsx").unwrap());
    let after = replaced(&v2(), "<EntityName>Two</EntityName>", "<EntityName />");
    changed(&v2(), &after, |doc| doc.set_entity_text(1, "EntityName", "").unwrap());
    let after = replaced(INDENTED, "<Disable>false<", "<Disable>true<");
    changed(INDENTED, &after, |doc| doc.set_entity_text(1, "Disable", "true").unwrap());
    let after =
        replaced(INDENTED, "<ExcelSheetName></ExcelSheetName>", "<ExcelSheetName>S$</ExcelSheetName>");
    changed(INDENTED, &after, |doc| doc.set_entity_text(1, "ExcelSheetName", "S$").unwrap());
}

#[test]
fn attributes_stay_but_for_nil() {
    let text = replaced(V1, "<SampleFilePath />", "<SampleFilePath a='/' i:nil = '1' b=\">\"/>");
    let after = replaced(V1, "<SampleFilePath />", "<SampleFilePath a='/' b=\">\">x</SampleFilePath>");
    changed(&text, &after, |doc| doc.set_entity_text(0, "SampleFilePath", "x").unwrap());
    let after = replaced(V1, "<SampleFilePath />", "<SampleFilePath a='/' b=\">\" />");
    changed(&text, &after, |doc| doc.set_entity_text(0, "SampleFilePath", "").unwrap());
    let text =
        replaced(V1, "<SampleFilePath />", "<SampleFilePath i:nil=\"true\"><!-- none --></SampleFilePath>");
    let after = replaced(V1, "<SampleFilePath />", "<SampleFilePath>x</SampleFilePath>");
    changed(&text, &after, |doc| doc.set_entity_text(0, "SampleFilePath", "x").unwrap());
    assert_eq!(doc(&text).entity_text(0, "SampleFilePath"), None);
    let text = replaced(V1, "<SampleFilePath />", "<SampleFilePath i:nil='false' />");
    let after = replaced(V1, "<SampleFilePath />", "<SampleFilePath i:nil='false'>x</SampleFilePath>");
    changed(&text, &after, |doc| doc.set_entity_text(0, "SampleFilePath", "x").unwrap());
}

// Kills mutants in the choice of the place: before the first later one, with unknown elements by name.
#[test]
fn a_missing_element_is_put_at_its_alphabetical_place() {
    let after = replaced(V1, "<EntityMapList>", "<Disable>true</Disable><EntityMapList>");
    changed(V1, &after, |doc| doc.set_entity_text(0, "Disable", "true").unwrap());
    let after = replaced(V1, "</ValidationStatus>", "</ValidationStatus>");
    let after = replaced(&after, "<ValidationStatus>", "<TargetEntity>T</TargetEntity><ValidationStatus>");
    changed(V1, &after, |doc| doc.set_entity_text(0, "TargetEntity", "T").unwrap());
    let after =
        replaced(V1, "</PackageEntityList>", "</PackageEntityList><ProjectCategory>2</ProjectCategory>");
    changed(V1, &after, |doc| doc.set_root_text("ProjectCategory", "2").unwrap());
    // Beside unknown elements: RunBusinessLogic < Something < SourceFormat, and SkipStaging < Something.
    let after = replaced(
        INDENTED,
        "      <Something new",
        "      <SkipStaging>true</SkipStaging>\n      <Something new",
    );
    changed(INDENTED, &after, |doc| doc.set_entity_text(1, "SkipStaging", "true").unwrap());
    let after = replaced(
        INDENTED,
        ".csv</InputFilePath>\n      <Something",
        ".csv</InputFilePath>\n      <LevelInExecutionUnit>2</LevelInExecutionUnit>\n      <Something",
    );
    changed(INDENTED, &after, |doc| doc.set_entity_text(1, "LevelInExecutionUnit", "2").unwrap());
    let after =
        replaced(INDENTED, "  <PackageEntityList>", "  <Description>x</Description>\n  <PackageEntityList>");
    changed(INDENTED, &after, |doc| doc.set_root_text("Description", "x").unwrap());
    let after = replaced(
        INDENTED,
        "<SourceFormat>CSV</SourceFormat>\n",
        "<SourceFormat>CSV</SourceFormat>\n      <TargetEntity>VendVendorV2Entity</TargetEntity>\n",
    );
    changed(INDENTED, &after, |doc| doc.set_entity_text(1, "TargetEntity", "VendVendorV2Entity").unwrap());
}

#[test]
fn an_element_without_content_is_opened_for_a_member() {
    let text = "<DataManagementPackageManifest xmlns='http://schemas.microsoft.com/dynamics/2015/01/DataManagement'/>";
    let after = "<DataManagementPackageManifest xmlns='http://schemas.microsoft.com/dynamics/2015/01/DataManagement'>\
                 <Description>d</Description></DataManagementPackageManifest>";
    changed(text, after, |doc| doc.set_root_text("Description", "d").unwrap());
}

#[test]
fn a_new_element_has_the_prefix_of_its_parent() {
    let text = "<d:DataManagementPackageManifest xmlns:d='http://schemas.microsoft.com/dynamics/2015/01/DataManagement'>\
                <d:Description>d</d:Description></d:DataManagementPackageManifest>";
    let after = replaced(text, "<d:Desc", "<d:DefinitionGroupName>P</d:DefinitionGroupName><d:Desc");
    changed(text, &after, |doc| doc.set_root_text("DefinitionGroupName", "P").unwrap());
    let mut doc = doc(text);
    doc.set_root_text("DefinitionGroupName", "P").unwrap();
    assert_eq!((doc.root_text("DefinitionGroupName").as_deref(), doc.issues().len()), (Some("P"), 0));
    assert_eq!(doc.root_text("ProjectCategory"), None);
}

#[test]
fn what_can_not_be_set_is_refused() {
    let mut doc = doc(V1);
    for (name, value) in [
        ("Entity", "x"),
        ("EntityMapList", "x"),
        ("Disable", "No"),
        ("ExecutionUnit", "one"),
        ("EntityName", "\u{1}"),
    ] {
        assert_eq!(
            doc.set_entity_text(0, name, value).unwrap_err().code,
            ErrorCode::InvalidArgument,
            "{name}"
        );
    }
    assert_eq!(doc.set_entity_text(1, "EntityName", "x").unwrap_err().code, ErrorCode::InvalidArgument);
    assert_eq!(doc.set_maps(1, &[]).unwrap_err().code, ErrorCode::InvalidArgument);
    assert_eq!(doc.set_root_text("EntityName", "x").unwrap_err().code, ErrorCode::InvalidArgument);
    assert_eq!(String::from_utf8(doc.write().unwrap()).unwrap(), V1);
}

// Kills mutants in the block that is removed and in the counting of entities between unknown elements.
#[test]
fn removing_an_entity_removes_exactly_its_block() {
    let all = v2();
    changed(&all, &replaced(&all, &v2_entity("Two"), ""), |doc| doc.keep_entities(&[0, 2]));
    changed(&all, &replaced(&replaced(&all, &v2_entity("One"), ""), &v2_entity("Three"), ""), |doc| {
        doc.keep_entities(&[1]);
    });
    changed(&all, &all, |doc| doc.keep_entities(&[2, 1, 0, 1, 7]));
    // Line by line; the comment before the first entity is nobody's and stays.
    changed(INDENTED, &without_lines(INDENTED, 7, 15), |doc| doc.keep_entities(&[1]));
    changed(INDENTED, &without_lines(INDENTED, 19, 27), |doc| doc.keep_entities(&[0]));
    changed(INDENTED, &without_lines(&without_lines(INDENTED, 19, 27), 7, 15), |doc| doc.keep_entities(&[]));
    changed(INDENTED, INDENTED, |doc| doc.keep_entities(&[0, 1]));
    let mut doc = doc(INDENTED);
    doc.keep_entities(&[1]);
    doc.set_entity_text(0, "SourceFormat", "CSV-Unicode").unwrap();
    assert_eq!(doc.manifest().entities[0].label, "Vendors V2");
    assert_eq!(doc.entity_text(0, "SourceFormat").as_deref(), Some("CSV-Unicode"));
    assert_eq!(doc.entity_text(1, "SourceFormat"), None);
}

#[test]
fn maps_are_replaced_and_those_that_are_there_kept() {
    let new = "<EntityMap><ArrayIndex>0</ArrayIndex><EntityField>NEW</EntityField><EntityFieldConversionList i:nil=\"true\" />\
               <IsAutoDefault>false</IsAutoDefault><IsAutoGenerated>false</IsAutoGenerated><IsDefaultValueEqualNull>false\
               </IsDefaultValueEqualNull><UseTextQualifier>false</UseTextQualifier><XMLField>A&amp;B</XMLField></EntityMap>";
    let after = replaced(
        INDENTED,
        "<EntityMap><EntityField>CODE</EntityField><XMLField>CODE</XMLField></EntityMap>\n        <EntityMap><EntityField>NAME</EntityField><XMLField>TEXT</XMLField></EntityMap>",
        &format!(
            "<EntityMap><EntityField>NAME</EntityField><XMLField>TEXT</XMLField></EntityMap>\n        {new}"
        ),
    );
    changed(INDENTED, &after, |doc| {
        doc.set_maps(0, &[column("TEXT", "NAME"), column("A&B", "NEW")]).unwrap()
    });
    let after = replaced(
        INDENTED,
        "<EntityMapList i:nil=\"true\" />",
        &format!("<EntityMapList>\n        {new}\n      </EntityMapList>"),
    );
    changed(INDENTED, &after, |doc| doc.set_maps(1, &[column("A&B", "NEW")]).unwrap());
    let (before, rest) = V1.split_once("<EntityMapList>").unwrap();
    let (_, after) = rest.split_once("</EntityMapList>").unwrap();
    changed(V1, &format!("{before}<EntityMapList>{new}</EntityMapList>{after}"), |doc| {
        doc.set_maps(0, &[column("A&B", "NEW")]).unwrap();
    });
    changed(V1, &format!("{before}<EntityMapList />{after}"), |doc| doc.set_maps(0, &[]).unwrap());
    // A list that is not there at all.
    changed(
        &format!("{before}{after}"),
        &format!("{before}<EntityMapList>{new}</EntityMapList>{after}"),
        |doc| doc.set_maps(0, &[column("A&B", "NEW")]).unwrap(),
    );
    let mut doc = doc(&format!("{before}{after}"));
    doc.set_maps(0, &[column("A&B", "NEW")]).unwrap();
    assert_eq!(doc.manifest().entities[0].maps, [column("A&B", "NEW")]);
}

#[test]
fn a_map_needs_no_prefix_for_nil() {
    let text = replaced(V1, " xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"", "");
    let text = text.replace(" i:nil=\"true\"", "");
    let mut doc = doc(&text);
    doc.set_maps(0, &[column("X", "X")]).unwrap();
    let written = String::from_utf8(doc.write().unwrap()).unwrap();
    assert!(written.contains("<EntityField>X</EntityField><IsAutoDefault>"), "{written}");
    let mut other = super::ManifestDoc::parse(
        replaced(&v2(), "<Note i:nil=\"true\" />", "")
            .replace("xmlns:i=", "xmlns:z=")
            .replace("i:nil", "z:nil")
            .as_bytes(),
        64,
    )
    .unwrap();
    other.set_maps(0, &[column("X", "X")]).unwrap();
    let written = String::from_utf8(other.write().unwrap()).unwrap();
    assert!(written.contains("<EntityField>X</EntityField><EntityFieldConversionList z:nil=\"true\" />"));
    ManifestDoc::parse(written.as_bytes(), 64).unwrap();
}

#[test]
fn late_elements_are_moved_to_their_place() {
    let late = replaced(V1, "<RunBusinessLogic>true</RunBusinessLogic>", "");
    let late =
        replaced(&late, "<ValidationStatus>", "<RunBusinessLogic>true</RunBusinessLogic><ValidationStatus>");
    changed(&late, V1, |doc| {
        assert_eq!(doc.correct().unwrap(), Correction { moved: 1, ..Correction::default() });
    });
    let swapped = replaced(
        INDENTED,
        "      <EntityName>Currencies</EntityName>\n      <InputFilePath>Currencies.csv</InputFilePath>\n      <SourceFormat>CSV-Unicode</SourceFormat>\n",
        "      <SourceFormat>CSV-Unicode</SourceFormat>\n      <InputFilePath>Currencies.csv</InputFilePath>\n      <EntityName>Currencies</EntityName>\n",
    );
    changed(&swapped, INDENTED, |doc| assert_eq!(doc.correct().unwrap().moved, 2));
    let map = replaced(
        INDENTED,
        "<EntityField>NAME</EntityField><XMLField>TEXT</XMLField>",
        "<XMLField>TEXT</XMLField><EntityField>NAME</EntityField>",
    );
    changed(&map, INDENTED, |doc| assert_eq!(doc.correct().unwrap().moved, 1));
    let root = replaced(INDENTED, "  <DefinitionGroupName>Währungen</DefinitionGroupName>\n", "");
    let root = replaced(
        &root,
        "  </PackageEntityList>\n",
        "  </PackageEntityList>\n  <DefinitionGroupName>Währungen</DefinitionGroupName>\n",
    );
    changed(&root, INDENTED, |doc| assert_eq!(doc.correct().unwrap().moved, 1));
}

#[test]
fn repeated_elements_are_removed() {
    let twice = replaced(V1, "<ExecutionUnit>", "<ExcelSheetName>b</ExcelSheetName><ExecutionUnit>");
    changed(&twice, V1, |doc| {
        assert_eq!(doc.correct().unwrap(), Correction { removed: 1, ..Correction::default() });
    });
    let foreign = replaced(V1, "<EntityName>", "<EntityName xmlns='urn:x'>b</EntityName><EntityName>");
    assert_eq!(doc(&foreign).manifest().entities[0].label, "Vehicle type");
    changed(&foreign, V1, |doc| assert_eq!(doc.correct().unwrap().removed, 1));
}

#[test]
fn namespaces_are_corrected_where_they_are_declared() {
    const RIGHT: &str = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement";
    let wrong = replaced(V1, RIGHT, "http://schemas.microsoft.com/dynamics/2008/01/documents");
    changed(&wrong, V1, |doc| {
        assert_eq!(doc.issues().len(), 1);
        assert_eq!(doc.correct().unwrap(), Correction { namespaces: 1, ..Correction::default() });
        assert!(doc.issues().is_empty());
    });
    let missing = replaced(INDENTED, &format!(" xmlns=\"{RIGHT}\""), "");
    let after = replaced(INDENTED, " xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"", "");
    let after = replaced(
        &after,
        &format!(" xmlns=\"{RIGHT}\""),
        &format!(" xmlns=\"{RIGHT}\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\""),
    );
    changed(&missing, &after, |doc| assert_eq!(doc.correct().unwrap().namespaces, 1));
    let own = replaced(INDENTED, "<Disable>", "<Disable xmlns = 'urn:x'>");
    let after = replaced(INDENTED, "<Disable>", &format!("<Disable xmlns = '{RIGHT}'>"));
    changed(&own, &after, |doc| assert_eq!(doc.correct().unwrap().namespaces, 1));
    let prefixed = replaced(V1, "<EntityMapList>", "<x:EntityMapList xmlns:x='urn:x'>");
    let prefixed = replaced(&prefixed, "</EntityMapList>", "</x:EntityMapList>");
    changed(&prefixed, &prefixed.replace("urn:x", RIGHT), |doc| {
        assert_eq!(doc.correct().unwrap().namespaces, 1);
        assert_eq!(doc.manifest().entities[0].maps.len(), 2);
    });
    // What is in it is of the wrong namespace too, so it takes a second round where it is declared anew.
    let nested = replaced(V1, "<PackageEntityList>", "<PackageEntityList xmlns=''>");
    let nested = replaced(&nested, "<EntityName>", "<EntityName xmlns='urn:y'>");
    let after = replaced(V1, "<PackageEntityList>", &format!("<PackageEntityList xmlns='{RIGHT}'>"));
    let after = replaced(&after, "<EntityName>", &format!("<EntityName xmlns='{RIGHT}'>"));
    changed(&nested, &after, |doc| {
        let manifest = doc.manifest();
        assert_eq!(doc.correct().unwrap().namespaces, 2);
        assert_eq!((doc.manifest(), doc.issues().len()), (manifest, 0));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    // Kills mutants in every span, and those corrections that leave something or change what was read.
    #[test]
    fn any_manifest_is_written_as_it_was_and_corrected_without_loss(bytes in mutated()) {
        let Ok(mut doc) = ManifestDoc::parse(&bytes, 64) else { return Ok(()) };
        prop_assert!(doc.write().unwrap() == bytes);
        let manifest = doc.manifest();
        doc.keep_entities(&(0..manifest.entities.len()).collect::<Vec<_>>());
        prop_assert!(doc.write().unwrap() == bytes);
        let issues = doc.issues();
        let correction = doc.correct().unwrap();
        prop_assert_eq!(correction == Correction::default(), issues.iter().all(is_bad_value));
        let again = ManifestDoc::parse(&doc.write().unwrap(), 64).unwrap();
        prop_assert_eq!(&again.manifest(), &manifest);
        prop_assert_eq!(&doc.manifest(), &manifest);
        prop_assert!(again.issues().iter().all(is_bad_value), "{:?}", again.issues());
        if !manifest.entities.is_empty() {
            doc.set_entity_text(0, "InputFilePath", "é.csv").unwrap();
            doc.set_maps(0, &[column("A", "B")]).unwrap();
            let again = ManifestDoc::parse(&doc.write().unwrap(), 64).unwrap().manifest();
            prop_assert_eq!(&again.entities[0].file, "é.csv");
            prop_assert_eq!(&again.entities[0].maps, &[column("A", "B")]);
            prop_assert_eq!(&again.entities[1..], &manifest.entities[1..]);
        }
    }
}

fn is_bad_value(issue: &ManifestIssue) -> bool {
    matches!(issue.kind, IssueKind::BadValue { .. })
}
