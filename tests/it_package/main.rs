//! Packages as seen by other programs: what we write is read by them, what they write is read by us.
//!
//! Needs `python3` and `unzip`. A test whose tool is missing says "skipped", and fails where CI=true.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "an error here is the failure of a test")]

mod read_by_others;
mod seeds;
mod tools;
mod written_by_others;
