//! The engine: one context, owned by one lane.
#![expect(unsafe_code, reason = "hands memory that requests own to the kernel")]

use std::collections::VecDeque;
use std::os::fd::AsRawFd;

use aio_core::engine::{
    Completion, Completions, Deadline, EngineCounters, EngineError, Files, InFlight, IoEngine,
    LaneSetup, Operation, Progress, Rejected, Request, StillInFlight, Why,
};
use aio_core::receipt::Receipt;
use libaio_sys::{
    BrokenRing, Context, IOCB_CMD_FDSYNC, IOCB_CMD_FSYNC, IOCB_CMD_PREAD, IOCB_CMD_PWRITE, IoEvent,
    Iocb,
};

use crate::open::{Opened, WaitCall, on_or_off};
use crate::options::Libaio;
use crate::submission::Submission;

#[cfg(test)]
mod tests;

/// How often `io_submit` may be interrupted in one call of `submit` before the rest waits for the
/// next.
const INTERRUPTIONS_MAX: usize = 64;

/// One open Linux AIO context with the requests that are queued and in flight.
///
/// The fields are dropped in this order, and the first two matter: the context first, because
/// `io_destroy` makes the kernel let go of all memory; only then the table that owns the memory.
#[derive(Debug)]
pub(crate) struct Engine {
    context: Context,
    in_flight: InFlight,
    submission: Submission,
    /// Requests that `io_submit` refused for good: tag and negated errno, oldest first. They are
    /// counted as taken and delivered by the next reaping call.
    refused: VecDeque<(u32, i32)>,
    /// Where events are put before they are delivered; as long as the queue is deep.
    events: Vec<IoEvent>,
    /// The targets' file descriptors, by index.
    descriptors: Vec<u32>,
    /// Keeps the descriptors open.
    _files: Files,
    wait_call: WaitCall,
    counters: EngineCounters,
    options: Libaio,
    receipts: Vec<Receipt>,
    /// What was found when the ring had to be given up.
    broken: Option<BrokenRing>,
}

impl Engine {
    /// The engine on an open context. Allocates everything that it will use.
    pub(crate) fn new(options: Libaio, opened: Opened, setup: &LaneSetup) -> Self {
        let Opened { context, wait_call, receipts } = opened;
        let LaneSetup { queue_depth, operations, files, .. } = setup;
        let depth = *queue_depth as usize;
        Self {
            context,
            in_flight: InFlight::new(*queue_depth, files.len(), *operations),
            submission: Submission::new(*queue_depth),
            refused: VecDeque::with_capacity(depth),
            events: vec![IoEvent::default(); depth],
            descriptors: files.iter().map(|file| file.as_raw_fd().cast_unsigned()).collect(),
            _files: files.clone(),
            wait_call,
            counters: EngineCounters::default(),
            options,
            receipts,
            broken: None,
        }
    }

    /// Drops all but the context, which may still have requests in flight.
    pub(crate) fn into_context(self) -> Context {
        self.context
    }

    /// Requests that were taken and not given back: with the kernel or refused by it.
    fn handed_over(&self) -> usize {
        self.in_flight.count() as usize - self.submission.len()
    }

    /// Gives the oldest queued request back with `errno`.
    fn refuse(&mut self, errno: i32) {
        let tag = self.submission.pop().expect("io_submit was called with this request first");
        self.refused.push_back((tag, -errno));
    }

    /// Delivers what `io_submit` refused, at most `room`. Returns how many.
    fn reap_refused(&mut self, room: usize, done: &mut Completions) -> usize {
        let count = room.min(self.refused.len());
        for (tag, status) in self.refused.drain(..count) {
            deliver(&mut self.in_flight, tag.into(), status, done);
        }
        count
    }

    /// Delivers what is in the ring, at most `room`, without a system call. Returns how many.
    fn reap_ring(&mut self, room: usize, done: &mut Completions) -> usize {
        match self.context.take_from_ring(&mut self.events[..room]) {
            Ok(count) => {
                self.deliver_events(count, done);
                count
            }
            Err(broken) => {
                // The context has closed its ring, so that system calls do the rest.
                self.broken = Some(broken);
                0
            }
        }
    }

    /// Asks the kernel for at least `min` and at most `room` completions, and delivers them.
    /// Returns how many, which is fewer than `min` when the time is over or a signal came.
    fn reap_by_call(
        &mut self,
        min: usize,
        room: usize,
        deadline: &Deadline,
        done: &mut Completions,
    ) -> Result<usize, EngineError> {
        self.counters.system_calls += 1;
        let events = &mut self.events[..room];
        match self.wait_call.wait(&mut self.context, min, events, deadline.remaining()) {
            Ok(count) => {
                self.deliver_events(count, done);
                Ok(count)
            }
            Err(error) if error.raw_os_error() == Some(libc::EINTR) => {
                self.counters.interrupted += 1;
                Ok(0)
            }
            Err(source) => Err(EngineError { call: self.wait_call.name(), source }),
        }
    }

    fn deliver_events(&mut self, count: usize, done: &mut Completions) {
        for event in &self.events[..count] {
            deliver(&mut self.in_flight, event.data, status(event.result), done);
        }
    }

