//! What can be said of a ratio.
//!
//! - *Better* or *worse* takes two that agree: a p-value of at most the level, divided by the
//!   number of comparisons in the family, and an interval that does not hold 1. With a level of 1 %
//!   and an interval of 95 %, the second follows from the first but for rare cases (fewer than 1 in
//!   1,000); those cannot tell.
//! - *No difference* takes rounds with which the test could have found one, and an interval within
//!   [`DIFFERENCE_MAX`] of 1: it says how large a difference could have been missed, and a larger
//!   one than that is no answer.
//! - All else *cannot tell*.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Paired;
use super::paired::level_of_each;

/// The largest change that may be left open where no difference is said to be seen.
pub const DIFFERENCE_MAX: f64 = 0.1;
/// By how much of a step an end may lie above it and still be rounded down to it.
const STEP_SLACK: f64 = 1e-9;

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

impl Verdict {
    /// The larger end of the interval, whichever its direction, as a share of the baseline's value:
    /// "no difference larger than 3 % seen". Rounded up, to whole percents from 1 % on, to tenths
    /// of a percent below; 0 only when every round had the same ratio of 1. `None` without an
    /// interval.
    #[must_use]
    pub fn largest_change(&self) -> Option<f64> {
        let percent = 100.0 * self.low?.abs().max(self.high?.abs());
        let steps_per_percent = if percent < 1.0 { 10.0 } else { 1.0 };
        // An end that lies on a step but for rounding is not pushed to the next one.
        let steps = (percent * steps_per_percent - STEP_SLACK).ceil().max(0.0);
        Some(steps / steps_per_percent / 100.0)
    }
}

/// What `paired` says, of a metric of which more is better (`is_rate`) or less, as one of a family
/// of `comparisons` at `level`.
#[must_use]
pub fn verdict(paired: Option<Paired>, is_rate: bool, comparisons: usize, level: f64) -> Verdict {
    let Some(paired) = paired else {
        return Verdict { finding: Finding::CannotTell, change: None, low: None, high: None };
    };
    let level = level_of_each(comparisons, level);
    Verdict {
        finding: finding(&paired, is_rate, level),
        change: Some(paired.ratio - 1.0),
        low: paired.low.map(|low| low - 1.0),
        high: paired.high.map(|high| high - 1.0),
    }
}

/// Whether no more rounds are needed: there are as many as a verdict takes, and the ratio is known
/// to `resolution` (0.02 for 2 %), which bounds [`Paired::half_width`].
#[must_use]
pub fn is_decided(paired: Option<Paired>, comparisons: usize, level: f64, resolution: f64) -> bool {
    paired.is_some_and(|paired| {
        paired.p_value_least <= level_of_each(comparisons, level)
            && paired.half_width().is_some_and(|half| half <= resolution)
    })
}

