//! The right to call: import and export calls go one at a time per environment, also among processes that share a store.
//!
//! "Data management package REST API": `ImportFromPackage` must not be called in parallel threads. The lease is a value of the
//! store. It carries its end, so that a holder that died lets go by itself; every change names the version that it replaces, so
//! of two that want it one gets it, and a holder that slept too long finds out before it sends. The service itself knows no
//! lease: a request that is under way when its lease runs out is not called back.

use std::time::Duration;

use serde_json::{Value, json};

use crate::error::{Error, ErrorCode};
use crate::fields::{FromValue, deserialize, word};
use crate::http::{Input, Io, Polled, Store, Stored, Timestamp};
use crate::odata::Service;
use crate::package::crc32;

/// Pause before a lease that somebody holds is looked at again; spread over its upper half.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Nobody waits longer than this for the calls of others.
const PATIENCE: Duration = Duration::from_secs(4 * 3_600);
/// Beside the time that the call itself may take.
const MARGIN: Duration = Duration::from_secs(60);

/// How far import and export calls of one environment keep out of each other's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Parallel {
    /// One call at a time in the whole environment.
    #[default]
    Environment,
    /// One at a time for each data project.
    Project,
}

deserialize!(Parallel);

impl FromValue for Parallel {
    fn from_value(value: Value) -> Result<Self, String> {
        word(&value, &[("environment", Self::Environment), ("project", Self::Project)])
    }
}

/// A lease that is wanted, held, or given back.
#[derive(Debug)]
pub(super) struct Lease {
    key: String,
    owner: String,
    length: Duration,
    state: State,
    /// Of the value that is there.
    version: Option<String>,
    until: Timestamp,
    patience: Option<Timestamp>,
    spread: u64,
    /// It was held in the name of the same run, by a process that may be alive.
    taken_over: bool,
}

#[derive(Debug)]
enum State {
    Look,
    Looking,
    Pause(Timestamp),
    Take,
    Taking,
    Held,
    GiveBack,
    GivingBack,
    Free,
    Failed(Box<Error>),
}

impl Lease {
    pub(super) fn new(service: &Service, parallel: Parallel, project: &str, owner: &str) -> Self {
        let environment = service.base().split_once("://").map_or(service.base(), |(_, rest)| rest);
        let key = match parallel {
            Parallel::Environment => format!("lease/{environment}"),
            Parallel::Project => format!("lease/{environment}/{project}"),
        };
        Self {
            key,
            owner: owner.to_owned(),
            length: service.submit_timeout + service.policy.budget + MARGIN,
            state: State::Look,
            version: None,
            until: Timestamp::default(),
            patience: None,
            spread: u64::from(crc32(owner.as_bytes())) | 1,
            taken_over: false,
        }
    }

    /// Whether it is held for as long as a call may take; else it is asked for again.
    pub(super) fn is_good(&mut self, now: Timestamp) -> bool {
        let good = matches!(self.state, State::Held) && self.until > now.plus(self.length - MARGIN);
        if !good && matches!(self.state, State::Held) {
            self.state = State::Take;
        }
        good
    }

    /// Wants it again after it was given back.
    pub(super) fn want(&mut self) {
        if matches!(self.state, State::Free) {
            self.state = State::Look;
            self.patience = None;
        }
    }

    /// Whether it has to be given back one day.
    pub(super) const fn is_held(&self) -> bool {
        matches!(self.state, State::Held)
    }

    /// Whether it is being given back.
    pub(super) const fn is_leaving(&self) -> bool {
        matches!(self.state, State::GiveBack | State::GivingBack)
    }

