//! `PackageHeader.xml`: says that the zip is a data package and which manifest it has.

use crate::error::Result;

use super::HEADER_FILE;
use super::xml::{Correction, Document, ManifestIssue, Members, Shape, XmlWriter, correct, issues, member};

const ROOT: &str = "DataManagementPackageHeader";
const MANIFEST_TYPE: &str =
    "Microsoft.Dynamics.AX.Framework.Tools.DataManagement.Serialization.DataManagementPackageManifest";
const PACKAGE_TYPE: &str = "DefinitionGroup";
/// What current environments write; packages of 2017 have 1.
const VERSION: i32 = 2;

/// Members that have one value only.
pub(super) const FIXED: [(&str, &str); 2] = [("ManifestType", MANIFEST_TYPE), ("PackageType", PACKAGE_TYPE)];

static SHAPE: Shape = Shape::Members(MEMBERS);
static MEMBERS: Members = &[
    ("Description", Shape::Text),
    ("ManifestType", Shape::Fixed(MANIFEST_TYPE)),
    ("PackageType", Shape::Fixed(PACKAGE_TYPE)),
    ("PackageVersion", Shape::Number),
];

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

/// The document of a header. Nothing in it is needed later, so all that can be done is to correct it.
#[derive(Debug, Clone)]
pub(super) struct HeaderDoc(Document);

impl HeaderDoc {
    /// Understands every header of a data package that is well-formed, in UTF-8 or UTF-16; see [`HeaderDoc::issues`].
    ///
    /// # Errors
    /// `MANIFEST_INVALID` for what is not well-formed, has a document type, is the header of a data template or has another
    /// root. `PACKAGE_LIMIT` as for a manifest.
    pub(super) fn parse(bytes: &[u8], max_depth: u32) -> Result<Self> {
        let document = Document::parse(bytes, HEADER_FILE, max_depth)?;
        let Document { root, source, .. } = &document;
        let name = root.name(source);
        if name != ROOT {
            return Err(document
                .invalid(root, format_args!("the root element is <{name}>"))
                .hint(format!("It must be <{ROOT}>.")));
        }
        for name in ["ManifestType", "PackageType"] {
            let Some(element) = member(root, source, name) else { continue };
            if element.text(source).is_some_and(|text| text.contains("Template")) {
                return Err(document
                    .invalid(element, format_args!("<{name}> says that this is a data template"))
                    .hint("Export a data project instead: templates hold no data."));
            }
        }
        Ok(Self(document))
    }

    /// What the service would misread, in the order of the document, with the places it was parsed from.
    pub(super) fn issues(&self) -> Vec<ManifestIssue> {
        issues(&self.0, ROOT, &SHAPE, "")
    }

    /// The bytes, which are those it was parsed from but for what was changed since.
    pub(super) fn write(&self) -> Result<Vec<u8>> {
        self.0.write()
    }

