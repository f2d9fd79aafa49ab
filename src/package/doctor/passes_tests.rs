//! Files with more rows than hashes are held of: here ten times as many as a pass takes.

use std::fmt::Write as _;

use crate::package::pull::Pull;
use crate::package::zip::testing::{Raw, archive};
use crate::package::{Limits, LocalPackage};

use super::keys::MAX_HASHES;
use super::tests::{FILE, Package, utf16};
use super::*;

const ROWS: usize = 10 * MAX_HASHES;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    Csv,
    Xml,
    #[cfg(feature = "excel")]
    Workbook,
}

impl Format {
    const ALL: &[Self] = &[
        Self::Csv,
        Self::Xml,
        #[cfg(feature = "excel")]
        Self::Workbook,
    ];

    fn package(self, keys: &[String]) -> Vec<u8> {
        let good = Package::good();
        let (name, bytes) = match self {
            Self::Csv => ("CSV-Unicode", csv(keys)),
            Self::Xml => ("XML-Element", xml(keys)),
            #[cfg(feature = "excel")]
            Self::Workbook => ("EXCEL", workbook(keys)),
        };
        let good = if self == Self::Csv { good } else { good.manifest("CSV-Unicode", name) };
        good.set(FILE, bytes).zip()
    }

    /// Line of the row of that index.
    fn line(self, row: usize) -> u64 {
        row as u64 + if self == Self::Xml { 1 } else { 2 }
    }
}

fn csv(keys: &[String]) -> Vec<u8> {
    let mut text = "NAME,DESCRIPTION\r\n".to_owned();
    keys.iter().for_each(|key| write!(text, "{key},\r\n").unwrap());
    utf16(&text)
}

fn xml(keys: &[String]) -> Vec<u8> {
    let mut text = "<Document>".to_owned();
    for key in keys {
        let record = "CLMINTEGRATIONCONTRACTTYPEENTITY";
        writeln!(text, "<{record}><NAME>{key}</NAME><DESCRIPTION/></{record}>").unwrap();
    }
    (text + "</Document>").into_bytes()
}

#[cfg(feature = "excel")]
fn workbook(keys: &[String]) -> Vec<u8> {
    let row = |cells: &[&str]| {
        let cells = cells.iter().map(|cell| format!("<c t='str'><v>{cell}</v></c>"));
        format!("<row>{}</row>", cells.collect::<String>())
    };
    let rows: String = keys.iter().map(|key| row(&[key])).collect();
    let sheet =
        format!("<worksheet><sheetData>{}{rows}</sheetData></worksheet>", row(&["NAME", "DESCRIPTION"]));
    let relation = |kind: &str, target: &str| {
        format!("<Relationships><Relationship Id='r' Type='x/{kind}' Target='{target}'/></Relationships>")
    };
    archive(&[
        Raw::stored("_rels/.rels", relation("officeDocument", "xl/workbook.xml").as_bytes()),
        Raw::stored("xl/_rels/workbook.xml.rels", relation("worksheet", "s.xml").as_bytes()),
        Raw::stored("xl/workbook.xml", b"<workbook><sheets><sheet name='S' r:id='r'/></sheets></workbook>"),
        Raw::stored("xl/s.xml", sheet.as_bytes()),
    ])
}

fn keys() -> Vec<String> {
    (0..ROWS).map(|row| format!("Type {row}")).collect()
}

/// Duplicates as (line, message), and how many times the whole package was read.
fn examine(bytes: &[u8]) -> (Vec<(Option<u64>, String)>, usize) {
    let package = LocalPackage::open(bytes, Limits::default()).unwrap();
    let mut doctor = package.package().doctor();
    let mut read = 0;
    loop {
        match doctor.step().unwrap() {
            Pull::Have(()) => {}
            Pull::End => break,
            Pull::Want => {
                let range = doctor.want().unwrap();
                let range = range.start as usize..range.end as usize;
                read += range.len();
                doctor.give(bytes[range].to_vec()).unwrap();
            }
        }
    }
    let errors = doctor.result().iter().filter(|it| it.severity == Severity::Error);
    let told = errors.map(|it| {
        assert_eq!(it.code, Code::KeyDuplicate, "{it:?}");
        (it.line, it.message.clone())
    });
    (told.collect(), read / bytes.len())
}

// Kills mutants of the ranges and of what a further pass forgets or keeps: lines, columns, the header.
#[test]
fn one_duplicate_among_many_rows_is_found_wherever_it_is() {
    let pairs = [(0, ROWS - 1), (ROWS - 2, ROWS - 1), (17, 900), (234, 235)];
    for &format in Format::ALL {
        for (first, again) in pairs {
            let mut keys = keys();
            // The same to the database.
            keys[again] = keys[first].to_uppercase() + if format == Format::Xml { "" } else { " " };
            let (told, passes) = examine(&format.package(&keys));
            let (line, first) = (format.line(again), format.line(first));
            let (told_line, message) = &told[0];
            assert_eq!(*told_line, Some(line), "{format:?} {told:?}");
            assert!(message.ends_with(&format!("stands in line {first} already")), "{message}");
            let rest: Vec<&str> = told[1..].iter().map(|(_, message)| message.as_str()).collect();
            let partly = ["at least 1 rows repeat the key of an earlier row; 1 are listed"];
            assert!(rest.is_empty() || rest == partly, "{rest:?}");
            #[cfg(feature = "excel")]
            assert!(passes >= 2 || format == Format::Workbook, "{format:?} {passes}");
            #[cfg(not(feature = "excel"))]
            assert!(passes >= 2, "{format:?} {passes}");
        }
    }
}

#[test]
fn many_rows_without_duplicates_need_a_pass_for_each_range() {
    for &format in Format::ALL {
        let (told, passes) = examine(&format.package(&keys()));
        assert_eq!(told, []);
        match format {
            // A range holds between a half and all of what a pass takes.
            Format::Csv | Format::Xml => assert!((10..=21).contains(&passes), "{format:?} {passes}"),
            // It is held whole.
            #[cfg(feature = "excel")]
            Format::Workbook => assert_eq!(passes, 0, "the two XML files were read before"),
        }
    }
}
