//! Any bytes as a package.
#![no_main]

use d365_clm::package::LocalPackage;
use d365_clm_fuzz::{limits, read_all};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(package) = LocalPackage::open(bytes.to_vec(), limits()) {
        read_all(&package);
    }
});
