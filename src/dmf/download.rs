//! A blob fetched in ranges: what broke off goes on where it was, and pieces of two different blobs are never joined.

use super::storage::BlobUrl;
use crate::error::{Error, ErrorCode};
use crate::http::{Failure, Input, Io, Polled, Repeat, Response, Session, Timestamp};
use crate::odata::{Call, Service};

/// Bytes asked for at a time.
const PIECE: u64 = 8 << 20;

/// A download under way.
#[derive(Debug)]
pub(super) struct Download {
    service: Service,
    bytes: Vec<u8>,
    /// The blob that the bytes are of.
    etag: Option<String>,
    total: Option<u64>,
    call: Option<Call>,
    url: Option<BlobUrl>,
    /// Something on the way does not tell which part it hands out: all is asked for at once.
    at_once: bool,
}

/// How a download goes on.
#[derive(Debug)]
pub(super) enum Fetched {
    Io(Io),
    /// A piece has come.
    Progress {
        done: u64,
        total: Option<u64>,
    },
    /// The signature has run out.
    NeedUrl,
    Whole(Vec<u8>),
    Failed(Box<Error>),
}

impl Download {
    pub(super) fn new(service: &Service) -> Self {
        Self {
            service: service.clone(),
            bytes: Vec::new(),
            etag: None,
            total: None,
            call: None,
            url: None,
            at_once: false,
        }
    }

    /// Goes on with this URL.
    pub(super) fn set_url(&mut self, url: BlobUrl) {
        self.url = Some(url);
        self.call = None;
    }

    pub(super) fn next(&mut self, session: &Session, now: Timestamp) -> Fetched {
        let Some(url) = &self.url else { return Fetched::NeedUrl };
        let call = self.call.get_or_insert_with(|| {
            let from = self.bytes.len() as u64;
            let range = (!self.at_once).then(|| from..from + PIECE);
            let request = url.get(&self.service, range, self.etag.as_deref());
            Call::new(&self.service, request, Repeat::Always)
        });
        let outcome = match call.next(session, now) {
            Polled::Io(io) => return Fetched::Io(io),
            Polled::Ready(outcome) => outcome,
        };
        self.call = None;
        match outcome {
            Ok(response) => self.came(response),
            Err(failure) => self.refused(failure),
        }
    }

    pub(super) fn handle(&mut self, input: Input, session: &mut Session, now: Timestamp) {
        if let Some(call) = &mut self.call {
            call.handle(input, session, now);
        }
    }

    fn came(&mut self, response: Response) -> Fetched {
        if response.status != 206 {
            // The storage or a proxy gave all of it at once.
            return Fetched::Whole(response.body);
        }
        let told = response.header("content-range").and_then(content_range);
        if told.is_none() && !self.at_once {
            // A relay or proxy that keeps the header to itself.
            let url = self.url.take();
            self.begin_again();
            (self.url, self.at_once) = (url, true);
            return Fetched::Progress { done: 0, total: None };
        }
        let etag = response.header("etag").map(str::to_owned);
        let fits = told.is_some_and(|(from, _)| from == self.bytes.len() as u64);
        if !fits || response.body.is_empty() || (self.etag.is_some() && self.etag != etag) {
            self.begin_again();
            return Fetched::NeedUrl;
        }
        self.etag = etag;
        self.total = told.map(|(_, total)| total);
        self.bytes.extend_from_slice(&response.body);
        let done = self.bytes.len() as u64;
        if self.total.is_some_and(|total| done >= total) {
            return Fetched::Whole(std::mem::take(&mut self.bytes));
        }
        Fetched::Progress { done, total: self.total }
    }

    fn refused(&mut self, failure: Failure) -> Fetched {
        match failure.error.status {
            // Another blob than the one that was begun, or a range behind its end.
            Some(412 | 416) => {
                self.begin_again();
                Fetched::NeedUrl
            }
            _ if failure.error.code == ErrorCode::Forbidden => {
                self.url = None;
                Fetched::NeedUrl
            }
            _ => Fetched::Failed(Box::new(failure.error)),
        }
    }

    fn begin_again(&mut self) {
        self.bytes = Vec::new();
        self.etag = None;
        self.total = None;
        self.url = None;
    }
}

