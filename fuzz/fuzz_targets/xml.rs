//! Any bytes as a data file in XML, flat or nested.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| d365_clm_fuzz::xml(bytes));
