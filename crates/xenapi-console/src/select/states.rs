//! The states of objects that depend on others.

use xenapi_client::Cache;
use xenapi_model::{PBD, PIF, VBD, host, network, pif, sr, vdi};
use xenapi_topology::State;

use super::is_known;

pub(crate) fn host(cache: &Cache, host: &host::Record) -> State {
    State::of_host(host, cache.get(&host.metrics).map(|it| &**it))
}

/// Connections to hosts that are down say nothing about the storage.
pub(crate) fn sr(cache: &Cache, sr: &sr::Record) -> State {
    if !is_known::<PBD>(cache) {
        return State::Unknown;
    }
    let pbds = sr.pbds.iter().filter_map(|pbd| cache.get(pbd));
    let alive = pbds.filter(|pbd| cache.get(&pbd.host).is_none_or(|it| host(cache, it) != State::Failed));
    let (attached, all) = alive.fold((0, 0), |(on, all), pbd| (on + usize::from(pbd.currently_attached), all + 1));
    State::of_sr(attached, all)
}

pub(crate) fn network(cache: &Cache, network: &network::Record) -> State {
    if !network.pifs.is_empty() && !is_known::<PIF>(cache) {
        return State::Unknown;
    }
    let attached = network.pifs.iter().filter_map(|pif| cache.get(pif)).any(|pif| pif.currently_attached);
    State::of_network(network, attached)
}

pub(crate) fn pif(cache: &Cache, pif: &pif::Record) -> State {
    State::of_pif(pif, cache.get(&pif.metrics).map(|it| &**it))
}

pub(crate) fn vdi(cache: &Cache, vdi: &vdi::Record) -> State {
    if !vdi.vbds.is_empty() && !is_known::<VBD>(cache) {
        return if vdi.missing { State::Failed } else { State::Unknown };
    }
    let attached = vdi.vbds.iter().filter_map(|vbd| cache.get(vbd)).any(|vbd| vbd.currently_attached);
    State::of_vdi(vdi, attached)
}
