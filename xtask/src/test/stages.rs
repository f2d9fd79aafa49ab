//! The stages, in the order of running: what is quick and most often wrong comes first.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::counts;
use super::stage::{Context, Outcome};
use crate::process::command;
use crate::setup::{self, Browser, WasmToolchain};
use crate::workspace::{Tool, Workspace};
use crate::{build, demo, profile};

type Run = fn(&Context<'_>, &str) -> anyhow::Result<Outcome>;

pub(super) const ALL: [(&str, Run); 19] = [
    ("cargo fmt", fmt),
    ("catalogue", catalogue),
    ("biome", biome),
    ("clippy", clippy),
    ("clippy wasm32", clippy_wasm),
    ("cargo test", cargo_test),
    ("simulation", simulation),
    ("mutants", mutants),
    ("build", build),
    ("tsc", tsc),
    ("sandbox", sandbox),
    ("wasm tests in Node", wasm_in_node),
    ("wasm tests in Chromium", wasm_in_browser),
    ("node:test", node_test),
    ("end to end in Chromium", browser_test),
    ("memory", memory),
    ("bench", bench),
    ("fuzz", fuzz),
    ("demo", run_demo),
];

/// Zipped bytes of the package that is written and read while its memory is watched: one larger than the memory would be found in
/// either, and the rest of `--soak` is waiting.
const WATCHED: [&str; 2] = ["--mib", "256"];
const SOAK: [&str; 2] = ["--gib", "2"];

fn fmt(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    context.check(name, cargo(context).args(["fmt", "--all", "--check"]))
}

/// The catalogue is made from a file that is no part of this project, so elsewhere there is nothing to compare with.
fn catalogue(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    let reference = "../shared/reference/entities.json";
    if !context.workspace.path(reference).is_file() {
        return Ok(Outcome::Skipped(format!("no {reference} beside this checkout")));
    }
    context.check(name, this(context)?.args(["catalog", "--from", reference, "--check"]))
}

fn biome(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    if let Err(missing) = &context.machine.npm {
        return Ok(Outcome::Missing(missing.clone()));
    }
    context.check(name, node(context, Tool::Biome)?.args(["check", "--error-on-warnings", "."]))
}

/// Everything, then the library with each of its features alone and with none: what is there is used and documented in each.
fn clippy(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    let mut all = cargo(context);
    all.args(["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]);
    let mut outcome = context.check(name, &mut all)?;
    for features in ["package", "full", "excel", ""] {
        let mut one = cargo(context);
        one.args(["clippy", "-p", "d365-clm", "--lib", "--no-default-features", "--features", features]);
        if let Outcome::Failed(problem) = context.check(name, one.args(["--", "-D", "warnings"]))? {
            outcome = Outcome::Failed(format!("with the features \"{features}\" only: {problem}"));
        }
    }
    Ok(outcome)
}

fn clippy_wasm(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    let toolchain = match &context.machine.wasm {
        Ok(toolchain) => *toolchain,
        Err(missing) => return Ok(Outcome::Missing(missing.clone())),
    };
    let mut outcome = Outcome::Passed;
    for lint in &mut wasm_lints(context, toolchain) {
        if let failed @ Outcome::Failed(_) = context.check(name, lint)? {
            outcome = failed;
        }
    }
    Ok(outcome)
}

/// The exports with their tests, then those of each module that has less than all.
fn wasm_lints(context: &Context<'_>, toolchain: WasmToolchain) -> Vec<Command> {
    let without_default = ["-p", "d365-clm", "--lib", "--no-default-features", "--features"];
    if toolchain.has_clippy() {
        let mut all = toolchain.cargo(context.workspace, "clippy");
        all.args(WASM_TESTS).args(["--lib", "--", "-D", "warnings"]);
        let parts = ["wasm,package", "wasm,excel"].map(|features| {
            let mut part = toolchain.cargo(context.workspace, "clippy");
            part.args(without_default).args([features, "--", "-D", "warnings"]);
            part
        });
        return std::iter::once(all).chain(parts).collect();
    }
    // The compiler's own warnings are what is left where there is no clippy for it.
    let check = |features| {
        let mut check = toolchain.cargo(context.workspace, "rustc");
        check.args(without_default).args([features, "--profile", "check", "--", "-D", "warnings"]);
        check
    };
    ["wasm,full,excel", "wasm,package", "wasm,excel"].map(check).into()
}

/// Unit, integration and property tests, and doctests. The test runner has none and takes long to compile in this profile.
fn cargo_test(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    let mut test = cargo(context);
    test.args(["test", "--workspace", "--exclude", "wasm-test-runner", "--no-fail-fast"]);
    context.tests(name, &mut test, counts::of_libtest)
}

/// Whole lives of jobs, as many as it takes for every fault and every place of death to come 1,000 times.
fn simulation(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    let mut test = cargo(context);
    test.args([
        "test",
        "--profile",
        "simulation",
        "-p",
        "d365-clm",
        "--test",
        "simulation",
        "--",
        "seeds::",
        "--nocapture",
    ]);
    context.tests(name, test.env("D365_SEEDS", "100000"), counts::of_libtest)
}

fn mutants(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    context.tests(name, this(context)?.arg("mutants"), counts::of_libtest)
}

fn build(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    if let Some(missing) = needs_build(context) {
        return Ok(missing);
    }
    context.check(name, this(context)?.arg("build"))
}

/// Every TypeScript project of ours, each by its own tsconfig.json.
fn tsc(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    if let Err(missing) = &context.machine.npm {
        return Ok(Outcome::Missing(missing.clone()));
    }
    let projects = projects(context.workspace)?;
    let mut outcome = Outcome::Passed;
    for project in projects {
        let mut tsc = node(context, Tool::Tsc)?;
        tsc.arg("-p").arg(&project).args(["--noEmit", "--strict"]);
        if let Outcome::Failed(problem) = context.check(name, &mut tsc)? {
            let project = project.strip_prefix(context.workspace.root()).unwrap_or(&project).to_path_buf();
            outcome = Outcome::Failed(format!("{}: {problem}", project.display()));
        }
    }
    Ok(outcome)
}

/// The sandbox and the compiled quickstart, which the following stages use. No test by itself.
fn sandbox(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    context.prepare(name, &mut demo::sandbox_build(context.workspace))?;
    if needs_build(context).is_none() {
        context.prepare(name, &mut demo::quickstart_compile(context.workspace)?)?;
    }
    Ok(Outcome::Done)
}

fn wasm_in_node(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    match &context.machine.wasm {
        Err(missing) => Ok(Outcome::Missing(missing.clone())),
        Ok(toolchain) => {
            let mut test = wasm_tests(context, name, *toolchain)?;
            context.tests(name, &mut test, counts::of_libtest)
        }
    }
}

fn wasm_in_browser(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    let (toolchain, browser) = match (&context.machine.wasm, &context.machine.browser) {
        (Ok(toolchain), Ok(browser)) => (*toolchain, browser),
        (Err(missing), _) | (_, Err(missing)) => return Ok(Outcome::Missing(missing.clone())),
    };
    let folder = context.workspace.target().join("xtask");
    std::fs::create_dir_all(&folder)?;
    let capabilities = folder.join("webdriver.json");
    std::fs::write(&capabilities, webdriver_json(browser)?)?;
    let mut test = wasm_tests(context, name, toolchain)?;
    test.env("WASM_BINDGEN_USE_BROWSER", "1")
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &capabilities)
        .env("CHROMEDRIVER", &browser.chromedriver)
        .env_remove("GECKODRIVER");
    context.tests(name, &mut test, counts::of_libtest)
}

const WASM_TESTS: [&str; 6] = ["-p", "d365-clm", "--features", "wasm", "--test", "wasm"];

fn wasm_tests(context: &Context<'_>, name: &str, toolchain: WasmToolchain) -> anyhow::Result<Command> {
    context.workspace.require("tests/wasm")?;
    context.prepare(name, profile::tool_build(context.workspace).args(["-p", "wasm-test-runner"]))?;
    let mut test = toolchain.cargo(context.workspace, "test");
    test.args(WASM_TESTS).env(
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
        context.workspace.program(profile::TOOLS, "wasm-test-runner"),
    );
    Ok(test)
}

fn webdriver_json(browser: &Browser) -> anyhow::Result<String> {
    let options = serde_json::json!({
        "goog:chromeOptions": {
            "binary": browser.chromium.to_str().context("the path of Chromium is not UTF-8")?,
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        }
    });
    Ok(options.to_string())
}

fn node_test(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    if let Some(missing) = needs_build(context) {
        return Ok(missing);
    }
    let mut test = node_tests(context, "tests/js")?;
    if let Ok(toolchain) = &context.machine.wasm {
        test.env("D365_PANIC_MODULE", build::panic_module(context.workspace, *toolchain)?);
    }
    context.tests(name, &mut test, counts::of_node)
}

fn browser_test(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    if let Some(missing) = needs_build(context) {
        return Ok(missing);
    }
    let browser = match &context.machine.browser {
        Ok(browser) => browser,
        Err(missing) => return Ok(Outcome::Missing(missing.clone())),
    };
    let mut test = node_tests(context, "tests/browser")?;
    test.env("CHROMIUM", &browser.chromium);
    context.tests(name, &mut test, counts::of_node)
}

/// `node --test` over every `*.test.mjs` of a folder, named one by one: Node 20 expands no patterns.
fn node_tests(context: &Context<'_>, folder: &str) -> anyhow::Result<Command> {
    let workspace = context.workspace;
    anyhow::ensure!(
        workspace.pkg().join("package.json").is_file(),
        "there is no pkg/: the stage build failed"
    );
    let files = files(&workspace.require(folder)?, ".test.mjs")?;
    anyhow::ensure!(!files.is_empty(), "{folder} has no *.test.mjs");
    let mut test = command("node", workspace.root());
    test.args(["--test", "--test-reporter=spec", "--test-reporter-destination=stdout"])
        .args(files)
        .env("D365_SANDBOX_BIN", demo::sandbox_program(workspace)?)
        .env("D365_AZURITE", workspace.tool(Tool::Azurite)?);
    Ok(test)
}

/// Each fuzz target for some seconds, with new inputs every time. That the targets hold over their seeds is a part of `cargo
/// test`, which needs no fuzzer; so a machine without one lacks nothing that was ever found.
fn fuzz(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    let is_there =
        || cargo(context).args(["fuzz", "--version"]).output().is_ok_and(|said| said.status.success());
    if !is_there() {
        if !setup::in_ci() {
            return Ok(Outcome::Skipped("no cargo-fuzz (cargo install cargo-fuzz)".to_owned()));
        }
        context.prepare(name, cargo(context).args(["install", "cargo-fuzz", "--locked"]))?;
    }
    let seconds = std::env::var("FUZZ_SECONDS").unwrap_or_else(|_| "5".to_owned());
    let mut outcome = Outcome::Passed;
    for source in files(&context.workspace.require("fuzz/fuzz_targets")?, ".rs")? {
        let target = source.file_stem().and_then(|stem| stem.to_str()).context("a target without a name")?;
        let corpus = context.workspace.target().join("fuzz-corpus").join(target);
        let crashes = context.workspace.target().join("fuzz-crashes").join(target);
        std::fs::create_dir_all(&corpus)?;
        std::fs::create_dir_all(&crashes)?;
        let mut run = cargo(context);
        // The sanitizer is not stable yet; the ordinary compiler has it all the same.
        run.env("RUSTC_BOOTSTRAP", "1").args(["fuzz", "run", target, "--target-dir"]);
        run.arg(context.workspace.target().join("fuzz")).arg(corpus).arg(format!("fuzz/seeds/{target}"));
        run.args(["--", "-max_len=6000"]).arg(format!("-max_total_time={seconds}"));
        run.arg(format!("-artifact_prefix={}/", crashes.display()));
        if let Outcome::Failed(problem) = context.check(name, &mut run)? {
            outcome = Outcome::Failed(format!("{target}: {problem}"));
        }
    }
    Ok(outcome)
}

/// The memory of the module while a large package is written and read: at most 48 MiB.
fn memory(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    if let Some(missing) = needs_build(context) {
        return Ok(missing);
    }
    let mut node = command("node", context.workspace.root());
    node.arg(context.workspace.require("benches/memory.mjs")?)
        .args(if context.soak { SOAK } else { WATCHED })
        .args(["--limit-mib", "48"]);
    context.check(name, &mut node)
}

/// A tenth of the benches: they work, and their outputs are right. Their figures are shown and judge nothing here.
fn bench(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    if let Some(missing) = needs_build(context) {
        return Ok(missing);
    }
    let mut node = command("node", context.workspace.root());
    node.arg(context.workspace.require("benches/run.mjs")?).args(["--quick", "--rounds", "1"]);
    context.check(name, &mut node)
}

fn run_demo(context: &Context<'_>, name: &str) -> anyhow::Result<Outcome> {
    if let Some(missing) = needs_build(context) {
        return Ok(missing);
    }
    context.check(name, this(context)?.arg("demo"))
}

fn needs_build(context: &Context<'_>) -> Option<Outcome> {
    let machine = &context.machine;
    let missing = machine.npm.as_ref().err().or(machine.wasm.as_ref().err());
    missing.map(|missing| Outcome::Missing(missing.clone()))
}

fn cargo(context: &Context<'_>) -> Command {
    command("cargo", context.workspace.root())
}

/// This program again, so that a command is tested as a person runs it.
fn this(context: &Context<'_>) -> anyhow::Result<Command> {
    Ok(command(&context.program, context.workspace.root()))
}

fn node(context: &Context<'_>, tool: Tool) -> anyhow::Result<Command> {
    let mut node = command("node", context.workspace.root());
    node.arg(context.workspace.tool(tool)?);
    Ok(node)
}

/// The tsconfig.json of the package, of each example and of each folder of tests.
fn projects(workspace: &Workspace) -> anyhow::Result<Vec<PathBuf>> {
    let mut projects = vec![
        workspace.require("pkg-template/tsconfig.json")?,
        workspace.require("examples/node-quickstart/tsconfig.json")?,
        workspace.require("www/tsconfig.json")?,
    ];
    for parent in ["examples", "tests"] {
        let parent = workspace.require(parent)?;
        let mut folders = vec![parent.clone()];
        for entry in parent.read_dir()? {
            folders.push(entry?.path());
        }
        projects.extend(
            folders.into_iter().map(|folder| folder.join("tsconfig.json")).filter(|file| file.is_file()),
        );
    }
    projects.sort();
    projects.dedup();
    Ok(projects)
}

fn files(folder: &Path, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(ending)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
