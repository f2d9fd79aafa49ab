//! Any bytes as a CSV file: read from a package, and handed over for one.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| d365_clm_fuzz::csv(bytes));
