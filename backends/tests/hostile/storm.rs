//! A storm of signals: `SIGALRM` a thousand times a second, to a handler that does not have calls
//! restarted.
//!
//! The kernel gives a signal of the process's timer to whichever thread takes it, most often to the
//! first. So that lanes, their helpers and tasklets get their share, each thread is also sent one
//! of its own about as often.
#![expect(unsafe_code, reason = "a handler, the timer of the process, signals to single threads")]

use std::ffi::OsStr;
use std::fs;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

const PERIOD: Duration = Duration::from_millis(1);

static HANDLED: AtomicU64 = AtomicU64::new(0);

extern "C" fn handle(_signal: libc::c_int) {
    HANDLED.fetch_add(1, Ordering::Relaxed);
}

/// How many signals the process has handled so far.
pub(crate) fn handled() -> u64 {
    HANDLED.load(Ordering::Relaxed)
}

/// Goes on until it is dropped. One at a time.
pub(crate) struct Storm {
    over: Arc<AtomicBool>,
    sender: Option<JoinHandle<()>>,
}

impl Storm {
    /// Begins one.
    pub(crate) fn begin() -> Self {
        // Without SA_RESTART. It stays in place afterwards, because signals may be under way.
        let action = SigAction::new(SigHandler::Handler(handle), SaFlags::empty(), SigSet::empty());
        // SAFETY: the handler does nothing but add to an atomic number.
        unsafe { sigaction(Signal::SIGALRM, &action) }.expect("SIGALRM can be handled");
        ring_every(PERIOD);
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let send = move || {
            let own = fs::read_link("/proc/thread-self").expect("/proc is mounted");
            let own = own.file_name().expect("it is named by its number").to_owned();
            while !is_over.load(Ordering::Relaxed) {
                send_to_all_others(&own);
                thread::sleep(PERIOD);
            }
        };
        let sender = thread::Builder::new().name("storm".into()).spawn(send);
        Self { over, sender: Some(sender.expect("a thread can be started")) }
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        ring_every(Duration::ZERO);
        self.over.store(true, Ordering::Relaxed);
        if let Some(sender) = self.sender.take() {
            sender.join().expect("the sender of signals does not panic");
        }
    }
}

/// Has the kernel send a signal to the process each `period`; none when that is zero.
fn ring_every(period: Duration) {
    let micros = libc::suseconds_t::try_from(period.as_micros()).expect("it is short");
    let time = libc::timeval { tv_sec: 0, tv_usec: micros };
    let timer = libc::itimerval { it_interval: time, it_value: time };
    // SAFETY: `timer` outlives the call, and nothing is asked to be written.
    let result =
        unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
    assert_eq!(result, 0, "the timer of the process can be set");
}

/// Sends a signal to each thread of the process but the one of the number `own`.
fn send_to_all_others(own: &OsStr) {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return };
    let pid = i64::from(process::id());
    for name in tasks.flatten().map(|task| task.file_name()).filter(|name| name != own) {
        let Some(tid) = name.to_str().and_then(|name| name.parse::<i64>().ok()) else { continue };
        // SAFETY: only numbers are passed; a thread that has ended meanwhile is an error, and no
        // more than that.
        unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, i64::from(libc::SIGALRM)) };
    }
}
