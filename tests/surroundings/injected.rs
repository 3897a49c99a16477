//! Calls that the kernel refuses for now, or that a signal interrupts, as strace plays them: each
//! second or third call of a thread is not made and returns the error.

use std::fs;

use serde_json::Value;

use crate::strace;
use crate::support::{AIO, Ended, Folder, skip};

/// Runs the program in `folder` while `call` fails with `errno` at each of `when`.
fn aio_while(folder: &Folder, call: &str, errno: &str, when: &str, line: &str) -> Ended {
    aio_and_failures(folder, call, errno, when, line).0
}

/// The same, and how many calls failed: when there is no need to wait, fewer are made.
fn aio_and_failures(
    folder: &Folder,
    call: &str,
    errno: &str,
    when: &str,
    line: &str,
) -> (Ended, usize) {
    let mut strace = folder.program("strace");
    strace.args(["-f", "-qq", "-o", "strace.log", "-e", "signal=none"]);
    strace.args(["-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:error={errno}:when={when}")]);
    let output = strace.arg(AIO).args(line.split_whitespace()).output();
    let what = format!("{line} (while {call} fails with {errno} at {when})");
    let ended = Ended::new(&what, &output.expect("strace can be started"));
    let log = folder.path().join("strace.log");
    let calls = fs::read_to_string(&log).expect("strace has written it");
    fs::remove_file(log).expect("it is ours");
    (ended, calls.matches("(INJECTED)").count())
}

/// Writes, reads back and compares through `engine`; direct where that can be done, so that there
/// is something to wait for.
fn round_trip(folder: &Folder, engine: &str, more: &str) -> String {
    if !folder.path().join("r").exists() {
        folder.file("r", 512 << 10);
    }
    let way = if folder.is_direct() { "" } else { "--buffered" };
    format!(
        "--engine {engine} {way} --quiet --write-file w --write-size 1000003 --read-file r \
         --block-size 16k --loops 2 --validate --format json {more}"
    )
}

fn counted(json: &Value, counter: &str) -> u64 {
    let directions = json["engines"][0]["directions"].as_array().expect("there are directions");
    directions.iter().filter_map(|one| one["counters"][counter].as_u64()).sum()
}

#[track_caller]
fn assert_right(ended: Ended) -> Value {
    let json = ended.code(0).json();
    for one in json["engines"][0]["directions"].as_array().expect("there are directions") {
        assert_eq!(one["status"], "complete", "{one}");
        let size = if one["direction"] == "write" { 1_000_003 } else { 512 << 10 };
        assert_eq!(one["validated_bytes"], size, "{one}");
    }
    json
}

#[test]
fn calls_that_are_to_be_made_again_are_made_again_and_counted() {
    let folder = Folder::new();
    if !strace::is_there(&folder) {
        return;
    }
    let deep = "--queue-depth 8";
    for (engine, call, errno, more, counter) in [
        ("libaio", "io_submit", "EAGAIN", deep, "again"),
        ("libaio", "io_submit", "EAGAIN", "--queue-depth 1", "again"),
        ("libaio", "io_submit", "EAGAIN", "--queue-depth 8 --single-submit", "again"),
        ("libaio", "io_submit", "EINTR", deep, "interrupted"),
        ("libaio", "io_pgetevents", "EINTR", deep, "interrupted"),
        ("libaio", "io_pgetevents", "EINTR", "--queue-depth 1", "interrupted"),
        ("uring", "io_uring_enter", "EAGAIN", deep, "again"),
        ("uring", "io_uring_enter", "EAGAIN", "--queue-depth 1", "again"),
        ("uring", "io_uring_enter", "EBUSY", deep, "again"),
        ("uring", "io_uring_enter", "EBUSY", "--sequential-requests", "again"),
        ("uring", "io_uring_enter", "EINTR", deep, "interrupted"),
        ("uring", "io_uring_enter", "EINTR", "--queue-depth 1", "interrupted"),
        ("uring:defer-taskrun=off", "io_uring_enter", "EAGAIN", deep, "again"),
        ("sync", "pwrite64", "EINTR", "--queue-depth 2", "interrupted"),
        ("sync", "pread64", "EINTR", "--queue-depth 2", "interrupted"),
        ("sync", "pwrite64", "EINTR", "--queue-depth 1", "interrupted"),
        ("sync", "pread64", "EINTR", "--queue-depth 1", "interrupted"),
    ] {
        if !folder.can_run(engine) {
            continue;
        }
        let line = round_trip(&folder, engine, more);
        // The loader reads libraries by the same call.
        let when = if call == "pread64" { "20+3" } else { "2+3" };
        let (ended, failed) = aio_and_failures(&folder, call, errno, when, &line);
        let json = assert_right(ended);
        if failed == 0 {
            // Completions that are there already need no call to be waited for.
            assert_eq!(call, "io_pgetevents", "{line}");
            skip(&format!("{engine} {more}: {call} was called too seldom to fail"));
            continue;
        }
        assert!(counted(&json, counter) > 0, "{engine} {more}: {call} {errno} is not counted");
        assert_eq!(folder.names(), ["probe.strace", "r"], "{engine} {call} {errno}");
    }
}

