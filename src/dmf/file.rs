//! A file that the service hands out by URL, read range by range: memory is bounded by the range, not by the file.

use std::ops::Range;

use super::dialogue::{Dialogue, Then};
use super::storage::BlobUrl;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Failure, Method, Repeat, Request, Response};
use crate::odata::{Service, inner_text, same_origin};

/// A file of the service. Holds the URL, which is a secret while its signature lives.
#[derive(Clone)]
pub struct RemoteFile {
    service: Service,
    url: String,
    /// Asks for a fresh URL, where there is a question for it.
    renewal: Option<Request>,
    etag: Option<String>,
    /// Bytes of the whole file; none before the first range was read, and where a page may not see the header that tells it.
    pub size: Option<u64>,
    /// Whether the server hands out the whole file only.
    pub whole: bool,
    begun: bool,
}

/// What one request brought.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Piece {
    /// The bytes of the range, fewer at the end of the file; all bytes of the file where the server knows no ranges.
    pub bytes: Vec<u8>,
    /// Whether these are all bytes of the file.
    pub whole: bool,
    size: Option<u64>,
    etag: Option<String>,
    url: Option<String>,
}

impl RemoteFile {
    pub(super) const fn new(service: Service, url: String, renewal: Option<Request>) -> Self {
        Self { service, url, renewal, etag: None, size: None, whole: false, begun: false }
    }

    /// Reads these bytes. Safe to repeat; several ranges may be read at the same time after the first.
    ///
    /// A signature that ran out is renewed once where the service can be asked for another URL. The file must be the same one
    /// throughout: where its ETag is known, another one is `PRECONDITION_FAILED`.
    ///
    /// # Errors
    /// From the conversation: `FORBIDDEN`, `NOT_FOUND`, `PRECONDITION_FAILED`; `SERVICE_ERROR` for an answer that is not the
    /// range asked for.
    #[must_use]
    pub fn read(&self, range: Range<u64>) -> Dialogue<Piece> {
        Dialogue::new(&self.service, self.clone().attempt(range, true))
    }

    /// Notes what the first range told. The later ones are handed over too: they may bring a fresh URL.
    pub fn took(&mut self, piece: &Piece) {
        if !self.begun {
            (self.size, self.whole, self.begun) = (piece.size, piece.whole, true);
            self.etag.clone_from(&piece.etag);
        }
        if let Some(url) = &piece.url {
            self.url.clone_from(url);
        }
    }

    fn attempt(self, range: Range<u64>, may_renew: bool) -> Then<Piece> {
        let (service, request) = (self.service.clone(), self.request(&range));
        Then::ask(&service, request, Repeat::Always, move |outcome| match outcome {
            Ok(response) => self.piece(response, &range, may_renew).map(Then::Done),
            // Nothing lies behind the end: the file is empty, or its size was not to be seen.
            Err(Failure { error, .. }) if error.status == Some(416) && self.size.is_none() => {
                let whole = range.start == 0;
                let size = whole.then_some(0);
                Ok(Then::Done(Piece { bytes: Vec::new(), whole, size, etag: None, url: None }))
            }
            Err(Failure { error, .. }) if error.code == ErrorCode::Forbidden && may_renew => {
                let Some(renewal) = self.renewal.clone() else { return Err(error) };
                Ok(Then::ask(&self.service.clone(), renewal, Repeat::Always, move |outcome| {
                    let answer = outcome.map_err(|failure| failure.error)?;
                    let text = inner_text(answer.text().unwrap_or_default())?;
                    let url = BlobUrl::of_read_answer(&self.service, text)?.ok_or(error)?;
                    Ok(Self { url: url.as_str().to_owned(), ..self }.attempt(range, false))
                }))
            }
            Err(failure) => Err(failure.error),
        })
    }

    fn request(&self, range: &Range<u64>) -> Request {
        let mut request = Request::new(Method::Get, self.url.clone());
        // The signature of a storage URL is the right to read it; the token is for the environment alone.
        request.bearer = same_origin(&self.url, self.service.base());
        request.timeout = self.service.submit_timeout;
        let last = range.end.saturating_sub(1).max(range.start);
        request = request.header("range", format!("bytes={}-{last}", range.start));
        match &self.etag {
            Some(etag) => request.header("if-match", etag.clone()),
            None => request,
        }
    }

