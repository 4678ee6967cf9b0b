//! The conversation: what to send, what an answer means, what to do next.

mod calls;
mod chores;
mod job;
mod route;
mod session;
mod tags;
mod tasks;
#[cfg(test)]
mod tests;
mod watch;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use xenapi_core::{Class, Failure, Millis, RawCall, RawRef, ReadError, Reader};

use crate::cache::{Cache, Change};
use crate::config::{Config, Jitter, RetryBudget};
use crate::error::{Error, Unreachable};
use calls::{Lane, Queue};
use chores::Chores;
use job::Job;
pub use job::{CallOptions, Ticket, TicketId};
use route::{Address, Route};
use session::Login;
pub use tags::TASK_TAG;
use tags::Tags;
use watch::Watch;

/// How long after its own timeout a request that only looks is given up, should the driver not have said anything.
const GRACE: Millis = Millis::from_secs(1);

/// Which request. Never used twice by a client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub u64);

/// Something to send.
#[derive(Clone, Debug)]
pub struct Request {
    /// To be given back with the answer.
    pub id: RequestId,
    /// The call, the session included.
    pub call: RawCall,
    /// How long to wait. After that, say [`Reply::Unreachable`].
    pub timeout: Millis,
    /// For which host of the pool it is, by its address as the pool knows it (no scheme, no port); none: the driver's own target.
    /// Always none without [`Config::follow`].
    pub address: Option<Arc<str>>,
    /// What the task of this call shall carry: send it as the HTTP header `x-http-other-config-` and [`TASK_TAG`]. By it the task is found
    /// when the answer is lost. Where the header cannot be sent, nothing else is lost.
    pub tag: Option<String>,
}

/// What came of a request.
pub enum Reply<'a> {
    /// The server answered; the reader stands before the result.
    Success(&'a mut dyn Reader),
    /// The server refused.
    Failure(Failure),
    /// The answer cannot be read.
    Broken(ReadError),
    /// There was no answer: what happened, where, and what to do about it.
    Unreachable(String),
    /// The same, with the error that caused it.
    Lost(Unreachable),
}

/// [`Reply`], with one way to say that there was none.
enum Answer<'a> {
    Success(&'a mut dyn Reader),
    Failure(Failure),
    Broken(ReadError),
    Lost(Unreachable),
}

impl<'a> From<Reply<'a>> for Answer<'a> {
    fn from(reply: Reply<'a>) -> Self {
        match reply {
            Reply::Success(reader) => Answer::Success(reader),
            Reply::Failure(failure) => Answer::Failure(failure),
            Reply::Broken(error) => Answer::Broken(error),
            Reply::Unreachable(what) => Answer::Lost(what.into()),
            Reply::Lost(what) => Answer::Lost(what),
        }
    }
}

/// What the driver has to do or to know.
#[derive(Debug)]
pub enum Output {
    /// Send this, and say what came of it by [`Client::handle`].
    Transmit(Request),
    /// The cache has changed.
    Changed(Vec<Change>),
    /// A submitted call has a result: [`Client::take`] it.
    Done(TicketId),
    /// The task of a submitted call has come that far, from 0 to 1.
    Progress(TicketId, f64),
    /// How the conversation stands, when that changes.
    Status(Status),
    /// The server is a pool member; the master has that address (no scheme, no port). With [`Config::follow`], the requests that follow
    /// are for that address ([`Request::address`]); without, the client logs in again by itself wherever the driver sends that.
    Redirect(String),
    /// Nothing to do until that time, or until something is submitted or answered.
    Wait(Option<Millis>),
}

/// How the conversation stands.
#[derive(Clone, PartialEq, Debug)]
pub enum Status {
    /// There is no session and none is wanted.
    LoggedOut,
    /// The login is on its way.
    LoggingIn,
    /// There is a session; nothing is watched.
    LoggedIn,
    /// Everything is being loaded. What is in the cache is what was known before.
    Loading,
    /// The cache follows the server.
    Live,
    /// The conversation was interrupted. It goes on by itself.
    Waiting {
        /// When the next attempt is made.
        until: Millis,
        /// What happened.
        why: Error,
    },
    /// The server does not want this user, or has ended the session and the client may not log in again. Only
    /// [`Client::login`] goes on from here.
    Refused(Failure),
}

/// How current the cache is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Freshness {
    /// Nothing was loaded yet.
    Never,
    /// The server has shown within [`Config::stale_after`] that this is current.
    Live {
        /// How long ago that was.
        age: Millis,
    },
    /// It has not.
    Stale {
        /// How long ago it last was.
        age: Millis,
    },
}

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Purpose {
    Login,
    Logout,
    /// A submitted call.
    Call(TicketId, Lane),
    /// The record of its task.
    Look(TicketId),
    /// All tasks, to find the one that works for it.
    Search(TicketId),
    /// Clearing away.
    Chore(u64),
    /// A login at another host, to learn whether it is the coordinator.
    Probe,
    /// Events, or everything.
    Events {
        full: bool,
    },
    /// All records of the class at that place, where there is no `event.from`.
    Records(usize),
}

