//! What a lane knows about its requests: one slot per tag.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use std::ops::Range;

use super::apart::SubmitTime;
use super::hot::{Entered, begin_all, enter_all};
use super::slot::{After, FREE, ODD, Slot};
use super::starts::Starts;
use crate::clock::Stamp;
use crate::engine::{Completion, Completions, IoEngine, Request};
use crate::memory::Block;
use crate::report::LatencyHistogram;
use crate::schedule::course::{Course, Done};
use crate::schedule::failure::{BadResult, LaneError};
use crate::schedule::source::Source;
use crate::stats::{Fingerprint, PerKind, What};
use crate::target::Alignment;

/// A completion that ends the run.
#[derive(Clone, Copy, Debug)]
struct Bad {
    tag: u32,
    /// What was wrong; absent when no such request is in flight.
    what: Option<BadResult>,
}

/// What a lane has counted.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// In loops that count.
    pub latency: PerKind<LatencyHistogram>,
    /// Completed ones, in all loops.
    pub requests: PerKind<u64>,
    /// In loops that count.
    pub short_transfers: u64,
    /// Over all loops.
    pub fingerprint: Fingerprint,
    /// What was done by when, in loops that count.
    pub course: Course,
    /// In loops that count.
    pub submit_time: SubmitTime,
}

impl Tally {
    pub(in crate::schedule) fn new(fingerprint: Fingerprint) -> Self {
        Self {
            latency: PerKind::default(),
            requests: PerKind::default(),
            short_transfers: 0,
            fingerprint,
            course: Course::default(),
            submit_time: SubmitTime::default(),
        }
    }
}

/// Offsets that are chosen at a time, so that a generator works in registers.
const CHOSEN_MAX: usize = 64;

/// The requests of a lane; all memory is reserved when it is made.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) slots: Box<[Slot]>,
    /// Tags that are not in use: these from `in_use` on. The first is used first.
    free: Box<[u32]>,
    /// How many are in use: queued, in flight, or waiting to be queued again.
    pub(super) in_use: usize,
    /// Tags that are queued and not taken yet, in queue order: what an earlier batch left over, and
    /// tails.
    waiting: Vec<u32>,
    left_over: usize,
    /// Requests that were queued behind those, for the first time, since the last batch. Their tags
    /// lie right before the free ones, the oldest first.
    pub(super) fresh: usize,
    pub(super) starts: Starts,
    /// Offsets that the source has chosen and that were not queued yet.
    pub(super) chosen: [u64; CHOSEN_MAX],
    pub(super) chosen_next: usize,
    pub(super) chosen_end: usize,
    /// Completions to be looked into.
    odd: Vec<Completion>,
    /// Tails of short transfers, to be queued again before anything new.
    tails: Vec<Request>,
    /// Bytes of the tensor or range that were moved, in all loops.
    pub moved_bytes: PerKind<u64>,
    pub tally: Tally,
    /// Where latencies of loops go that do not count.
    pub(super) warm_up: PerKind<LatencyHistogram>,
    /// Runs of requests one by one.
    pub(super) runs: u32,
    alignment: Alignment,
}

impl Books {
    pub(super) fn new(queue_depth: u32, alignment: Alignment, tally: Tally) -> Self {
        let depth = queue_depth as usize;
        Self {
            slots: (0..queue_depth).map(|_tag| Slot::free()).collect(),
            free: (0..queue_depth).collect(),
            in_use: 0,
            waiting: Vec::with_capacity(depth),
            left_over: 0,
            fresh: 0,
            starts: Starts::new(),
            chosen: [0; CHOSEN_MAX],
            chosen_next: 0,
            chosen_end: 0,
            odd: Vec::with_capacity(depth),
            tails: Vec::with_capacity(depth),
            moved_bytes: PerKind::default(),
            tally,
            warm_up: PerKind::default(),
            runs: 0,
            alignment,
        }
    }

    /// Tags in use: queued, in flight, or waiting to be queued again.
    #[inline(always)]
    pub(super) fn outstanding(&self) -> usize {
        self.in_use
    }

    /// Requests that are queued and not taken yet.
    #[inline(always)]
    pub(super) fn untaken(&self) -> usize {
        self.waiting.len() + self.fresh
    }

    #[inline(always)]
    pub(super) fn has_free(&self) -> bool {
        self.in_use < self.free.len()
    }

    /// The tags at `places`: behind those in use stand the ones that were used last, and right
    /// before the free ones those that were begun last.
    pub(super) fn tags(&self, places: Range<usize>) -> &[u32] {
        &self.free[places]
    }

