//! Source data formats by name.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::encoding::Encoding;

/// Source data format of an entity's file, by its name in the environment (*Configure data sources*).
///
/// This version reads and writes the two CSV formats; the others are known by name only, and an administrator can add more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SourceFormat {
    /// `CSV-Unicode`: UTF-16LE with byte order mark, comma, CRLF. The default.
    #[default]
    CsvUnicode,
    /// `CSV`: Windows-1252 (code page of the format's record), comma, CRLF.
    Csv,
    /// `XML-Element`; not read or written yet.
    XmlElement,
    /// `XML-Attribute`; not read or written yet.
    XmlAttribute,
    /// `EXCEL`; not read or written yet.
    Excel,
    /// Any other name; not read or written.
    Other(String),
}

impl SourceFormat {
    /// The name in manifests and data projects.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::CsvUnicode => "CSV-Unicode",
            Self::Csv => "CSV",
            Self::XmlElement => "XML-Element",
            Self::XmlAttribute => "XML-Attribute",
            Self::Excel => "EXCEL",
            Self::Other(name) => name,
        }
    }

    /// How the text of a CSV format is stored; none for a format that this version does not read or write.
    pub(crate) fn csv_encoding(&self) -> Option<Encoding> {
        match self {
            Self::CsvUnicode => Some(Encoding::Utf16Le),
            Self::Csv => Some(Encoding::Windows1252),
            _ => None,
        }
    }
}

impl From<&str> for SourceFormat {
    fn from(name: &str) -> Self {
        match name {
            "CSV-Unicode" => Self::CsvUnicode,
            "CSV" => Self::Csv,
            "XML-Element" => Self::XmlElement,
            "XML-Attribute" => Self::XmlAttribute,
            "EXCEL" => Self::Excel,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl std::fmt::Display for SourceFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for SourceFormat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for SourceFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|name| Self::from(name.as_str()))
    }
}
