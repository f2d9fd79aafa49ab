//! Packages as seen by other programs: what we write is read by them, what they write is read by us.
//!
//! Interop needs `python3`, `unzip`, `zip`, 7-Zip, `bsdtar` and `jar`. A test whose tool is missing says "skipped", and fails where
//! CI=true. Beside that: limits at their edges, and the fuzz targets over their seeds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "an error here is the failure of a test")]

mod limits;
mod read_by_others;
mod round_trip;
mod seeds;
mod tools;
mod written_by_others;
