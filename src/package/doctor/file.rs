//! A data file of any format that can be read here.

use crate::table::SourceFormat;

use super::csv_file::{CsvFacts, CsvFile};
use super::keys::Next;
use super::report::Report;
use super::subject::Subject;
use super::workbook_file::{Reading, WorkbookFile};
use super::xml_file::XmlFile;

/// Examines a file that is pushed in pieces, perhaps several times.
pub(super) enum DataFile {
    Csv(Box<CsvFile>),
    Xml(Box<XmlFile>),
    Workbook(Box<WorkbookFile>),
}

impl DataFile {
    /// None for a format that is not read here. `workbook` is the limit for workbooks, in bytes; `elsewhere` says that the caller
    /// reads their rows.
    pub(super) fn new(subject: &Subject, workbook: u64, elsewhere: bool) -> Option<Self> {
        Some(match subject.format {
            SourceFormat::Csv | SourceFormat::CsvUnicode => {
                Self::Csv(Box::new(CsvFile::new(&subject.format)))
            }
            SourceFormat::XmlElement | SourceFormat::XmlAttribute => {
                Self::Xml(Box::new(XmlFile::new(subject)))
            }
            SourceFormat::Excel if elsewhere => Self::Workbook(Box::new(WorkbookFile::elsewhere(workbook))),
            #[cfg(feature = "excel")]
            SourceFormat::Excel => Self::Workbook(Box::new(WorkbookFile::here(workbook))),
            _ => return None,
        })
    }

    /// The next bytes; false once the rest is not worth reading.
    pub(super) fn push(&mut self, bytes: &[u8], subject: &Subject, report: &mut Report) -> bool {
        match self {
            Self::Csv(file) => file.push(bytes, subject, report),
            Self::Xml(file) => file.push(bytes, subject, report),
            Self::Workbook(file) => file.push(bytes),
        }
    }

    /// The file was read to its end, or as far as it is worth reading.
    pub(super) fn end_of_file(&mut self, subject: &Subject, report: &mut Report) -> Next {
        match self {
            Self::Csv(file) => file.end_of_file(subject, report),
            Self::Xml(file) => file.end_of_file(subject, report),
            Self::Workbook(file) => file.end_of_file(subject, report),
        }
    }

    /// How far the rows of a workbook are read; none for other files.
    pub(super) fn reading(&self) -> Option<Reading> {
        match self {
            Self::Workbook(file) => Some(file.reading()),
            Self::Csv(_) | Self::Xml(_) => None,
        }
    }

    pub(super) fn into_facts(self) -> CsvFacts {
        match self {
            Self::Csv(file) => file.into_facts(),
            Self::Xml(file) => CsvFacts { header: file.into_header(), ..CsvFacts::default() },
            Self::Workbook(file) => CsvFacts { header: file.into_header(), ..CsvFacts::default() },
        }
    }
}