fn finding(paired: &Paired, is_rate: bool, level: f64) -> Finding {
    let (Some(low), Some(high)) = (paired.low, paired.high) else { return Finding::CannotTell };
    let is_within = low >= 1.0 - DIFFERENCE_MAX && high <= 1.0 + DIFFERENCE_MAX;
    if paired.p_value <= level {
        match (low > 1.0, high < 1.0) {
            (true, _) if is_rate => Finding::Better,
            (_, true) if !is_rate => Finding::Better,
            (false, false) => Finding::CannotTell,
            _ => Finding::Worse,
        }
    } else if paired.p_value_least <= level && is_within {
        Finding::NoDifference
    } else {
        Finding::CannotTell
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::compare::{LEVEL, paired, unpaired};

    fn seen(low: f64, ratio: f64, high: f64, p_value: f64) -> Paired {
        let (low, high) = (Some(low), Some(high));
        Paired { ratio, low, high, p_value, p_value_least: 0.002, rounds: 10 }
    }

    fn finding_of(paired: impl Into<Option<Paired>>, is_rate: bool) -> Finding {
        verdict(paired.into(), is_rate, 1, LEVEL).finding
    }

    #[test]
    fn more_of_a_rate_is_better_and_of_anything_else_worse() {
        assert_eq!(finding_of(seen(1.09, 1.12, 1.15, 0.002), true), Finding::Better);
        assert_eq!(finding_of(seen(1.09, 1.12, 1.15, 0.002), false), Finding::Worse);
        assert_eq!(finding_of(seen(0.85, 0.88, 0.91, 0.002), true), Finding::Worse);
        assert_eq!(finding_of(seen(0.85, 0.88, 0.91, 0.002), false), Finding::Better);
    }

    #[test]
    fn a_large_family_asks_for_more() {
        let paired = Some(seen(1.09, 1.12, 1.15, 0.004));
        assert_eq!(verdict(paired, true, 2, LEVEL).finding, Finding::Better);
        assert_eq!(verdict(paired, true, 3, LEVEL).finding, Finding::CannotTell);
        let paired = Some(seen(0.99, 1.0, 1.01, 0.5));
        assert_eq!(verdict(paired, true, 5, LEVEL).finding, Finding::NoDifference);
        assert_eq!(verdict(paired, true, 6, LEVEL).finding, Finding::CannotTell, "0.002 > 0.01/6");
    }

    #[test]
    fn test_and_interval_must_agree() {
        assert_eq!(finding_of(seen(0.999, 1.05, 1.1, 0.002), true), Finding::CannotTell);
        assert_eq!(finding_of(seen(1.0, 1.05, 1.1, 0.002), true), Finding::CannotTell);
        assert_eq!(finding_of(seen(1.01, 1.05, 1.1, 0.02), true), Finding::NoDifference);
    }

    #[test]
    fn no_difference_is_not_said_where_a_large_one_may_be() {
        assert_eq!(finding_of(seen(0.89, 1.0, 1.05, 0.5), true), Finding::CannotTell);
        assert_eq!(finding_of(seen(0.95, 1.0, 1.11, 0.5), true), Finding::CannotTell);
        assert_eq!(finding_of(seen(0.91, 1.0, 1.09, 0.5), true), Finding::NoDifference);
        assert_eq!(finding_of(None, true), Finding::CannotTell);
    }

    #[test]
    fn rounds_that_all_agree_decide_and_too_few_never_do() {
        let constant = |rounds: usize| {
            let paired = paired(&vec![100.0; rounds], &vec![112.0; rounds]);
            verdict(paired, true, 1, LEVEL)
        };
        assert_eq!(constant(8).finding, Finding::Better);
        assert!((constant(8).change.unwrap() - 0.12).abs() < 1e-12);
        assert_eq!(constant(7).finding, Finding::CannotTell);
        let same = |rounds: usize| {
            let paired = unpaired(&vec![100.0; rounds], &vec![100.0; rounds]);
            verdict(paired, true, 1, LEVEL).finding
        };
        assert_eq!([same(4), same(5)], [Finding::CannotTell, Finding::NoDifference]);
    }

    #[test]
    fn all_is_decided_once_the_interval_is_narrow_and_rounds_are_enough() {
        let decided = |paired, comparisons| is_decided(paired, comparisons, LEVEL, 0.02);
        let seen = |low, ratio, high| Some(seen(low, ratio, high, 0.9));
        assert!(decided(seen(0.5 / 1.019, 0.5, 0.5 * 1.019), 1), "of the ratio, not of 1");
        assert!(!decided(seen(0.5 / 1.021, 0.5, 0.5 * 1.021), 1));
        assert!(!decided(seen(0.99, 1.0, 1.01), 6), "0.002 > 0.01/6");
        assert!(!decided(paired(&[1.0; 7], &[1.0; 7]), 1));
        assert!(decided(paired(&[1.0; 8], &[1.0; 8]), 1));
        assert!(!decided(None, 1));
    }

    #[test]
    fn the_largest_change_is_rounded_up() {
        let largest =
            |low, high| verdict(Some(seen(low, 1.0, high, 0.5)), true, 1, LEVEL).largest_change();
        let is_about = |found: Option<f64>, percent: f64| {
            let found = 100.0 * found.unwrap();
            assert!((found - percent).abs() < 1e-9, "{found} {percent}");
        };
        is_about(largest(0.979, 1.012), 3.0);
        is_about(largest(0.99, 1.0201), 3.0);
        is_about(largest(0.97, 1.01), 3.0);
        is_about(largest(0.9951, 1.0011), 0.5);
        is_about(largest(0.9999, 1.0), 0.1);
        is_about(largest(0.991, 1.0099), 1.0);
        is_about(largest(1.0, 1.0), 0.0);
        let none = Paired { low: None, high: None, ..seen(1.0, 1.0, 1.0, 1.0) };
        assert_eq!(verdict(Some(none), true, 1, LEVEL).largest_change(), None);
    }
}
