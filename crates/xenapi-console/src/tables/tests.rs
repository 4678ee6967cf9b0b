//! From the cache to lines.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{DateTime, Ref, Uuid};
use xenapi_model::task::TaskStatusType;
use xenapi_model::vm::VmPowerState;
use xenapi_model::{
    Host, Message, Network, PIF, SR, Task, VBD, VDI, VIF, VM, VMGuestMetrics, host, message, network, pif, sr, task, vdi,
    vif, vm,
};
use xenapi_topology::State;

use super::*;
use crate::query::Query;
use crate::route::Kind;
use crate::tests::{cache, forget_all_but, guest, vm as a_vm};

fn ask(kind: Kind, query: &str, sort: &str) -> Ask {
    let spec = Spec::of(kind);
    Ask { query: Query::parse(query, spec), sort: Sort::of(Some(sort), spec), now: 0 }
}

fn rows(cache: &Cache, kind: Kind, query: &str, sort: &str) -> Vec<Rc<Row>> {
    Table::new(kind).update(cache, &ask(kind, query, sort)).to_vec()
}

fn names(rows: &[Rc<Row>]) -> Vec<&str> {
    rows.iter().map(|row| row.name.as_str()).collect()
}

fn cell(row: &Row, kind: Kind, id: &str) -> Value {
    row.cells[Spec::of(kind).column(id).unwrap()].clone()
}

/// A cache with something of every kind.
fn full() -> Cache {
    let mut cache = cache();
    let snapshot =
        vm::Record { is_a_snapshot: true, is_a_template: true, snapshot_of: Some(Ref::new("v1")), ..Default::default() };
    cache.insert(Ref::<VM>::new("s9"), vm::Record { snapshot_time: DateTime::from_unix(1_700_000_000), ..snapshot });
    let network = network::Record { name_label: "LAN".into(), pifs: [Ref::new("pif1")].into(), ..Default::default() };
    cache.insert(Ref::<Network>::new("n1"), network);
    let pif =
        pif::Record { device: "eth0".into(), network: Ref::new("n1"), host: Ref::new("h1"), vlan: -1, ..Default::default() };
    cache.insert(Ref::<PIF>::new("pif1"), pif::Record { physical: true, currently_attached: true, ..pif });
    let vif = vif::Record { device: "0".into(), vm: Ref::new("v1"), network: Ref::new("n1"), ..Default::default() };
    cache.insert(Ref::<VIF>::new("vif1"), vif::Record { mac: "aa:bb:cc:00:11:22".into(), ..vif });
    let task = task::Record {
        name_label: "Async.VM.start".into(),
        status: TaskStatusType::Failure,
        progress: 0.5,
        ..Default::default()
    };
    cache.insert(Ref::<Task>::new("t1"), task);
    let message = message::Record {
        name: "VM_STARTED".into(),
        priority: 5,
        cls: "VM".into(),
        obj_uuid: "uuid-db".into(),
        ..Default::default()
    };
    cache.insert(Ref::<Message>::new("m1"), message);
    cache
}

