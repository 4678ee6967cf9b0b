//! A simulated pool behind the server.

use xenapi_core::{Millis, RawCall, RawRef};
use xenapi_sim::faults::{Effects, Meeting};
use xenapi_sim::handlers::{self, Exchange, Method, Piece, Reply, Request, Turn};
use xenapi_sim::{HostCertificate, PendingId, Sim};

use super::{Answer, Backend, BoundHost, Handled, Place, Server};

/// A server that answers for a simulated pool.
pub type SimServer = Server<Sim>;

impl Backend for Sim {
    type Pending = PendingId;
    type Exchange = Exchange;

    fn handle(&mut self, call: RawCall, place: &Place, request: &Request, now: Millis) -> Handled<PendingId> {
        let origin = match &place.host {
            Some(host) => self.origin_of(host),
            None => place.sim_origin(),
        };
        match self.handle_tagged(call, origin, &tags(request), now) {
            xenapi_sim::Handled::Done(outcome) => Handled::Done(outcome.into()),
            xenapi_sim::Handled::Pending(pending) => Handled::Pending(pending),
        }
    }

    fn poll(&mut self, now: Millis) -> Vec<(PendingId, Answer)> {
        Sim::poll(self, now).into_iter().map(|(pending, outcome)| (pending, outcome.into())).collect()
    }

    fn next_deadline(&self) -> Option<Millis> {
        Sim::next_deadline(self)
    }

    fn abandon(&mut self, pending: PendingId) {
        Sim::abandon(self, pending);
    }

    fn take_hung_up(&mut self) -> Vec<PendingId> {
        Sim::take_hung_up(self)
    }

    fn serves(&self, method: Method, path: &str) -> bool {
        handlers::serves(method, path)
    }

    fn http(&mut self, request: &Request, now: Millis) -> handlers::Answer {
        Sim::http(self, request, now)
    }

    fn next_piece(&mut self, exchange: &mut Exchange, now: Millis) -> Piece {
        exchange.next(self, now)
    }

    fn take_bytes(&mut self, exchange: &mut Exchange, bytes: &[u8], now: Millis) -> Result<(), Reply> {
        exchange.take(self, bytes, now)
    }

    fn finish(&mut self, exchange: &mut Exchange, whole: bool, now: Millis) -> Reply {
        exchange.finish(self, whole, now)
    }

    fn open(&mut self, exchange: &mut Exchange, now: Millis) -> Turn {
        exchange.open(self, now)
    }

    fn receive(&mut self, exchange: &mut Exchange, bytes: &[u8], now: Millis) -> Turn {
        exchange.receive(self, bytes, now)
    }

    fn wake(&mut self, exchange: &mut Exchange, now: Millis) -> Turn {
        exchange.wake(self, now)
    }

    fn abandon_exchange(&mut self, exchange: &mut Exchange, now: Millis) {
        exchange.abandon(self, now);
    }

    fn meet(&mut self, meeting: &Meeting<'_>, now: Millis) -> Effects {
        Sim::meet(self, meeting, now)
    }

    fn refuses(&mut self, place: &Place, now: Millis) -> bool {
        Sim::refuses(self, place.host.as_ref(), now)
    }

    fn is_https_only(&self, host: Option<&RawRef>) -> bool {
        Sim::is_https_only(self, host)
    }

    fn answers(&self, host: Option<&RawRef>) -> bool {
        Sim::answers(self, host)
    }

    fn cuts(&self, host: Option<&RawRef>) -> u64 {
        Sim::cuts(self, host)
    }

    fn changes(&self) -> u64 {
        Sim::reach_changes(self)
    }

    fn thumbprint(&self, sha1: bool) -> Option<String> {
        self.master_thumbprint(sha1)
    }

    fn listens(&mut self, host: Option<&RawRef>, bound: &BoundHost) {
        if let (Some(host), Some(address)) = (host, bound.https.or(bound.http)) {
            let own_port = bound.https.map(|https| https.port()).filter(|port| *port != 443);
            self.set_address(host, &address.ip().to_string(), own_port);
        }
        if let Some(certificate) = &bound.certificate {
            self.set_certificate(
                host,
                &HostCertificate {
                    sha256: certificate.fingerprint.to_string(),
                    sha1: certificate.sha1.clone(),
                    not_before: certificate.not_before,
                    not_after: certificate.not_after,
                },
            );
        }
    }
}

/// What the headers `x-http-other-config-<key>` say.
fn tags(request: &Request) -> Vec<(String, String)> {
    let tag =
        |(name, value): &(String, String)| Some((name.strip_prefix("x-http-other-config-")?.to_owned(), value.clone()));
    request.headers.iter().filter_map(tag).collect()
}

impl From<xenapi_sim::Outcome> for Answer {
    fn from(outcome: xenapi_sim::Outcome) -> Self {
        match outcome {
            xenapi_sim::Outcome::Value(value) => Answer::Value(value),
            xenapi_sim::Outcome::Failure(failure) => Answer::Failure(failure),
            xenapi_sim::Outcome::Bare(value) => Answer::Bare(value),
            xenapi_sim::Outcome::Shared(shared) => Answer::Shared(shared),
        }
    }
}
