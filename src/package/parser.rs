//! Bytes of an entity's file → rows, in whichever format.

#[cfg(feature = "excel")]
use crate::error::ErrorCode;
use crate::error::{Error, Result};
use crate::table::{
    CsvReader, Encoding, MemberInfo, Progress, RecordSink, SourceFormat, XmlOptions, XmlReader, XmlStyle,
};
#[cfg(feature = "excel")]
use crate::table::{WorkbookOptions, WorkbookReader};

use super::limits::Limits;

/// Pieces of the file are pushed; after each, rows are pulled until there are no more.
pub(super) enum Parser {
    Csv(Box<CsvReader>),
    Xml(Box<XmlReader>),
    #[cfg(feature = "excel")]
    Workbook(Box<WorkbookParser>),
}

impl Parser {
    /// `mapped` are the columns of the manifest's maps. `nested`: the records of a composite entity are wanted.
    pub(super) fn new(
        format: &SourceFormat,
        mapped: &[String],
        sheet: &str,
        nested: bool,
        limits: &Limits,
    ) -> Result<Self> {
        let xml = |style| {
            let options = XmlOptions {
                mapped: mapped.to_vec(),
                composite: nested,
                max_depth: limits.xml_depth,
                ..XmlOptions::default()
            };
            Self::Xml(Box::new(XmlReader::new(style, options)))
        };
        match format {
            _ if nested && !format.is_xml() => Err(Error::argument(format!(
                "records within records are in XML files only, the format is \"{format}\""
            ))),
            SourceFormat::CsvUnicode | SourceFormat::Csv => Ok(Self::Csv(Box::new(CsvReader::new()))),
            SourceFormat::XmlElement => Ok(xml(XmlStyle::Element)),
            SourceFormat::XmlAttribute => Ok(xml(XmlStyle::Attribute)),
            #[cfg(feature = "excel")]
            SourceFormat::Excel => Ok(Self::Workbook(Box::new(WorkbookParser::new(mapped, sheet, limits)))),
            #[cfg(not(feature = "excel"))]
            SourceFormat::Excel => {
                let _ = sheet;
                Err(super::row_file::no_workbooks())
            }
            SourceFormat::Other(_) => Err(Error::new(
                crate::ErrorCode::DataInvalid,
                format!("the rows are in the format \"{format}\", which is not known here"),
            )
            .hint("Export the entity as CSV-Unicode, CSV, XML-Element, XML-Attribute or EXCEL.")),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Csv(csv) => csv.push(bytes),
            Self::Xml(xml) => xml.push(bytes),
            #[cfg(feature = "excel")]
            Self::Workbook(workbook) => workbook.push(bytes)?,
        }
        Ok(())
    }

    /// Reads rows into the sink; false when the pieces are used up.
    pub(super) fn pull(&mut self, sink: &mut impl RecordSink) -> Result<bool> {
        match self {
            Self::Csv(csv) => csv.pull(sink),
            Self::Xml(xml) => Ok(xml.pull(sink)? == Progress::Full),
            #[cfg(feature = "excel")]
            Self::Workbook(_) => Ok(false),
        }
    }

    /// To be called after the last piece; false where the sink was full before all rows were read.
    pub(super) fn finish(&mut self, sink: &mut impl RecordSink) -> Result<bool> {
        match self {
            Self::Csv(csv) => csv.finish(sink),
            Self::Xml(xml) => {
                xml.end();
                Ok(xml.pull(sink)? == Progress::Done)
            }
            #[cfg(feature = "excel")]
            Self::Workbook(workbook) => workbook.finish(sink),
        }
    }

    /// The columns, where they are known before the first row was read.
    pub(super) fn columns(&mut self, mapped: &[String]) -> Option<Vec<String>> {
        match self {
            Self::Csv(_) => None,
            Self::Xml(_) => (!mapped.is_empty()).then(|| mapped.to_vec()),
            #[cfg(feature = "excel")]
            Self::Workbook(workbook) => workbook.columns(),
        }
    }

    /// Whether the first row is the header.
    pub(super) fn has_header_row(&self) -> bool {
        matches!(self, Self::Csv(_))
    }

    /// The members of a composite so far.
    pub(super) fn members(&self) -> &[MemberInfo] {
        match self {
            Self::Xml(xml) => xml.members(),
            _ => &[],
        }
    }

    pub(super) fn is_undecided(&self) -> bool {
        matches!(self, Self::Csv(csv) if csv.is_undecided())
    }

    pub(super) fn decide(&mut self, encoding: Encoding) {
        if let Self::Csv(csv) = self {
            csv.decide(encoding);
        }
    }
}

/// A workbook is gathered as a whole, up to the limit, before its first row is read.
#[cfg(feature = "excel")]
pub(super) struct WorkbookParser {
    bytes: Vec<u8>,
    options: WorkbookOptions,
    reader: Option<WorkbookReader>,
}

#[cfg(feature = "excel")]
impl WorkbookParser {
    fn new(mapped: &[String], sheet: &str, limits: &Limits) -> Self {
        let options = WorkbookOptions {
            sheet: (!sheet.is_empty()).then(|| sheet.to_owned()),
            mapped: mapped.to_vec(),
            limit: limits.workbook,
        };
        Self { bytes: Vec::new(), options, reader: None }
    }

    fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let limit = self.options.limit;
        if (self.bytes.len() + bytes.len()) as u64 > limit {
            return Err(Error::new(
                ErrorCode::PackageLimit,
                format!("the workbook has more than {limit} bytes, the limit"),
            )
            .hint("Raise limits.workbook, or export in another format: workbooks are held in memory as a whole."));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn columns(&self) -> Option<Vec<String>> {
        self.reader.as_ref().map(|reader| reader.columns().to_vec())
    }

    fn finish(&mut self, sink: &mut impl RecordSink) -> Result<bool> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            None => {
                let bytes = std::mem::take(&mut self.bytes);
                self.reader.insert(WorkbookReader::new(bytes, &self.options)?)
            }
        };
        Ok(!reader.read(sink)?)
    }
}
