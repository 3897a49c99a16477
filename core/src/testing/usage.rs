//! What the process holds of the kernel's: files, threads and mappings.

use std::fs;
use std::time::{Duration, Instant};

/// How long what was given up may take to go.
const PATIENCE: Duration = Duration::from_secs(10);
/// By how much memory may grow after the warm-up: allocators keep some.
const GROWTH_BYTES_MAX: u64 = 64 << 20;

/// Numbers that a round must leave as it found them: descriptors, threads, mappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Open files.
    pub descriptors: usize,
    /// Threads, without those that the kernel starts and ends by itself.
    pub threads: usize,
    /// Of files and of the kernel's rings. Stacks and heaps come and go as the allocator likes.
    pub named_mappings: usize,
}

impl Usage {
    /// What the process holds now.
    ///
    /// # Panics
    /// When `/proc` cannot be read.
    #[must_use]
    pub fn now() -> Self {
        let count = |path| fs::read_dir(path).expect("/proc is mounted").count();
        let maps = fs::read_to_string("/proc/self/maps").expect("/proc is mounted");
        let named =
            |line: &&str| line.split_whitespace().nth(5).is_some_and(|name| name != "[heap]");
        Self {
            descriptors: count("/proc/self/fd"),
            threads: count_threads(),
            named_mappings: maps.lines().filter(named).count(),
        }
    }

    /// Asserts that the process holds as much as it did, at the latest after a while: a thread
    /// that was waited for may be seen a moment longer.
    ///
    /// # Panics
    /// When it does not.
    pub fn assert_is_now(self) {
        let start = Instant::now();
        let mut now = Self::now();
        while now != self && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
            now = Self::now();
        }
        assert_eq!(now, self, "the process does not hold what it held before the first round");
    }
}

/// Threads of this process, without those that the kernel starts and ends by itself. Not by their
/// names, which are this program's until such a thread has run for the first time.
fn count_threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").expect("/proc is mounted");
    let stats = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("stat")).ok());
    stats.filter(|stat| !is_of_the_ring(stat)).count()
}

/// Whether a line of `/proc/PID/stat` is that of a thread which works for `io_uring`.
fn is_of_the_ring(stat: &str) -> bool {
    /// `PF_IO_WORKER` of the kernel's `sched.h`, since Linux 5.12.
    const IO_WORKER: u32 = 0x10;
    // The name may have any character in it, and ends with the last parenthesis. The flags are the
    // seventh field behind it.
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let flags = behind_name.split_whitespace().nth(6).and_then(|flags| flags.parse::<u32>().ok());
    flags.is_some_and(|flags| flags & IO_WORKER != 0)
}

/// Bytes of memory that is present and no file's; `None` when the kernel does not tell.
#[must_use]
pub fn anonymous_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib << 10)
}

/// Asserts that memory did not grow much since it was `before`.
pub(super) fn assert_memory_is_flat(before: Option<u64>) {
    let (Some(before), Some(now)) = (before, anonymous_bytes()) else { return };
    let most = before + GROWTH_BYTES_MAX;
    assert!(now <= most, "memory grew from {before} to {now} bytes over the rounds");
}
