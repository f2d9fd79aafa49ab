//! Starting a child, waiting for it, and being sure that it is gone.

use std::fmt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::registry;

/// A command without input, in the given folder.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs a command to its end with our own output; an error names it when it fails.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let mut child = Running::start(command)?;
    let ended = child.wait(None)?;
    if !ended.success() {
        bail!("`{}` failed ({ended})", Shown(command));
    }
    Ok(())
}

/// Runs a command and hands back what it wrote to stdout, without the white space around it.
pub(crate) fn run_captured(command: &mut Command) -> anyhow::Result<String> {
    let shown = Shown(command).to_string();
    let output = command.output().with_context(|| format!("`{shown}` could not be started"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A child that runs. Dropping it ends it and everything that it started.
pub(crate) struct Running {
    child: Child,
    shown: String,
    done: bool,
}

/// How a child ended.
pub(crate) struct Ended {
    /// None: it did not end within the limit and was ended by us.
    pub(crate) status: Option<ExitStatus>,
    /// It ended but left processes of its own behind, which were killed.
    pub(crate) left_behind: bool,
}

impl Ended {
    pub(crate) fn success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{status}"),
            None => write!(f, "ended by us after its time limit"),
        }
    }
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Running> {
        let shown = Shown(command).to_string();
        let child = registry::spawn(command).with_context(|| format!("`{shown}` could not be started"))?;
        Ok(Running { child, shown, done: false })
    }

    /// The writing end of the child's input, when it was asked for as a pipe.
    pub(crate) fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// The reading end of the child's output, when it was asked for as a pipe.
    pub(crate) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits; with a limit, ends the child when it takes longer.
    pub(crate) fn wait(&mut self, limit: Option<Duration>) -> anyhow::Result<Ended> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(2);
        loop {
            let ended = self.child.try_wait().with_context(|| format!("lost sight of `{}`", self.shown))?;
            if let Some(status) = ended {
                self.done = true;
                let left_behind = registry::forget(self.child.id());
                return Ok(Ended { status: Some(status), left_behind });
            }
            if limit.is_some_and(|limit| start.elapsed() >= limit) {
                self.end();
                return Ok(Ended { status: None, left_behind: false });
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    /// Asks the child and its descendants to end, and kills what does not within five seconds.
    fn end(&mut self) {
        self.done = true;
        registry::end(self.child.id());
        let _ = self.child.wait();
        registry::forget(self.child.id());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.done {
            self.end();
        }
    }
}

/// A command line as a person would type it: program and arguments, never the environment, which may hold secrets.
struct Shown<'a>(&'a Command);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Path::new(self.0.get_program()).display())?;
        self.0.get_args().try_for_each(|argument| write!(f, " {}", argument.to_string_lossy()))
    }
}
