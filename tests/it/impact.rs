//! What if this fails: in a real browser, with the answers of the command line.

use serde_json::Value;

use crate::browser::in_browser;
use crate::harness::{Server, run};

async fn log_in(browser: &crate::browser::Browser, url: &str) {
    browser.go(url).await;
    browser.fill("[data-testid=login-user]", "root").await;
    browser.fill("[data-testid=login-password]", "xenoxide").await;
    browser.click("[data-testid=login-submit]").await;
    browser.element("[data-testid=tree-item]").await;
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&run(arguments)).expect("the answer is JSON")
}

#[test]
fn the_page_and_the_command_line_give_the_same_answers() {
    let sim = Server::sim(&["--hosts", "4", "--vms", "24", "--seed", "7"]);
    let serve = Server::serve(sim.get("http"), &[]);
    let target = sim.get("http");
    let hosts = json(&["call", target, "host.get_all_records"]);
    let host = hosts.as_object().expect("a map").values().next().expect("a host")["uuid"].as_str().expect("text").to_owned();
    let told = json(&["impact", target, "host", &host, "--json"]);
    in_browser(1440, &[], async |browser| {
        log_in(&browser, serve.get("url")).await;
        browser.script(&format!("location.hash = '#/pools/test/impact?fail=host/{host}'")).await;
        browser.element(&format!("[data-testid=impact-part][data-uuid='{host}']")).await;
        for verdict in ["stopped", "degraded", "safe", "untouched"] {
            let script = format!("return document.querySelector('[data-testid=impact-{verdict}]').dataset.count");
            assert_eq!(browser.script(&script).await.as_str(), Some(told[verdict].to_string().as_str()), "{verdict}");
        }
        let rows = "return Object.fromEntries([...document.querySelectorAll('[data-testid=impact-vm]')]
            .map(row => [row.dataset.uuid, [row.dataset.verdict, row.querySelector('.why').textContent]]))";
        let rows = browser.script(rows).await;
        for vm in told["vms"].as_array().expect("a list") {
            let reasons: Vec<&str> = vm["reasons"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
            let row = &rows[vm["uuid"].as_str().expect("text")];
            assert_eq!(row[0], vm["verdict"], "{vm}");
            assert_eq!(row[1].as_str(), Some(reasons.join("; ").as_str()), "{vm}");
        }
        // Where it is, lit up in the drawing.
        browser.element(&format!("[data-testid=node][data-uuid='{host}'].on-path")).await;

        // Another part fails with it, found by name; then it is taken away again.
        browser.fill("[data-testid=impact-search]", "nfs").await;
        browser.click("[data-testid=impact-match]").await;
        let two =
            "return document.querySelectorAll('[data-testid=impact-part]').length === 2 && location.hash.includes('SR')";
        browser.script_until("two parts to fail", two).await;
        browser.click("[data-testid=impact-remove]").await;
        let one = "return document.querySelectorAll('[data-testid=impact-part]').length === 1";
        browser.script_until("one part to fail", one).await;
        browser.click("[data-testid=impact-clear]").await;
        browser.element("[data-testid=impact-none]").await;
        browser
    });
}

#[test]
fn single_points_of_failure_are_listed_and_asked_about() {
    let sim = Server::sim(&["--hosts", "4", "--vms", "24", "--seed", "7"]);
    let serve = Server::serve(sim.get("http"), &[]);
    let told = json(&["impact", sim.get("http"), "--spof", "--json"]);
    let told = told.as_array().expect("a list").len();
    assert!(told > 0, "the sample has single points of failure");
    in_browser(1440, &[], async |browser| {
        log_in(&browser, serve.get("url")).await;
        browser.click("[data-testid=view-impact]").await;
        browser.element("[data-testid=single-points-status][data-done=true]").await;
        let shown = browser.script("return document.querySelectorAll('[data-testid=single-point]').length").await;
        assert_eq!(shown.as_u64(), Some(told.min(50) as u64));
        browser.click("[data-testid=single-point] button").await;
        browser.element("[data-testid=impact-part]").await;
        browser
    });
}
