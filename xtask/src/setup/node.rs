//! Node, and the development tools of package-lock.json.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::process::{command, run, run_captured};
use crate::say;
use crate::workspace::Workspace;

/// The oldest major version of Node that the package, its tests and its tools run on.
const OLDEST_NODE: u32 = 20;

/// How often a failed download is tried, and the pause before each further try.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(5);

pub(super) fn check_version() -> anyhow::Result<()> {
    let here = Path::new(".");
    let text = run_captured(command("node", here).arg("--version")).with_context(|| {
        format!(
            "Node {OLDEST_NODE} or newer is needed and `node` was not found on PATH; see https://nodejs.org"
        )
    })?;
    let major =
        major(&text).with_context(|| format!("`node --version` said {text:?}, which is no version"))?;
    ensure!(
        major >= OLDEST_NODE,
        "Node {OLDEST_NODE} or newer is needed, but `node` on PATH is {text}; see https://nodejs.org"
    );
    say!("node         {text}");
    Ok(())
}

fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Installs what the lock file names, when `node_modules` is missing or older than it.
///
/// Not by `npm ci`: that refuses a lock file that lacks optional packages of other platforms, and npm leaves those out where the
/// registry at hand does not have them. Without saving, the lock file decides all the same and stays as it is.
pub(super) fn install_packages(workspace: &Workspace) -> anyhow::Result<()> {
    let lock = workspace.require("package-lock.json")?;
    // npm writes this file last, so its time tells when the last install was complete.
    let installed = workspace.path("node_modules/.package-lock.json");
    if is_newer(&installed, &lock) {
        say!("npm packages there");
        return Ok(());
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    for attempt in 1..=TRIES {
        say!(
            "npm packages missing or older than package-lock.json: `npm install` (about 600 MB in node_modules/)"
        );
        let mut install = command(npm, workspace.root());
        install.args([
            "install",
            "--no-save",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]);
        let Err(e) = run(&mut install) else {
            // The clock of a lock file that was just checked out may be ahead of npm's.
            touch(&installed)?;
            return Ok(());
        };
        say!("npm packages try {attempt} of {TRIES}: {e:#}");
        if attempt < TRIES {
            std::thread::sleep(PAUSE);
        }
    }
    bail!("`npm install` failed {TRIES} times; see what it says above")
}

fn is_newer(this: &Path, than: &Path) -> bool {
    let modified = |path: &Path| path.metadata().and_then(|meta| meta.modified()).ok();
    matches!((modified(this), modified(than)), (Some(this), Some(than)) if this >= than)
}

fn touch(path: &Path) -> anyhow::Result<()> {
    let file = std::fs::File::options().append(true).open(path)?;
    file.set_modified(std::time::SystemTime::now())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_the_number_after_the_v() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("v9.0.0"), Some(9));
        assert_eq!(major("20.1.0"), None);
        assert_eq!(major("vnext"), None);
    }
}
