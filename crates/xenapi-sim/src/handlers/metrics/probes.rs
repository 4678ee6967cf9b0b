//! What is measured at VMs, hosts and repositories, and how each value moves.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use xenapi_core::RawRef;

use super::signal::{Rhythm, Signal, Span, float, fraction, is_in, seed};
use crate::Sim;

/// One thing that is measured.
pub(crate) struct Probe {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) units: &'static str,
    /// The most that it can be, if there is a limit.
    pub(crate) most: f64,
    pub(crate) signal: Signal,
}

/// All that is measured at one object.
pub(crate) struct Meter {
    /// `vm`, `host` or `sr`.
    pub(crate) kind: &'static str,
    pub(crate) uuid: String,
    /// When it was there.
    pub(crate) alive: Arc<[Span]>,
    shared: Vec<Signal>,
    pub(crate) probes: Vec<Probe>,
}

impl Meter {
    /// Adds the values at a time; those of something that was not there are no numbers.
    pub(crate) fn sample(&self, time: i64, values: &mut Vec<f64>) {
        if !is_in(&self.alive, time) {
            values.extend(self.probes.iter().map(|_| f64::NAN));
            return;
        }
        let mut shared = Vec::with_capacity(self.shared.len());
        for signal in &self.shared {
            let value = signal.at(time, &shared);
            shared.push(value);
        }
        values.extend(self.probes.iter().map(|probe| probe.signal.at(time, &shared)));
    }

    fn add(&mut self, name: impl Into<String>, text: impl Into<String>, units: &'static str, signal: Signal) {
        let most = if units == FRACTION { 1.0 } else { f64::INFINITY };
        self.probes.push(Probe { name: name.into(), text: text.into(), units, most, signal });
    }

    fn share(&mut self, signal: Signal) -> Signal {
        self.shared.push(signal);
        Signal::Shared(self.shared.len() - 1)
    }

    /// Leaves out what nobody wants to have recorded.
    pub(crate) fn without_forgotten(mut self, sim: &Sim, of: &RawRef) -> Self {
        let off = &sim.around.forgotten_sources;
        if !off.is_empty() {
            self.probes.retain(|probe| !off.contains(&(of.clone(), probe.name.clone())));
        }
        self
    }
}

const FRACTION: &str = "(fraction)";
const RATE: &str = "B/s";
const MIB: f64 = 1_048_576.0;
const KIB: f64 = 1024.0;

/// What goes into an object, and what comes out of it, of all who take part.
type BothWays = [Vec<(f64, Signal)>; 2];

/// What a guest is like: by its name where that tells it, else by its uuid.
struct Character {
    rhythm: Arc<Rhythm>,
    id: String,
    /// Bytes a second, when it is busy.
    network: f64,
    disk: f64,
    /// The part of its memory that it uses.
    memory: f64,
    /// It does nothing: it is paused.
    rests: bool,
}

impl Character {
    fn of(sim: &Sim, vm: &str) -> Character {
        let (id, name) = (sim.store.text("VM", vm, "uuid"), sim.store.text("VM", vm, "name_label").to_ascii_lowercase());
        let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
        let own = seed(&[id]);
        let chance = fraction(own);
        let hour = 3600;
        // Floor, span, best hour, weekends, network, disk, memory.
        let (floor, span, peak, weekend, network, disk, memory) = if says(&["db", "sql", "erp", "oracle"]) {
            (0.35, 0.55, 14, 0.6, 20e6, 60e6, 0.85)
        } else if says(&["backup"]) {
            (0.05, 0.8, 2, 0.9, 60e6, 80e6, 0.5)
        } else if says(&["build", "runner", "node", "ci-"]) {
            (0.15, 0.8, 16, 0.2, 15e6, 40e6, 0.7)
        } else if says(&["web", "app", "proxy", "mail", "files", "desktop"]) {
            (0.1, 0.6, 13, 0.35, 30e6, 12e6, 0.6)
        } else if says(&["dns", "ldap", "vpn", "jump", "test", "idle"]) {
            (0.02, 0.06, 11, 0.7, 0.4e6, 0.3e6, 0.3)
        } else {
            (0.03 + 0.2 * chance, 0.5 * fraction(own.rotate_left(32)), 12, 0.5, 5e6, 8e6, 0.3 + 0.5 * chance)
        };
        let shift = if chance < 0.5 { -hour } else { hour };
        Character {
            rhythm: Arc::new(Rhythm { seed: own, floor, span, peak: peak * hour + shift, weekend }),
            id: id.into(),
            network,
            disk,
            memory,
            rests: sim.store.text("VM", vm, "power_state") != "Running",
        }
    }

