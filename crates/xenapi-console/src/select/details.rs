//! What the panel beside the page says about the selected object.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Class, Ref};
use xenapi_model::{
    Bond, Host, HostMetrics, Network, PBD, PIF, Pool, SR, VBD, VDI, VIF, VLAN, VM, VMGuestMetrics, VMMetrics, VmKind, bond,
    host, network, pbd, pif, pool, sr, vbd, vdi, vif, vlan, vm, vm_guest_metrics,
};
use xenapi_topology::State;

use super::{Cell, guest, is_known, lookup, states};
use crate::format;
use crate::object::{Icon, Object, class_name, icon};
use crate::text::Text;

/// A label and what stands behind it.
#[derive(Clone, PartialEq, Debug)]
pub struct Fact {
    /// What it is.
    pub label: Text,
    /// Its value.
    pub value: Cell,
    /// How full it is, where it is something that fills.
    pub meter: Option<Meter>,
    /// The object that the value names.
    pub link: Option<Object>,
}

/// How full something is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Meter {
    /// In thousandths.
    pub permille: u32,
}

/// Another object, to go to.
#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    /// The object.
    pub object: Object,
    /// Its name.
    pub name: String,
    /// A few words more.
    pub note: String,
    /// Its state.
    pub state: State,
    /// The picture of its kind.
    pub icon: Icon,
}

/// Other objects of one kind.
#[derive(Clone, PartialEq, Debug)]
pub struct Related {
    /// What they are.
    pub title: Text,
    /// The first of them.
    pub links: Vec<Link>,
    /// How many there are in all.
    pub count: usize,
    /// Whether it is known which there are.
    pub known: bool,
}

/// How many related objects of a kind are listed.
const LISTED: usize = 30;

/// Everything about one object.
#[derive(Clone, PartialEq, Debug)]
pub struct Details {
    /// The object.
    pub object: Object,
    /// Its name.
    pub title: String,
    /// What it is.
    pub class: Text,
    /// The picture of its kind.
    pub icon: Icon,
    /// Its state, where its class has one.
    pub state: Option<State>,
    /// What is known about it.
    pub facts: Vec<Fact>,
    /// What it is connected with.
    pub related: Vec<Related>,
}

/// What is known about an object. None if it is not in the cache.
pub fn details(cache: &Cache, object: &Object) -> Option<Details> {
    match object.class {
        "VM" => with::<VM>(cache, object, of_vm),
        "host" => with::<Host>(cache, object, of_host),
        "pool" => with::<Pool>(cache, object, of_pool),
        "SR" => with::<SR>(cache, object, of_sr),
        "VDI" => with::<VDI>(cache, object, of_vdi),
        "network" => with::<Network>(cache, object, of_network),
        "PIF" => with::<PIF>(cache, object, of_pif),
        "VIF" => with::<VIF>(cache, object, of_vif),
        "VBD" => with::<VBD>(cache, object, of_vbd),
        "PBD" => with::<PBD>(cache, object, of_pbd),
        "Bond" => with::<Bond>(cache, object, of_bond),
        "VLAN" => with::<VLAN>(cache, object, of_vlan),
        _ => None,
    }
}

/// Starts from what every object has, and lets the class add its own.
fn with<C: Class>(cache: &Cache, object: &Object, fill: fn(&Cache, &C::Record, &mut Details)) -> Option<Details> {
    let record = cache.get(&object.reference.clone().typed::<C>())?;
    let mut details = Details {
        object: object.clone(),
        title: lookup::full_name_of(cache, object.class, &object.reference).unwrap_or_default(),
        class: class_name(object.class),
        icon: icon(object.class),
        state: None,
        facts: Vec::new(),
        related: Vec::new(),
    };
    fill(cache, record, &mut details);
    let uuid = lookup::uuid_of(cache, object).unwrap_or_default();
    details.fact(Text::Uuid, Cell::of(uuid));
    Some(details)
}

