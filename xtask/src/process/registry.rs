//! What must be gone when we are gone, and the signal handler that sees to it.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::group;

/// How long a child may take to end by itself after the polite signal.
const GRACE: Duration = Duration::from_secs(5);

struct Registry {
    groups: Vec<u32>,
    folders: Vec<PathBuf>,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { groups: Vec::new(), folders: Vec::new() });

/// From now on SIGINT (Ctrl-C), SIGTERM and SIGHUP end all children, remove all temporary folders and exit with code 130.
pub(crate) fn end_everything_on_signal() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        // The lock is kept until the process is gone, so nothing new can be started in the meantime.
        let registry = lock();
        eprintln!("\ninterrupted: ending {} child process(es)", registry.groups.len());
        end_all(&registry.groups);
        for folder in &registry.folders {
            let _ = std::fs::remove_dir_all(folder);
        }
        std::process::exit(130);
    })
    .context("the handler for Ctrl-C could not be set")
}

/// Starts a child as the leader of a new, registered process group.
pub(super) fn spawn(command: &mut Command) -> std::io::Result<Child> {
    group::lead_own_group(command);
    // Registered under the same lock: a signal finds either no child or a known one.
    let mut registry = lock();
    let child = command.spawn()?;
    registry.groups.push(child.id());
    Ok(child)
}

/// The leader has been waited for. Whatever it left behind is killed; true when there was something.
pub(super) fn forget(group: u32) -> bool {
    let left_behind = group::exists(group) && {
        // Helpers of a process that has just ended are often about to end too.
        !wait_until_gone(&[group], Duration::from_millis(500))
    };
    if left_behind {
        group::kill(group);
    }
    lock().groups.retain(|known| *known != group);
    left_behind
}

/// Ends one group: asks, waits, kills.
pub(super) fn end(group: u32) {
    end_all(&[group]);
}

pub(super) fn add_folder(folder: PathBuf) {
    lock().folders.push(folder);
}

pub(super) fn forget_folder(folder: &PathBuf) {
    lock().folders.retain(|known| known != folder);
}

fn end_all(groups: &[u32]) {
    for group in groups {
        group::ask_to_end(*group);
    }
    if !wait_until_gone(groups, GRACE) {
        for group in groups {
            group::kill(*group);
        }
        wait_until_gone(groups, Duration::from_secs(2));
    }
}

fn wait_until_gone(groups: &[u32], limit: Duration) -> bool {
    let start = Instant::now();
    loop {
        for group in groups {
            group::reap(*group);
        }
        if !groups.iter().any(|group| group::exists(*group)) {
            return true;
        }
        if start.elapsed() >= limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn lock() -> MutexGuard<'static, Registry> {
    // A panic elsewhere must not keep us from ending the children.
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}
