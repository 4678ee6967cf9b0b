//! Finding anything by name.

super::texts! {
    PaletteTitle = "Find anything",
    PaletteHint = "Name, address, MAC, VLAN, tag, uuid, or what to do…",
    PaletteNothing = "Nothing is called “{0}”",
    PaletteNothingHint = "Names, descriptions, tags, addresses, MACs, VLANs, uuids and references are looked through.",
    PaletteKeys = "↑↓ to choose · Enter to open · Ctrl+Enter to open elsewhere · Esc to close",
    PaletteRecent = "Chosen last",
    PaletteGo = "Go to",
    PaletteDo = "Do",
    PaletteResults = "Results",
    PaletteOf = "{0}: {1}",
    PaletteImpact = "What if {0} fails?",
    PaletteCopyUuid = "Copy the uuid of {0}",
    PaletteSearching = "Still reading…",
    MatchAddress = "address",
    MatchMac = "MAC",
    MatchVlan = "VLAN",
    MatchTag = "tag",
    MatchUuid = "uuid",
    MatchReference = "reference",
    MatchDescription = "description",
}

super::plurals! {
    PaletteFound = "{0} result", "{0} results";
}
