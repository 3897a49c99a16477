//! The engine: one context, owned by one lane.
#![expect(unsafe_code, reason = "hands memory that requests own to the kernel")]
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use std::collections::VecDeque;
use std::os::fd::AsRawFd;

use aio_core::engine::{
    Completion, Completions, Deadline, EngineCounters, EngineError, Files, InFlight, IoEngine,
    LaneSetup, Operation, Progress, Rejected, Request, RwFlags, StillInFlight, Why, flags_refused,
};
use aio_core::receipt::Receipt;
use libaio_sys::{
    BrokenRing, Context, IOCB_CMD_FDSYNC, IOCB_CMD_FSYNC, IOCB_CMD_PREAD, IOCB_CMD_PWRITE, IoEvent,
};

use crate::open::{Opened, WaitCall, on_or_off};
use crate::options::Libaio;
use crate::submission::{Submission, What};

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
    /// Where a call puts events before they are delivered; as long as the queue is deep.
    events: Vec<IoEvent>,
    /// The targets' file descriptors, by index.
    descriptors: Vec<u32>,
    /// Keeps the descriptors open.
    _files: Files,
    wait_call: WaitCall,
    reads: RwFlags,
    writes: RwFlags,
    counters: EngineCounters,
    options: Libaio,
    receipts: Vec<Receipt>,
    /// What was found when the ring had to be given up.
    broken: Option<BrokenRing>,
    /// The flags under which a request was not supported, which is the end.
    unsupported: RwFlags,
}

impl Engine {
    /// The engine on an open context. Allocates everything that it will use.
    pub(crate) fn new(options: Libaio, opened: Opened, setup: &LaneSetup) -> Self {
        let Opened { context, wait_call, flags, receipts } = opened;
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
            reads: flags.for_reads(),
            writes: flags.for_writes(),
            counters: EngineCounters::default(),
            options,
            receipts,
            broken: None,
            unsupported: RwFlags::NONE,
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

    /// Gives the request of `tag`, which `io_submit` was called with first, back with `errno`.
    fn refuse(&mut self, tag: Option<u32>, errno: i32) {
        let tag = tag.expect("io_submit was called with this request first");
        if errno == libc::EOPNOTSUPP {
            self.unsupported = self.submission.flags(tag);
        }
        self.refused.push_back((tag, -errno));
    }

    /// Delivers what `io_submit` refused, at most `room`.
    #[cold]
    fn reap_refused(&mut self, room: usize, done: &mut Completions) {
        let count = room.min(self.refused.len());
        for (tag, status) in self.refused.drain(..count) {
            deliver(&mut self.in_flight, tag.into(), status, done);
        }
    }

    /// Delivers what is there without waiting, until `done` is `full_at` long.
    #[inline(always)]
    fn look(&mut self, full_at: usize, done: &mut Completions) {
        if !self.refused.is_empty() {
            self.reap_refused(full_at - done.len(), done);
        }
        let Self { context, in_flight, submission, counters, unsupported, .. } = self;
        let mut inbox = Inbox { in_flight, submission, counters, unsupported, done };
        let room = full_at - inbox.done.len();
        if let Err(broken) = context.visit_ring(room, |event| inbox.take(event)) {
            // The context has closed its ring, so that system calls do the rest.
            self.broken = Some(broken);
        }
    }

    /// Asks the kernel for at least `min` completions, until `done` is `full_at` long, and delivers
    /// them. There are fewer than `min` when the time is over or a signal came.
    fn reap_by_call(
        &mut self,
        min: usize,
        full_at: usize,
        deadline: &Deadline,
        done: &mut Completions,
    ) -> Result<(), EngineError> {
        self.counters.system_calls += 1;
        let Self { context, in_flight, submission, counters, unsupported, .. } = self;
        let events = &mut self.events[..full_at - done.len()];
        match self.wait_call.wait(context, min, events, deadline.remaining()) {
            Ok(count) => {
                let mut inbox = Inbox { in_flight, submission, counters, unsupported, done };
                events[..count].iter().for_each(|event| inbox.take(event));
                Ok(())
            }
            Err(error) if error.raw_os_error() == Some(libc::EINTR) => {
                self.counters.interrupted += 1;
                Ok(())
            }
            Err(source) => Err(EngineError { call: self.wait_call.name(), source }),
        }
    }

    /// Collects completions, and counts only those.
    #[inline(always)]
    fn collect(
        &mut self,
        min: u32,
        mut deadline: Deadline,
        done: &mut Completions,
    ) -> Result<(), EngineError> {
        let room = done.spare().min(self.handed_over());
        let full_at = done.len() + room;
        let enough_at = done.len() + room.min(min as usize);
        self.look(full_at, done);
        // Without a ring, only a call can tell whether more is there.
        let mut must_ask = !self.context.has_ring() && done.len() < full_at;
        while done.len() < enough_at || must_ask || !self.submission.retries().is_empty() {
            if self.resubmit()? {
                // What was not to wait before is often done by now.
                self.look(full_at, done);
                continue;
            }
            if done.len() >= enough_at && !must_ask {
                break;
            }
            must_ask = false;
            // The ring was empty a moment ago. What has come since is in order behind what was
            // taken, because the kernel reads its position, the head, from the ring.
            let missing = enough_at.saturating_sub(done.len());
            self.reap_by_call(missing, full_at, &deadline, done)?;
            if done.len() < enough_at && !deadline.refresh() {
                break;
            }
        }
        Ok(())
    }

    /// Submits what came back because it would have had to wait, so that it waits, if there is
    /// such. The lane knows nothing of it: it counts as submitted already. Says whether the kernel
    /// took or refused any.
    fn resubmit(&mut self) -> Result<bool, EngineError> {
        if self.submission.retries().is_empty() {
            return Ok(false);
        }
        self.counters.system_calls += 1;
        // SAFETY: as in `submit`; the requests are in flight still, as `Inbox` has checked.
        match unsafe { self.context.submit(self.submission.retries()) } {
            Ok(count) => {
                self.submission.retried(count);
                Ok(count > 0)
            }
            Err(error) => match error.raw_os_error() {
                Some(libc::EAGAIN) => Ok(false),
                Some(libc::EINTR) => {
                    self.counters.interrupted += 1;
                    Ok(false)
                }
                None | Some(libc::ENOSYS | libc::EPERM) => {
                    Err(EngineError { call: "io_submit", source: error })
                }
                Some(errno) => {
                    let tag = self.submission.pop_retry();
                    self.refuse(tag, errno);
                    Ok(true)
                }
            },
        }
    }
}

/// What an event changes.
struct Inbox<'a> {
    in_flight: &'a mut InFlight,
    submission: &'a mut Submission,
    counters: &'a mut EngineCounters,
    unsupported: &'a mut RwFlags,
    done: &'a mut Completions,
}

