//! The data file of one entity in whichever format: rows on their way in, and files that somebody else wrote.

use crate::error::{Error, Result};
use crate::table::{Column, CsvChecker, CsvWriter, Encoding, Member, XmlChecker, XmlFileWriter, XmlStyle};
#[cfg(feature = "excel")]
use crate::table::{WorkbookOptions, WorkbookReader, WorkbookWriter};

type Emit<'a> = &'a mut dyn FnMut(&[u8]) -> Result<()>;

/// How the file of an entity is laid out.
#[derive(Debug, Clone)]
pub(super) enum Layout {
    Csv(Encoding),
    /// `record` is the name of the records' element, where it is known.
    Xml {
        style: XmlStyle,
        record: Option<String>,
    },
    Workbook {
        sheet: String,
    },
}

/// Writes rows.
pub(super) enum RowFile {
    Csv(Box<CsvWriter>),
    Xml(Box<XmlFileWriter>),
    #[cfg(feature = "excel")]
    Workbook(Box<WorkbookWriter>),
}

impl RowFile {
    pub(super) fn new(layout: &Layout, columns: Vec<Column>) -> Result<Self> {
        Ok(match layout {
            Layout::Csv(encoding) => Self::Csv(Box::new(CsvWriter::new(*encoding, columns)?)),
            Layout::Xml { style, record } => {
                let record = record.clone().ok_or_else(|| {
                    Error::argument("the name of the records' element is not known").hint(
                        "Set targetEntity to the entity's name in the application: in upper case it names the element.",
                    )
                })?;
                Self::Xml(Box::new(XmlFileWriter::new(*style, record, columns)?))
            }
            #[cfg(feature = "excel")]
            Layout::Workbook { sheet } => Self::Workbook(Box::new(WorkbookWriter::new(sheet, columns)?)),
            #[cfg(not(feature = "excel"))]
            Layout::Workbook { .. } => return Err(no_workbooks()),
        })
    }

    /// The file of a composite entity.
    pub(super) fn composite(layout: &Layout, members: Vec<Member>) -> Result<Self> {
        match layout {
            Layout::Xml { style, .. } => Ok(Self::Xml(Box::new(XmlFileWriter::composite(*style, members)?))),
            _ => Err(Error::argument("a composite entity is in another format than XML")
                .hint("Use XML-Element or XML-Attribute: the service takes no other (DMF1963).")),
        }
    }

    pub(super) fn rows_written(&self) -> u64 {
        match self {
            Self::Csv(file) => file.rows_written(),
            Self::Xml(file) => file.rows_written(),
            #[cfg(feature = "excel")]
            Self::Workbook(file) => file.rows_written(),
        }
    }

    pub(super) fn write(&mut self, text: &str, ends: &[u32], kinds: &[u8], emit: Emit<'_>) -> Result<()> {
        match self {
            Self::Csv(file) => file.write(text, ends, kinds, emit),
            Self::Xml(file) => file.write(text, ends, kinds, emit),
            #[cfg(feature = "excel")]
            Self::Workbook(file) => file.write(text, ends, kinds),
        }
    }

    pub(super) fn write_joined(&mut self, text: &str, cells: usize, emit: Emit<'_>) -> Result<bool> {
        if let Self::Csv(file) = self {
            return file.write_joined(text, cells, emit);
        }
        match d365_clm_text::joined::split(text, cells) {
            Some((text, ends, kinds)) => self.write(&text, &ends, &kinds, emit).map(|()| true),
            None => Ok(false),
        }
    }

    pub(super) fn write_records(
        &mut self,
        text: &str,
        ends: &[u32],
        kinds: &[u8],
        members: &[u8],
        emit: Emit<'_>,
    ) -> Result<()> {
        match self {
            Self::Xml(file) => file.write_records(text, ends, kinds, members, emit),
            _ => Err(Error::argument("only composite entities have records within records")),
        }
    }

