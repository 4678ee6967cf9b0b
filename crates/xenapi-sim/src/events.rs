//! `event.from` and the older `event.next`: what changed since a token.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, Struct, Value};

use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::store::{Row, Table};
use crate::{Handled, Outcome, PendingId, Sim};

/// After a change, more is waited for this long, so that one answer tells all.
const BATCH: Millis = Millis(50);
/// A timeout that makes no sense counts as this.
const LONGEST: Millis = Millis::from_secs(24 * 3600);

/// What a subscriber wants to hear of.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Topic {
    All,
    /// A class, in lower case.
    Class(String),
    /// One object, its class in lower case.
    Object(String, String),
}

impl Topic {
    fn parse(text: &str) -> Topic {
        match text.split_once('/') {
            _ if text == "*" => Topic::All,
            Some((class, reference)) => Topic::Object(class.to_lowercase(), reference.into()),
            None => Topic::Class(text.to_lowercase()),
        }
    }

    fn covers(&self, table: &Table) -> bool {
        match self {
            Topic::All => true,
            Topic::Class(class) | Topic::Object(class, _) => table.class.name.eq_ignore_ascii_case(class),
        }
    }

    fn is_about(&self, reference: &RawRef) -> bool {
        if let Topic::Object(_, only) = self { only == reference.as_str() } else { true }
    }
}

fn wants(topics: &[Topic], table: &Table, reference: &RawRef) -> bool {
    topics.iter().any(|topic| topic.covers(table) && topic.is_about(reference))
}

/// A point in the history: the generations of rows and of messages.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Token {
    rows: u64,
    messages: u64,
}

impl Token {
    fn parse(text: &str) -> Option<Token> {
        if text.is_empty() {
            return Some(Token::default());
        }
        let (rows, messages) = text.split_once(',')?;
        Some(Token { rows: rows.parse().ok()?, messages: messages.parse().ok()? })
    }

    fn of(self, table: &Table) -> u64 {
        if table.class.name == "message" { self.messages } else { self.rows }
    }
}

impl core::fmt::Display for Token {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:020},{:020}", self.rows, self.messages)
    }
}

/// The classes registered for `event.next`, and how far the session has read.
#[derive(Clone)]
pub(crate) struct Queue {
    topics: Vec<Topic>,
    from: Token,
}

/// A caller who waits for events.
pub(crate) struct Wait {
    pub(crate) session: RawRef,
    topics: Vec<Topic>,
    from: Token,
    deadline: Millis,
    batch: Millis,
    /// Something happened: answer then.
    answer_at: Option<Millis>,
    /// For `event.next`.
    is_old: bool,
}

impl Wait {
    /// When it has to be looked at.
    pub(crate) fn due(&self) -> Millis {
        self.answer_at.map_or(self.deadline, |at| at.min(self.deadline))
    }
}

/// Events by kind, in the order in which they are answered.
#[derive(Default)]
struct Batch {
    messages: Vec<Value>,
    added: Vec<Value>,
    changed: Vec<Value>,
    deleted: Vec<Value>,
}

impl Batch {
    fn into_events(self) -> Vec<Value> {
        let mut events = self.messages;
        events.extend(self.added);
        events.extend(self.changed);
        events.extend(self.deleted);
        events
    }
}

impl Sim {
    fn token(&self) -> Token {
        Token { rows: self.store.generation, messages: self.store.message_generation }
    }

