//! `Manifest.xml`: the entities of a package, their files, and how columns map to staging fields.

use crate::error::Result;
use crate::table::SourceFormat;

use super::MANIFEST_FILE;
use super::spec::RefreshType;
use super::xml_read::{Element, XmlReader, decode};
use super::xml_write::XmlWriter;

const ROOT: &str = "DataManagementPackageManifest";
const TEMPLATE_ROOT: &str = "DataManagementTemplatePackageManifest";
const ENTITY: &str = "DataManagementPackageEntityData";
const MAP: &str = "EntityMap";

/// A manifest as far as we use it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) project: String,
    pub(super) description: String,
    pub(super) entities: Vec<ManifestEntity>,
}

/// One entity. The defaults are those of the service's serializer for an element that is missing: no, zero, nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ManifestEntity {
    pub(super) refresh: Option<String>,
    pub(super) disabled: bool,
    pub(super) maps: Vec<Map>,
    pub(super) label: String,
    pub(super) sheet: String,
    pub(super) execution_unit: i32,
    pub(super) fail_execution_unit_on_error: bool,
    pub(super) fail_level_on_error: bool,
    pub(super) file: String,
    pub(super) level: i32,
    pub(super) run_business_logic: bool,
    pub(super) run_business_validation: bool,
    pub(super) sequence: i32,
    pub(super) skip_staging: bool,
    pub(super) format: SourceFormat,
    pub(super) target_entity: Option<String>,
    pub(super) validation_status: Option<String>,
}

/// Column → staging field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Map {
    pub(super) column: String,
    pub(super) field: String,
}

impl Manifest {
    /// One line of XML, every member in alphabetical order, all maps.
    pub(super) fn write(&self) -> Result<Vec<u8>> {
        let mut xml = XmlWriter::new();
        xml.root(ROOT, |xml| {
            xml.text("DefinitionGroupName", &self.project)?;
            xml.text("Description", &self.description)?;
            xml.element("PackageEntityList", |xml| {
                self.entities.iter().try_for_each(|entity| xml.element(ENTITY, |xml| entity.write(xml)))
            })
        })?;
        xml.finish()
    }

    pub(super) fn read(bytes: &[u8], max_depth: u32) -> Result<Self> {
        const MEMBERS: [&str; 5] =
            ["DefinitionGroupName", "Description", "PackageEntityList", "ProjectCategory", "RulesData"];
        let text = decode(bytes, MANIFEST_FILE)?;
        let mut xml = XmlReader::new(&text, MANIFEST_FILE, max_depth);
        let root = xml.root(&[ROOT, TEMPLATE_ROOT])?;
        if root.name == TEMPLATE_ROOT {
            return Err(xml
                .invalid(root.line, "the package is a data template")
                .hint("Export a data project instead: templates hold no data."));
        }
        let mut manifest = Self::default();
        xml.members(&MEMBERS, &mut |xml, index, _| match index {
            0 => assign(&mut manifest.project, xml.text()),
            1 => assign(&mut manifest.description, xml.text()),
            2 => xml.items(ENTITY, &mut |xml, _| {
                manifest.entities.push(ManifestEntity::read(xml)?);
                Ok(())
            }),
            _ => xml.skip(),
        })?;
        xml.end()?;
        Ok(manifest)
    }
}