    fn load(&self, what: &str, low: f64, high: f64) -> Signal {
        if self.rests {
            return Signal::Flat(0.0);
        }
        Signal::Load { rhythm: self.rhythm.clone(), seed: seed(&[&self.id, what]), low, high }
    }

    /// What its NIC receives and sends.
    fn nic(&self, device: &str) -> [Signal; 2] {
        [("rx", 1.0), ("tx", 0.7)].map(|(way, part)| {
            let name = format!("vif_{device}_{way}");
            self.load(&name, 200.0, self.network * part)
        })
    }

    /// What its disk reads and writes.
    fn disk(&self, device: &str) -> [Signal; 2] {
        [("read", 0.8), ("write", 1.0)].map(|(way, part)| {
            let name = format!("vbd_{device}_{way}");
            self.load(&name, 0.0, self.disk * part)
        })
    }

    fn cpu(&self, cpu: i64) -> Signal {
        let name = format!("cpu{cpu}");
        self.load(&name, 0.002, 1.0)
    }
}

fn processors(sim: &Sim, vm: &str) -> i64 {
    sim.store.int("VM", vm, "VCPUs_at_startup").clamp(0, 128)
}

fn memory_of(sim: &Sim, vm: &str) -> i64 {
    let actual = sim.store.int("VM_metrics", sim.store.text("VM", vm, "metrics"), "memory_actual");
    if actual > 0 { actual } else { sim.store.int("VM", vm, "memory_dynamic_max") }
}

fn mean(parts: Vec<Signal>) -> Signal {
    let weight = 1.0 / float(i64::try_from(parts.len().max(1)).unwrap_or(1));
    Signal::sum(parts.into_iter().map(|part| (weight, part)).collect())
}

/// What is measured at a VM.
pub(crate) fn vm(sim: &Sim, reference: &RawRef) -> Meter {
    let vm = reference.as_str();
    let who = Character::of(sim, vm);
    let mut meter = Meter {
        kind: "vm",
        uuid: sim.store.text("VM", vm, "uuid").into(),
        alive: sim.uptimes_of(reference),
        shared: Vec::new(),
        probes: Vec::new(),
    };
    let cpus: Vec<Signal> = (0..processors(sim, vm)).map(|cpu| who.cpu(cpu)).collect();
    let cpus: Vec<Signal> = cpus.into_iter().map(|cpu| meter.share(cpu)).collect();
    for (at, cpu) in cpus.iter().enumerate() {
        meter.add(format!("cpu{at}"), format!("CPU{at} usage"), FRACTION, cpu.clone());
    }
    let usage = meter.share(mean(cpus));
    meter.add("cpu_usage", "Domain CPU usage", FRACTION, usage.clone());
    for (name, part) in [
        ("fullrun", 0.8),
        ("full_contention", 0.02),
        ("concurrency_hazard", 0.01),
        ("partial_run", 0.15),
        ("partial_contention", 0.02),
    ] {
        meter.add(format!("runstate_{name}"), format!("Fraction of time in state {name}"), FRACTION, usage.times(part));
    }
    let blocked = Signal::Sum { base: 1.0, parts: Vec::from([(-1.0, usage)]), most: 1.0 };
    meter.add("runstate_blocked", "Fraction of time that all VCPUs are blocked or offline", FRACTION, blocked);
    let memory = float(memory_of(sim, vm));
    let target = match sim.store.int("VM", vm, "memory_target") {
        0 => memory,
        bytes => float(bytes),
    };
    meter.add("memory", "Memory currently allocated to VM", "B", Signal::Flat(memory));
    meter.add("memory_target", "Target of VM balloon driver", "B", Signal::Flat(target));
    let has_tools = sim.store.contains("VM_guest_metrics", sim.store.text("VM", vm, "guest_metrics"));
    if has_tools || sim.store.flag("VM", vm, "is_control_domain") {
        let free = memory / KIB;
        let used = who.load("memory_internal_free", free * who.memory * 0.7, free * who.memory);
        let signal = Signal::Sum { base: free, parts: Vec::from([(-1.0, used)]), most: free };
        meter.add("memory_internal_free", "Memory free as reported by the guest", "KiB", signal);
    }
    for vif in sim.store.refs("VM", vm, "VIFs") {
        if sim.store.flag("VIF", vif.as_str(), "currently_attached") {
            let device = sim.store.text("VIF", vif.as_str(), "device");
            let [received, sent] = who.nic(device);
            let text = format!("on virtual interface {device}");
            meter.add(format!("vif_{device}_rx"), format!("Bytes per second received {text}"), RATE, received);
            meter.add(format!("vif_{device}_tx"), format!("Bytes per second transmitted {text}"), RATE, sent);
        }
    }
    for vbd in sim.store.refs("VM", vm, "VBDs") {
        let device = sim.store.text("VBD", vbd.as_str(), "device");
        if !device.is_empty() && sim.store.flag("VBD", vbd.as_str(), "currently_attached") {
            let is_empty = sim.store.flag("VBD", vbd.as_str(), "empty");
            disk_probes(&mut meter, &who, device, is_empty);
        }
    }
    meter
}

