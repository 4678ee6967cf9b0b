//! The filters of the topology, as they stand in its address.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_model::{Host, Network, Pool, SR, VDI, VM};
use xenapi_topology::{Filter, State};

use crate::route::Query;

/// The words of the address.
pub mod key {
    /// A tag.
    pub const TAG: &str = "tag";
    /// A host, by its uuid.
    pub const HOST: &str = "host";
    /// States, separated by commas.
    pub const STATE: &str = "state";
    /// `1` for problems alone.
    pub const PROBLEMS: &str = "problems";
    /// All of them.
    pub const ALL: [&str; 4] = [TAG, HOST, STATE, PROBLEMS];
}

/// What an address lets through. A host that is not in the pool lets nothing through; words that nobody knows are passed over.
pub fn filter(cache: &Cache, query: &Query) -> Filter {
    let host = query.get(key::HOST).map(|uuid| {
        let found = cache.by_uuid::<Host>(uuid).map(|(reference, _)| reference.raw().clone());
        found.unwrap_or_else(|| uuid.as_str().into())
    });
    let states = query.get(key::STATE).map(|words| words.split(',').filter_map(State::from_name).collect());
    Filter {
        tag: query.get(key::TAG).cloned(),
        host,
        states: states.unwrap_or_default(),
        problems: query.get(key::PROBLEMS).is_some_and(|value| value == "1"),
    }
}

/// The tags that objects of a drawing have, in order.
pub fn tags(cache: &Cache) -> Vec<String> {
    let mut all = BTreeSet::new();
    cache.iter::<VM>().for_each(|(_, it)| all.extend(it.tags.iter()));
    cache.iter::<Host>().for_each(|(_, it)| all.extend(it.tags.iter()));
    cache.iter::<SR>().for_each(|(_, it)| all.extend(it.tags.iter()));
    cache.iter::<VDI>().for_each(|(_, it)| all.extend(it.tags.iter()));
    cache.iter::<Network>().for_each(|(_, it)| all.extend(it.tags.iter()));
    cache.iter::<Pool>().for_each(|(_, it)| all.extend(it.tags.iter()));
    all.into_iter().cloned().collect()
}

/// The hosts by name: uuid and name.
pub fn hosts(cache: &Cache) -> Vec<(String, String)> {
    let host =
        |(_, host): (_, &alloc::sync::Arc<xenapi_model::host::Record>)| (host.uuid.to_string(), host.name_label.clone());
    let mut all: Vec<(String, String)> = cache.iter::<Host>().map(host).collect();
    all.sort_by(|a, b| xenapi_topology::text::natural(&a.1, &b.1).then_with(|| a.0.cmp(&b.0)));
    all
}
