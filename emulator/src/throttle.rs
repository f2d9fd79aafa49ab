//! Throttling on request: nothing is refused until the control path asks for it. The limits have the meaning and the
//! words of the service's; data management is exempt from them, as it is there.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;

use crate::odata::error::ODataError;

/// What the control path asks for; it replaces what was asked for before.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Rules {
    /// So many of the next requests are refused, data management included.
    #[serde(default)]
    next: usize,
    /// Most requests in `per` seconds.
    requests: Option<usize>,
    /// Seconds of the sliding window; 300 unless given.
    per: Option<u64>,
    /// Most requests at a time.
    concurrent: Option<usize>,
    /// Value of `Retry-After`; without it there is no such header.
    retry_after: Option<String>,
    /// Whether `Access-Control-Expose-Headers` names `Retry-After`.
    #[serde(default)]
    expose_header: bool,
}

/// Rules that cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RulesError {
    /// Not the JSON that is expected.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// A header that is none.
    #[error("retryAfter cannot be the value of a header")]
    RetryAfter,
    /// A window without an end.
    #[error("per must be 1 to 86400")]
    Window,
}

/// The state of throttling.
#[derive(Default)]
pub(crate) struct Throttle {
    state: Mutex<State>,
    running: Arc<AtomicUsize>,
}

#[derive(Default)]
struct State {
    rules: Rules,
    /// When the requests of the window were let in.
    admitted: VecDeque<Instant>,
}

/// A request that was let in, until it is answered.
pub(crate) struct Admitted(Arc<AtomicUsize>);

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Throttle {
    /// Takes rules as JSON; `{}` ends throttling.
    pub(crate) fn set(&self, bytes: &[u8]) -> Result<(), RulesError> {
        let rules: Rules = serde_json::from_slice(bytes)?;
        if rules.retry_after.as_ref().is_some_and(|text| HeaderValue::from_str(text).is_err()) {
            return Err(RulesError::RetryAfter);
        }
        if rules.per.is_some_and(|seconds| !(1..=86_400).contains(&seconds)) {
            return Err(RulesError::Window);
        }
        *self.lock() = State { rules, admitted: VecDeque::new() };
        Ok(())
    }

    /// Lets a request in, or answers it.
    pub(crate) fn admit(&self, path: &str, now: Instant) -> Result<Admitted, Box<Response>> {
        let mut state = self.lock();
        let running = self.running.load(Ordering::Relaxed);
        match state.refusal(running, is_data_management(path), now) {
            Some(words) => Err(Box::new(state.rules.answer(&words))),
            None => {
                self.running.fetch_add(1, Ordering::Relaxed);
                Ok(Admitted(self.running.clone()))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Why a request is refused; counts it where it is not.
    fn refusal(&mut self, running: usize, exempt: bool, now: Instant) -> Option<String> {
        if self.rules.next > 0 {
            self.rules.next -= 1;
            return Some(
                "This request could not be processed at this time due to system experiencing high resource utilization."
                    .to_owned(),
            );
        }
        if exempt {
            return None;
        }
        if let Some(most) = self.rules.concurrent.filter(|most| running >= *most) {
            return Some(format!("Number of concurrent requests exceeded the limit of {most}."));
        }
        let most = self.rules.requests?;
        let seconds = self.rules.per.unwrap_or(300);
        let window = Duration::from_secs(seconds);
        while self.admitted.front().is_some_and(|at| now.saturating_duration_since(*at) >= window) {
            self.admitted.pop_front();
        }
        if self.admitted.len() >= most {
            return Some(format!(
                "Number of requests exceeded the limit of {most} over the time window of {seconds} seconds."
            ));
        }
        self.admitted.push_back(now);
        None
    }
}

impl Rules {
    fn answer(&self, words: &str) -> Response {
        let mut response = ODataError::new(StatusCode::TOO_MANY_REQUESTS, words).into_response();
        let headers = response.headers_mut();
        if let Some(value) = self.retry_after.as_ref().and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.insert(header::RETRY_AFTER, value);
        }
        if self.expose_header {
            let name = HeaderName::from_static("access-control-expose-headers");
            headers.insert(name, HeaderValue::from_static("Retry-After"));
        }
        response
    }
}

fn is_data_management(path: &str) -> bool {
    path.starts_with("/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(throttle: &Throttle, path: &str, now: Instant) -> Option<String> {
        let mut state = throttle.lock();
        let running = throttle.running.load(Ordering::Relaxed);
        state.refusal(running, is_data_management(path), now)
    }

    #[test]
    fn the_window_slides() {
        let throttle = Throttle::default();
        throttle.set(br#"{"requests": 2, "per": 10}"#).unwrap();
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert_eq!(words(&throttle, "/data/A", at(0)), None);
        assert_eq!(words(&throttle, "/data/A", at(4)), None);
        let refused = "Number of requests exceeded the limit of 2 over the time window of 10 seconds.";
        assert_eq!(words(&throttle, "/data/A", at(9)).as_deref(), Some(refused));
        let action =
            "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.GetExecutionErrors";
        assert_eq!(words(&throttle, action, at(9)), None);
        // The first left the window, the second is still in it.
        assert_eq!(words(&throttle, "/data/A", at(10)), None);
        assert!(words(&throttle, "/data/A", at(13)).is_some());
    }

    #[test]
    fn requests_at_a_time_are_counted_until_they_are_answered() {
        let throttle = Throttle::default();
        throttle.set(br#"{"concurrent": 1, "retryAfter": "5", "exposeHeader": true}"#).unwrap();
        let first = throttle.admit("/data/A", Instant::now()).map_err(|_| ()).unwrap();
        let refused = throttle.admit("/data/A", Instant::now()).err().unwrap();
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.headers()["retry-after"], "5");
        assert_eq!(refused.headers()["access-control-expose-headers"], "Retry-After");
        drop(first);
        assert!(throttle.admit("/data/A", Instant::now()).is_ok());
        for bad in ["{", r#"{"per": 0}"#, r#"{"nexxt": 1}"#, "{\"retryAfter\": \"a\\nb\"}"] {
            assert!(throttle.set(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
