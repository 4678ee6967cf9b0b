//! The frame: login, bar, tree, freshness.

super::texts! {
    // The frame
    Product = "Xenoxide",
    SkipToContent = "Skip to content",
    LogOut = "Log out",
    ThemeSystem = "Theme: system",
    ThemeLight = "Theme: light",
    ThemeDark = "Theme: dark",
    Language = "Language",
    LanguageSystem = "System",
    Crashed = "The console has stopped",
    Reload = "Reload",
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

    // Tree
    NotRunning = "Not running",
    Elsewhere = "Host unknown",
    TreeLabel = "Objects of the pool",
}
