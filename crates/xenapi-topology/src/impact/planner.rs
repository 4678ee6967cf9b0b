//! The plan of a pool, made a few objects at a time.

use alloc::sync::Arc;
use alloc::vec::Vec;

use xenapi_client::{Cache, Snapshot};
use xenapi_core::{Class, Ref};
use xenapi_model::{Host, PBD, PIF, Pool, SR, VM, pif};

use super::plan::{self, All, Joints, PbdPart, Plan, SrPart};

/// Objects of a class as they are looked at one after the other.
type Row<C> = (Ref<C>, Arc<<C as Class>::Record>);

/// Makes a plan. It holds the pool as it was at the beginning.
pub(super) struct Planner {
    cache: Snapshot,
    all: All,
    plan: Plan,
    joints: Joints,
    pifs: Vec<Row<PIF>>,
    /// By host, the numbers of its PIFs.
    of_host: Vec<Vec<usize>>,
    stage: Stage,
}

/// What is looked at now.
enum Stage {
    /// How bonds, VLANs and tunnels join PIFs, from the PIF with that number on.
    Joints(usize),
    Pifs(usize),
    Pbds(alloc::vec::IntoIter<Row<PBD>>),
    Vms(alloc::vec::IntoIter<Row<VM>>),
    Done,
}

fn rows<C: Class>(cache: &Snapshot) -> Vec<Row<C>> {
    cache.iter::<C>().map(|(reference, record)| (reference, record.clone())).collect()
}

impl Planner {
    /// Begins with the few large parts of a pool.
    pub(super) fn new(cache: &Cache) -> Self {
        let cache = cache.snapshot();
        let all = All::new(&cache);
        let pool = cache.iter::<Pool>().next().map(|(_, pool)| pool.clone());
        let plan = Plan {
            hosts: cache.iter::<Host>().map(|(reference, host)| plan::host_part(&cache, reference, host)).collect(),
            pifs: Vec::new(),
            networks: plan::network_parts(&cache),
            srs: cache.iter::<SR>().map(|(reference, _)| SrPart { reference, pbds: Vec::new() }).collect(),
            pbds: Vec::new(),
            vms: Vec::new(),
            master: pool.as_ref().and_then(|pool| all.hosts.of(&pool.master)),
            ha: pool.is_some_and(|pool| pool.ha_enabled),
            unknown: plan::unknown(&cache),
        };
        let (pifs, of_host) = (rows(&cache), plan.hosts.iter().map(|_| Vec::new()).collect());
        Planner { cache, all, plan, joints: Joints::default(), pifs, of_host, stage: Stage::Joints(0) }
    }

    /// Looks at so many more objects, and takes from the budget what was spent. Whether there is more to look at.
    pub(super) fn step(&mut self, budget: &mut usize) -> bool {
        while *budget > 0 && !matches!(self.stage, Stage::Done) {
            *budget -= 1;
            self.next();
        }
        !matches!(self.stage, Stage::Done)
    }

    fn next(&mut self) {
        match &mut self.stage {
            Stage::Joints(at) => match self.pifs.get(*at) {
                Some((_, pif)) => {
                    self.joints.add(*at, pif);
                    *at += 1;
                }
                None => self.stage = Stage::Pifs(0),
            },
            Stage::Pifs(at) if *at < self.pifs.len() => {
                let at = core::mem::replace(at, *at + 1);
                self.pif(at);
            }
            Stage::Pifs(_) => self.stage = Stage::Pbds(rows(&self.cache).into_iter()),
            Stage::Pbds(left) => match left.next() {
                Some((reference, pbd)) => self.pbd(reference, &pbd),
                None => self.stage = Stage::Vms(self.vms().into_iter()),
            },
            Stage::Vms(left) => match left.next() {
                Some((reference, vm)) => self.plan.vms.push(plan::vm_part(&self.cache, &self.all, reference, &vm)),
                None => self.stage = Stage::Done,
            },
            Stage::Done => {}
        }
    }

    fn vms(&self) -> Vec<Row<VM>> {
        let vms = self.cache.iter::<VM>().filter(|(_, vm)| plan::counts(vm));
        vms.map(|(reference, vm)| (reference, vm.clone())).collect()
    }

    fn pif(&mut self, at: usize) {
        let Some((reference, pif)) = self.pifs.get(at) else { return };
        let part = plan::pif_part(&self.cache, &self.all, &self.joints, reference, pif);
        if let Some(host) = part.host {
            self.of_host[host].push(at);
            if pif.management {
                self.plan.hosts[host].management = Some(at);
            }
        }
        if let Some(network) = part.network {
            self.plan.networks[network].pifs.push(at);
            self.plan.networks[network].is_internal = false;
        }
        self.plan.pifs.push(part);
    }

    fn pbd(&mut self, reference: Ref<PBD>, pbd: &xenapi_model::pbd::Record) {
        let host = self.all.hosts.of(&pbd.host);
        let paths = host.map(|host| {
            let own = |at: &usize| self.pifs.get(*at).map(|(_, pif)| (*at, &**pif));
            let own: Vec<(usize, &pif::Record)> = self.of_host[host].iter().filter_map(own).collect();
            plan::paths(&self.plan.hosts[host], &own, pbd)
        });
        if let Some(sr) = self.all.srs.of(&pbd.sr) {
            self.plan.srs[sr].pbds.push(self.plan.pbds.len());
        }
        let attached = pbd.currently_attached;
        self.plan.pbds.push(PbdPart { reference, host, attached, paths: paths.unwrap_or_default() });
    }

    /// The plan, once everything was looked at.
    pub(super) fn plan(self) -> Plan {
        self.plan
    }
}
