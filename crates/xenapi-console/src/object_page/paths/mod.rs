//! How a VM's data travels: from its virtual device through the control domain to a wire or to storage, and what is broken on the way.
//!
//! Nothing here is asked of a host: where a VM runs, which domain it is, and which bridge, bond, NIC, SR and connection are behind
//! its devices follow from the pool's records, as xapi itself sets them up (`vifDOMID.N` on the network's bridge, the SR's own
//! connection on that host). For a VM that does not run, the paths are those that it would have on a host.

mod network;
mod storage;

pub(super) use storage::{device_name, join, place};

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{RawRef, Ref};
use xenapi_model::{Host, VM, VmKind, vm};
use xenapi_topology::State;

use crate::format;
use crate::object::{Icon, Object};
use crate::route::Named;
use crate::select::{is_known, named_ref, states};
use crate::text::Text;

/// What a hop stands for: the columns of the drawing, in the order in which data passes them on its way out of the VM.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// The VM's own device.
    Device,
    /// What serves the device in the control domain.
    Backend,
    /// The bridge of the network.
    Bridge,
    /// A tunnel between hosts.
    Tunnel,
    /// Virtual functions of one NIC.
    Sriov,
    /// A tag on the wire.
    Vlan,
    /// NICs that act as one.
    Bond,
    /// NICs.
    Nic,
    /// The virtual disk.
    Disk,
    /// The storage repository.
    Storage,
    /// What connects the host with the storage.
    Connection,
    /// The host.
    Host,
}

impl Stage {
    /// The heading of its column.
    pub const fn heading(self) -> Text {
        match self {
            Stage::Device => Text::StageDevice,
            Stage::Backend => Text::StageBackend,
            Stage::Bridge => Text::StageBridge,
            Stage::Tunnel => Text::StageTunnel,
            Stage::Sriov => Text::StageSriov,
            Stage::Vlan => Text::StageVlan,
            Stage::Bond => Text::StageBond,
            Stage::Nic => Text::StageNic,
            Stage::Disk => Text::StageDisk,
            Stage::Storage => Text::StageStorage,
            Stage::Connection => Text::StageConnection,
            Stage::Host => Text::StageHost,
        }
    }

    /// Whether it lies within the control domain.
    pub const fn is_in_dom0(self) -> bool {
        matches!(
            self,
            Stage::Backend
                | Stage::Bridge
                | Stage::Tunnel
                | Stage::Sriov
                | Stage::Vlan
                | Stage::Bond
                | Stage::Nic
                | Stage::Connection
        )
    }
}

/// What is wrong with a hop.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Problem {
    /// The VM runs, and its device is unplugged.
    Unplugged,
    /// The interface is locked: it lets nothing pass.
    Locked,
    /// The host has no interface on that network.
    NoInterface,
    /// The host's interface is there but not brought up.
    Detached,
    /// No link on the wire.
    NoCarrier,
    /// Some members of a bond have no link: how many have one, and of how many.
    LinksDown(usize, usize),
    /// The host does not answer.
    HostDown,
    /// The host takes no new VMs.
    HostDisabled,
    /// The disk is missing on its storage.
    DiskMissing,
    /// The host has no connection to the storage.
    NoConnection,
    /// The host's connection to the storage is unplugged.
    ConnectionUnplugged,
    /// It is not in the data.
    NotInData,
}

impl Problem {
    /// Whether nothing gets through, and not only less.
    pub const fn is_fatal(&self) -> bool {
        !matches!(self, Problem::LinksDown(..) | Problem::NotInData)
    }

    /// What it is, in a few words.
    pub fn words(&self) -> String {
        let text = match self {
            Problem::Unplugged => Text::ProblemUnplugged,
            Problem::Locked => Text::ProblemLocked,
            Problem::NoInterface => Text::ProblemNoInterface,
            Problem::Detached => Text::ProblemDetached,
            Problem::NoCarrier => Text::ProblemNoCarrier,
            Problem::LinksDown(up, all) => {
                return Text::ProblemLinksDown.with(&[&format::count(*up), &format::count(*all)]);
            }
            Problem::HostDown => Text::ProblemHostDown,
            Problem::HostDisabled => Text::ProblemHostDisabled,
            Problem::DiskMissing => Text::ProblemDiskMissing,
            Problem::NoConnection => Text::ProblemNoConnection,
            Problem::ConnectionUnplugged => Text::ProblemConnectionUnplugged,
            Problem::NotInData => Text::ProblemNotInData,
        };
        text.get().into()
    }
}

/// Something that data passes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hop {
    /// The picture of its kind.
    pub icon: Icon,
    /// Its name, as the control domain calls it where it is there.
    pub name: String,
    /// A few words more.
    pub detail: String,
    /// Its state.
    pub state: State,
    /// What is wrong with it.
    pub problem: Option<Problem>,
    /// The object that it is.
    pub link: Option<Named>,
}

