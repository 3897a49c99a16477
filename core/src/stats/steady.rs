//! Steady state, as the Storage Networking Industry Association (SNIA) tests for it: Solid State
//! Storage Performance Test Specification, section 2.1.24.

/// Rounds that are looked at.
pub const WINDOW: usize = 5;
/// Rounds after which nobody waits any longer.
pub const ROUNDS_MAX: usize = 25;
/// The most that the largest and the smallest may differ, in shares of the mean.
const RANGE_MAX: f64 = 0.2;
/// The most that the fitted line may rise or fall within the window, in shares of the mean.
const SLOPE_MAX: f64 = 0.1;

/// Whether the last rounds are steady: the last [`WINDOW`] of `rates` lie within a fifth of their
/// mean, and a straight line fitted to them changes by no more than a tenth of it from the first
/// of them to the last.
#[must_use]
pub fn is_steady(rates: &[f64]) -> bool {
    let Some(window) = rates.len().checked_sub(WINDOW).map(|first| &rates[first..]) else {
        return false;
    };
    let mean = mean(window);
    let least = window.iter().copied().fold(f64::INFINITY, f64::min);
    let most = window.iter().copied().fold(0.0, f64::max);
    mean > 0.0 && most - least <= RANGE_MAX * mean && excursion(window).abs() <= SLOPE_MAX * mean
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
