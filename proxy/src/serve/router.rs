//! Which request goes where.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};

use super::Body;
use super::errors::{Code, Refusal};
use super::gate::Gate;
use super::hub::Hub;
use super::seal::Sealer;
use super::static_files::StaticFiles;
use super::upstream::Upstream;

/// A pool that the proxy serves.
pub struct Pool {
    /// The name in addresses and cookies, see [`is_pool_name`].
    pub name: String,
    /// The name for people.
    pub label: String,
    /// Whether calls that may change something are refused.
    pub read_only: bool,
    /// Who asks for the password where the pool itself does not: on its Unix socket.
    pub gate: Option<Gate>,
    /// The way to it.
    pub upstream: Arc<dyn Upstream>,
}

/// Whether a text can name a pool: it stands in paths and in the names of cookies.
pub fn is_pool_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('.')
}

/// How requests are taken.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The most bytes of a call. xapi itself takes 300 KiB.
    pub request_bytes: usize,
    /// How long the body of a call may take to arrive.
    pub request_time: Duration,
    /// Whether browsers reach the proxy through TLS, so that cookies may be kept to it.
    pub secure_cookies: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { request_bytes: 300 << 10, request_time: Duration::from_secs(30), secure_cookies: false }
    }
}

/// Answers requests: the console's files, the list of pools, and calls to them.
pub struct Router {
    pub(super) pools: Vec<Pool>,
    pub(super) files: Arc<StaticFiles>,
    pub(super) sealer: Sealer,
    pub(super) settings: Settings,
    /// The shared streams of the pools, in their order.
    hubs: Vec<Arc<Hub>>,
    draining: AtomicBool,
}

impl Router {
    /// A router over pools with different names.
    pub fn new(pools: Vec<Pool>, files: Arc<StaticFiles>, sealer: Sealer, settings: Settings) -> Self {
        let hubs = pools.iter().map(|pool| Arc::new(Hub::new(&pool.name, Arc::clone(&pool.upstream)))).collect();
        Router { pools, files, sealer, settings, hubs, draining: AtomicBool::new(false) }
    }

    /// Says in `/readyz` from now on that no new requests should come.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Answers one request.
    pub async fn respond(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let mut response = match (parts.uri.path(), &parts.method) {
            ("/healthz", &Method::GET | &Method::HEAD) => plain(StatusCode::OK, "ok\n"),
            ("/readyz", &Method::GET | &Method::HEAD) => self.readiness(),
            ("/pools", &Method::GET | &Method::HEAD) => self.list_pools(),
            ("/healthz" | "/readyz" | "/pools", _) => method_not_allowed(parts.uri.path(), "GET, HEAD"),
            (path, method) => match path.strip_prefix("/pools/") {
                Some(rest) => self.pool_route(rest, &parts, body).await.unwrap_or_else(Refusal::into_response),
                None => self.files.respond(method, path, &parts.headers),
            },
        };
        secure(response.headers_mut());
        response
    }

    async fn pool_route(&self, rest: &str, parts: &Parts, body: Body) -> Result<Response<Body>, Refusal> {
        let (name, route) = rest.split_once('/').unwrap_or((rest, ""));
        if !matches!(route, "rpc" | "events") {
            return Err(Refusal::new(Code::NotFound, format!("there is no {} here", parts.uri.path())));
        }
        let mut known = self.pools.iter().zip(&self.hubs);
        let (pool, hub) = known.find(|(pool, _)| pool.name == name).ok_or_else(|| self.unknown_pool(name))?;
        match (route, &parts.method) {
            ("rpc", &Method::POST) => self.rpc(pool, hub, &parts.headers, body).await,
            ("rpc", _) => Ok(method_not_allowed(parts.uri.path(), "POST")),
            (_, &Method::GET) => self.events(pool, hub, parts).await,
            _ => Ok(method_not_allowed(parts.uri.path(), "GET")),
        }
    }

    fn unknown_pool(&self, name: &str) -> Refusal {
        let known: Vec<&str> = self.pools.iter().map(|pool| pool.name.as_str()).collect();
        let known = if known.is_empty() { "none".into() } else { known.join(", ") };
        Refusal::new(Code::UnknownPool, format!("there is no pool {name:?} here; configured: {known}"))
    }

    fn readiness(&self) -> Response<Body> {
        if self.draining.load(Ordering::Relaxed) {
            plain(StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
        } else {
            plain(StatusCode::OK, "ready\n")
        }
    }

    fn list_pools(&self) -> Response<Body> {
        let pools = self
            .pools
            .iter()
            .map(|pool| serde_json::json!({ "name": pool.name, "label": pool.label, "read_only": pool.read_only }));
        let text = serde_json::Value::Array(pools.collect()).to_string();
        let mut response = plain(StatusCode::OK, text);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(text.into()).map_err(Into::into).boxed_unsync());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn method_not_allowed(path: &str, allowed: &'static str) -> Response<Body> {
    let mut response = Refusal::new(Code::MethodNotAllowed, format!("{path} takes {allowed} only")).into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

/// The headers that every answer has: nothing is guessed, framed, or told to other sites.
fn secure(headers: &mut HeaderMap) {
    const ALWAYS: [(header::HeaderName, &str); 3] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
}

#[cfg(test)]
#[path = "router_tests.rs"]
mod tests;
