//! Data management: data projects, imports and exports as conversations that lose nothing.
//!
//! What belongs here: the package API's actions and their answers, data projects over OData, the two jobs, the runs that there
//! were, and the queues of recurring jobs. What does not: the bytes of a package (`package`), single requests (`odata`), and which
//! records changed since when (`sync`, later).
//!
//! Jobs and [`Ensure`] are machines of their own; the rest are [`Dialogue`]s, which can simply be held again.
//!
//! # If the process dies
//!
//! | after | a resumed job |
//! |---|---|
//! | the first checkpoint (`planned`) | uploads again under the same name and submits |
//! | the upload | the same: nothing in the service refers to the blob yet |
//! | the checkpoint `submitting` | looks for its execution id; it never submits a second time. Found: goes on. Not found within the grace: `OUTCOME_UNKNOWN` |
//! | the submission, answered or not | the same |
//! | the checkpoint `running` | asks for the status and goes on |
//! | the end of the run | asks again and gets the same result, for the 7 days that the service remembers it |
//! | the download | asks for a new URL and downloads again; an export's marker moved when it ran, so the package is what counts |

mod actions;
mod checkpoint;
mod download;
mod ensure;
mod execution;
pub mod executions;
mod export;
mod file;
mod import;
mod lease;
mod poll;
mod project;
pub mod projects;
pub mod queue;
mod rejected;
mod run;
mod sequence;
mod storage;
mod upload;

use crate::odata::dialogue;

pub use crate::odata::Dialogue;
pub(crate) use actions::azure_write_url;
pub use checkpoint::{Checkpoint, Kind, SourceMark, Stage};
pub use ensure::{Ensure, Ensured};
pub use execution::{EntityOutcome, ExecutionStatus, RowError, RunOutcome};
pub use export::{Export, ExportOptions, Exported};
pub use file::{Piece, RemoteFile};
pub use import::{Import, ImportOptions};
pub use lease::Parallel;
pub use poll::Polling;
pub use project::{Category, DataProject, Line, OperationType, Refresh};
pub use rejected::RejectedQuery;
pub(crate) use storage::look_at_blob;