#[test]
fn a_kernel_that_takes_nothing_for_a_while_is_waited_for() {
    let folder = Folder::new();
    if !strace::is_there(&folder) {
        return;
    }
    // Forty refusals in a row, with nothing in flight at first.
    for (engine, call) in [("libaio", "io_submit"), ("uring", "io_uring_enter")] {
        if !folder.can_run(engine) {
            continue;
        }
        let line = round_trip(&folder, engine, "--queue-depth 4 --warmup-loops 0");
        let json = assert_right(aio_while(&folder, call, "EAGAIN", "3..42", &line));
        assert!(counted(&json, "again") > 0, "{engine}");
    }
}

#[test]
fn other_calls_that_are_interrupted_once_are_made_again() {
    let folder = Folder::new();
    if !strace::is_there(&folder) {
        return;
    }
    for (call, when) in [
        ("fsync", "1+2"),
        ("ftruncate", "1+2"),
        ("fallocate", "1+2"),
        ("openat", "2+5"),
        // The loader does not make its own again.
        ("read", "12+5"),
        ("write", "1+2"),
    ] {
        let line = round_trip(&folder, "sync", "--queue-depth 4");
        assert_right(aio_while(&folder, call, "EINTR", when, &line));
        let line = "--engine sync --buffered --quiet --file b --rw randwrite --size 1M --verify crc32c \
                    --block-size 16k --end-fsync";
        aio_while(&folder, call, "EINTR", when, line).code(0);
        assert_eq!(folder.names(), ["probe.strace", "r"], "{call}");
    }
}

#[test]
fn want_of_memory_for_a_ring_is_waited_out_and_if_it_stays_is_a_refusal_with_the_cause() {
    let folder = Folder::new();
    if !strace::is_there(&folder) || !folder.can_run("uring") {
        return;
    }
    let line = round_trip(&folder, "uring", "--queue-depth 4");
    for errno in ["ENOMEM", "EAGAIN"] {
        assert_right(aio_while(&folder, "io_uring_setup", errno, "1", &line));
    }
    let ended = aio_while(&folder, "io_uring_setup", "ENOMEM", "1+1", &line);
    ended.refused(&["uring", "there is no memory for a ring", "ENOMEM"]);
    for errno in ["EAGAIN", "EMFILE", "ENFILE"] {
        let ended = aio_while(&folder, "io_uring_setup", errno, "1+1", &line);
        ended.refused(&["uring", "io_uring_setup", errno]);
    }
    assert_eq!(folder.names(), ["probe.strace", "r"]);
}

#[test]
fn memory_that_cannot_be_locked_is_on_the_receipts_and_the_run_complete() {
    let folder = Folder::new();
    if !strace::is_there(&folder) || !folder.can_run("uring") {
        return;
    }
    let line = round_trip(&folder, "uring", "--queue-depth 4");
    for (call, errno, why) in
        [("mlock", "ENOMEM", "os error 12"), ("mlock", "EAGAIN", "os error 11")]
    {
        let ended = aio_while(&folder, call, errno, "1+1", &line);
        let receipts = ended.receipts("memory-lock");
        assert_right(ended);
        assert!(!receipts.is_empty(), "{call} {errno}");
        for receipt in receipts {
            assert_eq!(receipt["granted"], "off", "{receipt}");
            assert!(
                receipt["why_not"].as_str().is_some_and(|text| text.contains(why)),
                "{receipt}"
            );
        }
    }
    assert_eq!(folder.names(), ["probe.strace", "r"]);
}

#[test]
fn a_call_that_fails_for_good_is_a_failure_with_its_name() {
    let folder = Folder::new();
    if !strace::is_there(&folder) {
        return;
    }
    for (engine, call, errno) in [
        ("libaio", "io_submit", "ENOMEM"),
        ("libaio", "io_pgetevents", "EFAULT"),
        ("uring", "io_uring_enter", "EFAULT"),
        ("sync", "pwrite64", "EAGAIN"),
        ("sync", "pwrite64", "ENOMEM"),
    ] {
        if !folder.can_run(engine) {
            continue;
        }
        let line = round_trip(&folder, engine, "--queue-depth 4");
        let ended = aio_while(&folder, call, errno, "4+1", &line);
        if ended.code == 0 {
            skip(&format!("{engine} made {call} fewer times than it takes to fail here"));
            continue;
        }
        let ended = ended.code(1).says(&[engine]);
        assert_eq!(ended.json()["status"], "failed", "{engine} {call}");
        let known = [errno, "os error 14", "os error 12"];
        assert!(known.iter().any(|word| ended.stderr.contains(word)), "{}", ended.stderr);
        assert_eq!(folder.names(), ["probe.strace", "r"], "{engine} {call} {errno}");
    }
}
