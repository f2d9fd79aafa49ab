//! `xtask-bindgen IN.wasm OUT_DIR NAME` writes `OUT_DIR/NAME.js` (the JavaScript glue for `--target web`) and
//! `OUT_DIR/NAME_bg.wasm` (the module that goes with it).
//!
//! A program of its own because the generator takes longer to compile than everything else that `xtask` needs.

use anyhow::{Context as _, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, out_dir, name] = arguments.as_slice() else {
        bail!("usage: xtask-bindgen IN.wasm OUT_DIR NAME");
    };
    Bindgen::new()
        .web(true)?
        // The glue must not know where its module lies: each entry of the package says that, and a bundler that meets a
        // URL in the glue too would ship the module twice.
        .omit_default_module_path(true)
        .typescript(false)
        // After a panic the instance is dead; with this the package makes a new one from the module that it has.
        .reset_state_function(true)
        .remove_name_section(true)
        .input_path(input)
        .out_name(name)
        .generate(out_dir)
        .with_context(|| format!("no JavaScript glue could be made from {input}"))
}
