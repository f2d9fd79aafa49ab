//! A page that is read while it arrives.

use d365_clm_text::json_rows::Scanner;

use super::call::Call;
use super::exact::{text_of, unreadable};
use super::page::{Page, end_of};
use crate::error::{Error, Result};
use crate::http::{Input, Machine, Polled, Session, Step, Timestamp};

/// One page, handed on in pieces of whole records; what is held of it is bounded by the piece (about 64 KiB), not by the page.
///
/// The machine ends when the answer has begun well. Then the driver pushes the bytes of the body as they come, takes the pieces,
/// and calls [`finish`](Self::finish) at the end. A driver that hands over whole answers pushes nothing.
///
/// Where the body breaks off, the driver hands the failure to [`handle`](Machine::handle) and drives the machine again: the page is
/// asked for once more, as often as any failed read, and the records that were found already are left out. That is done only if
/// the last of them, byte for byte with its etag, comes in the same place again; the service keeps no snapshot of a list, so
/// otherwise the list ends with `NETWORK`.
#[derive(Debug)]
pub struct PageStream {
    session: Session,
    call: Call,
    scanner: Scanner,
    begun: bool,
}

impl PageStream {
    pub(super) const fn new(session: Session, call: Call, scanner: Scanner) -> Self {
        Self { session, call, scanner, begun: false }
    }

    /// Reads on.
    ///
    /// # Errors
    /// `SERVICE_ERROR` for what is no list of records, `NETWORK` where a repeated page differs.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.scanner.push(bytes).map_err(unreadable)
    }

    /// The next whole records as a JSON list, where there are any.
    ///
    /// # Errors
    /// `SERVICE_ERROR` for text that is no UTF-8.
    pub fn take(&mut self) -> Result<Option<String>> {
        self.scanner.take().map(text_of).transpose()
    }

    /// Whether no more bytes are needed: as many records as wanted were found.
    #[must_use]
    pub const fn has_enough(&self) -> bool {
        self.scanner.has_enough()
    }

    /// Number of all matching records, where it was asked for and has come by now.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        std::str::from_utf8(self.scanner.count()?).ok()?.parse().ok()
    }

    /// All bytes were pushed: the page without its items, for [`Pager::advance`](super::Pager::advance). The last pieces can be
    /// taken now.
    ///
    /// # Errors
    /// As [`push`](Self::push); `SERVICE_ERROR` also for an answer that is cut short.
    pub fn finish(&mut self) -> Result<Page> {
        self.scanner.finish().map_err(unreadable)?;
        end_of(&self.scanner)
    }
}

impl Machine for PageStream {
    type Output = ();

    fn next(&mut self, now: Timestamp) -> Step<()> {
        let response = match self.call.next(&self.session, now) {
            Polled::Io(io) => return io.into(),
            Polled::Ready(Ok(response)) => response,
            Polled::Ready(Err(failure)) => return Step::Failed(Box::new(self.explain(failure.error))),
        };
        if std::mem::replace(&mut self.begun, true) {
            self.scanner.restart();
        }
        match self.push(&response.body) {
            Ok(()) => Step::Done(()),
            Err(error) => Step::Failed(Box::new(error)),
        }
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        self.call.handle(input, &mut self.session, now);
    }
}

