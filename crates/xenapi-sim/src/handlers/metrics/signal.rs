//! How a measured value moves: functions of the time alone, so that the past never changes and asking twice gives the same.
//!
//! Only additions, multiplications and divisions, which every machine does alike: a sine would differ in its last digit.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

const DAY: i64 = 86_400;

/// When something was there: from the first second, before the second one.
pub(crate) type Span = (i64, i64);

/// Whether a time is in one of the spans.
pub(crate) fn is_in(spans: &[Span], time: i64) -> bool {
    spans.iter().any(|(from, to)| (*from..*to).contains(&time))
}

/// A number that belongs to a text, and is nothing like that of another text.
pub(crate) fn seed(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    mix(bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// From 0 up to 1.
pub(crate) fn fraction(bits: u64) -> f64 {
    let high = u32::try_from(bits >> 32).unwrap_or_default();
    f64::from(high) / 4_294_967_296.0
}

#[allow(clippy::cast_precision_loss, reason = "seconds of a day and counts of bytes are far below the limit")]
pub(crate) fn float(number: i64) -> f64 {
    number as f64
}

fn point(seed: u64, number: i64) -> f64 {
    fraction(mix(seed ^ number.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

/// Between 0 and 1: a slow part that goes from one value to the next in ten minutes, and a part that jumps every five seconds.
fn noise(seed: u64, time: i64) -> f64 {
    let (at, part) = (time.div_euclid(600), float(time.rem_euclid(600)) / 600.0);
    let slow = point(seed, at) * (1.0 - part) + point(seed, at + 1) * part;
    slow * 0.65 + point(seed ^ 0x5bd1, time.div_euclid(5)) * 0.35
}

/// How busy something is in the course of days and weeks.
#[derive(Clone, Debug)]
pub(crate) struct Rhythm {
    /// Its own.
    pub(crate) seed: u64,
    /// In the dead of night.
    pub(crate) floor: f64,
    /// What the best hour adds.
    pub(crate) span: f64,
    /// The best second of the day.
    pub(crate) peak: i64,
    /// What of the day's part is left at weekends.
    pub(crate) weekend: f64,
}

impl Rhythm {
    fn at(&self, time: i64) -> f64 {
        let half = float(DAY / 2);
        let away = float((time - self.peak + DAY / 2).rem_euclid(DAY)) / half - 1.0;
        let hump = (1.0 - away * away) * (1.0 - away * away);
        // The first day of the count was a Thursday.
        let is_weekend = matches!((time.div_euclid(DAY) + 4).rem_euclid(7), 0 | 6);
        let week = if is_weekend { self.weekend } else { 1.0 };
        (self.floor + self.span * hump * week) * (0.75 + 0.5 * noise(self.seed, time))
    }
}

/// A value that moves.
#[derive(Clone, Debug)]
pub(crate) enum Signal {
    /// Always the same.
    Flat(f64),
    /// Follows a rhythm between two values, in its own way.
    Load { rhythm: Arc<Rhythm>, seed: u64, low: f64, high: f64 },
    /// A sum of others, each with its weight, not above a limit.
    Sum { base: f64, parts: Vec<(f64, Signal)>, most: f64 },
    /// What the meter works out once for several.
    Shared(usize),
    /// Another, while something is there; else this.
    While { spans: Arc<[Span]>, signal: Box<Signal>, other: f64 },
}

impl Signal {
    /// The value at a time. `shared` are those that [`Signal::Shared`] names.
    pub(crate) fn at(&self, time: i64, shared: &[f64]) -> f64 {
        match self {
            Signal::Flat(value) => *value,
            Signal::Load { rhythm, seed, low, high } => {
                let part = rhythm.at(time) * (0.7 + 0.6 * noise(*seed, time));
                low + (high - low) * part.clamp(0.0, 1.0)
            }
            Signal::Sum { base, parts, most } => {
                let sum = parts.iter().fold(*base, |sum, (weight, signal)| sum + weight * signal.at(time, shared));
                sum.min(*most)
            }
            Signal::Shared(at) => shared.get(*at).copied().unwrap_or(0.0),
            Signal::While { spans, signal, other } => {
                if is_in(spans, time) {
                    signal.at(time, shared)
                } else {
                    *other
                }
            }
        }
    }

    /// A sum without a limit.
    pub(crate) fn sum(parts: Vec<(f64, Signal)>) -> Signal {
        Signal::Sum { base: 0.0, parts, most: f64::INFINITY }
    }

    /// The same in other units.
    pub(crate) fn times(&self, factor: f64) -> Signal {
        Signal::sum(Vec::from([(factor, self.clone())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_weeks_show() {
        let rhythm = Rhythm { seed: 7, floor: 0.1, span: 0.6, peak: 14 * 3600, weekend: 0.3 };
        let mean =
            |from: i64, length: i64| (0..length / 5).map(|at| rhythm.at(from + at * 5)).sum::<f64>() / float(length / 5);
        // A Monday.
        let monday = 4 * DAY;
        let (night, noon, sunday) =
            (mean(monday + 2 * 3600, 3600), mean(monday + 14 * 3600, 3600), mean(monday - 10 * 3600, 3600));
        assert!(noon > night * 2.0 && noon > sunday * 1.5, "{night} {noon} {sunday}");
    }

    #[test]
    fn values_stay_between_their_limits_and_move() {
        let rhythm = Arc::new(Rhythm { seed: 1, floor: 0.2, span: 0.9, peak: 0, weekend: 1.0 });
        let load = Signal::Load { rhythm, seed: 2, low: 10.0, high: 20.0 };
        let values: Vec<f64> = (0..20_000).map(|at| load.at(at * 61, &[])).collect();
        assert!(values.iter().all(|value| (10.0..=20.0).contains(value)));
        assert!(values.windows(2).filter(|pair| pair[0].to_bits() != pair[1].to_bits()).count() > 10_000);
        assert_eq!(load.at(-1_000_003, &[]).to_bits(), load.at(-1_000_003, &[]).to_bits());
    }

    #[test]
    fn sums_and_spans() {
        let inner =
            Signal::While { spans: Arc::from([(10, 20), (30, i64::MAX)]), signal: Box::new(Signal::Flat(3.0)), other: 1.0 };
        let values: Vec<i64> = [9, 10, 19, 20, 29, 30].into();
        let got: Vec<f64> = values.into_iter().map(|time| inner.at(time, &[])).collect();
        assert_eq!(got, [1.0, 3.0, 3.0, 1.0, 1.0, 3.0]);
        let sum =
            Signal::Sum { base: 1.0, parts: Vec::from([(2.0, Signal::Shared(0)), (1.0, Signal::Flat(1.0))]), most: 7.0 };
        assert_eq!((sum.at(0, &[2.0]), sum.at(0, &[9.0])), (6.0, 7.0));
    }
}
