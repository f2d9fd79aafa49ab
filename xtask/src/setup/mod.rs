//! Finds out what is missing on this machine and installs what can be installed: one line each.
//! Node and npm packages, the wasm target, and what only root may install. Building and testing do not belong here.

mod node;
mod system;
mod wasm_target;

use std::path::PathBuf;

use anyhow::Context as _;

use crate::say;
use crate::workspace::Workspace;
use system::Packages;

pub(crate) use wasm_target::{TARGET as WASM_TARGET, WasmToolchain};

/// What was found or installed; otherwise the reason why it is not there, for whoever needs it to report.
pub(crate) struct Machine {
    /// Node and the development tools in `node_modules/`.
    pub(crate) npm: Found<()>,
    pub(crate) wasm: Found<WasmToolchain>,
    pub(crate) browser: Found<Browser>,
}

pub(crate) type Found<T> = Result<T, String>;

/// A Chromium and the WebDriver that goes with it.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) chromium: PathBuf,
    pub(crate) chromedriver: PathBuf,
}

/// With CI=true a part that is missing is a failure, not a reason to skip.
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// Looks for everything that any command needs, and installs what is missing and can be installed.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<Machine> {
    let packages = Packages::read(workspace)?;
    // The tests that need these say for themselves that they were skipped.
    let _ = found("interop", packages.install("interop"));
    let machine = Machine {
        npm: found("npm packages", npm(workspace)),
        wasm: found("wasm target", wasm_target::prepare(&packages)),
        browser: found("browser", browser(&packages)),
    };
    Ok(machine)
}

/// The part that `build` needs, where the lack of anything is an error.
pub(crate) fn for_build(workspace: &Workspace) -> anyhow::Result<WasmToolchain> {
    npm(workspace)?;
    wasm_target::prepare(&Packages::read(workspace)?)
}

fn npm(workspace: &Workspace) -> anyhow::Result<()> {
    node::check_version()?;
    node::install_packages(workspace).context("the npm packages of package-lock.json could not be installed")
}

fn found<T>(what: &str, result: anyhow::Result<T>) -> Found<T> {
    result.map_err(|e| {
        let reason = format!("{e:#}");
        say!("{what:<12} MISSING: {reason}");
        reason
    })
}

fn browser(packages: &Packages) -> anyhow::Result<Browser> {
    if find_browser().is_none() {
        packages.install("browser")?;
    }
    let browser = find_browser().context("no chromium with its chromedriver was found on PATH")?;
    say!("browser      {}", browser.chromium.display());
    Ok(browser)
}

fn find_browser() -> Option<Browser> {
    let chromium = from_environment("CHROMIUM").or_else(|| {
        ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(system::find_program)
    })?;
    let chromedriver = from_environment("CHROMEDRIVER").or_else(|| system::find_program("chromedriver"))?;
    Some(Browser { chromium, chromedriver })
}

fn from_environment(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_file())
}