impl Hop {
    fn new(icon: Icon, name: impl Into<String>, detail: impl Into<String>, state: State) -> Hop {
        Hop { icon, name: name.into(), detail: detail.into(), state, problem: None, link: None }
    }

    fn linked(self, link: Option<Named>) -> Hop {
        Hop { link, ..self }
    }

    /// With something wrong, which its state then shows.
    fn wrong(self, problem: Problem) -> Hop {
        let state = match (&problem, problem.is_fatal()) {
            (Problem::NotInData, _) => State::Unknown,
            (_, true) => State::Failed,
            (_, false) => State::Attention,
        };
        Hop { problem: Some(problem), state, ..self }
    }

    fn wrong_if(self, is_wrong: bool, problem: Problem) -> Hop {
        if is_wrong { self.wrong(problem) } else { self }
    }
}

/// The hops of one stage: side by side where the data may take any of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What they are.
    pub stage: Stage,
    /// The hops.
    pub hops: Vec<Hop>,
}

impl Step {
    fn one(stage: Stage, hop: Hop) -> Step {
        Step { stage, hops: Vec::from([hop]) }
    }

    /// How well data passes: as well as through the best of the hops, if not all are well.
    fn health(&self) -> Health {
        let best = self.hops.iter().map(hop_health).min().unwrap_or(Health::Works);
        let worst = self.hops.iter().map(hop_health).max().unwrap_or(Health::Works);
        match (best, worst) {
            (Health::Works, Health::Works) => Health::Works,
            (Health::Works, _) => Health::Degraded,
            (best, _) => best,
        }
    }
}

fn hop_health(hop: &Hop) -> Health {
    match &hop.problem {
        None => Health::Works,
        Some(Problem::NotInData) => Health::Unknown,
        Some(problem) if problem.is_fatal() => Health::Broken,
        Some(_) => Health::Degraded,
    }
}

/// How well a whole path works. The worse, the greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Health {
    /// It works, or would.
    Works,
    /// It works, with less than there should be.
    Degraded,
    /// Part of it is not in the data.
    Unknown,
    /// It does not work.
    Broken,
    /// There is nothing at its end: an empty drive.
    Empty,
}

impl Health {
    /// The state that stands for it. `would_be`: of a VM that does not run.
    pub const fn state(self, would_be: bool) -> State {
        match self {
            Health::Works if would_be => State::Halted,
            Health::Works => State::Running,
            Health::Degraded => State::Attention,
            Health::Unknown => State::Unknown,
            Health::Broken => State::Failed,
            Health::Empty => State::Halted,
        }
    }

    /// What it is, in a word or two.
    pub const fn words(self, would_be: bool) -> Text {
        match self {
            Health::Works if would_be => Text::HealthWould,
            Health::Works => Text::HealthWorks,
            Health::Degraded => Text::HealthDegraded,
            Health::Unknown => Text::HealthUnknown,
            Health::Broken => Text::HealthBroken,
            Health::Empty => Text::HealthEmpty,
        }
    }
}

/// The way of one device's data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataPath {
    /// The VIF or VBD.
    pub device: RawRef,
    /// Its way, from the VM outwards.
    pub steps: Vec<Step>,
    /// How well it works.
    pub health: Health,
}

impl DataPath {
    fn new(device: &RawRef, steps: Vec<Step>) -> DataPath {
        let health = steps.iter().map(Step::health).max().unwrap_or(Health::Unknown);
        DataPath { device: device.clone(), steps, health }
    }

    /// Everything that is wrong on the way, once each.
    pub fn problems(&self) -> Vec<&Problem> {
        let mut problems: Vec<&Problem> =
            self.steps.iter().flat_map(|step| &step.hops).filter_map(|hop| hop.problem.as_ref()).collect();
        problems.sort();
        problems.dedup();
        problems
    }
}

/// A host on which a VM could run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The host.
    pub object: Object,
    /// Its name.
    pub name: String,
    /// Its uuid.
    pub uuid: String,
    /// What keeps the VM from running there, or from all that it needs.
    pub problems: Vec<Problem>,
}

/// How a VM's data travels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataPaths {
    /// The host whose control domain the paths go through.
    pub host: Option<Object>,
    /// That host's name.
    pub host_name: String,
    /// Whether the VM does not run, so that these are the paths that it would have.
    pub would_be: bool,
    /// Of a VM that does not run: the hosts, those where all is well first, by name.
    pub candidates: Vec<Candidate>,
    /// Its interfaces, by device.
    pub network: Vec<DataPath>,
    /// Its disks and drives, by device.
    pub storage: Vec<DataPath>,
}

/// The stages that some path has, in order: the columns of a drawing.
pub fn columns(paths: &[DataPath]) -> Vec<Stage> {
    let mut stages: Vec<Stage> = paths.iter().flat_map(|path| path.steps.iter().map(|step| step.stage)).collect();
    stages.sort();
    stages.dedup();
    stages
}

