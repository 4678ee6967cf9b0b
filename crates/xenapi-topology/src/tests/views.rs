//! Parts of pictures, other languages, and what happens from one picture to the next.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_model::{VM, vm, vm::VmPowerState};

use super::sample;
use crate::{
    Direction, Filter, Graph, Language, Layout, Lens, Metrics, Name, NodeKind, Options, State, Walk, Word, graph, layout,
};

fn filtered(cache: &Cache, lens: Lens, filter: Filter) -> Graph {
    graph(cache, lens, &Options { filter, ..Options::everything() })
}

fn of_kind(graph: &Graph, kind: NodeKind) -> impl Iterator<Item = &crate::Node> {
    graph.nodes.iter().filter(move |node| node.kind == kind)
}

fn change(cache: &mut Cache, at: usize, change: impl FnOnce(&mut vm::Record)) {
    let mut record = (**cache.get::<VM>(&sample::reference(at)).unwrap()).clone();
    change(&mut record);
    cache.insert::<VM>(sample::reference(at), record);
}

#[test]
fn a_tag_shows_what_hangs_together_with_it() {
    let mut cache = sample::pool(3, 24, 1);
    change(&mut cache, 5, |vm| vm.tags = ["gold".to_string()].into());
    for lens in Lens::ALL {
        let graph = filtered(&cache, lens, Filter { tag: Some("gold".into()), ..Filter::default() });
        let vms: Vec<_> = of_kind(&graph, NodeKind::Vm).map(|node| &node.object).collect();
        assert_eq!(vms.len(), 1, "{lens}");
        assert_eq!(vms[0].as_ref().unwrap().1, *sample::reference::<VM>(5).raw());
        assert!(graph.nodes.len() > 1 && graph.total < 30, "{lens}");
    }
    let nothing = filtered(&cache, Lens::Compute, Filter { tag: Some("none".into()), ..Filter::default() });
    assert!(nothing.nodes.is_empty() && nothing.edges.is_empty());
}

#[test]
fn a_host_shows_what_runs_on_it() {
    let cache = sample::pool(3, 24, 1);
    let host = sample::reference::<xenapi_model::Host>(2);
    let filter = Filter { host: Some(host.raw().clone()), ..Filter::default() };
    let graph = filtered(&cache, Lens::Compute, filter);
    assert_eq!(of_kind(&graph, NodeKind::Host).count(), 1);
    for node in of_kind(&graph, NodeKind::Vm) {
        let vm = cache.get::<VM>(&node.object.as_ref().unwrap().1.clone().typed()).unwrap();
        assert_eq!(vm.resident_on.as_ref(), Some(&host));
    }
}

#[test]
fn a_state_shows_those_in_it_and_what_they_hang_on() {
    let cache = sample::pool(3, 24, 1);
    for lens in Lens::ALL {
        let filter = Filter { states: BTreeSet::from([State::Halted]), ..Filter::default() };
        let graph = filtered(&cache, lens, filter);
        assert!(of_kind(&graph, NodeKind::Vm).count() > 0);
        assert!(of_kind(&graph, NodeKind::Vm).all(|node| node.state == State::Halted), "{lens}");
        let running = Filter { states: BTreeSet::from([State::Running]), ..Filter::default() };
        let graph = filtered(&cache, lens, running);
        assert!(of_kind(&graph, NodeKind::Vm).all(|node| node.state == State::Running), "{lens}");
        assert_eq!(of_kind(&graph, NodeKind::NotRunning).count(), 0, "nobody stands there");
    }
}

#[test]
fn problems_are_what_somebody_should_look_at() {
    let cache = sample::pool(9, 40, 3);
    let graph = filtered(&cache, Lens::Compute, Filter { problems: true, ..Filter::default() });
    let hosts: Vec<_> = of_kind(&graph, NodeKind::Host).map(|node| (&*node.label, node.state)).collect();
    assert_eq!(hosts, [("host-07", State::Attention)]);
}

#[test]
fn conditions_count_together() {
    let mut cache = sample::pool(3, 24, 1);
    let halted = cache.iter::<VM>().find(|(_, vm)| vm.power_state == VmPowerState::Halted).unwrap().0;
    let mut record = (**cache.get(&halted).unwrap()).clone();
    record.tags = ["gold".to_string()].into();
    cache.insert::<VM>(halted, record);
    let both = |state| Filter { tag: Some("gold".into()), states: BTreeSet::from([state]), ..Filter::default() };
    assert_eq!(of_kind(&filtered(&cache, Lens::Compute, both(State::Halted)), NodeKind::Vm).count(), 1);
    assert_eq!(of_kind(&filtered(&cache, Lens::Compute, both(State::Running)), NodeKind::Vm).count(), 0);
}

struct Shouting;

impl Language for Shouting {
    fn name(&self, name: &Name) -> String {
        name.english().to_uppercase()
    }

    fn word(&self, word: &Word) -> String {
        word.english().to_uppercase()
    }
}

