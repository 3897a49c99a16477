//! The schedule: tasklets with pre, main and post steps, and barriers between them.
//!
//! ```text
//! barrier -> pre -> loops x [ prepare . barrier . t0 . main . barrier . t1 ] -> post -> barrier
//! ```
//!
//! The thread that runs a [`Wave`] starts one thread per tasklet; a tasklet makes its files and its
//! tensor and starts one thread per further lane; every lane opens its own engine and moves its
//! slice. Only *main* is timed. The barriers' last arriver stamps the clock just before it releases
//! the others, so all tasklets share one start and one end per loop. Whoever fails breaks the
//! barriers, which frees the others. Threads are not scoped: one that the kernel holds is left
//! behind after a deadline, with the memory that it owns.

mod barrier;
#[cfg(test)]
mod barrier_tests;
mod course;
mod failure;
mod flow;
mod lane;
mod listing;
mod primitives;
mod shared;
mod source;
mod tasklet;
mod track;
mod verify;
mod wave;

pub(crate) use course::{Course, Done};
pub(crate) use lane::{LaneLoop, LaneResult};
pub(crate) use shared::{CpuTime, LoopClock};
pub(crate) use tasklet::TaskletResult;
pub(crate) use track::Track;
pub(crate) use wave::{Wave, WaveOutcome};

use std::time::Duration;

/// How long requests in flight are waited for once a run has to end.
pub(crate) const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// How long a lane waits without a single completion before it gives up. Longer than the kernel's
/// own time limits for a command (30 s for SCSI and `NVMe`) and a retry.
pub(crate) const STALL_LIMIT: Duration = Duration::from_secs(120);
/// The most of one look that counts as waiting, where looks are a tenth of a second apart: whoever
/// looks much later was stopped, as by Ctrl-Z, and so was what it waits for.
pub(crate) const AWAY_MAX: Duration = Duration::from_secs(1);
/// The longest wait at a barrier: it bounds a defect, not a slow device.
pub(crate) const BARRIER_LIMIT: Duration = Duration::from_secs(24 * 3600);
/// How often a waiting lane looks whether it is to stop.
pub(crate) const TICK: Duration = Duration::from_millis(100);
