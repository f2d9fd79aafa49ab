//! How often the service is asked, and when patience ends.

use std::time::Duration;

use serde_json::Value;

use crate::fields::{Fields, FromValue, deserialize};
use crate::http::Timestamp;

/// How a run is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Polling {
    /// First pause between two questions; grows by half each time. Default 5 s.
    pub interval: Duration,
    /// Longest pause. Default 60 s.
    pub max: Duration,
    /// A run that shows no other status and no more rows for this long is given up. Default 2 h.
    pub stalled_after: Duration,
}

impl Default for Polling {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(5),
            max: Duration::from_secs(60),
            stalled_after: Duration::from_secs(7_200),
        }
    }
}

deserialize!(Polling);

/// The spelling of the public API: milliseconds.
impl FromValue for Polling {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let default = Self::default();
        let mut millis = |name| of.number(name).map(Duration::from_millis);
        let interval = millis("interval").unwrap_or(default.interval);
        let polling = Self {
            // Ten questions a second are the most that any caller gets.
            interval: interval.max(Duration::from_millis(100)),
            max: millis("max").unwrap_or(default.max.max(interval)),
            stalled_after: millis("stalledAfter").unwrap_or(default.stalled_after),
        };
        of.finish(polling)
    }
}

/// The next question's time.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    polling: Polling,
    pause: Duration,
    due: Timestamp,
    pub(super) asked: u64,
}

impl Schedule {
    /// The first question is due at once.
    pub(super) const fn new(polling: Polling, now: Timestamp) -> Self {
        Self { polling, pause: polling.interval, due: now, asked: 0 }
    }

    pub(super) const fn due(&self) -> Timestamp {
        self.due
    }

    /// A question was asked and answered.
    pub(super) fn asked(&mut self, now: Timestamp) {
        self.asked += 1;
        self.due = now.plus(self.pause);
        self.pause = (self.pause + self.pause / 2).min(self.polling.max.max(self.polling.interval));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_by_half_up_to_the_longest() {
        let mut now = Timestamp::from_millis(0);
        let mut schedule = Schedule::new(Polling::default(), now);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            schedule.asked(now);
            pauses.push(schedule.due().since(now).as_millis());
            now = schedule.due();
        }
        assert_eq!(pauses, [5_000, 7_500, 11_250, 16_875, 25_312, 37_968, 56_953, 60_000]);
    }

    #[test]
    fn milliseconds_are_read_and_no_one_polls_in_a_tight_loop() {
        let polling: Polling = serde_json::from_str(r#"{"interval":1,"stalledAfter":1000}"#).unwrap();
        assert_eq!(polling.interval, Duration::from_millis(100));
        assert_eq!(polling.stalled_after, Duration::from_secs(1));
        assert!(serde_json::from_str::<Polling>(r#"{"intervall":1}"#).is_err());
    }
}