impl ManifestEntity {
    fn write(&self, xml: &mut XmlWriter) -> Result<()> {
        xml.text("DefaultRefreshType", self.refresh.as_deref().unwrap_or(RefreshType::FullPush.as_str()))?;
        xml.bool("Disable", self.disabled)?;
        xml.element("EntityMapList", |xml| {
            self.maps.iter().try_for_each(|map| xml.element(MAP, |xml| map.write(xml)))
        })?;
        xml.text("EntityName", &self.label)?;
        xml.nil("EntityTransformList");
        xml.text("ExcelSheetName", &self.sheet)?;
        xml.int("ExecutionUnit", self.execution_unit)?;
        xml.bool("FailExecutionUnitOnError", self.fail_execution_unit_on_error)?;
        xml.bool("FailLevelOnError", self.fail_level_on_error)?;
        xml.text("InputFilePath", &self.file)?;
        xml.int("LevelInExecutionUnit", self.level)?;
        xml.bool("RunBusinessLogic", self.run_business_logic)?;
        xml.bool("RunBusinessValidation", self.run_business_validation)?;
        xml.text("SampleFilePath", "")?;
        xml.int("SequenceInLevel", self.sequence)?;
        xml.bool("SkipStaging", self.skip_staging)?;
        xml.text("SourceFormat", self.format.as_str())?;
        if let Some(target) = &self.target_entity {
            xml.text("TargetEntity", target)?;
        }
        xml.text("ValidationStatus", self.validation_status.as_deref().unwrap_or("Yes"))
    }

    fn read(xml: &mut XmlReader<'_>) -> Result<Self> {
        const MEMBERS: [&str; 21] = [
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
        let mut e = Self { format: SourceFormat::from(""), ..Self::default() };
        xml.members(&MEMBERS, &mut |xml, index, element| e.member(xml, index, element))?;
        Ok(e)
    }

    fn member(&mut self, xml: &mut XmlReader<'_>, index: usize, element: &Element) -> Result<()> {
        if element.nil {
            return xml.skip();
        }
        match index {
            0 => assign(&mut self.refresh, xml.text().map(Some)),
            1 => assign(&mut self.disabled, xml.bool(element)),
            2 => xml.items(MAP, &mut |xml, _| {
                self.maps.push(Map::read(xml)?);
                Ok(())
            }),
            3 => assign(&mut self.label, xml.text()),
            5 => assign(&mut self.sheet, xml.text()),
            6 => assign(&mut self.execution_unit, xml.int(element)),
            7 => assign(&mut self.fail_execution_unit_on_error, xml.bool(element)),
            8 => assign(&mut self.fail_level_on_error, xml.bool(element)),
            9 => assign(&mut self.file, xml.text()),
            10 => assign(&mut self.level, xml.int(element)),
            13 => assign(&mut self.run_business_logic, xml.bool(element)),
            14 => assign(&mut self.run_business_validation, xml.bool(element)),
            16 => assign(&mut self.sequence, xml.int(element)),
            17 => assign(&mut self.skip_staging, xml.bool(element)),
            18 => assign(&mut self.format, xml.text().map(|name| SourceFormat::from(name.as_str()))),
            19 => assign(&mut self.target_entity, xml.text().map(|name| (!name.is_empty()).then_some(name))),
            20 => assign(&mut self.validation_status, xml.text().map(Some)),
            // Transforms, export filters and samples are not used here.
            _ => xml.skip(),
        }
    }
}

impl Map {
    fn write(&self, xml: &mut XmlWriter) -> Result<()> {
        xml.int("ArrayIndex", 0)?;
        xml.text("EntityField", &self.field)?;
        xml.nil("EntityFieldConversionList");
        for flag in ["IsAutoDefault", "IsAutoGenerated", "IsDefaultValueEqualNull", "UseTextQualifier"] {
            xml.bool(flag, false)?;
        }
        xml.text("XMLField", &self.column)
    }

    fn read(xml: &mut XmlReader<'_>) -> Result<Self> {
        const MEMBERS: [&str; 8] = [
            "ArrayIndex",
            "EntityField",
            "EntityFieldConversionList",
            "IsAutoDefault",
            "IsAutoGenerated",
            "IsDefaultValueEqualNull",
            "UseTextQualifier",
            "XMLField",
        ];
        let mut map = Self::default();
        xml.members(&MEMBERS, &mut |xml, index, _| match index {
            1 => assign(&mut map.field, xml.text()),
            7 => assign(&mut map.column, xml.text()),
            _ => xml.skip(),
        })?;
        Ok(map)
    }
}

fn assign<T>(slot: &mut T, value: Result<T>) -> Result<()> {
    *slot = value?;
    Ok(())
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
