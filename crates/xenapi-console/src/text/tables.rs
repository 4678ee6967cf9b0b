//! Tables.

super::texts! {
    // Counts
    TableCountOf = "{0} of {1}",

    // Columns
    ColAgent = "Guest agent",
    ColDrives = "Drives",
    ColVifs = "Virtual interfaces",
    ColVbds = "Block devices",
    ColPbds = "SR connections",
    ColHaPriority = "HA priority",
    ColSnapshots = "Snapshots",
    ColDefault = "Default",
    ColSnapshotOf = "Snapshot of",
    ColTaken = "Taken",
    ColMemoryKept = "With memory",
    ColScheduled = "Scheduled",
    ColMemoryUsed = "Memory used",
    ColMemoryFree = "Memory free",
    ColEdition = "Edition",
    ColFree = "Free",
    ColManaged = "Managed",
    ColCbt = "Tracks changes",
    ColEmpty = "Empty",
    ColRole = "Role",
    ColRoleNic = "NIC",
    ColRoleVlan = "VLAN",
    ColRoleMember = "bond member",
    ColRoleTunnel = "tunnel",
    ColCard = "Card",
    ColAllowed = "Allowed addresses",
    ColTasks = "Tasks",
    ColProgress = "Progress",
    ColCreated = "Created",
    ColFinished = "Finished",
    ColTook = "Took",
    ColError = "Error",
    StatusPending = "pending",
    StatusSuccess = "done",
    StatusFailure = "failed",
    StatusCancelling = "cancelling",
    StatusCancelled = "cancelled",
    ColMessages = "Messages",
    ColMessage = "Message",
    ColSeverity = "Severity",
    ColObject = "About",
    ColClass = "Class",
    ColTime = "Time",
    ColBody = "Text",
    ColPriority = "Priority",
    SeverityDataLoss = "data at risk",
    SeverityServiceLoss = "service lost",
    SeverityDegraded = "degraded",
    SeverityRecovered = "recovered",
    SeverityInformation = "information",
    AlarmCpu = "CPU usage",
    AlarmMemory = "Memory usage",
    AlarmMemoryFree = "Free memory",
    AlarmFs = "File system usage",
    AlarmNetwork = "Network traffic",
    AlarmDisk = "Disk traffic",
    AlarmSr = "Storage in use",
    AlarmShort = "{0} {1}",
    AlarmLong = "{0} is {1}; the alarm is set at {2}",
    PerSecond = "{0}/s",

    // Filtering
    Filter = "Filter",
    FilterHint = "Filter: {0}…",
    ClearFilter = "Clear the filter",
    FilterMore = "Filter by {0}",
    NoMatch = "Nothing matches “{0}”",
    NoMatchHint = "A row is shown if every word of the filter holds. Take one out, or clear it.",
    QuerySuggestions = "Suggestions",
    QueryNoField = "There is no field “{0}” here.",
    QueryDidYouMean = "There is no field “{0}” here. Did you mean “{1}”?",
    QueryNoValue = "What should “{0}” be?",
    QueryNumber = "“{0}” is no number.",
    QueryBytes = "“{0}” is no size. Write for example 512MiB or 4GiB.",
    QueryShare = "“{0}” is no share. Write for example 85%.",
    QuerySpeed = "“{0}” is no speed. Write for example 10G.",
    QuerySpan = "“{0}” is no time. Write for example 90s or 5m.",
    QueryDate = "“{0}” is no date. Write for example 2026-11-22, or 2h for two hours ago.",
    QueryTruth = "“{0}” is neither yes nor no.",
    QueryAgo = "ago",
    QueryExample = "for example",
    QueryHelp = "How to filter",
    QueryHelpWords = "Words are looked for everywhere in a row; all of them have to be there.",
    QueryHelpField = "A field contains the text, or has the state.",
    QueryHelpExact = "A field is exactly that; != for anything else.",
    QueryHelpCompare = "Numbers take units, times take dates or ages.",
    QueryHelpPattern = "^ is the beginning, $ the end, * anything.",
    QueryHelpOr = "One or the other; “none” is nothing.",
    QueryHelpNot = "! turns round what follows.",
    QueryHelpFields = "Fields of this table",

    // The table
    SortHint = "Sort by {0}. With Shift: also by {0}.",
    SortedPlace = "{0} (order {1})",
    ColumnsButton = "Columns",
    ColumnsReset = "As it was",
    ColumnLeft = "Move {0} to the left",
    ColumnRight = "Move {0} to the right",
    ExportButton = "Export",
    ExportCsv = "CSV file",
    ExportJson = "JSON file",
    ExportCopy = "Copy to the clipboard",
    CopyRowsFailed = "The browser does not let the page copy. Select rows and press Ctrl+C.",
    Chosen = "{0} selected",
    RowsLabel = "{0}: use the arrow keys to move, Space to select, Enter to open",

    // Where there is nothing
    NoRows = "There is nothing here",
    RowsUnknown = "This part of the pool is unknown",
    RowsUnknownHint = "What was loaded does not hold it.",
    NothingLoadedHint = "It will appear here by itself when the pool has some.",
    NoVmsHint = "Create a VM with a client of your choice, for example `xe vm-install`. It will appear here by itself.",
    NoTemplatesHint = "Convert a VM with `xe vm-param-set is-a-template=true`, or import one. It will appear here by itself.",
    NoSnapshotsHint = "Take one of a VM with `xe vm-snapshot`. It will appear here by itself.",
    NoVdisHint = "Disks come with VMs, or by `xe vdi-create`. They will appear here by themselves.",
    NoTasksHint = "Whatever takes the pool a while is listed here while it runs, and for a day after that.",
    NoMessagesHint = "What happens in the pool, alarms first of all, is listed here.",
    ShowInTable = "Show in table",
    ShowInTopology = "Show in topology",
}

super::plurals! {
    VmCount = "{0} VM", "{0} VMs";
    CountTemplates = "{0} template", "{0} templates";
    CountSnapshots = "{0} snapshot", "{0} snapshots";
    CountHosts = "{0} host", "{0} hosts";
    CountSrs = "{0} storage repository", "{0} storage repositories";
    CountVdis = "{0} virtual disk", "{0} virtual disks";
    CountNetworks = "{0} network", "{0} networks";
    CountPifs = "{0} network interface", "{0} network interfaces";
    CountVifs = "{0} virtual interface", "{0} virtual interfaces";
    CountVbds = "{0} block device", "{0} block devices";
    CountPbds = "{0} SR connection", "{0} SR connections";
    CountTasks = "{0} task", "{0} tasks";
    CountMessages = "{0} message", "{0} messages";
    ExportRows = "{0} row, with the columns that are shown", "{0} rows, with the columns that are shown";
    CopiedRows = "Copied {0} row", "Copied {0} rows";
}
