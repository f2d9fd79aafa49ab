//! The sandbox as a child: started, ready, stopped.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::process::{Running, command};
use crate::workspace::{Tool, Workspace};

/// Loading the seed data takes some seconds.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// A running sandbox with its storage. It ends with us, whatever happens to us: it watches the pipe that is its input.
pub(crate) struct Sandbox {
    child: Running,
    input: ChildStdin,
    ready: String,
    log: PathBuf,
}

impl Sandbox {
    pub(crate) fn start(
        workspace: &Workspace,
        program: &Path,
        seed: Option<&Path>,
    ) -> anyhow::Result<Sandbox> {
        let folder = workspace.out("demo");
        std::fs::create_dir_all(&folder)?;
        let log = folder.join("sandbox.log");
        let mut serve = command(program, workspace.root());
        serve.args(["serve", "--exit-with-stdin", "--azurite"]).arg(workspace.tool(Tool::Azurite)?);
        if let Some(seed) = seed {
            serve.arg("--seed").arg(seed);
        }
        serve.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut child = Running::start(&mut serve)?;
        let input = child.take_stdin().context("the input of the sandbox is not piped")?;
        let output = child.take_stdout().context("the output of the sandbox is not piped")?;
        let ready = ready_line(BufReader::new(output)).with_context(|| {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            format!(
                "the sandbox did not start; the end of its log {}:\n{}",
                log.display(),
                last_lines(&text, 20)
            )
        })?;
        Ok(Sandbox { child, input, ready, log })
    }

    /// The JSON line by which it says where it is and how to sign in. Holds secrets (of this sandbox only).
    pub(crate) fn ready_line(&self) -> &str {
        &self.ready
    }

    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Closes its input, after which it ends by itself.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        let Sandbox { mut child, input, .. } = self;
        drop(input);
        let ended = child.wait(Some(Duration::from_secs(15)))?;
        if !ended.success() {
            bail!("the sandbox ended badly when it was told to stop ({ended})");
        }
        if ended.left_behind {
            bail!("the sandbox left a process behind (it has been ended now)");
        }
        Ok(())
    }
}

/// Waits for the first line with a limit. The thread ends with the line, or with the sandbox.
fn ready_line(mut output: BufReader<std::process::ChildStdout>) -> anyhow::Result<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = output.read_line(&mut line).map(|_| line);
        if sender.send(read).is_ok() {
            // Whatever else it may print must not fill the pipe.
            let _ = std::io::copy(&mut output, &mut std::io::sink());
        }
    });
    let line = receiver.recv_timeout(READY_WITHIN).context("no ready line within two minutes")??;
    let is_object = serde_json::from_str::<Value>(&line).is_ok_and(|value| value.is_object());
    // The text itself may hold secrets and is not shown.
    anyhow::ensure!(
        is_object,
        "its first line is not the JSON object that it should be ({} bytes)",
        line.len()
    );
    Ok(line.trim().to_owned())
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(count)..).unwrap_or_default().join("\n")
}
