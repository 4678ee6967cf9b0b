//! `bench-client`: a full load of a big pool, beside curl and other clients; a stream of events; the memory of the cache. One Markdown table.
//!
//! `cargo xtask bench client` builds and runs it. The pool is served by another process of the same program (`serve HOSTS VMS`).
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a program that always has std")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use xenapi_client::Cache;
use xenapi_codec::xmlrpc;
use xenapi_hyper::server::{ServerConfig, serve};
use xenapi_hyper::{Client, Delta, Live, Request, TransportConfig};
use xenapi_model as model;
use xenapi_model::{VBD, VM, event, vm};
use xenapi_sim::{Config, PASSWORD, Sim};
use xenoxide_bench_client::{Fault, Server};

/// The pool that the goals are about; VBDs come to about three a VM.
const HOSTS: usize = 64;
const VMS: usize = 5000;
/// How often each loads, by turns.
const ROUNDS: usize = 7;
/// How many events a second, and for how long.
const RATE: usize = 1000;
const SECONDS: usize = 10;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", hosts, vms] => serve_pool(hosts.parse()?, vms.parse()?).await,
        [] => table(HOSTS, VMS).await,
        [hosts, vms] => table(hosts.parse()?, vms.parse()?).await,
        _ => Err("usage: bench-client [HOSTS VMS]".into()),
    }
}

/// Serves a pool; prints `PORT SHA256 SESSION`, and then changes VMs as often as each line of its input says: `RATE SECONDS`.
async fn serve_pool(hosts: usize, vms: usize) -> Result<(), Fault> {
    let sim = Sim::new(&Config { hosts, vms, ..Config::default() });
    let https = Some(([127, 0, 0, 1], 0).into());
    let server = serve(sim, &ServerConfig { https, ..ServerConfig::default() }).await?;
    let client = Client::connect(server.transport(TransportConfig::default()), "root", PASSWORD, "bench").await?;
    let session = client.session().ok_or("no session")?;
    let (port, fingerprint) = (server.https().ok_or("no port")?.port(), server.fingerprint().ok_or("no certificate")?);
    println!("{port} {fingerprint} {}", session.as_str());
    let vms = client.call(xenapi_core::get_all::<VM>()).await?;
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = input.next_line().await? {
        let (rate, seconds) = line.split_once(' ').ok_or("RATE SECONDS")?;
        let (rate, seconds): (usize, usize) = (rate.parse()?, seconds.parse()?);
        let mut pulse = tokio::time::interval(Duration::from_millis(50));
        let mut of = vms.iter().cycle();
        for round in 0..seconds * 20 {
            pulse.tick().await;
            for vm in of.by_ref().take(rate / 20) {
                client.call(vm::fields::NAME_DESCRIPTION.set(vm, &format!("round {round}"))).await?;
            }
        }
        println!("done");
    }
    Ok(())
}

/// The process that serves.
struct Pool {
    server: Server,
    lines: Lines<BufReader<ChildStdout>>,
    input: ChildStdin,
    _process: Child,
}

