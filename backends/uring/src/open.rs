//! Opening a ring and registering with it what the lane will use.
#![expect(unsafe_code, reason = "registers memory with the kernel by address")]

use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;
use std::{io, mem, thread};

use aio_core::engine::{Errno, Files, LaneSetup, Operations, Unsupported};
use aio_core::memory::Segment;
use aio_core::receipt::Receipt;
use io_uring::{IoUring, Submitter, cqueue, squeue};

use crate::abilities::{Abilities, Feature, Registered, Registration, Way};
use crate::dialect::Dialect;
use crate::flags::{Flag, Flags, IOPOLL, SQ_AFF, SQPOLL, negotiate};
use crate::hybrid::{self, Params};
use crate::options::{Sqpoll, Uring};
use crate::polled;
use crate::unsupported::{self, Surroundings};

/// How often, and with what pause, a ring that finds no memory is tried.
const ATTEMPTS: u32 = 20;
const ATTEMPT_PAUSE: Duration = Duration::from_millis(5);

/// What one call of `io_uring_setup` asks for.
pub(crate) struct SetUp<'a> {
    flags: Flags,
    entries: u32,
    options: &'a Uring,
}

impl SetUp<'_> {
    /// Makes the call for a ring of the entries that are asked for.
    pub(crate) fn build<S, C>(&self) -> io::Result<IoUring<S, C>>
    where
        S: squeue::EntryMarker,
        C: cqueue::EntryMarker,
    {
        let mut builder = IoUring::<S, C>::builder();
        self.flags.apply(&mut builder);
        if let Some(Sqpoll { cpu, idle_ms }) = self.options.sqpoll {
            builder.setup_sqpoll(idle_ms.unwrap_or(0));
            cpu.map(|cpu| builder.setup_sqpoll_cpu(cpu));
        }
        if self.options.iopoll {
            builder.setup_iopoll();
        }
        builder.build(self.entries)
    }

    /// Makes the call by hand where a flag is asked for that the crate cannot set.
    pub(crate) fn build_plain(&self) -> io::Result<IoUring> {
        if !self.flags.contains(Flag::HybridIopoll) {
            return self.build();
        }
        let mut params = Params::with(self.flags.bits() | IOPOLL);
        if let Some(Sqpoll { cpu, idle_ms }) = self.options.sqpoll {
            params.flags |= SQPOLL | if cpu.is_some() { SQ_AFF } else { 0 };
            params.sq_thread_cpu = cpu.unwrap_or(0);
            params.sq_thread_idle_ms = idle_ms.unwrap_or(0);
        }
        hybrid::set_up(self.entries, params)
    }
}

/// A ring, and what the kernel may use through it for as long as the ring exists.
pub(crate) struct Ring<D: Dialect> {
    // Fields are dropped in this order: the ring first, so that the memory and the files that are
    // registered with it outlive it.
    io_uring: IoUring<D::Submission, D::Completion>,
    segments: Vec<Segment>,
    files: Files,
    files_are_registered: bool,
    buffers_are_registered: bool,
    /// The limits on the kernel's workers, bounded and unbounded, before they were changed.
    workers_before: Option<[u32; 2]>,
    largest_block_bytes: u32,
    abilities: Abilities,
    way: Way,
    receipts: Vec<Receipt>,
}

impl<D: Dialect> Ring<D> {
    /// Opens a ring on the calling thread, which must be the one to use it, and registers the files
    /// and the memory of `setup` where `options` ask for that and the kernel allows it.
    ///
    /// # Errors
    /// Why there cannot be such a ring here.
    pub(crate) fn open(options: &Uring, setup: LaneSetup) -> Result<Self, Unsupported> {
        let LaneSetup { queue_depth, largest_block_bytes, operations, files, segments } = setup;
        unsupported::check(queue_depth, operations, options)?;
        if options.iopoll {
            polled::check(files.iter().map(AsRef::as_ref))?;
        }
        let entries = queue_depth.max(1) * options.entries_per_request();
        let set_up = |flags| patiently(|| D::set_up(&SetUp { flags, entries, options }));
        let (io_uring, flags) = negotiate(Flags::asked(options), set_up).map_err(|error| {
            unsupported::of_setup(error, entries, options, &Surroundings::read())
        })?;
        let abilities = Abilities::of(&io_uring);
        if options.iopoll && !abilities.features.contains(Feature::CqeSkip) {
            polled::check_old_kernel(operations, files.iter().map(AsRef::as_ref))?;
        }
        let (way, _receipts) = abilities.way(operations, options, Registered::NOTHING)?;
        let mut ring = Self {
            io_uring,
            segments,
            files,
            files_are_registered: false,
            buffers_are_registered: false,
            workers_before: None,
            largest_block_bytes,
            abilities,
            way,
            receipts: flags.receipts(options),
        };
        ring.receipts.extend(options.extras());
        ring.limit_workers(options);
        let files = ring.register_files(options);
        let buffers = ring.register_buffers(options, operations);
        let registered = Registered { files, buffers };
        match abilities.way(operations, options, registered) {
            Ok((way, receipts)) => {
                ring.way = way;
                ring.receipts.extend(receipts);
                Ok(ring)
            }
            Err(refused) => {
                ring.unregister();
                Err(refused)
            }
        }
    }

