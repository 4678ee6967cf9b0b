//! Networks, network interfaces of hosts and of VMs.

use alloc::string::ToString;
use alloc::vec::Vec;

use xenapi_core::Ref;
use xenapi_model::{Host, Network, PIF, PIFMetrics, VIF, network, pif, vif};
use xenapi_topology::State;

use crate::object::Icon;
use crate::route::Kind;
use crate::select;
use crate::tables::rows::{Look, Made, Pass};
use crate::tables::spec::{Shape, Spec, col, more};
use crate::tables::value::Value;
use crate::text::{self, Plural, Text};

pub(super) fn collect(kind: Kind, pass: &mut Pass<'_>) {
    match kind {
        Kind::Networks => pass.each::<Network>(|_| true, |it| it.uuid.as_str(), network),
        Kind::Pifs => pass.each::<PIF>(|_| true, |it| it.uuid.as_str(), pif),
        _ => pass.each::<VIF>(|_| true, |it| it.uuid.as_str(), vif),
    }
}

pub(super) static NETWORKS: Spec = Spec {
    kind: Kind::Networks,
    title: Text::Networks,
    counted: Plural::CountNetworks,
    icon: Icon::Network,
    testid: "network",
    columns: &[
        col("name", Text::Name, Shape::Name, 240),
        col("state", Text::State, Shape::State, 124),
        col("bridge", Text::Bridge, Shape::Code, 110),
        col("vlan", Text::VlanTag, Shape::Code, 80),
        col("hosts", Text::Hosts, Shape::Links, 220),
        col("pifs", Text::Nics, Shape::Count, 130),
        col("vifs", Text::ColVifs, Shape::Count, 100),
        col("mtu", Text::Mtu, Shape::Count, 72),
        col("tags", Text::Tags, Shape::List, 120),
        more("managed", Text::ColManaged, Shape::Truth, 90),
        more("uuid", Text::Uuid, Shape::Code, 270),
        more("description", Text::Description, Shape::Text, 260),
    ],
    classes: &["network", "VIF", "PIF", "host", "pool"],
    facets: &["state", "vlan", "tags"],
    sort: "name",
    narrow: ["bridge", "vifs"],
    example: "vlan, state:unplugged, mtu>1500",
    none: Text::NothingLoadedHint,
};

fn network(look: &mut Look<'_>, network: &network::Record) -> Made {
    let knows = network.pifs.is_empty() || select::is_known::<PIF>(look.cache);
    let pifs: Vec<&pif::Record> = network.pifs.iter().filter_map(|pif| look.get(pif)).collect();
    let state =
        if knows { State::of_network(network, pifs.iter().any(|pif| pif.currently_attached)) } else { State::Unknown };
    let mut tags: Vec<i64> = pifs.iter().map(|pif| pif.vlan).filter(|vlan| *vlan >= 0).collect();
    tags.sort_unstable();
    tags.dedup();
    let tags: Vec<_> = tags.iter().map(ToString::to_string).collect();
    let mut hosts: Vec<Ref<Host>> = pifs.iter().map(|pif| pif.host.clone()).collect();
    hosts.dedup();
    let name = select::either(&network.name_label, &network.bridge);
    let cells = [
        Value::text(&name),
        Value::Status(state, text::state_of("network", state)),
        Value::text(&network.bridge),
        if knows { Value::list(&tags) } else { Value::Unknown },
        if knows { look.links(&hosts) } else { Value::Unknown },
        Value::count(network.pifs.len()),
        if select::is_known::<VIF>(look.cache) {
            Value::count(look.related::<VIF>("network", "VIFs").len())
        } else {
            Value::Unknown
        },
        Value::Count(network.mtu),
        Value::list(&network.tags),
        Value::Truth(network.managed),
        Value::text(network.uuid.as_str()),
        Value::text(&network.name_description),
    ];
    Made { name, state: Some(state), cells: cells.into() }
}

