//! The child process.
//!
//! Azurite is started by a small wrapper that ends when its stdin does. The sandbox holds the other end of that pipe,
//! so Azurite ends with the sandbox however that ends, also when it is killed.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use super::Storage;

/// A running Azurite.
pub(crate) struct Azurite {
    child: Child,
    stdin: Option<ChildStdin>,
    folder: PathBuf,
    pub(crate) port: u16,
}

/// Why there is no storage.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AzuriteError {
    /// No node_modules with Azurite found.
    #[error(
        "Azurite was not found in node_modules of this directory or its parents; run `npm install azurite`, or pass --azurite FILE with the path of its dist/src/blob/main.js"
    )]
    NotFound,
    /// Node could not be started.
    #[error("node could not be started ({0}); Azurite needs Node.js 20 or newer on PATH")]
    Node(std::io::Error),
    /// It ended or hung.
    #[error("Azurite did not start: {0}")]
    Start(String),
    /// The container could not be made.
    #[error("the storage container could not be made: {0}")]
    Container(#[from] super::BlobError),
}

const MAIN: &str = "node_modules/azurite/dist/src/blob/main.js";

/// The script to run: the one given, or the first found from `start` upwards.
pub(crate) fn locate(given: Option<&Path>, start: &Path) -> Result<PathBuf, AzuriteError> {
    if let Some(path) = given {
        return if path.is_file() { Ok(path.to_owned()) } else { Err(AzuriteError::NotFound) };
    }
    start
        .ancestors()
        .map(|folder| folder.join(MAIN))
        .find(|path| path.is_file())
        .ok_or(AzuriteError::NotFound)
}

const WRAPPER: &str = "const end = () => process.exit(0);\
 const folder = process.env.D365_SANDBOX_FOLDER;\
 process.on('exit', () => require('fs').rmSync(folder, { recursive: true, force: true }));\
 process.stdin.on('end', end); process.stdin.on('close', end); process.stdin.on('error', end); process.stdin.resume();\
 process.on('SIGINT', () => {});\
 require(process.argv[1]);";

/// How long Azurite may take until it listens.
const START_LIMIT: Duration = Duration::from_secs(60);

impl Azurite {
    /// Starts the script with the given accounts. Nothing is kept on disk, except logs that
    /// Azurite insists on, in a folder that the wrapper removes at its end, also when
    /// the sandbox was killed.
    pub(crate) async fn start(script: &Path, accounts: &[Storage]) -> Result<Self, AzuriteError> {
        let folder = std::env::temp_dir().join(format!("d365-sandbox-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).map_err(|error| AzuriteError::Start(error.to_string()))?;
        let accounts: Vec<String> = accounts.iter().map(Storage::account_setting).collect();
        let mut child = Command::new("node")
            .args(["-e", WRAPPER])
            .arg(script.canonicalize().unwrap_or_else(|_| script.to_owned()))
            .args(["--inMemoryPersistence", "--blobHost", "127.0.0.1", "--blobPort", "0", "--silent"])
            .args(["--disableTelemetry", "--skipApiVersionCheck"])
            .current_dir(&folder)
            .env("AZURITE_ACCOUNTS", accounts.join(";"))
            .env("D365_SANDBOX_FOLDER", &folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(AzuriteError::Node)?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or_else(|| AzuriteError::Start("it has no output".to_owned()))?;
        let port = tokio::time::timeout(START_LIMIT, listening_port(stdout))
            .await
            .map_err(|_| AzuriteError::Start("it did not listen within 60 seconds".to_owned()))?
            .ok_or_else(|| AzuriteError::Start("it ended without listening".to_owned()))?;
        Ok(Self { child, stdin, folder, port })
    }

    /// Ends it and removes its folder.
    pub(crate) async fn stop(mut self) {
        drop(self.stdin.take());
        if tokio::time::timeout(Duration::from_secs(3), self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn listening_port(stdout: tokio::process::ChildStdout) -> Option<u16> {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.contains("successfully listens")
            && let Some(port) = line.rsplit(':').next().and_then(|port| port.trim().parse().ok())
        {
            // Keep the pipe drained, or Azurite would stop when it is full.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Some(port);
        }
    }
    None
}
