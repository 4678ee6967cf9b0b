//! What would stop if something failed, worked out a little at a time while nobody waits: one search for all pages that show it.
//!
//! The machine that does it comes with whoever asks first; here is only what drives it: a timer, and the list of those who are told.

mod machine;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use xenapi_client::Cache;
use xenapi_console::analysis::{Answer, Next};
use xenapi_console::graph::impact::OF_IMPACT;
use xenapi_core::Millis;
use xenapi_topology::impact::{Component, SinglePoint};
use yew::prelude::*;

use crate::dom;
use crate::store::{Data, use_data};

/// For so long it works at a time, in milliseconds: well below what somebody notices.
const WORK: f64 = 8.0;
/// The pause in between, in milliseconds: the page has its turn; longer while nobody waits for an answer.
const PAUSE: u32 = 0;
const CALM_PAUSE: u32 = 16;
/// About how many objects are looked at before the clock is.
const BUDGET: usize = 64;
/// After which time it is looked again whether all of the inventory is there, in milliseconds.
const LATER: u32 = 250;

/// The machine, as what drives it sees it.
trait Machine {
    fn version(&self) -> u64;
    fn want_points(&mut self, wanted: bool);
    fn ask(&mut self, failing: &[Component]);
    fn answer(&self) -> Option<&Rc<Answer>>;
    fn points(&self) -> Option<&Rc<Vec<SinglePoint>>>;
    fn progress(&self) -> (usize, usize);
    fn step(&mut self, cache: &Cache, now: Millis, budget: usize) -> Next;
}

/// Who is told, and what for.
struct Listener {
    wants_points: bool,
    told: Callback<()>,
}

/// The analysis of the pool that is shown.
#[derive(Default)]
struct Analysis {
    /// The driver of the pool.
    of: u64,
    machine: Option<Box<dyn Machine>>,
    listeners: BTreeMap<u64, Listener>,
    last: u64,
    told: u64,
    timer: Option<Timeout>,
    /// Whether the timer only waits for something to be due.
    rests: bool,
}

thread_local! {
    static ANALYSIS: RefCell<Analysis> = RefCell::default();
}

/// Does something with the analysis. Nobody is told within.
fn with<R>(act: impl FnOnce(&mut Analysis) -> R) -> R {
    ANALYSIS.with(|analysis| act(&mut analysis.borrow_mut()))
}

impl Analysis {
    /// The machine for a pool; of another pool nothing stays.
    fn machine(&mut self, data: &Data) -> &mut dyn Machine {
        if self.of != data.driver.id() {
            (self.of, self.machine, self.timer) = (data.driver.id(), None, None);
        }
        &mut **self.machine.get_or_insert_with(machine::make)
    }

    fn are_points_wanted(&self) -> bool {
        self.listeners.values().any(|it| it.wants_points)
    }

    /// Those who are to be told, if there is anything new.
    fn news(&mut self) -> Vec<Callback<()>> {
        let version = self.machine.as_ref().map_or(0, |machine| machine.version());
        if core::mem::replace(&mut self.told, version) == version {
            return Vec::new();
        }
        self.listeners.values().map(|it| it.told.clone()).collect()
    }

    /// Goes on after a while.
    fn after(&mut self, millis: u32, data: &Data) {
        let data = data.clone();
        self.rests = false;
        self.timer = Some(Timeout::new(millis, move || work(&data)));
    }

    /// Somebody does not want to be told any more. Answers the timer that is not needed then.
    fn leave(&mut self, id: u64) -> Option<Timeout> {
        self.listeners.remove(&id);
        let wanted = self.are_points_wanted();
        if let Some(machine) = &mut self.machine {
            machine.want_points(wanted);
        }
        if self.listeners.is_empty() { self.timer.take() } else { None }
    }

    /// Looks now whether there is something to do.
    fn wake(&mut self, data: &Data) {
        // Effects do not run elsewhere, but their closures are compiled.
        if cfg!(target_arch = "wasm32") && (self.timer.is_none() || self.rests) {
            self.after(PAUSE, data);
        }
    }
}

