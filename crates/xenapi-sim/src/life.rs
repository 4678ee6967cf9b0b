//! Background life: guests that start, stop, move and fill their disks, so that a pool looks as if somebody used it.
//!
//! Everything happens through ordinary calls of an ordinary session, with its tasks, events and preconditions, and from the seed
//! alone: the same pool lives the same life. Only the VMs that life has picked are touched, a third of those that are there when it
//! begins; they carry the tag [`TAG`], and one that loses the tag is left alone from then on.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Millis, RawCall, RawRef, Role, Value};

use crate::random::Random;
use crate::{Handled, Origin, Sim};

/// The tag of the VMs that live.
pub const TAG: &str = "lively";

/// Changes in a minute that can be asked for.
const FASTEST: u32 = 60_000;

/// What life holds on to.
pub(crate) struct Life {
    random: Random,
    session: RawRef,
    vms: Vec<RawRef>,
    /// Between one change and the next.
    pause: Millis,
    /// Snapshots that were taken, the oldest first.
    snapshots: Vec<RawRef>,
}

/// How many snapshots there may be at a time.
const SNAPSHOTS: usize = 8;
/// Names that were made by life begin so.
const SNAPSHOT: &str = "Hourly snapshot";

impl Sim {
    /// Lets the pool live: so many changes a minute, up to 60,000, from the next moment on. Most of them are figures that move, such as how
    /// full a disk is; about one in ten starts, stops, moves or snapshots a VM. Zero ends it. Answers how many VMs take part.
    pub fn live(&mut self, changes_per_minute: u32, now: Millis) -> usize {
        self.advance(now);
        self.life = None;
        let rate = u64::from(changes_per_minute.min(FASTEST));
        if rate == 0 {
            return 0;
        }
        let random = Random::new(self.random.next());
        let vms = self.pick_lively();
        let count = vms.len();
        let session = self.new_session(Role::LocalSuperuser, "root", "life");
        let pause = Millis((60_000 / rate).max(1));
        self.life = Some(Life { random, session, vms, pause, snapshots: Vec::new() });
        self.after(pause, Sim::live_on);
        self.notice_changes();
        count
    }

    /// Every third VM, with the tag that tells.
    fn pick_lively(&mut self) -> Vec<RawRef> {
        let is_guest = |sim: &Sim, vm: &RawRef| {
            let of = vm.as_str();
            ["is_a_template", "is_a_snapshot", "is_control_domain"].iter().all(|field| !sim.store.flag("VM", of, field))
        };
        let all: Vec<RawRef> = self.store.all("VM").into_iter().filter(|vm| is_guest(self, vm)).step_by(3).collect();
        for vm in &all {
            let mut tags =
                self.store.value("VM", vm.as_str(), "tags").and_then(Value::as_array).unwrap_or_default().to_vec();
            if tags.iter().all(|tag| tag.as_text() != Some(TAG)) {
                tags.push(TAG.into());
                self.store.put("VM", vm.as_str(), "tags", tags);
            }
        }
        all
    }

    /// One change, and the next is set up.
    fn live_on(&mut self) {
        let Some(mut life) = self.life.take() else { return };
        if !self.sessions.contains_key(&life.session) {
            // After a restart of the toolstack, or when root had too many sessions.
            life.session = self.new_session(Role::LocalSuperuser, "root", "life");
        }
        self.change_something(&mut life);
        let pause = life.pause;
        self.life = Some(life);
        self.after(pause, Sim::live_on);
    }

    fn change_something(&mut self, life: &mut Life) {
        if life.vms.is_empty() {
            return;
        }
        let vm = life.random.pick(&life.vms).clone();
        let tags = self.store.value("VM", vm.as_str(), "tags").and_then(Value::as_array).unwrap_or_default();
        if !tags.iter().any(|tag| tag.as_text() == Some(TAG)) {
            return;
        }
        match life.random.below(40) {
            0..4 => self.change_power(life, &vm),
            4 => self.take_snapshot(life, &vm),
            5 => self.raise_alarm(&mut life.random, &vm),
            6..20 => self.use_memory(&mut life.random, &vm),
            _ => self.fill_disk(&mut life.random, &vm),
        }
    }

    /// A call whose answer nobody waits for. It may be refused, like anybody's.
    fn call_for_life(&mut self, life: &Life, method: &str, params: Vec<Value>) -> Handled {
        let params = core::iter::once(Value::from(&life.session)).chain(params).collect();
        let handled = self.dispatch(RawCall { method: method.into(), params }, Origin::Tcp);
        if let Handled::Pending(pending) = handled {
            self.abandon(pending);
        }
        handled
    }

