//! Packages across the boundary.

use d365_clm::bindings::{PackageOpener, PackageWriter, wasm_memory};
use js_sys::{Reflect, Uint8Array};
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
    let mut bytes = writer.take().to_vec();
    writer.finish().unwrap();
    bytes.extend(writer.take().to_vec());
    let mut opener = PackageOpener::new(bytes.len() as f64, "{}").unwrap();
    while let Some(range) = opener.want() {
        opener.give(bytes[range[0] as usize..range[1] as usize].to_vec()).unwrap();
    }
    let reader = opener.finish().unwrap();
    assert!(reader.describe().contains(r#""collection":"Currencies""#), "{}", reader.describe());
    let mut cursor = reader.rows(0, false, None).unwrap();
    assert_eq!(cursor.next(100).unwrap(), 0, "wants the data first");
    let range = cursor.want().unwrap();
    cursor.give(bytes[range[0] as usize..range[1] as usize].to_vec()).unwrap();
    assert_eq!(cursor.next(100).unwrap(), 1);
    assert_eq!((cursor.rows(), cursor.columns()), (2, vec!["CURRENCYCODE".to_owned(), "NAME".to_owned()]));
    let text = bytes_at(cursor.text_ptr(), cursor.text_length());
    let text: Vec<u16> = text.chunks(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
    assert_eq!(String::from_utf16(&text).unwrap(), "EURa, \"b\"\r\n🪙USD");
    assert!(!cursor.ascii());
    let ends = bytes_at(cursor.ends_ptr(), cursor.ends_length() * 4);
    let ends: Vec<u32> = ends.chunks(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    assert_eq!(ends, [3, 13, 16, 16]);
    assert_eq!(cursor.next(100).unwrap(), 2);
}

/// What JavaScript sees in the module's memory.
fn bytes_at(start: usize, length: usize) -> Vec<u8> {
    let buffer = Reflect::get(&wasm_memory(), &"buffer".into()).unwrap();
    Uint8Array::new_with_byte_offset_and_length(&buffer, start as u32, length as u32).to_vec()
}

#[wasm_bindgen_test]
fn errors_are_plain_objects_with_a_code() {
    let thrown = PackageOpener::new(6.0, "{}").unwrap().give(b"<html>".to_vec()).err().unwrap();
    assert_eq!(text(&thrown, "code"), "NOT_A_PACKAGE");
    let thrown = PackageWriter::new("{\"name\":1}").err().unwrap();
    assert_eq!(text(&thrown, "code"), "INVALID_ARGUMENT");
}
