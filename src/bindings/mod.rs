//! The JavaScript exports: they convert, and drive the machines below; nothing is decided here.
//!
//! What belongs here: wasm-bindgen, fetch, timers, the token in memory, and the loop that carries out steps. What does not: any
//! rule of the service, of the format, or of repetition. The names are those of `pkg-template/ts/wire.ts`, which wraps them.
//!
//! | feature | files |
//! |---|---|
//! | any | `panic`, `parse`, `thrown` |
//! | `package` | `package` |
//! | `full` | `client` with `driver`, `send`, `host`, `cancel`, `job`, `words` |

#[cfg(feature = "full")]
mod cancel;
#[cfg(feature = "full")]
mod client;
#[cfg(feature = "full")]
mod driver;
#[cfg(feature = "full")]
mod host;
#[cfg(feature = "full")]
mod job;
#[cfg(feature = "package")]
mod package;
mod panic;
#[cfg(feature = "package")]
mod parse;
#[cfg(feature = "full")]
mod send;
#[cfg(feature = "package")]
mod thrown;
#[cfg(feature = "full")]
mod words;

use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(feature = "full")]
pub use client::{Client, ListPager};
#[cfg(feature = "full")]
pub use job::{JobHooks, WireExport};
#[cfg(feature = "package")]
pub use package::{
    FileCursor, PackageOpener, PackageReader, PackageWriter, RowCursor, WireBlock, deflate_block, wasm_memory,
};
pub use panic::on_panic;

/// The version of the library.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
