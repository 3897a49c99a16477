//! The time inside the calls that submit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Latency, LatencyHistogram};

/// The share of a request's latency above which its submission is said to block.
const BLOCKING_SHARE: f64 = 0.5;
/// Fewer samples than these tell nothing.
const SAMPLES_MIN: u64 = 8;

/// How long the calls take that submit, from a sample of them: one batch in 64 is submitted in a
/// call of its own, and reaped in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Submission {
    /// Calls in the sample.
    pub sampled_calls: u64,
    /// Their mean time in nanoseconds; absent when there were fewer than 8.
    pub call_mean_ns: Option<f64>,
    /// Their median time in nanoseconds.
    pub call_p50_ns: Option<u64>,
    /// The share of the lanes' time that all calls took which submitted, if they took as long as
    /// those.
    pub time_share: Option<f64>,
    /// The median time of a call over the median latency of a request.
    pub latency_share: Option<f64>,
}

impl Submission {
    /// From a sample of `calls` in lanes that worked `lanes_s` seconds altogether, on requests of
    /// that latency.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "shares need few digits")]
    pub fn of(sample: &LatencyHistogram, calls: u64, lanes_s: f64, latency: &Latency) -> Self {
        let sampled_calls = sample.count();
        if sampled_calls < SAMPLES_MIN {
            return Self { sampled_calls, ..Self::default() };
        }
        let Latency { mean_ns, p50_ns, .. } = sample.summary();
        let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        let both = p50_ns.zip(latency.p50_ns);
        Self {
            sampled_calls,
            call_mean_ns: Some(mean_ns),
            call_p50_ns: p50_ns,
            time_share: share(mean_ns * calls as f64, lanes_s * 1e9),
            latency_share: both.and_then(|(call, request)| share(call as f64, request as f64)),
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
            // Medians cannot be put together.
            call_p50_ns: None,
            time_share: mean(self.time_share, more.time_share),
            latency_share: mean(self.latency_share, more.latency_share),
        }
    }

    /// Whether a request spends most of its time in the call that submitted them.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.latency_share.is_some_and(|share| share > BLOCKING_SHARE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 1,000 calls in a second, on requests of that median latency.
    fn sampled(calls: u64, call_ns: u64, request_ns: u64) -> Submission {
        let mut sample = LatencyHistogram::default();
        (0..calls).for_each(|_| sample.record(call_ns));
        let latency = Latency { p50_ns: Some(request_ns), ..Latency::default() };
        Submission::of(&sample, 1000, 1.0, &latency)
    }

    fn is_near(share: Option<f64>, wanted: f64) -> bool {
        share.is_some_and(|share| (share / wanted - 1.0).abs() < 0.01)
    }

    #[test]
    fn shares_are_those_of_the_sample() {
        let one = sampled(10, 20_000, 100_000);
        assert!(is_near(one.call_mean_ns, 20_000.0) && is_near(one.time_share, 0.02), "{one:?}");
        assert!(is_near(one.latency_share, 0.2) && !one.blocks(), "{one:?}");
        assert!(sampled(10, 20_000, 30_000).blocks());
    }

    #[test]
    fn samples_weigh_by_the_calls_in_them() {
        let few = sampled(10, 1_000, 10_000);
        let both = few.and(sampled(30, 5_000, 10_000));
        assert_eq!(both.sampled_calls, 40);
        assert!(is_near(both.call_mean_ns, 4_000.0) && is_near(both.latency_share, 0.4));
        assert_eq!(few.and(Submission::default()).latency_share, few.latency_share);
    }

    #[test]
    fn few_calls_tell_nothing() {
        let few = sampled(7, 100, 100);
        assert_eq!((few.sampled_calls, few.latency_share, few.blocks()), (7, None, false));
        let untimed = Submission::of(&LatencyHistogram::default(), 8, 0.0, &Latency::default());
        assert_eq!((untimed.time_share, untimed.latency_share), (None, None));
    }
}
