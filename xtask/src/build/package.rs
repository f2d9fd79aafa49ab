//! `pkg/`, as it is published: compiled TypeScript around the modules, package.json with the workspace's version, the papers.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::wasm::MODULES;
use crate::process::{command, run};
use crate::say;
use crate::workspace::{Tool, Workspace};

/// Fills `pkg/` anew, with the modules of that folder, and links it to where Node finds it by its name.
pub(super) fn assemble(workspace: &Workspace, modules: &Path) -> anyhow::Result<PathBuf> {
    let package = workspace.pkg();
    let dist = package.join("dist");
    if package.exists() {
        std::fs::remove_dir_all(&package).context("the old pkg/ could not be removed")?;
    }
    std::fs::create_dir_all(&dist)?;
    // Before the compiler runs: its resolution of "./glue.js" may look for it.
    for module in &MODULES {
        for file in [module.glue(), module.wasm()] {
            copy(&modules.join(&file), &dist.join(&file))?;
        }
        let types = format!("{}.d.ts", module.wasm());
        let template = workspace.path("pkg-template").join(&types);
        if template.is_file() {
            copy(&template, &dist.join(&types))?;
        }
    }
    compile(workspace, &dist)?;
    inline(workspace, &dist)?;
    copy(&workspace.require("pkg-template/README.md")?, &package.join("README.md"))?;
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&workspace.require(licence)?, &package.join(licence))?;
    }
    // Last: without package.json a half-made package can be imported by nobody.
    let manifest = std::fs::read_to_string(workspace.require("pkg-template/package.json")?)?;
    let manifest = with_version(&manifest, env!("CARGO_PKG_VERSION"))?;
    check_files(&manifest, &package)?;
    std::fs::write(package.join("package.json"), manifest)?;
    link(workspace)?;
    Ok(package)
}

fn compile(workspace: &Workspace, dist: &Path) -> anyhow::Result<()> {
    say!("typescript   pkg-template → pkg/dist");
    let project = workspace.require("pkg-template/tsconfig.json")?;
    let mut tsc = command("node", workspace.root());
    tsc.arg(workspace.tool(Tool::Tsc)?)
        .arg("-p")
        .arg(project)
        .arg("--outDir")
        .arg(dist)
        .args(["--noEmit", "false"]);
    run(&mut tsc)
}

/// The module as JavaScript, for the entry that can fetch nothing.
fn inline(workspace: &Workspace, dist: &Path) -> anyhow::Result<()> {
    let mut script = command("node", workspace.root());
    script
        .arg(workspace.require("pkg-template/scripts/inline.mjs")?)
        .arg(dist.join("core.wasm"))
        .arg(dist.join("inline-core.js"));
    run(&mut script)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::copy(from, to)
        .with_context(|| format!("{} could not be copied to {}", from.display(), to.display()))?;
    Ok(())
}

/// The text of package.json with the version set, everything else in its order.
fn with_version(manifest: &str, version: &str) -> anyhow::Result<String> {
    let mut manifest: Value =
        serde_json::from_str(manifest).context("pkg-template/package.json is no JSON")?;
    let fields = manifest.as_object_mut().context("pkg-template/package.json is no object")?;
    fields.insert("version".to_owned(), Value::from(version));
    Ok(serde_json::to_string_pretty(&manifest)? + "\n")
}

/// Every file that `exports`, `main` and `types` name is there.
fn check_files(manifest: &str, package: &Path) -> anyhow::Result<()> {
    let manifest: Value = serde_json::from_str(manifest)?;
    let mut named = Vec::new();
    for field in ["bin", "exports", "main", "types", "module", "browser"] {
        named_files(manifest.get(field).unwrap_or(&Value::Null), &mut named);
    }
    // It is written right after this check.
    named.retain(|file| *file != "./package.json");
    let missing: Vec<_> = named.into_iter().filter(|file| !package.join(file).is_file()).collect();
    if !missing.is_empty() {
        bail!("pkg-template/package.json names what the build did not make: {}", missing.join(", "));
    }
    Ok(())
}

fn named_files<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(file) => found.push(file),
        Value::Object(fields) => fields.values().for_each(|value| named_files(value, found)),
        Value::Array(values) => values.iter().for_each(|value| named_files(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `node_modules/d365-clm` → `pkg/`, so that tests and examples import the package by its name.
fn link(workspace: &Workspace) -> anyhow::Result<()> {
    let link = workspace.path("node_modules/d365-clm");
    if std::fs::read_link(&link)
        .is_ok_and(|target| target == Path::new("../pkg") || target == workspace.pkg())
    {
        return Ok(());
    }
    if link.symlink_metadata().is_ok() {
        bail!("{} is in the way: it should be a link to pkg/; remove it", link.display());
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("../pkg", &link)?;
    #[cfg(windows)]
    std::os::windows::fs::symlink_dir(workspace.pkg(), &link)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::TempDir;

    #[test]
    fn the_version_is_replaced_and_the_order_kept() {
        let filled = with_version(
            r#"{"name":"d365-clm","version":"0.0.0","exports":{"b":"./b.js","a":"./a.js"}}"#,
            "1.2.3",
        );
        let expected = r#"{
  "name": "d365-clm",
  "version": "1.2.3",
  "exports": {
    "b": "./b.js",
    "a": "./a.js"
  }
}
"#;
        assert_eq!(filled.unwrap(), expected);
    }

    #[test]
    fn a_file_that_exports_names_and_nobody_made_is_an_error() {
        let package = TempDir::new("xtask-test-exports").unwrap();
        std::fs::write(package.path().join("index.js"), "").unwrap();
        let manifest = r#"{"exports":{".":{"types":"./index.d.ts","default":"./index.js"},"./package.json":"./package.json"}}"#;
        let error = check_files(manifest, package.path()).unwrap_err().to_string();
        assert_eq!(error, "pkg-template/package.json names what the build did not make: ./index.d.ts");
        std::fs::write(package.path().join("index.d.ts"), "").unwrap();
        check_files(manifest, package.path()).unwrap();
    }
}
