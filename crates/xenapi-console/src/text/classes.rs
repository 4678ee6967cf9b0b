//! Words for classes.

super::texts! {
    // Classes
    ClassPool = "Pool",
    ClassHost = "Host",
    ClassVm = "VM",
    ClassTemplate = "Template",
    ClassSnapshot = "Snapshot",
    ClassControlDomain = "Control domain",
    ClassSr = "Storage repository",
    ClassVdi = "Virtual disk",
    ClassVbd = "Block device",
    ClassPbd = "SR connection",
    ClassNetwork = "Network",
    ClassVif = "Virtual interface",
    ClassPif = "Network interface",
    ClassBond = "Bond",
    ClassVlan = "VLAN",
}
