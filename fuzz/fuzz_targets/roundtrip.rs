//! Rows of any text in every format, written and read back.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| d365_clm_fuzz::roundtrip(bytes));
