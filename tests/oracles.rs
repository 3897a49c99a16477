//! The report against what others counted of the same run: the kernel's table of disks, and strace.
//!
//! These need root and a loop device with direct I/O; what is missing is skipped aloud.

use serde_json::Value;

use crate::outside::Disk;
use crate::strace::{self, Call};
use crate::support::{ENGINES, Folder};

/// Depths of the queue: the synchronous engine has a way of its own for a queue of one.
const DEPTHS: [u32; 2] = [1, 8];

/// Engines whose options change which calls are made, or by whom.
const OTHERS: [&str; 6] = [
    "uring:sqpoll",
    "uring:iowq-workers=2",
    "uring:fixed-files=off:fixed-buffers=off:registered-ring=off",
    "libaio:user-ring=off",
    "libaio:nowait",
    "sync:nowait",
];

/// A run that moves 4 KiB at random.
fn line(disk: &Disk, engine: &str, mode: &str, depth: u32) -> String {
    let path = disk.path();
    format!(
        "--engine {engine} --quiet --format json --file {path} --allow-device {path} --rw {mode} \
         --block-size 4k --queue-depth {depth}"
    )
}

/// Such runs of every engine that can run here, in each direction and depth.
fn lines(folder: &Folder, disk: &Disk) -> Vec<String> {
    let engines = ENGINES.into_iter().filter(|engine| folder.can_run(engine));
    let modes = engines.flat_map(|engine| ["randread", "randwrite"].map(|mode| (engine, mode)));
    modes.flat_map(|(engine, mode)| DEPTHS.map(|depth| line(disk, engine, mode, depth))).collect()
}

fn number(of: &Value, field: &str) -> u64 {
    of[field].as_u64().unwrap_or_else(|| panic!("{field}: {of}"))
}

#[test]
fn bytes_and_requests_are_those_of_the_kernels_table_of_disks() {
    let folder = Folder::new();
    let Some(disk) = Disk::attach(&folder) else { return };
    for line in lines(&folder, &disk) {
        for more in ["--number-ios 777", "--number-ios 150 --threads 2 --io-parallel 2 --loops 2"] {
            let line = format!("{line} {more}");
            let before = disk.quiet_counts();
            let one = folder.aio(&line).code(0).direction();
            let after = disk.counts();
            let read = after.read.since(before.read);
            let written = after.written.since(before.written);
            let asked = if line.contains("--rw randwrite") {
                written
            } else {
                assert_eq!(written.requests, 0, "aio {line}");
                read
            };
            assert_eq!(number(&one, "bytes"), asked.bytes, "aio {line}: {asked:?}");
            assert_eq!(number(&one, "requests"), asked.requests, "aio {line}: {asked:?}");
            assert_eq!(asked.merged, 0, "aio {line}");
        }
    }
}

#[test]
fn system_calls_are_those_that_strace_counts() {
    let folder = Folder::new();
    if !strace::is_there(&folder) {
        return;
    }
    let Some(disk) = Disk::attach(&folder) else { return };
    for line in lines(&folder, &disk) {
        let flushed = if line.contains("randwrite") { "--fsync 16" } else { "" };
        for more in ["--number-ios 500", "--number-ios 100 --threads 2 --io-parallel 2 --loops 2"] {
            let line = format!("{line} {more} {flushed}");
            let (ended, calls) = strace::run(&folder, &disk, &line);
            let one = ended.code(0).direction();
            let counters = &one["counters"];
            assert_eq!(number(counters, "system_calls"), calls.len() as u64, "aio {line}");
            let taken: Vec<_> = calls.iter().map(Call::taken).filter(|taken| *taken > 0).collect();
            assert_eq!(number(counters, "submitted"), taken.iter().sum::<u64>(), "aio {line}");
            // The pool hands requests to its threads, which make a call for each.
            if !line.contains("sync") {
                assert_eq!(number(counters, "submit_calls"), taken.len() as u64, "aio {line}");
            }
        }
    }
}

#[test]
fn system_calls_are_counted_whatever_the_options_of_an_engine() {
    let folder = Folder::new();
    if !strace::is_there(&folder) {
        return;
    }
    let Some(disk) = Disk::attach(&folder) else { return };
    for engine in OTHERS.into_iter().filter(|engine| folder.can_run(engine)) {
        for depth in DEPTHS {
            let line = format!("{} --number-ios 300", line(&disk, engine, "randread", depth));
            let (ended, calls) = strace::run(&folder, &disk, &line);
            let one = ended.code(0).direction();
            assert_eq!(number(&one["counters"], "system_calls"), calls.len() as u64, "aio {line}");
        }
    }
}
