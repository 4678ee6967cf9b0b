//! Hosts that go down and come back, on demand or by misfortune.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, Value};

use crate::Sim;
use crate::operations::timed::{hold, timed};
use crate::operations::{Handler, ha, hosts, members, pool_settings};

/// Between the answer to a shutdown and the end of the host.
const GRACE: Millis = Millis::from_secs(10);
/// From the firmware to the toolstack.
const BOOT: Millis = Millis::from_secs(120);
/// What it takes the toolstack to be back.
const RESTART: Millis = Millis::from_secs(10);
/// After so long without a sign of life a host is taken for dead.
const SILENCE: Millis = Millis::from_secs(600);
/// With high availability that is known sooner.
const HEARTBEAT: Millis = Millis::from_secs(60);
/// A master that was switched off keeps everybody out, so that somebody comes and switches it on again.
const BUTTON: Millis = Millis::from_secs(300);

/// What is known of hosts beside their rows.
#[derive(Default)]
pub(crate) struct HostStates {
    /// Hosts that do not answer, and which of their failures it is.
    pub(crate) down: BTreeMap<RawRef, u64>,
    /// Hosts about to go down.
    pub(crate) leaving: BTreeSet<RawRef>,
    /// Hosts that stay disabled when they have booted.
    pub(crate) rests: BTreeSet<RawRef>,
    /// Hosts whose kernel log was cleared.
    pub(crate) cleared: BTreeSet<RawRef>,
    /// VMs to start when their host is back.
    awaiting: BTreeMap<RawRef, Vec<RawRef>>,
    pub(crate) no_restarts_until: Millis,
    /// Names of revocation lists.
    pub(crate) revocations: BTreeSet<String>,
    pub(crate) spares: Vec<members::Spare>,
    /// Members that have not heard of a new master yet.
    pub(crate) astray: BTreeSet<RawRef>,
}

impl HostStates {
    /// A host left the pool.
    pub(crate) fn forget(&mut self, host: &RawRef) {
        self.down.remove(host);
        self.awaiting.remove(host);
        for set in [&mut self.leaving, &mut self.rests, &mut self.cleared, &mut self.astray] {
            set.remove(host);
        }
    }
}

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "reboot" => Handler::Job(|_, _, args| {
            timed(
                RawRef::from(args.text(0)),
                500,
                |sim, host| check_stop(sim, host).map(|()| Vec::from([hold("host", host, "reboot")])),
                |sim, host| {
                    leave(sim, host, true);
                    Ok(Value::VOID)
                },
            )
        }),
        "shutdown" => Handler::Job(|_, _, args| {
            timed(
                RawRef::from(args.text(0)),
                500,
                |sim, host| check_stop(sim, host).map(|()| Vec::from([hold("host", host, "shutdown")])),
                |sim, host| {
                    leave(sim, host, false);
                    Ok(Value::VOID)
                },
            )
        }),
        "power_on" => Handler::Job(|_, _, args| {
            timed(
                RawRef::from(args.text(0)),
                5000,
                |sim, host| {
                    sim.need("host", host.as_str())?;
                    if sim.store.text("host", host.as_str(), "power_on_mode").is_empty() {
                        return Err(Failure::new("HOST_POWER_ON_MODE_DISABLED", [""; 0]));
                    }
                    if sim.is_live(host) {
                        return Err(Failure::new("HOST_IS_LIVE", [host.as_str()]));
                    }
                    Ok(Vec::from([hold("host", host, "power_on")]))
                },
                |sim, host| {
                    come_back(sim, host, BOOT);
                    Ok(Value::VOID)
                },
            )
        }),
        "restart_agent" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            hosts::check_reachable(sim, &host)?;
            // The answer comes first.
            sim.defer(RESTART, host, restart_toolstack);
            Ok(Value::VOID)
        }),
        "declare_dead" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            if !hosts::is_down(sim, &host) && sim.is_live(&host) {
                return Err(Failure::new("HOST_IS_LIVE", [host.as_str()]));
            }
            declare(sim, &host, true);
            Ok(Value::VOID)
        }),
        "destroy" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            if host == sim.master() || (sim.is_live(&host) && !hosts::is_down(sim, &host)) {
                return Err(Failure::new("HOST_IS_LIVE", [host.as_str()]));
            }
            ha::check_off(sim)?;
            let guests = sim.store.refs("host", host.as_str(), "resident_VMs");
            if guests.iter().any(|vm| !sim.store.flag("VM", vm.as_str(), "is_control_domain")) {
                return Err(Failure::new("HOST_HAS_RESIDENT_VMS", [host.as_str()]));
            }
            members::forget_host(sim, &host);
            Ok(Value::VOID)
        }),
        _ => return None,
    })
}

