//! The driver: fetch and timers under the sans-I/O client. Beside it only `fetch`, which it uses, does I/O.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use gloo_net::http::Request as HttpRequest;
use gloo_timers::callback::Timeout;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::AbortController;
use xenapi_client::{
    Cache, Carrier as _, Client, Config, Delivered, Error, Freshness, Output, Parcel, Reply, Request, RequestId, Status,
    TicketId,
};
use xenapi_codec::{Limits, xmlrpc};
use xenapi_console::badge::Place;
use xenapi_console::explain::{self, HttpTrouble};
use xenapi_console::lean;
use xenapi_console::recent::Recent;
use xenapi_core::{Call, Millis, RawCall, RawRef, Value};
use yew::Callback;

use crate::fetch::{Fetch, NotCarried, member, proxy_error};
use crate::touched::{Listening, Touched};
use crate::{dom, local};

/// Who we are, in the list of sessions.
const ORIGINATOR: &str = "xenoxide-console";

/// What stands for the session in the browser: the proxy knows the real one.
const SESSION: &str = "OpaqueRef:session";

/// How long the pool may hold back an answer while nothing happens.
const EVENT_TIMEOUT: Millis = Millis::from_secs(2);

/// How long after a picture the next events are asked for, in milliseconds: as long as the picture took, so that half of the time is
/// left to whoever uses the page, but within these bounds.
const REST_LEAST: u32 = 4;
const REST_MOST: u32 = 100;

/// The same where no picture is made.
const NOT_DRAWN: u32 = 500;

/// How long a call from a form may take: as long as the longest that pools do without a task.
const EXCHANGE_TIMEOUT: Millis = Millis::from_secs(30 * 60);

/// From which age on the inventory is called stale. The page promises ten seconds; the badge ticks once a second, and a busy
/// browser late.
const STALE_AFTER: Millis = Millis::from_secs(7);

/// How a conversation begins.
pub(crate) enum Start {
    /// With the session of the last visit.
    Resume,
    /// By logging in.
    LogIn {
        /// The user.
        user: String,
        /// The password, kept only until the login is answered.
        password: String,
    },
}

/// What has changed since the last time, told at most once per picture.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Update {
    /// The driver that tells it.
    pub(crate) driver: u64,
    /// How the conversation stands.
    pub(crate) status: Status,
    /// The revision of the cache.
    pub(crate) revision: u64,
}

/// A conversation with a pool. It ends when the last handle is dropped: requests are aborted, timers cleared.
#[derive(Clone)]
pub(crate) struct Driver(Rc<Inner>);

impl PartialEq for Driver {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// Takes the result of a call from the client and hands it on.
type Taker = Box<dyn FnOnce(&RefCell<Client>)>;

struct Inner {
    id: u64,
    url: String,
    /// Where the pool is, if it is in the page itself.
    place: Option<Place>,
    client: RefCell<Client>,
    requests: RefCell<BTreeMap<RequestId, InFlight>>,
    timer: RefCell<Option<Timeout>>,
    /// What waits for the results of calls.
    calls: RefCell<BTreeMap<TicketId, Taker>>,
    /// Whether a change waits to be told at the next picture.
    announced: RefCell<Option<gloo_render::AnimationFrame>>,
    /// Whether the first inventory is still being told in pages.
    filling: Cell<bool>,
    /// Whether not even the first picture can be made, and whether it can be made now.
    early: Cell<bool>,
    first: Cell<bool>,
    /// Whether everything is told anew while what was known is shown.
    again: Cell<bool>,
    /// Whether something changed that was not announced yet.
    changed: Cell<bool>,
    /// The next question for events, until what is known has been drawn.
    held: RefCell<Option<Request>>,
    release: RefCell<Option<Timeout>>,
    touched: Touched,
    recent: RefCell<Recent>,
    /// Whether there was something in the cache before.
    loaded: Cell<bool>,
    on_update: Callback<Update>,
    me: Weak<Inner>,
}

/// Aborts its request when dropped.
struct InFlight {
    controller: Option<AbortController>,
    _timeout: Timeout,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(controller) = &self.controller {
            controller.abort();
        }
    }
}

