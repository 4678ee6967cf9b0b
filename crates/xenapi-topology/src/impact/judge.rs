//! What becomes of each VM between two worlds.

use alloc::vec::Vec;
use core::cmp::Ordering;

use xenapi_client::Cache;

use super::plan::{Carrier, Plan, VmPart};
use super::world::World;
use super::{Affected, Reason, Verdict};

/// The VMs that depend on what is different in the two worlds.
pub(super) fn all(plan: &Plan, before: &World, after: &World, starts: &Starts) -> Vec<Affected> {
    let judge =
        Judge { plan, before, after, starts, bonds: bonds(plan, before, after), pifs: lost_pifs(plan, before, after) };
    plan.vms.iter().enumerate().filter_map(|(at, vm)| judge.vm(at, vm)).collect()
}

/// On how many hosts each VM could start in a world, for those that do not run.
pub(super) struct Starts(Vec<usize>);

impl Starts {
    pub(super) fn new(plan: &Plan, world: &World) -> Self {
        let starts = |vm: &VmPart| if vm.is_running { 0 } else { hosts(plan, vm, world, None) };
        Starts(plan.vms.iter().map(starts).collect())
    }
}

/// How many hosts could run a VM: beside the one that it has to leave, if it runs.
fn hosts(plan: &Plan, vm: &VmPart, world: &World, leaving: Option<usize>) -> usize {
    if vm.is_pinned && leaving.is_some() {
        return 0;
    }
    let mut count = 0;
    for (word, takers) in world.takers.row(0).iter().enumerate() {
        let disks = vm.disks.iter().filter(|disk| !disk.is_drive).map(|disk| world.srs.row(disk.sr)[word]);
        let nics = vm.nics.iter().map(|nic| world.networks.row(nic.network)[word]);
        let mut able = disks.chain(nics).fold(*takers, |able, row| able & row);
        let Some(leaving) = leaving else {
            // What rests needs memory one day, and nobody knows what is free then.
            count += able.count_ones() as usize;
            continue;
        };
        while able != 0 {
            let host = word * 64 + able.trailing_zeros() as usize;
            able &= able - 1;
            count += usize::from(host != leaving && plan.hosts[host].free.is_none_or(|free| free >= vm.memory));
        }
    }
    count
}

/// For each network the hosts on which a PIF of it is lost, sorted; most often none.
fn lost_pifs(plan: &Plan, before: &World, after: &World) -> Vec<(usize, usize)> {
    let mut lost = Vec::new();
    for (at, pif) in plan.pifs.iter().enumerate() {
        if let (Some(network), Some(host)) = (pif.network, pif.host)
            && pif.attached
            && !pif.is_slave
            && before.pif_up[at]
            && !after.pif_up[at]
        {
            lost.push((network, host));
        }
    }
    lost.sort_unstable();
    lost
}

/// Stopped first, then degraded, then safe; each kind by name.
pub(super) fn order(cache: &Cache, one: &Affected, other: &Affected) -> Ordering {
    let name = |vm: &Affected| cache.get(&vm.vm).map(|record| record.name_label.clone()).unwrap_or_default();
    let verdict = one.verdict.cmp(&other.verdict);
    verdict.then_with(|| name(one).cmp(&name(other))).then_with(|| one.vm.cmp(&other.vm))
}

struct Judge<'a> {
    plan: &'a Plan,
    before: &'a World,
    after: &'a World,
    starts: &'a Starts,
    /// Bonds that lose links and go on: the network and host that they carry, and why nothing happens.
    bonds: Vec<(usize, usize, Reason)>,
    /// Networks and hosts that lose a PIF.
    pifs: Vec<(usize, usize)>,
}

/// Bonds on which a link is lost and one is left, with every network that runs over them.
fn bonds(plan: &Plan, before: &World, after: &World) -> Vec<(usize, usize, Reason)> {
    let mut all = Vec::new();
    for (at, bond) in plan.pifs.iter().enumerate() {
        let Carrier::Any(slaves) = &bond.carrier else { continue };
        let up = |world: &World| slaves.iter().filter(|slave| world.pif_up[**slave]).count();
        let (of, left) = (up(before), up(after));
        if left == of || !after.pif_up[at] {
            continue;
        }
        let reason = Reason::BondMemberLeft { bond: bond.reference.clone(), left, of };
        for pif in plan.pifs.iter().filter(|pif| is_carried_by(plan, pif, at)).chain([bond]) {
            if let (Some(network), Some(host)) = (pif.network, pif.host) {
                all.push((network, host, reason.clone()));
            }
        }
    }
    all
}

/// Whether a PIF hangs on another, over as many steps as VLANs and tunnels make.
fn is_carried_by(plan: &Plan, pif: &super::plan::PifPart, by: usize) -> bool {
    let mut carrier = &pif.carrier;
    for _ in 0..4 {
        let Carrier::One(Some(below)) = carrier else { return false };
        if *below == by {
            return true;
        }
        carrier = &plan.pifs[*below].carrier;
    }
    false
}

