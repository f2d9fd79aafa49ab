//! The upload of a package to the blob that the service handed out: one put for small ones, blocks side by side for others.
//!
//! The storage behind the service names version 2014-02-14 in its signatures, whose blocks hold at most 4 MiB ("Put Block"). A
//! block's id tells its number and its checksum, so after a break only what the storage lacks travels again, and a source that
//! changed meanwhile is found out. Nothing in the service refers to the blob before the submission, so whatever is repeated here
//! is harmless.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Crc;

use super::checkpoint::SourceMark;
use super::storage::BlobUrl;
use crate::error::{Error, ErrorCode};
use crate::http::{
    Event, Failure, Input, Io, Polled, Progress, Repeat, Request, Response, Session, Timestamp, Unit, backoff,
};
use crate::odata::{Call, Service, failure_of};

/// Bytes of a block.
pub(super) const BLOCK: u64 = 4 << 20;
/// Blocks on the way at a time.
const SIDE_BY_SIDE: usize = 4;
/// The prefix is worth a checkpoint after this many bytes.
const MARK_EVERY: u64 = 64 << 20;

/// What the upload wants next.
#[derive(Debug)]
pub(super) enum UploadStep {
    Io(Io),
    /// The signature has run out, or will soon.
    NeedUrl,
    /// The mark of what was read so far is worth a checkpoint.
    Mark,
    /// All of it is there.
    Done,
    Failed(Box<Error>),
}

/// A package on its way.
#[derive(Debug)]
pub(super) struct Upload {
    service: Service,
    url: Option<BlobUrl>,
    state: State,
    /// Ids of the blocks in order; those that were sent, or were there.
    blocks: Vec<String>,
    /// Ids that the storage told of.
    there: HashSet<String>,
    crc: Crc,
    /// Bytes read.
    read: u64,
    ended: bool,
    /// What an earlier process saw of the source.
    expected: Option<SourceMark>,
    /// Whether `expected` is the whole source.
    expects_end: bool,
    round: Vec<Block>,
    attempts: u32,
    recommitted: bool,
    best: usize,
    marked: u64,
    told: u64,
    total: Option<u64>,
    /// Bytes of a block.
    size: u64,
}

#[derive(Debug, Clone)]
struct Block {
    id: String,
    bytes: Vec<u8>,
    done: bool,
}

#[derive(Debug)]
enum State {
    NeedUrl,
    List(Call),
    Read,
    Reading,
    Send,
    Sending,
    Pause(Timestamp),
    Put(Call),
    Commit(Call),
    Done,
    Failed(Box<Error>),
}

impl Upload {
    /// `expected` is what an earlier process saw of the source: its beginning, or with `whole` all of it.
    pub(super) fn new(service: &Service, expected: Option<SourceMark>, whole: bool) -> Self {
        Self {
            service: service.clone(),
            url: None,
            state: State::Read,
            blocks: Vec::new(),
            there: HashSet::new(),
            crc: Crc::new(),
            read: 0,
            ended: false,
            expected,
            expects_end: whole,
            round: Vec::new(),
            attempts: 0,
            recommitted: false,
            best: 0,
            marked: 0,
            told: 0,
            total: None,
            size: BLOCK,
        }
    }

    /// Smaller blocks; never larger ones.
    pub(super) const fn with_blocks_of(mut self, bytes: u64) -> Self {
        if bytes > 0 && bytes < BLOCK {
            self.size = bytes;
        }
        self
    }

    /// For progress alone.
    pub(super) const fn with_total(mut self, total: Option<u64>) -> Self {
        self.total = total;
        self
    }

    /// The mark of what was read, and whether that is all.
    pub(super) fn mark(&self) -> (SourceMark, bool) {
        (SourceMark { bytes: self.read, crc32: self.crc.sum() }, self.ended)
    }