#[test]
fn every_kind_has_a_cell_for_every_column_and_of_its_shape() {
    let cache = full();
    for kind in Kind::ALL {
        let spec = Spec::of(kind);
        let rows = rows(&cache, kind, "", "");
        assert!(!rows.is_empty(), "{kind:?}");
        for row in &rows {
            assert_eq!(row.cells.len(), spec.columns.len(), "{kind:?}");
            for (cell, column) in row.cells.iter().zip(spec.columns) {
                #[rustfmt::skip]
                let fits = matches!(
                    (cell, column.shape),
                    (Value::Nothing | Value::Unknown, _)
                        | (Value::Text(_), Shape::Name | Shape::Text | Shape::Code)
                        | (Value::Count(_), Shape::Count)
                        | (Value::Bytes(_), Shape::Bytes)
                        | (Value::Share(_), Shape::Share | Shape::Progress)
                        | (Value::Speed(_), Shape::Speed)
                        | (Value::Date(_), Shape::Date)
                        | (Value::Span(_), Shape::Span)
                        | (Value::Truth(_), Shape::Truth)
                        | (Value::State(_) | Value::Status(..), Shape::State)
                        | (Value::Links(_), Shape::Links)
                        | (Value::List(_), Shape::List | Shape::Code)
                );
                assert!(fits, "{kind:?} {}: {cell:?}", column.id);
            }
        }
        let ids: alloc::collections::BTreeSet<_> = spec.columns.iter().map(|column| column.id).collect();
        assert_eq!(ids.len(), spec.columns.len(), "{kind:?}: no column twice");
        assert!(ids.iter().all(|id| id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')), "{kind:?}");
        assert!(spec.facets.iter().chain(&spec.narrow).all(|id| spec.column(id).is_some()), "{kind:?}");
        assert_eq!(Sort::parse(spec.sort, spec).write(spec), spec.sort, "{kind:?}");
        assert_eq!(spec.columns[0].shape, Shape::Name, "{kind:?}");
        for example in spec.example.split(", ") {
            let problems = Query::parse(example, spec).problems;
            assert!(problems.is_empty(), "{kind:?} {example}: {problems:?}");
        }
        assert!(spec.classes.iter().all(|class| cache.tracks(class)), "{kind:?}");
        assert!(spec.classes.contains(&kind.class()), "{kind:?}");
    }
}

#[test]
fn vms_are_vms_and_say_what_they_are() {
    let rows = rows(&cache(), Kind::Vms, "", "name");
    assert_eq!(names(&rows), ["db", "Web 2", "web 10"]);
    let web = &rows[2];
    assert_eq!((web.state, web.uuid.as_str()), (Some(State::Running), "uuid-web-10"));
    assert_eq!(cell(web, Kind::Vms, "host").show(), "host 1");
    assert_eq!(cell(web, Kind::Vms, "vcpus"), Value::Count(2));
    assert_eq!(cell(web, Kind::Vms, "memory").show(), "2 GiB");
    assert_eq!(cell(&rows[1], Kind::Vms, "host"), Value::Nothing);
}

#[test]
fn other_kinds_resolve_what_they_are_connected_with() {
    let cache = full();
    let one = |kind: Kind, id: &str| cell(&rows(&cache, kind, "", "")[0], kind, id).show().into_owned();
    assert_eq!(one(Kind::Vdis, "vms"), "web 10");
    assert_eq!(one(Kind::Vbds, "sr"), "NFS");
    assert_eq!(one(Kind::Vbds, "size"), "8 GiB");
    assert_eq!(one(Kind::Pbds, "name"), "NFS · host 1");
    assert_eq!(one(Kind::Pbds, "config"), "server=10.0.0.9");
    assert_eq!(one(Kind::Networks, "hosts"), "host 1");
    assert_eq!(one(Kind::Vifs, "vm"), "web 10");
    assert_eq!(one(Kind::Snapshots, "vm"), "web 10");
    assert_eq!(one(Kind::Snapshots, "taken"), "2023-11-14 22:13 UTC");
    assert_eq!(one(Kind::Srs, "used"), "50 %");
    assert_eq!(one(Kind::Hosts, "coordinator"), "yes");
    assert_eq!(one(Kind::Hosts, "used"), "75 %");
    assert_eq!(one(Kind::Tasks, "state"), "failed");
    assert_eq!(one(Kind::Messages, "object"), "db");
    assert_eq!(one(Kind::Messages, "name"), "VM started");
}

#[test]
fn what_was_not_loaded_is_unknown_and_not_nothing() {
    let mut cache = cache();
    let mut table = Table::new(Kind::Vms);
    let ask = ask(Kind::Vms, "", "-name");
    let ip = |rows: &[Rc<Row>]| cell(&rows[0], Kind::Vms, "ip");
    assert_eq!(ip(&table.update(&cache, &ask)), Value::Nothing);
    forget_all_but(&mut cache, "pool,VM");
    assert_eq!(ip(&table.update(&cache, &ask)), Value::Unknown);
}

#[test]
fn several_keys_order_and_what_is_absent_comes_last() {
    let cache = cache();
    let sorted = |sort: &str| names(&rows(&cache, Kind::Vms, "", sort)).join(",");
    assert_eq!(sorted("-name"), "web 10,Web 2,db");
    assert_eq!(sorted("host,-name"), "web 10,db,Web 2");
    assert_eq!(sorted("-host,name"), "db,web 10,Web 2");
    assert_eq!(sorted("state"), "web 10,Web 2,db");
    assert_eq!(sorted("nonsense"), "db,Web 2,web 10", "the kind's own order");
}

#[test]
fn clicks_on_headings_turn_and_add() {
    let spec = Spec::of(Kind::Vms);
    let column = |id: &str| spec.column(id).unwrap();
    let by = |sort: &str, id: &str, more: bool| Sort::parse(sort, spec).by(column(id), more).write(spec);
    assert_eq!(by("name", "memory", false), "memory");
    assert_eq!(by("memory", "memory", false), "-memory");
    assert_eq!(by("-memory,name", "memory", false), "memory");
    assert_eq!(by("memory", "name", true), "memory,name");
    assert_eq!(by("memory,name", "name", true), "memory,-name");
    assert_eq!(by("memory,-name", "name", true), "memory");
    assert_eq!(Sort::parse("memory,-memory,,x,name", spec).write(spec), "memory,name");
}

#[test]
fn columns_are_chosen_moved_and_sized() {
    let spec = Spec::of(Kind::Vms);
    let standard = Columns::standard(spec);
    assert_eq!(standard.write(spec), None);
    let uuid = spec.column("uuid").unwrap();
    let more = standard.toggle(uuid, spec);
    assert!(more.has(uuid) && !more.toggle(uuid, spec).has(uuid));
    assert_eq!(Columns::parse("name,uuid.99,nothing,name", spec).write(spec).unwrap(), "name,uuid.99");
    assert_eq!(Columns::parse("nothing", spec), standard);
    let few = Columns::parse("name,state", spec);
    assert_eq!(few.shift(0, true).write(spec).unwrap(), "state,name");
    assert_eq!(few.shift(0, false), few);
    assert_eq!(few.resize(0, -5).write(spec).unwrap(), "name.48,state");
    assert_eq!(few.resize(0, 99_999).write(spec).unwrap(), "name.900,state");
    assert_eq!(Columns::parse("name", spec).toggle(0, spec).write(spec).unwrap(), "name", "the last one stays");
    assert_eq!(Columns::parse(&more.write(spec).unwrap(), spec), more);
}

#[test]
fn only_what_changed_is_made_anew() {
    let (mut cache, mut table) = (cache(), Table::new(Kind::Vms));
    let ask = ask(Kind::Vms, "", "name");
    let before = table.update(&cache, &ask);
    assert!(Rc::ptr_eq(&before, &table.update(&cache, &ask)));
    cache.insert(Ref::<VM>::new("v2"), a_vm("Web 2", VmPowerState::Running, "h1"));
    cache.remove(&Ref::<VM>::new("v3"));
    let after = table.update(&cache, &ask);
    assert_eq!(names(&after), ["Web 2", "web 10"]);
    assert!(Rc::ptr_eq(&before[2], &after[1]));
    assert!(!Rc::ptr_eq(&before[1], &after[0]));
    // What shows nowhere changes nothing.
    let (reference, record) = cache.iter::<VM>().find(|(_, vm)| vm.name_label == "Web 2").unwrap();
    let record = vm::Record { user_version: 7, ..(**record).clone() };
    cache.insert(reference, record);
    assert!(Rc::ptr_eq(&after, &table.update(&cache, &ask)));
    // Another name of the host is seen in the rows of its VMs.
    let record = host::Record { name_label: "renamed".into(), ..Default::default() };
    cache.insert(Ref::<Host>::new("h1"), record);
    assert_eq!(cell(&table.update(&cache, &ask)[0], Kind::Vms, "host").show(), "renamed");
}

/// A small generator of pseudo-random numbers, so that the sequence is the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

#[test]
fn tables_kept_step_by_step_are_those_made_at_once() {
    let mut dice = Dice(7);
    for (kind, query, sort) in [
        (Kind::Vms, "", "host,-name"),
        (Kind::Vms, "state:running !ip:10.1", "-memory"),
        (Kind::Vdis, "sr:nfs", "vms,-size"),
        (Kind::Vbds, "", "vm"),
        (Kind::Srs, "state:running", "-used"),
    ] {
        let (mut cache, mut table) = (full(), Table::new(kind));
        let ask = ask(kind, query, sort);
        for _ in 0..200 {
            change(&mut cache, &mut dice);
            let kept = table.update(&cache, &ask);
            let fresh = Table::new(kind).update(&cache, &ask);
            assert_eq!(kept, fresh, "{kind:?} {query}");
        }
    }
}

fn change(cache: &mut Cache, dice: &mut Dice) {
    let vm = ["v1", "v2", "v3", "v4", "v5"][dice.roll(5)];
    match dice.roll(9) {
        0 => drop(cache.remove(&Ref::<VM>::new(vm))),
        1 => cache.insert(Ref::<VM>::new(vm), a_vm(vm, VmPowerState::Running, "h2")),
        2 => cache.insert(Ref::<VM>::new(vm), a_vm(vm, VmPowerState::Halted, "OpaqueRef:NULL")),
        3 => cache.insert(Ref::<VMGuestMetrics>::new(["g-", vm].concat()), guest(&[("0/ip", "10.1.1.1")])),
        4 => drop(cache.remove(&Ref::<Host>::new("h2"))),
        5 => {
            let record = host::Record { name_label: ["host ", vm].concat(), ..Default::default() };
            cache.insert(Ref::<Host>::new("h2"), record);
        }
        6 => {
            let sr = sr::Record {
                name_label: ["NFS", "iSCSI"][dice.roll(2)].into(),
                pbds: [Ref::new("pbd1")].into(),
                ..Default::default()
            };
            cache.insert(Ref::<SR>::new("s1"), sr);
        }
        7 => {
            let disk =
                vdi::Record { uuid: Uuid::new(vm), sr: Ref::new("s1"), vbds: [Ref::new("b1")].into(), ..Default::default() };
            cache.insert(Ref::<VDI>::new(vm), disk);
        }
        _ => drop(cache.remove(&Ref::<VBD>::new("b1"))),
    }
}

#[test]
fn facets_count_what_the_rest_of_the_query_lets_through() {
    let spec = Spec::of(Kind::Vms);
    let mut table = Table::new(Kind::Vms);
    let ask = ask(Kind::Vms, "web state:running", "name");
    table.update(&cache(), &ask);
    let facets = facet(table.all(), spec, "state", &ask.query, 0);
    let told: Vec<_> = facets.iter().map(|facet| (facet.word.as_str(), facet.count, facet.chosen)).collect();
    assert_eq!(told, [("running", 1, true), ("halted", 1, false)]);

    let toggled = |text: &str, id: &str, word: &str| toggle(text, spec, id, word);
    assert_eq!(toggled("", "state", "running"), "state:running");
    assert_eq!(toggled("web state:running x", "state", "halted"), "web state:running,halted x");
    assert_eq!(toggled("web state:running x", "state", "running"), "web x");
    assert_eq!(toggled("web", "host", "host 1"), "web host=\"host 1\"");
    assert_eq!(toggled("host=\"a\\\"b\"", "host", "a\"b"), "");
    assert_eq!(toggled("state:running state:halted !state:paused", "state", "halted"), "state:running !state:paused");
}

#[test]
fn whatever_a_facet_says_its_term_finds() {
    let mut cache = cache();
    for (at, name) in ["a b", "none", "x,y", "q\"uote", "back\\slash", "-minus", "!bang", "ümläut"].into_iter().enumerate()
    {
        let record = vm::Record { tags: [name.to_string()].into(), ..a_vm(name, VmPowerState::Halted, "OpaqueRef:NULL") };
        cache.insert(Ref::<VM>::new(["x", &at.to_string()].concat()), record);
    }
    let spec = Spec::of(Kind::Vms);
    let mut table = Table::new(Kind::Vms);
    table.update(&cache, &ask(Kind::Vms, "", ""));
    for facet in facet(table.all(), spec, "tags", &Query::default(), 0) {
        let query = toggle("", spec, "tags", &facet.word);
        assert_eq!(rows(&cache, Kind::Vms, &query, "").len(), facet.count, "{query}");
        assert_eq!(toggle(&query, spec, "tags", &facet.word), "", "{query}");
    }
}

#[test]
fn the_keyboard_chooses() {
    let rows = rows(&cache(), Kind::Vms, "", "name");
    let reference = |at: usize| rows[at].object.reference.clone();
    let at = |selection: &Selection| (selection.at(&rows), selection.chosen.len());
    let first = Selection::default().step(Move::By(1), false, &rows);
    assert_eq!(at(&first), (Some(0), 1));
    let second = first.clone().step(Move::By(1), false, &rows);
    assert_eq!(at(&second), (Some(1), 1));
    let both = second.clone().step(Move::By(5), true, &rows);
    assert_eq!(at(&both), (Some(2), 2));
    let back = both.step(Move::First, true, &rows);
    assert_eq!((at(&back), back.has(&reference(2))), ((Some(0), 2), false));
    let some = Selection::one(&reference(0)).toggle(&reference(2));
    assert_eq!(names(&some.of(&rows).cloned().collect::<Vec<_>>()), ["db", "web 10"]);
    assert_eq!(some.clone().toggle(&reference(2)).chosen.len(), 1);
    assert_eq!(some.clone().all(&rows).chosen.len(), 3);
    assert_eq!(some.none().of(&rows).count(), 3, "nothing chosen means everything");
    assert_eq!(Selection::default().step(Move::Last, false, &[]), Selection::default());
}

#[test]
fn rows_made_in_steps_are_the_same_whatever_happens_meanwhile() {
    for kind in Kind::ALL {
        let ask = ask(kind, "", "");
        for most in [1, 2, 3] {
            let (mut cache, mut table) = (full(), Table::new(kind));
            let mut steps = 0;
            let shown = loop {
                steps += 1;
                if let Some(shown) = table.step(&cache, &ask, most) {
                    break shown;
                }
                // A name that rows of every kind may show, and an object that goes.
                let (reference, record) = cache.iter::<VM>().next().map(|(it, record)| (it, (**record).clone())).unwrap();
                cache.insert(reference, vm::Record { name_label: alloc::format!("renamed {steps}"), ..record });
                if steps == 2 {
                    let last = cache.iter::<VM>().last().unwrap().0;
                    cache.remove(&last);
                }
            };
            assert_eq!(shown, Table::new(kind).update(&cache, &ask), "{kind:?} by {most}");
            assert!(most > 1 || steps >= shown.len().max(1), "{kind:?}: {steps} steps for {} rows", shown.len());
        }
    }
}

#[test]
fn facets_of_what_is_shown_are_those_of_all() {
    let cache = full();
    for kind in Kind::ALL {
        let spec = Spec::of(kind);
        for query in ["", "1", "!web", "state:running", "state:running 1"] {
            let ask = ask(kind, query, "");
            let mut table = Table::new(kind);
            table.update(&cache, &ask);
            for id in spec.facets {
                assert_eq!(table.facet(id), facet(table.all(), spec, id, &ask.query, ask.now), "{kind:?} {id} {query}");
            }
        }
    }
}

#[test]
fn rows_are_made_ready_for_words_a_few_at_a_time() {
    let (cache, mut table) = (full(), Table::new(Kind::Vms));
    let rows = table.update(&cache, &ask(Kind::Vms, "", "")).len();
    let mut steps = 1;
    while table.prepare(1) {
        steps += 1;
    }
    assert_eq!(steps, rows);
    assert!(!table.prepare(1));
}

/// Reads CSV after RFC 4180.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut cells, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(core::mem::take(&mut cell)),
            '\r' if !quoted && letters.peek() == Some(&'\n') => {
                letters.next();
                cells.push(core::mem::take(&mut cell));
                lines.push(core::mem::take(&mut cells));
            }
            other => cell.push(other),
        }
    }
    assert!(cells.is_empty() && cell.is_empty() && !quoted);
    lines
}

