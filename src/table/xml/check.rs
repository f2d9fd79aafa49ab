//! An XML file that somebody else wrote: is it what the service takes, and what are its columns?

use crate::error::Result;

use super::super::check::Checked;
use super::super::csv_read::RowSink;
use super::XmlStyle;
use super::read::{Progress, XmlOptions, XmlReader};
use super::record::{MemberInfo, RecordSink, invalid};

/// What a checked file has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct XmlChecked {
    /// The members with their columns and numbers of records: one for a flat file, the outermost first.
    pub(crate) members: Vec<MemberInfo>,
}

impl XmlChecked {
    /// Whether records are nested.
    pub(crate) fn is_composite(&self) -> bool {
        self.members.len() > 1
    }

    /// Columns of all members in the order of the members, each name once, and the number of all records.
    pub(crate) fn flat(&self) -> Checked {
        let mut seen = std::collections::HashSet::new();
        let columns = self.members.iter().flat_map(|member| &member.columns);
        Checked {
            columns: columns.filter(|column| seen.insert(column.as_str())).cloned().collect(),
            rows: self.members.iter().map(|member| member.rows).sum(),
        }
    }
}

/// Looks at a file piece by piece and refuses what the service would refuse or misread: XML that is not well-formed, no
/// record, records whose fields differ, characters that XML can't hold, an `encoding=` that contradicts the bytes.
pub(crate) struct XmlChecker {
    reader: XmlReader,
    sink: CountSink,
}

