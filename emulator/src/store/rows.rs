//! Rows of entities, with a version that grows with every write of the whole database.

use rusqlite::{OptionalExtension, params};

use super::{Db, StoreError};
use crate::value::{Row, row_to_json};

/// Where a row is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    /// Company in lower case; empty for shared entities.
    pub(crate) company: String,
    /// Canonical text of the other key values.
    pub(crate) key: String,
}

/// A row as stored.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) id: i64,
    pub(crate) version: i64,
    pub(crate) row: Row,
}

impl Db<'_> {
    pub(crate) fn get(&self, entity: &str, key: &Key) -> Result<Option<Stored>, StoreError> {
        let found: Option<(i64, i64, String)> = self
            .connection
            .prepare_cached(
                "SELECT id, version, data FROM rows WHERE entity = ?1 AND company = ?2 AND key = ?3",
            )?
            .query_row(params![entity, key.company, key.key], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        found.map(stored).transpose()
    }

    /// Whether a row exists, without reading it.
    pub(crate) fn exists(&self, entity: &str, key: &Key) -> Result<bool, StoreError> {
        Ok(self
            .connection
            .prepare_cached("SELECT 1 FROM rows WHERE entity = ?1 AND company = ?2 AND key = ?3")?
            .exists(params![entity, key.company, key.key])?)
    }

    /// Creates or replaces a row under a fresh version.
    pub(crate) fn put(&self, entity: &str, key: &Key, row: &Row) -> Result<Stored, StoreError> {
        let version = self.next_version()?;
        let id = self
            .connection
            .prepare_cached(
                "INSERT INTO rows(entity, company, key, version, data) VALUES(?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT(entity, company, key) DO UPDATE SET version = ?4, data = ?5 RETURNING id",
            )?
            .query_row(params![entity, key.company, key.key, version, row_to_json(row)], |row| row.get(0))?;
        Ok(Stored { id, version, row: row.clone() })
    }

    pub(crate) fn remove(&self, entity: &str, key: &Key) -> Result<bool, StoreError> {
        let count = self
            .connection
            .prepare_cached("DELETE FROM rows WHERE entity = ?1 AND company = ?2 AND key = ?3")?
            .execute(params![entity, key.company, key.key])?;
        Ok(count > 0)
    }

    /// Calls `visit` with each row in key order, of one company or of all; those newer than `after` only.
    pub(crate) fn scan<E: From<StoreError>>(
        &self,
        entity: &str,
        company: Option<&str>,
        after: i64,
        mut visit: impl FnMut(Stored) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT id, version, data FROM rows WHERE entity = ?1 AND (?2 IS NULL OR company = ?2) AND version > ?3
                 ORDER BY company, key",
            )
            .map_err(StoreError::from)?;
        let mut rows = statement.query(params![entity, company, after]).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            let read = || -> Result<Stored, StoreError> { stored((row.get(0)?, row.get(1)?, row.get(2)?)) };
            visit(read()?)?;
        }
        Ok(())
    }

    /// The version of the newest write.
    pub(crate) fn version(&self) -> Result<i64, StoreError> {
        Ok(self.setting("version")?.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    fn next_version(&self) -> Result<i64, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "INSERT INTO settings(name, value) VALUES('version', '1')
                 ON CONFLICT(name) DO UPDATE SET value = CAST(value AS INTEGER) + 1 RETURNING CAST(value AS INTEGER)",
            )?
            .query_row([], |row| row.get(0))?)
    }

    /// Version up to which a project has exported an entity of a company; `None` before the first run.
    pub(crate) fn marker(
        &self,
        project: &str,
        entity: &str,
        company: &str,
    ) -> Result<Option<i64>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT version FROM markers WHERE project = ?1 AND entity = ?2 AND company = ?3",
            )?
            .query_row(params![project, entity, company], |row| row.get(0))
            .optional()?)
    }

    pub(crate) fn set_marker(
        &self,
        project: &str,
        entity: &str,
        company: &str,
        version: i64,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO markers(project, entity, company, version) VALUES(?1, ?2, ?3, ?4)
                 ON CONFLICT(project, entity, company) DO UPDATE SET version = ?4",
            )?
            .execute(params![project, entity, company, version])?;
        Ok(())
    }

    /// Forgets markers: of one project, of one entity, or of one entity in one project.
    pub(crate) fn clear_markers(
        &self,
        project: Option<&str>,
        entity: Option<&str>,
    ) -> Result<usize, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "DELETE FROM markers WHERE (?1 IS NULL OR project = ?1) AND (?2 IS NULL OR entity = ?2)",
            )?
            .execute(params![project, entity])?)
    }
}

fn stored((id, version, data): (i64, i64, String)) -> Result<Stored, StoreError> {
    Ok(Stored { id, version, row: serde_json::from_str(&data)? })
}
