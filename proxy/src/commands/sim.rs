//! `xenoxide sim`: a simulated pool that answers XenAPI.

use std::path::Path;

use serde_json::json;
use xenapi_hyper::server::{ServerConfig, SimServer};

use super::pool::{self, PASSWORD, USER};
use crate::cli::{Exit, Sim};
use crate::output;

/// Runs the command.
pub(super) async fn run(args: &Sim) -> Result<(), Exit> {
    if args.coverage {
        return super::coverage::run(args.json);
    }
    check_socket(args.unix.as_deref())?;
    let config = ServerConfig { http: Some(args.listen), https: args.tls_listen, unix: args.unix.clone() };
    let server = pool::answer(pool::make(&args.pool)?, &config).await?;
    tell(&server, args.json)?;
    super::stopped().await?;
    server.shutdown().await;
    Ok(())
}

/// Systems have room for so many bytes of a socket's path, the smallest of them counted.
const LONGEST_SOCKET: usize = 103;

fn check_socket(path: Option<&Path>) -> Result<(), Exit> {
    let Some(path) = path else { return Ok(()) };
    let length = path.as_os_str().len();
    if length <= LONGEST_SOCKET {
        return Ok(());
    }
    let path = path.display();
    Err(Exit::failure(format!(
        "the socket {path}: its path has {length} bytes, and sockets take {LONGEST_SOCKET}; choose a shorter one"
    )))
}

fn tell(server: &SimServer, as_json: bool) -> Result<(), Exit> {
    let http = server.http().map(|address| url("http", address));
    let https = server.https().map(|address| url("https", address));
    let unix = server.unix().map(|path| path.display().to_string());
    let fingerprint = server.fingerprint().map(|fingerprint| fingerprint.to_string());
    if as_json {
        let line = json!({
            "ready": true, "url": http, "http": http, "https": https, "unix": unix,
            "user": USER, "password": PASSWORD, "fingerprint": fingerprint,
        });
        return output::line(&line.to_string());
    }
    output::line("A simulated pool answers XenAPI:")?;
    for place in [http.clone(), https, unix.map(|path| format!("unix:{path}"))].into_iter().flatten() {
        output::line(&format!("  {place}"))?;
    }
    if let Some(fingerprint) = fingerprint {
        output::line(&format!("  SHA-256 of its certificate: {fingerprint}"))?;
    }
    output::line(&format!("  user {USER}, password {PASSWORD}"))?;
    if let Some(http) = http {
        output::line(&format!("Try: XENOXIDE_PASSWORD={PASSWORD} xenoxide call {http} VM.get_all_records"))?;
    }
    output::line("Ctrl-C ends it.")
}

fn url(scheme: &str, address: core::net::SocketAddr) -> String {
    crate::serve::local_url(scheme, address).trim_end_matches('/').into()
}
