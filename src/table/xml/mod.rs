//! Data files in XML: `<Document>`, an element for each record, and its fields as child elements or as attributes.
//!
//! What belongs here: records ⇄ text of the formats XML-Element and XML-Attribute, flat or nested (composite entities), the
//! check of a file that somebody else wrote, and what XML allows in names and values. What does not: the manifest and the
//! header of a package, which are XML too, but of another kind (`package`).
//!
//! A flat file has one member, the entity. The file of a composite entity nests the records of its members:
//!
//! ```xml
//! <Document>
//! <PARENTENTITY DOCUMENTNUMBER="A-1"><CHILDENTITY LINENUMBER="1" ITEMNUMBER="1000" /></PARENTENTITY>
//! </Document>
//! ```
//!
//! Its records are read and written one after the other, each before its children, with the index of its member.

mod attributes;
mod check;
mod read;
mod record;
mod source;
mod write;

pub(crate) use check::XmlChecker;
pub(crate) use read::{Progress, XmlOptions, XmlReader};
pub(crate) use record::{MemberInfo, RecordSink};
pub(crate) use write::{Member, XmlFileWriter};

/// Where the fields of a record stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum XmlStyle {
    /// One child element for each field.
    Element,
    /// Attributes of the record's element.
    Attribute,
}

/// The root element of every data file.
const ROOT: &str = "Document";

/// A record with its names and values may not be larger, so that one element without end can't fill the memory.
const MAX_RECORD_BYTES: usize = 16 << 20;

/// Fields of one member; far more than any entity has.
const MAX_COLUMNS: usize = 16_384;

/// The boundary to JavaScript numbers members with one byte.
const MAX_MEMBERS: usize = 256;
