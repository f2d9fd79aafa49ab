//! `cargo xtask test`: every check and test, one stage after the other, timed and counted.
//! What a stage runs is in `stages`; a stage that fails does not stop a later one that does not need it.

mod counts;
mod report;
mod stage;
mod stages;

use std::process::ExitCode;
use std::time::Instant;

use crate::setup;
use crate::workspace::Workspace;
use report::Report;

pub(crate) fn run(workspace: &Workspace, soak: bool) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let machine = setup::run(workspace)?;
    let context = stage::Context::new(workspace, machine, soak)?;
    let mut report = Report::new(setup::in_ci());
    report.add("setup", start.elapsed(), stage::Outcome::Done);
    for (name, run) in stages::ALL {
        report::announce(name);
        let start = Instant::now();
        let outcome = run(&context, name).unwrap_or_else(|e| stage::Outcome::Failed(format!("{e:#}")));
        report.add(name, start.elapsed(), outcome);
    }
    report.print();
    Ok(if report.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
