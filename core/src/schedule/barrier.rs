//! Where tasklets wait for each other: a barrier that can break, and then frees everyone.
//!
//! `std::sync::Barrier` cannot break: one tasklet that fails would leave the others waiting for
//! ever. Written against `super::primitives`, so that a loom model runs this very file.

use std::fmt;
use std::time::Instant;

use super::primitives::{Condvar, Mutex, MutexGuard};

/// A reusable barrier for a fixed number of parties.
#[derive(Debug)]
pub(crate) struct Barrier {
    state: Mutex<State>,
    changed: Condvar,
    parties: u32,
}

#[derive(Debug)]
struct State {
    waiting: u32,
    /// Grows with each release, so that a late sleeper knows that its round is over.
    generation: u64,
    broken: bool,
}

/// Why a wait ended without the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Somebody broke the barrier: a party failed, or the run is to stop.
    ByParty,
    /// The deadline passed; the barrier is broken from then on.
    Deadline,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByParty => "another party gave up",
            Self::Deadline => "the other parties did not come in time",
        })
    }
}

impl Barrier {
    /// A barrier that `parties` threads pass together.
    #[must_use]
    pub(crate) fn new(parties: u32) -> Self {
        let state = State { waiting: 0, generation: 0, broken: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), parties }
    }

    /// Waits for all other parties. The last to come runs `lead` before anybody is released.
    ///
    /// # Errors
    /// At once when the barrier is broken, or as soon as it breaks, or at the deadline.
    pub(crate) fn wait(&self, deadline: Instant, lead: impl FnOnce()) -> Result<(), Broken> {
        let mut state = self.lock();
        if state.broken {
            return Err(Broken::ByParty);
        }
        state.waiting += 1;
        if state.waiting == self.parties {
            // A leader that panics must not leave the others behind.
            let unlocked_on_panic = BreakOnDrop { barrier: self, state: Some(state) };
            lead();
            let mut state = unlocked_on_panic.keep();
            state.waiting = 0;
            state.generation += 1;
            drop(state);
            self.changed.notify_all();
            return Ok(());
        }
        let generation = state.generation;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.broken = true;
                drop(state);
                self.changed.notify_all();
                return Err(Broken::Deadline);
            }
            // A poisoned lock holds a plain state that is whole at every step.
            state = match self.changed.wait_timeout(state, left) {
                Ok((state, _timed_out)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
            if state.generation != generation {
                return Ok(());
            }
            if state.broken {
                return Err(Broken::ByParty);
            }
        }
    }

    /// Breaks the barrier: everybody who waits is freed, and nobody waits from now on.
    pub(crate) fn break_now(&self) {
        self.lock().broken = true;
        self.changed.notify_all();
    }

    /// A guard that breaks the barrier when it is dropped, unless told that all went well. Held by
    /// every party, it frees the others when one fails or panics.
    #[must_use]
    pub(crate) fn guard(&self) -> BreakGuard<'_> {
        BreakGuard { barrier: Some(self) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Breaks its barrier when dropped; see [`Barrier::guard`].
#[derive(Debug)]
pub(crate) struct BreakGuard<'a> {
    barrier: Option<&'a Barrier>,
}

impl BreakGuard<'_> {
    /// All went well: the barrier stays whole.
    pub(crate) fn disarm(mut self) {
        self.barrier = None;
    }
}

impl Drop for BreakGuard<'_> {
    fn drop(&mut self) {
        if let Some(barrier) = self.barrier {
            barrier.break_now();
        }
    }
}

/// Breaks the barrier under its lock when the leader's work unwinds.
struct BreakOnDrop<'a> {
    barrier: &'a Barrier,
    state: Option<MutexGuard<'a, State>>,
}

impl<'a> BreakOnDrop<'a> {
    fn keep(mut self) -> MutexGuard<'a, State> {
        self.state.take().expect("taken once, here")
    }
}

impl Drop for BreakOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(mut state) = self.state.take() {
            state.broken = true;
            drop(state);
            self.barrier.changed.notify_all();
        }
    }
}
