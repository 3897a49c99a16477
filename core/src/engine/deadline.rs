//! Until when to wait.

use std::time::{Duration, Instant};

/// A point in time, together with a recent reading of the clock, so that an engine can tell the
/// kernel how long to wait without reading the clock itself.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Instant,
    as_of: Instant,
}

impl Deadline {
    /// The deadline `at`, seen from `now`, the caller's latest time stamp.
    #[must_use]
    pub fn new(at: Instant, now: Instant) -> Self {
        Self { at, as_of: now }
    }

    /// The deadline `wait` after `now`, the caller's latest time stamp.
    #[must_use]
    pub fn after(now: Instant, wait: Duration) -> Self {
        Self { at: now + wait, as_of: now }
    }

    /// How long to wait, as of the last reading of the clock.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(self.as_of)
    }

    /// Reads the clock, for an engine that waits more than once. Returns whether time is left.
    pub fn refresh(&mut self) -> bool {
        self.as_of = Instant::now();
        self.as_of < self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_remains_is_seen_from_the_given_stamp_and_never_negative() {
        let now = Instant::now();
        assert_eq!(Deadline::after(now, Duration::from_secs(9)).remaining().as_secs(), 9);
        let past = now.checked_sub(Duration::from_secs(1)).expect("the machine is a second old");
        let mut deadline = Deadline::new(past, now);
        assert!(deadline.remaining().is_zero());
        assert!(!deadline.refresh());
    }
}
