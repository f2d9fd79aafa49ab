//! Source data formats that the environment has.

/// A format that the sandbox reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Windows-1252.
    Csv,
    /// UTF-16LE with byte order mark.
    CsvUnicode,
}

const NAMES: [&str; 5] = ["CSV", "CSV-Unicode", "XML-Element", "XML-Attribute", "EXCEL"];

/// Whether a data project may name it.
pub(crate) fn is_source_format(name: &str) -> bool {
    NAMES.contains(&name)
}

impl Format {
    /// The format behind a name, where the sandbox knows how to read and write it.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "CSV" => Some(Self::Csv),
            "CSV-Unicode" => Some(Self::CsvUnicode),
            _ => None,
        }
    }
}

/// What a run says about any other format.
pub(crate) fn unsupported(name: &str) -> String {
    if is_source_format(name) {
        format!("The source data format '{name}' is not implemented by this sandbox; use CSV or CSV-Unicode.")
    } else {
        format!("The source data format '{name}' does not exist in this environment.")
    }
}
