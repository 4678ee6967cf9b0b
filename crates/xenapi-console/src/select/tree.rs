//! The tree of objects beside the page.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Class, RawRef, Ref};
use xenapi_model::{Host, Network, Pool, SR, VM, VmKind};
use xenapi_topology::State;

use super::{is_known, lookup, states};
use crate::format;
use crate::object::{Icon, Object};
use crate::text::Text;
use crate::window::WHOLE;

/// An entry of the tree and what is below it.
#[derive(Clone, PartialEq, Debug)]
pub struct TreeNode {
    /// What tells it from the others, the same after every change.
    pub key: String,
    /// The picture of its kind.
    pub icon: Icon,
    /// Its name.
    pub label: String,
    /// Its state, where its kind has one.
    pub state: Option<State>,
    /// The object, unless it is a heading.
    pub object: Option<Object>,
    /// Its uuid, where known.
    pub uuid: String,
    /// A number or word behind the name: how many there are, or that nobody knows.
    pub note: String,
    /// Whether it is open until somebody says otherwise.
    pub open: bool,
    /// What is below it.
    pub children: Vec<TreeNode>,
}

/// Which entries somebody has opened or closed, against what they are by themselves.
pub type Toggled = BTreeSet<String>;

/// The tree: the pool, its hosts with the VMs that run on them, the VMs that run nowhere; storage, networks, and templates if there
/// are any.
pub fn tree(cache: &Cache) -> Vec<TreeNode> {
    let mut vms = vms_by_host(cache);
    let count = vms.values().map(Vec::len).sum::<usize>();
    let small = count <= WHOLE;
    let mut children = hosts(cache, &mut vms, small);
    let halted = vms.remove(&RawRef::null()).unwrap_or_default();
    if !vms.is_empty() {
        let strays = vms.into_values().flatten().collect();
        children.push(section("elsewhere", Text::Elsewhere, Icon::Host, named(strays), small, true));
    }
    if !halted.is_empty() || !is_known::<VM>(cache) {
        children.push(section("not-running", Text::NotRunning, Icon::Vm, named(halted), small, is_known::<VM>(cache)));
    }
    let pool = pool(cache, children);
    let (srs, networks, templates) = (srs(cache), networks(cache), templates(cache));
    let mut sections = Vec::from([
        pool,
        section("storage", Text::Srs, Icon::Sr, srs, true, is_known::<SR>(cache)),
        section("networks", Text::Networks, Icon::Network, networks, true, is_known::<Network>(cache)),
    ]);
    if !templates.is_empty() {
        // Every server comes with dozens, and one needs them only to make a VM.
        sections.push(section("templates", Text::Templates, Icon::Vm, templates, false, true));
    }
    sections
}

fn object_node<C: Class>(icon: Icon, reference: &Ref<C>, uuid: &str, label: &str, state: State) -> TreeNode {
    TreeNode {
        key: reference.as_str().into(),
        icon,
        label: label.into(),
        state: Some(state),
        object: Some(Object::of(reference)),
        uuid: uuid.into(),
        note: String::new(),
        open: true,
        children: Vec::new(),
    }
}

fn section(key: &str, title: Text, icon: Icon, children: Vec<TreeNode>, open: bool, known: bool) -> TreeNode {
    let note = if known { format::count(children.len()) } else { Text::Unknown.get().into() };
    TreeNode {
        key: key.into(),
        icon,
        label: title.get().into(),
        state: None,
        object: None,
        uuid: String::new(),
        note,
        open: open && children.len() <= WHOLE,
        children,
    }
}

fn pool(cache: &Cache, children: Vec<TreeNode>) -> TreeNode {
    match cache.iter::<Pool>().next() {
        Some((reference, pool)) => {
            let name = lookup::pool_name(cache, pool);
            let node = object_node(Icon::Pool, &reference, pool.uuid.as_str(), &name, State::Running);
            // A pool has no state of its own; its hosts have.
            TreeNode { state: None, children, ..node }
        }
        None => TreeNode { note: String::new(), ..section("pool", Text::Pool, Icon::Pool, children, true, true) },
    }
}

fn vms_by_host(cache: &Cache) -> BTreeMap<RawRef, Vec<TreeNode>> {
    let mut by_host: BTreeMap<RawRef, Vec<TreeNode>> = BTreeMap::new();
    for (reference, vm) in cache.iter::<VM>().filter(|(_, vm)| vm.kind() == VmKind::Vm) {
        let host = vm.resident_on.as_ref().map_or_else(RawRef::null, |host| host.raw().clone());
        let node = object_node(Icon::Vm, &reference, vm.uuid.as_str(), &vm.name_label, State::of_vm(vm));
        by_host.entry(host).or_default().push(node);
    }
    by_host
}

