//! What would stop if something failed: one machine for all pages that ask, which does a little at a time and knows when to begin anew.
//!
//! It has no clock and no timer: whoever drives it says what time it is, calls [`Analysis::step`] while there is more to do, and lets the
//! browser have its turn in between. What it has prepared of the pool serves the single points of failure and every question alike.

use alloc::rc::Rc;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::Millis;
use xenapi_topology::impact::{Component, Impact, Inquiry, Preparation, Prepared, SinglePoint, Survey};

use crate::graph::impact::OF_IMPACT;
use crate::select;

/// A pool that was prepared this long ago is good enough to answer from at once; the answer is looked over afterwards.
const FRESH: Millis = Millis(1_000);
/// While the pool changes all the time, an answer is looked over not more often than this.
const ANSWER_REST: Millis = Millis(1_000);
/// The same of the single points: this long, or as many times as long as the last search took.
const POINTS_REST: Millis = Millis(5_000);
const POINTS_REST_TIMES: u64 = 5;

/// What there is to do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// More, as soon as the page has had its turn.
    More,
    /// More at that time.
    At(Millis),
    /// Nothing, until the pool changes or somebody asks.
    Nothing,
}

/// What follows if these fail together.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// What fails.
    pub failing: Vec<Component>,
    /// What follows.
    pub impact: Impact,
}

/// The pool as it was prepared.
#[derive(Clone)]
struct Pool {
    prepared: Prepared,
    /// What it is of.
    stamp: u64,
    /// When it was ready.
    at: Millis,
}

/// Something that is known, and of which pool.
struct Known<T> {
    what: Rc<T>,
    stamp: u64,
    /// From when on it may be looked over.
    rest: Millis,
}

/// The machine.
#[derive(Default)]
pub struct Analysis {
    version: u64,
    pool: Option<Pool>,
    preparation: Option<(Preparation, u64)>,
    /// What is asked.
    question: Option<Vec<Component>>,
    inquiry: Option<(Inquiry, u64)>,
    answer: Option<Known<Answer>>,
    wants_points: bool,
    survey: Option<Search>,
    points: Option<(Known<Vec<SinglePoint>>, Prepared)>,
}

/// A search for single points.
struct Search {
    survey: Survey,
    pool: Pool,
    began: Millis,
}

impl Analysis {
    /// A machine that knows nothing and is asked nothing.
    pub fn new() -> Self {
        Analysis::default()
    }

    /// A number that grows whenever there is something new to be told.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether somebody wants the single points of failure. If nobody does, what was found stays known,
    /// and a search stands still.
    pub fn want_points(&mut self, wanted: bool) {
        self.wants_points = wanted;
    }

    /// What somebody wants to know the consequences of; nothing ends the question. To ask the same again changes nothing.
    pub fn ask(&mut self, failing: &[Component]) {
        if self.question.as_deref().unwrap_or_default() == failing {
            return;
        }
        self.question = (!failing.is_empty()).then(|| failing.to_vec());
        self.inquiry = None;
    }

    /// The answer, once there is one to what is asked; while it is looked over, the last.
    pub fn answer(&self) -> Option<&Rc<Answer>> {
        let question = self.question.as_ref()?;
        self.answer.as_ref().map(|answer| &answer.what).filter(|answer| answer.failing == *question)
    }

    /// The single points of failure, once they were searched for; while they are searched for again, the last.
    pub fn points(&self) -> Option<&Rc<Vec<SinglePoint>>> {
        self.points.as_ref().map(|(points, _)| &points.what)
    }

    /// How many parts the search has tried, of how many; none while it has not begun.
    pub fn progress(&self) -> (usize, usize) {
        self.survey.as_ref().map_or((0, 0), |search| search.survey.progress())
    }

    /// Goes on for a while with what is most wanted: `budget` is about the number of objects that are looked at.
    pub fn step(&mut self, cache: &Cache, now: Millis, budget: usize) -> Next {
        if self.goes_on_answering(cache, now, budget) || self.goes_on_preparing(now, budget) {
            return Next::More;
        }
        let stamp = select::stamp(cache, OF_IMPACT);
        let answer = self.begin_to_answer(cache, stamp, now);
        if answer == Next::More || self.goes_on_searching(now, budget) {
            return Next::More;
        }
        match (answer, self.begin_to_search(cache, stamp, now)) {
            (_, Next::More) => Next::More,
            (Next::At(one), Next::At(other)) => Next::At(one.min(other)),
            (Next::At(time), _) | (_, Next::At(time)) => Next::At(time),
            (_, Next::Nothing) => Next::Nothing,
        }
    }