    fn piece(&self, response: Response, range: &Range<u64>, old_url: bool) -> Result<Piece> {
        let refuse = |why: &str| {
            Error::new(ErrorCode::ServiceError, format!("the file can't be read: {why}"))
                .hint("A proxy on the way may have changed the answer or cut it short; read it again.")
        };
        let etag = response.header("etag").filter(|etag| etag.starts_with('"')).map(str::to_owned);
        let url = (!old_url).then(|| self.url.clone());
        let told = response.header("content-range").and_then(content_range);
        let got = u64::try_from(response.body.len()).unwrap_or(u64::MAX);
        if response.status != 206 {
            if self.begun && !self.whole {
                return Err(refuse("the server gave ranges at first, and now all of it"));
            }
            return Ok(Piece { bytes: response.body, whole: true, size: Some(got), etag, url });
        }
        if told.is_some_and(|(start, _)| start != range.start) {
            return Err(refuse("the server gave another range than the one asked for"));
        }
        let size = told.and_then(|(_, size)| size).or(self.size);
        let wanted = range.end.min(size.unwrap_or(u64::MAX)).saturating_sub(range.start);
        if got > wanted || (size.is_some() && got < wanted) {
            return Err(refuse(&format!("{wanted} bytes were asked for, {got} came")));
        }
        let whole = range.start == 0 && size == Some(got);
        Ok(Piece { bytes: response.body, whole, size, etag, url })
    }
}

impl std::fmt::Debug for RemoteFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::http::redact_url(&self.url))
    }
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

/// `bytes 0-99/1234`: where it starts, and the size where that is known.
fn content_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, size) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, size.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::super::actions;
    use super::super::dialogue::bench::{hold, says};
    use super::*;
    use crate::http::Input;

    const OLD: &str = "https://acct.blob.core.windows.net/dmf/e.csv?sig=OLD";

    fn file() -> RemoteFile {
        let service = Service::new("https://c.example", None).unwrap();
        let renewal = actions::of_execution(&service, "GetImportStagingErrorFileUrl", "E");
        RemoteFile::new(service, OLD.to_owned(), Some(renewal))
    }

    fn part(from: u64, size: u64, bytes: &str) -> Input {
        let range = format!("bytes {from}-{}/{size}", from + bytes.len() as u64 - 1);
        Input::Response(
            Response::new(206, bytes).with_header("Content-Range", &range).with_header("ETag", "\"1\""),
        )
    }

    #[test]
    fn ranges_follow_on_each_other_and_belong_to_one_file() {
        let mut file = file();
        let held = hold(file.read(0..4), vec![part(0, 6, "abcd")]);
        assert!(!held.asked[0].bearer, "the token goes to no storage");
        assert!(held.asked[0].headers.contains(&("range", "bytes=0-3".to_owned())));
        let piece = held.end.unwrap();
        assert_eq!((piece.bytes.as_slice(), piece.whole), (b"abcd".as_slice(), false));
        file.took(&piece);
        assert_eq!(file.size, Some(6));
        let held = hold(file.read(4..8), vec![part(4, 6, "ef")]);
        assert!(held.asked[0].headers.contains(&("if-match", "\"1\"".to_owned())));
        assert_eq!(held.end.unwrap().bytes, b"ef");
        for answer in [part(4, 6, "e"), part(0, 6, "ef"), says(200, "abcdef")] {
            assert_eq!(hold(file.read(4..8), vec![answer]).end.unwrap_err().code, ErrorCode::ServiceError);
        }
    }

    #[test]
    fn a_server_without_ranges_gives_all_and_an_empty_file_has_none() {
        let piece = hold(file().read(0..4), vec![says(200, "abcdef")]).end.unwrap();
        assert_eq!((piece.bytes.as_slice(), piece.whole, piece.size), (b"abcdef".as_slice(), true, Some(6)));
        let piece = hold(file().read(0..4), vec![says(416, "")]).end.unwrap();
        assert_eq!((piece.bytes.len(), piece.whole, piece.size), (0, true, Some(0)));
    }

    #[test]
    fn a_signature_that_ran_out_is_renewed_once() {
        let fresh = r#"{"value":"https://acct.blob.core.windows.net/dmf/e.csv?sig=NEW"}"#;
        let mut file = file();
        let held = hold(file.read(0..4), vec![says(403, ""), says(200, fresh), part(0, 2, "ab")]);
        assert!(held.asked[1].bearer && !held.asked[2].bearer);
        assert!(held.asked[2].url.ends_with("sig=NEW"));
        file.took(&held.end.unwrap());
        assert!(file.request(&(0..1)).url.ends_with("sig=NEW"));
        let error =
            hold(file.read(0..4), vec![says(403, ""), says(200, fresh), says(403, "")]).end.unwrap_err();
        assert_eq!(error.code, ErrorCode::Forbidden);
        assert!(!format!("{error:?}{file:?}").contains("sig="));
    }
}
