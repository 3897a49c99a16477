//! The engine that makes each call on the lane's own thread.
#![expect(unsafe_code, reason = "has the kernel use memory that a request in the table owns")]
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use std::mem;

use aio_core::engine::{
    Completion, Completions, Deadline, EngineCounters, EngineError, IoEngine, LaneSetup, Progress,
    Rejected, Request, RwFlags, StillInFlight, Terms, Why, flags_refused,
};
use aio_core::memory::Block;
use aio_core::receipt::Receipt;

use crate::perform::{Call, Targets};

/// How far the only request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There is none.
    Idle,
    /// It was accepted.
    Queued,
    /// Its call has returned this, and it could not be given back yet.
    Done(i32),
}

/// A queue of depth 1 whose request is done when `submit` returns.
///
/// The kernel uses its memory during the call only, so that the compiler knows who owns it.
#[derive(Debug)]
pub(crate) struct InlineEngine {
    terms: Terms,
    stage: Stage,
    /// The memory of the request.
    block: Option<Block>,
    /// What is or was called for it.
    call: Call,
    targets: Targets,
    /// Requests that were submitted, each by a submitting call and a system call of its own.
    submitted: u64,
    reap_calls: u64,
    /// What was counted beyond that.
    more: EngineCounters,
    receipts: Vec<Receipt>,
}

impl InlineEngine {
    /// An engine of that setup, whose queue depth is 1.
    pub(crate) fn new(setup: &LaneSetup, targets: Targets, receipts: Vec<Receipt>) -> Self {
        assert_eq!(setup.queue_depth, 1, "one thread makes one call at a time");
        Self {
            terms: Terms::new(setup.files.len(), setup.operations),
            stage: Stage::Idle,
            block: None,
            call: Call::NONE,
            targets,
            submitted: 0,
            reap_calls: 0,
            more: EngineCounters::default(),
            receipts,
        }
    }

    /// Whether the request can be accepted.
    #[inline(always)]
    fn check(&self, request: &Request) -> Result<(), Why> {
        if self.stage != Stage::Idle {
            return Err(Why::QueueFull);
        }
        if request.tag != 0 {
            return Err(Why::BadTag);
        }
        self.terms.check(request)
    }

    /// Gives the request back. `done` has room.
    #[inline(always)]
    fn deliver(&mut self, status: i32, done: &mut Completions) {
        self.stage = Stage::Idle;
        done.push(Completion { block: self.block.take(), tag: 0, status });
    }

    /// Makes the call of the queued request, and says what came of it.
    #[inline(always)]
    fn call(&mut self) -> Result<i32, EngineError> {
        self.submitted += 1;
        // SAFETY: the range is one of the request's block, as was checked when it was accepted, and
        // this engine owns the block.
        match unsafe { self.call.make() } {
            Ok(moved) => Ok(moved),
            Err(errno) => self.call_once_more(errno),
        }
    }

    /// Goes on after a first call that ended with `errno`.
    #[cold]
    #[inline(never)]
    fn call_once_more(&mut self, errno: i32) -> Result<i32, EngineError> {
        // SAFETY: as in `call`.
        let outcome = unsafe { self.call.once_more(errno) };
        self.more.system_calls += u64::from(outcome.system_calls - 1);
        self.more.interrupted += u64::from(outcome.interrupted);
        self.more.again += u64::from(outcome.again);
        if outcome.refused.is_empty() {
            return Ok(outcome.status);
        }
        self.stage = Stage::Done(outcome.status);
        Err(refused(outcome.refused))
    }

    /// [`IoEngine::submit_and_reap`] step by step: when nothing is queued, or there is no room.
    #[cold]
    #[inline(never)]
    fn submit_then_reap(&mut self, done: &mut Completions) -> Result<Progress, EngineError> {
        let taken = self.submit()?;
        Ok(Progress { taken, reaped: self.reap_one(done) })
    }

    /// Gives back what is done, if there is room.
    fn reap_one(&mut self, done: &mut Completions) -> u32 {
        self.reap_calls += 1;
        match self.stage {
            Stage::Done(status) if done.spare() > 0 => {
                self.deliver(status, done);
                1
            }
            _ => 0,
        }
    }
}

/// The error of an engine whose calls were refused because of their flags.
#[cold]
pub(crate) fn refused(flags: RwFlags) -> EngineError {
    EngineError { call: "a call with flags", source: flags_refused(flags) }
}

impl IoEngine for InlineEngine {
    #[inline(always)]
    fn queue(&mut self, request: Request) -> Result<(), Rejected> {
        if let Err(why) = self.check(&request) {
            return Err(Rejected { request, why });
        }
        self.call = self.targets.call(&request, request.address());
        // There was none. Without the look whether there is something to drop.
        mem::forget(mem::replace(&mut self.block, request.block));
        self.stage = Stage::Queued;
        Ok(())
    }

    fn submit(&mut self) -> Result<u32, EngineError> {
        if self.stage != Stage::Queued {
            return Ok(0);
        }
        self.stage = Stage::Done(self.call()?);
        Ok(1)
    }

    fn reap(
        &mut self,
        _min: u32,
        _deadline: Deadline,
        done: &mut Completions,
    ) -> Result<u32, EngineError> {
        Ok(self.reap_one(done))
    }

    #[inline(always)]
    fn submit_and_reap(
        &mut self,
        _min: u32,
        _deadline: Deadline,
        done: &mut Completions,
    ) -> Result<Progress, EngineError> {
        if self.stage != Stage::Queued || done.spare() == 0 {
            return self.submit_then_reap(done);
        }
        let status = self.call()?;
        self.reap_calls += 1;
        self.deliver(status, done);
        Ok(Progress { taken: 1, reaped: 1 })
    }

    fn drain(&mut self, _deadline: Deadline, done: &mut Completions) -> Result<(), StillInFlight> {
        self.reap_one(done);
        // Not counted as submitted or reaped.
        if self.stage == Stage::Queued && done.spare() > 0 {
            self.deliver(-libc::ECANCELED, done);
        }
        if self.stage == Stage::Idle { Ok(()) } else { Err(StillInFlight { count: 1 }) }
    }

    fn counters(&self) -> EngineCounters {
        EngineCounters {
            system_calls: self.submitted + self.more.system_calls,
            submit_calls: self.submitted,
            submitted: self.submitted,
            reap_calls: self.reap_calls,
            // Each was given back, but for one that is done.
            reaped: self.submitted - u64::from(matches!(self.stage, Stage::Done(_))),
            ..self.more
        }
    }

    fn receipts(&self) -> Vec<Receipt> {
        self.receipts.clone()
    }
}
