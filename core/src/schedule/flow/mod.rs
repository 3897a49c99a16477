//! The hot loop: keeps an engine's queue as full as the plan says, and checks what comes back.
//!
//! Batching and time-stamping live here and are the same for every engine. A request's start stamp
//! is the time just before the call that took it, its end stamp the time just after the call that
//! returned it: one reading of the clock per submitting and one per reaping call. Nothing in the
//! loop allocates, locks or formats.
#![expect(clippy::inline_always, reason = "per batch, which may be one request")]

mod apart;
mod books;
mod hot;
mod idle;
mod pace;
mod paced;
mod single;
mod slack;
mod slot;
mod starts;

pub(crate) use books::Tally;
pub(crate) use pace::PaceTally;
pub(super) use pace::{Pace, Rate};

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::course::Course;
use super::failure::LaneError;
use super::source::Source;
use super::{DRAIN_LIMIT, STALL_LIMIT, TICK};
use crate::clock::Stamp;
use crate::engine::{Completions, Deadline, IoEngine, Progress};
use crate::memory::Block;
use crate::plan::{Order, Plan};
use crate::stats::{LanePrint, PerKind};
use crate::target::Alignment;
use apart::{BATCHES_EACH, Call, submit_then_reap};
use books::Books;
use idle::Idle;
use single::Called;

/// How long to wait when the kernel takes nothing while nothing is in flight.
const AGAIN_PAUSE: Duration = Duration::from_millis(1);

/// How requests go in and come out.
#[derive(Clone, Copy, Debug)]
struct Policy {
    submit_max: usize,
    reap_min: u32,
    order: Order,
}

/// How the loop is watched from outside.
pub(super) struct Watch<'a, H: Fn() -> bool> {
    /// Whether to give up; asked after every call that may wait.
    pub halted: H,
    /// Where to say how many bytes were moved.
    pub moved: &'a AtomicU64,
    /// Whether this loop counts in the results.
    pub counts: bool,
    /// When to start no more requests, if not only the source ends the loop.
    pub until: Stamp,
}

/// One lane's requests on their way; all memory is reserved when it is made.
#[derive(Debug)]
pub(super) struct Flow {
    policy: Policy,
    books: Books,
    /// Whether the queue has room for one request only.
    one_by_one: bool,
    done: Completions,
    idle: Idle,
}

impl Flow {
    pub(super) fn new(plan: &Plan, alignment: Alignment, tally: Tally) -> Self {
        let depth = plan.queue_depth;
        let tally = Tally { course: Course::of(plan), ..tally };
        Self {
            policy: Policy {
                submit_max: plan.batch.submit.unwrap_or(depth) as usize,
                reap_min: plan.batch.complete,
                order: plan.order,
            },
            one_by_one: depth == 1,
            books: Books::new(depth, alignment, tally),
            done: Completions::with_capacity(depth as usize),
            idle: Idle::new(),
        }
    }

    /// The same, filling the queue only when it has run empty.
    pub(super) fn in_rounds(mut self) -> Self {
        self.policy.order = Order::Sequential;
        self
    }

    /// Bytes moved and requests completed, in all loops.
    pub(super) fn totals(&self) -> (PerKind<u64>, PerKind<u64>) {
        (self.books.moved_bytes, self.books.tally.requests)
    }

    /// The memory of each place in the queue, for sources that keep it there.
    pub(super) fn homes(&mut self) -> impl Iterator<Item = &mut Option<Block>> {
        self.books.homes()
    }

    /// A loop begins at `start`; if it counts, those that counted before it have taken `earlier`.
    pub(super) fn begin(&mut self, start: Stamp, earlier: Option<Duration>) {
        if let Some(earlier) = earlier {
            let totals = self.books.done();
            self.books.tally.course.begin(start, earlier, totals);
        }
    }

    /// The print of the requests of a loop that time ended.
    pub(super) fn take_print(&mut self) -> LanePrint {
        self.books.tally.fingerprint.take_print()
    }

    /// What was counted.
    pub(super) fn into_tally(self) -> Tally {
        let mut tally = self.books.tally;
        tally.course.give_back(&mut tally.latency);
        tally
    }

