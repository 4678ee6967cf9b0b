//! What is in the tree, by what it is grouped by.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{RawRef, TextMap};
use xenapi_model::{Host, Network, Pool, SR, VM, VmKind};
use xenapi_topology::State;

use super::{Grouping, Node, Note};
use crate::format;
use crate::object::Icon;
use crate::select::{is_known, lookup, states};
use crate::text::{self, Text};
use crate::window::WHOLE;

/// Where clients keep the folder of an object.
const FOLDER: &str = "folder";

pub(super) fn groups(cache: &Cache, by: Grouping) -> Vec<Node<'_>> {
    match by {
        Grouping::Places => places(cache),
        Grouping::Tags => tags(cache),
        Grouping::Folders => folders(cache),
        Grouping::States => by_state(cache),
    }
}

/// Folders, then objects, both in the order of names; what only gathers the rest keeps its place at the end.
pub(super) fn sort(nodes: &mut [Node<'_>]) {
    let rank = |node: &Node<'_>| match &node.object {
        None if node.key.starts_with(FOLDER) => 0_u8,
        Some(_) => 1,
        None => 2,
    };
    nodes.sort_by(|a, b| {
        let order = rank(a).cmp(&rank(b));
        let both = a.object.is_some() && b.object.is_some();
        let by_name = || format::natural_cmp(&a.label, &b.label).then_with(|| a.object.cmp(&b.object));
        order.then_with(|| if both { by_name() } else { core::cmp::Ordering::Equal })
    });
}

/// The pool, its hosts with the VMs that run on them, the VMs that run nowhere; storage, networks, and templates if there are any.
fn places(cache: &Cache) -> Vec<Node<'_>> {
    let mut by_host: BTreeMap<RawRef, Vec<Node<'_>>> = BTreeMap::new();
    let mut count = 0;
    for (reference, vm) in cache.iter::<VM>().filter(|(_, vm)| vm.kind() == VmKind::Vm) {
        let host = vm.resident_on.as_ref().map_or_else(RawRef::null, |host| host.raw().clone());
        let node = Node::object(Icon::Vm, &reference, &vm.uuid, vm.name_label.as_str(), State::of_vm(vm));
        by_host.entry(host).or_default().push(node);
        count += 1;
    }
    let small = count <= WHOLE;
    let mut children: Vec<Node<'_>> = hosts(cache).collect();
    for host in &mut children {
        let below = host.object.as_ref().and_then(|(_, reference)| by_host.remove(reference)).unwrap_or_default();
        (host.note, host.open, host.children) = (Note::Count, small, below);
    }
    let halted = by_host.remove(&RawRef::null()).unwrap_or_default();
    if !by_host.is_empty() {
        let strays = by_host.into_values().flatten().collect();
        children.push(Node { open: small, ..Node::heading("elsewhere", Icon::Host, Text::Elsewhere.get(), strays) });
    }
    let known = is_known::<VM>(cache);
    if !halted.is_empty() || !known {
        let heading = Node::heading("not-running", Icon::Vm, Text::NotRunning.get(), halted);
        children.push(Node { open: small && heading.open, ..unknown_unless(known, heading) });
    }
    let mut sections = Vec::from([
        pool(cache, children),
        unknown_unless(is_known::<SR>(cache), Node::heading("storage", Icon::Sr, Text::Srs.get(), srs(cache).collect())),
        unknown_unless(
            is_known::<Network>(cache),
            Node::heading("networks", Icon::Network, Text::Networks.get(), networks(cache).collect()),
        ),
    ]);
    let templates: Vec<Node<'_>> = templates(cache).collect();
    if !templates.is_empty() {
        // Every server comes with dozens, and one needs them only to make a VM.
        let heading = Node::heading("templates", Icon::Vm, Text::Templates.get(), templates);
        sections.push(Node { open: false, ..heading });
    }
    sections
}

