//! Setting up a ring by hand, for a flag that the `io-uring` crate cannot set.
#![expect(unsafe_code, reason = "makes a system call, and a ring out of what it answers")]

use std::ffi::c_long;
use std::os::fd::RawFd;
use std::{io, mem};

use io_uring::{IoUring, Parameters};

/// `struct io_uring_params` of `linux/io_uring.h`, of which the kernel fills in the rest.
#[derive(Default)]
#[repr(C)]
pub(crate) struct Params {
    sq_entries: u32,
    cq_entries: u32,
    /// `IORING_SETUP_*`.
    pub(crate) flags: u32,
    /// The CPU of the kernel's thread, where there is one.
    pub(crate) sq_thread_cpu: u32,
    /// How long that thread looks before it sleeps; 0 is a second.
    pub(crate) sq_thread_idle_ms: u32,
    features: u32,
    wq_fd: u32,
    reserved: [u32; 3],
    submission_offsets: [u64; 5],
    completion_offsets: [u64; 5],
}

const _: () = assert!(mem::size_of::<Params>() == 120, "the kernel's io_uring_params");

impl Params {
    /// Nothing but `flags`.
    pub(crate) fn with(flags: u32) -> Self {
        Self { flags, ..Self::default() }
    }
}

/// A ring of `entries` entries.
///
/// # Errors
/// What the kernel says.
pub(crate) fn set_up(entries: u32, mut params: Params) -> io::Result<IoUring> {
    let entries = c_long::from(entries);
    // SAFETY: the kernel reads and writes one `io_uring_params` there, and no more.
    let answer = unsafe { libc::syscall(libc::SYS_io_uring_setup, entries, &raw mut params) };
    let Ok(descriptor) = RawFd::try_from(answer) else { return Err(out_of_range()) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `Parameters` says that it is laid out as the kernel's struct, as `Params` is, and
    // integers have no invalid values.
    let parameters = unsafe { mem::transmute::<Params, Parameters>(params) };
    // SAFETY: the descriptor is a ring that was just made and that nobody else has, and these are
    // the parameters that the kernel filled in for it.
    unsafe { IoUring::from_fd(descriptor, parameters) }
}

fn out_of_range() -> io::Error {
    io::Error::from_raw_os_error(libc::EOVERFLOW)
}

#[cfg(test)]
mod tests {
    use io_uring::opcode;

    use super::*;

    #[test]
    fn a_ring_made_by_hand_is_as_good_as_the_crates() {
        let mut ring = match set_up(4, Params::default()) {
            Ok(ring) => ring,
            Err(error) => {
                aio_core::testing::skip(&format!("io_uring_setup: {error}"));
                return;
            }
        };
        let entry = opcode::Nop::new().build().user_data(7);
        // SAFETY: the entry points to nothing.
        unsafe { ring.submission().push(&entry) }.unwrap();
        ring.submit_and_wait(1).unwrap();
        let done: Vec<_> =
            ring.completion().map(|done| (done.user_data(), done.result())).collect();
        assert_eq!(done, [(7, 0)]);
    }

    #[test]
    fn what_the_kernel_does_not_know_is_its_error() {
        let params = Params::with(1 << 31);
        let errno = set_up(1, params).err().and_then(|error| error.raw_os_error());
        assert!(matches!(errno, Some(libc::EINVAL | libc::ENOSYS | libc::EPERM)), "{errno:?}");
    }
}
