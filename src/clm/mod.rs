//! Contracts, purchase agreements, the connection between the two systems, and links into the client.
//!
//! What belongs here: the rules of the CLM integration framework, as conversations of requests that `odata` shapes. What does not:
//! data projects and packages (`dmf`), which records changed (`sync`, later), and anything that is true of every entity (`odata`).
//!
//! Each call is a [`Dialogue`] whose output is JSON, or nothing; each may be made again, whatever became of the one before. What a
//! repeat finds after the process died on the way is told at the top of each file.
//!
//! A record is looked for by a list with a condition, not by its key: some entities answer 400 and some 404 where there is none, keys
//! with an enum answer 404 where there is one, and only of a list a 404 says that the entity set itself is missing.

pub mod agreements;
pub mod connection;
pub mod contracts;
pub mod links;
mod talk;

pub use agreements::Draft;
pub use connection::{Link, Setup};
pub use talk::{RecordRef, Told};

#[cfg(doc)]
use crate::odata::Dialogue;
