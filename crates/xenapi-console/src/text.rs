//! Every text that the console shows, in one place, so that a language is one table.
//!
//! A text is a key with a template; `{0}`, `{1}` stand for its arguments.

use alloc::string::String;

macro_rules! texts {
    ($($key:ident = $english:literal,)*) => {
        /// A text, by its key.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Text {
            $(#[doc = concat!("“", $english, "”")] $key,)*
        }

        impl Text {
            /// All texts.
            pub const ALL: &'static [Text] = &[$(Text::$key,)*];

            /// The name under which a catalogue has it.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Text::$key => stringify!($key),)*
                }
            }

            /// The template, in English.
            pub const fn template(self) -> &'static str {
                match self {
                    $(Text::$key => $english,)*
                }
            }
        }
    };
}

texts! {
    // The frame
    Product = "Xenoxide",
    SkipToContent = "Skip to content",
    LogOut = "Log out",
    ThemeSystem = "Theme: system",
    ThemeLight = "Theme: light",
    ThemeDark = "Theme: dark",
    OpenTree = "Show objects",
    CloseTree = "Hide objects",
    Views = "Views",
    ViewVms = "VMs",
    ViewTopology = "Topology",
    Pool = "Pool",
    Objects = "Objects",
    Close = "Close",
    TryAgain = "Try again",
    Loading = "Loading the pool…",
    LoadingHint = "The whole inventory comes in one piece; a large pool takes a few seconds.",
    Connecting = "Connecting…",

    // Logging in
    LogIn = "Log in",
    LogInTo = "Log in to {0}",
    LoggingIn = "Logging in…",
    UserName = "User name",
    Password = "Password",
    NoPools = "No pool is set up here",
    NoPoolsHint = "Start the server with `xenoxide serve --pool NAME=https://HOST`, or try a simulated one with `xenoxide demo`.",
    PoolsFailed = "The console's server does not answer",
    PoolsFailedHint = "{0} Check that `xenoxide` is running, then try again.",
    UnknownPool = "There is no pool named “{0}” here",
    UnknownPoolHint = "Choose one of the pools that this server knows.",
    SessionEnded = "Your session has ended",
    SessionEndedHint = "The pool does not know it any more. It was idle too long, was ended elsewhere, or the host restarted. Log in again.",

    // Freshness
    LiveAge = "live · {0}",
    StaleAge = "stale · {0}",
    Never = "no data yet",
    LiveTitle = "The data is up to date. The pool was last heard from {0} ago.",
    StaleTitle = "The data may be out of date. The pool was last heard from {0} ago.",
    StaleBecause = "The data may be out of date. The pool was last heard from {0} ago: {1}",
    NeverTitle = "Nothing has been loaded yet.",
    StaleNote = "What you see may be out of date. {0} The console keeps trying.",

    // Refusals and failures
    WrongPassword = "The pool refused the user name or password",
    WrongPasswordHint = "Check both, and that the account exists on this pool.",
    TooManyAttempts = "Too many attempts",
    TooManyAttemptsHint = "Wait a moment, then try again.",
    NotCoordinator = "This host is a member of a pool, not its coordinator",
    NotCoordinatorHint = "The coordinator is {0}. Let the server's --pool point there.",
    StillBooting = "The host is still starting",
    StillBootingHint = "It will answer in a minute or two; the console keeps trying.",
    NoPermission = "Your role does not allow this",
    NoPermissionHint = "It needs the permission {0}. Ask an administrator of the pool.",
    Refused = "The pool refused",
    RefusedHint = "It answered {0}.",
    Unreadable = "The pool sent something that cannot be read",
    UnreadableHint = "{0}. If it happens again, record the pool with `xenoxide record` and report it.",
    Unreachable = "The pool does not answer",
    UnreachableHint = "{0} The console keeps trying.",
    UpstreamUnreachable = "The server cannot reach the pool",
    UpstreamTimeout = "The pool does not answer in time",
    UpstreamUntrusted = "The pool's certificate is not trusted",
    UpstreamUntrustedHint = "{0} Compare the fingerprint with the host's own, then trust it with `xenoxide trust`.",
    BodyTooLarge = "The request is too large",
    ServerError = "The server answered with an error",
    ServerAnswered = "HTTP {0}",
    NoAnswer = "{0} did not answer",
    NoAnswerInTime = "{0} did not answer within {1}",
    BadReply = "{0} answered something else than it should (HTTP {1})",
    Misused = "The console made a mistake",
    MisusedHint = "{0}. Reload the page; if it happens again, report it.",
    CrashedHint = "This is a fault in the console. The pool is not affected. Reload the page to go on; the details below help whoever looks into it.",

    // Facts
    Unknown = "unknown",
    UnknownTitle = "Not part of what was loaded, so nobody knows",
    Nothing = "–",
    Yes = "yes",
    No = "no",
    Name = "Name",
    State = "State",
    Host = "Host",
    Vcpus = "vCPUs",
    Memory = "Memory",
    Addresses = "IP addresses",
    Description = "Description",
    Uuid = "UUID",
    Os = "Operating system",
    Started = "Started",
    Tags = "Tags",
    Address = "Address",
    Enabled = "Enabled",
    Version = "Version",
    Cpus = "CPUs",
    CpuModel = "CPU",
    Master = "Coordinator",
    DefaultSr = "Default SR",
    HighAvailability = "High availability",
    Kind = "Type",
    ContentType = "Content",
    Shared = "Shared",
    Used = "Used",
    UsedOf = "{0} of {1}",
    Allocated = "Allocated",
    Size = "Size",
    PhysicalSize = "On disk",
    ReadOnly = "Read only",
    Mac = "MAC",
    Mtu = "MTU",
    VlanTag = "VLAN",
    Device = "Device",
    Bridge = "Bridge",
    Carrier = "Link",
    CarrierUp = "up",
    CarrierDown = "down",
    Speed = "Speed",
    Management = "Management",
    Attached = "Attached",
    Mode = "Mode",
    LinksUp = "Links up",
    Bootable = "Bootable",
    Position = "Position",
    Empty = "empty",
    DeviceConfig = "Configuration",

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

    // Related objects
    Hosts = "Hosts",
    Vms = "VMs",
    Disks = "Disks",
    Nics = "Network interfaces",
    Srs = "Storage",
    Networks = "Networks",
    Templates = "Templates",
    Connections = "Connections",
    Members = "Members",
    More = "and {0} more",

    // Tree
    NotRunning = "Not running",
    Elsewhere = "Host unknown",
    TreeLabel = "Objects of the pool",

    // Table
    Filter = "Filter",
    FilterHint = "Filter by name, state, host, address…",
    ClearFilter = "Clear the filter",
    VmsOf = "{0} of {1} VMs",
    VmsAll = "{0} VMs",
    VmsOne = "1 VM",
    SortBy = "Sort by {0}",
    NoVms = "This pool has no VMs",
    NoVmsHint = "Create one with a client of your choice, for example `xe vm-install`. It will appear here by itself.",
    NoMatch = "No VM matches “{0}”",
    NoMatchHint = "The filter looks at name, description, state, host and address.",
    VmsUnknown = "The VMs of this pool are unknown",
    VmsUnknownHint = "What was loaded does not hold them.",
    ShowInTable = "Show in table",
    ShowInTopology = "Show in topology",

    // Topology
    LensCompute = "Compute",
    LensStorage = "Storage",
    LensNetwork = "Network",
    Lenses = "Lenses",
    FitTitle = "Show the whole drawing",
    Zoom = "Zoom",
    ZoomIn = "Zoom in",
    ZoomOut = "Zoom out",
    AsTable = "Table",
    AsTableTitle = "Show the drawing as a table",
    DrawAll = "Draw all {0}",
    Capped = "{0} objects, folded so that the drawing stays readable.",
    Drawing = "Topology, {0} lens: {1} objects",
    ColumnUnknown = "unknown",
    NothingToDraw = "There is nothing to draw here",
    NothingToDrawHint = "This pool has no objects for this lens, or none of them were loaded.",
    Expandable = "{0}, a group: press Enter to unfold",
    FoldAll = "Fold all",
    Connected = "Connected to",

    // Details
    Details = "Details",
    Gone = "This object is gone",
    GoneHint = "It was removed from the pool while you looked at it.",
    Fields = "Facts",
}

