//! Steady state, as the Storage Networking Industry Association (SNIA) tests for it: Solid State
//! Storage Performance Test Specification, section 2.1.24.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rounds that are looked at.
pub const WINDOW: usize = 5;
/// Rounds after which nobody waits any longer.
pub const ROUNDS_MAX: usize = 25;
/// The most that the largest and the smallest may differ, in shares of the mean.
const RANGE_MAX: f64 = 0.2;
/// The most that the fitted line may rise or fall within the window, in shares of the mean.
const SLOPE_MAX: f64 = 0.1;

/// How far the rounds that are looked at lie from each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Steadiness {
    /// The largest less the smallest, in shares of their mean.
    pub range_share: f64,
    /// By how much the line of least squares rises from the first to the last, in shares of their
    /// mean.
    pub slope_share: f64,
}

impl Steadiness {
    /// That of the last [`WINDOW`] of `rates`; `None` where there are fewer, or nothing was done.
    #[must_use]
    pub fn of(rates: &[f64]) -> Option<Self> {
        let window = &rates[rates.len().checked_sub(WINDOW)?..];
        let mean = mean(window);
        let least = window.iter().copied().fold(f64::INFINITY, f64::min);
        let most = window.iter().copied().fold(0.0, f64::max);
        (mean > 0.0).then(|| Self {
            range_share: (most - least) / mean,
            slope_share: excursion(window) / mean,
        })
    }

    /// Whether they are steady: they lie within a fifth of their mean, and the line changes by no
    /// more than a tenth of it.
    #[must_use]
    pub fn is_steady(self) -> bool {
        self.range_share <= RANGE_MAX && self.slope_share.abs() <= SLOPE_MAX
    }
}

/// By how much the line of least squares through `rates` rises from the first to the last.
fn excursion(rates: &[f64]) -> f64 {
    let mean = mean(rates);
    let half = steps(rates) / 2.0;
    let (mut over, mut under) = (0.0, 0.0);
    for (index, rate) in (0_u32..).zip(rates) {
        let x = f64::from(index) - half;
        over += x * (rate - mean);
        under += x * x;
    }
    over / under * steps(rates)
}

/// Steps from the first to the last.
#[expect(clippy::cast_precision_loss, reason = "a few rounds")]
fn steps(rates: &[f64]) -> f64 {
    (rates.len() - 1) as f64
}

#[expect(clippy::cast_precision_loss, reason = "a few rounds")]
fn mean(rates: &[f64]) -> f64 {
    rates.iter().sum::<f64>() / rates.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_steady(rates: &[f64]) -> bool {
        Steadiness::of(rates).is_some_and(Steadiness::is_steady)
    }

    #[test]
    fn five_rounds_of_one_rate_are_steady_and_four_are_not() {
        assert!(is_steady(&[100.0; 5]));
        assert!(!is_steady(&[100.0; 4]));
        assert!(!is_steady(&[0.0; 5]), "nothing was done");
        assert!(!is_steady(&[]));
    }

    #[test]
    fn only_the_last_five_are_looked_at() {
        assert!(is_steady(&[500.0, 300.0, 100.0, 101.0, 99.0, 100.0, 100.0]));
        assert!(!is_steady(&[100.0, 100.0, 100.0, 100.0, 100.0, 130.0]));
    }

    #[test]
    fn the_range_is_a_fifth_of_the_mean_and_the_line_a_tenth() {
        // Up and down by a tenth: the line is level.
        assert!(is_steady(&[110.0, 90.0, 100.0, 90.0, 110.0]));
        assert!(!is_steady(&[110.1, 89.9, 100.0, 89.9, 110.1]), "20.2 of 100");
        // A straight line from end to end: its own range.
        assert!(is_steady(&[95.0, 97.5, 100.0, 102.5, 105.0]));
        assert!(!is_steady(&[94.0, 97.0, 100.0, 103.0, 106.0]), "it rises by 12 %");
        assert!(!is_steady(&[106.0, 103.0, 100.0, 97.0, 94.0]), "it falls by 12 %");
    }

    #[test]
    fn the_line_is_that_of_least_squares() {
        assert!((excursion(&[1.0, 3.0, 5.0, 7.0, 9.0]) - 8.0).abs() < 1e-12);
        // By hand: slope (-2*2 - 1*1 + 0 + 1*2 + 2*1)/10 = -0.1.
        assert!((excursion(&[2.0, 1.0, 0.0, 2.0, 1.0]) + 0.4).abs() < 1e-12);
    }
}
