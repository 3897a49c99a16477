//! Why a ring cannot be had, and what would cure it.

use std::{fs, io};

use aio_core::engine::{Errno, Operation, Operations, Unsupported};

use crate::options::Uring;

/// The most entries that a submission queue can have (`IORING_MAX_ENTRIES`).
const ENTRIES_MAX: u32 = 32_768;

/// The operations that the engine has.
pub(crate) const OPERATIONS: [Operation; 5] =
    [Operation::Read, Operation::Write, Operation::Fsync, Operation::Fdatasync, Operation::Trim];

/// Refuses what no kernel would grant.
pub(crate) fn check(
    queue_depth: u32,
    operations: Operations,
    options: &Uring,
) -> Result<(), Unsupported> {
    let deepest = ENTRIES_MAX / options.entries_per_request();
    if queue_depth > deepest {
        let with = if options.sqpoll.is_some() { " with sqpoll" } else { "" };
        return Err(Unsupported::new(
            format!(
                "queue depth {queue_depth} is more than the {deepest} entries that io_uring \
                 allows{with}"
            ),
            format!("ask for --queue-depth {deepest} or less"),
        ));
    }
    let flushes = [Operation::Fsync, Operation::Fdatasync];
    if options.iopoll && flushes.into_iter().any(|flush| operations.contains(flush)) {
        return Err(Unsupported::new(
            "a ring that polls for completions takes no fsync",
            "leave out iopoll, or what flushes",
        ));
    }
    if operations.contains(Operation::Trim) && options.iopoll {
        return Err(Unsupported::new(
            "a ring that polls for completions takes no trim",
            "leave out iopoll",
        ));
    }
    if operations.contains(Operation::Trim) && options.passthrough {
        return Err(Unsupported::new(
            "passthrough sends no command that deallocates",
            "trim the block device (/dev/nvme0n1), without passthrough",
        ));
    }
    Ok(())
}

/// What the error of `io_uring_setup` means for a ring of `entries` entries with `options`.
pub(crate) fn of_setup(
    source: io::Error,
    entries: u32,
    options: &Uring,
    surroundings: &Surroundings,
) -> Unsupported {
    let (reason, cure) = match source.raw_os_error() {
        Some(libc::ENOSYS) => (
            "the kernel has no io_uring, or a seccomp filter hides it (io_uring_setup: ENOSYS)"
                .to_owned(),
            Some(
                "use Linux 5.11 or later, or allow io_uring_setup, io_uring_enter and \
                 io_uring_register in the seccomp profile"
                    .to_owned(),
            ),
        ),
        Some(libc::EPERM) => of_eperm(surroundings.io_uring_disabled),
        Some(libc::ENOMEM) => (
            format!(
                "there is no memory for a ring of {entries} entries (io_uring_setup: ENOMEM, \
                 RLIMIT_MEMLOCK is {})",
                surroundings.memlock
            ),
            Some("raise the limit (ulimit -l) or ask for a smaller --queue-depth".to_owned()),
        ),
        Some(errno @ (libc::EMFILE | libc::ENFILE)) => (
            format!("no descriptor is left for a ring (io_uring_setup: {})", Errno(errno).name()),
            Some("raise the limit on open files (ulimit -n) or use fewer lanes".to_owned()),
        ),
        Some(libc::EINVAL) if options.sqpoll.is_some_and(|sqpoll| sqpoll.cpu.is_some()) => (
            "sqpoll-cpu names a CPU that the kernel's thread cannot run on (io_uring_setup: EINVAL)"
                .to_owned(),
            Some("give one that is online and that this process's cpuset allows".to_owned()),
        ),
        Some(libc::EINVAL) if options.passthrough => (
            "the kernel has no io_uring commands (io_uring_setup: EINVAL)".to_owned(),
            Some("use Linux 5.19 or later, or leave out passthrough".to_owned()),
        ),
        errno => {
            let errno = errno.map_or_else(|| source.to_string(), |errno| Errno(errno).to_string());
            (format!("io_uring_setup failed: {errno}"), None)
        }
    };
    Unsupported { reason, cure, source: Some(source) }
}

fn of_eperm(io_uring_disabled: Option<u32>) -> (String, Option<String>) {
    match io_uring_disabled {
        None | Some(0) => (
            "a container or seccomp profile forbids io_uring (io_uring_setup: EPERM)".to_owned(),
            Some(
                "allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp profile"
                    .to_owned(),
            ),
        ),
        Some(value) => (
            format!("sysctl kernel.io_uring_disabled={value} forbids io_uring"),
            Some("run sysctl -w kernel.io_uring_disabled=0".to_owned()),
        ),
    }
}

/// Waiting with a deadline is missing.
pub(crate) fn of_old_kernel() -> Unsupported {
    Unsupported::new(
        "this kernel's io_uring cannot wait with a deadline (IORING_FEAT_EXT_ARG)",
        "use Linux 5.11 or later",
    )
}

/// The kernel, or a restriction on it, lacks the opcode called `name`.
pub(crate) fn of_opcode(name: &str) -> Unsupported {
    Unsupported::new(
        format!("this kernel's io_uring lacks the opcode {name}"),
        "use Linux 5.11 or later",
    )
}

/// The kernel's commands to block devices know no discard.
pub(crate) fn of_no_discard() -> Unsupported {
    Unsupported::new(
        "this kernel's io_uring cannot discard blocks of a device (BLOCK_URING_CMD_DISCARD)",
        "use Linux 6.12 or later, or the sync engine",
    )
}

/// What the system says about its limits, to explain a refusal with.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// `kernel.io_uring_disabled`, where the kernel has it (Linux 6.6).
    pub(crate) io_uring_disabled: Option<u32>,
    /// `RLIMIT_MEMLOCK` in words.
    pub(crate) memlock: String,
}