    /// What was done in all loops.
    pub(super) fn done(&self) -> Done {
        Done { requests: self.tally.requests, bytes: self.moved_bytes }
    }

    /// Notes what was done before `now`, when an interval has ended.
    #[cold]
    pub(super) fn pass(&mut self, now: Stamp) {
        let totals = self.done();
        self.tally.course.pass(now, totals, &mut self.tally.latency);
    }

    /// Forgets offsets that an earlier source has chosen.
    pub(super) fn start_over(&mut self) {
        (self.chosen_next, self.chosen_end) = (0, 0);
    }

    /// Has the source choose offsets when all that it chose were used; says whether there are any.
    #[inline(always)]
    pub(super) fn choose<S: Source>(&mut self, source: &mut S) -> bool {
        if self.chosen_next == self.chosen_end {
            (self.chosen_next, self.chosen_end) = (0, source.choose(&mut self.chosen));
        }
        self.chosen_next < self.chosen_end
    }

    /// Queues up to `room` new requests; says whether the source is exhausted.
    #[inline(always)]
    pub(super) fn fill<E: IoEngine, S: Source>(
        &mut self,
        engine: &mut E,
        source: &mut S,
        room: usize,
    ) -> bool {
        let mut room = room.min(self.free.len() - self.in_use);
        while room > 0 {
            if !self.choose(source) {
                return true;
            }
            if self.in_use > 0 && source.is_fenced() {
                return false;
            }
            let print = &mut self.tally.fingerprint;
            let offsets = &self.chosen[self.chosen_next..self.chosen_end];
            let count = room.min(offsets.len()).min(print.room());
            let tags = &self.free[self.in_use..][..count];
            let start = self.starts.next();
            begin_all(&mut self.slots, tags, &offsets[..count], start, print, engine, source);
            self.chosen_next += count;
            self.in_use += count;
            self.fresh += count;
            room -= count;
        }
        false
    }

    /// Queues the tails of short transfers.
    #[inline(always)]
    pub(super) fn queue_tails<E: IoEngine>(&mut self, engine: &mut E) {
        while let Some(tail) = self.tails.pop() {
            self.waiting.push(tail.tag);
            let queued = engine.queue(tail);
            assert!(queued.is_ok(), "an engine as deep as the flow has room for every tail");
        }
    }

    /// Stamps what is about to be submitted.
    #[inline(always)]
    pub(super) fn stamp(&mut self, now: Stamp) {
        if self.left_over > 0 {
            self.join_next_batch();
        }
        if self.starts.stamp(now) {
            self.keep_starts();
        }
    }

    /// Requests that were not taken with their own batch go with the next.
    #[cold]
    fn join_next_batch(&mut self) {
        for tag in &self.waiting[..self.left_over] {
            let slot = &mut self.slots[*tag as usize];
            if slot.wanted != ODD {
                slot.start = self.starts.next();
            } else if !slot.odd.resumed {
                slot.wanted = slot.odd.needed_bytes.cast_signed();
                slot.start = self.starts.next();
            }
        }
    }

