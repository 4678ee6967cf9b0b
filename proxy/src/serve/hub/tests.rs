#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

//! The stream between a simulated pool and consoles, in tokio's own virtual time.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, Full};
use xenapi_client::{Cache, Operation};
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Millis, RawCall, RawRef, Value};
use xenapi_sim::{Config, Handled, Origin, Outcome, Sim};

use super::*;
use crate::serve::upstream::{Answer, Answering, UpstreamError};

/// A simulated pool as the proxy sees it.
struct SimPool {
    sim: Mutex<Sim>,
    start: Instant,
    /// How often events were asked for.
    asked: AtomicUsize,
    cut: AtomicBool,
}

impl SimPool {
    fn new() -> Arc<Self> {
        SimPool::of(&Config { hosts: 3, vms: 40, ..Config::default() })
    }

    fn of(config: &Config) -> Arc<Self> {
        SimPool {
            sim: Mutex::new(Sim::new(config)),
            start: Instant::now(),
            asked: AtomicUsize::new(0),
            cut: AtomicBool::new(false),
        }
        .into()
    }

    fn now(&self) -> Millis {
        Millis(u64::try_from(self.start.elapsed().as_millis()).unwrap())
    }

    async fn answer(&self, call: RawCall) -> Outcome {
        let handled = self.sim.lock().unwrap().handle(call, Origin::Tcp, self.now());
        let pending = match handled {
            Handled::Done(outcome) => return outcome,
            Handled::Pending(pending) => pending,
        };
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let ready = self.sim.lock().unwrap().poll(self.now());
            if let Some((_, outcome)) = ready.into_iter().find(|(id, _)| *id == pending) {
                return outcome;
            }
        }
    }

    /// A call by somebody else.
    async fn call(&self, method: &str, params: Vec<Value>) -> Value {
        match self.answer(RawCall { method: method.into(), params }).await {
            Outcome::Value(value) => value,
            Outcome::Shared(shared) => shared.to_value(),
            other => panic!("{method}: {other:?}"),
        }
    }

    async fn log_in(&self) -> String {
        let login = self.call("session.login_with_password", vec!["root".into(), xenapi_sim::PASSWORD.into()]).await;
        login.as_text().unwrap().to_owned()
    }
}

impl Upstream for SimPool {
    fn post(&self, body: Bytes, _: bool) -> Answering<'_> {
        Box::pin(async move {
            if self.cut.load(Ordering::SeqCst) {
                return Err(UpstreamError::Unreachable("the line is cut".into()));
            }
            let call = xmlrpc::read_call(&body, &Limits::request()).unwrap();
            self.asked.fetch_add(usize::from(call.method == "event.from"), Ordering::SeqCst);
            let document = match self.answer(call).await {
                Outcome::Value(value) => xmlrpc::write_success(&value),
                Outcome::Shared(shared) => xmlrpc::write_success(&shared.to_value()),
                Outcome::Failure(failure) => xmlrpc::write_failure(&failure),
                other => panic!("{other:?}"),
            };
            Ok(Answer {
                status: StatusCode::OK,
                content_type: Some(HeaderValue::from_static("text/xml")),
                length: None,
                body: Full::new(Bytes::from(document)).map_err(Into::into).boxed_unsync(),
            })
        })
    }
}

/// A console: what it knows and where it is.
struct Console {
    hub: Arc<Hub>,
    session: String,
    cache: Cache,
    token: String,
}

impl Console {
    async fn open(pool: &SimPool, hub: &Arc<Hub>) -> Console {
        let mut cache = Cache::new();
        cache.track_console();
        Console { hub: Arc::clone(hub), session: pool.log_in().await, cache, token: String::new() }
    }

    /// Takes over the next batch, and answers how many objects it changed.
    async fn step(&mut self, hold: Duration) -> Result<usize, Trouble> {
        let ask = Ask { pace: Pace::Eager, ..Ask::all(self.token.clone(), hold) };
        let document = self.hub.batch(&self.session, &ask).await?.to_xml();
        let xmlrpc::Outcome::Success(mut reader) = xmlrpc::read_reply(&document, &Limits::reply()).unwrap() else {
            panic!()
        };
        let batch = self.cache.read_batch(&mut reader).unwrap();
        let full = self.token.is_empty();
        self.token = batch.token().into();
        Ok(if full { self.cache.replace(batch, &|_| true) } else { self.cache.apply(batch) }.len())
    }

    /// Goes on until nothing new comes.
    async fn catch_up(&mut self) {
        while self.step(Duration::ZERO).await.unwrap() > 0 {}
    }
}

/// Everything about some classes as the pool itself says it, with the console's own reader.
async fn truth(pool: &SimPool) -> Cache {
    let session = pool.log_in().await;
    let params = vec![Value::from(session.as_str()), Value::Array(vec!["*".into()]), "".into(), Value::Double(1.0)];
    let mut cache = Cache::new();
    cache.track_console();
    let document = xmlrpc::write_success(&pool.call("event.from", params).await);
    let xmlrpc::Outcome::Success(mut reader) = xmlrpc::read_reply(&document, &Limits::reply()).unwrap() else { panic!() };
    let batch = cache.read_batch(&mut reader).unwrap();
    cache.replace(batch, &|_| true);
    cache
}

