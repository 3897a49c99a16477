//! A sample of the time inside the submitting call. Engines submit and wait in one call where the
//! kernel has one; now and then it is made in two, with a look at the clock between them.

use std::ops::AddAssign;

use super::{LaneError, Progress};
use crate::clock::Stamp;
use crate::engine::{Completions, Deadline, IoEngine};

/// Batches of which the last is sampled; a power of two. Not the first, which fills the queue.
pub(super) const BATCHES_EACH: u16 = 64;
/// The same of runs of up to 64 requests one by one.
pub(super) const RUNS_EACH: u32 = 16;

/// What was sampled in the loops that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SubmitTime {
    /// Calls that submitted.
    pub calls: u64,
    /// Their time altogether, in nanoseconds.
    pub in_calls_ns: u64,
}

impl AddAssign for SubmitTime {
    fn add_assign(&mut self, more: Self) {
        self.calls += more.calls;
        self.in_calls_ns += more.in_calls_ns;
    }
}

impl SubmitTime {
    /// Counts a call that has just returned.
    #[cold]
    pub(super) fn returned(&mut self, begun: Stamp, counts: bool) {
        if counts {
            self.calls += 1;
            self.in_calls_ns += Stamp::now().ns_since(begun);
        }
    }
}

/// What a call is to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// When it begins.
    pub now: Stamp,
    /// Completions to wait for.
    pub min: u32,
    /// Requests that the engine has queued.
    pub untaken: usize,
    /// All that it has, in flight too.
    pub outstanding: usize,
    /// Whether this loop counts.
    pub counts: bool,
}

/// Submits and reaps as [`IoEngine::submit_and_reap`] does, in two calls, and samples the first.
///
/// # Errors
/// When the engine is dead.
#[cold]
#[inline(never)]
pub(super) fn submit_then_reap<E: IoEngine>(
    engine: &mut E,
    call: Call,
    deadline: Deadline,
    done: &mut Completions,
    time: &mut SubmitTime,
) -> Result<Progress, LaneError> {
    if call.untaken == 0 {
        return Ok(engine.submit_and_reap(call.min, deadline, done)?);
    }
    let taken = engine.submit()?;
    time.returned(call.now, call.counts);
    let in_flight = (call.outstanding - call.untaken) as u64 + u64::from(taken);
    let min = call.min.min(u32::try_from(in_flight).unwrap_or(u32::MAX));
    let reaped = if in_flight > 0 { engine.reap(min, deadline, done)? } else { 0 };
    Ok(Progress { taken, reaped })
}
