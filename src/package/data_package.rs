//! An opened package.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::catalog::{builtin, nearest};
use crate::error::{Error, ErrorCode, Result};
use crate::table::SourceFormat;

use super::header::HeaderDoc;
use super::limits::Limits;
use super::manifest::{ManifestDoc, ManifestEntity};
use super::row_reader::RowReader;
use super::zip::Archive;
use super::{HEADER_FILE, MANIFEST_FILE, foreign};

/// A data package in memory. Only its directory and its two XML files have been read; data files are read when asked for.
#[derive(Debug, Clone)]
pub struct DataPackage {
    archive: Archive,
    name: String,
    description: String,
    entities: Vec<PackageEntity>,
}

/// An entity as the package's manifest describes it. Numbers and flags are as they stand there, 0 and false where missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PackageEntity {
    /// Label of the data entity.
    pub entity: String,
    /// Its OData collection, where the catalogue knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Source data format.
    pub format: SourceFormat,
    /// Name of its file in the zip; the file may be missing.
    pub file_name: String,
    /// Mapped columns in the order of the maps, which need not be that of the file; none where the manifest has no maps.
    pub columns: Vec<String>,
    /// Column → staging field.
    pub fields: BTreeMap<String, String>,
    /// AOT name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_entity: Option<String>,
    /// Sheet of the workbook, with the `$` that manifests put after it; empty for other formats.
    pub sheet: String,
    /// Execution unit.
    pub execution_unit: i32,
    /// Level in the execution unit.
    pub level: i32,
    /// Sequence in the level.
    pub sequence: i32,
    /// Whether the level stops when this entity fails.
    pub fail_level_on_error: bool,
    /// Whether the execution unit stops when this entity fails.
    pub fail_execution_unit_on_error: bool,
    /// Whether insert and update methods are called.
    pub run_business_logic: bool,
    /// Whether validation is called.
    pub run_business_validation: bool,
    /// Whether staging is skipped.
    pub skip_staging: bool,
    /// Whether the line is not run.
    pub disabled: bool,
    /// `FullPush` or `IncrementalPush`, where the manifest says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
}

/// A file in the zip; folders are none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FileInfo {
    /// Name, with `/` between folders.
    pub name: String,
    /// Bytes of content.
    pub size: u64,
    /// Bytes in the zip.
    pub compressed_size: u64,
}

impl DataPackage {
    /// Opens a package. A manifest without maps, or one that names files that the zip lacks, opens too.
    ///
    /// # Errors
    /// - `NOT_A_PACKAGE`: no zip, or a zip without `PackageHeader.xml` at its root; the message says what it is instead.
    /// - `PACKAGE_CORRUPT`: a damaged, cut, encrypted or contradictory zip; entries that overlap, share a name, or lead out.
    /// - `PACKAGE_LIMIT`: more than `limits` allow, with both numbers.
    /// - `MANIFEST_INVALID`: no `Manifest.xml`, XML that is not well-formed or has a document type, a data template,
    ///   another root element; with file and line. What the service would misread, because it comes too late or is in
    ///   another namespace, opens.
    pub fn open(bytes: Vec<u8>, limits: Limits) -> Result<Self> {
        if !Archive::is_zip(&bytes) {
            return Err(foreign::not_a_zip(&bytes));
        }
        let archive = Archive::open(bytes, &limits)?;
        if archive.find(HEADER_FILE).is_none() {
            return Err(foreign::no_header(&archive));
        }
        HeaderDoc::parse(&read_xml(&archive, HEADER_FILE, &limits)?, limits.xml_depth)?;
        let manifest =
            ManifestDoc::parse(&read_xml(&archive, MANIFEST_FILE, &limits)?, limits.xml_depth)?.manifest();
        Ok(Self {
            archive,
            name: manifest.project,
            description: manifest.description,
            entities: manifest.entities.into_iter().map(PackageEntity::from).collect(),
        })
    }