impl XmlChecker {
    /// `record` is the name that the records should have, `records` are the elements of a composite that are known.
    pub(crate) fn new(
        style: XmlStyle,
        record: Option<String>,
        records: impl IntoIterator<Item = String>,
        max_depth: u32,
    ) -> Self {
        let records = records.into_iter().collect();
        let options = XmlOptions { record, records, max_depth, strict: true, ..XmlOptions::default() };
        Self { reader: XmlReader::new(style, options), sink: CountSink::default() }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        // In pieces, so that the text of a large chunk never stands in memory as a whole.
        for piece in bytes.chunks(64 << 10) {
            self.reader.push(piece);
            self.reader.pull(&mut self.sink)?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<XmlChecked> {
        self.reader.end();
        // The sink is never full, and no bytes are missing at the end: one pull reads everything.
        if self.reader.pull(&mut self.sink)? != Progress::Done || self.sink.rows == 0 {
            return Err(invalid("the file has no record").hint(
                "The service refuses a file without data (DMF2053): leave the entity out of the package.",
            ));
        }
        Ok(XmlChecked { members: self.reader.members().to_vec() })
    }
}

/// Counts records and keeps nothing.
#[derive(Default)]
pub(super) struct CountSink {
    rows: u64,
}

impl RowSink for CountSink {
    fn text(&mut self, _part: &str) {}

    fn end_cell(&mut self) {}

    fn end_row(&mut self) {
        self.rows += 1;
    }

    fn is_full(&self) -> bool {
        false
    }
}

impl RecordSink for CountSink {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorCode};

    fn check(style: XmlStyle, text: &[u8]) -> Result<XmlChecked> {
        let in_pieces = |size: usize| {
            let mut checker = XmlChecker::new(style, Some("CURRENCYENTITY".into()), ["LINE".to_owned()], 10);
            for piece in text.chunks(size) {
                checker.push(piece)?;
            }
            checker.finish()
        };
        let whole = in_pieces(text.len().max(1));
        assert_eq!(in_pieces(1), whole, "byte by byte");
        whole
    }

    fn refused(style: XmlStyle, text: &str) -> Error {
        let error = check(style, text.as_bytes()).unwrap_err();
        assert!(matches!(error.code, ErrorCode::DataInvalid | ErrorCode::PackageLimit));
        assert!(error.hint.is_some());
        error
    }

    #[test]
    fn a_good_file_gives_columns_and_rows() {
        let text = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Document>\r\n\
                    <CURRENCYENTITY><CODE>EUR</CODE><NAME>Euro</NAME></CURRENCYENTITY>\r\n\
                    <CURRENCYENTITY><NAME>Dollar</NAME><CODE/></CURRENCYENTITY></Document>";
        let checked = check(XmlStyle::Element, text.as_bytes()).unwrap();
        assert_eq!(checked.flat(), Checked { columns: vec!["CODE".into(), "NAME".into()], rows: 2 });
        assert!(!checked.is_composite());
        // Pascal case is a setting of the environment.
        let text = "<Document><CurrencyEntity CODE='EUR' NAME=''/></Document>";
        let checked = check(XmlStyle::Attribute, text.as_bytes()).unwrap();
        assert_eq!(checked.flat(), Checked { columns: vec!["CODE".into(), "NAME".into()], rows: 1 });
    }

    #[test]
    fn a_composite_gives_its_members() {
        let text = "<Document><CURRENCYENTITY><CODE>1</CODE></CURRENCYENTITY><CURRENCYENTITY><CODE>2</CODE>\
                    <LINE><NO>1</NO><CODE>2</CODE></LINE><LINE/></CURRENCYENTITY></Document>";
        let checked = check(XmlStyle::Element, text.as_bytes()).unwrap();
        assert!(checked.is_composite());
        let line = &checked.members[1];
        assert_eq!((line.element.as_str(), line.parent, line.rows), ("LINE", Some(0), 1));
        assert_eq!(line.columns, ["NO", "CODE"]);
        assert_eq!(checked.flat(), Checked { columns: vec!["CODE".into(), "NO".into()], rows: 3 });
    }

    #[test]
    fn records_whose_fields_differ_are_refused() {
        let more = "<Document><CURRENCYENTITY A='1'/>\n<CURRENCYENTITY A='1' B='2'/></Document>";
        let error = refused(XmlStyle::Attribute, more);
        assert!(error.message.starts_with("line 2: "), "{}", error.message);
        assert_eq!(error.at.as_deref().unwrap().column.as_deref(), Some("B"));
        let fewer = "<Document><CURRENCYENTITY A='1' B='2'/>\n\n<CURRENCYENTITY B='1'/></Document>";
        let at = refused(XmlStyle::Attribute, fewer).at.clone().unwrap();
        assert_eq!((at.line, at.column.as_deref()), (Some(3), Some("A")));
        // An empty element that nobody knows as a record is a field.
        let empty = "<Document><CURRENCYENTITY><A/></CURRENCYENTITY><CURRENCYENTITY><A/><B/></CURRENCYENTITY></Document>";
        assert_eq!(refused(XmlStyle::Element, empty).at.as_deref().unwrap().column.as_deref(), Some("B"));
    }

    #[test]
    fn files_without_records_are_refused() {
        assert!(refused(XmlStyle::Element, "<Document></Document>").message.contains("no record"));
        assert!(refused(XmlStyle::Element, "").message.contains("no root element"));
        assert!(
            refused(XmlStyle::Element, "<Document><CURRENCYENTITY/></Document>")
                .message
                .contains("no fields")
        );
    }

    #[test]
    fn other_names_and_styles_are_refused() {
        for (text, part) in [
            ("<Document><CURRENCIES><A>1</A></CURRENCIES></Document>", "<CURRENCIES>, not <CURRENCYENTITY>"),
            ("<document><CURRENCYENTITY/></document>", "<document>, not <Document>"),
            ("<Document><CURRENCYENTITY A='1'/></Document>", "has the attribute \"A\""),
            ("<Document><CURRENCYENTITY>x</CURRENCYENTITY></Document>", "outside of its fields"),
        ] {
            let error = refused(XmlStyle::Element, text);
            assert!(error.message.contains(part), "{}", error.message);
        }
        let error =
            refused(XmlStyle::Attribute, "<Document><CURRENCYENTITY><A>1</A></CURRENCYENTITY></Document>");
        assert!(error.message.contains("outside of its fields"), "{}", error.message);
    }

    #[test]
    fn an_encoding_that_lies_is_refused() {
        for declared in ["utf-16", "windows-1252", "iso-8859-1"] {
            let text = format!("<?xml version='1.0' encoding='{declared}'?><Document/>");
            assert!(refused(XmlStyle::Element, &text).message.contains("its bytes are UTF-8"));
        }
        let text = "<?xml version='1.0' encoding='UTF-16'?><Document><CURRENCYENTITY A='ä'/></Document>";
        let utf16: Vec<u8> =
            [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(check(XmlStyle::Attribute, &utf16).unwrap().flat().rows, 1);
        let lying = text.replace("UTF-16", "utf-8");
        let utf16: Vec<u8> =
            [0xfeff].into_iter().chain(lying.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert!(check(XmlStyle::Attribute, &utf16).unwrap_err().message.contains("its bytes are UTF-16LE"));
    }
}