fn disk_probes(meter: &mut Meter, who: &Character, device: &str, is_empty: bool) {
    let quiet = || [Signal::Flat(0.0), Signal::Flat(0.0)];
    let both = if is_empty { quiet() } else { who.disk(device) };
    let both = both.map(|signal| meter.share(signal));
    let of = format!("device {device}");
    for (way, signal) in ["read", "write"].iter().zip(&both) {
        let verb = if *way == "read" { "Reads from" } else { "Writes to" };
        meter.add(format!("vbd_{device}_{way}"), format!("{verb} {of} in bytes per second"), RATE, signal.clone());
        meter.add(
            format!("vbd_{device}_iops_{way}"),
            format!("Requests to {way} {of}"),
            "requests/s",
            signal.times(1.0 / 16_384.0),
        );
        meter.add(format!("vbd_{device}_io_throughput_{way}"), format!("Data {way} {of}"), "MiB/s", signal.times(1.0 / MIB));
        let high = if is_empty { 0.0 } else { 4000.0 };
        let latency = who.load(&format!("vbd_{device}_{way}_latency"), high / 20.0, high);
        meter.add(format!("vbd_{device}_{way}_latency"), format!("Time to {way} {of}"), "μs", latency);
    }
    let all = |factor: f64| Signal::sum(both.iter().map(|signal| (factor, signal.clone())).collect());
    meter.add(format!("vbd_{device}_iops_total"), format!("Requests to {of}"), "requests/s", all(1.0 / 16_384.0));
    meter.add(format!("vbd_{device}_io_throughput_total"), format!("Data from and to {of}"), "MiB/s", all(1.0 / MIB));
    let busy = if is_empty { 0.0 } else { 1.0 };
    let waits = who.load(&format!("vbd_{device}_iowait"), 0.0, 0.3 * busy);
    meter.add(format!("vbd_{device}_iowait"), format!("Time waited for {of}"), FRACTION, waits);
    let flying = who.load(&format!("vbd_{device}_inflight"), 0.0, 8.0 * busy);
    meter.add(format!("vbd_{device}_inflight"), format!("Requests in flight to {of}"), "requests", flying);
}

/// A guest's part in what its host measures.
fn part(alive: &Arc<[Span]>, signal: Signal) -> (f64, Signal) {
    (1.0, Signal::While { spans: alive.clone(), signal: Box::new(signal), other: 0.0 })
}