/// The objects that only one of the two has.
fn strangers(one: &Cache, other: &Cache) -> Vec<String> {
    let changes = one.differences_to(other);
    let strange = changes.iter().filter(|change| change.operation != Operation::Modified);
    strange.map(|change| format!("{} {} {:?}", change.class, change.reference, change.operation)).collect()
}

#[tokio::test(start_paused = true)]
async fn consoles_get_what_the_pool_has_by_one_stream() {
    let pool = SimPool::new();
    let hub = Arc::new(Hub::new("lab", pool.clone()));
    let mut one = Console::open(&pool, &hub).await;
    one.step(Duration::from_secs(2)).await.unwrap();
    assert!(one.cache.count::<xenapi_model::VM>() > 40);
    assert_eq!(one.cache.count::<xenapi_model::VBD>(), 0, "disks are not in the first page");
    one.catch_up().await;
    let mut two = Console::open(&pool, &hub).await;
    two.catch_up().await;
    let asked = pool.asked.load(Ordering::SeqCst);
    let truth = truth(&pool).await;
    for console in [&one, &two] {
        assert_eq!(strangers(&console.cache, &truth), [""; 0]);
        let (reference, vm) = truth.iter::<xenapi_model::VM>().last().unwrap();
        let lean = console.cache.get(&reference).unwrap();
        assert_eq!((&lean.name_label, &lean.power_state, &lean.vbds), (&vm.name_label, &vm.power_state, &vm.vbds));
        assert!(lean.allowed_operations.is_empty() && lean.recommendations.is_empty());
    }
    // Two consoles wait; the pool is asked once a second.
    let both = async { tokio::join!(one.step(Duration::from_secs(10)), two.step(Duration::from_secs(10))) };
    let (first, second) = both.await;
    assert_eq!((first, second), (Ok(0), Ok(0)));
    assert!(pool.asked.load(Ordering::SeqCst) - asked <= 14, "{} in 10 s", pool.asked.load(Ordering::SeqCst) - asked);
}

#[tokio::test(start_paused = true)]
async fn a_change_reaches_everyone_at_once() {
    let pool = SimPool::new();
    let hub = Arc::new(Hub::new("lab", pool.clone()));
    let mut one = Console::open(&pool, &hub).await;
    one.catch_up().await;
    let (vm, _) = one.cache.iter::<xenapi_model::VM>().next().unwrap();
    let vm = vm.raw().clone();
    let session = pool.log_in().await;
    let rename = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let params = vec![session.as_str().into(), Value::from(&vm), "renamed".into()];
        pool.call("VM.set_name_label", params).await;
    };
    let began = Instant::now();
    let (changed, ()) = tokio::join!(one.step(Duration::from_secs(5)), rename);
    assert_eq!(changed, Ok(1));
    // The pool itself gathers changes for 50 ms.
    assert!(began.elapsed() < Duration::from_millis(400), "{:?}", began.elapsed());
    assert_eq!(one.cache.get(&vm.typed::<xenapi_model::VM>()).unwrap().name_label, "renamed");
}

