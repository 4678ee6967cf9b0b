//! Finding anything, in a real browser.

use crate::browser::in_browser;
use crate::pages::Sample;

/// Ctrl+K where the keyboard is.
const CTRL_K: &str = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true, cancelable: true }))";

#[test]
fn anything_is_found_by_keyboard_alone() {
    let sample = Sample::start();
    let uuid = sample.first("VM");
    in_browser(1440, &[], async |browser| {
        sample.log_in(&browser).await;
        browser.click("[data-testid=view-vms]").await;
        browser.element("[data-testid=vm-row]").await;
        browser.script("document.querySelector('[data-testid=vm-table]').focus()").await;
        // Ctrl+K opens, and Escape closes and gives the focus back.
        browser.script(CTRL_K).await;
        browser.element("[data-testid=palette-input]").await;
        browser.press("\u{e00c}").await;
        let script = "return !document.querySelector('[data-testid=palette]') && document.activeElement.dataset.testid === 'vm-table'";
        browser.script_until("the focus to be back", script).await;

        // So does the slash, where nothing is typed.
        browser.press("/").await;
        browser.fill("[data-testid=palette-input]", &uuid[..13]).await;
        browser.element(&format!("[data-testid=palette-option].active[data-uuid='{uuid}']")).await;
        browser.press("\u{e007}").await;
        let script = format!("return location.hash.endsWith('/VM/{uuid}')");
        browser.script_until("the page of the VM", &script).await;

        // What can be done is found as well, and what was chosen is remembered.
        browser.script(CTRL_K).await;
        browser.element(&format!("[data-testid=palette-option][data-uuid='{uuid}']")).await;
        browser.fill("[data-testid=palette-input]", "dark").await;
        browser.element("[data-testid=palette-option].active").await;
        browser.press("\u{e007}").await;
        browser.script_until("the dark theme", "return document.documentElement.dataset.theme === 'dark'").await;

        browser.script(CTRL_K).await;
        browser.fill("[data-testid=palette-input]", "qqqqqq").await;
        browser.element("[data-testid=palette-none]").await;
        browser
    });
}
