//! Keeping the cache current: full load, batches of events, and what goes wrong with them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawCall, RawRef, ReadError, Reader, RecordDesc, Value, ValueReader};
use xenapi_model::event;

use super::{Answer, Client, Output, Purpose, Reply, RequestId, Status};
use crate::cache::{Batch, BatchReader, Change, Seen};
use crate::error::Error;

/// How long the server holds back the first batch after an interruption: an answer at once tells that it is back.
const PROBE: Millis = Millis(100);
/// The shortest and the longest time between two full loads because events were lost.
const RELOAD_FIRST: Millis = Millis::from_secs(1);
const RELOAD_MOST: Millis = Millis::from_secs(300);

/// How the cache is kept current.
#[derive(Default)]
pub(super) struct Watch {
    pub(super) wanted: bool,
    pub(super) in_flight: Option<RequestId>,
    /// Where the events go on; without one, everything is loaded.
    token: Option<String>,
    not_before: Millis,
    /// Attempts without success.
    failures: u32,
    /// Where there is no `event.from`.
    rounds: Option<Round>,
    limit: ReloadLimit,
    /// A load for the sake of drift or of a new class leaves the status as it is: nothing is known to be wrong.
    quiet: bool,
    /// Whether to load everything after the answer that is under way.
    again: bool,
    /// The batch of the answer that is being handled, where it was read before.
    ready: Option<Batch>,
    /// What the pages of a load have named so far, while what was known before is still there.
    seen: Option<Seen>,
    /// Whether more of what exists comes with the next answer.
    goes_on: bool,
}

/// A round through the classes, with their records asked for one class after the other.
#[derive(Default)]
struct Round {
    /// The place of the class that comes next.
    next: usize,
    /// Whether a whole round has been made.
    complete: bool,
    /// The first request of this round.
    first: Option<RequestId>,
}

/// Keeps a server that loses events all the time, or counts otherwise than we do, from being asked for everything over and over.
#[derive(Default)]
struct ReloadLimit {
    last: Option<Millis>,
    wait: Millis,
}

impl ReloadLimit {
    /// Whether to load everything now.
    fn allows(&mut self, now: Millis) -> bool {
        let quiet = self.last.map_or(RELOAD_MOST, |last| now - last);
        if quiet < self.wait {
            return false;
        }
        self.wait = if quiet >= RELOAD_MOST { RELOAD_FIRST } else { Millis(self.wait.0 * 2).min(RELOAD_MOST) };
        self.last = Some(now);
        true
    }
}

impl Watch {
    /// Loads everything with the next request, within the same session.
    pub(super) fn reload(&mut self) {
        self.again = self.in_flight.is_some();
        self.token = None;
        self.quiet = true;
    }

    /// Whether every change would be told by the request that is under way.
    pub(super) fn waits_for_events(&self) -> bool {
        self.in_flight.is_some() && self.token.is_some() && self.rounds.is_none()
    }

    /// A new session: nothing of the old one counts.
    pub(super) fn restart(&mut self, now: Millis) {
        self.forget();
        self.not_before = now;
    }

    pub(super) fn forget(&mut self) {
        self.token = None;
        self.in_flight = None;
        self.rounds = None;
        self.quiet = false;
        self.again = false;
    }

    pub(super) fn stop(&mut self) {
        *self = Watch::default();
    }
}

impl Client {
    /// Loads everything that the cache tracks and keeps it current from then on, as soon as there is a session and as long as
    /// there is one to be had.
    pub fn watch(&mut self, now: Millis) {
        if !self.watch.wanted {
            self.watch.wanted = true;
            self.watch.restart(now);
        }
    }

    /// Stops to keep the cache current. What is in it stays, and grows old.
    pub fn unwatch(&mut self) {
        self.watch.stop();
        self.give_up_barriers();
        if self.login.session.is_some() {
            self.set_status(Status::LoggedIn);
        }
    }

    /// Makes the next attempt now instead of when it is due: somebody who waits has asked for it. Does nothing unless the client is
    /// [waiting](Status::Waiting).
    pub fn hurry(&mut self, now: Millis) {
        if matches!(self.status, Status::Waiting { .. }) {
            self.watch.not_before = self.watch.not_before.min(now);
            self.login.not_before = self.login.not_before.min(now);
        }
    }

    pub(super) fn advance_watch(&mut self, now: Millis) {
        let watch = &self.watch;
        if !watch.wanted || watch.in_flight.is_some() || watch.not_before > now {
            return;
        }
        let Some(session) = self.login.session.clone() else { return };
        let id =
            if watch.rounds.is_some() { self.ask_for_records(&session, now) } else { self.ask_for_events(&session, now) };
        self.watch.in_flight = id;
    }

    pub(super) fn watch_due(&self) -> Option<Millis> {
        let watch = &self.watch;
        (watch.wanted && watch.in_flight.is_none() && self.login.session.is_some()).then_some(watch.not_before)
    }

