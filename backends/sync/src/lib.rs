//! The pread/pwrite engine of `aio`: inline at depth 1, a thread pool above.
//!
//! [`SyncIo`] is the backend. A queue deeper than one needs as many threads, because each call
//! blocks the thread that makes it: the engine owns one per place in its queue, or as many as
//! `pool=` says. Two bounded queues connect them to the lane, and a request moves into a thread
//! with its memory.

mod backend;
mod front;
mod inline;
mod options;
mod perform;
mod polling;
mod pool;
mod primitives;
mod queue;
mod workers;

pub use backend::SyncIo;
