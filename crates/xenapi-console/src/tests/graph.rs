//! Drawings, filters, large scenes, and what fails.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Ref, Uuid};
use xenapi_model::vm::VmPowerState;
use xenapi_model::{Host, Network, PIF, SR, VIF, VM, network, pif, vif, vm as vm_model};
use xenapi_topology::impact::{Component, Verdict, impact as ask};
use xenapi_topology::{Lens, Point, Segment, State};

use super::{cache, vm};
use crate::graph::plan::{Border, Part, Step, plan};
use crate::graph::scene::{Index, is_painted, strokes};
use crate::graph::sheet::Sheet;
use crate::graph::{Drawing, Wanted, draw, filters, impact, minimap, topology_rows};
use crate::object::Object;
use crate::route::{Query, Route};
use crate::state::LensState;
use crate::viewport::{Size, Viewport};

fn wanted(lens: Lens) -> Wanted {
    Wanted { lens, shown: LensState::default(), filter: Default::default(), language: "en".into() }
}

fn drawing(cache: &Cache, lens: Lens) -> Drawing {
    draw(cache, &wanted(lens), None)
}

fn vm_at(text: &str) -> Object {
    Object::of(&Ref::<VM>::new(text))
}

#[test]
fn a_drawing_has_its_table() {
    let drawing = drawing(&cache(), Lens::Compute);
    let table = topology_rows(&drawing);
    assert_eq!(table.len(), drawing.shapes.len());
    let host = drawing.node_of(&Object::of(&Ref::<Host>::new("h1"))).unwrap();
    assert!(table[host].connected.iter().any(|name| name == "web 10"), "{:?}", table[host]);
    assert_eq!((table[host].uuid.as_str(), table[host].kind), ("host-1", "host"));
    assert!(topology_rows(&self::drawing(&Cache::new(), Lens::Storage)).is_empty());
}

#[test]
fn a_change_of_state_keeps_places_and_shares_the_rest() {
    let mut cache = cache();
    let before = drawing(&cache, Lens::Storage);
    let record = vm_model::Record { power_state: VmPowerState::Suspended, ..vm("db", VmPowerState::Paused, "h1") };
    let old = (**cache.get::<VM>(&Ref::new("v3")).unwrap()).clone();
    cache.insert(Ref::<VM>::new("v3"), vm_model::Record { power_state: record.power_state, ..old });
    let after = draw(&cache, &wanted(Lens::Storage), Some(&before));
    assert_eq!(after.placement, before.placement);
    assert!(Rc::ptr_eq(&before.lines, &after.lines));
    let at = after.node_of(&vm_at("v3")).unwrap();
    assert_eq!((after.shapes[at].state, after.shapes[at].changed), (State::Suspended, after.generation));
    for other in (0..after.shapes.len()).filter(|other| *other != at) {
        assert!(Rc::ptr_eq(&before.shapes[other], &after.shapes[other]), "{:?}", after.shapes[other]);
    }
    // Through another lens nothing is the same.
    assert_eq!(draw(&cache, &wanted(Lens::Compute), Some(&after)).generation, 1);
}

#[test]
fn a_new_vm_is_another_placement() {
    let mut cache = cache();
    let before = drawing(&cache, Lens::Compute);
    cache.insert(Ref::<VM>::new("v9"), vm("newcomer", VmPowerState::Running, "h1"));
    let after = draw(&cache, &wanted(Lens::Compute), Some(&before));
    assert_eq!((after.placement, after.shapes.len()), (before.placement + 1, before.shapes.len() + 1));
    let pool = after.shapes.iter().find(|shape| shape.kind == "pool").unwrap();
    assert_eq!(pool.changed, 0, "it is as well as before");
}

#[test]
fn filters_stand_in_the_address() {
    let mut cache = cache();
    let old = (**cache.get::<VM>(&Ref::new("v1")).unwrap()).clone();
    cache.insert(Ref::<VM>::new("v1"), vm_model::Record { tags: ["gold".into()].into(), ..old });
    assert_eq!(filters::tags(&cache), ["gold"]);
    assert_eq!(filters::hosts(&cache)[1], ("host-2".into(), "host 2".into()));
    let route = Route::parse("#/pools/p/topology/compute?tag=gold&host=host-1&state=running,nonsense&problems=0");
    let filter = filters::filter(&cache, &route.query);
    assert_eq!(filter.tag.as_deref(), Some("gold"));
    assert_eq!(filter.host.as_ref().map(|host| host.as_str()), Some("h1"));
    assert_eq!(filter.states.into_iter().collect::<Vec<_>>(), [State::Running]);
    assert!(!filter.problems);
    let nowhere = filters::filter(&cache, &Route::parse("#/pools/p/topology/compute?host=gone").query);
    let drawing = draw(&cache, &Wanted { filter: nowhere, ..wanted(Lens::Compute) }, None);
    assert!(drawing.shapes.is_empty(), "a host that is not there lets nothing through");
    assert!(filters::filter(&cache, &Query::new()).is_open());
}

