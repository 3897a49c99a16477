//! The engine: one ring, its queues, and the requests that the kernel has.
#![expect(unsafe_code, reason = "tells the kernel addresses, and holds the ring's queues for long")]

use std::time::Duration;
use std::{io, mem, thread};

use aio_core::clock::Stamp;
use aio_core::engine::{
    Completion, Completions, Deadline, EngineCounters, EngineError, InFlight, IoEngine, Operation,
    Operations, Progress, Rejected, Request, StillInFlight, Unsupported, Why,
};
use aio_core::receipt::Receipt;
use io_uring::types::{SubmitArgs, Timespec};
use io_uring::{CompletionQueue, EnterFlags, SubmissionQueue, Submitter, cqueue};

use crate::abilities::Waits;
use crate::dialect::Dialect;
use crate::entry::{Memory, Plain};
use crate::open::{Ring, register_ring};
use crate::options::Uring;
use crate::unsupported::{OPERATIONS, enter_refused};

/// The longest that the kernel is told to wait in one call, so that no time overflows.
const WAIT_MAX: Duration = Duration::from_secs(3600);
/// How long to leave a kernel alone that is short of something, before asking again.
const PAUSE: Duration = Duration::from_millis(1);

/// One ring at work, on the thread that opened it.
pub(crate) struct Engine<'ring, D: Dialect = Plain> {
    ring: &'ring Ring<D>,
    /// One for the engine's life, because it is what remembers the registered descriptor.
    submitter: Submitter<'ring>,
    /// Entries pushed here are shown to the kernel by `sync`, which only `hand_over` calls.
    submission: SubmissionQueue<'ring, D::Submission>,
    completion: CompletionQueue<'ring, D::Completion>,
    dialect: D,
    /// Everything accepted and not given back: what is queued, cancelled, or with the kernel.
    in_flight: InFlight,
    /// Tags that the kernel has not taken, in queue order. Never longer than the queue is deep.
    queued: Vec<u32>,
    /// Tags that were taken back from the queue and are to come back with `ECANCELED`.
    cancelled: Vec<u32>,
    counters: EngineCounters,
    /// A thread of the kernel takes what it is shown, without a call.
    is_taken_by_thread: bool,
    waits: Waits,
    /// Whether calls are told a deadline. Those that are not never wait, but for polling.
    has_deadlines: bool,
    ring_is_registered: bool,
    ring_receipt: Receipt,
    /// The error that killed the engine. The kernel is not called any more then.
    dead: Option<i32>,
    patience: Duration,
}

/// How a call to the kernel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entered {
    /// It did what it could until a signal or the deadline came, which it hides when it took
    /// requests or has completions.
    Through,
    /// The kernel has no room for more at the moment.
    Again,
}

impl<'ring, D: Dialect> Engine<'ring, D> {
    /// The engine of `ring`, for at most `queue_depth` requests of those of `operations` that it
    /// has. It waits up to `patience` when it is dropped.
    pub(crate) fn new(
        ring: &'ring mut Ring<D>,
        options: &Uring,
        queue_depth: u32,
        operations: Operations,
        patience: Duration,
    ) -> Result<Self, Unsupported> {
        let ring: &'ring Ring<D> = ring;
        let dialect = D::new(ring, queue_depth, operations)?;
        let mut submitter = ring.io_uring().submitter();
        let ring_receipt = register_ring(options, &mut submitter);
        // SAFETY: the ring was borrowed exclusively for `'ring`, so no other submission queue of it
        // exists as long as this engine does.
        let submission = unsafe { ring.io_uring().submission_shared() };
        // SAFETY: the same holds for its completion queue.
        let completion = unsafe { ring.io_uring().completion_shared() };
        let operations: Vec<Operation> =
            OPERATIONS.into_iter().filter(|operation| operations.contains(*operation)).collect();
        Ok(Self {
            in_flight: InFlight::new(queue_depth, ring.targets(), Operations::of(&operations)),
            dialect,
            ring,
            submitter,
            submission,
            completion,
            queued: Vec::with_capacity(queue_depth as usize),
            cancelled: Vec::with_capacity(queue_depth as usize),
            counters: EngineCounters::default(),
            is_taken_by_thread: ring.io_uring().params().is_setup_sqpoll(),
            waits: ring.way().waits,
            has_deadlines: ring.way().has_deadlines,
            ring_is_registered: options.registered_ring && !ring_receipt.is_downgrade(),
            ring_receipt,
            dead: None,
            patience,
        })
    }