#[test]
fn exports_are_read_back_and_are_no_formulas() {
    let odd = ["=1+2", "+x", "-x", "@x", "\tx", "a,b", "a\"b", "a\r\nb", " a ", "plain", "", "'", "ümläut"];
    let mut cache = Cache::new();
    cache.track_console();
    for (at, name) in odd.iter().enumerate() {
        let record = vm::Record { name_description: name.to_string(), ..a_vm("x", VmPowerState::Halted, "OpaqueRef:NULL") };
        cache.insert(Ref::<VM>::new(alloc::format!("v{at:02}")), record);
    }
    let spec = Spec::of(Kind::Vms);
    let columns = Columns::parse("name,memory,description", spec);
    let rows = rows(&cache, Kind::Vms, "", "");
    let lines = read_csv(&csv(rows.iter(), &columns, spec));
    assert_eq!(lines[0], ["name", "memory", "description"]);
    assert_eq!(lines.len(), odd.len() + 1);
    for (line, name) in lines[1..].iter().zip(odd) {
        assert_eq!(line[1], "2147483648");
        let shown = line[2].strip_prefix('\'').filter(|_| name != "'").unwrap_or(&line[2]);
        assert_eq!(shown.trim(), name.trim());
        assert!(!line[2].starts_with(['=', '+', '-', '@', '\t', '\r']), "{line:?}");
    }
    let tabs = tsv(rows.iter(), &columns, spec);
    assert!(tabs.lines().all(|line| line.matches('\t').count() == 2), "{tabs}");
    assert!(tabs.starts_with("Name\tMemory\tDescription\nx\t2 GiB\t'=1+2\n"), "{tabs}");
    let text = json(rows.iter(), &columns, spec);
    assert!(text.contains("\"memory\": 2147483648, \"description\": \"a\\\"b\""), "{text}");
    assert!(text.contains("\"description\": null"), "{text}");
}

#[test]
fn what_is_cut_off_gets_the_room_that_is_left() {
    let spec = Spec::of(Kind::Vms);
    let standard = Columns::standard(spec);
    let chosen: i64 = standard.shown().iter().map(|it| i64::from(it.width)).sum();
    let narrow = standard.spread(spec, 10);
    assert_eq!(narrow.iter().sum::<i64>(), chosen, "where there is none, everything is as wide as it was chosen to be");
    let wide = standard.spread(spec, 2_200);
    assert_eq!(wide.iter().sum::<i64>(), 2_200);
    for (it, width) in standard.shown().iter().zip(&wide) {
        let column = &spec.columns[it.column];
        assert_eq!(*width > i64::from(it.width), column.shape.grows(), "{}", column.id);
    }
    // A width that somebody chose stays what it is, even if then none is left to grow but the last.
    let name = spec.column("name").expect("VMs have names");
    assert_eq!(standard.resize(name, 300).spread(spec, 2_200)[0], 300);
    let numbers = Columns::parse("vcpus,memory", spec);
    assert_eq!(numbers.spread(spec, 500), [72, 428]);
    assert!(Columns(Vec::new()).spread(spec, 500).is_empty());
}
