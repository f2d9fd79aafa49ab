//! The rows of a file, whatever its format: number of cells, values, keys.

use super::codes::{Code, Severity};
use super::columns::{Column, Columns};
use super::csv::Row;
use super::keys::{DuplicateKeys, Next};
use super::report::{Diagnostic, Report, shown};
use super::subject::Subject;

/// Holds each row against the columns. In further passes only keys are looked at.
#[derive(Debug)]
pub(super) struct RowCheck {
    columns: Columns,
    duplicates: DuplicateKeys,
    key: String,
    rows: u64,
    first_pass: bool,
    time_told: bool,
}

impl RowCheck {
    pub(super) fn new(columns: Columns) -> Self {
        Self {
            columns,
            duplicates: DuplicateKeys::new(),
            key: String::new(),
            rows: 0,
            first_pass: true,
            time_told: false,
        }
    }

    pub(super) fn row(&mut self, line: u64, row: &Row, subject: &Subject, report: &mut Report) {
        self.rows += 1;
        if self.first_pass {
            self.values(line, row, subject, report);
        }
        self.add_key(line, row, subject, report);
    }

    /// The file was read to its end: whether it must be read again.
    pub(super) fn end_of_file(&mut self, subject: &Subject, report: &mut Report) -> Next {
        if self.first_pass && self.rows == 0 {
            let finding = Diagnostic::new(Code::NoRow, format!("{} has no data row", shown(&subject.file)));
            report.add(finding.file(&subject.file).entity(&subject.label));
        }
        self.first_pass = false;
        let next = self.duplicates.end_of_file();
        if next == Next::Done {
            let duplicates = std::mem::replace(&mut self.duplicates, DuplicateKeys::new());
            self.tell_duplicates(duplicates, subject, report);
        }
        next
    }

    fn values(&mut self, line: u64, row: &Row, subject: &Subject, report: &mut Report) {
        let expected = self.columns.all.len();
        if row.len() != expected {
            if report.tells(Code::Ragged, &subject.file, &subject.label) {
                let message = format!("the row has {} cells, the header {expected}", row.len());
                let finding = Diagnostic::new(Code::Ragged, message).line(line);
                report.add(finding.file(&subject.file).entity(&subject.label));
            } else {
                report.count(Code::Ragged, &subject.file, &subject.label);
            }
        }
        for (column, value) in self.columns.all.iter().zip(row.cells()) {
            check_value(column, value, line, subject, report);
            if !self.time_told && column.accepts.has_time(value) {
                self.time_told = true;
                let message = format!("the value {} has a time of day", shown(value));
                let finding = Diagnostic::new(Code::DatetimeZone, message).line(line).column(&column.name);
                report.add(finding.file(&subject.file).entity(&subject.label));
            }
        }
    }

    fn add_key(&mut self, line: u64, row: &Row, subject: &Subject, report: &mut Report) {
        let Some(keys) = &self.columns.keys else { return };
        self.key.clear();
        let mut any = false;
        for (nth, &place) in keys.iter().enumerate() {
            if nth > 0 {
                self.key.push('\u{1f}');
            }
            let value = row.cell(place);
            any |= !value.is_empty();
            if let Some(column) = self.columns.all.get(place) {
                column.accepts.normalise(value, &mut self.key);
            }
        }
        if any {
            self.duplicates.add(&self.key, line);
        } else if self.first_pass {
            let finding = Diagnostic::new(Code::KeyEmpty, "all key fields of the row are empty").line(line);
            report.add(finding.file(&subject.file).entity(&subject.label));
        }
    }

    fn tell_duplicates(&self, duplicates: DuplicateKeys, subject: &Subject, report: &mut Report) {
        let (found, count, partly) = duplicates.into_found();
        let listed = found.len() as u64;
        for duplicate in found {
            let key = duplicate.key.replace('\u{1f}', ", ");
            let message = format!("the key {} stands in line {} already", shown(&key), duplicate.first);
            let finding = Diagnostic::new(Code::KeyDuplicate, message).line(duplicate.line);
            report.add(finding.file(&subject.file).entity(&subject.label));
        }
        if count > listed || partly {
            let least = if partly { "at least " } else { "" };
            let message =
                format!("{least}{count} rows repeat the key of an earlier row; {listed} are listed");
            let finding = Diagnostic::new(Code::KeyDuplicate, message);
            report.add(finding.file(&subject.file).entity(&subject.label));
        }
    }
}

fn check_value(column: &Column, value: &str, line: u64, subject: &Subject, report: &mut Report) {
    let finding = if !column.accepts.takes(value) {
        let is_enum = matches!(column.accepts, crate::table::Accepts::Enum(_));
        let open = is_enum && !column.accepts.is_no_yes();
        let code = if open { Code::ValueEnum } else { Code::ValueType };
        if !report.tells(code, &subject.file, &subject.label) {
            report.count(code, &subject.file, &subject.label);
            return;
        }
        let severity = if open && !subject.whole_schema { Severity::Warning } else { Severity::Error };
        let message = format!("{} is not {}", shown(value), column.accepts.name());
        Diagnostic::new(code, message).severity(severity)
    } else if let Some(limit) = column.max_length.filter(|&limit| is_longer(value, limit)) {
        let length = value.encode_utf16().count();
        Diagnostic::new(
            Code::ValueLength,
            format!("the text has {length} characters, the field takes {limit}"),
        )
    } else {
        return;
    };
    report.add(finding.file(&subject.file).entity(&subject.label).line(line).column(&column.name));
}

fn is_longer(value: &str, limit: u32) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    value.len() > limit && value.encode_utf16().count() > limit
}
