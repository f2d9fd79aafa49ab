//! Packages of the operating system: `system-packages.txt`, and `apt-get` where we are root.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::process::{command, run, run_captured};
use crate::say;
use crate::workspace::Workspace;

const LIST: &str = "xtask/system-packages.txt";

/// The list, as read.
pub(super) struct Packages(Vec<Package>);

#[derive(Debug, PartialEq)]
struct Package {
    part: String,
    name: String,
    /// A program to be found on PATH, or `dpkg`: the package itself is asked for.
    shown_by: String,
}

impl Package {
    fn is_there(&self) -> bool {
        match self.shown_by.as_str() {
            "dpkg" => run_captured(command("dpkg-query", Path::new("/")).args([
                "-W",
                "-f",
                "${Status}",
                &self.name,
            ]))
            .is_ok_and(|status| status == "install ok installed"),
            program => find_program(program).is_some(),
        }
    }
}

impl Packages {
    pub(super) fn read(workspace: &Workspace) -> anyhow::Result<Packages> {
        let text = std::fs::read_to_string(workspace.require(LIST)?)?;
        parse(&text).with_context(|| format!("{LIST} is not as its first lines say"))
    }

    /// Installs what the part lacks when we are root on a Debian; otherwise an error that says what to run.
    pub(super) fn install(&self, part: &str) -> anyhow::Result<()> {
        let missing: Vec<&str> = self
            .0
            .iter()
            .filter(|package| package.part == part && !package.is_there())
            .map(|package| package.name.as_str())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let line = format!("apt-get update && apt-get install -y {}", missing.join(" "));
        ensure!(
            find_program("apt-get").is_some(),
            "no apt-get here; install what these Debian packages hold: {}",
            missing.join(" ")
        );
        ensure!(is_root()?, "only root may install it: sudo sh -c '{line}'");
        say!("{part:<12} missing: {line}");
        for (attempt, pause) in [(1, 10), (2, 20), (3, 0)] {
            match install(&missing) {
                Ok(()) => return Ok(()),
                Err(e) => say!("{part:<12} try {attempt} of 3: {e:#}"),
            }
            std::thread::sleep(Duration::from_secs(pause));
        }
        bail!("`{line}` failed three times; see what it says above")
    }
}

fn install(packages: &[&str]) -> anyhow::Result<()> {
    let folder = Path::new("/");
    let mut update = command("apt-get", folder);
    update.args(["update", "-q"]);
    let mut install = command("apt-get", folder);
    install.args(["install", "-q", "-y", "--no-install-recommends"]).args(packages);
    for step in [&mut update, &mut install] {
        run(step.env("DEBIAN_FRONTEND", "noninteractive").stdout(std::process::Stdio::null()))?;
    }
    Ok(())
}

fn parse(text: &str) -> anyhow::Result<Packages> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(index, line)| match *line.split_whitespace().collect::<Vec<_>>() {
            [part, name, shown_by] => {
                Ok(Package { part: part.to_owned(), name: name.to_owned(), shown_by: shown_by.to_owned() })
            }
            _ => bail!("line {}: three words expected, found {line:?}", index + 1),
        })
        .collect::<anyhow::Result<_>>()
        .map(Packages)
}

/// The first program of that name on PATH.
pub(super) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).map(|folder| folder.join(&file)).find(|candidate| candidate.is_file())
}

fn is_root() -> anyhow::Result<bool> {
    Ok(run_captured(command("id", Path::new("/")).arg("-u"))? == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_line_by_line() {
        let Packages(packages) = parse("# comment\n\nbrowser  chromium-driver   chromedriver\n").unwrap();
        assert_eq!(
            packages,
            [Package {
                part: "browser".into(),
                name: "chromium-driver".into(),
                shown_by: "chromedriver".into()
            }]
        );
    }

    #[test]
    fn a_line_with_a_word_too_few_is_named() {
        let error = parse("browser chromium chromium\nbrowser chromium\n").err().unwrap();
        assert_eq!(error.to_string(), "line 2: three words expected, found \"browser chromium\"");
    }

    #[test]
    fn the_committed_list_names_the_browser_and_its_driver() {
        let Packages(packages) = parse(include_str!("../../system-packages.txt")).unwrap();
        let browser: Vec<_> =
            packages.iter().filter(|p| p.part == "browser").map(|p| p.name.as_str()).collect();
        assert_eq!(browser, ["chromium", "chromium-driver"]);
    }
}