pub(super) static PIFS: Spec = Spec {
    kind: Kind::Pifs,
    title: Text::Nics,
    counted: Plural::CountPifs,
    icon: Icon::Nic,
    testid: "pif",
    columns: &[
        col("name", Text::Device, Shape::Name, 120),
        col("state", Text::State, Shape::State, 124),
        col("host", Text::Host, Shape::Links, 160),
        col("network", Text::ClassNetwork, Shape::Links, 180),
        col("role", Text::ColRole, Shape::Text, 110),
        col("ip", Text::Address, Shape::Code, 120),
        col("link", Text::Carrier, Shape::State, 80),
        col("speed", Text::Speed, Shape::Speed, 90),
        col("mac", Text::Mac, Shape::Code, 140),
        more("management", Text::Management, Shape::Truth, 110),
        more("vlan", Text::VlanTag, Shape::Count, 80),
        more("attached", Text::Attached, Shape::Truth, 90),
        more("mtu", Text::Mtu, Shape::Count, 72),
        more("card", Text::ColCard, Shape::Text, 260),
        more("uuid", Text::Uuid, Shape::Code, 270),
    ],
    classes: &["PIF", "PIF_metrics", "host", "network", "pool"],
    facets: &["state", "host", "role"],
    sort: "host,name",
    narrow: ["host", "speed"],
    example: "eth0, link:down, speed<10G",
    none: Text::NothingLoadedHint,
};

fn pif(look: &mut Look<'_>, pif: &pif::Record) -> Made {
    let metrics = look.get(&pif.metrics);
    let state = State::of_pif(pif, metrics);
    let name = select::pif_name(pif);
    let role = match () {
        () if pif.vlan >= 0 => Text::ColRoleVlan,
        () if !pif.bond_master_of.is_empty() => Text::ClassBond,
        () if pif.bond_slave_of.is_some() => Text::ColRoleMember,
        () if !pif.tunnel_access_pif_of.is_empty() => Text::ColRoleTunnel,
        () => Text::ColRoleNic,
    };
    // What a VLAN or a bond says of its link and speed is what the NIC below says, or nothing.
    let link = match metrics {
        Some(metrics) if metrics.carrier => Value::Status(State::Running, Text::CarrierUp),
        Some(_) if pif.physical => Value::Status(State::Failed, Text::CarrierDown),
        Some(_) => Value::Nothing,
        None => look.absent::<PIFMetrics>(),
    };
    let speed = metrics.map_or(0, |metrics| metrics.speed);
    let cells = [
        Value::text(&name),
        Value::Status(state, text::state_of("PIF", state)),
        look.link(&pif.host),
        look.link(&pif.network),
        Value::text(role.get()),
        Value::text(&pif.ip),
        link,
        if speed > 0 { Value::Speed(speed) } else { Value::Nothing },
        Value::text(&pif.mac),
        Value::Truth(pif.management),
        if pif.vlan >= 0 { Value::Count(pif.vlan) } else { Value::Nothing },
        Value::Truth(pif.currently_attached),
        Value::Count(pif.mtu),
        Value::text(metrics.map_or("", |metrics| metrics.device_name.as_str())),
        Value::text(pif.uuid.as_str()),
    ];
    Made { name, state: Some(state), cells: cells.into() }
}

pub(super) static VIFS: Spec = Spec {
    kind: Kind::Vifs,
    title: Text::ColVifs,
    counted: Plural::CountVifs,
    icon: Icon::Nic,
    testid: "vif",
    columns: &[
        col("name", Text::Device, Shape::Name, 100),
        col("state", Text::State, Shape::State, 124),
        col("vm", Text::ClassVm, Shape::Links, 240),
        col("network", Text::ClassNetwork, Shape::Links, 220),
        col("mac", Text::Mac, Shape::Code, 150),
        col("mtu", Text::Mtu, Shape::Count, 72),
        col("allowed", Text::ColAllowed, Shape::Code, 200),
        more("uuid", Text::Uuid, Shape::Code, 270),
    ],
    classes: &["VIF", "VM", "network", "pool"],
    facets: &["state", "network"],
    sort: "vm,name",
    narrow: ["vm", "mac"],
    example: "web, network:production, state:detached",
    none: Text::NothingLoadedHint,
};

fn vif(look: &mut Look<'_>, vif: &vif::Record) -> Made {
    let state = if vif.currently_attached { State::Running } else { State::Halted };
    let cells = [
        Value::text(&vif.device),
        Value::Status(state, text::state_of("VIF", state)),
        look.link(&vif.vm),
        look.link(&vif.network),
        Value::text(&vif.mac),
        Value::Count(vif.mtu),
        Value::list(vif.ipv4_allowed.iter().chain(&vif.ipv6_allowed)),
        Value::text(vif.uuid.as_str()),
    ];
    Made { name: vif.device.clone(), state: Some(state), cells: cells.into() }
}