    fn ask_for_events(&mut self, session: &RawRef, now: Millis) -> Option<RequestId> {
        let full = self.watch.token.is_none();
        if full && !self.watch.quiet && self.watch.failures == 0 {
            self.set_status(Status::Loading);
        }
        let hold = if self.watch.failures > 0 || self.is_settling() { PROBE } else { self.config.event_timeout };
        #[allow(clippy::cast_precision_loss, reason = "seconds with milliseconds")]
        let seconds = hold.0 as f64 / 1000.0;
        let token = self.watch.token.as_deref().unwrap_or("");
        let call = event::from(&self.watched(), token, seconds).to_raw(session);
        let timeout = if full { self.config.load_timeout } else { hold + self.config.event_margin };
        Some(self.send(Purpose::Events { full }, call, timeout, now))
    }

    /// Watches other classes or objects from now on: classes by name in any case, `*`, or objects as `VM/OpaqueRef:…`; none means
    /// what the cache tracks. What is watched is loaded anew, and what is not any more leaves the cache.
    pub fn watch_only(&mut self, classes: Vec<String>) {
        self.config.classes = classes;
        let unwatched: Vec<_> = self.cache.classes().filter(|class| !self.is_watched(class)).map(|it| it.name).collect();
        let changes = self.cache.forget(&|class| unwatched.contains(&class.name));
        if !changes.is_empty() {
            self.outputs.push_back(Output::Changed(changes));
        }
        self.watch.reload();
    }

    /// What to subscribe to: classes in lower case, as events name them.
    fn watched(&self) -> Vec<String> {
        if self.config.classes.is_empty() {
            return self.cache.classes().map(|class| class.name.to_ascii_lowercase()).collect();
        }
        let item = |item: &String| match item.split_once('/') {
            Some((class, object)) => format!("{}/{object}", class.to_ascii_lowercase()),
            None => item.to_ascii_lowercase(),
        };
        self.config.classes.iter().map(item).collect()
    }

    /// Whether anything of a class is watched.
    fn is_watched(&self, class: &RecordDesc) -> bool {
        let classes = &self.config.classes;
        let is = |item: &String| {
            let name = item.split_once('/').map_or(item.as_str(), |(class, _)| class);
            name == "*" || name.eq_ignore_ascii_case(class.name)
        };
        classes.is_empty() || classes.iter().any(is)
    }

    /// Whether every object of a class is watched.
    fn is_watched_whole(&self, class: &str) -> bool {
        let classes = &self.config.classes;
        classes.is_empty() || classes.iter().any(|it| it == "*" || it.eq_ignore_ascii_case(class))
    }

    /// What came of `event.from`.
    pub(super) fn events_came(&mut self, id: RequestId, full: bool, reply: Answer<'_>, now: Millis) {
        if self.watch.in_flight != Some(id) {
            return;
        }
        self.watch.in_flight = None;
        match reply {
            Answer::Success(reader) => match self.take_batch(full, reader, now) {
                Ok(()) if self.watch.seen.is_some() => self.is_loading_on(now),
                Ok(()) => {
                    self.is_live(now);
                    // Until the last page an object may be known as it was before the question.
                    if !self.watch.goes_on {
                        self.settle(id);
                    }
                }
                Err(error) => {
                    self.watch.token = None;
                    self.watch_later(error.into(), now);
                }
            },
            Answer::Failure(failure) => self.events_refused(full, failure, now),
            Answer::Broken(error) => {
                self.watch.token = None;
                self.watch_later(error.into(), now);
            }
            // The session may have survived, and the token with it.
            Answer::Lost(what) => self.watch_later(Error::Unreachable(what), now),
        }
    }

    /// For a request that asks for a batch: what reads the answer while it arrives. Hand the batch to [`Client::handle_batch`].
    pub fn batch_reader(&self, id: RequestId) -> Option<BatchReader> {
        let is_batch = self.in_flight.get(&id).is_some_and(|sent| matches!(sent.purpose, Purpose::Events { .. }));
        is_batch.then(|| BatchReader::new(self.cache.clone()))
    }

    /// The successful answer to a request for a batch, read by [`Client::batch_reader`].
    pub fn handle_batch(&mut self, id: RequestId, batch: Batch, now: Millis) {
        self.watch.ready = Some(batch);
        // Everything that an answer means beside what is in it is the same.
        self.handle(id, Reply::Success(&mut ValueReader::new(&Value::VOID)), now);
        self.watch.ready = None;
    }

    fn take_batch(&mut self, full: bool, reader: &mut dyn Reader, now: Millis) -> Result<(), ReadError> {
        let mut batch = match self.watch.ready.take() {
            Some(batch) => batch,
            None => self.cache.read_batch(reader)?,
        };
        let token: String = batch.token().into();
        let goes_on = (self.config.goes_on)(&token);
        if full {
            // Who has nothing yet has nothing to lose.
            self.watch.seen = (goes_on && self.fresh_at.is_some()).then(Seen::default);
        }
        if let Some(seen) = &mut self.watch.seen {
            seen.note(&batch);
        }
        let mut counts = batch.take_counts(full);
        // Of a class of which only some objects are watched, the number tells nothing.
        counts.retain(|(class, _)| self.is_watched_whole(class));
        let covered: Vec<_> = self.cache.classes().filter(|class| self.is_watched(class)).map(|class| class.name).collect();
        let covers = |class: &RecordDesc| covered.contains(&class.name);
        let mut changes =
            if full && self.watch.seen.is_none() { self.cache.replace(batch, &covers) } else { self.cache.apply(batch) };
        if !goes_on && let Some(seen) = self.watch.seen.take() {
            changes.extend(self.cache.sweep(seen, &covers));
        }
        self.watch.token = Some(token);
        self.watch.goes_on = goes_on;
        self.watch.quiet = false;
        let again = core::mem::take(&mut self.watch.again);
        // In the middle of a load the numbers cannot be the same.
        if again || (!goes_on && self.cache.drift(&counts).is_some() && self.watch.limit.allows(now)) {
            self.watch.reload();
        }
        self.changed(changes, now);
        Ok(())
    }