#[test]
fn another_language_says_everything_but_names() {
    let english = graph(&sample::pool(3, 24, 1), Lens::Compute, &Options::default());
    let mut other = english.clone();
    other.say_in(&Shouting);
    for (before, after) in english.nodes.iter().zip(&other.nodes) {
        match before.name {
            Name::Own(_) => assert_eq!(before.label, after.label),
            _ => assert_eq!(before.label.to_uppercase(), after.label),
        }
        assert_eq!(before.detail.to_uppercase(), after.detail.to_uppercase());
        assert_eq!((&before.id, &before.name, &before.words), (&after.id, &after.name, &after.words));
    }
    assert!(other.nodes.iter().any(|node| node.detail.contains("VCPU")));
}

#[test]
fn a_new_state_leaves_everything_in_its_place() {
    let mut cache = sample::pool(3, 18, 1);
    let running = cache.iter::<VM>().find(|(_, vm)| vm.power_state == VmPowerState::Running).unwrap().0;
    let before = graph(&cache, Lens::Network, &Options::everything());
    let placed = layout(&before, &Metrics::default());
    let mut record = (**cache.get(&running).unwrap()).clone();
    record.power_state = VmPowerState::Paused;
    record.name_label = "a name that is so long that it has no room in a column of this width at all".into();
    cache.insert::<VM>(running.clone(), record);
    let mut after = graph(&cache, Lens::Network, &Options::everything());
    // A new name may move it within its column, which is another layout.
    if let Some(again) = placed.again(&before, &after, &Metrics::default()) {
        assert_eq!((&again.nodes, &again.edges), (&placed.nodes, &placed.edges));
    }
    after = before.clone();
    let at = after.find_object("VM", running.raw()).unwrap();
    after.nodes[at].state = State::Paused;
    after.nodes[at].detail = "something else, and at length, so that it does not fit into the card".into();
    let again = placed.again(&before, &after, &Metrics::default()).unwrap();
    assert_eq!((&again.nodes, &again.edges, again.width), (&placed.nodes, &placed.edges, placed.width));
    assert!(again.labels[at].detail.ends_with('…') || again.labels[at].detail.is_empty(), "{:?}", again.labels[at]);
    let fewer = graph(&cache, Lens::Compute, &Options::everything());
    assert_eq!(placed.again(&before, &fewer, &Metrics::default()), None);
}

fn walk(graph: &Graph, layout: &Layout, from: &str, steps: &[Direction]) -> Vec<String> {
    let mut walk = graph.nodes.iter().position(|node| node.label == from).map(Walk::at);
    let mut names = Vec::new();
    for step in steps {
        walk = Walk::step(graph, layout, walk, *step);
        names.push(graph.nodes[walk.unwrap().at].label.clone());
    }
    names
}

#[test]
fn arrows_follow_connections() {
    let graph = graph(&sample::pool(3, 40, 1), Lens::Compute, &Options::everything());
    let layout = layout(&graph, &Metrics::default());
    // Down goes through the host's VMs, and left back to the host whatever VM one stands at.
    let steps = [Direction::Right, Direction::Down, Direction::Left, Direction::Left, Direction::Right];
    let names = walk(&graph, &layout, "host-01", &steps);
    assert_eq!((names[2].as_str(), names[3].as_str(), names[4].as_str()), ("host-01", "lab-pool", "host-01"));
    assert_ne!(names[0], names[1]);
    let connected = |a: &str, b: &str| {
        let named = |at: usize, name: &str| graph.nodes[at].label == name;
        graph.edges.iter().any(|edge| named(edge.from, a) && named(edge.to, b))
    };
    assert!(connected("host-01", &names[0]) && connected("host-01", &names[1]), "{names:?}");
    let ends = walk(&graph, &layout, "host-02", &[Direction::First, Direction::Up, Direction::Last]);
    assert_eq!(ends[..2], ["host-01", "host-01"]);
    assert_eq!(ends[2], "Not running");
}

#[test]
fn every_node_can_be_reached_by_arrows() {
    for lens in Lens::ALL {
        let graph = graph(&sample::pool(3, 24, 2), lens, &Options::default());
        let layout = layout(&graph, &Metrics::default());
        let mut seen = BTreeSet::from([0]);
        let mut todo = Vec::from([Walk::at(0)]);
        let mut met = BTreeSet::new();
        while let Some(walk) = todo.pop() {
            for direction in [Direction::Up, Direction::Down, Direction::Left, Direction::Right] {
                let next = Walk::step(&graph, &layout, Some(walk), direction).unwrap();
                seen.insert(next.at);
                if met.insert((next.at, next.from)) {
                    todo.push(next);
                }
            }
        }
        assert_eq!(seen.len(), graph.nodes.len(), "{lens}");
    }
    assert_eq!(Walk::step(&filtered(&Cache::new(), Lens::Compute, Filter::default()), &none(), None, Direction::Up), None);
}

fn none() -> Layout {
    layout(&filtered(&Cache::new(), Lens::Compute, Filter::default()), &Metrics::default())
}
