//! A queue of depth 1: requests one by one, without the books that several at a time need. What
//! the engine is asked, when the clock is read and what is counted are the same.
#![expect(clippy::inline_always, reason = "a choice between two loops, made outside of them")]

use std::sync::atomic::Ordering;

use super::Watch;
use super::apart::{Call, RUNS_EACH, SubmitTime, submit_then_reap};
use super::books::Books;
use crate::clock::Stamp;
use crate::engine::{Completions, Deadline, IoEngine, Progress};
use crate::memory::Block;
use crate::schedule::TICK;
use crate::schedule::failure::LaneError;
use crate::schedule::source::{Job, Source};
use crate::stats::{Fingerprint, What};

/// A call that did not bring the whole of its request, for the books to go on from.
#[derive(Debug)]
pub(super) struct Called {
    offset_bytes: u64,
    what: What,
    mix: u64,
    needed_bytes: u32,
    start: Stamp,
    /// The time just after the call.
    pub end: Stamp,
    /// What the call has done. What it reaped is among the completions.
    pub progress: Progress,
}

/// What requests one by one add up to.
#[derive(Clone, Copy, Debug)]
struct Sums {
    requests: usize,
    /// In all loops.
    moved_bytes: u64,
    last_reaped: Stamp,
}

/// How a run of requests goes.
#[derive(Clone, Copy, Debug)]
struct Until {
    /// Whether its calls are made in two, of which the first is timed.
    is_apart: bool,
    /// When to look up: the end of the time, or of an interval.
    pause_at: Stamp,
}

impl Books {
    /// Does the jobs of `source` one by one, until there are no more, the time is over, or one
    /// needs a second look. Keeps `last_reaped` up to date.
    ///
    /// # Errors
    /// Why the loop had to end.
    pub(super) fn one_by_one<E: IoEngine, S: Source, H: Fn() -> bool>(
        &mut self,
        engine: &mut E,
        source: &mut S,
        done: &mut Completions,
        watch: &Watch<H>,
        last_reaped: &mut Stamp,
    ) -> Result<Option<Called>, LaneError> {
        while *last_reaped < watch.until && self.choose(source) {
            if *last_reaped >= self.tally.course.next() {
                self.pass(*last_reaped);
            }
            let pause_at = watch.until.min(self.tally.course.next());
            let is_apart = self.runs % RUNS_EACH == RUNS_EACH - 1;
            self.runs = self.runs.wrapping_add(1);
            let latency = if watch.counts { &mut self.tally.latency } else { &mut self.warm_up };
            let (moved, counted) = (&mut self.moved_bytes, &mut self.tally.requests);
            let kind_each = source.kind_each();
            let print = &mut self.tally.fingerprint;
            let chosen = &self.chosen[self.chosen_next..self.chosen_end];
            let most = if is_apart { 1 } else { chosen.len() };
            let offsets = &chosen[..most.min(print.room())];
            let home = &mut self.slots[0].home;
            let time = &mut self.tally.submit_time;
            let (moved_before, last) = (moved.total(), *last_reaped);
            let until = Until { is_apart, pause_at };
            let mut sums = Sums { requests: 0, moved_bytes: moved_before, last_reaped: last };
            let stopped = if let Some(kind) = kind_each {
                let latency = &mut latency[kind];
                let record = |_what, ns| latency.record(ns);
                go(
                    until, offsets, home, print, record, engine, source, done, watch, time,
                    &mut sums,
                )
            } else {
                let record = |what: What, ns| {
                    let kind = what.operation().kind();
                    latency[kind].record(ns);
                    counted[kind] += 1;
                    moved[kind] += u64::from(what.length_bytes());
                };
                go(
                    until, offsets, home, print, record, engine, source, done, watch, time,
                    &mut sums,
                )
            };
            if let Some(kind) = kind_each {
                counted[kind] += sums.requests as u64;
                moved[kind] += sums.moved_bytes - moved_before;
            }
            *last_reaped = sums.last_reaped;
            self.chosen_next += sums.requests;
            if let Some(called) = stopped? {
                self.chosen_next += 1;
                self.write_down(&called);
                return Ok(Some(called));
            }
        }
        Ok(None)
    }

    /// Notes a request that was queued and stamped.
    #[cold]
    fn write_down(&mut self, called: &Called) {
        let Called { offset_bytes, what, mix, needed_bytes, start, .. } = *called;
        self.slots[0].begin(offset_bytes, what, mix, needed_bytes, self.starts.next());
        (self.in_use, self.fresh) = (1, 1);
        self.stamp(start);
    }
}

