//! Archives: what is kept of the past, how finely, and how values of many seconds become one.

use alloc::vec::Vec;

use super::probes::Meter;
use super::signal::float;

/// Values are measured so often, in seconds.
pub(crate) const STEP: i64 = 5;

/// One of the four that are kept of everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Archive {
    /// Seconds from row to row.
    pub(crate) step: i64,
    pub(crate) rows: i64,
    /// How many of its seconds are looked at for a row.
    samples: i64,
}

const fn archive(step: i64, rows: i64, samples: i64) -> Archive {
    Archive { step, rows, samples }
}

/// Ten minutes, two hours, a week, a year.
pub(crate) const ARCHIVES: [Archive; 4] =
    [archive(5, 120, 1), archive(60, 120, 4), archive(3600, 168, 6), archive(86_400, 366, 12)];

impl Archive {
    /// The time of the newest row.
    pub(crate) fn last(self, now: i64) -> i64 {
        now - now.rem_euclid(self.step)
    }

    fn oldest(self, now: i64) -> i64 {
        self.last(now) - self.step * (self.rows - 1)
    }

    /// The finest one with rows at least `interval` apart that reaches back to `start`; if none does, the one that reaches back farthest.
    pub(crate) fn choose(now: i64, start: i64, interval: i64) -> Archive {
        let reaches = |archive: &&Archive| archive.step >= interval && archive.oldest(now) <= start;
        ARCHIVES.iter().find(reaches).copied().unwrap_or(ARCHIVES[3])
    }

    /// The times of the rows since `start`, newest first.
    pub(crate) fn times(self, now: i64, start: i64) -> impl Iterator<Item = i64> + use<> {
        let last = self.last(now);
        (0..self.rows).map(move |row| last - row * self.step).take_while(move |time| *time >= start)
    }
}

/// How values of many seconds become one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Consolidation {
    Average,
    Min,
    Max,
}

impl Consolidation {
    /// As in `AVERAGE`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Consolidation::Average => "AVERAGE",
            Consolidation::Min => "MIN",
            Consolidation::Max => "MAX",
        }
    }
}

/// The row of an object at a time: for each consolidation, the value of each of its probes. Where more than half of it is unknown, so is the row.
pub(crate) fn row(meter: &Meter, archive: Archive, time: i64, kinds: &[Consolidation], row: &mut Vec<f64>) {
    let columns = meter.probes.len();
    let mut all = Vec::with_capacity(columns);
    if archive.samples == 1 {
        meter.sample(time, &mut all);
        for _ in kinds {
            row.extend_from_slice(&all);
        }
        return;
    }
    let (mut known, mut sums) = (0, Vec::from([[0.0, f64::INFINITY, f64::NEG_INFINITY]]).repeat(columns));
    for sample in 1..=archive.samples {
        all.clear();
        let at = time - archive.step + sample * archive.step / archive.samples;
        meter.sample(at - at.rem_euclid(STEP), &mut all);
        if all.first().is_some_and(|value| value.is_nan()) {
            continue;
        }
        known += 1;
        for ([sum, least, most], value) in sums.iter_mut().zip(&all) {
            *sum += value;
            *least = least.min(*value);
            *most = most.max(*value);
        }
    }
    let is_known = known * 2 >= archive.samples;
    for kind in kinds {
        row.extend(sums.iter().map(|[sum, least, most]| match kind {
            _ if !is_known => f64::NAN,
            Consolidation::Average => sum / float(known),
            Consolidation::Min => *least,
            Consolidation::Max => *most,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finest_archive_that_reaches_back_is_taken() {
        let now = 1_782_864_003;
        for (ago, interval, step) in [
            (10, 0, 5),
            (590, 0, 5),
            (600, 0, 60),
            (7_000, 0, 60),
            (7_300, 0, 3600),
            (86_400, 0, 3600),
            (700_000, 0, 86_400),
            (10, 6, 60),
            (10, 61, 3600),
            (10, 90_000, 86_400),
            (now, 0, 86_400),
        ] {
            assert_eq!(Archive::choose(now, now - ago, interval).step, step, "{ago} {interval}");
        }
        let times: Vec<i64> = ARCHIVES[0].times(now, now - 12).collect();
        assert_eq!(times, [1_782_864_000, 1_782_863_995]);
        assert_eq!(ARCHIVES[0].times(now, 0).count(), 120);
        assert_eq!(ARCHIVES[0].times(now, now + 1).count(), 0);
    }
}
