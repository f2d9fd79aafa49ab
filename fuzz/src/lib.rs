//! The bodies of the fuzz targets: each takes any bytes, and panics where a promise is broken. A test of the library runs them
//! over the seeds, so that they hold without a fuzzer too; for its sake nothing here needs another crate.

mod answers;

pub use answers::{fault, multipart};

use d365_clm::Error;
use d365_clm::catalog::{Catalog, Schema};
use d365_clm::odata::{MetadataReader, drift, schema_json, typescript};
use d365_clm::package::{
    EntitySpec, Limits, LocalPackage, LocalRows, MemberSpec, PackageSpec, PackageWriter, SourceFormat,
};

type Package = LocalPackage<Vec<u8>>;

/// A whole archive: opening, listing and reading ends in an answer or an error.
pub fn zip(bytes: &[u8]) {
    if let Ok(package) = LocalPackage::open(bytes.to_vec(), limits()) {
        read_all(&package);
        keeps_its_xml(&package);
    }
}

/// One byte that chooses, then `Manifest.xml` or `PackageHeader.xml`: the same, and a subset of all entities has both as they
/// were, byte by byte.
pub fn manifest(bytes: &[u8]) {
    let Some((choice, xml)) = bytes.split_first() else { return };
    let (manifest, header) = if choice & 1 == 0 { (xml, HEADER) } else { (HEADER, xml) };
    let zip = archive(&[("c.csv", b"A\r\n1\r\n"), ("Manifest.xml", manifest), ("PackageHeader.xml", header)]);
    if let Ok(package) = LocalPackage::open(zip, limits()) {
        read_all(&package);
        keeps_its_xml(&package);
    }
}

/// A CSV file: rows read in any batches are the same rows, and what the writer accepts as a file can be read back.
pub fn csv(bytes: &[u8]) {
    rows_do_not_depend_on_batches("CSV", "c.csv", bytes, false);
    for format in [SourceFormat::CsvUnicode, SourceFormat::Csv] {
        what_is_accepted_can_be_read(&format, bytes, false);
    }
}

/// One byte that chooses style and nesting, then a data file in XML: the same.
pub fn xml(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let format = if choice & 1 == 0 { SourceFormat::XmlElement } else { SourceFormat::XmlAttribute };
    let nested = choice & 2 != 0;
    rows_do_not_depend_on_batches(format.as_str(), "c.xml", bytes, nested);
    what_is_accepted_can_be_read(&format, bytes, nested);
}

/// One byte that chooses, then a workbook, its sheet, or its shared texts: the same.
pub fn excel(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let workbook = match choice % 3 {
        0 => bytes.to_vec(),
        1 => workbook(bytes, b"<sst><si><t>A</t></si></sst>"),
        _ => {
            workbook(b"<worksheet><sheetData><row><c t='s'><v>0</v></c></row></sheetData></worksheet>", bytes)
        }
    };
    rows_do_not_depend_on_batches("EXCEL", "c.xlsx", &workbook, false);
    what_is_accepted_can_be_read(&SourceFormat::Excel, &workbook, false);
}

/// Rows of any text, which come back as they were from every format that can hold them: a byte each for format, columns and
/// rows of a call, then cells that end with `|`.
pub fn roundtrip(bytes: &[u8]) {
    let [format, width, chunk, cells @ ..] = bytes else { return };
    let format = match format % 5 {
        0 => SourceFormat::CsvUnicode,
        1 => SourceFormat::Csv,
        2 => SourceFormat::XmlElement,
        3 => SourceFormat::XmlAttribute,
        _ => SourceFormat::Excel,
    };
    let (width, chunk) = (usize::from(width % 4) + 1, usize::from(chunk % 8) + 1);
    let text = String::from_utf8_lossy(cells);
    let mut cells: Vec<&str> = text.split('|').collect();
    cells.truncate(cells.len() / width * width);
    let columns: Vec<String> = (0..width).map(|i| format!("Column{i}")).collect();
    let Ok(zip) = written(format.clone(), &columns, &cells, chunk * width) else { return };
    let package = open(zip);
    let (read, found) = all_rows(package.rows(0), 3).expect("we wrote it");
    assert_eq!(read, columns.iter().map(|name| name.to_uppercase()).collect::<Vec<_>>());
    if format == SourceFormat::Excel {
        // Empty rows at the end of a sheet are no rows.
        let filled = |cells: &[&str]| {
            cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |at| at / width + 1) * width
        };
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found.get(..filled(&found)), cells.get(..filled(&cells)));
    } else {
        assert_eq!(found, cells);
    }
    read_all(&package);
    keeps_its_xml(&package);
}

