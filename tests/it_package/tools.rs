//! Programs of the system, and a folder to hand them files in.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A new folder, removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("d365-clm-package-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether the program is there; says so where it is not.
pub(crate) fn has(program: &str, version_argument: &str) -> bool {
    if Command::new(program).arg(version_argument).output().is_ok() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{program} is missing");
    println!("skipped: {program} is missing");
    false
}

/// 7-Zip, which has another name in each package of it.
pub(crate) fn seven_zip() -> Option<&'static str> {
    let names = ["7zz", "7z", "7za"];
    let found = names.into_iter().find(|name| Command::new(name).arg("i").output().is_ok());
    if found.is_none() {
        has("7zz", "i");
    }
    found
}

/// Runs a Python script and returns what it printed.
pub(crate) fn python(script: &str, arguments: &[&Path]) -> String {
    run(Command::new("python3").arg("-c").arg(script).args(arguments))
}

/// A command in that folder, with names in UTF-8.
pub(crate) fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("LC_ALL", "C.UTF-8");
    command
}

pub(crate) fn run(command: &mut Command) -> String {
    String::from_utf8_lossy(&run_for_bytes(command)).into_owned()
}

/// What the program wrote to its standard output.
pub(crate) fn run_for_bytes(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}\n{}{}", text(&output.stdout), text(&output.stderr));
    output.stdout
}
