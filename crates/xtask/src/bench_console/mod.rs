//! `cargo xtask bench console`: the console on a large simulated pool, through the proxy, in a Chromium without a window.

mod acts;
mod page;
mod pool;
mod webdriver;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command::{self, Stop};
use crate::console::{self, Mode};
use crate::needs::{self, CHROMEDRIVER, CHROMIUM};
use crate::workspace::Workspace;
use acts::Acted;
use page::Page;
use pool::Pool;

/// How often the page is loaded to see how long it takes.
const LOADS: usize = 7;

/// How long events go on, and how many there are of them in a second.
const STORM: Duration = Duration::from_secs(60);
const RATE: u32 = 100;

/// How often a single event is timed.
const EVENTS: usize = 20;

/// Figures of XO-Lite 0.24 on such a pool, by the rows of the table.
const PEER: [&str; 9] = ["–", "4,900 ms", "–", "2,400 ms", "4.7", "–", "900 to 1,400 ms", "485 MiB", "65 MB"];

/// Builds what is measured, measures it, and prints a table.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Stop> {
    needs::ensure(workspace, &[&CHROMIUM, &CHROMEDRIVER])?;
    let (xenoxide, dist) = programs(workspace)?;
    let sim = Program::start(&xenoxide, &["sim", "--listen", "127.0.0.1:0", "--hosts", "64", "--vms", "5000", "--json"])?;
    let mut proxy = Proxy::new(xenoxide, &dist, sim.text("http")?)?;
    let what = std::env::var(ONLY).ok();
    let profile = Profile::new();
    let page = Page::open(workspace, &profile.0)?;
    let words = |stop: Stop| Stop::failed(format!("{}; the page says: {}", stop.message, page.words()));
    if what.as_deref().is_none_or(|what| what == "load") {
        let figures = look_at(&page, proxy.url(), sim.text("http")?).map_err(words)?;
        command::print(&figures.table());
    }
    if what.as_deref().is_none_or(|what| what == "acts") {
        command::print(&act(&page, &mut proxy).map_err(words)?);
    }
    Ok(())
}

/// The variable that names one half of it: `load` or `acts`.
const ONLY: &str = "XENOXIDE_BENCH";

/// What somebody does with the page, in a new one: a table of it.
fn act(page: &Page, proxy: &mut Proxy) -> Result<String, Stop> {
    page.log_in_again(proxy.url())?;
    page.wait_for_marks()?;
    page.settle()?;
    let mut all = acts::act(page)?;
    let (resync, least) = acts::resync(page, &mut || proxy.restart())?;
    all.push(resync);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    Ok(format!(
        "\n{}\n\n- While everything was told anew, the table of VMs never had fewer than {least:.0} lines, its heading included.\n\
         - {}; load of the machine at the end: {load}",
        Acted::table(&all),
        page.browser
    ))
}

/// The proxy in front of the pool, which can be replaced by another one at the same place that knows the same sessions.
struct Proxy {
    xenoxide: PathBuf,
    folder: Profile,
    running: Program,
    url: String,
}

impl Proxy {
    fn new(xenoxide: PathBuf, dist: &Path, pool: &str) -> Result<Self, Stop> {
        let folder = Profile(std::env::temp_dir().join(format!("xenoxide-bench-proxy-{}", std::process::id())));
        let failed = |error: std::io::Error| Stop::failed(format!("{}: {error}", folder.0.display()));
        let text =
            |path: &Path| path.to_str().map(|it| format!("{it:?}")).ok_or_else(|| Stop::failed("a path is not UTF-8"));
        fs::create_dir_all(&folder.0).map_err(failed)?;
        // A key for a pool that is thrown away.
        fs::write(folder.0.join("cookie.key"), "5a".repeat(32)).map_err(failed)?;
        let console = text(dist)?;
        let config = format!(
            "console = {console}\ncookie_key_file = \"cookie.key\"\n\n[[pools]]\nname = \"bench\"\nurl = \"{pool}\"\n"
        );
        fs::write(folder.0.join("proxy.toml"), config).map_err(failed)?;
        let running = Self::start(&xenoxide, &folder, "127.0.0.1:0")?;
        let url = running.text("url")?.to_owned();
        Ok(Proxy { xenoxide, folder, running, url })
    }

