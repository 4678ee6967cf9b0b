//! The pool at a glance.

super::texts! {
    Health = "Health",
    AllIsWell = "All is well",
    AllIsWellHint = "Every host is live, every connection is plugged, every link is up, and no storage is nearly full.",
    AllFindings = "Show all",
    AndMore = "and {0} more",
    Capacity = "Capacity",
    CapacityCpu = "{0} vCPUs running on {1} CPUs",
    CapacityRatio = "{0} to 1",
    CapacityUsed = "{0} of {1} used",
    CapacityMemoryNote = "{0} promised to running VMs, {1} to all ({2} to 1)",
    CapacityStorageNote = "{0} promised ({1} to 1)",
    CapacityAll = "All storage",
    CapacityOf = "How full {0} is",
    Inventory = "Inventory",
    Recent = "Recent",
    SoFarWell = "Nothing is wrong so far",
    MoreLoading = "The rest of the pool is still being loaded.",
    NotYet = "…",
    RecentNothing = "Nothing has happened yet.",
    RecentAll = "All messages",
    PointsAll = "What would stop",
    AgeAgo = "{0} ago",
}

super::plurals! {
    HealthHostsDown = "{0} host does not answer", "{0} hosts do not answer";
    HealthHostsDisabled = "{0} host is disabled: it takes no more VMs", "{0} hosts are disabled: they take no more VMs";
    HealthPbds = "{0} connection to storage is unplugged", "{0} connections to storage are unplugged";
    HealthSrsBrim = "{0} storage repository is full", "{0} storage repositories are full";
    HealthSrsFull = "{0} storage repository is nearly full", "{0} storage repositories are nearly full";
    HealthVdisMissing = "{0} virtual disk is missing on its storage", "{0} virtual disks are missing on their storage";
    HealthManagement = "{0} management interface has no link", "{0} management interfaces have no link";
    HealthNics = "{0} network interface in use has no link", "{0} network interfaces in use have no link";
    HealthHaOver = "High availability cannot restart every protected VM", "High availability cannot restart every protected VM";
    HealthHaShort = "High availability survives fewer host failures than it should", "High availability survives fewer host failures than it should";
    HealthTasks = "{0} task failed", "{0} tasks failed";
    HealthAlarms = "{0} alarm this week", "{0} alarms this week";
    HealthWarnings = "{0} warning this week", "{0} warnings this week";
    HealthRestart = "{0} host waits for a restart after an update", "{0} hosts wait for a restart after an update";
    HealthLicenceOver = "The licence of {0} host has ended", "The licences of {0} hosts have ended";
    HealthLicenceSoon = "The licence of {0} host ends within 30 days", "The licences of {0} hosts end within 30 days";
    PointStranded = "{0} VM would stop for good", "{0} VMs would stop for good";
    PointCutOff = "{0} VM would be cut off", "{0} VMs would be cut off";
}
