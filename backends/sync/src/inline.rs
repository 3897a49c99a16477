//! The engine that makes each call on the lane's own thread.

use aio_core::engine::Files;
use aio_core::engine::{
    Completions, Deadline, EngineCounters, EngineError, IoEngine, LaneSetup, Progress, Rejected,
    Request, StillInFlight,
};
use aio_core::receipt::Receipt;

use crate::front::Front;
use crate::perform::{Finished, perform};

/// A queue of depth 1 whose request is done when `submit` returns.
#[derive(Debug)]
pub(crate) struct InlineEngine {
    front: Front,
    files: Files,
    finished: Option<Finished>,
}

impl InlineEngine {
    /// An engine of that setup, whose queue depth is 1.
    pub(crate) fn new(setup: LaneSetup) -> Self {
        assert_eq!(setup.queue_depth, 1, "one thread makes one call at a time");
        Self { front: Front::new(&setup), files: setup.files, finished: None }
    }

    /// What an inline engine says about itself.
    pub(crate) fn receipts() -> Vec<Receipt> {
        vec![Receipt::granted("inline", "on")]
    }

    fn reap_into(&mut self, done: &mut Completions) -> u32 {
        self.front.counters.reap_calls += 1;
        if done.spare() == 0 {
            return 0;
        }
        let Some(finished) = self.finished.take() else { return 0 };
        self.front.complete(finished, done);
        1
    }
}

impl IoEngine for InlineEngine {
    fn queue(&mut self, request: Request) -> Result<(), Rejected> {
        self.front.queue(request)
    }

    fn submit(&mut self) -> Result<u32, EngineError> {
        let (count, requests) = self.front.submit();
        for mut request in requests {
            let outcome = perform(&self.files, &mut request);
            let Request { block, tag, .. } = request;
            self.finished = Some(Finished { block, tag, outcome });
        }
        Ok(count)
    }

    fn reap(
        &mut self,
        _min: u32,
        _deadline: Deadline,
        done: &mut Completions,
    ) -> Result<u32, EngineError> {
        Ok(self.reap_into(done))
    }

    fn submit_and_reap(
        &mut self,
        _min: u32,
        _deadline: Deadline,
        done: &mut Completions,
    ) -> Result<Progress, EngineError> {
        let taken = self.submit()?;
        Ok(Progress { taken, reaped: self.reap_into(done) })
    }

    fn drain(&mut self, _deadline: Deadline, done: &mut Completions) -> Result<(), StillInFlight> {
        self.reap_into(done);
        self.front.cancel(done);
        match self.front.count() {
            0 => Ok(()),
            count => Err(StillInFlight { count }),
        }
    }

    fn counters(&self) -> EngineCounters {
        self.front.counters
    }

    fn receipts(&self) -> Vec<Receipt> {
        Self::receipts()
    }
}
