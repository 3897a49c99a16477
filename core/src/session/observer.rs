//! What a front end is told while a session runs.

use crate::plan::Direction;

/// Something that happened. Told from the thread that runs the session, never from a lane.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Tasklets of one or both directions begin.
    Started {
        /// The engine's spec.
        engine: &'a str,
        /// The directions that run together.
        directions: &'a [Direction],
        /// Bytes of one loop.
        loop_bytes: u64,
        /// Bytes of memory and of files that are filled before that.
        prepare_bytes: u64,
        /// Loops, warm-up included.
        loops: u32,
    },
    /// About ten times a second while data moves.
    Progress {
        /// Loops that are finished.
        loops_done: u32,
        /// Bytes moved since the beginning, all loops together.
        bytes: u64,
    },
    /// A tasklet has something to say, outside the clock.
    Log {
        /// The tasklet.
        tid: u32,
        /// Its direction.
        direction: Direction,
        /// What it says: one line.
        text: &'a str,
    },
    /// The tasklets have ended.
    Ended,
}

/// Somebody who wants to know.
pub trait Observer {
    /// Is told `event`. Whatever it does is outside the lanes, but its CPU time is left out of the
    /// report only while it runs on the session's own thread.
    fn event(&mut self, event: Event<'_>);

    /// Whether tasklet `tid` is to list its requests once its loops are over, as [`Event::Log`].
    fn lists_requests_of(&self, tid: u32) -> bool {
        let _ = tid;
        false
    }
}

/// An observer that does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&mut self, _event: Event<'_>) {}
}
