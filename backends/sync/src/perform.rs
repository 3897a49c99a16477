//! One request as blocking calls on the calling thread.
#![expect(unsafe_code, reason = "reads and writes memory by its address, with flags")]
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::ptr;

use aio_core::engine::{Files, GrantedFlags, Operation, Request, RwFlags};
use aio_core::memory::Block;
use aio_core::target::{PUNCH_HOLE, TrimWay};

/// `_IO(0x12, 119)` of `linux/fs.h`: what `_IO` adds to type and number is the architecture's.
const BLKDISCARD: libc::Ioctl = (libc::BLKSSZGET & !0xffff) | 0x1277;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Bytes moved, or the negated errno.
    pub(crate) status: i32,
    /// Calls that were made for it.
    pub(crate) system_calls: u32,
    /// Those of them that a signal interrupted.
    pub(crate) interrupted: u32,
    /// Those of them that would have had to wait, and were not to.
    pub(crate) again: u32,
    /// The flags that were refused, when that is how it ended.
    pub(crate) refused: RwFlags,
    /// Whether the thread panicked over it.
    pub(crate) panicked: bool,
}

impl Outcome {
    /// The outcome of a request over which its thread panicked.
    pub(crate) const PANICKED: Self =
        Self { status: -libc::EIO, system_calls: 0, panicked: true, ..Self::after_one_call(0) };

    /// The outcome of a request that one call has done.
    pub(crate) const fn after_one_call(status: i32) -> Self {
        let refused = RwFlags::NONE;
        Self { status, system_calls: 1, interrupted: 0, again: 0, refused, panicked: false }
    }
}

/// A request that is done, on its way back to the lane.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The memory that went in.
    pub(crate) block: Option<Block>,
    /// The request's name.
    pub(crate) tag: u32,
    /// What became of it.
    pub(crate) outcome: Outcome,
}

/// The open targets of an engine, and the flags of requests to them.
#[derive(Debug)]
pub(crate) struct Targets {
    /// By index.
    descriptors: Box<[RawFd]>,
    /// How each is trimmed; empty when none is to be.
    trims: Box<[TrimWay]>,
    reads: RwFlags,
    writes: RwFlags,
    /// Keeps the descriptors open.
    _files: Files,
}

impl Targets {
    /// The targets `files`, with the flags that were granted, each trimmed as `trims` says, if any
    /// is to be.
    pub(crate) fn new(files: Files, granted: &GrantedFlags, trims: Vec<TrimWay>) -> Self {
        Self {
            descriptors: files.iter().map(AsRawFd::as_raw_fd).collect(),
            trims: trims.into(),
            reads: granted.for_reads(),
            writes: granted.for_writes(),
            _files: files,
        }
    }

    /// How the request is told to the kernel, with its memory at `address`.
    ///
    /// # Panics
    /// When its target does not exist; the engine has looked.
    #[inline(always)]
    pub(crate) fn call(&self, request: &Request, address: usize) -> Call {
        let (what, flags) = match request.operation {
            Operation::Read => (What::Read, self.reads),
            Operation::Write => (What::Write, self.writes),
            Operation::Fsync => (What::Fsync, RwFlags::NONE),
            Operation::Trim => (self.trim(request.target), RwFlags::NONE),
            // The engine is not opened for any but this.
            _ => (What::Fdatasync, RwFlags::NONE),
        };
        Call {
            what,
            length_bytes: request.length_bytes,
            address,
            offset_bytes: request.offset_bytes.cast_signed(),
            fd: self.descriptors[usize::from(request.target)],
            flags,
        }
    }

    #[cold]
    fn trim(&self, target: u16) -> What {
        match self.trims[usize::from(target)] {
            TrimWay::PunchHole => What::PunchHole,
            TrimWay::Discard => What::Discard,
        }
    }
}

/// Which call it is. The first are numbered as the operations that they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum What {
    Read,
    Write,
    Fsync,
    Fdatasync,
    PunchHole,
    Discard,
}

/// A request as the kernel is told it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    what: What,
    length_bytes: u32,
    address: usize,
    offset_bytes: i64,
    fd: RawFd,
    flags: RwFlags,
}

impl Call {
    /// A flush of nothing.
    pub(crate) const NONE: Self = Self {
        what: What::Fdatasync,
        length_bytes: 0,
        address: 0,
        offset_bytes: 0,
        fd: -1,
        flags: RwFlags::NONE,
    };

