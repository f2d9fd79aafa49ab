use super::*;
use crate::ErrorCode;
use crate::catalog::{Binding, EdmType, Schema};
use crate::error::Result;

const DOCUMENT: &str = include_str!("../../../fuzz/seeds/metadata/contoso");

fn read(document: &[u8], piece: usize, collections: Option<&[&str]>) -> Result<Metadata> {
    let collections = collections.map(|names| names.iter().map(|&name| name.to_owned()).collect());
    let mut reader = MetadataReader::new(collections);
    for piece in document.chunks(piece) {
        reader.push(piece)?;
    }
    reader.finish()
}

fn schema(collections: Option<&[&str]>) -> Schema {
    read(DOCUMENT.as_bytes(), 1 << 20, collections).unwrap().into_schema()
}

#[test]
fn everything_that_counts_arrives() {
    let schema = schema(None);
    let names: Vec<_> = schema.entities.iter().map(|it| it.collection.as_deref().unwrap()).collect();
    assert_eq!(names, ["Owners", "OwnersV2", "Things"]);
    assert!(schema.collections.is_none());
    let enums: Vec<_> =
        schema.enums.iter().map(|(name, members)| (name.as_str(), members.join(","))).collect();
    assert_eq!(enums, [("NoYes", "No,Yes".into()), ("Thing", "Red,Blue".into()), ("Unused", "X".into())]);
    let things = schema.entity("Things").unwrap();
    assert_eq!(things.type_name.as_deref(), Some("Thing"));
    assert_eq!(things.keys, ["dataAreaId", "Id"]);
    assert_eq!((things.company, things.of_tenant), (Some(true), true));
    assert_eq!(schema.entity("Owners").unwrap().company, Some(false));
    let property = |name: &str| {
        let it = things.property(name).unwrap();
        (it.edm.clone(), it.nullable, it.max_length)
    };
    assert_eq!(things.properties.len(), 6, "none of an annotation or a complex type");
    assert_eq!(property("dataAreaId"), (EdmType::String, Some(false), Some(4)));
    assert_eq!(property("Id"), (EdmType::Int64, Some(false), None), "a key is never null");
    assert_eq!(
        property("Kind"),
        (EdmType::Enum("Thing".into()), Some(true), None),
        "the enum, not the entity"
    );
    assert_eq!(property("Name"), (EdmType::String, Some(true), None));
    assert_eq!(property("At").0, EdmType::Other("Microsoft.Dynamics.DataEntities.Place".into()));
    assert_eq!(property("Note").2, Some(60));
    let navigation: Vec<_> =
        things.navigation.iter().map(|it| (it.name.as_str(), it.target.as_str(), it.many)).collect();
    assert_eq!(navigation, [("Owner", "OwnersV2", false), ("Others", "Things", true)]);
    let actions: Vec<_> = things.actions.iter().map(|it| (it.name.as_str(), it.binding)).collect();
    assert_eq!(actions, [("Open", Binding::Entity), ("Count", Binding::Collection)]);
    let open = things.action("Open").unwrap();
    assert_eq!((open.parameters.len(), open.parameters[0].name.as_str()), (1, "sure"));
    assert_eq!(open.parameters[0].edm, EdmType::Enum("NoYes".into()));
    assert_eq!(open.returns.as_deref(), Some("Edm.String"));
    assert_eq!(schema.entity("Owners").unwrap().actions.len(), 0);
}

#[test]
fn what_was_not_asked_for_is_left_out() {
    let schema = schema(Some(&["Things", "VendorsV2", "Things"]));
    assert_eq!(schema.entities.len(), 1);
    assert_eq!(schema.enums.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["NoYes", "Thing"]);
    assert_eq!(schema.collections.as_deref().unwrap(), ["Things", "VendorsV2", "Things"]);
    let missing: Vec<_> = drift(&schema).into_iter().map(|it| (it.collection, it.change)).collect();
    assert_eq!(missing, [("VendorsV2".to_owned(), Change::Missing), ("Things".to_owned(), Change::Added)]);
    let error = read(DOCUMENT.as_bytes(), 4096, Some(&["things"])).unwrap_err();
    assert_eq!(error.code, ErrorCode::UnknownEntity);
    assert!(error.hint.as_deref().unwrap().contains("\"Things\""));
}

