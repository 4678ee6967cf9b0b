//! The proxy in front of a simulated pool, over real sockets.

use crate::harness::{Server, ended, http, nobody, rpc, xenoxide};

const CONSOLE: (&str, &str) = ("x-xenoxide-console", "1");

#[test]
fn programs_go_through() {
    let sim = Server::sim(&["--vms", "2"]);
    let serve = Server::serve(sim.get("http"), &[]);
    let url = serve.get("url");
    let login = rpc(url, "lab", &[], "session.login_with_password", &["root", "xenoxide", "1.0", "test"]);
    let session = login.value().unwrap().as_text().unwrap().to_owned();
    assert!(session.starts_with("OpaqueRef:") && session != "OpaqueRef:session");
    assert!(login.header("set-cookie").is_none());
    let vms = rpc(url, "lab", &[], "VM.get_all_records", &[&session]).value().unwrap();
    assert!(!vms.as_struct().unwrap().is_empty());
    // Somebody else's broken request ends nobody's session.
    let _ = http(url, "POST", "/pools/lab/rpc", &[], b"<methodCall><broken");
    assert!(rpc(url, "lab", &[], "pool.get_all", &[&session]).value().is_ok());
    assert!(rpc(url, "lab", &[], "session.logout", &[&session]).value().is_ok());
    assert_eq!(rpc(url, "lab", &[], "pool.get_all", &[&session]).value().unwrap_err().code, "SESSION_INVALID");
}

#[test]
fn the_console_logs_in_by_a_sealed_cookie() {
    let sim = Server::sim(&["--vms", "2"]);
    let serve = Server::serve(sim.get("http"), &["--pool", &format!("other={}", sim.get("http"))]);
    let url = serve.get("url");
    let login = rpc(url, "lab", &[CONSOLE], "session.login_with_password", &["root", "xenoxide", "1.0", "test"]);
    assert_eq!(login.value().unwrap().as_text(), Some("OpaqueRef:session"));
    let cookie = login.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
    let cookie = cookie.split(';').next().unwrap();
    let pools = |pool: &str, cookie: &str| {
        rpc(url, pool, &[CONSOLE, ("Cookie", cookie)], "pool.get_all", &["OpaqueRef:session"]).value()
    };
    assert!(pools("lab", cookie).is_ok());
    for (pool, cookie) in [("lab", ""), ("lab", &cookie[..cookie.len() - 2]), ("other", &cookie.replace("_lab=", "_other="))]
    {
        assert_eq!(pools(pool, cookie).unwrap_err().code, "SESSION_INVALID", "{pool} {cookie}");
    }
    let refused = rpc(url, "lab", &[CONSOLE], "session.login_with_password", &["root", "wrong"]);
    assert_eq!(refused.value().unwrap_err().code, "SESSION_AUTHENTICATION_FAILED");
    let gone = rpc(url, "lab", &[CONSOLE, ("Cookie", cookie)], "session.logout", &["OpaqueRef:session"]);
    assert!(gone.value().is_ok() && gone.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(pools("lab", cookie).unwrap_err().code, "SESSION_INVALID");
}

#[cfg(unix)]
#[test]
fn a_pool_that_asks_for_no_password_is_guarded_by_the_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, password) = (folder.path().join("xapi"), folder.path().join("password"));
    std::fs::write(&password, "the word\n").unwrap();
    let sim = Server::sim(&["--vms", "1", "--unix", socket.to_str().unwrap()]);
    let guard = format!("lab={}", password.display());
    let serve = Server::serve(&format!("unix:{}", sim.get("unix")), &["--pool-password-file", &guard]);
    let url = serve.get("url");
    for headers in [&[][..], &[CONSOLE]] {
        let log_in =
            |word: &str| rpc(url, "lab", headers, "session.login_with_password", &["root", word, "1.0", "test"]).value();
        for wrong in ["", "xenoxide", "the word "] {
            assert_eq!(log_in(wrong).unwrap_err().code, "SESSION_AUTHENTICATION_FAILED", "{wrong:?}");
        }
        assert!(log_in("the word").is_ok());
        let login = rpc(url, "lab", headers, "session.slave_local_login_with_password", &["root", ""]).value();
        assert_eq!(login.unwrap_err().code, "SESSION_AUTHENTICATION_FAILED");
    }
    let session = rpc(url, "lab", &[], "session.login_with_password", &["root", "the word"]).value().unwrap();
    assert!(rpc(url, "lab", &[], "VM.get_all_records", &[session.as_text().unwrap()]).value().is_ok());
    assert_eq!(rpc(url, "lab", &[], "VM.get_all_records", &["OpaqueRef:none"]).value().unwrap_err().code, "SESSION_INVALID");
}

