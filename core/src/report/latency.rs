//! Latency of requests: a histogram while running, a few numbers in the report.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use std::ops::Range;

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest latency that is told apart, in nanoseconds: an hour.
const LATENCY_NS_MAX: u64 = 3_600_000_000_000;
/// Three significant digits: 2048 values stand alone, and every further doubling is cut in 1024.
const SIGNIFICANT_DIGITS: u8 = 3;
const STEPS_BITS: u32 = 10;
/// The bits of a floating-point number below those that name its bucket.
const REST_BITS: u32 = f64::MANTISSA_DIGITS - 1 - STEPS_BITS;
/// Every number of 64 bits has a place, so that recording needs no limit. Memory that no latency
/// falls into is never touched, and costs nothing.
const BUCKETS: usize = 1 << u16::BITS;
/// How many places there are, by rising latency.
pub(super) const RANKS: usize = BUCKETS;
/// The place of the shortest latency. The longest lies before it.
const FIRST: usize = place_of(0) as usize;

/// The place of `ns` in the counts: the exponent and the first ten bits of the fraction of twice
/// the number and one, which is never 0, as a floating-point number. That cuts each doubling in
/// 1024, as an HDR histogram of three significant digits does, whose bounds it shares.
#[inline(always)]
const fn place_of(ns: u64) -> u16 {
    #[expect(clippy::cast_precision_loss, reason = "the first eleven bits are enough")]
    let number = (ns << 1 | 1).cast_signed() as f64;
    #[expect(clippy::cast_possible_truncation, reason = "of the exponent, six bits are enough")]
    let place = (number.to_bits() >> REST_BITS) as u16;
    place
}