    fn goes_on_answering(&mut self, cache: &Cache, now: Millis, budget: usize) -> bool {
        let Some((inquiry, _)) = &mut self.inquiry else { return false };
        if inquiry.step(budget) {
            return true;
        }
        if let (Some((inquiry, stamp)), Some(failing)) = (self.inquiry.take(), self.question.clone()) {
            let what = Answer { failing, impact: inquiry.finish(cache) };
            let is_same = self.answer.as_ref().is_some_and(|known| *known.what == what);
            let what = match self.answer.take().filter(|_| is_same) {
                // Whoever shows it sees no change.
                Some(known) => known.what,
                None => {
                    self.version += 1;
                    Rc::new(what)
                }
            };
            self.answer = Some(Known { what, stamp, rest: now + ANSWER_REST });
        }
        true
    }

    fn goes_on_preparing(&mut self, now: Millis, budget: usize) -> bool {
        let Some((preparation, _)) = &mut self.preparation else { return false };
        if preparation.step(budget) {
            return true;
        }
        self.pool = self.preparation.take().map(|(done, stamp)| Pool { prepared: done.finish(), stamp, at: now });
        true
    }

    /// The pool, if it is as it is now, or was a moment ago. Otherwise it is prepared.
    fn pool_of(&mut self, cache: &Cache, stamp: u64, now: Millis) -> Option<Pool> {
        let pool = self.pool.clone().filter(|pool| pool.stamp == stamp || now.0.saturating_sub(pool.at.0) < FRESH.0);
        if pool.is_none() {
            self.preparation = Some((Preparation::new(cache), stamp));
        }
        pool
    }

    fn begin_to_answer(&mut self, cache: &Cache, stamp: u64, now: Millis) -> Next {
        let Some(failing) = self.question.clone() else { return Next::Nothing };
        let known = self.answer.as_ref().filter(|answer| answer.what.failing == failing);
        match known.map(|answer| (answer.stamp, answer.rest)) {
            Some((of, _)) if of == stamp => return Next::Nothing,
            Some((_, rest)) if now < rest => return Next::At(rest),
            _ => {}
        }
        if let Some(pool) = self.pool_of(cache, stamp, now) {
            self.inquiry = Some((Inquiry::new(pool.prepared, failing), pool.stamp));
        }
        Next::More
    }

    fn goes_on_searching(&mut self, now: Millis, budget: usize) -> bool {
        let Some(search) = self.survey.as_mut().filter(|_| self.wants_points) else { return false };
        let before = search.survey.progress();
        if search.survey.step(budget) {
            self.version += u64::from(search.survey.progress() != before && self.points.is_none());
            return true;
        }
        if let Some(Search { survey, pool, began }) = self.survey.take() {
            let took = now.0.saturating_sub(began.0);
            let rest = now + POINTS_REST.max(Millis(took.saturating_mul(POINTS_REST_TIMES)));
            let known = Known { what: Rc::new(survey.points()), stamp: pool.stamp, rest };
            self.points = Some((known, pool.prepared));
            self.version += 1;
        }
        true
    }

