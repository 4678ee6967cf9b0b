//! What has changed a moment ago, so that it can be marked where it is shown.

use alloc::collections::{BTreeMap, VecDeque};

use xenapi_client::{Change, Operation};
use xenapi_core::{Millis, RawRef};

/// For how long a change is new.
const MOMENT: Millis = Millis(1600);

/// Where more than this changes within a moment, marks would only flicker: then there are none.
const CALM: usize = 64;

/// More than this at once is another picture, and not a change in one.
const MOST: usize = 512;

/// The last changes. Those that come while nobody looks count from when somebody looks again.
#[derive(Default)]
pub struct Recent {
    /// When each was changed, and how often before.
    marks: BTreeMap<RawRef, (Millis, u32)>,
    order: VecDeque<(Millis, RawRef)>,
    hidden: bool,
}

impl Recent {
    /// Takes note of changes. What is gone has no place to be marked at.
    pub fn note(&mut self, changes: &[Change], now: Millis) {
        self.forget(now);
        if changes.len() > MOST {
            return;
        }
        for change in changes {
            if change.operation == Operation::Deleted {
                self.marks.remove(&change.reference);
                continue;
            }
            let before = self.marks.get(&change.reference).map_or(0, |(_, times)| *times);
            self.marks.insert(change.reference.clone(), (now, before.wrapping_add(1)));
            self.order.push_back((now, change.reference.clone()));
        }
        while self.order.len() > MOST {
            self.drop_first();
        }
    }

    /// Whether the page is hidden from now on. What changed meanwhile is new when it is seen again.
    pub fn hide(&mut self, hidden: bool, now: Millis) {
        if self.hidden && !hidden {
            for (at, _) in self.marks.values_mut() {
                *at = now;
            }
            for (at, _) in &mut self.order {
                *at = now;
            }
        }
        self.hidden = hidden;
    }

    /// None if an object has not just changed; else a number that is another one after each change, so that a mark can begin anew.
    pub fn mark(&self, object: &RawRef, now: Millis) -> Option<u32> {
        let (at, times) = self.marks.get(object).filter(|_| self.marks.len() <= CALM)?;
        (now.0.saturating_sub(at.0) < MOMENT.0).then_some(*times)
    }

    fn forget(&mut self, now: Millis) {
        let is_old = |at: &Millis| now.0.saturating_sub(at.0) >= MOMENT.0;
        while !self.hidden && self.order.front().is_some_and(|(at, _)| is_old(at)) {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        let Some((at, reference)) = self.order.pop_front() else { return };
        // It may have changed again since.
        if self.marks.get(&reference).is_some_and(|(last, _)| *last == at) {
            self.marks.remove(&reference);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xenapi_client::FieldSet;

    fn change(reference: &str, operation: Operation) -> Change {
        Change { class: "VM", reference: RawRef::from(reference), operation, fields: FieldSet::default() }
    }

    #[test]
    fn a_change_is_new_for_a_moment_and_each_begins_anew() {
        let (mut recent, vm) = (Recent::default(), RawRef::from("1"));
        recent.note(&[change("1", Operation::Modified)], Millis(100));
        let first = recent.mark(&vm, Millis(1_000));
        assert!(first.is_some());
        recent.note(&[change("1", Operation::Modified)], Millis(1_000));
        assert!(recent.mark(&vm, Millis(2_500)).is_some_and(|mark| Some(mark) != first));
        assert_eq!(recent.mark(&vm, Millis(2_600)), None);
        recent.note(&[], Millis(9_000));
        assert!(recent.marks.is_empty() && recent.order.is_empty());
        recent.note(&[change("1", Operation::Added), change("1", Operation::Deleted)], Millis(9_000));
        assert_eq!(recent.mark(&vm, Millis(9_000)), None);
    }

    #[test]
    fn what_changed_while_nobody_looked_is_new_when_somebody_does() {
        let (mut recent, vm) = (Recent::default(), RawRef::from("1"));
        recent.hide(true, Millis(0));
        recent.note(&[change("1", Operation::Modified)], Millis(100));
        recent.note(&[change("2", Operation::Modified)], Millis(60_000));
        recent.hide(false, Millis(90_000));
        assert!(recent.mark(&vm, Millis(90_500)).is_some());
        assert_eq!(recent.mark(&vm, Millis(92_000)), None);
    }

    #[test]
    fn a_flood_is_bounded_and_another_picture_marks_nothing() {
        let mut recent = Recent::default();
        for at in 0..2_000_u64 {
            recent.note(&[change(&alloc::format!("{at}"), Operation::Modified)], Millis(at / 10));
        }
        assert!(recent.marks.len() <= MOST && recent.order.len() <= MOST);
        let all: alloc::vec::Vec<Change> = (0..=MOST).map(|at| change(&alloc::format!("x{at}"), Operation::Added)).collect();
        recent.note(&all, Millis(300));
        assert_eq!(recent.mark(&RawRef::from("x1"), Millis(300)), None);
    }
}
