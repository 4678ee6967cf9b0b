#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::Read as _;
use std::sync::Mutex;

use http_body_util::Empty;
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Failure, RawCall, Struct, Value, Wire as _};

use super::*;
use crate::serve::BoxError;
use crate::serve::seal::{STAND_IN, cookie_name};
use crate::serve::upstream::{Answer, Answering, UpstreamError};

const SESSION: &str = "OpaqueRef:61d1d8d1-3c5f-4b8e-9a8e-5d2c0a4f7b11";

/// What reached a pool.
type Seen = Arc<Mutex<Vec<RawCall>>>;

/// A pool that is a function.
struct Fake<F>(F, Seen);

impl<F: Fn(&RawCall) -> Result<Vec<u8>, UpstreamError> + Send + Sync> Upstream for Fake<F> {
    fn post(&self, body: Bytes, _repeatable: bool) -> Answering<'_> {
        let answer = match xmlrpc::read_call(&body, &Limits::request()) {
            Ok(call) => {
                let answer = (self.0)(&call);
                self.1.lock().unwrap().push(call);
                answer.map(|body| (StatusCode::OK, "text/xml", body))
            }
            Err(_) => Ok((StatusCode::INTERNAL_SERVER_ERROR, "text/html", b"<html>".to_vec())),
        };
        let answer = answer.map(|(status, kind, body)| Answer {
            status,
            content_type: Some(HeaderValue::from_static(kind)),
            length: Some(body.len() as u64),
            body: Full::new(Bytes::from(body)).map_err(Into::into).boxed_unsync(),
        });
        Box::pin(core::future::ready(answer))
    }
}

/// A pool that logs in, lists a session, and answers other calls with what they were asked.
fn xapi(call: &RawCall) -> Result<Vec<u8>, UpstreamError> {
    match call.method.as_str() {
        "session.login_with_password" if call.params.get(1) == Some(&"right".into()) => {
            Ok(xmlrpc::write_success(&SESSION.into()))
        }
        "session.login_with_password" if call.params.first() == Some(&"odd".into()) => {
            Ok(xmlrpc::write_success(&call.params[1]))
        }
        "session.login_with_password" => {
            Ok(xmlrpc::write_failure(&Failure::new("SESSION_AUTHENTICATION_FAILED", ["root", "no"])))
        }
        "pool.get_all" => Err(UpstreamError::Unreachable("http://xs1: no connection".into())),
        "host.get_all" => Err(UpstreamError::Untrusted("https://xs1: not trusted".into())),
        "VM.get_all_records" => {
            let names = (0..500).map(|at| (format!("OpaqueRef:{at}"), Value::from("a VM as any other")));
            Ok(xmlrpc::write_success(&Value::Struct(names.collect::<Struct>())))
        }
        _ => Ok(xmlrpc::write_success(&Value::Array(call.params.clone()))),
    }
}

fn router(read_only: bool) -> (Router, Seen) {
    let seen = Seen::default();
    let pool = |name: &str| Pool {
        name: name.into(),
        label: format!("The {name}"),
        read_only,
        gate: None,
        upstream: Arc::new(Fake(xapi, Arc::clone(&seen))),
    };
    let sealer = Sealer::with_random_key().unwrap();
    let router = Router::new(vec![pool("lab"), pool("other")], Arc::new(StaticFiles::none()), sealer, Settings::default());
    (router, seen)
}

fn call(method: &str, params: &[&str]) -> Vec<u8> {
    let params = params.iter().map(|param| Value::from(*param)).collect();
    xmlrpc::write_call(&RawCall { method: method.into(), params })
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn value(&self) -> Result<Value, Failure> {
        xmlrpc::read_result(&self.body, &Limits::default(), Value::read).unwrap()
    }

    fn code(&self) -> String {
        let json: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert!(!json["error"]["message"].as_str().unwrap().is_empty());
        json["error"]["code"].as_str().unwrap().into()
    }
}

async fn send(router: &Router, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response =
        router.respond(request.body(Full::new(Bytes::from(body)).map_err(Into::into).boxed_unsync()).unwrap()).await;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Reply { status: parts.status, headers: parts.headers, body }
}

async fn post(router: &Router, pool: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Reply {
    send(router, Method::POST, &format!("/pools/{pool}/rpc"), headers, body).await
}

const CONSOLE: (&str, &str) = ("x-xenoxide-console", "1");

/// Logs in as the console does, and gives the cookie.
async fn log_in(router: &Router) -> String {
    let reply = post(router, "lab", &[CONSOLE], call("session.login_with_password", &["root", "right"])).await;
    assert_eq!(reply.value(), Ok(STAND_IN.into()));
    reply.header("set-cookie").split(';').next().unwrap().into()
}

#[tokio::test]
async fn programs_get_what_the_pool_answers() {
    let (router, seen) = router(false);
    let reply = post(&router, "lab", &[], call("session.login_with_password", &["root", "right"])).await;
    assert_eq!(reply.value(), Ok(SESSION.into()));
    assert_eq!(reply.header("set-cookie"), "");
    let reply = post(&router, "lab", &[], call("VM.get_name_label", &[SESSION, "OpaqueRef:1"])).await;
    assert_eq!(reply.value(), Ok(Value::Array(vec![SESSION.into(), "OpaqueRef:1".into()])));
    assert_eq!(seen.lock().unwrap().len(), 2);
    let reply = post(&router, "lab", &[], b"not xml".to_vec()).await;
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::INTERNAL_SERVER_ERROR, "text/html"));
}

