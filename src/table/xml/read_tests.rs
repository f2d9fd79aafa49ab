use super::super::super::rows::BatchBuilder;
use super::super::check::CountSink;
use super::*;
use proptest::prelude::*;

fn options(mapped: &[&str]) -> XmlOptions {
    XmlOptions {
        mapped: mapped.iter().map(|&m| m.to_owned()).collect(),
        max_depth: 8,
        ..XmlOptions::default()
    }
}

type Read = (Vec<MemberInfo>, Vec<String>);

fn read_in(style: XmlStyle, options: &XmlOptions, bytes: &[u8], piece: usize, rows: usize) -> Result<Read> {
    let mut reader = XmlReader::new(style, options.clone());
    let mut cells = Vec::new();
    let mut pieces = bytes.chunks(piece);
    loop {
        let mut sink = BatchBuilder::new(rows);
        let progress = reader.pull(&mut sink)?;
        if let Some(batch) = sink.into_batch() {
            assert!(batch.rows <= rows, "no more rows than asked for");
            cells.extend(batch.cells().map(str::to_owned));
        }
        match progress {
            Progress::Done => return Ok((reader.members().to_vec(), cells)),
            Progress::Full => {}
            Progress::Hungry => match pieces.next() {
                Some(piece) => reader.push(piece),
                None => reader.end(),
            },
        }
    }
}

/// Reads in several cuts, which must not make a difference.
fn read_with(style: XmlStyle, options: &XmlOptions, bytes: &[u8]) -> Result<Read> {
    let whole = read_in(style, options, bytes, usize::MAX, usize::MAX);
    for (piece, rows) in [(1, 1), (1, 100), (7, 2), (usize::MAX, 1)] {
        assert_eq!(read_in(style, options, bytes, piece, rows), whole, "pieces of {piece}, {rows} rows");
    }
    whole
}

fn element(text: &str) -> Result<Read> {
    read_with(XmlStyle::Element, &options(&[]), text.as_bytes())
}

fn attribute(text: &str) -> Result<Read> {
    read_with(XmlStyle::Attribute, &options(&[]), text.as_bytes())
}

fn member(element: &str, parent: Option<usize>, columns: &[&str], rows: u64) -> MemberInfo {
    MemberInfo {
        element: element.to_owned(),
        parent,
        columns: columns.iter().map(|&c| c.to_owned()).collect(),
        rows,
    }
}

fn refused(result: Result<Read>) -> (Option<u64>, Option<String>, String) {
    let error = result.unwrap_err();
    assert!(matches!(error.code, ErrorCode::DataInvalid | ErrorCode::PackageLimit));
    assert!(error.hint.is_some(), "{}", error.message);
    let at = error.at.as_deref().unwrap();
    assert!(error.message.starts_with(&format!("line {}: ", at.line.unwrap())), "{}", error.message);
    (at.line, at.column.clone(), error.message.clone())
}

#[test]
fn flat_files() {
    let (members, cells) = element(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<!-- made by hand -->\r\n<Document xmlns:i=\"x\">\r\n  \
         <R>\r\n<A>1</A>\r\n<B> x &amp; y<![CDATA[<&]]>&#65; </B></R>\r\n  <R><B></B><A i:nil=\"true\"/></R></Document>\r\n",
    )
    .unwrap();
    assert_eq!(members, [member("R", None, &["A", "B"], 2)]);
    assert_eq!(cells, ["1", " x & y<&A ", "", ""]);
    let (members, cells) =
        attribute("<Document><R B='1\n2' A=\"&lt;&#xA;\"/><R A='' B=''></R></Document>").unwrap();
    assert_eq!(members, [member("R", None, &["B", "A"], 2)]);
    assert_eq!(cells, ["1 2", "<\n", "", ""]);
    assert_eq!(element("<Document/>").unwrap(), (vec![], vec![]), "an export without any record");
}

