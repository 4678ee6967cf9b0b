//! Results side by side.

use core::cell::RefCell;
use core::fmt;
use core::time::Duration;
use std::time::Instant;

/// Collects the times of a benchmark's rows and shows them as a Markdown table of rates and ratios to the first row.
#[derive(Debug)]
pub struct Table {
    title: String,
    rows: RefCell<Vec<Row>>,
}

#[derive(Debug)]
struct Row {
    name: String,
    /// Bytes that one run goes through.
    bytes: usize,
    /// Nanoseconds of one run, one for each sample.
    samples: Vec<f64>,
}

impl Row {
    /// Millions of bytes in a second, by the median sample.
    fn rate(&self) -> f64 {
        let mut samples = self.samples.clone();
        samples.sort_by(f64::total_cmp);
        let Some(median) = samples.get(samples.len() / 2) else { return f64::NAN };
        #[expect(clippy::cast_precision_loss, reason = "documents are not that long")]
        let bytes = self.bytes as f64;
        bytes / median * 1000.0
    }
}

impl Table {
    /// A table without rows.
    pub fn new(title: &str) -> Self {
        Table { title: title.to_owned(), rows: RefCell::default() }
    }

    /// Runs `work` that many times, takes the time, and keeps it for the row of that name.
    pub fn time<T>(&self, name: &str, bytes: usize, runs: u64, mut work: impl FnMut() -> T) -> Duration {
        let start = Instant::now();
        for _ in 0..runs {
            core::hint::black_box(work());
        }
        let taken = start.elapsed();
        #[expect(clippy::cast_precision_loss, reason = "the number of runs is small")]
        let sample = taken.as_secs_f64() * 1e9 / runs.max(1) as f64;
        let mut rows = self.rows.borrow_mut();
        match rows.iter_mut().find(|row| row.name == name) {
            Some(row) => row.samples.push(sample),
            None => rows.push(Row { name: name.to_owned(), bytes, samples: vec![sample] }),
        }
        taken
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows.borrow();
        let first = rows.first().map_or(f64::NAN, Row::rate);
        writeln!(f, "| {} | MB/s | ratio |\n| --- | ---: | ---: |", self.title)?;
        for row in rows.iter() {
            writeln!(f, "| {} | {:.0} | {:.2} |", row.name, row.rate(), row.rate() / first)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_to_the_first_row() {
        let row = |name: &str, sample| Row { name: name.into(), bytes: 1000, samples: vec![sample, 1e9, 0.0] };
        let table = Table { title: "decode".into(), rows: RefCell::new(vec![row("slow", 2000.0), row("fast", 500.0)]) };
        assert_eq!(
            table.to_string(),
            "| decode | MB/s | ratio |\n| --- | ---: | ---: |\n| slow | 500 | 1.00 |\n| fast | 2000 | 4.00 |\n"
        );
    }

    #[test]
    fn a_row_is_timed_each_time() {
        let table = Table::new("t");
        let mut runs = 0;
        for _ in 0..2 {
            table.time("a", 1, 3, || runs += 1);
        }
        assert_eq!(runs, 6);
        assert_eq!(table.rows.borrow()[0].samples.len(), 2);
    }
}
