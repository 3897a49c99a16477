//! Latency of requests: a histogram while running, a few numbers in the report.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use std::ops::Range;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The longest latency that is told apart, in nanoseconds: an hour.
const LATENCY_NS_MAX: u64 = 3_600_000_000_000;
/// Three significant digits: 2048 values stand alone, and every further doubling is cut in 1024.
const SIGNIFICANT_DIGITS: u8 = 3;
const STEPS_BITS: u32 = 10;
/// Every number of 64 bits has a place, so that recording needs no limit. Memory that no latency
/// falls into is never touched, and costs nothing.
const BUCKETS: usize = 1 << u16::BITS;
const _: () = assert!(bucket_of(u64::MAX) < BUCKETS);

/// The place of `ns` in the counts: the layout of an HDR histogram of three significant digits,
/// whose bounds it shares, without the checks that a growing one needs.
#[inline(always)]
const fn bucket_of(ns: u64) -> usize {
    // The doubling that it lies in; 0 for all that stand alone.
    let doubling = (u64::BITS - 1 - (ns | (1 << STEPS_BITS)).leading_zeros()) - STEPS_BITS;
    #[expect(clippy::cast_possible_truncation, reason = "usize has 64 bits here")]
    let bucket = (((doubling as u64) << STEPS_BITS) + (ns >> doubling)) as usize;
    bucket
}

/// The smallest value of a bucket.
fn least_of(bucket: usize) -> u64 {
    let doubling = (bucket as u64 >> STEPS_BITS).saturating_sub(1);
    (bucket as u64 - (doubling << STEPS_BITS)) << doubling
}

/// Latencies in nanoseconds with three significant digits; merged over lanes, never averaged.
#[derive(Clone, PartialEq)]
pub struct LatencyHistogram {
    counts: Box<[u64; BUCKETS]>,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        let counts = vec![0; BUCKETS].into_boxed_slice().try_into();
        Self { counts: counts.expect("as long as was just said") }
    }
}

impl std::fmt::Debug for LatencyHistogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LatencyHistogram").field("count", &self.count()).finish_non_exhaustive()
    }
}

impl LatencyHistogram {
    /// Counts one request. Longer than an hour counts as an hour.
    #[inline(always)]
    pub fn record(&mut self, latency_ns: u64) {
        #[expect(clippy::cast_possible_truncation, reason = "asserted above")]
        let bucket = bucket_of(latency_ns) as u16;
        self.counts[usize::from(bucket)] += 1;
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts.iter()) {
            *count += more;
        }
    }

    /// Requests counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The same counts as an HDR histogram.
    fn histogram(&self) -> Histogram<u64> {
        let made = Histogram::new_with_bounds(1, LATENCY_NS_MAX, SIGNIFICANT_DIGITS);
        let mut histogram = made.expect("these bounds are valid");
        for (bucket, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            histogram.saturating_record_n(least_of(bucket), *count);
        }
        histogram
    }

    /// The numbers for the report.
    #[must_use]
    pub fn summary(&self) -> Latency {
        let histogram = self.histogram();
        if histogram.is_empty() {
            return Latency::default();
        }
        Latency {
            min_ns: histogram.min(),
            mean_ns: histogram.mean(),
            stdev_ns: histogram.stdev(),
            p50_ns: histogram.value_at_quantile(0.5),
            p90_ns: histogram.value_at_quantile(0.9),
            p99_ns: histogram.value_at_quantile(0.99),
            p99_9_ns: histogram.value_at_quantile(0.999),
            max_ns: histogram.max(),
        }
    }

    /// For each of `percents` the latency in nanoseconds that this share of the requests did not
    /// exceed, to three digits; zeros when none was timed.
    #[must_use]
    pub fn percentiles(&self, percents: &[f64]) -> Vec<u64> {
        let histogram = self.histogram();
        percents.iter().map(|percent| histogram.value_at_percentile(*percent)).collect()
    }

    /// The buckets that are not empty, by rising latency: the latencies in nanoseconds that fall
    /// into it, and how many did.
    pub fn buckets(&self) -> impl Iterator<Item = (Range<u64>, u64)> {
        let counted = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counted.map(|(bucket, count)| (least_of(bucket)..least_of(bucket + 1), *count))
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
    fn every_value_falls_where_an_hdr_histogram_puts_it() {
        let edges = (0..42).flat_map(|bit| {
            let power = 1_u64 << bit;
            [power - 1, power, power + 1, power + power / 3, power + power / 2]
        });
        for value in edges.chain([LATENCY_NS_MAX - 1, LATENCY_NS_MAX]) {
            let value = value.min(LATENCY_NS_MAX);
            let mut ours = LatencyHistogram::default();
            ours.record(value);
            let made = Histogram::<u64>::new_with_bounds(1, LATENCY_NS_MAX, SIGNIFICANT_DIGITS);
            let mut theirs = made.unwrap();
            theirs.record(value).unwrap();
            assert_eq!(ours.histogram(), theirs, "{value}");
            assert!(least_of(bucket_of(value)) <= value);
        }
        assert_eq!(bucket_of(2047) + 1, bucket_of(2048));
        assert_eq!(bucket_of(4095) + 1, bucket_of(4096));
    }

    #[test]
    fn buckets_hold_every_request_where_it_was_recorded() {
        let mut histogram = LatencyHistogram::default();
        let recorded = [1, 1, 2_047, 2_048, 4_097, 1_000_000, LATENCY_NS_MAX];
        for ns in recorded {
            histogram.record(ns);
        }
        let buckets: Vec<_> = histogram.buckets().collect();
        assert_eq!(buckets.iter().map(|(_, count)| count).sum::<u64>(), histogram.count());
        for ns in recorded {
            let holding = buckets.iter().filter(|(range, _)| range.contains(&ns)).count();
            assert_eq!(holding, 1, "{ns}");
        }
        assert_eq!(buckets[0], (1..2, 2));
        assert!(buckets.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start));
    }

    #[test]
    fn percentiles_rise_and_end_at_the_longest_latency() {
        let mut histogram = LatencyHistogram::default();
        assert_eq!(histogram.percentiles(&[1.0, 99.0]), [0, 0]);
        (1..=1000).for_each(|ns| histogram.record(ns));
        assert_eq!(histogram.percentiles(&[1.0, 50.0, 99.0, 100.0]), [10, 500, 990, 1000]);
    }

    #[test]
    fn an_empty_histogram_sums_up_to_zeros_and_a_day_counts_as_an_hour() {
        let mut histogram = LatencyHistogram::default();
        assert_eq!(histogram.summary(), Latency::default());
        histogram.record(24 * LATENCY_NS_MAX);
        assert_eq!(histogram.count(), 1);
    }
}