fn check_stop(sim: &Sim, host: &RawRef) -> Result<(), Failure> {
    sim.need("host", host.as_str())?;
    hosts::check_reachable(sim, host)?;
    if sim.store.flag("host", host.as_str(), "enabled") {
        return Err(Failure::new("HOST_NOT_DISABLED", [""; 0]));
    }
    hosts::check_operation(sim, host, "shutdown")
}

/// A host goes down in a moment; the caller has his answer before.
fn leave(sim: &mut Sim, host: &RawRef, reboots: bool) {
    let label = if reboots { "Host is rebooting" } else { "Host is shutting down" };
    let task = sim.new_task(label, &RawRef::null());
    sim.store.put("task", task.as_str(), "resident_on", host);
    sim.host_states.leaving.insert(host.clone());
    sim.defer(GRACE, (host.clone(), task, reboots), |sim, (host, task, reboots)| {
        let is_master = *host == sim.master();
        fail(sim, host);
        // It said good-bye: that is no failure.
        declare(sim, host, false);
        let back = match (reboots, is_master) {
            (true, _) => Some(BOOT),
            (false, true) if sim.master() == *host => Some(BUTTON + BOOT),
            _ => None,
        };
        let failure = Failure::new("TASK_CANCELLED", [task.as_str()]);
        if sim.store.contains("task", task.as_str()) {
            sim.settle_task(task, &Err(failure));
        }
        if let Some(after) = back {
            come_back(sim, host, after);
        }
    });
}

/// A host boots, and is back after a while, unless something else has happened to it by then.
fn come_back(sim: &mut Sim, host: &RawRef, after: Millis) {
    let failure = sim.host_states.down.get(host).copied();
    sim.defer(after, (host.clone(), failure), |sim, (host, failure)| {
        if sim.host_states.down.get(host).copied() == *failure {
            recover(sim, host);
        }
    });
}

/// A host is gone from one moment to the next. Nobody knows yet.
fn fail(sim: &mut Sim, host: &RawRef) {
    if sim.host_states.down.contains_key(host) {
        return;
    }
    let failure = sim.new_id();
    sim.down(host);
    sim.host_states.down.insert(host.clone(), failure);
    let error = Failure::new("CANNOT_CONTACT_HOST", [host.as_str()]);
    for guest in sim.store.refs("host", host.as_str(), "resident_VMs") {
        sim.break_jobs_on("VM", &guest, &error);
    }
    sim.break_jobs_on("host", host, &error);
    let verdict = if ha::is_on(sim) { HEARTBEAT } else { SILENCE };
    if *host == sim.master() {
        // Until it is back, or another host is master.
        sim.restart(Millis(u64::MAX / 2));
    }
    sim.defer(verdict, (host.clone(), failure), |sim, (host, failure)| {
        if sim.host_states.down.get(host) == Some(failure) {
            declare(sim, host, true);
        }
    });
}

/// A host is taken for dead: so are its VMs, and with high availability they start elsewhere.
fn declare(sim: &mut Sim, host: &RawRef, is_failure: bool) {
    let of = host.as_str();
    let (metrics, date) = (sim.store.reference("host", of, "metrics"), sim.date());
    let is_news = sim.store.flag("host_metrics", metrics.as_str(), "live");
    sim.store.put("host_metrics", metrics.as_str(), "live", false);
    sim.store.put("host_metrics", metrics.as_str(), "last_updated", date);
    let lost = ha::stop_guests(sim, host);
    hosts::refresh_host(sim, host);
    let powers_on = |vm: &&RawRef| sim.store.key("VM", vm.as_str(), "other_config", "auto_poweron") == Some("true");
    let awaiting: Vec<RawRef> = lost.iter().filter(powers_on).cloned().collect();
    sim.host_states.awaiting.insert(host.clone(), awaiting);
    if ha::is_on(sim) && is_news {
        if is_failure {
            report(sim, host);
        }
        if *host == sim.master() {
            members::elect(sim);
        }
        if is_failure && !hosts::is_down(sim, &sim.master()) {
            ha::restart(sim, &lost);
        }
        ha::update_status(sim);
    }
}