#[test]
fn encodings_are_told_by_the_bytes_alone() {
    let text = "<?xml version=\"1.0\" encoding=\"windows-1252\"?><Document><R A=\"ä😀\"/></Document>";
    let le: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let be: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    let marked = format!("\u{feff}{text}").into_bytes();
    for bytes in [text.as_bytes(), &marked, &le, &be] {
        let (_, cells) = read_with(XmlStyle::Attribute, &options(&[]), bytes).unwrap();
        assert_eq!(cells, ["ä😀"]);
    }
}

#[test]
fn mapped_columns_give_order_and_limit() {
    let text = "<Document><R><A>1</A><B>2</B></R>\n<R><B>3</B></R></Document>";
    let read = |mapped: &[&str]| read_with(XmlStyle::Element, &options(mapped), text.as_bytes());
    let (members, cells) = read(&["B", "C", "A"]).unwrap();
    assert_eq!(members, [member("R", None, &["B", "C", "A"], 2)]);
    assert_eq!(cells, ["2", "", "1", "3", "", ""]);
    let (line, column, _) = refused(read(&["A", "C"]));
    assert_eq!((line, column.as_deref()), (Some(1), Some("B")));
    // Without maps the first record decides.
    let (line, column, message) =
        refused(element("<Document><R><A>1</A></R>\n<R><A>2</A>\n<B>3</B></R></Document>"));
    assert_eq!((line, column.as_deref()), (Some(3), Some("B")), "{message}");
    let (_, cells) = element("<Document><R><A>1</A><B>2</B></R><R/></Document>").unwrap();
    assert_eq!(cells, ["1", "2", "", ""], "a record that lacks its fields has empty cells");
}

#[test]
fn composites_by_attributes() {
    let (members, cells) = attribute(
        "<Document><O ID='A'><L NO='1'><C X='f'/></L><L NO='2'/></O><O ID='B'><N/><L NO='3' /></O></Document>",
    )
    .unwrap();
    assert_eq!(
        members,
        [
            member("O", None, &["ID"], 2),
            member("L", Some(0), &["NO"], 3),
            member("C", Some(1), &["X"], 1),
            member("N", Some(0), &[], 0),
        ]
    );
    assert_eq!(cells, ["A", "1", "f", "2", "B", "3"], "each record before those in it");
}

#[test]
fn composites_by_elements() {
    let text =
        "<Document><O><ID>A</ID><L><NO>1</NO></L><L/><L><NO>2</NO></L></O><O><ID>B</ID><L/></O></Document>";
    let (members, cells) = element(text).unwrap();
    assert_eq!(members, [member("O", None, &["ID"], 2), member("L", Some(0), &["NO"], 2)]);
    assert_eq!(cells, ["A", "1", "2", "B"]);
    // An empty element that comes first is a field, unless the maps or the caller know better.
    let text = "<Document><O><ID>A</ID><L/></O></Document>";
    assert_eq!(element(text).unwrap().0, [member("O", None, &["ID", "L"], 1)]);
    let mapped = XmlOptions { composite: true, ..options(&["ID", "NO"]) };
    let (members, _) = read_with(XmlStyle::Element, &mapped, text.as_bytes()).unwrap();
    assert_eq!(members, [member("O", None, &["ID"], 1), member("L", Some(0), &[], 0)]);
    let known = XmlOptions { records: ["L".to_owned()].into(), ..options(&[]) };
    let (members, _) = read_with(XmlStyle::Element, &known, text.as_bytes()).unwrap();
    assert_eq!(members, [member("O", None, &["ID"], 1), member("L", Some(0), &[], 0)]);
}