impl Judge<'_> {
    fn vm(&self, at: usize, vm: &VmPart) -> Option<Affected> {
        let (verdict, reasons) = match (vm.is_running, vm.host) {
            (true, Some(host)) => self.running(vm, host)?,
            // It runs on a host that is not in the data, or is not known to be.
            (true, None) => return None,
            (false, _) => self.resting(at, vm)?,
        };
        Some(Affected { vm: vm.reference.clone(), is_running: vm.is_running, verdict, reasons })
    }

    fn running(&self, vm: &VmPart, host: usize) -> Option<(Verdict, Vec<Reason>)> {
        if !self.before.host_up[host] {
            return None;
        }
        let mut reasons = Vec::new();
        if self.after.host_up[host] {
            self.disks(vm, host, &mut reasons);
        } else {
            reasons.push(Reason::HostFails { host: self.plan.hosts[host].reference.clone() });
        }
        if !reasons.is_empty() {
            return Some(self.stopped(vm, host, reasons));
        }
        self.networks(vm, host, &mut reasons);
        if self.before.reaches(self.plan, host) && !self.after.reaches(self.plan, host) {
            reasons.push(Reason::HostUnmanaged { host: self.plan.hosts[host].reference.clone() });
        }
        let verdict = if reasons.is_empty() { Verdict::Safe } else { Verdict::Degraded };
        self.survived(vm, host, &mut reasons);
        (!reasons.is_empty()).then_some((verdict, reasons))
    }

    /// Disks of a running VM that its host cannot reach any more.
    fn disks(&self, vm: &VmPart, host: usize, reasons: &mut Vec<Reason>) {
        for disk in vm.disks.iter().filter(|disk| disk.attached && !disk.is_drive) {
            if self.before.sr_on(disk.sr, host) && !self.after.sr_on(disk.sr, host) {
                let sr = &self.plan.srs[disk.sr];
                let pbd = sr.pbds.iter().find(|pbd| self.plan.pbds[**pbd].host == Some(host) && self.before.pbd_up[**pbd]);
                reasons.push(Reason::DiskLost {
                    vbd: disk.vbd.clone(),
                    vdi: disk.vdi.clone(),
                    sr: sr.reference.clone(),
                    pbd: pbd.map(|pbd| self.plan.pbds[*pbd].reference.clone()),
                });
            }
        }
    }

    fn stopped(&self, vm: &VmPart, host: usize, mut reasons: Vec<Reason>) -> (Verdict, Vec<Reason>) {
        let hosts = hosts(self.plan, vm, self.after, Some(host));
        let host_fails = !self.after.host_up[host];
        match hosts {
            0 => reasons.push(Reason::NoOtherHost),
            _ if host_fails && self.plan.ha && vm.is_protected => {
                reasons.push(Reason::RestartsByHa { hosts });
                return (Verdict::Degraded, reasons);
            }
            _ => reasons.push(Reason::OtherHosts { hosts }),
        }
        (Verdict::Stopped, reasons)
    }

    fn networks(&self, vm: &VmPart, host: usize, reasons: &mut Vec<Reason>) {
        let attached = || vm.nics.iter().filter(|nic| nic.attached);
        let last = !attached().any(|nic| self.after.network_on(nic.network, host));
        for nic in attached().filter(|nic| self.before.network_on(nic.network, host)) {
            if !self.after.network_on(nic.network, host) {
                let network = self.plan.networks[nic.network].reference.clone();
                reasons.push(Reason::NetworkLost { vif: nic.vif.clone(), network, last });
            }
        }
    }

    /// What a running VM depends on, and gets on without.
    fn survived(&self, vm: &VmPart, host: usize, reasons: &mut Vec<Reason>) {
        for nic in vm.nics.iter().filter(|nic| nic.attached && self.after.network_on(nic.network, host)) {
            for (network, of, reason) in &self.bonds {
                if (*network, *of) == (nic.network, host) && !reasons.contains(reason) {
                    reasons.push(reason.clone());
                }
            }
            if self.pifs.binary_search(&(nic.network, host)).is_ok() {
                reasons.push(Reason::OtherPif { network: self.plan.networks[nic.network].reference.clone() });
            }
        }
        for drive in vm.disks.iter().filter(|disk| disk.attached && disk.is_drive) {
            if self.before.sr_on(drive.sr, host) && !self.after.sr_on(drive.sr, host) {
                let sr = self.plan.srs[drive.sr].reference.clone();
                reasons.push(Reason::DriveLost { vbd: drive.vbd.clone(), sr });
            }
        }
    }

    /// A VM that does not run.
    fn resting(&self, at: usize, vm: &VmPart) -> Option<(Verdict, Vec<Reason>)> {
        match (self.starts.0[at], hosts(self.plan, vm, self.after, None)) {
            (before, after) if before == after => None,
            (_, 0) => Some((Verdict::Degraded, Vec::from([Reason::CannotStart]))),
            (_, hosts) => Some((Verdict::Safe, Vec::from([Reason::StartsElsewhere { hosts }]))),
        }
    }
}