    /// The bytes that it was opened from.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.archive.into_bytes()
    }

    /// Name of the data project that the package was exported from or is meant for.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Description of the data project; empty where there is none.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The entities in the order of the manifest.
    #[must_use]
    pub fn entities(&self) -> &[PackageEntity] {
        &self.entities
    }

    /// The files in the order of the zip's directory, the two XML files included.
    pub fn files(&self) -> impl Iterator<Item = FileInfo> {
        self.archive.entries().iter().filter(|entry| !entry.name.ends_with('/')).map(|entry| FileInfo {
            name: entry.name.clone(),
            size: entry.size,
            compressed_size: entry.compressed,
        })
    }

    /// The content of a file, with size and checksum found right.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a name that the zip lacks, `PACKAGE_CORRUPT` for damage.
    pub fn read_file(&self, name: &str) -> Result<Vec<u8>> {
        let entry = self.archive.find(name).ok_or_else(|| {
            let error = Error::argument(format!("the package has no file \"{name}\"")).in_file(name);
            match nearest(name, self.archive.entries().iter().map(|entry| entry.name.as_str())) {
                Some(near) => error.hint(format!("Did you mean \"{near}\"?")),
                None => error.hint("See files() for the names; they are case-sensitive."),
            }
        })?;
        self.archive.read(entry)
    }

    /// Reads the rows of the entity with that 0-based index.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an index that does not exist. `DATA_INVALID` for a file that the zip lacks, a format other
    /// than CSV-Unicode and CSV, and a header with a column that is unnamed or there twice. `PACKAGE_CORRUPT` for damage.
    pub fn rows(&self, index: usize) -> Result<RowReader> {
        let entity = self
            .entities
            .get(index)
            .ok_or_else(|| Error::argument(format!("the package has no entity {index}")))?;
        let place = |error: Error| error.in_entity(&entity.entity).in_file(&entity.file_name);
        if entity.format.csv_encoding().is_none() {
            let message =
                format!("the rows of \"{}\" are in the format \"{}\"", entity.entity, entity.format);
            return Err(place(Error::new(ErrorCode::DataInvalid, message))
                .hint("This version reads CSV-Unicode and CSV: export the entity in one of them."));
        }
        let entry = self.archive.find(&entity.file_name).ok_or_else(|| {
            let message = format!("the package lacks the file \"{}\" of its manifest", entity.file_name);
            let error = place(Error::new(ErrorCode::DataInvalid, message));
            match foreign::near(&self.archive, &entity.file_name) {
                Some(near) => error.hint(format!("There is \"{near}\": the names must be the same.")),
                None => error.hint("Export again, or take the entity out of the manifest."),
            }
        })?;
        RowReader::new(&self.archive, entry, &entity.entity, &entity.columns).map_err(place)
    }

    /// Counts the rows of that entity by reading its whole file. Errors as those of [`rows`](Self::rows) and
    /// [`RowReader::next`].
    pub fn count_rows(&self, index: usize) -> Result<u64> {
        self.rows(index)?.count()
    }
}

fn read_xml(archive: &Archive, name: &str, limits: &Limits) -> Result<Vec<u8>> {
    let Some(entry) = archive.find(name) else {
        return Err(foreign::misplaced(archive, name, ErrorCode::ManifestInvalid).unwrap_or_else(|| {
            Error::new(ErrorCode::ManifestInvalid, format!("the zip has no {name}"))
                .in_file(name)
                .hint("A data package needs PackageHeader.xml and Manifest.xml at the root of the zip.")
        }));
    };
    if entry.size > limits.spool {
        let message = format!("{name} has {} bytes, the limit is {}", entry.size, limits.spool);
        return Err(Error::new(ErrorCode::PackageLimit, message).in_file(name));
    }
    archive.read(entry)
}

impl From<ManifestEntity> for PackageEntity {
    fn from(m: ManifestEntity) -> Self {
        let known = builtin().find(&m.label).filter(|entity| entity.label == m.label);
        Self {
            collection: known.and_then(|entity| entity.collection.clone()),
            columns: m.maps.iter().map(|map| map.column.clone()).collect(),
            fields: m.maps.into_iter().map(|map| (map.column, map.field)).collect(),
            entity: m.label,
            format: m.format,
            file_name: m.file,
            target_entity: m.target_entity,
            sheet: m.sheet,
            execution_unit: m.execution_unit,
            level: m.level,
            sequence: m.sequence,
            fail_level_on_error: m.fail_level_on_error,
            fail_execution_unit_on_error: m.fail_execution_unit_on_error,
            run_business_logic: m.run_business_logic,
            run_business_validation: m.run_business_validation,
            skip_staging: m.skip_staging,
            disabled: m.disabled,
            refresh: m.refresh,
        }
    }
}

#[cfg(test)]
#[path = "data_package_tests.rs"]
mod tests;
