//! `xenoxide serve` and `xenoxide demo`: the console, and the way to the pools.

use alloc::sync::Arc;
use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::path::{Path, PathBuf};

use serde_json::json;
use xenapi_hyper::Target;
use xenapi_hyper::server::ServerConfig;

use super::pool::{self, PASSWORD, USER};
use super::trust;
use super::upstream::Remote;
use crate::cli::{Demo, Exit, Front};
use crate::config::{self, Config};
use crate::output;
use crate::serve::gate::Gate;
use crate::serve::router::{Pool, Router, Settings};
use crate::serve::seal::Sealer;
use crate::serve::static_files::StaticFiles;
use crate::serve::{self as front, Running, Server};

/// Where browsers connect if nobody says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(core::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// The name of the simulated pool.
const DEMO: &str = "demo";

/// Runs `serve`.
pub(super) async fn serve(args: &Front) -> Result<(), Exit> {
    let config = merge(args)?;
    if config.pools.is_empty() {
        return Err(Exit::usage(
            "there is no pool to serve; give --pool NAME=URL or --config FILE, or run `xenoxide demo` for a simulated one",
        ));
    }
    let running = start(&config).await?;
    if args.json {
        output::line(&json!({ "ready": true, "url": running.url() }).to_string())?;
    } else {
        output::line(&format!("The console is at {}", running.url()))?;
        for pool in &config.pools {
            output::line(&format!("  pool {} at {}", pool.name, pool.url))?;
        }
        output::line("Ctrl-C ends it.")?;
    }
    super::stopped().await?;
    running.stop().await;
    Ok(())
}

/// Runs `demo`: a simulated pool on a port of its own, and the proxy in front of it, as with any other pool.
pub(super) async fn demo(args: &Demo) -> Result<(), Exit> {
    let mut config = merge(&args.front)?;
    if config.pools.iter().any(|pool| pool.name == DEMO) {
        return Err(Exit::usage(format!(
            "the name {DEMO:?} is that of the simulated pool; give the other pool another name"
        )));
    }
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let sim = pool::make(&args.pool)?;
    let sim = pool::answer(sim, &ServerConfig { http: Some(any_port), ..ServerConfig::default() }).await?;
    let address = sim.http().ok_or_else(|| Exit::failure("the simulated pool does not listen"))?;
    let url = Target::Http { host: address.ip().to_string(), port: address.port() };
    let is_real = args.pool.records.is_some() || args.pool.database.is_some();
    let label = if is_real { "Recorded pool" } else { "Simulated pool" };
    let demo = config::Pool {
        name: DEMO.into(),
        label: Some(label.into()),
        url: url.clone(),
        fingerprint: None,
        password_file: None,
        read_only: false,
    };
    config.pools.insert(0, demo);
    let running = start(&config).await?;
    if args.front.json {
        let line = json!({
            "ready": true, "url": running.url(), "sim": url.to_string(), "user": USER, "password": PASSWORD,
        });
        output::line(&line.to_string())?;
    } else {
        output::line(&format!("The console is at {}", running.url()))?;
        output::line(&format!("  user {USER}, password {PASSWORD}"))?;
        output::line(&format!("The pool behind it answers at {url}; change something and watch:"))?;
        output::line(&format!("  XENOXIDE_PASSWORD={PASSWORD} xenoxide call {url} VM.get_all_records"))?;
        output::line("Ctrl-C ends it.")?;
    }
    super::stopped().await?;
    running.stop().await;
    sim.shutdown().await;
    Ok(())
}

