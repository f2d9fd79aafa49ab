//! Where things are: the checkout, cargo's target folder, the tools inside `node_modules`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The checkout that this program was compiled in.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    pub(crate) fn locate() -> anyhow::Result<Workspace> {
        let here = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = here.parent().context("the folder xtask/ has no parent")?.to_path_buf();
        anyhow::ensure!(
            root.join("Cargo.lock").is_file(),
            "{} is not the checkout (no Cargo.lock there)",
            root.display()
        );
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => std::path::absolute(folder)?,
            None => root.join("target"),
        };
        Ok(Workspace { root, target })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's own output; an inherited CARGO_TARGET_DIR is honoured.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Our own output (logs, compiled examples), always inside the checkout: what Node runs from there finds `node_modules`.
    pub(crate) fn out(&self, name: &str) -> PathBuf {
        self.root.join("target").join(name)
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The npm package that `build` makes.
    pub(crate) fn pkg(&self) -> PathBuf {
        self.path("pkg")
    }

    /// A compiled program of this workspace.
    pub(crate) fn program(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// Fails with a sentence that names what is missing.
    pub(crate) fn require(&self, relative: &str) -> anyhow::Result<PathBuf> {
        let path = self.path(relative);
        anyhow::ensure!(path.exists(), "{relative} is missing from this checkout");
        Ok(path)
    }

    /// A script of a development tool; all of them are run by `node`, so that no shell and no PATH is involved.
    pub(crate) fn tool(&self, tool: Tool) -> anyhow::Result<PathBuf> {
        let path = self.root.join("node_modules").join(tool.script());
        anyhow::ensure!(path.is_file(), "{} is missing; `cargo xtask setup` installs it", path.display());
        Ok(path)
    }
}

/// A development tool of package.json.
#[derive(Clone, Copy)]
pub(crate) enum Tool {
    Tsc,
    Biome,
    WasmOpt,
    Azurite,
    Vite,
}

impl Tool {
    fn script(self) -> &'static str {
        match self {
            Tool::Tsc => "typescript/bin/tsc",
            Tool::Biome => "@biomejs/biome/bin/biome",
            Tool::WasmOpt => "binaryen/bin/wasm-opt",
            Tool::Azurite => "azurite/dist/src/blob/main.js",
            Tool::Vite => "vite/bin/vite.js",
        }
    }
}
