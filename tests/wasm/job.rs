//! Jobs across the boundary.

use d365_clm::bindings::{Client, JobHooks, PackageWriter};
use js_sys::{Function, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::text;

fn package() -> Uint8Array {
    let spec = r#"{"name":"CLM-Currencies","entities":[{"entity":"Currencies"}]}"#;
    let mut writer = PackageWriter::new(spec).unwrap();
    writer.begin_entity(0, vec!["CurrencyCode".into()]).unwrap();
    writer.write_rows("EUR", &[3], &[0]).unwrap();
    writer.end_entity().unwrap();
    writer.finish().unwrap();
    writer.take()
}

fn hooks(on_checkpoint: &str, source: &Uint8Array) -> JobHooks {
    let hooks = Object::new();
    let read = Function::new_with_args("source", "return async (start, end) => source.slice(start, end)");
    Reflect::set(&hooks, &"read".into(), &read.call1(&JsValue::UNDEFINED, source).unwrap()).unwrap();
    let set = |name: &str, body: &str| {
        Reflect::set(&hooks, &name.into(), &Function::new_with_args("argument", body)).unwrap();
    };
    set("onCheckpoint", on_checkpoint);
    set("onEvent", "");
    hooks.unchecked_into()
}

fn client(fetch: &str) -> Client {
    let host = Object::new();
    Reflect::set(&host, &"fetch".into(), &Function::new_with_args("url, init", fetch)).unwrap();
    Client::new(r#"{"baseUrl":"https://contoso.operations.dynamics.com","company":"usmf"}"#, &host).unwrap()
}

const OPTIONS: &str = r#"{"project":"CLM","executionId":"CLM-1"}"#;
/// A request would be a failure of the test.
const NO_REQUEST: &str = "throw new Error('a request left: ' + url)";

#[wasm_bindgen_test]
async fn a_checkpoint_that_never_becomes_durable_can_be_given_up() {
    let controller = web_sys::AbortController::new().unwrap();
    Function::new_with_args("controller", "setTimeout(() => controller.abort('enough'), 5)")
        .call1(&JsValue::UNDEFINED, &controller)
        .unwrap();
    let waiting = hooks("return new Promise(() => {})", &package());
    let client = client(NO_REQUEST);
    let job = client.import_package(OPTIONS, None, waiting, Some(controller.signal()));
    let thrown = job.await.unwrap_err();
    assert_eq!(text(&thrown, "code"), "ABORTED", "{}", text(&thrown, "message"));
    assert_eq!(text(&thrown, "cause"), "enough");
}

#[wasm_bindgen_test]
async fn a_refused_checkpoint_stops_the_job_before_any_request() {
    let client = client(NO_REQUEST);
    let refusing = hooks("return Promise.reject(new Error('disk full'))", &package());
    let thrown = client.import_package(OPTIONS, None, refusing, None).await.unwrap_err();
    assert!(text(&thrown, "message").contains("disk full"), "{}", text(&thrown, "message"));
    let cause = Reflect::get(&thrown, &"cause".into()).unwrap();
    assert_eq!(text(&cause, "message"), "disk full");
}

#[wasm_bindgen_test]
async fn bytes_that_are_no_package_are_refused_before_any_request() {
    let client = client(NO_REQUEST);
    let bytes = Uint8Array::from(&b"CURRENCYCODE\r\nEUR\r\n"[..]);
    let thrown = client.import_package(OPTIONS, None, hooks("", &bytes), None).await.unwrap_err();
    assert_eq!(text(&thrown, "code"), "NOT_A_PACKAGE");
}

#[wasm_bindgen_test]
async fn a_source_that_can_not_be_read_is_told_in_its_own_words() {
    let client = client(NO_REQUEST);
    let broken = hooks("", &package());
    let read = Function::new_no_args(
        "return Promise.reject(Object.assign(new Error('no disk'), { code: 'SOURCE_REQUIRED' }))",
    );
    Reflect::set(&broken, &"read".into(), &read).unwrap();
    let thrown = client.import_package(OPTIONS, None, broken, None).await.unwrap_err();
    assert_eq!(text(&thrown, "code"), "SOURCE_REQUIRED");
    assert!(text(&thrown, "message").contains("no disk"), "{}", text(&thrown, "message"));
}