fn unknown_unless(known: bool, node: Node<'_>) -> Node<'_> {
    if known { node } else { Node { note: Note::Unknown, ..node } }
}

fn pool<'a>(cache: &'a Cache, children: Vec<Node<'a>>) -> Node<'a> {
    match cache.iter::<Pool>().next() {
        Some((reference, pool)) => {
            let name = lookup::pool_name(cache, pool);
            let node = Node::object(Icon::Pool, &reference, &pool.uuid, name, State::Running);
            // A pool has no state of its own; its hosts have.
            Node { state: None, children, ..node }
        }
        None => Node { note: Note::Nothing, open: true, ..Node::heading("pool", Icon::Pool, Text::Pool.get(), children) },
    }
}

fn hosts(cache: &Cache) -> impl Iterator<Item = Node<'_>> {
    cache.iter::<Host>().map(|(reference, host)| {
        Node::object(Icon::Host, &reference, &host.uuid, host.name_label.as_str(), states::host(cache, host))
    })
}

fn srs(cache: &Cache) -> impl Iterator<Item = Node<'_>> {
    cache.iter::<SR>().map(|(reference, sr)| {
        let name = lookup::sr_name(cache, sr);
        let node = Node::object(Icon::Sr, &reference, &sr.uuid, name, states::sr(cache, sr));
        let note = if lookup::fills(sr) { Note::Share(sr.physical_utilisation, sr.physical_size) } else { Note::Nothing };
        Node { note, ..node }
    })
}

fn networks(cache: &Cache) -> impl Iterator<Item = Node<'_>> {
    cache.iter::<Network>().map(|(reference, network)| {
        let label = lookup::either(&network.name_label, &network.bridge);
        Node::object(Icon::Network, &reference, &network.uuid, label, states::network(cache, network))
    })
}

fn templates(cache: &Cache) -> impl Iterator<Item = Node<'_>> {
    cache.iter::<VM>().filter(|(_, vm)| vm.kind() == VmKind::Template).map(|(reference, vm)| {
        let node = Node::object(Icon::Vm, &reference, &vm.uuid, vm.name_label.as_str(), State::of_vm(vm));
        // What never runs has no state worth a mark.
        Node { state: None, ..node }
    })
}

fn vms(cache: &Cache) -> impl Iterator<Item = Node<'_>> {
    cache
        .iter::<VM>()
        .filter(|(_, vm)| vm.kind() == VmKind::Vm)
        .map(|(reference, vm)| Node::object(Icon::Vm, &reference, &vm.uuid, vm.name_label.as_str(), State::of_vm(vm)))
}

/// VMs by their states.
fn by_state(cache: &Cache) -> Vec<Node<'_>> {
    let mut groups: BTreeMap<State, Vec<Node<'_>>> = BTreeMap::new();
    for vm in vms(cache) {
        groups.entry(vm.state.unwrap_or(State::Unknown)).or_default().push(vm);
    }
    let small = groups.values().map(Vec::len).sum::<usize>() <= WHOLE;
    let heading = |(state, vms): (State, Vec<_>)| {
        let heading = Node::heading(["state:", state.name()].concat(), Icon::Vm, text::state(state).get(), vms);
        Node { state: Some(state), open: small, ..heading }
    };
    groups.into_iter().map(heading).collect()
}

/// Everything that can carry tags and folders, with both.
fn tagged(cache: &Cache) -> impl Iterator<Item = (Node<'_>, &[String], &TextMap)> {
    let vms = cache.iter::<VM>().filter(|(_, vm)| matches!(vm.kind(), VmKind::Vm | VmKind::Template));
    let vms = vms.map(|(reference, vm)| {
        let node = Node::object(Icon::Vm, &reference, &vm.uuid, vm.name_label.as_str(), State::of_vm(vm));
        let state = node.state.filter(|_| vm.kind() == VmKind::Vm);
        (Node { state, ..node }, vm.tags.as_slice(), &vm.other_config)
    });
    let hosts = cache.iter::<Host>().zip(hosts(cache));
    let hosts = hosts.map(|((_, it), node)| (node, it.tags.as_slice(), &it.other_config));
    let srs = cache.iter::<SR>().zip(srs(cache)).map(|((_, it), node)| (node, it.tags.as_slice(), &it.other_config));
    let networks = cache.iter::<Network>().zip(networks(cache));
    let networks = networks.map(|((_, it), node)| (node, it.tags.as_slice(), &it.other_config));
    vms.chain(hosts).chain(srs).chain(networks)
}

