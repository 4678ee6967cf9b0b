//! Graphics cards, USB devices and TPMs, and what VMs have of them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::{Handler, rules};

/// A VM has at most this many USB devices.
const MOST_VUSBS: usize = 6;

pub(crate) fn find(class: &str, message: &str) -> Option<Handler> {
    Some(match (class, message) {
        ("VTPM", "create") => Handler::Now(create_vtpm),
        ("VTPM", "destroy") => Handler::Now(|sim, _, args| {
            let vtpm = sim.need("VTPM", args.text(0))?;
            need_halted(sim, &sim.store.reference("VTPM", vtpm.as_str(), "VM"))?;
            sim.store.remove("VTPM", vtpm.as_str());
            Ok(Value::VOID)
        }),
        ("VUSB", "create") => Handler::Now(create_vusb),
        ("VUSB", "unplug") => Handler::Now(unplug_vusb),
        ("VUSB", "destroy") => Handler::Now(|sim, _, args| {
            let vusb = sim.need("VUSB", args.text(0))?;
            if sim.store.flag("VUSB", vusb.as_str(), "currently_attached") {
                let text = alloc::format!("VUSB '{}' still attached", sim.store.text("VUSB", vusb.as_str(), "uuid"));
                return Err(Failure::new("OPERATION_NOT_ALLOWED", [text]));
            }
            sim.store.remove("VUSB", vusb.as_str());
            Ok(Value::VOID)
        }),
        ("PUSB", "scan") => Handler::Now(|sim, _, args| sim.need("host", args.text(0)).map(|_| Value::VOID)),
        ("PUSB", "set_passthrough_enabled") => Handler::Now(|sim, _, args| {
            let pusb = sim.need("PUSB", args.text(0))?;
            let group = sim.store.reference("PUSB", pusb.as_str(), "USB_group");
            let vusbs = sim.store.refs("USB_group", group.as_str(), "VUSBs");
            let used = vusbs.iter().find(|vusb| sim.store.flag("VUSB", vusb.as_str(), "currently_attached"));
            if let Some(used) = used.filter(|_| !args.flag(1)) {
                let vm = sim.store.reference("VUSB", used.as_str(), "VM");
                return Err(Failure::new("USB_ALREADY_ATTACHED", [pusb.as_str(), vm.as_str()]));
            }
            sim.store.put("PUSB", pusb.as_str(), "passthrough_enabled", args.flag(1));
            Ok(Value::VOID)
        }),
        ("USB_group", "create") => Handler::Now(|sim, _, args| Ok(create_group(sim, "USB_group", args))),
        ("USB_group", "destroy") => Handler::Now(|sim, _, args| {
            let parts = [("VUSBs", "USB_GROUP_CONTAINS_VUSB"), ("PUSBs", "USB_GROUP_CONTAINS_PUSB")];
            destroy_group(sim, "USB_group", args, &parts)
        }),
        ("GPU_group", "create") => Handler::Now(|sim, _, args| Ok(create_group(sim, "GPU_group", args))),
        ("GPU_group", "destroy") => Handler::Now(|sim, _, args| {
            let parts = [("PGPUs", "GPU_GROUP_CONTAINS_PGPU"), ("VGPUs", "GPU_GROUP_CONTAINS_VGPU")];
            destroy_group(sim, "GPU_group", args, &parts)
        }),
        ("GPU_group", "get_remaining_capacity") => Handler::Now(|sim, _, args| {
            let (group, kind) = (sim.need("GPU_group", args.text(0))?, sim.need("VGPU_type", args.text(1))?);
            let cards = sim.store.refs("GPU_group", group.as_str(), "PGPUs");
            Ok(Value::Int(cards.iter().map(|card| capacity(sim, card, &kind)).sum()))
        }),
        ("PGPU", "get_remaining_capacity") => Handler::Now(|sim, _, args| {
            let (card, kind) = (sim.need("PGPU", args.text(0))?, sim.need("VGPU_type", args.text(1))?);
            Ok(Value::Int(capacity(sim, &card, &kind)))
        }),
        ("PGPU", "set_GPU_group") => Handler::Now(|sim, _, args| {
            let (card, group) = (sim.need("PGPU", args.text(0))?, sim.need("GPU_group", args.text(1))?);
            check_unused(sim, &card)?;
            sim.store.put("PGPU", card.as_str(), "GPU_group", &group);
            Ok(Value::VOID)
        }),
        ("PGPU", "add_enabled_VGPU_types") => Handler::Now(|sim, _, args| {
            let wanted = RawRef::from(args.text(1));
            enable(sim, args, |types| {
                if !types.contains(&wanted) {
                    types.push(wanted.clone());
                }
            })
        }),
        ("PGPU", "remove_enabled_VGPU_types") => Handler::Now(|sim, _, args| {
            let unwanted = RawRef::from(args.text(1));
            enable(sim, args, |types| types.retain(|kind| *kind != unwanted))
        }),
        ("PGPU", "set_enabled_VGPU_types") => Handler::Now(|sim, _, args| {
            let items = args.value(1).and_then(Value::as_array).unwrap_or_default();
            let wanted: Vec<RawRef> = items.iter().filter_map(Value::as_text).map(RawRef::from).collect();
            enable(sim, args, |types| types.clone_from(&wanted))
        }),
        ("PGPU", "enable_dom0_access") => Handler::Now(|sim, _, args| access(sim, args, true)),
        ("PGPU", "disable_dom0_access") => Handler::Now(|sim, _, args| access(sim, args, false)),
        ("VGPU", "create") => Handler::Now(create_vgpu),
        ("VGPU", "destroy") => Handler::Now(|sim, _, args| {
            let vgpu = sim.need("VGPU", args.text(0))?;
            if sim.store.flag("VGPU", vgpu.as_str(), "currently_attached") {
                need_halted(sim, &sim.store.reference("VGPU", vgpu.as_str(), "VM"))?;
            }
            sim.store.remove("VGPU", vgpu.as_str());
            Ok(Value::VOID)
        }),
        _ => return None,
    })
}

