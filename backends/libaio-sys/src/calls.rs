//! The five system calls, as thin as they can be: numbers and pointers in, [`io::Error`] out.
#![expect(unsafe_code, reason = "system calls on memory that the caller vouches for")]

use std::ffi::c_long;
use std::io;
use std::ptr;

use crate::abi::{CallTimeout, ContextId, IoEvent, Iocb};

/// The number of `io_pgetevents`, which `libc` lacks on some targets: 333 on x86-64
/// (`arch/x86/entry/syscalls/syscall_64.tbl`), 292 on the machines that use the common table
/// (`include/uapi/asm-generic/unistd.h`), and `None` where this crate does not know it.
pub const SYS_IO_PGETEVENTS: Option<c_long> =
    if cfg!(all(target_arch = "x86_64", target_pointer_width = "64")) {
        Some(333)
    } else if cfg!(any(target_arch = "aarch64", target_arch = "riscv64")) {
        Some(292)
    } else {
        None
    };

/// What a system call returned, as a result.
fn checked(returned: c_long) -> io::Result<c_long> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(returned) }
}

/// A number of things that the kernel says it dealt with, which is never more than was asked.
fn count(returned: c_long) -> io::Result<usize> {
    checked(returned).map(|count| usize::try_from(count).expect("a count is not negative"))
}

/// Makes a context for `queue_depth` requests and says its name.
///
/// # Errors
/// `EAGAIN` over `fs.aio-max-nr`, `EINVAL` for a depth of 0 or beyond what the kernel can count,
/// `ENOMEM`, and `ENOSYS` where the kernel has no Linux AIO.
pub fn io_setup(queue_depth: u32) -> io::Result<ContextId> {
    let mut id: ContextId = 0;
    let place = ptr::from_mut(&mut id);
    // SAFETY: the kernel reads and writes the one `ContextId` at `place`, which outlives the call.
    checked(unsafe { libc::syscall(libc::SYS_io_setup, queue_depth, place) })?;
    Ok(id)
}

/// Ends a context: cancels what can be cancelled and waits, without a limit, until the kernel is
/// done with all that is in flight. Then unmaps the completion ring.
///
/// # Safety
/// Nothing may read the context's ring during or after the call.
///
/// # Errors
/// `EINVAL` when there is no such context.
pub unsafe fn io_destroy(id: ContextId) -> io::Result<()> {
    // SAFETY: the call unmaps the ring, which nobody reads any more, as the caller promises.
    checked(unsafe { libc::syscall(libc::SYS_io_destroy, id) }).map(drop)
}

/// Hands over requests, in order, up to the first that the kernel does not take; says how many it
/// took. An error is the first request's, or the call's.
///
/// # Safety
/// Every pointer must be valid to read and write during the call, and the memory that each request
/// names must be valid for what the request does to it, with nothing else accessing it, until the
/// request's completion has been reaped or the context destroyed.
///
/// # Errors
/// `EAGAIN` when the kernel takes none for now; else the errno of the first request (`EBADF`,
/// `EINVAL`, `EFAULT`, …) or of the call (`EINVAL` for an unknown context, `ENOSYS`).
pub unsafe fn io_submit(id: ContextId, iocbs: &[*mut Iocb]) -> io::Result<usize> {
    // SAFETY: the array of pointers is as long as said; what they point to is the caller's promise.
    count(unsafe { libc::syscall(libc::SYS_io_submit, id, iocbs.len(), iocbs.as_ptr()) })
}

/// Takes completions, at most `events.len()`, waiting until there are `min` or `timeout` is over
/// (`None`: for as long as it takes). Says how many it wrote to the front of `events`.
///
/// # Safety
/// Nothing may read the context's ring during the call, because a ring has one reaper at a time.
///
/// # Errors
/// `EINTR` when a signal came before any completion did, `EINVAL` for an unknown context or a `min`
/// beyond `events`, `ENOSYS`.
pub unsafe fn io_getevents(
    id: ContextId,
    min: usize,
    events: &mut [IoEvent],
    timeout: Option<CallTimeout>,
) -> io::Result<usize> {
    let room = events.len();
    let wait = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    let place = events.as_mut_ptr();
    // SAFETY: the kernel writes at most `room` events, which are plain numbers, to a slice as long
    // as that, and reads the timeout; both outlive the call. An `id` that names no context is an
    // error and nothing else.
    count(unsafe { libc::syscall(libc::SYS_io_getevents, id, min, room, place, wait) })
}

/// [`io_getevents`] by the call that can also set a signal mask, which this crate never does.
///
/// # Safety
/// As for [`io_getevents`].
///
/// # Errors
/// Those of [`io_getevents`]; `ENOSYS` before Linux 4.18, under some instruments, and without a
/// call where the number is not known.
pub unsafe fn io_pgetevents(
    id: ContextId,
    min: usize,
    events: &mut [IoEvent],
    timeout: Option<CallTimeout>,
) -> io::Result<usize> {
    let Some(number) = SYS_IO_PGETEVENTS else {
        return Err(io::Error::from_raw_os_error(libc::ENOSYS));
    };
    let room = events.len();
    let wait = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    let place = events.as_mut_ptr();
    let no_mask = ptr::null::<libc::c_void>();
    // SAFETY: as in `io_getevents`; a null mask is none.
    count(unsafe { libc::syscall(number, id, min, room, place, wait, no_mask) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_on_a_context_that_never_was_fail_and_touch_nothing() {
        let mut events = [IoEvent::default(); 2];
        let now = Some(CallTimeout::default());
        // SAFETY: there is no ring.
        assert!(unsafe { io_getevents(0, 1, &mut events, now) }.is_err());
        // SAFETY: there is no ring.
        assert!(unsafe { io_pgetevents(0, 1, &mut events, now) }.is_err());
        // SAFETY: there are no requests.
        assert!(unsafe { io_submit(0, &[]) }.is_err());
        // SAFETY: there is no ring.
        assert!(unsafe { io_destroy(0) }.is_err());
        assert_eq!(events, [IoEvent::default(); 2]);
    }

    #[test]
    fn a_context_of_no_depth_is_refused() {
        assert!(io_setup(0).is_err());
    }
}
