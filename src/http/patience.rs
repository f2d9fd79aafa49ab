//! How long a client waits for a service that is busy or failing: one account for all of its conversations.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::time::Timestamp;

/// What the conversations of one client share: the pauses they may make, and a source of spread.
///
/// Pauses that overlap count once, so that many requests which wait side by side cost no more than one. What was spent comes back
/// as time passes without a pause, a millisecond each; a service that refuses for longer than the budget is not waited for any
/// more, and each request then fails with the answer it got.
#[derive(Debug, Clone)]
pub struct Patience(Arc<Mutex<Account>>);

#[derive(Debug)]
struct Account {
    spent: Duration,
    /// Up to here pauses are counted, and what came back too.
    until: Timestamp,
    random: u64,
}

impl Patience {
    /// Nothing spent. `seed` spreads the pauses of many clients; any value will do.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let account = Account { spent: Duration::ZERO, until: Timestamp::default(), random: seed | 1 };
        Self(Arc::new(Mutex::new(account)))
    }

    /// Takes a pause that begins now out of the budget, if there is enough.
    pub(super) fn spend(&self, now: Timestamp, pause: Duration, budget: Duration) -> bool {
        self.with(|account| account.spend(now, pause, budget))
    }

    /// Xorshift: good enough to keep requests from marching in step.
    pub(super) fn random(&self) -> u32 {
        self.with(|account| {
            account.random ^= account.random << 13;
            account.random ^= account.random >> 7;
            account.random ^= account.random << 17;
            u32::try_from(account.random >> 32).unwrap_or(u32::MAX)
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Account) -> T) -> T {
        // An account is whole between any two statements.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Account {
    fn spend(&mut self, now: Timestamp, pause: Duration, budget: Duration) -> bool {
        let quiet = now.since(self.until);
        self.spent = self.spent.saturating_sub(quiet);
        self.until = self.until.max(now);
        let end = now.plus(pause);
        let more = end.since(self.until);
        if self.spent + more > budget {
            return false;
        }
        self.spent += more;
        self.until = self.until.max(end);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Duration = Duration::from_secs(100);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + seconds * 1_000)
    }
    fn pause(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn pauses_side_by_side_count_once() {
        let patience = Patience::new(1);
        for _ in 0..1_000 {
            assert!(patience.spend(at(0), pause(60), BUDGET));
        }
        assert!(patience.clone().spend(at(30), pause(70), BUDGET), "up to 100 s: 40 more");
        assert!(!patience.spend(at(30), pause(71), BUDGET));
    }

    #[test]
    fn a_service_that_never_answers_is_waited_for_no_longer_than_the_budget() {
        let patience = Patience::new(1);
        let mut now = 0;
        while patience.spend(at(now), pause(7), BUDGET) {
            now += 7;
        }
        assert_eq!(now, 98);
    }

    #[test]
    fn what_was_spent_comes_back_with_time() {
        let patience = Patience::new(1);
        assert!(patience.spend(at(0), pause(100), BUDGET));
        assert!(!patience.spend(at(100), pause(1), BUDGET));
        assert!(!patience.spend(at(110), pause(11), BUDGET), "ten seconds of rest");
        assert!(patience.spend(at(110), pause(10), BUDGET));
        assert!(patience.spend(at(320), pause(100), BUDGET), "never more than all of it");
        assert!(!patience.spend(at(420), pause(1), BUDGET));
    }
}