fn need_halted(sim: &Sim, vm: &RawRef) -> Result<(), Failure> {
    match sim.store.text("VM", vm.as_str(), "power_state") {
        "Halted" | "" => Ok(()),
        power => Err(rules::bad_power(vm.as_str(), &["halted"], power)),
    }
}

fn create_vtpm(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let vm = sim.need("VM", args.text(0))?;
    rules::check(sim, &vm, "create_vtpm")?;
    if !sim.store.refs("VM", vm.as_str(), "VTPMs").is_empty() {
        return Err(Failure::new("VTPM_MAX_AMOUNT_REACHED", ["1"]));
    }
    let (vtpm, uuid) = (sim.random.reference(), sim.random.uuid());
    let draft = sim.store.draft("VTPM").with("uuid", uuid).with("VM", &vm).with("is_unique", args.flag(1));
    let draft = draft.with("persistence_backend", "xapi").with("allowed_operations", Vec::from([Value::from("destroy")]));
    sim.store.insert(&vtpm, draft);
    Ok(vtpm.into())
}

fn create_vusb(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let (vm, group) = (sim.need("VM", args.text(0))?, sim.need("USB_group", args.text(1))?);
    need_halted(sim, &vm)?;
    if sim.store.refs("USB_group", group.as_str(), "PUSBs").is_empty() {
        return Err(Failure::new("USB_GROUP_CONTAINS_NO_PUSBS", [group.as_str()]));
    }
    let vusbs = sim.store.refs("VM", vm.as_str(), "VUSBs");
    if vusbs.len() >= MOST_VUSBS {
        return Err(Failure::new("TOO_MANY_VUSBS", [MOST_VUSBS.to_string()]));
    }
    if vusbs.iter().any(|vusb| sim.store.reference("VUSB", vusb.as_str(), "USB_group") == group) {
        return Err(Failure::new("USB_GROUP_CONFLICT", [group.as_str()]));
    }
    let (vusb, uuid) = (sim.random.reference(), sim.random.uuid());
    let mut draft = sim.store.draft("VUSB").with("uuid", uuid).with("VM", &vm).with("USB_group", &group);
    if args.value(2).is_some() {
        draft.set("other_config", args.take(2));
    }
    sim.store.insert(&vusb, draft.with("allowed_operations", Vec::from([Value::from("attach")])));
    Ok(vusb.into())
}

fn unplug_vusb(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let vusb = sim.need("VUSB", args.text(0))?;
    let vm = sim.store.reference("VUSB", vusb.as_str(), "VM");
    let power = sim.store.text("VM", vm.as_str(), "power_state");
    if power != "Running" {
        return Err(rules::bad_power(vm.as_str(), &["running"], power));
    }
    if !sim.store.put("VUSB", vusb.as_str(), "currently_attached", false) {
        return Err(Failure::new("DEVICE_ALREADY_DETACHED", [vusb.as_str()]));
    }
    Ok(Value::VOID)
}

fn create_group(sim: &mut Sim, class: &'static str, args: &mut Args) -> Value {
    let (group, uuid) = (sim.random.reference(), sim.random.uuid());
    let mut draft = sim.store.draft(class).with("uuid", uuid);
    for (at, field) in ["name_label", "name_description", "other_config"].into_iter().enumerate() {
        if args.value(at).is_some() {
            draft.set(field, args.take(at));
        }
    }
    sim.store.insert(&group, draft);
    group.into()
}

fn destroy_group(sim: &mut Sim, class: &'static str, args: &Args, parts: &[(&str, &'static str)]) -> Result<Value, Failure> {
    let group = sim.need(class, args.text(0))?;
    for (field, code) in parts {
        let inside = sim.store.refs(class, group.as_str(), field);
        if !inside.is_empty() {
            return Err(Failure::new(*code, inside.iter().map(|item| String::from(item.as_str()))));
        }
    }
    sim.store.remove(class, group.as_str());
    Ok(Value::VOID)
}

