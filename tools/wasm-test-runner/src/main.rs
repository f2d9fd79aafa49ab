//! The test runner of wasm-bindgen, at the version that Cargo.lock names.

fn main() {}
