//! Opening a context, and finding out what the kernel grants.
#![expect(unsafe_code, reason = "tries io_submit and a flush of a file in memory")]

use std::error::Error;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::Arc;
use std::time::Duration;

use aio_core::engine::{Errno, GrantedFlags, Operation, Operations, RwFlags, Unsupported};
use aio_core::receipt::Receipt;
use libaio_sys::{Context, IOCB_CMD_FSYNC, IoEvent, Iocb};

use crate::limits::{Limits, requests};
use crate::options::Libaio;

/// How long a trial may take that needs no storage.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a signal may interrupt such a trial.
const ATTEMPTS_MAX: u32 = 64;

const CURE_SECCOMP: &str =
    "allow io_setup, io_destroy, io_submit and io_getevents in the container's seccomp filter";

/// The call that waits for completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitCall {
    Getevents,
    Pgetevents,
}

impl WaitCall {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Getevents => "io_getevents",
            Self::Pgetevents => "io_pgetevents",
        }
    }

    /// Waits until there are `min` completions or `timeout` is over.
    pub(crate) fn wait(
        self,
        context: &mut Context,
        min: usize,
        events: &mut [IoEvent],
        timeout: Duration,
    ) -> io::Result<usize> {
        match self {
            Self::Getevents => context.get_events(min, events, timeout),
            Self::Pgetevents => context.pget_events(min, events, timeout),
        }
    }
}

/// A context that works, and how.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) context: Context,
    pub(crate) wait_call: WaitCall,
    /// The flags of requests, without their receipts.
    pub(crate) flags: GrantedFlags,
    pub(crate) receipts: Vec<Receipt>,
}

/// Whether `engines` engines of `queue_depth` fit what the machine allows, as far as it tells.
pub(crate) fn check_limits(queue_depth: u32, engines: u32) -> Result<(), Unsupported> {
    match Limits::read() {
        Some(limits) if !limits.allow(queue_depth, engines) => {
            Err(over_limit(Some(limits), queue_depth, engines))
        }
        _ => Ok(()),
    }
}

/// Opens a context of `queue_depth`, one of `engines`, and tries each call that an engine will
/// make and each flag that its requests to `files` will carry.
pub(crate) fn open(
    options: Libaio,
    operations: Operations,
    queue_depth: u32,
    engines: u32,
    files: &[Arc<File>],
) -> Result<Opened, Unsupported> {
    if operations.contains(Operation::Trim) {
        return Err(Unsupported {
            reason: "Linux AIO has no trim".into(),
            cure: Some("choose an engine that has it".into()),
            source: None,
        });
    }
    let mut context =
        Context::new(queue_depth).map_err(|error| setup_refused(error, queue_depth, engines))?;
    // SAFETY: no requests are handed over.
    let trial = unsafe { context.submit(&[]) };
    is_there(trial).map_err(|error| call_refused("io_submit", error))?;
    let mut receipts = Vec::new();
    let ring = grant_ring(options, &mut context);
    receipts.push(ring);
    let (wait_call, waiting) = grant_wait_call(options, &mut context)?;
    receipts.push(waiting);
    if operations.contains(Operation::Fsync) || operations.contains(Operation::Fdatasync) {
        try_fsync(&mut context, wait_call)?;
    }
    let flags = grant_flags(options.flags, operations, files, &mut receipts);
    Ok(Opened { context, wait_call, flags, receipts })
}

/// Whether a call that was tried is there: one that can be busy or be interrupted is.
fn is_there(tried: io::Result<usize>) -> io::Result<()> {
    match tried {
        Err(error) if !matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EINTR)) => {
            Err(error)
        }
        _ => Ok(()),
    }
}

/// The word for a switch on a receipt.
pub(crate) fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn grant_ring(options: Libaio, context: &mut Context) -> Receipt {
    if options.user_ring
        && let Err(why) = context.open_ring()
    {
        let why = match why.source() {
            Some(source) => format!("{why}: {source}"),
            None => why.to_string(),
        };
        return Receipt::downgraded("user-ring", "on", "off", &why);
    }
    Receipt::granted("user-ring", on_or_off(options.user_ring))
}

fn grant_wait_call(
    options: Libaio,
    context: &mut Context,
) -> Result<(WaitCall, Receipt), Unsupported> {
    let mut works = |call: WaitCall| is_there(call.wait(context, 0, &mut [], Duration::ZERO));
    let refused = options.pgetevents.then(|| works(WaitCall::Pgetevents));
    if let Some(Ok(())) = refused {
        return Ok((WaitCall::Pgetevents, Receipt::granted("pgetevents", "on")));
    }
    works(WaitCall::Getevents).map_err(|error| call_refused("io_getevents", error))?;
    let receipt = match refused {
        Some(Err(error)) => {
            let why = format!("io_pgetevents: {error}; io_getevents waits instead");
            Receipt::downgraded("pgetevents", "on", "off", &why)
        }
        _ => Receipt::granted("pgetevents", "off"),
    };
    Ok((WaitCall::Getevents, receipt))
}

fn grant_flags(
    asked: RwFlags,
    operations: Operations,
    files: &[Arc<File>],
    receipts: &mut Vec<Receipt>,
) -> GrantedFlags {
    let mut granted = asked.without(RwFlags::HIPRI).grant(operations, files);
    receipts.append(&mut granted.receipts);
    if asked.contains(RwFlags::HIPRI) {
        // `aio_prep_rw` of fs/aio.c, since the kernel can be told so at all.
        let why = "Linux AIO has no polling: the kernel takes RWF_HIPRI off its requests";
        receipts.push(Receipt::downgraded("hipri", "on", "off", why));
    }
    granted
}