/// `$metadata` of an environment: reading ends in a schema or an error, and how the document is cut does not matter. A schema is
/// read back from its JSON as it was, and can be compared and written as TypeScript.
pub fn metadata(bytes: &[u8]) {
    let read = |piece: usize| {
        let mut reader = MetadataReader::new(None);
        for piece in bytes.chunks(piece) {
            reader.push(piece)?;
        }
        reader.finish().map(|found| found.json())
    };
    let whole = read(bytes.len().max(1));
    let cut = read(7);
    let Ok(json) = whole else {
        assert!(cut.is_err(), "{whole:?}");
        return;
    };
    assert_eq!(cut.as_ref(), Ok(&json));
    let schema = Schema::from_json(&json).expect("it was written by the library");
    assert_eq!(schema_json(&schema), json);
    let _ = drift(&schema);
    let types = typescript(&schema, None).expect("every collection is there");
    assert!(types.lines().filter(|line| *line == "}").count() >= 2, "{types}");
    let _ = Catalog::of_tenant(schema);
}

fn written(format: SourceFormat, columns: &[String], cells: &[&str], chunk: usize) -> Result<Vec<u8>, Error> {
    let mut spec = PackageSpec::new("P");
    let mut entity = EntitySpec::new("E");
    entity.format = Some(format);
    entity.target_entity = Some("RecordEntity".into());
    spec.entities.push(entity);
    let mut writer = PackageWriter::new(spec)?;
    writer.begin_entity(0, columns)?;
    for part in cells.chunks(chunk) {
        let mut end = 0;
        let ends: Vec<u32> = part
            .iter()
            .map(|cell| {
                end += cell.encode_utf16().count() as u32;
                end
            })
            .collect();
        writer.write_rows(&part.concat(), &ends, &vec![0; part.len()])?;
    }
    writer.end_entity()?;
    writer.finish()
}

fn rows_do_not_depend_on_batches(format: &str, file: &str, bytes: &[u8], nested: bool) {
    let manifest = format!(
        "<DataManagementPackageManifest xmlns=\"http://schemas.microsoft.com/dynamics/2015/01/DataManagement\">\
         <PackageEntityList><DataManagementPackageEntityData><EntityName>E</EntityName><InputFilePath>{file}</InputFilePath>\
         <SourceFormat>{format}</SourceFormat></DataManagementPackageEntityData></PackageEntityList>\
         </DataManagementPackageManifest>"
    );
    let package =
        open(archive(&[(file, bytes), ("Manifest.xml", manifest.as_bytes()), ("PackageHeader.xml", HEADER)]));
    read_all(&package);
    let rows = |batch| all_rows(if nested { package.records(0) } else { package.rows(0) }, batch);
    match (rows(1), rows(1000)) {
        (Ok(one), Ok(many)) => assert_eq!(one, many),
        (one, many) => assert_eq!(one.is_err(), many.is_err(), "{one:?} {many:?}"),
    }
}

fn what_is_accepted_can_be_read(format: &SourceFormat, bytes: &[u8], nested: bool) {
    let whole = handed_over(format, bytes, nested, bytes.len().max(1));
    assert_eq!(whole, handed_over(format, bytes, nested, 7), "pieces must not matter");
    let Ok(zip) = whole else { return };
    let package = open(zip);
    let rows = if nested { package.records(0) } else { package.rows(0) };
    let (_, cells) = all_rows(rows, 1000).expect("it was checked");
    assert!(!cells.is_empty(), "a file without rows is refused");
}

fn handed_over(format: &SourceFormat, bytes: &[u8], nested: bool, piece: usize) -> Result<Vec<u8>, Error> {
    let mut spec = PackageSpec::new("P");
    let mut entity = EntitySpec::new(if nested { "E composite" } else { "E" });
    entity.format = Some(format.clone());
    if nested {
        let mut outer = MemberSpec::new("R", vec!["A".into()]);
        outer.children.push(MemberSpec::new("L", vec!["B".into()]));
        entity.composite = Some(outer);
    }
    spec.entities.push(entity);
    let mut writer = PackageWriter::new(spec)?;
    writer.begin_entity(0, &[])?;
    for part in bytes.chunks(piece) {
        writer.write_data(part)?;
    }
    writer.end_entity()?;
    writer.finish()
}

