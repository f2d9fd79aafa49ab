//! NDJSON into the store.

use std::path::Path;

use crate::catalog::COMPANY;
use crate::environment::Environment;
use crate::odata::canonical_row;
use crate::odata::{default_company, key_of};
use crate::store::StoreError;
use crate::value::{Row, Value};

/// Why rows could not be loaded. Nothing of that call was stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// Neither a collection nor a label.
    #[error("'{0}' is neither a collection nor a label of the catalogue")]
    UnknownEntity(String),
    /// A line that is no row of the entity.
    #[error("{entity}, line {line}: {reason}")]
    Row { entity: String, line: usize, reason: String },
    /// A file of a seed directory.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// The settings of a seed directory.
    #[error("settings.json: {0}")]
    Settings(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores one JSON object per line, keyed by OData property names, without business logic. Rows that exist are
/// replaced. Returns the number of rows.
pub(crate) fn load_rows(environment: &Environment, name: &str, bytes: &[u8]) -> Result<usize, LoadError> {
    let entity = environment
        .catalog
        .collection(name)
        .or_else(|| environment.catalog.label(name))
        .ok_or_else(|| LoadError::UnknownEntity(name.to_owned()))?;
    environment.store.with(|db| {
        let company = default_company(db)?;
        let mut rows = 0;
        for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let bad = |reason: String| LoadError::Row { entity: entity.label.clone(), line: at + 1, reason };
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            let parsed: Row = serde_json::from_slice(line).map_err(|error| bad(error.to_string()))?;
            let mut row = canonical_row(parsed, entity, &environment.catalog).map_err(bad)?;
            if entity.company {
                let company = row.get(COMPANY).map_or(company.as_str(), Value::as_text).to_ascii_lowercase();
                row.insert(COMPANY.to_owned(), Value::Text(company));
            }
            let key =
                key_of(entity, &row).map_err(|name| bad(format!("the key property {name} is missing")))?;
            db.put(&entity.aot, &key, &row)?;
            rows += 1;
        }
        Ok(rows)
    })
}

/// Loads a directory: `<Collection>.ndjson` files in the order of their names, then `settings.json`.
pub(crate) fn seed(environment: &Environment, folder: &Path) -> Result<(), LoadError> {
    let unreadable = |path: &Path| {
        let path = path.display().to_string();
        move |error| LoadError::File(path, error)
    };
    let mut files = std::fs::read_dir(folder)
        .and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
        })
        .map_err(unreadable(folder))?;
    files.sort();
    for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "ndjson")) {
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        load_rows(environment, name, &std::fs::read(path).map_err(unreadable(path))?)?;
    }
    let settings = folder.join("settings.json");
    if settings.is_file() {
        let bytes = std::fs::read(&settings).map_err(unreadable(&settings))?;
        super::settings::change(environment, &bytes)
            .map_err(|error| LoadError::Settings(error.to_string()))?;
    }
    Ok(())
}