/// The configuration file, if there is one, with what the command line says on top.
fn merge(args: &Front) -> Result<Config, Exit> {
    let mut config = args.config.as_deref().map(Config::load).transpose()?.unwrap_or_default();
    config.listen = args.listen.or(config.listen);
    config.console = args.console.clone().or(config.console);
    config.read_only |= args.read_only;
    for pool in &args.pool {
        let (name, url) = (pool.name.clone(), pool.value.clone());
        config.pools.push(config::Pool { name, label: None, url, fingerprint: None, password_file: None, read_only: false });
    }
    for fingerprint in &args.fingerprint {
        let pool = config.pools.iter_mut().find(|pool| pool.name == fingerprint.name);
        let pool =
            pool.ok_or_else(|| Exit::usage(format!("--fingerprint {}=…: there is no pool of that name", fingerprint.name)))?;
        pool.fingerprint = Some(fingerprint.value);
    }
    for file in &args.pool_password_file {
        let pool = config.pools.iter_mut().find(|pool| pool.name == file.name);
        let pool =
            pool.ok_or_else(|| Exit::usage(format!("--pool-password-file {}=…: there is no pool of that name", file.name)))?;
        pool.password_file = Some(file.value.clone());
    }
    for (at, pool) in config.pools.iter().enumerate() {
        if config.pools[..at].iter().any(|other| other.name == pool.name) {
            return Err(Exit::usage(format!("two pools have the name {:?}; give each its own", pool.name)));
        }
        match (&pool.url, &pool.password_file) {
            (Target::Unix(_), None) => return Err(Exit::usage(everyone_would_be_root(pool))),
            (Target::Unix(_), Some(_)) | (_, None) => {}
            (_, Some(_)) => {
                return Err(Exit::usage(format!(
                    "the pool {}: it checks passwords itself; leave the password file out",
                    pool.name
                )));
            }
        }
    }
    Ok(config)
}

/// On its Unix socket a server takes every caller for root, whatever the password: behind a proxy that would be everyone.
fn everyone_would_be_root(pool: &config::Pool) -> String {
    format!(
        "the pool {}: on {} every caller is root without a password, and through the proxy that would be everyone;\n\
         write a password for root into a file and add --pool-password-file {}=FILE: the proxy will ask for it",
        pool.name, pool.url, pool.name
    )
}

/// Begins to serve.
async fn start(config: &Config) -> Result<Running, Exit> {
    let files = Arc::new(console(config)?);
    let pools = pools(config)?;
    let sealer = match &config.cookie_key_file {
        Some(path) => Sealer::with_key(&config::read_key(path)?),
        None => Sealer::with_random_key(),
    };
    let settings =
        Settings { request_bytes: config.limits.request_bytes, secure_cookies: config.behind_tls, ..Settings::default() };
    let router = Router::new(pools, Arc::clone(&files), sealer.map_err(Exit::failure)?, settings);
    let listener = front::listen(config.listen.unwrap_or(LISTEN)).await.map_err(Exit::failure)?;
    let server = Server { router: Arc::new(router), connections: config.limits.connections };
    let running = server.start(listener).map_err(|error| Exit::failure(format!("cannot listen: {error}")))?;
    // Nobody waits for this: until it is done, files go out as they are.
    tokio::task::spawn_blocking(move || files.compress());
    Ok(running)
}

fn pools(config: &Config) -> Result<Vec<Pool>, Exit> {
    let answer_time = Duration::from_secs(config.limits.answer_seconds.max(1));
    let pools = config.pools.iter().map(|pool| {
        let trust = trust::of(&pool.url, pool.fingerprint)?;
        Ok(Pool {
            name: pool.name.clone(),
            label: pool.label.clone().unwrap_or_else(|| pool.name.clone()),
            read_only: pool.read_only || config.read_only,
            gate: pool.password_file.as_deref().map(gate).transpose()?,
            upstream: Arc::new(Remote::new(pool.url.clone(), &trust, answer_time)?),
        })
    });
    pools.collect()
}

/// The gate of the password that a file holds.
fn gate(path: &Path) -> Result<Gate, Exit> {
    Gate::new(&config::read_password(path)?).map_err(Exit::failure)
}

/// The console that the options name, or the one beside the program, or none.
fn console(config: &Config) -> Result<StaticFiles, Exit> {
    match config.console.clone().or_else(built_console) {
        Some(folder) => StaticFiles::load(&folder)
            .map_err(|error| Exit::failure(format!("{error}; `cargo xtask web` builds it into target/web/dist"))),
        None => {
            output::say("note: the console is not built; `cargo xtask web` builds it. The pools are served without it.");
            Ok(StaticFiles::none())
        }
    }
}

/// Where `cargo xtask web` puts the console: beside `target/debug/xenoxide` and `target/release/xenoxide`.
fn built_console() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?.parent()?.join("web/dist");
    folder.join("index.html").is_file().then_some(folder)
}
