//! Taking things out of the page: files and the clipboard.

use gloo_events::{EventListener, EventListenerOptions, EventListenerPhase};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Blob, BlobPropertyBag, ClipboardEvent, Event, HtmlAnchorElement, HtmlDocument, Url};

/// Saves a text as a file, as the browser does with downloads.
pub(crate) fn save(name: &str, mime: &str, text: &str) {
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    let options = BlobPropertyBag::new();
    options.set_type(&format!("{mime};charset=utf-8"));
    let Some(document) = super::window().and_then(|window| window.document()) else { return };
    let blob = Blob::new_with_str_sequence_and_options(&parts, &options);
    let Some(url) = blob.ok().and_then(|blob| Url::create_object_url_with_blob(&blob).ok()) else { return };
    let link = document.create_element("a").ok().and_then(|it| it.dyn_into::<HtmlAnchorElement>().ok());
    if let Some(link) = link {
        link.set_href(&url);
        link.set_download(name);
        link.click();
    }
    // The browser has begun to read it by then; one that has not keeps it.
    let _ = Url::revoke_object_url(&url);
}

/// Puts a text on the clipboard; has to be called while a click or a key is handled. Whether the browser let it.
///
/// By the event of copying, because the newer way works on pages with TLS alone.
pub(crate) fn copy(text: &str) -> bool {
    let document = super::window().and_then(|window| window.document()).and_then(|it| it.dyn_into::<HtmlDocument>().ok());
    let Some(document) = document else { return false };
    let text = text.to_owned();
    let options = EventListenerOptions { phase: EventListenerPhase::Capture, passive: false };
    let listener = EventListener::new_with_options(&document, "copy", options, move |event| {
        event.stop_propagation();
        answer_copy(event, &text);
    });
    let copied = document.exec_command("copy").unwrap_or(false);
    drop(listener);
    copied
}

/// Answers the event of copying with a text.
pub(crate) fn answer_copy(event: &Event, text: &str) {
    let data = event.dyn_ref::<ClipboardEvent>().and_then(ClipboardEvent::clipboard_data);
    if let Some(data) = data
        && data.set_data("text/plain", text).is_ok()
    {
        event.prevent_default();
    }
}

/// Whether some text of the page is marked, which is then what copying means.
pub(crate) fn is_text_marked() -> bool {
    let selection = super::window().and_then(|window| window.get_selection().ok().flatten());
    selection.is_some_and(|selection| !selection.is_collapsed())
}
