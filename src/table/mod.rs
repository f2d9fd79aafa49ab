//! Rows ⇄ bytes: text encodings, CSV in both directions, and how a typed cell is written for an entity's field.
//!
//! What belongs here: everything about one data file that can be known without the package around it. What does not: which
//! file belongs to which entity, maps, zip (`package`), and literals of requests (`odata::literal`). Everything works in
//! chunks: text comes in pieces of any size, rows go out in batches, so memory does not grow with the file.

mod cell;
mod cells;
mod check;
mod csv_read;
mod csv_write;
mod encoding;
mod excel;
mod format;
mod number;
mod rows;
mod xml;

pub use cell::CellKind;
pub use format::SourceFormat;
pub use rows::RowBatch;

pub(crate) use cell::Target;
pub(crate) use check::{CsvChecker, check_header, csv_error, undecodable};
pub(crate) use csv_read::{RowSink, Tokenizer};
pub(crate) use csv_write::{Column, CsvWriter};
pub(crate) use encoding::{Decoder, Encoding, Undecodable};
#[allow(unused_imports, reason = "the package engine takes them up")]
pub(crate) use excel::{WorkbookOptions, WorkbookReader, WorkbookWriter, sheet_name};
pub(crate) use rows::{BatchBuilder, CountSink};
#[allow(unused_imports, reason = "the package engine takes them up")]
pub(crate) use xml::{
    Member, MemberInfo, Progress, RecordSink, XmlChecked, XmlChecker, XmlFileWriter, XmlOptions, XmlReader,
    XmlStyle,
};
