//! Storage repositories, virtual disks, block devices, connections of hosts to storage.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::Ref;
use xenapi_model::{PBD, Pool, SR, VBD, VDI, VM, pbd, sr, vbd, vdi};
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
        Kind::Srs => pass.each::<SR>(|_| true, |it| it.uuid.as_str(), sr),
        Kind::Vdis => pass.each::<VDI>(|_| true, |it| it.uuid.as_str(), vdi),
        Kind::Vbds => pass.each::<VBD>(|_| true, |it| it.uuid.as_str(), vbd),
        _ => pass.each::<PBD>(|_| true, |it| it.uuid.as_str(), pbd),
    }
}

pub(super) static SRS: Spec = Spec {
    kind: Kind::Srs,
    title: Text::Srs,
    counted: Plural::CountSrs,
    icon: Icon::Sr,
    testid: "sr",
    columns: &[
        col("name", Text::Name, Shape::Name, 220),
        col("state", Text::State, Shape::State, 146),
        col("type", Text::Kind, Shape::Text, 90),
        col("shared", Text::Shared, Shape::Truth, 80),
        col("host", Text::Host, Shape::Links, 130),
        col("used", Text::Used, Shape::Share, 110),
        col("size", Text::Size, Shape::Bytes, 92),
        col("free", Text::ColFree, Shape::Bytes, 92),
        col("allocated", Text::Allocated, Shape::Bytes, 92),
        col("disks", Text::Disks, Shape::Count, 80),
        col("hosts", Text::Hosts, Shape::Count, 80),
        more("content", Text::ContentType, Shape::Text, 100),
        more("default", Text::ColDefault, Shape::Truth, 90),
        more("tags", Text::Tags, Shape::List, 120),
        more("uuid", Text::Uuid, Shape::Code, 270),
        more("description", Text::Description, Shape::Text, 260),
    ],
    classes: &["SR", "VDI", "PBD", "host", "host_metrics", "pool"],
    facets: &["state", "type", "host", "tags"],
    sort: "name,host",
    narrow: ["host", "used"],
    example: "nfs, used>85%, free<100GiB",
    none: Text::NothingLoadedHint,
};

