use super::super::super::cell::Target;
use super::super::read::{Progress, XmlOptions, XmlReader};
use super::super::record::{MemberInfo, RecordSink};
use super::*;
use crate::error::ErrorCode;
use crate::table::csv_read::RowSink;
use proptest::prelude::*;

fn columns(headers: &[&str]) -> Vec<Column> {
    headers
        .iter()
        .map(|h| Column { name: h.to_lowercase(), header: (*h).to_owned(), target: Target::Unknown })
        .collect()
}

fn chunk(cells: &[&str]) -> (String, Vec<u32>, Vec<u8>) {
    let mut text = String::new();
    let mut ends = Vec::new();
    for cell in cells {
        text.push_str(cell);
        ends.push(u32::try_from(text.encode_utf16().count()).unwrap());
    }
    (text, ends, vec![0; cells.len()])
}

fn flat(style: XmlStyle, headers: &[&str], cells: &[&str]) -> Result<String> {
    let mut writer = XmlFileWriter::new(style, "CURRENCYENTITY", columns(headers))?;
    let (text, ends, kinds) = chunk(cells);
    let mut out = Vec::new();
    let mut emit = |bytes: &[u8]| {
        out.extend_from_slice(bytes);
        Ok(())
    };
    writer.write(&text, &ends, &kinds, &mut emit)?;
    writer.finish(&mut emit)?;
    assert_eq!(writer.rows_written(), (cells.len() / headers.len()) as u64);
    Ok(String::from_utf8(out).unwrap())
}

fn order_tree() -> Vec<Member> {
    let member = |element: &str, headers: &[&str], parent| Member {
        element: element.to_owned(),
        columns: columns(headers),
        parent,
    };
    vec![
        member("ORDER", &["ID"], None),
        member("LINE", &["NO", "ITEM"], Some(0)),
        member("CHARGE", &["CODE"], Some(1)),
        member("NOTE", &["TEXT"], Some(0)),
    ]
}

/// Writes records given as member and cells.
fn composite(style: XmlStyle, tree: Vec<Member>, records: &[(u8, &[&str])]) -> Result<String> {
    let mut writer = XmlFileWriter::composite(style, tree)?;
    let cells: Vec<&str> = records.iter().flat_map(|(_, cells)| cells.iter().copied()).collect();
    let (text, ends, kinds) = chunk(&cells);
    let members: Vec<u8> = records.iter().map(|(member, _)| *member).collect();
    let mut out = Vec::new();
    let mut emit = |bytes: &[u8]| {
        out.extend_from_slice(bytes);
        Ok(())
    };
    writer.write_records(&text, &ends, &kinds, &members, &mut emit)?;
    writer.finish(&mut emit)?;
    Ok(String::from_utf8(out).unwrap())
}

fn refused(result: Result<String>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidArgument);
    error
}

#[derive(Default)]
struct Records {
    records: Vec<(u8, Vec<String>)>,
    cells: Vec<String>,
    cell: String,
    member: u8,
}

impl RowSink for Records {
    fn text(&mut self, part: &str) {
        self.cell.push_str(part);
    }
    fn end_cell(&mut self) {
        self.cells.push(std::mem::take(&mut self.cell));
    }
    fn end_row(&mut self) {
        self.records.push((self.member, std::mem::take(&mut self.cells)));
    }
    fn is_full(&self) -> bool {
        false
    }
}

impl RecordSink for Records {
    fn member(&mut self, index: u8) {
        self.member = index;
    }
}

fn read(style: XmlStyle, bytes: &[u8], piece: usize) -> (Vec<MemberInfo>, Vec<(u8, Vec<String>)>) {
    let options = XmlOptions {
        max_depth: 64,
        records: ["LINE", "CHARGE", "NOTE"].map(str::to_owned).into(),
        ..XmlOptions::default()
    };
    let mut reader = XmlReader::new(style, options);
    let mut sink = Records::default();
    for piece in bytes.chunks(piece) {
        reader.push(piece);
        assert_eq!(reader.pull(&mut sink).unwrap(), Progress::Hungry);
    }
    reader.end();
    assert_eq!(reader.pull(&mut sink).unwrap(), Progress::Done);
    (reader.members().to_vec(), sink.records)
}