/// By tag; what has several stands in each. VMs without any come last.
fn tags(cache: &Cache) -> Vec<Node<'_>> {
    let mut groups: BTreeMap<&str, Vec<Node<'_>>> = BTreeMap::new();
    let mut rest = Vec::new();
    for (node, tags, _) in tagged(cache) {
        match tags {
            [] if node.icon == Icon::Vm && node.state.is_some() => rest.push(node),
            tags => tags.iter().for_each(|tag| groups.entry(tag.as_str()).or_default().push(node.again())),
        }
    }
    let mut names: Vec<(&str, Vec<Node<'_>>)> = groups.into_iter().collect();
    names.sort_by(|a, b| format::natural_cmp(a.0, b.0));
    let headings = names.into_iter().map(|(tag, nodes)| Node::heading(["tag:", tag].concat(), Icon::Group, tag, nodes));
    let mut all: Vec<Node<'_>> = headings.collect();
    if !rest.is_empty() {
        all.push(Node {
            open: all.is_empty() && rest.len() <= WHOLE,
            ..Node::heading("untagged", Icon::Vm, Text::Untagged.get(), rest)
        });
    }
    all
}

/// By folder, folders within folders. VMs without one come last.
fn folders(cache: &Cache) -> Vec<Node<'_>> {
    let mut root = Folder::default();
    let mut rest = Vec::new();
    for (node, _, config) in tagged(cache) {
        let path = config.get(FOLDER).map(|path| path.trim_matches('/')).unwrap_or_default();
        if path.is_empty() {
            if node.icon == Icon::Vm && node.state.is_some() {
                rest.push(node);
            }
            continue;
        }
        // Deeper than this is no folder that somebody made by hand.
        let place = path
            .split('/')
            .filter(|part| !part.is_empty())
            .take(16)
            .fold(&mut root, |folder, part| folder.folders.entry(part).or_default());
        place.objects.push(node);
    }
    let mut all = root.nodes("");
    if !rest.is_empty() {
        all.push(Node {
            open: all.is_empty() && rest.len() <= WHOLE,
            ..Node::heading("unfiled", Icon::Vm, Text::NoFolder.get(), rest)
        });
    }
    all
}

#[derive(Default)]
struct Folder<'a> {
    folders: BTreeMap<&'a str, Folder<'a>>,
    objects: Vec<Node<'a>>,
}

impl<'a> Folder<'a> {
    fn nodes(self, above: &str) -> Vec<Node<'a>> {
        let mut folders: Vec<(&str, Folder<'a>)> = self.folders.into_iter().collect();
        folders.sort_by(|a, b| format::natural_cmp(a.0, b.0));
        let folders = folders.into_iter().map(|(name, folder)| {
            let path = [above, "/", name].concat();
            let children = folder.nodes(&path);
            Node::heading(["folder:", &path].concat(), Icon::Group, name, children)
        });
        folders.chain(self.objects).collect()
    }
}

impl<'a> Node<'a> {
    /// The same object once more, for another group.
    fn again(&self) -> Node<'a> {
        Node {
            key: Cow::Borrowed(""),
            icon: self.icon,
            label: self.label.clone(),
            state: self.state,
            object: self.object.clone(),
            uuid: self.uuid,
            note: Note::Nothing,
            open: true,
            children: Vec::new(),
        }
    }
}
