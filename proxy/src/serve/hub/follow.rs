//! Following a pool: one `event.from` after the other, with the session of somebody who takes part.

use alloc::sync::Arc;
use core::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt as _;
use tokio::time::Instant;
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Failure, Value, Wire as _};
use xenapi_model::event;

use super::joiners::LEAVES_AFTER;
use super::lean::{LeanEvent, Tail, read_event, read_tail};
use super::{Hub, Trouble};
use crate::serve::errors::{Code, Refusal};

/// How long the pool may hold back an empty batch. Short, because an answer is the only sign of life.
const HOLD: Duration = Duration::from_secs(1);

/// How long after an interruption.
const PROBE: Duration = Duration::from_millis(100);

/// How much longer than it may hold back an answer the pool may take to give one.
const MARGIN: Duration = Duration::from_secs(3);

/// How long a full load may take.
const LOAD: Duration = Duration::from_secs(120);

/// Between two attempts after so many failures: from the first to the most.
const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_MOST: Duration = Duration::from_secs(3);

/// Between two full loads because what the pool counts is not what is here.
const RELOAD: Duration = Duration::from_secs(300);

/// What one round came to.
struct Batch {
    events: Vec<LeanEvent>,
    tail: Tail,
}

/// Follows the pool until nobody has taken part for a while.
pub(super) async fn run(hub: Arc<Hub>) {
    let mut follower = Follower::default();
    let mut idle_since = None;
    loop {
        let now = Instant::now();
        let Some(session) = hub.lock().joiners.pick(now) else {
            let since = *idle_since.get_or_insert(now);
            if now >= since + LEAVES_AFTER && hub.end() {
                return;
            }
            hub.nudged_within(LEAVES_AFTER).await;
            continue;
        };
        idle_since = None;
        if let Err(wait) = follower.round(&hub, &session).await {
            hub.nudged_within(wait).await;
        }
    }
}

#[derive(Default)]
struct Follower {
    /// Where the events go on; empty for a full load.
    token: String,
    failures: u32,
    reloaded: Option<Instant>,
}

impl Follower {
    /// Asks once, and takes over the answer. The error is how long to wait before the next time.
    async fn round(&mut self, hub: &Hub, session: &str) -> Result<(), Duration> {
        let full = self.token.is_empty();
        let hold = if self.failures > 0 { PROBE } else { HOLD };
        let asked = self.ask(hub, session, hold);
        let patience = if full { LOAD } else { hold + MARGIN };
        let answer = tokio::time::timeout(patience, asked).await.unwrap_or_else(|_| {
            let what = format!("pool {}: no answer within {} s", hub.pool, patience.as_secs());
            Err(Trouble::Refusal(Refusal::new(Code::UpstreamTimeout, what)))
        });
        match answer {
            Ok(batch) => {
                self.token = batch.tail.token;
                self.failures = 0;
                let drifted = hub.take(batch.events, full, &batch.tail.counts);
                let rested = self.reloaded.is_none_or(|at| at.elapsed() >= RELOAD);
                if drifted && rested {
                    self.reloaded = Some(Instant::now());
                    self.token.clear();
                }
                Ok(())
            }
            Err(trouble) => self.stumble(hub, session, trouble),
        }
    }

    fn stumble(&mut self, hub: &Hub, session: &str, trouble: Trouble) -> Result<(), Duration> {
        if let Trouble::Failure(failure) = &trouble {
            match failure.code.as_str() {
                // Only this one is out; somebody else's may go on.
                "SESSION_INVALID" => {
                    hub.lock().joiners.remove(session);
                    return Ok(());
                }
                "EVENTS_LOST" | "EVENT_FROM_TOKEN_PARSE_FAILURE" if !self.token.is_empty() => {
                    self.token.clear();
                    return Ok(());
                }
                // What follows may be another pool, or an older state of this one.
                _ => self.token.clear(),
            }
        }
        hub.fail(trouble);
        let wait = RETRY_FIRST.saturating_mul(1 << self.failures.min(6)).min(RETRY_MOST);
        self.failures = self.failures.saturating_add(1);
        Err(wait)
    }

    async fn ask(&self, hub: &Hub, session: &str, hold: Duration) -> Result<Batch, Trouble> {
        let call = event::from(&["*".to_owned()], &self.token, hold.as_secs_f64()).to_raw(&session.into());
        let refused = |error| Trouble::Refusal(Refusal::upstream(&hub.pool, &error));
        let answer = hub.upstream.post(Bytes::from(xmlrpc::write_call(&call)), true).await.map_err(refused)?;
        let broken =
            |what: String| Trouble::Refusal(Refusal::new(Code::UpstreamBroken, format!("pool {}: {what}", hub.pool)));
        if answer.status != StatusCode::OK {
            return Err(broken(format!("it answered HTTP {} instead of XenAPI", answer.status)));
        }
        let unreadable = |error| broken(format!("its events cannot be read: {error}"));
        let mut reply = xmlrpc::ReplyStream::items_of("events", &Limits::reply());
        let mut events = Vec::new();
        let mut body = answer.body;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken(format!("its events broke off: {error}")))?;
            let Ok(data) = frame.into_data() else { continue };
            let mut chunk = data.as_ref();
            while let Some(event) = reply.next_item(&mut chunk, read_event).map_err(unreadable)? {
                // One bad record must not lose the others. It comes again when it changes.
                events.extend(event.ok().flatten());
            }
        }
        match reply.finish(read_tail).map_err(unreadable)? {
            Ok(tail) => Ok(Batch { events, tail }),
            Err(failure) => Err(Trouble::Failure(failure)),
        }
    }
}

/// Asks the pool whether a session is good, by the cheapest call that any role may make.
///
/// # Errors
/// The pool's refusal, or why there is none.
pub(super) async fn check(hub: &Hub, session: &str) -> Result<(), Trouble> {
    let call = xenapi_core::RawCall { method: "pool.get_all".into(), params: vec![Value::from(session)] };
    let refused = |error| Trouble::Refusal(Refusal::upstream(&hub.pool, &error));
    let answer = hub.upstream.post(Bytes::from(xmlrpc::write_call(&call)), true).await.map_err(refused)?;
    let broken = |what: &str| Trouble::Refusal(Refusal::new(Code::UpstreamBroken, format!("pool {}: {what}", hub.pool)));
    if answer.status != StatusCode::OK {
        return Err(broken("it answered no XenAPI"));
    }
    let bytes =
        crate::serve::collect(answer.body, 64 << 10).await.map_err(|_| broken("its answer is too long or broke off"))?;
    match xmlrpc::read_result(&bytes, &Limits::default(), <()>::read) {
        Ok(result) => result.map_err(Trouble::Failure),
        Err(error) => Err(broken(&format!("its answer cannot be read: {error}"))),
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Trouble::Failure(failure)
    }
}
