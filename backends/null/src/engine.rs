//! The engine.

use std::collections::VecDeque;

use aio_core::engine::{
    Completion, Completions, Deadline, EngineCounters, EngineError, InFlight, IoEngine, Operations,
    Progress, Rejected, Request, StillInFlight,
};
use aio_core::receipt::Receipt;

/// A queue of requests, the first `submitted` of which are complete.
#[derive(Debug)]
pub(crate) struct NullEngine {
    /// Owns the blocks.
    table: InFlight,
    /// Without their blocks, in queue order. Never longer than the table, so it never grows.
    requests: VecDeque<Request>,
    submitted: usize,
    counters: EngineCounters,
}

impl NullEngine {
    /// An engine for `queue_depth` requests to `targets` targets.
    pub(crate) fn new(queue_depth: u32, targets: usize, operations: Operations) -> Self {
        Self {
            table: InFlight::new(queue_depth, targets, operations),
            requests: VecDeque::with_capacity(queue_depth as usize),
            submitted: 0,
            counters: EngineCounters::default(),
        }
    }

    /// Takes the front request out and gives it back as done with `status`.
    fn finish_front(&mut self, status: impl FnOnce(&Request) -> i32) -> Option<Completion> {
        let request = self.requests.pop_front()?;
        let block = self.table.release(request.tag).expect("what is queued is in the table");
        Some(Completion { block, tag: request.tag, status: status(&request) })
    }

    fn reap_into(&mut self, done: &mut Completions) -> u32 {
        let count = self.submitted.min(done.spare());
        for _request in 0..count {
            let completion = self.finish_front(whole).expect("what is submitted is in the queue");
            done.push(completion);
        }
        self.submitted -= count;
        self.counters.reap_calls += 1;
        self.counters.reaped += count as u64;
        u32::try_from(count).expect("the queue depth is a u32")
    }
}

/// The status of a request that did all that it was to do.
fn whole(request: &Request) -> i32 {
    if !request.operation.moves_data() {
        return 0;
    }
    i32::try_from(request.length_bytes).expect("a block has at most 1 GiB")
}

impl IoEngine for NullEngine {
    fn queue(&mut self, request: Request) -> Result<(), Rejected> {
        self.requests.push_back(self.table.accept(request)?);
        Ok(())
    }

    fn submit(&mut self) -> Result<u32, EngineError> {
        let taken = self.requests.len() - self.submitted;
        self.submitted = self.requests.len();
        self.counters.submit_calls += 1;
        self.counters.submitted += taken as u64;
        Ok(u32::try_from(taken).expect("the queue depth is a u32"))
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
        while done.spare() > 0 {
            let Some(completion) = self.finish_front(|_request| -libc::ECANCELED) else { break };
            done.push(completion);
        }
        match self.table.count() {
            0 => Ok(()),
            count => Err(StillInFlight { count }),
        }
    }

    fn counters(&self) -> EngineCounters {
        self.counters
    }

    fn receipts(&self) -> Vec<Receipt> {
        Vec::new()
    }
}

impl Drop for NullEngine {
    /// Frees the blocks that are left, which the table would leak: no kernel has seen them.
    fn drop(&mut self) {
        while self.finish_front(|_request| -libc::ECANCELED).is_some() {}
    }
}
