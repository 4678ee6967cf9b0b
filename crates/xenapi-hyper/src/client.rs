//! Calls, one by one.

use core::fmt;
use core::time::Duration;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::task::JoinSet;
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Call, Class, RawCall, RawRef, ReadError, ReadResult, Ref, Value, Wire, get_all_records};
use xenapi_model::{Task, session};

use crate::call_error::{Error, ErrorKind};
use crate::error::TransportError;
use crate::target::Target;
use crate::tasks::RunningTask;
use crate::transport::{Request, Transport};

/// How long a [`Client`] waits.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// How long a call that changes nothing may take, and one that begins or ends a session. Default 2 min.
    pub read_timeout: Duration,
    /// How long a call that changes something may take: servers let such calls wait for each other. Default 15 min.
    pub change_timeout: Duration,
    /// How long the server holds back its answer while a task has nothing new. Default 30 s.
    pub event_timeout: Duration,
    /// How often a task is looked at where the server has no `event.from`. Default 1 s.
    pub poll_interval: Duration,
    /// What a reply may hold, beside the transport's limit of bytes.
    pub limits: Limits,
}

impl Default for ClientConfig {
    fn default() -> Self {
        ClientConfig {
            read_timeout: Duration::from_secs(120),
            change_timeout: Duration::from_secs(15 * 60),
            event_timeout: Duration::from_secs(30),
            poll_interval: Duration::from_secs(1),
            limits: Limits::reply(),
        }
    }
}

/// Makes calls at one server, each sent at once and once. Clones share the session and the connections. When the last one is dropped within
/// a tokio runtime, a session from [`Client::login`] is ended as far as there is time.
///
/// [`crate::Live`] is the one that follows a pool, logs in again and repeats what may be repeated.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

pub(crate) struct Shared {
    transport: Transport,
    config: ClientConfig,
    session: Mutex<Option<Session>>,
    /// Connections to other hosts of the pool.
    others: Mutex<HashMap<(String, Option<u16>), Transport>>,
}

struct Session {
    reference: RawRef,
    /// From a login here, and not from elsewhere.
    own: bool,
}

impl fmt::Debug for Client {
    /// Without the session, which must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { transport, config, .. } = &*self.0;
        f.debug_struct("Client").field("transport", transport).field("config", config).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let session = self.session.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Session { reference, own: true }) = session else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let request = request(&session::logout().to_raw(&reference), &self.config);
        let transport = self.transport.clone();
        // Nobody is left to be told when it fails; the server ends idle sessions.
        drop(runtime.spawn(async move { transport.rpc(request).await.map(drop) }));
    }
}

impl Client {
    /// A client without a session.
    pub fn new(transport: Transport) -> Self {
        Client::with_config(transport, ClientConfig::default())
    }

    /// A client without a session that waits as it is told.
    pub fn with_config(transport: Transport, config: ClientConfig) -> Self {
        Client(Arc::new(Shared { transport, config, session: Mutex::default(), others: Mutex::default() }))
    }

    /// Logs in, wherever in the pool: a member sends to its master, whose certificate counts as far as the member vouches for it.
    ///
    /// # Errors
    /// When a server refuses or does not answer, or the master's certificate is not trusted.
    pub async fn connect(transport: Transport, user: &str, password: &str, originator: &str) -> Result<Self, Error> {
        let mut client = Client::new(transport);
        for _ in 0..MOST_REDIRECTS {
            let error = match client.login(user, password, originator).await {
                Ok(()) => return Ok(client),
                Err(error) => error,
            };
            let Some(master) = error.master() else { return Err(error) };
            let transport = client.0.transport.beside(master, None);
            client = Client::new(transport.map_err(|why| client.error(error.method(), ErrorKind::Transport(why)))?);
        }
        client.login(user, password, originator).await?;
        Ok(client)
    }

    /// The connections.
    pub fn transport(&self) -> &Transport {
        &self.0.transport
    }

    /// The server.
    pub fn target(&self) -> &Target {
        self.0.transport.target()
    }

    pub(crate) fn config(&self) -> &ClientConfig {
        &self.0.config
    }

    /// The session, while there is one. Whoever knows it is its user.
    pub fn session(&self) -> Option<RawRef> {
        let session = self.0.session.lock().unwrap_or_else(PoisonError::into_inner);
        session.as_ref().map(|session| session.reference.clone())
    }

    /// Goes on with a session from elsewhere, which stays when this is dropped, or forgets the present one without ending it.
    pub fn set_session(&self, session: Option<RawRef>) {
        self.keep(session.map(|reference| Session { reference, own: false }));
    }

    fn keep(&self, session: Option<Session>) {
        *self.0.session.lock().unwrap_or_else(PoisonError::into_inner) = session;
    }

