//! `cargo xtask mutants`: does the simulation notice what it is there for?
//!
//! A copy of the library gets all mutants at once, each asleep until `D365_MUTANT` names it, so one build is enough and no switch is
//! in the published crate. Each must die within 10,000 seeds; the copy without any must live.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::process::command;
use crate::say;
use crate::workspace::Workspace;

const SEEDS: &str = "10000";
/// A mutant that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// A mistake that somebody might make.
struct Mutant {
    name: &'static str,
    file: &'static str,
    /// Text that is there once …
    right: &'static str,
    /// … and what is there in its place; `ON` stands for "this mutant is awake".
    wrong: &'static str,
}

const MUTANTS: [Mutant; 14] = [
    Mutant {
        name: "checkpoint-after-submit",
        file: "src/dmf/import.rs",
        right: "                    self.state = State::Marking(url);\n",
        wrong: "                    if ON { self.state = State::Submit(url); continue; }\n                    self.state = State::Marking(url);\n",
    },
    Mutant {
        name: "resubmit-on-time-out",
        file: "src/dmf/run.rs",
        right: "let call = Call::new(service, request, Repeat::IfUnprocessed);",
        wrong: "let call = Call::new(service, request, if ON { Repeat::Always } else { Repeat::IfUnprocessed });",
    },
    Mutant {
        name: "resubmit-when-unknown",
        file: "src/dmf/import.rs",
        right: "if unknown && self.options.resubmit && !self.resubmitted {",
        wrong: "if unknown && (ON || self.options.resubmit) && !self.resubmitted {",
    },
    Mutant {
        name: "resume-submits-again",
        file: "src/dmf/import.rs",
        right: "Stage::Submitting | Stage::Running => State::Resume,",
        wrong: "Stage::Submitting if ON && has_source => State::Upload,\n            Stage::Submitting | Stage::Running => State::Resume,",
    },
    Mutant {
        name: "lease-ignored",
        file: "src/dmf/lease.rs",
        right: "        match std::mem::replace(&mut self.state, State::Free) {\n            State::Pause(until) if now < until => {",
        wrong: "        if ON && !self.is_leaving() { self.state = State::Held; self.until = now.plus(self.length); return Polled::Ready(Ok(())); }\n        match std::mem::replace(&mut self.state, State::Free) {\n            State::Pause(until) if now < until => {",
    },
    Mutant {
        name: "lease-not-fenced",
        file: "src/dmf/lease.rs",
        right: "(State::Taking, Input::StoreConflict) => self.pause(now),",
        wrong: "(State::Taking, Input::StoreConflict) if ON => State::Held,\n            (State::Taking, Input::StoreConflict) => self.pause(now),",
    },
    Mutant {
        name: "lease-of-another-process-given-back",
        file: "src/dmf/lease.rs",
        right: "let own = matches!(self.state, State::Held) && !self.taken_over;",
        wrong: "let own = matches!(self.state, State::Held) && (ON || !self.taken_over);",
    },
    Mutant {
        name: "conflict-of-checkpoints-ignored",
        file: "src/dmf/import.rs",
        right: "(State::Marking(url), Input::Saved) => State::Submit(url),",
        wrong: "(State::Marking(url), Input::SaveRefused(_)) if ON => State::Submit(url),\n            (State::Marking(url), Input::Saved) => State::Submit(url),",
    },
    Mutant {
        name: "purged-400-read-as-pending",
        file: "src/dmf/run.rs",
        right: "Err(failure) if failure.error.status == Some(400) => {\n",
        wrong: "Err(failure) if failure.error.status == Some(400) => {\n                if ON { self.state = State::Wait; return Ok(()); }\n",
    },
    Mutant {
        name: "401-retried-forever",
        file: "src/http/exchange.rs",
        right: "response.is_sign_in() && !self.renewed {",
        wrong: "response.is_sign_in() && (ON || !self.renewed) {",
    },
    Mutant {
        name: "no-grace-for-a-late-record",
        file: "src/dmf/run.rs",
        right: "                        if now >= until {\n",
        wrong: "                        if ON || now >= until {\n",
    },
    Mutant {
        name: "silence-read-as-no",
        file: "src/dmf/run.rs",
        right: "return RunStep::Failed(found.err().unwrap_or_else(|| self.never_found(reason)));",
        wrong: "return RunStep::Failed(found.err().filter(|_| !ON).unwrap_or_else(|| self.never_found(reason)));",
    },
    Mutant {
        name: "signature-in-an-error",
        file: "src/http/redact.rs",
        right: "    let url = url.split('#').next().unwrap_or_default();\n",
        wrong: "    if ON { return url.to_owned(); }\n    let url = url.split('#').next().unwrap_or_default();\n",
    },
    Mutant {
        name: "token-in-an-event",
        file: "src/http/exchange.rs",
        right: "            session.reject_token();\n            return;",
        wrong: "            if ON { if let State::Tell { event, .. } = &mut self.state { *event = Event::Job { stage: \"eyJ0b2tlbiI6InRoYXQgbm9ib2R5IG1heSBzZWUgYW55d2hlcmUifQ\", status: None, progress: None }; } }\n            session.reject_token();\n            return;",
    },
];

pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let copy = workspace.out("mutants");
    make_copy(workspace, &copy)?;
    let program = build(workspace, &copy)?;
    ensure!(
        lives(&program, "")?.is_none(),
        "the copy without a mutant fails: run cargo test --profile simulation --test simulation"
    );
    let mut alive = Vec::new();
    for mutant in &MUTANTS {
        match lives(&program, mutant.name)? {
            Some(reason) => say!("  dead   {}: {reason}", mutant.name),
            None => {
                say!("  ALIVE  {}", mutant.name);
                alive.push(mutant.name);
            }
        }
    }
    ensure!(alive.is_empty(), "alive after {SEEDS} seeds: {}", alive.join(", "));
    say!(
        "test result: ok. {} passed; 0 failed; 0 ignored; each mutant died within {SEEDS} seeds",
        MUTANTS.len()
    );
    Ok(())
}

/// The library and its native tests, with every mutant in them.
fn make_copy(workspace: &Workspace, copy: &Path) -> anyhow::Result<()> {
    if copy.exists() {
        std::fs::remove_dir_all(copy)?;
    }
    for folder in ["src", "crates", "tests", "fuzz/seeds"] {
        copy_folder(&workspace.require(folder)?, &copy.join(folder))?;
    }
    for file in ["Cargo.lock", "README.md"] {
        std::fs::copy(workspace.require(file)?, copy.join(file))?;
    }
    let manifest = std::fs::read_to_string(workspace.require("Cargo.toml")?)?;
    let members = manifest.lines().find(|line| line.starts_with("members = ")).context("no members")?;
    // Under another version, so that what is compiled of it never takes the place of the library's own.
    let manifest = manifest.replacen(members, "members = [\"crates/text\"]", 1).replacen(
        "\nversion.workspace = true",
        "\nversion = \"0.0.1\"",
        1,
    );
    std::fs::write(copy.join("Cargo.toml"), manifest)?;
    for mutant in &MUTANTS {
        let path = copy.join(mutant.file);
        let text = std::fs::read_to_string(&path)?;
        let found = text.matches(mutant.right).count();
        ensure!(found == 1, "{}: its text is {found} times in {}", mutant.name, mutant.file);
        let awake = format!("crate::mutants::is_awake({:?})", mutant.name);
        std::fs::write(path, text.replacen(mutant.right, &mutant.wrong.replace("ON", &awake), 1))?;
    }
    let library = copy.join("src/lib.rs");
    let text = std::fs::read_to_string(&library)?;
    std::fs::write(library, text + SWITCH)?;
    Ok(())
}

const SWITCH: &str = r#"
/// Which mutant is awake.
pub mod mutants {
    /// Whether it is this one.
    pub fn is_awake(name: &str) -> bool {
        static AWAKE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        AWAKE.get_or_init(|| std::env::var("D365_MUTANT").unwrap_or_default()) == name
    }
}
"#;

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The test program of the copy.
fn build(workspace: &Workspace, copy: &Path) -> anyhow::Result<PathBuf> {
    let mut cargo = command("cargo", copy);
    cargo.args(["test", "--profile", "simulation", "-p", "d365-clm", "--test", "simulation", "--no-run"]);
    cargo.args(["--message-format", "json"]).env("CARGO_TARGET_DIR", workspace.target());
    let said = cargo.output()?;
    if !said.status.success() {
        bail!("the copy does not compile:\n{}", String::from_utf8_lossy(&said.stderr));
    }
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let program = text.lines().filter(|line| line.contains(r#""name":"simulation""#)).find_map(|line| {
        let (_, rest) = line.split_once(r#""executable":""#)?;
        rest.split('"').next().map(PathBuf::from)
    });
    program.context("cargo named no test program")
}

/// What it died of; none: it lives.
fn lives(program: &Path, mutant: &str) -> anyhow::Result<Option<String>> {
    let mut test = command(program, program.parent().context("a program without a folder")?);
    test.args(["seeds::", "--nocapture"]).env("D365_MUTANT", mutant).env("D365_SEEDS", SEEDS);
    test.env_remove("D365_SEED").env_remove("RUST_BACKTRACE").stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = test.spawn()?;
    let began = Instant::now();
    while child.try_wait()?.is_none() {
        if began.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            bail!("{mutant}: neither dead nor at the end after {} minutes", LIMIT.as_secs() / 60);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let said = child.wait_with_output()?;
    if said.status.success() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&said.stderr);
    let reason =
        text.lines().find(|line| line.starts_with("seed ")).map(|line| line.chars().take(120).collect());
    reason.map(Some).with_context(|| format!("{mutant}: the test program broke down:\n{text}"))
}
