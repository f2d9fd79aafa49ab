//! The WebAssembly module and its glue: compile, generate, optimise. The two steps after the compiler are skipped when neither
//! their input nor anything else that they depend on has changed.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::imports;
use crate::process::{command, run};
use crate::setup::WasmToolchain;
use crate::workspace::{Tool, Workspace};
use crate::{profile, say};

/// What `wasm-opt` is called with. `-Os`, as measured on the first complete module (983 kB before): 940.6 kB in 9 s, against
/// 943.1 kB in 13 s by `-O3`; gzipped both 362 kB, and building and reading a package of 200,000 rows took the same time with
/// both. The features are those that rustc compiles for, by name: with `--all-features` it writes an
/// import encoding that Node 20 cannot load.
const OPTIMISE: [&str; 9] = [
    "-Os",
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// The finished files, under cargo's target folder.
pub(super) struct Module {
    pub(super) glue: PathBuf,
    pub(super) wasm: PathBuf,
}

pub(super) fn build(workspace: &Workspace, toolchain: WasmToolchain) -> anyhow::Result<Module> {
    let compiled = compile(workspace, toolchain)?;
    let out = workspace.target().join("xtask").join("wasm");
    let module = Module { glue: out.join("glue.js"), wasm: out.join("core.wasm") };
    let stamp_file = out.join("stamp");
    let stamp = stamp(workspace, &compiled)?;
    let known = std::fs::read_to_string(&stamp_file).unwrap_or_default();
    if known == stamp && module.glue.is_file() && module.wasm.is_file() {
        say!("glue         unchanged");
        return Ok(module);
    }
    let _ = std::fs::remove_file(&stamp_file);
    std::fs::create_dir_all(&out)?;
    generate(workspace, &compiled, &out)?;
    optimise(workspace, &out.join("glue_bg.wasm"), &module.wasm)?;
    imports::refuse_env(&std::fs::read(&module.wasm)?)?;
    // Last, so that an interrupted run is done again.
    std::fs::write(&stamp_file, stamp)?;
    Ok(module)
}

fn compile(workspace: &Workspace, toolchain: WasmToolchain) -> anyhow::Result<PathBuf> {
    say!("compile      d365-clm for wasm32-unknown-unknown");
    let mut cargo = toolchain.cargo(workspace, "rustc");
    // Only a cdylib: with an rlib beside it the linker keeps more than is needed.
    cargo.args(["--lib", "--crate-type", "cdylib", "-p", "d365-clm", "--features", "wasm", "--release"]);
    run(&mut cargo)?;
    let compiled =
        toolchain.target_dir(workspace).join(crate::setup::WASM_TARGET).join("release").join("d365_clm.wasm");
    anyhow::ensure!(compiled.is_file(), "the compiler left no {}", compiled.display());
    Ok(compiled)
}

fn generate(workspace: &Workspace, compiled: &Path, out: &Path) -> anyhow::Result<()> {
    say!("glue         wasm-bindgen --target web");
    let mut build = profile::tool_build(workspace);
    build.args(["-p", "xtask", "--features", "bindgen", "--bin", "xtask-bindgen"]);
    run(&mut build)?;
    let mut bindgen = command(workspace.program(profile::TOOLS, "xtask-bindgen"), workspace.root());
    run(bindgen.arg(compiled).arg(out).arg("glue"))
}

fn optimise(workspace: &Workspace, from: &Path, to: &Path) -> anyhow::Result<()> {
    say!("optimise     wasm-opt {}", OPTIMISE.first().copied().unwrap_or_default());
    let mut wasm_opt: Command = command("node", workspace.root());
    wasm_opt.arg(workspace.tool(Tool::WasmOpt)?).args(OPTIMISE).arg(from).arg("-o").arg(to);
    run(&mut wasm_opt)
}

/// Changes with the module, the way we make it, and the versions of the two tools (both are in lock files).
fn stamp(workspace: &Workspace, compiled: &Path) -> anyhow::Result<String> {
    let mut hasher = DefaultHasher::new();
    OPTIMISE.hash(&mut hasher);
    let sources =
        ["Cargo.lock", "package-lock.json", "xtask/src/bin/bindgen.rs"].map(|file| workspace.path(file));
    for file in sources.iter().map(PathBuf::as_path).chain([compiled]) {
        std::fs::read(file).with_context(|| file.display().to_string())?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}
