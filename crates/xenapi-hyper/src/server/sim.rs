//! A simulated pool behind the server.

use xenapi_core::{Millis, RawCall};
use xenapi_sim::{PendingId, Sim};

use super::{Answer, Backend, Handled, Origin, Server};

/// A server that answers for a simulated pool.
pub type SimServer = Server<Sim>;

impl Backend for Sim {
    type Pending = PendingId;

    fn handle(&mut self, call: RawCall, origin: Origin, now: Millis) -> Handled<PendingId> {
        let origin = match origin {
            Origin::Tcp => xenapi_sim::Origin::Tcp,
            Origin::UnixSocket => xenapi_sim::Origin::UnixSocket,
        };
        match Sim::handle(self, call, origin, now) {
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
}

impl From<xenapi_sim::Outcome> for Answer {
    fn from(outcome: xenapi_sim::Outcome) -> Self {
        match outcome {
            xenapi_sim::Outcome::Value(value) => Answer::Value(value),
            xenapi_sim::Outcome::Failure(failure) => Answer::Failure(failure),
            xenapi_sim::Outcome::Bare(value) => Answer::Bare(value),
            xenapi_sim::Outcome::Shared(shared) => Answer::Value(shared.to_value()),
        }
    }
}