/// What is measured at a host.
pub(crate) fn host(sim: &Sim, reference: &RawRef) -> Meter {
    let host = reference.as_str();
    let uuid = sim.store.text("host", host, "uuid");
    let mut meter =
        Meter { kind: "host", uuid: uuid.into(), alive: sim.uptimes_of(reference), shared: Vec::new(), probes: Vec::new() };
    let own = Arc::new(Rhythm { seed: seed(&[uuid]), floor: 0.1, span: 0.3, peak: 13 * 3600, weekend: 0.6 });
    let load = |what: &str, low: f64, high: f64| Signal::Load { rhythm: own.clone(), seed: seed(&[uuid, what]), low, high };
    let guests: Vec<RawRef> = guests(sim, reference);
    host_processors(sim, &mut meter, host, &guests, &load);
    host_memory(sim, &mut meter, host, &guests);
    host_nics(sim, &mut meter, reference, &guests, &load);
    host_storage(sim, &mut meter, host, &guests, &load);
    for (name, text, low, high) in [
        ("xapi_memory_usage_kib", "Total memory allocated used by xapi daemon", 180_000.0, 260_000.0),
        ("xapi_free_memory_kib", "Free memory available to the xapi daemon", 10_000.0, 30_000.0),
        ("xapi_live_memory_kib", "Live memory used by xapi daemon", 90_000.0, 140_000.0),
        ("xapi_allocation_kib", "Memory allocation done by the xapi daemon", 500.0, 20_000.0),
    ] {
        meter.add(name, text, "KiB", load(name, low, high));
    }
    meter.add("xapi_open_fds", "File descriptors held open by xapi", "(files)", Signal::Flat(48.0));
    if *reference == sim.master() {
        let count = |number: usize| Signal::Flat(float(i64::try_from(number).unwrap_or(0)));
        meter.add("pool_session_count", "Number of sessions", "sessions", count(sim.store.count("session")));
        meter.add("pool_task_count", "Number of tasks", "tasks", count(sim.store.count("task")));
    }
    meter
}

/// The VMs on a host, without its control domain.
fn guests(sim: &Sim, host: &RawRef) -> Vec<RawRef> {
    let mut all = sim.store.refs("host", host.as_str(), "resident_VMs");
    all.retain(|vm| !sim.store.flag("VM", vm.as_str(), "is_control_domain"));
    all
}

fn host_processors(sim: &Sim, meter: &mut Meter, host: &str, guests: &[RawRef], load: &impl Fn(&str, f64, f64) -> Signal) {
    let cpus = sim.store.key("host", host, "cpu_info", "cpu_count").and_then(|count| count.parse().ok());
    let cpus: i64 = cpus.unwrap_or(0).clamp(0, 512);
    // All guests' processors together, in processors.
    let work = guests.iter().map(|guest| {
        let who = Character::of(sim, guest.as_str());
        let (alive, vcpus) = (sim.uptimes_of(guest), float(processors(sim, guest.as_str())));
        part(&alive, who.load("cpu", 0.002 * vcpus, vcpus))
    });
    let work = meter.share(Signal::sum(work.collect()));
    let each = 0.9 / float(cpus.max(1));
    let mut all = Vec::new();
    for cpu in 0..cpus {
        let name = format!("cpu{cpu}");
        let signal =
            Signal::Sum { base: 0.0, parts: Vec::from([(each, work.clone()), (1.0, load(&name, 0.01, 0.2))]), most: 1.0 };
        let signal = meter.share(signal);
        meter.add(name, format!("Physical cpu usage for cpu {cpu}"), FRACTION, signal.clone());
        all.push(signal);
    }
    for cpu in 0..cpus {
        let name = format!("CPU{cpu}-avg-freq");
        let signal = load(&name, 1_200.0, 3_400.0);
        meter.add(name, format!("Average frequency of CPU {cpu}"), "MHz", signal);
    }
    let average = meter.share(mean(all));
    meter.add("cpu_avg", "Average physical cpu usage", FRACTION, average);
    let own = load("loadavg", 0.1, 3.0);
    meter.add("loadavg", "Domain0 loadavg", "(fraction)", own);
    if let Some(probe) = meter.probes.last_mut() {
        probe.most = f64::INFINITY;
    }
    meter.add("hostload", "Host load per physical cpu", FRACTION, work.times(1.0 / float(cpus.max(1))));
    if let Some(probe) = meter.probes.last_mut() {
        probe.most = f64::INFINITY;
    }
    let vcpus: i64 = guests.iter().map(|guest| processors(sim, guest.as_str())).sum();
    meter.add("running_vcpus", "The total number of running vCPUs per host", "count", Signal::Flat(float(vcpus)));
    let domains = i64::try_from(guests.len() + 1).unwrap_or(0);
    meter.add("running_domains", "The total number of running domains per host", "count", Signal::Flat(float(domains)));
}