    /// Makes one call that asks for nothing, because a filter may allow rings and refuse their use.
    pub(crate) fn try_to_enter(&mut self) -> Result<(), Unsupported> {
        let entered = self.enter(0, 0, EnterFlags::GETEVENTS, Duration::ZERO);
        entered.map(|_through| ()).map_err(|error| enter_refused(error.source))
    }

    /// Requests that the kernel has taken and that have not been given back.
    fn with_kernel(&self) -> u32 {
        let without = self.queued.len() + self.cancelled.len();
        self.in_flight.count() - count(without)
    }

    /// How many completions to wait for, out of what the kernel has and has not finished.
    fn wanted(&self, min: u32, spare: usize) -> u32 {
        min.min(self.with_kernel()).min(count(spare))
    }

    /// Hands the queue over in one call, which then waits for `wanted` completions when it took
    /// everything, for `at_most` so long, and returns how many requests were taken.
    fn hand_over(
        &mut self,
        flags: EnterFlags,
        wanted: u32,
        at_most: Duration,
    ) -> Result<u32, EngineError> {
        if let Some(errno) = self.dead {
            return Err(engine_error(errno));
        }
        if self.is_taken_by_thread {
            return self.show();
        }
        self.submission.sync();
        let shown = self.submission.len();
        debug_assert_eq!(shown, self.queued.len(), "every queued request has its entry");
        let entered = self.enter(count(shown), wanted, flags, at_most);
        // How far the kernel has read in the queue says what it took, whatever else the call said.
        self.submission.sync();
        let taken = shown - self.submission.len();
        self.queued.drain(..taken);
        self.counters.submitted += taken as u64;
        self.counters.submit_calls += u64::from(taken > 0);
        if entered? != Entered::Again && taken < shown {
            self.counters.again += 1;
        }
        Ok(count(taken))
    }

    /// Waits until `min` completions, or as many as there can be, are in the queue of completions,
    /// or until the deadline. `entered` says that a call has been made for these already.
    fn wait(
        &mut self,
        min: u32,
        spare: usize,
        mut deadline: Deadline,
        mut entered: bool,
    ) -> Result<(), EngineError> {
        let wanted = self.wanted(min, spare);
        loop {
            self.completion.sync();
            let ready = count(self.completion.len());
            // Where finishing is deferred, an empty queue means nothing before a call has looked.
            let looked = entered || ready > 0 || self.is_taken_by_thread;
            if self.with_kernel() == 0 || (ready >= wanted && looked) {
                return Ok(());
            }
            // The first call is timed by the caller's stamp. Whether it ended early for a signal,
            // for the deadline or because it took only some requests, it does not always say.
            if entered && !deadline.refresh() {
                return Ok(());
            }
            let at_most = deadline.remaining();
            let wanted = if at_most.is_zero() { 0 } else { wanted };
            if self.enter(0, wanted, EnterFlags::GETEVENTS, at_most)? == Entered::Again {
                thread::sleep(PAUSE);
            }
            entered = true;
        }
    }

    /// Waits in the ring's way, and gives back what there is and fits `done`.
    fn wait_and_collect(
        &mut self,
        min: u32,
        deadline: Deadline,
        entered: bool,
        done: &mut Completions,
    ) -> Result<u32, EngineError> {
        match self.waits {
            Waits::InCall => {
                self.wait(min, done.spare(), deadline, entered)?;
                Ok(self.collect(done))
            }
            Waits::OnDescriptor => self.watch(min, deadline, entered, done),
            Waits::Polling => self.poll(min, deadline, entered, done),
        }
    }

