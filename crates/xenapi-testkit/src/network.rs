//! What stands between client and server.

use alloc::collections::VecDeque;
use alloc::string::String;

use xenapi_core::{Failure, Millis};

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
    /// Answers that the next requests of these methods get instead of reaching the server.
    refusals: VecDeque<(String, Failure)>,
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
