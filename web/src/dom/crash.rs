//! When the program itself fails, the page says so.

use wasm_bindgen::{JsCast as _, JsValue};
use xenapi_console::text::Text;

/// Shows a message and a button instead of a blank page when the program panics. The message stands outside of what the
/// program draws, so it appears whatever state the program is in.
pub(crate) fn install() {
    yew::set_custom_panic_hook(Box::new(|info| {
        let details = info.to_string();
        web_sys::console::error_1(&JsValue::from_str(&details));
        let Some(window) = super::window() else { return };
        let stop = js_sys::Reflect::get(&window, &JsValue::from_str("xenoxideStopped"));
        if let Ok(Ok(stop)) = stop.map(JsValue::dyn_into::<js_sys::Function>) {
            let (hint, details) = (JsValue::from_str(Text::CrashedHint.get()), JsValue::from_str(&details));
            // There is nothing left to do if even that fails.
            let _ = stop.call2(&JsValue::UNDEFINED, &hint, &details);
        }
    }));
}
