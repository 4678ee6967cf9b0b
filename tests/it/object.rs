//! The pages of objects in a real browser: what they say, how they follow the pool, and what they say of what is not there.

use serde_json::Value;

use crate::browser::{Browser, in_browser};
use crate::harness::{Server, run};

/// A simulated pool behind the proxy.
struct Pool {
    sim: Server,
    serve: Server,
}

impl Pool {
    fn start(more: &[&str]) -> Pool {
        let sim = Server::sim(more);
        let serve = Server::serve(sim.get("http"), &[]);
        Pool { sim, serve }
    }

    fn call(&self, arguments: &[&str]) -> Value {
        let arguments = [&["call", self.sim.get("http")], arguments].concat();
        serde_json::from_str(&run(&arguments)).expect("the answer is JSON")
    }

    /// The reference and record of an object that is as wanted.
    fn find(&self, class: &str, wanted: impl Fn(&str, &Value) -> bool) -> (String, Value) {
        let all = self.call(&[&format!("{class}.get_all_records")]);
        let mut all = all.as_object().expect("a map").clone().into_iter();
        all.find(|(reference, record)| wanted(reference, record)).unwrap_or_else(|| panic!("no such {class}"))
    }

    fn address(&self, class: &str, identity: &str) -> String {
        format!("{}#/pools/test/{class}/{identity}", self.serve.get("url"))
    }
}

fn text<'a>(record: &'a Value, field: &str) -> &'a str {
    record[field].as_str().unwrap_or_else(|| panic!("no {field} in {record}"))
}

fn is_plain(vm: &Value) -> bool {
    vm["is_a_template"] == false && vm["is_a_snapshot"] == false && vm["is_control_domain"] == false
}

/// Opens an address and logs in: it is kept until somebody is in.
async fn enter(browser: &Browser, address: &str) {
    browser.go(address).await;
    browser.fill("[data-testid=login-user]", "root").await;
    browser.fill("[data-testid=login-password]", "xenoxide").await;
    browser.click("[data-testid=login-submit]").await;
    browser.element("[data-testid=tree-item]").await;
}

/// Goes to another address within the page.
async fn visit(browser: &Browser, class: &str, identity: &str) {
    let hash = format!("#/pools/test/{class}/{identity}");
    browser.script(&format!("location.hash = '{hash}'")).await;
}

async fn titled(browser: &Browser, name: &str) {
    browser.text_where("[data-testid=object-title]", name, |text| text == name).await;
}

#[test]
fn a_vms_page_draws_its_data_paths_and_follows_the_pool() {
    let pool = Pool::start(&[]);
    let wanted = |_: &str, vm: &Value| {
        is_plain(vm)
            && vm["power_state"] == "Running"
            && vm["VIFs"].as_array().is_some_and(|it| !it.is_empty())
            && vm["VBDs"].as_array().is_some_and(|it| !it.is_empty())
    };
    let (reference, vm) = pool.find("VM", wanted);
    let (vif, record) = pool.find("VIF", |_, vif| vif["VM"] == *reference && vif["currently_attached"] == true);
    let (_, network) = pool.find("network", |it, _| record["network"] == *it);
    in_browser(1440, &[], async |browser| {
        enter(&browser, &pool.address("VM", text(&vm, "uuid"))).await;
        titled(&browser, text(&vm, "name_label")).await;

        // From the interface through dom0 to the host, and the disks beside it.
        let backend = format!("vif{}.{}", vm["domid"], text(&record, "device"));
        let names = [backend.as_str(), text(&network, "bridge")];
        let has_names = |drawn: &str| names.iter().all(|name| drawn.contains(name));
        browser.text_where("[data-testid=paths-network]", &names.join(", "), has_names).await;
        browser.element("[data-testid=paths-storage] [data-stage=connection]").await;
        browser.element("[data-testid=object-disks] tbody tr").await;
        browser.element("[data-testid=surroundings]").await;

        // What happens to the pool happens on the page, which stays where it is.
        browser
            .script("document.querySelector('[data-testid=object-page]').scrollTop = 60; window.notReloaded = true")
            .await;
        let path = format!("[data-testid=path][data-device='VIF {}']", text(&record, "device"));
        browser.element(&format!("{path}[data-health=running]")).await;
        pool.call(&["VIF.unplug", &vif]);
        browser.element(&format!("{path}[data-health=failed]")).await;
        let scrolled = browser.script("return document.querySelector('[data-testid=object-page]').scrollTop").await;
        assert_eq!(scrolled.as_f64(), Some(60.0));

        // Everything that the record says, and a search through it.
        browser.click("[data-testid=part-fields]").await;
        browser.element("[data-field=memory_static_max]").await;
        browser.fill("[data-testid=find-field]", "domid").await;
        browser
            .script_until(
                "one field",
                "return [...document.querySelectorAll('.record-field')].map(it => it.dataset.field).join() === 'domid'",
            )
            .await;

        // The record as it is.
        browser.click("[data-testid=part-raw]").await;
        let uuid = text(&vm, "uuid");
        let has_uuid = |text: &str| text.contains(&format!("\"uuid\": \"{uuid}\""));
        browser.text_where("[data-testid=raw-record]", "the uuid", has_uuid).await;
        browser.click("[data-testid=form-xml]").await;
        browser.text_where("[data-testid=raw-record]", "XML", |text| text.contains("<name>uuid</name>")).await;

        // A name leads to the page of what it names, and back leads back.
        browser.click("[data-testid=part-overview]").await;
        browser.click("[data-testid=paths-storage] [data-stage=storage] a").await;
        browser.element("[data-testid=object-page][data-class=SR]").await;
        browser.script("history.back()").await;
        titled(&browser, text(&vm, "name_label")).await;
        assert_eq!(browser.script("return window.notReloaded").await, true);
        browser
    });
}

