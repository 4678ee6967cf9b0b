//! Kinds of pools, by name.

use core::fmt;
use core::str::FromStr;

/// What kind of pool the generator makes. Each is a function of the seed, like everything else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Scenario {
    /// Shared and local storage, bonds and VLANs, and one thing or two to worry about: a NIC of the last host has no link, and one
    /// of its repositories is not connected.
    #[default]
    Standard,
    /// Two hosts on a shelf, with local storage only and no bonds.
    Lab,
    /// Three hosts with one NFS server, a bond and two VLANs. Nothing is wrong with it.
    BranchOffice,
    /// Sixteen hosts with iSCSI over several paths, two dozen VLANs, and high availability.
    Datacentre,
    /// Whatever can be wrong with a pool at once: a dead host, storage that is lost, full or missing, NICs without a link, failed
    /// tasks, alarms, hosts short of memory.
    Degraded,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Scenario; 5] =
        [Scenario::Standard, Scenario::Lab, Scenario::BranchOffice, Scenario::Datacentre, Scenario::Degraded];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Scenario::Standard => "standard",
            Scenario::Lab => "lab",
            Scenario::BranchOffice => "branch-office",
            Scenario::Datacentre => "datacentre",
            Scenario::Degraded => "degraded",
        }
    }

    /// What it is, in a line.
    pub fn about(self) -> &'static str {
        match self {
            Scenario::Standard => "shared and local storage, bonds, VLANs, and a thing or two to worry about",
            Scenario::Lab => "two hosts with local storage only",
            Scenario::BranchOffice => "three hosts, one NFS server, one bond, and nothing wrong",
            Scenario::Datacentre => "sixteen hosts, iSCSI over several paths, many VLANs, high availability",
            Scenario::Degraded => "a dead host, lost and full storage, missing links, failed tasks, alarms",
        }
    }

    /// How many hosts it has unless told otherwise.
    pub fn hosts(self) -> usize {
        match self {
            Scenario::Standard | Scenario::BranchOffice => 3,
            Scenario::Lab => 2,
            Scenario::Datacentre => 16,
            Scenario::Degraded => 6,
        }
    }

    /// How many VMs it has unless told otherwise.
    pub fn vms(self) -> usize {
        match self {
            Scenario::Standard => 24,
            Scenario::Lab => 10,
            Scenario::BranchOffice => 30,
            Scenario::Datacentre => 400,
            Scenario::Degraded => 60,
        }
    }

    pub(super) fn style(self) -> Style {
        let standard = Style {
            pool: "Simulated pool",
            nfs: true,
            iscsi: true,
            is_multipathed: false,
            bond: Some("balance-slb"),
            vlans: 4,
            has_ha: false,
            has_worries: true,
            is_degraded: false,
        };
        match self {
            Scenario::Standard => standard,
            Scenario::Lab => {
                Style { pool: "Lab", nfs: false, iscsi: false, bond: None, vlans: 2, has_worries: false, ..standard }
            }
            Scenario::BranchOffice => Style {
                pool: "Branch office",
                iscsi: false,
                bond: Some("active-backup"),
                vlans: 2,
                has_worries: false,
                ..standard
            },
            Scenario::Datacentre => Style {
                pool: "Datacentre",
                nfs: false,
                is_multipathed: true,
                bond: Some("lacp"),
                vlans: 24,
                has_ha: true,
                has_worries: false,
                ..standard
            },
            Scenario::Degraded => Style { pool: "Degraded pool", is_degraded: true, ..standard },
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no scenario of that name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownScenario;

impl fmt::Display for UnknownScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no such scenario; there are ")?;
        for (at, scenario) in Scenario::ALL.iter().enumerate() {
            write!(f, "{}{scenario}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl core::error::Error for UnknownScenario {}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(name: &str) -> Result<Self, UnknownScenario> {
        Scenario::ALL.into_iter().find(|scenario| scenario.name() == name).ok_or(UnknownScenario)
    }
}

/// What a scenario means for the parts of the generator.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) pool: &'static str,
    /// Which shared storage there is.
    pub(super) nfs: bool,
    pub(super) iscsi: bool,
    pub(super) is_multipathed: bool,
    /// The mode of the bond on each host, if there is one.
    pub(super) bond: Option<&'static str>,
    pub(super) vlans: usize,
    pub(super) has_ha: bool,
    /// Whether the last host has lost a link and a repository.
    pub(super) has_worries: bool,
    pub(super) is_degraded: bool,
}
