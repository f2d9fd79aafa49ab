//! The WebAssembly modules and their glue: compile, generate, optimise. The two steps after the compiler are skipped when neither
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
    "-Oz",
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// One of the three modules of the package: a crate in `modules/` which says what is in it.
pub(super) struct Module {
    name: &'static str,
    glue: &'static str,
    /// What a host may have to download for it, gzipped, in bytes.
    pub(super) budget: usize,
}

/// An entry of the package loads exactly one of the first two; the third comes when a workbook is met.
pub(super) const MODULES: [Module; 3] = [
    Module { name: "package", glue: "glue-package", budget: 160_000 },
    Module { name: "core", glue: "glue", budget: 240_000 },
    Module { name: "excel", glue: "glue-excel", budget: 120_000 },
];

/// For a test: `package.wasm` with an export that panics. It runs with the glue of that.
const PANIC: Module = Module { name: "panic", glue: "glue-package", budget: 0 };

impl Module {
    /// The file of the module in `dist/`.
    pub(super) fn wasm(&self) -> String {
        format!("{}.wasm", self.name)
    }

    /// The file of its glue in `dist/`.
    pub(super) fn glue(&self) -> String {
        format!("{}.js", self.glue)
    }
}

/// Makes all modules; the finished files lie in the folder that is given back, which is under cargo's target folder.
pub(super) fn build(workspace: &Workspace, toolchain: WasmToolchain) -> anyhow::Result<PathBuf> {
    let out = workspace.target().join("xtask").join("wasm");
    for module in &MODULES {
        let compiled = compile(workspace, toolchain, module)?;
        let stamp_file = out.join(format!("{}.stamp", module.name));
        let stamp = stamp(workspace, &compiled)?;
        let known = std::fs::read_to_string(&stamp_file).unwrap_or_default();
        let finished = out.join(module.wasm());
        if known == stamp && finished.is_file() && out.join(module.glue()).is_file() {
            say!("glue         {} unchanged", module.glue());
            continue;
        }
        let _ = std::fs::remove_file(&stamp_file);
        std::fs::create_dir_all(&out)?;
        generate(workspace, &compiled, &out, module)?;
        optimise(workspace, &out.join(format!("{}_bg.wasm", module.glue)), &finished)?;
        imports::refuse_env(&std::fs::read(&finished)?)?;
        // Last, so that an interrupted run is done again.
        std::fs::write(&stamp_file, stamp)?;
    }
    Ok(out)
}

/// The module that can panic, which is not part of the package.
pub(super) fn build_panic(workspace: &Workspace, toolchain: WasmToolchain) -> anyhow::Result<PathBuf> {
    let out = workspace.target().join("xtask").join("panic");
    let compiled = compile(workspace, toolchain, &PANIC)?;
    std::fs::create_dir_all(&out)?;
    generate(workspace, &compiled, &out, &PANIC)?;
    Ok(out.join(format!("{}_bg.wasm", PANIC.glue)))
}

/// Each module by a call of its own, for cargo would give them the union of their features; the crates below are compiled once.
fn compile(workspace: &Workspace, toolchain: WasmToolchain, module: &Module) -> anyhow::Result<PathBuf> {
    say!("compile      {} for wasm32-unknown-unknown", module.wasm());
    let name = format!("module-{}", module.name);
    let mut cargo = toolchain.cargo(workspace, "build");
    cargo.args(["-p", &name, "--release", "--config", &without_paths(workspace)?]);
    run(&mut cargo)?;
    let folder = toolchain.target_dir(workspace).join(crate::setup::WASM_TARGET).join("release");
    let compiled = folder.join(format!("module_{}.wasm", module.name));
    anyhow::ensure!(compiled.is_file(), "the compiler left no {}", compiled.display());
    Ok(compiled)
}

/// A setting by which the places of panics, which are part of the module, name no folder of this machine. It is joined with the flags
/// in `.cargo/config.toml`.
fn without_paths(workspace: &Workspace) -> anyhow::Result<String> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let mut flags = vec![format!("--remap-path-prefix={}=/d365-clm", workspace.root().display())];
    if let Some(home) = home {
        flags.push(format!("--remap-path-prefix={}=/cargo", home.display()));
        // Nor the registry that the crates came from. The last prefix that fits is the one that counts.
        let mut folders: Vec<PathBuf> = match home.join("registry").join("src").read_dir() {
            Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?,
            Err(_) => Vec::new(),
        };
        folders.sort();
        flags
            .extend(folders.iter().map(|folder| format!("--remap-path-prefix={}=/crates", folder.display())));
    }
    Ok(format!("target.{}.rustflags={}", crate::setup::WASM_TARGET, serde_json::to_string(&flags)?))
}

fn generate(workspace: &Workspace, compiled: &Path, out: &Path, module: &Module) -> anyhow::Result<()> {
    say!("glue         {}, by wasm-bindgen --target web", module.glue());
    let mut build = profile::tool_build(workspace);
    build.args(["-p", "xtask", "--features", "bindgen", "--bin", "xtask-bindgen"]);
    run(&mut build)?;
    let mut bindgen = command(workspace.program(profile::TOOLS, "xtask-bindgen"), workspace.root());
    run(bindgen.arg(compiled).arg(out).arg(module.glue))
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
