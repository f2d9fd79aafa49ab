//! How long blobs and URLs live: by the clock and the settings of the environment.

use axum::body::Bytes;

use super::{BlobError, Storage};
use crate::dmf::behaviour::{Behaviour, RepeatedFileName};
use crate::server::App;
use crate::store::{Db, StoreError};

/// Kind of the moments at which blobs were stored.
pub(crate) const BLOB: &str = "blob";

/// Life of a blob in milliseconds: 7 days.
const LIFE: i64 = 7 * 24 * 3_600_000;

/// Stores a blob of the sandbox's own.
pub(crate) async fn keep(app: &App, blob: &str, content_type: &str, bytes: Bytes) -> Result<(), String> {
    app.storage.put(blob, content_type, bytes).await.map_err(|error: BlobError| error.to_string())?;
    let now = app.clock.milliseconds();
    app.store.with(|db| db.set_moment(BLOB, blob, now)).map_err(|error: StoreError| error.to_string())
}

/// URL that may read a blob; empty where the blob is gone.
pub(crate) fn read_url(app: &App, blob: &str) -> Result<String, StoreError> {
    app.store.with(|db| {
        if !app.storage.lives(db, blob, app.clock.milliseconds())? {
            return Ok(String::new());
        }
        let seconds = Behaviour::read(db)?.read_url_seconds;
        Ok(app.storage.url_of(blob, "r", app.clock.now(), seconds))
    })
}

/// URL that may write the blob of a file name. The same name is the same blob, unless a setting gives each call its own.
pub(crate) fn write_url(app: &App, name: &str) -> Result<String, StoreError> {
    app.store.with(|db| {
        let behaviour = Behaviour::read(db)?;
        let blob = match behaviour.repeated_file_name {
            RepeatedFileName::SameBlob => name.to_owned(),
            RepeatedFileName::AnotherBlob => format!("{}-{name}", uuid::Uuid::new_v4().simple()),
        };
        Ok(app.storage.url_of(&blob, "rw", app.clock.now(), behaviour.write_url_seconds))
    })
}

impl Storage {
    /// Whether a blob's time is not over. What was never stored is not looked at.
    pub(crate) fn lives(&self, db: &Db<'_>, blob: &str, now: i64) -> Result<bool, StoreError> {
        Ok(db.moment(BLOB, blob)?.is_none_or(|at| now < at.saturating_add(LIFE)))
    }
}
