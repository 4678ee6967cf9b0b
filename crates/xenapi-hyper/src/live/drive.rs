//! What carries requests of the machine to servers and their answers back.

use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;
use tokio::time::Instant;
use xenapi_client::{
    Batch, BatchReader, BatchRest, Client as Machine, Delivered, Output, Parcel, Reply, Request, RequestId, Status, Tap,
    Unreachable,
};
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Failure, ReadError, get_all_records};
use xenapi_model::certificate::CertificateType;
use xenapi_model::{Certificate, Host};

use super::{Network, Shared};
use crate::client::is_repeatable;

/// How long a logout may take when nobody waits for it any more.
const FAREWELL: Duration = Duration::from_secs(5);

/// Where requests go.
pub(super) struct Route<C> {
    /// Where it began.
    first: C,
    /// Other hosts of the pool, by their addresses.
    others: HashMap<Arc<str>, C>,
    /// The master's certificate, as the last member told it.
    vouched: Option<String>,
}

impl<C: Network> Route<C> {
    pub(super) fn new(first: C) -> Self {
        Route { first, others: HashMap::new(), vouched: None }
    }

    /// The way to a host of the pool; none is where it began.
    pub(super) fn to(&mut self, address: Option<&str>) -> Result<C, C::Error> {
        let Some(address) = address else { return Ok(self.first.clone()) };
        if let Some(known) = self.others.get(address) {
            return Ok(known.clone());
        }
        let there = self.first.beside(address, None)?;
        self.others.insert(address.into(), there.clone());
        Ok(there)
    }

    /// A member has named the master.
    fn named(&mut self, address: &str) {
        if let Some(sha256) = self.vouched.take() {
            self.first.vouch(address, &sha256);
            // What was known of it before was known with less.
            self.others.remove(address);
        }
    }
}

/// A batch that is read while it arrives, so that a full load is never held whole as text.
struct Load {
    stream: xmlrpc::ReplyStream,
    batch: BatchReader,
    broken: Option<ReadError>,
}

/// Shared by the driver and the tap that fills it.
type SharedLoad = Arc<Mutex<Option<Load>>>;

impl Load {
    fn begin(batch: BatchReader, limits: &Limits) -> SharedLoad {
        Arc::new(Mutex::new(Some(Load { stream: xmlrpc::ReplyStream::items_of("events", limits), batch, broken: None })))
    }

    /// What gives the bytes to it.
    fn tap(load: &SharedLoad) -> Tap {
        let load = load.clone();
        Box::new(move |chunk| {
            if let Some(load) = &mut *load.lock().unwrap_or_else(PoisonError::into_inner) {
                load.take(chunk);
            }
        })
    }

    fn take(&mut self, mut chunk: &[u8]) {
        let Load { stream, batch, broken } = self;
        while broken.is_none() {
            match stream.next_item_with(&mut chunk, &mut |reader| batch.event(reader)) {
                // The batch keeps errors of single events.
                Ok(Some(Ok(()))) => {}
                Ok(Some(Err(error))) if !error.is_fatal() => {}
                Ok(None) => return,
                Ok(Some(Err(error))) | Err(error) => *broken = Some(error),
            }
        }
    }

    fn finish(self) -> Result<Result<Batch, Failure>, ReadError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let rest = self.stream.finish(BatchRest::read)?;
        Ok(rest.map(|rest| self.batch.finish(rest)))
    }
}

/// A request on its way, and what is needed when its answer comes.
struct Sending<C: Network> {
    request: Request,
    /// Where it goes; or why it cannot.
    carrier: Result<C, C::Error>,
    load: Option<SharedLoad>,
}

/// What to do after the machine has said all that it wants.
struct Step<C: Network> {
    requests: Vec<Sending<C>>,
    /// When to come back.
    until: Option<Instant>,
    /// The pool was loaded anew.
    loaded: bool,
    /// There is nothing more to do.
    over: bool,
}

impl<C: Network> Shared<C> {
    fn advance(&self) -> Step<C> {
        let mut state = self.lock();
        let state = &mut *state;
        let mut step = Step { requests: Vec::new(), until: None, loaded: false, over: false };
        loop {
            match state.machine.poll(self.now()) {
                Output::Transmit(request) => {
                    let carrier = state.route.to(request.address.as_deref());
                    let reader = state.machine.batch_reader(request.id);
                    let load = reader.map(|reader| Load::begin(reader, &self.limits));
                    step.requests.push(Sending { request, carrier, load });
                }
                Output::Done(id) => {
                    if let Some(waiter) = state.waiting.remove(&id) {
                        // Who gave up meanwhile needs no word.
                        let _ = waiter.done.send(());
                    }
                }
                Output::Progress(id, progress) => {
                    if let Some(waiter) = state.waiting.get(&id) {
                        let _ = waiter.progress.send(progress);
                    }
                }
                Output::Changed(changes) => {
                    if !state.subscribers.is_empty() {
                        let changes = Arc::from(changes);
                        state.subscribers.retain(|subscriber| subscriber.tell(&changes));
                    }
                    self.tell(&state.machine);
                }
                Output::Redirect(address) => {
                    state.route.named(&address);
                    self.tell(&state.machine);
                }
                Output::Status(status) => {
                    step.loaded |= status == Status::Live;
                    self.tell(&state.machine);
                }
                Output::Wait(until) => {
                    step.until = until.and_then(|until| self.start.checked_add(Duration::from_millis(until.0)));
                    let logged_out = matches!(state.machine.status(), Status::LoggedOut | Status::Refused(_));
                    step.over = state.over || state.ending && logged_out;
                    return step;
                }
            }
        }
    }

