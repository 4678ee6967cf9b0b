//! The life of a VM: start, stop, pause, suspend, move, clone, destroy.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{DateTime, Failure, Millis, NULL, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::operations::replicate::{self, Copy};
use crate::operations::{Handler, boot, devices, evacuate, rules, snapshots};
use crate::store::Draft;
use crate::tasks::{Hold, Operation, Start};

/// What happens to a VM.
#[derive(Clone, Debug)]
enum Action {
    Start {
        paused: bool,
    },
    Resume {
        paused: bool,
    },
    CleanShutdown,
    HardShutdown,
    Shutdown,
    CleanReboot,
    HardReboot,
    Pause,
    Unpause,
    Suspend,
    Migrate,
    /// To the snapshot named here; the VM is the job's.
    Revert {
        snapshot: RawRef,
    },
    Provision,
    Copy {
        kind: Copy,
        name: String,
    },
}

/// An action under way.
struct VmJob {
    vm: RawRef,
    action: Action,
    /// As in `allowed_operations`.
    operation: &'static str,
    /// Where the caller wants it to run.
    wanted: Option<RawRef>,
    /// Where it will run.
    host: Option<RawRef>,
    /// The guest will not answer.
    is_deaf: bool,
}

/// How long a guest is given to stop.
const PATIENCE: Millis = Millis::from_secs(1200);

fn job(args: &Args, operation: &'static str, action: Action) -> Result<Box<dyn Operation>, Failure> {
    Ok(Box::new(VmJob { vm: RawRef::from(args.text(0)), action, operation, wanted: None, host: None, is_deaf: false }))
}

fn job_on(args: &Args, operation: &'static str, action: Action) -> Result<Box<dyn Operation>, Failure> {
    let wanted = Some(RawRef::from(args.text(1)));
    Ok(Box::new(VmJob { vm: RawRef::from(args.text(0)), action, operation, wanted, host: None, is_deaf: false }))
}

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "start" => Handler::Job(|_, _, args| job(args, "start", Action::Start { paused: args.flag(1) })),
        "start_on" => Handler::Job(|_, _, args| job_on(args, "start_on", Action::Start { paused: args.flag(2) })),
        "resume" => Handler::Job(|_, _, args| job(args, "resume", Action::Resume { paused: args.flag(1) })),
        "resume_on" => Handler::Job(|_, _, args| job_on(args, "resume_on", Action::Resume { paused: args.flag(2) })),
        "clean_shutdown" => Handler::Job(|_, _, args| job(args, "clean_shutdown", Action::CleanShutdown)),
        "hard_shutdown" => Handler::Job(|_, _, args| job(args, "hard_shutdown", Action::HardShutdown)),
        "shutdown" => Handler::Job(|_, _, args| job(args, "shutdown", Action::Shutdown)),
        "clean_reboot" => Handler::Job(|_, _, args| job(args, "clean_reboot", Action::CleanReboot)),
        "hard_reboot" => Handler::Job(|_, _, args| job(args, "hard_reboot", Action::HardReboot)),
        "pause" => Handler::Job(|_, _, args| job(args, "pause", Action::Pause)),
        "unpause" => Handler::Job(|_, _, args| job(args, "unpause", Action::Unpause)),
        "suspend" => Handler::Job(|_, _, args| job(args, "suspend", Action::Suspend)),
        "pool_migrate" => Handler::Job(|_, _, args| job_on(args, "pool_migrate", Action::Migrate)),
        "clone" => Handler::Job(|_, _, args| copy(args, "clone", Copy::Clone)),
        "copy" => Handler::Job(|_, _, args| copy(args, "copy", Copy::Full(RawRef::from(args.text(2))))),
        "snapshot" => Handler::Job(|_, _, args| copy(args, "snapshot", Copy::Snapshot)),
        "provision" => Handler::Job(|_, _, args| job(args, "provision", Action::Provision)),
        "revert" => Handler::Job(|sim, _, args| {
            let snapshot = RawRef::from(args.text(0));
            let vm = snapshots::target(sim, &snapshot)?;
            Ok(Box::new(VmJob {
                vm,
                action: Action::Revert { snapshot },
                operation: "reverting",
                wanted: None,
                host: None,
                is_deaf: false,
            }))
        }),
        "assert_can_boot_here" => Handler::Now(boot::assert_can_boot_here),
        "get_possible_hosts" => Handler::Now(boot::possible_hosts),
        "assert_operation_valid" => Handler::Now(|sim, _, args| {
            let vm = RawRef::from(args.text(0));
            rules::check(sim, &vm, args.text(1)).map(|()| Value::VOID)
        }),
        "update_allowed_operations" => Handler::Now(|sim, _, args| {
            let vm = sim.need("VM", args.text(0))?;
            sim.refresh_vm(&vm);
            Ok(Value::VOID)
        }),
        "get_allowed_VBD_devices" => Handler::Now(|sim, _, args| devices::free(sim, args.text(0), "VBDs", "VBD", 255)),
        "get_allowed_VIF_devices" => Handler::Now(|sim, _, args| devices::free(sim, args.text(0), "VIFs", "VIF", 16)),
        "get_cooperative" => Handler::Now(|sim, _, args| sim.need("VM", args.text(0)).map(|_| Value::Bool(true))),
        _ => return None,
    })
}

