//! Requests to one target over connections that are kept.

use core::fmt;
use core::pin::Pin;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;
use xenapi_client::{Carrier, Delivered, Parcel, Tap};

use crate::body::ReplyBody;
use crate::certificate::Fingerprint;
use crate::connect::{self, Dial, Duplex};
use crate::error::{TransportError, TransportErrorKind};
use crate::target::Target;
use crate::tls::Tls;
use crate::trust::Trust;

/// Limits of a [`Transport`].
#[derive(Clone, Debug)]
pub struct TransportConfig {
    /// How long a connection may take to be made, TLS included. Default 10 s.
    pub connect_timeout: Duration,
    /// How many bytes a reply may have. Default 1 GiB.
    pub reply_limit: u64,
    /// How long an idle connection is kept. Default 30 s.
    pub idle_timeout: Duration,
    /// How many idle connections are kept. Default 32.
    pub max_idle: usize,
    /// How many bytes the request line and the headers may have together; xapi refuses more than 1006 over TCP. Not asked of a
    /// Unix socket. Default 1006.
    pub header_limit: usize,
    /// What stands in `User-Agent`. Default `xenoxide/VERSION`.
    pub user_agent: HeaderValue,
}

impl Default for TransportConfig {
    fn default() -> Self {
        TransportConfig {
            connect_timeout: Duration::from_secs(10),
            reply_limit: 1 << 30,
            idle_timeout: Duration::from_secs(30),
            max_idle: 32,
            header_limit: 1006,
            user_agent: HeaderValue::from_static(concat!("xenoxide/", env!("CARGO_PKG_VERSION"))),
        }
    }
}

/// A request. `Host`, `Content-Length` and `User-Agent` are put in when it is sent.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query, beginning with `/`.
    pub path: String,
    /// Further headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// How long the answer may take, the connection included; for a streamed body also how long it may pause.
    pub timeout: Duration,
    /// Whether it may be sent again when a kept connection breaks before an answer came. Only for what changes nothing: the
    /// server may have done it.
    pub repeatable: bool,
}

impl fmt::Debug for Request {
    /// Without what may hold sessions and passwords: the query, the values of headers, the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path.split('?').next().unwrap_or_default())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("bytes", &self.body.len())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// A `POST` of an XML-RPC document that is not repeatable.
    pub fn rpc(body: impl Into<Bytes>, timeout: Duration) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/xml"))]);
        Request { method: Method::POST, path: "/".into(), headers, body: body.into(), timeout, repeatable: false }
    }
}

/// Requests to one target over connections that are kept. Clones share the connections, and so have to be used on one tokio runtime.
///
/// A kept connection that the server closed meanwhile is replaced unnoticed if nothing was sent on it, or once if the request
/// is repeatable.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    target: Target,
    host: HeaderValue,
    trust: Trust,
    dial: Dial,
    config: TransportConfig,
    idle: Mutex<Vec<Idle>>,
    /// What trusted hosts of the pool said of the certificates of the others; shared with the transports to those.
    vouched: Arc<Vouched>,
}

/// Certificates by the address of their host, in lower case.
type Vouched = Mutex<BTreeMap<String, Fingerprint>>;

type Sender = SendRequest<Full<Bytes>>;

struct Idle {
    sender: Sender,
    since: Instant,
}

/// A connection in use, which goes back when its reply was read whole.
pub(crate) struct Lease {
    sender: Sender,
    home: Arc<Inner>,
}

impl Lease {
    pub(crate) fn give_back(self) {
        let mut idle = self.home.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.sender.is_closed() && idle.len() < self.home.config.max_idle {
            idle.push(Idle { sender: self.sender, since: Instant::now() });
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transport({})", self.0.target)
    }
}

/// A request that failed on a connection.
struct Failed {
    error: TransportError,
    /// Whether the server cannot have seen it.
    unsent: bool,
}

impl Transport {
    /// Requests to `target`. Nothing is connected yet.
    ///
    /// # Errors
    /// When the host cannot be a server's name.
    pub fn new(target: Target, trust: &Trust, config: TransportConfig) -> Result<Self, TransportError> {
        Transport::with(target, trust, config, Arc::default())
    }

    fn with(target: Target, trust: &Trust, config: TransportConfig, vouched: Arc<Vouched>) -> Result<Self, TransportError> {
        let wrong = |kind| TransportError::new(&target, kind);
        let tls = match &target {
            Target::Https { host, port } => Some(Tls::new(host, *port, trust)).transpose(),
            Target::Http { .. } | Target::Unix(_) => Ok(None),
        };
        let tls = tls.map_err(|why| wrong(TransportErrorKind::Request(why)))?;
        let host = HeaderValue::try_from(target.host_header());
        let host = host.map_err(|error| wrong(TransportErrorKind::Request(error.to_string())))?;
        let (trust, dial) = (trust.clone(), Dial::Socket(tls));
        Ok(Transport(Arc::new(Inner { target, host, trust, dial, config, idle: Mutex::default(), vouched })))
    }