#[test]
fn pages_of_hosts_and_storage_list_what_hangs_on_them() {
    let pool = Pool::start(&[]);
    let (host_reference, host) = pool.find("host", |_, host| host["enabled"] == true);
    let (pbd, record) = pool.find("PBD", |_, pbd| pbd["host"] == *host_reference && pbd["currently_attached"] == true);
    let (_, sr) = pool.find("SR", |it, _| record["SR"] == *it);
    in_browser(1440, &[], async |browser| {
        enter(&browser, &pool.address("host", text(&host, "uuid"))).await;
        titled(&browser, text(&host, "name_label")).await;
        for table in ["pifs", "pbds"] {
            browser.element(&format!("[data-testid=object-{table}] tbody tr")).await;
        }
        let fails = browser.script("return document.querySelector('[data-testid=what-if]').getAttribute('href')").await;
        assert!(fails.as_str().is_some_and(|it| it.contains("/impact?fail=host%2F")), "{fails}");

        // Focus stays on what has it while the table follows the pool.
        let links = "[data-testid=object-pbds] tbody a";
        browser.script(&format!("document.querySelector('{links}').focus(); window.focused = document.activeElement")).await;
        let uuid = text(&record, "uuid");
        let plug = format!("[data-testid=object-pbds] a[data-class=PBD][data-uuid='{uuid}']");
        browser.text_where(&plug, "yes", |text| text == "yes").await;
        pool.call(&["PBD.unplug", &pbd]);
        browser.text_where(&plug, "no", |text| text == "no").await;
        assert_eq!(browser.script("return document.activeElement === window.focused").await, true);

        visit(&browser, "SR", text(&sr, "uuid")).await;
        titled(&browser, text(&sr, "name_label")).await;
        browser.text_where(&plug, "no", |text| text == "no").await;
        browser.element("[data-testid=surroundings]").await;
        browser
    });
}

#[test]
fn what_rests_what_is_gone_and_what_never_was_are_told_apart() {
    let pool = Pool::start(&["--hosts", "3", "--vms", "12"]);
    let wanted = |_: &str, vm: &Value| is_plain(vm) && vm["power_state"] == "Halted";
    let (reference, vm) = pool.find("VM", wanted);
    let (_, driver) = pool.find("SM", |_, _| true);
    in_browser(390, &[], async |browser| {
        enter(&browser, &pool.address("VM", text(&vm, "uuid"))).await;
        titled(&browser, text(&vm, "name_label")).await;
        browser.element("[data-testid=data-paths][data-would-be=true]").await;
        let options = browser.script("return document.querySelectorAll('[data-testid=path-host] option').length").await;
        assert_eq!(options.as_i64(), Some(3));

        pool.call(&["VM.destroy", &reference]);
        let name = text(&vm, "name_label");
        browser.text_where("[data-testid=object-gone]", "what it was", |text| text.contains(name)).await;

        // A class that the console does not keep is asked for by itself.
        visit(&browser, "SM", text(&driver, "uuid")).await;
        titled(&browser, text(&driver, "name_label")).await;
        browser.element("[data-field=features]").await;

        visit(&browser, "host", "00000000-0000-0000-0000-000000000000").await;
        browser.element("[data-testid=no-such-object]").await;
        visit(&browser, "elephant", "x").await;
        browser.element("[data-testid=no-such-class]").await;
        browser
    });
}
