//! What an object of class `VM` really is. One class serves VMs, templates, snapshots and control domains.

use crate::vm;

/// The four things that an object of class `VM` can be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum VmKind {
    /// A VM that users run.
    Vm,
    /// What new VMs are made from.
    Template,
    /// The state of a VM at a moment. Its `is_a_template` is true as well.
    Snapshot,
    /// The domain through which a host is run (dom0).
    ControlDomain,
}

impl vm::Record {
    /// What this object really is.
    pub fn kind(&self) -> VmKind {
        if self.is_control_domain {
            VmKind::ControlDomain
        } else if self.is_a_snapshot {
            VmKind::Snapshot
        } else if self.is_a_template {
            VmKind::Template
        } else {
            VmKind::Vm
        }
    }
}
