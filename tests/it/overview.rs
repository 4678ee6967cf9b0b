//! The pool at a glance in a real browser.

use serde_json::Value;

use crate::browser::in_browser;
use crate::harness::{Server, run};
use crate::pages::Sample;

#[test]
fn the_overview_comes_first_and_its_numbers_lead_to_what_they_count() {
    let sample = Sample::start();
    in_browser(1440, &[], async |browser| {
        sample.log_in(&browser).await;
        browser.element("[data-testid=overview]").await;
        let count = browser.text("[data-testid=count-vms-running] strong").await;
        browser.click("[data-testid=count-vms-running]").await;
        browser.element("[data-testid=vm-row]").await;
        browser.text_where("[data-testid=vm-count]", "as many", |text| text.starts_with(&format!("{count} of "))).await;
        browser.script("history.back()").await;
        browser.element("[data-testid=overview]").await;
        browser
    });
}

#[test]
fn trouble_is_told_when_it_happens_and_gone_when_it_is_over() {
    let sim = Server::sim(&["--hosts", "2", "--vms", "2", "--seed", "3"]);
    let serve = Server::serve(sim.get("http"), &[]);
    let call = |arguments: &[&str]| -> Value {
        let arguments = [&["call", sim.get("http")], arguments].concat();
        serde_json::from_str(&run(&arguments)).expect("the answer is JSON")
    };
    let pool = call(&["pool.get_all_records"]);
    let master =
        pool.as_object().and_then(|all| all.values().next()).and_then(|pool| pool["master"].as_str()).expect("a master");
    let hosts = call(&["host.get_all"]);
    let host =
        hosts.as_array().expect("a list").iter().filter_map(Value::as_str).find(|host| *host != master).expect("a member");
    in_browser(390, &[], async |browser| {
        browser.go(serve.get("url")).await;
        browser.fill("[data-testid=login-user]", "root").await;
        browser.fill("[data-testid=login-password]", "xenoxide").await;
        browser.click("[data-testid=login-submit]").await;
        browser.element("[data-testid=health]").await;
        call(&["host.disable", host]);
        browser.element("[data-testid=finding-hosts-disabled][data-state=attention]").await;
        call(&["host.enable", host]);
        browser
            .script_until("the finding to go", "return !document.querySelector('[data-testid=finding-hosts-disabled]')")
            .await;
        browser
    });
}