struct InFlight {
    purpose: Purpose,
    /// The session it was sent with, by number.
    epoch: u64,
    address: Address,
    /// When to give it up without the driver's word.
    expires: Option<Millis>,
}

/// A client that does no I/O: a driver sends its requests, hands it the answers, and says what time it is.
///
/// After every call of a method that takes the time, call [`Client::poll`] until it answers [`Output::Wait`]; poll again when
/// that time has come. Answers to requests may come in any order, and late ones do no harm.
///
/// ```
/// use xenapi_client::{Client, Config, Output, Reply, Status};
/// use xenapi_core::{Millis, Value, ValueReader};
///
/// let mut client = Client::new(Config::new("root", "secret"));
/// client.login(Millis(0));
/// let mut login = None;
/// loop {
///     match client.poll(Millis(0)) {
///         Output::Transmit(request) => login = Some(request),
///         Output::Wait(_) => break,
///         _ => {}
///     }
/// }
/// let login = login.expect("a login is sent");
/// assert_eq!(login.call.method, "session.login_with_password");
///
/// let answer = Value::from("OpaqueRef:1");
/// client.handle(login.id, Reply::Success(&mut ValueReader::new(&answer)), Millis(20));
/// assert_eq!(client.status(), &Status::LoggedIn);
/// ```
pub struct Client {
    config: Config,
    jitter: Jitter,
    cache: Cache,
    login: Login,
    watch: Watch,
    route: Route,
    chores: Chores,
    tags: Tags,
    jobs: BTreeMap<TicketId, Job>,
    queue: Queue,
    budget: RetryBudget,
    in_flight: BTreeMap<RequestId, InFlight>,
    last_request: u64,
    last_ticket: u64,
    outputs: VecDeque<Output>,
    status: Status,
    /// When the server last showed that the cache is current.
    fresh_at: Option<Millis>,
}

impl Client {
    /// A client that does nothing yet. Say which classes to [track](Client::track), then [log in](Client::login).
    pub fn new(config: Config) -> Self {
        Client::with_cache(config, Cache::new())
    }

    /// A client with a cache that tracks what it tracks.
    pub fn with_cache(config: Config, cache: Cache) -> Self {
        Client {
            jitter: Jitter::new(config.seed),
            config,
            cache,
            login: Login::default(),
            watch: Watch::default(),
            route: Route::default(),
            chores: Chores::default(),
            tags: Tags::default(),
            jobs: BTreeMap::new(),
            queue: Queue::default(),
            budget: RetryBudget::new(),
            in_flight: BTreeMap::new(),
            last_request: 0,
            last_ticket: 0,
            outputs: VecDeque::new(),
            status: Status::LoggedOut,
            fresh_at: None,
        }
    }

    /// Keeps the objects of a class in the cache. What is watched already is loaded anew.
    pub fn track<C: Class>(&mut self) {
        if !self.cache.tracks(C::RECORD.name) {
            self.cache.track::<C>();
            self.watch.reload();
        }
    }

    /// Keeps the classes that a console shows: [`Cache::track_console`].
    pub fn track_console(&mut self) {
        self.cache.track_console();
        self.watch.reload();
    }

    /// What is known of the pool.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// How the conversation stands.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// How the client was told to behave.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The session, while there is one. Whoever knows it is this user.
    pub fn session(&self) -> Option<&RawRef> {
        self.login.session.as_ref().filter(|_| self.login.wanted)
    }

    /// How current the cache is.
    pub fn freshness(&self, now: Millis) -> Freshness {
        match self.fresh_at {
            None => Freshness::Never,
            Some(at) if now - at >= self.config.stale_after => Freshness::Stale { age: now - at },
            Some(at) => Freshness::Live { age: now - at },
        }
    }

    /// What to do now. Call until it answers [`Output::Wait`].
    pub fn poll(&mut self, now: Millis) -> Output {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        self.expire(now);
        self.advance_login(now);
        self.advance_route(now);
        self.advance_jobs(now);
        self.advance_chores(now);
        self.advance_closing(now);
        self.advance_watch(now);
        match self.outputs.pop_front() {
            Some(output) => output,
            None => Output::Wait(self.deadline(now)),
        }
    }