impl PageStream {
    fn explain(&self, mut error: Error) -> Error {
        let rows = self.scanner.rows();
        if self.begun && rows > 0 {
            error.message.push_str(&format!("; the page broke off after {rows} records"));
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::super::page::Pager;
    use super::super::query::Query;
    use super::super::service::Service;
    use super::*;
    use crate::error::ErrorCode;
    use crate::http::{Response, TransportError, TransportKind};

    const BODY: &str =
        r#"{"value":[{"A":1},{"A":2},{"A":3}],"@odata.nextLink":"https:\/\/c.example/data/X?$skiptoken=1"}"#;

    /// Drives it to the beginning of a body; `answers` are those to its requests.
    fn open(stream: &mut PageStream, answers: &mut Vec<Input>) -> Result<()> {
        let mut now = Timestamp::from_millis(1_000);
        for _ in 0..50 {
            match stream.next(now) {
                Step::Send(request) => {
                    assert!(request.stream);
                    let answer = answers.remove(0);
                    stream.handle(answer, now);
                }
                Step::Token(_) => stream.handle(Input::TokenRenewed { expires: None }, now),
                Step::Wait(until) => now = until,
                Step::Done(()) => return Ok(()),
                Step::Failed(error) => return Err(*error),
                _ => {}
            }
        }
        panic!("never ended");
    }

    fn head() -> Input {
        Input::Response(Response::new(200, ""))
    }
    fn broken(stream: &mut PageStream) {
        let error = TransportError::new(TransportKind::NoAnswer, "reset");
        stream.handle(Input::TransportError(error), Timestamp::from_millis(1_000));
    }
    fn pager() -> Pager {
        Pager::new(&Service::new("https://c.example", None).unwrap(), "X", &Query::default()).unwrap()
    }
    fn all(stream: &mut PageStream) -> String {
        let pieces: Vec<String> = std::iter::from_fn(|| stream.take().unwrap()).collect();
        pieces.concat().replace("][", ",")
    }

    #[test]
    fn a_page_comes_piece_by_piece_and_names_the_next() {
        let mut pager = pager();
        let mut stream = pager.open().unwrap();
        open(&mut stream, &mut vec![head()]).unwrap();
        for byte in BODY.as_bytes() {
            stream.push(&[*byte]).unwrap();
        }
        let page = stream.finish().unwrap();
        assert_eq!((all(&mut stream).as_str(), page.rows), (r#"[{"A":1},{"A":2},{"A":3}]"#, 3));
        pager.advance(&page).unwrap();
        let next = pager.page().unwrap();
        assert_eq!(next.request().url, "https://c.example/data/X?$skiptoken=1");
    }

    #[test]
    fn a_driver_may_hand_over_the_whole_answer() {
        let mut stream = pager().open().unwrap();
        open(&mut stream, &mut vec![Input::Response(Response::new(200, BODY))]).unwrap();
        assert_eq!(stream.finish().unwrap().rows, 3);
    }

    #[test]
    fn a_body_that_breaks_off_is_asked_for_again_and_no_record_comes_twice() {
        let mut stream = pager().open().unwrap();
        let mut answers = vec![head(), Input::Response(Response::new(503, "")), head()];
        open(&mut stream, &mut answers).unwrap();
        stream.push(&BODY.as_bytes()[..25]).unwrap();
        broken(&mut stream);
        open(&mut stream, &mut answers).unwrap();
        stream.push(BODY.as_bytes()).unwrap();
        assert_eq!(stream.finish().unwrap().rows, 3);
        assert_eq!(all(&mut stream), r#"[{"A":1},{"A":2},{"A":3}]"#);
    }

    #[test]
    fn a_page_that_has_changed_meanwhile_is_an_error() {
        let mut stream = pager().open().unwrap();
        open(&mut stream, &mut vec![head()]).unwrap();
        stream.push(br#"{"value":[{"A":1},{"#).unwrap();
        broken(&mut stream);
        open(&mut stream, &mut vec![head()]).unwrap();
        assert_eq!(stream.push(br#"{"value":[{"A":9},"#).unwrap_err().code, ErrorCode::Network);
    }

    #[test]
    fn a_body_that_always_breaks_off_is_given_up() {
        let mut stream = pager().open().unwrap();
        let mut answers: Vec<Input> = (0..5).map(|_| head()).collect();
        for _ in 0..4 {
            open(&mut stream, &mut answers).unwrap();
            stream.push(br#"{"value":[{"A":1},{"#).unwrap();
            broken(&mut stream);
        }
        open(&mut stream, &mut answers).unwrap();
        broken(&mut stream);
        let error = open(&mut stream, &mut answers).unwrap_err();
        assert_eq!(error.code, ErrorCode::Network);
        assert!(
            error.message.ends_with("after 5 tries (reset); the page broke off after 1 records"),
            "{}",
            error.message
        );
    }
}
