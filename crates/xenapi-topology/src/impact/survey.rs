//! Questions to a pool, asked at once or a little at a time.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use xenapi_client::Cache;

use super::judge::{self, Baseline, Trial};
use super::plan::Plan;
use super::planner::Planner;
use super::{Affected, Component, Impact, Verdict};

/// What trying a failure costs before the first VM is judged, in units of a VM.
const TRIAL: usize = 64;

/// A pool as it was at one moment, ready to be asked what follows from failures. A copy shares everything.
#[derive(Clone)]
pub struct Prepared(Arc<Ready>);

struct Ready {
    plan: Arc<Plan>,
    baseline: Baseline,
}

impl Prepared {
    /// Prepares a pool at once. [`Preparation`] does it in steps.
    pub fn new(cache: &Cache) -> Self {
        let mut preparation = Preparation::new(cache);
        while preparation.step(usize::MAX) {}
        preparation.finish()
    }

    fn of(plan: Plan) -> Self {
        let plan = Arc::new(plan);
        Prepared(Arc::new(Ready { baseline: Baseline::new(&plan), plan }))
    }

    /// Whether every question has the same answer for both.
    pub fn is_same(&self, other: &Prepared) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.plan == other.0.plan
    }
}

impl core::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let plan = &self.0.plan;
        f.debug_struct("Prepared").field("hosts", &plan.hosts.len()).field("vms", &plan.vms.len()).finish_non_exhaustive()
    }
}

/// The preparation of a pool, a few objects at a time, for those who must not be busy for long. It knows the pool as it was when the
/// preparation began.
pub struct Preparation(Box<Planner>);

impl Preparation {
    /// Begins with a pool.
    pub fn new(cache: &Cache) -> Self {
        Preparation(Box::new(Planner::new(cache)))
    }

    /// Looks at so many more objects. Answers whether there are others left.
    pub fn step(&mut self, mut objects: usize) -> bool {
        self.0.step(&mut objects)
    }

    /// The pool, after a look at whatever is left.
    pub fn finish(mut self) -> Prepared {
        let mut all = usize::MAX;
        while self.0.step(&mut all) {}
        Prepared::of(self.0.plan())
    }
}

impl core::fmt::Debug for Preparation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Preparation").finish_non_exhaustive()
    }
}

/// What follows if all of these fail together. What is not in the data fails without consequences.
pub fn impact(cache: &Cache, failing: &[Component]) -> Impact {
    let mut inquiry = Inquiry::new(Prepared::new(cache), failing.to_vec());
    while inquiry.step(usize::MAX) {}
    inquiry.finish(cache)
}

/// The question what follows if some parts fail together, answered a few VMs at a time, for those who must not be busy for long.
pub struct Inquiry {
    pool: Prepared,
    failing: Vec<Component>,
    trial: Trial,
    found: Vec<Affected>,
}

impl Inquiry {
    /// Asks what follows if these fail together. What is not in the data fails without consequences.
    pub fn new(pool: Prepared, failing: Vec<Component>) -> Self {
        let trial = Trial::new(&pool.0.plan, &pool.0.baseline, &failing);
        Inquiry { pool, failing, trial, found: Vec::new() }
    }

    /// Judges so many more VMs. Answers whether there are others left.
    pub fn step(&mut self, mut vms: usize) -> bool {
        let Ready { plan, baseline } = &*self.pool.0;
        self.trial.step(plan, baseline, &mut vms, &mut |vm| self.found.push(vm))
    }

    /// The answer, as far as VMs were judged. The cache gives the names by which they are ordered.
    pub fn finish(self, cache: &Cache) -> Impact {
        let (plan, before, after) = (&self.pool.0.plan, self.pool.0.baseline.world(), &self.trial.after);
        let vms = judge::sort(cache, self.found);
        Impact {
            untouched: plan.vms.len() - vms.len(),
            vms,
            brought_down: before.losses(after, &self.failing),
            coordinator_fails: plan.master.is_some_and(|master| before.reaches(master) && !after.reaches(master)),
            unknown: plan.unknown.clone(),
        }
    }
}

impl core::fmt::Debug for Inquiry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Inquiry").field("failing", &self.failing).field("found", &self.found.len()).finish_non_exhaustive()
    }
}

/// A part of a pool whose failure alone takes VMs away for good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SinglePoint {
    /// The part.
    pub component: Component,
    /// VMs that stop, and that no other host could run.
    pub stranded: usize,
    /// VMs that run on, and that nobody reaches.
    pub cut_off: usize,
    /// VMs that stop in all, those included that other hosts could run.
    pub stopped: usize,
    /// VMs that lose something or start again by themselves.
    pub degraded: usize,
}