    fn start(xenoxide: &Path, folder: &Profile, listen: &str) -> Result<Program, Stop> {
        let config = folder.0.join("proxy.toml");
        let config = config.to_str().ok_or_else(|| Stop::failed("a path is not UTF-8"))?;
        Program::start(xenoxide, &["serve", "--listen", listen, "--config", config, "--json"])
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn restart(&mut self) -> Result<(), Stop> {
        webdriver::end(&mut self.running.child);
        let listen = self.url.trim_start_matches("http://").trim_end_matches('/');
        self.running = Self::start(&self.xenoxide, &self.folder, listen)?;
        Ok(())
    }
}

/// The program and the console's files: those that the environment names, as it does for the tests, or built anew.
fn programs(workspace: &Workspace) -> Result<(PathBuf, PathBuf), Stop> {
    let named = |variable| std::env::var_os(variable).map(PathBuf::from);
    let dist = match named("XENOXIDE_CONSOLE") {
        Some(dist) => dist,
        None => console::build(workspace, Mode::Small)?,
    };
    let xenoxide = match named("XENOXIDE_BIN") {
        Some(xenoxide) => xenoxide,
        None => {
            command::run(workspace.cargo().args(["build", "--release", "--package", "xenoxide"]))?;
            workspace.target.join("release/xenoxide")
        }
    };
    Ok((xenoxide, dist))
}

/// What was measured; times in milliseconds.
struct Figures {
    /// From the navigation to the marks, once for each load.
    shell: Vec<f64>,
    inventory: Vec<f64>,
    topology: Vec<f64>,
    /// The longest tasks of the main thread while events came, and how many were over 50 ms.
    longest: f64,
    over: usize,
    /// Frames a second while the picture was moved.
    frames: f64,
    /// The same with everything drawn, for each lens.
    whole: Vec<Whole>,
    /// From the arrival of an event to its picture, and from the call that caused it.
    arrival: Vec<f64>,
    call: Vec<f64>,
    /// Private memory of the renderer, in bytes: after the first visit, and after all loads and events.
    memory: u64,
    memory_after: u64,
    /// Bytes received by the first visit.
    received: f64,
    /// How many calls a second the pool took.
    rate: f64,
    load: String,
    browser: String,
}

fn look_at(page: &Page, url: &str, sim: &str) -> Result<Figures, Stop> {
    page.log_in(url)?;
    page.wait_for_marks()?;
    page.settle()?;
    let received = page.received()?;
    let memory = page.private_memory()?;
    let mut loads = Vec::new();
    for _ in 0..LOADS {
        page.go(&format!("{url}?{}#/pools/bench/topology/compute", loads.len()))?;
        loads.push(page.wait_for_marks()?);
        page.settle()?;
    }
    let frames = page.pan_and_zoom()?;
    let mut whole = Vec::new();
    for lens in ["compute", "storage", "network"] {
        whole.push(page.draw_all(url, lens)?);
    }
    page.go(&format!("{url}?events#/pools/bench/topology/compute"))?;
    page.wait_for_marks()?;
    page.settle()?;
    let mut pool = Pool::log_in(sim)?;
    let (mut arrival, mut call) = (Vec::new(), Vec::new());
    for at in 0..EVENTS {
        let before = page.now()?;
        let called = pool.touch(at)?;
        let event = page.wait_for_event(before)?;
        arrival.push(event.arrival);
        call.push(event.drawn - called);
    }
    page.forget_tasks()?;
    let rate = pool.storm(RATE, STORM)?;
    let (longest, over) = page.tasks()?;
    let memory_after = page.private_memory()?;
    let mark = |at: usize| loads.iter().map(|marks| marks[at]).collect();
    Ok(Figures {
        shell: mark(0),
        inventory: mark(1),
        topology: mark(2),
        longest,
        over,
        frames,
        whole,
        arrival,
        call,
        memory,
        memory_after,
        received,
        rate,
        load: fs::read_to_string("/proc/loadavg").unwrap_or_default(),
        browser: page.browser.clone(),
    })
}

/// A lens with everything drawn.
struct Whole {
    lens: &'static str,
    nodes: usize,
    /// Frames a second while it was moved: as it is shown first, and at magnifications from far to near.
    frames: Vec<f64>,
}

impl Figures {
    /// The fewest frames a second of each lens.
    fn slowest(&self) -> String {
        let one = |it: &Whole| {
            let least = it.frames.iter().copied().fold(f64::INFINITY, f64::min);
            format!("{} {least:.1} ({} nodes)", it.lens, it.nodes)
        };
        self.whole.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    fn table(&self) -> String {
        let rows = [
            ("shell ready", range(&self.shell), "1,000 ms"),
            ("inventory ready", range(&self.inventory), "1,000 ms"),
            ("topology drawn", range(&self.topology), "1,000 ms"),
            ("longest task while events come", format!("{:.0} ms ({} over 50 ms)", self.longest, self.over), "50 ms"),
            ("frames a second, moved", format!("{:.1}", self.frames), "at least 50"),
            ("the same with everything drawn", self.slowest(), "at least 50"),
            ("event, from its arrival to the picture", range(&self.arrival), "50 ms"),
            ("private memory of the renderer", format!("{:.0} MiB", self.memory as f64 / 1_048_576.0), "150 MiB"),
            ("received", format!("{:.1} MB", self.received / 1e6), "10 MB"),
        ];
        let mut text = String::from("| 64 hosts, 5,000 VMs | is | at most | XO-Lite 0.24 |\n| --- | ---: | ---: | ---: |");
        for ((name, is, most), peer) in rows.iter().zip(PEER) {
            text.push_str(&format!("\n| {name} | {is} | {most} | {peer} |"));
        }
        let load = self.load.split(' ').take(3).collect::<Vec<_>>().join(" ");
        text.push_str(&format!(
            "\n\n- Median (least to most) of {LOADS} loads and {EVENTS} events. Events: {:.0} changes a second for {} s.\n\
             - From the call to the picture: {}; the pool gathers changes for 50 ms before it tells them.\n\
             - Private memory after all loads and events: {:.0} MiB.\n\
             - {}; load of the machine at the end: {load}",
            self.rate,
            STORM.as_secs(),
            range(&self.call),
            self.memory_after as f64 / 1_048_576.0,
            self.browser,
        ));
        text
    }
}

/// The middle one and the extremes.
fn range(times: &[f64]) -> String {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    match (times.first(), times.get(times.len() / 2), times.last()) {
        (Some(least), Some(middle), Some(most)) => format!("{middle:.0} ms ({least:.0} to {most:.0})"),
        _ => "–".into(),
    }
}

/// A `xenoxide` that runs until it is dropped.
struct Program {
    child: Child,
    ready: Value,
}

impl Program {
    fn start(program: &Path, args: &[&str]) -> Result<Self, Stop> {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| Stop::failed(format!("{}: {error}", program.display())))?;
        let line = webdriver::first_line(&mut child, |line| line.starts_with('{'));
        let ready = line.and_then(|line| serde_json::from_str(&line).ok());
        match ready {
            Some(ready) => Ok(Program { child, ready }),
            None => {
                webdriver::end(&mut child);
                Err(Stop::failed(format!("xenoxide {} did not become ready", args.join(" "))))
            }
        }
    }

