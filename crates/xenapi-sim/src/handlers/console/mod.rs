//! `/console` and `/vncsnapshot`: what is on a guest's screen, and keys for it.
//!
//! A screen belongs to the VM and outlives connections: who comes back finds it as it was, two who watch see the same, and a screenshot shows
//! it, too. A text console has a login of its own for each connection.

mod font;
mod pixels;
mod rfb;
mod screen;
mod shell;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use xenapi_core::{DateTime, Failure, Millis, RawRef, Role};

use self::rfb::Rfb;
use self::screen::Screen;
use self::shell::{Facts, Key, Shell};
use super::{Duplex, Head, Method, Reply, Request, Served, Turn, Visit};
use crate::Sim;
use crate::store::Map;

/// How often a console looks whether its guest changed.
const PULSE: Millis = Millis(200);

/// What is known of the screens of guests, and of those who watch.
#[derive(Default)]
pub(crate) struct Screens {
    screens: Map<RawRef, Screen>,
    /// How many connections a VM's consoles have.
    watched: Map<RawRef, usize>,
}

/// The VM of a query, and its console of a protocol, if that was named or is there.
struct Wanted {
    vm: RawRef,
    console: Option<RawRef>,
}

fn wanted(sim: &Sim, request: &Request) -> Result<Wanted, Reply> {
    let missing = || Reply::error(400, "The query names neither a VM nor a console: it needs uuid or ref.");
    let name = request.query("ref").or_else(|| request.query("uuid")).filter(|name| !name.is_empty()).ok_or_else(missing)?;
    let find = |class: &str| {
        let table = sim.store.table(class);
        table.get(name).or_else(|| table.by_uuid(name)).map(|row| row.reference.clone())
    };
    if let Some(console) = find("console") {
        let vm = sim.store.reference("console", console.as_str(), "VM");
        return Ok(Wanted { vm, console: Some(console) });
    }
    let vm = find("VM").ok_or_else(|| Reply::error(404, &format!("There is no VM and no console {name}.")))?;
    let consoles = sim.store.refs("VM", vm.as_str(), "consoles");
    let console = consoles.into_iter().find(|console| sim.store.text("console", console.as_str(), "protocol") == "rfb");
    Ok(Wanted { vm, console })
}

/// Whether this user may, and the VM runs where it was asked for.
fn check(sim: &Sim, vm: &RawRef, visit: &mut Visit, action: &str) -> Result<(), Reply> {
    let of = vm.as_str();
    if sim.store.flag("VM", of, "is_control_domain") && visit.role < Role::PoolAdmin {
        let permission = format!("http/{action}/host_console");
        let text = "No permission in user session. (Roles with this permission: pool-admin)";
        visit.failure = Some(Failure::new("RBAC_PERMISSION_DENIED", [permission.as_str(), text]));
        return Err(Reply::error(403, &format!("{permission}: {text}")));
    }
    let power = sim.store.text("VM", of, "power_state");
    if power != "Running" {
        return Err(Reply::error(500, &format!("VM_BAD_POWER_STATE: the VM is {power}; it has a console while it runs.")));
    }
    if visit.asks_only() && sim.store.reference("VM", of, "resident_on") != visit.host {
        return Err(Reply::error(500, "The VM does not run on this host: ask the host where it is resident."));
    }
    Ok(())
}

/// `CONNECT /console`
pub(super) fn connect(sim: &mut Sim, request: &Request, visit: &mut Visit) -> Result<Served, Reply> {
    let Wanted { vm, console } = wanted(sim, request)?;
    check(sim, &vm, visit, if request.method == Method::Connect { "connect_console" } else { "get_console" })?;
    let console = console.ok_or_else(|| Reply::error(404, "The VM has no console."))?;
    let pool = sim.store.first("pool").unwrap_or_default();
    if sim.store.flag("pool", pool.as_str(), "limit_console_sessions") {
        if request.method != Method::Connect {
            return Err(Reply::error(503, "Consoles are limited to one session, and none over a websocket."));
        }
        if sim.screens.watched.get(&vm).is_some_and(|count| *count > 0) {
            return Err(Reply::error(503, "Another session has this console."));
        }
    }
    *sim.screens.watched.entry(vm.clone()).or_default() += 1;
    let talk = match sim.store.text("console", console.as_str(), "protocol") {
        "vt100" => Talk::Text { shell: Box::new(Shell::new(facts(sim, &vm))), return_came: false },
        _ => Talk::Picture(Box::new(Rfb::new(sim.store.text("VM", vm.as_str(), "name_label").to_string()))),
    };
    let head = Head { status: 200, headers: Vec::new() };
    Ok(Served::Duplex(head, Box::new(Console { vm, console, talk, heard: sim.now })))
}

/// `GET /vncsnapshot`
pub(super) fn snapshot(sim: &mut Sim, request: &Request, visit: &mut Visit) -> Result<Served, Reply> {
    let Wanted { vm, .. } = wanted(sim, request)?;
    check(sim, &vm, visit, "get_vncsnapshot")?;
    let uptime = uptime(sim, &vm);
    let screen = sim.screen(&vm, uptime);
    let (width, height) = screen.size;
    let pixels = screen.paint(screen.size);
    let bytes: Vec<u8> = pixels.iter().flat_map(|pixel| pixel.to_be_bytes().into_iter().skip(1)).collect();
    let mut image = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut image, 85);
    let (width, height) = (u16::try_from(width).unwrap_or(0), u16::try_from(height).unwrap_or(0));
    encoder
        .encode(&bytes, width, height, jpeg_encoder::ColorType::Rgb)
        .map_err(|error| Reply::error(500, &format!("The screenshot failed: {error}")))?;
    let name = format!("attachment; filename=\"{}.jpg\"", sim.store.text("VM", vm.as_str(), "uuid"));
    Ok(Served::Reply(Reply::ok("image/jpeg", image).with("content-disposition", name)))
}

