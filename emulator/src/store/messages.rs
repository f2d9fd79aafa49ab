//! Messages of recurring queues, and moments that something is kept or offered by.

use rusqlite::{OptionalExtension, Row as SqlRow, params};

use super::{Db, StoreError};

/// State of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageState {
    Enqueued,
    Dequeued,
    Downloaded,
    Acked,
    PreProcessing,
    Processing,
    Processed,
    ProcessedWithErrors,
    PreProcessingError,
    PostProcessingError,
}

const STATES: [(MessageState, &str); 10] = [
    (MessageState::Enqueued, "Enqueued"),
    (MessageState::Dequeued, "Dequeued"),
    (MessageState::Downloaded, "Downloaded"),
    (MessageState::Acked, "Acked"),
    (MessageState::PreProcessing, "PreProcessing"),
    (MessageState::Processing, "Processing"),
    (MessageState::Processed, "Processed"),
    (MessageState::ProcessedWithErrors, "ProcessedWithErrors"),
    (MessageState::PreProcessingError, "PreProcessingError"),
    (MessageState::PostProcessingError, "PostProcessingError"),
];

/// One message.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    /// Activity id of the queue.
    pub(crate) activity: String,
    pub(crate) state: MessageState,
    /// Empty before anything ran.
    pub(crate) execution: String,
    pub(crate) blob: String,
    /// What the caller named it.
    pub(crate) external: String,
    pub(crate) company: String,
    /// Label where the content is a single file.
    pub(crate) entity: String,
    /// The answer to dequeue that was given last; empty before.
    pub(crate) offer: String,
    /// When that was, in milliseconds since 1970; 0 before.
    pub(crate) offered: i64,
    pub(crate) started: String,
    pub(crate) completed: String,
}

impl MessageState {
    /// Spelling of the store.
    pub(crate) fn name(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        STATES.iter().find(|(_, name)| *name == text).map(|(state, _)| *state)
    }
}

impl Db<'_> {
    pub(crate) fn add_message(&self, message: &Message) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO messages(id, activity, state, execution, blob, external, company, entity, offer, offered, started, completed)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute(params![
                message.id, message.activity, message.state.name(), message.execution, message.blob, message.external,
                message.company, message.entity, message.offer, message.offered, message.started, message.completed,
            ])?;
        Ok(())
    }

    pub(crate) fn set_message(&self, message: &Message) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "UPDATE messages SET state = ?2, execution = ?3, offer = ?4, offered = ?5, started = ?6, completed = ?7 WHERE id = ?1",
            )?
            .execute(params![
                message.id, message.state.name(), message.execution, message.offer, message.offered, message.started,
                message.completed,
            ])?;
        Ok(())
    }

    pub(crate) fn message(&self, id: &str) -> Result<Option<Message>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("{SELECT} WHERE id = ?1"))?
            .query_row(params![id], read)
            .optional()?)
    }

    /// The oldest message of a queue that waits to be processed.
    pub(crate) fn next_waiting(&self, activity: &str) -> Result<Option<Message>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "{SELECT} WHERE activity = ?1 AND state = 'Enqueued' ORDER BY seq LIMIT 1"
            ))?
            .query_row(params![activity], read)
            .optional()?)
    }

    /// How many messages of a queue wait to be processed.
    pub(crate) fn waiting(&self, activity: &str) -> Result<u32, StoreError> {
        Ok(self
            .connection
            .prepare_cached("SELECT count(*) FROM messages WHERE activity = ?1 AND state = 'Enqueued'")?
            .query_row(params![activity], |row| row.get(0))?)
    }

    /// After a restart nobody works on messages that were being processed.
    pub(crate) fn abandon_messages(&self) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE messages SET state = 'ProcessedWithErrors' WHERE state IN ('PreProcessing', 'Processing')",
            [],
        )?;
        Ok(())
    }

    /// The oldest message of a queue that was not offered yet, or last before `limit` (milliseconds since 1970) and was
    /// not acknowledged.
    pub(crate) fn next_offer(&self, activity: &str, limit: i64) -> Result<Option<Message>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "{SELECT} WHERE activity = ?1 AND (state = 'Enqueued' OR state IN ('Dequeued', 'Downloaded') AND offered <= ?2)
                 ORDER BY seq LIMIT 1"
            ))?
            .query_row(params![activity, limit], read)
            .optional()?)
    }

    /// Remembers when something was, in milliseconds since 1970.
    pub(crate) fn set_moment(&self, kind: &str, name: &str, at: i64) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO moments(kind, name, at) VALUES(?1, ?2, ?3) ON CONFLICT(kind, name) DO UPDATE SET at = ?3",
            )?
            .execute(params![kind, name, at])?;
        Ok(())
    }

    pub(crate) fn moment(&self, kind: &str, name: &str) -> Result<Option<i64>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("SELECT at FROM moments WHERE kind = ?1 AND name = ?2")?
            .query_row(params![kind, name], |row| row.get(0))
            .optional()?)
    }

    pub(crate) fn clear_moment(&self, kind: &str, name: &str) -> Result<(), StoreError> {
        self.connection.execute("DELETE FROM moments WHERE kind = ?1 AND name = ?2", params![kind, name])?;
        Ok(())
    }

    /// Names of what was before `limit`.
    pub(crate) fn before(&self, kind: &str, limit: i64) -> Result<Vec<String>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT name FROM moments WHERE kind = ?1 AND at < ?2 ORDER BY at, name")?;
        let names = statement.query_map(params![kind, limit], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(names)
    }
}

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS messages(
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, activity TEXT NOT NULL, state TEXT NOT NULL, execution TEXT NOT NULL,
    blob TEXT NOT NULL, external TEXT NOT NULL, company TEXT NOT NULL, entity TEXT NOT NULL, offer TEXT NOT NULL,
    offered INTEGER NOT NULL, started TEXT NOT NULL, completed TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS moments(kind TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(kind, name));
";

const SELECT: &str = "SELECT id, activity, state, execution, blob, external, company, entity, offer, offered, started, completed FROM messages";

fn read(row: &SqlRow<'_>) -> rusqlite::Result<Message> {
    let state: String = row.get(2)?;
    Ok(Message {
        id: row.get(0)?,
        activity: row.get(1)?,
        state: MessageState::parse(&state).unwrap_or(MessageState::PostProcessingError),
        execution: row.get(3)?,
        blob: row.get(4)?,
        external: row.get(5)?,
        company: row.get(6)?,
        entity: row.get(7)?,
        offer: row.get(8)?,
        offered: row.get(9)?,
        started: row.get(10)?,
        completed: row.get(11)?,
    })
}
