//! The JavaScript exports: they convert, and drive the machines below; nothing is decided here.
//!
//! What belongs here: wasm-bindgen, fetch, timers, the token in memory, and the loop that carries out steps. What does not: any
//! rule of the service, of the format, or of repetition. The names are those of `pkg-template/ts/wire.ts`, which wraps them.

mod cancel;
mod client;
mod driver;
mod host;
mod job;
mod package;
mod panic;
mod send;
mod thrown;

use wasm_bindgen::prelude::wasm_bindgen;

pub use client::{Client, ListPager};
pub use job::{JobHooks, WireExport};
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
