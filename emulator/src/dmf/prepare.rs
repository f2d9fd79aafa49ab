//! What happens to a package while the caller of `ImportFromPackage` waits: it is unpacked, header and manifest are
//! read, and what they name must exist. Errors are the causes in the service's words.

use std::collections::HashSet;

use super::definitions::Definitions;
use super::formats::Format;
use crate::catalog::Catalog;
use crate::package::{
    Archive, ArchiveError, Manifest, ManifestEntity, csv, named_files, read_header, read_manifest, text,
};

/// A package that is ready to run.
#[derive(Default)]
pub(crate) struct Prepared {
    pub(crate) description: String,
    /// Entities that the manifest registers, in the order in which they run.
    pub(crate) entities: Vec<(ManifestEntity, Vec<u8>)>,
    /// Elements of header and manifest that are there and were not read.
    pub(crate) skipped: Vec<String>,
    /// Data files that the manifest names and no registered entity reads, with their content.
    pub(crate) unread: Vec<(String, Vec<u8>)>,
}

/// Unpacks `bytes`. `overwrite` as in the call.
pub(crate) fn prepare(
    bytes: Vec<u8>,
    overwrite: bool,
    catalog: &Catalog,
    definitions: &Definitions,
) -> Result<Prepared, String> {
    // What is no zip is not unpacked, and then the header is not found.
    let mut archive = Archive::open(bytes).map_err(|error| match error {
        ArchiveError::NotAZip => not_found(HEADER),
        other => other.to_string(),
    })?;
    archive.unpack().map_err(|error| error.to_string())?;
    let nested = archive
        .files()
        .filter(|name| !name.starts_with("Resources/"))
        .find(|name| name.contains(['/', '\\']))
        .map(|name| name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned());

    let header = read(&mut archive, HEADER)?;
    let manifest_bytes = read(&mut archive, MANIFEST)?;
    if let Some(name) = nested {
        return Err(not_found(&name));
    }
    let header = read_header(&header).map_err(|error| unreadable(HEADER, &error))?;
    let manifest = read_manifest(&manifest_bytes).map_err(|error| unreadable(MANIFEST, &error))?;
    // Roots in a wrong namespace are not errors: nothing is recognised, and nothing is imported.
    let (mut skipped, manifest) = match (header, manifest) {
        (Some(skipped), Some(manifest)) => (skipped, manifest),
        _ => (Vec::new(), Manifest::default()),
    };
    skipped.extend(manifest.skipped.iter().cloned());
    check_composites(&manifest, overwrite, definitions)?;
    let mut prepared = entities(&mut archive, manifest, catalog, definitions)?;
    prepared.skipped = skipped;
    for name in named_files(&manifest_bytes) {
        if prepared.entities.iter().all(|(entity, _)| entity.file != name)
            && let Ok(data) = archive.read(&name)
        {
            prepared.unread.push((name, data));
        }
    }
    Ok(prepared)
}

/// The description and the entities of a package that says what to export; its data files are not looked at.
pub(crate) fn template(
    bytes: Vec<u8>,
    catalog: &Catalog,
    definitions: &Definitions,
) -> Result<(String, Vec<ManifestEntity>), String> {
    let mut archive = Archive::open(bytes).map_err(|error| match error {
        ArchiveError::NotAZip => not_found(HEADER),
        other => other.to_string(),
    })?;
    let header = read(&mut archive, HEADER)?;
    let manifest = read(&mut archive, MANIFEST)?;
    read_header(&header).map_err(|error| unreadable(HEADER, &error))?;
    let manifest =
        read_manifest(&manifest).map_err(|error| unreadable(MANIFEST, &error))?.unwrap_or_default();
    let unknown = |entity: &&ManifestEntity| {
        catalog.label(&entity.label).is_none() && definitions.composite(&entity.label).is_none()
    };
    if let Some(entity) = manifest.entities.iter().find(unknown) {
        return Err(format!("Entity {} does not exist in the target environment", entity.label));
    }
    Ok((manifest.description, manifest.entities))
}

/// One composite entity at most, and never with `overwrite`.
fn check_composites(manifest: &Manifest, overwrite: bool, definitions: &Definitions) -> Result<(), String> {
    let mut composites =
        manifest.entities.iter().filter(|entity| definitions.composite(&entity.label).is_some());
    let Some(first) = composites.next() else { return Ok(()) };
    if composites.next().is_some() {
        return Err("A data package can hold one composite entity only.".to_owned());
    }
    if overwrite {
        return Err(format!(
            "The parameter overwrite must be false for the composite entity {}.",
            first.label
        ));
    }
    Ok(())
}

const HEADER: &str = "PackageHeader.xml";
const MANIFEST: &str = "Manifest.xml";

fn entities(
    archive: &mut Archive,
    manifest: Manifest,
    catalog: &Catalog,
    definitions: &Definitions,
) -> Result<Prepared, String> {
    let mut entities: Vec<(ManifestEntity, Vec<u8>)> = Vec::new();
    let mut labels = HashSet::new();
    for entity in manifest.entities {
        // Without maps the entity is not registered: no error, no rows.
        if entity.maps.is_empty() {
            continue;
        }
        if catalog.label(&entity.label).is_none() && definitions.composite(&entity.label).is_none() {
            return Err(format!("Entity {} does not exist in the target environment", entity.label));
        }
        if !labels.insert(entity.label.clone()) {
            return Err(format!("DMF1966: The data project has the entity {} more than once.", entity.label));
        }
        let data = read(archive, &entity.file)?;
        if header_swallows_the_file(&entity, &data) {
            // Another GUID on each call: what the service names here tells nothing.
            let field = uuid::Uuid::new_v4().to_string().to_uppercase();
            return Err(format!(
                "the mapping is incorrect for entity {} and field {{{field}}}",
                entity.label
            ));
        }
        entities.push((entity, data));
    }
    entities.sort_by_key(|(entity, _)| (entity.unit, entity.level, entity.sequence));
    Ok(Prepared { description: manifest.description, entities, ..Prepared::default() })
}

/// Where lines end with a line feed alone, the whole file is one record, and its header names no field.
fn header_swallows_the_file(entity: &ManifestEntity, data: &[u8]) -> bool {
    let decoded = match Format::parse(&entity.format) {
        Some(Format::CsvUnicode) => text::decode_unicode(data),
        Some(Format::Csv) => Some(text::decode_ansi(data)),
        _ => None,
    };
    let record = decoded.as_deref().and_then(|text| csv::Reader::new(text).next()).and_then(Result::ok);
    record.is_some_and(|record| record.bare_line_feed)
}

fn read(archive: &mut Archive, name: &str) -> Result<Vec<u8>, String> {
    archive.read(name).map_err(|error| match error {
        ArchiveError::Missing => not_found(name),
        other => format!("The file {name} of the package cannot be read: {other}."),
    })
}

fn not_found(name: &str) -> String {
    let folder = uuid::Uuid::new_v4().simple().to_string();
    format!("Could not find file 'C:\\Windows\\SERVIC~2\\NETWOR~1\\AppData\\Local\\Temp\\{folder}\\{name}'.")
}

fn unreadable(name: &str, error: &str) -> String {
    format!("There was an error deserializing the file {name}: {error}")
}
