//! Any bytes as a refusal of the service.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| d365_clm_fuzz::fault(bytes));
