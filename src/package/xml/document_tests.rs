//! Any XML is written as it was read, and what is none is refused with its place.

use super::*;
use proptest::prelude::*;

fn parse(bytes: &[u8]) -> Result<Document> {
    Document::parse(bytes, "Manifest.xml", 64)
}

fn refused(text: &str, line: u64, words: &str) {
    let error = parse(text.as_bytes()).unwrap_err();
    assert_eq!(error.code, ErrorCode::ManifestInvalid, "{text}: {error}");
    assert!(error.message.contains(words), "{text}: {error}");
    let at = error.at.as_deref().unwrap();
    assert_eq!(
        (at.file.as_deref(), at.line),
        (Some("Manifest.xml"), Some(line)),
        "{text}: {}",
        error.message
    );
}

fn utf16(text: &str, marked: bool, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    marked.then_some(0xfeff).into_iter().chain(text.encode_utf16()).flat_map(unit).collect()
}

#[test]
fn every_kind_of_markup_is_kept() {
    for text in [
        "<a/>",
        "<a></a >",
        "<?xml version='1.0'?><a />",
        "<?xml version=\"1.0\" encoding=\"utf-16\" standalone='yes' ?>\r\n<!-- a - b --><?p i?>\n<a\n b = 'c>d'\t/>\r\n<!---->\n",
        "<a x:b=\"&lt;&#10;\" xmlns:x=\"urn:x\"><x:c>&amp;&#x1F600;<![CDATA[]]><![CDATA[<]]>]] ></x:c>t<d/>u<!-- v --></a>",
        "<ä é=\"ü\">😀<b><c><d><e/></d></c></b></ä>",
    ] {
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            utf16(text, true, u16::to_le_bytes),
            utf16(text, true, u16::to_be_bytes),
            utf16(text, false, u16::to_le_bytes),
            utf16(text, false, u16::to_be_bytes),
        ] {
            assert_eq!(parse(&bytes).unwrap().write().unwrap(), bytes, "{text}");
        }
    }
}

// Kills mutants in every check of the parser.
#[test]
fn what_is_not_well_formed_is_refused_with_its_line() {
    for (text, line, words) in [
        ("", 1, "no root"),
        ("\n<!-- a -->\n", 3, "no root"),
        ("\nx<a/>", 2, "text before the root"),
        ("\u{feff}\u{feff}<a/>", 1, "text before the root"),
        ("&lt;<a/>", 1, "text before the root"),
        ("<![CDATA[]]><a/>", 1, "text before the root"),
        ("<a/>\n\nb", 3, "after the root"),
        ("<a/>\n<a/>", 2, "after the root"),
        ("<a>\n<b>\n", 3, "ends before"),
        ("<a>\n</b>", 2, "not well-formed"),
        ("<a>\n<b", 2, "not well-formed"),
        ("</a>", 1, "not well-formed"),
        ("<a>\n<!-- x -- y --></a>", 2, "not well-formed"),
        ("<a>\n&b</a>", 2, "not well-formed"),
        ("<a>\n&b;</a>", 2, "entity that is not defined"),
        ("<a>\n&#0;</a>", 2, "character reference"),
        ("<a>\n&#x1;</a>", 2, "character reference"),
        ("<a>\n&#xD800;</a>", 2, "character reference"),
        ("<a>\n]]></a>", 2, "]]>"),
        ("<a>\n\u{1}</a>", 2, "can't be in XML"),
        ("<a>\n<b\u{ffff}/></a>", 2, "can't be in XML"),
        ("<a>\n<1/></a>", 2, "\"1\" is no name"),
        ("<a>\n<b:/></a>", 2, "\"b:\" is no name"),
        ("<a>\n<b:c:d xmlns:b='x'/></a>", 2, "\"b:c:d\" is no name"),
        ("<a>\n<b:c/></a>", 2, "\"b\" is bound to no namespace"),
        ("<a>\n<c b:d=''/></a>", 2, "\"b\" is bound to no namespace"),
        ("<a>\n<c d='' d=''/></a>", 2, "attribute"),
        ("<a>\n<c d/></a>", 2, "attribute"),
        ("<a>\n<c d=e/></a>", 2, "attribute"),
        ("<a>\n<c 1='e'/></a>", 2, "\"1\" is no name"),
        ("<a>\n<c d='<'/></a>", 2, "value of the attribute d"),
        ("<a>\n<c d='&e;'/></a>", 2, "value of the attribute d"),
        ("<a>\n<c d='&#2;'/></a>", 2, "value of the attribute d"),
        ("\n<?xml version='1.0'?><a/>", 2, "declaration"),
        ("\n<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", 2, "document type"),
    ] {
        refused(text, line, words);
    }
    for bytes in [&b"<a>\n\xff</a>"[..], b"\xff\xfe<\0a\0/\0>\0\n\0\0\xdc", b"\xff\xfe<\0a\0/\0>\0\n\0 "] {
        let error = parse(bytes).unwrap_err();
        assert_eq!((error.code, error.at.as_deref().unwrap().line), (ErrorCode::ManifestInvalid, Some(2)));
    }
}