    /// Calls the ring.
    fn enter(
        &mut self,
        to_submit: u32,
        wanted: u32,
        flags: EnterFlags,
        at_most: Duration,
    ) -> Result<Entered, EngineError> {
        if let Some(errno) = self.dead {
            return Err(engine_error(errno));
        }
        let result = if self.has_deadlines {
            let time = Timespec::from(at_most.min(WAIT_MAX));
            let arguments = SubmitArgs::new().timespec(&time);
            let flags = (flags | EnterFlags::EXT_ARG).bits();
            // SAFETY: `arguments` and `time` outlive the call, and are what EXT_ARG says they are.
            // The entries that the kernel may take were pushed by `queue`, which says why they are
            // valid.
            unsafe { self.submitter.enter(to_submit, wanted, flags, Some(&arguments)) }
        } else {
            debug_assert!(wanted == 0 || self.waits == Waits::Polling, "a wait without an end");
            let no_signals = None::<&libc::sigset_t>;
            // SAFETY: no signals are to be blocked, and the entries are as valid as above.
            unsafe { self.submitter.enter(to_submit, wanted, flags.bits(), no_signals) }
        };
        self.counters.system_calls += 1;
        let Err(error) = result else { return Ok(Entered::Through) };
        match error.raw_os_error() {
            Some(libc::ETIME) => Ok(Entered::Through),
            Some(libc::EINTR) => {
                self.counters.interrupted += 1;
                Ok(Entered::Through)
            }
            Some(libc::EAGAIN | libc::EBUSY) => {
                self.counters.again += 1;
                Ok(Entered::Again)
            }
            errno => {
                let errno = errno.unwrap_or(libc::EIO);
                self.dead = Some(errno);
                Err(engine_error(errno))
            }
        }
    }

    /// Gives back what is in the queue of completions and fits `done`.
    ///
    /// # Panics
    /// When the kernel completes what it was not asked for, because memory is at stake then.
    fn collect(&mut self, done: &mut Completions) -> u32 {
        let mut reaped = 0;
        for entry in self.completion.by_ref().take(done.spare()) {
            let user_data = cqueue::EntryMarker::user_data(&entry);
            let tag = u32::try_from(user_data).ok();
            let found = tag.and_then(|tag| Some((tag, self.in_flight.release(tag)?)));
            let Some((tag, block)) = found else {
                panic!("the kernel completed request {user_data:#x}, which is not in flight");
            };
            let result = entry.into().result();
            done.push(Completion { block, tag, status: self.dialect.status(tag, result) });
            reaped += 1;
        }
        self.completion.sync();
        self.counters.reaped += u64::from(reaped);
        reaped
    }

    /// Moves from `queued` to `cancelled` what the kernel has not been shown. What it was shown
    /// and did not take can only be taken back from it when it is never called again; what a thread
    /// of the kernel was shown is not in `queued` any more.
    fn take_back_queued(&mut self) {
        // SAFETY: two submission queues must not both write entries or the tail, for which each
        // has a number of its own. The new one only reads until the old one is forgotten below, and
        // with it the entries since the last `sync`, which it keeps to itself.
        let shown = unsafe { self.ring.io_uring().submission_shared() };
        let is_out_of_reach = self.is_taken_by_thread || self.dead.is_some();
        let stays = if is_out_of_reach { 0 } else { shown.len() };
        mem::forget(mem::replace(&mut self.submission, shown));
        self.cancelled.extend(self.queued.drain(stays..));
    }

    /// Gives back what was cancelled and fits `done`.
    fn give_back_cancelled(&mut self, done: &mut Completions) {
        let fits = done.spare().min(self.cancelled.len());
        for tag in self.cancelled.drain(..fits) {
            let block = self.in_flight.release(tag).expect("a cancelled request is in the table");
            done.push(Completion { block, tag, status: -libc::ECANCELED });
        }
    }
}