/// How many more virtual cards of a type fit onto a card.
fn capacity(sim: &Sim, card: &RawRef, kind: &RawRef) -> i64 {
    if !sim.store.refs("PGPU", card.as_str(), "enabled_VGPU_types").contains(kind) {
        return 0;
    }
    let resident = sim.store.refs("PGPU", card.as_str(), "resident_VGPUs");
    // A card holds virtual cards of one type at a time.
    if resident.iter().any(|vgpu| sim.store.reference("VGPU", vgpu.as_str(), "type") != *kind) {
        return 0;
    }
    let most = sim.store.value("PGPU", card.as_str(), "supported_VGPU_max_capacities").and_then(Value::as_struct);
    let most = most.and_then(|most| most.get(kind.as_str())).and_then(Value::as_int).unwrap_or(1);
    (most - i64::try_from(resident.len()).unwrap_or(i64::MAX)).max(0)
}

fn check_unused(sim: &Sim, card: &RawRef) -> Result<(), Failure> {
    let resident = sim.store.refs("PGPU", card.as_str(), "resident_VGPUs");
    let vms: Vec<String> =
        resident.iter().map(|vgpu| String::from(sim.store.reference("VGPU", vgpu.as_str(), "VM").as_str())).collect();
    if vms.is_empty() { Ok(()) } else { Err(Failure::new("PGPU_IN_USE_BY_VM", vms)) }
}

/// Dom0 gives up a card, or takes it back, when its host starts the next time; asked for the state that it is in, nothing changes.
fn access(sim: &mut Sim, args: &Args, wanted: bool) -> Result<Value, Failure> {
    let card = sim.need("PGPU", args.text(0))?;
    let new = match (sim.store.text("PGPU", card.as_str(), "dom0_access"), wanted) {
        ("enabled" | "disable_on_reboot" | "", true) => "enabled",
        (_, true) => "enable_on_reboot",
        ("disabled" | "enable_on_reboot", false) => "disabled",
        (_, false) => "disable_on_reboot",
    };
    sim.store.put("PGPU", card.as_str(), "dom0_access", new);
    Ok(new.into())
}

fn enable(sim: &mut Sim, args: &Args, change: impl FnOnce(&mut Vec<RawRef>)) -> Result<Value, Failure> {
    let card = sim.need("PGPU", args.text(0))?;
    let mut types = sim.store.refs("PGPU", card.as_str(), "enabled_VGPU_types");
    change(&mut types);
    let supported = sim.store.refs("PGPU", card.as_str(), "supported_VGPU_types");
    for kind in &types {
        sim.need("VGPU_type", kind.as_str())?;
        if !supported.contains(kind) {
            let supported: Vec<&str> = supported.iter().map(RawRef::as_str).collect();
            return Err(Failure::new("VGPU_TYPE_NOT_SUPPORTED", [kind.as_str(), &supported.join(", ")]));
        }
    }
    for vgpu in sim.store.refs("PGPU", card.as_str(), "resident_VGPUs") {
        if !types.contains(&sim.store.reference("VGPU", vgpu.as_str(), "type")) {
            return check_unused(sim, &card).map(|()| Value::VOID);
        }
    }
    let types: Vec<Value> = types.iter().map(Value::from).collect();
    sim.store.put("PGPU", card.as_str(), "enabled_VGPU_types", types);
    Ok(Value::VOID)
}

fn create_vgpu(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let (vm, group) = (sim.need("VM", args.text(0))?, sim.need("GPU_group", args.text(1))?);
    need_halted(sim, &vm)?;
    let device = if args.text(2).is_empty() { String::from("0") } else { String::from(args.text(2)) };
    if !device.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::new("INVALID_DEVICE", [device]));
    }
    let own = sim.store.refs("VM", vm.as_str(), "VGPUs");
    if own.iter().any(|vgpu| sim.store.text("VGPU", vgpu.as_str(), "device") == device) {
        return Err(Failure::new("DEVICE_ALREADY_EXISTS", [device]));
    }
    let kind = RawRef::from(args.text(4));
    if !kind.is_null() && !kind.as_str().is_empty() {
        sim.need("VGPU_type", kind.as_str())?;
    }
    let (vgpu, uuid) = (sim.random.reference(), sim.random.uuid());
    let draft = sim.store.draft("VGPU").with("uuid", uuid).with("VM", &vm).with("GPU_group", &group);
    let mut draft = draft.with("device", device);
    if args.value(3).is_some() {
        draft.set("other_config", args.take(3));
    }
    if !kind.as_str().is_empty() {
        draft.set("type", &kind);
    }
    sim.store.insert(&vgpu, draft);
    Ok(vgpu.into())
}