impl SinglePoint {
    fn none(component: Component) -> Self {
        SinglePoint { component, stranded: 0, cut_off: 0, stopped: 0, degraded: 0 }
    }

    fn count(&mut self, vm: &Affected) {
        self.stranded += usize::from(vm.is_stranded());
        self.cut_off += usize::from(vm.is_cut_off());
        self.stopped += usize::from(vm.verdict == Verdict::Stopped);
        self.degraded += usize::from(vm.verdict == Verdict::Degraded);
    }
}

/// The single points of failure: every part that leaves some VM without a host that could run it, or cut off, if it fails alone. The one
/// that takes most VMs away comes first.
pub fn single_points(cache: &Cache) -> Vec<SinglePoint> {
    let mut survey = Survey::new(cache);
    while survey.step(usize::MAX) {}
    survey.points()
}

/// The search for single points of failure, a little at a time, for those who must not be busy for long. It knows the pool as it was
/// when the survey began: first it is [prepared](Survey::prepared), then every part is tried.
pub struct Survey {
    /// Until the pool is prepared.
    preparation: Option<Preparation>,
    /// From then on.
    trying: Option<Trying>,
}

struct Trying {
    pool: Prepared,
    parts: Vec<Component>,
    tried: usize,
    /// The part that is tried now.
    trial: Option<(Trial, SinglePoint)>,
    points: Vec<SinglePoint>,
}

impl Trying {
    fn new(pool: Prepared) -> Self {
        Trying { parts: pool.0.plan.components(), pool, tried: 0, trial: None, points: Vec::new() }
    }

    fn step(&mut self, mut budget: usize) -> bool {
        let Ready { plan, baseline } = &*self.pool.0;
        while budget > 0 {
            let (trial, point) = match &mut self.trial {
                Some(under_way) => under_way,
                None => {
                    let Some(part) = self.parts.get(self.tried) else { return false };
                    budget = budget.saturating_sub(TRIAL);
                    let trial = Trial::new(plan, baseline, core::slice::from_ref(part));
                    self.trial.insert((trial, SinglePoint::none(part.clone())))
                }
            };
            if trial.step(plan, baseline, &mut budget, &mut |vm| point.count(&vm)) {
                continue;
            }
            self.tried += 1;
            self.points.extend(self.trial.take().map(|(_, point)| point).filter(|it| it.stranded + it.cut_off > 0));
        }
        self.tried < self.parts.len()
    }
}

impl Survey {
    /// Begins with a pool.
    pub fn new(cache: &Cache) -> Self {
        Survey { preparation: Some(Preparation::new(cache)), trying: None }
    }

    /// Begins with a pool that is prepared already.
    pub fn of(pool: Prepared) -> Self {
        Survey { preparation: None, trying: Some(Trying::new(pool)) }
    }

    /// Goes on for a while: `budget` is about the number of objects that are looked at, VMs for each part that is tried. Answers whether
    /// there is more to do. Another budget gives the same points.
    pub fn step(&mut self, mut budget: usize) -> bool {
        if self.preparation.as_mut().is_some_and(|preparation| preparation.0.step(&mut budget)) {
            return true;
        }
        if let Some(preparation) = self.preparation.take() {
            self.trying = Some(Trying::new(preparation.finish()));
        }
        self.trying.as_mut().is_some_and(|trying| trying.step(budget))
    }

    /// The pool, once it is ready to be asked: that is when the first part is tried.
    pub fn prepared(&self) -> Option<&Prepared> {
        self.trying.as_ref().map(|trying| &trying.pool)
    }

    /// How many parts were tried, and how many there are: none while the pool is prepared.
    pub fn progress(&self) -> (usize, usize) {
        self.trying.as_ref().map_or((0, 0), |trying| (trying.tried, trying.parts.len()))
    }

    /// The single points among what was tried so far, the gravest first.
    pub fn points(self) -> Vec<SinglePoint> {
        let mut points = self.trying.map_or_else(Vec::new, |trying| trying.points);
        let weight = |point: &SinglePoint| (point.stranded + point.cut_off, point.stranded, point.stopped, point.degraded);
        points.sort_by(|one, other| weight(other).cmp(&weight(one)).then_with(|| one.component.cmp(&other.component)));
        points
    }
}

impl core::fmt::Debug for Survey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (tried, of) = self.progress();
        f.debug_struct("Survey").field("tried", &tried).field("of", &of).finish_non_exhaustive()
    }
}
