//! How a lane's work is spread over the time of the loops that count. Looked at between batches,
//! when an interval has ended, which the hot loop finds out with one comparison that it makes
//! anyway or once per batch.

use std::time::Duration;

use super::track::Track;
use crate::clock::Stamp;
use crate::plan::Plan;
use crate::report::{LatencyHistogram, LatencySteps};
use crate::stats::{Kind, PerKind};

/// The first interval of what is always kept, in nanoseconds: the 64th of a second, so that
/// doublings of it come to whole seconds.
pub(crate) const BEAT_NS: u64 = 1_000_000_000 / 64;
/// The most intervals that have latencies of their own.
pub(crate) const INTERVALS_MAX: usize = 10_000;

/// What was done since the loops that count began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub requests: PerKind<u64>,
    pub bytes: PerKind<u64>,
}

/// Intervals that were asked for.
#[derive(Clone, Debug)]
pub(crate) struct Intervals {
    pub track: Track<Done>,
    pub latencies: PerKind<LatencySteps>,
    /// Latencies of the intervals that are over.
    earlier: PerKind<LatencyHistogram>,
}

/// What was done by when.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    /// Always kept, without latencies.
    pub beats: Track<Done>,
    pub intervals: Option<Intervals>,
    /// What had been done when the first loop that counts began.
    before: Option<Done>,
    /// When the loop began that runs, and how long those that count had taken until then.
    begun: Stamp,
    earlier_ns: u64,
    /// When an interval ends.
    next: Stamp,
}

impl Default for Course {
    /// Without intervals.
    fn default() -> Self {
        let never = Stamp::NEVER;
        let beats = Track::coarsening(BEAT_NS);
        Self { beats, intervals: None, before: None, begun: never, earlier_ns: 0, next: never }
    }
}

impl Course {
    /// As `plan` asks for it. All memory is reserved.
    pub(crate) fn of(plan: &Plan) -> Self {
        let moved = |kind| {
            let mut parts = plan.phases.iter().flat_map(|phase| phase.direction.parts());
            parts.any(|part| part.kind() == Some(kind))
        };
        let intervals = plan.interval_ns.map(|interval_ns| Intervals {
            track: Track::first(INTERVALS_MAX, interval_ns),
            latencies: PerKind::each(|kind| {
                LatencySteps::with_room(if moved(kind) { INTERVALS_MAX } else { 0 })
            }),
            earlier: PerKind::default(),
        });
        Self { intervals, ..Self::default() }
    }

    /// A loop that counts begins at `start` with `totals`; those before it have taken `earlier`.
    pub(crate) fn begin(&mut self, start: Stamp, earlier: Duration, totals: Done) {
        self.before.get_or_insert(totals);
        self.begun = start;
        self.earlier_ns = u64::try_from(earlier.as_nanos()).unwrap_or(u64::MAX);
        self.aim();
    }

    /// When [`pass`](Self::pass) is to be called.
    #[inline]
    pub(crate) fn next(&self) -> Stamp {
        self.next
    }

    /// Notes what was done when the intervals ended that were over by `now`. `latency` holds what
    /// was timed since the last time; if latencies of intervals are kept, it is emptied.
    #[cold]
    pub(crate) fn pass(
        &mut self,
        now: Stamp,
        totals: Done,
        latency: &mut PerKind<LatencyHistogram>,
    ) {
        let before = self.before.unwrap_or(totals);
        let done = Done {
            requests: totals.requests - before.requests,
            bytes: totals.bytes - before.bytes,
        };
        let now_ns = self.earlier_ns.saturating_add(now.ns_since(self.begun));
        self.beats.pass(now_ns, done);
        if let Some(intervals) = &mut self.intervals {
            if intervals.track.next_end_ns().is_some_and(|end_ns| end_ns <= now_ns) {
                intervals.close(latency);
            }
            intervals.track.pass(now_ns, done);
        }
        self.aim();
    }