#[test]
fn composites_that_make_no_sense_are_refused() {
    let (line, column, message) =
        refused(element("<Document><O><ID>A</ID><L><NO>1</NO></L>\n<AFTER>x</AFTER></O></Document>"));
    assert_eq!((line, column.as_deref()), (Some(2), Some("AFTER")), "{message}");
    let (_, column, _) = refused(attribute("<Document><O A='1'><L NO='1'/><L NO='1' X='2'/></O></Document>"));
    assert_eq!(column.as_deref(), Some("X"), "a column of a member that comes later");
    for text in [
        "<Document><O><L><NO>1</NO></L><ID>A</ID></O></Document>",
        "<Document><O><ID>A</ID><L>x<NO>1</NO></L></O></Document>",
        "<Document><O><L>1</L></O><O><L><NO>1</NO></L></O></Document>",
    ] {
        refused(element(text));
    }
    refused(attribute("<Document><O><L NO='1'/></O></Document>"));
    let mapped = XmlOptions { composite: true, ..options(&["ID", "NO"]) };
    let text = "<Document><O ID='1'><L NO='1' EXTRA='2'/></O></Document>";
    assert_eq!(refused(read_with(XmlStyle::Attribute, &mapped, text.as_bytes())).1.as_deref(), Some("EXTRA"));
}

#[test]
fn what_is_not_well_formed_is_refused_with_its_line() {
    for text in [
        "<Document>\n<R><A>1</B></R></Document>",
        "<Document>\n<R><A>1</A>",
        "<Document>\n<R><A>1",
        "<Document>\n<R><A>1</A></R></Document",
        "<Document>\n<R><A>&nbsp;</A></R></Document>",
        "<Document>\n<R><A>&#0;</A></R></Document>",
        "<Document>\n<R><A>a & b</A></R></Document>",
        "<Document>\n<R><A>]]></A></R></Document>",
        "<Document>\n<R><1A>x</1A></R></Document>",
        "<Document>\n<R><x:A>x</x:A></R></Document>",
        "<Document>\n<R><A>\u{1}</A></R></Document>",
        "<Document>\n<R><A>1</A></R><A",
        "<Document>\n<R><A b=c>1</A></R></Document>",
        "<Document>\n<R><A><![CDATA[x</A></R></Document>",
        "<Document>\n<R><!foo></R></Document>",
        "<Document>\n<R></ A></R></Document>",
        "<Document>\n<?xml version=\"1.0\"?><R><A>1</A></R></Document>",
        "<Document>\n<R><A>1</A><A>2</A></R></Document>",
        "<Document>\n</Document><Document></Document>",
        "<Document>\n</Document>x",
    ] {
        assert_eq!(refused(element(text)).0, Some(2), "{text}");
    }
    for text in ["", "x", "</Document>", "<a/>", "<R><A>1</A></R>", "<Document>x</Document>"] {
        assert_eq!(refused(element(text)).0, Some(1), "{text}");
    }
    for text in [
        "<Document>\n<R A='<'/></Document>",
        "<Document>\n<R A='1' A='2'/></Document>",
        "<Document>\n<R A='1'B='2'/></Document>",
        "<Document>\n<R A='&x;'/></Document>",
    ] {
        assert_eq!(refused(attribute(text)).0, Some(2), "{text}");
    }
}

#[test]
fn entities_are_not_expanded() {
    let text = "<!DOCTYPE d [<!ENTITY a \"aaaa\">]>\n<Document><R><A>&a;</A></R></Document>";
    assert!(refused(element(text)).2.contains("document type"));
    assert!(refused(element("<Document><!DOCTYPE d><R/></Document>")).2.contains("document type"));
}

#[test]
fn depth_is_limited() {
    // Eight are allowed: Document, six records, a field.
    let nested = |depth: usize| {
        let records: String = (0..depth).map(|i| format!("<R{i}><F>1</F>")).collect();
        let ends: String = (0..depth).rev().map(|i| format!("</R{i}>")).collect();
        format!("<Document>{records}{ends}</Document>")
    };
    assert_eq!(element(&nested(6)).unwrap().0.len(), 6);
    let error = element(&nested(7)).unwrap_err();
    assert_eq!(error.code, ErrorCode::PackageLimit);
    assert!(error.message.contains("9 deep, the limit is 8"), "{}", error.message);
}

