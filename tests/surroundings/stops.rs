//! Processes that are stopped and go on, and signals that nobody asked for.

use std::thread;
use std::time::{Duration, Instant};

use crate::signals::{Running, has_content, written_bytes};
use crate::support::{ENGINES, Folder, skip};

/// How often a run is stopped in quick succession.
const STOPS: usize = 60;
/// Longer than any request takes that nobody stops.
const LONG: Duration = Duration::from_millis(700);

/// Whether the process with this id is stopped, as `/proc` tells it.
fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
}

#[test]
fn a_run_that_is_stopped_again_and_again_is_complete_and_its_data_right() {
    let folder = Folder::new();
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        for way in ["--buffered", ""] {
            if way.is_empty() && !folder.is_direct() {
                continue;
            }
            let line = format!(
                "--engine {engine} {way} --quiet --write-file w --write-size 4M --block-size 16k \
                 --queue-depth 8 --io-parallel 2 --loops 400 --validate --format json"
            );
            let mut running = Running::start(&folder, &line);
            running.until(|_| has_content(&folder, "w.0"));
            for _ in 0..STOPS {
                running.send(&["STOP", "CONT"]);
            }
            let direction = running.ended().code(0).direction();
            assert_eq!(direction["status"], "complete", "{engine} {way}");
            assert_eq!(direction["validated_bytes"], 4 << 20, "{engine} {way}");
            assert_eq!(direction["bytes"], 400 << 22, "{engine} {way}");
            assert_eq!(folder.names(), [""; 0], "{engine} {way}");
        }
    }
}

#[test]
fn the_time_of_a_stop_is_part_of_the_loop_and_of_a_latency() {
    let folder = Folder::new();
    if written_bytes(std::process::id()).is_none() {
        return skip("a stop in a loop: this kernel has no /proc/self/io");
    }
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        // One loop, which ends when so much is written, with a request in flight at all times.
        let line = format!(
            "--engine {engine} --buffered --quiet --file w --rw randwrite --size 1M --block-size 4k \
             --queue-depth 4 --number-ios 200000 --loops 1 --format json"
        );
        let mut running = Running::start(&folder, &line);
        running.until(|pid| written_bytes(pid) >= Some(8 << 20));
        running.send(&["STOP"]);
        running.until(is_stopped);
        let stopped = Instant::now();
        thread::sleep(LONG);
        let stopped_s = stopped.elapsed().as_secs_f64();
        running.send(&["CONT"]);
        let direction = running.ended().code(0).direction();
        let taken_s = direction["task_latency_s"].as_f64().unwrap();
        let longest_ns = direction["request_latency"]["max_ns"].as_f64().unwrap();
        assert!(taken_s >= stopped_s, "{engine}: {taken_s} s, stopped for {stopped_s} s");
        assert!(longest_ns >= stopped_s * 0.99e9, "{engine}: {longest_ns} ns, {stopped_s} s");
    }
}

#[test]
fn signals_that_nobody_asked_for_change_nothing() {
    let folder = Folder::new();
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        let line = format!(
            "--engine {engine} --buffered --quiet --write-file w --write-size 4M --block-size 16k \
             --queue-depth 8 --loops 200 --validate --format json"
        );
        let mut running = Running::start(&folder, &line);
        running.until(|_| has_content(&folder, "w.0"));
        for _ in 0..20 {
            running.send(&["URG", "WINCH", "CONT", "CHLD"].repeat(10));
        }
        let direction = running.ended().code(0).direction();
        assert_eq!(direction["validated_bytes"], 4 << 20, "{engine}");
        assert_eq!(folder.names(), [""; 0], "{engine}");
    }
}

#[test]
fn a_run_that_is_told_to_end_while_it_is_stopped_ends_when_it_goes_on() {
    let folder = Folder::new();
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        let line = format!(
            "--engine {engine} --buffered --quiet --write-file w --write-size 1M --loops 1000000 \
             --format json"
        );
        let mut running = Running::start(&folder, &line);
        running.until(|_| has_content(&folder, "w.0"));
        running.send(&["STOP"]);
        running.until(is_stopped);
        running.send(&["TERM", "CONT"]);
        let ended = running.ended().code(143);
        assert_eq!(ended.direction()["status"], "interrupted", "{engine}");
        assert_eq!(folder.names(), [""; 0], "{engine}");
    }
}
