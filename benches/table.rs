//! Results side by side, as Markdown.

use crate::timing::Samples;

/// What was measured of one subject on one document. What was not measured is NaN.
#[derive(Clone, Debug)]
pub struct Row {
    /// The key of the subject; empty for other programs.
    pub key: &'static str,
    /// The document.
    pub document: String,
    /// The subject, or another program.
    pub name: String,
    /// Bytes that one run goes through.
    pub bytes: usize,
    /// Objects that one run makes.
    pub count: usize,
    /// Nanoseconds of one run.
    pub time: f64,
    /// Nanoseconds of one run of what it is compared to, on the same content.
    pub base: f64,
    /// Nanoseconds of one run on the same content with its members shuffled.
    pub shuffled: f64,
    /// Instructions for each byte of the document.
    pub instructions: f64,
    /// The most bytes of heap at a time for each byte of the document.
    pub heap: f64,
    /// Allocations for each object.
    pub allocations: f64,
}

impl Row {
    /// A row of which only the time is known.
    pub fn new(document: String, name: &str, bytes: usize, count: usize, samples: &Samples) -> Self {
        Row {
            key: "",
            document,
            name: name.to_owned(),
            bytes,
            count,
            time: samples.median(),
            base: f64::NAN,
            shuffled: f64::NAN,
            instructions: f64::NAN,
            heap: f64::NAN,
            allocations: f64::NAN,
        }
    }

    /// How many times as fast as what it is compared to.
    pub fn ratio(&self) -> f64 {
        self.base / self.time
    }

    fn cells(&self) -> [String; 9] {
        #[expect(clippy::cast_precision_loss, reason = "documents are not that long")]
        let (bytes, count) = (self.bytes as f64, self.count as f64);
        [
            self.document.clone(),
            self.name.clone(),
            number(bytes / self.time * 1000.0, 0),
            number(self.time / count / 1000.0, 2),
            number(self.ratio(), 2),
            number(self.shuffled / self.time, 2),
            number(self.instructions, 2),
            self.heap(bytes),
            number(self.allocations, 1),
        ]
    }

    /// What takes next to nothing for a byte is told as a whole.
    fn heap(&self, bytes: f64) -> String {
        let kibibytes = self.heap * bytes / 1024.0;
        if (0.01..200.0).contains(&kibibytes) { format!("{kibibytes:.0} KiB in all") } else { number(self.heap, 2) }
    }
}

fn number(number: f64, digits: usize) -> String {
    if number.is_finite() { format!("{number:.digits$}") } else { "–".to_owned() }
}

/// The rows as a table.
pub fn markdown(rows: &[Row]) -> String {
    let heads = [
        "document",
        "what",
        "MB/s",
        "µs/object",
        "× first",
        "shuffled: × time",
        "instructions/byte",
        "heap/byte",
        "allocations/object",
    ];
    let mut text = format!("| {} |\n| --- | --- |{}\n", heads.join(" | "), " ---: |".repeat(heads.len() - 2));
    for row in rows {
        text.push_str(&format!("| {} |\n", row.cells().join(" | ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_is_a_dash() {
        let mut samples = Samples::default();
        samples.push(2000.0);
        let mut row = Row::new("VM × 2".into(), "it", 1000, 2, &samples);
        row.base = 4000.0;
        row.shuffled = 3000.0;
        let table = markdown(&[row]);
        let last = table.lines().last();
        assert_eq!(last, Some("| VM × 2 | it | 500 | 1.00 | 2.00 | 1.50 | – | – | – |"), "{table}");
        let columns = |line: &str| line.matches('|').count();
        assert!(table.lines().all(|line| columns(line) == 10), "{table}");
    }
}
