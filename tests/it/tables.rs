//! Tables of every kind in a real browser.

use serde_json::Value;

use crate::browser::{Browser, in_browser};
use crate::pages::Sample;

/// The names in the first column, from top to bottom.
async fn names(browser: &Browser) -> Vec<String> {
    let script = "return [...document.querySelectorAll('.grid tbody .item .name')].map(name => name.textContent.trim())";
    let names = browser.script(script).await;
    names.as_array().expect("a list").iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

async fn until_hash(browser: &Browser, part: &str) {
    let script = format!("return decodeURIComponent(location.hash).includes({part:?})");
    browser.script_until(&format!("{part} in the address"), &script).await;
}

#[test]
fn every_kind_has_its_table() {
    let sample = Sample::start();
    in_browser(1440, &[], async |browser| {
        sample.log_in(&browser).await;
        browser.click("[data-testid=view-vms]").await;
        for (kind, row) in [
            ("hosts", "host"),
            ("srs", "sr"),
            ("vdis", "vdi"),
            ("networks", "network"),
            ("pifs", "pif"),
            ("vifs", "vif"),
            ("vbds", "vbd"),
            ("pbds", "pbd"),
            ("templates", "template"),
            ("vms", "vm"),
        ] {
            browser.click(&format!("[data-testid=table-{kind}]")).await;
            browser.element(&format!("[data-testid={row}-row]")).await;
            browser
                .text_where(&format!("[data-testid={row}-count]"), "a number", |text| {
                    text.starts_with(|it: char| it.is_ascii_digit())
                })
                .await;
        }
        browser
    });
}

/// Types in the place of what stands in the filter, as people do.
async fn retype(browser: &Browser, text: &str) {
    browser.script("const box = document.querySelector('[data-testid=vm-filter]'); box.focus(); box.select()").await;
    browser.press(text).await;
}

#[test]
fn a_table_is_filtered_sorted_and_shared_by_its_address() {
    let sample = Sample::start();
    in_browser(1440, &[], async |browser| {
        sample.log_in(&browser).await;
        browser.click("[data-testid=view-vms]").await;
        browser.element("[data-testid=vm-row]").await;
        let all = names(&browser).await.len();

        // What is typed is completed, and what cannot be understood is told.
        browser.fill("[data-testid=vm-filter]", "state:run").await;
        browser.element("#vm-suggestions [role=option]").await;
        browser.press("\u{e015}\u{e007}").await;
        until_hash(&browser, "q=state:running").await;
        browser
            .script_until(
                "only running VMs",
                "return !document.querySelector('[data-testid=vm-row]:not([data-state=running])')",
            )
            .await;
        retype(&browser, "memroy>4GiB web").await;
        browser.text_where("[data-testid=query-problem]", "what to write", |text| text.contains("memory")).await;
        retype(&browser, "nothing is called that").await;
        browser.element("[data-testid=no-match]").await;
        browser.click("[data-testid=no-match] button").await;
        browser
            .script_until("all VMs", &format!("return document.querySelectorAll('[data-testid=vm-row]').length === {all}"))
            .await;

        // A chip is a term of the query.
        browser.click("[data-testid=facet-state-halted]").await;
        until_hash(&browser, "q=state:halted").await;

        // Two keys, the second with Shift; the address brings it all back.
        browser.click("[data-testid=facet-state-halted]").await;
        browser.click("[data-testid=sort-memory]").await;
        browser.click("[data-testid=sort-memory]").await;
        until_hash(&browser, "sort=-memory").await;
        browser
            .script("document.querySelector('[data-testid=sort-name]').dispatchEvent(new MouseEvent('click', { bubbles: true, shiftKey: true }))")
            .await;
        until_hash(&browser, "sort=-memory,name").await;
        let sorted = names(&browser).await;
        browser.script("location.reload()").await;
        browser.element("[data-testid=vm-row]").await;
        assert_eq!(names(&browser).await, sorted);
        browser.element("th[aria-sort=descending] [data-testid=sort-memory]").await;
        browser
    });
}

#[test]
fn rows_are_chosen_by_keyboard_and_columns_are_remembered() {
    let sample = Sample::start();
    in_browser(1440, &[], async |browser| {
        sample.log_in(&browser).await;
        browser.click("[data-testid=view-vms]").await;
        browser.element("[data-testid=vm-row]").await;
        browser.script("document.querySelector('[data-testid=vm-table]').focus()").await;
        // Down, down, and one more with Shift: two rows.
        browser.press("\u{e015}\u{e015}").await;
        browser
            .script("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', shiftKey: true, bubbles: true, cancelable: true }))")
            .await;
        browser.script_until("two rows", "return document.querySelectorAll('.item[aria-selected=true]').length === 2").await;
        // Enter opens the page of the row where the keyboard is.
        browser.press("\u{e007}").await;
        until_hash(&browser, "/VM/").await;
        browser.script("history.back()").await;
        // A click selects, and the panel tells.
        browser.click("[data-testid=vm-row] td:nth-child(2)").await;
        let name = browser.text("[data-testid=vm-row] .name").await;
        browser.text_where("[data-testid=details-title]", "the name", |text| text == name).await;

        browser.click("[data-testid=vm-columns]").await;
        browser.click("[data-testid=column-uuid]").await;
        browser.element("[data-testid=sort-uuid]").await;
        until_hash(&browser, "uuid").await;
        browser.click("[data-testid=view-topology]").await;
        browser.click("[data-testid=view-vms]").await;
        browser.element("[data-testid=sort-uuid]").await;

        // What is exported is what is shown.
        let script = "window.saved = null; URL.createObjectURL = blob => { blob.text().then(text => window.saved = text); return 'blob:none' };
            HTMLAnchorElement.prototype.click = () => {}; return true";
        browser.script(script).await;
        browser.click("[data-testid=vm-export]").await;
        browser.click("[data-testid=export-csv]").await;
        let saved = browser.script_until("the file", "return window.saved").await;
        let saved = saved.as_str().expect("text");
        assert!(saved.starts_with("name,state,host,") && saved.contains(&name), "{saved}");
        assert_eq!(saved.lines().count(), names(&browser).await.len() + 1);
        browser
    });
}

#[test]
fn a_large_table_draws_only_what_is_in_sight() {
    let sim = crate::harness::Server::sim(&["--hosts", "8", "--vms", "1000"]);
    let serve = crate::harness::Server::serve(sim.get("http"), &[]);
    in_browser(1440, &[], async |browser| {
        browser.go(serve.get("url")).await;
        browser.fill("[data-testid=login-user]", "root").await;
        browser.fill("[data-testid=login-password]", "xenoxide").await;
        browser.click("[data-testid=login-submit]").await;
        browser.click("[data-testid=view-vms]").await;
        browser.element("[data-testid=vm-table][aria-rowcount='1001']").await;
        let drawn = browser.script("return document.querySelectorAll('[data-testid=vm-row]').length").await;
        assert!(drawn.as_u64().is_some_and(|drawn| drawn < 100), "{drawn}");
        browser.script("document.querySelector('.scroll').scrollTop = 1e6").await;
        let last =
            browser.script_until("the last row", "return document.querySelector('[aria-rowindex=\"1001\"]') !== null").await;
        assert_eq!(last, Value::Bool(true));
        browser
    });
}
