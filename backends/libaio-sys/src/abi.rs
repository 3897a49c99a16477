//! The structs and numbers that the kernel and a program agree on.

use std::mem::{align_of, offset_of, size_of};
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// The kernel's name for a context (`aio_context_t`): the address at which its completion ring is
/// mapped.
pub type ContextId = libc::c_ulong;

/// Read into one buffer.
pub const IOCB_CMD_PREAD: u16 = 0;
/// Write from one buffer.
pub const IOCB_CMD_PWRITE: u16 = 1;
/// `fsync`, since Linux 4.18.
pub const IOCB_CMD_FSYNC: u16 = 2;
/// `fdatasync`, since Linux 4.18.
pub const IOCB_CMD_FDSYNC: u16 = 3;
/// Wait for a file to become ready, once.
pub const IOCB_CMD_POLL: u16 = 5;
/// Named by the header; no kernel has ever implemented it (`EINVAL`).
pub const IOCB_CMD_NOOP: u16 = 6;
/// Read into several buffers.
pub const IOCB_CMD_PREADV: u16 = 7;
/// Write from several buffers.
pub const IOCB_CMD_PWRITEV: u16 = 8;

/// One request (`struct iocb` of `include/uapi/linux/aio_abi.h`).
///
/// The kernel reads it, and writes its `key`, during `io_submit` only.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Iocb {
    /// Comes back as [`IoEvent::data`].
    pub data: u64,
    /// Written by the kernel.
    #[cfg(target_endian = "little")]
    pub key: u32,
    /// `RWF_*` flags of this request.
    pub rw_flags: i32,
    /// Written by the kernel.
    #[cfg(target_endian = "big")]
    pub key: u32,
    /// What to do: `IOCB_CMD_*`.
    pub opcode: u16,
    /// The I/O priority, when `flags` say that there is one.
    pub priority: i16,
    /// The file descriptor.
    pub fd: u32,
    /// The address of the buffer, or of the vector of buffers.
    pub address: u64,
    /// Bytes in the buffer, or buffers in the vector.
    pub length: u64,
    /// Where in the file, in bytes.
    pub offset_bytes: i64,
    /// Must be 0.
    pub reserved2: u64,
    /// `IOCB_FLAG_*`.
    pub flags: u32,
    /// An eventfd to signal, when `flags` say so.
    pub event_fd: u32,
}

const _: () = assert!(size_of::<Iocb>() == 64);
const _: () = assert!(offset_of!(Iocb, data) == 0);
#[cfg(target_endian = "little")]
const _: () = assert!(offset_of!(Iocb, key) == 8 && offset_of!(Iocb, rw_flags) == 12);
#[cfg(target_endian = "big")]
const _: () = assert!(offset_of!(Iocb, key) == 12 && offset_of!(Iocb, rw_flags) == 8);
const _: () = assert!(offset_of!(Iocb, opcode) == 16);
const _: () = assert!(offset_of!(Iocb, priority) == 18);
const _: () = assert!(offset_of!(Iocb, fd) == 20);
const _: () = assert!(offset_of!(Iocb, address) == 24);
const _: () = assert!(offset_of!(Iocb, length) == 32);
const _: () = assert!(offset_of!(Iocb, offset_bytes) == 40);
const _: () = assert!(offset_of!(Iocb, reserved2) == 48);
const _: () = assert!(offset_of!(Iocb, flags) == 56);
const _: () = assert!(offset_of!(Iocb, event_fd) == 60);

/// One completion (`struct io_event` of `include/uapi/linux/aio_abi.h`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IoEvent {
    /// [`Iocb::data`] of the request.
    pub data: u64,
    /// The address that the request's [`Iocb`] had.
    pub iocb_address: u64,
    /// Bytes moved, or the negated errno.
    pub result: i64,
    /// A second result; 0 for all that storage does.
    pub result2: i64,
}

const _: () = assert!(size_of::<IoEvent>() == 32);
const _: () = assert!(offset_of!(IoEvent, data) == 0);
const _: () = assert!(offset_of!(IoEvent, iocb_address) == 8);
const _: () = assert!(offset_of!(IoEvent, result) == 16);
const _: () = assert!(offset_of!(IoEvent, result2) == 24);

/// [`RingHeader::magic`] of a ring that this crate can read (`AIO_RING_MAGIC` of `fs/aio.c`).
pub const RING_MAGIC: u32 = 0xa10a_10a1;
/// [`RingHeader::incompat_features`] of a ring that this crate can read.
pub const RING_INCOMPAT_FEATURES: u32 = 0;
/// [`RingHeader::header_length_bytes`] of a ring that this crate can read.
pub const RING_HEADER_BYTES: u32 = 32;

/// What stands before the events of a completion ring (`struct aio_ring` of `fs/aio.c`).
///
/// The fields are atomics because the kernel shares the memory.
#[repr(C)]
#[derive(Debug)]
pub struct RingHeader {
    /// The kernel's own index.
    pub id: AtomicU32,
    /// Events that the ring has room for.
    pub nr: AtomicU32,
    /// The next event to read; moved on by whoever reaps.
    pub head: AtomicU32,
    /// The next event to write; moved on by the kernel.
    pub tail: AtomicU32,
    /// [`RING_MAGIC`].
    pub magic: AtomicU32,
    /// Features that a reader may ignore.
    pub compat_features: AtomicU32,
    /// Features that a reader must know.
    pub incompat_features: AtomicU32,
    /// Bytes before the first event.
    pub header_length_bytes: AtomicU32,
}

const _: () = assert!(size_of::<RingHeader>() == RING_HEADER_BYTES as usize);
const _: () = assert!(offset_of!(RingHeader, id) == 0);
const _: () = assert!(offset_of!(RingHeader, nr) == 4);
const _: () = assert!(offset_of!(RingHeader, head) == 8);
const _: () = assert!(offset_of!(RingHeader, tail) == 12);
const _: () = assert!(offset_of!(RingHeader, magic) == 16);
const _: () = assert!(offset_of!(RingHeader, compat_features) == 20);
const _: () = assert!(offset_of!(RingHeader, incompat_features) == 24);
const _: () = assert!(offset_of!(RingHeader, header_length_bytes) == 28);
// Events start right behind the header, so the header must not loosen their alignment.
const _: () = assert!(size_of::<RingHeader>().is_multiple_of(align_of::<IoEvent>()));

/// How long a call may wait (`struct __kernel_old_timespec`; on 64-bit machines the same as
/// `struct __kernel_timespec`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallTimeout {
    /// Whole seconds.
    pub seconds: libc::c_long,
    /// Nanoseconds, less than 10^9.
    pub nanoseconds: libc::c_long,
}

const _: () = assert!(size_of::<CallTimeout>() == 2 * size_of::<libc::c_long>());

impl From<Duration> for CallTimeout {
    /// The longest time that the kernel can be told, when `wait` is longer.
    fn from(wait: Duration) -> Self {
        let seconds = libc::c_long::try_from(wait.as_secs()).unwrap_or(libc::c_long::MAX);
        // Less than 10^9, which fits the 32 bits that the smallest `long` has.
        let nanoseconds = wait.subsec_nanos().cast_signed().into();
        Self { seconds, nanoseconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_that_no_kernel_can_be_told_is_the_longest_one() {
        let timeout = CallTimeout::from(Duration::new(3, 999_999_999));
        assert_eq!((timeout.seconds, timeout.nanoseconds), (3, 999_999_999));
        assert_eq!(CallTimeout::from(Duration::MAX).seconds, libc::c_long::MAX);
    }
}
