//! Times, taken so that what disturbs the machine disturbs everything alike.
//!
//! They are those that the thread had a processor. On a machine that does other things, too, they are closer to the truth than the
//! clock; on one that does not, they are the same.

use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

use crate::subject::Work;

/// Nanoseconds of single runs.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// The sample in the middle; NaN if there is none.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// Adds one.
    pub fn push(&mut self, nanoseconds: f64) {
        self.0.push(nanoseconds);
    }
}

/// The least time that one sample takes, so that the clock's own step does not show in it.
const LEAST: Duration = Duration::from_millis(4);

/// Takes each work's time in turn, round after round, until the time is over; at least `rounds` rounds.
pub fn interleaved(works: &mut [Work<'_>], rounds: usize, time: Duration) -> Vec<Samples> {
    let repeats: Vec<u32> = works.iter_mut().map(repeats).collect();
    let mut samples = vec![Samples::default(); works.len()];
    let start = Instant::now();
    let mut done = 0;
    while done < rounds || start.elapsed() < time {
        for ((work, samples), repeats) in works.iter_mut().zip(&mut samples).zip(&repeats) {
            samples.push(once(work, *repeats).as_secs_f64() * 1e9 / f64::from(*repeats));
        }
        done += 1;
    }
    samples
}

fn once(work: &mut Work<'_>, repeats: u32) -> Duration {
    let start = ThreadTime::now();
    for _ in 0..repeats {
        (work.run)();
    }
    start.elapsed()
}

/// How many runs make one sample.
fn repeats(work: &mut Work<'_>) -> u32 {
    let mut repeats = 1;
    while once(work, repeats) < LEAST && repeats < 1 << 20 {
        repeats *= 2;
    }
    repeats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_work_runs_in_every_round() {
        let count = core::cell::Cell::new(0_u32);
        let work = || Work { bytes: 1, run: Box::new(|| count.set(count.get() + 1)) };
        let samples = interleaved(&mut [work(), work()], 3, Duration::ZERO);
        assert_eq!(samples.len(), 2);
        assert!(samples.iter().all(|samples| samples.0.len() == 3 && samples.median() > 0.0));
        assert!(count.get() >= 6);
    }

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(Samples(vec![5.0, 1e9, 1.0]).median(), 5.0);
        assert!(Samples::default().median().is_nan());
    }
}
