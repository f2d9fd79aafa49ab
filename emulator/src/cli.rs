//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(version, about = "A Dynamics 365 Supply Chain Management for development and tests")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until a signal comes; prints one JSON line on stdout when ready
    Serve {
        /// Address to listen on
        #[arg(long, default_value = "127.0.0.1")]
        host: IpAddr,
        /// Port to listen on; 0 takes a free one
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// SQLite file; without it everything is in memory
        #[arg(long, value_name = "FILE")]
        db: Option<PathBuf>,
        /// Directory of <Collection>.ndjson files and settings.json to load at start
        #[arg(long, value_name = "DIR")]
        seed: Option<PathBuf>,
        /// Azurite's dist/src/blob/main.js; default: searched in node_modules upwards
        #[arg(long, value_name = "FILE")]
        azurite: Option<PathBuf>,
        /// How long each state of a run is visible at least, in milliseconds
        #[arg(long, value_name = "MS", default_value_t = 200)]
        step_ms: u64,
        /// Life of tokens in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 3599, value_parser = clap::value_parser!(i64).range(1..=86_400))]
        token_lifetime_seconds: i64,
        /// End when stdin ends
        #[arg(long)]
        exit_with_stdin: bool,
        /// Rows per page of OData lists
        #[arg(long, value_name = "ROWS", default_value = "10000", value_parser = parse_page_size)]
        page_size: usize,
        /// JSON file with a fault plan
        #[arg(long, value_name = "FILE")]
        faults: Option<PathBuf>,
        /// Environments to serve, each on a port of its own: from --port upwards, or free ones
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=200))]
        tenants: u16,
    },
}

fn parse_page_size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(rows) if (1..=10_000).contains(&rows) => Ok(rows),
        _ => Err("must be 1 to 10000".to_owned()),
    }
}

/// Reads the command line and serves. The exit code is 0 after a signal or the end of stdin.
pub async fn run() -> ExitCode {
    let Command::Serve {
        host,
        port,
        db,
        seed,
        azurite,
        step_ms,
        token_lifetime_seconds,
        exit_with_stdin,
        page_size,
        faults,
        tenants,
    } = Arguments::parse().command;
    let settings = crate::server::Settings {
        address: SocketAddr::new(host, port),
        database: db,
        seed,
        azurite,
        step: Duration::from_millis(step_ms),
        token_lifetime: token_lifetime_seconds,
        exit_with_stdin,
        page_size,
        faults,
        tenants,
    };
    match crate::server::serve(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("d365-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}