    /// Makes the call once.
    ///
    /// # Errors
    /// The errno, with which [`once_more`](Self::once_more) goes on.
    ///
    /// # Safety
    /// A call that moves data owns the `length` bytes at `address`: they are mapped, and nobody
    /// else reads or writes them until this returns. Its descriptor is that of a target that is
    /// open until then.
    #[inline(always)]
    pub(crate) unsafe fn make(&self) -> Result<i32, i32> {
        // SAFETY: the caller's promise.
        unsafe { self.make_with(self.flags) }
    }

    /// Makes the call again as long as a signal interrupts it, and without `nowait` when it would
    /// have had to wait, as `errno` says that it was or would.
    ///
    /// # Safety
    /// As for [`make`](Self::make).
    #[cold]
    pub(crate) unsafe fn once_more(&self, errno: i32) -> Outcome {
        // SAFETY: the caller's promise.
        once_more(errno, self.flags, |flags| unsafe { self.make_with(flags) })
    }

    #[inline(always)]
    unsafe fn make_with(&self, flags: RwFlags) -> Result<i32, i32> {
        // Nothing else has flags.
        let is_plain = flags.is_empty() || !matches!(self.what, What::Read | What::Write);
        let moved = if is_plain {
            // SAFETY: the caller vouches for the range.
            unsafe { self.make_plain() }
        } else {
            // SAFETY: the caller vouches for the range.
            unsafe { self.make_flagged(flags) }
        };
        match i32::try_from(moved) {
            Ok(moved) if moved >= 0 => Ok(moved),
            // The kernel moves less than 2 GiB at a time; should it ever say more, so can we.
            _ if moved >= 0 => Ok(i32::MAX),
            _ => Err(last_errno()),
        }
    }

    /// The system call by its number, because the functions of the C library, in a process with
    /// threads, first make themselves a place where a thread can be cancelled, which costs more
    /// than all else. Calls that take fewer arguments ignore the rest.
    #[inline(always)]
    unsafe fn make_plain(&self) -> libc::c_long {
        let Self { address, offset_bytes, fd, .. } = *self;
        let length = self.length_bytes as usize;
        let number = match self.what {
            What::Read => libc::SYS_pread64,
            What::Write => libc::SYS_pwrite64,
            What::Fsync => libc::SYS_fsync,
            What::Fdatasync => libc::SYS_fdatasync,
            What::PunchHole | What::Discard => return self.trim(),
        };
        // SAFETY: the caller vouches for the range. Registers are 64 bits wide, as core demands, so
        // that each takes one argument.
        unsafe { libc::syscall(number, fd, address, length, offset_bytes) }
    }

    /// Takes a range away, which moves no memory.
    #[cold]
    fn trim(&self) -> libc::c_long {
        let Self { fd, offset_bytes, .. } = *self;
        let length_bytes = i64::from(self.length_bytes);
        if self.what == What::PunchHole {
            // SAFETY: numbers only.
            let status = unsafe { libc::fallocate(fd, PUNCH_HOLE, offset_bytes, length_bytes) };
            return status.into();
        }
        let range = [offset_bytes.cast_unsigned(), length_bytes.cast_unsigned()];
        // SAFETY: the kernel reads two numbers of 64 bits there: where, and how much.
        let status = unsafe { libc::ioctl(fd, BLKDISCARD, range.as_ptr()) };
        status.into()
    }

    /// Only reads and writes have flags.
    unsafe fn make_flagged(&self, flags: RwFlags) -> libc::c_long {
        let Self { address, offset_bytes, fd, .. } = *self;
        let length = self.length_bytes as usize;
        let start = ptr::with_exposed_provenance_mut(address);
        let vector = libc::iovec { iov_base: start, iov_len: length };
        let moved = if self.what == What::Read {
            // SAFETY: the caller vouches for the only range of the vector.
            unsafe { libc::preadv2(fd, &raw const vector, 1, offset_bytes, flags.bits()) }
        } else {
            // SAFETY: the caller vouches for the only range of the vector.
            unsafe { libc::pwritev2(fd, &raw const vector, 1, offset_bytes, flags.bits()) }
        };
        moved as libc::c_long
    }
}

#[cold]
fn last_errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

