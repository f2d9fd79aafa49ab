//! Recurring data jobs as an administrator defines them.

use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::store::{Db, StoreError};

/// A recurring data job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Queue {
    /// A GUID, in lower case and without braces once it is stored.
    pub(crate) activity_id: String,
    pub(crate) direction: Direction,
    #[serde(default)]
    pub(crate) mode: Mode,
    /// The data project. An import of packages makes it what they say, single files and exports need it.
    pub(crate) project: String,
    /// Label: the only entity that is taken or exported; without it all of the project.
    pub(crate) entity: Option<String>,
    /// Company where a call names none; default: the default company.
    pub(crate) company: Option<String>,
    /// Applications of the authorization policy; without it the registered one.
    pub(crate) client_ids: Option<Vec<String>>,
    /// *Process messages in order*: imports of single files only.
    #[serde(default)]
    pub(crate) in_order: bool,
    /// *Prevent upload when zero records*: exports only.
    #[serde(default)]
    pub(crate) skip_empty: bool,
    /// Packages: whether they may change the project. Must be false for composite entities.
    #[serde(default = "yes")]
    pub(crate) overwrite: bool,
    /// An export runs each time after so many steps; without it only when it is asked to.
    pub(crate) every_steps: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Direction {
    Import,
    Export,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Mode {
    #[default]
    Package,
    File,
}

fn yes() -> bool {
    true
}

const SETTING: &str = "queues";

/// All queues.
pub(crate) fn read(db: &Db<'_>) -> Result<Vec<Queue>, StoreError> {
    Ok(db.setting(SETTING)?.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
}

/// The queue of an activity id as callers write it: in any case, also in braces.
pub(crate) fn find(db: &Db<'_>, activity: &str) -> Result<Option<Queue>, StoreError> {
    let Some(activity) = guid(activity) else { return Ok(None) };
    Ok(read(db)?.into_iter().find(|queue| queue.activity_id == activity))
}

/// Replaces all queues; the error says what is wrong with them.
pub(crate) fn set(
    db: &Db<'_>,
    queues: &[Queue],
    catalog: &Catalog,
) -> Result<Result<(), String>, StoreError> {
    let mut stored: Vec<Queue> = Vec::new();
    for queue in queues {
        match checked(queue, catalog) {
            Ok(queue) if stored.iter().any(|other| other.activity_id == queue.activity_id) => {
                return Ok(Err(format!("two queues have the activity id {}", queue.activity_id)));
            }
            Ok(queue) => stored.push(queue),
            Err(reason) => return Ok(Err(format!("queue '{}': {reason}", queue.activity_id))),
        }
    }
    db.set_setting(SETTING, &serde_json::to_string(&stored)?)?;
    Ok(Ok(()))
}

fn checked(queue: &Queue, catalog: &Catalog) -> Result<Queue, String> {
    let activity_id = guid(&queue.activity_id).ok_or("the activity id must be a GUID")?;
    let import = queue.direction == Direction::Import;
    if queue.project.is_empty() {
        return Err("the project is missing".to_owned());
    }
    if let Some(label) = queue.entity.as_ref().filter(|label| catalog.label(label).is_none()) {
        return Err(format!("'{label}' is not the label of a data entity"));
    }
    if queue.in_order && !(import && queue.mode == Mode::File) {
        return Err("inOrder is for imports of single files".to_owned());
    }
    if import && (queue.skip_empty || queue.every_steps.is_some()) {
        return Err("skipEmpty and everySteps are for exports".to_owned());
    }
    if queue.every_steps == Some(0) {
        return Err("everySteps must be 1 or more".to_owned());
    }
    Ok(Queue { activity_id, ..queue.clone() })
}

fn guid(text: &str) -> Option<String> {
    let bare = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    // The parser takes forms that the service does not write.
    let guid = uuid::Uuid::try_parse(bare).ok().filter(|_| bare.len() == 36)?;
    Some(guid.to_string())
}