    pub(super) fn finish(self, emit: Emit<'_>) -> Result<()> {
        match self {
            Self::Csv(mut file) => file.flush(emit),
            Self::Xml(mut file) => file.finish(emit),
            #[cfg(feature = "excel")]
            Self::Workbook(file) => emit(&file.finish()?),
        }
    }
}

/// Looks at a file that somebody else wrote.
pub(super) enum FileCheck {
    Csv(Box<CsvChecker>),
    Xml(Box<XmlChecker>),
    #[cfg(feature = "excel")]
    Workbook {
        bytes: Vec<u8>,
        sheet: String,
    },
    /// Nothing here reads workbooks: whoever hands it over has looked, and names the columns.
    #[cfg(not(feature = "excel"))]
    Workbook {
        columns: Vec<String>,
        head: Vec<u8>,
    },
}

/// Bytes of a workbook that is handed over, and of what is in it.
#[cfg(feature = "excel")]
const WORKBOOK: u64 = 64 << 20;

impl FileCheck {
    /// `columns` are those that the caller names; `elements` are those of a composite, the outermost first, where the entity
    /// is one.
    pub(super) fn new(layout: &Layout, columns: &[String], elements: &[String], max_depth: u32) -> Self {
        let _ = columns;
        match layout {
            Layout::Csv(encoding) => Self::Csv(Box::new(CsvChecker::new(*encoding))),
            Layout::Xml { style, record } => {
                let record = elements.first().or(record.as_ref()).cloned();
                Self::Xml(Box::new(XmlChecker::new(*style, record, elements.iter().cloned(), max_depth)))
            }
            #[cfg(feature = "excel")]
            Layout::Workbook { sheet } => Self::Workbook { bytes: Vec::new(), sheet: sheet.clone() },
            #[cfg(not(feature = "excel"))]
            Layout::Workbook { .. } => Self::Workbook { columns: columns.to_vec(), head: Vec::new() },
        }
    }

    pub(super) fn push(&mut self, piece: &[u8]) -> Result<()> {
        match self {
            Self::Csv(check) => check.push(piece),
            Self::Xml(check) => check.push(piece),
            #[cfg(feature = "excel")]
            Self::Workbook { bytes, .. } => {
                if (bytes.len() + piece.len()) as u64 > WORKBOOK {
                    return Err(Error::new(
                        crate::ErrorCode::PackageLimit,
                        format!("the workbook has more than {WORKBOOK} bytes"),
                    )
                    .hint("Use another format: workbooks are held in memory as a whole."));
                }
                bytes.extend_from_slice(piece);
                Ok(())
            }
            #[cfg(not(feature = "excel"))]
            Self::Workbook { head, .. } => {
                head.extend(piece.iter().take(4_usize.saturating_sub(head.len())));
                Ok(())
            }
        }
    }

    /// Columns of the file, and whether its records are nested.
    pub(super) fn finish(self) -> Result<(Vec<String>, bool)> {
        match self {
            Self::Csv(check) => check.finish().map(|checked| (checked.columns, false)),
            Self::Xml(check) => {
                check.finish().map(|checked| (checked.flat().columns, checked.is_composite()))
            }
            #[cfg(feature = "excel")]
            Self::Workbook { bytes, sheet } => {
                let options = WorkbookOptions { sheet: Some(sheet), mapped: Vec::new(), limit: WORKBOOK };
                WorkbookReader::new(bytes, &options)?.check().map(|checked| (checked.columns, false))
            }
            #[cfg(not(feature = "excel"))]
            Self::Workbook { columns, head } => {
                if !head.starts_with(b"PK\x03\x04") {
                    return Err(Error::new(crate::ErrorCode::DataInvalid, "the file is no workbook (.xlsx)")
                        .hint("Save it as .xlsx, or use another format."));
                }
                if columns.is_empty() {
                    return Err(Error::argument("the columns of a workbook have to be named here"));
                }
                Ok((columns, false))
            }
        }
    }
}

#[cfg(not(feature = "excel"))]
pub(super) fn no_workbooks() -> Error {
    Error::argument("workbooks are not part of this module")
        .hint("The module excel reads and writes them; CSV-Unicode is the better format between machines.")
}
