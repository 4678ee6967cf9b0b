//! The life of a VM: start, stop, pause, suspend, move, clone, destroy.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{DateTime, Failure, Millis, NULL, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::operations::boot::Reserved;
use crate::operations::replicate::{self, Copy, Options};
use crate::operations::timed::hold;
use crate::operations::{Handler, boot, devices, ha, hosts, life, rules, snapshots, storage};
use crate::store::Draft;
use crate::tasks::{Hold, Operation, Start};

/// What happens to a VM.
#[derive(Clone, Debug)]
pub(crate) enum Action {
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
        options: Options,
    },
    Checkpoint {
        name: String,
    },
}

/// An action under way.
pub(crate) struct VmJob {
    pub(crate) vm: RawRef,
    action: Action,
    /// As in `allowed_operations`.
    operation: &'static str,
    /// Where the caller wants it to run.
    wanted: Option<RawRef>,
    /// Where it will run.
    reserved: Option<Reserved>,
    /// The guest will not answer.
    is_deaf: bool,
}

impl VmJob {
    pub(crate) fn new(vm: RawRef, operation: &'static str, action: Action) -> VmJob {
        VmJob { vm, action, operation, wanted: None, reserved: None, is_deaf: false }
    }
}

/// How long a guest is given to stop.
const PATIENCE: Millis = Millis::from_secs(1200);

fn job(args: &Args, operation: &'static str, action: Action) -> Result<Box<dyn Operation>, Failure> {
    Ok(Box::new(VmJob::new(RawRef::from(args.text(0)), operation, action)))
}

