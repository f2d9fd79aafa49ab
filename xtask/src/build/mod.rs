//! Makes the npm package in `pkg/`: the module, its glue, the compiled TypeScript and the papers.
//! What the package means belongs to `src/bindings/` and `pkg-template/`.

mod imports;
mod package;
mod size;
mod wasm;

use crate::setup::WasmToolchain;
use crate::workspace::Workspace;

/// The whole package, from what is in the checkout.
pub(crate) fn run(workspace: &Workspace, toolchain: WasmToolchain) -> anyhow::Result<()> {
    let module = wasm::build(workspace, toolchain)?;
    let folder = package::assemble(workspace, &module)?;
    size::report(&folder)
}