impl Pool {
    async fn start(hosts: usize, vms: usize) -> Result<Self, Fault> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", &hosts.to_string(), &vms.to_string()]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let (input, output) = (process.stdin.take(), process.stdout.take());
        let mut lines = BufReader::new(output.ok_or("no output")?).lines();
        let first = lines.next_line().await?.ok_or("the server ended before it was ready")?;
        let words: Vec<String> = first.split(' ').map(str::to_owned).collect();
        let server = Server::parse(&words)?;
        Ok(Pool { server, lines, input: input.ok_or("no input")?, _process: process })
    }

    async fn churn(&mut self, rate: usize, seconds: usize) -> Result<(), Fault> {
        self.input.write_all(format!("{rate} {seconds}\n").as_bytes()).await?;
        self.input.flush().await?;
        self.lines.next_line().await?.ok_or("the server ended")?;
        Ok(())
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What it took to load everything: seconds on the clock and on processors.
async fn ours(server: &Server) -> Result<(Live, f64, f64), Fault> {
    let (transport, machine) = (server.transport()?, server.machine());
    let (clock, cpu) = (Instant::now(), ProcessTime::now());
    let live = Live::start(transport, machine);
    live.loaded().await?;
    Ok((live, clock.elapsed().as_secs_f64(), cpu.elapsed().as_secs_f64()))
}

/// Seconds of another program, which prints them first.
async fn other(command: &mut Command) -> Result<(f64, String), Fault> {
    let output = command.output().await?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (seconds, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    match seconds.parse() {
        Ok(seconds) if output.status.success() => Ok((seconds, rest.to_owned())),
        _ => Err(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("no reason").to_owned().into()),
    }
}

/// All objects in a cache.
fn count(cache: &Cache) -> usize {
    macro_rules! all {
        ($($class:ident)*) => { [$(cache.count::<model::$class>()),*] };
    }
    let of_console = all!(Pool Host HostMetrics VM VMMetrics VMGuestMetrics VBD VDI SR PBD VIF Network PIF PIFMetrics Bond VLAN Console Task Message);
    of_console.into_iter().sum()
}

struct Row {
    what: String,
    seconds: f64,
    cpu: f64,
    objects: String,
}

#[expect(clippy::cast_precision_loss, reason = "bytes and objects, for people")]
async fn table(hosts: usize, vms: usize) -> Result<(), Fault> {
    let mut pool = Pool::start(hosts, vms).await?;
    let server = pool.server.clone();
    let classes: Vec<String> = server.machine().cache().classes().map(|class| class.name.to_ascii_lowercase()).collect();
    let document = xmlrpc::write_call(&event::from(&classes, "", 0.0).to_raw(&server.session));
    let folder = std::env::temp_dir().join(format!("xenoxide-bench-client-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let request = folder.join("request.xml");
    std::fs::write(&request, &document)?;

    let (mut curl, mut load, mut cpu, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), String::new());
    let (mut bare, mut objects, mut vbds) = (Vec::new(), 0, 0);
    for _ in 0..ROUNDS {
        let (seconds, size) = other(&mut curl_of(&server, &request)).await?;
        curl.push(seconds);
        bytes = size;
        let transport = server.transport()?;
        let clock = Instant::now();
        transport.rpc(Request::rpc(document.clone(), Duration::from_secs(300))).await?;
        bare.push(clock.elapsed().as_secs_f64());
        let (live, seconds, processor) = ours(&server).await?;
        load.push(seconds);
        cpu.push(processor);
        live.with(|machine| {
            let cache = machine.cache();
            objects = count(cache);
            vbds = cache.count::<VBD>();
        });
    }
    let base = median(curl);
    let mut rows = vec![
        Row { what: "curl, to /dev/null".into(), seconds: base, cpu: f64::NAN, objects: "–".into() },
        Row { what: "the same bytes by our transport".into(), seconds: median(bare), cpu: f64::NAN, objects: "–".into() },
        Row {
            what: "**xenapi: full load into the cache**".into(),
            seconds: median(load),
            cpu: median(cpu),
            objects: objects.to_string(),
        },
    ];
    let mut notes = Vec::new();
    for (what, command) in others(&server, &classes) {
        let Some(mut command) = command else { continue };
        match other(&mut command).await {
            Ok((seconds, objects)) => rows.push(Row { what: what.into(), seconds, cpu: f64::NAN, objects }),
            Err(error) => notes.push(format!("{what} was not measured: {error}")),
        }
    }
    println!(
        "{hosts} hosts, {vms} VMs, {vbds} VBDs: {:.1} MB over HTTPS on loopback\n",
        bytes.parse::<f64>().unwrap_or(f64::NAN) / 1e6
    );
    println!("| full load | s | CPU s | × curl | objects |\n| --- | ---: | ---: | ---: | ---: |");
    for row in &rows {
        let cpu = if row.cpu.is_nan() { "–".to_owned() } else { format!("{:.2}", row.cpu) };
        println!("| {} | {:.2} | {cpu} | {:.2} | {} |", row.what, row.seconds, row.seconds / base, row.objects);
    }
    let share = events(&mut pool).await?;
    let (decoded, cache) = memory(&server).await?;
    println!("\n| goal | must | is | |\n| --- | ---: | ---: | --- |");
    goal("full load: times curl", 2.0, rows.get(2).map_or(f64::NAN, |row| row.seconds) / base);
    goal(&format!("{RATE} events a second: share of one core"), 0.2, share);
    goal("memory of the cache: times the decoded records", 2.0, cache as f64 / decoded as f64);
    println!("\nThe decoded records take {:.1} MB, the cache {:.1} MB.", decoded as f64 / 1e6, cache as f64 / 1e6);
    for note in notes {
        println!("- {note}");
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

fn goal(what: &str, must: f64, is: f64) {
    let word = if is <= must { "reached" } else { "missed" };
    println!("| {what} | ≤ {must} | {is:.2} | {word} |");
}

fn curl_of(server: &Server, request: &Path) -> Command {
    let mut curl = Command::new("curl");
    // curl knows no pins of self-signed certificates without their files; it is not told to check, which only saves it time.
    curl.args([
        "--silent",
        "--insecure",
        "--http1.1",
        "--output",
        "/dev/null",
        "--write-out",
        "%{time_total} %{size_download}",
    ]);
    curl.args(["--header", "content-type: text/xml", "--data-binary", &format!("@{}", request.display())]);
    curl.arg(format!("https://127.0.0.1:{}/", server.port));
    curl
}

fn others(server: &Server, classes: &[String]) -> Vec<(&'static str, Option<Command>)> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let url = format!("https://127.0.0.1:{}", server.port);
    let mut python = Command::new(std::env::var_os("XENOXIDE_PYTHON").unwrap_or_else(|| "python3".into()));
    python.arg(here.join("load.py")).args([&url, server.session.as_str()]).args(classes);
    let mut node = Command::new(std::env::var_os("XENOXIDE_NODE").unwrap_or_else(|| "node".into()));
    let modules =
        std::env::var_os("XENOXIDE_NODE_MODULES").map_or_else(|| here.join("../../tests/node/node_modules"), PathBuf::from);
    node.arg(here.join("load.mjs")).arg(modules).args([&url, "root", PASSWORD]);
    vec![("Python: the official SDK", Some(python)), ("Node.js: xen-api (all classes, JSON)", Some(node))]
}

/// The share of a core that the client takes while so many objects change each second.
async fn events(pool: &mut Pool) -> Result<f64, Fault> {
    let (live, ..) = ours(&pool.server).await?;
    let mut changes = live.changes();
    let seen = tokio::spawn(async move {
        let mut seen = 0;
        while seen < RATE * SECONDS * 9 / 10 {
            match changes.next().await {
                Some(Delta::Changed(batch)) => seen += batch.len(),
                Some(Delta::Missed) => return Err("changes were missed"),
                None => return Err("the pool is followed no more"),
            }
        }
        Ok(())
    });
    let (clock, cpu) = (Instant::now(), ProcessTime::now());
    pool.churn(RATE, SECONDS).await?;
    let share = cpu.elapsed().as_secs_f64() / clock.elapsed().as_secs_f64();
    tokio::time::timeout(Duration::from_secs(30), seen).await.map_err(|_| "not all events came")???;
    drop(live);
    Ok(share)
}

/// Bytes of the decoded records and of the cache, by a program that counts.
async fn memory(server: &Server) -> Result<(usize, usize), Fault> {
    let program = std::env::current_exe()?.with_file_name("bench-client-heap");
    let words = [server.port.to_string(), server.fingerprint.to_string(), server.session.as_str().to_owned()];
    let (decoded, cache) = other(Command::new(program).args(words)).await?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a whole number of bytes")]
    let decoded = decoded as usize;
    Ok((decoded, cache.parse()?))
}
