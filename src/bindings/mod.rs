//! The JavaScript exports: they convert, and drive the machines below; nothing is decided here.
//!
//! What belongs here: wasm-bindgen, fetch, timers, the token in memory, and the loop that carries out steps. What does not: any
//! rule of the service, of the format, or of repetition. The names are those of `pkg-template/ts/wire.ts`, which wraps them.
//!
//! | feature | files |
//! |---|---|
//! | any | `memory`, `panic`, `parse`, `thrown` |
//! | `package` | `package`, `doctor` |
//! | `excel` | `workbook` |
//! | `full` | `client` with `driver`, `send`, `host`, `turn`, `cancel`, `job`, `list`, `words`; `requests`, `schema`, `manage`, `clm`, `files`, `sync`, `diagnose` |

#[cfg(feature = "full")]
mod cancel;
#[cfg(feature = "full")]
mod client;
#[cfg(feature = "full")]
mod clm;
#[cfg(feature = "full")]
mod diagnose;
#[cfg(feature = "package")]
mod doctor;
#[cfg(feature = "full")]
mod driver;
#[cfg(feature = "full")]
mod files;
#[cfg(feature = "full")]
mod host;
#[cfg(feature = "full")]
mod job;
#[cfg(feature = "full")]
mod list;
#[cfg(feature = "full")]
mod manage;
mod memory;
#[cfg(feature = "package")]
mod package;
mod panic;
#[cfg(feature = "package")]
mod parse;
#[cfg(feature = "full")]
mod requests;
#[cfg(feature = "full")]
mod schema;
#[cfg(feature = "full")]
mod send;
#[cfg(feature = "full")]
mod sync;
#[cfg(any(feature = "package", feature = "excel"))]
mod thrown;
#[cfg(feature = "full")]
mod turn;
#[cfg(feature = "full")]
mod words;
#[cfg(feature = "excel")]
mod workbook;

use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(feature = "full")]
pub use client::Client;
#[cfg(feature = "package")]
pub use doctor::PackageDoctor;
#[cfg(feature = "full")]
pub use files::{WireFile, WireMessage};
#[cfg(feature = "full")]
pub use job::{JobHooks, WireExport};
#[cfg(feature = "full")]
pub use list::ListPager;
pub use memory::wasm_memory;
#[cfg(feature = "package")]
pub use package::{
    FileCursor, PackageOpener, PackageReader, PackageRewriter, PackageWriter, RowCursor, WireBlock,
    deflate_block,
};
pub use panic::on_panic;
#[cfg(feature = "panic-probe")]
pub use panic::panic_probe;
#[cfg(feature = "full")]
pub use requests::{read, shape_request};
#[cfg(feature = "full")]
pub use schema::{MetadataReader, schema_drift, schema_types};
#[cfg(feature = "full")]
pub use sync::{SyncPass, choose};
#[cfg(feature = "excel")]
pub use workbook::{WorkbookReader, WorkbookWriter};

/// The version of the library.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
