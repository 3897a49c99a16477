//! The hot loop: keeps an engine's queue as full as the plan says, and checks what comes back.
//!
//! Batching and time-stamping live here and are the same for every engine. A request's start stamp
//! is the time just before the call that took it, its end stamp the time just after the call that
//! returned it: one reading of the clock per submitting and one per reaping call. Nothing in the
//! loop allocates, locks or formats.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::failure::{BadRequest, BadResult, LaneError};
use super::source::{Job, Source};
use super::{DRAIN_LIMIT, STALL_LIMIT, TICK};
use crate::engine::{Completion, Completions, Deadline, IoEngine, Operation, Request};
use crate::plan::{Order, Plan};
use crate::report::LatencyHistogram;
use crate::stats::{Fingerprint, mix};
use crate::target::Alignment;

/// How often a request may come back short without getting on.
const STALLS_MAX: u8 = 8;
/// How long to wait when the kernel takes nothing while nothing is in flight.
const AGAIN_PAUSE: Duration = Duration::from_millis(1);

/// How requests go in and come out.
#[derive(Clone, Copy, Debug)]
struct Policy {
    submit_max: usize,
    reap_min: u32,
    order: Order,
    alignment: Alignment,
}

/// A request between being queued for the first time and being done.
#[derive(Clone, Copy, Debug)]
struct Slot {
    start_ns: u64,
    offset_bytes: u64,
    mix: u64,
    length_bytes: u32,
    needed_bytes: u32,
    useful_bytes: u32,
    moved_bytes: u32,
    target: u16,
    operation: Operation,
    stalls: u8,
    in_use: bool,
    /// Whether it is the tail of a short transfer, whose start stamp stays.
    resumed: bool,
}

const FREE: Slot = Slot {
    start_ns: 0,
    offset_bytes: 0,
    mix: 0,
    length_bytes: 0,
    needed_bytes: 0,
    useful_bytes: 0,
    moved_bytes: 0,
    target: 0,
    operation: Operation::Read,
    stalls: 0,
    in_use: false,
    resumed: false,
};

/// A completion that ends the run; small, because one result of this kind is made per completion.
#[derive(Clone, Copy, Debug)]
struct Bad {
    tag: u32,
    /// What was wrong; absent when no such request is in flight.
    what: Option<BadResult>,
}

/// What a lane has counted, in loops that count.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub latency: LatencyHistogram,
    pub requests: u64,
    pub short_transfers: u64,
    pub fingerprint: Fingerprint,
}

impl Tally {
    pub(super) fn new(fingerprint: Fingerprint) -> Self {
        let latency = LatencyHistogram::default();
        Self { latency, requests: 0, short_transfers: 0, fingerprint }
    }
}

/// How the loop is watched from outside.
pub(super) struct Watch<'a, H: Fn() -> bool> {
    /// Whether to give up; asked after every call that may wait.
    pub halted: H,
    /// Where to say how many bytes were moved.
    pub moved: &'a AtomicU64,
    /// Whether this loop counts in the results.
    pub counts: bool,
}

/// One lane's requests and their bookkeeping; all memory is reserved when it is made.
#[derive(Debug)]
pub(super) struct Flow {
    policy: Policy,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Tags that are queued and not taken yet, in queue order.
    untaken: Vec<u32>,
    /// Tails of short transfers, to be queued again before anything new.
    again: Vec<Request>,
    done: Completions,
    /// Tags in use: queued, in flight, or waiting to be queued again.
    outstanding: u32,
    /// Bytes of the tensor that were moved, in all loops.
    moved_bytes: u64,
    epoch: Instant,
    pub tally: Tally,
}

impl Flow {
    pub(super) fn new(plan: &Plan, alignment: Alignment, tally: Tally) -> Self {
        let depth = plan.queue_depth;
        Self {
            policy: Policy {
                submit_max: plan.batch.submit.unwrap_or(depth) as usize,
                reap_min: plan.batch.complete,
                order: plan.order,
                alignment,
            },
            slots: vec![FREE; depth as usize],
            free: (0..depth).rev().collect(),
            untaken: Vec::with_capacity(depth as usize),
            again: Vec::with_capacity(depth as usize),
            done: Completions::with_capacity(depth as usize),
            outstanding: 0,
            moved_bytes: 0,
            epoch: Instant::now(),
            tally,
        }
    }