    /// Text of a member by the element's name; none where it is missing or has no value.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let Document { root, source, .. } = &self.0;
        member(root, source, name).and_then(|found| found.text(source))
    }

    /// Sets `Description`, or another member by the element's name; one that is missing is put where it belongs.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a name that is none of its members, and for characters that XML can't hold.
    pub(super) fn set_text(&mut self, name: &str, value: &str) -> Result<()> {
        let Document { source, root, .. } = &mut self.0;
        root.set_member(source, MEMBERS, name, value)
    }

    /// Corrects namespaces, order and repetitions, and makes the two types what the service expects.
    ///
    /// # Errors
    /// `MANIFEST_INVALID` where a namespace can't be corrected, for example because there are too many prefixes.
    pub(super) fn correct(&mut self) -> Result<Correction> {
        let mut correction = correct(&mut self.0, &SHAPE)?;
        let Document { source, root, .. } = &mut self.0;
        for (name, shape) in MEMBERS {
            let Shape::Fixed(expected) = shape else { continue };
            let found = member(root, source, name).map(|found| found.text(source));
            if found.is_some_and(|text| !text.is_some_and(|text| shape.takes(&text))) {
                root.set_member(source, MEMBERS, name, expected)?;
                correction.values += 1;
            }
        }
        Ok(correction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorCode};
    use crate::package::xml::IssueKind;

    /// The example of the format's description.
    const EXAMPLE: &str = "<DataManagementPackageHeader xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" \
        xmlns=\"http://schemas.microsoft.com/dynamics/2015/01/DataManagement\"><Description>CLM-Currencies-Import\
        </Description><ManifestType>Microsoft.Dynamics.AX.Framework.Tools.DataManagement.Serialization.\
        DataManagementPackageManifest</ManifestType><PackageType>DefinitionGroup</PackageType><PackageVersion>2\
        </PackageVersion></DataManagementPackageHeader>";

    fn utf16(text: &str) -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    }

    fn doc(text: &str) -> HeaderDoc {
        HeaderDoc::parse(text.as_bytes(), 64).unwrap()
    }

    /// The one issue, and the header corrected.
    fn corrected(text: &str) -> (IssueKind, &'static str, String) {
        let mut doc = doc(text);
        let [issue] = doc.issues().try_into().unwrap();
        assert_eq!((issue.file, issue.entity), ("PackageHeader.xml", None));
        assert_ne!(doc.correct().unwrap(), Correction::default());
        assert_eq!(doc.issues(), []);
        (issue.kind, issue.element, String::from_utf8(doc.write().unwrap()).unwrap())
    }

    fn refused(text: &str) -> Error {
        let error = HeaderDoc::parse(text.as_bytes(), 64).unwrap_err();
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
    fn every_encoding_of_the_field_is_read_and_kept() {
        for bytes in [
            utf16(EXAMPLE),
            EXAMPLE.as_bytes().to_vec(),
            format!("\u{feff}{EXAMPLE}").into_bytes(),
            utf16(&format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n{EXAMPLE}\r\n")),
            std::iter::once(0xfeff).chain(EXAMPLE.encode_utf16()).flat_map(u16::to_be_bytes).collect(),
            EXAMPLE.replace(">2<", ">1<").into_bytes(),
        ] {
            let mut doc = HeaderDoc::parse(&bytes, 64).unwrap();
            assert_eq!(doc.issues(), []);
            assert_eq!(doc.correct().unwrap(), Correction::default());
            assert_eq!(doc.write().unwrap(), bytes);
        }
    }

    #[test]
    fn another_namespace_is_an_issue() {
        let (kind, element, text) = corrected(&EXAMPLE.replace("2015/01", "2016/01"));
        assert_eq!((kind, element), (IssueKind::WrongRootNamespace, "DataManagementPackageHeader"));
        assert_eq!(text, EXAMPLE);
    }

    #[test]
    fn other_roots_are_refused() {
        let error = refused(&EXAMPLE.replace("DataManagementPackageHeader", "Header"));
        assert!(error.message.contains("<Header>"));
        assert!(refused("no xml").message.contains("before the root"));
        assert!(refused("").message.contains("no root"));
    }

    #[test]
    fn a_data_template_is_named_as_such() {
        let error = refused(&EXAMPLE.replace("PackageManifest<", "TemplatePackageManifest<"));
        assert!(error.message.contains("data template"));
        refused(&EXAMPLE.replace(">DefinitionGroup<", ">Template<"));
    }

    #[test]
    fn other_types_are_an_issue() {
        let (kind, element, text) = corrected(&EXAMPLE.replace(">DefinitionGroup<", ">definitiongroup<"));
        let expected = "DefinitionGroup";
        assert_eq!(
            (kind, element),
            (IssueKind::BadValue { found: "definitiongroup".into(), expected }, "PackageType")
        );
        assert_eq!(text, EXAMPLE);
    }

    #[test]
    fn elements_out_of_order_are_an_issue_with_their_place() {
        let (before, rest) = EXAMPLE.split_once("<Description>CLM-Currencies-Import</Description>").unwrap();
        let late = before.to_owned()
            + &rest.replace(
                "</PackageVersion>",
                "</PackageVersion>\n <Description>CLM-Currencies-Import</Description>",
            );
        let issue = doc(&late).issues().remove(0);
        assert_eq!(issue.to_string(), "<Description> comes too late, after <PackageVersion>");
        assert_eq!((issue.line, issue.column), (2, 2));
        let (_, element, text) = corrected(&late);
        assert_eq!(element, "Description");
        assert_eq!(text, EXAMPLE.replace("<Description>", "\n <Description>"));
    }

    #[test]
    fn a_text_can_be_set() {
        let mut doc = doc(EXAMPLE);
        assert_eq!(doc.text("Description").as_deref(), Some("CLM-Currencies-Import"));
        assert_eq!(doc.text("Project"), None);
        doc.set_text("Description", "New").unwrap();
        let text = String::from_utf8(doc.write().unwrap()).unwrap();
        assert_eq!(text, EXAMPLE.replace("CLM-Currencies-Import", "New"));
        assert_eq!(doc.set_text("PackageVersion", "two").unwrap_err().code, ErrorCode::InvalidArgument);
        assert_eq!(doc.set_text("Project", "x").unwrap_err().code, ErrorCode::InvalidArgument);
    }
}
