//! One XML file from its bytes: its records as rows. The reader stops at what is not well-formed; what is missing in records or
//! wrong in values is told of every record.

use std::collections::HashSet;

use crate::error::{Error, ErrorCode};
use crate::table::{Progress, RecordSink, RowSink, SourceFormat, XmlOptions, XmlReader, XmlStyle};

use super::codes::{Code, Severity};
use super::columns::check_header;
use super::csv::Row;
use super::keys::Next;
use super::report::{Diagnostic, Report, shown};
use super::rows::RowCheck;
use super::subject::Subject;

/// Elements in each other; no data file needs more.
const MAX_DEPTH: u32 = 64;

/// Examines a file that is pushed in pieces, perhaps several times.
pub(super) struct XmlFile {
    reader: XmlReader,
    header: Option<Vec<String>>,
    check: Option<RowCheck>,
    /// By column: whether any record has it, and the line of the first record that lacks it.
    seen: Vec<bool>,
    composite: bool,
    /// By member of a composite: whether any of its records has a value.
    valued: Vec<bool>,
    further_pass: bool,
    stopped: bool,
}

impl XmlFile {
    pub(super) fn new(subject: &Subject) -> Self {
        let composite = subject.composite;
        let mut names = HashSet::new();
        let mapped = subject.maps.iter().map(|map| map.column.clone());
        let mapped: Vec<String> =
            mapped.filter(|column| !column.is_empty() && names.insert(column.clone())).collect();
        let header = (!mapped.is_empty() && !composite).then(|| mapped.clone());
        let style = match subject.format {
            SourceFormat::XmlAttribute => XmlStyle::Attribute,
            _ => XmlStyle::Element,
        };
        let rules = subject.rules.as_ref().filter(|rules| !composite && !rules.aot.is_empty());
        let record = rules.map(|rules| rules.aot.clone());
        let options = XmlOptions {
            mapped,
            composite,
            record,
            max_depth: MAX_DEPTH,
            loose: composite,
            ..XmlOptions::default()
        };
        Self {
            reader: XmlReader::new(style, options),
            seen: vec![false; header.as_ref().map_or(0, Vec::len)],
            header,
            check: None,
            composite,
            valued: Vec::new(),
            further_pass: false,
            stopped: false,
        }
    }

    /// The next bytes; false once the rest is not worth reading.
    pub(super) fn push(&mut self, bytes: &[u8], subject: &Subject, report: &mut Report) -> bool {
        if !self.stopped {
            self.reader.push(bytes);
            self.pull(subject, report);
        }
        !self.stopped
    }

    /// The file was read to its end, or as far as it is worth reading.
    pub(super) fn end_of_file(&mut self, subject: &Subject, report: &mut Report) -> Next {
        if !self.stopped {
            self.reader.end();
            self.pull(subject, report);
        }
        if self.stopped {
            return Next::Done;
        }
        if self.composite {
            self.tell_members(subject, report);
            return Next::Done;
        }
        let Some(check) = &mut self.check else {
            let finding = Diagnostic::new(Code::NoRow, format!("{} has no record", shown(&subject.file)));
            report.add(finding.file(&subject.file).entity(&subject.label));
            return Next::Done;
        };
        let next = check.end_of_file(subject, report);
        if !self.further_pass {
            self.tell_columns(subject, report);
        }
        if next == Next::Again {
            let Self { header, check, .. } = std::mem::replace(self, Self::new(subject));
            self.header = header;
            self.check = check;
            self.further_pass = true;
        }
        next
    }

    /// Columns of the file, to make maps of.
    pub(super) fn into_header(self) -> Option<Vec<String>> {
        self.check.and(self.header)
    }

    fn pull(&mut self, subject: &Subject, report: &mut Report) {
        let mut sink = OneRow::default();
        loop {
            sink.clear();
            match self.reader.pull(&mut sink) {
                Ok(progress) => {
                    if sink.full {
                        self.row(&sink, subject, report);
                    }
                    if progress != Progress::Full {
                        return;
                    }
                }
                Err(error) => {
                    self.stopped = true;
                    if !self.further_pass {
                        report.add(finding(&error).file(&subject.file).entity(&subject.label));
                    }
                    return;
                }
            }
            if self.stopped {
                return;
            }
        }
    }

    fn row(&mut self, sink: &OneRow, subject: &Subject, report: &mut Report) {
        if self.composite {
            let at = usize::from(sink.member);
            if self.valued.len() <= at {
                self.valued.resize(at + 1, false);
            }
            if let Some(valued) = self.valued.get_mut(at) {
                *valued |= sink.row.cells().any(|cell| !cell.is_empty());
            }
            return;
        }
        let line = self.reader.line();
        if sink.member > 0 {
            self.stopped = true;
            let message = "a record contains another one, which only composite entities have";
            let finding = Diagnostic::new(Code::XmlRecord, message).line(line);
            report.add(finding.file(&subject.file).entity(&subject.label));
            return;
        }
        if self.check.is_none() {
            let columns = self.reader.members().first().map(|member| member.columns.clone());
            let header = self.header.take().or(columns).unwrap_or_default();
            self.seen = vec![false; header.len()];
            self.check = Some(RowCheck::new(check_header(&header, subject, report)));
            self.header = Some(header);
        }
        if !self.further_pass {
            let lacks = sink.filled.iter().position(|filled| !filled);
            if let Some(column) = lacks.and_then(|at| self.header.as_ref()?.get(at)) {
                if report.tells(Code::XmlFieldMissing, &subject.file, &subject.label) {
                    let message = format!("the record that ends here lacks the field {}", shown(column));
                    let finding = Diagnostic::new(Code::XmlFieldMissing, message).line(line).column(column);
                    report.add(finding.file(&subject.file).entity(&subject.label));
                } else {
                    report.count(Code::XmlFieldMissing, &subject.file, &subject.label);
                }
            }
            self.seen.iter_mut().zip(&sink.filled).for_each(|(seen, filled)| *seen |= filled);
        }
        if let Some(check) = &mut self.check {
            check.row(line, &sink.row, subject, report);
        }
    }

