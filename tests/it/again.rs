//! The proxy is replaced by another one: everything is told again, and nobody sees it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::browser::in_browser;
use crate::harness::{Server, run, tool};

/// Large enough for several pages.
const POOL: [&str; 6] = ["--hosts", "4", "--vms", "400", "--seed", "7"];

/// A proxy with a key that outlives it.
fn serve(folder: &Path, listen: &str) -> Server {
    let config = folder.join("proxy.toml");
    Server::start(&["serve", "--listen", listen, "--config", config.to_str().expect("the path is UTF-8")])
}

fn configure(folder: &Path, pool: &str) {
    let console = tool("XENOXIDE_CONSOLE");
    fs::write(folder.join("cookie.key"), "5a".repeat(32)).expect("the key is written");
    let config =
        format!("console = {console:?}\ncookie_key_file = \"cookie.key\"\n[[pools]]\nname = \"test\"\nurl = \"{pool}\"\n");
    fs::write(folder.join("proxy.toml"), config).expect("the configuration is written");
}

/// A VM in some state: its reference and its uuid.
fn a_vm(pool: &str, state: &str) -> (String, String) {
    let records: Value = serde_json::from_str(&run(&["call", pool, "VM.get_all_records"])).expect("the answer is JSON");
    let fits = |record: &Value| {
        let is = |key: &str| record[key] == Value::Bool(true);
        record["power_state"] == state && !is("is_a_template") && !is("is_a_snapshot") && !is("is_control_domain")
    };
    let found = records.as_object().expect("a map").iter().find(|(_, record)| fits(record)).expect("such a VM");
    (found.0.clone(), found.1["uuid"].as_str().expect("text").to_owned())
}

/// Watches in every picture how many lines the table has, and whether the page is still the page.
const WATCH: &str = "
    window.least = Infinity;
    const look = () => {
        const table = document.querySelector('[data-testid=vm-table]');
        window.least = Math.min(window.least, table ? +table.getAttribute('aria-rowcount') : 0);
        requestAnimationFrame(look);
    };
    look();
    return window.least";

#[test]
fn another_proxy_takes_over_and_nothing_vanishes_but_what_is_gone() {
    let sim = Server::sim(&POOL);
    let pool = sim.get("http");
    let folder = tempfile::tempdir().expect("a folder");
    configure(folder.path(), pool);
    let first = serve(folder.path(), "127.0.0.1:0");
    let url = first.get("url").to_owned();
    let (gone, gone_uuid) = a_vm(pool, "Halted");
    let (renamed, renamed_uuid) = a_vm(pool, "Running");
    // While there is no proxy the browser says so.
    in_browser(1440, &["Failed to load resource"], async |browser| {
        browser.go(&format!("{url}#/pools/test/vms")).await;
        browser.fill("[data-testid=login-user]", "root").await;
        browser.fill("[data-testid=login-password]", "xenoxide").await;
        browser.click("[data-testid=login-submit]").await;
        browser.element("[data-testid=vm-row]").await;
        // Both are in sight.
        let query = format!("uuid:{gone_uuid},{renamed_uuid}");
        let lines = |count: usize| format!("return document.querySelectorAll('[data-testid=vm-row]').length === {count}");
        browser.fill("[data-testid=vm-filter]", &query).await;
        browser.script_until("two VMs", &lines(2)).await;
        browser.script("location.hash = '#/pools/test/vms'").await;
        browser.script_until("all VMs", "return document.querySelectorAll('[data-testid=vm-row]').length > 10").await;
        let before = browser.script(WATCH).await.as_u64().expect("a number");
        assert!(before > 300, "{before} lines");

        first.kill();
        run(&["call", pool, "VM.destroy", &gone]);
        run(&["call", pool, "VM.set_name_label", &renamed, "aaa renamed meanwhile"]);
        let second = serve(folder.path(), url.trim_start_matches("http://").trim_end_matches('/'));
        let script = format!("return document.querySelector('[data-testid=vm-row]')?.dataset.uuid === '{renamed_uuid}'");
        browser.script_until("the new name", &script).await;
        let script = format!(
            "return document.querySelector('[data-testid=vm-table]').getAttribute('aria-rowcount') === '{}'",
            before - 1
        );
        browser.script_until("one VM less", &script).await;
        browser
            .script_until(
                "it to be live",
                "return document.querySelector('[data-testid=freshness]').dataset.state === 'live'",
            )
            .await;
        let least = browser.script("return window.least").await.as_u64().expect("a number");
        assert_eq!(least, before - 1, "nothing else was away for a moment");
        // And it goes on.
        run(&["call", pool, "VM.set_name_label", &renamed, "aaa renamed again"]);
        let script = "return document.querySelector('[data-testid=vm-row] .name').textContent.includes('again')";
        browser.script_until("the next name", script).await;
        drop(second);
        browser
    });
}