/// A pool so large that its drawing is painted.
fn large() -> Drawing {
    let mut cache = cache();
    for at in 0..900 {
        let name = alloc::format!("vm {at:04}");
        cache.insert(Ref::<VM>::new(name.clone()), vm(&name, VmPowerState::Running, if at % 2 == 0 { "h1" } else { "h2" }));
    }
    let shown = LensState { draw_all: true, ..LensState::default() };
    draw(&cache, &Wanted { shown, ..wanted(Lens::Compute) }, None)
}

#[test]
fn what_is_in_sight_is_painted_and_nothing_else() {
    let drawing = large();
    assert!(is_painted(&drawing) && !is_painted(&self::drawing(&cache(), Lens::Compute)));
    let index = Index::new(&drawing);
    let frame = Size { width: 1_000.0, height: 700.0 };
    for view in [Viewport { x: 0.0, y: -9_000.0, scale: 1.0 }, Viewport { x: 40.0, y: -500.0, scale: 0.3 }] {
        let mut seen: Vec<usize> = index.visible(&drawing.layout, view, frame).collect();
        seen.sort_unstable();
        let shows = |at: &usize| {
            let rect = drawing.layout.nodes[*at];
            let (x, y) = (rect.x * view.scale + view.x, rect.y * view.scale + view.y);
            x < frame.width && x + rect.width * view.scale > 0.0 && y < frame.height && y + rect.height * view.scale >= 0.0
        };
        assert_eq!(seen, (0..drawing.shapes.len()).filter(shows).collect::<Vec<_>>());
        for at in seen.into_iter().take(20) {
            let rect = drawing.layout.nodes[at];
            let (x, y) = ((rect.x + 1.0) * view.scale + view.x, (rect.y + rect.height / 2.0) * view.scale + view.y);
            assert_eq!(index.hit(&drawing.layout, view, x, y), Some(at));
        }
        assert_eq!(index.hit(&drawing.layout, view, -50.0, 1.0), None);
    }
}

#[test]
fn lines_that_cover_each_other_are_painted_once() {
    let drawing = large();
    let frame = Size { width: 1_000.0, height: 700.0 };
    let far = Viewport::whole(Size { width: drawing.layout.width, height: drawing.layout.height }, frame);
    let painted = strokes(&drawing, far, frame, None);
    assert!(!painted.is_empty() && painted.len() < drawing.lines.len());
    assert!(painted.is_sorted_by_key(|stroke| stroke.look));
    // Half of the VMs are above the frame and their host below it: what is left of their lines are few.
    let middle = Viewport { x: 0.0, y: -8_000.0, scale: 1.0 };
    let passing = strokes(&drawing, middle, frame, None).len();
    assert!(passing > 30 && passing < drawing.lines.len() / 2, "{passing} of {}", drawing.lines.len());
    let away = Viewport { x: 0.0, y: 90_000.0, scale: 1.0 };
    assert!(strokes(&drawing, away, frame, None).is_empty());
}

/// A point of a soft step, or of a straight line, at a time.
fn point_at(curve: &[(f32, f32); 4], time: f32) -> (f32, f32) {
    let mix = |a: (f32, f32), b: (f32, f32)| (a.0 + (b.0 - a.0) * time, a.1 + (b.1 - a.1) * time);
    let [a, b, c, d] = *curve;
    let (ab, bc, cd) = (mix(a, b), mix(b, c), mix(c, d));
    mix(mix(ab, bc), mix(bc, cd))
}

