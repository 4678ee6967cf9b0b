//! How many there are of everything, and what happened last.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_model::task::TaskStatusType;
use xenapi_model::{Host, Message, Network, SR, Task, VDI, VM, VmKind};
use xenapi_topology::State;

use super::Go;
use crate::object::{Icon, Object};
use crate::route::Kind;
use crate::select;
use crate::tables::{self, Link, Spec};
use crate::text::{self, Text};

/// The classes that [`counts`] reads.
pub const OF_COUNTS: &[&str] = &["VM", "host", "SR", "network", "VDI", "pool"];
/// The classes that [`recent`] reads.
pub const OF_RECENT: &[&str] = &["message", "task", "VM", "host", "SR", "pool", "VDI"];

/// How many there are of something.
#[derive(Clone, PartialEq, Debug)]
pub struct Count {
    /// What it is called.
    pub label: &'static str,
    /// The state that they have, if it is about one.
    pub state: Option<State>,
    /// The picture of their kind.
    pub icon: Icon,
    /// How many; none if nobody knows.
    pub number: Option<usize>,
    /// Where they are listed.
    pub go: Go,
}

/// How many there are of everything: VMs by state first.
pub fn counts(cache: &Cache) -> Vec<Count> {
    let mut states = [0_usize; 4];
    let (mut templates, mut snapshots) = (0, 0);
    const STATES: [(State, &str); 4] = [
        (State::Running, "state:running"),
        (State::Halted, "state:halted"),
        (State::Paused, "state:paused"),
        (State::Suspended, "state:suspended"),
    ];
    for (_, vm) in cache.iter::<VM>() {
        match vm.kind() {
            VmKind::Vm => {
                let state = State::of_vm(vm);
                if let Some(at) = STATES.iter().position(|(it, _)| *it == state) {
                    states[at] += 1;
                }
            }
            VmKind::Template => templates += 1,
            VmKind::Snapshot => snapshots += 1,
            VmKind::ControlDomain => {}
        }
    }
    let knows_vms = select::is_known::<VM>(cache);
    let of_states = STATES.into_iter().zip(states).filter(|((state, _), count)| *count > 0 || *state == State::Running);
    let of_states = of_states.map(|((state, filter), count)| Count {
        label: text::state(state).get(),
        state: Some(state),
        icon: Icon::Vm,
        number: knows_vms.then_some(count),
        go: Go { kind: Kind::Vms, filter },
    });
    let of_kind = |kind: Kind, number: usize, known: bool| {
        let spec = Spec::of(kind);
        Count {
            label: spec.title.get(),
            state: None,
            icon: spec.icon,
            number: known.then_some(number),
            go: Go { kind, filter: "" },
        }
    };
    let mut counts: Vec<Count> = of_states.collect();
    counts.extend([
        of_kind(Kind::Hosts, cache.count::<Host>(), select::is_known::<Host>(cache)),
        of_kind(Kind::Srs, cache.count::<SR>(), select::is_known::<SR>(cache)),
        of_kind(Kind::Networks, cache.count::<Network>(), select::is_known::<Network>(cache)),
        of_kind(Kind::Vdis, cache.count::<VDI>(), select::is_known::<VDI>(cache)),
        of_kind(Kind::Snapshots, snapshots, knows_vms),
        of_kind(Kind::Templates, templates, knows_vms),
    ]);
    counts
}

/// Something that happened, or happens.
#[derive(Clone, PartialEq, Debug)]
pub struct Happening {
    /// What stands for it in lists.
    pub key: String,
    /// How grave it is, as a shape.
    pub state: State,
    /// What it is called.
    pub text: String,
    /// A few words more.
    pub note: String,
    /// What it is about.
    pub about: Option<Link>,
    /// When, in seconds since 1970.
    pub at: i64,
    /// How far it is, in thousandths, while it runs.
    pub progress: Option<u32>,
}

/// How many are listed.
const LISTED: usize = 10;

/// What happens and what happened last, the latest first; tasks that run come before everything else.
pub fn recent(cache: &Cache) -> Vec<Happening> {
    let running = cache.iter::<Task>().filter(|(_, task)| task.status == TaskStatusType::Pending);
    let mut happenings: Vec<Happening> = running
        .map(|(reference, task)| {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is clamped, and NaN becomes zero"
            )]
            let progress = (task.progress.clamp(0.0, 1.0) * 1000.0) as u32;
            let host = cache.get(&task.resident_on);
            Happening {
                key: reference.as_str().into(),
                state: State::Running,
                text: task.name_label.clone(),
                note: Text::StatusPending.get().into(),
                about: host.map(|host| Link {
                    name: host.name_label.clone(),
                    object: Object::of(&task.resident_on),
                    uuid: host.uuid.as_str().into(),
                }),
                at: task.created.unix(),
                progress: Some(progress),
            }
        })
        .collect();
    latest(&mut happenings);
    let mut told: Vec<_> = cache.iter::<Message>().collect();
    told.sort_by_key(|(_, message)| core::cmp::Reverse(message.timestamp.unix()));
    happenings.extend(told.into_iter().take(LISTED).map(|(reference, message)| {
        let (state, severity) = tables::severity(message.priority);
        Happening {
            key: reference.as_str().into(),
            state,
            text: tables::short(message),
            note: severity.get().into(),
            about: tables::about(cache, message),
            at: message.timestamp.unix(),
            progress: None,
        }
    }));
    happenings.truncate(LISTED);
    happenings
}

fn latest(happenings: &mut Vec<Happening>) {
    happenings.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.key.cmp(&b.key)));
    // Something of what happened is to be seen as well.
    happenings.truncate(LISTED / 2);
}
