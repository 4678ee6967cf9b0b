//! Learning the API in a real browser: a class, a form, the call as it goes over the wire, and what comes of it.

use serde_json::Value;

use crate::browser::{Browser, in_browser};
use crate::harness::{Server, run};

async fn log_in(browser: &Browser, url: &str) {
    browser.go(url).await;
    browser.fill("[data-testid=login-user]", "root").await;
    browser.fill("[data-testid=login-password]", "xenoxide").await;
    browser.click("[data-testid=login-submit]").await;
    browser.element("[data-testid=tree-item]").await;
}

/// A halted VM that can start: its uuid and name.
fn halted_vm(sim: &Server) -> (String, String) {
    let call = |arguments: &[&str]| -> Value {
        let arguments = [&["call", sim.get("http")], arguments].concat();
        serde_json::from_str(&run(&arguments)).expect("the answer is JSON")
    };
    let all = call(&["VM.get_all_records"]);
    for (reference, vm) in all.as_object().expect("a map") {
        let is_vm = ["is_a_template", "is_a_snapshot", "is_control_domain"].iter().all(|it| vm[it] == false);
        if is_vm && vm["power_state"] == "Halted" && call(&["VM.get_possible_hosts", reference]) != Value::Array(vec![]) {
            let text = |key: &str| vm[key].as_str().expect("text").to_string();
            return (text("uuid"), text("name_label"));
        }
    }
    panic!("no halted VM can start");
}

#[test]
fn a_call_is_filled_in_seen_on_the_wire_sent_and_followed() {
    let sim = Server::sim(&[]);
    let serve = Server::serve(sim.get("http"), &[]);
    let (uuid, name) = halted_vm(&sim);
    in_browser(1440, &[], async |browser| {
        log_in(&browser, serve.get("url")).await;
        browser.click("[data-testid=view-api]").await;
        browser.element("[data-testid=api-start]").await;

        // From a few letters to a class, and on to a message.
        browser.fill("[data-testid=api-search]", "VM.start").await;
        browser.text_where("[data-testid=api-hits]", "the message", |text| text.contains("VM.start")).await;
        browser.click("[data-testid=api-hits] li:first-child a").await;
        browser.element("[data-testid=api-call]").await;

        // Nothing is sent before the form is right.
        browser.click("[data-testid=api-send]").await;
        browser.element("[data-testid=api-param-vm][aria-invalid=true]").await;
        browser.fill("[data-testid=api-param-vm]", "nobody has this name").await;
        browser.element("[data-testid=api-param-vm][aria-invalid=true]").await;

        // The call by name, as the task that it will be.
        browser.fill("[data-testid=api-param-vm]", &name).await;
        let wire = |text: &str| text.contains("Async.VM.start") && text.contains("OpaqueRef:session");
        browser.text_where("[data-testid=api-code]", "the request", wire).await;
        browser.click("[data-testid=api-code-xe]").await;
        browser.text_where("[data-testid=api-code]", "the command", |text| text.contains(&uuid)).await;
        browser.click("[data-testid=api-code-Python]").await;
        browser.text_where("[data-testid=api-code]", "the program", |text| text.contains("XenAPI.Session")).await;
        browser.click("[data-testid=api-code-copy]").await;
        browser.text_where(".code-copy [role=status]", "that it is copied", |text| !text.is_empty()).await;
        browser.text_where("[data-testid=api-flow]", "the steps", |text| text.contains("Follow the task")).await;

        browser.click("[data-testid=api-send]").await;
        browser.text_where("[data-testid=api-reply-text]", "the reply", |text| text.contains("OpaqueRef:")).await;
        browser.element("[data-testid=api-task][data-status=success]").await;
        browser.click("[data-testid=api-task-remove]").await;
        browser.text_where("[data-testid=api-task]", "that it is gone", |text| text.contains("removed")).await;

        // A second start is refused, in words and with its code.
        browser.click("[data-testid=api-async]").await;
        browser.click("[data-testid=api-send]").await;
        browser.text_where("[data-testid=api-refused]", "why", |text| text.contains("VM_BAD_POWER_STATE")).await;
        browser
    });
}

#[test]
fn a_class_shows_its_fields_and_leads_on_by_addresses() {
    let sim = Server::sim(&["--hosts", "1", "--vms", "1"]);
    let serve = Server::serve(sim.get("http"), &[]);
    in_browser(390, &[], async |browser| {
        log_in(&browser, serve.get("url")).await;
        browser.script("location.hash = '#/pools/test/api/VIF'").await;
        browser.text_where("[data-testid=api-relations]", "its neighbours", |text| text.contains("network")).await;
        browser.script("location.hash = '#/pools/test/api/VIF/fields/MAC'").await;
        browser.element("[data-testid=api-field]").await;
        browser.script("location.hash = '#/pools/test/api/errors/VM_BAD_POWER_STATE'").await;
        browser.text_where("[data-testid=api-error]", "who answers it", |text| text.contains("VM.start")).await;
        browser.script("history.back()").await;
        browser.element("[data-testid=api-field]").await;
        browser.script("location.hash = '#/pools/test/api/nothing'").await;
        browser.element("[data-testid=api-unknown]").await;
        browser
    });
}
