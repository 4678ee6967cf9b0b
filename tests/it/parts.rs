//! The program comes in parts: the first inventory needs the first module alone, the others come when they are wanted.

use serde_json::{Value, json};

use crate::browser::in_browser;
use crate::pages::Sample;

/// The files that had come when the first inventory was shown, by name.
const BEFORE_INVENTORY: &str = "
    const shown = performance.getEntriesByName('xenoxide:inventory-ready')[0];
    if (!shown) return null;
    return performance.getEntriesByType('resource')
        .filter(it => it.responseEnd > 0 && it.responseEnd <= shown.startTime)
        .map(it => it.name.split('/').pop())";

#[test]
fn the_first_inventory_needs_the_first_module_alone() {
    let sample = Sample::start();
    in_browser(1440, &[], async |browser| {
        sample.log_in(&browser).await;
        let files = browser.script_until("the inventory to be shown", BEFORE_INVENTORY).await;
        let files: Vec<&str> = files.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert!(files.contains(&"xenoxide_web_bg.wasm"), "{files:?}");
        let later =
            ["split_", "chunk_", "topology.css", "tables.css", "object.css", "impact.css", "palette.css", "explorer.css"];
        for file in &files {
            assert!(!later.iter().any(|start| file.starts_with(start)), "{file} came before the inventory: {files:?}");
        }
        // What most people want next comes by itself, so that nobody waits for it; the explorer waits to be asked for.
        let come = |file: &str| {
            format!("return performance.getEntriesByType('resource').some(it => it.name.endsWith('/{file}.wasm'))")
        };
        for part in ["split_pages", "split_graph", "split_impact"] {
            browser.script_until(part, &come(part)).await;
        }
        assert_eq!(browser.script(&come("split_explorer")).await, false);
        browser
    });
}

#[test]
fn a_part_that_does_not_come_is_told_and_can_be_had_again() {
    let sample = Sample::start();
    // The browser, and the script that loads parts, say so as well.
    let expected = ["ERR_BLOCKED_BY_CLIENT", "Failed to fetch", "split_explorer"];
    in_browser(1440, &expected, async |browser| {
        sample.log_in(&browser).await;
        browser.element("[data-testid=tree]").await;
        browser.cdp("Network.enable", json!({})).await;
        browser.cdp("Network.setBlockedURLs", json!({ "urls": ["*split_explorer*"] })).await;
        browser.click("[data-testid=view-api]").await;
        browser.element("[data-testid=part-failed]").await;
        browser.cdp("Network.setBlockedURLs", json!({ "urls": [] })).await;
        browser.click("[data-testid=part-failed] button").await;
        browser.element(".explorer-page, .explorer").await;
        browser
    });
}

#[test]
fn what_stops_the_program_is_told() {
    let sample = Sample::start();
    in_browser(1440, &["unreachable"], async |browser| {
        browser.go(sample.url()).await;
        browser.element("[data-testid=login-form]").await;
        let trap = "dispatchEvent(new ErrorEvent('error', { error: new WebAssembly.RuntimeError('unreachable executed') }))";
        browser.script(trap).await;
        let told = browser.text("#crash").await;
        assert!(told.contains("The pool is not affected") && told.contains("unreachable executed"), "{told}");
        assert_eq!(browser.script("return document.getElementById('app').hidden").await, true);
        browser
    });
}
