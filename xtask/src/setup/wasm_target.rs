//! A compiler for wasm32-unknown-unknown: rustup's target, or Debian's second compiler where rustup cannot add it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::system::Packages;
use crate::process::{command, run_captured};
use crate::say;
use crate::workspace::Workspace;

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Which of the two ways this machine goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WasmToolchain {
    /// The compiler that runs us has the target.
    Installed,
    /// Debian's `rustc-web` and `cargo-web` in /usr/bin build the standard library for the target themselves.
    Debian,
}

impl WasmToolchain {
    /// `cargo SUBCOMMAND --target wasm32-unknown-unknown`, ready for further arguments.
    pub(crate) fn cargo(self, workspace: &Workspace, subcommand: &str) -> Command {
        let mut cargo = command(self.program(), workspace.root());
        cargo.args([subcommand, "--target", TARGET]).env("CARGO_TARGET_DIR", self.target_dir(workspace));
        if self == WasmToolchain::Debian {
            cargo
                .arg("-Zbuild-std=std,panic_abort")
                .env("RUSTC", "/usr/bin/rustc")
                .env("RUSTDOC", "/usr/bin/rustdoc")
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-22");
        }
        cargo
    }

    /// Debian's compiler has a target folder of its own: another version in the same one would undo the other's work.
    pub(crate) fn target_dir(self, workspace: &Workspace) -> PathBuf {
        match self {
            WasmToolchain::Installed => workspace.target().to_path_buf(),
            WasmToolchain::Debian => workspace.target().join("debian"),
        }
    }

    /// Debian packages no clippy for that compiler.
    pub(crate) fn has_clippy(self) -> bool {
        self == WasmToolchain::Installed
    }

    fn program(self) -> &'static str {
        match self {
            WasmToolchain::Installed => "cargo",
            WasmToolchain::Debian => "/usr/bin/cargo",
        }
    }
}

pub(super) fn prepare(packages: &Packages) -> anyhow::Result<WasmToolchain> {
    // For trying out the other way on a machine that has the first.
    let debian_wanted = std::env::var("XTASK_WASM_TOOLCHAIN").is_ok_and(|value| value == "debian");
    if !debian_wanted {
        if is_installed() {
            say!("wasm target  there");
            return Ok(WasmToolchain::Installed);
        }
        say!("wasm target  missing: `rustup target add {TARGET}`");
        match run_captured(command("rustup", Path::new(".")).args(["target", "add", TARGET])) {
            Ok(_) if is_installed() => return Ok(WasmToolchain::Installed),
            Ok(_) => say!(
                "wasm target  rustup added it to another toolchain than the one that runs; trying Debian's compiler"
            ),
            Err(e) => say!("wasm target  {e:#}; trying Debian's compiler"),
        }
    }
    packages.install("wasm").context(
        "no compiler for wasm32-unknown-unknown: rustup cannot add the target and Debian's compiler is not installed",
    )?;
    say!("wasm target  by Debian's compiler in /usr/bin (builds the standard library once)");
    Ok(WasmToolchain::Debian)
}

fn is_installed() -> bool {
    run_captured(command("rustc", Path::new(".")).args(["--print", "target-libdir", "--target", TARGET]))
        .is_ok_and(|folder| Path::new(&folder).join("..").is_dir() && has_files(Path::new(&folder)))
}

fn has_files(folder: &Path) -> bool {
    folder.read_dir().is_ok_and(|mut entries| entries.next().is_some())
}