    /// The name of the state.
    pub(super) const fn place(&self) -> &'static str {
        match &self.state {
            State::Look | State::Looking => "look at lease",
            State::Pause(_) => "wait for lease",
            State::Take | State::Taking => "take lease",
            State::Held => "lease held",
            State::GiveBack | State::GivingBack => "give back",
            State::Free => "lease free",
            State::Failed(_) => "failed",
        }
    }

    /// Lets others call. Should it fail, the lease ends by itself; so does one that was taken over from another process of the same
    /// run and not called under, for that process may be calling.
    pub(super) fn give_back(&mut self) {
        let own = matches!(self.state, State::Held) && !self.taken_over;
        self.state = if own { State::GiveBack } else { State::Free };
    }

    /// The call was made under it, so no other process of the run makes one.
    pub(super) const fn called(&mut self) {
        self.taken_over = false;
    }

    /// What to do until it is held, or given back.
    pub(super) fn next(&mut self, now: Timestamp) -> Polled<Result<(), Box<Error>>> {
        match std::mem::replace(&mut self.state, State::Free) {
            State::Pause(until) if now < until => {
                self.state = State::Pause(until);
                Polled::Io(Io::Wait(until))
            }
            State::Look | State::Pause(_) => {
                self.state = State::Looking;
                self.patience.get_or_insert(now.plus(PATIENCE));
                Polled::Io(Io::Load(self.key.clone()))
            }
            State::Take => {
                self.state = State::Taking;
                self.until = now.plus(self.length);
                Polled::Io(self.store(self.until))
            }
            State::GiveBack => {
                self.state = State::GivingBack;
                Polled::Io(self.store(Timestamp::default()))
            }
            State::Held => {
                self.state = State::Held;
                Polled::Ready(Ok(()))
            }
            State::Free => Polled::Ready(Ok(())),
            State::Failed(error) => Polled::Ready(Err(error)),
            state @ (State::Looking | State::Taking | State::GivingBack) => {
                self.state = state;
                let error = Error::argument("the driver called next before it handed over the outcome");
                Polled::Ready(Err(Box::new(error)))
            }
        }
    }

    pub(super) fn handle(&mut self, input: Input, now: Timestamp) {
        self.state = match (std::mem::replace(&mut self.state, State::Free), input) {
            (State::Looking, Input::Loaded(stored)) => self.looked(stored, now),
            (State::Taking, Input::Stored(version)) => {
                self.version = Some(version);
                State::Held
            }
            // Somebody else was first, now or while this holder slept.
            (State::Taking, Input::StoreConflict) => self.pause(now),
            (State::Looking | State::Taking, Input::StoreFailed(error)) => State::Failed(error),
            (State::GivingBack, Input::Stored(_) | Input::StoreConflict | Input::StoreFailed(_)) => {
                State::Free
            }
            (state, _) => state,
        };
    }

    fn looked(&mut self, stored: Option<Stored>, now: Timestamp) -> State {
        let Some(stored) = stored else {
            self.version = None;
            return State::Take;
        };
        let Some((owner, until)) = read(&stored.value) else {
            let error = Error::new(
                ErrorCode::CheckpointInvalid,
                format!("the lease under the store's key \"{}\" can't be read", self.key),
            );
            return State::Failed(Box::new(
                error.hint("Something else writes to that key, or a newer version of the library does."),
            ));
        };
        self.version = Some(stored.version);
        // One's own lease is of a process that died: its job goes on here.
        if until <= now || owner == self.owner {
            self.taken_over = until > now;
            return State::Take;
        }
        if self.patience.is_some_and(|end| now >= end) {
            let error = Error::new(
                ErrorCode::Conflict,
                format!(
                    "the right to call was not free for {} minutes; the run {owner} has it",
                    PATIENCE.as_secs() / 60
                ),
            );
            return State::Failed(Box::new(error.hint(
                "Import and export calls go one at a time per environment. `parallel: \"project\"` lets different data \
                 projects call side by side, where the environment allows it.",
            )));
        }
        self.pause(now)
    }

    fn pause(&mut self, now: Timestamp) -> State {
        self.spread =
            self.spread.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let half = LOOK_AGAIN / 2;
        let millis = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
        State::Pause(now.plus(half + Duration::from_millis((self.spread >> 33) % millis.max(1))))
    }

    fn store(&self, until: Timestamp) -> Io {
        let value = json!({ "version": 1, "owner": self.owner, "until": until.as_millis() });
        Io::Store(Store::new(self.key.clone(), value.to_string(), self.version.clone()))
    }
}

