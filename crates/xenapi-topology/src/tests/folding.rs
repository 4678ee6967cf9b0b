//! What folds, unfolds, and is cut off.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::{chaos, sample};
use crate::{Lens, NodeKind, Options, State, graph, path_of, trace};

#[test]
fn many_siblings_become_one_group_that_says_how_they_are() {
    let cache = sample::pool(2, 60, 1);
    let picture = graph(&cache, Lens::Compute, &Options::default());
    let groups: Vec<_> = picture.nodes.iter().filter(|node| node.is_group()).collect();
    assert!(!groups.is_empty());
    for group in &groups {
        assert!(group.folded > 10 && group.members.len() == group.folded);
        assert_eq!(group.tally.iter().map(|(_, count)| count).sum::<usize>(), group.folded);
        assert_eq!(group.object, None);
        assert!(group.label.ends_with(" VMs"), "{}", group.label);
    }
    let everything = graph(&cache, Lens::Compute, &Options::everything());
    assert!(everything.nodes.iter().all(|node| !node.is_group()));
    assert_eq!(picture.total, everything.total);
    assert!(!picture.capped && !everything.capped);
}

#[test]
fn an_expanded_group_shows_its_members_and_remembers_where_they_came_from() {
    let cache = sample::pool(2, 60, 1);
    let folded = graph(&cache, Lens::Compute, &Options::default());
    let group = folded.nodes.iter().find(|node| node.is_group()).unwrap();
    let options = Options { expanded: BTreeSet::from([group.id.clone()]), ..Options::default() };
    let expanded = graph(&cache, Lens::Compute, &options);
    assert!(expanded.find(&group.id).is_none());
    let members: Vec<_> = expanded.nodes.iter().filter(|node| node.group.as_ref() == Some(&group.id)).collect();
    assert_eq!(members.len(), group.folded);
    assert_eq!(expanded.nodes.len(), folded.nodes.len() - 1 + group.folded);
    // Other nodes keep their ids.
    assert!(folded.nodes.iter().filter(|node| node.id != group.id).all(|node| expanded.find(&node.id).is_some()));
}

#[test]
fn trouble_is_not_folded_away_with_the_rest() {
    let cache = sample::pool(64, 100, 1);
    let picture = graph(&cache, Lens::Storage, &Options::default());
    let hosts: Vec<_> = picture.nodes.iter().filter(|node| node.kind == NodeKind::Host).collect();
    let states: Vec<_> = hosts.iter().map(|host| (host.label.as_str(), host.state)).collect();
    assert_eq!(states, [("host-07", State::Attention), ("host-41", State::Failed), ("62 hosts", State::Running)]);
}

#[test]
fn the_cap_holds_and_says_so() {
    let cache = sample::pool(40, 700, 1);
    for lens in Lens::ALL {
        for cap in [1, 8, 50, 200] {
            let picture = graph(&cache, lens, &Options { cap, ..Options::everything() });
            assert!(picture.nodes.len() <= cap.max(picture.columns.len()), "{lens}: {} of {cap}", picture.nodes.len());
            assert!(picture.capped);
        }
        let picture = graph(&cache, lens, &Options::default());
        assert!(picture.nodes.len() <= 400 && !picture.capped, "{lens} folds by itself: {}", picture.nodes.len());
        let all = graph(&cache, lens, &Options::everything());
        assert!(!all.capped && all.nodes.len() >= all.total);
    }
    for seed in 0..40 {
        for lens in Lens::ALL {
            let picture = graph(&chaos::cache(seed, 0), lens, &Options { cap: 15, ..Options::default() });
            assert!(picture.nodes.len() <= 15, "seed {seed}");
        }
    }
}

#[test]
fn what_the_cap_cuts_off_is_one_group_that_can_be_told() {
    let cache = sample::pool(1, 300, 1);
    let folded = graph(&cache, Lens::Compute, &Options::default());
    let expanded = folded.nodes.iter().filter(|node| node.is_group()).map(|node| node.id.clone()).collect();
    let picture = graph(&cache, Lens::Compute, &Options { cap: 100, expanded, ..Options::default() });
    assert!(picture.capped && picture.nodes.len() <= 100);
    let rest = picture.nodes.iter().find(|node| node.label.contains(" more ")).unwrap();
    assert!(rest.folded > 200);
}

#[test]
fn a_path_holds_what_leads_here_and_what_is_led_to() {
    let picture = graph(&sample::pool(3, 12, 1), Lens::Compute, &Options::everything());
    let host = picture.nodes.iter().position(|node| node.label == "host-02").unwrap();
    let path = path_of(&picture, host);
    for (at, node) in picture.nodes.iter().enumerate() {
        let on_host = picture.edges.iter().any(|edge| edge.from == host && edge.to == at);
        assert_eq!(path.contains(&at), at == host || node.kind == NodeKind::Pool || on_host, "{}", node.label);
    }
    let traced = trace(&picture, host);
    assert!(traced.edges.iter().all(|at| picture.edges[*at].from == host || picture.edges[*at].to == host));
    assert_eq!(path_of(&picture, usize::MAX), BTreeSet::new());
}

#[test]
fn a_focus_leaves_only_what_hangs_together_with_it() {
    let cache = sample::pool(3, 24, 1);
    let (vm, record) = cache.iter::<xenapi_model::VM>().find(|(_, vm)| vm.resident_on.is_some()).unwrap();
    let focus = Some(("VM", vm.raw().clone()));
    let picture = graph(&cache, Lens::Compute, &Options { focus: focus.clone(), ..Options::default() });
    let labels = super::labels(&picture);
    let host = &cache.get(&record.resident_on).unwrap().name_label;
    assert_eq!(labels, ["lab-pool", host.as_str(), record.name_label.as_str()]);
    for lens in Lens::ALL {
        let picture = graph(&cache, lens, &Options { focus: focus.clone(), ..Options::everything() });
        assert_eq!(picture.nodes.iter().filter(|node| node.kind == NodeKind::Vm).count(), 1, "{lens}");
    }
    let gone = Some(("VM", xenapi_core::RawRef::new("OpaqueRef:gone")));
    let whole = graph(&cache, Lens::Compute, &Options { focus: gone, ..Options::default() });
    assert!(whole.total > 24, "a focus on nothing is none");
}

#[test]
fn objects_are_found_alone_and_within_groups() {
    let cache = sample::pool(2, 60, 1);
    let picture = graph(&cache, Lens::Compute, &Options::default());
    for (reference, _) in cache.iter::<xenapi_model::VM>() {
        let at = picture.find_object("VM", reference.raw()).unwrap();
        assert_eq!(picture.nodes[at].kind, NodeKind::Vm);
    }
    assert_eq!(picture.find_object("SR", &xenapi_core::RawRef::new("x")), None);
}
