//! Until when to wait.
#![expect(clippy::inline_always, reason = "made for each call that waits")]

use std::time::Duration;

use crate::clock::Stamp;

/// A point in time, as seen from a recent reading of the clock, so that an engine can tell the
/// kernel how long to wait without reading the clock itself.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    as_of: Stamp,
    wait: Duration,
}

impl Deadline {
    /// The deadline `at`, seen from `now`, the caller's latest time stamp.
    #[must_use]
    pub fn new(at: Stamp, now: Stamp) -> Self {
        Self { as_of: now, wait: at.since(now) }
    }

    /// The deadline `wait` after `now`, the caller's latest time stamp.
    #[must_use]
    #[inline(always)]
    pub fn after(now: Stamp, wait: Duration) -> Self {
        Self { as_of: now, wait }
    }

    /// How long to wait, as of the last reading of the clock.
    #[must_use]
    #[inline(always)]
    pub fn remaining(&self) -> Duration {
        self.wait
    }

    /// Reads the clock, for an engine that waits more than once. Returns whether time is left.
    pub fn refresh(&mut self) -> bool {
        let now = Stamp::now();
        self.wait = self.wait.saturating_sub(now.since(self.as_of));
        self.as_of = now;
        !self.wait.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_remains_is_seen_from_the_given_stamp_and_never_negative() {
        let now = Stamp::now();
        assert_eq!(Deadline::after(now, Duration::from_secs(9)).remaining().as_secs(), 9);
        let mut deadline = Deadline::new(now, now + Duration::from_secs(1));
        assert!(deadline.remaining().is_zero());
        assert!(!deadline.refresh());
        let mut deadline = Deadline::after(now, Duration::from_secs(3600));
        assert!(deadline.refresh());
        assert!(deadline.remaining() <= Duration::from_secs(3600));
    }
}
