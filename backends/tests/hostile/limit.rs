//! A hard limit of time, for what might hang.

use std::process;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Ends the process when it is not dropped in time.
pub(crate) struct Limit {
    over: Option<Sender<()>>,
    watch: Option<JoinHandle<()>>,
}

impl Limit {
    /// From now on.
    pub(crate) fn of(time: Duration, what: &'static str) -> Self {
        let (over, ended) = channel();
        let watch = move || {
            if ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{what} did not end within {} s", time.as_secs());
                process::abort();
            }
        };
        Self { over: Some(over), watch: Some(thread::spawn(watch)) }
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(watch) = self.watch.take() {
            let _it_only_waits = watch.join();
        }
    }
}
