//! The admin page before a seeded sandbox: built, served beside a relay, opened. What is served is said in `www/serve.mjs`.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::demo::{self, Sandbox};
use crate::process::{Running, TempDir, command, run};
use crate::say;
use crate::workspace::{Tool, Workspace};

/// Runs until Ctrl-C, which ends the sandbox and the server too. The package must have been built.
pub(crate) fn run_page(workspace: &Workspace, open: bool) -> anyhow::Result<()> {
    run(&mut page_build(workspace)?)?;
    run(&mut demo::sandbox_build(workspace))?;
    let program = demo::sandbox_program(workspace)?;
    let seed = TempDir::new("d365-admin-seed")?;
    demo::make_seed(workspace, seed.path())?;
    let sandbox = Sandbox::start(workspace, &program, Some(seed.path()))?;

    let mut serve = command("node", workspace.root());
    serve.arg(workspace.require("www/serve.mjs")?).env("D365_SANDBOX", sandbox.ready_line());
    serve.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut server = Running::start(&mut serve)?;
    // Held: the server ends when its input does.
    let _input = server.take_stdin();
    let output = server.take_stdout().context("the output of the server is not piped")?;
    let mut address = String::new();
    BufReader::new(output).read_line(&mut address)?;
    let address = address.trim();
    anyhow::ensure!(address.starts_with("http://"), "the server of the page did not start");
    say!("admin        {address}  (Ctrl-C ends it)");
    if open {
        open_browser(workspace, address);
    }
    let ended = server.wait(None)?;
    sandbox.stop()?;
    anyhow::ensure!(ended.success(), "the server of the page failed ({ended})");
    Ok(())
}

/// Makes `www/dist`.
pub(crate) fn page_build(workspace: &Workspace) -> anyhow::Result<Command> {
    let mut vite = command("node", workspace.root());
    vite.arg(workspace.tool(Tool::Vite)?).args(["build", "--logLevel", "warn", "-c"]);
    vite.arg(workspace.require("www/vite.config.mjs")?);
    Ok(vite)
}

/// With what the system opens addresses; a machine without a desktop has nothing of the kind, and the address is on the screen.
fn open_browser(workspace: &Workspace, address: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let _ =
        command(program, workspace.root()).arg(address).stdout(Stdio::null()).stderr(Stdio::null()).status();
}
