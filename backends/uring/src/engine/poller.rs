//! Handing over to a thread of the kernel that looks for requests (SQPOLL).

use std::time::Duration;

use aio_core::engine::EngineError;
use io_uring::EnterFlags;

use super::{Engine, count};
use crate::dialect::Dialect;

impl<D: Dialect> Engine<'_, D> {
    /// Shows the queue to the kernel's thread, and wakes the thread if it sleeps. Returns how many
    /// requests were taken, which is all of them.
    ///
    /// What the thread was shown it may be at work on at any moment after, so nothing of it can be
    /// taken back: shown is taken. Until it completes it stays in the table like every request that
    /// the kernel has, and a drain waits for it.
    pub(super) fn show(&mut self) -> Result<u32, EngineError> {
        self.submission.sync();
        let shown = self.queued.len();
        self.queued.clear();
        self.counters.submitted += shown as u64;
        self.counters.submit_calls += u64::from(shown > 0);
        // Looks only after a full fence behind showing. The thread says that it sleeps, and after a
        // full fence looks once more, so that one of the two always sees the other.
        if self.submission.need_wakeup() {
            self.enter(count(shown), 0, EnterFlags::SQ_WAKEUP, Duration::ZERO)?;
        }
        Ok(count(shown))
    }
}