    /// Puts the latencies of all intervals into `latency`, which holds those of the last.
    pub(crate) fn give_back(&mut self, latency: &mut PerKind<LatencyHistogram>) {
        if let Some(intervals) = &mut self.intervals {
            intervals.close(latency);
            std::mem::swap(&mut intervals.earlier, latency);
        }
    }

    fn aim(&mut self) {
        let fine = self.intervals.as_ref().and_then(|intervals| intervals.track.next_end_ns());
        let ends = [self.beats.next_end_ns(), fine];
        let next_ns = ends.into_iter().flatten().min();
        self.next = next_ns.map_or(Stamp::NEVER, |next_ns| {
            self.begun + Duration::from_nanos(next_ns.saturating_sub(self.earlier_ns))
        });
    }
}

impl Intervals {
    /// Counts what was timed since the last interval ended in the one that runs.
    fn close(&mut self, latency: &mut PerKind<LatencyHistogram>) {
        let Self { track, latencies, earlier } = self;
        for kind in Kind::ALL {
            latencies[kind].take(track.ends().len(), &mut latency[kind], &mut earlier[kind]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Direction, Phase};

    const SECOND: Duration = Duration::from_secs(1);

    fn done(requests: u64) -> Done {
        let of = |count| PerKind::each(|kind| if kind == Kind::Read { count } else { 0 });
        Done { requests: of(requests), bytes: of(4096 * requests) }
    }

    #[test]
    fn time_between_loops_and_loops_that_do_not_count_are_left_out() {
        let mut course = Course::default();
        assert_eq!(course.next(), Stamp::NEVER, "nothing counts yet");
        let start = Stamp::now();
        let mut latency = PerKind::<LatencyHistogram>::default();
        course.begin(start, Duration::ZERO, done(100));
        assert_eq!(course.next(), start + Duration::from_nanos(BEAT_NS));
        course.pass(start + SECOND, done(164), &mut latency);
        let again = start + 60 * SECOND;
        course.begin(again, SECOND + SECOND / 2, done(180));
        assert_eq!(course.next(), again, "half a second of the first loop was not looked at");
        course.pass(again + SECOND / 2, done(200), &mut latency);
        let totals: Vec<_> = [31, 63, 64, 127].map(|index| course.beats.ends()[index]).into();
        assert_eq!(totals, [done(64), done(64), done(100), done(100)]);
        assert_eq!(course.beats.ends().len(), 128);
    }

    #[test]
    fn latencies_belong_to_the_interval_in_which_they_came() {
        let mut plan = Plan::tensor_swap(vec![Phase::of_tensors(Direction::Read, Vec::new())]);
        plan.interval_ns = Some(250_000_000);
        let mut course = Course::of(&plan);
        let start = Stamp::now();
        let mut latency = PerKind::<LatencyHistogram>::default();
        course.begin(start, Duration::ZERO, done(0));
        for (quarter, ns) in [(1, 1_000), (2, 2_000), (4, 4_000)] {
            latency[Kind::Read].record(ns);
            latency[Kind::Read].record(ns);
            course.pass(start + quarter * SECOND / 4, done(2 * u64::from(quarter)), &mut latency);
            assert_eq!(latency[Kind::Read].count(), 0, "taken");
        }
        latency[Kind::Read].record(8_000);
        course.give_back(&mut latency);
        assert_eq!(latency[Kind::Read].count(), 7, "all came back");
        let steps = course.intervals.unwrap();
        assert_eq!(steps.track.ends(), [done(2), done(4), done(8), done(8)]);
        let longest = (0..5).map(|index| {
            let latencies =
                LatencySteps::summary([&steps.latencies[Kind::Read]].into_iter(), index);
            latencies.map(|one| one.max_ns / 1000)
        });
        assert_eq!(longest.collect::<Vec<_>>(), [Some(1), Some(2), Some(4), None, Some(8)]);
    }
}
