//! The engine of `aio` that completes everything at once and moves no data.
//!
//! It measures the harness: what a run costs when storage costs nothing. It makes no system call,
//! touches no byte of any block and accepts every operation. [`Null`] is the backend; what its
//! engine does is documented there.

#![forbid(unsafe_code)]

mod backend;
mod engine;

pub use backend::Null;
