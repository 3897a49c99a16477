//! How long nothing has come back, without the time in which nobody could look.

use std::time::Duration;

use crate::clock::Stamp;
use crate::schedule::AWAY_MAX;

/// Looks that found nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Idle {
    looked: Stamp,
    time: Duration,
}

impl Idle {
    /// Nobody has looked yet.
    pub(super) fn new() -> Self {
        Self { looked: Stamp::now(), time: Duration::ZERO }
    }

    /// Takes note of a look at `now` that found nothing, when something came last at `last_reaped`,
    /// and returns how long that has been so. A process that was stopped, as by Ctrl-Z, finds
    /// nothing at first when it goes on: the threads that it waits for were stopped as well.
    pub(super) fn found_nothing(&mut self, now: Stamp, last_reaped: Stamp) -> Duration {
        if last_reaped > self.looked {
            *self = Self { looked: last_reaped, time: Duration::ZERO };
        }
        self.time += now.since(self.looked).min(AWAY_MAX);
        self.looked = now;
        self.time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_which_the_process_was_stopped_is_not_waited() {
        let start = Stamp::now();
        let at = |tenths: u64| start + Duration::from_millis(100 * tenths);
        let mut idle = Idle { looked: start, time: Duration::ZERO };
        for look in 1..=50 {
            let time = idle.found_nothing(at(look), start);
            assert_eq!(time, Duration::from_millis(100 * look), "all of it is waited");
        }
        let an_hour = 36_000;
        let time = idle.found_nothing(at(50 + an_hour), start);
        assert_eq!(time, Duration::from_secs(5) + AWAY_MAX, "the hour is not");
        let came = at(60 + an_hour);
        let time = idle.found_nothing(at(61 + an_hour), came);
        assert_eq!(time, Duration::from_millis(100), "what came begins it anew");
    }
}
