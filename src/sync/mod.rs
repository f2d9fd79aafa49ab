//! Incremental synchronisation: which records changed, without losing any.
//!
//! What belongs here: the lines of a sync (an entity in a company), their states in the store, batches and their commits, the
//! comparison of rows, the search for deleted records, and the choice between the two patterns. What does not: the export itself
//! (`dmf`), reading pages (`odata`), and stores.
//!
//! # How nothing is lost
//!
//! The service moves the marker of changed records when an export *runs*, not when its package is fetched. So a run whose package
//! is lost takes its changes with it. Therefore: the id of a run is durable before anything is asked of the service; no run of a
//! line begins while an earlier one is not wholly delivered and committed; and a run whose package can't be had (failed, partly
//! succeeded, cancelled, forgotten, damaged, older than the 7 days for which packages are kept) makes the line *need all records*:
//! a second data project exports them, after it, and only then changes are exported again. Each batch is an upsert, never "these
//! are new": a run for changes may give all records at any time (that the first one does is expected, unverified).
//!
//! # If the process dies after …
//!
//! | after | the next pass |
//! |---|---|
//! | the state `planned` | sees to the data project again, and exports under the same execution id |
//! | the data project was made | the same; its marker is not known to be this line's own any more, so all records are exported (once) |
//! | the checkpoint `submitting` | looks for the run. Found: goes on. Not found within the grace: all records are exported |
//! | the submission, answered or not | the same |
//! | the checkpoint `running` | asks for the status and goes on |
//! | the end of the run | fetches the package of the same run; its marker has moved |
//! | the download, before the state `delivering` | fetches it again |
//! | a batch was handed over, not committed | fetches the package again, and hands over the same batch with the same id |
//! | kept rows were written, before the state that names them | the same; the places are written anew |
//! | the commit, answered or not | fetches the package again, and hands over the batch behind it |
//! | the last commit | the line has no run: the next one begins |
//! | any step of a whole read by OData | reads again; rows that were committed are known by their hashes and do not come again |
//! | any step of a search for deleted records | searches again; keys that were committed as gone are forgotten |
//!
//! A line that was not run for 2 days is `stale` in its status; after 6 days its changes are exported, and all records after them,
//! for the database may have forgotten what changed (its retention is not published).
//!
//! # What it rests on, unverified
//!
//! That an export of all records by another project leaves the marker of the first one alone; that a marker belongs to a data
//! project, an entity and a company; that it moves with a failed run, too. Where one of them is otherwise, rows come twice, but
//! none is lost. What would lose rows: anybody else who runs the data projects of a sync, or a second sync with the same
//! `projectPrefix` under another name.

mod batch;
mod check;
mod machine;
mod options;
mod overview;
mod pattern;
mod reconcile;
mod rows;
mod source;
mod state;
mod steps;
mod table;
mod work;

pub use batch::Batch;
pub use machine::{Sync, Turn, Turned};
pub use options::{Deletes, EntityChoice, MaxDeletes, SyncOptions, Transport, WithoutTracking};
pub use overview::{Reset, Status};
pub use pattern::{Choice, Need, Pattern, choose_pattern};
pub use state::Mode;
