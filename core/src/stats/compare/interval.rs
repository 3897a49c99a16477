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

/// The median of `values`, with an interval between two of them; `None` for no values.
///
/// The interval is that of order statistics: of n independent values, the number that lies below
/// the true median is that of heads in n throws of a coin, whatever their distribution. Its ends
/// are the k-th smallest and the k-th largest value, with the largest k for which fewer than k
/// heads, or tails, are thrown with a probability of at most 5 %. Fewer than six values have none.
#[must_use]
pub fn median(values: &[f64]) -> Option<Interval> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    let cut = values_cut(sorted.len());
    Some(Interval {
        median: f64::midpoint(lower, upper),
        low: cut.map(|cut| sorted[cut]),
        high: cut.map(|cut| sorted[sorted.len() - 1 - cut]),
    })
}

/// How many of `count` values lie outside the interval on each side; `None` when even the smallest
/// and the largest have the median between them too rarely.
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 values")]
fn values_cut(count: usize) -> Option<usize> {
    // The probability of so many heads; in logarithms, because 2^-n is 0 for many values.
    let mut log_heads = -(count as f64) * std::f64::consts::LN_2;
    let mut below = 0.0;
    let mut cut = None;
    for heads in 0..count / 2 {
        below += 2.0 * libm::exp(log_heads);
        if below > 1.0 - super::paired::CONFIDENCE {
            break;
        }
        cut = Some(heads);
        log_heads += libm::log((count - heads) as f64 / (heads + 1) as f64);
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up_to(count: u32) -> Vec<f64> {
        (1..=count).rev().map(f64::from).collect()
    }

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_middle_two() {
        let middle = |values: &[f64]| median(values).map(|interval| interval.median);
        assert_eq!(middle(&[4.0, 1.0, 2.0, 10.0]), Some(3.0));
        assert_eq!(middle(&[4.0, 1.0, 10.0]), Some(4.0));
        assert_eq!(middle(&[7.0]), Some(7.0));
        assert_eq!(middle(&[]), None);
    }

    #[test]
    fn the_ends_are_those_of_tables() {
        // Conover, Practical Nonparametric Statistics, table A3: ranks of 95 % intervals.
        let ranks =
            [(6, 1), (8, 1), (9, 2), (10, 2), (12, 3), (15, 4), (20, 6), (25, 8), (100, 40)];
        for (count, rank) in ranks {
            let interval = median(&up_to(count)).unwrap();
            assert_eq!(interval.low, Some(f64::from(rank)), "{count}");
            assert_eq!(interval.high, Some(f64::from(count + 1 - rank)), "{count}");
        }
    }

    #[test]
    fn fewer_than_six_values_have_no_interval_and_very_many_have_one() {
        for count in 1..6 {
            let interval = median(&up_to(count)).unwrap();
            assert_eq!([interval.low, interval.high], [None; 2]);
        }
        let interval = median(&up_to(10_000)).unwrap();
        assert_eq!(interval.low, Some(4902.0), "about 98 below the middle");
    }
}
