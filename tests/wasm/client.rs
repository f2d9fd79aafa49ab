//! The driver over a fetch of the host's own.

use std::rc::Rc;

use d365_clm::bindings::Client;
use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::text;

const OPTIONS: &str = r#"{"baseUrl":"https://contoso.operations.dynamics.com","retry":{"attempts":1}}"#;

/// A host whose functions note in `log` what they were asked.
fn host(fetch: &str, get_token: &str) -> (Object, Array) {
    let (host, log) = (Object::new(), Array::new());
    for (name, arguments, body) in
        [("fetch", "log, url, init", fetch), ("getToken", "log, request", get_token)]
    {
        if !body.is_empty() {
            let function = Function::new_with_args(arguments, body).bind1(&JsValue::UNDEFINED, &log);
            Reflect::set(&host, &name.into(), &function).unwrap();
        }
    }
    (host, log)
}

fn noted(log: &Array) -> Vec<String> {
    log.iter().map(|entry| entry.as_string().unwrap_or_default()).collect()
}

#[wasm_bindgen_test]
async fn a_call_carries_the_token_of_the_host() {
    let (host, log) = host(
        "log.push(`${init.method} ${url} ${init.headers.get('authorization')} ${init.redirect}`); return new Response('\u{feff}3')",
        "log.push(`${request.reason} ${request.scope}`); return Promise.resolve({ token: 'T1' })",
    );
    let client = Client::new(OPTIONS, &host).unwrap();
    assert_eq!(client.count("Currencies", "{}", None).await.unwrap(), 3.0);
    assert_eq!(client.count("Currencies", "{}", None).await.unwrap(), 3.0);
    let call = "GET https://contoso.operations.dynamics.com/data/Currencies/$count Bearer T1 manual";
    assert_eq!(noted(&log), ["first https://contoso.operations.dynamics.com/.default", call, call]);
}

#[wasm_bindgen_test]
async fn a_refused_token_is_renewed_once() {
    let (host, log) = host(
        "log.push(init.headers.get('authorization')); return new Response('', { status: 401 })",
        "log.push(request.reason); return Promise.resolve({ token: 'T' + log.length })",
    );
    let client = Client::new(OPTIONS, &host).unwrap();
    let thrown = client.count("Currencies", "{}", None).await.unwrap_err();
    assert_eq!(text(&thrown, "code"), "AUTH_REJECTED");
    assert_eq!(noted(&log), ["first", "Bearer T1", "rejected", "Bearer T3"]);
}

#[wasm_bindgen_test]
async fn simultaneous_calls_ask_for_one_token() {
    let (host, log) = host(
        "return new Response('1')",
        "log.push('asked'); return new Promise((done) => setTimeout(() => done({ token: 'T' }), 5))",
    );
    let client = Rc::new(Client::new(OPTIONS, &host).unwrap());
    let calls: Array = (0..5)
        .map(|_| {
            let client = client.clone();
            future_to_promise(async move { client.count("Currencies", "{}", None).await.map(JsValue::from) })
        })
        .collect();
    JsFuture::from(Promise::all(&calls)).await.unwrap();
    assert_eq!(noted(&log), ["asked"]);
}

#[wasm_bindgen_test]
async fn what_the_host_throws_comes_along_as_cause() {
    let (host, _) = host("return new Response('1')", "throw new Error('no account')");
    let client = Client::new(OPTIONS, &host).unwrap();
    let thrown = client.count("Currencies", "{}", None).await.unwrap_err();
    assert_eq!(text(&thrown, "code"), "AUTH_REJECTED");
    let cause = Reflect::get(&thrown, &"cause".into()).unwrap();
    assert_eq!(text(&cause, "message"), "no account");
}

#[wasm_bindgen_test]
async fn after_an_abort_the_request_is_aborted_and_none_follows() {
    let (host, log) = host(
        "log.push('sent'); return new Promise((_, fail) => init.signal.addEventListener('abort', () => { log.push('aborted'); fail(init.signal.reason) }))",
        "",
    );
    let client = Client::new(OPTIONS, &host).unwrap();
    let controller = web_sys::AbortController::new().unwrap();
    Function::new_with_args("controller", "setTimeout(() => controller.abort('enough'), 5)")
        .call1(&JsValue::UNDEFINED, &controller)
        .unwrap();
    let thrown = client.count("Currencies", "{}", Some(controller.signal())).await.unwrap_err();
    assert_eq!(text(&thrown, "code"), "ABORTED");
    assert_eq!(text(&thrown, "cause"), "enough");
    assert_eq!(noted(&log), ["sent", "aborted"]);
}

#[wasm_bindgen_test]
async fn the_global_fetch_is_used_where_the_host_has_none() {
    // Port 9 answers nobody; a browser does not even try.
    let options = r#"{"baseUrl":"http://127.0.0.1:9","retry":{"attempts":1}}"#;
    let client = Client::new(options, &Object::new()).unwrap();
    let thrown = client.count("Currencies", "{}", None).await.unwrap_err();
    assert_eq!(text(&thrown, "code"), "NETWORK", "{}", text(&thrown, "message"));
}

#[wasm_bindgen_test]
async fn pages_are_read_to_the_end() {
    let (host, log) = host(
        "log.push(url); const more = url.includes('skiptoken'); return new Response(JSON.stringify(more ? { value: [{ A: 2 }] } : { value: [{ A: 1 }], '@odata.nextLink': 'https://contoso.operations.dynamics.com/data/X?$skiptoken=1' }))",
        "",
    );
    let client = Client::new(OPTIONS, &host).unwrap();
    let pager = client.list("X", "{}").unwrap();
    for piece in [r#"[{"A":1}]"#, "{}", r#"[{"A":2}]"#, "{}"] {
        JsFuture::from(pager.wait()).await.unwrap();
        assert_eq!(pager.take().unwrap().as_deref(), Some(piece));
    }
    JsFuture::from(pager.wait()).await.unwrap();
    assert_eq!(pager.take().unwrap(), None);
    assert_eq!(log.length(), 2);
}