/// What the paths of one VM go through.
struct Way<'a> {
    cache: &'a Cache,
    vm: &'a vm::Record,
    host: Option<Ref<Host>>,
    /// Whether the VM has no domain now.
    would_be: bool,
}

/// The data paths of a VM. None if it is not in the cache, or is something that never runs. `on` chooses the host, by its uuid, for a
/// VM that does not run.
pub fn data_paths(cache: &Cache, reference: &Ref<VM>, on: Option<&str>) -> Option<DataPaths> {
    let vm = cache.get(reference).filter(|vm| vm.kind() == VmKind::Vm)?;
    let would_be = vm.resident_on.is_none();
    let candidates = if would_be { candidates(cache, vm) } else { Vec::new() };
    let host = match &vm.resident_on {
        Some(host) => Some(host.clone()),
        None => choose(cache, vm, &candidates, on),
    };
    let way = Way { cache, vm, host, would_be };
    let host_name = cache.get(&way.host).map_or_else(String::new, |host| host.name_label.clone());
    Some(DataPaths {
        host: way.host.as_ref().map(Object::of),
        host_name,
        would_be,
        candidates,
        network: way.network(),
        storage: way.storage(),
    })
}

/// The host that was asked for, or the one that the VM prefers, or the first on which all is well.
fn choose(cache: &Cache, vm: &vm::Record, candidates: &[Candidate], on: Option<&str>) -> Option<Ref<Host>> {
    let asked = on.and_then(|uuid| candidates.iter().find(|candidate| candidate.uuid == uuid));
    let preferred = || {
        let affinity = vm.affinity.as_ref()?;
        cache.get(affinity)?;
        candidates.iter().find(|candidate| candidate.object.reference == *affinity.raw() && candidate.problems.is_empty())
    };
    let chosen = asked.or_else(preferred).or_else(|| candidates.first())?;
    Some(chosen.object.reference.clone().typed())
}

fn candidates(cache: &Cache, vm: &vm::Record) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = cache
        .iter::<Host>()
        .map(|(reference, host)| {
            let way = Way { cache, vm, host: Some(reference.clone()), would_be: true };
            let paths = way.network().into_iter().chain(way.storage());
            let mut problems: Vec<Problem> =
                paths.flat_map(|path| path.problems().into_iter().cloned().collect::<Vec<_>>()).collect();
            problems.sort();
            problems.dedup();
            Candidate {
                object: Object::of(&reference),
                name: host.name_label.clone(),
                uuid: host.uuid.as_str().into(),
                problems,
            }
        })
        .collect();
    let is_out = |candidate: &Candidate| candidate.problems.iter().filter(|problem| problem.is_fatal()).count();
    candidates.sort_by(|a, b| {
        let well = (is_out(a), a.problems.len()).cmp(&(is_out(b), b.problems.len()));
        well.then_with(|| format::natural_cmp(&a.name, &b.name)).then_with(|| a.object.cmp(&b.object))
    });
    candidates
}

impl Way<'_> {
    /// The state of something that works when the VM runs.
    fn works(&self) -> State {
        if self.would_be { State::Halted } else { State::Running }
    }

    /// The number of the VM's domain, or a word that stands for it.
    fn domain(&self) -> String {
        // Number 0 is the control domain itself: a VM with it is one whose number nobody told.
        if self.would_be || self.vm.domid <= 0 {
            return Text::DomainNumber.get().into();
        }
        self.vm.domid.to_string()
    }

    /// The control domain, for links from what works in it.
    fn dom0(&self) -> Option<Named> {
        let host = self.cache.get(&self.host)?;
        let control = host.control_domain.as_ref().filter(|it| self.cache.get(*it).is_some())?;
        named_ref(self.cache, control)
    }

    /// The end of every path.
    fn host_step(&self) -> Step {
        let Some(reference) = &self.host else {
            let hop = Hop::new(Icon::Host, Text::Unknown.get(), "", State::Unknown);
            return Step::one(Stage::Host, hop.wrong(Problem::NotInData));
        };
        let hop = match self.cache.get(reference) {
            Some(host) => {
                let state = states::host(self.cache, host);
                let hop = Hop::new(Icon::Host, host.name_label.as_str(), host.address.as_str(), state);
                hop.linked(named_ref(self.cache, reference))
                    .wrong_if(self.would_be && !host.enabled, Problem::HostDisabled)
                    .wrong_if(state == State::Failed, Problem::HostDown)
            }
            None if is_known::<Host>(self.cache) => {
                Hop::new(Icon::Host, reference.as_str(), "", State::Failed).wrong(Problem::HostDown)
            }
            None => Hop::new(Icon::Host, Text::Unknown.get(), "", State::Unknown).wrong(Problem::NotInData),
        };
        Step::one(Stage::Host, hop)
    }
}