fn copy(args: &Args, operation: &'static str, kind: Copy) -> Result<Box<dyn Operation>, Failure> {
    job(args, operation, Action::Copy { kind, name: args.text(1).into() })
}

impl Operation for VmJob {
    fn begin(&mut self, sim: &mut Sim) -> Result<Start, Failure> {
        rules::check(sim, &self.vm, self.operation)?;
        if let Some(host) = &self.wanted {
            sim.need("host", host.as_str())?;
        }
        let of = self.vm.as_str();
        match &self.action {
            Action::Start { .. } | Action::Resume { .. } => {
                if matches!(self.action, Action::Start { .. }) {
                    devices::check_disks(sim, &self.vm)?;
                } else if !sim.store.contains("VDI", sim.store.text("VM", of, "suspend_VDI")) {
                    return Err(Failure::new("VM_HAS_NO_SUSPEND_VDI", ["VM", of]));
                }
                let host = match &self.wanted {
                    Some(host) => boot::can_boot(sim, &self.vm, host, true).map(|()| host.clone())?,
                    None => boot::choose(sim, &self.vm)?,
                };
                sim.store.put("VM", of, "scheduled_to_be_resident_on", &host);
                self.host = Some(host);
            }
            Action::Migrate => self.begin_migration(sim)?,
            Action::Suspend => drop(suspend_sr(sim, &self.vm)?),
            Action::HardShutdown | Action::HardReboot => sim.cancel_jobs_on("VM", &self.vm),
            Action::Copy { kind, .. } => replicate::check(sim, kind)?,
            Action::Provision => drop(snapshots::wanted_disks(sim, &self.vm)?),
            Action::Revert { snapshot } => rules::check(sim, snapshot, "revert")?,
            _ => {}
        }
        let asks = matches!(self.action, Action::CleanShutdown | Action::CleanReboot | Action::Suspend);
        self.is_deaf = asks && !rules::listens(sim, self.vm.as_str());
        let duration = if self.is_deaf { PATIENCE } else { self.duration() };
        Ok(Start { duration, holds: self.holds(sim) })
    }

    fn finish(&mut self, sim: &mut Sim) -> Result<Value, Failure> {
        let vm = &self.vm;
        if self.is_deaf {
            let code = if matches!(self.action, Action::Suspend) { "VM_SUSPEND_TIMEOUT" } else { "VM_SHUTDOWN_TIMEOUT" };
            return Err(Failure::new(code, [String::from(vm.as_str()), format!("{}.", PATIENCE.as_secs())]));
        }
        match &self.action {
            Action::Start { paused } => self.finish_start(sim, *paused),
            Action::Resume { paused } => self.finish_resume(sim, *paused),
            Action::CleanShutdown | Action::HardShutdown | Action::Shutdown => {
                halt(sim, vm);
                announce(sim, vm, "VM_SHUTDOWN", "shutdown");
            }
            Action::CleanReboot | Action::HardReboot => {
                reboot(sim, vm);
                announce(sim, vm, "VM_REBOOTED", "rebooted");
            }
            Action::Pause => {
                sim.store.put("VM", vm.as_str(), "power_state", "Paused");
                announce(sim, vm, "VM_PAUSED", "paused");
            }
            Action::Unpause => {
                sim.store.put("VM", vm.as_str(), "power_state", "Running");
                announce(sim, vm, "VM_UNPAUSED", "unpaused");
            }
            Action::Suspend => suspend(sim, vm)?,
            Action::Migrate => {
                if let Some(to) = &self.host {
                    migrate(sim, vm, to);
                }
            }
            Action::Provision => {
                let disks = snapshots::wanted_disks(sim, vm)?;
                snapshots::provision(sim, vm, disks);
            }
            Action::Revert { snapshot } => {
                if sim.store.text("VM", vm.as_str(), "power_state") != "Halted" {
                    halt(sim, vm);
                }
                snapshots::revert(sim, vm, snapshot);
                sim.refresh_vm(snapshot);
                announce(sim, vm, "VM_SNAPSHOT_REVERTED", "reverted to a snapshot");
            }
            Action::Copy { kind, name } => {
                let new = replicate::replicate(sim, vm, name, kind);
                match kind {
                    Copy::Snapshot => announce(sim, vm, "VM_SNAPSHOTTED", &format!("snapshotted, snapshot name: {name}")),
                    _ => announce(sim, &new, "VM_CLONED", "cloned"),
                }
                return Ok(new.into());
            }
        }
        sim.refresh_vm(vm);
        Ok(Value::VOID)
    }

