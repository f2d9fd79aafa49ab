//! The rules for the sheet of a workbook, whoever reads it: this library's own reader, or the caller's in another module.

use crate::error::{Error, ErrorCode};

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

/// Holds one sheet against maps and schema, perhaps in several passes.
#[derive(Default)]
pub(super) struct SheetCheck {
    check: Option<RowCheck>,
    header: Option<Vec<String>>,
    line: u64,
    row: Row,
}

impl SheetCheck {
    /// The sheet was opened, in a further pass again: whether its rows are worth reading.
    pub(super) fn begin(
        &mut self,
        name: &str,
        header_row: u64,
        columns: &[String],
        subject: &Subject,
        report: &mut Report,
    ) -> bool {
        self.line = header_row;
        self.row.clear();
        if self.check.is_some() {
            return true;
        }
        let mut add = |finding: Diagnostic| report.add(finding.file(&subject.file).entity(&subject.label));
        if let Some(finding) = other_sheet(&subject.sheet, name) {
            add(finding);
            return false;
        }
        if columns.len() > MAX_COLUMNS {
            let message = format!("the sheet has {} columns", columns.len());
            add(Diagnostic::new(Code::ExcelColumns, message));
        }
        if header_row != 1 {
            let message = match header_row {
                0 => format!("{} has no header row", shown(&subject.file)),
                row => format!("the names of the columns stand in row {row} of the sheet"),
            };
            add(Diagnostic::new(Code::NoHeader, message).line(1));
            return false;
        }
        self.check = Some(RowCheck::new(check_header(columns, subject, report)));
        self.header = Some(columns.to_vec());
        true
    }

    /// The next cell of the row that is being read: whether it is the last.
    pub(super) fn cell(&mut self, cell: &str) -> bool {
        self.row.push(cell);
        self.row.len() >= self.header.as_ref().map_or(0, Vec::len)
    }

    /// The row is complete.
    pub(super) fn end_row(&mut self, subject: &Subject, report: &mut Report) {
        self.line += 1;
        if self.row.cells().any(|cell| cell.len() >= CUT && cell.chars().count() == CUT) {
            let finding =
                Diagnostic::new(Code::ExcelCut, "a cell has exactly 255 characters").line(self.line);
            report.add(finding.file(&subject.file).entity(&subject.label));
        }
        if let Some(check) = &mut self.check {
            check.row(self.line, &self.row, subject, report);
        }
        self.row.clear();
    }

    /// The sheet was read to its end: whether it must be read again.
    pub(super) fn end(&mut self, subject: &Subject, report: &mut Report) -> Next {
        self.check.as_mut().map_or(Next::Done, |check| check.end_of_file(subject, report))
    }

    /// Columns of the sheet, to make maps of.
    pub(super) fn into_header(self) -> Option<Vec<String>> {
        self.header
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
pub(super) fn refused(error: &Error) -> Diagnostic {
    let message = error.message.as_str();
    let code = match error.code {
        ErrorCode::PackageLimit => Code::Limit,
        ErrorCode::WasmLoadFailed | ErrorCode::WasmBlocked => Code::NotExamined,
        _ if message.contains("no sheet") => Code::ExcelSheet,
        _ if message.contains("has no name") => Code::ColumnUnnamed,
        _ if message.contains("twice") => Code::ColumnTwice,
        _ => Code::ExcelUnreadable,
    };
    let mut finding = Diagnostic::new(code, message);
    finding.line = error.at.as_deref().and_then(|at| at.line);
    finding.hint = error.hint.clone().unwrap_or(finding.hint);
    finding
}
