#![allow(clippy::unwrap_used)]

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use alloc::{format, vec};

use xenapi_core::{Millis, RawCall, Value};

use super::*;
use crate::handlers::{Answer, Method, Piece};
use crate::{Config, Handled, Origin, Outcome};

/// `root:xenoxide`
const ROOT: &str = "Basic cm9vdDp4ZW5veGlkZQ==";

fn get(sim: &mut Sim, target: &str, via: Option<&RawRef>) -> (Reply, String) {
    let mut request = Request::new(Method::Get, target).with("Authorization", ROOT);
    request.via = via.cloned();
    let now = sim.now;
    match sim.http(&request, now) {
        Answer::Reply(reply) => {
            let body = String::from_utf8(reply.body.clone()).unwrap();
            (reply, body)
        }
        Answer::Download(head, mut exchange) => {
            let mut body = Vec::new();
            while let Piece::Bytes(bytes) = exchange.next(sim, now) {
                body.extend(bytes);
            }
            (Reply { head, body: Vec::new() }, String::from_utf8(body).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

/// Legend, and rows of time and values.
type Table = (Vec<String>, Vec<(i64, Vec<f64>)>);

/// Reads the XML by quick-xml, which does not know how it was written.
fn table(xml: &str) -> Table {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut legend, mut rows, mut tag) = (Vec::new(), Vec::<(i64, Vec<f64>)>::new(), String::new());
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(start) => tag = start.name().as_ref().to_string(),
            quick_xml::events::Event::End(_) => tag.clear(),
            quick_xml::events::Event::Text(text) => {
                let text = text.as_ref().to_string();
                match tag.as_str() {
                    "entry" => legend.push(text),
                    "t" => rows.push((text.parse().unwrap(), Vec::new())),
                    "v" => rows.last_mut().unwrap().1.push(text.parse().unwrap()),
                    _ => {}
                }
            }
            quick_xml::events::Event::Eof => return (legend, rows),
            _ => {}
        }
    }
}

fn column(table: &Table, ends: &str) -> Vec<f64> {
    let at = table.0.iter().position(|entry| entry.ends_with(ends)).unwrap_or_else(|| panic!("no {ends}"));
    table.1.iter().map(|(_, values)| values[at]).collect()
}

fn pool() -> Sim {
    Sim::new(&Config::default())
}

fn ask(sim: &mut Sim, method: &str, params: &[&str]) -> Value {
    let call = |method: &str, params: Vec<Value>| RawCall { method: method.into(), params };
    let now = sim.now;
    let login = call("session.login_with_password", vec!["root".into(), crate::PASSWORD.into()]);
    let Handled::Done(Outcome::Value(session)) = sim.handle(login, Origin::Tcp, now) else { panic!() };
    let mut all = vec![session];
    all.extend(params.iter().map(|text| match *text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        text => Value::from(text),
    }));
    match sim.handle(call(method, all), Origin::Tcp, now) {
        Handled::Done(Outcome::Value(value)) => value,
        Handled::Done(other) => panic!("{other:?}"),
        Handled::Pending(_) => loop {
            let at = sim.next_deadline().unwrap();
            if let Some((_, Outcome::Value(value))) = sim.poll(at).pop() {
                return value;
            }
        },
    }
}

