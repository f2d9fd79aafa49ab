//! Faults that a test orders: connections that drop, answers that are late, cut, slow or an error, requests that arrive
//! twice. They concern every path but the control path, and the storage account.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use crate::http::reply;
use crate::server::App;

/// Largest body of a request that is sent twice, in bytes.
const MAX_TWICE: usize = 256 * 1024 * 1024;

/// Bytes of a slow body between two pauses.
const SLOW_PIECE: usize = 16 * 1024;

/// Which server a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Place {
    /// The environment: token endpoint, `/data`, `/api/connector`.
    Service,
    /// The storage account.
    Storage,
}

/// A line of a fault plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Rule {
    #[serde(default, rename = "match")]
    wanted: Match,
    /// Strikes the request with this number among those that match, and no other.
    nth: Option<u64>,
    /// Strikes every so many.
    every: Option<u64>,
    fault: Fault,
}

/// What a request must be; what is left out fits all.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Match {
    place: Option<Place>,
    method: Option<String>,
    /// Part of path and query, as sent.
    path: Option<String>,
    /// Name of an action without its namespace, or the last segment of the path.
    action: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fault {
    /// The connection closes without an answer, and nothing was done.
    DropBefore,
    /// The connection closes without an answer after the request was carried out.
    DropAfter,
    /// The request is carried out twice; the answer is the second one's.
    Duplicate,
    /// Nothing is done.
    #[serde(rename_all = "camelCase")]
    Status { code: u16, retry_after: Option<String> },
    /// So many milliseconds pause before each 16 KiB of the answer.
    SlowBody(u64),
    /// The connection closes after so many bytes of the answer's body.
    Truncate(u64),
    /// So many milliseconds pause before the request is looked at.
    Delay(u64),
}

/// The plan of an environment, with what it did so far.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Counted>>);

struct Counted {
    rule: Rule,
    matched: u64,
    injected: u64,
}

impl Faults {
    /// Replaces the plan; counts begin at 0.
    pub(crate) fn set(&self, plan: &[u8]) -> Result<(), String> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            read_plan(plan)?.into_iter().map(|rule| Counted { rule, matched: 0, injected: 0 }).collect();
        Ok(())
    }

    /// Each line of the plan with its counts.
    pub(crate) fn report(&self) -> Json {
        let plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plan.iter()
            .map(|line| json!({ "rule": line.rule, "matched": line.matched, "injected": line.injected }))
            .collect()
    }

    /// Counts a request; the fault of the first line that strikes it.
    fn strike(&self, place: Place, method: &str, target: &str) -> Option<Fault> {
        let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut struck = None;
        for line in plan.iter_mut().filter(|line| line.rule.wanted.fits(place, method, target)) {
            line.matched += 1;
            let hit = match (line.rule.nth, line.rule.every) {
                (Some(nth), _) => line.matched == nth,
                (None, Some(every)) => line.matched.is_multiple_of(every),
                (None, None) => true,
            };
            if hit && struck.is_none() {
                line.injected += 1;
                struck = Some(line.rule.fault.clone());
            }
        }
        struck
    }
}

/// Reads a plan and says what is wrong with it.
pub(crate) fn read_plan(bytes: &[u8]) -> Result<Vec<Rule>, String> {
    let rules: Vec<Rule> = serde_json::from_slice(bytes).map_err(|error| format!("fault plan: {error}"))?;
    for (at, rule) in rules.iter().enumerate() {
        let wrong = match &rule.fault {
            _ if rule.nth.is_some() && rule.every.is_some() => Some("nth and every exclude each other"),
            _ if rule.nth == Some(0) || rule.every == Some(0) => Some("nth and every begin at 1"),
            Fault::Status { code, .. } if !(300..=599).contains(code) => Some("code must be 300 to 599"),
            Fault::Status { retry_after: Some(text), .. } if HeaderValue::from_str(text).is_err() => {
                Some("retryAfter cannot be the value of a header")
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            return Err(format!("fault plan, line {}: {wrong}", at + 1));
        }
    }
    Ok(rules)
}

impl Match {
    fn fits(&self, place: Place, method: &str, target: &str) -> bool {
        let path = target.split('?').next().unwrap_or_default();
        let action = path.rsplit(['/', '.']).next().unwrap_or_default();
        self.place.is_none_or(|wanted| wanted == place)
            && self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_ref().is_none_or(|part| target.contains(part.as_str()))
            && self.action.as_ref().is_none_or(|wanted| wanted == action)
    }
}

/// Marks an answer that is not sent: the connection closes instead.
#[derive(Debug, Clone)]
pub(crate) struct HangUp;

/// Middleware of the service.
pub(crate) async fn inject(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/_sandbox/") {
        return next.run(request).await;
    }
    around(&app, Place::Service, request, |request| next.clone().run(request)).await
}

