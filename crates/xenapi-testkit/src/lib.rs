//! Fixtures for the tests of this workspace: a client and a simulated pool, wired in memory, in virtual time.
//!
//! [`Pair`] carries every request and every answer as the bytes that would go over the wire, lets them take their time, and loses
//! them when it is told to, or by chance ([`Weather`]). Each host may answer at its own address ([`Pair::spread`]). Nothing sleeps; an hour passes in no time, and the same calls give the same run.

extern crate alloc;

mod network;
mod pair;
mod random;

pub use network::{Network, Weather};
pub use pair::{Log, Pair};
pub use random::Random;
