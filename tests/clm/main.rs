//! The contract life cycle against a small model of the service: undisturbed, refused, killed after every step.
// A test that can't go on has failed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic
)]

mod agreements;
mod connection;
mod contracts;
mod scenarios;
mod world;
