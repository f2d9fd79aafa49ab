//! Any bytes as a data file: read from a package, and handed over for one.
#![no_main]

use d365_clm::package::{EntitySpec, LocalPackage, PackageSpec, PackageWriter, SourceFormat};
use d365_clm_fuzz::{HEADER, archive, limits, read_all};
use libfuzzer_sys::fuzz_target;

const MANIFEST: &[u8] = b"<DataManagementPackageManifest xmlns=\"http://schemas.microsoft.com/dynamics/2015/01/DataManagement\">\
    <PackageEntityList><DataManagementPackageEntityData><EntityName>E</EntityName><InputFilePath>c.csv</InputFilePath>\
    <SourceFormat>CSV</SourceFormat></DataManagementPackageEntityData></PackageEntityList></DataManagementPackageManifest>";

fuzz_target!(|bytes: &[u8]| {
    let zip = archive(&[("c.csv", bytes), ("Manifest.xml", MANIFEST), ("PackageHeader.xml", HEADER)]);
    let package = LocalPackage::open(zip, limits()).expect("only the data file is arbitrary");
    read_all(&package);
    assert_eq!(cells(&package, 1), cells(&package, 1000));

    for format in [SourceFormat::CsvUnicode, SourceFormat::Csv] {
        let whole = hand_over(bytes, format.clone(), bytes.len().max(1));
        assert_eq!(whole, hand_over(bytes, format, 7), "chunks must not matter");
        if let Ok(zip) = whole {
            let package = LocalPackage::open(zip, limits()).expect("we wrote it");
            assert!(package.count_rows(0).expect("it was checked") > 0);
        }
    }
});

fn cells(package: &LocalPackage<Vec<u8>>, batch: usize) -> Option<Vec<String>> {
    let mut rows = package.rows(0).ok()?;
    let mut out = rows.columns().to_vec();
    while let Some(batch) = rows.next(batch).ok()? {
        out.extend(batch.cells().map(str::to_owned));
    }
    Some(out)
}

fn hand_over(bytes: &[u8], format: SourceFormat, chunk: usize) -> Result<Vec<u8>, d365_clm::Error> {
    let mut spec = PackageSpec::new("P");
    let mut entity = EntitySpec::new("E");
    entity.format = Some(format);
    spec.entities.push(entity);
    let mut writer = PackageWriter::new(spec)?;
    writer.begin_entity(0, &[])?;
    for part in bytes.chunks(chunk) {
        writer.write_data(part)?;
    }
    writer.end_entity()?;
    writer.finish()
}
