//! The engine.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

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
    /// What each request will come back with, in queue order. Never longer than the table, so it
    /// never grows.
    queue: Vec<Answer>,
    submitted: usize,
    counters: EngineCounters,
}

/// A tag and the status that it completes with.
#[derive(Clone, Copy, Debug)]
struct Answer {
    tag: u32,
    status: i32,
}

impl NullEngine {
    /// An engine for `queue_depth` requests to `targets` targets.
    pub(crate) fn new(queue_depth: u32, targets: usize, operations: Operations) -> Self {
        Self {
            table: InFlight::new(queue_depth, targets, operations),
            queue: Vec::with_capacity(queue_depth as usize),
            submitted: 0,
            counters: EngineCounters::default(),
        }
    }

    /// Gives the first `count` requests back; `cancelled` says that nobody has submitted them.
    #[inline(always)]
    fn give_back(&mut self, count: usize, cancelled: bool, done: &mut Completions) {
        for answer in self.queue.drain(..count) {
            let block = self.table.release(answer.tag).expect("what is queued is in the table");
            let status = if cancelled { -libc::ECANCELED } else { answer.status };
            done.push(Completion { block, tag: answer.tag, status });
        }
    }

    #[inline(always)]
    fn reap_into(&mut self, done: &mut Completions) -> u32 {
        let count = self.submitted.min(done.spare());
        self.give_back(count, false, done);
        self.submitted -= count;
        self.counters.reap_calls += 1;
        self.counters.reaped += count as u64;
        u32::try_from(count).expect("the queue depth is a u32")
    }
}

/// The status of a request that did all that it was to do.
#[inline(always)]
fn whole(request: &Request) -> i32 {
    if !request.operation.moves_data() {
        return 0;
    }
    i32::try_from(request.length_bytes).expect("a block has at most 1 GiB")
}

impl IoEngine for NullEngine {
    #[inline(always)]
    fn queue(&mut self, request: Request) -> Result<(), Rejected> {
        let request = self.table.accept(request)?;
        self.queue.push(Answer { tag: request.tag, status: whole(&request) });
        Ok(())
    }

    fn submit(&mut self) -> Result<u32, EngineError> {
        let taken = self.queue.len() - self.submitted;
        self.submitted = self.queue.len();
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
        if self.submitted == 0 {
            let count = self.queue.len().min(done.spare());
            self.give_back(count, true, done);
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
        for answer in self.queue.drain(..) {
            drop(self.table.release(answer.tag));
        }
    }
}
