//! A simulated pool behind a server, and requests to it byte for byte.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::std_instead_of_alloc, reason = "each test uses its part")]

use core::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use xenapi_core::{RawCall, Value};
use xenapi_hyper::http::{HeaderMap, Method, Response};
use xenapi_hyper::server::{HostConfig, ServerConfig, SimServer, serve};
use xenapi_hyper::{Bytes, Request, Target, Transport, TransportConfig, Trust};
use xenapi_sim::{Config, PASSWORD, Sim};

fn any() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// A small pool at one address.
pub async fn pool() -> SimServer {
    pool_with("").await
}

/// A small pool with faults.
pub async fn pool_with(faults: &str) -> SimServer {
    let mut sim = Sim::new(&Config { vms: 4, ..Config::default() });
    sim.add_faults(&xenapi_sim::faults::parse(faults).unwrap(), xenapi_core::Millis(0));
    let config = ServerConfig { http: Some(any()), https: Some(any()), ..ServerConfig::default() };
    serve(sim, &config).await.unwrap()
}

/// A small pool whose hosts have their own addresses; the first one is the master.
pub async fn spread() -> SimServer {
    let sim = Sim::new(&Config { vms: 4, ..Config::default() });
    let hosts: Vec<_> = sim.hosts().into_iter().map(|host| host.reference).collect();
    let hosts = HostConfig::spread(&hosts, Some(any()), Some(any())).unwrap();
    serve(sim, &ServerConfig { hosts, ..ServerConfig::default() }).await.unwrap()
}

/// A reply, taken apart.
#[derive(Debug)]
pub struct Raw {
    pub status: String,
    pub headers: Vec<String>,
    pub body: String,
}

impl Raw {
    pub fn parse(reply: &str) -> Self {
        let (head, body) = reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no reply: {reply:?}"));
        let mut lines = head.split("\r\n").map(String::from);
        Raw { status: lines.next().unwrap(), headers: lines.collect(), body: body.into() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| line.split_once(": ").filter(|(key, _)| *key == name)).map(|(_, value)| value)
    }
}

/// Sends bytes on a connection of their own and reads to its end.
pub async fn raw(address: SocketAddr, bytes: &[u8]) -> Raw {
    Raw::parse(&all(address, bytes).await)
}

/// As [`raw`], with whatever comes, nothing included.
pub async fn all(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut reply = Vec::new();
    // A server that cuts the connection may do so while this is written.
    if stream.write_all(bytes).await.is_ok() {
        let _ = stream.read_to_end(&mut reply).await;
    }
    String::from_utf8(reply).unwrap()
}

/// A `POST` after which the connection closes.
pub fn post(path: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{more}\r\n");
    [head.as_bytes(), body].concat()
}

/// A call as XML, of texts.
pub fn xml(method: &str, params: &[&str]) -> Vec<u8> {
    let params = params.iter().map(|param| Value::from(*param)).collect();
    xenapi_codec::xmlrpc::write_call(&RawCall { method: method.into(), params })
}

/// A call over plain HTTP.
pub async fn call(address: SocketAddr, method: &str, params: &[&str]) -> Raw {
    raw(address, &post("/", "", &xml(method, params))).await
}

/// The text of a success.
pub fn value(reply: &Raw) -> &str {
    let start = "<name>Status</name><value>Success</value></member><member><name>Value</name><value>";
    reply.body.split_once(start).and_then(|(_, rest)| rest.split_once("</value>")).unwrap_or_else(|| panic!("{reply:?}")).0
}

/// The words of a refusal.
pub fn refusal(reply: &Raw) -> Vec<String> {
    let start = "<name>ErrorDescription</name><value><array><data>";
    let rest = reply.body.split_once(start).unwrap_or_else(|| panic!("{reply:?}")).1;
    let words = rest.split_once("</data>").unwrap().0;
    words.split("<value>").skip(1).map(|word| word.trim_end_matches("</value>").to_owned()).collect()
}

/// A session.
pub async fn login(address: SocketAddr) -> String {
    value(&call(address, "session.login_with_password", &["root", PASSWORD]).await).to_owned()
}

/// A JSON-RPC document's answer.
pub async fn json(address: SocketAddr, document: &str) -> Raw {
    raw(address, &post("/jsonrpc", "", document.as_bytes())).await
}

/// A request over TLS to a server whose certificate is known.
pub async fn over_tls(server: &SimServer, at: usize, method: Method, path: &str, headers: HeaderMap) -> Response<Bytes> {
    let place = &server.hosts()[at];
    let address = place.https.unwrap();
    let target = Target::Https { host: address.ip().to_string(), port: address.port() };
    let trust = Trust::Pinned(place.certificate.as_ref().unwrap().fingerprint);
    let transport = Transport::new(target, &trust, TransportConfig::default()).unwrap();
    let timeout = core::time::Duration::from_secs(60);
    let request = Request { method, path: path.into(), headers, body: Bytes::new(), timeout, repeatable: false };
    transport.whole(request).await.unwrap()
}

/// `root:xenoxide`
pub const ROOT: &str = "Authorization: Basic cm9vdDp4ZW5veGlkZQ==\r\n";
