//! Any bytes as one of the two XML files of a package.
#![no_main]

use d365_clm::package::LocalPackage;
use d365_clm_fuzz::{HEADER, archive, limits, read_all};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, xml)) = bytes.split_first() else { return };
    let (manifest, header) = if choice & 1 == 0 { (xml, HEADER) } else { (HEADER, xml) };
    let zip = archive(&[("c.csv", b"A\r\n1\r\n"), ("Manifest.xml", manifest), ("PackageHeader.xml", header)]);
    if let Ok(package) = LocalPackage::open(zip, limits()) {
        read_all(&package);
    }
});
