//! The lane's side of both engines: what was accepted, what is queued, and what is counted.

use std::collections::{VecDeque, vec_deque};

use aio_core::engine::{
    Completion, Completions, EngineCounters, InFlight, LaneSetup, Rejected, Request,
};

use crate::perform::Finished;

/// Checks and keeps requests until they are submitted, and turns what is finished into completions.
#[derive(Debug)]
pub(crate) struct Front {
    /// Knows the tags in use. The blocks travel with their requests.
    table: InFlight,
    /// Accepted and not submitted, in queue order. Never longer than the table, so it never grows.
    queued: VecDeque<Request>,
    pub(crate) counters: EngineCounters,
}

impl Front {
    /// For an engine of that setup.
    pub(crate) fn new(setup: &LaneSetup) -> Self {
        Self {
            table: InFlight::new(setup.queue_depth, setup.files.len(), setup.operations),
            queued: VecDeque::with_capacity(setup.queue_depth as usize),
            counters: EngineCounters::default(),
        }
    }

    /// Queues the request, or gives it back.
    pub(crate) fn queue(&mut self, request: Request) -> Result<(), Rejected> {
        let mut request = self.table.accept(request)?;
        request.block = self.table.take_block(request.tag);
        self.queued.push_back(request);
        Ok(())
    }

    /// Takes all queued requests out, as submitted, and says how many they are.
    pub(crate) fn submit(&mut self) -> (u32, vec_deque::Drain<'_, Request>) {
        let count = u32::try_from(self.queued.len()).expect("the queue depth is a u32");
        self.counters.submit_calls += 1;
        self.counters.submitted += u64::from(count);
        (count, self.queued.drain(..))
    }

    /// Requests that were submitted and did not come back yet.
    pub(crate) fn in_flight(&self) -> usize {
        self.table.count() as usize - self.queued.len()
    }

    /// Requests that were accepted and did not come back yet.
    pub(crate) fn count(&self) -> u32 {
        self.table.count()
    }

    /// Gives a request back as a completion. `done` has room.
    pub(crate) fn complete(&mut self, finished: Finished, done: &mut Completions) {
        let Finished { block, tag, outcome } = finished;
        let _the_block_travelled =
            self.table.release(tag).expect("what is finished is in the table");
        self.counters.reaped += 1;
        self.counters.system_calls += u64::from(outcome.system_calls);
        self.counters.interrupted += u64::from(outcome.interrupted);
        self.counters.again += u64::from(outcome.again);
        done.push(Completion { block, tag, status: outcome.status });
    }

    /// Gives back what was only queued, while there is room. Not counted as submitted or reaped.
    pub(crate) fn cancel(&mut self, done: &mut Completions) {
        while done.spare() > 0 {
            let Some(Request { block, tag, .. }) = self.queued.pop_front() else { return };
            let _the_block_travelled = self.table.release(tag).expect("what is queued is in it");
            done.push(Completion { block, tag, status: -libc::ECANCELED });
        }
    }
}
