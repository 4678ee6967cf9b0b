//! What depends on what in a pool, by numbers instead of references.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hashbrown::HashMap;
use xenapi_client::Snapshot;
use xenapi_core::{Class, RawRef, Ref};
use xenapi_model::{Host, HostMetrics, Network, PBD, PIF, PIFMetrics, Pool, SR, VBD, VDI, VIF, VM, pbd, pif, vbd, vm};

use super::Component;

#[derive(PartialEq)]
pub(super) struct Plan {
    pub(super) hosts: Vec<HostPart>,
    pub(super) pifs: Vec<PifPart>,
    pub(super) networks: Vec<NetworkPart>,
    pub(super) srs: Vec<SrPart>,
    pub(super) pbds: Vec<PbdPart>,
    pub(super) vms: Vec<VmPart>,
    pub(super) master: Option<usize>,
    pub(super) ha: bool,
    /// What the answers depend on and is not in the data.
    pub(super) unknown: Vec<&'static str>,
}

#[derive(PartialEq)]
pub(super) struct HostPart {
    pub(super) reference: Ref<Host>,
    pub(super) live: bool,
    pub(super) enabled: bool,
    /// Bytes; `None` where nobody knows.
    pub(super) free: Option<i64>,
    /// The PIF by which the pool reaches the host.
    pub(super) management: Option<usize>,
    /// Whether several ways to storage are used at once.
    pub(super) multipathing: bool,
}

#[derive(PartialEq)]
pub(super) struct PifPart {
    pub(super) reference: Ref<PIF>,
    pub(super) host: Option<usize>,
    pub(super) network: Option<usize>,
    pub(super) attached: bool,
    pub(super) carrier: Carrier,
    /// Whether it belongs to a bond, so that it carries no network itself.
    pub(super) is_slave: bool,
}

/// What carries a PIF.
#[derive(PartialEq)]
pub(super) enum Carrier {
    /// Its own wire, with a link or without.
    Wire(bool),
    /// Any of these.
    Any(Vec<usize>),
    /// Another one, or something that is not in the data.
    One(Option<usize>),
}

#[derive(PartialEq)]
pub(super) struct NetworkPart {
    pub(super) reference: Ref<Network>,
    pub(super) pifs: Vec<usize>,
    /// Whether it has no PIFs, and so lives inside of each host.
    pub(super) is_internal: bool,
}

#[derive(PartialEq)]
pub(super) struct SrPart {
    pub(super) reference: Ref<SR>,
    pub(super) pbds: Vec<usize>,
}

#[derive(PartialEq)]
pub(super) struct PbdPart {
    pub(super) reference: Ref<PBD>,
    pub(super) host: Option<usize>,
    pub(super) attached: bool,
    /// The PIFs through which the host reaches the storage, any of which will do; none for storage inside of the host.
    pub(super) paths: Vec<usize>,
}

#[derive(PartialEq)]
pub(super) struct VmPart {
    pub(super) reference: Ref<VM>,
    pub(super) is_running: bool,
    pub(super) host: Option<usize>,
    pub(super) disks: Vec<DiskPart>,
    pub(super) nics: Vec<NicPart>,
    /// Where the memory of a suspended VM is.
    pub(super) image: Option<usize>,
    /// Bytes that it needs on a host.
    pub(super) memory: i64,
    /// Whether high availability starts it again.
    pub(super) is_protected: bool,
    /// The only host that can run it, because of devices passed through.
    pub(super) is_pinned: bool,
}

#[derive(PartialEq)]
pub(super) struct DiskPart {
    pub(super) vbd: Ref<VBD>,
    pub(super) vdi: Ref<VDI>,
    pub(super) sr: usize,
    pub(super) is_drive: bool,
    pub(super) attached: bool,
}

#[derive(PartialEq)]
pub(super) struct NicPart {
    pub(super) vif: Ref<VIF>,
    pub(super) network: usize,
    pub(super) attached: bool,
}

/// Numbers of objects by reference.
pub(super) struct Numbers<C: Class>(HashMap<RawRef, usize>, core::marker::PhantomData<C>);

impl<C: Class> Numbers<C> {
    fn new(cache: &Snapshot) -> Self {
        let all = cache.iter::<C>().enumerate().map(|(at, (reference, _))| (reference.raw().clone(), at));
        Numbers(all.collect(), core::marker::PhantomData)
    }

    pub(super) fn of(&self, reference: &Ref<C>) -> Option<usize> {
        self.0.get(reference.raw()).copied()
    }
}

pub(super) struct All {
    pub(super) hosts: Numbers<Host>,
    pub(super) networks: Numbers<Network>,
    pub(super) srs: Numbers<SR>,
}

impl All {
    pub(super) fn new(cache: &Snapshot) -> Self {
        All { hosts: Numbers::new(cache), networks: Numbers::new(cache), srs: Numbers::new(cache) }
    }
}