/// Flushes an empty file in memory, because kernels before 4.18 have the command's number but
/// refuse it for every file. Where no such file can be made, nothing is known and nothing refused.
fn try_fsync(context: &mut Context, wait_call: WaitCall) -> Result<(), Unsupported> {
    // SAFETY: the name is a C string.
    let fd = unsafe { libc::memfd_create(c"aio-probe".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Ok(());
    }
    // SAFETY: the descriptor was just made and has no other owner.
    let file = unsafe { File::from_raw_fd(fd) };
    let fd = file.as_raw_fd().cast_unsigned();
    let mut iocb = Iocb { opcode: IOCB_CMD_FSYNC, fd, ..Iocb::default() };
    // SAFETY: the request outlives the call, and a flush names no memory.
    match unsafe { context.submit(&[&raw mut iocb]) } {
        Ok(_one) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            return Err(Unsupported {
                reason: "the kernel has no fsync through Linux AIO".into(),
                cure: Some("use Linux 4.18 or later, or leave fsync out".into()),
                source: Some(error),
            });
        }
        // Short of memory, say: nothing is known, as above.
        Err(_other) => return Ok(()),
    }
    let mut events = [IoEvent::default()];
    let mut outcome = Ok(0);
    for _attempt in 0..ATTEMPTS_MAX {
        outcome = wait_call.wait(context, 1, &mut events, PATIENCE);
        match &outcome {
            Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
            _ => break,
        }
    }
    match outcome {
        Ok(1) => Ok(()),
        other => Err(Unsupported {
            reason: "a flush of an empty file through Linux AIO does not complete".into(),
            cure: None,
            source: other.err(),
        }),
    }
}

/// Why `io_setup` failed.
fn setup_refused(error: io::Error, queue_depth: u32, engines: u32) -> Unsupported {
    match error.raw_os_error() {
        Some(libc::EAGAIN) => {
            Unsupported { source: Some(error), ..over_limit(Limits::read(), queue_depth, engines) }
        }
        // The kernel makes rings of at most 256 MiB, with two events of 32 bytes per request.
        Some(libc::EINVAL) => Unsupported {
            reason: format!("Linux AIO cannot open a queue of depth {queue_depth}"),
            cure: Some("ask for a queue depth from 1 to 4194304".into()),
            source: Some(error),
        },
        _ => call_refused("io_setup", error),
    }
}

/// Why a call that every engine needs failed.
fn call_refused(call: &'static str, error: io::Error) -> Unsupported {
    let (reason, cure) = match error.raw_os_error() {
        Some(libc::ENOSYS) => (
            format!(
                "the kernel has no Linux AIO (CONFIG_AIO) or a seccomp filter hides it \
                 ({call}: ENOSYS)"
            ),
            Some(format!("use a kernel with CONFIG_AIO, or {CURE_SECCOMP}")),
        ),
        Some(libc::EPERM) => (
            format!("a seccomp filter or a container's policy forbids Linux AIO ({call}: EPERM)"),
            Some(CURE_SECCOMP.into()),
        ),
        errno => {
            let errno = errno.map_or_else(|| error.to_string(), |errno| Errno(errno).to_string());
            (format!("{call} failed: {errno}"), None)
        }
    };
    Unsupported { reason, cure, source: Some(error) }
}

/// More requests than `fs.aio-max-nr` allows.
fn over_limit(limits: Option<Limits>, queue_depth: u32, engines: u32) -> Unsupported {
    let needed = requests(queue_depth, engines);
    let asked = format!(
        "queue depth {queue_depth} with {engines} engine{} needs {needed} Linux AIO requests",
        if engines == 1 { "" } else { "s" }
    );
    match limits {
        Some(limits) => Unsupported::new(
            format!("{asked}, but fs.aio-nr is {} and fs.aio-max-nr {}", limits.in_use, limits.max),
            format!("sysctl -w fs.aio-max-nr={}", limits.enough(queue_depth, engines)),
        ),
        None => Unsupported::new(
            format!("{asked}, more than fs.aio-max-nr allows (its value cannot be read)"),
            format!("sysctl -w fs.aio-max-nr={needed}, or more when others use Linux AIO too"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_too_low_is_explained_with_all_numbers_and_the_line_that_cures_it() {
        let limits = Limits { in_use: 1000, max: 65_536 };
        let refused = over_limit(Some(limits), 32_768, 2);
        assert_eq!(
            refused.reason,
            "queue depth 32768 with 2 engines needs 65536 Linux AIO requests, but fs.aio-nr is \
             1000 and fs.aio-max-nr 65536"
        );
        assert_eq!(refused.cure.as_deref(), Some("sysctl -w fs.aio-max-nr=66536"));
        let unknown = over_limit(None, 8, 1);
        assert!(unknown.sentence().contains("sysctl -w fs.aio-max-nr=8"));
    }

    #[test]
    fn what_the_kernel_says_becomes_a_reason_and_a_cure() {
        let refused = |errno| setup_refused(io::Error::from_raw_os_error(errno), 64, 1).sentence();
        assert!(refused(libc::ENOSYS).contains("CONFIG_AIO) or a seccomp filter hides it"));
        assert!(refused(libc::ENOSYS).contains("(io_setup: ENOSYS)"));
        assert!(refused(libc::EPERM).contains("seccomp"));
        assert!(refused(libc::EAGAIN).contains("fs.aio-max-nr="));
        assert!(refused(libc::EINVAL).contains("depth 64"));
        assert_eq!(refused(libc::ENOMEM), "io_setup failed: Out of memory (ENOMEM)");
    }
}
