//! Blobs of the container `dmf`: URLs for callers, reading and writing for the sandbox itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rand::RngCore;

use super::sas;

/// Name of the container, as in the service.
const CONTAINER: &str = "dmf";

/// Life of a write URL in minutes, as captured in the field.
const WRITE_MINUTES: i64 = 35;

/// Life of a read URL in minutes: the default of links in the client.
const READ_MINUTES: i64 = 10;

/// Largest package that the sandbox reads, in bytes.
const MAX_PACKAGE: usize = 1 << 30;

const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Access to the account.
#[derive(Clone)]
pub(crate) struct Storage {
    account: String,
    key: [u8; 32],
    port: u16,
    client: reqwest::Client,
}

/// A storage call that failed. Carries no URL: its query is a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlobError {
    /// The answer was not what it should be.
    #[error("the storage account answered {0}")]
    Status(u16),
    /// No answer.
    #[error("the storage account could not be reached")]
    Unreachable,
    /// The URL is not one of this account.
    #[error("the URL is not one of this environment's storage account")]
    Foreign,
    /// Larger than 1 GiB.
    #[error("the blob is larger than 1 GiB")]
    TooLarge,
}

impl Storage {
    /// An account with a random name and key.
    pub(crate) fn random() -> Self {
        let mut key = [0_u8; 32];
        rand::rngs::OsRng.fill_bytes(&mut key);
        let id = uuid::Uuid::new_v4().simple().to_string();
        let account = format!("dmf{}", id.get(..12).unwrap_or_default());
        Self { account, key, port: 0, client: reqwest::Client::new() }
    }

    pub(crate) fn at(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// `name:key`, as Azurite takes it from its environment.
    pub(crate) fn account_setting(&self) -> String {
        format!("{}:{}", self.account, STANDARD.encode(self.key))
    }

    /// Root of the blob endpoint.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{}", self.port, self.account)
    }

    /// URL that may create and write the blob for 35 minutes.
    pub(crate) fn write_url(&self, blob: &str) -> String {
        self.signed(blob, "rw", WRITE_MINUTES)
    }

    /// URL that may read the blob for 10 minutes.
    pub(crate) fn read_url(&self, blob: &str) -> String {
        self.signed(blob, "r", READ_MINUTES)
    }

    /// Makes the container.
    pub(crate) async fn create_container(&self) -> Result<(), BlobError> {
        let query = sas::account_query(&self.account, &self.key);
        let url = format!("{}/{CONTAINER}?restype=container&{query}", self.url());
        let answer = self.client.put(url).header("content-length", "0").send().await;
        expect(answer.map_err(|_| BlobError::Unreachable)?.status().as_u16(), 201)
    }

    /// Stores a blob.
    pub(crate) async fn put(&self, blob: &str, content_type: &str, bytes: Vec<u8>) -> Result<(), BlobError> {
        let answer = self
            .client
            .put(self.signed(blob, "rw", READ_MINUTES))
            .header("x-ms-blob-type", "BlockBlob")
            .header("content-type", content_type)
            .body(bytes)
            .send()
            .await
            .map_err(|_| BlobError::Unreachable)?;
        expect(answer.status().as_u16(), 201)
    }

    /// Reads what a URL of this account points at, as far as its signature allows.
    pub(crate) async fn fetch(&self, url: &str) -> Result<Vec<u8>, BlobError> {
        if !url.starts_with(&format!("{}/{CONTAINER}/", self.url())) {
            return Err(BlobError::Foreign);
        }
        let mut answer = self.client.get(url).send().await.map_err(|_| BlobError::Unreachable)?;
        expect(answer.status().as_u16(), 200)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|_| BlobError::Unreachable)? {
            if bytes.len() + chunk.len() > MAX_PACKAGE {
                return Err(BlobError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn signed(&self, blob: &str, permissions: &str, minutes: i64) -> String {
        let resource = format!("{CONTAINER}/{blob}");
        let query = sas::blob_query(&self.account, &self.key, &resource, permissions, minutes);
        format!("{}/{CONTAINER}/{}?{query}", self.url(), utf8_percent_encode(blob, PATH))
    }
}

fn expect(status: u16, wanted: u16) -> Result<(), BlobError> {
    if status == wanted { Ok(()) } else { Err(BlobError::Status(status)) }
}
