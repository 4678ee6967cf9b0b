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
