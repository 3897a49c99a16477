//! When requests are meant to start, whatever the storage does, and how they fared against that.

use std::time::Duration;

use rand_core::Rng;
use rand_xoshiro::Xoshiro256Plus;

use crate::clock::Stamp;
use crate::report::LatencyHistogram;
use crate::schedule::source::{StreamName, exponential_ns};
use crate::stats::{Kind, PerKind};

/// A request that starts so much later than it was meant to, though there was a place for it, is
/// the tool's fault and counted.
const LATE: Duration = Duration::from_millis(1);
/// The most requests that are looked at to count those that will not start.
const LOOKED_AT_MAX: u64 = 1 << 20;
/// The number of the generator of gaps, behind those of the sources.
const GAPS: u32 = 4;

/// What a lane's requests per second are to be.
#[derive(Clone, Copy, Debug)]
pub(in crate::schedule) struct Rate {
    /// Of all lanes of the tasklet together.
    pub per_s: f64,
    /// Whether the gaps are exponential; else all are alike.
    pub poisson: bool,
    pub lane: u32,
    pub lanes: u32,
}

/// The intended starts of a lane's requests in one loop: request *i* of lane *l* of *n* at
/// (*i* *n* + *l*) / rate, so that lanes take turns; or after exponential gaps, whose mean is *n* /
/// rate, so that all lanes together are a Poisson process of the whole rate.
#[derive(Debug)]
struct Schedule {
    start: Stamp,
    rate: Rate,
    /// Requests before the next.
    index: u64,
    /// Of a Poisson process: its numbers, and nanoseconds from the start to the next request.
    poisson: Option<(Xoshiro256Plus, u64)>,
}

impl Schedule {
    fn new(rate: Rate, start: Stamp, name: StreamName) -> Self {
        let mut schedule = Self { start, rate, index: 0, poisson: None };
        if rate.poisson {
            let mut generator = name.generator_of(GAPS);
            let first_ns = exponential_ns(generator.next_u64(), schedule.mean_ns());
            schedule.poisson = Some((generator, first_ns));
        }
        schedule
    }

    /// Nanoseconds between two requests of the lane, on average.
    fn mean_ns(&self) -> f64 {
        f64::from(self.rate.lanes) * 1e9 / self.rate.per_s
    }

    /// When the next request is due.
    fn due(&self) -> Stamp {
        let after_ns = if let Some((_, after_ns)) = &self.poisson {
            *after_ns
        } else {
            let Rate { per_s, lane, lanes, .. } = self.rate;
            #[expect(clippy::cast_precision_loss, reason = "exact for as long as a run lasts")]
            let turn = self.index as f64 * f64::from(lanes) + f64::from(lane);
            rounded(turn * 1e9 / per_s)
        };
        self.start + Duration::from_nanos(after_ns)
    }

    /// Requests from the next one on that are due before `until`. Of random ones no more are
    /// looked at than takes a moment, and what is beyond is estimated.
    fn due_before(&mut self, until: Stamp) -> u64 {
        let mut looked_at = 0;
        while self.poisson.is_some() && looked_at < LOOKED_AT_MAX && self.due() < until {
            self.take();
            looked_at += 1;
        }
        looked_at + gaps(until.ns_since(self.due()), self.mean_ns())
    }

