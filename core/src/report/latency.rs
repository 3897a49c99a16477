//! Latency of requests: a histogram while running, a few numbers in the report.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The longest latency that is told apart, in nanoseconds: an hour.
const LATENCY_NS_MAX: u64 = 3_600_000_000_000;

/// Latencies in nanoseconds with three significant digits; merged over lanes, never averaged.
#[derive(Clone, Debug, PartialEq)]
pub struct LatencyHistogram(Histogram<u64>);

impl Default for LatencyHistogram {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3);
        Self(histogram.expect("these bounds are valid"))
    }
}

impl LatencyHistogram {
    /// Counts one request. Longer than an hour counts as an hour.
    #[inline]
    pub fn record(&mut self, latency_ns: u64) {
        self.0.saturating_record(latency_ns);
    }

    /// Adds the counts of `other`.
    ///
    /// # Panics
    /// Never: all of these histograms have the same bounds.
    pub fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all of our histograms have the same bounds");
    }

    /// Requests counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The numbers for the report.
    #[must_use]
    pub fn summary(&self) -> Latency {
        if self.0.is_empty() {
            return Latency::default();
        }
        Latency {
            min_ns: self.0.min(),
            mean_ns: self.0.mean(),
            stdev_ns: self.0.stdev(),
            p50_ns: self.0.value_at_quantile(0.5),
            p90_ns: self.0.value_at_quantile(0.9),
            p99_ns: self.0.value_at_quantile(0.99),
            p99_9_ns: self.0.value_at_quantile(0.999),
            max_ns: self.0.max(),
        }
    }
}

/// Latency of requests in nanoseconds; all zero when none was timed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say all there is")]
pub struct Latency {
    pub min_ns: u64,
    pub mean_ns: f64,
    pub stdev_ns: f64,
    pub p50_ns: u64,
    pub p90_ns: u64,
    pub p99_ns: u64,
    pub p99_9_ns: u64,
    pub max_ns: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_histograms_count_every_request_once() {
        let (mut one, mut other) = (LatencyHistogram::default(), LatencyHistogram::default());
        (1..=500).for_each(|ns| one.record(ns));
        (501..=1000).for_each(|ns| other.record(ns));
        one.merge(&other);
        let summary = one.summary();
        assert_eq!(one.count(), 1000);
        assert_eq!((summary.min_ns, summary.p50_ns, summary.max_ns), (1, 500, 1000));
    }

    #[test]
    fn an_empty_histogram_sums_up_to_zeros_and_a_day_counts_as_an_hour() {
        let mut histogram = LatencyHistogram::default();
        assert_eq!(histogram.summary(), Latency::default());
        histogram.record(24 * LATENCY_NS_MAX);
        assert_eq!(histogram.count(), 1);
    }
}