#[test]
fn proxies_with_one_key_serve_the_same_browsers() {
    let sim = Server::sim(&["--vms", "0"]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), "5a".repeat(32)).unwrap();
    let config = folder.path().join("xenoxide.toml");
    let text =
        format!("cookie_key_file = \"key\"\nbehind_tls = true\n[[pools]]\nname = \"lab\"\nurl = \"{}\"\n", sim.get("http"));
    std::fs::write(&config, text).unwrap();
    let start = || Server::start(&["serve", "--listen", "127.0.0.1:0", "--config", config.to_str().unwrap()]);
    let (one, other) = (start(), start());
    let login = rpc(one.get("url"), "lab", &[CONSOLE], "session.login_with_password", &["root", "xenoxide"]);
    let cookie = login.header("set-cookie").unwrap();
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    for serve in [&one, &other] {
        let pools = rpc(serve.get("url"), "lab", &[CONSOLE, ("Cookie", cookie)], "pool.get_all", &["OpaqueRef:session"]);
        assert!(pools.value().is_ok());
    }
}

#[test]
fn a_dead_pool_and_a_certificate_that_nobody_trusts_are_told_apart() {
    let sim = Server::sim(&["--vms", "0", "--tls-listen", "127.0.0.1:0"]);
    let (https, pin) = (sim.get("https"), format!("pinned={}", sim.get("fingerprint")));
    let more = ["--pool", &format!("tls={https}"), "--pool", &format!("pinned={https}"), "--fingerprint", &pin];
    let serve = Server::serve(&nobody(), &more);
    let url = serve.get("url");
    let login = |pool| rpc(url, pool, &[], "session.login_with_password", &["root", "xenoxide"]);
    let dead = login("lab");
    assert_eq!((dead.status, dead.code().as_str()), (502, "upstream-unreachable"));
    let untrusted = login("tls");
    assert_eq!((untrusted.status, untrusted.code().as_str()), (502, "upstream-untrusted"));
    assert!(login("pinned").value().is_ok());
    let unknown = login("nowhere");
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "unknown-pool"));
    let long = http(url, "POST", "/pools/lab/rpc", &[], &[b'x'; 400_000]);
    assert_eq!((long.status, long.code().as_str()), (413, "body-too-large"));
}

#[test]
fn a_certificate_that_is_trusted_later_counts_without_a_restart() {
    let sim = Server::sim(&["--vms", "0", "--tls-listen", "127.0.0.1:0"]);
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().join("known_hosts");
    let pool = format!("lab={}", sim.get("https"));
    let serve = Server::start_as(
        xenoxide(&["serve", "--listen", "127.0.0.1:0", "--pool", &pool]).env("XENOXIDE_KNOWN_HOSTS", &known),
    );
    let login = || rpc(serve.get("url"), "lab", &[], "session.login_with_password", &["root", "xenoxide"]);
    assert_eq!(login().code(), "upstream-untrusted");
    let trusted = ended(xenoxide(&["trust", sim.get("https")]).env("XENOXIDE_KNOWN_HOSTS", &known));
    assert_eq!(trusted.code, Some(0), "{}", trusted.err);
    assert!(login().value().is_ok());
}

#[test]
fn read_only_means_that_nothing_changes() {
    let sim = Server::sim(&["--vms", "2"]);
    let serve = Server::serve(sim.get("http"), &["--read-only"]);
    let url = serve.get("url");
    let login = rpc(url, "lab", &[], "session.login_with_password", &["root", "xenoxide"]).value().unwrap();
    let session = login.as_text().unwrap();
    let pool = rpc(url, "lab", &[], "pool.get_all", &[session]).value().unwrap();
    let pool = pool.as_array().unwrap()[0].as_text().unwrap().to_owned();
    for method in ["pool.set_name_label", "pool_set_name_label"] {
        let refused = rpc(url, "lab", &[], method, &[session, &pool, "changed"]).value().unwrap_err();
        assert_eq!(refused.code, "RBAC_PERMISSION_DENIED");
    }
    let name = rpc(url, "lab", &[], "pool.get_name_label", &[session, &pool]).value().unwrap();
    assert_ne!(name.as_text(), Some("changed"));
    assert!(rpc(url, "lab", &[], "session.logout", &[session]).value().is_ok());
}

#[test]
fn the_demo_serves_the_console_and_lets_the_pool_be_called() {
    let console = tempfile::tempdir().unwrap();
    std::fs::write(console.path().join("index.html"), "<!doctype html><title>console</title>").unwrap();
    std::fs::write(console.path().join("app.wasm"), "wasm").unwrap();
    let folder = console.path().to_str().unwrap();
    let demo = Server::start(&["demo", "--listen", "127.0.0.1:0", "--hosts", "1", "--vms", "3", "--console", folder]);
    let url = demo.get("url");
    assert!(String::from_utf8(http(url, "GET", "/", &[], b"").body).unwrap().contains("<title>console</title>"));
    assert_eq!(http(url, "GET", "/app.wasm", &[], b"").header("content-type"), Some("application/wasm"));
    assert_eq!(http(url, "GET", "/../../etc/passwd", &[], b"").status, 404);
    assert!(String::from_utf8(http(url, "GET", "/pools", &[], b"").body).unwrap().contains("\"name\":\"demo\""));
    let hosts = crate::harness::json(&["call", demo.get("sim"), "host.get_all"]);
    assert_eq!(hosts.as_array().unwrap().len(), 1);
    assert!(rpc(url, "demo", &[], "session.login_with_password", &[demo.get("user"), demo.get("password")]).value().is_ok());
    #[cfg(unix)]
    assert_eq!(demo.terminate(), Some(0));
}