    fn begin_to_search(&mut self, cache: &Cache, stamp: u64, now: Millis) -> Next {
        if !self.wants_points {
            return Next::Nothing;
        }
        match &self.points {
            Some((known, _)) if known.stamp == stamp => return Next::Nothing,
            Some((known, _)) if now < known.rest => return Next::At(known.rest),
            _ => {}
        }
        let Some(pool) = self.pool_of(cache, stamp, now) else { return Next::More };
        match &mut self.points {
            // Most of what happens in a pool concerns no part that could fail.
            Some((known, of)) if of.is_same(&pool.prepared) => {
                (known.stamp, known.rest) = (pool.stamp, now + POINTS_REST);
                *of = pool.prepared;
            }
            _ => self.survey = Some(Search { survey: Survey::of(pool.prepared.clone()), pool, began: now }),
        }
        Next::More
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use xenapi_core::Ref;
    use xenapi_model::vm::VmPowerState;
    use xenapi_model::{Host, Task, VM};
    use xenapi_topology::impact::{impact, single_points};

    use super::*;
    use crate::tests::cache;

    /// Drives a machine in virtual time, a millisecond a step, until there is nothing to do at once. Answers how many steps that took.
    fn drive(analysis: &mut Analysis, cache: &Cache, now: &mut Millis) -> (usize, Next) {
        for step in 0..100_000 {
            match analysis.step(cache, *now, 3) {
                Next::More => now.0 += 1,
                next => return (step, next),
            }
        }
        panic!("it never comes to an end");
    }

    fn host(name: &str) -> Vec<Component> {
        Vec::from([Component::Host(Ref::<Host>::new(name))])
    }

    fn change(cache: &mut Cache, change: impl FnOnce(&mut xenapi_model::vm::Record)) {
        let running = |vm: &xenapi_model::vm::Record| vm.power_state == VmPowerState::Running && !vm.is_control_domain;
        let (reference, record) = cache.iter::<VM>().find(|(_, vm)| running(vm)).unwrap();
        let mut record = (**record).clone();
        change(&mut record);
        cache.insert::<VM>(reference, record);
    }

    #[test]
    fn one_preparation_serves_all_who_ask() {
        let (cache, mut now) = (cache(), Millis(10));
        let mut analysis = Analysis::new();
        assert_eq!(drive(&mut analysis, &cache, &mut now), (0, Next::Nothing), "nobody wants anything");
        analysis.want_points(true);
        let (steps, next) = drive(&mut analysis, &cache, &mut now);
        assert_eq!(next, Next::Nothing);
        assert_eq!(**analysis.points().unwrap(), single_points(&cache));
        now.0 += 60_000;
        for name in ["h1", "h2"] {
            analysis.ask(&host(name));
            assert!(analysis.answer().is_none(), "the answer to another question is none");
            let (more, _) = drive(&mut analysis, &cache, &mut now);
            assert!(more < steps, "the pool is as it was");
            assert_eq!(analysis.answer().unwrap().impact, impact(&cache, &host(name)));
        }
        analysis.ask(&[]);
        assert!(analysis.answer().is_none());
        assert_eq!(drive(&mut analysis, &cache, &mut now), (0, Next::Nothing));
    }

    #[test]
    fn what_concerns_no_part_begins_no_search() {
        let (mut cache, mut now) = (cache(), Millis(10));
        let mut analysis = Analysis::new();
        analysis.want_points(true);
        drive(&mut analysis, &cache, &mut now);
        let version = analysis.version();
        cache.insert::<Task>(Ref::new("t"), Default::default());
        assert_eq!(drive(&mut analysis, &cache, &mut now), (0, Next::Nothing), "tasks are no part of it");
        change(&mut cache, |vm| vm.name_label = "another name".into());
        let (_, Next::At(rest)) = drive(&mut analysis, &cache, &mut now) else { panic!() };
        assert!(rest >= now + Millis(4_000), "it rests first");
        now = rest;
        assert_eq!(drive(&mut analysis, &cache, &mut now).1, Next::Nothing);
        assert_eq!(analysis.version(), version, "a name says nothing about points");
    }

    #[test]
    fn what_changes_is_found_again_after_a_rest() {
        let (mut cache, mut now) = (cache(), Millis(10));
        let mut analysis = Analysis::new();
        analysis.want_points(true);
        analysis.ask(&host("h1"));
        drive(&mut analysis, &cache, &mut now);
        let (points, answer) = (analysis.points().unwrap().clone(), analysis.answer().unwrap().clone());
        change(&mut cache, |vm| vm.power_state = VmPowerState::Halted);
        while let (_, Next::At(rest)) = drive(&mut analysis, &cache, &mut now) {
            assert!(rest > now);
            assert_eq!(
                (analysis.points(), analysis.answer().is_some()),
                (Some(&points), true),
                "the last is shown meanwhile"
            );
            if rest > Millis(2_000) {
                assert_eq!(
                    analysis.answer().unwrap().impact,
                    impact(&cache, &host("h1")),
                    "answers are looked over before points"
                );
            }
            now = rest;
        }
        assert_ne!(**analysis.answer().unwrap(), *answer);
        assert_eq!(analysis.answer().unwrap().impact, impact(&cache, &host("h1")));
        assert_eq!(**analysis.points().unwrap(), single_points(&cache));
    }

    #[test]
    fn a_pool_that_always_changes_is_answered_all_the_same() {
        let (mut cache, mut now) = (cache(), Millis(10));
        let mut analysis = Analysis::new();
        analysis.want_points(true);
        analysis.ask(&host("h1"));
        for count in 0..2_000 {
            change(&mut cache, |vm| vm.name_label = alloc::format!("stormy {count}"));
            analysis.step(&cache, now, 3);
            now.0 += 10;
        }
        assert!(analysis.answer().is_some() && analysis.points().is_some());
    }

    #[test]
    fn an_answer_that_stays_the_same_is_told_once() {
        let (mut cache, mut now) = (cache(), Millis(10));
        let mut analysis = Analysis::new();
        analysis.ask(&host("h1"));
        drive(&mut analysis, &cache, &mut now);
        let (version, answer) = (analysis.version(), analysis.answer().unwrap().clone());
        change(&mut cache, |vm| vm.name_description = "described".into());
        let (_, Next::At(rest)) = drive(&mut analysis, &cache, &mut now) else { panic!() };
        now = rest;
        assert_eq!(drive(&mut analysis, &cache, &mut now).1, Next::Nothing);
        assert_eq!(analysis.version(), version);
        assert!(Rc::ptr_eq(analysis.answer().unwrap(), &answer));
    }
}
