//! What the barrier stands on; its loom model puts loom's in their place.

pub(super) use std::sync::{Condvar, Mutex, MutexGuard};