/// Works for a while, tells what is new, and goes on later.
fn work(data: &Data) {
    let news = with(|analysis| {
        // Not dropped here, within itself.
        let over = analysis.timer.take();
        over.map(Timeout::forget);
        // Whoever sees the page again wakes it.
        if analysis.of != data.driver.id() || analysis.listeners.is_empty() || dom::is_hidden() {
            return Vec::new();
        }
        if data.driver.is_filling() {
            analysis.after(LATER, data);
            return Vec::new();
        }
        let begun = dom::precise_now();
        let machine = analysis.machine(data);
        let next = loop {
            let next = data.with(|cache| machine.step(cache, dom::now(), BUDGET));
            if next != Next::More || dom::precise_now() - begun >= WORK {
                break next;
            }
        };
        let waits = machine.answer().is_none();
        match next {
            Next::More => analysis.after(if waits { PAUSE } else { CALM_PAUSE }, data),
            Next::At(time) => {
                analysis.after(u32::try_from((time - dom::now()).0).unwrap_or(LATER).max(1), data);
                analysis.rests = true;
            }
            Next::Nothing => {}
        }
        analysis.news()
    });
    for told in news {
        told.emit(());
    }
}

/// Is told of news as long as the component is there. `need` is a number that changes whenever there may be something to do.
#[hook]
fn use_news(data: &Data, wants_points: bool, need: (u64, u64)) {
    let update = use_force_update();
    {
        let data = data.clone();
        use_effect_with(data.driver.id(), move |_| {
            let told = Callback::from(move |()| update.force_update());
            let id = with(|analysis| {
                analysis.last += 1;
                analysis.listeners.insert(analysis.last, Listener { wants_points, told });
                let wanted = analysis.are_points_wanted();
                analysis.machine(&data).want_points(wanted);
                analysis.wake(&data);
                analysis.last
            });
            let seen = dom::on_hidden(move |hidden| {
                if !hidden {
                    with(|analysis| analysis.wake(&data));
                }
            });
            move || {
                drop(seen);
                let over = with(|analysis| analysis.leave(id));
                drop(over);
            }
        });
    }
    let data = data.clone();
    use_effect_with(need, move |_| with(|analysis| analysis.wake(&data)));
}

/// How the search for single points of failure stands.
#[derive(Clone, PartialEq, Default)]
pub(crate) struct Found {
    /// The points, once they were searched for.
    pub(crate) points: Option<Rc<Vec<SinglePoint>>>,
    /// How many parts were tried, of how many.
    pub(crate) progress: (usize, usize),
}

/// The single points of failure, searched for again when the pool has changed.
#[hook]
pub(crate) fn use_points() -> Found {
    let data = use_data();
    use_news(&data, true, (data.stamp(OF_IMPACT), 0));
    with(|analysis| {
        let machine = analysis.machine(&data);
        Found { points: machine.points().cloned(), progress: machine.progress() }
    })
}

/// What follows if these fail together; nothing while it is worked out for the first time.
#[hook]
pub(crate) fn use_answer(failing: &[Component]) -> Option<Rc<Answer>> {
    let data = use_data();
    let asked = use_mut_ref(|| (Vec::new(), 0_u64));
    let question = {
        let mut asked = asked.borrow_mut();
        if asked.0 != failing {
            *asked = (failing.to_vec(), asked.1 + 1);
        }
        asked.1
    };
    with(|analysis| analysis.machine(&data).ask(failing));
    use_news(&data, false, (data.stamp(OF_IMPACT), question));
    use_effect_with((), move |()| {
        move || {
            with(|analysis| {
                if let Some(machine) = &mut analysis.machine {
                    machine.ask(&[]);
                }
            });
        }
    });
    with(|analysis| analysis.machine(&data).answer().cloned())
}
