//! The program: see the library of the same name.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    d365_sandbox::run().await
}