    fn limit_workers(&mut self, options: &Uring) {
        let Some(most) = options.iowq_workers else { return };
        let asked = most.to_string();
        let mut limits = [most; 2];
        self.receipts.push(
            match self.io_uring.submitter().register_iowq_max_workers(&mut limits) {
                Ok(()) => {
                    let [bounded, unbounded] = limits;
                    self.workers_before = Some(limits);
                    let granted =
                        format!("{most} (it was {bounded} bounded, {unbounded} unbounded)");
                    Receipt { asked, ..Receipt::granted("iowq-workers", &granted) }
                }
                Err(error) => {
                    let why_not = match error.raw_os_error() {
                        Some(libc::EINVAL) => "EINVAL: needs Linux 5.15".to_owned(),
                        _ => errno_name(&error),
                    };
                    Receipt::downgraded("iowq-workers", &asked, "the kernel's own", &why_not)
                }
            },
        );
    }

    fn register_files(&mut self, options: &Uring) -> Registration {
        if !options.fixed_files {
            self.receipts.push(Receipt::granted("fixed-files", "off"));
            return Registration::NotDone;
        }
        if self.files.is_empty() {
            return Registration::Nothing;
        }
        let registered = self.io_uring.submitter().register_files(&self.descriptors());
        self.files_are_registered = registered.is_ok();
        let result = registered.map_err(|error| errno_name(&error));
        self.receipts.push(registration("fixed-files", result));
        if self.files_are_registered { Registration::Done } else { Registration::NotDone }
    }

    fn register_buffers(&mut self, options: &Uring, operations: Operations) -> Registration {
        if !options.fixed_buffers {
            self.receipts.push(Receipt::granted("fixed-buffers", "off"));
            return Registration::NotDone;
        }
        let receipt = match self.use_of_buffers(options, operations) {
            Ok(_) if self.segments.is_empty() => return Registration::Nothing,
            Ok(granted) => match self.try_to_register_buffers() {
                Ok(()) => granted,
                Err(why_not) => registration("fixed-buffers", Err(why_not)),
            },
            Err(why_not) => registration("fixed-buffers", Err(why_not)),
        };
        self.receipts.push(receipt);
        if self.buffers_are_registered { Registration::Done } else { Registration::NotDone }
    }

    /// The receipt of registered memory, for when it can be had, or why it would be of no use.
    fn use_of_buffers(&self, options: &Uring, operations: Operations) -> Result<Receipt, String> {
        if options.vectored {
            return Err("vectored excludes it".to_owned());
        }
        if !options.passthrough {
            return self.abilities.fixed_buffers(operations);
        }
        // Linux 6.1 to 6.11 hold the whole registered range against what the device takes in one
        // command, and answer EINVAL. This feature came with Linux 6.12.
        if self.abilities.features.contains(Feature::MinTimeout) {
            Ok(Receipt::granted("fixed-buffers", "on"))
        } else {
            Err("commands with much registered memory need Linux 6.12".to_owned())
        }
    }

    fn try_to_register_buffers(&mut self) -> Result<(), String> {
        let ranges: Vec<_> = self.segments.iter().map(range).collect();
        // SAFETY: each range is a segment, which keeps its memory mapped; the segments are fields
        // of `self` behind the ring, so they are dropped after it.
        let registered = unsafe { self.io_uring.submitter().register_buffers(&ranges) };
        self.buffers_are_registered = registered.is_ok();
        registered.map_err(|error| self.why_not_buffers(&error))
    }

    fn why_not_buffers(&self, error: &io::Error) -> String {
        let name = errno_name(error);
        match error.raw_os_error() {
            Some(libc::ENOMEM) => {
                let bytes: usize = self.segments.iter().map(Segment::length_bytes).sum();
                let limit = Surroundings::read().memlock;
                format!("{name}: {bytes} bytes are to be pinned and RLIMIT_MEMLOCK is {limit}")
            }
            Some(libc::EFAULT) => {
                format!(
                    "{name}: the kernel cannot pin this memory, or more than 1 GiB of it in one"
                )
            }
            _ => name,
        }
    }

    fn descriptors(&self) -> Vec<RawFd> {
        self.files.iter().map(AsRawFd::as_raw_fd).collect()
    }

