//! The machine itself: the one place that reaches the code which works everything out.

use std::rc::Rc;

use xenapi_client::Cache;
use xenapi_console::analysis::{Analysis, Answer, Next};
use xenapi_core::Millis;
use xenapi_topology::impact::{Component, SinglePoint};

use super::Machine;

/// A machine that knows nothing yet.
pub(super) fn make() -> Box<dyn Machine> {
    Box::new(Analysis::new())
}

impl Machine for Analysis {
    fn version(&self) -> u64 {
        Analysis::version(self)
    }

    fn want_points(&mut self, wanted: bool) {
        Analysis::want_points(self, wanted);
    }

    fn ask(&mut self, failing: &[Component]) {
        Analysis::ask(self, failing);
    }

    fn answer(&self) -> Option<&Rc<Answer>> {
        Analysis::answer(self)
    }

    fn points(&self) -> Option<&Rc<Vec<SinglePoint>>> {
        Analysis::points(self)
    }

    fn progress(&self) -> (usize, usize) {
        Analysis::progress(self)
    }

    fn step(&mut self, cache: &Cache, now: Millis, budget: usize) -> Next {
        Analysis::step(self, cache, now, budget)
    }
}
