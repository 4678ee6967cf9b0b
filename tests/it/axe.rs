//! What axe-core finds in the pages: nothing, in both themes, wide and narrow.

use std::fs;

use serde_json::Value;

use crate::browser::{Browser, in_browser};
use crate::harness::top;
use crate::pages::{Sample, pages};

/// The rules of WCAG 2.2, A and AA, and what axe calls good practice.
const TAGS: &str = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']";

/// What axe finds in the page that is shown, a line for each.
async fn findings(browser: &Browser) -> Vec<String> {
    if browser.script("return typeof window.axe").await == "undefined" {
        let axe =
            fs::read_to_string(top().join("tests/node/node_modules/axe-core/axe.min.js")).expect("axe-core is installed");
        browser.script(&axe).await;
    }
    browser
        .script(&format!(
            "window.axeFound = null;
             axe.run(document, {{ runOnly: {TAGS}, resultTypes: ['violations'] }})
                .then(result => window.axeFound = result.violations.flatMap(rule => rule.nodes.map(node =>
                    rule.id + ': ' + node.target.join(' ') + ' ' + node.html.slice(0, 160) + ' ' + (node.failureSummary || '').slice(0, 400))),
                    error => window.axeFound = ['axe failed: ' + error])"
        ))
        .await;
    let found = browser.script_until("axe to look through the page", "return window.axeFound").await;
    found.as_array().expect("a list").iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn look_through(width: u32, theme: &str) {
    let sample = Sample::start();
    in_browser(width, &[], async |browser| {
        browser.resize(width, 900).await;
        browser.prefer(&[("prefers-color-scheme", theme), ("prefers-reduced-motion", "reduce")]).await;
        browser.go(sample.url()).await;
        browser.element("[data-testid=login-form]").await;
        let mut all: Vec<String> = findings(&browser).await.into_iter().map(|line| format!("login: {line}")).collect();
        sample.log_in(&browser).await;
        for page in pages() {
            sample.show(&browser, page).await;
            all.extend(findings(&browser).await.into_iter().map(|line| format!("{}: {line}", page.name)));
        }
        assert!(all.is_empty(), "{} findings at {width} px, {theme}:\n{}", all.len(), all.join("\n"));
        browser
    });
}

#[test]
fn nothing_is_found_in_wide_light_pages() {
    look_through(1440, "light");
}

#[test]
fn nothing_is_found_in_narrow_dark_pages() {
    look_through(390, "dark");
}
