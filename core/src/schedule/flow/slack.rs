//! How exactly the kernel wakes the calling thread.
#![expect(unsafe_code, reason = "prctl has no safe binding here")]

use std::ffi::c_ulong;

/// The least that can be asked for; 0 would mean the default.
const LEAST_NS: c_ulong = 1;

/// The calling thread's timer slack, as small as can be for as long as this lives.
///
/// The kernel may end a wait as much too late as the slack says, to wake up for several at once: by
/// default 50 microseconds, which is as long as a fast device takes.
#[derive(Debug)]
pub(super) struct ExactTimers {
    before_ns: c_ulong,
}

impl ExactTimers {
    pub(super) fn begin() -> Self {
        // SAFETY: asks for a number of the calling thread.
        let before_ns = unsafe { libc::prctl(libc::PR_GET_TIMERSLACK) };
        set(LEAST_NS);
        Self { before_ns: c_ulong::try_from(before_ns).unwrap_or(0) }
    }
}

impl Drop for ExactTimers {
    fn drop(&mut self) {
        set(self.before_ns);
    }
}

fn set(slack_ns: c_ulong) {
    // SAFETY: sets a number of the calling thread. It cannot fail, but in a filter that forbids it,
    // where waits end as late as they did.
    let _as_before = unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, slack_ns) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slack_is_given_back() {
        // SAFETY: asks for a number of the calling thread.
        let slack = || unsafe { libc::prctl(libc::PR_GET_TIMERSLACK) };
        let before = slack();
        let exact = ExactTimers::begin();
        assert_eq!(slack(), 1);
        drop(exact);
        assert_eq!(slack(), before);
    }
}
