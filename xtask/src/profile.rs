//! How our own tools are compiled: quickly, for they run for seconds.

use std::process::Command;

use crate::process::command;
use crate::workspace::Workspace;

/// The name of the profile, and of its folder in the target folder.
pub(crate) const TOOLS: &str = "tools";

/// `cargo build`, ready for `-p …`. A profile of its own, given here: without optimisation and debug information the generator
/// of the glue and the test runner compile in a third of the time that the dev profile of this workspace takes.
pub(crate) fn tool_build(workspace: &Workspace) -> Command {
    let mut cargo = command("cargo", workspace.root());
    cargo.args(["build", "--profile", TOOLS]);
    for setting in ["inherits=\"dev\"", "debug=false", "package.\"*\".opt-level=0"] {
        cargo.args(["--config", &format!("profile.{TOOLS}.{setting}")]);
    }
    cargo
}
