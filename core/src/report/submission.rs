//! The time inside the calls that submit.

use serde::{Deserialize, Serialize};

/// The share of a request's latency above which its submission is said to block.
const BLOCKING_SHARE: f64 = 0.5;
/// Fewer samples than these tell nothing.
const SAMPLES_MIN: u64 = 8;

/// How long the calls take that submit, from a sample of them: one batch in 64 is submitted in a
/// call of its own, and reaped in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Submission {
    /// Calls in the sample.
    pub sampled_calls: u64,
    /// Their mean time in nanoseconds; absent when there were fewer than 8.
    pub call_mean_ns: Option<f64>,
    /// The share of the lanes' time that all calls took which submitted, if they took as long as
    /// those.
    pub time_share: Option<f64>,
    /// The mean time of a call over the mean latency of a request.
    pub latency_share: Option<f64>,
}

impl Submission {
    /// From `sampled_calls` that took `in_calls_ns` altogether, of `calls` in lanes that worked
    /// `lanes_s` seconds altogether, on requests of a mean latency.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "shares need few digits")]
    pub fn of(
        sampled_calls: u64,
        in_calls_ns: u64,
        calls: u64,
        lanes_s: f64,
        latency_mean_ns: f64,
    ) -> Self {
        if sampled_calls < SAMPLES_MIN {
            return Self { sampled_calls, ..Self::default() };
        }
        let mean_ns = in_calls_ns as f64 / sampled_calls as f64;
        let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        Self {
            sampled_calls,
            call_mean_ns: Some(mean_ns),
            time_share: share(mean_ns * calls as f64, lanes_s * 1e9),
            latency_share: share(mean_ns, latency_mean_ns),
        }
    }

    /// Both samples as one.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "shares need few digits")]
    pub fn and(self, more: Self) -> Self {
        let (one, two) = (self.sampled_calls as f64, more.sampled_calls as f64);
        let mean = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some((a * one + b * two) / (one + two)),
            (a, b) => a.or(b),
        };
        Self {
            sampled_calls: self.sampled_calls + more.sampled_calls,
            call_mean_ns: mean(self.call_mean_ns, more.call_mean_ns),
            time_share: mean(self.time_share, more.time_share),
            latency_share: mean(self.latency_share, more.latency_share),
        }
    }

    /// Whether requests spent most of their time in the call that submitted them.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.latency_share.is_some_and(|share| share > BLOCKING_SHARE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_the_sample() {
        // 10 calls of 20 us each, of 1,000 in a second, on requests of 100 us.
        let one = Submission::of(10, 200_000, 1000, 1.0, 100_000.0);
        assert_eq!(one.call_mean_ns, Some(20_000.0));
        assert!((one.time_share.unwrap() - 0.02).abs() < 1e-9);
        assert!((one.latency_share.unwrap() - 0.2).abs() < 1e-9 && !one.blocks());
        assert!(Submission::of(10, 200_000, 1000, 1.0, 30_000.0).blocks());
    }

    #[test]
    fn samples_weigh_by_the_calls_in_them() {
        let few = Submission::of(10, 10 * 1_000, 100, 1.0, 10_000.0);
        let both = few.and(Submission::of(30, 30 * 5_000, 100, 1.0, 10_000.0));
        assert_eq!((both.sampled_calls, both.call_mean_ns), (40, Some(4_000.0)));
        assert_eq!(few.and(Submission::default()).latency_share, few.latency_share);
    }

    #[test]
    fn few_calls_tell_nothing() {
        let few = Submission::of(7, 700, 1000, 1.0, 100.0);
        assert_eq!((few.sampled_calls, few.latency_share, few.blocks()), (7, None, false));
        let untimed = Submission::of(8, 800, 1000, 0.0, 0.0);
        assert_eq!((untimed.time_share, untimed.latency_share), (None, None));
    }
}
