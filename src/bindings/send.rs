//! One request over fetch: the global one by gloo-net, or the host's own.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use gloo_net::http::{RequestBuilder, Response as Fetched};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Promise, Reflect, Uint8Array};
use serde_json::json;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, ReadableStreamDefaultReader, RequestInit, RequestRedirect};

use super::cancel::Cancel;
use super::host::Host;
use super::words::{cause_code, words_of};
use crate::http::{Input, Request, Response, TransportError, TransportKind, redact_url};
use crate::odata::same_origin;

/// Failures of Node that come before anything was sent.
const NOT_SENT: [&str; 6] =
    ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT", "EHOSTUNREACH", "ENETUNREACH"];

/// What came of it; `Cancelled` when the caller gave up first, and the request is aborted then. Of a streamed answer the body
/// comes apart.
pub(super) async fn send(
    host: &Host,
    request: Request,
    bearer: Option<&str>,
    cancel: &mut Cancel,
) -> (Input, Option<Body>) {
    let id = host.next_request();
    let shown = redact_url(&request.url);
    host.emit(&json!({ "type": "request", "id": id, "method": request.method.as_str(), "url": shown }));
    let began = js_sys::Date::now();
    let Ok(controller) = AbortController::new() else {
        return (lost(TransportKind::NotSent, "this runtime has no AbortController"), None);
    };
    let timeout = u32::try_from(request.timeout.as_millis()).unwrap_or(u32::MAX >> 1);
    let mut reader = None;
    let exchange = timed(timeout, fetch(host, &request, bearer, &controller, &mut reader));
    let outcome = match cancel.race(exchange).await {
        Some(outcome) => outcome.unwrap_or_else(|| lost(TransportKind::Timeout, "timeout")),
        None => Input::Cancelled,
    };
    if let Input::Response(response) = &outcome {
        let ms = js_sys::Date::now() - began;
        host.emit(&json!({ "type": "response", "id": id, "status": response.status, "ms": ms.max(0.0) }));
    } else {
        controller.abort();
    }
    let body =
        reader.map(|reader| Body { reader, controller, host: host.clone(), url: request.url, timeout });
    (outcome, body)
}

/// A body on its way. The request is aborted when this is dropped.
pub(super) struct Body {
    reader: ReadableStreamDefaultReader,
    controller: AbortController,
    host: Host,
    url: String,
    timeout: u32,
}

impl Body {
    /// The next bytes, nothing at the end, or why there are no more (`Cancelled` when the caller gave up).
    pub(super) async fn read(&self, cancel: &mut Cancel) -> Result<Option<Uint8Array>, Input> {
        let next = timed(self.timeout, JsFuture::from(self.reader.read()));
        let result = match cancel.race(next).await {
            Some(Some(Ok(result))) => result,
            Some(Some(Err(thrown))) => return Err(failed(&self.host, &self.url, &thrown)),
            Some(None) => return Err(lost(TransportKind::Timeout, "timeout")),
            None => return Err(Input::Cancelled),
        };
        let get = |name: &str| Reflect::get(&result, &name.into()).unwrap_or_default();
        if get("done").is_truthy() {
            return Ok(None);
        }
        match get("value").dyn_into::<Uint8Array>() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(_) => Err(lost(TransportKind::NoAnswer, "the body is no stream of bytes")),
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        // Of a body that was read to its end nothing is left to abort.
        self.controller.abort();
    }
}

/// The output, or nothing after so many milliseconds.
async fn timed<T>(millis: u32, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut timeout = None;
    std::future::poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        // Only what is not there at once needs a timer.
        let timeout = timeout.get_or_insert_with(|| TimeoutFuture::new(millis));
        Pin::new(timeout).poll(context).map(|()| None)
    })
    .await
}