#[test]
fn what_is_cut_off_a_line_is_not_seen() {
    let drawing = large();
    let frame = Size { width: 1_000.0, height: 700.0 };
    for view in [Viewport { x: 0.0, y: -8_000.0, scale: 1.0 }, Viewport { x: 30.0, y: -3_000.0, scale: 0.5 }] {
        let painted: Vec<[(f32, f32); 4]> = strokes(&drawing, view, frame, None)
            .iter()
            .map(|it| it.bent.map_or([it.from, it.from, it.to, it.to], |(a, b)| [it.from, a, b, it.to]))
            .collect();
        assert!(painted.iter().flatten().all(|point| (-60.0..760.0).contains(&point.1)), "nothing is painted far outside");
        let spots: Vec<(f32, f32)> =
            painted.iter().flat_map(|curve| (0..=200).map(|step| point_at(curve, step as f32 / 200.0))).collect();
        let seen = |point: Point| ((point.x * view.scale + view.x) as f32, (point.y * view.scale + view.y) as f32);
        for curve in drawing.layout.edges.iter() {
            let [Segment::Cubic(a, b, end)] = curve.segments[..] else { continue };
            let whole = [curve.start, a, b, end].map(seen);
            for (x, y) in (1..40).map(|step| point_at(&whole, step as f32 / 40.0)) {
                let near = |spot: &(f32, f32)| (spot.0 - x).abs() < 1.5 && (spot.1 - y).abs() < 12.0;
                assert!(!(0.0..700.0).contains(&y) || spots.iter().any(near), "{x} {y} of {whole:?}");
            }
        }
    }
}

#[test]
fn a_sheet_is_painted_in_small_steps_and_completely() {
    let drawing = large();
    let index = Index::new(&drawing);
    let frame = Size { width: 1_000.0, height: 700.0 };
    let size = Size { width: drawing.layout.width, height: drawing.layout.height };
    let view = Viewport { x: 0.0, y: -8_000.0, scale: 1.0 };
    let sheet = Sheet::around(view, frame, size, 1.0);
    let whole = plan(&drawing, &index, &sheet, Part::Whole);
    let seen: Vec<usize> = index.visible(&drawing.layout, sheet.view, sheet.size).collect();
    let cards: Vec<usize> =
        whole.steps.iter().flat_map(|step| if let Step::Cards(_, at) = step { at.clone() } else { Vec::new() }).collect();
    assert_eq!(cards.len(), seen.len());
    assert!(seen.iter().all(|at| cards.contains(at)));
    let lines: usize = whole.steps.iter().map(|step| if let Step::Lines(_, range) = step { range.len() } else { 0 }).sum();
    assert_eq!(lines, whole.strokes.len());
    let size_of = |step: &Step| match step {
        Step::Lines(_, range) => range.len(),
        Step::Specks(_, at) | Step::Cards(_, at) => at.len(),
        Step::Glyphs(_, spots) => spots.len(),
        Step::Words(words) => words.len(),
        Step::Headings => 1,
    };
    assert!(whole.steps.iter().all(|step| size_of(step) < 128));
    // What is in focus lies over it, and is nothing else.
    let vm = *seen.last().unwrap();
    let path = xenapi_topology::trace(&drawing.graph, vm);
    let focus = plan(&drawing, &index, &sheet, Part::Focus(Some(&path), [Some(vm), None]));
    let is_chosen = |step: &Step| matches!(step, Step::Cards(card, at) if card.border == Border::Chosen && at[..] == [vm]);
    assert!(focus.steps.iter().any(is_chosen) && focus.steps.len() < whole.steps.len(), "{:?}", focus.steps);
    let nothing = plan(&drawing, &index, &sheet, Part::Focus(None, [None; 2]));
    assert!(nothing.steps.is_empty() && nothing.strokes.is_empty());
    // From far away nobody reads.
    let far = Sheet::around(Viewport { scale: 0.1, ..Viewport::default() }, frame, size, 1.0);
    let far = plan(&drawing, &index, &far, Part::Whole);
    assert!(!far.steps.iter().any(|step| matches!(step, Step::Words(_) | Step::Cards(..))), "{:?}", far.steps);
}

#[test]
fn the_minimap_shows_where_one_is() {
    let drawing = large();
    let map = minimap::minimap(&drawing, Size { width: 140.0, height: 160.0 });
    assert!(map.well.len() < 60_000 && map.trouble.starts_with('M'));
    let frame = Size { width: 1_000.0, height: 700.0 };
    let view = map.go(Viewport::default(), frame, 70.0, 80.0);
    let (x, y, width, height) = map.seen(view, frame);
    assert!(
        (x + width / 2.0 - 70.0).abs() < 1.0 + width && (y + height / 2.0 - 80.0).abs() < 2.0,
        "{x} {y} {width} {height}"
    );
}

