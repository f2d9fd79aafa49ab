//! Everything that outlasts a request: rows of entities, settings, runs, messages of queues, change-tracking markers, in one SQLite
//! database (in memory unless a file is given). What rows mean, which company may see them and what business logic
//! says to them is decided by the callers.

mod messages;
mod rows;
mod runs;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

pub(crate) use messages::{Message, MessageState};
pub(crate) use rows::{Key, Stored};
pub(crate) use runs::{EntityLog, Run, RunState};

/// A failure of the database itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// What SQLite said.
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A stored row that is no longer JSON.
    #[error("database: a stored row cannot be read: {0}")]
    Row(#[from] serde_json::Error),
}

/// The shared handle.
#[derive(Clone)]
pub(crate) struct Store {
    connection: Arc<Mutex<Connection>>,
}

/// The database while it is locked; all of a caller's work on one guard is one unit for the others.
pub(crate) struct Db<'a> {
    connection: &'a Connection,
}

impl Store {
    /// Opens `file`, or a database in memory.
    pub(crate) fn open(file: Option<&Path>) -> Result<Self, StoreError> {
        let connection = match file {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        connection.execute_batch(SCHEMA)?;
        connection.execute_batch(messages::SCHEMA)?;
        let store = Self { connection: Arc::new(Mutex::new(connection)) };
        store.with(|db| {
            db.abandon_open_runs()?;
            db.abandon_messages()
        })?;
        Ok(store)
    }

    /// Runs `work` in a transaction that is rolled back when it fails.
    pub(crate) fn with<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Db<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.lock();
        let transaction = connection.transaction().map_err(StoreError::from)?;
        let value = work(&Db { connection: &transaction })?;
        transaction.commit().map_err(StoreError::from)?;
        Ok(value)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held rolled its transaction back, so the database is whole.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Db<'_> {
    /// Empties everything.
    pub(crate) fn clear(&self) -> Result<(), StoreError> {
        for table in ["rows", "settings", "markers", "runs", "logs", "messages", "moments"] {
            self.connection.execute(&format!("DELETE FROM {table}"), [])?;
        }
        Ok(())
    }

    /// A setting of the environment.
    pub(crate) fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("SELECT value FROM settings WHERE name = ?1")?
            .query_row(params![name], |row| row.get(0))
            .optional()?)
    }

    /// Removes the settings whose names begin so.
    pub(crate) fn remove_settings(&self, prefix: &str) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("DELETE FROM settings WHERE substr(name, 1, length(?1)) = ?1")?
            .execute(params![prefix])?;
        Ok(())
    }

    pub(crate) fn set_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO settings(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2",
            )?
            .execute(params![name, value])?;
        Ok(())
    }
}

const SCHEMA: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS rows(
    id INTEGER PRIMARY KEY, entity TEXT NOT NULL, company TEXT NOT NULL, key TEXT NOT NULL,
    version INTEGER NOT NULL, data TEXT NOT NULL, UNIQUE(entity, company, key));
CREATE TABLE IF NOT EXISTS settings(name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS markers(
    project TEXT NOT NULL, entity TEXT NOT NULL, company TEXT NOT NULL, version INTEGER NOT NULL,
    PRIMARY KEY(project, entity, company));
CREATE TABLE IF NOT EXISTS runs(
    id INTEGER PRIMARY KEY, execution TEXT NOT NULL UNIQUE, project TEXT NOT NULL, company TEXT NOT NULL,
    operation TEXT NOT NULL, state TEXT NOT NULL, submissions INTEGER NOT NULL, visible INTEGER NOT NULL,
    blob TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS logs(
    id INTEGER PRIMARY KEY, execution TEXT NOT NULL, entity TEXT NOT NULL, step TEXT NOT NULL,
    record TEXT NOT NULL, field TEXT NOT NULL, message TEXT NOT NULL);
";
