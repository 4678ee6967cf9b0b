//! The objects of an imported archive, and how they become objects of the pool.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use xenapi_codec::{Limits, xmlrpc::read_value_text};
use xenapi_core::{Failure, RawRef, Struct, Type, Value};

use crate::Sim;
use crate::operations::{devices, replicate, vdi};
use crate::records::adopt;
use crate::store::Draft;

/// How an import is wanted.
#[derive(Clone, Default)]
pub(super) struct Options {
    /// Where disks go.
    pub(super) sr: RawRef,
    /// The VMs keep their uuids and addresses.
    pub(super) restore: bool,
    /// What is missing or damaged does not matter.
    pub(super) force: bool,
    /// The disks are there already.
    pub(super) metadata: bool,
}

/// What an import made.
#[derive(Default)]
pub(super) struct Made {
    pub(super) vms: Vec<RawRef>,
    /// The disks by their names in the archive.
    pub(super) disks: BTreeMap<String, RawRef>,
}

struct Object {
    class: String,
    id: String,
    record: Struct,
}

impl Object {
    fn text(&self, field: &str) -> &str {
        self.record.get(field).and_then(Value::as_text).unwrap_or_default()
    }

    fn flag(&self, field: &str) -> bool {
        self.record.get(field).and_then(Value::as_bool).unwrap_or(false)
    }
}

/// What is not taken over: it belongs to the old VM's life, not to the VM.
const NOT_TAKEN: [&str; 22] = [
    "uuid",
    "power_state",
    "domid",
    "current_operations",
    "allowed_operations",
    "blobs",
    "is_default_template",
    "is_a_snapshot",
    "is_control_domain",
    "is_snapshot_from_vmpp",
    "is_vmss_snapshot",
    "snapshot_info",
    "snapshot_metadata",
    "snapshot_time",
    "ha_always_run",
    "ha_restart_priority",
    "requires_reboot",
    "pending_guidances",
    "pending_guidances_recommended",
    "pending_guidances_full",
    "currently_attached",
    "device",
];

fn wrong(what: &str) -> Failure {
    Failure::new("IMPORT_ERROR", [what])
}

fn objects(text: &[u8]) -> Result<Vec<Object>, Failure> {
    let text = core::str::from_utf8(text).map_err(|_| wrong("ova.xml is not UTF-8"))?;
    let all =
        read_value_text(text.trim(), &Limits::default()).map_err(|error| wrong(&alloc::format!("ova.xml: {error}")))?;
    let all = all.as_struct().ok_or_else(|| wrong("ova.xml is no struct"))?;
    let version = all.get("version").and_then(Value::as_struct).ok_or_else(|| wrong("ova.xml has no version"))?;
    if version
        .get("export_vsn")
        .and_then(Value::as_text)
        .and_then(|text| text.parse::<u32>().ok())
        .is_some_and(|vsn| vsn > 2)
    {
        return Err(Failure::new("IMPORT_INCOMPATIBLE_VERSION", [""; 0]));
    }
    let items = all.get("objects").and_then(Value::as_array).ok_or_else(|| wrong("ova.xml has no objects"))?;
    items
        .iter()
        .map(|item| {
            let members = item.as_struct()?;
            let text = |name: &str| members.get(name)?.as_text().map(ToString::to_string);
            Some(Object { class: text("class")?, id: text("id")?, record: members.get("snapshot")?.as_struct()?.clone() })
        })
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| wrong("an object of ova.xml lacks class, id or snapshot"))
}

/// A draft with what the record says, but references and what belongs to another life.
fn draft_of(sim: &mut Sim, class: &str, object: &Object) -> Draft {
    let mut draft = sim.store.draft(class);
    let Some(class) = xenapi_model::class(class) else { return draft };
    let keeps_device = class.name == "VIF";
    for field in class.fields {
        let is_reference = field.ty.ref_class().is_some() || matches!(field.ty, Type::Map(Type::Ref(_), _));
        if is_reference
            || field.relation.is_some()
            || (NOT_TAKEN.contains(&field.name) && !(keeps_device && field.name == "device"))
        {
            continue;
        }
        if let Some(value) = object.record.get(field.name).and_then(|value| adopt(value.clone(), &field.ty)) {
            draft.set(field.name, value);
        }
    }
    let uuid = sim.random.uuid();
    draft.set("uuid", uuid);
    draft
}

/// Makes the VMs of a description. What was made before an error stands in `made`.
pub(super) fn make(sim: &mut Sim, text: &[u8], options: &Options, made: &mut Made) -> Result<(), Failure> {
    let all = objects(text)?;
    let mut found = 0;
    for object in all.iter().filter(|object| object.class == "VM" && !object.flag("is_a_snapshot")) {
        found += 1;
        make_vm(sim, object, &all, options, made)?;
    }
    if found == 0 { Err(wrong("ova.xml describes no VM")) } else { Ok(()) }
}