/// Adds a network with a NIC on each host, and a VM on it.
fn with_network(cache: &mut Cache) {
    let pifs: Vec<Ref<PIF>> = ["pif1", "pif2"].map(Ref::new).into();
    let record =
        network::Record { uuid: Uuid::new("net-1"), name_label: "lan".into(), pifs: pifs.clone(), ..Default::default() };
    cache.insert(Ref::<Network>::new("n1"), record);
    for (reference, host) in pifs.into_iter().zip(["h1", "h2"]) {
        let record = pif::Record {
            uuid: Uuid::new([reference.as_str(), "-uuid"].concat()),
            device: "eth0".into(),
            network: Ref::new("n1"),
            host: Ref::new(host),
            currently_attached: true,
            physical: true,
            vlan: -1,
            ..Default::default()
        };
        cache.insert(reference, record);
    }
    let record = vif::Record {
        device: "0".into(),
        vm: Ref::new("v1"),
        network: Ref::new("n1"),
        currently_attached: true,
        ..Default::default()
    };
    cache.insert(Ref::<VIF>::new("vif1"), record);
    let old = (**cache.get::<VM>(&Ref::new("v1")).unwrap()).clone();
    cache.insert(Ref::<VM>::new("v1"), vm_model::Record { vifs: [Ref::new("vif1")].into(), ..old });
}

fn query(fail: &str) -> Query {
    Query::from([(String::from(impact::FAIL), fail.into())])
}

#[test]
fn what_fails_stands_in_the_address() {
    let mut cache = cache();
    with_network(&mut cache);
    let route = Route::parse("#/pools/p/impact?fail=host/host-1,PIF/pif1-uuid,host/gone,VM/web,host/host-1");
    let failing = impact::failing(&cache, &route.query);
    let labels: Vec<_> = failing.parts.iter().map(|part| (part.kind.get(), part.label.as_str())).collect();
    assert_eq!(labels, [("host", "host 1"), ("NIC", "eth0 of host 1")]);
    assert_eq!(failing.gone, ["host/gone", "VM/web"]);
    let nothing = Query::new();
    let one = query(&impact::with(&nothing, &failing.parts[0].named));
    let both = query(&impact::with(&one, &failing.parts[1].named));
    assert_eq!(impact::failing(&cache, &both).parts, failing.parts);
    assert_eq!(impact::with(&both, &failing.parts[1].named), both[impact::FAIL]);
    assert_eq!(impact::without(&both, "PIF/pif1-uuid").as_deref(), Some("host/host-1"));
    assert_eq!(impact::without(&one, "host/host-1"), None);
}

#[test]
fn the_page_answers_what_the_command_line_answers() {
    let mut cache = cache();
    with_network(&mut cache);
    let components = [
        Component::Host(Ref::<Host>::new("h1")),
        Component::Network(Ref::<Network>::new("n1")),
        Component::Pif(Ref::<PIF>::new("pif1")),
        Component::Sr(Ref::<SR>::new("s1")),
    ];
    for component in components {
        let part = impact::Part::of(&cache, component.clone()).unwrap();
        assert_eq!(part.label, component.label(&cache));
        let found = ask(&cache, core::slice::from_ref(&component));
        let page = impact::outcome(&cache, core::slice::from_ref(&component), &found);
        for vm in &found.vms {
            let row = impact::affected(&cache, vm);
            let said: Vec<String> = vm.reasons.iter().map(|reason| reason.sentence(&cache)).collect();
            assert_eq!((row.vm, row.verdict, row.reasons), (vm.vm.clone(), vm.verdict, said));
        }
        assert_eq!(page.sums[0].1, found.count(Verdict::Stopped));
        assert_eq!(page.sums[3].1, found.untouched);
    }
    let failing = [Component::Host(Ref::<Host>::new("h1"))];
    let found = ask(&cache, &failing);
    let outcome = impact::outcome(&cache, &failing, &found);
    assert!(outcome.notes.iter().any(|note| note.contains("coordinator")));
    assert!(outcome.brought_down.iter().any(|part| part.label == "eth0 of host 1"), "{:?}", outcome.brought_down);
    assert!(
        found
            .vms
            .iter()
            .map(|vm| impact::affected(&cache, vm))
            .any(|row| row.name == "web 10" && row.verdict == Verdict::Stopped)
    );
}

#[test]
fn parts_are_found_by_name_kind_and_uuid() {
    let mut cache = cache();
    with_network(&mut cache);
    let labels =
        |text: &str| -> Vec<String> { impact::candidates(&cache, text, 8).into_iter().map(|part| part.label).collect() };
    assert_eq!(labels("host 2")[0], "host 2");
    assert_eq!(labels("nic eth0"), ["eth0 of host 1", "eth0 of host 2"]);
    assert_eq!(labels("NFS")[0], "NFS");
    assert_eq!(labels("pif2-uuid"), ["eth0 of host 2"]);
    assert!(labels("no such thing").is_empty());
    assert!(impact::candidates(&cache, "", 3).len() <= 3);
    assert_eq!(impact::lens_of("PBD"), Lens::Storage);
}