fn sr(look: &mut Look<'_>, sr: &sr::Record) -> Made {
    let state = sr_state(look, &sr.pbds);
    let sized = sr.physical_size > 0;
    let when_sized = |value: Value| if sized { value } else { Value::Nothing };
    // What one cannot write to is always full, and has no room.
    let when_filled = |value: Value| if sized && select::fills(sr) { value } else { Value::Nothing };
    // Several hosts have a “Local storage” each.
    let own = match sr.pbds.as_slice() {
        [pbd] if !sr.shared => look.get(pbd).map_or(Value::Unknown, |pbd| look.link(&pbd.host)),
        _ => Value::Nothing,
    };
    let pool = look.cache.iter::<Pool>().next().map(|(reference, _)| reference);
    let default = look.get(&pool).and_then(|pool| look.get(&pool.default_sr));
    let cells = [
        Value::text(&sr.name_label),
        Value::Status(state, text::state_of("SR", state)),
        Value::text(&sr.r#type),
        Value::Truth(sr.shared),
        own,
        when_filled(Value::share(sr.physical_utilisation, sr.physical_size)),
        when_sized(Value::bytes(sr.physical_size)),
        when_filled(Value::bytes(sr.physical_size.saturating_sub(sr.physical_utilisation))),
        when_sized(Value::bytes(sr.virtual_allocation)),
        if select::is_known::<VDI>(look.cache) {
            Value::count(look.related::<VDI>("SR", "VDIs").len())
        } else {
            Value::Unknown
        },
        Value::count(sr.pbds.len()),
        Value::text(&sr.content_type),
        Value::Truth(default.is_some_and(|default| default.uuid == sr.uuid)),
        Value::list(&sr.tags),
        Value::text(sr.uuid.as_str()),
        Value::text(&sr.name_description),
    ];
    Made { name: sr.name_label.clone(), state: Some(state), cells: cells.into() }
}

/// Connections to hosts that are down say nothing about the storage.
fn sr_state(look: &mut Look<'_>, pbds: &[Ref<PBD>]) -> State {
    if !select::is_known::<PBD>(look.cache) {
        return State::Unknown;
    }
    let (mut attached, mut all) = (0, 0);
    for pbd in pbds {
        let Some(pbd) = look.get(pbd) else { continue };
        let host = look.get(&pbd.host);
        let is_down = host.is_some_and(|host| State::of_host(host, look.get(&host.metrics)) == State::Failed);
        if !is_down {
            all += 1;
            attached += usize::from(pbd.currently_attached);
        }
    }
    State::of_sr(attached, all)
}

pub(super) static VDIS: Spec = Spec {
    kind: Kind::Vdis,
    title: Text::Disks,
    counted: Plural::CountVdis,
    icon: Icon::Vdi,
    testid: "vdi",
    columns: &[
        col("name", Text::Name, Shape::Name, 240),
        col("state", Text::State, Shape::State, 124),
        col("size", Text::Size, Shape::Bytes, 92),
        col("ondisk", Text::PhysicalSize, Shape::Bytes, 92),
        col("sr", Text::ClassSr, Shape::Links, 160),
        col("vms", Text::Vms, Shape::Links, 180),
        col("type", Text::Kind, Shape::Text, 90),
        col("snapshot", Text::ClassSnapshot, Shape::Truth, 90),
        more("taken", Text::ColTaken, Shape::Date, 188),
        more("readonly", Text::ReadOnly, Shape::Truth, 90),
        more("shared", Text::Shared, Shape::Truth, 90),
        more("managed", Text::ColManaged, Shape::Truth, 90),
        more("cbt", Text::ColCbt, Shape::Truth, 110),
        more("tags", Text::Tags, Shape::List, 120),
        more("uuid", Text::Uuid, Shape::Code, 270),
        more("description", Text::Description, Shape::Text, 240),
    ],
    classes: &["VDI", "VBD", "SR", "VM", "PBD", "host", "pool"],
    facets: &["state", "sr", "type", "tags"],
    sort: "name",
    narrow: ["sr", "size"],
    example: "data, size>100GiB, !snapshot",
    none: Text::NoVdisHint,
};

fn vdi(look: &mut Look<'_>, vdi: &vdi::Record) -> Made {
    let vbds: Vec<&vbd::Record> = vdi.vbds.iter().filter_map(|vbd| look.get(vbd)).collect();
    let knows = vdi.vbds.is_empty() || select::is_known::<VBD>(look.cache);
    let state = match (knows, vdi.missing) {
        (false, false) => State::Unknown,
        _ => State::of_vdi(vdi, vbds.iter().any(|vbd| vbd.currently_attached)),
    };
    let vms: Vec<Ref<VM>> = vbds.iter().map(|vbd| vbd.vm.clone()).collect();
    let name = select::either(&vdi.name_label, vdi.uuid.as_str());
    let cells = [
        Value::text(&name),
        Value::Status(state, text::state_of("VDI", state)),
        Value::bytes(vdi.virtual_size),
        Value::bytes(vdi.physical_utilisation),
        look.link_sr(&vdi.sr),
        if knows { look.links(&vms) } else { Value::Unknown },
        Value::text(vdi.r#type.as_str()),
        Value::Truth(vdi.is_a_snapshot),
        Value::date(&vdi.snapshot_time),
        Value::Truth(vdi.read_only),
        Value::Truth(vdi.sharable),
        Value::Truth(vdi.managed),
        Value::Truth(vdi.cbt_enabled),
        Value::list(&vdi.tags),
        Value::text(vdi.uuid.as_str()),
        Value::text(&vdi.name_description),
    ];
    Made { name, state: Some(state), cells: cells.into() }
}

pub(super) static VBDS: Spec = Spec {
    kind: Kind::Vbds,
    title: Text::ColVbds,
    counted: Plural::CountVbds,
    icon: Icon::Plug,
    testid: "vbd",
    columns: &[
        col("name", Text::Device, Shape::Name, 120),
        col("state", Text::State, Shape::State, 124),
        col("vm", Text::ClassVm, Shape::Links, 220),
        col("vdi", Text::ClassVdi, Shape::Links, 240),
        col("sr", Text::ClassSr, Shape::Links, 180),
        col("size", Text::Size, Shape::Bytes, 92),
        col("type", Text::Kind, Shape::Text, 80),
        col("mode", Text::Mode, Shape::Text, 80),
        col("bootable", Text::Bootable, Shape::Truth, 90),
        more("empty", Text::ColEmpty, Shape::Truth, 90),
        more("position", Text::Position, Shape::Text, 90),
        more("uuid", Text::Uuid, Shape::Code, 270),
    ],
    classes: &["VBD", "VM", "VDI", "SR", "PBD", "host", "pool"],
    facets: &["state", "type", "sr"],
    sort: "vm,position",
    narrow: ["vm", "size"],
    example: "web, state:detached, type:CD",
    none: Text::NothingLoadedHint,
};

fn vbd(look: &mut Look<'_>, vbd: &vbd::Record) -> Made {
    let state = if vbd.currently_attached { State::Running } else { State::Halted };
    let vdi = look.get(&vbd.vdi);
    let name = select::either(&vbd.device, &vbd.userdevice);
    let cells = [
        Value::text(&name),
        Value::Status(state, text::state_of("VBD", state)),
        look.link(&vbd.vm),
        if vbd.empty { Value::Nothing } else { look.link(&vbd.vdi) },
        vdi.map_or(Value::Nothing, |vdi| look.link_sr(&vdi.sr)),
        vdi.map_or(Value::Nothing, |vdi| Value::bytes(vdi.virtual_size)),
        Value::text(vbd.r#type.as_str()),
        Value::text(vbd.mode.as_str()),
        Value::Truth(vbd.bootable),
        Value::Truth(vbd.empty),
        Value::text(&vbd.userdevice),
        Value::text(vbd.uuid.as_str()),
    ];
    Made { name, state: Some(state), cells: cells.into() }
}

pub(super) static PBDS: Spec = Spec {
    kind: Kind::Pbds,
    title: Text::ColPbds,
    counted: Plural::CountPbds,
    icon: Icon::Plug,
    testid: "pbd",
    columns: &[
        col("name", Text::ClassPbd, Shape::Name, 260),
        col("state", Text::State, Shape::State, 124),
        col("host", Text::Host, Shape::Links, 180),
        col("sr", Text::ClassSr, Shape::Links, 200),
        col("type", Text::Kind, Shape::Text, 90),
        col("config", Text::DeviceConfig, Shape::Text, 300),
        more("uuid", Text::Uuid, Shape::Code, 270),
    ],
    classes: &["PBD", "host", "SR", "pool"],
    facets: &["state", "host", "sr"],
    sort: "name",
    narrow: ["host", "type"],
    example: "nfs, state:detached, host:host-01",
    none: Text::NothingLoadedHint,
};

fn pbd(look: &mut Look<'_>, pbd: &pbd::Record) -> Made {
    let state = if pbd.currently_attached { State::Running } else { State::Failed };
    let sr = look.get(&pbd.sr);
    let named = |name: Option<&String>| name.cloned().unwrap_or_else(|| Text::Unknown.get().into());
    let host = look.get(&pbd.host);
    let name = alloc::format!("{} · {}", named(sr.map(|it| &it.name_label)), named(host.map(|it| &it.name_label)));
    let cells = [
        Value::text(&name),
        Value::Status(state, text::state_of("PBD", state)),
        look.link(&pbd.host),
        look.link(&pbd.sr),
        sr.map_or(Value::Unknown, |sr| Value::text(&sr.r#type)),
        Value::text(places(pbd)),
        Value::text(pbd.uuid.as_str()),
    ];
    Made { name, state: Some(state), cells: cells.into() }
}

/// Of what a connection is made of, without what looks like a secret.
fn places(pbd: &pbd::Record) -> String {
    let mut text = String::new();
    for (key, value) in pbd.device_config.iter().filter(|(key, _)| !xenapi_core::is_secret_key(key)) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(key);
        text.push('=');
        text.push_str(value);
    }
    text
}
