//! The pages of a list, read ahead of who takes them.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::{future_to_promise, spawn_local};
use web_sys::{AbortController, AbortSignal};

use super::cancel::Cancel;
use super::driver::{Extras, NoExtras, drive, now};
use super::host::Host;
use super::send::Body;
use super::thrown::throw;
use crate::error::{Error, ErrorCode};
use crate::http::{Input, Machine};
use crate::odata::{Listing, PageStream, Pager};

/// Bytes of records that are read before they are taken.
const AHEAD: usize = 4 * 1024 * 1024;
/// A body is read on for at most that many bytes when no more of it is wanted: a connection whose answer was read to its end can be
/// used again.
const REST: usize = 64 * 1024;

/// The pages of a list. The one behind that which is being taken is asked for already, and no further one; of both together no more
/// than about 4 MiB are held.
#[wasm_bindgen]
pub struct ListPager {
    ahead: Rc<Ahead>,
    /// Until the first page is wanted.
    start: RefCell<Option<(Host, Listing)>>,
    stop: AbortController,
}

#[wasm_bindgen]
impl ListPager {
    /// The next records as a JSON list; behind those of a page its end, as an object with the `count` of all matching records where
    /// that was asked for; an empty text where nothing has come yet; nothing at the end.
    pub fn take(&self) -> Result<Option<String>, JsValue> {
        self.ahead.take()
    }

    /// Until there is something to take, or the list is freed. One at a time.
    pub fn wait(&self) -> Promise {
        if let Some((host, listing)) = self.start.borrow_mut().take() {
            let (ahead, signal) = (self.ahead.clone(), self.stop.signal());
            spawn_local(async move {
                let outcome = match listing.into_plain() {
                    Ok(pager) => ahead.read(&host, pager, signal).await,
                    Err(listing) => ahead.read_whole(&host, *listing, signal).await,
                };
                ahead.end(outcome.err());
            });
        }
        let ahead = self.ahead.clone();
        future_to_promise(async move {
            ahead.filled().await;
            Ok(JsValue::UNDEFINED)
        })
    }
}

impl ListPager {
    pub(super) fn new(host: Host, listing: Listing) -> Result<Self, JsValue> {
        let start = RefCell::new(Some((host, listing)));
        Ok(Self { ahead: Rc::default(), start, stop: AbortController::new()? })
    }
}

impl Drop for ListPager {
    fn drop(&mut self) {
        self.stop.abort();
        self.ahead.end(None);
    }
}

enum Piece {
    Records(String),
    EndOfPage(String),
}

/// What was read and not taken yet.
#[derive(Default)]
struct Ahead {
    pieces: RefCell<VecDeque<Piece>>,
    bytes: Cell<usize>,
    pages: Cell<usize>,
    ended: Cell<bool>,
    failure: RefCell<Option<JsValue>>,
    taker: RefCell<Option<Waker>>,
    reader: RefCell<Option<Waker>>,
}

impl Ahead {
    fn take(&self) -> Result<Option<String>, JsValue> {
        let text = match self.pieces.borrow_mut().pop_front() {
            Some(Piece::Records(text)) => {
                self.bytes.set(self.bytes.get().saturating_sub(text.len()));
                text
            }
            Some(Piece::EndOfPage(text)) => {
                self.pages.set(self.pages.get().saturating_sub(1));
                text
            }
            None if self.ended.get() => return self.failure.borrow_mut().take().map_or(Ok(None), Err),
            None => return Ok(Some(String::new())),
        };
        if let Some(waker) = self.reader.borrow_mut().take() {
            waker.wake();
        }
        Ok(Some(text))
    }