    /// Collects completions, and counts only those.
    fn collect(
        &mut self,
        min: u32,
        mut deadline: Deadline,
        done: &mut Completions,
    ) -> Result<usize, EngineError> {
        let room = done.spare().min(self.handed_over());
        let want = room.min(min as usize);
        let mut reaped = self.reap_refused(room, done);
        reaped += self.reap_ring(room - reaped, done);
        // Without a ring, only a call can tell whether more is there.
        let mut must_ask = !self.context.has_ring() && reaped < room;
        while reaped < want || must_ask {
            must_ask = false;
            // The ring was empty a moment ago. What has come since is in order behind what was
            // taken, because the kernel reads its position, the head, from the ring.
            let missing = want.saturating_sub(reaped);
            let came = self.reap_by_call(missing, room - reaped, &deadline, done)?;
            reaped += came;
            if came < missing && !deadline.refresh() {
                break;
            }
        }
        Ok(reaped)
    }
}

/// Gives a request back to the lane.
///
/// # Panics
/// When `data` is not the tag of a request in flight: then memory is no longer where it should be.
fn deliver(in_flight: &mut InFlight, data: u64, status: i32, done: &mut Completions) {
    let released = u32::try_from(data).ok().and_then(|tag| Some((tag, in_flight.release(tag)?)));
    let Some((tag, block)) = released else {
        panic!("the kernel completed request {data}, which is not in flight");
    };
    done.push(Completion { block, tag, status });
}

/// An event's result as a completion's. The kernel moves less than 2 GiB per request, and no errno
/// is far below zero; should it ever say otherwise, it is all that can be said, or an I/O error.
fn status(result: i64) -> i32 {
    i32::try_from(result).unwrap_or(if result > 0 { i32::MAX } else { -libc::EIO })
}

/// The command of an operation; `None` when Linux AIO has none.
fn opcode(operation: Operation) -> Option<u16> {
    match operation {
        Operation::Read => Some(IOCB_CMD_PREAD),
        Operation::Write => Some(IOCB_CMD_PWRITE),
        Operation::Fsync => Some(IOCB_CMD_FSYNC),
        Operation::Fdatasync => Some(IOCB_CMD_FDSYNC),
        _ => None,
    }
}

impl IoEngine for Engine {
    fn queue(&mut self, request: Request) -> Result<(), Rejected> {
        let Some(opcode) = opcode(request.operation) else {
            return Err(Rejected { request, why: Why::BadOperation });
        };
        let address = request.address() as u64;
        let request = self.in_flight.accept(request)?;
        let fd = self.descriptors[usize::from(request.target)];
        // A flush with any of these set is EINVAL.
        let (length, offset_bytes) = if request.operation.moves_data() {
            (request.length_bytes.into(), request.offset_bytes.cast_signed())
        } else {
            (0, 0)
        };
        let iocb = Iocb { opcode, fd, address, length, offset_bytes, ..Iocb::default() };
        self.submission.push(request.tag, iocb);
        Ok(())
    }

    fn submit(&mut self) -> Result<u32, EngineError> {
        let mut taken = 0;
        // Each turn takes requests, refuses one, ends the loop, or was interrupted. A second turn
        // is rare: only the kernel knows why it stopped before the end.
        for _turn in 0..self.submission.len() + INTERRUPTIONS_MAX {
            if self.submission.len() == 0 {
                break;
            }
            self.counters.system_calls += 1;
            self.counters.submit_calls += 1;
            // SAFETY: the pointers are valid while `submission` is borrowed. The memory that the
            // requests name belongs to their blocks, which `in_flight` checked the ranges against,
            // owns exclusively until their completion is delivered, and leaks if that never comes.
            let came = match unsafe { self.context.submit(self.submission.pending()) } {
                Ok(count) => {
                    self.submission.advance(count);
                    count
                }
                Err(error) => match error.raw_os_error() {
                    Some(libc::EAGAIN) => 0,
                    Some(libc::EINTR) => {
                        self.counters.interrupted += 1;
                        continue;
                    }
                    None | Some(libc::ENOSYS | libc::EPERM) => {
                        return Err(EngineError { call: "io_submit", source: error });
                    }
                    Some(errno) => {
                        self.refuse(errno);
                        1
                    }
                },
            };
            if came == 0 {
                self.counters.again += 1;
                break;
            }
            self.counters.submitted += came as u64;
            taken += came;
        }
        Ok(u32::try_from(taken).expect("no more than the queue depth, which is a u32"))
    }

    fn reap(
        &mut self,
        min: u32,
        deadline: Deadline,
        done: &mut Completions,
    ) -> Result<u32, EngineError> {
        self.counters.reap_calls += 1;
        let before = done.len();
        let result = self.collect(min, deadline, done);
        let reaped = done.len() - before;
        self.counters.reaped += reaped as u64;
        result?;
        Ok(u32::try_from(reaped).expect("no more than the queue depth, which is a u32"))
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
        while done.spare() > 0
            && let Some(tag) = self.submission.pop()
        {
            deliver(&mut self.in_flight, tag.into(), -libc::ECANCELED, done);
        }
        if done.spare() > 0 {
            // A dead engine has no more to say than that its requests are still out.
            let _reaped_or_dead = self.reap(u32::MAX, deadline, done);
        }
        match self.in_flight.count() {
            0 => Ok(()),
            count => Err(StillInFlight { count }),
        }
    }

    fn counters(&self) -> EngineCounters {
        self.counters
    }

    fn receipts(&self) -> Vec<Receipt> {
        let mut receipts = self.receipts.clone();
        if let Some(broken) = self.broken {
            let asked = on_or_off(self.options.user_ring);
            receipts.retain(|receipt| receipt.option != "user-ring");
            receipts.push(Receipt::downgraded("user-ring", asked, "off", &broken.to_string()));
        }
        receipts
    }
}
