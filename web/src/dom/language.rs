//! Speaking another language: fetching its file, and telling the page outside of what the program draws.

use gloo_net::http::Request;
use wasm_bindgen::JsValue;
use xenapi_console::language::{self, Language};
use xenapi_console::text::Text;

/// The languages that the browser is set to, the most wanted first.
fn wanted() -> Vec<String> {
    let languages = super::window().map(|window| window.navigator().languages());
    languages.map(|all| all.iter().filter_map(|it| it.as_string()).collect()).unwrap_or_default()
}

/// The code of the language that was chosen on the last visit, or that the system has.
pub(crate) fn best(chosen: &str) -> &'static str {
    let wanted = wanted();
    language::best(chosen, wanted.iter().map(String::as_str))
}

/// Speaks a language from now on, after fetching its file if that is needed. Whether it worked; if not, everything stays as it was.
pub(crate) async fn speak(code: &str) -> bool {
    if !language::choose(code) {
        match fetch(code).await {
            Ok(language) => language::install(language),
            Err(why) => {
                web_sys::console::warn_1(&JsValue::from_str(&why));
                return false;
            }
        }
    }
    tell_page();
    true
}

async fn fetch(code: &str) -> Result<Language, String> {
    let url = format!("./languages/{code}.lang");
    let response = Request::get(&url).send().await.map_err(|error| format!("{url}: {error}"))?;
    if !response.ok() {
        return Err(format!("{url}: HTTP {}", response.status()));
    }
    let file = response.text().await.map_err(|error| format!("{url}: {error}"))?;
    crate::parts::language(code.into(), file).await.map_err(|error| format!("{url}: {error}"))
}

/// What stands outside of what the program draws, so that it is there when the program is not.
fn tell_page() {
    let Some(document) = super::window().and_then(|window| window.document()) else { return };
    if let Some(root) = document.document_element() {
        // A valid attribute cannot be refused.
        let _ = root.set_attribute("lang", language::current().code());
    }
    for (id, text) in [("crash-title", Text::Crashed), ("crash-hint", Text::CrashedHint), ("crash-reload", Text::Reload)] {
        if let Some(element) = super::element(id) {
            element.set_text_content(Some(text.get()));
        }
    }
}

/// Minutes by which the clock of the reader is ahead of UTC.
pub(crate) fn zone(unix: i64) -> i64 {
    #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
    let date = js_sys::Date::new(&JsValue::from_f64(unix as f64 * 1000.0));
    #[allow(clippy::cast_possible_truncation, reason = "whole minutes of at most a day")]
    let behind = date.get_timezone_offset() as i64;
    -behind
}
