//! `PackageHeader.xml` and `Manifest.xml`.

use super::text::decode_xml;
use super::xml::{Element, Members, parse};

/// A manifest, as far as the sandbox uses it.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) description: String,
    pub(crate) entities: Vec<ManifestEntity>,
    /// Elements that are there and are not read because they come too late, twice, or in another namespace.
    pub(crate) skipped: Vec<String>,
}

/// One entity of a manifest.
#[derive(Debug, Clone, Default)]
pub(crate) struct ManifestEntity {
    /// Label of the entity.
    pub(crate) label: String,
    /// Entry name of the data file.
    pub(crate) file: String,
    pub(crate) format: String,
    /// (column of the file, staging field)
    pub(crate) maps: Vec<(String, String)>,
    /// Sheet of a workbook, with the `$` that follows it; empty for the first one.
    pub(crate) sheet: String,
    /// What the sandbox does not do: a name for it. The entity is refused rather than read wrongly.
    pub(crate) beyond: Option<&'static str>,
    pub(crate) refresh: String,
    pub(crate) disable: bool,
    pub(crate) unit: i32,
    pub(crate) level: i32,
    pub(crate) sequence: i32,
    pub(crate) fail_unit: bool,
    pub(crate) fail_level: bool,
    pub(crate) logic: bool,
    pub(crate) validation: bool,
    pub(crate) skip_staging: bool,
}

/// Reads the header: the elements that were skipped; `None` where its root is not recognised, for which another
/// namespace is enough. The kind of package must be the one that can be imported.
pub(crate) fn read_header(bytes: &[u8]) -> Result<Option<Vec<String>>, String> {
    let root = document(bytes)?;
    if !root.known || root.name != "DataManagementPackageHeader" {
        return Ok(None);
    }
    let members = Members::of(&root, &HEADER);
    members.int("PackageVersion")?;
    let (manifest, package) = (members.text("ManifestType"), members.text("PackageType"));
    if manifest.ends_with(".DataManagementTemplatePackageManifest") {
        return Err("The package holds a data template and cannot be imported as a data package.".to_owned());
    }
    if manifest != MANIFEST_TYPE {
        return Err(format!("The manifest type '{manifest}' is not supported."));
    }
    if package != "DefinitionGroup" {
        return Err(format!("The package type '{package}' is not supported."));
    }
    Ok(Some(skipped(&members)))
}

/// Reads the manifest; `None` where its root is not recognised.
pub(crate) fn read_manifest(bytes: &[u8]) -> Result<Option<Manifest>, String> {
    let root = document(bytes)?;
    if root.known && root.name == "DataManagementTemplatePackageManifest" {
        return Err("The package holds a data template and cannot be imported as a data package.".to_owned());
    }
    if !root.known || root.name != "DataManagementPackageManifest" {
        return Ok(None);
    }
    let members = Members::of(&root, &ROOT);
    members.int("ProjectCategory")?;
    let list = members.get("PackageEntityList").map(|list| list.children.as_slice()).unwrap_or_default();
    let mut manifest = Manifest {
        description: members.text("Description"),
        entities: Vec::new(),
        skipped: skipped(&members),
    };
    for item in list {
        if item.name == "DataManagementPackageEntityData" && item.known {
            manifest.entities.push(entity(item, &mut manifest.skipped)?);
        } else {
            manifest.skipped.push(item.name.clone());
        }
    }
    Ok(Some(manifest))
}

/// Every data file that a manifest names, however wrong the manifest is otherwise; those of disabled entities excepted.
pub(crate) fn named_files(bytes: &[u8]) -> Vec<String> {
    let mut files = Vec::new();
    let mut open: Vec<Element> = document(bytes).into_iter().collect();
    while let Some(element) = open.pop() {
        let disabled = element.child("Disable").is_some_and(|flag| flag.text.trim() == "true");
        let named = element.children.iter().filter(|child| child.name == "InputFilePath" && !disabled);
        files.extend(named.map(|child| child.text.clone()));
        open.extend(element.children);
    }
    files.sort();
    files.dedup();
    files
}

/// The one manifest type that data packages have.
pub(super) const MANIFEST_TYPE: &str =
    "Microsoft.Dynamics.AX.Framework.Tools.DataManagement.Serialization.DataManagementPackageManifest";

fn skipped(members: &Members<'_>) -> Vec<String> {
    members.skipped.iter().map(|name| (*name).to_owned()).collect()
}

