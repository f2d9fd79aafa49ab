//! Any text as a filter, and as what else shares its grammar.
#![no_main]

#[path = "../src/filter.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::filter(bytes));