/// Carries out a request by `run`, with the fault that the plan has for it.
pub(crate) async fn around<F: Future<Output = Response>>(
    app: &App,
    place: Place,
    request: Request,
    run: impl Fn(Request) -> F,
) -> Response {
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let Some(fault) = app.faults.strike(place, request.method().as_str(), target) else {
        return run(request).await;
    };
    match fault {
        Fault::DropBefore => hang_up(),
        Fault::DropAfter => {
            let _ = run(request).await;
            hang_up()
        }
        Fault::Duplicate => twice(request, run).await,
        Fault::Status { code, retry_after } => {
            // What was sent is read, so that the caller reads the answer instead of seeing a broken connection.
            let mut body = request.into_body();
            while let Some(Ok(_)) = body.frame().await {}
            status(place, code, retry_after.as_deref())
        }
        Fault::Delay(milliseconds) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            run(request).await
        }
        Fault::SlowBody(milliseconds) => {
            reshaped(run(request).await, Some(Duration::from_millis(milliseconds)), u64::MAX)
        }
        Fault::Truncate(bytes) => reshaped(run(request).await, None, bytes),
    }
}

fn hang_up() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}

async fn twice<F: Future<Output = Response>>(request: Request, run: impl Fn(Request) -> F) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_TWICE).await else { return hang_up() };
    let first = run(Request::from_parts(parts.clone(), Body::from(bytes.clone()))).await;
    drop(first);
    run(Request::from_parts(parts, Body::from(bytes))).await
}

fn status(place: Place, code: u16, retry_after: Option<&str>) -> Response {
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match place {
        Place::Service => {
            reply(code, "application/json; charset=utf-8", r#"{"Message":"An error has occurred."}"#)
        }
        Place::Storage => reply(
            code,
            "application/xml",
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>ServerBusy</Code><Message>The server is busy.</Message></Error>",
        ),
    };
    if let Some(value) = retry_after.and_then(|text| HeaderValue::from_str(text).ok()) {
        response.headers_mut().insert(HeaderName::from_static("retry-after"), value);
    }
    response
}

/// The answer with pauses in its body, or with a body that breaks off. Its announced length stays.
fn reshaped(response: Response, pause: Option<Duration>, keep: u64) -> Response {
    let (mut parts, mut body) = response.into_parts();
    if let Some(length) =
        body.size_hint().exact().filter(|_| !parts.headers.contains_key(header::CONTENT_LENGTH))
    {
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut left = keep;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return broken(&sender).await };
            let Ok(mut data) = frame.into_data() else { continue };
            while !data.is_empty() {
                let size = usize::try_from(left).unwrap_or(usize::MAX).min(SLOW_PIECE).min(data.len());
                if size == 0 {
                    return broken(&sender).await;
                }
                if let Some(pause) = pause {
                    tokio::time::sleep(pause).await;
                }
                left -= size as u64;
                if sender.send(Ok(data.split_to(size))).await.is_err() {
                    return;
                }
            }
        }
    });
    Response::from_parts(parts, Body::new(Piped(receiver)))
}

async fn broken(sender: &mpsc::Sender<Result<Bytes, Broken>>) {
    // Whether anybody still listens makes no difference.
    let _ = sender.send(Err(Broken)).await;
}

#[derive(Debug, thiserror::Error)]
#[error("the body breaks off as ordered")]
struct Broken;

/// A body that another task writes.
struct Piped(mpsc::Receiver<Result<Bytes, Broken>>);

impl hyper::body::Body for Piped {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_what_fits_and_strike_when_it_is_their_turn() {
        let faults = Faults::default();
        let plan = br#"[
            {"match":{"method":"post","action":"ImportFromPackage"},"nth":2,"fault":"drop-after"},
            {"match":{"path":"comp=block","place":"storage"},"every":2,"fault":{"status":{"code":503,"retryAfter":"1"}}},
            {"match":{"path":"$metadata"},"fault":{"delay":5}}
        ]"#;
        faults.set(plan).unwrap();
        let import = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.ImportFromPackage";
        let service = |target: &str| faults.strike(Place::Service, "POST", target);
        assert_eq!(service(import), None);
        assert_eq!(service(&format!("{import}Async")), None);
        assert_eq!(service(import), Some(Fault::DropAfter));
        assert_eq!(service(import), None);
        assert_eq!(service("/x?comp=block"), None);
        let busy = Fault::Status { code: 503, retry_after: Some("1".to_owned()) };
        let storage: Vec<_> =
            (0..4).map(|_| faults.strike(Place::Storage, "PUT", "/x?comp=block&blockid=a")).collect();
        assert_eq!(storage, [None, Some(busy.clone()), None, Some(busy)]);
        assert_eq!(service("/data/$metadata"), Some(Fault::Delay(5)));
        let report = faults.report();
        let counts: Vec<_> = report
            .as_array()
            .unwrap()
            .iter()
            .map(|l| (l["matched"].clone(), l["injected"].clone()))
            .collect();
        assert_eq!(counts, [(json!(3), json!(1)), (json!(4), json!(2)), (json!(1), json!(1))]);
    }

    #[test]
    fn a_plan_that_cannot_be_meant_is_refused() {
        for (plan, why) in [
            (r#"[{"fault":"explode"}]"#, "fault plan: "),
            (r#"[{"nth":1,"every":2,"fault":"drop-before"}]"#, "line 1: nth and every"),
            (r#"[{"fault":"duplicate"},{"nth":0,"fault":"duplicate"}]"#, "line 2: nth and every begin at 1"),
            (r#"[{"fault":{"status":{"code":200}}}]"#, "code must be"),
            (r#"[{"match":{"url":"x"},"fault":"duplicate"}]"#, "unknown field"),
        ] {
            let refused = read_plan(plan.as_bytes()).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
