//! Tables.

super::texts! {
    // Table
    Filter = "Filter",
    FilterHint = "Filter by name, state, host, address…",
    ClearFilter = "Clear the filter",
    VmsOf = "{0} of {1} VMs",
    SortBy = "Sort by {0}",
    NoVms = "This pool has no VMs",
    NoVmsHint = "Create one with a client of your choice, for example `xe vm-install`. It will appear here by itself.",
    NoMatch = "No VM matches “{0}”",
    NoMatchHint = "The filter looks at name, description, state, host and address.",
    VmsUnknown = "The VMs of this pool are unknown",
    VmsUnknownHint = "What was loaded does not hold them.",
    ShowInTable = "Show in table",
    ShowInTopology = "Show in topology",
}

super::plurals! {
    VmCount = "{0} VM", "{0} VMs";
}
