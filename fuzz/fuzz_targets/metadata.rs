//! Any bytes as `$metadata` of an environment.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| d365_clm_fuzz::metadata(bytes));