    /// `event.from(classes, token, timeout)`.
    pub(crate) fn event_from(&mut self, caller: &Caller, args: &Args) -> Result<Handled, Failure> {
        let topics = topics(args);
        let token = args.text(1);
        let from = Token::parse(token).ok_or_else(|| Failure::new("EVENT_FROM_TOKEN_PARSE_FAILURE", [token]))?;
        let seconds = args.float(2);
        let timeout = if (0.0..=86_400.0).contains(&seconds) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
            Millis((seconds * 1000.0) as u64)
        } else {
            LONGEST
        };
        let tasks_only = topics.iter().all(|topic| match topic {
            Topic::All => false,
            Topic::Class(class) | Topic::Object(class, _) => class == "task",
        });
        let batch = if tasks_only && !topics.is_empty() { Millis(0) } else { BATCH };
        Ok(self.wait(caller, topics, from, self.now + timeout, batch, false))
    }

    fn wait(
        &mut self,
        caller: &Caller,
        topics: Vec<Topic>,
        from: Token,
        deadline: Millis,
        batch: Millis,
        is_old: bool,
    ) -> Handled {
        let session = caller.session.clone();
        let wait = Wait { session, topics, from, deadline, batch, answer_at: None, is_old };
        if batch == Millis(0) {
            let events = self.gather(&wait.topics, from, is_old);
            if !events.is_empty() {
                return Handled::Done(Outcome::Value(self.answer(&wait, events)));
            }
        }
        let id = self.new_pending();
        self.waits.insert(id, wait);
        Handled::Pending(id)
    }

    /// Gives every waiting caller whom a change might concern a time at which to answer.
    pub(crate) fn notice_changes(&mut self) {
        for wait in self.waits.values_mut().filter(|wait| wait.answer_at.is_none()) {
            let news =
                self.store.tables.iter().any(|table| {
                    table.last_change > wait.from.of(table) && wait.topics.iter().any(|topic| topic.covers(table))
                });
            wait.answer_at = news.then(|| self.now + wait.batch);
        }
    }

    /// Answers a waiting caller, or lets him wait on when the changes did not concern him after all.
    pub(crate) fn step_wait(&mut self, id: PendingId) {
        let Some(mut wait) = self.waits.remove(&id) else { return };
        let events = self.gather(&wait.topics, wait.from, wait.is_old);
        if events.is_empty() && self.now < wait.deadline {
            wait.from = self.token();
            wait.answer_at = None;
            self.waits.insert(id, wait);
            return;
        }
        let answer = self.answer(&wait, events);
        self.ready.push((id, Outcome::Value(answer)));
    }

    fn answer(&mut self, wait: &Wait, events: Vec<Value>) -> Value {
        if wait.is_old {
            let token = self.token();
            if let Some(queue) = self.sessions.get_mut(&wait.session).and_then(|session| session.queue.as_mut()) {
                queue.from = token;
            }
            return Value::Array(events);
        }
        // A class that was not recorded, or only in part, is not counted, so that clients do not take what is missing for "none".
        let is_known = |class| self.recorded.as_ref().is_none_or(|recorded| recorded.contains(&class));
        let stored = self.store.tables.iter().filter(|table| table.class.implicit.get_record);
        let stored = stored.filter(|table| is_known(table.class.name));
        let counts = stored.map(|table| {
            let count = i32::try_from(table.rows.len()).unwrap_or(i32::MAX);
            (table.class.name.to_lowercase(), Value::Int32(count))
        });
        let mut batch = Struct::with_capacity(3);
        batch.push("events", events);
        batch.push("valid_ref_counts", counts.collect::<Struct>());
        batch.push("token", self.token().to_string());
        batch.into()
    }

    fn gather(&self, topics: &[Topic], from: Token, is_old: bool) -> Vec<Value> {
        let mut batch = Batch::default();
        for table in self.store.tables.iter().filter(|table| table.class.has_events) {
            if table.last_change > from.of(table) && topics.iter().any(|topic| topic.covers(table)) {
                self.gather_from(table, topics, from.of(table), is_old, &mut batch);
            }
        }
        batch.into_events()
    }

    fn gather_from(&self, table: &Table, topics: &[Topic], since: u64, is_old: bool, batch: &mut Batch) {
        let is_message = table.class.name == "message";
        for row in table.changed_since(since).filter(|row| wants(topics, table, &row.reference)) {
            let is_new = row.created > since;
            let event =
                self.event(table, is_old, if is_new { "add" } else { "mod" }, &row.reference, row.modified, Some(row));
            match () {
                () if is_message => batch.messages.push(event),
                () if is_new => batch.added.push(event),
                () => batch.changed.push(event),
            }
        }
        let deleted = table.deletions.iter().filter(|dead| dead.created <= since && dead.deleted > since);
        for dead in deleted.filter(|dead| wants(topics, table, &dead.reference)) {
            let event = self.event(table, is_old, "del", &dead.reference, dead.deleted, None);
            if is_message { batch.messages.push(event) } else { batch.deleted.push(event) }
        }
    }

    fn event(&self, table: &Table, is_old: bool, what: &'static str, this: &RawRef, at: u64, row: Option<&Row>) -> Value {
        let mut event = Struct::with_capacity(6);
        let id = if table.class.name == "message" && !is_old { 0 } else { at };
        event.push("id", format!("{id}"));
        event.push("timestamp", if is_old { format!("{}.0", self.date().unix()) } else { "0.0".into() });
        event.push("class", table.class.name.to_lowercase());
        event.push("operation", what);
        event.push("ref", this);
        if let Some(row) = row {
            event.push("snapshot", table.record(row));
        }
        event.into()
    }

    /// `event.inject(class, ref)`: touches an object and answers a token just before.
    pub(crate) fn inject(&mut self, args: &Args) -> Result<Value, Failure> {
        let (class, reference) = (args.text(0), args.text(1));
        let table = self.store.place(class).filter(|_| self.store.contains(class, reference));
        let table = table.ok_or_else(|| Failure::new("HANDLE_INVALID", [class, reference]))?;
        let token = self.token();
        self.store.stamp(table, reference);
        Ok(token.to_string().into())
    }

    /// `event.register(classes)`: for `event.next`.
    pub(crate) fn register(&mut self, caller: &Caller, args: &Args) -> Result<Value, Failure> {
        let (new, from) = (topics(args), self.token());
        if let Some(session) = self.sessions.get_mut(&caller.session) {
            let queue = session.queue.get_or_insert(Queue { topics: Vec::new(), from });
            queue.topics.extend(new);
        }
        Ok(Value::VOID)
    }

    /// `event.unregister(classes)`.
    pub(crate) fn unregister(&mut self, caller: &Caller, args: &Args) -> Result<Value, Failure> {
        let gone = topics(args);
        if let Some(queue) = self.sessions.get_mut(&caller.session).and_then(|session| session.queue.as_mut()) {
            queue.topics.retain(|topic| !gone.contains(topic));
        }
        Ok(Value::VOID)
    }

    /// `event.next()`: waits until something happens.
    pub(crate) fn event_next(&mut self, caller: &Caller) -> Result<Handled, Failure> {
        let queue = self.sessions.get(&caller.session).and_then(|session| session.queue.clone());
        let Some(Queue { topics, from }) = queue.filter(|queue| !queue.topics.is_empty()) else {
            return Err(Failure::new("SESSION_NOT_REGISTERED", [caller.session.as_str()]));
        };
        Ok(self.wait(caller, topics, from, self.now + LONGEST, Millis(0), true))
    }
}

fn topics(args: &Args) -> Vec<Topic> {
    let items = args.value(0).and_then(Value::as_array).unwrap_or_default();
    items.iter().filter_map(Value::as_text).map(Topic::parse).collect()
}
