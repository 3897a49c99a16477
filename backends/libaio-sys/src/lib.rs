//! The kernel ABI of Linux AIO: its structs, its five system calls, and its completion ring.
//!
//! No such crate is published, `libc` has the structs for some targets only, and the C library of
//! the same name adds nothing but a dependency. What is here:
//!
//! - [`Iocb`], [`IoEvent`] and [`RingHeader`], laid out as the kernel has them and checked at
//!   compile time;
//! - [`io_setup`], [`io_destroy`], [`io_submit`], [`io_getevents`] and [`io_pgetevents`], as thin
//!   as they can be;
//! - [`Context`], which owns a context, and [`Ring`], which reads completions from the memory that
//!   the kernel shares, without a system call.
//!
//! It is not an engine: it keeps no table of requests and owns none of their memory, and so
//! submitting is `unsafe`.
//!
//! Sources: `include/uapi/linux/aio_abi.h` for what is handed over, `fs/aio.c` for the ring and for
//! what the calls do.

mod abi;
mod calls;
mod context;
mod ring;

pub use abi::{
    CallTimeout, ContextId, IOCB_CMD_FDSYNC, IOCB_CMD_FSYNC, IOCB_CMD_NOOP, IOCB_CMD_POLL,
    IOCB_CMD_PREAD, IOCB_CMD_PREADV, IOCB_CMD_PWRITE, IOCB_CMD_PWRITEV, IoEvent, Iocb,
    RING_HEADER_BYTES, RING_INCOMPAT_FEATURES, RING_MAGIC, RingHeader,
};
pub use calls::{SYS_IO_PGETEVENTS, io_destroy, io_getevents, io_pgetevents, io_setup, io_submit};
pub use context::Context;
pub use ring::{BrokenRing, NoRing, Ring};
