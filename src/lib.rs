//! Lets contract lifecycle management (CLM) products work with Microsoft Dynamics 365 Supply Chain Management.
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

pub mod catalog;
pub mod dmf;
pub mod error;
pub mod http;
pub mod odata;
pub mod package;
pub mod table;

/// The JavaScript exports; no part of the Rust API.
#[doc(hidden)]
#[cfg(all(feature = "wasm", target_arch = "wasm32", target_os = "unknown"))]
pub mod bindings;

pub use error::{Error, ErrorCode};