impl Inbox<'_> {
    /// Delivers the request of the event, or keeps it to submit it once more.
    #[inline(always)]
    fn take(&mut self, event: &IoEvent) {
        match i32::try_from(event.result) {
            Ok(status) if status >= 0 => deliver(self.in_flight, event.data, status, self.done),
            _ => self.take_odd(event),
        }
    }

    /// As `take`, for a result that is no number of bytes.
    #[cold]
    #[inline(never)]
    fn take_odd(&mut self, event: &IoEvent) {
        let status = status(event.result);
        if !self.keeps(event.data, status) {
            deliver(self.in_flight, event.data, status, self.done);
        }
    }

    /// Whether the request failed only because it was not to wait.
    fn keeps(&mut self, data: u64, status: i32) -> bool {
        let tag = u32::try_from(data).ok().filter(|tag| self.in_flight.contains(*tag));
        let Some(tag) = tag else { return false };
        match -status {
            libc::EAGAIN if self.submission.retry(tag) => {
                self.counters.again += 1;
                true
            }
            libc::EOPNOTSUPP => {
                *self.unsupported = self.submission.flags(tag);
                false
            }
            _ => false,
        }
    }
}

/// Gives a request back to the lane.
///
/// # Panics
/// When `data` is not the tag of a request in flight: then memory is no longer where it should be.
#[inline(always)]
fn deliver(in_flight: &mut InFlight, data: u64, status: i32, done: &mut Completions) {
    let released = u32::try_from(data).ok().and_then(|tag| Some((tag, in_flight.release(tag)?)));
    let Some((tag, block)) = released else {
        stranger(data);
    };
    done.push(Completion { block, tag, status });
}

#[cold]
fn stranger(data: u64) -> ! {
    panic!("the kernel completed request {data}, which is not in flight");
}

/// An event's result as a completion's. The kernel moves less than 2 GiB per request, and no errno
/// is far below zero; should it ever say otherwise, it is all that can be said, or an I/O error.
fn status(result: i64) -> i32 {
    i32::try_from(result).unwrap_or(if result > 0 { i32::MAX } else { -libc::EIO })
}

impl IoEngine for Engine {
    #[inline(always)]
    fn queue(&mut self, request: Request) -> Result<(), Rejected> {
        let (opcode, flags) = match request.operation {
            Operation::Read => (IOCB_CMD_PREAD, self.reads),
            Operation::Write => (IOCB_CMD_PWRITE, self.writes),
            // A flush with any flag set is EINVAL.
            Operation::Fsync => (IOCB_CMD_FSYNC, RwFlags::NONE),
            Operation::Fdatasync => (IOCB_CMD_FDSYNC, RwFlags::NONE),
            // Linux AIO has no command for any other.
            _ => return Err(Rejected { request, why: Why::BadOperation }),
        };
        let address = request.address() as u64;
        let request = self.in_flight.accept(request)?;
        let fd = self.descriptors[usize::from(request.target)];
        // Nor may a flush have any of these.
        let (length, offset_bytes) = if request.operation.moves_data() {
            (request.length_bytes.into(), request.offset_bytes.cast_signed())
        } else {
            (0, 0)
        };
        let rw_flags = flags.bits();
        let what = What { opcode, rw_flags, fd, address, length, offset_bytes };
        self.submission.push(request.tag, what);
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
                        let tag = self.submission.pop();
                        self.refuse(tag, errno);
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
        if !self.unsupported.is_empty() {
            let source = flags_refused(self.unsupported);
            return Err(EngineError { call: "a request with flags", source });
        }
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
