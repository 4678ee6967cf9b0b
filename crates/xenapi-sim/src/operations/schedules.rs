//! Snapshot schedules: VMs of which a snapshot is made from time to time.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, NULL, RawRef, Struct, Value};

use crate::Sim;
use crate::operations::boot;
use crate::operations::replicate::{self, Copy, Options};
use crate::operations::timed::{hold, timed};
use crate::operations::{Handler, devices, life, rules, snapshots, vm};
use crate::store::Draft;

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "set_retained_snapshots" => Handler::Now(|sim, _, args| {
            let schedule = sim.need("VMSS", args.text(0))?;
            check_retained(args.int(1))?;
            sim.store.put("VMSS", schedule.as_str(), "retained_snapshots", args.int(1));
            Ok(Value::VOID)
        }),
        "set_frequency" => Handler::Now(|sim, _, args| {
            let schedule = sim.need("VMSS", args.text(0))?;
            let frequency = String::from(args.text(1));
            let times = sim.store.value("VMSS", schedule.as_str(), "schedule").and_then(Value::as_struct).cloned();
            let times = completed(&frequency, &times.unwrap_or_default())?;
            sim.store.put("VMSS", schedule.as_str(), "frequency", frequency);
            sim.store.put("VMSS", schedule.as_str(), "schedule", times);
            Ok(Value::VOID)
        }),
        "set_schedule" => Handler::Now(|sim, _, args| {
            let schedule = sim.need("VMSS", args.text(0))?;
            let wanted = args.value(1).and_then(Value::as_struct).cloned().unwrap_or_default();
            let times = completed(sim.store.text("VMSS", schedule.as_str(), "frequency"), &wanted)?;
            sim.store.put("VMSS", schedule.as_str(), "schedule", times);
            Ok(Value::VOID)
        }),
        "add_to_schedule" => Handler::Now(|sim, _, args| {
            let schedule = sim.need("VMSS", args.text(0))?;
            let (key, value) = (args.text(1), args.text(2));
            if sim.store.key("VMSS", schedule.as_str(), "schedule", key).is_some() {
                return Err(Failure::new("MAP_DUPLICATE_KEY", ["VMSS", "schedule", schedule.as_str(), key]));
            }
            check_time(key, value)?;
            sim.store.put_key("VMSS", schedule.as_str(), "schedule", key, value);
            Ok(Value::VOID)
        }),
        "set_type" => Handler::Now(|sim, _, args| {
            let schedule = sim.need("VMSS", args.text(0))?;
            let kind = String::from(args.text(1));
            if kind == "snapshot_with_quiesce" {
                let vms = sim.store.refs("VMSS", schedule.as_str(), "VMs");
                vms.iter().try_for_each(|vm| rules::check(sim, vm, "snapshot_with_quiesce"))?;
            }
            sim.store.put("VMSS", schedule.as_str(), "type", kind);
            Ok(Value::VOID)
        }),
        "snapshot_now" => Handler::Job(|_, _, args| {
            timed(
                RawRef::from(args.text(0)),
                2000,
                |sim, schedule| {
                    sim.need("VMSS", schedule.as_str())?;
                    let vms = sim.store.refs("VMSS", schedule.as_str(), "VMs");
                    Ok(vms.iter().map(|vm| hold("VM", vm, "snapshot")).collect())
                },
                |sim, schedule| {
                    take_snapshots(sim, schedule);
                    Ok(Value::VOID)
                },
            )
        }),
        _ => return None,
    })
}

fn check_retained(number: i64) -> Result<(), Failure> {
    if (1..=10).contains(&number) {
        return Ok(());
    }
    Err(Failure::new("INVALID_VALUE", ["retained_snapshots", &number.to_string()]))
}

