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

/// What says where the keyboard is names something that is there.
const ACTIVE: &str = "return [...document.querySelectorAll('[aria-activedescendant]')]
    .every(it => document.getElementById(it.getAttribute('aria-activedescendant')))";

#[test]
fn results_follow_what_happens_and_the_keyboard_stays_where_it_is() {
    let sample = Sample::start();
    let (vm, other) = (sample.reference("VM", 0), sample.reference("VM", 1));
    let rename = |vm: &str, name: &str| sample.call(&["VM.set_name_label", vm, name]);
    in_browser(1440, &[], async |browser| {
        sample.log_in(&browser).await;
        browser.script(CTRL_K).await;
        browser.fill("[data-testid=palette-input]", "zebra").await;
        browser.element("[data-testid=palette-none]").await;
        assert_eq!(browser.script(ACTIVE).await, true);
        rename(&vm, "zebra two");
        browser.element("[data-testid=palette-option].active").await;
        // One that fits better comes before it; the keyboard stays.
        rename(&other, "zebra");
        browser
            .script_until("two", "return document.querySelectorAll('[data-testid=palette-option][data-uuid]').length === 2")
            .await;
        assert_eq!(browser.text("[data-testid=palette-option].active .title").await, "zebra two");
        assert_eq!(browser.text("[data-testid=palette-option] .title").await, "zebra");
        assert_eq!(browser.script(ACTIVE).await, true);
        // An arrow goes on from there, and what is gone is not stood on.
        browser.press("\u{e013}").await;
        assert_eq!(browser.text("[data-testid=palette-option].active .title").await, "zebra");
        rename(&other, "horse");
        browser
            .script_until("one", "return document.querySelectorAll('[data-testid=palette-option][data-uuid]').length === 1")
            .await;
        assert_eq!(browser.text("[data-testid=palette-option].active .title").await, "zebra two");
        assert_eq!(browser.script(ACTIVE).await, true);
        browser
    });
}

#[test]
fn lines_that_are_scrolled_away_are_not_named() {
    let sample = Sample::of(&["--hosts", "2", "--vms", "150", "--seed", "3"]);
    in_browser(1440, &[], async |browser| {
        sample.log_in(&browser).await;
        browser.click("[data-testid=view-vms]").await;
        browser.click("[data-testid=vm-row]").await;
        assert_eq!(
            browser
                .script("return document.querySelector('[data-testid=vm-table]').hasAttribute('aria-activedescendant')")
                .await,
            true
        );
        for (what, css) in [("table", "[data-testid=vm-table]"), ("tree", "[data-testid=tree]")] {
            let script =
                format!("const it = document.querySelector('{css}'); (it.closest('.scroll') ?? it).scrollTop = 5000");
            browser.script(&script).await;
            let script = format!("return !document.querySelector('{css}').hasAttribute('aria-activedescendant')");
            browser.script_until(&format!("no line of the {what} to be named"), &script).await;
        }
        assert_eq!(browser.script(ACTIVE).await, true);
        browser
    });
}