    /// The same for another host of the pool.
    pub(crate) fn other(&self, host: &str, port: Option<u16>) -> Result<Transport, TransportError> {
        let mut others = self.0.others.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (host.to_owned(), port);
        if let Some(there) = others.get(&key) {
            return Ok(there.clone());
        }
        let there = self.0.transport.beside(host, port)?;
        others.insert(key, there.clone());
        Ok(there)
    }

    /// Logs in. On a Unix socket user and password may be empty: its caller is root. `originator` says who the session is for; the
    /// server limits sessions by it, so that programs do not push out each other's.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn login(&self, user: &str, password: &str, originator: &str) -> Result<(), Error> {
        let full = session::login_with_password(user, password, Some("1.0"), Some(originator));
        let result = match self.call(full).await {
            // Before originators there were two parameters.
            Err(error) if error.failure().is_some_and(|failure| failure.code == "MESSAGE_PARAMETER_COUNT_MISMATCH") => {
                self.call(session::login_with_password(user, password, None, None)).await
            }
            result => result,
        };
        self.keep(Some(Session { reference: result?.into_raw(), own: true }));
        Ok(())
    }

    /// Ends the session. Afterwards there is none, whatever the server says.
    ///
    /// # Errors
    /// When the server refuses or does not answer. Without a session there is nothing to do.
    pub async fn logout(&self) -> Result<(), Error> {
        let Some(session) = self.session() else { return Ok(()) };
        self.set_session(None);
        self.send(&session::logout().to_raw(&session), session::logout().reader()).await
    }

    /// Ends the session if it is from a login here.
    #[cfg(feature = "blocking")]
    pub(crate) async fn end_own(&self) {
        let own = self.0.session.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|session| session.own);
        if own {
            // Nobody is left to be told.
            let _ = self.logout().await;
        }
    }

    /// Makes a call and reads its result.
    ///
    /// # Errors
    /// When the server refuses or does not answer, or there is no session for a call that needs one.
    pub async fn call<R>(&self, call: Call<R>) -> Result<R, Error> {
        self.send(&self.to_raw(&call)?, call.reader()).await
    }

    /// Makes a call without a schema: its parameters are sent as they are, the session included.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn call_raw(&self, call: RawCall) -> Result<Value, Error> {
        self.send(&call, Value::read).await
    }

    /// Makes a call and gives its reply back as it came, a refusal like any other.
    ///
    /// # Errors
    /// When there is no reply.
    pub async fn fetch(&self, call: &RawCall) -> Result<Bytes, Error> {
        let carried = self.0.transport.carry_request(request(call, &self.0.config)).await;
        let carried = carried.map_err(|error| self.error(&call.method, ErrorKind::Transport(error)))?;
        if let Some(fingerprint) = carried.vouched.and_then(|text| text.parse().ok())
            && let Ok(Err(refusal)) = xmlrpc::read_result(&carried.document, &self.0.config.limits, Value::read)
            && refusal.code == "HOST_IS_SLAVE"
        {
            self.0.transport.vouch(refusal.param(0), fingerprint);
        }
        Ok(carried.document)
    }

    /// All objects of a class, one by one as they arrive: the answer is never held as a whole. A record that cannot be read is told as that, and
    /// does not lose the others.
    ///
    /// # Errors
    /// When the server refuses, does not answer or breaks off; what was told before then came all the same.
    pub async fn each_record<C: Class>(
        &self,
        mut tell: impl FnMut(Ref<C>, Result<C::Record, ReadError>),
    ) -> Result<(), Error> {
        let call = self.to_raw(&get_all_records::<C>())?;
        let transport = &self.0.transport;
        let failed = |kind| self.error(&call.method, kind);
        let broken = |error| failed(ErrorKind::Transport(error));
        let reply = transport.send(request(&call, &self.0.config)).await.map_err(broken)?;
        let (head, mut body) = reply.into_parts();
        if head.status != http::StatusCode::OK {
            let page = body.collect_all().await.map_err(broken)?;
            return Err(broken(TransportError::status(self.target(), head.status.as_u16(), &page)));
        }
        let mut stream = xmlrpc::ReplyStream::members(&self.0.config.limits);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
            let mut chunk: &[u8] = &data;
            while let Some((reference, record)) =
                stream.next_record::<C::Record>(&mut chunk).map_err(|error| failed(ErrorKind::Unreadable(error)))?
            {
                tell(reference, record);
            }
        }
        match stream.finish(Value::read) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(failure)) => Err(failed(ErrorKind::Failure(failure))),
            Err(error) => Err(failed(ErrorKind::Unreadable(error))),
        }
    }

    /// Makes many calls, at most `at_once` at the same time, and answers their results in the order of the calls. One that fails does not
    /// keep the others from being made.
    pub async fn call_each<R: Send + 'static>(
        &self,
        calls: impl IntoIterator<Item = Call<R>>,
        at_once: usize,
    ) -> Vec<Result<R, Error>> {
        each(calls, at_once, |call| {
            let client = self.clone();
            async move { client.call(call).await }
        })
        .await
    }

    /// Starts a call as a task, waits for it, and reads its result. `on_progress` hears from 0 to 1 how far it is, whenever that
    /// changes. The task is destroyed at its end; who drops the future leaves it running.
    ///
    /// # Errors
    /// When the server refuses the call or the task fails; when the server does not answer, while the task may go on; when the call
    /// has no `Async.` form.
    pub async fn run_task<R: Wire>(&self, call: Call<R>, mut on_progress: impl FnMut(f64)) -> Result<R, Error> {
        let mut task = self.start_task(call).await?;
        while let Some(progress) = task.progress().await? {
            on_progress(progress);
        }
        task.finish().await
    }

    /// Starts a call as a task, to be watched, cancelled or waited for.
    ///
    /// # Errors
    /// When the server refuses or does not answer; when the call has no `Async.` form.
    pub async fn start_task<R: Wire>(&self, call: Call<R>) -> Result<RunningTask<R>, Error> {
        let method = call.name();
        let read = call.reader();
        let task = call.into_task::<Task>().ok_or_else(|| self.error(&method, ErrorKind::NoTask))?;
        let task = self.call(task).await?;
        Ok(RunningTask::new(self.clone(), task, method, read))
    }

    /// Runs many calls as tasks, at most `at_once` at the same time, and answers their results in the order of the calls. One that fails does
    /// not keep the others from being run.
    pub async fn run_each<R: Wire + Send + 'static>(
        &self,
        calls: impl IntoIterator<Item = Call<R>>,
        at_once: usize,
    ) -> Vec<Result<R, Error>> {
        each(calls, at_once, |call| {
            let client = self.clone();
            async move { client.run_task(call, |_| ()).await }
        })
        .await
    }

    fn to_raw<R>(&self, call: &Call<R>) -> Result<RawCall, Error> {
        match self.session() {
            Some(session) => Ok(call.to_raw(&session)),
            None if call.method().takes_session() => Err(self.error(&call.name(), ErrorKind::LoggedOut)),
            None => Ok(call.to_raw(&RawRef::null())),
        }
    }

    async fn send<R>(&self, call: &RawCall, read: ReadResult<R>) -> Result<R, Error> {
        let reply = self.fetch(call).await?;
        let failed = |kind| self.error(&call.method, kind);
        match xmlrpc::read_result(&reply, &self.0.config.limits, read) {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(failure)) => Err(failed(ErrorKind::Failure(failure))),
            Err(error) => Err(failed(ErrorKind::Unreadable(error))),
        }
    }

    pub(crate) fn error(&self, method: &str, kind: ErrorKind) -> Error {
        Error::new(method, self.target(), kind)
    }
}

