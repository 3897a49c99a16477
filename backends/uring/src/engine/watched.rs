//! Waiting on a ring whose calls know no deadline, by polling its descriptor.

use std::os::fd::AsRawFd;
use std::time::Duration;
use std::{io, ptr, thread};

use aio_core::engine::{Completions, Deadline, EngineError};
use io_uring::EnterFlags;

use super::{Engine, Entered, PAUSE, WAIT_MAX};
use crate::dialect::Dialect;

impl<D: Dialect> Engine<'_, D> {
    /// Waits for `min` completions, or as many as there can be, or until the deadline, and gives
    /// back what there is. `entered` says that a call has been made for these already.
    ///
    /// A descriptor is readable as soon as one completion is in the queue, so the queue is emptied
    /// before each wait. Work that would interrupt this thread to finish requests ends the wait and
    /// is done (`coop-taskrun`); work that is deferred to calls into the ring wakes nobody, which is
    /// why `defer-taskrun` is off on such a ring.
    pub(super) fn watch(
        &mut self,
        min: u32,
        deadline: Deadline,
        entered: bool,
        done: &mut Completions,
    ) -> Result<u32, EngineError> {
        self.emptying(min, deadline, entered, done, |engine, missing, at_most| {
            engine.await_descriptor(if missing > 0 { at_most } else { Duration::ZERO })
        })
    }

    /// Waits up to `at_most` until there is something in the queue of completions.
    fn await_descriptor(&mut self, at_most: Duration) -> Result<(), EngineError> {
        let at_most = at_most.min(WAIT_MAX);
        let time = libc::timespec {
            tv_sec: libc::time_t::from(u16::try_from(at_most.as_secs()).unwrap_or(u16::MAX)),
            tv_nsec: at_most.subsec_nanos().cast_signed().into(),
        };
        let descriptor = self.ring.io_uring().as_raw_fd();
        let mut ring = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
        // SAFETY: one `pollfd` and the time, which outlive the call; no signal mask.
        let found = unsafe { libc::ppoll(&raw mut ring, 1, &raw const time, ptr::null()) };
        self.counters.system_calls += 1;
        if found >= 0 {
            self.completion.sync();
            if found > 0 && self.completion.is_empty() {
                // The kernel has something for a call to fetch.
                let entered = self.enter(0, 0, EnterFlags::GETEVENTS, Duration::ZERO)?;
                if entered == Entered::Again {
                    thread::sleep(PAUSE);
                }
            }
            return Ok(());
        }
        let source = io::Error::last_os_error();
        match source.raw_os_error() {
            Some(libc::EINTR) => self.counters.interrupted += 1,
            Some(libc::EAGAIN | libc::ENOMEM) => {
                self.counters.again += 1;
                thread::sleep(PAUSE);
            }
            errno => {
                self.dead = Some(errno.unwrap_or(libc::EIO));
                return Err(EngineError { call: "ppoll", source });
            }
        }
        Ok(())
    }
}
