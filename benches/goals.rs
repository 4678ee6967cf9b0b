//! What the codec must reach, held against a table.

use crate::table::Row;

/// One figure and its bound.
struct Goal {
    what: &'static str,
    /// Whether more is better.
    at_least: bool,
    bound: f64,
    measured: fn(&Rows<'_>) -> f64,
}

const fn at_least(bound: f64, what: &'static str, measured: fn(&Rows<'_>) -> f64) -> Goal {
    Goal { what, at_least: true, bound, measured }
}

const fn at_most(bound: f64, what: &'static str, measured: fn(&Rows<'_>) -> f64) -> Goal {
    Goal { what, at_least: false, bound, measured }
}

/// The rows of the main document: the first of each key.
struct Rows<'r>(&'r [Row]);

impl Rows<'_> {
    fn of(&self, key: &str) -> Option<&Row> {
        self.0.iter().find(|row| row.key == key)
    }

    fn figure(&self, key: &str, figure: fn(&Row) -> f64) -> f64 {
        self.of(key).map_or(f64::NAN, figure)
    }

    /// How many times as fast `key` is for one object as `other`.
    fn faster(&self, key: &str, other: &str) -> f64 {
        self.figure(other, |row| row.time) / self.figure(key, |row| row.time)
    }

    /// What more the members in another order cost.
    fn shuffled(&self, key: &str) -> f64 {
        self.figure(key, |row| row.shuffled / row.time)
    }
}

const GOALS: [Goal; 27] = [
    at_least(3.0, "typed, owned: times bare quick-xml events", |rows| rows.faster("typed", "events")),
    at_least(12.0, "typed, owned: times dxr", |rows| rows.faster("typed", "dxr")),
    at_least(3.5, "typed, owned: times serde_xmlrpc typed", |rows| rows.faster("typed", "serde_xmlrpc")),
    at_least(1.0, "typed, owned: times sonic-rs typed, for a record", |rows| rows.faster("typed", "sonic-rs")),
    at_most(2.2, "typed, owned: shuffled, times the time", |rows| rows.shuffled("typed")),
    at_most(7.5, "typed, owned: instructions per byte", |rows| rows.figure("typed", |row| row.instructions)),
    at_most(0.85, "typed, owned: heap per byte", |rows| rows.figure("typed", |row| row.heap)),
    at_least(0.8, "typed, borrowed: times the memchr visit", |rows| rows.faster("borrowed", "memchr")),
    at_most(2.2, "typed, borrowed: shuffled, times the time", |rows| rows.shuffled("borrowed")),
    at_most(5.0, "typed, borrowed: instructions per byte", |rows| rows.figure("borrowed", |row| row.instructions)),
    at_most(0.6, "typed, borrowed: heap per byte", |rows| rows.figure("borrowed", |row| row.heap)),
    at_least(1.5, "dynamic value: times bare quick-xml events", |rows| rows.faster("value", "events")),
    at_least(6.0, "dynamic value: times dxr", |rows| rows.faster("value", "dxr")),
    at_most(2.2, "dynamic value: shuffled, times the time", |rows| rows.shuffled("value")),
    at_most(11.0, "dynamic value: instructions per byte", |rows| rows.figure("value", |row| row.instructions)),
    at_most(1.4, "dynamic value: heap per byte", |rows| rows.figure("value", |row| row.heap)),
    at_least(3.0, "streamed: times bare quick-xml events", |rows| rows.faster("streamed", "events")),
    at_least(12.0, "streamed: times dxr", |rows| rows.faster("streamed", "dxr")),
    at_least(3.5, "streamed: times serde_xmlrpc typed", |rows| rows.faster("streamed", "serde_xmlrpc")),
    at_least(1.0, "streamed: times sonic-rs typed, for a record", |rows| rows.faster("streamed", "sonic-rs")),
    at_most(2.2, "streamed: shuffled, times the time", |rows| rows.shuffled("streamed")),
    at_most(7.5, "streamed: instructions per byte", |rows| rows.figure("streamed", |row| row.instructions)),
    #[expect(clippy::cast_precision_loss, reason = "documents are not that long")]
    at_most(64.0, "streamed: KiB of heap in all", |rows| {
        rows.figure("streamed", |row| row.heap * row.bytes as f64 / 1024.0)
    }),
    at_least(6.0, "encode typed, reused buffer: times serde_xmlrpc", |rows| {
        rows.faster("encode-reused", "encode-serde_xmlrpc")
    }),
    at_most(9.0, "encode typed, reused buffer: times the time of a memcpy", |rows| rows.faster("memcpy", "encode-reused")),
    at_most(3.5, "encode typed, reused buffer: instructions per byte", |rows| {
        rows.figure("encode-reused", |row| row.instructions)
    }),
    at_most(0.0, "encode typed, reused buffer: allocations per record", |rows| {
        rows.figure("encode-reused", |row| (row.allocations * 100.0).round() / 100.0)
    }),
];

/// The goals as a table, with what was measured.
pub fn goals(rows: &[Row]) -> String {
    let mut text = String::from("| goal | must | is | |\n| --- | ---: | ---: | --- |\n");
    for goal in &GOALS {
        let measured = (goal.measured)(&Rows(rows));
        let (sign, reached) = if goal.at_least { ("≥", measured >= goal.bound) } else { ("≤", measured <= goal.bound) };
        let (is, verdict) = match (measured.is_nan(), reached) {
            (true, _) => ("–".to_owned(), "not measured"),
            (false, true) => (format!("{measured:.2}"), "reached"),
            (false, false) => (format!("{measured:.2}"), "missed"),
        };
        text.push_str(&format!("| {} | {sign} {} | {is} | {verdict} |\n", goal.what, goal.bound));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::Samples;

    fn row(key: &'static str, time: f64) -> Row {
        let mut samples = Samples::default();
        samples.push(time);
        Row { key, shuffled: time * 2.0, heap: 0.9, ..Row::new("VM × 1".into(), key, 1000, 1, &samples) }
    }

    #[test]
    fn goals_are_reached_missed_or_not_measured() {
        let text = goals(&[row("events", 400.0), row("typed", 100.0)]);
        assert!(text.contains("| typed, owned: times bare quick-xml events | ≥ 3 | 4.00 | reached |"), "{text}");
        assert!(text.contains("| typed, owned: shuffled, times the time | ≤ 2.2 | 2.00 | reached |"), "{text}");
        assert!(text.contains("| typed, owned: heap per byte | ≤ 0.85 | 0.90 | missed |"), "{text}");
        assert!(text.contains("| typed, owned: times dxr | ≥ 12 | – | not measured |"), "{text}");
    }

    #[test]
    fn every_goal_is_about_subjects_that_there_are() {
        // Borrowed records and the reused buffer are measured once the codec has them.
        for key in [
            "events",
            "memchr",
            "memcpy",
            "dxr",
            "serde_xmlrpc",
            "sonic-rs",
            "typed",
            "streamed",
            "value",
            "encode-serde_xmlrpc",
        ] {
            assert!(crate::find(key).is_some(), "{key}");
        }
    }
}
