//! Signals: the first asks to stop, the second ends at once.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use aio_core::session::Stop;
use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

use crate::ending::{Ending, Failure};

/// The signals that came.
#[derive(Debug)]
pub(crate) struct Signals {
    stop: Stop,
    /// The number of the one that came last; 0 for none.
    last: Arc<AtomicUsize>,
}

impl Signals {
    /// Watches for them from now on.
    pub(crate) fn watch() -> Result<Self, Failure> {
        let signals = Self { stop: Stop::default(), last: Arc::default() };
        signals.register().context("cannot watch for signals").map_err(Failure::failed)?;
        Ok(signals)
    }

    fn register(&self) -> io::Result<()> {
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            if signal == SIGHUP && started_by_nohup() {
                continue;
            }
            let number = usize::try_from(signal).expect("signals have small positive numbers");
            // In this order, so that the signal that arms the shutdown does not trigger it.
            flag::register_conditional_shutdown(signal, 128 + signal, self.stop.flag())?;
            flag::register_usize(signal, Arc::clone(&self.last), number)?;
            flag::register(signal, self.stop.flag())?;
        }
        // A write beyond RLIMIT_FSIZE fails with EFBIG, instead of ending the process.
        flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        Ok(())
    }

    /// What a session looks at to see whether it is to stop.
    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// How the program ends because of a signal, if one came.
    pub(crate) fn ending(&self) -> Option<Ending> {
        let number = self.last.load(Ordering::Relaxed);
        u8::try_from(number).ok().filter(|number| *number != 0).map(Ending::Signalled)
    }
}

/// Whether SIGHUP is ignored already, which `nohup` means to last.
fn started_by_nohup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_signals(&status).is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}

fn ignored_signals(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_read_from_its_line() {
        assert_eq!(ignored_signals("Name:\tx\nSigIgn:\t0000000000001001\n"), Some(0x1001));
        assert_eq!(ignored_signals(""), None);
    }
}