#[tokio::test]
async fn the_console_never_sees_its_session() {
    let (router, seen) = router(false);
    let login = post(&router, "lab", &[CONSOLE], call("session.login_with_password", &["root", "right"])).await;
    let cookie = login.header("set-cookie").to_owned();
    assert!(cookie.starts_with(&format!("{}=", cookie_name("lab"))), "{cookie}");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/pools/lab/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap();
    // The fake pool answers with the parameters, the session among them.
    let reply = post(&router, "lab", &[CONSOLE, ("cookie", cookie)], call("session.get_uuid", &[STAND_IN, STAND_IN])).await;
    assert_eq!(reply.value(), Ok(Value::Array(vec![STAND_IN.into(), STAND_IN.into()])));
    let last = seen.lock().unwrap().last().unwrap().clone();
    assert_eq!(last.params, [SESSION.into(), SESSION.into()]);
    assert!(![login.body, reply.body].concat().windows(SESSION.len()).any(|bytes| bytes == SESSION.as_bytes()));
}

#[tokio::test]
async fn the_stand_in_is_replaced_only_where_a_session_is_due() {
    let (router, seen) = router(false);
    let cookie = log_in(&router).await;
    let rename = call("VM.set_name_label", &[STAND_IN, "OpaqueRef:1", STAND_IN]);
    post(&router, "lab", &[CONSOLE, ("cookie", &cookie)], rename).await;
    let last = seen.lock().unwrap().last().unwrap().clone();
    assert_eq!(last.params, [SESSION.into(), "OpaqueRef:1".into(), STAND_IN.into()]);
}

#[tokio::test]
async fn a_cookie_that_is_missing_changed_or_of_another_pool_is_no_session() {
    let (router, seen) = router(false);
    let cookie = log_in(&router).await;
    let before = seen.lock().unwrap().len();
    let changed = format!("{}A", &cookie[..cookie.len() - 1]);
    let changed = if changed == cookie { format!("{}B", &cookie[..cookie.len() - 1]) } else { changed };
    let moved = cookie.replace("_lab=", "_other=");
    for (pool, cookie) in [("lab", "a=b"), ("lab", changed.as_str()), ("other", cookie.as_str()), ("other", moved.as_str())]
    {
        let reply = post(&router, pool, &[CONSOLE, ("cookie", cookie)], call("VM.get_all", &[STAND_IN])).await;
        assert_eq!(reply.value(), Err(Failure::new("SESSION_INVALID", [STAND_IN])), "{pool} {cookie}");
    }
    assert_eq!(seen.lock().unwrap().len(), before, "nothing was forwarded");
}

#[tokio::test]
async fn whoever_logs_out_is_out() {
    let (router, seen) = router(false);
    let cookie = log_in(&router).await;
    let reply = post(&router, "lab", &[CONSOLE, ("cookie", &cookie)], call("session.logout", &[STAND_IN])).await;
    assert_eq!(seen.lock().unwrap().last().unwrap().params, [SESSION.into()]);
    assert!(reply.header("set-cookie").contains("Max-Age=0"), "{}", reply.header("set-cookie"));
    let refused = post(&router, "lab", &[CONSOLE], call("session.logout", &[STAND_IN])).await;
    assert!(refused.value().is_err() && refused.header("set-cookie").contains("Max-Age=0"));
}

#[tokio::test]
async fn a_wrong_password_is_the_pools_own_refusal() {
    let (router, _) = router(false);
    let reply = post(&router, "lab", &[CONSOLE], call("session.login_with_password", &["root", "wrong"])).await;
    assert_eq!(reply.value().unwrap_err().code, "SESSION_AUTHENTICATION_FAILED");
    assert_eq!(reply.header("set-cookie"), "");
}

#[tokio::test]
async fn what_cannot_be_a_session_is_not_kept_as_one() {
    let (router, _) = router(false);
    for odd in ["", "a", "OpaqueRef:<&>", "OpaqueRef:1\r\nx", &"x".repeat(5000)] {
        let reply = post(&router, "lab", &[CONSOLE], call("session.login_with_password", &["odd", odd])).await;
        assert_eq!((reply.code().as_str(), reply.header("set-cookie")), ("upstream-broken", ""), "{odd}");
    }
}

#[tokio::test]
async fn read_only_refuses_before_the_pool_hears_of_it() {
    let (router, seen) = router(true);
    for headers in [&[][..], &[CONSOLE]] {
        let reply = post(&router, "lab", headers, call("VM.start", &[SESSION, "OpaqueRef:1"])).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.value().unwrap_err().code, "RBAC_PERMISSION_DENIED");
    }
    assert!(seen.lock().unwrap().is_empty());
    let reply = post(&router, "lab", &[], call("VM.get_name_label", &[SESSION, "OpaqueRef:1"])).await;
    assert!(reply.value().is_ok());
    assert_eq!(post(&router, "lab", &[], b"not xml".to_vec()).await.code(), "bad-request");
}