#[test]
fn an_endless_record_is_stopped() {
    let piece = "x".repeat(1 << 20);
    for (style, start) in [
        (XmlStyle::Element, "<Document><R><A>"),
        (XmlStyle::Attribute, "<Document><R A=\""),
        (XmlStyle::Element, "<Document><R><A><![CDATA["),
        (XmlStyle::Element, "<Document><!--"),
    ] {
        let mut reader = XmlReader::new(style, options(&[]));
        reader.push(start.as_bytes());
        let mut sink = CountSink::default();
        let error = (0..24).find_map(|_| {
            reader.push(piece.as_bytes());
            reader.pull(&mut sink).err()
        });
        assert!(error.unwrap().message.contains("larger than 16777216 bytes"), "{start}");
    }
    let mut fields = String::from("<Document><R");
    for i in 0..17_000 {
        fields.push_str(&format!(" A{i}='1'"));
    }
    fields.push_str("/></Document>");
    let error = read_in(XmlStyle::Attribute, &options(&[]), fields.as_bytes(), 4096, 10).unwrap_err();
    assert!(error.message.contains("more than 16384 fields"), "{}", error.message);
}

#[test]
fn members_are_limited() {
    let inside: String = (0..300).map(|i| format!("<M{i} A='1'/>")).collect();
    let text = format!("<Document><R A='1'>{inside}</R></Document>");
    let error = read_in(XmlStyle::Attribute, &options(&[]), text.as_bytes(), 512, 1000).unwrap_err();
    assert!(error.message.contains("the limit is 256"), "{}", error.message);
}

#[test]
fn a_mark_inside_the_text_stays() {
    let text = "<Document><R><A>\u{feff}x\u{feff}</A></R></Document>";
    assert_eq!(element(text).unwrap().1, ["\u{feff}x\u{feff}"]);
    assert_eq!(refused(element("<Document><R/></Document>\u{feff}")).0, Some(1));
}

#[test]
fn errors_are_repeated() {
    let mut reader = XmlReader::new(XmlStyle::Element, options(&[]));
    reader.push(b"<Document>x<R>");
    let first = reader.pull(&mut CountSink::default()).unwrap_err();
    reader.push(b"</R></Document>");
    reader.end();
    assert_eq!(reader.pull(&mut CountSink::default()).unwrap_err(), first);
}

proptest! {
    // Neither a panic nor a difference between cuts, whatever comes.
    #[test]
    fn any_text_reads_the_same_in_any_pieces(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "<Document>", "</Document>", "<R>", "</R>", "<R", " A='1'", " B=\"x", "\"", ">", "/>", "<A>", "</A>",
                "<A/>", "text", " ", "\r\n", "\r", "&amp;", "&", ";", "&#1;", "]]>", "]", "<![CDATA[", "<!--", "-->", "<!",
                "<?p?>", "<?xml version='1.0'?>", "ä😀", "\u{feff}", "\u{1}", "<!DOCTYPE x>", "<", "<L><N>1</N></L>",
            ]),
            0..14,
        ),
        piece in 1usize..9,
        wrapped in any::<bool>(),
    ) {
        let text = if wrapped { format!("<Document><R><A>1</A>{}</R></Document>", parts.concat()) } else { parts.concat() };
        for style in [XmlStyle::Element, XmlStyle::Attribute] {
            let whole = read_in(style, &options(&[]), text.as_bytes(), usize::MAX, usize::MAX);
            let cut = read_in(style, &options(&[]), text.as_bytes(), piece, 1);
            prop_assert_eq!(cut, whole);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), piece in 1usize..9) {
        let _ = read_in(XmlStyle::Element, &options(&[]), &bytes, piece, 1);
    }
}
