//! The figures of the README: the package built, then every row of the table side by side with its peers (`benches/`).

use std::process::ExitCode;

use anyhow::bail;

use crate::process::{command, run};
use crate::workspace::Workspace;
use crate::{build, setup};

/// What may follow `bench` on the command line; `benches/run.mjs` understands the same.
pub(crate) fn options(arguments: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut options = Vec::new();
    let mut rest = arguments.iter();
    while let Some(&argument) = rest.next() {
        options.push(argument.to_owned());
        match argument {
            "--quick" => {}
            "--only" | "--rounds" => match rest.next() {
                Some(&value) => options.push(value.to_owned()),
                None => bail!("{argument} needs a value"),
            },
            _ => bail!("bench knows --quick, --only NAME and --rounds N, not {argument}"),
        }
    }
    Ok(options)
}

pub(crate) fn run_all(workspace: &Workspace, options: &[String]) -> anyhow::Result<ExitCode> {
    build::run(workspace, setup::for_build(workspace)?)?;
    let mut node = command("node", workspace.root());
    node.arg(workspace.require("benches/run.mjs")?).args(options);
    run(&mut node)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::options;

    #[test]
    fn options_are_handed_on() {
        assert_eq!(options(&[]).unwrap(), Vec::<String>::new());
        assert_eq!(options(&["--quick", "--only", "workers"]).unwrap(), ["--quick", "--only", "workers"]);
    }

    #[test]
    fn what_is_unknown_or_lacks_its_value_is_refused() {
        assert_eq!(options(&["--only"]).unwrap_err().to_string(), "--only needs a value");
        assert!(options(&["--fast"]).unwrap_err().to_string().ends_with("not --fast"));
    }
}