#[test]
fn depth_and_number_of_elements_are_limited() {
    let deep = |depth: usize| format!("{}<b/>{}", "<a>".repeat(depth - 1), "</a>".repeat(depth - 1));
    parse(deep(64).as_bytes()).unwrap();
    let error = parse(deep(65).as_bytes()).unwrap_err();
    assert_eq!(error.code, ErrorCode::PackageLimit);
    assert!(error.message.contains("65") && error.message.contains("64"), "{error}");
    Document::parse(deep(256).as_bytes(), "x", u32::MAX).unwrap().write().unwrap();
    let error = Document::parse(deep(257).as_bytes(), "x", u32::MAX).unwrap_err();
    assert_eq!(error.code, ErrorCode::PackageLimit);
    let many = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count - 1));
    parse(many(1_000_000).as_bytes()).unwrap();
    assert_eq!(parse(many(1_000_001).as_bytes()).unwrap_err().code, ErrorCode::PackageLimit);
}

/// Content of an element: elements, texts, references, sections, comments.
fn content() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[ -%'-;=?-~\t\r\nä😀]{0,12}".prop_filter("the end of a section", |text| !text.contains("]]>")),
        prop_oneof![
            Just("&amp;"),
            Just("&#xE4;"),
            Just("<![CDATA[ &<]] ]]>"),
            Just("<!-- a<b&c -->"),
            Just("<?p ?>")
        ]
        .prop_map(str::to_owned),
        tag().prop_map(|tag| format!("<{tag}/>")),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        (tag(), prop::collection::vec(inner, 0..6)).prop_map(|(tag, inner)| {
            let name = tag.split([' ', '\n']).next().unwrap_or_default();
            format!("<{tag}>{}</{name}>", inner.concat())
        })
    })
}

/// A name with attributes.
fn tag() -> impl Strategy<Value = String> {
    let attributes = prop_oneof![
        4 => Just(""),
        1 => Just(" a='&quot;>'"),
        1 => Just("\n\ta = \"'/'\"  b=''"),
        1 => Just(" i:nil='true' xmlns:i='http://www.w3.org/2001/XMLSchema-instance' "),
        1 => Just(" xmlns=''"),
    ];
    ("[a-zA-Z_ä][a-z0-9_.-]{0,6}", attributes).prop_map(|(name, attributes)| format!("{name}{attributes}"))
}

proptest! {
    // Kills mutants that lose a byte anywhere.
    #[test]
    fn any_document_is_written_as_it_was(
        before in prop_oneof![Just(""), Just("<?xml version='1.0' encoding='x'?>\r\n"), Just("\n<!-- a --> ")],
        tag in tag(),
        inner in content(),
        after in prop_oneof![Just(""), Just("\r\n<?p?>\t")],
        form in 0..6usize,
    ) {
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        let text = format!("{before}<{tag}>{inner}</{name}>{after}");
        let bytes = match form {
            0 => text.clone().into_bytes(),
            1 => format!("\u{feff}{text}").into_bytes(),
            2 => utf16(&text, true, u16::to_le_bytes),
            3 => utf16(&text, true, u16::to_be_bytes),
            4 => utf16(&text, false, u16::to_le_bytes),
            _ => utf16(&text, false, u16::to_be_bytes),
        };
        prop_assert_eq!(parse(&bytes).unwrap().write().unwrap(), bytes);
    }

    #[test]
    fn any_bytes_are_written_as_they_were_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(document) = parse(&bytes) {
            prop_assert_eq!(document.write().unwrap(), bytes);
        }
    }
}