    /// Goes on with this URL. Another blob than before begins anew.
    pub(super) fn set_url(&mut self, url: BlobUrl) {
        let same = self.url.as_ref().is_none_or(|old| old.path() == url.path());
        let resumed = self.expected.is_some() || !self.blocks.is_empty();
        if !same && !self.is_small() {
            self.begin_again();
        }
        self.there.clear();
        let listed = url.block_list(&self.service);
        self.url = Some(url);
        self.state = match (resumed && same, self.is_small()) {
            (_, true) => self.put(),
            // What is there already need not travel again.
            (true, false) => State::List(Call::new(&self.service, listed, Repeat::Always)),
            (false, false) => State::Read,
        };
    }

    /// The URL of the finished upload, where it lives until then.
    pub(super) fn fresh_url(&self, until: Timestamp) -> Option<BlobUrl> {
        self.url.clone().filter(|url| url.expires().is_none_or(|end| end >= until))
    }

    /// Takes another signature for the same blob; not another blob.
    pub(super) fn renew_url(&mut self, url: &BlobUrl) -> bool {
        let same = self.url.as_ref().is_some_and(|old| old.path() == url.path());
        if same {
            self.url = Some(url.clone());
        }
        same
    }

    /// Whether the storage has more blocks than at any question before.
    pub(super) fn has_progressed(&mut self) -> bool {
        let more = self.blocks.len() > self.best;
        self.best = self.best.max(self.blocks.len());
        more
    }

    pub(super) const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// What to do next.
    pub(super) fn next(&mut self, session: &Session, now: Timestamp) -> UploadStep {
        loop {
            if self.told < self.read && matches!(self.state, State::Read | State::Done) && self.url.is_some()
            {
                self.told = self.read;
                let progress = Progress::new(self.read, self.total, Unit::Bytes);
                return UploadStep::Io(Io::Emit(Event::Job {
                    stage: "upload",
                    status: None,
                    progress: Some(progress),
                }));
            }
            match std::mem::replace(&mut self.state, State::NeedUrl) {
                State::NeedUrl => return UploadStep::NeedUrl,
                State::Read if self.round.len() == SIDE_BY_SIDE || self.ended => {
                    self.state = match (&self.url, self.round.is_empty()) {
                        (None, _) => State::NeedUrl,
                        (Some(_), true) => self.commit(),
                        (Some(_), false) => State::Send,
                    };
                }
                State::Read if self.read - self.marked >= MARK_EVERY => {
                    self.marked = self.read;
                    self.state = State::Read;
                    return UploadStep::Mark;
                }
                // The first block is read before a URL is asked for, so that the first checkpoint knows the source by it.
                State::Read if self.url.is_none() && self.read > 0 => return UploadStep::NeedUrl,
                State::Read => {
                    self.state = State::Reading;
                    return UploadStep::Io(Io::Read(self.wanted()));
                }
                State::Send => {
                    let Some(url) = &self.url else { return UploadStep::NeedUrl };
                    let left: Vec<Request> = (self.round.iter())
                        .filter(|block| !block.done)
                        .map(|block| url.block(&self.service, &block.id, block.bytes.clone()))
                        .collect();
                    if left.is_empty() {
                        self.blocks.extend(self.round.drain(..).map(|block| block.id));
                        self.attempts = 0;
                        self.state = State::Read;
                        continue;
                    }
                    self.state = State::Sending;
                    return UploadStep::Io(Io::SendAll(left));
                }
                State::Pause(until) if now < until => {
                    self.state = State::Pause(until);
                    return UploadStep::Io(Io::Wait(until));
                }
                State::Pause(_) => self.state = State::Send,
                State::List(mut call) => match call.next(session, now) {
                    Polled::Io(io) => {
                        self.state = State::List(call);
                        return UploadStep::Io(io);
                    }
                    Polled::Ready(outcome) => self.listed(outcome),
                },
                State::Put(mut call) => match call.next(session, now) {
                    Polled::Io(io) => {
                        self.state = State::Put(call);
                        return UploadStep::Io(io);
                    }
                    Polled::Ready(outcome) => self.state = ended(outcome.map(|_| ())),
                },
                State::Commit(mut call) => match call.next(session, now) {
                    Polled::Io(io) => {
                        self.state = State::Commit(call);
                        return UploadStep::Io(io);
                    }
                    // A block that the storage has lost meanwhile: all of them are looked at once more.
                    Polled::Ready(Err(failure)) if failure.error.status == Some(400) && !self.recommitted => {
                        self.recommitted = true;
                        self.begin_again();
                        let Some(url) = &self.url else { return UploadStep::NeedUrl };
                        self.state = State::List(Call::new(
                            &self.service,
                            url.block_list(&self.service),
                            Repeat::Always,
                        ));
                    }
                    Polled::Ready(outcome) => self.state = ended(outcome.map(|_| ())),
                },
                State::Done => {
                    self.state = State::Done;
                    return UploadStep::Done;
                }
                State::Failed(error) => return UploadStep::Failed(error),
                state @ (State::Reading | State::Sending) => {
                    self.state = state;
                    let error = Error::argument("the driver called next before it handed over the outcome");
                    return UploadStep::Failed(Box::new(error));
                }
            }
        }
    }

