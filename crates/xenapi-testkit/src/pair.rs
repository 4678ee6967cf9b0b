//! A client and a simulated pool.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_client::{Cache, Change, Client, Config, Output, Reply, Request, RequestId, Status, TASK_TAG, Ticket, TicketId};
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Call, Failure, Millis, RawCall, Value, ValueReader};
use xenapi_sim::{Handled, Origin, Outcome, PendingId, Sim};

use crate::network::Network;

/// What the client has said, in order.
#[derive(Debug, Default)]
pub struct Log {
    /// How the conversation stood.
    pub statuses: Vec<Status>,
    /// What changed in the cache.
    pub changes: Vec<Change>,
    /// Calls that were answered.
    pub done: Vec<TicketId>,
    /// How far tasks were.
    pub progress: Vec<f64>,
    /// Masters that members named.
    pub redirects: Vec<String>,
    /// The methods that were sent.
    pub sent: Vec<String>,
}

/// A document under way.
enum Transit {
    ToServer(RequestId, Vec<u8>, Option<String>),
    ToClient(RequestId, Vec<u8>),
    /// What the client's own host says.
    Lost(RequestId, String),
}

/// A request that is not answered.
struct Open {
    deadline: Millis,
    timeout: Millis,
    pending: Option<PendingId>,
}

/// A client and a simulated pool, wired in memory, in virtual time.
///
/// ```
/// use xenapi_core::Millis;
/// use xenapi_testkit::Pair;
///
/// let mut pair = Pair::live();
/// assert!(pair.client.cache().count::<xenapi_model::VM>() > 24);
/// pair.network.refuses = true;
/// pair.pass(Millis::from_secs(9));
/// assert!(matches!(pair.freshness(), xenapi_client::Freshness::Stale { .. }));
/// ```
pub struct Pair {
    /// The client. After calling a method of it that takes the time, let time [pass](Pair::pass), be it none.
    pub client: Client,
    /// What stands between.
    pub network: Network,
    /// What the client has said.
    pub log: Log,
    sim: Sim,
    now: Millis,
    transits: BTreeMap<(Millis, u64), Transit>,
    open: BTreeMap<RequestId, Open>,
    last_transit: u64,
    /// The session of [`Pair::outside`], and the answers to it that took time.
    outsider: Option<Value>,
    outside_answers: BTreeMap<PendingId, Outcome>,
    /// When the client wants to be polled.
    wake: Option<Millis>,
}

impl Pair {
    /// A client, not yet logged in, and a server.
    pub fn new(config: Config, cache: Cache, sim: Sim) -> Self {
        Pair {
            client: Client::with_cache(config, cache),
            network: Network::new(),
            log: Log::default(),
            sim,
            now: Millis(0),
            transits: BTreeMap::new(),
            open: BTreeMap::new(),
            last_transit: 0,
            outsider: None,
            outside_answers: BTreeMap::new(),
            wake: None,
        }
    }

    /// A client that watches what a console shows of a pool of 3 hosts and 24 VMs, logged in and up to date.
    ///
    /// # Panics
    /// When that does not succeed within a minute.
    pub fn live() -> Self {
        Pair::live_with(Sim::new(&xenapi_sim::Config::default()))
    }

    /// The same with a pool of one's own.
    ///
    /// # Panics
    /// When the client is not up to date within a minute.
    pub fn live_with(sim: Sim) -> Self {
        let mut cache = Cache::new();
        cache.track_console();
        let mut pair = Pair::new(Pair::config(), cache, sim);
        pair.client.login(pair.now);
        pair.client.watch(pair.now);
        pair.until_live();
        pair
    }

    /// Who may log in.
    pub fn config() -> Config {
        Config { originator: "xenapi-testkit".into(), ..Config::new("root", xenapi_sim::PASSWORD) }
    }

    /// What time it is.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// How current the client's cache is.
    pub fn freshness(&self) -> xenapi_client::Freshness {
        self.client.freshness(self.now)
    }

    /// Lets time pass, with everything that happens on the way.
    pub fn pass(&mut self, time: Millis) {
        let end = self.now + time;
        self.until(end, |_| false);
    }

    /// Lets time pass until `done`, and no longer than a minute.
    ///
    /// # Panics
    /// When it is not done then.
    pub fn wait_for(&mut self, what: &str, done: impl FnMut(&mut Pair) -> bool) {
        let end = self.now + Millis::from_secs(60);
        let is_done = self.until(end, done);
        assert!(is_done, "{what}: not within a minute; the client is {:?}", self.client.status());
    }

    /// Lets time pass until the client is up to date.
    ///
    /// # Panics
    /// When it is not after a minute.
    pub fn until_live(&mut self) {
        self.wait_for("up to date", |pair| pair.client.status() == &Status::Live);
    }

