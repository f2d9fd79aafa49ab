//! What the targets share.

use d365_clm::package::{Limits, LocalPackage};

/// Header of a package, with what the reader needs and no more.
pub const HEADER: &[u8] =
    b"<DataManagementPackageHeader xmlns=\"http://schemas.microsoft.com/dynamics/2015/01/DataManagement\"/>";

/// An archive with these entries, stored.
pub fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in entries {
        let offset = out.len() as u32;
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        common.extend(crc32fast::hash(data).to_le_bytes());
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

/// Limits that keep a fuzzer's process small.
pub fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.total_bytes = 64 << 20;
    limits.spool = 1 << 20;
    limits
}

/// Reads everything there is to read.
pub fn read_all(package: &LocalPackage<Vec<u8>>) {
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
