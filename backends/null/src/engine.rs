//! The engine.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use aio_core::engine::{
    Admission, Completion, Completions, Deadline, EngineCounters, EngineError, IoEngine,
    Operations, Progress, Rejected, Request, StillInFlight,
};
use aio_core::receipt::Receipt;

/// A queue of requests, the first `submitted` of which are complete.
#[derive(Debug)]
pub(crate) struct NullEngine {
    admission: Admission,
    /// What each request comes back as, in queue order, and its memory, which no kernel has seen.
    queue: Completions,
    submitted: usize,
    counters: EngineCounters,
}

impl NullEngine {
    /// An engine for `queue_depth` requests to `targets` targets.
    pub(crate) fn new(queue_depth: u32, targets: usize, operations: Operations) -> Self {
        Self {
            admission: Admission::new(queue_depth, targets, operations),
            queue: Completions::with_capacity(queue_depth as usize),
            submitted: 0,
            counters: EngineCounters::default(),
        }
    }

    /// Gives the first `count` requests back.
    #[inline(always)]
    fn give_back(&mut self, count: usize, done: &mut Completions) {
        if count == self.queue.len() {
            self.admission.dismiss_all();
        } else {
            for completion in self.queue.iter_mut().take(count) {
                self.admission.dismiss(completion.tag);
            }
        }
        self.queue.move_to(count, done);
    }

    #[inline(always)]
    fn reap_into(&mut self, done: &mut Completions) -> u32 {
        let count = self.submitted.min(done.spare());
        self.give_back(count, done);
        self.submitted -= count;
        self.counters.reap_calls += 1;
        self.counters.reaped += count as u64;
        u32::try_from(count).expect("the queue depth is a u32")
    }
}

impl IoEngine for NullEngine {
    #[inline(always)]
    fn queue(&mut self, request: Request) -> Result<(), Rejected> {
        if let Err(why) = self.admission.admit(&request) {
            return Err(Rejected { request, why });
        }
        let Request { block, tag, length_bytes, operation, .. } = request;
        // As if all was done; a block has at most 1 GiB.
        let status = if operation.moves_data() { length_bytes.cast_signed() } else { 0 };
        self.queue.push(Completion { block, tag, status });
        Ok(())
    }

    #[inline(always)]
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

    #[inline(always)]
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
            for completion in self.queue.iter_mut().take(count) {
                completion.status = -libc::ECANCELED;
            }
            self.give_back(count, done);
        }
        match self.admission.count() {
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
