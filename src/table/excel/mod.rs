//! Workbooks (`.xlsx`) as the format EXCEL has them: one sheet, field names in the first row, a record in each other row.
//!
//! What belongs here: rows ⇄ bytes of a workbook, the zip around it included. What does not: which sheet belongs to which
//! entity beyond the rule for its name, and the zip of a package (`package`), which has other rules and is never held whole.
//!
//! A workbook is read and written as a whole, in memory up to a limit: its parts refer to each other. The service's own
//! driver is the least dependable of all formats, so this is for people's files, not for traffic between machines.

mod container;
mod names;
mod parts;
mod read;
mod sheet;
mod write;

pub(crate) use read::{WorkbookOptions, WorkbookReader};
pub(crate) use write::WorkbookWriter;

/// The service refuses a sheet with more (DMF2009).
const MAX_COLUMNS: usize = 255;
/// Rows of a sheet, the header counted.
const MAX_ROWS: u64 = 1_048_576;
/// Columns that a sheet can have.
const SHEET_COLUMNS: usize = 16_384;
/// UTF-16 units that a cell can hold.
const MAX_CELL_UNITS: usize = 32_767;
/// All texts of a row together, as in the other formats.
const MAX_ROW_BYTES: usize = 16 << 20;