    /// Sends a call and answers its result.
    ///
    /// # Errors
    /// Why there is none.
    ///
    /// # Panics
    /// When there is none within a minute.
    pub fn call<R: Send + 'static>(&mut self, call: Call<R>) -> Result<R, xenapi_client::Error> {
        let ticket = self.client.submit(call, self.now);
        self.result(&ticket)
    }

    /// The result of a call that was submitted.
    ///
    /// # Errors
    /// Why there is none.
    ///
    /// # Panics
    /// When there is none within a minute.
    pub fn result<R: 'static>(&mut self, ticket: &Ticket<R>) -> Result<R, xenapi_client::Error> {
        let mut result = None;
        self.wait_for("an answer", |pair| {
            result = pair.client.take(ticket);
            result.is_some()
        });
        result.unwrap_or(Err(xenapi_client::Error::Misuse("the ticket is of another client")))
    }

    /// Makes a call that has nothing to do with the client, past the network, as root on the host itself. The session is put in.
    /// While the server works on it, time passes.
    ///
    /// # Errors
    /// The server's refusal.
    ///
    /// # Panics
    /// When there is no answer within a minute.
    pub fn outside(&mut self, method: &str, params: impl IntoIterator<Item = Value>) -> Result<Value, Failure> {
        let session = match &self.outsider {
            Some(session) => session.clone(),
            None => {
                let params = Vec::from(["root", "", "1.0", "outside"].map(Value::from));
                let session = self.ask(RawCall { method: "session.login_with_password".into(), params })?;
                self.outsider.insert(session).clone()
            }
        };
        let params = core::iter::once(session).chain(params).collect();
        self.ask(RawCall { method: method.into(), params })
    }

    fn ask(&mut self, call: RawCall) -> Result<Value, Failure> {
        let outcome = match self.sim.handle(call, Origin::UnixSocket, self.now) {
            Handled::Done(outcome) => outcome,
            Handled::Pending(id) => {
                let mut answer = None;
                self.wait_for("an answer to a call from outside", |pair| {
                    answer = pair.outside_answers.remove(&id);
                    answer.is_some()
                });
                answer.unwrap_or(Outcome::Value(Value::VOID))
            }
        };
        match outcome {
            Outcome::Value(value) | Outcome::Bare(value) => Ok(value),
            Outcome::Shared(shared) => Ok(shared.to_value()),
            Outcome::Failure(failure) => Err(failure),
        }
    }

    /// Ends the client's session behind its back.
    pub fn end_session(&mut self) {
        if let Some(session) = self.client.session().map(Value::from) {
            let logout = RawCall { method: "session.logout".into(), params: Vec::from([session]) };
            // A session that is gone already is as good as ended.
            let _ = self.ask(logout);
        }
    }

    /// Replaces the server, as by a restart: its sessions and tokens are gone, and connections break. The new one needs another seed:
    /// the same would give out the same references again, those of sessions included.
    pub fn restart(&mut self, sim: Sim) {
        self.sim = sim;
        self.outsider = None;
        // Taken, since the new server counts from the beginning: an answer of its own must not look like one to these.
        let taken = self.open.iter_mut().filter_map(|(id, open)| open.pending.take().map(|_| *id));
        let broken: Vec<_> = taken.collect();
        for id in broken {
            self.travel(Transit::Lost(id, "connection reset by peer".into()));
        }
    }

    /// Loads everything into a new cache, past the client and the network.
    ///
    /// # Panics
    /// When the server refuses or answers something else.
    pub fn reloaded(&mut self) -> Cache {
        let mut cache = Cache::new();
        cache.track_console();
        let classes = cache.classes().map(|class| Value::from(class.name)).collect::<Vec<_>>();
        let answer = self.outside("event.from", [classes.into(), "".into(), Value::Double(0.1)]);
        let answer = answer.unwrap_or_else(|failure| panic!("everything cannot be loaded: {failure}"));
        let batch = cache.read_batch(&mut ValueReader::new(&answer)).expect("event.from answers a batch");
        cache.replace(batch, &|_| true);
        cache
    }

    /// Lets time pass until `done` or `end`; whether it was done.
    fn until(&mut self, end: Millis, mut done: impl FnMut(&mut Pair) -> bool) -> bool {
        loop {
            while self.step() {}
            if done(self) {
                return true;
            }
            let soonest = Millis(self.now.0 + 1);
            match self.next().map(|at| at.max(soonest)).filter(|at| *at <= end) {
                Some(at) => self.now = at,
                None if self.now >= end => return false,
                None => self.now = end,
            }
        }
    }

    /// When something happens next.
    fn next(&self) -> Option<Millis> {
        let deadlines = self.open.values().map(|open| open.deadline);
        let arrival = self.transits.keys().next().map(|(at, _)| *at);
        deadlines.chain(arrival).chain(self.wake).chain(self.sim.next_deadline()).min()
    }

    /// Does one thing that is due. Whether there was one.
    fn step(&mut self) -> bool {
        self.poll_client() || self.poll_server() || self.arrive() || self.give_up()
    }

    fn poll_client(&mut self) -> bool {
        match self.client.poll(self.now) {
            Output::Transmit(request) => self.transmit(request),
            Output::Changed(changes) => self.log.changes.extend(changes),
            Output::Done(id) => self.log.done.push(id),
            Output::Progress(_, progress) => self.log.progress.push(progress),
            Output::Status(status) => self.log.statuses.push(status),
            Output::Redirect(address) => self.log.redirects.push(address),
            Output::Wait(until) => {
                self.wake = until;
                return false;
            }
        }
        true
    }

    fn transmit(&mut self, request: Request) {
        self.log.sent.push(request.call.method.clone());
        let open = Open { deadline: self.now + request.timeout, timeout: request.timeout, pending: None };
        self.open.insert(request.id, open);
        if let Some(failure) = self.network.refusal_of(&request.call.method) {
            self.travel(Transit::ToClient(request.id, xmlrpc::write_failure(&failure)));
        } else if self.network.refuses {
            self.travel(Transit::Lost(request.id, "connection refused".into()));
        } else {
            self.travel(Transit::ToServer(request.id, xmlrpc::write_call(&request.call), request.tag));
        }
    }

    fn travel(&mut self, transit: Transit) {
        self.last_transit += 1;
        self.transits.insert((self.now + self.network.delay, self.last_transit), transit);
    }

    fn poll_server(&mut self) -> bool {
        let ready = self.sim.poll(self.now);
        let any = !ready.is_empty();
        for (pending, outcome) in ready {
            let id = self.open.iter().find(|(_, open)| open.pending == Some(pending)).map(|(id, _)| *id);
            match id {
                Some(id) => self.answer(id, &outcome),
                None => drop(self.outside_answers.insert(pending, outcome)),
            }
        }
        any
    }

    fn answer(&mut self, id: RequestId, outcome: &Outcome) {
        let mut bytes = match outcome {
            Outcome::Value(value) => xmlrpc::write_success(value),
            Outcome::Failure(failure) => xmlrpc::write_failure(failure),
            Outcome::Bare(value) => xmlrpc::write_bare(value),
            Outcome::Shared(shared) => xmlrpc::write_success(&shared.to_value()),
        };
        if Network::takes(&mut self.network.lose_answers) {
            return;
        }
        if Network::takes(&mut self.network.cut_answers) {
            bytes.truncate(bytes.len() / 2);
        }
        self.travel(Transit::ToClient(id, bytes));
    }

    fn arrive(&mut self) -> bool {
        let Some(first) = self.transits.first_entry().filter(|first| first.key().0 <= self.now) else { return false };
        match first.remove() {
            Transit::Lost(id, what) => self.tell(id, Reply::Unreachable(what)),
            _ if self.network.is_silent => {}
            Transit::ToServer(id, ..) | Transit::ToClient(id, _) if self.network.refuses => {
                self.tell(id, Reply::Unreachable("connection reset by peer".into()));
            }
            Transit::ToServer(id, bytes, tag) => self.reach_server(id, &bytes, tag),
            Transit::ToClient(id, bytes) => self.reach_client(id, &bytes),
        }
        true
    }

    fn reach_server(&mut self, id: RequestId, bytes: &[u8], tag: Option<String>) {
        let call = match xmlrpc::read_call(bytes, &Limits::request()) {
            Ok(call) => call,
            Err(error) => return self.travel(Transit::Lost(id, format!("500 Internal Error: {error}"))),
        };
        let tags: Vec<_> = tag.map(|tag| (String::from(TASK_TAG), tag)).into_iter().collect();
        match self.sim.handle_tagged(call, Origin::Tcp, &tags, self.now) {
            Handled::Done(outcome) => self.answer(id, &outcome),
            Handled::Pending(pending) => {
                if let Some(open) = self.open.get_mut(&id) {
                    open.pending = Some(pending);
                }
            }
        }
    }

    fn reach_client(&mut self, id: RequestId, bytes: &[u8]) {
        match xmlrpc::read_reply(bytes, &Limits::reply()) {
            Ok(xmlrpc::Outcome::Success(mut reader)) => self.tell(id, Reply::Success(&mut reader)),
            Ok(xmlrpc::Outcome::Failure(failure)) => self.tell(id, Reply::Failure(failure)),
            Ok(other) => self.tell(id, Reply::Unreachable(format!("{other:?}"))),
            Err(error) => self.tell(id, Reply::Broken(error)),
        }
    }

    fn tell(&mut self, id: RequestId, reply: Reply<'_>) {
        if self.open.remove(&id).is_some() {
            self.client.handle(id, reply, self.now);
        }
    }

    /// Ends a request that has taken too long, as a driver does.
    fn give_up(&mut self) -> bool {
        let Some((&id, open)) = self.open.iter().find(|(_, open)| open.deadline <= self.now) else { return false };
        let what = format!("no answer within {}", open.timeout);
        if let Some(pending) = open.pending {
            self.sim.abandon(pending);
        }
        self.tell(id, Reply::Unreachable(what));
        true
    }
}

impl core::fmt::Debug for Pair {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Pair").field("now", &self.now).field("client", &self.client).finish_non_exhaustive()
    }
}
