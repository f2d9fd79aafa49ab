//! How often the service is asked, and when patience ends.

use std::time::Duration;

use serde::Deserialize;

use crate::http::Timestamp;

/// How a run is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "Millis")]
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

/// The spelling of the public API: milliseconds.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Millis {
    interval: Option<u64>,
    max: Option<u64>,
    stalled_after: Option<u64>,
}

impl From<Millis> for Polling {
    fn from(given: Millis) -> Self {
        let default = Self::default();
        let interval = given.interval.map_or(default.interval, Duration::from_millis);
        Self {
            // Ten questions a second are the most that any caller gets.
            interval: interval.max(Duration::from_millis(100)),
            max: given.max.map_or(default.max.max(interval), Duration::from_millis),
            stalled_after: given.stalled_after.map_or(default.stalled_after, Duration::from_millis),
        }
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