impl Details {
    /// Whether the views show the object: of the class VM they show VMs alone, no templates, snapshots and control domains.
    pub fn is_shown(&self) -> bool {
        !matches!(self.class, Text::ClassTemplate | Text::ClassSnapshot | Text::ClassControlDomain)
    }

    fn fact(&mut self, label: Text, value: Cell) -> &mut Self {
        self.facts.push(Fact { label, value, meter: None, link: None });
        self
    }

    fn text(&mut self, label: Text, text: &str) -> &mut Self {
        self.fact(label, Cell::of(text))
    }

    /// Text that is worth a line only if there is any.
    fn optional(&mut self, label: Text, text: &str) -> &mut Self {
        if text.trim().is_empty() { self } else { self.text(label, text) }
    }

    fn link<'r, C: Class>(&mut self, cache: &Cache, label: Text, reference: impl Into<Option<&'r Ref<C>>>) -> &mut Self {
        let reference = reference.into().and_then(Ref::non_null);
        let name = reference.and_then(|reference| lookup::name_of(cache, C::RECORD.name, reference.raw()));
        let value = match &name {
            Some(name) => Cell::of(name.as_str()),
            None if reference.is_none() => Cell::Nothing,
            None => Cell::Unknown,
        };
        let link = reference.filter(|_| name.is_some()).map(Object::of);
        self.facts.push(Fact { label, value, meter: None, link });
        self
    }

    /// How much of something is used.
    fn usage(&mut self, label: Text, used: i64, whole: i64) -> &mut Self {
        let value = match format::permille(used, whole) {
            Some(_) => Cell::Text(Text::UsedOf.with(&[&format::bytes(used), &format::bytes(whole)])),
            None => Cell::Unknown,
        };
        let meter = format::permille(used, whole).map(|permille| Meter { permille });
        self.facts.push(Fact { label, value, meter, link: None });
        self
    }

    fn relate<C: Class>(
        &mut self,
        cache: &Cache,
        title: Text,
        references: impl IntoIterator<Item = Ref<C>>,
        describe: impl Fn(&C::Record) -> (State, String),
    ) -> &mut Self {
        let mut links = Vec::new();
        let mut count = 0;
        for reference in references.into_iter().filter(|reference| !reference.is_null()) {
            count += 1;
            let Some(record) = cache.get(&reference) else { continue };
            let (state, note) = describe(record);
            let name = lookup::name_of(cache, C::RECORD.name, reference.raw()).unwrap_or_default();
            links.push(Link { object: Object::of(&reference), name, note, state, icon: icon(C::RECORD.name) });
        }
        let known = is_known::<C>(cache);
        if count > 0 || !known {
            links.sort_by(|a, b| format::natural_cmp(&a.name, &b.name).then_with(|| a.object.cmp(&b.object)));
            links.truncate(LISTED);
            self.related.push(Related { title, links, count, known });
        }
        self
    }
}

