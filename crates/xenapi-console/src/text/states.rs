//! The words for states, the same in tables, trees and drawings.

use xenapi_topology::State;

use super::Text;

super::texts! {
    StateRunning = "running",
    StateHalted = "halted",
    StatePaused = "paused",
    StateSuspended = "suspended",
    StateUnplugged = "unplugged",
    StateAttention = "attention",
    StateNoCarrier = "no carrier",
    StateFailed = "failed",
    StateUnknown = "unknown",

    // The same shapes, in the words of classes that do not run
    StateDisabled = "disabled",
    StateNotAnswering = "not answering",
    StateAttached = "attached",
    StatePartly = "partly attached",
    StateDetached = "detached",
    StateUp = "up",
    StateConnected = "connected",
    StateInUse = "in use",
    StateUnused = "not in use",
    StateMissing = "missing",
}

/// The word that a class has for a state: an SR does not run, it is attached.
pub(super) fn of_class(class: &str, state: State) -> Text {
    match (class, state) {
        ("host", State::Attention) => Text::StateDisabled,
        ("host", State::Failed) => Text::StateNotAnswering,
        ("SR", State::Attention) => Text::StatePartly,
        ("SR" | "PBD" | "VBD" | "VIF", State::Running) => Text::StateAttached,
        ("SR" | "PBD" | "VBD" | "VIF", State::Failed | State::Halted | State::Unplugged) => Text::StateDetached,
        ("PIF", State::Running) => Text::StateUp,
        ("network", State::Running) => Text::StateConnected,
        ("VDI", State::Running) => Text::StateInUse,
        ("VDI", State::Halted) => Text::StateUnused,
        ("VDI", State::Failed) => Text::StateMissing,
        (_, state) => of(state),
    }
}

pub(super) fn of(state: State) -> Text {
    match state {
        State::Running => Text::StateRunning,
        State::Halted => Text::StateHalted,
        State::Paused => Text::StatePaused,
        State::Suspended => Text::StateSuspended,
        State::Unplugged => Text::StateUnplugged,
        State::Attention => Text::StateAttention,
        State::NoCarrier => Text::StateNoCarrier,
        State::Failed => Text::StateFailed,
        State::Unknown => Text::StateUnknown,
    }
}
