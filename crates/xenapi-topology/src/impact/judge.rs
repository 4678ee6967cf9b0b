//! What becomes of each VM between two worlds.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use xenapi_client::Cache;

use super::plan::{Carrier, Plan, VmPart};
use super::world::World;
use super::{Affected, Component, Reason, Verdict};

/// What is asked of the world as it is, again for every failure that is tried.
pub(super) struct Baseline {
    world: World,
    /// On how many hosts a VM that does not run could start, by VM, once somebody wants to know.
    starts: Vec<Starts>,
}

/// A number of hosts that is counted when it is first asked for. Whoever counts comes to the same number.
struct Starts(AtomicU32);

impl Starts {
    const UNKNOWN: u32 = u32::MAX;

    fn get(&self, count: impl FnOnce() -> usize) -> usize {
        match self.0.load(Ordering::Relaxed) {
            Self::UNKNOWN => {
                let hosts = count();
                self.0.store(u32::try_from(hosts).unwrap_or(Self::UNKNOWN), Ordering::Relaxed);
                hosts
            }
            known => known as usize,
        }
    }
}

impl Baseline {
    pub(super) fn new(plan: &Arc<Plan>) -> Self {
        let starts = plan.vms.iter().map(|_| Starts(AtomicU32::new(Starts::UNKNOWN))).collect();
        Baseline { world: World::new(plan, &[]), starts }
    }

    pub(super) fn world(&self) -> &World {
        &self.world
    }
}

/// A failure that is tried, VM by VM.
pub(super) struct Trial {
    pub(super) after: World,
    /// Hosts on which anything is different.
    changed: Vec<usize>,
    is_changed: Vec<bool>,
    /// Bonds that lose links and go on: the network and host that they carry, and why nothing happens.
    bonds: Vec<(usize, usize, Reason)>,
    /// The VM that comes next.
    next: usize,
}

impl Trial {
    pub(super) fn new(plan: &Arc<Plan>, baseline: &Baseline, failing: &[Component]) -> Self {
        let (before, after) = (&baseline.world, World::new(plan, failing));
        let mut is_changed = vec![false; plan.hosts.len()];
        let changed = before.changed_hosts(&after);
        changed.iter().for_each(|host| is_changed[*host] = true);
        let bonds = bonds(plan, before, &after);
        Trial { after, changed, is_changed, bonds, next: 0 }
    }

    /// Judges so many more VMs, hands on those that depend on what is different, and takes from the budget what was spent. Whether
    /// there are more of them.
    pub(super) fn step(
        &mut self,
        plan: &Plan,
        baseline: &Baseline,
        budget: &mut usize,
        take: &mut dyn FnMut(Affected),
    ) -> bool {
        let judge = Judge { plan, before: &baseline.world, after: &self.after, changed: &self.changed, bonds: &self.bonds };
        let vms = plan.vms.iter().zip(&baseline.starts).skip(self.next).take(*budget);
        let mut judged = 0;
        for (vm, starts) in vms {
            judged += 1;
            let affected = match (vm.is_running, vm.host) {
                // What runs depends on its host alone, and on what that reaches.
                (true, Some(host)) if self.is_changed[host] => judge.running(vm, host),
                // Or it runs on a host that is not in the data.
                (true, _) => None,
                (false, _) => judge.resting(vm, starts),
            };
            affected.into_iter().for_each(&mut *take);
        }
        self.next += judged;
        *budget -= judged;
        self.next < plan.vms.len()
    }
}

/// Stopped first, then degraded, then safe; each kind by name.
pub(super) fn sort(cache: &Cache, vms: Vec<Affected>) -> Vec<Affected> {
    // Names are looked up once for each VM, not for each comparison.
    let name = |vm: &Affected| cache.get(&vm.vm).map(|record| record.name_label.as_str());
    let mut named: Vec<(Option<&str>, Affected)> = vms.into_iter().map(|vm| (name(&vm), vm)).collect();
    named.sort_by(|(name, vm), (other_name, other)| (vm.verdict, name, &vm.vm).cmp(&(other.verdict, other_name, &other.vm)));
    named.into_iter().map(|(_, vm)| vm).collect()
}

struct Judge<'a> {
    plan: &'a Plan,
    before: &'a World,
    after: &'a World,
    changed: &'a [usize],
    bonds: &'a [(usize, usize, Reason)],
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
    fn running(&self, vm: &VmPart, host: usize) -> Option<Affected> {
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
            let (verdict, reasons) = self.stopped(vm, host, reasons);
            return Some(affected(vm, verdict, reasons));
        }
        self.networks(vm, host, &mut reasons);
        if self.before.reaches(host) && !self.after.reaches(host) {
            reasons.push(Reason::HostUnmanaged { host: self.plan.hosts[host].reference.clone() });
        }
        let verdict = if reasons.is_empty() { Verdict::Safe } else { Verdict::Degraded };
        self.survived(vm, host, &mut reasons);
        (!reasons.is_empty()).then(|| affected(vm, verdict, reasons))
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
        let hosts = self.others(vm, host);
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
            for (network, of, reason) in self.bonds {
                if (*network, *of) == (nic.network, host) && !reasons.contains(reason) {
                    reasons.push(reason.clone());
                }
            }
            let mut pifs =
                self.plan.networks[nic.network].pifs.iter().filter(|pif| self.plan.pifs[**pif].host == Some(host));
            let lost = |pif: &usize| {
                let part = &self.plan.pifs[*pif];
                part.attached && !part.is_slave && self.before.pif_up[*pif] && !self.after.pif_up[*pif]
            };
            if pifs.any(lost) {
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

    /// A VM that does not run, and perhaps the number of hosts on which it could start before.
    fn resting(&self, vm: &VmPart, before: &Starts) -> Option<Affected> {
        let can = |world: &World, host: usize| can_run(self.plan, vm, world, host, None);
        let lost = self.changed.iter().filter(|host| can(self.before, **host) && !can(self.after, **host)).count();
        if lost == 0 {
            return None;
        }
        let before = before.get(|| (0..self.plan.hosts.len()).filter(|host| can(self.before, *host)).count());
        Some(match before.saturating_sub(lost) {
            0 => affected(vm, Verdict::Degraded, Vec::from([Reason::CannotStart])),
            hosts => affected(vm, Verdict::Safe, Vec::from([Reason::StartsElsewhere { hosts }])),
        })
    }

    /// How many hosts could run a VM beside the one that it has to leave.
    fn others(&self, vm: &VmPart, leaving: usize) -> usize {
        if vm.is_pinned {
            return 0;
        }
        let can = |host: &usize| *host != leaving && can_run(self.plan, vm, self.after, *host, Some(leaving));
        (0..self.plan.hosts.len()).filter(can).count()
    }
}

fn affected(vm: &VmPart, verdict: Verdict, reasons: Vec<Reason>) -> Affected {
    Affected { vm: vm.reference.clone(), is_running: vm.is_running, verdict, reasons }
}

/// Whether a host could run a VM that has to leave another one, or rests.
fn can_run(plan: &Plan, vm: &VmPart, world: &World, host: usize, leaving: Option<usize>) -> bool {
    let part = &plan.hosts[host];
    world.host_up[host]
        && part.enabled
        // What rests needs memory one day, and nobody knows what is free then.
        && (leaving.is_none() || part.free.is_none_or(|free| free >= vm.memory))
        && vm.disks.iter().all(|disk| disk.is_drive || world.sr_on(disk.sr, host))
        && vm.image.is_none_or(|sr| world.sr_on(sr, host))
        && vm.nics.iter().all(|nic| world.network_on(nic.network, host))
}