thread_local! {
    static LAST_ID: Cell<u64> = const { Cell::new(0) };
}

impl Driver {
    /// Begins a conversation with a pool.
    pub(crate) fn start(pool: &str, start: Start, on_update: Callback<Update>) -> Driver {
        let (user, password, session) = match start {
            Start::Resume => (String::new(), String::new(), Some(RawRef::from(SESSION))),
            Start::LogIn { user, password } => (user, password, None),
        };
        let seed = (js_sys::Math::random() * 9e15) as u64;
        let config = Config {
            originator: ORIGINATOR.into(),
            // The browser keeps no password.
            relogin: false,
            session,
            goes_on: lean::is_within,
            // Reading a large inventory takes seconds, and its age counts from when it arrived: the next answer must follow soon.
            event_timeout: EVENT_TIMEOUT,
            stale_after: STALE_AFTER,
            seed,
            ..Config::new(user, password)
        };
        let id = LAST_ID.with(|last| {
            last.set(last.get() + 1);
            last.get()
        });
        let mut client = Client::new(config);
        client.track_console();
        client.login(dom::now());
        client.watch(dom::now());
        let driver = Driver(Rc::new_cyclic(|me| Inner {
            id,
            url: local::address(pool).unwrap_or_else(|| format!("./pools/{}/rpc", js_sys::encode_uri_component(pool))),
            place: local::pools().into_iter().find(|it| it.name == pool).and_then(|it| it.place),
            client: RefCell::new(client),
            requests: RefCell::default(),
            timer: RefCell::default(),
            calls: RefCell::default(),
            announced: RefCell::default(),
            filling: Cell::default(),
            early: Cell::default(),
            first: Cell::default(),
            again: Cell::default(),
            changed: Cell::default(),
            held: RefCell::default(),
            release: RefCell::default(),
            touched: Touched::default(),
            recent: RefCell::default(),
            loaded: Cell::default(),
            on_update,
            me: me.clone(),
        }));
        driver.0.pump();
        driver
    }

    /// Tells the driver from others.
    pub(crate) fn id(&self) -> u64 {
        self.0.id
    }

    /// Ends the session at the pool; the status tells when that is done.
    pub(crate) fn log_out(&self) {
        self.0.client.borrow_mut().logout(dom::now());
        self.0.pump();
    }