    fn answered(&self, id: RequestId, reply: Result<Delivered<C::Document>, C::Error>, load: Option<SharedLoad>) {
        let load = load.and_then(|load| load.lock().unwrap_or_else(PoisonError::into_inner).take());
        let mut state = self.lock();
        let delivered = match reply {
            Ok(delivered) => delivered,
            Err(error) => {
                let what = Unreachable::caused_by(error.to_string(), Arc::new(error));
                return state.machine.handle(id, Reply::Lost(what), self.now());
            }
        };
        if delivered.vouched.is_some() {
            state.route.vouched = delivered.vouched;
        }
        let machine = &mut state.machine;
        match load.filter(|_| delivered.tapped).map(Load::finish) {
            None => self.read(machine, id, delivered.document.as_ref()),
            Some(Ok(Ok(batch))) => machine.handle_batch(id, batch, self.now()),
            Some(Ok(Err(failure))) => machine.handle(id, Reply::Failure(failure), self.now()),
            Some(Err(error)) => machine.handle(id, Reply::Broken(error), self.now()),
        }
    }

    fn read(&self, machine: &mut Machine, id: RequestId, document: &[u8]) {
        match xmlrpc::read_reply(document, &self.limits) {
            Ok(xmlrpc::Outcome::Success(mut reader)) => machine.handle(id, Reply::Success(&mut reader), self.now()),
            Ok(xmlrpc::Outcome::Failure(failure)) => machine.handle(id, Reply::Failure(failure), self.now()),
            Ok(xmlrpc::Outcome::Fault { code, text }) => {
                machine.handle(id, Reply::Failure(Failure::new("Fault", [text, code.to_string()])), self.now());
            }
            Ok(_) => {
                machine.handle(id, Reply::Broken(ReadError::syntax("a result or a failure", "another reply")), self.now())
            }
            Err(error) => machine.handle(id, Reply::Broken(error), self.now()),
        }
    }
}

/// Sends what the machine wants sent, and hands it the answers.
pub(super) async fn drive<C: Network>(shared: Arc<Shared<C>>) {
    let mut replies = JoinSet::new();
    let mut helpers = JoinSet::new();
    let mut patience = None;
    loop {
        let step = shared.advance();
        if step.over {
            return;
        }
        if shared.lock().ending && patience.is_none() {
            patience = Some(Instant::now() + FAREWELL);
        }
        if step.loaded && shared.lock().route.first.needs_vouching() {
            helpers.abort_all();
            helpers.spawn(learn(shared.clone()));
        }
        for sending in step.requests {
            replies.spawn(async move {
                let (id, load) = (sending.request.id, sending.load.clone());
                (id, send(sending).await, load)
            });
        }
        tokio::select! {
            // A request that panicked is given up by the machine when its time is over.
            Some(Ok((id, reply, load))) = replies.join_next() => shared.answered(id, reply, load),
            Some(_) = helpers.join_next() => {}
            () = shared.wake.notified() => {}
            () = at(step.until) => {}
            () = at(patience) => return,
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => core::future::pending().await,
    }
}

async fn send<C: Network>(sending: Sending<C>) -> Result<Delivered<C::Document>, C::Error> {
    let Sending { request, carrier, load } = sending;
    let document = xmlrpc::write_call(&request.call);
    let repeatable = is_repeatable(&request.call);
    let tap = load.as_ref().map(Load::tap);
    carrier?.carry(Parcel { document, timeout: request.timeout, repeatable, tag: request.tag, tap }).await
}

/// Learns the certificates of the pool's hosts while there is one to be asked: when it dies, another one takes over, and nobody could
/// vouch for it any more.
async fn learn<C: Network>(shared: Arc<Shared<C>>) {
    // Servers before Citrix Hypervisor 8.2 have no such records; and whoever may not read them goes without.
    let Ok(certificates) = shared.clone().call(get_all_records::<Certificate>()).await else { return };
    let Ok(hosts) = shared.clone().call(get_all_records::<Host>()).await else { return };
    let carrier = shared.lock().route.first.clone();
    let mut shown: Vec<_> = certificates.records.into_iter().map(|(_, it)| it).collect();
    shown.retain(|it| it.r#type == CertificateType::Host);
    shown.sort_by_key(|it| it.not_after);
    for (host, record) in hosts.records {
        if let Some(it) = shown.iter().rfind(|it| it.host.as_ref() == Some(&host)) {
            let sha256 = if it.fingerprint_sha256.is_empty() { &it.fingerprint } else { &it.fingerprint_sha256 };
            carrier.vouch(&record.address, sha256);
        }
    }
}