#[test]
fn a62_updates_have_a_legend_and_rows_newest_first() {
    let mut sim = pool();
    let host = sim.master();
    let start = sim.date().unix() - 60;
    let (reply, body) = get(&mut sim, &format!("/rrd_updates?start={start}&host=true"), Some(&host));
    assert_eq!((reply.status(), reply.head.headers[0].1.as_str()), (200, "text/xml"));
    assert!(body.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xport><meta><start>"));
    assert!(body.contains("<step>5</step>"));
    let table = table(&body);
    for entry in &table.0 {
        let parts: Vec<&str> = entry.splitn(4, ':').collect();
        assert!(parts[0] == "AVERAGE" && ["vm", "host"].contains(&parts[1]) && parts[2].len() == 36, "{entry}");
    }
    assert_eq!(table.1.len(), 13);
    assert!(table.1.windows(2).all(|pair| pair[0].0 == pair[1].0 + 5));
    assert!(table.1.iter().all(|(_, values)| values.len() == table.0.len()));
    assert!(body.contains(&format!("<rows>13</rows><columns>{}</columns>", table.0.len())));
    let uuid = sim.store.text("host", host.as_str(), "uuid").to_string();
    let memory = column(&table, &format!("host:{uuid}:memory_free_kib"));
    let metrics = sim.store.reference("host", host.as_str(), "metrics");
    let free = sim.store.int("host_metrics", metrics.as_str(), "memory_free");
    assert_eq!(memory[0], signal::float(free) / 1024.0);
    // Each host knows its own VMs only.
    let resident = sim.store.refs("host", host.as_str(), "resident_VMs");
    for entry in table.0.iter().filter(|entry| entry.contains(":vm:")) {
        let vm = sim.store.table("VM").by_uuid(entry.split(':').nth(2).unwrap()).unwrap();
        assert!(resident.contains(&vm.reference));
    }
}

#[test]
fn a33_start_is_required() {
    let mut sim = pool();
    assert_eq!(get(&mut sim, "/rrd_updates", None).0.status(), 400);
    assert_eq!(get(&mut sim, "/rrd_updates?start=soon", None).0.status(), 400);
    assert_eq!(get(&mut sim, "/rrd_updates?start=-10&cf=MAX", None).0.status(), 500);
    let bare = sim.http(&Request::new(Method::Get, "/rrd_updates?start=1"), Millis(0));
    let Answer::Reply(reply) = bare else { panic!() };
    assert_eq!(reply.status(), 401);
    assert!(reply.head.headers.iter().any(|(name, value)| name == "www-authenticate" && value.starts_with("Basic")));
}

#[test]
fn json_and_xml_tell_the_same_and_always_the_same() {
    let mut sim = pool();
    let host = sim.master();
    let (_, xml) = get(&mut sim, "/rrd_updates?start=-30&host=true", Some(&host));
    let (reply, json) = get(&mut sim, "/rrd_updates?start=-30&host=true&json=true", Some(&host));
    assert_eq!(reply.head.headers[0].1, "application/json");
    let table = table(&xml);
    let legend: Vec<String> = table.0.iter().map(|entry| format!("\"{entry}\"")).collect();
    assert!(json.contains(&format!("\"legend\":[{}]", legend.join(","))));
    let values = json.split_once("\"values\":[").unwrap().1.split_once(']').unwrap().0;
    let values: Vec<f64> = values.split(',').map(|value| value.trim_matches('"').parse().unwrap()).collect();
    assert_eq!(values.len(), table.1[0].1.len());
    assert!(values.iter().zip(&table.1[0].1).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())));
    assert_eq!(get(&mut sim, "/rrd_updates?start=-30&host=true", Some(&host)).1, xml);
    sim.advance(Millis(60_000));
    let later = self::table(&get(&mut sim, "/rrd_updates?start=-90&host=true", Some(&host)).1);
    let known =
        |table: &Table, time: i64| table.1.iter().find(|(at, _)| *at == time).map(|(_, values)| format!("{values:?}"));
    let (time, _) = table.1[1];
    // Sessions are counted, and there was one more.
    assert_eq!(known(&later, time), known(&table, time));
}

#[test]
fn parts_make_up_the_sums() {
    let mut sim = pool();
    for host in sim.store.all("host") {
        let table = table(&get(&mut sim, "/rrd_updates?start=-20&host=true", Some(&host)).1);
        let sum = |kind: &str, starts: &str, ends: &str| -> f64 {
            let entries = table.0.iter().zip(&table.1[0].1);
            let fitting = entries.filter(|(entry, _)| {
                let mut parts = entry.splitn(4, ':').skip(1);
                let name = parts.clone().nth(2).unwrap();
                parts.next() == Some(kind) && name.starts_with(starts) && name.ends_with(ends)
            });
            fitting.map(|(_, value)| *value).filter(|value| !value.is_nan()).sum()
        };
        let nics = sum("host", "pif_eth", "_rx");
        assert!((nics - sum("host", "pif_aggr", "_rx")).abs() < 1.0);
        // VMs on networks without a NIC talk among themselves; all others' traffic is in the NICs'.
        assert!(nics > 0.0);
        let states = ["runstate_"].map(|name| sum("vm", name, ""));
        let vms = table.0.iter().filter(|entry| entry.ends_with("runstate_blocked")).count();
        let nan = column(&table, "runstate_blocked").iter().filter(|value| value.is_nan()).count();
        assert!((states[0] - signal::float(i64::try_from(vms).unwrap())).abs() < 1e-6 || nan > 0);
    }
}