    #[cold]
    fn keep_starts(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| slot.wanted != FREE) {
            slot.make_odd(&self.starts);
        }
    }

    /// Notes that the engine took the oldest `taken` requests.
    #[inline(always)]
    pub(super) fn took(&mut self, taken: u32) {
        if taken as usize == self.fresh && self.waiting.is_empty() {
            self.fresh = 0;
        } else {
            self.took_some(taken as usize);
        }
    }

    fn took_some(&mut self, taken: usize) {
        let fresh = &self.free[self.in_use - self.fresh..self.in_use];
        self.waiting.extend(fresh);
        self.fresh = 0;
        self.waiting.drain(..taken);
        self.left_over = self.waiting.len();
    }

    /// Enters all completions, also those behind the first bad one, so that all memory comes home.
    #[inline(always)]
    pub(super) fn finish<S: Source>(
        &mut self,
        done: &mut Completions,
        end: Stamp,
        counts: bool,
        source: &mut S,
    ) -> Result<(), LaneError> {
        let latency = if counts { &mut self.tally.latency } else { &mut self.warm_up };
        let Self { slots, free, starts, odd, moved_bytes, .. } = self;
        let requests = &mut self.tally.requests;
        let kind_each = source.kind_each();
        let mut entered = Entered::default();
        loop {
            // Where there are more than requests in use, some are strangers.
            while done.len() > self.in_use {
                odd.extend(done.pop());
            }
            let all = done.len();
            let places = &mut free[self.in_use - all..self.in_use];
            let stopped = if let Some(kind) = kind_each {
                let latency = &mut latency[kind];
                let record = |_what, ns| latency.record(ns);
                enter_all(done, slots, places, starts, record, end, source, &mut entered)
            } else {
                let record = |what: What, ns| {
                    let kind = what.operation().kind();
                    latency[kind].record(ns);
                    requests[kind] += 1;
                    moved_bytes[kind] += u64::from(what.length_bytes());
                };
                enter_all(done, slots, places, starts, record, end, source, &mut entered)
            };
            let count = all - done.len() - usize::from(stopped.is_some());
            self.in_use -= count;
            if let Some(kind) = kind_each {
                requests[kind] += count as u64;
            }
            match stopped {
                Some(completion) => odd.push(completion),
                None => break,
            }
        }
        if let Some(kind) = kind_each {
            moved_bytes[kind] += entered.moved_bytes;
        }
        self.tally.fingerprint.completed(entered.mixes);
        if self.odd.is_empty() { Ok(()) } else { self.look_into_odd(end, counts, source) }
    }

    #[cold]
    fn look_into_odd<S: Source>(
        &mut self,
        end: Stamp,
        counts: bool,
        source: &mut S,
    ) -> Result<(), LaneError> {
        let mut first_bad = None;
        let mut odd = std::mem::take(&mut self.odd);
        // They came last one first.
        for completion in odd.drain(..).rev() {
            if let Err(bad) = self.look_into(completion, end, counts, source) {
                first_bad.get_or_insert(bad);
            }
        }
        self.odd = odd;
        first_bad.map_or(Ok(()), |bad| Err(self.explain(bad)))
    }

    /// Looks into a completion that brought less than the whole of a request.
    fn look_into<S: Source>(
        &mut self,
        completion: Completion,
        end: Stamp,
        counts: bool,
        source: &mut S,
    ) -> Result<(), Bad> {
        let tag = completion.tag;
        let slot = match self.slots.get_mut(tag as usize) {
            Some(slot) if slot.wanted != FREE => slot,
            _ => {
                source.take_back(completion.block, &mut None);
                return Err(Bad { tag, what: None });
            }
        };
        slot.make_odd(&self.starts);
        let what = match slot.after(completion.result(), self.alignment) {
            After::Done => None,
            After::GoesOn => {
                self.tally.short_transfers += u64::from(counts);
                self.tails.push(slot.tail(completion));
                return Ok(());
            }
            After::Bad(what) => Some(what),
        };
        slot.wanted = FREE;
        self.in_use -= 1;
        self.free[self.in_use] = tag;
        if what.is_none() {
            source.check(slot.offset_bytes, slot.what, completion.block.as_ref());
        }
        source.take_back(completion.block, &mut slot.home);
        if what.is_some() {
            return Err(Bad { tag, what });
        }
        let kind = slot.what.operation().kind();
        self.moved_bytes[kind] += u64::from(source.useful_bytes(slot.offset_bytes, slot.what));
        self.tally.requests[kind] += 1;
        self.tally.fingerprint.completed(slot.mix);
        if counts {
            self.tally.latency[kind].record(end.ns_since(slot.odd.start));
        }
        Ok(())
    }

    /// The error that a bad completion is.
    fn explain(&self, bad: Bad) -> LaneError {
        match bad.what {
            Some(what) => LaneError::Request(self.slots[bad.tag as usize].bad_request(what)),
            None => LaneError::Stranger { tag: bad.tag },
        }
    }

    /// Takes home what comes back when nobody waits for results any more.
    pub(super) fn take_home<S: Source>(&mut self, done: &mut Completions, source: &mut S) {
        for completion in done.drain() {
            let slot = self.slots.get_mut(completion.tag as usize);
            source.take_back(completion.block, slot.map_or(&mut None, |slot| &mut slot.home));
        }
    }

    /// Forgets what was queued and not taken, and takes home the tails that were to be queued.
    pub(super) fn forget_queued<S: Source>(&mut self, source: &mut S) {
        self.waiting.clear();
        (self.left_over, self.fresh) = (0, 0);
        while let Some(Request { tag, block, .. }) = self.tails.pop() {
            source.take_back(block, &mut self.slots[tag as usize].home);
        }
    }

    /// The memory of each place in the queue.
    pub(super) fn homes(&mut self) -> impl Iterator<Item = &mut Option<Block>> {
        self.slots.iter_mut().map(|slot| &mut slot.home)
    }
}
