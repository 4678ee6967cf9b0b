//! What happens by itself, each at its own time.

use alloc::boxed::Box;

use xenapi_core::Millis;

use crate::{PendingId, Sim};

/// Something that happens at a time.
pub(crate) enum Timer {
    /// A job goes on.
    Job(u64),
    /// A caller who waits for events is looked at.
    Wait(PendingId),
    /// The older event queues get their sign of life.
    Heartbeat,
    /// Whatever an operation put off.
    Action(Box<dyn FnOnce(&mut Sim) + Send>),
}

impl Sim {
    /// Does something when so much simulated time has passed.
    pub(crate) fn after(&mut self, delay: Millis, action: impl FnOnce(&mut Sim) + Send + 'static) {
        let (due, id) = (self.now + delay, self.new_id());
        self.timers.insert((due, id), Timer::Action(Box::new(action)));
    }

    /// Everything that is due up to `now`, each at its own time.
    pub(crate) fn advance(&mut self, now: Millis) {
        while let Some(entry) = self.timers.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((due, id), timer) = entry.remove_entry();
            self.now = self.now.max(due);
            match timer {
                Timer::Job(job) => self.step_job(job),
                Timer::Wait(wait) => self.step_wait(wait),
                Timer::Heartbeat => self.beat(id),
                Timer::Action(action) => action(self),
            }
            self.notice_changes();
        }
        self.now = self.now.max(now);
        self.run_faults();
        self.sweep();
        self.notice_changes();
    }
}