    /// What came of a request. A reply to a request that nobody waits for any more is passed over.
    pub fn handle(&mut self, id: RequestId, reply: Reply<'_>, now: Millis) {
        let Some(sent) = self.in_flight.remove(&id) else { return };
        let answer = Answer::from(reply);
        // A host that takes minutes for a change is not for that reason gone.
        let tells = !matches!(sent.purpose, Purpose::Call(_, Lane::Changes) | Purpose::Probe);
        if sent.address == self.route.current && (tells || !matches!(answer, Answer::Lost(_))) {
            if matches!(answer, Answer::Lost(_)) { self.unanswered() } else { self.route.answered() }
        }
        if let Answer::Failure(failure) = &answer {
            self.heed(&sent, failure, now);
        }
        if matches!(answer, Answer::Success(_)) && !matches!(sent.purpose, Purpose::Login | Purpose::Probe) {
            self.heard(&sent, now);
        }
        match sent.purpose {
            Purpose::Login => self.logged_in(id, answer, now),
            Purpose::Logout => self.logout_answered(answer, now),
            Purpose::Probe => self.probed(sent.address, answer, now),
            Purpose::Chore(chore) => self.chore_answered(chore, sent.epoch, answer, now),
            Purpose::Call(ticket, lane) => self.call_answered(ticket, lane, answer, now),
            Purpose::Look(ticket) => self.task_seen(ticket, answer, now),
            Purpose::Search(ticket) => self.tasks_seen(ticket, answer, now),
            Purpose::Events { full } => self.events_came(id, full, answer, now),
            Purpose::Records(at) => self.records_came(id, at, answer, now),
        }
    }

    /// A successful answer within this session. While events are waited for, the answer to another call also tells that nothing
    /// has happened: the events would have come first.
    fn heard(&mut self, sent: &InFlight, now: Millis) {
        if sent.epoch != self.login.epoch {
            return;
        }
        self.login.failures = 0;
        let of_watch = matches!(sent.purpose, Purpose::Events { .. } | Purpose::Records(_));
        if self.status == Status::Live && !of_watch && self.watch.waits_for_events() {
            self.fresh_at = Some(now);
        }
    }

    /// What a refusal means beyond the call that it answers.
    fn heed(&mut self, sent: &InFlight, failure: &Failure, now: Millis) {
        let of_session = match sent.purpose {
            Purpose::Login | Purpose::Probe | Purpose::Logout => false,
            Purpose::Chore(id) => self.chores.uses_session(id),
            _ => true,
        };
        if !of_session || sent.epoch != self.login.epoch || self.login.session.is_none() {
            return;
        }
        match failure.code.as_str() {
            "SESSION_INVALID" => self.session_lost(failure, now),
            "HOST_IS_SLAVE" => self.redirected(failure, now),
            _ => {}
        }
    }

    fn send(&mut self, purpose: Purpose, call: RawCall, timeout: Millis, now: Millis) -> RequestId {
        self.send_to(self.route.current.clone(), purpose, call, timeout, now)
    }

    fn send_to(&mut self, address: Address, purpose: Purpose, call: RawCall, timeout: Millis, now: Millis) -> RequestId {
        self.last_request += 1;
        let id = RequestId(self.last_request);
        // A call that changes something must not be declared lost while its answer may be waiting to be handed over.
        let only_looks = !matches!(purpose, Purpose::Call(..));
        let expires = only_looks.then(|| now + timeout + GRACE);
        let tag = self.tag_of(&purpose);
        self.in_flight.insert(id, InFlight { purpose, epoch: self.login.epoch, address: address.clone(), expires });
        self.outputs.push_back(Output::Transmit(Request { id, call, timeout, address, tag }));
        id
    }

    /// Gives up requests on which the driver has forgotten to report.
    fn expire(&mut self, now: Millis) {
        let late = |sent: &InFlight| sent.expires.is_some_and(|at| at <= now);
        while let Some(id) = self.in_flight.iter().find(|(_, sent)| late(sent)).map(|(id, _)| *id) {
            self.handle(id, Reply::Unreachable("no answer in time".into()), now);
        }
    }

    /// When something is due that no answer brings.
    fn deadline(&self, now: Millis) -> Option<Millis> {
        let stale = self.fresh_at.map(|at| at + self.config.stale_after);
        let expiring = self.in_flight.values().filter_map(|sent| sent.expires);
        let due = [
            self.login_due(),
            self.route_due(),
            self.jobs_due(now),
            self.chores_due(),
            self.closing_due(),
            self.watch_due(),
            stale,
        ];
        due.into_iter().flatten().chain(expiring).filter(|at| *at > now).min()
    }

    fn set_status(&mut self, status: Status) {
        if self.status != status {
            self.status = status.clone();
            self.outputs.push_back(Output::Status(status));
        }
    }

    /// Says that the conversation is interrupted until the next attempt.
    fn interrupted(&mut self, until: Millis, why: Error) {
        self.set_status(Status::Waiting { until, why });
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("user", &self.config.user)
            .field("status", &self.status)
            .field("cache", &self.cache)
            .field("jobs", &self.jobs.len())
            .finish_non_exhaustive()
    }
}
