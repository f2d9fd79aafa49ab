//! Rows ⇄ bytes: text encodings, CSV in both directions, and how a typed cell is written for an entity's field.
//!
//! What belongs here: everything about one data file that can be known without the package around it. What does not: which
//! file belongs to which entity, maps, zip (`package`), and literals of requests (`odata::literal`). Everything works in
//! chunks: text comes in pieces of any size, rows go out in batches, so memory does not grow with the file.

// Without packages nobody asks for most of this, and the linker drops it: finer gates would say no more than that.
#![cfg_attr(not(feature = "package"), allow(dead_code, unused_imports))]

mod accept;
mod cell;
mod cells;
mod check;
mod csv_file;
mod csv_read;
mod csv_write;
mod encoding;
mod format;
mod number;
mod rows;

pub use cell::CellKind;
pub use format::SourceFormat;
pub use rows::{ColumnBatch, ColumnText, RowBatch};

pub(crate) use accept::Accepts;
pub(crate) use cell::Target;
pub(crate) use check::{CsvChecker, check_header};
pub(crate) use csv_file::CsvReader;
pub(crate) use csv_read::RowSink;
pub(crate) use csv_write::{Column, CsvWriter};
pub(crate) use encoding::{Decoder, Encoding};
pub(crate) use rows::{BatchBuilder, ColumnBuilder};