/// `bytes 0-9/100`: the first byte, and the length of the whole.
fn content_range(text: &str) -> Option<(u64, u64)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Patience, RetryPolicy};

    fn begun() -> Download {
        let service = Service::new("https://c.example", None).unwrap();
        let mut download = Download::new(&service);
        download.set_url(url("sig=1"));
        download
    }
    fn url(query: &str) -> BlobUrl {
        let service = Service::new("https://c.example", None).unwrap();
        BlobUrl::of_read_answer(&service, format!("https://a.blob.example/c/x.zip?{query}")).unwrap().unwrap()
    }
    fn piece(from: u64, bytes: &[u8], total: u64, etag: &str) -> Input {
        let range = format!("bytes {from}-{}/{total}", from + bytes.len() as u64 - 1);
        Input::Response(
            Response::new(206, bytes).with_header("content-range", &range).with_header("etag", etag),
        )
    }
    /// The next outcome, with this answer to the request; and the range that was asked for.
    fn step(download: &mut Download, answer: Input) -> (Fetched, String) {
        let mut session = Session::new(RetryPolicy::default(), Patience::new(1));
        let Fetched::Io(Io::Send(request)) = download.next(&session, Timestamp::default()) else {
            panic!("nothing is sent")
        };
        assert!(!request.bearer);
        let range = request.headers.iter().find(|(name, _)| *name == "x-ms-range").unwrap().1.clone();
        download.handle(answer, &mut session, Timestamp::default());
        (download.next(&session, Timestamp::default()), range)
    }

    #[test]
    fn pieces_are_joined_in_order() {
        let mut download = begun();
        let (first, range) = step(&mut download, piece(0, b"abc", 5, "1"));
        assert!(matches!(first, Fetched::Progress { done: 3, total: Some(5) }), "{first:?}");
        assert_eq!(range, "bytes=0-8388607");
        let (whole, range) = step(&mut download, piece(3, b"de", 5, "1"));
        assert!(matches!(whole, Fetched::Whole(ref bytes) if bytes == b"abcde"), "{whole:?}");
        assert_eq!(range, "bytes=3-8388610");
    }

    #[test]
    fn a_signature_that_runs_out_costs_nothing_and_another_blob_begins_anew() {
        let mut download = begun();
        step(&mut download, piece(0, b"abc", 5, "1"));
        let (refused, _) = step(&mut download, Input::Response(Response::new(403, "")));
        assert!(matches!(refused, Fetched::NeedUrl), "{refused:?}");
        download.set_url(url("sig=2"));
        let (other, range) = step(&mut download, piece(3, b"xy", 5, "2"));
        assert!(matches!(other, Fetched::NeedUrl), "pieces of two blobs were joined: {other:?}");
        assert_eq!(range, "bytes=3-8388610", "what had come is kept");
        download.set_url(url("sig=3"));
        let (whole, range) = step(&mut download, piece(0, b"vwxyz", 5, "2"));
        assert!(matches!(whole, Fetched::Whole(ref bytes) if bytes == b"vwxyz"), "{whole:?}");
        assert_eq!(range, "bytes=0-8388607");
    }

    #[test]
    fn where_the_part_is_not_told_all_is_asked_for_at_once() {
        let mut download = begun();
        let silent = Input::Response(Response::new(206, "abc"));
        let (first, _) = step(&mut download, silent);
        assert!(matches!(first, Fetched::Progress { done: 0, .. }), "{first:?}");
        let session = Session::new(RetryPolicy::default(), Patience::new(1));
        let Fetched::Io(Io::Send(request)) = download.next(&session, Timestamp::default()) else {
            panic!("nothing is sent")
        };
        assert!(request.headers.iter().all(|(name, _)| *name != "x-ms-range"), "{:?}", request.headers);
    }

    #[test]
    fn a_storage_without_ranges_gives_all_at_once() {
        let (whole, _) = step(&mut begun(), Input::Response(Response::new(200, "abcde")));
        assert!(matches!(whole, Fetched::Whole(ref bytes) if bytes == b"abcde"), "{whole:?}");
    }
}
