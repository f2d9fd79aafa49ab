//! Any bytes as a workbook, or as the sheet of one.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| d365_clm_fuzz::excel(bytes));
