//! Every limit at its edge: what is exactly as large as it is let opens, and with one less it is `PACKAGE_LIMIT`.

use d365_clm::package::{
    EntitySpec, Limits, LocalPackage, MemberSpec, PackageSpec, PackageWriter, SourceFormat,
};
use d365_clm::{Error, ErrorCode};

fn written(format: SourceFormat, rows: u32) -> Vec<u8> {
    let mut spec = PackageSpec::new("P");
    let mut entity = EntitySpec::new("Currencies");
    entity.format = Some(format);
    spec.entities.push(entity);
    let mut writer = PackageWriter::new(spec).unwrap();
    writer.begin_entity(0, &["CurrencyCode".into()]).unwrap();
    for _ in 0..rows {
        writer.write_rows("EUR", &[3], &[0]).unwrap();
    }
    writer.end_entity().unwrap();
    writer.finish().unwrap()
}

fn open(bytes: &[u8], set: impl FnOnce(&mut Limits)) -> Result<LocalPackage<Vec<u8>>, Error> {
    let mut limits = Limits::default();
    set(&mut limits);
    LocalPackage::open(bytes.to_vec(), limits)
}

/// With `at` it opens, with one less it does not; both numbers are told.
fn edge(bytes: &[u8], at: u64, set: impl Fn(&mut Limits, u64)) {
    open(bytes, |limits| set(limits, at)).unwrap();
    let error = open(bytes, |limits| set(limits, at - 1)).unwrap_err();
    assert_eq!(error.code, ErrorCode::PackageLimit, "{error}");
    let told = |number: u64| error.message.contains(&number.to_string());
    assert!(told(at) && told(at - 1), "{at}: {error}");
    assert!(error.hint.is_some(), "{error}");
}

fn sizes(bytes: &[u8]) -> Vec<(String, u64, u64)> {
    let package = open(bytes, |_| ()).unwrap();
    package.files().map(|file| (file.name.clone(), file.size, file.compressed_size)).collect()
}

#[test]
fn entries() {
    edge(&written(SourceFormat::Csv, 1), 3, |limits, at| limits.entries = at);
}

#[test]
fn bytes_of_an_entry_and_of_all() {
    // The header is ABC…CODE and CR LF, a row is EUR and CR LF: 14 and 5 bytes.
    let bytes = written(SourceFormat::Csv, 2000);
    let sizes = sizes(&bytes);
    assert_eq!(sizes[0].1, 14 + 5 * 2000);
    edge(&bytes, 10_014, |limits, at| limits.entry_bytes = at);
    let total = sizes.iter().map(|(_, size, _)| size).sum();
    edge(&bytes, total, |limits, at| limits.total_bytes = at);
}

#[test]
fn ratio() {
    let bytes = written(SourceFormat::Csv, 20_000);
    let (_, size, compressed) = sizes(&bytes).swap_remove(0);
    let least = size.div_ceil(compressed);
    assert!(least > 100 && size % compressed != 0, "{size} {compressed}");
    open(&bytes, |limits| limits.ratio = least).unwrap();
    let error = open(&bytes, |limits| limits.ratio = least - 1).unwrap_err();
    assert_eq!(error.code, ErrorCode::PackageLimit);
    assert_eq!(error.at.as_ref().unwrap().file.as_deref(), Some("Currencies.csv"));
}

#[test]
fn spool_holds_an_xml_file_of_the_package() {
    let bytes = written(SourceFormat::Csv, 1);
    let manifest = sizes(&bytes).into_iter().find(|(name, ..)| name == "Manifest.xml").unwrap().1;
    edge(&bytes, manifest, |limits, at| limits.spool = at);
}

#[test]
fn depth_of_the_manifest() {
    // Manifest, PackageEntityList, entity, EntityMapList, EntityMap, its members.
    edge(&written(SourceFormat::Csv, 1), 6, |limits, at| limits.xml_depth = at as u32);
}

#[test]
fn depth_of_a_data_file() {
    let mut spec = PackageSpec::new("P");
    let mut entity = EntitySpec::new("Orders composite");
    entity.format = Some(SourceFormat::XmlElement);
    // Document, seven members in each other, and the field of the innermost.
    let member = (1..=7).rev().fold(None, |inner, level| {
        let mut member = MemberSpec::new(format!("M{level}"), vec!["A".into()]);
        member.children.extend(inner);
        Some(member)
    });
    entity.composite = member;
    spec.entities.push(entity);
    let mut writer = PackageWriter::new(spec).unwrap();
    writer.begin_entity(0, &[]).unwrap();
    writer.write_records("1234567", &[1, 2, 3, 4, 5, 6, 7], &[0; 7], &[0, 1, 2, 3, 4, 5, 6]).unwrap();
    writer.end_entity().unwrap();
    let bytes = writer.finish().unwrap();
    let read = |depth| {
        let package = open(&bytes, |limits| limits.xml_depth = depth)?;
        let mut records = package.records(0)?;
        let mut rows = 0;
        while let Some(batch) = records.next(100)? {
            rows += batch.rows;
        }
        Ok::<_, Error>(rows)
    };
    assert_eq!(read(9).unwrap(), 7);
    let error = read(8).unwrap_err();
    assert_eq!(error.code, ErrorCode::PackageLimit, "{error}");
    assert_eq!(error.at.as_ref().unwrap().file.as_deref(), Some("Orders composite.xml"));
}

#[cfg(feature = "excel")]
#[test]
fn workbook() {
    let package = open(&written(SourceFormat::Excel, 3), |_| ()).unwrap();
    let mut workbook = package.read_file("Currencies.xlsx").unwrap();
    // A comment after the end makes the file itself larger than its parts inflated.
    let comment = 40_000u16;
    let length = workbook.len();
    workbook[length - 2..].copy_from_slice(&comment.to_le_bytes());
    workbook.extend(vec![b'c'; comment.into()]);
    let size = workbook.len() as u64;
    let mut spec = PackageSpec::new("P");
    let mut entity = EntitySpec::new("Currencies");
    entity.format = Some(SourceFormat::Excel);
    spec.entities.push(entity);
    let mut writer = PackageWriter::new(spec).unwrap();
    writer.begin_entity(0, &[]).unwrap();
    writer.write_data(&workbook).unwrap();
    writer.end_entity().unwrap();
    let bytes = writer.finish().unwrap();
    let read = |limit| open(&bytes, |limits| limits.workbook = limit)?.count_rows(0);
    assert_eq!(read(size).unwrap(), 3);
    let error = read(size - 1).unwrap_err();
    assert_eq!(error.code, ErrorCode::PackageLimit, "{error}");
    assert!(error.message.contains(&(size - 1).to_string()), "{error}");
}
