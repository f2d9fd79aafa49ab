//! The inner loops of `d365-clm`: every byte of a data file passes through here.
//!
//! A crate of its own for one reason: it is compiled for speed, and the rest for size. In WebAssembly that makes reading rows
//! twice as fast, for a tenth of what it would cost to compile everything so. What belongs here: loops over text and cells
//! without any knowledge of entities or packages. What does not: errors with places and hints, files, rules of the service.
//!
//! No API of its own: use `d365-clm`.
#![doc(hidden)]
// What is called from outside is not generic and never inlined: either way it would be compiled over there, for size.
#![allow(clippy::new_without_default, reason = "only used where `new` says it better")]

pub mod cells;
pub mod csv_read;
pub mod encoding;
pub mod joined;
pub mod json_rows;
pub mod rows;
