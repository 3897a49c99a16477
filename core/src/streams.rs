//! Whether the process was started with a stdout that takes what is written.
//!
//! The standard library opens `/dev/null` in place of standard streams that are closed, before
//! `main`, so that no file that is opened later gets one of their numbers and is written to by
//! mistake; and it takes a stdout that is open for reading only for one that wants nothing. From
//! then on results would be lost without a word. So stdout is looked at before that.
#![expect(unsafe_code, reason = "what runs before main is named to the linker")]

use std::sync::atomic::{AtomicBool, Ordering};

static STDOUT_IS_CLOSED: AtomicBool = AtomicBool::new(false);

#[used]
// SAFETY: functions in this section are called once each, on the only thread, when the C library is
// ready and before `main`; this one takes none of the arguments that they get and needs nothing of
// the standard library that is not there yet.
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    // SAFETY: it asks for the flags of a descriptor, whether there is one or not.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFL) };
    let is_closed = flags == -1 || flags & libc::O_ACCMODE == libc::O_RDONLY;
    STDOUT_IS_CLOSED.store(is_closed, Ordering::Relaxed);
}

/// Whether stdout was closed when the process was started, or open for reading only.
#[must_use]
pub fn stdout_is_closed() -> bool {
    STDOUT_IS_CLOSED.load(Ordering::Relaxed)
}
