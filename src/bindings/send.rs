//! One request over fetch: the global one by gloo-net, or the host's own.

use gloo_net::http::{RequestBuilder, Response as Fetched};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Promise, Reflect, Uint8Array};
use serde_json::json;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, RequestInit, RequestRedirect};

use super::cancel::Cancel;
use super::host::Host;
use super::words::{cause_code, words_of};
use crate::http::{Input, Request, Response, TransportError, TransportKind, redact_url};
use crate::odata::same_origin;

/// Failures of Node that come before anything was sent.
const NOT_SENT: [&str; 6] =
    ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT", "EHOSTUNREACH", "ENETUNREACH"];

/// What came of it; `Cancelled` when the caller gave up first, and the request is aborted then.
pub(super) async fn send(host: &Host, request: Request, bearer: Option<&str>, cancel: &mut Cancel) -> Input {
    let id = host.next_request();
    let shown = redact_url(&request.url);
    host.emit(&json!({ "type": "request", "id": id, "method": request.method.as_str(), "url": shown }));
    let began = js_sys::Date::now();
    let Ok(controller) = AbortController::new() else {
        return lost(TransportKind::NotSent, "this runtime has no AbortController");
    };
    let timeout = TimeoutFuture::new(u32::try_from(request.timeout.as_millis()).unwrap_or(u32::MAX >> 1));
    let exchange = fetch(host, &request, bearer, &controller);
    let timed = async {
        let mut exchange = std::pin::pin!(exchange);
        let mut timeout = std::pin::pin!(timeout);
        std::future::poll_fn(|context| {
            use std::task::Poll;
            if let Poll::Ready(outcome) = exchange.as_mut().poll(context) {
                return Poll::Ready(outcome);
            }
            timeout.as_mut().poll(context).map(|()| lost(TransportKind::Timeout, "timeout"))
        })
        .await
    };
    let Some(outcome) = cancel.race(timed).await else {
        controller.abort();
        return Input::Cancelled;
    };
    match &outcome {
        Input::Response(response) => {
            let ms = js_sys::Date::now() - began;
            host.emit(&json!({ "type": "response", "id": id, "status": response.status, "ms": ms.max(0.0) }));
        }
        _ => controller.abort(),
    }
    outcome
}

async fn fetch(host: &Host, request: &Request, bearer: Option<&str>, controller: &AbortController) -> Input {
    let (url, rewritten) = match host.rewrite(&request.url) {
        Ok(rewritten) => rewritten,
        Err(error) => return lost(TransportKind::NotSent, &error.message),
    };
    let promise = match start(host, request, &url, rewritten, bearer, controller) {
        Ok(promise) => promise,
        Err(thrown) => return lost(TransportKind::NotSent, &words_of(&thrown)),
    };
    let fetched = JsFuture::from(promise)
        .await
        .map(|response| Fetched::from(response.unchecked_into::<web_sys::Response>()));
    let response = match fetched {
        Ok(response) => response,
        Err(thrown) => return failed(host, &url, &thrown),
    };
    // A page is not shown where a redirect leads, nor its status.
    let status = if response.status() == 0 { 302 } else { response.status() };
    let headers = response
        .headers()
        .entries()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect::<Vec<_>>();
    let body = match response.binary().await {
        Ok(body) => body,
        Err(_) if status == 302 => Vec::new(),
        Err(error) => return failed(host, &url, &js_error(error)),
    };
    let mut answer = Response::new(status, body);
    answer.headers = headers;
    Input::Response(answer)
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