    /// Requests to a server in this process. The target is only a name.
    #[cfg(feature = "server")]
    pub(crate) fn local(make: connect::Local, config: TransportConfig) -> Self {
        let target = Target::Http { host: "memory".into(), port: 80 };
        Transport(Arc::new(Inner {
            target,
            host: HeaderValue::from_static("memory"),
            trust: Trust::System,
            dial: Dial::Local(make),
            config,
            idle: Mutex::default(),
            vouched: Arc::default(),
        }))
    }

    /// Requests to another host of the same pool, at that name or address: with the same scheme, limits and trust, and on `port`, or
    /// the same port as this one if it is none. In memory all hosts are this one.
    ///
    /// Where hosts are known by their certificates alone, a certificate counts for which this pool has [vouched](Transport::vouch).
    ///
    /// # Errors
    /// When the host cannot be a server's name, or the certificate that was vouched for cannot be recorded.
    pub fn beside(&self, host: &str, port: Option<u16>) -> Result<Self, TransportError> {
        let Inner { target, trust, dial, config, vouched, .. } = &*self.0;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let is_same = |own: &str, own_port: u16| own == host && port.is_none_or(|port| port == own_port);
        let there = match (dial, target) {
            (Dial::Local(_), _) => return Ok(self.clone()),
            (_, Target::Https { host: own, port: own_port } | Target::Http { host: own, port: own_port })
                if is_same(own, *own_port) =>
            {
                return Ok(self.clone());
            }
            (_, Target::Https { port: own, .. }) => Target::Https { host, port: port.unwrap_or(*own) },
            // A port that is named is that of TLS.
            (_, Target::Http { port: own, .. }) => Target::Http { host, port: *own },
            (_, Target::Unix(_)) => Target::Https { host, port: port.unwrap_or(443) },
        };
        let trust = match &there {
            Target::Https { host, port } => match self.vouched_for(host) {
                Some(fingerprint) => trust.vouched(host, *port, fingerprint).map_err(|error| {
                    TransportError::new(&there, TransportErrorKind::Request(format!("its certificate: {error}")))
                })?,
                None => trust.clone(),
            },
            _ => trust.clone(),
        };
        Transport::with(there, &trust, config.clone(), vouched.clone())
    }

    /// Notes the certificate of another host of the pool, as a host said that is trusted itself. [`Transport::beside`] expects it there.
    pub fn vouch(&self, host: &str, fingerprint: Fingerprint) {
        let mut vouched = self.0.vouched.lock().unwrap_or_else(PoisonError::into_inner);
        vouched.insert(host.to_ascii_lowercase(), fingerprint);
    }

    pub(crate) fn vouched_for(&self, host: &str) -> Option<Fingerprint> {
        self.0.vouched.lock().unwrap_or_else(PoisonError::into_inner).get(&host.to_ascii_lowercase()).copied()
    }

    /// Whether other hosts of the pool need somebody to vouch for them.
    pub(crate) fn is_known_by_certificate(&self) -> bool {
        matches!(self.0.target, Target::Https { .. }) && self.0.trust.is_by_certificate()
    }

    /// A new connection that is nobody else's, for what is more than a request and its reply.
    pub(crate) async fn open(&self) -> Result<Box<dyn Duplex>, TransportError> {
        let Inner { target, dial, config, .. } = &*self.0;
        connect::dial(target, dial, config.connect_timeout).await
    }

    /// The value of the header `Host`.
    pub(crate) fn host(&self) -> &HeaderValue {
        &self.0.host
    }

    /// The same without the connections of this one. They are driven by the runtime on which they were made, so each runtime needs its own.
    #[cfg(feature = "blocking")]
    pub(crate) fn apart(&self) -> Self {
        let Inner { target, host, trust, dial, config, vouched, .. } = &*self.0;
        Transport(Arc::new(Inner {
            target: target.clone(),
            host: host.clone(),
            trust: trust.clone(),
            dial: dial.clone(),
            config: config.clone(),
            idle: Mutex::default(),
            vouched: vouched.clone(),
        }))
    }

    /// The server.
    pub fn target(&self) -> &Target {
        &self.0.target
    }

    /// The limits.
    pub fn config(&self) -> &TransportConfig {
        &self.0.config
    }

    /// Posts `body`, which is not repeatable, and reads the whole reply, whatever its status, within `timeout`.
    ///
    /// # Errors
    /// When no whole reply came. A status other than 200 is no error here.
    pub async fn post(
        &self,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
        timeout: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        let headers = headers.iter().cloned().collect();
        self.whole(Request { method: Method::POST, path: path.into(), headers, body, timeout, repeatable: false }).await
    }

