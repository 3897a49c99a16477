//! A signal in each stage of a run, on each engine: what was made goes, what was found stays.

use std::fs;

use crate::signals::{Running, has_content, ignores_hangups, written_bytes};
use crate::support::{ENGINES, Ended, Folder, skip};

/// A stage, and what shows that the program has come to it.
struct Stage {
    name: &'static str,
    line: &'static str,
    is_seen: fn(&Folder, u32) -> bool,
}

/// How many bytes the process has read by system calls, where the kernel counts them.
fn read_bytes(pid: u32) -> u64 {
    let counters = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let read = counters.lines().find_map(|line| line.strip_prefix("rchar: "));
    read.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

fn has_threads(pid: u32, name: &str) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    threads.flatten().any(|thread| {
        let named = fs::read_to_string(thread.path().join("comm"));
        named.is_ok_and(|named| named.starts_with(name))
    })
}

const STAGES: [Stage; 5] = [
    Stage {
        name: "filling",
        line: "--folder . --io-size 96M --read --threads 2 --loops 100000",
        is_seen: |folder, _| has_content(folder, "_aio_read_100663296.pt.0_0"),
    },
    // Its file is there, and its memory is being filled.
    Stage {
        name: "pre",
        line: "--write-file w --write-size 192M --io-parallel 2 --loops 100000",
        is_seen: |folder, pid| folder.path().join("w.0").exists() && has_threads(pid, "aio-lane-1"),
    },
    Stage {
        name: "main",
        line: "--write-file w --write-size 4M --threads 2 --loops 100000",
        is_seen: |folder, _| has_content(folder, "w.0"),
    },
    // What is read by calls of its own is read to be compared.
    Stage {
        name: "post",
        line: "--write-file w --write-size 192M --validate --loops 1 --warmup-loops 0",
        is_seen: |_, pid| read_bytes(pid) > 8 << 20,
    },
    Stage {
        name: "verifying",
        line: "--file b --rw randwrite --size 192M --block-size 256k --verify crc32c --loops 1",
        is_seen: |_, pid| read_bytes(pid) > 8 << 20,
    },
];

/// How often a run may be through before its signal comes, where the test is kept waiting.
const ATTEMPTS: u32 = 8;

#[test]
fn a_signal_in_any_stage_ends_the_run_with_its_code_and_nothing_is_left() {
    if written_bytes(std::process::id()).is_none() {
        return skip("signals in every stage: this kernel has no /proc/self/io");
    }
    let folder = Folder::new();
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        for Stage { name, line, is_seen } in STAGES {
            for (signal, code) in [("TERM", 143), ("HUP", 129)] {
                if signal == "HUP" && ignores_hangups() {
                    skip("SIGHUP: it is ignored here");
                    continue;
                }
                let line =
                    format!("--engine {engine} --buffered --quiet {line} --format json --yes");
                let ended = (0..ATTEMPTS).find_map(|_| {
                    let mut running = Running::start(&folder, &line);
                    if running.sees(|pid| is_seen(&folder, pid)) {
                        running.send(&[signal]);
                    }
                    Some(running.ended()).filter(|ended| ended.code != 0)
                });
                let ended = ended.unwrap_or_else(|| panic!("no {signal} ended {line}"));
                assert_ended(&ended, code, &format!("{engine} in {name}, {signal}"));
                assert_eq!(folder.names(), [""; 0], "{line}");
            }
        }
    }
}

/// The signal may come a moment after the stage that it was meant for, but never after the run.
fn assert_ended(ended: &Ended, code: i32, what: &str) {
    assert_eq!(ended.code, code, "{what}: {}", ended.stderr);
    assert_eq!(ended.json()["status"], "interrupted", "{what}");
    assert!(ended.stderr.is_empty(), "{what}: {}", ended.stderr);
}

#[test]
fn loops_that_were_finished_are_kept_by_every_engine() {
    let folder = Folder::new();
    if written_bytes(std::process::id()).is_none() {
        return skip("loops before a signal: this kernel has no /proc/self/io");
    }
    for engine in ["libaio", "uring"].into_iter().filter(|engine| folder.can_run(engine)) {
        let line = format!(
            "--engine {engine} --buffered --quiet --write-file w --write-size 64k --loops 1000000 \
             --format json --yes"
        );
        let mut running = Running::start(&folder, &line);
        // A second of the kernel's counting, which for other interfaces than calls of our own is
        // not by process everywhere.
        let mut times = 0;
        running.until(|_| {
            times += 1;
            times > 200
        });
        running.send(&["TERM"]);
        let direction = running.ended().code(143).direction();
        let loops = direction["loops"].as_array().unwrap();
        let counted = loops.iter().filter(|one| one["counts"] == true).count();
        assert!(counted > 1, "{engine}: {counted} loops");
        assert_eq!(direction["bytes"], counted << 16, "{engine}");
    }
}

#[test]
fn a_file_that_is_judged_is_left_as_it_is_when_a_signal_comes() {
    let folder = Folder::new();
    let line = "--engine sync --buffered --quiet --file f --size 256M --rw write --block-size 1M \
                --verify crc32c --keep";
    folder.aio(line).code(0);
    let before = fs::metadata(folder.path().join("f")).unwrap().modified().unwrap();
    let mut running = Running::start(&folder, "verify f");
    running.until(|pid| read_bytes(pid) > 8 << 20);
    running.send(&["TERM"]);
    running.ended().code(143);
    assert_eq!(fs::metadata(folder.path().join("f")).unwrap().modified().unwrap(), before);
    assert_eq!(folder.names(), ["f"]);
}
