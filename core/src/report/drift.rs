//! Whether the rate changed while it was measured.

use super::Doubt;

/// By how much of the mean the last third may differ from the first.
const CHANGE_MAX: f64 = 0.1;
/// How many standard errors the difference must have, so that chance alone does not make it.
const ERRORS_MIN: f64 = 3.0;
/// The fewest samples of each third.
const SAMPLES_MIN: usize = 5;

/// The doubt that the rate drifted: the mean of the last third of the samples differs from that of
/// the first by more than a tenth of the mean of all, and by more than the samples scatter.
#[must_use]
pub fn drift(rates: impl Iterator<Item = f64>) -> Option<Doubt> {
    let rates: Vec<f64> = rates.collect();
    let third = rates.len() / 3;
    if third < SAMPLES_MIN {
        return None;
    }
    let (first, last) = (Third::of(&rates[..third]), Third::of(&rates[rates.len() - third..]));
    let all = Third::of(&rates).mean;
    let difference = last.mean - first.mean;
    let error = (first.squared_error + last.squared_error).sqrt();
    if difference.abs() <= CHANGE_MAX * all || difference.abs() <= ERRORS_MIN * error {
        return None;
    }
    let way = if difference > 0.0 { "rose" } else { "fell" };
    // Without the figure, so that engines which drifted alike give one reason.
    let reason = format!(
        "its rate {way} by more than 10 % from the first third of the run to the last; warm up with \
         --ramp-time or --warmup-loops, or run longer"
    );
    Some(Doubt::new("drift", reason))
}

/// The mean of some samples, and the square of its standard error.
#[derive(Clone, Copy, Debug)]
struct Third {
    mean: f64,
    squared_error: f64,
}

impl Third {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand samples")]
    fn of(rates: &[f64]) -> Self {
        let count = rates.len() as f64;
        let mean = rates.iter().sum::<f64>() / count;
        let squares: f64 = rates.iter().map(|rate| (rate - mean).powi(2)).sum();
        Self { mean, squared_error: squares / (count - 1.0).max(1.0) / count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Forty samples that go from `first` to `last` in a line, and `scatter` up and down.
    fn line(first: f64, last: f64, scatter: f64) -> impl Iterator<Item = f64> {
        (0..40_i32).map(move |index| {
            let sign = if index % 2 == 0 { 1.0 } else { -1.0 };
            first + (last - first) * f64::from(index) / 39.0 + sign * scatter
        })
    }

    #[test]
    fn a_rate_that_rises_or_falls_is_a_drift_and_a_steady_one_is_not() {
        let fell = drift(line(1000.0, 700.0, 10.0)).expect("by 300, two thirds of it between");
        assert!(fell.code == "drift" && fell.reason.contains("fell"), "{fell:?}");
        assert!(drift(line(700.0, 1000.0, 10.0)).unwrap().reason.contains("rose"));
        assert_eq!(drift(line(1000.0, 1000.0, 10.0)), None);
        assert_eq!(drift(line(1000.0, 900.0, 10.0)), None, "two thirds of 10 %");
        assert_eq!(drift(line(0.0, 0.0, 0.0)), None);
    }

    #[test]
    fn a_difference_that_the_samples_scatter_by_is_chance() {
        assert!(drift(line(1000.0, 800.0, 100.0)).is_some(), "5 standard errors");
        assert_eq!(drift(line(1000.0, 800.0, 500.0)), None);
    }

    #[test]
    fn few_samples_tell_nothing() {
        assert_eq!(drift(line(1000.0, 100.0, 0.0).take(14)), None);
        assert!(drift(line(1000.0, 100.0, 0.0).take(15)).is_some());
        assert_eq!(drift(std::iter::empty()), None);
    }
}