    /// Sends a request and reads the whole reply, whatever its status, within the request's time.
    ///
    /// # Errors
    /// When no whole reply came. A status other than 200 is no error here.
    pub async fn whole(&self, request: Request) -> Result<Response<Bytes>, TransportError> {
        let timeout = request.timeout;
        let whole = async {
            let (head, body) = self.send_now(request).await?.into_parts();
            Ok(Response::from_parts(head, body.collect_all().await?))
        };
        self.within(timeout, whole).await
    }

    /// Sends a request and reads the whole reply, which must have status 200.
    ///
    /// # Errors
    /// When no whole reply came, or a page with another status.
    pub async fn rpc(&self, request: Request) -> Result<Bytes, TransportError> {
        let (head, body) = self.whole(request).await?.into_parts();
        if head.status != StatusCode::OK {
            return Err(TransportError::status(&self.0.target, head.status.as_u16(), &body));
        }
        Ok(body)
    }

    /// Sends a request; the body of the reply comes as a stream. The request's time is for the head of the reply, and again for
    /// every pause in its body.
    ///
    /// # Errors
    /// When no reply begins. A status other than 200 is no error here.
    pub async fn send(&self, request: Request) -> Result<Response<ReplyBody>, TransportError> {
        self.within(request.timeout, self.send_now(request)).await
    }

    async fn within<T>(
        &self,
        timeout: Duration,
        what: impl Future<Output = Result<T, TransportError>>,
    ) -> Result<T, TransportError> {
        let late = TransportErrorKind::Timeout { waiting_for: "the answer", after: timeout };
        tokio::time::timeout(timeout, what).await.unwrap_or_else(|_| Err(TransportError::new(&self.0.target, late)))
    }

    /// As [`Transport::send`], with a body of any length: an export has as many bytes as its disks.
    ///
    /// # Errors
    /// When no reply begins. A status other than 200 is no error here.
    pub async fn send_unlimited(&self, request: Request) -> Result<Response<ReplyBody>, TransportError> {
        self.within(request.timeout, self.send_limited(request, u64::MAX)).await
    }

    async fn send_now(&self, request: Request) -> Result<Response<ReplyBody>, TransportError> {
        self.send_limited(request, self.0.config.reply_limit).await
    }

    async fn send_limited(&self, request: Request, limit: u64) -> Result<Response<ReplyBody>, TransportError> {
        let Inner { target, .. } = &*self.0;
        let message = self.message(&request).map_err(|why| TransportError::new(target, TransportErrorKind::Request(why)))?;
        let (response, sender) = self.exchange(&message, request.repeatable).await?;
        let lease = Lease { sender, home: self.0.clone() };
        Ok(response.map(|body| ReplyBody::new(body, lease, target.clone(), limit, request.timeout)))
    }

    /// Tries kept connections, then a new one.
    async fn exchange(
        &self,
        message: &http::Request<Full<Bytes>>,
        repeatable: bool,
    ) -> Result<(Response<Incoming>, Sender), TransportError> {
        while let Some(sender) = self.kept().await {
            match self.try_on(sender, message).await {
                Err(failed) if failed.unsent => {}
                // Once, and on a new connection: the other kept ones are likely as dead.
                Err(_) if repeatable => break,
                result => return result.map_err(|failed| failed.error),
            }
        }
        let sender = self.connect().await?;
        self.try_on(sender, message).await.map_err(|failed| failed.error)
    }

    async fn try_on(
        &self,
        mut sender: Sender,
        message: &http::Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, Sender), Failed> {
        match sender.try_send_request(message.clone()).await {
            Ok(response) => Ok((response, sender)),
            Err(mut failed) => {
                let unsent = failed.take_message().is_some();
                let kind = TransportErrorKind::Broken(with_cause(&failed.into_error()));
                Err(Failed { error: TransportError::new(&self.0.target, kind), unsent })
            }
        }
    }

    /// A kept connection that seems alive, the youngest first.
    async fn kept(&self) -> Option<Sender> {
        loop {
            let Idle { mut sender, since } = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if since.elapsed() < self.0.config.idle_timeout && sender.ready().await.is_ok() {
                return Some(sender);
            }
        }
    }