    fn undo(&mut self, sim: &mut Sim) {
        sim.store.put("VM", self.vm.as_str(), "scheduled_to_be_resident_on", NULL);
    }
}

impl VmJob {
    /// Simulated time.
    fn duration(&self) -> Millis {
        Millis(match self.action {
            Action::Start { .. } => 1500,
            Action::CleanShutdown | Action::Shutdown | Action::Resume { .. } => 2000,
            Action::CleanReboot => 2500,
            Action::Suspend | Action::Migrate => 3000,
            Action::HardShutdown => 500,
            Action::HardReboot | Action::Copy { .. } | Action::Revert { .. } | Action::Provision => 1000,
            Action::Pause | Action::Unpause => 300,
        })
    }

    fn holds(&self, sim: &Sim) -> Vec<Hold> {
        let mut holds = Vec::from([Hold { class: "VM", reference: self.vm.clone(), operation: self.operation }]);
        let on_host = match self.action {
            Action::Start { .. } => "vm_start",
            Action::Resume { .. } => "vm_resume",
            Action::Migrate => "vm_migrate",
            Action::Revert { ref snapshot } => {
                holds.push(Hold { class: "VM", reference: snapshot.clone(), operation: "revert" });
                return holds;
            }
            _ => return holds,
        };
        holds.extend(self.host.iter().map(|host| Hold { class: "host", reference: host.clone(), operation: on_host }));
        if matches!(self.action, Action::Start { .. }) {
            for (class, field) in [("VBD", "VBDs"), ("VIF", "VIFs")] {
                let devices = sim.store.refs("VM", self.vm.as_str(), field).into_iter();
                holds.extend(devices.map(|reference| Hold { class, reference, operation: "attach" }));
            }
        }
        holds
    }

    fn finish_start(&self, sim: &mut Sim, paused: bool) {
        let Some(host) = &self.host else { return };
        devices::attach_all(sim, &self.vm);
        settle_on(sim, &self.vm, host, paused);
        reset_guest(sim, &self.vm);
        let of_host = host.as_str();
        let (name, uuid) = (sim.store.text("host", of_host, "name_label"), sim.store.text("host", of_host, "uuid"));
        let what = format!("started on host: {name} (uuid: {uuid})");
        announce(sim, &self.vm, "VM_STARTED", &what);
    }

    fn finish_resume(&self, sim: &mut Sim, paused: bool) {
        let Some(host) = &self.host else { return };
        drop_suspend_image(sim, &self.vm);
        settle_on(sim, &self.vm, host, paused);
        announce(sim, &self.vm, "VM_RESUMED", "resumed");
    }

    fn begin_migration(&mut self, sim: &mut Sim) -> Result<(), Failure> {
        let Some(host) = &self.wanted else { return Ok(()) };
        boot::can_boot(sim, &self.vm, host, sim.store.reference("VM", self.vm.as_str(), "resident_on") != *host)?;
        self.host = self.wanted.clone();
        Ok(())
    }
}

/// Moves a VM to another host.
pub(crate) fn migrate(sim: &mut Sim, vm: &RawRef, to: &RawRef) {
    let of = vm.as_str();
    let from = sim.store.reference("VM", of, "resident_on");
    let bytes = boot::memory_needed(sim, vm);
    boot::take_memory(sim, &from, -bytes);
    boot::take_memory(sim, to, bytes);
    sim.store.put("VM", of, "resident_on", to);
    let domid = sim.new_domid();
    sim.store.put("VM", of, "domid", domid);
    make_console(sim, vm, to);
    let (from, to) = (evacuate::describe(sim, &from), evacuate::describe(sim, to));
    announce(sim, vm, "VM_MIGRATED", &format!("migrated from host {from} to host {to}"));
}

impl Sim {
    fn new_domid(&mut self) -> i64 {
        self.next_domid += 1;
        self.next_domid
    }
}