    /// Does all jobs of `source`. Returns when the last completion was reaped.
    ///
    /// # Errors
    /// The first request that failed, or why the loop had to end. Requests may be in flight then:
    /// [`drain`](Self::drain) them.
    pub(super) fn run<E: IoEngine, S: Source, H: Fn() -> bool>(
        &mut self,
        engine: &mut E,
        source: &mut S,
        watch: &Watch<H>,
    ) -> Result<Instant, LaneError> {
        let mut last_reaped = Instant::now();
        let mut exhausted = false;
        // In sequential order the queue is filled only when it has run empty.
        let mut filling = true;
        loop {
            self.queue_again(engine);
            if filling {
                exhausted = self.fill(engine, source);
                filling = self.policy.order == Order::Overlap;
            }
            if self.outstanding == 0 {
                return Ok(last_reaped);
            }
            let now = Instant::now();
            self.stamp(now);
            if self.untaken.len() >= self.policy.submit_max && !exhausted && self.has_free() {
                // A full batch, and there is room for another before anybody waits.
                let taken = engine.submit()?;
                self.took(taken);
                filling = true;
                if taken > 0 {
                    continue;
                }
            }
            let min = match self.policy.order {
                Order::Overlap => self.policy.reap_min.min(self.outstanding),
                Order::Sequential => self.outstanding,
            };
            let deadline = Deadline::after(now, TICK);
            let progress = engine.submit_and_reap(min, deadline, &mut self.done)?;
            self.took(progress.taken);
            let end = Instant::now();
            if progress.reaped > 0 {
                last_reaped = end;
                self.finish(source, end, watch)?;
            } else if end - last_reaped > STALL_LIMIT {
                return Err(LaneError::Stalled(STALL_LIMIT));
            } else if self.untaken.len() == self.outstanding as usize {
                thread::sleep(AGAIN_PAUSE);
            }
            filling |= self.outstanding == 0;
            if (watch.halted)() {
                return Err(LaneError::Halted);
            }
        }
    }

    fn has_free(&self) -> bool {
        !self.free.is_empty()
    }

    fn queue_again<E: IoEngine>(&mut self, engine: &mut E) {
        while let Some(tail) = self.again.pop() {
            self.queue(engine, tail);
        }
    }

    /// Queues what a batch has room for; says whether the source is exhausted.
    fn fill<E: IoEngine, S: Source>(&mut self, engine: &mut E, source: &mut S) -> bool {
        while self.untaken.len() < self.policy.submit_max {
            let Some(tag) = self.free.pop() else { return false };
            let Some(job) = source.next() else {
                self.free.push(tag);
                return true;
            };
            self.outstanding += 1;
            let request = self.begin(tag, job);
            self.queue(engine, request);
        }
        false
    }

    #[inline(always)]
    fn begin(&mut self, tag: u32, job: Job) -> Request {
        let mix = mix(job.operation, job.target, job.offset_bytes, job.length_bytes);
        self.tally.fingerprint.queued(mix);
        self.slots[tag as usize] = Slot {
            start_ns: 0,
            offset_bytes: job.offset_bytes,
            mix,
            length_bytes: job.length_bytes,
            needed_bytes: job.needed_bytes,
            useful_bytes: job.useful_bytes,
            moved_bytes: 0,
            target: job.target,
            operation: job.operation,
            stalls: 0,
            in_use: true,
            resumed: false,
        };
        Request {
            offset_bytes: job.offset_bytes,
            block: job.block,
            length_bytes: job.length_bytes,
            block_start_bytes: 0,
            tag,
            target: job.target,
            operation: job.operation,
        }
    }

    #[inline(always)]
    fn queue<E: IoEngine>(&mut self, engine: &mut E, request: Request) {
        let tag = request.tag;
        let queued = engine.queue(request);
        assert!(queued.is_ok(), "an engine as deep as the flow has room for every free tag");
        self.untaken.push(tag);
    }

    fn stamp(&mut self, now: Instant) {
        let now_ns = nanoseconds(now - self.epoch);
        for tag in &self.untaken {
            let slot = &mut self.slots[*tag as usize];
            if !slot.resumed {
                slot.start_ns = now_ns;
            }
        }
    }

    fn took(&mut self, taken: u32) {
        let taken = taken as usize;
        if taken == self.untaken.len() {
            self.untaken.clear();
        } else {
            self.untaken.drain(..taken);
        }
    }

    /// Looks at every completion that was reaped, also behind the first bad one, so that all memory
    /// comes home.
    fn finish<S: Source, H: Fn() -> bool>(
        &mut self,
        source: &mut S,
        end: Instant,
        watch: &Watch<H>,
    ) -> Result<(), LaneError> {
        let end_ns = nanoseconds(end - self.epoch);
        let mut done = std::mem::replace(&mut self.done, Completions::with_capacity(0));
        let mut first_bad = None;
        for completion in done.drain() {
            if let Err(bad) = self.finish_one(source, completion, end_ns, watch.counts) {
                first_bad.get_or_insert(bad);
            }
        }
        self.done = done;
        watch.moved.store(self.moved_bytes, Ordering::Relaxed);
        first_bad.map_or(Ok(()), |bad| Err(self.explain(bad)))
    }

