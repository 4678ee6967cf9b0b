//! What any implementation of xapi has to do, as far as it shows on the wire: numbered as in the list that other tests of the simulated pool follow.
#![allow(clippy::unwrap_used, clippy::std_instead_of_alloc)]

#[path = "common/pool.rs"]
mod pool;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use xenapi_hyper::http::{HeaderMap, Method};

use pool::{ROOT, all, call, json, login, over_tls, pool, post, raw, refusal, spread, value, xml};

const LOGIN: [&str; 2] = ["root", xenapi_sim::PASSWORD];

fn is_reference(text: &str) -> bool {
    let hex = text.strip_prefix("OpaqueRef:").unwrap_or_default();
    hex.len() == 36 && hex.chars().all(|c| c == '-' || c.is_ascii_digit() || ('a'..='f').contains(&c))
}

#[tokio::test]
async fn a01_a_login_answers_a_reference() {
    let pool = pool().await;
    let reply = call(pool.http().unwrap(), "session.login_with_password", &LOGIN).await;
    assert_eq!(reply.status, "HTTP/1.1 200 OK");
    assert!(is_reference(value(&reply)), "{reply:?}");
}

#[tokio::test]
async fn a02_a_post_to_any_path_is_a_call_and_an_unknown_page_is_404() {
    let pool = pool().await;
    let body = xml("session.login_with_password", &LOGIN);
    for path in ["/", "/RPC2", "/json", "/some/unknown/path", "/jso"] {
        let reply = raw(pool.http().unwrap(), &post(path, "", &body)).await;
        assert!(is_reference(value(&reply)), "{path}: {reply:?}");
        assert_eq!(reply.header("content-type"), Some("text/xml"), "{path}");
    }
    let missing = over_tls(&pool, 0, Method::GET, "/some/unknown/path", HeaderMap::new()).await;
    assert_eq!(missing.status(), 404);
    // Without TLS there are no pages at all.
    let plain = raw(pool.http().unwrap(), b"GET /some/unknown/path HTTP/1.1\r\n\r\n").await;
    assert_eq!(plain.status, "HTTP/1.1 403 Forbidden");
}

#[tokio::test]
async fn a05_an_answer_is_one_line_of_bytes() {
    let pool = pool().await;
    let reply = call(pool.http().unwrap(), "session.login_with_password", &LOGIN).await;
    let start = "<?xml version=\"1.0\"?><methodResponse><params><param><value><struct><member><name>Status</name><value>Success</value></member>\
                 <member><name>Value</name><value>OpaqueRef:";
    assert!(reply.body.starts_with(start), "{reply:?}");
    assert!(reply.body.ends_with("</value></member></struct></value></param></params></methodResponse>"), "{reply:?}");
    assert!(!reply.body.contains('\n') && !reply.body.contains("<string>"), "{reply:?}");
}

#[tokio::test]
async fn a14_what_is_no_call_is_a_page_and_nothing_is_a_fault() {
    let pool = pool().await;
    for body in [&b"not xml"[..], b"", b"<methodResponse/>", &vec![b' '; 307_201]] {
        let reply = raw(pool.http().unwrap(), &post("/", "", body)).await;
        assert_eq!(reply.status, "HTTP/1.1 500 Internal Server Error");
        assert!(reply.header("content-type").unwrap().starts_with("text/html"), "{reply:?}");
        assert_eq!(reply.header("connection"), Some("close"));
    }
    let refused = call(pool.http().unwrap(), "Async.VM.get_all", &[&login(pool.http().unwrap()).await]).await;
    assert_eq!(refusal(&refused)[0], "Fault");
    assert!(!refused.body.contains("<fault>"), "{refused:?}");
}

#[tokio::test]
async fn a20_a_member_sends_callers_to_the_master() {
    let pool = spread().await;
    let (master, member) = (pool.hosts()[0].http.unwrap(), pool.hosts()[1].http.unwrap());
    let session = login(master).await;
    for (method, params) in [("VM.get_all", &[session.as_str()][..]), ("session.login_with_password", &LOGIN)] {
        let reply = call(member, method, params).await;
        assert_eq!(reply.status, "HTTP/1.1 200 OK");
        assert_eq!(refusal(&reply), ["HOST_IS_SLAVE", "127.0.0.1"], "{method}");
        assert_eq!(reply.header("x-xenapi-response-host-certificate-thumbprint"), None);
    }
    // Who asks learns what certificate the master will show.
    let shown = pool.hosts()[0].certificate.clone().unwrap();
    for (wanted, thumbprint) in [("sha-256:master", shown.fingerprint.to_string()), ("sha-1:master", shown.sha1)] {
        let asks = format!("x-xenapi-request-host-certificate-thumbprint: {wanted}\r\n");
        let reply = raw(member, &post("/", &asks, &xml("VM.get_all", &[&session]))).await;
        assert_eq!(reply.header("x-xenapi-response-host-certificate-thumbprint"), Some(thumbprint.as_str()));
    }
    // Its own sessions are for its own business.
    let local = call(member, "session.slave_local_login_with_password", &LOGIN).await;
    assert!(is_reference(value(&local)), "{local:?}");
    assert_eq!(value(&call(member, "session.local_logout", &[value(&local)]).await), "");
}