/// How long ago a VM started, in seconds.
fn uptime(sim: &Sim, vm: &RawRef) -> i64 {
    match start(sim, vm) {
        DateTime::NEVER => i64::MAX,
        start => (sim.date().unix() - start.unix()).max(0),
    }
}

fn start(sim: &Sim, vm: &RawRef) -> DateTime {
    sim.store.time("VM_metrics", sim.store.text("VM", vm.as_str(), "metrics"), "start_time")
}

fn facts(sim: &Sim, vm: &RawRef) -> Facts {
    let of = vm.as_str();
    let guest = sim.store.text("VM", of, "guest_metrics");
    let system = sim.store.key("VM_guest_metrics", guest, "os_version", "name").unwrap_or_default();
    let system = system.split('|').next().filter(|name| !name.is_empty()).unwrap_or("Simulated guest");
    let name = if sim.store.flag("VM", of, "is_control_domain") {
        sim.store.text("host", sim.store.text("VM", of, "resident_on"), "hostname")
    } else {
        sim.store.text("VM", of, "name_label")
    };
    let word = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_lowercase() } else { '-' };
    let printable = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    Facts {
        host_name: name.chars().take(32).map(word).collect::<String>(),
        system: system.chars().take(60).map(printable).collect::<String>(),
    }
}

impl Sim {
    /// The screen of a VM, as it is now.
    fn screen(&mut self, vm: &RawRef, uptime: i64) -> &mut Screen {
        let (facts, life) = (facts(self, vm), start(self, vm).unix());
        if self.screens.screens.len() > self.store.count("VM") {
            let store = &self.store;
            self.screens.screens.retain(|vm, _| store.contains("VM", vm.as_str()));
        }
        let screen = self.screens.screens.entry(vm.clone()).or_insert_with(|| Screen::new(facts.clone(), life, uptime));
        if screen.life == life {
            screen.tick(uptime);
        } else {
            // Who watches has to see that all is new.
            let version = screen.version + 1;
            *screen = Screen::new(facts, life, uptime);
            screen.version += version;
        }
        screen
    }
}

enum Talk {
    Picture(Box<Rfb>),
    /// `return_came`: a line feed behind a carriage return is no second one.
    Text {
        shell: Box<Shell>,
        return_came: bool,
    },
}

/// One connection.
struct Console {
    vm: RawRef,
    console: RawRef,
    talk: Talk,
    /// When the client last said something.
    heard: Millis,
}

impl Console {
    /// Whether the guest is gone, or moved to where another console shows it.
    fn is_over(&self, sim: &Sim) -> bool {
        !sim.store.contains("console", self.console.as_str())
            || !matches!(sim.store.text("VM", self.vm.as_str(), "power_state"), "Running" | "Paused")
    }

    fn is_idle(&self, sim: &Sim) -> bool {
        let pool = sim.store.first("pool").unwrap_or_default();
        let limit = sim.store.int("pool", pool.as_str(), "vm_console_idle_timeout");
        u64::try_from(limit).is_ok_and(|limit| limit > 0 && sim.now.0 >= self.heard.0 + limit * 1000)
    }

    fn turn(&mut self, sim: &mut Sim, heard: &[u8]) -> Turn {
        if self.is_over(sim) || (heard.is_empty() && self.is_idle(sim)) {
            return Turn { close: true, ..Turn::default() };
        }
        if !heard.is_empty() {
            self.heard = sim.now;
        }
        let (uptime, mut bytes) = (uptime(sim, &self.vm), Vec::new());
        let mut close = false;
        match &mut self.talk {
            Talk::Picture(rfb) => {
                let screen = sim.screen(&self.vm, uptime);
                close = rfb.receive(heard, screen, uptime, &mut bytes).is_err();
            }
            Talk::Text { shell, return_came } => {
                for byte in heard {
                    let is_second = *byte == b'\n' && *return_came;
                    *return_came = *byte == b'\r';
                    if let Some(key) = Key::of_byte(*byte).filter(|_| !is_second) {
                        terminal(&shell.key(key, uptime).text, &mut bytes);
                    }
                }
            }
        }
        Turn { bytes, wake: Some(sim.now + PULSE), close }
    }
}

/// Adds what is said as a terminal wants it.
fn terminal(text: &str, out: &mut Vec<u8>) {
    for c in text.chars() {
        match c {
            '\n' => out.extend(b"\r\n"),
            '\u{8}' => out.extend(b"\x08 \x08"),
            '\u{c}' => out.extend(b"\x1b[H\x1b[2J"),
            c => out.push(u8::try_from(c).unwrap_or(b'?')),
        }
    }
}

impl Duplex for Console {
    fn open(&mut self, sim: &mut Sim, _: &mut Visit) -> Turn {
        let mut bytes = Vec::new();
        match &self.talk {
            Talk::Picture(_) => bytes.extend_from_slice(rfb::VERSION),
            Talk::Text { shell, .. } => terminal(&format!("\n{}", shell.banner()), &mut bytes),
        }
        Turn { bytes, wake: Some(sim.now + PULSE), close: false }
    }

    fn receive(&mut self, sim: &mut Sim, _: &mut Visit, bytes: &[u8]) -> Turn {
        self.turn(sim, bytes)
    }

    fn wake(&mut self, sim: &mut Sim, _: &mut Visit) -> Turn {
        self.turn(sim, &[])
    }

    fn close(&mut self, sim: &mut Sim) {
        if let Some(count) = sim.screens.watched.get_mut(&self.vm) {
            *count -= 1;
            if *count == 0 {
                sim.screens.watched.remove(&self.vm);
            }
        }
    }
}