impl<D: Dialect> IoEngine for Engine<'_, D> {
    fn queue(&mut self, request: Request) -> Result<(), Rejected> {
        if self.dead.is_some() {
            return Err(Rejected { request, why: Why::QueueFull });
        }
        let memory = Memory::of(&request);
        let request = self.in_flight.accept(request)?;
        let entry = self.dialect.encode(&request, memory);
        // SAFETY: the entry points at most to the inside of a block that the table has accepted and
        // keeps until the request completes, is taken back unseen, or is leaked, and of which `Block`
        // is the exclusive owner; or to this tag's vector in the dialect, which points there, is
        // written only while the tag is free, and is leaked with the engine unless nothing is in
        // flight. The target is open as long as the ring.
        let pushed = unsafe { self.submission.push(&entry) };
        pushed.expect("the ring has an entry for every tag of the table");
        self.queued.push(request.tag);
        Ok(())
    }

    fn submit(&mut self) -> Result<u32, EngineError> {
        if self.queued.is_empty() {
            return Ok(0);
        }
        self.hand_over(EnterFlags::empty(), 0, Duration::ZERO)
    }

    fn reap(
        &mut self,
        min: u32,
        deadline: Deadline,
        done: &mut Completions,
    ) -> Result<u32, EngineError> {
        if done.spare() == 0 {
            return Ok(0);
        }
        self.counters.reap_calls += 1;
        self.wait_and_collect(min, deadline, false, done)
    }

    fn submit_and_reap(
        &mut self,
        min: u32,
        deadline: Deadline,
        done: &mut Completions,
    ) -> Result<Progress, EngineError> {
        if self.queued.is_empty() {
            let reaped = self.reap(min, deadline, done)?;
            return Ok(Progress { taken: 0, reaped });
        }
        self.counters.reap_calls += 1;
        let all = self.with_kernel() + count(self.queued.len());
        let wanted = min.min(all).min(count(done.spare()));
        let at_most = deadline.remaining();
        let is_a_look = at_most.is_zero() || self.waits == Waits::OnDescriptor;
        let wanted = if is_a_look { 0 } else { wanted };
        let taken = self.hand_over(EnterFlags::GETEVENTS, wanted, at_most)?;
        let entered = !self.is_taken_by_thread;
        Ok(Progress { taken, reaped: self.wait_and_collect(min, deadline, entered, done)? })
    }

    fn drain(
        &mut self,
        mut deadline: Deadline,
        done: &mut Completions,
    ) -> Result<(), StillInFlight> {
        self.take_back_queued();
        loop {
            self.give_back_cancelled(done);
            if self.in_flight.count() == 0 {
                return Ok(());
            }
            if done.spare() == 0 {
                return Err(StillInFlight { count: self.in_flight.count() });
            }
            // Requests that the kernel was shown and did not take go along.
            match self.submit_and_reap(u32::MAX, deadline, done) {
                Ok(_) if self.in_flight.count() == 0 => return Ok(()),
                Ok(_) if !deadline.refresh() => {
                    return Err(StillInFlight { count: self.in_flight.count() });
                }
                Ok(progress) if progress == Progress::default() => thread::sleep(PAUSE),
                Ok(_) => {}
                Err(_dead) => {
                    self.completion.sync();
                    self.collect(done);
                    self.take_back_queued();
                    self.give_back_cancelled(done);
                    let count = self.in_flight.count();
                    return if count == 0 { Ok(()) } else { Err(StillInFlight { count }) };
                }
            }
        }
    }

    fn counters(&self) -> EngineCounters {
        self.counters
    }

    fn receipts(&self) -> Vec<Receipt> {
        let mut receipts = self.ring.receipts().to_vec();
        receipts.push(self.ring_receipt.clone());
        receipts
    }
}

impl<D: Dialect> Drop for Engine<'_, D> {
    fn drop(&mut self) {
        let mut home = Completions::with_capacity(self.in_flight.count() as usize);
        let deadline = Deadline::after(Stamp::now(), self.patience);
        match self.drain(deadline, &mut home) {
            Ok(()) => {
                self.dialect.let_go();
                self.ring.unregister();
            }
            // The table leaks the blocks that the kernel may still write to, and the dialect what
            // it may still read.
            Err(_still) => self.ring.leak_segments(),
        }
        if self.ring_is_registered {
            // Else the ring would stay open until this thread ends. An error has no remedy here.
            let _error = self.submitter.unregister_ring_fd();
        }
    }
}

fn engine_error(errno: i32) -> EngineError {
    EngineError { call: "io_uring_enter", source: io::Error::from_raw_os_error(errno) }
}

/// A number of requests, which is at most the depth of a queue.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

mod polled;
mod poller;
mod watched;

#[cfg(test)]
mod tests;
