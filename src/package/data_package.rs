//! An opened package.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use crate::catalog::{Catalog, builtin, nearest};
use crate::error::{Error, ErrorCode, Result};
use crate::table::SourceFormat;

use super::doctor::{Doctor, Repairer};
use super::foreign;
use super::header::HeaderDoc;
use super::limits::Limits;
use super::manifest::{ManifestDoc, ManifestEntity};
use super::pull::Pull;
use super::rewriter::{Part, Rewriter};
use super::row_reader::RowReader;
use super::zip::{Directory, EntryReader};

/// An open data package: its directory and its two XML files, and none of its bytes. Data files are read when asked for, by
/// ranges of whatever the package was opened from. [`Opener`](super::Opener) opens one, or
/// [`LocalPackage`](super::LocalPackage) where the package is at hand.
#[derive(Debug, Clone)]
pub struct DataPackage {
    directory: Directory,
    limits: Limits,
    name: String,
    description: String,
    entities: Vec<PackageEntity>,
    parts: Arc<Parts>,
    schema: Option<Arc<Catalog>>,
}

/// What was read of the package when it was opened.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) header: HeaderPart,
    pub(super) manifest: ManifestDoc,
    /// The entry that has it: another one than `Manifest.xml` only where the package was opened leniently.
    pub(super) manifest_entry: String,
}

/// `PackageHeader.xml`, as far as it was found.
#[derive(Debug)]
pub(super) enum HeaderPart {
    Missing,
    Unreadable { entry: String, error: Error },
    Read { entry: String, doc: HeaderDoc },
}

impl HeaderPart {
    /// The entry that has it.
    pub(super) fn entry(&self) -> Option<&str> {
        match self {
            Self::Missing => None,
            Self::Unreadable { entry, .. } | Self::Read { entry, .. } => Some(entry),
        }
    }
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
    /// Whether its records contain records: told by the word "composite" in the label of an entity whose file is XML, as the
    /// labels of the service's own composite entities have it. The manifest does not tell.
    pub composite: bool,
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
    pub(super) fn new(
        directory: Directory,
        parts: Parts,
        limits: Limits,
        schema: Option<Arc<Catalog>>,
    ) -> Self {
        let manifest = parts.manifest.manifest();
        Self {
            directory,
            limits,
            name: manifest.project,
            description: manifest.description,
            entities: manifest.entities.into_iter().map(PackageEntity::from).collect(),
            parts: Arc::new(parts),
            schema,
        }
    }

    /// Begins to examine the package: everything that makes the service reject, misread or silently skip it.
    #[must_use]
    pub fn doctor(&self) -> Doctor {
        Doctor::new(
            self.directory.clone(),
            Arc::clone(&self.parts),
            self.schema.clone(),
            self.limits.workbook,
        )
    }

    /// Begins to write the package anew, with what can be corrected safely corrected.
    #[must_use]
    pub fn repair(&self) -> Repairer {
        Repairer::new(
            self.directory.clone(),
            Arc::clone(&self.parts),
            self.schema.clone(),
            self.limits.workbook,
        )
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
        self.directory.entries().iter().filter(|entry| !entry.name.ends_with('/')).map(|entry| FileInfo {
            name: entry.name.clone(),
            size: entry.size,
            compressed_size: entry.compressed,
        })
    }

    /// Begins to write a package with only these entities, by label or collection, and their files. Header, maps and all that
    /// is unknown stay as they are, and entries are copied compressed; with every entity named, both XML files come out byte by
    /// byte as they were.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for no entity, and one that the package lacks, with the nearest that it has.
    pub fn subset(&self, entities: &[impl AsRef<str>]) -> Result<Rewriter> {
        let mut keep = Vec::with_capacity(entities.len());
        for name in entities.iter().map(AsRef::as_ref) {
            keep.push(self.index_of(name)?);
        }
        if keep.is_empty() {
            return Err(Error::argument("a subset has at least one entity"));
        }
        let mut manifest = self.parts.manifest.clone();
        manifest.keep_entities(&keep);
        let dropped = |name: &str| {
            let names = |entity: &PackageEntity| entity.file_name == name;
            self.entities.iter().any(names)
                && !self.entities.iter().enumerate().any(|(i, entity)| keep.contains(&i) && names(entity))
        };
        let mut parts = Vec::new();
        for entry in self.directory.entries() {
            if entry.name == self.parts.manifest_entry {
                parts.push(Part::Content { name: entry.name.clone(), bytes: manifest.write()? });
            } else if !dropped(&entry.name) {
                parts.push(Part::copy(entry));
            }
        }
        Ok(Rewriter::new(parts))
    }