fn of_vm(cache: &Cache, vm: &vm::Record, details: &mut Details) {
    details.class = match vm.kind() {
        VmKind::Vm => Text::ClassVm,
        VmKind::Template => Text::ClassTemplate,
        VmKind::Snapshot => Text::ClassSnapshot,
        VmKind::ControlDomain => Text::ClassControlDomain,
    };
    details.state = Some(State::of_vm(vm));
    let guest = cache.get(&vm.guest_metrics);
    let from_guest = |tell: &dyn Fn(&vm_guest_metrics::Record) -> String| match guest {
        Some(guest) => Cell::of(tell(guest)),
        None if vm.guest_metrics.is_none() || is_known::<VMGuestMetrics>(cache) => Cell::Nothing,
        None => Cell::Unknown,
    };
    details
        .optional(Text::Description, &vm.name_description)
        .link(cache, Text::Host, &vm.resident_on)
        .text(Text::Vcpus, &guest::vcpus(vm).to_string())
        .text(Text::Memory, &format::bytes(guest::memory(vm)))
        .fact(Text::Addresses, from_guest(&|guest| guest::addresses(guest).join(", ")))
        .fact(Text::Os, from_guest(&os_name));
    if matches!(details.state, Some(State::Running | State::Paused)) {
        let started = match cache.get(&vm.metrics) {
            Some(metrics) => Cell::of(format::date_time(&metrics.start_time).unwrap_or_default()),
            None if is_known::<VMMetrics>(cache) => Cell::Nothing,
            None => Cell::Unknown,
        };
        details.fact(Text::Started, started);
    }
    details.optional(Text::Tags, &vm.tags.join(", "));
    let vbds = vm.vbds.iter().filter_map(|vbd| cache.get(vbd));
    let disks: Vec<Ref<VDI>> = vbds.filter_map(|vbd| vbd.vdi.clone()).collect();
    if is_known::<VBD>(cache) {
        details.relate(cache, Text::Disks, disks, |vdi| (states::vdi(cache, vdi), format::bytes(vdi.virtual_size)));
    } else if !vm.vbds.is_empty() {
        details.related.push(Related { title: Text::Disks, links: Vec::new(), count: vm.vbds.len(), known: false });
    }
    let vifs = vm.vifs.iter().filter_map(|vif| cache.get(vif));
    let networks: Vec<Ref<Network>> = vifs.map(|vif| vif.network.clone()).collect();
    if is_known::<VIF>(cache) {
        details.relate(cache, Text::Networks, networks, |network| (states::network(cache, network), network.bridge.clone()));
    } else if !vm.vifs.is_empty() {
        details.related.push(Related { title: Text::Networks, links: Vec::new(), count: vm.vifs.len(), known: false });
    }
}

/// Windows says behind a bar where it is installed, which nobody wants to know here.
pub(crate) fn os_name(guest: &vm_guest_metrics::Record) -> String {
    let name = guest.os_version.get("name").unwrap_or_default();
    name.split('|').next().unwrap_or_default().trim().into()
}

