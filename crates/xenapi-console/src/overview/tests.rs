//! What is told of a pool, and what is not.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{DateTime, Ref, Uuid};
use xenapi_model::task::TaskStatusType;
use xenapi_model::{
    Host, HostMetrics, Message, PBD, PIF, PIFMetrics, Pool, SR, Task, VDI, host, host_metrics, message, pbd, pif,
    pif_metrics, pool, sr, task, vdi,
};
use xenapi_topology::State;

use super::*;
use crate::query::Query as TableQuery;
use crate::tables::{Ask, Sort, Spec, Table};
use crate::tests::cache;

const NOW: i64 = 1_800_000_000;

/// The cache of all tests, with its dead host alive.
fn well() -> Cache {
    let mut cache = cache();
    let metrics = host_metrics::Record { live: true, memory_total: 64 << 30, memory_free: 16 << 30, ..Default::default() };
    cache.insert(Ref::<HostMetrics>::new("hm2"), metrics);
    cache
}

fn ids(cache: &Cache) -> Vec<&'static str> {
    health(cache, NOW).into_iter().map(|finding| finding.id).collect()
}

#[test]
fn a_pool_that_is_well_has_nothing_to_say() {
    assert_eq!(health(&well(), NOW), []);
    assert_eq!(health(&Cache::new(), NOW), []);
}

#[test]
fn the_gravest_comes_first() {
    let mut cache = cache();
    cache.insert(Ref::<Host>::new("h1"), host::Record { name_label: "host 1".into(), enabled: false, ..Default::default() });
    assert_eq!(ids(&cache), ["hosts-down", "hosts-disabled"]);
    let found = health(&cache, NOW);
    assert_eq!(
        (found[0].text.as_str(), found[0].state, found[0].links[0].name.as_str()),
        ("1 host does not answer", State::Failed, "host 2")
    );
}

