//! The console in a real browser, through the real proxy, on a simulated pool.

use serde_json::Value;

use crate::browser::{Browser, in_browser};
use crate::harness::{Relay, Server, run, top};

/// What Chromium logs by itself when a server cannot be reached, which is what some tests are about.
const UNREACHABLE: &[&str] = &["status of 502", "ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET"];

/// A simulated pool, reached by the proxy through a relay that can be cut.
struct Pool {
    sim: Server,
    relay: Relay,
    serve: Server,
}

impl Pool {
    fn start(more: &[&str]) -> Pool {
        let sim = Server::sim(more);
        let relay = Relay::to(sim.get("http"));
        let serve = Server::serve(&format!("http://{}", relay.address), &[]);
        Pool { sim, relay, serve }
    }

    fn call(&self, arguments: &[&str]) -> Value {
        let arguments = [&["call", self.sim.get("http")], arguments].concat();
        serde_json::from_str(&run(&arguments)).expect("the answer is JSON")
    }

    /// A halted VM that can start: its reference, uuid and name.
    fn halted_vm(&self) -> (String, String, String) {
        let all = self.call(&["VM.get_all_records"]);
        let plain =
            |vm: &Value| vm["is_a_template"] == false && vm["is_a_snapshot"] == false && vm["is_control_domain"] == false;
        for (reference, vm) in all.as_object().expect("a map") {
            if plain(vm)
                && vm["power_state"] == "Halted"
                && self.call(&["VM.get_possible_hosts", reference]) != Value::Array(vec![])
            {
                let text = |key: &str| vm[key].as_str().expect("text").to_string();
                return (reference.clone(), text("uuid"), text("name_label"));
            }
        }
        panic!("no halted VM can start");
    }
}

async fn log_in(browser: &Browser, url: &str) {
    browser.go(url).await;
    browser.fill("[data-testid=login-user]", "root").await;
    browser.fill("[data-testid=login-password]", "xenoxide").await;
    browser.click("[data-testid=login-submit]").await;
    browser.element("[data-testid=tree-item]").await;
}

/// Waits until the badge has that state, and answers how long the page had been up by then, in milliseconds.
async fn badge(browser: &Browser, state: &str) -> f64 {
    let script = format!(
        "const badge = document.querySelector('[data-testid=freshness]');
         return badge && badge.dataset.state === '{state}' ? performance.now() : null"
    );
    browser.script_until(&format!("the badge to be {state}"), &script).await.as_f64().expect("a number")
}

#[test]
fn a_pool_is_seen_through_three_lenses_and_moves() {
    let pool = Pool::start(&[]);
    let (vm, uuid, name) = pool.halted_vm();
    in_browser(1440, &[], async |browser| {
        log_in(&browser, pool.serve.get("url")).await;
        badge(&browser, "live").await;
        let tree = browser.text("[data-testid=tree]").await;
        for host in pool.call(&["host.get_all_records"]).as_object().expect("a map").values() {
            let host = host["name_label"].as_str().expect("a name");
            assert!(tree.contains(host), "{host} is not in the tree: {tree}");
        }

        // The table has the VM, halted; it runs when somebody else starts it, without a reload.
        browser.click("[data-testid=view-vms]").await;
        browser.fill("[data-testid=vm-filter]", &name).await;
        let row = format!("[data-testid=vm-row][data-uuid='{uuid}']");
        browser.element(&format!("{row}[data-state=halted]")).await;
        browser.script("window.notReloaded = true").await;
        pool.call(&["VM.start", &vm, "false", "false", "--async"]);
        browser.element(&format!("{row}[data-state=running]")).await;

        // All lenses draw, and the picture moves with the pool.
        browser.click("[data-testid=view-topology]").await;
        for lens in ["storage", "network", "compute"] {
            browser.click(&format!("[data-testid=lens-{lens}]")).await;
            browser.element(&format!("[data-testid=topology][data-lens={lens}] [data-testid=node]")).await;
        }
        let before = browser.script("return document.querySelector('[data-testid=topology]').outerHTML").await;
        pool.call(&["VM.hard_shutdown", &vm]);
        browser
            .script_until(
                "the picture to change",
                &format!("return document.querySelector('[data-testid=topology]').outerHTML !== {before}"),
            )
            .await;
        let marks = browser.script("return performance.getEntriesByType('mark').map(mark => mark.name)").await;
        for mark in ["shell-ready", "inventory-ready", "topology-drawn", "event-drawn"] {
            let mark = Value::from(format!("xenoxide:{mark}"));
            assert!(marks.as_array().expect("a list").contains(&mark), "no {mark} in {marks}");
        }
        assert_eq!(browser.script("return window.notReloaded").await, true);

        // The session is not within reach of the page.
        let cookies =
            browser.script("return document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })").await;
        assert!(!cookies.to_string().contains("OpaqueRef"), "{cookies}");
        browser
    });
}

