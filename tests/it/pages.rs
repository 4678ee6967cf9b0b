//! The pages of the console, for those tests that look at every one of them.

use serde_json::Value;

use crate::browser::Browser;
use crate::harness::{Server, run};

/// A page: its name, its address behind `#/pools/test/`, and something that is there when it is drawn. `{VM}` and the like stand for the uuid of
/// the first object of that class by name, templates and control domains left out.
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) address: &'static str,
    pub(crate) ready: &'static str,
}

const fn page(name: &'static str, address: &'static str, ready: &'static str) -> Page {
    Page { name, address, ready }
}

/// A table with lines, or what stands in its place where there are none.
const TABLE: &str = "main .table tr.item, main .empty";
/// A page of one object, with its record.
const OBJECT: &str = "[data-testid=object-title]";

/// Every page. A new one is added here, and approved as CONTRIBUTING says.
const PAGES: &[Page] = &[
    page("overview", "overview", "[data-testid=overview] :is([data-testid=points], [data-testid=no-points])"),
    page("vms", "vms", TABLE),
    page("templates", "templates", TABLE),
    page("snapshots", "snapshots", TABLE),
    page("hosts", "hosts", TABLE),
    page("srs", "srs", TABLE),
    page("vdis", "vdis", TABLE),
    page("networks", "networks", TABLE),
    page("pifs", "pifs", TABLE),
    page("vifs", "vifs", TABLE),
    page("vbds", "vbds", TABLE),
    page("pbds", "pbds", TABLE),
    page("tasks", "tasks", TABLE),
    page("messages", "messages", TABLE),
    page("topology-compute", "topology/compute", "[data-testid=topology] [data-testid=node]"),
    page("topology-storage", "topology/storage", "[data-testid=topology] [data-testid=node]"),
    page("topology-network", "topology/network", "[data-testid=topology] [data-testid=node]"),
    page("object-vm", "VM/{VM}", OBJECT),
    page("object-host", "host/{host}", OBJECT),
    page("object-sr", "SR/{SR}", OBJECT),
    page("object-vdi", "VDI/{VDI}", OBJECT),
    page("object-network", "network/{network}", OBJECT),
    page("object-pif", "PIF/{PIF}", OBJECT),
    page("object-pool", "pool/{pool}", OBJECT),
    page("impact", "impact?fail=host/{host}", "[data-testid=impact]"),
    page("api", "api", "[data-testid=explorer]"),
    page("api-message", "api/VM/start", "[data-testid=api-call]"),
];

/// The pages to look at: all, or those that `XENOXIDE_PAGES` names, separated by commas.
pub(crate) fn pages() -> Vec<&'static Page> {
    let named = std::env::var("XENOXIDE_PAGES").unwrap_or_default();
    PAGES.iter().filter(|page| named.is_empty() || named.split(',').any(|name| name == page.name)).collect()
}

/// A pool that is the same each time, and the console in front of it.
pub(crate) struct Sample {
    sim: Server,
    serve: Server,
}

impl Sample {
    pub(crate) fn start() -> Sample {
        Sample::of(&["--hosts", "4", "--vms", "24", "--seed", "7"])
    }

    /// Another pool.
    pub(crate) fn of(pool: &[&str]) -> Sample {
        let sim = Server::sim(pool);
        let serve = Server::serve(sim.get("http"), &[]);
        Sample { sim, serve }
    }

    pub(crate) fn url(&self) -> &str {
        self.serve.get("url")
    }

    /// Calls the pool, past the console.
    pub(crate) fn call(&self, call: &[&str]) {
        let [method, arguments @ ..] = call else { return };
        run(&[&["call", self.sim.get("http"), method], arguments].concat());
    }

    /// The uuid of the first object of a class, by name.
    pub(crate) fn first(&self, class: &str) -> String {
        self.plain(class).first().unwrap_or_else(|| panic!("there is no {class}")).1.clone()
    }

    /// The reference of an object of a class, by its place among the names.
    pub(crate) fn reference(&self, class: &str, at: usize) -> String {
        self.plain(class).swap_remove(at).2
    }

    /// The objects of a class by name, with uuid and reference; templates, snapshots and control domains left out.
    fn plain(&self, class: &str) -> Vec<(String, String, String)> {
        let records = run(&["call", self.sim.get("http"), &format!("{class}.get_all_records")]);
        let records: Value = serde_json::from_str(&records).expect("the answer is JSON");
        let plain = |record: &Value| {
            let is = |key: &str| record.get(key) == Some(&Value::Bool(true));
            !is("is_a_template") && !is("is_a_snapshot") && !is("is_control_domain")
        };
        let mut all: Vec<(String, String, String)> = records
            .as_object()
            .expect("a map")
            .iter()
            .filter(|(_, record)| plain(record))
            .filter_map(|(reference, record)| {
                let name = record.get("name_label").or_else(|| record.get("device")).and_then(Value::as_str);
                Some((name.unwrap_or_default().into(), record["uuid"].as_str()?.into(), reference.clone()))
            })
            .collect();
        all.sort_unstable();
        all
    }

    /// The address of a page, behind the server's.
    pub(crate) fn address(&self, page: &Page) -> String {
        let mut address = format!("#/pools/test/{}", page.address);
        while let Some((before, rest)) = address.split_once('{') {
            let (class, after) = rest.split_once('}').expect("a closing brace");
            address = format!("{before}{}{after}", self.first(class));
        }
        address
    }

    /// Logs in.
    pub(crate) async fn log_in(&self, browser: &Browser) {
        browser.go(self.url()).await;
        browser.fill("[data-testid=login-user]", "root").await;
        browser.fill("[data-testid=login-password]", "xenoxide").await;
        browser.click("[data-testid=login-submit]").await;
        browser.element("[data-testid=tree-item]").await;
    }

    /// Goes to a page within the console, and waits until it is drawn.
    pub(crate) async fn show(&self, browser: &Browser, page: &Page) {
        let address = serde_json::to_string(&self.address(page)).expect("text is JSON");
        browser.script(&format!("location.hash = {address}")).await;
        browser.element(page.ready).await;
    }
}
