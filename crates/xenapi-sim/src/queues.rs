//! The older events: `event.register`, and `event.next`, which takes them out of a queue that each session has.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, Value};

use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::events::{self, Topic};
use crate::operations::Handler;
use crate::reply::{Event, Node, Shared};
use crate::store::{Change, Entry};
use crate::timers::Timer;
use crate::{Handled, Outcome, Sim};

/// About so many bytes wait in a queue before events are lost.
const ROOM: usize = 10 << 20;
/// How often queues get a sign of life.
const HEARTBEAT: Millis = Millis::from_secs(30);

/// The events of a session.
#[derive(Default)]
pub(crate) struct Queue {
    topics: Vec<Topic>,
    /// With the time of each, in seconds since 1970.
    events: VecDeque<(Arc<Entry>, i64)>,
    bytes: usize,
    /// It ran over.
    is_lost: bool,
}

impl Queue {
    pub(crate) fn has_news(&self) -> bool {
        self.is_lost || !self.events.is_empty()
    }

    fn push(&mut self, entry: &Arc<Entry>, time: i64) {
        let class = xenapi_model::CLASSES.get(entry.table);
        if self.is_lost || class.is_none_or(|class| !class.has_events) {
            return;
        }
        if events::wants(&self.topics, entry.table, &entry.reference) {
            self.bytes += entry.snapshot.weight();
            self.events.push_back((entry.clone(), time));
            if self.bytes > ROOM {
                self.lose();
            }
        }
    }

    fn lose(&mut self) {
        self.events = VecDeque::new();
        self.bytes = 0;
        self.is_lost = true;
    }
}

/// The explicit messages of events.
pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "from" => Handler::Wait(Sim::event_from),
        "next" => Handler::Wait(Sim::event_next),
        "inject" => Handler::Now(|sim, _, args| sim.inject(args)),
        "register" => Handler::Now(Sim::register),
        "unregister" => Handler::Now(Sim::unregister),
        "get_current_id" => Handler::Now(|sim, _, _| Ok(Value::Int(sim.store.changes.cast_signed()))),
        _ => return None,
    })
}

impl Sim {
    /// `event.register(classes)`.
    fn register(&mut self, caller: &Caller, args: &mut Args) -> Result<Value, Failure> {
        let new = Topic::all(args)?;
        self.feed_queues();
        let Some(session) = self.sessions.get_mut(&caller.session) else { return Ok(Value::VOID) };
        let queue = session.queue.get_or_insert_with(Queue::default);
        for topic in new {
            if !queue.topics.contains(&topic) {
                queue.topics.push(topic);
            }
        }
        self.store.journal.get_or_insert_with(Vec::new);
        if !self.has_heartbeat {
            self.has_heartbeat = true;
            let (due, id) = (self.now + HEARTBEAT, self.new_id());
            self.timers.insert((due, id), Timer::Heartbeat);
        }
        Ok(Value::VOID)
    }

    /// `event.unregister(classes)`.
    fn unregister(&mut self, caller: &Caller, args: &mut Args) -> Result<Value, Failure> {
        let gone = Topic::all(args)?;
        if let Some(session) = self.sessions.get_mut(&caller.session)
            && let Some(queue) = &mut session.queue
        {
            queue.topics.retain(|topic| !gone.contains(topic));
            if queue.topics.is_empty() {
                session.queue = None;
                self.stop_listening();
            }
        }
        Ok(Value::VOID)
    }

    /// `event.next()`: everything in the queue, or else what comes next.
    fn event_next(&mut self, caller: &Caller, _: &mut Args) -> Result<Handled, Failure> {
        self.feed_queues();
        let Some(queue) = self.sessions.get(&caller.session).and_then(|session| session.queue.as_ref()) else {
            return Err(Failure::new("SESSION_NOT_REGISTERED", [caller.session.as_str()]));
        };
        Ok(if queue.has_news() {
            Handled::Done(self.take_queue(&caller.session))
        } else {
            self.wait_for_next(&caller.session)
        })
    }

    /// Empties the queue of a session into an answer.
    pub(crate) fn take_queue(&mut self, session: &RawRef) -> Outcome {
        let Some(queue) = self.sessions.get_mut(session).and_then(|session| session.queue.as_mut()) else {
            return Outcome::Shared(Shared::new(Node::Events(Vec::new())));
        };
        if core::mem::take(&mut queue.is_lost) {
            return Outcome::Failure(Failure::new("EVENTS_LOST", [""; 0]));
        }
        queue.bytes = 0;
        let events = queue.events.drain(..).map(|(entry, time)| Event {
            id: entry.id,
            time,
            class: events::event_class(entry.table),
            change: entry.change,
            reference: entry.reference.clone(),
            snapshot: Some(entry.snapshot.clone()),
        });
        Outcome::Shared(Shared::new(Node::Events(events.collect())))
    }

    /// Hands the changes since the last time to those who registered.
    pub(crate) fn feed_queues(&mut self) {
        let Some(journal) = &mut self.store.journal else { return };
        let entries = core::mem::take(journal);
        let time = self.date().unix();
        for entry in entries.into_iter().map(Arc::new) {
            for queue in self.sessions.values_mut().filter_map(|session| session.queue.as_mut()) {
                queue.push(&entry, time);
            }
        }
    }

    /// All queues ran over.
    pub(crate) fn lose_queues(&mut self) {
        self.sessions.values_mut().filter_map(|session| session.queue.as_mut()).for_each(Queue::lose);
    }

    /// Keeps no journal when nobody reads it.
    pub(crate) fn stop_listening(&mut self) {
        if self.sessions.values().all(|session| session.queue.is_none()) {
            self.store.journal = None;
        }
    }

    /// A sign of life for the queues: a change of the pool that is none.
    pub(crate) fn beat(&mut self, id: u64) {
        if self.store.journal.is_none() {
            self.has_heartbeat = false;
            return;
        }
        if let (Some(table), Some(pool)) = (self.store.place("pool"), self.store.first("pool")) {
            self.store.note_row(table, Change::Modified, pool.as_str());
            self.feed_queues();
            self.wake_next();
        }
        self.timers.insert((self.now + HEARTBEAT, id), Timer::Heartbeat);
    }
}