fn host_memory(sim: &Sim, meter: &mut Meter, host: &str, guests: &[RawRef]) {
    let metrics = sim.store.text("host", host, "metrics");
    let kib = |field| float(sim.store.int("host_metrics", metrics, field)) / KIB;
    let (total, free) = (kib("memory_total"), kib("memory_free"));
    meter.add("memory_total_kib", "Total amount of memory on the host", "KiB", Signal::Flat(total));
    // What is free now, and what guests have now that did not run then.
    let parts = guests.iter().map(|guest| {
        let bytes = memory_of(sim, guest.as_str()) + sim.store.int("VM", guest.as_str(), "memory_overhead");
        let spans = sim.uptimes_of(guest);
        (1.0, Signal::While { spans, signal: Box::new(Signal::Flat(0.0)), other: float(bytes) / KIB })
    });
    let signal = Signal::Sum { base: free, parts: parts.collect(), most: total };
    meter.add("memory_free_kib", "Total amount of free memory", "KiB", signal);
    meter.add("memory_reclaimed", "Host memory reclaimed by squeezed", "B", Signal::Flat(0.0));
    meter.add("memory_reclaimed_max", "Host memory that could be reclaimed by squeezed", "B", Signal::Flat(0.0));
}

/// The physical interfaces that carry a PIF's traffic.
fn carriers(sim: &Sim, pif: &RawRef, depth: usize) -> Vec<RawRef> {
    let of = pif.as_str();
    if depth > 4 {
        return Vec::new();
    }
    if sim.store.flag("PIF", of, "physical") {
        return Vec::from([pif.clone()]);
    }
    let vlan = sim.store.reference("PIF", of, "VLAN_master_of");
    if sim.store.contains("VLAN", vlan.as_str()) {
        return carriers(sim, &sim.store.reference("VLAN", vlan.as_str(), "tagged_PIF"), depth + 1);
    }
    let bonds = sim.store.refs("PIF", of, "bond_master_of").into_iter();
    let slaves = bonds.flat_map(|bond| sim.store.refs("Bond", bond.as_str(), "slaves"));
    slaves.flat_map(|slave| carriers(sim, &slave, depth + 1)).filter(|pif| sim.carrier_of(pif)).collect()
}

fn host_nics(sim: &Sim, meter: &mut Meter, host: &RawRef, guests: &[RawRef], load: &impl Fn(&str, f64, f64) -> Signal) {
    let pifs = sim.store.refs("host", host.as_str(), "PIFs");
    // What comes in at a NIC is what guests receive, and what the host itself does.
    let mut ways: Vec<(RawRef, BothWays)> = Vec::new();
    for pif in pifs.iter().filter(|pif| sim.store.flag("PIF", pif.as_str(), "physical")) {
        ways.push((pif.clone(), [Vec::new(), Vec::new()]));
    }
    for guest in guests {
        let (who, alive) = (Character::of(sim, guest.as_str()), sim.uptimes_of(guest));
        for vif in sim.store.refs("VM", guest.as_str(), "VIFs") {
            let network = sim.store.reference("VIF", vif.as_str(), "network");
            let pif = pifs.iter().find(|pif| sim.store.reference("PIF", pif.as_str(), "network") == network);
            let nics = pif.map(|pif| carriers(sim, pif, 0)).unwrap_or_default();
            if nics.is_empty() || !sim.store.flag("VIF", vif.as_str(), "currently_attached") {
                continue;
            }
            let weight = 1.0 / float(i64::try_from(nics.len()).unwrap_or(1));
            let signals = who.nic(sim.store.text("VIF", vif.as_str(), "device"));
            for (_, of) in ways.iter_mut().filter(|(pif, _)| nics.contains(pif)) {
                for (way, signal) in of.iter_mut().zip(&signals) {
                    way.push((weight, part(&alive, signal.clone()).1));
                }
            }
        }
    }
    let mut sums = [Vec::new(), Vec::new()];
    for (pif, of) in ways {
        let device = sim.store.text("PIF", pif.as_str(), "device");
        for ((way, mut parts), sum) in ["rx", "tx"].into_iter().zip(of).zip(&mut sums) {
            let name = format!("pif_{device}_{way}");
            let text = if way == "rx" { "received" } else { "sent" };
            let signal = if sim.carrier_of(&pif) {
                parts.push((1.0, load(&name, 500.0, 2_000_000.0)));
                Signal::sum(parts)
            } else {
                Signal::Flat(0.0)
            };
            let signal = meter.share(signal);
            meter.add(name, format!("Bytes per second {text} on physical interface {device}"), RATE, signal.clone());
            sum.push((1.0, signal));
        }
    }
    let [received, sent] = sums.map(Signal::sum);
    meter.add("pif_aggr_rx", "Bytes per second received on all physical interfaces", RATE, received);
    meter.add("pif_aggr_tx", "Bytes per second sent on all physical interfaces", RATE, sent);
}

