//! What stops in a made-up pool if a part of it fails, and how long it takes to find out:
//! `cargo run --release -p xenapi-topology --example impact -- [HOSTS VMS]`.

extern crate alloc;

use core::time::Duration;
use std::time::Instant;

use xenapi_client::Cache;
use xenapi_model::{Host, Network, PIF, SR};
use xenapi_topology::impact::{Component, Verdict, impact, single_points};

#[path = "../src/tests/sample.rs"]
mod sample;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let (hosts, vms) = (numbers.next().unwrap_or(64), numbers.next().unwrap_or(5000));
    let cache = sample::pool(hosts, vms, 1);
    for component in some(&cache) {
        let found = impact(&cache, core::slice::from_ref(&component));
        let took = fastest(|| drop(impact(&cache, core::slice::from_ref(&component))));
        let [stopped, degraded, safe] = [Verdict::Stopped, Verdict::Degraded, Verdict::Safe].map(|it| found.count(it));
        let what = format!("{} {}", component.class(), component.label(&cache));
        println!("{what}: {stopped} stopped, {degraded} degraded, {safe} safe, {} untouched; {took:?}", found.untouched);
    }
    let points = single_points(&cache);
    let took = fastest(|| drop(single_points(&cache)));
    println!("{} single points of failure; {took:?}", points.len());
}

/// A component of each class.
fn some(cache: &Cache) -> Vec<Component> {
    let host = cache.iter::<Host>().next().map(|(it, _)| Component::Host(it));
    let bond = cache.iter::<PIF>().find(|(_, pif)| !pif.bond_master_of.is_empty()).map(|(it, _)| Component::Pif(it));
    let network = cache.iter::<Network>().find(|(_, network)| network.name_label.starts_with("VLAN"));
    let network = network.map(|(it, _)| Component::Network(it));
    let sr = cache.iter::<SR>().find(|(_, sr)| sr.shared).map(|(it, _)| Component::Sr(it));
    [host, bond, network, sr].into_iter().flatten().collect()
}

fn fastest(mut work: impl FnMut()) -> Duration {
    let once = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..5).map(once).min().unwrap_or_default()
}
