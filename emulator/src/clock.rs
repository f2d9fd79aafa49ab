//! The time of an environment: it runs as the machine's does, and a test can put it ahead. What waits, expires, is kept
//! or is offered again goes by it; tokens go by the machine's, because their callers have no other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use tokio::sync::watch;

/// Handle; copies share everything.
#[derive(Clone)]
pub(crate) struct Clock {
    begin: (OffsetDateTime, Instant),
    /// How far it is ahead.
    ahead: Arc<watch::Sender<Duration>>,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            begin: (OffsetDateTime::now_utc(), Instant::now()),
            ahead: Arc::new(watch::Sender::new(Duration::ZERO)),
        }
    }
}

impl Clock {
    pub(crate) fn now(&self) -> OffsetDateTime {
        let (date, instant) = self.begin;
        date + instant.elapsed() + *self.ahead.borrow()
    }

    /// Milliseconds since 1970.
    pub(crate) fn milliseconds(&self) -> i64 {
        i64::try_from(self.now().unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
    }

    /// `2026-03-02T10:15:07Z`
    pub(crate) fn stamp(&self) -> String {
        stamp(self.now())
    }

    /// Puts it ahead by so much more; those who wait notice.
    pub(crate) fn advance(&self, by: Duration) {
        self.ahead.send_modify(|ahead| *ahead = ahead.saturating_add(by));
    }

    /// Waits until the clock shows so much more than now.
    pub(crate) async fn sleep(&self, duration: Duration) {
        let mut changes = self.ahead.subscribe();
        let end = self.now() + duration;
        loop {
            let Ok(left) = Duration::try_from(end - self.now()) else { return };
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                _ = changes.changed() => {}
            }
        }
    }
}

/// A time as the service and the storage write it.
pub(crate) fn stamp(at: OffsetDateTime) -> String {
    format!("{}T{:02}:{:02}:{:02}Z", at.date(), at.hour(), at.minute(), at.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_notices_that_it_was_put_ahead() {
        let clock = Clock::default();
        let (of_sleeper, before) = (clock.clone(), clock.milliseconds());
        let sleeper = tokio::spawn(async move { of_sleeper.sleep(Duration::from_secs(3600)).await });
        // It has begun to wait.
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(1800));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1801));
        sleeper.await.unwrap();
        assert!(clock.milliseconds() - before >= 3_601_000);
    }
}