    /// The ring itself.
    pub(crate) fn io_uring(&self) -> &IoUring<D::Submission, D::Completion> {
        &self.io_uring
    }

    /// What was asked when the ring was opened, and what the kernel granted.
    pub(crate) fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// The way that requests take through it.
    pub(crate) fn way(&self) -> Way {
        self.way
    }

    /// How many targets there are.
    pub(crate) fn targets(&self) -> usize {
        self.files.len()
    }

    /// The targets.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// The longest request in bytes.
    pub(crate) fn largest_block_bytes(&self) -> u32 {
        self.largest_block_bytes
    }

    /// What requests say about [`target_numbers`](Self::target_numbers): which of the two.
    pub(crate) fn target_flags(&self) -> squeue::Flags {
        if self.files_are_registered { squeue::Flags::FIXED_FILE } else { squeue::Flags::empty() }
    }

    /// Whether requests name the segment that their block is in.
    pub(crate) fn buffers_are_registered(&self) -> bool {
        self.buffers_are_registered
    }

    /// What requests say for each target: its index or its descriptor.
    pub(crate) fn target_numbers(&self) -> Vec<RawFd> {
        if self.files_are_registered {
            (0..).take(self.files.len()).collect()
        } else {
            self.descriptors()
        }
    }

    /// Takes the registrations back, for when nothing is in flight: so that memory stops counting
    /// against the limit on locked memory, and files are closed, now and not a little after the ring
    /// is closed, when somebody may want the device for himself.
    pub(crate) fn unregister(&self) {
        if self.files_are_registered {
            // As below.
            let _error = self.io_uring.submitter().unregister_files();
        }
        if self.buffers_are_registered {
            // Closing the ring does it in any case, so an error has no remedy here.
            let _error = self.io_uring.submitter().unregister_buffers();
        }
    }

    /// Keeps the memory of the segments mapped until the process ends.
    pub(crate) fn leak_segments(&self) {
        mem::forget(self.segments.clone());
    }
}

impl<D: Dialect> Drop for Ring<D> {
    fn drop(&mut self) {
        // The limits are the thread's and not the ring's, so they would outlive it.
        if let Some(mut limits) = self.workers_before {
            let _error = self.io_uring.submitter().register_iowq_max_workers(&mut limits);
        }
    }
}

/// Calls `open` again for up to a tenth of a second while it finds no memory, or no thread
/// (`EAGAIN`): a ring that was just closed, such as a probe's, goes on counting against limits for
/// a moment.
fn patiently<T>(mut open: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _attempt in 1..ATTEMPTS {
        match open() {
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOMEM | libc::EAGAIN)) => {
                thread::sleep(ATTEMPT_PAUSE);
            }
            result => return result,
        }
    }
    open()
}

fn range(segment: &Segment) -> libc::iovec {
    libc::iovec { iov_base: segment.address() as *mut _, iov_len: segment.length_bytes() }
}

/// The symbolic name of the kernel's error.
pub(crate) fn errno_name(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |errno| Errno(errno).name())
}

/// The receipt of something that was asked for, registered or with the reason why not.
fn registration(option: &str, result: Result<(), String>) -> Receipt {
    match result {
        Ok(()) => Receipt::granted(option, "on"),
        Err(why_not) => Receipt::downgraded(option, "on", "off", &why_not),
    }
}

/// Registers the ring's own descriptor, which `submitter` remembers.
///
/// The kernel then holds the ring until that is undone or the thread ends, so whoever drops a
/// submitter must undo it.
pub(crate) fn register_ring(options: &Uring, submitter: &mut Submitter<'_>) -> Receipt {
    if !options.registered_ring {
        return Receipt::granted("registered-ring", "off");
    }
    let result = submitter.register_ring_fd().map_err(|error| match error.raw_os_error() {
        Some(libc::EINVAL) => "EINVAL: needs Linux 5.18".to_owned(),
        Some(libc::EBUSY) => "EBUSY: this thread has 16 registered rings already".to_owned(),
        _ => errno_name(&error),
    });
    registration("registered-ring", result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_want_of_memory_or_threads_is_waited_out_and_not_for_ever() {
        for (errno, attempts) in
            [(libc::ENOMEM, ATTEMPTS), (libc::EAGAIN, ATTEMPTS), (libc::EPERM, 1)]
        {
            let mut calls = 0;
            let result = patiently(|| {
                calls += 1;
                io::Result::<()>::Err(io::Error::from_raw_os_error(errno))
            });
            assert_eq!(result.unwrap_err().raw_os_error(), Some(errno));
            assert_eq!(calls, attempts);
        }
        let mut errors = [libc::ENOMEM; 3].into_iter();
        let open = || errors.next().map_or(Ok(7), |errno| Err(io::Error::from_raw_os_error(errno)));
        assert_eq!(patiently(open).unwrap(), 7);
    }
}