#[test]
fn files_written_by_hand() {
    let cells = ["EUR", "a<b> & \"c\"\r\n\t", "", "ä😀"];
    assert_eq!(
        flat(XmlStyle::Element, &["CODE", "NAME"], &cells).unwrap(),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Document>\n\
         <CURRENCYENTITY><CODE>EUR</CODE><NAME>a&lt;b&gt; &amp; \"c\"&#xD;\n\t</NAME></CURRENCYENTITY>\n\
         <CURRENCYENTITY><CODE /><NAME>ä😀</NAME></CURRENCYENTITY>\n</Document>\n"
    );
    assert_eq!(
        flat(XmlStyle::Attribute, &["CODE", "NAME"], &cells).unwrap(),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Document>\n\
         <CURRENCYENTITY CODE=\"EUR\" NAME=\"a&lt;b&gt; &amp; &quot;c&quot;&#xD;&#xA;&#x9;\" />\n\
         <CURRENCYENTITY CODE=\"\" NAME=\"ä😀\" />\n</Document>\n"
    );
}

#[test]
fn characters_and_names_that_xml_lacks_are_refused() {
    for c in ["\u{1}", "\u{b}", "\u{ffff}"] {
        let error = refused(flat(XmlStyle::Element, &["A", "B"], &["1", "2", "3", c]));
        let at = error.at.as_deref().unwrap();
        assert_eq!((at.line, at.column.as_deref()), (Some(2), Some("b")));
        assert!(error.hint.is_some());
    }
    for name in ["A B", "1A", "A/B", "xmlns", ""] {
        assert!(refused(flat(XmlStyle::Attribute, &["A", name], &[])).hint.is_some(), "{name}");
        assert!(XmlFileWriter::new(XmlStyle::Element, name, columns(&["A"])).is_err(), "{name}");
    }
    refused(flat(XmlStyle::Attribute, &["A", "A"], &[]));
}

#[test]
fn chunks_that_are_no_whole_rows_are_refused() {
    let mut writer = XmlFileWriter::new(XmlStyle::Element, "R", columns(&["A", "B"])).unwrap();
    let emit = &mut |_: &[u8]| Ok(());
    for (text, ends, kinds) in [
        ("ab", &[1u32][..], &[0u8][..]),
        ("ab", &[1, 2], &[0]),
        ("abc", &[1, 2], &[0, 0]),
        ("ab", &[1, 3], &[0, 0]),
        ("ab", &[1, 2], &[0, 9]),
    ] {
        assert!(writer.write(text, ends, kinds, emit).is_err(), "{ends:?} {kinds:?}");
    }
}

#[test]
fn composites_are_nested() {
    let records: [(u8, &[&str]); 6] =
        [(0, &["A"]), (1, &["1", "x"]), (2, &["F"]), (1, &["2", "y"]), (3, &["n"]), (0, &["B"])];
    assert_eq!(
        composite(XmlStyle::Attribute, order_tree(), &records).unwrap(),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Document>\n\
         <ORDER ID=\"A\">\n<LINE NO=\"1\" ITEM=\"x\">\n<CHARGE CODE=\"F\" />\n</LINE>\n\
         <LINE NO=\"2\" ITEM=\"y\">\n</LINE>\n<NOTE TEXT=\"n\" />\n</ORDER>\n\
         <ORDER ID=\"B\">\n</ORDER>\n</Document>\n"
    );
    assert_eq!(
        composite(XmlStyle::Element, order_tree(), &records).unwrap(),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Document>\n\
         <ORDER><ID>A</ID>\n<LINE><NO>1</NO><ITEM>x</ITEM>\n<CHARGE><CODE>F</CODE></CHARGE>\n</LINE>\n\
         <LINE><NO>2</NO><ITEM>y</ITEM>\n</LINE>\n<NOTE><TEXT>n</TEXT></NOTE>\n</ORDER>\n\
         <ORDER><ID>B</ID>\n</ORDER>\n</Document>\n"
    );
}