/// Columns and cells.
fn all_rows(
    rows: Result<LocalRows<'_, Vec<u8>>, Error>,
    batch: usize,
) -> Result<(Vec<String>, Vec<String>), Error> {
    let mut rows = rows?;
    let mut cells = Vec::new();
    while let Some(batch) = rows.next(batch)? {
        assert_eq!(batch.cells().count(), batch.ends.len(), "every end is in the text");
        cells.extend(batch.cells().map(str::to_owned));
    }
    Ok((rows.columns().to_vec(), cells))
}

/// Reads everything there is to read.
fn read_all(package: &Package) {
    for file in package.files() {
        let _ = package.read_file(&file.name);
    }
    for index in 0..package.entities().len() {
        let counted = package.count_rows(index);
        let Ok(mut rows) = package.rows(index) else { continue };
        let mut total = 0;
        let read = loop {
            match rows.next(100) {
                Ok(Some(batch)) => {
                    assert_eq!(batch.ends.len(), batch.rows * rows.columns().len());
                    total += batch.rows as u64;
                }
                Ok(None) => break Ok(total),
                Err(error) => break Err(error),
            }
        };
        assert_eq!(read, counted);
    }
}

/// A subset with all entities has header and manifest as they were.
fn keeps_its_xml(package: &Package) {
    let mut labels: Vec<&str> = package.entities().iter().map(|entity| entity.entity.as_str()).collect();
    let all = labels.len();
    labels.sort_unstable();
    labels.dedup();
    // A label names the first of those that share it, so then not all can be named.
    if labels.is_empty() || labels.len() < all {
        return;
    }
    // What else is in the archive may be damaged.
    let Ok(subset) = package.subset(&labels) else { return };
    let Ok(subset) = LocalPackage::open(subset, limits()) else { panic!("a subset opens") };
    for file in ["Manifest.xml", "PackageHeader.xml"] {
        let file_of = |package: &Package| package.read_file(file).expect("it was read to open the package");
        assert_eq!(file_of(&subset), file_of(package), "{file}");
    }
}

fn open(zip: Vec<u8>) -> Package {
    LocalPackage::open(zip, limits()).expect("only the data file is arbitrary")
}

/// Limits that keep a fuzzer's process small.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.total_bytes = 64 << 20;
    limits.spool = 1 << 20;
    limits.workbook = 4 << 20;
    limits
}

/// Header of a package, with what the reader needs and no more.
const HEADER: &[u8] =
    b"<DataManagementPackageHeader xmlns=\"http://schemas.microsoft.com/dynamics/2015/01/DataManagement\"/>";

fn workbook(sheet: &[u8], shared: &[u8]) -> Vec<u8> {
    let rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let workbook = format!(
        "<workbook xmlns:r=\"{rel}\"><sheets><sheet name=\"E\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
    );
    let rels = |list: &str| format!("<Relationships>{list}</Relationships>");
    let one = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{rel}/{kind}\" Target=\"{target}\"/>")
    };
    let sheets = one("r1", "worksheet", "sheet.xml") + &one("r2", "sharedStrings", "shared.xml");
    archive(&[
        ("_rels/.rels", rels(&one("r1", "officeDocument", "xl/workbook.xml")).as_bytes()),
        ("xl/workbook.xml", workbook.as_bytes()),
        ("xl/_rels/workbook.xml.rels", rels(&sheets).as_bytes()),
        ("xl/sheet.xml", sheet),
        ("xl/shared.xml", shared),
    ])
}

/// An archive with these entries, stored.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in entries {
        let offset = out.len() as u32;
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        common.extend(crc32(data).to_le_bytes());
        common.extend((data.len() as u32).to_le_bytes());
        common.extend((data.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(*data);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (offset, size) = (out.len() as u32, directory.len() as u32);
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    for _ in 0..2 {
        out.extend((entries.len() as u16).to_le_bytes());
    }
    out.extend(size.to_le_bytes());
    out.extend(offset.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn crc32(data: &[u8]) -> u32 {
    let bit = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    !data.iter().fold(!0u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), bit))
}