fn hosts(cache: &Cache, vms: &mut BTreeMap<RawRef, Vec<TreeNode>>, open: bool) -> Vec<TreeNode> {
    let nodes = cache.iter::<Host>().map(|(reference, host)| {
        let children = named(vms.remove(reference.raw()).unwrap_or_default());
        let state = states::host(cache, host);
        let node = object_node(Icon::Host, &reference, host.uuid.as_str(), &host.name_label, state);
        TreeNode { note: format::count(children.len()), children, open, ..node }
    });
    named(nodes.collect())
}

fn srs(cache: &Cache) -> Vec<TreeNode> {
    let nodes = cache.iter::<SR>().map(|(reference, sr)| {
        let state = states::sr(cache, sr);
        let node = object_node(Icon::Sr, &reference, sr.uuid.as_str(), &sr.name_label, state);
        TreeNode { note: format::percent(sr.physical_utilisation, sr.physical_size).unwrap_or_default(), ..node }
    });
    named(nodes.collect())
}

fn networks(cache: &Cache) -> Vec<TreeNode> {
    let nodes = cache.iter::<Network>().map(|(reference, network)| {
        let label = lookup::either(&network.name_label, &network.bridge);
        let state = states::network(cache, network);
        object_node(Icon::Network, &reference, network.uuid.as_str(), &label, state)
    });
    named(nodes.collect())
}

fn templates(cache: &Cache) -> Vec<TreeNode> {
    let all = cache.iter::<VM>().filter(|(_, vm)| vm.kind() == VmKind::Template);
    let nodes = all.map(|(reference, vm)| {
        let node = object_node(Icon::Vm, &reference, vm.uuid.as_str(), &vm.name_label, State::of_vm(vm));
        // What never runs has no state worth a mark.
        TreeNode { state: None, ..node }
    });
    named(nodes.collect())
}

/// In the order of names.
fn named(mut nodes: Vec<TreeNode>) -> Vec<TreeNode> {
    nodes.sort_by(|a, b| format::natural_cmp(&a.label, &b.label).then_with(|| a.key.cmp(&b.key)));
    nodes
}

/// One visible line of the tree.
#[derive(Clone, PartialEq, Debug)]
pub struct TreeRow {
    /// See [`TreeNode::key`].
    pub key: String,
    /// The key of the entry above it; empty at the top.
    pub parent: String,
    /// How deep it is, from one.
    pub level: usize,
    /// Which of its siblings it is, from one.
    pub place: usize,
    /// How many siblings there are, itself included.
    pub siblings: usize,
    /// Whether it is open; none if nothing is below it.
    pub open: Option<bool>,
    /// See [`TreeNode::icon`].
    pub icon: Icon,
    /// See [`TreeNode::label`].
    pub label: String,
    /// See [`TreeNode::state`].
    pub state: Option<State>,
    /// See [`TreeNode::object`].
    pub object: Option<Object>,
    /// See [`TreeNode::uuid`].
    pub uuid: String,
    /// See [`TreeNode::note`].
    pub note: String,
}

/// The lines that are visible when those entries have been opened and closed.
pub fn flatten(tree: &[TreeNode], toggled: &Toggled) -> Vec<TreeRow> {
    let mut rows = Vec::new();
    push_rows(tree, toggled, 1, "", &mut rows);
    rows
}

fn push_rows(nodes: &[TreeNode], toggled: &Toggled, level: usize, parent: &str, rows: &mut Vec<TreeRow>) {
    for (at, node) in nodes.iter().enumerate() {
        let open = !node.children.is_empty() && is_open(node, toggled);
        rows.push(TreeRow {
            key: node.key.clone(),
            parent: parent.to_string(),
            level,
            place: at + 1,
            siblings: nodes.len(),
            open: (!node.children.is_empty()).then_some(open),
            icon: node.icon,
            label: node.label.clone(),
            state: node.state,
            object: node.object.clone(),
            uuid: node.uuid.clone(),
            note: node.note.clone(),
        });
        if open {
            push_rows(&node.children, toggled, level + 1, &node.key, rows);
        }
    }
}

fn is_open(node: &TreeNode, toggled: &Toggled) -> bool {
    node.open != toggled.contains(&node.key)
}

/// The closed entries that hide the one of an object, to be opened when it is to be shown.
pub fn reveal(tree: &[TreeNode], object: &Object, toggled: &Toggled) -> Vec<String> {
    fn path(nodes: &[TreeNode], object: &Object, above: &mut Vec<(String, bool)>, toggled: &Toggled) -> bool {
        nodes.iter().any(|node| {
            if node.object.as_ref() == Some(object) {
                return true;
            }
            above.push((node.key.clone(), is_open(node, toggled)));
            let found = path(&node.children, object, above, toggled);
            if !found {
                above.pop();
            }
            found
        })
    }
    let mut above = Vec::new();
    path(tree, object, &mut above, toggled);
    above.into_iter().filter(|(_, open)| !open).map(|(key, _)| key).collect()
}
