//! Source data formats that the environment has.

/// A format that the sandbox reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Windows-1252.
    Csv,
    /// UTF-16LE with byte order mark.
    CsvUnicode,
    XmlElement,
    XmlAttribute,
    Excel,
}

const NAMES: [(&str, Format); 5] = [
    ("CSV", Format::Csv),
    ("CSV-Unicode", Format::CsvUnicode),
    ("XML-Element", Format::XmlElement),
    ("XML-Attribute", Format::XmlAttribute),
    ("EXCEL", Format::Excel),
];

/// Whether a data project may name it.
pub(crate) fn is_source_format(name: &str) -> bool {
    Format::parse(name).is_some()
}

impl Format {
    /// The format of exactly this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(found, _)| *found == name).map(|(_, format)| *format)
    }

    pub(crate) fn is_xml(self) -> bool {
        matches!(self, Self::XmlElement | Self::XmlAttribute)
    }

    /// Extension and media type of its files.
    pub(crate) fn file_type(self) -> (&'static str, &'static str) {
        match self {
            Self::Csv | Self::CsvUnicode => ("csv", "text/csv"),
            Self::XmlElement | Self::XmlAttribute => ("xml", "application/xml"),
            Self::Excel => ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        }
    }
}

/// What a run says about any other name.
pub(crate) fn unknown_format(name: &str) -> String {
    format!("The source data format '{name}' does not exist in this environment.")
}
