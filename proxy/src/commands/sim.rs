//! `xenoxide sim`: a simulated pool that answers XenAPI.

use std::path::Path;

use serde_json::{Value as Json, json};
use xenapi_core::RawRef;
use xenapi_hyper::server::{BoundHost, HostConfig, ServerConfig, SimServer};
use xenapi_sim::{HostInfo, Sim as Pool};

use super::pool::{self, PASSWORD, USER};
use crate::cli::{Exit, Sim};
use crate::output;

/// Runs the command.
pub(super) async fn run(args: &Sim) -> Result<(), Exit> {
    if args.coverage {
        return super::coverage::run(args.json);
    }
    check_socket(args.unix.as_deref())?;
    let sim = pool::make(&args.pool)?;
    let config = places(args, &sim)?;
    let users = sim.users();
    let server = pool::answer(sim, &config).await?;
    tell(&server, &users, args.json)?;
    super::stopped().await?;
    server.shutdown().await;
    Ok(())
}

/// Where to listen.
fn places(args: &Sim, sim: &Pool) -> Result<ServerConfig, Exit> {
    let unix = args.unix.clone();
    if !args.spread {
        return Ok(ServerConfig { http: Some(args.listen), https: args.tls_listen, unix, ..ServerConfig::default() });
    }
    if let Some(every) = [Some(args.listen), args.tls_listen].into_iter().flatten().find(|at| at.ip().is_unspecified()) {
        let what = "stands for every address of this machine, and --spread gives each host one";
        return Err(Exit::usage(format!("{} {what}; name the first one, as in 127.0.0.1:{}", every.ip(), every.port())));
    }
    // The address that was given is the master's.
    let mut hosts = sim.hosts();
    hosts.sort_by_key(|host| !host.is_master);
    let hosts: Vec<RawRef> = hosts.into_iter().map(|host| host.reference).collect();
    let spread = HostConfig::spread(&hosts, Some(args.listen), args.tls_listen);
    let hosts = spread.ok_or_else(|| {
        Exit::usage(format!(
            "--spread needs {} IPv4 addresses in a row, beginning with those of --listen and --tls-listen",
            hosts.len()
        ))
    })?;
    Ok(ServerConfig { unix, hosts, ..ServerConfig::default() })
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

fn tell(server: &SimServer, users: &[String], as_json: bool) -> Result<(), Exit> {
    let http = server.http().map(|address| url("http", address));
    let https = server.https().map(|address| url("https", address));
    let unix = server.unix().map(|path| path.display().to_string());
    let fingerprint = server.fingerprint().map(|fingerprint| fingerprint.to_string());
    let hosts = server.with(|sim, _| sim.hosts());
    let own: Vec<_> = server.hosts().iter().filter_map(|place| Some((info(&hosts, place)?, place))).collect();
    if as_json {
        let line = json!({
            "ready": true, "url": http, "http": http, "https": https, "unix": unix,
            "user": USER, "password": PASSWORD, "users": users, "fingerprint": fingerprint,
            "hosts": own.iter().map(|(host, place)| host_line(host, place)).collect::<Vec<_>>(),
        });
        return output::line(&line.to_string());
    }
    output::line("A simulated pool answers XenAPI:")?;
    for place in [http.clone(), https, unix.map(|path| format!("unix:{path}"))].into_iter().flatten() {
        output::line(&format!("  {place}"))?;
    }
    for (host, place) in &own {
        let places = [place.http.map(|address| url("http", address)), place.https.map(|address| url("https", address))];
        let places: Vec<String> = places.into_iter().flatten().collect();
        output::line(&format!("  {}{}: {}", host.name, if host.is_master { " (master)" } else { "" }, places.join(" ")))?;
    }
    if let Some(fingerprint) = fingerprint {
        output::line(&format!("  SHA-256 of its certificate: {fingerprint}"))?;
    }
    output::line(&format!("  user {USER}, password {PASSWORD}"))?;
    if !users.is_empty() {
        output::line(&format!("  and with the same password, one for each role: {}", users.join(", ")))?;
    }
    if let Some(http) = http {
        output::line(&format!("Try: XENOXIDE_PASSWORD={PASSWORD} xenoxide call {http} VM.get_all_records"))?;
    }
    output::line("Ctrl-C ends it.")
}

/// Whose address a place is.
fn info<'a>(hosts: &'a [HostInfo], place: &BoundHost) -> Option<&'a HostInfo> {
    hosts.iter().find(|host| Some(&host.reference) == place.host.as_ref())
}

fn host_line(host: &HostInfo, place: &BoundHost) -> Json {
    json!({
        "uuid": host.uuid, "name": host.name, "address": host.address, "master": host.is_master,
        "http": place.http.map(|address| url("http", address)), "https": place.https.map(|address| url("https", address)),
        "fingerprint": place.certificate.as_ref().map(|certificate| certificate.fingerprint.to_string()),
    })
}

fn url(scheme: &str, address: core::net::SocketAddr) -> String {
    crate::serve::local_url(scheme, address).trim_end_matches('/').into()
}