#[tokio::test]
async fn a28_json_rpc_has_both_versions() {
    let pool = pool().await;
    let at = pool.http().unwrap();
    let one = json(at, r#"{"method":"session.login_with_password","params":["root","xenoxide"],"id":1}"#).await;
    assert_eq!(one.header("content-type"), Some("application/json"));
    assert!(one.body.starts_with(r#"{"result":"OpaqueRef:"#) && one.body.ends_with(r#"","error":null,"id":1}"#), "{one:?}");
    let two = json(at, r#"{"jsonrpc":"2.0","method":"VM.get_all","params":["bad"],"id":1}"#).await;
    assert_eq!(two.body, r#"{"jsonrpc":"2.0","error":{"code":1,"message":"SESSION_INVALID","data":["bad"]},"id":1}"#);
    let one = json(at, r#"{"method":"VM.get_all","params":["bad"],"id":"x"}"#).await;
    assert_eq!(one.body, r#"{"result":null,"error":["SESSION_INVALID","bad"],"id":"x"}"#);
}

#[tokio::test]
async fn a29_json_rpc_needs_an_id_and_takes_an_object_for_one_parameter() {
    let pool = pool().await;
    for document in [
        r#"{"jsonrpc":"2.0","method":"system.listMethods","params":[]}"#,
        r#"{"jsonrpc":"2.0","method":"system.listMethods","params":[],"id":null}"#,
        r#"[{"jsonrpc":"2.0","method":"system.listMethods","params":[],"id":1}]"#,
        "{",
    ] {
        let reply = json(pool.http().unwrap(), document).await;
        assert_eq!(reply.status, "HTTP/1.1 500 Internal Server Error", "{document}");
        assert!(reply.header("content-type").unwrap().starts_with("text/html"), "{document}");
    }
    let object = r#"{"jsonrpc":"2.0","method":"session.login_with_password","params":{"uname":"root"},"id":1}"#;
    let reply = json(pool.http().unwrap(), object).await;
    assert!(reply.body.contains(r#""data":["session.login_with_password","2","1"]"#), "{reply:?}");
}

#[tokio::test]
async fn a30_values_are_jsons_own() {
    let pool = pool().await;
    let at = pool.http().unwrap();
    let session = login(at).await;
    let ask = |method: &str, params: &str| {
        let document = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":["{session}"{params}],"id":1}}"#);
        async move { json(at, &document).await.body }
    };
    let result = |body: String| {
        let start = r#"{"jsonrpc":"2.0","result":"#;
        body.strip_prefix(start)
            .and_then(|rest| rest.strip_suffix(r#","id":1}"#))
            .unwrap_or_else(|| panic!("{body}"))
            .to_owned()
    };
    let task = result(ask("task.create", r#","a","b""#).await);
    assert_eq!(result(ask("task.get_progress", &format!(",{task}")).await), "0.0");
    assert_eq!(result(ask("task.set_progress", &format!(",{task},0.5")).await), r#""""#);
    let host = result(ask("host.get_all", "").await).trim_start_matches('[').split(',').next().unwrap().to_owned();
    let time = result(ask("host.get_servertime", &format!(",{host}")).await);
    assert!(time.len() == 20 && time.starts_with("\"20") && time.ends_with("Z\""), "{time}");
    let vms = result(ask("VM.get_all", "").await);
    let vm = vms.trim_start_matches('[').split([',', ']']).next().unwrap().to_owned();
    assert!(result(ask("VM.get_VCPUs_max", &format!(",{vm}")).await).parse::<i64>().is_ok());
}

#[tokio::test]
async fn a31_pages_from_elsewhere_may_call_and_unknown_methods_are_501() {
    let pool = pool().await;
    let at = pool.http().unwrap();
    for path in ["/", "/json", "/jsonrpc"] {
        let asked = format!("OPTIONS {path} HTTP/1.1\r\nconnection: close\r\n\r\n");
        let reply = raw(at, asked.as_bytes()).await;
        assert_eq!((reply.status.as_str(), reply.body.as_str()), ("HTTP/1.1 200 OK", ""));
        assert_eq!(reply.header("Access-Control-Allow-Origin"), Some("*"), "{path}");
    }
    let reply = call(at, "session.login_with_password", &LOGIN).await;
    assert_eq!(reply.header("Access-Control-Allow-Origin"), Some("*"));
    assert_eq!(raw(at, b"HEAD / HTTP/1.1\r\n\r\n").await.status, "HTTP/1.1 501 Not Implemented");
}

#[tokio::test]
async fn a32_http_1_1_stays_open_and_http_1_0_closes() {
    let pool = pool().await;
    let at = pool.http().unwrap();
    let body = xml("session.login_with_password", &LOGIN);
    let request = |version: &str| {
        let head = format!("POST / HTTP/{version}\r\ncontent-length: {}\r\n\r\n", body.len());
        [head.as_bytes(), &body].concat()
    };
    let mut stream = TcpStream::connect(at).await.unwrap();
    for _ in 0..2 {
        stream.write_all(&request("1.1")).await.unwrap();
        let (mut reply, mut buffer) = (Vec::new(), [0; 4096]);
        while !reply.ends_with(b"</methodResponse>") {
            let read = stream.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0, "closed after {}", String::from_utf8_lossy(&reply));
            reply.extend_from_slice(&buffer[..read]);
        }
        assert!(reply.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
    // Reading to the end is how this notices that the server closes.
    let old = all(at, &request("1.0")).await;
    assert!(old.starts_with("HTTP/1.0 200 OK\r\n"), "{old}");
}

#[tokio::test]
async fn a33_metrics_need_credentials_and_a_start() {
    let pool = pool().await;
    let at = pool.http().unwrap();
    let bare = raw(at, b"GET /rrd_updates?start=0 HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    assert_eq!(bare.status, "HTTP/1.1 401 Unauthorized");
    assert!(bare.header("www-authenticate").unwrap().starts_with("Basic realm="), "{bare:?}");
    let request = format!("GET /rrd_updates HTTP/1.1\r\nconnection: close\r\n{ROOT}\r\n");
    assert_eq!(raw(at, request.as_bytes()).await.status, "HTTP/1.1 400 Bad Request");
}

#[tokio::test]
async fn a62_metrics_have_legends_and_the_newest_row_first() {
    let pool = pool().await;
    // Ten minutes before the pool's clock began.
    let start = xenapi_sim::Config::default().wall_clock / 1000 - 600;
    let request = format!("GET /rrd_updates?start={start}&host=true HTTP/1.1\r\nconnection: close\r\n{ROOT}\r\n");
    let reply = raw(pool.http().unwrap(), request.as_bytes()).await;
    assert_eq!(reply.status, "HTTP/1.1 200 OK");
    assert!(
        reply.body.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xport><meta><start>"),
        "{:.200}",
        reply.body
    );
    let entries = texts(&reply.body, "entry");
    assert!(!entries.is_empty());
    for entry in &entries {
        let parts: Vec<&str> = entry.splitn(4, ':').collect();
        let [function, kind, uuid, source] = parts[..] else { panic!("{entry}") };
        assert!(["AVERAGE", "MIN", "MAX", "LAST"].contains(&function) && ["vm", "host", "sr"].contains(&kind), "{entry}");
        assert!(uuid.len() == 36 && !source.is_empty(), "{entry}");
    }
    let times: Vec<u64> = texts(&reply.body, "t").iter().map(|time| time.parse().unwrap()).collect();
    assert!(!times.is_empty() && times.is_sorted_by(|one, other| one > other), "{times:?}");
    let values = texts(&reply.body, "v");
    assert_eq!(values.len(), times.len() * entries.len());
    for value in values {
        let is_number = ["NaN", "Infinity", "-Infinity"].contains(&value) || value.parse::<f64>().is_ok_and(f64::is_finite);
        assert!(is_number, "{value}");
    }
}

/// What stands in all elements of a name.
fn texts<'a>(document: &'a str, name: &str) -> Vec<&'a str> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    document.split(start.as_str()).skip(1).filter_map(|rest| rest.split_once(end.as_str())).map(|(text, _)| text).collect()
}