#[test]
fn losing_the_server_is_told_within_ten_seconds_and_mended() {
    let mut pool = Pool::start(&[]);
    let (vm, uuid, _) = pool.halted_vm();
    in_browser(1440, UNREACHABLE, async |browser| {
        log_in(&browser, pool.serve.get("url")).await;
        badge(&browser, "live").await;
        let lost = browser.script("return performance.now()").await.as_f64().expect("a number");
        pool.relay.cut();
        let stale = badge(&browser, "stale").await;
        assert!(stale - lost <= 10_000.0, "stale after {} ms", stale - lost);
        // What was known stays in sight.
        browser.element("[data-testid=tree-item]").await;

        pool.call(&["VM.start", &vm, "false", "false", "--async"]);
        pool.relay.mend();
        badge(&browser, "live").await;
        browser.click("[data-testid=view-vms]").await;
        browser.element(&format!("[data-testid=vm-row][data-uuid='{uuid}'][data-state=running]")).await;

        // The same when the proxy itself dies.
        let lost = browser.script("return performance.now()").await.as_f64().expect("a number");
        pool.serve.kill();
        let stale = badge(&browser, "stale").await;
        assert!(stale - lost <= 10_000.0, "stale after {} ms", stale - lost);
        browser.element("[data-testid=tree-item]").await;
        browser
    });
}

#[test]
fn a_wrong_password_is_told_and_the_next_try_works() {
    let pool = Pool::start(&["--hosts", "1", "--vms", "0"]);
    in_browser(390, &[], async |browser| {
        browser.go(pool.serve.get("url")).await;
        browser.fill("[data-testid=login-user]", "root").await;
        browser.fill("[data-testid=login-password]", "wrong").await;
        browser.click("[data-testid=login-submit]").await;
        let says = |text: &str| text.contains("SESSION_AUTHENTICATION_FAILED");
        browser.text_where("[data-testid=login-error]", "why", says).await;
        browser.fill("[data-testid=login-password]", "xenoxide").await;
        browser.click("[data-testid=login-submit]").await;
        badge(&browser, "live").await;

        // The session outlives a reload, though the page does not know it; and ends with it.
        browser.script("location.reload()").await;
        badge(&browser, "live").await;
        browser.click("[data-testid=logout]").await;
        browser.element("[data-testid=login-form]").await;
        browser
    });
}

#[test]
fn a_dead_pool_is_told_at_login() {
    let mut pool = Pool::start(&["--hosts", "1", "--vms", "1"]);
    pool.relay.cut();
    in_browser(1440, UNREACHABLE, async |browser| {
        browser.go(pool.serve.get("url")).await;
        browser.fill("[data-testid=login-user]", "root").await;
        browser.fill("[data-testid=login-password]", "xenoxide").await;
        browser.click("[data-testid=login-submit]").await;
        browser.text_where("[data-testid=login-error]", "which pool", |text| text.contains("test")).await;
        browser
    });
}

#[test]
fn recordings_are_listed_and_drawn() {
    let real = top().join("../shared/real");
    if !real.is_dir() {
        println!("skipped: no recordings of a real XenServer at {}", real.display());
        return;
    }
    let console = crate::harness::tool("XENOXIDE_CONSOLE");
    let arguments =
        ["demo", "--listen", "127.0.0.1:0", "--console", console.to_str().unwrap(), "--records", real.to_str().unwrap()];
    let demo = Server::start(&arguments);
    in_browser(1440, &[], async |browser| {
        log_in(&browser, demo.get("url")).await;
        badge(&browser, "live").await;
        browser.text_where("[data-testid=tree]", "the pool", |text| text.contains("Pool1")).await;
        browser.click("[data-testid=view-vms]").await;
        browser.element("[data-testid=vm-row]").await;
        browser.click("[data-testid=view-topology]").await;
        for lens in ["compute", "storage", "network"] {
            browser.click(&format!("[data-testid=lens-{lens}]")).await;
            browser.element(&format!("[data-testid=topology][data-lens={lens}] [data-testid=node]")).await;
        }
        // Nobody recorded the hosts: they are unknown, which is not an error.
        browser.click("[data-testid=lens-compute]").await;
        browser.element("[data-testid=topology] [data-testid=node][data-state=unknown]").await;
        browser
    });
}
