//! What stops if something fails.

super::texts! {
    ImpactTitle = "What if this fails?",
    ImpactPick = "What fails",
    ImpactAdd = "Add a host, NIC, bond, network, SR or PBD…",
    ImpactRemove = "Take {0} away",
    ImpactClear = "Start over",
    ImpactNone = "Choose what fails",
    ImpactNoneHint = "Search for a host, a network interface, a network or storage above, or take one of the single points of failure below. Several fail together.",
    ImpactNothing = "No VM depends on it",
    ImpactCoordinator = "The pool loses its coordinator. Without high availability nobody takes its place by itself.",
    ImpactUnknown = "{0} is not in the data, so more may stop than is said here.",
    ImpactGone = "{0} is not in the pool any more.",
    ImpactBrought = "Does not work any more",
    ImpactMatches = "Matches",
    ImpactNoMatch = "Nothing that could fail is called “{0}”.",
    ImpactShow = "Show in the topology",
    ImpactDrawing = "Where it is",
    ImpactWhy = "Why",
    ImpactVm = "VM",
    ImpactVerdict = "Outcome",
    VerdictStopped = "stopped",
    VerdictDegraded = "degraded",
    VerdictSafe = "safe",
    PointsTitle = "Single points of failure",
    PointsHint = "Parts that take a VM away for good if they fail alone: no other host could run it, or nobody could reach it.",
    PointsNone = "Nothing that fails alone takes a VM away for good.",
    ImpactWorking = "Working out what would stop…",
    PointsSearching = "Searching: {0} of {1} parts tried",
    PointsPart = "Part",
    PointsStranded = "Stranded",
    PointsStrandedTitle = "VMs that stop, and that no other host could run",
    PointsCutOff = "Cut off",
    PointsCutOffTitle = "VMs that run on, and that nobody reaches",
    PointsStopped = "Stopped",
    PointsDegraded = "Degraded",

    // Names of what belongs to a host, and reasons
    PartOfHost = "{0} of {1}",
    PartOnHost = "{0} on {1}",
    ReasonHostFails = "it runs on {0}",
    ReasonDiskLost = "its disk {0} on {1} cannot be reached",
    ReasonDisksLost = "its disks {0} on {1} cannot be reached",
    ReasonNetworkLost = "its interface {0} loses the network {1}",
    ReasonLastNetworkLost = "its interface {0} loses the network {1}, and it has no other that works",
    ReasonHostUnmanaged = "{0} cannot be reached by the pool, so it cannot be managed",
    ReasonNoOtherHost = "no other host could run it",
    ReasonCannotStart = "it does not run, and no host could start it any more",
    ReasonBondMemberLeft = "{0} goes on with {1} of {2} links",
    ReasonDriveLost = "its drive {0} on {1} cannot be read, which stops nothing",
    ReasonOtherPif = "another PIF of its host carries {0}",
    ReasonOther = "see `xenoxide impact`",
}

super::plurals! {
    ImpactStopped = "{0} VM stops", "{0} VMs stop";
    ImpactDegraded = "{0} VM is degraded", "{0} VMs are degraded";
    ImpactSafe = "{0} VM is safe", "{0} VMs are safe";
    ImpactUntouched = "{0} VM has nothing to do with it", "{0} VMs have nothing to do with it";
    PointsFound = "{0} single point of failure", "{0} single points of failure";
    ReasonRestartsByHa = "high availability starts it again; {0} other host could run it", "high availability starts it again; {0} other hosts could run it";
    ReasonOtherHosts = "{0} other host could run it, if somebody starts it there", "{0} other hosts could run it, if somebody starts it there";
    ReasonStartsElsewhere = "it does not run, and {0} host could still start it", "it does not run, and {0} hosts could still start it";
}