#[test]
fn members_without_records_get_an_empty_element() {
    // The last line is open: the charge goes into it. Notes go into the last order.
    let open = composite(XmlStyle::Attribute, order_tree(), &[(0, &["A"]), (1, &["1", "x"])]).unwrap();
    assert!(open.ends_with(
        "<ORDER ID=\"A\">\n<LINE NO=\"1\" ITEM=\"x\">\n<CHARGE />\n</LINE>\n<NOTE />\n</ORDER>\n</Document>\n"
    ));
    // The lines are closed by the order after them: an empty line holds the charge.
    let closed =
        composite(XmlStyle::Attribute, order_tree(), &[(0, &["A"]), (1, &["1", "x"]), (0, &["B"])]).unwrap();
    assert!(
        closed.ends_with("<ORDER ID=\"B\">\n<LINE><CHARGE />\n</LINE>\n<NOTE />\n</ORDER>\n</Document>\n")
    );
    let none = composite(XmlStyle::Element, order_tree(), &[(0, &["A"])]).unwrap();
    assert!(
        none.ends_with("<ORDER><ID>A</ID>\n<LINE><CHARGE />\n</LINE>\n<NOTE />\n</ORDER>\n</Document>\n")
    );
    for (style, file) in [(XmlStyle::Attribute, open), (XmlStyle::Attribute, closed)] {
        let (members, _) = read(style, file.as_bytes(), 7);
        let elements: Vec<_> =
            members.iter().map(|member| (member.element.as_str(), member.parent)).collect();
        assert_eq!(elements, [("ORDER", None), ("LINE", Some(0)), ("CHARGE", Some(1)), ("NOTE", Some(0))]);
        assert_eq!(members[2].rows, 0, "an empty element is no record");
    }
}

#[test]
fn records_outside_of_their_parents_are_refused() {
    let at = |records: &[(u8, &[&str])]| {
        refused(composite(XmlStyle::Element, order_tree(), records)).at.as_deref().unwrap().line
    };
    assert_eq!(at(&[(1, &["1", "x"])]), Some(1));
    assert_eq!(at(&[(0, &["A"]), (2, &["F"])]), Some(2), "a charge outside of a line");
    assert_eq!(
        at(&[(0, &["A"]), (1, &["1", "x"]), (0, &["B"]), (2, &["F"])]),
        Some(4),
        "that line is closed"
    );
    assert_eq!(at(&[(9, &[])]), Some(1));
    refused(composite(XmlStyle::Element, order_tree(), &[(0, &["A", "B"])]));
    refused(composite(XmlStyle::Element, order_tree(), &[(0, &[])]));
}

#[test]
fn trees_that_are_none_are_refused() {
    let broken = |change: fn(&mut Vec<Member>)| {
        let mut tree = order_tree();
        change(&mut tree);
        XmlFileWriter::composite(XmlStyle::Element, tree).is_err()
    };
    assert!(!broken(|_| {}));
    assert!(broken(|tree| tree.clear()));
    assert!(broken(|tree| tree[0].parent = Some(0)));
    assert!(broken(|tree| tree[1].parent = None), "two outermost");
    assert!(broken(|tree| tree[1].parent = Some(2)), "a parent that comes later");
    assert!(broken(|tree| tree[3].element = "LINE".into()), "two alike");
    assert!(broken(|tree| tree[3].element = "ID".into()), "a field's name");
    assert!(broken(|tree| tree[2].columns.clear()));
    assert!(!broken(|tree| tree[2].element = "NOTE".into()), "the same name elsewhere");
    let many = (0..257).map(|i| Member {
        element: format!("M{i}"),
        columns: columns(&["A"]),
        parent: (i > 0).then_some(0),
    });
    assert!(XmlFileWriter::composite(XmlStyle::Element, many.collect()).is_err());
}

