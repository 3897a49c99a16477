//! Latencies in steps of a sixteenth of a doubling: few enough to keep some for each interval.

use super::latency::{RANKS, least_of};
use super::{LatencyHistogram, SampleLatency};

/// Ranks of a histogram in one step: sixteen steps to a doubling.
const RANKS_EACH: usize = 64;
/// Steps up to about two minutes. What takes longer counts in the last.
const STEPS: usize = 600;
const _: () = assert!(STEPS * RANKS_EACH <= RANKS);

/// For each of some intervals, how many latencies fell into each step, and the longest. Memory of
/// intervals without latencies is never touched.
#[derive(Clone, Debug, Default)]
pub(crate) struct LatencySteps {
    counts: Vec<u32>,
    longest_ns: Vec<u64>,
}

impl LatencySteps {
    /// Room for so many intervals.
    pub(crate) fn with_room(intervals: usize) -> Self {
        Self { counts: vec![0; intervals * STEPS], longest_ns: vec![0; intervals] }
    }

    /// Moves all latencies of `recent` to `earlier`, and counts them in `interval`, if there is
    /// room for it.
    pub(crate) fn take(
        &mut self,
        interval: usize,
        recent: &mut LatencyHistogram,
        earlier: &mut LatencyHistogram,
    ) {
        let counts = self.counts.get_mut(interval * STEPS..(interval + 1) * STEPS);
        let Some(counts) = counts else {
            recent.move_to(earlier, |_rank, _count| ());
            return;
        };
        let mut last = None;
        recent.move_to(earlier, |rank, count| {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            let step = &mut counts[(rank / RANKS_EACH).min(STEPS - 1)];
            *step = step.saturating_add(count);
            last = last.max(Some(rank));
        });
        if let Some(last) = last {
            let longest_ns = &mut self.longest_ns[interval];
            *longest_ns = (*longest_ns).max(least_of(last + 1) - 1);
        }
    }

    /// The latencies of `interval` in all of `lanes`; `None` when there were none.
    pub(crate) fn summary<'a>(
        lanes: impl Iterator<Item = &'a Self>,
        interval: usize,
    ) -> Option<SampleLatency> {
        let mut counts = [0_u64; STEPS];
        let mut max_ns = 0;
        for lane in lanes {
            let of_lane = lane.counts.get(interval * STEPS..(interval + 1) * STEPS);
            for (count, more) in counts.iter_mut().zip(of_lane.into_iter().flatten()) {
                *count += u64::from(*more);
            }
            max_ns = max_ns.max(lane.longest_ns.get(interval).copied().unwrap_or(0));
        }
        let all: u64 = counts.iter().sum();
        let percentile = |least: u64| {
            (all >= least).then(|| {
                let below = all - all / least;
                middle_of(reaching(&counts, below.max(1))).min(max_ns)
            })
        };
        (all > 0).then(|| SampleLatency { p50_ns: percentile(2), p99_ns: percentile(100), max_ns })
    }
}

/// The first step by which there are `wanted` latencies.
fn reaching(counts: &[u64], wanted: u64) -> usize {
    let mut seen = 0;
    let found = counts.iter().position(|count| {
        seen += count;
        seen >= wanted
    });
    found.unwrap_or(counts.len() - 1)
}

fn middle_of(step: usize) -> u64 {
    let (least, beyond) = (least_of(step * RANKS_EACH), least_of((step + 1) * RANKS_EACH));
    least + (beyond - least) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The latencies from `from` on, one of each of `count` microseconds.
    fn histogram(from: u64, count: u64) -> LatencyHistogram {
        let mut histogram = LatencyHistogram::default();
        (from..from + count).for_each(|us| histogram.record(us * 1000));
        histogram
    }

    #[test]
    fn an_interval_has_the_latencies_of_all_lanes_and_the_histogram_keeps_them_all() {
        let (mut one, mut two) = (LatencySteps::with_room(2), LatencySteps::with_room(2));
        let mut earlier = LatencyHistogram::default();
        let (mut short, mut long) = (histogram(1, 500), histogram(501, 500));
        one.take(1, &mut short, &mut earlier);
        two.take(1, &mut long, &mut earlier);
        assert_eq!((short.count(), long.count(), earlier.count()), (0, 0, 1000));
        assert_eq!(earlier, histogram(1, 1000));
        let lanes = [one, two];
        assert_eq!(LatencySteps::summary(lanes.iter(), 0), None);
        let both = LatencySteps::summary(lanes.iter(), 1).unwrap();
        let near = |ns: Option<u64>, wanted: u64| ns.unwrap().abs_diff(wanted) * 100 <= wanted * 4;
        assert!(near(both.p50_ns, 500_000) && near(both.p99_ns, 990_000), "{both:?}");
        assert!((1_000_000..1_001_000).contains(&both.max_ns), "{both:?}");
        assert_eq!(LatencySteps::summary(lanes.iter(), 2), None, "no room for a third");
    }

    #[test]
    fn few_latencies_have_no_percentile_and_no_room_loses_none() {
        let mut steps = LatencySteps::with_room(1);
        let mut earlier = LatencyHistogram::default();
        steps.take(7, &mut histogram(1, 3), &mut earlier);
        assert_eq!(earlier.count(), 3);
        steps.take(0, &mut histogram(5, 1), &mut earlier);
        let one = LatencySteps::summary([&steps].into_iter(), 0).unwrap();
        assert_eq!((one.p50_ns, one.p99_ns), (None, None));
        steps.take(0, &mut histogram(3_000_000_000, 1), &mut earlier);
        let two = LatencySteps::summary([&steps].into_iter(), 0).unwrap();
        assert!(two.p50_ns.is_some() && two.max_ns >= 3_000_000_000_000, "fifty minutes: {two:?}");
    }
}
