//! Units of time and speed.

super::texts! {
    AgeSeconds = "{0} s",
    AgeMinutes = "{0} min",
    AgeHours = "{0} h",
    AgeDays = "{0} d",
    Megabits = "{0} Mb/s",
    Gigabits = "{0} Gb/s",
    InUtc = "{0} UTC",
}
