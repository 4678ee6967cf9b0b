//! An object of any class, and the picture that stands for its kind.

use xenapi_core::{Class, RawRef, Ref};

use crate::text::Text;

/// An object of any class.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Object {
    /// The class as on the wire.
    pub class: &'static str,
    /// Its reference.
    pub reference: RawRef,
}

impl Object {
    /// From a typed reference.
    pub fn of<C: Class>(reference: &Ref<C>) -> Self {
        Object { class: C::RECORD.name, reference: reference.raw().clone() }
    }
}

/// The picture for a kind of object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Icon {
    /// A pool of hosts.
    Pool,
    /// A host.
    Host,
    /// A VM.
    Vm,
    /// Storage.
    Sr,
    /// A virtual disk.
    Vdi,
    /// The connection of a disk or of storage.
    Plug,
    /// A network.
    Network,
    /// A network interface, physical or virtual.
    Nic,
    /// Interfaces joined into one.
    Bond,
    /// A tagged part of a network interface.
    Vlan,
    /// Several objects.
    Group,
}

/// The picture for a class.
pub fn icon(class: &str) -> Icon {
    match class {
        "pool" => Icon::Pool,
        "host" => Icon::Host,
        "VM" => Icon::Vm,
        "SR" => Icon::Sr,
        "VDI" => Icon::Vdi,
        "VBD" | "PBD" => Icon::Plug,
        "network" => Icon::Network,
        "PIF" | "VIF" => Icon::Nic,
        "Bond" => Icon::Bond,
        "VLAN" => Icon::Vlan,
        _ => Icon::Group,
    }
}

/// The word for a class.
pub fn class_name(class: &str) -> Text {
    match class {
        "pool" => Text::ClassPool,
        "host" => Text::ClassHost,
        "VM" => Text::ClassVm,
        "SR" => Text::ClassSr,
        "VDI" => Text::ClassVdi,
        "VBD" => Text::ClassVbd,
        "PBD" => Text::ClassPbd,
        "network" => Text::ClassNetwork,
        "VIF" => Text::ClassVif,
        "PIF" => Text::ClassPif,
        "Bond" => Text::ClassBond,
        "VLAN" => Text::ClassVlan,
        _ => Text::Objects,
    }
}
