#![allow(clippy::unwrap_used)]

use alloc::string::ToString as _;

use super::*;
use crate::handlers::{Answer, Exchange};
use crate::{Config, Origin};

fn ask(sim: &mut Sim, method: Method, target: &str) -> Answer {
    let mut request = Request::new(method, target);
    request.origin = Origin::UnixSocket;
    let now = sim.now;
    sim.http(&request, now)
}

fn guest(sim: &Sim) -> RawRef {
    let runs = |vm: &RawRef| {
        sim.store.text("VM", vm.as_str(), "power_state") == "Running"
            && !sim.store.flag("VM", vm.as_str(), "is_control_domain")
    };
    sim.store.all("VM").into_iter().find(runs).unwrap()
}

fn connected(sim: &mut Sim, target: &str) -> Exchange {
    match ask(sim, Method::Connect, target) {
        Answer::Duplex(head, exchange) => {
            assert_eq!(head.status, 200);
            exchange
        }
        other => panic!("{other:?}"),
    }
}

fn status(sim: &mut Sim, method: Method, target: &str) -> u16 {
    match ask(sim, method, target) {
        Answer::Reply(reply) => reply.status(),
        Answer::Duplex(_, mut exchange) => {
            let now = sim.now;
            exchange.abandon(sim, now);
            200
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_console_lasts_as_long_as_its_vm_runs() {
    let mut sim = Sim::new(&Config::default());
    let vm = guest(&sim);
    let console = sim.store.refs("VM", vm.as_str(), "consoles").pop().unwrap();
    let uuid = sim.store.text("console", console.as_str(), "uuid").to_string();
    let mut exchange = connected(&mut sim, &alloc::format!("/console?uuid={uuid}"));
    let now = sim.now;
    assert_eq!(exchange.open(&mut sim, now).bytes, b"RFB 003.008\n");
    let turn = exchange.receive(&mut sim, b"RFB 003.008\n", now);
    assert!(turn.bytes == [1, 1] && turn.wake.is_some() && !turn.close);
    assert!(!exchange.wake(&mut sim, now).close);
    sim.store.put("VM", vm.as_str(), "power_state", "Halted");
    assert!(exchange.wake(&mut sim, now).close);
    assert!(sim.screens.watched.is_empty());
    assert_eq!(status(&mut sim, Method::Connect, &alloc::format!("/console?ref={}", vm.as_str())), 500);
}

#[test]
fn who_asks_for_nothing_or_too_much_is_told() {
    let mut sim = Sim::new(&Config::default());
    let vm = guest(&sim);
    let target = alloc::format!("/console?ref={}", vm.as_str());
    for (target, expected) in [("/console", 400), ("/console?uuid=x", 404), (target.as_str(), 200)] {
        assert_eq!(status(&mut sim, Method::Connect, target), expected, "{target}");
    }
    let pool = sim.store.first("pool").unwrap();
    sim.store.put("pool", pool.as_str(), "limit_console_sessions", true);
    let first = connected(&mut sim, &target);
    assert_eq!(status(&mut sim, Method::Connect, &target), 503);
    assert_eq!(status(&mut sim, Method::Get, &target), 503);
    let (mut first, now) = (first, sim.now);
    first.abandon(&mut sim, now);
    assert_eq!(status(&mut sim, Method::Connect, &target), 200);
    sim.store.put("pool", pool.as_str(), "vm_console_idle_timeout", 60);
    let mut idle = connected(&mut sim, &target);
    idle.open(&mut sim, now);
    assert!(!idle.wake(&mut sim, now + Millis(59_000)).close);
    assert!(!idle.receive(&mut sim, b"RFB", now + Millis(59_500)).close);
    assert!(!idle.wake(&mut sim, now + Millis(119_000)).close);
    assert!(idle.wake(&mut sim, now + Millis(119_500)).close);
}

#[test]
fn a_text_console_echoes() {
    let mut sim = Sim::new(&Config::default());
    let dom0 = sim.store.reference("host", sim.master().as_str(), "control_domain");
    let consoles = sim.store.refs("VM", dom0.as_str(), "consoles");
    let text = consoles.iter().find(|console| sim.store.text("console", console.as_str(), "protocol") == "vt100").unwrap();
    let location = sim.store.text("console", text.as_str(), "location").to_string();
    assert!(location.ends_with(&alloc::format!("/console?ref={}", text.as_str())), "{location}");
    let mut exchange = connected(&mut sim, &alloc::format!("/console?ref={}", text.as_str()));
    let now = sim.now;
    let banner = exchange.open(&mut sim, now).bytes;
    assert!(banner.ends_with(b"host-01 login: ") && banner.windows(2).any(|two| two == b"\r\n"), "{banner:?}");
    assert_eq!(exchange.receive(&mut sim, b"roox\x7ft\r\n", now).bytes, b"roox\x08 \x08t\r\nPassword: ");
    let welcome = exchange.receive(&mut sim, b"pw\rhostname\n", now).bytes;
    assert!(welcome.ends_with(b"host-01\r\nroot@host-01:~# "), "{}", String::from_utf8_lossy(&welcome));
}

#[test]
fn a_screenshot_is_a_jpeg() {
    let mut sim = Sim::new(&Config::default());
    let vm = guest(&sim);
    let target = alloc::format!("/vncsnapshot?uuid={}", sim.store.text("VM", vm.as_str(), "uuid"));
    let Answer::Reply(reply) = ask(&mut sim, Method::Get, &target) else { panic!() };
    assert_eq!(reply.status(), 200);
    assert!(reply.body.starts_with(&[0xff, 0xd8]) && reply.body.ends_with(&[0xff, 0xd9]));
    // Start of frame: 8 bits, 400 lines, 640 columns.
    assert!(reply.body.windows(7).any(|part| part == [0xff, 0xc0, 0, 17, 8, 1, 144]));
    let Answer::Reply(again) = ask(&mut sim, Method::Get, &target) else { panic!() };
    assert_eq!(again.body, reply.body);
}
