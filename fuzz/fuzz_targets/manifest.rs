//! Any bytes as one of the two XML files of a package.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| d365_clm_fuzz::manifest(bytes));
