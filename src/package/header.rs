//! `PackageHeader.xml`: says that the zip is a data package and which manifest it has.

use crate::error::{Error, Result};

use super::HEADER_FILE;
use super::xml_read::{XmlReader, decode};
use super::xml_write::XmlWriter;

const ROOT: &str = "DataManagementPackageHeader";
const MANIFEST_TYPE: &str =
    "Microsoft.Dynamics.AX.Framework.Tools.DataManagement.Serialization.DataManagementPackageManifest";
const PACKAGE_TYPE: &str = "DefinitionGroup";
/// What current environments write; packages of 2017 have 1.
const VERSION: i32 = 2;

const MEMBERS: [&str; 4] = ["Description", "ManifestType", "PackageType", "PackageVersion"];

/// The header of a package of that data project. Its description is the project's name, as the service does it.
pub(super) fn write(project: &str) -> Result<Vec<u8>> {
    let mut xml = XmlWriter::new();
    xml.root(ROOT, |xml| {
        xml.text("Description", project)?;
        xml.text("ManifestType", MANIFEST_TYPE)?;
        xml.text("PackageType", PACKAGE_TYPE)?;
        xml.int("PackageVersion", VERSION)
    })?;
    xml.finish()
}

/// Checks a header; nothing in it is needed later.
pub(super) fn check(bytes: &[u8], max_depth: u32) -> Result<()> {
    let text = decode(bytes, HEADER_FILE)?;
    let mut xml = XmlReader::new(&text, HEADER_FILE, max_depth);
    xml.root(&[ROOT])?;
    xml.members(&MEMBERS, &mut |xml, index, element| match index {
        1 => expect(xml, element.line, MANIFEST_TYPE),
        2 => expect(xml, element.line, PACKAGE_TYPE),
        3 => xml.int(element).map(drop),
        _ => xml.text().map(drop),
    })?;
    xml.end()
}

fn expect(xml: &mut XmlReader<'_>, line: u64, expected: &str) -> Result<()> {
    let found = xml.text()?;
    if found.trim() == expected {
        return Ok(());
    }
    Err(refuse(xml, line, &found, expected))
}

fn refuse(xml: &XmlReader<'_>, line: u64, found: &str, expected: &str) -> Error {
    let short = |name: &str| name.rsplit('.').next().unwrap_or_default().chars().take(60).collect::<String>();
    let error =
        xml.invalid(line, format!("the package is a {:?}, not a {:?}", short(found), short(expected)));
    if found.contains("Template") {
        error.hint("This is a data template: export a data project instead.")
    } else {
        error.hint(format!("The element must be {expected}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    /// The example of the format's description.
    const EXAMPLE: &str = "<DataManagementPackageHeader xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" \
        xmlns=\"http://schemas.microsoft.com/dynamics/2015/01/DataManagement\"><Description>CLM-Currencies-Import\
        </Description><ManifestType>Microsoft.Dynamics.AX.Framework.Tools.DataManagement.Serialization.\
        DataManagementPackageManifest</ManifestType><PackageType>DefinitionGroup</PackageType><PackageVersion>2\
        </PackageVersion></DataManagementPackageHeader>";

    fn utf16(text: &str) -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    }

    fn refused(text: &str) -> Error {
        let error = check(text.as_bytes(), 64).unwrap_err();
        assert_eq!(error.code, ErrorCode::ManifestInvalid, "{error}");
        assert_eq!(error.at.as_ref().unwrap().file.as_deref(), Some("PackageHeader.xml"));
        error
    }

    // Kills mutants in order, namespaces, white space and encoding of the written header.
    #[test]
    fn the_header_is_the_example() {
        assert_eq!(write("CLM-Currencies-Import").unwrap(), utf16(EXAMPLE));
    }

    #[test]
    fn every_encoding_of_the_field_is_read() {
        check(&utf16(EXAMPLE), 64).unwrap();
        check(EXAMPLE.as_bytes(), 64).unwrap();
        check(format!("\u{feff}{EXAMPLE}").as_bytes(), 64).unwrap();
        check(&utf16(&format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n{EXAMPLE}\r\n")), 64).unwrap();
        let big_endian: Vec<u8> =
            std::iter::once(0xfeff).chain(EXAMPLE.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        check(&big_endian, 64).unwrap();
        check(&EXAMPLE.replace(">2<", ">1<").into_bytes(), 64).unwrap();
    }

    #[test]
    fn other_roots_and_namespaces_are_refused() {
        assert!(refused(&EXAMPLE.replace("2015/01", "2016/01")).hint.as_deref().unwrap().contains("2015/01"));
        assert!(
            refused(&EXAMPLE.replace("DataManagementPackageHeader", "Header")).message.contains("<Header>")
        );
        assert!(refused("no xml").message.contains("before the root"));
        assert!(refused("").message.contains("no root"));
    }

    #[test]
    fn a_data_template_is_named_as_such() {
        let error = refused(&EXAMPLE.replace("PackageManifest<", "TemplatePackageManifest<"));
        assert!(error.hint.as_deref().unwrap().contains("data template"));
        refused(&EXAMPLE.replace(">DefinitionGroup<", ">Template<"));
    }

    #[test]
    fn elements_out_of_order_are_named_with_their_line() {
        let late = EXAMPLE
            .replace("<Description>CLM-Currencies-Import</Description>", "")
            .replace("</PackageVersion>", "</PackageVersion>\n<Description>x</Description>");
        let error = refused(&late);
        assert!(error.message.contains("<Description> comes too late, after <PackageVersion>"), "{error}");
        assert_eq!(error.at.as_deref().unwrap().line, Some(2));
    }
}
