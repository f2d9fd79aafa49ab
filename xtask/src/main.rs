//! Every command of the README: `cargo xtask setup | build | demo | admin | test | bench | catalog | mutants | diagnostics`.

mod admin;
mod bench;
mod build;
mod catalog;
mod demo;
mod diagnostics;
mod mutants;
mod process;
mod profile;
mod setup;
mod test;
mod workspace;

use std::process::ExitCode;

use workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  setup     finds out what is missing on this machine and installs it
  build     makes the npm package in pkg/
  demo      the main job against the sandbox, shown step by step
  admin [--no-open]
            the admin page before a seeded sandbox, in the browser; runs until Ctrl-C
  test [--soak]
            every check and test; --soak: the memory test with 2 GiB instead of 256 MiB
  bench [--quick] [--only NAME] [--rounds N]
            the package's speed side by side with its peers; bench-results.json
  catalog --from FILE [--check]
            makes the entity catalogue from the reference's entities.json, or compares only
  mutants   mistakes that the simulation of jobs must notice, each within 10,000 seeds (some minutes)
  diagnostics
            makes docs/diagnostics.md from the package doctor's table of codes";

/// A line for the person who waits; on stdout, at once.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { println!("{}", format_args!($($text)*)) };
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    match arguments {
        ["setup"] => {
            let workspace = begin("setup: what this machine lacks for building, testing and the demo")?;
            let machine = setup::run(&workspace)?;
            let complete =
                machine.npm.is_ok() && machine.wasm.is_ok() && (machine.browser.is_ok() || !setup::in_ci());
            return Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        ["build"] => {
            let workspace = begin("build: the npm package d365-clm in pkg/ (some minutes the first time)")?;
            build::run(&workspace, setup::for_build(&workspace)?)?;
        }
        ["demo"] => {
            let workspace = begin(
                "demo: contracts into a sandboxed Supply Chain Management, master data and its changes out of it\n\
                 (some minutes the first time; what is missing is installed first)",
            )?;
            // The browser is for the tests; here its absence is only told.
            let machine = setup::run(&workspace)?;
            let (Ok(()), Ok(toolchain)) = (&machine.npm, &machine.wasm) else {
                anyhow::bail!("the demo needs what is missing above");
            };
            build::run(&workspace, *toolchain)?;
            demo::run_job(&workspace)?;
        }
        ["admin"] | ["admin", "--no-open"] => {
            let workspace = begin("admin: the admin page before a sandbox (some minutes the first time)")?;
            let toolchain = setup::for_build(&workspace)?;
            build::run(&workspace, toolchain)?;
            admin::run_page(&workspace, arguments.len() == 1)?;
        }
        ["test"] | ["test", "--soak"] => {
            let workspace = begin("test: every check and test (about half an hour the first time)")?;
            return test::run(&workspace, arguments.len() > 1);
        }
        ["bench", rest @ ..] => {
            let options = bench::options(rest)?;
            let workspace = begin(
                "bench: the package side by side with its peers (about five minutes; --quick: half a minute)",
            )?;
            return bench::run_all(&workspace, &options);
        }
        ["catalog", "--from", file] => catalog::write(&Workspace::locate()?, file)?,
        ["catalog", "--from", file, "--check"] => catalog::check(&Workspace::locate()?, file)?,
        ["mutants"] => mutants::run(&begin("mutants: does the simulation notice mistakes? (some minutes)")?)?,
        ["diagnostics"] => diagnostics::write(&Workspace::locate()?)?,
        [] | ["help" | "--help" | "-h"] => say!("{USAGE}"),
        _ => {
            eprintln!("error: unknown command line: {}\n\n{USAGE}", arguments.join(" "));
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn begin(title: &str) -> anyhow::Result<Workspace> {
    say!("{title}");
    process::end_everything_on_signal()?;
    Workspace::locate()
}
