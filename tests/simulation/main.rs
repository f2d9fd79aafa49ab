//! Jobs against a model of the service, under a scheduler that loses answers, refuses tokens, and kills the process.
//!
//! The model knows only what the reference says of the package API. Time is simulated, so hours take microseconds.
// A test that can't go on has failed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

mod chaos;
mod ensure;
mod export;
mod import;
mod queue;
mod seeds;
mod sync;
mod sync_world;
mod world;
