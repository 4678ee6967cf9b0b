//! Pools out of a seed: hosts with their NICs, shared and local storage, templates, VMs, and one thing or two to worry about.
//!
//! Targets of references come before what refers to them, so that both sides of every relation are right from the start.

mod hosts;
mod names;
mod networks;
mod storage;
mod vms;

use alloc::borrow::Cow;
use alloc::vec::Vec;

use xenapi_core::{RawRef, Struct, Value};

use crate::{Config, Sim};

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
    sim.around.is_under_construction = true;
    let pool = make_pool(sim);
    make_roles(sim);
    let hosts = hosts::make(sim, hosts, vms);
    let networks = networks::make(sim, &hosts);
    let storage = storage::make(sim, &hosts, vms);
    let mut plan = Plan { pool, hosts, networks, storage };
    finish_pool(sim, &plan);
    vms::make(sim, &mut plan, vms);
    hosts::finish(sim, &plan);
    storage::finish(sim);
    sim.refresh_everything();
    leave_messages(sim, &plan);
}

/// A map of texts.
pub(crate) fn map<K: Into<Cow<'static, str>>, V: Into<Value>>(members: impl IntoIterator<Item = (K, V)>) -> Struct {
    members.into_iter().map(|(key, value)| (key, value.into())).collect()
}

/// A set of texts.
pub(crate) fn set<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Vec<Value> {
    items.into_iter().map(Into::into).collect()
}

fn make_pool(sim: &mut Sim) -> RawRef {
    let (pool, uuid) = (sim.random.reference(), sim.random.uuid());
    let draft = sim.store.draft("pool");
    let draft = draft
        .with("uuid", uuid)
        .with("name_label", "Simulated pool")
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

fn leave_messages(sim: &mut Sim, plan: &Plan) {
    let Some(last) = plan.hosts.last() else { return };
    let (name, uuid) = (last.name.clone(), last.uuid.clone());
    let body = alloc::format!("<body><host>{name}</host><bond>bond0</bond><up>1</up><total>2</total></body>");
    sim.new_message("BOND_STATUS_CHANGED", 3, "Host", &uuid, &body);
    let sr = alloc::string::String::from(sim.store.text("SR", plan.storage.detached.as_str(), "name_label"));
    let body = alloc::format!("The storage repository '{sr}' is not connected to host '{name}'.");
    sim.new_message("PBD_PLUG_FAILED_ON_SERVER_START", 2, "Host", &uuid, &body);
}
