//! Emptying a host.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, Struct, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::operations::boot::Reserved;
use crate::operations::timed::hold;
use crate::operations::{Handler, boot, ha, hosts, life, rules};
use crate::tasks::{Operation, STEPS, Start};

/// Migrations at a time, unless the caller says otherwise.
const BATCH: usize = 10;
/// What a migration takes.
const MIGRATION: Millis = Millis(3000);

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "evacuate" => Handler::Job(|_, _, args| Ok(evacuation(args))),
        "get_vms_which_prevent_evacuation" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            let stuck = plan(sim, &host).into_iter().filter_map(|(vm, to)| Some((vm, to.err()?)));
            let reasons = stuck
                .map(|(vm, why)| (String::from(vm.as_str()), Value::Array(why.description().map(Value::from).collect())));
            Ok(Value::Struct(reasons.collect::<Struct>()))
        }),
        "assert_can_evacuate" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            let stuck = plan(sim, &host).into_iter().filter_map(|(_, to)| to.err());
            let reasons: Vec<String> = stuck.map(|why| why.description().collect::<Vec<_>>().join(",")).collect();
            if reasons.is_empty() { Ok(Value::VOID) } else { Err(Failure::new("CANNOT_EVACUATE_HOST", [reasons.join("|")])) }
        }),
        _ => return None,
    })
}

/// Where each VM of a host would go, or why it cannot.
fn plan(sim: &Sim, host: &RawRef) -> Vec<(RawRef, Result<RawRef, Failure>)> {
    let others = sim.store.all("host").into_iter().filter(|other| other != host);
    let mut free: BTreeMap<RawRef, i64> = others.map(|other| (other.clone(), boot::free_memory(sim, &other))).collect();
    let guests = sim.store.refs("host", host.as_str(), "resident_VMs").into_iter();
    let guests = guests.filter(|guest| !sim.store.flag("VM", guest.as_str(), "is_control_domain"));
    guests.map(|guest| (guest.clone(), place(sim, &guest, &mut free))).collect()
}

/// The host with the most room that can run a VM; its room shrinks.
fn place(sim: &Sim, guest: &RawRef, free: &mut BTreeMap<RawRef, i64>) -> Result<RawRef, Failure> {
    rules::check_power(sim, guest, "pool_migrate")?;
    let needed = boot::memory_needed(sim, guest);
    let mut why = Failure::new("NO_HOSTS_AVAILABLE", [guest.as_str()]);
    let mut best: Option<(i64, RawRef)> = None;
    for (host, room) in free.iter() {
        match boot::can_boot(sim, guest, host, false) {
            Ok(()) if *room < needed => why = Failure::new("HOST_NOT_ENOUGH_FREE_MEMORY", [guest.as_str()]),
            Ok(()) if best.as_ref().is_none_or(|(most, _)| room > most) => best = Some((*room, host.clone())),
            Err(failure) if failure.code == "VM_REQUIRES_SR" => why = failure,
            _ => {}
        }
    }
    let (room, host) = best.ok_or(why)?;
    free.insert(host.clone(), room - needed);
    Ok(host)
}

/// A host that is being emptied.
struct Evacuation {
    host: RawRef,
    batch: usize,
    moves: Vec<(RawRef, Reserved)>,
    /// Moves done.
    done: usize,
}

fn evacuation(args: &Args) -> Box<dyn Operation> {
    let batch = usize::try_from(args.int(2)).ok().filter(|batch| *batch > 0).unwrap_or(BATCH);
    Box::new(Evacuation { host: RawRef::from(args.text(0)), batch, moves: Vec::new(), done: 0 })
}

impl Evacuation {
    /// Moves the next ones, until so many are done.
    fn go_on(&mut self, sim: &mut Sim, until: usize) {
        while self.done < until.min(self.moves.len()) {
            let (guest, reserved) = &self.moves[self.done];
            life::migrate(sim, guest, &reserved.host);
            sim.refresh_vm(guest);
            self.done += 1;
        }
    }
}

impl Operation for Evacuation {
    fn begin(&mut self, sim: &mut Sim) -> Result<Start, Failure> {
        sim.need("host", self.host.as_str())?;
        hosts::check_reachable(sim, &self.host)?;
        hosts::check_operation(sim, &self.host, "evacuate")?;
        let plan = plan(sim, &self.host).into_iter();
        let moves = plan.map(|(guest, to)| to.map(|to| (guest, to))).collect::<Result<Vec<_>, _>>()?;
        for (guest, _) in &moves {
            rules::check(sim, guest, "pool_migrate")?;
        }
        let moves = moves.into_iter().map(|(guest, to)| {
            let reserved = boot::reserve(sim, &guest, &to);
            (guest, reserved)
        });
        self.moves = moves.collect();
        let rounds = self.moves.len().div_ceil(self.batch).max(1);
        let mut holds = Vec::from([hold("host", &self.host, "evacuate")]);
        holds.extend(self.moves.iter().map(|(guest, _)| hold("VM", guest, "pool_migrate")));
        Ok(Start { duration: Millis(MIGRATION.0.saturating_mul(rounds as u64)), holds })
    }

    fn step(&mut self, sim: &mut Sim, step: u64) {
        let until = self.moves.len() * usize::try_from(step).unwrap_or(0) / usize::try_from(STEPS).unwrap_or(1);
        self.go_on(sim, until);
    }

    fn finish(&mut self, sim: &mut Sim) -> Result<Value, Failure> {
        self.go_on(sim, self.moves.len());
        ha::update_status(sim);
        Ok(Value::VOID)
    }

    fn undo(&mut self, sim: &mut Sim) {
        // What has moved stays where it is.
        for (guest, reserved) in self.moves.split_off(self.done) {
            boot::release(sim, &guest, &reserved);
        }
    }
}

/// For messages: a host's name and uuid.
pub(crate) fn describe(sim: &Sim, host: &RawRef) -> String {
    let of = host.as_str();
    format!("'{}' (uuid: {})", sim.store.text("host", of, "name_label"), sim.store.text("host", of, "uuid"))
}