// The members in the order in which the service writes and reads them.
const ROOT: [&str; 5] =
    ["DefinitionGroupName", "Description", "PackageEntityList", "ProjectCategory", "RulesData"];
const HEADER: [&str; 4] = ["Description", "ManifestType", "PackageType", "PackageVersion"];
const ENTITY: [&str; 21] = [
    "DefaultRefreshType",
    "Disable",
    "EntityMapList",
    "EntityName",
    "EntityTransformList",
    "ExcelSheetName",
    "ExecutionUnit",
    "FailExecutionUnitOnError",
    "FailLevelOnError",
    "InputFilePath",
    "LevelInExecutionUnit",
    "QueryData",
    "QueryFilter",
    "RunBusinessLogic",
    "RunBusinessValidation",
    "SampleFilePath",
    "SequenceInLevel",
    "SkipStaging",
    "SourceFormat",
    "TargetEntity",
    "ValidationStatus",
];
const MAP: [&str; 8] = [
    "ArrayIndex",
    "EntityField",
    "EntityFieldConversionList",
    "IsAutoDefault",
    "IsAutoGenerated",
    "IsDefaultValueEqualNull",
    "UseTextQualifier",
    "XMLField",
];

fn document(bytes: &[u8]) -> Result<Element, String> {
    let text = decode_xml(bytes).ok_or("There is invalid data in the encoding of the document.")?;
    parse(&text)
}

