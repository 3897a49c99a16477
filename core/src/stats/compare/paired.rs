//! Two contestants that took turns: the ratio of their rounds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The ratio of one contestant to another over rounds that they took turns in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Paired {
    /// The estimate of the ratio.
    pub ratio: f64,
    /// The lower end of its 95 % bootstrap interval; absent with too few rounds for one.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// How often chance alone makes a ratio at least as far from 1, by an exact sign-flip test.
    pub p_value: f64,
    /// Rounds that it rests on.
    pub rounds: u32,
}

/// The ratio of `other` to `base`, round by round; `None` when there are no rounds, or a value is
/// not above 0.
#[must_use]
pub fn paired(base: &[f64], other: &[f64]) -> Option<Paired> {
    let _ = (base, other);
    None
}

/// The fewest rounds with which a family of `comparisons` can come to a verdict at `level`.
#[must_use]
pub fn rounds_to_decide(comparisons: usize, level: f64) -> u32 {
    let _ = (comparisons, level);
    10
}