#[tokio::test(start_paused = true)]
async fn when_one_logs_out_the_others_go_on() {
    let pool = SimPool::new();
    let hub = Arc::new(Hub::new("lab", pool.clone()));
    let mut one = Console::open(&pool, &hub).await;
    let mut two = Console::open(&pool, &hub).await;
    two.catch_up().await;
    one.catch_up().await;
    // Its session is the one that was used last, so the stream runs on it.
    pool.call("session.logout", vec![one.session.as_str().into()]).await;
    hub.leave(&one.session);
    assert_eq!(two.step(Duration::from_secs(2)).await, Ok(0));
    let refused = one.step(Duration::from_secs(2)).await;
    assert!(matches!(&refused, Err(Trouble::Failure(failure)) if failure.code == "SESSION_INVALID"), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_without_a_session_takes_part() {
    let pool = SimPool::new();
    let hub = Arc::new(Hub::new("lab", pool.clone()));
    let mut one = Console::open(&pool, &hub).await;
    one.catch_up().await;
    one.session = "OpaqueRef:00000000-0000-0000-0000-000000000000".into();
    let refused = one.step(Duration::from_secs(2)).await;
    assert!(matches!(&refused, Err(Trouble::Failure(failure)) if failure.code == "SESSION_INVALID"), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn while_the_pool_is_away_nobody_is_told_that_nothing_happens() {
    let pool = SimPool::new();
    let hub = Arc::new(Hub::new("lab", pool.clone()));
    let mut one = Console::open(&pool, &hub).await;
    one.catch_up().await;
    pool.cut.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(2)).await;
    for _ in 0..3 {
        let refused = one.step(Duration::from_secs(2)).await;
        let Err(Trouble::Refusal(refusal)) = refused else { panic!("{refused:?}") };
        assert_eq!(refusal.code, Code::UpstreamUnreachable);
    }
    pool.cut.store(false, Ordering::SeqCst);
    let began = Instant::now();
    while one.step(Duration::from_millis(100)).await.is_err() {}
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_nobody_looks_at_ends() {
    let pool = SimPool::new();
    let hub = Arc::new(Hub::new("lab", pool.clone()));
    let mut one = Console::open(&pool, &hub).await;
    one.catch_up().await;
    let token = one.token.clone();
    tokio::time::sleep(Duration::from_secs(200)).await;
    let asked = pool.asked.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(200)).await;
    assert_eq!(pool.asked.load(Ordering::SeqCst), asked, "nobody is there to ask for");
    assert!(!hub.is_loaded());
    // Whoever comes back later begins anew.
    assert_eq!(one.token, token);
    let lost = one.step(Duration::from_secs(2)).await;
    assert!(matches!(&lost, Err(Trouble::Failure(failure)) if failure.code == "EVENTS_LOST"), "{lost:?}");
    one.token.clear();
    one.catch_up().await;
    assert_eq!(strangers(&one.cache, &truth(&pool).await), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn the_long_answer_has_a_snapshot_and_then_what_changes() {
    let pool = SimPool::new();
    let hub = Arc::new(Hub::new("lab", pool.clone()));
    let session = pool.log_in().await;
    hub.admit(&session).await.unwrap();
    let mut body = hub.listen(session.clone(), String::new());
    let mut next = async || {
        let frame = body.frame().await.unwrap().unwrap();
        String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
    };
    let first = next().await;
    assert!(first.starts_with("event: batch\nid: ") && first.ends_with("\n\n"), "{first:.200}");
    let data: serde_json::Value = serde_json::from_str(first.split("data: ").nth(1).unwrap()).unwrap();
    let events = data["events"].as_array().unwrap();
    let vm = events.iter().find(|event| event["class"] == "vm" && event["snapshot"]["VCPUs_max"].is_number()).unwrap();
    let vm = RawRef::from(vm["ref"].as_str().unwrap());
    while !next().await.starts_with(": ") {}
    let params = vec![session.as_str().into(), Value::from(&vm), "renamed".into()];
    pool.call("VM.set_name_label", params).await;
    let change = next().await;
    assert!(change.contains("\"renamed\"") && change.contains("\"operation\":\"mod\""), "{change:.300}");
    pool.call("session.logout", vec![session.as_str().into()]).await;
    hub.leave(&session);
    let mut last = next().await;
    while !last.starts_with("event: end") {
        assert!(!last.contains(&session), "{last}");
        last = next().await;
    }
    assert!(last.contains("SESSION_INVALID") && !last.contains(&session), "{last}");
}

#[tokio::test(start_paused = true)]
async fn pictures_lists_and_impact_are_the_same_on_lean_records() {
    for scenario in [xenapi_sim::Scenario::Standard, xenapi_sim::Scenario::Degraded] {
        let pool = SimPool::of(&Config { hosts: 5, vms: 120, scenario, ..Config::default() });
        let hub = Arc::new(Hub::new("lab", pool.clone()));
        let mut console = Console::open(&pool, &hub).await;
        console.catch_up().await;
        // As the pool is now: the second session is no part of what is compared, but tasks come and go.
        let truth = truth(&pool).await;
        console.catch_up().await;
        let (lean, full) = (&console.cache, &truth);
        for lens in xenapi_topology::Lens::ALL {
            let picture = |cache| {
                let graph = xenapi_topology::graph(cache, lens, &xenapi_topology::Options::default());
                xenapi_topology::json(&graph)
            };
            assert_eq!(picture(lean), picture(full), "{scenario:?} {lens}");
        }
        let impact = |cache: &Cache| {
            let hosts = full.iter::<xenapi_model::Host>().map(|(host, _)| ("host", host.into_raw()));
            let srs = full.iter::<xenapi_model::SR>().map(|(sr, _)| ("SR", sr.into_raw()));
            let pifs = full.iter::<xenapi_model::PIF>().map(|(pif, _)| ("PIF", pif.into_raw()));
            let failing =
                hosts.chain(srs).chain(pifs).filter_map(|(class, it)| xenapi_topology::impact::Component::new(class, &it));
            failing.map(|it| format!("{:?}", xenapi_topology::impact::impact(cache, &[it]))).collect::<Vec<_>>()
        };
        assert_eq!(impact(lean), impact(full), "{scenario:?}");
        let points = |cache| format!("{:?}", xenapi_topology::impact::single_points(cache));
        assert_eq!(points(lean), points(full), "{scenario:?}");
        let tree = |cache| xenapi_console::tree::tree(cache, &xenapi_console::tree::Look::default());
        assert_eq!(tree(lean), tree(full), "{scenario:?}");
    }
}
