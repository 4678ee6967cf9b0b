//! The one vocabulary of states, and how an object's record tells its own.

use xenapi_model::{host, host_metrics, network, pif, pif_metrics, vdi, vm, vm::VmPowerState};

/// The state of an object, in words that hold for every class.
///
/// Each has a shape of its own ([`State::glyph`]), so that nobody depends on colours.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// It works: a running VM, a live host, a plugged SR.
    Running,
    /// It is off, or not in use.
    Halted,
    /// A VM that stays in memory but gets no CPU time.
    Paused,
    /// A VM whose memory is on disk.
    Suspended,
    /// A PIF, network or SR that is attached nowhere.
    Unplugged,
    /// It works, but somebody should look: a disabled host, an SR that not every host sees, a bond with a link down.
    Attention,
    /// A plugged NIC without a link.
    NoCarrier,
    /// It should work and does not: a dead host, a missing VDI, an SR that no host reaches.
    Failed,
    /// The pool's data does not tell.
    Unknown,
}

/// What a connector (VBD, VIF, PBD, the link to a host) does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EdgeState {
    /// Attached.
    Active,
    /// Detached.
    Inactive,
    /// Attached to something that failed.
    Broken,
    /// One end, or the connector itself, is not in the data.
    Unknown,
}

impl State {
    /// Every state, in the order of a legend.
    pub const ALL: [State; 9] = [
        State::Running,
        State::Halted,
        State::Paused,
        State::Suspended,
        State::Unplugged,
        State::Attention,
        State::NoCarrier,
        State::Failed,
        State::Unknown,
    ];