async fn fetch(
    host: &Host,
    request: &Request,
    bearer: Option<&str>,
    controller: &AbortController,
    reader: &mut Option<ReadableStreamDefaultReader>,
) -> Input {
    let (url, rewritten) = match host.rewrite(&request.url) {
        Ok(rewritten) => rewritten,
        Err(error) => return lost(TransportKind::NotSent, &error.message),
    };
    let promise = match start(host, request, &url, rewritten, bearer, controller) {
        Ok(promise) => promise,
        Err(thrown) => return lost(TransportKind::NotSent, &words_of(&thrown)),
    };
    let fetched = match JsFuture::from(promise).await {
        Ok(fetched) => fetched,
        Err(thrown) => return failed(host, &url, &thrown),
    };
    let response = Fetched::from(fetched.clone().unchecked_into::<web_sys::Response>());
    // A page is not shown where a redirect leads, nor its status.
    let status = if response.status() == 0 { 302 } else { response.status() };
    let headers = response
        .headers()
        .entries()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect::<Vec<_>>();
    let mut answer = Response::new(status, "");
    answer.headers = headers;
    if answer.is_head_for(request)
        && let Some(stream) = reader_of(&fetched)
    {
        *reader = Some(stream);
        return Input::Response(answer);
    }
    answer.body = match response.binary().await {
        Ok(body) => body,
        Err(_) if status == 302 => Vec::new(),
        Err(error) => return failed(host, &url, &js_error(error)),
    };
    Input::Response(answer)
}

/// A host's own fetch may give a body that is no stream of the web, or none.
fn reader_of(response: &JsValue) -> Option<ReadableStreamDefaultReader> {
    let body = Reflect::get(response, &"body".into()).ok()?;
    let get_reader: Function = Reflect::get(&body, &"getReader".into()).ok()?.dyn_into().ok()?;
    get_reader.call0(&body).ok().map(JsCast::unchecked_into)
}

fn start(
    host: &Host,
    request: &Request,
    url: &str,
    rewritten: bool,
    bearer: Option<&str>,
    controller: &AbortController,
) -> Result<Promise, JsValue> {
    let mut headers: Vec<(&str, String)> = request.headers.clone();
    if let Some(token) = bearer.filter(|_| request.bearer) {
        headers.push(("authorization", format!("Bearer {token}")));
    }
    if rewritten {
        headers.push(("x-d365-clm-relay", "1".to_owned()));
    }
    let body = (!request.body.is_empty()).then(|| Uint8Array::from(request.body.as_slice()));
    let signal = controller.signal();
    let Some(own) = host.fetch() else {
        let mut builder = RequestBuilder::new(url)
            .method(method(request))
            .redirect(RequestRedirect::Manual)
            .abort_signal(Some(&signal));
        for (name, value) in &headers {
            builder = builder.header(name, value);
        }
        let request = match body {
            Some(body) => builder.body(body),
            None => builder.build(),
        };
        let request: web_sys::Request = request.map_err(js_error)?.into();
        // gloo-net's own `send` drops the cause of a failure, which alone tells "never left" from "may have arrived".
        let global = js_sys::global();
        let fetch: Function = Reflect::get(&global, &"fetch".into())?
            .dyn_into()
            .map_err(|_| js_sys::Error::new("this runtime has no fetch: hand one over as `fetch`"))?;
        return Ok(Promise::resolve(&fetch.call1(&global, &request)?));
    };
    let init = RequestInit::new();
    init.set_method(request.method.as_str());
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(&signal));
    let list = Headers::new()?;
    for (name, value) in &headers {
        list.set(name, value)?;
    }
    init.set_headers(&list);
    if let Some(body) = &body {
        init.set_body(body);
    }
    Ok(Promise::resolve(&own.call2(&JsValue::UNDEFINED, &url.into(), &init)?))
}

fn method(request: &Request) -> gloo_net::http::Method {
    use crate::http::Method;
    match request.method {
        Method::Get => gloo_net::http::Method::GET,
        Method::Post => gloo_net::http::Method::POST,
        Method::Patch => gloo_net::http::Method::PATCH,
        Method::Put => gloo_net::http::Method::PUT,
        Method::Delete => gloo_net::http::Method::DELETE,
    }
}

fn failed(host: &Host, url: &str, thrown: &JsValue) -> Input {
    let code = cause_code(thrown);
    let cross_origin = host.page_origin().is_some_and(|page| !is_own(page, url));
    let kind = if code.is_some_and(|code| NOT_SENT.contains(&code.as_str())) {
        TransportKind::NotSent
    } else if cross_origin {
        TransportKind::NoAnswerCrossOrigin
    } else {
        TransportKind::NoAnswer
    };
    lost(kind, &words_of(thrown))
}

fn is_own(page: &str, url: &str) -> bool {
    same_origin(page, url) || !url.contains("://")
}

fn lost(kind: TransportKind, words: &str) -> Input {
    Input::TransportError(TransportError::new(kind, words))
}

fn js_error(error: gloo_net::Error) -> JsValue {
    match error {
        gloo_net::Error::JsError(error) => js_sys::Error::new(&error.message).into(),
        other => js_sys::Error::new(&other.to_string()).into(),
    }
}
