//! What stands between client and server.

use alloc::collections::VecDeque;
use alloc::string::String;

use xenapi_core::{Failure, Millis};

use crate::random::Random;

/// The way between client and server, and what goes wrong on it. Change it at any time; what is under way is concerned, too.
#[derive(Debug)]
pub struct Network {
    /// How long a document travels, either way.
    pub delay: Millis,
    /// Requests are answered at once with "connection refused", as by a host whose server is not running.
    pub refuses: bool,
    /// Nothing arrives, and nobody says so: a cable was pulled.
    pub is_silent: bool,
    /// So many of the next answers are lost, after the server has carried out the calls.
    pub lose_answers: usize,
    /// So many of the next answers are cut off in the middle.
    pub cut_answers: usize,
    /// What happens by chance.
    pub weather: Option<Weather>,
    /// Answers that the next requests of these methods get instead of reaching the server.
    refusals: VecDeque<(String, Failure)>,
}

/// What happens to requests and answers by chance, each so many times out of a thousand.
#[derive(Clone, Debug)]
pub struct Weather {
    /// The dice.
    pub random: Random,
    /// A document never arrives, and nobody says so.
    pub lost: u64,
    /// The connection is reset in the place of a document, and the client is told.
    pub reset: u64,
    /// An answer ends somewhere, as if that were its end.
    pub cut: u64,
    /// A request is carried out twice: two connections carry it.
    pub twice: u64,
    /// Documents take up to so much longer than [`Network::delay`]. They overtake each other.
    pub slowest: Millis,
}

/// What becomes of a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Arrives,
    Vanishes,
    Resets,
    /// Only so many bytes arrive.
    EndsAt(usize),
}

impl Network {
    /// A network on which nothing goes wrong and everything takes 2 ms.
    pub const fn new() -> Self {
        Network {
            delay: Millis(2),
            refuses: false,
            is_silent: false,
            lose_answers: 0,
            cut_answers: 0,
            weather: None,
            refusals: VecDeque::new(),
        }
    }

    /// The next request of that method is refused like this, and does not reach the server.
    pub fn refuse_next(&mut self, method: impl Into<String>, failure: Failure) {
        self.refusals.push_back((method.into(), failure));
    }

    /// Nothing goes wrong any more.
    pub fn heal(&mut self) {
        *self = Network { delay: self.delay, ..Network::new() };
    }

    pub(crate) fn refusal_of(&mut self, method: &str) -> Option<Failure> {
        let at = self.refusals.iter().position(|(it, _)| it == method)?;
        self.refusals.remove(at).map(|(_, failure)| failure)
    }

    /// What becomes of a request.
    pub(crate) fn fate_of_request(&mut self) -> Fate {
        let Some(weather) = &mut self.weather else { return Fate::Arrives };
        match () {
            () if weather.random.happens(weather.lost) => Fate::Vanishes,
            () if weather.random.happens(weather.reset) => Fate::Resets,
            () => Fate::Arrives,
        }
    }

    /// What becomes of an answer of that length.
    pub(crate) fn fate_of_answer(&mut self, length: usize) -> Fate {
        match self.fate_of_request() {
            Fate::Arrives => match &mut self.weather {
                Some(weather) => {
                    let ends = weather.random.happens(weather.cut);
                    if ends { Fate::EndsAt(weather.random.place(length)) } else { Fate::Arrives }
                }
                None => Fate::Arrives,
            },
            other => other,
        }
    }

    /// Whether a request is carried out twice.
    pub(crate) fn doubles(&mut self) -> bool {
        self.weather.as_mut().is_some_and(|weather| weather.random.happens(weather.twice))
    }

    /// How long a document is under way.
    pub(crate) fn travel_time(&mut self) -> Millis {
        let more = self.weather.as_mut().map_or(0, |weather| weather.random.below(weather.slowest.0 + 1));
        self.delay + Millis(more)
    }

    /// Where an answer of that length is split into two parts that travel one after the other.
    pub(crate) fn splits_at(&mut self, length: usize) -> Option<usize> {
        let weather = self.weather.as_mut()?;
        Some(weather.random.place(length)).filter(|at| *at > 0)
    }

    pub(crate) fn takes(count: &mut usize) -> bool {
        let takes = *count > 0;
        *count = count.saturating_sub(1);
        takes
    }
}

impl Default for Network {
    fn default() -> Self {
        Network::new()
    }
}