#[test]
fn a_vm_has_no_past_before_its_start_and_a_gap_while_it_was_down() {
    let mut sim = pool();
    sim.advance(Millis(1_000_000));
    let halted = sim.store.all("VM").into_iter().find(|vm| {
        let of = vm.as_str();
        sim.store.text("VM", of, "power_state") == "Halted" && !sim.store.flag("VM", of, "is_a_template")
    });
    let vm = halted.unwrap();
    let uuid = sim.store.text("VM", vm.as_str(), "uuid").to_string();
    ask(&mut sim, "VM.start", &[vm.as_str(), "false", "false"]);
    let later = |sim: &mut Sim, seconds: u64| {
        let to = Millis(sim.now.0 + seconds * 1000);
        sim.advance(to);
    };
    later(&mut sim, 60);
    ask(&mut sim, "VM.hard_shutdown", &[vm.as_str()]);
    later(&mut sim, 60);
    ask(&mut sim, "VM.start", &[vm.as_str(), "false", "false"]);
    later(&mut sim, 60);
    let table = table(&get(&mut sim, &format!("/rrd_updates?start=-300&vm_uuid={uuid}"), None).1);
    assert!(table.0.iter().all(|entry| entry.contains(&uuid)));
    let known: String = column(&table, ":cpu0").iter().map(|value| if value.is_nan() { '.' } else { '#' }).collect();
    let spans: Vec<&str> = known.split_inclusive('.').filter(|part| part.len() > 1).collect();
    assert_eq!(spans.len(), 2, "{known}");
    assert!(known.starts_with("##########") && known.ends_with('.') && known.contains("##..."), "{known}");
    // Nobody else's host knows it.
    let other =
        sim.store.all("host").into_iter().find(|host| *host != sim.store.reference("VM", vm.as_str(), "resident_on"));
    let elsewhere = get(&mut sim, &format!("/rrd_updates?start=-30&vm_uuid={uuid}"), other.as_ref()).1;
    assert!(elsewhere.contains("<columns>0</columns>"));
    let moved = get(&mut sim, &format!("/vm_rrd?uuid={uuid}"), other.as_ref()).0;
    assert_eq!(moved.status(), 302);
    assert!(moved.head.headers.iter().any(|(name, value)| name == "location" && value.starts_with("https://")));
}

#[test]
fn whole_archives_have_all_rows() {
    let mut sim = pool();
    let master = sim.master();
    let vm = sim.store.refs("host", master.as_str(), "resident_VMs").pop().unwrap();
    let uuid = sim.store.text("VM", vm.as_str(), "uuid").to_string();
    let (_, xml) = get(&mut sim, &format!("/vm_rrd?uuid={uuid}"), None);
    assert_eq!(xml.matches("<row>").count(), 120 + 120 + 168 + 366);
    assert_eq!(xml.matches("<rra>").count(), 4);
    assert!(quick_xml_is_whole(&xml) && xml.ends_with("</rrd>"));
    let (_, json) = get(&mut sim, "/host_rrd?json", None);
    assert_eq!(json.matches("\"pdp_per_row\"").count(), 4);
    assert!(json.ends_with("]}]}") && json.contains("\"cpu_avg\""));
    for (target, status) in [("/vm_rrd", 400), ("/vm_rrd?uuid=x", 404), ("/sr_rrd", 400), ("/sr_rrd?uuid=x", 404)] {
        assert_eq!(get(&mut sim, target, None).0.status(), status, "{target}");
    }
    let pool = sim.store.first("pool").unwrap();
    sim.store.put_key("pool", pool.as_str(), "other_config", "create_min_max_in_new_VM_RRDs", "true");
    let table = table(&get(&mut sim, &format!("/rrd_updates?start=-7000&vm_uuid={uuid}"), None).1);
    let rows = ["MIN", "AVERAGE", "MAX"].map(|kind| column(&table, &format!("{kind}:vm:{uuid}:cpu0")));
    let ordered = |at: usize| rows[0][at].is_nan() || (rows[0][at] <= rows[1][at] && rows[1][at] <= rows[2][at]);
    assert!((0..rows[0].len()).all(ordered));
}

fn column_by(table: &Table, entry: &str) -> Option<usize> {
    table.0.iter().position(|other| other == entry)
}

#[test]
fn repositories_are_measured_where_they_are() {
    let mut sim = pool();
    let sr = sim.store.reference("pool", sim.store.first("pool").unwrap().as_str(), "default_SR");
    let uuid = sim.store.text("SR", sr.as_str(), "uuid").to_string();
    let table = table(&get(&mut sim, &format!("/rrd_updates?start=-30&sr_uuid={uuid}"), None).1);
    let at = column_by(&table, &format!("AVERAGE:sr:{uuid}:physical_utilisation")).unwrap();
    let used = sim.store.int("SR", sr.as_str(), "physical_utilisation");
    assert_eq!(table.1[0].1[at], signal::float(used));
    assert_eq!(get(&mut sim, &format!("/sr_rrd?uuid={uuid}"), None).0.status(), 200);
}

fn quick_xml_is_whole(xml: &str) -> bool {
    let mut reader = quick_xml::Reader::from_str(xml);
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}
