//! Source data formats by name.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::encoding::Encoding;

/// Source data format of an entity's file, by its name in the environment (*Configure data sources*).
///
/// The service brings more along (delimited by other characters, of fixed width), and an administrator can add any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SourceFormat {
    /// `CSV-Unicode`: UTF-16LE with byte order mark, comma, CRLF. The default.
    #[default]
    CsvUnicode,
    /// `CSV`: text of the [`CodePage`] of the format's record, comma, CRLF.
    Csv,
    /// `XML-Element`: `<Document>`, an element for each record and in it one for each field.
    XmlElement,
    /// `XML-Attribute`: `<Document>`, an element for each record with the fields as attributes.
    XmlAttribute,
    /// `EXCEL`: a workbook of one sheet, field names in its first row.
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

    /// Whether it is one of the XML formats, the only ones for composite entities.
    #[must_use]
    pub const fn is_xml(&self) -> bool {
        matches!(self, Self::XmlElement | Self::XmlAttribute)
    }

    #[cfg(test)]
    /// How the text of a CSV format is stored, `CSV` in its default code page; none for another format.
    pub(crate) fn csv_encoding(&self) -> Option<Encoding> {
        match self {
            Self::CsvUnicode => Some(Encoding::Utf16Le),
            Self::Csv => Some(Encoding::Windows1252),
            _ => None,
        }
    }
}

/// How the text of the format `CSV` is stored: the code page of the source data format's record in the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub enum CodePage {
    /// `windows-1252`, the default: one byte a character, western European characters only.
    #[default]
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// `utf-8`: only where the record has code page 65001, which no format has that the service brings along. Written
    /// without byte order mark, and refused with one: whether the service takes the mark away is *unverified*.
    #[serde(rename = "utf-8")]
    Utf8,
}

impl CodePage {
    #[allow(dead_code, reason = "what the package engine takes up")]
    pub(crate) fn encoding(self) -> Encoding {
        match self {
            Self::Windows1252 => Encoding::Windows1252,
            Self::Utf8 => Encoding::Utf8,
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