    /// When the next request is due, which is then the one before the next.
    fn take(&mut self) -> Stamp {
        let due = self.due();
        let mean_ns = self.mean_ns();
        self.index += 1;
        if let Some((generator, after_ns)) = &mut self.poisson {
            *after_ns = after_ns.saturating_add(exponential_ns(generator.next_u64(), mean_ns));
        }
        due
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative")]
#[expect(clippy::cast_precision_loss, reason = "exact for as long as a run lasts")]
fn gaps(time_ns: u64, mean_ns: f64) -> u64 {
    (time_ns as f64 / mean_ns).ceil() as u64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative")]
fn rounded(ns: f64) -> u64 {
    ns.round() as u64
}

/// How requests fared against their schedule, in the loops that count.
#[derive(Clone, Debug, Default)]
pub(crate) struct PaceTally {
    /// From when they were meant to start to when they were done.
    pub response: PerKind<LatencyHistogram>,
    /// Requests that started late though there had been a place in the queue.
    pub late: u64,
    /// Others that were due while the queue was full, or a flush waited to be alone.
    pub waited: u64,
    /// Requests that were due and had not started when the time was over.
    pub unstarted: u64,
}

/// A lane's requests against their schedule.
#[derive(Debug)]
pub(in crate::schedule) struct Pace {
    schedule: Schedule,
    /// By tag.
    intended: Box<[Stamp]>,
    /// When the queue was full for the last time.
    full_until: Stamp,
    /// When the lane was last kept from what was due: from when there was a place for it to when
    /// it came.
    away: (Stamp, Stamp),
    tally: PaceTally,
}

impl Pace {
    /// The pace `rate` of a loop that began at `start`, for tags below `queue_depth`. Goes on
    /// counting where `tally` is.
    pub(in crate::schedule) fn new(
        rate: Rate,
        start: Stamp,
        name: StreamName,
        queue_depth: u32,
        tally: PaceTally,
    ) -> Self {
        Self {
            schedule: Schedule::new(rate, start, name),
            intended: vec![start; queue_depth as usize].into(),
            full_until: start,
            away: (start, start),
            tally,
        }
    }

    pub(in crate::schedule) fn into_tally(self) -> PaceTally {
        self.tally
    }

    /// When the next request is due.
    pub(super) fn due(&self) -> Stamp {
        self.schedule.due()
    }

    /// Has the next request start at `now`, under `tag`.
    pub(super) fn begin(&mut self, tag: u32, now: Stamp, counts: bool) {
        let due = self.schedule.take();
        self.intended[tag as usize] = due;
        let ready = due.max(self.full_until);
        let is_late = now.since(ready) > LATE;
        if is_late {
            self.away = (ready, now);
        }
        // What came due meanwhile and now waits for a place does so because of that.
        let is_behind = due > self.away.0 && due <= self.away.1;
        if counts && (is_late || is_behind) {
            self.tally.late += 1;
        } else if counts {
            self.tally.waited += u64::from(ready > due);
        }
    }

    /// Has a request that no schedule knows of, a flush, start at `now`, under `tag`.
    pub(super) fn begin_unscheduled(&mut self, tag: u32, now: Stamp) {
        self.intended[tag as usize] = now;
    }

    /// Notes that there was no place in the queue until `now`.
    pub(super) fn was_full(&mut self, now: Stamp) {
        self.full_until = now;
    }

    /// Enters that the request of `tag`, one of `kind`, was done at `end`.
    pub(super) fn finish(&mut self, tag: u32, kind: Kind, end: Stamp) {
        self.tally.response[kind].record(end.ns_since(self.intended[tag as usize]));
    }

    /// Counts what is due before `until` and will not start.
    pub(super) fn give_up(&mut self, until: Stamp, counts: bool) {
        let unstarted = self.schedule.due_before(until);
        if counts {
            self.tally.unstarted += unstarted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: StreamName = StreamName { seed: 7, tid: 0, lane: 0, loop_index: 0 };

    fn rate(per_s: f64, poisson: bool) -> Rate {
        Rate { per_s, poisson, lane: 0, lanes: 1 }
    }

    /// Nanoseconds from the start to each of the first `count` requests.
    fn starts(rate: Rate, name: StreamName, count: usize) -> Vec<u64> {
        let start = Stamp::now();
        let mut schedule = Schedule::new(rate, start, name);
        (0..count).map(|_| schedule.take().ns_since(start)).collect()
    }

    #[test]
    fn requests_are_due_at_multiples_of_the_gap_without_drift() {
        assert_eq!(starts(rate(1000.0, false), NAME, 3), [0, 1_000_000, 2_000_000]);
        let thirds = starts(rate(3.0, false), NAME, 3001);
        assert_eq!(thirds[3000], 1_000_000_000_000);
    }

    #[test]
    fn lanes_take_turns_and_make_the_whole_rate_together() {
        let lane = |lane| starts(Rate { lane, lanes: 3, ..rate(1000.0, false) }, NAME, 2);
        let mut all = [lane(0), lane(1), lane(2)].concat();
        all.sort_unstable();
        assert_eq!(all, [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000]);
    }

    #[test]
    fn random_gaps_have_the_mean_that_was_asked_and_not_half_of_it() {
        let count = 100_000_u32;
        for lanes in [1, 4] {
            let rate = Rate { lanes, ..rate(1000.0, true) };
            let starts = starts(rate, NAME, count as usize);
            let all = Duration::from_nanos(*starts.last().unwrap());
            let want = Duration::from_millis(u64::from(lanes)) * count;
            // The mean of so many has a standard deviation of a 316th.
            assert!(all.abs_diff(want) < want / 50, "{all:?} for {count} requests");
            let mean_ns = u64::from(lanes) * 1_000_000;
            let short = starts.windows(2).filter(|pair| pair[1] - pair[0] < mean_ns).count();
            assert!((62_200..64_200).contains(&short), "{short} of the gaps are below the mean");
        }
    }

    #[test]
    fn random_gaps_depend_on_each_part_of_the_name() {
        let first = |name| starts(rate(1000.0, true), name, 20);
        assert_eq!(first(NAME), first(NAME));
        for other in [
            StreamName { seed: 8, ..NAME },
            StreamName { tid: 1, ..NAME },
            StreamName { lane: 1, ..NAME },
            StreamName { loop_index: 1, ..NAME },
        ] {
            assert_ne!(first(NAME), first(other));
        }
    }

    #[test]
    fn who_is_to_blame_for_a_late_start_is_told_apart() {
        let start = Stamp::now();
        let at_ms = |ms| start + Duration::from_millis(ms);
        let tally = PaceTally::default();
        let mut pace = Pace::new(rate(100.0, false), start, NAME, 2, tally);
        pace.begin(0, at_ms(0), true);
        pace.begin(1, at_ms(10), true);
        // Due at 20 ms. The queue is full until 50 ms, and the lane comes a little after that.
        pace.was_full(at_ms(50));
        pace.begin(0, at_ms(50), true);
        pace.finish(0, Kind::Read, at_ms(53));
        // Due at 30 ms and kept for 5 ms more by nobody but the lane.
        pace.begin(0, at_ms(55), true);
        // Due at 40 ms, in a loop that does not count.
        pace.begin(1, at_ms(55), false);
        // Due at 50 ms, when there was a place again.
        pace.begin(1, at_ms(70), true);
        // Due at 60 ms, while the lane was away, and it found the queue full.
        pace.was_full(at_ms(71));
        pace.begin(0, at_ms(71), true);
        // Due at 70 ms and at 80 ms.
        pace.give_up(at_ms(90), true);
        let tally = pace.into_tally();
        assert_eq!((tally.waited, tally.late, tally.unstarted), (1, 3, 2));
        let response = &tally.response[Kind::Read];
        assert_eq!((response.count(), response.summary().max_ns / 1_000_000), (1, 33));
    }
}