#[tokio::test]
async fn what_goes_wrong_on_the_way_is_said_as_json() {
    let (router, _) = router(false);
    for (method, status, code) in
        [("pool.get_all", 502, "upstream-unreachable"), ("host.get_all", 502, "upstream-untrusted")]
    {
        for headers in [&[][..], &[CONSOLE]] {
            let reply = post(&router, "lab", headers, call(method, &[SESSION])).await;
            assert_eq!((reply.status.as_u16(), reply.code().as_str()), (status, code));
            assert_eq!(reply.header("content-type"), "application/json");
        }
    }
    let reply = post(&router, "lab", &[CONSOLE], b"not xml".to_vec()).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "bad-request"));
    let reply = post(&router, "nowhere", &[], call("VM.get_all", &[])).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::NOT_FOUND, "unknown-pool"));
    let reply = post(&router, "lab", &[], vec![b'x'; 307_201]).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large"));
    let reply = send(&router, Method::GET, "/pools/lab/rpc", &[], Vec::new()).await;
    assert_eq!((reply.status, reply.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
}

#[tokio::test]
async fn pages_of_other_sites_are_refused() {
    let (router, seen) = router(false);
    let foreign: [&[(&str, &str)]; 5] = [
        &[("host", "here:1"), ("origin", "https://elsewhere")],
        &[("host", "here:1"), ("origin", "null")],
        &[("origin", "http://here:1")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("host", "here:1"), ("origin", "http://here:1")],
    ];
    for headers in foreign {
        let reply = post(&router, "lab", headers, call("VM.get_all", &[SESSION])).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "foreign-origin"), "{headers:?}");
    }
    assert!(seen.lock().unwrap().is_empty());
    let own: [&[(&str, &str)]; 2] = [
        &[("host", "here:1"), ("origin", "http://here:1")],
        &[("host", "behind-a-proxy"), ("origin", "https://here"), ("sec-fetch-site", "same-origin")],
    ];
    for headers in own {
        assert_eq!(
            post(&router, "lab", headers, call("VM.get_all", &[SESSION])).await.status,
            StatusCode::OK,
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_can_read_them() {
    let (router, _) = router(false);
    let plain = post(&router, "lab", &[], call("VM.get_all_records", &[SESSION])).await;
    let packed = post(&router, "lab", &[("accept-encoding", "gzip, br")], call("VM.get_all_records", &[SESSION])).await;
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), ("", "gzip"));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(packed.body.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    assert!(packed.body.len() * 5 < plain.body.len());
}

#[tokio::test]
async fn pools_and_health_are_told_with_every_protection() {
    let (router, _) = router(false);
    let pools = send(&router, Method::GET, "/pools", &[], Vec::new()).await;
    let json: serde_json::Value = serde_json::from_slice(&pools.body).unwrap();
    assert_eq!((json[0]["name"].as_str(), json[0]["label"].as_str()), (Some("lab"), Some("The lab")));
    assert_eq!(send(&router, Method::GET, "/healthz", &[], Vec::new()).await.body, b"ok\n");
    assert_eq!(send(&router, Method::GET, "/readyz", &[], Vec::new()).await.status, StatusCode::OK);
    router.drain();
    assert_eq!(send(&router, Method::GET, "/readyz", &[], Vec::new()).await.status, StatusCode::SERVICE_UNAVAILABLE);
    for path in ["/", "/pools", "/healthz", "/pools/nowhere/rpc", "/x.js"] {
        let reply = send(&router, Method::GET, path, &[], Vec::new()).await;
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert!(reply.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(reply.header("cross-origin-opener-policy"), "same-origin", "{path}");
    }
}

/// A body that never comes.
struct Never;

impl http_body::Body for Never {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: core::pin::Pin<&mut Self>,
        _: &mut core::task::Context<'_>,
    ) -> core::task::Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        core::task::Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_never_ends_is_not_waited_for() {
    let (router, _) = router(false);
    let request = Request::builder().method(Method::POST).uri("/pools/lab/rpc").body(Never.boxed_unsync()).unwrap();
    assert_eq!(router.respond(request).await.status(), StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn an_empty_request_is_answered_too() {
    let (router, _) = router(false);
    let request = Request::builder().method(Method::POST).uri("/pools/lab/rpc").header("x-xenoxide-console", "1");
    let response = router.respond(request.body(Empty::new().map_err(Into::into).boxed_unsync()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[test]
fn names_of_pools_fit_paths_and_cookies() {
    for name in ["lab", "lab-2", "xs1.example", "A_b"] {
        assert!(is_pool_name(name), "{name}");
    }
    for name in ["", "a/b", "a b", "..", ".a", "ä", "a;b", &"x".repeat(65)] {
        assert!(!is_pool_name(name), "{name}");
    }
}