    /// Sends a call, and hands on what came of it. Nothing is handed on once the conversation has ended.
    pub(crate) fn call<R: Send + 'static>(&self, call: Call<R>, done: impl FnOnce(Result<R, Error>) + 'static) {
        let ticket = self.0.client.borrow_mut().submit(call, dom::now());
        let id = ticket.id();
        let take = move |client: &RefCell<Client>| {
            // The borrow must end before anybody is told: who is told may look at the client.
            let result = client.borrow_mut().take(&ticket);
            if let Some(result) = result {
                done(result);
            }
        };
        self.0.calls.borrow_mut().insert(id, Box::new(take));
        self.0.pump();
    }

    /// Looks into the cache.
    pub(crate) fn with_cache<R>(&self, look: impl FnOnce(&Cache) -> R) -> R {
        look(self.0.client.borrow().cache())
    }

    /// Whether more of the first inventory is still to come.
    pub(crate) fn is_filling(&self) -> bool {
        self.0.filling.get()
    }

    /// Sends a document as it is, and answers the reply as it is: for explorers of the API. In it `OpaqueRef:session` stands for
    /// the session, which only the proxy knows.
    ///
    /// # Errors
    /// A sentence that says why there is no reply.
    pub(crate) async fn exchange(&self, body: Vec<u8>) -> Result<Vec<u8>, String> {
        let answer = Fetch::to(&self.0.url).carry(parcel(body, EXCHANGE_TIMEOUT)).await;
        answer.map(|answer| answer.document).map_err(|why| why.to_string())
    }

    /// Tells whenever the pool has said something about an object, be it of a field that lists and graphs leave out. Ends when the
    /// answer is dropped.
    pub(crate) fn listen(&self, class: &str, reference: &str, told: Callback<()>) -> Listening {
        self.0.touched.listen(class, reference, told)
    }

    /// The class that marks an object as just changed, if it is; another one after the next change, so that the mark begins anew.
    pub(crate) fn recent(&self, object: &RawRef) -> Option<&'static str> {
        let mark = self.0.recent.borrow().mark(object, dom::now())?;
        Some(if mark.is_multiple_of(2) { "recent-even" } else { "recent-odd" })
    }

    /// Whether the page is hidden from now on: what changes meanwhile is marked when it is seen again.
    pub(crate) fn hide(&self, hidden: bool) {
        self.0.recent.borrow_mut().hide(hidden, dom::now());
        if !hidden {
            self.0.announce();
        }
    }

    /// How old the data is.
    pub(crate) fn freshness(&self) -> Freshness {
        self.0.client.borrow().freshness(dom::now())
    }

    /// Makes the next attempt now.
    pub(crate) fn hurry(&self) {
        self.0.client.borrow_mut().hurry(dom::now());
        self.0.pump();
    }

    /// The session, or what stands for it in the browser.
    pub(crate) fn session(&self) -> Option<RawRef> {
        self.0.client.borrow().session().cloned()
    }

    /// Where the pool is, if it is in the page itself.
    pub(crate) fn place(&self) -> Option<Place> {
        self.0.place
    }

    /// What is to be shown of it.
    pub(crate) fn update(&self) -> Update {
        self.0.update()
    }
}

impl Inner {
    /// Does what the client wants, until it wants to wait.
    fn pump(&self) {
        let mut news = false;
        let wait = loop {
            // The borrow must end before anything else is called: what is called may look at the client.
            let output = self.client.borrow_mut().poll(dom::now());
            match output {
                Output::Transmit(request) => self.send_in_turn(request),
                Output::Changed(changes) => {
                    // The first inventory is no change of anything.
                    if self.loaded.replace(true) {
                        self.recent.borrow_mut().note(&changes, dom::now());
                    }
                    self.changed.set(true);
                }
                Output::Status(Status::Live) => self.changed.set(true),
                Output::Status(_) => news = true,
                Output::Done(id) => {
                    let taker = self.calls.borrow_mut().remove(&id);
                    if let Some(taker) = taker {
                        taker(&self.client);
                    }
                }
                Output::Wait(until) => break until,
                // The proxy follows the coordinator by its own configuration.
                _ => {}
            }
        };
        // Pages of the first inventory come in quick succession. The first picture is made when it can be, the second of the whole.
        let due = match (self.early.get(), self.filling.get()) {
            (true, _) => false,
            (_, true) => self.first.take(),
            (_, false) => self.changed.get(),
        };
        if news || due {
            self.changed.set(false);
            self.announce();
        }
        let me = self.me.clone();
        *self.timer.borrow_mut() = wait.map(|until| {
            let delay = u32::try_from((until - dom::now()).0).unwrap_or(u32::MAX / 2);
            Timeout::new(delay.max(1), move || {
                if let Some(me) = me.upgrade() {
                    me.pump();
                }
            })
        });
    }

    fn update(&self) -> Update {
        let client = self.client.borrow();
        Update { driver: self.id, status: client.status().clone(), revision: client.cache().total_revision() }
    }

    /// Tells what has changed, once per picture however often it changes.
    fn announce(&self) {
        let mut announced = self.announced.borrow_mut();
        if announced.is_some() {
            return;
        }
        let me = self.me.clone();
        *announced = Some(gloo_render::request_animation_frame(move |_| {
            if let Some(me) = me.upgrade() {
                // Not dropped here, within itself, but taken so that the next change is told again.
                let done = me.announced.borrow_mut().take();
                let began = dom::now();
                me.on_update.emit(me.update());
                drop(done);
                me.rest_after(began);
            }
        }));
    }

