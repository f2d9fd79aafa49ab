//! A folder that is removed with us.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::registry;

/// A new, empty folder under the system's folder for temporary files; removed when dropped and on a signal.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    /// `name` only helps a person who looks at the list of such folders.
    pub(crate) fn new(name: &str) -> anyhow::Result<TempDir> {
        let parent = std::env::temp_dir();
        for attempt in 0..1000_u32 {
            let path = parent.join(format!("{name}-{}-{attempt}", std::process::id()));
            match std::fs::create_dir(&path) {
                Ok(()) => {
                    registry::add_folder(path.clone());
                    return Ok(TempDir(path));
                }
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => {
                    return Err(e).with_context(|| format!("no folder could be made at {}", path.display()));
                }
            }
        }
        anyhow::bail!("{} is full of folders named {name}-…; remove them", parent.display())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
        registry::forget_folder(&self.0);
    }
}
