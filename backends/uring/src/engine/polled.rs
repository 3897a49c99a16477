//! Waiting on a ring whose completions this thread polls the device for (IOPOLL).

use std::thread;
use std::time::Duration;

use aio_core::engine::{Completions, Deadline, EngineError};
use io_uring::EnterFlags;

use super::{Engine, Entered, PAUSE};
use crate::dialect::Dialect;

impl<D: Dialect> Engine<'_, D> {
    /// Waits for `min` completions, or as many as there can be, or until the deadline, and gives
    /// back what there is. `entered` says that a call has been made for these already.
    ///
    /// Each call polls until it has found what is wanted; or finds something in the queue of
    /// completions, when it does not poll at all, which is why the queue is emptied before each;
    /// or somebody else wants the CPU. It does not look at the deadline, so that a device which
    /// does not answer is waited for until the kernel gives it up.
    pub(super) fn poll(
        &mut self,
        min: u32,
        deadline: Deadline,
        entered: bool,
        done: &mut Completions,
    ) -> Result<u32, EngineError> {
        self.emptying(min, deadline, entered, done, |engine, missing, at_most| {
            let missing = if at_most.is_zero() { 0 } else { missing };
            if engine.enter(0, missing, EnterFlags::GETEVENTS, at_most)? == Entered::Again {
                thread::sleep(PAUSE);
            }
            Ok(())
        })
    }

    /// Waits for `min` completions, or as many as there can be, or until the deadline, and gives
    /// back what there is; the queue of completions is emptied before each `wait`, which is told how
    /// many are missing, and how long there is. `entered` says that a call was made for these already.
    pub(super) fn emptying(
        &mut self,
        min: u32,
        mut deadline: Deadline,
        mut entered: bool,
        done: &mut Completions,
        mut wait: impl FnMut(&mut Self, u32, Duration) -> Result<(), EngineError>,
    ) -> Result<u32, EngineError> {
        let wanted = self.wanted(min, done.spare());
        let mut reaped = 0;
        loop {
            self.completion.sync();
            reaped += self.collect(done);
            // Where a thread takes requests, nothing comes of a call that only looks.
            let looked = entered || reaped > 0 || self.is_taken_by_thread;
            let enough = reaped >= wanted && looked;
            if enough || self.with_kernel() == 0 || done.spare() == 0 {
                return Ok(reaped);
            }
            if entered && !deadline.refresh() {
                return Ok(reaped);
            }
            wait(self, wanted.saturating_sub(reaped), deadline.remaining())?;
            entered = true;
        }
    }
}
