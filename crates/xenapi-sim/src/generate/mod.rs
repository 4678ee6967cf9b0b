//! Pools out of a seed: hosts with their NICs, shared and local storage, templates, VMs, and one thing or two to worry about.
//!
//! Targets of references come before what refers to them, so that both sides of every relation are right from the start.

mod hosts;
mod names;
mod networks;
pub(crate) mod scenario;
mod storage;
mod templates;
mod troubles;
mod vms;

use alloc::borrow::Cow;
use alloc::vec::Vec;

use xenapi_core::{RawRef, Struct, Value};

use crate::{Config, Sim, operations};

pub(crate) const GIB: i64 = 1 << 30;

/// What the parts of the generator tell each other.
pub(crate) struct Plan {
    pub(crate) pool: RawRef,
    pub(crate) hosts: Vec<hosts::Host>,
    pub(crate) networks: networks::Networks,
    pub(crate) storage: storage::Storage,
}

/// Fills an empty pool.
pub(crate) fn generate(sim: &mut Sim, config: &Config) {
    let hosts = config.hosts.clamp(1, Config::MAX_HOSTS);
    let vms = config.vms.min(Config::MAX_VMS);
    let style = config.scenario.style();
    sim.around.is_under_construction = true;
    let pool = make_pool(sim, style.pool);
    make_roles(sim);
    let hosts = hosts::make(sim, hosts, vms);
    let networks = networks::make(sim, &hosts, &style);
    let storage = storage::make(sim, &hosts, vms, &style);
    let mut plan = Plan { pool, hosts, networks, storage };
    finish_pool(sim, &plan);
    vms::make(sim, &mut plan, vms);
    hosts::finish(sim, &plan);
    storage::finish(sim);
    if style.has_ha {
        protect(sim, &plan);
    }
    sim.refresh_everything();
    troubles::history(sim, config.seed);
    if style.has_worries {
        troubles::worries(sim, &plan);
    }
    if style.is_degraded {
        troubles::degrade(sim, &plan);
        sim.refresh_everything();
    }
}

/// Turns high availability on; most VMs start again when their host fails.
fn protect(sim: &mut Sim, plan: &Plan) {
    for (at, vm) in sim.store.all("VM").into_iter().enumerate() {
        let of = vm.as_str();
        let is_guest = !sim.store.flag("VM", of, "is_a_template") && !sim.store.flag("VM", of, "is_control_domain");
        let runs = sim.store.text("VM", of, "power_state") == "Running";
        if is_guest && runs && at % 3 != 0 && operations::is_agile(sim, &vm) {
            sim.store.put("VM", of, "ha_restart_priority", "restart");
            sim.store.put("VM", of, "order", i64::try_from(at % 4).unwrap_or(0));
        }
    }
    sim.store.put("pool", plan.pool.as_str(), "ha_host_failures_to_tolerate", 2);
    operations::enable_ha(sim, core::slice::from_ref(plan.storage.default()), Value::empty_struct());
}

pub(crate) use troubles::alarm;

/// A map of texts.
pub(crate) fn map<K: Into<Cow<'static, str>>, V: Into<Value>>(members: impl IntoIterator<Item = (K, V)>) -> Struct {
    members.into_iter().map(|(key, value)| (key, value.into())).collect()
}

/// A set of texts.
pub(crate) fn set<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Vec<Value> {
    items.into_iter().map(Into::into).collect()
}

fn make_pool(sim: &mut Sim, name: &str) -> RawRef {
    let (pool, uuid) = (sim.random.reference(), sim.random.uuid());
    let draft = sim.store.draft("pool");
    let draft = draft
        .with("uuid", uuid)
        .with("name_label", name)
        .with("name_description", "A pool made from a seed. Nothing in it is real.")
        .with("other_config", map([("auto_poweron", "true"), ("memory-ratio-hvm", "0.25")]))
        .with("restrictions", map([("restrict_vlan", "false"), ("restrict_pool_attached_storage", "false")]))
        .with("ha_cluster_stack", "xhad")
        .with("tls_verification_enabled", true);
    sim.store.insert(&pool, draft);
    pool
}

fn finish_pool(sim: &mut Sim, plan: &Plan) {
    let pool = plan.pool.as_str();
    sim.store.put("pool", pool, "master", &plan.hosts[0].reference);
    for field in ["default_SR", "suspend_image_SR", "crash_dump_SR"] {
        sim.store.put("pool", pool, field, plan.storage.default());
    }
    let cpu = map([("cpu_count", plan.hosts.iter().map(|host| host.cpus).sum::<i64>()), ("socket_count", 2)]);
    let cpu: Struct =
        cpu.into_iter().map(|(key, value)| (key, alloc::format!("{}", value.as_int().unwrap_or(0)).into())).collect();
    sim.store.put("pool", pool, "cpu_info", cpu);
}

fn make_roles(sim: &mut Sim) {
    for role in xenapi_core::Role::ASSIGNABLE {
        let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
        let draft = sim.store.draft("role").with("uuid", uuid).with("name_label", role.name());
        sim.store.insert(&reference, draft);
    }
}
