//! What a stage is given and how it ends; the ways of running a command in it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::counts::Counts;
use crate::process::{Ended, Running};
use crate::setup::Machine;
use crate::workspace::Workspace;

/// A stage that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(25 * 60);

/// How a stage ended.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// Work that counts as no test when it succeeds.
    Done,
    /// Counts as one test.
    Passed,
    /// Counts as one test, with the reason.
    Failed(String),
    /// Tests of its own; `problem` tells what else was wrong.
    Tests { counts: Counts, problem: Option<String> },
    /// What it needs is not on this machine: skipped, and a failure in CI.
    Missing(String),
    /// It does not apply here: skipped, in CI too.
    Skipped(String),
}

pub(super) struct Context<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) machine: Machine,
    /// This program. Asked for at the start: `cargo test` may put a newly linked one in its place, and a running program that was
    /// replaced no longer knows where it is.
    pub(super) program: PathBuf,
    /// What takes long is done at its full size.
    pub(super) soak: bool,
    logs: PathBuf,
}

impl<'a> Context<'a> {
    pub(super) fn new(workspace: &'a Workspace, machine: Machine, soak: bool) -> anyhow::Result<Context<'a>> {
        let logs = workspace.out("test-logs");
        if logs.exists() {
            std::fs::remove_dir_all(&logs)
                .with_context(|| format!("{} could not be emptied", logs.display()))?;
        }
        std::fs::create_dir_all(&logs)?;
        Ok(Context { workspace, machine, program: std::env::current_exe()?, soak, logs })
    }

    /// A check: it passed when the command succeeded.
    pub(super) fn check(&self, name: &str, command: &mut Command) -> anyhow::Result<Outcome> {
        let finished = self.run(name, command)?;
        Ok(match finished.problem() {
            None => Outcome::Passed,
            Some(problem) => Outcome::Failed(problem),
        })
    }

    /// A test program: its own counts are the result. None run, or a bad end without a failed test, is a failure too.
    pub(super) fn tests(
        &self,
        name: &str,
        command: &mut Command,
        count: fn(&str) -> Counts,
    ) -> anyhow::Result<Outcome> {
        let finished = self.run(name, command)?;
        Ok(judge(count(&finished.output), finished.problem()))
    }

    /// Work that the stage needs done before its own command; an error when it fails.
    pub(super) fn prepare(&self, name: &str, command: &mut Command) -> anyhow::Result<()> {
        match self.run(name, command)?.problem() {
            None => Ok(()),
            Some(problem) => bail!("{problem}"),
        }
    }

    /// Runs a command with all its output in the stage's log; when it fails, the end of that is shown too.
    fn run(&self, name: &str, command: &mut Command) -> anyhow::Result<Finished> {
        let log = self.logs.join(format!("{}.log", file_name(name)));
        let file = File::options().create(true).append(true).open(&log)?;
        command.stdout(file.try_clone()?).stderr(file);
        let ended = Running::start(command)?.wait(Some(LIMIT))?;
        let output = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
        let finished = Finished { ended, output, log };
        if finished.problem().is_some() {
            show_end(&finished.output, &finished.log);
        }
        Ok(finished)
    }
}

struct Finished {
    ended: Ended,
    output: String,
    log: PathBuf,
}

impl Finished {
    fn problem(&self) -> Option<String> {
        let log = self.log.display();
        if !self.ended.success() {
            Some(format!("{}; see {log}", self.ended))
        } else if self.ended.left_behind {
            Some(format!("a process was left behind (it has been ended now); see {log}"))
        } else {
            None
        }
    }
}

fn judge(counts: Counts, problem: Option<String>) -> Outcome {
    let problem = problem.or_else(|| {
        let nothing = counts == Counts::default();
        nothing.then(|| "no test was run".to_owned())
    });
    Outcome::Tests { counts, problem }
}

/// Lines of a failed stage that are shown.
const SHOWN_LINES: usize = 120;

fn show_end(output: &str, log: &Path) {
    let lines: Vec<&str> = output.lines().collect();
    let shown = lines.get(lines.len().saturating_sub(SHOWN_LINES)..).unwrap_or_default();
    println!("──── the last {} lines of {}", shown.len(), log.display());
    for line in shown {
        println!("    {line}");
    }
    println!("────");
}

fn file_name(stage: &str) -> String {
    stage.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_ran_nothing_are_no_success() {
        let outcome = judge(Counts::default(), None);
        assert_eq!(
            outcome,
            Outcome::Tests { counts: Counts::default(), problem: Some("no test was run".into()) }
        );
    }

    #[test]
    fn counts_come_with_the_problem_of_the_command() {
        let counts = Counts { passed: 3, failed: 0, skipped: 0 };
        assert_eq!(judge(counts, None), Outcome::Tests { counts, problem: None });
        let outcome = judge(counts, Some("exit status: 101".into()));
        assert_eq!(outcome, Outcome::Tests { counts, problem: Some("exit status: 101".into()) });
    }

    #[test]
    fn logs_have_plain_names() {
        assert_eq!(file_name("clippy (wasm32)"), "clippy--wasm32-");
    }
}
