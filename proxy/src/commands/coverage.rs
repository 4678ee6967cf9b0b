//! `xenoxide sim --coverage`: which messages the simulated pool answers as xapi does.

use serde_json::json;
use xenapi_sim::{Coverage, CoveredMessage};

use crate::cli::Exit;
use crate::output;

/// Prints the list: a line for each message and a line of totals for each class, or the same as lines of JSON.
pub(super) fn run(as_json: bool) -> Result<(), Exit> {
    let all = xenapi_sim::coverage();
    if as_json {
        return all.iter().try_for_each(|entry| {
            let name = format!("{}.{}", entry.class, entry.message);
            output::line(&json!({ "message": name, "coverage": entry.coverage.name() }).to_string())
        });
    }
    for of_class in all.chunk_by(|one, other| one.class == other.class) {
        for entry in of_class {
            output::line(&format!("{:<60} {}", format!("{}.{}", entry.class, entry.message), entry.coverage.name()))?;
        }
        let class = of_class.first().map_or("", |entry| entry.class);
        output::line(&format!("{class}: {}\n", totals(of_class)))?;
    }
    output::line(&format!("All classes: {}", totals(&all)))?;
    output::line("Getters, setters, records, create and destroy that follow from the fields are simulated for every class.")
}

fn totals(of: &[CoveredMessage]) -> String {
    let count = |wanted| of.iter().filter(|entry| entry.coverage == wanted).count();
    format!(
        "{} of {} simulated, {} removed, {} not implemented",
        count(Coverage::Simulated),
        of.len(),
        count(Coverage::Removed),
        count(Coverage::NotImplemented)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_add_up() {
        let all = xenapi_sim::coverage();
        let numbers: Vec<usize> =
            totals(&all).split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect();
        assert_eq!(numbers.len(), 4);
        assert_eq!(numbers[0] + numbers[2] + numbers[3], numbers[1]);
        assert_eq!(numbers[1], all.len());
    }
}
