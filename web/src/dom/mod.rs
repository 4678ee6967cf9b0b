//! What the browser knows and remembers.

pub(crate) mod calm;
pub(crate) mod crash;
pub(crate) mod language;
pub(crate) mod measure;
pub(crate) mod save;
pub(crate) mod storage;
pub(crate) mod transfer;

use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, HtmlElement, Window};
use xenapi_core::Millis;

/// The window. There is none only where tests render pages natively.
pub(crate) fn window() -> Option<Window> {
    if cfg!(target_arch = "wasm32") { web_sys::window() } else { None }
}

/// The element with that id.
pub(crate) fn element(id: &str) -> Option<Element> {
    window()?.document()?.get_element_by_id(id)
}

/// Brings what the parts look like that are not in the first module; once. None where there is no page.
pub(crate) fn styles() -> Option<JsFuture> {
    let bring = js_sys::Reflect::get(window()?.as_ref(), &"xenoxideStyles".into()).ok()?;
    let promise = bring.dyn_ref::<js_sys::Function>()?.call0(&JsValue::UNDEFINED).ok()?;
    Some(JsFuture::from(js_sys::Promise::resolve(&promise)))
}

/// Gives an element the keyboard.
pub(crate) fn focus(id: &str) {
    if let Some(element) = element(id).and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // An element that cannot take the focus leaves it where it is.
        let _ = element.focus();
    }
}

/// What has the keyboard.
pub(crate) fn focused() -> Option<HtmlElement> {
    window()?.document()?.active_element()?.dyn_into().ok()
}

/// Opens an address of this page in another tab.
pub(crate) fn open(address: &str) {
    if let Some(window) = window() {
        // A browser that opens no tabs says so itself.
        let _ = window.open_with_url_and_target(address, "_blank");
    }
}

/// Time since the page was opened, which never goes back.
pub(crate) fn now() -> Millis {
    let now = window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now());
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "time since opening is small and not negative"
    )]
    Millis(now as u64)
}

/// Gives an element of a drawing the keyboard, without scrolling anything: drawings bring themselves into sight.
pub(crate) fn focus_quietly(id: &str) {
    let Some(element) = element(id) else { return };
    let options = js_sys::Object::new();
    let focus = js_sys::Reflect::get(&element, &"focus".into()).map(wasm_bindgen::JsCast::dyn_into::<js_sys::Function>);
    // An element that cannot take the focus leaves it where it is.
    let _ = js_sys::Reflect::set(&options, &"preventScroll".into(), &true.into());
    if let Ok(Ok(focus)) = focus {
        let _ = focus.call1(&element, &options);
    }
}

/// Whether the page is dark, by choice or because the system is.
pub(crate) fn is_dark() -> bool {
    let Some(window) = window() else { return false };
    let root = window.document().and_then(|document| document.document_element());
    match root.and_then(|root| root.get_attribute("data-theme")).as_deref() {
        Some("dark") => true,
        Some("light") => false,
        _ => window.match_media("(prefers-color-scheme: dark)").ok().flatten().is_some_and(|query| query.matches()),
    }
}

/// Time since the page was opened, in milliseconds with fractions, to measure what took how long.
pub(crate) fn precise_now() -> f64 {
    window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now())
}

/// Scrolls a list just far enough to show an element.
pub(crate) fn reveal(id: &str) {
    if let Some(element) = element(id) {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// The clock on the wall, in seconds since 1970; 0 where there is none.
pub(crate) fn clock() -> i64 {
    #[allow(clippy::cast_possible_truncation, reason = "no clock shows that many seconds")]
    if cfg!(target_arch = "wasm32") { (js_sys::Date::now() / 1000.0) as i64 } else { 0 }
}

/// Puts a text on the clipboard. Whether the browser let it.
pub(crate) async fn copy(text: &str) -> bool {
    let Some(window) = window() else { return false };
    // Browsers give pages a clipboard only over HTTPS or from the machine itself.
    if !window.is_secure_context() {
        return false;
    }
    wasm_bindgen_futures::JsFuture::from(window.navigator().clipboard().write_text(text)).await.is_ok()
}

/// How many marks of a name are kept.
const MARKS: u32 = 1000;

/// Leaves a mark for those who measure. Of what comes again and again, the older marks go now and then.
pub(crate) fn mark(name: &str) {
    if let Some(performance) = window().and_then(|window| window.performance()) {
        if performance.get_entries_by_name_with_entry_type(name, "mark").length() >= MARKS {
            performance.clear_marks_with_mark_name(name);
        }
        // A mark that cannot be set is not worth failing for.
        let _ = performance.mark(name);
    }
}

/// Tells whenever the page is hidden or seen again, until what it answers is dropped.
pub(crate) fn on_hidden(told: impl Fn(bool) + 'static) -> Option<gloo_events::EventListener> {
    let document = window()?.document()?;
    let seen = document.clone();
    Some(gloo_events::EventListener::new(&document, "visibilitychange", move |_| told(seen.hidden())))
}

/// Whether nobody sees the page.
pub(crate) fn is_hidden() -> bool {
    window().and_then(|window| window.document()).is_some_and(|document| document.hidden())
}

/// The server that this page came from, for messages: `127.0.0.1:8080`.
pub(crate) fn host() -> String {
    window().and_then(|window| window.location().host().ok()).unwrap_or_default()
}

/// Whether the address asks for something by a word behind `?`.
pub(crate) fn asks_for(word: &str) -> bool {
    let search = window().and_then(|window| window.location().search().ok()).unwrap_or_default();
    search.trim_start_matches('?').split('&').any(|pair| pair.split('=').next() == Some(word))
}

/// The part of the address behind `#`.
pub(crate) fn hash() -> String {
    window().and_then(|window| window.location().hash().ok()).unwrap_or_default()
}

/// Changes the address without leaving the page; `replace` leaves no step to go back to.
pub(crate) fn set_hash(hash: &str, replace: bool) {
    let Some(window) = window() else { return };
    if window.location().hash().ok().as_deref() == Some(hash) {
        return;
    }
    let Ok(history) = window.history() else { return };
    let null = wasm_bindgen::JsValue::NULL;
    // A browser that refuses (too many changes at once) leaves the address behind; the page itself is right.
    let _ = if replace {
        history.replace_state_with_url(&null, "", Some(hash))
    } else {
        history.push_state_with_url(&null, "", Some(hash))
    };
}

/// Tells styles which colours are wanted.
pub(crate) fn set_theme(name: &str) {
    let root = window().and_then(|window| window.document()).and_then(|document| document.document_element());
    if let Some(root) = root {
        // Neither can fail for a name that is a valid attribute.
        let _ = match name {
            "system" => root.remove_attribute("data-theme"),
            name => root.set_attribute("data-theme", name),
        };
    }
}

/// The title of the page.
pub(crate) fn set_title(title: &str) {
    if let Some(document) = window().and_then(|window| window.document()) {
        document.set_title(title);
    }
}