    /// What came of the last step.
    pub(super) fn handle(&mut self, input: Input, session: &mut Session, now: Timestamp) {
        match (&mut self.state, input) {
            (State::List(call) | State::Put(call) | State::Commit(call), input) => {
                call.handle(input, session, now)
            }
            (State::Reading, Input::Bytes(bytes)) => {
                self.state = match self.take(bytes) {
                    Ok(()) => State::Read,
                    Err(error) => State::Failed(error),
                };
            }
            (State::Reading, Input::ReadFailed(error)) => self.state = State::Failed(error),
            (State::Sending, Input::Answers(answers)) => self.state = self.answered(answers, session, now),
            _ => {}
        }
    }

    /// The name of the state.
    pub(super) const fn place(&self) -> &'static str {
        match &self.state {
            State::NeedUrl => "need url",
            State::List(_) => "list blocks",
            State::Read => "read",
            State::Reading => "reading",
            State::Send => "send blocks",
            State::Sending => "sending blocks",
            State::Pause(_) => "pause of blocks",
            State::Put(_) => "put",
            State::Commit(_) => "commit blocks",
            State::Done => "uploaded",
            State::Failed(_) => "failed",
        }
    }

    /// Whether giving up must be left to the request under way.
    pub(super) const fn has_call(&self) -> bool {
        matches!(self.state, State::List(_) | State::Put(_) | State::Commit(_))
    }

    fn wanted(&self) -> Range<u64> {
        self.read..self.read + self.size
    }

    /// A whole source of one block goes in one request.
    fn is_small(&self) -> bool {
        self.ended && self.read <= self.size && self.blocks.is_empty()
    }

    fn take(&mut self, bytes: Vec<u8>) -> Result<(), Box<Error>> {
        self.ended = (bytes.len() as u64) < self.size;
        if self.read == 0 && !bytes.starts_with(b"PK\x03\x04") {
            return Err(Box::new(
                Error::new(ErrorCode::NotAPackage, "the source of the import is no zip file")
                    .hint("A data package is a zip file with PackageHeader.xml and Manifest.xml in it."),
            ));
        }
        self.crc.update(&bytes);
        self.read += bytes.len() as u64;
        self.check()?;
        if bytes.is_empty() {
            return Ok(());
        }
        let mut own = Crc::new();
        own.update(&bytes);
        let number = self.blocks.len() + self.round.len();
        let id = STANDARD.encode(format!("{number:06}-{:08x}", own.sum()));
        let done = self.there.contains(&id);
        self.round.push(Block { id, bytes, done });
        Ok(())
    }

    /// Compares with what an earlier process saw.
    fn check(&self) -> Result<(), Box<Error>> {
        let Some(expected) = self.expected else { return Ok(()) };
        let changed = match self.read.cmp(&expected.bytes) {
            Ordering::Less => self.ended,
            Ordering::Equal => self.crc.sum() != expected.crc32,
            Ordering::Greater => self.expects_end,
        };
        if !changed {
            return Ok(());
        }
        Err(Box::new(source_changed(expected, self.read)))
    }

    fn begin_again(&mut self) {
        self.blocks.clear();
        self.round.clear();
        self.crc = Crc::new();
        self.read = 0;
        self.told = 0;
        self.marked = 0;
        self.ended = false;
        self.state = State::Read;
    }

    fn listed(&mut self, outcome: Result<Response, Failure>) {
        self.state = match outcome {
            Ok(response) => {
                self.there = block_ids(response.text().unwrap_or_default());
                let lost = self.blocks.iter().any(|id| !self.there.contains(id));
                if lost {
                    self.begin_again();
                } else {
                    for block in &mut self.round {
                        block.done |= self.there.contains(&block.id);
                    }
                }
                if self.round.is_empty() { State::Read } else { State::Send }
            }
            // There is no such blob yet, so nothing of it is there.
            Err(failure) if failure.error.status == Some(404) => {
                if !self.blocks.is_empty() {
                    self.begin_again();
                }
                if self.round.is_empty() { State::Read } else { State::Send }
            }
            Err(failure) => ended(Err(failure)),
        };
    }

    fn answered(&mut self, answers: Vec<Input>, session: &mut Session, now: Timestamp) -> State {
        let Some(url) = &self.url else { return State::NeedUrl };
        let mut again = false;
        let mut expired = false;
        let open = self.round.iter_mut().filter(|block| !block.done);
        for (block, answer) in open.zip(answers) {
            match answer {
                Input::Response(response) if response.status == 201 => {
                    block.done = true;
                    block.bytes = Vec::new();
                }
                Input::Response(response) if response.status == 403 => expired = true,
                // 400 may be a block that was damaged on its way: its checksum did not fit.
                Input::Response(response)
                    if !matches!(response.status, 400 | 408 | 429) && response.status < 500 =>
                {
                    let request = url.block(&self.service, &block.id, Vec::new());
                    return State::Failed(Box::new(failure_of(&response, &request)));
                }
                _ => again = true,
            }
        }
        if expired {
            return State::NeedUrl;
        }
        if !again {
            return State::Send;
        }
        self.attempts += 1;
        if self.attempts >= session.policy.attempts {
            let error = Error::new(
                ErrorCode::Network,
                format!("the storage took a block of the package in none of {} tries", self.attempts),
            );
            return State::Failed(Box::new(
                error.hint("Check the way to the blob storage: proxy, firewall, relay. A resumed job sends only what is missing."),
            ));
        }
        let random = session.random();
        State::Pause(now.plus(backoff(&session.policy, self.attempts, random)))
    }

    fn put(&self) -> State {
        let Some(url) = &self.url else { return State::NeedUrl };
        let bytes = self.round.first().map(|block| block.bytes.clone()).unwrap_or_default();
        State::Put(Call::new(&self.service, url.put(&self.service, bytes), Repeat::Always))
    }

    fn commit(&self) -> State {
        let Some(url) = &self.url else { return State::NeedUrl };
        State::Commit(Call::new(&self.service, url.commit(&self.service, &self.blocks), Repeat::Always))
    }
}

/// What is said of a source that is another one than before.
pub(super) fn source_changed(expected: SourceMark, bytes: u64) -> Error {
    Error::new(
        ErrorCode::SourceChanged,
        format!(
            "the source differs from the one that the job began with, within its first {} bytes",
            expected.bytes.max(bytes)
        ),
    )
    .hint("Hand over the package as it was, or start a new job.")
}

fn ended(outcome: Result<(), Failure>) -> State {
    match outcome {
        Ok(()) => State::Done,
        // The signature ran out under way.
        Err(failure) if failure.error.code == ErrorCode::Forbidden => State::NeedUrl,
        Err(failure) => State::Failed(Box::new(failure.error)),
    }
}

/// The ids of a block list; they hold no character that XML escapes.
fn block_ids(xml: &str) -> HashSet<String> {
    let names = xml.split("<Name>").skip(1);
    names.filter_map(|rest| rest.split_once("</Name>")).map(|(id, _)| id.to_owned()).collect()
}
