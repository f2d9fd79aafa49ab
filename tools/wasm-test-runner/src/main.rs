//! The test runner of wasm-bindgen, at the version that Cargo.lock names.
//!
//! Cargo calls it with the compiled test module when `CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER` names it; `cargo xtask test`
//! does so. It runs the tests in Node, or in a headless browser when `WASM_BINDGEN_USE_BROWSER` is set.

fn main() -> anyhow::Result<()> {
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os())
}