impl Plan {
    /// Every part that could fail alone.
    pub(super) fn components(&self) -> Vec<Component> {
        let hosts = self.hosts.iter().map(|host| Component::Host(host.reference.clone()));
        let pifs = self.pifs.iter().map(|pif| Component::Pif(pif.reference.clone()));
        let networks = self.networks.iter().filter(|network| !network.is_internal);
        let networks = networks.map(|network| Component::Network(network.reference.clone()));
        let srs = self.srs.iter().map(|sr| Component::Sr(sr.reference.clone()));
        let pbds = self.pbds.iter().map(|pbd| Component::Pbd(pbd.reference.clone()));
        hosts.chain(pifs).chain(networks).chain(srs).chain(pbds).collect()
    }
}

/// Templates, snapshots and control domains are not what an administrator asks for.
pub(super) fn counts(vm: &vm::Record) -> bool {
    !vm.is_a_template && !vm.is_a_snapshot && !vm.is_control_domain
}

pub(super) fn unknown(cache: &Snapshot) -> Vec<&'static str> {
    let known = [
        ("VM", cache.is_known::<VM>()),
        ("host", cache.is_known::<Host>()),
        ("VBD", cache.is_known::<VBD>()),
        ("VDI", cache.is_known::<VDI>()),
        ("SR", cache.is_known::<SR>()),
        ("PBD", cache.is_known::<PBD>()),
        ("VIF", cache.is_known::<VIF>()),
        ("network", cache.is_known::<Network>()),
        ("PIF", cache.is_known::<PIF>()),
        ("PIF_metrics", cache.is_known::<PIFMetrics>()),
        ("host_metrics", cache.is_known::<HostMetrics>()),
        ("pool", cache.is_known::<Pool>()),
    ];
    known.into_iter().filter(|(_, known)| !known).map(|(class, _)| class).collect()
}

pub(super) fn host_part(cache: &Snapshot, reference: Ref<Host>, host: &xenapi_model::host::Record) -> HostPart {
    let metrics = cache.get(&host.metrics);
    HostPart {
        reference,
        live: metrics.is_none_or(|metrics| metrics.live),
        enabled: host.enabled,
        free: metrics.map(|metrics| metrics.memory_free),
        management: None,
        // The field is newer than the key.
        multipathing: host.multipathing || host.other_config.get("multipathing").is_some_and(|value| value == "true"),
    }
}

/// What PIFs say of bonds, VLANs and tunnels, so that their own records need not be in the data.
#[derive(Default)]
pub(super) struct Joints {
    slaves: HashMap<RawRef, Vec<usize>>,
    below: HashMap<RawRef, usize>,
}

impl Joints {
    pub(super) fn add(&mut self, at: usize, pif: &pif::Record) {
        if let Some(bond) = &pif.bond_slave_of {
            self.slaves.entry(bond.raw().clone()).or_default().push(at);
        }
        let vlans = pif.vlan_slave_of.iter().map(Ref::raw);
        let tunnels = pif.tunnel_transport_pif_of.iter().map(Ref::raw);
        let sriovs = pif.sriov_physical_pif_of.iter().map(Ref::raw);
        self.below.extend(vlans.chain(tunnels).chain(sriovs).map(|joint| (joint.clone(), at)));
    }
}

pub(super) fn pif_part(cache: &Snapshot, all: &All, joints: &Joints, reference: &Ref<PIF>, pif: &pif::Record) -> PifPart {
    let tunnel = pif.tunnel_access_pif_of.first().map(Ref::raw);
    let sriov = pif.sriov_logical_pif_of.first().map(Ref::raw);
    let joint = tunnel.or(pif.vlan_master_of.as_ref().map(Ref::raw)).or(sriov);
    let carrier = if let Some(joint) = joint {
        Carrier::One(joints.below.get(joint).copied())
    } else if let Some(bond) = pif.bond_master_of.first() {
        Carrier::Any(joints.slaves.get(bond.raw()).cloned().unwrap_or_default())
    } else {
        Carrier::Wire(cache.get(&pif.metrics).is_none_or(|metrics| metrics.carrier))
    };
    PifPart {
        reference: reference.clone(),
        host: all.hosts.of(&pif.host),
        network: all.networks.of(&pif.network),
        attached: pif.currently_attached,
        carrier,
        is_slave: pif.bond_slave_of.is_some(),
    }
}

/// The networks, without the PIFs that carry them.
pub(super) fn network_parts(cache: &Snapshot) -> Vec<NetworkPart> {
    let part = |(reference, network): (Ref<Network>, &alloc::sync::Arc<xenapi_model::network::Record>)| NetworkPart {
        reference,
        pifs: Vec::new(),
        is_internal: network.pifs.is_empty(),
    };
    cache.iter::<Network>().map(part).collect()
}

