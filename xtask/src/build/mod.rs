//! Makes the npm package in `pkg/`: the modules, their glue, the compiled TypeScript and the papers.
//! What the package means belongs to `src/bindings/` and `pkg-template/`.

mod imports;
mod package;
mod size;
mod wasm;

use std::path::PathBuf;

use crate::setup::WasmToolchain;
use crate::workspace::Workspace;

/// The whole package, from what is in the checkout.
pub(crate) fn run(workspace: &Workspace, toolchain: WasmToolchain) -> anyhow::Result<()> {
    let modules = wasm::build(workspace, toolchain)?;
    let folder = package::assemble(workspace, &modules)?;
    size::report(&folder)
}

/// A module that can be made to panic, for a test; where it lies.
pub(crate) fn panic_module(workspace: &Workspace, toolchain: WasmToolchain) -> anyhow::Result<PathBuf> {
    wasm::build_panic(workspace, toolchain)
}