    async fn filled(&self) {
        poll_fn(|context| {
            if self.ended.get() || !self.pieces.borrow().is_empty() {
                return Poll::Ready(());
            }
            *self.taker.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn give(&self, piece: Piece) {
        match &piece {
            Piece::Records(text) => self.bytes.set(self.bytes.get() + text.len()),
            Piece::EndOfPage(_) => self.pages.set(self.pages.get() + 1),
        }
        self.pieces.borrow_mut().push_back(piece);
        if let Some(waker) = self.taker.borrow_mut().take() {
            waker.wake();
        }
    }

    fn end(&self, failure: Option<JsValue>) {
        *self.failure.borrow_mut() = failure;
        self.ended.set(true);
        if let Some(waker) = self.taker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Until there is room for more, and no page is finished but the one that is being taken.
    async fn room(&self) {
        poll_fn(|context| {
            if self.bytes.get() < AHEAD && self.pages.get() < 2 {
                return Poll::Ready(());
            }
            *self.reader.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    async fn read(&self, host: &Host, mut pager: Pager, signal: AbortSignal) -> Result<(), JsValue> {
        let mut cancel = Cancel::new(Some(signal.clone()));
        let stopped = || throw(Error::new(ErrorCode::Aborted, "the list is not wanted any more"));
        let mut bytes = Vec::new();
        while let Some(mut page) = pager.open() {
            cancel.race(self.room()).await.ok_or_else(stopped)?;
            let mut body = self.open(host, &mut page, &signal).await?;
            // What follows the last record wanted is short, unless the service ignores how many are wanted.
            let mut rest = 0;
            while let Some(stream) = &body
                && rest <= REST
            {
                cancel.race(self.room()).await.ok_or_else(stopped)?;
                match stream.read(&mut cancel).await {
                    Ok(Some(chunk)) => {
                        bytes.resize(chunk.length() as usize, 0);
                        chunk.copy_to(&mut bytes);
                        rest += if page.has_enough() { bytes.len() } else { 0 };
                        page.push(&bytes).map_err(throw)?;
                        self.give_records(&mut page)?;
                    }
                    Ok(None) => body = None,
                    Err(Input::Cancelled) => return Err(stopped()),
                    Err(failure) => {
                        page.handle(failure, now());
                        body = self.open(host, &mut page, &signal).await?;
                    }
                }
            }
            let end = page.finish().map_err(throw)?;
            self.give_records(&mut page)?;
            self.give(Piece::EndOfPage(end_of_page(end.count)));
            pager.advance(&end).map_err(throw)?;
        }
        Ok(())
    }

    /// Lists of which rows are left out or put together here: by whole pages, one ahead.
    async fn read_whole(
        &self,
        host: &Host,
        mut listing: Listing,
        signal: AbortSignal,
    ) -> Result<(), JsValue> {
        let mut cancel = Cancel::new(Some(signal.clone()));
        let stopped = || throw(Error::new(ErrorCode::Aborted, "the list is not wanted any more"));
        while let Some(mut operation) = listing.page() {
            cancel.race(self.room()).await.ok_or_else(stopped)?;
            let page = drive(&mut operation, host, &NoExtras, Some(signal.clone())).await?;
            let Some(page) = listing.take(page).map_err(throw)? else { continue };
            if page.rows > 0 {
                self.give(Piece::Records(page.items));
            }
            self.give(Piece::EndOfPage(end_of_page(page.count)));
        }
        Ok(())
    }

    async fn open(
        &self,
        host: &Host,
        page: &mut PageStream,
        signal: &AbortSignal,
    ) -> Result<Option<Body>, JsValue> {
        let extras = PageExtras::default();
        drive(page, host, &extras, Some(signal.clone())).await?;
        self.give_records(page)?;
        Ok(extras.body.take())
    }

    fn give_records(&self, page: &mut PageStream) -> Result<(), JsValue> {
        while let Some(records) = page.take().map_err(throw)? {
            self.give(Piece::Records(records));
        }
        Ok(())
    }
}

fn end_of_page(count: Option<u64>) -> String {
    count.map_or_else(|| "{}".to_owned(), |count| format!("{{\"count\":{count}}}"))
}

/// Keeps the body of a streamed answer.
#[derive(Default)]
struct PageExtras {
    body: RefCell<Option<Body>>,
}

impl Extras for PageExtras {
    fn body(&self, body: Body) {
        *self.body.borrow_mut() = Some(body);
    }
}
