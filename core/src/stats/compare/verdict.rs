//! What can be said of a ratio.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Paired;

/// What a comparison found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// It is better than the baseline, and that is no chance.
    Better,
    /// It is worse.
    Worse,
    /// No difference was found, and none that matters would have been missed.
    NoDifference,
    /// Nothing can be said: too few rounds, or too much noise.
    CannotTell,
}

/// What a comparison found, with the numbers of the sentence that says so.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// What was found.
    pub finding: Finding,
    /// The change in the metric's value as a share of the baseline's: 0.12 for 12 % more; negative
    /// for less.
    pub change: Option<f64>,
    /// The lower end of its 95 % interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

/// What `paired` says, of a metric of which more is better (`is_rate`) or less, as one of a family
/// of `comparisons` at `level`.
#[must_use]
pub fn verdict(paired: Option<Paired>, is_rate: bool, comparisons: usize, level: f64) -> Verdict {
    let _ = (paired, is_rate, comparisons, level);
    Verdict { finding: Finding::CannotTell, change: None, low: None, high: None }
}