#[test]
fn pieces_and_encodings_do_not_matter() {
    let whole = read(DOCUMENT.as_bytes(), 1 << 20, None).unwrap().json();
    for piece in [1, 2, 3, 7, 64, 1000] {
        assert_eq!(read(DOCUMENT.as_bytes(), piece, None).unwrap().json(), whole, "{piece}");
    }
    let marked = [b"\xef\xbb\xbf", DOCUMENT.as_bytes()].concat();
    assert_eq!(read(&marked, 1, None).unwrap().json(), whole);
    let mut wide = vec![0xff, 0xfe];
    wide.extend(DOCUMENT.encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(read(&wide, 3, None).unwrap().json(), whole);
    assert_eq!(read(DOCUMENT.replace('\n', "\r\n").as_bytes(), 5, None).unwrap().json(), whole);
}

#[test]
fn its_json_is_read_back_as_it_was() {
    for metadata in [read(DOCUMENT.as_bytes(), 9, None), read(DOCUMENT.as_bytes(), 9, Some(&["Things"]))] {
        let json = metadata.unwrap().json();
        let read = Schema::from_json(&json).unwrap();
        assert_eq!(schema_json(&read), json);
    }
    let json = read(DOCUMENT.as_bytes(), 9, Some(&["Owners"])).unwrap().json();
    assert_eq!(
        json,
        r#"{"entities":[{"collection":"Owners","type":"Owner","company":false,"keys":["Id"],"properties":[{"name":"Id","type":"Edm.String","nullable":false}],"navigation":[],"actions":[]}],"enums":{},"collections":["Owners"]}"#
    );
    let names = read(DOCUMENT.as_bytes(), 9, None).unwrap();
    assert_eq!(names.collections(), ["Owners", "OwnersV2", "Things"]);
}

#[test]
fn faults_are_told_with_their_line() {
    let with = |from: &str, to: &str| {
        assert!(DOCUMENT.contains(from), "{from}");
        DOCUMENT.replacen(from, to, 1)
    };
    let long = "x".repeat(1025);
    let deep = "<a>".repeat(64);
    let cases = [
        (with("<Action Name=\"Free\">", "<Action Name=\"Free>"), None, "can't be read"),
        (with("</ComplexType>", "</ComplexTyp>"), Some(8), "</ComplexTyp> ends what it did not begin"),
        (with("<EnumType Name=\"NoYes\">", "<EnumType>"), Some(5), "<EnumType> has no Name"),
        (with("Name=\"No\" Value", "Name=No Value"), Some(5), "can't be read"),
        (with("Red", "&red;"), Some(6), "can't be read"),
        (
            with("<EnumType Name=\"Unused\">", "<EnumType Name=\"Unused\">&u;"),
            Some(7),
            "a reference is not defined",
        ),
        (with("<edmx:Edmx", "<!DOCTYPE x [<!ENTITY a \"b\">]>\n<edmx:Edmx"), Some(2), "document type"),
        (with("Unused", &long), Some(7), "longer than 1024 bytes"),
        (with("<Annotation", &format!("{deep}<Annotation")), Some(17), "more than 64 elements"),
        (DOCUMENT.trim_end().trim_end_matches("</edmx:Edmx>").to_owned(), Some(40), "ends too early"),
        (format!("{DOCUMENT}<x/>"), Some(41), "<x> stands where one <Edmx> is expected"),
        (format!("{DOCUMENT}x"), Some(41), "outside"),
        ("<html><body>Sign in</body></html>".to_owned(), Some(1), "<html>"),
        ("{\"error\":{}}".to_owned(), Some(1), "outside"),
        (String::new(), Some(1), "ends too early"),
        (with("<ComplexType Name", &format!("<a b=\"{}", "y".repeat(2 << 20))), Some(8), "a tag is longer"),
    ];
    for (document, line, part) in cases {
        for piece in [document.len().max(1), 1000] {
            let shown: String = document.chars().take(30).collect();
            let error = read(document.as_bytes(), piece, None).expect_err(&shown);
            assert_eq!(error.code, ErrorCode::ServiceError, "{part}");
            // A tag that is never closed is only limited where it comes in pieces.
            if piece == 1000 || !part.contains("a tag is") {
                assert!(error.message.contains(part), "{part}: {}", error.message);
            }
            if let Some(line) = line {
                assert_eq!(error.at.as_deref().unwrap().line, Some(line), "{part}");
            }
        }
    }
    let broken = [DOCUMENT.as_bytes(), b"\xff"].concat();
    assert!(read(&broken, 100, None).unwrap_err().message.contains("no text"));
}

#[test]
fn a_type_that_inherits_from_itself_is_refused() {
    let document =
        DOCUMENT.replacen("<EntityType Name=\"Base\"", "<EntityType Name=\"Base\" BaseType=\"a.Thing\"", 1);
    let error = read(document.as_bytes(), 100, None).unwrap_err();
    assert!(error.message.contains("inherits without end"), "{}", error.message);
}

#[test]
fn memory_is_a_part_of_the_document() {
    // Names that are new in every type would be the worst case; in an environment most are met again and again.
    let mut document = String::from("<Edmx><DataServices><Schema>");
    for kind in 0..200 {
        document.push_str(&format!("<EntityType Name=\"Type{kind}\">"));
        for property in 0..100 {
            document.push_str(&format!(
                "<Property Name=\"PropertyOfSomeLength{property}\" Type=\"Edm.String\" Nullable=\"false\" MaxLength=\"{property}\"/>"
            ));
        }
        document.push_str("</EntityType>");
    }
    document.push_str("</Schema></DataServices></Edmx>");
    let mut reader = MetadataReader::new(None);
    for piece in document.as_bytes().chunks(4096) {
        reader.push(piece).unwrap();
    }
    assert!(reader.held() * 3 < document.len(), "{} of {}", reader.held(), document.len());
}

/// A property as it was decided: name, type, nullable, longest text.
type Decided = (String, usize, bool, Option<u32>);

const KINDS: [(&str, EdmType); 4] = [
    ("Edm.String", EdmType::String),
    ("Edm.Decimal", EdmType::Decimal),
    ("Edm.DateTimeOffset", EdmType::DateTimeOffset),
    ("Edm.Date", EdmType::Other(String::new())),
];

fn escaped(name: &str) -> String {
    name.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('\t', "&#9;")
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_is_written_is_read(
        entities in proptest::collection::vec(
            proptest::collection::vec(("[a-zA-Z&<\"\t'>é😀._]{1,12}", 0..4_usize, proptest::bool::ANY, proptest::option::of(0..9999_u32)), 1..6),
            0..5,
        ),
        piece in 1..40_usize,
    ) {
        let entities: Vec<Vec<Decided>> = entities;
        let mut document = String::from("<Edmx><DataServices><Schema>");
        for (at, properties) in entities.iter().enumerate() {
            document.push_str(&format!("<EntityType Name='T{at}'><Key><PropertyRef Name=\"{}\"/></Key>", escaped(&properties[0].0)));
            for (name, kind, nullable, length) in properties {
                let length = length.map(|length| format!(" MaxLength=\"{length}\"")).unwrap_or_default();
                document.push_str(&format!(
                    "\n<Property Nullable=\"{nullable}\" Type=\"{}\"{length} Name=\"{}\"></Property>", KINDS[*kind].0, escaped(name)
                ));
            }
            document.push_str("</EntityType>");
        }
        document.push_str("<EntityContainer>");
        for at in 0..entities.len() {
            document.push_str(&format!("<EntitySet Name='S{at}' EntityType='a.b.T{at}'/>"));
        }
        document.push_str("</EntityContainer></Schema></DataServices></Edmx>");
        let schema = read(document.as_bytes(), piece, None).unwrap().into_schema();
        assert_eq!(schema.entities.len(), entities.len());
        for (at, (properties, found)) in entities.iter().zip(&schema.entities).enumerate() {
            assert_eq!(found.collection.as_deref(), Some(format!("S{at}").as_str()));
            assert_eq!(found.keys, [properties[0].0.clone()]);
            assert_eq!(found.properties.len(), properties.len());
            for ((name, kind, nullable, length), it) in properties.iter().zip(&found.properties) {
                let is_key = *name == properties[0].0;
                assert_eq!((&it.name, it.nullable, it.max_length), (name, Some(*nullable && !is_key), *length));
                match &KINDS[*kind].1 {
                    EdmType::Other(_) => assert_eq!(it.edm, EdmType::Other(KINDS[*kind].0.into())),
                    edm => assert_eq!(it.edm, *edm),
                }
            }
        }
        let json = schema_json(&schema);
        assert_eq!(schema_json(&Schema::from_json(&json).unwrap()), json);
    }
}
