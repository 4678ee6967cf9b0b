//! What carries requests of the machine to servers and their answers back.

use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::Instant;
use xenapi_client::{Client as Machine, Delivered, Output, Parcel, Reply, Request, RequestId, Status, Unreachable};
use xenapi_codec::xmlrpc;
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

/// What to do after the machine has said all that it wants.
struct Step<C: Network> {
    /// To be sent, each to its server; or why that cannot be.
    requests: Vec<(Request, Result<C, C::Error>)>,
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
                    step.requests.push((request, carrier));
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

    fn answered(&self, id: RequestId, reply: Result<Delivered<C::Document>, C::Error>) {
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
        self.read(&mut state.machine, id, delivered.document.as_ref());
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
        for (request, carrier) in step.requests {
            replies.spawn(async move { (request.id, send(carrier, request).await) });
        }
        tokio::select! {
            // A request that panicked is given up by the machine when its time is over.
            Some(Ok((id, reply))) = replies.join_next() => shared.answered(id, reply),
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

async fn send<C: Network>(carrier: Result<C, C::Error>, request: Request) -> Result<Delivered<C::Document>, C::Error> {
    let document = xmlrpc::write_call(&request.call);
    let repeatable = is_repeatable(&request.call);
    carrier?.carry(Parcel { document, timeout: request.timeout, repeatable, tag: request.tag }).await
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