fn of_host(cache: &Cache, host: &host::Record, details: &mut Details) {
    details.state = Some(states::host(cache, host));
    let cpus = host.cpu_info.get("cpu_count").unwrap_or_default();
    details
        .optional(Text::Description, &host.name_description)
        .text(Text::Address, &host.address)
        .fact(Text::Enabled, Cell::truth(host.enabled));
    match cache.get(&host.metrics) {
        Some(metrics) => {
            let used = metrics.memory_total.saturating_sub(metrics.memory_free);
            details.usage(Text::Memory, used, metrics.memory_total)
        }
        None if is_known::<HostMetrics>(cache) => details.fact(Text::Memory, Cell::Nothing),
        None => details.fact(Text::Memory, Cell::Unknown),
    };
    details
        .optional(Text::Cpus, cpus)
        .optional(Text::CpuModel, host.cpu_info.get("modelname").unwrap_or_default())
        .optional(Text::Version, host.software_version.get("product_version").unwrap_or_default());
    let this: Ref<Host> = details.object.reference.clone().typed();
    let vms = cache.related(host::fields::RESIDENT_VMS, &this).filter(|(_, vm)| vm.kind() == VmKind::Vm).map(|(vm, _)| vm);
    let vms: Vec<Ref<VM>> = vms.collect();
    details.relate(cache, Text::Vms, vms, |vm| (State::of_vm(vm), format::bytes(guest::memory(vm))));
    details.relate(cache, Text::Nics, host.pifs.iter().cloned(), |pif| (states::pif(cache, pif), pif.ip.clone()));
    let pbds = host.pbds.iter().filter_map(|pbd| cache.get(pbd));
    let srs: Vec<Ref<SR>> = pbds.map(|pbd| pbd.sr.clone()).collect();
    details.relate(cache, Text::Srs, srs, |sr| (states::sr(cache, sr), sr.r#type.clone()));
}

fn of_pool(cache: &Cache, pool: &pool::Record, details: &mut Details) {
    details
        .optional(Text::Description, &pool.name_description)
        .link(cache, Text::Master, &pool.master)
        .link(cache, Text::DefaultSr, &pool.default_sr)
        .fact(Text::HighAvailability, Cell::truth(pool.ha_enabled));
    let vms = cache.iter::<VM>().filter(|(_, vm)| vm.kind() == VmKind::Vm).count();
    let vms = if is_known::<VM>(cache) { Cell::of(format::count(vms)) } else { Cell::Unknown };
    details.fact(Text::Vms, vms);
    let hosts = cache.iter::<Host>().map(|(reference, _)| reference);
    details.relate(cache, Text::Hosts, hosts, |host| (states::host(cache, host), host.address.clone()));
}

fn of_sr(cache: &Cache, sr: &sr::Record, details: &mut Details) {
    details.state = Some(states::sr(cache, sr));
    details
        .optional(Text::Description, &sr.name_description)
        .text(Text::Kind, &sr.r#type)
        .text(Text::ContentType, &sr.content_type)
        .fact(Text::Shared, Cell::truth(sr.shared));
    if sr.physical_size > 0 {
        details.usage(Text::Used, sr.physical_utilisation, sr.physical_size);
        details.text(Text::Allocated, &format::bytes(sr.virtual_allocation));
    }
    let pbds = sr.pbds.iter().filter_map(|pbd| cache.get(pbd));
    let hosts: Vec<Ref<Host>> = pbds.map(|pbd| pbd.host.clone()).collect();
    details.relate(cache, Text::Hosts, hosts, |host| (states::host(cache, host), host.address.clone()));
    let this: Ref<SR> = details.object.reference.clone().typed();
    let disks: Vec<Ref<VDI>> = cache.related(sr::fields::VDIS, &this).map(|(vdi, _)| vdi).collect();
    details.relate(cache, Text::Disks, disks, |vdi| (states::vdi(cache, vdi), format::bytes(vdi.virtual_size)));
}

fn of_vdi(cache: &Cache, vdi: &vdi::Record, details: &mut Details) {
    details.state = Some(states::vdi(cache, vdi));
    details
        .optional(Text::Description, &vdi.name_description)
        .link(cache, Text::ClassSr, &vdi.sr)
        .text(Text::Kind, vdi.r#type.as_str())
        .text(Text::Size, &format::bytes(vdi.virtual_size))
        .text(Text::PhysicalSize, &format::bytes(vdi.physical_utilisation))
        .fact(Text::ReadOnly, Cell::truth(vdi.read_only))
        .fact(Text::Shared, Cell::truth(vdi.sharable));
    let vbds = vdi.vbds.iter().filter_map(|vbd| cache.get(vbd));
    let vms: Vec<Ref<VM>> = vbds.map(|vbd| vbd.vm.clone()).collect();
    details.relate(cache, Text::Vms, vms, |vm| (State::of_vm(vm), String::new()));
}

fn of_network(cache: &Cache, network: &network::Record, details: &mut Details) {
    details.state = Some(states::network(cache, network));
    details
        .optional(Text::Description, &network.name_description)
        .text(Text::Bridge, &network.bridge)
        .text(Text::Mtu, &network.mtu.to_string());
    let this: Ref<Network> = details.object.reference.clone().typed();
    let vms: Vec<Ref<VM>> = cache.related(network::fields::VIFS, &this).map(|(_, vif)| vif.vm.clone()).collect();
    details.relate(cache, Text::Nics, network.pifs.iter().cloned(), |pif| {
        let host = cache.get(&pif.host).map_or("", |host| host.name_label.as_str());
        (states::pif(cache, pif), host.into())
    });
    details.relate(cache, Text::Vms, vms, |vm| (State::of_vm(vm), String::new()));
}

fn of_pif(cache: &Cache, pif: &pif::Record, details: &mut Details) {
    details.state = Some(states::pif(cache, pif));
    details
        .link(cache, Text::Host, &pif.host)
        .link(cache, Text::ClassNetwork, &pif.network)
        .text(Text::Device, &pif.device)
        .text(Text::Mac, &pif.mac);
    if pif.vlan >= 0 {
        details.text(Text::VlanTag, &pif.vlan.to_string());
    }
    details
        .text(Text::Addresses, &pif.ip)
        .fact(Text::Management, Cell::truth(pif.management))
        .fact(Text::Attached, Cell::truth(pif.currently_attached))
        .text(Text::Mtu, &pif.mtu.to_string());
    match cache.get(&pif.metrics) {
        Some(metrics) => {
            let carrier = if metrics.carrier { Text::CarrierUp } else { Text::CarrierDown };
            details.text(Text::Carrier, carrier.get()).text(Text::Speed, &format::speed(metrics.speed))
        }
        None => details.fact(Text::Carrier, Cell::Unknown),
    };
    let bonds = pif.bond_master_of.iter().chain(&pif.bond_slave_of).cloned();
    details.relate(cache, Text::ClassBond, bonds, |bond| (bond_state(bond), bond.mode.as_str().into()));
}

fn of_vif(cache: &Cache, vif: &vif::Record, details: &mut Details) {
    details
        .link(cache, Text::ClassVm, &vif.vm)
        .link(cache, Text::ClassNetwork, &vif.network)
        .text(Text::Device, &vif.device)
        .text(Text::Mac, &vif.mac)
        .text(Text::Mtu, &vif.mtu.to_string())
        .fact(Text::Attached, Cell::truth(vif.currently_attached));
}

fn of_vbd(cache: &Cache, vbd: &vbd::Record, details: &mut Details) {
    details.link(cache, Text::ClassVm, &vbd.vm);
    if vbd.empty {
        details.text(Text::ClassVdi, Text::Empty.get());
    } else {
        details.link(cache, Text::ClassVdi, &vbd.vdi);
    }
    details
        .text(Text::Kind, vbd.r#type.as_str())
        .text(Text::Mode, vbd.mode.as_str())
        .text(Text::Device, &vbd.device)
        .text(Text::Position, &vbd.userdevice)
        .fact(Text::Bootable, Cell::truth(vbd.bootable))
        .fact(Text::Attached, Cell::truth(vbd.currently_attached));
}

fn of_pbd(cache: &Cache, pbd: &pbd::Record, details: &mut Details) {
    details.state = Some(if pbd.currently_attached { State::Running } else { State::Failed });
    details
        .link(cache, Text::Host, &pbd.host)
        .link(cache, Text::ClassSr, &pbd.sr)
        .fact(Text::Attached, Cell::truth(pbd.currently_attached));
    // Of what a connection is made of, only places are shown: drivers keep passwords beside them.
    let places = pbd.device_config.iter().filter(|(key, _)| {
        matches!(*key, "server" | "serverpath" | "location" | "device" | "target" | "targetIQN" | "SCSIid")
    });
    let places: Vec<String> = places.map(|(key, value)| alloc::format!("{key} {value}")).collect();
    details.optional(Text::DeviceConfig, &places.join(", "));
}

fn bond_state(bond: &bond::Record) -> State {
    match usize::try_from(bond.links_up) {
        Ok(0) => State::Failed,
        Ok(up) if up < bond.slaves.len() => State::Attention,
        _ => State::Running,
    }
}

fn of_bond(cache: &Cache, bond: &bond::Record, details: &mut Details) {
    details.state = Some(bond_state(bond));
    details
        .link(cache, Text::ClassPif, &bond.master)
        .text(Text::Mode, bond.mode.as_str())
        .text(Text::LinksUp, &Text::UsedOf.with(&[&bond.links_up.to_string(), &bond.slaves.len().to_string()]));
    let members = bond.slaves.iter().cloned();
    details.relate(cache, Text::Members, members, |pif| (states::pif(cache, pif), pif.mac.clone()));
}

fn of_vlan(cache: &Cache, vlan: &vlan::Record, details: &mut Details) {
    details.text(Text::VlanTag, &vlan.tag.to_string()).link(cache, Text::ClassPif, &vlan.tagged_pif).link(
        cache,
        Text::Connections,
        &vlan.untagged_pif,
    );
}