/// Through which PIFs a host reaches what a PBD attaches. `pifs` are those of the host, by their numbers.
pub(super) fn paths(host: &HostPart, pifs: &[(usize, &pif::Record)], pbd: &pbd::Record) -> Vec<usize> {
    let addresses = storage_addresses(pbd);
    // Without multipathing the others are only tried when the storage is attached.
    let used = if host.multipathing { addresses.len() } else { 1 };
    let direct = |address: &IpAddr| {
        let holds = |(_, pif): &&(usize, &pif::Record)| pif.currently_attached && holds(pif, *address);
        pifs.iter().find(holds).map(|(at, _)| *at)
    };
    let path = |address: &Result<IpAddr, Named>| address.as_ref().ok().and_then(direct).or(host.management);
    addresses.iter().take(used).filter_map(path).collect()
}

/// A name that stands for an address.
struct Named;

/// Where on the network the storage is: addresses, or names. None for storage inside of the host.
fn storage_addresses(pbd: &pbd::Record) -> Vec<Result<IpAddr, Named>> {
    let of = |key: &str| pbd.device_config.get(key).filter(|text| !text.is_empty());
    // A share of NFS (`server:/path`) or SMB (`//server/share`); other locations are folders of the host.
    let share = of("location").filter(|location| is_smb(location) || location.contains(":/"));
    // Several portals are `address,port,name` each, joined by `|`.
    let portals = of("multiSession").map(|all| all.split('|').filter_map(|portal| portal.split(',').next()).collect());
    let all: Option<Vec<&str>> = of("target").map(|all| all.split(',').collect()).or(portals);
    let all = all.unwrap_or_else(|| of("server").or(share).into_iter().collect());
    all.into_iter().map(str::trim).filter(|text| !text.is_empty()).map(address).collect()
}

fn is_smb(text: &str) -> bool {
    text.starts_with("//") || text.starts_with("\\\\")
}

/// The address in `10.0.0.5:/vol`, `//10.0.0.5/share`, `10.0.0.5:3260`, `[fd00::5]:/vol`, `fd00::5` and the like.
fn address(text: &str) -> Result<IpAddr, Named> {
    let text = text.trim_start_matches(['/', '\\']);
    if let Some((inner, _)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inner.parse().map_err(|_| Named);
    }
    let text = text.split(['/', '\\', ',']).next().unwrap_or(text);
    text.parse().or_else(|_| text.split(':').next().unwrap_or(text).parse()).map_err(|_| Named)
}

/// Whether a subnet of a PIF holds an address.
fn holds(pif: &pif::Record, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let (Ok(own), Ok(mask)) = (pif.ip.parse::<Ipv4Addr>(), pif.netmask.parse::<Ipv4Addr>()) else { return false };
            let mask = mask.to_bits();
            mask != 0 && own.to_bits() & mask == address.to_bits() & mask
        }
        IpAddr::V6(address) => pif.ipv6.iter().any(|own| {
            let Some((own, length)) = own.split_once('/') else { return false };
            let (Ok(own), Ok(length)) = (own.parse::<Ipv6Addr>(), length.parse::<u32>()) else { return false };
            let differ = own.to_bits() ^ address.to_bits();
            (1..=128).contains(&length) && differ.checked_shr(128 - length).unwrap_or_default() == 0
        }),
    }
}

pub(super) fn vm_part(cache: &Snapshot, all: &All, reference: Ref<VM>, vm: &vm::Record) -> VmPart {
    use vm::VmPowerState::{Paused, Running, Suspended};
    let is_running = matches!(vm.power_state, Running | Paused);
    let disk = |of: &Ref<VBD>| {
        let record = cache.get(of)?;
        let vdi = record.vdi.as_ref()?;
        let sr = all.srs.of(&cache.get(vdi)?.sr)?;
        let is_drive = record.r#type == vbd::VbdType::CD;
        Some(DiskPart { vbd: of.clone(), vdi: vdi.clone(), sr, is_drive, attached: record.currently_attached })
    };
    let nic = |of: &Ref<VIF>| {
        let record = cache.get(of)?;
        let network = all.networks.of(&record.network)?;
        Some(NicPart { vif: of.clone(), network, attached: record.currently_attached })
    };
    let image = vm.suspend_vdi.as_ref().filter(|_| vm.power_state == Suspended);
    VmPart {
        is_running,
        image: image.and_then(|image| all.srs.of(&cache.get(image)?.sr)),
        host: vm.resident_on.as_ref().filter(|_| is_running).and_then(|host| all.hosts.of(host)),
        disks: vm.vbds.iter().filter_map(disk).collect(),
        nics: vm.vifs.iter().filter_map(nic).collect(),
        memory: if vm.memory_target > 0 { vm.memory_target } else { vm.memory_dynamic_max },
        is_protected: vm.ha_restart_priority == "restart",
        is_pinned: !vm.attached_pcis.is_empty(),
        reference,
    }
}