#[test]
fn the_file_goes_out_in_pieces() {
    let mut writer = XmlFileWriter::new(XmlStyle::Attribute, "R", columns(&["A"])).unwrap();
    let (text, ends, kinds) = chunk(&["x".repeat(1000).as_str(); 1000]);
    let mut sizes = Vec::new();
    writer
        .write(&text, &ends, &kinds, &mut |bytes| {
            sizes.push(bytes.len());
            Ok(())
        })
        .unwrap();
    assert!(sizes.len() > 10 && sizes.iter().all(|&size| size < PIECE + 2000), "{sizes:?}");
}

fn value() -> impl Strategy<Value = String> {
    // What needs care in XML, and characters of one to four bytes.
    proptest::string::string_regex("([a-zäλ😀 <>&\"',;#\t\r\n\\]\u{85}\u{feff}]|]]>|&amp;){0,12}").unwrap()
}

proptest! {
    // Kills mutants in escaping, in the cut of the input, and in the order of cells.
    #[test]
    fn flat_files_come_back(rows in proptest::collection::vec((value(), value()), 1..6), piece in 1usize..40) {
        let cells: Vec<&str> = rows.iter().flat_map(|(a, b)| [a.as_str(), b.as_str()]).collect();
        for style in [XmlStyle::Element, XmlStyle::Attribute] {
            let file = flat(style, &["A", "B"], &cells).unwrap();
            for encoded in [file.as_bytes().to_vec(), file.encode_utf16().flat_map(u16::to_le_bytes).collect()] {
                let (members, records) = read(style, &encoded, piece);
                prop_assert_eq!(members.len(), 1);
                prop_assert_eq!(&members[0].columns, &["A", "B"]);
                let back: Vec<&str> = records.iter().flat_map(|(_, cells)| cells.iter().map(String::as_str)).collect();
                prop_assert_eq!(&back, &cells);
            }
        }
    }

    #[test]
    fn composites_come_back(
        seeds in proptest::collection::vec((0u8..4, value(), value()), 1..12),
        piece in 1usize..40,
    ) {
        // Any sequence becomes a valid one by leaving out what has no parent yet.
        let tree = order_tree();
        let (mut open, mut records) = (Vec::<usize>::new(), Vec::<(u8, Vec<&str>)>::new());
        for (member, a, b) in &seeds {
            let index = usize::from(*member);
            let parent = tree[index].parent;
            if parent.is_some_and(|parent| !open.contains(&parent)) { continue; }
            while open.last().copied() != parent { open.pop(); }
            open.push(index);
            records.push((*member, [a.as_str(), b.as_str()][..tree[index].columns.len()].to_vec()));
        }
        prop_assume!(!records.is_empty());
        let given: Vec<(u8, &[&str])> = records.iter().map(|(member, cells)| (*member, &cells[..])).collect();
        for style in [XmlStyle::Element, XmlStyle::Attribute] {
            let file = composite(style, tree.clone(), &given).unwrap();
            let (members, back) = read(style, file.as_bytes(), piece);
            prop_assert_eq!(members.len(), 4, "every member has an element");
            // The reader numbers members as they come, so they are compared by element.
            let written: Vec<(&str, Vec<&str>)> =
                records.iter().map(|(member, cells)| (tree[usize::from(*member)].element.as_str(), cells.clone())).collect();
            let read: Vec<(&str, Vec<&str>)> = back
                .iter()
                .map(|(member, cells)| {
                    (members[usize::from(*member)].element.as_str(), cells.iter().map(String::as_str).collect())
                })
                .collect();
            prop_assert_eq!(read, written);
        }
    }
}
