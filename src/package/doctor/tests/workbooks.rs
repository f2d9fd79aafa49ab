//! Whole packages with workbooks, which the caller reads.

use crate::package::Pull;

use super::*;

/// A package with a workbook: a header, and two rows of the same key.
fn with_workbook() -> Package {
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationships><Relationship Id='{id}' Type='x/{kind}' Target='{target}'/></Relationships>")
    };
    let book = "<workbook><sheets><sheet name='T' r:id='s'/></sheets></workbook>";
    let (root, relations) =
        (relation("r", "officeDocument", "xl/workbook.xml"), relation("s", "worksheet", "s.xml"));
    let row = |text: &str| format!("<row><c t='inlineStr'><is><t>{text}</t></is></c></row>");
    let rows = ["NAME", "NDA", "NDA"].map(row).concat();
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    let workbook = archive(&[
        Raw::stored("_rels/.rels", root.as_bytes()),
        Raw::stored("xl/workbook.xml", book.as_bytes()),
        Raw::stored("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        Raw::stored("xl/s.xml", sheet.as_bytes()),
    ]);
    Package::good()
        .without(FILE)
        .manifest("CSV-Unicode", "EXCEL")
        .manifest(FILE, "T.xlsx")
        .manifest(&map("DESCRIPTION"), "")
        .manifest("<ExecutionUnit>", "<ExcelSheetName>T$</ExcelSheetName><ExecutionUnit>")
        .set("T.xlsx", workbook)
}

/// Runs a doctor over a package at hand; `read` gets each workbook that it wants.
fn run_elsewhere(zip: &[u8], read: &mut dyn FnMut(WorkbookExam<'_>)) -> Vec<Diagnostic> {
    let package = LocalPackage::open(zip.to_vec(), Limits::default()).unwrap();
    let mut doctor = package.package().doctor();
    doctor.workbooks_elsewhere();
    loop {
        match doctor.step().unwrap() {
            Pull::End => return doctor.result().to_vec(),
            Pull::Have(()) => {
                if let Some(exam) = doctor.workbook() {
                    read(exam);
                }
            }
            Pull::Want => {
                let range = doctor.want().unwrap();
                let bytes = zip[range.start as usize..range.end as usize].to_vec();
                doctor.give(bytes).unwrap();
            }
        }
    }
}

// Whole packages, as the boundary drives them: two passes, since two rows seem to have one key.
#[test]
fn the_caller_can_read_workbooks() {
    let package = with_workbook();
    let codes = |found: &[Diagnostic]| -> Vec<_> {
        found
            .iter()
            .map(|it| (it.code.as_str(), it.line))
            .filter(|(code, _)| !["PKG-SHEET-NAME", "PKG-SHARED-ENTITY"].contains(code))
            .collect()
    };
    let mut passes = 0;
    let found = run_elsewhere(&package.zip(), &mut |mut exam| {
        assert_eq!(exam.sheet(), "T$");
        assert_eq!(exam.take_bytes(), package.bytes_of("T.xlsx"));
        loop {
            passes += 1;
            assert!(exam.begin("T", 1, &["NAME".to_owned()]));
            exam.rows("NDA", &[3]).unwrap();
            exam.rows("NDA", &[3]).unwrap();
            if !exam.end() {
                break;
            }
        }
    });
    assert_eq!(passes, 2);
    assert_eq!(codes(&found), [("PKG-KEY-DUPLICATE", Some(3))]);
    #[cfg(feature = "excel")]
    assert_eq!(package.diagnose(), found);

    let missing = crate::Error::new(crate::ErrorCode::WasmLoadFailed, "there is no reader").hint("Give one.");
    let found = run_elsewhere(&package.zip(), &mut |mut exam| exam.refuse(&missing));
    assert_eq!(codes(&found), [("PKG-NOT-EXAMINED", None)]);
    let finding = found.iter().find(|it| it.code == Code::NotExamined).unwrap();
    assert_eq!((finding.message.as_str(), finding.hint.as_str()), ("there is no reader", "Give one."));
    assert_eq!(finding.severity, Severity::Info);
}

#[test]
fn nothing_goes_on_before_the_workbook_is_read() {
    let zip = with_workbook().zip();
    let package = LocalPackage::open(zip.clone(), Limits::default()).unwrap();
    let mut doctor = package.package().doctor();
    doctor.workbooks_elsewhere();
    while doctor.workbook().is_none() {
        if let Some(range) = doctor.want() {
            doctor.give(zip[range.start as usize..range.end as usize].to_vec()).unwrap();
        }
        doctor.step().unwrap();
    }
    let error = doctor.step().unwrap_err();
    assert_eq!(error.code, crate::ErrorCode::InvalidArgument);
    assert_eq!(error.at.as_deref().unwrap().file.as_deref(), Some("T.xlsx"));
    assert_eq!(doctor.result(), []);
    let mut exam = doctor.workbook().unwrap();
    assert!(exam.begin("T", 1, &["NAME".to_owned()]));
    assert_eq!(exam.rows("NDA", &[4]).unwrap_err().code, crate::ErrorCode::InvalidArgument);
}
