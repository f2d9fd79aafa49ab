//! One workbook: it is held whole, up to the limit, and read when all of it has come.

use crate::error::{Error, ErrorCode};
use crate::table::{RowSink, WorkbookOptions, WorkbookReader};

use super::codes::Code;
use super::columns::check_header;
use super::csv::Row;
use super::keys::Next;
use super::report::{Diagnostic, Report, shown};
use super::rows::RowCheck;
use super::subject::Subject;

/// What the service reads at most (DMF2009).
const MAX_COLUMNS: usize = 255;
/// Where an export cuts values.
const CUT: usize = 255;

/// Collects a workbook and examines it.
pub(super) struct WorkbookFile {
    bytes: Vec<u8>,
    limit: u64,
    header: Option<Vec<String>>,
}

impl WorkbookFile {
    /// `limit` is that for the bytes of a workbook, and for its inflated parts.
    pub(super) fn new(limit: u64) -> Self {
        Self { bytes: Vec::new(), limit, header: None }
    }

    /// The next bytes; false once the rest is not worth reading.
    pub(super) fn push(&mut self, bytes: &[u8]) -> bool {
        let fits = (self.bytes.len() + bytes.len()) as u64 <= self.limit;
        // The reader tells of the limit.
        self.bytes.extend_from_slice(bytes);
        fits
    }

    /// All of it is there.
    pub(super) fn end_of_file(&mut self, subject: &Subject, report: &mut Report) {
        let bytes = std::mem::take(&mut self.bytes);
        if let Err(error) = self.examine(&bytes, subject, report) {
            report.add(finding(&error).file(&subject.file).entity(&subject.label));
        }
    }

    /// Columns of the sheet, to make maps of.
    pub(super) fn into_header(self) -> Option<Vec<String>> {
        self.header
    }

    fn examine(&mut self, bytes: &[u8], subject: &Subject, report: &mut Report) -> Result<(), Error> {
        let options = WorkbookOptions {
            sheet: (!subject.sheet.is_empty()).then(|| subject.sheet.clone()),
            mapped: Vec::new(),
            limit: self.limit,
        };
        let mut check: Option<RowCheck> = None;
        loop {
            // The rows are at hand, so a further pass is another reading.
            let mut reader = WorkbookReader::new(bytes.to_vec(), &options)?;
            if check.is_none() {
                if let Some(finding) = other_sheet(&subject.sheet, reader.sheet_name()) {
                    report.add(finding.file(&subject.file).entity(&subject.label));
                    return Ok(());
                }
                let columns = reader.columns().to_vec();
                if columns.len() > MAX_COLUMNS {
                    let message = format!("the sheet has {} columns", columns.len());
                    let finding = Diagnostic::new(Code::ExcelColumns, message);
                    report.add(finding.file(&subject.file).entity(&subject.label));
                }
                if reader.header_row() != 1 {
                    let message = match reader.header_row() {
                        0 => format!("{} has no header row", shown(&subject.file)),
                        row => format!("the names of the columns stand in row {row} of the sheet"),
                    };
                    let finding = Diagnostic::new(Code::NoHeader, message).line(1);
                    report.add(finding.file(&subject.file).entity(&subject.label));
                    return Ok(());
                }
                check = Some(RowCheck::new(check_header(&columns, subject, report)));
                self.header = Some(columns);
            }
            let Some(check) = &mut check else { return Ok(()) };
            let mut sink = OneRow::default();
            let mut line = 1;
            loop {
                sink.clear();
                if !reader.read(&mut sink)? && !sink.full {
                    break;
                }
                line += 1;
                if sink.cut {
                    let message = "a cell has exactly 255 characters";
                    let finding = Diagnostic::new(Code::ExcelCut, message).line(line);
                    report.add(finding.file(&subject.file).entity(&subject.label));
                }
                check.row(line, &sink.row, subject, report);
            }
            if check.end_of_file(subject, report) == Next::Done {
                return Ok(());
            }
        }
    }
}

/// The service takes the sheet of exactly that name, case aside; our reader is content with the only one there is.
fn other_sheet(wanted: &str, found: &str) -> Option<Diagnostic> {
    if wanted.is_empty() {
        return None;
    }
    let bare = wanted.strip_prefix('\'').and_then(|name| name.strip_suffix('\'')).unwrap_or(wanted);
    let message = match bare.strip_suffix('$') {
        Some(name) if name.eq_ignore_ascii_case(found) => return None,
        Some(name) => format!("the workbook has no sheet {}, only {}", shown(name), shown(found)),
        None => format!("{} names a range, not a sheet: the dollar sign is missing", shown(wanted)),
    };
    Some(Diagnostic::new(Code::ExcelSheet, message))
}

/// The finding behind an error of the reader.
fn finding(error: &Error) -> Diagnostic {
    let message = error.message.as_str();
    let code = if error.code == ErrorCode::PackageLimit {
        Code::Limit
    } else if message.contains("no sheet") {
        Code::ExcelSheet
    } else if message.contains("has no name") {
        Code::ColumnUnnamed
    } else if message.contains("twice") {
        Code::ColumnTwice
    } else {
        Code::ExcelUnreadable
    };
    let mut finding = Diagnostic::new(code, message);
    finding.line = error.at.as_deref().and_then(|at| at.line);
    finding.hint = error.hint.clone().unwrap_or(finding.hint);
    finding
}

#[derive(Default)]
struct OneRow {
    row: Row,
    cell: String,
    cut: bool,
    full: bool,
}

impl OneRow {
    fn clear(&mut self) {
        self.row.clear();
        self.cell.clear();
        self.cut = false;
        self.full = false;
    }
}

impl RowSink for OneRow {
    fn text(&mut self, part: &str) {
        self.cell.push_str(part);
    }

    fn end_cell(&mut self) {
        self.cut |= self.cell.len() >= CUT && self.cell.chars().count() == CUT;
        self.row.push(&self.cell);
        self.cell.clear();
    }

    fn end_row(&mut self) {
        self.full = true;
    }

    fn is_full(&self) -> bool {
        self.full
    }
}

#[cfg(test)]
#[path = "workbook_file_tests.rs"]
mod tests;