    /// The English word, lower case and without spaces: the state's name in styles, addresses and exports.
    pub fn name(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Halted => "halted",
            State::Paused => "paused",
            State::Suspended => "suspended",
            State::Unplugged => "unplugged",
            State::Attention => "attention",
            State::NoCarrier => "no-carrier",
            State::Failed => "failed",
            State::Unknown => "unknown",
        }
    }

    /// The shape of the state: SVG path data on a grid of 12 by 12, to be filled with the even-odd rule and no stroke.
    pub fn glyph(self) -> &'static str {
        match self {
            State::Running => "M6 1.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9z",
            State::Halted => "M6 1.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9zM6 3a3 3 0 1 0 0 6a3 3 0 1 0 0-6z",
            State::Paused => "M2.75 1.5h2.25v9h-2.25zM7 1.5h2.25v9h-2.25z",
            State::Suspended => "M6 1.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9zM6 3v6a3 3 0 0 0 0-6z",
            // The two halves of a plug, apart.
            State::Unplugged => "M1 5.25h3.5v-2.25h1v6h-1v-2.25h-3.5zM11 5.25h-3.5v-2.25h-1v6h1v-2.25h3.5z",
            State::Attention => "M6 1l5.25 9.75h-10.5z",
            // A square with a slot: a socket that nothing comes through.
            State::NoCarrier => "M1.5 1.5h9v9h-9zM3 5.1v1.8h6v-1.8z",
            State::Failed => {
                "M2.9 1.5l3.1 3.1l3.1-3.1l1.4 1.4l-3.1 3.1l3.1 3.1l-1.4 1.4l-3.1-3.1l-3.1 3.1l-1.4-1.4l3.1-3.1l-3.1-3.1z"
            }
            State::Unknown => {
                concat!(
                    "M3 4.5C3 2.4 4.3 1 6.1 1C7.9 1 9.2 2.2 9.2 3.9C9.2 5.2 8.5 5.9 7.7 6.5C7 7 6.9 7.2 6.9 8H5.2",
                    "C5.2 6.7 5.6 6 6.5 5.3C7.2 4.8 7.5 4.5 7.5 3.9C7.5 3.1 6.9 2.6 6.1 2.6C5.2 2.6 4.7 3.2 4.7 4.5Z",
                    "M5.1 9.1H7V11H5.1Z"
                )
            }
        }
    }

    /// Whether somebody should look at it.
    pub fn is_trouble(self) -> bool {
        matches!(self, State::Attention | State::NoCarrier | State::Failed)
    }

    /// Whether it should work and does not.
    pub fn is_down(self) -> bool {
        matches!(self, State::NoCarrier | State::Failed)
    }

    /// The state of that [name](State::name).
    pub fn from_name(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Which of a group's states stands for the group: the lower, the rather.
    pub(crate) fn urgency(self) -> u8 {
        match self {
            State::Failed => 0,
            State::NoCarrier => 1,
            State::Attention => 2,
            State::Running => 3,
            State::Paused => 4,
            State::Suspended => 5,
            State::Halted => 6,
            State::Unplugged => 7,
            State::Unknown => 8,
        }
    }

    /// The state of a VM.
    pub fn of_vm(record: &vm::Record) -> State {
        match record.power_state {
            VmPowerState::Running => State::Running,
            VmPowerState::Halted => State::Halted,
            VmPowerState::Paused => State::Paused,
            VmPowerState::Suspended => State::Suspended,
            VmPowerState::Unrecognised(_) => State::Unknown,
        }
    }

    /// The state of a host. Without metrics, whether it lives is not known and it is taken as alive.
    pub fn of_host(record: &host::Record, metrics: Option<&host_metrics::Record>) -> State {
        match metrics {
            Some(metrics) if !metrics.live => State::Failed,
            _ if !record.enabled => State::Attention,
            _ => State::Running,
        }
    }

    /// The state of an SR, by how many of its PBDs are attached. PBDs of hosts that are down do not count in `pbds`.
    pub fn of_sr(attached: usize, pbds: usize) -> State {
        match (attached, pbds) {
            (_, 0) => State::Unplugged,
            (0, _) => State::Failed,
            (a, all) if a < all => State::Attention,
            _ => State::Running,
        }
    }

    /// The state of a VDI; `attached` says whether a VBD of it is.
    pub fn of_vdi(record: &vdi::Record, attached: bool) -> State {
        match (record.missing, attached) {
            (true, _) => State::Failed,
            (false, true) => State::Running,
            (false, false) => State::Halted,
        }
    }

    /// The state of a network; `attached` says whether a PIF of it is. A network without PIFs lives inside its host and needs none.
    pub fn of_network(record: &network::Record, attached: bool) -> State {
        if attached || record.pifs.is_empty() { State::Running } else { State::Unplugged }
    }

    /// The state of a PIF. A bond's slave is never attached itself, so its link alone tells.
    pub fn of_pif(record: &pif::Record, metrics: Option<&pif_metrics::Record>) -> State {
        let carrier = metrics.map(|metrics| metrics.carrier);
        let slave = record.bond_slave_of.is_some();
        match (record.currently_attached || slave, carrier) {
            (false, _) => State::Unplugged,
            (true, Some(false)) if record.physical => State::NoCarrier,
            (true, _) => State::Running,
        }
    }
}

impl core::fmt::Display for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

impl EdgeState {
    /// The English word, lower case.
    pub fn name(self) -> &'static str {
        match self {
            EdgeState::Active => "active",
            EdgeState::Inactive => "inactive",
            EdgeState::Broken => "broken",
            EdgeState::Unknown => "unknown",
        }
    }

    /// Attached or not.
    pub(crate) fn attached(yes: bool) -> EdgeState {
        if yes { EdgeState::Active } else { EdgeState::Inactive }
    }

    /// What stands for two connectors that are drawn as one.
    pub(crate) fn merged(self, other: EdgeState) -> EdgeState {
        let urgency = |state| match state {
            EdgeState::Broken => 0,
            EdgeState::Active => 1,
            EdgeState::Inactive => 2,
            EdgeState::Unknown => 3,
        };
        if urgency(other) < urgency(self) { other } else { self }
    }
}