fn check_time(key: &str, value: &str) -> Result<(), Failure> {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let fits = match key {
        "min" => matches!(value, "0" | "15" | "30" | "45"),
        "hour" => value.parse::<u8>().is_ok_and(|hour| hour < 24),
        "days" => value.split(',').all(|day| DAYS.contains(&day.trim().to_lowercase().as_str())),
        _ => false,
    };
    if fits { Ok(()) } else { Err(Failure::new("INVALID_VALUE", [format!("schedule:{key}"), value.to_string()])) }
}

/// The times that a frequency needs: those given, and the usual ones for the others.
fn completed(frequency: &str, given: &Struct) -> Result<Struct, Failure> {
    let needed: &[(&'static str, &str)] = match frequency {
        "hourly" => &[("min", "0")],
        "daily" => &[("hour", "0"), ("min", "0")],
        _ => &[("hour", "0"), ("min", "0"), ("days", "monday")],
    };
    let mut times = Struct::new();
    for (key, usual) in needed {
        let value = given.get(key).and_then(Value::as_text).unwrap_or(usual);
        check_time(key, value)?;
        times.push(*key, value);
    }
    for (key, _) in given.iter() {
        check_time(key, given.get(key).and_then(Value::as_text).unwrap_or(""))?;
    }
    Ok(times)
}

/// `VMSS.create`.
pub(crate) fn before_create(draft: &mut Draft) -> Result<(), Failure> {
    check_retained(draft.get("retained_snapshots").as_int().unwrap_or(0))?;
    let given = draft.get("schedule").as_struct().cloned().unwrap_or_default();
    let times = completed(draft.text("frequency"), &given)?;
    draft.set("schedule", times);
    Ok(())
}

/// `VMSS.destroy`: its VMs stay.
pub(crate) fn before_destroy(sim: &mut Sim, schedule: &RawRef) {
    for vm in sim.store.refs("VMSS", schedule.as_str(), "VMs") {
        sim.store.put("VM", vm.as_str(), "snapshot_schedule", NULL);
        sim.refresh_vm(&vm);
    }
}

/// Makes a snapshot of every VM, and lets go of the oldest ones.
fn take_snapshots(sim: &mut Sim, schedule: &RawRef) {
    let kind = String::from(sim.store.text("VMSS", schedule.as_str(), "type"));
    let date = sim.date();
    let retained = usize::try_from(sim.store.int("VMSS", schedule.as_str(), "retained_snapshots")).unwrap_or(1);
    for vm in sim.store.refs("VMSS", schedule.as_str(), "VMs") {
        let name = format!("{}-{date}", sim.store.text("VM", vm.as_str(), "name_label"));
        let is_up = sim.store.text("VM", vm.as_str(), "power_state") == "Running";
        let made = if kind == "checkpoint" && is_up {
            snapshots::checkpoint(sim, &vm, &name).ok()
        } else {
            let options = Options { quiesced: kind == "snapshot_with_quiesce" && is_up, ..Options::default() };
            Some(replicate::replicate_with(sim, &vm, &name, &Copy::Snapshot, &options))
        };
        let Some(made) = made else { continue };
        sim.store.put("VM", made.as_str(), "is_vmss_snapshot", true);
        life::announce(sim, &vm, "VM_SNAPSHOTTED", &format!("snapshotted, snapshot name: {name}"));
        prune(sim, &vm, retained);
    }
    sim.store.put("VMSS", schedule.as_str(), "last_run_time", date);
}

/// Removes a VM's oldest snapshots that schedules made, with their disks, until so many are left.
fn prune(sim: &mut Sim, vm: &RawRef, retained: usize) {
    let own = sim.store.refs("VM", vm.as_str(), "snapshots").into_iter();
    let own: Vec<RawRef> = own.filter(|vm| sim.store.flag("VM", vm.as_str(), "is_vmss_snapshot")).collect();
    let many = own.len().saturating_sub(retained);
    for old in own.into_iter().take(many) {
        let disks: Vec<RawRef> = boot::disks(sim, &old);
        vm::remove_parts(sim, &old);
        for disk in disks {
            devices::remove_vdi(sim, &disk);
        }
        sim.store.remove("VM", old.as_str());
    }
}
