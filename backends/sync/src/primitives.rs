//! What the queues lock and wait with; a model test puts loom's in its place.

pub(crate) use std::sync::{Condvar, Mutex};
pub(crate) use std::thread::yield_now;
