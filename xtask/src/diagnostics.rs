//! `docs/diagnostics.md` and `docs/connection.md`, which are made of the doctors' tables of codes by the test that compares them.

use std::process::Command;

use anyhow::Context as _;

use crate::workspace::Workspace;

/// Writes the pages anew.
pub(crate) fn write(workspace: &Workspace) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["test", "--quiet", "--package", "d365-clm", "--test", "diagnostics"])
        .env("D365_CLM_WRITE_DIAGNOSTICS", "1")
        .current_dir(workspace.root())
        .status()
        .context("cargo could not be started")?;
    anyhow::ensure!(status.success(), "the pages could not be written; see above");
    Ok(())
}
