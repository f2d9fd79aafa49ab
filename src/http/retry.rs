//! When a request is worth repeating, and when it may be.

use std::time::Duration;

use super::message::{Response, TransportError, TransportKind};
use super::time::Timestamp;

/// How often and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Tries in all, the first one counted. Default 5.
    pub attempts: u32,
    /// The longest pause of our own choice; the service may ask for a longer one. Default 60 s.
    pub max_delay: Duration,
    /// All pauses of one request together, and of all conversations of a client ([`Patience`](super::Patience)). Default 300 s.
    pub budget: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 5, max_delay: Duration::from_secs(60), budget: Duration::from_secs(300) }
    }
}

/// Pause where the service is busy and does not say for how long; the vendor's own sample waits as long.
const THROTTLED_DELAY: Duration = Duration::from_secs(30);
/// First pause after a failure; doubled each time.
const FIRST_DELAY: Duration = Duration::from_millis(500);

/// Whether a request may be sent again although the service may have acted on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repeat {
    /// It changes nothing, or the same thing again: reads, a blob put whole.
    Always,
    /// It would act twice: only if it was surely not processed (429, not sent, token refused).
    IfUnprocessed,
}

/// What an outcome means for the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// An answer to be read.
    Final,
    /// Worth another try after at least this long, if allowed at all; `asked` by the service itself.
    Again { delay: Option<Duration>, throttled: bool },
}

pub(super) fn judge_response(response: &Response, repeat: Repeat, now: Timestamp) -> Verdict {
    let asked = || retry_after(response, now);
    match response.status {
        429 => Verdict::Again { delay: Some(asked().unwrap_or(THROTTLED_DELAY)), throttled: true },
        // A write that ends in 500 mostly ends there again: business logic threw. Gateways and restarts are another matter.
        500 | 502 | 503 | 504 if repeat == Repeat::Always => {
            Verdict::Again { delay: asked(), throttled: false }
        }
        _ => Verdict::Final,
    }
}

/// Milliseconds after which a busy service may be asked again: as it says itself, in seconds or as a date, else 30 s.
#[must_use]
pub fn throttled_for(response: &Response, now: Timestamp) -> u64 {
    super::time::millis(retry_after(response, now).unwrap_or(THROTTLED_DELAY))
}

pub(super) fn may_repeat(error: &TransportError, repeat: Repeat) -> bool {
    error.kind == TransportKind::NotSent || repeat == Repeat::Always
}

/// The pause before try number `attempt` + 1: doubled each time, spread by `random` (any 32 bits) over its upper half.
pub(crate) fn backoff(policy: &RetryPolicy, attempt: u32, random: u32) -> Duration {
    let doubled = FIRST_DELAY.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    let whole = doubled.min(policy.max_delay);
    let spread = u64::from(random) * (super::time::millis(whole) / 2) / u64::from(u32::MAX);
    whole.saturating_sub(Duration::from_millis(spread))
}

/// `Retry-After` in seconds or as a date; a page may not see the header at all.
pub(super) fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let value = response.header("retry-after")?.trim();
    match value.parse::<u32>() {
        Ok(seconds) => Some(Duration::from_secs(seconds.into())),
        Err(_) => Timestamp::parse_http_date(value).map(|date| date.since(now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(784_111_777_000);

    #[test]
    fn a_busy_service_is_asked_again_whatever_the_request() {
        let answer = Response::new(429, "").with_header("Retry-After", "7");
        let seven = Verdict::Again { delay: Some(Duration::from_secs(7)), throttled: true };
        assert_eq!(judge_response(&answer, Repeat::IfUnprocessed, NOW), seven);
        let date = Response::new(429, "").with_header("Retry-After", "Sun, 06 Nov 1994 08:49:47 GMT");
        let ten = Verdict::Again { delay: Some(Duration::from_secs(10)), throttled: true };
        assert_eq!(judge_response(&date, Repeat::Always, NOW), ten);
        let silent = Verdict::Again { delay: Some(Duration::from_secs(30)), throttled: true };
        assert_eq!(judge_response(&Response::new(429, ""), Repeat::Always, NOW), silent);
    }

    #[test]
    fn a_failure_is_repeated_only_where_nothing_happens_twice() {
        for status in [500, 502, 503, 504] {
            let answer = Response::new(status, "");
            assert!(matches!(judge_response(&answer, Repeat::Always, NOW), Verdict::Again { .. }));
            assert_eq!(judge_response(&answer, Repeat::IfUnprocessed, NOW), Verdict::Final, "{status}");
        }
        let lost = TransportError::new(TransportKind::NoAnswer, "");
        assert!(!may_repeat(&lost, Repeat::IfUnprocessed));
        assert!(may_repeat(&lost, Repeat::Always));
        assert!(may_repeat(&TransportError::new(TransportKind::NotSent, ""), Repeat::IfUnprocessed));
    }

    #[test]
    fn pauses_double_up_to_the_limit_and_are_spread_over_the_upper_half() {
        let policy = RetryPolicy::default();
        assert_eq!(backoff(&policy, 1, 0), Duration::from_millis(500));
        assert_eq!(backoff(&policy, 3, 0), Duration::from_secs(2));
        assert_eq!(backoff(&policy, 3, u32::MAX), Duration::from_secs(1));
        assert_eq!(backoff(&policy, 40, 0), Duration::from_secs(60));
    }
}
