//! Packages across the boundary.

use d365_clm::bindings::{PackageReader, PackageWriter};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::text;

const SPEC: &str = r#"{"name":"CLM-Currencies","entities":[{"entity":"Currencies","format":"CSV-Unicode"}]}"#;

#[wasm_bindgen_test]
fn rows_come_back_as_they_went_in() {
    let mut writer = PackageWriter::new(SPEC).unwrap();
    writer.begin_entity(0, vec!["CurrencyCode".into(), "Name".into()]).unwrap();
    // Ends count UTF-16 code units: the coin is two of them.
    writer.write_rows("EURa, \"b\"\r\n🪙USD", &[3, 13, 16, 16], &[0, 0, 0, 5]).unwrap();
    writer.end_entity().unwrap();
    let bytes = writer.finish().unwrap().to_vec();
    let reader = PackageReader::new(bytes, "{}").unwrap();
    assert!(reader.describe().contains(r#""collection":"Currencies""#), "{}", reader.describe());
    let mut cursor = reader.rows(0).unwrap();
    let rows = cursor.next(100).unwrap().unwrap();
    assert_eq!(rows.rows(), 2);
    assert_eq!(rows.text(), "EURa, \"b\"\r\n🪙USD");
    assert_eq!(rows.ends(), [3, 13, 16, 16]);
    assert!(cursor.next(100).unwrap().is_none());
}

#[wasm_bindgen_test]
fn errors_are_plain_objects_with_a_code() {
    let thrown = PackageReader::new(b"<html>".to_vec(), "{}").err().unwrap();
    assert_eq!(text(&thrown, "code"), "NOT_A_PACKAGE");
    let thrown = PackageWriter::new("{\"name\":1}").err().unwrap();
    assert_eq!(text(&thrown, "code"), "INVALID_ARGUMENT");
}