/// Owner and end.
fn read(text: &str) -> Option<(String, Timestamp)> {
    let value: Value = serde_json::from_str(text).ok()?;
    if value.get("version")?.as_u64()? != 1 {
        return None;
    }
    let owner = value.get("owner")?.as_str()?.to_owned();
    Some((owner, Timestamp::from_millis(value.get("until")?.as_u64()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_millis(1_000_000);

    /// One value under one key, with versions.
    #[derive(Default)]
    struct Disk(Option<Stored>, u32);

    impl Disk {
        fn answer(&mut self, io: Io) -> Input {
            match io {
                Io::Load(_) => Input::Loaded(self.0.clone()),
                Io::Store(store)
                    if store.if_version == self.0.as_ref().map(|stored| stored.version.clone()) =>
                {
                    self.1 += 1;
                    self.0 = Some(Stored::new(store.value, self.1.to_string()));
                    Input::Stored(self.1.to_string())
                }
                Io::Store(_) => Input::StoreConflict,
                other => panic!("no step of a lease: {other:?}"),
            }
        }
    }

    fn lease(owner: &str) -> Lease {
        let service = Service::new("https://c.example", None).unwrap();
        Lease::new(&service, Parallel::Environment, "P", owner)
    }

    /// Until it is held or given back, or must wait.
    fn settle(lease: &mut Lease, disk: &mut Disk, now: Timestamp) -> Option<Timestamp> {
        loop {
            match lease.next(now) {
                Polled::Ready(outcome) => {
                    outcome.unwrap();
                    return None;
                }
                Polled::Io(Io::Wait(until)) => return Some(until),
                Polled::Io(io) => {
                    let answer = disk.answer(io);
                    lease.handle(answer, now);
                }
            }
        }
    }

    #[test]
    fn one_has_it_and_the_other_waits_until_it_is_given_back() {
        let (mut a, mut b, mut disk) = (lease("A"), lease("B"), Disk::default());
        assert_eq!(settle(&mut a, &mut disk, T0), None);
        assert!(a.is_good(T0));
        let again = settle(&mut b, &mut disk, T0).expect("it is held");
        assert!(!b.is_good(T0) && again > T0 && again <= T0.plus(LOOK_AGAIN));
        a.give_back();
        assert_eq!(settle(&mut a, &mut disk, T0), None);
        assert!(!a.is_good(T0));
        assert_eq!(settle(&mut b, &mut disk, again), None);
        assert!(b.is_good(again));
    }

    #[test]
    fn a_dead_holder_lets_go_by_itself_and_finds_out_when_it_wakes() {
        let (mut a, mut b, mut disk) = (lease("A"), lease("B"), Disk::default());
        settle(&mut a, &mut disk, T0);
        let late = T0.plus(Duration::from_secs(960));
        assert!(
            settle(&mut b, &mut disk, late.plus(Duration::from_secs(0))).is_none(),
            "960 s are its whole life"
        );
        assert!(!a.is_good(late), "what it held has run out");
        assert!(settle(&mut a, &mut disk, late).is_some(), "the other has it now");
        assert!(!a.is_good(late));
    }

    #[test]
    fn the_same_run_takes_its_own_lease_over_and_a_foreign_value_is_an_error() {
        let (mut a, mut again, mut disk) = (lease("A"), lease("A"), Disk::default());
        settle(&mut a, &mut disk, T0);
        assert_eq!(settle(&mut again, &mut disk, T0), None);
        assert!(again.is_good(T0));
        let mut other = lease("B");
        other.next(T0);
        other.handle(Input::Loaded(Some(Stored::new("{}", "9"))), T0);
        let Polled::Ready(Err(error)) = other.next(T0) else {
            panic!("a foreign value was taken for a lease")
        };
        assert_eq!(error.code, ErrorCode::CheckpointInvalid);
    }

    #[test]
    fn patience_ends() {
        let mut b = lease("B");
        let mut now = T0;
        let held = json!({ "version": 1, "owner": "A", "until": u64::MAX }).to_string();
        let error = loop {
            match b.next(now) {
                Polled::Io(Io::Wait(until)) => now = until,
                Polled::Io(_) => b.handle(Input::Loaded(Some(Stored::new(held.clone(), "1"))), now),
                Polled::Ready(outcome) => break outcome.unwrap_err(),
            }
        };
        assert_eq!(error.code, ErrorCode::Conflict);
        assert!(now.since(T0) >= PATIENCE);
    }
}
