//! Any bytes as the answer to a batch.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| d365_clm_fuzz::multipart(bytes));