fn make_vm(sim: &mut Sim, object: &Object, all: &[Object], options: &Options, made: &mut Made) -> Result<(), Failure> {
    let mut draft = draft_of(sim, "VM", object);
    if options.restore {
        let uuid = object.text("uuid");
        if let Some(other) = sim.store.table("VM").by_uuid(uuid) {
            let other = other.reference.clone();
            return Err(Failure::new("DUPLICATE_VM", [other.as_str()]));
        }
        draft.set("uuid", uuid);
    } else {
        let mut config = draft.get("other_config").as_struct().cloned().unwrap_or_default();
        config.set("mac_seed", sim.random.uuid());
        draft.set("other_config", config);
    }
    draft.set("power_state", "Halted");
    draft.set("domid", -1);
    let metrics = replicate::vm_metrics(sim);
    draft.set("metrics", &metrics);
    let vm = sim.random.reference();
    sim.store.insert(&vm, draft);
    made.vms.push(vm.clone());
    for device in all.iter().filter(|device| device.text("VM") == object.id) {
        match device.class.as_str() {
            "VBD" => make_vbd(sim, &vm, device, all, options, made)?,
            "VIF" => make_vif(sim, &vm, device, all, options)?,
            _ => {}
        }
    }
    sim.refresh_vm(&vm);
    Ok(())
}

fn find<'a>(all: &'a [Object], class: &str, id: &str) -> Option<&'a Object> {
    all.iter().find(|object| object.class == class && object.id == id)
}

fn make_vbd(
    sim: &mut Sim,
    vm: &RawRef,
    object: &Object,
    all: &[Object],
    options: &Options,
    made: &mut Made,
) -> Result<(), Failure> {
    let mut draft = draft_of(sim, "VBD", object).with("VM", vm).with("currently_attached", false);
    let disk = find(all, "VDI", object.text("VDI"));
    let here = disk.and_then(|disk| sim.store.table("VDI").by_uuid(disk.text("uuid"))).map(|row| row.reference.clone());
    let is_disk = object.text("type") == "Disk";
    let vdi = match disk {
        Some(disk) if is_disk && !options.metadata => match made.disks.get(&disk.id) {
            Some(vdi) => Some(vdi.clone()),
            None => {
                let vdi = make_vdi(sim, disk, options)?;
                made.disks.insert(disk.id.clone(), vdi.clone());
                Some(vdi)
            }
        },
        Some(_) if is_disk && here.is_none() => {
            if !options.force {
                return Err(Failure::new("IMPORT_ERROR_ATTACHED_DISKS_NOT_FOUND", [""; 0]));
            }
            return Ok(());
        }
        // Of an image in a drive that is not here, the drive is left.
        _ => here,
    };
    draft.set("empty", vdi.is_none());
    if let Some(vdi) = &vdi {
        draft.set("VDI", vdi);
    }
    let metrics = devices::metrics(sim, "VBD_metrics");
    draft.set("metrics", &metrics);
    let reference = sim.random.reference();
    sim.store.insert(&reference, draft);
    sim.refresh_allowed("VBD", &reference);
    if let Some(vdi) = vdi {
        sim.refresh_allowed("VDI", &vdi);
    }
    Ok(())
}

fn make_vdi(sim: &mut Sim, object: &Object, options: &Options) -> Result<RawRef, Failure> {
    let mut draft = draft_of(sim, "VDI", object).with("SR", &options.sr);
    for field in ["cbt_enabled", "missing", "is_tools_iso", "read_only"] {
        draft.set(field, false);
    }
    draft.set("type", "user");
    vdi::before_create(sim, &mut draft)?;
    let reference = sim.random.reference();
    sim.store.insert(&reference, draft);
    vdi::after_create(sim, &reference);
    sim.blank(&reference);
    Ok(reference)
}

fn make_vif(sim: &mut Sim, vm: &RawRef, object: &Object, all: &[Object], options: &Options) -> Result<(), Failure> {
    let id = object.text("network");
    let network = find(all, "network", id).and_then(|wanted| {
        let same = |field: &'static str| {
            let mut rows = sim.store.table("network").rows.values();
            rows.find(|row| {
                let text = sim.store.text("network", row.reference.as_str(), field);
                !text.is_empty() && text == wanted.text(field)
            })
        };
        let found = same("uuid").or_else(|| same("name_label")).or_else(|| same("bridge"));
        found.map(|row| row.reference.clone())
    });
    let network = match network {
        Some(network) => network,
        None if options.force => return Ok(()),
        None => return Err(Failure::new("IMPORT_ERROR_FAILED_TO_FIND_OBJECT", [id])),
    };
    let mut draft = draft_of(sim, "VIF", object).with("VM", vm).with("network", &network);
    draft.set("currently_attached", false);
    if !options.restore {
        let seed = sim.store.key("VM", vm.as_str(), "other_config", "mac_seed").unwrap_or_default().to_string();
        draft.set("MAC", devices::mac_of(&seed, object.text("device")));
        draft.set("MAC_autogenerated", true);
    }
    let metrics = devices::metrics(sim, "VIF_metrics");
    draft.set("metrics", &metrics);
    let reference = sim.random.reference();
    sim.store.insert(&reference, draft);
    sim.refresh_allowed("VIF", &reference);
    Ok(())
}

/// Takes everything back that an import made.
pub(super) fn undo(sim: &mut Sim, made: &mut Made) {
    for vm in core::mem::take(&mut made.vms) {
        for (class, field) in [("VBD", "VBDs"), ("VIF", "VIFs")] {
            for device in sim.store.refs("VM", vm.as_str(), field) {
                devices::remove_device(sim, class, &device);
            }
        }
        let metrics = sim.store.reference("VM", vm.as_str(), "metrics");
        sim.store.remove("VM_metrics", metrics.as_str());
        sim.store.remove("VM", vm.as_str());
    }
    for vdi in core::mem::take(&mut made.disks).into_values() {
        if sim.store.contains("VDI", vdi.as_str()) {
            devices::remove_vdi(sim, &vdi);
        }
    }
}