    fn changed(&mut self, changes: Vec<Change>, now: Millis) {
        if !changes.is_empty() {
            if changes.iter().any(|change| matches!(change.class, "host" | "pool")) {
                self.learn_addresses();
            }
            self.follow_changes(&changes, now);
            self.outputs.push_back(Output::Changed(changes));
        }
    }

    fn is_live(&mut self, now: Millis) {
        self.watch.failures = 0;
        self.watch.not_before = now;
        self.fresh_at = Some(now);
        self.set_status(Status::Live);
    }

    /// A page of a load has come, and others follow: the age of what is known goes on growing until the last.
    fn is_loading_on(&mut self, now: Millis) {
        self.watch.failures = 0;
        self.watch.not_before = now;
        self.set_status(Status::Loading);
    }

    fn events_refused(&mut self, full: bool, failure: Failure, now: Millis) {
        match failure.code.as_str() {
            "MESSAGE_METHOD_UNKNOWN" => {
                self.watch.rounds = Some(Round::default());
                self.watch.not_before = now;
            }
            // Once is ordinary; again and again, or with a full load, something is wrong.
            "EVENTS_LOST" | "EVENT_FROM_TOKEN_PARSE_FAILURE" if !full && self.watch.limit.allows(now) => {
                self.watch.token = None;
                self.watch.not_before = now;
            }
            _ => {
                let why = Error::Failure(failure);
                if !why.is_retryable() {
                    self.watch.token = None;
                }
                self.watch_later(why, now);
            }
        }
    }

    fn watch_later(&mut self, why: Error, now: Millis) {
        self.watch.failures = self.watch.failures.saturating_add(1);
        let until = now + self.config.backoff.delay(self.watch.failures, &mut self.jitter);
        self.watch.not_before = until;
        self.interrupted(until, why);
    }

    /// Asks for all records of the class whose turn it is.
    fn ask_for_records(&mut self, session: &RawRef, now: Millis) -> Option<RequestId> {
        let round = self.watch.rounds.as_ref()?;
        let mut left = self.cache.classes().enumerate().filter(|(at, class)| *at >= round.next && self.is_watched(class));
        let turn = left.find(|(_, class)| class.listed);
        drop(left);
        let Some((at, class)) = turn else {
            self.round_is_over(now);
            return None;
        };
        if !round.complete && self.watch.failures == 0 {
            self.set_status(Status::Loading);
        }
        let call = RawCall { method: format!("{}.get_all_records", class.name), params: Vec::from([Value::from(session)]) };
        let id = self.send(Purpose::Records(at), call, self.config.load_timeout, now);
        if let Some(round) = &mut self.watch.rounds {
            round.first.get_or_insert(id);
        }
        Some(id)
    }

    fn round_is_over(&mut self, now: Millis) {
        let first = self.watch.rounds.replace(Round { next: 0, complete: true, first: None }).and_then(|round| round.first);
        self.is_live(now);
        if let Some(first) = first {
            self.settle(first);
        }
        self.watch.not_before = now + self.config.poll_interval;
    }

    /// What came of `get_all_records`.
    pub(super) fn records_came(&mut self, id: RequestId, at: usize, reply: Answer<'_>, now: Millis) {
        if self.watch.in_flight != Some(id) {
            return;
        }
        self.watch.in_flight = None;
        let Some(class) = self.cache.classes().nth(at).map(|class| class.name) else { return };
        let result = match reply {
            Answer::Success(reader) => {
                let mut changes = Vec::new();
                let loaded = self.cache.load_class(class, reader, &mut changes);
                self.changed(changes, now);
                loaded.map(drop).map_err(Error::Protocol)
            }
            // An old server may not have the class, or not for this user: it stays unknown.
            Answer::Failure(failure) if !Error::Failure(failure.clone()).is_retryable() => Ok(()),
            Answer::Failure(failure) => Err(failure.into()),
            Answer::Broken(error) => Err(error.into()),
            Answer::Lost(what) => Err(Error::Unreachable(what)),
        };
        match result {
            Ok(()) => self.next_class(at),
            Err(why) => self.watch_later(why, now),
        }
    }

    fn next_class(&mut self, at: usize) {
        self.watch.failures = 0;
        if let Some(round) = &mut self.watch.rounds {
            round.next = at + 1;
        }
    }
}
