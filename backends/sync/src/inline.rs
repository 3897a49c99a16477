//! The engine that makes each call on the lane's own thread.
#![expect(unsafe_code, reason = "has the kernel use memory that a request in the table owns")]
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use aio_core::engine::{
    Completion, Completions, Deadline, EngineCounters, EngineError, InFlight, IoEngine, LaneSetup,
    Progress, Rejected, Request, RwFlags, StillInFlight, flags_refused,
};
use aio_core::receipt::Receipt;

use crate::perform::{Call, Targets};

/// How far the only request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There is none.
    Idle,
    /// It was accepted.
    Queued,
    /// Its call has returned.
    Done,
}

/// A queue of depth 1 whose request is done when `submit` returns.
#[derive(Debug)]
pub(crate) struct InlineEngine {
    /// Owns the memory of the request, under tag 0.
    in_flight: InFlight,
    stage: Stage,
    /// What is or was called for it.
    call: Call,
    /// What the call has returned.
    status: i32,
    targets: Targets,
    /// Requests that were submitted, each by a submitting call and a system call of its own.
    submitted: u64,
    reaped: u64,
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
            in_flight: InFlight::new(1, setup.files.len(), setup.operations),
            stage: Stage::Idle,
            call: Call::NONE,
            status: 0,
            targets,
            submitted: 0,
            reaped: 0,
            reap_calls: 0,
            more: EngineCounters::default(),
            receipts,
        }
    }

    /// Gives the request back. `done` has room.
    #[inline(always)]
    fn deliver(&mut self, status: i32, done: &mut Completions) {
        let block = self.in_flight.release(0).expect("the request is in the table");
        self.stage = Stage::Idle;
        done.push(Completion { block, tag: 0, status });
    }

    #[inline(always)]
    fn submit_one(&mut self) -> Result<u32, EngineError> {
        if self.stage != Stage::Queued {
            return Ok(0);
        }
        self.stage = Stage::Done;
        self.submitted += 1;
        // SAFETY: the range is one of the request's block, as `in_flight` has checked, which owns
        // the block until it is delivered.
        match unsafe { self.call.make() } {
            Ok(moved) => {
                self.status = moved;
                Ok(1)
            }
            Err(errno) => self.submit_once_more(errno),
        }
    }

    /// Goes on after a first call that ended with `errno`.
    #[cold]
    fn submit_once_more(&mut self, errno: i32) -> Result<u32, EngineError> {
        // SAFETY: as in `submit_one`.
        let outcome = unsafe { self.call.once_more(errno) };
        self.status = outcome.status;
        self.more.system_calls += u64::from(outcome.system_calls - 1);
        self.more.interrupted += u64::from(outcome.interrupted);
        self.more.again += u64::from(outcome.again);
        if outcome.refused.is_empty() { Ok(1) } else { Err(refused(outcome.refused)) }
    }

    #[inline(always)]
    fn reap_one(&mut self, done: &mut Completions) -> u32 {
        self.reap_calls += 1;
        if self.stage != Stage::Done || done.spare() == 0 {
            return 0;
        }
        self.reaped += 1;
        self.deliver(self.status, done);
        1
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
        let address = request.address();
        let request = self.in_flight.accept(request)?;
        self.call = self.targets.call(&request, address);
        self.stage = Stage::Queued;
        Ok(())
    }

    #[inline(always)]
    fn submit(&mut self) -> Result<u32, EngineError> {
        self.submit_one()
    }

    #[inline(always)]
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
        let taken = self.submit_one()?;
        Ok(Progress { taken, reaped: self.reap_one(done) })
    }

    fn drain(&mut self, _deadline: Deadline, done: &mut Completions) -> Result<(), StillInFlight> {
        self.reap_one(done);
        // Not counted as submitted or reaped.
        if self.stage == Stage::Queued && done.spare() > 0 {
            self.deliver(-libc::ECANCELED, done);
        }
        match self.in_flight.count() {
            0 => Ok(()),
            count => Err(StillInFlight { count }),
        }
    }

    fn counters(&self) -> EngineCounters {
        EngineCounters {
            system_calls: self.submitted + self.more.system_calls,
            submit_calls: self.submitted,
            submitted: self.submitted,
            reap_calls: self.reap_calls,
            reaped: self.reaped,
            ..self.more
        }
    }

    fn receipts(&self) -> Vec<Receipt> {
        self.receipts.clone()
    }
}

impl Drop for InlineEngine {
    /// Frees the block that is left, which the table would leak: no call is using it, for a call
    /// that was made has returned.
    fn drop(&mut self) {
        drop(self.in_flight.release(0));
    }
}
