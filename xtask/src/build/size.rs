//! How large the parts are that a host downloads.

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::wasm::MODULES;
use crate::say;

/// Prints raw and gzipped (level 9) sizes of each module, with its budget, and of all JavaScript together.
pub(super) fn report(package: &Path) -> anyhow::Result<()> {
    let dist = package.join("dist");
    for module in &MODULES {
        let name = module.wasm();
        let bytes = std::fs::read(dist.join(&name))?;
        let gzipped = gzipped(&bytes)?;
        let over = if gzipped > module.budget { ": TOO LARGE" } else { "" };
        print(&name, &bytes, gzipped, &format!(" of {} at most{over}", module.budget));
    }
    let mut scripts = Vec::new();
    collect_scripts(&dist, &mut scripts)?;
    print("JavaScript", &scripts, gzipped(&scripts)?, "");
    Ok(())
}

fn print(name: &str, bytes: &[u8], gzipped: usize, note: &str) {
    say!("pkg          {name:<12} {:>9} bytes, {gzipped:>9} gzipped{note}", bytes.len());
}

/// A module in the clothes of a script.
const INLINE: &str = "inline-core.js";

fn collect_scripts(folder: &Path, scripts: &mut Vec<u8>) -> anyhow::Result<()> {
    let mut entries = folder.read_dir()?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            collect_scripts(&path, scripts)?;
        } else if path.extension().is_some_and(|extension| extension == "js") && !path.ends_with(INLINE) {
            scripts.extend(std::fs::read(&path)?);
        }
    }
    Ok(())
}

fn gzipped(bytes: &[u8]) -> anyhow::Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}
