//! Showing a part of a pool.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Class, RawRef};
use xenapi_model::{Host, Network, Pool, SR, VDI, VM};

use crate::draft::{Draft, Item};
use crate::graph::NodeKind;
use crate::state::State;

/// What is drawn of a pool. What has nothing to do with it is left out as if it were not there; every condition that is set counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Only what lies on a path through an object with this tag.
    pub tag: Option<String>,
    /// Only what lies on a path through this host.
    pub host: Option<RawRef>,
    /// Only VMs and disks in one of these states, other objects in one of them, and what they hang on. Empty for all.
    pub states: BTreeSet<State>,
    /// Only what somebody should look at, and what hangs on it.
    pub problems: bool,
}

impl Filter {
    /// Whether it lets everything through.
    pub fn is_open(&self) -> bool {
        *self == Filter::default()
    }

    pub(crate) fn apply(&self, draft: &mut Draft<'_>) {
        if let Some(tag) = &self.tag {
            let cache = draft.cache;
            only(draft, &|item| has_tag(cache, item, tag));
        }
        if let Some(host) = &self.host {
            only(draft, &|item| item.kind == NodeKind::Host && item.reference == *host);
        }
        if !self.states.is_empty() {
            let is_leaf = |item: &Item<'_>| {
                use NodeKind::{ControlDomain, Iso, Snapshot, Template, Vdi, Vm};
                matches!(item.kind, Vm | Template | Snapshot | ControlDomain | Vdi | Iso)
            };
            only(draft, &|item| self.states.contains(&item.state) && item.kind != NodeKind::Pool);
            // VMs in other states lie on paths, too: an SR that is in the state leads to all of its.
            let kept: Vec<bool> =
                draft.items.iter().map(|item| self.states.contains(&item.state) || !is_leaf(item)).collect();
            draft.keep(&kept);
            empty_places(draft);
        }
        if self.problems {
            only(draft, &|item| item.state.is_trouble() && item.kind != NodeKind::Pool);
        }
    }
}

/// Keeps what lies on a path through those that pass.
fn only(draft: &mut Draft<'_>, passes: &dyn Fn(&Item<'_>) -> bool) {
    let passing = |at: &usize| !draft.items[*at].kind.is_place() && passes(&draft.items[*at]);
    let starts: Vec<usize> = (0..draft.items.len()).filter(passing).collect();
    draft.keep(&draft.through(&starts));
}

/// Drops places that stand for nobody any more.
fn empty_places(draft: &mut Draft<'_>) {
    let mut kept: Vec<bool> = draft.items.iter().map(|item| !item.kind.is_place()).collect();
    draft.links.iter().for_each(|link| kept[link.from] = true);
    draft.keep(&kept);
}

fn has_tag(cache: &Cache, item: &Item<'_>, tag: &str) -> bool {
    fn tags<'a, C: Class>(cache: &'a Cache, item: &Item<'_>, of: fn(&C::Record) -> &Vec<String>) -> Option<&'a Vec<String>> {
        cache.get(&item.reference.clone().typed::<C>()).map(|record| of(record))
    }
    let tags = match item.class {
        "VM" => tags::<VM>(cache, item, |record| &record.tags),
        "host" => tags::<Host>(cache, item, |record| &record.tags),
        "SR" => tags::<SR>(cache, item, |record| &record.tags),
        "VDI" => tags::<VDI>(cache, item, |record| &record.tags),
        "network" => tags::<Network>(cache, item, |record| &record.tags),
        "pool" => tags::<Pool>(cache, item, |record| &record.tags),
        _ => None,
    };
    tags.is_some_and(|tags| tags.iter().any(|one| one == tag))
}
