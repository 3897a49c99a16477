//! The engine that has threads, most often one for each place in its queue.

use std::io;
use std::time::Duration;

use aio_core::clock::Stamp;
use aio_core::engine::{
    Completions, Deadline, EngineCounters, EngineError, IoEngine, LEFTOVER_PATIENCE, LaneSetup,
    Progress, Rejected, Request, RwFlags, StillInFlight,
};
use aio_core::receipt::Receipt;

use crate::front::Front;
use crate::inline::refused;
use crate::perform::Targets;
use crate::workers::{Perform, Workers};

/// The lane's end of a pool.
#[derive(Debug)]
pub(crate) struct PoolEngine {
    front: Front,
    workers: Workers,
    receipts: Vec<Receipt>,
    drain_wait: Duration,
    /// Whether a thread has panicked over a request. That request came back, as `EIO`.
    panicked: bool,
    /// The flags with which a call was refused, which is the end as well.
    refused: RwFlags,
}

impl PoolEngine {
    /// Starts `threads` threads for that setup, which do requests by `perform`.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(crate) fn open(
        setup: &LaneSetup,
        threads: u32,
        targets: Targets,
        perform: Perform,
        receipts: Vec<Receipt>,
    ) -> io::Result<Self> {
        Ok(Self {
            front: Front::new(setup),
            workers: Workers::start(threads, setup.queue_depth, targets, perform)?,
            receipts,
            drain_wait: LEFTOVER_PATIENCE,
            panicked: false,
            refused: RwFlags::NONE,
        })
    }

    fn alive(&self) -> Result<(), EngineError> {
        if self.panicked {
            let source = io::Error::other("a thread panicked over a request");
            return Err(EngineError { call: "the pool", source });
        }
        if self.refused.is_empty() { Ok(()) } else { Err(refused(self.refused)) }
    }

    /// Collects as [`IoEngine::reap`] does, from a dead engine too.
    fn collect(&mut self, min: u32, deadline: Deadline, done: &mut Completions) -> u32 {
        let Self { front, workers, panicked, refused, .. } = self;
        let room = done.spare();
        let min = front.in_flight().min(min as usize).min(room);
        workers.finished().collect(min, room, deadline, |finished| {
            *panicked |= finished.outcome.panicked;
            *refused = *refused | finished.outcome.refused;
            front.complete(finished, done);
        });
        front.counters.reap_calls += 1;
        u32::try_from(room - done.spare()).expect("the queue depth is a u32")
    }
}

impl IoEngine for PoolEngine {
    fn queue(&mut self, request: Request) -> Result<(), Rejected> {
        self.front.queue(request)
    }

    fn submit(&mut self) -> Result<u32, EngineError> {
        self.alive()?;
        let (count, requests) = self.front.submit();
        if count > 0 {
            self.workers.requests().give(requests);
        }
        Ok(count)
    }

    fn reap(
        &mut self,
        min: u32,
        deadline: Deadline,
        done: &mut Completions,
    ) -> Result<u32, EngineError> {
        self.alive()?;
        let reaped = self.collect(min, deadline, done);
        self.alive().map(|()| reaped)
    }

    fn submit_and_reap(
        &mut self,
        min: u32,
        deadline: Deadline,
        done: &mut Completions,
    ) -> Result<Progress, EngineError> {
        let taken = self.submit()?;
        let reaped = self.reap(min, deadline, done)?;
        Ok(Progress { taken, reaped })
    }

    fn drain(&mut self, deadline: Deadline, done: &mut Completions) -> Result<(), StillInFlight> {
        self.front.cancel(done);
        self.collect(u32::MAX, deadline, done);
        match self.front.count() {
            0 => Ok(()),
            count => Err(StillInFlight { count }),
        }
    }

    fn counters(&self) -> EngineCounters {
        let helpers_cpu_ns = u64::try_from(self.workers.cpu().as_nanos()).unwrap_or(u64::MAX);
        EngineCounters { helpers_cpu_ns, ..self.front.counters }
    }

    fn receipts(&self) -> Vec<Receipt> {
        self.receipts.clone()
    }
}

