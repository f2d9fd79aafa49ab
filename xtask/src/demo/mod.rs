//! The main job, for a person to follow: a sandbox with seed data, the quickstart against it, a table and a verdict.
//! What the job does is in `examples/node-quickstart/`; here it is only run, shown and judged.

mod event;
mod render;
mod sandbox;
mod verdict;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::process::{Running, TempDir, command, run};
use crate::say;
use crate::workspace::{Tool, Workspace};
use event::{Event, Row};
use render::Renderer;
pub(crate) use sandbox::Sandbox;

/// The whole job takes well under a minute, and tells something every second; after this long without a word it hangs.
const SILENCE: Duration = Duration::from_secs(120);

/// Sandbox, seed, quickstart, verdict. The package must have been built.
pub(crate) fn run_job(workspace: &Workspace) -> anyhow::Result<()> {
    say!("sandbox      cargo build -p d365-sandbox");
    run(&mut sandbox_build(workspace))?;
    let sandbox_program = sandbox_program(workspace)?;
    run(&mut quickstart_compile(workspace)?)?;
    let quickstart = quickstart_script(workspace)?;
    let seed = TempDir::new("d365-demo-seed")?;
    make_seed(workspace, seed.path())?;

    let start = Instant::now();
    let sandbox = Sandbox::start(workspace, &sandbox_program, Some(seed.path()))?;
    say!(
        "sandbox      ready in {:.1} s (its log: {})",
        start.elapsed().as_secs_f64(),
        sandbox.log().display()
    );
    let rows = follow(&quickstart, workspace, &sandbox, seed.path());
    let stopped = sandbox.stop();
    let rows = rows?;
    stopped?;

    verdict::judge(&rows).print()
}

/// With the dev profile: it shares its parts with `cargo test`, and the job is as quick with it.
pub(crate) fn sandbox_build(workspace: &Workspace) -> Command {
    let mut build = command("cargo", workspace.root());
    build.args(["build", "-p", "d365-sandbox"]);
    build
}

/// What [`sandbox_build`] makes.
pub(crate) fn sandbox_program(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let program = workspace.program("debug", "d365-sandbox");
    anyhow::ensure!(
        program.is_file(),
        "there is no {}; `cargo build -p d365-sandbox` makes it",
        program.display()
    );
    Ok(program)
}

/// Compiles the quickstart to a folder below the checkout, where Node finds the package by its name.
pub(crate) fn quickstart_compile(workspace: &Workspace) -> anyhow::Result<Command> {
    let project = workspace.require("examples/node-quickstart/tsconfig.json")?;
    let mut tsc = command("node", workspace.root());
    tsc.arg(workspace.tool(Tool::Tsc)?).arg("-p").arg(project);
    tsc.arg("--outDir").arg(workspace.out("quickstart")).args(["--noEmit", "false"]);
    Ok(tsc)
}

fn quickstart_script(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let script = workspace.out("quickstart").join("node.js");
    anyhow::ensure!(script.is_file(), "the TypeScript compiler left no {}", script.display());
    Ok(script)
}

/// Fills the folder with what the sandbox is to know.
pub(crate) fn make_seed(workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
    say!("seed         currencies, countries and 20,000 vendors");
    let script = workspace.require("examples/node-quickstart/seed.mjs")?;
    run(command("node", workspace.root()).arg(script).arg(folder).stdout(Stdio::null()))
}

/// Runs the quickstart, shows its events, and hands back the rows of its table.
fn follow(script: &Path, workspace: &Workspace, sandbox: &Sandbox, seed: &Path) -> anyhow::Result<Vec<Row>> {
    let mut node = command("node", workspace.root());
    node.arg(script).env("D365_SANDBOX", sandbox.ready_line()).env("D365_SEED", seed).stdout(Stdio::piped());
    // What it keeps there goes with the seed, also when it is ended before it could clear up.
    node.env("TMPDIR", seed);
    let mut child = Running::start(&mut node)?;
    let output = child.take_stdout().context("the output of the quickstart is not piped")?;

    let lines = lines_of(output);
    let mut renderer = Renderer::new();
    let mut rows = None;
    let mut failure = None;
    loop {
        let line = match lines.recv_timeout(SILENCE) {
            Ok(line) => line.context("the output of the quickstart could not be read")?,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => bail!("the quickstart hangs: it said nothing for two minutes"),
        };
        match Event::parse(&line) {
            Event::Table(table) => rows = Some(table),
            Event::Error(error) => failure = Some(error),
            event => renderer.show(&event),
        }
    }
    renderer.finish();

    let ended = child.wait(Some(SILENCE))?;
    if let Some(table) = &rows {
        println!("\n{}", render::table(table));
    }
    if let Some(error) = failure {
        bail!("the quickstart failed: {error}");
    }
    if !ended.success() {
        bail!("the quickstart failed ({ended})");
    }
    rows.context("the quickstart ended without a table")
}

/// Read by a thread of its own, so that waiting for a line can have an end.
fn lines_of(output: ChildStdout) -> Receiver<std::io::Result<String>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