    /// Sends a request; a question for events waits until what is known is drawn, so that a flood of them leaves time for it.
    fn send_in_turn(&self, request: Request) {
        if request.call.method != "event.from" {
            return self.send(request);
        }
        let token = request.call.params.get(2).and_then(Value::as_text).unwrap_or_default();
        self.filling.set(lean::is_within(token));
        if token.is_empty() {
            self.again.set(self.has_loaded());
        } else if !self.filling.get() && self.again.replace(false) {
            // Which objects are others nobody has said.
            self.touched.tell("*");
        }
        // What is shown stays until everything was told, and then it is drawn once.
        let is_early = !self.again.get() && (token.is_empty() || lean::is_before_first_picture(token));
        let was_early = self.early.replace(is_early);
        self.first.set(was_early && !is_early);
        if self.announced.borrow().is_none() {
            return self.send(request);
        }
        *self.held.borrow_mut() = Some(request);
        // Nothing is drawn in a page that nobody sees.
        self.release_soon(NOT_DRAWN);
    }

    /// Sends the question that waits as long after a picture as that took. Drawing goes on behind this call, in the same task.
    fn rest_after(&self, began: Millis) {
        if self.held.borrow().is_none() {
            return;
        }
        let me = self.me.clone();
        *self.release.borrow_mut() = Some(Timeout::new(0, move || {
            if let Some(me) = me.upgrade() {
                let took = u32::try_from((dom::now() - began).0).unwrap_or(REST_MOST);
                // Not replaced here, within itself.
                let done = me.release.borrow_mut().take();
                me.release_soon(took.clamp(REST_LEAST, REST_MOST));
                drop(done);
            }
        }));
    }

    /// Sends the question that waits.
    fn release_soon(&self, after: u32) {
        if self.held.borrow().is_none() {
            return;
        }
        let me = self.me.clone();
        *self.release.borrow_mut() = Some(Timeout::new(after, move || {
            let Some(me) = me.upgrade() else { return };
            let held = me.held.borrow_mut().take();
            if let Some(request) = held {
                me.send(request);
            }
        }));
    }

    /// Whether the proxy may answer a call from the stream that all consoles share, and how.
    fn shared_stream(&self, call: &RawCall) -> Option<&'static str> {
        match call.method.as_str() {
            "event.from" => Some(if self.again.get() { "again" } else { "1" }),
            // The proxy may begin to follow the pool.
            "session.login_with_password" => Some("1"),
            _ => None,
        }
    }

    fn has_loaded(&self) -> bool {
        self.client.borrow().freshness(dom::now()) != Freshness::Never
    }

    fn send(&self, request: Request) {
        let Request { id, call, timeout, .. } = request;
        let controller = AbortController::new().ok();
        let signal = controller.as_ref().map(AbortController::signal);
        let (me, url) = (self.me.clone(), self.url.clone());
        let timer = {
            let me = me.clone();
            Timeout::new(u32::try_from(timeout.0).unwrap_or(u32::MAX / 2), move || {
                finish(&me, id, Err(NotCarried::Nothing(explain::no_answer_in_time(&dom::host(), timeout))));
            })
        };
        self.requests.borrow_mut().insert(id, InFlight { controller, _timeout: timer });
        let touched: Rc<RefCell<Option<String>>> = Rc::default();
        let note = touched.clone();
        let note = move |it: &str| *note.borrow_mut() = Some(it.into());
        let fetch = Fetch::to(&url).shared(self.shared_stream(&call), note).until(signal);
        let answer = fetch.carry(parcel(xmlrpc::write_call(&call), timeout));
        spawn_local(async move {
            finish(&me, id, answer.await);
            // Listeners look into the cache, so it must have the answer by then.
            if let (Some(me), Some(touched)) = (me.upgrade(), touched.take()) {
                me.touched.tell(&touched);
            }
        });
    }
}

