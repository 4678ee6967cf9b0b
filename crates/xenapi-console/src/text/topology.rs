//! The topology.

super::texts! {
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
}
