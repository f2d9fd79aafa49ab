//! Lets contract lifecycle management (CLM) products work with Microsoft Dynamics 365 Supply Chain Management (SCM).
//!
//! The crate holds conversations with the service as values, and never opens a connection: a driver sends what a machine
//! asks for (see [`http`]). In the npm package `d365-clm` that driver is over `fetch`; a native caller brings its own.
//!
//! | module | what it is for |
//! |---|---|
//! | [`package`] | data packages: build, open, check |
//! | [`table`] | rows ⇄ bytes of a data file |
//! | [`odata`] | requests that this service accepts, and its answers |
//! | [`clm`] | contracts, purchase agreements, the connection |
//! | [`dmf`] | data projects, imports and exports that lose nothing |
//! | [`sync`] | which records changed since when, in batches that are never skipped |
//! | [`connection`] | why an environment can't be used, and where that is put right |
//! | [`http`] | requests as data, repetition, the contract with a driver |
//! | [`catalog`] | what is known of the entities |
//! | [`error`] | the one error type, with a stable code |
//!
//! # Features
//!
//! | feature | gives | default |
//! |---|---|---|
//! | `package` | [`package`], [`table`], [`catalog`] | yes |
//! | `full` | the above and [`http`], [`odata`], [`dmf`], [`sync`], [`clm`], [`connection`] | yes |
//! | `excel` | workbooks in [`table`]; alone it brings no packages | yes |
//! | `wasm` | the JavaScript exports of the features that are on; on wasm32-unknown-unknown only | no |
//!
//! What belongs in this file: the list of modules with their features, and the one gate that keeps JavaScript's exports out of
//! native builds.
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

pub mod catalog;
#[cfg(feature = "full")]
pub mod clm;
#[cfg(feature = "full")]
pub mod connection;
#[cfg(feature = "full")]
pub mod dmf;
pub mod error;
#[cfg(feature = "package")]
mod fields;
#[cfg(feature = "full")]
pub mod http;
#[cfg(feature = "full")]
pub mod odata;
#[cfg(feature = "package")]
mod order;
#[cfg(feature = "package")]
pub mod package;
#[cfg(feature = "full")]
pub mod sync;
pub mod table;

/// The JavaScript exports; no part of the Rust API.
#[doc(hidden)]
#[cfg(all(feature = "wasm", target_arch = "wasm32", target_os = "unknown"))]
pub mod bindings;

pub use error::{Error, ErrorCode};
