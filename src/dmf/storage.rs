//! Blob storage: the URL that the service hands out, and the requests on it. No bearer token ever goes there.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Request, Timestamp};
use crate::odata::{Service, encode_query, same_origin};

/// A URL with a shared access signature: a secret for as long as it lives.
#[derive(Clone)]
pub(super) struct BlobUrl(String);

impl BlobUrl {
    /// Reads the answer of `GetAzureWriteUrl`: JSON inside a string.
    pub(super) fn of_write_answer(service: &Service, text: &str) -> Result<Self> {
        let answer: Value = serde_json::from_str(text).unwrap_or_default();
        let url = answer.get("BlobUrl").and_then(Value::as_str);
        let url = url.ok_or_else(|| {
            Error::new(ErrorCode::ServiceError, "the service handed out no URL to upload to")
        })?;
        Self::parse(service, url.to_owned())
    }

    /// Reads a URL to download from; none while the package is not ready.
    pub(super) fn of_read_answer(service: &Service, text: String) -> Result<Option<Self>> {
        if text.trim().is_empty() { Ok(None) } else { Self::parse(service, text).map(Some) }
    }

    fn parse(service: &Service, url: String) -> Result<Self> {
        // Plain http is for a storage on the same machine as a sandbox.
        let local = service.base().starts_with("http://") && url.starts_with("http://");
        if url.starts_with("https://") || local {
            return Ok(Self(url));
        }
        Err(Error::new(ErrorCode::ServiceError, "the service handed out a blob URL that is not https"))
    }

    /// End of the signature's life, where the URL tells it.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        let (_, query) = self.0.split_once('?')?;
        let end = query.split('&').find_map(|option| option.strip_prefix("se="))?;
        Timestamp::parse_iso(&end.replace("%3A", ":").replace("%3a", ":"))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the signature: which blob it is.
    pub(super) fn path(&self) -> &str {
        self.0.split('?').next().unwrap_or_default()
    }

    /// Puts the whole package; the same bytes again are the same blob.
    pub(super) fn put(&self, service: &Service, bytes: Vec<u8>) -> Request {
        self.bytes(service, "", bytes)
            .header("x-ms-blob-type", "BlockBlob")
            .header("content-type", "application/zip")
    }

    /// Puts a block that counts only once it is committed.
    pub(super) fn block(&self, service: &Service, id: &str, bytes: Vec<u8>) -> Request {
        self.bytes(service, &format!("&comp=block&blockid={}", encode_query(id)), bytes)
    }

    /// Makes the blob of these blocks.
    pub(super) fn commit(&self, service: &Service, ids: &[String]) -> Request {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
        for id in ids {
            xml.push_str("<Latest>");
            xml.push_str(id);
            xml.push_str("</Latest>");
        }
        xml.push_str("</BlockList>");
        self.bytes(service, "&comp=blocklist", xml.into_bytes())
            .header("x-ms-blob-content-type", "application/zip")
            .header("content-type", "application/xml")
    }

    /// The blocks that are there and not committed.
    pub(super) fn block_list(&self, service: &Service) -> Request {
        self.request(service, Method::Get, "&comp=blocklist&blocklisttype=uncommitted")
    }

    fn bytes(&self, service: &Service, option: &str, bytes: Vec<u8>) -> Request {
        let digest = STANDARD.encode(md5::compute(&bytes).0);
        let mut request = self.request(service, Method::Put, option).header("content-md5", digest);
        request.body = bytes;
        request.timeout = service.submit_timeout;
        request
    }

    /// The blob or a range of it; of the one with this tag where one is given.
    pub(super) fn get(&self, service: &Service, range: Option<Range<u64>>, etag: Option<&str>) -> Request {
        let mut request = self.request(service, Method::Get, "");
        request.timeout = service.submit_timeout;
        if let Some(range) = range {
            request = request
                .header("x-ms-range", format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        }
        match etag {
            Some(etag) => request.header("if-match", etag),
            None => request,
        }
    }

    fn request(&self, service: &Service, method: Method, option: &str) -> Request {
        let mut request = Request::new(method, format!("{}{option}", self.0));
        // The signature is the right. Only a package served by the environment itself would need the token.
        request.bearer = same_origin(&self.0, service.base());
        request
    }
}

/// Whether the storage answers: the first byte of the blob that the answer of `GetAzureWriteUrl` names, which is not there yet.
pub(crate) fn look_at_blob(service: &Service, answer: &str) -> Result<Request> {
    let url = BlobUrl::of_write_answer(service, answer)?;
    let mut request = url.get(service, Some(0..1), None);
    request.timeout = service.timeout;
    Ok(request)
}

impl std::fmt::Debug for BlobUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::http::redact_url(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_write_url_is_json_inside_a_string() {
        let service = Service::new("https://c.example", None).unwrap();
        let text = r#"{"BlobId":"{0A}","BlobUrl":"https://a.blob.core.windows.net/dmf/x.zip?sv=2014-02-14&se=2026-03-02T10%3A50%3A07Z&sig=SECRET"}"#;
        let url = BlobUrl::of_write_answer(&service, text).unwrap();
        assert_eq!(url.expires(), Timestamp::parse_iso("2026-03-02T10:50:07Z"));
        assert!(!format!("{url:?}").contains("SECRET"));
        let put = url.put(&service, vec![1]);
        assert!(!put.bearer, "the token never goes to the storage");
        assert!(put.headers.contains(&("x-ms-blob-type", "BlockBlob".to_owned())));
        assert!(BlobUrl::of_write_answer(&service, "{}").is_err());
    }

    #[test]
    fn a_blob_url_without_tls_is_for_a_sandbox_only() {
        let real = Service::new("https://c.example", None).unwrap();
        assert!(BlobUrl::of_read_answer(&real, "http://127.0.0.1:1/x".into()).is_err());
        let sandbox = Service::new("http://127.0.0.1:2", None).unwrap();
        assert!(BlobUrl::of_read_answer(&sandbox, "http://127.0.0.1:1/x".into()).unwrap().is_some());
        assert!(BlobUrl::of_read_answer(&real, String::new()).unwrap().is_none());
    }
}