    /// Starts what is off; stops, restarts or moves what is on.
    fn change_power(&mut self, life: &mut Life, vm: &RawRef) {
        let power = String::from(self.store.text("VM", vm.as_str(), "power_state"));
        let this = || Vec::from([Value::from(vm)]);
        match power.as_str() {
            "Halted" => drop(self.call_for_life(life, "VM.start", Vec::from([vm.into(), false.into(), false.into()]))),
            "Suspended" => drop(self.call_for_life(life, "VM.resume", Vec::from([vm.into(), false.into(), false.into()]))),
            "Paused" => drop(self.call_for_life(life, "VM.unpause", this())),
            "Running" => match life.random.below(4) {
                0 => drop(self.call_for_life(life, "VM.clean_shutdown", this())),
                1 => drop(self.call_for_life(life, "VM.clean_reboot", this())),
                _ => {
                    let hosts = self.store.all("host");
                    let host = life.random.pick(&hosts).clone();
                    if host != self.store.reference("VM", vm.as_str(), "resident_on") {
                        let params = Vec::from([vm.into(), Value::from(&host), Value::empty_struct()]);
                        drop(self.call_for_life(life, "VM.pool_migrate", params));
                    }
                }
            },
            _ => {}
        }
    }

    /// Takes a snapshot, and lets go of the oldest when there are many.
    fn take_snapshot(&mut self, life: &mut Life, vm: &RawRef) {
        life.snapshots.retain(|snapshot| self.store.contains("VM", snapshot.as_str()));
        if life.snapshots.len() >= SNAPSHOTS {
            let oldest = life.snapshots.remove(0);
            for vbd in self.store.refs("VM", oldest.as_str(), "VBDs") {
                let vdi = self.store.reference("VBD", vbd.as_str(), "VDI");
                if self.store.flag("VDI", vdi.as_str(), "is_a_snapshot") {
                    drop(self.call_for_life(life, "VDI.destroy", Vec::from([Value::from(&vdi)])));
                }
            }
            drop(self.call_for_life(life, "VM.destroy", Vec::from([Value::from(&oldest)])));
            return;
        }
        // Those that were taken before are there by now.
        let known = self.store.refs("VM", vm.as_str(), "snapshots");
        let own = known.into_iter().filter(|it| self.store.text("VM", it.as_str(), "name_label").starts_with(SNAPSHOT));
        life.snapshots.extend(own.filter(|it| !life.snapshots.contains(it)).collect::<Vec<_>>());
        let name = format!("{SNAPSHOT} {}", self.now.0 / 3_600_000);
        drop(self.call_for_life(life, "VM.snapshot", Vec::from([vm.into(), name.into()])));
    }

    fn raise_alarm(&mut self, random: &mut Random, vm: &RawRef) {
        let uuid = String::from(self.store.text("VM", vm.as_str(), "uuid"));
        let body = crate::generate::alarm(0.9 + random.below(10) as f64 / 100.0, "cpu_usage", 0.9, 60);
        self.new_message("ALARM", 3, "VM", &uuid, &body);
    }

    fn use_memory(&mut self, random: &mut Random, vm: &RawRef) {
        let metrics = self.store.reference("VM", vm.as_str(), "metrics");
        if self.store.text("VM", vm.as_str(), "power_state") != "Running" || metrics.is_null() {
            return;
        }
        // Balloons move in steps of a MiB, up to a sixteenth below what the VM should have.
        let target = self.store.int("VM", vm.as_str(), "memory_target");
        let steps = usize::try_from(target >> 24).unwrap_or(0);
        let less = i64::try_from(random.below(steps + 1)).unwrap_or(0) << 20;
        let date = self.date();
        self.store.put("VM_metrics", metrics.as_str(), "memory_actual", target - less);
        self.store.put("VM_metrics", metrics.as_str(), "last_updated", date);
    }

    /// A disk of a running VM uses a little more of its repository.
    fn fill_disk(&mut self, random: &mut Random, vm: &RawRef) {
        if self.store.text("VM", vm.as_str(), "power_state") != "Running" {
            return;
        }
        let vbds = self.store.refs("VM", vm.as_str(), "VBDs");
        let disks: Vec<RawRef> = vbds
            .iter()
            .filter(|vbd| self.store.text("VBD", vbd.as_str(), "type") == "Disk")
            .map(|vbd| self.store.reference("VBD", vbd.as_str(), "VDI"))
            .filter(|vdi| self.store.contains("VDI", vdi.as_str()))
            .collect();
        if disks.is_empty() {
            return;
        }
        let vdi = random.pick(&disks).clone();
        let sr = self.store.reference("VDI", vdi.as_str(), "SR");
        let (size, used) = (
            self.store.int("VDI", vdi.as_str(), "virtual_size"),
            self.store.int("VDI", vdi.as_str(), "physical_utilisation"),
        );
        let room =
            self.store.int("SR", sr.as_str(), "physical_size") - self.store.int("SR", sr.as_str(), "physical_utilisation");
        let more = i64::try_from(1 + random.below(64)).unwrap_or(1) << 20;
        // What is full is cleaned up one day.
        let change = if used + more > size || more > room { -(used / 2) } else { more };
        self.store.put("VDI", vdi.as_str(), "physical_utilisation", used + change);
        let total = self.store.int("SR", sr.as_str(), "physical_utilisation") + change;
        self.store.put("SR", sr.as_str(), "physical_utilisation", total.max(0));
    }
}
