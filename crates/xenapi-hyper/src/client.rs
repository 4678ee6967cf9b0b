//! Calls, one by one.

use core::fmt;
use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Call, Failure, RawCall, RawRef, ReadResult, Ref, Value, Wire, get_record};
use xenapi_model::task::{self, TaskStatusType};
use xenapi_model::{Task, event, session};

use crate::call_error::{Error, ErrorKind};
use crate::target::Target;
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

/// Makes calls at one server, each sent at once and once. Clones share the session and the connections.
///
/// [`crate::Live`] is the one that follows a pool, logs in again and repeats what may be repeated.
#[derive(Clone)]
pub struct Client {
    transport: Transport,
    config: Arc<ClientConfig>,
    session: Arc<Mutex<Option<RawRef>>>,
}

impl fmt::Debug for Client {
    /// Without the session, which must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("transport", &self.transport).field("config", &self.config).finish_non_exhaustive()
    }
}

impl Client {
    /// A client without a session.
    pub fn new(transport: Transport) -> Self {
        Client::with_config(transport, ClientConfig::default())
    }

    /// A client without a session that waits as it is told.
    pub fn with_config(transport: Transport, config: ClientConfig) -> Self {
        Client { transport, config: Arc::new(config), session: Arc::default() }
    }

    /// The connections.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The server.
    pub fn target(&self) -> &Target {
        self.transport.target()
    }

    /// The session, while there is one. Whoever knows it is its user.
    pub fn session(&self) -> Option<RawRef> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes on with a session from elsewhere, or forgets the present one without ending it.
    pub fn set_session(&self, session: Option<RawRef>) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = session;
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
        self.set_session(Some(result?.into_raw()));
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
        let request = self.request(call);
        self.transport.rpc(request).await.map_err(|error| self.error(&call.method, ErrorKind::Transport(error)))
    }

    /// Starts a call as a task, waits for it, and reads its result. `on_progress` hears from 0 to 1 how far it is, whenever that
    /// changes. The task is destroyed at its end; who drops the future leaves it running.
    ///
    /// # Errors
    /// When the server refuses the call or the task fails; when the server does not answer, while the task may go on; when the call
    /// has no `Async.` form.
    pub async fn run_task<R: Wire>(&self, call: Call<R>, on_progress: impl FnMut(f64)) -> Result<R, Error> {
        let method = call.name();
        let read = call.reader();
        let task = call.into_task::<Task>().ok_or_else(|| self.error(&method, ErrorKind::NoTask))?;
        let task = self.call(task).await?;
        let record = self.finished(&task, on_progress).await?;
        // A task that cannot be destroyed goes away by itself after a while; the result counts.
        let _ = self.call(task::destroy(&task)).await;
        let failed = |kind| self.error(&method, kind);
        if record.status != TaskStatusType::Success {
            return Err(failed(ErrorKind::Failure(failure_of(&task, record))));
        }
        read_task_result(&record.result, read).map_err(|error| failed(ErrorKind::Unreadable(error)))
    }

    /// Waits until a task is no longer pending.
    async fn finished(&self, task: &Ref<Task>, mut on_progress: impl FnMut(f64)) -> Result<task::Record, Error> {
        let classes = [format!("task/{}", task.as_str())];
        let mut token = String::new();
        let mut told = None;
        loop {
            let record = self.call(get_record(task)).await?;
            if told != Some(record.progress) {
                told = Some(record.progress);
                on_progress(record.progress);
            }
            if !matches!(record.status, TaskStatusType::Pending | TaskStatusType::Cancelling) {
                return Ok(record);
            }
            let waited = self.call(event::from(&classes, &token, self.config.event_timeout.as_secs_f64())).await;
            token = match waited {
                Ok(batch) => batch.token,
                // An old server, or one that has lost the thread: look at the task now and then.
                Err(error) if error.is_unknown_method() || is_lost(&error) => {
                    tokio::time::sleep(self.config.poll_interval).await;
                    String::new()
                }
                Err(error) => return Err(error),
            };
        }
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
        match xmlrpc::read_result(&reply, &self.config.limits, read) {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(failure)) => Err(failed(ErrorKind::Failure(failure))),
            Err(error) => Err(failed(ErrorKind::Unreadable(error))),
        }
    }

    fn request(&self, call: &RawCall) -> Request {
        let repeatable = is_repeatable(call);
        // Sessions wait for no other call.
        let is_quick = repeatable || call.method.starts_with("session.");
        let base = if is_quick { self.config.read_timeout } else { self.config.change_timeout };
        // The server may hold back its answer for as long as it is asked to.
        let held = match (call.method.as_str(), call.params.get(3)) {
            ("event.from", Some(Value::Double(seconds))) => Duration::try_from_secs_f64(*seconds).unwrap_or_default(),
            _ => Duration::ZERO,
        };
        Request { repeatable, ..Request::rpc(xmlrpc::write_call(call), base.saturating_add(held)) }
    }

    fn error(&self, method: &str, kind: ErrorKind) -> Error {
        Error::new(method, self.target(), kind)
    }
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

/// The token or the events are gone: an answer that says nothing about the task.
fn is_lost(error: &Error) -> bool {
    error.failure().is_some_and(|failure| matches!(failure.code.as_str(), "EVENTS_LOST" | "EVENT_FROM_TOKEN_PARSE_FAILURE"))
}

fn failure_of(task: &Ref<Task>, record: task::Record) -> Failure {
    match record.status {
        TaskStatusType::Cancelled if record.error_info.is_empty() => Failure::new("TASK_CANCELLED", [task.as_str()]),
        _ => Failure::from_description(record.error_info),
    }
}
