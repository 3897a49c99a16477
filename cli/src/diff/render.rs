//! Differences in the forms that people and programs read.

mod markdown;
#[cfg(test)]
mod tests;
mod text;

use anyhow::Context;

use super::difference::{Difference, Outcome};
use crate::args::DiffFormat;
use crate::ending::Failure;
use crate::voice::printable_json;

/// `difference` in the form that was asked for.
pub(super) fn rendered(difference: &Difference, format: DiffFormat) -> Result<Vec<u8>, Failure> {
    Ok(match format {
        DiffFormat::Text => text::text(difference).into_bytes(),
        DiffFormat::Md => markdown::markdown(difference).into_bytes(),
        DiffFormat::Json => {
            let json = serde_json::to_string_pretty(difference);
            let json = json.context("cannot render the results").map_err(Failure::failed)?;
            (printable_json(&json) + "\n").into_bytes()
        }
    })
}

/// What became of the gate, as a heading.
fn heading(difference: &Difference) -> String {
    let count = |outcomes: &[Outcome]| {
        difference.entries.iter().filter(|entry| outcomes.contains(&entry.outcome)).count()
    };
    let regressions = count(&[Outcome::Regression]);
    let open = count(&[Outcome::CannotTell, Outcome::NotEnoughRounds, Outcome::NotMeasured]);
    match (regressions, open) {
        (0, 0) => "no regression".into(),
        (0, open) if open == difference.entries.len() => "cannot tell".into(),
        (0, open) => {
            format!("no regression, and {open} of {} cannot tell", difference.entries.len())
        }
        (1, _) => "a regression".into(),
        (some, _) => format!("{some} regressions"),
    }
}
