//! Child processes that never outlive us: starting, waiting with a limit, and ending all of them on Ctrl-C.
//! What the children are for belongs to the commands, not here.
//!
//! Every child leads a process group of its own, so that its own children end with it, and is registered while it runs; one
//! handler for SIGINT, SIGTERM and SIGHUP ends every registered group, removes every registered folder and exits with 130.

mod child;
mod group;
mod registry;
mod temp_dir;

pub(crate) use child::{Ended, Running, command, run, run_captured};
pub(crate) use registry::end_everything_on_signal;
pub(crate) use temp_dir::TempDir;
