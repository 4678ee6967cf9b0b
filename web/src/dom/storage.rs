//! What the browser keeps for the next visit: never a password, never a session.

use web_sys::Storage;

/// The name under which the theme is kept; `boot.js` reads it before the first picture.
const THEME: &str = "xenoxide:theme";
const LANGUAGE: &str = "xenoxide:language";
const USER: &str = "xenoxide:user";
const SESSION: &str = "xenoxide:session:";

/// A browser may keep nothing at all; then everything is as on the first visit.
fn storage() -> Option<Storage> {
    super::window()?.local_storage().ok().flatten()
}

fn get(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

fn set(key: &str, value: Option<&str>) {
    if let Some(storage) = storage() {
        // A full storage is no reason to stop.
        let _ = match value {
            Some(value) => storage.set_item(key, value),
            None => storage.remove_item(key),
        };
    }
}

/// The theme that was chosen.
pub(crate) fn theme() -> String {
    get(THEME).unwrap_or_default()
}

/// Keeps the theme.
pub(crate) fn set_theme(name: &str) {
    set(THEME, Some(name));
}

/// The code of the language that was chosen; empty for the system's.
pub(crate) fn language() -> String {
    get(LANGUAGE).unwrap_or_default()
}

/// Keeps the language.
pub(crate) fn set_language(code: &str) {
    set(LANGUAGE, Some(code).filter(|code| !code.is_empty()));
}

/// Who logged in last.
pub(crate) fn user() -> Option<String> {
    get(USER)
}

/// Keeps who logged in.
pub(crate) fn set_user(user: &str) {
    set(USER, Some(user));
}

/// Whether there may still be a session with a pool. The session itself is where no script can read it.
pub(crate) fn has_session(pool: &str) -> bool {
    get(&format!("{SESSION}{pool}")).is_some()
}

/// Keeps that there is a session with a pool, or that there is none.
pub(crate) fn set_session(pool: &str, open: bool) {
    set(&format!("{SESSION}{pool}"), open.then_some("open"));
}