/// How many members may send on to one another before it is given up.
const MOST_REDIRECTS: usize = 3;

/// A call as it is sent.
fn request(call: &RawCall, config: &ClientConfig) -> Request {
    let repeatable = is_repeatable(call);
    // Sessions wait for no other call.
    let is_quick = repeatable || call.method.starts_with("session.");
    let base = if is_quick { config.read_timeout } else { config.change_timeout };
    // The server may hold back its answer for as long as it is asked to.
    let held = match (call.method.as_str(), call.params.get(3)) {
        ("event.from", Some(Value::Double(seconds))) => Duration::try_from_secs_f64(*seconds).unwrap_or_default(),
        _ => Duration::ZERO,
    };
    Request { repeatable, ..Request::rpc(xmlrpc::write_call(call), base.saturating_add(held)) }
}

/// Does something with each, at most `at_once` at a time, and answers in their order.
pub(crate) async fn each<T, R, F>(all: impl IntoIterator<Item = T>, at_once: usize, mut work: impl FnMut(T) -> F) -> Vec<R>
where
    R: Send + 'static,
    F: Future<Output = R> + Send + 'static,
{
    let mut under_way = JoinSet::new();
    let mut done = BTreeMap::new();
    let mut all = all.into_iter().enumerate().peekable();
    while all.peek().is_some() || !under_way.is_empty() {
        while under_way.len() < at_once.max(1)
            && let Some((at, one)) = all.next()
        {
            let one = work(one);
            under_way.spawn(async move { (at, one.await) });
        }
        match under_way.join_next().await {
            Some(Ok((at, result))) => drop(done.insert(at, result)),
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime ends, and this with it.
            Some(Err(_)) | None => {}
        }
    }
    done.into_values().collect()
}

/// Whether a call changes nothing.
pub(crate) fn is_repeatable(call: &RawCall) -> bool {
    xenapi_model::method(&call.method).is_some_and(|method| method.is_read_only())
}

/// Reads the result in a task's record. A task without a result has an empty one.
pub(crate) fn read_task_result<R>(text: &str, read: ReadResult<R>) -> Result<R, xenapi_core::ReadError> {
    let text = if text.trim().is_empty() { "<value></value>" } else { text };
    xmlrpc::read_value_as(text, &Limits::reply(), read)
}