    fn text(&self, key: &str) -> Result<&str, Stop> {
        self.ready[key].as_str().ok_or_else(|| Stop::failed(format!("xenoxide did not say its `{key}`: {}", self.ready)))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        webdriver::end(&mut self.child);
    }
}

/// The folder of the browser's profile, until it is dropped.
struct Profile(PathBuf);

impl Profile {
    fn new() -> Self {
        Profile(std::env::temp_dir().join(format!("xenoxide-bench-console-{}", std::process::id())))
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        // What stays behind in the temporary folder is no reason to fail.
        _ = fs::remove_dir_all(&self.0);
    }
}

/// Tries something until it answers, and says what it waited for if it does not.
fn until<T>(what: &str, mut attempt: impl FnMut() -> Result<Option<T>, Stop>) -> Result<T, Stop> {
    const PATIENCE: Duration = Duration::from_secs(60);
    let start = Instant::now();
    loop {
        if let Some(found) = attempt()? {
            return Ok(found);
        }
        if start.elapsed() > PATIENCE {
            return Err(Stop::failed(format!("waited {} s for {what}", PATIENCE.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_the_middle_and_the_extremes() {
        assert_eq!(range(&[30.4, 10.0, 20.0]), "20 ms (10 to 30)");
        assert_eq!(range(&[]), "–");
    }

    #[test]
    fn the_table_stands_beside_the_peer() {
        let figures = Figures {
            shell: vec![100.0],
            inventory: vec![200.0],
            topology: vec![300.0],
            longest: 40.0,
            over: 0,
            frames: 60.0,
            whole: vec![Whole { lens: "storage", nodes: 15_000, frames: vec![58.0, 55.5] }],
            arrival: vec![20.0],
            call: vec![90.0],
            memory: 100 << 20,
            memory_after: 200 << 20,
            received: 5e6,
            rate: 100.0,
            load: "0.5 0.4 0.3 1/100 7".into(),
            browser: "Chromium".into(),
        };
        let table = figures.table();
        assert!(table.contains("| inventory ready | 200 ms (200 to 200) | 1,000 ms | 4,900 ms |"), "{table}");
        assert!(table.contains("| private memory of the renderer | 100 MiB | 150 MiB | 485 MiB |"), "{table}");
        assert!(
            table.contains("| the same with everything drawn | storage 55.5 (15000 nodes) | at least 50 | – |"),
            "{table}"
        );
        assert!(table.ends_with("0.5 0.4 0.3"), "{table}");
    }
}