fn job_on(args: &Args, operation: &'static str, action: Action) -> Result<Box<dyn Operation>, Failure> {
    let wanted = Some(RawRef::from(args.text(1)));
    Ok(Box::new(VmJob { wanted, ..VmJob::new(RawRef::from(args.text(0)), operation, action) }))
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
        "pool_migrate" => Handler::Job(pool_migrate),
        // A new device model comes with a migration to where the VM is.
        "restart_device_models" => Handler::Job(|sim, _, args| {
            let wanted = Some(sim.store.reference("VM", args.text(0), "resident_on"));
            Ok(Box::new(VmJob { wanted, ..VmJob::new(RawRef::from(args.text(0)), "pool_migrate", Action::Migrate) }))
        }),
        "clone" => Handler::Job(|_, _, args| copy(args, "clone", Copy::Clone, Options::default())),
        "copy" => Handler::Job(|_, _, args| copy(args, "copy", Copy::Full(RawRef::from(args.text(2))), Options::default())),
        "snapshot" => Handler::Job(|_, _, args| {
            let ignored = args.value(2).and_then(Value::as_array).unwrap_or_default();
            let ignored = ignored.iter().filter_map(Value::as_text).map(RawRef::from).collect();
            copy(args, "snapshot", Copy::Snapshot, Options { ignored, ..Options::default() })
        }),
        "snapshot_with_quiesce" => Handler::Job(|_, _, args| {
            let options = Options { quiesced: true, ..Options::default() };
            copy(args, "snapshot_with_quiesce", Copy::Snapshot, options)
        }),
        "checkpoint" => Handler::Job(|_, _, args| job(args, "checkpoint", Action::Checkpoint { name: args.text(1).into() })),
        "provision" => Handler::Job(|_, _, args| job(args, "provision", Action::Provision)),
        "revert" => Handler::Job(|sim, _, args| {
            let snapshot = RawRef::from(args.text(0));
            let vm = snapshots::target(sim, &snapshot)?;
            Ok(Box::new(VmJob::new(vm, "reverting", Action::Revert { snapshot })))
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

fn pool_migrate(sim: &mut Sim, _: &crate::dispatch::Caller, args: &mut Args) -> Result<Box<dyn Operation>, Failure> {
    let network = args.value(2).and_then(Value::as_struct).and_then(|options| options.get("network"));
    if let (Some(uuid), Some(class)) = (network.and_then(Value::as_text), xenapi_model::class("network"))
        && !sim.store.contains("network", uuid)
    {
        sim.by_uuid(class, uuid)?;
    }
    job_on(args, "pool_migrate", Action::Migrate)
}

fn copy(args: &Args, operation: &'static str, kind: Copy, options: Options) -> Result<Box<dyn Operation>, Failure> {
    job(args, operation, Action::Copy { kind, name: args.text(1).into(), options })
}

impl Operation for VmJob {
    fn begin(&mut self, sim: &mut Sim) -> Result<Start, Failure> {
        rules::check(sim, &self.vm, self.operation)?;
        hosts::check_reachable(sim, &sim.store.reference("VM", self.vm.as_str(), "resident_on"))?;
        if let Some(host) = &self.wanted {
            sim.need("host", host.as_str())?;
        }
        match &self.action {
            Action::Start { .. } | Action::Resume { .. } => self.begin_start(sim)?,
            Action::Migrate => self.begin_migration(sim)?,
            Action::Suspend => drop(life::suspend_sr(sim, &self.vm)?),
            Action::Checkpoint { .. } if sim.store.text("VM", self.vm.as_str(), "power_state") != "Suspended" => {
                life::suspend_sr(sim, &self.vm)?;
            }
            Action::HardShutdown | Action::HardReboot => sim.cancel_jobs_on("VM", &self.vm),
            Action::Copy { kind, .. } => {
                replicate::check(sim, kind)?;
                boot::check_room(sim, &replicate::space_wanted(sim, &self.vm, kind))?;
            }
            Action::Provision => {
                let disks = snapshots::wanted_disks(sim, &self.vm)?;
                disks.iter().try_for_each(|disk| storage::need_attached(sim, &disk.sr))?;
                boot::check_room(sim, &disks.iter().map(|disk| (disk.sr.clone(), disk.bytes)).collect::<Vec<_>>())?;
            }
            Action::Revert { snapshot } => rules::check(sim, snapshot, "revert")?,
            _ => {}
        }
        let asks = matches!(self.action, Action::CleanShutdown | Action::CleanReboot | Action::Suspend);
        self.is_deaf = asks && !rules::listens(sim, self.vm.as_str());
        let duration = if self.is_deaf { PATIENCE } else { self.duration(sim) };
        Ok(Start { duration, holds: self.holds(sim) })
    }

    fn finish(&mut self, sim: &mut Sim) -> Result<Value, Failure> {
        if self.is_deaf {
            let code = if matches!(self.action, Action::Suspend) { "VM_SUSPEND_TIMEOUT" } else { "VM_SHUTDOWN_TIMEOUT" };
            return Err(Failure::new(code, [String::from(self.vm.as_str()), format!("{}.", PATIENCE.as_secs())]));
        }
        let result = self.act(sim);
        if result.is_err() {
            self.undo(sim);
        }
        sim.refresh_vm(&self.vm);
        result
    }

    fn undo(&mut self, sim: &mut Sim) {
        if let Some(reserved) = self.reserved.take() {
            boot::release(sim, &self.vm, &reserved);
        }
    }
}

impl VmJob {
    fn act(&mut self, sim: &mut Sim) -> Result<Value, Failure> {
        let vm = &self.vm;
        match &self.action {
            Action::Start { paused } => {
                if let Some(Reserved { host, bytes }) = self.reserved.take() {
                    life::start(sim, vm, &host, bytes, *paused);
                }
            }
            Action::Resume { paused } => {
                if let Some(Reserved { host, bytes }) = self.reserved.take() {
                    life::resume(sim, vm, &host, bytes, *paused);
                }
            }
            Action::CleanShutdown | Action::HardShutdown | Action::Shutdown => {
                sim.store.put("VM", vm.as_str(), "ha_always_run", false);
                life::halt(sim, vm);
                life::announce(sim, vm, "VM_SHUTDOWN", "shutdown");
            }
            Action::CleanReboot | Action::HardReboot => {
                life::reboot(sim, vm);
                life::announce(sim, vm, "VM_REBOOTED", "rebooted");
            }
            Action::Pause => set_power(sim, vm, "Paused", "VM_PAUSED", "paused"),
            Action::Unpause => set_power(sim, vm, "Running", "VM_UNPAUSED", "unpaused"),
            Action::Suspend => life::suspend(sim, vm)?,
            Action::Migrate => {
                if let Some(reserved) = self.reserved.take() {
                    life::migrate(sim, vm, &reserved.host);
                }
            }
            Action::Provision => {
                let disks = snapshots::wanted_disks(sim, vm)?;
                snapshots::provision(sim, vm, disks);
            }
            Action::Revert { snapshot } => {
                if sim.store.text("VM", vm.as_str(), "power_state") != "Halted" {
                    life::halt(sim, vm);
                }
                snapshots::revert(sim, vm, snapshot);
                sim.refresh_vm(snapshot);
                life::announce(sim, vm, "VM_SNAPSHOT_REVERTED", "reverted to a snapshot");
            }
            Action::Copy { kind, name, options } => {
                let mut options = options.clone();
                let image = sim.store.reference("VM", vm.as_str(), "suspend_VDI");
                if *kind != Copy::Snapshot && sim.store.contains("VDI", image.as_str()) {
                    // What was suspended stays so, and what was copied of a checkpoint can be resumed.
                    options.memory = Some(replicate::copy_vdi(sim, &image, &Copy::Clone));
                }
                let new = replicate::replicate_with(sim, vm, name, kind, &options);
                match kind {
                    Copy::Snapshot => {
                        life::announce(sim, vm, "VM_SNAPSHOTTED", &format!("snapshotted, snapshot name: {name}"));
                    }
                    _ => life::announce(sim, &new, "VM_CLONED", "cloned"),
                }
                return Ok(new.into());
            }
            Action::Checkpoint { name } => {
                let new = snapshots::checkpoint(sim, vm, name)?;
                life::announce(sim, vm, "VM_CHECKPOINTED", &format!("checkpointed, checkpoint name: {name}"));
                return Ok(new.into());
            }
        }
        Ok(Value::VOID)
    }

    /// Simulated time.
    fn duration(&self, sim: &Sim) -> Millis {
        Millis(match &self.action {
            Action::Start { .. } => 1500,
            Action::CleanShutdown | Action::Shutdown | Action::Resume { .. } => 2000,
            Action::CleanReboot => 2500,
            Action::Suspend | Action::Migrate | Action::Checkpoint { .. } => 3000,
            Action::HardShutdown => 500,
            // A whole copy moves a gigabyte in half a second.
            Action::Copy { kind, .. } => {
                let disks = replicate::space_wanted(sim, &self.vm, kind);
                let bytes = disks.iter().fold(0_i64, |sum, (_, bytes)| sum.saturating_add(*bytes));
                1000 + u64::try_from(bytes >> 21).unwrap_or(0)
            }
            Action::HardReboot | Action::Revert { .. } | Action::Provision => 1000,
            Action::Pause | Action::Unpause => 300,
        })
    }

    fn holds(&self, sim: &Sim) -> Vec<Hold> {
        let mut holds = Vec::from([hold("VM", &self.vm, self.operation)]);
        let on_host = match &self.action {
            Action::Start { .. } => "vm_start",
            Action::Resume { .. } => "vm_resume",
            Action::Migrate => "vm_migrate",
            Action::Revert { snapshot } => {
                holds.push(hold("VM", snapshot, "revert"));
                return holds;
            }
            _ => return holds,
        };
        holds.extend(self.reserved.iter().map(|reserved| hold("host", &reserved.host, on_host)));
        if matches!(self.action, Action::Start { .. }) {
            for (class, field) in [("VBD", "VBDs"), ("VIF", "VIFs")] {
                let devices = sim.store.refs("VM", self.vm.as_str(), field).into_iter();
                holds.extend(devices.map(|device| hold(class, &device, "attach")));
            }
        }
        holds
    }

    fn begin_start(&mut self, sim: &mut Sim) -> Result<(), Failure> {
        let of = self.vm.as_str();
        let resumes = matches!(self.action, Action::Resume { .. });
        if !resumes {
            devices::check_disks(sim, &self.vm)?;
        } else if !sim.store.contains("VDI", sim.store.text("VM", of, "suspend_VDI")) {
            return Err(Failure::new("VM_HAS_NO_SUSPEND_VDI", ["VM", of]));
        }
        ha::check_start(sim, &self.vm)?;
        let host = match &self.wanted {
            Some(host) => {
                if !resumes && hosts::has_operation(sim, host, "evacuate") {
                    return Err(Failure::new("HOST_EVACUATE_IN_PROGRESS", [host.as_str()]));
                }
                boot::can_boot(sim, &self.vm, host, true).map(|()| host.clone())?
            }
            None => boot::choose(sim, &self.vm)?,
        };
        hosts::check_operation(sim, &host, if resumes { "vm_resume" } else { "vm_start" })?;
        self.reserved = Some(boot::reserve(sim, &self.vm, &host));
        Ok(())
    }

    fn begin_migration(&mut self, sim: &mut Sim) -> Result<(), Failure> {
        let Some(host) = &self.wanted else { return Ok(()) };
        hosts::check_reachable(sim, host)?;
        boot::can_boot(sim, &self.vm, host, sim.store.reference("VM", self.vm.as_str(), "resident_on") != *host)?;
        hosts::check_operation(sim, host, "vm_migrate")?;
        self.reserved = Some(boot::reserve(sim, &self.vm, host));
        Ok(())
    }
}

fn set_power(sim: &mut Sim, vm: &RawRef, power: &str, message: &str, what: &str) {
    sim.store.put("VM", vm.as_str(), "power_state", power);
    life::announce(sim, vm, message, what);
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

/// What follows from the settings of a new VM.
pub(crate) fn after_create(sim: &mut Sim, vm: &RawRef) {
    let overhead = boot::overhead_of(sim, vm);
    sim.store.put("VM", vm.as_str(), "memory_overhead", overhead);
    sim.refresh_vm(vm);
}

/// `VM.destroy`: its devices go with it, its disks stay.
pub(crate) fn before_destroy(sim: &mut Sim, vm: &RawRef) -> Result<(), Failure> {
    rules::check(sim, vm, "destroy")?;
    let of = vm.as_str();
    if !sim.store.flag("VM", of, "is_a_template") && rules::is_default(sim, of) {
        return Err(Failure::new("VM_CANNOT_DELETE_DEFAULT_TEMPLATE", [""; 0]));
    }
    remove_parts(sim, vm);
    Ok(())
}

/// Takes out what a VM does not leave behind.
pub(crate) fn remove_parts(sim: &mut Sim, vm: &RawRef) {
    let of = vm.as_str();
    let devices = [("VBD", "VBDs"), ("VIF", "VIFs"), ("VGPU", "VGPUs"), ("VTPM", "VTPMs"), ("VUSB", "VUSBs")];
    for (class, field) in devices {
        for device in sim.store.refs("VM", of, field) {
            devices::remove_device(sim, class, &device);
        }
    }
    life::drop_consoles(sim, vm);
    life::drop_suspend_image(sim, vm);
    for (class, field) in [("VM_metrics", "metrics"), ("VM_guest_metrics", "guest_metrics")] {
        let metrics = sim.store.reference("VM", of, field);
        sim.store.remove(class, metrics.as_str());
    }
    let blobs = sim.store.value("VM", of, "blobs").and_then(Value::as_struct).cloned().unwrap_or_default();
    for (_, blob) in blobs.iter() {
        sim.store.remove("blob", blob.as_text().unwrap_or(""));
    }
    let parent = sim.store.reference("VM", of, "parent");
    for child in sim.store.refs("VM", of, "children") {
        sim.store.put("VM", child.as_str(), "parent", &parent);
    }
    let appliance = sim.store.reference("VM", of, "appliance");
    sim.store.put("VM", of, "appliance", NULL);
    crate::operations::refresh(sim, "VM_appliance", &appliance);
}