    /// What a composite lacks, as far as that can be told without its definition.
    fn tell_members(&self, subject: &Subject, report: &mut Report) {
        let mut add = |finding: Diagnostic| report.add(finding.file(&subject.file).entity(&subject.label));
        let members = self.reader.members();
        // A record that contains one is no empty element.
        let has_rows = |at: usize| {
            self.valued.get(at) == Some(&true) || members.iter().any(|member| member.parent == Some(at))
        };
        let with_rows = (0..members.len()).filter(|at| has_rows(*at)).count();
        if with_rows == 0 {
            add(Diagnostic::new(Code::NoRow, format!("{} has no record", shown(&subject.file))));
            return;
        }
        let there: HashSet<&str> =
            members.iter().flat_map(|member| &member.columns).map(String::as_str).collect();
        let mut told = HashSet::new();
        let lacking = subject.maps.iter().filter(|map| !map.filled && !map.column.is_empty());
        let lacking = lacking.map(|map| map.column.as_str());
        // The fields of a member without rows need not be there.
        let lacking = lacking.filter(|column| with_rows == members.len() && !there.contains(column));
        for column in lacking.filter(|column| told.insert(*column)) {
            let message = format!("the mapped field {} is in no record of any member", shown(column));
            add(Diagnostic::new(Code::CompositeMember, message).column(column));
        }
        if let ([only], true) = (members, told.is_empty()) {
            let message = format!("no record contains another one, there is only <{}>", only.element);
            add(Diagnostic::new(Code::CompositeMember, message).severity(Severity::Warning));
        }
    }

    /// Columns that no record has.
    fn tell_columns(&self, subject: &Subject, report: &mut Report) {
        let columns = self.header.iter().flatten();
        for (column, _) in columns.zip(&self.seen).filter(|(_, seen)| !**seen) {
            let filled = subject.maps.iter().any(|map| map.filled && map.column == *column);
            if !filled {
                let message = format!("the mapped field {} is in no record", shown(column));
                let finding = Diagnostic::new(Code::ColumnMissing, message).column(column);
                report.add(finding.file(&subject.file).entity(&subject.label));
            }
        }
    }
}

/// The finding behind an error of the reader, which has its place.
fn finding(error: &Error) -> Diagnostic {
    let message = error.message.as_str();
    let at = error.at.as_deref();
    let code = if message.contains("document type") {
        Code::XmlDoctype
    } else if message.contains("XML can't hold") {
        Code::XmlCharacter
    } else if message.contains("bytes are no") {
        Code::Undecodable
    } else if message.contains("among the mapped columns") || message.contains("among its columns") {
        Code::ColumnUnmapped
    } else if message.contains("the field") && message.contains("twice") {
        Code::ColumnTwice
    } else if message.contains("larger than") {
        Code::RowSize
    } else if error.code != ErrorCode::PackageLimit
        && (message.contains("root element is")
            || message.contains("has no fields before")
            || message.contains("record") && !message.contains("well-formed"))
    {
        Code::XmlRecord
    } else {
        Code::XmlMalformed
    };
    let mut finding = Diagnostic::new(code, message);
    finding.line = at.and_then(|at| at.line);
    finding.column = at.and_then(|at| at.column.clone());
    finding.hint = error.hint.clone().unwrap_or(finding.hint);
    finding
}

/// One record and which of its cells are there.
#[derive(Default)]
struct OneRow {
    row: Row,
    cell: String,
    is_filled: bool,
    filled: Vec<bool>,
    member: u8,
    full: bool,
}

impl OneRow {
    fn clear(&mut self) {
        self.row.clear();
        self.cell.clear();
        self.is_filled = false;
        self.filled.clear();
        self.member = 0;
        self.full = false;
    }
}

impl RowSink for OneRow {
    fn text(&mut self, part: &str) {
        self.is_filled = true;
        self.cell.push_str(part);
    }

    fn end_cell(&mut self) {
        self.row.push(&self.cell);
        self.cell.clear();
        self.filled.push(std::mem::take(&mut self.is_filled));
    }

    fn end_row(&mut self) {
        self.full = true;
    }

    fn is_full(&self) -> bool {
        self.full
    }
}

impl RecordSink for OneRow {
    fn member(&mut self, index: u8) {
        self.member = index;
    }
}

impl std::fmt::Debug for XmlFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("XmlFile").field("header", &self.header).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "xml_file_tests.rs"]
mod tests;
