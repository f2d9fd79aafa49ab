//! A panic is a bug. The instance is dead after it; JavaScript is told, so that nobody waits for ever.

use js_sys::Function;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Calls `callback` with the place of a panic, and nothing of its words: they may hold data of a customer.
#[wasm_bindgen(js_name = onPanic)]
pub fn on_panic(callback: Function) {
    thread_local! {
        static CALLBACK: std::cell::RefCell<Option<Function>> = const { std::cell::RefCell::new(None) };
    }
    CALLBACK.with_borrow_mut(|held| *held = Some(callback));
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |place| {
            let file = place.file().rsplit_once("src/").map_or("?", |(_, file)| file);
            format!("{file}:{}", place.line())
        });
        CALLBACK.with_borrow(|held| {
            if let Some(callback) = held {
                let _ = callback.call1(&JsValue::UNDEFINED, &place.into());
            }
        });
    }));
}

/// Panics.
#[cfg(feature = "panic-probe")]
#[wasm_bindgen(js_name = panicProbe)]
#[allow(clippy::panic, reason = "it is what the test wants")]
pub fn panic_probe() {
    panic!("as the test asked")
}
