//! The loop of an open run: requests start when they are meant to, whatever the storage does.
//!
//! What is due is queued once there is a place, the longest due first, and never before it is due.
//! A wait for completions ends when the next request is due. With nothing in flight the lane
//! sleeps until shortly before, and looks at the clock for the rest: waking up takes about as long
//! as a fast device, and would stand in every response. With requests in flight it does not do so,
//! because it would see their ends late. The CPU that this costs is in the report like all other.

use std::time::Duration;
use std::{hint, thread};

use super::apart::BATCHES_EACH;
use super::pace::Pace;
use super::slack::ExactTimers;
use super::{Flow, Watch};
use crate::clock::Stamp;
use crate::engine::IoEngine;
use crate::schedule::TICK;
use crate::schedule::failure::LaneError;
use crate::schedule::source::Source;

/// How long before a request is due the lane wakes up for it.
const WAKE_BEFORE: Duration = Duration::from_micros(60);

impl Flow {
    /// Does all jobs of `source`, each when `pace` says. Returns the time when the last completion
    /// was reaped, or when the time was over, if that ends the loop.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub(in crate::schedule) fn run_paced<E: IoEngine, S: Source, H: Fn() -> bool>(
        &mut self,
        engine: &mut E,
        source: &mut S,
        watch: &Watch<H>,
        pace: &mut Pace,
    ) -> Result<Stamp, LaneError> {
        let _exact = ExactTimers::begin();
        self.books.start_over();
        let mut now = Stamp::now();
        // When something was reaped, or there was nothing to be reaped.
        let mut last_moved = now;
        let mut exhausted = false;
        loop {
            exhausted |= !self.books.choose(source);
            if self.books.outstanding() == 0 && (exhausted || !source.is_fenced()) {
                if exhausted {
                    return Ok(last_moved);
                }
                if !Self::sleep_until(pace.due().min(watch.until), watch) {
                    return Err(LaneError::Halted);
                }
                now = Stamp::now();
                last_moved = now;
            }
            if now >= watch.until && !exhausted {
                pace.give_up(watch.until, watch.counts);
                exhausted = true;
                continue;
            }
            self.books.queue_tails(engine);
            let mut has_room = true;
            if !exhausted {
                has_room = self.queue_due(engine, source, watch, pace, now);
            }
            let due = if exhausted { Stamp::NEVER } else { pace.due().min(watch.until) };
            let due = (has_room && self.books.has_free()).then_some(due);
            now = self.wait(engine, source, watch, pace, due, &mut last_moved)?;
        }
    }

    /// Queues what is due by `now` and has a place, up to a batch, and a flush whose turn it is,
    /// when it is alone. Says whether what comes next need not wait for those in flight.
    fn queue_due<E: IoEngine, S: Source, H: Fn() -> bool>(
        &mut self,
        engine: &mut E,
        source: &mut S,
        watch: &Watch<H>,
        pace: &mut Pace,
        now: Stamp,
    ) -> bool {
        while self.books.has_free()
            && self.books.untaken() < self.policy.submit_max
            && self.books.choose(source)
        {
            let before = self.books.outstanding();
            let is_fenced = source.is_fenced();
            if is_fenced && before > 0 {
                return false;
            }
            if !is_fenced && pace.due() > now {
                break;
            }
            self.books.fill(engine, source, 1);
            let tag = self.books.tags(before..before + 1)[0];
            if is_fenced {
                pace.begin_unscheduled(tag, now);
            } else {
                pace.begin(tag, now, watch.counts);
            }
        }
        true
    }

    /// Hands over what is queued, and waits until something comes, or `due`, if there is a place for
    /// what is due then. Returns the time just after that.
    fn wait<E: IoEngine, S: Source, H: Fn() -> bool>(
        &mut self,
        engine: &mut E,
        source: &mut S,
        watch: &Watch<H>,
        pace: &mut Pace,
        due: Option<Stamp>,
        last_moved: &mut Stamp,
    ) -> Result<Stamp, LaneError> {
        let now = Stamp::now();
        let is_sampled = self.books.starts.next() % BATCHES_EACH == BATCHES_EACH - 1;
        self.books.stamp(now);
        let outstanding = self.books.outstanding();
        let wait = due.map_or(TICK, |due| due.since(now).min(TICK));
        // A queue depth is a u32.
        let all = u32::try_from(outstanding).unwrap_or(u32::MAX);
        let min = self.policy.reap_min.min(all);
        let progress = self.call(engine, now, min, wait, is_sampled, watch.counts)?;
        let end = Stamp::now();
        let entered = self.after_call(progress, end, last_moved, source, watch);
        if progress.reaped > 0 {
            if watch.counts {
                for tag in self.books.tags(self.books.outstanding()..outstanding) {
                    let kind = self.books.slots[*tag as usize].what.operation().kind();
                    pace.finish(*tag, kind, end);
                }
            }
            if due.is_none() {
                pace.was_full(end);
            }
        }
        entered.map(|()| end)
    }

    /// Sleeps until `due`, and looks at the clock for the last of it. Says whether to go on.
    fn sleep_until<H: Fn() -> bool>(due: Stamp, watch: &Watch<H>) -> bool {
        loop {
            let left = due.since(Stamp::now());
            if left.is_zero() {
                return true;
            }
            if (watch.halted)() {
                return false;
            }
            let asleep = left.saturating_sub(WAKE_BEFORE).min(TICK);
            if asleep.is_zero() {
                hint::spin_loop();
            } else {
                thread::sleep(asleep);
            }
        }
    }
}

#[cfg(test)]
mod tests;
