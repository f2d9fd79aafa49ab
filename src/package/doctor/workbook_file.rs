//! One workbook: it is held whole, up to the limit, and read when all of it has come, here or by the caller.

use d365_clm_text::cells::Cells;

use crate::error::{Error, Result};
#[cfg(feature = "excel")]
use crate::table::{RowSink, WorkbookOptions, WorkbookReader};

use super::keys::Next;
use super::report::Report;
use super::sheet_check::{SheetCheck, refused};
use super::subject::Subject;

/// Collects a workbook and examines it.
pub(super) struct WorkbookFile {
    bytes: Vec<u8>,
    limit: u64,
    sheet: SheetCheck,
    reading: Reading,
}

/// Who reads the rows, and how far that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    #[cfg(feature = "excel")]
    Here,
    /// The caller, once the bytes are complete.
    Elsewhere,
    /// The caller, now.
    Wanted,
    /// The caller has.
    Over,
}

impl WorkbookFile {
    /// `limit` is that for the bytes of a workbook, and for its inflated parts.
    #[cfg(feature = "excel")]
    pub(super) fn here(limit: u64) -> Self {
        Self { reading: Reading::Here, ..Self::elsewhere(limit) }
    }

    /// The caller reads it.
    pub(super) fn elsewhere(limit: u64) -> Self {
        Self { bytes: Vec::new(), limit, sheet: SheetCheck::default(), reading: Reading::Elsewhere }
    }

    /// The next bytes; false once the rest is not worth reading.
    pub(super) fn push(&mut self, bytes: &[u8]) -> bool {
        let fits = (self.bytes.len() + bytes.len()) as u64 <= self.limit;
        // The reader tells of the limit.
        self.bytes.extend_from_slice(bytes);
        fits
    }

    /// All of it is there.
    #[cfg_attr(not(feature = "excel"), allow(unused_variables))]
    pub(super) fn end_of_file(&mut self, subject: &Subject, report: &mut Report) -> Next {
        #[cfg(feature = "excel")]
        if self.reading == Reading::Here {
            let bytes = std::mem::take(&mut self.bytes);
            if let Err(error) = self.examine(&bytes, subject, report) {
                report.add(refused(&error).file(&subject.file).entity(&subject.label));
            }
            return Next::Done;
        }
        self.reading = Reading::Wanted;
        Next::Rows
    }

    pub(super) fn reading(&self) -> Reading {
        self.reading
    }

    /// Columns of the sheet, to make maps of.
    pub(super) fn into_header(self) -> Option<Vec<String>> {
        self.sheet.into_header()
    }

    #[cfg(feature = "excel")]
    fn examine(&mut self, bytes: &[u8], subject: &Subject, report: &mut Report) -> Result<()> {
        let options = WorkbookOptions {
            sheet: (!subject.sheet.is_empty()).then(|| subject.sheet.clone()),
            mapped: Vec::new(),
            limit: self.limit,
        };
        loop {
            // The rows are at hand, so a further pass is another reading.
            let mut reader = WorkbookReader::new(bytes.to_vec(), &options)?;
            let (name, row, columns) = (reader.sheet_name(), reader.header_row(), reader.columns());
            if !self.sheet.begin(name, row, columns, subject, report) {
                return Ok(());
            }
            reader.read(&mut Rows { sheet: &mut self.sheet, cell: String::new(), subject, report })?;
            if self.sheet.end(subject, report) == Next::Done {
                return Ok(());
            }
        }
    }
}

/// A workbook whose rows the caller reads, by [`Doctor::workbooks_elsewhere`](super::Doctor::workbooks_elsewhere). Each pass is
/// [`begin`](Self::begin), [`rows`](Self::rows) until the sheet ends, and [`end`](Self::end);
/// [`refuse`](Self::refuse) ends it where it can't be read. Rows that are empty up to the end of the sheet are left out.
pub struct WorkbookExam<'a> {
    pub(super) file: &'a mut WorkbookFile,
    pub(super) subject: &'a Subject,
    pub(super) report: &'a mut Report,
}

impl WorkbookExam<'_> {
    /// The sheet as the manifest names it, with the dollar sign; empty for the first.
    #[must_use]
    pub fn sheet(&self) -> &str {
        &self.subject.sheet
    }

    /// The bytes of the workbook, at the first call; more than the limit where the workbook is beyond it, which the reader refuses.
    pub fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.file.bytes)
    }

    /// The sheet was opened: its name, the 1-based row of its header (0 for none), and the columns in the header. False where
    /// the rows are not worth reading: then nothing more is wanted of this workbook.
    pub fn begin(&mut self, name: &str, header_row: u64, columns: &[String]) -> bool {
        let goes_on = self.file.sheet.begin(name, header_row, columns, self.subject, self.report);
        if !goes_on {
            self.file.reading = Reading::Over;
        }
        goes_on
    }

    /// The next rows: `text` is their cells one after another, `ends` where each ends in it, in UTF-16 code units. Each has as
    /// many cells as there are columns.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for ends that do not fit the text.
    pub fn rows(&mut self, text: &str, ends: &[u32]) -> Result<()> {
        for cell in Cells::new(text, ends) {
            let cell = cell.map_err(|_| Error::argument("the ends of the cells do not fit their text"))?;
            if self.file.sheet.cell(cell) {
                self.file.sheet.end_row(self.subject, self.report);
            }
        }
        Ok(())
    }

    /// The sheet is at its end. True where it must be read once more: then the next pass begins.
    pub fn end(&mut self) -> bool {
        let again = self.file.sheet.end(self.subject, self.report) == Next::Again;
        if !again {
            self.file.reading = Reading::Over;
        }
        again
    }

    /// The reader failed; nothing more is wanted of this workbook. Findings: PKG-LIMIT of `PACKAGE_LIMIT`, PKG-NOT-EXAMINED of
    /// `WASM_LOAD_FAILED` and `WASM_BLOCKED` (there is no reader), else what the message says, mostly PKG-EXCEL-UNREADABLE.
    pub fn refuse(&mut self, error: &Error) {
        self.file.reading = Reading::Over;
        self.report.add(refused(error).file(&self.subject.file).entity(&self.subject.label));
    }
}

impl std::fmt::Debug for WorkbookExam<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkbookExam").field("file", &self.subject.file).finish_non_exhaustive()
    }
}

/// All rows in one reading.
#[cfg(feature = "excel")]
struct Rows<'a> {
    sheet: &'a mut SheetCheck,
    cell: String,
    subject: &'a Subject,
    report: &'a mut Report,
}

#[cfg(feature = "excel")]
impl RowSink for Rows<'_> {
    fn text(&mut self, part: &str) {
        self.cell.push_str(part);
    }

    fn end_cell(&mut self) {
        self.sheet.cell(&self.cell);
        self.cell.clear();
    }

    fn end_row(&mut self) {
        self.sheet.end_row(self.subject, self.report);
    }

    fn is_full(&self) -> bool {
        false
    }
}

#[cfg(test)]
#[cfg(feature = "excel")]
#[path = "workbook_file_tests.rs"]
mod tests;