    #[inline(always)]
    fn finish_one<S: Source>(
        &mut self,
        source: &mut S,
        completion: Completion,
        end_ns: u64,
        counts: bool,
    ) -> Result<(), Bad> {
        let tag = completion.tag;
        let result = completion.result();
        let slot = match self.slots.get_mut(tag as usize) {
            Some(slot) if slot.in_use => slot,
            _ => return Err(Bad { tag, what: None }),
        };
        if let Ok(moved) = result
            && slot.is_done_with(moved)
        {
            slot.in_use = false;
            self.free.push(tag);
            self.outstanding -= 1;
            self.tally.fingerprint.completed(slot.mix);
            self.moved_bytes += u64::from(slot.useful_bytes);
            if counts {
                self.tally.requests += 1;
                self.tally.latency.record(end_ns.saturating_sub(slot.start_ns));
            }
            source.take_back(completion.block);
            return Ok(());
        }
        self.not_done(source, completion, counts)
    }

    /// A completion that moved less than it was to move.
    #[cold]
    fn not_done<S: Source>(
        &mut self,
        source: &mut S,
        completion: Completion,
        counts: bool,
    ) -> Result<(), Bad> {
        let tag = completion.tag;
        let slot = &mut self.slots[tag as usize];
        let what = match completion.result() {
            Err(errno) => BadResult::Errno(errno),
            Ok(0) => BadResult::NothingMoved,
            Ok(moved) if slot.may_continue(moved, self.policy.alignment) => {
                self.tally.short_transfers += u64::from(counts);
                self.again.push(slot.tail(completion));
                return Ok(());
            }
            Ok(_) => BadResult::NoProgress,
        };
        slot.in_use = false;
        self.free.push(tag);
        self.outstanding -= 1;
        source.take_back(completion.block);
        Err(Bad { tag, what: Some(what) })
    }

    #[cold]
    fn explain(&self, bad: Bad) -> LaneError {
        match bad.what {
            Some(what) => LaneError::Request(self.slots[bad.tag as usize].bad_request(what)),
            None => LaneError::Stranger { tag: bad.tag },
        }
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
        let now = Instant::now();
        let mut deadline = Deadline::after(now, DRAIN_LIMIT);
        self.again.drain(..).for_each(|tail| source.take_back(tail.block));
        loop {
            let drained = engine.drain(deadline, &mut self.done);
            for completion in self.done.drain() {
                source.take_back(completion.block);
            }
            match drained {
                Ok(()) => break,
                Err(still) if !deadline.refresh() => {
                    return Err(LaneError::StillInFlight(still.count));
                }
                Err(_room_was_short) => {}
            }
        }
        self.untaken.clear();
        Ok(())
    }
}

impl Slot {
    /// Whether `moved_bytes` more are all that was needed. An operation that moves no data needs none.
    fn is_done_with(&self, moved_bytes: u32) -> bool {
        self.moved_bytes.saturating_add(moved_bytes) >= self.needed_bytes
    }

    /// Notes a short transfer and says whether to ask for the rest. Direct I/O can go on only at a
    /// multiple of its alignment, so some bytes may be moved twice.
    fn may_continue(&mut self, moved_bytes: u32, alignment: Alignment) -> bool {
        let step = alignment.offset_bytes;
        let resume_at = (self.moved_bytes + moved_bytes) / step * step;
        self.stalls = if resume_at > self.moved_bytes { 0 } else { self.stalls + 1 };
        self.moved_bytes = resume_at;
        self.resumed = true;
        self.stalls < STALLS_MAX
    }

    /// The request for what a short transfer has left.
    fn tail(&self, completion: Completion) -> Request {
        Request {
            offset_bytes: self.offset_bytes + u64::from(self.moved_bytes),
            block: completion.block,
            length_bytes: self.length_bytes - self.moved_bytes,
            block_start_bytes: self.moved_bytes,
            tag: completion.tag,
            target: self.target,
            operation: self.operation,
        }
    }

    fn bad_request(&self, what: BadResult) -> BadRequest {
        BadRequest {
            operation: self.operation,
            target: self.target,
            offset_bytes: self.offset_bytes + u64::from(self.moved_bytes),
            length_bytes: self.length_bytes - self.moved_bytes,
            what,
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    time.as_secs() * 1_000_000_000 + u64::from(time.subsec_nanos())
}

#[cfg(test)]
mod tests;