/// What came of a request.
type Answer = Result<Delivered<Vec<u8>>, NotCarried>;

/// A document for the carrier. The page sends nothing twice by itself: the client decides that.
fn parcel(document: Vec<u8>, timeout: Millis) -> Parcel {
    Parcel { document, timeout, repeatable: false, tag: None, tap: None }
}

/// Hands an answer to the client, unless the request was given up meanwhile.
fn finish(me: &Weak<Inner>, id: RequestId, answer: Answer) {
    let Some(me) = me.upgrade() else { return };
    if me.requests.borrow_mut().remove(&id).is_none() {
        return;
    }
    hand_over(&mut me.client.borrow_mut(), id, answer, dom::now());
    me.pump();
}

fn hand_over(client: &mut Client, id: RequestId, answer: Answer, now: Millis) {
    match answer {
        Err(NotCarried::Nothing(why)) => client.handle(id, Reply::Unreachable(why), now),
        Err(NotCarried::NoSession(failure)) => client.handle(id, Reply::Failure(failure), now),
        Ok(answer) => match xmlrpc::read_reply(&answer.document, &Limits::reply()) {
            Ok(xmlrpc::Outcome::Success(mut reader)) => client.handle(id, Reply::Success(&mut reader), now),
            Ok(xmlrpc::Outcome::Failure(failure)) => client.handle(id, Reply::Failure(failure), now),
            Ok(xmlrpc::Outcome::Fault { code, text }) => {
                client.handle(id, Reply::Failure(xenapi_core::Failure::new("Fault", [code.to_string(), text])), now);
            }
            Ok(_) => client.handle(id, Reply::Broken(xenapi_core::ReadError::syntax("a reply", "something else")), now),
            Err(error) => client.handle(id, Reply::Broken(error), now),
        },
    }
}

/// A file beside the page, as text.
///
/// # Errors
/// A sentence that says what happened.
pub(crate) async fn file(url: &str) -> Result<String, String> {
    let response = HttpRequest::get(url).send().await.map_err(|_| explain::no_answer(&dom::host()))?;
    let status = response.status();
    if status != 200 {
        return Err(explain::bad_reply(&dom::host(), status));
    }
    response.text().await.map_err(|_| explain::no_answer(&dom::host()))
}

/// A pool that can be logged in to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PoolInfo {
    /// Its name in addresses.
    pub(crate) name: String,
    /// Its name for people.
    pub(crate) label: String,
    /// Where it is, if it is in the page itself.
    pub(crate) place: Option<Place>,
    /// Whether the server lets nobody change it.
    pub(crate) read_only: bool,
}

/// Asks the server which pools there are.
///
/// # Errors
/// A sentence that says what happened.
pub(crate) async fn pools() -> Result<Vec<PoolInfo>, String> {
    const URL: &str = "./pools";
    let response = HttpRequest::get(URL).send().await.map_err(|_| explain::no_answer(&dom::host()))?;
    let status = response.status();
    let text = response.text().await.map_err(|_| explain::no_answer(&dom::host()))?;
    if status != 200 {
        return Err(match explain::http(status, proxy_error(&text)) {
            HttpTrouble::NotAnswered(why) => why,
            HttpTrouble::NoSession(failure) => failure.to_string(),
        });
    }
    let list = js_sys::JSON::parse(&text).ok().filter(js_sys::Array::is_array);
    let Some(list) = list else {
        return Err(explain::bad_reply(&dom::host(), status));
    };
    Ok(js_sys::Array::from(&list).iter().filter_map(|pool| pool_info(&pool)).collect())
}

fn pool_info(pool: &JsValue) -> Option<PoolInfo> {
    let name = member(pool, "name")?.as_string()?;
    let label = member(pool, "label").and_then(|it| it.as_string()).filter(|label| !label.is_empty());
    let read_only = member(pool, "read_only").and_then(|it| it.as_bool()).unwrap_or_default();
    Some(PoolInfo { label: label.unwrap_or_else(|| name.clone()), name, place: None, read_only })
}