impl Surroundings {
    /// Looks around.
    pub(crate) fn read() -> Self {
        let disabled = fs::read_to_string("/proc/sys/kernel/io_uring_disabled");
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        Self {
            io_uring_disabled: disabled.ok().and_then(|text| text.trim().parse().ok()),
            memlock: memlock_in(&limits),
        }
    }
}

/// The soft limit on locked memory, in words, out of the text of `/proc/self/limits`.
fn memlock_in(limits: &str) -> String {
    let soft = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max locked memory"))
        .and_then(|rest| rest.split_whitespace().next());
    match soft {
        Some("unlimited") => "unlimited".to_owned(),
        Some(bytes) => format!("{bytes} bytes"),
        None => "unknown".to_owned(),
    }
}

/// Rings can be opened, but not used.
pub(crate) fn enter_refused(source: io::Error) -> Unsupported {
    let name = source.raw_os_error().map_or_else(|| "no errno".into(), |errno| Errno(errno).name());
    Unsupported {
        reason: format!("a seccomp filter refuses the use of rings (io_uring_enter: {name})"),
        cure: Some("allow io_uring_enter in the seccomp profile".into()),
        source: Some(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(errno: i32, io_uring_disabled: Option<u32>) -> String {
        let surroundings = Surroundings { io_uring_disabled, memlock: "65536 bytes".to_owned() };
        let error = io::Error::from_raw_os_error(errno);
        of_setup(error, 64, &Uring::default(), &surroundings).sentence()
    }

    fn checked(queue_depth: u32, operations: Operations) -> Result<(), Unsupported> {
        check(queue_depth, operations, &Uring::default())
    }

    #[test]
    fn a_queue_deeper_than_io_uring_allows_is_refused_and_the_deepest_is_not() {
        let none = Operations::default();
        assert!(checked(32_768, none).is_ok());
        assert_eq!(
            checked(32_769, none).unwrap_err().sentence(),
            "queue depth 32769 is more than the 32768 entries that io_uring allows; ask for \
             --queue-depth 32768 or less"
        );
        let sqpoll = Uring::parse("sqpoll").unwrap();
        assert!(check(10_922, none, &sqpoll).is_ok());
        assert_eq!(
            check(10_923, none, &sqpoll).unwrap_err().sentence(),
            "queue depth 10923 is more than the 10922 entries that io_uring allows with sqpoll; \
             ask for --queue-depth 10922 or less"
        );
    }

    #[test]
    fn a_polled_ring_is_refused_flushes() {
        let polled = Uring::parse("iopoll").unwrap();
        for flush in [Operation::Fsync, Operation::Fdatasync] {
            let both = Operations::of(&[Operation::Write, flush]);
            assert!(check(1, both, &polled).unwrap_err().reason.contains("no fsync"));
        }
        assert!(check(1, Operations::of(&[Operation::Write]), &polled).is_ok());
    }

    #[test]
    fn a_trim_is_refused_where_there_is_no_way_to_send_it_and_nowhere_else() {
        assert!(checked(1, Operations::of(&OPERATIONS)).is_ok());
        let trim = Operations::of(&[Operation::Trim]);
        let refusal = |options| check(1, trim, &Uring::parse(options).unwrap()).unwrap_err();
        assert_eq!(
            refusal("iopoll").sentence(),
            "a ring that polls for completions takes no trim; leave out iopoll"
        );
        assert!(refusal("hybrid-iopoll").sentence().contains("no trim"));
        assert!(refusal("passthrough").sentence().contains("trim the block device"));
    }

    #[test]
    fn each_refusal_of_setup_names_its_cause_and_its_cure() {
        let no_call = refused(libc::ENOSYS, None);
        assert!(no_call.contains("seccomp") && no_call.contains("5.11"), "{no_call}");
        assert_eq!(
            refused(libc::EPERM, Some(2)),
            "sysctl kernel.io_uring_disabled=2 forbids io_uring; run sysctl -w \
             kernel.io_uring_disabled=0"
        );
        assert_eq!(refused(libc::EPERM, Some(0)), refused(libc::EPERM, None));
        assert!(refused(libc::EPERM, None).contains("container or seccomp profile"));
        assert!(refused(libc::ENOMEM, None).contains("RLIMIT_MEMLOCK is 65536 bytes"));
        assert!(refused(libc::EMFILE, None).contains("EMFILE"));
        assert!(refused(libc::ENFILE, None).contains("ulimit -n"));
        assert_eq!(refused(libc::EIO, None), "io_uring_setup failed: I/O error (EIO)");
        assert!(refused(libc::EINVAL, None).starts_with("io_uring_setup failed: "));
        let on_a_cpu = Uring::parse("sqpoll-cpu=9").unwrap();
        let error = io::Error::from_raw_os_error(libc::EINVAL);
        let refused = of_setup(error, 64, &on_a_cpu, &Surroundings::default()).sentence();
        assert!(refused.starts_with("sqpoll-cpu names a CPU"), "{refused}");
        let commands = Uring::parse("passthrough").unwrap();
        let error = io::Error::from_raw_os_error(libc::EINVAL);
        let refused = of_setup(error, 64, &commands, &Surroundings::default()).sentence();
        assert!(refused.contains("Linux 5.19"), "{refused}");
    }

    #[test]
    fn the_limit_on_locked_memory_is_the_soft_one() {
        let line = |soft| format!("Limit  Soft\nMax locked memory   {soft}   999   bytes\n");
        assert_eq!(memlock_in(&line("8388608")), "8388608 bytes");
        assert_eq!(memlock_in(&line("unlimited")), "unlimited");
        assert_eq!(memlock_in(""), "unknown");
        assert_ne!(Surroundings::read().memlock, "unknown");
    }
}
