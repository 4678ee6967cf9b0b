//! `event.from`: what changed since a token.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::sync::OnceLock;

use xenapi_core::{Failure, Millis, RawRef, Value};

use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::queues::Queue;
use crate::reply::{Event, Name, Node, Shared};
use crate::store::{Change, Row, Table};
use crate::timers::Timer;
use crate::{Handled, Outcome, PendingId, Sim};

/// After a change, more is waited for this long, so that one answer tells all.
const BATCH: Millis = Millis(50);
/// A timeout that makes no sense counts as this.
pub(crate) const LONGEST: Millis = Millis::from_secs(24 * 3600);
/// The most topics of a subscription.
const TOPICS: usize = 10_000;

/// A class's name as events spell it, by its place in the model.
pub(crate) fn event_class(table: usize) -> &'static str {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    let names = NAMES.get_or_init(|| xenapi_model::CLASSES.iter().map(|class| class.name.to_lowercase()).collect());
    names.get(table).map_or("", String::as_str)
}

/// What a subscriber wants to hear of.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Topic {
    All,
    /// A class, by its place; none if there is no such class.
    Class(Option<usize>),
    /// One object and the place of its class.
    Object(Option<usize>, String),
}

impl Topic {
    fn parse(text: &str) -> Topic {
        let place = |class: &str| xenapi_model::CLASSES.iter().position(|it| it.name.eq_ignore_ascii_case(class));
        match text.split_once('/') {
            _ if text == "*" => Topic::All,
            Some((class, reference)) => Topic::Object(place(class), reference.into()),
            None => Topic::Class(place(text)),
        }
    }

    /// The topics of a parameter.
    pub(crate) fn all(args: &Args) -> Result<Vec<Topic>, Failure> {
        let items = args.value(0).and_then(Value::as_array).unwrap_or_default();
        if let Some(item) = items.get(TOPICS) {
            return Err(Failure::new("EVENT_SUBSCRIPTION_PARSE_FAILURE", [item.as_text().unwrap_or("")]));
        }
        Ok(items.iter().filter_map(Value::as_text).map(Topic::parse).collect())
    }

    fn covers(&self, table: usize) -> bool {
        match self {
            Topic::All => true,
            Topic::Class(class) | Topic::Object(class, _) => *class == Some(table),
        }
    }

    fn wants(&self, table: usize, reference: &RawRef) -> bool {
        self.covers(table) && if let Topic::Object(_, only) = self { only == reference.as_str() } else { true }
    }
}