/// What becomes of a request whose first call ended with `errno`.
#[cold]
fn once_more(
    mut errno: i32,
    mut flags: RwFlags,
    mut attempt: impl FnMut(RwFlags) -> Result<i32, i32>,
) -> Outcome {
    let mut outcome = Outcome::after_one_call(0);
    loop {
        match errno {
            libc::EINTR => outcome.interrupted += 1,
            libc::EAGAIN if flags.contains(RwFlags::NOWAIT) => {
                outcome.again += 1;
                flags = flags.without(RwFlags::NOWAIT);
            }
            _ => {
                outcome.status = -errno;
                if errno == libc::EOPNOTSUPP {
                    outcome.refused = flags;
                }
                return outcome;
            }
        }
        outcome.system_calls += 1;
        match attempt(flags) {
            Ok(moved) => {
                outcome.status = moved;
                return outcome;
            }
            Err(failed) => errno = failed,
        }
    }
}

/// Does a request that owns its memory.
///
/// # Panics
/// When the target or the range in the block does not exist; the engine has looked.
pub(crate) fn perform(targets: &Targets, request: &mut Request) -> Outcome {
    let start = request.block_start_bytes as usize;
    let end = start + request.length_bytes as usize;
    let address = match &mut request.block {
        Some(block) => block.as_mut_slice()[start..end].as_mut_ptr().expose_provenance(),
        // Refused when it was accepted, and once more here, where it would be an address.
        None if request.operation.moves_data() => {
            return Outcome::after_one_call(libc::EFAULT.wrapping_neg());
        }
        None => 0,
    };
    let call = targets.call(request, address);
    // SAFETY: the range was just cut out of the block that the request owns, and the request is
    // borrowed exclusively; what has no block moves no data, as was checked when it was accepted.
    match unsafe { call.make() } {
        Ok(moved) => Outcome::after_one_call(moved),
        // SAFETY: as above.
        Err(errno) => unsafe { call.once_more(errno) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has `results` come one after the other, and says with which flags each was asked for.
    fn play(flags: RwFlags, results: &[Result<i32, i32>]) -> (Outcome, Vec<RwFlags>) {
        let mut left = results.iter();
        let mut asked = Vec::new();
        let first = left.next().unwrap().unwrap_err();
        let outcome = once_more(first, flags, |flags| {
            asked.push(flags);
            *left.next().unwrap()
        });
        assert_eq!(left.next(), None);
        (outcome, asked)
    }

    #[test]
    fn an_interrupted_call_is_made_again_and_counted() {
        let interrupted = Err(libc::EINTR);
        let (outcome, asked) = play(RwFlags::DSYNC, &[interrupted, interrupted, Ok(7)]);
        let want = Outcome { system_calls: 3, interrupted: 2, ..Outcome::after_one_call(7) };
        assert_eq!(outcome, want);
        assert_eq!(asked, [RwFlags::DSYNC; 2]);
    }

    #[test]
    fn what_would_have_waited_is_asked_again_without_that_flag_and_with_the_others() {
        let flags = RwFlags::NOWAIT | RwFlags::DSYNC;
        let results = [Err(libc::EINTR), Err(libc::EAGAIN), Err(libc::EINTR), Ok(9)];
        let (outcome, asked) = play(flags, &results);
        let want =
            Outcome { system_calls: 4, interrupted: 2, again: 1, ..Outcome::after_one_call(9) };
        assert_eq!(outcome, want);
        assert_eq!(asked, [flags, RwFlags::DSYNC, RwFlags::DSYNC]);
    }

    #[test]
    fn any_other_error_is_the_requests_errno() {
        for errno in [libc::EAGAIN, libc::EIO, libc::ENOSPC] {
            let (outcome, asked) = play(RwFlags::NONE, &[Err(errno)]);
            assert_eq!(outcome, Outcome::after_one_call(-errno));
            assert!(asked.is_empty());
        }
        // Also the second time, when nobody asked not to wait.
        let again = Err(libc::EAGAIN);
        assert_eq!(play(RwFlags::NOWAIT, &[again, again]).0.status, -libc::EAGAIN);
    }

    #[test]
    fn flags_that_are_refused_are_named() {
        let (outcome, _asked) = play(RwFlags::NOWAIT, &[Err(libc::EOPNOTSUPP)]);
        assert_eq!((outcome.status, outcome.refused), (-libc::EOPNOTSUPP, RwFlags::NOWAIT));
        let (outcome, _asked) = play(RwFlags::NONE, &[Err(libc::EOPNOTSUPP)]);
        assert!(outcome.refused.is_empty());
    }
}