/// Does a run of requests, see [`walk`].
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "parts of one value, told apart for the compiler")]
fn go<E: IoEngine, S: Source, H: Fn() -> bool>(
    until: Until,
    offsets: &[u64],
    home: &mut Option<Block>,
    print: &mut Fingerprint,
    record: impl FnMut(What, u64),
    engine: &mut E,
    source: &mut S,
    done: &mut Completions,
    watch: &Watch<H>,
    time: &mut SubmitTime,
    sums: &mut Sums,
) -> Result<Option<Called>, LaneError> {
    let at = until.pause_at;
    if until.is_apart {
        walk::<true, E, S, H>(
            at, offsets, home, print, record, engine, source, done, watch, time, sums,
        )
    } else {
        walk::<false, E, S, H>(
            at, offsets, home, print, record, engine, source, done, watch, time, sums,
        )
    }
}

/// Does a job at each of `offsets`, up to one that needs a second look, which it returns, or the
/// time to pause. Submits and reaps in two calls, of which the first is timed, if `APART`.
///
/// # Errors
/// Why the loop had to end.
#[inline(never)]
#[expect(clippy::too_many_arguments, reason = "parts of one value, told apart for the compiler")]
fn walk<const APART: bool, E: IoEngine, S: Source, H: Fn() -> bool>(
    pause_at: Stamp,
    offsets: &[u64],
    home: &mut Option<Block>,
    print: &mut Fingerprint,
    mut record: impl FnMut(What, u64),
    engine: &mut E,
    source: &mut S,
    done: &mut Completions,
    watch: &Watch<H>,
    time: &mut SubmitTime,
    sums: &mut Sums,
) -> Result<Option<Called>, LaneError> {
    let mut running = print.running();
    let Sums { mut requests, mut moved_bytes, mut last_reaped } = *sums;
    // The hash of the one that is not done, and how many that is.
    let (mut left_mix, mut left) = (0, 0);
    let mut result = Ok(None);
    while let Some(offset_bytes) = offsets.get(requests) {
        let offset_bytes = *offset_bytes;
        let job = source.job(offset_bytes, home);
        let Job { what, needed_bytes, .. } = job;
        let mix = what.mix(offset_bytes);
        running.add(mix);
        let queued = engine.queue(job.request(offset_bytes, 0));
        assert!(queued.is_ok(), "an engine has room for one request");
        let start = Stamp::now();
        let deadline = Deadline::after(start, TICK);
        let called = if APART {
            let counts = watch.counts;
            let call = Call { now: start, min: 1, untaken: 1, outstanding: 1, counts };
            submit_then_reap(engine, call, deadline, done, time)
        } else {
            engine.submit_and_reap(1, deadline, done).map_err(LaneError::from)
        };
        let progress = match called {
            Ok(progress) => progress,
            Err(error) => {
                (left_mix, left) = (mix, 1);
                result = Err(error);
                break;
            }
        };
        // Taken out before the clock is read, because it is in registers still.
        let Some(came) = done.pop() else {
            (left_mix, left) = (mix, 1);
            let end = Stamp::now();
            let called = Called { offset_bytes, what, mix, needed_bytes, start, end, progress };
            result = Ok(Some(called));
            break;
        };
        let end = Stamp::now();
        if came.tag != 0 || came.status != needed_bytes.cast_signed() {
            (left_mix, left) = (mix, 1);
            done.push(came);
            let progress = Progress { taken: 1, reaped: 1 };
            let called = Called { offset_bytes, what, mix, needed_bytes, start, end, progress };
            result = Ok(Some(called));
            break;
        }
        requests += 1;
        moved_bytes += u64::from(source.useful_bytes(offset_bytes, what));
        record(what, end.ns_after(start));
        source.check(offset_bytes, what, came.block.as_ref());
        source.take_back(came.block, home);
        last_reaped = end;
        watch.moved.store(moved_bytes, Ordering::Relaxed);
        if (watch.halted)() {
            result = Err(LaneError::Halted);
            break;
        }
        if last_reaped >= pause_at {
            break;
        }
    }
    print.completed(running.sum_since(print.running()).wrapping_sub(left_mix));
    print.go_on(running, requests + left);
    *sums = Sums { requests, moved_bytes, last_reaped };
    result
}
