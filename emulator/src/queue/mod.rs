//! Recurring integrations: the queues under `/api/connector`, what is enqueued and imported, what is exported and offered.
//! Runs themselves are in the folder `dmf`; messages are kept by `store`.

mod definition;
mod handle;
mod inbound;
mod outbound;
mod status;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use definition::{Queue, set as set_queues};
pub(crate) use handle::{MAX_BODY, handle, handle_with_locale};
pub(crate) use outbound::{recur, run_export};
pub(crate) use status::message_status;

/// One at a time: imports of a queue that keeps their order, and the export runs of a queue.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    fn of(&self, activity: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(activity.to_owned()).or_default().clone()
    }
}