    async fn connect(&self) -> Result<Sender, TransportError> {
        let target = &self.0.target;
        let stream = self.open().await?;
        let made = http1::Builder::new().handshake(TokioIo::new(stream)).await;
        let (sender, connection) =
            made.map_err(|error| TransportError::new(target, TransportErrorKind::Broken(with_cause(&error))))?;
        // Ends when the sender is dropped or the server closes; what goes wrong is told to whoever waits for an answer.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn message(&self, request: &Request) -> Result<http::Request<Full<Bytes>>, String> {
        let Inner { target, host, config, .. } = &*self.0;
        let path = &request.path;
        let uri: Uri = path.parse().map_err(|error| format!("the path {path:?} is wrong: {error}"))?;
        if !path.starts_with('/') {
            return Err(format!("the path {path:?} does not begin with `/`"));
        }
        let mut headers = HeaderMap::with_capacity(request.headers.len() + 3);
        headers.insert(HOST, host.clone());
        headers.insert(USER_AGENT, config.user_agent.clone());
        headers.insert(CONTENT_LENGTH, request.body.len().into());
        headers.extend(request.headers.clone());
        let size = head_size(&request.method, path, &headers);
        if size > config.header_limit && !matches!(target, Target::Unix(_)) {
            let limit = config.header_limit;
            return Err(format!(
                "its headers have {size} bytes, and the server takes {limit} at most; send fewer or shorter ones"
            ));
        }
        let mut message = http::Request::new(Full::new(request.body.clone()));
        *message.method_mut() = request.method.clone();
        *message.uri_mut() = uri;
        *message.headers_mut() = headers;
        Ok(message)
    }
}

/// Asks a pool member that refuses a call for the certificate of its master.
const ASK: HeaderName = HeaderName::from_static("x-xenapi-request-host-certificate-thumbprint");
/// Marks the task of a call, so that it is found when the answer is lost.
const TAG: HeaderName = HeaderName::from_static("x-http-other-config-xenapi-client");
const TOLD: HeaderName = HeaderName::from_static("x-xenapi-response-host-certificate-thumbprint");

impl Transport {
    /// Posts a document. Beside the answer comes what a member said of its master's certificate; that counts only from a host whose own
    /// one is trusted, so over TLS.
    pub(crate) async fn carry_request(&self, request: Request) -> Result<Delivered<Bytes>, TransportError> {
        self.carry_tapped(request, None).await
    }

    async fn carry_tapped(&self, mut request: Request, tap: Option<Tap>) -> Result<Delivered<Bytes>, TransportError> {
        let secure = matches!(self.0.target, Target::Https { .. });
        if secure {
            request.headers.insert(ASK, HeaderValue::from_static("sha-256:master"));
        }
        let timeout = request.timeout;
        let exchange = async {
            let (head, body) = self.send_now(request).await?.into_parts();
            if head.status != StatusCode::OK {
                let page = body.collect_all().await?;
                return Err(TransportError::status(&self.0.target, head.status.as_u16(), &page));
            }
            let told = head.headers.get(TOLD).filter(|_| secure).and_then(|told| told.to_str().ok());
            // Some releases name the kind of digest before it.
            let vouched = told.map(|told| told.strip_prefix("sha-256:").unwrap_or(told).to_owned());
            let (document, tapped) = match tap {
                None => (body.collect_all().await?, false),
                Some(tap) => (drain(body, tap).await.map(|()| Bytes::new())?, true),
            };
            Ok(Delivered { document, vouched, tapped })
        };
        self.within(timeout, exchange).await
    }
}

/// Hands a body on as it comes.
async fn drain(mut body: ReplyBody, mut tap: Tap) -> Result<(), TransportError> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            tap(&data);
        }
    }
    Ok(())
}

impl Carrier for Transport {
    type Document = Bytes;
    type Error = TransportError;
    type Delivery = Pin<Box<dyn Future<Output = Result<Delivered<Bytes>, TransportError>> + Send>>;

    fn carry(&self, parcel: Parcel) -> Self::Delivery {
        let this = self.clone();
        let timeout = Duration::from_millis(parcel.timeout.0);
        let mut request = Request { repeatable: parcel.repeatable, ..Request::rpc(parcel.document, timeout) };
        if let Some(tag) = parcel.tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
            request.headers.insert(TAG, tag);
        }
        Box::pin(async move { this.carry_tapped(request, parcel.tap).await })
    }

    fn beside(&self, address: &str, vouched: Option<&str>) -> Result<Self, TransportError> {
        if let Some(fingerprint) = vouched.and_then(|text| text.parse().ok()) {
            Transport::vouch(self, address, fingerprint);
        }
        Transport::beside(self, address, None)
    }

    fn needs_vouching(&self) -> bool {
        self.is_known_by_certificate()
    }

    fn vouch(&self, address: &str, sha256: &str) {
        if let Ok(fingerprint) = sha256.parse() {
            Transport::vouch(self, address, fingerprint);
        }
    }
}

/// The bytes before the body.
fn head_size(method: &Method, path: &str, headers: &HeaderMap) -> usize {
    let line = method.as_str().len() + path.len() + " HTTP/1.1".len() + 1 + 2;
    let lines = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    line + lines.sum::<usize>() + 2
}

/// What hyper says is short; the cause behind it says more.
fn with_cause(error: &hyper::Error) -> String {
    match core::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
