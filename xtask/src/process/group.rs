//! Signals to a process group, by the number of the process that leads it.

#[cfg(unix)]
mod imp {
    use nix::sys::signal::{Signal, killpg};
    use nix::sys::wait::{WaitPidFlag, waitpid};
    use nix::unistd::Pid;

    fn pid(group: u32) -> Option<Pid> {
        // 0 and 1 would mean our own group and everything; neither is ever the group of a child.
        i32::try_from(group).ok().filter(|id| *id > 1).map(Pid::from_raw)
    }

    pub(crate) fn ask_to_end(group: u32) {
        if let Some(pid) = pid(group) {
            let _ = killpg(pid, Signal::SIGTERM);
        }
    }

    pub(crate) fn kill(group: u32) {
        if let Some(pid) = pid(group) {
            let _ = killpg(pid, Signal::SIGKILL);
        }
    }

    /// A process that has ended but was not waited for does not count: in a container it may never be.
    pub(crate) fn exists(group: u32) -> bool {
        pid(group).is_some_and(|pid| killpg(pid, None).is_ok()) && has_running_member(group).unwrap_or(true)
    }

    /// None where there is no /proc to ask.
    fn has_running_member(group: u32) -> Option<bool> {
        let running = std::fs::read_dir("/proc").ok()?.flatten().any(|process| {
            let stat = std::fs::read_to_string(process.path().join("stat")).unwrap_or_default();
            // "PID (any name) STATE PARENT GROUP …"
            let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
            let state = fields.next();
            fields.nth(1) == Some(group.to_string().as_str()) && state != Some("Z")
        });
        // A /proc that shows nothing at all (FreeBSD mounts none) is no answer.
        std::path::Path::new("/proc/self/stat").exists().then_some(running)
    }

    /// Where there is no /proc, an ended leader that nobody waited for would count as existing for ever.
    pub(crate) fn reap(group: u32) {
        if let Some(pid) = pid(group) {
            let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
        }
    }

    pub(crate) fn lead_own_group(command: &mut std::process::Command) {
        use std::os::unix::process::CommandExt as _;
        command.process_group(0);
    }
}

#[cfg(not(unix))]
mod imp {
    //! Windows knows no process groups; its own tool ends a process with its descendants. Not tried by our tests.
    use std::process::{Command, Stdio};

    pub(crate) fn ask_to_end(group: u32) {
        kill(group);
    }

    pub(crate) fn kill(group: u32) {
        let _ = Command::new("taskkill")
            .args(["/T", "/F", "/PID", &group.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }

    pub(crate) fn exists(_group: u32) -> bool {
        false
    }

    pub(crate) fn reap(_group: u32) {}

    pub(crate) fn lead_own_group(_command: &mut Command) {}
}

pub(crate) use imp::{ask_to_end, exists, kill, lead_own_group, reap};
