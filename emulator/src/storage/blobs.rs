//! Blobs of the container `dmf`: URLs for callers, reading and writing for the sandbox itself.

use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rand::RngCore;
use time::OffsetDateTime;

use super::sas::{self, Denied};
use crate::http::decode_form;

/// Name of the container, as in the service.
const CONTAINER: &str = "dmf";

/// Largest package that the sandbox reads, in bytes.
const MAX_PACKAGE: usize = 1 << 30;

const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Access to the account of one environment.
#[derive(Clone)]
pub(crate) struct Storage {
    pub(super) account: String,
    /// What Azurite knows.
    key: [u8; 32],
    /// What signs the URLs that callers get.
    outer_key: [u8; 32],
    azurite_port: u16,
    proxy_port: u16,
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
    /// An account with a random name and keys.
    pub(crate) fn random() -> Self {
        let random = || {
            let mut key = [0_u8; 32];
            rand::rngs::OsRng.fill_bytes(&mut key);
            key
        };
        let id = uuid::Uuid::new_v4().simple().to_string();
        let account = format!("dmf{}", id.get(..12).unwrap_or_default());
        Self { account, key: random(), outer_key: random(), azurite_port: 0, proxy_port: 0 }
    }

    pub(crate) fn at(&self, azurite_port: u16, proxy_port: u16) -> Self {
        Self { azurite_port, proxy_port, ..self.clone() }
    }

    /// `name:key`, as Azurite takes it from its environment.
    pub(crate) fn account_setting(&self) -> String {
        format!("{}:{}", self.account, STANDARD.encode(self.key))
    }

    /// Root of the blob endpoint that callers see.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{}", self.proxy_port, self.account)
    }

    /// Where Azurite listens.
    pub(crate) fn azurite_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.azurite_port)
    }

    /// A URL for callers.
    pub(crate) fn url_of(&self, blob: &str, permissions: &str, now: OffsetDateTime, seconds: u32) -> String {
        let query = sas::old_query(&self.outer_key, &self.resource(blob), permissions, now, seconds);
        format!("{}/{CONTAINER}/{}?{query}", self.url(), utf8_percent_encode(blob, PATH))
    }

    /// Whether the query of a URL allows something on a blob.
    pub(super) fn allows(
        &self,
        blob: &str,
        query: &[(String, String)],
        permission: char,
        now: OffsetDateTime,
    ) -> Result<(), Denied> {
        sas::check(&self.outer_key, &self.resource(blob), query, permission, now)
    }

    /// The blob of a path below the root of the endpoint.
    pub(super) fn blob_of(path: &str) -> Option<String> {
        let name = path.strip_prefix(CONTAINER)?.strip_prefix('/')?;
        let name = percent_decode_str(name).decode_utf8().ok()?.into_owned();
        (!name.is_empty()).then_some(name)
    }

    /// Makes the container.
    pub(crate) async fn create_container(&self) -> Result<(), BlobError> {
        let query = sas::account_query(&self.account, &self.key);
        let uri = format!("/{}/{CONTAINER}?restype=container&{query}", self.account);
        let request = Request::put(uri).header("content-length", "0").body(Body::empty());
        expect(&self.send(request).await?, 201)
    }

    /// Stores a blob.
    pub(super) async fn put(&self, blob: &str, content_type: &str, bytes: Bytes) -> Result<(), BlobError> {
        let request = Request::put(self.inner_uri(blob, "rw", ""))
            .header("x-ms-blob-type", "BlockBlob")
            .header("content-type", content_type)
            .body(Body::from(bytes));
        expect(&self.send(request).await?, 201)
    }

    /// Reads what a URL of this account points at, as far as its signature allows.
    pub(crate) async fn fetch(&self, url: &str, now: OffsetDateTime) -> Result<Vec<u8>, BlobError> {
        let rest = url.strip_prefix(&format!("{}/", self.url())).ok_or(BlobError::Foreign)?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let blob = Self::blob_of(path).ok_or(BlobError::Foreign)?;
        self.allows(&blob, &decode_form(query.as_bytes()), 'r', now).map_err(|_| BlobError::Status(403))?;
        self.read(&blob).await
    }

    /// Reads a blob whole.
    pub(crate) async fn read(&self, blob: &str) -> Result<Vec<u8>, BlobError> {
        let mut body = self.open(blob).await?.into_body();
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(chunk) = frame.map_err(|_| BlobError::Unreachable)?.into_data() else { continue };
            if bytes.len() + chunk.len() > MAX_PACKAGE {
                return Err(BlobError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// The answer to reading a blob, its content as a stream.
    pub(crate) async fn open(&self, blob: &str) -> Result<Response, BlobError> {
        let request = Request::get(self.inner_uri(blob, "r", "")).body(Body::empty());
        let answer = self.send(request).await?;
        expect(&answer, 200)?;
        let (parts, body) = answer.into_parts();
        let mut response = Response::new(body);
        if let Some(length) = parts.headers.get("content-length") {
            response.headers_mut().insert("content-length", length.clone());
        }
        Ok(response)
    }

    /// Path and query of a blob at Azurite; `operation` are further parts of the query.
    pub(super) fn inner_uri(&self, blob: &str, permissions: &str, operation: &str) -> String {
        let resource = format!("{CONTAINER}/{blob}");
        let query = sas::blob_query(&self.account, &self.key, &resource, permissions);
        let separator = if operation.is_empty() { "" } else { "&" };
        format!(
            "/{}/{CONTAINER}/{}?{operation}{separator}{query}",
            self.account,
            utf8_percent_encode(blob, PATH)
        )
    }

    /// Sends a request to Azurite on a connection of its own; bodies are streams in both directions.
    pub(super) async fn send(
        &self,
        request: Result<Request<Body>, axum::http::Error>,
    ) -> Result<Response, BlobError> {
        let mut request = request.map_err(|_| BlobError::Foreign)?;
        let authority = format!("127.0.0.1:{}", self.azurite_port);
        let host = authority.parse().map_err(|_| BlobError::Foreign)?;
        request.headers_mut().insert("host", host);
        let stream = tokio::net::TcpStream::connect(&authority).await.map_err(|_| BlobError::Unreachable)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|_| BlobError::Unreachable)?;
        tokio::spawn(async move {
            // Whoever reads the answer sees the failure too.
            let _ = connection.await;
        });
        let answer = sender.send_request(request).await.map_err(|_| BlobError::Unreachable)?;
        Ok(answer.map(Body::new))
    }

    fn resource(&self, blob: &str) -> String {
        format!("{}/{CONTAINER}/{blob}", self.account)
    }
}

fn expect(answer: &Response, wanted: u16) -> Result<(), BlobError> {
    let status = answer.status().as_u16();
    if status == wanted { Ok(()) } else { Err(BlobError::Status(status)) }
}