impl Text {
    /// The text, for one without arguments.
    pub const fn get(self) -> &'static str {
        self.template()
    }

    /// The text with its arguments. One that is missing stays as its placeholder, which tests find.
    pub fn with(self, arguments: &[&str]) -> String {
        let mut text = String::new();
        let mut rest = self.template();
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let argument = after.split_once('}').and_then(|(at, behind)| {
                let argument = arguments.get(at.parse::<usize>().ok()?)?;
                Some((*argument, behind))
            });
            rest = match argument {
                Some((argument, behind)) => {
                    text.push_str(argument);
                    behind
                }
                None => {
                    text.push('{');
                    after
                }
            };
        }
        text.push_str(rest);
        text
    }
}

/// How many there are, in words: `1 VM`, `24 VMs`.
pub fn vms(count: usize) -> String {
    if count == 1 { Text::VmsOne.get().into() } else { Text::VmsAll.with(&[&crate::format::count(count)]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::format;

    #[test]
    fn arguments_take_their_places() {
        assert_eq!(Text::StaleBecause.with(&["9 s", "gone"]).as_str().split_once("9 s ago: gone").map(|it| it.1), Some(""));
        assert_eq!(Text::UsedOf.with(&["1", "{0}"]), "1 of {0}");
        assert_eq!(Text::UsedOf.with(&["1"]), "1 of {1}");
        assert_eq!(vms(1), "1 VM");
        assert_eq!(vms(5_000), "5,000 VMs");
    }

    #[test]
    fn placeholders_are_numbered_from_zero_without_gaps() {
        for text in Text::ALL {
            let used = (0..9).filter(|at| text.template().contains(&format!("{{{at}}}"))).count();
            let braces = text.template().matches('{').count();
            assert!((0..used).all(|at| text.template().contains(&format!("{{{at}}}"))), "{}", text.key());
            assert!(braces >= used && text.template().matches('}').count() == braces, "{}", text.key());
        }
    }

    #[test]
    fn no_text_is_empty_and_no_key_comes_twice() {
        let keys: BTreeSet<_> = Text::ALL.iter().map(|text| text.key()).collect();
        assert_eq!(keys.len(), Text::ALL.len());
        assert!(Text::ALL.iter().all(|text| !text.template().trim().is_empty()));
    }
}
