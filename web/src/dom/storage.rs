//! What the browser keeps for the next visit: never a password, never a session.

use web_sys::Storage;

/// The name under which the theme is kept; `boot.js` reads it before the first picture.
const THEME: &str = "xenoxide:theme";
const LANGUAGE: &str = "xenoxide:language";
const POOL: &str = "xenoxide:pool";
const GROUPING: &str = "xenoxide:tree";
const USER: &str = "xenoxide:user";
const SESSION: &str = "xenoxide:session:";
const COLUMNS: &str = "xenoxide:columns:";
const RECENT: &str = "xenoxide:recent:";

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

/// The pool that was looked at last, by its name at the proxy.
pub(crate) fn pool() -> Option<String> {
    get(POOL)
}

/// Keeps the pool.
pub(crate) fn set_pool(name: &str) {
    set(POOL, Some(name));
}

/// What the tree was grouped by.
pub(crate) fn grouping() -> String {
    get(GROUPING).unwrap_or_default()
}

/// Keeps what the tree is grouped by.
pub(crate) fn set_grouping(name: &str) {
    set(GROUPING, Some(name));
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

/// The columns of a table that were chosen last.
pub(crate) fn columns(table: &str) -> Option<String> {
    get(&format!("{COLUMNS}{table}"))
}

/// Keeps the columns of a table, or forgets them.
pub(crate) fn set_columns(table: &str, columns: Option<&str>) {
    set(&format!("{COLUMNS}{table}"), columns);
}

/// What was chosen in the palette of a pool last.
pub(crate) fn recent(pool: &str) -> String {
    get(&format!("{RECENT}{pool}")).unwrap_or_default()
}

/// Keeps what was chosen in the palette of a pool.
pub(crate) fn set_recent(pool: &str, recent: &str) {
    set(&format!("{RECENT}{pool}"), Some(recent));
}