/// Whether one of the topics is about an object.
pub(crate) fn wants(topics: &[Topic], table: usize, reference: &RawRef) -> bool {
    topics.iter().any(|topic| topic.wants(table, reference))
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
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        Some(Token { rows: number(rows)?, messages: number(messages)? })
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

/// What a caller waits for.
enum What {
    /// Changes since a token, of a subscription. The bits say in which tables.
    From { topics: Vec<Topic>, tables: u128, from: Token, batch: Millis },
    /// Something in the session's queue.
    Next,
}

/// A caller who waits for events.
pub(crate) struct Wait {
    pub(crate) session: RawRef,
    what: What,
    deadline: Millis,
    /// Something happened: answer then.
    answer_at: Option<Millis>,
}

impl Wait {
    /// When it has to be looked at.
    fn due(&self) -> Millis {
        self.answer_at.map_or(self.deadline, |at| at.min(self.deadline))
    }

    pub(crate) fn is_from(&self) -> bool {
        matches!(self.what, What::From { .. })
    }
}

/// The tables with events that the topics are about, as bits.
fn tables_of(topics: &[Topic]) -> u128 {
    let classes = xenapi_model::CLASSES.iter().enumerate().take(128);
    let covered = classes.filter(|(at, class)| class.has_events && topics.iter().any(|topic| topic.covers(*at)));
    covered.fold(0, |bits, (at, _)| bits | 1 << at)
}

/// Events by kind, in the order in which they are answered.
#[derive(Default)]
struct Batch {
    messages: Vec<Event>,
    added: Vec<Event>,
    changed: Vec<Event>,
    deleted: Vec<Event>,
}

impl Batch {
    fn into_events(self) -> Vec<Event> {
        let mut events = self.messages;
        events.extend(self.added);
        events.extend(self.changed);
        events.extend(self.deleted);
        events
    }
}

/// The last answer to a subscription: whoever waits for the same gets the same.
pub(crate) struct Memo {
    topics: Vec<Topic>,
    from: Token,
    at: Token,
    answer: Shared,
}

impl Sim {
    pub(crate) fn token(&self) -> Token {
        Token { rows: self.store.generation, messages: self.store.message_generation }
    }

    /// `event.from(classes, token, timeout)`.
    pub(crate) fn event_from(&mut self, caller: &Caller, args: &mut Args) -> Result<Handled, Failure> {
        let topics = Topic::all(args)?;
        let token = args.text(1);
        let from = Token::parse(token).ok_or_else(|| Failure::new("EVENT_FROM_TOKEN_PARSE_FAILURE", [token]))?;
        if !token.is_empty() && (from.rows < self.forgotten.rows || from.messages < self.forgotten.messages) {
            return Err(Failure::new("EVENTS_LOST", [""; 0]));
        }
        let seconds = args.float(2);
        let timeout = if (0.0..=86_400.0).contains(&seconds) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
            Millis((seconds * 1000.0) as u64)
        } else {
            LONGEST
        };
        let is_task = |topic: &Topic| {
            let (Topic::Class(Some(table)) | Topic::Object(Some(table), _)) = topic else { return false };
            event_class(*table) == "task"
        };
        let tasks_only = !topics.is_empty() && topics.iter().all(is_task);
        let batch = if tasks_only { Millis(0) } else { BATCH };
        let tables = tables_of(&topics);
        if tasks_only && let Some(answer) = self.news(&topics, tables, from) {
            return Ok(Handled::Done(Outcome::Shared(answer)));
        }
        let deadline = self.now + timeout;
        let mut wait = Wait {
            session: caller.session.clone(),
            what: What::From { topics, tables, from, batch },
            deadline,
            answer_at: None,
        };
        let has_news = self.changed_tables(from) & tables != 0;
        wait.answer_at = has_news.then(|| self.now + batch);
        Ok(Handled::Pending(self.keep_wait(wait)))
    }

    /// Waits until there is something in the session's queue.
    pub(crate) fn wait_for_next(&mut self, session: &RawRef) -> Handled {
        let deadline = self.now + LONGEST;
        let wait = Wait { session: session.clone(), what: What::Next, deadline, answer_at: None };
        Handled::Pending(self.keep_wait(wait))
    }

    fn keep_wait(&mut self, wait: Wait) -> PendingId {
        let id = self.new_pending();
        self.insert_wait(id, wait);
        id
    }

    fn insert_wait(&mut self, id: PendingId, wait: Wait) {
        self.timers.insert((wait.due(), id.0), Timer::Wait(id));
        self.waits.insert(id, wait);
    }

    pub(crate) fn remove_wait(&mut self, id: PendingId) -> Option<Wait> {
        let wait = self.waits.remove(&id)?;
        self.timers.remove(&(wait.due(), id.0));
        Some(wait)
    }

    /// The tables in which something changed since a point, as bits.
    fn changed_tables(&self, since: Token) -> u128 {
        let changed = self.store.tables.iter().enumerate().take(128);
        let changed = changed.filter(|(_, table)| table.last_change > since.of(table));
        changed.fold(0, |bits, (at, _)| bits | 1 << at)
    }

    /// Gives every waiting caller whom a change concerns a time at which to answer.
    pub(crate) fn notice_changes(&mut self) {
        let (since, now) = (self.noticed, self.now);
        self.noticed = self.token();
        if since == self.noticed {
            return;
        }
        self.feed_queues();
        if self.waits.is_empty() {
            return;
        }
        let changed = self.changed_tables(since);
        let (store, sessions) = (&self.store, &self.sessions);
        for (id, wait) in self.waits.iter_mut().filter(|(_, wait)| wait.answer_at.is_none()) {
            let at = match &wait.what {
                What::Next => {
                    let queue = sessions.get(&wait.session).and_then(|session| session.queue.as_ref());
                    queue.is_some_and(Queue::has_news).then_some(now)
                }
                What::From { topics, tables, batch, .. } => {
                    let concerns = changed & tables != 0 && concerns(&store.tables, topics, changed & tables, since);
                    concerns.then(|| now + *batch)
                }
            };
            if let Some(at) = at {
                self.timers.remove(&(wait.due(), id.0));
                wait.answer_at = Some(at);
                self.timers.insert((wait.due(), id.0), Timer::Wait(*id));
            }
        }
    }

    /// Answers those who wait for their queue and find something in it.
    pub(crate) fn wake_next(&mut self) {
        let has_news = |wait: &Wait| {
            let queue = self.sessions.get(&wait.session).and_then(|session| session.queue.as_ref());
            !wait.is_from() && queue.is_some_and(Queue::has_news)
        };
        let awake: Vec<PendingId> = self.waits.iter().filter(|(_, wait)| has_news(wait)).map(|(id, _)| *id).collect();
        for id in awake {
            self.step_wait(id);
        }
    }

    /// Answers a waiting caller, or lets him wait on when the changes did not concern him after all.
    pub(crate) fn step_wait(&mut self, id: PendingId) {
        let Some(mut wait) = self.remove_wait(id) else { return };
        let token = self.token();
        let answer = match &mut wait.what {
            What::Next => self.take_queue(&wait.session),
            What::From { topics, tables, from, .. } => {
                let answer = self.news(topics, *tables, *from);
                if answer.is_none() && self.now < wait.deadline {
                    *from = token;
                    wait.answer_at = None;
                    self.insert_wait(id, wait);
                    return;
                }
                Outcome::Shared(answer.unwrap_or_else(|| self.answer(Vec::new())))
            }
        };
        self.ready.push((id, answer));
    }

    /// The answer to a subscription, if there is anything to tell.
    fn news(&mut self, topics: &[Topic], tables: u128, from: Token) -> Option<Shared> {
        let at = self.token();
        if let Some(memo) = self.memo.as_ref().filter(|memo| memo.at == at && memo.from == from && memo.topics == topics) {
            return Some(memo.answer.clone());
        }
        let events = self.gather(topics, tables, from);
        if events.is_empty() {
            return None;
        }
        let answer = self.answer(events);
        // Everything at once is asked for once; it is not worth its memory.
        let is_small = from != Token::default();
        self.memo = is_small.then(|| Memo { topics: topics.to_vec(), from, at, answer: answer.clone() });
        Some(answer)
    }

    fn answer(&self, events: Vec<Event>) -> Shared {
        // A class that was not recorded, or only in part, is not counted, so that clients do not take what is missing for "none".
        let is_known = |class| self.recorded.as_ref().is_none_or(|recorded| recorded.contains(&class));
        let stored = self.store.tables.iter().enumerate().filter(|(_, table)| table.class.implicit.get_record);
        let stored = stored.filter(|(_, table)| is_known(table.class.name));
        let counts = stored.map(|(at, table)| {
            let count = i32::try_from(table.rows.len()).unwrap_or(i32::MAX);
            (Name::Word(event_class(at)), Node::Value(Value::Int32(count)))
        });
        Shared::new(Node::Struct(Vec::from([
            (Name::Word("events"), Node::Events(events)),
            (Name::Word("valid_ref_counts"), Node::Struct(counts.collect())),
            (Name::Word("token"), Node::Value(self.token().to_string().into())),
        ])))
    }

    fn gather(&self, topics: &[Topic], tables: u128, from: Token) -> Vec<Event> {
        let mut batch = Batch::default();
        for (at, table) in self.store.tables.iter().enumerate().filter(|(at, _)| tables & (1 << at) != 0) {
            if table.last_change > from.of(table) {
                gather_from(at, table, topics, from.of(table), &mut batch);
            }
        }
        batch.into_events()
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
}

/// Whether the changes in some tables since a point concern a subscription that is about these tables.
fn concerns(tables: &[Table], topics: &[Topic], changed: u128, since: Token) -> bool {
    let is_whole = |at| topics.iter().any(|topic| topic.covers(at) && !matches!(topic, Topic::Object(..)));
    tables.iter().enumerate().filter(|(at, _)| changed & (1 << at) != 0).any(|(at, table)| {
        let since = since.of(table);
        let changed = table.changed_since(since).map(|row| &row.reference);
        let gone = table.deletions.iter().rev().take_while(|dead| dead.deleted > since).map(|dead| &dead.reference);
        is_whole(at) || changed.chain(gone).any(|reference| wants(topics, at, reference))
    })
}

fn gather_from(at: usize, table: &Table, topics: &[Topic], since: u64, batch: &mut Batch) {
    let is_message = table.class.name == "message";
    let make = |id: u64, change: Change, reference: &RawRef, row: Option<&Row>| Event {
        id: if is_message { 0 } else { id },
        time: 0,
        class: event_class(at),
        change,
        reference: reference.clone(),
        snapshot: row.map(|row| table.snapshot(row)),
    };
    for row in table.changed_since(since).filter(|row| wants(topics, at, &row.reference)) {
        let is_new = row.created > since;
        let change = if is_new { Change::Added } else { Change::Modified };
        let event = make(row.modified, change, &row.reference, Some(row));
        match () {
            () if is_message => batch.messages.push(event),
            () if is_new => batch.added.push(event),
            () => batch.changed.push(event),
        }
    }
    let deleted = table.deletions.iter().filter(|dead| dead.created <= since && dead.deleted > since);
    for dead in deleted.filter(|dead| wants(topics, at, &dead.reference)) {
        let event = make(dead.deleted, Change::Deleted, &dead.reference, None);
        if is_message { batch.messages.push(event) } else { batch.deleted.push(event) }
    }
}
