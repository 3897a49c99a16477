//! The `io_uring` engine of `aio`: one ring per lane, opened and used by the lane's own thread.
//!
//! Requests become submission queue entries without a system call; one `io_uring_enter` hands over
//! whatever is queued and waits. The files, the memory and the ring itself are registered with the
//! kernel where it allows, and what it does not allow is written on receipts. It never emulates an
//! operation, and it never becomes another engine.

mod abilities;
mod backend;
mod dialect;
mod engine;
mod entry;
mod flags;
mod hybrid;
mod ladder;
mod nop;
mod nvme;
mod open;
mod options;
mod passthrough;
mod polled;
mod trial;
mod trims;
mod unsupported;
mod vectors;

pub use options::{Sqpoll, Uring};