/// Tells people that a host has failed.
fn report(sim: &mut Sim, host: &RawRef) {
    let of = host.as_str();
    let (name, uuid) = (sim.store.text("host", of, "name_label"), String::from(sim.store.text("host", of, "uuid")));
    let body = format!("Server '{name}' (uuid: {uuid}) has failed");
    sim.new_message("HA_HOST_FAILED", 3, "Host", &uuid, &body);
}

/// A host has booted.
fn recover(sim: &mut Sim, host: &RawRef) {
    let of = host.as_str();
    let was_up = sim.host_states.down.remove(host).is_none() && sim.is_live(host);
    if was_up || !sim.store.contains("host", of) {
        return;
    }
    sim.up(host);
    sim.host_states.leaving.remove(host);
    sim.host_states.cleared.remove(host);
    // What ran before does not run any more.
    let lost = ha::stop_guests(sim, host);
    let mut awaiting = sim.host_states.awaiting.remove(host).unwrap_or_default();
    awaiting.extend(
        lost.into_iter().filter(|vm| sim.store.key("VM", vm.as_str(), "other_config", "auto_poweron") == Some("true")),
    );
    let (metrics, date) = (sim.store.reference("host", of, "metrics"), sim.date());
    sim.store.put("host_metrics", metrics.as_str(), "live", true);
    sim.store.put("host_metrics", metrics.as_str(), "last_updated", date);
    let now = date.unix();
    sim.store.put_key("host", of, "other_config", "boot_time", format!("{}.", now - 60));
    sim.store.put_key("host", of, "other_config", "agent_start_time", format!("{now}."));
    for field in ["updates_requiring_reboot", "pending_guidances", "pending_guidances_recommended"] {
        sim.store.put("host", of, field, Vec::new());
    }
    let display = match sim.store.text("host", of, "display") {
        "disable_on_reboot" => "disabled",
        "enable_on_reboot" => "enabled",
        other => other,
    };
    let display = String::from(display);
    sim.store.put("host", of, "display", display);
    let dom0 = sim.store.reference("host", of, "control_domain");
    let metrics = sim.store.reference("VM", dom0.as_str(), "metrics");
    sim.store.put("VM_metrics", metrics.as_str(), "start_time", date);
    if *host == sim.master() {
        sim.booting_until = sim.now;
    }
    let rests = sim.host_states.rests.contains(host);
    hosts::set_enabled(sim, host, !rests);
    ha::update_status(sim);
    if pool_settings::powers_vms_on(sim) {
        for vm in awaiting {
            let action = crate::operations::vm::Action::Start { paused: false };
            let job = crate::operations::vm::VmJob::new(vm, "start", action);
            // One that cannot start stays halted, as after every boot.
            drop(sim.start_own_job("VM.start", Box::new(job)));
        }
    }
}

/// The toolstack of a host starts anew; with the master's, all tasks and sessions are gone.
fn restart_toolstack(sim: &mut Sim, host: &RawRef) {
    if hosts::is_down(sim, host) {
        return;
    }
    if *host == sim.master() {
        sim.restart(Millis(0));
    }
    let now = sim.date().unix();
    sim.store.put_key("host", host.as_str(), "other_config", "agent_start_time", format!("{now}."));
}

/// A host that was dead has booted.
pub(crate) fn host_returned(sim: &mut Sim, host: &RawRef) {
    recover(sim, host);
}

/// A host dies, and everybody knows at once.
pub(crate) fn host_died(sim: &mut Sim, host: &RawRef) {
    fail(sim, host);
    declare(sim, host, true);
}

impl Sim {
    /// A host dies at a time, without warning. It is given by reference, uuid, name or address; answers whether there is such a host.
    ///
    /// Calls about its VMs fail with `CANNOT_CONTACT_HOST`. After ten minutes (with high availability: one) it counts as dead: its
    /// `host_metrics.live` is false, its VMs are halted, and those that high availability protects start elsewhere. When the master
    /// dies, sessions and tasks are gone, and calls fail with `HOST_STILL_BOOTING` until it is back or another host is master.
    pub fn host_fails(&mut self, host: &str, now: Millis) -> bool {
        self.advance(now);
        let host = self.find_host(host);
        if let Some(host) = &host {
            fail(self, host);
        }
        self.notice_changes();
        host.is_some()
    }

    /// A host that was down has booted at a time: it is live and enabled again, and its VMs are halted. Answers whether there is such
    /// a host; one that was up stays as it is.
    pub fn host_returns(&mut self, host: &str, now: Millis) -> bool {
        self.advance(now);
        let host = self.find_host(host);
        if let Some(host) = &host {
            recover(self, host);
        }
        self.notice_changes();
        host.is_some()
    }
}