fn host_storage(sim: &Sim, meter: &mut Meter, host: &str, guests: &[RawRef], load: &impl Fn(&str, f64, f64) -> Signal) {
    let mut ways: Vec<(RawRef, BothWays)> = Vec::new();
    for pbd in sim.store.refs("host", host, "PBDs") {
        let sr = sim.store.reference("PBD", pbd.as_str(), "SR");
        let is_images = sim.store.text("SR", sr.as_str(), "content_type") == "iso";
        if sim.store.flag("PBD", pbd.as_str(), "currently_attached") && !is_images {
            ways.push((sr, [Vec::new(), Vec::new()]));
        }
    }
    for guest in guests {
        let (who, alive) = (Character::of(sim, guest.as_str()), sim.uptimes_of(guest));
        for vbd in sim.store.refs("VM", guest.as_str(), "VBDs") {
            let vdi = sim.store.text("VBD", vbd.as_str(), "VDI");
            let (sr, device) = (sim.store.reference("VDI", vdi, "SR"), sim.store.text("VBD", vbd.as_str(), "device"));
            let found = ways.iter_mut().find(|(other, _)| *other == sr);
            let Some((_, of)) = found.filter(|_| !device.is_empty()) else { continue };
            for (way, signal) in of.iter_mut().zip(who.disk(device)) {
                way.push(part(&alive, signal));
            }
        }
    }
    for (sr, of) in ways {
        let uuid = sim.store.text("SR", sr.as_str(), "uuid");
        let short = uuid.get(..8).unwrap_or(uuid);
        let both = of.map(|parts| meter.share(Signal::sum(parts)));
        let all = |factor: f64| Signal::sum(both.iter().map(|signal| (factor, signal.clone())).collect());
        for (way, signal) in ["read", "write"].iter().zip(&both) {
            meter.add(
                format!("io_throughput_{way}_{short}"),
                format!("Data {way} from SR {short}"),
                "MiB/s",
                signal.times(1.0 / MIB),
            );
            meter.add(
                format!("iops_{way}_{short}"),
                format!("Requests to {way} SR {short}"),
                "requests/s",
                signal.times(1.0 / 16_384.0),
            );
            let name = format!("{way}_latency_{short}");
            let latency = load(&name, 0.2, 6.0);
            meter.add(name, format!("Time to {way} SR {short}"), "ms", latency);
        }
        meter.add(format!("io_throughput_total_{short}"), format!("All data of SR {short}"), "MiB/s", all(1.0 / MIB));
        meter.add(format!("iops_total_{short}"), format!("All requests to SR {short}"), "requests/s", all(1.0 / 16_384.0));
        for (name, high, units) in [("latency", 6.0, "ms"), ("inflight", 12.0, "requests"), ("iowait", 0.2, FRACTION)] {
            let name = format!("{name}_{short}");
            let signal = load(&name, 0.0, high);
            meter.add(name, format!("Of SR {short}"), units, signal);
        }
    }
}

/// What is measured at a repository: by the host that has it.
pub(crate) fn sr(sim: &Sim, reference: &RawRef) -> Meter {
    let sr = reference.as_str();
    let mut meter = Meter {
        kind: "sr",
        uuid: sim.store.text("SR", sr, "uuid").into(),
        alive: Arc::from([(i64::MIN, i64::MAX)]),
        shared: Vec::new(),
        probes: Vec::new(),
    };
    let flat = |field| Signal::Flat(float(sim.store.int("SR", sr, field)));
    meter.add("size", "Size of the storage", "B", flat("physical_size"));
    meter.add("physical_utilisation", "Used room of the storage", "B", flat("physical_utilisation"));
    meter
}