    fn index_of(&self, name: &str) -> Result<usize> {
        let is = |entity: &PackageEntity| entity.entity == name || entity.collection.as_deref() == Some(name);
        self.entities.iter().position(is).ok_or_else(|| {
            let error = Error::argument(format!("the package has no entity \"{name}\"")).in_entity(name);
            match nearest(name, self.entities.iter().map(|entity| entity.entity.as_str())) {
                Some(near) => error.hint(format!("Did you mean \"{near}\"?")),
                None => error.hint("See entities() for the labels; they are case-sensitive."),
            }
        })
    }

    /// Begins to read a file of the zip.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a name that the zip lacks, `PACKAGE_CORRUPT` for one that is encrypted or of an unknown method.
    pub fn file(&self, name: &str) -> Result<FileReader> {
        let entry = self.directory.find(name).ok_or_else(|| {
            let error = Error::argument(format!("the package has no file \"{name}\"")).in_file(name);
            match nearest(name, self.directory.entries().iter().map(|entry| entry.name.as_str())) {
                Some(near) => error.hint(format!("Did you mean \"{near}\"?")),
                None => error.hint("See files() for the names; they are case-sensitive."),
            }
        })?;
        self.directory.reader(entry).map(FileReader)
    }

    /// Begins to read the rows of the entity with that 0-based index.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an index that does not exist. `DATA_INVALID` for a file that the zip lacks, and a format that is
    /// not known. `PACKAGE_CORRUPT` for a file that is encrypted or of an unknown method.
    pub fn rows(&self, index: usize) -> Result<RowReader> {
        self.reader(index, false)
    }

    /// Begins to read the records of the composite entity with that index, each before those within it.
    ///
    /// # Errors
    /// Those of [`rows`](Self::rows), and `INVALID_ARGUMENT` for a format other than XML.
    pub fn records(&self, index: usize) -> Result<RowReader> {
        self.reader(index, true)
    }

    fn reader(&self, index: usize, nested: bool) -> Result<RowReader> {
        let entity = self
            .entities
            .get(index)
            .ok_or_else(|| Error::argument(format!("the package has no entity {index}")))?;
        let place = |error: Error| error.in_entity(&entity.entity).in_file(&entity.file_name);
        let entry = self.directory.find(&entity.file_name).ok_or_else(|| {
            let message = format!("the package lacks the file \"{}\" of its manifest", entity.file_name);
            let error = place(Error::new(ErrorCode::DataInvalid, message));
            match foreign::near(&self.directory, &entity.file_name) {
                Some(near) => error.hint(format!("There is \"{near}\": the names must be the same.")),
                None => error.hint("Export again, or take the entity out of the manifest."),
            }
        })?;
        let file = self.directory.reader(entry).map_err(place)?;
        RowReader::new(file, entity, nested, &self.limits).map_err(place)
    }
}

/// Reads a file of a package piece by piece.
pub struct FileReader(EntryReader);

impl FileReader {
    /// The bytes of the package that are wanted, after a [`Pull::Want`].
    #[must_use]
    pub fn want(&self) -> Option<Range<u64>> {
        self.0.want()
    }

    /// Takes exactly the bytes that were wanted.
    ///
    /// # Errors
    /// `PACKAGE_CORRUPT` for bytes of another number, and where the file's header contradicts the directory.
    pub fn give(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.0.give(bytes)
    }

    /// Appends up to 128 KiB of content to `out`. At its end, size and checksum have been found right; damage may show only
    /// then.
    ///
    /// # Errors
    /// `PACKAGE_CORRUPT` for damage.
    pub fn read(&mut self, out: &mut Vec<u8>) -> Result<Pull<()>> {
        self.0.read(out)
    }
}

impl std::fmt::Debug for FileReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileReader").field("want", &self.want()).finish_non_exhaustive()
    }
}

impl From<ManifestEntity> for PackageEntity {
    fn from(m: ManifestEntity) -> Self {
        let known = builtin().find(&m.label).filter(|entity| entity.label == m.label);
        let columns = m.maps.iter().map(|map| map.column.clone()).collect();
        // One by one: collecting would sort them all first, with a sort compiled for nothing else.
        let mut fields = BTreeMap::new();
        for map in m.maps {
            fields.insert(map.column, map.field);
        }
        Self {
            composite: m.format.is_xml() && m.label.to_ascii_lowercase().contains("composite"),
            collection: known.and_then(|entity| entity.collection.clone()),
            columns,
            fields,
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