/// The VM runs on a host from now on.
fn settle_on(sim: &mut Sim, vm: &RawRef, host: &RawRef, paused: bool) {
    let of = vm.as_str();
    let domid = sim.new_domid();
    sim.store.put("VM", of, "scheduled_to_be_resident_on", NULL);
    sim.store.put("VM", of, "resident_on", host);
    sim.store.put("VM", of, "domid", domid);
    sim.store.put("VM", of, "power_state", if paused { "Paused" } else { "Running" });
    boot::take_memory(sim, host, boot::memory_needed(sim, vm));
    make_console(sim, vm, host);
    let (metrics, date) = (sim.store.reference("VM", of, "metrics"), sim.date());
    let (memory, vcpus) = (sim.store.int("VM", of, "memory_dynamic_max"), sim.store.int("VM", of, "VCPUs_at_startup"));
    let of = metrics.as_str();
    sim.store.put("VM_metrics", of, "start_time", date);
    sim.store.put("VM_metrics", of, "last_updated", date);
    sim.store.put("VM_metrics", of, "memory_actual", memory);
    sim.store.put("VM_metrics", of, "VCPUs_number", vcpus);
    sim.store.put("VM_metrics", of, "state", Vec::from([Value::from("running")]));
}

/// What the guest tells about itself starts anew; the simulated guest has its tools.
fn reset_guest(sim: &mut Sim, vm: &RawRef) {
    let old = sim.store.reference("VM", vm.as_str(), "guest_metrics");
    sim.store.remove("VM_guest_metrics", old.as_str());
    let metrics = replicate::guest_metrics(sim, vm);
    sim.store.put("VM", vm.as_str(), "guest_metrics", &metrics);
}

fn make_console(sim: &mut Sim, vm: &RawRef, host: &RawRef) {
    drop_consoles(sim, vm);
    let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
    let address = sim.store.text("host", host.as_str(), "address");
    let location = format!("https://{address}/console?uuid={uuid}");
    let draft = sim.store.draft("console").with("uuid", uuid).with("protocol", "rfb");
    let draft = draft.with("location", location).with("VM", vm);
    sim.store.insert(&reference, draft);
}

fn drop_consoles(sim: &mut Sim, vm: &RawRef) {
    for console in sim.store.refs("VM", vm.as_str(), "consoles") {
        sim.store.remove("console", console.as_str());
    }
}

/// The VM no longer runs anywhere.
fn leave_host(sim: &mut Sim, vm: &RawRef) {
    let of = vm.as_str();
    let host = sim.store.reference("VM", of, "resident_on");
    if !host.is_null() {
        boot::take_memory(sim, &host, -boot::memory_needed(sim, vm));
    }
    sim.store.put("VM", of, "resident_on", NULL);
    sim.store.put("VM", of, "scheduled_to_be_resident_on", NULL);
    sim.store.put("VM", of, "domid", -1);
    drop_consoles(sim, vm);
}

/// Stops a VM and lets go of everything.
pub(crate) fn halt(sim: &mut Sim, vm: &RawRef) {
    let of = vm.as_str();
    drop_suspend_image(sim, vm);
    leave_host(sim, vm);
    devices::detach_all(sim, vm);
    sim.store.put("VM", of, "requires_reboot", false);
    sim.store.put("VM", of, "power_state", "Halted");
    let metrics = sim.store.reference("VM", of, "metrics");
    sim.store.put("VM_metrics", metrics.as_str(), "memory_actual", 0);
    sim.store.put("VM_metrics", metrics.as_str(), "VCPUs_number", 0);
    sim.store.put("VM_metrics", metrics.as_str(), "state", Vec::new());
}

fn reboot(sim: &mut Sim, vm: &RawRef) {
    let (of, date, domid) = (vm.as_str(), sim.date(), sim.new_domid());
    sim.store.put("VM", of, "domid", domid);
    sim.store.put("VM", of, "power_state", "Running");
    sim.store.put("VM", of, "requires_reboot", false);
    let metrics = sim.store.reference("VM", of, "metrics");
    sim.store.put("VM_metrics", metrics.as_str(), "start_time", date);
    reset_guest(sim, vm);
}