impl Drop for PoolEngine {
    fn drop(&mut self) {
        let mut done = Completions::with_capacity(self.front.count() as usize);
        let deadline = Deadline::after(Stamp::now(), self.drain_wait);
        match self.drain(deadline, &mut done) {
            Ok(()) => self.workers.end(),
            Err(StillInFlight { .. }) => self.workers.abandon(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::Instant;

    use aio_core::engine::{Errno, Files, GrantedFlags, Operation, Operations};
    use aio_core::memory::{Mapping, MemoryKind, Part};

    use super::*;
    use crate::perform::Outcome;

    /// Longer than anything here takes.
    const LONG: Duration = Duration::from_secs(60);
    const DONE: Outcome = Outcome::after_one_call(0);
    const REFUSED: Outcome =
        Outcome { refused: RwFlags::DONTCACHE, ..Outcome::after_one_call(-libc::EOPNOTSUPP) };

    fn part() -> Part {
        Part::new(Mapping::reserve(1 << 14, MemoryKind::Small).unwrap().0, 4096, 4)
    }

    /// A pool of two threads whose requests are not done, but given to `perform`.
    fn pool(perform: Perform) -> PoolEngine {
        let setup = LaneSetup {
            queue_depth: 2,
            largest_block_bytes: 4096,
            operations: Operations::of(&[Operation::Read]),
            files: Files::from([tempfile::tempfile().unwrap().into()]),
            segments: Vec::new(),
        };
        let targets = Targets::new(setup.files.clone(), &GrantedFlags::default(), Vec::new());
        PoolEngine::open(&setup, 2, targets, perform, Vec::new()).unwrap()
    }

    fn read(part: &mut Part, tag: u32) -> Request {
        Request {
            offset_bytes: 0,
            block: part.lend(4096),
            length_bytes: 4096,
            block_start_bytes: 0,
            tag,
            target: 0,
            operation: Operation::Read,
        }
    }

    fn within(wait: Duration) -> Deadline {
        Deadline::after(Stamp::now(), wait)
    }

    fn second_panics(_targets: &Targets, request: &mut Request) -> Outcome {
        if request.tag == 1 {
            // Without the message of a panic, which would look like a failure.
            std::panic::resume_unwind(Box::new("a bug"));
        }
        DONE
    }

    #[test]
    fn a_panic_in_a_thread_kills_the_engine_and_loses_no_request() {
        let mut part = part();
        let mut engine = pool(second_panics);
        let mut done = Completions::with_capacity(2);
        engine.queue(read(&mut part, 0)).unwrap();
        engine.queue(read(&mut part, 1)).unwrap();
        assert_eq!(engine.submit().unwrap(), 2);
        let error = engine.reap(2, within(LONG), &mut done).unwrap_err();
        assert_eq!(error.to_string(), "the pool failed");
        assert!(engine.submit().is_err() && engine.reap(0, within(LONG), &mut done).is_err());
        engine.drain(within(LONG), &mut done).unwrap();
        drop(engine);
        let mut results = Vec::new();
        for completion in done.drain() {
            results.push((completion.tag, completion.result()));
            part.take_back(completion.block.unwrap()).unwrap();
        }
        results.sort_unstable_by_key(|(tag, _result)| *tag);
        assert_eq!(results, [(0, Ok(0)), (1, Err(Errno(libc::EIO)))]);
        assert!(part.is_whole());
    }

    #[test]
    fn flags_that_are_refused_end_the_engine_with_a_sentence_and_lose_no_request() {
        let mut part = part();
        let mut engine = pool(|_, _| REFUSED);
        let mut done = Completions::with_capacity(2);
        engine.queue(read(&mut part, 0)).unwrap();
        engine.submit().unwrap();
        let error = engine.reap(1, within(LONG), &mut done).unwrap_err();
        let said = std::error::Error::source(&error).unwrap().to_string();
        assert!(said.contains("does not take RWF_DONTCACHE"), "{said}");
        part.take_back(done.drain().next().unwrap().block.unwrap()).unwrap();
        engine.drain(within(LONG), &mut done).unwrap();
        assert!(part.is_whole());
    }

    /// A call that the kernel holds until the flag is set.
    fn held_by(flag: &AtomicBool) -> Outcome {
        while !flag.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(1));
        }
        DONE
    }

    #[test]
    fn reaping_ends_at_the_deadline_with_what_is_there() {
        static RETURNS: AtomicBool = AtomicBool::new(false);
        let mut part = part();
        let mut engine = pool(|_, _| held_by(&RETURNS));
        let mut done = Completions::with_capacity(2);
        engine.queue(read(&mut part, 0)).unwrap();
        engine.submit().unwrap();
        let start = Instant::now();
        let short = Duration::from_millis(20);
        assert_eq!(engine.reap(1, within(short), &mut done).unwrap(), 0);
        assert!(start.elapsed() >= short);
        let still = engine.drain(within(short), &mut done).unwrap_err();
        assert_eq!(still, StillInFlight { count: 1 });
        RETURNS.store(true, Ordering::Relaxed);
        assert_eq!(engine.reap(1, within(LONG), &mut done).unwrap(), 1);
    }

    #[test]
    fn threads_that_do_not_come_back_are_left_behind_with_their_memory() {
        static RETURNS: AtomicBool = AtomicBool::new(false);
        let mut part = part();
        let mut engine = pool(|_, _| held_by(&RETURNS));
        engine.drain_wait = Duration::from_millis(10);
        engine.queue(read(&mut part, 0)).unwrap();
        engine.submit().unwrap();
        // That this returns shows that nobody waits for the thread.
        drop(engine);
        assert_eq!(part.mapping_owners_elsewhere(), 1, "the block in the call");
        RETURNS.store(true, Ordering::Relaxed);
        // The memory goes away once the call returns.
        while part.mapping_owners_elsewhere() > 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }
}
