//! The one clock of a run, and those of its threads.
#![expect(clippy::inline_always, reason = "read twice per batch of requests, which may be one")]

use std::ops::Add;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// A reading of the monotonic clock, as one number of nanoseconds: half the size of an
/// [`Instant`](std::time::Instant), and subtracted in one instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(u64);

impl Stamp {
    /// Later than every reading.
    pub const NEVER: Self = Self(u64::MAX);

    /// Reads the clock.
    ///
    /// # Panics
    /// When the system has no monotonic clock, which Linux always has.
    #[must_use]
    #[inline(always)]
    pub fn now() -> Self {
        let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux has a monotonic clock");
        // Not negative, because the clock starts at 0, and enough for 584 years.
        let seconds = time.tv_sec().cast_unsigned();
        Self(seconds * 1_000_000_000 + time.tv_nsec().cast_unsigned())
    }

    /// Nanoseconds from `earlier` to this reading; 0 when it is not earlier.
    #[must_use]
    #[inline(always)]
    pub fn ns_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Nanoseconds from `earlier`, which must not be later, to this reading: one subtraction.
    #[must_use]
    #[inline(always)]
    pub fn ns_after(self, earlier: Self) -> u64 {
        self.0.wrapping_sub(earlier.0)
    }

    /// The time from `earlier` to this reading; none when it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.ns_since(earlier))
    }
}

impl Add<Duration> for Stamp {
    type Output = Self;

    /// The reading `wait` later; the end of time when that is beyond it.
    #[inline(always)]
    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// The clock of the CPU time that one thread of this process has spent.
#[derive(Clone, Copy, Debug)]
pub struct ThreadClock(ClockId);

impl ThreadClock {
    /// That of the calling thread, for any thread of the process to read.
    #[must_use]
    pub fn of_this_thread() -> Self {
        // How the kernel names the clock of a thread: CPUCLOCK_PERTHREAD and CPUCLOCK_SCHED.
        let id = !nix::unistd::gettid().as_raw() << 3 | 4 | 2;
        Self(ClockId::from_raw(id))
    }

    /// What it has spent so far, in user mode and in the kernel; nothing once it has ended.
    #[must_use]
    pub fn spent(self) -> Duration {
        clock_gettime(self.0).map(Duration::from).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_thread_is_read_by_another_and_stands_still_while_it_sleeps() {
        let (clocks, clock) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let worker = std::thread::spawn(move || {
            let clock = ThreadClock::of_this_thread();
            while clock.spent() < Duration::from_millis(2) {}
            clocks.send(clock).unwrap();
            ended.recv().unwrap_err();
        });
        let clock = clock.recv().unwrap();
        assert!(clock.spent() >= Duration::from_millis(2));
        drop(end);
        worker.join().unwrap();
        assert_eq!(clock.spent(), Duration::ZERO, "it is gone");
    }

    #[test]
    fn readings_go_forward_and_differences_are_never_negative() {
        let first = Stamp::now();
        let later = Stamp::now();
        assert!(later >= first);
        assert_eq!((first + Duration::from_nanos(7)).ns_since(first), 7);
        assert_eq!(first.since(first + Duration::from_secs(1)), Duration::ZERO);
        assert_eq!(first + Duration::MAX, Stamp(u64::MAX));
    }

    #[test]
    fn it_is_the_clock_that_the_standard_library_reads() {
        let (before, stamp) = (std::time::Instant::now(), Stamp::now());
        let far = Stamp::now() + before.elapsed();
        assert!(far >= stamp);
    }
}
