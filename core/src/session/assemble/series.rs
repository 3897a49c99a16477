//! What all lanes together did in each interval.

use super::{Tasklets, finished};
use crate::plan::Plan;
use crate::report::{LatencySteps, Sample, SampleLatency, Series};
use crate::schedule::{Course, Done, LaneResult, LoopClock, Track};
use crate::stats::{Kind, PerKind};

/// The least interval of a series that nobody asked for, in nanoseconds.
const INTERVAL_NS_MIN: u64 = 1_000_000_000;

/// Both series of requests of one kind.
pub(super) struct Both {
    /// For the report: in the intervals that were asked for, or seconds.
    pub shown: Series,
    /// As fine as it was kept without being asked for.
    pub fine: Series,
}

/// The series of `tasklets`.
pub(super) fn both(plan: &Plan, tasklets: &Tasklets, kind: Kind, clocks: &[LoopClock]) -> Both {
    let counting = (0..).zip(finished(clocks)).filter(|(index, _)| plan.counts(*index));
    let all_ns = counting.map(|(_, (start, end, _))| end.ns_since(start)).sum();
    let lanes = || tasklets.iter().flat_map(|(_, result)| &result.lanes);
    let in_all: Vec<Done> = lanes().map(|lane| in_all(plan, lane, clocks)).collect();
    let courses: Vec<&Course> = lanes().map(|lane| &lane.tally.course).collect();
    let whole = Whole { kind, all_ns, in_all };
    let beats: Vec<_> = courses.iter().map(|course| &course.beats).collect();
    let finest_ns = beats.iter().map(|track| track.interval_ns()).max().unwrap_or(INTERVAL_NS_MIN);
    let fine = whole.series(&beats, finest_ns, |_| None);
    let asked: Option<Vec<_>> = courses.iter().map(|course| course.intervals.as_ref()).collect();
    let shown = if let (Some(asked), Some(interval_ns)) = (asked, plan.interval_ns) {
        let tracks: Vec<_> = asked.iter().map(|one| &one.track).collect();
        whole.series(&tracks, interval_ns, |index| {
            LatencySteps::summary(asked.iter().map(|one| &one.latencies[kind]), index)
        })
    } else {
        let seconds = INTERVAL_NS_MIN.div_ceil(finest_ns).next_power_of_two();
        whole.series(&beats, finest_ns.saturating_mul(seconds), |_| None)
    };
    Both { shown, fine }
}

/// What a lane did in all loops that count.
fn in_all(plan: &Plan, lane: &LaneResult, clocks: &[LoopClock]) -> Done {
    let mut all = Done::default();
    for (index, (_, done)) in (0..).zip(finished(clocks).zip(&lane.loops)) {
        if plan.counts(index) {
            all.requests += done.requests;
            all.bytes += done.bytes;
        }
    }
    all
}

/// What the intervals add up to.
struct Whole {
    kind: Kind,
    all_ns: u64,
    /// What each lane did.
    in_all: Vec<Done>,
}

impl Whole {
    fn series(
        &self,
        tracks: &[&Track<Done>],
        interval_ns: u64,
        latency: impl Fn(usize) -> Option<SampleLatency>,
    ) -> Series {
        let whole = usize::try_from(self.all_ns / interval_ns).unwrap_or(usize::MAX);
        let room = tracks.iter().filter_map(|track| track.room_ns()).min();
        let number = room.map_or(whole, |room_ns| {
            whole.min(usize::try_from(room_ns / interval_ns).unwrap_or(usize::MAX))
        });
        let mut samples = Vec::with_capacity(number + 1);
        let (mut requests, mut bytes) = (0, 0);
        for index in 0..number {
            let (mut requests_now, mut bytes_now) = (0, 0);
            for (track, all) in tracks.iter().zip(&self.in_all) {
                // A lane that had nothing more to do did not look at the clock.
                let done = track.at_end_of(index, interval_ns).unwrap_or(*all);
                requests_now += done.requests[self.kind];
                bytes_now += done.bytes[self.kind];
            }
            samples.push(Sample {
                t_s: seconds((index as u64 + 1) * interval_ns),
                requests: requests_now - requests,
                bytes: bytes_now - bytes,
                latency: latency(index),
            });
            (requests, bytes) = (requests_now, bytes_now);
        }
        let is_cut_off = number < whole;
        // What is left of the time, and what came in it.
        if !is_cut_off && self.all_ns > number as u64 * interval_ns {
            let all = |of: fn(&Done) -> PerKind<u64>| -> u64 {
                self.in_all.iter().map(|done| of(done)[self.kind]).sum()
            };
            samples.push(Sample {
                t_s: seconds(self.all_ns),
                requests: all(|done| done.requests) - requests,
                bytes: all(|done| done.bytes) - bytes,
                latency: latency(number),
            });
        }
        Series { interval_s: seconds(interval_ns), samples, is_cut_off }
    }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 nanoseconds are three months")]
fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(requests: u64) -> Done {
        let of = |count| PerKind::each(|kind| if kind == Kind::Read { count } else { 0 });
        Done { requests: of(requests), bytes: of(4096 * requests) }
    }

    fn requests(series: &Series) -> Vec<u64> {
        series.samples.iter().map(|sample| sample.requests).collect()
    }

    #[test]
    fn lanes_are_added_up_and_one_that_ended_early_is_where_it_ended() {
        let (mut long, mut short) = (Track::coarsening(100), Track::coarsening(100));
        for hundreds in 1..=4 {
            long.pass(100 * hundreds, done(10 * hundreds));
        }
        short.pass(100, done(7));
        let whole = Whole { kind: Kind::Read, all_ns: 450, in_all: vec![done(45), done(9)] };
        let series = whole.series(&[&long, &short], 100, |_| None);
        assert_eq!(requests(&series), [17, 12, 10, 10, 5]);
        assert_eq!(requests(&series).iter().sum::<u64>(), 54, "nothing is lost");
        assert_eq!(series.samples[4].bytes, 5 * 4096);
        assert!((series.samples[4].t_s - 450e-9).abs() < 1e-15 && !series.is_cut_off);
        assert_eq!(series.rates().count(), 4, "the last is shorter");
        let twice = whole.series(&[&long, &short], 200, |_| None);
        assert_eq!(requests(&twice), [29, 20, 5]);
    }

    #[test]
    fn what_there_was_no_room_for_is_cut_off() {
        let mut track = Track::first(2, 100);
        track.pass(1000, done(30));
        let whole = Whole { kind: Kind::Read, all_ns: 1000, in_all: vec![done(30)] };
        let series = whole.series(&[&track], 100, |_| None);
        assert_eq!(requests(&series), [30, 0]);
        assert!(series.is_cut_off);
    }

    #[test]
    fn nothing_finished_is_an_empty_series() {
        let whole = Whole { kind: Kind::Read, all_ns: 0, in_all: Vec::new() };
        assert_eq!(whole.series(&[], 100, |_| None).samples, []);
    }
}