/// Where a VM's memory goes when it is suspended.
fn suspend_sr(sim: &Sim, vm: &RawRef) -> Result<RawRef, Failure> {
    let pool = sim.store.first("pool").unwrap_or_default();
    let host = sim.store.reference("VM", vm.as_str(), "resident_on");
    let places = [
        sim.store.reference("VM", vm.as_str(), "suspend_SR"),
        sim.store.reference("pool", pool.as_str(), "suspend_image_SR"),
        sim.store.reference("host", host.as_str(), "suspend_image_sr"),
    ];
    let sr = places.into_iter().find(|sr| sim.store.contains("SR", sr.as_str()));
    let sr = sr.ok_or_else(|| Failure::new("VM_NO_SUSPEND_SR", [vm.as_str()]))?;
    let (size, used) =
        (sim.store.int("SR", sr.as_str(), "physical_size"), sim.store.int("SR", sr.as_str(), "physical_utilisation"));
    if size > 0 && used + boot::memory_needed(sim, vm) > size {
        return Err(Failure::new("SR_SUSPEND_SPACE_INSUFFICIENT", [sr.as_str()]));
    }
    Ok(sr)
}

fn suspend(sim: &mut Sim, vm: &RawRef) -> Result<(), Failure> {
    let (of, sr) = (vm.as_str(), suspend_sr(sim, vm)?);
    let bytes = boot::memory_needed(sim, vm);
    let vdi = devices::new_vdi(sim, &sr, "Suspend image", bytes, "suspend");
    sim.store.put("VM", of, "suspend_VDI", &vdi);
    leave_host(sim, vm);
    sim.store.put("VM", of, "power_state", "Suspended");
    announce(sim, vm, "VM_SUSPENDED", "suspended");
    Ok(())
}

fn drop_suspend_image(sim: &mut Sim, vm: &RawRef) {
    let vdi = sim.store.reference("VM", vm.as_str(), "suspend_VDI");
    if sim.store.contains("VDI", vdi.as_str()) {
        devices::remove_vdi(sim, &vdi);
    }
    sim.store.put("VM", vm.as_str(), "suspend_VDI", NULL);
}

/// Leaves a message about a VM.
fn announce(sim: &mut Sim, vm: &RawRef, name: &str, what: &str) {
    let of = vm.as_str();
    let (label, uuid) = (sim.store.text("VM", of, "name_label"), String::from(sim.store.text("VM", of, "uuid")));
    let body = format!("VM '{label}' (uuid: {uuid}) {what}");
    sim.new_message(name, 5, "VM", &uuid, &body);
}

/// `VM.create`: what the server decides of a new VM.
pub(crate) fn before_create(sim: &mut Sim, draft: &mut Draft) -> Result<(), Failure> {
    draft.set("power_state", "Halted");
    draft.set("domid", -1);
    draft.set("suspend_VDI", NULL);
    if draft.text("domain_type") == "unspecified" {
        let kind = if draft.text("HVM_boot_policy").is_empty() { "pv" } else { "hvm" };
        draft.set("domain_type", kind);
    }
    let mut config = draft.get("other_config").as_struct().cloned().unwrap_or_default();
    if config.get("mac_seed").is_none() {
        config.push("mac_seed", sim.random.uuid());
    }
    draft.set("other_config", config);
    let metrics = replicate::vm_metrics(sim);
    draft.set("metrics", &metrics);
    for field in ["resident_on", "guest_metrics", "scheduled_to_be_resident_on", "snapshot_of", "parent"] {
        draft.set(field, NULL);
    }
    draft.set("snapshot_time", DateTime::NEVER);
    Ok(())
}

/// `VM.destroy`: its devices go with it, its disks stay.
pub(crate) fn before_destroy(sim: &mut Sim, vm: &RawRef) -> Result<(), Failure> {
    rules::check(sim, vm, "destroy")?;
    let of = vm.as_str();
    if !sim.store.flag("VM", of, "is_a_template") && rules::is_default(sim, of) {
        return Err(Failure::new("VM_CANNOT_DELETE_DEFAULT_TEMPLATE", [""; 0]));
    }
    let devices = [("VBD", "VBDs"), ("VIF", "VIFs"), ("VGPU", "VGPUs"), ("VTPM", "VTPMs"), ("VUSB", "VUSBs")];
    for (class, field) in devices {
        for device in sim.store.refs("VM", of, field) {
            devices::remove_device(sim, class, &device);
        }
    }
    drop_consoles(sim, vm);
    drop_suspend_image(sim, vm);
    for (class, field) in [("VM_metrics", "metrics"), ("VM_guest_metrics", "guest_metrics")] {
        let metrics = sim.store.reference("VM", of, field);
        sim.store.remove(class, metrics.as_str());
    }
    let parent = sim.store.reference("VM", of, "parent");
    for child in sim.store.refs("VM", of, "children") {
        sim.store.put("VM", child.as_str(), "parent", &parent);
    }
    Ok(())
}
