//! Details of one object.

super::texts! {
    // Details
    Details = "Details",
    Gone = "This object is gone",
    GoneHint = "It was removed from the pool while you looked at it.",
    Fields = "Facts",
}