#[test]
fn storage_is_told_when_it_is_nearly_full_or_unplugged() {
    let mut cache = well();
    let at = |percent: i64| sr::Record {
        name_label: "x".into(),
        physical_size: 1000,
        physical_utilisation: percent * 10,
        ..Default::default()
    };
    cache.insert(Ref::<SR>::new("s2"), at(84));
    assert_eq!(ids(&cache), [""; 0]);
    cache.insert(Ref::<SR>::new("s2"), at(85));
    assert_eq!(ids(&cache), ["srs-full"]);
    cache.insert(Ref::<SR>::new("s2"), at(96));
    assert_eq!(ids(&cache), ["srs-brim"]);
    // What one only reads from is always full.
    cache.insert(Ref::<SR>::new("s2"), sr::Record { r#type: "iso".into(), ..at(100) });
    assert_eq!(ids(&cache), [""; 0]);
    cache.insert(Ref::<PBD>::new("pbd1"), pbd::Record { host: Ref::new("h1"), sr: Ref::new("s1"), ..Default::default() });
    assert_eq!(ids(&cache), ["pbds-unplugged"]);
    // With its host down, the host alone is told.
    cache.insert(Ref::<HostMetrics>::new("hm1"), host_metrics::Record::default());
    assert_eq!(ids(&cache), ["hosts-down"]);
    let mut cache = well();
    cache.insert(Ref::<VDI>::new("d2"), vdi::Record { missing: true, ..Default::default() });
    assert_eq!(ids(&cache), ["vdis-missing"]);
}

#[test]
fn only_links_that_somebody_needs_are_missed() {
    let mut cache = well();
    cache.insert(Ref::<PIFMetrics>::new("m"), pif_metrics::Record { carrier: false, ..Default::default() });
    let dark = |pif: pif::Record| pif::Record {
        physical: true,
        metrics: Some(Ref::new("m")),
        host: Ref::new("h1"),
        vlan: -1,
        ..pif
    };
    let mut with = |pif: pif::Record| {
        cache.insert(Ref::<PIF>::new("p"), dark(pif));
        ids(&cache)
    };
    let unused = pif::Record { currently_attached: false, ..Default::default() };
    assert_eq!(with(unused.clone()), [""; 0], "nobody uses it");
    assert_eq!(with(pif::Record { currently_attached: true, ..Default::default() }), ["nics-dark"]);
    assert_eq!(with(pif::Record { bond_slave_of: Some(Ref::new("b")), ..unused }), ["nics-dark"]);
    assert_eq!(with(pif::Record { management: true, currently_attached: true, ..Default::default() }), ["management-dark"]);
}

#[test]
fn what_happened_is_news_for_a_week() {
    let mut cache = well();
    let at = |seconds: i64| DateTime::from_unix(NOW - seconds);
    let alarm = |priority: i64, seconds: i64| message::Record {
        name: "HOST_LOST".into(),
        priority,
        timestamp: at(seconds),
        ..Default::default()
    };
    cache.insert(Ref::<Message>::new("m1"), alarm(5, 60));
    cache.insert(Ref::<Message>::new("m2"), alarm(1, 8 * 86_400));
    assert_eq!(ids(&cache), [""; 0]);
    cache.insert(Ref::<Message>::new("m3"), alarm(2, 60));
    cache.insert(Ref::<Message>::new("m4"), alarm(3, 60));
    let task =
        task::Record { status: TaskStatusType::Failure, finished: at(60), name_label: "t".into(), ..Default::default() };
    cache.insert(Ref::<Task>::new("t"), task);
    assert_eq!(ids(&cache), ["alarms", "tasks-failed", "warnings"]);
    let told: Vec<String> = recent(&cache).into_iter().map(|it| it.text).collect();
    assert_eq!(told, ["Host lost"; 4]);
    // The same words are said once.
    for (reference, uuid) in [("m5", "h1"), ("m6", "h2")] {
        let about = message::Record { cls: "Host".into(), obj_uuid: uuid.into(), ..alarm(2, 60) };
        cache.insert(Ref::<Message>::new(reference), about);
    }
    for (reference, name) in [("h1", "host 1"), ("h2", "host 2")] {
        let host = host::Record { uuid: Uuid::new(reference), name_label: name.into(), ..Default::default() };
        cache.insert(Ref::<Host>::new(reference), host);
    }
    let alarms = health(&cache, NOW).into_iter().find(|it| it.id == "alarms").unwrap();
    let names: Vec<&str> = alarms.links.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["Host lost", "host 1", "host 2"]);
}

#[test]
fn availability_and_upkeep_are_told() {
    let mut cache = well();
    let record = pool::Record { ha_enabled: true, ha_overcommitted: true, ..Default::default() };
    cache.insert(Ref::<Pool>::new("p"), record);
    assert_eq!(ids(&cache), ["ha-overcommitted"]);
    cache.insert(Ref::<Pool>::new("p"), pool::Record::default());
    let ends = |at: &str| [("expiry".to_string(), at.to_string())].into_iter().collect();
    let record = host::Record { enabled: true, license_params: ends("20270120T00:00:00Z"), ..Default::default() };
    cache.insert(Ref::<Host>::new("h3"), record.clone());
    assert_eq!(ids(&cache), ["licence-soon"]);
    cache.insert(Ref::<Host>::new("h3"), host::Record { license_params: ends("20200120T00:00:00Z"), ..record });
    assert_eq!(ids(&cache), ["licence-over"]);
}

#[test]
fn what_a_number_leads_to_is_what_it_counts() {
    let mut cache = cache();
    cache.insert(Ref::<SR>::new("s2"), sr::Record { physical_size: 100, physical_utilisation: 90, ..Default::default() });
    cache.insert(Ref::<PBD>::new("pbd2"), pbd::Record { uuid: Uuid::new("x"), host: Ref::new("h1"), ..Default::default() });
    cache.insert(Ref::<VDI>::new("d2"), vdi::Record { missing: true, ..Default::default() });
    let rows = |go: &Go| {
        let spec = Spec::of(go.kind);
        let query = TableQuery::parse(go.filter, spec);
        assert!(query.problems.is_empty(), "{}: {:?}", go.filter, query.problems);
        Table::new(go.kind).update(&cache, &Ask { query, sort: Sort::default(), now: NOW }).len()
    };
    for count in counts(&cache) {
        assert_eq!(Some(rows(&count.go)), count.number, "{count:?}");
    }
    let found = health(&cache, NOW);
    assert!(found.len() >= 4, "{found:?}");
    for finding in found {
        let go = finding.go.unwrap();
        assert_eq!(rows(&go), finding.links.len() + finding.more, "{}", finding.id);
    }
}

#[test]
fn capacity_says_what_is_promised() {
    let capacity = capacity(&well());
    let memory = capacity.memory.unwrap();
    assert_eq!((memory.share, memory.text.as_str()), (Some(750), "96 GiB of 128 GiB used"));
    assert_eq!(memory.note, "4 GiB promised to running VMs, 6 GiB to all (0 to 1)");
    assert_eq!(capacity.cpu, None, "no host says how many CPUs it has");
    let storage = capacity.storage.unwrap();
    assert_eq!((storage.share, storage.text.as_str()), (Some(500), "512 GiB of 1 TiB used"));
    assert_eq!(capacity.srs[0].link.name, "NFS");
}
