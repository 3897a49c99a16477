//! Signals: the first asks to stop, the second ends at once, and neither leaves files behind.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io, process, thread};

use aio_core::session::Stop;
use aio_core::target::Made;
use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use signal_hook::iterator::Signals as Incoming;

use crate::ending::{Ending, Failure};

/// Whether nothing has begun yet that the first signal would have to wait for.
static ENDS_AT_ONCE: AtomicBool = AtomicBool::new(false);

/// Has the first signal end the program while `read` waits for input, of which there may never be
/// any.
pub(crate) fn ends_at_once<T>(read: impl FnOnce() -> T) -> T {
    ENDS_AT_ONCE.store(true, Ordering::SeqCst);
    let read = read();
    ENDS_AT_ONCE.store(false, Ordering::SeqCst);
    read
}

/// The signals that came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    stop: Stop,
    /// The number of the one that came last; 0 for none.
    last: Arc<AtomicUsize>,
    /// What a run has made, to be removed when it is ended at once.
    made: Arc<Mutex<Option<Arc<Made>>>>,
}

impl Signals {
    /// Watches for them from now on.
    pub(crate) fn watch() -> Result<Self, Failure> {
        let signals = Self::default();
        signals.register().context("cannot watch for signals").map_err(Failure::failed)?;
        Ok(signals)
    }

    fn register(&self) -> io::Result<()> {
        // A write beyond RLIMIT_FSIZE fails with EFBIG, instead of ending the process.
        flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        let mut watched = vec![SIGINT, SIGTERM];
        if !started_by_nohup() {
            watched.push(SIGHUP);
        }
        let mut incoming = Incoming::new(watched)?;
        let signals = self.clone();
        let watch = move || {
            for signal in incoming.forever() {
                signals.came(signal);
            }
        };
        thread::Builder::new().name("aio-signals".into()).spawn(watch)?;
        Ok(())
    }

    fn came(&self, signal: i32) {
        if self.stop.is_set() || ENDS_AT_ONCE.load(Ordering::SeqCst) {
            let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(made) = made.as_ref() {
                let _nobody_to_tell = made.remove();
            }
            process::exit(128 + signal);
        }
        let number = usize::try_from(signal).expect("signals have small positive numbers");
        self.last.store(number, Ordering::Relaxed);
        self.stop.set();
    }

    /// Removes what is in `made` when a second signal ends the program.
    pub(crate) fn remove_at_once(&self, made: Arc<Made>) {
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
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