/// The smallest latency of a bucket, which is the `rank`-th from the shortest.
pub(super) fn least_of(rank: usize) -> u64 {
    let (doubling, step) = (rank >> STEPS_BITS, rank % (1 << STEPS_BITS));
    // In units of 2^-10: where the bucket of twice the latency and one begins.
    let begin = (1_u128 << STEPS_BITS | step as u128) << doubling;
    let least = (begin - (1 << STEPS_BITS)).div_ceil(2 << STEPS_BITS);
    u64::try_from(least).unwrap_or(u64::MAX)
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

/// The longest latency of a bucket, as far as they are told apart.
fn longest_of(range: &Range<u64>) -> u64 {
    range.end - 1
}

impl LatencyHistogram {
    /// Counts one request. Longer than an hour counts as an hour.
    #[inline(always)]
    pub fn record(&mut self, latency_ns: u64) {
        self.counts[usize::from(place_of(latency_ns))] += 1;
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts.iter()) {
            // Most are zero, and memory that nothing is added to is never touched.
            if *more > 0 {
                *count += more;
            }
        }
    }

    /// Moves all counts to `other`, and tells `each` how many there were of which rank, from the
    /// shortest latency on.
    pub(super) fn move_to(&mut self, other: &mut Self, mut each: impl FnMut(usize, u64)) {
        for rank in 0..RANKS {
            let place = (FIRST + rank) % BUCKETS;
            let count = self.counts[place];
            if count > 0 {
                self.counts[place] = 0;
                other.counts[place] += count;
                each(rank, count);
            }
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
        for (range, count) in self.buckets() {
            histogram.saturating_record_n(range.start, count);
        }
        histogram
    }

    /// The numbers for the report: those of an HDR histogram, in one pass, whose cost does not
    /// depend on what was recorded.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "means have no more than 53 significant bits")]
    pub fn summary(&self) -> Latency {
        let buckets: Vec<(Range<u64>, u64)> = self.buckets().collect();
        let (Some((first, _)), Some((last, _))) = (buckets.first(), buckets.last()) else {
            return Latency::default();
        };
        let all: u64 = buckets.iter().map(|(_, count)| count).sum();
        let middle = |range: &Range<u64>| (range.start + (range.end - range.start) / 2) as f64;
        let sum: f64 = buckets.iter().map(|(range, count)| middle(range) * *count as f64).sum();
        let mean_ns = sum / all as f64;
        let square = |range| (middle(range) - mean_ns).powi(2);
        let squares: f64 = buckets.iter().map(|(range, count)| square(range) * *count as f64).sum();
        // One request in `least` is slower, so that fewer do not tell how slow it is.
        let one_in = |least: u64| {
            let rank = all - all / least;
            let mut passed = 0;
            let holds = |(_, count): &&(Range<u64>, u64)| {
                passed += count;
                passed >= rank
            };
            let bucket = buckets.iter().find(holds).filter(|_| all >= least);
            bucket.map(|(range, _)| longest_of(range))
        };
        Latency {
            min_ns: first.start,
            mean_ns,
            stdev_ns: (squares / all as f64).sqrt(),
            p50_ns: one_in(2),
            p90_ns: one_in(10),
            p95_ns: one_in(20),
            p99_ns: one_in(100),
            p99_9_ns: one_in(1_000),
            p99_99_ns: one_in(10_000),
            p99_999_ns: one_in(100_000),
            max_ns: longest_of(last),
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
        let (long, short) = self.counts.split_at(FIRST);
        let counted = short.iter().chain(long).enumerate().filter(|(_, count)| **count > 0);
        counted.map(|(rank, count)| (least_of(rank)..least_of(rank + 1), *count))
    }
}

/// Latency of requests in nanoseconds; all zero when none was timed.
///
/// A percentile is absent when there were too few requests for one of them to lie above it: p99.9
/// takes 1,000 of them, p99.999 takes 100,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say all there is")]
pub struct Latency {
    pub min_ns: u64,
    pub mean_ns: f64,
    pub stdev_ns: f64,
    pub p50_ns: Option<u64>,
    pub p90_ns: Option<u64>,
    pub p95_ns: Option<u64>,
    pub p99_ns: Option<u64>,
    pub p99_9_ns: Option<u64>,
    pub p99_99_ns: Option<u64>,
    pub p99_999_ns: Option<u64>,
    pub max_ns: u64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn merged_histograms_count_every_request_once() {
        let (mut one, mut other) = (LatencyHistogram::default(), LatencyHistogram::default());
        (1..=500).for_each(|ns| one.record(ns));
        (501..=1000).for_each(|ns| other.record(ns));
        one.merge(&other);
        let summary = one.summary();
        assert_eq!(one.count(), 1000);
        assert_eq!((summary.min_ns, summary.p50_ns, summary.max_ns), (1, Some(500), 1000));
    }

    #[test]
    fn no_percentile_is_made_up_from_too_few_requests() {
        let of = |count: u64| {
            let mut histogram = LatencyHistogram::default();
            (1..=count).for_each(|ns| histogram.record(ns));
            histogram.summary()
        };
        assert_eq!((of(1).p50_ns, of(1).max_ns), (None, 1));
        assert_eq!((of(99).p95_ns, of(99).p99_ns), (Some(95), None));
        assert_eq!((of(1000).p99_9_ns, of(1000).p99_99_ns), (Some(999), None));
        assert_eq!(of(99_999).p99_999_ns, None);
        let many = of(100_000);
        // The longest of a bucket, which is as wide as the third digit.
        assert_eq!((many.p99_99_ns, many.p99_999_ns), (Some(100_031), Some(100_031)));
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
            let (range, _count) = ours.buckets().next().unwrap();
            assert!(range.contains(&value), "{value}: {range:?}");
        }
        assert_eq!(place_of(2046) + 1, place_of(2047));
        assert_eq!(place_of(2047) + 1, place_of(2048));
        assert_eq!(place_of(2048), place_of(2049));
    }

    proptest! {
        #[test]
        fn the_summary_is_that_of_an_hdr_histogram(
            recorded in prop::collection::vec(0..LATENCY_NS_MAX / 2, 1..3000),
            shift in 0_u32..40,
        ) {
            let mut ours = LatencyHistogram::default();
            for ns in &recorded {
                ours.record(ns >> shift);
            }
            let (summary, theirs) = (ours.summary(), ours.histogram());
            let count = theirs.len();
            for (ns, least) in [
                (summary.p50_ns, 2_u32),
                (summary.p90_ns, 10),
                (summary.p95_ns, 20),
                (summary.p99_ns, 100),
                (summary.p99_9_ns, 1000),
            ] {
                let quantile = 1.0 - 1.0 / f64::from(least);
                let told = (count >= least.into()).then(|| theirs.value_at_quantile(quantile));
                prop_assert_eq!(ns, told, "one in {} of {}", least, count);
            }
            prop_assert_eq!((summary.min_ns, summary.max_ns), (theirs.min(), theirs.max()));
            prop_assert!((summary.mean_ns - theirs.mean()).abs() <= 1e-9 * theirs.mean());
            prop_assert!((summary.stdev_ns - theirs.stdev()).abs() <= 1e-6 * theirs.mean());
        }
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
