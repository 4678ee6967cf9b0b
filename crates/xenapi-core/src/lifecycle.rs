//! What became of a class, field or message in which release.

use crate::descriptor::{ClassDesc, FieldDesc, MessageDesc, Stage, Transition};

impl Stage {
    /// The name in the schema and in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Prototyped => "prototyped",
            Stage::Published => "published",
            Stage::Extended => "extended",
            Stage::Changed => "changed",
            Stage::Deprecated => "deprecated",
            Stage::Removed => "removed",
        }
    }
}

/// Where it stands now: prototyped, published, deprecated or removed. Being extended or changed ends nothing.
pub fn state(transitions: &[Transition]) -> Stage {
    let stages = transitions.iter().rev().map(|(stage, _)| *stage);
    stages.into_iter().find(|stage| !matches!(stage, Stage::Extended | Stage::Changed)).unwrap_or(Stage::Published)
}

/// The code name of the last release in which that happened to it.
pub fn release_of(transitions: &[Transition], stage: Stage) -> Option<&'static str> {
    transitions.iter().rev().find(|(it, _)| *it == stage).map(|(_, release)| *release)
}

macro_rules! lifecycles {
    ($($desc:ty),*) => {$(
        impl $desc {
            /// Where it stands now: prototyped, published, deprecated or removed.
            pub fn state(&self) -> Stage {
                state(self.lifecycle)
            }

            /// The code name of the first release that had it.
            pub fn since(&self) -> Option<&'static str> {
                self.lifecycle.first().map(|(_, release)| *release)
            }

            /// The code name of the release from which on it is not to be used.
            pub fn deprecated_in(&self) -> Option<&'static str> {
                release_of(self.lifecycle, Stage::Deprecated)
            }

            /// The code name of the release from which on it is gone.
            pub fn removed_in(&self) -> Option<&'static str> {
                release_of(self.lifecycle, Stage::Removed)
            }
        }
    )*};
}

lifecycles! { ClassDesc, FieldDesc, MessageDesc }