    /// Does all jobs of `source`. Returns when the last completion was reaped, and the time of
    /// that.
    ///
    /// # Errors
    /// The first request that failed, or why the loop had to end. Requests may be in flight then:
    /// [`drain`](Self::drain) them.
    pub(super) fn run<E: IoEngine, S: Source, H: Fn() -> bool>(
        &mut self,
        engine: &mut E,
        source: &mut S,
        watch: &Watch<H>,
    ) -> Result<Stamp, LaneError> {
        self.books.start_over();
        let mut last_reaped = Stamp::now();
        let mut exhausted = false;
        // In sequential order the queue is filled only when it has run empty.
        let mut filling = true;
        loop {
            if self.one_by_one && self.books.outstanding() == 0 {
                let Self { books, done, .. } = self;
                match books.one_by_one(engine, source, done, watch, &mut last_reaped)? {
                    Some(Called { end, progress, .. }) => {
                        self.after_call(progress, end, &mut last_reaped, source, watch)?;
                    }
                    None => return Ok(last_reaped),
                }
            }
            self.books.queue_tails(engine);
            exhausted |= last_reaped >= watch.until;
            // A tail is no reason to fill a queue that is to run empty.
            let may_fill = filling;
            if filling && !exhausted {
                let room = self.policy.submit_max.saturating_sub(self.books.untaken());
                exhausted = self.books.fill(engine, source, room);
                filling = self.policy.order == Order::Overlap;
            }
            let outstanding = self.books.outstanding();
            if outstanding == 0 {
                return Ok(last_reaped);
            }
            let now = Stamp::now();
            let is_sampled = self.books.starts.next() % BATCHES_EACH == BATCHES_EACH - 1;
            self.books.stamp(now);
            let is_full_batch = self.books.untaken() >= self.policy.submit_max;
            if may_fill && is_full_batch && !exhausted && self.books.has_free() {
                // A full batch, and there is room for another before anybody waits.
                let taken = engine.submit()?;
                if is_sampled {
                    self.books.tally.submit_time.returned(now, watch.counts);
                }
                self.books.took(taken);
                filling = true;
                if taken > 0 {
                    continue;
                }
            }
            // A queue depth is a u32.
            let all = u32::try_from(outstanding).unwrap_or(u32::MAX);
            let min = match self.policy.order {
                Order::Overlap => self.policy.reap_min.min(all),
                Order::Sequential => all,
            };
            let progress = self.call(engine, now, min, TICK, is_sampled, watch.counts)?;
            let end = Stamp::now();
            self.after_call(progress, end, &mut last_reaped, source, watch)?;
            filling |= self.books.outstanding() == 0;
        }
    }

    /// Hands over what is queued at `now`, and waits for `min` completions, or so long; in two
    /// calls, of which the first is timed, if `is_sampled`.
    #[inline(always)]
    fn call<E: IoEngine>(
        &mut self,
        engine: &mut E,
        now: Stamp,
        min: u32,
        wait: Duration,
        is_sampled: bool,
        counts: bool,
    ) -> Result<Progress, LaneError> {
        let deadline = Deadline::after(now, wait);
        if !is_sampled {
            return Ok(engine.submit_and_reap(min, deadline, &mut self.done)?);
        }
        let (untaken, outstanding) = (self.books.untaken(), self.books.outstanding());
        let call = Call { now, min, untaken, outstanding, counts };
        let time = &mut self.books.tally.submit_time;
        submit_then_reap(engine, call, deadline, &mut self.done, time)
    }

    /// Enters what a call that returned at `end` has taken and reaped.
    #[inline(always)]
    fn after_call<S: Source, H: Fn() -> bool>(
        &mut self,
        progress: Progress,
        end: Stamp,
        last_reaped: &mut Stamp,
        source: &mut S,
        watch: &Watch<H>,
    ) -> Result<(), LaneError> {
        self.books.took(progress.taken);
        if progress.reaped > 0 {
            *last_reaped = end;
            if end >= self.books.tally.course.next() {
                self.books.pass(end);
            }
            let finished = self.books.finish(&mut self.done, end, watch.counts, source);
            watch.moved.store(self.books.moved_bytes.total(), Ordering::Relaxed);
            finished?;
        } else {
            self.nothing_came(end, *last_reaped)?;
        }
        if (watch.halted)() { Err(LaneError::Halted) } else { Ok(()) }
    }

    /// After a call that brought no completion.
    #[cold]
    fn nothing_came(&mut self, now: Stamp, last_reaped: Stamp) -> Result<(), LaneError> {
        if self.idle.found_nothing(now, last_reaped) > STALL_LIMIT {
            return Err(LaneError::Stalled(STALL_LIMIT));
        }
        if self.books.untaken() == self.books.outstanding() {
            thread::sleep(AGAIN_PAUSE);
        }
        Ok(())
    }

    /// Waits for everything in flight, so that its memory comes home.
    ///
    /// # Errors
    /// [`LaneError::StillInFlight`] when the kernel keeps some of it past the deadline.
    pub(super) fn drain<E: IoEngine, S: Source>(
        &mut self,
        engine: &mut E,
        source: &mut S,
    ) -> Result<(), LaneError> {
        let mut deadline = Deadline::after(Stamp::now(), DRAIN_LIMIT);
        self.books.forget_queued(source);
        loop {
            let drained = engine.drain(deadline, &mut self.done);
            self.books.take_home(&mut self.done, source);
            match drained {
                Ok(()) => return Ok(()),
                Err(still) if !deadline.refresh() => {
                    return Err(LaneError::StillInFlight(still.count));
                }
                Err(_room_was_short) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
