//! Rows ⇄ bytes: text encodings, CSV, XML and workbooks in both directions, and how a typed cell is written for an entity's field.
//!
//! What belongs here: everything about one data file that can be known without the package around it. What does not: which
//! file belongs to which entity, maps, zip (`package`), and literals of requests (`odata::literal`). Everything works in
//! chunks: text comes in pieces of any size, rows go out in batches, so memory does not grow with the file. Workbooks alone
//! are held whole, up to a limit.

// Without packages or workbooks nobody asks for some of this, and the linker drops it: finer gates would say no more than that.
#![cfg_attr(not(all(feature = "package", feature = "excel")), allow(dead_code, unused_imports))]

mod accept;
// Two gates, since clippy knows tests by the first alone.
#[cfg(test)]
#[cfg(all(feature = "package", feature = "excel"))]
mod audit_tests;
mod cell;
#[cfg(test)]
mod cell_table_tests;
mod check;
mod csv_file;
mod csv_write;
#[cfg(feature = "excel")]
mod excel;
mod format;
mod markup;
mod number;
mod sheet_name;
mod workbook_plan;
#[cfg(feature = "package")]
mod xml;

use d365_clm_text::{cells, csv_read, encoding, joined, rows};

pub use cell::CellKind;
pub use d365_clm_text::rows::{ColumnBatch, ColumnText, RowBatch};
pub use format::{CodePage, SourceFormat};
pub use workbook_plan::WorkbookPlan;

pub(crate) use accept::{Accepts, upper};
#[cfg(feature = "full")]
pub(crate) use accept::{utc_of_millis, utc_text};
pub(crate) use cell::Target;
pub(crate) use check::{CsvChecker, check_header};
pub(crate) use csv_file::CsvReader;
pub(crate) use csv_read::RowSink;
pub(crate) use csv_write::{Column, CsvWriter};
pub(crate) use d365_clm_text::encoding::{Decoder, Encoding};
pub(crate) use d365_clm_text::rows::{BatchBuilder, ColumnBuilder};
#[cfg(feature = "excel")]
pub(crate) use excel::{WorkbookOptions, WorkbookReader, WorkbookWriter};
#[allow(unused_imports, reason = "what the package engine takes up")]
pub(crate) use sheet_name::sheet_name;
#[cfg(feature = "package")]
pub(crate) use xml::{
    Member, MemberInfo, Progress, RecordSink, XmlChecker, XmlFileWriter, XmlOptions, XmlReader, XmlStyle,
};