fn entity(element: &Element, lost: &mut Vec<String>) -> Result<ManifestEntity, String> {
    let members = Members::of(element, &ENTITY);
    lost.extend(skipped(&members));
    let list = |name: &str| members.get(name).map(|list| list.children.as_slice()).unwrap_or_default();
    let mut beyond =
        (!list("EntityTransformList").is_empty()).then_some("The transformation of files by XSLT");
    let mut maps = Vec::new();
    for item in list("EntityMapList") {
        if item.name != "EntityMap" || !item.known {
            lost.push(item.name.clone());
            continue;
        }
        let map = Members::of(item, &MAP);
        lost.extend(skipped(&map));
        map.int("ArrayIndex")?;
        map.flag("IsDefaultValueEqualNull")?;
        map.flag("UseTextQualifier")?;
        if map.get("EntityFieldConversionList").is_some_and(|list| !list.children.is_empty()) {
            beyond = Some("The conversion of values by a mapping");
        }
        if map.flag("IsAutoDefault")? || map.flag("IsAutoGenerated")? {
            beyond = Some("A field with a default or generated value in the mapping");
        }
        maps.push((map.text("XMLField"), map.text("EntityField")));
    }
    Ok(ManifestEntity {
        label: members.text("EntityName"),
        file: members.text("InputFilePath"),
        format: members.text("SourceFormat"),
        maps,
        sheet: members.text("ExcelSheetName"),
        beyond,
        refresh: members.text("DefaultRefreshType"),
        disable: members.flag("Disable")?,
        unit: members.int("ExecutionUnit")?,
        level: members.int("LevelInExecutionUnit")?,
        sequence: members.int("SequenceInLevel")?,
        fail_unit: members.flag("FailExecutionUnitOnError")?,
        fail_level: members.flag("FailLevelOnError")?,
        logic: members.flag("RunBusinessLogic")?,
        validation: members.flag("RunBusinessValidation")?,
        skip_staging: members.flag("SkipStaging")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::xml::NAMESPACE;
    use super::*;

    fn manifest(entity: &str) -> Vec<u8> {
        format!(
            "<DataManagementPackageManifest xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns=\"{NAMESPACE}\"><PackageEntityList><DataManagementPackageEntityData>{entity}</DataManagementPackageEntityData></PackageEntityList></DataManagementPackageManifest>"
        )
        .into_bytes()
    }

    #[test]
    fn an_element_out_of_order_is_lost() {
        let good = manifest(
            "<EntityMapList><EntityMap><EntityField>NAME</EntityField><XMLField>NAME</XMLField></EntityMap></EntityMapList><EntityName>Currencies</EntityName>",
        );
        let entity = read_manifest(&good).unwrap().unwrap().entities.remove(0);
        assert_eq!((entity.label.as_str(), entity.maps.len()), ("Currencies", 1));
        let late = manifest(
            "<EntityName>Currencies</EntityName><EntityMapList><EntityMap><EntityField>NAME</EntityField><XMLField>NAME</XMLField></EntityMap></EntityMapList>",
        );
        let entity = read_manifest(&late).unwrap().unwrap().entities.remove(0);
        assert_eq!((entity.label.as_str(), entity.maps.len()), ("Currencies", 0));
    }

    #[test]
    fn a_wrong_namespace_is_not_recognised() {
        assert!(read_manifest(b"<DataManagementPackageManifest xmlns='urn:x'/>").unwrap().is_none());
        assert!(read_header(b"<DataManagementPackageHeader/>").unwrap().is_none());
        assert!(read_header(b"<oops").is_err());
    }

    fn header(members: &str) -> Result<Option<Vec<String>>, String> {
        read_header(
            format!(
                "<DataManagementPackageHeader xmlns='{NAMESPACE}'>{members}</DataManagementPackageHeader>"
            )
            .as_bytes(),
        )
    }

    #[test]
    fn the_header_must_be_of_a_data_package() {
        let manifest = format!("<ManifestType>{MANIFEST_TYPE}</ManifestType>");
        let package = "<PackageType>DefinitionGroup</PackageType>";
        let version = "<PackageVersion>2</PackageVersion>";
        assert_eq!(header(&format!("<Description/>{manifest}{package}{version}")), Ok(Some(vec![])));
        // Version and description may be absent: 0 and null.
        assert_eq!(header(&format!("{manifest}{package}")), Ok(Some(vec![])));
        for (members, words) in [
            (format!("{package}{version}"), "The manifest type '' is not supported."),
            // Too late, so it is not there.
            (format!("{package}{manifest}{version}"), "The manifest type '' is not supported."),
            (format!("{manifest}{version}"), "The package type '' is not supported."),
            (format!("{manifest}<PackageType>Template</PackageType>"), "The package type 'Template'"),
            (manifest.replace("DataManagementPackage", "DataManagementTemplatePackage"), "data template"),
            (format!("{manifest}{package}<PackageVersion>two</PackageVersion>"), "'Int32'"),
        ] {
            let error = header(&members).unwrap_err();
            assert!(error.contains(words), "{members}: {error}");
        }
    }

    #[test]
    fn a_data_template_is_named_as_such() {
        let template = format!("<DataManagementTemplatePackageManifest xmlns='{NAMESPACE}'/>");
        assert!(read_manifest(template.as_bytes()).unwrap_err().contains("data template"));
    }

    #[test]
    fn what_is_skipped_is_known() {
        let read = |entity: &str| read_manifest(&manifest(entity)).unwrap().unwrap();
        let lost = read("<EntityName>a</EntityName><Disable>true</Disable><X/><EntityName>b</EntityName>");
        assert_eq!(lost.skipped, ["Disable", "EntityName"]);
        assert_eq!((lost.entities[0].label.as_str(), lost.entities[0].disable), ("a", false));
        assert!(read("<Disable>true</Disable><EntityName>a</EntityName>").skipped.is_empty());
        let map = read(
            "<EntityMapList><EntityMap><XMLField>A</XMLField><EntityField>A</EntityField></EntityMap></EntityMapList>",
        );
        assert_eq!(map.skipped, ["EntityField"]);
        assert_eq!(map.entities[0].maps, [("A".to_owned(), String::new())]);
        assert!(read_manifest(&manifest("<Disable />")).is_err());
    }

    #[test]
    fn files_are_known_however_wrong_the_manifest_is() {
        let text = "<m xmlns='urn:x'><e><InputFilePath>b.csv</InputFilePath></e><e><InputFilePath>a.csv</InputFilePath></e><e><Disable>true</Disable><InputFilePath>c.csv</InputFilePath></e></m>";
        assert_eq!(named_files(text.as_bytes()), ["a.csv", "b.csv"]);
    }

    #[test]
    fn what_the_sandbox_does_not_do_is_marked() {
        let beyond = |maps: &str| {
            read_manifest(&manifest(&format!("<EntityMapList><EntityMap>{maps}</EntityMap></EntityMapList>")))
                .unwrap()
                .unwrap()
                .entities
                .remove(0)
                .beyond
        };
        assert!(beyond("<EntityFieldConversionList/><IsAutoGenerated>false</IsAutoGenerated>").is_none());
        assert!(beyond("<IsAutoGenerated>true</IsAutoGenerated>").is_some());
        assert!(
            beyond("<EntityFieldConversionList><EntityFieldConversion/></EntityFieldConversionList>")
                .is_some()
        );
    }
}
