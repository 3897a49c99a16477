//! The Linux AIO engine of aio: `io_submit` and `io_getevents`, and completions read from the ring
//! that the kernel shares.
//!
//! [`Libaio`] is the backend, a value that carries its options. Its engines own one context each,
//! opened as deep as asked, and hand over everything queued in one call. A request that the kernel
//! refuses at once (`EBADF`, `EINVAL`, …) comes back as that request's completion.
//!
//! It decides no batching and takes no time stamps: those are core's, the same for all engines. It
//! has no trim, because the interface has none.

mod backend;
mod engine;
mod ladder;
mod limits;
mod open;
mod options;
mod submission;

pub use options::Libaio;
