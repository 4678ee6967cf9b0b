//! A client and a simulated pool.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use xenapi_client::{Cache, Change, Client, Config, Output, Reply, Request, RequestId, Status, TASK_TAG, Ticket, TicketId};
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Call, Failure, Millis, RawCall, RawRef, Value, ValueReader, Wire};
use xenapi_sim::{Handled, Incident, Origin, Outcome, PendingId, Sim};

use crate::network::{Fate, Network};

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

/// A request under way.
struct Letter {
    id: RequestId,
    bytes: Vec<u8>,
    tag: Option<String>,
    address: Option<Arc<str>>,
}

/// A document under way.
enum Transit {
    ToServer(Letter),
    /// The beginning of an answer.
    Part(RequestId, Vec<u8>),
    /// An answer, or the rest of one.
    ToClient(RequestId, Vec<u8>),
    /// What the client's own host says.
    Lost(RequestId, String),
}

/// A request that is not answered.
struct Open {
    deadline: Millis,
    timeout: Millis,
    /// The calls at the server that work for it: more than one, if two connections carried it.
    pending: Vec<PendingId>,
    /// Which host has it.
    host: Option<RawRef>,
    is_login: bool,
    /// Two connections carry it.
    doubled: bool,
    /// What has arrived of the answer.
    arrived: Vec<u8>,
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
    /// The host at the driver's own target, where each host is asked at its own address.
    own: Option<RawRef>,
    sessions: Vec<String>,
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
            own: None,
            sessions: Vec::new(),
        }
    }

    /// From now on each host answers at its own address only, and the driver's own target is the present master.
    pub fn spread(&mut self) {
        self.own = self.sim.hosts().into_iter().find(|host| host.is_master).map(|host| host.reference);
    }

    /// The server.
    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// Lets something befall the server. One that cannot happen does not.
    pub fn befall(&mut self, incident: Incident) {
        if matches!(incident, Incident::LoseSessions | Incident::Restart { .. } | Incident::ChangeMaster(_)) {
            self.outsider = None;
        }
        // What cannot happen, such as the death of a host that is dead, is as good as done.
        let _ = self.sim.befall(incident, self.now);
    }

    /// Lets faults of the simulator happen, as `xenapi_sim::faults` writes them.
    ///
    /// # Panics
    /// When that is no fault.
    pub fn fault(&mut self, text: &str) {
        let faults = xenapi_sim::faults::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        self.sim.add_faults(&faults, self.now);
    }

    /// All sessions that the client was told of.
    pub fn sessions(&self) -> &[String] {
        &self.sessions
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
        let taken = self.open.iter_mut().filter(|(_, open)| !open.pending.is_empty());
        let broken: Vec<_> = taken.map(|(id, open)| (*id, open.pending.clear())).map(|(id, ())| id).collect();
        for id in broken {
            self.reset(id);
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
        let Request { id, call, timeout, address, tag, .. } = request;
        self.log.sent.push(call.method.clone());
        let is_login = call.method.contains("login_with_password");
        let deadline = self.now + timeout;
        let open =
            Open { deadline, timeout, pending: Vec::new(), host: None, is_login, doubled: false, arrived: Vec::new() };
        self.open.insert(id, open);
        if let Some(failure) = self.network.refusal_of(&call.method) {
            return self.travel(Transit::ToClient(id, xmlrpc::write_failure(&failure)));
        }
        if self.network.refuses {
            return self.travel(Transit::Lost(id, "connection refused".into()));
        }
        let bytes = xmlrpc::write_call(&call);
        match self.network.fate_of_request() {
            Fate::Vanishes | Fate::EndsAt(_) => {}
            Fate::Resets => self.reset(id),
            Fate::Arrives => {
                if self.network.doubles() {
                    if let Some(open) = self.open.get_mut(&id) {
                        open.doubled = true;
                    }
                    let (bytes, tag, address) = (bytes.clone(), tag.clone(), address.clone());
                    self.travel(Transit::ToServer(Letter { id, bytes, tag, address }));
                }
                self.travel(Transit::ToServer(Letter { id, bytes, tag, address }));
            }
        }
    }

    fn travel(&mut self, transit: Transit) {
        self.travel_from(self.now, transit);
    }

    /// Sends a document on its way at that time; when it arrives.
    fn travel_from(&mut self, start: Millis, transit: Transit) -> Millis {
        self.last_transit += 1;
        let at = start + self.network.travel_time();
        self.transits.insert((at, self.last_transit), transit);
        at
    }

    fn reset(&mut self, id: RequestId) {
        self.travel(Transit::Lost(id, "connection reset by peer".into()));
    }

    fn poll_server(&mut self) -> bool {
        let ready = self.sim.poll(self.now);
        let hung_up = self.sim.take_hung_up();
        let any = !ready.is_empty() || !hung_up.is_empty();
        for (pending, outcome) in ready {
            match self.waiting_for(pending) {
                Some(id) => self.answer(id, &outcome),
                None => drop(self.outside_answers.insert(pending, outcome)),
            }
        }
        for pending in hung_up {
            match self.waiting_for(pending) {
                Some(id) => self.reset(id),
                None => {
                    let broken = Outcome::Failure(Failure::new("HUNG_UP", [""; 0]));
                    self.outside_answers.insert(pending, broken);
                }
            }
        }
        any
    }

    fn waiting_for(&self, pending: PendingId) -> Option<RequestId> {
        self.open.iter().find(|(_, open)| open.pending.contains(&pending)).map(|(id, _)| *id)
    }

    fn answer(&mut self, id: RequestId, outcome: &Outcome) {
        let host = self.open.get(&id).and_then(|open| open.host.clone());
        if host.is_some() && !self.sim.answers(host.as_ref()) {
            // The host has died meanwhile.
            return;
        }
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
        match self.network.fate_of_answer(bytes.len()) {
            Fate::Vanishes => return,
            Fate::Resets => return self.reset(id),
            Fate::EndsAt(length) => bytes.truncate(length),
            Fate::Arrives => {}
        }
        // The parts of two answers must not get mixed.
        let is_alone = self.open.get(&id).is_some_and(|open| !open.doubled);
        match self.network.splits_at(bytes.len()).filter(|_| is_alone) {
            Some(at) => {
                let rest = bytes.split_off(at);
                let first = self.travel_from(self.now, Transit::Part(id, bytes));
                self.travel_from(first, Transit::ToClient(id, rest));
            }
            None => self.travel(Transit::ToClient(id, bytes)),
        }
    }

    fn arrive(&mut self) -> bool {
        let Some(first) = self.transits.first_entry().filter(|first| first.key().0 <= self.now) else { return false };
        match first.remove() {
            Transit::Lost(id, what) => self.tell(id, Reply::Unreachable(what)),
            _ if self.network.is_silent => {}
            Transit::ToServer(Letter { id, .. }) | Transit::ToClient(id, _) | Transit::Part(id, _)
                if self.network.refuses =>
            {
                self.tell(id, Reply::Unreachable("connection reset by peer".into()));
            }
            Transit::ToServer(letter) => self.reach_server(letter),
            Transit::Part(id, bytes) => {
                if let Some(open) = self.open.get_mut(&id) {
                    open.arrived = bytes;
                }
            }
            Transit::ToClient(id, bytes) => self.reach_client(id, bytes),
        }
        true
    }

    /// Where a request arrives: nowhere, if the host is down; an error, if there is none at that address.
    fn origin_at(&self, address: Option<&str>) -> Result<Option<(Origin, Option<RawRef>)>, String> {
        let Some(own) = &self.own else { return Ok(Some((Origin::Tcp, None))) };
        let at = |host: &xenapi_sim::HostInfo| match address {
            None => host.reference == *own,
            Some(address) => host.address == address,
        };
        let host = self.sim.hosts().into_iter().find(at).ok_or("no route to host")?;
        if !self.sim.answers(Some(&host.reference)) {
            return Ok(None);
        }
        Ok(Some((Origin::Host(host.id), Some(host.reference))))
    }

    fn reach_server(&mut self, letter: Letter) {
        let Letter { id, bytes, tag, address } = letter;
        let (origin, host) = match self.origin_at(address.as_deref()) {
            Ok(Some(origin)) => origin,
            Ok(None) => return,
            Err(what) => return self.travel(Transit::Lost(id, what)),
        };
        let call = match xmlrpc::read_call(&bytes, &Limits::request()) {
            Ok(call) => call,
            Err(error) => return self.travel(Transit::Lost(id, format!("500 Internal Error: {error}"))),
        };
        if let Some(open) = self.open.get_mut(&id) {
            open.host = host;
        }
        let tags: Vec<_> = tag.map(|tag| (String::from(TASK_TAG), tag)).into_iter().collect();
        match self.sim.handle_tagged(call, origin, &tags, self.now) {
            Handled::Done(outcome) => self.answer(id, &outcome),
            Handled::Pending(pending) => match self.open.get_mut(&id) {
                Some(open) => open.pending.push(pending),
                None => self.sim.abandon(pending),
            },
        }
    }

    fn reach_client(&mut self, id: RequestId, rest: Vec<u8>) {
        let Some(open) = self.open.get_mut(&id) else { return };
        let mut bytes = core::mem::take(&mut open.arrived);
        bytes.extend(rest);
        if open.is_login
            && let Ok(xmlrpc::Outcome::Success(mut reader)) = xmlrpc::read_reply(&bytes, &Limits::reply())
            && let Ok(session) = String::read(&mut reader)
        {
            self.sessions.push(session);
        }
        match xmlrpc::read_reply(&bytes, &Limits::reply()) {
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
        for pending in open.pending.clone() {
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
